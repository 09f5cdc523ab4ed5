"""What the report on one initiative may say beside its verdict: second purchase, loss, scores, groups."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cxlib.initiatives.claims import HERE, JUDGED, as_effects, caveat, may_compare, percent
from cxlib.initiatives.effect.other_outcomes import churn_effect, f2_effect, score_effect, share_ratio
from cxlib.initiatives.evaluate import Evaluation
from cxlib.initiatives.study.members import drop_small_arms, effect_by_group
from cxlib.stats.verdicts import limits_side, limits_verdict

QUIET_MONTHS = 6  # as `churn_effect` counts a customer as lost


def compared(found: Evaluation) -> pd.DataFrame:
    """Return the customers who may be compared on other outcomes; nobody where no comparison answers."""
    kept = drop_small_arms(found.members, min_cell=found.rule.min_cell)
    return kept if may_compare(found) else found.members.head(0)


def second_purchases(found: Evaluation, *, orders: Any, started_on: Any, as_of: Any) -> pd.DataFrame:
    """Second purchases by arm and horizon (`f2_effect`), as far as they are known."""
    table = f2_effect(
        orders, compared(found), started_on=started_on, as_of=as_of, horizon_months=_horizons(found),
        conf_level=found.rule.conf_level,
    )  # fmt: skip
    return table[table["estimate"].notna()]


def losses(found: Evaluation) -> pd.DataFrame:
    """Return customers gone quiet by arm and horizon (`churn_effect`), as far as they are known."""
    panel = found.panel if may_compare(found) else found.panel.head(0)
    table = churn_effect(panel, horizon_months=_horizons(found), conf_level=found.rule.conf_level)
    return table[table["estimate"].notna()]


def arms_apart(found: Evaluation, table: pd.DataFrame, *, what: str) -> pd.DataFrame:
    """Tell how the groups differ in second purchase or loss, at the last horizon known, with its caveats.

    Parameters
    ----------
    found : Evaluation
        Result of `evaluate_initiative`.
    table : DataFrame
        Result of `second_purchases` or `losses`, small rows blanked.
    what : str
        `f2` or `churn`.

    Returns
    -------
    DataFrame
        One row: `verdict` "differ" or "no_difference_shown", `estimate, conf_low, conf_high` (treatment −
        control), `treatment_share, control_share, months, quiet_months, level, caveat`; or a note where an
        arm or the difference is missing.
    """
    horizon, level = found.rule.horizon_months, percent(found.rule.conf_level)
    known = table[table["estimate"].notna() & (table["horizon_months"] <= horizon)]
    arms = known.groupby("horizon_months")["arm"].nunique()
    whole = arms.index[arms == 3].to_list()
    if not whole:
        return pd.DataFrame([{"note": f"impact.none_{_why_none(found, what)}", **HERE}])
    rows = known[known["horizon_months"] == max(whole)].set_index("arm")
    gap = rows.loc["difference"]
    told = {"metric": "difference", **{name: gap[name] for name in ("estimate", "conf_low", "conf_high")}}
    told |= {f"{arm}_share": rows.loc[arm, "estimate"] for arm in ("treatment", "control")}
    told |= {"months": max(whole), "quiet_months": QUIET_MONTHS, "level": level}
    told |= {"caveat": caveat(found, "drift", "early", "not_drawn")}
    return pd.DataFrame([told | {"verdict": limits_verdict(gap["conf_low"], gap["conf_high"], unit="pp")}])


def _why_none(found: Evaluation, what: str) -> str:
    if not may_compare(found):
        return "beside"
    is_cut = len(found.panel) > 0 and not (found.panel["month"] < 0).any()
    return "churn_before" if what == "churn" and is_cut else what


def hidden_cause(found: Evaluation, table: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """Tell how strong a hidden cause must be to explain more second purchases away: one row, or none.

    Parameters
    ----------
    found, table
        As in `arms_apart`.
    told : DataFrame
        Its result: the horizon it speaks of.

    Returns
    -------
    DataFrame
        `metric` "risk_ratio", `estimate, conf_low, conf_high, e_value, limit`, where the verdict is judged,
        customers were not drawn by lot and the limit lies above 1.
    """
    is_open = found.decision["reason"].item() in JUDGED and found.assignment != "randomised"
    months = told["months"].tolist() if is_open and "months" in told else []
    ratio = share_ratio(table[table["horizon_months"].isin(months)], conf_level=found.rule.conf_level)
    return ratio[limits_side(ratio["limit"], ratio["limit"], null=1, unit="ratio") > 0].drop(columns="n")


def scores_apart(found: Evaluation, answers: pd.DataFrame | None, *, started_on: Any) -> pd.DataFrame:
    """Tell whether scores moved apart among those who answered twice, with its caveats; or a note.

    Returns
    -------
    DataFrame
        `metric` "score_difference", `verdict`, `estimate, conf_low, conf_high, n`, `level, caveat`.
    """
    rule = found.rule
    rows = pd.DataFrame()
    if answers is not None and "nps_score" in answers and may_compare(found):
        rows = score_effect(
            answers, compared(found), started_on=started_on, horizon_months=rule.horizon_months,
            conf_level=rule.conf_level,
        )  # fmt: skip
        rows = rows[(rows["n"] >= 2 * rule.min_cell) & rows["std_error"].notna()]
    if rows.empty:
        why = "score" if may_compare(found) else "beside"
        return pd.DataFrame([{"note": f"impact.none_{why}", **HERE}])
    return rows.assign(
        metric="score_difference", level=percent(rule.conf_level), caveat=caveat(found, "drift", "early"),
        verdict=limits_verdict(rows["conf_low"], rows["conf_high"], unit="score"),
    )  # fmt: skip


def groups_shown(found: Evaluation, customers: pd.DataFrame, *, by: str | None) -> pd.DataFrame:
    """Give the effect per group (`effect_by_group`), where a comparison holds that did not drift before."""
    rule = found.rule
    if by is None or not may_compare(found) or found.has_drift:
        return pd.DataFrame(columns=["metric", "estimate", "n", "n_treatment", "n_control"])
    return as_effects(
        effect_by_group(
            found.panel, customers, by=by, assignment=found.assignment, outcome_col=rule.outcome_col,
            horizon_months=rule.horizon_months, conf_level=rule.conf_level, min_cell=rule.min_cell,
        )
    )  # fmt: skip


def groups_note(found: Evaluation, split: pd.DataFrame, *, by: str | None) -> pd.DataFrame:
    """Tell why no effect per group is given, or that it is not judged yet: a note, or no row."""
    if by is None:
        return pd.DataFrame()
    if not may_compare(found) or found.has_drift:
        note = "impact.none_groups"
    elif split["estimate"].isna().all():
        note = "impact.groups_none"
    elif found.observed < found.rule.horizon_months:
        note = "impact.groups_early"
    else:
        return pd.DataFrame()
    months = {"months_observed": found.observed, "horizon_months": found.rule.horizon_months}
    return pd.DataFrame([{"note": note, **HERE, **months}])


def _horizons(found: Evaluation) -> list[int]:
    return sorted({6, 12, found.rule.horizon_months})
