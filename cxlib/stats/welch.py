"""Welch's rules where spreads differ: degrees of freedom of a sum of variances, and his F for many means."""

from __future__ import annotations

from scipy.special import fdtrc

from cxlib.stats.arrays import Array


def welch_df(variances: Array, df: Array) -> Array:
    """Degrees of freedom of a sum of independent variances along the first axis (Satterthwaite 1946).

    Examples
    --------
    >>> import numpy as np
    >>> float(welch_df(np.array([2.0, 2.0]), np.array([9, 9])))
    18.0
    """
    return variances.sum(axis=0) ** 2 / (variances**2 / df).sum(axis=0)


def welch_p(x: Array, weight: Array, df: Array) -> Array:
    """p-value that means along the last axis are all alike, their weights one over their variances.

    References
    ----------
    Welch (1951) Biometrika 38.
    """
    k = x.shape[-1]
    share = weight / weight.sum(axis=-1, keepdims=True)
    middle = (share * x).sum(axis=-1, keepdims=True)
    doubt = ((1 - share) ** 2 / df).sum(axis=-1)
    between = (weight * (x - middle) ** 2).sum(axis=-1) / (k - 1)
    return fdtrc(k - 1, (k**2 - 1) / (3 * doubt), between / (1 + 2 * (k - 2) / (k**2 - 1) * doubt))
