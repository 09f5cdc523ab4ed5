"""Order lines summed up once, by customer and day, where they lie; what stood on any day is read off that.

A chapter asks for some forty sums of the same lines, up to different days. What lies within one day stands or
falls with it, so one pass leaves per customer and day how many orders stand and their money; the few orders
whose lines lie on several days (refunds, later deliveries) are kept day by day.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.checks import check_columns
from cxlib.checks.own_frames import plain_frame
from cxlib.data.days import first_instant_after, instants, local_days, to_date, zone_named
from cxlib.data.engine.adjacent_lines import COARSE, NEVER
from cxlib.data.engine.lazy_lines import (
    as_lazy,
    between_days,
    collect,
    hand_over,
    in_days_and_money,
    plain_lines,
    purchases,
    summed,
)
from cxlib.data.engine.lend_to_arrow import lend, zone_of
from cxlib.data.engine.merged_lines import merged_lines
from cxlib.data.text_type import TEXT

NAMES = ("customer_id", "order_id", "ordered_at", "amount")
NO_ORDER, DAY = "(none)", 86_400
#: Lines in memory that are grouped at once: an engine's tables of more weigh more than the lines.
AT_ONCE = 2_000_000


class Days(NamedTuple):
    """What one pass over the lines leaves: a class to name its three parts.

    `keys` has a row per customer (and further keys), in order. `whole`, by place in it (`key`) and `day`, has
    the `orders` that stand and the `coarse` and `fine` money of orders within one day; `parts`, by `number`
    of the order and `day`, whether something was `sold` and the money of the others.
    """

    keys: pd.DataFrame
    whole: pd.DataFrame
    parts: pd.DataFrame


class OrderLines:
    """Order lines of a period, wherever they lie, that are summed up once for all who ask.

    A class because what was summed is kept, for every part of the period and of the customers; whoever needs
    the rows themselves has them from `rows` or `fetch_rows`. Made by `DataSet.order_lines`.

    Parameters
    ----------
    lines : frame of any engine narwhals knows, or a function that gives one
        With the contract's names of columns. A function is asked for the rows each time they are needed, so
        that they can be let go of in between.
    timezone : str, optional
        In which an instant becomes a day; none: that of the column.

    Examples
    --------
    >>> lines = pd.DataFrame({"customer_id": "a", "order_id": ["1", "1", "2"], "amount": [5.0, -5.0, 3.0],
    ...                       "ordered_at": pd.to_datetime(["2026-01-01", "2026-01-09", "2026-01-10"])})
    >>> held = OrderLines(lines)
    >>> [held.until(day)["frequency"].item() for day in ("2026-01-08", "2026-01-09", "2026-01-31")]
    [1, 0, 1]
    >>> held.between("2026-01-09", "2026-01-31").until("2026-01-31")["amount"].item()
    -2.0
    """

    def __init__(self, lines: Any, *, timezone: str | None = None) -> None:
        held = lines.rows if isinstance(lines, OrderLines) else lines
        self._lines: Callable[[], Any] = held if callable(held) else lambda: held
        self.timezone = timezone or zone_of(self._lines(), "ordered_at")
        self._kept: dict[tuple[str, ...], Days] = {}
        self._start: date | None = None
        self._end: date | None = None
        self._customers: pd.Index | None = None

    def between(self, start: object = None, end: object = None) -> OrderLines:
        """Give the lines of a part of the period, both days included; what is summed serves it too."""
        part = copy.copy(self)
        begin, last = (None if day is None else to_date(day) for day in (start, end))
        part._start = max(filter(None, (begin, self._start)), default=None)
        part._end = min(filter(None, (last, self._end)), default=None)
        return part

    def of(self, customers: pd.Series) -> OrderLines:
        """Give the lines of these customers only, by their ids."""
        part = copy.copy(self)
        part._customers = pd.Index(customers)
        return part

    @property
    def rows(self) -> Any:
        """The lines themselves, in their own engine where every customer counts, else as pandas."""
        found = self._of_days()
        if self._customers is None:
            return found
        return _of_customers(plain_frame(found, argument="orders"), self._customers)

    def fetch_rows(self) -> pd.DataFrame:
        """Fetch the rows; refused above `cxlib.checks.own_frames.MOST_ROWS` where they are not in memory."""
        return plain_frame(self.rows, argument="orders")

    def forget(self) -> None:
        """Let go of the sums by further keys, which are large; asked for again, they are made again."""
        for by in [by for by in self._kept if by]:
            del self._kept[by]

    def merged(self, *, by: Sequence[str] = ()) -> pd.DataFrame:
        """Give the rows; those of an engine are merged there by order and moment, and by these columns.

        See `merged_lines`: enough for whatever is told from purchases, days and money.
        """
        found = self._of_days()
        if not isinstance(found, pd.DataFrame):
            found = merged_lines(found, by=by)
            at = instants(found["ordered_at"], "ordered_at", timezone=self.timezone)
            found = found.assign(ordered_at=at)
        return found if self._customers is None else _of_customers(found, self._customers)

    def _of_days(self) -> Any:
        """Lines of the days asked for, where they lie."""
        found = self._lines()
        if not isinstance(found, pd.DataFrame):
            if self._start or self._end:
                return between_days(as_lazy(found), "ordered_at", self._start, self._end, self.timezone)
            return found
        day = local_days(found["ordered_at"], "ordered_at", timezone=self.timezone)
        inside = pd.Series(data=True, index=found.index)
        if self._start is not None:
            inside &= day >= pd.Timestamp(self._start)
        if self._end is not None:
            inside &= day <= pd.Timestamp(self._end)
        return found if inside.all() else found[inside].reset_index(drop=True)

    def until(self, day: object, *, by: Sequence[str] = ()) -> pd.DataFrame:
        """Sum up to the end of a day, as `reduce_orders`."""
        keys = self._days(by).keys
        place, sums = self._stood(to_date(day), by)
        reduced = pd.concat([keys.iloc[place].reset_index(drop=True), sums], axis=1)
        return in_days_and_money(reduced.astype({"customer_id": TEXT}), list(by), None)

    def on_days(self, days: Sequence[date]) -> pd.DataFrame:
        """Sum up to the end of each of several days, as `numbered_on_days`."""
        return pd.concat(self.day_by_day(days), ignore_index=True)

    def day_by_day(self, days: Sequence[date]) -> Iterator[pd.DataFrame]:
        """Sum up to the end of each of several days, a frame at a time: of many customers all are large."""
        kind: Any = pd.CategoricalDtype(self._days(()).keys["customer_id"])
        for day in days:
            place, sums = self._stood(day, ())
            who = pd.Categorical.from_codes(place, dtype=kind)
            yield in_days_and_money(
                sums.assign(customer_id=who, as_of=np.datetime64(day, "s")), ["as_of"], None
            )

    def _stood(self, last: date, by: Sequence[str]) -> tuple[NDArray[np.intp], pd.DataFrame]:
        """Places of the keys seen by a day, and first and last day, orders and money of each."""
        held = self._days(by)
        size, end = len(held.keys), min(filter(None, (last, self._end)))
        whole, parts = (_within(rows, self._start, end) for rows in (held.whole, held.parts))
        order = parts.groupby("number").agg({"key": "first", "coarse": "sum", "fine": "sum"})
        stands = order[order["coarse"] * COARSE + order["fine"] > 0]
        sold = parts[parts["sold"] & parts["number"].isin(stands.index)]
        bought = whole[whole["orders"] > 0]
        key, day = (np.concatenate([bought[name], sold[name]]) for name in ("key", "day"))
        first, latest = np.full(size, NEVER), np.full(size, -NEVER)
        np.minimum.at(first, key, day)
        np.maximum.at(latest, key, day)
        seen = np.zeros(size, dtype=bool)
        total = {name: np.zeros(size) for name in ("coarse", "fine")}
        for rows in (whole, parts):
            seen[rows["key"].to_numpy()] = True
            for name, money in total.items():
                money += np.bincount(rows["key"], weights=rows[name], minlength=size)
        count = np.bincount(whole["key"], weights=whole["orders"], minlength=size)
        count += np.bincount(stands["key"], minlength=size)
        if self._customers is not None:
            seen &= held.keys["customer_id"].isin(self._customers).to_numpy()
        found = {"first": _as_days(first), "last": _as_days(latest), **total, "frequency": count}
        return np.flatnonzero(seen), pd.DataFrame(found)[seen].reset_index(drop=True)

    def _days(self, by: Sequence[str]) -> Days:
        """Sum the lines up, once per further keys."""
        if tuple(by) not in self._kept:
            self._kept[tuple(by)] = _summed_by_day(self._lines(), list(by), self.timezone)
        return self._kept[tuple(by)]


def _of_customers(rows: pd.DataFrame, customers: pd.Index) -> pd.DataFrame:
    return rows[rows["customer_id"].isin(customers)].reset_index(drop=True)


def _within(rows: pd.DataFrame, start: date | None, end: date) -> pd.DataFrame:
    """Rows of the days asked for."""
    inside = rows["day"] <= np.datetime64(end, "D").astype(np.int64)
    if start is not None:
        inside &= rows["day"] >= np.datetime64(start, "D").astype(np.int64)
    return rows if inside.all() else rows[inside]


def _as_days(number: NDArray[np.int64]) -> NDArray[np.datetime64]:
    """Turn days since 1970 into dates, `NEVER` into a missing one."""
    known = np.abs(number) != NEVER
    return np.where(known, number, np.iinfo(np.int64).min).astype("datetime64[D]").astype("datetime64[s]")


def _summed_by_day(lines: Any, by: list[str], timezone: str | None) -> Days:
    """Make the one pass over the lines; many in memory by parts of the customers, which no sum crosses."""
    if not isinstance(lines, pd.DataFrame):
        return _numbered(*_grouped(lines, by, timezone))
    check_columns(lines, **{f"{name}_col": name for name in NAMES})
    lines = lines[[name for name in dict.fromkeys([*NAMES, *by]) if name in lines.columns]]
    turns = -(-len(lines) // AT_ONCE)
    turn = pd.factorize(lines["customer_id"])[0] % turns if turns > 1 else None
    found = []
    for number in range(max(turns, 1)):
        part = lines if turn is None else lines[turn == number]
        part = part.assign(ordered_at=local_days(part["ordered_at"], "ordered_at", timezone=timezone))
        found.append(_grouped(hand_over(lend(part, *NAMES, *by, amount_col="amount")), by, timezone))
    whole, parts = (pd.concat(each, ignore_index=True) for each in list(zip(*found, strict=True))[:2])
    return _numbered(whole, parts, *found[0][2:])


def _grouped(
    lines: Any, by: list[str], timezone: str | None
) -> tuple[pd.DataFrame, pd.DataFrame, list[str], date | None]:
    """Sum lines up as `Days` holds them, ids still text; beside it the keys, and the day counted from."""
    frame = as_lazy(lines)
    named = {f"by[{position}]": column for position, column in enumerate(by)}
    check_columns(frame, **{f"{name}_col": name for name in NAMES}, **named)
    day, first_day = _local_day(frame, timezone)
    rows = plain_lines(frame, by, *NAMES).filter(~nw.col("at").is_null())
    # a missing value joins nothing, so keys are compared as text beside whether they are missing
    same = {f"same_{place}": nw.col(name).cast(nw.String).fill_null("") for place, name in enumerate(by)}
    same |= {f"gone_{place}": nw.col(name).is_null() for place, name in enumerate(by)}
    rows = rows.with_columns(nw.col("order").cast(nw.String).fill_null(NO_ORDER), day=day, **same)
    order, owner = ["customer_id", "order", *same], ["customer_id", *by]
    span = {"begun": nw.col("day").min(), "ended": nw.col("day").max()}
    placed = summed(rows, *order, *by, **span)
    within = placed.filter(nw.col("begun") == nw.col("ended")).rename({"begun": "day"})
    whole = collect(summed(purchases(within), *owner, "day", orders=nw.col("first").count()))
    across = placed.filter(nw.col("begun") != nw.col("ended")).select(order)
    parts = collect(summed(rows.join(across, on=order, how="semi"), *owner, "order", "day"))
    parts["sold"] = parts["first"].notna()
    return whole, parts, owner, first_day


def _numbered(whole: pd.DataFrame, parts: pd.DataFrame, owner: list[str], first_day: date | None) -> Days:
    """Replace ids and further keys by the place of their row among all of them, sorted, missing ones last."""
    both = pd.concat([whole[owner], parts[owner]], ignore_index=True)
    code = np.zeros(len(both), dtype=np.int64)
    for name in owner:
        values = both[name].astype(TEXT) if name == "customer_id" else both[name]
        number, labels = pd.factorize(values, sort=True)
        code = code * (len(labels) + 1) + np.where(number < 0, len(labels), number)
    _, place, key = np.unique(code, return_index=True, return_inverse=True)
    keys = both.iloc[place].reset_index(drop=True).astype({"customer_id": TEXT})
    for rows, own in ((whole, key[: len(whole)]), (parts, key[len(whole) :])):
        rows["key"] = own
        day = rows["day"].to_numpy()
        if first_day is not None:
            day = np.datetime64(first_day, "D") + day.astype("timedelta64[D]")
        rows["day"] = day.astype("datetime64[D]").astype(np.int64)
    parts["number"] = parts.groupby(["key", "order"], sort=False).ngroup()
    columns = ["key", "day", "orders", "coarse", "fine"]
    whole = pd.DataFrame({name: _in_half(whole[name].to_numpy()) for name in columns})
    return Days(keys, whole, parts[["key", "number", "day", "sold", "coarse", "fine"]])


def _in_half(values: NDArray[Any]) -> NDArray[Any]:
    """Hold whole numbers in half the memory, where all of them are small enough."""
    half = np.iinfo(np.int32)
    if len(values) and not (half.min <= values.min() and values.max() <= half.max):
        return values
    small = values.astype(np.int32)
    return small if np.array_equal(small, values) else values


def _local_day(frame: nw.LazyFrame[Any], timezone: str | None) -> tuple[nw.Expr, date | None]:
    """Express the day of an instant; where it is a number of days, the day it counts from.

    Engines cut instants at midnight of their session's zone. Where that is another one, the days' first
    moments are compared with, halving them, which all engines do alike.
    """
    kind: Any = frame.collect_schema()["ordered_at"]
    at, known = nw.col("at"), frame.implementation
    if kind == nw.Date:
        return at, None
    _ = first_instant_after(kind, date(2000, 1, 1), timezone, "ordered_at")  # refuses what is no time
    clock = kind.time_zone if known.is_duckdb() else None
    if known.is_pyspark():  # asked for itself: narwhals keeps the zone that a session began with
        clock = frame.to_native().sparkSession.conf.get("spark.sql.session.timeZone")
    if kind.time_zone is None or clock == (timezone or kind.time_zone):
        return at.cast(nw.Date), None
    zone = timezone or kind.time_zone
    if (known.is_pyarrow() or known.is_polars()) and hasattr(zone_named(zone), "key"):
        return at.dt.convert_time_zone(zone).dt.date(), None
    ends = collect(frame.select(first=nw.col("ordered_at").min(), last=nw.col("ordered_at").max()))
    first, last = (local_days(ends[name], name, timezone=zone)[0] for name in ("first", "last"))
    if pd.isna(first):
        return nw.lit(0), date(2000, 1, 1)
    days = [first.date() + timedelta(days=n) for n in range((last - first).days)]
    limits = [first_instant_after(kind, day, zone, "ordered_at") for day in days]
    return (_counted if known.is_pyspark() else _passed)(at, limits), first.date()


def _counted(at: nw.Expr, limits: Sequence[Any]) -> nw.Expr:
    """Count the limits passed from seconds, as Spark casts instants, in runs of days of 24 hours."""
    second, found = at.cast(nw.Int64), nw.lit(0)
    begun = [int(limit.timestamp()) for limit in limits]
    runs = [place for place in range(len(begun)) if place == 0 or begun[place] - begun[place - 1] != DAY]
    for start, following in zip(runs, [*runs[1:], len(begun)], strict=True):
        day = ((second - begun[start]) / DAY).floor().cast(nw.Int64) + start + 1
        capped = nw.when(day > following).then(following).otherwise(day)
        found = nw.when(second >= begun[start]).then(capped).otherwise(found)
    return found


def _passed(at: nw.Expr, limits: Sequence[Any], begin: int = 0) -> nw.Expr:
    """Count the limits, ascending, that are at or before an instant, by halving them."""
    if not limits:
        return nw.lit(begin)
    half = len(limits) // 2
    later, earlier = limits[half + 1 :], limits[:half]
    return (
        nw.when(at >= limits[half])
        .then(_passed(at, later, begin + half + 1))
        .otherwise(_passed(at, earlier, begin))
    )
