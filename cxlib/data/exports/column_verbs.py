"""Turn the text of an export into a column of the contract, verb by verb."""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cxlib.data.contract import Kind
from cxlib.data.convert import NO_VALUE, among, convert, matches, month_starts
from cxlib.data.exports.column_models import Add, Number, Part, Verb
from cxlib.data.exports.json_paths import at_path
from cxlib.data.exports.merges import notice_unmerged
from cxlib.data.exports.times import moments, plain
from cxlib.data.findings import Findings
from cxlib.data.ids import is_nobody, plain_id
from cxlib.data.numbers import styled_number
from cxlib.data.odd_ids import judge_before_hiding
from cxlib.data.text_type import TEXT, each, text_column

MONEY_DIGITS = 6
#: Decimals of a factor up to which a product is exact.
DECIMALS = 10
_UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
_LEADING = re.compile(r"\s*([-+−]?[0-9０-９]+(?:[.．][0-9０-９]+)?)")
#: Digits from which on a telephone is told, without leading zeros.
LEAST_DIGITS = 8
#: Columns of money, and names of an export that say theirs is counted in thousands or more.
MONEY = ("amount", "margin", "monthly_amount", "price", "unit_cost", "one_time_cost", "monthly_cost")
_LARGER_UNIT = re.compile(
    r"[千万億]円|(?:^|[\W_])(?:thousands?|millions?|in k|k(?:jpy|usd|eur))(?:$|[\W_])", re.I
)
#: Signs of money that cells show, with the currencies each may be of.
_SIGNS = {
    "¥￥": ("JPY", "CNY"),
    "円": ("JPY",),
    "$＄": ("USD", "AUD", "CAD", "HKD", "MXN", "NZD", "SGD", "TWD"),
    "€": ("EUR",),
    "£￡": ("GBP",),
}
_CLOCK = r"^([0-9]{1,4}):([0-5]?[0-9])(?::([0-5]?[0-9]))?$"


@dataclass(frozen=True)
class Context:
    """What every column of one table shares: zone, currency, key, where findings go, where merged ids lead.

    A class because every verb needs them; `merged` holds the end of each chain by column, `former` the ids
    that another table follows, each with the file that says so, by column, prefix and form of pseudonym.
    """

    zone: str
    key: bytes
    findings: Findings = field(default_factory=lambda: Findings("", 0))
    merged: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    currency: str = ""
    former: Mapping[tuple[str, str, str | None], Mapping[str, str]] = field(default_factory=dict)


def column(frame: pd.DataFrame, verb: Verb, kind: Kind, name: str, context: Context) -> pd.Series:
    """One column of the contract in its type; what does not fit is noted and becomes missing."""
    if kind in ("timestamp", "date", "month"):
        return _time(frame, verb, kind, name, context)
    if kind in ("number", "whole"):
        return _number(frame, verb, kind, name, context)
    if kind == "id" and (verb.pseudonymise or verb.prefix) and verb.pseudonymise != "phone":
        cells = _mapped(_source(frame, verb), verb, name, replace(context, findings=Findings("", 0)))
        cells = each(cells, lambda cell: _folded(cell, verb)) if verb.pseudonymise else cells
        judge_before_hiding(cells, name, context.findings, is_pseudonym=verb.pseudonymise is not None)
    return _converted(texts(frame, verb, name, context), kind, name, context)


def texts(frame: pd.DataFrame, verb: Verb, name: str, context: Context) -> pd.Series:
    """Cells as an id or text takes them, an empty one as ""; rows are compared by it too."""
    cells = _mapped(_source(frame, verb), verb, name, context)
    if verb.pseudonymise:
        cells = each(cells, phone_number) if verb.pseudonymise == "phone" else cells
        cells = _pseudonyms(cells, context.key, verb)
    if not verb.prefix:
        return cells
    return (verb.prefix + each(cells, plain_id)).mask(
        cells.isin([cell for cell in cells.unique() if is_nobody(cell)]), cells
    )


def _source(frame: pd.DataFrame, verb: Verb) -> pd.Series:
    if verb.const is not None:
        return pd.Series(verb.const, index=frame.index, dtype=TEXT)
    if verb.row_within is not None:
        numbers = (
            frame.groupby(verb.row_within, sort=False).cumcount()
            if verb.row_within
            else pd.Series(range(len(frame)))
        )
        return (numbers.set_axis(frame.index) + 1).astype(TEXT)
    if verb.join:
        return _joined(
            [_padded(frame[part].str.strip(), verb, at) for at, part in enumerate(verb.join)], verb
        )
    cells = _padded(frame[verb.needs[0]].str.strip(), verb, -1)
    for other in (verb.first_non_empty or [])[1:]:
        cells = cells.where(cells != "", _padded(frame[other].str.strip(), verb, -1))
    return cells


def _padded(cells: pd.Series, verb: Verb, at: int) -> pd.Series:
    """Give digits their leading zeros back: in the only part, or in the last that is joined."""
    if not verb.zero_pad or (verb.join and at < len(verb.join) - 1):
        return cells
    return cells.where(~matches(cells, "^[0-9０-９]+$"), cells.str.zfill(verb.zero_pad))


def _joined(parts: list[pd.Series], verb: Verb) -> pd.Series:
    """Texts put together; an empty one leaves no sign between behind."""
    cells = parts[0]
    for part in parts[1:]:
        both = cells + verb.between + part
        cells = both.where((cells != "") & (part != ""), cells + part)
    return cells


def _mapped(cells: pd.Series, verb: Verb, name: str, context: Context) -> pd.Series:
    """Cells after the verbs that turn a text into another: path, part, follow, map."""
    if verb.path:
        cells = at_path(cells, verb.path, name, context.findings)
    if verb.part:
        cells = each(cells, _cutter(verb.part))
    if verb.follow:
        ends = context.merged[name]
        notice_unmerged(cells, ends, name, verb.follow.name, context.findings)
        cells = each(cells, lambda cell: ends.get(cell, cell))
    elif former := context.former.get((name, verb.prefix, verb.pseudonymise)):
        other = next(iter(former.values()))
        is_former = cells.isin(list(former))
        context.findings.add("exports.follow_in_part", "notice", name, is_former, other=other)
    if verb.map is None:
        return cells
    table = {source: "" if target is None else target for source, target in verb.map.items()}
    if verb.otherwise == "error":
        known = cells.isin(["", *table])
        context.findings.add("exports.not_in_map", "error", name, ~known)
    is_kept = verb.otherwise == "keep"
    return each(cells, lambda cell: table.get(cell, cell if is_kept else ""))


def _cutter(part: Part) -> Callable[[str], str]:
    """How one text is cut."""
    if part.before:
        return lambda cell: cell.split(part.before)[0].strip()
    if part.after:
        return lambda cell: cell.removeprefix(part.after or "").strip()
    if part.leading_number:
        return lambda cell: found[1] if (found := _LEADING.match(cell)) else cell
    at = (part.item or 1) - 1
    return lambda cell: (cell.split(part.of)[at:] or [""])[0].strip()


def phone_number(cell: str) -> str:
    """Return the digits that tell a telephone: without signs, leading zeros and Japan's own prefix.

    A spreadsheet takes the zeros away, so they tell nothing. What has fewer than eight digits, or one digit
    over and over at its end, is nobody's number.

    Examples
    --------
    >>> phone_number("090-1234-5678"), phone_number("+81 90 1234 5678"), phone_number("９０１２３４５６７８")
    ('9012345678', '9012345678', '9012345678')
    >>> phone_number("000-0000-0000"), phone_number("090-0000-0000"), phone_number("なし")
    ('', '', '')
    """
    text = unicodedata.normalize("NFKC", cell).strip()
    digits = re.sub(r"[^0-9]", "", re.sub(r"^(\+|00)81", "", text)).lstrip("0")
    return digits if len(digits) >= LEAST_DIGITS and len(set(digits[-LEAST_DIGITS:])) > 1 else ""


def _pseudonyms(cells: pd.Series, key: bytes, verb: Verb) -> pd.Series:
    """Keyed hashes: the same person always gets the same id, and nobody without the key can find it again.

    A word for nobody stays as it is, or all who are unknown would become one person.
    """

    def pseudonym(cell: str) -> str:
        text = plain_id(_folded(cell, verb))
        return cell if is_nobody(text) else hmac.digest(key, text.encode(), "sha256").hex()[:32]

    return each(cells, pseudonym)


def _folded(cell: str, verb: Verb) -> str:
    """Text by which a person is known: one width and, on request, one case."""
    text = unicodedata.normalize("NFKC", cell)
    return text.casefold() if verb.pseudonymise == "ignore_case" else text


def _number(frame: pd.DataFrame, verb: Verb, kind: Kind, name: str, context: Context) -> pd.Series:
    style = verb.number or Number()
    if name in MONEY and not style.counts and any(_LARGER_UNIT.search(source) for source in verb.needs):
        context.findings.add("exports.unit_in_name", "notice", name)

    for source in verb.needs if name in MONEY and style.symbols else ():  # others read no cell with a sign
        context.findings.add("exports.other_currency", "error", name, _shows_other(frame[source], context))

    def written(sources: list[str]) -> list[pd.Series]:
        return [plain_numbers(frame[source].str.strip(), style) for source in sources]

    def numbers(sources: list[str]) -> list[pd.Series]:
        return [_converted(part, "number", name, context) for part in written(sources)]

    if verb.product:
        made = _product(written(verb.product), name, context)
    elif verb.minus:
        first, *others = numbers(verb.minus)
        made = _less(first, others)
    else:
        cells = _mapped(_source(frame, verb), verb, name, context)
        made = _converted(plain_numbers(cells, style), kind, name, context)
    if not verb.less:
        return made
    taken = numbers(verb.less)
    for source, part in zip(verb.less, taken, strict=True):
        context.findings.add("exports.less_below_zero", "notice", name, part < 0, source=source)
    return _less(made, taken)


def _shows_other(cells: pd.Series, context: Context) -> pd.Series:
    """Cells with the sign or code of a currency that is not the data set's: 100 of them are no 100 of its."""
    codes = {code for signs in _SIGNS.values() for code in signs} - {context.currency}
    signs = "".join(sign for sign, codes in _SIGNS.items() if context.currency not in codes)
    return matches(cells, f"[{signs}]|(?:^|[^A-Z])(?:{'|'.join(sorted(codes))})(?:$|[^A-Z])")


def _less(first: pd.Series, others: list[pd.Series]) -> pd.Series:
    """Subtract the others; an empty one is nothing."""
    for other in others:
        first = first - other.fillna(0)
    return first.round(MONEY_DIGITS)


def _product(parts: list[pd.Series], name: str, context: Context) -> pd.Series:
    """Multiply as decimals, so that 19.99 × 3 is 59.97; missing where one is missing or no number.

    Two numbers below zero stay below: an export that writes a return with both signs means one return.
    """
    factors = []
    for part in parts:
        context.findings.add("exports.not_a_number", "error", name, part == "?")
        none = among(part, pd.Series(["", "?", *NO_VALUE], dtype=TEXT))
        factors.append(pa.array(part.mask(none), pa.string()))
    try:
        left, right = (factor.cast(pa.decimal256(37, DECIMALS)) for factor in factors)
        exact = pc.multiply(left, right).cast(pa.string()).cast(pa.float64())
    except pa.ArrowInvalid:  # more decimals than money has
        exact = pc.multiply(*(factor.cast(pa.float64()) for factor in factors))
    made = pd.Series(exact.to_numpy(zero_copy_only=False), parts[0].index)
    both = np.logical_and(*(part.str.startswith("-").to_numpy(dtype=bool, na_value=False) for part in parts))
    context.findings.add("exports.both_below_zero", "notice", name, both & (made > 0).to_numpy())
    return made.mask(both, -made)


def plain_numbers(cells: pd.Series, style: Number) -> pd.Series:
    """Numbers as an export writes them, in the one form every reader understands."""
    usual = r"^-?[0-9]+(?:\.[0-9]*)?$" if style.decimal == "." else r"^-?[0-9]+$"
    is_plain = matches(cells, usual)
    if not is_plain.all():
        read = each(cells.where(~is_plain, ""), lambda cell: _plain_number(cell, style))
        cells = cells.where(is_plain, read)
    return cells if style.times == 1 else each(cells, lambda cell: _times(cell, style.times))


def _times(cell: str, times: int) -> str:
    """Give a number in ones that was written in thousands, say."""
    try:
        return format(Decimal(cell) * times, "f")
    except InvalidOperation:
        return cell


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


def _time(frame: pd.DataFrame, verb: Verb, kind: Kind, name: str, context: Context) -> pd.Series:
    """Read times by the declared formats and timezone; a day is the day in the data set's timezone."""
    cells = _mapped(_source(frame, verb), verb, name, context)
    if verb.format is None and verb.timezone is None and verb.add is None:
        return _converted(plain(cells), kind, name, context)
    zone = verb.timezone or context.zone
    if verb.format is None:
        found = _converted(plain(cells), "timestamp", name, context, zone=zone)
    else:
        found, failed = moments(cells, verb.format, name, zone, context.findings)
        context.findings.add("exports.not_in_format", "error", name, failed, format=" / ".join(verb.format))
    if verb.add:
        found = found + _durations(frame[verb.add.column].str.strip(), verb.add, name, context)
    found = found.dt.tz_convert(context.zone).astype(pd.DatetimeTZDtype("us", context.zone))
    if kind == "timestamp":
        return found
    days = found.dt.tz_localize(None).dt.normalize()
    return month_starts(days) if kind == "month" else days


def _durations(cells: pd.Series, rule: Add, name: str, context: Context) -> pd.Series:
    """Durations of a column; an empty one leaves the time it is added to missing."""
    if rule.unit == "clock":
        parts = plain(cells).str.extract(_CLOCK).apply(pd.to_numeric)
        seconds = parts[0] * 3600 + parts[1] * 60 + parts[2].fillna(0)
        context.findings.add("exports.not_a_duration", "error", name, seconds.isna() & (cells != ""))
    else:
        numbers = _converted(plain_numbers(cells, Number(thousands=",")), "number", name, context)
        seconds = numbers * _UNITS[rule.unit]
    return pd.to_timedelta((seconds * 1_000_000).round(), unit="us").astype("timedelta64[us]")


def _converted(
    cells: pd.Series, kind: Kind, name: str, context: Context, *, zone: str | None = None
) -> pd.Series:
    text = text_column(cells.mask(cells == ""))
    typed = convert(text, kind, column=name, zone=zone or context.zone, findings=context.findings)
    return typed.set_axis(cells.index)
