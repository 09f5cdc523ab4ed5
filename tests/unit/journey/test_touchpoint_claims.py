"""What the journey chapter claims of touchpoints, states and messages: both signs, undecided, too few."""

import types

import numpy as np
import pandas as pd
import pytest

from cxlib.journey.message_claims import contact_cap, first_exit_shares, message_flags, message_pressure
from cxlib.journey.touchpoint_claims import (
    claim_words,
    claims_to_judge,
    enough_touched,
    greatest_loss,
    known_points,
    least_looked_after,
    rating_gap,
)


def losses(*limits):
    rows = [
        {
            "touchpoint": name,
            "metric": "loss",
            "estimate": (low + high) / 2,
            "conf_low": low,
            "conf_high": high,
        }
        for name, (low, high) in zip("abc", limits, strict=False)
    ]
    return pd.DataFrame(rows).assign(n=40, reach=0.5, share_below=0.4, penalty=-1.0)


@pytest.mark.parametrize(
    ("limits", "claim", "verdict"),
    [
        ([(0.4, 0.6), (0.0, 0.2)], "first", "loss"),
        ([(0.3, 0.6), (0.2, 0.4)], "among", "loss"),
        ([(0.3, 0.6)], "only", "loss"),
        ([(-0.1, 0.6), (-0.2, 0.4)], "none", "no_difference_shown"),
        ([(-0.6, -0.1), (-0.9, -0.4)], "none", "no_difference_shown"),  # exceeding costs: no loss
        ([(0.004, 0.6), (-0.2, 0.1)], "none", "no_difference_shown"),  # a limit that reads 0.00
    ],
)
def test_the_greatest_loss_is_claimed_as_far_as_its_limits_go(limits, claim, verdict):
    told = greatest_loss(losses(*limits)).iloc[0]
    assert (told["claim"], told["verdict"]) == (claim, verdict)
    if verdict == "loss":
        assert told["touchpoint"] == "a" and told["second_touchpoint"] == ("b" if len(limits) > 1 else None)


def test_no_estimate_is_no_claim():
    assert greatest_loss(losses((0.4, 0.6)).assign(estimate=np.nan)).empty
    assert greatest_loss(losses((0.4, 0.6)).head(0)).empty


def care(*limits):
    rows = [
        {
            "state": name,
            "metric": "in_touch",
            "estimate": (low + high) / 2,
            "conf_low": low,
            "conf_high": high,
        }
        for name, (low, high) in zip("xyz", limits, strict=False)
    ]
    return pd.DataFrame(rows).assign(n=40)


def test_the_state_least_looked_after_is_first_or_among():
    moves = pd.DataFrame({"state": ["x", "x", "y"], "estimate": [0.1, np.nan, 0.2], "is_shown": True})
    first = least_looked_after(care((0.1, 0.2), (0.5, 0.6)), moves).iloc[0]
    assert first[["state", "claim", "n_tried", "n_shown"]].tolist() == ["x", "least", 1, 1]
    among = least_looked_after(care((0.1, 0.6), (0.3, 0.7)), moves).iloc[0]
    assert among[["claim", "second_state"]].tolist() == ["among", "y"]
    untried = least_looked_after(care((0.1, 0.6), (0.3, 0.7)), moves.assign(estimate=np.nan)).iloc[0]
    assert untried[["claim", "n_tried"]].tolist() == ["among_unreached", 0]
    assert least_looked_after(care((0.1, 0.2)).assign(estimate=np.nan), moves).empty
    unknown = least_looked_after(care((0.1, 0.2)), moves, is_known=False)
    assert unknown[["note", "level"]].to_numpy().tolist() == [["journey.care_unknown", "warning"]]


def test_cells_that_touch_too_few_say_nothing():
    moves = pd.DataFrame({"n_touched": [9, 10], "estimate": [0.1, 0.2], "is_shown": True})
    shown = enough_touched(moves)
    assert shown["estimate"].isna().tolist() == [True, False] and shown["is_shown"].tolist() == [False, True]


def surface(p_value, *, n=90):
    terms = {"term": ["gap_slope", "difference"], "estimate": [0.1, np.nan], "conf_low": [-0.1, np.nan]}
    return pd.DataFrame(terms | {"conf_high": [0.3, np.nan], "p_value": [np.nan, p_value], "n_customers": n})


def test_the_bare_difference_is_enough_or_not_or_not_known():
    asked = {"days": 180, "conf_level": 0.95}
    assert rating_gap(surface(0.04), **asked)["claim"] == "not_enough"
    assert rating_gap(surface(0.06), **asked)["claim"] == "enough"
    assert rating_gap(surface(0.06), **asked)["note"] == ""
    assert rating_gap(surface(np.nan), **asked)["note"] == "journey.empty_surface"
    assert rating_gap(surface(0.04, n=9), **asked)["note"] == "journey.empty_surface"


def test_points_need_both_sides():
    points = pd.DataFrame(
        {"driver": ["a", "b", "c"], "penalty": [-0.1, -0.5, -0.9], "reward": [0.1, 0.2, np.nan]}
    )
    points = points.assign(n_low=[40, 30, 40], n_high=[40, 30, 40])
    assert known_points(points)["driver"].tolist() == ["b", "a"]
    assert known_points(points, min_cell=35)["driver"].tolist() == ["a"]


def test_claims_are_judged_where_touchpoint_and_stage_are_seen_and_have_words():
    named = [("mail", "warmth"), ("shop", "use"), ("gone", "warmth"), ("ad", None)]
    points = [types.SimpleNamespace(id=name, claim=claim) for name, claim in named]
    events = pd.DataFrame({"touchpoint": ["mail", "shop", "ad", None]})
    assert claims_to_judge(points, events, ["use"]) == {"mail": "warmth", "shop": "use"}
    assert claims_to_judge(points, events, ["buy"]) == {"mail": "warmth"}
    words = claim_words([types.SimpleNamespace(id="use", label=types.SimpleNamespace(en="Use", ja="使用"))])
    assert list(words) == ["conviction", "warmth", "use"] and "使用" in words["use"]["ja"]


def pressure(low, high, *, n=90):
    ends = {"difference": [0.0, (low + high) / 2], "difference_conf_low": [0.0, low]}
    ends |= {"difference_conf_high": [0.0, high], "n": [500, n], "estimate": [0.01, 0.05]}
    return pd.DataFrame({"contacts_from": [1, 2], "metric": "opt_out"} | ends)


def test_a_cap_needs_more_opt_outs_beyond_noise():
    cap = contact_cap(pressure(0.01, 0.09)).iloc[0]
    assert cap[["claim", "cap", "contacts_from", "opt_out_rate"]].tolist() == ["cap", 1, 2, 0.05]
    for ends in ((-0.01, 0.09), (-0.09, -0.01), (0.0004, 0.09)):
        none = contact_cap(pressure(*ends)).iloc[0]
        assert none[["claim", "highest", "verdict"]].tolist() == ["no_cap", 2, "no_difference_shown"]
    assert contact_cap(pressure(0.01, 0.09, n=9)).empty
    assert contact_cap(pressure(0.01, 0.09).assign(metric="response")).empty


def messages(n=20):
    rows = {
        "customer_id": [f"c{i}" for i in range(n)],
        "channel": "mail",
        "opted_out": [i % 2 for i in range(n)],
    }
    return pd.DataFrame(rows | {"occurred_at": pd.Timestamp("2026-01-01", tz="UTC")})


def test_marks_that_are_lacking_are_named_and_the_others_counted():
    assert message_flags(messages())["columns"].item() == ["`responded`"]
    assert message_flags(messages().assign(responded=messages()["opted_out"])).empty
    counted = message_pressure(messages())
    assert set(counted["metric"]) == {"opt_out"} and counted["estimate"].item() == 0.5
    assert np.isnan(counted["difference_conf_low"].item())
    assert message_pressure(messages(9)).empty
    assert message_pressure(messages().assign(channel="store")).empty


def test_first_exits_are_told_only_where_opting_out_is_marked():
    first = pd.DataFrame(
        {
            "customer_id": messages()["customer_id"],
            "from_on": pd.Timestamp("2025-12-01"),
            "duration_days": 90,
            "is_repeat": False,
        }
    )
    shares = first_exit_shares(first, messages(), times=[60])
    assert shares["cause"].tolist() == ["opted_out"] and shares["estimate"].item() == pytest.approx(0.5)
    assert first_exit_shares(first, messages().assign(opted_out=0), times=[60]).empty
