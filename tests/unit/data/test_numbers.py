"""A number is read when it can mean one thing only; the expected ones were written down by hand."""

import pytest

from cxlib.data.numbers import plain_number, styled_number

COMMA, POINT = {"thousands": ","}, {"thousands": ".", "decimal": ","}


@pytest.mark.parametrize(
    ("cell", "style", "number"),
    [
        ("1,234", COMMA, 1234),
        ("1,234,567.89", COMMA, 1_234_567.89),
        ("12.50", COMMA, 12.5),
        ("1234", COMMA, 1234),
        ("-1,234", COMMA, -1234),
        ("1.234,50", POINT, 1234.5),
        ("12,5", POINT, 12.5),
        ("1.234", POINT, 1234),
        ("1,5", {"decimal": ","}, 1.5),
        ("1 234 567", {}, 1_234_567),
        ("1\u00a0234,5", {"decimal": ","}, 1234.5),
        ("1\u202f234", {}, 1234),
        ("1'234.50", {"thousands": "'"}, 1234.5),
        ("1’234", {"thousands": "'"}, 1234),
        ("１，２３４．５", {"thousands": "，"}, 1234.5),
        ("￥12,800", {**COMMA, "symbols": ["¥"]}, 12_800),
        ("¥12,800", {**COMMA, "symbols": ["￥"]}, 12_800),
        ("４，５００円", {**COMMA, "symbols": ["円"]}, 4500),
        ("-¥500", {"symbols": ["¥"]}, -500),
        ("¥-500", {"symbols": ["¥"]}, -500),
        ("EUR 5", {"symbols": ["EUR"]}, 5),
        ("(1,234)", {**COMMA, "negative": "parentheses"}, -1234),
        ("（１２）", {"negative": "parentheses"}, -12),
        ("(¥5)", {"symbols": ["¥"], "negative": "parentheses"}, -5),
        ("▲1,280", {**COMMA, "negative": "triangle"}, -1280),
        ("△3", {"negative": "triangle"}, -3),
        ("−4", {}, -4),
        ("1.2e3", {}, 1200),
        (".5", {}, 0.5),
        ("5.", {}, 5),
        ("0012", {}, 12),
    ],
)
def test_numbers_in_their_declared_style(cell, style, number):
    assert float(styled_number(cell, **style)) == number


@pytest.mark.parametrize(
    ("cell", "style"),
    [
        ("12,50", COMMA),
        ("1,2,3", COMMA),
        ("1,23,456", COMMA),
        ("12,34,567", COMMA),
        ("1234,567", COMMA),
        ("0,123", COMMA),
        (",123", COMMA),
        ("1,,234", COMMA),
        ("1,234,", COMMA),
        ("1,2345", COMMA),
        ("1.234,50", COMMA),
        ("1,234.5,6", COMMA),
        ("1,234 567", COMMA),
        ("１２，５０", COMMA),
        ("¥12,50", {**COMMA, "symbols": ["¥"]}),
        ("(12,50)", {**COMMA, "negative": "parentheses"}),
        ("12.50", POINT),
        ("1,234.50", POINT),
        ("1.23.4", POINT),
        ("12'50", {"thousands": "'"}),
        ("1 2 3", {}),
        ("12 34", {}),
        ("1234 567", {}),
        ("1,234", {}),
        ("1.5", {"decimal": ","}),
        ("1.234.567", {}),
        ("¥5", {}),
        ("1¥2", {"symbols": ["¥"]}),
        ("12%", {}),
        ("--5", {}),
        ("5-", {}),
        ("(5)", {}),
        ("(-5)", {"negative": "parentheses"}),
        ("(5", {"negative": "parentheses"}),
        ("▲5", {}),
        ("▲-5", {"negative": "triangle"}),
        ("①", {}),
        ("5²", {}),
        ("½", {}),
        ("٣", {}),
        ("1_000", {}),
        ("0x10", {}),
        ("１２３万", {}),
        ("1e", {}),
        ("", {}),
        ("-", {}),
        (".", {}),
    ],
)
def test_what_could_mean_two_things_or_none_is_no_number(cell, style):
    assert styled_number(cell, **style) is None


@pytest.mark.parametrize(
    ("cell", "plain"),
    [("12", "12"), (" −１２.5 ", "-12.5"), ("+5", "+5"), ("1e3", "1e3"), ("-inf", "-inf")]
    + [(cell, None) for cell in ("1,200", "1_000", "①", "0x1", "1 000", "¥5", "٣", "1.2.3", "e5", "True")],
)
def test_numbers_without_a_style_are_plain(cell, plain):
    assert plain_number(cell) == plain
