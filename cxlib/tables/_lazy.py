"""The tables as DuckDB relations in the contract's types, for reductions that should not load them."""

from __future__ import annotations

import glob
from datetime import datetime
from typing import TYPE_CHECKING, Any

import narwhals as nw

from cxlib.columns import has_personal_name
from cxlib.contract import TABLES, Column, Kind
from cxlib.rules import Settings
from cxlib.tables._read import Source, connect, header, is_utf8, read

if TYPE_CHECKING:
    import duckdb

LONGEST_LINE = 1 << 24


def scan(source: Source, settings: Settings, moment: datetime) -> nw.LazyFrame[Any]:
    """Give a table up to a moment as LazyFrame; ids are text, times instants, absent columns null."""
    connection = connect(source.path if source.kind == "duckdb" else None, settings.timezone)
    lying = _relation(connection, source, settings)
    spec = TABLES[source.table]
    types = dict(zip(lying.columns, map(str, lying.types), strict=True))
    extra = [name for name in lying.columns if name not in spec.columns and not has_personal_name(name)]
    columns = [*spec.columns, *extra]
    chosen = [
        f"{_typed(column, types, spec.column(column), settings.timezone)} AS {_quoted(column)}"
        for column in columns
    ]
    relation = lying.project(", ".join(chosen))
    if spec.time is not None:
        own = spec.columns[spec.time].kind
        limit = f"TIMESTAMPTZ '{moment.isoformat()}'" if own == "timestamp" else f"DATE '{moment.date()}'"
        relation = relation.filter(f"{_quoted(spec.time)} <= {limit}")
    return nw.from_native(relation)


def _relation(
    connection: duckdb.DuckDBPyConnection, source: Source, settings: Settings
) -> duckdb.DuckDBPyRelation:
    if source.kind == "duckdb":
        return connection.table(source.table)
    if source.kind == "parquet":
        return connection.read_parquet(glob.escape(str(source.path)))
    if not is_utf8(settings.encoding):
        return connection.from_arrow(read(source, encoding=settings.encoding))
    return connection.read_csv(
        glob.escape(str(source.path)),
        header=True,
        names=header(source, settings.encoding),
        all_varchar=True,
        sep=",",
        quotechar='"',
        escapechar='"',
        max_line_size=LONGEST_LINE,
    )


def _typed(column: str, types: dict[str, str], rule: Column | None, zone: str) -> str:
    """Write the SQL for a column in its contract type."""
    if column not in types:
        return f"CAST(NULL AS {_SQL[rule.kind if rule else 'text']})"
    name, lying = _quoted(column), types[column]
    if rule is None:
        return name
    if rule.kind == "timestamp" and lying in _WITHOUT_ZONE:
        return f"timezone('{zone}', CAST({name} AS TIMESTAMP))"
    if rule.kind == "month" and lying == "VARCHAR":
        return f"CAST(left({name}, 7) || '-01' AS DATE)"
    if rule.kind == "id" and lying in ("DOUBLE", "FLOAT"):
        return f"CAST(CAST({name} AS BIGINT) AS VARCHAR)"
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
