"""Stage means with their joint covariance, from sums per customer and stage.

Shared parts of this package: the answers of one customer may depend on each other everywhere, and the
interval of several comparisons at once comes from their covariance, never from resampled rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtr

from cxlib.checks import ParameterError, check_columns, check_group_names, fail_option, nearest
from cxlib.checks.near_names import looks_like_data
from cxlib.stats.intervals import Interval, critical_value
from cxlib.stats.joint_bands import largest_ratio
from cxlib.stats.number_columns import check_numbers

CURVES = ("pooled", "paired")
#: Columns of the results, which no group column may be called.
RESULT_NAMES = [
    *("metric", "stage", "stage_number", "from_stage", *Interval._fields),
    *("band_conf_low", "band_conf_high", "n", "n_answers", "coverage", "share_negative", "largest_share"),
    *("depth", "share_of_customers", "is_valley", "n_around", "verdict"),
]
_SEED, _DRAWS = 20260401, 40_000


class StageMeans(NamedTuple):
    """Stage means of one curve with their joint covariance: a class because the three travel together."""

    mean: np.ndarray
    cov: np.ndarray
    df: np.ndarray


class StageSums(NamedTuple):
    """Sums and numbers of scores, one row per customer and one column per stage."""

    total: np.ndarray
    n: np.ndarray


def known_curve(curve: str) -> str:
    """Return `curve` if it is one of `CURVES`, else raise with the options."""
    return curve if curve in CURVES else fail_option("curve", curve, CURVES)


class StageScores(NamedTuple):
    """Answers of one group as arrays: customer and stage codes, score (NaN = seen but unanswered)."""

    customer: np.ndarray
    stage: np.ndarray
    score: np.ndarray
    n_stages: int


def groups(
    events: pd.DataFrame,
    stage_order: Sequence[str],
    score_col: str,
    by: str | None,
    stage_col: str,
    customer_id_col: str,
) -> Iterator[tuple[dict[str, Any], StageScores]]:
    """Yield each group of `by` with its answers, checked; a contact without a customer is one by itself."""
    check_columns(events, score_col=score_col, by=by, stage_col=stage_col, customer_id_col=customer_id_col)
    check_group_names(by, RESULT_NAMES)
    stages = list(stage_order)
    if len(stages) < 2 or len(set(stages)) < len(stages):
        raise ParameterError("journey.stage_order", argument="stage_order", count=len(stages))
    stage = pd.Index(stages).get_indexer(pd.Index(events[stage_col]))
    if len(events) and (stage < 0).all() and events[stage_col].notna().any():
        found = events[stage_col].dropna().unique()[:5]
        listed = [name for name in map(str, stages) if not looks_like_data([name])]
        near = nearest(str(found[0]), listed) or "–"
        raise ParameterError("journey.no_known_stage", column=stage_col, nearest=near)
    customer = pd.factorize(events[customer_id_col])[0]
    guests = customer < 0
    customer[guests] = customer.max(initial=-1) + 1 + np.arange(guests.sum())
    held = events[score_col]
    numeric = pd.api.types.is_numeric_dtype(held)
    score = held.to_numpy(dtype=float, na_value=np.nan) if numeric else check_numbers(events, score_col)
    score = np.where(np.isfinite(score), score, np.nan)
    whole = StageScores(customer, stage, score, len(stages))
    if by is None:
        yield {}, _take(whole, stage >= 0)
        return
    label, names = pd.factorize(events[by], sort=True)
    if not len(names):
        yield {by: None}, _take(whole, stage >= 0)
    for number, name in enumerate(names):
        yield {by: name}, _take(whole, (stage >= 0) & (label == number))


def _take(group: StageScores, kept: np.ndarray) -> StageScores:
    if kept.all():
        return group
    return StageScores(group.customer[kept], group.stage[kept], group.score[kept], group.n_stages)


def sums(group: StageScores) -> StageSums:
    """Sum and count the scores of each customer at each stage."""
    answered = ~np.isnan(group.score)
    _, customer = np.unique(group.customer[answered], return_inverse=True)
    cell = customer * group.n_stages + group.stage[answered]
    size = (customer.max(initial=-1) + 1) * group.n_stages
    shape = (-1, group.n_stages)
    total = np.bincount(cell, weights=group.score[answered], minlength=size).reshape(shape)
    return StageSums(total, np.bincount(cell, minlength=size).reshape(shape))


def stage_moments(scores: StageSums, curve: str) -> StageMeans:
    """Return means and covariance over stages; NaN for unanswered stages.

    A few answers that happen to be equal do not say how far others would lie apart: such a stage has no
    degrees of freedom, and nothing that rests on it an interval.
    """
    n_stages = scores.n.shape[1]
    used = scores.n.sum(0) > 0
    total, count = scores.total[:, used], scores.n[:, used]
    mean, cov, df = _pooled(total, count) if curve == "pooled" else _paired(total, count)
    df = np.where(np.diag(cov) > 1e-12 * np.maximum(mean**2, 1), df, 0)
    where = np.flatnonzero(used)
    full = StageMeans(*(np.full(shape, np.nan) for shape in ((n_stages,), (n_stages, n_stages), (n_stages,))))
    full.mean[where], full.df[where], full.cov[np.ix_(where, where)] = mean, df, cov
    return full


def _pooled(total: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Average all answers; jackknife over customers, so that one who dominates a stage widens it."""
    answers = count.sum(0)
    mean = total.sum(0) / answers
    df = (count > 0).sum(0) - 1
    others = np.where(answers > count, answers - count, 1)
    residual = (total - count * mean) / others * np.sqrt(np.where(df > 0, df / (df + 1), np.nan))
    return mean, residual.T @ residual, df


def _paired(total: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fit customer + stage by least squares, anchored at the mean of all answers; NaN where unlinked."""
    k, answers = count.shape[1], count.sum(0)
    linking = (count > 0).sum(1) > 1
    df = (count[linking] > 0).sum(0) - 1
    own = np.maximum(count.sum(1, keepdims=True), 1)
    weight = count / own
    normal = np.diag(answers.astype(float)) - count.T @ weight
    if k < 2 or np.linalg.eigvalsh(normal)[1] < 1e-8 * answers.max():
        return np.full(k, np.nan), np.full((k, k), np.nan), df
    part = answers / answers.sum()
    solve = (np.eye(k) - part) @ np.linalg.pinv(normal, hermitian=True)
    mean = solve @ (total - weight * total.sum(1, keepdims=True)).sum(0) + total.sum() / answers.sum()
    residual = total - count * mean
    within = residual - weight * residual.sum(1, keepdims=True)
    level = (total - count * (total.sum(0) / answers)).sum(1, keepdims=True) / answers.sum()
    influence = within @ solve.T + level
    groups = len(count)
    return mean, influence.T @ influence * groups / max(groups - 1, 1), df


def contrast(
    contrasts: np.ndarray, fit: StageMeans, conf_level: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Estimate, standard error and simultaneous half-width of linear combinations of stage means."""
    used = np.isfinite(fit.mean)
    known = ~((contrasts != 0) & ~used).any(1)
    effect = np.where(known, contrasts @ np.where(used, fit.mean, 0), np.nan)
    cov = np.where(np.isfinite(fit.cov), fit.cov, 0)
    error = np.where(
        known, np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", contrasts, cov, contrasts), 0)), np.nan
    )
    error[((contrasts != 0) & ~(fit.df > 0)).any(1)] = np.nan
    return effect, error, critical_values(contrasts, fit, conf_level) * error


def critical_values(contrasts: np.ndarray, fit: StageMeans, conf_level: float) -> np.ndarray:
    """Critical value per contrast, so that all their intervals hold together with probability `conf_level`.

    The largest of the correlated normal ratios is drawn once; each contrast then takes the t quantile of the
    same tail probability with its own degrees of freedom.
    """
    involved = contrasts != 0
    df = np.where(involved, fit.df, np.inf).min(1)
    usable = np.diag(fit.cov) > 0
    inside = ~(involved & ~usable).any(1)
    stages = np.flatnonzero(usable)
    chosen = contrasts[np.ix_(inside, usable)]
    cov = fit.cov[np.ix_(stages, stages)]
    values, vectors = np.linalg.eigh(cov)
    root = chosen @ (vectors * np.sqrt(np.maximum(values, 0)))
    spread = np.sqrt((root**2).sum(1))
    varies = spread > 1e-9 * spread.max(initial=0)
    tail = 1 - conf_level
    if varies.any():
        rows = root[varies] / spread[varies, None]
        tail = 2 * ndtr(-largest_ratio(rows, conf_level=conf_level, draws=_DRAWS, seed=_SEED))
    return np.asarray(critical_value(1 - tail, df=df))
