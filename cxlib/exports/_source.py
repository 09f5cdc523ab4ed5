"""Read the files of an export as text, and shape their rows: fill down, look up, where, grain."""

from __future__ import annotations

import os.path
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cxlib.checks import InputError, nearest
from cxlib.exports._mapping import FillDown, Grain, Lookup, Reading, TableMapping, Where


@dataclass(frozen=True)
class Rows:
    """Rows of one file after shaping, and how many there were at each step.

    A class because the counts go into the import's summary. The frame's index is the row's place in the file.
    """

    frame: pd.DataFrame
    counts: dict[str, int]


def shape(folder: Path, part: TableMapping) -> Rows:
    """Rows for one table, in the order of the file."""
    frame = read_text(folder, part)
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
    kept = _grain(frame, part.grain, part.file) if part.grain else frame
    counts["rows_left_out_by_grain"] = len(frame) - len(kept)
    return Rows(kept, counts)


def read_text(folder: Path, reading: Reading) -> pd.DataFrame:
    """One file as text in every cell, an empty cell as "".

    Raises
    ------
    InputError
        When the file is missing, empty, of another encoding, or its rows do not fit its header.
    """
    path = folder / reading.file
    if not os.path.isfile(path):
        there = [str(found.relative_to(folder)) for found in folder.rglob("*") if found.is_file()]
        raise InputError("exports.no_file", file=reading.file[:80], nearest=nearest(reading.file, there))
    encoding = (
        "utf-8-sig" if reading.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else reading.encoding
    )
    try:
        cells = pd.read_csv(
            path,
            header=None,
            dtype=str,
            keep_default_na=False,
            encoding=encoding,
            sep=reading.delimiter,
            skiprows=reading.skip,
        )
    except pd.errors.EmptyDataError as error:
        raise InputError("exports.empty", file=reading.file) from error
    except pd.errors.ParserError as error:
        raise InputError("exports.ragged", file=reading.file) from error
    except LookupError as error:
        raise InputError("exports.unknown_encoding", file=reading.file, encoding=reading.encoding) from error
    except UnicodeDecodeError as error:
        raise InputError("exports.encoding", file=reading.file, encoding=reading.encoding) from error
    names = cells.iloc[0].str.strip()
    frame = cells.iloc[reading.header_rows :].fillna("").reset_index(drop=True)
    return frame.set_axis(list(names), axis="columns")


def require(frame: pd.DataFrame, columns: list[str], file: str) -> None:
    """Raise unless each column is there exactly once."""
    names = list(frame.columns)
    for column in columns:
        if names.count(column) == 0:
            raise InputError("exports.no_column", file=file, column=column, nearest=nearest(column, names))
        if names.count(column) > 1:
            raise InputError("exports.column_twice", file=file, column=column)


def _fill_down(frame: pd.DataFrame, rule: FillDown, file: str) -> pd.DataFrame:
    require(frame, [*rule.columns, *rule.within], file)
    cells = frame[rule.columns].mask(frame[rule.columns] == "")
    filled = cells.groupby([frame[name] for name in rule.within]).ffill() if rule.within else cells.ffill()
    return frame.assign(**{name: filled[name].fillna("") for name in rule.columns})


def _look_up(frame: pd.DataFrame, lookup: Lookup, folder: Path, file: str) -> tuple[pd.DataFrame, int]:
    """Add columns of a second file; its key must be unique, so that no row is multiplied."""
    second = read_text(folder, lookup)
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


def _grain(frame: pd.DataFrame, rule: Grain, file: str) -> pd.DataFrame:
    require(frame, [*rule.by, *rule.same, *([rule.order] if rule.order else [])], file)
    for column in rule.same:
        kinds = frame[[*rule.by, column]].drop_duplicates()
        differ = int(kinds.duplicated(rule.by).sum())
        if differ:
            count = f"{differ:,}"
            raise InputError(
                "exports.not_same", file=file, column=column, by=" + ".join(rule.by), count=count
            )
    ordered = frame.sort_values(rule.order, kind="stable") if rule.order else frame
    return ordered.drop_duplicates(rule.by).sort_index()
