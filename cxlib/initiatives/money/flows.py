"""Cash flows of an initiative and its return, each with an interval from the same joint draws."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.initiatives.money.draws import DRAWS, check_level, joint_flows, running_months
from cxlib.initiatives.money.rates import check_rate
from cxlib.initiatives.money.verdicts import break_even_effect
from cxlib.stats.arrays import Array

IRR_LIMIT = 10.0  # a yearly rate above this says only that the cost came back at once
_LOST = -0.99  # a yearly rate below this says only that the money is gone
_SHARES = ("roi", "irr_annual", "prob_roi_positive")


def cash_flows(
    effects: pd.DataFrame,
    *,
    one_time_cost: float,
    monthly_cost: float,
    people_cost_monthly: float = 0.0,
    cannibalised_share: float = 0.0,
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
        month, in currency), `std_error`, `n_treated` (customers treated in that month), `cost_months` where a
        month of the effect stands for more or less than one month of running cost, and `df` (degrees of
        freedom of the errors; normal without it). An unknown error counts as none, and the interval is then
        missing.
    one_time_cost, monthly_cost, people_cost_monthly : float
        Paid at the start; paid at the end of each month; time of people, at the end of each month as well. In
        currency, not negative.
    cannibalised_share : float
        Part of the extra margin that is taken from sales the study does not see, 0 to 1: only the rest is
        benefit. Taken off a gain over all months; a loss stays whole, in the estimate and in every draw.
    covariance : array, optional
        Joint covariance of the monthly estimates, months × months. Without it they count as independent.
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
        A column is missing or an effect is not a number; a cost is negative or not a number; the covariance
        has another shape; the rate is not above −1; or a share, level or number of draws is impossible.

    Examples
    --------
    >>> effects = pd.DataFrame({"estimate": [2.0, 2.0], "std_error": [0.0, 0.0], "n_treated": [10, 10]})
    >>> cash_flows(effects, one_time_cost=30, monthly_cost=5)["cumulative"].tolist()
    [-30.0, -15.0, 0.0]
    """
    costs = costs_of(one_time_cost, monthly_cost, people_cost_monthly)
    flows = joint_flows(effects, costs, cannibalised_share, covariance, draws, seed)
    benefit, cost = flows.benefit, flows.cost
    factor = _discount(len(cost), discount_rate_annual)
    low, high = interval_of(np.cumsum(flows.drawn - cost, axis=1), conf_level)
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
    people_cost_monthly: float = 0.0,
    cannibalised_share: float = 0.0,
    covariance: Array | None = None,
    discount_rate_annual: float = 0.0,
    conf_level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 7,
) -> pd.DataFrame:
    """ROI, net present value, rate of return and payback over the months given, each with its interval.

    Parameters
    ----------
    effects, one_time_cost, monthly_cost, people_cost_monthly, cannibalised_share, covariance
        As in `cash_flows`.
    discount_rate_annual, conf_level, draws, seed
        As in `cash_flows`: the same draws stand behind both.

    Returns
    -------
    DataFrame
        One row per `metric`, with `estimate, conf_low, conf_high, n` (draws): `benefit, cost, net` (currency,
        undiscounted) · `roi` = (benefit − cost) / cost · `npv` (currency) · `irr_annual` (effective rate a
        year; −1 where the money never comes back, missing where nothing is invested and where more than one
        rate fits the flows; an estimate or end above `IRR_LIMIT`, 1,000 % a year, is missing, and with the
        estimate its interval) · `payback_months` (first month from which the running total stays at least
        zero up to the last month given; missing = none; an end of the interval without one is infinite) ·
        `prob_roi_positive` (share of draws with a positive net benefit) · `break_even_effect` (effect per
        customer and month at which benefit equals cost). With a total cost of zero `roi` is missing. `note`
        says what of the yearly rate is missing and why: `too_soon` (all of it lies above the limit),
        `too_soon_high` (its upper end does), `several` (more than one rate fits the flows, or none),
        `several_ends` (that is so in more than one draw of a hundred: no interval), `all_lost` (the interval
        would read −1 to −1: none is given); empty otherwise. Shares whose draws all agree have no interval.

    Notes
    -----
    One draw is one joint set of monthly effects, Student's t with the estimates' covariance and degrees of
    freedom; every figure of a draw comes from that set, so that the ROI's interval is not pieced together
    from others. Costs and the cannibalised share count as known.

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
    costs = costs_of(one_time_cost, monthly_cost, people_cost_monthly)
    flows = joint_flows(effects, costs, cannibalised_share, covariance, draws, seed)
    factor = _discount(len(flows.cost), discount_rate_annual)
    point = _figures(flows.benefit[None, :], flows.cost, factor)
    spread = _figures(flows.drawn, flows.cost, factor)
    unknown = bool(effects["std_error"].isna().any())
    rows = []
    for name, values in spread.items():
        low, high = (np.nan, np.nan) if unknown or name == "cost" else interval_of(values, conf_level)
        row = {"estimate": float(point[name][0]), "conf_low": float(low), "conf_high": float(high)}
        note = _rate_note(row) if name == "irr_annual" and costs["one_time_cost"] > 0 else ""
        row = _sensible(row) if name == "irr_annual" else row
        if name in _SHARES and row["conf_low"] == row["conf_high"]:  # draws that all agree are no interval
            row |= {"conf_low": np.nan, "conf_high": np.nan}
        rows.append({"metric": name, **row, "note": note})
    positive = np.nan if unknown else float((spread["net"] > 0).mean())
    needed = break_even_effect(
        **costs, n_treated=effects["n_treated"].to_numpy(), cost_months=running_months(effects),
        cannibalised_share=cannibalised_share,
    )  # fmt: skip
    for name, value in {"prob_roi_positive": positive, "break_even_effect": needed}.items():
        rows.append({"metric": name, "estimate": value, "conf_low": np.nan, "conf_high": np.nan, "note": ""})
    table = pd.DataFrame(rows).assign(n=draws)
    return table.assign(estimate=table["estimate"].replace(np.inf, np.nan))


def flatten(summary: pd.DataFrame) -> dict[str, float]:
    """Name the figures of a summary by metric: `roi`, `roi_conf_low`, `roi_conf_high`, … for sentences.

    Examples
    --------
    >>> flatten(pd.DataFrame({"metric": ["roi"], "estimate": [0.5], "conf_low": [0.1], "conf_high": [0.9]}))
    {'roi': 0.5, 'roi_conf_low': 0.1, 'roi_conf_high': 0.9}
    """
    columns = {"": "estimate", "_conf_low": "conf_low", "_conf_high": "conf_high"}
    return {
        f"{row['metric']}{tail}": row[column]
        for row in summary.to_dict("records")
        for tail, column in columns.items()
    }


def costs_of(one_time: float, monthly: float, people: float) -> dict[str, float]:
    """Name the three kinds of cost as their arguments are."""
    return {"one_time_cost": one_time, "monthly_cost": monthly, "people_cost_monthly": people}


def _figures(benefit: Array, cost: Array, factor: Array) -> dict[str, Array]:
    """Compute the figures of each draw (row of `benefit`)."""
    net = benefit - cost
    total_cost = float(cost.sum())
    running = np.cumsum(net, axis=1)
    stays = stays_above(running)
    payback = np.where(stays.any(axis=1), stays.argmax(axis=1), np.inf)
    total = net.sum(axis=1)
    return {
        "benefit": benefit.sum(axis=1), "cost": np.full(len(net), total_cost), "net": total,
        "roi": total / total_cost if total_cost > 0 else np.full(len(net), np.nan),
        "npv": net @ factor, "irr_annual": _rates(net), "payback_months": payback,
    }  # fmt: skip


def stays_above(running: Array) -> npt.NDArray[np.bool_]:
    """Tell from which month on a running total (rows; columns are months) never falls below zero again.

    Examples
    --------
    >>> stays_above(np.array([[-5.0, 1.0, -2.0, 3.0, 4.0]])).tolist()
    [[False, False, False, True, True]]
    """
    above = np.asarray(running, float) >= -1e-9
    return np.logical_and.accumulate(above[..., ::-1], axis=-1)[..., ::-1]


def _rate_note(rate: dict[str, float]) -> str:
    """Say what of a yearly rate is missing or left out, and why."""
    if np.isnan(rate["estimate"]):
        return "several"
    if rate["estimate"] > IRR_LIMIT:
        return "too_soon"
    if np.isnan(rate["conf_low"]) or np.isnan(rate["conf_high"]):
        return "several_ends"
    if rate["conf_low"] == rate["conf_high"] == -1:
        return "all_lost"
    return "too_soon_high" if rate["conf_high"] > IRR_LIMIT else ""


def _sensible(rate: dict[str, float]) -> dict[str, float]:
    """Leave out what of a yearly rate lies above `IRR_LIMIT`; without its estimate nothing is left."""
    if not rate["estimate"] <= IRR_LIMIT:
        return dict.fromkeys(rate, np.nan)
    return {name: value if value <= IRR_LIMIT else np.nan for name, value in rate.items()}


def _rates(net: Array) -> Array:
    """Annual internal rate of return of each row of monthly flows.

    Looked for between −99 % and many times 1,000 % a year. −1 where the flows are worth less than nothing at
    every rate, infinite where more than nothing, NaN where nothing is invested or more than one rate fits.
    """
    grid = np.linspace(np.log1p(_LOST) / 12, np.log(11.0), 96)
    worth = net @ np.exp(-np.outer(np.arange(net.shape[1]), grid))
    positive = worth > 0
    turns = positive[:, :-1] != positive[:, 1:]
    count, invested = turns.sum(axis=1), net[:, 0] < 0
    rate = np.where(count == 0, np.where(net.sum(axis=1) > 0, np.inf, -1.0), np.nan)
    single = invested & (count == 1)
    place, wanted = turns[single].argmax(axis=1), net[single]
    low, high = grid[place], grid[place + 1]
    falls = positive[single, place]
    for _ in range(40):
        middle = (low + high) / 2
        above = (_worth(wanted, np.exp(-middle)) > 0) == falls
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    rate[single] = np.expm1(12 * (low + high) / 2)
    return np.where(invested, rate, np.nan)


def _worth(net: Array, factor: Array) -> Array:
    """Present value of each row at its own monthly factor (Horner's rule, from the last month back)."""
    total = np.zeros(len(net))
    for column in net.T[::-1]:
        total = total * factor + column
    return total


def _discount(periods: int, rate: float) -> Array:
    check_rate(rate)
    return (1 + rate) ** (-np.arange(periods) / 12)


def interval_of(values: Array, conf_level: float) -> tuple[Array, Array]:
    """Central quantiles of the draws, an infinite one staying infinite.

    Missing where more than one draw in a hundred has no value; fewer are left out.
    """
    check_level(conf_level)
    tails = [(1 - conf_level) / 2, (1 + conf_level) / 2]
    if values.ndim == 1 and 0 < np.isnan(values).mean() <= 0.01:
        values = values[~np.isnan(values)]
    low, high = np.quantile(values, tails, axis=0, method="nearest")
    return low, high
