"""Order lines of any engine as narwhals sees them, and what every reduction asks of them alike."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import duckdb
import narwhals as nw
import pandas as pd
import pyarrow as pa

from cxlib.checks import InputError, ParameterError
from cxlib.data.days import first_instant_after, local_days
from cxlib.data.engine.adjacent_lines import (
    COARSE,
    IMPOSSIBLE,
    LARGEST_AMOUNT,
    LARGEST_TOTAL,
    MONEY_UNIT,
    UNKNOWN,
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


def between_days(
    rows: nw.LazyFrame[Any], time_col: str, start: date | None, end: date | None, timezone: str | None
) -> nw.LazyFrame[Any]:
    """Rows from the first to the last day, both included, cut at midnights of a zone."""
    kind = rows.collect_schema()[time_col]
    if end is not None:
        rows = rows.filter(nw.col(time_col) < first_instant_after(kind, end, timezone, time_col))
    if start is not None:
        before = start - timedelta(days=1)
        rows = rows.filter(nw.col(time_col) >= first_instant_after(kind, before, timezone, time_col))
    return rows


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


def plain_lines(
    frame: nw.LazyFrame[Any], by: Sequence[str], customer: str, order: str, time_col: str, amount: str
) -> nw.LazyFrame[Any]:
    """Lines of known customers with fixed names, money as integers, the instant of a sale."""
    schema = frame.collect_schema()
    for argument, column in (("customer_id_col", customer), ("order_id_col", order)):
        kind = schema[column]
        if not (kind.is_integer() or kind in (nw.String, nw.Categorical, nw.Enum, nw.Object)):
            raise ParameterError("segmentation.id_type", argument=argument, column=column, found=str(kind))
    if schema[amount] in (nw.String, nw.Categorical, nw.Boolean):
        raise ParameterError("segmentation.amount_type", column=amount, found=str(schema[amount]))
    known, value = nw.col(amount).cast(nw.Float64), nw.col("value")
    lines = frame.select(
        nw.col(customer).alias("customer_id"),
        *by,
        order=nw.col(order),
        at=nw.col(time_col),
        value=nw.when(~known.is_nan()).then(known).otherwise(0.0),
        unknown=nw.when(~known.is_nan()).then(0.0).otherwise(UNKNOWN),
    )
    sold_at = nw.when((value > 0) | (nw.col("unknown") > 0)).then(nw.col("at"))
    coarse, fine = millionths(value)
    return lines.filter(~nw.col("customer_id").is_null()).select(
        "customer_id",
        *by,
        "order",
        "at",
        first=sold_at,
        last=sold_at,
        coarse=coarse,
        fine=fine + nw.col("unknown"),
    )


def purchases(orders: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Leave moments only to orders that net above nothing; the sum of the two parts has the right sign."""
    stands = nw.col("coarse") * COARSE + nw.col("fine") > 0
    return orders.with_columns(nw.when(stands).then(nw.col(name)).alias(name) for name in ("first", "last"))


def in_days_and_money(reduced: pd.DataFrame, by: list[str], timezone: str | None) -> pd.DataFrame:
    """Days, counts and money of the reduced rows, in the order of their keys."""
    impossible = reduced["coarse"].abs() * COARSE > LARGEST_TOTAL * MONEY_UNIT
    if impossible.any():
        raise InputError("segmentation.impossible_amount", n=int(impossible.sum()))
    money = reduced["coarse"].astype("int64") * COARSE + reduced["fine"].astype("int64")
    days = {
        name: local_days(pd.to_datetime(reduced[column]), column, timezone=timezone)
        for name, column in (("first_order_on", "first"), ("last_order_on", "last"))
    }
    return reduced[["customer_id", *by]].assign(
        **days,
        frequency=reduced["frequency"].astype("int64"),
        amount=money / MONEY_UNIT,
    )
