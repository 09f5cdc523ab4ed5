"""Two figures of support for the scorecard, each from the tickets as they came."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from cxlib.support.reply_clocks import reply_times
from cxlib.support.settled import settled_at_once
from cxlib.support.tickets import read_tickets

#: Hours within which a first reply is expected.
REPLY_HOURS = 24


def settled_share(tickets: pd.DataFrame, *, as_of: dt.date | str, conf_level: float = 0.95) -> pd.DataFrame:
    """Share (0–1) of matters settled at once (`settled_at_once`), from the contract's tickets.

    Examples
    --------
    >>> day = pd.to_datetime(["2026-01-01"] * 3)
    >>> rows = pd.DataFrame({"customer_id": list("abc"), "opened_at": day, "reopened_count": [0, 0, 1]})
    >>> settled_share(rows.assign(resolved_at=day), as_of="2026-03-31")["estimate"].round(2).tolist()
    [0.67]
    """
    rows = settled_at_once(read_tickets(tickets, as_of=as_of), days=[], conf_level=conf_level)
    return rows[rows["metric"] == "settled"].reset_index(drop=True)


def replied_share(tickets: pd.DataFrame, *, as_of: dt.date | str, conf_level: float = 0.95) -> pd.DataFrame:
    """Share (0–1) of tickets replied to within a day, by Kaplan–Meier: a row of `reply_times`.

    Examples
    --------
    >>> day = pd.to_datetime(["2026-01-01"] * 20)
    >>> rows = pd.DataFrame({"customer_id": range(20), "opened_at": day, "first_replied_at": day})
    >>> replied_share(rows, as_of="2026-03-31")["estimate"].tolist()
    [1.0]
    """
    read = read_tickets(tickets, as_of=as_of)
    clock, hours = ["first_reply"], [REPLY_HOURS]
    rows = reply_times(read, clocks=clock, within_hours=hours, conf_level=conf_level)
    return rows.tail(1).reset_index(drop=True)
