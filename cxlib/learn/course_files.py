"""The course as it lies in `notebooks/course/`: lessons in order, their exercises and quizzes, and concepts.

A lesson is a folder: `lesson.md` is read, `exercises.yml` asks and explains, `answers.py` computes what is
right (`right_1(shop)`) and what is usually said instead (`wrong_1_naive(shop)`).
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from cxlib.checks import fail_option
from cxlib.data.places import HANDBOOK
from cxlib.language import LANGUAGES

if TYPE_CHECKING:
    import pandas as pd

COURSE = HANDBOOK / "notebooks" / "course"
Words = Mapping[str, str]  # by language


@dataclass(frozen=True)
class Exercise:
    """One question of a lesson, with what it takes to mark an answer.

    A class because the words, in two files, and the functions that compute answers belong to one question.
    """

    id: str
    ask: Words
    hint: Words
    why: Words
    right: Callable[..., Any]
    wrong: Mapping[str, tuple[Callable[..., Any], Words]]
    start: str = ""
    fault: str = ""
    tolerance: float = 0.01


@dataclass(frozen=True)
class Lesson:
    """One lesson: its names, what comes before it, its exercises and its quiz.

    A class because notebooks, site, progress page and examiner read the same facts of a lesson.
    """

    id: str
    number: int
    title: Words
    idea: Words
    needs: tuple[str, ...]
    minutes: int
    chapter: str
    exercises: Mapping[str, Exercise] = field(repr=False)
    quiz: tuple[Mapping[str, Any], ...] = field(repr=False)


def _read(path: Path) -> Any:
    import yaml

    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _answers(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"course_{folder.name}", folder / "answers.py")
    assert spec and spec.loader, folder
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _exercise(number: int, words: dict[str, Any], lesson: str, answers: ModuleType) -> Exercise:
    wrong = {
        key: (getattr(answers, f"wrong_{number}_{key}"), said) for key, said in words.pop("wrong", {}).items()
    }
    return Exercise(f"{lesson}.{number}", right=getattr(answers, f"right_{number}"), wrong=wrong, **words)


@functools.lru_cache(maxsize=1)
def course() -> dict[str, Lesson]:
    """Read the lessons in the order in which they are taken, by id."""
    read: dict[str, Lesson] = {}
    for number, name in enumerate(_read(COURSE / "course.yml")):
        folder = COURSE / "lessons" / name
        words, answers = _read(folder / "exercises.yml"), _answers(folder)
        exercises = [
            _exercise(place, asked, name, answers) for place, asked in enumerate(words.pop("exercises"), 1)
        ]
        words["needs"], words["quiz"] = tuple(words["needs"]), tuple(words["quiz"])
        read[name] = Lesson(name, number, exercises={each.id: each for each in exercises}, **words)
    return read


def find_lesson(lesson: str) -> Lesson:
    """Give a lesson by its id."""
    if lesson not in course():
        fail_option("lesson", lesson, course())
    return course()[lesson]


def find_exercise(exercise: str) -> Exercise:
    """Give an exercise by its id, as "f2.1"."""
    known = {name: each for lesson in course().values() for name, each in lesson.exercises.items()}
    if exercise not in known:
        fail_option("exercise", exercise, known)
    return known[exercise]


def lessons(*, lang: str = "en") -> pd.DataFrame:
    """List the lessons in the order in which they are taken.

    Parameters
    ----------
    lang : {"en", "ja"}
        Language of titles and ideas.

    Returns
    -------
    DataFrame
        `number, lesson, title, idea, needs` (lessons before it), `minutes, exercises` (how many), `chapter`.

    Examples
    --------
    >>> lessons().query("lesson == 'f2'")["chapter"].item()
    '02_journey'
    """
    import pandas as pd

    check_language(lang)
    rows = [
        {
            "number": each.number,
            "lesson": each.id,
            "title": each.title[lang],
            "idea": each.idea[lang],
            "needs": ", ".join(each.needs),
            "minutes": each.minutes,
            "exercises": len(each.exercises),
            "chapter": each.chapter,
        }
        for each in course().values()
    ]
    return pd.DataFrame(rows)


def concepts(*, lang: str = "en") -> pd.DataFrame:
    """Tabulate what the handbook computes: concept → lesson → function → chapter.

    Parameters
    ----------
    lang : {"en", "ja"}
        Language of the concepts' names.

    Returns
    -------
    DataFrame
        `concept` (id), `name, lesson, function` (public names, comma-separated), `chapter`.

    Examples
    --------
    >>> concepts().query("concept == 'B16'")["lesson"].item()
    'f2'
    """
    import pandas as pd

    check_language(lang)
    rows = [
        {
            "concept": name,
            "name": held[lang],
            "lesson": held["lesson"],
            "function": ", ".join(held["functions"]),
            "chapter": held["chapter"],
        }
        for name, held in _read(COURSE / "concepts.yml").items()
    ]
    return pd.DataFrame(rows)


def check_language(lang: str) -> None:
    """Refuse a language in which the course is not told."""
    if lang not in LANGUAGES:
        fail_option("lang", lang, LANGUAGES)
