"""Several initiatives beside each other: their verdicts, what to do with each, what weakens which.

Each function gives rows that `report.say` or `report.show` words; `ranking_claims` tells who comes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cxlib.initiatives.claims import as_effects, may_compare
from cxlib.initiatives.evaluate import PRICED, Evaluation, Terms, evaluate_initiative
from cxlib.initiatives.money.flows import flatten
from cxlib.initiatives.study.members import effect_by_group
from cxlib.initiatives.study.panel import choose_initiative
from cxlib.language import format_value, text

Row = dict[str, Any]
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
    "not_begun": "wait",
    "inconclusive": "run_again",
    "no_control": "run_again",
    "none_left": "run_again",
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


ROI = ("roi", "roi_conf_low", "roi_conf_high")
#: What a register without initiatives is asked for.
NO_ROW = (
    *("initiative", "verdict", "reason", "next_step", "is_ranked", "months_observed", "customer_months"),
    *("estimate", "std_error", "conf_low", "conf_high", "cost", *ROI),
)


def evaluate_register(
    data_set: Any, scope: Any, terms: Terms, *, period_start: object = None
) -> tuple[dict[str, pd.Series], dict[str, Evaluation]]:
    """Evaluate every initiative on the customers of a scope, each as on the day before its start.

    Parameters
    ----------
    data_set
        Opened data set; without `initiatives` or `orders` nothing is evaluated.
    scope : Scope
        Whose customers count; its last day is the day of the verdicts.
    terms : Terms
        As of a single study.
    period_start : date, optional
        First day looked at.

    Returns
    -------
    tuple of dict
        By `initiative_id`: results of `choose_initiative` and of `evaluate_initiative`, for `register_rows`.
    """
    if not (data_set.has("initiatives") and data_set.has("orders")):
        return {}, {}
    register = data_set.table("initiatives")
    names = register["initiative_id"].astype(str)
    chosen_of = {name: choose_initiative(register, name) for name in names}
    tables = {"orders": data_set.table("orders", **scope.period), "customers": data_set.table("customers")}
    tables["enrolments"] = data_set.table("enrolments") if data_set.has("enrolments") else None
    found_of = {
        name: evaluate_initiative(
            chosen,
            selected=scope.customers_on(chosen["day_before"]),
            terms=terms,
            as_of=scope.last_day,
            period_start=period_start,
            **tables,
        )
        for name, chosen in chosen_of.items()
    }
    return chosen_of, found_of


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
        as far as money is known `cost, npv, roi, roi_conf_low, roi_conf_high` and `prob_roi_positive`. Of an
        initiative that is not ranked only a drift keeps its effect: the others have none to be read.
    """
    if not found_of:
        return pd.DataFrame(columns=NO_ROW)
    table = pd.DataFrame([_line(chosen_of[name], found) for name, found in found_of.items()])
    effect, money = ["estimate", "conf_low", "conf_high"], ["cost", "npv", *ROI]
    table[[*effect, "std_error", *money]] = table[[*effect, "std_error", *money]].astype(float)
    is_read = table["is_ranked"] | (table["reason"] == "drift")
    table[effect] = table[effect].where(is_read, axis=0)
    return table


def _line(chosen: pd.Series, found: Evaluation) -> Row:
    money = {} if found.money is None or found.state not in PRICED else flatten(found.money)
    decision: Row = {str(column): value for column, value in found.decision.iloc[0].items()}
    reason = _reason(decision["reason"], found.state)
    paid: Row = {name: money.get(name) for name in ("cost", "npv", *ROI)}
    paid["prob_roi_positive"] = money.get("prob_roi_positive") if found.state == "ready" else None
    error = float(found.answer["std_error"])
    is_ranked = (
        bool(found.answer["is_answer"])
        and error > 0
        and not found.has_drift
        and reason != "few_groups"
        and found.observed >= decision["horizon_months"]
    )
    row = {"initiative": str(chosen["name"]), "assignment": chosen["assignment"], "metric": "margin_effect"}
    row |= decision | paid
    row |= {"reason": reason, "next_step": STEPS[reason], "is_ranked": is_ranked, "std_error": error}
    row |= {name: int(found.answer[name]) for name in ("n_treatment", "n_control")}
    return row | {"customer_months": float(found.effects["n_treated"].sum())}


def _reason(reason: str, state: str) -> str:
    """Reason as the register tells it: with the cost."""
    if reason == "above_min":
        return {"ready": "above_min", "zero_cost": "free"}.get(state, "no_cost")
    return reason


def next_steps(rows: pd.DataFrame, *, horizon_months: int, min_cell: int) -> pd.DataFrame:
    """Evaluate the decision rule: for each initiative by name, what to do, grouped by the reason.

    Parameters
    ----------
    rows : DataFrame
        Result of `register_rows`.
    horizon_months, min_cell : int
        For the words.

    Returns
    -------
    DataFrame
        One row per reason that holds: `reason` (also `claim`), `verdict` (the step), `names` (a list). Every
        initiative stands in exactly one of them.

    Examples
    --------
    >>> rows = pd.DataFrame({"initiative": ["A", "B", "C"], "reason": ["drift", "above_min", "drift"]})
    >>> next_steps(rows, horizon_months=6, min_cell=10)[["verdict", "names"]].to_numpy().tolist()
    [['fund', ['B']], ['run_again', ['A', 'C']]]
    """
    terms = {"horizon_months": horizon_months, "min_cell": min_cell}
    found = {reason: rows.loc[rows["reason"] == reason, "initiative"].tolist() for reason in STEPS}
    return pd.DataFrame(
        [
            {"reason": reason, "claim": reason, "verdict": STEPS[reason], "names": names, **terms}
            for reason, names in found.items()
            if names
        ]
    )


def verdict_counts(rows: pd.DataFrame) -> pd.DataFrame:
    """Count the verdicts, each with its reasons, so that "not shown" tells what it stands for.

    Returns
    -------
    DataFrame
        `verdict, n_found, n_initiatives, reason` (a list of codes, in the order in which they occur).

    Examples
    --------
    >>> rows = pd.DataFrame({"verdict": ["not_shown"] * 2, "reason": ["drift", "no_control"]})
    >>> verdict_counts(rows)[["n_found", "reason"]].to_numpy().tolist()
    [[2, ['drift', 'no_control']]]
    """
    return pd.DataFrame(
        [
            {"verdict": verdict, "n_found": len(part), "n_initiatives": len(rows),
             "reason": part["reason"].unique().tolist()}
            for verdict, part in rows.groupby("verdict", sort=False)
        ]
    )  # fmt: skip


def cautions(
    chosen_of: Mapping[str, pd.Series], found_of: Mapping[str, Evaluation], *, lang: str
) -> pd.DataFrame:
    """List what weakens each study, as its own report says it: `initiative, level, caution` (a sentence).

    Where no month is observed, nothing is computed that could be weakened: no `level` there is "warning".
    """
    rows = [
        {
            "initiative": str(chosen_of[name]["name"]),
            "level": note["level"] if found.observed or note["level"] != "warning" else "info",
            "caution": _sentence(note, lang),
        }
        for name, found in found_of.items()
        for note in found.notes
    ]
    return pd.DataFrame(rows, columns=["initiative", "level", "caution"])


def _sentence(note: Mapping[str, Any], lang: str) -> str:
    filled = {name: format_value(held, lang=lang) for name, held in note.items() if name != "key"}
    return text(note["key"], lang, **filled)


def grave_cautions(told: pd.DataFrame) -> pd.DataFrame:
    """Name the initiatives to which a warning applies (`cautions`), as a note; no row where there is none.

    Examples
    --------
    >>> told = pd.DataFrame({"initiative": ["A", "B", "C"], "level": ["info", "warning", "not_enough_data"]})
    >>> grave_cautions(told)["names"].tolist()
    [['B']]
    """
    names = told.loc[told["level"] == "warning", "initiative"].unique().tolist()
    note = {"note": "impact.register_cautions", "note_level": "warning", "names": names}
    return pd.DataFrame([note] if names else [])


def effects_by_group(
    chosen_of: Mapping[str, pd.Series],
    found_of: Mapping[str, Evaluation],
    kept_of: Mapping[str, pd.DataFrame],
    *,
    by: str | None,
    horizon_months: int,
    conf_level: float,
    min_cell: int,
) -> pd.DataFrame:
    """Give the effect per group of customers of every initiative whose comparison holds (`effect_by_group`).

    Parameters
    ----------
    chosen_of, found_of, kept_of : mapping
        By `initiative_id`: results of `choose_initiative` and `evaluate_initiative`; the customers selected.
    by : str, optional
        Attribute of the customers; without it there are no rows.
    horizon_months, conf_level, min_cell
        As in `effect_by_group`.

    Returns
    -------
    DataFrame
        `initiative` before the columns of `effect_by_group`. Left out: groups that moved apart before.
    """
    columns = ["initiative", "metric", "estimate", "n", "n_treatment", "n_control"]
    parts = [pd.DataFrame(columns=columns)]
    for name, found in found_of.items():
        if by and may_compare(found) and not found.has_drift:
            part = effect_by_group(
                found.panel, kept_of[name], by=by, assignment=chosen_of[name]["assignment"],
                horizon_months=horizon_months, conf_level=conf_level, min_cell=min_cell,
            )  # fmt: skip
            part.insert(0, "initiative", str(chosen_of[name]["name"]))
            parts.append(as_effects(part))
    return pd.concat(parts[1:], ignore_index=True) if parts[1:] else parts[0]
