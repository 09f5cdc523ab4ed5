"""The course keeps its form, its notebooks are those of its sources, and the examiner knows every answer."""

import importlib.util
import json
import math
import re
import statistics
from pathlib import Path

import pytest
import yaml

import cxlib as cx
from cxlib.language import LANGUAGES
from cxlib.learn.course_files import COURSE, course, find_exercise
from cxlib.learn.simulated_company import broken_company, company

ROOT = Path(__file__).parents[1]
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
LINK, CODE = re.compile(r"\]\(([^)]+)\)"), re.compile(r"`([^`]+)`")
MOST_WORDS = 1200  # of English in a lesson; three characters of Japanese to a word
#: Rows of the parts a.1 to a.6 of the list of concepts that the handbook answers to.
PARTS = {"A": 18, "B": 32, "C": 17, "D": 10, "E": 10, "F": 20}
#: Exercises whose right answer estimates what was planted: the truth, and how far four standard errors reach.
PLANTED = {
    "cx_and_crm.2": (lambda truth: truth["journey"]["valley_stage"], None),
    "states.1": (lambda truth: truth["segments"]["attitude_state_share"]["wondering"], 0.04),
    "emotion_curve.2": (lambda truth: truth["journey"]["stage_mean_valence"]["wait"], 0.15),
    "valley.1": (lambda truth: truth["journey"]["valley_depth"], 0.2),
    "penalty.2": (lambda truth: truth["penalty_reward"]["support_chat"]["penalty"], 0.4),
    "f2.1": (lambda truth: truth["f2"]["by_day"]["90"], 0.035),
    "funnel.1": (lambda truth: math.prod(1 - each for each in _exits(truth).values()), 0.03),
    "funnel.2": (lambda truth: _exits(truth)["payment"], 0.03),
    "funnel.3": (lambda truth: max(_exits(truth), key=_exits(truth).get), None),
    "drivers.1": (lambda truth: truth["drivers"]["importance"]["driver_quality"], 0.08),
    "tickets.3": (lambda truth: 0.3, 0.05),
    "waiting.3": (lambda truth: truth["tickets"]["csat"]["per_day_waited"], 1.3),
    "pipeline.2": (lambda truth: truth["deals"]["stage_conversion"]["quoted"], 0.08),
    "cac.1": (lambda truth: truth["acquisition_cost"]["full"]["search_ad"], 700),
}
EXERCISES = [each for lesson in course().values() for each in lesson.exercises.values()]

each_lesson = pytest.mark.parametrize("lesson", course().values(), ids=lambda lesson: lesson.id)
each_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
each_language = pytest.mark.parametrize("lang", LANGUAGES)


@pytest.fixture(scope="module")
def build():
    spec = importlib.util.spec_from_file_location("build_course", Path(__file__).with_name("build_course.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _words_of(value):
    """Every text in two languages of a lesson's words, however deep."""
    if isinstance(value, dict) and set(value) == set(LANGUAGES):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _words_of(each)


@each_lesson
def test_a_lesson_comes_after_what_it_needs(lesson):
    assert all(course()[need].number < lesson.number for need in lesson.needs)
    assert (ROOT / "notebooks" / f"{lesson.chapter}.ipynb").is_file()


@each_lesson
def test_a_lesson_asks_at_least_three_times_and_has_a_quiz(lesson):
    assert len(lesson.exercises) >= 3
    assert len(lesson.quiz) >= 3
    assert all(each.wrong for each in lesson.exercises.values()), "no usual wrong answer is known"


@each_lesson
def test_words_are_said_in_both_languages(lesson):
    words = yaml.safe_load((COURSE / "lessons" / lesson.id / "exercises.yml").read_text(encoding="utf-8"))
    found = list(_words_of(words))
    assert found
    for each in found:
        assert not JAPANESE.search(CODE.sub("", each["en"])), each["en"]
        assert sorted(LINK.findall(each["en"])) == sorted(LINK.findall(each["ja"]))
        assert sorted(CODE.findall(each["en"])) == sorted(CODE.findall(each["ja"])), each["en"]
    assert sum(bool(JAPANESE.search(each["ja"])) for each in found) > 0.7 * len(found)


@each_lesson
def test_the_languages_of_a_lesson_are_alike(lesson, build):
    sides = [build.lesson_notebook(lesson, lang).cells for lang in LANGUAGES]
    assert [cell.cell_type for cell in sides[0]] == [cell.cell_type for cell in sides[1]]
    for english, japanese in zip(*sides, strict=True):
        if english.cell_type == "code":
            continue
        heads = [re.findall(r"^#+ ", cell.source, re.MULTILINE) for cell in (english, japanese)]
        assert heads[0] == heads[1], english.source[:80]
        assert not JAPANESE.search(CODE.sub("", english.source)), english.source[:80]
        assert JAPANESE.search(japanese.source), english.source[:80]


@each_lesson
def test_a_lesson_is_read_in_a_quarter_of_an_hour(lesson, build):
    for lang, per_word in (("en", 1), ("ja", 3)):
        cells = build.lesson_notebook(lesson, lang).cells
        prose = " ".join(cell.source for cell in cells if cell.cell_type == "markdown")
        length = len(prose.split()) if per_word == 1 else len(prose) / per_word
        assert length <= MOST_WORDS
        sizes = [
            sum(bool(line.strip()) for line in cell.source.splitlines())
            for cell in cells
            if cell.cell_type == "code"
        ]
        assert statistics.median(sizes) <= 3
        assert max(sizes) <= 12
        lines = [line for cell in cells if cell.cell_type == "code" for line in cell.source.splitlines()]
        assert max(len(line) for line in lines) <= 100


@each_lesson
@each_language
def test_stored_notebooks_are_those_of_the_sources(lesson, lang, build):
    for made, ending in ((build.lesson_notebook, ""), (build.exercise_notebook, "_exercises")):
        path = COURSE / lang / f"{build.name(lesson)}{ending}.ipynb"
        stored = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources = ["".join(cell["source"]) for cell in stored]
        assert sources == [cell.source for cell in made(lesson, lang).cells], "run tests/build_course.py"
        outputs = [output for cell in stored for output in cell.get("outputs", [])]
        assert bool(outputs) != bool(ending), "a lesson is stored run, exercises are the learner's"
        assert not [output for output in outputs if output["output_type"] in ("error", "stream")], path


@each_lesson
def test_an_exercise_done_again_is_about_the_sound_company_unless_it_is_broken(lesson, build):
    held = build.exercise_notebook(lesson, "en").cells
    asked = [cell.source for cell in held if "= ..." in cell.source]
    has_fault = any(each.fault for each in lesson.exercises.values())
    for each, source in zip(lesson.exercises.values(), asked, strict=True):
        assert ("broken_company(" in source) == bool(each.fault)
        assert ("learn.company(" in source) == (has_fault and not each.fault)


@each_language
def test_the_first_lesson_needs_nothing_and_the_last_leads_to_data_of_ones_own(lang, build):
    first, *_, last = course().values()
    assert build.FRAME["nothing_before"][lang] in build.lesson_notebook(first, lang).cells[0].source
    assert build.FRAME["nothing_next"][lang] in build.lesson_notebook(last, lang).cells[-1].source


def test_no_notebook_is_left_of_what_the_course_no_longer_has(build):
    for lang in LANGUAGES:
        held = {path.stem.removesuffix("_exercises") for path in (COURSE / lang).glob("*.ipynb")}
        assert held == {build.name(lesson) for lesson in course().values()}
    assert {path.name for path in (COURSE / "lessons").iterdir() if path.is_dir()} == set(course())


def test_the_page_of_the_course_lists_what_there_is(build):
    assert (COURSE / "README.md").read_text(encoding="utf-8") == build.readme(), "run tests/build_course.py"


def _exits(truth):
    return truth["journey"]["exit_rate_by_page"]


def _near_what_was_planted(name, seed):
    planted, reach = PLANTED[name]
    found, truth = find_exercise(name).right(company(seed)), planted(company(seed).truth)
    assert found == truth if reach is None else abs(found - truth) <= reach, (name, found, truth)


def _marked(exercise, seed):
    shop = broken_company(exercise.fault, seed) if exercise.fault else company(seed)
    right = cx.learn.check(exercise.id, exercise.right(shop), shop=shop, lang="en")
    assert (right.status, exercise.why["en"] in right.words) == ("right", True)
    for key, (compute, said) in exercise.wrong.items():
        outcome = cx.learn.check(exercise.id, compute(shop), shop=shop, lang="ja")
        assert (outcome.status, said["ja"] in outcome.words) == ("not_yet", True), key


@pytest.mark.slow
@each_exercise
def test_the_examiner_knows_right_from_the_usual_wrong_answers(exercise):
    _marked(exercise, 7)


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANTED)
def test_a_right_answer_lies_near_what_was_planted(name):
    _near_what_was_planted(name, 7)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1, 11))
def test_the_examiner_knows_in_every_company(seed):
    for exercise in EXERCISES:
        _marked(exercise, seed)
    for name in PLANTED:
        _near_what_was_planted(name, seed)


@pytest.mark.long
@each_lesson
@each_language
def test_the_notebooks_of_a_lesson_run(lesson, lang, build, tmp_path):
    from nbclient import NotebookClient

    where = {"metadata": {"path": str(tmp_path)}}
    for made in (build.lesson_notebook, build.exercise_notebook):
        notebook = made(lesson, lang)
        NotebookClient(notebook, timeout=120, resources=where).execute()
    assert (tmp_path / "course_progress.html").is_file()
    assert not (tmp_path / "course_progress.json").exists(), "nothing was attempted"


def test_every_concept_has_its_lesson_functions_and_chapter():
    held = cx.learn.concepts(lang="ja")
    wanted = [f"{part}{number}" for part, rows in PARTS.items() for number in range(1, rows + 1)]
    assert held["concept"].tolist() == wanted
    assert set(held["lesson"]) == set(course()), "a lesson without a concept, or the other way round"
    names = {name for functions in held["function"] for name in functions.split(", ")}
    assert sorted(name for name in names if not _is_public(name)) == []


@pytest.mark.parametrize("concept", cx.learn.concepts().to_dict("records"), ids=lambda row: row["concept"])
def test_a_concept_is_computed_where_it_is_said_to_be(concept):
    """One of its functions is called in the chapter, or in the lesson or its answers."""
    code = (ROOT / "notebooks" / f"{concept['chapter']}.ipynb").read_text(encoding="utf-8")
    for path in (COURSE / "lessons" / concept["lesson"]).glob("*.*"):
        code += path.read_text(encoding="utf-8")
    names = [name.rpartition(".")[2] for name in concept["function"].split(", ")]
    assert any(re.search(rf"\b{name}\b", code) for name in names)


def _is_public(name):
    wing, _, rest = name.rpartition(".")
    return rest in dir(getattr(cx, wing) if wing else cx)
