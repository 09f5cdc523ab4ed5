"""Do the survey estimators find what is planted? Many simulated surveys, every truth against its interval.

The seeds are fixed. In 100 surveys a 95 % interval holds its truth in 90 or more with a probability of 99 %,
and it is as wide as the estimates scatter: an interval that never misses says nothing.
"""

import numpy as np
import pandas as pd
import pytest

import cxlib as cx

pytestmark = pytest.mark.slow

SEEDS = range(100)
ENOUGH, ALL = 90, 100
DRIVERS = ["driver_quality", "driver_support", "driver_price"]
WEIGHTS = np.array([1.0, 0.6, 0.2])
SCORES = {"a": (0.1, 0.3, 0.6), "b": (0.5, 0.3, 0.2)}


def interval(row, name="estimate"):
    """Lower limit, estimate and upper limit of a row of a result."""
    before = "" if name in ("estimate", "importance") else f"{name}_"
    return row[f"{before}conf_low"], row[name], row[f"{before}conf_high"]


def assert_right_and_no_wider(found, truth):
    """Intervals of 100 surveys hold the truth often enough and are as wide as the estimates scatter.

    `found` has lower limit, estimate and upper limit of each survey. The mean width over 3.92 standard
    deviations of the estimates has an error of 7 % itself.
    """
    low, estimate, high = np.array(found).T
    held, ratio = (
        ((low <= truth) & (truth <= high)).sum(),
        (high - low).mean() / (3.92 * estimate.std(ddof=1)),
    )
    assert len(found) == ALL and held >= ENOUGH, held
    assert 0.8 <= ratio <= 1.25, ratio


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
    found = {name: [] for name in truth}
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        before, after = wave(rng, 600, 0.8), wave(rng, 600, 0.5, 0.05)
        for row in cx.mix_rate(before, after, by="g", customer_id_col="customer_id").to_dict("records"):
            found[row["metric"]].append(interval(row))
    for name, each in found.items():
        assert_right_and_no_wider(each, truth[name])


def first_and_last_wave(seed):
    """Rate, mix and total of one simulated company between its first and its last wave, with intervals."""
    company = cx.make_company(n_customers=4000, seed=seed)
    answers = cx.survey_answers(company["responses"], company["customers"], by="acquisition_channel")
    answers = answers.dropna(subset=["acquisition_channel"])
    before, after = (answers[answers["wave"] == each] for each in ("2024Q4", "2026Q3"))
    split = cx.mix_rate(before, after, by="acquisition_channel", customer_id_col="customer_id")
    return {row["metric"]: interval(row) for row in split.to_dict("records")}


@pytest.mark.long
def test_mix_shift_of_the_simulated_company():
    """Customers of cheaper channels become more and no channel's NPS moves: all of the change is mix.

    Who was invited is part of the chance, so the truth is that of a company without it: a very large one.
    Answers of one customer in both waves belong together.
    """
    by_wave = cx.make_company_with_truth(n_customers=100_000, seed=0)[1]["nps"]["by_wave"]
    shift = by_wave["2026Q3"] - by_wave["2024Q4"]
    assert shift < -2
    found = [first_and_last_wave(seed) for seed in SEEDS]
    for name, truth in {"rate": 0.0, "mix": shift, "total": shift}.items():
        assert_right_and_no_wider([each[name] for each in found], truth)


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
    estimates, first = {driver: [] for driver in DRIVERS}, 0
    for seed in SEEDS:
        found = cx.driver_importance(survey(np.random.default_rng(seed), 400), **asked, n_boot=300, seed=seed)
        for row in found.to_dict("records"):
            estimates[row["driver"]].append(interval(row, "importance"))
        first += found["driver"][0] == "driver_quality"
    for driver, each in estimates.items():
        assert_right_and_no_wider(each, truth[driver])
    assert first >= 97


def test_penalties_and_rewards_that_a_straight_line_calls_the_same():
    planted = {"basic": (-2.0, 0.1), "performance": (-1.0, 1.0), "excitement": (-0.2, 1.5)}
    estimates, named = {(name, side): [] for name in planted for side in ("penalty", "reward")}, 0
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        gap = pd.DataFrame(rng.integers(-1, 2, (900, 3)), columns=list(planted))
        effect = sum(np.where(gap[n] < 0, p, 0) + np.where(gap[n] > 0, r, 0) for n, (p, r) in planted.items())
        gap["score"] = 5 + effect + rng.normal(0, 1, 900)
        found = cx.penalty_reward(gap, outcome_col="score", driver_cols=list(planted), low=-1, high=1)
        for row in found.to_dict("records"):
            for side in ("penalty", "reward"):
                estimates[row["driver"], side].append(interval(row, side))
        named += found["label"].tolist() == list(planted)
    for (driver, side), each in estimates.items():
        assert_right_and_no_wider(each, planted[driver][side == "reward"])
    assert named >= ENOUGH
