"""The order of the rows changes nothing: every function on contacts, on frames whose times tie."""

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.checks import InputError
from cxlib.stats.survival.competing_exits import cumulative_incidence
from cxlib.stats.survival.kaplan_meier import survival_curve

STAGES = ["discover", "buy", "use"]
PAGES = ["home", "cart", "done"]


def contacts(seed=3, n=600):
    """Contacts in whole hours of few days, so that many of a customer's fall on the same time."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame({"customer_id": rng.integers(0, 90, n).astype(str), "stage": rng.choice(STAGES, n)})
    rows["touchpoint"] = rng.choice(["mail", "shop", "chat"], n)
    hours = rng.integers(0, 24 * 50, n) // 12 * 12
    rows["occurred_at"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(hours, unit="h")
    rows["valence"] = rng.integers(-2, 3, n).astype(float)
    rows["expectation"], rows["experience"] = rng.integers(1, 6, (2, n)).astype(float)
    rows["page"], rows["session_id"] = rng.choice(PAGES, n), rows["customer_id"] + "s"
    rows["responded"], rows["opted_out"] = rng.random(n) < 0.3, rng.random(n) < 0.02
    return rows.assign(group=rng.choice(["a", "b", None], n))


def purchases(seed=4, n=300):
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame({"customer_id": rng.integers(0, 90, n).astype(str), "amount": 10.0})
    rows["ordered_at"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 90, n), unit="D")
    return rows.assign(channel=rng.choice(["ec", "store"], n))


def states():
    days = pd.to_datetime(["2026-01-10", "2026-02-09", "2026-03-11"])
    rng = np.random.default_rng(5)
    rows = pd.DataFrame([(day, str(i)) for day in days for i in range(90)], columns=["as_of", "customer_id"])
    return rows.assign(state=rng.choice(["low", "middle", "high"], len(rows)))


ORDER = {"state_order": ["low", "middle", "high"]}
CALLS = {
    "funnel": lambda c, o, s: cx.funnel(c, steps=PAGES, step_col="page", by="group"),
    "funnel_any": lambda c, o, s: cx.funnel(c, steps=PAGES, step_col="page", order="any"),
    "funnel_within": lambda c, o, s: cx.funnel(c, steps=PAGES, step_col="page", within_days=20),
    "exit_rates": lambda c, o, s: cx.exit_rates(c),
    "exit_rates_goal": lambda c, o, s: cx.exit_rates(c, goal="done", session_col=None),
    "emotion_curve": lambda c, o, s: cx.emotion_curve(c, stage_order=STAGES, by="group"),
    "stage_steps": lambda c, o, s: cx.stage_steps(c, stage_order=STAGES),
    "find_valleys": lambda c, o, s: cx.find_valleys(c, stage_order=STAGES),
    "curve_features": lambda c, o, s: cx.curve_features(c, stage_order=STAGES),
    "stage_times": lambda c, o, s: cx.stage_times(c, stage_order=STAGES, as_of="2026-03-31"),
    "expectation_gap": lambda c, o, s: cx.expectation_gap(c),
    "touchpoint_scores": lambda c, o, s: cx.touchpoint_scores(c),
    "consistency": lambda c, o, s: cx.consistency(c, by="group"),
    "hesitation": lambda c, o, s: cx.hesitation_answered(c, stage="buy", within_days=10),
    "pressure": lambda c, o, s: cx.contact_pressure(c, responded_col="responded", opted_out_col="opted_out"),
    "first_exits": lambda c, o, s: cx.first_exits(cx.repeat_times(o, as_of="2026-03-31"), c),
    "gap_surface": lambda c, o, s: cx.gap_surface(c, o, as_of="2026-03-31", horizon_days=10),
    "state_changes": lambda c, o, s: cx.state_changes(c, s, **ORDER),
    "state_care": lambda c, o, s: cx.state_care(c, s, **ORDER),
    "roles": lambda c, o, s: cx.touchpoint_roles(
        c, s, claims={"mail": "conviction", "shop": "warmth", "chat": "buy"}, **ORDER
    ),
    "first_purchase_groups": lambda c, o, s: cx.first_purchase_groups(
        pd.DataFrame({"customer_id": [str(i) for i in range(90)]}), o
    ),
    "survival": lambda c, o, s: survival_curve(
        cx.repeat_times(o, as_of="2026-03-31"), duration_col="duration_days", event_col="is_repeat"
    ),
    "incidence": lambda c, o, s: cumulative_incidence(
        cx.first_exits(cx.repeat_times(o, as_of="2026-03-31"), c),
        duration_col="duration_days",
        cause_col="cause",
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_shuffled_rows_give_the_same_result(name):
    frames = contacts(), purchases(), states()
    right = CALLS[name](*frames)
    for keep_index in (True, False):
        mixed = [frame.sample(frac=1, random_state=7) for frame in frames]
        mixed = mixed if keep_index else [frame.reset_index(drop=True) for frame in mixed]
        pd.testing.assert_frame_equal(CALLS[name](*mixed), right)


TIMED = ["funnel", "exit_rates", "stage_times", "hesitation", "pressure", "first_exits", "gap_surface"]


@pytest.mark.parametrize("name", [*TIMED, "state_changes", "state_care", "roles"])
def test_times_as_text_are_refused_in_one_sentence(name):
    text = contacts().assign(occurred_at=lambda rows: rows["occurred_at"].astype(str) + "+09:00")
    with pytest.raises(InputError, match=r"`occurred_at` must hold timestamps"):
        CALLS[name](text, purchases(), states())


def test_steps_at_one_time_count_in_the_best_order_and_the_worst_is_given_too():
    at = pd.to_datetime(["2026-01-01 10:00:00"] * 3 + ["2026-01-01 10:00:00", "2026-01-01 10:00:01"])
    rows = pd.DataFrame({"customer_id": list("aaabb"), "occurred_at": at})
    rows["touchpoint"] = ["pay", "cart", "home", "cart", "pay"]
    steps = cx.funnel(rows, steps=["cart", "pay"])
    assert steps[["n", "n_low"]].to_numpy().tolist() == [[2, 2], [2, 1]]


def test_exits_at_one_time_are_counted_and_the_goal_comes_last():
    at = pd.to_datetime(["2026-01-01 10:00:00"] * 2 + ["2026-01-01 10:00:05"])
    rows = pd.DataFrame({"session_id": list("aab"), "occurred_at": at, "page": ["done", "cart", "cart"]})
    exits = cx.exit_rates(rows, goal="done").set_index("page")
    assert exits.loc["cart", ["n", "n_exits", "n_tied"]].tolist() == [2, 1, 1]


def test_messages_at_one_time_all_count_and_none_comes_before_the_other():
    at = pd.to_datetime(["2026-01-01", "2026-01-01", "2026-01-20"])
    sent = pd.DataFrame({"customer_id": "a", "occurred_at": at, "opted_out": [True, False, False]})
    found = cx.contact_pressure(sent, opted_out_col="opted_out", edges=[1, 2, 3]).set_index("contacts_from")
    assert found["n_contacts"].to_dict() == {1: 0, 2: 2, 3: 0}  # the third is after the opt-out
    assert found.loc[2, "estimate"] == 0.5
