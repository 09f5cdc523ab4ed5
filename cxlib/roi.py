"""Money: cash flows of an initiative, its ROI with an interval, and the verdict by a rule stated before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize

from cxlib.checks import ParameterError, check_columns, fail_option

Array = npt.NDArray[np.float64]
DRAWS = 10_000
VERDICTS = ("effective", "not_shown", "harmful", "too_early")


def cash_flows(
    effects: pd.DataFrame,
    *,
    one_time_cost: float,
    monthly_cost: float,
    covariance: Array | None = None,
    discount_rate_annual: float = 0.0,
    conf_level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 7,
) -> pd.DataFrame:
    """Benefit, cost and net per month since the start, discounted, with the interval of the running total.

    Parameters
    ----------
    effects : DataFrame
        One row per month since the start, in order: `estimate` (effect on margin per treated customer and
        month, in currency), `std_error`, `n_treated` (customers treated in that month). An unknown error
        counts as none, and the interval is then missing.
    one_time_cost, monthly_cost : float
        Paid at the start; paid at the end of each month. In currency, not negative.
    covariance : array, optional
        Joint covariance of the monthly estimates. Without it they count as independent.
    discount_rate_annual : float
        Effective rate a year; month m is discounted by (1 + rate) to the power (m + 1)/12.
    conf_level, draws, seed
        Level of the interval; joint draws behind it; their seed.

    Returns
    -------
    DataFrame
        `month` (0 = the start, m = end of the m-th month), `benefit, cost, net, cumulative` (running total of
        the undiscounted `net`) with `conf_low, conf_high`, and `discounted` (present value of `net`).

    Raises
    ------
    ParameterError
        A cost is negative or not a number, a column is missing, or the rate is not above −1.

    Examples
    --------
    >>> effects = pd.DataFrame({"estimate": [2.0, 2.0], "std_error": [0.0, 0.0], "n_treated": [10, 10]})
    >>> cash_flows(effects, one_time_cost=30, monthly_cost=5)["cumulative"].tolist()
    [-30.0, -15.0, 0.0]
    """
    benefit, cost, drawn = _flows(effects, one_time_cost, monthly_cost, covariance, draws, seed)
    factor = _discount(len(cost), discount_rate_annual)
    low, high = _interval(np.cumsum(drawn - cost, axis=1), conf_level)
    unknown = np.concatenate([[False], np.cumsum(effects["std_error"].isna()) > 0])
    return pd.DataFrame(
        {
            "month": np.arange(len(cost)), "benefit": benefit, "cost": cost, "net": benefit - cost,
            "cumulative": np.cumsum(benefit - cost), "conf_low": np.where(unknown, np.nan, low),
            "conf_high": np.where(unknown, np.nan, high), "discounted": (benefit - cost) * factor,
        }
    )  # fmt: skip


def roi_summary(
    effects: pd.DataFrame,
    *,
    one_time_cost: float,
    monthly_cost: float,
    covariance: Array | None = None,
    discount_rate_annual: float = 0.0,
    conf_level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 7,
) -> pd.DataFrame:
    """ROI, net present value, rate of return and payback over the months given, each with its interval.

    Parameters
    ----------
    effects, one_time_cost, monthly_cost, covariance, discount_rate_annual, conf_level, draws, seed
        As in `cash_flows`: the same draws stand behind both.

    Returns
    -------
    DataFrame
        One row per `metric`, with `estimate, conf_low, conf_high, n` (draws): `benefit, cost, net` (currency,
        undiscounted) · `roi` = (benefit − cost) / cost · `npv` (currency) · `irr_annual` (effective rate a
        year; −1 where the money never comes back, missing where nothing is invested) · `payback_months`
        (first month with a running total of at least zero; missing = not within these months) ·
        `prob_roi_positive` (share of draws with a positive net benefit) · `break_even_effect` (effect per
        customer and month at which benefit equals cost). With a total cost of zero `roi` is missing.

    Notes
    -----
    One draw is one joint set of monthly effects, normal with the estimates' covariance; every figure of a
    draw comes from that set, so that the ROI's interval is not pieced together from others. Costs count as
    known.

    References
    ----------
    Briggs, Wonderling & Mooney (1997), Health Economics 6(4); Farris et al., *Marketing Metrics*.

    Examples
    --------
    >>> effects = pd.DataFrame({"estimate": [2.0, 2.0], "std_error": [0.0, 0.0], "n_treated": [10, 10]})
    >>> table = roi_summary(effects, one_time_cost=20, monthly_cost=0).set_index("metric")["estimate"]
    >>> table[["roi", "payback_months"]].tolist()
    [1.0, 1.0]
    """
    benefit, cost, drawn = _flows(effects, one_time_cost, monthly_cost, covariance, draws, seed)
    factor = _discount(len(cost), discount_rate_annual)
    exposure = float(effects["n_treated"].sum())
    point = _figures(benefit[None, :], cost, factor)
    spread = _figures(drawn, cost, factor)
    unknown = bool(effects["std_error"].isna().any())
    rows = []
    for name, values in spread.items():
        low, high = (np.nan, np.nan) if unknown else _interval(values, conf_level)
        rows.append({"metric": name, "estimate": point[name][0], "conf_low": low, "conf_high": high})
    positive = np.nan if unknown else float((spread["net"] > 0).mean())
    rows.append(
        {"metric": "prob_roi_positive", "estimate": positive, "conf_low": np.nan, "conf_high": np.nan}
    )
    needed = cost.sum() / exposure if exposure else np.nan
    rows.append({"metric": "break_even_effect", "estimate": needed, "conf_low": np.nan, "conf_high": np.nan})
    return pd.DataFrame(rows).replace([np.inf, -np.inf], np.nan).assign(n=draws)


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
        Effect at which benefit equals cost; only used to tell whether the data could have shown it.

    Returns
    -------
    DataFrame
        One row: `verdict` (effective, not_shown, harmful, too_early), `reason` and the arguments.

        ========== ============= ==================================================================
        verdict    reason        when (the first that holds)
        ========== ============= ==================================================================
        too_early  months        fewer months observed than the horizon
        not_shown  no_control    nobody to compare with, whatever before/after says
        not_shown  no_interval   no interval, for instance a single treated customer
        harmful    below_zero    the whole interval lies below zero
        effective  above_min     the whole interval lies above `min_effect`
        not_shown  below_needed  the whole interval lies at or below the break-even effect
        too_early  low_power     zero and the break-even effect both lie inside the interval
        not_shown  inconclusive  anything else
        ========== ============= ==================================================================

    Examples
    --------
    >>> verdict(estimate=6.5, conf_low=-4.7, conf_high=17.8, months_observed=12, horizon_months=12,
    ...         has_control=True)["verdict"].item()
    'not_shown'
    """
    if min_effect < 0:
        raise ParameterError("roi.negative", argument="min_effect", found=f"{min_effect:g}")
    needed = np.nan if break_even_effect is None else break_even_effect
    rules = [
        (months_observed < horizon_months, "too_early", "months"),
        (not has_control, "not_shown", "no_control"),
        (not (np.isfinite(conf_low) and np.isfinite(conf_high)), "not_shown", "no_interval"),
        (conf_high < 0, "harmful", "below_zero"),
        (conf_low > min_effect, "effective", "above_min"),
        (conf_high <= needed, "not_shown", "below_needed"),
        (conf_low <= 0 and needed < conf_high, "too_early", "low_power"),
        (True, "not_shown", "inconclusive"),
    ]
    outcome, reason = next((name, why) for holds, name, why in rules if holds)
    return pd.DataFrame(
        [{"verdict": outcome, "reason": reason, "estimate": estimate, "conf_low": conf_low,
          "conf_high": conf_high, "months_observed": months_observed, "horizon_months": horizon_months,
          "has_control": has_control, "min_effect": min_effect, "break_even_effect": needed}]
    )  # fmt: skip


def npv(rate: float, flows: Sequence[float], *, first: Literal["now", "end"] = "now") -> float:
    """Present value of equally spaced cash flows, in their currency.

    Parameters
    ----------
    rate : float
        Discount rate per period, above −1.
    flows : sequence of float
        One flow per period.
    first : str
        "now": the first flow is not discounted. "end": it falls at the end of the first period, as the
        spreadsheet function NPV has it.

    Examples
    --------
    >>> round(npv(0.10, [-10000, 3000, 4200, 6800], first="end"), 2)
    1188.44
    """
    _check_rate(rate)
    if first not in ("now", "end"):
        fail_option("first", first, ("now", "end"))
    periods = np.arange(len(flows)) + (first == "end")
    return float((np.asarray(flows, float) / (1 + rate) ** periods).sum())


def irr(flows: Sequence[float]) -> float:
    """Rate per period at which equally spaced flows are worth zero; NaN unless they change sign once or more.

    Examples
    --------
    >>> round(irr([-70000, 12000, 15000, 18000, 21000, 26000]), 4)
    0.0866
    """
    return _root(np.asarray(flows, float), np.arange(len(flows), dtype=float))


def xirr(flows: Sequence[float], dates: Sequence[date]) -> float:
    """Effective annual rate at which dated flows are worth zero (365-day year, as spreadsheets have it).

    Examples
    --------
    >>> round(xirr([-100.0, 110.0], [date(2025, 1, 1), date(2026, 1, 1)]), 6)
    0.1
    """
    years = np.array([(day - dates[0]).days / 365 for day in dates])
    return _root(np.asarray(flows, float), years)


def xnpv(rate: float, flows: Sequence[float], dates: Sequence[date]) -> float:
    """Present value of dated flows at an effective annual rate (365-day year).

    Examples
    --------
    >>> round(xnpv(0.1, [-100.0, 121.0], [date(2025, 1, 1), date(2026, 1, 1)]), 6)
    10.0
    """
    _check_rate(rate)
    years = np.array([(day - dates[0]).days / 365 for day in dates])
    return float((np.asarray(flows, float) / (1 + rate) ** years).sum())


def _flows(
    effects: pd.DataFrame, one_time: float, monthly: float, covariance: Array | None, draws: int, seed: int
) -> tuple[Array, Array, Array]:
    """Compute expected benefit and cost per month (0 = the start), and draws × months of benefit."""
    check_columns(effects, estimate="estimate", std_error="std_error", n_treated="n_treated")
    for argument, value in {"one_time_cost": one_time, "monthly_cost": monthly}.items():
        if not np.isfinite(value) or value < 0:
            raise ParameterError("roi.negative", argument=argument, found=f"{value:g}")
    mean = effects["estimate"].to_numpy(float)
    error = np.nan_to_num(effects["std_error"].to_numpy(float))
    matrix = np.diag(error**2) if covariance is None else np.nan_to_num(covariance)
    values, vectors = np.linalg.eigh(matrix)
    root = (vectors * np.sqrt(np.clip(values, 0, None))).T
    size = effects["n_treated"].to_numpy(float)
    noise = np.random.default_rng(seed).standard_normal((draws, len(mean))) @ root
    start = np.zeros((draws, 1))
    cost = np.concatenate([[one_time], np.full(len(mean), float(monthly))])
    return np.concatenate([[0.0], mean * size]), cost, np.hstack([start, (mean + noise) * size])


def _figures(benefit: Array, cost: Array, factor: Array) -> dict[str, Array]:
    """Compute the figures of each draw (row of `benefit`)."""
    net = benefit - cost
    total_cost = float(cost.sum())
    running = np.cumsum(net, axis=1)
    reached = running >= -1e-9
    payback = np.where(reached.any(axis=1), reached.argmax(axis=1), np.inf)
    total = net.sum(axis=1)
    return {
        "benefit": benefit.sum(axis=1), "cost": np.full(len(net), total_cost), "net": total,
        "roi": total / total_cost if total_cost > 0 else np.full(len(net), np.nan),
        "npv": net @ factor, "irr_annual": _rates(net), "payback_months": payback,
    }  # fmt: skip


def _rates(net: Array) -> Array:
    """Annual internal rate of return of each row of monthly flows, by bisection on the monthly rate."""
    invested, gains = net[:, 0] < 0, net.sum(axis=1) > 0
    low, high = np.where(gains, 0.0, -0.9999), np.where(gains, 10.0, 0.0)
    worth = _worth(net, low)
    for _ in range(60):
        middle = (low + high) / 2
        value = _worth(net, middle)
        low, high = np.where(value > 0, middle, low), np.where(value > 0, high, middle)
    rate = np.where(worth > 0, (1 + (low + high) / 2) ** 12 - 1, -1.0)
    return np.where(invested, rate, np.nan)


def _worth(net: Array, rate: Array) -> Array:
    """Present value of each row at its own rate (Horner's rule, from the last month back)."""
    factor = 1 / (1 + rate)
    total = np.zeros(len(net))
    for column in net.T[::-1]:
        total = total * factor + column
    return total


def _root(flows: Array, years: Array) -> float:
    if not ((flows > 0).any() and (flows < 0).any()):
        return float("nan")
    grid = np.concatenate([np.linspace(-0.99, 1, 200), np.geomspace(1.01, 1000, 200)])
    worth = np.array([(flows / (1 + rate) ** years).sum() for rate in grid])
    turns = np.flatnonzero(np.sign(worth[:-1]) != np.sign(worth[1:]))
    if not len(turns):
        return float("nan")
    nearest_zero = turns[np.abs(grid[turns]).argmin()]
    return float(
        optimize.brentq(
            lambda rate: (flows / (1 + rate) ** years).sum(), grid[nearest_zero], grid[nearest_zero + 1]
        )
    )


def _discount(periods: int, rate: float) -> Array:
    _check_rate(rate)
    return (1 + rate) ** (-np.arange(periods) / 12)


def _check_rate(rate: float) -> None:
    if not (np.isfinite(rate) and rate > -1):
        raise ParameterError("roi.rate", found=f"{rate:g}")


def _interval(values: Array, conf_level: float) -> tuple[Array, Array]:
    """Central quantiles of the draws; an infinite one stays infinite."""
    tails = [(1 - conf_level) / 2, (1 + conf_level) / 2]
    low, high = np.quantile(values, tails, axis=0, method="nearest")
    return low, high
