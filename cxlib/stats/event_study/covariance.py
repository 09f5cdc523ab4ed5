"""How influences add up to a covariance: by unit or by cluster, kept apart by independent part.

A covariance of K effects is never laid out for all units: each independent part is kept as a root (few rows,
K columns) whose product with itself it is. A group's outcomes over T periods span at most T + 1 directions,
so that dozens of starts over years cost thousands of rows and not millions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from cxlib.stats.arrays import Array
from cxlib.stats.event_study.group_time_cells import Contrasts

Whole = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]


class Root(NamedTuple):
    """One independent part: the effects it pulls on, and rows whose product with themselves it is."""

    used: Whole
    rows: Array


class Spread(NamedTuple):
    """Covariance of K effects in parts that do not depend on each other (S of them), and what it rests on."""

    roots: list[Root]
    units: Array  # S: units (or clusters of equal weight) behind each part
    group_sums: Array  # G × K: sum over units of the group's size in it, times its influence on each effect
    share_products: Array  # G × G: the same of the groups' sizes with each other
    alone: Mask  # K: one side of the effect is a single cluster
    is_clustered: bool

    def scaled(self, weights: Array) -> list[Array]:
        """Each part's rows for weighted effects (P × K weights): their squares add up to its variances."""
        return [root.rows @ weights[:, root.used].T for root in self.roots]

    def joint(self, weights: Array) -> Array:
        """Covariance (P × P) of weighted effects."""
        return np.sum([rows.T @ rows for rows in self.scaled(weights)], axis=0)

    def variances(self, weights: Array) -> Array:
        """Variance of each weighted effect by part (S × P)."""
        return np.array([(rows**2).sum(axis=0) for rows in self.scaled(weights)])

    def each(self) -> Array:
        """Variance of each of the K effects by part (S × K)."""
        found = np.zeros((len(self.roots), len(self.alone)))
        for part, root in enumerate(self.roots):
            found[part, root.used] = (root.rows**2).sum(axis=0)
        return found

    def covariance(self, chosen: Mask | None = None) -> Array:
        """Covariance of the effects, or of those chosen."""
        kept = np.ones(len(self.alone), dtype=bool) if chosen is None else chosen
        place = np.cumsum(kept) - 1
        total = np.zeros((int(kept.sum()),) * 2)
        for root in self.roots:
            inside = kept[root.used]
            rows, at = root.rows[:, inside], place[root.used[inside]]
            total[np.ix_(at, at)] += rows.T @ rows
        return total

    def without(self, flat: Mask) -> Spread:
        """Spread in which the effects `flat` do not vary at all: rounding is no evidence."""
        roots = [Root(root.used, root.rows * ~flat[root.used]) for root in self.roots]
        return self._replace(roots=roots, group_sums=self.group_sums * ~flat)


class Influence(NamedTuple):
    """Influence of each unit on K effects, either laid out or as `Contrasts` of its outcomes.

    A class because units and clusters are summed up alike whichever it is.
    """

    values: Array  # N × K influences, or N × (T + 1): outcomes less their group's mean, and 1
    contrasts: Contrasts | None
    group: Whole  # N, in order

    def rows(self, group: int, sums: Array) -> Root:
        """Influences that sums of `values` within one group come to."""
        if self.contrasts is None:
            return Root(np.arange(sums.shape[1]), sums)
        used = np.flatnonzero(self.contrasts.weight[group])
        pulled = (
            sums[:, :-1] @ self.contrasts.change[:, used] + sums[:, -1:] * self.contrasts.gap[group, used]
        )
        return Root(used, self.contrasts.weight[group, used] * pulled)

    def root(self, group: int, sums: Array) -> Root:
        """Give the same in as few rows as they span, their squares and products unchanged."""
        if self.contrasts is not None and len(sums) > sums.shape[1]:
            sums = np.asarray(np.linalg.qr(sums, mode="r"))
        return self.rows(group, sums)


def by_unit(influence: Influence, sizes: Whole) -> Spread:
    """Spread of influences sorted by group, every unit for itself."""
    ends = np.cumsum(sizes)
    slices = [influence.values[end - size : end] for end, size in zip(ends, sizes, strict=True)]
    roots = [influence.root(group, part) for group, part in enumerate(slices)]
    sums = _group_sums(influence, [part.sum(axis=0) for part in slices])
    alone = np.zeros(sums.shape[1], dtype=bool)
    return Spread(roots, sizes.astype(float), sums, np.diag(sizes.astype(float)), alone, is_clustered=False)


def _group_sums(influence: Influence, sums: list[Array]) -> Array:
    rows = [influence.rows(group, part[None, :]) for group, part in enumerate(sums)]
    found = np.zeros((len(sums), 1 + max(int(root.used.max(initial=-1)) for root in rows)))
    for row, root in zip(found, rows, strict=True):
        row[root.used] = root.rows[0]
    return found


def by_cluster(influence: Influence, own: Mask, rest: Mask, cluster: Whole) -> Spread:
    """Spread of influences summed up by cluster; `own` and `rest`: G × K, groups on each side of an effect.

    Clusters that lie within one group each are independent parts by group, with the error CR2 of their means;
    else there is a single part.
    """
    groups = len(own)
    pair, at = np.unique(np.column_stack([influence.group, cluster]), axis=0, return_inverse=True)
    sums = np.zeros((len(pair), influence.values.shape[1]))
    np.add.at(sums, at.ravel(), influence.values)
    count = int(cluster.max()) + 1
    member = np.zeros((count, groups))
    np.add.at(member, (pair[:, 1], pair[:, 0]), np.bincount(at.ravel()).astype(float))
    inside = (member > 0).astype(float)
    alone = np.minimum(inside.sum(axis=0) @ own, (inside @ rest > 0).sum(axis=0)) < 2
    inner = [pair[:, 0] == group for group in range(groups)]
    sizes = [member[pair[rows, 1], group] for group, rows in enumerate(inner)]
    if (inside.sum(axis=1) == 1).all():
        shares = [size / size.sum() for size in sizes]
        free = [np.where(share < 1, 1 - share, 1.0)[:, None] for share in shares]
        roots = [influence.root(g, sums[rows] / np.sqrt(free[g])) for g, rows in enumerate(inner)]
        units = np.array([1 + _freedom_of_mean(share) for share in shares])
        group_sums = _group_sums(influence, [sizes[g] @ sums[rows] for g, rows in enumerate(inner)])
    else:
        pulled = np.zeros((count, own.shape[1]))
        for group, rows in enumerate(inner):
            root = influence.rows(group, sums[rows])
            pulled[np.ix_(pair[rows, 1], root.used)] += root.rows
        roots = [Root(np.arange(own.shape[1]), pulled * np.sqrt(count / max(count - 1, 1)))]
        units, group_sums = np.array([float(count)]), member.T @ pulled
    return Spread(roots, units, group_sums, member.T @ member, alone, is_clustered=True)


def _freedom_of_mean(share: Array) -> float:
    """Satterthwaite degrees of freedom of a mean's CR2 error, from its clusters' shares of the units."""
    if len(share) < 2:
        return 0.0
    first = (share**2 * (1 - 2 * share) / (1 - share) ** 2).sum()
    return float(1 / (first + (share**2 / (1 - share)).sum() ** 2))


def freedom(spread: Spread, weights: Array) -> Array:
    """Satterthwaite degrees of freedom of weighted effects (P) with clusters; infinite (normal) without."""
    if not spread.is_clustered:
        return np.full(len(weights), np.inf)
    return pooled_freedom(spread.variances(weights), spread.units)


def pooled_freedom(variances: Array, units: Array) -> Array:
    """Degrees of freedom of sums (columns) of independent variances (rows)."""
    total = (variances**2 / np.where(units > 1, units - 1, 1.0)[:, None]).sum(axis=0)
    known = total > 0
    return np.where(known, variances.sum(axis=0) ** 2 / np.where(known, total, 1.0), np.nan)


def wald(spread: Spread, estimates: Array, chosen: Mask) -> dict[str, float]:
    """Wald test that the chosen effects are zero: χ² with the rank of their covariance."""
    values, vectors = np.linalg.eigh(spread.covariance(chosen))
    real = values > 1e-10 * max(values.max(), 0)
    scores, df = vectors.T @ estimates[chosen], int(real.sum())
    statistic = float((scores[real] ** 2 / values[real]).sum())
    p_value = float(stats.chi2.sf(statistic, df)) if df else np.nan
    return {"statistic": statistic, "df": df, "df_residual": np.inf, "p_value": p_value}


def hotelling(spread: Spread, estimates: Array, chosen: Mask) -> dict[str, float]:
    """Test the same hypothesis by Hotelling's T² for parts of unequal spread (Krishnamoorthy & Yu 2004)."""
    factor = np.ones(len(spread.units))
    if not spread.is_clustered:
        factor = spread.units / np.maximum(spread.units - 1, 1)
    scaled = spread._replace(
        roots=[Root(r.used, r.rows * f**0.5) for r, f in zip(spread.roots, factor, strict=True)]
    )
    values, vectors = np.linalg.eigh(scaled.covariance(chosen))
    real = values > 1e-10 * max(values.max(), 0)
    rank = int(real.sum())
    root = np.zeros((len(chosen), rank))
    root[chosen] = vectors[:, real] / np.sqrt(values[real])
    spare = 0.0
    if rank:
        parts = scaled.scaled(root.T)
        squares = np.array([((p @ p.T) ** 2).sum() + (p**2).sum() ** 2 for p in parts])
        spare = (rank + rank**2) / (squares / np.maximum(spread.units - 1, 1)).sum()
    df = spare - rank + 1
    known = 0 < rank < (spread.units - 1).sum() and df > 0  # else units, not effects, limit the rank
    total = float(((root[chosen].T @ estimates[chosen]) ** 2).sum())
    statistic = total * df / (spare * rank) if known else np.nan
    p_value = float(stats.f.sf(statistic, rank, df)) if known else np.nan
    return {"statistic": statistic, "df": rank, "df_residual": float(df), "p_value": p_value}
