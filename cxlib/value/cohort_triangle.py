"""Cohorts by first purchase: which of them still buy, how often and for how much, period by period."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.checks import check_columns, fail_option
from cxlib.data.days import to_date
from cxlib.stats.arrays import Array
from cxlib.stats.intervals import Interval, critical_value, share_interval
from cxlib.value.days_of_purchase import Outcome, purchase_days

#: Months in a cohort, and in the periods it is followed by.
COHORTS = {"month": 1, "quarter": 3, "year": 12}
COLUMNS = ["cohort", "period", "metric", *Interval._fields, "n", "total", "is_mature", "note"]
#: What `note` says of a cell that is not over yet.
IMMATURE = "immature"
Codes = NDArray[Any]
METRICS = ("customers_kept", "orders_kept", "amount_kept")


def retention_table(
    orders: pd.DataFrame,
    *,
    as_of: dt.date | str,
    cohort: Literal["month", "quarter", "year"] = "month",
    outcome: Outcome = "amount",
    contribution_margin_rate: float | None = None,
    observed_from: dt.date | str | None = None,
    timezone: str | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Cohort triangle: how many customers and orders of a cohort, and how much money, are left each period.

    Parameters
    ----------
    orders
        Order lines, as `purchase_days` takes them; guests are left out.
    as_of
        Last day known.
    cohort
        "month", "quarter" or "year" of the first purchase; periods are of the same length.
    outcome, contribution_margin_rate
        What money is, as in `line_values`; net of refunds.
    observed_from, timezone
        As in `purchase_days`.
    conf_level
        Confidence level of the limits.

    Returns
    -------
    DataFrame
        For each cohort and period since (0: that of the first purchase) three rows: `cohort` (its first
        day)`, period, metric` ("customers_kept": share of the cohort's customers who bought in the period;
        "orders_kept" and "amount_kept": orders and money per order and unit of money of period 0)`, estimate,
        std_error, conf_low, conf_high, n` (customers of the cohort)`, total` (customers, orders, money of the
        cell)`, is_mature, note`. A cell whose period is not over is "immature": its numbers so far are no
        fall, and it has no limits.

    Raises
    ------
    ParameterError, InputError
        Unknown columns or `cohort`; as `purchase_days`.

    Notes
    -----
    Shares: Wilson. Ratios: delta method over customers; no limits where nobody bought, or all alike.
    Period 0 begins in the middle for most customers, so that orders and money of period 1 can be more.

    Examples
    --------
    >>> lines = pd.DataFrame({"customer_id": ["a", "a", "b"], "order_id": ["1", "2", "3"], "amount": 10.0,
    ...     "ordered_at": pd.to_datetime(["2026-01-05", "2026-02-05", "2026-01-20"])})
    >>> rows = retention_table(lines, as_of="2026-03-10").query("metric == 'customers_kept'")
    >>> rows[["period", "estimate", "note"]].values.tolist()
    [[0, 1.0, ''], [1, 0.5, ''], [2, 0.0, 'immature']]
    """
    if cohort not in COHORTS:
        fail_option("cohort", cohort, COHORTS)
    days = purchase_days(
        orders,
        as_of=as_of,
        outcome=outcome,
        contribution_margin_rate=contribution_margin_rate,
        observed_from=observed_from,
        timezone=timezone,
    )
    own = days["customer_id"]
    who = np.cumsum((own != own.shift()).fillna(value=True).to_numpy(bool)) - 1  # one after the other
    return retention_of_days(days, as_of=as_of, cohort=cohort, conf_level=conf_level, who=who)


def retention_of_days(
    days: pd.DataFrame,
    *,
    as_of: dt.date | str,
    cohort: str = "month",
    conf_level: float = 0.95,
    who: Codes | None = None,
) -> pd.DataFrame:
    """Make the table of `retention_table` from purchase days; `who`: their customers as numbers from 0."""
    check_columns(days, customer_id="customer_id", day="day", first_day="first_day", value="value")
    last = pd.Timestamp(to_date(as_of))
    began, bought = (_ordinal(days[name], cohort) for name in ("first_day", "day"))
    end = int(_ordinal(pd.Series([last]), cohort)[0])
    open_from = end if int(_ordinal(pd.Series([last + pd.Timedelta(days=1)]), cohort)[0]) == end else end + 1
    first = int(began.min(initial=end))
    size = end - first + 1
    who = pd.factorize(days["customer_id"])[0] if who is None else who
    person = np.unique(who, return_index=True)[1]
    n = np.bincount(began[person] - first, minlength=size)
    cell = who.astype(np.int64) * size + (bought - began)
    held, place = np.unique(cell, return_inverse=True)
    measures = np.zeros((3, len(held)))
    measures[0] = 1
    measures[1] = np.bincount(place, days["n_orders"].to_numpy(float), len(held))
    measures[2] = np.bincount(place, days["value"].to_numpy(float), len(held))
    owner, period = held // size, (held % size).astype(int)
    group = (began[person] - first)[owner]
    at_start = np.zeros((3, len(person)))
    starts = period == 0
    at_start[:, owner[starts]] = measures[:, starts]
    parts = []
    for number, metric in enumerate(METRICS):
        sums, ratio, error = _kept(measures[number], at_start[number], (owner, group, period), (n, size))
        parts.append(_cells(metric, sums, ratio, error, n=n, first=first, end=end, conf_level=conf_level))
    table = pd.concat(parts, ignore_index=True)
    table["is_mature"] = table["cohort"] + table["period"] < open_from
    table.loc[~table["is_mature"], ["std_error", "conf_low", "conf_high"]] = np.nan
    table["note"] = np.where(table["is_mature"], "", IMMATURE)
    table = table.sort_values(["cohort", "period"], kind="stable", ignore_index=True)
    month = (table["cohort"].to_numpy(np.int64) * COHORTS[cohort]).astype("datetime64[M]")
    return table.assign(cohort=month.astype("datetime64[s]"))[COLUMNS]


def kept_by_period(
    table: pd.DataFrame, *, metric: str = "customers_kept", conf_level: float = 0.95
) -> pd.DataFrame:
    """Average a triangle over its cohorts, period by period, from mature cells only.

    Parameters
    ----------
    table
        Result of `retention_table`.
    metric
        One of its metrics; shares of customers get limits.

    Returns
    -------
    DataFrame
        `period, metric, estimate, std_error, conf_low, conf_high, n` (customers of the cohorts in it)`,
        n_cohorts`. Each later period rests on fewer and older cohorts: `n_cohorts` says on how many.

    Examples
    --------
    >>> rows = pd.DataFrame({"cohort": [1, 1, 2], "period": [0, 1, 0], "metric": "customers_kept",
    ...     "n": [10, 10, 5], "total": [10, 4, 5], "estimate": [1, 0.4, 1], "is_mature": True})
    >>> kept_by_period(rows)["estimate"].to_list()
    [1.0, 0.4]
    """
    cells = table[(table["metric"] == metric) & table["is_mature"]]
    rows = cells.groupby("period", as_index=False).agg(
        n=("n", "sum"), total=("total", "sum"), n_cohorts=("n", "size")
    )
    if metric == "customers_kept":
        limits = share_interval(rows["total"], rows["n"], conf_level=conf_level)
    else:
        weighted = cells.assign(part=cells["estimate"] * cells["n"]).groupby("period")["part"].sum()
        nothing = np.full(len(rows), np.nan)
        limits = Interval(weighted.to_numpy() / rows["n"].to_numpy(), nothing, nothing, nothing)
    rows = rows.assign(metric=metric, **limits._asdict())
    return rows[["period", "metric", *Interval._fields, "n", "n_cohorts"]]


def _ordinal(days: pd.Series, cohort: str) -> Codes:
    """Count the months, quarters or years up to each day, from 1970 on."""
    months = days.to_numpy().astype("datetime64[M]").astype(np.int64)
    return months // COHORTS[cohort]


def _kept(
    measure: Array, at_start: Array, keys: tuple[Codes, Codes, Codes], sizes: tuple[Codes, int]
) -> tuple[Codes, Array, Array]:
    """Sum of each cell, its ratio to the cell of period 0, and the ratio's error over customers."""
    owner, group, period = (part.astype(np.int64) for part in keys)
    n, size = sizes
    at = group * size + period
    sums = np.bincount(at, measure, size * size).reshape(size, size)
    squares = np.bincount(at, measure**2, size * size).reshape(size, size)
    products = np.bincount(at, measure * at_start[owner], size * size).reshape(size, size)
    people = np.full(len(at_start), -1)
    people[owner] = group
    of_start = np.bincount(people, at_start**2, size)
    base = sums[:, :1]
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = sums / base
        spread = squares - 2 * ratio * products + ratio**2 * of_start[:, None]
        error = np.sqrt(np.maximum(spread, 0) * (n / np.maximum(n - 1, 1))[:, None]) / np.abs(base)
    return sums, ratio, error


def _cells(
    metric: str, sums: Codes, ratio: Array, error: Array, *, n: Codes, first: int, end: int, conf_level: float
) -> pd.DataFrame:
    """Rows of all cells up to the last period known, of cohorts that have customers."""
    size = len(n)
    cohort, period = np.divmod(np.arange(size * size), size)
    kept = (cohort + period < size) & (n[cohort] > 0)
    cohort, period = cohort[kept], period[kept]
    at = (cohort, period)
    if metric == "customers_kept":
        found = share_interval(sums[at], n[cohort], conf_level=conf_level)
    else:
        half = critical_value(conf_level, df=np.maximum(n[cohort] - 1, 1)) * error[at]
        half = np.where((period > 0) & (n[cohort] > 1) & (half > 0), half, np.nan)
        found = Interval(ratio[at], error[at], ratio[at] - half, ratio[at] + half)
    rows = {"cohort": cohort + first, "period": period, "metric": metric, **found._asdict()}
    return pd.DataFrame(rows | {"n": n[cohort], "total": sums[at]})
