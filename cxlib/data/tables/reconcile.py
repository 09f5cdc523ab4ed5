"""What a data set adds up to, to be held against the system it came from."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cxlib.data.days import local_days
from cxlib.data.purchases import purchase_lines

#: Measures of `order_sums` in the order in which they are told.
SUMS = ("orders", "customers", "gross_sales", "refunds", "net_sales", "first_day", "last_day", "repeat_share")


def order_sums(orders: pd.DataFrame) -> dict[str, Any]:
    """Count and add up order lines as reports read them: after repeated rows, guests included in the money.

    Parameters
    ----------
    orders
        Checked order lines.

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
