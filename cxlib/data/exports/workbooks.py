"""Sheets of a workbook (xlsx) as text, as the sheet shows it: 0007 stays 0007, 1001.0 is 1001."""

from __future__ import annotations

import datetime as dt
import os.path
import re
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import pyarrow as pa

from cxlib.checks import InputError, Problem, TableError
from cxlib.checks.near_names import near_names
from cxlib.data.delimited.byte_stream import MOST_COLUMNS, MOST_UNFOLDED, SURELY_FINE
from cxlib.data.exports.reading_models import Reading
from cxlib.data.exports.sheet_marks import markup_of, merged_down, without_value
from cxlib.data.exports.sheets import Sheet

_HALF_A_SECOND = dt.timedelta(microseconds=500_000)
#: A format that pads whole numbers with zeros, such as 0000000 for member numbers.
_PADDED = re.compile(r"0{2,30}")
#: Digits that a spreadsheet keeps of a number; what it shows has no more.
DIGITS = 15
_BROKEN = (
    OSError,
    KeyError,
    ValueError,
    TypeError,
    IndexError,
    AttributeError,
    ParseError,
    zipfile.BadZipFile,
)


def read_workbook(path: Path, name: str, reading: Reading) -> list[Sheet]:
    """Read the sheets that are named, or the only one.

    Raises
    ------
    TableError
        When the workbook is damaged or unfolds to more than an honest one.
    InputError
        When a sheet is not there, or there are several and none is named.
    """
    from openpyxl import load_workbook  # a third of a second that only workbooks need

    with zipfile.ZipFile(path) as archive:
        size = sum(info.file_size for info in archive.infolist())
    if size > max(SURELY_FINE, MOST_UNFOLDED * os.path.getsize(path)):
        raise _stop(name, "tables.unfolds", times=f"{MOST_UNFOLDED:,}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # on styles and validations, which hold no cell
            book = load_workbook(path, read_only=True, data_only=True, keep_links=False)
            sheets = {sheet.title: sheet for sheet in book.worksheets}
            wanted = _wanted(list(sheets), name, reading)
            found = [(title, *_lines(sheets[title], reading)) for title in wanted]
            book.close()
    except _BROKEN as error:
        if isinstance(error, InputError):
            raise
        raise _stop(name, "tables.unreadable") from error
    called = {title: f"{name}:{title}" if len(wanted) > 1 else name for title in wanted}
    return [replace(_sheet(lines, called[title], reading), merged=merged) for title, lines, merged in found]


def _stop(name: str, key: str, **values: object) -> TableError:
    return TableError([Problem(key, "error", name, values=values)])


def _wanted(titles: list[str], name: str, reading: Reading) -> list[str]:
    if reading.sheet is None:
        if len(titles) != 1:
            raise InputError("exports.which_sheet", file=name, count=f"{len(titles):,}")
        return titles
    for title in reading.sheet:
        if title not in titles:
            raise InputError("exports.no_sheet", file=name, sheet=title, nearest=near_names(title, titles))
    return reading.sheet


def _lines(sheet: Any, reading: Reading) -> tuple[list[list[str]], dict[int, int]]:
    """Lines that hold anything, without the first ones, and which columns have merged cells.

    What a workbook says of its size is not trusted. A formula without a value is an error of the sheet.
    """
    sheet.reset_dimensions()
    markup, first = markup_of(sheet), reading.skip + 1
    unknown = without_value(markup)
    lines = [
        ["#N/A" if (row, at) in unknown else _shown(cell) for at, cell in enumerate(cells, 1)]
        for row, cells in enumerate(sheet.iter_rows(min_row=first), first)
    ]
    timed = {
        at
        for line in lines
        for at, cell in enumerate(line)
        if isinstance(cell, dt.datetime) and _has_time(cell)
    }
    told = [
        [cell if isinstance(cell, str) else _time(cell, is_timed=at in timed) for at, cell in enumerate(line)]
        for line in lines
        if any(line)
    ]
    return told, merged_down(markup, first + reading.header_rows)


def _shown(cell: Any) -> Any:
    """Text of a cell: plain figures for numbers, zeros where its format pads with them; a time as it is."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        figures = str(value) if isinstance(value, int) else format(value, f".{DIGITS}g")
        padded = _PADDED.fullmatch(cell.number_format or "")
        return figures.zfill(len(padded[0])) if padded and figures.isdigit() else figures
    return value


def _has_time(value: dt.datetime) -> bool:
    return (value + _HALF_A_SECOND).time().replace(microsecond=0) != dt.time()


def _time(value: Any, *, is_timed: bool) -> str:
    """Return a time in ISO; a day alone where nothing in its column stands at another time than midnight."""
    if isinstance(value, dt.timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
    if isinstance(value, dt.datetime):
        value = (value + _HALF_A_SECOND).replace(microsecond=0)
        return str(value.isoformat(sep=" ") if is_timed else value.date().isoformat())
    return str(value.isoformat())


def _sheet(lines: list[list[str]], name: str, reading: Reading) -> Sheet:
    """Header and rows of one width; the rows end where the footer begins."""
    if not lines:
        raise _stop(name, "tables.empty")
    width = max(map(len, lines))
    if width > MOST_COLUMNS:
        raise _stop(name, "tables.too_many_columns", limit=f"{MOST_COLUMNS:,}", found=f"{width:,}")
    lines = [line + [""] * (width - len(line)) for line in lines]
    header, rows = lines[: reading.header_rows], lines[reading.header_rows :]
    end = next((at for at, line in enumerate(rows) if _ends(line, reading)), len(rows))
    columns = zip(*rows[:end], strict=True) if end else [()] * width
    cells = {f"f{at}": pa.array(column, pa.string()) for at, column in enumerate(columns)}
    return Sheet(name, header, pa.table(cells))


def _ends(line: list[str], reading: Reading) -> bool:
    """Whether a line begins the footer; in a sheet, one with fewer cells is one with its first cell only."""
    footer = reading.footer
    if footer is None:
        return False
    starts = tuple(footer.starts_with or ())
    return bool(starts and line[0].strip().startswith(starts)) or bool(
        footer.fewer_cells and len(line) > 1 and not any(line[1:])
    )
