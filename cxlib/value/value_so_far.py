"""What customers brought so far, month by month since their first purchase: nobody's unseen months count."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError, check_columns
from cxlib.data.days import to_date
from cxlib.stats.arrays import Array
from cxlib.stats.intervals import critical_value
from cxlib.value.days_of_purchase import DAYS_PER_MONTH

#: Why there is no estimate, or no limits: too few observed to the horizon; one customer carries the value;
#: all brought the same.
TOO_YOUNG, FEW_CARRY, ALL_ALIKE = "too_young", "few_carry", "all_alike"
LEAST_MATURE = 10
#: Part of the variance beyond which one customer carries a mean.
MOST_OF_ONE = 0.25


def check_terms(horizon_months: int, discount_rate_annual: float) -> None:
    """Refuse a horizon without a month, and a rate below 0."""
    if not horizon_months >= 1 or horizon_months != int(horizon_months):
        raise ParameterError("customer_value.horizon", value=repr(horizon_months))
    if not discount_rate_annual >= 0:
        raise ParameterError("customer_value.discount", value=repr(discount_rate_annual))


def mature_value(
    days: pd.DataFrame,
    *,
    as_of: dt.date | str,
    horizon_months: int = 12,
    discount_rate_annual: float = 0.05,
    conf_level: float = 0.95,
) -> dict[str, Any]:
    """Row "mature" of `ltv`, from purchase days."""
    curve, parts, n = value_by_month(
        days, as_of=as_of, horizon_months=horizon_months, discount_rate_annual=discount_rate_annual
    )
    row = {"method": "mature", "metric": "ltv", "n": n}
    if not np.isfinite(curve).all():
        return row | nothing(TOO_YOUNG)
    influence = parts.sum(axis=1)
    return row | mean_row(float(curve.sum()), influence, conf_level)


def mean_row(estimate: float, influence: Array, conf_level: float) -> dict[str, Any]:
    """Estimate with limits from each customer's part in its error; none where one of them carries it.

    Student's t on Hall's scale, which takes the skewness of money into account: the upper limit lies further
    away. Not where one customer makes up more than a quarter of the variance.

    References
    ----------
    Hall (1992) On the removal of skewness by transformation, JRSS B 54, 221–228.

    Examples
    --------
    >>> row = mean_row(10.0, np.array([*[-0.2] * 80, *[0.8] * 20]), 0.95)
    >>> round(row["conf_low"], 1), round(row["conf_high"], 1)
    (2.8, 19.1)
    """
    squares, n = influence**2, len(influence)
    total = float(squares.sum())
    if why := no_spread(squares):
        return {"estimate": estimate} | no_limits(why)
    error = float(np.sqrt(total * n / max(n - 1, 1)))
    t = float(critical_value(conf_level, df=n - 1))
    skew = float((influence**3).sum() / total**1.5)
    low, high = (estimate - error * _unskewed(end, skew) for end in (t, -t))
    return {"estimate": estimate, "std_error": error, "conf_low": low, "conf_high": high, "note": ""}


def no_spread(squares: Array) -> str:
    """Why customers' parts in a variance give no limits: "all_alike", "few_carry", "" where they do.

    Examples
    --------
    >>> no_spread(np.zeros(9)), no_spread(np.array([9.0, 1.0])), no_spread(np.ones(9))
    ('all_alike', 'few_carry', '')
    """
    total = float(squares.sum())
    if not total > 0:
        return ALL_ALIKE
    return FEW_CARRY if squares.max() > MOST_OF_ONE * total else ""


def _unskewed(t: float, skew: float) -> float:
    """Ratio whose Hall's transform is `t`: T + kT²/3 + k²T³/27 + k/6, with k the skewness of the mean."""
    if abs(skew) < 1e-8:
        return t
    return 3 / skew * (float(np.cbrt(1 + skew * (t - skew / 6))) - 1)


def value_by_month(
    days: pd.DataFrame, *, as_of: dt.date | str, horizon_months: int, discount_rate_annual: float
) -> tuple[Array, Array, int]:
    """Mean discounted value of each month since the first purchase, and each customer's part in its error.

    A month is that of those observed to its end; NaN where they are fewer than 10. The parts add up to 0 for
    each month, and their squares to its variance.
    """
    check_columns(days, customer_id="customer_id", day="day", first_day="first_day", value="value")
    who, ids = pd.factorize(days["customer_id"])
    since = (days["day"] - days["first_day"]).dt.days.to_numpy(float)
    worth = days["value"].to_numpy(float) * (1 + discount_rate_annual) ** (-since / 365.25)
    month = (since // DAYS_PER_MONTH).astype(int)
    began = days["first_day"].to_numpy()[np.unique(who, return_index=True)[1]]
    age = (pd.Timestamp(to_date(as_of)) - pd.Series(began.astype("datetime64[s]"))).dt.days.to_numpy(
        float
    ) + 1
    inside = month < horizon_months
    cell = np.zeros((len(ids), horizon_months))
    np.add.at(cell, (who[inside], month[inside]), worth[inside])
    seen = age[:, None] >= np.arange(1, horizon_months + 1) * DAYS_PER_MONTH
    counted = seen.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(counted >= LEAST_MATURE, (cell * seen).sum(axis=0) / counted, np.nan)
        parts = np.where(seen, (cell - mean) / counted, 0.0)
    return mean, parts, len(ids)


def no_limits(note: str) -> dict[str, Any]:
    """Limits of a row that has none, and why."""
    return {"std_error": np.nan, "conf_low": np.nan, "conf_high": np.nan, "note": note}


def nothing(note: str) -> dict[str, Any]:
    """Estimate and limits of a row that has neither, and why."""
    return {"estimate": np.nan, **no_limits(note)}


def month_factors(horizon_months: int, discount_rate_annual: float) -> Array:
    """Tell what money of each month counts for today: discounted from the middle of the month.

    Examples
    --------
    >>> month_factors(2, 0.05).round(4).tolist()
    [0.998, 0.9939]
    """
    return (1 + discount_rate_annual) ** (-(np.arange(horizon_months) + 0.5) / 12)
