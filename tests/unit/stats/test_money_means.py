"""Intervals of money per customer hold under heavy tails, or are not given."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from cxlib.checks import ParameterError
from cxlib.journey.second_purchase.first_year_value import value_by_f2
from cxlib.stats.money_means import (
    LEAST,
    difference_told,
    middle_mean_interval,
    money_difference,
    money_mean_interval,
    tails_hold,
)

#: Spending per customer by name: quantile function of the distribution.
SPENDING = {f"lognormal {s}": lambda u, s=s: np.exp(s * stats.norm.ppf(u)) for s in (1, 1.5, 2)}
SPENDING |= {f"pareto {a}": lambda u, a=a: (1 - u) ** (-1 / a) for a in (3, 2.2, 1.5)}
SIZES = (50, 100, 200, 500)
DRAWS = 2_000


def _middle_of(spending):
    return integrate.quad(spending, 0.25, 0.75)[0] / 0.5


def _covered(spending, n, other, draws, seed):
    """Share of draws whose interval of the middle holds the truth; share in which the mean has one."""
    rng = np.random.default_rng(seed)
    hits, given = 0, 0
    for _ in range(draws):
        one = spending(rng.random(n))
        if other:
            rows = money_difference(one, spending(rng.random(other)))
            low, high = rows.loc[1, ["conf_low", "conf_high"]]
            hits += low <= 0 <= high
            given += rows.loc[0, "status"] == "ok"
        else:
            middle = middle_mean_interval(one)
            hits += middle.conf_low <= _MIDDLE[id(spending)] <= middle.conf_high
            given += np.isfinite(money_mean_interval(one).conf_low)
    return hits / draws, given / draws


_MIDDLE = {id(spending): _middle_of(spending) for spending in SPENDING.values()}


@pytest.mark.slow
@pytest.mark.parametrize("name", SPENDING)
def test_the_middle_half_is_covered_and_a_mean_that_few_carry_has_no_interval(name):
    covered, given = _covered(SPENDING[name], 100, 0, DRAWS, 1)
    assert 0.93 <= covered <= 0.97
    assert given <= 0.02


@pytest.mark.long
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("name", SPENDING)
@pytest.mark.parametrize("times", [0, 1, 8], ids=["one group", "two alike", "eight times as many"])
def test_coverage_of_every_size_and_tail(name, n, times):
    """Two groups of 50 with the heaviest tails are covered a little too often: 97 to 98 in a hundred."""
    covered, given = _covered(SPENDING[name], n, n * times, DRAWS, 2)
    assert 0.93 <= covered <= (0.98 if times == 1 and n == 50 else 0.97) + 0.003
    assert given <= 0.05 or times == 1


def test_equal_groups_need_the_mean_no_interval_where_one_customer_makes_a_tenth_of_its_variance():
    rng = np.random.default_rng(4)
    one, other = rng.normal(100, 10, (2, 200))
    assert money_difference(one, other)["status"].tolist() == ["ok", "ok"]
    one[0], other[0] = 400, 400  # skewness cancels, each is a third of the variance
    assert money_difference(one, other)["status"].tolist() == ["few_carry", "ok"]


def test_differences_are_those_of_welch_and_yuen():
    rng = np.random.default_rng(0)
    one, other = rng.normal(120, 30, 400), rng.normal(100, 20, 300)
    rows = money_difference(one, other, conf_level=0.9).set_index("metric")
    for metric, trim in (("mean", 0.0), ("middle_mean", 0.25)):
        test = stats.ttest_ind(one, other, equal_var=False, trim=trim)
        row = rows.loc[metric]
        assert row["estimate"] / row["std_error"] == pytest.approx(test.statistic, abs=1e-9)
        half = stats.t.ppf(0.95, test.df) * row["std_error"]
        assert row["conf_high"] - row["estimate"] == pytest.approx(half, abs=1e-9)
    assert rows["n"].tolist() == [300, 300]


def test_one_buyer_of_a_quarter_of_the_money_gives_no_verdict_but_the_middle_does():
    """Two alike groups of 112, then one customer of the first buys a quarter of its sales."""
    base = np.random.default_rng(7).gamma(4, 3_500, 224)
    one, other = base[:112].copy(), base[112:]
    one[0] = one[1:].sum() / 3
    rows = money_difference(one, other).set_index("metric")
    assert rows.loc["mean", "status"] == "few_carry"
    assert rows.loc["mean", ["conf_low", "conf_high"]].isna().all()
    before = money_difference(base[:112], other).set_index("metric").loc["middle_mean", "estimate"]
    assert rows.loc["middle_mean", "estimate"] == pytest.approx(before, abs=150)
    assert rows.loc["middle_mean", "status"] == "ok"


def test_exponential_spending_of_a_thousand_customers_keeps_its_mean_and_t_covers_it():
    draws = np.random.default_rng(3).exponential(1, (400, 1_000))
    found = [money_mean_interval(draw) for draw in draws]
    given = np.array([np.isfinite(each.conf_low) for each in found])
    assert given.mean() > 0.95
    hits = np.array([each.conf_low <= 1 <= each.conf_high for each in found])
    assert 0.93 <= hits[given].mean() <= 0.97


def test_groups_are_those_taken_alone():
    rng = np.random.default_rng(2)
    amounts, groups = rng.gamma(3, 10, 900), rng.integers(0, 3, 900)
    amounts[groups == 2] = np.exp(2 * rng.normal(size=(groups == 2).sum()))
    found = money_mean_interval(amounts, groups=groups, n_groups=4)
    for group in range(3):
        alone = money_mean_interval(amounts[groups == group])
        np.testing.assert_allclose([each[group] for each in found], alone)
    assert np.isfinite(found.conf_low).tolist() == [True, True, False, False]


@pytest.mark.parametrize(
    ("one", "other", "status"),
    [
        ([], [1.0] * 60, ["no_spread", "too_few"]),
        ([5.0], [1.0, 2.0], ["no_spread", "too_few"]),
        ([0.0] * 60, [0.0] * 60, ["no_spread", "no_spread"]),
        ([0.0] * 59 + [9.0], [0.0] * 60, ["few_carry", "no_spread"]),
        (range(LEAST - 1), range(LEAST), ["ok", "too_few"]),
        (range(LEAST), range(LEAST), ["ok", "ok"]),
    ],
)
def test_where_nothing_can_be_said_there_are_no_limits_and_a_reason(one, other, status):
    rows = money_difference(list(one), list(other))
    assert rows["status"].tolist() == status
    limits = rows[["std_error", "conf_low", "conf_high"]]
    assert (limits.isna().all(axis=1) == (rows["status"] != "ok")).all()


@pytest.mark.parametrize(
    ("low", "high", "status", "said"),
    [(1, 2, "ok", "differ"), (-2, -1, "ok", "differ"), (-1, 1, "ok", "alike"), (0, 1, "ok", "alike")]
    + [(np.nan, np.nan, why, why) for why in ("few_carry", "too_few", "no_spread")],
)
def test_what_may_be_claimed_of_a_difference(low, high, status, said):
    assert difference_told({"status": status, "conf_low": low, "conf_high": high}) == said


def test_order_of_customers_does_not_matter():
    rng = np.random.default_rng(5)
    one, other = rng.gamma(2, 50, 80), rng.gamma(2, 60, 90)
    shuffled = money_difference(rng.permutation(one), rng.permutation(other))
    pd.testing.assert_frame_equal(money_difference(one, other), shuffled, rtol=1e-12)


def test_missing_amounts_are_refused_with_their_count():
    with pytest.raises(ParameterError, match="2 of 3"):
        middle_mean_interval([1.0, np.nan, np.inf])
    assert not tails_hold([])


def test_one_large_buyer_leaves_the_value_of_a_second_purchase_without_limits():
    rng = np.random.default_rng(6)
    n = 1_500
    first = pd.DataFrame({"customer_id": np.arange(n), "ordered_at": pd.Timestamp("2025-01-01")})
    again = first[::2].assign(ordered_at=pd.Timestamp("2025-03-01"))
    orders = pd.concat([first, again], ignore_index=True)
    orders["amount"] = rng.gamma(6, 10, len(orders))
    assert value_by_f2(orders, as_of="2026-06-30")["conf_low"].notna().all()
    orders.loc[n, "amount"] = orders["amount"].sum()
    found = value_by_f2(orders, as_of="2026-06-30").set_index("metric")
    assert found.loc[["value_with_f2", "value_difference", "share_of_value"], "conf_low"].isna().all()
    assert found.loc["value_without_f2", "conf_low"] > 0


def test_a_limit_that_is_shown_as_zero_yen_shows_no_difference():
    row = {"status": "ok", "conf_low": 0.4, "conf_high": 900.0}
    assert difference_told(row, currency="JPY") == "alike"
    assert difference_told(row, currency="USD") == "differ"


def test_two_customers_who_pull_to_opposite_sides_carry_a_mean_as_well():
    """Their skewness cancels; what they share of the variance does not."""
    assert not tails_hold([*[-1, 1] * 50, -30, 30])
    assert tails_hold([*[-1, 1] * 50, -2, 2])
