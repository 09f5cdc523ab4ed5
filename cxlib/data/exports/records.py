"""Parquet files and JSON lines of an export as text in every cell; what is nested stays JSON for `path`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from cxlib.checks import Problem, TableError
from cxlib.data.delimited.byte_stream import MOST_COLUMNS
from cxlib.data.exports.reading_models import Reading
from cxlib.data.exports.sheets import Sheet
from cxlib.data.text_type import text_column

#: Whole numbers up to here are exact as floats.
EXACT = 2**53


def read_parquet(path: Path, name: str, reading: Reading) -> list[Sheet]:
    """Read a Parquet file; its columns have the names of the schema.

    Raises
    ------
    TableError
        When the file is damaged.
    """
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, partitioning=None)
        table.validate(full=True)
        cells = {f"f{at}": _texts(column) for at, column in enumerate(table.columns)}
    except (pa.ArrowException, OSError) as error:
        raise TableError([Problem("tables.unreadable", "error", name)]) from error
    return [Sheet(name, [table.column_names], pa.table(cells))]


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cells as text: whole floats without decimals, times in ISO, nested values as JSON."""
    if kinds.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if kinds.is_nested(kind):
        cells = [None if cell is None else _json(cell) for cell in column.to_pylist()]
        column = text_column(cells)
    elif kinds.is_floating(kind):
        whole = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), float(EXACT)))
        figures = pc.if_else(whole, column, None).cast(pa.int64()).cast(pa.string())
        column = pc.coalesce(figures, column.cast(pa.string()))
    elif kinds.is_binary(kind) or kinds.is_large_binary(kind):
        column = column.cast(pa.binary()).cast(pa.string())
    else:
        column = column.cast(pa.string())
    return pc.fill_null(column, "")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def read_json_lines(path: Path, name: str, reading: Reading) -> list[Sheet]:
    """Read one object per line; a key becomes a column, numbers stay as they are written.

    Raises
    ------
    TableError
        When the file is not UTF-8, or a line is no object; names the first of them.
    """
    columns: dict[str, list[str]] = {}
    rows = 0
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise TableError([Problem("tables.unreadable", "error", name)]) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line, parse_int=str, parse_float=str, parse_constant=str)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            raise TableError([Problem("exports.no_object", "error", name, "", 1, number, (number,))])
        for key, value in record.items():
            column = columns.setdefault(key, [])
            column.extend([""] * (rows - len(column)))
            column.append(as_cell(value))
        rows += 1
        if len(columns) > MOST_COLUMNS:
            values = {"limit": f"{MOST_COLUMNS:,}", "found": f"{len(columns):,}"}
            raise TableError([Problem("tables.too_many_columns", "error", name, values=values)])
    cells = {
        f"f{at}": text_column(column + [""] * (rows - len(column)))
        for at, column in enumerate(columns.values())
    }
    return [Sheet(name, [list(columns)], pa.table(cells))]


def as_cell(value: Any) -> str:
    """Text of a value of JSON: what is nested stays JSON, nothing is an empty cell.

    Examples
    --------
    >>> [as_cell(value) for value in ("tea", None, True, {"a": ["1"]})]
    ['tea', '', 'true', '{"a": ["1"]}']
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return _json(value) if isinstance(value, dict | list) else str(value)
