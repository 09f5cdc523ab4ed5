"""Before an initiative: how far chosen customers come back by themselves, and which effect could be seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy import optimize, stats

from cxlib.checks import ParameterError, fail_option
from cxlib.initiatives.effect.by_month import monthly_effects
from cxlib.initiatives.effect.ladder import evidence_ladder, observed_months
from cxlib.initiatives.study.rollout import GROUP


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


def share_plan(
    *,
    control_share: float,
    treatment_share: float | None = None,
    n_customers: int | None = None,
    holdout_share: float = 0.5,
    power: float = 0.8,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Plan a comparison of two shares: customers needed, difference detectable, or power of a plan.

    Parameters
    ----------
    control_share : float
        Share expected without the initiative, above 0 and below 1 (for instance F2 within a year).
    treatment_share : float, optional
        Share with the initiative that is to be shown. None: the nearest ones that `n_customers` would show.
    n_customers : int, optional
        Customers of both arms together. None: as many as `treatment_share` takes. With both given the power
        is worked out, and the argument `power` not used.
    holdout_share : float
        Share of the customers kept without the initiative, between 0 and 1.
    power : float
        Probability of an interval that leaves out zero if the shares are these; above 0.5, below 1.
    conf_level : float
        Level of that interval.

    Returns
    -------
    DataFrame
        `metric` (share_plan), `estimate` (difference of the shares, treatment − control), `control_share,
        treatment_share, n, n_treatment, n_control, power`. One row; two where the treatment share was asked
        for, the smallest rise and the smallest fall, NaN where no share would be far enough away.

    Raises
    ------
    ParameterError
        An argument lies outside its range, neither `treatment_share` nor `n_customers` is given, the two
        shares are the same, or a group would have fewer than two customers.

    Notes
    -----
    (z(conf)·√(p̄(1−p̄)(1/n₁ + 1/n₀)) + z(power)·√(p₁(1−p₁)/n₁ + p₀(1−p₀)/n₀))² = (p₁ − p₀)², p̄ being the
    share of both arms together. Without continuity correction; for small groups (fewer than five expected
    hits or misses) it is too hopeful. Customers assigned by whole regions or shops need more.

    References
    ----------
    Fleiss, Levin & Paik (2003), Statistical Methods for Rates and Proportions, ch. 4. Checked against R's
    `power.prop.test`.

    Examples
    --------
    >>> plan = share_plan(control_share=0.5, treatment_share=0.75, power=0.9)
    >>> plan[["n_treatment", "n_control"]].to_numpy().tolist()
    [[77, 77]]
    """
    _between("control_share", control_share, 0, 1)
    _between("holdout_share", holdout_share, 0, 1)
    _between("power", power, 0.5, 1)
    _between("conf_level", conf_level, 0, 1)
    if treatment_share is None and n_customers is None:
        raise ParameterError("impact.share_plan")
    design = _ShareDesign(control_share, holdout_share, float(stats.norm.ppf((1 + conf_level) / 2)))
    if treatment_share is None:
        sizes = design.split(float(n_customers or 0))
        rows = [design.row(design.nearest(sizes, power, end), sizes, power) for end in (1.0, 0.0)]
        return pd.DataFrame(rows)
    _between("treatment_share", treatment_share, 0, 1)
    if treatment_share == control_share:
        raise ParameterError("impact.share_plan")
    if n_customers is None:
        sizes = design.needed(treatment_share, power)
        return pd.DataFrame([design.row(treatment_share, sizes, power)])
    sizes = design.split(float(n_customers))
    return pd.DataFrame([design.row(treatment_share, sizes, design.power(treatment_share, sizes))])


class _ShareDesign(NamedTuple):
    """What a plan holds fixed; a class because size, difference and power are read off the same equation."""

    control: float
    holdout: float
    z: float

    def split(self, n: float) -> tuple[int, int]:
        control = round(n * self.holdout)
        sizes = (round(n) - control, control)
        if min(sizes) < 2:
            raise ParameterError("impact.plan_too_small")
        return sizes

    def _errors(self, share: float, n1: float, n0: float) -> tuple[float, float]:
        """Error of the difference if there were none, and as it is."""
        both = (n1 * share + n0 * self.control) / (n1 + n0)
        none = both * (1 - both) * (1 / n1 + 1 / n0)
        own = share * (1 - share) / n1 + self.control * (1 - self.control) / n0
        return float(np.sqrt(none)), float(np.sqrt(own))

    def power(self, share: float, sizes: tuple[int, int]) -> float:
        none, own = self._errors(share, *sizes)
        return float(stats.norm.cdf((abs(share - self.control) - self.z * none) / own))

    def needed(self, share: float, power: float) -> tuple[int, int]:
        none, own = self._errors(share, 1 - self.holdout, self.holdout)
        n = ((self.z * none + float(stats.norm.ppf(power)) * own) / (share - self.control)) ** 2
        return max(2, int(np.ceil(n * (1 - self.holdout)))), max(2, int(np.ceil(n * self.holdout)))

    def nearest(self, sizes: tuple[int, int], power: float, end: float) -> float:
        """Share on the way to `end` (0 or 1) at which the power is reached; NaN where it never is."""
        reach = float(stats.norm.ppf(power))

        def short(share: float) -> float:
            none, own = self._errors(share, *sizes)
            return abs(share - self.control) - self.z * none - reach * own

        return float(optimize.brentq(short, self.control, end, xtol=1e-12)) if short(end) > 0 else np.nan

    def row(self, share: float, sizes: tuple[int, int], power: float) -> dict[str, object]:
        return {
            "metric": "share_plan", "estimate": share - self.control, "control_share": self.control,
            "treatment_share": share, "n": sum(sizes), "n_treatment": sizes[0], "n_control": sizes[1],
            "power": power,
        }  # fmt: skip


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
    (z(conf) + z(power)) · the error of the answering rung, Student's t in place of z(conf) where that is
    clustered on whole groups (`study_members`). A horizon not reached yet gets the error that the
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
    z = stats.norm.ppf((1 + conf_level) / 2)
    rows = []
    for months in horizons:
        seen = min(months, observed)
        if seen not in known:
            continue
        error = float(known[seen]["std_error"])
        wide = (known[seen]["conf_high"] - known[seen]["estimate"]) / error if GROUP in panel else z
        needed = wide + stats.norm.ppf(power)
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
