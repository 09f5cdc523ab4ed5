"""Rambachan & Roth's interval under relative magnitudes: conditional and least-favourable tests, inverted."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from cxlib.stats.arrays import Array
from cxlib.stats.joint_bands import draws_root

DRAWS = 4_000
MOST_TIMES = 1e6
MOST_BLOCKS = 6  # periods after the start up to which all combinations of constraints are listed


def interval(
    estimates: Array,
    covariance: Array,
    before: int,
    weights: Array,
    m_bar: float,
    *,
    conf_level: float = 0.95,
    seed: int = 7,
) -> tuple[float, float]:
    """Interval of a weighted effect if steps after the start are at most `m_bar` times the largest before.

    Parameters
    ----------
    estimates, covariance : array
        Event-study coefficients against the last period before the start (which is left out): `before` of
        them before it, then those after.
    before : int
        Number of coefficients before the start, at least 1.
    weights : array
        Of the effects after the start, with a first one that is not zero.
    m_bar : float
        At least 0.
    conf_level, seed
        Level; seed of the draws behind the least-favourable critical value.

    Notes
    -----
    The hybrid test (C-LF, κ = α/10) of the moment inequalities that mention a period after the start, for
    each step before that may be the largest and each sign; the interval is the union of what these accept.
    The linear programmes of the test are small, so all vertices of their duals are listed once.

    References
    ----------
    Rambachan & Roth (2023), Review of Economic Studies 90(5); Andrews, Roth & Pakes (2023), same volume.
    Checked against R's `HonestDiD` on the Medicaid expansion.
    """
    scale = float(np.sqrt(np.diag(covariance).max()))
    estimates, covariance = estimates / scale, covariance / scale**2
    tests = _tests(covariance, before, weights, m_bar, conf_level, seed)
    centre = float(weights @ estimates[before:])
    steps = np.abs(np.diff(np.r_[estimates[:before], 0.0])).max()
    reach = 6 + m_bar * len(weights) * (steps + 4)
    grid = np.linspace(centre - reach, centre + reach, 1001)
    accepted = grid[_accepts(tests, estimates, grid)]
    if not len(accepted):
        return np.nan, np.nan
    width = grid[1] - grid[0]
    ends = [(accepted[0], accepted[0] - width), (accepted[-1], accepted[-1] + width)]
    low, high = (_edge(tests, estimates, inside, outside) * scale for inside, outside in ends)
    return low, high


def breakdown(
    estimates: Array,
    covariance: Array,
    before: int,
    weights: Array,
    *,
    conf_level: float = 0.95,
    seed: int = 7,
) -> float:
    """Largest `m_bar` whose interval leaves out zero; 0 where none does."""
    scale = float(np.sqrt(np.diag(covariance).max()))
    estimates, covariance = estimates / scale, covariance / scale**2

    def holds_zero(m_bar: float) -> bool:
        tests = _tests(covariance, before, weights, m_bar, conf_level, seed)
        return bool(_accepts(tests, estimates, np.zeros(1))[0])

    if holds_zero(0.0):
        return 0.0
    low, high = 0.0, 1.0
    while not holds_zero(high):
        if high > MOST_TIMES:
            return np.inf
        low, high = high, 2 * high
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (low, middle) if holds_zero(middle) else (middle, high)
    return low


#: One largest step with its sign: moments, their loading on the effect, dual vertices, critical value, sizes.
Test = tuple[Array, Array, Array, Array, float, float]


def _tests(
    covariance: Array, before: int, weights: Array, m_bar: float, conf_level: float, seed: int
) -> list[Test]:
    after = len(weights)
    kappa = (1 - conf_level) / 10
    size = (1 - conf_level - kappa) / (1 - kappa)
    free = np.eye(after)
    free[0] = weights
    back = np.linalg.inv(free)  # effects from (weighted effect, all others)
    draws = np.random.default_rng(seed).standard_normal((DRAWS, before + after)) @ draws_root(covariance)
    tests = []
    for largest in range(before):
        for sign in (1.0, -1.0):
            moments = _moments(before, after, largest, sign * m_bar)
            loading = moments[:, before:] @ back
            spread = moments @ covariance @ moments.T
            vertices = _vertices(loading[:, 1:], np.sqrt(np.diag(spread)))
            worst = float(np.quantile((draws @ moments.T @ vertices.T).max(axis=1), 1 - kappa))
            tests.append((moments, loading[:, 0], vertices, vertices @ spread @ vertices.T, worst, size))
    return tests


def _moments(before: int, after: int, largest: int, m_bar: float) -> Array:
    """Rows a with a·δ ≤ 0: each step after the start, up and down, against the largest step before."""
    steps = np.diff(np.insert(np.eye(before + after), before, 0.0, axis=0), axis=0)
    limit = m_bar * steps[largest]
    later = steps[before:]
    return np.concatenate([later - limit, -later - limit])


def _vertices(nuisance: Array, error: Array) -> Array:
    """Vertices of {λ ≥ 0 : λ'nuisance = 0, λ'error = 1}."""
    equations = np.column_stack([nuisance, error])
    count, width = equations.shape
    chosen = np.array(list(combinations(range(count), width)))
    squares = equations[chosen].transpose(0, 2, 1)
    regular = np.linalg.cond(squares) <= 1e12
    chosen, squares = chosen[regular], squares[regular]
    parts = np.linalg.solve(squares, np.eye(width)[:, -1:])[..., 0]
    kept = (parts >= -1e-9 * np.abs(parts).max(axis=1, keepdims=True)).all(axis=1)
    found = np.zeros((int(kept.sum()), count))
    np.put_along_axis(found, chosen[kept], np.clip(parts[kept], 0, None), axis=1)
    return np.unique(np.round(found, 14), axis=0)


def _accepts(tests: list[Test], estimates: Array, grid: Array) -> npt.NDArray[np.bool_]:
    kept = np.zeros(len(grid), dtype=bool)
    for moments, loading, vertices, spread, worst, size in tests:
        scores = (vertices @ (moments @ estimates))[:, None] - (vertices @ loading)[:, None] * grid
        kept |= ~_rejects(scores, spread, worst, size)
    return kept


def _rejects(scores: Array, spread: Array, worst: float, size: float) -> npt.NDArray[np.bool_]:
    best = scores.argmax(axis=0)
    top = scores.max(axis=0)
    variance = np.diag(spread)[best]
    error = np.sqrt(np.clip(variance, 0, None))
    slope = spread[:, best] / np.where(variance > 0, variance, 1.0)
    rest = scores - slope * top
    gap = 1 - slope
    with np.errstate(divide="ignore", invalid="ignore"):
        limit = rest / gap
    low = np.where(gap > 1e-9, limit, -np.inf).max(axis=0)
    high = np.minimum(np.where(gap < -1e-9, limit, np.inf).min(axis=0), worst)
    below, above = ndtr(low / error), ndtr(high / error)
    critical = error * ndtri(above - size * (above - below))
    return (top > worst) | (top > np.maximum(critical, 0.0))


def _edge(tests: list[Test], estimates: Array, inside: float, outside: float) -> float:
    for _ in range(16):
        middle = (inside + outside) / 2
        if _accepts(tests, estimates, np.array([middle]))[0]:
            inside = middle
        else:
            outside = middle
    return inside
