"""Truths that act on orders, off by default: who is gone, channels of different worth, a split effect."""

import numpy as np
import pandas as pd
import pytest

from cxlib.samples.purchases import PRODUCTS, REFILL
from cxlib.samples.settings import Truth
from cxlib.samples.simulate import make_company, make_company_with_truth

pytestmark = pytest.mark.slow

FAR = 4  # standard errors; what no seed of the ones tried should reach by chance
ALONE = {"i1_orders_per_month": 0.0, "i2_orders_growth": 0.0}


def _numbers(tables):
    """Orders of each customer with any, and the day of the first."""
    orders = tables["orders"].dropna(subset=["customer_id"]).drop_duplicates("order_id")
    orders = orders.assign(day=orders["ordered_at"].dt.tz_localize(None).dt.normalize())
    return orders.sort_values("ordered_at"), orders.groupby("customer_id")["day"].agg(["min", "size"])


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long)])
def test_the_longer_somebody_has_bought_the_likelier_the_next_order_as_planted(seed):
    """Heterogeneous dropout: after order k of those who got there, (b + k - 2) / (a + b + k - 2) go on."""
    alpha, beta = 0.6, 3.4
    tables = make_company(
        n_customers=20_000, seed=seed, months=60, truth=Truth(dropout=(alpha, beta), **ALONE)
    )
    _, each = _numbers(tables)
    number = each.loc[each["min"] < "2022-10-01", "size"]  # four years to go on in
    shares = []
    for k in range(2, 8):
        reached = number >= k
        share, planted = (number[reached] > k).mean(), (beta + k - 2) / (alpha + beta + k - 2)
        error = np.sqrt(planted * (1 - planted) / reached.sum())
        assert abs(share - planted) < FAR * error + 0.03, k  # the slowest may still come
        shares.append(share)
    assert np.polyfit(range(len(shares)), shares, 1)[0] > 0.01


def test_without_it_all_are_as_likely_to_go_on():
    _, each = _numbers(make_company(n_customers=20_000, seed=1, months=60, truth=Truth(**ALONE)))
    number = each.loc[each["min"] < "2022-10-01", "size"]
    shares = [(number[number >= k] > k).mean() for k in range(2, 8)]
    assert np.ptp(shares) < 0.06


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long)])
def test_a_cheap_channel_brings_bad_customers_and_a_dear_one_good_ones(seed):
    odds = {"line": 4.0, "search_ad": 0.3}
    tables, truth = make_company_with_truth(
        n_customers=20_000, seed=seed, truth=Truth(channel_drop_odds=odds, **ALONE)
    )
    orders, each = _numbers(tables)
    early = each[each["min"] < pd.Timestamp("2026-10-01") - pd.Timedelta(days=365)]
    orders = orders.join(early["min"], on="customer_id", how="inner")
    number = orders[(orders["day"] - orders["min"]).dt.days <= 365].groupby("customer_id").size()
    channel = tables["customers"].set_index("customer_id")["acquisition_channel"]
    by_channel = number.groupby(channel).agg(["mean", "sem"])
    planted = pd.Series(truth["segments"]["orders_in_first_year"])
    apart = (by_channel["mean"] - planted) / by_channel["sem"]
    assert (apart.abs() < FAR).all(), apart
    assert by_channel["mean"].idxmin() == planted.idxmin() == "line"
    assert planted.idxmax() == "search_ad"
    assert planted["search_ad"] > 1.2 * planted["line"]


def test_channels_are_alike_by_default():
    _, truth = make_company_with_truth(n_customers=300, seed=1)
    planted = pd.Series(truth["segments"]["orders_in_first_year"])
    assert planted.max() < 1.03 * planted.min()


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long)])
def test_an_initiative_may_work_better_in_stores(seed):
    tables, truth = make_company_with_truth(n_customers=20_000, seed=seed, truth=Truth(i1_store_factor=2.0))
    effect = truth["initiatives"]["I1"]
    arms = tables["enrolments"].query("initiative_id == 'I1'").set_index("customer_id")["arm"]
    orders = tables["orders"].sort_values(["ordered_at", "line"])
    first = orders.drop_duplicates("customer_id").set_index("customer_id")["channel"]
    packs = orders[orders["product"] == PRODUCTS["product"][REFILL]]
    packs = packs[packs["ordered_at"].dt.tz_localize(None) >= "2025-10-01"]
    margin = packs.groupby("customer_id")["margin"].sum().reindex(arms.index, fill_value=0.0) / 12
    found = margin.groupby([first.reindex(arms.index), arms]).agg(["mean", "sem"])
    for channel, planted in effect["effect_monthly_margin_by_first_channel"].items():
        treated, control = found.loc[(channel, "treatment")], found.loc[(channel, "control")]
        error = np.hypot(treated["sem"], control["sem"])
        assert abs(treated["mean"] - control["mean"] - planted) < FAR * error, channel
    overall = margin.groupby(arms).agg(["mean", "sem"])
    gap = overall.loc["treatment", "mean"] - overall.loc["control", "mean"]
    assert abs(gap - effect["effect_monthly_margin"]["12"]) < FAR * np.hypot(*overall["sem"])


def test_a_split_effect_that_cancels_out_leaves_the_truth_of_all():
    alike, split = (
        make_company_with_truth(n_customers=4000, seed=1, truth=Truth(i1_store_factor=factor))[1][
            "initiatives"
        ]
        for factor in (1.0, 2.0)
    )
    assert alike["I1"]["effect_monthly_margin"] == split["I1"]["effect_monthly_margin"]
    by_channel = alike["I1"]["effect_monthly_margin_by_first_channel"]
    assert by_channel["ec"] == pytest.approx(by_channel["store"])
    assert split["I1"]["effect_f2"]["12"] == pytest.approx(alike["I1"]["effect_f2"]["12"], rel=0.1)
