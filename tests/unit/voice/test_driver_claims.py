"""What chapter 3 claims of drivers: one that leads, none that does, groups too small, nothing to weigh."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from cxlib.voice.drivers import claims, shown

IMPORTANCE = pd.DataFrame(
    {"driver": ["a", "b"], "importance": [0.7, 0.3], "conf_low": 0.2, "conf_high": 0.8, "n": [90, 85]}
).assign(customers=[80, 75], probability_first=[0.99, 0.01], status="ok", rank=[1, 2])
UNKNOWN = IMPORTANCE.assign(importance=np.nan)
PLACES = pd.DataFrame({"driver": ["a", "b"], "probability_fix_first": [0.99, 0.2], "runs_against": False})
PLACES = PLACES.assign(performance=50.0, performance_line=75.0)


def test_the_top_driver_counts_customers_or_says_why_there_is_none():
    [row] = claims.top_driver(IMPORTANCE, has_outcome=True)
    assert (row["driver"], row["importance"], row["n"]) == ("a", 0.7, 80)
    [open_row] = claims.top_driver(IMPORTANCE.assign(probability_first=0.9), has_outcome=True)
    assert (row["claim"], open_row["claim"]) == ("first", "open")
    assert claims.top_driver(UNKNOWN, has_outcome=True) == [{"note": "nps.no_drivers"}]
    assert claims.top_driver(UNKNOWN, has_outcome=False) == [{"note": "nps.no_outcome"}]
    assert claims.top_driver(UNKNOWN, has_outcome=True, is_asked=False) == []
    assert len(shown.known_drivers(IMPORTANCE)) == 2 and shown.known_drivers(UNKNOWN).empty


def test_items_nobody_answered_are_named_beside_those_that_were():
    [note] = claims.unanswered(["a", "b", "c"], ["a", "c"])
    assert note["drivers"] == ["b"]
    assert claims.unanswered(["a"], ["a"]) == claims.unanswered(["a"], []) == []


@pytest.mark.parametrize(
    ("needed", "claim", "drivers"), [(0.975, "some", ["a"]), (0.1, "some", ["a", "b"]), (0.995, "none", [])]
)
def test_what_to_fix_first_is_named_in_the_required_share_of_resamples(needed, claim, drivers):
    [row] = claims.fix_first(PLACES, needed=needed, n=80)
    assert (row["claim"], row["drivers"], row["needed_share"]) == (claim, drivers, needed)
    told = claims.fix_first(PLACES.assign(runs_against=[False, True]), needed=needed, n=80)
    assert told[1]["note"] == "nps.runs_against" and told[1]["drivers"] == ["b"]
    assert claims.fix_first(PLACES.head(0), needed=needed, n=80) == []


def test_each_group_names_its_driver_only_where_it_is_sure():
    top = pd.DataFrame({"g": ["x", "y"], "driver": ["a", "b"], "p": [0.98, 0.5]})
    asked = {"by": "g", "probability": "p", "needed": 0.975}
    [row] = claims.first_by_group(top, **asked)
    assert row["groups"] == [{"group": "x", "driver": "a"}] and row["miss_share"] == pytest.approx(0.05)
    assert claims.first_by_group(top.tail(1), **asked)[0]["claim"] == "none"
    assert claims.first_by_group(top.head(0), **asked) == []


def test_groups_left_out_are_said_by_their_reason():
    sizes = pd.Series({"x": 90, "y": 80, "z": 70})
    notes = claims.groups_left_out(["x", "y", "z", "w"], sizes, most=2)
    assert {note["note"]: note["groups"] for note in notes} == {
        "nps.groups_not_drawn": ["z"],
        "nps.groups_too_small": ["w"],
    }
    assert claims.groups_left_out(["x", "w"], sizes.head(0), most=2) == []
    assert claims.no_group_drivers(IMPORTANCE.head(0), IMPORTANCE) == [{"note": "nps.no_group_drivers"}]
    assert claims.no_group_drivers(IMPORTANCE, IMPORTANCE) == []
    assert claims.no_group_drivers(IMPORTANCE.head(0), IMPORTANCE.head(0)) == []


def test_pairs_with_too_few_customers_or_without_a_kind_are_not_shown():
    each = pd.DataFrame({"g": ["x", "x", "y"], "driver": ["a", "b", "a"], "customers": [9, 20, 30]})
    assert shown.shown_pairs(each, min_cell=10)["customers"].tolist() == [20, 30]
    labelled = each.assign(label=["basic", None, "basic"])
    assert shown.shown_pairs(labelled, min_cell=10)["g"].tolist() == ["y"]
    uncounted = each.drop(columns="customers")
    assert shown.shown_pairs(uncounted, min_cell=10, counted=each)["customers"].tolist() == [20, 30]
    assert shown.shown_pairs(uncounted, min_cell=10).empty
    assert shown.group_sizes(each, by="g").to_dict() == {"y": 30, "x": 20}
    assert shown.group_sizes(uncounted.head(0), by="g").empty
    assert shown.first_of_each(each.assign(rank=[1, 2, 1]))["g"].tolist() == ["x", "y"]
    assert shown.first_of_each(uncounted).empty


def test_collinear_drivers_and_few_answers_are_warned_of():
    assert claims.driver_notes(IMPORTANCE, n_drivers=2) == []
    notes = claims.driver_notes(IMPORTANCE.assign(status=["ok", "collinear"]), n_drivers=9)
    assert [note["note"] for note in notes] == ["nps.collinear", "nps.few_per_driver"]
    assert notes[0]["drivers"] == ["b"] and (notes[1]["answers"], notes[1]["needed"]) == (85, 90)
    assert claims.driver_notes(UNKNOWN, n_drivers=9) == []
    assert claims.fewest_answers(IMPORTANCE.head(0)) == 0


def test_rules_split_drivers_only_where_two_are_in_a_group():
    groups = [SimpleNamespace(id="g", drivers=["a", "b", "z"])]
    assert shown.drivers_in_groups(["a", "b", "c"], groups) == {"a": "g", "b": "g", "c": "c"}
    assert shown.drivers_in_groups(["a", "c"], groups) == {}  # one alone is no group
    assert shown.drivers_in_groups(["a", "b"], groups) == {}  # all in one: nothing is split
    assert claims.no_driver_groups({}, IMPORTANCE)[0]["note"] == "nps.no_driver_groups"
    assert (
        claims.no_driver_groups({"a": "g"}, IMPORTANCE) == claims.no_driver_groups({}, UNKNOWN.head(0)) == []
    )


def test_shares_of_groups_are_said_with_their_intervals():
    parted = IMPORTANCE.rename(columns={"driver": "group"})
    [row] = claims.shares_of_groups(parted)
    assert row["n"] == 75 and [part["group"] for part in row["shares"]] == ["a", "b"]
    assert claims.shares_of_groups(parted.head(0)) == []


def test_agreement_of_items_is_said_where_it_is_known():
    battery = pd.DataFrame({"metric": ["alpha", "omega", "first_factor"], "estimate": [0.7, 0.8, 0.4]})
    battery = battery.assign(conf_low=0.6, conf_high=0.9, customers=80)
    [row] = claims.halo(battery)
    assert (row["estimate"], row["omega"], row["first_factor_share"], row["n"]) == (0.7, 0.8, 0.4, 80)
    assert claims.halo(battery.assign(estimate=np.nan)) == claims.halo(battery.head(0)) == []


def test_hidden_drivers_need_a_question_on_what_matters():
    beside = pd.DataFrame({"driver": ["a", "b"], "is_hidden": [True, False]})
    [row] = claims.hidden_drivers(beside, IMPORTANCE, n=80)
    assert (row["claim"], row["drivers"]) == ("some", ["a"])
    assert claims.hidden_drivers(beside.tail(1), IMPORTANCE, n=80)[0]["claim"] == "none"
    assert claims.hidden_drivers(beside.head(0), IMPORTANCE, n=80)[0]["note"] == "nps.not_stated"
    assert claims.hidden_drivers(beside.head(0), UNKNOWN.head(0), n=80) == []
    assert shown.stated_items(["driver_a", "driver_b"], ["stated_a"]) == {"driver_a": "stated_a"}


def test_unlike_borders_are_named_after_adjusting():
    fit = pd.DataFrame(
        {"metric": "coefficient", "driver": ["a", "b"], "estimate": 1.0, "p_parallel": [0.01, 0.9]}
    )
    asked = {"conf_level": 0.95, "n": 80, "is_asked": True}
    assert claims.not_parallel(fit, **asked) == [{"drivers": ["a"], "n": 80}]
    assert claims.not_parallel(fit.assign(p_parallel=[0.04, 0.9]), **asked) == []  # 0.08 once adjusted
    none = fit.assign(estimate=np.nan, p_parallel=np.nan)
    assert claims.not_parallel(none, **asked) == [{"note": "nps.no_one_point"}]
    assert claims.not_parallel(none, **asked | {"is_asked": False}) == []


def test_what_one_point_goes_with_is_named_for_the_outcome():
    ends = [
        f"{side}_change{end}" for side in ("promoter", "detractor") for end in ("", "_conf_low", "_conf_high")
    ]
    fit = pd.DataFrame([{"metric": "coefficient", "driver": "a", "estimate": 1.0, "p_parallel": 0.5}])
    fit = fit.assign(**dict(zip(ends, range(6), strict=True)))
    plain, boxes = (shown.one_point(fit, outcome=name, n=80) for name in ("nps_score", "csat_score"))
    assert plain["detractor_change"].tolist() == boxes["worst_boxes_change"].tolist() == [3]
    assert list(boxes.columns)[1] == "best_boxes_change" and plain["customers"].tolist() == [80]
    assert shown.one_point(fit.assign(estimate=np.nan), outcome="nps_score", n=80).empty
    assert shown.outcome_cuts("csat_score", (1, 3)) == (2, 3)


def test_kinds_of_drivers_each_have_a_sentence():
    contrast = pd.DataFrame({"driver": list("abcd"), "label": ["basic", "excitement", "basic", "neutral"]})
    told = claims.kinds_of_drivers(contrast, n=80)
    assert {row["claim"]: row["drivers"] for row in told} == {"basic": ["a", "c"], "excitement": ["b"]}
    assert claims.kinds_of_drivers(contrast.head(0), n=80) == []
    assert claims.no_asymmetry(contrast.head(0), (1, 5), is_asked=True)[0]["high"] == 5
    assert claims.no_asymmetry(contrast, (1, 5), is_asked=True) == []
    assert claims.no_asymmetry(contrast.head(0), (1, 5), is_asked=False) == []


def test_uneven_pairs_are_named_after_adjusting():
    each = pd.DataFrame({"g": ["x", "y"], "driver": "a", "label": "basic", "asymmetry_p_value": [0.01, 0.9]})
    [row] = claims.uneven_by_group(each, by="g", conf_level=0.95)
    assert row["groups"] == [{"group": "x", "driver": "a", "label": "basic"}]
    neither = each.assign(label="neutral")
    assert claims.uneven_by_group(neither, by="g", conf_level=0.95) == [{"claim": "none"}]
    even = each.assign(asymmetry_p_value=[0.04, 0.9])
    assert claims.uneven_by_group(even, by="g", conf_level=0.95) == [{"claim": "none"}]
    assert claims.uneven_by_group(each.head(0), by="g", conf_level=0.95) == []


def test_two_methods_agree_or_the_drivers_that_change_places_are_named():
    same = shown.beside_other(IMPORTANCE, IMPORTANCE)
    assert claims.order_agrees(same, n=85) == [{"claim": "agrees", "drivers": [], "n": 85}]
    other = shown.beside_other(IMPORTANCE, IMPORTANCE.assign(rank=[2, 1]))
    assert claims.order_agrees(other, n=85)[0]["drivers"] == ["a", "b"]
    assert claims.order_agrees(same.head(0), n=85) == []


@pytest.mark.parametrize(
    ("fix", "first", "n_drivers", "claim", "verdict"),
    [
        ([0.99, 0.2], 0.99, 2, "only", "start_here"),
        ([0.99, 0.99], 0.99, 2, "here", "start_here"),
        ([0.99, 0.99], 0.5, 2, "several", "undecided"),
        ([0.2, 0.2], 0.99, 2, "none", "not_met"),
        ([0.99, 0.2], 0.99, 9, "too_few", "not_enough_data"),
    ],
)
def test_where_to_start_is_claimed_as_the_rule_decides(fix, first, n_drivers, claim, verdict):
    importance = IMPORTANCE.assign(probability_first=[first, 1 - first])
    places = PLACES.assign(probability_fix_first=fix)
    [row] = claims.start(importance, places, needed=0.975, n_drivers=n_drivers, n=80)
    assert (row["claim"], row["verdict"], row["top"]) == (claim, verdict, "a")
    assert (row["answers"], row["least"], row["probability_first"]) == (85, 10 * n_drivers, first)
    assert len(claims.rule_error([row])) == (claim == "here")


def test_without_drivers_there_is_nothing_to_start_with():
    assert claims.start(UNKNOWN, PLACES, needed=0.975, n_drivers=2, n=80) == []
