"""Survival and emotion curves cost little more than the bare counting they rest on, as ratios in one run."""

import os
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from cxlib.data.text_type import TEXT
from cxlib.journey.curve import emotion_curve
from cxlib.journey.second_purchase.days_between import repeat_times
from cxlib.journey.second_purchase.f2_curve import repeat_curve
from cxlib.stats.survival.kaplan_meier import survival_curve

pytestmark = pytest.mark.benchmark


def fastest(function, times):
    seconds = []
    for _ in range(times):
        begun = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


def test_survival_of_a_million_customers_within_two_times_of_bare_numpy():
    rng = np.random.default_rng(0)
    people = pd.DataFrame({"days": rng.integers(0, 700, 1_000_000), "bought": rng.random(1_000_000) < 0.5})

    def bare():
        days, bought = people["days"].to_numpy(), people["bought"].to_numpy()
        leaving, events = np.bincount(days), np.bincount(days[bought])
        return np.cumprod(1 - events / (days.size - np.cumsum(leaving) + leaving))

    ours = fastest(lambda: survival_curve(people, duration_col="days", event_col="bought"), 7)
    assert ours <= 2 * fastest(bare, 7)


def test_emotion_curve_of_ten_million_events_within_two_times_of_the_bare_group_by():
    rng, n = np.random.default_rng(0), 10_000_000
    stages = list("abcdefgh")
    events = pd.DataFrame(
        {
            "customer_id": pd.Series(rng.integers(0, n // 10, n)).astype(TEXT),
            "stage": pd.Series(np.array(stages)[rng.integers(0, 8, n)]).astype(TEXT),
            "valence": rng.integers(-2, 3, n).astype(float),
        }
    )
    bare = fastest(lambda: events.groupby(["customer_id", "stage"])["valence"].agg(["sum", "count"]), 1)
    assert fastest(lambda: emotion_curve(events, stage_order=stages), 1) <= 2 * bare


@pytest.fixture(scope="module")
def shop():
    """Order lines of a million customers, of whom 45 % bought twice, in no order."""
    rng, n = np.random.default_rng(0), 1_000_000
    again = np.flatnonzero(rng.random(n) < 0.45)
    first = rng.integers(0, 700, n)
    who = np.concatenate([np.arange(n), again])
    day = np.concatenate([first, first[again] + rng.integers(1, 400, again.size)])
    order = rng.permutation(who.size)
    ids = pd.Series(who[order]).astype(TEXT).str.zfill(8)
    return pd.DataFrame(
        {"customer_id": ids, "ordered_at": (np.datetime64("2024-01-01") + day[order]).astype("M8[us]")}
    )


def test_repeat_curve_of_a_million_customers_within_two_times_of_bare_numpy(shop):
    last = int(np.datetime64("2026-06-01").astype(np.int64))

    def bare():
        code = pd.factorize(shop["customer_id"])[0]
        day = shop["ordered_at"].to_numpy().astype("datetime64[D]").astype(np.int64)
        first, second = np.full(code.max() + 1, last), np.full(code.max() + 1, last)
        np.minimum.at(first, code, day)
        later = day > first[code]
        np.minimum.at(second, code[later], day[later])
        days, bought = second - first, second < last
        leaving, events = np.bincount(days), np.bincount(days[bought])
        at_risk = days.size - np.cumsum(leaving) + leaving
        return 1 - np.cumprod(1 - events / at_risk[: events.size])

    ours = fastest(lambda: repeat_curve(shop, as_of="2026-06-01"), 3)
    other = fastest(bare, 3)
    print(f"repeat_curve: {ours:.2f} s, bare numpy {other:.2f} s")
    assert ours <= 2 * other


LIFELINES = """
import sys, time
import numpy as np
from lifelines import KaplanMeierFitter
data = np.load(sys.argv[1])
seconds = []
for _ in range(3):
    begun = time.perf_counter()
    KaplanMeierFitter().fit(data["days"], data["bought"])
    seconds.append(time.perf_counter() - begun)
print(min(seconds))
"""


def test_survival_curve_at_least_five_times_as_fast_as_lifelines(shop, tmp_path):
    """lifelines may live elsewhere: CX_LIFELINES_PYTHON names the Python that has it."""
    python = os.environ.get("CX_LIFELINES_PYTHON", sys.executable)
    if subprocess.run([python, "-c", "import lifelines"], capture_output=True, check=False).returncode:
        pytest.skip("lifelines is not installed for the Python in CX_LIFELINES_PYTHON")
    times = repeat_times(shop, as_of="2026-06-01")
    np.savez(tmp_path / "spells.npz", days=times["duration_days"], bought=times["is_repeat"])
    run = [python, "-c", LIFELINES, str(tmp_path / "spells.npz")]
    other = float(subprocess.run(run, capture_output=True, check=True, text=True).stdout)
    ours = fastest(lambda: survival_curve(times, duration_col="duration_days", event_col="is_repeat"), 5)
    print(f"survival_curve: {ours:.3f} s, lifelines {other:.3f} s")
    assert 5 * ours <= other
