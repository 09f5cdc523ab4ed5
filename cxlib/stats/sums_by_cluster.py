"""Sums by group and cluster without sorting: what every error by customer is made of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxlib.stats.arrays import Array


def cluster_totals(
    values: Array, group: NDArray[Any], cluster: NDArray[Any], n_groups: int
) -> tuple[NDArray[Any], NDArray[Any], Array]:
    """Add up values by group and cluster: group, cluster and sum of each pair that occurs, in their order.

    Parameters
    ----------
    values : array
    group, cluster : array of int
        Codes from 0.
    n_groups : int

    Examples
    --------
    >>> one, two = np.array([0, 0, 1]), np.array([0, 0, 5])
    >>> [each.tolist() for each in cluster_totals(np.array([1.0, 2.0, 4.0]), one, two, 2)]
    [[0, 1], [0, 5], [3.0, 4.0]]
    """
    size = int(cluster.max(initial=0)) + 1
    pair = group * size + cluster
    if n_groups * size > 4 * len(pair) + 1_000:  # most pairs do not occur
        held, code = np.unique(pair, return_inverse=True)
        return held // size, held % size, np.bincount(code, values, len(held)).astype(np.float64)
    held = np.flatnonzero(np.bincount(pair, minlength=n_groups * size))
    return held // size, held % size, np.bincount(pair, values, n_groups * size)[held].astype(np.float64)
