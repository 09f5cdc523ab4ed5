"""Order lines lent to an engine without a copy, where a type would be lost or misread on the way."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from cxlib.data.days import instants
from cxlib.data.text_type import FROM_ARROW, TEXT

#: A column of objects, none of them known, comes as NULL; a bare `SELECT NULL` is an integer too.
_PLAIN_TYPES = {"TIMESTAMPTZ_NS": "TIMESTAMPTZ", '"NULL"': "INTEGER"}


def lend(orders: pd.DataFrame, *columns: str, amount_col: str) -> pa.Table:
    """Lend those of the columns that there are to Arrow, uncopied; what holds nothing as text or money.

    Examples
    --------
    >>> lend(pd.DataFrame({"amount": [1.0]}), "amount", "order_id", amount_col="amount").column_names
    ['amount']
    """
    table = pa.table({name: _lent(orders[name]) for name in columns if name in orders.columns})
    for place, field in enumerate(table.schema):
        if pa.types.is_null(field.type):
            kind = pa.float64() if field.name == amount_col else pa.string()
            table = table.set_column(place, field.name, table[place].cast(kind))
    return table


def take_back(table: pa.Table) -> pd.DataFrame:
    """Take an engine's result from Arrow, which is used up; text is text, and missing, alike on every engine.

    Examples
    --------
    >>> take_back(pa.table({"brand": pa.array(["a", None]).dictionary_encode()}))["brand"].isna().tolist()
    [False, True]
    """
    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(place, field.name, table[place].cast(field.type.value_type))
    frame: pd.DataFrame = table.to_pandas(
        split_blocks=True, self_destruct=True, date_as_object=False, types_mapper=FROM_ARROW
    )
    return frame.reset_index(drop=True)


def zone_of(orders: Any, time_col: str) -> str | None:
    """Name the zone of a pandas column, which is lost on its way through DuckDB; None for another frame.

    Python's objects are looked at one by one; times of several offsets are refused as everywhere.

    Examples
    --------
    >>> times = pd.to_datetime(["2026-01-01T09:00+09:00"])
    >>> zone_of(pd.DataFrame({"ordered_at": times}), "ordered_at")
    'UTC+09:00'
    >>> zone_of(pd.DataFrame({"ordered_at": times.astype(object)}), "ordered_at")
    'UTC+09:00'
    """
    kind = orders.dtypes.get(time_col) if isinstance(orders, pd.DataFrame) else None
    if isinstance(kind, pd.ArrowDtype):
        return getattr(kind.pyarrow_dtype, "tz", None)
    if isinstance(kind, np.dtype) and kind.kind == "O":
        kind = instants(orders[time_col], time_col).dtype
    return str(kind.tz) if isinstance(kind, pd.DatetimeTZDtype) else None


def in_plain_types(orders: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """Give columns whose type narwhals cannot name, nanoseconds with a zone or nothing at all, one it can.

    Examples
    --------
    >>> lines = duckdb.connect().sql("SELECT TIMESTAMPTZ_NS '2026-01-01 00:00:00+00' AS ordered_at")
    >>> str(in_plain_types(lines).types[0])
    'TIMESTAMP WITH TIME ZONE'
    """
    for name, kind in zip(orders.columns, map(str, orders.types), strict=True):
        if kind in _PLAIN_TYPES:
            quoted = '"' + name.replace('"', '""') + '"'
            orders = orders.project(f"* REPLACE (CAST({quoted} AS {_PLAIN_TYPES[kind]}) AS {quoted})")
    return orders


def _lent(values: pd.Series) -> Any:
    """Lend one column to Arrow: objects of several types as text, instants in UTC (narwhals reads no `_`)."""
    try:
        column = pa.Array.from_pandas(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        column = pa.Array.from_pandas(values.astype(TEXT))
    is_instant = pa.types.is_timestamp(column.type) and column.type.tz is not None
    return column.cast(pa.timestamp("us", "UTC"), safe=False) if is_instant else column
