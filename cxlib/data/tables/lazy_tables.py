"""The tables as DuckDB relations in the contract's types, for reductions that should not load them."""

from __future__ import annotations

import glob
from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import narwhals as nw
import pyarrow as pa

from cxlib.checks import Problem, TableError
from cxlib.data.contract import TABLES, Column, Kind
from cxlib.data.days import zone_named
from cxlib.data.engine.lazy_lines import as_lazy
from cxlib.data.ids import PROTECTED
from cxlib.data.personal_columns import has_personal_name
from cxlib.data.rules.settings import Settings
from cxlib.data.tables.database import check_views, connect
from cxlib.data.tables.read_tables import Source

if TYPE_CHECKING:
    import duckdb
    import pandas as pd


def scan(
    source: Source, settings: Settings, moment: datetime, checked: Callable[[], pd.DataFrame]
) -> nw.LazyFrame[Any]:
    """Give a table up to a moment as LazyFrame; ids are text, times instants, absent columns null.

    `checked` gives the same rows read and checked: where the file holds text that has to be interpreted,
    there is one way to do so.

    Raises
    ------
    TableError
        When the table cannot be opened, or its text does not hold what the contract asks for.
    """
    import duckdb

    if source.kind == "engine":
        return _where_it_lies(source, moment)
    try:
        connection = connect(source.path if source.kind == "duckdb" else None, settings.timezone)
        if source.kind in ("csv", "frame"):
            return _of_frame(connection, checked())
        if source.kind == "duckdb":
            check_views(connection, source.table, source.path)
            lying = connection.table(source.table)
        else:
            lying = connection.read_parquet(glob.escape(str(source.path)))
    except duckdb.Error as error:
        raise TableError([Problem("tables.unreadable", "error", source.file)]) from error
    spec = TABLES[source.table]
    types = dict(zip(lying.columns, map(str, lying.types), strict=True))
    if not all(_is_plain(types.get(name), rule) for name, rule in spec.columns.items()):
        return _of_frame(connection, checked())
    extra = [name for name in lying.columns if spec.column(name) is None and not has_personal_name(name)]
    like = [name for name in lying.columns if name not in spec.columns and spec.column(name) is not None]
    chosen = [
        f"{_typed(column, types, spec.column(column), settings.timezone)} AS {_quoted(column)}"
        for column in (*spec.columns, *like, *extra)
    ]
    relation = lying.project(", ".join(chosen))
    if spec.time is not None:
        own = spec.columns[spec.time].kind
        limit = f"TIMESTAMPTZ '{moment.isoformat()}'" if own == "timestamp" else f"DATE '{moment.date()}'"
        relation = relation.filter(f"{_quoted(spec.time)} <= {limit}")
    return nw.from_native(relation)


def newest(source: Source, settings: Settings) -> date | None:
    """Day of the latest row up to the extraction; None where all of it has to be read to know."""
    import duckdb

    def unchecked() -> pd.DataFrame:
        raise TableError([])

    time = TABLES[source.table].time
    if source.kind not in ("parquet", "duckdb", "engine") or time is None:
        return None
    try:
        found = scan(source, settings, settings.extracted, unchecked).select(nw.col(time).max())
        last = found.collect(backend="pyarrow").item()
    except (TableError, duckdb.Error, OverflowError, nw.exceptions.ColumnNotFoundError):
        return None
    if not isinstance(last, datetime):
        return last
    return (last if last.tzinfo is None else last.astimezone(settings.extracted.tzinfo)).date()


def _where_it_lies(source: Source, moment: datetime) -> nw.LazyFrame[Any]:
    """Give an engine's own table: its types, unchecked, ids as text, up to a moment."""
    spec, frame = TABLES[source.table], as_lazy(source.frame)
    schema = frame.collect_schema()
    ids = [name for name, rule in spec.columns.items() if rule.kind == "id" and name in schema]
    frame = frame.with_columns(nw.col(name).cast(nw.String) for name in ids) if ids else frame
    if spec.time is None or spec.time not in schema:
        return frame
    kind: Any = schema[spec.time]
    if kind == nw.Date:
        return frame.filter(nw.col(spec.time) <= moment.date())
    zone = getattr(kind, "time_zone", None)
    own = moment.replace(tzinfo=None) if zone is None else moment.astimezone(zone_named(zone))
    return frame.filter(nw.col(spec.time) <= own)


def _of_frame(connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame) -> nw.LazyFrame[Any]:
    return nw.from_native(connection.from_arrow(pa.Table.from_pandas(frame, preserve_index=False)))


def _is_plain(lying: str | None, rule: Column) -> bool:
    """Whether a column needs a cast at most, not an interpretation of texts or decimals."""
    if lying is None or rule.kind == "text":
        return True
    if rule.kind == "id":
        return lying not in ("DOUBLE", "FLOAT")
    return lying != "VARCHAR"


def _typed(column: str, types: dict[str, str], rule: Column | None, zone: str) -> str:
    """Write the SQL for a column in its contract type."""
    if column not in types:
        return f"CAST(NULL AS {_SQL[rule.kind if rule else 'text']})"
    name, lying = _quoted(column), types[column]
    if rule is None:
        return name
    if rule.kind == "timestamp" and lying in _WITHOUT_ZONE:
        return f"timezone('{zone}', CAST({name} AS TIMESTAMP))"
    if rule.kind == "id" and lying == "VARCHAR":
        bare = f"regexp_replace(trim({name}), '{PROTECTED}', '\\1')"
        return f"regexp_replace(nullif({bare}, ''), '^([0-9]+)\\.0+$', '\\1')"
    if lying in ("DOUBLE", "FLOAT"):
        name = f"CASE WHEN NOT isnan({name}) THEN {name} END"
    return f"CAST({name} AS {_SQL[rule.kind]})"


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


_WITHOUT_ZONE = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATE")
_SQL: dict[Kind, str] = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "number": "DOUBLE",
    "whole": "BIGINT",
    "flag": "BOOLEAN",
    "timestamp": "TIMESTAMPTZ",
    "date": "DATE",
    "month": "DATE",
}
