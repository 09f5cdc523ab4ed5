"""Do the items measure different things? Reliability of the battery and how much one factor carries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxlib.checks import check_columns, check_frame
from cxlib.stats.arrays import Array
from cxlib.stats.bootstrap import bootstrap_interval, resampled_sums
from cxlib.stats.number_columns import check_numbers, cluster_codes
from cxlib.voice.drivers.resampled_moments import ResampledMoments

ROUNDS = 60


def scale_reliability(
    data: pd.DataFrame,
    *,
    item_cols: Sequence[str],
    cluster_col: str | None = None,
    n_boot: int = 500,
    seed: int = 0,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Cronbach's alpha, McDonald's omega and the share of the first factor (halo) of a battery, each 0–1.

    Parameters
    ----------
    data : DataFrame
        One row per answer; a missing item only leaves out the pairs it would enter.
    item_cols : sequence of str
        At least two numeric items that point the same way.
    cluster_col : str, optional
        Customer: the bootstrap draws customers instead of answers.
    n_boot : int
    seed : int
    conf_level : float

    Returns
    -------
    DataFrame
        ``metric`` "alpha", "omega" and "first_factor" with ``estimate, std_error, conf_low, conf_high``
        (bootstrap percentiles) and ``n`` answers with any item (with `cluster_col` also ``customers``). NaN
        with fewer than two items that vary, or no more answers than items.

    Raises
    ------
    ParameterError
        For a missing column or text in an item.

    Notes
    -----
    alpha = k/(k-1)·(1 - Σ variances / variance of the sum). omega = (Σ loadings)² over that plus the unique
    variances, of a one-factor model by iterated principal axes. first_factor = largest eigenvalue of the
    correlation matrix over k; 1/k when nothing goes together. High values mean that answers follow a general
    impression (halo) or that the items ask the same: then importance cannot tell them apart.

    References
    ----------
    Cronbach (1951) Psychometrika 16; McDonald (1999) Test Theory; Podsakoff et al. (2003) JAP 88.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> items = pd.DataFrame(rng.normal(size=(4000, 4)) + rng.normal(size=(4000, 1)), columns=list("abcd"))
    >>> scale_reliability(items, item_cols=list("abcd"), n_boot=50)["estimate"].round(1).tolist()
    [0.8, 0.8, 0.6]
    """
    check_frame(data)
    for column in item_cols:
        check_columns(data, item_cols=column)
    check_columns(data, cluster_col=cluster_col)
    values = np.column_stack([check_numbers(data, column) for column in item_cols] or [np.empty(len(data))])
    keep = np.isfinite(values).any(axis=1)
    values, k = values[keep], len(item_cols)
    moving = [k > 1 and np.isfinite(item).any() and np.nanstd(item) > 0 for item in values.T]
    estimates, drawn = np.full(3, np.nan), np.full((1, 3), np.nan)
    clusters = None if cluster_col is None else cluster_codes(data[cluster_col])[keep]
    if all(moving) and len(values) > k:
        moments = ResampledMoments(values, np.ones(len(values)))
        estimates = _reliability(moments, moments.all_answers())[0]
        places = np.r_[*(each[0] for each in moments.spreads(moments.places[None])), moments.places]
        blocks = resampled_sums(moments.terms(), n_boot=n_boot, seed=seed, clusters=clusters, places=places)
        parts = [_reliability(moments, sums[:, -len(moments.places) :]) for sums in blocks]
        drawn = np.vstack(parts) if parts else drawn
    std_error, low, high = bootstrap_interval(drawn, conf_level=conf_level)
    names = {"metric": ["alpha", "omega", "first_factor"], "estimate": estimates, "std_error": std_error}
    frame = pd.DataFrame({**names, "conf_low": low, "conf_high": high, "n": len(values)})
    if clusters is not None:
        frame["customers"] = len(np.unique(clusters))
    return frame


def _reliability(moments: ResampledMoments, sums: Array) -> Array:
    """Alpha, omega and first-factor share of each resample."""
    k = moments.size
    n, first, square = moments.spreads(sums)
    matrices = moments.correlations(sums)
    spread = np.sqrt(np.maximum(square / n - (first / n) ** 2, 0))
    total = np.einsum("bi,bij,bj->b", spread, matrices, spread)
    with np.errstate(invalid="ignore", divide="ignore"):
        alpha = k / (k - 1) * (1 - (spread**2).sum(axis=1) / total)
        loadings = _loadings(matrices) * spread
        common = loadings.sum(axis=1) ** 2
        omega = common / (common + (spread**2 - loadings**2).sum(axis=1))
    return np.column_stack([alpha, omega, np.linalg.eigvalsh(matrices)[:, -1] / k])


def _loadings(matrices: Array) -> Array:
    """Fit loadings on one factor by iterated principal axes; communalities stay below 1."""
    diagonal = np.arange(matrices.shape[1])
    reduced = matrices.copy()
    communality = np.abs(matrices - np.eye(len(diagonal))).max(axis=2)
    for _ in range(ROUNDS):
        reduced[:, diagonal, diagonal] = communality
        roots, vectors = np.linalg.eigh(reduced)
        loadings = vectors[:, :, -1] * np.sqrt(np.maximum(roots[:, -1:], 0))
        communality = np.minimum(loadings**2, 0.995)
    return np.asarray(loadings * np.sign(loadings.sum(axis=1, keepdims=True)))
