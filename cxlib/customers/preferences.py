"""What customers prefer: category, taste and brand (CTB), their share of wallet, and what they buy next.

A customer with one purchase is not devoted to its category. Shares of single customers are therefore drawn
towards the base mix, the more so the fewer purchases there are, and a flag says whether there are enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.checks import ParameterError, check_columns
from cxlib.customers.sales_concentration import share_limits
from cxlib.data.engine.order_totals import reduce_orders
from cxlib.data.text_type import TEXT
from cxlib.stats.intervals import Interval, critical_value, share_interval

DIMENSIONS = ("category", "taste", "brand")


def wallets(
    orders: Any,
    *,
    as_of: object,
    timezone: str | None = None,
    dimensions: Sequence[str] = DIMENSIONS,
) -> pd.DataFrame:
    """Sum each customer's purchases by the values of one or more dimensions.

    Parameters
    ----------
    orders : frame of any engine narwhals knows
        Order lines with the dimension columns; guests are left out, a missing value is a value of its own.
    as_of : date, str or Timestamp
        Last day counted.
    timezone : str, optional
        As `summarise_customers`.
    dimensions : sequence of str
        Columns of the order lines.

    Returns
    -------
    pandas.DataFrame
        `customer_id, dimension, value` (missing where unknown)`, purchases` (distinct orders with it)`,
        orders` (distinct orders of the customer: one order can hold several values)`, amount` (net of
        refunds; a value with nothing net counts 0).

    Raises
    ------
    ParameterError
        If a dimension is no column of the orders.

    Examples
    --------
    >>> lines = pd.DataFrame({"customer_id": ["a", "a"], "order_id": ["1", "2"], "amount": [10.0, 30.0],
    ...     "category": ["tea", None], "ordered_at": pd.to_datetime(["2026-01-01", "2026-01-11"])})
    >>> wallets(lines, as_of="2026-01-31", dimensions=["category"])["amount"].tolist()
    [30.0, 10.0]
    """
    parts = []
    whole = reduce_orders(orders, as_of=as_of, timezone=timezone)
    for dimension in sorted(set(dimensions)):
        held = reduce_orders(orders, as_of=as_of, timezone=timezone, by=[dimension])
        part = held.rename(columns={dimension: "value", "frequency": "purchases"})
        part["value"] = part["value"].astype(TEXT)
        own = _numbers(part["customer_id"])  # the same customers in the same order, in both
        part = part.assign(dimension=dimension, orders=whole["frequency"].to_numpy()[own])
        # sorted by both already, but for unknown values, which come first
        parts.append(part.iloc[np.lexsort([part["value"].notna().to_numpy(), own])])
    columns = ["customer_id", "dimension", "value", "purchases", "orders", "amount"]
    if not parts:
        return pd.DataFrame(columns=columns)
    table = pd.concat(parts, ignore_index=True)[columns]
    return table.assign(amount=table["amount"].clip(lower=0))


def ctb(wallet: pd.DataFrame, *, min_purchases: int = 3) -> pd.DataFrame:
    """Find each customer's dominant value per dimension and how sure that is.

    Parameters
    ----------
    wallet : pandas.DataFrame
        As `wallets`.
    min_purchases : int
        Orders from which a preference may be named, from 2.

    Returns
    -------
    pandas.DataFrame
        `customer_id, dimension, dominant` (largest shrunk share among the known values; missing where only
        unknown values were bought)`, share` (of the wallet, 0–1)`, share_shrunk, concentration` (chance that
        purchases of two orders of the customer agree, unbiased; missing below two orders)`, purchases`
        (distinct orders)`, is_enough`.

    Raises
    ------
    ParameterError
        If `min_purchases` is below 2 or a column is missing.

    Notes
    -----
    With n orders and base mix π, share_shrunk = (n·share + k·π)/(n + k): Dirichlet smoothing. k comes from
    the customers themselves: with U the mean concentration, ρ = (U - Σπ²)/(1 - Σπ²) and k = 1/ρ - 1, by
    moments. Shares are of money, π and U of purchases. HHI, the sum of squared shares, would be biased
    upwards for customers with few purchases; the unbiased form is not. With m purchases (order and value)
    in n orders it is Σmᵥ(mᵥ - 1)/(m²(1 - 1/n)), pairs within one order left out: exact where a customer's
    orders hold as many values each, somewhat low otherwise.

    References
    ----------
    Mosimann (1962) Biometrika 49, 65–82; Simpson (1949) Nature 163, 688.

    Examples
    --------
    >>> wallet = pd.DataFrame({"customer_id": list("aab"), "dimension": "category"})
    >>> wallet = wallet.assign(value=["tea", "soap", "tea"], purchases=[3, 1, 2], amount=[30.0, 10.0, 20.0])
    >>> wallet["orders"] = [4, 4, 2]
    >>> ctb(wallet)[["customer_id", "dominant", "share", "is_enough"]].values.tolist()
    [['a', 'tea', 0.75, True], ['b', 'tea', 1.0, False]]
    """
    check_columns(
        wallet,
        **{f"{c}_col": c for c in ("customer_id", "dimension", "value", "purchases", "orders", "amount")},
    )
    if min_purchases < 2:
        raise ParameterError("segmentation.min_purchases", found=min_purchases)
    wallet = wallet.astype({"purchases": "int64", "orders": "int64", "amount": "float64"})
    parts = [
        _dominant(part, min_purchases).assign(dimension=name) for name, part in wallet.groupby("dimension")
    ]
    columns = [
        *("customer_id", "dimension", "dominant", "share", "share_shrunk", "concentration", "purchases"),
        "is_enough",
    ]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def dominant_table(found: pd.DataFrame, *, min_cell: int = 0, conf_level: float = 0.95) -> pd.DataFrame:
    """Tabulate the dominant values of customers: how many have it, how strongly, and for how many it is sure.

    Parameters
    ----------
    found : pandas.DataFrame
        As `ctb`.
    min_cell : int
        `concentration` and `n_enough` are missing where fewer customers have enough purchases.
    conf_level : float

    Returns
    -------
    pandas.DataFrame
        `dimension, dominant` (missing: only unknown values bought)`, metric` (dominant_share)`, estimate,
        std_error, conf_low, conf_high` (share of the dimension's customers)`, n` (customers)`, share_shrunk,
        concentration` (means over these customers)`, n_enough` (of n, with enough purchases to say so)`, of`
        (all customers of the dimension), most frequent first.

    Raises
    ------
    ParameterError
        If a column is missing.

    Examples
    --------
    >>> wallet = pd.DataFrame({"customer_id": list("aab"), "dimension": "category"})
    >>> wallet = wallet.assign(value=["tea", "soap", "tea"], purchases=[3, 1, 2], amount=[30.0, 10.0, 20.0])
    >>> wallet["orders"] = [4, 4, 2]
    >>> dominant_table(ctb(wallet))[["dominant", "n", "n_enough"]].values.tolist()
    [['tea', 2, 1]]
    """
    needed = ("dimension", "dominant", "share_shrunk", "concentration", "is_enough")
    check_columns(found, **{f"{c}_col": c for c in needed})
    held = found.groupby(["dimension", "dominant"], dropna=False, sort=True)
    rows = held.agg(
        n=("is_enough", "size"),
        share_shrunk=("share_shrunk", "mean"),
        concentration=("concentration", "mean"),
        n_enough=("is_enough", "sum"),
    ).reset_index()
    rows["of"] = rows.groupby("dimension")["n"].transform("sum")
    interval = share_interval(rows["n"].to_numpy(dtype=float), rows["of"].to_numpy(), conf_level=conf_level)
    rows = rows.assign(metric="dominant_share", **interval._asdict()).astype({"n_enough": "int64"})
    rows = rows.sort_values(["dimension", "n"], ascending=[True, False], kind="stable", ignore_index=True)
    if (few := rows["n_enough"] < min_cell).any():
        rows[["concentration", "n_enough"]] = rows[["concentration", "n_enough"]].mask(few)
    columns = ["dimension", "dominant", "metric", *Interval._fields, "n", "share_shrunk", "concentration"]
    return rows[[*columns, "n_enough", "of"]]


def ctb_table(
    wallet: pd.DataFrame,
    *,
    groups: pd.Series | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Tabulate the share of sales of each value, in all or by group, with its lift against everybody.

    Parameters
    ----------
    wallet : pandas.DataFrame
        As `wallets`.
    groups : pandas.Series, optional
        Group by `customer_id` (the index), such as the segment; customers without one are left out of the
        groups.
    conf_level : float

    Returns
    -------
    pandas.DataFrame
        `dimension, group` (missing for everybody)`, value, metric` (amount_share)`, estimate, std_error,
        conf_low, conf_high, n` (customers who bought it)`, amount, lift, lift_conf_low, lift_conf_high`.
        Shares of a group and dimension sum to 1, unknown values included; lift is the share over that of
        everybody.

    Raises
    ------
    ParameterError
        If a column is missing.

    Notes
    -----
    Ratios of sums over customers: errors by linearisation, customers as the unit, groups taken as given;
    share on the logit scale, lift on the log scale with the group's part in everybody accounted for.

    Examples
    --------
    >>> wallet = pd.DataFrame({"customer_id": list("aab"), "dimension": "category"})
    >>> wallet = wallet.assign(value=["tea", "soap", "tea"], purchases=[3, 1, 2], amount=[30.0, 10.0, 20.0])
    >>> ctb_table(wallet)[["value", "estimate"]].round(3).values.tolist()
    [['tea', 0.833], ['soap', 0.167]]
    """
    check_columns(wallet, **{f"{c}_col": c for c in ("customer_id", "dimension", "value", "amount")})
    parts = []
    for dimension, part in wallet.groupby("dimension"):
        money = part.pivot_table(
            index="customer_id",
            columns=part["value"].fillna(""),
            values="amount",
            aggfunc="sum",
            fill_value=0.0,
        )
        everybody = np.ones(len(money), dtype=bool)
        sets = [(None, everybody)]
        if groups is not None:
            own = groups.reindex(money.index)
            sets += [(name, (own == name).to_numpy(dtype=bool)) for name in sorted(own.dropna().unique())]
        for name, inside in sets:
            rows = _share_rows(money, inside, conf_level)
            parts.append(rows.assign(dimension=dimension, group=name))
    columns = [
        *("dimension", "group", "value", "metric", *Interval._fields, "n", "amount"),
        *("lift", "lift_conf_low", "lift_conf_high"),
    ]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _numbers(sorted_ids: pd.Series) -> NDArray[np.intp]:
    """Give the customers numbers from 0; the rows of each stand together."""
    is_next = sorted_ids.ne(sorted_ids.shift()).to_numpy(dtype=bool)
    return np.cumsum(is_next) - 1


def _dominant(part: pd.DataFrame, min_purchases: int) -> pd.DataFrame:
    own, ids = pd.factorize(part["customer_id"], sort=True)
    total = part["amount"].groupby(own).transform("sum")
    pairs = (part["purchases"] * (part["purchases"] - 1)).groupby(own).sum()
    held = part.groupby(own).agg(bought=("purchases", "sum"), orders=("orders", "max"))
    n = held["orders"].rename("purchases")
    agree = (pairs / (held["bought"] ** 2 * (1 - 1 / n.where(n >= 2)))).clip(upper=1.0)
    value, values = pd.factorize(part["value"].fillna(""), sort=True)
    base = part["purchases"].groupby(value).sum() / max(part["purchases"].sum(), 1)
    strength = _strength(agree, n, float((base**2).sum()))
    share = (part["amount"] / total).where(total > 0)
    prior = pd.Series(base.to_numpy()[value], part.index)
    drawn = (part["orders"] * share + strength * prior) / (part["orders"] + strength)
    shrunk = drawn if np.isfinite(strength) else prior
    kept = np.flatnonzero(part["value"].notna() & shrunk.notna())
    kept = kept[np.lexsort([value[kept], -shrunk.to_numpy()[kept], own[kept]])]
    best = kept[np.diff(own[kept], prepend=-1) != 0]
    found = pd.DataFrame(
        {"share": share.to_numpy()[best], "share_shrunk": shrunk.to_numpy()[best]}, index=own[best]
    ).reindex(held.index)
    dominant = np.full(len(held), -1)
    dominant[own[best]] = value[best]
    result = pd.DataFrame({"customer_id": ids, "concentration": agree, "purchases": n})
    result["dominant"] = pd.Series(values).reindex(dominant).to_numpy()
    result["dominant"] = result["dominant"].astype(TEXT)
    is_enough = (result["purchases"] >= min_purchases) & result["dominant"].notna()
    return result.assign(**found, is_enough=is_enough).reset_index(drop=True)


def _strength(agree: pd.Series, n: pd.Series, by_chance: float) -> float:
    """Purchases the base mix is worth: by moments; infinite when customers agree no more than by chance."""
    known = agree.notna()
    if not known.any() or by_chance >= 1:
        return float("inf")
    mean = float(np.average(agree[known], weights=(n[known] - 1)))
    rho = (mean - by_chance) / (1 - by_chance)
    return float("inf") if rho <= 0 else max(1 / rho - 1, 0.0)


def _share_rows(money: pd.DataFrame, inside: np.ndarray, conf_level: float) -> pd.DataFrame:
    """Shares of a set of customers and their lift against everybody."""
    everything = money.to_numpy(dtype=float)
    own = everything * inside[:, None]
    total, base_total = own.sum(), everything.sum()
    share = own.sum(axis=0) / total if total > 0 else np.full(everything.shape[1], np.nan)
    base = everything.sum(axis=0) / base_total if base_total > 0 else share * np.nan
    with np.errstate(invalid="ignore", divide="ignore"):
        influence = (own - share * own.sum(axis=1, keepdims=True)) / total
        base_influence = (everything - base * everything.sum(axis=1, keepdims=True)) / base_total
        lift = share / base
        log_error = np.sqrt(((influence / share - base_influence / base) ** 2).sum(axis=0))
        log_error = np.where(inside.all() | (log_error < 1e-9), np.nan, log_error)
        half = np.exp(critical_value(conf_level) * log_error)
    interval = share_limits(share, np.sqrt((influence**2).sum(axis=0)), conf_level)
    rows = pd.DataFrame({"value": money.columns.to_numpy(), "metric": "amount_share", **interval._asdict()})
    rows = rows.assign(
        n=(own > 0).sum(axis=0),
        amount=own.sum(axis=0),
        lift=lift,
        lift_conf_low=lift / half,
        lift_conf_high=lift * half,
    )
    rows["value"] = rows["value"].astype(TEXT).where(rows["value"] != "")
    return rows.sort_values("amount", ascending=False, kind="stable", ignore_index=True)
