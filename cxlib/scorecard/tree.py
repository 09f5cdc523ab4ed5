"""What the change of sales is made of: customers × orders per customer × value of an order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import check_columns
from cxlib.stats.arrays import Array
from cxlib.stats.bootstrap import bootstrap_interval, resampled_sums
from cxlib.stats.verdicts import limits_verdict

#: The tree from the root; the branches multiply to the root.
BRANCHES = ("sales_of_period", "buyers", "orders_per_buyer", "order_value")


def growth_tree(
    periods: pd.DataFrame,
    *,
    in_season: bool = True,
    conf_level: float = 0.95,
    n_boot: int = 1000,
    seed: int = 1,
    currency: str | None = None,
    customer_id_col: str = "customer_id",
) -> pd.DataFrame:
    """Split the change of sales between two like periods into customers, orders each, and value of an order.

    Parameters
    ----------
    periods : DataFrame
        Result of `like_periods`: `customer_id, period` (1 earlier, 2 later)`, next_orders, next_amount`.
    in_season : bool
        Whether the periods lie a year apart; if not, a change may be the season's and has no verdict.
    conf_level : float
        Of the limits of the four effects together (Bonferroni), and of the four rates of growth.
    n_boot, seed : int
        Resamples of customers, both periods of a customer drawn together.
    currency : str, optional
        ISO code.
    customer_id_col : str

    Returns
    -------
    DataFrame
        Four rows: `metric` ("sales_of_period", "buyers" who ordered, "orders_per_buyer", "order_value"),
        `estimate` (later period), `before`, `growth, growth_conf_low, growth_conf_high` (share of before),
        `sales_effect, sales_effect_conf_low, sales_effect_conf_high` (money the branch adds; the branches
        sum to the root), `n` (customers of either period) and `verdict` ("risen", "fallen",
        "no_difference_shown", or none out of season). Empty where a period has no sales.

    Raises
    ------
    ParameterError
        A column is missing.

    Notes
    -----
    With sales S = C·O·V, a branch adds L(S₁, S₀)·ln(x₁/x₀), where L(a, b) = (a − b)/ln(a/b): whatever the
    order of the branches, nothing is left over. Percentile limits.

    References
    ----------
    Ang (2004) Energy Policy 32, 1131–1139 (logarithmic mean Divisia index).

    Examples
    --------
    >>> periods = pd.DataFrame({"customer_id": list("abab"), "period": [1, 1, 2, 2],
    ...     "next_orders": [1, 0, 1, 1], "next_amount": [100.0, 0.0, 100.0, 100.0]})
    >>> tree = growth_tree(periods, n_boot=20)
    >>> tree.set_index("metric")["sales_effect"].round(6).to_dict()
    {'sales_of_period': 100.0, 'buyers': 100.0, 'orders_per_buyer': 0.0, 'order_value': 0.0}
    """
    columns = {"customer_id_col": customer_id_col}
    columns |= {f"periods.{name}": name for name in ("period", "next_orders", "next_amount")}
    check_columns(periods, **columns)
    orders, money = (periods[name].fillna(0).to_numpy(float) for name in ("next_orders", "next_amount"))
    later = (periods["period"] == 2).to_numpy()
    parts = [
        np.where(held, of, 0.0) for held in (~later, later) for of in (money, 1.0 * (orders > 0), orders)
    ]
    before, now, growth, effects = _tree(np.array([[part.sum() for part in parts]]))
    ends = ["growth", "growth_conf_low", "growth_conf_high"]
    ends += ["sales_effect", "sales_effect_conf_low", "sales_effect_conf_high"]
    shown = ["metric", "estimate", "before", *ends, "n", "verdict"]
    if not np.isfinite(effects).all():
        return pd.DataFrame(columns=shown)
    own = periods[customer_id_col].to_numpy()
    drawn = np.vstack(list(resampled_sums(parts, n_boot=n_boot, seed=seed, clusters=own)))
    level = 1 - (1 - conf_level) / len(BRANCHES)
    _, _, *changes = _tree(drawn)
    rows: dict[str, Any] = {"metric": BRANCHES, "estimate": now[0], "before": before[0]}
    for name, point, draws in zip(("growth", "sales_effect"), (growth, effects), changes, strict=True):
        held = np.where(np.isfinite(draws), draws, np.nan)  # nobody drawn who ordered in a period
        _, low, high = bootstrap_interval(held, conf_level=level)
        rows |= {name: point[0], f"{name}_conf_low": low, f"{name}_conf_high": high}
    limits = (rows["sales_effect_conf_low"], rows["sales_effect_conf_high"])
    said = limits_verdict(*limits, unit="currency", currency=currency, above="risen", below="fallen")
    rows |= {"n": int(periods[customer_id_col].nunique()), "verdict": said if in_season else None}
    return pd.DataFrame(rows, columns=shown)


def _tree(sums: Array) -> tuple[Array, Array, Array, Array]:
    """Values of root and branches before and now, growth, and what each adds; rows are resamples."""
    with np.errstate(invalid="ignore", divide="ignore"):
        before, now = (
            np.column_stack([sales, buyers, orders / buyers, sales / orders])
            for sales, buyers, orders in (sums.T[:3], sums.T[3:])
        )
        ratios = np.log(now / before)
        change, of_all = now[:, 0] - before[:, 0], ratios[:, 0]
        mean = np.where(np.abs(of_all) < 1e-12, before[:, 0], change / of_all)
        return before, now, now / before - 1, mean[:, None] * ratios
