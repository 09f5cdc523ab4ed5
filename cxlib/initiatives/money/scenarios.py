"""What-ifs of a return: one input at a time; low, base and high; orders only pulled forward."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from cxlib.checks import ParameterError, check_columns
from cxlib.initiatives.money.draws import (
    DRAWS,
    check_effects,
    check_level,
    check_share,
    covariance_of,
    degrees_of_freedom,
    joint_flows,
)
from cxlib.initiatives.money.flows import costs_of, interval_of, roi_summary
from cxlib.stats.arrays import Array
from cxlib.stats.intervals import Interval


def roi_tornado(
    effects: pd.DataFrame,
    *,
    one_time_cost: float,
    monthly_cost: float,
    people_cost_monthly: float = 0.0,
    cannibalised_share: float = 0.0,
    covariance: Array | None = None,
    spread: float = 0.2,
    conf_level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 7,
) -> pd.DataFrame:
    """Show how far each input moves the ROI, one at a time, the widest first.

    Parameters
    ----------
    effects, one_time_cost, monthly_cost, people_cost_monthly, cannibalised_share, covariance
        As in `cash_flows`.
    conf_level, draws, seed
        As in `cash_flows`. The effect moves between the ends of its interval, from the same draws: its bar is
        the interval that `roi_summary` gives the ROI.
    spread : float
        The other inputs move by this share up and down, at least 0 and below 1; upwards the cannibalised
        share moves by that part of itself or of what it leaves, whichever is less, so that it never takes
        everything.

    Returns
    -------
    DataFrame
        One row per `input` (`effect, one_time_cost, monthly_cost, people_cost_monthly, cannibalised_share,
        n_treated`): `metric` (roi), `estimate` (as entered), `conf_low, conf_high` (lowest and highest ROI
        the input leads to; with the interval for the effect, a what-if for the others). Inputs of zero are
        left out, and so is the cannibalised share of a loss, which stays whole.

    Notes
    -----
    With fewer or more customers the costs stay as they are.

    Examples
    --------
    >>> effects = pd.DataFrame({"estimate": [2.0, 2.0], "std_error": [0.5, 0.5], "n_treated": [10, 10]})
    >>> roi_tornado(effects, one_time_cost=20, monthly_cost=0)["input"].tolist()
    ['effect', 'one_time_cost', 'n_treated']
    """
    if not 0 <= spread < 1:
        raise ParameterError("roi.spread", found=f"{spread:g}")
    costs = costs_of(one_time_cost, monthly_cost, people_cost_monthly)
    flows = joint_flows(effects, costs, cannibalised_share, covariance, draws, seed)
    unknown = bool(effects["std_error"].isna().any())
    reached = (np.nan, np.nan) if unknown else interval_of(flows.drawn.sum(axis=1), conf_level)
    gained, total = float(flows.benefit.sum()), float(flows.cost.sum())
    ends = (1 - spread, 1 + spread)
    cases = {"effect": [(float(end), total) for end in reached]}
    for name, part in zip(costs, (flows.once, flows.running, flows.people), strict=True):
        paid = float(part.sum())
        cases[name] = [(gained, total + (end - 1) * paid) for end in ends] if paid else []
    if 0 < cannibalised_share < 1 and gained > 0:
        more = spread * min(cannibalised_share, 1 - cannibalised_share)
        kept = [1 - cannibalised_share * ends[0], 1 - cannibalised_share - more]
        cases["cannibalised_share"] = [(gained * part / (1 - cannibalised_share), total) for part in kept]
    cases["n_treated"] = [(gained * end, total) for end in ends]
    rows = [
        {"input": name, "metric": "roi", "estimate": gained / total - 1,
         "conf_low": min(b / c for b, c in pair) - 1, "conf_high": max(b / c for b, c in pair) - 1}
        for name, pair in cases.items() if pair and total > 0
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["input", "metric", "estimate", "conf_low", "conf_high"])
    width = table["conf_low"] - table["conf_high"]
    return table.loc[width.sort_values(kind="stable").index].reset_index(drop=True)


def roi_scenarios(
    effects: pd.DataFrame,
    *,
    one_time_cost: float,
    monthly_cost: float,
    people_cost_monthly: float = 0.0,
    cannibalised_share: float = 0.0,
    covariance: Array | None = None,
    discount_rate_annual: float = 0.0,
    spread: float = 0.2,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Return of an initiative in three futures: all inputs low, as entered, and high at once.

    Parameters
    ----------
    effects, one_time_cost, monthly_cost, people_cost_monthly, covariance, discount_rate_annual, conf_level
        As in `cash_flows`. The effect stands at the lower end of its interval, at its estimate, at the upper.
    cannibalised_share : float
        Part of the extra margin that is taken from sales the study does not see (another brand, a partner
        shop, customers outside it), 0 to 1. Low takes twice of it, but never more than half of what it
        leaves; high takes half of it; a loss stays whole. What treated customers buy less elsewhere in the
        same data is in the effect already.
    spread : float
        Costs are higher by this share in low, lower in high; 0 to 1.

    Returns
    -------
    DataFrame
        Rows `scenario` low, base, high: `effect` (per customer and month, before cannibalisation), `benefit,
        cost, net, roi, npv, payback_months`. Missing where the effect has no interval.

    Examples
    --------
    >>> effects = pd.DataFrame({"estimate": [2.0, 2.0], "std_error": [0.0, 0.0], "n_treated": [10, 10]})
    >>> table = roi_scenarios(effects, one_time_cost=20, monthly_cost=0, cannibalised_share=0.25)
    >>> table["roi"].round(3).tolist()
    [-0.167, 0.5, 1.188]
    """
    check_share("cannibalised_share", cannibalised_share)
    check_share("spread", spread)
    check_effects(effects)
    size, reach = effects["n_treated"].to_numpy(float), _reach(effects, covariance, conf_level)
    twice = min(2 * cannibalised_share, (1 + cannibalised_share) / 2)
    shares = (twice, cannibalised_share, cannibalised_share / 2)
    rows: list[dict[str, object]] = []
    for place, name in enumerate(("low", "base", "high")):
        moved = effects["estimate"] + ((place - 1) * reach if place != 1 else 0.0)
        if not np.isfinite(moved).all():
            rows.append({"scenario": name})
            continue
        dear = 1 + (1 - place) * spread
        figures = roi_summary(
            effects.assign(estimate=moved, std_error=0.0), one_time_cost=one_time_cost * dear,
            monthly_cost=monthly_cost * dear, people_cost_monthly=people_cost_monthly * dear,
            cannibalised_share=shares[place], discount_rate_annual=discount_rate_annual, draws=1,
        ).set_index("metric")["estimate"]  # fmt: skip
        kept = {str(metric): value for metric, value in figures.items()}
        rows.append({"scenario": name, "effect": float(moved @ size / size.sum()), **kept})
    columns = ["scenario", "effect", "benefit", "cost", "net", "roi", "npv", "payback_months"]
    return pd.DataFrame(rows, columns=columns)


def _reach(effects: pd.DataFrame, covariance: Array | None, conf_level: float) -> float:
    """Half the interval of the mean effect per customer and month; missing without an error."""
    check_level(conf_level)
    size = effects["n_treated"].to_numpy(float)
    spread = np.sqrt(size @ covariance_of(effects, covariance) @ size) / size.sum()
    return float(_quantile(effects, conf_level) * spread)


def _quantile(effects: pd.DataFrame, conf_level: float) -> float:
    return float(stats.t.ppf((1 + conf_level) / 2, degrees_of_freedom(effects)))


def pulled_forward(
    effects: pd.DataFrame, *, covariance: Array | None = None, first_months: int = 3, conf_level: float = 0.95
) -> pd.DataFrame:
    """Compare the effect of the first months with the rest: a dip after a peak is demand pulled forward.

    Parameters
    ----------
    effects, covariance, conf_level
        As in `cash_flows`.
    first_months : int
        Months that count as the campaign's peak.

    Returns
    -------
    DataFrame
        `part` (`first`, `later`), `metric` (effect per customer, summed over the part's months, in currency),
        `estimate, std_error, conf_low, conf_high`, `n` (months). Empty with no month left after the first.

    Notes
    -----
    Both parts are in the benefit: the ROI is net of the dip as far as the horizon reaches. A dip is shown
    only where the first part lies above zero and the later one below, each with its whole interval.

    Examples
    --------
    >>> effects = pd.DataFrame({"estimate": [5.0, -2.0, -2.0], "std_error": 0.5, "n_treated": 10})
    >>> pulled_forward(effects, first_months=1)["estimate"].tolist()
    [5.0, -4.0]
    """
    check_columns(effects, estimate="estimate", std_error="std_error")
    count = len(effects)
    columns = ["part", "metric", *Interval._fields, "n"]
    if not 0 < first_months < count:
        return pd.DataFrame(columns=columns)
    early = (np.arange(count) < first_months).astype(float)
    sums = np.array([early, 1 - early])
    matrix = covariance_of(effects, covariance)
    total, spread = sums @ effects["estimate"].to_numpy(float), np.sqrt(np.diag(sums @ matrix @ sums.T))
    half = _quantile(effects, conf_level) * spread
    return pd.DataFrame(
        {
            "part": ["first", "later"], "metric": "effect", "estimate": total, "std_error": spread,
            "conf_low": total - half, "conf_high": total + half, "n": sums.sum(axis=1).astype(int),
        }
    )[columns]  # fmt: skip
