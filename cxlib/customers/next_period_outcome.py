"""What customers did after the day they were segmented: the only fair test of a segmentation.

Sorting customers by what they spent and then reporting what they spent is circular. Here the groups come from
orders up to a day, the outcome from the orders after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError, check_columns
from cxlib.customers.best_measure import rank_by_estimate
from cxlib.data.days import to_date
from cxlib.data.engine.order_totals import reduce_orders
from cxlib.stats.intervals import Interval, share_difference_interval, share_interval
from cxlib.stats.money_means import money_mean_interval
from cxlib.stats.verdicts import limits_verdict


def next_period(
    customers: pd.DataFrame,
    orders: Any,
    *,
    start: object,
    days: int = 90,
    timezone: str | None = None,
) -> pd.DataFrame:
    """Add what each customer ordered in the `days` after `start`: `next_orders`, `next_amount`.

    Parameters
    ----------
    customers : pandas.DataFrame
        With `customer_id`, as they stood at the end of `start`.
    orders : frame of any engine narwhals knows
        Order lines that reach at least to the end of the next period.
    start : date, str or Timestamp
        Last day of the period that made the groups.
    days : int
        Length of the next period, from 1.
    timezone : str, optional
        As `summarise_customers`.

    Returns
    -------
    pandas.DataFrame
        The table with `next_orders` (orders begun in the period) and `next_amount` (net of the refunds in it;
        0 for who ordered nothing).

    Raises
    ------
    ParameterError
        If `days` is not positive or a column is missing.

    Examples
    --------
    >>> lines = pd.DataFrame({"customer_id": ["a", "a"], "order_id": ["1", "2"], "amount": [10.0, 30.0],
    ...                       "ordered_at": pd.to_datetime(["2026-01-01", "2026-02-11"])})
    >>> base = pd.DataFrame({"customer_id": ["a"]})
    >>> next_period(base, lines, start="2026-01-31").values.tolist()
    [['a', 1, 30.0]]
    """
    if days < 1:
        raise ParameterError("segmentation.days", found=days)
    check_columns(customers, customer_id_col="customer_id")
    end = to_date(start) + timedelta(days=days)
    until, before = (reduce_orders(orders, as_of=day, timezone=timezone) for day in (end, to_date(start)))
    return add_gained(customers, until, before)


def add_gained(customers: pd.DataFrame, until: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Add to customers what they ordered between two days, from their orders and money up to either."""
    later, earlier = (frame.set_index("customer_id")[["frequency", "amount"]] for frame in (until, before))
    gained = later.sub(earlier, fill_value=0).reindex(customers["customer_id"]).fillna(0)
    return customers.assign(
        next_orders=gained["frequency"].to_numpy(dtype="int64"),
        next_amount=gained["amount"].round(6).to_numpy(),
    )


def backtest(
    customers: pd.DataFrame,
    *,
    by: Sequence[str] = ("r_score", "f_score", "m_score"),
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Tabulate the next period by group: probability of an order (0–1) and money per customer.

    Parameters
    ----------
    customers : pandas.DataFrame
        As `next_period` gives them, with the group columns; a customer without a group is left out.
    by : sequence of str
        Each column is tabulated on its own.
    conf_level : float

    Returns
    -------
    pandas.DataFrame
        `scheme` (the column)`, group, metric` (repeat_rate: ordered at all; next_amount: mean money)`,
        estimate, std_error, conf_low, conf_high, n`.

    Raises
    ------
    ParameterError
        If a column is missing.

    Notes
    -----
    Rates by Wilson, means by Student's t where no few customers carry them, else without limits
    (`money_mean_interval`).

    Examples
    --------
    >>> base = pd.DataFrame({"r_score": [1, 1, 5, 5], "next_orders": [0, 0, 1, 2]})
    >>> base["next_amount"] = [0.0, 0.0, 9.0, 11.0]
    >>> backtest(base, by=["r_score"])["estimate"].tolist()
    [0.0, 1.0, 0.0, 10.0]
    """
    check_columns(customers, **{f"by[{i}]": column for i, column in enumerate(by)})
    parts = []
    for scheme in by:
        rows = outcome_table(customers, by=scheme, conf_level=conf_level).rename(columns={scheme: "group"})
        parts.append(rows.assign(scheme=scheme))
    return pd.concat(parts, ignore_index=True)[["scheme", "group", "metric", *Interval._fields, "n"]]


def outcome_table(
    customers: pd.DataFrame, *, by: str | Sequence[str], conf_level: float = 0.95
) -> pd.DataFrame:
    """Tabulate the next period by the groups of one or several columns together: repeat rate, mean money.

    Parameters
    ----------
    customers : pandas.DataFrame
        As `next_period` gives them; a customer without a group is left out.
    by : str or sequence of str
        Group columns.
    conf_level : float

    Returns
    -------
    pandas.DataFrame
        Group columns, `metric` (repeat_rate, next_amount), `estimate, std_error, conf_low, conf_high, n`.

    Raises
    ------
    ParameterError
        If a column is missing.

    Examples
    --------
    >>> base = pd.DataFrame({"r_score": [5, 5], "f_score": [1, 1], "next_orders": [0, 1]})
    >>> base["next_amount"] = [0.0, 9.0]
    >>> outcome_table(base, by=["r_score", "f_score"])["estimate"].tolist()
    [0.5, 4.5]
    """
    keys = [by] if isinstance(by, str) else list(by)
    check_columns(
        customers,
        next_orders_col="next_orders",
        next_amount_col="next_amount",
        **{f"by[{i}]": key for i, key in enumerate(keys)},
    )
    held = customers.assign(again=customers["next_orders"] > 0).groupby(keys, observed=True)
    rows = held.agg(n=("again", "size"), again=("again", "sum")).reset_index()
    rate = share_interval(rows["again"].to_numpy(dtype=float), rows["n"].to_numpy(), conf_level=conf_level)
    code = held.ngroup().to_numpy(dtype=float, na_value=-1).astype(int)
    amounts, code = customers["next_amount"].to_numpy(dtype=float)[code >= 0], code[code >= 0]
    mean = money_mean_interval(amounts, groups=code, n_groups=len(rows), conf_level=conf_level)
    measures = [
        rows[[*keys, "n"]].assign(metric=metric, **interval._asdict())
        for metric, interval in (("repeat_rate", rate), ("next_amount", mean))
    ]
    return pd.concat(measures, ignore_index=True)[[*keys, "metric", *Interval._fields, "n"]]


def backtest_gap(
    customers: pd.DataFrame,
    *,
    by: Sequence[str] = ("r_score", "f_score", "m_score"),
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Compare the repeat rate of the highest with that of the lowest group of each scheme, in fractions.

    Parameters
    ----------
    customers : pandas.DataFrame
        As `next_period` gives them, with the group columns, ordered values such as scores; a customer without
        a group is left out of that scheme.
    by : sequence of str
        Columns compared.
    conf_level : float
        Of all intervals together: they are widened for the widest gap having been picked among them.

    Returns
    -------
    pandas.DataFrame
        `scheme, metric` (repeat_gap), `estimate, std_error, conf_low, conf_high, n` (customers of the smaller
        of the two groups), `high_rate, low_rate, verdict` (differ or no_difference_shown)`, behind,
        behind_conf_low, behind_conf_high`: how much narrower than the widest gap, on the same customers (0,
        without limits, for the widest). Schemes with a single group are left out; rows by gap, widest first.

    Raises
    ------
    ParameterError
        If a column is missing.

    Notes
    -----
    Difference of independent shares with Newcombe's interval at 1 - (1 - conf_level)/number of schemes; what
    one is behind as in `rank_by_estimate`: the same customers make every gap.

    Examples
    --------
    >>> base = pd.DataFrame({"r_score": [1] * 50 + [5] * 50, "next_orders": [0] * 45 + [1] * 55})
    >>> backtest_gap(base, by=["r_score"])[["estimate", "verdict"]].values.tolist()
    [[0.9, 'differ']]
    """
    check_columns(
        customers, next_orders_col="next_orders", **{f"by[{i}]": column for i, column in enumerate(by)}
    )
    again = (customers["next_orders"] > 0).to_numpy(dtype=float)
    found, counts = {}, {}
    for scheme in by:
        group = customers[scheme].to_numpy(dtype=float, na_value=np.nan)
        known = group[~np.isnan(group)]
        ends = [group == edge for edge in (known.max(), known.min())] if len(known) else []
        if ends and not np.array_equal(*ends):
            n, hits = np.array([end.sum() for end in ends]), np.array([again[end].sum() for end in ends])
            counts[scheme] = [hits[0], n[0], hits[1], n[1]]
            parts = [end * (again - x / m) / m for end, x, m in zip(ends, hits, n, strict=True)]
            found[scheme] = (hits[0] / n[0] - hits[1] / n[1], parts[0] - parts[1])
    columns = ["scheme", "metric", *Interval._fields, "n", "high_rate", "low_rate", "verdict", "behind"]
    columns += ["behind_conf_low", "behind_conf_high"]
    if not found:
        return pd.DataFrame(columns=columns)
    table = rank_by_estimate("repeat_gap", found, conf_level)
    high, n_high, low, n_low = np.array([counts[scheme] for scheme in table["scheme"]], dtype=float).T
    careful = 1 - (1 - conf_level) / len(found)
    gap = share_difference_interval(high, n_high, low, n_low, conf_level=careful)
    return table.assign(
        **gap._asdict(),
        n=np.minimum(n_high, n_low).astype("int64"),
        high_rate=high / n_high,
        low_rate=low / n_low,
        verdict=limits_verdict(gap.conf_low, gap.conf_high, unit="pp"),
    )[columns]
