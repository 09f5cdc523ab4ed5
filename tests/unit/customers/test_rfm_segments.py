"""RFM scores, named segments and the choice of customers: ties, units, cuts, messages."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxlib.checks import ParameterError
from cxlib.customers.rfm_segments import (
    NO_NET_SALES,
    NO_ORDERS,
    OTHERS,
    assign_segments,
    choose_customers,
    rfm,
    rfm_cuts,
    segment_names,
    summarise_customers,
)
from cxlib.data.rules.rule_files import load_rules

SCORES = ["r_score", "f_score", "m_score"]
RULES = load_rules("rfm_segments")

whole = st.integers(1, 6)
bases = st.lists(st.tuples(st.integers(0, 400), whole, st.integers(-2, 30)), min_size=1, max_size=40).map(
    lambda rows: pd.DataFrame(rows, columns=["recency_days", "frequency", "monetary_total"])
)


def order_lines(**changes) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "b", "c", None],
            "order_id": ["1", "1", "2", "3", "4", "5"],
            "ordered_at": pd.to_datetime(
                ["2026-01-01", "2026-01-01", "2026-01-21", "2026-01-11", "2026-01-11", "2026-01-11"]
            ),
            "amount": [10.0, 5.0, 30.0, 20.0, -4.0, 99.0],
        }
    )
    return frame.assign(**changes)


def test_summary_of_a_hand_made_table():
    result = summarise_customers(order_lines(), as_of="2026-01-31").set_index("customer_id")
    assert result.loc[
        "a", ["recency_days", "frequency", "monetary_total", "monetary_mean", "tenure_days"]
    ].tolist() == [
        10,
        2,
        45.0,
        22.5,
        30,
    ]
    assert result.index.tolist() == ["a", "b", "c"]
    refunded = result.loc["c"]
    assert (refunded["frequency"], refunded["monetary_total"]) == (0, -4.0)
    assert refunded[["recency_days", "tenure_days", "monetary_mean"]].isna().all()


def test_summary_takes_other_column_names():
    names = {"customer_id": "klant", "order_id": "bon", "ordered_at": "op", "amount": "価格(円)"}
    columns = {f"{old.replace('ordered_at', 'time')}_col": new for old, new in names.items()}
    renamed = summarise_customers(order_lines().rename(columns=names), as_of="2026-01-31", **columns)
    pd.testing.assert_frame_equal(renamed, summarise_customers(order_lines(), as_of="2026-01-31"))


@settings(deadline=None, max_examples=40)
@given(bases)
def test_equal_customers_get_equal_scores_and_better_values_never_lower_ones(base):
    scored = rfm(base).dropna(subset=SCORES)
    for value, score, sign in zip(base.columns, SCORES, (-1, 1, 1), strict=True):
        by_value = scored.groupby(value)[score]
        assert by_value.nunique().eq(1).all()
        assert (by_value.first().astype(int).diff().dropna() * sign >= 0).all()


@settings(deadline=None, max_examples=40)
@given(bases)
def test_scores_do_not_depend_on_the_unit_of_money_or_the_order_of_rows(base):
    own = rfm(base)[SCORES]
    pd.testing.assert_frame_equal(rfm(base.assign(monetary_total=base["monetary_total"] / 1000))[SCORES], own)
    pd.testing.assert_frame_equal(rfm(base.iloc[::-1].assign(extra=1))[SCORES].iloc[::-1], own)


@settings(deadline=None, max_examples=40)
@given(bases)
def test_cuts_round_trip(base):
    pd.testing.assert_frame_equal(rfm(base, cuts=rfm_cuts(base)), rfm(base))


@settings(deadline=None, max_examples=40)
@given(bases)
def test_customers_without_net_sales_are_apart(base):
    named = assign_segments(rfm(base), rules=RULES)
    apart = base["monetary_total"] <= 0
    assert (named.loc[apart, "segment"] == NO_NET_SALES).all()
    assert (named.loc[~apart, "segment"] != NO_NET_SALES).all()
    assert named.loc[apart, SCORES].isna().all(axis=None)


def test_a_value_equal_to_a_cut_belongs_to_the_lower_group():
    base = pd.DataFrame({"recency_days": [30, 31], "frequency": [2, 3], "monetary_total": [100.0, 100.5]})
    cuts = {"recency_days": [30], "frequency": [2], "monetary_total": [100]}
    assert rfm(base, cuts=cuts)[SCORES].to_numpy().tolist() == [[2, 1, 1], [1, 2, 2]]


def test_business_thresholds_may_leave_values_out():
    base = pd.DataFrame({"recency_days": range(10), "frequency": 1, "monetary_total": np.arange(1.0, 11)})
    scored = rfm(base, cuts={"recency_days": [4]})
    assert sorted(scored["r_score"].unique()) == [1, 2]
    assert sorted(scored["m_score"].unique()) == [1, 2, 3, 4, 5]
    assert scored["f_score"].unique().tolist() == [1]


def test_ninety_percent_with_one_purchase():
    base = pd.DataFrame({"recency_days": 5, "frequency": [1] * 90 + [2] * 10, "monetary_total": 7.0})
    assert rfm(base).groupby("frequency")["f_score"].agg(["min", "max"]).to_numpy().tolist() == [
        [1, 1],
        [5, 5],
    ]


def test_nobody_to_score_and_nobody_at_all():
    base = pd.DataFrame({"recency_days": [3], "frequency": [1], "monetary_total": [0.0]})
    for frame in (base, base.iloc[:0]):
        assert rfm(frame)[SCORES].isna().all(axis=None)
        assert rfm_cuts(frame)["upper"].isna().all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda base: rfm_cuts(base, bins=1), "2 to 10"),
        (lambda base: rfm(base, cuts={"frequency": [3, 2]}), "ascending"),
        (lambda base: rfm(base, cuts={"frequency": [np.nan]}), "finite"),
        (lambda base: rfm(base, cuts={"recency": [1]}), "recency_days, frequency, monetary_total"),
        (lambda base: rfm(base.rename(columns={"frequency": "frequenzy"})), "frequenzy"),
        (lambda base: assign_segments(base, rules=RULES), "r_score"),
    ],
)
def test_wrong_arguments_are_named(call, words):
    base = pd.DataFrame({"recency_days": [3], "frequency": [1], "monetary_total": [5.0]})
    with pytest.raises(ParameterError, match=words):
        call(base)


def test_first_matching_rule_wins_and_the_rest_are_others():
    class Rules:
        segments = RULES.segments[:1]
        others = RULES.others

    base = pd.DataFrame({"r_score": [5, 5], "f_score": [5, 1], "m_score": [5, 1]}, dtype="Int64")
    assert assign_segments(base, rules=Rules())["segment"].tolist() == [Rules.segments[0].name, OTHERS]


def test_segment_names_exist_in_both_languages():
    for lang in ("en", "ja"):
        names = segment_names(RULES, lang)
        assert list(names)[-3:] == [OTHERS, NO_NET_SALES, NO_ORDERS]
        assert all(names.values())


def people() -> pd.DataFrame:
    return pd.DataFrame({"customer_id": ["a", "b", "c", "d"], "region": ["x", "y", None, "x"]})


def test_chosen_customers_carry_their_segment():
    chosen = choose_customers(people(), order_lines(), as_of="2026-01-31", by="region")
    assert chosen["segment"].tolist()[2:] == [NO_NET_SALES, NO_ORDERS]
    one = chosen["segment"].iloc[0]
    kept = choose_customers(people(), order_lines(), as_of="2026-01-31", segment=one)
    assert set(kept["segment"]) == {one}
    assert kept.index.tolist() == list(range(len(kept)))


def test_customers_come_from_the_orders_where_there_is_no_table_of_them():
    chosen = choose_customers(None, order_lines(), as_of="2026-01-31", by="segment")
    assert chosen["customer_id"].tolist() == ["a", "b", "c"]


def test_without_orders_nobody_has_a_segment():
    assert choose_customers(people(), as_of="2026-01-31", by="region")["segment"].isna().all()
    with pytest.raises(ParameterError, match="orders"):
        choose_customers(people(), as_of="2026-01-31", segment="New")


def test_what_does_not_exist_is_answered_with_what_does():
    with pytest.raises(ParameterError, match="region"):
        choose_customers(people(), order_lines(), as_of="2026-01-31", by="regoin")
    with pytest.raises(ParameterError, match=r"Champions.*No orders"):
        choose_customers(people(), order_lines(), as_of="2026-01-31", segment="Gold")


@pytest.mark.parametrize("settings", [{"bins": 3}, {"bins": 10}, {"cuts": {"frequency": [1, 3]}}])
def test_segment_rules_for_five_scores_refuse_any_other_number(settings):
    base = pd.DataFrame({"recency_days": range(100), "frequency": range(100, 0, -1)})
    base["monetary_total"] = base["frequency"] * 1.0
    scored = rfm(base, **settings)
    with pytest.raises(ParameterError, match="_score` runs up to"):
        assign_segments(scored[scored["frequency"] > 5], rules=load_rules("rfm_segments"))
    with pytest.raises(ParameterError, match="up to 10"):
        bare = pd.DataFrame({name: [1, 10] for name in ("r_score", "f_score", "m_score")})
        assign_segments(bare, rules=load_rules("rfm_segments"))


@pytest.mark.parametrize(
    "cuts",
    [
        {"frequency": "abc"},
        {"frequency": [1, None, "x"]},
        {"frequency": 3},
        pd.DataFrame({"metric": ["recency"] * 2, "upper": [2, 5]}),
        pd.DataFrame({"metric": ["frequency"] * 2, "upper": [5, 2]}),
        pd.DataFrame({"metric": ["frequency"], "upper": [np.nan]}),
    ],
)
def test_cut_points_that_are_none_are_refused(cuts):
    base = pd.DataFrame({"recency_days": [1, 2], "frequency": [1, 2], "monetary_total": [1.0, 2.0]})
    with pytest.raises(ParameterError, match="cuts"):
        rfm(base, cuts=cuts)


@pytest.mark.parametrize("bins", ["5", 5.5, True, None, 1, 11])
def test_a_number_of_scores_that_is_none_is_refused(bins):
    base = pd.DataFrame({"recency_days": [1, 2], "frequency": [1, 2], "monetary_total": [1.0, 2.0]})
    with pytest.raises(ParameterError, match="bins"):
        rfm_cuts(base, bins=bins)
