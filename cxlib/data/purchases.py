"""What a purchase is: one rule for every count, clock and date of orders in the package.

An order is all lines of a customer with one `order_id`. As known on a day, it is a purchase if its lines up
to that day net above zero; it is dated by its lines that cost something. So free orders (nothing but 0) and
orders refunded in full under their own number are no purchases, an order refunded later is one until then,
and a refund booked under a number of its own lowers the money and counts nothing: nobody can tell which order
it undoes. A line without an amount was paid for, for all one knows. Where there are no order ids, each line
is an order; where there are no amounts, every line counts, and results say so in `note`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.checks import InputError, ParameterError

MONEY_UNIT = 1_000_000
#: What `note` says where lines have no amount: refunds and free orders cannot be told from purchases.
NO_AMOUNTS = "refunds_unknown"


def purchase_lines(
    orders: pd.DataFrame,
    *,
    known: NDArray[np.bool_] | None = None,
    customer_id_col: str = "customer_id",
    order_col: str = "order_id",
    amount_col: str = "amount",
) -> NDArray[np.bool_]:
    """Tell which order lines make and date a purchase.

    Parameters
    ----------
    orders : pandas.DataFrame
        Order lines.
    known : array of bool, optional
        Lines known on the day in question; the others neither count nor take anything back. Default: all.
    customer_id_col, order_col, amount_col : str
        Without the column of order ids each line is an order, without that of amounts every line counts.

    Returns
    -------
    array of bool
        True for lines that cost something (or whose amount is missing), of orders whose known lines net above
        zero in whole millionths.

    Raises
    ------
    ParameterError
        If amounts are text.
    InputError
        If an amount is infinite.

    Examples
    --------
    >>> lines = pd.DataFrame({"customer_id": "a", "order_id": list("11234"), "amount": [9, -9, 9, 0, -5]})
    >>> purchase_lines(lines).tolist()
    [False, False, True, False, False]
    """
    seen = np.ones(len(orders), dtype=bool) if known is None else known
    if amount_col not in orders.columns:
        return seen.copy()
    value = _amounts(orders[amount_col], amount_col)
    unknown = np.isnan(value)
    money = np.floor(np.where(unknown, 0.0, value) * MONEY_UNIT + 0.5)
    sold = seen & ((money > 0) | unknown)
    back = seen & (money < 0)
    if order_col not in orders.columns or not back.any():
        return sold
    number = orders[order_col]
    touched = np.flatnonzero(seen & number.isin(number[back].unique()).to_numpy())
    rows = orders.iloc[touched]
    keys = {"who": pd.factorize(rows[customer_id_col])[0], "which": pd.factorize(rows[order_col])[0]}
    held = pd.DataFrame(keys | {"net": money[touched].astype(np.int64), "unknown": unknown[touched]})
    total = held.groupby(list(keys), sort=False).transform("sum")
    stands = (total["net"] > 0) | ((total["net"] == 0) & (total["unknown"] > 0))
    sold[touched] &= stands.to_numpy()
    return sold


def leading_lines(
    orders: pd.DataFrame,
    names: Sequence[str],
    customer: NDArray[np.intp],
    day: NDArray[np.datetime64],
    kept: NDArray[np.bool_],
    amount_col: str = "amount",
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Find the line that stands for each customer's first purchase day, whatever the order of the rows.

    Parameters
    ----------
    orders : pandas.DataFrame
        Order lines; with `line` where several have the same amount.
    names : sequence of str
        The columns that will be read off the line.
    customer, day, kept : arrays
        Of each line: number of the customer (0, 1, … without a gap below the largest), day, and whether it
        makes a purchase.
    amount_col : str

    Returns
    -------
    places, is_ambiguous : arrays
        Per customer the place of the line of the first day with the largest amount, then the lowest `line`,
        then the values first by name (0 for a customer without purchase), and whether the lines of that day
        hold different values.
    """
    count = int(customer.max(initial=-1)) + 1
    number = day.astype("datetime64[D]").astype(np.int64)
    first = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(first, customer[kept], number[kept])
    rows = np.flatnonzero(kept & (number == first[customer]) & (customer >= 0))
    code = np.zeros(len(rows), dtype=np.intp)
    for name in names:
        text = orders[name].iloc[rows].astype("string").fillna("")
        code = code * (len(rows) + 1) + pd.factorize(text, sort=True)[0]
        code = np.unique(code, return_inverse=True)[1]
    amount = np.zeros(len(rows))
    if amount_col in orders.columns:
        amount = np.nan_to_num(_amounts(orders[amount_col].iloc[rows], amount_col))
    line = np.zeros(len(rows))
    if "line" in orders.columns:
        line = pd.to_numeric(orders["line"].iloc[rows], errors="coerce").to_numpy(float, na_value=np.inf)
    who = customer[rows]
    order = np.lexsort([code, line, -amount, who])
    head = order[np.diff(who[order], prepend=-1) != 0]
    places, is_ambiguous = np.zeros(count, dtype=np.intp), np.zeros(count, dtype=bool)
    places[who[head]] = rows[head]
    chosen = np.zeros(count, dtype=np.intp)
    chosen[who[head]] = code[head]
    is_ambiguous[who[code != chosen[who]]] = True
    return places, is_ambiguous


def earlier_buyers(customer: pd.Series, bought_on: pd.Series, observed_from: dt.date | None) -> pd.Index:
    """Name the customers who bought before `observed_from`: nobody saw their first purchase.

    Parameters
    ----------
    customer, bought_on : pandas.Series
        Customer and day of each purchase.
    observed_from : date, optional

    Examples
    --------
    >>> days = pd.to_datetime(pd.Series(["2026-01-05", "2026-03-01", "2026-03-02"]))
    >>> earlier_buyers(pd.Series(["a", "a", "b"]), days, dt.date(2026, 2, 1)).to_list()
    ['a']
    """
    if observed_from is None:
        return pd.Index([])
    return pd.Index(customer[bought_on < pd.Timestamp(observed_from)].unique())


def _amounts(amounts: pd.Series, column: str) -> NDArray[np.float64]:
    if amounts.dtype == np.float64:
        values = amounts.to_numpy()
    else:
        values = pd.to_numeric(amounts, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        if (np.isnan(values) & amounts.notna().to_numpy()).any():
            raise ParameterError("segmentation.amount_type", column=column, found=str(amounts.dtype))
    if np.isinf(values).any():
        raise InputError("segmentation.impossible_line", n=int(np.isinf(values).sum()))
    return values
