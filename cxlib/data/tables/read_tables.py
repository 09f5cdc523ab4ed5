"""Find the tables of a data set and read them as they lie; nothing is interpreted here."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cxlib.checks import CxError, InputError, ParameterError, Problem, TableError, fail_option
from cxlib.checks.own_frames import arrow_rows, engine_of, is_elsewhere
from cxlib.data.contract import TABLES
from cxlib.data.delimited.byte_stream import MOST_COLUMNS
from cxlib.data.delimited.read_text import Form, read_cells
from cxlib.data.file_kinds import FileKind, kind_of
from cxlib.data.rules.settings import Settings
from cxlib.data.rules.strict_models import read_model, to_model
from cxlib.data.tables.database import connect, names_in, read_relation

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

SUFFIXES = (".parquet", ".csv", ".csv.gz")
DATABASES = (".duckdb", ".db", ".ddb")
OTHERS = (
    ".txt",
    ".tsv",
    ".xlsx",
    ".xls",
    ".xlsm",
    ".ods",
    ".json",
    ".jsonl",
    ".zip",
    ".gz",
    ".zst",
    ".feather",
)


NEAR = 0.75


@dataclass(frozen=True)
class Source:
    """Where one table lies; a class because a folder, a database and a frame are read by different calls."""

    table: str
    path: Path
    kind: Literal["parquet", "csv", "duckdb", "frame", "engine"]
    frame: Any = None

    @property
    def file(self) -> str:
        """Name by which messages call it."""
        return f"{self.path.name}:{self.table}" if self.kind == "duckdb" else self.path.name


def find_tables(path: Any, settings: Mapping[str, Any]) -> tuple[Settings, dict[str, Source], list[Problem]]:
    """Find the tables of a folder or database, or take frames with settings.

    Raises
    ------
    ParameterError
        For something that is neither, and for settings beside those of a folder.
    InputError
        As `locate`.
    """
    if isinstance(path, Mapping):
        return locate_frames(path, settings)
    if not isinstance(path, str | os.PathLike):
        raise ParameterError("tables.no_data", found=f"{type(path).__module__}.{type(path).__name__}")
    if settings:
        raise ParameterError("tables.settings_in_file", names=", ".join(settings))
    return locate(Path(path))


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
    if not settings_file.is_file() or leads_out(settings_file, path):
        raise InputError("tables.no_settings", folder=path.name)
    files = sorted(path.iterdir())
    found = {
        name: [file for file in files if file.name in [name + suffix for suffix in SUFFIXES]]
        for name in TABLES
    }
    twice = [name for name, those in found.items() if len(those) > 1]
    if twice:
        raise InputError("tables.two_files", table=twice[0], folder=path.name)
    sources = {
        name: Source(name, those[0], "parquet" if those[0].suffix == ".parquet" else "csv")
        for name, those in found.items()
        if those
    }
    used = {source.path for source in sources.values()}
    others = list(_not_read([file for file in files if file not in used]))
    return read_model(Settings, settings_file), sources, [*others, *_import_notices(path / "import.json")]


def locate_frames(
    frames: Mapping[str, Any], settings: Mapping[str, Any]
) -> tuple[Settings, dict[str, Source], list[Problem]]:
    """Take frames in place of a folder's files and settings in place of dataset.yml, in the contract's order.

    Raises
    ------
    ParameterError
        A name that is no table of the contract, or something that is no frame.
    InputError
        Settings that do not fit.
    """
    kinds: dict[str, Literal["engine", "frame"]] = {}
    for name, frame in frames.items():
        if name not in TABLES:
            fail_option("path", name, TABLES)
        kinds[name] = "engine" if is_elsewhere(frame, argument=name) else "frame"
    sources = {name: Source(name, Path(name), kinds[name], frames[name]) for name in TABLES if name in kinds}
    return to_model(Settings, dict(settings), file="open_data"), sources, []


def leads_out(file: Path, folder: Path) -> bool:
    """Whether a file is a link to somewhere outside its folder."""
    return file.is_symlink() and not file.resolve().is_relative_to(folder.resolve())


def _import_notices(file: Path) -> list[Problem]:
    """Read what an import noticed in its files; nothing where the record is none."""
    try:
        record = json.loads(file.read_text(encoding="utf-8"))["notices"]
        found = [Problem(**{**entry, "rows": tuple(entry["rows"])}) for entry in record]
        return [notice for notice in found if notice.level == "notice" and notice.text()]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return []


def _not_read(files: list[Path]) -> Iterator[Problem]:
    """Notice files that look like tables but are none; the names of people's own files are not repeated."""
    strange = 0
    for file in files:
        stem, ending = file.name.split(".", 1)[0].lower(), file.suffix.lower()
        table = next(iter(get_close_matches(stem, TABLES, n=1, cutoff=NEAR)), None)
        if ending not in SUFFIXES + OTHERS:
            continue
        if stem == table:
            values = {"table": table, "what": FileKind(kind_of(file))}
            yield Problem("tables.not_read", "notice", file.name, values=values)
        elif table is not None:
            yield Problem("tables.unknown_table", "notice", file.name, values={"nearest": table})
        elif file.name.lower().endswith(SUFFIXES):
            strange += 1
    if strange:
        values = {"count": f"{strange:,}", "tables": ", ".join(TABLES)}
        yield Problem("tables.unknown_tables", "notice", "–", values=values)


def _locate_database(path: Path) -> tuple[Settings, dict[str, Source], list[Problem]]:
    with connect(path) as connection:
        names, elsewhere = names_in(connection, path)
        content: dict[str, Any] | None = None
        if "dataset" in names:
            cells = read_relation(connection, "dataset", path).to_pylist()
            content = {name: _plain(value) for name, value in (cells[0] if cells else {}).items()}
    beside = path.parent / "dataset.yml"
    if beside.is_file():
        settings = read_model(Settings, beside)
    elif content is not None:
        settings = to_model(Settings, content, file=f"{path.name}:dataset")
    else:
        raise InputError("tables.no_settings", folder=path.name)
    notices = [
        Problem("tables.other_schema", "notice", f"{path.name}:{table}")
        for table in TABLES
        if table in elsewhere and table not in names
    ]
    return settings, {t: Source(t, path, "duckdb") for t in TABLES if t in names}, notices


def _plain(value: Any) -> Any:
    """Turn a cell of the `dataset` table into what YAML would give; a scale may be written `1, 5`."""
    if isinstance(value, str) and value.count(",") == 1:
        return [part.strip() for part in value.strip("[] ").split(",")]
    return value


def read(source: Source, *, encoding: str) -> tuple[pa.Table, list[Problem]]:
    """Read the table as it lies there; CSV as text in every column, an empty cell as missing.

    Raises
    ------
    TableError
        When the file is empty, damaged, of another encoding, outside the folder or none at all, or its rows
        do not fit its header.
    """
    import pyarrow as pa

    if source.kind in ("frame", "engine"):
        return _of_frame(source)
    if not os.path.isfile(source.path):
        raise _failed(source, "tables.not_a_file")
    if leads_out(source.path, source.path.parent):
        raise _failed(source, "tables.outside")
    if source.kind == "csv":
        return _read_csv(source, encoding)
    try:
        if source.kind == "duckdb":
            with connect(source.path) as connection:
                table = read_relation(connection, source.table, source.path)
        else:
            import pyarrow.parquet as pq

            _check_names(source, pq.read_schema(source.path).names)
            table = pq.read_table(source.path, partitioning=None)
        table.validate(full=True)
    except (pa.ArrowException, OSError, MemoryError, UnicodeDecodeError) as error:
        raise _failed(source, "tables.unreadable") from error
    _check_names(source, table.column_names)
    return table, []


def _holds_two_kinds_of_times(values: pd.Series) -> bool:
    """Whether Python's times with a zone and without stand in one column: Arrow would take all as UTC."""
    if values.dtype != object:
        return False
    zoned = {value.tzinfo is not None for value in values if isinstance(value, datetime) and value == value}
    return len(zoned) > 1


def _of_frame(source: Source) -> tuple[pa.Table, list[Problem]]:
    """Take the rows of a frame, and say how many were fetched from elsewhere."""
    import pandas as pd
    import pyarrow as pa

    frame = source.frame
    try:
        if isinstance(frame, pd.DataFrame):
            _check_names(source, [str(name) for name in frame.columns])
            if any(_holds_two_kinds_of_times(frame[name]) for name in frame.columns):
                raise _failed(source, "tables.mixed_times")
            return pa.Table.from_pandas(frame, preserve_index=False), []
        table = arrow_rows(frame, argument=source.table)
    except (pa.ArrowException, ValueError) as error:
        if isinstance(error, CxError):
            raise
        raise _failed(source, "tables.mixed_frame") from error
    _check_names(source, table.column_names)
    if source.kind == "frame":
        return table, []
    told = {"rows": f"{table.num_rows:,}", "engine": engine_of(frame)}
    return table, [Problem("tables.fetched", "notice", source.file, values=told)]


def _failed(source: Source, key: str, **values: object) -> TableError:
    return TableError([Problem(key, "error", source.file, values=values)])


def _read_csv(source: Source, encoding: str) -> tuple[pa.Table, list[Problem]]:
    import pyarrow.compute as pc

    cells, notices = read_cells(source.path, Form(source.file, encoding))
    names = [str(cells.column(at)[0].as_py()) for at in range(cells.num_columns)]
    if len(names) == 1 and any(sign in names[0] for sign in ";\t|"):
        raise _failed(source, "tables.delimiter")
    _check_names(source, names)
    table = cells.slice(1).rename_columns(names)
    columns = [pc.if_else(pc.equal(column, ""), None, column) for column in table.columns]
    return table.from_arrays(columns, names=names), notices


def _check_names(source: Source, names: list[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice or "" in names:
        raise _failed(source, "tables.bad_header", position=names.index((twice or [""])[0]) + 1)
    if len(names) > MOST_COLUMNS:
        limit = f"{MOST_COLUMNS:,}"
        raise _failed(source, "tables.too_many_columns", limit=limit, found=f"{len(names):,}")
