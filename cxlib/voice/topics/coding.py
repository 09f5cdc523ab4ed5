"""Comments to topics by the codebook: fold the text, look for each topic's patterns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cxlib.checks import ParameterError, check_columns, check_frame
from cxlib.data.rules.rule_files import load_rules
from cxlib.data.rules.topic_rules import Topics, Wordings
from cxlib.data.text_type import TEXT
from cxlib.stats.clustered_share import clustered_share_interval

#: What is nothing to read: tags, signs without width, apostrophes of other fonts; what comes of it, in order.
FOLDS = (
    (r"<[^<>]{1,200}>", " "),
    ("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u00ad]", ""),
    ("[\u2018\u2019\u02bc\uff07`\u00b4]", "'"),
    (r"\s+", " "),
)
#: Letters of the two languages; what is no ASCII, or money, is looked at by the patterns of Japanese.
HAS = {"en": "[a-z]", "ja": r"[^\x00-\x7f]|\$"}
#: What stands in place of a phrase that is not meant: it ends a word and a clause.
GAP = " , "
Found = NDArray[np.bool_]
#: Distinct texts whose topics are remembered at most, and the memory: `book, texts, found`.
MOST_MET = 50_000
_MET: dict[str, Any] = {}


def fold_comments(comments: pd.Series) -> pa.Array:
    """Write comments in one way: one width, small letters, one space, without tags and invisible signs.

    Examples
    --------
    >>> fold_comments(pd.Series(["ＬＩＮＥの ｱﾌﾟﾘ", "It<br>Can’t", None])).to_pylist()
    ['lineの アプリ', "it can't", None]
    """
    try:
        text = pa.array(comments.astype(TEXT), pa.large_string(), from_pandas=True)
    except UnicodeEncodeError:  # half of a sign, left by whatever cut the text
        whole = comments.astype(object).map(
            lambda said: said.encode("utf-8", "replace").decode() if isinstance(said, str) else said
        )
        text = pa.array(whole.astype(TEXT), pa.large_string(), from_pandas=True)
    if isinstance(text, pa.ChunkedArray):  # of texts that Arrow held in parts already
        text = text.combine_chunks()
    text = pc.utf8_normalize(text, form="NFKC")
    for pattern, instead in FOLDS:
        text = pc.replace_substring_regex(text, pattern, instead)
    return pc.utf8_trim_whitespace(pc.utf8_lower(text))


def any_of(patterns: Sequence[str], lang: str) -> str:
    """Join patterns to one; those of English match whole words."""
    joined = "|".join(patterns)
    return rf"\b(?:{joined})\b" if lang == "en" else joined


def code_comments(
    answers: pd.DataFrame,
    topics: Topics | str | Path | None = None,
    *,
    response_id_col: str = "response_id",
    comment_col: str = "comment",
) -> pd.DataFrame:
    """Find the topics of every comment by the codebook.

    Parameters
    ----------
    answers : DataFrame
        One row per answer; a missing or empty comment is about nothing.
    topics : Topics, str or Path, optional
        The codebook (`load_rules("topics", data_set)`) or its file; the shipped one by default.
    response_id_col, comment_col : str

    Returns
    -------
    DataFrame
        `response_id, topic`: one row per comment and topic, in the order of the answers, then of the
        codebook. A comment about none of the topics has no row.

    Raises
    ------
    ParameterError
        For a missing column or an id that stands twice.
    InputError
        For a codebook that does not fit.

    Notes
    -----
    Comments are folded first (`fold_comments`). A topic is found where one of its patterns or variants fits
    what is left once its exceptions are taken out; in a comment without any topic, where a faint wording
    does. The engine is RE2 as Arrow has it: time grows with the length of the text, whatever the pattern.
    Negation does not change a topic: "not late" is about delivery.

    Examples
    --------
    >>> said = ["Not late, and not expensive.", "特になし"]
    >>> heard = pd.DataFrame({"response_id": ["a", "b"], "comment": said})
    >>> code_comments(heard).to_numpy().tolist()
    [['a', 'delivery'], ['a', 'price']]
    """
    check_frame(answers, argument="answers")
    check_columns(answers, response_id_col=response_id_col, comment_col=comment_col)
    ids = answers[response_id_col]
    if (twice := ids.duplicated()).any():
        raise ParameterError("voice.id_twice", column=response_id_col, n=int(twice.sum()), total=len(ids))
    book = codebook(topics)
    found = mentions(answers[comment_col], book)
    row, topic = np.nonzero(found)
    names = np.array([one.id for one in book.topics], dtype=object)
    return pd.DataFrame(
        {
            "response_id": ids.iloc[row].reset_index(drop=True),
            "topic": pd.Series(names[topic], dtype=TEXT),
        }
    )


def codebook(topics: Any = None) -> Topics:
    """Return a codebook as a model: given, read from its file or for a data set, or the shipped one.

    Examples
    --------
    >>> [topic.id for topic in codebook().topics][:2]
    ['delivery', 'quality']
    """
    if topics is None:
        return _shipped()
    return topics if isinstance(topics, Topics) else load_rules("topics", topics)


@cache
def _shipped() -> Topics:
    book: Topics = load_rules("topics")
    return book


def mentions(comments: pd.Series, book: Topics) -> Found:
    """Whether each comment is about each topic: a row per comment, a column per topic.

    Examples
    --------
    >>> mentions(pd.Series(["返品したい"]), codebook()).sum()
    np.int64(1)
    """
    distinct = fold_comments(comments).dictionary_encode()
    text, code = distinct.dictionary, distinct.indices.fill_null(len(distinct.dictionary)).to_numpy()
    nothing = np.zeros((1, len(book.topics)), dtype=bool)
    return np.concatenate([_topics_of(text, book), nothing])[code]


def _topics_of(text: pa.Array, book: Topics) -> Found:
    """Topics of distinct texts; those that the codebook used last has met are not looked at again.

    A figure is computed again and again with a few customers left out, always of the same comments.
    """
    if len(text) > MOST_MET:
        return _look_for(text, book)
    if _MET.get("book") is not book or len(_MET["texts"]) > MOST_MET:
        _MET.update(book=book, texts=text[:0], found=np.zeros((0, len(book.topics)), dtype=bool))
    new = text.filter(pc.is_null(pc.index_in(text, value_set=_MET["texts"])))
    if len(new):
        texts, found = [_MET["texts"], new], [_MET["found"], _look_for(new, book)]
        _MET.update(texts=pa.concat_arrays(texts), found=np.concatenate(found))
    known: Found = _MET["found"][pc.index_in(text, value_set=_MET["texts"]).to_numpy()]
    return known


def _look_for(text: pa.Array, book: Topics) -> Found:
    """Topics by their patterns; texts without any by what speaks faintly of one."""
    found = _marked(text, book, lambda words: [*words.patterns, *words.variants])
    left = np.flatnonzero(~found.any(axis=1))
    found[left] = _marked(text.take(pa.array(left)), book, lambda words: words.faint)
    return found


def _marked(text: pa.Array, book: Topics, patterns_of: Callable[[Wordings], list[str]]) -> Found:
    found = np.zeros((len(text), len(book.topics)), dtype=bool)
    for lang in ("en", "ja"):
        own = np.flatnonzero(fits(text, HAS[lang]))
        part = text.take(pa.array(own))
        for column, topic in enumerate(book.topics):
            words: Wordings = getattr(topic, lang)
            found[own, column] |= _about(part, patterns_of(words), words.but_not, lang)
    return found


def fits(text: pa.Array, pattern: str) -> Found:
    """Whether a pattern fits each text; missing ones fit none."""
    return np.asarray(pc.fill_null(pc.match_substring_regex(text, pattern), fill_value=False))


def _about(text: pa.Array, patterns: Sequence[str], but_not: Sequence[str], lang: str) -> Found:
    """Whether each text is about one topic in one language; exceptions are looked for where they matter."""
    if not patterns:
        return np.zeros(len(text), dtype=bool)
    pattern = any_of(patterns, lang)
    found = fits(text, pattern)
    if but_not and found.any():
        maybe = np.flatnonzero(found)
        left = pc.replace_substring_regex(text.take(pa.array(maybe)), any_of(but_not, lang), GAP)
        found[maybe] = fits(left, pattern)
    return found


def mark_topics(answers: pd.DataFrame, codings: pd.DataFrame, *, response_id_col: str = "response_id") -> Any:
    """Spread codings over answers: a row per answer, a column of 0 and 1 per topic, in the codings' order.

    Codings of answers that are not given are passed over, and those without a topic.

    Examples
    --------
    >>> answers = pd.DataFrame({"response_id": ["a", "b"]})
    >>> mark_topics(answers, pd.DataFrame({"response_id": ["b", "z"], "topic": ["price", "price"]}))
       price
    0      0
    1      1
    """
    check_columns(answers, response_id_col=response_id_col)
    check_columns(codings, response_id="response_id", topic="topic")
    known = codings.dropna(subset=["topic"])
    names = list(dict.fromkeys(known["topic"]))
    place = pd.Index(answers[response_id_col]).get_indexer(pd.Index(known["response_id"]))
    marks = np.zeros((len(answers), len(names)), dtype=np.int64)
    column = pd.Index(names).get_indexer(pd.Index(known["topic"])) if names else np.zeros(0, dtype=int)
    marks[place[place >= 0], column[place >= 0]] = 1
    return pd.DataFrame(marks, columns=names, index=answers.index)


def commented(answers: pd.DataFrame, *, comment_col: str = "comment") -> pd.DataFrame:
    """Keep the answers that say something in words.

    Examples
    --------
    >>> len(commented(pd.DataFrame({"comment": ["Good.", " ", None, "👍"]})))
    2
    """
    check_columns(answers, comment_col=comment_col)
    text = fold_comments(answers[comment_col])
    return answers[fits(text, r"\S")].reset_index(drop=True)


def coded_share(
    comments: pd.DataFrame,
    codings: pd.DataFrame,
    *,
    cluster_col: str = "customer_id",
    response_id_col: str = "response_id",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share of comments that the codebook leaves without a topic, with its interval by customer.

    Parameters
    ----------
    comments : DataFrame
        Answers with a comment (`commented`).
    codings : DataFrame
        From `code_comments`.
    cluster_col, response_id_col : str
    conf_level : float

    Returns
    -------
    DataFrame
        One row: `metric` ("uncoded"), `estimate` (0–1), `std_error, conf_low, conf_high, n` (comments),
        `customers`, `topics_each` (topics per coded comment).

    Examples
    --------
    >>> heard = pd.DataFrame({"response_id": ["a", "b"], "customer_id": ["1", "2"]})
    >>> heard["comment"] = ["too late", "ok"]
    >>> coded_share(heard, code_comments(heard))["estimate"].item()
    0.5
    """
    check_columns(comments, cluster_col=cluster_col, response_id_col=response_id_col)
    each = mark_topics(comments, codings, response_id_col=response_id_col).sum(axis=1).to_numpy()
    interval = clustered_share_interval(each == 0, comments[cluster_col], conf_level=conf_level)
    people = comments[cluster_col].nunique() + int(comments[cluster_col].isna().sum())
    topics_each = float(each[each > 0].mean()) if (each > 0).any() else np.nan
    row = {"metric": "uncoded", **interval._asdict(), "n": len(comments), "customers": people}
    return pd.DataFrame([row | {"topics_each": topics_each}])
