import json
from datetime import date
from pathlib import Path

import pytest

from cxlib.checks import ParameterError
from cxlib.runner.parameters import (
    check_name,
    check_together,
    check_value,
    parse_cell,
    read_file,
    read_parameters,
    settle,
)

CELL = """
from datetime import date
from typing import Literal

data: str = "../data"  # folder | フォルダ
as_of: date | None = None  # day | 日
opened: date = date(2026, 2, 28)  # day
code: str = "a#b"  # text with # inside | 文字
lang: Literal["en", "ja"] = "en"  # language | 言語
share: float = 0.95  # [0.5, 0.999] level | 水準
months: int | None = 6  # [1, 36] months | 月
is_short: bool = False  # short | 短い
names: list[str] = ["x"]  # names | 名前
"""
PARAMETERS = {p.name: p for p in parse_cell(CELL)}


def refused(name, value, *, is_typed=True):
    with pytest.raises(ParameterError) as caught:
        check_value(PARAMETERS[name], value, is_typed=is_typed)
    assert name in str(caught.value)
    assert caught.value.in_language("ja") != str(caught.value)
    return caught.value.key


def test_every_type_range_option_and_meaning_is_read_from_the_cell():
    kinds = {name: (p.kind, p.is_optional) for name, p in PARAMETERS.items()}
    assert kinds == {
        "data": ("str", False),
        "as_of": ("date", True),
        "opened": ("date", False),
        "code": ("str", False),
        "lang": ("option", False),
        "share": ("float", False),
        "months": ("int", True),
        "is_short": ("bool", False),
        "names": ("list", False),
    }
    assert PARAMETERS["code"].default == "a#b"
    assert PARAMETERS["code"].meaning == {"en": "text with # inside", "ja": "文字"}
    assert PARAMETERS["opened"].default == "2026-02-28"
    assert (PARAMETERS["months"].low, PARAMETERS["months"].high) == (1, 36)
    assert PARAMETERS["lang"].options == ("en", "ja")


@pytest.mark.parametrize(
    "line",
    [
        "n = 3",
        "n: int = open('x')",
        "n: int",
        "n: int = 40  # [1, 36] out of its own range",
        "n: dict = {}",
        "n: Literal['a'] = 'b'",
        "print('hello')",
        "n: int = 3; m: int = f()",
        "def f(): pass",
        "n: int = (",
    ],
)
def test_a_cell_with_anything_else_is_refused_without_running_it(line):
    with pytest.raises(ParameterError) as caught:
        parse_cell(line, "chapter")
    assert "chapter" in str(caught.value) and "line 1" in str(caught.value)


def test_a_comment_that_the_formatter_folded_is_still_read():
    (folded,) = parse_cell("n: int = (\n    5  # [1, 9] how many | 個数\n)")
    assert (folded.default, folded.high, folded.meaning["ja"]) == (5, 9, "個数")


def test_a_notebook_without_parameters_has_none():
    assert (
        read_parameters({"cells": [{"cell_type": "code", "metadata": {}, "source": ["n: int = 1"]}]}, "x")
        == []
    )


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("code", "007", "007"),
        ("code", "none", "none"),
        ("months", "007", 7),
        ("months", "none", None),
        ("share", "0.5", 0.5),
        ("share", "9e-1", 0.9),
        ("is_short", "True", True),
        ("is_short", "no", False),
        ("as_of", "2026-02-28", "2026-02-28"),
        ("as_of", "null", None),
        ("lang", "ja", "ja"),
        ("names", "a, b", ["a", "b"]),
    ],
)
def test_text_of_the_command_line_is_read_as_the_declared_type(name, text, value):
    found = check_value(PARAMETERS[name], text, is_typed=False)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("months", "6.5"),
        ("months", "six"),
        ("months", "１２"),
        ("months", "1_0"),
        ("months", ""),
        ("share", "half"),
        ("is_short", "2"),
        ("as_of", "28/02/2026"),
        ("as_of", "2026-2-8"),
        ("as_of", "2026-02-28T00:00"),
        ("lang", "fr"),
        ("data", 7),
        ("code", 7),
        ("months", True),
        ("months", 6.0),
        ("is_short", 1),
        ("is_short", "yes please"),
        ("names", [1]),
        ("names", "a"),
        ("share", None),
    ],
)
def test_a_wrong_type_is_refused(name, text):
    key = refused(name, text, is_typed=not isinstance(text, str) or name == "names")
    assert key.startswith("runner.expected_") or key == "runner.not_plain"


@pytest.mark.parametrize(("name", "value"), [("months", 0), ("months", 37), ("share", 0.4999), ("share", 1)])
def test_out_of_range_is_refused_and_the_range_named(name, value):
    with pytest.raises(ParameterError, match="…") as caught:
        check_value(PARAMETERS[name], value)
    assert caught.value.key == "runner.out_of_range"


@pytest.mark.parametrize("value", ["2026-02-30", "2025-02-29", "0000-00-00", "2026-13-01"])
def test_a_day_that_does_not_exist_is_refused(value):
    assert refused("as_of", value) == "runner.no_such_day"


def test_leap_days_and_days_of_a_file_are_taken():
    assert check_value(PARAMETERS["as_of"], "2028-02-29") == "2028-02-29"
    assert check_value(PARAMETERS["as_of"], date(2026, 1, 2)) == "2026-01-02"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_not_a_number_is_refused(value):
    assert refused("share", value) == "runner.not_finite"


@pytest.mark.parametrize("text", ["nan", "-inf", "Infinity", "1e999"])
def test_not_a_number_as_text_is_refused(text):
    assert refused("share", text, is_typed=False) == "runner.not_finite"


class Sly(str):
    def __repr__(self):
        return "__import__('os').system('true')"


@pytest.mark.parametrize(
    "value", [{"a"}, ("a", "b"), Path("x"), b"x", {"a": 1}, [["a"]], 1j, object(), Sly("x"), [Sly("x")]]
)
def test_values_that_are_not_plain_are_refused(value):
    assert refused("code", value) == "runner.not_plain"


@pytest.mark.parametrize(
    ("name", "value"), [("months", [10]), ("months", [10, 20]), ("share", [0.5]), ("is_short", [True])]
)
def test_a_list_for_one_value_is_called_a_list(name, value):
    assert refused(name, value) == "runner.expected_one"


def test_a_list_of_texts_says_which_value_is_none():
    assert refused("names", ["a", 1]) == "runner.expected_texts"


def test_long_text_and_control_characters_are_refused():
    assert refused("code", "x" * 1_000_000) == "runner.too_long"
    assert refused("code", "あ" * 4_000) == "runner.too_long"
    for mark in ("\0", "\n", "\x1b[2J", "\ud800"):
        assert refused("code", f"a{mark}b") == "runner.control_character"


def test_a_message_never_repeats_a_long_value():
    with pytest.raises(ParameterError) as caught:
        check_value(PARAMETERS["months"], "9" * 5_000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "name", ["x=1\nprint('owned')\ny", "a b", "", "__import__('os')", 7, None, ("a",), "a" * 300, "a.b", "1a"]
)
def test_a_name_with_code_in_it_is_refused(name):
    with pytest.raises(ParameterError) as caught:
        check_name(name, ["as_of"])
    assert caught.value.key == "runner.unsafe_name"


@pytest.mark.parametrize(
    "name",
    ["password", "db_passwd", "api_key", "APIKEY", "access_token", "client_secret", "pwd", "credentials"],
)
def test_a_name_that_looks_like_a_secret_is_refused_even_when_declared(name):
    with pytest.raises(ParameterError) as caught:
        check_name(name, [name])
    assert caught.value.key == "runner.secret_name"


def test_a_misspelt_name_is_answered_with_the_nearest():
    with pytest.raises(ParameterError, match="period_start") as caught:
        check_name("perod_start", ["period_start", "period_end", "lang"])
    assert caught.value.exit_code == 2


def test_an_end_before_its_start_is_refused():
    check_together({"period_start": "2026-01-01", "period_end": "2026-01-01"})
    check_together({"period_start": "2026-01-02", "period_end": None})
    with pytest.raises(ParameterError) as caught:
        check_together({"period_start": "2026-01-02", "period_end": "2026-01-01"})
    assert "2026-01-02" in str(caught.value) and "2026-01-01" in str(caught.value)


def test_a_file_keeps_days_as_text_and_types_as_they_are():
    assert read_file("as_of: 2026-02-30\ncode: '007'\nmonths: 7\nnames: [a]\nchapter:\n  n: 1\n") == {
        "as_of": "2026-02-30",
        "code": "007",
        "months": 7,
        "names": ["a"],
        "chapter": {"n": 1},
    }
    assert read_file("") == {}


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system ['true']",
        "a: *unknown",
        "- a\n- b",
        "just text",
        "a: 1\na: 2",
        "c:\n  a: 1\n  a: 2",
        "a: [",
        "{[a]: 1}",
        "? {a: 1}\n: 2",
    ],
)
def test_a_file_that_is_not_plain_pairs_is_refused(text):
    with pytest.raises(ParameterError) as caught:
        read_file(text)
    assert caught.value.exit_code == 2


def test_a_huge_file_is_refused():
    with pytest.raises(ParameterError) as caught:
        read_file("a: 1\n" * 100_000)
    assert caught.value.key == "runner.file_too_long"


DECLARED = {
    "first": parse_cell("n: int = 1  # [0, 9] n\ncode: str = ''  # c"),
    "second": parse_cell("code: str = ''"),
}


def give(from_file=None, from_command=()):
    reports = [*DECLARED, "third"]
    return settle(DECLARED, from_file=from_file or {}, from_command=from_command, every_report=reports)


def test_the_command_line_wins_over_sections_over_shared_values_over_defaults():
    assert give() == {"first": {"n": 1, "code": ""}, "second": {"code": ""}}
    values = give({"second": {"code": "b"}, "code": "a", "n": 2, "third": {"unknown": 1}}, [("n", "3")])
    assert values == {"first": {"n": 3, "code": "a"}, "second": {"code": "b"}}


@pytest.mark.parametrize(
    ("from_file", "key"),
    [
        ({"m": 1}, "runner.unknown_parameter"),
        ({"second": {"n": 1}}, "runner.unknown_parameter"),
        ({"fist": {"n": 1}}, "runner.unknown_section"),
        ({"first": 3}, "runner.not_plain"),
        ({"n": {1, 2}}, "runner.not_plain"),
        ({"n": 10}, "runner.out_of_range"),
        ({"code": 7}, "runner.expected_str"),
        ({"x=1\nprint('owned')\ny": 1}, "runner.unsafe_name"),
        ({7: 1}, "runner.unsafe_name"),
        ({"first": {"token": "x"}}, "runner.secret_name"),
    ],
)
def test_a_file_is_refused_as_a_whole(from_file, key):
    with pytest.raises(ParameterError) as caught:
        give(from_file)
    assert caught.value.key == key


def test_a_yaml_set_is_refused():
    with pytest.raises(ParameterError) as caught:
        give(read_file('code: !!set {"x": null}'))
    assert caught.value.key == "runner.not_plain" or caught.value.key == "runner.unknown_section"


def test_what_is_injected_is_a_literal():
    values = {"code": "'; import os; '", "n": -1, "f": 0.1, "names": ['"""', "\\"], "b": True, "none": None}
    source = "\n".join(f"{name} = {value!r}" for name, value in values.items())
    space: dict = {}
    exec(compile(source, "cell", "exec"), {"__builtins__": {}}, space)
    assert space == values and json.dumps(space)
