"""Levels, numbers of draws and seeds of all public functions: what is none ends in one sentence."""

import importlib
import inspect
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.checks import ParameterError
from cxlib.checks.own_numbers import CHECKS, HANDED_ON, check_list, checks_of

WINGS = ["cxlib", *(f"cxlib.{each.parent.name}" for each in sorted(Path(cx.__file__).parent.glob("*/*.pyi")))]
BAD = {
    "level": [0, 1, -0.1, 95, True, "0.95", None, float("nan")],
    "n_boot": [-1, 0.5, 200.0, True, "200", None],
    "draws": [-1, 0, 0.5, 200.0, True, "200", None],
    "seed": [-1, 1.5, True, "1", None],
}
BAD["conf_level"] = BAD["level"]


def asked():
    """Each public function with each of its checked arguments."""
    found = {}
    for wing in map(importlib.import_module, WINGS):
        for name in wing.__all__:
            function = getattr(wing, name)
            if inspect.isfunction(function):
                inner = inspect.unwrap(function)
                found[inner] = (f"{wing.__name__}.{name}", function)
    return [
        pytest.param(function, argument, id=f"{name}({argument})")
        for inner, (name, function) in found.items()
        for argument in checks_of(inner)
    ]


def is_list(given):
    function, argument = tuple(given.values)
    return checks_of(inspect.unwrap(function))[argument] is check_list


@pytest.mark.parametrize(("function", "argument"), [each for each in asked() if not is_list(each)])
def test_what_is_no_level_draw_or_seed_ends_in_one_sentence(function, argument):
    for value in BAD[argument]:
        with pytest.raises(ParameterError) as caught:
            function(**{argument: value})
        said = str(caught.value)
        assert said.startswith(f"`{argument}` must") and said.endswith(f"found {value!r}."), said


def test_one_text_where_any_function_takes_a_list_ends_in_one_sentence():
    lists = [tuple(each.values) for each in asked() if is_list(each)]
    assert len(lists) > 20
    for function, argument in lists:
        with pytest.raises(ParameterError, match=rf"^`{argument}` takes a list"):
            function(**{argument: "abc"})


def test_every_level_draw_and_seed_of_a_signature_is_checked():
    names = {name for name, _ in CHECKS} - {"level"}
    for function, _ in (tuple(each.values) for each in asked()):
        own = inspect.signature(function).parameters
        assert names & set(own) <= set(checks_of(inspect.unwrap(function))), function


def test_what_numpy_counts_is_a_number_and_settings_handed_on_are_checked():
    codings = pd.DataFrame(
        {"response_id": [1, 1, 2, 2], "coder": ["a", "b"] * 2, "topic": ["x", "x", "y", "y"]}
    )
    said = cx.voice.agreement(codings, value_col="topic", n_boot=np.int64(30), conf_level=np.float32(0.5))
    assert said["estimate"].item() == 1
    assert HANDED_ON.keys() == {"conf_level", "n_boot", "draws", "seed"}
    with pytest.raises(ParameterError, match="n_boot"):
        cx.value.cac(pd.DataFrame(), pd.DataFrame(), as_of="2026-01-31", n_boot=-3)


ANSWERS = pd.DataFrame(
    {
        "customer_id": np.arange(60) // 2,
        "nps_score": np.tile([9.0, 7, 10, 3, 6], 12),
        "driver_a": np.tile([5.0, 4, 5, 2], 15),
        "driver_b": np.tile([3.0, 1, 4, 5, 5, 2], 10),
    }
)
DRIVERS = {"outcome_col": "nps_score", "driver_cols": ["driver_a", "driver_b"]}
WON = pd.DataFrame({"customer_id": range(60), "created_on": pd.Timestamp("2026-01-01"), "is_won": True})
WON = WON.assign(
    closed_on=pd.date_range("2026-01-05", periods=60),
    amount=range(60),
    owner=["x", "y"] * 30,
    deal_id=range(60),
)
CODED = pd.DataFrame(
    {"response_id": np.arange(80) // 2, "coder": ["a", "b"] * 40, "topic": ["x", "x", "y"] * 26 + ["y"] * 2}
)
WITHOUT_RESAMPLES = {
    "driver_importance": lambda n: cx.driver_importance(ANSWERS, **DRIVERS, n_boot=n),
    "group_importance": lambda n: cx.group_importance(
        ANSWERS, outcome_col="nps_score", groups={"driver_a": "a", "driver_b": "b"}, n_boot=n
    ),
    "scale_reliability": lambda n: cx.scale_reliability(ANSWERS, item_cols=DRIVERS["driver_cols"], n_boot=n),
    "agreement": lambda n: cx.voice.agreement(CODED, value_col="topic", n_boot=n),
    "deal_sizes": lambda n: cx.sales.deal_sizes(WON, as_of="2026-12-31", n_boot=n).tail(2),
    "size_change": lambda n: cx.sales.size_change(WON, as_of="2026-03-05", days=30, by="owner", n_boot=n),
}


@pytest.mark.parametrize("name", WITHOUT_RESAMPLES)
def test_no_resamples_leave_the_estimate_and_no_limits(name):
    none, many = (WITHOUT_RESAMPLES[name](n) for n in (0, 60))
    assert none["conf_low"].isna().all()
    assert many["conf_low"].notna().any()
    estimate = "estimate" if "estimate" in none else "importance"
    pd.testing.assert_series_equal(none[estimate], many[estimate])


def test_one_text_is_no_list_and_would_be_taken_letter_by_letter():
    visits = pd.DataFrame({"customer_id": ["a"], "touchpoint": ["home"]})
    visits["occurred_at"] = pd.Timestamp("2026-01-01")
    with pytest.raises(ParameterError, match=r"`steps` takes a list.*`steps=\[…\]`"):
        cx.funnel(visits, steps="home")
    with pytest.raises(ParameterError, match="`covariates` takes a list"):
        cx.adjusted_difference(visits, outcome_col="a", treated_col="b", covariates="age")
