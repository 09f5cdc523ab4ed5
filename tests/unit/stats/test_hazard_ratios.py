"""Hazard ratios: planted ones, and what can't be told."""

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import NotEnoughData, ParameterError
from cxlib.stats.survival.hazard_ratios import cox_hazard_ratios

ASKED = {"duration_col": "days", "event_col": "left", "feature_cols": ["card", "age"]}


def customers(seed, n=600):
    """Leave at a chance that a card halves and each point of age raises by a tenth."""
    rng = np.random.default_rng(seed)
    card, age = rng.integers(0, 2, n), rng.normal(40, 5, n)
    days = np.ceil(rng.exponential(60 / (0.5**card * 1.1 ** (age - 40))))
    until = rng.integers(20, 120, n)
    rows = pd.DataFrame({"days": np.minimum(days, until), "left": days <= until, "card": card, "age": age})
    return rows.astype({"days": float})


def test_planted_ratios_lie_in_their_limits_nearly_always():
    held = np.zeros(2)
    for seed in range(12):
        found = cox_hazard_ratios(customers(seed), **ASKED)
        held += (found["conf_low"] < [0.5, 1.1]) & (found["conf_high"] > [0.5, 1.1])
    assert (held >= 10).all()


def test_units_of_a_feature_and_the_order_of_rows_change_nothing_else():
    rows = customers(1)
    found = cox_hazard_ratios(rows, **ASKED)
    in_months = rows.assign(age=rows["age"] * 12).sample(frac=1, random_state=1)
    again = cox_hazard_ratios(in_months, **ASKED)
    assert again["coefficient"].to_numpy() * [1, 12] == pytest.approx(
        found["coefficient"].to_numpy(), rel=1e-6
    )
    pd.testing.assert_series_equal(again["p_value"], found["p_value"], rtol=1e-5)


def test_rows_with_gaps_are_left_out_and_bad_ones_are_refused():
    rows = customers(2)
    gaps = rows.assign(age=rows["age"].where(rows.index > 99))
    assert (cox_hazard_ratios(gaps, **ASKED)["n"] == 500).all()
    with pytest.raises(ParameterError, match="above 0"):
        cox_hazard_ratios(rows.assign(days=rows["days"].where(rows.index > 3, 0.0)), **ASKED)
    with pytest.raises(ParameterError, match="follows from the others"):
        cox_hazard_ratios(rows.assign(age=rows["card"] * 2.0), **ASKED)
    with pytest.raises(ParameterError, match="never varies"):
        cox_hazard_ratios(rows.assign(card=1), **ASKED)
    with pytest.raises(NotEnoughData, match="ten events"):
        cox_hazard_ratios(rows.assign(left=False), **ASKED)
    with pytest.raises(ParameterError, match="feature_cols"):
        cox_hazard_ratios(rows, **ASKED | {"feature_cols": ["crad"]})
