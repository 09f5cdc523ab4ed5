"""Rows that a function cannot work with are named in one sentence; other errors stay what they are."""

import pandas as pd
import pytest

import cxlib as cx
from cxlib.checks import InputError, ParameterError
from cxlib.checks.own_frames import _taking_any_frame

MONTHS = pd.DataFrame({"customer_id": ["a", "b"], "month": [1.0, 2.0], "amount": [5.0, 6.0]})


@_taking_any_frame
def first_month(panel: pd.DataFrame, *, conf_level: float = 0.95):
    if conf_level == 0.5:
        raise ParameterError("checks.level", argument="conf_level", found="0.5")
    wanted = panel["month"].to_list()[0]
    return [int(each) for each in panel["month"]], panel.loc[panel["month"] == wanted].reindex([0, 1])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda rows: rows.iloc[:0], "it has no rows"),
        (lambda rows: rows.assign(month=[None, 2.0]), "`month` is missing in 1 of 2 rows"),
        (lambda rows: rows.assign(month=[float("inf"), 2.0]), "`month` is infinite in 1 of 2 rows"),
        (lambda rows: rows.assign(month=["x", 2]), "`month` mixes text with other values"),
        (lambda rows: rows.assign(month=["Taro", "2"]), "`month` holds text where numbers belong"),
        (lambda rows: pd.concat([rows, rows]), "labels of its index repeat"),
    ],
)
def test_rows_that_stand_out_are_named(change, told):
    with pytest.raises(InputError, match="`panel` could not be worked with") as stopped:
        first_month(change(MONTHS))
    assert told in str(stopped.value) and stopped.value.__cause__ is not None
    assert "目立つ点" in stopped.value.in_language("ja") and "Taro" not in str(stopped.value)


def test_other_errors_stay_what_they_are():
    gaps = MONTHS.assign(amount=[None, 1.0])
    assert first_month(gaps)[0] == [1, 2]
    with pytest.raises(TypeError, match="unexpected keyword"):
        first_month(gaps, level=0.9)
    with pytest.raises(ParameterError, match="conf_level"):
        first_month(gaps, conf_level=0.5)
    with pytest.raises(KeyError):
        first_month(MONTHS.rename(columns={"month": "Taro"}).assign(Taro="x"))


def test_names_that_may_be_values_are_not_repeated():
    with pytest.raises(InputError) as stopped:
        first_month(MONTHS.assign(month=[None, 2.0], **{"Taro Yamada": None}))
    assert "Taro" not in str(stopped.value)


def test_everybody_who_left_by_one_way_has_limits():
    ends = pd.DataFrame({"days": range(1, 21), "exit": "won"})
    last = cx.cumulative_incidence(ends, duration_col="days", cause_col="exit").iloc[-1]
    assert (last["estimate"], last["conf_high"]) == (1, 1)
    assert last["conf_low"] == pytest.approx(0.025 ** (1 / 20), abs=1e-12)
