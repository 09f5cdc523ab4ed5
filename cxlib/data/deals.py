"""When a deal is open and how it ended: the one rule for everything said about deals."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from cxlib.checks import InputError, check_columns
from cxlib.data.days import local_days, to_date


def deal_facts(deals: pd.DataFrame, *, as_of: dt.date | str) -> pd.DataFrame:
    """Tell of each deal whether it is open on a day, and when and how it ended.

    Parameters
    ----------
    deals
        Deals with `closed_on` and `is_won` (true, false, or missing while nobody knows). Without the column
        `is_won` a deal is over on the day in `closed_on`.
    as_of
        Last day known, inclusive.

    Returns
    -------
    DataFrame
        Row by row: `is_open`, `ended_on` (day, missing while open), `outcome` ("won", "lost", missing while
        open), `is_undated` (has a result but no day: over, since when is not known; it is neither open nor in
        any clock).

    Raises
    ------
    ParameterError, InputError
        No `closed_on`, a result that is neither yes nor no, or a `closed_on` that holds no days.

    Notes
    -----
    A deal without a result is open whatever its dates: most systems keep the *expected* day of closing in the
    same field until the deal is over. A deal whose day lies after `as_of` was open on it.

    Examples
    --------
    >>> deals = pd.DataFrame({"is_won": [True, None], "closed_on": pd.to_datetime(["2026-01-20"] * 2)})
    >>> deal_facts(deals, as_of="2026-06-30")[["is_open", "outcome"]].to_numpy().tolist()
    [[False, 'won'], [True, nan]]
    """
    check_columns(deals, closed_on="closed_on")
    last = pd.Timestamp(to_date(as_of))
    ended = deal_day(deals, "closed_on")
    won = result_flags(deals) if "is_won" in deals else np.where(ended.notna(), 0.0, np.nan)
    over = pd.Series(~np.isnan(won), index=deals.index)
    later = ended > last
    known = over & ~later & ended.notna()
    outcome = pd.Series(np.where(won == 1, "won", "lost"), index=deals.index, dtype=object)
    if "is_won" not in deals:
        outcome[:] = np.nan
    return pd.DataFrame(
        {
            "is_open": ~over | later,
            "ended_on": ended.where(known),
            "outcome": outcome.where(known),
            "is_undated": over & ended.isna(),
        }
    )


def deal_spells(deals: pd.DataFrame, *, as_of: dt.date | str) -> pd.DataFrame:
    """Deals created by a day, each with its age or the days it took to end.

    Parameters
    ----------
    deals
        As in `deal_facts`, with `created_on`.
    as_of
        Last day known, inclusive.

    Returns
    -------
    DataFrame
        The rows of `deals` created by `as_of`, without those over on an unknown day or before they were
        created, with the columns of `deal_facts` and `days` (from `created_on` to the end or to
        `as_of`, ≥ 0).

    Raises
    ------
    ParameterError, InputError
        As in `deal_facts`; no `created_on`.

    Examples
    --------
    >>> deals = pd.DataFrame({"created_on": pd.to_datetime(["2026-01-01"] * 2), "is_won": [True, None],
    ...     "closed_on": pd.to_datetime(["2026-01-11", "2026-02-11"])})
    >>> deal_spells(deals, as_of="2026-03-31")["days"].to_list()
    [10, 89]
    """
    check_columns(deals, created_on="created_on")
    last = pd.Timestamp(to_date(as_of))
    created = deal_day(deals, "created_on")
    facts = deal_facts(deals, as_of=as_of)
    days = (facts["ended_on"].fillna(last) - created).dt.days
    kept = (created <= last) & ~facts["is_undated"] & (days >= 0)
    return deals.assign(**facts, days=days)[kept].astype({"days": int})


def has_next_step(deals: pd.DataFrame, *, as_of: dt.date | str) -> pd.Series:
    """Whether a next step of each deal lies ahead: its day is not past; missing where no deal tells of any.

    Examples
    --------
    >>> deals = pd.DataFrame({"next_step_on": pd.to_datetime(["2026-02-01", None])})
    >>> has_next_step(deals, as_of="2026-01-31").to_list()
    [True, False]
    """
    if "next_step_on" not in deals or not deals["next_step_on"].notna().any():
        return pd.Series(pd.NA, index=deals.index, dtype="boolean")
    return (deals["next_step_on"] >= pd.Timestamp(to_date(as_of))).astype("boolean")


def deal_day(deals: pd.DataFrame, column: str) -> pd.Series:
    """Day in a column of the deals; text is refused, since it can be read in two ways."""
    check_columns(deals, **{column: column})
    return local_days(deals[column], column)


def result_flags(deals: pd.DataFrame) -> np.ndarray:
    """Give the result of each deal as 1 (won), 0 (lost) and missing."""
    if "is_won" not in deals:
        return np.full(len(deals), np.nan)
    won = pd.to_numeric(deals["is_won"], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    strange = deals["is_won"].notna().to_numpy() & ~np.isin(won, (0, 1))
    if strange.any():
        raise InputError(
            "journey.event_not_binary", column="is_won", count=int(strange.sum()), rows=len(deals)
        )
    return won
