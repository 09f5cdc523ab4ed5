"""Rows of a table for the customers a report was asked for."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cxlib.contract import TABLES


def chosen_rows(
    data_set: Any,
    table: str,
    customers: pd.DataFrame,
    *,
    by: str | None = None,
    start: Any = None,
    end: Any = None,
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

    Returns
    -------
    DataFrame

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
            column: pd.Series(dtype=_EMPTY.get(spec.kind, "str"))
            for column, spec in TABLES[table].columns.items()
        }
        return pd.DataFrame(empty).merge(known, on="customer_id", suffixes=("_row", ""))
    rows = data_set.table(table, start=start, end=end)
    return rows.merge(known, on="customer_id", suffixes=("_row", ""))


def first_purchase_groups(customers: pd.DataFrame, orders: pd.DataFrame | None) -> pd.DataFrame:
    """Add to customers how and when they first bought, to break results down by.

    Parameters
    ----------
    customers
        One row per customer, with `customer_id`.
    orders
        Order lines with `ordered_at` and, if known, `channel`; None where there are none. Refunds (negative
        amounts) are no purchases.

    Returns
    -------
    DataFrame
        `customers` with `cohort` (half-year of the first purchase, as "2026-1") and `first_channel` (ec,
        store, …; of several lines at the same time the one first by order id, line and name), missing
        without a purchase; columns of these names that are there already stay.

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
    bought = orders[orders["ordered_at"].notna()]
    if "amount" in bought:
        bought = bought[~(bought["amount"] < 0)]
    ties = [name for name in ("ordered_at", "order_id", "line", "channel") if name in bought]
    first = bought.sort_values(ties, kind="stable").drop_duplicates("customer_id")
    half = (first["ordered_at"].dt.month > 6).astype(int) + 1
    groups = pd.DataFrame({"customer_id": first["customer_id"]})
    groups["cohort"] = first["ordered_at"].dt.year.astype(str) + "-" + half.astype(str)
    groups["first_channel"] = first.get("channel")
    groups = groups.dropna(subset=["customer_id"]).drop(columns=list(known))
    return customers.merge(groups, on="customer_id", how="left")


_EMPTY = {"timestamp": "datetime64[s]", "date": "datetime64[s]", "number": "float64", "flag": "boolean"}
