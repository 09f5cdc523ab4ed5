"""Bootstrap without building resamples: how often each row is drawn, and percentile intervals; joint draws.

A statistic made of sums (a mean, a moment matrix) needs only `counts @ columns` per block of resamples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxlib.stats.arrays import Array

DRAWN_AT_ONCE, LOOPED = 2**22, 10_000


def bootstrap_counts(
    n_rows: int, *, n_boot: int, seed: int, clusters: ArrayLike | None = None, block: int = 250
) -> Iterator[Array]:
    """How often each row is drawn in each bootstrap resample, in blocks of at most `block` resamples.

    A statistic made of sums needs only `counts @ columns`: no resample is ever built row by row.

    Parameters
    ----------
    n_rows : int
        Rows of the data.
    n_boot : int
        Number of resamples.
    seed : int
    clusters : array-like, optional
        Whole clusters are drawn instead of rows.
    block : int
        Resamples per block, to bound memory.

    Yields
    ------
    array of shape (resamples, n_rows)

    Examples
    --------
    >>> sum(block.sum() for block in bootstrap_counts(5, n_boot=3, seed=1))
    np.float64(15.0)
    """
    code = None if clusters is None else _codes(clusters)
    n_units = n_rows if code is None else int(code.max(initial=-1)) + 1
    for counts in _unit_counts(n_units, n_boot, seed, block):
        yield counts if code is None else counts[:, code]


def resampled_sums(
    columns: Iterable[Array],
    *,
    n_boot: int,
    seed: int,
    clusters: ArrayLike | None = None,
    places: ArrayLike | None = None,
) -> Iterator[Array]:
    """Add up each column over the rows drawn, in blocks of resamples.

    Rows of one cluster are drawn together, so they are added up once, before anything is drawn: a million
    answers of 200,000 customers cost as much as 200,000 answers. What is drawn is put in order by its sums,
    so that the resamples do not depend on the order of the rows.

    Parameters
    ----------
    columns : iterable of arrays
        One after the other, all of the same length; finite numbers.
    n_boot : int
        Number of resamples.
    seed : int
    clusters : array-like, optional
        Whole clusters are drawn instead of rows.
    places : array-like of int, optional
        Which of the columns stands at each place of the result, where some stand at several: they are added
        up once.

    Yields
    ------
    array of shape (resamples, columns)

    Examples
    --------
    >>> drawn = resampled_sums([np.ones(4)], n_boot=2, seed=1, clusters=["a", "a", "b", "b"])
    >>> np.vstack(list(drawn)).tolist()
    [[4.0], [4.0]]
    """
    if places is None:
        columns = list(columns)
        places = range(len(columns))
    at = np.asarray(places, dtype=np.int64)
    sums = _sums_of_units(columns, int(at.max(initial=-1)) + 1, clusters)
    keys = np.bincount(at, 0.5 + np.sqrt(np.arange(2, len(at) + 2)) % 1) @ sums
    order = np.argsort(keys, kind="stable")
    for each in sums:
        each[:] = each[order]
    for counts in _unit_counts(sums.shape[1], n_boot, seed, DRAWN_AT_ONCE // max(sums.shape[1], 1)):
        yield (counts @ sums.T)[:, at]


def _sums_of_units(columns: Iterable[Array], n_columns: int, clusters: ArrayLike | None) -> Array:
    """Add up each column over the rows of each unit, into one array: a row per column."""
    code = None if clusters is None else _codes(clusters)
    n_units = 0 if code is None else int(code.max(initial=-1)) + 1
    sums = np.empty((n_columns, n_units))
    for row, column in enumerate(columns):
        if code is None and row == 0:
            sums = np.empty((n_columns, len(column)))
        sums[row] = column if code is None else np.bincount(code, column, n_units)
    return sums


def _unit_counts(n_units: int, n_boot: int, seed: int, block: int) -> Iterator[Array]:
    """How often each unit is drawn in each resample; the draws are the same whatever the block.

    No resamples are one block without rows, so that what is made of the blocks has its columns.
    """
    if not n_boot:
        yield np.empty((0, n_units))
    rng = np.random.default_rng(seed)
    block = max(min(block, n_boot), 1)
    for start in range(0, n_boot, block):
        size = min(block, n_boot - start)
        if n_units > LOOPED:  # one resample after the other stays within the processor's cache
            counts = np.empty((size, n_units))
            for row in counts:
                row[:] = np.bincount(rng.integers(0, n_units, n_units), minlength=n_units)
            yield counts
            continue
        drawn = rng.integers(0, n_units, (size, n_units)) + np.arange(size)[:, None] * n_units
        each = np.bincount(drawn.ravel(), minlength=size * n_units).reshape(size, n_units)
        yield each.astype(np.float64)


def bootstrap_interval(replicates: ArrayLike, *, conf_level: float = 0.95) -> tuple[Array, Array, Array]:
    """Take standard error and percentile interval from bootstrap replicates; NaN replicates are left out.

    Parameters
    ----------
    replicates : array-like
        Resamples along the first axis.
    conf_level : float
        Between 0 and 1.

    Returns
    -------
    tuple of (std_error, conf_low, conf_high)
        Of the shape of one replicate; NaN with fewer than 20 usable replicates; limits are NaN where they
        coincide, for data that all agree say nothing about others.

    References
    ----------
    Efron & Tibshirani (1993) An Introduction to the Bootstrap, ch. 13.

    Examples
    --------
    >>> [round(float(value), 1) for value in bootstrap_interval(range(101))]
    [29.3, 2.5, 97.5]
    """
    values = np.asarray(replicates, dtype=float)
    flat = values.reshape(len(values), int(np.prod(values.shape[1:])))
    enough = np.isfinite(flat).sum(axis=0) >= 20
    result = np.full((3, flat.shape[1]), np.nan)
    if enough.any():
        tails = [(1 - conf_level) / 2, (1 + conf_level) / 2]
        result[0, enough] = np.nanstd(flat[:, enough], axis=0, ddof=1)
        result[1:, enough] = np.nanquantile(flat[:, enough], tails, axis=0)
        result[1:, result[1] == result[2]] = np.nan
    std_error, low, high = result.reshape(3, *values.shape[1:])
    return std_error[()], low[()], high[()]


def _codes(labels: ArrayLike) -> NDArray[np.int64]:
    """Return integer codes of cluster labels; every missing label becomes a cluster of its own."""
    import pandas as pd

    label = np.asarray(labels)
    codes = pd.factorize(label if label.dtype.kind in "iu" else label.astype(object))[0].astype(np.int64)
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(alone.sum())
    return codes
