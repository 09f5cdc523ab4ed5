"""Kaplan–Meier curve, restricted mean and log-rank test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.checks import ParameterError, check_group_names, fail_option
from cxlib.stats.intervals import Interval, critical_value
from cxlib.stats.stack_groups import stacked
from cxlib.stats.survival.people_at_risk import (
    PeopleAtRisk,
    Tally,
    at_risk_at,
    names_of,
    people_of,
    tally_of,
    watched_at,
)

CONF_TYPES = ("log-log", "log", "plain")
_RMST_COLUMNS = ["metric", *Interval._fields, "p_value", "n", "reference"]
_COLUMNS = ["time", *Interval._fields, "n_at_risk", "n_events", "n"]
_COLUMNS += ["n_not_reached"]
Columns = dict[str, np.ndarray]


def survival_curve(
    data: pd.DataFrame,
    *,
    duration_col: str,
    event_col: str,
    entry_col: str | None = None,
    by: str | list[str] | None = None,
    times: Sequence[float] | None = None,
    conf_level: float = 0.95,
    conf_type: str = "log-log",
) -> pd.DataFrame:
    """Kaplan–Meier probability (0–1) of having had no event by each time.

    Parameters
    ----------
    data
        One row per person. Rows with a missing duration or event are left out.
    duration_col
        Time from start to event or to the end of observation, ≥ 0, any unit.
    event_col
        True or 1 where the event happened, False or 0 where observation ended first.
    entry_col
        Time at which a person came under observation (delayed entry); at risk from just after it.
    by
        Column, or list of columns, to compute one curve per group.
    times
        Report the curve at these times instead of at every time seen. A time after the last observation of a
        group gives NaN unless the curve has reached 0.
    conf_level
        Confidence level of the pointwise interval.
    conf_type
        "log-log" (Kalbfleisch–Prentice), "log" (R's default) or "plain".

    Returns
    -------
    DataFrame
        Group columns, `time, estimate, std_error, conf_low, conf_high, n_at_risk, n_events, n,
        n_not_reached`. `n_at_risk` are those still observed just before `time`, `n_events` the events since
        the row before, `n_not_reached` those without an event before `time` who were not observed up to it.
        Without `times` the first row is time 0. Read a curve with `enough_at_risk` where few are left.

    Raises
    ------
    ParameterError
        Unknown column, `conf_type`, `conf_level` outside 0–1, or `by` called like a column of the result.
    InputError
        A duration that is negative, infinite, text or a time difference; entry after the duration; or an
        event that is neither 0 nor 1.

    Notes
    -----
    S(t) = Π (1 − d/n) over event times ≤ t; Greenwood variance S² Σ d / (n (n − d)). Censoring must not
    depend on what would have followed. Where no event has happened yet the transformed intervals have no
    width; the exact bound (α/2)^(1/n at risk) is given instead, and its mirror where the curve has reached 0.
    With delayed entry all who are at risk early may have their event before others come under observation:
    the product is then 0 for good, as R's survfit gives it, although people are seen alive later. That is a
    sign of too few at risk, not an estimate; the curve is NaN from there on.

    References
    ----------
    Kaplan & Meier (1958) JASA 53; Kalbfleisch & Prentice (2002) ch. 1; Klein & Moeschberger (2003) ch. 4.

    Examples
    --------
    >>> people = pd.DataFrame({"days": [2, 3, 3, 5], "bought": [1, 1, 0, 0]})
    >>> survival_curve(people, duration_col="days", event_col="bought")["estimate"].round(2).to_list()
    [1.0, 0.75, 0.5, 0.5]
    """
    check_group_names(by, _COLUMNS)
    if conf_type not in CONF_TYPES:
        fail_option("conf_type", conf_type, CONF_TYPES)
    parts = []
    for keys, people in people_of(data, duration_col, event_col, entry_col, by):
        tally = tally_of(people)
        curve = _curve(tally, conf_level, conf_type)
        parts.append(keys | (curve if times is None else _at_times(curve, people, tally, times, conf_level)))
    return stacked(parts, [*names_of(by), *_COLUMNS])


def rmst(
    data: pd.DataFrame,
    *,
    duration_col: str,
    event_col: str,
    horizon: float,
    entry_col: str | None = None,
    by: str | list[str] | None = None,
    conf_level: float = 0.95,
    min_at_risk: int = 1,
) -> pd.DataFrame:
    """Restricted mean survival time: event-free time up to `horizon`, in the unit of the duration.

    Parameters
    ----------
    data, duration_col, event_col, entry_col, by, conf_level
        As in `survival_curve`.
    horizon
        Upper end of the area under the curve, > 0. A group observed for less gives NaN.
    min_at_risk
        Least people at risk at the horizon; fewer give NaN, unless everybody was followed up to it.

    Returns
    -------
    DataFrame
        Group columns, `metric` ("rmst", or "rmst_difference" from the first group), `estimate, std_error,
        conf_low, conf_high, p_value, n` (of a difference: people in the smaller group) and, with `by`,
        `reference` (of a difference: the group subtracted, several columns joined by " / ").

    Raises
    ------
    ParameterError
        Unknown column or a horizon that is not positive.
    InputError
        As in `survival_curve`.

    Notes
    -----
    ∫ S(t) dt from 0 to τ; variance Σ (∫ S from t_i to τ)² d_i / (n_i (n_i − d_i)), the sampling variance
    (some packages return the variance of the truncated times instead). Groups are independent.

    References
    ----------
    Royston & Parmar (2013) BMC Med Res Methodol 13; Uno et al. (2014) JCO 32; survRM2 (R).

    Examples
    --------
    >>> people = pd.DataFrame({"days": [2, 4, 4, 4], "bought": [1, 0, 0, 0]})
    >>> float(rmst(people, duration_col="days", event_col="bought", horizon=4)["estimate"].iloc[0])
    3.5
    """
    check_group_names(by, _RMST_COLUMNS)
    if not horizon > 0:
        raise ParameterError("journey.horizon_not_positive", argument="horizon", value=f"{horizon:g}")
    rows = []
    for keys, people in people_of(data, duration_col, event_col, entry_col, by):
        tally = tally_of(people)
        estimate, variance = _rmst_of(people, tally, horizon, min_at_risk)
        rows.append(
            {**keys, "metric": "rmst", "estimate": estimate, "std_error": variance**0.5, "n": tally.n}
        )
    for row in rows[1:] if by is not None else []:
        rows.append(
            {
                **{name: row[name] for name in names_of(by)},
                "metric": "rmst_difference",
                "estimate": row["estimate"] - rows[0]["estimate"],
                "std_error": float(np.hypot(row["std_error"], rows[0]["std_error"])),
                "n": min(row["n"], rows[0]["n"]),
                "reference": " / ".join(str(rows[0][name]) for name in names_of(by)),
            }
        )
    extra = [] if by is None else ["reference"]
    result = pd.DataFrame(rows, columns=[*names_of(by), "metric", "estimate", "std_error", "n", *extra])
    half = critical_value(conf_level) * result["std_error"].where(result["std_error"] > 0)
    result["conf_low"], result["conf_high"] = result["estimate"] - half, result["estimate"] + half
    z = (result["estimate"] / result["std_error"].where(result["std_error"] > 0)).abs()
    result["p_value"] = np.where(result["metric"] == "rmst_difference", 2 * stats.norm.sf(z), np.nan)
    columns = ["metric", *Interval._fields, "p_value", "n", *extra]
    return result[[*names_of(by), *columns]]


def logrank(
    data: pd.DataFrame,
    *,
    duration_col: str,
    event_col: str,
    by: str | list[str],
    entry_col: str | None = None,
) -> pd.DataFrame:
    """Log-rank test that all groups have the same curve.

    Parameters
    ----------
    data, duration_col, event_col, entry_col
        As in `survival_curve`.
    by
        Column, or columns, of the groups.

    Returns
    -------
    DataFrame
        One row: `statistic` (chi-square), `df` (groups − 1), `p_value`, `n`. NaN when fewer than two groups
        or no events.

    Raises
    ------
    ParameterError, InputError
        As in `survival_curve`.

    Notes
    -----
    Sum of observed − expected events per group over event times, hypergeometric variance. Sensitive to curves
    that stay apart; crossing curves can pass unnoticed, so look at `rmst` beside it.

    References
    ----------
    Mantel (1966) Cancer Chemother Rep 50; Klein & Moeschberger (2003) ch. 7.

    Examples
    --------
    >>> people = pd.DataFrame({"days": [1, 2, 8, 9], "bought": 1, "arm": ["a", "a", "b", "b"]})
    >>> logrank(people, duration_col="days", event_col="bought", by="arm")["statistic"].round(3).to_list()
    [2.882]
    """
    groups = [people for _, people in people_of(data, duration_col, event_col, entry_col, by)]
    happened = [people.duration[people.event] for people in groups]
    grid = np.unique(np.concatenate(happened or [np.empty(0)]))
    df, n = len(groups) - 1, sum(people.duration.size for people in groups)
    statistic = np.nan
    if df > 0 and grid.size:
        d = np.array([np.diff(np.searchsorted(np.sort(times), [*grid, np.inf])) for times in happened])
        y = np.array([at_risk_at(people, grid) for people in groups])
        all_d, all_y = d.sum(0), y.sum(0)
        share = y / all_y
        spread = all_d * (all_y - all_d) / np.maximum(all_y - 1, 1)
        gap = (d - share * all_d).sum(1)
        cov = np.diag((share * spread).sum(1)) - (share * spread) @ share.T
        statistic = float(gap @ np.linalg.pinv(cov, hermitian=True) @ gap)
    p_value = np.maximum(stats.chi2.sf(statistic, max(df, 1)), np.finfo(float).tiny)
    return pd.DataFrame({"statistic": [statistic], "df": [max(df, 0)], "p_value": [p_value], "n": [n]})


def _curve(tally: Tally, conf_level: float, conf_type: str) -> Columns:
    """Kaplan–Meier with Greenwood errors at time 0 and at every time seen."""
    times, y, d = tally.times, tally.at_risk, tally.events
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.cumprod(1 - d / y)
        greenwood = np.cumsum(d / (y * (y - d)))
        error = np.where(survival > 0, survival * np.sqrt(greenwood), np.nan)
    low, high = _bounds(survival, np.sqrt(greenwood), y, conf_level, conf_type)
    if (unknown := _gone_too_early(survival)).any():
        survival, error, low, high = (
            np.where(unknown, np.nan, part) for part in (survival, error, low, high)
        )
    unseen = tally.n - y - (np.cumsum(d) - d)
    columns = [times, survival, error, low, high, y, d, np.full(d.size, tally.n), unseen]
    if not (times.size and times[0] == 0):
        start = (0.0, 1.0, 0.0, 1.0, 1.0, tally.n, 0, tally.n, 0)
        columns = [np.append(first, rest) for first, rest in zip(start, columns, strict=True)]
    return dict(zip(_COLUMNS, columns, strict=True))


def _gone_too_early(survival: np.ndarray) -> np.ndarray:
    """Mark times from which the product is 0 although people are observed later (delayed entry)."""
    return (survival == 0) & (np.argmax(np.append(survival, 0) == 0) < survival.size - 1)


def _bounds(
    survival: np.ndarray, root: np.ndarray, at_risk: np.ndarray, conf_level: float, conf_type: str
) -> tuple[np.ndarray, np.ndarray]:
    z = critical_value(conf_level)
    with np.errstate(divide="ignore", invalid="ignore"):
        if conf_type == "log-log":
            log = np.log(survival)
            width = np.exp(z * root / np.abs(log))
            low, high = np.exp(log * width), np.exp(log / width)
        elif conf_type == "log":
            low, high = survival * np.exp(-z * root), survival * np.exp(z * root)
        else:
            low, high = survival * (1 - z * root), survival * (1 + z * root)
    exact = ((1 - conf_level) / 2) ** (1 / np.maximum(at_risk, 1))
    low, high = np.clip(low, 0, 1), np.clip(high, 0, 1)
    low, high = np.where(survival == 1, exact, low), np.where(survival == 1, 1.0, high)
    dead = survival == 0
    if dead.any():
        first = int(np.argmax(dead))
        high[first:] = min(high[first - 1] if first else 1.0, 1 - exact[first])
        low[first:] = 0.0
    return low, high


def _at_times(
    curve: Columns, people: PeopleAtRisk, tally: Tally, times: Sequence[float], conf_level: float
) -> Columns:
    """Read a step function off at `times`; unknown after the last observation unless it has reached 0."""
    wanted = np.sort(np.asarray(times, dtype=float))
    if wanted.size and wanted[0] < 0:
        raise ParameterError("journey.negative_times", argument="times", value=f"{wanted[0]:g}")
    place = np.searchsorted(curve["time"], wanted, side="right") - 1
    shown = {name: values[place] for name, values in curve.items()} | {"time": wanted}
    shown["n_at_risk"] = watched_at(people, tally, wanted)
    so_far = np.append(0, np.cumsum(tally.events))[np.searchsorted(tally.times, wanted, side="right")]
    shown["n_events"] = np.diff(so_far, prepend=0)
    before = np.append(0, np.cumsum(tally.events))[np.searchsorted(tally.times, wanted, side="left")]
    shown["n_not_reached"] = tally.n - shown["n_at_risk"] - before
    no_event = (shown["estimate"] == 1) & (wanted > 0)
    exact = ((1 - conf_level) / 2) ** (1 / np.maximum(shown["n_at_risk"], 1))
    shown["conf_low"] = np.where(no_event, exact, shown["conf_low"])
    last = tally.times[-1] if tally.times.size else -np.inf
    unseen = (wanted > last) & (shown["estimate"] > 0)
    for name in Interval._fields:
        shown[name] = np.where(unseen, np.nan, shown[name])
    return shown


def _rmst_of(people: PeopleAtRisk, tally: Tally, horizon: float, min_at_risk: int) -> tuple[float, float]:
    before, within = tally.times < horizon, tally.times <= horizon
    left = watched_at(people, tally, np.array([horizon])).item()
    lost = tally.n - tally.events[before].sum() - left
    times, y, d = tally.times[within], tally.at_risk[within], tally.events[within]
    survival = np.append(1.0, np.cumprod(1 - d / y))
    short = not tally.times.size or (left < min_at_risk and lost > 0)
    if short or (survival[-1] == 0 and np.argmax(survival == 0) < tally.times.size):
        return np.nan, np.nan
    areas = survival * np.diff(np.concatenate([[0.0], times, [horizon]]))
    after = np.cumsum(areas[::-1])[::-1][1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(after > 0, after**2 * d / (y * (y - d)), 0.0)
    return float(areas.sum()), float(terms.sum())
