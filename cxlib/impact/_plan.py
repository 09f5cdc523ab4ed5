"""Before an initiative: how far chosen customers come back by themselves, and which effect could be seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.checks import ParameterError, fail_option
from cxlib.impact._ladder import evidence_ladder, observed_months
from cxlib.impact._months import monthly_effects


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
        An argument lies outside its range, or `std_dev` is negative or missing.

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
    _spread("std_dev", std_dev)
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

    Raises
    ------
    ParameterError
        An argument lies outside its range, `std_dev_monthly` is negative or missing, or a group would have
        fewer than two customers.

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
    _spread("std_dev_monthly", std_dev_monthly)
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
    assignment: str = "targeted",
    outcome_col: str = "margin",
    horizon_months: Sequence[int] = (6, 12),
    power: float = 0.8,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Smallest effect a study of these customers would show, judged by the error of the rung that answers.

    Parameters
    ----------
    panel : DataFrame
        Result of `study_panel`.
    assignment : str
        As in `evidence_ladder`: it decides whose error counts. "targeted" (plain difference-in-differences)
        is also right where nobody knows how the groups came about.
    outcome_col, horizon_months, power, conf_level
        As in `evidence_ladder` and `detectable_effect`.

    Returns
    -------
    DataFrame
        As `detectable_effect`, with `months_observed` (months the error was measured on). Empty where no rung
        answers, with fewer than two months since the start, or where the outcome never varied.

    Notes
    -----
    (z(conf) + z(power)) · the error of the answering rung. A horizon not reached yet gets the error that the
    months observed so far lead to: with variance v of one month's effect and mean covariance c between two of
    them, sqrt((v + (h − 1)·c)/h). The months before the start are no measure: customers picked for a low
    value vary less in the months that picked them than afterwards, and a difference of differences varies
    more than a mean.

    References
    ----------
    Bloom (1995), Evaluation Review 19(5): minimum detectable effects from the error of the estimator.
    """
    columns = ["horizon_months", "metric", "estimate", "std_error", "n", "n_treatment", "n_control", "power",
               "months_observed"]  # fmt: skip
    observed = observed_months(panel)
    horizons = sorted({int(months) for months in horizon_months})
    rungs = evidence_ladder(
        panel, assignment=assignment, outcome_col=outcome_col, conf_level=conf_level,
        horizon_months=[min(months, observed) for months in horizons],
    )  # fmt: skip
    rungs = rungs[rungs["is_answer"].astype(bool) & (rungs["std_error"] > 0)]
    known = {row["months_observed"]: row for row in rungs.to_dict("records")}
    if observed < 2 or not known:
        return pd.DataFrame(columns=columns)
    needed = stats.norm.ppf((1 + conf_level) / 2) + stats.norm.ppf(power)
    rows = []
    for months in horizons:
        seen = min(months, observed)
        if seen not in known:
            continue
        error = float(known[seen]["std_error"])
        if months > seen:
            error = _later_error(panel, assignment, outcome_col, observed, months)
        counts = {name: int(known[seen][name]) for name in ("n", "n_treatment", "n_control")}
        rows.append(
            {"horizon_months": months, "metric": "detectable_effect", "estimate": needed * error,
             "std_error": error, **counts, "power": power, "months_observed": seen}
        )  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _later_error(panel: pd.DataFrame, assignment: str, outcome_col: str, observed: int, months: int) -> float:
    """Error of a mean over more months than were observed, from months that every wave has, if two."""
    last_start = panel["start_month"].max() if assignment == "staggered" else 0.0
    shared = int(np.clip(panel["month"].max() + 1 - last_start, 2, observed))
    _, joint = monthly_effects(panel, assignment=assignment, outcome_col=outcome_col, horizon_months=shared)
    size = len(joint)
    variance = float(np.trace(joint)) / size
    between = max((float(joint.sum()) - size * variance) / (size * (size - 1)), 0.0)
    return float(np.sqrt((variance + (months - 1) * between) / months))


def _between(argument: str, value: float, low: float, high: float) -> None:
    if not low < value < high and not (argument == "correlation" and value in (-1, 1)):
        raise ParameterError(
            "impact.not_between", argument=argument, found=f"{value:g}", low=f"{low:g}", high=f"{high:g}"
        )


def _spread(argument: str, value: float) -> None:
    if not 0 <= value < np.inf:
        raise ParameterError("impact.not_between", argument=argument, found=f"{value:g}", low="0", high="∞")
