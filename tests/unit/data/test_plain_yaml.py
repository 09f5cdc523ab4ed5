"""YAML gives back what was written: codes stay codes, and nothing in it can take hours or memory."""

import time

import pytest

from cxlib.checks import InputError, ParameterError
from cxlib.data.exports.mapping import read_mapping
from cxlib.data.rules.plain_yaml import NotYaml, plain_yaml
from cxlib.data.rules.strict_models import read_yaml
from cxlib.data.tables.data_set import open_data
from cxlib.runner.parameters import check_value, parse_cell, read_file

CODES = [
    "0010",
    "010",
    "0o17",
    "10:30",
    "1:30:00",
    "1_000",
    "0x10",
    "0b1",
    "+1",
    "-0",
    "1e3",
    "1.50",
    "1.0",
    ".5",
    "12e03",
    ".inf",
    "-.INF",
    ".nan",
    "yes",
    "No",
    "on",
    "OFF",
    "y",
    "True",
    "2026-10-01",
    "2026-10-01T00:00:00Z",
    "00:00",
    "123456789012345678901234567890",
]


@pytest.mark.parametrize("code", CODES)
def test_a_code_stays_as_written_as_value_in_a_list_and_as_key(code):
    assert plain_yaml(f"const: {code}\nis_in: [{code}]\nmap: {{{code}: x}}") == {
        "const": code,
        "is_in": [code],
        "map": {code: "x"},
    }


@pytest.mark.parametrize("key", ["null", "NULL", "~", "true", "0100", "1", "2026-01-01"])
def test_a_key_is_text_whatever_it_looks_like(key):
    assert plain_yaml(f"{{{key}: x}}") == {key: "x"}


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("false", False), ("~", None), ("null", None), ("", None)]
)
def test_true_false_and_nothing_keep_their_meaning(text, value):
    assert plain_yaml(f"a: {text}") == {"a": value}


@pytest.mark.parametrize(
    ("text", "value"),
    [("10", 10), ("-3", -3), ("+1", 1), ("0", 0), ("1.5", 1.5), ("1.5e-3", 0.0015), ("true", True)]
    + [(code, code) for code in ("010", "1:30", "1_000", "0x10", "0b1", "yes", "off", "2026-10-01", "08")],
)
def test_parameters_are_decimal_numbers_or_text(text, value):
    found = read_file(f"a: {text}")["a"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("text", ["010", "1:30", "0x10", "1_000", "0b11", "08", "1e1"])
def test_a_number_of_another_base_is_refused_for_a_number(text):
    """`min_cell: 010` was 8 and `1:30` was 90: a limit of privacy that nobody had set."""
    parameter = parse_cell("min_cell: int = 10  # [5, 100] smallest cell | 最小人数")[0]
    with pytest.raises(ParameterError, match="min_cell"):
        check_value(parameter, read_file(f"min_cell: {text}")["min_cell"])
    assert check_value(parameter, read_file("min_cell: 12")["min_cell"]) == 12


@pytest.mark.parametrize(("word", "value"), [("yes", True), ("no", False), ("true", True)])
def test_yes_and_no_still_answer_a_question(word, value):
    parameter = parse_cell("is_short: bool = False  # short | 短い")[0]
    assert check_value(parameter, read_file(f"is_short: {word}")["is_short"]) is value


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join(['*' + before] * 10)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: !!float abc", 2),
        ("a: !!int 0b_", 1),
        ("a: !!int 0x_", 1),
        ("a: 1\n\nb: !!timestamp 2026-13-01", 3),
        ("a: !!bool maybe", 1),
        ("a: !!python/object/apply:os.system [ls]", 1),
        ("a: 1\na: 2", 2),
        ("010: a\n'010': b", 2),
        ("a:\n\tb: 1", 2),
        ("a: [1, 2", None),
        ("[" * 20_000 + "]" * 20_000, 1),
        ("{a: " * 20_000, 1),
        ("a: " + "- " * 20_000, None),
        ("&a [*a]", 1),
        (BOMB, None),
        ("a: *nothing", 1),
        ("a: 1\n--- \nb: 2", None),
        ("x" * 2_000_000, None),
        ("a: \x01", None),
    ],
)
def test_what_is_no_plain_data_is_refused_at_once_and_with_its_line(text, line):
    began = time.process_time()
    with pytest.raises(NotYaml) as refused:
        plain_yaml(text)
    assert time.process_time() - began < 2
    assert line is None or refused.value.line == line
    with pytest.raises(ParameterError):
        read_file(text)


@pytest.mark.parametrize(
    "text", ["a: !!float abc", "[" * 20_000, "a: 1\na: 2", BOMB, "a: !!timestamp 2026-13-01"]
)
def test_settings_mappings_and_rules_say_so_in_a_sentence(tmp_path, text):
    for name, read in (
        ("dataset.yml", lambda file: open_data(file.parent)),
        ("mapping.yml", read_mapping),
        ("journey.yml", read_yaml),
    ):
        file = tmp_path / name
        file.write_text(text)
        with pytest.raises(InputError, match=rf"{name} is not readable as YAML at line") as told:
            read(file)
        assert told.value.in_language("ja") != str(told.value)
    file.write_text("a: " + "x" * 1_000_001)
    with pytest.raises(InputError, match="1,000,000 bytes"):
        read_yaml(file)
    with pytest.raises(InputError, match="is not there"):
        read_yaml(tmp_path)


SETTINGS = "{name: Shop, currency: JPY, timezone: Asia/Tokyo, extracted_at: 2026-10-01, "


@pytest.mark.parametrize(
    ("entry", "place", "reason"),
    [
        ("csat_scale: [1, .inf]", "csat_scale.1", "finite"),
        ("csat_scale: [.nan, 5]", "csat_scale.0", "finite"),
        ("ces_scale: [1, inf]", "ces_scale.1", "finite"),
        ("valence_scale: [5, 1]", "valence_scale", "lower end"),
        ("csat_scale: [1]", "csat_scale.1", "required"),
        ("fiscal_year_start: 13", "fiscal_year_start", "at most 12"),
        ("fiscal_year_start: 1.5", "fiscal_year_start", "whole number"),
        ("encoding: utf-99", "encoding", "known encoding"),
        ("encoding: undefined", "encoding", "known encoding"),
        ("encoding: punycode", "encoding", "known encoding"),
        ("encoding: idna", "encoding", "known encoding"),
        ("encoding: rot13", "encoding", "known encoding"),
        ("encoding: base64", "encoding", "known encoding"),
        ("encoding: unicode_escape", "encoding", "known encoding"),
        ('encoding: "a\\0b"', "encoding", "known encoding"),
    ],
)
def test_settings_that_could_not_be_meant_are_refused(tmp_path, entry, place, reason):
    (tmp_path / "dataset.yml").write_text(f"{SETTINGS}{entry}}}")
    with pytest.raises(InputError, match=reason) as told:
        open_data(tmp_path)
    assert f"`{place}`" in str(told.value)


@pytest.mark.parametrize("code", ["ZZZ", "XTS", "XXX", "yen", "jpy", "JP", "123", "¥"])
def test_a_currency_is_one_that_exists(tmp_path, code):
    (tmp_path / "dataset.yml").write_text(SETTINGS.replace("JPY", code) + "}")
    with pytest.raises(InputError, match="`currency`: must be an ISO 4217 code"):
        open_data(tmp_path)


@pytest.mark.parametrize(
    "at", ["20261001", "1790812800", "2026", "1.79e9", "-5", "0001-01-01", "9999-12-31", "'20261001'"]
)
def test_a_bare_number_is_no_time_of_extraction(tmp_path, at):
    """As a number, 20261001 is 20 August 1970: the message sent one to the timezone."""
    (tmp_path / "dataset.yml").write_text(SETTINGS.replace("2026-10-01", at) + "}")
    with pytest.raises(InputError, match="day of the calendar"):
        open_data(tmp_path)
