"""Whose words these are: who comments and who stays silent, from which source, and which were replied to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import check_columns
from cxlib.data.days import instants
from cxlib.stats.clustered_share import clustered_share_interval
from cxlib.stats.number_columns import cluster_codes
from cxlib.stats.survival.kaplan_meier import survival_curve
from cxlib.voice.answers import check_scores
from cxlib.voice.topics.coding import fits, fold_comments
from cxlib.voice.topics.impact import topic_impact


def who_comments(
    answers: pd.DataFrame,
    *,
    score_col: str = "nps_score",
    comment_col: str = "comment",
    cluster_col: str = "customer_id",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share of answers with a comment, over all and among promoters, passives and detractors.

    Parameters
    ----------
    answers : DataFrame
        One row per answer; those without a score count only over all.
    score_col, comment_col, cluster_col : str
    conf_level : float

    Returns
    -------
    DataFrame
        `attitude` ("all", "promoter", "passive", "detractor"), `metric` ("commented"), `estimate` (0–1),
        `std_error, conf_low, conf_high, n` (answers), `customers`. One of nobody has no estimate.

    Examples
    --------
    >>> said = pd.DataFrame({"customer_id": range(4), "nps_score": [9, 9, 3, 3]})
    >>> said["comment"] = [None, "x", "y", "z"]
    >>> who_comments(said)[["attitude", "estimate"]].to_numpy().tolist()
    [['all', 0.75], ['promoter', 0.5], ['passive', nan], ['detractor', 1.0]]
    """
    check_columns(answers, score_col=score_col, comment_col=comment_col, cluster_col=cluster_col)
    says = fits(fold_comments(answers[comment_col]), r"\S")
    score = check_scores(answers, score_col, (0, 10))
    cluster, rows = cluster_codes(answers[cluster_col]), []
    sides = {"all": np.ones(len(answers), dtype=bool), "promoter": score >= 9}
    sides |= {"passive": (score >= 7) & (score <= 8), "detractor": score <= 6}
    for attitude, own in sides.items():
        interval = clustered_share_interval(says[own], cluster[own], conf_level=conf_level)
        counts = {"n": int(own.sum()), "customers": len(np.unique(cluster[own]))}
        rows.append({"attitude": attitude, "metric": "commented", **interval._asdict(), **counts})
    return pd.DataFrame(rows)


def commenters_apart(
    answers: pd.DataFrame,
    *,
    score_col: str = "nps_score",
    comment_col: str = "comment",
    cluster_col: str = "customer_id",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """How far the score of all answers lies from that of the silent: what commenters add to it.

    Parameters
    ----------
    answers, score_col, comment_col, cluster_col, conf_level
        As `who_comments`.

    Returns
    -------
    DataFrame
        One row: `metric` ("nps_gap"), `estimate` (NPS of commenters minus NPS of the silent, in points),
        `std_error, conf_low, conf_high`, `n` (answers with a score and a comment), `customers`,
        `with_comment, silent` (NPS of each), `verdict` ("more", "fewer", "no_difference_shown",
        "not_enough_data").

    Notes
    -----
    The comments are taken as one topic: `topic_impact` times N/n is the gap between those with and without
    it.

    Examples
    --------
    >>> said = pd.DataFrame({"customer_id": range(6), "nps_score": [9, 9, 3, 3, 3, 9]})
    >>> commenters_apart(said.assign(comment=["x", "x", "x", None, None, None]))["estimate"].round(1).item()
    66.7
    """
    held = answers.assign(response_id=np.arange(len(answers)))
    says = fits(fold_comments(answers[comment_col]), r"\S")
    on = pd.DataFrame({"response_id": held.loc[says, "response_id"], "topic": "comment"})
    found = topic_impact(held, on, score_col=score_col, cluster_col=cluster_col, conf_level=conf_level)
    scored = int(np.isfinite(check_scores(answers, score_col, (0, 10))).sum())
    row: dict[str, Any] = {"metric": "nps_gap", "verdict": "not_enough_data", "n": 0}
    if len(found) and 0 < found["n"].iloc[0] < scored:
        first = found.iloc[0]
        factor = scored / first["n"]
        ends = {name: first[name] * factor for name in ("estimate", "std_error", "conf_low", "conf_high")}
        silent = first["with_topic"] - ends["estimate"]
        row |= ends | {"n": int(first["n"]), "customers": int(first["customers"])}
        row |= {"with_comment": first["with_topic"], "silent": silent}
        row["claim"] = {"lifts": "higher", "lowers": "lower"}.get(first["verdict"])
        row["verdict"] = "differ" if row["claim"] else first["verdict"]
    columns = ["metric", "estimate", "std_error", "conf_low", "conf_high", "n", "customers"]
    return pd.DataFrame([row], columns=[*columns, "with_comment", "silent", "claim", "verdict"])


def source_mix(
    comments: pd.DataFrame,
    *,
    as_of: object,
    source_col: str = "source",
    time_col: str = "answered_at",
    replied_col: str = "replied_at",
    cluster_col: str = "customer_id",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Where comments come from, how many were replied to within a week, and how soon, where that is known.

    Parameters
    ----------
    comments : DataFrame
        Answers with a comment, of every survey.
    as_of : date, str or Timestamp
        Day up to which replies are known: comments without one wait until then (censored).
    source_col, time_col, replied_col, cluster_col : str
        Without `source_col` there is no row; without `replied_col` no reply is known.
    conf_level : float

    Returns
    -------
    DataFrame
        A row per source, the largest first: `source, metric` ("source_share"), `estimate` (of all comments),
        `std_error, conf_low, conf_high, n, customers`, `replied_share` (within seven days, Kaplan–Meier),
        `median_days` (to the reply; missing where fewer than half have one).

    Examples
    --------
    >>> day = pd.to_datetime(["2026-01-01", "2026-01-02"])
    >>> said = pd.DataFrame({"customer_id": [1, 2], "answered_at": day, "source": ["review", "review"]})
    >>> source_mix(said, as_of="2026-02-01")[["source", "estimate", "n"]].to_numpy().tolist()
    [['review', 1.0, 2]]
    """
    check_columns(comments, time_col=time_col, cluster_col=cluster_col)
    columns = ["source", "metric", "estimate", "std_error", "conf_low", "conf_high", "n", "customers"]
    columns += ["replied_share", "median_days"]
    if source_col not in comments:
        return pd.DataFrame(columns=columns)
    held = comments[comments[source_col].notna()]
    cluster, rows = cluster_codes(held[cluster_col]), []
    for name, size in held[source_col].value_counts().sort_index().items():
        own = (held[source_col] == name).to_numpy()
        interval = clustered_share_interval(own, cluster, conf_level=conf_level)
        row = {"source": name, "metric": "source_share", **interval._asdict(), "n": int(size)}
        row["customers"] = len(np.unique(cluster[own]))
        rows.append(row | _replies(held[own], time_col, replied_col, as_of))
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values(["n", "source"], ascending=[False, True], ignore_index=True)


def _replies(own: pd.DataFrame, time_col: str, replied_col: str, as_of: object) -> dict[str, float]:
    """Share replied to within a week, and median days, with those still waiting censored."""
    if replied_col not in own or own[replied_col].isna().all():
        return {}
    asked, replied = instants(own[time_col], time_col), instants(own[replied_col], replied_col)
    end = pd.Timestamp(str(as_of)) + pd.Timedelta(days=1)
    end = end if asked.dt.tz is None else end.tz_localize(asked.dt.tz)
    known = replied.notna() & (replied <= end)
    days = (replied.where(known, end) - asked).dt.total_seconds() / 86_400
    times = pd.DataFrame({"days": days.clip(lower=0), "is_event": known})
    curve = survival_curve(times, duration_col="days", event_col="is_event")
    week = survival_curve(times, duration_col="days", event_col="is_event", times=[7])
    half = curve.loc[curve["estimate"] <= 0.5, "time"]
    return {"replied_share": 1 - float(week["estimate"].iloc[0]), "median_days": float(half.min())}
