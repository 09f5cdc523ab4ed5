"""Attributes by segment: published residuals and V, coverage, no alarm where nothing differs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import ParameterError
from cxlib.profiles import cramers_v, segment_profile


def people(seed=1, n=900, strength=0.0) -> pd.DataFrame:
    """Region follows the segment for a share `strength` of the customers; language follows nothing."""
    rng = np.random.default_rng(seed)
    segment, drawn = rng.integers(0, 3, n), rng.integers(0, 3, n)
    region = np.where(rng.random(n) < strength, segment, drawn)
    names = np.array(["a", "b", "c"])
    data = {"segment": names[segment], "region": names[region], "language": names[rng.integers(0, 3, n)]}
    return pd.DataFrame(data)


def test_v_and_residuals_by_hand():
    """χ² = 20 on 2×2 with n = 80; Haberman's residual of a 2×2 table is √χ²."""
    found = cramers_v([[30, 10], [10, 30]])
    phi, shrunk = 20 / 80 - 1 / 79, 2 - 1 / 79
    assert found["estimate"] == pytest.approx(np.sqrt(phi / (shrunk - 1)))
    rows = pd.DataFrame(
        {"segment": ["A"] * 40 + ["B"] * 40, "x": ["p"] * 30 + ["q"] * 20 + ["p"] * 0 + ["q"] * 30}
    )
    rows["x"] = ["p"] * 30 + ["q"] * 10 + ["p"] * 10 + ["q"] * 30
    table = segment_profile(rows, attributes=["x"])
    np.testing.assert_allclose(table["residual"].dropna().abs(), np.sqrt(20))
    assert table.loc[table["metric"] == "share"].groupby("segment")["estimate"].sum().tolist() == [1, 1]


def test_interval_covers_the_population_value():
    """Population V of the mixture is the share of customers whose region follows the segment."""
    for truth in (0.0, 0.15, 0.3):
        inside = 0
        for seed in range(200):
            rows = people(seed, 600, truth)
            found = cramers_v(pd.crosstab(rows["segment"], rows["region"]).to_numpy())
            inside += found["conf_low"] - 1e-9 <= truth <= found["conf_high"]
        assert inside >= 184, truth


def test_nothing_stands_out_where_nothing_differs():
    alarms = 0
    for seed in range(100):
        table = segment_profile(people(seed), attributes=["region", "language"])
        alarms += (table.loc[table["metric"] == "share", "p_adjusted"] < 0.05).any()
    assert alarms <= 12


def test_planted_association_is_found_and_the_other_is_not():
    table = segment_profile(people(strength=0.4), attributes=["region", "language"])
    strength = table[table["metric"] == "cramers_v"].set_index("attribute")
    assert strength.loc["region", "p_adjusted"] < 1e-6
    assert strength.loc["language", "conf_low"] == 0
    cells = table[(table["attribute"] == "region") & (table["metric"] == "share")]
    assert (cells.loc[cells["segment"] == cells["value"], "residual"] > 5).all()


def test_missing_values_are_a_row_and_degenerate_tables_have_no_v():
    rows = people(n=60).assign(one="x")
    rows["region"] = rows["region"].where(np.arange(60) % 2 == 0)
    table = segment_profile(rows, attributes=["region", "one"])
    assert table.loc[table["attribute"] == "region", "value"].isna().sum() == 1 + 3
    assert (
        table.loc[(table["attribute"] == "one") & (table["metric"] == "cramers_v"), "estimate"].isna().all()
    )
    assert segment_profile(rows.head(0), attributes=["region"]).empty
    assert segment_profile(rows, attributes=[]).empty
    with pytest.raises(ParameterError, match="regio"):
        segment_profile(rows, attributes=["regio"])
