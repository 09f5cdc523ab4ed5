"""Find the tables of a data set and read them as they lie; nothing is interpreted here."""

from __future__ import annotations

import codecs
import csv
import gzip
import os.path
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cxlib.checks import InputError, Problem, TableError, nearest
from cxlib.closed import read_model, to_model
from cxlib.contract import TABLES
from cxlib.rules import Settings

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SUFFIXES = (".parquet", ".csv", ".csv.gz")
DATABASES = (".duckdb", ".db", ".ddb")


@dataclass(frozen=True)
class Source:
    """Where one table lies; a class because a folder and a database are read by different calls."""

    table: str
    path: Path
    kind: Literal["parquet", "csv", "duckdb"]

    @property
    def file(self) -> str:
        """Name by which messages call it."""
        return f"{self.path.name}:{self.table}" if self.kind == "duckdb" else self.path.name


def locate(path: Path) -> tuple[Settings, dict[str, Source], list[Problem]]:
    """Find settings, tables in the contract's order, and what else lies there that looks like a table.

    Raises
    ------
    InputError
        When there is no such folder or file, no dataset.yml, or one table twice.
    """
    if os.path.isfile(path) and path.suffix in DATABASES:
        return _locate_database(path)
    if not os.path.isdir(path):
        raise InputError("tables.no_folder", folder=path.name[:80])
    settings_file = path / "dataset.yml"
    if not settings_file.is_file():
        raise InputError("tables.no_settings", folder=path.name)
    found = [file for file in sorted(path.iterdir()) if file.name.endswith(SUFFIXES)]
    names = [file.name[: -len(_suffix(file))] for file in found]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InputError("tables.two_files", table=twice[0], folder=path.name)
    sources = {
        name: Source(name, file, "parquet" if file.name.endswith(".parquet") else "csv")
        for name, file in zip(names, found, strict=True)
    }
    problems = [
        Problem(
            "tables.unknown_table", "notice", sources[name].file, values={"nearest": nearest(name, TABLES)}
        )
        for name in names
        if name not in TABLES
    ]
    return read_model(Settings, settings_file), {t: sources[t] for t in TABLES if t in sources}, problems


def _suffix(file: Path) -> str:
    return next(suffix for suffix in SUFFIXES if file.name.endswith(suffix))


def _locate_database(path: Path) -> tuple[Settings, dict[str, Source], list[Problem]]:
    connection = connect(path)
    names = [
        row[0] for row in connection.execute("SELECT DISTINCT table_name FROM duckdb_columns()").fetchall()
    ]
    beside = path.parent / "dataset.yml"
    if beside.is_file():
        settings = read_model(Settings, beside)
    elif "dataset" in names:
        cells = connection.table("dataset").to_arrow_table().to_pylist()
        content = {name: _plain(value) for name, value in (cells[0] if cells else {}).items()}
        settings = to_model(Settings, content, file=f"{path.name}:dataset")
    else:
        raise InputError("tables.no_settings", folder=path.name)
    return settings, {t: Source(t, path, "duckdb") for t in TABLES if t in names}, []


def _plain(value: Any) -> Any:
    """Turn a cell of the `dataset` table into what YAML would give; a scale may be written `1, 5`."""
    if isinstance(value, str) and value.count(",") == 1:
        return [part.strip() for part in value.strip("[] ").split(",")]
    return value


def connect(path: Path | None = None, timezone: str = "UTC") -> duckdb.DuckDBPyConnection:
    """Open a DuckDB connection whose clock is the data set's, whatever the machine's is."""
    import duckdb

    try:
        connection = duckdb.connect(":memory:" if path is None else str(path), read_only=path is not None)
    except duckdb.Error as error:
        file = path.name if path else "DuckDB"
        raise TableError([Problem("tables.unreadable", "error", file)]) from error
    connection.execute(f"SET TimeZone = '{timezone}'")
    return connection


def read(source: Source, *, encoding: str) -> pa.Table:
    """Read the table as it lies there; CSV as text in every column, an empty cell as missing.

    Raises
    ------
    TableError
        When the file is empty, damaged, of another encoding, or its rows do not fit its header.
    """
    import pyarrow as pa

    if source.kind == "csv":
        return _read_csv(source, encoding)
    try:
        if source.kind == "duckdb":
            return connect(source.path).table(source.table).to_arrow_table()
        import pyarrow.parquet as pq

        return pq.read_table(source.path)
    except (pa.ArrowException, OSError) as error:
        raise _failed(source, "tables.unreadable") from error


def _failed(source: Source, key: str, **values: object) -> TableError:
    return TableError([Problem(key, "error", source.file, values=values)])


def _read_csv(source: Source, encoding: str) -> pa.Table:
    import pyarrow as pa
    import pyarrow.csv as arrow_csv

    names = header(source, encoding)
    wrong: list[int] = []

    def note(row: arrow_csv.InvalidRow) -> str:
        wrong.append((row.number or 1) - 1)
        return "skip"

    def options(*, threads: bool) -> dict[str, Any]:
        return {
            "read_options": arrow_csv.ReadOptions(encoding=encoding, use_threads=threads, block_size=1 << 24),
            "parse_options": arrow_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=note),
            "convert_options": arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True
            ),
        }

    try:
        table = arrow_csv.read_csv(source.path, **options(threads=True))
        if wrong:
            wrong.clear()
            arrow_csv.read_csv(source.path, **options(threads=False))
            rows, total = tuple(sorted(wrong)[:3]), table.num_rows + len(wrong)
            columns = {"columns": len(names)}
            raise TableError(
                [Problem("tables.ragged", "error", source.file, "", len(wrong), total, rows, columns)]
            )
        return table
    except UnicodeDecodeError as error:
        raise _failed(source, "tables.encoding", **_other_encoding(source, encoding)) from error
    except pa.ArrowInvalid as error:
        if "UTF8" in str(error):
            raise _failed(source, "tables.encoding", **_other_encoding(source, encoding)) from error
        raise _failed(source, "tables.unreadable") from error
    except (pa.ArrowException, OSError, LookupError) as error:
        raise _failed(source, "tables.unreadable") from error


def header(source: Source, encoding: str) -> list[str]:
    """Column names of a CSV file."""
    opened = gzip.open if source.path.name.endswith(".gz") else open
    try:
        with opened(
            source.path, "rt", encoding="utf-8-sig" if is_utf8(encoding) else encoding, newline=""
        ) as file:
            names = next(csv.reader(file), [])
    except LookupError as error:
        raise InputError("tables.unknown_encoding", encoding=encoding) from error
    except UnicodeDecodeError as error:
        raise _failed(source, "tables.encoding", **_other_encoding(source, encoding)) from error
    except (OSError, csv.Error) as error:
        raise _failed(source, "tables.unreadable") from error
    if not names:
        raise _failed(source, "tables.empty")
    if len(names) == 1 and any(sign in names[0] for sign in ";\t|"):
        raise _failed(source, "tables.delimiter")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice or "" in names:
        raise _failed(source, "tables.bad_header", position=names.index((twice or [""])[0]) + 1)
    return names


def is_utf8(encoding: str) -> bool:
    """Whether an encoding is UTF-8 under any of its names."""
    return codecs.lookup(encoding).name == "utf-8"


def _other_encoding(source: Source, declared: str) -> dict[str, str]:
    """Guess the encoding that the file's first bytes fit, for the message."""
    opened = gzip.open if source.path.name.endswith(".gz") else open
    with opened(source.path, "rb") as file:
        start = file.read(1 << 20)
    start = start[: start.rfind(b"\n") + 1] or start
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return {"declared": declared, "likely": "utf-16"}
    for candidate in ("utf-8", "cp932", "euc_jp", "cp1252"):
        try:
            start.decode(candidate)
        except UnicodeDecodeError:
            continue
        return {"declared": declared, "likely": candidate}
    return {"declared": declared, "likely": "cp932"}
