"""What the report on one initiative may say of its verdict and its money: rows for `report.say`.

Each function takes an `Evaluation` and returns a row, or a frame of rows, with the numbers its sentence rests
on. Caveats (a drift, a horizon not over) are codes that go with a fact where they hold only.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from cxlib.initiatives.evaluate import PRICED, Evaluation
from cxlib.initiatives.money.flows import cash_flows, flatten
from cxlib.initiatives.money.scenarios import pulled_forward, roi_scenarios, roi_tornado
from cxlib.language import format_value
from cxlib.stats.verdicts import limits_side

Row = dict[str, Any]
LOOSE_LEVEL = 0.9  # confidence level below which the reader is told how often it errs
#: Verdicts that rest on the interval of a finished comparison.
JUDGED = ("above_min", "at_loss", "pay_open", "below_zero", "below_needed", "low_power", "inconclusive")
#: How a note that matters in its own section only is told.
HERE: Row = {"note_level": "info", "only_here": True}
#: States of money whose running total can be drawn.
DRAWN = ("ready", "too_early", "zero_cost")


def reached(found: Evaluation, *, name: str) -> Row:
    """Tell the verdict by its reason, with effect, interval and level; a drift even where it is too early.

    Parameters
    ----------
    found : Evaluation
        Result of `evaluate_initiative`.
    name : str
        The initiative's name.

    Returns
    -------
    dict
        The row of `decision_shown` with `claim` (the reason), `name, outcome, level, caveat`, the sizes
        `n_treatment, n_control`, `min_cell`, and where they are known `roi_conf_low, roi_conf_high`.
    """
    decision: Any = decision_shown(found).iloc[0].to_dict()
    reason = found.decision["reason"].item()
    if reason == "no_interval" and not any(note["key"] == "impact.note_constant" for note in found.notes):
        reason = "no_interval_few"
    told = decision | {"claim": reason, "name": name, "outcome": found.rule.outcome_col}
    told |= {"level": percent(found.rule.conf_level), "caveat": caveat(found, "drift")}
    told |= {size: int(found.answer[size]) for size in ("n_treatment", "n_control")}
    told |= {"min_cell": found.rule.min_cell}
    figures: Row = {} if found.money is None else flatten(found.money)
    return told | {end: figures[end] for end in ("roi_conf_low", "roi_conf_high") if end in figures}


def decision_shown(found: Evaluation) -> pd.DataFrame:
    """Return the decision as it is shown: verdict, effect with its interval, and what it rests on.

    `smallest_estimate` is the smallest effect worth having, in the unit of the effect.
    """
    table = found.decision.drop(columns=["reason", "has_control"])
    table = table.rename(columns={"min_effect": "smallest_estimate"})
    return table.assign(metric=effect_metric(found))


def ladder_shown(found: Evaluation) -> pd.DataFrame:
    """Return the rungs of evidence as they are shown, the one that answers marked (`is_answer`)."""
    ladder = found.ladder.drop(columns=["horizon_months", "n"])
    return as_effects(ladder.assign(is_answer=ladder["is_answer"] & (ladder.index == found.answer.name)))


def effect_metric(found: Evaluation) -> str:
    """Name the metric of an effect on the outcome: `margin_effect`, `repeat_effect` and so on."""
    return f"{found.rule.outcome_col}_effect"


def level_notes(conf_level: float, *, key: str = "impact.note_level") -> list[Row]:
    """Say how often verdicts at a low confidence level err: the arguments of `Report.notice`.

    Examples
    --------
    >>> level_notes(0.95), level_notes(0.5)[0]["share"]
    ([], '50%')
    """
    words = {"conf": percent(conf_level), "share": percent(1 - conf_level)}
    note = {"key": key, "level": "warning", **words}
    return [note] if conf_level < LOOSE_LEVEL else []


def percent(conf_level: float) -> str:
    """Write a confidence level as a percentage.

    Examples
    --------
    >>> percent(0.999)
    '99.9%'
    """
    return format_value(conf_level, "set_share")


def caveat(found: Evaluation, *kinds: str) -> str:
    """Name the caveats among `kinds` that hold (`drift, drift_money, early, not_drawn`), joined by `_`.

    A drift says more than a lot that was not drawn, which is then left out.
    """
    drift = ("drift" in kinds and found.has_drift) or ("drift_money" in kinds and found.has_drift_money)
    holds = {
        "drift": drift,
        "early": "early" in kinds and found.observed < found.rule.horizon_months,
        "not_drawn": "not_drawn" in kinds and not drift and found.assignment != "randomised",
    }
    return "_".join(kind for kind in holds if holds[kind])


def money_told(found: Evaluation) -> Row:
    """Tell what is known about money (`claim`: its state), with a drift of margin in the same sentence."""
    figures: Row = {} if found.money is None else flatten(found.money)
    figures |= {"break_even_effect": found.break_even_effect, "months": len(found.effects)}
    is_free = found.state == "no_effect" and found.break_even_effect == 0
    is_over = found.state == "too_early" and found.decision["reason"].item() == "none_left"
    claim = "none_left" if is_over else f"{found.state}{'_free' if is_free else ''}"
    told = {"claim": claim, "caveat": caveat(found, "drift_money")}
    return figures | told | {"horizon_months": found.rule.horizon_months}


def payback(found: Evaluation) -> pd.DataFrame:
    """Tell when the cost was back, for the whole interval; no row without a complete return."""
    if found.state != "ready" or found.money is None:
        return pd.DataFrame()
    figures = flatten(found.money) | {"months": len(found.effects)}
    low, middle, high = (figures[f"payback_months{end}"] for end in ("_conf_low", "", "_conf_high"))
    claim = "reached" if middle == middle else "not_reached" if low <= len(found.effects) else "never"
    is_open = claim == "reached" and high > len(found.effects)
    return pd.DataFrame([figures | {"claim": f"{claim}{'_open' if is_open else ''}"}])


def money_shown(found: Evaluation) -> pd.DataFrame:
    """Return the figures of a complete return, as far as they may be read; no rows without one."""
    if found.money is None or found.state not in PRICED:
        return pd.DataFrame()
    table = found.money.drop(columns="n")
    is_bare = (table["metric"] == "irr_annual") & table["estimate"].isna()
    is_barred = (table["metric"] == "prob_roi_positive") & (found.state == "drift")
    return table[~is_bare & ~is_barred]


def rate_notes(found: Evaluation) -> pd.DataFrame:
    """Say what of the yearly return is left out, by the reason that holds: notes, or no rows."""
    if found.money is None or found.state not in PRICED:
        return pd.DataFrame()
    rates = found.money[(found.money["metric"] == "irr_annual") & (found.money["note"] != "")]
    return rates[["note"]].assign(note_level="info")


def cash_shown(found: Evaluation) -> pd.DataFrame:
    """Money in and out by month (`cash_flows`), where its running total may be drawn; else no rows."""
    if found.money is None or found.state not in DRAWN or found.has_drift_money:
        return pd.DataFrame()
    return cash_flows(found.effects, **found.terms).drop(columns="discounted").assign(metric="net")


def tornado_shown(found: Evaluation) -> pd.DataFrame:
    """How far each input moves a complete return (`roi_tornado`); no rows without one."""
    if found.state != "ready":
        return pd.DataFrame()
    inputs = {name: held for name, held in found.terms.items() if name != "discount_rate_annual"}
    return roi_tornado(found.effects, **inputs)


def tornado_ends(tornado: pd.DataFrame) -> pd.DataFrame:
    """Name the ends of each bar for a table, which are no interval: `input, roi_low, roi_high`."""
    ends = {"conf_low": "roi_low", "conf_high": "roi_high"}
    return tornado.rename(columns=ends).reindex(columns=["input", *ends.values()])


def scenarios_shown(found: Evaluation) -> pd.DataFrame:
    """Return a complete return in three futures (`roi_scenarios`); no rows without one."""
    return roi_scenarios(found.effects, **found.terms) if found.state == "ready" else pd.DataFrame()


def scenario_ends(scenarios: pd.DataFrame) -> pd.DataFrame:
    """Return of the lowest and the highest future: `roi_low, roi_high`; no row without scenarios."""
    if scenarios.empty:
        return scenarios
    ends = scenarios.set_index("scenario")["roi"]
    return pd.DataFrame([{"roi_low": ends["low"], "roi_high": ends["high"]}])


def dip(found: Evaluation) -> pd.DataFrame:
    """Tell whether the gain was pulled forward; no row where the groups moved apart or nothing is known."""
    if found.money is None or found.has_drift_money:
        return pd.DataFrame()
    parts = pulled_forward(found.effects, covariance=found.covariance, conf_level=found.rule.conf_level)
    if parts.empty:
        return parts
    shown: Any = {"unit": "currency", "currency": found.rule.currency}
    sides = limits_side(parts["conf_low"], parts["conf_high"], **shown).tolist()
    place = {"ready": "roi", "too_early": "total"}.get(found.state, "benefit")
    told: Row = {"metric": "margin_effect", "claim": "dip" if sides == [1, -1] else "no_dip"}
    first, later = parts["estimate"]
    told |= {"first_estimate": first, "later_estimate": later, "months": int(parts["n"].iloc[0])}
    return pd.DataFrame([told | {"caveat": f"in_{place}"}])


def may_compare(found: Evaluation) -> bool:
    """Whether anything beside the verdict may be compared: a comparison that holds answers."""
    return bool(found.answer["is_answer"]) and found.observed > 0 and not found.has_few_groups


def as_effects(frame: pd.DataFrame) -> pd.DataFrame:
    """Name the metric of effects apart from the outcome they are on: `margin` becomes `margin_effect`.

    Examples
    --------
    >>> as_effects(pd.DataFrame({"metric": ["repeat"]}))["metric"].tolist()
    ['repeat_effect']
    """
    return frame.assign(metric=frame["metric"].astype(str) + "_effect")


def both_arms(split: pd.DataFrame, *, min_cell: int) -> pd.DataFrame:
    """Leave out the groups of `effect_by_group` whose customers are all treated, or none of them."""
    return split[~_is_one_arm(split, min_cell)].reset_index(drop=True)


def left_out(split: pd.DataFrame, *, min_cell: int) -> pd.DataFrame:
    """Say which groups are not compared because all their customers are treated, or none: a note, or no row.

    Examples
    --------
    >>> split = pd.DataFrame({"n": [0, 40], "n_treatment": [50, 40], "n_control": [0, 60]})
    >>> left_out(split, min_cell=10)["count"].tolist()
    [1]
    """
    cut = split[_is_one_arm(split, min_cell)]
    if "initiative" in split:
        told: Row = {"note": "impact.split_one_arm", "names": cut["initiative"].unique().tolist()}
    else:
        told = {"note": "impact.groups_one_arm", "count": len(cut)}
    return pd.DataFrame([told | HERE] if len(cut) else [])


def _is_one_arm(split: pd.DataFrame, min_cell: int) -> pd.Series:
    largest = split[["n_treatment", "n_control"]].max(axis=1)
    return (split["n"] == 0) & (largest >= min_cell)
