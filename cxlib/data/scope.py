"""What one report is about: which days, which customers, and their rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any, Literal, NoReturn, Protocol

import numpy as np
import pandas as pd

from cxlib.checks import NotEnoughData, ParameterError, fail_option
from cxlib.checks.near_names import near_names
from cxlib.data.attributes import having
from cxlib.data.contract import TABLES
from cxlib.data.days import local_days, to_date
from cxlib.data.engine.order_lines import OrderLines
from cxlib.data.purchases import leading_lines, purchase_lines
from cxlib.data.text_type import TEXT

#: Segments as a table, or as a function that makes it for the last day that may be looked at.
Segments = pd.DataFrame | Callable[[date], pd.DataFrame]


class Tables(Protocol):
    """What a scope asks of a data set; a class because the data set itself makes scopes."""

    @property
    def as_of(self) -> date:
        """Last day that is known."""

    @property
    def timezone(self) -> str:
        """IANA timezone in which days begin."""

    def has(self, table: str, column: str | None = None) -> bool:
        """Whether a table is there."""

    def table(
        self,
        name: str,
        start: date | str | None = None,
        end: date | str | None = None,
        *,
        merged: bool = False,
        only: Mapping[str, str] | None = None,
    ) -> pd.DataFrame:
        """Give a table's rows."""

    def ends(self, name: str, start: date | str | None = None, end: date | str | None = None) -> pd.DataFrame:
        """Give a table's rows, or from an engine each customer's first and last."""

    def order_lines(self, start: date | str | None = None, end: date | str | None = None) -> OrderLines:
        """Give the order lines, to be summed up once."""


@dataclass(frozen=True)
class Scope:
    """Days, customers and smallest cell of one report, the same in every chapter of a run.

    A class because they are handed down together; made by `DataSet.scope`, which checks them.

    Attributes
    ----------
    data_set
        The opened data set.
    period_start, period_end : date or None
        Bounds of the period as they were asked for; None where it begins or ends with the data.
    by, segment : str or None
        What results are broken down by; the only segment whose customers count.
    where : mapping
        Attributes of the customers who count, such as `{"region": "Kanto"}`.
    min_cell, conf_level
        Smallest number of customers a shown row may stand for; level of every interval.
    segments
        Segments of the customers, as `DataSet.scope` takes them.
    """

    data_set: Tables
    period_start: date | None
    period_end: date | None
    by: str | None
    segment: str | None
    where: Mapping[str, str]
    min_cell: int
    conf_level: float
    segments: Segments | None

    @property
    def timezone(self) -> str:
        """IANA timezone in which days begin."""
        return self.data_set.timezone

    @property
    def last_day(self) -> date:
        """Last day of the period as far as the data reach."""
        return min(self.data_set.as_of, self.period_end or self.data_set.as_of)

    @property
    def period(self) -> dict[str, Any]:
        """Bounds of the period as `DataSet.table` takes them."""
        return {"start": self.period_start, "end": self.period_end}

    @property
    def segment_day(self) -> date:
        """Day of which segments are: the last one before the period, or the last day without a first one.

        A segment made of purchases in the period would be one of the results.
        """
        return self.last_day if self.period_start is None else self.period_start - timedelta(days=1)

    @property
    def is_narrowed(self) -> bool:
        """Whether only some customers count."""
        return self.segment is not None or bool(self.where)

    @property
    def is_circular(self) -> bool:
        """Whether customers were chosen by a segment that holds what they bought since."""
        return self.segment is not None and self.period_start is None

    @cached_property
    def people(self) -> pd.DataFrame:
        """Customers with the attributes asked for, in any segment."""
        people = self.data_set.table("customers")
        if self.by in ("cohort", "first_channel"):
            has_orders = self.data_set.has("orders")
            people = first_purchase_groups(people, self.data_set.table("orders") if has_orders else None)
        if self.by is not None and self.by != "segment" and self.by not in people.columns:
            fail_by(self.by, people.columns)
        return people[having(people, self.where, min_cell=self.min_cell)].reset_index(drop=True)

    @cached_property
    def customers(self) -> pd.DataFrame:
        """The customers who count, with `segment` as of `segment_day`."""
        return self.customers_on(self.segment_day)

    def customers_on(self, day: object) -> pd.DataFrame:
        """Give the customers who count by what was known at the end of an earlier day.

        For tests on what follows a day, and for studies: a segment made of later purchases would be one of
        the results. A day after `segment_day` changes nothing.

        Raises
        ------
        NotEnoughData
            If a segment was asked for and nobody had ordered by then.
        """
        until = min(to_date(day, argument="day"), self.segment_day)
        if self.segments is None or not self.data_set.has("orders"):
            return self.people.assign(segment=pd.Series(dtype=TEXT))
        if self.segment is not None and self.data_set.ends("orders", end=until).empty:
            raise NotEnoughData("tables.no_segment_yet", segment=self.segment, day=until)
        made = self.segments(until) if callable(self.segments) else self.segments
        named = made.set_index("customer_id")["segment"]
        people = self.people.assign(segment=self.people["customer_id"].map(named).astype(TEXT))
        if self.segment is None:
            return people
        return people[people["segment"] == self.segment].reset_index(drop=True)

    def rows(
        self, table: str, *, with_history: bool = False, keep_unknown: bool = False, merged: bool = False
    ) -> pd.DataFrame:
        """Rows of a table in the period for the customers who count, with the column `by` (`chosen_rows`).

        Parameters
        ----------
        table
            Name of a table with `customer_id`.
        with_history
            From the first day of the data on instead of the period's, up to `last_day`.
        keep_unknown
            Keep rows of guests and of who is not in the customers table too, for totals, as long as every
            customer counts.
        merged
            As for `DataSet.table`: order lines for purchases, days and money alone.
        """
        how: dict[str, Any] = {"keep_unknown": keep_unknown and not self.is_narrowed, "merged": merged}
        ends = self._ends(with_history=with_history)
        return chosen_rows(self.data_set, table, self.customers, by=self.by, **how, **ends)

    def windows_note(self, note: str) -> list[dict[str, Any]]:
        """Row of the note on what the first day of the period does not bound; none without one."""
        days = {"first": self.period_start, "last": self.last_day}
        return [] if self.period_start is None else [{"note": note, "level": "info", **days}]

    def order_lines(self, *, with_history: bool = False, keep_unknown: bool = False) -> OrderLines:
        """Order lines to be summed up once, of the days and customers of `rows("orders", …)`."""
        lines = self.data_set.order_lines(**self._ends(with_history=with_history))
        every = keep_unknown and not self.is_narrowed
        return lines if every else lines.of(self.customers["customer_id"])

    def _ends(self, *, with_history: bool) -> dict[str, Any]:
        """First and last day of the period, or of all up to its last day."""
        return {"start": None, "end": self.last_day} if with_history else self.period


def check_period(
    period_start: date | str | None, period_end: date | str | None
) -> tuple[date | None, date | None]:
    """First and last day of a period as days; raise where it ends before it starts."""
    start, end = (
        None if day is None else to_date(day, argument=name)
        for name, day in (("period_start", period_start), ("period_end", period_end))
    )
    if start and end and end < start:
        raise ParameterError("tables.end_before_start", start=start, end=end)
    return start, end


def check_segments(segments: Segments | None, *, by: str | None, segment: str | None) -> None:
    """Raise where a segment is asked for that does not exist, or without segments at all."""
    if (segment is not None or by == "segment") and segments is None:
        raise ParameterError("segmentation.segment_needs_orders")
    names: Mapping[str, str] = getattr(segments, "names", dict)()
    if segment is not None and names and segment not in names:
        fail_option("segment", segment, names)


def fail_by(by: str, columns: Iterable[str]) -> NoReturn:
    """Raise for a group that is no column: name those called nearly so, else those of the contract."""
    own = ["segment", *(name for name in TABLES["customers"].columns if name != "customer_id")]
    near = near_names(by, ["segment", *map(str, columns)])
    if near == "–":
        near = ", ".join(name for name in own if name == "segment" or name in set(columns))
    raise ParameterError("segmentation.unknown_by", value=by, nearest=near)


def chosen_rows(
    data_set: Tables,
    table: str,
    customers: pd.DataFrame,
    *,
    by: str | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    keep_unknown: bool = False,
    merged: bool = False,
) -> pd.DataFrame:
    """Rows of `table` that belong to `customers`, with the customers' column `by`.

    Parameters
    ----------
    data_set
        The opened data set.
    table
        Name of a table with `customer_id`. If the data set does not have it, the result is empty, so that a
        report can go on and say so.
    customers
        One row per customer, as `choose_customers` returns them. Rows of anybody else and of guests are left
        out.
    by
        Column of `customers` to add; it replaces a column of the same name in the table.
    start, end
        First and last day, inclusive, on the table's own time.
    keep_unknown
        Keep rows of customers who are not in `customers` too, without `by`: for totals.
    merged
        As for `DataSet.table`.

    Returns
    -------
    DataFrame
        In the order of the table; scales that the data set declares stay with it (`frame.attrs`).

    Examples
    --------
    >>> class Shop:
    ...     def has(self, table): return False
    >>> chosen_rows(Shop(), "events", pd.DataFrame({"customer_id": ["a"]}))[["stage", "valence"]].shape
    (0, 2)
    """
    known = customers.filter(["customer_id", by])
    if not data_set.has(table):
        empty = {
            column: pd.Series(dtype=_EMPTY.get(spec.kind, TEXT))
            for column, spec in TABLES[table].columns.items()
        }
        return pd.DataFrame(empty).merge(known, on="customer_id", suffixes=("_row", ""))
    part: dict[str, Any] = {"merged": True} if merged else {}
    rows = data_set.table(table, start=start, end=end, **part)
    how: Literal["left", "inner"] = "left" if keep_unknown else "inner"
    chosen = rows.merge(known, on="customer_id", how=how, suffixes=("_row", ""))
    chosen.attrs.update(rows.attrs)
    return chosen


def first_purchase_groups(customers: pd.DataFrame, orders: pd.DataFrame | None) -> pd.DataFrame:
    """Add to customers how and when they first bought, to break results down by.

    Parameters
    ----------
    customers
        One row per customer, with `customer_id`.
    orders
        Order lines with `ordered_at` and, if known, `channel`; None where there are none. What a purchase is,
        is told by `cxlib.data.purchases`; where the first day holds several channels, that of the largest
        amount stands for it, then that of the lowest `line`, then the first by name.

    Returns
    -------
    DataFrame
        `customers` with `cohort` (half-year of the first purchase, as "2026-1") and `first_channel` (ec,
        store, …; of the first day's lines the leading one, see `leading_lines`), missing without a purchase;
        columns of these names that are there already stay.

    Examples
    --------
    >>> orders = pd.DataFrame({"customer_id": ["a", "a"], "channel": ["store", "ec"],
    ...     "ordered_at": pd.to_datetime(["2026-07-01", "2026-08-01"])})
    >>> first_purchase_groups(pd.DataFrame({"customer_id": ["a", "b"]}), orders).iloc[0].to_list()
    ['a', '2026-2', 'store']
    """
    known = {"cohort", "first_channel"} & set(customers.columns)
    if orders is None:
        return customers
    code, ids = pd.factorize(orders["customer_id"])
    day = local_days(orders["ordered_at"], "ordered_at")
    kept = purchase_lines(orders, known=day.notna().to_numpy() & (code >= 0))
    names = [name for name in ("channel",) if name in orders]
    place, _ = leading_lines(orders, names, code, day.to_numpy(), kept)
    who = np.unique(code[kept])
    first = day.iloc[place[who]]
    half = (first.dt.month > 6).astype(int) + 1
    groups = pd.DataFrame({"customer_id": ids[who]})
    groups["cohort"] = (first.dt.year.astype(TEXT) + "-" + half.astype(TEXT)).to_numpy()
    groups["first_channel"] = orders["channel"].iloc[place[who]].to_numpy() if names else None
    groups = groups.drop(columns=list(known))
    return customers.merge(groups, on="customer_id", how="left")


_EMPTY: dict[str, Any] = {
    "timestamp": "datetime64[s]",
    "date": "datetime64[s]",
    "number": "float64",
    "flag": "boolean",
}
