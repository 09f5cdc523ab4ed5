"""Respondents against the silent, bounds, raking."""

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import ParameterError
from cxlib.nonresponse import compare_respondents, rake, response_bounds


def test_difference_is_in_standard_deviations_and_signed():
    rng = np.random.default_rng(0)
    people = pd.DataFrame({"answered": np.arange(2000) % 2 == 0, "frequency": rng.normal(size=2000)})
    people.loc[people["answered"], "frequency"] += 0.5
    row = compare_respondents(people, value_cols=["frequency"]).iloc[0]
    assert row["estimate"] == pytest.approx(0.5, abs=0.1) and row["conf_low"] > 0.3
    assert (row["n_answered"], row["n_silent"]) == (1000, 1000)


def test_nobody_answered_or_all_alike():
    people = pd.DataFrame({"answered": [False] * 5, "frequency": [1.0, 2, 3, 4, 5]})
    assert np.isnan(compare_respondents(people, value_cols=["frequency"])["estimate"][0])
    same = pd.DataFrame({"answered": [True, True, False, False], "frequency": 1})
    assert compare_respondents(same, value_cols=["frequency"])["estimate"][0] == 0


def test_bounds_close_when_everybody_answers():
    whole = response_bounds(20, n_answered=50, n_customers=50).iloc[1]
    assert (whole["conf_low"], whole["conf_high"]) == (20, 20)
    none = response_bounds(np.nan, n_answered=0, n_customers=50)
    assert none["estimate"][0] == 0 and np.isnan(none["conf_low"][1])


def test_raking_matches_margins():
    rng = np.random.default_rng(1)
    data = pd.DataFrame(
        {"region": rng.choice(list("abc"), 500), "kind": rng.choice(list("xy"), 500, p=[0.8, 0.2])}
    )
    margins = {"region": {"a": 0.2, "b": 0.3, "c": 0.5}, "kind": {"x": 0.5, "y": 0.5}}
    result = rake(data, margins=margins)
    for column, shares in margins.items():
        matched = result["weight"].groupby(data[column]).sum() / 500
        assert matched.to_dict() == pytest.approx(shares, abs=1e-8)
    assert result["weight"].mean() == pytest.approx(1) and result["n_effective"][0] < 500


def test_raking_needs_the_same_groups():
    data = pd.DataFrame({"region": list("aab")})
    for shares in ({"a": 1.0}, {"a": 0.4, "b": 0.3, "c": 0.3}):
        with pytest.raises(ParameterError, match=r"margins\['region'\]"):
            rake(data, margins={"region": shares})
