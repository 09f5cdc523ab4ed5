"""What chapter 3 may say of a score: where it stands, what weights cost, whether a target is met.

Each function takes results and returns the rows that `report.say` words; a row with a `note` is a notice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlib.data.scales import BOXES
from cxlib.stats.targets import judge_target
from cxlib.voice.answers import Scale
from cxlib.voice.standing import Standing

Rows = list[dict[str, Any]]
#: Confidence level below which a report says what that means.
LOW_LEVEL = 0.9
#: Unit each measure is shown in.
UNITS: Mapping[str, str] = {"nps": "points", "csat": "share", "ces": "score"}


def answers_notes(
    answers: pd.DataFrame, customers: pd.DataFrame, *, has_table: bool, conf_level: float
) -> Rows:
    """Say how many answers are of nobody known, why there is no score at all, what a low level means.

    Examples
    --------
    >>> nothing = pd.DataFrame({"customer_id": [], "nps_score": []})
    >>> answers_notes(nothing, nothing, has_table=False, conf_level=0.95)
    [{'note': 'nps.no_table'}]
    """
    notes: Rows = []
    ids = answers["customer_id"]
    if (anonymous := ids.isna().mean()) > 0:
        notes += [{"note": "nps.anonymous_answers", "level": "info", "share": anonymous}]
    if (unknown := (ids.notna() & ~ids.isin(customers["customer_id"])).mean()) > 0:
        notes += [{"note": "nps.answers_of_others", "level": "info", "share": unknown}]
    if not answers["nps_score"].notna().any():
        reason = "nps.no_answers" if answers.empty else "nps.no_scores"
        notes += [{"note": reason if has_table else "nps.no_table"}]
    if conf_level < LOW_LEVEL:
        level = {"level_share": conf_level, "miss_share": 1 - conf_level}
        notes += [{"note": "nps.low_level", "level": "warning", **level}]
    return notes


def standing_rows(overall: pd.DataFrame, shown: pd.DataFrame) -> Rows:
    """Tell where things stand: now, and over the whole period, with or without the shares behind it.

    Parameters
    ----------
    overall, shown
        Result of `now_and_whole`, before and after small numbers were blanked.

    Returns
    -------
    list of dict
        Rows of `overall` with answers; `claim` is the window, or "now_short" where shares are blanked.

    Examples
    --------
    >>> overall = pd.DataFrame({"window": ["now"], "n": [40], "promoter_share": [0.1]})
    >>> standing_rows(overall, overall.assign(promoter_share=float("nan")))[0]["claim"]
    'now_short'
    """
    is_short = (shown["promoter_share"].isna() & (shown["window"] == "now")).to_numpy()
    claimed = overall.assign(claim=np.where(is_short, "now_short", overall["window"]), note="")
    found: Any = claimed[claimed["n"] > 0].to_dict("records")
    return list(found)


def standing_notes(stand: Standing, overall: pd.DataFrame) -> Rows:
    """Say what to know of the present answers: none at all, no named waves, a wave that has only begun."""
    told = overall.loc[overall["n"] > 0, "window"].tolist()
    notes: Rows = []
    if told and "now" not in told:
        notes += [{"note": "none_now", "level": "warning", "first": stand.first_on, "last": stand.last_on}]
    if told and stand.wave is None:
        notes += [{"note": "quarters", "level": "info"}]
    if "now" in told and stand.begun is not None:
        waves = {"begun": str(stand.begun), "wave": str(stand.wave)}
        notes += [{"note": "wave_begun", "level": "warning", **waves}]
    return notes


def shown_distribution(scores: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """Give the distribution, or no rows where the shares of promoters and others are of too few to show."""
    return scores if shown["promoter_share"].notna().iloc[0] else scores.head(0)


def no_distribution(scores: pd.DataFrame, overall: pd.DataFrame, *, min_cell: int) -> Rows:
    """Say why there is no distribution, unless there are too few customers for any figure."""
    is_said = scores.empty and overall["customers"].iloc[0] >= min_cell
    return [{"note": "nps.no_distribution"}] if is_said else []


def weight_cost(now: Mapping[str, Any] | pd.Series, plain: pd.DataFrame, weight_col: str | None) -> Rows:
    """Tell what the survey's weights change, and what they cost in answers.

    Parameters
    ----------
    now
        Row of the weighted score.
    plain
        The same score without weights.
    weight_col
        Column of the weights; nothing is said without one.

    Examples
    --------
    >>> row = {"estimate": 20.0, "n": 100, "n_effective": 50.0}
    >>> weight_cost(row, pd.DataFrame({"estimate": [10.0]}), "weight")[1]["design_effect"]
    2.0
    """
    if weight_col is None or not now["n"]:
        return []
    told = {"unweighted": plain["estimate"].iloc[0], "design_effect": now["n"] / now["n_effective"]}
    return [{"note": "nps.weighted", "level": "info"}, {**now, **told, "note": ""}]


def present_row(overall: pd.DataFrame, scale: Scale) -> Rows:
    """Give the first row of `now_and_whole` with its scale's ends and best boxes; nothing without answers."""
    row: Any = overall.iloc[0].to_dict()
    row |= {"boxes": BOXES.get(row.get("best_boxes"))}
    return [{**row, "lowest": scale[0], "highest": scale[1], "note": ""}] if row["n"] else []


def if_any(frame: pd.DataFrame, column: str = "estimate") -> pd.DataFrame:
    """Give a frame, or no rows of it where a column holds nothing but missing values and zeros of `n`."""
    held = frame[column]
    return frame if (held.fillna(0).any() if column == "n" else held.notna().any()) else frame.head(0)


def targets_judged(
    rows: Mapping[str, pd.Series], goals: Mapping[str, tuple[float, str]], *, most: int = 0
) -> Rows:
    """Judge the present scores against their targets, in the unit each is shown in.

    Parameters
    ----------
    rows
        By measure ("nps", "csat", "ces") the first row of `now_and_whole`; judged only if it speaks of now.
    goals
        By measure the target and the better side ("higher", "lower").
    most : int
        Customers who could answer; 0 where that is not known.

    Returns
    -------
    list of dict
        The rows with `measure`, `judged_window` (the measure: each has its own dates), `target`, `verdict`,
        `more` answers that would decide, and `claim`: the verdict, or "undecided_far" where no number of them
        within reach decides, or "undecided_all" where it takes more (`needed`) than `most`.

    Examples
    --------
    >>> row = pd.Series({"window": "now", "estimate": 30.0, "conf_low": 24.0, "conf_high": 36.0, "n": 700})
    >>> targets_judged({"nps": row}, {"nps": (20, "higher")})[0]["verdict"]
    'target_met'
    """
    told: Rows = []
    for measure, row in rows.items():
        if measure in goals and row["window"] == "now" and row["n"]:
            target, better = goals[measure]
            found = judge_target(row, target, unit=UNITS[measure], better=better)
            is_far = found["verdict"] == "undecided" and found["more"] is None
            needed = row["n"] + (found["more"] or 0)
            is_beyond = not is_far and found["verdict"] == "undecided" and 0 < most < needed
            claim = "undecided_far" if is_far else "undecided_all" if is_beyond else found["verdict"]
            found |= {"needed": int(needed), "most": most} if is_beyond else {}
            named = {"measure": measure, "judged_window": measure, "target": target, "claim": claim}
            told.append({**row, **named, **found, "n": row.get("customers", row["n"]), "note": ""})
    return told


def goals_of(targets: Mapping[str, Any], target_nps: float | None) -> dict[str, tuple[float, str]]:
    """Collect the targets by measure with their better side; a target of the report's own goes first."""
    own = {} if target_nps is None else {"nps": (target_nps, "higher")}
    return {name: (one.target, one.better) for name, one in targets.items()} | own


def target_notes(goals: Mapping[str, Any], unfit: Sequence[Any], *, survey: str, is_asked: bool) -> Rows:
    """Say which targets can not be judged: those for another scale, and a survey without any."""
    notes: Rows = [{"note": "nps.unfit_target", "level": "warning"}] if unfit else []
    return notes + (
        [{"note": "nps.no_target", "level": "info", "survey": survey}] if is_asked and not goals else []
    )
