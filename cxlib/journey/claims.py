"""What the journey chapter may say of the curve and its valley: one row per sentence, or a note why none.

Each function takes results and returns the row that `report.say` words; the limits the verdict rests on
stand in the row as they are shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cxlib.stats.verdicts import UNDECIDED, limits_verdict

_LIMITS = ["estimate", "conf_low", "conf_high"]


def valley_stage(valley: pd.DataFrame) -> str | None:
    """Stage of the valley that `name_valley` names for everybody, or None.

    Examples
    --------
    >>> valley_stage(pd.DataFrame({"stage": ["wait"], "verdict": ["valley"]}))
    'wait'
    """
    named = valley["stage"].dropna()
    return str(named.iloc[0]) if len(named) else None


def lowest_stage(curve: pd.DataFrame, *, min_cell: int = 10) -> str:
    """Stage of the lowest point of `emotion_curve`, of those where enough customers answered.

    Examples
    --------
    >>> curve = pd.DataFrame({"metric": "pooled", "stage": ["a", "b"], "estimate": [1.0, 0.2], "n": [20, 30]})
    >>> lowest_stage(curve)
    'b'
    """
    known = curve[(curve["metric"] == "pooled") & (curve["n"] >= min_cell)]
    return str(known.sort_values("estimate")["stage"].iloc[0])


def steepest_fall(steps: pd.DataFrame, *, min_cell: int = 10) -> pd.DataFrame:
    """Tell where the curve falls most between neighbouring stages, and whether that is more than noise.

    Parameters
    ----------
    steps
        Result of `stage_steps`.
    min_cell
        Smallest number of customers who answered at both stages.

    Returns
    -------
    DataFrame
        One row, none where nothing falls: `metric, from_stage, stage, estimate, conf_low, conf_high, n,
        verdict` ("fallen" or "no_difference_shown").

    Examples
    --------
    >>> steps = pd.DataFrame({"metric": "paired", "from_stage": ["a", "b"], "stage": ["b", "c"], "n": 50,
    ...     "estimate": [-0.5, 0.2], "conf_low": [-0.7, 0.0], "conf_high": [-0.3, 0.4]})
    >>> steepest_fall(steps)[["stage", "verdict"]].to_numpy().tolist()
    [['b', 'fallen']]
    """
    falls = steps[(steps["n"] >= min_cell) & (steps["estimate"] < 0)]
    fall = falls.sort_values("estimate").head(1).drop(columns="std_error", errors="ignore")
    verdict = limits_verdict(fall["conf_low"], fall["conf_high"], unit="valence", below="fallen")
    return fall.assign(verdict=verdict).reset_index(drop=True)


def valley_cost(
    after: pd.DataFrame, *, stage: str | None, days: int, first_buyers: int, min_cell: int = 10
) -> dict[str, Any]:
    """Tell what follows a valley: whether who felt negative there buy a second time less often.

    Parameters
    ----------
    after
        Result of `f2_after_stage`.
    stage, days
        The valley's stage (None: there is none), and the days within which a second purchase counts.
    first_buyers
        Customers with a first purchase at all.
    min_cell
        Smallest number of customers each group must have.

    Returns
    -------
    dict
        `metric` ("difference"), `estimate, conf_low, conf_high` (negative − other, as a share), `n` (who felt
        negative), `negative_share, other_share, purchases` (second purchases apart), `stage, days`; `verdict`
        "fewer", "more" or "no_difference_shown"; `note` "no_valley", "no_buyers", or "unknown" where too few
        could be followed, with its `level`.

    Examples
    --------
    >>> after = pd.DataFrame({"metric": ["f2", "f2", "difference", "purchases"],
    ...     "group": ["negative", "other", "negative", "negative"], "estimate": [0.1, 0.3, -0.2, -20],
    ...     "conf_low": [0.0, 0.2, -0.3, -30], "conf_high": [0.2, 0.4, -0.1, -10], "n": [100, 90, 190, 100]})
    >>> valley_cost(after, stage="decide", days=180, first_buyers=500)["verdict"]
    'fewer'
    """
    found: Any = after.set_index(["metric", "group"])
    gap = found.loc[("difference", "negative")]
    is_known = after["n"].min() >= min_cell and pd.notna(gap["estimate"])
    note = "" if is_known else "unknown"
    note = "no_buyers" if first_buyers < min_cell else note
    note = "no_valley" if stage is None else note
    return {
        "metric": "difference",
        **gap[_LIMITS].to_dict(),
        "n": int(found.loc[("f2", "negative"), "n"]),
        "negative_share": found.loc[("f2", "negative"), "estimate"],
        "other_share": found.loc[("f2", "other"), "estimate"],
        "purchases": abs(found.loc[("purchases", "negative"), "estimate"]),
        "stage": stage,
        "days": days,
        "min_cell": min_cell,
        "verdict": limits_verdict(gap["conf_low"], gap["conf_high"], unit="pp", below="fewer", above="more"),
        "note": note,
        "level": "not_enough_data" if note == "unknown" else "info",
    }


def lapse_ratio(lapses: pd.DataFrame, *, stage: str | None, days: int, min_cell: int = 10) -> pd.DataFrame:
    """Tell how much faster who felt negative at the valley lapse.

    Parameters
    ----------
    lapses
        Result of `lapse_after_stage`.
    stage, days
        The valley's stage, and the days without a purchase that make a lapse.
    min_cell
        Smallest number of customers on each side.

    Returns
    -------
    DataFrame
        One row, none where too few could be followed: `metric` ("rate_ratio"), `estimate, conf_low,
        conf_high, n, stage, days, verdict` ("differ", "no_difference_shown").

    Examples
    --------
    >>> lapses = pd.DataFrame({"metric": ["lapse_rate", "lapse_rate", "rate_ratio"], "n": 90,
    ...     "estimate": [0.2, 0.1, 2.0], "conf_low": [0.1, 0.1, 1.2], "conf_high": [0.3, 0.2, 3.1]})
    >>> lapse_ratio(lapses, stage="decide", days=360)["verdict"].item()
    'differ'
    """
    is_known = bool(lapses["n"].min() >= min_cell and lapses["estimate"].notna().all())
    ratio = lapses[(lapses["metric"] == "rate_ratio") & is_known]
    verdict = limits_verdict(ratio["conf_low"], ratio["conf_high"], null=1, unit="ratio")
    ratio = ratio[["metric", *_LIMITS, "n"]].assign(stage=stage, days=days, verdict=verdict)
    return ratio.reset_index(drop=True)


def rework_first(
    valley: pd.DataFrame, cost: Mapping[str, Any], *, first_buyers: int, min_cell: int = 10
) -> dict[str, Any]:
    """Evaluate the chapter's rule: rework a valley of both curves that costs second purchases.

    Parameters
    ----------
    valley
        Result of `name_valley`; no row where too few answered.
    cost
        Result of `valley_cost`.
    first_buyers, min_cell
        As in `valley_cost`.

    Returns
    -------
    dict
        `stage`, and `verdict`: "met", "not_met", or "not_enough_data" where a part of the rule is not known.

    Examples
    --------
    >>> valley = pd.DataFrame({"stage": ["wait"], "verdict": ["valley"]})
    >>> rework_first(valley, {"verdict": "fewer", "note": ""}, first_buyers=90)["verdict"]
    'met'
    """
    named = valley["verdict"].iloc[0] if len(valley) else "not_enough_data"
    is_known = not cost["note"]
    is_judged = named != "not_enough_data" and first_buyers >= min_cell and (named != "valley" or is_known)
    is_met = named == "valley" and is_known and cost["verdict"] == "fewer"
    verdict = "met" if is_met else "not_met" if is_judged else "not_enough_data"
    return {"stage": valley_stage(valley) if is_met else None, "verdict": verdict}


def where_to_start(
    decision: Mapping[str, Any], loss: pd.DataFrame, touchpoints: Sequence[Any]
) -> pd.DataFrame:
    """Say how the touchpoint that loses most and the stage to rework go together.

    Parameters
    ----------
    decision, loss
        Results of `rework_first` and `greatest_loss`.
    touchpoints
        Touchpoints of `journey.yml`, with the stage each belongs to.

    Returns
    -------
    DataFrame
        One row, none unless the rule is met and a loss is shown: `touchpoint, stage, claim` ("same" stage,
        "other").
    """
    if decision["verdict"] != "met" or loss.empty or loss["verdict"].iloc[0] == UNDECIDED:
        return pd.DataFrame(columns=["touchpoint", "stage", "claim"])
    touchpoint = loss["touchpoint"].iloc[0]
    its_stage = {point.id: point.stage for point in touchpoints}.get(touchpoint)
    claim = "same" if its_stage == decision["stage"] else "other"
    return pd.DataFrame([{"touchpoint": touchpoint, "stage": decision["stage"], "claim": claim}])
