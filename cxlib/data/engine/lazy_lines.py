"""Order lines of any engine as narwhals sees them, and what every reduction asks of them alike."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

import duckdb
import narwhals as nw
import pandas as pd
import pyarrow as pa

from cxlib.checks import InputError
from cxlib.data.engine.adjacent_lines import (
    COARSE,
    IMPOSSIBLE,
    LARGEST_AMOUNT,
    MONEY_UNIT,
)
from cxlib.data.engine.lend_to_arrow import in_plain_types, lend, take_back
from cxlib.data.unreadable_files import in_words

#: Lines from which DuckDB groups faster than Arrow although it has to be opened.
MANY_LINES = 200_000


def as_lazy(orders: Any, *columns: str) -> nw.LazyFrame[Any]:
    """Return the frame as narwhals sees it, not yet computed.

    A Parquet file is opened by DuckDB, a pandas frame lent to Arrow or DuckDB.
    """
    if isinstance(orders, nw.LazyFrame):
        return orders
    if isinstance(orders, (str, Path)):
        if not Path(orders).is_file():
            raise InputError("segmentation.no_file", name=Path(orders).name)
        orders = duckdb.connect().read_parquet(str(orders))
    if isinstance(orders, pd.DataFrame):
        orders = hand_over(lend(orders, *columns, amount_col=columns[-1]))
    if isinstance(orders, duckdb.DuckDBPyRelation):
        orders = in_plain_types(orders)
    return cast("nw.LazyFrame[Any]", nw.from_native(orders).lazy())


def hand_over(table: pa.Table) -> Any:
    """Hand many lines on to DuckDB: it groups text faster than Arrow, but opening it costs time."""
    return table if len(table) < MANY_LINES else duckdb.connect().from_arrow(table)


def collect(frame: nw.LazyFrame[Any]) -> pd.DataFrame:
    """Compute, and take the result over as pandas."""
    # DuckDB has one allocator in a process: so set, it gives memory back before frames of the result need it
    giving_back: dict[str, Any] = {"allocator_background_threads": "true"}
    held: Any = duckdb.connect(config=giving_back) if frame.implementation.is_duckdb() else nullcontext()
    with held, in_words():
        return take_back(frame.collect(backend="pyarrow").to_native())


def summed(rows: nw.LazyFrame[Any], *keys: str, **counts: nw.Expr) -> nw.LazyFrame[Any]:
    """First and last sale and money of the rows with the same keys."""
    return rows.group_by(*keys).agg(
        first=nw.col("first").min(),
        last=nw.col("last").max(),
        coarse=nw.col("coarse").sum(),
        fine=nw.col("fine").sum(),
        **counts,
    )


def millionths(value: nw.Expr) -> tuple[nw.Expr, nw.Expr]:
    """Money as whole millionths, coarse and fine; floor(x + ½), because engines round halves differently."""
    possible = value.abs() <= LARGEST_AMOUNT
    known = nw.when(possible).then(value).otherwise(0.0)
    money = (known * MONEY_UNIT + 0.5).floor().cast(nw.Float64)
    coarse = (money / COARSE).floor().cast(nw.Float64)
    return nw.when(possible).then(coarse).otherwise(IMPOSSIBLE), money - coarse * COARSE
