"""Two figures of comments for the scorecard, from the responses as they came."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cxlib.checks import check_columns
from cxlib.checks.occurring import check_occurs
from cxlib.voice.topics.coding import code_comments, codebook, coded_share, commented
from cxlib.voice.topics.shares import topic_shares

#: Survey whose comments count.
SURVEY = "relationship"


def uncoded_share(
    responses: pd.DataFrame, *, topics: Any = None, survey: str = SURVEY, conf_level: float = 0.95
) -> pd.DataFrame:
    """Share (0–1) of comments that the codebook finds no topic in: the row of `coded_share`.

    Parameters
    ----------
    responses
        The contract's responses: `response_id, customer_id, survey, comment`.
    topics
        The codebook; the shipped one by default.
    survey, conf_level
        Whose comments count; level of the limits.

    Examples
    --------
    >>> rows = pd.DataFrame({"response_id": ["a", "b"], "customer_id": ["1", "2"], "survey": "relationship"})
    >>> uncoded_share(rows.assign(comment=["too late", "ok"]))["estimate"].item()
    0.5
    """
    comments = _comments(responses, survey)
    if comments.empty:
        return pd.DataFrame(columns=["metric", "estimate", "conf_low", "conf_high", "n"])
    return coded_share(comments, code_comments(comments, codebook(topics)), conf_level=conf_level)


def topic_share(
    responses: pd.DataFrame,
    *,
    topic: str,
    topics: Any = None,
    survey: str = SURVEY,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share (0–1) of comments on one topic: a row of `topic_shares`.

    Parameters
    ----------
    responses, topics, survey, conf_level
        As in `uncoded_share`.
    topic
        Its id in the codebook. It is chosen beforehand and stays: the topic that happens to be worst on each
        day would be another figure each time.

    Examples
    --------
    >>> rows = pd.DataFrame({"response_id": ["a", "b"], "customer_id": ["1", "2"], "survey": "relationship"})
    >>> topic_share(rows.assign(comment=["too late", "ok"]), topic="delivery")["estimate"].item()
    0.5
    """
    book = codebook(topics)
    known = pd.DataFrame({"topic": [each.id for each in book.topics]})
    check_occurs(known, topic, argument="topic", column="topic", slips_only=True)
    comments = _comments(responses, survey)
    if comments.empty:
        return pd.DataFrame(columns=["metric", "estimate", "conf_low", "conf_high", "n"])
    shares = topic_shares(comments, code_comments(comments, book), conf_level=conf_level)
    return shares[shares["topic"] == topic].reset_index(drop=True)


def _comments(responses: pd.DataFrame, survey: str) -> pd.DataFrame:
    check_columns(responses, customer_id="customer_id")
    if not {"survey", "comment", "response_id"} <= set(responses) or not responses["comment"].notna().any():
        return responses.iloc[:0]
    return commented(responses[responses["survey"] == survey])
