"""Deciles, and what each group of customers carries of the sales.

Customers whose net amount is zero or less cannot hold a share of sales; they are shown apart. Intervals treat
the customers as a sample of customers like these: they say how far another such base could differ by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import check_columns, fail_option
from cxlib.customers.sales_concentration import df_of_kurtosis, error_df, lorenz_at, share_limits
from cxlib.stats.arrays import Array
from cxlib.stats.intervals import Interval, share_interval

GROUPS = 10
SCHEMES = ("count", "amount")


def deciles(
    customers: pd.DataFrame, *, value_col: str = "monetary_total", scheme: str = "count"
) -> pd.DataFrame:
    """Add `decile`, 1 (best) to 10, to a customer table; equal customers always share a decile.

    Parameters
    ----------
    customers : pandas.DataFrame
        One row per customer.
    value_col : str
        Money in the data set's currency. Customers with a missing value or one of zero or less get no decile.
    scheme : {"count", "amount"}
        Ten groups of as many customers, or ten groups that bring as much money each.

    Returns
    -------
    pandas.DataFrame
        The table with `decile` (whole number; missing for everybody with fewer than ten customers to rank).

    Raises
    ------
    ParameterError
        If the column or the scheme is unknown.

    Notes
    -----
    By count, the cuts are observed values: the k-th is the smallest value with at least k/10 of the customers
    at or below it; a value equal to a cut belongs to the lower group. By amount, a customer belongs to the
    tenth of sales in which the running total from the top, equal customers taken together, arrives with them;
    one who alone brings more than a tenth belongs to the tenth in which it starts. Ties make groups unequal
    and can leave a group empty: `decile_table` shows both.

    Examples
    --------
    >>> base = pd.DataFrame({"monetary_total": [1, 1, 1, 2, 3, 4, 5, 6, 7, 8, -5]})
    >>> deciles(base)["decile"].tolist()
    [10, 10, 10, 7, 6, 5, 4, 3, 2, 1, <NA>]
    """
    check_columns(customers, value_col=value_col)
    if scheme not in SCHEMES:
        fail_option("scheme", scheme, SCHEMES)
    values = customers[value_col].to_numpy(dtype=float, na_value=np.nan)
    decile = pd.array([pd.NA] * len(values), dtype="Int64")
    ranked = values > 0
    if ranked.sum() >= GROUPS:
        group = _by_count if scheme == "count" else _by_amount
        decile[ranked] = group(values[ranked])
    return customers.assign(decile=decile)


def decile_table(
    customers: pd.DataFrame,
    *,
    value_col: str = "monetary_total",
    orders_col: str = "frequency",
    scheme: str = "count",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Tabulate what each decile holds: customers, money, share of sales with its interval, boundaries, ties.

    Parameters
    ----------
    customers : pandas.DataFrame
        One row per customer.
    value_col, orders_col : str
        Money, and the number of orders.
    scheme : {"count", "amount"}
        As `deciles`; the uncertain quantity is the share of sales by count, the share of customers by amount.
    conf_level : float

    Returns
    -------
    pandas.DataFrame
        Ten rows `decile, metric, estimate, std_error, conf_low, conf_high, n, amount, amount_share,
        cumulative_share, customer_share, mean_amount, lower_amount, upper_amount, orders, tie_share, note`:
        `metric` is amount_share or customer_share, `n` counts customers, `lower_amount` and `upper_amount`
        are the smallest and largest value, `tie_share` is the share of the group's customers whose value
        another customer has too. A row without a decile follows for customers with nothing net (`note`
        "net_not_positive"). With fewer than ten customers to rank there is one row, `note`
        "not_enough_data"; `note` is "all_equal" where nobody can be ranked because everybody has the same
        value.

    Raises
    ------
    ParameterError
        If a column or the scheme is unknown.

    Notes
    -----
    Standard error of a share by its influence function with the cuts estimated (Beach–Davidson), limits on
    the logit scale with Student's t, as `concentration`; shares of customers by Wilson with the cuts taken as
    given. Coverage of the 95 % interval of every decile is 92–97 % with 200 customers and a log-normal spread
    of σ = 1, and with 1,000 at σ = 1.5; 91–95 % with 300 at σ = 1.5.

    References
    ----------
    Beach & Davidson (1983) Review of Economic Studies 50, 723–735.

    Examples
    --------
    >>> base = pd.DataFrame({"monetary_total": range(1, 101), "frequency": 1})
    >>> decile_table(base)[["decile", "n", "amount", "estimate"]].iloc[0].round(3).tolist()
    [1.0, 10.0, 955.0, 0.189]
    """
    check_columns(customers, value_col=value_col, orders_col=orders_col)
    table = deciles(customers, value_col=value_col, scheme=scheme)
    values = table[value_col].to_numpy(dtype=float, na_value=np.nan)
    ranked = values > 0
    x, group = values[ranked], table.loc[ranked, "decile"]
    rows = pd.DataFrame({"decile": pd.array(range(1, GROUPS + 1), dtype="Int64")})
    if group.isna().all():
        rows = pd.DataFrame({"decile": pd.array([pd.NA], dtype="Int64"), "n": [len(x)], "amount": x.sum()})
        return _with_apart(rows.assign(note="not_enough_data"), values, ranked, table[orders_col])
    held = table[ranked].assign(tied=pd.Series(x).duplicated(keep=False).to_numpy()).groupby("decile")
    money = held[value_col]
    columns = pd.DataFrame(
        {
            "n": money.size(),
            "amount": money.sum(),
            "mean_amount": money.mean(),
            "lower_amount": money.min(),
            "upper_amount": money.max(),
            "orders": held[orders_col].sum(),
            "tie_share": held["tied"].mean(),
        }
    )
    rows = rows.join(columns, on="decile").fillna({"n": 0, "amount": 0.0, "orders": 0})
    rows["amount_share"] = rows["amount"] / x.sum()
    rows["cumulative_share"] = rows["amount_share"].cumsum()
    rows["customer_share"] = rows["n"] / len(x)
    if scheme == "count":
        interval = _quantile_group_share(x, group.to_numpy(dtype=int), conf_level)
    else:
        interval = share_interval(rows["n"], len(x), conf_level=conf_level)
    rows = rows.assign(
        metric="amount_share" if scheme == "count" else "customer_share",
        **interval._asdict(),
        note="all_equal" if np.ptp(x) == 0 else "",
    )
    return _with_apart(rows, values, ranked, table[orders_col])


def segment_table(
    customers: pd.DataFrame,
    *,
    by: str | Sequence[str] = "segment",
    value_col: str = "monetary_total",
    orders_col: str = "frequency",
    order: Sequence[object] | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Tabulate what each group of customers carries: customers and money with their shares and intervals.

    Parameters
    ----------
    customers : pandas.DataFrame
        One row per customer.
    by : str or sequence of str
        Group columns; a missing group is a row of its own.
    value_col, orders_col : str
        Money, and the number of orders.
    order : sequence, optional
        Order of the groups of a single `by` column; groups nobody is in stay, with n = 0. Without it, groups
        are sorted by money (one column) or by their keys (several).
    conf_level : float

    Returns
    -------
    pandas.DataFrame
        Group columns, `metric, estimate, std_error, conf_low, conf_high, n, customer_share,
        customer_share_conf_low, customer_share_conf_high, amount, mean, orders`; the estimate is the share of
        sales (`metric` amount_share), `n` counts customers. The share is missing for a group whose net amount
        is not positive; those of the others sum to 1.

    Raises
    ------
    ParameterError
        If a column is unknown.

    Notes
    -----
    A share of sales is a ratio of sums: its error is that of Σ(x·1 - s·x)/Σx with the groups taken as given,
    limits on the logit scale with Student's t, as `concentration`. Shares of customers: Wilson.

    Examples
    --------
    >>> base = pd.DataFrame({"segment": ["A", "B", "B"], "monetary_total": [6.0, 3, 3], "frequency": 1})
    >>> segment_table(base)[["segment", "n", "estimate"]].values.tolist()
    [['A', 1, 0.5], ['B', 2, 0.5]]
    """
    keys = [by] if isinstance(by, str) else list(by)
    check_columns(
        customers, value_col=value_col, orders_col=orders_col, **{f"by[{i}]": k for i, k in enumerate(keys)}
    )
    data = customers.assign(_x=customers[value_col].astype(float), _square=lambda t: t["_x"] ** 2)
    data["_fourth"] = data["_square"] ** 2
    held = data.groupby(keys, dropna=False, observed=True, sort=True)
    rows = held[["_x", orders_col, "_square", "_fourth"]].sum()
    rows = rows.set_axis(["amount", "orders", "square", "fourth"], axis=1)
    rows = rows.assign(n=held.size(), mean_amount=held["_x"].mean())
    if order is not None:
        rest = [key for key in rows.index if key not in set(order)]
        rows = rows.reindex([*order, *rest]).fillna(
            {"n": 0, "amount": 0.0, "orders": 0, "square": 0.0, "fourth": 0.0}
        )
        rows.index.name = keys[0]
    elif len(keys) == 1:
        rows = rows.sort_values("amount", ascending=False, kind="stable")
    rows = rows.reset_index().astype({"n": "int64", "orders": "int64"})
    interval = _given_group_share(rows, conf_level)
    customers_share = share_interval(rows["n"], max(int(rows["n"].sum()), 0), conf_level=conf_level)
    return rows.assign(
        metric="amount_share",
        **interval._asdict(),
        customer_share=customers_share.estimate,
        customer_share_conf_low=customers_share.conf_low,
        customer_share_conf_high=customers_share.conf_high,
    )[
        [
            *keys,
            "metric",
            *Interval._fields,
            "n",
            "customer_share",
            "customer_share_conf_low",
            "customer_share_conf_high",
            "amount",
            "mean_amount",
            "orders",
        ]
    ]


def _by_count(x: Array) -> Any:
    cuts = np.sort(x)[np.ceil(np.arange(1, GROUPS) * len(x) / GROUPS - 1e-9).astype(int) - 1]
    return GROUPS - np.searchsorted(cuts, x, side="left")


def _by_amount(x: Array) -> Any:
    value, code, count = np.unique(x, return_inverse=True, return_counts=True)
    held = value * count / x.sum()
    through = held[::-1].cumsum()[::-1]
    alone = (count == 1) & (held > 1 / GROUPS + 1e-9)  # just a tenth is no more than one, in any unit
    group = np.where(alone, np.floor(GROUPS * (through - held) + 1e-9) + 1, np.ceil(GROUPS * through - 1e-9))
    return np.clip(group, 1, GROUPS).astype(int)[code]


def _with_apart(rows: pd.DataFrame, values: Array, ranked: Any, orders: pd.Series) -> pd.DataFrame:
    """Append the row of customers with nothing net, and put the columns in order."""
    columns = [
        "decile",
        "metric",
        *Interval._fields,
        "n",
        "amount",
        "amount_share",
        "cumulative_share",
        "customer_share",
        "mean_amount",
        "lower_amount",
        "upper_amount",
        "orders",
        "tie_share",
        "note",
    ]
    if not ranked.all():
        apart = {"n": (~ranked).sum(), "amount": np.nansum(values[~ranked]), "orders": orders[~ranked].sum()}
        rows = pd.concat([rows, pd.DataFrame([apart | {"note": "net_not_positive"}])], ignore_index=True)
    return rows.reindex(columns=columns).astype({"decile": "Int64", "n": "int64"})


def _quantile_group_share(x: Array, decile: Any, conf_level: float) -> Interval:
    """Share of sales of each decile with the error of cuts that are estimated as well."""
    below = np.array([(decile > k).mean() for k in range(GROUPS + 1)])
    ordered = np.sort(x)
    at = lorenz_at(ordered, below)
    share = at[:-1] - at[1:]
    q = ordered[np.clip(np.ceil(below * len(x) - 1e-9).astype(int) - 1, 0, len(x) - 1)]
    q = np.where(below <= 0, 0.0, q)
    q[0] = np.inf
    error, df = np.empty(GROUPS), np.empty(GROUPS)
    for place, (low, high, part) in enumerate(zip(q[1:], q[:-1], share, strict=True)):
        upper = np.maximum(x - high, 0) if high < np.inf else 0.0
        influence = np.maximum(x - low, 0) - upper - part * x
        error[place], df[place] = influence.std() / x.mean() / np.sqrt(len(x)), error_df(influence)
    limits = share_limits(share, error, conf_level, df=df)
    least, most = np.zeros(GROUPS), np.ones(GROUPS)
    least[0], most[-1] = below[0] - below[1], below[-2] - below[-1]
    return limits._replace(
        conf_low=np.maximum(limits.conf_low, least), conf_high=np.minimum(limits.conf_high, most)
    )


def _given_group_share(rows: pd.DataFrame, conf_level: float) -> Interval:
    """Share of sales of groups taken as given, from their sums of powers."""
    amount, square, fourth = (rows[name].to_numpy() for name in ("amount", "square", "fourth"))
    carries = amount > 0
    total = amount[carries].sum() if carries.any() else np.nan
    share = np.where(carries | (rows["n"] == 0), amount / total, np.nan)
    spread = (1 - 2 * share) * square + share**2 * square[carries].sum()
    tails = ((1 - share) ** 4 - share**4) * fourth + share**4 * fourth[carries].sum()
    n = rows["n"].to_numpy()[carries].sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        df = df_of_kurtosis(n, n * tails / spread**2)
    return share_limits(share, np.sqrt(np.maximum(spread, 0)) / total, conf_level, df=df)
