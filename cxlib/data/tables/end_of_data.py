"""Where the data end: a table that falls silent long before the extraction, and the last day of all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

import numpy as np
import pandas as pd

from cxlib.data.contract import TABLES
from cxlib.data.days import local_days
from cxlib.data.findings import Findings
from cxlib.data.rules.settings import Settings
from cxlib.data.tables.lazy_tables import newest
from cxlib.data.tables.read_tables import Source

STALE_DAYS, STALE_TIMES, STALE_ROWS = 31, 2, 20
#: Where most days have a record, fewer silent ones tell: of the last half year, days and share of them.
DAILY_DAYS, DAILY_SPAN, DAILY_SHARE = 10, 182, 0.5
#: Tables that go on day by day; answers come in waves and deals are few.
DAILY = ("orders", "events", "tickets")
#: Tables in which something happens day by day; the data end where all of them do.
ACTIVITY = ("orders", "events", "responses", "tickets", "deals")


def end_of_data(
    sources: Mapping[str, Source],
    rows_of: Callable[[str], pd.DataFrame | None],
    settings: Settings,
    complete: date,
) -> date:
    """Last day of the data: `complete`, or that of the last record where every table is silent long before.

    Parameters
    ----------
    sources
        Where the tables lie; the newest row of a Parquet file is found without reading the rest.
    rows_of
        Gives the checked rows of a table, None where it has errors.
    settings
        The data set's, with `extracted_at`.
    complete
        Last whole day before the extraction.
    """
    held = [name for name in ACTIVITY if name in sources]
    if any(_is_recent(newest(sources[name], settings), settings) for name in held):
        return complete
    ends, is_silent = [], False
    for name in held:
        rows = rows_of(name)
        if rows is None or (last := _last_day(rows, name)) is None:
            continue
        silent = silent_days(rows[TABLES[name].time or ""], settings.extracted)
        if _is_recent(last, settings) or (len(rows) >= STALE_ROWS and not silent):
            return complete
        is_silent |= silent > 0
        ends.append(last)
    return max(ends) if is_silent else complete


def notice_silence(frame: pd.DataFrame, table: str, extracted: datetime, findings: Findings) -> None:
    """Notice records that end long before the extraction; deals may well be few."""
    if table not in ACTIVITY or table == "deals":
        return
    if silent := silent_days(frame[TABLES[table].time or ""], extracted, is_daily=table in DAILY):
        findings.add("tables.stale", "notice", days=f"{silent:,}")


def silent_days(times: pd.Series, extracted: datetime, *, is_daily: bool = False) -> int:
    """Days without a record before the extraction, 0 unless far longer than the longest pause before.

    With `is_daily`, and where most days have a record, ten days are enough that are longer than any pause
    before: orders that end weeks before the events beside them.

    Examples
    --------
    >>> days = pd.Series(pd.date_range("2026-01-01", "2026-03-31"))
    >>> silent_days(days, datetime(2026, 10, 1)), silent_days(days, datetime(2026, 4, 15))
    (183, 0)
    >>> silent_days(days, datetime(2026, 4, 15), is_daily=True)
    14
    """
    if times.notna().sum() < STALE_ROWS:
        return 0
    days = np.unique(local_days(times.dropna(), str(times.name)).to_numpy().astype("datetime64[D]"))
    silent = int((np.datetime64(extracted.date()) - days[-1]).astype(int)) - 1
    longest = int(np.diff(days).astype(int).max()) if len(days) > 1 else 0
    latest = days[days > days[-1] - np.timedelta64(DAILY_SPAN, "D")]
    span = int((latest[-1] - latest[0]).astype(int)) + 1
    if is_daily and len(latest) >= max(STALE_ROWS, DAILY_SHARE * span) and silent >= DAILY_DAYS:
        return silent if silent > longest else 0
    return silent if silent >= STALE_DAYS and silent > STALE_TIMES * longest else 0


def _last_day(frame: pd.DataFrame, table: str) -> date | None:
    """Latest day on which something is recorded in a table; planned days are not."""
    times = [
        name
        for name, rule in TABLES[table].columns.items()
        if rule.kind in ("timestamp", "date") and not rule.planned and frame[name].notna().any()
    ]
    return max((local_days(frame[name], name).max().date() for name in times), default=None)


def _is_recent(last: date | None, settings: Settings) -> bool:
    return last is not None and (settings.extracted.date() - last).days <= STALE_DAYS
