"""What a data set adds up to, to be held against the system it came from."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import pandas as pd

from cxlib.data.days import local_days
from cxlib.data.engine.adjacent_lines import COARSE, MONEY_UNIT
from cxlib.data.engine.lazy_lines import as_lazy, collect, millionths
from cxlib.data.engine.order_lines import OrderLines
from cxlib.data.purchases import purchase_lines

#: Measures of `order_sums` in the order in which they are told.
SUMS = ("orders", "customers", "gross_sales", "refunds", "net_sales", "first_day", "last_day", "repeat_share")


def order_sums(orders: Any) -> dict[str, Any]:
    """Count and add up order lines as reports read them: after repeated rows, guests included in the money.

    Parameters
    ----------
    orders
        Checked order lines: a frame, or `OrderLines`, which are summed up where they lie.

    Returns
    -------
    dict
        `orders` (distinct ids), `customers` (known ones), `gross_sales` (amounts above 0), `refunds` (those
        below), `net_sales`, `first_day`, `last_day` (ISO days), `repeat_share` (of customers with a purchase,
        those with two and more, 0–1). Missing where there are none.

    Examples
    --------
    >>> lines = pd.DataFrame({"order_id": list("1123"), "customer_id": ["a", "a", "a", "b"],
    ...     "ordered_at": pd.to_datetime(["2026-01-01"] * 3 + ["2026-02-01"]), "amount": [9.0, 5, -4, 8]})
    >>> [order_sums(lines)[name] for name in ("orders", "customers", "net_sales", "repeat_share")]
    [3, 2, 18.0, 0.0]
    """
    if isinstance(orders, OrderLines):
        if not isinstance(rows := orders.rows, pd.DataFrame):
            return _where_they_lie(orders, rows)
        orders = rows
    amounts, days = orders["amount"].dropna(), local_days(orders["ordered_at"], "ordered_at").dropna()
    bought = orders.loc[purchase_lines(orders), ["customer_id", "order_id"]].dropna(subset="customer_id")
    purchases = bought.groupby("customer_id")["order_id"].nunique()
    has_days = len(days) > 0
    return {
        "orders": int(orders["order_id"].nunique()),
        "customers": int(orders["customer_id"].nunique()),
        "gross_sales": float(amounts[amounts > 0].sum()),
        "refunds": float(amounts[amounts < 0].sum()),
        "net_sales": float(amounts.sum()),
        "first_day": str(days.min().date()) if has_days else None,
        "last_day": str(days.max().date()) if has_days else None,
        "repeat_share": float((purchases > 1).mean()) if len(purchases) else None,
    }


def _where_they_lie(orders: OrderLines, rows: Any) -> dict[str, Any]:
    """Do as `order_sums` in the engine that has the lines."""
    frame, at = as_lazy(rows), nw.col("ordered_at")
    value = nw.col("amount").cast(nw.Float64)
    known = nw.when(~value.is_nan()).then(value).otherwise(0.0)
    parts: dict[str, nw.Expr] = {}
    for name, is_so in (("gross", known > 0), ("refunds", known < 0)):
        coarse, fine = millionths(nw.when(is_so).then(known).otherwise(0.0))
        parts |= {f"{name}_coarse": coarse, f"{name}_fine": fine}
    named = frame.select("order_id", "customer_id", "ordered_at", **parts)
    ends = {"first": at.min(), "last": at.max()}
    found = collect(named.select(**ends, **{name: nw.col(name).sum() for name in parts}))
    total = found.fillna({name: 0 for name in parts}).iloc[0]
    money = {
        name: float(total[f"{name}_coarse"] * COARSE + total[f"{name}_fine"]) / MONEY_UNIT
        for name in ("gross", "refunds")
    }
    ids = {name: _different(named, name) for name in ("order_id", "customer_id")}
    days = {name: None if pd.isna(total[name]) else _day(found[name], orders.timezone) for name in ends}
    bought = orders.until(days["last"])["frequency"] if days["last"] else pd.Series(dtype=float)
    bought = bought[bought > 0]
    return {
        "orders": ids["order_id"],
        "customers": ids["customer_id"],
        "gross_sales": money["gross"],
        "refunds": money["refunds"],
        "net_sales": money["gross"] + money["refunds"],
        "first_day": days["first"],
        "last_day": days["last"],
        "repeat_share": float((bought > 1).mean()) if len(bought) else None,
    }


def _different(rows: nw.LazyFrame[Any], column: str) -> int:
    known = rows.filter(~nw.col(column).is_null()).select(column).unique()
    return int(collect(known.select(n=nw.col(column).count()))["n"].iloc[0])


def _day(moment: pd.Series, timezone: str | None) -> str:
    return str(local_days(moment, str(moment.name), timezone=timezone).iloc[0].date())
