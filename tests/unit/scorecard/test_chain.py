"""Which links of the chain are joined, and the one sentence the page begins with."""

import pandas as pd
import pytest

import cxlib as cx
from cxlib.scorecard import chain_joins, headline, is_aimed

RULES = {"journey": cx.load_rules("journey"), "driver_rules": cx.load_rules("drivers")}
BEST = {"name": "Coaching", "touchpoint": "line_message", "target_state": None, "is_priced": True}
WHOLE = {"valley": "decide", "valley_of_segment": "decide", "drivers": ["driver_support"], "initiative": BEST}


def reasons(**changed):
    joins = chain_joins(**(WHOLE | changed), **RULES)
    return joins["reason"].tolist(), joins["is_joined"].tolist()


def test_a_whole_chain_is_joined_throughout():
    assert reasons() == (["same_customers", "same_stage", "same_stage", "same_study"], [True] * 4)


@pytest.mark.parametrize(
    ("changed", "at", "reason"),
    [
        ({"valley_of_segment": "wait"}, 0, "other_customers"),
        ({"valley_of_segment": None}, 0, "missing"),
        ({"drivers": ["driver_price"]}, 1, "other_stage"),
        ({"initiative": BEST | {"touchpoint": "ad"}}, 2, "other_touchpoint"),
        ({"initiative": BEST | {"touchpoint": "support_chat"}}, 2, "same_touchpoint"),
        ({"initiative": BEST | {"touchpoint": None, "target_state": "wondering"}}, 2, "same_stage"),
        ({"initiative": BEST | {"is_priced": False}}, 3, "no_return"),
        ({"initiative": None}, 3, "missing"),
        ({"drivers": []}, 1, "missing"),
    ],
)
def test_a_broken_join_says_why(changed, at, reason):
    found, joined = reasons(**changed)
    assert found[at] == reason
    assert joined[at] == reason.startswith("same")


def test_nothing_is_joined_without_a_valley():
    assert reasons(valley=None, valley_of_segment=None)[1] == [False, False, False, True]


def test_a_state_that_no_stage_names_joins_nothing():
    assert not is_aimed({"touchpoint": None, "target_state": None}, "buy", RULES["journey"])
    assert not is_aimed({"touchpoint": None, "target_state": "wondering"}, "buy", RULES["journey"])


@pytest.mark.parametrize(
    ("valley", "initiative", "aimed", "verdicts", "claim"),
    [
        ("decide", BEST, True, [], "aimed"),
        ("decide", BEST, False, [], "elsewhere"),
        (None, BEST, False, [], "proven"),
        ("decide", None, False, ["alarm"], "valley"),
        (None, None, False, ["target_met", "alarm"], "alarm"),
        (None, None, False, ["target_missed"], "quiet"),
    ],
)
def test_the_headline_follows_what_is_shown(valley, initiative, aimed, verdicts, claim):
    judged = pd.DataFrame({"metric": [f"k{i}" for i in range(len(verdicts))], "verdict": verdicts})
    found = headline(valley=valley, initiative=initiative, aimed=aimed, judged=judged)
    assert found["claim"] == claim
    assert found["kpi"] == ("k1" if verdicts[-1:] == ["alarm"] and len(verdicts) == 2 else found["kpi"])
