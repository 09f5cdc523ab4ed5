"""Touchpoint by state: signs, timing, planted effects, and who nobody looks after."""

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import ParameterError
from cxlib.roles import state_care, state_changes, state_days, touchpoint_roles

DAYS = pd.to_datetime(["2026-01-31", "2026-03-02"])
ORDER = ["low", "high"]


def company(seed=0, n=4000, effect=0.2, busy=0.0):
    """Everybody low on the first day; the mail raises the chance of being high on the next by `effect`."""
    rng = np.random.default_rng(seed)
    active = rng.random(n) < 0.5
    mailed = rng.random(n) < 0.3 + 0.4 * active * (busy > 0)
    up = rng.random(n) < 0.2 + effect * mailed + busy * active
    names = np.char.add("c", np.arange(n).astype(str))
    states = pd.DataFrame({"as_of": np.repeat(DAYS, n), "customer_id": np.tile(names, 2)})
    states["state"] = np.where(np.append(np.zeros(n, bool), up), "high", "low")
    mails = pd.DataFrame({"customer_id": names[mailed], "touchpoint": "mail"})
    visits = pd.DataFrame({"customer_id": np.repeat(names[active & (busy > 0)], 4), "touchpoint": "shop"})
    events = pd.concat([mails, visits], ignore_index=True)
    return events.assign(
        occurred_at=pd.Timestamp("2026-01-20", tz="Asia/Tokyo"), stage="use", valence=0.0
    ), states


def cell(result, touchpoint, state):
    return result.set_index(["touchpoint", "state"]).loc[(touchpoint, state)]


def test_planted_difference_lies_in_its_interval_and_equals_the_hand_count():
    events, states = company()
    row = cell(state_changes(events, states, state_order=ORDER), "mail", "low")
    assert row["conf_low"] < 0.2 < row["conf_high"]
    assert row["is_shown"]
    touched = states["customer_id"].isin(events["customer_id"])[: len(states) // 2].to_numpy()
    up = (states["state"] == "high")[len(states) // 2 :].to_numpy()
    assert row["estimate"] == pytest.approx(up[touched].mean() - up[~touched].mean())
    assert row["n_touched"] == touched.sum()


@pytest.mark.parametrize(
    ("day", "touched"), [("2026-01-31", 50), ("2026-01-02", 50), ("2026-01-01", 0), ("2026-02-01", 0)]
)
def test_only_contacts_in_the_window_up_to_the_day_count(day, touched):
    _, states = company(n=100)
    people = states["customer_id"].unique()[:50]
    events = pd.DataFrame({"customer_id": people, "touchpoint": "mail", "occurred_at": pd.Timestamp(day)})
    result = state_changes(events, states, state_order=ORDER)
    assert cell(result, "mail", "low")["n_touched"] == touched


def test_busy_customers_are_warned_of_and_adjusted():
    events, states = company(effect=0.0, busy=0.4)
    row = cell(state_changes(events, states, state_order=ORDER), "mail", "low")
    assert row["conf_low"] > 0
    assert row["is_confounded"]
    assert abs(row["adjusted"]) < 0.05


def test_without_effect_hardly_any_cell_is_shown():
    shown = [
        state_changes(*company(seed, n=600, effect=0.0), state_order=ORDER)["is_shown"].any()
        for seed in range(60)
    ]
    assert np.mean(shown) <= 0.08


def test_where_everybody_stays_a_handful_proves_nothing():
    n = 200
    names = np.arange(n).astype(str)
    states = pd.DataFrame({"as_of": np.repeat(DAYS, n), "customer_id": np.tile(names, 2), "state": "high"})
    states.loc[n, "state"] = "low"
    events = pd.DataFrame({"customer_id": names[50:57], "touchpoint": "mail", "occurred_at": DAYS[0]})
    assert not cell(state_changes(events, states, state_order=ORDER), "mail", "high")["is_shown"]


def test_care_counts_any_contact_and_the_least_comes_first():
    events, states = company(n=100)
    care = state_care(events, states, state_order=["none", *ORDER])
    assert care["state"].to_list()[-1] == "none"
    assert care["estimate"].to_list()[:2] == sorted(care["estimate"].to_list()[:2])
    assert care["conf_low"].min() >= 0


def test_claims_are_judged_on_their_own_outcome():
    events, states = company()
    good = events["customer_id"].unique()[:200]
    after = pd.DataFrame({"customer_id": good, "touchpoint": "shop", "stage": "use", "valence": 2.0})
    after["occurred_at"] = pd.Timestamp("2026-02-10", tz="Asia/Tokyo")
    others = after.assign(customer_id=[f"x{i}" for i in range(200)], valence=-1.0)
    states = pd.concat(
        [
            states,
            pd.DataFrame(
                {
                    "as_of": np.repeat(DAYS, 200),
                    "customer_id": [f"x{i}" for i in range(200)] * 2,
                    "state": "low",
                }
            ),
        ]
    )
    everything = pd.concat([events, after, others], ignore_index=True)
    claims = {"mail": "conviction", "shop": "warmth"}
    roles = touchpoint_roles(everything, states, claims=claims, state_order=ORDER).set_index("touchpoint")
    assert roles.loc["mail", "verdict"] == "holds"
    assert roles.loc["shop", "verdict"] == "unknown"
    warm = touchpoint_roles(everything, states, claims={"mail": "warmth"}, state_order=ORDER).iloc[0]
    assert warm["estimate"] == pytest.approx(3.0)
    at_use = touchpoint_roles(everything, states, claims={"mail": "use"}, state_order=ORDER).iloc[0]
    assert at_use["estimate"] > 0


def test_unknown_state_claim_and_column_are_named():
    events, states = company(n=50)
    with pytest.raises(ParameterError, match="low"):
        state_changes(events, states, state_order=["high"])
    with pytest.raises(ParameterError, match="loyalty"):
        touchpoint_roles(events, states, claims={"mail": "loyalty"}, state_order=ORDER)
    with pytest.raises(ParameterError, match="touchpoint"):
        state_changes(events.drop(columns="touchpoint"), states, state_order=ORDER)


def test_nobody_and_nothing_give_unknown():
    events, states = company(n=20)
    assert state_changes(events.iloc[:0], states, state_order=ORDER).empty
    assert state_changes(events, states.iloc[:0], state_order=ORDER)["estimate"].isna().all()
    assert state_care(events, states.iloc[:0], state_order=ORDER)["estimate"].isna().all()


def test_days_go_back_from_the_last_and_need_a_full_window():
    assert [str(day.date()) for day in state_days("2026-03-31", most=2)] == ["2026-03-01", "2026-03-31"]
    assert state_days("2026-03-31", since="2026-03-25") == []
