"""Customers made from the ids in other tables, for exports that have no list of customers."""

from __future__ import annotations

import pandas as pd

from cxlib.data.contract import TABLES
from cxlib.data.exports.mapping import Derived


def with_derived(
    tables: dict[str, pd.DataFrame], rule: Derived
) -> tuple[pd.DataFrame, dict[str, float | None]]:
    """Add the customers of other tables to those that are there, each from the day of its first row.

    Returns
    -------
    customers : DataFrame
    counts : dict
        As for a block that reads a file: ids found, those left out because they are there, those written.
    """
    seen = pd.concat([_first_days(tables[table], table) for table in rule.derive])
    first = seen.groupby("customer_id", sort=False, as_index=False)["first_seen_on"].min()
    first["customer_type"] = rule.type
    there = tables.get("customers", first.iloc[:0])
    new = first[~first["customer_id"].isin(there["customer_id"])]
    counts: dict[str, float | None] = {"rows_read": len(first), "rows_without_match": 0}
    counts |= {"rows_joined_by_pivot": 0, "rows_left_out_by_latest": 0, "rows_left_out_by_where": 0}
    counts |= {
        "rows_left_out_by_grain": len(first) - len(new),
        "rows_written": len(new),
        "amount_total": None,
    }
    return pd.concat([there, new], ignore_index=True) if len(there) else new.reset_index(drop=True), counts


def _first_days(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """Every id of a table with the day of its first row, in the data set's zone."""
    times = frame[TABLES[table].time]
    days = (times.dt.tz_localize(None) if times.dt.tz else times).dt.normalize()
    seen = pd.DataFrame({"customer_id": frame["customer_id"], "first_seen_on": days})
    return seen.dropna().groupby("customer_id", sort=False, as_index=False).min()
