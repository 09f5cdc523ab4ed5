"""Findings and errors can be said in both languages, and never say a value."""

from functools import partial

import pandas as pd
import pytest

import cxlib as cx
from cxlib.checks import (
    CxError,
    InputError,
    NotEnoughData,
    ParameterError,
    Problem,
    TableError,
    check_columns,
    fail_option,
    nearest,
)
from cxlib.customers.rfm_segments import choose_customers
from cxlib.data.scope import fail_by
from cxlib.journey.curve import emotion_curve
from cxlib.journey.funnels_and_exits import exit_rates
from cxlib.report.plots.journey import plot_repeat_curve

PROBLEM = Problem("tables.not_a_number", "error", "orders.csv", "amount", 3, 1200, (17, 18, 1100))


def test_a_finding_names_file_column_count_rows_and_remedy():
    assert PROBLEM.text("en") == (
        "orders.csv, column `amount`: Must hold numbers; 3 of 1,200 rows (first at row 17, 18, 1,100) "
        "hold text. Remove currency signs, thousands separators and words, or let `cx import` do so."
    )
    japanese = PROBLEM.text("ja")
    assert japanese.startswith(
        "orders.csv の列 `amount`：数値が必要です。文字が1,200行中3行（最初は17, 18, 1,100行目）"
    )


def test_a_finding_about_a_whole_table_names_only_the_file():
    assert Problem("tables.empty", "error", "orders.csv").text().startswith("orders.csv: The file is empty.")


def test_a_table_error_lists_every_finding_in_either_language():
    other = Problem("tables.empty", "error", "deals.csv")
    error = TableError([PROBLEM, other])
    assert error.problems == (PROBLEM, other)
    assert str(error).splitlines()[1:] == [PROBLEM.text(), other.text()]
    assert error.in_language("ja").splitlines()[1:] == [PROBLEM.text("ja"), other.text("ja")]


def test_errors_tell_their_kind_by_exit_code():
    codes = {kind: kind.exit_code for kind in (ParameterError, InputError, TableError, NotEnoughData)}
    assert codes == {ParameterError: 2, InputError: 3, TableError: 3, NotEnoughData: 4}
    assert all(issubclass(kind, CxError) and issubclass(kind, ValueError) for kind in codes)


def test_a_misspelt_column_is_answered_with_the_nearest():
    frame = pd.DataFrame(columns=["nps_score", "wave", 3])
    check_columns(frame, score_col="nps_score", by=None)
    with pytest.raises(ParameterError, match=r"`score_col='nps'`.*nps_score"):
        check_columns(frame, score_col="nps")


def test_an_unknown_option_is_answered_with_all():
    with pytest.raises(ParameterError, match="`method='wld'` is not one of: wald, score") as stopped:
        fail_option("method", "wld", ["wald", "score"])
    assert stopped.value.in_language("ja") == "`method='wld'` は指定できません。選べる値: wald, score"


def test_nearest_names_all_when_none_is_close():
    assert nearest("ordres", ["orders", "deals"]) == "orders"
    assert nearest("xyz", ["b", "a"]) == "a, b"


CANARIES = ["taro.canary@example.jp", "090-1234-5678", "5551234567", "2026-01-01"]
CANARIES += ["山田カナリア", "1 Canary Street"]


def _said(call) -> str:
    with pytest.raises(CxError) as raised:
        call()
    return raised.value.in_language("en") + raised.value.in_language("ja")


def test_a_column_that_is_not_there_is_answered_without_the_names_of_other_columns():
    turned = pd.DataFrame(1.0, index=range(2), columns=CANARIES)
    said = [_said(lambda: check_columns(turned, score_col="nps_score"))]
    for name in CANARIES[:4]:
        said.append(_said(partial(check_columns, turned, score_col=name[:-1])))
    assert not [name for name in CANARIES if any(name in each for each in said)]
    assert "6 columns" in said[0] and "6 列" in said[0]


def test_an_unknown_group_is_answered_by_names_of_the_contract_only():
    customers = pd.DataFrame({"customer_id": ["a"], "region": "x", **dict.fromkeys(CANARIES, 1)})
    said = _said(lambda: choose_customers(customers, None, as_of="2026-01-01", by="zzz"))
    assert "segment, region" in said and not [name for name in CANARIES if name in said]
    assert "Did you mean: region?" in _said(lambda: fail_by("regoin", customers.columns))


def test_an_unknown_page_is_answered_without_the_pages_of_the_visitors():
    when = pd.date_range("2026-01-01", periods=len(CANARIES), freq="s")
    views = pd.DataFrame({"customer_id": "a", "page": CANARIES, "occurred_at": when})
    said = _said(lambda: exit_rates(views, session_col=None, goal="thanks"))
    assert "thanks" in said and not [name for name in CANARIES if name in said]


def test_stages_that_no_row_has_are_answered_without_values():
    when = pd.Timestamp("2026-01-01")
    row = pd.DataFrame({"customer_id": ["a"], "valence": 1.0, "occurred_at": when, "stage": CANARIES[0]})
    said = _said(lambda: emotion_curve(row, stage_order=["first use", *CANARIES[1:3]]))
    assert "first use" in said and not [name for name in CANARIES if name in said]


def test_a_plot_of_another_table_is_answered_without_its_columns():
    said = _said(lambda: plot_repeat_curve(pd.DataFrame(1.0, index=[0], columns=CANARIES)))
    assert not [name for name in CANARIES if name in said]


def test_a_column_read_under_a_fixed_name_is_not_called_an_argument():
    people = pd.DataFrame({"recency_day": [1], "frequency": [1], "monetary_total": [1.0]})
    with pytest.raises(
        ParameterError, match=r"^`rfm` reads the column `recency_days`.*`customers`.*recency_day\?$"
    ):
        cx.rfm(people)
    with pytest.raises(ParameterError, match=r"`by='segment'` names a column"):
        cx.segment_growth(people.assign(customer_id="a"), people.assign(customer_id="a"))


def test_a_column_that_stands_twice_is_named():
    twice = pd.concat([pd.DataFrame({"nps_score": [9]})] * 2, axis=1)
    with pytest.raises(ParameterError, match=r"`score_col='nps_score'` names two columns"):
        cx.nps(twice)
