"""Order lines of any engine, made ready to be counted per customer and month."""

from __future__ import annotations

from typing import Any, cast

import narwhals as nw
import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.checks import check_columns

NEEDED = ("order_id", "customer_id", "ordered_at", "amount")


def dates(values: pd.Series) -> pd.Series:
    """Midnight of each local day, without a time zone, whatever the column held."""
    stamps = values if pd.api.types.is_datetime64_any_dtype(values) else pd.to_datetime(values)
    return (stamps if stamps.dt.tz is None else stamps.dt.tz_localize(None)).dt.normalize()


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
    counts = _first_sold(lines, sold)
    return pd.DataFrame(
        {
            "customer_id": lines["customer_id"].to_numpy(), "day": dates(lines["ordered_at"]).to_numpy(),
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
    at = pd.to_datetime(found["ordered_at"])
    if timezone is not None and at.dt.tz is not None:
        at = at.dt.tz_convert(timezone)
    return found.assign(ordered_at=at)
