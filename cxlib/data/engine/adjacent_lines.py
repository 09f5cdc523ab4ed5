"""Order lines that already stand together, summed up in one pass before any engine groups them.

Most exports list the lines of an order one after another. This pass leaves fewer rows to group, and where
order ids rise from row to row each row is an order: then nothing is left to group by order.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

MONEY_UNIT = 1_000_000
LARGEST_AMOUNT = 1e12
LARGEST_TOTAL = 9e12  # whole millionths of more than this outgrow 64 bits
UNKNOWN = 2.0**-20  # stands for a missing amount: above nothing, and gone where sums are cut to millionths
COARSE = 2**20  # millionths are summed as multiples of this and a rest: floats hold both sums exactly
IMPOSSIBLE = 2.0**60  # stands for the coarse part of an amount that cannot be, beyond any true total
AT_ONCE = 20_000  # runs per step, few enough that their lines stay in the processor's cache
FEW = 0.9  # as many runs per line, or more, and the pass costs more than it saves
NEVER = np.iinfo(np.int64).max
SUMS = ("first", "last", "coarse", "fine")


class Runs(NamedTuple):
    """Lines summed up where they stand, and whether each row is a whole order: a class to name the two."""

    table: pa.Table
    are_orders: bool


def sum_runs(
    lines: pa.Table, *, keys: Sequence[str], time_col: str, amount_col: str, before: date
) -> Runs | None:
    """Sum up neighbouring lines with the same keys.

    Parameters
    ----------
    lines : pyarrow.Table
        Order lines, with timestamps or days and numbers as amounts.
    keys : sequence of str
        Columns of the customer (whose missing ids are left out), of the order, and of further keys.
    time_col, amount_col : str
    before : date or datetime
        First moment not counted, comparable with the time column.

    Returns
    -------
    Runs or None
        Table of the keys (orders that stand together by numbers of their own), `first` and `last` moment of a
        sale, and the money in whole millionths as sums of its `coarse` (in units of 2²⁰) and its `fine` part,
        one row per run. None where hardly any neighbours belong together.

    Examples
    --------
    >>> lines = pa.table({"c": ["a", "a", "b"], "o": [1, 1, 2], "at": [date(2026, 1, 1)] * 3, "x": [1, 2, 4]})
    >>> found = sum_runs(lines, keys=["c", "o"], time_col="at", amount_col="x", before=date(2026, 2, 1))
    >>> (found.table["coarse"].to_numpy() * 2**20 + found.table["fine"].to_numpy()).tolist(), found.are_orders
    ([3000000.0, 4000000.0], True)
    """
    at = lines[time_col]
    is_counted = pc.and_(pc.less(at, pa.scalar(before, at.type)), pc.is_valid(lines[keys[0]]))
    if not pc.all(is_counted, skip_nulls=False).as_py():
        lines = lines.filter(is_counted)
    if not len(lines):
        return None
    breaks = functools.reduce(np.logical_or, (_differ(lines[key]) for key in keys))
    starts = np.append(0, np.flatnonzero(breaks) + 1)
    if len(starts) >= FEW * len(lines) and not _rise(lines[keys[1]]):
        return None
    heads = lines.select(list(keys)).take(starts)
    first, last, coarse, fine = _sums(lines[time_col], lines[amount_col], starts)
    are_orders = _rise(heads[keys[1]])
    if not are_orders and _stand_together(heads[keys[1]]):
        number = np.cumsum(np.append(False, _differ(heads[keys[1]])))
        heads = heads.set_column(1, keys[1], pa.array(number))
    for name, moment in (("first", first), ("last", last)):
        sold = pa.array(moment, pa.int64(), mask=np.abs(moment) == NEVER)
        heads = heads.append_column(name, _as_time(sold, at.type))
    heads = heads.append_column("coarse", pa.array(coarse)).append_column("fine", pa.array(fine))
    return Runs(heads, are_orders=are_orders)


def _neighbours(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Every value but the first, and the one before it; of categories their codes."""
    if pa.types.is_dictionary(column.type):
        column = pa.chunked_array([chunk.indices for chunk in column.unify_dictionaries().chunks])
    return column.slice(1), column.slice(0, max(len(column) - 1, 0))


def _differ(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Tell of each value but the first whether it differs from the one before; a missing value does."""
    return pc.not_equal(*_neighbours(column)).fill_null(fill_value=True).to_numpy()


def _rise(column: pa.ChunkedArray) -> bool:
    """Tell whether every value is above the one before, so that none comes twice."""
    return bool(pc.all(pc.greater(*_neighbours(column)), skip_nulls=False).as_py())


def _stand_together(column: pa.ChunkedArray) -> bool:
    """Tell whether no value is below the one before: then a number is as good a name for it, and shorter."""
    return bool(pc.all(pc.greater_equal(*_neighbours(column)), skip_nulls=False).as_py())


def _sums(times: pa.ChunkedArray, amounts: pa.ChunkedArray, starts: NDArray[np.intp]) -> list[NDArray[Any]]:
    """First and last moment of a sale (`NEVER` and its negative: none), coarse and fine money of each run."""
    days = times.cast(pa.int32()) if pa.types.is_date32(times.type) else times
    at, values = days.cast(pa.int64()).to_numpy(), pc.fill_null(amounts.cast(pa.float64()), np.nan).to_numpy()
    bounds = np.append(starts[::AT_ONCE], len(at))

    def sum_step(step: int) -> tuple[NDArray[Any], ...]:
        begin, end = bounds[step], bounds[step + 1]
        here = starts[step * AT_ONCE : (step + 1) * AT_ONCE] - begin
        unknown, moment = np.isnan(values[begin:end]), at[begin:end]
        value = np.where(unknown, 0.0, values[begin:end])
        is_sale, is_possible = (value > 0) | unknown, np.abs(value) <= LARGEST_AMOUNT
        money = np.floor(np.where(is_possible, value, 0.0) * MONEY_UNIT + 0.5)
        coarse = np.floor(money / COARSE)
        return (
            np.minimum.reduceat(np.where(is_sale, moment, NEVER), here),
            np.maximum.reduceat(np.where(is_sale, moment, -NEVER), here),
            np.add.reduceat(np.where(is_possible, coarse, IMPOSSIBLE), here),
            np.add.reduceat(money - coarse * COARSE + unknown * UNKNOWN, here),
        )

    with ThreadPoolExecutor() as threads:
        parts = list(threads.map(sum_step, range(len(bounds) - 1)))
    return [np.concatenate(each) for each in zip(*parts, strict=True)]


def _as_time(moments: pa.Array, kind: pa.DataType) -> pa.Array:
    """Turn counted units back into days or timestamps."""
    return (moments.cast(pa.int32()) if pa.types.is_date32(kind) else moments).cast(kind)
