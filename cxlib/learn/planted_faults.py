"""Faults that real exports have, planted in the tables of a simulated company for a learner to find."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

#: Hours by which Japan's clock is ahead of UTC.
_AHEAD = 9


def duplicates(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Write the order lines of the last full week twice, as two overlapping exports put together do.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2026-09-01", "2026-09-29"])
    >>> len(duplicates({"orders": pd.DataFrame({"order_id": ["a", "b"], "ordered_at": days})})["orders"])
    3
    """
    import pandas as pd

    orders = tables["orders"]
    days = orders["ordered_at"].dt.normalize()
    again = orders[days.gt(days.max() - pd.Timedelta(days=7))]
    return {**tables, "orders": pd.concat([orders, again], ignore_index=True)}


def closed_tickets(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Keep the tickets that are closed, as a help desk's usual export does.

    Examples
    --------
    >>> import pandas as pd
    >>> tickets = pd.DataFrame({"ticket_id": ["a", "b"], "resolved_at": [pd.Timestamp("2026-09-02"), pd.NaT]})
    >>> closed_tickets({"tickets": tickets})["tickets"]["ticket_id"].tolist()
    ['a']
    """
    tickets = tables["tickets"]
    return {**tables, "tickets": tickets[tickets["resolved_at"].notna()].reset_index(drop=True)}


def planned_dates(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Give deals that are open the day they are expected to close as the day they closed.

    Examples
    --------
    >>> import pandas as pd
    >>> deals = pd.DataFrame({"is_won": pd.array([True, None], dtype="boolean"), "closed_on": ["d", None]})
    >>> planned_dates({"deals": deals.assign(expected_close_on="e")})["deals"]["closed_on"].tolist()
    ['d', 'e']
    """
    deals = tables["deals"].copy()
    is_open = deals["is_won"].isna()
    deals["closed_on"] = deals["closed_on"].mask(is_open, deals["expected_close_on"])
    return {**tables, "deals": deals}


def time_zone(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Tell the time of online orders by the clock in London, as a server does that nobody set up.

    Examples
    --------
    >>> import pandas as pd
    >>> at = pd.Timestamp("2026-09-02 08:00")
    >>> late = time_zone({"orders": pd.DataFrame({"ordered_at": [at, at], "channel": ["ec", "store"]})})
    >>> late["orders"]["ordered_at"].dt.hour.tolist()
    [23, 8]
    """
    import pandas as pd

    orders = tables["orders"].copy()
    is_online = orders["channel"].eq("ec")
    earlier = orders["ordered_at"] - pd.Timedelta(hours=_AHEAD)
    orders["ordered_at"] = orders["ordered_at"].mask(is_online, earlier)
    return {**tables, "orders": orders}
