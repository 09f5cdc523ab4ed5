"""Which groups differ, by a test that pays for the search: its size, its power, its edges, its words."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from cxlib.checks import ParameterError
from cxlib.language import catalogue
from cxlib.stats.differences import apart_told, groups_apart, groups_told
from cxlib.stats.intervals import share_interval


def means(values, sizes):
    """Sample means of drawn groups, as a metric gives them."""
    groups = [values(place, size) for place, size in enumerate(sizes)]
    rows = [(group.mean(), group.std(ddof=1) / np.sqrt(len(group)), len(group)) for group in groups]
    frame = pd.DataFrame(rows, columns=["estimate", "std_error", "n"])
    return frame.assign(group=[f"g{place}" for place in frame.index])


def shares(counts, sizes):
    interval = share_interval(np.asarray(counts), np.asarray(sizes))
    names = [f"g{place}" for place in range(len(sizes))]
    return pd.DataFrame({"group": names, **interval._asdict(), "n": sizes})


def claimed(frame, draws=500):
    return groups_apart(frame, by="group", draws=draws)["verdict"].iloc[-1] == "differ"


def sizes_of(kind, k):
    return np.full(k, 12) if kind == "small" else np.geomspace(10, 1_000, k).astype(int)


def rate(make, kind, k, repeats, seed=11):
    rng = np.random.default_rng(seed)
    return np.mean([claimed(make(rng, sizes_of(kind, k))) for _ in range(repeats)])


def normal(rng, sizes):
    return means(lambda _, n: rng.standard_normal(n), sizes)


def nps(rng, sizes):
    return means(lambda _, n: rng.choice([-100.0, 0, 100], n, p=[0.2, 0.35, 0.45]), sizes)


def share(rng, sizes):
    return shares(rng.binomial(sizes, 0.3), sizes)


def money(rng, sizes):
    return means(lambda _, n: rng.lognormal(sigma=1, size=n), sizes)


@pytest.mark.parametrize("make", [share, money])
def test_without_a_difference_a_claim_is_as_rare_as_the_level_says(make):
    """Of 120 companies with six unequal groups each; 5 % ± 2 % by lot, money with its tails below it."""
    assert rate(make, "unequal", 6, 120) <= 0.10


@pytest.mark.long
@pytest.mark.parametrize("make", [normal, nps, share, money])
@pytest.mark.parametrize("kind", ["small", "unequal"])
@pytest.mark.parametrize("k", [2, 5, 12])
def test_without_a_difference_a_claim_is_rare_for_any_number_of_groups(make, kind, k):
    assert rate(make, kind, k, 600) <= 0.09


def test_a_group_that_differs_is_found_and_the_others_are_not_blamed():
    frame = pd.DataFrame({"group": list("abcdef"), "estimate": [20, 21, 19, 20, 20, 35.0], "n": 300})
    found = groups_apart(frame.assign(std_error=3.0), by="group").set_index("group")
    assert found.loc[["a", "b", "c", "d", "e"], "verdict"].eq("no_difference_shown").all()
    assert found.loc["f", "estimate"] == pytest.approx(15.0)
    assert found.loc["f", "std_error"] == pytest.approx(3 * np.sqrt(1 + 1 / 5))
    assert found.loc["f", "verdict"] == "differ"


def test_two_large_groups_are_the_plain_test_of_two_means():
    """z = 3 / √2 = 2.12, p = 0.034."""
    frame = pd.DataFrame({"group": ["a", "b"], "estimate": [5.0, 2.0], "std_error": 1.0, "n": 5_000})
    found = groups_apart(frame, by="group", draws=40_000)
    assert found["estimate"].iloc[:2].tolist() == [3.0, -3.0]
    assert found["p_value"].to_numpy() == pytest.approx(2 * stats.norm.sf(3 / np.sqrt(2)), abs=0.004)


def test_overlapping_intervals_can_still_differ_and_a_lone_outlier_of_twenty_need_not():
    """Intervals 7.06 to 10.98 and 10.02 to 13.94 overlap; 3 / √2 = 2.12 is beyond chance."""
    two = pd.DataFrame({"group": ["a", "b"], "estimate": [9.02, 12.02], "std_error": 1.0, "n": 900})
    assert groups_apart(two, by="group")["verdict"].eq("differ").all()
    many = pd.DataFrame({"group": range(20), "estimate": [0.0] * 19 + [2.2], "std_error": 1.0, "n": 900})
    assert groups_apart(many, by="group")["verdict"].eq("no_difference_shown").all()


@pytest.mark.parametrize("conf_level", [0.5, 0.8, 0.95, 0.999])
def test_badge_interval_and_overall_verdict_say_the_same(conf_level):
    rng = np.random.default_rng(3)
    for _ in range(25):
        x, error = rng.normal(0, 2, 5), rng.uniform(0.3, 1.5, 5)
        frame = pd.DataFrame({"group": list("abcde"), "estimate": x, "std_error": error, "n": 80})
        found = groups_apart(frame, by="group", conf_level=conf_level, draws=2_000)
        each = found.iloc[:-1]
        outside = (each["conf_low"] > 0) | (each["conf_high"] < 0)
        assert (outside == (each["verdict"] == "differ")).all()
        if outside.any():
            assert found["verdict"].iloc[-1] == "differ"
        assert found["p_value"].iloc[-1] <= each["p_value"].min()


def test_nobody_of_300_beside_a_third_differs_though_its_error_is_zero():
    found = groups_apart(shares([0, 100, 105], [300, 300, 300]), by="group")
    assert found["verdict"].iloc[[0, 3]].eq("differ").all()


def test_hidden_groups_and_groups_of_one_are_left_out_and_the_rest_still_tested():
    values = {"estimate": [1, 9, np.nan, 50], "std_error": [1, 1, np.nan, 0.1], "n": [90, 90, np.nan, 1]}
    frame = pd.DataFrame({"group": list("abcd"), **values})
    found = groups_apart(frame, by="group")
    assert found["verdict"].tolist() == ["differ", "differ", "not_enough_data", "not_enough_data", "differ"]
    assert found["n"].iloc[-1] == 180
    alone = groups_apart(frame.iloc[[0, 2]], by="group")
    assert alone["verdict"].eq("not_enough_data").all() and alone["p_value"].isna().all()
    assert groups_apart(frame.iloc[:0], by="group")["verdict"].tolist() == ["not_enough_data"]


def test_order_of_rows_index_and_further_columns_do_not_matter():
    frame = pd.DataFrame(
        {"group": list("abc"), "estimate": [1.0, 2, 6], "std_error": [1, 1.5, 0.7], "n": [20, 90, 60]}
    )
    other = frame.assign(x=1).set_axis([7, 7, 7]).iloc[::-1]
    one = groups_apart(frame, by="group").set_index("group")
    two = groups_apart(other, by="group").set_index("group")
    pd.testing.assert_frame_equal(one.iloc[:3], two.iloc[2::-1], rtol=0.2)
    exact = ["estimate", "std_error", "n"]
    pd.testing.assert_frame_equal(one.iloc[:3][exact], two.iloc[2::-1][exact])
    assert one["verdict"].to_dict() == two["verdict"].to_dict()


def test_what_cannot_be_used_is_refused_by_name():
    frame = pd.DataFrame({"group": ["a"], "estimate": [1.0], "std_error": [1.0], "n": [9]})
    with pytest.raises(ParameterError, match="grup"):
        groups_apart(frame, by="grup")
    with pytest.raises(ParameterError, match="conf_level"):
        groups_apart(frame, by="group", conf_level=1.0)
    with pytest.raises(ParameterError, match="draws"):
        groups_apart(frame, by="group", draws=0)


@pytest.mark.parametrize(
    ("estimates", "key"),
    [
        ([20.0, 20, 20, 21], "none"),
        ([20.0, 20, 20, 45], "higher"),
        ([20.0, 20, 20, -5], "lower"),
        ([20.0, 20, 0, 45], "both"),
        ([20.0], "too_few"),
    ],
)
def test_the_sentence_names_who_differs_and_on_which_side(estimates, key):
    frame = pd.DataFrame({"group": list("abcd")[: len(estimates)], "estimate": estimates, "n": 200})
    words = groups_told(frame.assign(std_error=3.0), by="group", measure="nps")
    assert words["claim"] == key
    assert words.get("higher", ["d"]) == ["d"]
    assert words["verdict"] == {"none": "no_difference_shown", "too_few": "not_enough_data"}.get(
        key, "differ"
    )


def test_groups_that_differ_with_none_to_name_are_said_so():
    frame = pd.DataFrame({"group": range(10), "estimate": [0, 3.2] * 5, "std_error": 1.0, "n": 300})
    found = groups_apart(frame, by="group")
    assert found["verdict"].iloc[:-1].eq("no_difference_shown").all()
    assert apart_told(found, by="group", measure="nps")["claim"] == "together"


def test_nothing_is_told_apart_without_groups():
    frame = pd.DataFrame({"group": list("ab"), "estimate": 1.0, "std_error": 1.0, "n": 90})
    assert (
        groups_told(frame, by=None, measure="nps") == {} == groups_told(frame[:0], by="group", measure="nps")
    )


def test_those_without_a_value_are_named_as_such():
    frame = pd.DataFrame({"group": ["a", "b", None], "estimate": [40.0, 41, 10], "std_error": 3.0, "n": 200})
    told = groups_told(frame, by="group", measure="nps")
    assert told["lower"] == ["not_recorded"]
    assert catalogue()["value.not_recorded"] == catalogue()["display.not_recorded"]
