"""Penalty and reward: what falling below expectation costs and exceeding it gains, driver by driver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.checks import ParameterError, check_columns, check_frame
from cxlib.stats.arrays import Array
from cxlib.stats.intervals import critical_value
from cxlib.stats.least_squares import least_squares
from cxlib.stats.number_columns import check_numbers, cluster_codes
from cxlib.stats.verdicts import limits_side

Limit = float | Mapping[str, float]
MIN_ANSWERS = 5
RANK = 1e-10  # share of the largest eigenvalue below which columns depend on each other
SIDES = ("few_low", "few_high", "few_between")


def penalty_reward(
    data: pd.DataFrame,
    *,
    outcome_col: str,
    driver_cols: Sequence[str],
    low: Limit,
    high: Limit,
    cluster_col: str | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Change of the outcome (its unit) where a driver is at or below `low`, and where at or above `high`.

    A driver can be a rating, or experience minus expectation with ``low=-1, high=1``. All drivers enter one
    regression, each compared with its own answers between the two limits.

    Parameters
    ----------
    data : DataFrame
        One row per answer or contact; rows without outcome are left out.
    outcome_col : str
        Outcome, a number.
    driver_cols : sequence of str
        Numbers. A missing driver neither penalises nor rewards: it has a level of its own, so that a
        touchpoint used by few is judged by those who used it.
    low, high : float or mapping of driver → float
        Limits of "below" and "above".
    cluster_col : str, optional
        Customer: several answers of one count as one cluster in the standard errors.
    conf_level : float

    Returns
    -------
    DataFrame
        In the order of `driver_cols`: ``driver``, ``penalty`` (below 0 where falling short costs) and
        ``reward`` (above 0 where exceeding pays) with ``_std_error, _conf_low, _conf_high`` each,
        ``asymmetry`` (reward + penalty) with its own three and ``asymmetry_p_value``, ``label`` (basic:
        falling short is shown to cost, and more than exceeding gains; excitement: exceeding is shown to
        gain, and more than falling short costs; performance: one or both are shown, a difference between
        them is not; neutral: neither),
        ``n, n_low, n_high`` answers, with `cluster_col` also ``customers`` (the fewest on either side or
        between). NaN where fewer than 5 answers lie below, above or between, where
        the outcome is constant, and for drivers that cannot be told apart. The last column, ``status``, says
        why: ok, no_middle (no whole number lies between `low` and `high`, as with 2 and 3 on a scale of 1
        to 4: set them apart, such as 1 and 4), few_low, few_high, few_between, unanswered, collinear,
        constant (the outcome), few_answers (fewer than coefficients).

    Raises
    ------
    ParameterError
        For a missing column, text in a column, or `low` not below `high`.

    Notes
    -----
    Least squares of the outcome on the indicators of low and high of every driver; covariance robust to
    unequal spread (HC1) or to clusters, normal limits. Differences between respondents, not effects. That
    one side is shown and the other is not does not make them differ: only the interval of the asymmetry does.

    References
    ----------
    Brandt (1987); Mittal, Ross & Baldasare (1998) Journal of Marketing 62; Kano et al. (1984).

    Examples
    --------
    >>> gap = np.tile([-1, 0, 1], 40)
    >>> valence = np.where(gap < 0, -2, 0) + np.tile([0.1, -0.1], 60)
    >>> contacts = pd.DataFrame({"delivery": gap, "valence": valence})
    >>> result = penalty_reward(contacts, outcome_col="valence", driver_cols=["delivery"], low=-1, high=1)
    >>> result[["penalty", "reward"]].round(1).to_numpy().tolist(), result["label"].tolist()
    ([[-2.0, 0.0]], ['basic'])
    """
    check_frame(data)
    check_columns(data, outcome_col=outcome_col, cluster_col=cluster_col)
    for driver in driver_cols:
        check_columns(data, driver_cols=driver)
    from scipy.special import ndtr

    z = critical_value(conf_level)
    outcome = check_numbers(data, outcome_col)
    keep = np.isfinite(outcome)
    values = {driver: check_numbers(data, driver)[keep] for driver in driver_cols}
    design, levels = [np.ones(keep.sum())], []
    for driver, value in values.items():
        below, above = _limit(low, driver), _limit(high, driver)
        if not below < above:
            raise ParameterError("nps.limits", low=below, high=above)
        levels.append((value <= below, value >= above, (value > below) & (value < above)))
        design += [levels[-1][0].astype(float), levels[-1][1].astype(float), np.isnan(value).astype(float)]
    clusters = None if cluster_col is None else cluster_codes(data[cluster_col])[keep]
    coefficients, covariance = _robust_fit(np.column_stack(design), outcome[keep], clusters)
    who = np.arange(int(keep.sum())) if clusters is None else clusters
    rows = []
    for position, (driver, level) in enumerate(zip(driver_cols, levels, strict=True)):
        counts = [int(side.sum()) for side in level]
        at = [1 + 3 * position, 2 + 3 * position]
        pair, spread = coefficients[at], covariance[np.ix_(at, at)]
        if min(counts) < MIN_ANSWERS or np.isnan(pair).any():
            pair, spread = np.full(2, np.nan), np.full((2, 2), np.nan)
        row: dict[str, object] = {"driver": driver}
        for name, weights in (("penalty", [1, 0]), ("reward", [0, 1]), ("asymmetry", [1, 1])):
            row |= _estimate(name, float(pair @ weights), float(np.sqrt(weights @ spread @ weights)), z)
        error = float(row["asymmetry_std_error"])  # type: ignore[arg-type]
        row["asymmetry_p_value"] = 2 * float(ndtr(-abs(float(pair.sum())) / error)) if error > 0 else np.nan
        row |= {"label": _label(row), "n": sum(counts), "n_low": counts[0], "n_high": counts[1]}
        if clusters is not None:
            row["customers"] = min(len(np.unique(who[side])) for side in level)
        status = _status(values[driver], _limit(low, driver), _limit(high, driver), counts)
        if status == "ok" and np.isnan(pair).any():
            status = _undecided(outcome[keep], coefficients)
        rows.append(row | {"status": status})
    return pd.DataFrame(rows)


def _status(value: Array, low: float, high: float, counts: Sequence[int]) -> str:
    """Say why answers give no penalty and reward: none at all, no box between the limits, few on a side."""
    known = value[np.isfinite(value)]
    if not len(known):
        return "unanswered"
    if (known == np.round(known)).all() and np.floor(low) + 1 >= high:
        return "no_middle"
    few = [name for name, n in zip(SIDES, counts, strict=True) if n < MIN_ANSWERS]
    return few[0] if few else "ok"


def _undecided(outcome: Array, coefficients: Array) -> str:
    """Say why the regression gives a driver no coefficient."""
    if np.isnan(coefficients).all():
        return "constant" if np.ptp(outcome) == 0 else "few_answers"
    return "collinear"


def _estimate(name: str, estimate: float, std_error: float, z: float) -> dict[str, object]:
    """Return one estimate with its interval as named columns."""
    std_error = std_error if std_error > 0 else np.nan  # no error is known where all answers agree
    limits = {f"{name}_conf_low": estimate - z * std_error, f"{name}_conf_high": estimate + z * std_error}
    return {name: estimate, f"{name}_std_error": std_error, **limits}


def _label(row: Mapping[str, object]) -> str | None:
    """Decide the kind of driver by what the intervals show; None where they show nothing."""
    if np.isnan(row["asymmetry"]):  # type: ignore[call-overload]
        return None
    low, high = (
        [row[f"{name}_conf_{end}"] for name in ("penalty", "reward", "asymmetry")] for end in ("low", "high")
    )
    penalty, reward, asymmetry = limits_side(low, high, unit="score")  # type: ignore[arg-type]
    if penalty >= 0 and reward <= 0:
        return "neutral"
    if penalty < 0 and asymmetry < 0:
        return "basic"
    if reward > 0 and asymmetry > 0:
        return "excitement"
    return "performance"


def _limit(limit: Limit, driver: str) -> float:
    return float(limit[driver] if isinstance(limit, Mapping) else limit)


def _robust_fit(design: Array, outcome: Array, clusters: NDArray[np.int64] | None) -> tuple[Array, Array]:
    """Least squares with a covariance that is right for unequal spread, or for clusters."""
    fit = least_squares(design, outcome, rcond=RANK)
    product = design.T @ design
    roots = np.linalg.eigvalsh(product)
    n, k = len(outcome), int((roots > RANK * roots[-1]).sum())
    if n <= k:
        return np.full(design.shape[1], np.nan), np.full((design.shape[1],) * 2, np.nan)
    decided = np.abs(np.diag(fit.bread @ product) - 1) < 1e-6
    coefficients = np.where(decided & (np.ptp(outcome) > 0), fit.coefficients, np.nan)
    influence = fit.pull * fit.residual[:, None]
    factor = n / (n - k)
    if clusters is not None:
        codes = pd.factorize(clusters)[0]
        influence = np.column_stack([np.bincount(codes, column) for column in influence.T])
        factor = len(influence) / max(len(influence) - 1, 1) * (n - 1) / (n - k)
    return coefficients, factor * influence.T @ influence
