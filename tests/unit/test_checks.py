"""Findings and errors can be said in both languages, and never say a value."""

import pandas as pd
import pytest

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

PROBLEM = Problem("tables.not_a_number", "error", "orders.csv", "amount", 3, 1200, (17, 18, 1100))


def test_a_finding_names_file_column_count_rows_and_remedy():
    assert PROBLEM.text("en") == (
        "orders.csv, column `amount`: Must hold numbers; 3 of 1,200 rows (first at row 17, 18, 1,100) "
        "hold text. Remove currency signs, thousands separators and words, or let `cx import` do so."
    )
    japanese = PROBLEM.text("ja")
    assert japanese.startswith(
        "orders.csv の列 `amount`：数値が必要です。文字が 1,200 行中 3 行（最初は 17, 18, 1,100 行目）"
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
