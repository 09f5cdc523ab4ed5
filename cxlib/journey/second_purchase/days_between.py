"""Days from one purchase occasion of a customer to the next."""

from __future__ import annotations

import datetime as dt
from statistics import NormalDist

import numpy as np
import pandas as pd

from cxlib.checks import check_columns, check_group_names
from cxlib.data.days import local_days, to_date
from cxlib.data.purchases import leading_lines, purchase_lines

#: Days at which early first buyers are compared with later ones, and the level at which they come more often.
EARLY_DAYS, ALPHA = (30, 90, 180), 0.05
#: First days that may be crowded, by how many errors more first buyers a day than in the last half, and what
#: that does to the p value: old customers crowd there, and so does a launch.
CROWDED_DAYS, CROWDED, CROWDED_FACTOR = 60, 4, 0.5


def repeat_times(
    orders: pd.DataFrame,
    *,
    as_of: dt.date | str,
    by: str | list[str] | None = None,
    observed_from: dt.date | str | None = None,
    purchase: int = 1,
    customer_id_col: str = "customer_id",
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
    customer_id_col, time_col, amount_col
        Columns of `orders`. What a purchase is, is told by `cxlib.data.purchases` as known on `as_of`: free
        and fully refunded orders are none; without the amount column every line counts.

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
        customer_id_col=customer_id_col,
        time_col=time_col,
        amount_col=amount_col,
    )
    return times.sort_values(customer_id_col, ignore_index=True)


def purchase_spells(
    orders: pd.DataFrame,
    *,
    as_of: dt.date | str,
    by: str | list[str] | None = None,
    observed_from: dt.date | str | None = None,
    purchase: int = 1,
    customer_id_col: str = "customer_id",
    time_col: str = "ordered_at",
    amount_col: str = "amount",
    keep_earlier: bool = False,
) -> pd.DataFrame:
    """Return `repeat_times` in the order in which customers appear: sorting ids as text takes the longest.

    With `keep_earlier` customers who bought before `observed_from` stay, marked by `is_earlier`.
    """
    check_columns(orders, customer_id_col=customer_id_col, time_col=time_col)
    names = [] if by is None else [by] if isinstance(by, str) else list(by)
    check_group_names(names, ("from_on", "duration_days", "is_repeat", "is_ambiguous"))
    for name in names:
        check_columns(orders, by=name)
    last = np.datetime64(to_date(as_of), "D")
    customer, labels = pd.factorize(orders[customer_id_col])
    day = local_days(orders[time_col], time_col).to_numpy().astype("datetime64[D]")
    kept = (customer >= 0) & (day <= last)
    kept = purchase_lines(orders, known=kept, customer_id_col=customer_id_col, amount_col=amount_col)
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
    result = pd.DataFrame({customer_id_col: labels.take(who[start])})
    if names:
        place, is_ambiguous = leading_lines(orders, names, customer, day, kept, amount_col)
        for name in names:
            result[name] = orders[name].iloc[place[who[start]]].reset_index(drop=True)
        result["is_ambiguous"] = is_ambiguous[who[start]]
    result["from_on"] = number[origin].astype("datetime64[D]").astype("datetime64[s]")
    result = result.assign(duration_days=end - number[origin], is_repeat=is_repeat)
    return result.assign(is_earlier=earlier) if keep_earlier else result


def purchase_days(
    orders: pd.DataFrame, *, as_of: dt.date | str, customer_id_col: str, time_col: str, amount_col: str
) -> tuple[int, int, np.ndarray, np.ndarray]:
    """First day with an order and last day, and customer and day of each purchase occasion, as numbers."""
    check_columns(orders, customer_id_col=customer_id_col, time_col=time_col)
    last = np.datetime64(to_date(as_of), "D")
    customer = pd.factorize(orders[customer_id_col])[0]
    day = local_days(orders[time_col], time_col).to_numpy().astype("datetime64[D]")
    kept = (customer >= 0) & (day <= last)
    kept = purchase_lines(orders, known=kept, customer_id_col=customer_id_col, amount_col=amount_col)
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
    customer_id_col: str = "customer_id",
    seen_col: str = "first_seen_on",
) -> bool:
    """Tell whether many "first" purchases may be later ones of customers older than the data.

    Parameters
    ----------
    times
        A frame of `repeat_times` with purchase 1.
    customers
        Customers with the day on which each was first seen; who was known before the first order of all may
        have bought before it, too.
    known_before
        Doubtful when more than this share of the first buyers was known before the first order of all.
    customer_id_col, seen_col
        Columns of `customers`, the first also of `times`.

    Returns
    -------
    bool
        Early first buyers come again more often than later ones, beyond noise (`f2_burn_in` says how that is
        told, and gives the later figure), or many were known before. Many first purchases at the start prove
        nothing: a launch looks the same.

    Raises
    ------
    ParameterError
        Unknown column.

    Examples
    --------
    >>> days = pd.Series(pd.date_range("2026-01-01", periods=360))
    >>> times = pd.DataFrame({"from_on": days, "duration_days": 40, "is_repeat": days < "2026-04-01"})
    >>> first_purchases_doubtful(times)
    True
    """
    check_columns(times, from_on_col="from_on", duration_col="duration_days", event_col="is_repeat")
    begin = times["from_on"].min()
    if early_excess(times.assign(since=(times["from_on"] - begin).dt.days)) < ALPHA:
        return True
    if customers is None or times.empty:
        return False
    check_columns(customers, customer_id_col=customer_id_col, seen_col=seen_col)
    seen = customers.drop_duplicates(customer_id_col).set_index(customer_id_col)[seen_col]
    seen = local_days(seen.reindex(times[customer_id_col]), seen_col).reset_index(drop=True)
    return bool((seen < begin).mean() > known_before)


def early_excess(first: pd.DataFrame) -> float:
    """P value that early buyers come again no more often than later ones: the rule for a start mid-life."""
    values = []
    for days in EARLY_DAYS:
        early = first["since"] < days
        if early.sum() >= 10 and (~early).sum() >= 10:
            values.append(_more_often(first, early.to_numpy()))
    p_value = min([1.0, *(len(values) * value for value in values)])
    return p_value * CROWDED_FACTOR if is_crowded(first) else p_value


def is_crowded(first: pd.DataFrame) -> bool:
    """Tell whether clearly more first buyers a day come in the first days than in the last half."""
    if first.empty:
        return False
    length = int((first["since"] + first["duration_days"]).max()) + 1
    start, rest = CROWDED_DAYS, length // 2
    counts = np.array([(first["since"] < start).sum(), (first["since"] >= length - rest).sum()])
    rates, errors = counts / [start, rest], np.sqrt(counts) / [start, rest]
    return bool(length > 3 * start and rates[0] - rates[1] > CROWDED * np.hypot(*errors))


def _more_often(spells: pd.DataFrame, inside: np.ndarray) -> float:
    """One-sided p value of the log-rank test that those inside come again more often than the others."""
    days = spells["duration_days"].to_numpy(dtype=np.int64)
    again = spells["is_repeat"].to_numpy(dtype=bool)
    size = int(days.max()) + 1
    risk, risk_inside = (
        np.bincount(days[who], minlength=size)[::-1].cumsum()[::-1] for who in (days >= 0, inside)
    )
    events, events_inside = (np.bincount(days[who & again], minlength=size) for who in (days >= 0, inside))
    share = risk_inside / np.maximum(risk, 1)
    variance = events * share * (1 - share) * (risk - events) / np.maximum(risk - 1, 1)
    if not variance.sum() > 0:
        return 1.0
    return NormalDist().cdf(-float((events_inside - events * share).sum() / np.sqrt(variance.sum())))
