"""Order lines of any engine, made ready to be counted per customer and month."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.checks import check_columns
from cxlib.data.days import instants, local_days
from cxlib.data.engine.adjacent_lines import MONEY_UNIT, UNKNOWN
from cxlib.data.engine.lend_to_arrow import take_back
from cxlib.data.purchases import purchase_lines

NEEDED = ("order_id", "customer_id", "ordered_at", "amount")


def plain_lines(orders: Any, rate: float, timezone: str | None) -> pd.DataFrame:
    """`customer_id, day, amount, margin, counts` (1 for the first line of a purchase), a missing amount as 0.

    A pandas frame is taken as it is. On any other engine the lines are first summed up per customer and order
    there, dated by their first line, so that only orders travel.
    """
    if not isinstance(orders, pd.DataFrame):
        orders = _orders_of(orders, rate, timezone)
    check_columns(orders, **{name: name for name in NEEDED})
    lines = orders
    amount = np.nan_to_num(lines["amount"].to_numpy(dtype="float64", na_value=np.nan))
    margin = amount * rate
    if "margin" in lines:
        recorded = lines["margin"].to_numpy(dtype="float64", na_value=np.nan)
        margin = np.where(np.isnan(recorded), margin, recorded)
    sold = lines["sold"].to_numpy(dtype=bool) if "sold" in lines else purchase_lines(lines)
    counts = _first_sold(lines, sold)
    day = local_days(lines["ordered_at"], "ordered_at")
    return pd.DataFrame(
        {
            "customer_id": lines["customer_id"].to_numpy(), "day": day.to_numpy(),
            "amount": amount, "margin": margin, "counts": counts.astype("float64"),
        }
    )  # fmt: skip


def _first_sold(lines: pd.DataFrame, sold: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Mark one line sold of each order, the earliest, whatever the order of rows."""
    ids = lines["order_id"].where(sold)
    later = sold & ids.duplicated().to_numpy()
    first = sold & ~later
    if later.any():
        shared = np.flatnonzero(sold & ids.duplicated(keep=False).to_numpy())
        place, at = (
            pd.factorize(ids.iloc[shared])[0],
            pd.factorize(lines["ordered_at"].iloc[shared], sort=True)[0],
        )
        person = pd.factorize(lines["customer_id"].iloc[shared], sort=True)[0]
        ranked = shared[np.lexsort((person, at, place))]
        first[shared] = False
        first[ranked[np.r_[True, np.diff(np.sort(place)) > 0]]] = True
    return first


def _orders_of(orders: Any, rate: float, timezone: str | None) -> pd.DataFrame:
    frame = orders if isinstance(orders, nw.LazyFrame) else nw.from_native(orders).lazy()
    check_columns(frame, **{name: name for name in NEEDED})
    amount = nw.col("amount").cast(nw.Float64)
    margin = (
        nw.col("margin").cast(nw.Float64) if "margin" in frame.collect_schema() else nw.lit(None, nw.Float64)
    )
    unknown = nw.when(~amount.is_nan()).then(0.0).otherwise(UNKNOWN)
    amount = nw.when(~amount.is_nan()).then(amount).otherwise(0.0)
    known = frame.filter(~nw.col("customer_id").is_null()).select(
        nw.col("customer_id").cast(nw.String),
        nw.col("order_id").cast(nw.String),
        "ordered_at",
        amount=amount,
        margin=nw.when(~margin.is_null() & ~margin.is_nan()).then(margin).otherwise(amount * rate),
        sold=(amount * MONEY_UNIT + 0.5).floor() + unknown,
    )
    summed = known.group_by("customer_id", "order_id").agg(
        nw.col("ordered_at").min(), nw.col("amount").sum(), nw.col("margin").sum(), nw.col("sold").sum()
    )
    found = take_back(summed.collect(backend="pyarrow").to_native())
    found = found.sort_values(["customer_id", "order_id"], ignore_index=True)
    at = instants(found["ordered_at"], "ordered_at", timezone=timezone)
    return found.assign(ordered_at=at, sold=found["sold"] > 0)
