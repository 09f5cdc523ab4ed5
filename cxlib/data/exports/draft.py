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
from cxlib.data.convert import read_times
from cxlib.data.exports.column_models import Number
from cxlib.data.exports.column_verbs import plain_numbers
from cxlib.data.exports.column_words import guess_columns, guess_table
from cxlib.data.exports.reading_models import Reading
from cxlib.data.exports.sheets import names_of
from cxlib.data.exports.source_files import read_sheets
from cxlib.data.exports.times import moments
from cxlib.data.file_kinds import kind_of
from cxlib.data.findings import Findings
from cxlib.data.personal_columns import has_personal_name, is_personal, looks_personal
from cxlib.data.text_type import FROM_ARROW
from cxlib.language import text

ENCODINGS = ("utf-8", "cp932", "utf-16")
DELIMITERS = (",", "\t", ";", "|")
#: Ways of writing a time that are tried; what reads every cell is proposed, never taken.
FORMATS = (
    "%Y-%m-%d %H:%M:%S %z",
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
    if looks_like_data(names) or looks_personal(pa.chunked_array([pa.array(names, pa.string())])):
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
    for encoding in ENCODINGS:
        own = said | ({"encoding": encoding} if encoding != ENCODINGS[0] else {})
        try:
            sheet, *_ = read_sheets(path.parent, Reading.model_validate({"file": path.name, **own}))
        except TableError as error:
            if error.problems[0].key != "exports.encoding" or encoding == ENCODINGS[-1]:
                raise
            continue
        break
    names = names_of(sheet, "first")
    called = [
        f"{name}#{names[: at + 1].count(name)}" if names.count(name) > 1 else name or f"#{at + 1}"
        for at, name in enumerate(names)
    ]
    return sheet.rows.rename_columns(called).to_pandas(types_mapper=FROM_ARROW), own


def _lines(frame: pd.DataFrame, table: str, file: str, reading: dict[str, str], lang: str) -> Iterator[str]:
    spec, names = TABLES[table], [str(name) for name in frame.columns]
    guessed = guess_columns(spec, names)
    yield from _comments("exports.draft_head", lang, file=file, table=table)
    yield "data_set: {name: My shop}"
    yield "tables:"
    yield f"  {table}:"
    yield f"    file: {_quoted(file)}"
    for key, value in reading.items():
        yield f"    {key}: {_quoted(value)}"
    yield "    columns:"
    for name, rule in spec.columns.items():
        yield from _column(frame, name, rule, guessed, spec, lang)
    own = [name for name in names if name and name not in guessed.values()]
    personal = [name for name in own if is_personal(_cells(frame, name), name)]
    if personal:
        yield from _comments("exports.draft_personal", lang, "    ", names=", ".join(map(_quoted, personal)))
    others = [name for name in own if name not in personal]
    if others:
        yield from _comments("exports.draft_others", lang, "    ")
        yield "    # extra:"
        for name in others:
            yield f"    #   my_{names.index(name) + 1}: {{from: {_quoted(name)}}}"


def _column(
    frame: pd.DataFrame, name: str, rule: Column, guessed: dict[str, str], spec: Table, lang: str
) -> Iterator[str]:
    source = guessed.get(name)
    if source is None:
        if name in GENERATED:
            yield f"      {name}: {{row_within: []}}"
        elif name in WITHOUT_SOURCE:
            within = guessed.get("order_id")
            rows = f"{{row_within: [{_quoted(within)}]}}" if name == "line" and within else ""
            yield f"      {name}: {rows or WITHOUT_SOURCE[name]}"
        elif rule.required:
            yield from _comments("exports.draft_lacks", lang, "      ", column=name)
            yield f"      {name}: {{from: FILL IN}}"
        return
    yield f"      {name}:"
    yield f"        from: {_quoted(source)}"
    cells = frame[source].str.strip()
    if rule.kind in ("timestamp", "date", "month"):
        yield from _formats(cells, lang)
    elif rule.kind in ("number", "whole"):
        yield from _numbers(cells, lang)
    elif has_personal_name(source) or is_personal(_cells(frame, source), source):
        yield "        pseudonymise: ignore_case"


def _formats(cells: pd.Series, lang: str) -> Iterator[str]:
    filled = cells[cells != ""]
    if filled.empty or read_times(filled, "ISO8601", utc=True).notna().all():
        return
    fits = [form for form in FORMATS if not moments(filled, [form], "", "UTC", Findings("", 0))[1].any()]
    yield from _comments("exports.draft_format" if fits else "exports.draft_no_format", lang, "        ")
    for form in fits:
        yield f"        # format: {_quoted(form)}"


def _numbers(cells: pd.Series, lang: str) -> Iterator[str]:
    filled = cells[cells != ""]
    if not (plain_numbers(filled, Number()) == "?").any():
        return
    fits = [style for style in NUMBERS if not (plain_numbers(filled, Number(**style)) == "?").any()]
    fits = [style for style in fits if style is fits[0] or style.get("decimal") != fits[0].get("decimal")][:2]
    yield from _comments("exports.draft_number" if fits else "exports.draft_no_number", lang, "        ")
    for style in fits:
        yield f"        # number: {json.dumps(style, ensure_ascii=False)}"


def _comments(key: str, lang: str, indent: str = "", **values: object) -> Iterator[str]:
    for line in text(key, lang, **values).splitlines():
        yield f"{indent}# {line}"


def _cells(frame: pd.DataFrame, name: str) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(frame[name], pa.string())])


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
