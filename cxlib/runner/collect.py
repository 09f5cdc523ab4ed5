"""Gather what a report recorded beside its outputs: header, tables, findings, figures, notices.

Everything comes from the outputs' `cx` metadata, nothing from rendered text, so what people read and what
programs compare is one thing.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

#: Format of `results.json` (`docs/results.md`); it rises when a name goes or changes its meaning.
RESULTS_FORMAT = 1
#: Also behind blanks of any width and at the start of a later line of a cell, where some programs look too.
_FORMULA = re.compile(r"\A[\t\r\n]|(?:\A|[\r\n])[\s\u200b\ufeff]*[=+\-@＝＋－＠]")
_DEVICE = re.compile(r"con|prn|aux|nul|com\d|lpt\d", re.IGNORECASE)
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
    """Whether a report says there were not enough data, and not for one of its sections only."""
    notices = [notice for notice in results["notices"].values() if not notice.get("only_here")]
    return any(notice.get("level") == "not_enough_data" for notice in notices)


def to_csv(table: Mapping[str, Any]) -> bytes:
    r"""Return a table record as CSV a spreadsheet opens safely: text that looks like a formula gets a `'`.

    Examples
    --------
    >>> to_csv({"columns": ["name", "n"], "rows": [{"name": "=1+1", "n": -2}]}).decode("utf-8-sig")
    "name,n\r\n'=1+1,-2\r\n"
    """
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow([guarded(column) for column in table["columns"]])
    for row in table["rows"]:
        writer.writerow([guarded(row.get(column)) for column in table["columns"]])
    return target.getvalue().encode("utf-8-sig")


def guarded(value: object) -> object:
    """Return a cell; text that a spreadsheet would take for a formula with a `'` before it.

    Examples
    --------
    >>> guarded("=1+1"), guarded(-2)
    ("'=1+1", -2)
    """
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

    A key without a letter that file names may have is told from others by a digest; the name of a device on
    Windows gets a `_`.

    Examples
    --------
    >>> file_name("../deciles"), file_name("nul"), file_name("表") == file_name("図")
    ('_deciles', 'nul_', False)
    """
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", key)[:80]
    if not re.search(r"[A-Za-z0-9]", name):
        return f"_{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return f"{name}_" if _DEVICE.fullmatch(name) else name


def file_names(keys: Iterable[str]) -> dict[str, str]:
    """Key → file name, each its own even where a disk does not tell capitals from small letters.

    Examples
    --------
    >>> file_names(["a/b", "a:b", "A_b"])
    {'a/b': 'a_b', 'a:b': 'a_b-2', 'A_b': 'A_b-3'}
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for key in keys:
        stem = name = file_name(key)
        number = 1
        while name.lower() in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.lower())
        names[key] = name
    return names
