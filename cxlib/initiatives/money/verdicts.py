"""What may be said: the verdict, what is known about money, and the effect that would cover the cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.checks import ParameterError
from cxlib.initiatives.money.draws import check_costs, check_share
from cxlib.stats.verdicts import limits_side


def verdict(
    *,
    estimate: float,
    conf_low: float,
    conf_high: float,
    months_observed: int,
    horizon_months: int,
    has_control: bool,
    min_effect: float = 0.0,
    break_even_effect: float | None = None,
    has_drift: bool = False,
    has_few_groups: bool = False,
    starts_before_data: bool = False,
    unit: str = "number",
    currency: str | None = None,
) -> pd.DataFrame:
    """Verdict on an initiative, by a rule that is fixed before the numbers are seen.

    Parameters
    ----------
    estimate, conf_low, conf_high : float
        Effect with interval, per customer and month, from the best rung there is.
    months_observed, horizon_months : int
        Whole months since the start; months after which the initiative was to be judged.
    has_control : bool
        Whether untreated customers stand beside the treated.
    min_effect : float
        Smallest effect that would be worth having, in the unit of the estimate, not negative.
    break_even_effect : float, optional
        Effect at which benefit equals cost; only used to tell whether the data could have shown it. A cost of
        zero (or less) needs no effect, so there is nothing to see.
    has_drift : bool
        The groups already moved apart before the start (`drift_check`): whatever lies between them now may
        be that older movement.
    has_few_groups : bool
        Whole regions, shops or owners were treated or not, too few of them to tell the effect from what else
        happened there (`study_members`).
    starts_before_data : bool
        The initiative began before the data, so that no month since its start can be used.
    unit, currency : str
        Unit of the effect, as `limits_side`: limits count as they are shown.

    Returns
    -------
    DataFrame
        One row: `verdict` (effective, not_shown, harmful, too_early), `reason` and the arguments.

        ========== ================= ==============================================================
        verdict    reason            when (the first that holds)
        ========== ================= ==============================================================
        not_shown  before_data       no month to use, because the data begin later than the initiative
        too_early  no_data           no whole month observed
        not_shown  no_control        nobody to compare with, whatever before/after says: to wait does not help
        not_shown  few_groups        whole groups were treated, too few of them (`has_few_groups`): nor here
        too_early  months            fewer months observed than the horizon
        not_shown  no_interval       no interval: a single treated customer, or an outcome that never varies
        not_shown  drift             the groups moved apart before the start (`has_drift`)
        harmful    below_zero        the whole interval lies below zero
        effective  above_min         the whole interval lies above `min_effect`
        not_shown  below_needed      the whole interval lies below the break-even effect
        too_early  low_power         zero and the break-even effect, itself above zero, both lie inside
        not_shown  inconclusive      anything else
        ========== ================= ==============================================================

    Raises
    ------
    ParameterError
        `min_effect` is negative or not a number, or the interval ends before it begins.

    Examples
    --------
    >>> verdict(estimate=6.5, conf_low=-4.7, conf_high=17.8, months_observed=12, horizon_months=12,
    ...         has_control=True)["verdict"].item()
    'not_shown'
    """
    if not min_effect >= 0:
        raise ParameterError("roi.negative", argument="min_effect", found=f"{min_effect:g}")
    if conf_low > conf_high:
        raise ParameterError("roi.interval", low=f"{conf_low:g}", high=f"{conf_high:g}")
    known = np.isfinite(conf_low) and np.isfinite(conf_high) and conf_low < conf_high
    needed = np.nan if break_even_effect is None else break_even_effect
    shown: Any = {"unit": unit, "currency": currency}
    of_zero, of_least, of_needed = (
        int(limits_side(conf_low, conf_high, null=null, **shown)) for null in (0.0, min_effect, needed)
    )
    rules = [
        (months_observed < 1 and starts_before_data, "not_shown", "before_data"),
        (months_observed < 1, "too_early", "no_data"),
        (not has_control, "not_shown", "no_control"),
        (has_few_groups, "not_shown", "few_groups"),
        (months_observed < horizon_months, "too_early", "months"),
        (not known, "not_shown", "no_interval"),
        (has_drift, "not_shown", "drift"),
        (of_zero < 0, "harmful", "below_zero"),
        (of_least > 0, "effective", "above_min"),
        (needed > 0 and of_needed < 0, "not_shown", "below_needed"),
        (of_zero == 0 and needed > 0 and of_needed == 0, "too_early", "low_power"),
        (True, "not_shown", "inconclusive"),
    ]
    outcome, reason = next((name, why) for holds, name, why in rules if holds)
    return pd.DataFrame(
        [{"verdict": outcome, "reason": reason, "estimate": estimate, "conf_low": conf_low,
          "conf_high": conf_high, "months_observed": months_observed, "horizon_months": horizon_months,
          "has_control": has_control, "min_effect": min_effect, "break_even_effect": needed}]
    )  # fmt: skip


def judge_return(decision: pd.DataFrame, *, roi_low: float, roi_high: float) -> pd.DataFrame:
    """Take the return into the verdict: "effective" is not the word where money is lost, or may be.

    Parameters
    ----------
    decision : DataFrame
        Result of `verdict`.
    roi_low, roi_high : float
        Interval of the ROI; NaN where no return can be given (no cost, a cost of zero, groups that moved
        apart in margin), which leaves the verdict as it is.

    Returns
    -------
    DataFrame
        `decision`, where an effective initiative may have become

        ========== ============= ==================================================================
        verdict    reason        when
        ========== ============= ==================================================================
        at_loss    at_loss       the whole interval of the ROI lies below zero
        pay_open   pay_open      it holds zero
        ========== ============= ==================================================================

    Examples
    --------
    >>> works = verdict(estimate=9, conf_low=5, conf_high=13, months_observed=12, horizon_months=12,
    ...                 has_control=True)
    >>> judge_return(works, roi_low=-0.6, roi_high=0.2)["verdict"].item()
    'pay_open'
    """
    side = int(limits_side(roi_low, roi_high, unit="share"))
    if decision["verdict"].item() != "effective" or np.isnan(roi_low) or np.isnan(roi_high) or side > 0:
        return decision
    word = "at_loss" if side < 0 else "pay_open"
    return decision.assign(verdict=word, reason=word)


def money_state(
    *,
    one_time_cost: float,
    monthly_cost: float,
    has_effect: bool,
    months_observed: int,
    horizon_months: int,
    people_cost_monthly: float = 0.0,
    has_drift: bool = False,
    starts_before_data: bool = False,
) -> str:
    """Tell what can be said about money: `ready`, or why not.

    Returns
    -------
    str
        `before_data` (the data begin later than the initiative) ·
        `no_data` (no month observed) · `nothing` (neither effect nor costs are known) · `no_effect` (nobody
        to compare with, or no interval) · `no_cost` (a cost is missing) · `too_early` (fewer months than the
        horizon: only the cash so far) · `zero_cost` (ROI is not defined) · `drift` (the groups moved apart
        before the start: figures only as if they had not) · `ready`; the first that holds.

    Examples
    --------
    >>> money_state(one_time_cost=10, monthly_cost=float("nan"), has_effect=True, months_observed=12,
    ...             horizon_months=12)
    'no_cost'
    """
    unknown = bool(pd.isna(one_time_cost) or pd.isna(monthly_cost))
    rules = [
        (months_observed < 1 and starts_before_data, "before_data"),
        (months_observed < 1, "no_data"),
        (not has_effect and unknown, "nothing"),
        (not has_effect, "no_effect"),
        (unknown, "no_cost"),
        (months_observed < horizon_months, "too_early"),
        (one_time_cost + monthly_cost + people_cost_monthly == 0, "zero_cost"),
        (has_drift, "drift"),
        (True, "ready"),
    ]
    return next(name for holds, name in rules if holds)


def break_even_effect(
    *,
    one_time_cost: float,
    monthly_cost: float,
    n_treated: npt.ArrayLike,
    cost_months: npt.ArrayLike = 1.0,
    people_cost_monthly: float = 0.0,
    cannibalised_share: float = 0.0,
) -> float:
    """Effect on margin per treated customer and month at which benefit equals cost, undiscounted.

    Parameters
    ----------
    one_time_cost, monthly_cost, people_cost_monthly : float
        In currency; NaN (not known) gives NaN.
    n_treated : array-like
        Customers treated in each month of the horizon.
    cost_months : array-like
        Months of running cost that fall on each of them.
    cannibalised_share : float
        Part of the effect that is no benefit, 0 to 1; at 1 nothing can cover the cost, and the result is NaN.

    Raises
    ------
    ParameterError
        A cost is below zero or infinite, or the share lies outside 0 to 1.

    Examples
    --------
    >>> break_even_effect(one_time_cost=1000, monthly_cost=100, n_treated=[50] * 10)
    4.0
    >>> break_even_effect(one_time_cost=1000, monthly_cost=100, n_treated=[50] * 10, cannibalised_share=0.5)
    8.0
    """
    costs = {
        "one_time_cost": one_time_cost, "monthly_cost": monthly_cost,
        "people_cost_monthly": people_cost_monthly,
    }  # fmt: skip
    check_costs({name: cost for name, cost in costs.items() if not np.isnan(cost)})
    check_share("cannibalised_share", cannibalised_share)
    sizes = np.asarray(n_treated, dtype=float)
    counted = float(sizes.sum()) * (1 - cannibalised_share)
    months = np.broadcast_to(np.asarray(cost_months, dtype=float), sizes.shape).sum()
    total = one_time_cost + (monthly_cost + people_cost_monthly) * months
    return float(total / counted) if counted > 0 else float("nan")
