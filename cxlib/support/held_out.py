"""What a proactive message prevented: questions since the start, of those it reached and those left out."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from cxlib.data.contract import TABLES
from cxlib.data.days import to_date
from cxlib.stats.intervals import Interval, share_difference_interval, share_interval
from cxlib.support.sides import side_told


def initiatives_known(data_set: Any) -> pd.DataFrame:
    """Give the initiatives of an opened data set; no rows where it has none."""
    if data_set.has("initiatives"):
        found: pd.DataFrame = data_set.table("initiatives")
        return found
    return pd.DataFrame(columns=list(TABLES["initiatives"].columns))


def asked_by_arm(
    tickets: pd.DataFrame,
    initiatives: pd.DataFrame,
    enrolments: pd.DataFrame,
    *,
    as_of: dt.date | str,
    period_start: dt.date | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Read off each randomised initiative whether those it reached asked less since it (or the period) began.

    Parameters
    ----------
    tickets : DataFrame
        From `read_tickets`.
    initiatives, enrolments : DataFrame
        The contract's; only initiatives with `assignment` "randomised" that have begun.
    as_of : date
    period_start : date, optional
        First day whose tickets count, where it is later than the start.
    conf_level : float

    Returns
    -------
    DataFrame
        `initiative` (its name), `metric` ("asked_gap"), `estimate, std_error, conf_low, conf_high` (share of
        customers who opened a ticket since then, treatment minus control; Newcombe), `n` (smaller arm),
        `since` (first day), `with_mean, without_mean` (the shares), `claim, verdict` (as `side_told`).
    """
    last, rows = pd.Timestamp(to_date(as_of)), []
    chosen = initiatives[initiatives["assignment"] == "randomised"].sort_values("initiative_id")
    for each in chosen.to_dict("records"):
        start = pd.Timestamp(each["started_on"])
        own = enrolments[enrolments["initiative_id"] == each["initiative_id"]]
        arms = [own.loc[own["arm"] == arm, "customer_id"].unique() for arm in ("treatment", "control")]
        if start > last or not min(map(len, arms)):
            continue
        since = max(start, pd.Timestamp(period_start or each["started_on"]))
        asked = tickets.loc[tickets["opened_at"] >= since, "customer_id"]
        hits = [int(np.isin(arm, asked.dropna()).sum()) for arm in arms]
        gap = share_difference_interval(hits[0], len(arms[0]), hits[1], len(arms[1]), conf_level=conf_level)
        shares = [share_interval(hit, len(arm)).estimate for hit, arm in zip(hits, arms, strict=True)]
        row = {"initiative": each["name"], "metric": "asked_gap", **gap._asdict(), "n": min(map(len, arms))}
        row |= {"since": since.date(), "with_mean": shares[0], "without_mean": shares[1]}
        rows.append(row | side_told(gap.conf_low, gap.conf_high, unit="pp"))
    columns = [
        "initiative",
        "metric",
        *Interval._fields,
        "n",
        "since",
        "with_mean",
        "without_mean",
        "claim",
        "verdict",
    ]
    return pd.DataFrame(rows, columns=columns)
