"""Which parts of the journey chapter the data let it show: from which day, of whom, on which scale."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from cxlib.data.days import to_date
from cxlib.data.engine.order_totals import count_lines
from cxlib.data.scope import Tables
from cxlib.journey.second_purchase.burn_in import f2_burn_in, f2_of_some, settled_from
from cxlib.journey.second_purchase.f2_curve import repeat_curve


class FeelingScale(NamedTuple):
    """Ends of the scale of feelings and what follows from them; a class to name the parts."""

    ends: tuple[float, float]
    middle: float
    half_range: float
    unit: str


class F2Known(NamedTuple):
    """What may be said of first buyers; a class because every section on them asks for a part of it.

    `begins` as in `settled_from`, "" with too few; `n`: first buyers that F2 may speak of; `lacking` and
    `no_year`: entries that say why there is no F2 (None where there is one), and nothing on the first year;
    `begins_on`: first day of all data where only some customers are looked at.
    """

    begins: str
    n: int
    lacking: str | None
    no_year: str
    begins_on: dt.date | None = None

    @property
    def is_old(self) -> bool:
        """Whether F2 allows for customers older than the data."""
        return self.begins == "burn_in"


def feeling_scale(ends: Sequence[float]) -> FeelingScale:
    """Middle and unit of a scale of feelings: around zero a valence, with a sign; a score otherwise.

    Examples
    --------
    >>> feeling_scale([-2, 2]).unit, feeling_scale([1, 5])[1:]
    ('valence', (3.0, 2.0, 'score'))
    """
    low, high = ends
    middle = (low + high) / 2
    return FeelingScale((low, high), middle, (high - low) / 2, "valence" if middle == 0 else "score")


def orders_begin(
    data_set: Tables,
    *,
    as_of: dt.date,
    period_start: dt.date | None = None,
    observed_from: dt.date | str | None = None,
) -> dict[str, Any]:
    """Tell from which day on first purchases count, and how many order lines are of guests.

    Parameters
    ----------
    data_set
        The opened data set; all its orders are looked at, of whomever.
    as_of, observed_from
        As in `settled_from`.
    period_start
        First day of the report's period.

    Returns
    -------
    dict
        As `settled_from`, with `first_day` (the later one of `period_start` and `observed_from`; None: none)
        and `guest_share` (0 without orders).
    """
    has_orders, guests = data_set.has("orders"), 0.0
    orders = data_set.table("orders", merged=True) if has_orders else pd.DataFrame({"customer_id": []})
    begun = settled_from(orders, as_of=as_of, observed_from=observed_from)
    days = [to_date(day) for day in (period_start, begun["observed_from"]) if day is not None]
    if has_orders and (counted := count_lines(data_set.order_lines()))["lines"]:
        guests = float(counted["guest_lines"] / counted["lines"])
    return begun | {"first_day": max(days, default=None), "guest_share": guests}


def f2_known(
    start_of: Mapping[str, Any],
    *,
    n_first: int,
    is_given: bool = False,
    is_narrowed: bool = False,
    min_cell: int = 10,
) -> F2Known:
    """Tell how many first buyers F2 may speak of, and why none.

    Parameters
    ----------
    start_of
        As `settled_from`.
    n_first
        Customers with a first purchase in the days that count.
    is_given
        Whether the reader chose the first day, who then answers for it.
    is_narrowed
        Whether the report is on some customers only; whether the data begin mid-life, all of them tell.
    min_cell
        Smallest number of first buyers.

    Examples
    --------
    >>> f2_known({"begins": "unsettled"}, n_first=90).lacking, f2_known({"begins": ""}, n_first=90).lacking
    ('journey.empty_unsettled', None)
    """
    has_buyers = n_first >= min_cell
    begins = start_of["begins"] if has_buyers else ""
    n = 0 if begins == "unsettled" and not is_given else n_first
    why = "journey.empty_unsettled" if has_buyers else "journey.empty_buyers"
    lacking = None if n >= min_cell else why
    begins_on = start_of.get("begins_on") if is_narrowed else None
    return F2Known(begins, n, lacking, lacking or "journey.empty_year", begins_on)


def f2_table(orders: pd.DataFrame, known: F2Known, **asked: Any) -> pd.DataFrame:
    """Give F2 by day, with old customers allowed for where the data begin mid-life.

    `asked` as in `repeat_curve`, which makes the table otherwise (`f2_burn_in`; of some customers
    `f2_of_some`).
    """
    if known.is_old and known.begins_on is not None:
        return f2_of_some(orders, begins_on=known.begins_on, **asked)
    return (f2_burn_in if known.is_old else repeat_curve)(orders, **asked)


def f2_columns(known: F2Known) -> list[str]:
    """Columns of `f2_table` that a reader needs: beside F2 what else would be taken for it.

    Examples
    --------
    >>> f2_columns(F2Known("burn_in", 90, None, ""))[-1], f2_columns(F2Known("", 90, None, ""))[-1]
    ('older_share', 'n_mature')
    """
    beside = ["plain", "older_share"] if known.is_old else ["naive", "mature", "n_mature"]
    return ["days", "estimate", "conf_low", "conf_high", "n_at_risk", "n_not_reached", "n", *beside]
