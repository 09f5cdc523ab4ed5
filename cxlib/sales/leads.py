"""From lead to deal to customer: of leads old enough how many became a deal, how many were won, and when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import check_columns, check_group_names
from cxlib.data.days import local_days, to_date
from cxlib.data.deals import deal_facts
from cxlib.sales.won_and_lost import MATURE_DAYS, usual_age
from cxlib.stats.drawn_to_mean import shrunken_shares
from cxlib.stats.intervals import Interval, share_interval
from cxlib.stats.stack_groups import stacked
from cxlib.stats.survival.kaplan_meier import survival_curve
from cxlib.stats.survival.known_days import enough_at_risk

#: Age at which leads are judged where too few became a deal to say how long that takes.
MATURE_LEAD_DAYS = 90
#: Largest share of the deals of leads that may be missing from the deals, for the share won to be told.
MOST_UNKNOWN = 0.05
_COLUMNS = ["metric", *Interval._fields, "drawn", "n", "mature_days"]


def lead_spells(leads: pd.DataFrame, *, as_of: dt.date | str) -> pd.DataFrame:
    """Leads created by a day, each with its age or the days until it became a deal.

    Parameters
    ----------
    leads
        With `created_on`, `converted_on` and, if known, `deal_id`.
    as_of
        Last day known, inclusive; what became a deal later was a lead on it.

    Returns
    -------
    DataFrame
        The rows of `leads` created by `as_of`, with `days` (≥ 0) and `is_deal`. A lead with a deal and no day
        of conversion counts as one of the day it was created.

    Examples
    --------
    >>> leads = pd.DataFrame({"created_on": pd.to_datetime(["2026-01-01"] * 2),
    ...     "converted_on": pd.to_datetime(["2026-01-11", None])})
    >>> lead_spells(leads, as_of="2026-01-31")[["days", "is_deal"]].to_numpy().tolist()
    [[10, True], [30, False]]
    """
    check_columns(leads, created_on="created_on", converted_on="converted_on")
    last = pd.Timestamp(to_date(as_of))
    created, became = (local_days(leads[name], name) for name in ("created_on", "converted_on"))
    if "deal_id" in leads:
        became = became.where(became.notna() | leads["deal_id"].isna(), created)
    is_deal = became.notna() & (became <= last)
    days = (became.where(is_deal, last) - created).dt.days.clip(lower=0)
    kept = created <= last
    return leads.assign(days=days, is_deal=is_deal)[kept].astype({"days": int})


def lead_age(leads: pd.DataFrame, *, as_of: dt.date | str) -> int:
    """Days by which 19 in 20 of the leads that became a deal had; 90 with fewer than ten of them.

    Examples
    --------
    >>> leads = pd.DataFrame({"created_on": pd.to_datetime(["2026-01-01"]), "converted_on": pd.NaT})
    >>> lead_age(leads.astype({"converted_on": "datetime64[s]"}), as_of="2026-01-31")
    90
    """
    spells = lead_spells(leads, as_of=as_of)
    took = spells.loc[spells["is_deal"], "days"]
    return max(int(np.quantile(took, 0.95)), 30) if len(took) >= 10 else MATURE_LEAD_DAYS


def lead_shares(
    leads: pd.DataFrame,
    deals: pd.DataFrame | None = None,
    *,
    as_of: dt.date | str,
    by: str | None = None,
    mature_days: int | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share (0–1) of leads old enough to be judged that became a deal, and whose deal was won.

    Parameters
    ----------
    leads
        As in `lead_spells`; with `deal_id` for the second share.
    deals
        As in `deal_facts`, with `deal_id`.
    as_of
        Last day known, inclusive.
    by
        Column of `leads` to split by, such as `source`.
    mature_days
        Only leads created so many days before count; `lead_age` by default. For the second share their deals
        have to be old enough too (`usual_age`), on top of it.
    conf_level
        Level of the intervals (Wilson).

    Returns
    -------
    DataFrame
        Group column, `metric` ("lead_to_deal", "lead_to_won"), `estimate, std_error, conf_low, conf_high`,
        `drawn` (to the mean of the groups; the estimate without groups), `n` (leads), `mature_days`. No
        second share where more than one in twenty of the leads' deals are not in `deals`.

    Examples
    --------
    >>> leads = pd.DataFrame({"created_on": pd.to_datetime(["2026-01-01"] * 2),
    ...     "converted_on": pd.to_datetime(["2026-01-11", None])})
    >>> lead_shares(leads, as_of="2026-12-31")[["metric", "estimate"]].to_numpy().tolist()
    [['lead_to_deal', 0.5]]
    """
    check_columns(leads, by=by)
    check_group_names(by, _COLUMNS)
    age = lead_age(leads, as_of=as_of) if mature_days is None else mature_days
    spells = lead_spells(leads, as_of=as_of)
    since = (pd.Timestamp(to_date(as_of)) - local_days(spells["created_on"], "created_on")).dt.days
    metrics = {"lead_to_deal": (spells["is_deal"], age)}
    if deals is not None and "deal_id" in leads and len(deals):
        won = deals.loc[deal_facts(deals, as_of=as_of)["outcome"] == "won", "deal_id"]
        usual = usual_age(deals, as_of=as_of)
        older = age + int(usual if usual == usual else MATURE_DAYS)
        unknown = spells["deal_id"].notna() & ~spells["deal_id"].isin(deals["deal_id"])
        if unknown.sum() <= MOST_UNKNOWN * spells["is_deal"].sum():
            metrics["lead_to_won"] = (spells["deal_id"].isin(won), older)
    parts = []
    for metric, (hits, least) in metrics.items():
        counted = spells.assign(hit=hits.to_numpy(bool))[since >= least]
        groups: Any = [("all", counted)] if by is None else list(counted.groupby(by, observed=True))
        n = np.array([len(rows) for _, rows in groups], dtype=float)
        x = np.array([rows["hit"].sum() for _, rows in groups], dtype=float)
        keys = {} if by is None else {by: [key for key, _ in groups]}
        part = {"metric": metric, **share_interval(x, n, conf_level=conf_level)._asdict()}
        drawn = shrunken_shares(x, n)["drawn"].to_numpy() if len(n) > 1 else x / np.maximum(n, 1)
        parts.append({**keys, **part, "drawn": drawn, "n": n.astype(int), "mature_days": least})
    parts = [part for part in parts if len(part["n"]) and part["n"].sum() > 0]
    return stacked(parts, [*([] if by is None else [by]), *_COLUMNS])


def lead_clock(
    leads: pd.DataFrame,
    *,
    as_of: dt.date | str,
    horizons_days: Sequence[int] = (14, 30, 60, 90),
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Probability (0–1) that a lead has become a deal so many days after it came, by Kaplan–Meier.

    Parameters
    ----------
    leads, as_of
        As in `lead_spells`. Leads called off stay in, since they never become a deal.
    horizons_days
        Days after the creation.
    conf_level
        Level of the intervals (log-log).

    Returns
    -------
    DataFrame
        `days, metric` ("lead_to_deal"), `estimate, std_error, conf_low, conf_high, n_at_risk,
        n_not_reached, n`; only days that are known.

    Examples
    --------
    >>> leads = pd.DataFrame({"created_on": pd.to_datetime(["2026-01-01"] * 2),
    ...     "converted_on": pd.to_datetime(["2026-01-11", None])})
    >>> lead_clock(leads, as_of="2026-12-31", horizons_days=[30])["estimate"].tolist()
    [0.5]
    """
    spells = lead_spells(leads, as_of=as_of)
    asked: dict[str, Any] = {"duration_col": "days", "event_col": "is_deal", "conf_level": conf_level}
    curve = enough_at_risk(survival_curve(spells, times=list(horizons_days), **asked)).dropna(
        subset="estimate"
    )
    flipped = {"estimate": 1 - curve["estimate"], "conf_low": 1 - curve["conf_high"]}
    curve = curve.assign(**flipped, conf_high=1 - curve["conf_low"], metric="lead_to_deal")
    names = ["metric", *Interval._fields, "n_at_risk", "n_not_reached", "n"]
    return curve.rename(columns={"time": "days"})[["days", *names]].reset_index(drop=True)
