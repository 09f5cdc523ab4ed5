"""Difference of two estimates from their own intervals: honest where nobody or everybody counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cxlib.intervals import Interval


def interval_difference(one: Interval, other: Interval, *, correlation: ArrayLike = 0.0) -> Interval:
    """First estimate minus the other, with the interval that the two intervals imply (MOVER).

    Parameters
    ----------
    one, other : Interval
        Estimates in one unit, with limits of one confidence level; scalars or arrays.
    correlation : array-like
        Correlation of the two estimates; 0 for independent groups.

    Returns
    -------
    Interval
        In the unit of the estimates, signed. `std_error` is NaN where one of the two errors is 0 or unknown
        (nobody or everybody in a group): the limits then come from intervals that know this, the error not.

    Notes
    -----
    low = d − √(l² + u² − 2ρlu) with l = distance to the lower limit of the first, u = to the upper limit of
    the other; high likewise. With Wilson limits and ρ = 0 this is Newcombe's method 10.

    References
    ----------
    Zou & Donner (2008) Statistics in Medicine 27; Newcombe (1998) Statistics in Medicine 17.

    Examples
    --------
    >>> nobody, half = Interval(0.0, 0.0, 0.0, 0.3), Interval(0.5, 0.1, 0.3, 0.7)
    >>> [round(float(value), 2) for value in interval_difference(nobody, half)]
    [-0.5, nan, -0.7, -0.14]
    """
    rho = np.asarray(correlation, dtype=float)
    difference = one.estimate - other.estimate
    below, above = one.estimate - one.conf_low, one.conf_high - one.estimate
    other_below, other_above = other.estimate - other.conf_low, other.conf_high - other.estimate
    known = (np.asarray(one.std_error) > 0) & (np.asarray(other.std_error) > 0)
    error = np.where(known, _joint(one.std_error, other.std_error, rho), np.nan)[()]
    low = difference - _joint(below, other_above, rho)
    return Interval(difference, error, low, difference + _joint(above, other_below, rho))


def _joint(one: ArrayLike, other: ArrayLike, rho: np.ndarray) -> np.ndarray:
    a, b = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    return np.sqrt(np.maximum(a**2 + b**2 - 2 * rho * a * b, 0))[()]
