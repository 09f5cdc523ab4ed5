"""Three conditions, what comes first, and the words everybody shares."""

import pandas as pd
import pytest

from cxlib.customers.rule_states import states_by_rules
from cxlib.data.rules.rule_files import load_rules
from cxlib.inventory.common_language import customers_held, dictionary, without_owner
from cxlib.inventory.readiness import CONDITIONS, conditions, first_thing, judge_readiness

TARGETS = load_rules("targets")
NONE_BROKEN = pd.DataFrame({"table": []})


def measure(metric, low, estimate, high, n=100):
    return pd.DataFrame(
        [{"metric": metric, "estimate": estimate, "conf_low": low, "conf_high": high, "n": n}]
    )


GOOD = {
    "joined": (0.96, 0.97, 0.98),
    "split": (0.01, 0.02, 0.03),
    "late": (0.01, 0.02, 0.03),
    "without_next_step": (0.01, 0.05, 0.1),
    "use": (0.8, 0.9, 0.95),
}
BAD = {
    "joined": (0.5, 0.6, 0.7),
    "split": (0.1, 0.2, 0.3),
    "late": (0.4, 0.5, 0.6),
    "without_next_step": (0.5, 0.6, 0.7),
    "use": (0.1, 0.2, 0.3),
}


def stated(broken=NONE_BROKEN, **values):
    judged = judge_readiness([measure(name, *limits) for name, limits in values.items()], TARGETS)
    return conditions(judged, broken).set_index("condition")


def test_every_measure_has_a_target_of_the_company():
    named = {one.metric for one in TARGETS.targets}
    assert {f"{name}_share" for names in CONDITIONS.values() for name in names} <= named


def test_all_good():
    found = stated(**GOOD)
    assert found["verdict"].to_dict() == {"data": "pass", "use": "pass", "decisions": "unknown"}
    assert found.loc["decisions", "claim"] == "not_recorded"
    assert found.loc["use", "metrics"] == ["late", "without_next_step", "updating"]


@pytest.mark.parametrize("metric", BAD)
def test_one_missed_target_fails_its_condition_alone(metric):
    found = stated(**{**GOOD, metric: BAD[metric]})
    condition = "data" if metric in ("joined", "split") else "use"
    other = {"data": "use", "use": "data"}[condition]
    assert (found.loc[condition, "verdict"], found.loc[other, "verdict"]) == ("fail", "pass")
    assert found.loc[condition, "metrics"] == ["updating" if metric == "use" else metric]


def test_what_the_interval_leaves_open_is_open():
    found = stated(**{**GOOD, "joined": (0.9, 0.96, 0.99)})
    assert (found.loc["data", "verdict"], found.loc["data", "metrics"]) == ("undecided", ["joined"])


def test_a_broken_table_fails_sound_data_and_is_named():
    found = stated(broken=pd.DataFrame({"table": ["orders", "orders"]}), **GOOD).loc["data"]
    assert (found["verdict"], found["claim"], found["tables"]) == ("fail", "broken", ["orders"])


def test_nothing_measured_is_unknown():
    found = conditions(judge_readiness([pd.DataFrame()], TARGETS), NONE_BROKEN)
    assert found["verdict"].tolist() == ["unknown"] * 3


@pytest.mark.parametrize(
    ("values", "turned", "claim"),
    [
        ({**GOOD, "split": BAD["split"]}, ["nps"], "data"),
        ({**GOOD, "use": BAD["use"]}, ["nps"], "flips"),
        ({**GOOD, "use": BAD["use"]}, [], "use"),
        ({"joined": GOOD["joined"]}, [], "unknown"),
        (GOOD, [], "go_on"),
    ],
)
def test_the_first_line_of_the_rule_that_holds_applies(values, turned, claim):
    flips = pd.DataFrame({"metric": turned}) if turned else pd.DataFrame({"note": ["none"]})
    first = first_thing(stated(**values).reset_index(), flips)
    assert (first["claim"], first["metrics"]) == (claim, turned)


RULES = {"state": load_rules("states"), "lifecycle": load_rules("lifecycle")}


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_every_entry_has_its_rule_its_owner_and_its_number(lang):
    people = pd.DataFrame({"customer_id": list("abc"), "first_seen_on": pd.Timestamp("2026-01-01")})
    orders = pd.DataFrame({"customer_id": ["a"], "order_id": ["1"], "amount": [9.0]})
    orders["ordered_at"] = pd.Timestamp("2026-01-05")
    contacts = pd.DataFrame({"customer_id": ["a", "a", "b"], "stage": "buy", "touchpoint": "checkout"})
    tables = {"customers": people, "orders": orders, "events": contacts}
    held = customers_held(tables, RULES, states=states_by_rules, as_of="2026-01-31")
    found = dictionary(load_rules("journey"), RULES, held, lang=lang)
    assert found.groupby("kind")["customers"].sum().to_dict() == {
        "stage": 2,
        "touchpoint": 2,
        "state": 3,
        "lifecycle": 3,
    }
    assert (found["rule"] != "").all() and (found["department"] != "").all()
    assert found["rule"].str.contains("60").any()
    assert without_owner(found).empty


def test_a_state_nobody_owns_is_named():
    state = RULES["state"].states[0].model_copy(update={"owner": None})
    rules = RULES["state"].model_copy(update={"states": [state, *RULES["state"].states[1:]]})
    found = dictionary(load_rules("journey"), {"state": rules}, {}, lang="en")
    assert without_owner(found)["names"].tolist() == [["Interested but not tried"]]
    assert (found["customers"] == 0).all()
