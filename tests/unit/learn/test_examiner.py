"""The examiner: what counts as an answer, which slips it names, and what it keeps."""

import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.checks import ParameterError
from cxlib.learn import course_files, learners_progress
from cxlib.learn.course_files import Exercise
from cxlib.learn.examiner import same

WORDS = {"en": "so it is", "ja": "そういうことです"}


@pytest.fixture(autouse=True)
def learner(monkeypatch):
    """A learner of each test's own."""
    monkeypatch.setattr(learners_progress, "_NOW", [learners_progress.Learner()])
    monkeypatch.setattr(learners_progress, "_TRIED", {})


@pytest.fixture
def asked(monkeypatch):
    """One exercise with the answer 0.25, marked without a company."""

    def _asked(right, **wrong):
        told = {
            key: (lambda shop, value=value: value, {"en": key, "ja": key}) for key, value in wrong.items()
        }
        exercise = Exercise("x.1", WORDS, WORDS, WORDS, lambda shop: right, told)
        monkeypatch.setattr("cxlib.learn.examiner.find_exercise", lambda name: exercise)

        return lambda answer, lang="en": cx.learn.check("x.1", answer, shop=object(), lang=lang)

    return _asked


@pytest.mark.parametrize("answer", [None, ..., np.nan, pd.NA, [], "", " ", [np.nan], pd.Series([pd.NA])])
def test_nothing_is_no_attempt(asked, answer):
    assert asked(0.25)(answer).status == "not_attempted"
    assert not learners_progress.has_tried("x.1")


@pytest.mark.parametrize(
    "answer",
    [
        0.25,
        0.2501,
        np.float64(0.25),
        Decimal("0.25"),
        {"f2": 0.25},
        pd.Series([0.25]),
        pd.DataFrame({"f2": [0.25]}),
    ],
)
def test_one_cell_counts_as_its_value(asked, answer):
    assert asked(0.25)(answer).status == "right"


def test_a_usual_wrong_answer_is_named(asked):
    check = asked(0.25, naive=0.2, other=0.3)
    assert "naive" in check(0.2).words
    assert "other" in check(0.3).words


def test_of_answers_that_lie_close_the_nearest_is_meant(asked):
    check = asked(0.25, naive=0.251, other=0.249)
    assert [check(value).status for value in (0.25, 0.2501, 0.2509)] == ["right", "right", "not_yet"]
    assert "naive" in check(0.2509).words and "other" in check(0.249).words
    both = asked([0.1, 0.25], naive=[0.1, 0.251], same=[0.1, 0.25])
    assert both([0.1, 0.25]).status == "right" and "naive" in both([0.1, 0.251]).words


@pytest.mark.parametrize(
    ("right", "answer", "said"),
    [
        (0.25, 25, "Divide by 100"),
        (0.25, -0.25, "sign"),
        (0.25, 0.9, "usual"),
        (0.25, "25%", "One number"),
        (0.25, True, "One number"),
        (0.25, np.inf, "usual"),
        (0.25, 10**400, "usual"),
        (-41.0, -0.41, "Multiply by 100"),
        (41.0, 4100, "usual"),
        (1_989_082.5, 198.9, "ten thousands"),
        (1_989_082.5, 1.99, "millions"),
        (0.0312, 0.03, "Rounded"),
        (68, 70, "usual"),
        ("decide", 3, "One name"),
        ([0.1, 0.2], [[0.1, 0.2], [0.1, 0.2]], "usual"),
    ],
)
def test_slips_of_any_exercise_are_named(asked, right, answer, said):
    outcome = asked(right)(answer)
    assert (outcome.status, said in outcome.words) == ("not_yet", True), outcome


def test_what_is_rounded_is_not_called_a_slip(asked):
    check = asked(10_357.98, naive=10_403.4)
    assert "Rounded" in check(10_400).words
    assert "naive" in check(10_403).words
    assert check(10_360).status == "right"


def test_of_several_values_each_may_be_one_cell(asked):
    assert asked([0.1, 0.2])([pd.Series([0.1]), np.array([0.2])]).status == "right"


@pytest.mark.parametrize("answer", ["decide", "続けるか迷う", "ｄｅｃｉｄｅ", "WONDERING whether to go on"])
def test_a_code_may_be_answered_in_the_words_of_a_lesson(asked, answer):
    assert asked("decide")(answer).status == "right"
    assert asked({"decide", "buy"})(["買う", answer]).status == "right"
    assert asked({"decide", "buy"})([answer, answer]).status == "not_yet"
    assert "other" in asked("buy", other="decide")(answer).words


def test_several_values_are_asked_for_by_their_number(asked):
    outcome = asked([0.1, 0.2])(0.1)
    assert "2 values" in outcome.words


@pytest.mark.parametrize(
    ("given", "right", "is_same"),
    [
        (" Decide ", "decide", True),
        ("buy", "decide", False),
        (["b", "a"], {"a", "b"}, True),
        (["a"], {"a", "b"}, False),
        ([0.1, 0.2], [0.1, 0.2], True),
        ([0.2, 0.1], [0.1, 0.2], False),
        (True, True, True),
        (1, True, False),
        (0.0, 0.0, True),
        (np.nextafter(100.5, 0), 100, True),
        (101.5, 100, False),
    ],
)
def test_two_answers_are_one(given, right, is_same):
    assert same(given, right, 0.01) is is_same or same(given, right, 0.005) is is_same


def test_words_come_in_the_learners_language(asked):
    assert asked(0.25)(0.25, lang="ja").words == "正解です。" + WORDS["ja"]


def test_the_solution_waits_for_a_try(tmp_path):
    cx.learn.start(lang="en", folder=tmp_path)
    assert "Try first" in cx.learn.solution("f2.1").words
    cx.learn.check("f2.1", 0.123)
    assert "answer_1 = 1 - curve" in cx.learn.solution("f2.1").words


def test_progress_is_kept_in_the_folder_and_right_stays_right(tmp_path):
    shop = cx.learn.start(folder=tmp_path)
    right = course_files.find_exercise("f2.1").right(shop)
    for answer in (0.5, right, 0.5):
        cx.learn.check("f2.1", answer)
    cx.learn.start(folder=tmp_path, lang="ja")
    told = cx.learn.progress().set_index("lesson").loc["f2"]
    assert (told["tried"], told["right"]) == (1, 1)
    assert json.loads((tmp_path / "course_progress.json").read_text()) == {"f2.1": "right"}
    page = (tmp_path / "course_progress.html").read_text(encoding="utf-8")
    assert "学習の記録" in page
    assert "<script" not in page


@pytest.mark.parametrize("kept", ["", "{", "[1]", '{"f2.1": "<b>", "x": 3, "f2.2": ["right"]}', "[" * 9999])
def test_a_damaged_file_of_progress_counts_as_none(tmp_path, kept):
    (tmp_path / "course_progress.json").write_text(kept)
    cx.learn.start(folder=tmp_path)
    assert cx.learn.progress()["tried"].sum() == 0


def test_notebooks_side_by_side_keep_what_each_other_did(tmp_path):
    cx.learn.start(folder=tmp_path)
    cx.learn.check("f2.1", 0.5)
    other = {"f2.1": "right", "f2.2": "not_yet"}
    (tmp_path / "course_progress.json").write_text(json.dumps(other))
    assert cx.learn.progress()["right"].sum() == 1
    cx.learn.check("f2.3", 7.0)
    kept = json.loads((tmp_path / "course_progress.json").read_text())
    assert kept == other | {"f2.3": "not_yet"}
    assert [path.name for path in tmp_path.glob(".*")] == []


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_answers_are_marked_where_nothing_can_be_written(tmp_path, lang):
    (tmp_path / "file").write_text("no folder")
    cx.learn.start(folder=tmp_path / "file", lang=lang)
    with pytest.warns(UserWarning, match="folder"):
        assert cx.learn.check("f2.1", 0.5).status == "not_yet"
    with pytest.warns(UserWarning, match="folder"):
        assert cx.learn.progress()["tried"].sum() == 1


def test_a_folder_that_is_not_there_is_made(tmp_path):
    cx.learn.start(folder=tmp_path / "mine" / "course")
    cx.learn.check("f2.1", 0.5)
    assert (tmp_path / "mine" / "course" / "course_progress.json").is_file()


def test_nothing_is_kept_without_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cx.learn.start()
    cx.learn.check("f2.1", 0.5)
    cx.learn.progress()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("answers", ["A B C", "a,b,c", "ａｂｃ", ["a", "b", "c"]])
def test_letters_of_a_quiz_are_read_however_they_are_typed(answers):
    assert cx.learn.quiz("f2", answers).words == cx.learn.quiz("f2", "abc").words


@pytest.mark.parametrize("ask", ["check", "hint", "solution", "quiz", "progress", "in_words"])
def test_a_language_that_is_not_spoken_is_named(ask):
    about = {"check": ["f2.1", 1], "hint": ["f2.1"], "solution": ["f2.1"], "quiz": ["f2"], "progress": []}
    about["in_words"] = [pd.DataFrame({"stage": ["buy"]})]
    with pytest.raises(ParameterError, match="lang"):
        getattr(cx.learn, ask)(*about[ask], lang="fr")


def test_a_quiz_is_asked_and_marked():
    asked = cx.learn.quiz("f2").words
    n = len(course_files.find_lesson("f2").quiz)
    assert asked.count("a) ") == n
    marks = [cx.learn.quiz("f2", letter * n).words.count("Right.") for letter in "abc"]
    assert sum(marks) == n, "one choice of each question is right"
    with pytest.raises(ParameterError, match="one letter for each"):
        cx.learn.quiz("f2", "a" * (n + 1))


@pytest.mark.parametrize("call", [cx.learn.hint, cx.learn.solution, lambda name: cx.learn.check(name, 1)])
def test_an_unknown_exercise_is_an_error_with_the_nearest_name(call):
    with pytest.raises(ParameterError, match=r"f2\.1"):
        call("f2.l")


def test_unknown_languages_and_faults_are_errors():
    with pytest.raises(ParameterError, match="lang"):
        cx.learn.start(lang="fr")
    with pytest.raises(ParameterError, match="fault"):
        cx.learn.broken_company("dup")
