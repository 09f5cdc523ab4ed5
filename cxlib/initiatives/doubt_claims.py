"""What the report on one initiative may say against its own answer: rows for `report.say`.

The naive number, made-up starts, drift of the groups, other estimators and another base, each with the rule
of when it may be spoken of.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cxlib.initiatives.claims import HERE, JUDGED, as_effects, caveat, effect_metric, percent
from cxlib.initiatives.doubt.two_way_fixed_effects import twoway_weights
from cxlib.initiatives.effect.by_month import drift_bounds, monthly_gap
from cxlib.initiatives.effect.ladder import answer_rung, evidence_ladder, treated_series
from cxlib.initiatives.effect.one_group_series import placebo_starts
from cxlib.initiatives.effect.return_to_mean import regression_part
from cxlib.initiatives.evaluate import Evaluation, effect_unit
from cxlib.initiatives.money.verdicts import verdict
from cxlib.initiatives.study.panel import study_members, study_panel
from cxlib.initiatives.study.plan import power_of_study
from cxlib.initiatives.study.rollout import same_rollout
from cxlib.stats.verdicts import limits_side

Row = dict[str, Any]
ENDS = ("estimate", "conf_low", "conf_high")
SMALLEST_BREAKDOWN = 0.01  # a value that reads 0.00 is none


def naive(found: Evaluation) -> pd.DataFrame:
    """Set before/after beside the answer, over the months of the answer: one row, or none.

    Returns
    -------
    DataFrame
        `claim` (`naive_kind`), `naive_estimate, naive_conf_low, naive_conf_high`, the answer's `estimate,
        conf_low, conf_high`, `drift_estimate` (naive minus answer), `outcome, caveat`.
    """
    told = {"metric": effect_metric(found), "outcome": found.rule.outcome_col}
    told |= {"caveat": caveat(found, "drift"), **_numbers(found.answer)}
    return pd.DataFrame(
        [
            told
            | {f"naive_{name}": row[name] for name in ENDS}
            | {"claim": naive_kind(row, found.answer.to_dict(), assignment=found.assignment)}
            | {"drift_estimate": row["estimate"] - found.answer["estimate"]}
            for row in _beside(found, "before_after")
        ]
    )


def naive_kind(naive: Mapping[Any, Any], answer: Mapping[Any, Any], *, assignment: str) -> str:
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


def naive_parts(
    found: Evaluation, *, orders: Any, customers: pd.DataFrame, started_on: Any, as_of: Any
) -> pd.DataFrame:
    """Take before/after apart (`regression_part`) where customers were picked and a comparison answers.

    Returns
    -------
    DataFrame
        One row: `estimate` (before/after), `trend_estimate, regression_estimate, rest_estimate` with
        `rest_conf_low, rest_conf_high`, and `correlation`; no row where nothing is taken apart.
    """
    if found.assignment != "targeted" or not found.answer["is_answer"] or not found.observed:
        return pd.DataFrame()
    if found.has_few_groups:
        return pd.DataFrame()
    pool = study_members(None, customers, initiative="", started_on=started_on, assignment="everyone")
    beside = study_panel(
        orders, same_rollout(pool, customers, found.panel), started_on=started_on, as_of=as_of,
        contribution_margin_rate=found.rule.contribution_margin_rate,
    )  # fmt: skip
    split = regression_part(
        found.panel, beside, outcome_col=found.rule.outcome_col,
        horizon_months=found.answer["months_observed"], conf_level=found.rule.conf_level,
    ).set_index("metric")  # fmt: skip
    if split.empty:
        return pd.DataFrame()
    size, rest = split["estimate"], split.loc["rest"]
    told = {"metric": effect_metric(found), "estimate": size["before_after"], "trend_estimate": size["trend"]}
    told |= {"regression_estimate": size["regression_to_mean"], "correlation": split["correlation"].max()}
    return pd.DataFrame([told | {f"rest_{name}": rest[name] for name in ENDS}])


def passed_over(found: Evaluation) -> pd.DataFrame:
    """Tell the difference to customers of no initiative, a weaker rung than an answer: one row, or none."""
    rows = [_numbers(row) for row in _beside(found, "did_found")]
    return pd.DataFrame([{"metric": effect_metric(found), **row} for row in rows])


def gap_shown(found: Evaluation) -> pd.DataFrame:
    """Gap between the groups by month (`monthly_gap`); no rows where everybody was treated."""
    rule = found.rule
    gap = monthly_gap(
        found.panel, horizon_months=rule.horizon_months, outcome_col=rule.outcome_col,
        conf_level=rule.conf_level,
    )  # fmt: skip
    return as_effects(gap.head(0) if found.assignment == "everyone" else gap)


def made_up_start(found: Evaluation) -> pd.DataFrame:
    """Tell what the comparison finds for a start made up before there was one: one row, or none.

    Returns
    -------
    DataFrame
        `claim` "alarm", "silent" (the other test alarms), "lot" (the interval leaves out zero, without
        alarm), "quiet", or "quiet_alone" where there is no result yet; the numbers of `drift_check` with
        `level` (of the rule), `widest_estimate` (largest drift the interval holds) and `answer_estimate`.
    """
    rows = _tests(found, "placebo").dropna(subset="conf_low").to_dict("records")
    return pd.DataFrame([_made_up(found, {str(name): held for name, held in row.items()}) for row in rows])


def _made_up(found: Evaluation, row: Row) -> Row:
    side = int(limits_side(row["conf_low"], row["conf_high"], **_shown(found)))
    silent = "silent" if found.drift["is_alarm"].any() else "lot" if side else "quiet"
    if silent == "quiet" and pd.isna(found.answer["estimate"]):
        silent = "quiet_alone"
    told = {"metric": effect_metric(found), "claim": "alarm" if row["is_alarm"] else silent, **_numbers(row)}
    told |= {"months": row["months"], "level": percent(row["conf_level"])}
    widest = max(abs(row["conf_low"]), abs(row["conf_high"]))
    return told | {"widest_estimate": widest, "answer_estimate": found.answer["estimate"]}


def uneven_months(found: Evaluation) -> pd.DataFrame:
    """Tell that the groups did not move alike before the start: `p_value, limit`; no row without an alarm."""
    rows = _tests(found, "pretrend")
    return rows.loc[rows["is_alarm"].astype(bool), ["p_value", "limit"]]


def own_series(found: Evaluation) -> pd.DataFrame:
    """Set everybody's series beside its own trend: one row, a note where no test is made, or none.

    Returns
    -------
    DataFrame
        `claim` "jumps" or "quiet", `estimate, conf_low, conf_high`, `months_tried` and `months_jumped`
        (months before the start that would show a jump as well). The note `none` stands where there is no
        made-up start (`made_up_start`) either.
    """
    rule, metric = found.rule, effect_metric(found)
    rows = _beside(found, "interrupted_series")
    jumps = placebo_starts(
        treated_series(found.panel, outcome_col=rule.outcome_col), outcome_col="estimate", time_col="month",
        conf_level=rule.conf_level,
    )  # fmt: skip
    if found.assignment == "everyone" and rows and len(jumps):
        side = limits_side(jumps["conf_low"], jumps["conf_high"], **_shown(found))
        tried = {"months_tried": len(jumps), "months_jumped": int((side != 0).sum())}
        claim = {"claim": "jumps" if tried["months_jumped"] else "quiet"}
        return pd.DataFrame([{"metric": metric, **_numbers(rows[0]), **tried, **claim}])
    return _note("impact.none_placebo", holds=made_up_start(found).empty)


def bounds_shown(found: Evaluation, gap: pd.DataFrame) -> pd.DataFrame:
    """Return bounds on a drift after the start (`drift_bounds`), for groups not drawn by lot; else no rows.

    `gap` is the result of `gap_shown`: without one there is nothing to bound.
    """
    rule = found.rule
    is_bounded = found.assignment in ("staggered", "targeted") and not found.has_few_groups
    bounds = drift_bounds(
        found.panel if is_bounded and len(gap) else found.panel.head(0),
        outcome_col=rule.outcome_col, horizon_months=max(1, min(found.observed, rule.horizon_months)),
        conf_level=rule.conf_level,
    )  # fmt: skip
    return bounds.assign(metric=effect_metric(found))


def breakdown_told(bounds: pd.DataFrame) -> pd.DataFrame:
    """Tell how much faster the groups might drift than before: `claim` "holds" or "none", `breakdown`.

    Examples
    --------
    >>> breakdown_told(pd.DataFrame({"breakdown": [0.4, 0.4]}))["claim"].tolist()
    ['holds']
    """
    if bounds.empty:
        return pd.DataFrame()
    most = float(bounds["breakdown"].max())
    return pd.DataFrame([{"claim": "holds" if most >= SMALLEST_BREAKDOWN else "none", "breakdown": most}])


def needed(found: Evaluation) -> float | None:
    """Effect on margin that covers the cost; None for another outcome or without a cost to cover."""
    is_costed = found.rule.outcome_col == "margin" and found.break_even_effect > 0
    return found.break_even_effect if is_costed else None


def break_even(found: Evaluation) -> pd.DataFrame:
    """Set the effect that covers the cost beside a judged effect above zero: one row, or none.

    Returns
    -------
    DataFrame
        `claim` "above" (more than the estimate) or "within", `break_even_effect, estimate`, and
        `needed_share` of the estimate.
    """
    cost, estimate = needed(found), found.answer["estimate"]
    if cost is None or found.decision["reason"].item() not in JUDGED or not estimate > 0:
        return pd.DataFrame()
    told: Row = {"metric": effect_metric(found), "claim": "above" if cost > estimate else "within"}
    told |= {"estimate": estimate, "break_even_effect": cost, "needed_share": cost / estimate}
    return pd.DataFrame([told])


def pairs_shown(found: Evaluation, gap: pd.DataFrame) -> pd.DataFrame:
    """Pairs of waves behind a regression with customer and month effects (`twoway_weights`); else no rows."""
    if found.assignment != "staggered" or gap.empty:
        return pd.DataFrame()
    names = {"unit_col": "customer_id", "time_col": "month", "start_col": "start_month"}
    pairs = twoway_weights(found.panel, outcome_col=found.rule.outcome_col, **names)
    return pairs.rename(columns={"weight": "weight_share"}).assign(metric=effect_metric(found))


def regression_told(found: Evaluation, pairs: pd.DataFrame) -> pd.DataFrame:
    """Tell what that regression would say, and how much leans on the treated: one row, a note, or none."""
    if pairs.empty:
        return _note("impact.none_twoway", holds=found.assignment == "staggered")
    told = {
        "metric": effect_metric(found),
        "estimate": float((pairs["estimate"] * pairs["weight_share"]).sum()),
    }
    late = pairs.loc[pairs["comparison"] == "later_earlier", "weight_share"]
    return pd.DataFrame([told | {"leaning_share": float(late.sum())}])


def plan_shown(found: Evaluation) -> pd.DataFrame:
    """Return the smallest effect to be seen (`power_of_study`), where a comparison answers; else no rows."""
    rule = found.rule
    plan = power_of_study(
        found.panel, assignment=found.assignment, outcome_col=rule.outcome_col, conf_level=rule.conf_level,
        horizon_months=sorted({6, 12, rule.horizon_months}),
    )  # fmt: skip
    is_told = bool(found.answer["is_answer"]) and (plan["horizon_months"] == rule.horizon_months).any()
    return plan.assign(metric=effect_metric(found)).head(len(plan) if is_told else 0)


def plan_told(found: Evaluation, plan: pd.DataFrame) -> pd.DataFrame:
    """Tell the smallest visible effect at the horizon, beside what covers the cost: one row, or none."""
    row = plan[plan["horizon_months"] == found.rule.horizon_months]
    row = row[["metric", "estimate", "power", "months_observed"]]
    cost = needed(found)
    told = row.rename(columns={"power": "power_share"})
    return told.assign(claim="" if cost is not None else "no_cost", break_even_effect=cost)


def other_base(found: Evaluation) -> pd.DataFrame:
    """Judge again with the later half of the months before as the base: one row, or a note.

    Returns
    -------
    DataFrame
        `claim` "same" or "other" verdict, `estimate, conf_low, conf_high`, `months` of the base.
    """
    rule, panel = found.rule, found.panel
    half = panel.loc[panel["month"] < 0, "month"].nunique() // 2
    if found.decision["reason"].item() not in JUDGED or not half:  # so never with too few whole groups
        return _note("impact.none_sensitivity", holds=True)
    rungs = evidence_ladder(
        panel[panel["month"] >= -half], assignment=found.assignment, outcome_col=rule.outcome_col,
        horizon_months=[rule.horizon_months], conf_level=rule.conf_level,
    )  # fmt: skip
    numbers = _numbers(answer_rung(rungs, horizon_months=rule.horizon_months))
    judged = verdict(
        **numbers, months_observed=found.observed, horizon_months=rule.horizon_months, has_control=True,
        min_effect=rule.min_effect, break_even_effect=needed(found), **_shown(found),
    )  # fmt: skip
    claim = "same" if judged["verdict"].item() == found.effect_verdict else "other"
    return pd.DataFrame([{"metric": effect_metric(found), "claim": claim, "months": half, **numbers}])


def _shown(found: Evaluation) -> dict[str, Any]:
    return {"unit": effect_unit(found.rule.outcome_col), "currency": found.rule.currency}


def _numbers(row: Any) -> Row:
    return {name: row[name] for name in ENDS}


def _beside(found: Evaluation, rung: str) -> list[dict[Any, Any]]:
    """Rows of one rung over the months of the answer."""
    ladder = found.ladder
    same = ladder["months_observed"] == found.answer["months_observed"]
    return ladder[(ladder["rung"] == rung) & same].to_dict("records")


def _tests(found: Evaluation, metric: str) -> pd.DataFrame:
    """Rows of one test of drift; none where too few whole groups were treated."""
    told = found.drift.head(0) if found.has_few_groups else found.drift
    return told[told["metric"] == metric]


def _note(key: str, *, holds: bool) -> pd.DataFrame:
    return pd.DataFrame([{"note": key, **HERE}] if holds else [])
