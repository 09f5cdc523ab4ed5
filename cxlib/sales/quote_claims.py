"""What may be said of quotes and deals: one row per sentence, none where too few stand behind it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cxlib.stats.verdicts import UNDECIDED, limits_verdict

_COLUMNS = ["metric", "estimate", "conf_low", "conf_high", "n"]
#: Late quotes by how late they are, in days.
_LATE = {"1–7": 7.0, "8–30": 30.0, "31–90": 90.0, "91–365": 365.0, "366–": float("inf")}


def enough_quotes(followed: pd.DataFrame, *, customers: int, min_cell: int = 10) -> pd.DataFrame:
    """Keep the result of `follow_up` where each group has enough quotes and their difference has limits.

    Where only the quotes together are enough, the share followed up is kept.

    Examples
    --------
    >>> followed = pd.DataFrame({"metric": ["difference"], "conf_low": [0.1], "n": [40]})
    >>> len(enough_quotes(followed, customers=30)), len(enough_quotes(followed, customers=3))
    (1, 0)
    """
    has_limits = followed.loc[followed["metric"] == "difference", "conf_low"].notna().any()
    is_known = has_limits and customers >= min_cell and followed["n"].min() >= min_cell
    alone = (followed["metric"] == "compliance") & (followed["n"] >= min_cell) & (customers >= min_cell)
    return followed if is_known else followed[alone]


def follow_up_gap(followed: pd.DataFrame, *, within_days: int) -> pd.DataFrame:
    """Tell whether quotes followed up are won more often, and what a naive comparison would say.

    Parameters
    ----------
    followed
        Result of `follow_up`, as far as `enough_quotes` keeps it.
    within_days
        Days within which the follow-up is due.

    Returns
    -------
    DataFrame
        One row, none without a result: `metric` ("difference", or "compliance" with the `claim` "alone" where
        there is no difference), `estimate, conf_low, conf_high, n,
        compliance_share, naive_difference, within_days, verdict` ("differ", "no_difference_shown") and
        `claim`: "naive_low" where the naive comparison says less, since quick deals leave no time to follow
        up, else "plain"; each with "_undecided" where no difference is shown.

    Examples
    --------
    >>> followed = pd.DataFrame({"metric": ["difference", "naive_difference", "compliance"], "n": 90,
    ...     "estimate": [0.2, -0.1, 0.5], "conf_low": [0.1, -0.2, 0.4], "conf_high": [0.3, 0.0, 0.6]})
    >>> follow_up_gap(followed, within_days=7)[["claim", "verdict"]].to_numpy().tolist()
    [['naive_low', 'differ']]
    """
    found = followed.set_index("metric")["estimate"]
    due = followed.loc[followed["metric"] == "difference", _COLUMNS].reset_index(drop=True)
    if due.empty:
        alone = followed.loc[followed["metric"] == "compliance", _COLUMNS].reset_index(drop=True)
        return alone.assign(within_days=within_days, verdict=None, claim="alone")
    naive = found["naive_difference"]
    verdict = limits_verdict(due["conf_low"].item(), due["conf_high"].item(), unit="pp")
    claim = "naive_low" if naive < due["estimate"].item() - 0.0005 else "plain"
    claim += "_undecided" if verdict == UNDECIDED else ""
    about: dict[str, Any] = {"compliance_share": found["compliance"], "naive_difference": naive}
    return due.assign(**about, within_days=within_days, verdict=verdict, claim=claim)


def quotes_by_delay(overdue: pd.DataFrame, *, min_cell: int = 10) -> pd.DataFrame:
    """Count quotes that wait for a follow-up by how late they are.

    Parameters
    ----------
    overdue
        Result of `overdue_quotes`.
    min_cell
        Smallest number of customers who wait.

    Returns
    -------
    DataFrame
        `overdue` (days), `n` (customers), `n_deals, amount`; no rows with fewer customers than `min_cell`.

    Examples
    --------
    >>> late = pd.DataFrame({"overdue_days": [3, 40], "customer_id": ["a", "b"], "deal_id": [1, 2],
    ...     "amount": [10.0, 20.0]})
    >>> quotes_by_delay(late, min_cell=2)[["overdue", "n"]].to_numpy().tolist()
    [['1–7', 1], ['31–90', 1]]
    """
    sums: Any = {"n": ("customer_id", "nunique"), "n_deals": ("deal_id", "size"), "amount": ("amount", "sum")}
    held = overdue if overdue["customer_id"].nunique() >= min_cell else overdue.iloc[:0]
    late = held.assign(overdue=pd.cut(held["overdue_days"], [0.0, *_LATE.values()], labels=list(_LATE)))
    return late.groupby("overdue", observed=True).agg(**sums).reset_index().astype({"overdue": str})


def won_share(rates: pd.DataFrame, *, min_cell: int = 10) -> pd.DataFrame:
    """Tell how deals old enough to be judged have ended.

    Parameters
    ----------
    rates
        Result of `win_rates` for all deals.
    min_cell
        Smallest number of customers behind the deals.

    Returns
    -------
    DataFrame
        One row, none with too few customers: `metric` ("won"), `estimate, conf_low, conf_high, n` (deals),
        `customers, lost_share, open_share, mature_days`.

    Examples
    --------
    >>> rates = pd.DataFrame({"metric": ["won", "lost", "open"], "estimate": [0.5, 0.3, 0.2], "n": 60,
    ...     "conf_low": 0.1, "conf_high": 0.6, "customers": 40, "mature_days": 90.0})
    >>> won_share(rates)[["estimate", "lost_share"]].to_numpy().tolist()
    [[0.5, 0.3]]
    """
    share = rates.set_index("metric")["estimate"]
    won = rates[(rates["metric"] == "won") & (rates["customers"] >= min_cell)]
    parts = {f"{name}_share": share[name] for name in ("lost", "open") if len(won)}
    return won[[*_COLUMNS, "customers", "mature_days"]].assign(**parts).reset_index(drop=True)
