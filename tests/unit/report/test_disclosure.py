"""Small cells are blanked, and nothing shown gives them away."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlib.checks import ParameterError
from cxlib.report.disclosure import FLAG, suppress_small


def _frame(counts, **columns):
    names = [f"g{i}" for i in range(len(counts))]
    return pd.DataFrame({"region": names, "estimate": [0.5] * len(counts), "n": counts, **columns})


def test_one_small_row_takes_the_next_smallest_with_it():
    shown = suppress_small(_frame([100, 4, 30, 25]), min_cell=10)
    assert shown[FLAG].tolist() == [False, True, False, True]
    assert shown["n"].isna().tolist() == shown["estimate"].isna().tolist() == shown[FLAG].tolist()
    assert shown["region"].tolist() == ["g0", "g1", "g2", "g3"]


def test_two_tiny_rows_whose_sum_is_still_small_take_a_third():
    assert suppress_small(_frame([100, 4, 3, 25]), min_cell=10)[FLAG].tolist() == [False, True, True, True]
    assert suppress_small(_frame([100, 6, 7, 25]), min_cell=10)[FLAG].tolist() == [False, True, True, False]


def test_groups_are_hidden_each_on_their_own():
    frame = _frame([4, 30, 40, 50, 60, 70]).assign(wave=[1, 1, 1, 2, 2, 2])
    shown = suppress_small(frame, min_cell=10, within="wave")
    assert shown[FLAG].tolist() == [True, True, False, False, False, False]
    assert shown["wave"].tolist() == [1, 1, 1, 2, 2, 2]


def test_metrics_are_groups_of_their_own():
    frame = pd.DataFrame(
        {
            "age": [20, 30, 20, 30],
            "metric": ["nps", "nps", "csat", "csat"],
            "estimate": 1.0,
            "n": [50, 60, 3, 60],
        }
    )
    shown = suppress_small(frame, min_cell=10)
    assert shown[FLAG].tolist() == [False, False, True, True]
    assert shown["age"].tolist() == [20, 30, 20, 30]


def test_a_small_cell_of_a_cross_table_takes_a_rectangle_with_it():
    """Row and column totals are known: one blanked partner in each is not enough, their corner goes too."""
    cells = pd.MultiIndex.from_product([["a", "b", "c"], [1, 2, 3]], names=["region", "wave"])
    frame = cells.to_frame(index=False).assign(
        metric="nps", estimate=1.0, n=[4, 60, 70, 50, 80, 90, 95, 96, 97]
    )
    shown = suppress_small(frame, min_cell=10)
    blank = shown.loc[shown[FLAG], ["region", "wave"]].to_numpy().tolist()
    assert blank == [["a", 1], ["a", 2], ["b", 1], ["b", 2]]


def test_the_same_small_group_at_every_horizon_takes_another_group_with_it():
    cells = pd.MultiIndex.from_product([["a", "b", "c"], [30, 60]], names=["region", "days"])
    frame = cells.to_frame(index=False).assign(estimate=0.5, n=[6, 6, 50, 50, 70, 70])
    shown = suppress_small(frame, min_cell=10)
    assert shown.loc[shown[FLAG], "region"].unique().tolist() == ["a", "b"]
    assert shown["days"].tolist() == [30, 60] * 3


def test_measures_of_the_same_rows_do_not_cover_one_another():
    frame = pd.DataFrame({"metric": ["nps", "csat", "ces"], "estimate": [1.0, 2.0, 3.0], "n": [4, 50, 60]})
    assert suppress_small(frame, min_cell=10)[FLAG].tolist() == [True, False, False]


def test_running_totals_go_with_the_group():
    frame = _frame(
        [50, 3, 60, 4, 70], cumulative_share=[0.2, 0.3, 0.6, 0.7, 1.0], share=[0.2, 0.1, 0.3, 0.1, 0.3]
    )
    shown = suppress_small(frame, min_cell=10)
    assert shown["cumulative_share"].isna().all()
    assert shown.loc[~shown[FLAG], "share"].notna().all()


def test_dates_flags_and_integers_of_a_blanked_row_go_too():
    days = pd.to_datetime(["2026-01-01"] * 3)
    shown = suppress_small(
        _frame([4, 7, 30], first=days, is_tied=[True, False, True], orders=[1, 2, 3]), min_cell=10
    )
    assert shown.loc[0, ["estimate", "first", "is_tied", "orders", "n"]].isna().all()
    assert shown.loc[2, "orders"] == 3


def test_unknown_number_of_customers_is_not_shown_and_zero_needs_no_cover():
    assert suppress_small(_frame([np.nan, 50, 60]), min_cell=10)[FLAG].tolist() == [True, True, False]
    assert suppress_small(_frame([0, 50, 60]), min_cell=10)[FLAG].tolist() == [True, False, False]


def test_named_columns_stay():
    shown = suppress_small(_frame([4, 5, 30], year=[2024, 2025, 2026]), min_cell=10, keep=["year"])
    assert shown["year"].tolist() == [2024, 2025, 2026]


def test_input_is_unchanged_and_empty_frames_pass():
    frame = _frame([4, 50])
    before = frame.copy()
    suppress_small(frame, min_cell=10)
    pd.testing.assert_frame_equal(frame, before)
    assert suppress_small(frame.iloc[:0], min_cell=10).empty


def test_renamed_count_column_and_its_misspelling():
    frame = _frame([4, 50, 60]).rename(columns={"n": "customers"})
    assert suppress_small(frame, min_cell=10, n_col="customers")[FLAG].tolist() == [True, True, False]
    with pytest.raises(ParameterError, match="customers"):
        suppress_small(frame, min_cell=10, n_col="customer")


@given(counts=st.lists(st.integers(0, 60), min_size=1, max_size=12), min_cell=st.integers(5, 20))
def test_what_is_hidden_cannot_be_found_by_subtraction(counts, min_cell):
    """The total is known: total minus shown rows is the blanked customers, none or at least `min_cell`.

    Where a whole group has fewer customers than that, nothing of it is shown.
    """
    shown = suppress_small(_frame(counts), min_cell=min_cell)
    hidden = np.array(counts)[shown[FLAG].to_numpy()]
    assert (shown["n"].dropna() >= min_cell).all()
    left = int(hidden.sum())
    assert left == 0 or shown[FLAG].all() or (left >= min_cell and (hidden > 0).sum() >= 2)


@given(counts=st.lists(st.integers(0, 60), min_size=1, max_size=12, unique=True), seed=st.integers(0, 99))
def test_row_order_does_not_matter(counts, seed):
    frame = _frame(counts)
    order = np.random.default_rng(seed).permutation(len(counts))
    one = suppress_small(frame, min_cell=10)[FLAG].to_numpy()[order]
    other = suppress_small(frame.iloc[order].reset_index(drop=True), min_cell=10)[FLAG].to_numpy()
    assert (one == other).all()


def test_a_share_that_stands_for_a_few_customers_is_hidden_with_its_siblings():
    frame = pd.DataFrame(
        {
            "region": ["a", "b"],
            "metric": "nps",
            "estimate": [40.0, 30.0],
            "n": [23, 400],
            "promoter_share": [0.5, 0.5],
            "passive_share": [0.4565, 0.3],
            "detractor_share": [1 / 23, 0.2],
            "share_negative": [0.0, 395 / 400],
        }
    )
    shown = suppress_small(frame, min_cell=10)
    assert shown.loc[0, ["promoter_share", "passive_share", "detractor_share"]].isna().all()
    assert shown.loc[1, ["promoter_share", "passive_share", "detractor_share"]].notna().all()
    assert shown["share_negative"].tolist()[0] == 0 and pd.isna(shown.loc[1, "share_negative"])
    assert shown["estimate"].tolist() == [40.0, 30.0]
