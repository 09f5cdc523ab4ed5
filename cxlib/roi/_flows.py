"""Cash flows of an initiative and its return, each with an interval from the same joint draws."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.checks import ParameterError, check_columns
from cxlib.roi._rates import check_rate
from cxlib.roi._verdict import break_even_effect

Array = npt.NDArray[np.float64]
DRAWS = 10_000
IRR_LIMIT = 10.0  # a yearly rate above this says only that the cost came back at once
_MONEY = dict.fromkeys(["benefit", "cost", "net", "npv", "cumulative", "discounted"], "currency")
_SHARES = dict.fromkeys(["roi", "irr_annual", "prob_roi_positive"], "share")
_COUNTS = dict.fromkeys(["month", "months", "horizon_months", "payback_months"], "count")
_UNITS = {**_MONEY, **_SHARES, **_COUNTS, "break_even_effect": "currency"}
#: Unit of every figure of this package, its interval included (`roi`, `roi_low`, `roi_high`).
MONEY_UNITS = {f"{name}{tail}": unit for name, unit in _UNITS.items() for tail in ("", "_low", "_high")}


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
        month, in currency), `std_error`, `n_treated` (customers treated in that month), and `cost_months`
        where a month of the effect stands for more or less than one month of running cost. An unknown error
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
        year; −1 where the money never comes back, missing where nothing is invested; an estimate or end above
        `IRR_LIMIT`, 1,000 % a year, is missing, and with the estimate its interval) · `payback_months` (first
        month from which the running total stays at least zero up to the last month given; missing = none) ·
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
    point = _figures(benefit[None, :], cost, factor)
    spread = _figures(drawn, cost, factor)
    unknown = bool(effects["std_error"].isna().any())
    rows = []
    for name, values in spread.items():
        low, high = (np.nan, np.nan) if unknown or name == "cost" else _interval(values, conf_level)
        row = {"estimate": float(point[name][0]), "conf_low": float(low), "conf_high": float(high)}
        rows.append({"metric": name, **(_sensible(row) if name == "irr_annual" else row)})
    positive = np.nan if unknown else float((spread["net"] > 0).mean())
    rows.append(
        {"metric": "prob_roi_positive", "estimate": positive, "conf_low": np.nan, "conf_high": np.nan}
    )
    needed = break_even_effect(
        one_time_cost=one_time_cost, monthly_cost=monthly_cost, n_treated=effects["n_treated"].to_numpy(),
        cost_months=running_months(effects),
    )  # fmt: skip
    rows.append({"metric": "break_even_effect", "estimate": needed, "conf_low": np.nan, "conf_high": np.nan})
    return pd.DataFrame(rows).replace([np.inf, -np.inf], np.nan).assign(n=draws)


def roi_tornado(
    effects: pd.DataFrame,
    *,
    one_time_cost: float,
    monthly_cost: float,
    covariance: Array | None = None,
    spread: float = 0.2,
    conf_level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 7,
) -> pd.DataFrame:
    """Show how far each input moves the ROI, one at a time, the widest first.

    Parameters
    ----------
    effects, one_time_cost, monthly_cost, covariance, conf_level, draws, seed
        As in `cash_flows`. The effect moves between the ends of its interval, from the same draws: its bar is
        the interval that `roi_summary` gives the ROI.
    spread : float
        Costs and number of customers move by this share up and down, 0 to 1.

    Returns
    -------
    DataFrame
        One row per `input` (`effect, one_time_cost, monthly_cost, n_treated`): `metric` (roi), `estimate` (as
        entered), `conf_low, conf_high` (lowest and highest ROI the input leads to; with the interval for the
        effect, a what-if for the others). Inputs of zero are left out.

    Notes
    -----
    With fewer or more customers the costs stay as they are.

    Examples
    --------
    >>> effects = pd.DataFrame({"estimate": [2.0, 2.0], "std_error": [0.5, 0.5], "n_treated": [10, 10]})
    >>> roi_tornado(effects, one_time_cost=20, monthly_cost=0)["input"].tolist()
    ['effect', 'one_time_cost', 'n_treated']
    """
    benefit, cost, drawn = _flows(effects, one_time_cost, monthly_cost, covariance, draws, seed)
    unknown = bool(effects["std_error"].isna().any())
    reached = (np.nan, np.nan) if unknown else _interval(drawn.sum(axis=1), conf_level)
    gained, once, monthly = float(benefit.sum()), float(cost[0]), float(cost[1:].sum())
    ends = (1 - spread, 1 + spread)
    cases = {
        "effect": [(float(end), once + monthly) for end in reached],
        "one_time_cost": [(gained, once * end + monthly) for end in ends] if once else [],
        "monthly_cost": [(gained, once + monthly * end) for end in ends] if monthly else [],
        "n_treated": [(gained * end, once + monthly) for end in ends],
    }
    total = once + monthly
    rows = [
        {"input": name, "metric": "roi", "estimate": gained / total - 1,
         "conf_low": min(b / c for b, c in pair) - 1, "conf_high": max(b / c for b, c in pair) - 1}
        for name, pair in cases.items() if pair and total > 0
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["input", "metric", "estimate", "conf_low", "conf_high"])
    width = table["conf_low"] - table["conf_high"]
    return table.loc[width.sort_values(kind="stable").index].reset_index(drop=True)


def flatten(summary: pd.DataFrame) -> dict[str, float]:
    """Name the figures of a summary by metric: `roi`, `roi_low`, `roi_high` and so on, for sentences.

    Examples
    --------
    >>> flatten(pd.DataFrame({"metric": ["roi"], "estimate": [0.5], "conf_low": [0.1], "conf_high": [0.9]}))
    {'roi': 0.5, 'roi_low': 0.1, 'roi_high': 0.9}
    """
    columns = {"": "estimate", "_low": "conf_low", "_high": "conf_high"}
    return {
        f"{row['metric']}{tail}": row[column]
        for row in summary.to_dict("records")
        for tail, column in columns.items()
    }


def running_months(effects: pd.DataFrame) -> Array:
    """Months of running cost that fall on each month of the effect: `cost_months`, or 1."""
    if "cost_months" not in effects:
        return np.ones(len(effects))
    return effects["cost_months"].to_numpy(float)


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
    cost = np.concatenate([[one_time], monthly * running_months(effects)])
    return np.concatenate([[0.0], mean * size]), cost, np.hstack([start, (mean + noise) * size])


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


def _sensible(rate: dict[str, float]) -> dict[str, float]:
    """Leave out what of a yearly rate lies above `IRR_LIMIT`; without its estimate nothing is left."""
    if not rate["estimate"] <= IRR_LIMIT:
        return dict.fromkeys(rate, np.nan)
    return {name: value if value <= IRR_LIMIT else np.nan for name, value in rate.items()}


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


def _discount(periods: int, rate: float) -> Array:
    check_rate(rate)
    return (1 + rate) ** (-np.arange(periods) / 12)


def _interval(values: Array, conf_level: float) -> tuple[Array, Array]:
    """Central quantiles of the draws; an infinite one stays infinite."""
    tails = [(1 - conf_level) / 2, (1 + conf_level) / 2]
    low, high = np.quantile(values, tails, axis=0, method="nearest")
    return low, high
