"""A verdict rests on limits as they are shown, whatever the unit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxlib.language import UNITS, format_value, shown_number
from cxlib.stats.verdicts import UNDECIDED, limits_side, limits_verdict

NUMERIC = [unit for unit in UNITS if unit not in ("date", "text", "probability", "p_value")]


@pytest.mark.parametrize(
    ("unit", "low", "expected"),
    [
        ("pp", 0.0003, 0),  # +0.0 pp
        ("pp", 0.0006, 1),  # +0.1 pp
        ("share", 0.0004, 0),  # 0.0%
        ("share", 0.0006, 1),
        ("points", 0.04, 0),
        ("score", 0.004, 0),
        ("score", 0.006, 1),
        ("ratio", 0.004, 0),
        ("number", 0.0004, 1),  # shown as <0.001, which is not zero
    ],
)
def test_a_limit_that_is_shown_as_zero_carries_no_verdict(unit, low, expected):
    assert limits_side(low, 1, unit=unit) == expected
    assert limits_side(-1, -low, unit=unit) == -expected


@pytest.mark.parametrize(("currency", "expected"), [("JPY", 0), ("EUR", 1), (None, 1)])
def test_the_currency_sets_the_precision_of_money(currency, expected):
    assert limits_side(0.4, 900, unit="currency", currency=currency) == expected


def test_a_limit_shown_as_the_value_a_rule_asks_for_is_not_beyond_it():
    assert limits_side(0.3004, 0.4, null=0.3, unit="share") == 0  # 30.0%
    assert limits_side(0.3006, 0.4, null=0.3, unit="share") == 1
    assert limits_side(1.004, 1.2, null=1, unit="ratio") == 0


def test_missing_limits_decide_nothing():
    assert limits_side([np.nan, np.nan], [0.2, np.nan]).tolist() == [0, 0]
    assert limits_side([np.nan, 0.1], [-0.2, np.nan]).tolist() == [
        -1,
        1,
    ]
    assert limits_verdict(np.nan, np.nan) == UNDECIDED


def test_no_end_to_an_interval_is_beyond_any_value():
    assert limits_side(2, np.inf) == 1
    assert limits_side(-np.inf, np.inf) == 0


def test_each_side_has_its_own_word_in_rows_and_alone():
    words = {"above": "risen", "below": "fallen"}
    assert limits_verdict([1, -2, -1], [2, -1, 1], **words).tolist() == ["risen", "fallen", UNDECIDED]
    assert limits_verdict(-2, -1, **words) == "fallen"


@given(
    st.floats(-2_000, 2_000, allow_subnormal=False),
    st.sampled_from(NUMERIC),
    st.sampled_from(["JPY", "USD"]),
)
def test_a_number_counts_as_zero_just_where_it_is_shown_as_zero(number, unit, currency):
    money = {"currency": currency} if unit == "currency" else {}
    written = format_value(number, unit, **money)
    zero = written == format_value(0, unit, **money)
    assert (shown_number(number, unit, **money) == 0) == zero
