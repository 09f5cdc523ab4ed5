"""Survival and emotion curves cost little more than the bare counting they rest on, as ratios in one run."""

import time

import numpy as np
import pandas as pd
import pytest

from cxlib.journey import emotion_curve
from cxlib.survival import survival_curve

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
            "customer_id": pd.Series(rng.integers(0, n // 10, n)).astype("str"),
            "stage": pd.Series(np.array(stages)[rng.integers(0, 8, n)]).astype("str"),
            "valence": rng.integers(-2, 3, n).astype(float),
        }
    )
    bare = fastest(lambda: events.groupby(["customer_id", "stage"])["valence"].agg(["sum", "count"]), 1)
    assert fastest(lambda: emotion_curve(events, stage_order=stages), 1) <= 2 * bare
