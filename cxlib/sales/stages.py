"""How deals pass the stages: who goes on, who is lost, how long it takes, and which stage loses most."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlib.sales.stays_at_stages import stage_visits
from cxlib.stats.differences import groups_apart
from cxlib.stats.intervals import Interval
from cxlib.stats.survival.clustered_exits import clustered_incidence
from cxlib.stats.survival.kaplan_meier import survival_curve
from cxlib.stats.survival.known_days import MIN_AT_RISK, enough_at_risk
from cxlib.stats.verdicts import limits_verdict

_CONVERSION = ["stage", "metric", *Interval._fields, "lost_share", "here_share", "days", "median_days"]
_CONVERSION += ["n_at_risk", "n_not_reached", "n", "customers"]


def stage_conversion(
    deals: pd.DataFrame,
    deal_stages: pd.DataFrame,
    *,
    as_of: dt.date | str,
    stages: Sequence[str],
    horizon_days: int = 180,
    min_at_risk: int = MIN_AT_RISK,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share (0–1) of deals that go on from each stage within a horizon, beside those lost or still there.

    Parameters
    ----------
    deals, deal_stages, as_of, stages
        As in `stage_visits`; the last stage is left by winning.
    horizon_days
        Days from entering the stage.
    min_at_risk
        As in `deal_outcomes`.
    conf_level
        Confidence level of the intervals (by account).

    Returns
    -------
    DataFrame
        In the order of the stages: `stage, metric` ("conversion"), `estimate, std_error, conf_low, conf_high`,
        `lost_share, here_share` (the three add up to 1), `days` (the horizon, or the last day to which enough
        were followed), `median_days` (until half have left, by Kaplan–Meier; missing where half never have),
        `n_at_risk, n_not_reached, n` (deals that entered), `customers`. NaN with fewer than `min_at_risk`.

    Notes
    -----
    A deal counts at each stage it entered, from its first entry on: skipped stages do not count it, one
    visited again does not count it twice. It goes on when it first reaches a later stage or is won; falling
    back to an earlier one is neither, so the clock runs on. Aalen–Johansen: deals still there count for as
    long as they were followed.

    Examples
    --------
    >>> deals = pd.DataFrame({"deal_id": list("abcd"), "customer_id": list("abcd"), "created_on": "2026-01-01",
    ...     "closed_on": "2026-01-31", "is_won": [True, True, True, False]})
    >>> deals = deals.astype({"created_on": "datetime64[s]", "closed_on": "datetime64[s]"})
    >>> ways = pd.DataFrame({"deal_id": list("abcd"), "stage": "quote", "entered_at": pd.Timestamp("2026-01-11")})
    >>> stage_conversion(deals, ways, as_of="2026-12-31", stages=["quote"])[["estimate", "median_days"]].values
    array([[ 0.75, 20.  ]])
    """  # noqa: E501
    stays = stage_visits(deals, deal_stages, as_of=as_of, stages=stages)
    place = {name: at for at, name in enumerate(stages)}
    rows: list[dict[str, Any]] = []
    for stage, at in place.items() if len(stays) else ():
        spells = _from_stage(stays, stage, at, place)
        row: dict[str, Any] = {"stage": stage, "metric": "conversion", "n": len(spells)}
        row["customers"] = spells["customer_id"].nunique()
        if len(spells):
            asked: dict[str, Any] = {"duration_col": "days", "cause_col": "end", "cluster_col": "customer_id"}
            asked |= {"still": "here", "causes": ["on", "lost"]}
            row["days"] = days = followed_to(spells["days"], horizon_days, min_at_risk)
            shares = clustered_incidence(spells, **asked, times=[days], conf_level=conf_level)
            row |= _shares(enough_at_risk(shares, min_at_risk=min_at_risk).set_index("cause"))
            gone = spells.assign(left=spells["end"].notna())
            curve = enough_at_risk(survival_curve(gone, duration_col="days", event_col="left"))
            half = curve.loc[(curve["estimate"] <= 0.5) & (curve["n_events"] > 0), "time"]
            row["median_days"] = float(half.iloc[0]) if len(half) else np.nan
        rows.append(row)
    return pd.DataFrame(rows).reindex(columns=_CONVERSION)


def stage_losses(
    deals: pd.DataFrame,
    deal_stages: pd.DataFrame,
    *,
    as_of: dt.date | str,
    stages: Sequence[str],
    horizon_days: int = 180,
    min_at_risk: int = MIN_AT_RISK,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share (0–1) of all deals that are lost at each stage within a horizon of their creation.

    Parameters
    ----------
    deals, deal_stages, as_of, stages, min_at_risk, conf_level
        As in `stage_conversion`.
    horizon_days
        Days from the creation of the deal, or to the last day to which enough were followed.

    Returns
    -------
    DataFrame
        In the order of the stages: `stage, metric` ("lost_here"), `estimate, std_error, conf_low, conf_high,
        days, n_at_risk, n_not_reached, n, customers`, `named` (the stage loses more deals than the other stages do
        on average, shown with all looks paid for: `groups_apart`). A deal is lost at the stage it was at.

    Examples
    --------
    >>> deals = pd.DataFrame({"deal_id": list("abcd"), "customer_id": list("abcd"), "created_on": "2026-01-01",
    ...     "closed_on": "2026-01-31", "is_won": [True, True, True, False]})
    >>> deals = deals.astype({"created_on": "datetime64[s]", "closed_on": "datetime64[s]"})
    >>> ways = pd.DataFrame({"deal_id": list("abcd"), "stage": "quote", "entered_at": pd.Timestamp("2026-01-11")})
    >>> stage_losses(deals, ways, as_of="2026-12-31", stages=["quote"])["estimate"].tolist()
    [0.25]
    """  # noqa: E501
    stays = stage_visits(deals, deal_stages, as_of=as_of, stages=stages)
    last = stays.groupby("deal_id", sort=False).tail(1)
    lost = [f"lost {stage}" for stage in stages]
    ends = last["next"].where(last["next"] != "lost", "lost " + last["stage"].astype(str))
    ends = ends.where(ends.isin([*lost, "won"]))
    spells = last.assign(days=last["left"], end=ends)
    columns = ["stage", "metric", *Interval._fields, "days", "n_at_risk", "n_not_reached", "n", "customers"]
    columns += ["named"]
    if spells.empty:
        return pd.DataFrame(columns=columns)
    asked: dict[str, Any] = {"duration_col": "days", "cause_col": "end", "cluster_col": "customer_id"}
    asked["causes"] = [*lost, "won"]
    days = followed_to(spells["days"], horizon_days, min_at_risk)
    found = clustered_incidence(spells, **asked, times=[days], conf_level=conf_level)
    found = enough_at_risk(found, min_at_risk=min_at_risk).set_index("cause")
    rows = found.loc[lost].assign(stage=list(stages), metric="lost_here", days=days)
    rows = rows.assign(customers=spells["customer_id"].nunique())
    return rows.assign(named=_most(rows, conf_level)).reset_index(drop=True)[columns]


def followed_to(days: pd.Series, horizon_days: int, min_at_risk: int = MIN_AT_RISK) -> int:
    """Return the horizon, or the last day to which enough of the spells were followed.

    Examples
    --------
    >>> followed_to(pd.Series([5, 40, 90]), 180, 2), followed_to(pd.Series([5, 40, 90]), 30, 2)
    (40, 30)
    """
    longest = np.sort(days.to_numpy())[::-1]
    return int(min(horizon_days, longest[min(min_at_risk, len(longest)) - 1]))


def _most(rows: pd.DataFrame, conf_level: float) -> Any:
    """Whether a stage loses beyond doubt more than the others; the shares are of the same deals."""
    known = rows["std_error"].notna()
    if known.sum() < 2:
        return False
    apart = groups_apart(rows.assign(stage=rows["stage"].astype(str)), by="stage", conf_level=conf_level)
    each = apart.iloc[:-1]
    first = rows["estimate"].to_numpy() == rows["estimate"].max()
    return first & (each["verdict"] == "differ").to_numpy() & (each["estimate"] > 0).to_numpy()


def _from_stage(stays: pd.DataFrame, stage: str, at: int, place: dict[str, int]) -> pd.DataFrame:
    """Deals that entered a stage: days until they first go further or end, and by which of the two."""
    entered = stays[stays["stage"] == stage].groupby("deal_id", sort=False)["entered"].first()
    if entered.empty:
        return pd.DataFrame(columns=["deal_id", "customer_id", "days", "end"])
    theirs = stays[stays["deal_id"].isin(entered.index)]
    theirs = theirs.assign(since=theirs["deal_id"].map(entered))
    theirs = theirs[theirs["entered"] >= theirs["since"]]
    later = pd.Index(list(place), dtype=object).get_indexer(pd.Index(theirs["next"].astype(object)))
    onward = (later > at) | (theirs["next"] == "won")
    ways = np.select([onward, theirs["next"] == "lost"], ["on", "lost"], default="")
    ends = pd.Series(ways, index=theirs.index, dtype=object).replace("", None)
    theirs = theirs.assign(end=ends, days=theirs["left"] - theirs["since"])
    over = theirs[theirs["end"].notna()].groupby("deal_id", sort=False).head(1)
    still = theirs[~theirs["deal_id"].isin(over["deal_id"])].groupby("deal_id", sort=False).tail(1)
    return pd.concat([over, still])[["deal_id", "customer_id", "days", "end"]]


def _shares(found: pd.DataFrame) -> dict[str, Any]:
    """Shares gone on, lost and still there, from the rows of one stage."""
    row = {name: found.loc["on", name] for name in Interval._fields}
    row |= {f"{name}_share": found.loc[name, "estimate"] for name in ("lost", "here")}
    return row | {name: found.loc["on", name] for name in ("n_at_risk", "n_not_reached")}


def stage_chances(
    deals: pd.DataFrame,
    deal_stages: pd.DataFrame,
    *,
    as_of: dt.date | str,
    stages: Sequence[str],
    typed: Mapping[str, float] | None = None,
    horizon_days: int = 180,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share (0–1) of deals won within a horizon of entering a stage, beside the chance that is typed for it.

    Parameters
    ----------
    deals, deal_stages, as_of, stages, horizon_days, conf_level
        As in `stage_conversion`.
    typed
        Chance (0–1) by stage, as somebody stated it.

    Returns
    -------
    DataFrame
        In the order of the stages: `stage, metric` ("won"), `estimate, std_error, conf_low, conf_high,
        typed_share, days, n, customers, verdict` ("differ": the typed chance lies outside the interval,
        "no_difference_shown"; missing without a typed one).

    Examples
    --------
    >>> deals = pd.DataFrame({"deal_id": list("abcd"), "customer_id": list("abcd"), "created_on": "2026-01-01",
    ...     "closed_on": "2026-01-31", "is_won": [True, True, True, False]})
    >>> deals = deals.astype({"created_on": "datetime64[s]", "closed_on": "datetime64[s]"})
    >>> ways = pd.DataFrame({"deal_id": list("abcd"), "stage": "quote", "entered_at": pd.Timestamp("2026-01-11")})
    >>> asked = {"as_of": "2026-12-31", "stages": ["quote"], "typed": {"quote": 0.02}}
    >>> stage_chances(deals, ways, **asked)[["estimate", "typed_share", "verdict"]].to_numpy().tolist()
    [[0.75, 0.02, 'no_difference_shown']]
    """  # noqa: E501
    stays = stage_visits(deals, deal_stages, as_of=as_of, stages=stages)
    last = stays.groupby("deal_id")[["left", "next"]].transform("last")
    entered = stays.assign(days=last["left"] - stays["entered"])
    entered["outcome"] = last["next"].where(last["next"].isin(["won", "lost"]))
    entered = entered.drop_duplicates(["deal_id", "stage"])
    rows = []
    for stage in stages:
        own = entered[entered["stage"] == stage]
        row: dict[str, Any] = {"stage": stage, "metric": "won", "n": len(own)}
        row |= {"customers": own["customer_id"].nunique(), "typed_share": (typed or {}).get(stage, np.nan)}
        if len(own):
            row["days"] = followed_to(own["days"], horizon_days)
            asked: dict[str, Any] = {
                "duration_col": "days",
                "cause_col": "outcome",
                "causes": ["lost", "won"],
            }
            asked |= {"cluster_col": "customer_id", "times": [row["days"]], "conf_level": conf_level}
            found = enough_at_risk(clustered_incidence(own, **asked)).set_index("cause").loc["won"]
            row |= {name: found[name] for name in Interval._fields}
        rows.append(row)
    columns = ["stage", "metric", *Interval._fields, "typed_share", "days", "n", "customers"]
    frame = pd.DataFrame(rows).reindex(columns=columns)
    judged = limits_verdict(frame["conf_low"], frame["conf_high"], null=frame["typed_share"], unit="share")
    known = frame["typed_share"].notna() & frame["estimate"].notna()
    return frame.assign(verdict=pd.Series(judged, dtype=object).where(known, None))
