"""Customers who came by referral: their share, and what they bought beside the others."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxlib.checks import ParameterError
from cxlib.voice.referrals import referred_customers


def make_shop(n=4_000, seed=0, gap=500.0):
    """A fifth is referred, and buys for `gap` more in the first year."""
    rng = np.random.default_rng(seed)
    source = np.where(np.arange(n) % 5 == 0, "referral", "sns")
    people = pd.DataFrame({"customer_id": [f"c{i}" for i in range(n)], "acquisition_channel": source})
    first = pd.to_datetime("2024-01-10") + pd.to_timedelta(rng.integers(0, 300, n), "D")
    amount = rng.gamma(4, 500, n) + gap * (source == "referral")
    orders = pd.DataFrame(
        {"customer_id": people["customer_id"], "ordered_at": pd.to_datetime(first), "amount": amount}
    )
    return people, orders


def test_share_and_gap_against_scipy():
    people, orders = make_shop()
    found = referred_customers(people, orders, as_of="2026-06-30").set_index("metric")
    assert found.loc["referred_share", ["estimate", "n"]].tolist() == [0.2, 4_000]
    amount = orders.set_index("customer_id")["amount"]
    is_referred = people.set_index("customer_id")["acquisition_channel"] == "referral"
    test = stats.ttest_ind(amount[is_referred], amount[~is_referred], equal_var=False)
    low, high = test.confidence_interval(0.95)
    gap = found.loc["amount_gap"]
    assert [gap["conf_low"], gap["conf_high"]] == pytest.approx([low, high])
    assert gap["estimate"] == pytest.approx(amount[is_referred].mean() - amount[~is_referred].mean())
    assert found.loc["amount_referred", "n"] == 800


def test_the_planted_gap_of_the_middle_lies_in_its_interval():
    held = 0
    for seed in range(200):
        found = referred_customers(*make_shop(400, seed), as_of="2026-06-30").set_index("metric")
        gap = found.loc["middle_gap"]
        held += gap["conf_low"] <= 500 <= gap["conf_high"]
    assert 180 <= held <= 199


def test_one_large_buyer_moves_the_mean_and_leaves_no_interval_of_it():
    """A referred customer who buys for a quarter of the group's money decides the mean, not the middle."""
    people, orders = make_shop(600, gap=0.0)
    before = referred_customers(people, orders, as_of="2026-06-30").set_index("metric").loc["middle_gap"]
    referred = people["acquisition_channel"] == "referral"
    orders.loc[referred.idxmax(), "amount"] = orders.loc[referred, "amount"].sum() / 3
    found = referred_customers(people, orders, as_of="2026-06-30").set_index("metric")
    assert found.loc["amount_gap", "status"] == "few_carry"
    assert found.loc[["amount_referred", "amount_gap"], ["conf_low", "conf_high"]].isna().all(axis=None)
    gap = found.loc["middle_gap"]
    assert gap["status"] == "ok"
    assert abs(gap["estimate"] - before["estimate"]) < before["std_error"] / 2


def test_only_complete_years_from_the_first_order_count():
    people = pd.DataFrame({"customer_id": list("abc"), "acquisition_channel": ["referral", "sns", None]})
    orders = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "b", "c", None],
            "ordered_at": pd.to_datetime(
                [
                    "2024-01-01",
                    "2024-12-30",
                    "2025-01-01",
                    "2025-06-01",
                    "2024-01-01",
                    "2024-01-01",
                ]
            ),
            "amount": [10.0, -4.0, 99.0, 7.0, 50.0, 3.0],
        }
    )
    found = referred_customers(people, orders, as_of="2026-01-01").set_index("metric")
    assert found.loc["referred_share", ["estimate", "n"]].tolist() == [0.5, 2]
    assert found.loc["amount_referred", ["estimate", "n"]].tolist() == [6.0, 1]
    assert found.loc["amount_others", "n"] == 0
    assert np.isnan(found.loc["amount_gap", "estimate"])


def test_nobody_and_other_names():
    people, orders = make_shop(20)
    none = referred_customers(people, orders.head(0), as_of="2026-06-30")
    assert none["n"].tolist() == [0] * 7 and none["estimate"].isna().all()
    renamed = people.rename(columns={"acquisition_channel": "源"}).replace("referral", "紹介")
    found = referred_customers(renamed, orders, as_of="2026-06-30", source_col="源", referral="紹介")
    assert found["estimate"][0] == 0.2
    with pytest.raises(ParameterError, match="source_col"):
        referred_customers(people, orders, as_of="2026-06-30", source_col="source")


def test_order_lines_that_share_an_index_label_count_as_they_are():
    people, orders = make_shop(400)
    same = orders.set_axis(np.zeros(len(orders), dtype=int))
    found, plain = (referred_customers(people, each, as_of="2026-06-30") for each in (same, orders))
    pd.testing.assert_frame_equal(found, plain)
