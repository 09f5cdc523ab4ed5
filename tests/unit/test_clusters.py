"""Clusters: planted groups come back, featureless data get a plain no, the same seed the same answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import ParameterError
from cxlib.clusters import cluster_customers, cluster_evidence

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
