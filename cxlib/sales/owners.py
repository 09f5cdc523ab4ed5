"""Who holds the money: what hangs on one owner, and what their leaving would touch."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd

from cxlib.data.days import local_days
from cxlib.data.deals import deal_spells
from cxlib.sales.groups import owner_numbers
from cxlib.sales.quarter_forecast import amounts_of
from cxlib.stats.clustered_share import clustered_share_interval
from cxlib.stats.intervals import Interval
from cxlib.stats.key_persons import held_by_one, held_shares

_COLUMNS = ["money", "owner_number", "metric", *Interval._fields, "amount", "n", "customers"]


def owner_shares(
    deals: pd.DataFrame, *, as_of: dt.date | str, days: int = 365, conf_level: float = 0.95
) -> pd.DataFrame:
    """Share (0–1) of the open money, and of the money won in a year, with each owner.

    Parameters
    ----------
    deals
        As in `deal_spells`, with `customer_id, owner, amount`; deals without an owner count as such.
    as_of
        Last day known, inclusive.
    days
        Days up to it whose wins count.
    conf_level
        Level of the intervals (by account).

    Returns
    -------
    DataFrame
        `money` ("open", "won"), `owner_number` ("No. 1" has most deals; missing: without an owner), `metric`
        ("money_share"), `estimate, std_error, conf_low, conf_high, amount` (currency), `n` (deals),
        `customers`. Deals without an amount are left out; no rows without any amount.

    Examples
    --------
    >>> deals = pd.DataFrame({"customer_id": list("abc"), "created_on": pd.Timestamp("2026-01-01"),
    ...     "closed_on": pd.NaT, "is_won": None, "amount": [10.0, 20.0, 70.0], "owner": list("xxy")})
    >>> owner_shares(deals, as_of="2026-01-31")[["owner_number", "estimate"]].to_numpy().tolist()
    [['No. 1', 0.3], ['No. 2', 0.7]]
    """
    spells = deal_spells(deals, as_of=as_of)
    numbers = owner_numbers(deals)
    owner = spells["owner"] if "owner" in spells else pd.Series(None, index=spells.index, dtype=object)
    spells = spells.assign(size=amounts_of(spells), owner_number=owner.astype(object).map(numbers))
    since = pd.Timestamp(as_of) - pd.Timedelta(days=days)
    is_won = (spells["outcome"] == "won") & (spells["ended_on"] > since)
    parts = []
    for money, kept in (("open", spells[spells["is_open"]]), ("won", spells[is_won])):
        held = held_shares(kept["owner_number"], kept["size"], kept["customer_id"], conf_level=conf_level)
        held = held.rename(columns={"holder": "owner_number"}).assign(money=money)
        order = held["owner_number"].map({name: at for at, name in enumerate(numbers.values())})
        parts.append(held.iloc[order.argsort(kind="stable")] if len(held) else held)
    return pd.concat(parts, ignore_index=True).reindex(columns=_COLUMNS)


def hangs_on_one(shares: pd.DataFrame, *, min_cell: int = 10, large: float = 0.5) -> pd.DataFrame:
    """Tell how much of the open, and of the won, money hangs on the owner with most of it.

    Parameters
    ----------
    shares
        As `owner_shares` gives it.
    min_cell
        Least customers of an owner that is told about.
    large
        Share from which on it is called much.

    Returns
    -------
    DataFrame
        A row per `money`: `estimate, conf_low, conf_high, amount, n, customers, owner_number, claim` ("much":
        the whole interval lies above `large`; "open": it holds it; "less": below) and `verdict` (of the first
        two "start_here", "undecided"). None where there is one owner only.

    Examples
    --------
    >>> shares = pd.DataFrame({"money": "open", "owner_number": ["1", "2"], "metric": "money_share",
    ...     "estimate": [0.7, 0.3], "conf_low": [0.6, 0.2], "conf_high": [0.8, 0.4], "amount": 1.0, "n": 30,
    ...     "customers": 30})
    >>> hangs_on_one(shares)["claim"].tolist()
    ['much']
    """
    parts = [
        held_by_one(own, holder_col="owner_number", min_cell=min_cell, large=large)
        for _, own in shares.groupby("money")
    ]
    return pd.concat(parts, ignore_index=True) if parts else shares.assign(claim=None, verdict=None)


def known_to_one(
    deals: pd.DataFrame,
    activities: pd.DataFrame,
    *,
    as_of: dt.date | str,
    days: int = 365,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share (0–1) of the money won in a year from accounts that one person alone has been in contact with.

    Parameters
    ----------
    deals
        As in `owner_shares`.
    activities
        `customer_id, occurred_at, owner`; those up to `as_of` count.
    as_of
        Last day known, inclusive.
    days
        Days up to it whose wins count.
    conf_level
        Level of the interval (by account).

    Returns
    -------
    DataFrame
        One row: `metric` ("money_share"), `estimate, std_error, conf_low, conf_high, amount` (currency, known
        to one person only), `n` (deals), `customers` (accounts with a contact). None without wins of accounts
        whose contacts name a person.

    Examples
    --------
    >>> day = pd.Timestamp("2026-01-01")
    >>> deals = pd.DataFrame({"customer_id": ["a", "b"], "created_on": day, "closed_on": day, "is_won": True,
    ...     "amount": [30.0, 70.0]})
    >>> done = pd.DataFrame({"customer_id": ["a", "b", "b"], "occurred_at": day, "owner": ["x", "x", "y"]})
    >>> known_to_one(deals, done, as_of="2026-01-31")["estimate"].tolist()
    [0.3]
    """
    columns = ["metric", *Interval._fields, "amount", "n", "customers"]
    if "owner" not in activities:
        return pd.DataFrame(columns=columns)
    seen = local_days(activities["occurred_at"], "occurred_at") <= pd.Timestamp(as_of)
    people = activities[seen].groupby("customer_id")["owner"].nunique()
    spells = deal_spells(deals, as_of=as_of)
    since = pd.Timestamp(as_of) - pd.Timedelta(days=days)
    won = spells[(spells["outcome"] == "won") & (spells["ended_on"] > since)]
    won = won.assign(size=amounts_of(won), people=won["customer_id"].map(people))
    won = won[(won["size"] > 0) & (won["people"] > 0)]
    if won.empty:
        return pd.DataFrame(columns=columns)
    alone = won["people"] == 1
    share = clustered_share_interval(alone, won["customer_id"], weights=won["size"], conf_level=conf_level)
    row: dict[str, Any] = {"metric": "money_share", **share._asdict(), "amount": won.loc[alone, "size"].sum()}
    return pd.DataFrame([row | {"n": len(won), "customers": won["customer_id"].nunique()}])[columns]
