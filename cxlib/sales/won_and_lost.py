"""What becomes of deals: won, lost or open after so many days, and by which age nearly all are over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError, check_columns, check_group_names
from cxlib.data.days import to_date
from cxlib.data.deals import deal_day, deal_facts, deal_spells, result_flags
from cxlib.stats.clustered_share import clustered_share_interval
from cxlib.stats.intervals import Interval
from cxlib.stats.stack_groups import stacked
from cxlib.stats.survival.clustered_exits import clustered_incidence
from cxlib.stats.survival.kaplan_meier import survival_curve
from cxlib.stats.survival.known_days import MIN_AT_RISK, enough_at_risk

#: Age from which deals are judged where it is not known by when nearly all are over.
MATURE_DAYS = 90.0
_END_COLUMNS = ["metric", "days", *Interval._fields, "n_at_risk", "n_not_reached", "n", "customers"]
_RATE_COLUMNS = ["metric", *Interval._fields, "n", "customers", "mature_days"]


def deal_outcomes(
    deals: pd.DataFrame,
    *,
    as_of: dt.date | str,
    horizons_days: Sequence[int] = (30, 60, 90, 180),
    by: str | None = None,
    min_at_risk: int = MIN_AT_RISK,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Probability (0–1) that a deal is won, lost or still open so many days after it was created.

    Parameters
    ----------
    deals
        As in `deal_spells`, with `customer_id`: deals of one account hang together.
    as_of
        Last day known, inclusive.
    horizons_days
        Days after the creation.
    by
        Column of `deals` to split by.
    min_at_risk
        Least deals still followed at a time for its shares to be shown (`enough_at_risk`). Where a time has
        fewer, the last day with enough is shown too.
    conf_level
        Confidence level of the intervals (log-log, by account).

    Returns
    -------
    DataFrame
        Group column, `metric` ("lost", "won", "open": they add up to 1), `days, estimate, std_error,
        conf_low, conf_high, n_at_risk, n_not_reached` (open, and younger than `days`), `n` (deals),
        `customers`. Only times that are known; none without a deal that has ended.

    Raises
    ------
    ParameterError, InputError
        As in `deal_spells`.

    Notes
    -----
    Aalen–Johansen (`clustered_incidence`): won and lost shut each other off, open deals count for as long as
    they have been followed.

    Examples
    --------
    >>> deals = pd.DataFrame({"customer_id": list("abcd"), "created_on": pd.Timestamp("2026-01-01"),
    ...     "closed_on": pd.Timestamp("2026-01-11"), "is_won": [True, True, True, False]})
    >>> deal_outcomes(deals, as_of="2026-03-31", horizons_days=[30])[["metric", "estimate"]].values.tolist()
    [['lost', 0.25], ['won', 0.75], ['open', 0.0]]
    """
    _check_split(deals, by, _END_COLUMNS)
    parts = []
    for keys, spells in _split(deal_spells(deals, as_of=as_of), by):
        if spells["outcome"].notna().any():
            ends = _ends_at(spells, sorted(horizons_days), min_at_risk, conf_level)
            if len(spells) >= min_at_risk and set(ends["days"]) < set(horizons_days):
                last = int(np.sort(spells["days"])[-min_at_risk])
                days = sorted({*horizons_days, min(last, max(horizons_days))} - {0})
                ends = _ends_at(spells, days, min_at_risk, conf_level)
            parts.append({**keys, **{str(name): ends[name].to_numpy() for name in ends}})
    return stacked(parts, [*([] if by is None else [by]), *_END_COLUMNS])


def win_rates(
    deals: pd.DataFrame,
    *,
    as_of: dt.date | str,
    by: str | None = None,
    mature_days: int | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share (0–1) of deals old enough to be judged that have been won, lost, or are still open.

    Parameters
    ----------
    deals, as_of, by
        As in `deal_outcomes`.
    mature_days
        Only deals created at least so many days before `as_of` count. By default the age by which nine in ten
        of all deals are over (`usual_age`), and 90 where so many are not known to be.
    conf_level
        Confidence level of the intervals (Wilson's on the effective number, by account).

    Returns
    -------
    DataFrame
        Group column, `metric` ("won", "lost", "open"; the three add up to 1), `estimate, std_error, conf_low,
        conf_high, n` (deals), `customers, mature_days`. Deals over on an unknown day count, since the result
        is known.

    Raises
    ------
    ParameterError, InputError
        As in `deal_spells`; `mature_days` below 0.

    Notes
    -----
    Plain shares of a cohort by creation. Dividing won by all that closed in a month would mix deals of all
    ages, and favour the quick ones.

    Examples
    --------
    >>> deals = pd.DataFrame({"customer_id": list("abcd"), "created_on": pd.Timestamp("2026-01-01"),
    ...     "closed_on": pd.Timestamp("2026-01-11"), "is_won": [True, True, True, False]})
    >>> win_rates(deals, as_of="2026-03-31").set_index("metric")["estimate"].to_dict()
    {'won': 0.75, 'lost': 0.25, 'open': 0.0}
    """
    if mature_days is not None and not mature_days >= 0:
        raise ParameterError("journey.negative_times", argument="mature_days", value=repr(mature_days))
    check_columns(deals, created_on="created_on")
    _check_split(deals, by, _RATE_COLUMNS)
    usual = usual_age(deals, as_of=as_of) if mature_days is None else float(mature_days)
    age = usual if usual == usual else MATURE_DAYS
    facts = deals.assign(**deal_facts(deals, as_of=as_of))
    facts["outcome"] = facts["outcome"].mask(facts["is_undated"], _words(result_flags(deals)))
    since = (pd.Timestamp(to_date(as_of)) - deal_day(deals, "created_on")).dt.days
    mature = facts[(since >= age) & (since >= 0)]
    parts = []
    for keys, group in _split(mature, by):
        n = len(group)
        ends = [group["outcome"].eq(name).to_numpy(bool) for name in ("won", "lost")]
        hits = np.stack([*ends, ~(ends[0] | ends[1])])
        each = np.repeat(np.arange(3), n)
        accounts = np.tile(group["customer_id"].to_numpy(object), 3)
        asked: dict[str, Any] = {"groups": each, "n_groups": 3, "conf_level": conf_level}
        shares = clustered_share_interval(hits.ravel(), accounts, **asked)._asdict()
        facts_of = {"n": n, "customers": group["customer_id"].nunique(), "mature_days": age}
        parts.append({**keys, "metric": ["won", "lost", "open"], **shares, **facts_of})
    return stacked(parts, [*([] if by is None else [by]), *_RATE_COLUMNS])


def usual_age(deals: pd.DataFrame, *, as_of: dt.date | str, usual: float = 0.9) -> float:
    """Days by which a share of all deals is over (Kaplan–Meier, won or lost); NaN where so many never are.

    Parameters
    ----------
    deals, as_of
        As in `deal_spells`.
    usual
        The share, between 0 and 1.

    Returns
    -------
    float
        Days; only as long as enough deals are still followed (`enough_at_risk`).

    Examples
    --------
    >>> deals = pd.DataFrame({"created_on": pd.Timestamp("2026-01-01"), "is_won": [False] * 3,
    ...     "closed_on": pd.to_datetime(["2026-01-06", "2026-01-11", "2026-01-21"])})
    >>> usual_age(deals, as_of="2026-03-31", usual=0.6)
    10.0
    """
    spells = deal_spells(deals, as_of=as_of).assign(gone=lambda rows: ~rows["is_open"])
    curve = enough_at_risk(survival_curve(spells, duration_col="days", event_col="gone"))
    over = curve[(1 - curve["estimate"] >= usual - 1e-12) & (curve["n_events"] > 0)]
    return float(over["time"].iloc[0]) if len(over) else np.nan


def _ends_at(spells: pd.DataFrame, times: Sequence[int], min_at_risk: int, conf_level: float) -> pd.DataFrame:
    """Won, lost and open at the times that are known."""
    asked: dict[str, Any] = {"duration_col": "days", "cause_col": "outcome", "cluster_col": "customer_id"}
    asked |= {"causes": ["lost", "won"], "times": times, "conf_level": conf_level}
    curves = clustered_incidence(spells, **asked)
    ends = enough_at_risk(curves, min_at_risk=min_at_risk).dropna(subset="estimate")
    ends = ends.rename(columns={"cause": "metric", "time": "days"})
    return ends.assign(customers=spells["customer_id"].nunique())[_END_COLUMNS]


def _check_split(deals: pd.DataFrame, by: str | None, result: Sequence[str]) -> None:
    check_columns(deals, customer_id="customer_id", by=by)
    check_group_names(by, result)


def _split(rows: pd.DataFrame, by: str | None) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    if by is None:
        yield {}, rows
        return
    for key, group in rows.groupby(by, sort=True, observed=True):
        yield {by: key}, group


def _words(won: np.ndarray) -> np.ndarray:
    return np.select([won == 1, won == 0], ["won", "lost"], default="")
