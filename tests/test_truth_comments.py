"""Planted topics of simulated answers: their effect on NPS is covered, and without effects none is named."""

import numpy as np
import pandas as pd
import pytest

from cxlib.samples.comments import codings_table, comment_texts, draw_comments, topic_chances
from cxlib.samples.settings import TOPICS, Truth
from cxlib.voice.topics.agreement import topic_agreement
from cxlib.voice.topics.coding import code_comments
from cxlib.voice.topics.impact import topic_impact

MIX, WORTH = np.array([0.35, 0.30, 0.35]), np.array([100.0, 0.0, -100.0])


def company(seed, truth, n=2400, people=1800):
    """Answers that all comment, several of a customer alike; and what each is truly about."""
    rng = np.random.default_rng(seed)
    who = rng.integers(0, people, n)
    latent = rng.normal(size=people)[who] + rng.normal(size=n)
    low, high = -0.545, 0.545  # 35 % on either side of a normal with variance two
    score = np.where(latent > high, 9.0, np.where(latent > low, 7.0, 4.0))
    said = draw_comments(rng, np.c_[score, np.full(n, np.nan)], truth)
    said = type(said)(**{**vars(said), "is_comment": np.ones(n, dtype=bool)})
    data = pd.DataFrame({"response_id": np.arange(n), "customer_id": who, "nps_score": score})
    data["comment"] = comment_texts(rng, said, rng.random(n) < 0.5)
    row, topic = np.nonzero(said.mentions())
    names = np.array(TOPICS, dtype=object)
    return data, pd.DataFrame({"response_id": row, "topic": names[topic]}), codings_table(rng, said, truth)


def true_impact(truth):
    """NPS of all less that of those not on each topic, by the planted chances."""
    rest = MIX[:, None] * (1 - topic_chances(truth))
    return dict(zip(TOPICS, MIX @ WORTH - WORTH @ rest / rest.sum(axis=0), strict=True))


def covered(seeds, truth, *, by_rule):
    wanted, hits = true_impact(truth), []
    for seed in seeds:
        data, planted, _ = company(seed, truth)
        found = topic_impact(data, code_comments(data) if by_rule else planted)
        own = found[found["metric"] == "impact"].set_index("topic")
        hits.append([own.loc[one, "conf_low"] <= wanted[one] <= own.loc[one, "conf_high"] for one in TOPICS])
    return np.mean(hits, axis=0)


def named(seeds, truth, *, by_rule):
    any_named = 0
    for seed in seeds:
        data, planted, _ = company(seed, truth)
        found = topic_impact(data, code_comments(data) if by_rule else planted)
        any_named += found.loc[found["metric"] == "impact", "verdict"].isin(["lifts", "lowers"]).any()
    return any_named / len(seeds)


def flat():
    return Truth(topic_weights={group: tuple([1.0] * len(TOPICS)) for group in Truth().topic_weights})


def test_the_codebook_finds_planted_topics_and_their_effects():
    data, planted, codings = company(1, Truth())
    found = code_comments(data)
    both = found.merge(planted)
    assert 2 * len(both) / (len(found) + len(planted)) > 0.93
    wanted, own = (
        true_impact(Truth()),
        topic_impact(data, found).query("metric == 'impact'").set_index("topic"),
    )
    assert own.loc["quality", "verdict"] == "lifts" and own.loc["delivery", "verdict"] == "lowers"
    for topic in ("quality", "delivery", "price"):
        assert own.loc[topic, "conf_low"] <= wanted[topic] <= own.loc[topic, "conf_high"]
    codings["response_id"] = codings["response_id"].str.lstrip("R0").astype(int) - 1
    agreed = topic_agreement(codings, found, topics=TOPICS).set_index(["topic", "metric"])["estimate"]
    assert agreed.xs("alpha_rule", level="metric").min() > 0.7


@pytest.mark.long
@pytest.mark.parametrize("by_rule", [False, True])
def test_planted_effects_are_covered_in_200_companies(by_rule):
    shares = covered(range(1000, 1200), Truth(), by_rule=by_rule)
    assert 0.905 <= shares.mean() <= 0.985
    assert shares.min() >= 0.88 and shares.max() <= 1.0


@pytest.mark.long
@pytest.mark.parametrize("by_rule", [False, True])
def test_without_effects_a_topic_is_rarely_named_in_200_companies(by_rule):
    assert named(range(5000, 5200), flat(), by_rule=by_rule) <= 0.09
