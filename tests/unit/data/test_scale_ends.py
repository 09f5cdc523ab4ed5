"""Another scale than the declared one shows at the ends of the answers, and seldom by chance."""

import numpy as np
import pandas as pd
import pytest

from cxlib.data.scale_ends import doubted_ends, expected_next

#: Shapes of full 0–10 scales: zeros as common as ones or more, and two thin lower tails of the sample.
FULL = {
    "piled": [3, 1, 1.5, 2, 2, 7, 7, 14, 22, 17, 23.5],
    "even_tail": [2, 2, 2, 3, 3, 8, 8, 14, 20, 18, 20],
    "few_critics": [0.3, 0.2, 0.3, 0.5, 0.7, 2, 3, 11, 24, 26, 32],
    "thin": [1, 7, 7, 54, 86, 199, 325, 506, 617, 551, 789],
}
SHORT = {"even": [1] * 10, "some": [4, 4, 4, 4, 8, 8, 14, 20, 16, 18]}


def drawn(shape, n, rng, first=0):
    share = np.array(shape, dtype=float)
    return first + rng.choice(len(share), n, p=share / share.sum())


def test_one_to_ten_taken_for_zero_to_ten_is_noticed_at_fifty_answers():
    assert doubted_ends(list(range(1, 11)) * 5, (0, 10)) == (True, False)
    assert doubted_ends(list(range(1, 11)) * 4, (0, 10)) == (False, False)


def test_one_zero_is_enough_to_believe_the_scale():
    assert doubted_ends([0, *range(1, 11)] * 5, (0, 10)) == (False, False)
    assert doubted_ends([0, *list(range(1, 11)) * 40], (0, 10)) == (False, False)


@pytest.mark.parametrize("top", [5, 7])
def test_a_shorter_scale_taken_for_zero_to_ten_is_noticed_at_both_ends(top):
    assert doubted_ends(list(range(1, top + 1)) * 12, (0, 10)) == (True, True)


def test_one_to_five_declared_as_one_to_seven_is_noticed():
    assert doubted_ends([5] * 32 + [4] * 40 + [3] * 20 + [2] * 6 + [1] * 2, (1, 7)) == (False, True)


def test_content_customers_are_no_reason_to_doubt():
    assert doubted_ends([7, 8, 9, 10] * 50, (0, 10)) == (False, False)
    assert doubted_ends([9, 10] * 500, (0, 10)) == (False, False)
    assert doubted_ends([4, 5, 5, 5] * 100 + [3] * 9, (1, 5)) == (False, False)


@pytest.mark.parametrize("shape", FULL)
def test_a_full_scale_is_seldom_doubted(shape):
    rng = np.random.default_rng(3)
    for n, most in ((50, 0.09), (150, 0.05), (500, 0.07)):
        rate = np.mean([any(doubted_ends(drawn(FULL[shape], n, rng), (0, 10))) for _ in range(500)])
        assert rate <= most, (n, rate)


def test_a_short_scale_is_found_the_more_often_the_more_answers_there_are():
    rng = np.random.default_rng(4)
    found = {
        (name, n): np.mean([doubted_ends(drawn(SHORT[name], n, rng, 1), (0, 10))[0] for _ in range(300)])
        for name in SHORT
        for n in (50, 100, 200, 400)
    }
    assert found["even", 50] > 0.7 and found["even", 100] > 0.9 and found["some", 200] > 0.8
    assert found["some", 400] > 0.95


def test_the_box_before_the_first_is_carried_on():
    assert expected_next([0, 8, 16, 32, 64, 80, 90, 100, 100, 90, 80]) == pytest.approx(24 * 0.25 / 1.5)
    assert expected_next([3, 8, 16]) == 0 == expected_next([0, 0, 0])


def test_missing_answers_count_for_nothing():
    assert doubted_ends(pd.Series([*list(range(1, 11)) * 5, *[np.nan] * 50]), (0, 10)) == (True, False)
