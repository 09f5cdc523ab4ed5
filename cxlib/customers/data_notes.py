"""What the segmentation chapter says of its data first: a row per notice, none where all is well."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pandas as pd

from cxlib.data.rules.rule_files import RfmSegments
from cxlib.data.tables.reconcile import order_sums

Notes = list[dict[str, Any]]
#: Days the orders must reach back, so that "not for long" can be said of a customer.
YEAR = 365


def window_notes(
    customers: pd.DataFrame, rules: RfmSegments, *, period_start: dt.date | None, last_day: dt.date
) -> Notes:
    """Say which parts a period bounds, and where orders reach back too shortly for the names of segments.

    Parameters
    ----------
    customers
        One row each, with `first_order_on`.
    rules
        Segments; those of the lowest recency scores are called too early.
    period_start, last_day
        First day asked for, if any, and the last one looked at.

    Examples
    --------
    >>> from cxlib.data.rules.rule_files import load_rules
    >>> people = pd.DataFrame({"first_order_on": pd.to_datetime(["2026-01-01"])})
    >>> about = {"period_start": None, "last_day": pd.Timestamp("2026-03-31")}
    >>> [(row["note"], row["n_days"]) for row in window_notes(people, load_rules("rfm_segments"), **about)]
    [('segmentation.short_reach', 89)]
    """
    rows: Notes = []
    if period_start is not None:
        ends = {"first": period_start, "last": last_day}
        rows.append({"note": "segmentation.own_windows", "level": "info", **ends})
    reach = (pd.Timestamp(last_day) - customers["first_order_on"].min()).days
    if reach < YEAR:
        told = {"n_days": reach, "segment": [rule.name for rule in rules.segments if rule.r[1] <= 2]}
        rows.append({"note": "segmentation.short_reach", "level": "warning", **told})
    return rows


def coverage_notes(lines: Mapping[str, float], customers: pd.DataFrame, *, min_cell: int = 10) -> Notes:
    """Say which order lines and customers are in no segment's sales: guests, and who has no net sales.

    Parameters
    ----------
    lines
        As `count_lines`.
    customers
        One row each, with `monetary_total`.
    min_cell
        Fewer are not counted out.

    Examples
    --------
    >>> people = pd.DataFrame({"monetary_total": [5.0, 0.0]})
    >>> rows = coverage_notes({"guest_lines": 20, "guest_amount": 5.0, "amount": 20.0}, people)
    >>> [row["note"] for row in rows], rows[0]["share"]
    (['segmentation.guests', 'segmentation.few_apart'], 0.25)
    """
    rows: Notes = []
    if lines["guest_lines"] >= min_cell:
        guests = {"n": int(lines["guest_lines"]), "share": lines["guest_amount"] / lines["amount"]}
        rows.append({"note": "segmentation.guests", "level": "info", **guests})
    apart = int((customers["monetary_total"] <= 0).sum())
    if apart >= min_cell:
        rows.append({"note": "segmentation.apart", "level": "info", "n": apart})
    elif apart:
        rows.append({"note": "segmentation.few_apart", "level": "info"})
    return rows


def sums_note(orders: Any, *, min_cell: int = 10) -> Notes:
    """Say what the order lines add up to, guests included, to be held against what the import said.

    `orders` as in `order_sums`.

    Examples
    --------
    >>> lines = pd.DataFrame({"order_id": ["1"], "customer_id": ["a"], "amount": [5.0],
    ...     "ordered_at": pd.to_datetime(["2026-01-01"])})
    >>> sums_note(lines, min_cell=5), sums_note(lines, min_cell=1)[0]["net_sales"]
    ([], 5.0)
    """
    sums = order_sums(orders)
    if sums["customers"] < min_cell or sums["repeat_share"] is None:
        return []
    days = {name: pd.Timestamp(sums[name]) for name in ("first_day", "last_day")}
    return [{"note": "segmentation.sums", "level": "info", **sums, **days}]


def without_few_apart(customers: pd.DataFrame, *, min_cell: int = 10) -> pd.DataFrame:
    """Leave out customers without net sales where they are too few to be a group of their own.

    Examples
    --------
    >>> people = pd.DataFrame({"monetary_total": [5.0, 0.0, 0.0]})
    >>> [len(without_few_apart(people, min_cell=least)) for least in (2, 3)]
    [3, 1]
    """
    is_apart = customers["monetary_total"] <= 0
    if not 0 < is_apart.sum() < min_cell:
        return customers
    return customers[~is_apart].reset_index(drop=True)


def no_breakdown(by: str | None) -> Notes:
    """Say that no breakdown was asked for, as a note.

    Examples
    --------
    >>> no_breakdown("region"), no_breakdown(None)
    ([], [{'note': 'segmentation.no_by'}])
    """
    return [] if by else [{"note": "segmentation.no_by"}]


def no_states(states: Mapping[str, pd.DataFrame]) -> Notes:
    """Say that no states can be told without the day customers were first seen, as a note.

    Examples
    --------
    >>> no_states({})
    [{'note': 'segmentation.no_states'}]
    """
    return [] if states else [{"note": "segmentation.no_states"}]
