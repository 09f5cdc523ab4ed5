"""Draft a mapping from the names of an unknown export; no value of the file is written into it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa

from cxlib.checks import InputError, TableError
from cxlib.checks.near_names import looks_like_data
from cxlib.data.contract import TABLES, Column, Table
from cxlib.data.convert import matches, read_times
from cxlib.data.exports.column_models import Number
from cxlib.data.exports.column_verbs import plain_numbers
from cxlib.data.exports.column_words import PRICE, guess_columns, guess_table
from cxlib.data.exports.reading_models import Reading
from cxlib.data.exports.sheets import Sheet, names_of
from cxlib.data.exports.source_files import read_sheets
from cxlib.data.exports.times import moments
from cxlib.data.file_kinds import kind_of
from cxlib.data.findings import Findings
from cxlib.data.personal_columns import has_personal_name, holds_contacts, is_personal, looks_personal
from cxlib.data.text_type import FROM_ARROW, text_column
from cxlib.language import text

DELIMITERS = (",", "\t", ";", "|")
#: Ways of writing a time that are tried; what reads every cell is proposed, never taken.
FORMATS = (
    "%Y-%m-%d %H:%M:%S %z",
    "%Y-%m-%d %H:%M:%S %Z",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y年%m月%d日",
    "%Y年%m月%d日 %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%Y%m%d",
    "google_forms_ja",
    "era",
    "epoch_s",
    "epoch_ms",
    "epoch_us",
    "excel_serial",
)
NUMBERS = (
    {"thousands": ","},
    {"thousands": ",", "symbols": ["¥", "円"]},
    {"thousands": ",", "symbols": ["$"]},
    {"thousands": ".", "decimal": ",", "symbols": ["€"]},
    {"thousands": " ", "decimal": ",", "symbols": ["€"]},
)
#: Required columns that no export has to hold.
WITHOUT_SOURCE = {
    "line": "{const: 1}",
    "customer_type": "{const: consumer}",
    "survey": "{const: relationship}",
    "assignment": "{const: targeted}",
}
GENERATED = ("response_id", "event_id")
#: A time of day in a column of its own, and the units in which a name says that money is counted.
_CLOCK = r"^(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?$"
_TIMES = {
    "百万円": 1_000_000,
    "万円": 10_000,
    "千円": 1000,
    "億円": 100_000_000,
    "thousand": 1000,
    "million": 1_000_000,
}


def draft_mapping(file: str | Path, *, lang: str = "en") -> str:
    """Commented mapping of one file, to be finished by hand.

    Parameters
    ----------
    file : str or Path
        A file whose first line holds names.
    lang : {"en", "ja"}
        Language of the comments.

    Returns
    -------
    str
        YAML. Columns of the contract have the nearest name of the file; ways of writing times and numbers
        that read every cell stand as comments; columns about persons are left out by name.

    Raises
    ------
    InputError
        When the file cannot be read, or its first line holds data instead of names.
    """
    path = Path(file)
    frame, reading = _read(path)
    names = [str(name) for name in frame.columns]
    if looks_like_data(names) or looks_personal(text_column(names)):
        raise InputError("exports.no_names", file=path.name[:80])
    table = guess_table(names)
    return "\n".join(_lines(frame, table, path.name, reading, lang)) + "\n"


def _read(path: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """Cells of a file under its names, and what the mapping says of how it is written."""
    if not path.is_file():
        raise InputError("exports.no_file", file=path.name[:80], nearest="–")
    said: dict[str, str] = {}
    if kind_of(path) == "text":
        with path.open("rb") as lines:
            first = lines.readline()
        sign = max(DELIMITERS, key=lambda sign: first.count(sign.encode()))
        said = {"delimiter": sign} if sign != DELIMITERS[0] else {}
    try:
        sheet = _first_sheet(path, said)
    except TableError as error:
        if error.problems[0].key != "exports.encoding":
            raise
        said |= {"encoding": str(error.problems[0].values["likely"])}  # noqa: PD011 -- no frame
        sheet = _first_sheet(path, said)
    names = names_of(sheet, "first")
    called = [
        f"{name}#{names[: at + 1].count(name)}" if names.count(name) > 1 else name or f"#{at + 1}"
        for at, name in enumerate(names)
    ]
    return sheet.rows.rename_columns(called).to_pandas(types_mapper=FROM_ARROW), said


def _first_sheet(path: Path, said: dict[str, str]) -> Sheet:
    return read_sheets(path.parent, Reading.model_validate({"file": path.name, **said}))[0]


def _lines(frame: pd.DataFrame, table: str, file: str, reading: dict[str, str], lang: str) -> Iterator[str]:
    spec, names = TABLES[table], [str(name) for name in frame.columns]
    guessed = guess_columns(spec, names)
    beside = _beside(frame, spec, guessed)
    yield from _comments("exports.draft_head", lang, file=file, table=table)
    yield "data_set: {name: My shop}"
    yield "tables:"
    yield f"  {table}:"
    yield f"    file: {_quoted(file)}"
    for key, value in reading.items():
        yield f"    {key}: {_quoted(value)}"
    yield "    columns:"
    for name, rule in spec.columns.items():
        yield from _column(frame, name, rule, guessed, beside, lang)
    taken = [*guessed.values(), *(source for sources in beside.values() for source in sources)]
    own = [name for name in names if name and name not in taken]
    personal = [name for name in own if is_personal(_cells(frame, name), name)]
    if personal:
        yield from _comments("exports.draft_personal", lang, "    ", names=", ".join(map(_quoted, personal)))
    others = [name for name in own if name not in personal]
    if others:
        yield from _comments("exports.draft_others", lang, "    ")
        yield "    # extra:"
        for name in others:
            yield f"    #   my_{names.index(name) + 1}: {{from: {_quoted(name)}}}"


def _beside(frame: pd.DataFrame, spec: Table, guessed: dict[str, str]) -> dict[str, list[str]]:
    """Find sources that no name tells: a day with its time of day, a price by pieces, a person by an address.

    The columns of each are put together, multiplied or made a pseudonym; `guessed` loses what is told better.
    """
    free = [str(name) for name in frame.columns if name and name not in guessed.values()]
    found: dict[str, list[str]] = {}
    if spec.time in guessed and (clock := [name for name in free if _are_clocks(frame[name])]):
        found[spec.time] = [guessed[spec.time], clock[0]]
    prices = [name for name in [*free, guessed.get("amount", "")] if PRICE.search(name)]
    if "quantity" in guessed and prices:
        found["amount"] = [prices[0], guessed["quantity"]]
    mails = [name for name in free if holds_contacts(_cells(frame, name))]
    if "customer_id" in spec.columns and "customer_id" not in guessed and mails:
        found["customer_id"] = mails[:1]
    return found


def _are_clocks(cells: pd.Series) -> bool:
    filled = cells[cells.str.strip() != ""]
    return len(filled) > 0 and bool(matches(filled.str.strip(), _CLOCK).all())


def _column(
    frame: pd.DataFrame,
    name: str,
    rule: Column,
    guessed: dict[str, str],
    beside: dict[str, list[str]],
    lang: str,
) -> Iterator[str]:
    sources = beside.get(name) or [source for source in [guessed.get(name)] if source]
    if not sources:
        yield from _without_source(name, rule, guessed, lang)
        return
    verb = {"amount": "product", "customer_id": "from"}.get(name, "join") if name in beside else "from"
    if name in beside:
        yield from _comments(f"exports.draft_{verb}", lang, "      ")
    named = sources[0] if verb == "from" else sources
    yield f"      {name}:"
    yield f"        {verb}: {json.dumps(named, ensure_ascii=False)}"
    cells = frame[sources[0]].str.strip()
    if rule.kind in ("timestamp", "date", "month"):
        yield from _formats(cells if verb == "from" else cells + " " + frame[sources[1]].str.strip(), lang)
    elif rule.kind in ("number", "whole"):
        yield from _numbers(cells, sources[0], lang)
    elif has_personal_name(sources[0]) or is_personal(_cells(frame, sources[0]), sources[0]):
        yield "        pseudonymise: ignore_case"


def _without_source(name: str, rule: Column, guessed: dict[str, str], lang: str) -> Iterator[str]:
    """Say what stands in for a column that the file lacks, where the table needs it."""
    if name in GENERATED:
        yield f"      {name}: {{row_within: []}}"
    elif name in WITHOUT_SOURCE:
        within = guessed.get("order_id")
        rows = f"{{row_within: [{_quoted(within)}]}}" if name == "line" and within else ""
        yield f"      {name}: {rows or WITHOUT_SOURCE[name]}"
    elif rule.required:
        yield from _comments("exports.draft_lacks", lang, "      ", column=name)
        yield f"      {name}: {{from: FILL IN}}"


def _formats(cells: pd.Series, lang: str) -> Iterator[str]:
    filled = cells[cells != ""]
    if filled.empty or read_times(filled, "ISO8601", utc=True).notna().all():
        return
    fits = [form for form in FORMATS if not moments(filled, [form], "", "UTC", Findings("", 0))[1].any()]
    yield from _comments("exports.draft_format" if fits else "exports.draft_no_format", lang, "        ")
    for form in fits:
        yield f"        # format: {_quoted(form)}"


def _numbers(cells: pd.Series, source: str, lang: str) -> Iterator[str]:
    filled = cells[cells != ""]
    times = next((times for unit, times in _TIMES.items() if unit in source.lower()), 1)
    if not (plain_numbers(filled, Number()) == "?").any():
        if times > 1:
            yield from _comments("exports.draft_number", lang, "        ")
            yield f"        # number: {json.dumps({'times': times})}"
        return
    fits = [style for style in NUMBERS if not (plain_numbers(filled, Number(**style)) == "?").any()]
    fits = [style for style in fits if style is fits[0] or style.get("decimal") != fits[0].get("decimal")][:2]
    yield from _comments("exports.draft_number" if fits else "exports.draft_no_number", lang, "        ")
    for style in fits:
        told = style | ({"times": times} if times > 1 else {})
        yield f"        # number: {json.dumps(told, ensure_ascii=False)}"


def _comments(key: str, lang: str, indent: str = "", **values: object) -> Iterator[str]:
    for line in text(key, lang, **values).splitlines():
        yield f"{indent}# {line}"


def _cells(frame: pd.DataFrame, name: str) -> pa.ChunkedArray:
    return text_column(frame[name])


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
