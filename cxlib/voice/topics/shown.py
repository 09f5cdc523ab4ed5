"""What the chapter on comments shows: only rows that say something, and why there are none."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cxlib.data.rules.topic_rules import Topics
from cxlib.voice.answers import survey_answers
from cxlib.voice.topics.claims import Rows
from cxlib.voice.topics.impact import topic_impact
from cxlib.voice.topics.known_parts import of_measure
from cxlib.voice.topics.shares import topic_gaps
from cxlib.voice.topics.words import distinctive_words

#: Columns of a table of impacts, beside which each topic's part of the score stands.
IMPACT_COLUMNS = ["topic", "estimate", "conf_low", "conf_high", "with_topic", "customers", "verdict"]
IMPACT_COLUMNS += ["carried_estimate", "carried_conf_low", "carried_conf_high"]
SURVEYS = ("relationship", "transaction")
MOST_WORDS = 20


def enough_wrote(rows: pd.DataFrame, *, min_cell: int = 10) -> pd.DataFrame:
    """Keep the rows for which enough customers wrote; topics overlap, so no other row gives one away.

    Examples
    --------
    >>> enough_wrote(pd.DataFrame({"topic": ["a", "b"], "customers": [30, 3]}))["topic"].tolist()
    ['a']
    """
    return rows[rows["customers"] >= min_cell].reset_index(drop=True)


def all_answers(
    responses: pd.DataFrame | None, customers: pd.DataFrame, *, only_these: bool = False
) -> pd.DataFrame:
    """Answers of every survey, each as `survey_answers` gives them.

    Examples
    --------
    >>> all_answers(None, pd.DataFrame({"customer_id": []})).empty
    True
    """
    if responses is None:
        return survey_answers(None, customers).assign(response_id=pd.Series(dtype=str))
    parts = [survey_answers(responses, customers, survey=name, only_these=only_these) for name in SURVEYS]
    return pd.concat(parts, ignore_index=True)


def gaps_shown(
    comments: pd.DataFrame, found: pd.DataFrame, *, by: str, conf_level: float = 0.95
) -> pd.DataFrame:
    """Topics that a group speaks of more or less often than the others (`topic_gaps`), the clearest first.

    Examples
    --------
    >>> said = pd.DataFrame({"response_id": [], "customer_id": []})
    >>> gaps_shown(said, pd.DataFrame({"response_id": [], "topic": []}), by="touchpoint").empty
    True
    """
    columns = [by, "topic", "metric", "estimate", "conf_low", "conf_high", "share", "share_elsewhere"]
    columns += ["n", "customers", "verdict"]
    if by not in comments or comments[by].nunique() < 2:
        return pd.DataFrame(columns=columns)
    gaps = topic_gaps(comments, found, by=by, conf_level=conf_level)
    named = gaps[gaps["verdict"].isin(["more_often", "less_often"])]
    return named.sort_values(["p_adjusted", by, "topic"], ignore_index=True)[columns]


def why_no_gaps(comments: pd.DataFrame, *, by: str) -> str:
    """Entry that says why no gap is shown: no two groups, or none beyond chance.

    Examples
    --------
    >>> why_no_gaps(pd.DataFrame({"region": ["Kanto", "Kanto"]}), by="region")
    'voice.no_groups'
    """
    return (
        "voice.no_gaps" if by in comments and len(comments[by].dropna().unique()) > 1 else "voice.no_groups"
    )


def why_no_words(comments: pd.DataFrame) -> str:
    """Entry that says why no word is shown: nobody to compare, or none sets them apart beyond chance.

    Examples
    --------
    >>> why_no_words(pd.DataFrame({"nps_score": [9.0, 10.0]}))
    'voice.no_detractors'
    """
    is_detractor = comments["nps_score"].dropna() <= 6
    return "voice.no_words" if is_detractor.any() and not is_detractor.all() else "voice.no_detractors"


def words_shown(
    comments: pd.DataFrame, book: Topics, *, min_cell: int = 10, conf_level: float = 0.95
) -> pd.DataFrame:
    """Words that set detractors apart from who else gave a score (`distinctive_words`), beyond chance.

    Examples
    --------
    >>> from cxlib.voice.topics.coding import codebook
    >>> said = pd.DataFrame({"customer_id": [], "comment": [], "nps_score": []})
    >>> words_shown(said, codebook()).empty
    True
    """
    scored = comments[comments["nps_score"].notna()]
    options: dict[str, Any] = {"topics": book, "min_cell": min_cell, "conf_level": conf_level}
    words = distinctive_words(scored, (scored["nps_score"] <= 6).to_numpy(bool), **options)
    named = words[words["verdict"] != "no_difference_shown"].head(MOST_WORDS).reset_index(drop=True)
    return named[["word", "metric", "estimate", "conf_low", "conf_high", "n", "verdict"]]


def replies_notes(sources: pd.DataFrame) -> Rows:
    """Say that replies are not recorded, where no source has any.

    Examples
    --------
    >>> replies_notes(pd.DataFrame({"replied_share": [0.5]}))
    []
    """
    known = sources["replied_share"].notna().any()
    return [] if known else [{"note": "not_recorded", "note_level": "info", "only_here": True}]


def why_no_quotes(*, quotes: bool) -> str:
    """Entry that says why nothing is quoted: not asked for, or nothing is left.

    Examples
    --------
    >>> why_no_quotes(quotes=False)
    'voice.no_quotes'
    """
    return "voice.no_quotes_left" if quotes else "voice.no_quotes"


def why_none_by_people(codings: pd.DataFrame | None) -> str:
    """Entry that says why people's marks are not set beside the codebook's: there are none, or too few.

    Examples
    --------
    >>> why_none_by_people(None), why_none_by_people(pd.DataFrame({"topic": ["price"]}))
    ('voice.no_codings', 'voice.few_read')
    """
    return "voice.no_codings" if codings is None or codings.empty else "voice.few_read"


def impact_by_people(
    comments: pd.DataFrame, codings: pd.DataFrame | None, *, conf_level: float = 0.95
) -> pd.DataFrame:
    """Impact on NPS by the topics that people marked, among the comments they read; no rows without any.

    Examples
    --------
    >>> impact_by_people(pd.DataFrame({"response_id": [], "nps_score": []}), None).empty
    True
    """
    if codings is None or codings.empty or not comments["nps_score"].notna().any():
        return pd.DataFrame(columns=IMPACT_COLUMNS)
    read = comments[comments["response_id"].isin(codings["response_id"])]
    if not read["nps_score"].notna().any():
        return pd.DataFrame(columns=IMPACT_COLUMNS)
    marked = codings.dropna(subset=["topic"]).drop_duplicates(["response_id", "topic"])
    return of_measure(topic_impact(read, marked, conf_level=conf_level).assign(agreed="people"), "nps")
