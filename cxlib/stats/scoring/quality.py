"""How good forecast probabilities were: ranking, error, calibration, and whether a simpler one does too.

Two ways to be better: nearer (less error) and in better order (more of the events ranked first). Where an
event is rare even a good order hardly shows in the error, and a list needs the order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from cxlib.checks import ParameterError, check_columns, check_frame
from cxlib.stats.arrays import Array
from cxlib.stats.intervals import Interval, critical_value
from cxlib.stats.number_columns import check_numbers, cluster_codes
from cxlib.stats.scoring.logistic import check_outcome, fit_logistic
from cxlib.stats.scoring.out_of_time import FORECASTS
from cxlib.stats.verdicts import limits_verdict

#: Fewest rows of either outcome for an interval.
LEAST_EACH = 10


class Judged(NamedTuple):
    """Outcomes, forecasts and customers of the rows that can be judged; a class because four go together."""

    outcome: Array
    forecasts: dict[str, Array]
    clusters: Any
    is_enough: bool


def read_scored(scored: pd.DataFrame, *, outcome_col: str, cluster_col: str | None) -> Judged:
    """Take from scored rows what is judged; rows without an outcome are left out.

    Raises
    ------
    ParameterError
        A column is missing, an outcome is neither 0 nor 1, or a probability lies outside 0 to 1.
    """
    check_frame(scored, argument="scored")
    check_columns(scored, cluster_col=cluster_col, **{column: column for column in FORECASTS.values()})
    outcome = check_outcome(scored, outcome_col)
    known = np.isfinite(outcome)
    forecasts = {name: check_numbers(scored, column)[known] for name, column in FORECASTS.items()}
    for name, p in forecasts.items():
        if ((p < 0) | (p > 1)).any():
            raise ParameterError("scoring.probability", column=FORECASTS[name])
    y = outcome[known]
    clusters = np.arange(len(y)) if cluster_col is None else cluster_codes(scored[cluster_col])[known]
    return Judged(y, forecasts, clusters, min(y.sum(), len(y) - y.sum()) >= LEAST_EACH)


def spread(influence: Array, clusters: Any) -> float:
    """Give the standard error of an estimate from what each row adds to it, rows of one customer together."""
    sums, groups = np.bincount(clusters, influence), len(np.unique(clusters))
    few = groups / max(groups - 1, 1) if groups < len(influence) else 1.0
    return float(np.sqrt((sums**2).sum() * few))


def auc_interval(p: Array, outcome: Array, clusters: Any = None, *, conf_level: float = 0.95) -> Interval:
    """Chance that of two rows with different outcomes the one with the event has the higher probability.

    Parameters
    ----------
    p : array
        Probabilities, or any score; ties count half.
    outcome : array
        0 or 1.
    clusters : array of int, optional
        Customer of each row.
    conf_level : float

    Returns
    -------
    Interval
        0–1 (0.5: no better than chance); NaN where one outcome is missing, limits NaN with fewer than two
        rows of either or where all are ranked without error.

    Notes
    -----
    DeLong's variance from the placements of each row, summed by customer; limits on the logit scale, so
    that they stay within 0 and 1.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson (1988) Biometrics 44, 837–845; Obuchowski (1997) Biometrics 53, 567–578;
    Pepe (2003) The Statistical Evaluation of Medical Tests, 5.2.

    Examples
    --------
    >>> found = auc_interval(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1]))
    >>> round(float(found.estimate), 2), round(float(found.std_error), 4)
    (0.75, 0.3536)
    """
    auc, influence = _area(p, outcome)
    if influence is None or auc in (0, 1):
        return Interval(auc, np.nan, np.nan, np.nan)
    error = spread(influence, np.arange(len(p)) if clusters is None else clusters)
    log_odds, half = np.log(auc / (1 - auc)), critical_value(conf_level) * error / (auc * (1 - auc))
    low, high = (1 / (1 + np.exp(-(log_odds + k * half))) for k in (-1, 1))
    return Interval(auc, error, float(low), float(high)) if error > 0 else Interval(auc, *[np.nan] * 3)


def _area(p: Array, outcome: Array) -> tuple[float, Array | None]:
    """Area, and what each row adds to its error; None with fewer than two rows of either outcome."""
    m, n = int(outcome.sum()), int(len(outcome) - outcome.sum())
    if min(m, n) == 0 or np.isnan(p).any():
        return np.nan, None
    is_event = outcome == 1
    above = rankdata(p) - rankdata_within(p, is_event)  # rows of the other outcome below each
    place = np.where(is_event, above / n, 1 - above / m)
    auc = float(place[is_event].mean())
    if min(m, n) < 2:
        return auc, None
    weight = np.where(is_event, 1 / np.sqrt(m * (m - 1)), 1 / np.sqrt(n * (n - 1)))
    return auc, weight * (place - auc)


def auc_difference(
    p: Array, other: Array, outcome: Array, clusters: Any = None, *, conf_level: float = 0.95
) -> Interval:
    """How much better one forecast ranks the same rows than another: difference of their areas (-1 to 1).

    Parameters
    ----------
    p, other : array
        Probabilities, or any scores.
    outcome, clusters, conf_level
        As `auc_interval`.

    Returns
    -------
    Interval
        NaN where either area is, limits NaN where either has no error or both rank alike.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson (1988) Biometrics 44, 837–845: areas of the same rows.

    Examples
    --------
    >>> outcome = np.array([0, 0, 1, 1])
    >>> float(auc_difference(np.array([1, 2, 3, 4]), np.array([1, 3, 2, 4]), outcome).estimate)
    0.25
    """
    (one, pull), (two, counter) = _area(p, outcome), _area(other, outcome)
    if pull is None or counter is None:
        return Interval(one - two, np.nan, np.nan, np.nan)
    error = spread(pull - counter, np.arange(len(p)) if clusters is None else clusters)
    half = critical_value(conf_level) * error
    return (
        Interval(one - two, error, one - two - half, one - two + half)
        if error > 0
        else Interval(one - two, np.nan, np.nan, np.nan)
    )


def rankdata_within(p: Array, is_event: Any) -> Array:
    """Rank of each row among those of its own outcome."""
    own = np.empty(len(p))
    for side in (True, False):
        own[is_event == side] = rankdata(p[is_event == side])
    return own


def mean_of_rows(values: Array, clusters: Any, half_of: float) -> Interval:
    """Mean with the interval that rows of one customer together leave; no limits where nothing varies."""
    mean = float(values.mean()) if len(values) else np.nan
    error = spread((values - mean) / len(values), clusters) if len(values) > 1 else 0.0
    if not error > 0:
        return Interval(mean, np.nan, np.nan, np.nan)
    return Interval(mean, error, mean - half_of * error, mean + half_of * error)


def _gain(loss: Array, other: Array, clusters: Any, half_of: float) -> Interval:
    """Part of the other forecast's error that this one saves."""
    if not len(other) or other.mean() == 0:
        return Interval(np.nan, np.nan, np.nan, np.nan)
    ratio = float(loss.mean() / other.mean())
    error = spread((loss - ratio * other) / len(loss) / other.mean(), clusters)
    if not error > 0:  # one and the same forecast
        return Interval(1 - ratio, np.nan, np.nan, np.nan)
    return Interval(1 - ratio, error, 1 - ratio - half_of * error, 1 - ratio + half_of * error)


def _slope(p: Array, judged: Judged, half_of: float) -> Interval:
    """Coefficient of the forecast's own log-odds on the outcome: 1 where it is as sure as it should be."""
    log_odds = np.log(np.clip(p, 1e-9, 1 - 1e-9)) - np.log(1 - np.clip(p, 1e-9, 1 - 1e-9))
    rows = pd.DataFrame({"log_odds": log_odds, "outcome": judged.outcome, "cluster": judged.clusters})
    fit = fit_logistic(rows, feature_cols=["log_odds"], cluster_col="cluster")
    if fit.note is not None or fit.status[0] != "ok":
        return Interval(np.nan, np.nan, np.nan, np.nan)
    slope, error = fit.coefficients[1] / fit.scale[0], np.sqrt(fit.covariance[1, 1]) / fit.scale[0]
    return Interval(slope, error, slope - half_of * error, slope + half_of * error)


def score_quality(
    scored: pd.DataFrame,
    *,
    outcome_col: str = "outcome",
    cluster_col: str | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Judge forecasts out of time: the score, the simple score and the base rate, and each beside the others.

    Parameters
    ----------
    scored : DataFrame
        Result of `score_out_of_time`, or rows with `p_base, p_simple, p_score` and the outcome.
    outcome_col : str
    cluster_col : str, optional
        Customer, where one stands in several rows.
    conf_level : float

    Returns
    -------
    DataFrame
        ``forecast`` (score, simple, base), ``other_forecast`` (simple, base, or missing), ``metric, estimate,
        std_error, conf_low, conf_high, n, events, verdict, note``. Metrics: auc (0–1); auc_gain (auc less
        that of `other_forecast`); brier (mean squared error of the probability, less is better); brier_gain
        (part of the error of `other_forecast` that is saved); calibration_slope (1: as sure as it should be,
        below: too sure); calibration_gap (mean probability less share observed). Verdicts: ahead, behind or
        no_difference_shown for auc (against chance) and both gains; off or no_difference_shown for the
        calibration (from 1 and 0); not_enough_data where there is no interval.

    Raises
    ------
    ParameterError
        A column is missing, an outcome is neither 0 nor 1, or a probability lies outside 0 to 1.

    Notes
    -----
    The fit is taken as given; the doubt is that of the test's rows. Rows of one cut day share what happened
    to everybody then, which no interval knows of: see `score_drift`. No verdict with fewer than ten rows of
    either outcome.

    References
    ----------
    Brier (1950) Monthly Weather Review 78; Cox (1958) Biometrika 45 (slope); Van Calster et al. (2016)
    Journal of Clinical Epidemiology 74.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rows = pd.DataFrame({"p_score": rng.beta(1, 3, 3_000), "p_simple": 0.25, "p_base": 0.25})
    >>> rows["outcome"] = rng.random(3_000) < rows["p_score"]
    >>> quality = score_quality(rows)
    >>> gain = quality[quality["metric"] == "brier_gain"]
    >>> gain[["forecast", "other_forecast", "verdict"]].values.tolist()[:2]
    [['score', 'base', 'ahead'], ['score', 'simple', 'ahead']]
    """
    judged = read_scored(scored, outcome_col=outcome_col, cluster_col=cluster_col)
    half = critical_value(conf_level)
    y, who = judged.outcome, judged.clusters
    loss = {name: (p - y) ** 2 for name, p in judged.forecasts.items()}
    found: list[tuple[str, str | None, str, Interval]] = []
    for name in ("score", "simple"):
        p = judged.forecasts[name]
        found.append((name, None, "auc", auc_interval(p, y, who, conf_level=conf_level)))
        if name == "score":
            apart = auc_difference(p, judged.forecasts["simple"], y, who, conf_level=conf_level)
            found.append((name, "simple", "auc_gain", apart))
        for other in ("base", "simple")[: 2 if name == "score" else 1]:
            found.append((name, other, "brier_gain", _gain(loss[name], loss[other], who, half)))
        found.append((name, None, "calibration_slope", _slope(p, judged, half)))
        found.append((name, None, "calibration_gap", mean_of_rows(p - y, who, half)))
    found += [(name, None, "brier", mean_of_rows(each, who, half)) for name, each in reversed(loss.items())]
    table = pd.DataFrame([row[:3] for row in found], columns=["forecast", "other_forecast", "metric"])
    table = table.assign(**Interval(*np.array([row[3] for row in found], dtype=float).T)._asdict())
    if not judged.is_enough:
        table[["std_error", "conf_low", "conf_high"]] = np.nan
    table = table.assign(n=len(y), events=int(y.sum()))
    table["verdict"] = [_verdict(row) for row in table.itertuples()]
    note = scored["note"].iloc[0] if "note" in scored and len(scored) else None
    table["note"] = pd.Series([note if name == "score" else None for name in table["forecast"]], dtype=object)
    return table


def _verdict(row: Any) -> str | None:
    if row.metric == "brier":
        return None
    if not np.isfinite(row.conf_low):
        return "not_enough_data"
    if row.metric in ("auc", "auc_gain", "brier_gain"):
        null, words = (0.5 if row.metric == "auc" else 0.0), {"above": "ahead", "below": "behind"}
        unit = {"auc": "ratio", "auc_gain": "pp"}.get(row.metric, "share")
        return str(limits_verdict(row.conf_low, row.conf_high, null=null, unit=unit, **words))
    null, unit = (1.0, "ratio") if row.metric == "calibration_slope" else (0.0, "pp")
    return str(limits_verdict(row.conf_low, row.conf_high, null=null, unit=unit, above="off", below="off"))


def score_told(quality: pd.DataFrame) -> dict[str, Any]:
    """Say which forecast the test lets one use: the score only where it beats the better simpler one.

    Parameters
    ----------
    quality : DataFrame
        Result of `score_quality`.

    Returns
    -------
    dict
        `used`: "score" (it beats the base rate and the simple score), "simple" (it beats the base rate, and
        the score is not shown to beat it), "base" (neither is of use, or too few rows); `claim`: the same,
        with "_ranks" behind it where it beats another by its order alone, and then "_chance" where the simple
        score does worse than the base rate or a coin, which is the bar instead; "unclear" (the score beats
        the base rate, but not the simple one, which beats nothing), "too_few" (in the test) and "few_events"
        (in the fit: no score); `verdict` ahead, no_difference_shown, behind or not_enough_data; `metric,
        estimate, conf_low, conf_high`: part of the base rate's error that is saved ("brier_gain"; for "base"
        by the score, for "unclear" the score's part of the simple one's), for "score_ranks" the area gained
        on the simple score ("auc_gain"), for "simple_ranks" and "score_ranks_chance" the area
        ("ranked_right"); `cases, events, auc, auc_low, auc_high, slope, slope_low, slope_high, auc_share`
        (the same as `auc`, to be said as a share of pairs), `simple_auc_share` and `note`.

    Notes
    -----
    One forecast beats another by less error, or by a better order at no more error. Where an event is rare,
    errors hardly tell a good order from none.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rows = pd.DataFrame({"p_score": rng.beta(1, 3, 3_000), "p_base": 0.25})
    >>> rows["outcome"] = rng.random(3_000) < rows["p_score"]
    >>> score_told(score_quality(rows.assign(p_simple=rows["p_score"])))["claim"]
    'simple'
    """
    names = zip(quality["forecast"], quality["metric"], quality["other_forecast"].fillna(""), strict=True)
    rows = dict(zip(names, quality.to_dict("records"), strict=True))
    pairs = (("score", "base"), ("score", "simple"), ("simple", "base"))
    errors = {pair: rows[pair[0], "brier_gain", pair[1]]["verdict"] for pair in pairs}
    orders = {pair: rows[pair[0], "auc", ""]["verdict"] for pair in pairs}
    orders["score", "simple"] = rows["score", "auc_gain", "simple"]["verdict"]
    is_no_bar = {
        "errors": rows["simple", "brier_gain", "base"]["estimate"] < 0,
        "orders": rows["simple", "auc", ""]["estimate"] < 0.5,
    }
    for measure, held in (("errors", errors), ("orders", orders)):
        if is_no_bar[measure]:
            held["score", "simple"] = held["score", "base"]
    beats = {pair: "ahead" in (errors[pair], orders[pair]) and errors[pair] != "behind" for pair in pairs}
    used = "score" if all(beats[pair] for pair in pairs[:2]) else "simple" if beats[pairs[2]] else "base"
    nearer = all(errors[pair] == "ahead" for pair in (pairs[:2] if used == "score" else pairs[2:]))
    claim = used if nearer or used == "base" else f"{used}_ranks"
    if used == "score" and is_no_bar["errors" if nearer else "orders"]:
        claim += "_chance"
    note = rows["score", "auc", ""]["note"]
    if set(errors.values()) == {"not_enough_data"}:
        used, claim = "base", "too_few"
    elif used == "base" and note == "few_events":
        claim = note
    elif used == "base" and beats[pairs[0]]:
        claim = "unclear"
    shown = "simple" if used == "simple" else "score"
    of_claim = {"score_ranks": ("score", "auc_gain", "simple"), "score_ranks_chance": ("score", "auc", "")}
    of_claim |= {"simple_ranks": ("simple", "auc", ""), "unclear": ("score", "brier_gain", "simple")}
    gain = rows[of_claim.get(claim, (shown, "brier_gain", "base"))]
    untold = dict.fromkeys(["too_few", "few_events"], "not_enough_data")
    verdict = (untold | dict.fromkeys(["base", "unclear"], gain["verdict"])).get(claim, "ahead")
    told = {"used": used, "claim": claim, "verdict": verdict, "note": note}
    told |= {"metric": "ranked_right" if gain["metric"] == "auc" else gain["metric"], "cases": gain["n"]}
    told |= {name: gain[name] for name in ("estimate", "conf_low", "conf_high", "events")}
    for name, metric in (("auc", "auc"), ("slope", "calibration_slope")):
        row = rows[shown, metric, ""]
        told |= {name: row["estimate"], f"{name}_low": row["conf_low"], f"{name}_high": row["conf_high"]}
    return told | {"auc_share": told["auc"], "simple_auc_share": rows["simple", "auc", ""]["estimate"]}
