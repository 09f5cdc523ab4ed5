"""What was known of each customer at the end of a day, and what the customer did in the days after it.

The one place where features of a score are made: everything dated after the cut day is left out before
anything is counted, refunds by the day of the refund.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import NotEnoughData, ParameterError, check_columns, check_frame
from cxlib.data.days import local_days, to_date
from cxlib.data.engine.order_totals import reduce_on_days

#: Features by name; "_log2" is the binary logarithm of one more than the count: a step of one is a doubling.
FEATURES = (
    "recency_log2",
    "gap_log2",
    "frequency_log2",
    "recent_log2",
    "amount_log2",
    "tenure_log2",
    "refunds_log2",
    "tickets_log2",
    "has_contract",
)
#: Days that count as recent for orders, and for tickets.
RECENT_DAYS, TICKET_DAYS = 90, 180
#: Days of history before the first cut, and between cuts.
HISTORY_DAYS, EVERY_DAYS = 180, 30


def score_features(rows: pd.DataFrame) -> list[str]:
    """Names of the features that rows of `known_at_cuts` hold.

    Examples
    --------
    >>> score_features(pd.DataFrame(columns=["customer_id", "recency_log2", "left"]))
    ['recency_log2']
    """
    return [name for name in FEATURES if name in rows]


def cut_days(first_day: Any, as_of: object, *, next_days: int = 90) -> list[pd.Timestamp]:
    """Days on which a score can be fitted and tested: every 30 days, with half a year before the first.

    Parameters
    ----------
    first_day, as_of : date or str
        First day of the data (missing: there is none) and last one.
    next_days : int
        Days that must be known after a cut, from 1.

    Returns
    -------
    list of Timestamp
        In order; then `as_of` itself, whose outcome nobody knows yet.

    Raises
    ------
    ParameterError
        `next_days` is below 1.
    NotEnoughData
        No day has both the history and the days after it.

    Examples
    --------
    >>> [str(day.date()) for day in cut_days("2025-01-01", "2025-12-31", next_days=150)]
    ['2025-07-04', '2025-08-03', '2025-12-31']
    """
    if next_days < 1:
        raise ParameterError("segmentation.days", found=next_days)
    last = pd.Timestamp(to_date(as_of))
    first = last + timedelta(days=1) if pd.isna(first_day) else pd.Timestamp(to_date(first_day))
    latest, earliest = last - timedelta(days=next_days), first + timedelta(days=HISTORY_DAYS)
    if latest < earliest:
        days = int((last - first).days) + 1
        raise NotEnoughData("value_score.too_short", days=days, history=HISTORY_DAYS, ahead=next_days)
    count = int((latest - earliest).days) // EVERY_DAYS
    return [latest - timedelta(days=EVERY_DAYS * back) for back in range(count, -1, -1)] + [last]


def known_at_cuts(
    orders: pd.DataFrame,
    *,
    cuts: Sequence[object],
    as_of: object,
    next_days: int = 90,
    active_days: int = 365,
    tickets: pd.DataFrame | None = None,
    contracts: pd.DataFrame | None = None,
    timezone: str | None = None,
) -> pd.DataFrame:
    """Give each buyer as known at the end of each cut day, with what followed in the `next_days` after it.

    Parameters
    ----------
    orders : DataFrame
        Order lines (`customer_id, order_id, ordered_at, amount`); guests are left out. Where there is
        `refunded_on`, a refund is known from that day on.
    cuts : sequence of date or str
        Such as `cut_days` gives.
    as_of : date or str
        Last day of the data: outcomes that it does not know are missing.
    next_days : int
        Days looked ahead, from 1.
    active_days : int
        Customers whose last order is older than this left before the cut: their `left` is missing.
    tickets, contracts : DataFrame, optional
        `customer_id, opened_at`; `customer_id, started_on, ended_on`.
    timezone : str, optional
        As `reduce_orders`.

    Returns
    -------
    DataFrame
        One row per customer with a purchase by the cut, and cut: ``customer_id, cut_on, last_order_on``,
        ``is_active``;
        ``amount_365`` (currency, net, of the 365 days up to the cut) and, where margins are recorded,
        ``margin_365`` (missing for who has a line without one); features: ``recency_log2`` (days since
        the last order), ``gap_log2`` (of that over the customer's own usual days between orders; missing
        with one order), ``frequency_log2`` (orders), ``recent_log2`` (orders of the last 90 days),
        ``amount_log2`` (net per order), ``tenure_log2`` (days since the first order), ``refunds_log2``
        (refund lines), and where their tables are given ``tickets_log2`` (tickets of the last 180 days) and
        ``has_contract`` (1: one runs); ``again`` (1: bought in the `next_days`) and ``left`` (1: did not,
        though active at the cut), missing where not known. By cut and customer.

    Raises
    ------
    ParameterError
        A column is missing, or `next_days` or `active_days` is below 1.

    Notes
    -----
    What a purchase is, and on which day, is the rule of `cxlib.data.purchases`, as known on the cut.

    Examples
    --------
    >>> lines = pd.DataFrame({"customer_id": ["a", "a", "b"], "order_id": ["1", "2", "3"], "amount": 9.0,
    ...                       "ordered_at": pd.to_datetime(["2026-01-01", "2026-02-11", "2026-01-05"])})
    >>> rows = known_at_cuts(lines, cuts=["2026-01-31"], as_of="2026-06-30", next_days=30)
    >>> rows[["customer_id", "recency_log2", "again", "left"]].round(2).values.tolist()
    [['a', 4.95, 1.0, 0.0], ['b', 4.75, 0.0, 1.0]]
    """
    if min(next_days, active_days) < 1:
        raise ParameterError("segmentation.days", found=min(next_days, active_days))
    check_frame(orders, argument="orders")
    check_columns(orders, customer_id_col="customer_id", time_col="ordered_at", amount_col="amount")
    lines = _by_day_known(orders, timezone)
    days = sorted({pd.Timestamp(to_date(cut)) for cut in cuts})
    steps = {"now": 0, "recent": -RECENT_DAYS, "year": -365, "next": next_days}
    asked = {day + timedelta(days=step) for day in days for step in steps.values()}
    on_day = dict(list(reduce_on_days(lines, days=sorted(asked), timezone=timezone).groupby("as_of")))
    last = pd.Timestamp(to_date(as_of))
    sums = lines.assign(on=local_days(lines["ordered_at"], "ordered_at", timezone=timezone))
    refunds = sums[(lines["amount"] < 0).to_numpy()]
    cases = None if tickets is None else _dated(tickets, "opened_at", timezone)
    parts = []
    for day in days:
        held = {name: _of(on_day, day + timedelta(days=step)) for name, step in steps.items()}
        rows = _order_features(held, day)
        if "margin" in lines:
            rows["margin_365"] = _margin(sums, rows.index, day)
        rows["refunds_log2"] = _counted(refunds, rows.index, day)
        if cases is not None:
            rows["tickets_log2"] = _counted(cases, rows.index, day, within=TICKET_DAYS)
        if contracts is not None:
            rows["has_contract"] = _is_running(contracts, day).reindex(rows.index, fill_value=0.0)
        after = held["next"]["last_order_on"].reindex(rows.index)
        is_known = day + timedelta(days=next_days) <= last
        rows["again"] = np.where(is_known, (after > day).astype(float), np.nan)
        rows["is_active"] = day - rows["last_order_on"] <= timedelta(days=active_days)
        rows["left"] = np.where(rows["is_active"], 1 - rows["again"], np.nan)
        parts.append(rows.reset_index(names="customer_id"))
    return pd.concat(parts, ignore_index=True)


def _by_day_known(orders: pd.DataFrame, timezone: str | None) -> pd.DataFrame:
    """Order lines of known customers with each refund on the day of the refund, where that is recorded."""
    lines = orders[orders["customer_id"].notna()]
    if "refunded_on" not in lines:
        return lines
    told = pd.to_datetime(lines["refunded_on"]).dt.tz_localize(None)
    bought = local_days(lines["ordered_at"], "ordered_at", timezone=timezone)
    late = ((lines["amount"] < 0) & (told > bought)).to_numpy()
    moved = lines["ordered_at"].copy()
    zone = getattr(moved.dtype, "tz", None)
    own = told[late].dt.tz_localize(timezone or zone, ambiguous=True, nonexistent="shift_forward")
    moved[late] = (own if zone is not None else told[late]).astype(moved.dtype)
    return lines.assign(ordered_at=moved)


def _of(on_day: dict[Any, pd.DataFrame], day: pd.Timestamp) -> pd.DataFrame:
    """Give the customers with a purchase by a day, by their id."""
    columns = ["first_order_on", "last_order_on", "frequency", "amount"]
    if day not in on_day:
        return pd.DataFrame(columns=columns, index=pd.Index([], dtype=object))
    return on_day[day].set_index("customer_id")[columns]


def _order_features(held: dict[str, pd.DataFrame], day: pd.Timestamp) -> pd.DataFrame:
    now = held["now"]
    now = now[now["frequency"] > 0]
    recency = (day - pd.to_datetime(now["last_order_on"])).dt.days
    tenure = (day - pd.to_datetime(now["first_order_on"])).dt.days
    count = now["frequency"].astype(float)
    usual = ((tenure - recency) / (count - 1)).where(count > 1)
    before = {name: held[name].reindex(now.index) for name in ("recent", "year")}
    recent = (count - before["recent"]["frequency"].astype(float).fillna(0)).clip(lower=0)
    return pd.DataFrame(
        {
            "cut_on": day,
            "last_order_on": pd.to_datetime(now["last_order_on"]),
            "amount_365": now["amount"] - before["year"]["amount"].astype(float).fillna(0),
            "recency_log2": np.log2(1 + recency),
            "gap_log2": np.log2((1 + recency) / (1 + usual)),
            "frequency_log2": np.log2(count),
            "recent_log2": np.log2(1 + recent),
            "amount_log2": np.log2(1 + (now["amount"] / count).clip(lower=0)),
            "tenure_log2": np.log2(1 + tenure),
        },
        index=now.index,
    )


def _dated(rows: pd.DataFrame, time_col: str, timezone: str | None) -> pd.DataFrame:
    """Give rows with their day as `on`."""
    check_columns(rows, customer_id_col="customer_id", time_col=time_col)
    return rows.assign(on=local_days(rows[time_col], time_col, timezone=timezone))


def _margin(lines: pd.DataFrame, people: Any, day: pd.Timestamp) -> pd.Series:
    """Margin of each customer in the year up to a day; missing where a line's is."""
    year = lines[((lines["on"] <= day) & (lines["on"] > day - timedelta(days=365))).to_numpy()]
    margins = year["margin"].astype(float).groupby(year["customer_id"])
    total = margins.sum().where(margins.size() == margins.count())
    return total.reindex(people, fill_value=0.0)


def _counted(rows: pd.DataFrame, people: Any, day: pd.Timestamp, *, within: int | None = None) -> pd.Series:
    """Binary logarithm of one more than the rows of each customer up to a day, of the last days if asked."""
    seen = rows["on"] <= day
    if within is not None:
        seen &= rows["on"] > day - timedelta(days=within)
    count = rows.loc[seen.to_numpy(), "customer_id"].value_counts().reindex(people, fill_value=0)
    return count.astype(float).add(1).transform(np.log2)


def _is_running(contracts: pd.DataFrame, day: pd.Timestamp) -> pd.Series:
    """Give 1 to customers with a contract that had begun by a day and had not ended."""
    check_columns(contracts, customer_id_col="customer_id", start="started_on", end="ended_on")
    start, end = (pd.to_datetime(contracts[name]) for name in ("started_on", "ended_on"))
    runs = (start <= day) & (end.isna() | (end > day))
    return pd.Series(1.0, index=pd.Index(contracts.loc[runs, "customer_id"].unique()))


def contracts_at_cuts(
    contracts: pd.DataFrame, *, cuts: Sequence[object], as_of: object, next_days: int = 90
) -> pd.DataFrame:
    """Give each contract that runs at a cut day, with whether it ends in the `next_days` after it.

    Parameters
    ----------
    contracts : DataFrame
        `customer_id, plan, started_on, ended_on` (missing: it runs)`, monthly_amount`. One that ends before
        it begins runs on no day.
    cuts, as_of, next_days
        As `known_at_cuts`.

    Returns
    -------
    DataFrame
        One row per contract and cut: ``customer_id, plan, cut_on``, features ``tenure_log2`` (days since it
        began) and ``amount_log2`` (a month), and ``ended`` (1, 0, or missing where not known yet).

    Raises
    ------
    ParameterError
        A column is missing, or `next_days` is below 1.

    Examples
    --------
    >>> held = pd.DataFrame({"customer_id": ["a", "b"], "plan": "basic", "monthly_amount": 980.0,
    ...     "started_on": pd.Timestamp("2026-01-01"), "ended_on": pd.to_datetime(["2026-02-20", None])})
    >>> contracts_at_cuts(held, cuts=["2026-01-31"], as_of="2026-06-30", next_days=30)["ended"].tolist()
    [1.0, 0.0]
    """
    if next_days < 1:
        raise ParameterError("segmentation.days", found=next_days)
    check_frame(contracts, argument="contracts")
    for name in ("customer_id", "plan", "started_on", "ended_on", "monthly_amount"):
        check_columns(contracts, **{f"{name}_col": name})
    start, end = (pd.to_datetime(contracts[name]) for name in ("started_on", "ended_on"))
    last, parts = pd.Timestamp(to_date(as_of)), []
    for cut in sorted({pd.Timestamp(to_date(one)) for one in cuts}):
        until = cut + timedelta(days=next_days)
        runs = (start <= cut) & (end.isna() | (end > cut))
        rows = contracts.loc[runs, ["customer_id", "plan"]].assign(cut_on=cut)
        rows["tenure_log2"] = np.log2(1 + (cut - start[runs]).dt.days)
        rows["amount_log2"] = np.log2(1 + contracts.loc[runs, "monthly_amount"].clip(lower=0))
        rows["ended"] = (end[runs] <= until).astype(float) if until <= last else np.nan
        parts.append(rows)
    return pd.concat(parts, ignore_index=True)
