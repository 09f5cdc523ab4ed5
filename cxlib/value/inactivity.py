"""Without contracts nobody says good-bye: how long a silence counts as a lapse, and how sure that is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.checks import ParameterError, check_columns, fail_option
from cxlib.data.days import to_date
from cxlib.stats.arrays import Array
from cxlib.stats.intervals import Interval, share_interval

#: Days after a lapse within which a customer who orders has come back, and fewest gaps a threshold rests on.
BACK_WITHIN_DAYS, LEAST_GAPS = 180, 30
DATED = ("last_purchase", "told")
COLUMNS = ["quantile", "threshold_days", "metric", *Interval._fields, "n", "n_gaps", "note"]


def inactivity_threshold(
    days: pd.DataFrame,
    *,
    as_of: dt.date | str,
    quantile: float = 0.9,
    others: Sequence[float] = (0.8, 0.95),
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Days without a purchase after which a customer counts as lapsed, and what that definition gets wrong.

    Parameters
    ----------
    days
        Result of `purchase_days`.
    as_of
        Last day known.
    quantile
        Share of all times between two purchases that are no longer than the threshold, 0–1.
    others
        Further quantiles, to see what another choice would say.
    conf_level
        Confidence level of the limits.

    Returns
    -------
    DataFrame
        Per quantile (the chosen one first) two rows: `quantile, threshold_days, metric` ("lapsed_share": of
        all customers, silent for longer than that on `as_of`; "reactivated_share": of those who had lapsed at
        least 180 days ago, who bought again within 180 days)`, estimate, std_error, conf_low, conf_high, n,
        n_gaps` (times between purchases behind the threshold)`, note` ("too_few_gaps": no estimate).

    Raises
    ------
    ParameterError
        Unknown column, or a quantile that is not between 0 and 1.

    Notes
    -----
    Only times that began in the first half of the days observed count, where these would be seen to their
    end: recent ones are short because the data end. A threshold says nothing of those who never bought twice;
    they are held to that of the others.

    References
    ----------
    Buckinx & Van den Poel (2005) European J. of Operational Research 164, 252–268.

    Examples
    --------
    >>> on = pd.date_range("2025-01-01", periods=60, freq="10D")
    >>> days = pd.DataFrame({"customer_id": "a", "day": on, "first_day": on[0], "value": 1.0})
    >>> inactivity_threshold(days, as_of="2026-12-31")["threshold_days"].iloc[0].item()
    10
    """
    check_columns(days, customer_id="customer_id", day="day", first_day="first_day")
    for one in (quantile, *others):
        if not 0 < one < 1:
            raise ParameterError("customer_value.quantile", value=repr(one))
    end = pd.Timestamp(to_date(as_of))
    gap, began, is_open = gaps(days, end=end)
    reach = (end - days["day"].min()).days / 2 if len(days) else 0.0
    closed = gap[~is_open & (began >= reach)]
    rows = []
    for one in dict.fromkeys((quantile, *others)):
        known = len(closed) >= LEAST_GAPS
        threshold = int(np.ceil(np.quantile(closed, one))) if known else 0
        key = {"quantile": one, "threshold_days": threshold if known else np.nan, "n_gaps": len(closed)}
        note = "" if known else "too_few_gaps"
        lapsed, back = gap > threshold, (gap > threshold) & (began >= threshold + BACK_WITHIN_DAYS)
        returned = back & ~is_open & (gap <= threshold + BACK_WITHIN_DAYS)
        counts = {"lapsed_share": ((lapsed & is_open).sum(), is_open.sum())}
        counts["reactivated_share"] = (returned.sum(), back.sum())
        for metric, (events, n) in counts.items():
            ends = share_interval(events, n, conf_level=conf_level) if known else Interval(*[np.nan] * 4)
            rows.append(key | {"metric": metric, **ends._asdict(), "n": int(n), "note": note})
    return pd.DataFrame(rows, columns=COLUMNS)


def gaps(days: pd.DataFrame, *, end: pd.Timestamp) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Measure days from each purchase day to the customer's next or to `end`, to `end`, and whether open."""
    rows = days.sort_values(["customer_id", "day"], kind="stable")
    day = rows["day"].to_numpy().astype("datetime64[D]").astype(np.int64)
    who = pd.factorize(rows["customer_id"])[0]
    is_open = np.append(who[1:] != who[:-1], True) if len(who) else np.zeros(0, bool)
    last = end.to_datetime64().astype("datetime64[D]").astype(np.int64)
    following = np.where(is_open, last, np.append(day[1:], last) if len(day) else day)
    return (following - day).astype(float), (last - day).astype(float), is_open


def lapse_times(
    days: pd.DataFrame,
    *,
    as_of: dt.date | str,
    threshold_days: int,
    dated: Literal["last_purchase", "told"] = "last_purchase",
) -> pd.DataFrame:
    """Tell how long each customer stayed: days from the first purchase to the lapse, as far as it is known.

    Parameters
    ----------
    days
        Result of `purchase_days`.
    as_of
        Last day known.
    threshold_days
        Days without a purchase after which a customer counts as lapsed, ≥ 1.
    dated
        "last_purchase": a lapse lies at the last purchase before the silence; who has not lapsed is known to
        have stayed until `threshold_days` before `as_of`. "told": it lies where the silence reached the
        threshold; who has not lapsed is observed to `as_of`.

    Returns
    -------
    DataFrame
        One row per customer: `customer_id, first_day, duration_days, is_lapsed, is_back` (bought again after
        the silence). For `survival_curve`, `logrank` and `rmst`.

    Raises
    ------
    ParameterError
        Unknown column or option, or a threshold below 1.

    Examples
    --------
    >>> on = pd.to_datetime(["2026-01-01", "2026-01-11", "2026-06-01"])
    >>> days = pd.DataFrame({"customer_id": "a", "day": on, "first_day": on[0], "value": 1.0})
    >>> lapse_times(days, as_of="2026-06-30", threshold_days=90).iloc[:, 2:].values.tolist()
    [[10, True, True]]
    """
    check_columns(days, customer_id="customer_id", day="day", first_day="first_day")
    if not threshold_days >= 1:
        raise ParameterError("customer_value.threshold_days", value=repr(threshold_days))
    if dated not in DATED:
        fail_option("dated", dated, DATED)
    end = pd.Timestamp(to_date(as_of))
    rows = days.sort_values(["customer_id", "day"], kind="stable", ignore_index=True)
    gap, _, is_open = gaps(rows, end=end)
    since = (rows["day"] - rows["first_day"]).dt.days.to_numpy()
    held = rows[["customer_id", "first_day"]].assign(
        until=np.where(gap > threshold_days, since, np.iinfo(np.int64).max),
        back=(gap > threshold_days) & ~is_open,
    )
    by_customer = held.groupby("customer_id", sort=True)
    each = by_customer.agg(first_day=("first_day", "first"), until=("until", "min"), is_back=("back", "any"))
    later = threshold_days if dated == "told" else 0
    seen = (end - each["first_day"]).dt.days - (threshold_days - later)
    is_lapsed = each["until"] < np.iinfo(np.int64).max
    duration = (each["until"] + later).where(is_lapsed, seen.clip(lower=0))
    each = each.assign(duration_days=duration, is_lapsed=is_lapsed)
    return each.reset_index()[["customer_id", "first_day", "duration_days", "is_lapsed", "is_back"]]
