"""Several initiatives together: ranking that does not reward luck."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import optimize, stats

from cxlib.checks import check_columns
from cxlib.initiatives.money.draws import keep_gain


def shrink_effects(
    effects: pd.DataFrame,
    *,
    estimate_col: str = "estimate",
    std_error_col: str = "std_error",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Pull the effects of several initiatives towards zero, the noisier the more, and rank them.

    Parameters
    ----------
    effects : DataFrame
        One row per initiative, effects in one unit. Rows without estimate or error keep missing results.
    estimate_col, std_error_col : str
        Estimate and its standard error.
    conf_level : float
        Level of the intervals.

    Returns
    -------
    DataFrame
        The rows as they were, with `shrunk, shrunk_conf_low, shrunk_conf_high` (posterior mean and interval),
        `factor` (kept share of the estimate, 0 to 1) and `rank` (1 = largest `shrunk`; missing without an
        estimate).

    Notes
    -----
    The initiative that came out best was partly lucky: picked for its estimate, it disappoints next time.
    Effects are taken as normal around zero with the spread τ that makes Σ estimate²/(error² + τ²) equal to
    their number; factor = τ²/(τ² + error²). Zero, not their mean: an initiative has to earn its effect. τ
    counts as known, so with a handful of initiatives the intervals are somewhat too narrow. One initiative
    alone is shrunk, too. Where all estimates are no wider than their noise τ is 0: everything shrinks to
    zero, and no interval is claimed.

    References
    ----------
    Paule & Mandel (1982), J. Res. Natl. Bur. Stand. 87(5); van Zwet & Cator (2021), Statistica Neerlandica
    75(4); Gelman & Carlin (2014), Perspectives on Psychological Science 9(6).

    Examples
    --------
    >>> table = pd.DataFrame({"estimate": [3.0, 3.0], "std_error": [0.0, 2.0]})
    >>> shrink_effects(table)[["factor", "rank"]].round(2).to_numpy().tolist()
    [[1.0, 1.0], [0.65, 2.0]]
    """
    check_columns(effects, estimate_col=estimate_col, std_error_col=std_error_col)
    estimate, error = (effects[name].to_numpy(float) for name in (estimate_col, std_error_col))
    known = np.isfinite(estimate) & np.isfinite(error)
    spread = _spread(estimate[known], error[known])
    total = spread + error**2
    factor = np.where(
        known & (total > 0), spread / np.where(total > 0, total, 1.0), np.where(known, 1.0, np.nan)
    )
    half = float(stats.norm.ppf((1 + conf_level) / 2)) * error * np.sqrt(np.where(factor > 0, factor, np.nan))
    shrunk = estimate * factor
    return effects.assign(
        shrunk=shrunk, shrunk_conf_low=shrunk - half, shrunk_conf_high=shrunk + half, factor=factor,
        rank=pd.Series(shrunk, index=effects.index).rank(ascending=False, method="min"),
    )  # fmt: skip


def rank_by_net(
    initiatives: pd.DataFrame, *, cannibalised_share: float = 0.0, conf_level: float = 0.95
) -> pd.DataFrame:
    """Rank initiatives by the money they leave over, after taking back the luck of the best.

    Parameters
    ----------
    initiatives : DataFrame
        One row per initiative: `estimate, std_error` (effect per customer and month), `customer_months` (of
        the treated over the horizon) and `cost` over it (missing: not recorded).
    cannibalised_share : float
        As in `cash_flows`: taken off a gain; a loss stays whole.
    conf_level : float
        Level of the intervals.

    Returns
    -------
    DataFrame
        The rows of `shrink_effects` with `net_shrunk, net_shrunk_conf_low, net_shrunk_conf_high` (currency:
        shrunk effect × customer-months − cost) and `roi_shrunk` (the same over the cost), best net first;
        `rank` is that of the net, missing where no cost is recorded. Such rows stand last. What is taken
        back for luck cannot be told from fewer than two studies, nor where all effects shrink to nothing:
        money and rank are missing then, because zero times the customers less the cost is no finding.

    Notes
    -----
    Effects are shrunk per customer and month, where they are comparable; money follows. By net and not by
    ROI, because a tiny initiative with a huge ROI leaves little over; by money and not by effect, because the
    largest effect may cost more than it brings.

    Examples
    --------
    >>> two = pd.DataFrame({"estimate": [9.0, 5.0], "std_error": 0.0, "customer_months": [100, 100],
    ...                     "cost": [1000.0, 100.0]})
    >>> rank_by_net(two)[["estimate", "net_shrunk", "rank"]].to_numpy().tolist()
    [[5.0, 400.0, 1.0], [9.0, -100.0, 2.0]]
    """
    check_columns(initiatives, customer_months="customer_months", cost="cost")
    table = shrink_effects(initiatives, conf_level=conf_level)
    factor = table["factor"]  # 1: known without error, so that there is no luck in it
    told = (factor == 1) | ((factor > 0) & (factor.notna().sum() > 1))
    months, cost = (table[name].astype(float) for name in ("customer_months", "cost"))
    ends = ("shrunk", "shrunk_conf_low", "shrunk_conf_high")
    totals = {name: (table[name] * months).where(told) for name in ends}
    money = {
        f"net_{name}": total * keep_gain(total, cannibalised_share) - cost for name, total in totals.items()
    }
    net = money["net_shrunk"]
    table = table.assign(
        **money, roi_shrunk=(net / cost).where(cost > 0), rank=net.rank(ascending=False, method="min")
    )
    return table.sort_values("rank", na_position="last", kind="stable", ignore_index=True)


def _spread(estimate: np.ndarray, error: np.ndarray) -> float:
    """Variance of the true effects around zero (Paule–Mandel)."""
    square, noise = estimate**2, error**2
    if not len(square):
        return 0.0

    def excess(variance: float) -> float:
        total = noise + variance
        return float((square[total > 0] / total[total > 0]).sum()) - len(square)

    tiny = 1e-12 * max(float(square.max()), 1e-300)
    if excess(tiny) <= 0:
        return 0.0
    return float(optimize.brentq(excess, tiny, float(square.sum()) + tiny))
