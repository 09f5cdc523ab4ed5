"""Least squares over clusters (customers) whose errors and tests stay honest with few of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

#: With fewer clusters nothing is said.
LEAST_CLUSTERS = 20


class ClusterFit(NamedTuple):
    """Coefficients and what their errors need: a class because lines and tests are read off the same fit.

    Everything is in the coordinates in which the design is orthonormal; `back` brings a contrast there.
    """

    back: np.ndarray
    coefficients: np.ndarray
    cov: np.ndarray
    inner: np.ndarray
    fitted: np.ndarray

    def lines(self, contrasts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Estimate, standard error (CR2) and Satterthwaite degrees of freedom of linear combinations."""
        rows = contrasts @ self.back
        error = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", rows, self.cov, rows), 0))
        df = np.array([_satterthwaite(*self._parts(row[None])) for row in rows])
        return rows @ self.coefficients, error, df

    def wald(self, contrasts: np.ndarray) -> float:
        """p-value that all `contrasts` are 0: Hotelling's T² with the degrees of freedom of HTZ."""
        rows = contrasts @ self.back
        if not np.isfinite(rows).all() or not np.isfinite(self.cov).all():
            return np.nan
        q, spread = len(rows), rows @ self.cov @ rows.T
        if np.linalg.matrix_rank(spread) < q:
            return np.nan
        values, vectors = np.linalg.eigh(rows @ rows.T)
        turned = (vectors / np.sqrt(values)) @ vectors.T @ rows
        df = _wishart_df(*self._parts(turned))
        effect = rows @ self.coefficients
        statistic = float(effect @ np.linalg.solve(spread, effect)) * (df - q + 1) / (df * q)
        return float(stats.f.sf(statistic, q, df - q + 1)) if df > q - 1 else np.nan

    def _parts(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Per cluster: inner products of the adjusted weights of the rows, and their part in the fit."""
        return rows @ self.inner @ rows.T, rows @ self.fitted


def cluster_fit(design: np.ndarray, outcome: np.ndarray, cluster: np.ndarray) -> ClusterFit:
    """Fit with every cluster weighing 1; unknown with too few clusters or a design of too low rank.

    Parameters
    ----------
    design
        One row per observation; full column rank is needed.
    outcome
        One number per observation.
    cluster
        Cluster of each observation, any labels.

    Returns
    -------
    ClusterFit
        NaN throughout with fewer than 20 clusters.

    Notes
    -----
    With rows scaled so that each cluster weighs 1, design = QR and cluster g has G_g = Q_g'Q_g, its part of
    the identity. CR2 adjusts its score by (I − G_g)^(−1/2), which makes the variance unbiased where errors
    are equal and independent; the degrees of freedom are those of that case.

    References
    ----------
    Bell & McCaffrey (2002) Survey Methodology 28; Pustejovsky & Tipton (2018) JBES 36.

    Examples
    --------
    >>> x = np.tile([0.0, 1.0], 30)
    >>> fit = cluster_fit(np.column_stack([np.ones(60), x]), 2 * x, np.repeat(np.arange(30), 2))
    >>> float(fit.lines(np.array([[0, 1]]))[0].round(6)[0])
    2.0
    """
    n_columns = design.shape[1]
    _, place, size = np.unique(cluster, return_inverse=True, return_counts=True)
    if size.size < LEAST_CLUSTERS or np.linalg.matrix_rank(design) < n_columns:
        square = np.full((n_columns, n_columns), np.nan)
        return ClusterFit(square, square[0], square, square[None], square[None])
    scale = 1 / np.sqrt(size[place])
    q, r = np.linalg.qr(design * scale[:, None])
    y = outcome * scale
    coefficients = q.T @ y
    scores, inner, fitted = _adjusted(q, (y - q @ coefficients)[:, None], place, size)
    scores = scores[:, :, 0]
    return ClusterFit(np.linalg.inv(r), coefficients, scores.T @ scores, inner, fitted)


def cluster_contrasts(
    design: np.ndarray, outcomes: np.ndarray, cluster: np.ndarray, contrast: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """One linear combination of least squares coefficients for several outcomes, with errors by cluster.

    Parameters
    ----------
    design
        One row per observation, all of the same weight; full column rank is needed.
    outcomes
        One column per outcome.
    cluster
        Cluster of each observation, any labels.
    contrast
        Weights of the coefficients.

    Returns
    -------
    array, array, float
        Estimate per outcome, their joint CR2 covariance and Satterthwaite degrees of freedom; error and
        degrees of freedom are NaN where a single cluster decides the contrast.

    References
    ----------
    Bell & McCaffrey (2002) Survey Methodology 28; Pustejovsky & Tipton (2018) JBES 36.

    Examples
    --------
    >>> design = np.column_stack([np.ones(8), np.repeat([0.0, 1.0], 4)])
    >>> outcome = np.array([[1.0], [1], [3], [3], [5], [5], [7], [7]])
    >>> second = np.array([0, 1])
    >>> estimate, covariance, df = cluster_contrasts(design, outcome, np.repeat(range(4), 2), second)
    >>> float(estimate[0].round(9)), float(covariance[0, 0].round(9)), round(df, 9)
    (4.0, 2.0, 2.0)
    """
    _, place, size = np.unique(cluster, return_inverse=True, return_counts=True)
    q, r = np.linalg.qr(design)
    coefficients = q.T @ outcomes
    row = contrast @ np.linalg.inv(r)
    scores, inner, fitted = _adjusted(q, outcomes - q @ coefficients, place, size)
    pulled = np.einsum("k,gkm->gm", row, scores)
    a = np.einsum("k,gkl,l->g", row, inner, row)
    lost = float(row @ row) - float((a - ((row @ fitted) ** 2).sum(axis=1)).sum())
    if lost > 1e-6 * float(row @ row):  # directions that one cluster decides alone
        return row @ coefficients, np.full((outcomes.shape[1],) * 2, np.nan), np.nan
    df = _satterthwaite(a[:, None, None], (row @ fitted)[:, None, :])
    return row @ coefficients, pulled.T @ pulled, df


def _adjusted(
    q: np.ndarray, residual: np.ndarray, place: np.ndarray, size: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """CR2 scores (cluster × column × outcome), inner products of adjusted weights, their part in the fit."""
    order = np.argsort(place, kind="stable")
    starts = np.cumsum(size) - size
    q, residual = q[order], residual[order]
    shares = np.add.reduceat(q[:, :, None] * q[:, None, :], starts, axis=0)
    scores = np.stack([np.add.reduceat(q * column[:, None], starts, axis=0) for column in residual.T], axis=2)
    values, vectors = np.linalg.eigh(shares)
    values = np.clip(values, 0, 1)
    wholly_own = values > 1 - 1e-9  # the cluster alone decides this direction: it has no error to show
    free = np.where(wholly_own, np.inf, 1 - values)
    turned = vectors.swapaxes(1, 2)
    scores = vectors * free[:, None] ** -0.5 @ turned @ scores
    inner = vectors * (values / free)[:, None] @ turned
    fitted = vectors * (values / free**0.5)[:, None] @ turned
    return scores, inner, fitted


def _satterthwaite(inner: np.ndarray, fitted: np.ndarray) -> float:
    a, u = inner[:, 0, 0], fitted[:, 0]
    own = (u**2).sum(1)
    variance = (a**2 - 2 * a * own).sum() + ((u.T @ u) ** 2).sum()
    return float((a - own).sum() ** 2 / variance) if variance > 0 else np.nan


def _wishart_df(inner: np.ndarray, fitted: np.ndarray) -> float:
    """Degrees of freedom of the Wishart that has the same total variance as the estimated covariance."""
    q = inner.shape[1]
    total = 0.0
    for i in range(q):
        for j in range(q):
            ui, uj = fitted[:, i], fitted[:, j]
            a_ii, a_jj, a_ij = inner[:, i, i], inner[:, j, j], inner[:, i, j]
            both = (ui * uj).sum(1)
            total += (a_ii * a_jj - a_ii * (uj**2).sum(1) - a_jj * (ui**2).sum(1)).sum()
            total += (a_ij**2 - 2 * a_ij * both).sum()
            total += np.trace((ui.T @ ui) @ (uj.T @ uj)) + np.trace((uj.T @ ui) @ (uj.T @ ui))
    return q * (q + 1) / total
