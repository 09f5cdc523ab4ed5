"""The growth tree: branches that sum to the root, whatever the order, and intervals that cover."""

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import ParameterError
from cxlib.scorecard import growth_tree


def periods(before, after):
    """Rows per customer and period: (orders, amount)."""
    rows = [(f"c{i}", period, *held) for period, of in ((1, before), (2, after)) for i, held in enumerate(of)]
    return pd.DataFrame(rows, columns=["customer_id", "period", "next_orders", "next_amount"])


def test_by_hand():
    """2 customers × 1 order × 50 = 100 become 4 × 1.5 × 50 = 300; ln 3 = ln 2 + ln 1.5."""
    tree = growth_tree(periods([(1, 50.0)] * 2, [(2, 100.0)] * 2 + [(1, 50.0)] * 2), n_boot=50)
    of = tree.set_index("metric")
    assert of["estimate"].tolist() == [300, 4, 1.5, 50]
    assert of["before"].tolist() == [100, 2, 1, 50]
    assert of["growth"].tolist() == pytest.approx([2.0, 1.0, 0.5, 0.0])
    expected = [200, 200 * np.log(2) / np.log(3), 200 * np.log(1.5) / np.log(3), 0]
    assert of["sales_effect"].tolist() == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(5))
def test_the_branches_sum_to_the_root_and_the_limits_hold_the_estimate(seed):
    rng = np.random.default_rng(seed)
    orders = rng.poisson(1, (2, 300))
    money = orders * rng.gamma(2, 50, (2, 300))
    drawn = [list(zip(orders[i].tolist(), money[i].tolist(), strict=True)) for i in range(2)]
    tree = growth_tree(periods(*drawn), n_boot=200)
    effects = tree["sales_effect"]
    assert effects.iloc[1:].sum() == pytest.approx(effects.iloc[0], rel=1e-12)
    assert effects.iloc[0] == pytest.approx(tree["estimate"].iloc[0] - tree["before"].iloc[0])
    assert (tree["sales_effect_conf_low"] < effects).all() and (
        effects < tree["sales_effect_conf_high"]
    ).all()
    assert (tree["growth_conf_low"] < tree["growth"]).all()


@pytest.mark.slow
@pytest.mark.parametrize("worlds", [60, pytest.param(1000, marks=pytest.mark.long)])
def test_a_world_in_which_only_customers_grow_names_no_other_branch(worlds):
    """300 customers, half as many again after; orders and amounts of one distribution on both days."""
    rng, wrong, found = np.random.default_rng(2), 0, 0
    for _ in range(worlds):
        orders = rng.poisson(1.2, (2, 450)) * (np.arange(450) < np.array([[300], [450]]))
        money = orders * rng.gamma(4, 25, (2, 450))
        rows = [list(zip(orders[i].tolist(), money[i].tolist(), strict=True)) for i in range(2)]
        said = growth_tree(periods(*rows), n_boot=200).set_index("metric")["verdict"]
        wrong += (said[["orders_per_buyer", "order_value"]] != "no_difference_shown").any()
        found += said["buyers"] == "risen"
    assert wrong / worlds <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / worlds)
    assert found / worlds > 0.9


def test_no_verdict_out_of_season_and_no_tree_without_sales():
    both = periods([(1, 50.0)] * 9, [(1, 80.0)] * 9)
    assert growth_tree(both, in_season=False, n_boot=20)["verdict"].isna().all()
    assert growth_tree(periods([(0, 0.0)], [(1, 5.0)])).empty
    assert growth_tree(periods([(1, -5.0)], [(1, 5.0)])).empty
    assert growth_tree(both.head(0)).empty


def test_equal_sales_have_no_change_to_split():
    tree = growth_tree(periods([(1, 50.0)] * 4, [(2, 100.0)] * 2), n_boot=20)
    assert tree["sales_effect"].iloc[0] == 0
    assert tree["sales_effect"].iloc[1:].sum() == pytest.approx(0, abs=1e-9)


def test_rows_in_any_order_and_other_names():
    rows = periods([(1, 50.0), (2, 90.0)] * 5, [(1, 80.0)] * 10)
    plain = growth_tree(rows, n_boot=50)
    named = rows.sample(frac=1, random_state=3).rename(columns={"customer_id": "who"})
    pd.testing.assert_frame_equal(plain, growth_tree(named, n_boot=50, customer_id_col="who"))
    with pytest.raises(ParameterError, match="next_orders"):
        growth_tree(rows.drop(columns="next_orders"))
