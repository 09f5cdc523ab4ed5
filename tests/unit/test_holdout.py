"""The next period: what is counted in it, and that random groups show no difference."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import ParameterError
from cxlib.holdout import backtest, backtest_gap, next_period, outcome_table

LINES = pd.DataFrame(
    {
        "customer_id": ["a", "a", "a", "b", "c"],
        "order_id": ["1", "2", "2", "3", "4"],
        "ordered_at": pd.to_datetime(["2026-01-31", "2026-02-01", "2026-03-01", "2026-05-01", "2026-05-02"]),
        "amount": [10.0, 30.0, -5.0, 20.0, 40.0],
    }
)


def test_only_orders_after_the_start_and_within_the_days_count():
    base = pd.DataFrame({"customer_id": ["a", "b", "c", "d"]})
    result = next_period(base, LINES, start="2026-01-31", days=90)
    assert result["next_orders"].tolist() == [1, 1, 0, 0]
    assert result["next_amount"].tolist() == [25.0, 20.0, 0.0, 0.0]


def test_days_must_be_positive():
    with pytest.raises(ParameterError, match="days"):
        next_period(LINES[["customer_id"]], LINES, start="2026-01-31", days=0)


def customers(seed=1, n=2000, effect=0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    score = rng.integers(1, 6, n)
    again = rng.random(n) < 0.3 + effect * (score - 3)
    return pd.DataFrame(
        {"r_score": score, "next_orders": again.astype(int), "next_amount": again * rng.gamma(2, 50, n)}
    )


def test_table_recovers_a_planted_difference():
    outcome = backtest(customers(effect=0.1), by=["r_score"])
    rates = outcome[outcome["metric"] == "repeat_rate"]
    truth = 0.3 + 0.1 * (rates["group"] - 3)
    assert ((rates["conf_low"] <= truth) & (truth <= rates["conf_high"])).all()
    gap = backtest_gap(outcome).iloc[0]
    assert gap["verdict"] == "differ"
    assert gap["conf_low"] <= 0.4 <= gap["conf_high"]


def test_random_scores_are_rarely_called_different():
    verdicts = [
        backtest_gap(backtest(customers(seed), by=["r_score"]))["verdict"].iloc[0] for seed in range(40)
    ]
    assert verdicts.count("differ") <= 5


def test_sign_groups_and_empty_input():
    worse = backtest_gap(backtest(customers(effect=-0.1), by=["r_score"])).iloc[0]
    assert worse["estimate"] < 0
    assert worse["verdict"] == "differ"
    one_group = backtest(customers().assign(r_score=3), by=["r_score"])
    assert backtest_gap(one_group).empty
    nobody = backtest(customers().iloc[:0], by=["r_score"])
    assert nobody.empty
    assert backtest_gap(nobody).empty


def test_a_customer_without_a_score_is_left_out():
    table = outcome_table(customers().assign(f_score=pd.NA), by=["r_score", "f_score"])
    assert table.empty
    with pytest.raises(ParameterError, match="r_score"):
        outcome_table(customers(), by="r_scor")
