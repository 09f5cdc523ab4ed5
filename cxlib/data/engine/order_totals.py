"""The group-by reductions that run where the table lies: pandas, Polars, DuckDB, PySpark, Ibis.

Engines differ quietly, so the reduction asks only for what all of them do alike: money is summed as whole
millionths (float sums differ in the last bits), instants are reduced as they are and become dates afterwards,
missing ids are dropped, and the result is sorted. The same rows give the same frame on every engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import pandas as pd

from cxlib.checks import InputError, check_columns
from cxlib.data.days import first_instant_after, to_date
from cxlib.data.engine import lazy_lines
from cxlib.data.engine.adjacent_lines import (
    COARSE,
    IMPOSSIBLE,
    MONEY_UNIT,
    SUMS,
    sum_runs,
)
from cxlib.data.engine.lazy_lines import (
    as_lazy,
    collect,
    hand_over,
    in_days_and_money,
    millionths,
    plain_lines,
    purchases,
    summed,
)
from cxlib.data.engine.lend_to_arrow import lend, zone_of
from cxlib.data.engine.order_lines import NAMES, OrderLines
from cxlib.data.text_type import TEXT


def reduce_orders(
    orders: Any,
    *,
    as_of: object,
    timezone: str | None = None,
    by: Sequence[str] = (),
    customer_id_col: str = "customer_id",
    order_id_col: str = "order_id",
    time_col: str = "ordered_at",
    amount_col: str = "amount",
) -> pd.DataFrame:
    """One row per customer (and value of `by`) with orders, first and last day, and money, from order lines.

    Parameters
    ----------
    orders : frame of any engine narwhals knows (eager or lazy), or path of a Parquet file
        One row per order line. Lines without a customer id (guests) are left out; a missing amount adds
        nothing to the money, its order still counts.
    as_of : date, str or Timestamp
        Last day counted, whole, in `timezone`.
    timezone : str, optional
        IANA name in which instants become days; none: the timezone the column carries.
    by : sequence of str
        Further key columns; a missing value is a key of its own.
    customer_id_col, order_id_col, time_col, amount_col : str
        Ids are text or whole numbers; times are timestamps or dates; a negative amount is a refund.

    Returns
    -------
    pandas.DataFrame
        `customer_id`, the `by` columns, `first_order_on`, `last_order_on` (days of sales, not of refunds),
        `frequency` (distinct orders with at least one line that is not a refund), `amount` (net of refunds),
        sorted by the keys.

    Raises
    ------
    ParameterError
        If a column is missing, or one has a type that cannot be read safely.
    InputError
        If an amount is infinite or beyond ±10¹², a total beyond ±9·10¹², or there is no such file.

    Notes
    -----
    Money is rounded to millionths per line and summed in two whole numbers, coarse and fine, which floats
    hold exactly: the order of rows, threads and engines does not matter, nothing overflows. `timezone=None`
    follows the engine's session for DuckDB and Spark timestamps.

    Examples
    --------
    >>> lines = pd.DataFrame(
    ...     {
    ...         "customer_id": ["a", "a", "a", None],
    ...         "order_id": ["1", "1", "2", "3"],
    ...         "amount": [5.1, 0.2, -1, 9],
    ...         "ordered_at": pd.to_datetime(["2026-01-01", "2026-01-01", "2026-01-09", "2026-01-09"]),
    ...     }
    ... )
    >>> reduce_orders(lines, as_of="2026-01-31")[["customer_id", "frequency", "amount"]].values.tolist()
    [['a', 1, 4.3]]
    """
    names = (customer_id_col, order_id_col, time_col, amount_col)
    if isinstance(orders, OrderLines):
        if names == NAMES and timezone in (None, orders.timezone):
            return orders.until(as_of, by=by)
        orders = orders.rows
    timezone = timezone or zone_of(orders, time_col)
    lent = lend(orders, *names, *by, amount_col=amount_col) if isinstance(orders, pd.DataFrame) else None
    frame = as_lazy(orders if lent is None else hand_over(lent))
    named = {f"by[{position}]": column for position, column in enumerate(by)}
    check_columns(
        frame if lent is None else orders,  # what Arrow was lent has no index to say that an id is there
        customer_id_col=customer_id_col,
        order_id_col=order_id_col,
        time_col=time_col,
        amount_col=amount_col,
        **named,
    )
    limit = first_instant_after(frame.collect_schema()[time_col], to_date(as_of), timezone, time_col)
    lines = plain_lines(frame, by, *names).filter(nw.col("at") < limit)
    runs = None
    if lent is not None and len(lent) >= lazy_lines.MANY_LINES:
        keys = [customer_id_col, order_id_col, *by]
        runs = sum_runs(lent, keys=keys, time_col=time_col, amount_col=amount_col, before=limit)
    if runs is not None:
        lines = as_lazy(hand_over(runs.table.rename_columns(["customer_id", "order", *by, *SUMS])))
    # orders first, customers second: counting rows is cheaper than counting distinct texts, on every engine
    placed = lines if runs is not None and runs.are_orders else summed(lines, "customer_id", "order", *by)
    reduced = summed(purchases(placed), "customer_id", *by, orders=nw.col("first").count())
    reduced = reduced.select(
        nw.col("customer_id").cast(nw.String),
        *by,
        "first",
        "last",
        "coarse",
        "fine",
        frequency=nw.col("orders").cast(nw.Int64),
    ).sort("customer_id", *by, nulls_last=True)
    return in_days_and_money(collect(reduced), list(by), timezone)


def reduce_on_days(orders: Any, *, days: Sequence[object], timezone: str | None = None) -> pd.DataFrame:
    """Reduce order lines as they stood at the end of each of several days, in one pass over the lines.

    Parameters
    ----------
    orders, timezone
        As `reduce_orders`, with the contract's names of columns.
    days : sequence of date, str or Timestamp
        At least one, in any order.

    Returns
    -------
    pandas.DataFrame
        As `reduce_orders`, with the day (datetime64) as `as_of` after `customer_id`, by day and customer.

    Raises
    ------
    ParameterError, InputError
        As `reduce_orders`.

    Examples
    --------
    >>> lines = pd.DataFrame({"customer_id": "a", "order_id": ["1", "2"], "amount": [5.0, 3.0],
    ...                       "ordered_at": pd.to_datetime(["2026-01-01", "2026-01-09"])})
    >>> reduce_on_days(lines, days=["2026-01-31", "2026-01-02"])[["frequency", "amount"]].values.tolist()
    [[1.0, 5.0], [2.0, 8.0]]
    """
    return numbered_on_days(orders, days=days, timezone=timezone).astype({"customer_id": TEXT})


def numbered_on_days(orders: Any, *, days: Sequence[object], timezone: str | None = None) -> pd.DataFrame:
    """Do as `reduce_on_days` with customers as categories: a number a row instead of a text.

    Examples
    --------
    >>> lines = pd.DataFrame({"customer_id": ["b", "a"], "order_id": ["1", "2"], "amount": 5.0,
    ...                       "ordered_at": pd.to_datetime(["2026-01-01", "2026-01-09"])})
    >>> numbered_on_days(lines, days=["2026-01-31"])["customer_id"].cat.codes.tolist()
    [0, 1]
    """
    ends = sorted({to_date(day) for day in days})
    own = isinstance(orders, OrderLines) and timezone in (None, orders.timezone)
    return (orders if own else OrderLines(orders, timezone=timezone)).on_days(ends)


def count_orders(orders: Any, *, as_of: object, timezone: str | None = None) -> pd.Series:
    """Count the orders of known customers, how many are purchases, and why the others are not.

    Parameters
    ----------
    orders, as_of, timezone
        As `reduce_orders`, with the contract's names of columns.

    Returns
    -------
    pandas.Series
        `orders, purchases, free` (nothing but 0)`, refunded` (a sale that its refunds use up)`, refund_alone`
        (no sale under the same number: nobody can tell which order it undoes). The last three and the
        purchases add up to the orders.

    Raises
    ------
    ParameterError, InputError
        As `reduce_orders`.

    Examples
    --------
    >>> lines = pd.DataFrame({"customer_id": "a", "order_id": list("11234"), "amount": [5.0, -5, 0, -1, 9],
    ...                       "ordered_at": pd.Timestamp("2026-01-01")})
    >>> count_orders(lines, as_of="2026-01-31").tolist()
    [4, 1, 1, 1, 1]
    """
    if isinstance(orders, OrderLines):
        timezone, orders = timezone or orders.timezone, orders.rows
    timezone = timezone or zone_of(orders, "ordered_at")
    frame = as_lazy(orders, *NAMES)
    seen = orders if isinstance(orders, pd.DataFrame) else frame
    check_columns(seen, **{f"{name}_col": name for name in NAMES})
    limit = first_instant_after(frame.collect_schema()["ordered_at"], to_date(as_of), timezone, "ordered_at")
    lines = plain_lines(frame, (), *NAMES).filter(nw.col("at") < limit)
    placed = summed(lines, "customer_id", "order", least=nw.col("coarse").min())
    stands = nw.col("coarse") * COARSE + nw.col("fine") > 0
    is_sale, is_back = ~nw.col("first").is_null(), nw.col("least") < 0
    kinds = {
        "orders": stands | ~stands,
        "purchases": stands,
        "free": ~is_sale & ~is_back,
        "refunded": is_sale & ~stands,
        "refund_alone": ~is_sale & is_back,
    }
    counted = placed.select(**{name: nw.when(kind).then(1).otherwise(0) for name, kind in kinds.items()})
    found: pd.Series = collect(counted.select(nw.all().sum())).fillna(0).T[0].rename(None)
    return found.astype("int64")


def count_lines(
    orders: Any, *, customer_id_col: str = "customer_id", amount_col: str = "amount"
) -> pd.Series:
    """Count lines, guest lines and lines without an amount, and sum all money and that of guests.

    Parameters
    ----------
    orders : frame of any engine narwhals knows, or path of a Parquet file
    customer_id_col, amount_col : str
        A missing customer id is a guest; a missing amount adds nothing.

    Returns
    -------
    pandas.Series
        `lines, guest_lines, lines_without_amount, amount, guest_amount`.

    Raises
    ------
    ParameterError
        If a column is missing.
    InputError
        If an amount is infinite or beyond ±10¹².

    Examples
    --------
    >>> lines = pd.DataFrame({"customer_id": ["a", None], "amount": [3.0, 2.0]})
    >>> count_lines(lines).to_dict()
    {'lines': 2.0, 'guest_lines': 1.0, 'lines_without_amount': 0.0, 'amount': 5.0, 'guest_amount': 2.0}
    """
    lines = orders.rows if isinstance(orders, OrderLines) else orders
    frame = as_lazy(lines, customer_id_col, amount_col)
    seen = lines if isinstance(lines, pd.DataFrame) else frame
    check_columns(seen, customer_id_col=customer_id_col, amount_col=amount_col)
    guest, value = nw.col(customer_id_col).is_null(), nw.col(amount_col).cast(nw.Float64)
    known = ~value.is_nan()
    coarse, fine = millionths(nw.when(known).then(value).otherwise(0.0))
    lines = frame.select(
        lines=nw.when(guest).then(1).otherwise(1),
        guest_lines=nw.when(guest).then(1).otherwise(0),
        lines_without_amount=nw.when(known).then(0).otherwise(1),
        impossible=nw.when(coarse == IMPOSSIBLE).then(1).otherwise(0),
        coarse=coarse,
        fine=fine,
        guest_coarse=nw.when(guest).then(coarse).otherwise(0.0),
        guest_fine=nw.when(guest).then(fine).otherwise(0.0),
    )
    total: pd.Series = collect(lines.select(nw.all().sum())).astype(float).fillna(0).T[0].rename(None)
    if total["impossible"]:
        raise InputError("segmentation.impossible_line", n=int(total["impossible"]))
    for of in ("", "guest_"):
        total[f"{of}amount"] = (total[f"{of}coarse"] * COARSE + total[f"{of}fine"]) / MONEY_UNIT
    return total[["lines", "guest_lines", "lines_without_amount", "amount", "guest_amount"]]
