"""How much of a customer's first-year value hangs on the second purchase."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError, check_columns
from cxlib.data.days import local_days, to_date
from cxlib.journey.second_purchase.days_between import repeat_times
from cxlib.stats.intervals import Interval, critical_value
from cxlib.stats.money_means import tails_hold
from cxlib.stats.number_columns import check_numbers


def value_by_f2(
    orders: pd.DataFrame,
    *,
    as_of: dt.date | str,
    within_days: int = 365,
    observed_from: dt.date | str | None = None,
    value_col: str = "amount",
    customer_id_col: str = "customer_id",
    time_col: str = "ordered_at",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """How far the value of the first `within_days` days is decided by whether a second purchase comes.

    Parameters
    ----------
    orders, as_of, observed_from, customer_id_col, time_col
        As in `repeat_times`. Only customers observed for the full time count.
    within_days
        Days from the first purchase whose value is summed, and in which the second purchase counts.
    value_col
        Value of an order line (amount or margin); refunds lower it, missing values count as 0.
    conf_level
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        `metric, estimate, std_error, conf_low, conf_high, n` (customers): "value_with_f2" and
        "value_without_f2" (mean per customer), "value_difference", "share_of_value" (of all value, what
        comes from the second purchase on, 0–1), "variance_explained" (share of the spread of value between
        customers that F2 yes or no explains, 0–1).

    Raises
    ------
    ParameterError, InputError
        As in `repeat_times`; also `within_days` below 1.

    Notes
    -----
    Delta-method errors over customers, missing where a few of them carry the figure (`tails_hold`). Who buys
    twice has bought more: "decided by" is arithmetic, and the difference is no effect of making somebody buy
    again.

    Examples
    --------
    >>> orders = pd.DataFrame({"customer_id": ["a", "a", "b"], "amount": [10.0, 30.0, 10.0],
    ...     "ordered_at": pd.to_datetime(["2026-01-01", "2026-01-11", "2026-01-05"])})
    >>> value = value_by_f2(orders, as_of="2026-03-31", within_days=60)
    >>> value.set_index("metric")["estimate"].to_dict()["share_of_value"]
    0.6
    """
    if within_days < 1:
        raise ParameterError("journey.horizons", argument="within_days", value=repr(within_days))
    check_columns(orders, value_col=value_col)
    people = repeat_times(
        orders, as_of=as_of, observed_from=observed_from, customer_id_col=customer_id_col, time_col=time_col
    )
    last = pd.Timestamp(to_date(as_of))
    people = people[(last - people["from_on"]).dt.days >= within_days]
    lines = orders[[customer_id_col]].assign(
        **{value_col: check_numbers(orders, value_col)},
        day=local_days(orders[time_col], time_col),
    )
    lines = lines.merge(people, on=customer_id_col)
    since = (lines["day"] - lines["from_on"]).dt.days
    lines = lines[since.between(0, within_days)].assign(
        value=lambda rows: rows[value_col].fillna(0), later=since > 0
    )
    total = (
        lines.groupby(customer_id_col)["value"]
        .sum()
        .reindex(people[customer_id_col], fill_value=0)
        .to_numpy()
    )
    after = lines[lines["later"]].groupby(customer_id_col)["value"].sum()
    late = after.reindex(people[customer_id_col], fill_value=0).to_numpy()
    again = (people["is_repeat"] & (people["duration_days"] <= within_days)).to_numpy()
    rows = [_mean("value_with_f2", total[again]), _mean("value_without_f2", total[~again])]
    rows.append(
        ("value_difference", rows[0][1] - rows[1][1], float(np.hypot(rows[0][2], rows[1][2])), len(total))
    )
    rows += [_share(late, total), _explained(again, total)]
    frame = pd.DataFrame(rows, columns=["metric", "estimate", "std_error", "n"])
    half = critical_value(conf_level) * frame["std_error"]
    frame["conf_low"], frame["conf_high"] = frame["estimate"] - half, frame["estimate"] + half
    shares = frame["metric"].isin(["share_of_value", "variance_explained"])
    for end in ("conf_low", "conf_high"):
        frame[end] = frame[end].mask(shares, frame[end].clip(0, 1))
    return frame[["metric", *Interval._fields, "n"]]


def _mean(metric: str, values: np.ndarray) -> tuple[str, float, float, int]:
    n = len(values)
    error = _error(values - values.mean()) / n if n else np.nan
    return metric, float(values.mean()) if n else np.nan, error, n


def _share(part: np.ndarray, whole: np.ndarray) -> tuple[str, float, float, int]:
    n = len(whole)
    if n < 2 or not whole.sum() > 0:
        return "share_of_value", np.nan, np.nan, n
    share = part.sum() / whole.sum()
    return "share_of_value", float(share), _error(part - share * whole) / whole.sum(), n


def _explained(mark: np.ndarray, value: np.ndarray) -> tuple[str, float, float, int]:
    """Squared correlation of value with the mark, with the error from its influence function."""
    n = len(value)
    if n < 3 or mark.all() or not mark.any() or not value.std() > 0:
        return "variance_explained", np.nan, np.nan, n
    x, y = ((part - part.mean()) / part.std() for part in (mark.astype(float), value))
    r = float((x * y).mean())
    influence = x * y - r / 2 * (x**2 + y**2)
    return "variance_explained", r**2, 2 * abs(r) * _error(influence) / n, n


def _error(influence: np.ndarray) -> float:
    """Error of a sum of what each customer adds; missing where a few customers carry it."""
    n = len(influence)
    return float((n / (n - 1) * (influence**2).sum()) ** 0.5) if n > 1 and tails_hold(influence) else np.nan
