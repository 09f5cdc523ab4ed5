"""Whether what happens is entered, and soon: by owner and month, and who of the licensed works with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

from cxlib.data.contract import TABLES
from cxlib.data.days import local_days
from cxlib.data.deals import deal_facts, has_next_step
from cxlib.inventory.cleaning_choices import lag_days
from cxlib.stats.clustered_share import clustered_share_interval
from cxlib.stats.intervals import share_interval

_ENTRIES = ["table", "customer_id", "owner", "owner_number", "month", "recorded_on", "lag_days"]
_SHARES = ["metric", "estimate", "std_error", "conf_low", "conf_high", "n", "entries"]
STEPS = ("licensed", "active", "updating")


def entries(
    tables: Mapping[str, pd.DataFrame], *, as_of: date, older: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Put deals and activities below each other as what somebody entered.

    Parameters
    ----------
    tables
        By name; those with `owner` or `recorded_at` count.
    as_of
        Last day known: whether a deal is open, and whether its next step still lies ahead.
    older
        Deals from before the period (`older_deals`): those still open count among the open ones alone.

    Returns
    -------
    DataFrame
        `table, customer_id, owner, owner_number` (owners by number of entries, 1 the most: a report needs no
        names), `month` (in which it happened, as "2026-04"), `recorded_on`, `lag_days`, and of open deals
        `has_next_step`.
    """
    parts = [_entered(name, tables[name], as_of) for name in ("deals", "activities") if name in tables]
    if older is not None and len(older):
        both = pd.concat([older, tables["deals"]])  # whether anything tells of next steps is asked of both
        left = _entered("deals", both, as_of).iloc[: len(older)]
        left = left.reindex(columns=["table", "customer_id", "owner", "has_next_step"])
        parts.append(left[left["has_next_step"].notna()])
    made = pd.concat([pd.DataFrame(columns=[*_ENTRIES, "has_next_step"]), *parts], ignore_index=True)
    order = made["owner"].value_counts().index
    numbers = {owner: str(at) for at, owner in enumerate(order, 1)}
    return made.assign(owner_number=made["owner"].map(numbers))


def _entered(name: str, rows: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Make entries of one table's rows."""
    time = str(TABLES[name].time)
    happened = local_days(rows[time], time)
    made: dict[str, Any] = {"customer_id": rows["customer_id"], "owner": rows.get("owner")}
    made |= {"table": name, "month": happened.dt.strftime("%Y-%m")}
    if "recorded_at" in rows:
        made |= {"lag_days": lag_days(rows, time_col=time)}
        made |= {"recorded_on": local_days(rows["recorded_at"], "recorded_at")}
    if name == "deals" and (ahead := has_next_step(rows, as_of=as_of)).notna().any():
        made |= {"has_next_step": ahead.where(deal_facts(rows, as_of=as_of)["is_open"])}
    return pd.DataFrame(made, index=rows.index)


def late_entries(
    entered: pd.DataFrame, *, late_days: int, by: str | None = None, conf_level: float = 0.95
) -> pd.DataFrame:
    """Share (0–1) of entries made more than `late_days` after what they are about.

    Parameters
    ----------
    entered
        From `entries`; rows whose day of entry is not known do not count.
    late_days
        Days after which an entry is late.
    by
        "owner_number" or "month"; everything together by default.
    conf_level
        Level of the interval (by customer).

    Returns
    -------
    DataFrame
        Group column, `metric` ("late"), `estimate, std_error, conf_low, conf_high, n` (customers),
        `entries, median_days`. No rows where nothing says when it was entered.

    Examples
    --------
    >>> entered = pd.DataFrame({"customer_id": list("abcd"), "lag_days": [0.0, 1.0, 30.0, None]})
    >>> late_entries(entered, late_days=7)[["estimate", "entries", "median_days"]].to_numpy().tolist()
    [[0.3333333333333333, 3.0, 1.0]]
    """
    known = entered[entered["lag_days"].notna()]
    known = known.assign(hit=known["lag_days"].astype("float64") > late_days)
    found = _shares(known, "late", by=by, conf_level=conf_level)
    lags = known["lag_days"].astype("float64")
    middle = [lags.median()] if by is None else lags.groupby(known[by]).median().reindex(found[by]).tolist()
    return found.assign(median_days=middle[: len(found)])


def without_next_step(
    entered: pd.DataFrame, *, by: str | None = None, conf_level: float = 0.95
) -> pd.DataFrame:
    """Share (0–1) of the open deals for which no next step lies ahead; columns as `late_entries`.

    Examples
    --------
    >>> entered = pd.DataFrame({"customer_id": list("abc"), "has_next_step": [True, False, None]})
    >>> without_next_step(entered)[["metric", "estimate", "entries"]].to_numpy().tolist()
    [['without_next_step', 0.5, 2]]
    """
    is_open = entered[entered["has_next_step"].notna()]
    missing = is_open.assign(hit=~is_open["has_next_step"].astype(bool))
    return _shares(missing, "without_next_step", by=by, conf_level=conf_level)


def _shares(rows: pd.DataFrame, metric: str, *, by: str | None, conf_level: float) -> pd.DataFrame:
    """Share of the rows that `hit`, per group, with the customers behind it."""
    parts = [(None, rows)] if by is None else list(rows.groupby(by))
    found = []
    for group, part in parts:
        if len(part):
            share = clustered_share_interval(part["hit"], part["customer_id"], conf_level=conf_level)
            row = [metric, *share, part["customer_id"].nunique(), len(part)]
            found.append([*([group] if by else []), *row])
    return pd.DataFrame(found, columns=[*([by] if by else []), *_SHARES])


def adoption(
    users: pd.DataFrame,
    entered: pd.DataFrame,
    *,
    as_of: date,
    active_days: int,
    by: str | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Follow the users of the system from a licence to use and to entries of their own.

    Parameters
    ----------
    users
        One row per user: `owner`, `licensed_on` and `last_active_on` as far as known, `team`.
    entered
        From `entries`.
    as_of, active_days
        Last day known, and the number of days up to it in which somebody must have been active.
    by
        "team", or everybody together by default.
    conf_level
        Level of the interval (Wilson).

    Returns
    -------
    DataFrame
        Group column, `step` ("licensed", "active", "updating": recorded a deal or an activity), `metric`
        ("use"), `estimate` (share of the licensed), `std_error, conf_low, conf_high`, `n_reached` and `n`
        (users licensed).

    Examples
    --------
    >>> users = pd.DataFrame({"owner": ["a", "b"], "licensed_on": pd.to_datetime(["2026-01-01"] * 2),
    ...                       "last_active_on": pd.to_datetime(["2026-06-29", "2026-02-01"])})
    >>> made = pd.DataFrame({"owner": ["a"], "recorded_on": pd.to_datetime(["2026-06-20"])})
    >>> steps = adoption(users, made, as_of=date(2026, 6, 30), active_days=30)
    >>> steps[["step", "estimate"]].to_numpy().tolist()
    [['licensed', 1.0], ['active', 0.5], ['updating', 0.5]]
    """
    columns = [*([by] if by else []), "step", "metric", *_SHARES[1:5], "n_reached", "n"]
    if users.empty:
        return pd.DataFrame(columns=columns)
    since = pd.Timestamp(as_of) - pd.Timedelta(days=active_days)
    recorded = pd.to_datetime(entered["recorded_on"])
    busy = entered.loc[(recorded > since) & (recorded <= pd.Timestamp(as_of)), "owner"].dropna().unique()
    licensed = users[~(users["licensed_on"] > pd.Timestamp(as_of))]
    is_active = licensed["last_active_on"] > since
    is_updating = licensed["owner"].isin(busy)
    reached = licensed.assign(licensed=True, active=is_active | is_updating, updating=is_updating)
    parts = [(None, reached)] if by is None else list(reached.groupby(by))
    rows = []
    for group, part in parts:
        for step in STEPS:
            count = int(part[step].sum())
            share = share_interval(count, len(part), conf_level=conf_level)
            rows.append([*([group] if by else []), step, "use", *share, count, len(part)])
    return pd.DataFrame(rows, columns=columns)
