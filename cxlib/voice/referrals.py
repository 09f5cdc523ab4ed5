"""Customers who came by referral: how many they are, and what they bought later beside the others."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from cxlib.checks import check_columns, check_frame
from cxlib.data.days import local_days, to_date
from cxlib.data.purchases import purchase_lines
from cxlib.data.text_type import TEXT
from cxlib.stats.intervals import Interval, share_interval
from cxlib.stats.money_means import middle_mean_interval, money_difference, money_mean_interval


def referred_customers(
    customers: pd.DataFrame,
    orders: pd.DataFrame,
    *,
    as_of: dt.date | str,
    within_days: int = 365,
    source_col: str = "acquisition_channel",
    referral: str = "referral",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share of buyers who came by referral (0–1), and the first year's sales of referred and other buyers.

    Parameters
    ----------
    customers : DataFrame
        One row per customer, with ``customer_id``; those without a source or without an order are left out.
    orders : DataFrame
        Order lines: ``customer_id, ordered_at, amount`` (a refund below 0).
    as_of : date
        Last day of observation.
    within_days : int
        Days from the first order on whose net amount counts; only customers for whom they are over.
    source_col : str
        Where a customer came from.
    referral : str
        Value of `source_col` for those who were recommended.
    conf_level : float

    Returns
    -------
    DataFrame
        Seven rows: ``metric`` "referred_share" (Wilson limits); means per customer in currency,
        "amount_referred", "amount_others" and "amount_gap" (referred minus others); means of the middle half
        of either group, "middle_referred", "middle_others" and "middle_gap". With ``estimate, std_error,
        conf_low, conf_high, n`` (customers; of a gap the smaller side) and ``status`` as in
        `money_difference`: no limits where a few customers carry a mean, or customers are few.

    Raises
    ------
    ParameterError
        For a missing column.

    Notes
    -----
    Who recommends chooses whom: referred customers may have been better customers anyway. An association.

    References
    ----------
    Schmitt, Skiera & Van den Bulte (2011) Journal of Marketing 75.

    Examples
    --------
    >>> people = pd.DataFrame({"customer_id": list("abcd"), "acquisition_channel": ["referral", "sns"] * 2})
    >>> orders = pd.DataFrame({"customer_id": list("abcd"), "ordered_at": pd.Timestamp("2025-01-05")})
    >>> found = referred_customers(people, orders.assign(amount=[9.0, 5, 7, 5]), as_of="2026-06-30")
    >>> found["estimate"].tolist()
    [0.5, 8.0, 5.0, 3.0, 8.0, 5.0, 3.0]
    """
    check_frame(customers, argument="customers")
    check_frame(orders, argument="orders")
    check_columns(customers, customer_id="customer_id", source_col=source_col)
    check_columns(orders, **{name: name for name in ("customer_id", "ordered_at", "amount")})
    lines = orders.dropna(subset=["customer_id", "ordered_at"]).reset_index(drop=True)
    day = local_days(lines["ordered_at"], "ordered_at")
    known = (day <= pd.Timestamp(to_date(as_of))).to_numpy()
    bought = day[purchase_lines(lines, known=known)].groupby(lines["customer_id"]).min()
    source = customers.set_index("customer_id")[source_col].dropna()
    first = bought.reindex(source.index).dropna()
    is_referred = source.reindex(first.index).astype(TEXT) == referral
    window = pd.Timedelta(days=within_days)
    complete = first[first + window <= pd.Timestamp(to_date(as_of)) + pd.Timedelta(days=1)]
    start = complete.reindex(lines["customer_id"]).set_axis(lines.index)
    inside = (day >= start) & (day < start + window)
    spent = lines.loc[inside, "amount"].groupby(lines.loc[inside, "customer_id"]).sum()
    amount = spent.reindex(complete.index, fill_value=0.0).astype(float)
    sides = [amount[is_referred.reindex(amount.index) == side] for side in (True, False)]
    share = share_interval(int(is_referred.sum()), len(first), conf_level=conf_level)
    rows = [_row("referred_share", share, len(first))]
    gaps = money_difference(*sides, conf_level=conf_level).to_dict("records")
    for word, interval, gap in zip(
        ("amount", "middle"), (money_mean_interval, middle_mean_interval), gaps, strict=True
    ):
        for name, side in zip(("referred", "others"), sides, strict=True):
            rows.append(_row(f"{word}_{name}", interval(side, conf_level=conf_level), len(side)))
        rows.append({**{str(name): each for name, each in gap.items()}, "metric": f"{word}_gap"})
    return pd.DataFrame(rows).fillna({"status": ""})


def _row(metric: str, interval: Interval, n: int) -> dict[str, object]:
    return {"metric": metric, **{name: float(each) for name, each in interval._asdict().items()}, "n": n}
