"""Read a delimited file as text in every cell, or stop with the rows that do not fit."""

from __future__ import annotations

import codecs
import gzip
import os.path
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.csv as arrow_csv

from cxlib.checks import Problem, TableError
from cxlib.data.delimited.byte_stream import MOST_COLUMNS, PIECE, Unfit, Watched, as_wide, pieces
from cxlib.data.delimited.footers import FooterForm, Misfit, without_footer
from cxlib.data.delimited.quotes import QuoteWatch, Structure, look_closer

HEADER_ROWS = 1
LOOKED_AT = 1 << 20
#: What a text is full of when it is read in a wrong encoding.
_ODD = re.compile("[\uff61-\uff9f\x80-\x9f\ue000-\uf8ff\xa1-\xbf×÷]|(?<=[A-Za-z])[\u4e00-\u9fff](?=[a-z])")
CANDIDATES = ("utf-8", "cp932", "euc_jp", "cp1252")


@dataclass(frozen=True)
class Form:
    """How a file is written; a class because every reader of it needs the same facts.

    `name` is what messages call the file, `skip` the lines before the header, `header_rows` how many rows
    the header takes, `footer` how lines below the rows are told.
    """

    name: str
    encoding: str = "utf-8"
    delimiter: str = ","
    skip: int = 0
    header_rows: int = HEADER_ROWS
    footer: FooterForm | None = None


def read_cells(path: Path, form: Form) -> tuple[pa.Table, list[Problem]]:
    """Every row of a file, its header the first, as columns of text `f0, f1, …`; an empty cell is "".

    Parameters
    ----------
    path : Path
        Text or gzip of text.
    form : Form

    Returns
    -------
    cells : pyarrow.Table
    notices : list of Problem
        Cells that hold more line breaks than the file has rows.

    Raises
    ------
    TableError
        When the file is missing, empty, no text, of another encoding, too large, when a quote does not
        close, or rows do not fit the header; names the first rows of data.
    """
    if not os.path.isfile(path):
        raise _stop(form, "tables.not_a_file")
    quotes = QuoteWatch(form.delimiter)
    misfits: list[Misfit] = []
    try:
        stream = Watched(pieces(path, form.encoding, form.skip), [quotes])
        cells = _parsed(stream, form, misfits, threads=True)
    except pa.ArrowInvalid as error:
        stream.drain()
        if stream.failure is not None:
            raise _unfit(path, form, stream.failure) from error
        _check_quotes(path, form, quotes)
        raise _invalid(path, form, str(error)) from error
    except (OSError, pa.ArrowException) as error:
        failure = stream.failure or Unfit("unreadable")
        raise _unfit(path, form, failure) from error
    notices = _check_quotes(path, form, quotes)
    if misfits:
        misfits = _numbered(path, form)
    if form.footer:
        cells, misfits = without_footer(cells, misfits, form.footer, form.delimiter)
    if misfits:
        raise _ragged(form, cells, misfits)
    if cells.num_columns > MOST_COLUMNS:
        raise _stop(
            form, "tables.too_many_columns", limit=f"{MOST_COLUMNS:,}", found=f"{cells.num_columns:,}"
        )
    return cells, notices


def _parsed(stream: Watched, form: Form, misfits: list[Misfit], *, threads: bool) -> pa.Table:
    def note(row: arrow_csv.InvalidRow) -> Literal["skip"]:
        misfits.append(Misfit(row.number or 0, row.actual_columns, row.text if form.footer else ""))
        return "skip"

    return arrow_csv.read_csv(
        pa.PythonFile(stream, mode="r"),
        read_options=arrow_csv.ReadOptions(
            autogenerate_column_names=True, use_threads=threads, block_size=PIECE
        ),
        parse_options=arrow_csv.ParseOptions(
            delimiter=form.delimiter, newlines_in_values=True, invalid_row_handler=note
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types={f"f{at}": pa.string() for at in range(MOST_COLUMNS + 1)},
            null_values=[],
            strings_can_be_null=False,
        ),
    )


def _stop(form: Form, key: str, **values: object) -> TableError:
    return TableError([Problem(key, "error", form.name, values=values)])


def _unfit(path: Path, form: Form, failure: Unfit) -> TableError:
    if failure.kind in ("encoding", "no_text") and "likely" not in failure.values:
        if failure.kind == "no_text":
            return _stop(form, "tables.no_text")
        return _other_encoding(path, form)
    key = "tables.encoding" if "likely" in failure.values else f"tables.{failure.kind}"
    return _stop(form, key, **failure.values)


def _invalid(path: Path, form: Form, told: str) -> TableError:
    if "UTF8" in told:
        return _other_encoding(path, form)
    if "Empty CSV" in told:
        return _stop(form, "tables.empty")
    return _stop(form, "tables.unreadable")


def _check_quotes(path: Path, form: Form, quotes: QuoteWatch) -> list[Problem]:
    """Raise where a quote does not close; cells with line breaks are legitimate, and noticed when many."""
    if not quotes.in_doubt:
        return []
    found = look_closer(pieces(path, form.encoding, form.skip), form.delimiter)
    for key in ("unclosed", "swallowed", "after_quote"):
        rows = getattr(found, key)
        if rows:
            raise TableError([_at_rows(f"tables.quote_{key}", "error", form, rows, found)])
    several = [row for row in found.several_lines if row > form.header_rows]
    in_header = len(found.several_lines) - len(several)
    if found.lines_inside - in_header <= found.rows - form.header_rows:
        return []
    return [_at_rows("tables.line_breaks", "notice", form, several, found)]


def _at_rows(
    key: str, level: Literal["error", "notice"], form: Form, rows: list[int], found: Structure
) -> Problem:
    numbers = tuple(max(0, row - form.header_rows) for row in rows[:3])
    total = max(found.rows - form.header_rows, len(rows))
    return Problem(key, level, form.name, "", len(rows), total, numbers)


def _numbered(path: Path, form: Form) -> list[Misfit]:
    """Read once more in order: only so does the parser number the rows that do not fit."""
    misfits: list[Misfit] = []
    _parsed(Watched(pieces(path, form.encoding, form.skip), []), form, misfits, threads=False)
    return sorted(misfits)


def _ragged(form: Form, cells: pa.Table, misfits: list[Misfit]) -> TableError:
    rows = tuple(max(0, line.row - form.header_rows) for line in misfits[:3])
    total = cells.num_rows + len(misfits) - form.header_rows
    values = {"columns": cells.num_columns, "found": misfits[0].cells}
    return TableError([Problem("tables.ragged", "error", form.name, "", len(misfits), total, rows, values)])


def _other_encoding(path: Path, form: Form) -> TableError:
    """Say which lines are of another encoding, or that all are and which it looks like."""
    with path.open("rb") as plain:
        is_folded = plain.read(2) == b"\x1f\x8b"
    with (gzip.open if is_folded else open)(path, "rb") as file:
        wide = as_wide(file.read(4096), form.encoding)
        if wide:
            return _not_as_declared(form, str(wide["likely"]))
        file.seek(0)
        lines = file.read(LOOKED_AT * 16).splitlines()[form.skip :]
    foreign = [at for at, line in enumerate(lines) if not line.isascii()]
    broken = [at for at in foreign if not _decodes(lines[at], form.encoding)]
    if 0 < len(broken) < len(foreign) / 2:
        rows = tuple(max(0, at + 1 - form.header_rows) for at in broken[:3])
        values = {"declared": form.encoding, "likely": _likely([lines[at] for at in broken], form)}
        total = len(lines) - form.header_rows
        return TableError(
            [Problem("tables.mixed_encoding", "error", form.name, "", len(broken), total, rows, values)]
        )
    return _not_as_declared(form, _likely(lines, form))


def _not_as_declared(form: Form, likely: str) -> TableError:
    """Name the encoding a text looks like; one that begins as declared breaks further down."""
    if codecs.lookup(likely).name == codecs.lookup(form.encoding).name:
        return _stop(form, "tables.unreadable")
    return _stop(form, "tables.encoding", declared=form.encoding, likely=likely)


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeError:
        return False
    return True


def _likely(lines: list[bytes], form: Form) -> str:
    """Guess the encoding that lines fit, for the message; they do not fit the declared one."""
    start = b"\n".join(lines)
    if len(start) > LOOKED_AT:
        start = start[: start.rfind(b"\n", 0, LOOKED_AT) + 1] or start[:LOOKED_AT]
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    fitting = [candidate for candidate in CANDIDATES if candidate != form.encoding]
    fitting = [candidate for candidate in fitting if _decodes(start, candidate)]
    return min(fitting, key=lambda name: len(_ODD.findall(start.decode(name))), default="cp932")


def names_of(cells: pa.Table) -> list[Any]:
    """Texts of the first row."""
    return [cells.column(at)[0].as_py() for at in range(cells.num_columns)]
