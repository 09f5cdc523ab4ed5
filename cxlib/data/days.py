"""The one way from an instant to a day: the calendar day where the column's zone, or the one asked for, says.

An order at 08:20 in Tokyo is of that day there, whatever the frame holds it in: a timestamp with a zone or
an offset, one without (taken as local time), a day, or Python's objects. Text is refused, not guessed at.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, tzinfo
from datetime import timezone as fixed
from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from cxlib.checks import InputError, ParameterError

_OFFSET = re.compile(r"^(?:UTC|GMT)?([+-])(\d{1,2}):?(\d{2})$")


def to_date(value: object, *, argument: str = "as_of") -> date:
    """Calendar day of a date, timestamp or "YYYY-MM-DD" text.

    Parameters
    ----------
    value : date, datetime, Timestamp, datetime64 or str
    argument : str
        Name of the argument, for the message.

    Returns
    -------
    datetime.date

    Raises
    ------
    ParameterError
        If the value is no day of the calendar.

    Examples
    --------
    >>> to_date("2026-02-28")
    datetime.date(2026, 2, 28)
    """
    try:
        if isinstance(value, np.datetime64):
            value = pd.Timestamp(value)
        if isinstance(value, datetime) and not pd.isna(value):
            return value.date()
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        return date.fromisoformat(str(value))
    except ValueError:
        raise ParameterError("segmentation.not_a_date", argument=argument) from None


def zone_named(name: str) -> tzinfo:
    """Time zone of an IANA name, or of an offset such as "UTC+09:00", which exports carry.

    Raises
    ------
    ParameterError
        If there is no such zone.

    Examples
    --------
    >>> zone_named("UTC+09:00").utcoffset(None)
    datetime.timedelta(seconds=32400)
    """
    offset = _OFFSET.match(name)
    if offset:
        sign, hours, minutes = offset.groups()
        apart = timedelta(hours=int(hours), minutes=int(minutes))
        if apart < timedelta(days=1):
            return fixed(-apart if sign == "-" else apart)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ParameterError("checks.no_such_zone", value=repr(name)) from None


def instants(times: pd.Series, column: str, *, timezone: str | None = None) -> pd.Series:
    """Timestamps of a column as NumPy's, with the zone they carry or, asked for, in another one.

    Parameters
    ----------
    times : pandas.Series
        Timestamps or days of any library: NumPy, Arrow, categories, Python's objects. Nothing but missing
        values may be of any type.
    column : str
        Its name, for the message.
    timezone : str, optional
        IANA name or offset to turn aware timestamps into; those without a zone stay as they are.

    Returns
    -------
    pandas.Series
        Same index; missing stays missing.

    Raises
    ------
    InputError
        Text, numbers, or timestamps of several offsets, or with and without a zone, in one column.

    Examples
    --------
    >>> at = pd.Series(pd.to_datetime(["2026-08-31 23:20:00+00:00"]))
    >>> instants(at, "ordered_at", timezone="Asia/Tokyo").dt.day.tolist()
    [1]
    """
    found = _as_numpy(times, column)
    if timezone is None or found.dt.tz is None:
        return found
    return found.dt.tz_convert(zone_named(timezone))


def local_times(times: pd.Series, column: str, *, timezone: str | None = None) -> pd.Series:
    """Time on the clock of each instant, without a zone; otherwise as `instants`.

    Examples
    --------
    >>> local_times(pd.Series(pd.to_datetime(["2026-01-31 23:30:00+09:00"])), "ordered_at").dt.hour.tolist()
    [23]
    """
    found = instants(times, column, timezone=timezone)
    return found if found.dt.tz is None else found.dt.tz_localize(None)


def local_days(times: pd.Series, column: str, *, timezone: str | None = None) -> pd.Series:
    """Calendar day of each instant (datetime64[s], midnight, no zone); otherwise as `instants`.

    Examples
    --------
    >>> local_days(pd.Series(pd.to_datetime(["2026-01-31 23:30:00+09:00"])), "ordered_at").dt.day.tolist()
    [31]
    """
    # cutting off below a day first rounds towards the past also before 1970
    days = local_times(times, column, timezone=timezone).to_numpy().astype("datetime64[D]")
    return pd.Series(days.astype("datetime64[s]"), index=times.index, name=times.name)


def first_instant_after(kind: Any, day: date, timezone: str | None, time_col: str) -> date | datetime:
    """Give the end of a day as a bound comparable with a column of a narwhals type.

    Raises
    ------
    ParameterError
        If the type is neither a timestamp nor a day.

    Examples
    --------
    >>> first_instant_after(nw.Date(), date(2026, 1, 31), None, "ordered_at")
    datetime.date(2026, 2, 1)
    """
    following = day + timedelta(days=1)
    if kind == nw.Date:
        return following
    if not isinstance(kind, nw.Datetime):
        raise ParameterError("segmentation.time_type", argument="time_col", column=time_col, found=str(kind))
    if kind.time_zone is None:
        return datetime.combine(following, time())
    midnight = datetime.combine(following, time(), tzinfo=zone_named(timezone or kind.time_zone))
    return midnight.astimezone(zone_named(kind.time_zone))


def _as_numpy(times: pd.Series, column: str) -> pd.Series:
    kind: Any = times.dtype
    if isinstance(kind, pd.CategoricalDtype):
        times = times.astype(kind.categories.dtype)
        kind = times.dtype
    if isinstance(kind, pd.DatetimeTZDtype) or (kind.kind == "M" and not isinstance(kind, pd.ArrowDtype)):
        return times
    if isinstance(kind, pd.ArrowDtype) and pa.types.is_temporal(kind.pyarrow_dtype):
        values = pa.chunked_array(cast("Any", times.array).__arrow_array__())
        if pa.types.is_date(values.type):
            values = values.cast(pa.timestamp("s"))
        if pa.types.is_timestamp(values.type):
            return pd.Series(values.to_pandas().array, index=times.index, name=times.name)
    if not times.notna().any():
        return pd.Series(pd.NaT, index=times.index, name=times.name, dtype="datetime64[s]")
    found = str(kind)
    if isinstance(kind, np.dtype) and kind.kind == "O":
        found = pd.api.types.infer_dtype(times, skipna=True)
        if found in ("date", "datetime", "datetime64"):
            try:
                known = times[times.notna()].iloc[0]
                is_plain = getattr(known, "tzinfo", None) is None
                return times.astype("datetime64[us]") if is_plain else pd.to_datetime(times)
            except (ValueError, TypeError):
                found = f"{found} / mixed offsets"
    raise InputError("journey.not_timestamps", column=column, dtype=found)
