"""What chapter 3 may say of change: whether scores moved, in which groups, and which waves stand out.

Each function takes results and returns the rows that `report.say` words; a row with a `note` is a notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cxlib.stats.verdicts import limits_verdict
from cxlib.voice.answers import Scale
from cxlib.voice.standing import Standing, season
from cxlib.voice.waves.changes import paired_change, score_change
from cxlib.voice.waves.control_chart import last_waves

Rows = list[dict[str, Any]]
#: How the change of each measure is computed (`score_change`).
COMPUTED: Mapping[str, str] = {"nps": "nps", "csat": "csat", "ces": "mean"}


def moved(
    change: pd.DataFrame,
    before: pd.DataFrame,
    after: pd.DataFrame,
    *,
    history: pd.DataFrame,
    measure: str = "nps",
) -> Rows:
    """Tell whether a score moved between two waves; the season takes a verdict back where it has to.

    Parameters
    ----------
    change
        Result of `score_change`.
    before, after, history
        Answers of the two waves, and of all waves, to the same question.
    measure
        "nps", "csat" or "ces".

    Returns
    -------
    list of dict
        One row: `metric` (`nps_change`, …), `before, after, estimate, conf_low, conf_high`, `n` customers
        of the smaller wave, `before_wave, after_wave`, `season`, `verdict` (None: no verdict). With
        one wave only a note; with none nothing.

    Examples
    --------
    >>> moved(pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), history=pd.DataFrame({"nps_score": [9]}))
    [{'note': 'nps.one_wave'}]
    """
    if before.empty:
        return [{"note": "nps.one_wave"}] if len(history) else []
    row = {"metric": f"{measure}_change", "measure": measure, **_change(change), "claim": measure}
    waves = {"before_wave": str(before["wave"].iloc[0]), "after_wave": str(after["wave"].iloc[0])}
    n = min(wave["customer_id"].nunique() for wave in (before, after))
    return [{**row, **waves, "n": n, **season(row["verdict"], before, after, history=history)}]


def moved_same(
    before: pd.DataFrame, after: pd.DataFrame, *, history: pd.DataFrame, min_cell: int, conf_level: float
) -> Rows:
    """Tell whether the NPS moved among those who answered both times; nothing where they are too few."""
    change = paired_change(before, after, conf_level=conf_level)
    n = int(change["n_paired"].iloc[0])
    row = {"metric": "nps_change", **_change(change), "n": n}
    return [{**row, **season(row["verdict"], before, after, history=history)}] if n >= min_cell else []


def measures_moved(
    answers: pd.DataFrame, stand: Standing, *, scales: Mapping[str, Scale], direction: str, conf_level: float
) -> Rows:
    """Tell whether satisfaction and effort moved between their last two waves, each on its own scale.

    Parameters
    ----------
    answers
        All answers of the period; a wave that has only begun is left out.
    scales
        Scale by measure, "csat" and "ces".
    direction
        What a high effort score means, "ease" or "effort".
    """
    told: Rows = []
    for measure, scale in scales.items():
        column = f"{measure}_score"
        asked = ["customer_id", "answered_at", "wave", column]
        scored = answers.loc[answers[column].notna() & (answers["wave"] != stand.begun), asked]
        pair = last_waves(scored)
        how: dict[str, Any] = {"metric": COMPUTED[measure], "score_col": column, "scale": scale}
        change = score_change(*pair, **how, conf_level=conf_level)
        told += moved(change, *pair, history=scored, measure=measure) if len(pair[0]) else []
    return [{**row, "direction": direction, "verdict": _of_effort(row, direction)} for row in told]


def _of_effort(row: Mapping[str, Any], direction: str) -> str | None:
    """Verdict of a change, in words that say which way is good where a higher score means more effort."""
    is_turned = row.get("measure") == "ces" and direction == "effort"
    words = {"risen": "worse", "fallen": "better"} if is_turned else {}
    verdict = row.get("verdict")
    return words.get(verdict, verdict) if verdict is not None else None


def groups_that_moved(turns: pd.DataFrame, *, by: str) -> Rows:
    """Tell in which groups the score changed between two waves, of those with enough answers to judge.

    Parameters
    ----------
    turns
        Result of `score_change` by group after small groups were blanked (`is_suppressed`).
    by
        Its group column.
    """
    if turns.empty:
        return []
    judged = turns[~turns["is_suppressed"] & (turns["verdict"] != "too_few_answers")]
    found = judged.loc[judged["verdict"].isin(["risen", "fallen"]), by].tolist()
    if judged.empty:
        return [{"note": "nps.groups_change_few"}]
    return [{"claim": "moved", "groups": found} if found else {"claim": "not_moved", "groups": len(judged)}]


def waves_beyond_chance(waves: pd.DataFrame) -> Rows:
    """Tell which waves show more than chance, or that none does; nothing if there is no band to judge by."""
    judged = waves[waves["estimate"].notna() & waves["is_signal"].notna()]
    signals = judged.loc[judged["is_signal"].astype(bool), "wave"].astype(str).tolist()
    if signals:
        return [{"claim": "signals", "names": signals}]
    return [{"claim": "none", "waves": len(judged)}] if len(judged) else []


def waves_to_draw(waves: pd.DataFrame) -> pd.DataFrame:
    """Give the waves with a score, or no rows where there is only one: a chart needs two."""
    seen = waves[waves["estimate"].notna()]
    return seen if len(seen) > 1 else seen.head(0)


def split_of_change(parts: pd.DataFrame, *, n: int) -> Rows:
    """Tell how much of a change stems from scores and from the mix; `parts` is `mix_rate`, `n` customers.

    `verdict` is that of the whole change: of one that is not shown, no part is said to stem from anything.
    """
    held: Any = parts.set_index("metric") if len(parts) else parts
    if parts.empty or not held.loc["rate", "std_error"] > 0:
        return []
    ends = held.loc["rate", ["estimate", "conf_low", "conf_high"]].to_dict()
    others = {f"{name}_points": held.loc[name, "estimate"] for name in ("total", "mix")}
    whole: Any = held.loc["total"]
    verdict = limits_verdict(whole["conf_low"], whole["conf_high"], unit="points")
    return [{"metric": "rate", **ends, **others, "n": n, "verdict": verdict}]


def _change(change: pd.DataFrame) -> dict[str, Any]:
    row: Any = change.iloc[0]
    return row[["before", "after", "estimate", "conf_low", "conf_high", "verdict"]].to_dict()
