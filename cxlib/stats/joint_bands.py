"""Critical values by which several intervals hold together: draws of jointly normal estimates."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from cxlib.stats.arrays import Array


def joint_critical_value(covariance: Array, *, conf_level: float, seed: int, df: float = np.inf) -> float:
    """Quantile of the largest |t| among jointly normal estimates (Montiel Olea & Plagborg-Møller 2019).

    Parameters
    ----------
    covariance
        Of the estimates; one without any variance takes no part.
    conf_level
        Probability that all intervals hold.
    seed
        Of the 50,000 draws.
    df
        Degrees of freedom of what the covariance was estimated with; infinite: normal.

    Returns
    -------
    float
        NaN where no estimate varies.

    Examples
    --------
    >>> [round(joint_critical_value(np.eye(k), conf_level=0.95, seed=1), 1) for k in (5, 20)]
    [2.6, 3.0]
    """
    spread = np.sqrt(covariance.diagonal())
    real = spread > 0
    if not real.any():
        return np.nan
    root = draws_root(covariance[np.ix_(real, real)] / np.outer(spread[real], spread[real]))
    return largest_ratio(root, conf_level=conf_level, draws=50_000, seed=seed, df=df)


def largest_ratio(rows: Array, *, conf_level: float, draws: int, seed: int, df: float = np.inf) -> float:
    """Quantile of the largest of several ratios, each a row of weights of the same standard normal draws.

    Examples
    --------
    >>> alike = np.array([[1.0, 0.0], [-1.0, 0.0]])
    >>> round(largest_ratio(alike, conf_level=0.9, draws=10_000, seed=1), 1)
    1.6
    """
    normals, after = _normals(rows.shape[1], draws, seed)
    ratios = rows @ normals.T
    largest = np.abs(ratios, out=ratios).max(axis=0)
    if np.isfinite(df):
        rng = np.random.default_rng()
        rng.bit_generator.state = after
        largest /= np.sqrt(rng.chisquare(df, draws) / df)
    return float(np.quantile(largest, conf_level))


def draws_root(covariance: Array) -> Array:
    """Symmetric root to turn independent draws into joint ones.

    Unlike eigenvectors, whose signs are anybody's guess, it hardly moves where the covariance hardly does:
    the same draws give the same critical value whatever the order of rows.
    """
    values, vectors = np.linalg.eigh(covariance)
    real = np.where(values > 1e-12 * values.max(), values, 0.0)
    return (vectors * np.sqrt(real)) @ vectors.T


@lru_cache(maxsize=8)
def _normals(size: int, draws: int, seed: int) -> tuple[Array, Any]:
    """Draw standard normals, one row per draw, and say where the generator stands; many bands share them."""
    rng = np.random.default_rng(seed)
    normals = rng.standard_normal((draws, size))
    normals.flags.writeable = False
    return normals, rng.bit_generator.state
