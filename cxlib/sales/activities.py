"""What is done for deals: how lately, whether a next step is agreed, and how it goes with winning."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import check_columns
from cxlib.data.days import local_days, to_date
from cxlib.data.deals import deal_day, deal_spells, has_next_step
from cxlib.stats.clustered_share import clustered_share_interval
from cxlib.stats.intervals import Interval
from cxlib.stats.stack_groups import stacked
from cxlib.stats.survival.clustered_exits import clustered_incidence
from cxlib.stats.survival.known_days import MIN_AT_RISK, enough_at_risk

#: Activities in the first weeks by number.
HOW_MANY = {"0": 0, "1–2": 2, "3–": np.inf}
_WON_COLUMNS = ["group", "metric", *Interval._fields, "n_at_risk", "n_not_reached", "n", "customers"]


def deal_activity(deals: pd.DataFrame, activities: pd.DataFrame, *, as_of: dt.date | str) -> pd.DataFrame:
    """Count what was done for each open deal, and since when nothing was.

    Parameters
    ----------
    deals
        As in `deal_spells`, with `deal_id`, `customer_id` and, if known, `next_step_on`.
    activities
        With `deal_id, occurred_at`; those after `as_of` are plans.
    as_of
        Last day known, inclusive.

    Returns
    -------
    DataFrame
        The open deals with `age_days, n_activities, silent_days` (since the last one, or since the deal was
        created where there is none) and `has_next_step` (a day not yet past, or a planned activity; missing
        where nothing tells of next steps).

    Examples
    --------
    >>> deals = pd.DataFrame({"deal_id": ["a"], "customer_id": ["k"], "is_won": [None],
    ...     "created_on": pd.to_datetime(["2026-01-01"]), "closed_on": pd.to_datetime([None])})
    >>> done = pd.DataFrame({"deal_id": ["a"], "occurred_at": pd.to_datetime(["2026-01-11"])})
    >>> deal_activity(deals, done, as_of="2026-01-31")[["n_activities", "silent_days"]].to_numpy().tolist()
    [[1, 20]]
    """
    check_columns(activities, deal_id="deal_id", occurred_at="occurred_at")
    spells = deal_spells(deals, as_of=as_of)
    still = spells[spells["is_open"]].rename(columns={"days": "age_days"})
    last = pd.Timestamp(to_date(as_of))
    day = local_days(activities["occurred_at"], "occurred_at")
    done = pd.DataFrame({"deal_id": activities["deal_id"], "day": day}).dropna()
    past = done[done["day"] <= last].groupby("deal_id")["day"].agg(["size", "max"])
    count = still["deal_id"].map(past["size"]).fillna(0).astype(int)
    latest = pd.Series(past["max"].reindex(still["deal_id"]).to_numpy(), index=still.index)
    silent = (last - latest).dt.days.fillna(still["age_days"]).astype(int)
    planned = still["deal_id"].isin(done.loc[done["day"] > last, "deal_id"])
    step = has_next_step(still, as_of=as_of)
    step = planned.astype("boolean") | step if (done["day"] > last).any() else step
    return still.assign(n_activities=count, silent_days=silent, has_next_step=step)


def attention(
    active: pd.DataFrame, *, silent_after: int = 30, by: str | None = None, conf_level: float = 0.95
) -> pd.DataFrame:
    """Share (0–1) of open deals without a next step, and of those nothing was done for lately.

    Parameters
    ----------
    active
        As `deal_activity` gives it.
    silent_after
        Days without an activity after which a deal counts as left alone.
    by
        Column to split by, such as `stage`.
    conf_level
        Level of the intervals (by account).

    Returns
    -------
    DataFrame
        Group column, `metric` ("without_next_step", where anything tells of next steps; "silent"),
        `estimate, std_error, conf_low, conf_high, n` (open deals), `customers`.

    Examples
    --------
    >>> active = pd.DataFrame({"customer_id": ["a", "b"], "silent_days": [3, 90], "has_next_step": None})
    >>> attention(active)[["metric", "estimate"]].to_numpy().tolist()
    [['silent', 0.5]]
    """
    is_kept = "n_activities" not in active or bool((active["n_activities"] > 0).any())
    groups: Any = [(None, active)] if by is None else active.groupby(by, observed=True)
    parts = []
    for key, rows in groups:
        hits = {"silent": rows["silent_days"] > silent_after} if "silent_days" in rows and is_kept else {}
        if rows["has_next_step"].notna().any():
            hits = {"without_next_step": ~rows["has_next_step"].fillna(value=False).astype(bool)} | hits
        for metric, hit in hits.items() if len(rows) else ():
            share = clustered_share_interval(hit, rows["customer_id"], conf_level=conf_level)
            part = {} if by is None else {by: [key]}
            counts = {"n": len(rows), "customers": rows["customer_id"].nunique()}
            parts.append({**part, "metric": [metric], **share._asdict(), **counts})
    return stacked(parts, [*([by] if by else []), "metric", *Interval._fields, "n", "customers"])


def won_by_first_weeks(
    deals: pd.DataFrame,
    activities: pd.DataFrame,
    *,
    as_of: dt.date | str,
    within_days: int = 14,
    horizon_days: int = 90,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share (0–1) won of deals still open after their first weeks, by how much was done in them.

    Parameters
    ----------
    deals, activities, as_of
        As in `deal_activity`.
    within_days
        Days after the creation whose activities count; also the landmark.
    horizon_days
        Days after the landmark within which a win counts.
    conf_level
        Level of the intervals (by account).

    Returns
    -------
    DataFrame
        `group` ("0", "1–2", "3–": activities), `metric` ("won"), `estimate, std_error, conf_low, conf_high,
        n_at_risk, n_not_reached, n` (deals), `customers`; NaN where too few were followed.

    Notes
    -----
    Deals over within the first weeks had less time for activities, and are left out (landmark). Whoever works
    on a deal does so because it promises something: an association, no effect of an activity.

    Examples
    --------
    >>> deals = pd.DataFrame({"deal_id": ["a"], "customer_id": ["k"], "is_won": [True],
    ...     "created_on": pd.to_datetime(["2026-01-01"]), "closed_on": pd.to_datetime(["2026-01-31"])})
    >>> done = pd.DataFrame({"deal_id": ["a"], "occurred_at": pd.to_datetime(["2026-01-11"])})
    >>> won_by_first_weeks(deals, done, as_of="2026-12-31")[["group", "estimate"]].to_numpy().tolist()
    [['1–2', 1.0]]
    """
    check_columns(activities, deal_id="deal_id", occurred_at="occurred_at")
    if activities.empty:
        return pd.DataFrame(columns=_WON_COLUMNS)
    spells = deal_spells(deals, as_of=as_of)
    created = spells.set_index("deal_id")["created_on"].pipe(lambda days: local_days(days, "created_on"))
    day = local_days(activities["occurred_at"], "occurred_at")
    after = pd.Series(
        day.to_numpy() - created.reindex(activities["deal_id"]).to_numpy(), index=day.index
    ).dt.days
    early = activities.loc[after.between(0, within_days), "deal_id"].value_counts()
    count = spells["deal_id"].map(early).fillna(0)
    edges = [-np.inf, *HOW_MANY.values()]
    groups = pd.cut(count, edges, labels=list(HOW_MANY)).astype(str)
    return won_from(spells, groups, landmark=within_days, horizon_days=horizon_days, conf_level=conf_level)


def won_from(
    spells: pd.DataFrame,
    groups: pd.Series,
    *,
    landmark: Any,
    horizon_days: int,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share (0–1) won within a horizon of a landmark, by what was known of a deal on that day.

    Parameters
    ----------
    spells
        As `deal_spells` gives them.
    groups
        Group of each of them; a missing one is left out.
    landmark
        Age on that day, for all or for each; deals over by then are left out.
    horizon_days, conf_level
        As in `won_by_first_weeks`.

    Returns
    -------
    DataFrame
        As `won_by_first_weeks`.
    """
    kept = spells.assign(group=groups, left=spells["days"] - landmark)
    kept = kept[kept["group"].notna() & (kept["left"] > 0)]
    parts = []
    for group, rows in kept.groupby("group", sort=True):
        asked: dict[str, Any] = {"duration_col": "left", "cause_col": "outcome", "cluster_col": "customer_id"}
        asked["causes"] = ["lost", "won"]
        found = clustered_incidence(rows, **asked, times=[horizon_days], conf_level=conf_level)
        won = enough_at_risk(found, min_at_risk=MIN_AT_RISK).query("cause == 'won'")
        row = {name: won[name].to_numpy() for name in (*Interval._fields, "n_at_risk", "n_not_reached", "n")}
        parts.append({"group": [group], "metric": "won", **row, "customers": rows["customer_id"].nunique()})
    return stacked(parts, _WON_COLUMNS)[_WON_COLUMNS] if parts else pd.DataFrame(columns=_WON_COLUMNS)


def no_next_step(
    deals: pd.DataFrame, *, as_of: dt.date | str, activities: pd.DataFrame | None = None
) -> pd.DataFrame:
    """List open deals for which no next step lies ahead, the longest without an activity first.

    None where no deal tells of any next step: what is not recorded is not missing.

    Examples
    --------
    >>> deals = pd.DataFrame({"deal_id": ["a"], "customer_id": ["k"], "is_won": [None],
    ...     "created_on": pd.to_datetime(["2026-01-01"]), "closed_on": pd.to_datetime([None]),
    ...     "next_step_on": pd.to_datetime(["2026-01-15"])})
    >>> no_next_step(deals, as_of="2026-01-31")["silent_days"].to_list()
    [30]
    """
    none = pd.DataFrame({"deal_id": [], "occurred_at": pd.to_datetime([])})
    active = deal_activity(deals, none if activities is None else activities, as_of=as_of)
    listed = active[~active["has_next_step"].fillna(value=True).astype(bool)]
    listed = listed.drop(columns=["is_open", "ended_on", "outcome", "is_undated", "has_next_step"])
    return listed.sort_values(["silent_days", "deal_id"], ascending=[False, True], ignore_index=True)


def first_meetings(deals: pd.DataFrame, activities: pd.DataFrame, *, kinds: tuple[str, ...]) -> pd.Series:
    """Day of each deal's first meeting since its creation, by `deal_id`; any activity where none is one.

    Examples
    --------
    >>> deals = pd.DataFrame({"deal_id": ["a"], "created_on": pd.to_datetime(["2026-01-01"])})
    >>> done = pd.DataFrame({"deal_id": ["a", "a"], "kind": ["call", "visit"],
    ...     "occurred_at": pd.to_datetime(["2026-01-02", "2026-01-11"])})
    >>> [str(day.date()) for day in first_meetings(deals, done, kinds=("visit",))]
    ['2026-01-11']
    """
    met = activities[activities["kind"].isin(list(kinds))]
    met = activities if met.empty else met
    created = deals.set_index("deal_id").pipe(lambda rows: deal_day(rows, "created_on"))
    day = local_days(met["occurred_at"], "occurred_at")
    kept = day.to_numpy() >= created.reindex(met["deal_id"]).to_numpy()
    return day[kept].groupby(met.loc[kept, "deal_id"]).min()
