"""What a sheet of a workbook holds besides its values: merged cells, and formulas that nobody worked out."""

from __future__ import annotations

import re
from typing import Any

#: Cell with a formula and without a value: programs write such workbooks, and no spreadsheet opened them.
_NO_VALUE = re.compile(
    rb'<c r="([A-Z]{1,3})([0-9]{1,7})"[^>]*><f[^>]*(?:/>|>[^<]*</f>)(?:<v\s*/>|<v></v>)?</c>'
)
_MERGED = re.compile(rb'<mergeCell ref="([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})"')


def markup_of(sheet: Any) -> bytes:
    """Markup of a sheet that openpyxl opened for reading."""
    return bytes(sheet.parent._archive.read(sheet._worksheet_path))


def without_value(markup: bytes) -> set[tuple[int, int]]:
    """Row and column, from 1, of cells whose formula has no value.

    Examples
    --------
    >>> without_value(b'<c r="B2"><f>A2*2</f><v></v></c><c r="C2"><f>A2</f><v>5</v></c>')
    {(2, 2)}
    """
    if b"<f" not in markup:
        return set()
    return {(int(row), _number(column)) for column, row in _NO_VALUE.findall(markup)}


def merged_down(markup: bytes, first_row: int) -> dict[int, int]:
    """Columns, from 0, with how many of their cells from a row on are hidden under one merged with them.

    Examples
    --------
    >>> merged_down(b'<mergeCell ref="A3:A5"/><mergeCell ref="A1:D1"/>', 2)
    {0: 2}
    """
    found: dict[int, int] = {}
    for left, top, right, bottom in _MERGED.findall(markup):
        hidden = int(bottom) - max(int(top), first_row - 1)
        if hidden > 0 and int(bottom) > int(top):
            for column in range(_number(left), min(_number(right), _number(left) + 100) + 1):
                found[column - 1] = found.get(column - 1, 0) + hidden
    return found


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
