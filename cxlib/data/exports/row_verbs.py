"""Shape the rows of an export: fill down, pivot, look up, keep the latest, keep some, keep one of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import InputError
from cxlib.data.contract import TABLES
from cxlib.data.convert import among, matches, read_times
from cxlib.data.exports.column_verbs import Context, plain_numbers, texts
from cxlib.data.exports.doubts import notice_merged, notice_unread, notice_unused
from cxlib.data.exports.fit_columns import fitted
from cxlib.data.exports.mapping import TableMapping
from cxlib.data.exports.pivots import check_same, pivoted, require_questions
from cxlib.data.exports.row_models import FillDown, Grain, Lookup, Where
from cxlib.data.exports.rows import Rows, findings_of, joined, load
from cxlib.data.exports.sheets import names_of, require
from cxlib.data.exports.source_files import read_sheets
from cxlib.data.exports.times import moments
from cxlib.data.findings import Findings
from cxlib.data.text_type import TEXT


def read_rows(folder: Path, part: TableMapping, *, currency: str = "") -> tuple[Rows, TableMapping]:
    """Rows for one table, none left out for what it holds, and the mapping in the names of their files.

    What the mapping may have overlooked is among the notices; `currency` is the data set's.
    """
    sheets = read_sheets(folder, part)
    names = [names_of(sheet, part.header) for sheet in sheets]
    if part.pivot is None:  # else the columns are named by cells
        part = fitted(part, list(dict.fromkeys(name for own in names for name in own)), part.name)
    rows = joined(sheets, names, part.needs)
    frame = rows.frame
    if part.fill_down:
        require(list(frame.columns), [*part.fill_down.columns, *part.fill_down.within], rows.names, part.name)
        frame = _fill_down(frame, part.fill_down)
    if part.pivot:
        long, told = frame, findings_of(replace(rows, frame=frame), rows.notices)
        frame = pivoted(frame, part.pivot, rows.names, part.needs, told)
        part = fitted(part, list(frame.columns), part.name)
    joined_rows = len(rows.frame) - len(frame)
    unmatched, told = 0, findings_of(replace(rows, frame=frame), rows.notices)
    for lookup in part.lookup:
        frame, missed = _look_up(frame, lookup, folder, rows.names, part.name)
        unmatched += int(missed.sum())
        is_named = (frame[lookup.on].apply(lambda cells: cells.str.strip()) != "").all(axis=1).to_numpy()
        told.add(
            "exports.lookup_missed", "notice", " + ".join(lookup.on), missed & is_named, other=lookup.name
        )
    gone = [part.pivot.name, part.pivot.value] if part.pivot else []
    there = list(frame.columns)
    wanted = [name for name in part.needs if name not in gone]
    if part.pivot:
        require_questions(
            there, wanted, part.pivot, list(long[part.pivot.name].str.strip().unique()), part.name
        )
    require(there, wanted, rows.names, part.name)
    counts = {
        "rows_read": len(rows.frame),
        "rows_without_match": unmatched,
        "rows_joined_by_pivot": joined_rows,
    }
    notice_unread(rows, sheets, names, part, currency)
    notice_merged(rows, sheets, names, part)
    shaped = replace(rows, frame=frame, counts=counts)
    notice_unused(shaped, part)
    return shaped, part


def _fill_down(frame: pd.DataFrame, rule: FillDown) -> pd.DataFrame:
    cells = frame[rule.columns].mask(frame[rule.columns] == "")
    filled = cells.groupby([frame[name] for name in rule.within]).ffill() if rule.within else cells.ffill()
    return frame.assign(**{name: filled[name].fillna("") for name in rule.columns})


def _look_up(
    frame: pd.DataFrame, lookup: Lookup, folder: Path, names: Sequence[str], file: str
) -> tuple[pd.DataFrame, np.ndarray]:
    """Add columns of a second file, and tell which rows find none; its key must be unique: none multiply."""
    second = load(folder, lookup, [*lookup.right_key, *lookup.columns]).frame
    for column in lookup.columns:
        if column in names or column in frame:
            raise InputError("exports.column_twice", file=f"{file} + {lookup.name}", column=column)
    require(list(frame.columns), lookup.on, names, file)
    key = second[lookup.right_key].apply(lambda cells: cells.str.strip())
    repeated = int(key.duplicated().sum())
    if repeated:
        unique = " + ".join(lookup.right_key)
        raise InputError("exports.key_not_unique", file=lookup.name, column=unique, count=f"{repeated:,}")
    own = frame[lookup.on].apply(lambda cells: cells.str.strip())
    left = pd.MultiIndex.from_frame(own) if len(lookup.on) > 1 else pd.Index(own.iloc[:, 0])
    right = pd.MultiIndex.from_frame(key) if len(lookup.on) > 1 else pd.Index(key.iloc[:, 0])
    at = right.get_indexer(left)
    found = second[lookup.columns].reindex(at).fillna("").set_axis(frame.index)
    return pd.concat([frame, found], axis="columns"), np.asarray(at < 0)


def keep_where(rows: Rows, part: TableMapping) -> Rows:
    """Rows that all conditions keep, and how many each value named in one left out."""
    frame, left_out = rows.frame, dict(rows.left_out)
    for rule in part.where:
        cells, kept = frame[rule.column].str.strip(), _holds(frame, rule)
        for value in rule.not_in or ["…"]:  # what is not named may be anybody's
            gone = int((~kept & _among(cells, [value], rule.of)).sum()) if rule.not_in else int((~kept).sum())
            told = f"{rule.column} = {value}"
            left_out[told] = left_out.get(told, 0) + gone
        frame = frame[kept]
    return replace(rows.keep(frame, "rows_left_out_by_where"), left_out=left_out)


def _holds(frame: pd.DataFrame, rule: Where) -> pd.Series:
    cells = frame[rule.column].str.strip()
    if rule.differs_from is not None:
        return cells != frame[rule.differs_from].str.strip()
    if rule.is_in is not None:
        return _among(cells, rule.is_in, rule.of)
    if rule.not_in is not None:
        return ~_among(cells, rule.not_in, rule.of)
    return (cells == "") == rule.empty


def _among(cells: pd.Series, values: Sequence[str], sign: str | None) -> pd.Series:
    """Whether a cell, or one of the items that a sign parts in it, is one of the values."""
    named = pd.Series(list(values), dtype=TEXT)
    if sign is None:
        return among(cells, named)
    items = pd.Series(list(cells.unique()), dtype=TEXT)
    holding = items[[any(item.strip() in values for item in cell.split(sign)) for cell in items]]
    return among(cells, holding)


def keep_latest(
    table: str, blocks: Sequence[Rows], parts: Sequence[TableMapping], contexts: Sequence[Context]
) -> list[Rows]:
    """Keep the rows of a key from the last file that holds it, over all blocks that say so.

    A file that several blocks read is one file, in its first place.
    """
    keys: list[pd.DataFrame] = []
    files = list(dict.fromkeys(file for rows in blocks for file in rows.files))
    for rows, part, context in zip(blocks, parts, contexts, strict=True):
        own = {
            at: as_become(rows.frame, name, table, part, context) for at, name in enumerate(part.latest or [])
        }
        if own:
            places = np.array([files.index(file) for file in rows.files])
            keys.append(pd.DataFrame(own).assign(file=places[rows.file_of[rows.frame.index.to_numpy()]]))
    is_last = iter(_of_last_file(keys) if keys else [])
    return [
        rows.keep(rows.frame[next(is_last)] if part.latest else rows.frame, "rows_left_out_by_latest")
        for rows, part in zip(blocks, parts, strict=True)
    ]


def _of_last_file(keys: Sequence[pd.DataFrame]) -> list[np.ndarray]:
    """For the rows of each block, whether they stand in the last file that holds their key."""
    joined = pd.concat(keys, ignore_index=True)
    by = [name for name in joined if name != "file"]
    last = joined.groupby(by, sort=False)["file"].transform("max")
    is_last = (joined["file"] == last).to_numpy()
    return np.split(is_last, np.cumsum([len(key) for key in keys])[:-1])


def as_become(
    frame: pd.DataFrame, column: str, table: str, part: TableMapping, context: Context
) -> pd.Series:
    """Give a column the form of the id or text it is mapped to: one person in two cases is one."""
    kinds = {name: TABLES[table].column(name) for name in part.verbs}
    for name, verb in part.verbs.items():
        rule = kinds[name]
        if verb.from_ == column and (rule.kind if rule else verb.kind) in ("id", "text"):
            return texts(frame, verb, name, replace(context, findings=Findings("", 0)))
    return frame[column].str.strip()


def keep_one(rows: Rows, table: str, part: TableMapping, context: Context) -> Rows:
    """One row for each value of `by`, as it will become: the first, or the first by `order`."""
    rule, frame = part.grain, rows.frame
    if rule is None:
        return rows.keep(frame, "rows_left_out_by_grain")
    keys = pd.DataFrame({name: as_become(frame, name, table, part, context) for name in rule.by})
    for column in rule.same:
        check_same(keys.assign(**{column: frame[column]}), rule.by, column, part.name)
    ordered = keys.iloc[_in_order(frame, rule, part)]
    kept = ordered.index[~ordered.duplicated()].sort_values()
    return rows.keep(frame.loc[kept], "rows_left_out_by_grain")


def _in_order(frame: pd.DataFrame, rule: Grain, part: TableMapping) -> np.ndarray:
    """Places of the rows sorted by a column in the type the mapping declares for it, empty cells last.

    A column that no verb reads may hold numbers, ISO times or codes of one length; text of varying form has
    no order: as text, 2026/10/1 comes before 2026/9/30.
    """
    if rule.order is None:
        return np.arange(len(frame))
    cells = frame[rule.order].str.strip()
    keys: pd.Series[Any]
    verbs = part.verbs.values()
    typed = next((verb for verb in verbs if verb.from_ == rule.order and (verb.format or verb.number)), None)
    if typed is not None and typed.format:
        keys, _ = moments(cells, typed.format, rule.order, "UTC", Findings("", 0))
    elif typed is not None and typed.number:
        keys = pd.to_numeric(plain_numbers(cells, typed.number), errors="coerce")
    else:
        keys = pd.to_numeric(cells.where(matches(cells, r"^-?\d+(?:\.\d+)?$")), errors="coerce")
        if (keys.isna() & (cells != "")).any():
            keys = read_times(cells.where(cells != ""), "ISO8601", utc=True)
        if (keys.isna() & (cells != "")).any() and _are_codes(cells):
            keys = cells.mask(cells == "")
    broken = int((keys.isna() & (cells != "")).sum())
    if broken:
        raise InputError("exports.no_order", file=part.name, column=rule.order, count=f"{broken:,}")
    return keys.reset_index(drop=True).sort_values(kind="stable").index.to_numpy()


def _are_codes(cells: pd.Series) -> bool:
    filled = cells[cells != ""]
    return bool(filled.str.fullmatch(r"[A-Za-z]+[-_]?\d+").all()) and len(set(filled.str.len())) == 1
