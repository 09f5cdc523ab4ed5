"""Rows of an export with what is known of where they come from, and the findings that say it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from cxlib.checks import Problem
from cxlib.data.convert import matches
from cxlib.data.exports.reading_models import Reading
from cxlib.data.exports.sheets import Sheet, columns_of, names_of, require
from cxlib.data.exports.source_files import read_sheets
from cxlib.data.findings import Findings
from cxlib.data.ids import PROTECTED
from cxlib.data.text_type import FROM_ARROW


@dataclass(frozen=True)
class Rows:
    """Rows of a block, where each comes from, and how many there were at each step.

    A class because the counts go into the import's summary and findings name files and rows. The frame's
    index counts on over all files; `file_of` and `places` say for it in which file and row it stands.
    """

    frame: pd.DataFrame
    files: tuple[str, ...]
    file_of: np.ndarray
    places: np.ndarray
    names: tuple[str, ...]
    counts: dict[str, int] = field(default_factory=dict)
    notices: list[Problem] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)

    def keep(self, frame: pd.DataFrame, step: str) -> Rows:
        """Rows that a step left, and how many it left out."""
        left_out = len(self.frame) - len(frame)
        return replace(self, frame=frame, counts=self.counts | {step: self.counts.get(step, 0) + left_out})


@dataclass
class FileFindings(Findings):
    """Findings of rows that come from several files end to end, each told with its own file and row.

    A class because every check adds to one list and none of them knows of files.
    """

    files: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    file_of: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))

    def add(self, key: str, level: Any, column: str = "", mask: Any = None, **values: object) -> None:
        """Note a finding, once for each file with a row that the mask marks."""
        if mask is None or len(self.files) < 2 or self.numbers is None:
            super().add(key, level, column, mask, **values)
            return
        marked = np.asarray(mask, dtype=bool)
        for at in np.unique(self.file_of[np.flatnonzero(marked)]):
            here = self.file_of == at
            own = Findings(self.files[at], self.sizes[at], self.problems, self.numbers[here], self.shown)
            own.add(key, level, column, marked[here], **values)


def findings_of(rows: Rows, problems: list[Problem]) -> FileFindings:
    """Begin a list of what is found in rows; it knows where each of them stands."""
    index = rows.frame.index.to_numpy()
    sizes = tuple(np.bincount(rows.file_of, minlength=len(rows.files)).tolist())
    return FileFindings(
        " + ".join(rows.files),
        rows.counts["rows_read"],
        problems,
        rows.places[index],
        files=rows.files,
        sizes=sizes,
        file_of=rows.file_of[index],
    )


def load(folder: Path, reading: Reading, wanted: Sequence[str]) -> Rows:
    """Columns that are wanted, of all files and sheets end to end.

    Raises
    ------
    InputError
        When a column is not there.
    """
    sheets = read_sheets(folder, reading)
    names = [names_of(sheet, reading.header) for sheet in sheets]
    for sheet, own in zip(sheets, names, strict=True):
        require(columns_of(sheet, own, wanted).column_names, wanted, own, sheet.file)
    return joined(sheets, names, wanted)


def joined(sheets: Sequence[Sheet], names: Sequence[Sequence[str]], wanted: Sequence[str]) -> Rows:
    """Columns that are wanted and there, of all sheets end to end, as text; an empty cell is "".

    Raises
    ------
    InputError
        When a column is there in one sheet and not in another.
    """
    tables = [columns_of(sheet, own, wanted) for sheet, own in zip(sheets, names, strict=True)]
    found = list(dict.fromkeys(name for table in tables for name in table.column_names))
    for sheet, own, table in zip(sheets, names, tables, strict=True):
        require(table.column_names, found, own, sheet.file)
    sizes = [sheet.rows.num_rows for sheet in sheets]
    notices = [notice for sheet in sheets for notice in sheet.notices]
    frame = pa.concat_tables([table.select(found) for table in tables]).to_pandas(types_mapper=FROM_ARROW)
    rows = Rows(
        frame if found else pd.DataFrame(index=pd.RangeIndex(sum(sizes))),
        tuple(sheet.file for sheet in sheets),
        np.repeat(np.arange(len(sheets)), sizes),
        np.concatenate(
            [np.arange(sheet.rows.num_rows) if sheet.places is None else sheet.places for sheet in sheets]
        ),
        tuple(names[0] if len(names) == 1 else dict.fromkeys(name for own in names for name in own)),
        {"rows_read": sum(sizes)},
        notices,
    )
    return replace(rows, frame=_unguarded(rows.frame, findings_of(rows, notices)))


def _unguarded(frame: pd.DataFrame, findings: Findings) -> pd.DataFrame:
    """Cells out of the `="007"` by which spreadsheets keep zeros, so that keys of two files meet."""
    guarded = np.zeros(len(frame), dtype=bool)
    bare: dict[str, pd.Series] = {}
    for name in frame.columns:
        marked = matches(frame[name], PROTECTED)
        if marked.any():
            guarded |= marked.to_numpy()
            bare[name] = frame[name].str.replace(PROTECTED, r"\1", regex=True)
    findings.add("tables.guarded", "notice", "", guarded)
    return frame.assign(**bare)
