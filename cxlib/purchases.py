"""What a purchase is: one rule for every count, clock and date of orders in the package.

An order is all lines of a customer with one `order_id`. As known on a day, it is a purchase if its lines up
to that day net above zero; it is dated by its lines that cost something. So free orders (nothing but 0) and
orders refunded in full under their own number are no purchases, an order refunded later is one until then,
and a refund booked under a number of its own lowers the money and counts nothing: nobody can tell which order
it undoes. A line without an amount was paid for, for all one knows. Where there are no order ids, each line
is an order; where there are no amounts, every line counts, and results say so in `note`.
"""

from __future__ import annotations

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
    customer_col: str = "customer_id",
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
    customer_col, order_col, amount_col : str
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
    who = pd.factorize(rows[customer_col])[0]
    which = pd.factorize(rows[order_col])[0]
    held = pd.DataFrame({"net": money[touched].astype(np.int64), "unknown": unknown[touched]})
    total = held.groupby([who, which], sort=False).transform("sum")
    stands = (total["net"] > 0) | ((total["net"] == 0) & (total["unknown"] > 0))
    sold[touched] &= stands.to_numpy()
    return sold


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
