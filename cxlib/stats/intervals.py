"""Standard errors and intervals that every chapter shares: share, difference, mean, clusters.

Every `…_interval` returns an `Interval` of four arrays (or scalars) and works on whole columns at once, so
that ten thousand segments cost as much as one; `frame.assign(**interval._asdict())` makes result columns of
it. Nothing observed (`n = 0`) gives NaN, never an exception. Bootstrap helpers stand in `resampling`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from cxlib.checks import ParameterError
from cxlib.checks.own_numbers import check_level
from cxlib.language import text
from cxlib.stats.arrays import Array
from cxlib.stats.sums_by_cluster import cluster_totals


class Interval(NamedTuple):
    """Estimate with its doubt: a class because the four belong together and are unpacked or named at will."""

    estimate: Any
    std_error: Any
    conf_low: Any
    conf_high: Any


def critical_value(conf_level: float = 0.95, *, df: ArrayLike | None = None) -> Any:
    """Two-sided critical value: normal, or Student's t with `df` degrees of freedom (NaN where `df` < 1).

    Parameters
    ----------
    conf_level : float
        Between 0 and 1.
    df : array-like, optional
        Degrees of freedom.

    Returns
    -------
    float or array

    Raises
    ------
    ParameterError
        If `conf_level` is not between 0 and 1.

    Examples
    --------
    >>> round(critical_value(0.95), 4)
    1.96
    """
    from scipy.special import ndtri, stdtrit

    check_level(conf_level)
    level = (1 + conf_level) / 2
    if df is None:
        return float(ndtri(level))
    degrees = np.asarray(df, dtype=float)
    return np.where(degrees >= 1, stdtrit(np.maximum(degrees, 1), level), np.nan)[()]


def share_interval(successes: ArrayLike, n: ArrayLike, *, conf_level: float = 0.95) -> Interval:
    """Share of successes (0–1) with Wilson's score interval.

    Parameters
    ----------
    successes, n : array-like
        Counts; weighted counts are allowed when `n` is an effective number of answers.
    conf_level : float

    Returns
    -------
    Interval
        Shares in 0–1; `std_error` is sqrt(p(1-p)/n). All NaN where `n` is 0.

    Raises
    ------
    ParameterError
        If a count is negative or `successes` exceed `n`.

    Notes
    -----
    Centre (x + z²/2)/(n + z²), half width z/(n + z²)·sqrt(x(n-x)/n + z²/4). Assumes independent answers.

    References
    ----------
    Wilson (1927); Newcombe (1998) Statistics in Medicine 17, 857–872, method 3.

    Examples
    --------
    >>> [round(float(value), 4) for value in share_interval(81, 263)[2:]]
    [0.2553, 0.3662]
    """
    total = check_counts("n", n)
    x = check_counts("successes", successes, not_above=("n", total))
    z2 = critical_value(conf_level) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        share = x / total
        half = np.sqrt(z2) * np.sqrt(x * (total - x) / total + z2 / 4) / (total + z2)
        centre = (x + z2 / 2) / (total + z2)
        low, high = np.maximum(centre - half, 0), np.minimum(centre + half, 1)
        low, high = np.where(x == 0, 0, low), np.where(x == total, 1, high)
        missing = np.where(total > 0, 0.0, np.nan)
        std_error = np.sqrt(share * (1 - share) / total)
    return Interval(*(value[()] for value in (share, std_error, low + missing, high + missing)))


def share_difference_interval(
    successes: ArrayLike,
    n: ArrayLike,
    other_successes: ArrayLike,
    other_n: ArrayLike,
    *,
    conf_level: float = 0.95,
) -> Interval:
    """First share minus the other share of independent groups, with Newcombe's interval (his method 10).

    Parameters
    ----------
    successes, n, other_successes, other_n : array-like
        Counts of the two groups.
    conf_level : float

    Returns
    -------
    Interval
        Signed difference in -1…1 (0.05 is five percentage points).

    References
    ----------
    Newcombe (1998) Statistics in Medicine 17, 873–890.

    Examples
    --------
    >>> [round(float(value), 4) for value in share_difference_interval(56, 70, 48, 80)[2:]]
    [0.0524, 0.3339]
    """
    one = share_interval(successes, n, conf_level=conf_level)
    two = share_interval(other_successes, other_n, conf_level=conf_level)
    difference = one.estimate - two.estimate
    low = difference - np.hypot(one.estimate - one.conf_low, two.conf_high - two.estimate)
    high = difference + np.hypot(one.conf_high - one.estimate, two.estimate - two.conf_low)
    return Interval(difference, np.hypot(one.std_error, two.std_error), low, high)


def mean_interval(
    mean: ArrayLike,
    std_dev: ArrayLike,
    n: ArrayLike,
    *,
    conf_level: float = 0.95,
    bounds: tuple[float, float] | None = None,
) -> Interval:
    """Mean with Student's t interval, from the mean, the sample standard deviation and the number of values.

    Parameters
    ----------
    mean, std_dev, n : array-like
        As `groupby(...).agg(["mean", "std", "count"])` gives them; missing values are not counted in `n`.
    conf_level : float
    bounds : tuple of two numbers, optional
        Ends of the scale, for limits where all values agree (`agreeing_limits`).

    Returns
    -------
    Interval
        In the unit of the mean; error and limits are NaN where `n` < 2. Where all values agree the limits are
        those of the scale, or NaN without `bounds`: equal values do not say how far another one could differ.

    Notes
    -----
    mean ± t(n-1)·s/√n. Assumes independent values and a mean that is about normal.

    Examples
    --------
    >>> [round(float(value), 3) for value in mean_interval(10, 2, 4)]
    [10.0, 1.0, 6.818, 13.182]
    """
    average, total = np.asarray(mean, dtype=float), check_counts("n", n)
    with np.errstate(invalid="ignore", divide="ignore"):
        std_error = np.where(total >= 2, np.asarray(std_dev, dtype=float) / np.sqrt(total), np.nan)
    half = critical_value(conf_level, df=total - 1) * std_error
    result = Interval(average[()], std_error[()], (average - half)[()], (average + half)[()])
    return agreeing_limits(result, total, conf_level=conf_level, bounds=bounds)


def agreeing_limits(
    interval: Interval, n: ArrayLike, *, conf_level: float = 0.95, bounds: tuple[float, float] | None = None
) -> Interval:
    """Open an interval of no width, which says that no other value can be: a few equal values do not.

    Parameters
    ----------
    interval : Interval
    n : array-like
        Independent values behind each estimate (customers, not answers).
    conf_level : float
    bounds : tuple of two numbers, optional
        Ends of the scale of single values.

    Returns
    -------
    Interval
        Where the limits coincide: the estimate less the share of others that `n` equal values leave possible
        (Wilson's upper limit of none in n) times the way to either end of the scale; NaN without `bounds`.

    Examples
    --------
    >>> [round(float(value), 2) for value in agreeing_limits(Interval(5.0, 0, 5, 5), 20, bounds=(1, 5))]
    [5.0, 0.0, 4.36, 5.0]
    """
    estimate, low, high = (np.asarray(value, dtype=float) for value in (interval.estimate, *interval[2:]))
    flat = np.isclose(low, high, rtol=1e-12, atol=0)
    if not np.any(flat):
        return interval
    room = np.asarray(share_interval(0 * check_counts("n", n), n, conf_level=conf_level).conf_high)
    ends = (np.nan, np.nan) if bounds is None else bounds
    low, high = (
        np.where(flat, estimate + room * (end - estimate), limit)
        for end, limit in zip(ends, (low, high), strict=True)
    )
    low, high = (np.where(flat & (low == high), np.nan, end) for end in (low, high))
    return interval._replace(conf_low=low[()], conf_high=high[()])


def clustered_mean_interval(
    values: ArrayLike,
    clusters: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    n_groups: int | None = None,
    conf_level: float = 0.95,
    bounds: tuple[float, float] | None = None,
) -> Interval:
    """Mean of values that come in clusters (several answers per customer), with cluster-robust error.

    Parameters
    ----------
    values : array-like
        Numbers without missing values.
    clusters : array-like
        Cluster of each value; any hashable labels, missing ones form clusters of their own.
    weights : array-like, optional
        Positive weights.
    groups : array-like of int, optional
        Group code 0, 1, 2… of each value; one mean per group, as arrays. Without it scalars are returned.
    n_groups : int, optional
        Number of groups, when the last ones may be empty.
    conf_level : float
    bounds : tuple of two numbers, optional
        Ends of the scale, as in `mean_interval`.

    Returns
    -------
    Interval
        In the unit of the values; error and limits are NaN with fewer than two clusters. Where all values
        agree the limits are those of `agreeing_limits`.

    Notes
    -----
    Variance G/(G-1)·Σ_g(Σ_i w(x - mean))²/(Σw)², interval by t with G-1 degrees of freedom (G clusters).
    Assumes independent clusters; below about 20 clusters it is still somewhat too narrow.

    References
    ----------
    Liang & Zeger (1986) Biometrika 73; Cameron & Miller (2015) Journal of Human Resources 50.

    Examples
    --------
    >>> [round(float(value), 3) for value in clustered_mean_interval([1, 1, 2, 2], ["a", "a", "b", "b"])]
    [1.5, 0.5, -4.853, 7.853]
    """
    mean, std_error, _, n_clusters, _ = cluster_moments(values, clusters, weights, groups, n_groups)
    half = critical_value(conf_level, df=n_clusters - 1) * std_error
    result = Interval(mean, std_error, mean - half, mean + half)
    result = agreeing_limits(result, n_clusters, conf_level=conf_level, bounds=bounds)
    return result if groups is not None else Interval(*(value[0] for value in result))


def cluster_moments(
    values: ArrayLike, clusters: ArrayLike, weights: Any, groups: Any, n_groups: int | None
) -> tuple[Array, Array, Array, Array, Array]:
    """Give mean and cluster-robust error of each group, its observations, clusters, and clusters by Kish."""
    import pandas as pd

    x = np.asarray(values, dtype=float)
    weight = np.ones_like(x) if weights is None else np.asarray(weights, dtype=float)
    group = np.zeros(len(x), dtype=np.int64) if groups is None else np.asarray(groups, dtype=np.int64)
    label = np.asarray(clusters)
    cluster = pd.factorize(label if label.dtype.kind in "iu" else label.astype(object))[0].astype(np.int64)
    alone = cluster < 0
    cluster[alone] = cluster.max(initial=-1) + 1 + np.arange(alone.sum())
    n_groups = n_groups or int(group.max(initial=0)) + 1
    with np.errstate(invalid="ignore", divide="ignore"):
        total = np.bincount(group, weight, n_groups)
        mean = np.bincount(group, weight * x, n_groups) / total
        owner, _, residuals = cluster_totals(weight * (x - mean[group]), group, cluster, n_groups)
        _, _, size = cluster_totals(weight, group, cluster, n_groups)
        n_clusters = np.bincount(owner, minlength=n_groups).astype(float)
        spread = np.bincount(owner, residuals**2, n_groups)
        variance = n_clusters / (n_clusters - 1) * spread / total**2
        std_error = np.where(n_clusters >= 2, np.sqrt(variance), np.nan)
        n = total**2 / np.bincount(group, weight**2, n_groups)
        n_alike = total**2 / np.bincount(owner, size**2, n_groups)
    return mean, std_error, np.nan_to_num(n), n_clusters, np.nan_to_num(n_alike)


def false_discovery(p_values: ArrayLike) -> Array:
    """Benjamini–Hochberg adjusted p-values: flag those at or below the false-discovery rate you accept.

    Parameters
    ----------
    p_values : array-like
        One per comparison of a family; missing ones stay missing and do not count.

    Returns
    -------
    array
        Adjusted p-values in the order given.

    References
    ----------
    Benjamini & Hochberg (1995) JRSS-B 57, 289–300.

    Examples
    --------
    >>> false_discovery([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    p = np.asarray(p_values, dtype=float)
    result = np.full(p.shape, np.nan)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(-p[known], kind="stable")]
    scaled = p[order] * len(order) / np.arange(len(order), 0, -1)
    result[order] = np.minimum(np.minimum.accumulate(scaled), 1)
    return result


def effective_n(weights: ArrayLike) -> float:
    """Kish's effective number of answers (Σw)²/Σw² of positive weights; 0 for none.

    References
    ----------
    Kish (1965) Survey Sampling.

    Examples
    --------
    >>> round(effective_n([1, 1, 1, 1, 5]), 3)
    2.793
    """
    weight = np.asarray(weights, dtype=float)
    return float(weight.sum() ** 2 / (weight**2).sum()) if len(weight) else 0.0


def check_counts(argument: str, values: ArrayLike, not_above: tuple[str, Array] | None = None) -> Array:
    """Return counts as floats; refuse negative ones and those above their total (beyond rounding)."""
    counts = np.asarray(values, dtype=float)
    bad = counts < 0
    if not_above is not None:
        bad = bad | (counts > not_above[1] * (1 + 1e-9))
    if np.any(bad):
        found = np.broadcast_to(counts, np.shape(bad))[bad]
        raise ParameterError(
            "intervals.counts",
            argument=argument,
            limit="" if not_above is None else text("intervals.not_above", other=not_above[0]),
            found=", ".join(f"{value:g}" for value in np.unique(found)[:3]),
            n=int(np.sum(bad)),
            total=np.size(bad),
            first=int(np.flatnonzero(np.atleast_1d(bad))[0]) + 1,
        )
    return counts
