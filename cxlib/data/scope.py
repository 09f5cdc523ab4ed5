"""Rows of a table for the customers a report was asked for."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from cxlib.data.contract import TABLES
from cxlib.data.days import local_days
from cxlib.data.purchases import leading_lines, purchase_lines
from cxlib.data.text_type import TEXT


def chosen_rows(
    data_set: Any,
    table: str,
    customers: pd.DataFrame,
    *,
    by: str | None = None,
    start: Any = None,
    end: Any = None,
    keep_unknown: bool = False,
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
    rows = data_set.table(table, start=start, end=end)
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
