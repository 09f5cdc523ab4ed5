"""Proportional odds by Newton steps: coefficients with a covariance that weights and clusters do not fool."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cxlib.stats.arrays import Array

Codes = NDArray[np.int64]
MAX_ROUNDS = 60
ROUNDING = 1e-13  # relative error of a sum of log-likelihoods: a step is not halved for less
SEPARATED = 30.0  # log-odds between the lowest and highest answer beyond which a coefficient has no limit


class Clusters(NamedTuple):
    """Customer, weight and cell of each answer, for errors by customer; a class as they go together."""

    code: Codes
    weight: Array
    cell: Codes

    @property
    def n(self) -> int:
        """Number of customers."""
        return int(self.code.max(initial=-1)) + 1

    def sums(self, scores: Array) -> Array:
        """Add up by customer the scores that an answer of weight one has in each cell."""
        columns = (np.bincount(self.code, self.weight * column[self.cell]) for column in scores.T)
        return np.column_stack(list(columns))


class Sample(NamedTuple):
    """Group and weight of each cell of like answers; a class because they always travel together.

    `clusters` is None for equal weights and independent answers: then the errors are those of the model.
    """

    group: Codes
    weight: Array
    clusters: Clusters | None

    @property
    def n_groups(self) -> int:
        """Groups of the outcome."""
        return int(self.group.max(initial=-1)) + 1


class Fit(NamedTuple):
    """Thresholds and coefficients with their covariance; a class because they are passed on together."""

    theta: Array
    beta: Array
    covariance: Array
    log_likelihood: float


def fit_ordinal(design: Array, sample: Sample, start: Fit | None = None) -> Fit | None:
    """Maximise the likelihood by Newton steps, halved while they do not improve; None without a maximum."""
    group, weight, n_groups = sample.group, sample.weight, sample.n_groups
    share = np.cumsum(np.bincount(group, weight, n_groups))[:-1] / weight.sum()
    centre = weight @ design / weight.sum()
    design = design - centre
    theta, beta = np.log(share / (1 - share)), np.zeros(design.shape[1])
    if start is not None:
        theta, beta = start.theta - centre @ start.beta, start.beta
    value = _log_likelihood(design, group, weight, theta, beta)
    for _ in range(MAX_ROUNDS):
        gradient, hessian = _derivatives(design, group, weight, theta, beta)
        step = np.linalg.pinv(-hessian, rcond=1e-12, hermitian=True) @ gradient
        for _ in range(30):
            new_theta, new_beta = theta + step[: len(theta)], beta + step[len(theta) :]
            new = _log_likelihood(design, group, weight, new_theta, new_beta)
            if new >= value - ROUNDING * (1 + abs(value)) and (np.diff(new_theta) > 0).all():
                break
            step = step / 2
        theta, beta, gain, value = new_theta, new_beta, new - value, new
        if gain < 1e-10 * (1 + abs(value)) and np.abs(step).max() < 1e-7:
            break
    if (np.abs(beta) * np.ptp(design, axis=0) > SEPARATED).any():
        return None
    _, hessian = _derivatives(design, group, weight, theta, beta)
    covariance = np.linalg.pinv(-hessian, rcond=1e-12, hermitian=True)
    if sample.clusters is not None:
        sums = sample.clusters.sums(_scores(design, group, np.ones(len(group)), theta, beta))
        covariance = len(sums) / max(len(sums) - 1, 1) * covariance @ (sums.T @ sums) @ covariance
    move = np.eye(len(theta) + len(beta))
    move[: len(theta), len(theta) :] = centre
    return Fit(theta + centre @ beta, beta, move @ covariance @ move.T, value)


def _parts(design: Array, group: Codes, theta: Array, beta: Array) -> tuple[Array, Array, Array]:
    """Return F at the upper and lower threshold of each cell, and the probability of its group."""
    ends = np.r_[-np.inf, theta, np.inf]
    predictor = design @ beta
    with np.errstate(over="ignore"):
        upper, lower = (1 / (1 + np.exp(predictor - ends[group + side])) for side in (1, 0))
    return upper, lower, np.maximum(upper - lower, 1e-300)


def _log_likelihood(design: Array, group: Codes, weight: Array, theta: Array, beta: Array) -> float:
    return float(weight @ np.log(_parts(design, group, theta, beta)[2]))


def _slopes(design: Array, group: Codes, weight: Array, theta: Array, beta: Array) -> tuple[Array, Array]:
    """Return each cell's derivative of the log-likelihood by its upper and its lower threshold."""
    upper, lower, probability = _parts(design, group, theta, beta)
    return weight * upper * (1 - upper) / probability, weight * lower * (1 - lower) / probability


def _scores(design: Array, group: Codes, weight: Array, theta: Array, beta: Array) -> Array:
    """Return each cell's score (gradient), thresholds first."""
    up, low = _slopes(design, group, weight, theta, beta)
    ends = np.zeros((len(group), len(theta) + 2))
    rows = np.arange(len(group))
    ends[rows, group + 1], ends[rows, group] = up, -low
    return np.hstack([ends[:, 1:-1], -(up - low)[:, None] * design])


def _derivatives(
    design: Array, group: Codes, weight: Array, theta: Array, beta: Array
) -> tuple[Array, Array]:
    """Return gradient and Hessian of the log-likelihood, thresholds first."""
    upper, lower, probability = _parts(design, group, theta, beta)
    slope_a, slope_b = upper * (1 - upper) / probability, lower * (1 - lower) / probability
    cross = weight * slope_a * slope_b
    bend_a = weight * (slope_a * (1 - 2 * upper) - slope_a**2)
    bend_b = weight * (-slope_b * (1 - 2 * lower) - slope_b**2)

    def by_group(values: Array) -> Array:
        return np.bincount(group, values, len(theta) + 1).astype(np.float64)

    up, low = weight * slope_a, weight * slope_b
    gradient = np.r_[by_group(up)[:-1] - by_group(low)[1:], -((up - low) @ design)]
    size = len(theta)
    hessian = np.zeros((len(gradient),) * 2)
    hessian[size:, size:] = design.T @ ((bend_a + bend_b + 2 * cross)[:, None] * design)
    inside = np.arange(size)
    hessian[inside, inside] = by_group(bend_a)[:-1] + by_group(bend_b)[1:]
    hessian[inside[1:], inside[:-1]] = hessian[inside[:-1], inside[1:]] = by_group(cross)[1:-1]
    for k, column in enumerate(design.T):
        mixed = by_group((bend_a + cross) * column)[:-1] + by_group((bend_b + cross) * column)[1:]
        hessian[:size, size + k] = hessian[size + k, :size] = -mixed
    return gradient, hessian
