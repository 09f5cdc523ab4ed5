"""What the segmentation chapter may say of later orders: which scheme, score or list foretells them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from cxlib.stats.verdicts import UNDECIDED, limits_side, limits_verdict

LIMITS = ["metric", "estimate", "conf_low", "conf_high"]


def scheme_lead(judged: pd.DataFrame, *, metrics: Iterable[str]) -> list[dict[str, Any]]:
    """Say whether one scheme foretells best, several cannot be told apart, or none foretells anything.

    Parameters
    ----------
    judged : pandas.DataFrame
        As `compare_schemes`.
    metrics : iterable of str
        Those of its measures that are told, each a share, such as repeat_explained.

    Returns
    -------
    list of dict
        By `metric` the row of the highest scheme with `claim` ("best", "tied", "none", each with the measure
        at its end) and `verdict` (leads, no_difference_shown); `tied_scheme`: the schemes that cannot be told
        from it, best first, itself at the head; `next_scheme, ahead, ahead_conf_low, ahead_conf_high`: its
        lead over the next, or the first it cannot be told from. A `note` where nothing could be compared.

    Examples
    --------
    >>> rows = pd.DataFrame({"metric": "share", "scheme": ["a", "b"], "estimate": [0.2, 0.1], "n": 90,
    ...     "conf_low": [0.1, 0.0], "conf_high": 0.3, "behind": [0, 0.1]})
    >>> rows = rows.assign(behind_conf_low=[None, -0.02], behind_conf_high=[None, 0.22])
    >>> [found] = scheme_lead(rows, metrics=["share"])
    >>> found["claim"], found["tied_scheme"], found["verdict"]
    ('tied_share', ['a', 'b'], 'no_difference_shown')
    """
    if judged.empty:
        return [{"note": "segmentation.no_schemes"}]
    return [_lead_by(judged[judged["metric"] == metric], metric) for metric in metrics]


def _lead_by(rows: pd.DataFrame, metric: str) -> dict[str, Any]:
    rows = rows[rows["conf_low"].notna()]  # one group alone explains nothing, and has no limits
    if rows.empty:
        return {"note": "segmentation.no_schemes", "metric": metric}
    best, rest = rows.iloc[0], rows.iloc[1:]
    tied = _tied(best, rest)
    foretells = limits_side(best["conf_low"], best["conf_high"], unit="share") > 0
    claim = "none" if not foretells else "tied" if len(tied) > 1 else "best"
    found = {name: best[name] for name in [*LIMITS, "scheme"]} | {"n": int(best["n"]), "tied_scheme": tied}
    found |= {"claim": f"{claim}_{metric}", "verdict": "leads" if claim == "best" else UNDECIDED, "note": ""}
    return found | _lead_over(rest, tied)


def score_rule(gaps: pd.DataFrame) -> dict[str, Any]:
    """Apply "sort lists by the score that separates most": met, not told apart, or no gap shown.

    Parameters
    ----------
    gaps : pandas.DataFrame
        As `backtest_gap`, widest gap first.

    Returns
    -------
    dict
        The row of the widest gap with `claim` ("met", "tied": the gap is shown, its lead over another score
        is not, "none": no gap is shown, "only": shown, and no other score could be compared) and `verdict`
        (met, not_met); of the nearest other score `ahead, ahead_conf_low, ahead_conf_high`; `tied_scheme`:
        the scores that cannot be told from the first, itself at the head. Empty without any gap.

    Examples
    --------
    >>> gaps = pd.DataFrame({"scheme": ["f_score"], "estimate": 0.3, "conf_low": 0.2, "conf_high": 0.4})
    >>> gaps = gaps.assign(metric="repeat_gap", n=9, behind=0.0, behind_conf_low=None, behind_conf_high=None)
    >>> score_rule(gaps)["claim"]
    'only'
    """
    if gaps.empty:
        return {}
    first, rest = gaps.iloc[0], gaps.iloc[1:]
    tied = _tied(first, rest)
    shown = limits_side(first["conf_low"], first["conf_high"], unit="pp") > 0
    claim = "none" if not shown else "only" if rest.empty else "tied" if len(tied) > 1 else "met"
    found = {name: first[name] for name in [*LIMITS, "scheme"]} | {"n": int(first["n"]), "tied_scheme": tied}
    found |= {"claim": claim, "verdict": "met" if claim in ("met", "only") else "not_met"}
    return found | _lead_over(rest, tied)


def _tied(first: pd.Series, rest: pd.DataFrame) -> list[Any]:
    """Schemes whose distance from the first is not shown, the first at their head."""
    ends = (rest[name].to_numpy(dtype=float) for name in ("behind_conf_low", "behind_conf_high"))
    return [first["scheme"], *rest["scheme"][limits_side(*ends, unit="pp") <= 0]]


def _lead_over(rest: pd.DataFrame, tied: list[Any]) -> dict[str, Any]:
    """Lead over the one that the claim rests on: the first that is tied, or the next."""
    near = rest[rest["scheme"].isin(tied)] if len(tied) > 1 else rest
    ends = {"ahead": "behind", "ahead_conf_low": "behind_conf_low", "ahead_conf_high": "behind_conf_high"}
    found: dict[str, Any] = {}
    for row in near.head(1).to_dict("records"):
        found |= {"next_scheme": row["scheme"]} | {name: row[column] for name, column in ends.items()}
    return found


def next_hits_told(hits: pd.DataFrame, *, start: object) -> list[dict[str, Any]]:
    """Tell by dimension whether what followed most often foretells more than a rule without a model.

    Parameters
    ----------
    hits : pandas.DataFrame
        As `next_purchase_hits`, with `dimension`.
    start : date
        Last day of learning.

    Returns
    -------
    list of dict
        The row of the rule with `baseline_share, start, claim` ("ahead", "behind", "unclear", or
        "same_popular", "same_same_again" where the rule always says what the baseline says) and `verdict`
        (ahead, behind, no_difference_shown, or None where the two are the same).

    Examples
    --------
    >>> hits = pd.DataFrame({"method": ["next_value", "popular"], "estimate": [0.5, 0.4], "n": 90,
    ...     "dimension": "brand", "baseline": "popular", "beyond": [0.1, 0.0]})
    >>> hits = hits.assign(beyond_conf_low=[0.05, None], beyond_conf_high=[0.15, None])
    >>> [(row["claim"], row["baseline_share"]) for row in next_hits_told(hits, start="2026-01-31")]
    [('ahead', 0.4)]
    """
    told = []
    rows = hits.to_dict("records")
    rates = {(row["dimension"], row["method"]): row["estimate"] for row in rows}
    for row in [row for row in rows if row["method"] == "next_value"]:
        low, high = row["beyond_conf_low"], row["beyond_conf_high"]
        claim = "unclear" if pd.notna(low) else f"same_{row['baseline']}"
        claim = limits_verdict(low, high, unit="pp", above="ahead", below="behind", neither=claim)
        verdict = {"ahead": "ahead", "behind": "behind", "unclear": UNDECIDED}.get(claim)
        told.append({str(name): held for name, held in row.items()} | {"claim": claim, "verdict": verdict})
        told[-1] |= {"start": start, "baseline_share": rates[row["dimension"], row["baseline"]]}
    return told


def actions_missing(acts: pd.DataFrame) -> dict[str, Any]:
    """Name the actions of `actions` whose rule asks for a measure that the data lack; empty without any.

    Examples
    --------
    >>> actions_missing(pd.DataFrame({"action": ["a", "b"], "note": ["measure_missing", ""]}))
    {'lacking_action': ['a'], 'note': 'segmentation.actions_missing'}
    """
    lacking = acts.loc[acts["note"] == "measure_missing", "action"].tolist()
    return {"lacking_action": lacking, "note": "segmentation.actions_missing"} if lacking else {}


def first_action(
    lists: pd.DataFrame, evidence: pd.DataFrame, *, start: object, days: int, is_whole: bool = True
) -> dict[str, Any]:
    """Tell the list with most at stake, and what customers like these did next.

    Parameters
    ----------
    lists, evidence : pandas.DataFrame
        `action, n` and money at stake; `action, n_tested` and what followed, as `actions`; blanked.
        What stands first of `amount_past_year` and `amount` decides.
    start : date
        Day on which the rule picked those who were followed.
    days : int
        For how long they were followed.
    is_whole : bool
        Whether amounts are those of all the data, not of a chosen period.

    Returns
    -------
    dict
        The action's row with `start, days, claim` ("year" where the past year is told apart, "so_far",
        "period") and `verdict` of the difference in ordering again; a `note` where no list can be shown.

    Examples
    --------
    >>> nothing = pd.DataFrame({"action": [], "n": [], "amount": [], "estimate": []})
    >>> first_action(nothing.drop(columns="estimate"), nothing[["action", "estimate"]], start=None, days=90)
    {'note': 'segmentation.no_actions'}
    """
    known = lists.merge(evidence.drop(columns="is_suppressed", errors="ignore"), on="action")
    known = known.dropna(subset=["estimate", "n"])
    if known.empty:
        return {"note": "segmentation.no_actions"}
    by_year = "amount_past_year" in lists
    [row] = known.nlargest(1, "amount_past_year" if by_year else "amount").to_dict("records")
    told: dict[str, Any] = {str(name): held for name, held in row.items()}
    told |= {"n": int(row["n"]), "n_tested": int(row["n_tested"]), "start": start, "days": days}
    claim = "year" if by_year else "so_far" if is_whole else "period"
    verdict = limits_verdict(row["conf_low"], row["conf_high"], unit="pp")
    return told | {"metric": "repeat_gap", "claim": claim, "verdict": verdict, "note": ""}


def first_action_money(told: dict[str, Any]) -> dict[str, Any]:
    """Tell what those whom the first action's rule picked bought; empty where no action is told.

    The claim is "few_carry" where a few customers carry the difference of means, which has no limits then.

    Examples
    --------
    >>> first_action_money({"note": "segmentation.no_actions"})
    {}
    >>> first_action_money({"note": "", "n_tested": 90, "spend_gap_conf_low": None})["claim"]
    'few_carry'
    """
    if told["note"]:
        return {}
    kept = {name: held for name, held in told.items() if name not in (*LIMITS, "verdict")}
    return kept | {"claim": "few_carry" if pd.isna(told["spend_gap_conf_low"]) else "shown"}
