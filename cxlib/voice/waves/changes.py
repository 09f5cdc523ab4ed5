"""Did the score move? Differences between two waves or groups, and answers needed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.checks import ParameterError, check_columns, check_frame, fail_option
from cxlib.data.convert import among
from cxlib.stats.arrays import Array
from cxlib.stats.intervals import Interval, critical_value, false_discovery
from cxlib.stats.sums_by_cluster import cluster_totals
from cxlib.stats.verdicts import limits_side
from cxlib.voice.answers import Answers, Scale, scale_notes
from cxlib.voice.waves.two_waves import WAVE, Codes, clustered_variance, score_values, two_waves
from cxlib.voice.waves.wave_difference import Sides, difference, flat_variance, two_sides

METRICS = ("nps", "csat", "mean")


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
        Points, share of the best boxes (0–1), or mean of the score.
    score_col : str
    scale : tuple of two numbers, optional
        Lowest and highest answer; needed for "csat" and "mean".
    by : str or list of str, optional
        Group columns; p-values are then adjusted for false discoveries over the groups.
    customer_id_col : str, optional
        Customers who answered in both waves are taken as paired. None: all answers independent.
    min_answers : int
        Customers (answers without `customer_id_col`) below which in either wave the verdict is
        "too_few_answers".
    conf_level : float

    Returns
    -------
    DataFrame
        Group columns, ``metric`` ("nps_change", …), ``before, after``, ``estimate, std_error, conf_low,
        conf_high`` (after - before), ``statistic, p_value, p_adjusted``, ``n_before, n_after, n_paired``,
        ``n`` and ``customers`` (with `customer_id_col`) of the smaller wave, ``verdict`` (risen, fallen,
        no_difference_shown, too_few_answers; by the adjusted p-value) and ``note`` where one of the waves
        never uses an end of the scale (`scale_notes`: was the same question asked?). For "nps" and "csat" the
        statistic is the critical value at which the interval reaches zero.

    Raises
    ------
    ParameterError
        For a missing or reserved column, a bad score, an unknown metric, "csat" or "mean" without a scale.

    Notes
    -----
    Each wave keeps limits that hold near the ends of the scale, l and u (Tango's score limits of an NPS,
    Wilson's of a share, on the answers over their design effect by customer); the difference d = m₁ - m₀
    reaches down to d - √((m₁-l₁)² + (u₀-m₀)² - 2r(m₁-l₁)(u₀-m₀)) and up alike, with the correlation r of the
    two means over customers who answered in both (Newcombe). The p-value is 1 less the level at which this
    interval reaches zero. By simulation its size is 3.5 to 5.5 % for 30 answers or more against 30 to 2,000
    at an NPS of -50 to 88; for two small waves near an end it is lower. "mean": influences (x - mean)/n
    summed by customer, t with G-1 degrees. The standard error is that of the influences; a wave in which all
    answers agree adds the adjusted Wald one.

    References
    ----------
    Newcombe (1998) Statistics in Medicine 17, 873–890; Tango (1998) ibid., 891–908; Zou & Donner (2008)
    ibid. 27; Liang & Zeger (1986) Biometrika 73; Benjamini & Hochberg (1995) JRSS-B 57.

    Examples
    --------
    >>> one, two = pd.DataFrame({"nps_score": [9, 7, 3] * 20}), pd.DataFrame({"nps_score": [10, 9, 8] * 20})
    >>> result = score_change(one, two, customer_id_col=None)
    >>> float(result["estimate"].iloc[0].round(1)), result["verdict"].iloc[0]
    (66.7, 'risen')
    """
    limits = metric_scale(metric, scale)
    group_cols = [by] if isinstance(by, str) else list(by or [])
    answers = two_waves(before, after, score_col, limits, group_cols, customer_id_col)
    measured = measure(answers, metric, limits, conf_level=conf_level, group_cols=group_cols)
    return judged(measured, metric, group_cols, min_answers=min_answers, conf_level=conf_level)


def metric_scale(metric: str, scale: Scale | None) -> Scale:
    """Return the scale of a metric: 0 to 10 for the NPS, the one given for the others."""
    if metric not in METRICS:
        fail_option("metric", metric, METRICS)
    limits = (0, 10) if metric == "nps" else scale
    if limits is None:
        raise ParameterError("nps.scale_needed", metric=metric)
    return limits


def measure(
    answers: Answers, metric: str, limits: Scale, *, conf_level: float, group_cols: Sequence[str] = ()
) -> pd.DataFrame:
    """Return change, limits, statistic and p-value of two waves, or of two sides, per group."""
    from scipy.special import ndtr, stdtr

    values = score_values(answers, metric, limits)
    frame, sides, variance, df = _contrast(answers, values, list(group_cols))
    frame["estimate"] = frame["after"] - frame["before"]
    width = {"nps": (0.0, 100.0), "csat": (0.0, 1.0)}.get(metric, (limits[0], limits[1] - limits[0]))
    frame["std_error"] = np.sqrt(variance + flat_variance(sides, *width))
    if metric == "mean":
        half = critical_value(conf_level, df=df) * frame["std_error"]
        frame["conf_low"], frame["conf_high"] = frame["estimate"] - half, frame["estimate"] + half
        frame["statistic"] = frame["estimate"] / frame["std_error"]
        frame["p_value"] = 2 * stdtr(np.maximum(df, 1), -np.abs(frame["statistic"].to_numpy()))
    else:
        frame["conf_low"], frame["conf_high"], frame["statistic"] = difference(sides, metric, conf_level)
        frame["p_value"] = 2 * ndtr(-np.abs(frame["statistic"].to_numpy()))
    return frame.assign(note=pd.Series(_either(scale_notes(answers, limits), sides), dtype=object))


def judged(
    measured: pd.DataFrame, metric: str, group_cols: Sequence[str], *, min_answers: int, conf_level: float
) -> pd.DataFrame:
    """Add adjusted p-values and verdicts over all rows, and put the columns in order."""
    unit = {"nps": "points", "csat": "pp"}.get(metric, "score")
    frame = _tested(measured, unit, min_answers=min_answers, conf_level=conf_level)
    ends = ["statistic", "p_value", "p_adjusted", "n_before", "n_after", "n_paired", "n", "verdict"]
    middle = ["before", "after", *Interval._fields]
    people = ["customers"] if frame["is_clustered"].all() else []
    return frame.assign(metric=f"{metric}_change")[[*group_cols, "metric", *middle, *ends, *people, "note"]]


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
    check_frame(before, argument="before")
    check_frame(after, argument="after")
    check_columns(before, score_col=score_col, customer_id_col=customer_id_col)
    check_columns(after, score_col=score_col, customer_id_col=customer_id_col)
    scored = [wave[wave[score_col].notna()] for wave in (before, after)]
    kept = [
        wave[among(wave[customer_id_col], other[customer_id_col].dropna())]
        for wave, other in zip(scored, scored[::-1], strict=True)
    ]
    return score_change(*kept, customer_id_col=customer_id_col, **options)


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
    power : float
        Above 0.5 and below 1.
    conf_level : float

    Returns
    -------
    int
        Answers (per wave for a change), before any design effect.

    Raises
    ------
    ParameterError
        Unless exactly one of `margin` and `change` is given and above 0, or for a variance or power off its
        range.

    Examples
    --------
    >>> sample_size(margin=5, variance=0.6), sample_size(change=5, variance=0.6), sample_size(change=10)
    (922, 3768, 1099)
    """
    asked = [value for value in (margin, change) if value is not None]
    if len(asked) != 1 or not 0 < asked[0] < np.inf:
        raise ParameterError("nps.sample_size", margin=margin, change=change)
    if not 0 < variance <= 1:
        raise ParameterError("nps.variance", found=variance)
    if not 0.5 < power < 1:
        raise ParameterError("nps.power", found=power)
    z = critical_value(conf_level)
    if change is None:
        return ceil(variance * (100 * z / asked[0]) ** 2)
    return ceil(2 * variance * (100 * (z + critical_value(2 * power - 1)) / asked[0]) ** 2)


def everyone_else(data: pd.DataFrame, *, by: str, groups: Iterable[Any] | None = None) -> pd.DataFrame:
    """Give, for each group, the answers of all others under that group's name: what to compare a group with.

    `groups` limits this to some of the groups; the others are still everyone else.

    Examples
    --------
    >>> everyone_else(pd.DataFrame({"g": ["a", "a", "b"], "nps_score": [9, 8, 3]}), by="g").to_dict("list")
    {'g': ['a', 'b', 'b'], 'nps_score': [3, 9, 8]}
    """
    check_frame(data)
    check_columns(data, by=by)
    named = data[by].dropna().unique() if groups is None else groups
    others = [data[data[by] != group].assign(**{by: group}) for group in named]
    return pd.concat(others, ignore_index=True) if others else data.head(0)


def _either(notes: NDArray[np.object_], sides: Sides) -> NDArray[np.object_]:
    """Return the note of either wave for each group; both ends where the two leave different ones unused."""
    before, after = np.array([*notes, None], dtype=object)[sides.at]
    found = np.where(pd.isna(after), before, after)
    return np.where(pd.isna(before) | (before == found), found, "both_ends_unused")


def _contrast(
    answers: Answers, values: Array, group_cols: list[str]
) -> tuple[pd.DataFrame, Sides, Array, Codes]:
    """Return group keys with both means and counts, both sides, the variance and its degrees of freedom."""
    side = answers.keys[WAVE].to_numpy(dtype=int)
    if group_cols:
        groups = answers.keys.groupby(group_cols, dropna=False, observed=True)
        code, frame = groups.ngroup().to_numpy(), groups.size().index.to_frame(index=False)
    else:
        code, frame = np.zeros(len(side), dtype=int), pd.DataFrame(index=range(1))
    sides = two_sides(answers, values, code, side, len(frame))
    mean, n = answers.mean(values), answers.n
    people = n if answers.cluster is None else answers.n_clusters
    frame["before"], frame["after"] = sides.of_groups(mean)
    for name, each in (("n", n), ("people", people)):
        counts = np.nan_to_num(sides.of_groups(each)).astype(int)
        frame[f"{name}_before"], frame[f"{name}_after"] = counts
    sign = np.where(side[answers.group] == 1, 1.0, -1.0)
    influence = sign * (values - mean[answers.group]) / n[answers.group]
    variance, df = clustered_variance(answers, influence, code[answers.group], len(frame))
    frame["n_paired"] = _paired(answers, code, side, len(frame))
    frame["is_clustered"] = answers.cluster is not None
    enough = frame[["people_before", "people_after"]].min(axis=1) > 1
    return frame, sides, np.where(enough, variance, np.nan), df


def _paired(answers: Answers, code: Codes, side: Codes, n_groups: int) -> Codes:
    """Count the customers of each group who answered in both waves."""
    if answers.cluster is None:
        return np.zeros(n_groups, dtype=int)
    group, is_after = code[answers.group], side[answers.group] == 1
    owner, _, before = cluster_totals((~is_after).astype(float), group, answers.cluster, n_groups)
    after = cluster_totals(is_after.astype(float), group, answers.cluster, n_groups)[2]
    return np.bincount(owner[(before > 0) & (after > 0)], minlength=n_groups)


def _tested(frame: pd.DataFrame, unit: str, *, min_answers: int, conf_level: float) -> pd.DataFrame:
    """Add test, adjusted p-value and verdict; the test and the limits as shown must agree that it moved."""
    n = frame[["n_before", "n_after"]].min(axis=1)
    people = frame[["people_before", "people_after"]].min(axis=1)
    p_adjusted = false_discovery(np.where(people >= min_answers, frame["p_value"], np.nan))
    moved = np.where(frame["estimate"] > 0, "risen", "fallen")
    beyond = limits_side(frame["conf_low"], frame["conf_high"], unit=unit) != 0
    verdict = np.where((p_adjusted <= 1 - conf_level) & beyond, moved, "no_difference_shown")
    verdict = np.where(people < min_answers, "too_few_answers", verdict)
    frame = frame.assign(p_adjusted=p_adjusted, n=n, customers=people)
    return frame.assign(verdict=verdict)
