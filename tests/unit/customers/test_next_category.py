"""What is bought next: pairs by hand, a planted chain is found, and without habits popularity is as good."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import ParameterError
from cxlib.customers.next_category import next_purchase_hits, next_purchases, purchase_pairs


def order_lines(seed=1, customers=300, follow=0.0) -> pd.DataFrame:
    """Six orders each; with probability `follow` the next category is the one after, else any."""
    rng = np.random.default_rng(seed)
    bought = np.zeros((customers, 6), dtype=int)
    free = rng.choice(3, (customers, 6), p=[0.5, 0.3, 0.2])
    bought[:, 0] = free[:, 0]
    for step in range(1, 6):
        led = rng.random(customers) < follow
        bought[:, step] = np.where(led, (bought[:, step - 1] + 1) % 3, free[:, step])
    days = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.tile(np.arange(6) * 30, customers), "D")
    return pd.DataFrame(
        {
            "customer_id": np.repeat([f"{value:04d}" for value in range(customers)], 6),
            "order_id": [str(value) for value in range(customers * 6)],
            "ordered_at": days,
            "amount": 10.0,
            "category": np.array(["tea", "cup", "tin"])[bought.ravel()],
        }
    )


def test_pairs_by_hand_take_the_largest_part_of_an_order_and_skip_refunds_and_guests():
    lines = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "a", "a", None],
            "order_id": ["1", "1", "2", "3", "4", "5"],
            "ordered_at": pd.to_datetime(
                ["2026-01-01", "2026-01-01", "2026-01-09", "2026-01-05", "2026-01-20", "2026-01-02"]
            ),
            "amount": [5.0, 9.0, 7.0, -7.0, 2.0, 4.0],
            "category": ["tea", "cup", "tin", "tea", None, "tea"],
        }
    )
    pairs = purchase_pairs(lines)
    assert pairs[["value", "next_value"]].to_numpy().tolist() == [["cup", "tin"]]
    assert purchase_pairs(lines.sample(frac=1, random_state=2)).equals(pairs)


def test_transitions_sum_to_one_and_recover_the_chain():
    table = next_purchases(purchase_pairs(order_lines(follow=0.6, customers=800)))
    np.testing.assert_allclose(table.groupby("value")["estimate"].sum(), 1)
    row = table.set_index(["value", "next_value"]).loc[("tea", "cup")]
    assert row["conf_low"] <= 0.6 + 0.4 * 0.3 <= row["conf_high"]
    assert row["lift"] > 1.3


def test_a_chain_beats_popularity_and_its_hit_rate_is_the_planted_one():
    hits = next_purchase_hits(purchase_pairs(order_lines(follow=0.6)), start="2026-03-15").set_index("method")
    assert hits.loc["next_value", "ahead_conf_low"] > 0.2
    assert hits.loc["next_value", "conf_low"] < 0.75 and hits.loc["next_value", "conf_high"] > 0.70
    assert hits.loc["same_again", "estimate"] < hits.loc["popular", "estimate"]


def test_without_habits_it_is_no_better_than_popularity():
    better = 0
    for seed in range(40):
        hits = next_purchase_hits(purchase_pairs(order_lines(seed, 150)), start="2026-03-15")
        better += hits.set_index("method").loc["next_value", "ahead_conf_low"] > 0
    assert better <= 3


def test_where_every_guess_is_right_the_rate_is_not_certain():
    """19 of 19 customers: Wilson's lower limit is 19/(19 + 1.96²)."""
    days = pd.to_datetime(["2026-01-01"] * 19 + ["2026-03-01"] * 19)
    ids = [f"c{value}" for value in range(19)] * 2
    same = pd.DataFrame({"customer_id": ids, "value": "x", "next_value": "x", "ordered_at": days})
    hits = next_purchase_hits(same, start="2026-02-01").set_index("method")
    assert hits["estimate"].tolist() == [1, 1, 1]
    np.testing.assert_allclose(hits["conf_low"], 19 / (19 + 1.959964**2), rtol=1e-5)
    assert (hits["conf_high"] == 1).all()
    own = hits.loc["next_value", ["ahead", "ahead_conf_low", "ahead_conf_high"]]
    assert own["ahead"] == 0
    assert own.iloc[1:].isna().all(), "one and the same rule: there is no lead to be unsure of"
    swap = same.assign(value=["x"] * 10 + ["y"] * 9 + ["y"] * 19, next_value=["x"] * 10 + ["y"] * 28)
    lead = next_purchase_hits(swap, start="2026-02-01").set_index("method").loc["next_value"]
    assert (lead["ahead"], lead["ahead_conf_high"]) == (1, 1)
    assert 0.5 < lead["ahead_conf_low"] < 0.9


def test_nothing_to_learn_or_to_test_and_wrong_columns():
    pairs = purchase_pairs(order_lines(customers=5))
    assert next_purchase_hits(pairs, start="2025-01-01").empty
    assert next_purchase_hits(pairs, start="2027-01-01").empty
    assert next_purchases(pairs.head(0)).empty
    with pytest.raises(ParameterError, match="categry"):
        purchase_pairs(order_lines(customers=5), dimension="categry")


def test_lift_limits_count_customers_not_moves():
    """Against each customer's influence added up one by one; repeating every move changes nothing."""
    pairs = purchase_pairs(order_lines(4, customers=80))
    table = next_purchases(pairs)
    for row in table.to_dict("records"):
        counts = [
            np.ones(len(pairs)),
            pairs["value"] == row["value"],
            pairs["next_value"] == row["next_value"],
            (pairs["value"] == row["value"]) & (pairs["next_value"] == row["next_value"]),
        ]
        parts = [
            pd.Series(one, dtype=float).groupby(pairs["customer_id"]).sum() / np.sum(one) for one in counts
        ]
        influence = parts[0] - parts[1] - parts[2] + parts[3]
        error = np.sqrt((influence**2).sum() * len(influence) / (len(influence) - 1))
        assert np.log(row["lift_conf_high"] / row["lift"]) == pytest.approx(1.959964 * error)
        assert row["lift"] / row["lift_conf_low"] == pytest.approx(row["lift_conf_high"] / row["lift"])
    twice = next_purchases(pd.concat([pairs, pairs]))
    np.testing.assert_allclose(twice["lift_conf_low"], table["lift_conf_low"])


@pytest.mark.slow
@pytest.mark.parametrize("rounds", [40, pytest.param(100, marks=pytest.mark.long)])
def test_lift_limits_hold_one_where_nothing_follows_from_anything(rounds):
    held = [
        (table["lift_conf_low"] <= 1) & (table["lift_conf_high"] >= 1)
        for table in (
            next_purchases(purchase_pairs(order_lines(seed, customers=150))) for seed in range(rounds)
        )
    ]
    assert 0.92 <= np.mean(held) <= 0.98


def test_the_better_of_the_two_baselines_is_the_one_to_beat():
    """Everybody keeps to one category: the same again is always right, popularity for a part."""
    lines = order_lines(5, customers=120)
    lines["category"] = lines.groupby("customer_id")["category"].transform("first")
    hits = next_purchase_hits(purchase_pairs(lines), start="2026-04-15").set_index("method")
    assert set(hits["baseline"]) == {"same_again"}
    assert hits.loc["same_again", "estimate"] == 1
    assert hits.loc["popular", "beyond_conf_high"] < 0
    assert hits.loc["next_value", "beyond"] == pytest.approx(0)
    free = next_purchase_hits(purchase_pairs(order_lines(6)), start="2026-04-15").set_index("method")
    assert set(free["baseline"]) == {"popular"}
    assert free.loc["next_value", "beyond"] == pytest.approx(free.loc["next_value", "ahead"])
