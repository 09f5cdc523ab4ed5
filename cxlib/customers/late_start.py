"""Data that begin in the middle of customers' lives: what is told of states and new customers all the same.

An order before the first one of the data is not seen. So old customers look new, and states that take a long
history are too rare. Whether data begin so, `settled_from` tells.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.checks import check_columns
from cxlib.stats.intervals import share_difference_interval
from cxlib.stats.verdicts import limits_side

#: Fewest customers in either part of the data to be compared.
FEWEST = 30


def settled_shares(
    states: pd.DataFrame, first_orders: pd.Series, *, from_on: object, conf_level: float = 0.95
) -> pd.DataFrame:
    """Put the share of each state beside its share among buyers whose first order is sure to be the first.

    Parameters
    ----------
    states : pandas.DataFrame
        `customer_id, state`, one day.
    first_orders : pandas.Series
        Day of each customer's first order in the data, by `customer_id` (the index).
    from_on : date, str or Timestamp
        Day from which on a first order counts as one: after the burn-in.
    conf_level : float
        Of all states together.

    Returns
    -------
    pandas.DataFrame
        `state, estimate` (share of all buyers)`, settled` (of those since `from_on`)`, early` (of those
        before)`, difference, conf_low, conf_high` (early less settled)`, n` (buyers since)`, is_apart`:
        shares of the two kinds of buyers differ beyond noise. States without buyers are left out.

    Examples
    --------
    >>> day = pd.Series(pd.to_datetime(["2026-01-01"] * 40 + ["2026-06-01"] * 40), index=range(80))
    >>> states = pd.DataFrame({"customer_id": range(80), "state": ["old"] * 40 + ["new"] * 40})
    >>> settled_shares(states, day, from_on="2026-04-01")[["state", "estimate", "settled"]].values.tolist()
    [['new', 0.5, 1.0], ['old', 0.5, 0.0]]
    """
    check_columns(states, customer_id_col="customer_id", state_col="state")
    first = pd.to_datetime(states["customer_id"].map(first_orders))
    bought = states[first.notna()].assign(late=first >= pd.Timestamp(str(from_on)[:10]))
    held = bought.groupby("state")["late"].agg(["size", "sum"])
    late, early = held["sum"].to_numpy(), (held["size"] - held["sum"]).to_numpy()
    n_late, n_early = int(late.sum()), int(early.sum())
    level = 1 - (1 - conf_level) / max(len(held), 1)
    gap = share_difference_interval(early, n_early, late, n_late, conf_level=level)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = {"estimate": (early + late) / max(n_early + n_late, 1), "settled": late / np.float64(n_late)}
        shares |= {"early": early / np.float64(n_early)}
    table = pd.DataFrame({"state": held.index.to_numpy(), **shares, "difference": gap.estimate})
    table = table.assign(conf_low=gap.conf_low, conf_high=gap.conf_high, n=late)
    apart = limits_side(gap.conf_low, gap.conf_high, unit="pp") != 0
    return table.assign(is_apart=apart & (n_late >= FEWEST) & (n_early >= FEWEST))


def short_of_history(limits: pd.DataFrame, *, history_days: int) -> pd.DataFrame:
    """States that nobody, or not everybody who belongs there, can be in, because the data begin too late.

    Parameters
    ----------
    limits : pandas.DataFrame
        As `stay_limits`, with `since_days` (recency from which on the state begins).
    history_days : int
        Days from the first order to the day of the states.

    Returns
    -------
    pandas.DataFrame
        `state, since_days`: states that begin so late that the data reach back less than half as far again.

    Examples
    --------
    >>> short_of_history(pd.DataFrame({"state": ["a", "b"], "since_days": [0, 365]}), history_days=364)
    ...     # doctest: +NORMALIZE_WHITESPACE
      state  since_days
    0     b         365
    """
    late = limits[(limits["since_days"] > 0) & (history_days < 1.5 * limits["since_days"])]
    return late[["state", "since_days"]].reset_index(drop=True)
