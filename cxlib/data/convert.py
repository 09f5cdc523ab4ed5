"""Turn columns as they lie in a file into the types of the contract, once; say what could not be turned."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from cxlib.data.contract import Kind
from cxlib.data.findings import Findings
from cxlib.data.ids import cleaned, shaped
from cxlib.data.numbers import plain_number
from cxlib.data.odd_ids import judged
from cxlib.data.text_type import TEXT

NO_VALUE = ("NA", "N/A", "#N/A", "NULL", "null", "NaN", "nan", "None", "-")
FLAGS = {"true": True, "t": True, "yes": True, "y": True, "1": True, "1.0": True}
FLAGS |= {"false": False, "f": False, "no": False, "n": False, "0": False, "0.0": False}
#: The first year that is taken for one: what lies before is an empty date of some system, or damage.
FIRST_YEAR = 1800
#: What stands for never is cut to its day: no later instant has a local time in every zone.
LAST_DAY = pd.Timestamp("9999-12-31")
NO_DATES = ("0000-00-00", "0001-01-01")
FAR_YEAR = r"(^|[^0-9])(2[2-9][0-9]{2}|[3-9][0-9]{3})"
AWARE = r"[T ]\d\d(?::?\d\d(?::?\d\d(?:[.,]\d+)?)?)?\s*(?:[zZ]|[+-]\d\d(?::?\d\d)?)$"


def convert(
    values: pa.ChunkedArray, kind: Kind | None, *, column: str, zone: str, findings: Findings
) -> pd.Series:
    """Convert one column to the type of its kind; what does not fit becomes missing and an error is noted."""
    values = _plain(values)
    if kinds.is_null(values.type):
        values = values.cast(pa.string())
    if kinds.is_string(values.type):
        values = _unguarded(values, column, findings)
    try:
        return _CONVERTERS[kind or "extra"](values, column, zone, findings)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid, OverflowError):
        findings.add("tables.wrong_type", "error", column, found=str(values.type))
        return missing_column(kind or "text", len(values), zone)


def _plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if kinds.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if kinds.is_large_string(values.type) or kinds.is_string_view(values.type):
        values = values.cast(pa.string())
    return values


def _unguarded(values: pa.ChunkedArray, column: str, findings: Findings) -> pa.ChunkedArray:
    """Cells without the `="…"` by which spreadsheets keep zeros, byte order marks, and errors of a sheet."""
    begins = pc.or_(pc.starts_with(values, "="), pc.starts_with(values, "#"))
    if not pc.any(pc.or_(begins, pc.match_substring(values, "\ufeff"))).as_py():
        return values  # the usual column, told ten times as fast as by the pattern
    odd = pc.match_substring_regex(values, '^="|\ufeff|^#[A-Z#/]')
    if not pc.any(odd).as_py():
        return values
    plain = cleaned(values)
    broken = shaped(plain, "broken")
    findings.add(
        "tables.guarded", "notice", column, pc.fill_null(pc.starts_with(values, '="'), fill_value=False)
    )
    marked = pc.fill_null(pc.match_substring(values, "\ufeff"), fill_value=False)
    findings.add("tables.byte_order_mark", "notice", column, marked)
    findings.add("tables.sheet_error", "notice", column, broken)
    plain = pc.if_else(pc.or_(pc.fill_null(odd, fill_value=False), broken), plain, values)
    return pc.if_else(broken, pa.scalar(None, pa.string()), plain)


def matches(strings: pd.Series, pattern: str) -> pd.Series:
    """Whether each text fits a pattern, by pyarrow's linear-time engine; a missing text does not."""
    found = pc.match_substring_regex(pa.array(strings, pa.string()), pattern)
    return pd.Series(pc.fill_null(found, fill_value=False).to_numpy(zero_copy_only=False), strings.index)


def among(ids: pd.Series, known: Any) -> pd.Series:
    """Whether each id is among the known ones; many times as fast as `Series.isin` where ids are text."""
    if not (pd.api.types.is_string_dtype(ids) and pd.api.types.is_string_dtype(known)):
        return ids.isin(known)
    found = pc.is_in(pa.array(ids, pa.string()), value_set=pa.array(known, pa.string()).drop_null())
    return pd.Series(found.to_numpy(zero_copy_only=False), ids.index)


def _text(values: pa.ChunkedArray, column: str, zone: str, findings: Findings) -> pd.Series:
    if not kinds.is_string(values.type):
        if kinds.is_nested(values.type) or kinds.is_binary(values.type):
            return _wrong_type(values, column, findings, TEXT)
        values = values.cast(pa.string())
    return _strings(pc.if_else(pc.equal(values, ""), None, values))


def _strings(values: pa.ChunkedArray) -> pd.Series:
    return pd.Series(values.to_pandas(), dtype=TEXT)


def _id(values: pa.ChunkedArray, column: str, zone: str, findings: Findings) -> pd.Series:
    if kinds.is_floating(values.type):
        broken = pc.fill_null(pc.not_equal(pc.floor(values), values), fill_value=False)
        if pc.any(broken).as_py():
            findings.add("tables.id_fraction", "error", column, broken.to_numpy())
            return _empty(len(values), TEXT)
        findings.add("tables.id_number", "notice", column)
        values = values.cast(pa.int64())
    if not kinds.is_string(values.type):
        return _text(values, column, zone, findings)
    return _text(judged(values, column, findings), column, zone, findings)


def _number(values: pa.ChunkedArray, column: str, zone: str, findings: Findings) -> pd.Series:
    if kinds.is_decimal(values.type):
        values = values.cast(pa.string())  # Arrow's own way to a float misses the nearest one
    elif kinds.is_integer(values.type) or kinds.is_floating(values.type):
        return pd.Series(values.cast(pa.float64(), safe=False).to_pandas(), dtype="float64")
    if not kinds.is_string(values.type):
        return _wrong_type(values, column, findings, "float64")
    try:
        numbers = pd.Series(values.cast(pa.float64()).to_pandas(), dtype="float64")
    except pa.ArrowInvalid:
        return _number_from_text(_strings(values), column, findings)
    spelled = numbers.isna().to_numpy() & pc.is_valid(values).to_numpy(zero_copy_only=False)
    return _number_from_text(_strings(values), column, findings) if spelled.any() else numbers


def _number_from_text(strings: pd.Series, column: str, findings: Findings) -> pd.Series:
    strings = _without_markers(strings, column, findings)
    is_plain = matches(strings, r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$")
    numbers = pd.to_numeric(strings.where(is_plain), errors="coerce").astype("float64")
    failed = ~is_plain & strings.notna()
    if failed.any():
        read = {cell: plain_number(cell) for cell in strings[failed].unique()}
        numbers[failed] = strings[failed].map(lambda cell: float(read[cell] or "nan")).astype("float64")
        findings.add("tables.full_width", "notice", column, failed & np.isfinite(numbers))
        findings.add("tables.not_a_number", "error", column, numbers.isna() & strings.notna())
    return numbers


def _without_markers(strings: pd.Series, column: str, findings: Findings) -> pd.Series:
    strings = strings.str.strip()
    marked = among(strings, pd.Series(NO_VALUE, dtype=TEXT))
    findings.add("tables.marker", "notice", column, marked)
    return strings.mask(marked | (strings == ""))


def _whole(values: pa.ChunkedArray, column: str, zone: str, findings: Findings) -> pd.Series:
    numbers = _number(values, column, zone, findings)
    findings.add("tables.not_whole", "error", column, numbers.notna() & (np.floor(numbers) != numbers))
    return numbers


def _flag(values: pa.ChunkedArray, column: str, zone: str, findings: Findings) -> pd.Series:
    if kinds.is_nested(values.type) or kinds.is_binary(values.type):
        return _wrong_type(values, column, findings, "boolean")
    if kinds.is_boolean(values.type):
        return pd.Series(values.to_pandas(), dtype="boolean")
    strings = _without_markers(_strings(values.cast(pa.string())), column, findings)
    flags = strings.str.lower().map(FLAGS).astype("boolean")
    findings.add("tables.not_a_flag", "error", column, flags.isna() & strings.notna())
    return flags


def _timestamp(values: pa.ChunkedArray, column: str, zone: str, findings: Findings) -> pd.Series:
    if kinds.is_string(values.type):
        return _timestamp_from_text(values, column, zone, findings)
    if not kinds.is_timestamp(values.type) and not kinds.is_date(values.type):
        return _wrong_type(values, column, findings, f"datetime64[us, {zone}]")
    unit = pa.timestamp("us", tz=getattr(values.type, "tz", None))
    values = _of_our_time(values, column, findings)
    found = pd.Series(values.cast(unit, safe=False).to_pandas())
    return _in_zone(found, column, zone, findings)


def _of_our_time(values: pa.ChunkedArray, column: str, findings: Findings) -> pa.ChunkedArray:
    """Keep times of years that can be counted; the first day of year 1 is how some systems write none."""
    kind = values.type
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
    ticks = (
        per_second[kind.unit] if kinds.is_timestamp(kind) else 10**3 if kinds.is_date64(kind) else 1 / 86_400
    )
    numbers = values.cast(pa.int32() if kinds.is_date32(kind) else pa.int64()).cast(pa.float64(), safe=False)
    seconds = pc.divide(numbers, float(ticks))
    first, last = (pd.Timestamp(year, 1, 1).timestamp() for year in (FIRST_YEAR, 9999))
    none = pc.and_(pc.greater_equal(seconds, -62_135_683_200.0), pc.less(seconds, -62_135_510_400.0))
    findings.add("tables.zero_date", "notice", column, pc.fill_null(none, fill_value=False))
    outside = pc.or_(pc.less(seconds, first), pc.greater(seconds, last + 366 * 86_400.0))
    wrong = pc.fill_null(pc.and_(outside, pc.invert(none)), fill_value=False)
    findings.add("tables.not_a_time", "error", column, wrong)
    return pc.if_else(pc.fill_null(outside, fill_value=False), pa.scalar(None, kind), values)


def _in_zone(found: pd.Series, column: str, zone: str, findings: Findings) -> pd.Series:
    aware = found.dt.tz_convert(zone) if found.dt.tz is not None else localise(found, column, zone, findings)
    return aware.astype(pd.DatetimeTZDtype("us", zone))


def localise(naive: pd.Series, column: str, zone: str, findings: Findings) -> pd.Series:
    """Turn local times into instants; times the clock skips or repeats are settled and noted."""
    naive = naive.mask(naive > LAST_DAY, LAST_DAY)
    first = np.ones(len(naive), dtype=bool)
    settled = naive.dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
    once = naive.dt.tz_localize(zone, ambiguous="NaT", nonexistent="shift_forward")
    findings.add("tables.clock_repeats", "notice", column, settled.notna() & once.isna())
    moved = settled.dt.tz_localize(None) != naive
    findings.add("tables.clock_skips", "notice", column, settled.notna() & moved)
    return settled


def _timestamp_from_text(values: pa.ChunkedArray, column: str, zone: str, findings: Findings) -> pd.Series:
    strings = _dates_only(_strings(values), column, findings)
    with_offset = matches(strings, AWARE)
    if not with_offset.any():
        found = localise(_parsed(strings), column, zone, findings)
    else:
        found = _parsed(strings.where(with_offset), utc=True).dt.tz_convert(zone)
        naive = strings.notna() & ~with_offset
        if naive.any():
            local = localise(_parsed(strings.where(naive)), column, zone, findings)
            findings.add("tables.offset_missing", "notice", column, naive & local.notna())
            found = found.fillna(local)
    found = found.mask(found.dt.year < FIRST_YEAR)
    findings.add("tables.not_a_time", "error", column, found.isna() & strings.notna())
    return found.astype(pd.DatetimeTZDtype("us", zone))


def _dates_only(strings: pd.Series, column: str, findings: Findings) -> pd.Series:
    strings = _without_markers(strings, column, findings)
    zero = strings.str.startswith(NO_DATES, na=False)
    findings.add("tables.zero_date", "notice", column, zero)
    return strings.mask(zero)


def _parsed(strings: pd.Series, *, utc: bool = False) -> pd.Series:
    long_enough = strings.where(strings.str.len() >= len("20260105"))
    if not utc:
        long_enough = long_enough.mask(matches(strings, r"[zZ]$|[T ].*[+-]\d\d(?::?\d\d)?$"))
    return read_times(long_enough, "ISO8601", utc=utc)


def read_times(texts: pd.Series, form: str, *, utc: bool = False) -> pd.Series:
    """Read times in a form pandas knows, in microseconds; missing where a text is none.

    Where pandas counts in nanoseconds (always before version 3, else when any text has them), it knows no
    year from 2262 on: a later one is read as one of the same calendar, a multiple of 400 years earlier.
    """

    def read(cells: pd.Series) -> pd.Series:
        parsed = pd.to_datetime(cells, format=form, errors="coerce", utc=utc)
        return parsed.astype("datetime64[us, UTC]" if utc else "datetime64[us]")

    found = read(texts)
    far = found.isna() & matches(texts, FAR_YEAR)
    if not far.any():
        return found
    year = texts[far].str.extract(FAR_YEAR)[1].astype("int64")
    near = (year - 1800) % 400 + 1800
    earlier = [
        re.sub(FAR_YEAR, rf"\g<1>{at}", text, count=1) for at, text in zip(near, texts[far], strict=True)
    ]
    moved = read(pd.Series(earlier, near.index))
    moved = moved.where((moved.dt.year - near).abs() <= int(utc))
    days = ((year - near) // 400 * 146_097).to_numpy().astype("timedelta64[D]")
    return found.fillna(moved + days.astype("timedelta64[us]"))


def month_starts(days: pd.Series) -> pd.Series:
    """First day of the month of each day (without a zone), in microseconds."""
    months = days.to_numpy().astype("datetime64[M]")
    return pd.Series(months.astype("datetime64[us]"), days.index, name=days.name)


def _date(values: pa.ChunkedArray, column: str, zone: str, findings: Findings) -> pd.Series:
    if kinds.is_date(values.type):
        values = _of_our_time(values, column, findings)
        return pd.Series(values.cast(pa.timestamp("us")).to_pandas(), dtype="datetime64[us]")
    if kinds.is_timestamp(values.type) or kinds.is_string(values.type):
        if kinds.is_string(values.type) or values.type.tz is not None:
            moments = _timestamp(values, column, zone, findings).dt.tz_localize(None)
        else:
            values = _of_our_time(values, column, findings)
            moments = pd.Series(values.cast(pa.timestamp("us"), safe=False).to_pandas())
        return moments.dt.normalize().astype("datetime64[us]")
    return _wrong_type(values, column, findings, "datetime64[us]")


def _month(values: pa.ChunkedArray, column: str, zone: str, findings: Findings) -> pd.Series:
    if kinds.is_string(values.type):
        bare = pc.match_substring_regex(values, r"^\d{4}-\d{2}$")
        values = pc.if_else(bare, pc.binary_join_element_wise(values, "01", "-"), values)
    days = _date(values, column, zone, findings)
    return month_starts(days)


def is_readable(values: pa.ChunkedArray) -> bool:
    """Whether a column beyond the contract is of a type that can be shown and counted."""
    kind = _plain(values).type
    plain = (kinds.is_string, kinds.is_boolean, kinds.is_integer, kinds.is_floating, kinds.is_decimal)
    return any(
        check(kind) for check in (*plain, kinds.is_timestamp, kinds.is_date, kinds.is_time, kinds.is_null)
    )


def _extra(values: pa.ChunkedArray, column: str, zone: str, findings: Findings) -> pd.Series:
    """Keep a column beyond the contract as the file has it; numbers stay numbers."""
    if kinds.is_string(values.type):
        return _text(values, column, zone, findings)
    if kinds.is_integer(values.type) or kinds.is_floating(values.type) or kinds.is_decimal(values.type):
        return _number(values, column, zone, findings)
    if kinds.is_timestamp(values.type):
        return _timestamp(values, column, zone, findings)
    if kinds.is_date(values.type):
        return _date(values, column, zone, findings)
    return (_flag if kinds.is_boolean(values.type) else _text)(values, column, zone, findings)


def _wrong_type(values: pa.ChunkedArray, column: str, findings: Findings, dtype: Any) -> pd.Series:
    findings.add("tables.wrong_type", "error", column, found=str(values.type))
    return _empty(len(values), dtype)


def _empty(rows: int, dtype: Any) -> pd.Series:
    return pd.Series(index=pd.RangeIndex(rows), dtype=dtype)


_CONVERTERS: dict[str, Callable[[pa.ChunkedArray, str, str, Findings], pd.Series]] = {
    "id": _id,
    "text": _text,
    "number": _number,
    "whole": _whole,
    "flag": _flag,
    "timestamp": _timestamp,
    "date": _date,
    "month": _month,
    "extra": _extra,
}
_DTYPES: dict[str, Any] = {
    "id": TEXT,
    "text": TEXT,
    "number": "float64",
    "whole": "float64",
    "flag": "boolean",
}


def missing_column(kind: Kind, rows: int, zone: str) -> pd.Series:
    """Make a column of the contract that the file does not have: all missing, in its type."""
    times = {"timestamp": f"datetime64[us, {zone}]"}
    return _empty(rows, times.get(kind) or _DTYPES.get(kind, "datetime64[us]"))
