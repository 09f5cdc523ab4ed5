"""Randomised groups compared: the difference of their means, made sharper by what was known before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.checks import ParameterError, check_columns
from cxlib.initiatives.effect.two_periods import tidy_row, varies
from cxlib.stats.arrays import Array
from cxlib.stats.few_clusters import cluster_contrasts
from cxlib.stats.least_squares import least_squares
from cxlib.stats.two_arms import flags

#: What is left of the arm at most, where covariates are said to tell it.
TOLD = 1e-9


def adjusted_difference(
    data: pd.DataFrame,
    *,
    outcome_col: str,
    treated_col: str,
    covariates: Sequence[str] = (),
    cluster_col: str | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Randomised comparison: difference of two group means, made sharper by what was known before.

    Parameters
    ----------
    data : DataFrame
        One row per unit; rows with a missing value are left out.
    outcome_col, treated_col : str
        Outcome after the start; true/false or 0/1: the group as drawn by lot, not as it turned out.
    covariates : sequence of str
        Numeric columns measured before the start. A constant one is left out.
    cluster_col : str, optional
        Groups that were drawn as a whole (regions, shops); a missing value is a cluster of its own.
    conf_level : float
        Level of the interval.

    Returns
    -------
    DataFrame
        One row: `metric` (randomised), `estimate, std_error, conf_low, conf_high, statistic, df, p_value, n,
        n_treatment, n_control, n_left_out`. Error and interval are NaN where a group has a single unit, or
        the outcome never varies in one of the two.

    Raises
    ------
    ParameterError
        A column is missing, `treated_col` holds something else than true/false or 0/1, or a group is empty.

    Notes
    -----
    Least squares of the outcome on the arm, the centred covariates and their products with the arm, with
    HC2 errors: valid under randomisation whether or not the line is right (Lin 2013). With clusters: CR2 with
    Satterthwaite degrees of freedom (Bell & McCaffrey 2002).

    References
    ----------
    Lin (2013), Annals of Applied Statistics 7(1).

    Examples
    --------
    >>> data = pd.DataFrame({"y": [1.0, 2.0, 4.0, 5.0], "treated": [0, 0, 1, 1]})
    >>> round(adjusted_difference(data, outcome_col="y", treated_col="treated")["estimate"].item(), 9)
    3.0
    """
    names = {f"covariates[{i}]": name for i, name in enumerate(covariates)}
    check_columns(data, outcome_col=outcome_col, treated_col=treated_col, cluster_col=cluster_col, **names)
    arm, known = flags(data, "treated_col", treated_col)
    known = known & data[[outcome_col, *covariates]].notna().all(axis=1).to_numpy()
    rows, side = data[known], arm[known].astype(float)
    n_treatment, n_control = int(side.sum()), int((1 - side).sum())
    if not (n_treatment and n_control):
        raise ParameterError("impact.empty_arm", argument="treated_col")
    values = rows[[outcome_col, *covariates]].to_numpy(float)
    if len(covariates) and _tells_the_arm(side, values[:, 1:]):
        raise ParameterError("impact.arm_in_covariates", argument="covariates")
    cluster = None if cluster_col is None else pd.factorize(rows[cluster_col])[0]
    estimates, covariance, df = adjusted_contrasts(values[:, :1], side, values[:, 1:], cluster)
    fit = {
        "estimate": float(estimates[0]), "std_error": float(np.sqrt(covariance[0, 0])), "df": df,
        "n_treatment": n_treatment, "n_control": n_control,
    }  # fmt: skip
    row = tidy_row(fit, {}, conf_level, metric="randomised")
    return pd.DataFrame([row | {"n_left_out": len(data) - len(rows)}])


def _tells_the_arm(arm: Array, known: Array) -> bool:
    """Whether the arm is a sum of the covariates; so many of them that they may happen to fit say nothing."""
    known = known[:, np.ptp(known, axis=0) > 0]
    if not known.size or len(arm) <= known.shape[1] + 2:
        return False
    scaled = (known - known.mean(axis=0)) / known.std(axis=0)
    own = arm - arm.mean()
    rest = own - scaled @ np.linalg.lstsq(scaled, own, rcond=None)[0]
    return bool(np.abs(rest).max() < TOLD)


def adjusted_contrasts(
    outcomes: Array, arm: Array, known: Array, cluster: npt.NDArray[np.intp] | None = None
) -> tuple[Array, Array, float]:
    """Lin's adjusted difference for each column of `outcomes`: estimates, joint covariance (HC2, CR2), df.

    No covariance where the sum of the outcomes never varies in one of the arms.
    """
    known = known[:, np.ptp(known, axis=0) > 0] if known.size else known.reshape(len(arm), 0)
    centred = (known - known.mean(axis=0)) / known.std(axis=0)
    design = np.column_stack([np.ones_like(arm), arm, centred, centred * arm[:, None]])
    smallest = int(min(arm.sum(), (1 - arm).sum()))
    if smallest <= centred.shape[1] + 1:
        design = design[:, :2]
    total = outcomes.sum(axis=1)
    is_flat = not (varies(total[arm == 1]) and varies(total[arm == 0]))
    if cluster is not None:
        contrast = np.eye(design.shape[1])[1]
        estimates, covariance, df = cluster_contrasts(design, outcomes, cluster, contrast)
    else:
        fit = least_squares(design, outcomes)
        influence = fit.pull[:, [1]] * fit.errors("HC2")
        estimates, df = fit.coefficients[1], float(len(arm) - design.shape[1])
        covariance = influence.T @ influence
    if is_flat:
        covariance = np.full((outcomes.shape[1],) * 2, np.nan)
    return estimates, covariance, df
