"""DuckDB files, opened so that nothing in them reaches beyond themselves."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxlib.checks import Problem, TableError

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

#: No file, address, extension or variable of this program can be read by what a view says.
CLOSED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
}


def connect(path: Path | None = None, timezone: str = "UTC") -> duckdb.DuckDBPyConnection:
    """Open a DuckDB connection whose clock is the data set's, whatever the machine's is.

    Raises
    ------
    TableError
        When the file is no DuckDB file, or damaged.
    """
    import duckdb

    try:
        if path is None:
            connection = duckdb.connect(":memory:", config={"autoinstall_known_extensions": False})
        else:
            connection = duckdb.connect(str(path), read_only=True, config=CLOSED)
        connection.execute(f"SET TimeZone = '{timezone}'")
    except duckdb.Error as error:
        raise _failed(path, "tables.unreadable") from error
    return connection


def _failed(path: Path | None, key: str, table: str = "") -> TableError:
    file = path.name if path else "DuckDB"
    return TableError([Problem(key, "error", f"{file}:{table}" if table else file)])


def names_in(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[set[str], set[str]]:
    """Names of tables and views in the main schema, and of those in another one."""
    import duckdb

    try:
        rows = connection.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = current_database()"
            " UNION SELECT schema_name, view_name FROM duckdb_views()"
            " WHERE database_name = current_database() AND NOT internal"
        ).fetchall()
    except duckdb.Error as error:
        raise _failed(path, "tables.unreadable") from error
    return {name for schema, name in rows if schema == "main"}, {n for schema, n in rows if schema != "main"}


def read_relation(connection: duckdb.DuckDBPyConnection, table: str, path: Path) -> pa.Table:
    """Rows of a base table, or of a view over base tables.

    Raises
    ------
    TableError
        When it is a view that reads anything else, or the file is damaged.
    """
    import duckdb

    try:
        check_views(connection, table, path)
        return connection.table(table).to_arrow_table()
    except duckdb.PermissionException as error:
        raise _failed(path, "tables.view_outside", table) from error
    except (duckdb.Error, UnicodeDecodeError, OverflowError) as error:
        raise _failed(path, "tables.unreadable", table) from error


def check_views(connection: duckdb.DuckDBPyConnection, table: str, path: Path) -> None:
    """Raise unless a table is one, or a view whose text names nothing but tables and such views."""
    views = dict(
        connection.execute(
            "SELECT view_name, sql FROM duckdb_views() WHERE NOT internal AND schema_name = 'main'"
            " AND database_name = current_database()"
        ).fetchall()
    )
    bases = {
        name
        for (name,) in connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()"
        ).fetchall()
    }
    left, seen = [table], set()
    while left:
        name = left.pop()
        if name in seen or name not in views:
            if name not in seen and name not in bases:
                raise _failed(path, "tables.view_outside", table)
            continue
        seen.add(name)
        named = _named_in(connection, views[name])
        if named is None:
            raise _failed(path, "tables.view_outside", table)
        left += named


def _named_in(connection: duckdb.DuckDBPyConnection, view: str) -> list[str] | None:
    """Tables that the text of a view names; None where it calls a table function or cannot be parsed."""
    start = re.search(r"\sAS\s", view, re.IGNORECASE)
    select = view[start.end() :].rstrip("; \n") if start else ""
    told = connection.execute("SELECT json_serialize_sql(?)", [select]).fetchall()
    tree = json.loads(told[0][0])
    if tree.get("error"):
        return None
    named: list[str] = []
    own: set[str] = set()
    left: list[Any] = [tree]
    while left:
        node = left.pop()
        if isinstance(node, list):
            left += node
        elif isinstance(node, dict):
            if node.get("type") == "TABLE_FUNCTION":
                return None
            if node.get("type") == "BASE_TABLE":
                if node.get("schema_name") not in ("", "main", None):
                    return None
                named.append(node["table_name"])
            own |= {str(entry.get("key")) for entry in node.get("map", []) if isinstance(entry, dict)}
            left += list(node.values())
    return [name for name in named if name not in own]
