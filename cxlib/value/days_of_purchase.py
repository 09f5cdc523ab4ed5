"""What each customer bought on which day, net of refunds: the one base of histories, cohorts and value."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.checks import InputError, ParameterError, check_columns, fail_option
from cxlib.data.days import local_days, to_date
from cxlib.data.purchases import earlier_buyers, purchase_lines
from cxlib.stats.arrays import Array

Codes = NDArray[Any]

#: Days of a month, as horizons count it.
DAYS_PER_MONTH = 365.25 / 12
OUTCOMES = ("margin", "amount")
Outcome = Literal["margin", "amount"]


def line_values(
    orders: pd.DataFrame, *, outcome: Outcome = "margin", contribution_margin_rate: float | None = None
) -> tuple[Array, float]:
    """Give what each order line brought, in currency, and the share of sales whose margin had to be assumed.

    Parameters
    ----------
    orders
        Order lines with `amount`, and `margin` where it is known.
    outcome
        "margin", or "amount" for sales.
    contribution_margin_rate
        Margin per sale where none is recorded, 0–1.

    Returns
    -------
    values, assumed_share

    Raises
    ------
    ParameterError
        Unknown outcome, or a rate that is not 0–1.
    InputError
        Margins are missing and no rate is given.

    Examples
    --------
    >>> lines = pd.DataFrame({"amount": [100.0, 50.0], "margin": [60.0, None]})
    >>> values, assumed = line_values(lines, contribution_margin_rate=0.5)
    >>> values.tolist(), round(assumed, 2)
    ([60.0, 25.0], 0.33)
    """
    if outcome not in OUTCOMES:
        fail_option("outcome", outcome, OUTCOMES)
    check_columns(orders, amount="amount")
    amount = pd.to_numeric(orders["amount"]).to_numpy(float, na_value=np.nan)
    if outcome == "amount":
        return np.nan_to_num(amount), 0.0
    margin = np.full(len(orders), np.nan)
    if "margin" in orders:
        margin = pd.to_numeric(orders["margin"]).to_numpy(float, na_value=np.nan)
    lacks = np.isnan(margin) & ~np.isnan(amount)
    if not lacks.any():
        return np.nan_to_num(margin), 0.0
    if contribution_margin_rate is None:
        raise InputError("customer_value.no_margin", count=f"{int(lacks.sum()):,}", rows=f"{len(orders):,}")
    if not 0 <= contribution_margin_rate <= 1:
        raise ParameterError("customer_value.margin_rate", value=repr(contribution_margin_rate))
    whole = float(np.abs(np.nan_to_num(amount)).sum())
    share = float(np.abs(amount[lacks]).sum()) / whole if whole > 0 else 0.0
    return np.nan_to_num(np.where(lacks, amount * contribution_margin_rate, margin)), share


def purchase_days(
    orders: pd.DataFrame,
    *,
    as_of: dt.date | str,
    outcome: Outcome = "amount",
    contribution_margin_rate: float | None = None,
    observed_from: dt.date | str | None = None,
    timezone: str | None = None,
) -> pd.DataFrame:
    """Give each customer's purchase days, and what each brought net of refunds known on `as_of`.

    Parameters
    ----------
    orders
        Order lines: `customer_id, ordered_at, amount`, `order_id` where known. Guests' lines are left out.
        What a purchase is, is told by `cxlib.data.purchases`.
    as_of
        Last day counted.
    outcome, contribution_margin_rate
        As in `line_values`.
    observed_from
        Customers who bought before it are left out: nobody saw their first purchase.
    timezone
        Where days begin; none: as the timestamps stand.

    Returns
    -------
    DataFrame
        `customer_id, day, first_day, n_orders, value`, by customer and day. A refund counts on the day of its
        order; one under a number of its own on the customer's last purchase day before it.

    Raises
    ------
    ParameterError, InputError
        As `line_values`; unknown columns; times that are no timestamps.

    Examples
    --------
    >>> lines = pd.DataFrame({"customer_id": ["a", "a", "a"], "order_id": ["1", "2", "2"],
    ...     "ordered_at": pd.to_datetime(["2026-01-01", "2026-01-11", "2026-01-20"]), "amount": [9, 9, -4]})
    >>> purchase_days(lines, as_of="2026-01-31")[["n_orders", "value"]].values.tolist()
    [[1.0, 9.0], [1.0, 5.0]]
    """
    check_columns(orders, customer_id="customer_id", ordered_at="ordered_at", amount="amount")
    day = local_days(orders["ordered_at"], "ordered_at", timezone=timezone)
    known = (day <= pd.Timestamp(to_date(as_of))).to_numpy() & orders["customer_id"].notna().to_numpy()
    lines, day = (orders, day) if known.all() else (orders[known], day[known])
    values, _ = line_values(lines, outcome=outcome, contribution_margin_rate=contribution_margin_rate)
    who, ids = pd.factorize(lines["customer_id"])
    in_order = ids.argsort()
    rank = np.empty(len(ids), dtype=np.int64)
    rank[in_order] = np.arange(len(ids))
    who = rank[who]  # customers in the order of the result
    number = day.to_numpy().astype("datetime64[D]").astype(np.int64)
    bought = purchase_lines(lines)
    order = _order_codes(lines, who)
    latest = np.iinfo(np.int64).max
    dated = np.full(int(order.max(initial=-1)) + 1, latest)
    np.minimum.at(dated, order[bought], number[bought])
    at, size = dated[order], int(number.max(initial=0)) + 2
    stray = at == latest
    if stray.any():
        at[stray] = _day_before(who, number, at, size=size)
    counted = np.flatnonzero(at < latest)
    key = who[counted] * size + at[counted]
    by_key = np.argsort(key, kind="stable")
    is_new = np.diff(key[by_key], prepend=-1) != 0
    place = np.empty(len(key), dtype=np.int64)
    place[by_key] = np.cumsum(is_new) - 1
    held = key[by_key[is_new]]
    value = np.bincount(place, values[counted], len(held))
    of_order = np.full(len(dated), -1)
    of_order[order[counted]] = place  # all lines of an order lie on one day
    n_orders = np.bincount(of_order[dated < latest], minlength=len(held))
    owner, when = held // size, held % size
    begun = np.flatnonzero(np.diff(owner, prepend=-1) != 0)
    first = np.repeat(when[begun], np.diff(begun, append=len(owner)))
    days = pd.DataFrame(
        {
            "customer_id": ids.take(in_order).take(owner),
            "day": when.astype("datetime64[D]").astype("M8[s]"),
            "first_day": first.astype("datetime64[D]").astype("M8[s]"),
            "n_orders": n_orders,
            "value": value,
        }
    )
    if observed_from is None:
        return days
    early = earlier_buyers(days["customer_id"], days["day"], to_date(observed_from))
    return days[~days["customer_id"].isin(early)].reset_index(drop=True)


def _order_codes(lines: pd.DataFrame, who: Codes) -> Codes:
    """Give orders numbers, for each customer their own; a line without an order's number is one by itself."""
    if "order_id" not in lines:
        return np.arange(len(lines))
    order = pd.factorize(lines["order_id"])[0]
    if (order < 0).any():
        order = np.where(order < 0, order.max(initial=-1) + 1 + np.arange(len(order)), order)
    owner = np.zeros(int(order.max(initial=-1)) + 1, dtype=np.int64)
    owner[order] = who
    if (owner[order] == who).all():
        return order
    return pd.factorize(who * (order.max(initial=0) + 1) + order)[0]


def _day_before(who: Codes, number: Codes, at: Codes, *, size: int) -> Codes:
    """Day of the customer's last purchase up to each line under a number of its own, else of the first."""
    latest = np.iinfo(np.int64).max
    stray = at == latest
    held = np.unique((who * size + at)[~stray])
    if not len(held):
        return at[stray]
    owner, when = held // size, held % size
    place = np.searchsorted(held, who[stray] * size + number[stray], side="right") - 1
    place = np.where((place >= 0) & (owner[place] == who[stray]), place, place + 1).clip(max=len(held) - 1)
    return np.where(owner[place] == who[stray], when[place], latest)


def purchase_histories(days: pd.DataFrame, *, as_of: dt.date | str, unit_days: float = 7.0) -> pd.DataFrame:
    """Turn purchase days into one history per customer, as the purchase models take it.

    Parameters
    ----------
    days
        Result of `purchase_days`; later days than `as_of` are left out.
    as_of
        Last day of observation.
    unit_days
        Days in the unit of time; 7: weeks. A model's `periods` are in the same unit.

    Returns
    -------
    DataFrame
        One row per customer: `customer_id, first_day, x` (purchase days after the first)`, t_x, age` (in the
        unit of time)`, first_value, mean_value` (per repeat purchase day, missing without one).

    Raises
    ------
    ParameterError
        Unknown column, or `unit_days` not above 0.

    Examples
    --------
    >>> days = pd.DataFrame({"customer_id": "a", "day": pd.to_datetime(["2026-01-01", "2026-01-15"]),
    ...     "first_day": pd.Timestamp("2026-01-01"), "value": [9.0, 5.0]})
    >>> purchase_histories(days, as_of="2026-01-29")[["x", "t_x", "age", "mean_value"]].values.tolist()
    [[1.0, 2.0, 4.0, 5.0]]
    """
    check_columns(days, customer_id="customer_id", day="day", first_day="first_day", value="value")
    if not unit_days > 0:
        raise ParameterError("customer_value.unit_days", value=repr(unit_days))
    last_day = pd.Timestamp(to_date(as_of))
    rows = days[days["day"] <= last_day]
    is_first = (rows["day"] == rows["first_day"]).to_numpy()
    value = rows["value"].to_numpy(float)
    who, ids = pd.factorize(rows["customer_id"], sort=True)
    count = np.bincount(who, minlength=len(ids)) - 1
    first = np.bincount(who, value * is_first, len(ids))
    rest = np.bincount(who, value * ~is_first, len(ids))
    began = rows["first_day"].to_numpy()[np.unique(who, return_index=True)[1]]
    start = pd.Series(began.astype("datetime64[s]"))
    latest = pd.Series(rows["day"].to_numpy()).groupby(who).max()
    with np.errstate(invalid="ignore"):
        mean = np.where(count > 0, rest / np.maximum(count, 1), np.nan)
    return pd.DataFrame(
        {
            "customer_id": ids,
            "first_day": start,
            "x": count,
            "t_x": (latest - start).dt.days.to_numpy(float) / unit_days,
            "age": (last_day - start).dt.days.to_numpy(float) / unit_days,
            "first_value": first,
            "mean_value": mean,
        }
    )
