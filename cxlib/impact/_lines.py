"""Order lines of any engine, made ready to be counted per customer and month."""

from __future__ import annotations

from typing import Any, cast

import narwhals as nw
import numpy as np
import pandas as pd

from cxlib.checks import check_columns
from cxlib.days import instants, local_days

NEEDED = ("order_id", "customer_id", "ordered_at", "amount")


def plain_lines(orders: Any, rate: float, timezone: str | None) -> pd.DataFrame:
    """`customer_id, day, amount, margin, counts` (1 for the first line sold of an order), amounts known.

    A pandas frame is taken as it is. On any other engine the lines are first summed up per customer and order
    there, dated by their first line, so that only orders travel.
    """
    if not isinstance(orders, pd.DataFrame):
        orders = _orders_of(orders, rate, timezone)
    check_columns(orders, **{name: name for name in NEEDED})
    lines = orders[orders["amount"].notna()]
    amount = lines["amount"].to_numpy(dtype="float64")
    margin = amount * rate
    if "margin" in lines:
        recorded = lines["margin"].to_numpy(dtype="float64", na_value=np.nan)
        margin = np.where(np.isnan(recorded), margin, recorded)
    sold = lines["sold"].to_numpy(dtype=bool) if "sold" in lines else amount > 0
    counts = sold & ~lines["order_id"].where(sold).duplicated().to_numpy()
    day = local_days(lines["ordered_at"], "ordered_at")
    return pd.DataFrame(
        {
            "customer_id": lines["customer_id"].to_numpy(), "day": day.to_numpy(),
            "amount": amount, "margin": margin, "counts": counts.astype("float64"),
        }
    )  # fmt: skip


def _orders_of(orders: Any, rate: float, timezone: str | None) -> pd.DataFrame:
    frame = orders if isinstance(orders, nw.LazyFrame) else nw.from_native(orders).lazy()
    check_columns(frame, **{name: name for name in NEEDED})
    amount = nw.col("amount").cast(nw.Float64)
    margin = (
        nw.col("margin").cast(nw.Float64) if "margin" in frame.collect_schema() else nw.lit(None, nw.Float64)
    )
    known = frame.filter(~nw.col("customer_id").is_null(), ~amount.is_null(), ~amount.is_nan()).select(
        nw.col("customer_id").cast(nw.String),
        nw.col("order_id").cast(nw.String),
        "ordered_at",
        amount=amount,
        margin=nw.when(~margin.is_null() & ~margin.is_nan()).then(margin).otherwise(amount * rate),
        sold=(amount > 0).cast(nw.Int8),
    )
    summed = known.group_by("customer_id", "order_id").agg(
        nw.col("ordered_at").min(), nw.col("amount").sum(), nw.col("margin").sum(), nw.col("sold").max()
    )
    found = cast("pd.DataFrame", summed.collect(backend="pyarrow").to_pandas())
    found = found.sort_values(["customer_id", "order_id"], ignore_index=True)
    return found.assign(ordered_at=instants(found["ordered_at"], "ordered_at", timezone=timezone))
