"""What customers write: topics by how satisfied they are, praise and blame, negations, slips; two coders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cxlib.data.text_type import FROM_ARROW
from cxlib.language import catalogue
from cxlib.samples.columns import ids, words
from cxlib.samples.settings import ANSWER_GROUPS, TOPICS, Truth

COMMENT_SHARE = 0.25
NO_TOPIC, SECOND_TOPIC = 0.08, 0.45  # of comments, and of those with a topic
PRAISE = (0.90, 0.55, 0.12)  # share of praise, by group of answers
TONES, VARIANTS = ("good", "bad"), 4  # the last variant of each is a negation
FRAMES = 7  # openings, and closings
NOTHINGS = 4
SLIP_SHARE = 0.08
CODED = 300
CODERS = ("A", "B")


@dataclass(frozen=True)
class Said:
    """What each answer says: two topics and tones at most; kept together from the draw to the words.

    A topic is -1 where there is none; a tone is 0 for praise, 1 for blame.
    """

    is_comment: np.ndarray
    is_asked: np.ndarray
    group: np.ndarray
    topics: np.ndarray
    tones: np.ndarray
    opens: np.ndarray
    closes: np.ndarray

    def mentions(self) -> np.ndarray:
        """Whether each answer's comment is about each topic."""
        found = (self.topics[:, :, None] == np.arange(len(TOPICS))).any(axis=1)
        return found & self.is_comment[:, None]


def draw_comments(rng: np.random.Generator, answers: np.ndarray, truth: Truth) -> Said:
    """Draw who comments, and about what; answers are `nps_score`, `csat_score` and further columns.

    Who was not asked for a recommendation counts by satisfaction, two points for one.
    """
    n = len(answers)
    asked = ~np.isnan(answers[:, 0])
    score = np.where(asked, answers[:, 0], 2 * answers[:, 1])
    group = np.where(score >= 9, 0, np.where(score >= 7, 1, 2))
    drawn = rng.random((n, 5))
    weights = topic_weights(truth)[group]
    first = (drawn[:, :1] > weights.cumsum(axis=1)).sum(axis=1).clip(max=len(TOPICS) - 1)
    weights[np.arange(n), first] = 0.0
    limits = weights.cumsum(axis=1)
    second = (drawn[:, 1:2] * limits[:, -1:] > limits).sum(axis=1).clip(max=len(TOPICS) - 1)
    first = np.where(drawn[:, 2] < NO_TOPIC, -1, first)
    goes_on = (first >= 0) & (drawn[:, 2] < NO_TOPIC + SECOND_TOPIC * (1 - NO_TOPIC))
    opens, closes = rng.integers(0, 2, n) > 0, rng.integers(0, 3, n) > 0
    return Said(
        is_comment=rng.random(n) < COMMENT_SHARE,
        is_asked=asked,
        group=group,
        topics=np.column_stack([first, np.where(goes_on, second, -1)]),
        tones=(drawn[:, 3:] > np.array(PRAISE)[group, None]).astype(int),
        opens=opens,
        closes=closes,
    )


def topic_weights(truth: Truth) -> np.ndarray:
    """Probability of the first topic, by group of answers."""
    weights = np.array([truth.topic_weights[group] for group in ANSWER_GROUPS])
    return weights / weights.sum(axis=1, keepdims=True)


def topic_chances(truth: Truth) -> np.ndarray:
    """Probability that a comment is about each topic, first or second, by group of answers."""
    weights = topic_weights(truth)
    after = weights / (1 - weights)
    second = weights * (after.sum(axis=1, keepdims=True) - after)
    return (1 - NO_TOPIC) * (weights + SECOND_TOPIC * second)


def comment_texts(rng: np.random.Generator, said: Said, english: np.ndarray) -> pd.Series:
    """Put into words what is said; missing where nothing is."""
    texts = np.full(len(english), None, dtype=object)
    variant = rng.integers(0, VARIANTS, (len(english), 2))
    frames = rng.integers(0, FRAMES, (len(english), 2))
    for lang, rows in (("en", english), ("ja", ~english)):
        at = np.flatnonzero(rows & said.is_comment)
        texts[at] = _worded(said, variant[at], frames[at], at, lang)
    slips = np.flatnonzero(said.is_comment & (rng.random(len(english)) < SLIP_SHARE))
    place = rng.random(len(slips))
    for row, part in zip(slips, place, strict=True):
        letter = int(part * (len(texts[row]) - 2)) + 1
        texts[row] = texts[row][:letter] + texts[row][letter + 1 :]
    return pd.Series(pa.array(texts, pa.large_string()).to_pandas(types_mapper=FROM_ARROW))


def _worded(said: Said, variant: np.ndarray, frames: np.ndarray, at: np.ndarray, lang: str) -> np.ndarray:
    """Join opening, one or two clauses and closing, in one language."""
    told = catalogue()
    gap = " " if lang == "en" else ""

    def vocabulary(names: list[str]) -> pa.Array:
        return pa.array([f"{told[f'samples.comment.{name}'][lang]}{gap}" for name in names])

    clauses = vocabulary([f"{a}_{b}_{c + 1}" for a in TOPICS for b in TONES for c in range(VARIANTS)])
    later = pa.array(
        [text if text[:2] == "I " else text[0].lower() + text[1:] for text in clauses.to_pylist()]
    )
    links = pa.array([told[f"samples.comment.{name}"][lang] for name in ("also", "however")])
    nothing = vocabulary([f"nothing_{number + 1}" for number in range(NOTHINGS)])
    topic, tone = said.topics[at], said.tones[at]
    clause = (topic * len(TONES) + tone) * VARIANTS + variant
    first = pc.if_else(topic[:, 0] >= 0, clauses.take(clause[:, 0].clip(0)), nothing.take(variant[:, 0]))
    has_second = topic[:, 1] >= 0
    openings, closings = (
        vocabulary([f"{name}_{number + 1}" for number in range(FRAMES)]) for name in ("opening", "closing")
    )
    pieces = [
        pc.if_else(said.opens[at], openings.take(frames[:, 0]), ""),
        first,
        pc.if_else(has_second, links.take((tone[:, 0] != tone[:, 1]).astype(int)), ""),
        pc.if_else(has_second, later.take(clause[:, 1].clip(0)), ""),
        pc.if_else(said.closes[at], closings.take(frames[:, 1]), ""),
    ]
    joined = pc.utf8_trim_whitespace(pc.binary_join_element_wise(*pieces, ""))
    return joined.to_numpy(zero_copy_only=False)


def codings_table(rng: np.random.Generator, said: Said, truth: Truth) -> pd.DataFrame:
    """Return the contract's codings: two people marked the topics of the same comments, each alone."""
    commented = np.flatnonzero(said.is_comment)
    rows = np.sort(rng.choice(commented, min(CODED, len(commented)), replace=False))
    is_there = said.mentions()[rows]
    drawn = rng.random((len(CODERS), *is_there.shape))
    marked = drawn < np.where(is_there, truth.coder_hit_share, truth.coder_false_share)
    silent = ~marked.any(axis=2, keepdims=True)
    coder, row, topic = np.nonzero(np.concatenate([marked, silent], axis=2))
    return pd.DataFrame(
        {
            "response_id": ids("R", rows[row] + 1),
            "coder": words(CODERS, coder),
            "topic": words(TOPICS, np.where(topic < len(TOPICS), topic, -1)),
        }
    )


def comment_truth(said: Said, truth: Truth) -> dict[str, object]:
    """Say what is true of comments: topics by group of answers, the NPS that follows, how coders agree."""
    chances = topic_chances(truth)
    mix = np.bincount(said.group[said.is_comment & said.is_asked], minlength=len(ANSWER_GROUPS))
    with_topic = mix[:, None] * chances
    points = 100 * (with_topic[0] - with_topic[2]) / with_topic.sum(axis=0)
    share = with_topic.sum(axis=0) / mix.sum()
    hit, false = truth.coder_hit_share, truth.coder_false_share
    marked = share * hit + (1 - share) * false
    apart = share * hit * (1 - hit) + (1 - share) * false * (1 - false)
    by_topic = [dict(zip(TOPICS, values.tolist(), strict=True)) for values in chances]
    return {
        "topic_share_by_group": dict(zip(ANSWER_GROUPS, by_topic, strict=True)),
        "nps_by_topic": dict(zip(TOPICS, points.tolist(), strict=True)),
        "praise_by_group": dict(zip(ANSWER_GROUPS, PRAISE, strict=True)),
        "coder_agreement": dict(zip(TOPICS, (1 - apart / (marked * (1 - marked))).tolist(), strict=True)),
    }
