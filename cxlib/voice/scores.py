"""NPS, CSAT and CES with intervals that hold for few answers, weights and several answers per customer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.checks import fail_option
from cxlib.data.scales import best_boxes, satisfied_from
from cxlib.stats.arrays import Array
from cxlib.stats.bootstrap import bootstrap_interval, resampled_sums
from cxlib.stats.intervals import Interval, agreeing_limits, critical_value, share_interval
from cxlib.voice.answers import Answers, Scale, effective_n, read_answers, scale_notes
from cxlib.voice.attitudes import DETRACTOR, PROMOTER, nps_points
from cxlib.voice.nps_limits import NPS_METHODS, nps_interval

N_BOOT = 2000


def nps(
    data: pd.DataFrame,
    *,
    score_col: str = "nps_score",
    by: str | list[str] | None = None,
    weight_col: str | None = None,
    cluster_col: str | None = None,
    method: str = "adjusted_wald",
    conf_level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Net Promoter Score in points (-100…100) with its interval.

    Parameters
    ----------
    data : DataFrame
        One row per answer.
    score_col : str
        Likelihood to recommend, whole 0–10; missing answers are counted, never taken for passives.
    by : str or list of str, optional
        Group columns; a missing group is a group.
    weight_col : str, optional
        Weights above 0; an answer without a weight counts as missing.
    cluster_col : str, optional
        Customer or account: several answers of one count as one cluster.
    method : {"adjusted_wald", "wald", "score", "bootstrap"}
    conf_level : float
    seed : int
        Only for the bootstrap.

    Returns
    -------
    DataFrame
        Group columns, ``metric`` ("nps"), ``estimate, std_error, conf_low, conf_high`` (points, clipped to
        ±100), ``n`` answers, ``n_missing``, ``customers`` (clusters, if given), ``n_effective``,
        ``promoter_share, passive_share, detractor_share`` (0–1) and the ``method`` used in the row: Wald and
        bootstrap have no width when all answers agree, such rows fall back to the adjusted Wald interval;
        ``note`` where 30 answers or more never use an end of the scale (`scale_notes`: is it 1–10?).

    Raises
    ------
    ParameterError
        For a missing column, a score that is not a whole 0–10, a weight of 0 or less, an unknown method.

    Notes
    -----
    NPS = 100(p - d), variance p + d - (p - d)² over the effective n: Kish's for weights, n over the design
    effect for clusters, with t instead of the normal for few clusters. Assumes that groups are not chosen by
    their score.

    References
    ----------
    Rocks (2016) The American Statistician 70(4); Korn & Graubard (1998) Survey Methodology 24.

    Examples
    --------
    >>> answers = pd.DataFrame({"nps_score": [10, 9, 9, 8, 7, 3]})
    >>> nps(answers)[["estimate", "conf_low", "conf_high", "n"]].round(1).to_numpy().tolist()
    [[33.3, -26.7, 71.2, 6.0]]
    """
    if method not in (*NPS_METHODS, "bootstrap"):
        fail_option("method", method, (*NPS_METHODS, "bootstrap"))
    answers = read_answers(data, score_col, (0, 10), by=by, weight_col=weight_col, cluster_col=cluster_col)
    points = nps_points(answers.score)
    shares = np.array([answers.mean(points == value) for value in (100, 0, -100)])
    n_error, n_limits = effective_n(answers, points, conf_level=conf_level)
    closed = "adjusted_wald" if method == "bootstrap" else method
    interval = _nps_interval(shares, n_error, n_limits, closed, conf_level)
    if method == "bootstrap":
        resampled = _bootstrap(answers, points, conf_level=conf_level, seed=seed)
        interval = Interval(interval[0], *resampled)
    used = np.full(len(answers.keys), method, dtype=object)
    if method in ("wald", "bootstrap"):
        flat = ~(np.asarray(interval.conf_low) < interval.conf_high) & (answers.n > 0)
        adjusted = _nps_interval(shares, n_error, n_limits, "adjusted_wald", conf_level)
        interval = Interval(*(np.where(flat, one, two) for one, two in zip(adjusted, interval, strict=True)))
        used[flat] = "adjusted_wald"
    parts = dict(zip(("promoter_share", "passive_share", "detractor_share"), shares, strict=True))
    return _frame(
        answers,
        "nps",
        interval,
        n_effective=n_error,
        **parts,
        method=used,
        note=scale_notes(answers, (0, 10)),
    )


def score_distribution(
    data: pd.DataFrame,
    *,
    score_col: str = "nps_score",
    weight_col: str | None = None,
    cluster_col: str | None = None,
    min_cell: int | None = None,
) -> pd.DataFrame:
    """Count the answers at each score 0–10 of the likelihood to recommend.

    Parameters
    ----------
    data : DataFrame
        One row per answer; missing scores are left out.
    score_col : str
    weight_col : str, optional
        Weights above 0; an answer without a weight is left out.
    cluster_col : str, optional
        Customer, to count customers too.
    min_cell : int, optional
        Join neighbouring scores of detractors (0–6), passives (7–8) or promoters (9–10) until each row stands
        for that many customers (answers without `cluster_col`). Empty where one of the three has fewer, but
        any: then no distribution can be shown.

    Returns
    -------
    DataFrame
        ``score`` 0 to 10 and ``score_to`` (last score of the row, the same unless joined), ``metric``
        ("share"), ``estimate`` (share of answers or of their
        weights, 0–1), ``n`` answers with these scores, with `cluster_col`
        also ``customers``.

    Raises
    ------
    ParameterError
        For a missing column or a score that is not a whole 0–10.

    Examples
    --------
    >>> score_distribution(pd.DataFrame({"nps_score": [10, 10, 3]}))["n"].tolist()
    [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2]
    >>> answers = pd.DataFrame({"nps_score": [2, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10]})
    >>> score_distribution(answers, min_cell=2)[["score", "score_to", "n"]].to_numpy().tolist()[:2]
    [[0, 5, 3], [6, 6, 2]]
    """
    answers = read_answers(data, score_col, (0, 10), weight_col=weight_col, cluster_col=cluster_col)
    score, alone = answers.score.astype(int), np.arange(len(answers.score))
    who = alone if answers.cluster is None else answers.cluster
    rows = [(low, low) for low in range(11)]
    if min_cell is not None:
        edges = ((0, DETRACTOR), (DETRACTOR + 1, PROMOTER - 1), (PROMOTER, 10))
        parts = [_join_scores(score, who, *ends, min_cell) for ends in edges]
        rows = [] if None in parts else [row for part in parts for row in part or []]
    inside = [(score >= low) & (score <= high) for low, high in rows]
    n = np.array([held.sum() for held in inside], dtype=int)
    weight = np.ones(len(score)) if answers.weight is None else answers.weight
    share = np.array([weight[held].sum() for held in inside]) / weight.sum() if n.sum() else n * np.nan
    ends = {"score": [low for low, _ in rows], "score_to": [high for _, high in rows]}
    frame = pd.DataFrame({**ends, "metric": "share", "estimate": share, "n": n})
    if answers.cluster is not None:
        frame["customers"] = [len(np.unique(who[held])) for held in inside]
    return frame


def _join_scores(
    score: NDArray[np.int64], who: NDArray[np.int64], low: int, high: int, least: int
) -> list[tuple[int, int]] | None:
    """Join scores from the lowest until each row has `least` people; None where all of them are too few."""
    total = len(np.unique(who[(score >= low) & (score <= high)]))
    if total < least:
        return None if total else [(low, high)]
    rows: list[tuple[int, int]] = []
    start = low
    for end in range(low, high + 1):
        if len(np.unique(who[(score >= start) & (score <= end)])) >= least:
            rows, start = [*rows, (start, end)], end + 1
    return rows if start > high else [*rows[:-1], (rows[-1][0], high)]


def csat(
    data: pd.DataFrame,
    *,
    scale: Scale,
    score_col: str = "csat_score",
    by: str | list[str] | None = None,
    weight_col: str | None = None,
    cluster_col: str | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Satisfaction as the share of answers in the best boxes (0–1), the mean beside it.

    Parameters
    ----------
    data : DataFrame
        One row per answer.
    scale : tuple of two numbers
        Lowest and highest box of the question asked, highest is best. The best box of two or three points
        counts, two of four to seven, three of eight or more.
    score_col : str
        Whole numbers on `scale`; missing answers are counted and left out.
    by, weight_col, cluster_col, conf_level
        As in `nps`.

    Returns
    -------
    DataFrame
        Group columns, ``metric`` ("csat"), ``estimate, std_error, conf_low, conf_high`` (share, Wilson on the
        effective n), ``n, n_missing, n_effective``, ``mean, mean_std_error, mean_conf_low, mean_conf_high``
        (unit of the scale, Student's t), ``best_boxes`` (how many
        count), ``note`` as in `scale_notes`.

    Raises
    ------
    ParameterError
        For a missing column, a score off the scale, a weight of 0 or less.

    References
    ----------
    Wilson (1927); Korn & Graubard (1998) Survey Methodology 24.

    Examples
    --------
    >>> answers = pd.DataFrame({"csat_score": [5, 4, 3, None]})
    >>> csat(answers, scale=(1, 5))[["estimate", "mean", "n", "n_missing"]].round(2).to_numpy().tolist()
    [[0.67, 4.0, 3.0, 1.0]]
    """
    answers = read_answers(data, score_col, scale, by=by, weight_col=weight_col, cluster_col=cluster_col)
    share, n_error = _share(answers, answers.score >= satisfied_from(scale), conf_level)
    frame = _frame(answers, "csat", share, n_effective=n_error)
    return frame.assign(
        **_beside("mean", _mean(answers, conf_level, scale)),
        best_boxes=best_boxes(scale),
        note=scale_notes(answers, scale),
    )


def ces(
    data: pd.DataFrame,
    *,
    scale: Scale,
    direction: str,
    score_col: str = "ces_score",
    by: str | list[str] | None = None,
    weight_col: str | None = None,
    cluster_col: str | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Effort of customers as the mean on its own scale, the share of high effort (0–1) beside it.

    Parameters
    ----------
    data : DataFrame
        One row per answer.
    scale : tuple of two numbers
        Lowest and highest box of the question asked.
    direction : {"ease", "effort"}
        What a high score means: it was easy (CES 2.0), or it cost much effort (the older question).
    score_col : str
        Whole numbers on `scale`; missing answers are counted and left out.
    by, weight_col, cluster_col, conf_level
        As in `nps`.

    Returns
    -------
    DataFrame
        Group columns, ``metric`` ("ces"), ``estimate, std_error, conf_low, conf_high`` (mean, t), ``n,
        n_missing, n_effective``, ``high_effort, high_effort_std_error, high_effort_conf_low,
        high_effort_conf_high`` (share on the difficult side of the scale's middle, Wilson), ``direction``,
        ``note`` as in `scale_notes`.

    Raises
    ------
    ParameterError
        For a missing column, a score off the scale, an unknown direction, a weight of 0 or less.

    References
    ----------
    Dixon, Freeman & Toman (2010) Harvard Business Review.

    Examples
    --------
    >>> answers = pd.DataFrame({"ces_score": [7, 6, 2, 5]})
    >>> ces(answers, scale=(1, 7), direction="ease")[["estimate", "high_effort"]].to_numpy().tolist()
    [[5.0, 0.25]]
    """
    if direction not in ("ease", "effort"):
        fail_option("direction", direction, ("ease", "effort"))
    answers = read_answers(data, score_col, scale, by=by, weight_col=weight_col, cluster_col=cluster_col)
    middle = (scale[0] + scale[1]) / 2
    hard = answers.score < middle if direction == "ease" else answers.score > middle
    share, _ = _share(answers, hard, conf_level)
    n_error, _ = effective_n(answers, answers.score, conf_level=conf_level)
    frame = _frame(answers, "ces", _mean(answers, conf_level, scale), n_effective=n_error)
    return frame.assign(
        **_beside("high_effort", share), direction=direction, note=scale_notes(answers, scale)
    )


def _nps_interval(shares: Array, n_error: Array, n_limits: Array, method: str, conf_level: float) -> Interval:
    """NPS from shares, its error on one effective n and its limits on another (they differ by clusters)."""
    counts = np.nan_to_num(shares)
    exact = nps_interval(*(counts * n_error), method=method, conf_level=conf_level)
    limits = nps_interval(*(counts * n_limits), method=method, conf_level=conf_level)
    return Interval(exact.estimate, exact.std_error, limits.conf_low, limits.conf_high)


def _share(answers: Answers, hit: NDArray[np.bool_], conf_level: float) -> tuple[Interval, Array]:
    """Share per group with Wilson limits on the effective n, and that n."""
    n_error, n_limits = effective_n(answers, hit.astype(float), conf_level=conf_level)
    share = np.nan_to_num(answers.mean(hit))
    exact = share_interval(share * n_error, n_error, conf_level=conf_level)
    limits = share_interval(share * n_limits, n_limits, conf_level=conf_level)
    return Interval(exact.estimate, exact.std_error, limits.conf_low, limits.conf_high), n_error


def _mean(answers: Answers, conf_level: float, scale: Scale) -> Interval:
    """Mean per group with t limits on the effective n; where all agree, as far as the scale goes."""
    n_error, n_limits = effective_n(answers, answers.score, conf_level=conf_level)
    mean = answers.mean(answers.score)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.maximum(answers.mean(answers.score**2) - mean**2, 0)
        std_error, error = (
            np.where(n > 1, np.sqrt(variance / np.maximum(n - 1, 1e-9)), np.nan) for n in (n_error, n_limits)
        )
    t = critical_value(conf_level, df=n_error - 1) if answers.cluster is None else critical_value(conf_level)
    limits = Interval(mean, std_error, mean - t * error, mean + t * error)
    return agreeing_limits(limits, n_limits, conf_level=conf_level, bounds=(float(scale[0]), float(scale[1])))


def _bootstrap(
    answers: Answers, points: Array, *, conf_level: float, seed: int
) -> tuple[Array, Array, Array]:
    """Percentile limits of the NPS per group, by rows or by whole clusters."""
    weight = np.ones(len(points)) if answers.weight is None else answers.weight
    limits = []
    for code in range(len(answers.keys)):
        rows = answers.group == code
        clusters = None if answers.cluster is None else answers.cluster[rows]
        columns = [points[rows] * weight[rows], weight[rows]]
        blocks = resampled_sums(columns, n_boot=N_BOOT, seed=seed, clusters=clusters)
        drawn = np.vstack(list(blocks)) if rows.any() else np.full((1, 2), np.nan)
        limits.append(bootstrap_interval(drawn[:, 0] / drawn[:, 1], conf_level=conf_level))
    std_error, low, high = np.array(limits, dtype=float).reshape(-1, 3).T
    return std_error, low, high


def _beside(name: str, interval: Interval) -> dict[str, Array]:
    """Columns of a second figure shown beside the first."""
    ends = ("", "_std_error", "_conf_low", "_conf_high")
    return {f"{name}{end}": np.asarray(value) for end, value in zip(ends, interval, strict=True)}


def _frame(answers: Answers, metric: str, interval: Interval, **extra: Any) -> pd.DataFrame:
    """Tidy result: group columns, metric, estimate with its interval, answers, extras."""
    counts = {"n": answers.n.astype(int), "n_missing": answers.n_missing}
    if answers.cluster is not None:
        counts["customers"] = answers.n_clusters.astype(int)
    return answers.keys.assign(metric=metric, **interval._asdict(), **counts, **extra)
