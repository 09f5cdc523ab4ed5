"""At most five acts, the most urgent first, each under a name that is the same next month."""

import pandas as pd

from cxlib.initiatives.register import STEPS
from cxlib.scorecard import decide_now
from cxlib.scorecard.decide import ACTS, OF_ALARM, OF_STEP


def acts(steps=(), alarms=(), *, risk=(), met=False, drivers=()):
    frame = pd.DataFrame(steps, columns=["verdict", "reason", "names"])
    judged = pd.DataFrame({"metric": list(alarms), "verdict": ["alarm"] * len(alarms)})
    redesign = {"verdict": "met" if met else "not_met", "stage": "decide" if met else None}
    return decide_now(
        steps=frame,
        judged=judged,
        redesign=redesign,
        risk=list(risk),
        drivers=list(drivers),
        as_of="2026-09-30",
    )


def test_nothing_to_decide_is_an_answer():
    assert acts([("wait", "months", ["A"])], ["nps"]).empty


def test_the_most_urgent_come_first_and_there_are_at_most_five():
    steps = [("run_again", "drift", ["A", "B"]), ("stop", "below_zero", ["C"]), ("fund", "above_min", ["D"])]
    found = acts(steps, OF_ALARM, risk=[{"n_top": 69, "n": 457}], met=True, drivers=["driver_ease"])
    assert found["claim"].tolist() == ["fund", "stop", "call", "answer", "follow_up"]
    assert found["n"].dropna().tolist() == [69]


def test_an_act_keeps_its_name_and_gets_a_day():
    found = acts([("stop", "below_zero", ["Mail"])], met=True)
    assert found["id"].tolist() == ["stop Mail", "redesign decide"]
    assert [str(day.date()) for day in found["due_on"]] == ["2026-10-15", "2026-12-29"]


def test_every_act_is_known():
    assert set(OF_STEP) <= set(STEPS.values())
    assert set(OF_STEP.values()) | set(OF_ALARM.values()) <= set(ACTS)
