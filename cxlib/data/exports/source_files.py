"""Read the files of an export as text, and shape their rows: fill down, look up, where, grain."""

from __future__ import annotations

import os.path
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import InputError, Problem, TableError
from cxlib.data.convert import matches, read_times
from cxlib.data.delimited.read_text import Form, read_cells
from cxlib.data.exports.mapping import FillDown, Grain, Lookup, Reading, TableMapping, Where
from cxlib.data.exports.verbs import plain_numbers
from cxlib.data.findings import Findings
from cxlib.data.ids import PROTECTED
from cxlib.data.text_type import TEXT
from cxlib.near_names import looks_like_data, near_names

#: Findings whose remedy lies in the mapping.
_REWORDED = {
    "tables.not_a_number": "exports.not_a_number",
    "tables.not_a_time": "exports.not_a_time",
    "tables.ragged": "exports.ragged",
    "tables.encoding": "exports.encoding",
    "tables.id_personal": "exports.personal",
}


def in_mapping(problem: Problem) -> Problem:
    """Give the remedy that lies in the mapping: who reads this runs `cx import` already."""
    return replace(problem, key=_REWORDED.get(problem.key, problem.key))


@dataclass(frozen=True)
class Rows:
    """Rows of one file after shaping, and how many there were at each step.

    A class because the counts go into the import's summary. The frame's index is the row's place in the file.
    """

    frame: pd.DataFrame
    counts: dict[str, int]
    notices: list[Problem]


def shape(folder: Path, part: TableMapping) -> Rows:
    """Rows for one table, in the order of the file."""
    frame, notices = read_text(folder, part)
    counts = {"rows_read": len(frame)}
    if part.fill_down:
        frame = _fill_down(frame, part.fill_down, part.file)
    unmatched = 0
    for lookup in part.lookup:
        frame, missed = _look_up(frame, lookup, folder, part.file)
        unmatched += missed
    counts["rows_without_match"] = unmatched
    for where in part.where:
        frame = _where(frame, where, part.file)
    counts["rows_left_out_by_where"] = counts["rows_read"] - len(frame)
    kept = _grain(frame, part.grain, part) if part.grain else frame
    counts["rows_left_out_by_grain"] = len(frame) - len(kept)
    return Rows(kept, counts, notices)


def read_text(folder: Path, reading: Reading) -> tuple[pd.DataFrame, list[Problem]]:
    """One file as text in every cell, an empty cell as "", and what was noticed in it.

    Raises
    ------
    InputError
        When the file is missing, lies outside the folder, is empty, of another encoding or too large, when a
        quote does not close, or when rows do not fit the header.
    """
    path = folder / reading.file
    if not os.path.isfile(path):
        there = [str(found.relative_to(folder)) for found in folder.rglob("*") if found.is_file()]
        near = near_names(reading.file, there)
        raise InputError("exports.no_file", file=reading.file[:80], nearest=near)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InputError("exports.outside", file=reading.file)
    form = Form(reading.file, reading.encoding, reading.delimiter, reading.skip, reading.header_rows)
    try:
        cells, notices = read_cells(path, form)
    except TableError as error:
        raise TableError([in_mapping(problem) for problem in error.problems]) from error
    names = [str(column[0].as_py()).strip() for column in cells.columns]
    frame = cells.slice(reading.header_rows).to_pandas().astype(TEXT).set_axis(names, axis="columns")
    return _unguarded(frame, Findings(reading.file, len(frame), notices)), notices


def _unguarded(frame: pd.DataFrame, findings: Findings) -> pd.DataFrame:
    """Cells out of the `="007"` by which spreadsheets keep zeros, so that keys of two files meet."""
    guarded = np.zeros(len(frame), dtype=bool)
    bare: list[pd.Series] = []
    for at in range(frame.shape[1]):
        cells = frame.iloc[:, at]
        marked = matches(cells, PROTECTED)
        guarded |= marked.to_numpy()
        bare.append(cells.str.replace(PROTECTED, r"\1", regex=True) if marked.any() else cells)
    findings.add("tables.guarded", "notice", "", guarded)
    return pd.concat(bare, axis="columns") if guarded.any() else frame


def require(frame: pd.DataFrame, columns: list[str], file: str) -> None:
    """Raise unless each column is there exactly once; no value in a first line without names is repeated."""
    names = list(frame.columns)
    for column in columns:
        if names.count(column) > 1:
            raise InputError("exports.column_twice", file=file, column=column)
        if names.count(column) == 1:
            continue
        if looks_like_data(names) and not any(other in names for other in columns):
            raise InputError("exports.data_for_names", file=file, column=column)
        raise InputError("exports.no_column", file=file, column=column, nearest=near_names(column, names))


def _fill_down(frame: pd.DataFrame, rule: FillDown, file: str) -> pd.DataFrame:
    require(frame, [*rule.columns, *rule.within], file)
    cells = frame[rule.columns].mask(frame[rule.columns] == "")
    filled = cells.groupby([frame[name] for name in rule.within]).ffill() if rule.within else cells.ffill()
    return frame.assign(**{name: filled[name].fillna("") for name in rule.columns})


def _look_up(frame: pd.DataFrame, lookup: Lookup, folder: Path, file: str) -> tuple[pd.DataFrame, int]:
    """Add columns of a second file; its key must be unique, so that no row is multiplied."""
    second, _ = read_text(folder, lookup)
    require(frame, lookup.on, file)
    require(second, [*lookup.right_key, *lookup.columns], lookup.file)
    for column in lookup.columns:
        if column in frame.columns:
            raise InputError("exports.column_twice", file=f"{file} + {lookup.file}", column=column)
    key = second[lookup.right_key]
    repeated = int(key.duplicated().sum())
    if repeated:
        unique = " + ".join(lookup.right_key)
        raise InputError("exports.key_not_unique", file=lookup.file, column=unique, count=f"{repeated:,}")
    left = pd.MultiIndex.from_frame(frame[lookup.on]) if len(lookup.on) > 1 else pd.Index(frame[lookup.on[0]])
    right = pd.MultiIndex.from_frame(key) if len(lookup.on) > 1 else pd.Index(key.iloc[:, 0])
    at = right.get_indexer(left)
    found = second[lookup.columns].reindex(at).fillna("").set_axis(frame.index)
    return pd.concat([frame, found], axis="columns"), int((at < 0).sum())


def _where(frame: pd.DataFrame, rule: Where, file: str) -> pd.DataFrame:
    require(frame, [rule.column], file)
    cells = frame[rule.column].str.strip()
    if rule.is_in is not None:
        return frame[cells.isin(rule.is_in)]
    if rule.not_in is not None:
        return frame[~cells.isin(rule.not_in)]
    return frame[(cells == "") == rule.empty]


def _grain(frame: pd.DataFrame, rule: Grain, part: TableMapping) -> pd.DataFrame:
    file = part.file
    require(frame, [*rule.by, *rule.same, *([rule.order] if rule.order else [])], file)
    for column in rule.same:
        kinds = frame[[*rule.by, column]].drop_duplicates()
        differ = int(kinds.duplicated(rule.by).sum())
        if differ:
            count = f"{differ:,}"
            raise InputError(
                "exports.not_same", file=file, column=column, by=" + ".join(rule.by), count=count
            )
    return frame.iloc[_in_order(frame, rule.order, part)].drop_duplicates(rule.by).sort_index()


def _in_order(frame: pd.DataFrame, order: str | None, part: TableMapping) -> np.ndarray:
    """Places of the rows sorted by a column in the type the mapping declares for it, empty cells last.

    A column that no verb reads may hold numbers, ISO times or codes of one length; text of varying form has
    no order: as text, 2026/10/1 comes before 2026/9/30.
    """
    if order is None:
        return np.arange(len(frame))
    cells = frame[order].str.strip()
    keys: pd.Series[Any]
    verbs = {**part.columns, **part.extra}.items()
    typed = next((verb for _, verb in verbs if verb.from_ == order and (verb.format or verb.number)), None)
    if typed is not None and typed.format:
        keys = read_times(cells, typed.format, utc="%z" in typed.format)
    elif typed is not None and typed.number:
        keys = pd.to_numeric(plain_numbers(cells, typed.number), errors="coerce")
    else:
        keys = pd.to_numeric(cells.where(cells.str.fullmatch(r"-?\d+(?:\.\d+)?")), errors="coerce")
        if (keys.isna() & (cells != "")).any():
            keys = read_times(cells.where(cells != ""), "ISO8601", utc=True)
        if (keys.isna() & (cells != "")).any() and _are_codes(cells):
            keys = cells.mask(cells == "")
    broken = int((keys.isna() & (cells != "")).sum())
    if broken:
        raise InputError("exports.no_order", file=part.file, column=order, count=f"{broken:,}")
    return keys.reset_index(drop=True).sort_values(kind="stable").index.to_numpy()


def _are_codes(cells: pd.Series) -> bool:
    filled = cells[cells != ""]
    return bool(filled.str.fullmatch(r"[A-Za-z]+[-_]?\d+").all()) and len(set(filled.str.len())) == 1
