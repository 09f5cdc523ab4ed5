"""Order lines lent to an engine without a copy, where a type would be lost or misread on the way."""

from __future__ import annotations

from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from cxlib.data.text_type import TEXT


def lend(orders: pd.DataFrame, *columns: str) -> pa.Table:
    """Lend those of the columns that there are to Arrow, uncopied.

    Examples
    --------
    >>> lend(pd.DataFrame({"amount": [1.0]}), "amount", "order_id").column_names
    ['amount']
    """
    return pa.table({name: _lent(orders[name]) for name in columns if name in orders.columns})


def zone_of(orders: Any, time_col: str) -> str | None:
    """Name the zone of a pandas column, which is lost on its way through DuckDB; None for another frame.

    Examples
    --------
    >>> zone_of(pd.DataFrame({"ordered_at": pd.to_datetime(["2026-01-01T09:00+09:00"])}), "ordered_at")
    'UTC+09:00'
    """
    kind = orders.dtypes.get(time_col) if isinstance(orders, pd.DataFrame) else None
    if isinstance(kind, pd.ArrowDtype):
        return getattr(kind.pyarrow_dtype, "tz", None)
    return str(kind.tz) if isinstance(kind, pd.DatetimeTZDtype) else None


def in_microseconds(orders: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """Give instants counted in nanoseconds, which narwhals cannot name, the type it can.

    Examples
    --------
    >>> lines = duckdb.connect().sql("SELECT TIMESTAMPTZ_NS '2026-01-01 00:00:00+00' AS ordered_at")
    >>> str(in_microseconds(lines).types[0])
    'TIMESTAMP WITH TIME ZONE'
    """
    fine = [
        name for name, kind in zip(orders.columns, orders.types, strict=True) if str(kind) == "TIMESTAMPTZ_NS"
    ]
    for name in fine:
        quoted = '"' + name.replace('"', '""') + '"'
        orders = orders.project(f"* REPLACE (CAST({quoted} AS TIMESTAMPTZ) AS {quoted})")
    return orders


def _lent(values: pd.Series) -> Any:
    """Lend one column to Arrow: objects of several types as text, instants in UTC (narwhals reads no `_`)."""
    try:
        column = pa.Array.from_pandas(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        column = pa.Array.from_pandas(values.astype(TEXT))
    is_instant = pa.types.is_timestamp(column.type) and column.type.tz is not None
    return column.cast(pa.timestamp("us", "UTC"), safe=False) if is_instant else column
