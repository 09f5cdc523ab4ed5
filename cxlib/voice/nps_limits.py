"""Interval of the NPS from its three counts: adjusted Wald, score or plain Wald."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from cxlib.checks import fail_option
from cxlib.stats.arrays import Array
from cxlib.stats.intervals import Interval, check_counts, critical_value

NPS_METHODS = ("adjusted_wald", "wald", "score")


def nps_interval(
    n_promoters: ArrayLike,
    n_passives: ArrayLike,
    n_detractors: ArrayLike,
    *,
    method: str = "adjusted_wald",
    conf_level: float = 0.95,
) -> Interval:
    """NPS in points (-100…100) with its interval, from the three counts.

    Parameters
    ----------
    n_promoters, n_passives, n_detractors : array-like
        Counts of scores 9–10, 7–8 and 0–6; scaled to the effective n for weighted data.
    method : {"adjusted_wald", "wald", "score"}
        Adjusted Wald adds ¾ promoter, 1½ passives and ¾ detractor; score solves for the limits under the
        constrained likelihood; Wald is for comparison only: it has zero width when all answers agree.
    conf_level : float

    Returns
    -------
    Interval
        Points, clipped to ±100, the estimate always inside; NaN where nobody answered. `std_error` belongs to
        the method (Wald's or, for the two others, the adjusted one).

    Raises
    ------
    ParameterError
        If the method is unknown or a count negative.

    Notes
    -----
    Var = (p + d - (p-d)²)/n: promoters and detractors exclude each other, so their variances do not just add.

    References
    ----------
    Rocks (2016) The American Statistician 70(4); Tango (1998) Statistics in Medicine 17, 891–908.

    Examples
    --------
    >>> [round(float(value), 2) for value in nps_interval(5, 3, 2)]
    [30.0, 21.49, -19.05, 65.2]
    """
    counts = np.broadcast_arrays(
        check_counts("n_promoters", n_promoters),
        check_counts("n_passives", n_passives),
        check_counts("n_detractors", n_detractors),
    )
    if method not in NPS_METHODS:
        fail_option("method", method, NPS_METHODS)
    z = critical_value(conf_level)
    n = sum(counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        estimate = (counts[0] - counts[2]) / n
        adjusted, std_error = _nps_moments(counts, 0.0 if method == "wald" else 0.75)
        if method == "score":
            low, high = (nps_score_limit(counts, estimate, z, side=side) for side in (-1, 1))
        else:
            low, high = adjusted - z * std_error, adjusted + z * std_error
            low, high = np.minimum(low, estimate), np.maximum(high, estimate)  # of very few answers alike
        missing = np.where(n > 0, 0.0, np.nan)
    points = (estimate, std_error, np.maximum(low, -1), np.minimum(high, 1))
    return Interval(*((100 * value + missing)[()] for value in points))


def _nps_moments(counts: Any, extra: float) -> tuple[Array, Array]:
    """Return NPS and error as fractions, with `extra` answers added at both ends and twice that between."""
    n = sum(counts) + 4 * extra
    promoters, detractors = (counts[0] + extra) / n, (counts[2] + extra) / n
    difference = promoters - detractors
    return difference, np.sqrt(np.maximum(promoters + detractors - difference**2, 0) / n)


def nps_score_limit(counts: Any, estimate: Array, z: Any, *, side: Any, rounds: int = 60) -> Array:
    """Find one limit (-1 to 1) by bisection: where the constrained score statistic equals z."""
    n = sum(counts)
    inside, outside = np.array(estimate, dtype=float), np.zeros(np.shape(n)) + side
    for _ in range(rounds):
        middle = (inside + outside) / 2
        linear = (2 * n - counts[0] + counts[2]) * middle - counts[0] - counts[2]
        product = -counts[2] * middle * (1 - middle)
        detractors = (np.sqrt(np.maximum(linear**2 - 8 * n * product, 0)) - linear) / (4 * n)
        variance = np.maximum(2 * detractors + middle * (1 - middle), 0) / n
        within = (estimate - middle) ** 2 <= z**2 * variance
        inside, outside = np.where(within, middle, inside), np.where(within, outside, middle)
    return cast(Array, inside)
