"""Texts, number formats and cleaning, in both languages."""

import datetime as dt
import os
import re
import string
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from cxlib.language import (
    LANGUAGES,
    UNITS,
    catalogue,
    clean_text,
    data_words,
    format_date,
    format_interval,
    format_value,
    is_missing,
    join_list,
    text,
    verdict_word,
)


@pytest.mark.parametrize(
    ("value", "unit", "english", "japanese"),
    [
        (0.3642, "share", "36.4%", "36.4%"),
        (0.3642, "probability", "36.4%", "36.4%"),
        (1.0, "probability", ">99.9%", "99.9%超"),
        (0.9994, "probability", "99.9%", "99.9%"),
        (0.0004, "probability", "<0.1%", "0.1%未満"),
        (-0.0312, "pp", "-3.1 pp", "−3.1ポイント"),
        (31.26, "points", "31.3", "31.3"),
        (3.456, "score", "3.46", "3.46"),
        (0.5, "valence", "+0.50", "+0.50"),
        (1234567.4, "currency", "¥1,234,567", "1,234,567円"),
        (1234.0, "count", "1,234", "1,234"),
        (90, "days", "90", "90"),
        (6, "months", "6", "6"),
        (1.5, "ratio", "1.50", "1.50"),
        (0.00002, "number", "<0.001", "<0.001"),
        (2.5, "number", "2.5", "2.5"),
        (-36073.816, "number", "-36,074", "−36,074"),
        (272.421, "number", "272.4", "272.4"),
        (16.25, "number", "16.25", "16.25"),
        (0.1234, "number", "0.123", "0.123"),
        (dt.date(2026, 2, 28), "date", "Feb 28, 2026", "2026年2月28日"),
        ("2026-02-28", "date", "Feb 28, 2026", "2026年2月28日"),
        ("abc", "text", "abc", "abc"),
        (float("inf"), "months", "∞", "∞"),
    ],
)
def test_each_unit_is_written_as_the_language_writes_it(value, unit, english, japanese):
    assert format_value(value, unit, "en", currency="JPY") == english
    assert format_value(value, unit, "ja", currency="JPY") == japanese


@pytest.mark.parametrize("missing", [None, float("nan"), np.float64("nan"), pd.NA, pd.NaT])
@pytest.mark.parametrize("unit", UNITS)
def test_missing_is_a_dash_in_every_unit(missing, unit):
    assert is_missing(missing)
    assert format_value(missing, unit, "ja", currency="JPY") == "–"


def test_currency_decides_sign_and_decimals():
    assert format_value(-12.5, "currency", "en", currency="USD") == "-$12.50"
    assert format_value(12.5, "currency", "ja", currency="EUR") == "€12.50"
    assert format_value(-0.4, "currency", "ja", currency="JPY") == "0円"
    assert format_value(-0.4, "currency", "en", currency="JPY") == "¥0"
    assert format_value(12.5, "currency", "en") == "12.50"


def test_rounding_to_zero_leaves_no_sign_behind():
    assert format_value(-0.0001, "share") == "0.0%"
    assert format_value(-0.01, "points") == "0.0"
    assert format_value(-0.0001, "valence") == "0.00"
    assert format_value(0.0001, "pp") == "0.0 pp"


def test_intervals_dates_lists_and_verdicts():
    assert format_interval(-0.01, 0.02, "pp") == "-1.0 to +2.0"
    assert format_interval(float("nan"), 0.02, "pp") == "–"
    assert format_date(pd.Timestamp("2026-10-01T23:30+09:00"), "en") == "Oct 1, 2026"
    assert join_list(["a"]) == "a"
    assert join_list(["甲", "乙"], "ja") == "甲、乙"
    assert verdict_word("too_early") == "Too early"


@pytest.mark.parametrize(
    "hostile",
    [
        "\u202eevil\u202c",
        "zero\u200bwidth",
        "nul\x00",
        "bell\x07",
        "\ufeffbom",
        "\ud800lone",
        "\u2066iso\u2069",
    ],
)
def test_invisible_characters_become_visible(hostile):
    cleaned = clean_text(hostile)
    assert "\ufffd" in cleaned
    assert not any(mark in cleaned for mark in "\u202e\u202c\u200b\x00\x07\ufeff\ud800\u2066\u2069")
    cleaned.encode("utf-8")


def test_long_text_is_shortened_and_stays_on_one_line():
    assert clean_text("x" * 100_000) == "x" * 199 + "…"
    assert clean_text("a\r\nb\tc\u2028d") == "a  b c d"
    assert clean_text("ok 東京") == "ok 東京"


def test_placeholders_take_hostile_text_as_text():
    assert text("language.list_join", "en", first="{0.__class__}", last="{x}") == "{0.__class__} and {x}"


@pytest.mark.parametrize("locale", ["C", "ja_JP.UTF-8", "de_DE.UTF-8"])
def test_formats_do_not_depend_on_the_machine(locale):
    code = "from cxlib.language import *; print(ascii([format_value(1234.5,'score',l) for l in LANGUAGES]))"
    environment = {**os.environ, "LANG": locale, "LC_ALL": locale, "LANGUAGE": locale}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['1,234.50', '1,234.50']"


def test_every_entry_has_both_languages():
    assert all(set(templates) == set(LANGUAGES) for templates in catalogue().values())


def test_a_p_value_is_never_zero():
    shown = [format_value(number, "p_value") for number in (0.0, 1e-87, 0.00099, 0.001, 0.0449, 1.0)]
    assert shown == ["<0.001", "<0.001", "<0.001", "0.001", "0.045", "1"]


def test_values_of_the_data_have_words_where_the_contract_knows_them():
    assert data_words(["consumer", "business", "Hokkaido-Tohoku", "tea", None], "ja") == {
        "consumer": "個人",
        "business": "法人",
        "Hokkaido-Tohoku": "北海道・東北",
    }
    assert data_words([True, "False"], "en") == {True: "yes", "False": "no"}


def test_where_nothing_is_called_nearly_so_no_name_is_proposed():
    for key, templates in catalogue().items():
        for lang, template in templates.items():
            names = [name for _, name, *_ in string.Formatter().parse(template) if name]
            if "nearest" in names:
                said = text(key, lang, **dict.fromkeys(names, "x") | {"nearest": "–"})
                assert "–" not in said and not re.search(r"mean|earest|closest|候補|近い", said), said
                assert said, key
    said = text("exports.no_column", file="o.csv", column="a", nearest="–")
    assert said == "o.csv has no column `a`. Correct the name, `delimiter` or `skip` in the mapping."
