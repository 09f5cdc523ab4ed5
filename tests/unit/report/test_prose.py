"""Sentences write some numbers otherwise than tables do."""

import pytest

from cxlib.initiatives import percent
from cxlib.language import format_value
from cxlib.report.column_units import COLUMN_UNITS
from cxlib.report.layout import format_level
from cxlib.report.prose import told_value


@pytest.mark.parametrize(
    ("yen", "japanese"),
    [
        (99_999, "99,999円"),
        (154_321, "15.4万円"),
        (999_400, "99.9万円"),
        (999_600, "100万円"),
        (21_416_423, "2,142万円"),
        (-1_101_722, "−110万円"),
        (99_999_999, "1億円"),
        (120_599_099, "1億2,060万円"),
        (float("nan"), "–"),
        (float("inf"), "∞"),
    ],
)
def test_japanese_sentences_count_yen_in_units_of_ten_thousand(yen, japanese):
    assert told_value(yen, "currency", "ja", currency="JPY") == japanese


@pytest.mark.parametrize(
    ("lang", "currency", "unit"),
    [("en", "JPY", "currency"), ("ja", "USD", "currency"), ("ja", "JPY", "count")],
)
def test_everything_else_is_written_as_in_tables(lang, currency, unit):
    told = told_value(1_234_567, unit, lang, currency=currency)
    assert told == format_value(1_234_567, unit, lang, currency=currency)


@pytest.mark.parametrize(("level", "told"), [(0.8, "80%"), (0.95, "95%"), (0.995, "99.5%"), (1 - 0.8, "20%")])
def test_a_level_is_written_in_one_way_everywhere(level, told):
    shown = {
        format_value(level, COLUMN_UNITS[name], "ja") for name in ("level_share", "miss_share", "power_share")
    }
    assert shown | {format_level(level, "en"), percent(level)} == {told}
