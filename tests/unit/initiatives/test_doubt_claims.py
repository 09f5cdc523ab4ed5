"""What the report holds against its own answer: both signs, undecided, and nothing where there is no test."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.initiatives import beside_claims, doubt_claims
from cxlib.language import catalogue


def found(**changes):
    """Build what the sentences read of an `Evaluation`: a lot draw over a year, an effect of 100."""
    answer = {"rung": "did", "estimate": 100.0, "conf_low": 40.0, "conf_high": 160.0, "months_observed": 12}
    answer |= {"is_answer": True}
    naive = answer | {"rung": "before_after", "estimate": 70.0, "is_answer": False}
    known = {"answer": pd.Series(answer), "ladder": pd.DataFrame([naive, answer]), "assignment": "randomised"}
    known |= {"rule": cx.Terms(currency="JPY"), "has_drift": False, "has_few_groups": False, "observed": 12}
    known |= {"has_drift_money": False, "break_even_effect": 30.0, "drift": drift()}
    known |= {"decision": pd.DataFrame([{"reason": "above_min"}]), "panel": pd.DataFrame({"month": [0]})}
    return SimpleNamespace(**known | changes)


def drift(low=-20.0, high=30.0, *, is_alarm=False, is_uneven=False):
    placebo = {"metric": "placebo", "estimate": (low + high) / 2, "conf_low": low, "conf_high": high}
    placebo |= {"conf_level": 0.95, "months": 6.0, "p_value": 0.2, "limit": 0.05, "is_alarm": is_alarm}
    pretrend = {"metric": "pretrend", "p_value": 0.001 if is_uneven else 0.5, "limit": 0.05}
    return pd.DataFrame([placebo, pretrend | {"is_alarm": is_uneven}])


def one(frame):
    (row,) = frame.to_dict("records")
    return row


def test_before_and_after_stands_beside_the_answer_with_what_lies_between():
    row = one(doubt_claims.naive(found()))
    assert (row["claim"], row["naive_estimate"], row["drift_estimate"]) == ("compared", 70.0, -30.0)
    assert row["caveat"] == "" and one(doubt_claims.naive(found(has_drift=True)))["caveat"] == "drift"
    assert doubt_claims.naive(found(ladder=found().ladder.tail(1))).empty
    assert doubt_claims.passed_over(found()).empty
    passed = found(ladder=found().ladder.assign(rung="did_found").tail(1))
    assert one(doubt_claims.passed_over(passed))["estimate"] == 100.0


@pytest.mark.parametrize(
    ("tests", "claim"),
    [
        (drift(), "quiet"),
        (drift(0.4, 30.0), "quiet"),  # a limit that is shown as zero
        (drift(5.0, 30.0), "lot"),
        (drift(-30.0, -5.0), "lot"),
        (drift(5.0, 30.0, is_alarm=True), "alarm"),
        (drift(is_uneven=True), "silent"),
    ],
)
def test_a_made_up_start_claims_what_its_rule_says(tests, claim):
    row = one(doubt_claims.made_up_start(found(drift=tests)))
    assert row["claim"] == claim and f"impact.placebo.{claim}" in catalogue()
    assert row["widest_estimate"] == tests[["conf_low", "conf_high"]].abs().max(axis=None)
    assert len(doubt_claims.uneven_months(found(drift=tests))) == (claim == "silent")


def test_a_made_up_start_has_no_result_beside_it_where_there_is_none_yet():
    early = found(drift=drift(), answer=found().answer.copy())
    early.answer["estimate"] = float("nan")
    assert one(doubt_claims.made_up_start(early))["claim"] == "quiet_alone"


def test_too_few_whole_groups_are_no_test():
    alarmed = drift(5.0, 30.0, is_alarm=True, is_uneven=True)
    assert doubt_claims.made_up_start(found(drift=alarmed, has_few_groups=True)).empty
    assert doubt_claims.uneven_months(found(drift=alarmed, has_few_groups=True)).empty


@pytest.mark.parametrize(("cost", "estimate", "claim"), [(30.0, 100.0, "within"), (130.0, 100.0, "above")])
def test_what_covers_the_cost_is_set_beside_a_judged_effect(cost, estimate, claim):
    row = one(doubt_claims.break_even(found(break_even_effect=cost)))
    assert row["claim"] == claim and row["needed_share"] == cost / estimate


def test_nothing_is_set_beside_an_effect_that_is_none_or_not_judged():
    loss = found()
    loss.answer["estimate"] = -5.0
    assert doubt_claims.break_even(loss).empty
    assert doubt_claims.break_even(found(decision=pd.DataFrame([{"reason": "drift"}]))).empty
    assert doubt_claims.break_even(found(rule=cx.Terms(outcome_col="orders"))).empty
    assert doubt_claims.break_even(found(break_even_effect=0.0)).empty


@pytest.mark.parametrize(("most", "claim"), [(0.4, "holds"), (0.009, "none"), (0.0, "none")])
def test_a_breakdown_value_that_reads_zero_is_none(most, claim):
    assert one(doubt_claims.breakdown_told(pd.DataFrame({"breakdown": [most]})))["claim"] == claim
    assert doubt_claims.breakdown_told(pd.DataFrame()).empty


def test_a_regression_is_told_by_its_weights_and_missed_only_where_waves_were_planned():
    pairs = pd.DataFrame({"estimate": [10.0, 20.0], "weight_share": [0.75, 0.25]})
    pairs["comparison"] = ["treated_untreated", "later_earlier"]
    row = one(doubt_claims.regression_told(found(), pairs))
    assert (row["estimate"], row["leaning_share"]) == (12.5, 0.25)
    assert doubt_claims.regression_told(found(), pd.DataFrame()).empty
    none = one(doubt_claims.regression_told(found(assignment="staggered"), pd.DataFrame()))
    assert none["note"] in catalogue()


@pytest.mark.parametrize(("cost", "claim"), [(30.0, ""), (0.0, "no_cost")])
def test_the_plan_names_what_covers_a_cost_only_where_there_is_one(cost, claim):
    plan = pd.DataFrame({"horizon_months": [6, 12], "metric": "margin_effect", "estimate": [80.0, 60.0]})
    plan = plan.assign(power=0.8, months_observed=12)
    row = one(doubt_claims.plan_told(found(break_even_effect=cost), plan))
    assert (row["claim"], row["estimate"]) == (claim, 60.0)


def test_another_base_needs_a_judged_verdict_and_months_before():
    (note,) = doubt_claims.other_base(found()).to_dict("records")  # no month before the start
    assert note["note"] == "impact.none_sensitivity"


def test_a_hidden_cause_is_weighed_for_a_judged_comparison_not_drawn_by_lot():
    arms = {"arm": ["treatment", "control"], "estimate": [0.6, 0.3], "n": [300, 300]}
    table = pd.DataFrame({"horizon_months": 12, **arms})
    told = pd.DataFrame({"months": [12]})
    picked = found(assignment="targeted")
    assert one(beside_claims.hidden_cause(picked, table, told))["limit"] > 1
    assert beside_claims.hidden_cause(found(), table, told).empty
    same = table.assign(estimate=0.3)
    assert beside_claims.hidden_cause(picked, same, told).empty
    assert beside_claims.hidden_cause(picked, table, pd.DataFrame([{"note": "impact.none_f2"}])).empty


@pytest.mark.parametrize(
    ("changes", "by", "note"),
    [
        ({}, None, None),
        ({}, "region", None),
        ({"has_drift": True}, "region", "impact.none_groups"),
        ({"observed": 7}, "region", "impact.groups_early"),
    ],
)
def test_why_no_effect_per_group_is_told(changes, by, note):
    split = pd.DataFrame({"estimate": [1.0, np.nan]})
    told = beside_claims.groups_note(found(**changes), split, by=by)
    assert (told["note"].item() if len(told) else None) == note
    nobody = beside_claims.groups_note(found(), split.tail(1), by="region")
    assert nobody["note"].item() == "impact.groups_none"
