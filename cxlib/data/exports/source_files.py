"""Find the files of an export and read each as text in every cell, whatever kind of file it is."""

from __future__ import annotations

import codecs
import gzip
import os.path
import re
import tempfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cxlib.checks import InputError, Problem, TableError
from cxlib.checks.near_names import near_names
from cxlib.data.delimited.byte_stream import MOST_BYTES, MOST_UNFOLDED, PIECE, SURELY_FINE
from cxlib.data.delimited.footers import FooterForm
from cxlib.data.delimited.read_text import Form, read_cells
from cxlib.data.exports.reading_models import Reading
from cxlib.data.exports.records import read_json_lines, read_parquet
from cxlib.data.exports.sheets import Sheet
from cxlib.data.exports.workbooks import read_workbook
from cxlib.data.file_kinds import FileKind, kind_in_gzip, kind_of
from cxlib.data.rules.settings import Encoding

#: Findings whose remedy lies in the mapping.
_REWORDED = {
    "tables.not_a_number": "exports.not_a_number",
    "tables.not_a_time": "exports.not_a_time",
    "tables.ragged": "exports.ragged",
    "tables.encoding": "exports.encoding",
    "tables.id_personal": "exports.personal",
}
#: First line by which a spreadsheet is told the delimiter.
_TOLD = re.compile(rb'(?:\xef\xbb\xbf)?"?sep=([;,|\t])"?\r?\n', re.IGNORECASE)
MOST_OF_A_HEADER = 1 << 16
_BROKEN = (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError)


def in_mapping(problem: Problem) -> Problem:
    """Give the remedy that lies in the mapping: who reads this runs `cx import` already."""
    return replace(problem, key=_REWORDED.get(problem.key, problem.key))


def read_sheets(folder: Path, reading: Reading) -> list[Sheet]:
    """Every sheet of the files that are read, in the order of their names.

    Raises
    ------
    InputError
        When no file is there or one lies outside the folder, is empty, of another encoding or kind or too
        large, when a quote does not close, or when rows do not fit the header.
    """
    return [sheet for path, name in files_of(folder, reading) for sheet in _read(path, name, reading)]


def by_number(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    """Order of files by their names, numbers in them by their size: `orders_10` comes after `orders_9`.

    Examples
    --------
    >>> [path.name for path in sorted([Path("o_10.csv"), Path("o_9.csv"), Path("o.csv")], key=by_number)]
    ['o.csv', 'o_9.csv', 'o_10.csv']
    """
    parts = re.split(r"([0-9]+)", unicodedata.normalize("NFKC", path.with_suffix("").as_posix()))
    return [(1, int(part), "") if at % 2 else (0, 0, part) for at, part in enumerate(parts)], str(path)


def files_of(folder: Path, reading: Reading) -> Iterator[tuple[Path, str]]:
    """Files to read and how messages call them."""
    if reading.file is not None:
        paths = [folder / reading.file] if os.path.isfile(folder / reading.file) else []
    else:
        found = {path for name in reading.files or [] for path in (folder / name, *folder.glob(name))}
        paths = sorted((path for path in found if path.is_file()), key=by_number)
    if not paths:
        there = [str(found.relative_to(folder)) for found in folder.rglob("*") if found.is_file()]
        near = near_names(reading.name, there)
        raise InputError("exports.no_file", file=reading.name[:80], nearest=near)
    for path in paths:
        name = path.relative_to(folder).as_posix()
        if not path.resolve().is_relative_to(folder.resolve()):
            raise InputError("exports.outside", file=name)
        yield path, name


def _read(path: Path, name: str, reading: Reading) -> list[Sheet]:
    """Read the sheets of a file, and say where the mapping itself leaves nothing of them."""
    try:
        sheets = _sheets(path, name, reading)
    except TableError as error:
        if reading.skip and error.problems[0].key == "tables.empty" and os.path.getsize(path):
            raise _stop(name, "exports.skip_leaves_nothing", lines=reading.skip) from error
        raise
    for sheet in sheets:
        if len(sheet.header) < reading.header_rows:
            raise _stop(name, "exports.header_beyond", lines=reading.header_rows, found=len(sheet.header))
    if reading.footer and not any(sheet.rows.num_rows for sheet in sheets):
        with suppress(TableError):  # what a footer leaves out need not fit the header
            left = sum(
                sheet.rows.num_rows
                for sheet in _sheets(path, name, reading.model_copy(update={"footer": None}))
            )
            if left:
                told = Problem("exports.footer_leaves_nothing", "notice", name, values={"count": f"{left:,}"})
                sheets = [replace(sheets[0], notices=[*sheets[0].notices, told]), *sheets[1:]]
    return sheets


def _sheets(path: Path, name: str, reading: Reading) -> list[Sheet]:
    try:
        kind = kind_of(path)
        folded = kind == "gz" and kind_in_gzip(path) != "text"
        if kind == "zip" or folded:
            with _unfolded(path, name, kind) as inner:
                return _READERS.get(kind_of(inner), _no_table)(inner, name, reading)
        return _READERS.get(kind, _no_table)(path, name, reading)
    except TableError as error:
        raise TableError([in_mapping(problem) for problem in error.problems]) from error
    except _BROKEN as error:
        raise _stop(name, "tables.unreadable") from error


def _stop(name: str, key: str, **values: object) -> TableError:
    return TableError([Problem(key, "error", name, values=values)])


def _no_table(path: Path, name: str, reading: Reading) -> list[Sheet]:
    """Refuse a file by what it is; nothing of its content is shown."""
    raise _stop(name, "exports.wrong_kind", what=FileKind(kind_of(path)))


def _text(path: Path, name: str, reading: Reading) -> list[Sheet]:
    """Read delimited text in the first of the declared encodings that fits all of it."""
    footer = None
    if reading.footer:
        footer = FooterForm(bool(reading.footer.fewer_cells), tuple(reading.footer.starts_with or ()))
    with gzip.open(path) if kind_of(path) == "gz" else path.open("rb") as begun:
        start = begun.read(MOST_OF_A_HEADER)
    told = None if reading.skip else _TOLD.match(start)
    skip = reading.skip or int(told is not None)
    for encoding in (encodings := encodings_of(start, reading)):
        try:
            delimiter = told[1].decode() if told else delimiter_of(start, encoding, name, reading)
            form = Form(name, encoding, delimiter, skip, reading.header_rows, footer)
            cells, notices = read_cells(path, form)
        except TableError as error:
            is_last = encoding == encodings[-1]
            if is_last or error.problems[0].key not in ("tables.encoding", "tables.mixed_encoding"):
                raise
            continue
        break
    header = [
        [cells.column(at)[row].as_py() for at in range(cells.num_columns)]
        for row in range(min(reading.header_rows, cells.num_rows))
    ]
    return [_without_empty(Sheet(name, header, cells.slice(reading.header_rows), notices))]


def encodings_of(start: bytes, reading: Reading) -> Sequence[Encoding]:
    """Return the encodings to try: a mark of UTF-16 decides, as cp932 reads its bytes without complaint."""
    is_wide = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return ["utf-16"] if is_wide and "utf-16" in reading.encoding else reading.encoding


def delimiter_of(start: bytes, encoding: str, name: str, reading: Reading) -> str:
    """Delimiter of a text: the one that is said, else a tab or semicolon where only that parts its header."""
    if reading.delimiter or {".tsv", ".tab"} & set(Path(name).suffixes):
        return reading.delimiter or "\t"
    try:
        text = codecs.getincrementaldecoder(encoding)("replace").decode(start)
    except UnicodeError:  # the reader says better than this of what the text is not
        return ","
    after = "".join(text.splitlines(keepends=True)[reading.skip :])
    header = re.sub(r'"[^"]*"', "", after).partition("\n")[0]
    found = [sign for sign in ",\t;" if sign in header]
    return found[0] if len(found) == 1 else ","


def _without_empty(sheet: Sheet) -> Sheet:
    """Leave out rows of nothing but delimiters, which spreadsheets write below the last one."""
    rows, is_empty = sheet.rows, np.zeros(sheet.rows.num_rows, dtype=bool)
    at = np.arange(rows.num_rows)
    for name in rows.column_names:
        at = at[pc.equal(pc.utf8_trim_whitespace(rows[name].take(at)), "").to_numpy()]
        if not len(at):
            return sheet
    is_empty[at] = True
    return replace(sheet, rows=rows.filter(pa.array(~is_empty)), places=np.flatnonzero(~is_empty))


_READERS: dict[str, Callable[[Path, str, Reading], list[Sheet]]] = {
    "text": _text,
    "gz": _text,
    "workbook": read_workbook,
    "parquet": read_parquet,
    "json_lines": read_json_lines,
}


@contextmanager
def _unfolded(path: Path, name: str, kind: str) -> Iterator[Path]:
    """Unfold the one file inside a zip or gzip; it is gone afterwards."""
    with tempfile.TemporaryDirectory() as place:
        inner = Path(place) / "inner"
        limit = min(MOST_BYTES, max(SURELY_FINE, MOST_UNFOLDED * os.path.getsize(path)))
        if kind == "gz":
            with gzip.open(path, "rb") as source:
                _copy(cast(IO[bytes], source), inner, limit, name)
        else:
            with zipfile.ZipFile(path) as archive:
                members = [info for info in archive.infolist() if not _is_beside(info)]
                if len(members) != 1:
                    raise _stop(name, "exports.many_in_zip", count=f"{len(members):,}")
                inner = inner.with_suffix(Path(members[0].filename).suffix)
                with archive.open(members[0]) as source:
                    _copy(source, inner, limit, name)
        yield inner


def _is_beside(info: zipfile.ZipInfo) -> bool:
    """Whether an entry is a folder or what a system adds for itself."""
    parts = Path(info.filename).parts
    return info.is_dir() or "__MACOSX" in parts or parts[-1].startswith(".")


def _copy(source: IO[bytes], inner: Path, limit: int, name: str) -> None:
    """Copy what unfolds, up to a limit that no table of an honest archive reaches."""
    total = 0
    with inner.open("wb") as target:
        while piece := source.read(PIECE):
            total += len(piece)
            if total > limit:
                raise _stop(name, "tables.unfolds", times=f"{MOST_UNFOLDED:,}")
            target.write(piece)
