"""How influences add up to a covariance: by unit or by cluster, kept apart by independent part."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

Array = npt.NDArray[np.float64]
Whole = npt.NDArray[np.intp]


class Spread(NamedTuple):
    """Covariance of K effects in parts that do not depend on each other (S of them), and what it rests on."""

    parts: Array  # S × K × K; they add up to the covariance
    units: Array  # S: units (or clusters) behind each part
    group_sums: Array  # G × K: sum over units of the group's size in it, times its influence on each effect
    share_products: Array  # G × G: the same of the groups' sizes with each other
    alone: npt.NDArray[np.bool_]  # K: one side of the effect is a single cluster
    is_clustered: bool


def by_unit(influence: Array, begins: Whole, sizes: Whole) -> Spread:
    """Spread of influences sorted by group, every unit for itself."""
    ends = begins + sizes
    slices = [influence[begin:end] for begin, end in zip(begins, ends, strict=True)]
    parts = np.array([part.T @ part for part in slices])
    sums = np.add.reduceat(influence, begins, axis=0)
    alone = np.zeros(influence.shape[1], dtype=bool)
    return Spread(parts, sizes.astype(float), sums, np.diag(sizes.astype(float)), alone, is_clustered=False)


def by_cluster(influence: Array, group: Whole, own: Whole, cluster: Whole) -> Spread:
    """Spread of influences summed up by cluster; `own` is the group whose effect each column is.

    Clusters that lie within one group each are independent parts by group; else there is a single part.
    """
    count, groups = int(cluster.max()) + 1, int(group.max()) + 1
    member = np.zeros((count, groups))
    np.add.at(member, (cluster, group), 1.0)
    pulled = np.zeros((count, influence.shape[1]))
    np.add.at(pulled, cluster, influence)
    nested = bool(((member > 0).sum(axis=1) == 1).all())
    stratum = member.argmax(axis=1) if nested else np.zeros(count, dtype=np.intp)
    units = np.bincount(stratum).astype(float)
    factor = units / np.maximum(units - 1, 1)
    parts = np.array([pulled[stratum == s].T @ pulled[stratum == s] * factor[s] for s in range(len(units))])
    inside = member[:, own] > 0
    beside = (member.sum(axis=1)[:, None] > member[:, own]) & (pulled != 0)
    alone = np.minimum(inside.sum(axis=0), beside.sum(axis=0)) < 2
    return Spread(parts, units, member.T @ pulled, member.T @ member, alone, is_clustered=True)


def without(spread: Spread, flat: npt.NDArray[np.bool_]) -> Spread:
    """Spread in which the effects `flat` do not vary at all: rounding is no evidence."""
    kept = ~flat
    parts = spread.parts * (kept[:, None] & kept[None, :])
    return spread._replace(parts=parts, group_sums=spread.group_sums * kept)


def freedom(spread: Spread, weights: Array) -> float:
    """Satterthwaite degrees of freedom of a weighted effect with clusters; infinite (normal) without."""
    if not spread.is_clustered:
        return np.inf
    each = np.einsum("i,sij,j->s", weights, spread.parts, weights)
    total = (each**2 / np.maximum(spread.units - 1, 1)).sum()
    return float(each.sum() ** 2 / total) if total > 0 else np.nan


def wald(spread: Spread, estimates: Array, chosen: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Wald test that the chosen effects are zero: χ² with the rank of their covariance."""
    values, vectors = np.linalg.eigh(spread.parts.sum(axis=0)[np.ix_(chosen, chosen)])
    real = values > 1e-10 * max(values.max(), 0)
    scores, df = vectors.T @ estimates[chosen], int(real.sum())
    statistic = float((scores[real] ** 2 / values[real]).sum())
    p_value = float(stats.chi2.sf(statistic, df)) if df else np.nan
    return {"statistic": statistic, "df": df, "df_residual": np.inf, "p_value": p_value}


def hotelling(spread: Spread, estimates: Array, chosen: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Test the same hypothesis by Hotelling's T² for parts of unequal spread (Krishnamoorthy & Yu 2004)."""
    factor = 1.0 if spread.is_clustered else spread.units / np.maximum(spread.units - 1, 1)
    parts = spread.parts[np.ix_(np.arange(len(spread.units)), chosen, chosen)]
    parts = parts * np.reshape(factor, (-1, 1, 1))
    values, vectors = np.linalg.eigh(parts.sum(axis=0))
    real = values > 1e-10 * max(values.max(), 0)
    rank = int(real.sum())
    root = vectors[:, real] / np.sqrt(values[real])
    scaled = root.T @ parts @ root
    squares = np.trace(scaled @ scaled, axis1=1, axis2=2) + np.trace(scaled, axis1=1, axis2=2) ** 2
    spare = (rank + rank**2) / (squares / np.maximum(spread.units - 1, 1)).sum() if rank else 0.0
    df = spare - rank + 1
    known = 0 < rank < (spread.units - 1).sum() and df > 0  # else units, not effects, limit the rank
    total = float(((root.T @ estimates[chosen]) ** 2).sum())
    statistic = total * df / (spare * rank) if known else np.nan
    p_value = float(stats.f.sf(statistic, rank, df)) if known else np.nan
    return {"statistic": statistic, "df": rank, "df_residual": float(df), "p_value": p_value}
