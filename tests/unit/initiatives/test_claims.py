"""Sentences of the report on one initiative: a reason, a caveat and a badge only where they hold."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.initiatives.claims import (
    beside_words,
    caveat,
    dip_words,
    may_compare,
    money_words,
    naive_kind,
    payback_words,
)
from cxlib.language import catalogue, text


def found(**changes):
    """Build what the sentences read of an `Evaluation`: a year over, no drift, a return."""
    effects = pd.DataFrame({"estimate": [5.0] * 12, "std_error": 1.0, "n_treated": 10})
    known = {
        "has_drift": False,
        "has_drift_money": False,
        "observed": 12,
        "state": "ready",
        "effects": effects,
    }
    known |= {"covariance": np.eye(12), "break_even_effect": 2.0}
    known |= {"money": cx.roi_summary(effects, one_time_cost=200, monthly_cost=0)}
    return SimpleNamespace(**{"currency": "JPY", "has_few_groups": False, **known, **changes})


def shares(low, high, months=(6, 12)):
    rows = [
        {"horizon_months": month, "arm": arm, "estimate": value, "conf_low": low, "conf_high": high}
        for month in months
        for arm, value in {"treatment": 0.5, "control": 0.4, "difference": 0.1}.items()
    ]
    return pd.DataFrame(rows)


def beside(table, evaluation, *, is_drawn=True, horizon=12):
    course = {"what": "churn", "horizon_months": horizon, "conf_level": 0.8, "is_drawn": is_drawn}
    return beside_words(evaluation, table, lang="en", **course)


def said(words):
    names = {name for name in words if name not in ("key", "units", "verdict")}
    return text(words["key"], "en", **{name: words[name] for name in names})


def test_a_difference_within_its_interval_is_not_told_as_one():
    (apart,) = beside(shares(0.02, 0.18), found())
    (together,) = beside(shares(-0.02, 0.22), found())
    assert apart["key"] == "impact.churn_difference"
    assert together["key"] == "impact.churn_no_difference"
    assert "80% interval" in said(apart)
    assert "no difference" in said(together)


def test_a_comparison_the_report_forbids_says_so_in_the_same_sentence():
    table = shares(0.02, 0.18)
    (drift,) = beside(table, found(has_drift=True))
    assert "already moved apart" in said(drift)
    (early,) = beside(table, found(observed=7), horizon=24)
    assert early["months"] == 12
    assert "The 24 months are not over" in said(early)
    (picked,) = beside(table, found(), is_drawn=False)
    assert "not drawn by lot" in said(picked)
    (clean,) = beside(table, found())
    assert clean["caveat"] == ""


def test_the_last_horizon_with_both_groups_is_the_one_told():
    table = shares(0.02, 0.18)
    half = table[(table["horizon_months"] == 6) | (table["arm"] != "control")]
    assert beside(half, found())[0]["months"] == 6
    assert beside(table, found(), horizon=3) == []
    assert beside(table.head(0), found()) == []


def test_caveats_fit_into_a_sentence_in_both_languages():
    everything = found(has_drift=True, observed=1)
    for lang in ("en", "ja"):
        assert 0 < len(caveat(everything, lang, "drift", "early", "not_drawn", horizon_months=36)) < 200


@pytest.mark.parametrize(
    ("state", "where"), [("ready", "ROI"), ("too_early", "running total"), ("no_cost", "benefit")]
)
def test_what_the_two_parts_are_in_is_what_the_line_above_shows(state, where):
    (words,) = dip_words(found(state=state), conf_level=0.95, lang="en")
    assert where in said(words)
    assert dip_words(found(state=state, has_drift_money=True), conf_level=0.95, lang="en") == []


def test_break_even_explains_an_open_end_only_where_there_is_one():
    (sure,) = payback_words(found(), lang="en")
    assert (sure["key"], sure["open"]) == ("impact.payback_reached", "")
    unsure = found()
    unsure.money = cx.roi_summary(unsure.effects.assign(std_error=9.0), one_time_cost=500, monthly_cost=0)
    (words,) = payback_words(unsure, lang="en")
    assert (words["key"], words["payback_months_conf_high"]) == ("impact.payback_reached", np.inf)
    assert "not within 12 months" in words["open"]
    assert payback_words(found(state="drift"), lang="en") == []


@pytest.mark.parametrize("state", ["too_early", "no_cost", "zero_cost"])
def test_money_of_groups_that_moved_apart_carries_it(state):
    words = money_words(found(state=state, has_drift_money=True), horizon_months=12, lang="en")
    assert "{caveat}" in catalogue()[words["key"]]["en"]
    assert "already moved apart" in words["caveat"]
    assert money_words(found(state=state), horizon_months=12, lang="en")["caveat"] == ""


def test_a_cost_of_zero_needs_no_effect_to_cover_it():
    free = found(state="no_effect", break_even_effect=0.0, money=None)
    assert money_words(free, horizon_months=12, lang="en")["key"] == "impact.money_no_effect_free"


def test_a_difference_whose_limit_is_shown_as_zero_is_none():
    (words,) = beside(shares(0.0004, 0.2), found())
    assert words["key"] == "impact.churn_no_difference"
    (words,) = beside(shares(0.002, 0.2), found())
    assert words["key"] == "impact.churn_difference"


def test_nothing_is_compared_by_too_few_whole_groups():
    answer = {"is_answer": True}
    assert may_compare(found(answer=answer, observed=6))
    assert not may_compare(found(answer=answer, observed=6, has_few_groups=True))


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
    sentence = catalogue()[f"impact.naive_{kind}"]["en"]
    assert ("{naive_low}" in sentence) == np.isfinite(naive)
    assert ("{conf_low}" in sentence) == (kind in ("compared", "targeted"))
