"""What-ifs of a return: low, base and high; margin taken from elsewhere; orders only pulled forward."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from cxlib.checks import ParameterError, check_columns
from cxlib.roi._flows import roi_summary

Array = npt.NDArray[np.float64]


def roi_scenarios(
    effects: pd.DataFrame,
    *,
    one_time_cost: float,
    monthly_cost: float,
    covariance: Array | None = None,
    discount_rate_annual: float = 0.0,
    cannibalised_share: float = 0.0,
    spread: float = 0.2,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Return of an initiative in three futures: all inputs low, as entered, and high at once.

    Parameters
    ----------
    effects, one_time_cost, monthly_cost, covariance, discount_rate_annual, conf_level
        As in `cash_flows`. The effect stands at the lower end of its interval, at its estimate, at the upper.
    cannibalised_share : float
        Part of the extra margin that is taken from sales the study does not see (another brand, a partner
        shop, customers outside it), 0 to 1. Low doubles it (at most 1), high halves it. What treated
        customers buy less elsewhere in the same data is in the effect already.
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
    for argument, value in {"cannibalised_share": cannibalised_share, "spread": spread}.items():
        if not 0 <= value <= 1:
            raise ParameterError("roi.share", argument=argument, found=f"{value:g}")
    check_columns(effects, estimate="estimate", std_error="std_error", n_treated="n_treated")
    size = effects["n_treated"].to_numpy(float)
    error = effects["std_error"].to_numpy(float)
    matrix = np.diag(error**2) if covariance is None else covariance
    reach = float(stats.norm.ppf((1 + conf_level) / 2) * np.sqrt(size @ matrix @ size) / size.sum())
    lost = {"low": min(2 * cannibalised_share, 1), "base": cannibalised_share, "high": cannibalised_share / 2}
    rows = []
    for place, name in enumerate(("low", "base", "high")):
        moved = effects["estimate"] + (place - 1) * reach
        dear = 1 + (1 - place) * spread
        figures = roi_summary(
            effects.assign(estimate=moved * (1 - lost[name]), std_error=0.0),
            one_time_cost=one_time_cost * dear, monthly_cost=monthly_cost * dear,
            discount_rate_annual=discount_rate_annual, draws=1,
        ).set_index("metric")["estimate"]  # fmt: skip
        kept = figures[["benefit", "cost", "net", "roi", "npv", "payback_months"]].to_dict()
        rows.append({"scenario": name, "effect": float(moved @ size / size.sum()), **kept})
    return pd.DataFrame(rows)


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
    columns = ["part", "metric", "estimate", "std_error", "conf_low", "conf_high", "n"]
    if not 0 < first_months < count:
        return pd.DataFrame(columns=columns)
    early = (np.arange(count) < first_months).astype(float)
    sums = np.array([early, 1 - early])
    error = effects["std_error"].to_numpy(float)
    matrix = np.diag(error**2) if covariance is None else covariance
    total, spread = sums @ effects["estimate"].to_numpy(float), np.sqrt(np.diag(sums @ matrix @ sums.T))
    half = float(stats.norm.ppf((1 + conf_level) / 2)) * spread
    return pd.DataFrame(
        {
            "part": ["first", "later"], "metric": "effect", "estimate": total, "std_error": spread,
            "conf_low": total - half, "conf_high": total + half, "n": sums.sum(axis=1).astype(int),
        }
    )[columns]  # fmt: skip
