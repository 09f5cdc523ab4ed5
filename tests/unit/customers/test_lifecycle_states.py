"""States on given days: first match wins, no look ahead, sums add up, planted moves are recovered."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import ParameterError
from cxlib.customers.action_rules import actions, list_customers
from cxlib.customers.lifecycle_states import (
    attitude_states,
    lifecycle_stages,
    state_spells,
    state_table,
    state_transitions,
    stay_limits,
)
from cxlib.customers.rule_states import states_by_rules
from cxlib.data.rules.conditions import holds, implies
from cxlib.data.rules.rule_files import Actions, Condition, States, load_rules

DAYS = ["2026-01-31", "2026-02-28", "2026-03-31"]


def people(n=5) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": list("abcde")[:n], "first_seen_on": pd.Timestamp("2025-01-01")})


def order_lines() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": ["a", "b", "b", "c", "e"],
            "order_id": ["1", "2", "3", "4", "5"],
            "ordered_at": pd.to_datetime(
                ["2026-01-10", "2026-01-10", "2026-02-10", "2024-01-10", "2026-03-31"]
            ),
            "amount": 10.0,
        }
    )


def deals() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": ["d", "d"],
            "created_on": pd.to_datetime(["2026-02-01", "2025-01-01"]),
            "closed_on": pd.to_datetime(["2026-03-15", None]).where([True, False]),
        }
    ).head(1)


def test_a_deal_without_a_result_is_open_after_its_expected_day():
    """d's deal is expected before the day and has no result; e's was lost on it, b's has no known day."""
    held = pd.DataFrame(
        {
            "customer_id": ["d", "e", "b"],
            "created_on": pd.Timestamp("2026-02-01"),
            "closed_on": pd.to_datetime(["2026-03-15", "2026-03-15", None]),
            "is_won": pd.array([None, False, False], dtype="boolean"),
        }
    )
    nothing = order_lines().head(0)
    states = lifecycle_stages(people(), nothing, as_of="2026-03-20", deals=held).set_index("customer_id")
    assert states.loc[["b", "d", "e"], "state"].tolist() == ["new_lead", "in_negotiation", "new_lead"]


def test_lifecycle_by_hand():
    states = lifecycle_stages(people(), order_lines(), as_of=DAYS, deals=deals())
    wide = states.pivot_table(index="customer_id", columns="as_of", values="state", aggfunc="first")
    assert wide.to_numpy().tolist() == [
        ["customer"] * 3,
        ["customer", "repeater", "repeater"],
        ["lapsed"] * 3,
        ["new_lead", "in_negotiation", "new_lead"],
        ["new_lead", "new_lead", "customer"],
    ]


def test_a_day_sees_nothing_of_later_days_and_nobody_not_yet_known():
    late = people().assign(first_seen_on=pd.to_datetime(["2026-03-01"] + ["2025-01-01"] * 4))
    long = attitude_states(late, order_lines(), as_of=DAYS)
    for day in DAYS:
        alone = attitude_states(late, order_lines(), as_of=day)
        same_day = long[long["as_of"] == pd.Timestamp(day)].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone, same_day)
    assert (long.groupby("as_of").size() == [4, 4, 5]).all()


def test_both_files_of_rules_at_once_tell_what_each_tells_alone():
    crowd = people().sample(frac=1, random_state=1).assign(frequency=9)  # an attribute, no measure
    rules = {name: load_rules(name) for name in ("states", "lifecycle")}
    told = states_by_rules(crowd, order_lines(), as_of=DAYS[::-1], deals=deals(), rules=rules)
    for name, alone in (("states", attitude_states), ("lifecycle", lifecycle_stages)):
        expected = alone(people(), order_lines(), as_of=DAYS, deals=deals())
        pd.testing.assert_frame_equal(told[name], expected)
    assert not told["states"]["state"].equals(told["lifecycle"]["state"])


def test_prevalence_transitions_and_spells_add_up():
    states = attitude_states(people(), order_lines(), as_of=DAYS)
    table = state_table(states)
    np.testing.assert_allclose(table.groupby("as_of")["estimate"].sum(), 1)
    moves = state_transitions(states)
    np.testing.assert_allclose(moves.groupby("state")["estimate"].sum(), 1)
    assert moves["n"].sum() == 10
    spells = state_spells(states)
    assert (spells["entered_on"] > pd.Timestamp(DAYS[0])).all()
    assert (spells["time_days"] >= 0).all()


def test_planted_moves_are_recovered():
    rng = np.random.default_rng(2)
    chain = np.zeros((400, 12), dtype=int)
    for step in range(1, 12):
        draw = rng.random(400)
        chain[:, step] = np.where(chain[:, step - 1] == 0, draw < 0.2, draw < 0.7)
    states = pd.DataFrame(
        {
            "customer_id": np.repeat(np.arange(400), 12),
            "as_of": np.tile(pd.date_range("2025-01-31", periods=12, freq="ME"), 400),
            "state": np.where(chain.ravel() == 1, "in", "out"),
        }
    )
    moves = state_transitions(states).set_index(["state", "next_state"])
    for move, truth in ((("out", "in"), 0.2), (("in", "in"), 0.7)):
        assert moves.loc[move, "conf_low"] <= truth <= moves.loc[move, "conf_high"]


def test_overlapping_rules_are_counted():
    label = {"en": "x", "ja": "x"}
    rules = States.model_validate(
        {
            "states": [
                {"id": "one", "label": label, "when": [{"measure": "frequency", "at_least": 1}]},
                {"id": "two", "label": label, "when": [{"measure": "frequency", "at_least": 2}]},
                {"id": "rest", "label": label},
            ]
        }
    )
    states = attitude_states(people(), order_lines(), as_of="2026-03-31", rules=rules)
    assert states["state"].tolist() == ["one", "one", "one", "rest", "one"]
    assert states["claims"].tolist() == [1, 2, 1, 0, 1]
    assert state_table(states).set_index("state").loc["one", "contested"] == 1


def test_a_missing_value_holds_no_condition_but_its_own():
    rules = Actions.model_validate(
        {
            "actions": [
                {
                    "id": name,
                    "label": {"en": "x", "ja": "x"},
                    "action": {"en": "x", "ja": "x"},
                    "when": [{"measure": "nps_score", **condition}],
                }
                for name, condition in {
                    "low": {"at_most": 6},
                    "high": {"at_least": 0},
                    "no": {"is_missing": True},
                }.items()
            ]
        }
    ).actions
    base = pd.DataFrame({"nps_score": [3, np.nan]})
    assert [holds(base, rule.when).tolist() for rule in rules] == [
        [True, False],
        [True, False],
        [False, True],
    ]
    with pytest.raises(ParameterError, match="nps_score"):
        holds(base.rename(columns={"nps_score": "nps"}), rules[0].when)


def test_actions_count_customers_money_and_evidence():
    rng = np.random.default_rng(1)
    n = 600
    base = pd.DataFrame({name: rng.integers(1, 6, n) for name in ("r_score", "f_score", "m_score")}).assign(
        frequency=2, recency_days=30, monetary_total=10.0, customer_id=[str(value) for value in range(n)]
    )
    tested = base.assign(next_orders=(rng.random(n) < 0.2 + 0.1 * base["r_score"]).astype(int))
    tested["next_amount"] = tested["next_orders"] * 100.0
    table = actions(base, tested=tested).set_index("action")
    service = list_customers(base, "special_service")
    assert (
        table.loc["special_service", "n"]
        == len(service)
        == (base["r_score"].ge(4) & base["m_score"].ge(5)).sum()
    )
    assert table.loc["special_service", "amount"] == 10 * len(service)
    assert table.loc["special_service", "conf_low"] > 0 > table.loc["win_back", "conf_high"]
    assert table.loc["low_score", "note"] == "measure_missing"
    assert table["amount_past_year"].isna().all()
    assert actions(base.assign(amount_past_year=3.0), tested=tested)["amount_past_year"].iloc[1] == 3 * len(
        service
    )
    assert actions(base)["estimate"].isna().all()
    with pytest.raises(ParameterError, match="win_back"):
        list_customers(base, "winback")


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [(1,), pytest.param((2, 3), marks=pytest.mark.long)])
def test_planted_share_of_repeaters_is_recovered_over_seeds(seeds):
    """Of who first bought 180 (365) days ago, the planted F2 of as many days are in the stage repeater."""
    from cxlib.samples.simulate import make_company_with_truth

    for seed in seeds:
        tables, truth = make_company_with_truth(n_customers=3000, seed=seed)
        orders = tables["orders"].dropna(subset=["customer_id"])
        first = orders.groupby("customer_id")["ordered_at"].min().dt.tz_localize(None).dt.normalize()
        last = orders["ordered_at"].max().tz_localize(None).normalize()
        days = [last - pd.Timedelta(days=7 * step) for step in range(40)]
        stages = lifecycle_stages(tables["customers"], orders, as_of=days, deals=tables["deals"])
        stages["age"] = (stages["as_of"] - stages["customer_id"].map(first)).dt.days
        for day, planted in ((180, truth["f2"]["by_day"]["180"]), (365, truth["f2"]["by_day"]["365"])):
            cohort = stages[stages["age"].between(day, day + 6)]
            share = (cohort["state"] == "repeater").mean()
            error = np.sqrt(planted * (1 - planted) / len(cohort))
            assert len(cohort) > 300
            assert abs(share - planted) < 3 * error + 0.01, (seed, day, share, planted)


def test_measures_kept_beside_the_state_are_those_of_the_day():
    people = pd.DataFrame({"customer_id": ["a", "b"], "first_seen_on": pd.Timestamp("2026-01-01")})
    lines = pd.DataFrame({"customer_id": ["a", "a"], "order_id": ["1", "2"], "amount": 9.0})
    lines["ordered_at"] = pd.to_datetime(["2026-01-05", "2026-01-25"])
    keep = ["frequency", "recency_days", "tenure_days"]
    states = attitude_states(people, lines, as_of=["2026-01-15", "2026-01-31"], keep=keep)
    kept = states.set_index(["as_of", "customer_id"])[keep]
    assert kept.loc[("2026-01-15", "a")].to_list() == [1, 10, 10]
    assert kept.loc[("2026-01-31", "a")].to_list() == [2, 6, 26]
    assert kept.loc[("2026-01-31", "b")].isna().to_list() == [False, True, True]
    with pytest.raises(ParameterError, match="frequenzy"):
        attitude_states(people, lines, as_of="2026-01-15", keep=["frequenzy"])


def conditions(*given):
    return [Condition.model_validate(one) for one in given]


@pytest.mark.parametrize(
    ("rule", "other", "holds_always"),
    [
        ([{"measure": "f", "at_least": 2, "at_most": 3}], [{"measure": "f", "at_least": 1}], True),
        ([{"measure": "f", "at_least": 1}], [{"measure": "f", "at_least": 2}], False),
        ([{"measure": "f", "at_least": 2}], [{"measure": "m", "at_least": 2}], False),
        ([{"measure": "f", "at_least": 2}], [], True),
        ([], [{"measure": "f", "at_least": 2}], False),
        ([{"measure": "f", "is_in": ["a"]}], [{"measure": "f", "is_in": ["a", "b"]}], True),
        ([{"measure": "f", "is_in": ["a", "c"]}], [{"measure": "f", "is_in": ["a", "b"]}], False),
        ([{"measure": "f", "is_missing": True}], [{"measure": "f", "at_most": 2}], False),
        ([{"measure": "f", "is_missing": True}], [{"measure": "f", "is_missing": True}], True),
        ([{"measure": "f", "at_most": 2}], [{"measure": "f", "is_missing": False}], True),
        ([{"measure": "f", "at_most": 2}], [{"measure": "f", "is_missing": True}], False),
    ],
)
def test_a_rule_implies_another_only_where_its_bounds_prove_it(rule, other, holds_always):
    assert implies(conditions(*rule), conditions(*other)) is holds_always


def test_a_later_rule_that_catches_what_a_narrower_one_leaves_does_not_contest_it():
    """The shipped rules nest: everybody not yet convinced would also be wondering, which is no question."""
    states = attitude_states(people(), order_lines(), as_of="2026-03-31")
    assert "not_yet_convinced" in set(states["state"])
    assert state_table(states)["contested"].sum() == 0
    stages = lifecycle_stages(people(), order_lines(), as_of="2026-02-10", deals=deals())
    assert {"new_lead", "in_negotiation"} <= set(stages["state"])
    assert state_table(stages)["contested"].sum() == 0


def test_stays_that_the_rules_decide_are_told_and_no_customer_breaks_them():
    limits = stay_limits(load_rules("states")).set_index("state")
    assert limits["at_least_days"].to_dict() == {
        "interested": 0,
        "not_yet_convinced": 0,
        "wondering": 0,
        "convinced": 365,
        "lapsed": 0,
    }
    assert limits.loc["not_yet_convinced", "at_most_days"] == 122
    assert np.isinf(limits.loc[["interested", "convinced", "lapsed"], "at_most_days"]).all()
    rng = np.random.default_rng(8)
    lines = pd.DataFrame({"customer_id": rng.integers(0, 60, 240).astype(str), "amount": 1.0})
    lines["ordered_at"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 900, 240), "D")
    lines["order_id"] = [str(number) for number in range(240)]
    crowd = pd.DataFrame({"customer_id": lines["customer_id"].unique()})
    crowd["first_seen_on"] = pd.Timestamp("2024-01-01")
    days = list(pd.date_range("2024-01-01", "2026-06-30", freq="10D"))
    left = state_spells(attitude_states(crowd, lines, as_of=days)).query("is_left")
    left = left.merge(limits.reset_index(), on="state")
    assert len(left) > 100
    assert (left["time_days"] >= left["at_least_days"] - 10).all()  # seen up to ten days late
    assert (left["time_days"] <= left["at_most_days"] + 10).all()


def test_spend_evidence_is_the_difference_of_means_with_welch_limits():
    base = pd.DataFrame({"f_score": [5] * 30 + [1] * 50, "m_score": 1, "r_score": 3, "frequency": 2})
    base = base.assign(recency_days=10, monetary_total=1.0, next_orders=1)
    base["next_amount"] = np.r_[np.linspace(50, 150, 30), np.linspace(0, 60, 50)]
    row = actions(base, tested=base).set_index("action").loc["bundle"]
    assert row["next_amount"] == pytest.approx(100)
    assert row["spend_gap"] == pytest.approx(70)
    one, two = base["next_amount"][:30], base["next_amount"][30:]
    error = np.sqrt(one.var() / 30 + two.var() / 50)
    assert (row["spend_gap_conf_high"] - row["spend_gap_conf_low"]) / 2 == pytest.approx(
        2.02 * error, rel=0.01
    )
    with pytest.raises(ParameterError, match="next_amount"):
        actions(base, tested=base.drop(columns="next_amount"))
