"""What the journey chapter claims: both signs, undecided, too few."""

import numpy as np
import pandas as pd
import pytest

from cxlib.journey.claims import valley_cost


def after(low, high, *, n=(100, 90), estimate=None):
    gap = (low + high) / 2 if estimate is None else estimate
    return pd.DataFrame(
        {
            "metric": ["f2", "f2", "difference", "purchases"],
            "group": ["negative", "other", "negative", "negative"],
            "estimate": [0.1, 0.1 - gap, gap, gap * n[0]],
            "conf_low": [0.0, 0.0, low, low * n[0]],
            "conf_high": [0.2, 0.2, high, high * n[0]],
            "n": [*n, sum(n), n[0]],
        }
    )


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.3, -0.1, "fewer"),
        (0.1, 0.3, "more"),
        (-0.1, 0.1, "no_difference_shown"),
        (-0.2, -0.0004, "no_difference_shown"),  # a limit that reads 0.0 does not lie beyond zero
    ],
)
def test_the_cost_of_a_valley_is_claimed_on_the_side_its_limits_lie(low, high, verdict):
    told = valley_cost(after(low, high), stage="decide", days=180)
    assert (told["verdict"], told["note"]) == (verdict, "")
    assert told["purchases"] >= 0 and told["n"] == 100


def test_too_few_or_no_estimate_say_why():
    assert valley_cost(after(-0.3, -0.1, n=(9, 90)), stage="decide", days=180)["note"] == "unknown"
    assert valley_cost(after(-0.3, -0.1, estimate=np.nan), stage="decide", days=180)["note"] == "unknown"
