"""One table as it lies in a file of an export, and the columns of it that a mapping names."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pyarrow as pa

from cxlib.checks import InputError, Problem
from cxlib.checks.near_names import looks_like_data, near_names

#: Signs without width that a system leaves in a header.
_INVISIBLE = dict.fromkeys((0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF))
_PLACE = re.compile(r"(?s)(.*)#([1-9][0-9]{0,4})")


@dataclass(frozen=True)
class Sheet:
    """Header rows and cells, every cell a text; a class because files of all kinds become it.

    `header` has one list of cells for each header row, `rows` columns of text, an empty cell "". `places`
    says in which row of the file each stands, where empty ones were left out; `merged` how many cells of a
    column are merged over several rows.
    """

    file: str
    header: list[list[str]]
    rows: pa.Table
    notices: list[Problem] = field(default_factory=list)
    places: np.ndarray | None = None
    merged: dict[int, int] = field(default_factory=dict)


def names_of(sheet: Sheet, mode: Literal["first", "joined"]) -> list[str]:
    """Names of the columns: those of the first header row, or all rows joined as `top / sub`.

    Examples
    --------
    >>> header = [["Id", "Satisfied with", ""], ["", "Price", "Support"]]
    >>> names_of(Sheet("a.csv", header, pa.table({})), "joined")
    ['Id', 'Satisfied with / Price', 'Satisfied with / Support']
    """
    rows = [
        [cell.translate(_INVISIBLE).strip().replace("\r\n", "\n") for cell in row] for row in sheet.header
    ]
    if not rows:
        return [""] * sheet.rows.num_columns
    if mode == "first":
        return rows[0]
    for upper, lower in itertools.pairwise(rows):
        for at in range(1, len(upper)):
            if not upper[at] and lower[at]:
                upper[at] = upper[at - 1]
    return [" / ".join(dict.fromkeys(filter(None, levels))) for levels in zip(*rows, strict=True)]


def place_of(name: str, names: Sequence[str], file: str) -> int | None:
    """Place of a column, from 0, named by its header, as `#7`, or as `name#2`; None where it is not there.

    Raises
    ------
    InputError
        When the name stands twice.
    """
    if names.count(name) > 1:
        raise InputError("exports.column_twice", file=file, column=name)
    if name in names:
        return names.index(name)
    placed = _PLACE.fullmatch(name)
    if placed is None:
        return None
    several = [at for at, other in enumerate(names) if placed[1] in ("", other)]
    nth = int(placed[2])
    return several[nth - 1] if nth <= len(several) else None


def columns_of(sheet: Sheet, names: Sequence[str], wanted: Sequence[str]) -> pa.Table:
    """Columns of a sheet by the names that a mapping calls them; those not there are left out."""
    places = {name: place_of(name, names, sheet.file) for name in wanted}
    found = {name: sheet.rows.column(place) for name, place in places.items() if place is not None}
    return pa.table(found) if found else pa.table({"": pa.nulls(sheet.rows.num_rows)}).select([])


def require(found: Sequence[str], wanted: Sequence[str], names: Sequence[str], file: str) -> None:
    """Raise unless all that is wanted was found; no value in a first line without names is repeated.

    Raises
    ------
    InputError
        Names the first column that is missing, with the nearest names of the file.
    """
    for column in wanted:
        if column in found:
            continue
        if looks_like_data(names) and not found:
            raise InputError("exports.data_for_names", file=file, column=column)
        if placed := _PLACE.fullmatch(column):
            count = len(names) if not placed[1] else names.count(placed[1])
            raise InputError("exports.no_place", file=file, column=column, count=f"{count:,}")
        near = near_names(column, names)
        key = "exports.no_column" if near != "–" else "exports.no_such_column"
        raise InputError(key, file=file, column=column, nearest=near, count=f"{len(names):,}")
