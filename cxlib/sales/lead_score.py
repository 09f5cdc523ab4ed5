"""Which leads will become a deal in the next days: a score tried on later days, beside the source alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import NotEnoughData
from cxlib.data.days import local_days, to_date
from cxlib.sales.leads import lead_spells
from cxlib.stats.scoring.by_group import score_lift
from cxlib.stats.scoring.logistic import odds_ratios
from cxlib.stats.scoring.now import score_now
from cxlib.stats.scoring.out_of_time import score_out_of_time
from cxlib.stats.scoring.quality import score_quality, score_told

FEATURES = ("source_share", "age_log2", "came_together_log2")
BASELINE, OUTCOME = "source_share", "became_deal"
#: Weight of all leads in the share of a source, in leads.
PRIOR_LEADS = 20
#: Days before which a lead is taken as given up, and days between two days of the score.
OLDEST, STEP = 180, 30
#: States of leads nobody works on any more, as systems call them.
CALLED_OFF = (
    "disqualified",
    "unqualified",
    "closed - not converted",
    "junk lead",
    "lost lead",
    "対象外",
    "不成立",
)


def lead_rows(
    leads: pd.DataFrame,
    *,
    as_of: dt.date | str,
    next_days: int = 90,
) -> pd.DataFrame:
    """Tell what was known of each open lead on days thirty apart, and whether it became a deal after them.

    Parameters
    ----------
    leads
        As in `lead_spells`, with `lead_id` and, if known, `source`.
    as_of
        Last day known, inclusive; also the last of the days.
    next_days
        Days after each day.

    Returns
    -------
    DataFrame
        By lead and day: `lead_id, cut_on, source_share` (of leads of the source created 90 to 455 days
        before, those that had become a deal, drawn to all by as much as 20 leads), `age_log2` (days),
        `came_together_log2` (leads of the source on the same day: a list, or a single inquiry), and
        `became_deal` (missing where the days after are not over). Leads older than 180 days are left out, and
        nothing of a lead's customer is used: it may be filled in only when the lead becomes a deal.

    Examples
    --------
    >>> leads = pd.DataFrame({"lead_id": ["a"], "created_on": pd.to_datetime(["2026-01-01"]),
    ...     "converted_on": pd.to_datetime(["2026-03-01"])})
    >>> rows = lead_rows(leads, as_of="2026-06-30")
    >>> rows[["cut_on", "became_deal"]].astype(str).to_numpy().tolist()
    [['2026-01-31', '1.0']]
    """
    last = pd.Timestamp(to_date(as_of))
    spells = lead_spells(leads, as_of=as_of)
    created = local_days(spells["created_on"], "created_on")
    became = (created + pd.to_timedelta(spells["days"], unit="D")).where(spells["is_deal"])
    source = spells["source"].astype(object) if "source" in spells else pd.Series("", index=spells.index)
    together = spells.groupby([source, created])["lead_id"].transform("size").astype(float)
    parts = []
    first = created.min() + pd.Timedelta(days=STEP) if len(spells) else last
    for cut in pd.date_range(last, first, freq=f"-{STEP}D")[::-1]:
        age = (cut - created).dt.days
        still = (age >= 0) & (age <= OLDEST) & ~(became <= cut)
        old = age.between(90, 455)
        hit = (became <= cut) & old
        share = float(hit.sum() / max(old.sum(), 1))
        by_source = pd.DataFrame({"source": source, "n": old, "x": hit}).groupby("source")[["n", "x"]].sum()
        drawn = (by_source["x"] + PRIOR_LEADS * share) / (by_source["n"] + PRIOR_LEADS)
        rows = spells[still]
        facts: dict[str, Any] = {"lead_id": rows["lead_id"], "cut_on": cut}
        facts["source_share"] = source[still].map(drawn).astype(float).fillna(share)
        facts["age_log2"] = np.log2(age[still] + 1.0)
        facts["came_together_log2"] = np.log2(together[still])
        after = ((became - cut).dt.days <= next_days)[still].astype(float)
        facts[OUTCOME] = after if cut + pd.Timedelta(days=next_days) <= last else np.nan
        parts.append(pd.DataFrame(facts))
    columns = ["lead_id", "cut_on", *FEATURES, OUTCOME]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def varying(rows: pd.DataFrame, features: Sequence[str] = FEATURES) -> list[str]:
    """Features of which leads with a known outcome have more than one value; the others tell nothing.

    Examples
    --------
    >>> varying(pd.DataFrame({"a": [1, 2], "b": [1, 1], "became_deal": [0.0, 1.0]}), ["a", "b"])
    ['a']
    """
    known = rows[rows[OUTCOME].notna()]
    return [name for name in features if known[name].min() < known[name].max()]


def score_leads(rows: pd.DataFrame, *, next_days: int = 90) -> pd.DataFrame:
    """Score leads on later days than the score was fitted on (`score_out_of_time`), the source beside it.

    Parameters
    ----------
    rows
        As `lead_rows` gives them.
    next_days
        As it was given there.

    Returns
    -------
    DataFrame
        As `score_out_of_time`; no rows where the history is too short for a test, or leads do not differ.

    Notes
    -----
    A score says who becomes a deal, not whom a call would make one: that takes a test with a control group.
    """
    features = varying(rows)
    if BASELINE not in features:
        return rows.iloc[:0]
    asked: dict[str, Any] = {"outcome_col": OUTCOME, "next_days": next_days, "baseline_col": BASELINE}
    try:
        return score_out_of_time(rows, feature_cols=features, cluster_col="lead_id", **asked)
    except NotEnoughData:
        return rows.iloc[:0]


def lead_score_told(scored: pd.DataFrame, *, next_days: int = 90, conf_level: float = 0.95) -> dict[str, Any]:
    """Say which forecast of leads its test allows: the score, the source alone, or none (`score_told`).

    Examples
    --------
    >>> lead_score_told(pd.DataFrame())
    {'note': 'sales.no_lead_score'}
    """
    if scored.empty:
        return {"note": "sales.no_lead_score"}
    told = score_told(lead_quality(scored, conf_level=conf_level))
    if told["claim"] in ("too_few", "few_events"):
        return {"note": "sales.no_lead_score"}
    return {name: held for name, held in told.items() if name != "note"} | {"next_days": next_days}


def lead_quality(scored: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Give `score_quality` of the test of leads; no rows without one.

    Examples
    --------
    >>> lead_quality(pd.DataFrame()).empty
    True
    """
    if scored.empty:
        return pd.DataFrame(columns=["forecast", "other_forecast", "metric", "estimate", "n"])
    return score_quality(scored, outcome_col=OUTCOME, cluster_col="lead_id", conf_level=conf_level)


def lead_reasons(rows: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Give `odds_ratios` of what leads differ in, fitted on all `lead_rows`; no rows where none can be.

    Examples
    --------
    >>> lead_reasons(pd.DataFrame(columns=["lead_id", "cut_on", *FEATURES, OUTCOME])).empty
    True
    """
    columns = ["feature", "metric", "estimate", "n"]
    if not (features := varying(rows)):
        return pd.DataFrame(columns=columns)
    asked: dict[str, Any] = {"outcome_col": OUTCOME, "cluster_col": "lead_id", "conf_level": conf_level}
    found = odds_ratios(rows, feature_cols=features, **asked)
    return found[found["note"].isna()]


def lead_lift(scored: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Give `score_lift` of the test of leads; no rows without one.

    Examples
    --------
    >>> lead_lift(pd.DataFrame()).empty
    True
    """
    if scored.empty:
        return pd.DataFrame(columns=["forecast", "fifth", "metric", "estimate", "n"])
    return score_lift(scored, outcome_col=OUTCOME, cluster_col="lead_id", conf_level=conf_level)


def hot_leads(
    leads: pd.DataFrame,
    *,
    as_of: dt.date | str,
    next_days: int = 90,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """List open leads likelier than most to become a deal in the next days, the likeliest first.

    Parameters
    ----------
    leads, as_of, next_days
        As in `lead_rows`.
    conf_level
        Level at which a forecast must beat a simpler one on later days than it was fitted on.

    Returns
    -------
    DataFrame
        `lead_id, probability` (0–1, at least the share over all), `reason_1, reason_2, reason_3` (features
        that raise it most), `forecast` (score, simple: the source alone, base: all alike), and the lead's own
        columns. Leads whose `status` says that they were called off (`CALLED_OFF`) are left out.

    Raises
    ------
    NotEnoughData
        Too few leads became a deal to try a forecast on.
    """
    rows = lead_rows(leads, as_of=as_of, next_days=next_days)
    told = lead_score_told(score_leads(rows, next_days=next_days), next_days=next_days, conf_level=conf_level)
    if "note" in told:
        raise NotEnoughData("sales.no_lead_score")
    known = rows[rows[OUTCOME].notna()]
    now = rows[rows["cut_on"] == rows["cut_on"].max()]
    asked: dict[str, Any] = {"outcome_col": OUTCOME, "baseline_col": BASELINE, "forecast": told["used"]}
    listed = score_now(known, now, feature_cols=varying(rows), **asked)
    listed = listed[listed["probability"] >= known[OUTCOME].mean() - 1e-12].assign(forecast=told["used"])
    reasons = [str(name) for name in listed if str(name).startswith("reason_")]
    both = listed[["lead_id", "probability", *reasons, "forecast"]].merge(leads, on="lead_id", how="left")
    if "status" in both:
        both = both[~both["status"].astype(str).str.casefold().isin(CALLED_OFF)]
    return both.sort_values(["probability", "lead_id"], ascending=[False, True], ignore_index=True)
