"""Sums of order lines by day, gathered to what stood at the end of each day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.data.engine.adjacent_lines import COARSE
from cxlib.data.text_type import TEXT


def on_each_day(ends: Sequence[date], sums: pd.DataFrame, followed: pd.DataFrame) -> pd.DataFrame:
    """Gather per customer what stood at the end of each day, from what each stretch up to a day added.

    Parameters
    ----------
    ends : sequence of date
        The days, ascending; `day` in the frames is a place in it.
    sums : pandas.DataFrame
        `customer_id, day, orders, first, last, coarse, fine` of orders that lie within one stretch.
    followed : pandas.DataFrame
        `customer_id, order, day, first, last, coarse, fine` of orders whose lines lie in several.

    Returns
    -------
    pandas.DataFrame
        `customer_id` (categories)`, as_of, first, last, coarse, fine, frequency`, by day and customer.

    Examples
    --------
    >>> line = pd.DataFrame({"customer_id": ["a", "a"], "order": "1", "day": [0, 1], "coarse": 0.0})
    >>> line = line.assign(fine=[5.0, -5.0], first=pd.to_datetime(["2026-01-01", None]))
    >>> line, ends = line.assign(last=line["first"]), [date(2026, 1, 31), date(2026, 2, 28)]
    >>> on_each_day(ends, line.iloc[:0].assign(orders=0), line)["frequency"].tolist()
    [1, 0]
    """
    whole = pd.concat([sums["customer_id"], followed["customer_id"]], ignore_index=True).astype(TEXT)
    code, ids = pd.factorize(whole, sort=True)
    shape = (len(ends), len(ids))
    plain = (sums["day"].to_numpy(), code[: len(sums)])
    single = (followed["day"].to_numpy(), code[len(sums) :])
    state = _orders_followed(followed, single[1], len(ends))
    theirs: Any = (slice(None), state["who"])
    seen = np.zeros(shape, dtype=bool)
    for here in (plain, single):
        seen[here] = True
    seen = np.logical_or.accumulate(seen, axis=0)
    day, customer = np.nonzero(seen)
    who = pd.Categorical.from_codes(customer, categories=pd.Index(ids))
    reduced = pd.DataFrame({"customer_id": who, "as_of": np.array(ends, "datetime64[s]")[day]})
    for name, gather in (("first", np.fmin), ("last", np.fmax)):
        moments = pd.concat([sums[name], followed[name]], ignore_index=True)
        moments = pd.to_datetime(moments)
        table = _up_to_each_day(_naive(pd.to_datetime(sums[name])), plain, shape, gather)
        own = np.full(shape, np.datetime64("NaT"), dtype=table.dtype)
        gather.at(own, theirs, state[name].astype(table.dtype))
        found = pd.Series(gather(table, own)[seen])
        zone = moments.dt.tz
        reduced[name] = found if zone is None else found.dt.tz_localize("UTC").dt.tz_convert(zone)
    for name in ("coarse", "fine"):
        table = _up_to_each_day(sums[name].to_numpy(dtype=float), plain, shape, np.add)
        np.add.at(table, theirs, state[name])
        reduced[name] = table[seen]
    orders = _up_to_each_day(sums["orders"].to_numpy("int64"), plain, shape, np.add)
    np.add.at(orders, theirs, state["stands"].astype("int64"))
    return reduced.assign(frequency=orders[seen])


def _orders_followed(rows: pd.DataFrame, code: NDArray[np.intp], days: int) -> dict[str, Any]:
    """Whether each order stands on each day (rows) and since when, its money, and whose it is."""
    pair = pd.DataFrame({"who": code, "order": pd.factorize(rows["order"].astype(TEXT))[0]})
    number = pair.groupby(["who", "order"]).ngroup().to_numpy()
    shape = (days, int(number.max(initial=-1)) + 1)
    here = (rows["day"].to_numpy(), number)
    who = np.zeros(shape[1], dtype=np.intp)
    who[number] = code
    state: dict[str, Any] = {"who": who}
    for name in ("coarse", "fine"):
        state[name] = _up_to_each_day(rows[name].to_numpy(dtype=float), here, shape, np.add)
    state["stands"] = state["coarse"] * COARSE + state["fine"] > 0
    for name, gather in (("first", np.fmin), ("last", np.fmax)):
        moment = _up_to_each_day(_naive(pd.to_datetime(rows[name])), here, shape, gather)
        state[name] = np.where(state["stands"], moment, np.datetime64("NaT"))
    return state


def _naive(moments: pd.Series) -> NDArray[Any]:
    return (moments if moments.dt.tz is None else moments.dt.tz_convert(None)).to_numpy()


def _up_to_each_day(
    values: NDArray[Any], cells: tuple[NDArray[Any], ...], shape: tuple[int, int], gather: np.ufunc
) -> NDArray[Any]:
    """Gather values (at the cells of a table of days by customers or orders) from the first day on."""
    table = np.full(shape, np.datetime64("NaT") if values.dtype.kind == "M" else 0, dtype=values.dtype)
    table[cells] = values
    return cast("NDArray[Any]", gather.accumulate(table, axis=0))
