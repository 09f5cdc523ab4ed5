"""Shares of R² from correlation matrices: Shapley (LMG), Owen, relative weights, coefficients, correlations.

All functions take matrices stacked along the first axis (one per bootstrap resample) whose last row and
column belong to the outcome, and return parts per *unit*: columns that enter together, usually just one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from math import comb

import numpy as np
from numpy.typing import NDArray

from cxlib.stats.arrays import Array

Units = Sequence[Sequence[int]]
TOLERANCE = 1e-9
BLOCK = 2**22


def nearest_correlation(matrices: Array) -> Array:
    """Make matrices of pairwise correlations positive semi-definite by clipping their eigenvalues at 0.

    Examples
    --------
    >>> bad = np.array([[[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]]])
    >>> bool(np.linalg.eigvalsh(nearest_correlation(bad)).min() > -1e-12)
    True
    """
    values, vectors = np.linalg.eigh(matrices)
    clipped = vectors * np.maximum(values, 0)[:, None, :] @ np.swapaxes(vectors, 1, 2)
    scale = np.sqrt(np.maximum(np.diagonal(clipped, axis1=1, axis2=2), TOLERANCE))
    repaired = clipped / (scale[:, :, None] * scale[:, None, :])
    return np.where((values[:, 0] < -TOLERANCE)[:, None, None], repaired, matrices)


def subset_r_squared(matrices: Array, units: Units) -> Array:
    """R² of every subset of units: entry s of the last axis holds the units whose bits are set in s.

    Sweeps one unit after the other and keeps, for each subset so far, the residual matrix of the columns
    still to come: 2^p subsets cost about six multiplications each.

    Examples
    --------
    >>> matrix = np.array([[[1, 0, 0.6], [0, 1, 0.8], [0.6, 0.8, 1]]])
    >>> subset_r_squared(matrix, [[0], [1]]).round(2).tolist()
    [[0.0, 0.36, 0.64, 1.0]]
    """
    order = [*chain.from_iterable(units), matrices.shape[-1] - 1]
    left = matrices[:, order][:, :, order][:, None]
    for unit in units:
        size = len(unit)
        swept = left
        for _ in unit:
            pivot, column = swept[..., 0, 0], swept[..., 1:, 0]
            factor = np.divide(1.0, pivot, out=np.zeros_like(pivot), where=pivot > TOLERANCE)
            swept = swept[..., 1:, 1:] - (column * factor[..., None])[..., None] * column[..., None, :]
        left = np.concatenate([left[..., size:, size:], swept], axis=1)
    return 1 - left[..., 0, 0]


def shapley_parts(matrices: Array, units: Units) -> Array:
    """Shapley value of each unit in the game of R², exact over all subsets.

    References
    ----------
    Lindeman, Merenda & Gold (1980) Introduction to Bivariate and Multivariate Analysis.

    Examples
    --------
    >>> matrix = np.array([[[1, 0, 0.6], [0, 1, 0.8], [0.6, 0.8, 1]]])
    >>> shapley_parts(matrix, [[0], [1]]).round(2).tolist()
    [[0.36, 0.64]]
    """
    p = len(units)
    subsets = np.arange(2**p, dtype=np.int64)
    size = np.bitwise_count(subsets)
    gain = np.array([1 / (p * comb(p - 1, k)) for k in range(p)])
    joining, staying = np.r_[0.0, gain][size], -np.r_[gain, 0.0][size]
    parts = np.empty((len(matrices), p))
    step = max(BLOCK // 2**p, 1)
    for start in range(0, len(matrices), step):
        worth = subset_r_squared(matrices[start : start + step], units)
        for j in range(p):
            weights = np.where(subsets >> j & 1, joining, staying)
            parts[start : start + step, j] = worth @ weights
    return parts


def owen_parts(matrices: Array, units: Units, groups: Sequence[int]) -> Array:
    """Owen value of each unit: orderings keep the units of a group together.

    Parameters
    ----------
    matrices, units
        As in `shapley_parts`.
    groups : sequence of int
        Group code of each unit. A group's total is its Shapley value among the groups.

    References
    ----------
    Owen (1977), in Henn & Moeschlin (eds.), Mathematical Economics and Game Theory.

    Examples
    --------
    >>> matrix = np.array([[[1, 0, 0.6], [0, 1, 0.8], [0.6, 0.8, 1]]])
    >>> owen_parts(matrix, [[0], [1]], [0, 0]).round(2).tolist()
    [[0.36, 0.64]]
    """
    worth = subset_r_squared(matrices, units)
    members = [[unit for unit, group in enumerate(groups) if group == code] for code in sorted(set(groups))]
    masks = [sum(1 << unit for unit in group) for group in members]
    parts = np.empty((len(matrices), len(units)))
    for code, group in enumerate(members):
        outside, outer = _coalitions([mask for other, mask in enumerate(masks) if other != code])
        for unit in group:
            inside, inner = _coalitions([1 << other for other in group if other != unit])
            subsets = outside[:, None] | inside[None, :]
            gains = worth[:, subsets | 1 << unit] - worth[:, subsets]
            parts[:, unit] = np.einsum("boi,o,i->b", gains, outer, inner)
    return parts


def sampled_parts(matrices: Array, units: Units, *, n_orderings: int, seed: int) -> tuple[Array, Array]:
    """Shapley values from randomly drawn orderings and their reverses, with the Monte Carlo error.

    Examples
    --------
    >>> matrix = np.array([[[1, 0, 0.6], [0, 1, 0.8], [0.6, 0.8, 1]]])
    >>> sampled_parts(matrix, [[0], [1]], n_orderings=10, seed=1)[0].round(2).tolist()
    [[0.36, 0.64]]
    """
    rng = np.random.default_rng(seed)
    total, squares = np.zeros((2, len(matrices), len(units)))
    for _ in range(n_orderings // 2):
        order = rng.permutation(len(units))
        pair = (_ordered_gains(matrices, units, order) + _ordered_gains(matrices, units, order[::-1])) / 2
        total += pair
        squares += pair**2
    n = n_orderings // 2
    variance = np.maximum(squares / n - (total / n) ** 2, 0) / max(n - 1, 1)
    return total / n, np.sqrt(variance)


def relative_weight_parts(matrices: Array, units: Units) -> Array:
    """Johnson's relative weights: R² split through the closest orthogonal variables.

    References
    ----------
    Johnson (2000) Multivariate Behavioral Research 35, 1–19.

    Examples
    --------
    >>> matrix = np.array([[[1, 0, 0.6], [0, 1, 0.8], [0.6, 0.8, 1]]])
    >>> relative_weight_parts(matrix, [[0], [1]]).round(2).tolist()
    [[0.36, 0.64]]
    """
    values, vectors = np.linalg.eigh(matrices[:, :-1, :-1])
    roots = np.sqrt(np.maximum(values, 0))
    inverse = np.divide(1.0, roots, out=np.zeros_like(roots), where=values > TOLERANCE)
    across = np.swapaxes(vectors, 1, 2)
    loadings = vectors * roots[:, None, :] @ across
    weights = (vectors * inverse[:, None, :] @ across @ matrices[:, :-1, -1:])[..., 0]
    return _per_unit(np.einsum("bjk,bk->bj", loadings**2, weights**2), units)


def standardised_coefficients(matrices: Array) -> Array:
    """Coefficients of the regression on all drivers in standard deviations; shared out where collinear.

    Examples
    --------
    >>> matrix = np.array([[[1, 0, 0.6], [0, 1, 0.8], [0.6, 0.8, 1]]])
    >>> standardised_coefficients(matrix).round(2).tolist()
    [[0.6, 0.8]]
    """
    return (np.linalg.pinv(matrices[:, :-1, :-1], rcond=TOLERANCE, hermitian=True) @ matrices[:, :-1, -1:])[
        ..., 0
    ]


def collinear_units(matrix: Array) -> list[list[int]]:
    """Columns grouped so that no group can be written by the others: those in one dependence stay together.

    Parameters
    ----------
    matrix : array
        One correlation matrix of the drivers.

    Examples
    --------
    >>> collinear_units(np.array([[1, 0.2, 1], [0.2, 1, 0.2], [1, 0.2, 1]]))
    [[0, 2], [1]]
    """
    values, vectors = np.linalg.eigh(matrix)
    null = vectors[:, values < 1e-8]
    together = (np.abs(matrix) > 1 - 1e-6) | (np.abs(null @ null.T) > 1e-6)
    labels = np.arange(len(matrix))
    for i, j in zip(*np.nonzero(together), strict=True):
        labels[labels == labels[j]] = labels[i] if labels[i] < labels[j] else labels[j]
        labels[labels == labels[i]] = labels[j]
    return [np.flatnonzero(labels == label).tolist() for label in np.unique(labels)]


def _per_unit(parts: Array, units: Units) -> Array:
    """Add up the parts of the columns of each unit."""
    return np.stack([parts[:, list(unit)].sum(axis=1) for unit in units], axis=1)


def _coalitions(masks: Sequence[int]) -> tuple[NDArray[np.int64], Array]:
    """Every union of `masks` with its probability of standing before one more player in a random ordering."""
    n = len(masks)
    chosen = np.arange(2**n, dtype=np.int64)
    union = np.zeros_like(chosen)
    for position, mask in enumerate(masks):
        union |= np.where(chosen >> position & 1, mask, 0)
    weights = np.array([1 / ((n + 1) * comb(n, k)) for k in range(n + 1)])
    return union, weights[np.bitwise_count(chosen)]


def _ordered_gains(matrices: Array, units: Units, order: NDArray[np.int64]) -> Array:
    """Gain in R² of each unit when they enter in `order`."""
    columns = [*chain.from_iterable(units[unit] for unit in order), matrices.shape[-1] - 1]
    left = matrices[:, columns][:, :, columns]
    gains = np.empty((len(matrices), len(units)))
    for unit in order:
        before = left[:, -1, -1]
        for _ in units[unit]:
            pivot, column = left[:, 0, 0], left[:, 1:, 0]
            factor = np.divide(1.0, pivot, out=np.zeros_like(pivot), where=pivot > TOLERANCE)
            left = left[:, 1:, 1:] - (column * factor[:, None])[:, :, None] * column[:, None, :]
        gains[:, unit] = before - left[:, -1, -1]
    return gains
