"""What topics go with: the score without the comments on a topic, and the part of it each topic carries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import check_columns, check_frame
from cxlib.data.scales import satisfied_from
from cxlib.stats.arrays import Array
from cxlib.stats.intervals import critical_value, false_discovery
from cxlib.stats.number_columns import cluster_codes
from cxlib.stats.verdicts import limits_verdict
from cxlib.voice.answers import Scale, check_scale, check_scores
from cxlib.voice.topics.coding import mark_topics

#: Scale and metric of a score where nothing else is said; of any other column it is an NPS.
SCALES: dict[str, Scale] = {"csat_score": (1, 5)}
NPS_SCALE: Scale = (0, 10)
_COLUMNS = ["topic", "metric", "measure", "estimate", "std_error", "conf_low", "conf_high", "n", "customers"]
_COLUMNS += ["with_topic", "all_answers", "p_value", "p_adjusted", "verdict", "note"]


def topic_impact(
    answers: pd.DataFrame,
    topics: pd.DataFrame,
    *,
    score_col: str = "nps_score",
    scale: Scale | None = None,
    cluster_col: str = "customer_id",
    response_id_col: str = "response_id",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """How the score would move without the answers on each topic, and the part each topic carries.

    Parameters
    ----------
    answers : DataFrame
        One row per answer; those without a score are left out. Give the answers with a comment (`commented`)
        to compare topics among those who write.
    topics : DataFrame
        `response_id, topic`, from `code_comments` or from people; several topics per answer are usual.
    score_col : str
        Scores; by their `scale` an NPS or a share of satisfied answers.
    scale : tuple of two numbers, optional
        Ends of the scale of a satisfaction score. None: (1, 5) for `csat_score`, else NPS of 0 to 10.
    cluster_col : str
        Who answered; several answers of one customer count as one draw. Missing ones stand alone.
    response_id_col : str
    conf_level : float
        Also 1 minus the false-discovery rate at which a topic is named.

    Returns
    -------
    DataFrame
        Two rows per topic, in the order of first mention. `topic`; `metric`: "impact" (score of all answers
        minus the score without those on the topic: negative where it goes with low scores) or "carried" (its
        share of the deviations from the score of all, see Notes); `measure` ("nps" in points, "csat" in
        0–1); `estimate, std_error, conf_low, conf_high`; `n, customers` (answers on the topic, and whose);
        `with_topic, all_answers` (the score of each); `p_value, p_adjusted` (over the topics, by metric);
        `verdict` ("lifts", "lowers", "no_difference_shown", "not_enough_data"); `note` ("on_all": every
        answer is on it; "few": one customer).

    Raises
    ------
    ParameterError
        For a missing column, or a score off its scale.

    Notes
    -----
    Leaving out: n(S_topic − S)/(N − n) = S − S_without, an identity; these do not add up, for comments hold
    several topics. What adds up is "carried": each answer's deviation from the mean, over N, shared alike by
    its topics. That is the Shapley value of the game in which a set of topics earns the deviations of all
    answers that touch it; the topics together carry the deviations of the answers with any topic. Errors by
    linearisation over customers, with Student's t by the customers on the topic. An association: topics do
    not cause scores by being written.

    References
    ----------
    Shapley (1953); Binder (1983) International Statistical Review 51; Benjamini & Hochberg (1995) JRSS-B 57.

    Examples
    --------
    >>> answers = pd.DataFrame({"response_id": list("abcd"), "customer_id": list("wxyz")})
    >>> answers["nps_score"] = [2, 3, 9, 10]
    >>> on = pd.DataFrame({"response_id": ["a", "b", "c"], "topic": "delivery"})
    >>> round(float(topic_impact(answers, on)["estimate"].iloc[0]), 1)
    -100.0
    """
    check_frame(answers, argument="answers")
    check_columns(answers, score_col=score_col, cluster_col=cluster_col, response_id_col=response_id_col)
    measure, value = _valued(answers, score_col, scale)
    known = np.isfinite(value)
    held = answers[known].reset_index(drop=True)
    marks = mark_topics(held, topics, response_id_col=response_id_col)
    if marks.empty:
        return pd.DataFrame(columns=_COLUMNS)
    cluster = cluster_codes(held[cluster_col])
    found = _impacts(value[known], marks.to_numpy(float), cluster, conf_level)
    rows = [
        {"topic": topic, "metric": metric, "measure": measure}
        | {name: part[place] for name, part in own.items()}
        for place, topic in enumerate(marks.columns)
        for metric, own in found.items()
    ]
    table = pd.DataFrame(rows, columns=_COLUMNS)
    return _judged(table, conf_level=conf_level)


def _valued(answers: pd.DataFrame, score_col: str, scale: Scale | None) -> tuple[str, Array]:
    """Return the measure and what each answer is worth in it: -100, 0, 100 (NPS), 0 or 1 (satisfaction)."""
    scale = SCALES.get(score_col) if scale is None else scale
    if scale is None:
        score = check_scores(answers, score_col, NPS_SCALE)
        return "nps", np.where(np.isnan(score), np.nan, 100.0 * (score >= 9) - 100.0 * (score <= 6))
    check_scale(scale)
    score = check_scores(answers, score_col, scale)
    return "csat", np.where(np.isnan(score), np.nan, (score >= satisfied_from(scale)).astype(float))


def _impacts(value: Array, marks: Array, cluster: Any, conf_level: float) -> dict[str, dict[str, Array]]:
    """Both measures of every topic, with errors over customers: columns by topic."""
    n_all, n = len(value), marks.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = value.mean() if n_all else np.nan
        with_topic = marks.T @ value / n
        away = (value - mean)[:, None]
        without = (value.sum() - marks.T @ value) / (n_all - n)
        impact = n * (with_topic - mean) / (n_all - n)
        each = marks.sum(axis=1, keepdims=True)
        part = np.divide(marks, each, out=np.zeros_like(marks), where=each > 0)
        carried = (part * away).sum(axis=0) / n_all
        drop = away / n_all - (1 - marks) * (value[:, None] - without) / (n_all - n)
        share = (part * away - carried - away * part.mean(axis=0)) / n_all
    people = np.array([len(np.unique(cluster[marks[:, topic] > 0])) for topic in range(marks.shape[1])])
    shared: dict[str, Any] = {"n": n, "customers": people, "with_topic": with_topic}
    shared |= {"all_answers": np.full(len(n), mean)}
    found = {}
    for metric, estimate, influence in (("impact", impact, drop), ("carried", carried, share)):
        error = np.where(people >= 2, _error(influence, cluster), np.nan)
        half = critical_value(conf_level, df=people - 1) * error
        limits = {"estimate": estimate, "std_error": error, "conf_low": estimate - half}
        found[metric] = (
            limits | {"conf_high": estimate + half, "p_value": _p_value(estimate, error, people)} | shared
        )
    found["impact"]["note"] = np.where(n == n_all, "on_all", np.where(people < 2, "few", ""))
    return found


def _error(influence: Array, cluster: Any) -> Array:
    """Cluster-robust standard error of sums of influence: a column per topic."""
    n_clusters = int(cluster.max(initial=-1)) + 1
    sums = np.zeros((n_clusters, influence.shape[1]))
    np.add.at(sums, cluster, influence)
    used = len(np.unique(cluster))
    factor = used / (used - 1) if used > 1 else np.nan
    return np.asarray(np.sqrt(factor * (sums**2).sum(axis=0)))


def _p_value(estimate: Array, error: Array, people: Array) -> Array:
    """Two-sided p-values by Student's t; missing without an error."""
    from scipy.special import stdtr

    with np.errstate(invalid="ignore", divide="ignore"):
        t = np.abs(estimate / error)
    return np.where(error > 0, 2 * stdtr(np.maximum(people - 1, 1), -t), np.nan)


def _judged(table: pd.DataFrame, *, conf_level: float) -> pd.DataFrame:
    """Add the p-value for looking at all topics and the verdict, which needs both it and the interval."""
    table["p_adjusted"] = np.nan
    for _, own in table.groupby("metric"):
        table.loc[own.index, "p_adjusted"] = false_discovery(own["p_value"])
    unit = "pp" if (table["measure"] == "csat").any() else "points"
    verdict = limits_verdict(table["conf_low"], table["conf_high"], unit=unit, above="lifts", below="lowers")
    is_named = table["p_adjusted"] <= 1 - conf_level + 1e-12
    verdict = np.where(is_named, verdict, "no_difference_shown")
    table["verdict"] = np.where(table["p_value"].isna(), "not_enough_data", verdict)
    table["note"] = table["note"].fillna("")
    return table
