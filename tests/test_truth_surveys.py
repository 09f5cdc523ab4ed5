"""Do the survey estimators find what is planted? Many simulated surveys, every truth against its interval.

The seeds are fixed. In 100 surveys a 95 % interval holds its truth in 90 or more with a probability of 99 %.
"""

import numpy as np
import pandas as pd
import pytest

import cxlib as cx

pytestmark = pytest.mark.slow

SEEDS = range(100)
ENOUGH = 90
DRIVERS = ["driver_quality", "driver_support", "driver_price"]
WEIGHTS = np.array([1.0, 0.6, 0.2])
SCORES = {"a": (0.1, 0.3, 0.6), "b": (0.5, 0.3, 0.2)}


def wave(rng, n, share_a, shift=0.0):
    """Answers of two groups with NPS 50 and -30; `shift` moves detractors to passives in group a."""
    group = np.where(rng.random(n) < share_a, "a", "b")
    (d, p, r), other = SCORES["a"], SCORES["b"]
    chances = {"a": (d - shift, p + shift, r), "b": other}
    score = [rng.choice([3, 7, 10], p=chances[name]) for name in group]
    return pd.DataFrame({"g": group, "nps_score": score, "customer_id": [f"{rng.random()}" for _ in group]})


def test_mix_and_rate_of_a_planted_shift():
    """The share of group a falls from .8 to .5 while its NPS rises by 5: mix -24.75, rate +3.25."""
    truth = {"rate": 0.5 * (0.8 + 0.5) * 5, "mix": -0.3 * 0.5 * ((50 + 55) - 2 * -30)}
    truth["total"] = truth["rate"] + truth["mix"]
    held = dict.fromkeys(truth, 0)
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        before, after = wave(rng, 600, 0.8), wave(rng, 600, 0.5, 0.05)
        for row in cx.mix_rate(before, after, by="g", customer_id_col="customer_id").to_dict("records"):
            held[row["metric"]] += row["conf_low"] <= truth[row["metric"]] <= row["conf_high"]
    assert min(held.values()) >= ENOUGH, held


def survey(rng, n):
    """Correlated five-box items; the score falls short of a sum of them by noise."""
    latent = rng.normal(size=(n, 3)) + 0.8 * rng.normal(size=(n, 1))
    items = np.clip(np.round(3 + latent), 1, 5)
    score = np.clip(np.round(2 + items @ WEIGHTS + rng.normal(0, 1.2, n)), 0, 10)
    return pd.DataFrame(items, columns=DRIVERS).assign(nps_score=score)


def test_shares_of_drivers_and_their_order():
    asked = {"outcome_col": "nps_score", "driver_cols": DRIVERS}
    large = cx.driver_importance(survey(np.random.default_rng(1_000_000), 1_000_000), **asked)
    truth = large.set_index("driver")["importance"]
    held, first = dict.fromkeys(DRIVERS, 0), 0
    for seed in SEEDS:
        found = cx.driver_importance(survey(np.random.default_rng(seed), 400), **asked, n_boot=300, seed=seed)
        for row in found.to_dict("records"):
            held[row["driver"]] += row["conf_low"] <= truth[row["driver"]] <= row["conf_high"]
        first += found["driver"][0] == "driver_quality"
    assert min(held.values()) >= ENOUGH, held
    assert first >= 97


def test_penalties_and_rewards_that_a_straight_line_calls_the_same():
    planted = {"basic": (-2.0, 0.1), "performance": (-1.0, 1.0), "excitement": (-0.2, 1.5)}
    held, named = {(name, side): 0 for name in planted for side in ("penalty", "reward")}, 0
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        gap = pd.DataFrame(rng.integers(-1, 2, (900, 3)), columns=list(planted))
        effect = sum(np.where(gap[n] < 0, p, 0) + np.where(gap[n] > 0, r, 0) for n, (p, r) in planted.items())
        gap["score"] = 5 + effect + rng.normal(0, 1, 900)
        found = cx.penalty_reward(gap, outcome_col="score", driver_cols=list(planted), low=-1, high=1)
        for row in found.to_dict("records"):
            for side, truth in zip(("penalty", "reward"), planted[row["driver"]], strict=True):
                inside = row[f"{side}_conf_low"] <= truth <= row[f"{side}_conf_high"]
                held[row["driver"], side] += inside
        named += found["label"].tolist() == list(planted)
    assert min(held.values()) >= ENOUGH, held
    assert named >= ENOUGH
