"""Gather what a report recorded beside its outputs: header, tables, findings, figures, notices.

Everything comes from the outputs' `cx` metadata, nothing from rendered text, so what people read and what
programs compare is one thing.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

#: Also behind blanks of any width and at the start of a later line of a cell, where some programs look too.
_FORMULA = re.compile(r"\A[\t\r\n]|(?:\A|[\r\n])[\s\u200b\ufeff]*[=+\-@＝＋－＠]")
_SHELVES = {"table": "tables", "finding": "findings", "figure": "figures", "notice": "notices"}


def records(notebook: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every `cx` record of a run notebook, in order."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            record = output.get("metadata", {}).get("cx")
            if isinstance(record, Mapping) and isinstance(record.get("kind"), str):
                yield dict(record)


def collect(notebook: Mapping[str, Any]) -> dict[str, Any]:
    """Results of one report: `header`, and `tables`, `findings`, `figures`, `notices` by key.

    A key shown twice is numbered, `key`, `key-2`; a notice that says the same again is left out.
    Not-a-number and infinite become null, so that any JSON reader takes the file.
    """
    results: dict[str, Any] = {"header": {}, **{shelf: {} for shelf in _SHELVES.values()}}
    for record in records(notebook):
        kind, key = record.pop("kind"), str(record.pop("key", "")) or "unnamed"
        if kind == "header":
            results["header"] = _finite(record)
        elif kind in _SHELVES:
            shelf = results[_SHELVES[kind]]
            if kind == "notice" and _finite(record) in [
                said for name, said in shelf.items() if _is_of(name, key)
            ]:
                continue
            number = 1 + sum(_is_of(name, key) for name in shelf)
            shelf[key if number == 1 else f"{key}-{number}"] = _finite(record)
    return results


def _is_of(name: str, key: str) -> bool:
    """Whether `name` is `key`, or `key` numbered."""
    return name == key or re.fullmatch(re.escape(key) + r"-\d+", name) is not None


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def is_not_enough(results: Mapping[str, Any]) -> bool:
    """Whether a report says there were not enough data."""
    return any(notice.get("level") == "not_enough_data" for notice in results["notices"].values())


def to_csv(table: Mapping[str, Any]) -> bytes:
    r"""Return a table record as CSV a spreadsheet opens safely: text that looks like a formula gets a `'`.

    Examples
    --------
    >>> to_csv({"columns": ["name", "n"], "rows": [{"name": "=1+1", "n": -2}]}).decode("utf-8-sig")
    "name,n\r\n'=1+1,-2\r\n"
    """
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow([_guarded(column) for column in table["columns"]])
    for row in table["rows"]:
        writer.writerow([_guarded(row.get(column)) for column in table["columns"]])
    return target.getvalue().encode("utf-8-sig")


def _guarded(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and _FORMULA.search(value) else value


def to_parquet(table: Mapping[str, Any]) -> bytes:
    """Return a table record as Parquet, values raw; a column of mixed kinds becomes text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = {}
    for column in table["columns"]:
        values = [row.get(column) for row in table["rows"]]
        try:
            arrays[column] = pa.array(values)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            arrays[column] = pa.array([None if value is None else str(value) for value in values])
    target = io.BytesIO()
    pq.write_table(pa.table(arrays), target)
    return target.getvalue()


def file_name(key: str) -> str:
    """Return a table key as a file name that is safe anywhere.

    Examples
    --------
    >>> file_name("../deciles")
    '_deciles'
    """
    return re.sub(r"[^A-Za-z0-9_-]+", "_", key)[:80]
