"""What the report on one initiative may say: sentences with their verdicts, from an `Evaluation`.

Every function gives the arguments of `Report.finding` or `Report.notice`, so that claim, badge and numbers
come from one place. Words that go with a fact (a drift, a horizon not over) are added where it holds only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cxlib.initiatives.evaluate import Evaluation, effect_unit
from cxlib.initiatives.money.flows import MONEY_UNITS, flatten
from cxlib.initiatives.money.scenarios import pulled_forward
from cxlib.language import text
from cxlib.stats.verdicts import limits_side

Words = dict[str, Any]
Row = dict[str, Any]
LOOSE_LEVEL = 0.9  # confidence level below which the reader is told how often it errs
QUIET_MONTHS = 6  # as `churn_effect` counts a customer as lost
#: Verdicts that rest on the interval of a finished comparison.
JUDGED = ("above_min", "at_loss", "pay_open", "below_zero", "below_needed", "low_power", "inconclusive")


def verdict_words(found: Evaluation, *, name: str, outcome: str, conf_level: float, lang: str) -> Words:
    """Say the verdict by its reason, with effect, interval and level, and a drift even where it is too early.

    Parameters
    ----------
    found : Evaluation
        Result of `evaluate_initiative`.
    name, outcome : str
        The initiative's name; column of the outcome (`margin, amount, orders, repeat`).
    conf_level, lang
        Level of the intervals; language.

    Returns
    -------
    dict
        Arguments of `Report.finding`.
    """
    numbers = found.decision.drop(columns=["verdict", "reason", "has_control"]).iloc[0]
    decision: Words = {str(column): value for column, value in numbers.items()}
    verdict, reason = found.decision["verdict"].item(), found.decision["reason"].item()
    if reason == "no_interval" and not any(note["key"] == "impact.note_constant" for note in found.notes):
        reason = "no_interval_few"
    counts = {"n_treatment": found.answer["n_treatment"], "n_control": found.answer["n_control"]}
    said = decision | counts | {"name": name, "outcome": text(f"value.outcome.{outcome}", lang)}
    said |= {"level": percent(conf_level), "caveat": caveat(found, lang, "drift")}
    said |= _smallest(found)
    units = decision_units(outcome) | dict.fromkeys(["roi_conf_low", "roi_conf_high"], "share")
    units |= dict.fromkeys([*counts, "min_cell"], "count")
    if found.money is not None:
        said |= {
            key: value
            for key, value in flatten(found.money).items()
            if key in ("roi_conf_low", "roi_conf_high")
        }
    return {"key": f"impact.verdict_{reason}", "verdict": verdict, "units": units, **said}


def level_notes(conf_level: float, *, key: str = "impact.note_level") -> list[Words]:
    """Say how often verdicts at a low confidence level err: the arguments of `Report.notice`.

    Examples
    --------
    >>> level_notes(0.95), level_notes(0.5)[0]["share"]
    ([], '50%')
    """
    words = {"conf": percent(conf_level), "share": percent(1 - conf_level)}
    note = {"key": key, "level": "warning", **words}
    return [note] if conf_level < LOOSE_LEVEL else []


def decision_units(outcome: str) -> dict[str, str]:
    """Units of the columns of `decision` for one outcome."""
    unit = effect_unit(outcome)
    effects = dict.fromkeys(["estimate", "conf_low", "conf_high", "min_effect"], unit)
    months = dict.fromkeys(["months_observed", "horizon_months"], "count")
    return effects | months | {"break_even_effect": "currency"}


def percent(conf_level: float) -> str:
    """Write a confidence level as a percentage.

    Examples
    --------
    >>> percent(0.999)
    '99.9%'
    """
    return f"{conf_level * 100:.10g}%"


def caveat(found: Evaluation, lang: str, *kinds: str, horizon_months: int = 0) -> str:
    """Join the caveats among `kinds` that hold: `drift`, `drift_money`, `early`, `not_drawn`.

    A drift says more than a lot that was not drawn, which is then left out.
    """
    drift = ("drift" in kinds and found.has_drift) or ("drift_money" in kinds and found.has_drift_money)
    holds = {
        "drift": drift,
        "early": "early" in kinds and found.observed < horizon_months,
        "not_drawn": "not_drawn" in kinds and not drift,
    }
    parts = [text(f"impact.caveat_{kind}", lang, horizon=horizon_months) for kind in holds if holds[kind]]
    return "".join(parts)


def money_words(found: Evaluation, *, horizon_months: int, lang: str) -> Words:
    """Say what is known about money, with a drift of margin in the same sentence."""
    figures: Words = {} if found.money is None else flatten(found.money)
    figures |= {"break_even_effect": found.break_even_effect, "months": len(found.effects)}
    figures |= {"horizon_months": horizon_months, "caveat": caveat(found, lang, "drift_money")}
    is_free = found.state == "no_effect" and found.break_even_effect == 0
    return {"key": f"impact.money_{found.state}{'_free' if is_free else ''}", "units": MONEY_UNITS, **figures}


def payback_words(found: Evaluation, *, lang: str) -> list[Words]:
    """Say when the cost was back, for the whole interval; nothing without a complete return."""
    if found.state != "ready" or found.money is None:
        return []
    figures = flatten(found.money) | {"months": len(found.effects)}
    low, middle, high = (figures[f"payback_months{end}"] for end in ("_conf_low", "", "_conf_high"))
    is_within = low <= len(found.effects)
    kind = "reached" if middle == middle else "not_reached" if is_within else "never"
    is_open = high > len(found.effects)
    end = text("impact.payback_open", lang, months=len(found.effects)) if is_open else ""
    return [{"key": f"impact.payback_{kind}", "units": MONEY_UNITS, "open": end, **figures}]


def rate_notes(money: pd.DataFrame) -> list[Words]:
    """Say what of the yearly return is left out, by the reason that holds."""
    notes = money.loc[money["metric"] == "irr_annual", "note"]
    return [{"key": f"impact.irr_{note}"} for note in notes if note]


def dip_words(found: Evaluation, *, conf_level: float, lang: str) -> list[Words]:
    """Say whether the gain was pulled forward; nothing where the groups moved apart or nothing is known."""
    if found.money is None or found.has_drift_money:
        return []
    parts = pulled_forward(found.effects, covariance=found.covariance, conf_level=conf_level)
    if parts.empty:
        return []
    first, later = parts.to_dict("records")
    shown: Any = {"unit": "currency", "currency": found.currency}
    sides = [int(limits_side(part["conf_low"], part["conf_high"], **shown)) for part in (first, later)]
    is_dip = sides == [1, -1]
    place = {"ready": "roi", "too_early": "total"}.get(found.state, "benefit")
    totals = {"first": first["estimate"], "later": later["estimate"], "months": first["n"]}
    units = {"first": "currency", "later": "currency", "months": "count"}
    counted = text(f"impact.caveat_in_{place}", lang)
    key = f"impact.{'dip' if is_dip else 'no_dip'}"
    return [{"key": key, "units": units, "caveat": counted, **totals}]


def naive_kind(naive: Mapping[str, Any], answer: Mapping[str, Any], *, assignment: str) -> str:
    """Name the sentence that sets before/after beside the answer: no limit is spoken of that is not there.

    Parameters
    ----------
    naive, answer : mapping
        Rows of `evidence_ladder`: `conf_low, conf_high`, of the answer also `is_answer`.
    assignment : str

    Returns
    -------
    str
        `compared, targeted` (both have limits), `open` (the answer has none), `bare` (before/after
        has none), `alone, alone_bare` (nothing answers).
    """
    has_limits, answers = (
        all(np.isfinite(float(row[end])) for end in ("conf_low", "conf_high")) for row in (naive, answer)
    )
    if not answer["is_answer"]:
        return "alone" if has_limits else "alone_bare"
    if not has_limits:
        return "bare"
    return "open" if not answers else "targeted" if assignment == "targeted" else "compared"


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
    return pd.DataFrame([told | {"only_here": True}] if len(cut) else [])


def _is_one_arm(split: pd.DataFrame, min_cell: int) -> pd.Series:
    largest = split[["n_treatment", "n_control"]].max(axis=1)
    return (split["n"] == 0) & (largest >= min_cell)


def may_compare(found: Evaluation) -> bool:
    """Whether anything beside the verdict may be compared: a comparison that holds answers."""
    return bool(found.answer["is_answer"]) and found.observed > 0 and not found.has_few_groups


def beside_words(
    found: Evaluation,
    table: pd.DataFrame,
    *,
    what: str,
    horizon_months: int,
    conf_level: float,
    is_drawn: bool,
    lang: str,
) -> list[Words]:
    """Say how the groups differ in second purchase or loss, at the last horizon known, with its caveats.

    Parameters
    ----------
    found : Evaluation
        Result of `evaluate_initiative`.
    table : DataFrame
        Result of `f2_effect` or `churn_effect`, small rows blanked.
    what : str
        `f2` or `churn`.
    horizon_months, conf_level, lang
        As in the report.
    is_drawn : bool
        Whether the groups were drawn by lot.

    Returns
    -------
    list of dict
        Arguments of `Report.finding`; empty where an arm or the difference is missing.
    """
    known = table[table["estimate"].notna() & (table["horizon_months"] <= horizon_months)]
    arms = known.groupby("horizon_months")["arm"].nunique()
    whole = arms.index[arms == 3].to_list()
    if not whole:
        return []
    months = max(whole)
    rows = known[known["horizon_months"] == months].set_index("arm")
    low, high = (float(rows.loc["difference", end]) for end in ("conf_low", "conf_high"))
    kind = "difference" if int(limits_side(low, high, unit="pp")) else "no_difference"
    said: Words = {"treatment": rows.loc["treatment", "estimate"], "control": rows.loc["control", "estimate"]}
    said |= {"difference": rows.loc["difference", "estimate"], "low": low, "high": high, "months": months}
    said |= {"quiet": QUIET_MONTHS, "level": percent(conf_level)}
    kinds = ("drift", "early") if is_drawn else ("drift", "early", "not_drawn")
    said |= {"caveat": caveat(found, lang, *kinds, horizon_months=horizon_months)}
    units = dict.fromkeys(["difference", "low", "high"], "pp") | dict.fromkeys(["months", "quiet"], "count")
    units |= dict.fromkeys(["treatment", "control"], "share")
    return [{"key": f"impact.{what}_{kind}", "units": units, **said}]


def score_words(
    found: Evaluation, told: pd.DataFrame, *, horizon_months: int, conf_level: float, lang: str
) -> list[Words]:
    """Say whether scores moved apart among those who answered twice, with the caveats of the comparison."""
    said = []
    for row in told.to_dict("records"):
        numbers = {name: row[name] for name in ("estimate", "conf_low", "conf_high", "n")}
        side = int(limits_side(row["conf_low"], row["conf_high"], unit="score"))
        kind = "difference" if side else "no_difference"
        units = dict.fromkeys(numbers, "score") | {"n": "count"}
        words = {"level": percent(conf_level)}
        words |= {"caveat": caveat(found, lang, "drift", "early", horizon_months=horizon_months)}
        said.append({"key": f"impact.score_{kind}", "units": units, **numbers, **words})
    return said


def _smallest(found: Evaluation) -> Words:
    notes = [note["min_cell"] for note in found.notes if "min_cell" in note]
    return {"min_cell": notes[0]} if notes else {}
