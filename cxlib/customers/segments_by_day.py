"""The RFM segments of a data set's customers as of any day, as a scope asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from cxlib.customers.rfm_segments import (
    assign_segments,
    choose_customers,
    rfm,
    segment_names,
    summarise_customers,
)
from cxlib.data.rules.rule_files import RfmSegments, load_rules
from cxlib.data.scope import Scope, Tables, chosen_rows


@dataclass(frozen=True)
class SegmentsByDay:
    """Segments of everybody, from all orders up to the day asked for: `data_set.scope(segments=…)`.

    A class because a scope asks who is in a segment, which there are and what they are called.

    Parameters
    ----------
    data_set
        The opened data set, with a table `orders`.
    rules : RfmSegments, optional
        Default: those of the data set (`load_rules`).

    Examples
    --------
    >>> SegmentsByDay(None).names("ja")["Champions"]
    '最優良顧客'
    """

    data_set: Tables | None
    rules: RfmSegments | None = None

    def __call__(self, day: date) -> pd.DataFrame:
        """Give `customer_id` and `segment` at the end of a day; "No orders" for who had not ordered yet."""
        assert self.data_set is not None
        people = self.data_set.table("customers") if self.data_set.has("customers") else None
        orders = self.data_set.order_lines()
        chosen = choose_customers(
            people, orders, as_of=day, timezone=self.data_set.timezone, rules=self._own()
        )
        return chosen[["customer_id", "segment"]]

    def of_orders(self, scope: Scope) -> pd.DataFrame:
        """Segment a scope's customers by everybody's orders of its days; no rows without orders."""
        assert self.data_set is not None
        if self.data_set.has("orders"):
            lines: Any = self.data_set.order_lines(**scope.period)
        else:
            lines = chosen_rows(self.data_set, "orders", pd.DataFrame({"customer_id": []}, dtype="str"))
        summed = summarise_customers(lines, as_of=scope.last_day)
        segments = assign_segments(rfm(summed), rules=self._own())
        return segments.merge(scope.customers[["customer_id"]])

    def names(self, lang: str = "en") -> Mapping[str, str]:
        """Name every segment in a language."""
        return segment_names(self._own(), lang)

    def _own(self) -> RfmSegments:
        return self.rules or load_rules("rfm_segments", self.data_set)
