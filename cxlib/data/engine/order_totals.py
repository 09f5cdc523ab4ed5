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

from cxlib.checks import InputError, ParameterError, check_columns
from cxlib.data.days import first_instant_after, local_days, to_date
from cxlib.data.engine import lazy_lines
from cxlib.data.engine.adjacent_lines import (
    COARSE,
    IMPOSSIBLE,
    LARGEST_TOTAL,
    MONEY_UNIT,
    SUMS,
    UNKNOWN,
    sum_runs,
)
from cxlib.data.engine.daily_sums import on_each_day
from cxlib.data.engine.lazy_lines import as_lazy, collect, hand_over, millionths, summed
from cxlib.data.engine.lend_to_arrow import lend, zone_of
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
    timezone = timezone or zone_of(orders, time_col)
    names = (customer_id_col, order_id_col, time_col, amount_col)
    lent = lend(orders, *names, *by, amount_col=amount_col) if isinstance(orders, pd.DataFrame) else None
    frame = as_lazy(orders if lent is None else hand_over(lent))
    named = {f"by[{position}]": column for position, column in enumerate(by)}
    check_columns(
        frame,
        customer_id_col=customer_id_col,
        order_id_col=order_id_col,
        time_col=time_col,
        amount_col=amount_col,
        **named,
    )
    limit = first_instant_after(frame.collect_schema()[time_col], to_date(as_of), timezone, time_col)
    lines = _plain_lines(frame, by, *names).filter(nw.col("at") < limit)
    runs = None
    if lent is not None and len(lent) >= lazy_lines.MANY_LINES:
        keys = [customer_id_col, order_id_col, *by]
        runs = sum_runs(lent, keys=keys, time_col=time_col, amount_col=amount_col, before=limit)
    if runs is not None:
        lines = as_lazy(hand_over(runs.table.rename_columns(["customer_id", "order", *by, *SUMS])))
    # orders first, customers second: counting rows is cheaper than counting distinct texts, on every engine
    placed = lines if runs is not None and runs.are_orders else summed(lines, "customer_id", "order", *by)
    reduced = summed(_purchases(placed), "customer_id", *by, orders=nw.col("first").count())
    reduced = reduced.select(
        nw.col("customer_id").cast(nw.String),
        *by,
        "first",
        "last",
        "coarse",
        "fine",
        frequency=nw.col("orders").cast(nw.Int64),
    ).sort("customer_id", *by, nulls_last=True)
    return _finish(collect(reduced), list(by), timezone)


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
    names = ("customer_id", "order_id", "ordered_at", "amount")
    timezone = timezone or zone_of(orders, "ordered_at")
    frame = as_lazy(orders, *names)
    check_columns(frame, **{f"{name}_col": name for name in names})
    ends = sorted({to_date(day) for day in days})
    kind = frame.collect_schema()["ordered_at"]
    limits = [first_instant_after(kind, day, timezone, "ordered_at") for day in ends]
    passed = [nw.when(nw.col("at") >= limit).then(1).otherwise(0) for limit in limits]
    lines = _plain_lines(frame, (), *names).filter(nw.col("at") < limits[-1])
    lines = lines.with_columns(
        day=nw.sum_horizontal(*passed), order=nw.col("order").cast(nw.String).fill_null("(none)")
    )
    # what lies within one stretch of days stands or falls with it; the few other orders are followed
    order = ["customer_id", "order"]
    span = {"begun": nw.col("day").min(), "ended": nw.col("day").max()}
    placed = summed(lines, *order, **span)
    within = placed.filter(nw.col("begun") == nw.col("ended")).rename({"begun": "day"})
    sums = collect(summed(_purchases(within), "customer_id", "day", orders=nw.col("first").count()))
    across = placed.filter(nw.col("begun") != nw.col("ended")).select(order)
    followed = collect(summed(lines.join(across, on=order, how="semi"), *order, "day"))
    return _finish(on_each_day(ends, sums, followed), ["as_of"], timezone)


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
    names = ("customer_id", "order_id", "ordered_at", "amount")
    timezone = timezone or zone_of(orders, "ordered_at")
    frame = as_lazy(orders, *names)
    check_columns(frame, **{f"{name}_col": name for name in names})
    limit = first_instant_after(frame.collect_schema()["ordered_at"], to_date(as_of), timezone, "ordered_at")
    lines = _plain_lines(frame, (), *names).filter(nw.col("at") < limit)
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
    frame = as_lazy(orders, customer_id_col, amount_col)
    check_columns(frame, customer_id_col=customer_id_col, amount_col=amount_col)
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


def _plain_lines(
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


def _purchases(orders: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Leave moments only to orders that net above nothing; the sum of the two parts has the right sign."""
    stands = nw.col("coarse") * COARSE + nw.col("fine") > 0
    return orders.with_columns(nw.when(stands).then(nw.col(name)).alias(name) for name in ("first", "last"))


def _finish(reduced: pd.DataFrame, by: list[str], timezone: str | None) -> pd.DataFrame:
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
