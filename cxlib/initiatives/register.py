"""Several initiatives beside each other: what to do with each, and whether one of them may be put first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cxlib.initiatives.evaluate import PRICED, Evaluation
from cxlib.initiatives.money.flows import flatten
from cxlib.initiatives.money.ranking import rank_by_net
from cxlib.language import text
from cxlib.stats.differences import groups_apart, interval_difference
from cxlib.stats.intervals import Interval
from cxlib.stats.verdicts import limits_side

Words = dict[str, Any]
#: What to do, by the reason of the verdict; in the order in which a budget is made.
STEPS = {
    "above_min": "fund",
    "free": "carry_on",
    "no_cost": "widen",
    "pay_open": "carry_on",
    "at_loss": "rework",
    "low_power": "carry_on",
    "months": "wait",
    "no_data": "wait",
    "inconclusive": "run_again",
    "no_control": "run_again",
    "found": "run_again",
    "drift": "run_again",
    "small_arm": "run_again",
    "few_groups": "run_again",
    "no_members": "widen",
    "no_interval": "widen",
    "no_before": "widen",
    "before_data": "widen",
    "below_needed": "stop",
    "below_zero": "stop",
}


def register_rows(chosen_of: Mapping[str, pd.Series], found_of: Mapping[str, Evaluation]) -> pd.DataFrame:
    """Put every initiative on one line: verdict, reason, step, effect, money.

    Parameters
    ----------
    chosen_of, found_of : mapping
        By `initiative_id`: result of `choose_initiative` and of `evaluate_initiative`.

    Returns
    -------
    DataFrame
        One row per initiative, in the order given: `initiative` (its name), `assignment`, the columns of
        `decision` with `reason` as in `STEPS`, `next_step`, `is_ranked` (a comparison over the full horizon
        with an interval that holds, and no drift), `std_error, n_treatment, n_control, customer_months`, and
        as far as money is known `cost, npv, roi, roi_low, roi_high` and `prob_roi_positive`.
    """
    rows = [_line(chosen_of[name], found) for name, found in found_of.items()]
    table = pd.DataFrame(rows)
    numbers = ["estimate", "std_error", "conf_low", "conf_high", "cost", "npv", "roi", "roi_low", "roi_high"]
    table[numbers] = table[numbers].astype(float)
    return table


def _line(chosen: pd.Series, found: Evaluation) -> Words:
    money = {} if found.money is None or found.state not in PRICED else flatten(found.money)
    decision: Words = {str(column): value for column, value in found.decision.iloc[0].items()}
    said = {note["key"].removeprefix("impact.note_") for note in found.notes}
    reason = _reason(decision["reason"], found.state, said)
    paid: Words = {name: money.get(name) for name in ("cost", "npv", "roi", "roi_low", "roi_high")}
    paid["prob_roi_positive"] = money.get("prob_roi_positive") if found.state == "ready" else None
    error = float(found.answer["std_error"])
    is_ranked = (
        bool(found.answer["is_answer"])
        and error > 0
        and not found.has_drift
        and reason != "few_groups"
        and found.observed >= decision["horizon_months"]
    )
    row = {"initiative": str(chosen["name"]), "assignment": chosen["assignment"]} | decision | paid
    row |= {"reason": reason, "next_step": STEPS[reason], "is_ranked": is_ranked, "std_error": error}
    row |= {name: int(found.answer[name]) for name in ("n_treatment", "n_control")}
    return row | {"customer_months": float(found.effects["n_treated"].sum())}


def _reason(reason: str, state: str, notes: set[str]) -> str:
    """Reason as the register tells it: without the months, with the cost, and why no month can be used."""
    if reason == "above_min":
        return {"ready": "above_min", "zero_cost": "free"}.get(state, "no_cost")
    if reason == "no_data":
        return next((why for why in ("no_members", "small_arm") if why in notes), "no_data")
    short = {"months_alone": "no_control"}.get(reason, reason)
    return short.removeprefix("months_")


def next_steps(rows: pd.DataFrame, *, horizon_months: int, min_cell: int) -> list[Words]:
    """Evaluate the decision rule: for each initiative by name, what to do, grouped by the reason.

    Parameters
    ----------
    rows : DataFrame
        Result of `register_rows`.
    horizon_months, min_cell : int
        For the words.

    Returns
    -------
    list of dict
        Arguments of `Report.finding`: every initiative stands in exactly one of them, with the step as its
        verdict.

    Examples
    --------
    >>> rows = pd.DataFrame({"initiative": ["A", "B", "C"], "reason": ["drift", "above_min", "drift"]})
    >>> [(words["verdict"], words["names"]) for words in next_steps(rows, horizon_months=6, min_cell=10)]
    [('fund', ['B']), ('run_again', ['A', 'C'])]
    """
    found = [(reason, rows.loc[rows["reason"] == reason, "initiative"].tolist()) for reason in STEPS]
    return [
        {
            "key": f"impact.next_{reason}", "verdict": STEPS[reason], "names": names,
            "units": {"horizon": "count", "min_cell": "count"}, "horizon": horizon_months,
            "min_cell": min_cell,
        }
        for reason, names in found
        if names
    ]  # fmt: skip


def verdict_counts(rows: pd.DataFrame, *, lang: str) -> Words:
    """Count the verdicts, each with its reasons, so that "not shown" tells what it stands for."""
    parts = []
    for (verdict, reason), part in rows.groupby(["verdict", "reason"], sort=False):
        words = {"count": len(part), "verdict": text(f"verdict.{verdict}", lang)}
        parts.append(text("impact.register_part_why", lang, why=text(f"impact.why_{reason}", lang), **words))
    return {
        "key": "impact.register_verdicts",
        "units": {"count": "count"},
        "count": len(rows),
        "parts": parts,
    }


def rank_register(rows: pd.DataFrame, *, cannibalised_share: float, conf_level: float) -> pd.DataFrame:
    """Rank the initiatives that may be ranked (`rank_by_net`), best first."""
    kept = {"cannibalised_share": cannibalised_share, "conf_level": conf_level}
    return rank_by_net(rows[rows["is_ranked"].astype(bool)], **kept)


def first_place(ranked: pd.DataFrame, *, lang: str, currency: str | None = None) -> Words:
    """Say whether an initiative comes first: only where the numbers carry it.

    Parameters
    ----------
    ranked : DataFrame
        Result of `rank_register`.
    lang, currency : str
        Language; ISO code, as limits count as they are shown.

    Returns
    -------
    dict
        `key, units` and the values of one sentence. `register_best`: effective, its whole net above zero, and
        its lead over the next above zero with its whole interval (the two taken as independent).
        `register_leads`: as far, but not told apart from the next. Otherwise why there is no first place:
        `register_none, register_single, register_noise, register_no_costs`.

    Notes
    -----
    After shrinkage the best needs no further correction for having been picked: what luck gave it has been
    taken back.
    """
    priced = ranked[ranked["net_shrunk"].notna() & ranked["net_shrunk_low"].notna()]
    shown: Any = {"unit": "currency", "currency": currency}
    is_left = limits_side(priced["net_shrunk_low"], priced["net_shrunk_high"], **shown) > 0
    winners = priced[(priced["verdict"] == "effective") & is_left]
    key = _why_none(ranked, priced)
    if key is not None:
        one = ranked[ranked["roi"].notna()].head(1) if key == "register_single" else ranked.head(0)
        return _words(key, one) | {"count": len(ranked)}
    if winners.empty:
        return _words("register_none", ranked.head(0)) | {"count": len(ranked)}
    best, second = winners.iloc[0], priced.drop(index=winners.index[0]).iloc[0]
    lead = interval_difference(_net(best), _net(second))
    kind = "best" if limits_side(lead.conf_low, lead.conf_high, **shown) > 0 else "leads"
    ends = {"lead": lead.estimate, "lead_low": lead.conf_low, "lead_high": lead.conf_high}
    words = {"second": str(second["initiative"]), "verdict_word": text("verdict.effective", lang)}
    return _words(f"register_{kind}", winners.head(1)) | ends | words


def nearest(ranked: pd.DataFrame, *, lang: str) -> list[Words]:
    """Describe the initiative nearest to leaving money over, where several are ranked and none is first."""
    priced = ranked[ranked["net_shrunk"].notna() & ranked["net_shrunk_low"].notna()]
    if len(priced) < 2:
        return []
    word = text(f"verdict.{priced['verdict'].iloc[0]}", lang)
    return [_words("register_closest", priced.head(1)) | {"verdict_word": word}]


def split_words(parts: Mapping[str, pd.DataFrame], *, by: str, conf_level: float) -> list[Words]:
    """Say in which initiatives the groups differ: one test each (`groups_apart`), the search paid for.

    Parameters
    ----------
    parts : mapping
        By the initiative's name: result of `effect_by_group`.
    by : str
        Column of the groups.
    conf_level : float

    Returns
    -------
    list of dict
        Arguments of one `Report.finding`; empty where no initiative has two groups to compare.
    """
    p_values = {}
    for name, part in parts.items():
        p_value = groups_apart(part, by=by, conf_level=conf_level)["p_value"].iloc[-1]
        if not np.isnan(p_value):
            p_values[name] = float(p_value)
    if not p_values:
        return []
    p_values = {name: min(1.0, p_value * len(p_values)) for name, p_value in p_values.items()}
    apart = [name for name, p_value in p_values.items() if p_value <= 1 - conf_level]
    shared = {"units": {"count": "count", "p_value": "p_value"}, "count": len(p_values)}
    if apart:
        return [{"key": "impact.split_differ", "verdict": "differ", "names": apart, **shared}]
    said = {"key": "impact.split_none", "verdict": "no_difference_shown"}
    return [said | shared | {"p_value": min(p_values.values())}]


def _why_none(ranked: pd.DataFrame, priced: pd.DataFrame) -> str | None:
    if ranked.empty:
        return "register_none"
    if ranked["cost"].isna().all():
        return "register_no_costs"
    if ranked["cost"].notna().sum() == 1 or len(ranked) == 1:
        return "register_single" if ranked["roi"].notna().any() else "register_none"
    return "register_noise" if priced.empty else None


def _net(row: pd.Series) -> Interval:
    low, high = float(row["net_shrunk_low"]), float(row["net_shrunk_high"])
    return Interval(float(row["net_shrunk"]), np.nan, low, high)


def _words(key: str, rows: pd.DataFrame) -> Words:
    money = ["net_shrunk", "net_shrunk_low", "net_shrunk_high", "lead", "lead_low", "lead_high"]
    shares = ["roi", "roi_low", "roi_high", "roi_shrunk"]
    units = dict.fromkeys(money, "currency") | dict.fromkeys(shares, "share") | {"count": "count"}
    values: Words = {}
    for row in rows.to_dict("records"):
        values = {name: row[name] for name in [*money[:3], *shares]} | {"name": str(row["initiative"])}
    return {"key": f"impact.{key}", "units": units, **values}
