"""Lists of the chapter on comments, for people allowed to see them; none holds the text of a comment."""

from __future__ import annotations

from typing import Protocol

import pandas as pd

from cxlib.voice.topics.coding import codebook
from cxlib.voice.topics.tone import scores_against_words
from cxlib.voice.topics.words import uncoded_phrases


class Tables(Protocol):
    """What is asked of a data set here."""

    def table(self, name: str) -> pd.DataFrame:
        """Rows of a table."""


def against_list(data_set: Tables) -> pd.DataFrame:
    """List the answers whose words seem to say the opposite of their score (`scores_against_words`).

    Examples
    --------
    >>> class Shop:
    ...     def table(self, name):
    ...         said = {"response_id": ["a"], "nps_score": [9], "comment": ["It leaks"]}
    ...         return pd.DataFrame(said)
    >>> against_list(Shop())["response_id"].tolist()
    ['a']
    """
    return scores_against_words(_answers(data_set), codebook(data_set))


def phrases_list(data_set: Tables) -> pd.DataFrame:
    """List what is often said without a topic (`uncoded_phrases`), to extend the codebook by.

    Examples
    --------
    >>> class Shop:
    ...     def table(self, name):
    ...         return pd.DataFrame({"customer_id": range(10), "comment": ["lovely music"] * 10})
    >>> phrases_list(Shop())["phrase"].tolist()[:1]
    ['lovely music']
    """
    return uncoded_phrases(_answers(data_set), codebook(data_set))


def _answers(data_set: Tables) -> pd.DataFrame:
    """Give the responses with the columns asked for, missing where the data have none."""
    responses = data_set.table("responses")
    lacking = [name for name in ("customer_id", "nps_score", "comment") if name not in responses]
    return responses.assign(**dict.fromkeys(lacking))
