"""What was known of a customer's purchases at a moment, and what followed within so many days."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from cxlib.checks import check_columns
from cxlib.data.days import local_times, to_date
from cxlib.data.joined import joined
from cxlib.data.purchases import purchase_lines

#: What is known of the purchases before a moment.
BEFORE = ("orders_before", "amount_before", "recency", "tenure")


def orders_around(
    moments: pd.DataFrame,
    orders: pd.DataFrame,
    *,
    as_of: dt.date | str | pd.Timestamp,
    within_days: int = 365,
    timezone: str | None = None,
) -> pd.DataFrame:
    """Set beside each moment of a customer the purchases of `within_days` before it and after it.

    Parameters
    ----------
    moments : DataFrame
        `customer_id, at` (local time, without zone); a customer may have several.
    orders : DataFrame
        Order lines of the contract: `customer_id, order_id, ordered_at, amount` (a refund below 0).
    as_of : date
        Only moments whose `within_days` were over by then are kept: no part of a window is taken for it.
    within_days : int
        Length of both windows.
    timezone : str, optional
        In which the moments are; that of the orders by default.

    Returns
    -------
    DataFrame
        The rows kept, with their index, and `orders_before, amount_before`, `recency` (0–1, the last order
        before; 1 for none in the window), `tenure` (years since the first order), `orders_after,
        amount_after, has_bought` (0, 1).

    Raises
    ------
    ParameterError
        For a missing column.

    Examples
    --------
    >>> orders = pd.DataFrame({"customer_id": ["a", "a"], "order_id": ["1", "2"], "amount": [50.0, 70.0]})
    >>> orders["ordered_at"] = pd.to_datetime(["2024-12-01", "2025-03-01"])
    >>> moments = pd.DataFrame({"customer_id": ["a"], "at": pd.to_datetime(["2025-01-01"])})
    >>> around = orders_around(moments, orders, as_of="2026-01-02")
    >>> around[["amount_before", "amount_after"]].to_numpy().tolist()
    [[50.0, 70.0]]
    """
    check_columns(moments, customer_id="customer_id", at="at")
    check_columns(orders, **{name: name for name in ("customer_id", "order_id", "ordered_at", "amount")})
    kept = moments[moments["at"] + pd.Timedelta(days=within_days) <= pd.Timestamp(to_date(as_of))]
    keyed = kept[["customer_id", "at"]].assign(moment=kept.index)
    lines = joined(orders, keyed)
    gap = local_times(lines["ordered_at"], "ordered_at", timezone=timezone) - lines["at"]
    lines = lines.assign(gap=gap.dt.total_seconds() / 86_400)
    past, known = ((lines["gap"] <= end).to_numpy() for end in (0, within_days))
    of = {"customer_id_col": "moment"}
    lines = lines.assign(
        sold_before=purchase_lines(lines, known=past, **of), sold=purchase_lines(lines, known=known, **of)
    )
    before = _window(lines[past & (lines["gap"] > -within_days)], "sold_before", kept.index)
    after = _window(lines[~past & known], "sold", kept.index)
    bought = (-lines["gap"])[lines["sold_before"]].groupby(lines["moment"])
    recency = bought.min().reindex(kept.index).fillna(within_days).clip(upper=within_days) / within_days
    tenure = bought.max().reindex(kept.index).fillna(0) / 365
    found = kept.assign(orders_before=before[0], amount_before=before[1], recency=recency, tenure=tenure)
    found = found.assign(orders_after=after[0], amount_after=after[1])
    return found.assign(has_bought=(found["orders_after"] > 0).astype(float))


def _window(lines: pd.DataFrame, sold_col: str, moments: pd.Index) -> tuple[pd.Series, pd.Series]:
    """Purchases and net amount per moment, 0 for those without."""
    orders = lines[lines[sold_col]].groupby("moment")["order_id"].nunique()
    amount = lines.groupby("moment")["amount"].sum()
    return orders.reindex(moments, fill_value=0), amount.reindex(moments, fill_value=0.0)
