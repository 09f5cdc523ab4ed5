"""Words of comments: what sets groups apart, phrases to add, quotes without names, scores against words."""

import pandas as pd
import pytest

from cxlib.checks import ParameterError
from cxlib.voice.topics.tone import scores_against_words, tone_hints
from cxlib.voice.topics.words import distinctive_words, topic_quotes, uncoded_phrases

CANARIES = (
    "Hanako Yamada",
    "山田花子",
    "hanako@example.com",
    "090-1234-5678",
    "ヤマダハナコ",
    "@hanako_y",
    "Müller",
)


def company(extra=(), n=40):
    said = ["The parcel was late again"] * n + ["配送がとても遅いです"] * n + list(extra)
    data = pd.DataFrame({"response_id": range(len(said)), "customer_id": range(len(said)), "comment": said})
    return data, pd.DataFrame({"response_id": data["response_id"], "topic": "delivery"})


def test_nothing_is_quoted_unless_asked_for():
    assert topic_quotes(*company()).empty


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize(
    "frame", ["The parcel was late again, {}", "配送がとても遅いです {}", "{} The parcel was late"]
)
def test_no_name_mail_or_number_is_quoted_or_listed(canary, frame):
    data, on = company([frame.format(canary)] * 9)
    quoted = " ".join(topic_quotes(data, on, quotes=True, per_topic=50)["quote"])
    alone = data.assign(comment=frame.format(canary)).head(9)
    listed = " ".join(uncoded_phrases(alone)["phrase"])
    words = " ".join(distinctive_words(data, data["response_id"] % 2 == 0)["word"])
    assert "late" in quoted or "配送" in quoted
    for part in canary.lower().split():
        assert part not in quoted and part not in listed and part not in words


def test_a_name_with_a_title_is_never_quoted_even_if_many_write_it():
    data, on = company(
        ["the parcel of mr. tanaka was late again"] * 30 + ["佐藤さん 配送がとても遅いです"] * 30
    )
    quotes = " ".join(topic_quotes(data, on, quotes=True, per_topic=50)["quote"])
    assert "tanaka" not in quotes and "佐藤" not in quotes and "parcel" in quotes


def test_topics_of_few_customers_are_not_quoted():
    data, on = company(n=4)
    assert topic_quotes(data, on, quotes=True).empty
    with pytest.raises(ParameterError):
        topic_quotes(data, on, quotes=True, min_cell=1)


def test_phrases_are_those_of_comments_without_a_topic():
    said = ["the shape of the sky"] * 12 + ["猫の昼寝がすき"] * 12 + ["late parcel"] * 50
    data = pd.DataFrame({"customer_id": range(74), "comment": said})
    phrases = uncoded_phrases(data)
    assert "late parcel" not in phrases["phrase"].tolist()
    assert phrases["customers"].max() <= 24
    assert uncoded_phrases(data.assign(customer_id=1)).empty


def test_words_need_enough_customers_and_are_counted_once_each():
    said = ["late late late parcel"] * 20 + ["lovely scent"] * 20
    data = pd.DataFrame({"customer_id": [*[1] * 20, *range(20)], "comment": said})
    words = distinctive_words(data, [True] * 20 + [False] * 20)
    assert "parcel" not in words["word"].tolist() and (words["n"] <= 20).all()


@pytest.mark.parametrize(
    ("comment", "hint"),
    [
        ("Lovely cream, thank you", "praise"),
        ("Not good at all", "complaint"),
        ("It was never late", "praise"),
        ("Good, but too expensive", "both"),
        ("遅くなかったです", "praise"),
        ("使いやすくないです", "complaint"),
        ("最高！でも高いです", "both"),
        ("hm", "none"),
        (None, "none"),
    ],
)
def test_the_hint_turns_with_a_negation(comment, hint):
    found = tone_hints(pd.DataFrame({"response_id": ["r"], "comment": [comment]}))
    assert found["hint"].tolist() == [hint]


def test_scores_against_words_list_no_text():
    said = ["Terrible, it leaks", "Lovely", "Wonderful cream", None]
    data = pd.DataFrame(
        {"response_id": list("abcd"), "customer_id": list("wxyz"), "nps_score": [9, 10, 2, 9]}
    )
    listed = scores_against_words(data.assign(comment=said))
    assert listed[["kind", "response_id"]].to_numpy().tolist() == [
        ["promoter_complains", "a"],
        ["detractor_praises", "c"],
    ]
    assert "comment" not in listed
