"""Deciles and what groups carry: ties, tiny and negative input, intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from cxlib.checks import ParameterError
from cxlib.customers.decile_groups import decile_table, deciles, segment_table
from cxlib.customers.sales_concentration import concentration

amounts = st.lists(st.integers(-3, 30), min_size=10, max_size=80)


def base(values) -> pd.DataFrame:
    return pd.DataFrame({"monetary_total": np.asarray(values, dtype=float), "frequency": 1})


@pytest.mark.parametrize("scheme", ["count", "amount"])
@settings(deadline=None, max_examples=40)
@given(values=amounts)
def test_equal_customers_share_a_decile_and_more_is_never_lower(values, scheme):
    held = deciles(base(values), scheme=scheme).dropna(subset="decile")
    by_value = held.groupby("monetary_total")["decile"]
    assert by_value.nunique().eq(1).all()
    assert (by_value.first().astype(int).diff().dropna() <= 0).all()


@pytest.mark.parametrize("scheme", ["count", "amount"])
@settings(deadline=None, max_examples=40)
@given(values=amounts)
def test_table_adds_up_and_does_not_depend_on_unit_or_order(values, scheme):
    table = decile_table(base(values), scheme=scheme)
    assert table["n"].sum() == len(values)
    assert table["amount"].sum() == pytest.approx(sum(values))
    if sum(value > 0 for value in values) >= 10:
        tenths = table[table["decile"].notna()]
        assert tenths["amount_share"].sum() == pytest.approx(1)
        assert tenths["cumulative_share"].iloc[-1] == pytest.approx(1)
        assert tenths["customer_share"].sum() == pytest.approx(1)
        assert len(tenths) == 10
    in_thousands = decile_table(
        base(values[::-1]).assign(monetary_total=lambda t: t["monetary_total"] / 1000), scheme=scheme
    )
    assert in_thousands["n"].tolist() == table["n"].tolist()
    np.testing.assert_allclose(in_thousands["estimate"], table["estimate"])
    np.testing.assert_allclose(in_thousands["conf_low"], table["conf_low"])


def test_without_ties_the_groups_are_equal():
    values = np.random.default_rng(1).permutation(np.arange(1, 101))
    table = decile_table(base(values))
    assert table["n"].tolist() == [10] * 10
    assert table["upper_amount"].tolist() == [100.0 - 10 * k for k in range(10)]
    assert (table["tie_share"] == 0).all()
    assert (table["note"] == "").all()


def test_fewer_than_ten_customers_have_no_deciles_and_the_frame_says_so():
    few = base([5, 4, 3, 2, 1])
    assert deciles(few)["decile"].isna().all()
    table = decile_table(few)
    assert table[["n", "amount", "note"]].to_numpy().tolist() == [[5, 15.0, "not_enough_data"]]
    assert table[["estimate", "conf_low", "conf_high"]].isna().all(axis=None)
    assert decile_table(few.iloc[:0])["n"].tolist() == [0]


def test_all_equal_amounts_cannot_be_ranked():
    table = decile_table(base([7] * 20))
    assert set(table["note"]) == {"all_equal"}
    assert table["n"].tolist() == [0] * 9 + [20]


def test_negative_zero_and_missing_totals_are_shown_apart():
    table = decile_table(base([*range(1, 21), 0, -5, np.nan]))
    assert table["decile"].isna().tolist() == [False] * 10 + [True]
    apart = table.iloc[-1]
    assert (apart["n"], apart["amount"], apart["note"]) == (3, -5.0, "net_not_positive")


def test_one_customer_with_most_of_the_sales():
    table = decile_table(base([1_000_000, *[1] * 30, *[2] * 30]))
    assert table["amount_share"].iloc[0] > 0.99
    assert table["conf_high"].dropna().between(0, 1).all()
    by_amount = decile_table(base([1_000_000, *[1] * 30, *[2] * 30]), scheme="amount")
    assert (by_amount["n"] > 0).sum() == 2


def test_segment_shares_sum_to_one_and_keep_empty_groups():
    frame = base([10, 20, 30, 40, -5]).assign(segment=["a", "a", "b", "b", "c"])
    table = segment_table(frame, order=["b", "z", "a"])
    assert table["segment"].tolist() == ["b", "z", "a", "c"]
    assert table["n"].tolist() == [2, 0, 2, 1]
    assert table["estimate"].tolist()[:3] == pytest.approx([0.7, 0, 0.3])
    assert np.isnan(table["estimate"].iloc[3])
    assert table["customer_share"].sum() == pytest.approx(1)


def test_a_missing_group_is_a_row_of_its_own():
    frame = base([10, 20, 30]).assign(region=["x", None, "x"], kind=["p", "p", "q"])
    assert segment_table(frame, by="region")["n"].tolist() == [2, 1]
    assert len(segment_table(frame, by=["region", "kind"])) == 3


def test_share_interval_agrees_with_the_bootstrap():
    rng = np.random.default_rng(4)
    frame = base(rng.lognormal(8, 1, 1000)).assign(segment=rng.choice(["a", "b"], 1000, p=[0.3, 0.7]))
    row = segment_table(frame).set_index("segment").loc["a"]
    x, inside = frame["monetary_total"].to_numpy(), (frame["segment"] == "a").to_numpy()
    drawn = rng.integers(0, 1000, (2000, 1000))
    again = (x * inside)[drawn].sum(axis=1) / x[drawn].sum(axis=1)
    assert row["std_error"] == pytest.approx(again.std(), rel=0.08)
    assert [row["conf_low"], row["conf_high"]] == pytest.approx(np.quantile(again, [0.025, 0.975]), abs=0.01)


def test_decile_share_error_agrees_with_the_bootstrap():
    rng = np.random.default_rng(5)
    x = rng.lognormal(8, 1, 1000)
    table = decile_table(base(x))
    ordered = np.sort(x[rng.integers(0, 1000, (2000, 1000))], axis=1)[:, ::-1]
    again = ordered.reshape(2000, 10, 100).sum(axis=2) / ordered.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(table["std_error"], again.std(axis=0), rtol=0.1)


def test_the_first_decile_and_the_top_tenth_have_one_interval():
    x = np.random.default_rng(1).lognormal(0, 1.5, 400)
    columns = ["estimate", "std_error", "conf_low", "conf_high"]
    decile = decile_table(base(x))[columns].iloc[0]
    top = concentration(base(x), top=[0.1])[columns].iloc[1]
    np.testing.assert_allclose(decile.to_numpy(float), top.to_numpy(float), rtol=1e-9)


def test_the_first_decile_holds_at_least_its_own_share():
    table = decile_table(base(np.append(np.random.default_rng(0).lognormal(9, 1, 500), 1e9)))
    assert table["conf_low"].iloc[0] >= table["customer_share"].iloc[0]
    assert (table["conf_high"].iloc[9] <= table["customer_share"].iloc[9]) or table["conf_high"].isna().iloc[
        9
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sigma", "n", "rounds"),
    [
        (1.0, 300, 150),
        pytest.param(1.0, 300, 600, marks=pytest.mark.long),
        pytest.param(1.5, 1000, 600, marks=pytest.mark.long),
    ],
)
def test_coverage_of_the_decile_shares(sigma, n, rounds):
    """93–97 %, and two standard errors of the draws either way, three of ten shares in few draws."""
    off = (2 if rounds == 600 else 3) * np.sqrt(0.05 * 0.95 / rounds)
    truth = np.diff(norm.cdf(norm.ppf(np.linspace(0, 1, 11)) - sigma))[::-1]
    rng, inside = np.random.default_rng(7), np.zeros(10)
    for _ in range(rounds):
        table = decile_table(base(rng.lognormal(0, sigma, n)))
        inside += ((table["conf_low"] <= truth) & (truth <= table["conf_high"])).to_numpy()
    assert (abs(inside / rounds - 0.95) <= 0.02 + off).all()


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("n", [300, 2000])
def test_coverage_of_segment_shares_with_heavy_tails(n):
    truth = np.exp(2) / np.exp(np.arange(5) * 0.5).sum()
    rng, inside = np.random.default_rng(7), 0
    for _ in range(600):
        group = rng.integers(0, 5, n)
        frame = base(rng.lognormal(group * 0.5, 1.5, n)).assign(segment=group)
        row = segment_table(frame).set_index("segment").loc[4]
        inside += row["conf_low"] <= truth <= row["conf_high"]
    assert 0.93 <= inside / 600 <= 0.99


@pytest.mark.parametrize(("argument", "value"), [("scheme", "rank"), ("value_col", "sales")])
def test_wrong_arguments_are_named(argument, value):
    with pytest.raises(ParameterError, match=argument):
        deciles(base(range(20)), **{argument: value})
