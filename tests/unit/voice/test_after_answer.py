"""What followed the answers: windows, adjustment, the worth of a point, E-values."""

import math

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import ParameterError
from cxlib.stats.hidden_cause import e_value
from cxlib.voice.after_answer import attitude_ratio, behaviour_by_attitude, follow_answers, point_value


def make_people(n=4000, *, slope=0.0, seed=0):
    """Heavy buyers answer well and go on buying; the score itself adds `slope` per point."""
    rng = np.random.default_rng(seed)
    before = rng.poisson(3, n) + 1
    score = np.clip(np.round(4 + before + rng.normal(0, 2, n)), 0, 10)
    after = 100.0 * before + slope * score + rng.normal(0, 50, n)
    people = pd.DataFrame({"nps_score": score, "orders_before": before, "amount_before": 100.0 * before})
    people["attitude"] = np.select([score >= 9, score <= 6], ["promoter", "detractor"], "passive")
    people = people.assign(recency=0.2, tenure=1.0, amount_after=after)
    chance = np.clip(0.1 * before, 0, 1)
    return people.assign(has_bought=(rng.random(n) < chance).astype(float)).assign(
        has_lapsed=lambda frame: 1 - frame["has_bought"]
    )


def make_orders(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "order_id", "ordered_at", "amount"])
    return frame.assign(ordered_at=pd.to_datetime(frame["ordered_at"]))


def test_windows_end_where_the_year_ends():
    answers = pd.DataFrame(
        {
            "customer_id": ["a", "b"],
            "answered_at": pd.to_datetime(["2025-01-01", "2025-09-01"]),
            "nps_score": [9, 3],
        }
    )
    orders = make_orders(
        ("a", "1", "2024-06-01", 10.0),
        ("a", "2", "2025-02-01", 20.0),
        ("a", "2", "2025-02-01", 5.0),
        ("a", "3", "2025-03-01", -20.0),
        ("a", "4", "2026-02-01", 99.0),
        ("b", "5", "2025-10-01", 50.0),
    )
    (row,) = follow_answers(answers, orders, as_of="2026-03-01").to_dict("records")
    assert row["customer_id"] == "a", "b's year is not over"
    assert (row["orders_before"], row["amount_before"]) == (1, 10)
    assert (row["orders_after"], row["amount_after"], row["has_lapsed"]) == (1, 5, 0)


def test_latest_answer_whose_year_is_over_counts():
    when = ["2024-01-01", "2024-06-01", "2025-12-01"]
    answers = pd.DataFrame({"customer_id": "a", "answered_at": pd.to_datetime(when), "nps_score": [1, 8, 10]})
    found = follow_answers(answers, make_orders(), as_of="2026-01-01")
    assert found["nps_score"].tolist() == [8]
    assert np.isnan(found["has_lapsed"][0]), "nobody lapses who never bought"


def test_referrals_count_within_the_window_only():
    answers = pd.DataFrame(
        {"customer_id": ["a", "b"], "answered_at": pd.Timestamp("2025-01-01"), "nps_score": [9, 9]}
    )
    acts = pd.DataFrame(
        {"customer_id": ["a", "b"], "occurred_at": pd.to_datetime(["2025-02-01", "2024-12-01"])}
    )
    found = follow_answers(answers, make_orders(), as_of="2026-03-01", referrals=acts)
    assert found["has_referred"].tolist() == [1, 0]


def test_nobody_to_follow():
    answers = pd.DataFrame(
        {"customer_id": ["a"], "answered_at": pd.to_datetime(["2026-01-01"]), "nps_score": [9]}
    )
    followed = follow_answers(answers, make_orders(("a", "1", "2025-01-01", 1.0)), as_of="2026-02-01")
    assert followed.empty
    assert point_value(followed)["estimate"].isna().all()
    behaviour = behaviour_by_attitude(followed)
    assert (behaviour["n"] == 0).all() and behaviour["adjusted"].isna().all()
    assert attitude_ratio(behaviour)["estimate"].isna().all()


def test_adjusting_takes_away_what_was_there_before():
    """Buying more foretells answering well: unadjusted a point seems worth much, adjusted nothing."""
    found = point_value(make_people()).set_index("metric").loc["spend"]
    assert found["unadjusted"] > 20
    assert found["conf_low"] < 0 < found["conf_high"]


def test_worth_of_a_point_covers_the_planted_one():
    rows = [point_value(make_people(1_200, slope=15, seed=seed)).set_index("metric") for seed in range(100)]
    spend = pd.DataFrame([row.loc["spend"] for row in rows]).query("status == 'ok'")
    assert len(spend) > 90
    assert 0.89 <= spend.eval("conf_low <= 15 <= conf_high").mean() <= 0.99


def test_one_large_buyer_leaves_no_worth_of_a_point_and_no_limits_of_spend():
    people = make_people(1_200)
    people.loc[people["nps_score"].idxmax(), "amount_after"] = people["amount_after"].sum()
    found = point_value(people).set_index("metric")
    assert found["status"].to_dict() == {"repeat": "ok", "spend": "few_carry", "lapse": "ok"}
    assert found.loc["spend", ["std_error", "conf_low", "conf_high", "p_value"]].isna().all()
    spend = behaviour_by_attitude(people).query("metric == 'spend'").set_index("attitude")
    assert spend["conf_low"].notna().to_dict() == {"promoter": False, "passive": True, "detractor": True}
    assert spend["adjusted"].notna().all() and np.isnan(spend.loc["promoter", "adjusted_conf_low"])


def test_adjusted_shares_of_attitudes_alike_are_alike():
    behaviour = behaviour_by_attitude(make_people(20_000)).query("metric == 'repeat'").set_index("attitude")
    raw, alike = behaviour["estimate"], behaviour["adjusted"]
    assert raw["promoter"] - raw["detractor"] > 0.1
    assert abs(alike["promoter"] - alike["detractor"]) < 0.03
    assert attitude_ratio(behaviour.reset_index())["e_value_limit"][0] == 1


def test_too_few_people_are_not_adjusted():
    behaviour = behaviour_by_attitude(make_people(40))
    assert behaviour["adjusted"].isna().all() and behaviour["estimate"].notna().any()
    assert point_value(make_people(20))["estimate"].isna().all()


def test_e_values_of_vanderweele_and_ding():
    assert [e_value(3.9), e_value(1.8)] == pytest.approx([7.26, 3.0], abs=0.005)
    assert e_value(1 / 3.9) == pytest.approx(e_value(3.9))
    assert e_value(1.5) == pytest.approx(2.366, abs=1e-3)
    assert all(math.isnan(e_value(unknown)) for unknown in (math.nan, 0.0, -1.0))


def test_missing_columns_are_named():
    with pytest.raises(ParameterError, match="answered_at"):
        follow_answers(pd.DataFrame({"customer_id": ["a"]}), make_orders(), as_of="2026-01-01")
