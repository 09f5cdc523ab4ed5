"""Interval and test of a difference between two waves that hold near the ends of the scale too.

Each wave keeps its own interval (Tango's score limits for the NPS, Wilson's for a share); the two are put
together side by side, and the test asks at which confidence the interval of the difference reaches zero.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cxlib.stats.arrays import Array
from cxlib.stats.intervals import critical_value
from cxlib.stats.sums_by_cluster import cluster_totals
from cxlib.voice.answers import Answers, effective_n
from cxlib.voice.nps_limits import nps_score_limit
from cxlib.voice.waves.two_waves import Codes, customers_of

#: The limits of before (first row) and after at z, each to the side that its sign says.
Limits = Callable[[Array | float, Array], Array]
FARTHEST = 40.0  # beyond it a p-value is 0 in floating point


class Sides(NamedTuple):
    """Answers of two waves, what is averaged and where each group stands; a class as they go together.

    `at` has a row per wave and a column per group: the place among `answers.keys`, -1 where it has no row.
    """

    answers: Answers
    points: Array
    at: NDArray[np.int64]
    correlation: Array

    def of_groups(self, each: Array) -> Array:
        """Return numbers per row of the keys as wave × group, NaN where a group has no answers."""
        return np.append(each, np.nan)[self.at]


def two_sides(answers: Answers, values: Array, code: Codes, side: Codes, n_groups: int) -> Sides:
    """Arrange the answers by wave and group, with the correlation of the two means by paired customers."""
    at = np.full((2, n_groups), -1, dtype=np.int64)
    at[side, code] = np.arange(len(code))
    off = values - answers.mean(values)[answers.group]
    customer, group = customers_of(answers), code[answers.group]
    is_after = side[answers.group] == 1
    owner, _, before = cluster_totals(np.where(is_after, 0.0, off), group, customer, n_groups)
    after = cluster_totals(np.where(is_after, off, 0.0), group, customer, n_groups)[2]
    parts = (before * after, before**2, after**2)
    product, one, two = (np.bincount(owner, each, n_groups) for each in parts)
    spread = np.sqrt(one * two)
    correlation = np.divide(product, spread, out=np.zeros(n_groups), where=spread > 0)
    return Sides(answers, values, at, correlation)


def difference(sides: Sides, metric: str, conf_level: float) -> tuple[Array, Array, Array]:
    """Return limits of after - before, and the z at which they reach zero (signed)."""
    _, n_limits = effective_n(sides.answers, sides.points, conf_level=conf_level)
    mean, n = (sides.of_groups(each) for each in (sides.answers.mean(sides.points), n_limits))
    scale = 100.0 if metric == "nps" else 1.0
    limits = _nps_limits(sides, n) if metric == "nps" else _share_limits(mean, n)
    mean = mean / scale
    estimate, z = mean[1] - mean[0], critical_value(conf_level)
    low, high = (
        estimate + side * _reach(limits, mean, z, side * np.ones(len(estimate)), sides) for side in (-1, 1)
    )
    return scale * low, scale * high, _where_zero(limits, mean, sides)


def _nps_limits(sides: Sides, n: Array) -> Limits:
    """Score limits of each wave's NPS, as fractions."""
    answers, points = sides.answers, sides.points
    shares = [sides.of_groups(answers.mean(points == each)) for each in (100, 0, -100)]
    counts = [np.nan_to_num(share) * np.nan_to_num(n) for share in shares]
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = (counts[0] - counts[2]) / sum(counts)

    def limits(z: Array | float, side: Array) -> Array:
        with np.errstate(invalid="ignore", divide="ignore"):
            return nps_score_limit(counts, centre, z, side=side, rounds=30)

    return limits


def _share_limits(share: Array, n: Array) -> Limits:
    """Wilson's limits of each wave's share."""

    def limits(z: Array | float, side: Array) -> Array:
        with np.errstate(invalid="ignore", divide="ignore"):
            half = z * np.sqrt(share * (1 - share) / n + np.square(z) / (4 * n**2)) / (1 + np.square(z) / n)
            centre = (share + np.square(z) / (2 * n)) / (1 + np.square(z) / n)
        return np.clip(centre + side * half, 0, 1)

    return limits


def _reach(limits: Limits, mean: Array, z: Array | float, side: Array, sides: Sides) -> Array:
    """Distance from the difference to its limit: `side` 1 for the upper, -1 for the lower."""
    before, after = np.abs(limits(z, np.stack([-side, side])) - mean)
    return np.asarray(np.sqrt(np.maximum(after**2 + before**2 - 2 * sides.correlation * after * before, 0)))


def _where_zero(limits: Limits, mean: Array, sides: Sides) -> Array:
    """Find the z at which the limit towards zero reaches it, by bisection; signed as the difference."""
    gap = mean[1] - mean[0]
    inside, outside = np.zeros(len(gap)), np.full(len(gap), FARTHEST)
    for _ in range(30):
        middle = (inside + outside) / 2
        short = _reach(limits, mean, middle, np.where(gap > 0, -1.0, 1.0), sides) < np.abs(gap)
        inside, outside = np.where(short, middle, inside), np.where(short, outside, middle)
    return np.where(np.isfinite(gap), np.sign(gap) * inside, np.nan)


def flat_variance(sides: Sides, origin: float, width: float) -> Array:
    """Variance to add for waves in which all answers agree: the adjusted Wald one, as if at an end."""
    answers, values = sides.answers, (sides.points - origin) / width
    mean = answers.mean(values)
    spread = answers.mean(values**2) - mean**2
    n = np.minimum(answers.n, answers.n if answers.cluster is None else answers.n_clusters) + 3
    one, other = ((n - 3) * np.abs(mean) + 0.75) / n, 0.75 / n
    added = np.where(spread > 1e-12, 0.0, width**2 * (one + other - (one - other) ** 2) / n)
    return np.asarray(sides.of_groups(added).sum(axis=0))
