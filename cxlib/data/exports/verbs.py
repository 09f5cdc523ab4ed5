"""Turn the text of an export into a column of the contract, verb by verb."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from cxlib.data.contract import Kind
from cxlib.data.convert import NO_VALUE, convert, localise, month_starts, read_times
from cxlib.data.exports.mapping import Number, Verb
from cxlib.data.findings import Findings
from cxlib.data.numbers import styled_number
from cxlib.data.text_type import TEXT

MONEY_DIGITS = 6


@dataclass(frozen=True)
class Context:
    """What every column of one table shares: the data set's timezone, the key, and where findings go."""

    zone: str
    key: bytes
    findings: Findings


def column(frame: pd.DataFrame, verb: Verb, kind: Kind, name: str, context: Context) -> pd.Series:
    """One column of the contract in its type; what does not fit is noted and becomes missing."""
    if kind in ("timestamp", "date", "month"):
        return _time(_mapped(_source(frame, verb), verb, name, context), verb, kind, name, context)
    if kind in ("number", "whole"):
        return _number(frame, verb, kind, name, context)
    cells = _mapped(_source(frame, verb), verb, name, context)
    if verb.pseudonymise:
        cells = _pseudonyms(cells, context.key, ignore_case=verb.pseudonymise == "ignore_case")
    if verb.prefix:
        cells = (verb.prefix + cells).where(cells != "", "")
    return _converted(cells, kind, name, context)


def _source(frame: pd.DataFrame, verb: Verb) -> pd.Series:
    if verb.const is not None:
        return pd.Series(verb.const, index=frame.index, dtype=TEXT)
    if verb.row_within is not None:
        numbers = (
            frame.groupby(verb.row_within).cumcount() if verb.row_within else pd.Series(range(len(frame)))
        )
        return (numbers.set_axis(frame.index) + 1).astype(TEXT)
    cells = frame[verb.needs[0]].str.strip()
    for other in (verb.first_non_empty or [])[1:]:
        cells = cells.where(cells != "", frame[other].str.strip())
    return cells


def _mapped(cells: pd.Series, verb: Verb, name: str, context: Context) -> pd.Series:
    if verb.map is None:
        return cells
    table = {source: "" if target is None else target for source, target in verb.map.items()}
    known = cells.isin(list(table))
    mapped = cells.where(known, "").map(lambda cell: table.get(cell, ""))
    unknown = ~known & (cells != "")
    if verb.otherwise == "error":
        context.findings.add("exports.not_in_map", "error", name, unknown)
    return mapped.where(known, cells if verb.otherwise == "keep" else "").astype(TEXT)


def _pseudonyms(cells: pd.Series, key: bytes, *, ignore_case: bool) -> pd.Series:
    """Keyed hashes: the same person always gets the same id, and nobody without the key can find it again."""

    def pseudonym(cell: str) -> str:
        text = unicodedata.normalize("NFKC", cell)
        text = text.casefold() if ignore_case else text
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32]

    table = {cell: pseudonym(cell) for cell in cells.unique() if cell}
    return cells.map(lambda cell: table.get(cell, "")).astype(TEXT)


def _number(frame: pd.DataFrame, verb: Verb, kind: Kind, name: str, context: Context) -> pd.Series:
    if verb.minus is None:
        cells = _mapped(_source(frame, verb), verb, name, context)
        return _converted(plain_numbers(cells, verb.number or Number()), kind, name, context)
    parts = [frame[source].str.strip() for source in verb.minus]
    first, *others = [
        _converted(plain_numbers(part, verb.number or Number()), "number", name, context) for part in parts
    ]
    for other in others:
        first = first - other.fillna(0)
    return first.round(MONEY_DIGITS)


def plain_numbers(cells: pd.Series, style: Number) -> pd.Series:
    """Numbers as an export writes them, in the one form every reader understands."""
    table = {cell: _plain_number(cell, style) for cell in cells.unique()}
    return cells.map(table).astype(TEXT)


def _plain_number(cell: str, style: Number) -> str:
    """Return the number, a mark for a missing one as it is, and ? for what is neither."""
    if cell in ("", *NO_VALUE):
        return cell
    found = styled_number(
        cell,
        thousands=style.thousands,
        decimal=style.decimal,
        symbols=style.symbols,
        negative=style.negative,
    )
    return found or "?"


def _time(cells: pd.Series, verb: Verb, kind: Kind, name: str, context: Context) -> pd.Series:
    """Read times by the declared format and timezone; a day is the day in the data set's timezone."""
    if verb.format is None and verb.timezone is None:
        return _converted(cells, kind, name, context)
    if verb.format is None:
        moments = _converted(cells, "timestamp", name, context, zone=verb.timezone)
    else:
        parsed = read_times(cells.mask(cells == ""), verb.format, utc="%z" in verb.format)
        context.findings.add(
            "exports.not_in_format", "error", name, parsed.isna() & (cells != ""), format=verb.format
        )
        source = verb.timezone or context.zone
        moments = parsed if parsed.dt.tz else localise(parsed, name, source, context.findings)
    moments = moments.dt.tz_convert(context.zone).astype(pd.DatetimeTZDtype("us", context.zone))
    if kind == "timestamp":
        return moments
    days = moments.dt.tz_localize(None).dt.normalize()
    return month_starts(days) if kind == "month" else days


def _converted(
    cells: pd.Series, kind: Kind, name: str, context: Context, *, zone: str | None = None
) -> pd.Series:
    text = pa.chunked_array([pa.array(cells.mask(cells == ""), pa.string())])
    typed = convert(text, kind, column=name, zone=zone or context.zone, findings=context.findings)
    return typed.set_axis(cells.index)
