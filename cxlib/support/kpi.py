"""Two figures of support for the scorecard, and the tickets they are computed from."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from cxlib.support.reply_clocks import reply_times
from cxlib.support.settled import settled_at_once
from cxlib.support.tickets import read_tickets

#: Hours within which a first reply is expected.
REPLY_HOURS = 24


def tickets_read(tickets: pd.DataFrame, *, as_of: dt.date | str) -> pd.DataFrame:
    """`read_tickets` under the tickets' own index, so that customers can be left out afterwards.

    Examples
    --------
    >>> rows = pd.DataFrame({"customer_id": ["a"], "opened_at": pd.to_datetime(["2026-01-01"])}, index=[7])
    >>> tickets_read(rows, as_of="2026-03-31").index.tolist()
    [7]
    """
    return read_tickets(tickets.assign(row=tickets.index), as_of=as_of, by="row").set_index("row")


def settled_share(tickets: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Share (0–1) of matters settled at once (`settled_at_once`), from `tickets_read`.

    Examples
    --------
    >>> day = pd.to_datetime(["2026-01-01"] * 3)
    >>> rows = pd.DataFrame({"customer_id": list("abc"), "opened_at": day, "reopened_count": [0, 0, 1]})
    >>> read = tickets_read(rows.assign(resolved_at=day), as_of="2026-03-31")
    >>> settled_share(read)["estimate"].round(2).tolist()
    [0.67]
    """
    rows = settled_at_once(tickets, days=[], conf_level=conf_level)
    return rows[rows["metric"] == "settled"].reset_index(drop=True)


def replied_share(tickets: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Share (0–1) of tickets replied to within a day, by Kaplan–Meier (`reply_times`).

    Examples
    --------
    >>> day = pd.to_datetime(["2026-01-01"] * 20)
    >>> rows = pd.DataFrame({"customer_id": range(20), "opened_at": day, "first_replied_at": day})
    >>> replied_share(tickets_read(rows, as_of="2026-03-31"))["estimate"].tolist()
    [1.0]
    """
    clock, hours = ["first_reply"], [REPLY_HOURS]
    rows = reply_times(tickets, clocks=clock, within_hours=hours, conf_level=conf_level)
    return rows.tail(1).reset_index(drop=True)
