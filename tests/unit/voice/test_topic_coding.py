"""The codebook: what it finds, what it must not stumble over, and what it refuses."""

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import InputError, ParameterError
from cxlib.data.rules.rule_files import load_rules
from cxlib.data.rules.topic_rules import Topics, Wordings
from cxlib.voice.topics import coding
from cxlib.voice.topics.coding import code_comments, codebook, coded_share, commented, mark_topics, mentions
from cxlib.voice.topics.known_parts import comment_notes


def topics_of(comment):
    found = code_comments(pd.DataFrame({"response_id": ["r"], "comment": [comment]}))
    return found["topic"].tolist()


def book_with(**wordings):
    topic = {"id": "own", "label": {"en": "Own", "ja": "自社"}, "definition": {"en": "x", "ja": "x"}}
    topic |= {"owner": {"en": "x", "ja": "x"}, "en": wordings}
    return Topics.model_validate({"topics": [topic], "tone": codebook().tone.model_dump()})


@pytest.mark.parametrize(
    ("comment", "topics"),
    [
        ("The parcel was not late at all", ["delivery"]),
        ("配送は遅くありませんでした", ["delivery"]),
        ("ＬＩＮＥの通知が多い", ["information"]),
        ("ｱﾌﾟﾘが落ちる", ["usability"]),
        ("I can’t log in", ["usability"]),
        ("It was expensive<br>and the SITE crashed", ["price", "usability"]),
        ("値段は高いが、店員さんは親切", ["price", "store"]),
        ("The free shipping is nice", ["price"]),
        ("the filter for dry hair doesn't work", ["usability"]),
        ("it didnt do anything", ["quality"]),
        ("We walked and went hiking", []),
        ("The quote for our salon came four days late", ["b2b"]),
        ("why do I need to register first", ["usability"]),
        ("sent to my previous address", ["delivery"]),
        ("湿疹が落ち着きました", ["quality"]),
        ("カード入力後に画面が固まった", ["usability"]),
        ("トラベルサイズがいつも品切れ", ["assortment"]),
        ("お気に入りの色が廃番", ["assortment"]),
        ("返金が2週間たってもない", ["returns"]),
        ("I get to the point", []),
        ("ポイントを押さえたアンケート", []),
        ("parc\u200bel arrived", ["delivery"]),
        ("特になし", []),
        ("👍👍", []),
        ("", []),
        ("   ", []),
        (None, []),
    ],
)
def test_topics_of_a_comment(comment, topics):
    assert topics_of(comment) == topics


def test_a_very_long_comment_and_mixed_scripts_are_read():
    long = "とても良い " * 20_000 + "delivery был поздно 配送"
    assert "delivery" in topics_of(long)


def test_rows_follow_the_answers_then_the_codebook_and_the_input_stays():
    data = pd.DataFrame({"id": ["b", "a"], "said": ["refund and late parcel", "app crashed"]}, index=[7, 7])
    before = data.copy()
    found = code_comments(data, response_id_col="id", comment_col="said")
    assert found.to_numpy().tolist() == [["b", "delivery"], ["b", "returns"], ["a", "usability"]]
    pd.testing.assert_frame_equal(data, before)


def test_a_comment_column_of_no_text_is_read_as_text_and_an_empty_table_gives_no_rows():
    assert code_comments(pd.DataFrame({"response_id": [1], "comment": [np.nan]})).empty
    assert list(code_comments(pd.DataFrame({"response_id": [], "comment": []})).columns) == [
        "response_id",
        "topic",
    ]


def test_an_id_that_stands_twice_is_refused_without_being_named():
    with pytest.raises(ParameterError, match="1 of 2") as caught:
        code_comments(pd.DataFrame({"response_id": ["secret", "secret"], "comment": ["a", "b"]}))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("pattern", ["(?=late)", r"(a)\1", "(?<!x)late", "a(b"])
def test_a_pattern_that_needs_another_engine_is_refused_by_its_place(tmp_path, pattern):
    text = load_rules("topics").model_dump(by_alias=True)
    import json

    text["topics"][0]["en"]["patterns"][2] = pattern
    file = tmp_path / "topics.yml"
    file.write_text(json.dumps(text, ensure_ascii=False), encoding="utf-8")
    with pytest.raises(InputError, match=r"topics\.0\.en\.patterns.*pattern 3"):
        code_comments(pd.DataFrame({"response_id": ["r"], "comment": ["x"]}), file)


def test_a_pattern_that_fits_everything_and_a_topic_twice_are_refused():
    with pytest.raises(ValueError, match="pattern_fits_all"):
        book_with(patterns=["a*"])
    twice = load_rules("topics").model_dump(by_alias=True)
    twice["topics"].append(twice["topics"][0])
    with pytest.raises(ValueError, match="named_twice"):
        Topics.model_validate(twice)


def test_a_pattern_that_fits_nothing_is_no_harm_and_one_that_fits_all_is_noticed():
    data = pd.DataFrame({"response_id": range(20), "customer_id": range(20), "comment": ["so good"] * 20})
    assert code_comments(data, book_with(patterns=["zzzz"])).empty
    wide = code_comments(data, book_with(patterns=["good"]))
    assert [row["note"] for row in comment_notes(data, wide, None)] == ["one_catches_all"]


def test_a_faint_wording_counts_only_where_no_topic_is_found_and_no_exception_holds():
    faint = book_with(patterns=["crumbles"], faint=["shampoo"], **{"except": ["dog shampoo"]})
    late = faint.topics[0].model_copy(update={"id": "late", "en": Wordings(patterns=["late"])})
    book = faint.model_copy(update={"topics": [faint.topics[0], late]})
    said = ["my shampoo", "my shampoo came late", "late crumbles", "my dog shampoo"]
    found = code_comments(pd.DataFrame({"response_id": list("abcd"), "comment": said}), book)
    assert found.to_numpy().tolist() == [["a", "own"], ["b", "late"], ["c", "own"], ["c", "late"]]


def test_codings_of_unknown_answers_are_noticed_and_passed_over():
    data = pd.DataFrame({"response_id": ["a"], "customer_id": ["1"], "comment": ["late parcel"]})
    codings = pd.DataFrame({"response_id": ["a", "z"], "coder": "A", "topic": "delivery"})
    (note,) = comment_notes(data, code_comments(data), codings)
    assert (note["note"], note["n"]) == ("unknown_codings", 1)
    assert mark_topics(data, codings)["delivery"].tolist() == [1]


def test_the_uncoded_share_counts_comments_and_their_customers():
    said = ["late parcel", "hm", None, "hm", "too expensive"]
    data = pd.DataFrame({"response_id": range(5), "customer_id": [1, 1, 2, 3, 4], "comment": said})
    row = coded_share(commented(data), code_comments(data)).iloc[0]
    assert (row["estimate"], row["n"], row["customers"]) == (0.5, 4, 3)
    assert 0 <= row["conf_low"] < 0.5 < row["conf_high"] <= 1


def test_every_rule_of_the_shipped_codebook_is_for_both_languages():
    for topic in codebook().topics:
        assert topic.en.patterns and topic.ja.patterns and topic.en.variants and topic.ja.variants


def test_texts_met_before_are_told_as_if_they_were_new(monkeypatch):
    whole = codebook()
    books = [whole, whole.model_copy(update={"topics": whole.topics[:2]})]
    said = [
        pd.Series(each)
        for each in (["too late", "ok", None], ["expensive", "too late"], ["高い", "ok", "ok"])
    ]
    monkeypatch.setattr(coding, "MOST_MET", 0)  # nothing is remembered
    new = [[mentions(each, book) for each in said] for book in books]
    assert new[0][0][0].any() and new[0][1].sum() == 2
    for most in (1, 2, 10):
        monkeypatch.setattr(coding, "MOST_MET", most)
        for _ in range(2):
            for book, of_book in zip(books, new, strict=True):
                for each, found in zip((*said, *said), (*of_book, *of_book), strict=True):
                    np.testing.assert_array_equal(mentions(each, book), found)


def test_a_comment_cut_in_the_midst_of_a_sign_is_read():
    said = pd.Series(["late parcel \ud83d", None], dtype=object)
    assert code_comments(pd.DataFrame({"response_id": [1, 2], "comment": said}))["topic"].tolist() == [
        "delivery"
    ]
