"""Before an initiative: how far chosen customers come back by themselves, and which effect could be seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.checks import ParameterError, fail_option


def regression_to_mean(
    *,
    correlation: float,
    share_selected: float = 0.1,
    tail: Literal["low", "high"] = "low",
    std_dev: float = 1.0,
) -> pd.DataFrame:
    """Change to expect from customers picked for an extreme value, if nothing is done.

    Parameters
    ----------
    correlation : float
        Between the value that picked them and the value measured later, −1 to 1 (for instance of two
        half-years' spending among customers not treated).
    share_selected : float
        Share of customers picked, between 0 and 1.
    tail : str
        "low": those with the lowest values · "high": those with the highest.
    std_dev : float
        Standard deviation of the value among all customers; the result has its unit.

    Returns
    -------
    DataFrame
        One row: `metric` (regression_to_mean), `estimate`, `correlation, share_selected`.

    Raises
    ------
    ParameterError
        An argument lies outside its range.

    Notes
    -----
    E[change | picked] = ± std_dev · (1 − correlation) · φ(z) / share_selected, z the quantile of the share,
    for jointly normal values of equal mean and spread. Spending is skewed: take it as an order of magnitude,
    and a comparison group picked by the same rule as the answer.

    References
    ----------
    Davis (1976), American Journal of Epidemiology 104(5); Barnett, van der Pols & Dobson (2005),
    International Journal of Epidemiology 34(1).

    Examples
    --------
    >>> round(regression_to_mean(correlation=0.5)["estimate"].item(), 4)
    0.8775
    """
    _between("correlation", correlation, -1, 1)
    _between("share_selected", share_selected, 0, 1)
    if tail not in ("low", "high"):
        fail_option("tail", tail, ("low", "high"))
    z = stats.norm.ppf(share_selected)
    change = std_dev * (1 - correlation) * stats.norm.pdf(z) / share_selected
    return pd.DataFrame(
        [{"metric": "regression_to_mean", "estimate": float(change if tail == "low" else -change),
          "correlation": correlation, "share_selected": share_selected}]
    )  # fmt: skip


def detectable_effect(
    *,
    n_customers: int,
    std_dev_monthly: float,
    correlation: float = 0.0,
    holdout_share: float = 0.5,
    horizon_months: Sequence[int] = (6, 12),
    power: float = 0.8,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Smallest effect per customer and month that a plan would show, with the given power.

    Parameters
    ----------
    n_customers : int
        Customers in the study, both arms together.
    std_dev_monthly : float
        Standard deviation of the outcome among customers in one month, in currency.
    correlation : float
        Between two months of the same customer, 0 to 1: what repeats does not average out over months.
    holdout_share : float
        Share of the customers kept without the initiative, between 0 and 1.
    horizon_months : sequence of int
        Months of observation.
    power : float
        Probability of an interval that leaves out zero if the effect is this large.
    conf_level : float
        Level of that interval.

    Returns
    -------
    DataFrame
        One row per horizon: `horizon_months, metric` (detectable_effect), `estimate, std_error, n,
        n_treatment, n_control, power`.

    Notes
    -----
    (z(conf) + z(power)) · sd · sqrt((1 + (h − 1)·correlation)/h) · sqrt(1/n₁ + 1/n₀), for the mean of h
    equally correlated months. Adjusting for spending before makes it smaller.

    References
    ----------
    Bloom (1995), Evaluation Review 19(5); McKenzie (2012), Journal of Development Economics 99(2).

    Examples
    --------
    >>> plan = detectable_effect(n_customers=1000, std_dev_monthly=1000, correlation=0.2)
    >>> plan["estimate"].round(1).tolist()
    [102.3, 91.5]
    """
    _between("holdout_share", holdout_share, 0, 1)
    _between("power", power, 0, 1)
    _between("conf_level", conf_level, 0, 1)
    _between("correlation", correlation, -1e-9, 1)
    n_control = round(n_customers * holdout_share)
    n_treatment = n_customers - n_control
    months = np.asarray(horizon_months, dtype=float)
    if min(n_treatment, n_control) < 2 or (months < 1).any():
        raise ParameterError("impact.plan_too_small")
    spread = std_dev_monthly * np.sqrt((1 + (months - 1) * correlation) / months)
    error = spread * np.sqrt(1 / n_treatment + 1 / n_control)
    needed = stats.norm.ppf((1 + conf_level) / 2) + stats.norm.ppf(power)
    return pd.DataFrame(
        {
            "horizon_months": [int(m) for m in months],
            "metric": "detectable_effect",
            "estimate": needed * error,
            "std_error": error,
            "n": n_customers,
            "n_treatment": n_treatment,
            "n_control": n_control,
            "power": power,
        }
    )  # fmt: skip


def power_of_study(
    panel: pd.DataFrame,
    *,
    outcome_col: str = "margin",
    horizon_months: Sequence[int] = (6, 12),
    power: float = 0.8,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Smallest effect a study of these customers would show, judged by their months before the start.

    Parameters
    ----------
    panel : DataFrame
        Result of `study_panel`.
    outcome_col, horizon_months, power, conf_level
        As in `evidence_ladder` and `detectable_effect`.

    Returns
    -------
    DataFrame
        As `detectable_effect`; empty without two arms of two customers and two months before, or where the
        outcome never varied.
    """
    months = panel[panel["month"] < 0].pivot_table(index="customer_id", columns="month", values=outcome_col)
    starts = panel.drop_duplicates("customer_id")["start_month"]
    held, width = float(starts.isna().mean()) if len(starts) else 0.0, months.shape[1]
    joint = months.cov().to_numpy() if width > 1 else np.zeros((1, 1))
    variance = float(np.diag(joint).mean())
    if width < 2 or not variance > 0 or min(starts.isna().sum(), starts.notna().sum()) < 2:
        return pd.DataFrame(
            columns=["horizon_months", "metric", "estimate", "n_treatment", "n_control", "power"]
        )
    between = (joint.sum() - np.trace(joint)) / (width * (width - 1))
    return detectable_effect(
        n_customers=len(starts), std_dev_monthly=variance**0.5, holdout_share=held, power=power,
        correlation=float(np.clip(between / variance, 0, 0.999)), horizon_months=horizon_months,
        conf_level=conf_level,
    )  # fmt: skip


def _between(argument: str, value: float, low: float, high: float) -> None:
    if not low < value < high and not (argument == "correlation" and value in (-1, 1)):
        raise ParameterError(
            "impact.not_between", argument=argument, found=f"{value:g}", low=f"{low:g}", high=f"{high:g}"
        )
