"""Which driver goes with the outcome how much: importance as a share of R², with its uncertainty.

Everything is computed from weighted moments. Missing answers are not thrown away row by row: each pair of
items uses the answers that have both. All subsets of drivers come from one correlation matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError, check_columns, check_frame, fail_option
from cxlib.checks.own_numbers import check_whole
from cxlib.language import LANGUAGES, has_text, text
from cxlib.stats.arrays import Array
from cxlib.stats.bootstrap import bootstrap_interval
from cxlib.stats.intervals import critical_value
from cxlib.stats.number_columns import check_numbers, check_weights, cluster_codes
from cxlib.stats.r_squared import (
    Units,
    collinear_units,
    owen_parts,
    relative_weight_parts,
    sampled_parts,
    shapley_parts,
    standardised_coefficients,
)
from cxlib.voice.drivers.resampled_moments import ResampledMoments

METHODS = ("shapley", "relative_weights", "std_beta", "correlation")
EXACT_DRIVERS = 20
N_ORDERINGS = 2000
WIDEST = 2.5  # half width in log-odds: beyond it a share says nothing, and the logistic curve would explode
UNKNOWN = (
    "conf_low",
    "conf_high",
    "r_squared_part",
    "coefficient",
    "rank_low",
    "rank_high",
    "probability_first",
)
COLUMNS = (
    *("driver", "group", "method", "importance", "std_error", "conf_low", "conf_high", "n", "customers"),
    *("r_squared_part", "r_squared", "sign", "coefficient", "rank", "rank_low", "rank_high"),
    *("probability_first", "mc_error", "status"),
)


def driver_importance(
    data: pd.DataFrame,
    *,
    outcome_col: str,
    driver_cols: Sequence[str],
    method: str = "shapley",
    weight_col: str | None = None,
    cluster_col: str | None = None,
    groups: dict[str, str] | None = None,
    n_boot: int = 0,
    seed: int = 0,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Divide the explained variance of an outcome among its drivers: importance as shares (0–1).

    Importance says how much of the differences between answers goes with a driver; it is not the effect of
    changing the driver.

    Parameters
    ----------
    data : DataFrame
        One row per answer. Rows without outcome are left out; a missing driver item only leaves out the pairs
        it would enter.
    outcome_col : str
        Outcome, a number, for example ``nps_score``.
    driver_cols : sequence of str
        Driver items, numbers. None at all gives an empty result.
    method : {"shapley", "relative_weights", "std_beta", "correlation"}
        Shapley (LMG) averages the gain in R² over all orderings; relative weights are Johnson's; the other
        two share out squared standardised coefficients and squared correlations.
    weight_col : str, optional
        Weights above 0.
    cluster_col : str, optional
        Customer: the bootstrap draws customers instead of answers.
    groups : dict, optional
        Driver → group (rational, emotional). Shapley values become Owen values: groups stay together.
    n_boot : int
        Resamples for intervals and ranks; 0 for none.
    seed : int
    conf_level : float

    Returns
    -------
    DataFrame
        Most important first: ``driver`` (collinear ones named together, "a + b"), ``method``, ``importance``
        (sums to 1), ``std_error, conf_low, conf_high``, ``n`` answers with driver and outcome (and their
        ``customers`` with `cluster_col`),
        ``r_squared_part`` (sums to ``r_squared`` for Shapley and relative weights), ``sign`` (of the
        correlation; of the coefficient for std_beta), ``coefficient`` (standardised; the correlation for that
        method), ``rank, rank_low, rank_high, probability_first``, ``mc_error`` (only beyond 20 drivers),
        ``status`` (ok, collinear, constant, unanswered: nobody answered it, and it has no number), with
        `groups` also ``group``. All NaN when the outcome is constant (status constant_outcome) or there are
        hardly more answers than drivers (few_answers).

    Raises
    ------
    ParameterError
        For a missing or repeated column, the outcome among the drivers, a text column, an unknown method or a
        driver without group.

    Notes
    -----
    With R²(S) of the drivers in S, Shapley's part of driver j is Σ_S |S|!(p-|S|-1)!/p! [R²(S+j) - R²(S)].
    Pairwise moments assume that items are missing at random; a matrix that is no correlation matrix is
    repaired by clipping its eigenvalues. Up to 20 drivers are exact, more are sampled. Percentile
    intervals of a share alone are too narrow when R² is small; the wider of them and of one symmetric in the
    log-odds is taken, reaching 0 or 1 where a plain symmetric one would. In simulations 93–98 % of the 95 %
    intervals held the truth (n = 150 and 600, R² 0.16 to 0.5), and more of them a true zero.

    References
    ----------
    Lindeman, Merenda & Gold (1980); Grömping (2006) JSS 17(1); Johnson (2000) Multivariate Behavioral
    Research 35; Owen (1977).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> answers = pd.DataFrame(rng.normal(size=(500, 2)), columns=["quality", "price"])
    >>> answers["score"] = 2 * answers["quality"] + answers["price"] + rng.normal(size=500)
    >>> shares = driver_importance(answers, outcome_col="score", driver_cols=["price", "quality"])
    >>> shares["driver"].tolist(), shares["importance"].round(2).tolist()
    (['quality', 'price'], [0.78, 0.22])
    """
    if method not in METHODS:
        fail_option("method", method, METHODS)
    drivers = list(driver_cols)
    check_frame(data)
    check_resampling(data, cluster_col, n_boot, conf_level)
    if not drivers:
        return pd.DataFrame(columns=list(COLUMNS)).drop(columns="group")
    values, weight = read_drivers(data, outcome_col, drivers, weight_col)
    keep = np.isfinite(values[:, -1]) & np.isfinite(weight)
    values, weight = values[keep], weight[keep]
    moments = ResampledMoments(values, weight)
    matrix = moments.correlations(moments.all_answers())
    units = driver_units(matrix[0], len(values))
    labels = None if groups is None else _group_codes(drivers, units, groups)
    parts, mc_error = parts_of_r_squared(matrix, units, method, labels, seed)
    if len(values) <= len(drivers) + 1 or not np.ptp(values[:, -1]) > 0:
        parts, n_boot = np.full_like(parts, np.nan), 0
    replicates = np.full((1, len(units)), np.nan)
    clusters = None if cluster_col is None else cluster_codes(data[cluster_col])[keep]
    if n_boot:
        sums = moments.resampled(n_boot=n_boot, seed=seed, clusters=clusters)
        replicates = parts_of_r_squared(moments.correlations(sums), units, method, labels, seed)[0]
    found: dict[str, Any] = _describe(drivers, values, matrix[0], units, method)
    if not np.isfinite(parts).all():
        why = "few_answers" if len(values) <= len(drivers) + 1 else "constant_outcome"
        found["status"] = ["unanswered" if each == "unanswered" else why for each in found["status"]]
    found |= shares_with_ranks(parts[0], replicates, conf_level)
    found |= {"r_squared_part": parts[0], "mc_error": mc_error}
    unasked = np.array([each == "unanswered" for each in found["status"]])
    for name in (*UNKNOWN, *("importance", "std_error", "rank")):
        found[name] = np.where(unasked, np.nan, found[name])
    found["r_squared"] = _r_squared(matrix) if np.isfinite(parts).all() else np.nan
    if clusters is not None:
        found["customers"] = [len(np.unique(clusters[np.isfinite(values[:, unit[0]])])) for unit in units]
    if groups is not None:
        found["group"] = [groups[drivers[unit[0]]] for unit in units]
    order = np.argsort(found["rank"], kind="stable")
    columns = {name: found[name] for name in COLUMNS if name in found}
    return pd.DataFrame({name: np.asarray(v)[order] if np.ndim(v) else v for name, v in columns.items()})


def check_resampling(data: pd.DataFrame, cluster_col: str | None, n_boot: object, conf_level: float) -> None:
    """Raise unless the cluster column exists, resamples are a whole number of 0 or more, the level in 0–1."""
    check_columns(data, cluster_col=cluster_col)
    critical_value(conf_level)
    check_whole(n_boot, argument="n_boot")


def driver_labels(drivers: Sequence[str], lang: str = "en") -> dict[str, str]:
    """Words for driver columns: from the catalogue (``driver.…``), or the name without its prefix.

    Parameters
    ----------
    drivers : sequence of str
        Column names, or collinear ones joined by " + ".
    lang : str

    Returns
    -------
    dict

    Examples
    --------
    >>> driver_labels(["driver_price", "driver_opening_hours"])
    {'driver_price': 'Price', 'driver_opening_hours': 'opening hours'}
    """

    def word(name: str) -> str:
        key = f"driver.{name.removeprefix('driver_')}"
        return text(key, lang) if has_text(key) else name.removeprefix("driver_").replace("_", " ")

    return {name: " + ".join(word(part) for part in name.split(" + ")) for name in drivers}


def driver_words(drivers: Sequence[str]) -> dict[str, dict[str, str]]:
    """Words for driver columns in every language, as `driver_labels`.

    Examples
    --------
    >>> driver_words(["driver_price"])
    {'driver_price': {'en': 'Price', 'ja': '価格'}}
    """
    return {name: {lang: driver_labels([name], lang)[name] for lang in LANGUAGES} for name in drivers}


def driver_units(matrix: Array, n_rows: int) -> list[list[int]]:
    """Return which drivers enter together because they are collinear; none when there are too few answers."""
    n_drivers = len(matrix) - 1
    if n_rows <= n_drivers + 1:
        return [[column] for column in range(n_drivers)]
    return collinear_units(matrix[:-1, :-1])


def read_drivers(
    data: pd.DataFrame, outcome_col: str, drivers: list[str], weight_col: str | None
) -> tuple[Array, Array]:
    """Return drivers and outcome (last column) as floats, and the weights."""
    check_frame(data)
    check_columns(data, outcome_col=outcome_col, weight_col=weight_col)
    for driver in drivers:
        check_columns(data, driver_cols=driver)
    repeated = [driver for driver in drivers if drivers.count(driver) > 1 or driver == outcome_col]
    if repeated:
        raise ParameterError("nps.repeated_driver", columns=", ".join(dict.fromkeys(repeated)))
    columns = [check_numbers(data, column) for column in (*drivers, outcome_col)]
    weight = np.ones(len(data)) if weight_col is None else check_weights(data, weight_col)
    return np.column_stack(columns), weight


def _group_codes(drivers: list[str], units: Units, groups: dict[str, str]) -> list[int]:
    """Return the group code of each unit; a collinear unit belongs to the group of its first driver."""
    ungrouped = [driver for driver in drivers if driver not in groups]
    if ungrouped:
        raise ParameterError("nps.ungrouped_driver", columns=", ".join(ungrouped))
    names = list(dict.fromkeys(groups[driver] for driver in drivers))
    return [names.index(groups[drivers[unit[0]]]) for unit in units]


def parts_of_r_squared(
    matrices: Array, units: Units, method: str, groups: list[int] | None, seed: int
) -> tuple[Array, Array | float]:
    """Return each unit's part of R² by the method asked for, and its Monte Carlo error."""
    if method == "relative_weights":
        return relative_weight_parts(matrices, units), np.nan
    if method in ("std_beta", "correlation"):
        coefficients = standardised_coefficients(matrices) if method == "std_beta" else matrices[:, :-1, -1]
        return np.stack([(coefficients[:, list(unit)] ** 2).sum(axis=1) for unit in units], axis=1), np.nan
    if len(units) > EXACT_DRIVERS:
        parts, error = sampled_parts(matrices, units, n_orderings=N_ORDERINGS, seed=seed)
        return parts, error[0] / parts[0].sum()
    if groups is not None:
        return owen_parts(matrices, units, groups), np.nan
    return shapley_parts(matrices, units), np.nan


def _describe(drivers: list[str], values: Array, matrix: Array, units: Units, method: str) -> dict[str, Any]:
    """Return names, base and direction of each unit."""
    correlation = matrix[:-1, -1]
    coefficient = correlation if method == "correlation" else standardised_coefficients(matrix[None])[0]
    direction = coefficient if method == "std_beta" else correlation
    first = [unit[0] for unit in units]
    known = np.isfinite(values[:, :-1])
    lowest, highest = (np.where(known, values[:, :-1], end) for end in (np.inf, -np.inf))
    span: Array = highest.max(axis=0, initial=-np.inf) - lowest.min(axis=0, initial=np.inf)
    moving = [bool(span[place] > 0) for place in first]
    held = [bool(known[:, place].any()) for place in first]
    status = [
        "collinear" if len(unit) > 1 else "ok" if moves else "constant" if seen else "unanswered"
        for unit, moves, seen in zip(units, moving, held, strict=True)
    ]
    return {
        "driver": [" + ".join(drivers[column] for column in unit) for unit in units],
        "method": method,
        "n": known.sum(axis=0)[first],
        "sign": np.sign(np.round(direction[first], 12)).astype(int),
        "coefficient": np.where([len(unit) == 1 for unit in units], coefficient[first], np.nan),
        "status": status,
    }


def shares_with_ranks(parts: Array, replicates: Array, conf_level: float) -> dict[str, Array]:
    """Return shares with interval, ranks and the probability of being first.

    The interval is the wider of two at each end: the percentiles, and one symmetric in the log-odds of the
    share; where a plain symmetric one would reach 0 or 1, it does.
    """
    parts, replicates = (np.where(np.abs(each) < 1e-12, 0, each) for each in (parts, replicates))
    with np.errstate(invalid="ignore", divide="ignore"):
        share, drawn = parts / parts.sum(), replicates / replicates.sum(axis=1, keepdims=True)
    std_error, low, high = bootstrap_interval(drawn, conf_level=conf_level)
    half = critical_value(conf_level) * std_error
    with np.errstate(invalid="ignore", divide="ignore"):
        logit, spread = np.log(share / (1 - share)), np.fmin(half / (share * (1 - share)), WIDEST)
        low = np.where(share - half > 0, np.fmin(low, 1 / (1 + np.exp(spread - logit))), 0 * half)
        high = np.where(share + half < 1, np.fmax(high, 1 / (1 + np.exp(-spread - logit))), 1 + 0 * half)
    high = np.where(share == 0, 0 * half, np.where(share - half > 0, high, np.fmax(high, share + half)))
    high, low = np.minimum(high, 1), np.where(share + half < 1, low, np.fmin(low, share - half))
    ranks = np.where(np.isfinite(drawn), (-drawn).argsort(axis=1).argsort(axis=1) + 1.0, np.nan)
    rank = (-share).argsort(kind="stable").argsort(kind="stable") + 1.0
    tails = [(1 - conf_level) / 2, (1 + conf_level) / 2]
    known = np.isfinite(ranks).all(axis=1)
    if not known.any():
        known, ranks = np.ones(1, dtype=bool), np.full((1, len(share)), np.nan)
    bounds = np.quantile(ranks[known], tails, axis=0, method="inverted_cdf")
    return {
        "importance": share,
        "std_error": std_error,
        "conf_low": low,
        "conf_high": high,
        "rank": np.where(np.isfinite(share), rank, np.nan),
        "rank_low": bounds[0],
        "rank_high": bounds[1],
        "probability_first": np.where(ranks[known] == 1, 1.0, ranks[known] * 0).mean(axis=0),
    }


def _r_squared(matrix: Array) -> float:
    """Return R² of the regression on all drivers."""
    coefficients = standardised_coefficients(matrix)
    return float((coefficients[0] * matrix[0, :-1, -1]).sum())
