"""CTB: shares add up, few purchases are drawn to the base, planted preferences and lifts are recovered."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib.checks import ParameterError
from cxlib.customers.preferences import ctb, ctb_table, dominant_table, wallets
from cxlib.data.text_type import TEXT

VALUES = ["lotion", "cream", "serum"]


def order_lines(seed=1, customers=400, devotion=2.0) -> pd.DataFrame:
    """Customers with a mix of their own (Dirichlet around the base mix), 1 to 12 orders of equal amount."""
    rng = np.random.default_rng(seed)
    mixes = rng.dirichlet(devotion * np.array([0.5, 0.3, 0.2]), customers)
    owner = np.repeat(np.arange(customers), rng.integers(1, 13, customers))
    pick = (rng.random(len(owner))[:, None] > mixes[owner].cumsum(axis=1)).sum(axis=1).clip(max=2)
    return pd.DataFrame(
        {
            "customer_id": [f"{value:04d}" for value in owner],
            "order_id": [str(value) for value in range(len(owner))],
            "ordered_at": pd.Timestamp("2026-01-01"),
            "amount": 100.0,
            "category": np.array(VALUES)[pick],
            "brand": pd.array(np.where(rng.random(len(owner)) < 0.1, None, "own"), dtype=TEXT),
        }
    )


def wallet(**settings) -> pd.DataFrame:
    return wallets(order_lines(**settings), as_of="2026-12-31", dimensions=["category", "brand"])


def test_wallet_keeps_unknown_values_and_all_money():
    table = wallet()
    assert np.ptp(table.groupby("dimension")["amount"].sum()) == 0
    assert table.loc[table["dimension"] == "brand", "value"].isna().any()
    assert table.loc[table["dimension"] == "category", "value"].notna().all()


def test_shares_sum_to_one_in_all_and_in_groups():
    lines = order_lines()
    groups = pd.Series({customer: "ab"[int(customer) % 2] for customer in lines["customer_id"].unique()})
    table = ctb_table(wallet(), groups=groups)
    sums = table.groupby(["dimension", "group"], dropna=False)["estimate"].sum()
    np.testing.assert_allclose(sums, 1)
    assert len(sums) == 6
    everybody = table[table["group"].isna()]
    np.testing.assert_allclose(everybody["lift"], 1)
    assert everybody["lift_conf_low"].isna().all()


@settings(deadline=None, max_examples=5)
@given(st.permutations(range(30)))
def test_row_order_does_not_matter(order):
    table = wallet(customers=10).head(30)
    shuffled = table.iloc[[i for i in order if i < len(table)]]
    pd.testing.assert_frame_equal(ctb(shuffled), ctb(table))
    pd.testing.assert_frame_equal(ctb_table(shuffled), ctb_table(table))


def test_few_purchases_are_drawn_to_the_base_mix():
    preferred = ctb(wallet()).query("dimension == 'category'")
    once, often = preferred[preferred["purchases"] == 1], preferred[preferred["purchases"] >= 9]
    assert (once["share"] == 1).all()
    assert once["share_shrunk"].max() < 0.85
    assert not once["is_enough"].any()
    assert once["concentration"].isna().all()
    assert (often["share_shrunk"] - often["share"]).abs().mean() < (1 - once["share_shrunk"]).mean() / 2


@pytest.mark.parametrize("devotion", [0.5, 2.0, 8.0])
def test_concentration_is_unbiased_for_few_and_many_purchases(devotion):
    """For Dirichlet mixes two purchases of a customer agree with probability (1 + k·Σπ²)/(1 + k)."""
    preferred = ctb(wallet(customers=4000, devotion=devotion)).query("dimension == 'category'")
    truth = (1 + devotion * 0.38) / (1 + devotion)
    for low, high in ((2, 3), (8, 12)):
        held = preferred.loc[preferred["purchases"].between(low, high), "concentration"]
        assert abs(held.mean() - truth) < 4 * held.std() / np.sqrt(len(held))


def test_random_purchases_are_drawn_all_the_way():
    """Without tastes of their own, the base mix says more about a customer than the few purchases do."""
    preferred = ctb(wallet(customers=3000, devotion=1e6)).query("dimension == 'category' and purchases <= 3")
    base = preferred["dominant"].map({"lotion": 0.5, "cream": 0.3, "serum": 0.2})
    assert (preferred["share_shrunk"] - base).abs().max() < 0.05


@pytest.mark.slow
@pytest.mark.parametrize(("rounds", "enough"), [(40, 35), pytest.param(60, 53, marks=pytest.mark.long)])
def test_lift_interval_covers_the_planted_lift(rounds, enough):
    inside = 0
    for seed in range(rounds):
        lines = order_lines(seed, customers=300)
        groups = pd.Series(
            {customer: "x" if int(customer) % 3 == 0 else "y" for customer in lines["customer_id"].unique()}
        )
        table = ctb_table(wallets(lines, as_of="2026-12-31", dimensions=["category"]), groups=groups)
        row = table[(table["group"] == "x") & (table["value"] == "cream")].iloc[0]
        inside += row["lift_conf_low"] <= 1 <= row["lift_conf_high"]
    assert inside >= enough


def test_one_order_of_three_categories_is_one_purchase():
    lines = pd.DataFrame(
        {
            "customer_id": ["a"] * 3 + ["b"] * 3 + ["c"] * 4,
            "order_id": [*"111234", *"5566"],
            "ordered_at": pd.Timestamp("2026-01-01"),
            "amount": 10.0,
            "category": [*VALUES, *["lotion"] * 3, *["lotion", "cream"] * 2],
        }
    )
    preferred = ctb(wallets(lines, as_of="2026-02-01", dimensions=["category"])).set_index("customer_id")
    assert preferred["purchases"].tolist() == [1, 3, 2]
    assert preferred["is_enough"].tolist() == [False, True, False]
    assert np.isnan(preferred.loc["a", "concentration"])
    assert preferred.loc["b", "concentration"] == pytest.approx(1)
    assert preferred.loc["c", "concentration"] == pytest.approx(0.5), "by hand: 4 of 8 pairs of both orders"


def test_only_unknown_values_have_no_dominant_one():
    lines = order_lines(customers=20).assign(
        category=pd.array([None] * len(order_lines(customers=20)), dtype=TEXT)
    )
    preferred = ctb(wallets(lines, as_of="2026-12-31", dimensions=["category"]))
    assert preferred["dominant"].isna().all()
    assert not preferred["is_enough"].any()


def test_nobody_and_wrong_arguments():
    nobody = wallet().iloc[:0]
    assert ctb(nobody).empty
    assert ctb_table(nobody).empty
    with pytest.raises(ParameterError, match="min_purchases"):
        ctb(wallet(), min_purchases=1)
    with pytest.raises(ParameterError, match="tast"):
        wallets(order_lines(), as_of="2026-12-31", dimensions=["tast"])


def test_dominant_values_are_counted_with_how_many_are_sure():
    found = pd.DataFrame(
        {
            "dimension": "category",
            "dominant": ["tea", "tea", "cup", None],
            "share_shrunk": [0.8, 0.6, 0.5, np.nan],
            "concentration": [0.5, np.nan, 1.0, np.nan],
            "is_enough": [True, False, True, False],
        }
    )
    table = dominant_table(found)
    assert table["dominant"].tolist()[0] == "tea"
    assert table["n"].tolist() == [2, 1, 1]
    assert table["n_enough"].tolist() == [1, 1, 0]
    assert table["estimate"].sum() == pytest.approx(1)
    assert (table["conf_low"] < table["estimate"]).all()
    tea = table.iloc[0]
    assert (tea["share_shrunk"], tea["concentration"]) == (pytest.approx(0.7), 0.5)
    assert dominant_table(found.iloc[::-1])["n"].tolist() == table["n"].tolist()
