"""Days of the scorecard: the first there is, the one compared with, and the period that ends on the last."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd

from cxlib.checks import ParameterError
from cxlib.data.contract import TABLES
from cxlib.data.days import local_days, to_date

MONTHS = 3


def first_day(data_set: Any) -> dt.date:
    """First day of any table of an opened data set; its last day where none of them has a row with one."""
    of = [(data_set.table(name), TABLES[name].time) for name in data_set.tables]
    days = [local_days(rows[column], column).min() for rows, column in of if column is not None and len(rows)]
    return min((day.date() for day in days if pd.notna(day)), default=data_set.as_of)


def earlier_day(compared_with: dt.date | str | None, *, first_day: dt.date, last_day: dt.date) -> dt.date:
    """Day to compare with: the one asked for, or three months before the last day, as far as the data reach.

    Of the last day of a month it is the last of the other.

    Raises
    ------
    ParameterError
        The day asked for is not before the last day, or lies before the first.

    Examples
    --------
    >>> earlier_day(None, first_day=dt.date(2025, 1, 1), last_day=dt.date(2026, 9, 30))
    datetime.date(2026, 6, 30)
    >>> earlier_day(None, first_day=dt.date(2025, 1, 1), last_day=dt.date(2026, 6, 30))
    datetime.date(2026, 3, 31)
    """
    if compared_with is None:
        last = pd.Timestamp(last_day)
        months = pd.DateOffset(months=MONTHS)
        then = last - months + pd.offsets.MonthEnd(0) if last.is_month_end else last - months
        return max(then.date(), first_day)
    day = to_date(compared_with, argument="compared_with")
    if not first_day <= day < last_day:
        raise ParameterError("scorecard.not_earlier", found=day, first_day=first_day, last_day=last_day)
    return day


def period_then(period_start: dt.date | str | None, earlier: dt.date) -> dict[str, dt.date]:
    """First day of the period for the earlier day's figures too, as `DataSet.scope` takes it.

    None where there is no period, or where it begins later: then they rest on all that was known.

    Examples
    --------
    >>> period_then("2026-04-01", dt.date(2026, 6, 30)), period_then("2026-07-01", dt.date(2026, 6, 30))
    ({'period_start': datetime.date(2026, 4, 1)}, {})
    """
    start = None if period_start is None else to_date(period_start, argument="period_start")
    return {} if start is None or start > earlier else {"period_start": start}


def report_period(
    last_day: dt.date, *, period_start: dt.date | str | None = None, fiscal_year_start: int = 1
) -> dict[str, Any]:
    """Name the period that ends on a day: a quarter where one ends then, else the month; fiscal if so kept.

    Parameters
    ----------
    last_day : date
    period_start : date, optional
        First day chosen; a period that begins on another day than the quarter or month is called by its days.
    fiscal_year_start : int
        First month of the fiscal year, 1 to 12; a fiscal year is called after the calendar year it begins in.

    Returns
    -------
    dict
        `claim` ("quarter", "fiscal_quarter", "month" or "fiscal_month"), `year, quarter, month_name` (1 to
        12), as text; or `claim` ("days"), `first_day, last_day`.

    Examples
    --------
    >>> report_period(dt.date(2026, 9, 30), fiscal_year_start=4)
    {'claim': 'fiscal_quarter', 'year': '2026', 'quarter': '2', 'month_name': '9'}
    """
    begun = (last_day.month - fiscal_year_start) % 12  # whole months of the fiscal year before this one
    year = last_day.year - (last_day.month < fiscal_year_start)
    ends = (last_day + dt.timedelta(days=1)).day == 1 and begun % 3 == 2
    begins = pd.Timestamp(last_day).replace(day=1) - pd.DateOffset(months=2 if ends else 0)
    start = begins.date() if period_start is None else to_date(period_start, argument="period_start")
    if start != begins.date():
        return {"claim": "days", "first_day": start, "last_day": last_day}
    claim = ("fiscal_" if fiscal_year_start != 1 else "") + ("quarter" if ends else "month")
    return {
        "claim": claim,
        "year": str(year),
        "quarter": str(begun // 3 + 1),
        "month_name": str(last_day.month),
    }
