"""Sentences of the report on one initiative: a reason, a caveat and a badge only where they hold."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.initiatives import beside_claims, claims
from cxlib.initiatives.doubt_claims import naive_kind
from cxlib.language import catalogue, text


def found(*, horizon=12, conf_level=0.8, outcome="margin", **changes):
    """Build what the sentences read of an `Evaluation`: a year over, no drift, a return."""
    effects = pd.DataFrame({"estimate": [5.0] * 12, "std_error": 1.0, "n_treated": 10})
    rule = cx.Terms(outcome_col=outcome, horizon_months=horizon, conf_level=conf_level, currency="JPY")
    decision = {"verdict": "effective", "reason": "above_min", "estimate": 5.0, "conf_low": 4.0}
    decision |= {"conf_high": 6.0, "min_effect": 1.0, "has_control": True}
    known = {"has_drift": False, "has_drift_money": False, "observed": 12, "state": "ready", "notes": []}
    known |= {"effects": effects, "covariance": np.eye(12), "break_even_effect": 2.0, "rule": rule}
    known |= {"assignment": "randomised", "has_few_groups": False, "decision": pd.DataFrame([decision])}
    known |= {"answer": pd.Series({"is_answer": True, "n_treatment": 40, "n_control": 50, **decision})}
    known |= {"terms": {"one_time_cost": 200, "monthly_cost": 0, "covariance": np.eye(12)}}
    known |= {"money": cx.roi_summary(effects, one_time_cost=200, monthly_cost=0)}
    known |= {"panel": pd.DataFrame({"month": [-1, 0]})}
    return SimpleNamespace(**known | changes)


def shares(low, high, months=(6, 12)):
    rows = [
        {"horizon_months": month, "arm": arm, "estimate": value, "conf_low": low, "conf_high": high}
        for month in months
        for arm, value in {"treatment": 0.5, "control": 0.4, "difference": 0.1}.items()
    ]
    return pd.DataFrame(rows)


def beside(table, evaluation):
    (row,) = beside_claims.arms_apart(evaluation, table, what="churn").to_dict("records")
    return row


def spoken(row):
    """Caveat of a row in words."""
    return text(f"value.caveat.{row['caveat']}", "en") if row["caveat"] else ""


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.02, 0.18, "differ"),
        (-0.18, -0.02, "differ"),
        (-0.02, 0.22, "no_difference_shown"),
        (0.0004, 0.2, "no_difference_shown"),  # a limit that is shown as zero
        (0.002, 0.2, "differ"),
    ],
)
def test_a_difference_within_its_interval_is_not_told_as_one(low, high, verdict):
    row = beside(shares(low, high), found())
    assert (row["verdict"], row["level"], row["months"]) == (verdict, "80%", 12)
    assert "no difference" in catalogue()["impact.churn.no_difference_shown"]["en"]


def test_a_comparison_the_report_forbids_says_so_in_the_same_sentence():
    table = shares(0.02, 0.18)
    assert "already moved apart" in spoken(beside(table, found(has_drift=True)))
    early = beside(table, found(observed=7, horizon=24))
    assert early["months"] == 12 and "not over" in spoken(early)
    assert "not drawn by lot" in spoken(beside(table, found(assignment="targeted")))
    assert "not drawn" not in spoken(beside(table, found(assignment="targeted", has_drift=True)))
    assert beside(table, found())["caveat"] == ""


def test_the_last_horizon_with_both_groups_is_the_one_told():
    table = shares(0.02, 0.18)
    half = table[(table["horizon_months"] == 6) | (table["arm"] != "control")]
    assert beside(half, found())["months"] == 6


def test_why_nothing_is_compared_is_the_reason_that_holds():
    none = shares(0.02, 0.18).head(0)
    assert beside(shares(0.02, 0.18), found(horizon=3))["note"] == "impact.none_churn"
    assert beside(none, found(panel=pd.DataFrame({"month": [0]})))["note"] == "impact.none_churn_before"
    assert beside(none, found(has_few_groups=True))["note"] == "impact.none_beside"
    second = beside_claims.arms_apart(found(), none, what="f2")
    assert second["note"].item() == "impact.none_f2" and second["note"].item() in catalogue()


@pytest.mark.parametrize("assignment", ["randomised", "targeted"])
@pytest.mark.parametrize("has_drift", [False, True])
@pytest.mark.parametrize("observed", [1, 12])
def test_every_caveat_has_words(assignment, has_drift, observed):
    held = found(assignment=assignment, has_drift=has_drift, observed=observed)
    for kinds in (("drift",), ("drift", "early"), ("drift", "early", "not_drawn")):
        code = claims.caveat(held, *kinds)
        assert code == "" or len(catalogue()[f"value.caveat.{code}"]["en"]) < 160


@pytest.mark.parametrize(
    ("state", "where"), [("ready", "ROI"), ("too_early", "running total"), ("no_cost", "benefit")]
)
def test_what_the_two_parts_are_in_is_what_the_line_above_shows(state, where):
    (row,) = claims.dip(found(state=state)).to_dict("records")
    assert where in spoken(row) and row["claim"] == "no_dip"
    assert claims.dip(found(state=state, has_drift_money=True)).empty


def test_a_dip_needs_a_gain_and_a_loss_beyond_doubt():
    effects = pd.DataFrame({"estimate": [9.0] * 3 + [-9.0] * 9, "std_error": 1.0, "n_treated": 10})
    assert claims.dip(found(effects=effects))["claim"].item() == "dip"
    unsure = found(effects=effects, covariance=np.eye(12) * 900)
    assert claims.dip(unsure)["claim"].item() == "no_dip"


def test_break_even_explains_an_open_end_only_where_there_is_one():
    assert claims.payback(found())["claim"].item() == "reached"
    unsure = found()
    unsure.money = cx.roi_summary(unsure.effects.assign(std_error=9.0), one_time_cost=500, monthly_cost=0)
    (row,) = claims.payback(unsure).to_dict("records")
    assert (row["claim"], row["payback_months_conf_high"]) == ("reached_open", np.inf)
    assert claims.payback(found(state="drift")).empty


@pytest.mark.parametrize("state", ["too_early", "no_cost", "zero_cost"])
def test_money_of_groups_that_moved_apart_carries_it(state):
    row = claims.money_told(found(state=state, has_drift_money=True))
    assert "{caveat}" in catalogue()[f"impact.money.{row['claim']}"]["en"]
    assert "already moved apart" in spoken(row)
    assert claims.money_told(found(state=state))["caveat"] == ""


def test_a_cost_of_zero_needs_no_effect_to_cover_it():
    free = found(state="no_effect", break_even_effect=0.0, money=None)
    assert claims.money_told(free)["claim"] == "no_effect_free"


def test_a_return_is_shown_only_where_it_is_complete_and_without_odds_after_a_drift():
    assert "prob_roi_positive" in set(claims.money_shown(found())["metric"])
    assert "prob_roi_positive" not in set(claims.money_shown(found(state="drift"))["metric"])
    early = found(state="too_early")
    assert claims.money_shown(early).empty and claims.tornado_shown(early).empty
    assert claims.scenario_ends(claims.scenarios_shown(early)).empty
    assert len(claims.cash_shown(early)) == 13 and claims.cash_shown(found(has_drift_money=True)).empty
    ends = claims.tornado_ends(claims.tornado_shown(found()))
    assert (ends["roi_low"] <= ends["roi_high"]).all() and len(ends)
    (futures,) = claims.scenario_ends(claims.scenarios_shown(found())).to_dict("records")
    assert futures["roi_low"] < futures["roi_high"]


def test_the_verdict_is_told_by_its_reason_in_the_unit_of_its_outcome():
    row = claims.reached(found(outcome="repeat", has_drift=True), name="Coaching")
    assert (row["claim"], row["verdict"], row["metric"]) == ("above_min", "effective", "repeat_effect")
    assert row["smallest_estimate"] == 1.0 and row["roi_conf_low"] < row["roi_conf_high"]
    assert "already moved apart" in spoken(row)
    silent = found(decision=found().decision.assign(reason="no_interval"))
    assert claims.reached(silent, name="A")["claim"] == "no_interval_few"
    silent.notes = [{"key": "impact.note_constant"}]
    assert claims.reached(silent, name="A")["claim"] == "no_interval"


def test_nothing_is_compared_by_too_few_whole_groups():
    assert claims.may_compare(found(observed=6))
    assert not claims.may_compare(found(observed=6, has_few_groups=True))


@pytest.mark.parametrize(
    ("naive", "answer", "assignment", "kind"),
    [
        (1.0, {"conf_low": 1.0, "is_answer": True}, "staggered", "compared"),
        (1.0, {"conf_low": 1.0, "is_answer": True}, "targeted", "targeted"),
        (1.0, {"conf_low": np.nan, "is_answer": True}, "targeted", "open"),
        (np.nan, {"conf_low": np.nan, "is_answer": True}, "targeted", "bare"),
        (1.0, {"conf_low": 1.0, "is_answer": False}, "everyone", "alone"),
        (np.nan, {"conf_low": 1.0, "is_answer": False}, "everyone", "alone_bare"),
    ],
)
def test_no_sentence_speaks_of_limits_that_are_not_there(naive, answer, assignment, kind):
    row = {"conf_low": naive, "conf_high": 2.0}
    assert naive_kind(row, {"conf_high": 2.0} | answer, assignment=assignment) == kind
    sentence = catalogue()[f"impact.naive.{kind}"]["en"]
    assert ("{naive_conf_low}" in sentence) == np.isfinite(naive)
    assert ("{conf_low}" in sentence) == (kind in ("compared", "targeted"))
