"""Attributes by segment: published residuals and V, coverage, no alarm where nothing differs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import ParameterError
from cxlib.customers.profiles import cramers_v, segment_profile


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


@pytest.mark.slow
@pytest.mark.parametrize("rounds", [80, pytest.param(200, marks=pytest.mark.long)])
def test_interval_covers_the_population_value(rounds):
    """Population V of the mixture is the share of customers whose region follows the segment."""
    for truth in (0.0, 0.15, 0.3):
        inside = 0
        for seed in range(rounds):
            rows = people(seed, 600, truth)
            found = cramers_v(pd.crosstab(rows["segment"], rows["region"]).to_numpy())
            inside += found["conf_low"] - 1e-9 <= truth <= found["conf_high"]
        assert inside >= 0.92 * rounds, truth


SKEWED = np.array(
    [
        [0.19, 0.004],
        [0.10, 0.006],
        [0.004, 0.012],
        [0.05, 0.004],
        [0.11, 0.006],
        [0.11, 0.006],
        [0.033, 0.002],
        [0.065, 0.002],
        [0.29, 0.006],
    ]
)


def diagonal(rows: int, columns: int, strength: float) -> np.ndarray:
    """Shares of a table in which a share `strength` of the customers follows the diagonal."""
    shares = np.full((rows, columns), (1 - strength) / columns)
    shares[np.arange(rows), np.arange(rows) % columns] += strength
    return shares


def coverage(shares: np.ndarray, n: int, draws: int) -> float:
    shares = shares / shares.sum()
    expected = shares.sum(axis=1, keepdims=True) * shares.sum(axis=0)
    truth = np.sqrt(((shares - expected) ** 2 / expected).sum() / (min(shares.shape) - 1))
    rng = np.random.default_rng(5)
    inside = 0
    for _ in range(draws):
        found = cramers_v(rng.multinomial(n, shares.ravel()).reshape(shares.shape))
        inside += found["conf_low"] - 1e-9 <= truth <= found["conf_high"] + 1e-9
    return inside / draws


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shares", "n"),
    [
        pytest.param(diagonal(9, 8, 0.3), 1000, id="large", marks=pytest.mark.long),
        pytest.param(diagonal(9, 8, 0.2), 3858, id="large-weak", marks=pytest.mark.long),
        pytest.param(SKEWED, 3858, id="uneven", marks=pytest.mark.long),
        pytest.param(diagonal(2, 2, 0.6), 200, id="strong"),
        pytest.param(diagonal(3, 3, 0.15), 600, id="weak"),
    ],
)
def test_coverage_for_large_uneven_and_strong_tables(shares, n):
    """93–97 %, and two standard errors of 800 draws either way."""
    assert 0.915 <= coverage(shares, n, 800) <= 0.985


def test_interval_covers_in_a_large_table_where_the_noncentral_one_does_not():
    """At V = .3 in 9 by 8 cells the non-central χ² limits cover 81 %: 0 in 10,000 for 88 of 100."""
    assert coverage(diagonal(9, 8, 0.3), 1000, 100) >= 0.88


def test_full_association_has_an_interval():
    found = cramers_v([[40, 0], [0, 40]])
    assert found["estimate"] == 1
    assert 0.8 < found["conf_low"] < 0.97
    assert found["conf_high"] == 1


def test_a_table_more_even_than_chance_makes_it_still_leaves_room_for_an_association():
    even = [cramers_v(np.full(shape, 6.0)) for shape in ((2, 2), (3, 5), (9, 8))]
    assert all(found["conf_low"] == 0 < found["conf_high"] for found in even)
    usual = cramers_v([[28, 22], [22, 28]])  # χ² of 1.4: about what chance makes it
    assert cramers_v([[25, 25], [25, 25]])["conf_high"] == pytest.approx(usual["conf_high"], abs=0.05)


def test_unknown_values_neither_make_nor_hide_an_association():
    rows = people(n=900)
    rows["region"] = rows["region"].mask((rows["segment"] == "a") & (np.arange(900) % 3 > 0))
    table = segment_profile(rows, attributes=["region"])
    strength = table[table["metric"] == "cramers_v"].iloc[0]
    known = rows.dropna(subset=["region"])
    own = cramers_v(pd.crosstab(known["segment"], known["region"]).to_numpy())
    assert strength["estimate"] == own["estimate"]
    assert strength["conf_low"] == 0
    assert strength["n"] == len(known)
    assert strength["missing_share"] == pytest.approx(1 - len(known) / 900)


@pytest.mark.slow
@pytest.mark.parametrize(("rounds", "most"), [(40, 5), pytest.param(100, 12, marks=pytest.mark.long)])
def test_nothing_stands_out_where_nothing_differs(rounds, most):
    alarms = 0
    for seed in range(rounds):
        table = segment_profile(people(seed), attributes=["region", "language"])
        alarms += (table.loc[table["metric"] == "share", "p_adjusted"] < 0.05).any()
        strength = table[table["metric"] == "cramers_v"]
        assert (strength.loc[strength["p_adjusted"] >= 0.05, "conf_low"] == 0).all()
    assert alarms <= most


def test_an_association_by_chance_among_many_has_no_limit_above_zero():
    """One of eight attributes is beyond chance by itself, and not after the search over the eight."""
    groups = pd.DataFrame({"segment": ["a"] * 50 + ["b"] * 50})
    groups["first"] = ["x"] * 32 + ["y"] * 18 + ["x"] * 19 + ["y"] * 31
    calm = [f"calm{number}" for number in range(7)]
    groups = groups.assign(**dict.fromkeys(calm, ["x", "y"] * 50))
    alone, among = (
        segment_profile(groups, attributes=part).iloc[0] for part in (["first"], ["first", *calm])
    )
    assert alone["p_adjusted"] < 0.05 < among["p_adjusted"]
    assert alone["conf_low"] > among["conf_low"] == 0


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
