"""Behavioural clusters, and whether there are any: k-means always returns groups, data need not have them.

A number of clusters is accepted only where the data fall into groups more clearly than one featureless cloud
of the same spread would, where few customers stand between neighbouring groups, and where the groups come
back in resamples of the customers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.checks import ParameterError, check_columns
from cxlib.stats.arrays import Array
from cxlib.stats.valley_test import valley_p_value

FEATURES = ("recency_days", "frequency", "monetary_total")
FEWEST, SAMPLE, RESTARTS, REFERENCES, RESAMPLES = 50, 1_000, 3, 15, 25
STABLE = 0.75  # Hennig's threshold: a cluster whose mean Jaccard is lower is no stable pattern
SEPARATE = 0.05


def cluster_customers(
    customers: pd.DataFrame, *, features: Sequence[str] = FEATURES, most: int = 6, seed: int = 1
) -> pd.DataFrame:
    """Add `cluster` (1 is the largest) to a customer table, missing for everybody without stable structure.

    Parameters
    ----------
    customers : pandas.DataFrame
        One row per customer; customers with a missing feature, or one of zero or less, get no cluster.
    features : sequence of str
        Numbers from 0, taken as log(1 + value/median) and standardised: units do not matter.
    most : int
        Largest number of clusters tried, from 2.
    seed : int

    Returns
    -------
    pandas.DataFrame
        The table with `cluster`: whole numbers, missing for everybody where `cluster_evidence` finds none.

    Raises
    ------
    ParameterError
        If a feature is missing, or `most` is below 2.

    Notes
    -----
    k-means (scipy) with the number of clusters that `cluster_evidence` accepts. It is looked for among 1,000
    customers drawn at random; everybody is then given to the nearest centre.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> cloud = pd.DataFrame(rng.lognormal(3, 1, (300, 2)), columns=["recency_days", "monetary_total"])
    >>> cluster_customers(cloud, features=["recency_days", "monetary_total"])["cluster"].notna().any()
    np.False_
    """
    order = _by_value(customers, features)
    points, known = _points(customers.iloc[order], features)
    cluster = pd.array([pd.NA] * len(customers), dtype="Int64")
    evidence = cluster_evidence(customers, features=features, most=most, seed=seed)
    chosen = evidence.loc[evidence["is_chosen"], "clusters"].to_numpy(dtype=int)
    if len(chosen) and chosen[0] > 1:
        rng = np.random.default_rng(seed)
        centres, _ = _k_means(_drawn(points, rng), int(chosen[0]), rng)
        code = _nearest(points, centres)
        sizes = np.bincount(code, minlength=len(centres))
        rank = np.empty(len(centres), dtype=int)
        rank[np.argsort(-sizes, kind="stable")] = np.arange(1, len(centres) + 1)
        cluster[order[known]] = rank[code]
    return customers.assign(cluster=cluster)


def cluster_evidence(
    customers: pd.DataFrame, *, features: Sequence[str] = FEATURES, most: int = 6, seed: int = 1
) -> pd.DataFrame:
    """Tabulate the evidence for each number of clusters: gap against no structure, and stability (0–1).

    Parameters
    ----------
    customers, features, most, seed
        As `cluster_customers`.

    Returns
    -------
    pandas.DataFrame
        `clusters, metric` (gap)`, estimate, std_error` (of the simulated references)`, n` (customers with all
        features)`, separation` (largest p-value of "no valley between a cluster and its nearest")`,
        stability` (smallest of the clusters' mean Jaccard over resamples)`, is_chosen`, from one cluster up.
        Separation and stability only for the numbers tried, from the one the gap points to downwards. One
        cluster is chosen where there is no stable structure; empty below 50 customers.

    Raises
    ------
    ParameterError
        As `cluster_customers`.

    Notes
    -----
    Gap: mean log of the within sum of squares of uniform clouds in the box of the principal axes, minus that
    of the data. From the smallest k with gap(k) ≥ gap(k+1) - s(k+1) downwards, the first k stands for which,
    on the line through the centres of every cluster and its nearest, the density has a valley (p ≤ .05,
    `valley_p_value`), and every cluster's mean Jaccard with its nearest cluster in bootstrap resamples is at
    least .75. The gap alone is no evidence: one smooth population that buys by chance is neither uniform nor
    continuous, for orders are whole numbers. For the valleys, values are spread over the smallest step of
    their feature, so that one order and two orders are no two groups.

    References
    ----------
    Tibshirani, Walther & Hastie (2001) JRSS-B 63, 411–423; Silverman (1981) JRSS-B 43, 97–99; Hennig (2007)
    Computational Statistics & Data Analysis 52, 258–271.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> two = pd.DataFrame({"frequency": np.append(rng.lognormal(1, 0.2, 200), rng.lognormal(4, 0.2, 200))})
    >>> evidence = cluster_evidence(two, features=["frequency"])
    >>> evidence.loc[evidence["is_chosen"], ["clusters", "stability"]].values.tolist()
    [[2.0, 1.0]]
    """
    if most < 2:
        raise ParameterError("segmentation.most", found=most)
    customers = customers.iloc[_by_value(customers, features)]
    points, known = _points(customers, features)
    columns = ["clusters", "metric", "estimate", "std_error", "n", "separation", "stability", "is_chosen"]
    if len(points) < FEWEST or not points.shape[1]:
        return pd.DataFrame(columns=columns)
    rng = np.random.default_rng(seed)
    sample = _drawn(points, rng)
    spread, _ = _points(customers[known], features, rng)
    spread = _drawn(spread, np.random.default_rng(seed))
    most = min(most, len(sample) // 10, len(np.unique(sample, axis=0)) - 2)
    tried = range(1, max(most, 1) + 2)
    own = np.array([_log_within(sample, k, rng) for k in tried])
    null = np.array([[_log_within(cloud, k, rng, 1) for k in tried] for cloud in _featureless(sample, rng)])
    gap, error = null.mean(axis=0) - own, null.std(axis=0) * np.sqrt(1 + 1 / REFERENCES)
    enough = gap[:-1] >= gap[1:] - error[1:]
    chosen = int(np.argmax(enough)) + 1 if enough.any() else len(enough)
    evidence = np.full((2, len(gap) - 1), np.nan)
    while chosen > 1:
        separation, stability = evidence[:, chosen - 1] = (
            _separation(sample, spread, chosen, rng),
            _stability(sample, chosen, rng),
        )
        if separation <= SEPARATE and stability >= STABLE:
            break
        chosen -= 1
    table = pd.DataFrame(
        {"clusters": list(tried)[:-1], "metric": "gap", "estimate": gap[:-1], "std_error": error[:-1]}
    )
    table = table.assign(n=len(points), separation=evidence[0], stability=evidence[1])
    return table.assign(is_chosen=table["clusters"] == chosen)[columns]


def _by_value(customers: pd.DataFrame, features: Sequence[str]) -> NDArray[np.intp]:
    """Places of the customers in the order of their values: who is drawn must not depend on the rows."""
    check_columns(customers, **{f"features[{i}]": name for i, name in enumerate(features)})
    held = customers[list(features)].reset_index(drop=True)
    return held.sort_values(list(features), kind="stable").index.to_numpy()


def _points(
    customers: pd.DataFrame, features: Sequence[str], rng: np.random.Generator | None = None
) -> tuple[Array, NDArray[np.bool_]]:
    """Features of the customers who have them all, log scale, standardised; constant ones dropped.

    With `rng`, values are spread over the smallest step of their feature before the logarithm.
    """
    values = customers[list(features)].to_numpy(dtype=float, na_value=np.nan)
    known = (np.isfinite(values) & (values >= 0)).all(axis=1)
    values = values[known]
    typical = np.median(values, axis=0) if len(values) else np.ones(values.shape[1])
    typical = np.where(typical > 0, typical, np.maximum(values.mean(axis=0) if len(values) else 1.0, 1e-300))
    points = np.log1p(values / typical)
    middle, scale = (points.mean(axis=0), points.std(axis=0)) if len(points) else (0.0, typical * 0)
    varies = scale > 1e-9
    if rng is not None:
        steps = np.array([np.diff(np.unique(column)).min(initial=np.inf) for column in values.T])
        steps = np.where(np.isfinite(steps), steps, 0.0)
        values = np.maximum(values + rng.uniform(-0.5, 0.5, values.shape) * steps, 0.0)
        points = np.log1p(values / typical)
    return ((points - middle) / np.where(varies, scale, 1.0))[:, varies], known


def _drawn(points: Array, rng: np.random.Generator) -> Array:
    if len(points) <= SAMPLE:
        return points
    return points[np.sort(rng.choice(len(points), SAMPLE, replace=False))]


def _k_means(
    points: Array, k: int, rng: np.random.Generator, restarts: int = RESTARTS
) -> tuple[Array, float]:
    """Return the centres with the smallest within sum of squares of a few starts, and that sum."""
    from scipy.cluster.vq import ClusterError, kmeans2

    best, least = points.mean(axis=0, keepdims=True), float(((points - points.mean(axis=0)) ** 2).sum())
    for _ in range(restarts if k > 1 else 0):
        try:
            with np.errstate(invalid="ignore"):
                centres, code = kmeans2(points, k, iter=15, minit="++", missing="raise", rng=rng)
        except ClusterError:
            continue
        within = float(((points - centres[code]) ** 2).sum())
        if within < least:
            best, least = centres, within
    return best, least


def _log_within(points: Array, k: int, rng: np.random.Generator, restarts: int = RESTARTS) -> float:
    return float(np.log(max(_k_means(points, k, rng, restarts)[1], 1e-12)))


def _nearest(points: Array, centres: Array) -> NDArray[np.int64]:
    from scipy.cluster.vq import vq

    return np.asarray(vq(points, centres)[0], dtype=np.int64)


def _featureless(points: Array, rng: np.random.Generator) -> list[Array]:
    """Uniform clouds in the box of the points' principal axes."""
    middle = points.mean(axis=0)
    axes = np.linalg.svd(points - middle, full_matrices=False)[2]
    turned = (points - middle) @ axes.T
    low, high = turned.min(axis=0), turned.max(axis=0)
    return [rng.uniform(low, high, turned.shape) for _ in range(REFERENCES)]


def _separation(points: Array, spread: Array, k: int, rng: np.random.Generator) -> float:
    """Largest p-value of "no valley between a cluster and its nearest neighbour"."""
    centres = _k_means(points, k, rng)[0]
    code = _nearest(points, centres)
    apart = ((centres[:, None] - centres) ** 2).sum(axis=2)
    np.fill_diagonal(apart, np.inf)
    largest = 0.0
    for one, other in {(min(pair), max(pair)) for pair in enumerate(apart.argmin(axis=1).tolist())}:
        axis = centres[other] - centres[one]
        both = (code == one) | (code == other)
        largest = max(largest, valley_p_value((spread[both] - centres[one]) @ axis / (axis @ axis), rng))
    return largest


def _stability(points: Array, k: int, rng: np.random.Generator) -> float:
    """Smallest of the clusters' mean Jaccard similarity with their likeness in resamples."""
    own = _nearest(points, _k_means(points, k, rng)[0])
    agree = np.zeros((RESAMPLES, k))
    for row in agree:
        drawn = points[rng.integers(0, len(points), len(points))]
        other = _nearest(points, _k_means(drawn, k, rng)[0])
        cells = np.bincount(own * k + other, minlength=k * k).reshape(k, k)
        union = cells.sum(axis=1, keepdims=True) + cells.sum(axis=0) - cells
        row[:] = (cells / np.maximum(union, 1)).max(axis=1)
    return float(agree.mean(axis=0).min())
