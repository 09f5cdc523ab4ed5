"""Closed loop: value at risk, quadrants, what became of earlier answers."""

import pandas as pd
import pytest

from cxlib.checks import ParameterError
from cxlib.voice.close_loop import attitude_moves, attitude_spend, latest_attitudes, value_at_risk


@pytest.fixture(name="answers")
def _answers():
    rows = [("a", "2025-01-01", 3), ("a", "2025-06-01", 9), ("b", "2025-01-01", 2), ("c", "2025-01-01", 8)]
    rows += [("b", "2025-06-01", 1), ("d", "2025-06-01", None), (None, "2025-06-01", 5)]
    frame = pd.DataFrame(rows, columns=["customer_id", "answered_at", "nps_score"])
    return frame.assign(answered_at=pd.to_datetime(frame["answered_at"]))


@pytest.fixture(name="orders")
def _orders():
    rows = [("a", "2025-05-01", 100.0), ("b", "2025-05-01", 300.0), ("b", "2020-01-01", 900.0)]
    rows += [("c", "2025-05-01", 50.0), ("c", "2025-05-02", -50.0)]
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])
    return frame.assign(ordered_at=pd.to_datetime(frame["ordered_at"]))


def test_latest_answer_and_recent_sales_count(answers, orders):
    latest = latest_attitudes(answers, orders, as_of="2025-12-31")
    assert latest["customer_id"].tolist() == ["b", "a", "c"], "most at stake first"
    assert latest["attitude"].tolist() == ["detractor", "promoter", "passive"]
    assert latest["amount"].tolist() == [300, 100, 0], "old orders and refunds taken off"
    assert latest["band"].tolist() == ["top_fifth", "other_buyers", "no_purchase"]


def test_value_at_risk_and_quadrants_add_up(answers, orders):
    latest = latest_attitudes(answers, orders, as_of="2025-12-31")
    risk, quadrants = value_at_risk(latest), attitude_spend(latest)
    assert risk["estimate"].tolist() == [300, 0, 0] and risk["amount_share"].sum() == pytest.approx(0.75)
    assert quadrants["n"].sum() == 3 and quadrants["amount_share"].sum() == pytest.approx(1)
    assert quadrants.loc[quadrants["n"] > 0, "spend_level"].tolist() == ["low", "low", "high"]


def test_moves_follow_the_same_customer(answers):
    moves = attitude_moves(answers).query("n > 0")
    assert moves[["before", "after", "n"]].to_numpy().tolist() == [
        ["detractor", "detractor", 1],
        ["detractor", "promoter", 1],
    ]
    assert (moves["estimate"] == 0.5).all() and (moves["n_before"] == 2).all()


def test_no_answers(answers, orders):
    latest = latest_attitudes(answers.head(0), orders, as_of="2025-12-31")
    assert value_at_risk(latest)["n"].sum() == attitude_spend(latest)["n"].sum() == 0
    assert attitude_moves(answers.head(0))["n"].sum() == 0


@pytest.mark.parametrize("score", ["good", 11])
def test_what_is_no_score_has_no_attitude(answers, orders, score):
    answers = answers.assign(nps_score=score)
    for compute in (
        lambda: latest_attitudes(answers, orders, as_of="2025-12-31"),
        lambda: attitude_moves(answers),
    ):
        with pytest.raises(ParameterError, match="nps_score"):
            compute()
