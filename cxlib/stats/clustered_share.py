"""Interval of a share whose observations come in clusters, such as several contacts of one customer."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cxlib.stats.intervals import Interval, cluster_moments, critical_value, share_interval


def clustered_share_interval(
    hits: ArrayLike,
    clusters: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    n_groups: int | None = None,
    conf_level: float = 0.95,
) -> Interval:
    """Share (0–1) of observations that come in clusters, with Wilson's interval on the effective number.

    Parameters
    ----------
    hits : array-like
        True or 1 for a success, without missing values.
    clusters, weights, groups, n_groups, conf_level
        As in `clustered_mean_interval`.

    Returns
    -------
    Interval
        Shares in 0–1, never without width: none or all of n leave room. NaN where nothing was observed.

    Notes
    -----
    Effective number p(1-p)/error², at most the observations (Kish's number of them with weights); where all
    observations agree, or every cluster alike, Kish's number of clusters. Where they do not, times (z/t)²
    with one degree of freedom less than clusters for the limits. Coverage of the 95 % interval with 150
    clusters of five: 94–97 % for shares of 5 % and more; 89–93 % for a share of 1 % whose successes come from
    few clusters (correlation of .05 to .5), where a normal interval has 81–89 %.

    References
    ----------
    Korn & Graubard (1998) Survey Methodology 24, 193–201; Wilson (1927).

    Examples
    --------
    >>> nobody = clustered_share_interval([0] * 8, ["a", "b", "c", "d"] * 2)
    >>> [round(float(value), 2) for value in nobody]
    [0.0, 0.0, 0.0, 0.49]
    """
    moments = cluster_moments(np.asarray(hits, dtype=float), clusters, weights, groups, n_groups)
    share, std_error, n, n_clusters, n_alike = moments
    with np.errstate(invalid="ignore", divide="ignore"):
        shrink = (critical_value(conf_level) / critical_value(conf_level, df=n_clusters - 1)) ** 2
        own = np.minimum(share * (1 - share) / std_error**2, n)
    varies = (share > 0) & (share < 1) & (std_error > 0)
    own = np.where(varies, own * np.nan_to_num(shrink, nan=1.0), n_alike)
    wilson = share_interval(np.nan_to_num(share) * own, own, conf_level=conf_level)
    result = wilson._replace(estimate=share, std_error=std_error)
    return result if groups is not None else Interval(*(np.ravel(value)[0] for value in result))
