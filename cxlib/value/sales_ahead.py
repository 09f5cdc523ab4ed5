"""Sales of the months ahead: from the series of months, and from customers there are and those to come."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.checks import check_columns, check_frame
from cxlib.data.days import local_days, to_date
from cxlib.stats.forecasting.rolling import Method
from cxlib.stats.intervals import Interval, critical_value
from cxlib.value.days_of_purchase import purchase_days, purchase_histories
from cxlib.value.fitted_model import PurchaseModel, purchase_model, slope_of

WEEK = 7.0
#: Months from which the number of new customers is taken.
NEW_MONTHS = 12
#: An order later in the first month than this, and the month is not whole.
FIRST_DAYS = 7


def monthly_sales(orders: pd.DataFrame, *, as_of: object, timezone: str | None = None) -> pd.DataFrame:
    """Add up net sales by month, guests' included, for the whole months only.

    Parameters
    ----------
    orders : DataFrame
        Order lines; a missing amount adds nothing, a refund counts in the month of its line.
    as_of : date or str
        Last day of the data; its month counts where it is the month's last day.
    timezone : str, optional
        Where days begin; none: as the timestamps stand.

    Returns
    -------
    DataFrame
        ``month`` (its first day), ``amount`` (currency; 0 for a month without orders), oldest first. The
        first month counts where its first order lies in its first seven days.

    Raises
    ------
    ParameterError
        A column is missing.

    Examples
    --------
    >>> lines = pd.DataFrame({"amount": [5.0, 7.0, -2.0, 1.0],
    ...     "ordered_at": pd.to_datetime(["2026-01-02", "2026-03-09", "2026-03-10", "2026-04-02"])})
    >>> monthly_sales(lines, as_of="2026-04-15")["amount"].tolist()
    [5.0, 0.0, 5.0]
    """
    check_frame(orders, argument="orders")
    check_columns(orders, time_col="ordered_at", amount_col="amount")
    day, last = (
        local_days(orders["ordered_at"], "ordered_at", timezone=timezone),
        pd.Timestamp(to_date(as_of)),
    )
    known = (day <= last).to_numpy()
    if not known.any():
        return pd.DataFrame({"month": pd.to_datetime([]), "amount": np.array([], dtype=float)})
    first = day[known].min()
    begin = first.to_period("M") + int(first.day > FIRST_DAYS)
    end = last.to_period("M") - int(not last.is_month_end)
    total = orders["amount"].astype(float).fillna(0)[known].groupby(day[known].dt.to_period("M")).sum()
    months = pd.period_range(begin, end, freq="M")
    amount = total.reindex(months, fill_value=0.0).to_numpy()
    return pd.DataFrame({"month": months.to_timestamp(), "amount": amount})


def customer_forecast(orders: pd.DataFrame, sales: pd.DataFrame, *, timezone: str | None = None) -> Method:
    """Make the forecast by customers: what those there are will still buy, and as many new ones as of late.

    Parameters
    ----------
    orders : DataFrame
        Order lines.
    sales : DataFrame
        Result of `monthly_sales`.
    timezone : str, optional

    Returns
    -------
    callable
        A method for `next_months(more=…)` and `roll_forecasts(more=…)`; it looks at nothing after the month
        before the first one ahead. NaN where no purchase model can be fitted (fewer than 50 repeat).

    Notes
    -----
    Customers there are by BG/NBD (`purchase_model`), times what a repeat purchase day brought in the last
    year; new ones by the mean of the last twelve months, with their first purchase and the repeats the model
    expects of them; sales without a known customer in proportion. The interval knows of chance (each
    customer's own pace and what an order brings), of the months' new customers, and of the parameters; it
    knows of no season and no change of the market.

    References
    ----------
    Fader, Hardie & Lee (2005) Marketing Science 24, 275–284.

    Examples
    --------
    >>> lines = pd.DataFrame({"customer_id": ["a"], "order_id": ["1"], "amount": [5.0],
    ...     "ordered_at": pd.to_datetime(["2026-01-02"])})
    >>> method = customer_forecast(lines, monthly_sales(lines, as_of="2026-03-31"))
    >>> method(3, 1, 0.8).estimate.tolist()
    [nan]
    """
    months = pd.DatetimeIndex(sales["month"])

    def method(start: int, horizon: int, level: float) -> Interval:
        origin = months[0] + pd.DateOffset(months=start)
        known = purchase_days(orders, as_of=(origin - pd.Timedelta(days=1)).date(), timezone=timezone)
        ends = [(origin + pd.DateOffset(months=k + 1) - origin).days / WEEK for k in range(horizon)]
        recent = float(sales["amount"].iloc[max(start - NEW_MONTHS, 0) : start].sum())
        return _by_customers(known, origin, np.array(ends), recent, level)

    return method


def _by_customers(
    days: pd.DataFrame, origin: pd.Timestamp, ends: np.ndarray, recent: float, level: float
) -> Interval:
    """Forecast the months that end so many weeks after `origin`, scaled to the sales of the last year."""
    nothing = Interval(*np.full((4, len(ends)), np.nan))
    if days.empty:
        return nothing
    histories = purchase_histories(days, as_of=(origin - pd.Timedelta(days=1)).date(), unit_days=WEEK)
    model = purchase_model(histories)
    year = days[days["day"] >= origin - pd.DateOffset(months=NEW_MONTHS)]
    is_first = (year["day"] == year["first_day"]).to_numpy()
    first, again = year["value"][is_first].to_numpy(), year["value"][~is_first].to_numpy()
    if model.fit is None or min(len(first), len(again)) < 2 or year["value"].sum() <= 0:
        return nothing
    held, times = np.unique(histories[["x", "t_x", "age"]].to_numpy(float), axis=0, return_counts=True)
    arrivals = _new_by_month(year, origin)
    logs = np.log(model.fit.estimate)
    repeats = _repeats(model, held, times, ends, float(arrivals.mean()), logs)
    slopes = slope_of(lambda at: _repeats(model, held, times, ends, float(arrivals.mean()), at), logs)
    of_fit = np.einsum("ij,ik,kj->j", slopes, model.covariance(), slopes)
    each = np.diff(model.expected(held, ends), axis=1, prepend=0.0)
    own_pace = times @ (each**2 / (model.fit.estimate[0] + held[:, :1]))
    scale = recent / float(year["value"].sum())
    mean = arrivals.mean() * first.mean() + repeats * again.mean()
    variance = repeats * (again**2).mean() + (own_pace + of_fit) * again.mean() ** 2
    variance += repeats**2 * again.var() / len(again) + arrivals.mean() * first.var()
    variance += arrivals.var(ddof=1) * (1 + 1 / len(arrivals)) * first.mean() ** 2
    error = scale * np.sqrt(variance)
    half = critical_value(level, df=len(arrivals) - 1) * error
    return Interval(scale * mean, error, scale * mean - half, scale * mean + half)


def _new_by_month(year: pd.DataFrame, origin: pd.Timestamp) -> np.ndarray:
    """Count the new customers of each of the last months, from the first that has any."""
    first = year.loc[year["day"] == year["first_day"], "day"]
    back = (origin.year - first.dt.year) * 12 + origin.month - first.dt.month
    count = np.bincount(back.to_numpy(), minlength=2)[1:]
    return count[: max(int(np.flatnonzero(count).max(initial=0)) + 1, 2)].astype(float)


def _repeats(
    model: PurchaseModel, held: np.ndarray, times: np.ndarray, ends: np.ndarray, new: float, logs: np.ndarray
) -> np.ndarray:
    """Repeat purchases expected in each month: of customers there are, and of new ones from mid-month on."""
    known = np.diff(times @ model.expected(held, ends, logs), prepend=0.0)
    middles = ends - np.diff(ends, prepend=0.0) / 2
    since = np.maximum(ends[None, :] - middles[:, None], 0.0)
    nobody = np.zeros((1, 3))
    for joined in since:
        known = known + new * np.diff(model.expected(nobody, joined, logs)[0], prepend=0.0)
    return known
