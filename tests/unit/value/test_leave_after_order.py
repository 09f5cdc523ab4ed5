"""BG/NBD: planted truth inside its limits, refusals, and what it says where leaving can't be told."""

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import InputError, ParameterError
from cxlib.value.leave_after_order import bg_nbd
from cxlib.value.planted_histories import draw_histories

TRUTH = {"r": 0.8, "alpha": 6.0, "a": 0.8, "b": 2.4}


def _buyers(seed, n=3_000, age=78):
    rng = np.random.default_rng(seed)
    pace = rng.gamma(TRUTH["r"], 1 / TRUTH["alpha"], n)
    return draw_histories(pace, rng.beta(TRUTH["a"], TRUTH["b"], n), age=age, seed=seed + 1_000)


def test_planted_parameters_lie_in_their_limits():
    rows = bg_nbd(_buyers(1)).set_index("parameter")
    for name, planted in TRUTH.items():
        assert rows.loc[name, "conf_low"] < planted < rows.loc[name, "conf_high"]
    assert set(rows["note"]) == {""}
    assert set(rows["n"]) == {3_000}


def test_one_chance_of_leaving_for_all_is_said_to_tell_nobody_apart():
    rng = np.random.default_rng(2)
    rows = bg_nbd(draw_histories(rng.gamma(0.8, 1 / 6, 3_000), 0.2, age=78, seed=1_002))
    assert rows["note"].iloc[0] in ("one_rate", "boundary")


def test_too_few_who_repeat_have_no_parameters():
    rows = bg_nbd(pd.DataFrame({"x": [0] * 500, "t_x": 0.0, "age": 30.0}))
    assert rows["estimate"].isna().all()
    assert set(rows["note"]) == {"too_few_repeat"}


def test_rows_may_stand_in_any_order_and_in_any_unit_of_time():
    histories = _buyers(3, n=800)
    one = bg_nbd(histories).set_index("parameter")["estimate"]
    other = bg_nbd(histories.sample(frac=1, random_state=1)).set_index("parameter")["estimate"]
    pd.testing.assert_series_equal(one, other, rtol=1e-6)
    days = bg_nbd(histories.assign(t_x=histories["t_x"] * 7, age=histories["age"] * 7))
    assert days.set_index("parameter")["estimate"]["alpha"] == pytest.approx(7 * one["alpha"], rel=1e-3)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"x": [1, np.nan]}, "`x` must hold numbers of at least 0.*1 of 2 rows"),
        ({"t_x": [5.0, 60.0]}, "`t_x` must not be later.*1 of 2 rows"),
        ({"t_x": [5.0, 0.0]}, "`t_x` must be 0 without a repeat.*1 of 2 rows"),
    ],
)
def test_impossible_histories_are_refused(change, told):
    rows = pd.DataFrame({"x": [1, 2], "t_x": [5.0, 7.0], "age": [52.0, 52.0]})
    with pytest.raises(InputError, match=told):
        bg_nbd(rows.assign(**change))


def test_a_missing_column_is_named():
    with pytest.raises(ParameterError, match="age"):
        bg_nbd(pd.DataFrame({"x": [1], "t_x": [1.0]}))


def test_impossible_buyers_are_refused():
    with pytest.raises(ParameterError, match="`drop` between 0 and 1"):
        draw_histories([1.0], [1.5], age=10, seed=1)
