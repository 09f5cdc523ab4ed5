"""Turn columns as they lie in a file into the types of the contract, once; say what could not be turned."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from cxlib.checks import Problem
from cxlib.contract import PERSONAL_NAMES, PERSONAL_VALUES, Kind

LOOKED_AT = 2_000
NO_VALUE = ("NA", "N/A", "#N/A", "NULL", "null", "NaN", "nan", "None", "-")
FLAGS = {"true": True, "t": True, "yes": True, "y": True, "1": True, "1.0": True}
FLAGS |= {"false": False, "f": False, "no": False, "n": False, "0": False, "0.0": False}
AWARE = r":\d\d(?:\.\d+)?\s*(?:[zZ]|[+-]\d\d(?::?\d\d)?)$"


@dataclass
class Findings:
    """What is found in one table; a class because every check adds to the same list and row count.

    `numbers` holds the place of each row in its file, from 0, when rows have been left out since.
    """

    file: str
    total: int
    problems: list[Problem] = field(default_factory=list)
    numbers: np.ndarray | None = None

    def add(
        self,
        key: str,
        level: Literal["error", "notice"],
        column: str = "",
        mask: Any = None,
        **values: object,
    ) -> None:
        """Note a finding; with a mask only when it marks any row."""
        if mask is None:
            self.problems.append(Problem(key, level, self.file, column, 0, self.total, (), values))
            return
        at = np.flatnonzero(np.asarray(mask, dtype=bool))
        if len(at):
            first = at[:3] if self.numbers is None else self.numbers[at[:3]]
            rows = tuple(int(row) + 1 for row in first)
            self.problems.append(Problem(key, level, self.file, column, len(at), self.total, rows, values))

    @property
    def failed(self) -> bool:
        """Whether an error is among the findings."""
        return any(problem.level == "error" for problem in self.problems)


def convert(
    values: pa.ChunkedArray, kind: Kind | None, *, column: str, zone: str, findings: Findings
) -> pd.Series:
    """Convert one column to the type of its kind; what does not fit becomes missing and an error is noted."""
    values = _plain(values)
    if kinds.is_null(values.type):
        values = values.cast(pa.string())
    try:
        return _CONVERTERS[kind or "extra"](values, column, zone, findings)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        findings.add("tables.wrong_type", "error", column, found=str(values.type))
        return missing_column(kind or "text", len(values), zone)


def _plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    if kinds.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if kinds.is_large_string(values.type) or kinds.is_string_view(values.type):
        values = values.cast(pa.string())
    return values


def matches(strings: pd.Series, pattern: str) -> pd.Series:
    """Whether each text fits a pattern, by pyarrow's linear-time engine; a missing text does not."""
    found = pc.match_substring_regex(pa.array(strings, pa.string()), pattern)
    return pd.Series(pc.fill_null(found, fill_value=False).to_numpy(zero_copy_only=False), strings.index)


def among(ids: pd.Series, known: pd.Series) -> pd.Series:
    """Whether each id is among the known ones; ten times as fast as pandas where ids are texts."""
    if pd.api.types.is_numeric_dtype(ids):
        return ids.isin(known)
    found = pc.is_in(pa.array(ids, pa.string()), value_set=pa.array(known, pa.string()).drop_null())
    return pd.Series(found.to_numpy(zero_copy_only=False), ids.index)


def is_personal(values: pa.ChunkedArray, column: str) -> bool:
    """Whether a column beyond the contract is, by its name or its content, about reaching a person."""
    return has_personal_name(column) or looks_personal(values)


def has_personal_name(column: str) -> bool:
    """Whether a column is called like a name, a mail address, a phone number or a street address."""
    return re.search(PERSONAL_NAMES, column, re.IGNORECASE) is not None


def looks_personal(values: pa.ChunkedArray) -> bool:
    """Whether most of the first values are mail addresses or phone numbers."""
    if not kinds.is_string(values.type):
        return False
    seen = values.slice(0, LOOKED_AT).drop_null()
    return bool(len(seen)) and pc.mean(pc.match_substring_regex(seen, PERSONAL_VALUES)).as_py() > 0.5


def _text(values: pa.ChunkedArray, column: str, zone: str, findings: Findings) -> pd.Series:
    if not kinds.is_string(values.type):
        if kinds.is_nested(values.type) or kinds.is_binary(values.type):
            return _wrong_type(values, column, findings, "str")
        values = values.cast(pa.string())
    return _strings(pc.if_else(pc.equal(values, ""), None, values))


def _strings(values: pa.ChunkedArray) -> pd.Series:
    return pd.Series(values.to_pandas(), dtype="str")


def _id(values: pa.ChunkedArray, column: str, zone: str, findings: Findings) -> pd.Series:
    if kinds.is_floating(values.type):
        broken = pc.fill_null(pc.not_equal(pc.floor(values), values), fill_value=False)
        if pc.any(broken).as_py():
            findings.add("tables.id_fraction", "error", column, broken.to_numpy())
            return _empty(len(values), "str")
        findings.add("tables.id_number", "notice", column)
        values = values.cast(pa.int64())
    if not kinds.is_string(values.type):
        return _text(values, column, zone, findings)
    trimmed = pc.utf8_trim_whitespace(values)
    scientific = pc.fill_null(pc.match_substring_regex(trimmed, r"^\d(?:\.\d+)?[eE]\+\d+$"), fill_value=False)
    if pc.any(scientific).as_py():
        findings.add("tables.id_scientific", "error", column, scientific.to_numpy())
    return _text(trimmed, column, zone, findings)


def _number(values: pa.ChunkedArray, column: str, zone: str, findings: Findings) -> pd.Series:
    if kinds.is_integer(values.type) or kinds.is_floating(values.type) or kinds.is_decimal(values.type):
        return pd.Series(values.cast(pa.float64(), safe=False).to_pandas(), dtype="float64")
    if not kinds.is_string(values.type):
        return _wrong_type(values, column, findings, "float64")
    try:
        return pd.Series(values.cast(pa.float64()).to_pandas(), dtype="float64")
    except pa.ArrowInvalid:
        return _number_from_text(_strings(values), column, findings)


def _number_from_text(strings: pd.Series, column: str, findings: Findings) -> pd.Series:
    strings = _without_markers(strings, column, findings)
    numbers = pd.to_numeric(strings, errors="coerce").astype("float64")
    failed = numbers.isna() & strings.notna()
    if failed.any():
        wide = strings[failed].map(lambda cell: unicodedata.normalize("NFKC", cell).replace("−", "-"))
        numbers[failed] = pd.to_numeric(wide, errors="coerce")
        still = numbers.isna() & strings.notna()
        findings.add("tables.full_width", "notice", column, failed & ~still)
        findings.add("tables.not_a_number", "error", column, still)
    return numbers


def _without_markers(strings: pd.Series, column: str, findings: Findings) -> pd.Series:
    strings = strings.str.strip()
    marked = among(strings, pd.Series(NO_VALUE, dtype="str"))
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
    found = pd.Series(values.cast(unit, safe=False).to_pandas())
    return _in_zone(found, column, zone, findings)


def _in_zone(found: pd.Series, column: str, zone: str, findings: Findings) -> pd.Series:
    aware = found.dt.tz_convert(zone) if found.dt.tz is not None else localise(found, column, zone, findings)
    return aware.astype(pd.DatetimeTZDtype("us", zone))


def localise(naive: pd.Series, column: str, zone: str, findings: Findings) -> pd.Series:
    """Local times as instants; times the clock skips or repeats are settled and noted."""
    try:
        return naive.dt.tz_localize(zone)
    except ValueError:
        first = np.ones(len(naive), dtype=bool)
        unclear = naive.dt.tz_localize(zone, ambiguous="NaT", nonexistent="shift_forward")
        skipped = naive.dt.tz_localize(zone, ambiguous=first, nonexistent="NaT")
        findings.add("tables.clock_repeats", "notice", column, unclear.isna() & naive.notna())
        findings.add("tables.clock_skips", "notice", column, skipped.isna() & naive.notna())
        return naive.dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")


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
    findings.add("tables.not_a_time", "error", column, found.isna() & strings.notna())
    return found.astype(pd.DatetimeTZDtype("us", zone))


def _dates_only(strings: pd.Series, column: str, findings: Findings) -> pd.Series:
    strings = _without_markers(strings, column, findings)
    zero = strings.str.startswith("0000-00-00", na=False)
    findings.add("tables.zero_date", "notice", column, zero)
    return strings.mask(zero)


def _parsed(strings: pd.Series, *, utc: bool = False) -> pd.Series:
    long_enough = strings.where(strings.str.len() >= len("20260105"))
    parsed = pd.to_datetime(long_enough, format="ISO8601", errors="coerce", utc=utc)
    return parsed.astype("datetime64[us, UTC]" if utc else "datetime64[us]")


def _date(values: pa.ChunkedArray, column: str, zone: str, findings: Findings) -> pd.Series:
    if kinds.is_date(values.type):
        return pd.Series(values.cast(pa.timestamp("us")).to_pandas(), dtype="datetime64[us]")
    if kinds.is_timestamp(values.type) or kinds.is_string(values.type):
        if kinds.is_string(values.type) or values.type.tz is not None:
            moments = _timestamp(values, column, zone, findings).dt.tz_localize(None)
        else:
            moments = pd.Series(values.cast(pa.timestamp("us"), safe=False).to_pandas())
        return moments.dt.normalize().astype("datetime64[us]")
    return _wrong_type(values, column, findings, "datetime64[us]")


def _month(values: pa.ChunkedArray, column: str, zone: str, findings: Findings) -> pd.Series:
    if kinds.is_string(values.type):
        bare = pc.match_substring_regex(values, r"^\d{4}-\d{2}$")
        values = pc.if_else(bare, pc.binary_join_element_wise(values, "01", "-"), values)
    days = _date(values, column, zone, findings)
    return (days - pd.to_timedelta(days.dt.day - 1, unit="D")).astype("datetime64[us]")


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


def _wrong_type(values: pa.ChunkedArray, column: str, findings: Findings, dtype: str) -> pd.Series:
    findings.add("tables.wrong_type", "error", column, found=str(values.type))
    return _empty(len(values), dtype)


def _empty(rows: int, dtype: str) -> pd.Series:
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
_DTYPES = {"id": "str", "text": "str", "number": "float64", "whole": "float64", "flag": "boolean"}


def missing_column(kind: Kind, rows: int, zone: str) -> pd.Series:
    """Make a column of the contract that the file does not have: all missing, in its type."""
    times = {"timestamp": f"datetime64[us, {zone}]"}
    return _empty(rows, times.get(kind) or _DTYPES.get(kind, "datetime64[us]"))
