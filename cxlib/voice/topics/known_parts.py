"""Which parts of the chapter on comments the data allow, and what is said of comments and codings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd

from cxlib.checks import NotEnoughData
from cxlib.data.rules.topic_rules import Topics
from cxlib.voice.topics.agreement import topic_agreement, trusted_topics
from cxlib.voice.topics.claims import Rows, in_order, with_trust
from cxlib.voice.topics.coding import mark_topics
from cxlib.voice.topics.impact import topic_impact

#: A topic in more of the comments than this catches too much to say anything.
CATCHES_ALL = 0.8


class Tables(Protocol):
    """What is asked of a data set here."""

    def has(self, table: str, column: str | None = None) -> bool:
        """Whether a table, or a column of it, is there."""

    def table(self, name: str, **period: Any) -> pd.DataFrame:
        """Rows of a table, of a period."""


class Checked(NamedTuple):
    """What people made of the codebook; a class because table, judgement and number are told together."""

    agreed: pd.DataFrame
    trusted: pd.DataFrame
    n: int


def responses_or_end(data_set: Tables, period: Mapping[str, Any]) -> pd.DataFrame:
    """Responses of the period, or end the report where nobody could write a comment.

    Raises
    ------
    NotEnoughData
        There are no responses, or none has a comment.
    """
    if not data_set.has("responses", "comment"):
        raise NotEnoughData("voice.no_responses")
    return data_set.table("responses", **period)


def comment_notes(
    comments: pd.DataFrame, found: pd.DataFrame, codings: pd.DataFrame | None, *, min_cell: int = 10
) -> Rows:
    """Say what is odd about comments and codings: none at all, a topic that catches all, unknown readings.

    Parameters
    ----------
    comments, found, codings
        Answers with a comment, their topics by rule, and what people marked (None without such a table).
    min_cell
        Fewer comments are too few to say that a topic catches all.

    Examples
    --------
    >>> comment_notes(pd.DataFrame({"response_id": []}), pd.DataFrame({"response_id": [], "topic": []}), None)
    [{'note': 'no_comments', 'note_level': 'not_enough_data'}]
    """
    if comments.empty:
        return [{"note": "no_comments", "note_level": "not_enough_data"}]
    share = mark_topics(comments, found).mean()
    wide = share[(share > CATCHES_ALL) & (len(comments) >= min_cell)]
    rows: Rows = [
        {"note": "one_catches_all", "note_level": "warning", "topic": topic, "estimate": float(part)}
        | {"metric": "topic_share"}
        for topic, part in wide.items()
    ]
    if codings is not None:
        unknown = ~codings["response_id"].isin(comments["response_id"])
        if unknown.any():
            rows.append({"note": "unknown_codings", "note_level": "info", "n": int(unknown.sum())})
    return rows


def people_read(data_set: Tables) -> pd.DataFrame | None:
    """Give the table of what people found in comments; None where the data set has none."""
    return data_set.table("codings") if data_set.has("codings") else None


def checked_by_people(
    codings: pd.DataFrame | None, comments: pd.DataFrame, found: pd.DataFrame, *, book: Topics, **drawn: Any
) -> Checked:
    """Compare people with each other and with the codebook, on the comments at hand; no rows without any.

    Parameters
    ----------
    codings
        From `people_read`.
    comments, found
        Answers with a comment, and their topics by rule.
    book
        Codebook: topics that nobody marked and no rule found are left out.
    **drawn
        `conf_level, n_boot, seed` as in `topic_agreement`.

    Examples
    --------
    >>> from cxlib.voice.topics.coding import codebook
    >>> none = pd.DataFrame({"response_id": [], "topic": []})
    >>> checked_by_people(None, none, none, book=codebook()).n
    0
    """
    if codings is None:
        codings = pd.DataFrame(columns=["response_id", "coder", "topic"])
    read = codings[codings["response_id"].isin(comments["response_id"])]
    own = found[found["response_id"].isin(read["response_id"])]
    named = set(read["topic"].dropna()) | set(own["topic"])
    topics = [topic.id for topic in book.topics if topic.id in named]
    agreed = topic_agreement(read, own, topics=topics, **drawn)
    return Checked(agreed, trusted_topics(agreed), int(read["response_id"].nunique()))


def impacts(
    comments: pd.DataFrame,
    found: pd.DataFrame,
    trusted: pd.DataFrame,
    *,
    scales: dict[str, Any],
    **options: Any,
) -> pd.DataFrame:
    """Impact of topics on every score of `scales` that is known, with what people said of each topic.

    Parameters
    ----------
    comments, found, trusted
        Answers with a comment, their topics, and `trusted_topics`.
    scales
        Scale by column of scores; None for the recommendation score.
    **options
        As `topic_impact`.

    Examples
    --------
    >>> said = pd.DataFrame({"response_id": ["a", "b"], "customer_id": ["1", "2"], "nps_score": [9, 1]})
    >>> on = pd.DataFrame({"response_id": ["a"], "topic": ["price"]})
    >>> impacts(said, on, None, scales={"nps_score": None, "csat_score": (1, 5)})["measure"].unique().tolist()
    ['nps']
    """
    known = [name for name in scales if name in comments and comments[name].notna().any()]
    parts = [topic_impact(comments, found, score_col=name, scale=scales[name], **options) for name in known]
    table = (
        pd.concat(parts, ignore_index=True)
        if parts
        else topic_impact(
            pd.DataFrame({"response_id": [], "customer_id": [], "nps_score": np.array([], dtype=float)}),
            found,
        )
    )
    return with_trust(table, trusted)


def of_measure(impact: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Impact on one score beside what each topic carries of it, the lowest first.

    Examples
    --------
    >>> said = pd.DataFrame({"response_id": list("abc"), "customer_id": list("xyz"), "nps_score": [9, 1, 9]})
    >>> on = pd.DataFrame({"response_id": ["a", "b"], "topic": ["price", "store"]})
    >>> of_measure(impacts(said, on, None, scales={"nps_score": None}), "nps")["topic"].tolist()
    ['store', 'price']
    """
    own = impact[impact["measure"] == measure]
    names = own["topic"].unique().tolist()
    left = in_order(own, names, metric="impact")
    carried = own[own["metric"] == "carried"].set_index("topic")
    for name in ("estimate", "conf_low", "conf_high"):
        left[f"carried_{name}"] = left["topic"].map(carried[name]).to_numpy()
    return left
