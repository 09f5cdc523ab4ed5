"""How old open deals are, stage by stage, and which are older than deals usually get."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from cxlib.checks import check_columns
from cxlib.data.deals import deal_spells
from cxlib.sales.won_and_lost import usual_age
from cxlib.stats.intervals import Interval, share_interval


def stage_ageing(
    deals: pd.DataFrame,
    *,
    as_of: dt.date | str,
    usual: float = 0.9,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Open deals per stage: how old they are (days), and which share is older than deals usually get (0–1).

    Parameters
    ----------
    deals
        With `stage, created_on, closed_on, is_won`, and `amount` if known. Rows created after `as_of`, or
        over on an unknown day, are left out; a deal without a result is open whatever its `closed_on`
        (`deal_outcomes`). The stage is that of the day the table was written: what closed since `as_of` has
        the stage "unknown_stage", since "won" and "lost" were not known by then.
    as_of
        Last day known, inclusive.
    usual
        A deal is stalled if it is older than the age by which this share of all deals has been closed
        (Kaplan–Meier, won or lost; `usual_age`).
    conf_level
        Confidence level of the interval (Wilson).

    Returns
    -------
    DataFrame
        `stage, metric` ("stalled"), `estimate, std_error, conf_low, conf_high, n` (open deals), `median_days,
        oldest_days, usual_days` (the age to beat; NaN where fewer than `usual` are known to), `amount` (of
        the open deals); most open deals first. Without open deals no rows.

    Raises
    ------
    ParameterError
        Unknown column.

    Notes
    -----
    Age counts from `created_on`, since the day of entering a stage is not in the table. The usual age comes
    from all deals, open ones included for as long as they were open: taking closed ones alone would make it
    too short. For won against lost see `cumulative_incidence`.

    Examples
    --------
    >>> deals = pd.DataFrame({"stage": ["won", "lost", "quoted"], "created_on": pd.Timestamp("2026-01-01"),
    ...     "closed_on": pd.to_datetime(["2026-01-11", "2026-01-21", None]), "is_won": [True, False, None]})
    >>> stage_ageing(deals, as_of="2026-03-31", usual=0.6)[["n", "median_days", "usual_days"]].values.tolist()
    [[1.0, 89.0, 20.0]]
    """
    names = ("stage", "created_on", "closed_on")
    check_columns(deals, **{name: name for name in names})
    spells = deal_spells(deals, as_of=as_of)
    usual_days = usual_age(deals, as_of=as_of, usual=usual)
    still = spells[spells["is_open"]].rename(columns={"days": "age"})
    still["value"] = still.get("amount", pd.Series(np.nan, index=still.index))
    closes_later = still.get("is_won", still["closed_on"]).notna()
    still["stage"] = still["stage"].astype(object).mask(closes_later | still["stage"].isna(), "unknown_stage")
    found = []
    for stage, group in still.groupby("stage", observed=True):
        stalled = int((group["age"] > usual_days).sum()) if usual_days == usual_days else np.nan
        share = (
            share_interval(stalled, len(group), conf_level=conf_level)._asdict() if stalled == stalled else {}
        )
        found.append({"stage": stage, "metric": "stalled", **share, "n": len(group)})
        ages = {
            "median_days": group["age"].median(),
            "oldest_days": group["age"].max(),
            "usual_days": usual_days,
        }
        found[-1] |= {**ages, "amount": group["value"].sum(min_count=1)}
    ages_and_money = ("median_days", "oldest_days", "usual_days", "amount")
    columns = ["stage", "metric", *Interval._fields, "n", *ages_and_money]
    frame = pd.DataFrame(found, columns=columns)
    return frame.sort_values(["n", "stage"], ascending=[False, True], ignore_index=True)


def stalled_deals(deals: pd.DataFrame, *, as_of: dt.date | str) -> pd.DataFrame:
    """List open deals older than nine in ten get (`usual_age`), the oldest first; none where that is unknown.

    Examples
    --------
    >>> deals = pd.DataFrame({"deal_id": list("abc"), "created_on": pd.Timestamp("2026-01-01"),
    ...     "closed_on": pd.NaT, "is_won": None})
    >>> stalled_deals(deals.astype({"closed_on": "datetime64[s]"}), as_of="2026-03-31").empty
    True
    """
    spells = deal_spells(deals, as_of=as_of).rename(columns={"days": "age_days"})
    late = spells[spells["is_open"] & (spells["age_days"] > usual_age(deals, as_of=as_of))]
    late = late.sort_values(["age_days", "deal_id"], ascending=[False, True], ignore_index=True)
    return late.drop(columns=["is_open", "ended_on", "outcome", "is_undated"])
