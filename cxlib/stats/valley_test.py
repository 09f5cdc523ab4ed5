"""Tell whether there is a valley between two places of a distribution, beyond what chance makes of a slope.

k-means cuts any cloud in two; two groups are there only if few customers stand between them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cxlib.stats.arrays import Array

LOW, HIGH, BINS, RESAMPLES, HALVINGS = -1.5, 2.5, 512, 99, 14
STEP = (HIGH - LOW) / BINS
FIRST, LAST = int(-LOW / STEP), int((1 - LOW) / STEP) + 1


def valley_p_value(places: Array, rng: np.random.Generator) -> float:
    """Test for a valley of the density between 0 and 1: p-value of "there is none".

    Parameters
    ----------
    places : array
        Positions along a line on which the two centres lie at 0 and 1; free of ties.
    rng : numpy.random.Generator

    Returns
    -------
    float
        Share of 99 smoothed resamples (and the data) that need as much smoothing until no valley is left.

    Notes
    -----
    Silverman's critical bandwidth, counted between the two places only, so that bumps in the tails do not
    matter: the smallest bandwidth at which the kernel density neither falls and rises again. Resamples come
    from that density, with the variance of the data. Skewed, heavy-tailed and flat distributions have no
    valley, whatever their shape.

    References
    ----------
    Silverman (1981) JRSS-B 43, 97–99; Hall & York (2001) Statistica Sinica 11, 515–536.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> valley_p_value(np.append(rng.normal(0, 0.2, 200), rng.normal(1, 0.2, 200)), rng) <= 0.05
    True
    >>> valley_p_value(rng.normal(0.5, 0.5, 400), rng) <= 0.05
    False
    """
    own, below, above = _counted(places[None]), STEP / 2, HIGH - LOW
    for _ in range(HALVINGS):
        middle = float(np.sqrt(below * above))
        below, above = (middle, above) if _has_valley(own, middle)[0] else (below, middle)
    n, spread, centre = len(places), places.std(), places.mean()
    drawn = places[rng.integers(0, n, (RESAMPLES, n))] + above * rng.standard_normal((RESAMPLES, n))
    again = centre + (drawn - centre) / np.sqrt(1 + (above / spread) ** 2)
    return float((1 + _has_valley(_counted(again), above).sum()) / (RESAMPLES + 1))


def _counted(rows: Array) -> Array:
    """Histogram of each row; what lies beyond the ends is counted in the last bins."""
    place = np.clip((rows - LOW) / STEP, 0, BINS - 1).astype(int) + np.arange(len(rows))[:, None] * BINS
    return np.bincount(place.ravel(), minlength=len(rows) * BINS).reshape(-1, BINS).astype(float)


def _has_valley(counts: Array, bandwidth: float) -> NDArray[np.bool_]:
    """Tell for each row whether its smoothed density falls and then rises between 0 and 1."""
    from scipy.ndimage import gaussian_filter1d

    density = gaussian_filter1d(counts, bandwidth / STEP, axis=1, mode="constant", truncate=5)
    slope = np.diff(density[:, FIRST:LAST], axis=1)
    flat = 1e-12 * density.max()
    rises = ((slope < -flat).cumsum(axis=1) > 0) & (slope > flat)
    return np.asarray(rises.any(axis=1), dtype=bool)
