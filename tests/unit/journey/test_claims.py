"""What the journey chapter claims: both signs, undecided, too few."""

import types

import numpy as np
import pandas as pd
import pytest

from cxlib.journey.claims import (
    lapse_ratio,
    lowest_stage,
    rework_first,
    steepest_fall,
    valley_cost,
    valley_stage,
    where_to_start,
)


def after(low, high, *, n=(100, 90), estimate=None):
    gap = (low + high) / 2 if estimate is None else estimate
    return pd.DataFrame(
        {
            "metric": ["f2", "f2", "difference", "purchases"],
            "group": ["negative", "other", "negative", "negative"],
            "estimate": [0.1, 0.1 - gap, gap, gap * n[0]],
            "conf_low": [0.0, 0.0, low, low * n[0]],
            "conf_high": [0.2, 0.2, high, high * n[0]],
            "n": [*n, sum(n), n[0]],
        }
    )


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.3, -0.1, "fewer"),
        (0.1, 0.3, "more"),
        (-0.1, 0.1, "no_difference_shown"),
        (-0.2, -0.0004, "no_difference_shown"),  # a limit that reads 0.0 does not lie beyond zero
    ],
)
def test_the_cost_of_a_valley_is_claimed_on_the_side_its_limits_lie(low, high, verdict):
    told = valley_cost(after(low, high), stage="decide", days=180, first_buyers=300)
    assert (told["verdict"], told["note"]) == (verdict, "")
    assert told["purchases"] >= 0 and told["n"] == 100


def test_too_few_or_no_estimate_say_why():
    at = {"stage": "decide", "days": 180, "first_buyers": 300}
    assert valley_cost(after(-0.3, -0.1, n=(9, 90)), **at)["note"] == "unknown"
    assert valley_cost(after(-0.3, -0.1, estimate=np.nan), **at)["note"] == "unknown"
    assert valley_cost(after(-0.3, -0.1), **at | {"first_buyers": 9})["note"] == "no_buyers"
    assert valley_cost(after(-0.3, -0.1), **at | {"stage": None})["note"] == "no_valley"


def valley_row(verdict):
    return pd.DataFrame({"stage": [None if verdict == "no_valley" else "decide"], "verdict": [verdict]})


@pytest.mark.parametrize(
    ("named", "cost", "first_buyers", "verdict"),
    [
        ("valley", {"verdict": "fewer", "note": ""}, 300, "met"),
        ("valley", {"verdict": "more", "note": ""}, 300, "not_met"),
        ("valley", {"verdict": "no_difference_shown", "note": ""}, 300, "not_met"),
        ("valley", {"verdict": "fewer", "note": "unknown"}, 300, "not_enough_data"),
        ("unconfirmed", {"verdict": "fewer", "note": ""}, 300, "not_met"),
        ("no_valley", {"verdict": "fewer", "note": "no_valley"}, 300, "not_met"),
        ("no_valley", {"verdict": "fewer", "note": "no_valley"}, 9, "not_enough_data"),
        ("not_enough_data", {"verdict": "fewer", "note": ""}, 300, "not_enough_data"),
    ],
)
def test_the_rule_is_met_only_by_a_valley_of_both_curves_with_fewer_purchases(
    named, cost, first_buyers, verdict
):
    decision = rework_first(valley_row(named), cost, first_buyers=first_buyers)
    assert decision == {"stage": "decide" if verdict == "met" else None, "verdict": verdict}


def test_nobody_answered_is_not_judged():
    cost = {"verdict": "fewer", "note": "no_valley"}
    assert rework_first(valley_row("valley").head(0), cost, first_buyers=300)["verdict"] == "not_enough_data"
    assert valley_stage(valley_row("valley").head(0)) is None
    assert valley_stage(valley_row("no_valley")) is None


def test_where_to_start_asks_for_a_met_rule_and_a_shown_loss():
    points = [types.SimpleNamespace(id="shop", stage="buy"), types.SimpleNamespace(id="mail", stage="decide")]
    met = {"stage": "decide", "verdict": "met"}
    loss = pd.DataFrame({"touchpoint": ["shop"], "verdict": ["loss"]})
    assert where_to_start(met, loss, points)["claim"].tolist() == ["other"]
    assert where_to_start(met, loss.replace("shop", "mail"), points)["claim"].tolist() == ["same"]
    none = pd.DataFrame({"claim": ["none"], "verdict": ["no_difference_shown"]})
    for decision, found in ((met, none), (met, loss.head(0)), (met | {"verdict": "not_met"}, loss)):
        assert where_to_start(decision, found, points).empty


def steps(low, high, *, n=50):
    middle = (low + high) / 2
    row = {"metric": "paired", "from_stage": "use", "stage": "decide", "estimate": middle}
    return pd.DataFrame([row | {"conf_low": low, "conf_high": high, "n": n, "std_error": 0.1}])


def test_the_steepest_fall_is_shown_or_not_and_a_rise_is_none():
    assert steepest_fall(steps(-0.5, -0.1))["verdict"].item() == "fallen"
    assert steepest_fall(steps(-0.5, -0.004))["verdict"].item() == "no_difference_shown"
    assert steepest_fall(steps(0.1, 0.5)).empty
    assert steepest_fall(steps(-0.5, -0.1, n=9)).empty
    two = pd.concat([steps(-0.5, -0.1), steps(-0.9, -0.3).assign(stage="repeat")])
    assert steepest_fall(two)["stage"].item() == "repeat"


def lapses(low, high, *, n=90, estimate=1.0):
    rows = {"metric": ["lapse_rate", "lapse_rate", "rate_ratio"], "estimate": [0.1, 0.1, estimate], "n": n}
    return pd.DataFrame(rows | {"conf_low": [0.0, 0.0, low], "conf_high": [0.2, 0.2, high]})


def test_lapsing_is_faster_slower_undecided_or_not_told():
    at = {"stage": "decide", "days": 360}
    said = [lapse_ratio(lapses(*ends), **at)["verdict"].item() for ends in [(1.2, 2), (0.4, 0.9), (0.9, 1.2)]]
    assert said == ["differ", "differ", "no_difference_shown"]
    assert lapse_ratio(lapses(1.2, 2, n=9), **at).empty
    assert lapse_ratio(lapses(1.2, 2, estimate=np.nan), **at).empty


def test_the_lowest_stage_is_one_that_enough_answered_at():
    curve = pd.DataFrame({"metric": "pooled", "stage": ["a", "b"], "estimate": [1.0, 0.2], "n": [20, 9]})
    assert lowest_stage(curve) == "a" and lowest_stage(curve, min_cell=5) == "b"
