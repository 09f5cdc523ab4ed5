"""Brant's test whether one coefficient fits every border between the groups."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cxlib.stats.arrays import Array
from cxlib.stats.proportional_odds.fit import Fit, Sample, fit_ordinal


class Splits(NamedTuple):
    """Separate logits at every border: coefficients (border × column) and their joint covariance."""

    beta: Array
    covariance: Array


def separate_logits(design: Array, sample: Sample, before: Splits | None = None) -> Splits | None:
    """Fit a logit at each border; None where one of them has no maximum.

    Independent answers of equal weight take Brant's covariance; weights and clusters the joint sandwich of
    all borders, so that a customer's answers count together. The steps start from `before`, if given.
    """
    n_cuts = sample.n_groups - 1
    above = [(sample.group > cut).astype(np.int64) for cut in range(n_cuts)]
    starts: list[Fit | None] = [None] * n_cuts
    if before is not None:
        starts = [Fit(-each[:1], each[1:], np.empty((0, 0)), np.nan) for each in before.beta]
    splits = [
        fit_ordinal(design, sample._replace(group=side, clusters=None), start)
        for side, start in zip(above, starts, strict=True)
    ]
    found = [split for split in splits if split is not None]
    if len(found) < n_cuts:
        return None
    x = np.hstack([np.ones((len(design), 1)), design])
    beta = np.array([np.r_[-split.theta, split.beta] for split in found])
    chance = 1 / (1 + np.exp(-x @ beta.T))
    weight, k = sample.weight, x.shape[1]
    bread = [np.linalg.pinv(x.T @ ((weight * p * (1 - p))[:, None] * x), hermitian=True) for p in chance.T]
    sums = []
    if sample.clusters is not None:
        scores = [(side - p)[:, None] * x for side, p in zip(above, chance.T, strict=True)]
        sums = [sample.clusters.sums(each) for each in scores]
    joint = np.zeros((n_cuts * k,) * 2)
    for i in range(n_cuts):
        for j in range(i, n_cuts):
            both = weight * chance[:, j] * (1 - chance[:, i])
            middle = sums[i].T @ sums[j] if sums else x.T @ (both[:, None] * x)
            block = bread[i] @ middle @ bread[j]
            rows, columns = (slice(m * k, (m + 1) * k) for m in (i, j))
            joint[rows, columns], joint[columns, rows] = block, block.T
    factor = len(sums[0]) / max(len(sums[0]) - 1, 1) if sums else 1.0
    return Splits(beta, factor * joint)


def parallel_test(splits: list[Splits], places: list[int], n_clusters: int | None) -> tuple[float, float]:
    """Test that the coefficients at `places` are the same at all borders: statistic (χ²) and p-value.

    Over several completions the statistic is pooled by D1 (Li, Raghunathan & Rubin 1991); with clusters
    Hotelling's F takes the place of χ² (NaN with no more clusters than contrasts). By simulation (three
    drivers, ten answers a customer, correlated at .8) its size at 5 % is 9 % for 30 customers, 5.5 % for 100.
    """
    from scipy.special import chdtrc, fdtrc

    n_cuts, k = splits[0].beta.shape
    contrast = np.zeros(((n_cuts - 1) * len(places), n_cuts * k))
    for row, (cut, place) in enumerate((c, q) for c in range(1, n_cuts) for q in places):
        contrast[row, 1 + place], contrast[row, cut * k + 1 + place] = -1, 1
    gaps = np.array([contrast @ each.beta.ravel() for each in splits])
    within = np.mean([contrast @ each.covariance @ contrast.T for each in splits], axis=0)
    inverse = np.linalg.pinv(within, hermitian=True)
    gap, df = gaps.mean(axis=0), len(contrast)
    value = max(float(gap @ inverse @ gap), 0.0)
    if len(splits) > 1:
        between = np.atleast_2d(np.cov(gaps.T))
        value /= 1 + (1 + 1 / len(splits)) * float(np.trace(between @ inverse)) / df
    if n_clusters is None:
        return value, float(chdtrc(df, value))
    free = n_clusters - df
    if free < 1:
        return value, float("nan")
    return value, float(fdtrc(df, free, value * free / (n_clusters - 1) / df))
