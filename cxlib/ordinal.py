"""Drivers of an ordered outcome: proportional odds, the assumption tested, effects as changed shares."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.answers import check_numbers, check_weights
from cxlib.checks import check_columns
from cxlib.intervals import critical_value

Array = NDArray[np.float64]
Codes = NDArray[np.int64]
MAX_ROUNDS = 60
SEPARATED = 30.0  # log-odds between the lowest and highest answer beyond which a coefficient has no limit


class _Fit(NamedTuple):
    """Thresholds and coefficients with their covariance; a class because they are passed on together."""

    theta: Array
    beta: Array
    covariance: Array
    log_likelihood: float


def ordinal_drivers(
    data: pd.DataFrame,
    *,
    outcome_col: str,
    driver_cols: Sequence[str],
    cuts: Sequence[float] | None = (7, 9),
    weight_col: str | None = None,
    cluster_col: str | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Fit a proportional-odds model: how the odds of a higher group go with each driver, the others equal.

    Parameters
    ----------
    data : DataFrame
        One row per answer; rows without outcome are left out.
    outcome_col : str
        Number that is cut into ordered groups.
    driver_cols : sequence of str
        Numbers. A missing item takes the mean and an indicator of its own; the row stays.
    cuts : sequence of numbers, optional
        Lower ends of the groups after the first: (7, 9) makes detractors, passives and promoters of 0–10.
        None: every value is a group.
    weight_col : str, optional
        Weights above 0, taken as frequencies.
    cluster_col : str, optional
        Customer, for cluster-robust errors.
    conf_level : float

    Returns
    -------
    DataFrame
        A row per driver (``metric`` "coefficient", log-odds per point of the driver) and per threshold
        ("threshold", on the log-odds scale, not as increments): ``driver, metric, estimate, std_error,
        conf_low, conf_high, statistic, p_value``, ``p_parallel`` (Brant's test that one coefficient fits all
        cuts; in the last row, "parallel", for all drivers together with its ``statistic``),
        ``promoter_change, detractor_change`` with their ``_conf_low, _conf_high`` (change of the share of the
        highest and lowest group, 0–1, for one point more where that stays inside the observed range),
        ``log_likelihood, n``. NaN for a driver that does not vary, and for all when the groups separate
        perfectly or there are fewer than two groups.

    Raises
    ------
    ParameterError
        For a missing column, text in a column, or a weight of 0 or less.

    Notes
    -----
    logit P(group ≤ k) = θ_k - xβ, by Newton steps with the analytic Hessian. Association, not effect.

    References
    ----------
    McCullagh (1980) JRSS-B 42; Brant (1990) Biometrics 46; Agresti, Analysis of Ordinal Categorical Data.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> answers = pd.DataFrame({"quality": rng.integers(1, 6, 900)})
    >>> answers["nps_score"] = (2 * answers["quality"] + rng.logistic(size=900)).round().clip(0, 10)
    >>> fit = ordinal_drivers(answers, outcome_col="nps_score", driver_cols=["quality"])
    >>> round(float(fit["estimate"][0]), 1), fit["metric"].tolist()
    (2.1, ['coefficient', 'threshold', 'threshold', 'parallel'])
    """
    check_columns(data, outcome_col=outcome_col, weight_col=weight_col, cluster_col=cluster_col)
    for driver in driver_cols:
        check_columns(data, driver_cols=driver)
    outcome = check_numbers(data, outcome_col)
    weight = np.ones(len(data)) if weight_col is None else check_weights(data, weight_col)
    keep = np.isfinite(outcome) & np.isfinite(weight)
    columns = [check_numbers(data, driver)[keep] for driver in driver_cols]
    x = np.column_stack(columns) if columns else np.empty((int(keep.sum()), 0))
    group, names = _levels(outcome[keep], cuts)
    design, moving = _design(x)
    clusters = None if cluster_col is None else data[cluster_col].to_numpy(dtype=object)[keep]
    fit = None
    if len(names) >= 2 and keep.sum() > len(names) + design.shape[1]:
        fit = _fit(design, group, weight[keep], len(names), clusters)
    z = critical_value(conf_level)
    frame = _rows(list(driver_cols), moving, names, fit, z)
    if fit is not None:
        frame = _with_test(frame, design, group, weight[keep], fit, len(moving.nonzero()[0]))
        frame = _with_changes(frame, x, design, weight[keep], moving, fit, z)
    return frame.assign(n=int(keep.sum()), log_likelihood=np.nan if fit is None else fit.log_likelihood)


def _levels(outcome: Array, cuts: Sequence[float] | None) -> tuple[Codes, list[str]]:
    """Return the group of each answer, 0 upwards without gaps, and the names of the thresholds' sides."""
    if cuts is None:
        values, group = np.unique(outcome, return_inverse=True)
        return group.astype(np.int64), [f"{value:g}" for value in values]
    code = np.searchsorted(np.asarray(cuts, dtype=float), outcome, side="right")
    used, group = np.unique(code, return_inverse=True)
    names = [f"<{cuts[0]:g}", *(f"{cut:g}+" for cut in cuts)]
    return group.astype(np.int64), [names[place] for place in used]


def _design(x: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return the drivers that vary, missing ones at the mean, then an indicator for each with gaps."""
    known = np.isfinite(x)
    mean = np.where(known, x, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    filled = np.where(known, x, mean)
    moving = np.ptp(filled, axis=0) > 0 if len(x) else np.zeros(x.shape[1], dtype=bool)
    gaps = ~known[:, moving & (~known).any(axis=0)]
    return np.hstack([filled[:, moving], gaps.astype(float)]), moving


def _parts(design: Array, group: Codes, theta: Array, beta: Array) -> tuple[Array, Array, Array]:
    """Return F at the upper and lower threshold of each answer, and the probability of its group."""
    ends = np.r_[-np.inf, theta, np.inf]
    predictor = design @ beta
    with np.errstate(over="ignore"):
        upper, lower = (1 / (1 + np.exp(predictor - ends[group + side])) for side in (1, 0))
    return upper, lower, np.maximum(upper - lower, 1e-300)


def _fit(
    design: Array, group: Codes, weight: Array, n_groups: int, clusters: NDArray[np.object_] | None
) -> _Fit | None:
    """Maximise the likelihood by Newton steps, halved while they do not improve; None without a maximum."""
    share = np.cumsum(np.bincount(group, weight, n_groups))[:-1] / weight.sum()
    centre = design.mean(axis=0)
    design = design - centre
    theta, beta = np.log(share / (1 - share)), np.zeros(design.shape[1])
    value = _log_likelihood(design, group, weight, theta, beta)
    for _ in range(MAX_ROUNDS):
        scores, hessian = _derivatives(design, group, weight, theta, beta)
        step = np.linalg.pinv(-hessian, rcond=1e-12, hermitian=True) @ scores.sum(axis=0)
        for _ in range(30):
            new_theta, new_beta = theta + step[: len(theta)], beta + step[len(theta) :]
            new = _log_likelihood(design, group, weight, new_theta, new_beta)
            if new >= value and (np.diff(new_theta) > 0).all():
                break
            step = step / 2
        theta, beta, gain, value = new_theta, new_beta, new - value, new
        if gain < 1e-10 * (1 + abs(value)) and np.abs(step).max() < 1e-7:
            break
    if (np.abs(beta) * np.ptp(design, axis=0) > SEPARATED).any():
        return None
    scores, hessian = _derivatives(design, group, weight, theta, beta)
    covariance = np.linalg.pinv(-hessian, rcond=1e-12, hermitian=True)
    if clusters is not None:
        codes = pd.factorize(clusters)[0]
        codes = np.where(codes < 0, codes.max(initial=-1) + 1 + np.arange(len(codes)), codes)
        sums = pd.DataFrame(scores).groupby(codes).sum().to_numpy()
        covariance = len(sums) / max(len(sums) - 1, 1) * covariance @ (sums.T @ sums) @ covariance
    move = np.eye(len(theta) + len(beta))
    move[: len(theta), len(theta) :] = centre
    return _Fit(theta + centre @ beta, beta, move @ covariance @ move.T, value)


def _log_likelihood(design: Array, group: Codes, weight: Array, theta: Array, beta: Array) -> float:
    return float(weight @ np.log(_parts(design, group, theta, beta)[2]))


def _derivatives(
    design: Array, group: Codes, weight: Array, theta: Array, beta: Array
) -> tuple[Array, Array]:
    """Return each answer's score (gradient) and the Hessian, thresholds first."""
    upper, lower, probability = _parts(design, group, theta, beta)
    slope_a, slope_b = upper * (1 - upper) / probability, lower * (1 - lower) / probability
    above = np.hstack([np.eye(len(theta) + 2)[group + 1][:, 1:-1], -design])
    below = np.hstack([np.eye(len(theta) + 2)[group][:, 1:-1], -design])
    scores = weight[:, None] * (slope_a[:, None] * above - slope_b[:, None] * below)
    bend_a, bend_b = slope_a * (1 - 2 * upper) - slope_a**2, -slope_b * (1 - 2 * lower) - slope_b**2
    cross = above.T @ ((weight * slope_a * slope_b)[:, None] * below)
    hessian = above.T @ ((weight * bend_a)[:, None] * above) + below.T @ ((weight * bend_b)[:, None] * below)
    return scores, hessian + cross + cross.T


def _rows(
    drivers: list[str], moving: NDArray[np.bool_], names: list[str], fit: _Fit | None, z: float
) -> pd.DataFrame:
    """Return coefficients and thresholds with their intervals, and a row for the test."""
    thresholds = [f"{one}|{two}" for one, two in pairwise(names)]
    labels = [*drivers, *thresholds, "all"]
    metrics = ["coefficient"] * len(drivers) + ["threshold"] * len(thresholds) + ["parallel"]
    estimate, std_error = np.full(len(labels), np.nan), np.full(len(labels), np.nan)
    if fit is not None:
        error = np.sqrt(np.maximum(np.diag(fit.covariance), 0))
        at, n_moving = np.r_[moving, [False] * (len(thresholds) + 1)], int(moving.sum())
        estimate[at] = fit.beta[:n_moving]
        std_error[at] = error[len(fit.theta) : len(fit.theta) + n_moving]
        middle = slice(len(drivers), len(drivers) + len(thresholds))
        estimate[middle], std_error[middle] = fit.theta, error[: len(fit.theta)]
    from scipy.special import ndtr

    statistic = estimate / np.where(std_error > 0, std_error, np.nan)
    frame = pd.DataFrame({"driver": labels, "metric": metrics, "estimate": estimate, "std_error": std_error})
    frame["conf_low"], frame["conf_high"] = estimate - z * std_error, estimate + z * std_error
    frame["statistic"], frame["p_value"] = statistic, 2 * ndtr(-np.abs(statistic))
    empty = ["p_parallel", *(f"{end}_change{part}" for end in ("promoter", "detractor") for part in PARTS)]
    return frame.assign(**dict.fromkeys(empty, np.nan))


PARTS = ("", "_conf_low", "_conf_high")


def _with_test(
    frame: pd.DataFrame, design: Array, group: Codes, weight: Array, fit: _Fit, n_moving: int
) -> pd.DataFrame:
    """Add Brant's test: separate logits at each cut, compared through their joint covariance."""
    from scipy.special import chdtrc

    n_cuts, k = len(fit.theta), design.shape[1]
    if n_cuts < 2 or not n_moving:
        return frame
    splits = [_fit(design, (group > cut).astype(np.int64), weight, 2, None) for cut in range(n_cuts)]
    if any(split is None for split in splits):
        return frame
    x = np.hstack([np.ones((len(design), 1)), design])
    beta = np.array([np.r_[-split.theta, split.beta] for split in splits if split is not None])
    chance = 1 / (1 + np.exp(-x @ beta.T))
    bread = [np.linalg.pinv(x.T @ ((weight * p * (1 - p))[:, None] * x), hermitian=True) for p in chance.T]
    joint = np.zeros((n_cuts * (k + 1),) * 2)
    for i in range(n_cuts):
        for j in range(i, n_cuts):
            both = weight * chance[:, j] * (1 - chance[:, i])
            block = bread[i] @ (x.T @ (both[:, None] * x)) @ bread[j]
            rows, columns = (slice(m * (k + 1), (m + 1) * (k + 1)) for m in (i, j))
            joint[rows, columns], joint[columns, rows] = block, block.T

    def wald(positions: list[int]) -> tuple[float, int]:
        contrast = np.zeros(((n_cuts - 1) * len(positions), n_cuts * (k + 1)))
        for row, (cut, place) in enumerate((c, q) for c in range(1, n_cuts) for q in positions):
            contrast[row, place], contrast[row, cut * (k + 1) + place] = -1, 1
        gap = contrast @ beta.ravel()
        middle = np.linalg.pinv(contrast @ joint @ contrast.T, hermitian=True)
        return float(gap @ middle @ gap), len(contrast)

    tests = [wald([1 + place]) for place in range(n_moving)]
    at = frame.index[(frame["metric"] == "coefficient") & frame["estimate"].notna()]
    frame.loc[at, "p_parallel"] = [chdtrc(df, max(value, 0)) for value, df in tests]
    value, df = wald([1 + place for place in range(n_moving)])
    frame.loc[frame["metric"] == "parallel", ["statistic", "p_parallel"]] = [value, chdtrc(df, max(value, 0))]
    return frame


def _with_changes(
    frame: pd.DataFrame,
    x: Array,
    design: Array,
    weight: Array,
    moving: NDArray[np.bool_],
    fit: _Fit,
    z: float,
) -> pd.DataFrame:
    """Add the change of the highest and lowest group's share for one point more, with delta-method limits."""
    at = frame.index[(frame["metric"] == "coefficient") & frame["estimate"].notna()]
    centre = np.r_[fit.theta, fit.beta]
    for place, (row, column) in enumerate(zip(at, np.flatnonzero(moving), strict=True)):
        room = x[:, column] + 1 <= np.nanmax(x[:, column])
        if not room.any():
            continue
        part, share = design[room], weight[room] / weight[room].sum()
        more = part.copy()
        more[:, place] += 1
        for end, name in ((-1, "promoter"), (0, "detractor")):
            slope = np.zeros(len(centre))
            value = 0.0
            for rows, sign in ((more, 1), (part, -1)):
                below = 1 / (1 + np.exp(rows @ fit.beta - fit.theta[end]))
                density, side = share * below * (1 - below), 1 if name == "detractor" else -1
                value += sign * side * float(share @ below)
                slope[len(fit.theta) - 1 if end else 0] += sign * side * density.sum()
                slope[len(fit.theta) :] -= sign * side * (density @ rows)
            half = z * abs(float(slope @ fit.covariance @ slope)) ** 0.5
            limits = [value, value - half, value + half]
            frame.loc[row, [f"{name}_change{part_name}" for part_name in PARTS]] = limits
    return frame
