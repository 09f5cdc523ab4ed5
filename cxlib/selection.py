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


_EMPTY = {"timestamp": "datetime64[s]", "date": "datetime64[s]", "number": "float64", "flag": "boolean"}
