"""Rows of a table that were known at a moment, and rows of a period."""

from __future__ import annotations

from datetime import date, datetime

import pandas as pd

from cxlib.checks import ParameterError
from cxlib.data.contract import Table
from cxlib.data.days import local_days, to_date
from cxlib.data.rules.settings import Settings
from cxlib.data.scales import with_scales
from cxlib.data.tables.check_table import later_than, rows_where


def known_by(frame: pd.DataFrame, spec: Table, moment: datetime, settings: Settings) -> pd.DataFrame:
    """Rows and values that were known at a moment, the others missing, with their declared scales."""
    changed: dict[str, pd.Series] = {}
    for column in frame.columns:
        rule = spec.column(column)
        if (
            rule is not None
            and rule.kind in ("timestamp", "date", "month")
            and column != spec.time
            and not rule.planned
        ):
            changed[column] = frame[column].mask(later_than(frame[column], moment))
    for column, rule in spec.columns.items():
        if rule.known_at:
            unknown = frame[rule.known_at].notna() & changed[rule.known_at].isna()
            changed[column] = frame[column].mask(unknown)
    frame = with_scales(frame.assign(**changed), spec.scales(settings))
    return frame if spec.time is None else rows_where(frame, ~later_than(frame[spec.time], moment))


def within(
    frame: pd.DataFrame, time_column: str, start: date | str | None, end: date | str | None
) -> pd.DataFrame:
    """Rows whose day lies from `start` to `end`, both included."""
    first = None if start is None else to_date(start, argument="start")
    last = None if end is None else to_date(end, argument="end")
    if first and last and last < first:
        raise ParameterError("tables.end_before_start", start=first, end=last)
    days = local_days(frame[time_column], time_column)
    inside = pd.Series(data=True, index=frame.index)
    if first:
        inside &= days >= pd.Timestamp(first)
    if last:
        inside &= days <= pd.Timestamp(last)
    return rows_where(frame, inside)
