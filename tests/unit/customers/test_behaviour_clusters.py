"""Clusters: planted groups come back, featureless data get a plain no, the same seed the same answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import ParameterError
from cxlib.customers.behaviour_clusters import cluster_customers, cluster_evidence

NAMES = ["recency_days", "frequency", "monetary_total"]


def featureless(kind: str, seed: int, n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    spread = np.array([[1, 0.6, 0.2], [0.6, 1, 0.5], [0.2, 0.5, 1]])
    values = {
        "correlated": lambda: np.exp(rng.multivariate_normal([3, 2, 5], spread, n)),
        "uniform": lambda: np.exp(rng.uniform(0, 3, (n, 3))),
        "exponential": lambda: rng.exponential(50, (n, 3)),
        "counts": lambda: np.column_stack(
            [rng.exponential(100, n), 1 + rng.poisson(rng.gamma(1, 2, n)), rng.lognormal(8, 1, n)]
        ),
    }[kind]()
    return pd.DataFrame(values, columns=NAMES)


def planted(seed: int, n: int = 450) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    group = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    centre = np.array([[5, 1, 8], [2, 3, 9], [3, 1.2, 11]])[group]
    return pd.DataFrame(np.exp(centre + rng.normal(0, 0.3, (n, 3))), columns=NAMES), group


@pytest.mark.parametrize("kind", ["correlated", "uniform", "exponential", "counts"])
def test_featureless_data_have_no_stable_structure(kind):
    found = [cluster_customers(featureless(kind, seed))["cluster"].notna().any() for seed in range(10)]
    assert sum(found) <= 1


def one_process(kind: str, seed: int, n: int = 3000) -> pd.DataFrame:
    """One smooth population that buys by chance: orders are whole numbers, nobody belongs to a group."""
    rng = np.random.default_rng(seed)
    if kind == "baskets":
        orders, recency = rng.geometric(0.4, n), rng.integers(0, 365, n)
        money = np.array([rng.lognormal(8, 0.6, k).sum() for k in orders])
    else:
        tenure = rng.integers(30, 730, n)
        again = rng.poisson(rng.gamma(1.0, 1 / 200, n) * tenure)
        orders, money = 1 + again, (1 + again) * 3000 * rng.lognormal(0, 0.5, n)
        recency = np.where(again > 0, tenure * (1 - rng.beta(np.maximum(again, 1), 1)), tenure).astype(int)
    return pd.DataFrame(dict(zip(NAMES, (recency, orders, money), strict=True)))


def two_kinds(seed: int, n: int = 600) -> pd.DataFrame:
    """Regulars who came lately, often and for much, and the occasional; whole numbers of orders and days."""
    rng = np.random.default_rng(seed)
    regular = rng.random(n) < 0.4
    orders = np.where(regular, 1 + rng.poisson(12, n), 1 + rng.poisson(1, n))
    money = orders * np.where(regular, 9000, 2000) * rng.lognormal(0, 0.4, n)
    recency = np.where(regular, rng.integers(1, 40, n), rng.integers(60, 700, n))
    return pd.DataFrame(dict(zip(NAMES, (recency, orders, money), strict=True)))


def is_found(base: pd.DataFrame, **settings) -> bool:
    return bool(cluster_evidence(base, **settings).query("is_chosen")["clusters"].iloc[0] > 1)


@pytest.mark.parametrize("kind", ["baskets", "poisson_gamma"])
def test_one_purchase_process_has_no_clusters(kind):
    assert not any(is_found(one_process(kind, seed)) for seed in range(4))


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("n", [400, 3000])
@pytest.mark.parametrize("kind", ["baskets", "poisson_gamma"])
def test_one_purchase_process_seldom_has_clusters(kind, n):
    assert sum(is_found(one_process(kind, seed, n)) for seed in range(40)) <= 3


@pytest.mark.parametrize("seed", range(3))
def test_two_kinds_of_customers_are_found(seed):
    chosen = cluster_evidence(two_kinds(seed)).query("is_chosen").iloc[0]
    assert chosen["clusters"] == 2
    assert chosen["separation"] <= 0.05


@pytest.mark.parametrize("make", [two_kinds, lambda seed: one_process("poisson_gamma", seed, 400)])
def test_the_unit_of_money_does_not_matter(make):
    base = make(2)
    own = cluster_evidence(base)
    for unit in (1e-3, 1e-6):
        other = cluster_evidence(base.assign(monetary_total=base["monetary_total"] * unit))
        pd.testing.assert_frame_equal(other, own)


@pytest.mark.parametrize("seed", range(4))
def test_planted_groups_come_back(seed):
    base, group = planted(seed)
    cluster = cluster_customers(base)["cluster"].to_numpy(dtype=int)
    assert np.bincount(cluster).tolist()[1:] == sorted(np.bincount(cluster)[1:], reverse=True)
    best = pd.crosstab(group, cluster).max(axis=1).sum() / len(base)
    assert best > 0.97
    chosen = cluster_evidence(base).query("is_chosen").iloc[0]
    assert (chosen["clusters"], chosen["stability"] > 0.9) == (3, True)


def test_same_seed_same_answer():
    base, _ = planted(7)
    once, again = cluster_customers(base), cluster_customers(base)
    pd.testing.assert_frame_equal(once, again)


def test_customers_without_a_feature_and_too_few_customers():
    base, _ = planted(2)
    base.loc[[0, 1], "recency_days"] = [np.nan, -1]
    assert cluster_customers(base)["cluster"].isna().sum() == 2
    assert cluster_evidence(base.head(20)).empty
    assert cluster_customers(base.head(20))["cluster"].isna().all()
    assert cluster_customers(base.assign(**dict.fromkeys(NAMES, 5.0)))["cluster"].isna().all()
    with pytest.raises(ParameterError, match="most"):
        cluster_evidence(base, most=1)
    with pytest.raises(ParameterError, match="recency"):
        cluster_evidence(base.drop(columns="recency_days"))
