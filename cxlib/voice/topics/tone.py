"""A hint at praise or complaint in a comment, never a figure; answers whose score says the opposite."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cxlib.checks import check_columns
from cxlib.data.rules.topic_rules import ToneWords, Topics
from cxlib.voice.answers import check_scores
from cxlib.voice.topics.coding import GAP, HAS, any_of, codebook, fits, fold_comments

HINTS = ("none", "praise", "complaint", "both")
#: How far a negation reaches: words before in English, letters after in Japanese.
REACH = {"en": r"(?: [\w']+){0,3} ", "ja": "[^。、!?]{0,4}"}


def tone_hints(
    answers: pd.DataFrame,
    topics: Topics | None = None,
    *,
    response_id_col: str = "response_id",
    comment_col: str = "comment",
) -> pd.DataFrame:
    """Hint at praise and complaint in each comment, by words and negations near them; a hint, never a figure.

    Parameters
    ----------
    answers : DataFrame
        One row per answer.
    topics : Topics, optional
        Codebook with the words of tone; the shipped one by default.
    response_id_col, comment_col : str

    Returns
    -------
    DataFrame
        `response_id, hint` ("praise", "complaint", "both", "none"), a row per answer.

    Notes
    -----
    Of labelled comments that only praise or only blame (147 English, 147 Japanese) it names a side in six of
    ten, and the right one in nine of ten of these; irony it does not see. It says what to read first, and is
    not to be counted.

    Examples
    --------
    >>> said = pd.DataFrame({"response_id": ["a", "b"], "comment": ["Not good.", "遅くありませんでした。"]})
    >>> tone_hints(said)["hint"].tolist()
    ['complaint', 'praise']
    """
    check_columns(answers, response_id_col=response_id_col, comment_col=comment_col)
    tone = codebook(topics).tone
    distinct = fold_comments(answers[comment_col]).dictionary_encode()
    text, code = distinct.dictionary, distinct.indices.fill_null(len(distinct.dictionary)).to_numpy()
    found = np.zeros((2, len(text) + 1), dtype=bool)
    for lang in ("en", "ja"):
        own = np.flatnonzero(fits(text, HAS[lang]))
        found[:, own] |= _sides(text.take(pa.array(own)), getattr(tone, lang), lang)
    hint = np.array(HINTS, dtype=object)[found[0] + 2 * found[1]]
    return pd.DataFrame({"response_id": answers[response_id_col].to_numpy(), "hint": hint[code]})


def _sides(text: pa.Array, words: ToneWords, lang: str) -> NDArray[Any]:
    """Whether each text praises, and whether it complains; what is negated counts as the other."""
    praise, complaint, negation = (
        any_of(each, lang) for each in (words.praise, words.complaint, words.negation)
    )
    found = np.zeros((2, len(text)), dtype=bool)
    for side, said in ((1, praise), (0, complaint)):
        pair = [negation, said] if lang == "en" else [said, negation]
        negated = REACH[lang].join(f"(?:{part})" for part in pair)
        found[side] |= fits(text, negated)
        text = pc.replace_substring_regex(text, negated, GAP)
    found[0] |= fits(text, praise)
    found[1] |= fits(text, complaint)
    return found


def scores_against_words(
    answers: pd.DataFrame,
    topics: Topics | None = None,
    *,
    score_col: str = "nps_score",
    response_id_col: str = "response_id",
    comment_col: str = "comment",
) -> pd.DataFrame:
    """List the answers whose words seem to say the opposite of their score: a 9 with a complaint.

    Parameters
    ----------
    answers : DataFrame
        One row per answer.
    topics : Topics, optional
    score_col, response_id_col, comment_col : str

    Returns
    -------
    DataFrame
        The answers of promoters (9–10) that only complain and of detractors (0–6) that only praise, without
        their text: `kind` ("promoter_complains", "detractor_praises"), `response_id`, `customer_id,
        answered_at` where the answers have them, the score. For people allowed to see single answers; to be
        read, not counted.

    Examples
    --------
    >>> said = pd.DataFrame({"response_id": ["a", "b"], "nps_score": [9, 9]})
    >>> said["comment"] = ["Too late.", "Good."]
    >>> scores_against_words(said)[["kind", "response_id"]].to_numpy().tolist()
    [['promoter_complains', 'a']]
    """
    check_columns(answers, score_col=score_col)
    score = check_scores(answers, score_col, (0, 10))
    columns = {"response_id_col": response_id_col, "comment_col": comment_col}
    hint = tone_hints(answers, topics, **columns)["hint"].to_numpy()
    kind = np.where((score >= 9) & (hint == "complaint"), "promoter_complains", "")
    kind = np.where((score <= 6) & (hint == "praise"), "detractor_praises", kind)
    kept = [name for name in (response_id_col, "customer_id", "answered_at", score_col) if name in answers]
    listed = answers[kept].assign(kind=kind)[kind != ""]
    listed = listed.sort_values(["kind", response_id_col], ascending=[False, True], ignore_index=True)
    return listed[["kind", *kept]]
