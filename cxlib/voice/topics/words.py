"""Words of comments: what sets two groups apart, what the codebook lacks, and quotes without names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from cxlib.checks import check_columns, check_min_cell
from cxlib.data.rules.topic_rules import Topics
from cxlib.stats.arrays import Array
from cxlib.stats.intervals import critical_value, false_discovery
from cxlib.stats.verdicts import limits_verdict
from cxlib.voice.topics.coding import codebook, fold_comments, mark_topics, mentions

#: Words: of Latin letters from three on; runs of kanji or katakana from two on, which need no dictionary.
WORD = re.compile("[a-z][a-z']{2,}|[一-龥々]{2,}|[ァ-ヴー]{2,}")
#: Pieces for phrases: as words, with what follows a kanji in hiragana, and short English words too.
PIECE = re.compile("[a-z][a-z']*|[一-龥々]+[ぁ-ん]{0,4}|[ァ-ヴー]{2,}")
#: Every run of letters, and what lies between; digits are no letters.
RUN = re.compile("[a-z']+|[一-龥々]+|[ァ-ヴー]+|[ぁ-ん]+|[^a-zァ-ヴー一-龥々ぁ-ん]+")
#: What is never shown: addresses, links, figures from three digits on, and who is called by a title. An
#: address is looked for from the beginning of a word only: else 100 KB without a space take minutes.
HIDDEN = re.compile(
    r"(?<!\S)\S+@\S+|https?://\S+|www\.\S+|@\w+|[+(]?\d[\d\-() ]{2,}\d"
    "|[一-龥々ァ-ヴーa-z]{1,8} ?(?:さん|さま|様|氏|くん|ちゃん|先生)"
    r"|\b(?:mr|mrs|ms|miss|dr)\.? ?[a-z'-]+"
)
#: English words that say nothing alone.
EMPTY_WORDS = frozenset(
    re.findall(
        "[a-z']+",
        """a about after again all also am an and any are as at be because been before but by can could did
        do does for from get got had has have he her here his how i i'm if in into is it it's its just me more
        my no not now of on one only or our out over she so some than that the their them then there they this
        to too up us very was we were what when which who will with would you your""",
    )
)
MASK = "…"


def distinctive_words(
    comments: pd.DataFrame,
    is_first: Any,
    *,
    topics: Topics | None = None,
    comment_col: str = "comment",
    cluster_col: str = "customer_id",
    prior: float | None = None,
    min_cell: int = 10,
    is_known_only: bool = True,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Words that set two groups of comments apart: log-odds ratios with an informative Dirichlet prior.

    Parameters
    ----------
    comments : DataFrame
        Answers with a comment (`commented`).
    is_first : array-like of bool
        Whether each comment is of the first group; the others are the second.
    topics : Topics, optional
        Codebook; the shipped one by default.
    comment_col, cluster_col : str
    prior : float, optional
        Words the prior is worth, spread as the words of all comments are; by default 500, at most as many as
        there are words.
    min_cell : int
        Words of fewer customers are left out.
    is_known_only : bool
        Only words that the codebook knows: no name can be among them.
    conf_level : float
        Also 1 minus the false-discovery rate.

    Returns
    -------
    DataFrame
        `word, metric` ("log_odds"), `estimate` (above 0: of the first group), `std_error, conf_low,
        conf_high, n` (customers who wrote it), `z, p_adjusted, verdict` ("more", "fewer",
        "no_difference_shown"); the clearest first.

    Notes
    -----
    Each customer counts a word once per group. With counts y, sums n and prior counts α:
    δ = ln((y₁ + α)/(n₁ + α₀ − y₁ − α)) − ln((y₂ + α)/(n₂ + α₀ − y₂ − α)), variance 1/(y₁ + α) + 1/(y₂ + α).

    References
    ----------
    Monroe, Colaresi & Quinn (2008) Political Analysis 16, equations 15, 16, 18, 22.

    Examples
    --------
    >>> said = pd.DataFrame({"customer_id": range(40), "comment": ["a parcel"] * 20 + ["a scent"] * 20})
    >>> distinctive_words(said, [True] * 20 + [False] * 20)["word"].tolist()[:2]
    ['parcel', 'scent']
    """
    check_columns(comments, comment_col=comment_col, cluster_col=cluster_col)
    least = check_min_cell(min_cell)
    first = np.asarray(is_first, dtype=bool)
    counts = _word_counts(_words(comments, first, comment_col, cluster_col, WORD))
    if is_known_only and len(counts):
        known = mentions(pd.Series(counts.index, dtype="str"), codebook(topics)).any(axis=1)
        totals, counts = counts[["first", "second"]].sum(), counts.iloc[np.flatnonzero(known)]
    else:
        totals = counts[["first", "second"]].sum()
    table = _log_odds(counts, totals, prior)
    half = critical_value(conf_level) * table["std_error"]
    table["conf_low"], table["conf_high"] = table["estimate"] - half, table["estimate"] + half
    table = table[table["n"] >= least]
    table["p_adjusted"] = false_discovery(2 * ndtr(-table["z"].abs().to_numpy()))
    verdict = limits_verdict(table["conf_low"], table["conf_high"], above="more_often", below="less_often")
    named = table["p_adjusted"].to_numpy() <= 1 - conf_level + 1e-12
    table["verdict"] = np.where(named, verdict, "no_difference_shown")
    order = pd.DataFrame({"size": -table["z"].abs(), "word": table["word"]}).sort_values(["size", "word"])
    columns = ["word", "metric", "estimate", "std_error", "conf_low", "conf_high", "n", "z", "p_adjusted"]
    return table.loc[order.index, [*columns, "verdict"]].reset_index(drop=True)


def _words(
    comments: pd.DataFrame, first: NDArray[Any], comment_col: str, cluster_col: str, pattern: re.Pattern[str]
) -> pd.DataFrame:
    """Words of each comment with its customer and group, each once per customer and group."""
    text = fold_comments(comments[comment_col]).to_pylist()
    found = [(row, word) for row, one in enumerate(text) for word in set(pattern.findall(one or ""))]
    row = np.array([place for place, _ in found], dtype=np.int64)
    who = pd.factorize(comments[cluster_col])[0]
    alone = who < 0
    who[alone] = who.max(initial=-1) + 1 + np.arange(alone.sum())
    words = pd.DataFrame({"word": [word for _, word in found], "who": who[row], "is_first": first[row]})
    return words.drop_duplicates()


def _word_counts(words: pd.DataFrame) -> pd.DataFrame:
    """Count the customers of each word: in each group, and in either."""
    counts = pd.DataFrame({"n": words.groupby("word")["who"].nunique()})
    for name, side in (("first", words["is_first"]), ("second", ~words["is_first"])):
        counts[name] = words[side].groupby("word").size().reindex(counts.index, fill_value=0)
    return counts


def _log_odds(counts: pd.DataFrame, totals: pd.Series, prior: float | None) -> pd.DataFrame:
    """Log-odds of each word; the prior is as all words of both groups are."""
    first, second = (counts[name].to_numpy(float) for name in ("first", "second"))
    n_first, n_second = float(totals["first"]), float(totals["second"])
    size = min(500.0, n_first + n_second) if prior is None else prior
    with np.errstate(invalid="ignore", divide="ignore"):
        alpha = size * (first + second) / (n_first + n_second)
        delta, error = log_odds_of(first, second, alpha, totals=(n_first, n_second), size=size)
    table = {"word": counts.index, "metric": "log_odds", "estimate": delta, "std_error": error}
    return pd.DataFrame(table | {"n": counts["n"].to_numpy(), "z": delta / error})


def log_odds_of(
    first: Array, second: Array, alpha: Array, *, totals: tuple[float, float], size: float
) -> tuple[Array, Array]:
    """Log-odds of each word between two groups, and its error: counts, `alpha` of the prior, of all `size`.

    References
    ----------
    Monroe, Colaresi & Quinn (2008) Political Analysis 16.

    Examples
    --------
    >>> counts = np.array([4.0, 1.0])
    >>> log_odds_of(counts, counts, np.array([0.5, 0.5]), totals=(5.0, 5.0), size=1.0)[0].tolist()
    [0.0, 0.0]
    """
    delta = np.log((first + alpha) / (totals[0] + size - first - alpha))
    delta = delta - np.log((second + alpha) / (totals[1] + size - second - alpha))
    return delta, np.sqrt(1 / (first + alpha) + 1 / (second + alpha))


def uncoded_phrases(
    answers: pd.DataFrame,
    topics: Topics | None = None,
    *,
    comment_col: str = "comment",
    cluster_col: str = "customer_id",
    min_cell: int = 10,
    most: int = 50,
) -> pd.DataFrame:
    """List what is often said in comments without a topic: what the codebook may lack.

    Parameters
    ----------
    answers : DataFrame
        One row per answer.
    topics : Topics, optional
    comment_col, cluster_col : str
    min_cell : int
        A phrase of fewer customers is not listed: it could be about somebody.
    most : int
        Phrases at most.

    Returns
    -------
    DataFrame
        `phrase` (one to three words of English; a run of Japanese letters), `customers` who wrote it in a
        comment without a topic, `share` of the customers with such a comment; the most frequent first, and
        of two with as many the longer one. Phrases of empty words only, and what holds digits, are left out.

    Examples
    --------
    >>> said = pd.DataFrame({"customer_id": range(12), "comment": ["my cat, a lot"] * 12})
    >>> uncoded_phrases(said)["phrase"].tolist()
    ['my cat', 'a lot', 'cat', 'lot']
    """
    check_columns(answers, comment_col=comment_col, cluster_col=cluster_col)
    least, book = check_min_cell(min_cell), codebook(topics)
    held = answers[answers[comment_col].notna()]
    held = held.iloc[np.flatnonzero(~mentions(held[comment_col], book).any(axis=1))]
    who = held[cluster_col].where(held[cluster_col].notna(), pd.Series(held.index, held.index)).to_numpy()
    text = fold_comments(held[comment_col]).to_pylist()
    pairs = {(phrase, one) for said, one in zip(text, who, strict=True) for phrase in set(_phrases(said))}
    counts = Counter(phrase for phrase, _ in pairs)
    listed = sorted((-n, -len(phrase), phrase) for phrase, n in counts.items() if n >= least)[:most]
    people = max(len(set(who)), 1)
    rows = [(phrase, -less, -less / people) for less, _, phrase in listed]
    return pd.DataFrame(rows, columns=["phrase", "customers", "share"])


def _phrases(said: str) -> Iterable[str]:
    """One to three pieces that follow each other within a clause, not of empty words alone."""
    for clause in re.split(r"[.,;:!?。、！？()\n]|\s-\s", HIDDEN.sub(" , ", said)):
        pieces = PIECE.findall(clause)
        for start in range(len(pieces)):
            for end in range(start + 1, min(start + 4, len(pieces) + 1)):
                part = pieces[start:end]
                if not EMPTY_WORDS.issuperset(part):
                    yield " ".join(part) if part[0].isascii() else "".join(part)


def topic_quotes(
    comments: pd.DataFrame,
    codings: pd.DataFrame,
    *,
    quotes: bool = False,
    per_topic: int = 2,
    min_cell: int = 10,
    comment_col: str = "comment",
    cluster_col: str = "customer_id",
    response_id_col: str = "response_id",
) -> pd.DataFrame:
    """Quote a few comments per topic, without anything that few customers say; nothing unless asked for.

    Parameters
    ----------
    comments, codings : DataFrame
        Answers with a comment, and their topics.
    quotes : bool
        False gives no row: comments stay where they are.
    per_topic : int
    min_cell : int
        Only topics of at least as many customers are quoted, and only words that as many customers wrote are
        kept.
    comment_col, cluster_col, response_id_col : str

    Returns
    -------
    DataFrame
        `topic, quote, customers` (who wrote on the topic). Every run of letters that fewer than `min_cell`
        customers wrote, mail addresses, links, names with a title and figures of three digits and more are
        "…"; comments of which less than two thirds would be left are not quoted.

    Examples
    --------
    >>> said = pd.DataFrame({"response_id": range(12), "customer_id": range(12),
    ...                      "comment": ["The parcel was late"] * 11 + ["The parcel was late, Hanako"]})
    >>> on = pd.DataFrame({"response_id": range(12), "topic": "delivery"})
    >>> topic_quotes(said, on, quotes=True, per_topic=1)["quote"].tolist()
    ['the parcel was late']
    """
    check_columns(comments, comment_col=comment_col, cluster_col=cluster_col, response_id_col=response_id_col)
    least = check_min_cell(min_cell)
    columns = ["topic", "quote", "customers"]
    if not quotes:
        return pd.DataFrame(columns=columns)
    no_groups = np.zeros(len(comments), dtype=bool)
    runs = re.compile(RUN.pattern.rpartition("|")[0])
    counts = _word_counts(_words(comments, no_groups, comment_col, cluster_col, runs))["n"]
    common = set(counts.index[counts >= least])
    said = [_redacted(one or "", common) for one in fold_comments(comments[comment_col]).to_pylist()]
    marks, rows = mark_topics(comments, codings, response_id_col=response_id_col), []
    for topic in marks.columns:
        on = marks[topic].to_numpy() > 0
        people = int(comments.loc[on, cluster_col].nunique())
        texts = dict.fromkeys(text for text, is_on in zip(said, on, strict=True) if is_on and text)
        chosen = sorted(texts, key=lambda text: (text.count(MASK), len(text), text))[:per_topic]
        rows += [(topic, text, people) for text in chosen if people >= least]
    return pd.DataFrame(rows, columns=columns)


def _redacted(said: str, common: set[str]) -> str:
    """Comment with everything rare masked; empty where too little would be left."""
    parts = RUN.findall(HIDDEN.sub(MASK, said))
    kept = [part if part in common or _is_between(part) else MASK for part in parts]
    text = re.sub(rf"(?:\s*{MASK}[\s,.、。]*)+", MASK, "".join(kept)).strip()
    letters = sum(len(part) for part in parts if not _is_between(part))
    left = sum(len(part) for part in kept if part != MASK and not _is_between(part))
    return text if letters and len(text) >= 8 and left >= 2 / 3 * letters else ""


def _is_between(part: str) -> bool:
    return not any(sign.isalpha() for sign in part)
