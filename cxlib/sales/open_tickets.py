"""Support × sales: whether a ticket of the customer was still open when sales met them, and who wins then."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import check_columns
from cxlib.data.days import local_days, to_date
from cxlib.data.deals import deal_day, deal_spells
from cxlib.sales.activities import first_meetings, won_from
from cxlib.stats.clustered_share import clustered_share_interval
from cxlib.stats.differences import interval_difference
from cxlib.stats.intervals import Interval

#: Activities at which people meet.
MEETINGS = ("visit", "meeting", "demo", "訪問", "面談", "打ち合わせ", "商談")
GROUPS = ("ticket_open", "no_ticket_open")


def met_with_ticket(
    deals: pd.DataFrame,
    activities: pd.DataFrame,
    tickets: pd.DataFrame,
    *,
    as_of: dt.date | str,
    kinds: tuple[str, ...] = MEETINGS,
    horizon_days: int = 90,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share (0–1) of first meetings at which a ticket of the customer was open, and of deals won after them.

    Parameters
    ----------
    deals
        As in `deal_spells`, with `deal_id` and `customer_id`.
    activities
        With `deal_id, kind, occurred_at`.
    tickets
        With `customer_id, opened_at, resolved_at`.
    as_of
        Last day known, inclusive.
    kinds
        Kinds of activities that are meetings; where none is, any activity counts.
    horizon_days
        Days after the meeting within which a win counts.
    conf_level
        Level of the intervals (by account).

    Returns
    -------
    DataFrame
        `metric, group, estimate, std_error, conf_low, conf_high, n` (deals), `customers`: "met_with_ticket"
        of "every_deal"; "won" of the groups "ticket_open" and "no_ticket_open"; their "difference". A share
        is missing where fewer than 10 deals could be followed to the horizon.

    Notes
    -----
    The clock starts at the meeting, when it is known whether a ticket was open; deals over before are left
    out. Customers with tickets buy and use more: an association, no effect of the ticket.

    Examples
    --------
    >>> deals = pd.DataFrame({"deal_id": ["a"], "customer_id": ["k"], "is_won": [None],
    ...     "created_on": pd.to_datetime(["2026-01-01"]), "closed_on": pd.to_datetime([None])})
    >>> done = pd.DataFrame({"deal_id": ["a"], "kind": "visit", "occurred_at": pd.Timestamp("2026-01-11")})
    >>> asked = pd.DataFrame({"customer_id": ["k"], "opened_at": pd.to_datetime(["2026-01-09"]),
    ...     "resolved_at": pd.to_datetime([None])})
    >>> met_with_ticket(deals, done, asked, as_of="2026-12-31")["estimate"].tolist()[0]
    1.0
    """
    check_columns(activities, deal_id="deal_id", kind="kind", occurred_at="occurred_at")
    check_columns(tickets, customer_id="customer_id", opened_at="opened_at", resolved_at="resolved_at")
    columns = ["metric", "group", *Interval._fields, "n", "customers"]
    if activities.empty or tickets.empty:
        return pd.DataFrame(columns=columns)
    spells = deal_spells(deals, as_of=as_of)
    days = first_meetings(spells, activities, kinds=kinds).reindex(spells["deal_id"]).to_numpy()
    met = pd.Series(days.astype("datetime64[s]"), index=spells.index)
    spells = spells.assign(met=met.where(met <= pd.Timestamp(to_date(as_of))))
    age = (spells["met"] - deal_day(spells, "created_on")).dt.days
    spells = spells[(age < spells["days"]).to_numpy()].assign(age=age).reset_index(drop=True)
    flags = _open_on(spells, tickets)
    groups = pd.Series(np.where(flags, *GROUPS), index=spells.index)
    rows: list[dict[str, Any]] = []
    if len(spells):
        share = clustered_share_interval(flags, spells["customer_id"], conf_level=conf_level)
        counts = {"n": len(spells), "customers": spells["customer_id"].nunique()}
        rows = [{"metric": "met_with_ticket", "group": "every_deal", **share._asdict(), **counts}]
    won = won_from(
        spells, groups, landmark=spells["age"], horizon_days=horizon_days, conf_level=conf_level
    ).set_index("group")
    rows += [{"group": group, **won.loc[group]} for group in GROUPS if group in won.index]
    if set(GROUPS) <= set(won.index):
        sides = [Interval(*(won.loc[group, name] for name in Interval._fields)) for group in GROUPS]
        gap = interval_difference(*sides)._asdict()
        counts = {name: int(won[name].min()) for name in ("n", "customers")}
        rows.append({"metric": "difference", "group": GROUPS[0], **gap, **counts})
    return pd.DataFrame(rows).reindex(columns=columns)


def _open_on(spells: pd.DataFrame, tickets: pd.DataFrame) -> np.ndarray:
    """Whether a ticket of the customer was open on the day of the meeting: opened by then, not resolved."""
    times = {name: local_days(tickets[name], name) for name in ("opened_at", "resolved_at")}
    asked = pd.DataFrame({"customer_id": tickets["customer_id"], **times}).dropna(subset=["customer_id"])
    pairs = spells[["customer_id", "met"]].reset_index().merge(asked, on="customer_id")
    still = (pairs["opened_at"] <= pairs["met"]) & ~(pairs["resolved_at"] <= pairs["met"])
    return np.isin(spells.index, pairs.loc[still, "index"].unique())
