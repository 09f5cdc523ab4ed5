"""Lorenz curve, Gini and top shares: published value, closed forms, coverage, disclosure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from cxlib.checks import ParameterError
from cxlib.customers.sales_concentration import concentration, lorenz


def base(values, **columns) -> pd.DataFrame:
    return pd.DataFrame({"monetary_total": np.asarray(values, dtype=float), **columns})


def gini(values) -> pd.Series:
    return concentration(base(values)).iloc[0]


def test_two_customers_by_hand():
    assert gini([1, 3])["estimate"] == pytest.approx(0.25)
    curve = lorenz(base([1, 3]), points=5)
    assert curve["estimate"].tolist() == [0, 0.25, 1]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 1000), min_size=2, max_size=50))
def test_the_curve_hangs_below_equality_and_its_area_is_the_gini(values):
    curve = lorenz(base(values), points=len(values) + 1)
    assert (curve["estimate"] <= curve["customer_share"] + 1e-12).all()
    assert (np.diff(curve["estimate"]) >= -1e-12).all()
    area = np.trapezoid(curve["estimate"], curve["customer_share"])
    assert gini(values)["estimate"] == pytest.approx(1 - 2 * area, abs=1e-9)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 1000), min_size=10, max_size=50))
def test_unit_order_and_refunds_do_not_matter(values):
    columns = ["estimate", "conf_low", "conf_high"]
    own = concentration(base(values))[columns]
    other = concentration(base([*(value / 1000 for value in values[::-1]), -5, 0, np.nan]))[columns]
    np.testing.assert_allclose(other, own, rtol=1e-9, atol=1e-12)


def test_equal_customers_and_few_customers_have_no_interval():
    equal = gini([5] * 20)
    assert equal["estimate"] == pytest.approx(0)
    assert np.isnan(equal["conf_low"])
    assert np.isnan(gini([1, 2, 3])["std_error"])
    nobody = concentration(base([]))
    assert nobody["estimate"].isna().all()
    assert (nobody["n"] == 0).all()
    assert lorenz(base([])).empty


def test_one_customer_with_most_of_the_sales_leaves_no_share_below_its_own():
    whale = np.append(np.random.default_rng(0).lognormal(9, 1, 500), 1e9)
    top = concentration(base(whale), top=[0.1, 0.2]).set_index("metric").loc["top_share"]
    assert (top["conf_low"] >= top["top"]).all()
    assert top["largest_share"].iloc[0] == pytest.approx(1e9 / whale.sum())
    assert top["largest_share"].iloc[0] > 0.5


def test_groups_and_disclosure():
    frame = base(range(1, 201), region=["x"] * 170 + ["y"] * 30)
    curve = lorenz(frame, by="region", min_step=10)
    assert set(curve["region"]) == {"x"}
    assert len(curve) == 18
    table = concentration(frame, by="region", top=[0.1])
    assert table[["region", "metric"]].to_numpy().tolist() == [
        ["x", "gini"],
        ["x", "top_share"],
        ["y", "gini"],
        ["y", "top_share"],
    ]


def test_a_share_of_customers_outside_zero_and_one_is_refused():
    with pytest.raises(ParameterError, match="top"):
        concentration(base([1, 2]), top=[10])


@pytest.mark.slow
@pytest.mark.parametrize(("sigma", "n"), [(0.5, 1000), (0.8, 2000), (1.5, 300)])
def test_coverage_of_the_intervals(sigma, n):
    """Log-normal sales: Gini 2Φ(σ/√2) - 1, share of the top tenth Φ(σ - z₀.₉)."""
    rng = np.random.default_rng(11)
    truth = np.array([2 * norm.cdf(sigma / np.sqrt(2)) - 1, norm.cdf(sigma - norm.ppf(0.9))])
    table = concentration(
        base(rng.lognormal(0, sigma, 2000 * n), draw=np.repeat(range(2000), n)), by="draw", top=[0.1]
    )
    low, high = (table[name].to_numpy().reshape(2000, 2) for name in ("conf_low", "conf_high"))
    inside = ((low <= truth) & (truth <= high)).mean(axis=0)
    assert (inside >= 0.93).all()
    assert (inside <= 0.975).all()


def test_nobody_in_any_group_gives_the_columns_without_rows():
    people = pd.DataFrame({"monetary_total": [5.0, 7.0, 9.0], "kind": ["a", "a", "a"]})
    full, none = (concentration(people.iloc[:count], by="kind") for count in (3, 0))
    assert none.empty
    assert none.columns.tolist() == full.columns.tolist()
