"""Figures of value for the scorecard, from order lines as they came."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd

from cxlib.data.days import to_date
from cxlib.stats.intervals import Interval
from cxlib.value.acquisition_cost import BLENDED, COLUMNS, cac
from cxlib.value.days_of_purchase import purchase_days
from cxlib.value.sales_ahead import customer_forecast, monthly_sales
from cxlib.value.value_so_far import mature_value


def mature_sales(
    orders: pd.DataFrame, *, as_of: dt.date | str, horizon_months: int = 12, conf_level: float = 0.95
) -> pd.DataFrame:
    """Sales of a new customer within a horizon, in currency: the row "mature" of `ltv`, not discounted.

    Examples
    --------
    >>> days = pd.date_range("2025-01-01", periods=40, freq="7D")
    >>> lines = pd.DataFrame({"customer_id": [f"c{i % 20}" for i in range(40)], "ordered_at": days,
    ...     "order_id": [str(i) for i in range(40)], "amount": [10.0 + i for i in range(40)]})
    >>> mature_sales(lines, as_of="2026-12-31")["estimate"].tolist()
    [59.0]
    """
    days = purchase_days(orders, as_of=as_of, outcome="amount")
    terms: dict[str, Any] = {"horizon_months": horizon_months, "conf_level": conf_level}
    return pd.DataFrame([mature_value(days, as_of=as_of, discount_rate_annual=0.0, **terms)])


def blended_cac(
    orders: pd.DataFrame,
    *,
    as_of: dt.date | str,
    spend: pd.DataFrame | None = None,
    months: int = 12,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Blended cost of a new customer in currency: all acquisition spend of the last months over all new ones.

    Parameters
    ----------
    orders
        Order lines from the first day of the data on.
    as_of
        Last day known; only whole months with spend count.
    spend
        Acquisition money of the whole company: `month, acquisition_channel, amount`. None: no figure.
    months, conf_level
        Months back from `as_of`; level of the limits (bootstrap over months, as `cac`).

    Returns
    -------
    DataFrame
        A row as `cac` (`acquisition_channel` "all channels"); none without spend, or where no order is older
        than these months, since new customers cannot be told from old ones then.

    Examples
    --------
    >>> lines = pd.DataFrame({"customer_id": list("abc"), "order_id": list("123"), "amount": 9.0,
    ...     "ordered_at": pd.to_datetime(["2025-01-05", "2026-02-05", "2026-03-05"])})
    >>> month = pd.to_datetime(["2026-02-01", "2026-03-01"])
    >>> spend = pd.DataFrame({"month": month, "acquisition_channel": "ad", "amount": [100.0, 200.0]})
    >>> blended_cac(lines, as_of="2026-03-31", spend=spend)["estimate"].tolist()
    [150.0]
    """
    since = pd.Timestamp(to_date(as_of)) + pd.Timedelta(days=1) - pd.DateOffset(months=months)
    days = purchase_days(orders, as_of=as_of)
    if spend is None or spend.empty or days.empty or days["first_day"].min() >= since:
        return pd.DataFrame(columns=COLUMNS)
    new = days.loc[days["first_day"] >= since, ["customer_id", "first_day"]].drop_duplicates()
    recent = spend[pd.to_datetime(spend["month"]) >= since]
    if recent.empty or new.empty:
        return pd.DataFrame(columns=COLUMNS)
    terms: dict[str, Any] = {"conf_level": conf_level, "n_boot": 400, "observed_from": since.date()}
    together = recent.assign(acquisition_channel=BLENDED)  # no channel is asked for, so none is drawn for
    rows = cac(together, new.assign(acquisition_channel=None), as_of=as_of, **terms)
    return rows[rows["acquisition_channel"] == BLENDED].reset_index(drop=True)


def next_month_sales(orders: pd.DataFrame, *, as_of: dt.date | str, conf_level: float = 0.95) -> pd.DataFrame:
    """Sales expected in the month after the last whole one, in currency: `customer_forecast`.

    Returns
    -------
    DataFrame
        One row `metric` ("next_month_sales")`, estimate, conf_low, conf_high` (the month is to lie between
        them)`, n` (customers). Missing where no purchase model can be fitted.

    Examples
    --------
    >>> lines = pd.DataFrame({"customer_id": ["a"], "order_id": ["1"], "amount": [5.0],
    ...     "ordered_at": pd.to_datetime(["2026-01-02"])})
    >>> next_month_sales(lines, as_of="2026-03-31")["estimate"].isna().tolist()
    [True]
    """
    sales = monthly_sales(orders, as_of=as_of)
    if sales.empty:
        return pd.DataFrame(columns=["metric", *Interval._fields, "n"])
    told = customer_forecast(orders, sales)(len(sales), 1, conf_level)
    ends = {name: float(held[0]) for name, held in told._asdict().items()}
    n = orders["customer_id"].nunique()
    return pd.DataFrame([{"metric": "next_month_sales", **ends, "n": n}])
