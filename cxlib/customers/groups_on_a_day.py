"""Every scheme's groups on one day, and two like periods with the segments before each.

Above the modules that make the groups; here they are only put side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from typing import Any

import pandas as pd

from cxlib.checks import ParameterError
from cxlib.customers.behaviour_clusters import cluster_customers
from cxlib.customers.decile_groups import deciles
from cxlib.customers.next_period_outcome import add_gained
from cxlib.customers.preferences import ctb, wallets
from cxlib.customers.rfm_segments import NO_ORDERS, assign_segments, rfm, rfm_cuts, summarise_customers
from cxlib.customers.rule_states import one_by_one
from cxlib.data.days import to_date
from cxlib.data.rules.rule_files import RfmSegments, States, load_rules
from cxlib.data.text_type import TEXT

YEAR = 365


def scheme_groups(
    orders: Any,
    *,
    as_of: object,
    people: pd.DataFrame | None = None,
    deals: pd.DataFrame | None = None,
    dimensions: tuple[str, ...] = (),
    timezone: str | None = None,
    rules: RfmSegments | None = None,
    state_rules: Mapping[str, States] | None = None,
) -> pd.DataFrame:
    """Put each customer with an order into the groups of every scheme, as they stood at the end of a day.

    Parameters
    ----------
    orders : frame of any engine narwhals knows
        Order lines; those after `as_of` are not looked at.
    as_of : date, str or Timestamp
    people, deals : pandas.DataFrame, optional
        The contract's tables, for lifecycle and attitude; without `people` these two are left out.
    dimensions : tuple of str
        Columns of the orders whose dominant value is a scheme (category, taste, brand).
    timezone : str, optional
        As `summarise_customers`.
    rules : RfmSegments, optional
        Default: the handbook's `rfm_segments`.
    state_rules : mapping, optional
        Rules of "lifecycle" and "state"; the handbook's by default.

    Returns
    -------
    pandas.DataFrame
        As `rfm`, with `segment, decile`, one column per dimension, `lifecycle, state, cluster`; a customer
        the scheme cannot place has a missing group.

    Raises
    ------
    ParameterError
        If a column is missing.

    Examples
    --------
    >>> lines = pd.DataFrame({"customer_id": ["a"], "order_id": ["1"], "amount": [9.0],
    ...                       "ordered_at": pd.to_datetime(["2026-01-01"])})
    >>> scheme_groups(lines, as_of="2026-01-31")[["segment", "decile"]].values.tolist()
    [['New', <NA>]]
    """
    known = rules or load_rules("rfm_segments")
    held = assign_segments(rfm(summarise_customers(orders, as_of=as_of, timezone=timezone)), rules=known)
    held = cluster_customers(deciles(held))
    for dimension in dimensions:  # one at a time: the wallets of many customers are large
        wallet = wallets(orders, as_of=as_of, timezone=timezone, dimensions=[dimension])
        held[dimension] = held["customer_id"].map(ctb(wallet).set_index("customer_id")["dominant"])
    if people is not None:
        files = state_rules or {"lifecycle": load_rules("lifecycle"), "state": load_rules("states")}
        settings: dict[str, Any] = {"as_of": as_of, "deals": deals, "timezone": timezone}
        for name, told in one_by_one(people, orders, rules=files, **settings):
            held[name] = held["customer_id"].map(told.set_index("customer_id")["state"])
    return held


def like_periods(
    orders: Any,
    *,
    as_of: object,
    days: int = 90,
    history_days: int = YEAR,
    settled: bool = False,
    timezone: str | None = None,
    rules: RfmSegments | None = None,
) -> pd.DataFrame:
    """Give two like periods, with the segment of each customer before either, by the same cut points.

    Parameters
    ----------
    orders : frame of any engine narwhals knows
        Order lines.
    as_of : date, str or Timestamp
        Last day of the later period.
    days : int
        Length of each period, from 1.
    history_days : int
        Days before each period from which segments are made, at most; fewer where the data begin later, the
        same for both. With 0 nobody has a segment: for totals, which need no history.
    settled : bool
        Follow only customers who had first ordered before either history began, so that every state was open
        to them on both days: for `migration`. Histories then do not overlap and are at most half of what the
        data reach back, to leave a time in which customers can have begun.
    timezone, rules
        As `scheme_groups`.

    Returns
    -------
    pandas.DataFrame
        `customer_id, period` (1 earlier, 2 later)`, start` (last day before the period)`, history_days,
        segment` ("No orders" for who ordered nothing in the history)`, next_orders, next_amount`; per period,
        who had ordered by its start or moved money in it: nobody counts before they came. The earlier period
        lies a year before, so that the season is the same; where the data do not reach back that far,
        directly before. Empty where the history would be shorter than a period, or holds no net sales; with
        none asked for, where the data begin later than the earlier period.

    Raises
    ------
    ParameterError
        If `days` is not positive or a column is missing.

    Notes
    -----
    Cut points are those of the earlier history, for both, and frequency and money count within the history
    only: otherwise everybody would rise, because data grow longer.

    Examples
    --------
    >>> lines = pd.DataFrame({"customer_id": "a", "order_id": list("123"), "amount": 9.0,
    ...     "ordered_at": pd.to_datetime(["2026-01-01", "2026-01-25", "2026-02-03"])})
    >>> like_periods(lines, as_of="2026-02-09", days=10)[["segment", "next_amount"]].values.tolist()
    [['New', 9.0], ['New', 9.0]]
    """
    if days < 1:
        raise ParameterError("segmentation.days", found=days)

    @cache
    def until(day: date) -> pd.DataFrame:
        totals = summarise_customers(orders, as_of=day, timezone=timezone)
        return totals.assign(amount=totals["monetary_total"])

    everybody = until(to_date(as_of))
    columns = ["customer_id", "period", "start", "history_days", "segment", "next_orders", "next_amount"]
    if everybody["first_order_on"].isna().all():
        return pd.DataFrame(columns=columns)
    first = everybody["first_order_on"].min().date()
    starts, history = _schedule(first, to_date(as_of), days, history_days, settled=settled)
    if history < (days if history_days else 0):
        return pd.DataFrame(columns=columns)
    named = _segments_before(
        [(until(start), until(start - timedelta(days=history))) for start in starts], rules
    )
    if history and not named:
        return pd.DataFrame(columns=columns)
    begun, parts = everybody["first_order_on"], []
    for period, start in enumerate(starts, 1):
        part = everybody[["customer_id"]].assign(period=period, start=start, history_days=history)
        segment = everybody["customer_id"].map(named[period - 1]) if named else pd.NA
        part["segment"] = pd.Series(segment, index=part.index).astype(TEXT).fillna(NO_ORDERS)
        part = add_gained(part, until(start + timedelta(days=days)), until(start))
        if settled:
            parts.append(part[begun <= pd.Timestamp(starts[0] - timedelta(days=history))])
        else:
            parts.append(part[(begun <= pd.Timestamp(start)) | (part["next_amount"] != 0)])
    return pd.concat(parts, ignore_index=True)[columns]


def _schedule(
    first: date, as_of: date, days: int, most: int, *, settled: bool
) -> tuple[tuple[date, date], int]:
    """Last days before the two periods, and the days of history before each."""
    later = as_of - timedelta(days=days)
    apart = YEAR if (later - timedelta(days=YEAR) - first).days >= (days if most else 0) else days
    earlier = later - timedelta(days=apart)
    reach = (earlier - first).days + 1
    return (earlier, later), min(most, *((reach // 2, apart) if settled else (reach,)))


def _segments_before(
    histories: list[tuple[pd.DataFrame, pd.DataFrame]], rules: RfmSegments | None
) -> list[pd.Series]:
    """Segment of who ordered in each history, by the cut points of the first; none without net sales."""
    own = [_within(until, before) for until, before in histories]
    if not (own[0]["monetary_total"] > 0).any():
        return []
    known, cuts = rules or load_rules("rfm_segments"), rfm_cuts(own[0])
    return [
        assign_segments(rfm(one, cuts=cuts), rules=known).set_index("customer_id")["segment"] for one in own
    ]


def _within(until: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Recency, frequency and money of a history; only who ordered in it."""
    held = add_gained(until, until, before)
    held = held.assign(frequency=held["next_orders"], monetary_total=held["next_amount"])
    return held[held["next_orders"] > 0].drop(columns=["next_orders", "next_amount"]).reset_index(drop=True)
