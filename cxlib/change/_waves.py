"""Did the score move? Differences between two waves, limits of chance over many, and answers needed."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from typing import Any

import numpy as np
import pandas as pd

from cxlib.answers import Answers, Scale, effective_n, read_answers
from cxlib.change._contrast import WAVE, Array, Codes, clustered_variance, score_values, two_waves
from cxlib.checks import ParameterError, check_columns, fail_option
from cxlib.intervals import critical_value, false_discovery, nps_interval

METRICS = ("nps", "csat", "mean")
SCALES: dict[str, Scale] = {"nps": (0, 10), "csat": (1, 5)}


def score_change(
    before: pd.DataFrame,
    after: pd.DataFrame,
    *,
    metric: str = "nps",
    score_col: str = "nps_score",
    scale: Scale | None = None,
    by: str | list[str] | None = None,
    customer_id_col: str | None = "customer_id",
    min_answers: int = 30,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Change of a score, after minus before, with interval, test and verdict.

    Parameters
    ----------
    before, after : DataFrame
        Answers of the two waves; missing scores are left out.
    metric : {"nps", "csat", "mean"}
        Points, share of the top two boxes (0–1), or mean of the score.
    score_col : str
    scale : tuple of two numbers, optional
        Needed for "mean"; 0–10 for "nps" and 1–5 for "csat" otherwise.
    by : str or list of str, optional
        Group columns; p-values are then adjusted for false discoveries over the groups.
    customer_id_col : str, optional
        Customers who answered in both waves are taken as paired. None: all answers independent.
    min_answers : int
        Below this in either wave the verdict is "too_few_answers".
    conf_level : float

    Returns
    -------
    DataFrame
        Group columns, ``metric``, ``before, after``, ``estimate, std_error, conf_low, conf_high`` (after -
        before), ``statistic, p_value, p_adjusted``, ``n_before, n_after, n_paired, n`` (the smaller wave) and
        ``verdict`` (risen, fallen, no_difference_shown, too_few_answers; by the adjusted p-value).

    Raises
    ------
    ParameterError
        For a missing column, a bad score, an unknown metric, or "mean" without a scale.

    Notes
    -----
    Each answer's influence (x - mean)/n, negative before, is summed by customer; the variance is the sum of
    squares times G/(G-1), so a customer's two answers count with their covariance. t with G-1 degrees.
    Waves in which all answers agree take the adjusted Wald error instead of none.

    References
    ----------
    Liang & Zeger (1986) Biometrika 73; Benjamini & Hochberg (1995) JRSS-B 57.

    Examples
    --------
    >>> one, two = pd.DataFrame({"nps_score": [9, 7, 3] * 20}), pd.DataFrame({"nps_score": [10, 9, 8] * 20})
    >>> result = score_change(one, two, customer_id_col=None)
    >>> float(result["estimate"].iloc[0].round(1)), result["verdict"].iloc[0]
    (66.7, 'risen')
    """
    if metric not in METRICS:
        fail_option("metric", metric, METRICS)
    limits = scale or SCALES.get(metric)
    if limits is None:
        raise ParameterError("nps.scale_needed")
    group_cols = [by] if isinstance(by, str) else list(by or [])
    answers = two_waves(before, after, score_col, limits, group_cols, customer_id_col)
    values = score_values(answers, metric, limits)
    frame, variance, df = _contrast(answers, values, group_cols)
    frame["estimate"] = frame["after"] - frame["before"]
    frame["std_error"] = np.sqrt(variance)
    flat = frame["std_error"] == 0
    frame.loc[flat, "std_error"] = (
        _flat_error(answers, values, group_cols)[flat] if metric == "nps" else np.nan
    )
    half = critical_value(conf_level, df=df) * frame["std_error"]
    frame["conf_low"], frame["conf_high"] = frame["estimate"] - half, frame["estimate"] + half
    frame = _tested(frame, df, min_answers=min_answers, conf_level=conf_level)
    ends = ["statistic", "p_value", "p_adjusted", "n_before", "n_after", "n_paired", "n", "verdict"]
    middle = ["before", "after", "estimate", "std_error", "conf_low", "conf_high"]
    return frame.assign(metric=metric)[[*group_cols, "metric", *middle, *ends]]


def paired_change(
    before: pd.DataFrame, after: pd.DataFrame, *, customer_id_col: str = "customer_id", **options: Any
) -> pd.DataFrame:
    """Change of the customers who answered in both waves, compared with themselves.

    As `score_change` (which takes the `options` too), without everybody who gave a score in one wave only.

    Examples
    --------
    >>> one = pd.DataFrame({"customer_id": ["a", "b", "c"], "nps_score": [6, 8, 0]})
    >>> two = pd.DataFrame({"customer_id": ["a", "b", "d"], "nps_score": [9, 9, 0]})
    >>> paired_change(one, two)[["estimate", "n_paired"]].to_numpy().tolist()
    [[150.0, 2.0]]
    """
    score_col = options.get("score_col", "nps_score")
    check_columns(before, score_col=score_col, customer_id_col=customer_id_col)
    check_columns(after, score_col=score_col, customer_id_col=customer_id_col)
    scored = [wave[wave[score_col].notna()] for wave in (before, after)]
    kept = [
        wave[wave[customer_id_col].isin(other[customer_id_col].dropna())]
        for wave, other in zip(scored, scored[::-1], strict=True)
    ]
    return score_change(*kept, customer_id_col=customer_id_col, **options)


def wave_chart(
    data: pd.DataFrame,
    *,
    wave_col: str = "wave",
    score_col: str = "nps_score",
    cluster_col: str | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """NPS of every wave with its interval, beside the limits within which it wanders by chance alone.

    Parameters
    ----------
    data : DataFrame
        Answers; those without wave or score are left out.
    wave_col : str
        Wave, in sorting order of time.
    score_col : str
    cluster_col : str, optional
        Customer, when one may answer several times in a wave.
    conf_level : float

    Returns
    -------
    DataFrame
        ``wave``, ``metric`` ("nps"), ``estimate, std_error, conf_low, conf_high`` (points), ``n``, ``centre``
        (NPS of all waves together), ``limit_low, limit_high`` (centre ± 3 standard errors of that wave's n,
        cut at ±100), ``is_signal`` (nullable; outside the limits). Signals need at least four waves.

    Raises
    ------
    ParameterError
        For a missing column or a bad score.

    References
    ----------
    Montgomery, Introduction to Statistical Quality Control, ch. 7.

    Examples
    --------
    >>> answers = pd.DataFrame({"wave": ["1", "2"] * 20, "nps_score": [10, 6] * 20})
    >>> wave_chart(answers)[["estimate", "centre"]].to_numpy().tolist()
    [[100.0, 0.0], [-100.0, 0.0]]
    """
    check_columns(data, wave_col=wave_col)
    known = data[data[wave_col].notna()]
    answers = read_answers(known, score_col, (0, 10), by=wave_col, cluster_col=cluster_col)
    points = score_values(answers, "nps", (0, 10))
    shares = np.nan_to_num([answers.mean(points == value) for value in (100, 0, -100)])
    n_effective, n_limits = effective_n(answers, points, conf_level=conf_level)
    interval = nps_interval(*(shares * n_limits), conf_level=conf_level)
    centre = points.mean() if len(points) else np.nan
    with np.errstate(divide="ignore"):
        reach = 3 * np.sqrt(points.var() / n_effective) if len(points) else np.full(len(n_limits), np.nan)
    frame = pd.DataFrame({"wave": answers.keys[wave_col], "metric": "nps", **interval._asdict()})
    frame["n"], frame["centre"] = answers.n.astype(int), centre
    if cluster_col is not None:
        frame["customers"] = answers.n_clusters.astype(int)
    frame["limit_low"], frame["limit_high"] = (
        np.maximum(centre - reach, -100),
        np.minimum(centre + reach, 100),
    )
    outside = (frame["estimate"] < frame["limit_low"]) | (frame["estimate"] > frame["limit_high"])
    return frame.assign(is_signal=(outside & (len(frame) >= 4)).astype("boolean"))


def sample_size(
    *,
    margin: float | None = None,
    change: float | None = None,
    variance: float = 0.7,
    power: float = 0.8,
    conf_level: float = 0.95,
) -> int:
    """Answers needed for an NPS with a margin of error, or per wave to detect a change.

    Parameters
    ----------
    margin : float
        Half width of the interval in points.
    change : float
        Change in points to detect with `power` between two independent waves.
    variance : float
        p + d - (p - d)² of the answers, 0–1; 0.6 to 0.7 is common.
    power, conf_level : float

    Returns
    -------
    int
        Answers (per wave for a change), before any design effect.

    Raises
    ------
    ParameterError
        Unless exactly one of `margin` and `change` is given and above 0.

    Examples
    --------
    >>> sample_size(margin=5, variance=0.6), sample_size(change=5, variance=0.6), sample_size(change=10)
    (922, 3768, 1099)
    """
    asked = [value for value in (margin, change) if value is not None]
    if len(asked) != 1 or not asked[0] > 0:
        raise ParameterError("nps.sample_size", margin=margin, change=change)
    z = critical_value(conf_level)
    if change is None:
        return ceil(variance * (100 * z / asked[0]) ** 2)
    return ceil(2 * variance * (100 * (z + critical_value(2 * power - 1)) / asked[0]) ** 2)


def last_waves(data: pd.DataFrame, *, wave_col: str = "wave") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the answers of the last wave but one, and of the last; empty frames where there are fewer.

    Examples
    --------
    >>> before, after = last_waves(pd.DataFrame({"wave": ["2026Q1", "2026Q2", "2025Q4"]}))
    >>> before["wave"].tolist(), after["wave"].tolist()
    (['2026Q1'], ['2026Q2'])
    """
    check_columns(data, wave_col=wave_col)
    waves = [None, None, *sorted(data[wave_col].dropna().unique())][-2:]
    before, after = (data[data[wave_col] == wave] if wave is not None else data.head(0) for wave in waves)
    return before, after


def everyone_else(data: pd.DataFrame, *, by: str, groups: Iterable[Any] | None = None) -> pd.DataFrame:
    """Give, for each group, the answers of all others under that group's name: what to compare a group with.

    `groups` limits this to some of the groups; the others are still everyone else.

    Examples
    --------
    >>> everyone_else(pd.DataFrame({"g": ["a", "a", "b"], "nps_score": [9, 8, 3]}), by="g").to_dict("list")
    {'g': ['a', 'b', 'b'], 'nps_score': [3, 9, 8]}
    """
    check_columns(data, by=by)
    named = data[by].dropna().unique() if groups is None else groups
    others = [data[data[by] != group].assign(**{by: group}) for group in named]
    return pd.concat(others, ignore_index=True) if others else data.head(0)


def _contrast(answers: Answers, values: Array, group_cols: list[str]) -> tuple[pd.DataFrame, Array, Codes]:
    """Return group keys with both means and counts, the variance of the difference and its degrees."""
    side = answers.keys[WAVE].to_numpy(dtype=int)
    if group_cols:
        groups = answers.keys.groupby(group_cols, dropna=False, observed=True)
        code, frame = groups.ngroup().to_numpy(), groups.size().index.to_frame(index=False)
    else:
        code, frame = np.zeros(len(side), dtype=int), pd.DataFrame(index=range(1))
    mean, n = answers.mean(values), answers.n
    for place, name in enumerate(("before", "after")):
        here = side == place
        frame[name] = pd.Series(mean[here], index=code[here]).reindex(frame.index).to_numpy()
        frame[f"n_{name}"] = pd.Series(n[here], index=code[here]).reindex(frame.index).fillna(0).astype(int)
    sign = np.where(side[answers.group] == 1, 1.0, -1.0)
    influence = sign * (values - mean[answers.group]) / n[answers.group]
    variance, df = clustered_variance(answers, influence, code[answers.group], len(frame))
    frame["n_paired"] = _paired(answers, code, side, len(frame))
    return frame, np.where((frame["n_before"] > 1) & (frame["n_after"] > 1), variance, np.nan), df


def _flat_error(answers: Answers, points: Array, group_cols: list[str]) -> Array:
    """Return the adjusted Wald error of both waves together, for waves in which all answers agree."""
    counts = np.nan_to_num([answers.mean(points == value) for value in (100, 0, -100)]) * answers.n
    variance = pd.Series(nps_interval(*counts).std_error ** 2)
    if not group_cols:
        return np.sqrt([variance.sum()])
    code = answers.keys.groupby(group_cols, dropna=False, observed=True).ngroup()
    return np.sqrt(variance.groupby(code.to_numpy()).sum().to_numpy())


def _paired(answers: Answers, code: Codes, side: Codes, n_groups: int) -> Codes:
    """Count the customers of each group who answered in both waves."""
    if answers.cluster is None:
        return np.zeros(n_groups, dtype=int)
    where = pd.DataFrame(
        {"group": code[answers.group], "side": side[answers.group], "customer": answers.cluster}
    ).dropna()
    both = where.drop_duplicates().groupby(["group", "customer"]).size()
    return both[both == 2].groupby("group").size().reindex(range(n_groups), fill_value=0).to_numpy()


def _tested(frame: pd.DataFrame, df: Codes, *, min_answers: int, conf_level: float) -> pd.DataFrame:
    """Add test, adjusted p-value and verdict."""
    from scipy.special import stdtr

    statistic = (frame["estimate"] / frame["std_error"]).to_numpy()
    p_value = 2 * stdtr(np.maximum(df, 1), -np.abs(statistic))
    n = frame[["n_before", "n_after"]].min(axis=1)
    p_adjusted = false_discovery(np.where(n >= min_answers, p_value, np.nan))
    moved = np.where(frame["estimate"] > 0, "risen", "fallen")
    verdict = np.where(p_adjusted <= 1 - conf_level, moved, "no_difference_shown")
    verdict = np.where(n < min_answers, "too_few_answers", verdict)
    return frame.assign(statistic=statistic, p_value=p_value, p_adjusted=p_adjusted, n=n, verdict=verdict)
