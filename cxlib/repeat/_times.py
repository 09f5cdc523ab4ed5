"""Days from one purchase occasion of a customer to the next."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from cxlib.checks import check_columns, check_group_names
from cxlib.days import local_days, to_date
from cxlib.purchases import leading_lines, purchase_lines
from cxlib.survival import logrank

#: Days at which early first buyers are compared with later ones, and the level at which they differ.
EARLY_DAYS, ALPHA = (30, 90, 180), 0.1
#: First days that may be crowded, by how many errors they must be, and what that does to the p value.
CROWDED_DAYS, CROWDED, CROWDED_FACTOR = 60, 4, 0.1


def repeat_times(
    orders: pd.DataFrame,
    *,
    as_of: dt.date | str,
    by: str | list[str] | None = None,
    observed_from: dt.date | str | None = None,
    purchase: int = 1,
    customer_col: str = "customer_id",
    time_col: str = "ordered_at",
    amount_col: str = "amount",
) -> pd.DataFrame:
    """Days from each customer's first purchase to the second, or to `as_of` where none is seen yet.

    Parameters
    ----------
    orders
        Order lines. All lines of one day are one purchase occasion; the day is read off the timestamp as it
        stands (the data set's timezone). Lines of guests (no id), without a time, or after `as_of` are left
        out.
    as_of
        Last day of observation, inclusive.
    by
        Columns of `orders` to keep, with their values on the leading line of the customer's first purchase
        day: the largest amount, then the lowest `line`, then the value first by name.
    observed_from
        First day of which all orders are known. Customers who bought before it are left out, since their
        first purchase seen need not be their first.
    purchase
        Measure from this purchase occasion to the next: 1 = first to second (F2), 2 = second to third.
    customer_col, time_col, amount_col
        Columns of `orders`. What a purchase is, is told by `cxlib.purchases` as known on `as_of`: free and
        fully refunded orders are none; without the amount column every line counts.

    Returns
    -------
    DataFrame
        One row per customer who reached `purchase`: the customer, `by` columns with `is_ambiguous` (the first
        purchase day holds other values of them, too), `from_on` (date of that purchase), `duration_days`
        (whole days), `is_repeat`.

    Raises
    ------
    ParameterError
        Unknown column, a date that cannot be read, text among the amounts, or `by` called like a column of
        the result.
    InputError
        `time_col` does not hold timestamps.

    Examples
    --------
    >>> orders = pd.DataFrame({"customer_id": ["a", "a", "b"], "ordered_at": pd.to_datetime(
    ...     ["2026-01-01", "2026-01-11", "2026-01-05"])})
    >>> repeat_times(orders, as_of="2026-01-31")[["duration_days", "is_repeat"]].to_dict("list")
    {'duration_days': [10, 26], 'is_repeat': [True, False]}
    """
    times = purchase_spells(
        orders,
        as_of=as_of,
        by=by,
        observed_from=observed_from,
        purchase=purchase,
        customer_col=customer_col,
        time_col=time_col,
        amount_col=amount_col,
    )
    return times.sort_values(customer_col, ignore_index=True)


def purchase_spells(
    orders: pd.DataFrame,
    *,
    as_of: dt.date | str,
    by: str | list[str] | None = None,
    observed_from: dt.date | str | None = None,
    purchase: int = 1,
    customer_col: str = "customer_id",
    time_col: str = "ordered_at",
    amount_col: str = "amount",
    keep_earlier: bool = False,
) -> pd.DataFrame:
    """Return `repeat_times` in the order in which customers appear: sorting ids as text takes the longest.

    With `keep_earlier` customers who bought before `observed_from` stay, marked by `is_earlier`.
    """
    check_columns(orders, customer_col=customer_col, time_col=time_col)
    names = [] if by is None else [by] if isinstance(by, str) else list(by)
    check_group_names(names, ("from_on", "duration_days", "is_repeat", "is_ambiguous"))
    for name in names:
        check_columns(orders, by=name)
    last = np.datetime64(to_date(as_of), "D")
    customer, labels = pd.factorize(orders[customer_col])
    day = local_days(orders[time_col], time_col).to_numpy().astype("datetime64[D]")
    kept = (customer >= 0) & (day <= last)
    kept = purchase_lines(orders, known=kept, customer_col=customer_col, amount_col=amount_col)
    who, number = _occasions(customer[kept], day[kept].astype(np.int64))
    start = np.flatnonzero(np.diff(who, prepend=-1) != 0)
    size = np.diff(np.append(start, who.size))
    earlier = np.zeros(start.size, dtype=bool)
    if observed_from is not None:
        begin = np.datetime64(to_date(observed_from, argument="observed_from"), "D").astype(np.int64)
        earlier = number[start] < begin
        if not keep_earlier:
            start, size, earlier = start[~earlier], size[~earlier], earlier[~earlier]
    reached = size >= purchase
    start, size, earlier = start[reached], size[reached], earlier[reached]
    origin = start + purchase - 1
    is_repeat = size > purchase
    end = np.where(is_repeat, number[np.minimum(origin + 1, max(who.size - 1, 0))], last.astype(np.int64))
    result = pd.DataFrame({customer_col: labels.take(who[start])})
    if names:
        place, is_ambiguous = leading_lines(orders, names, customer, day, kept, amount_col)
        for name in names:
            result[name] = orders[name].iloc[place[who[start]]].reset_index(drop=True)
        result["is_ambiguous"] = is_ambiguous[who[start]]
    result["from_on"] = number[origin].astype("datetime64[D]").astype("datetime64[s]")
    result = result.assign(duration_days=end - number[origin], is_repeat=is_repeat)
    return result.assign(is_earlier=earlier) if keep_earlier else result


def purchase_days(
    orders: pd.DataFrame, *, as_of: dt.date | str, customer_col: str, time_col: str, amount_col: str
) -> tuple[int, int, np.ndarray, np.ndarray]:
    """First day with an order and last day, and customer and day of each purchase occasion, as numbers."""
    check_columns(orders, customer_col=customer_col, time_col=time_col)
    last = np.datetime64(to_date(as_of), "D")
    customer = pd.factorize(orders[customer_col])[0]
    day = local_days(orders[time_col], time_col).to_numpy().astype("datetime64[D]")
    kept = (customer >= 0) & (day <= last)
    kept = purchase_lines(orders, known=kept, customer_col=customer_col, amount_col=amount_col)
    who, number = _occasions(customer[kept], day[kept].astype(np.int64))
    end = int(last.astype(np.int64))
    return int(number.min(initial=end)), end, who, number


def _occasions(customer: np.ndarray, day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Purchase days, each once, by customer and day; as one number, because sorting one array is fast."""
    begin = int(day.min(initial=0 if not day.size else day[0]))
    span = int(day.max(initial=begin)) - begin + 1
    key = customer * np.int64(span) + (day - begin)
    key.sort()
    who, number = np.divmod(key[np.diff(key, prepend=-1) != 0], span)
    return who, number + begin


def first_purchases_doubtful(
    times: pd.DataFrame,
    *,
    customers: pd.DataFrame | None = None,
    known_before: float = 0.05,
    early_days: int = 30,
    excess: float = 3.0,
    customer_col: str = "customer_id",
    seen_col: str = "first_seen_on",
) -> bool:
    """Tell whether many "first" purchases may be later ones of customers older than the data.

    Parameters
    ----------
    times
        A frame of `repeat_times`.
    customers
        Customers with the day on which each was first seen; who was known before the first order of all may
        have bought before it, too.
    known_before
        Doubtful when more than this share of the first buyers was known before the first order of all.
    early_days
        Days at the start of the data to look at.
    excess
        Doubtful when that many times more first purchases fall into those days than an even spread would
        give; this alone cannot tell old customers from a campaign at the start, and misses most cuts. Also
        doubtful when early first buyers come again at another rate than later ones (`f2_burn_in` says how
        that is told, and gives the later figure).
    customer_col, seen_col
        Columns of `customers`, the first also of `times`.

    Returns
    -------
    bool
        The second rule is False when all first purchases span fewer than three times `early_days`.

    Raises
    ------
    ParameterError
        Unknown column.

    Examples
    --------
    >>> days = pd.to_datetime(["2026-01-01"] * 8 + ["2026-06-01", "2026-12-31"])
    >>> first_purchases_doubtful(pd.DataFrame({"from_on": days}))
    True
    """
    since = (times["from_on"] - times["from_on"].min()).dt.days
    span = since.max() + 1
    if {"duration_days", "is_repeat"} <= set(times.columns) and len(times):
        length = int((since + times["duration_days"]).max()) + 1
        if early_differ(times.assign(since=since), length) < ALPHA:
            return True
    crowded = bool(span > 3 * early_days and (since < early_days).mean() > excess * early_days / span)
    if customers is None or crowded or times.empty:
        return crowded
    check_columns(customers, customer_col=customer_col, seen_col=seen_col)
    seen = customers.drop_duplicates(customer_col).set_index(customer_col)[seen_col]
    seen = local_days(seen.reindex(times[customer_col]), seen_col).reset_index(drop=True)
    return bool((seen < times["from_on"].min()).mean() > known_before)


def early_differ(first: pd.DataFrame, length: int) -> float:
    """P value that early buyers come again as later ones do; a tenth where the start is crowded."""
    values = []
    for days in EARLY_DAYS:
        early = first["since"] < days
        if early.sum() >= 10 and (~early).sum() >= 10:
            sides = first.assign(early=early)
            test = logrank(sides, duration_col="duration_days", event_col="is_repeat", by="early")
            values.append(float(test["p_value"].iloc[0]))
    if not values:
        return 1.0
    p_value = min(1.0, len(values) * min(values))
    start, rest = CROWDED_DAYS, length // 2
    counts = np.array([(first["since"] < start).sum(), (first["since"] >= length - rest).sum()])
    rates, errors = counts / [start, rest], np.sqrt(counts) / [start, rest]
    crowded = (rates[0] - rates[1]) > CROWDED * np.hypot(*errors)
    return p_value * CROWDED_FACTOR if crowded else p_value
