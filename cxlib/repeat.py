"""The second purchase (F2) as a clock: the probability that first buyers order again by which day.

A customer who bought yesterday has not refused to come back. Kaplan–Meier counts such a customer only for the
days already seen; the usual ratio counts the same customer as lost, and so moves with acquisition alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxlib.checks import InputError, ParameterError, check_columns
from cxlib.engine import to_date
from cxlib.intervals import critical_value
from cxlib.survival import survival_curve

HORIZONS_DAYS = (30, 60, 90, 180, 365)
_COLUMNS = ["metric", "days", "estimate", "std_error", "conf_low", "conf_high", "n_at_risk", "n_events", "n"]
_COLUMNS += ["naive", "mature", "n_mature"]


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
        Columns of `orders` to keep, each with its value on the customer's first line.
    observed_from
        First day of which all orders are known. Customers who bought before it are left out, since their
        first purchase seen need not be their first.
    purchase
        Measure from this purchase occasion to the next: 1 = first to second (F2), 2 = second to third.
    customer_col, time_col, amount_col
        Columns of `orders`. Lines with a negative amount (refunds) are not purchases; without the amount
        column every line counts.

    Returns
    -------
    DataFrame
        One row per customer who reached `purchase`: the customer, `by` columns, `from_on` (date of that
        purchase), `duration_days` (whole days), `is_repeat`.

    Raises
    ------
    ParameterError
        Unknown column, or a date that cannot be read.
    InputError
        `time_col` does not hold timestamps.

    Examples
    --------
    >>> orders = pd.DataFrame({"customer_id": ["a", "a", "b"], "ordered_at": pd.to_datetime(
    ...     ["2026-01-01", "2026-01-11", "2026-01-05"])})
    >>> repeat_times(orders, as_of="2026-01-31")[["duration_days", "is_repeat"]].to_dict("list")
    {'duration_days': [10, 26], 'is_repeat': [True, False]}
    """
    check_columns(orders, customer_col=customer_col, time_col=time_col)
    names = [] if by is None else [by] if isinstance(by, str) else list(by)
    for name in names:
        check_columns(orders, by=name)
    last = np.datetime64(to_date(as_of), "D")
    customer, labels = pd.factorize(orders[customer_col], sort=True)
    day = _days(orders[time_col], time_col)
    kept = (customer >= 0) & ~np.isnat(day) & (day <= last)
    if amount_col in orders.columns:
        kept &= ~(orders[amount_col].to_numpy(dtype=float, na_value=np.nan) < 0)
    rows = np.flatnonzero(kept)
    number = day[rows].astype(np.int64)
    rows = rows[np.lexsort((rows, number, customer[rows]))]
    who, number = customer[rows], day[rows].astype(np.int64)
    new_customer = np.diff(who, prepend=-1) != 0
    occasion = np.flatnonzero(new_customer | (np.diff(number, prepend=-1) != 0))
    who, number, first_line = who[occasion], number[occasion], rows[occasion]
    start = np.flatnonzero(np.diff(who, prepend=-1) != 0)
    size = np.diff(np.append(start, who.size))
    if observed_from is not None:
        begins = number[start] >= np.datetime64(to_date(observed_from, argument="observed_from"), "D").astype(
            np.int64
        )
        start, size = start[begins], size[begins]
    reached = size >= purchase
    start, size = start[reached], size[reached]
    origin = start + purchase - 1
    is_repeat = size > purchase
    end = np.where(is_repeat, number[np.minimum(origin + 1, max(who.size - 1, 0))], last.astype(np.int64))
    result = pd.DataFrame({customer_col: labels.take(who[start])})
    for name in names:
        result[name] = orders[name].iloc[first_line[start]].reset_index(drop=True)
    result["from_on"] = number[origin].astype("datetime64[D]").astype("datetime64[s]")
    return result.assign(duration_days=end - number[origin], is_repeat=is_repeat)


def repeat_curve(
    orders: pd.DataFrame,
    *,
    as_of: dt.date | str,
    horizons_days: Sequence[int] = HORIZONS_DAYS,
    by: str | list[str] | None = None,
    observed_from: dt.date | str | None = None,
    customer_col: str = "customer_id",
    time_col: str = "ordered_at",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """F2: probability (0–1) of a second purchase within so many days of the first, by Kaplan–Meier.

    Parameters
    ----------
    orders, as_of, by, observed_from, customer_col, time_col
        As in `repeat_times`.
    horizons_days
        Days after the first purchase at which the curve is read, ascending, each ≥ 1.
    conf_level
        Confidence level of the pointwise interval (log-log).

    Returns
    -------
    DataFrame
        Group columns, `metric` ("f2"), `days, estimate, std_error, conf_low, conf_high, n_at_risk` (customers
        seen for that long without a second purchase before), `n_events` (second purchases by that day), `n`
        (first buyers), `naive` (second purchases by that day ÷ all first buyers, whether or not seen for that
        long), `mature` (the same among the `n_mature` first buyers seen for the full horizon). A horizon
        nobody has been seen for is NaN.

    Raises
    ------
    ParameterError, InputError
        As in `repeat_times`; also a horizon below 1.

    Notes
    -----
    F2(t) = 1 − S(t). Assumes that customers acquired lately behave like those acquired earlier; look at
    cohorts through `by` before trusting it. `naive` is too low, the more so the faster the base grows;
    `mature` is right but ignores recent customers.

    References
    ----------
    Kaplan & Meier (1958) JASA 53.

    Examples
    --------
    >>> orders = pd.DataFrame({"customer_id": ["a", "a", "b"], "ordered_at": pd.to_datetime(
    ...     ["2026-01-01", "2026-01-11", "2026-01-25"])})
    >>> f2 = repeat_curve(orders, as_of="2026-01-31", horizons_days=[30])
    >>> f2[["estimate", "naive", "mature"]].to_numpy().tolist()
    [[1.0, 0.5, 1.0]]
    """
    if min(horizons_days, default=0) < 1:
        raise ParameterError("journey.horizons", argument="horizons_days", value=repr(list(horizons_days)))
    times = repeat_times(
        orders, as_of=as_of, by=by, observed_from=observed_from, customer_col=customer_col, time_col=time_col
    )
    names = [] if by is None else [by] if isinstance(by, str) else list(by)
    days = sorted(horizons_days)
    curve = survival_curve(
        times, duration_col="duration_days", event_col="is_repeat", by=by, times=days, conf_level=conf_level
    ).rename(columns={"time": "days"})
    curve["estimate"], curve["conf_low"], curve["conf_high"] = (
        1 - curve["estimate"],
        1 - curve["conf_high"],
        1 - curve["conf_low"],
    )
    curve = curve.assign(metric="f2", days=curve["days"].astype(int))
    curve["n_events"] = curve["n_events"].groupby(np.arange(len(curve)) // len(days)).cumsum()
    curve["naive"] = curve["n_events"] / curve["n"].where(curve["n"] > 0)
    groups = (
        [times] if by is None else [rows for _, rows in times.groupby(names, dropna=False, observed=True)]
    )
    ratios = [_mature(rows, days, np.datetime64(to_date(as_of), "D")) for rows in groups]
    mature = pd.concat(ratios, ignore_index=True) if ratios else pd.DataFrame(columns=["mature", "n_mature"])
    return pd.concat([curve, mature], axis=1)[[*names, *_COLUMNS]]


def purchase_ladder(
    orders: pd.DataFrame,
    *,
    as_of: dt.date | str,
    steps: int = 4,
    within_days: int = 365,
    observed_from: dt.date | str | None = None,
    customer_col: str = "customer_id",
    time_col: str = "ordered_at",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """F1→F2→F3…: probability (0–1) of the next purchase within `within_days` of each one.

    Parameters
    ----------
    orders, as_of, observed_from, customer_col, time_col, conf_level
        As in `repeat_curve`.
    steps
        How many steps of the ladder, ≥ 1.
    within_days
        Days from one purchase in which the next one counts.

    Returns
    -------
    DataFrame
        `purchase` (1 = first), `metric` ("next_purchase"), `estimate, std_error, conf_low, conf_high, n`
        (customers who reached it), `n_events`, `median_days` (day by which half have bought again, or NaN).

    Raises
    ------
    ParameterError, InputError
        As in `repeat_times`.

    Examples
    --------
    >>> orders = pd.DataFrame({"customer_id": ["a", "a", "b"], "ordered_at": pd.to_datetime(
    ...     ["2026-01-01", "2026-01-11", "2026-01-05"])})
    >>> purchase_ladder(orders, as_of="2026-01-31", steps=1, within_days=20)["estimate"].to_list()
    [0.5]
    """
    rows = []
    for purchase in range(1, steps + 1):
        times = repeat_times(
            orders,
            as_of=as_of,
            observed_from=observed_from,
            purchase=purchase,
            customer_col=customer_col,
            time_col=time_col,
        )
        curve = survival_curve(
            times, duration_col="duration_days", event_col="is_repeat", conf_level=conf_level
        )
        seen = curve[curve["time"] <= within_days]
        observed = len(times) and (times["duration_days"].max() >= within_days)
        point = 1 - seen.iloc[-1] if observed else seen.iloc[-1] * np.nan
        rows.append(
            {
                "purchase": purchase,
                "metric": "next_purchase",
                "estimate": point["estimate"],
                "std_error": 1 - point["std_error"],
                "conf_low": point["conf_high"],
                "conf_high": point["conf_low"],
                "n": len(times),
                "n_events": int(seen["n_events"].sum()),
                "median_days": curve.loc[curve["estimate"] <= 0.5, "time"].min(),
            }
        )
    return pd.DataFrame(rows)


def f2_after_stage(
    events: pd.DataFrame,
    orders: pd.DataFrame,
    *,
    stage: str,
    as_of: dt.date | str,
    horizon_days: int = 180,
    score_col: str = "valence",
    customer_col: str = "customer_id",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """F2 (probability 0–1) from a stage on, of customers who felt negative there against the others.

    Parameters
    ----------
    events
        Contacts with `stage`, `occurred_at` and a score; rows without a score or customer are left out.
    orders
        Order lines, as in `repeat_times`.
    stage
        The stage, for example the valley.
    as_of
        Last day of observation, inclusive.
    horizon_days
        Days after the answer within which a second purchase counts.
    score_col, customer_col
        Columns; a score below 0 is negative.
    conf_level
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        `metric, group, estimate, std_error, conf_low, conf_high, n`: "f2" for the groups "negative" and
        "other", their "difference" (negative − other), and "purchases", the difference times the customers
        who felt negative: second purchases fewer (below 0) than if they had behaved like the others.

    Raises
    ------
    ParameterError
        Unknown column.

    Notes
    -----
    The clock starts at each customer's first answer at the stage after the first purchase, and only those
    without a second purchase by that day count (a landmark per customer), because whoever has bought again
    already cannot be lost any more. The groups are not randomised: the difference may be due to what made
    them feel so, and is no effect of the feeling alone.

    References
    ----------
    van Houwelingen (2007) Scandinavian Journal of Statistics 34.

    Examples
    --------
    >>> orders = pd.DataFrame({"customer_id": list("abcda"), "ordered_at": pd.to_datetime(
    ...     ["2026-01-01"] * 4 + ["2026-01-21"])})
    >>> events = pd.DataFrame({"customer_id": list("abcd"), "stage": "decide", "valence": [1, 1, -1, -2],
    ...     "occurred_at": pd.Timestamp("2026-01-05")})
    >>> after = f2_after_stage(events, orders, stage="decide", as_of="2026-03-01", horizon_days=30)
    >>> after["estimate"].to_list()
    [0.0, 0.5, -0.5, -1.0]
    """
    check_columns(events, score_col=score_col, customer_col=customer_col)
    check_columns(events, **{"stage": "stage", "occurred_at": "occurred_at"})
    answers = events.loc[(events["stage"] == stage) & events[score_col].notna(), [customer_col, score_col]]
    answers["day"] = _days(events.loc[answers.index, "occurred_at"], "occurred_at").astype("datetime64[s]")
    people = answers.merge(repeat_times(orders, as_of=as_of, customer_col=customer_col), on=customer_col)
    end = people["from_on"] + pd.to_timedelta(people["duration_days"], unit="D")
    after_first = (people["day"] >= people["from_on"]) & (people["day"] <= pd.Timestamp(to_date(as_of)))
    people = people.assign(duration_days=(end - people["day"]).dt.days, negative=people[score_col] < 0)
    first = people[after_first].sort_values("day", kind="stable").drop_duplicates(customer_col)
    waiting = first[(first["duration_days"] > 0) | ~first["is_repeat"]]
    rows = []
    for group, members in (
        ("negative", waiting[waiting["negative"]]),
        ("other", waiting[~waiting["negative"]]),
    ):
        curve = survival_curve(
            members,
            duration_col="duration_days",
            event_col="is_repeat",
            times=[horizon_days],
            conf_level=conf_level,
        ).iloc[0]
        estimate, low, high = 1 - curve[["estimate", "conf_high", "conf_low"]].to_numpy(dtype=float)
        rows.append(["f2", group, estimate, float(curve["std_error"]), low, high, len(members)])
    gap, error = rows[0][2] - rows[1][2], float(np.hypot(rows[0][3], rows[1][3]))
    half, lost = critical_value(conf_level) * error, rows[0][6]
    for metric, size in (("difference", 1), ("purchases", lost)):
        scaled = [size * part for part in (gap, error, gap - half, gap + half)]
        rows.append([metric, "negative", *scaled, lost if metric == "purchases" else lost + rows[1][6]])
    return pd.DataFrame(
        rows, columns=["metric", "group", "estimate", "std_error", "conf_low", "conf_high", "n"]
    )


def _mature(times: pd.DataFrame, days: Sequence[int], last: np.datetime64) -> pd.DataFrame:
    """Share with a second purchase by each day among those first seen at least that many days ago."""
    seen = (last - times["from_on"].to_numpy().astype("datetime64[D]")).astype(np.int64)
    wait = np.where(times["is_repeat"], times["duration_days"], np.inf)
    n = np.array([(seen >= day).sum() for day in days])
    hit = np.array([((seen >= day) & (wait <= day)).sum() for day in days])
    return pd.DataFrame({"mature": hit / np.where(n > 0, n, np.nan), "n_mature": n})


def _days(times: pd.Series, time_col: str) -> np.ndarray:
    """Local calendar day of each timestamp, whatever its unit and timezone."""
    aware = isinstance(times.dtype, pd.DatetimeTZDtype)
    if not aware and times.dtype.kind != "M":
        raise InputError("journey.not_timestamps", column=time_col, dtype=str(times.dtype))
    return (times.dt.tz_localize(None) if aware else times).to_numpy().astype("datetime64[D]")
