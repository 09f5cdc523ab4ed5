"""The examiner: tells right from not yet, and a usual wrong answer by its name."""

from __future__ import annotations

import ast
import functools
import inspect
import math
import random
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any, Literal

from cxlib.checks import ParameterError
from cxlib.language import text
from cxlib.learn.codes_in_words import names_of
from cxlib.learn.course_files import Exercise, Words, find_exercise, find_lesson
from cxlib.learn.learners_progress import has_tried, keep, learner, spoken
from cxlib.learn.simulated_company import Company, broken_company, company

_LARGEST, _TOO_MANY = 1e300, 100  # no answer is a larger number, or holds as many
Status = Literal["right", "not_yet", "not_attempted"]


@dataclass(frozen=True, repr=False)
class Outcome:
    """What the examiner says; shows itself as its words.

    A class because a notebook shows the words and a test, or a teacher's own code, asks for the status.
    """

    status: Status
    words: str

    def __repr__(self) -> str:
        return self.words


def check(exercise: str, answer: Any, *, shop: Company | None = None, lang: str | None = None) -> Outcome:
    """Mark an answer: right, not yet and why, or not attempted.

    Parameters
    ----------
    exercise : str
        Its id, as "f2.1".
    answer : number, text, yes/no, or several of them
        `None` and `...` are no attempt. Shares are 0–1; a column or frame of one cell counts as its value.
    shop : Company, optional
        The company it was computed on; by default the learner's own (`start`).
    lang : {"en", "ja"}, optional
        By default the learner's.

    Returns
    -------
    Outcome
        `status` ("right", "not_yet", "not_attempted") and `words`.

    Raises
    ------
    ParameterError
        Unknown exercise.

    Examples
    --------
    >>> check("f2.1", None).status
    'not_attempted'
    """
    asked, lang = find_exercise(exercise), spoken(lang)
    given = _plain(answer)
    if given is None:
        return Outcome("not_attempted", text("learn.not_attempted", lang))
    outcome = _judge(asked, given, _own(asked, shop), lang)
    keep(exercise, outcome.status)
    return outcome


def _own(asked: Exercise, shop: Company | None) -> Company:
    if shop is not None:
        return shop
    seed = learner().seed
    return broken_company(asked.fault, seed) if asked.fault else company(seed)


def _judge(asked: Exercise, given: Any, shop: Company, lang: str) -> Outcome:
    right = _computed(asked.right, shop)
    if same(given, right, 0.0):
        return Outcome("right", text("learn.right", lang, why=asked.why[lang]))
    wrong = [(_computed(compute, shop), said) for compute, said in asked.wrong.values()]
    near = [(value, said) for value, said in [(right, None), *wrong] if same(given, value, asked.tolerance)]
    _, said = min(near, key=lambda known: _distance(given, known[0]), default=(None, None))
    if (
        said is not None
        and _is_rounded(given, right)
        and not any(same(given, value, 0.0) for value, _ in near)
    ):
        return Outcome("not_yet", text("learn.not_yet", lang, why=text("learn.rounded", lang)))
    if near:  # a usual wrong answer may lie within the tolerance of the right one: the nearest is meant
        status: Status = "right" if said is None else "not_yet"
        return Outcome(status, text(f"learn.{status}", lang, why=(said or asked.why)[lang]))
    why = text(f"learn.{_slip(given, right, asked.tolerance)}", lang, count=_size(right))
    return Outcome("not_yet", text("learn.not_yet", lang, why=why))


@functools.lru_cache(maxsize=64)  # the answers of few exercises: more would keep companies that are done with
def _computed(compute: Callable[[Company], Any], shop: Company) -> Any:
    """Compute what is right, or a usual wrong answer, once for a company: most are tried more than once."""
    return _plain(compute(shop))


def _slip(given: Any, right: Any, tolerance: float) -> str:
    """Name a slip that can happen in any exercise: another kind of answer, rounding, the unit, the sign."""
    if _is_number(given) != _is_number(right) or _size(given) != _size(right):
        kind = "number" if _is_number(right) else "text" if isinstance(right, str) else "several"
        return f"expects_{kind}"
    if not _is_number(given):
        return "unknown_slip"
    possible = {
        "rounded": (1, True),
        "percent": (100, abs(right) <= 1),
        "per_hundred": (1 / 100, abs(given) <= 1),
        "thousands": (1 / 1000, abs(right) >= 1000),
        "ten_thousands": (1 / 10_000, abs(right) >= 1000),
        "millions": (1 / 1_000_000, abs(right) >= 1000),
        "sign": (-1, True),
    }
    found = (
        slip
        for slip, (times, can_be) in possible.items()
        if can_be and (same(given, times * right, tolerance) or _is_rounded(given, times * right))
    )
    return next(found, "unknown_slip")


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _is_rounded(given: Any, right: Any) -> bool:
    """Whether a number is the right one with fewer digits; a single digit before the point is a guess."""
    if not (_is_number(given) and _is_number(right) and math.isfinite(given)) or given == 0:
        return False
    _, digits, exponent = Decimal(repr(float(given))).normalize().as_tuple()
    return (len(digits) > 1 or int(exponent) < 0) and math.isclose(round(float(right), -int(exponent)), given)


def _size(value: Any) -> int:
    return len(value) if isinstance(value, Collection) and not isinstance(value, str) else 1


def _plain(answer: Any) -> Any:
    """Answer as number, text, list or set; None where there is none."""
    if hasattr(answer, "to_numpy"):
        answer = answer.to_numpy()
    if hasattr(answer, "tolist"):
        answer = answer.tolist()
    if isinstance(answer, Mapping):
        answer = list(answer.values())
    if isinstance(answer, list | tuple) and len(answer) < _TOO_MANY:
        answer = [_plain(each) for each in answer]
        return answer if len(answer) > 1 else answer[0] if answer else None
    if isinstance(answer, Decimal):
        answer = float(answer)
    if isinstance(answer, int | float) and abs(answer) > _LARGEST:
        answer = math.inf
    if isinstance(answer, str):
        answer = answer.strip()
    is_missing = answer is None or answer is ... or str(answer) == "<NA>" or answer != answer
    return None if is_missing or (isinstance(answer, str | Collection) and not answer) else answer


def same(given: Any, right: Any, tolerance: float) -> bool:
    """Whether two answers are one: numbers within `tolerance`, codes by any name, sets in any order.

    Examples
    --------
    >>> same(0.314, 0.3138, 0.01), same("Decide", "decide", 0), same(["b", "a"], {"a", "b"}, 0)
    (True, True, True)
    """
    if isinstance(right, bool) or isinstance(given, bool):
        return given is right
    if isinstance(given, Real) and isinstance(right, Real):
        return abs(float(given) - float(right)) <= tolerance * abs(float(right)) + 1e-9
    if isinstance(given, str) and isinstance(right, str):
        return _folded(given) in map(_folded, names_of(right))
    if isinstance(right, set | frozenset) and isinstance(given, Collection) and not isinstance(given, str):
        named = all(any(same(each, one, tolerance) for one in right) for each in given)
        return named and all(any(same(each, one, tolerance) for each in given) for one in right)
    if isinstance(given, list | tuple) and isinstance(right, list | tuple) and len(given) == len(right):
        return all(same(one, other, tolerance) for one, other in zip(given, right, strict=True))
    return False


def _folded(said: str) -> str:
    """Text without what a keyboard adds: capitals, blanks around it, letters of full width."""
    return unicodedata.normalize("NFKC", said).strip().casefold()


def _distance(given: Any, value: Any) -> float:
    """How far apart two answers are that count as one; texts and sets are not."""
    if isinstance(given, list | tuple) and isinstance(value, list | tuple):
        return sum(map(_distance, given, value))
    return abs(float(given) - float(value)) if isinstance(given, Real) else 0.0


def hint(exercise: str, *, lang: str | None = None) -> Outcome:
    """Say what to think of next.

    Examples
    --------
    >>> hint("f2.1").status
    'not_attempted'
    """
    return Outcome("not_attempted", find_exercise(exercise).hint[spoken(lang)])


def solution(exercise: str, *, lang: str | None = None) -> Outcome:
    """Show the code of the right answer and why it is right, once an answer was tried.

    Examples
    --------
    >>> from cxlib.learn.learners_progress import start
    >>> _ = start()
    >>> solution("f2.1").words[:9]
    'Try first'
    """
    asked, lang = find_exercise(exercise), spoken(lang)
    if not has_tried(exercise):
        return Outcome("not_attempted", text("learn.try_first", lang, exercise=exercise))
    return Outcome("right", f"{_body(asked)}\n\n{asked.why[lang]}")


def _body(asked: Exercise) -> str:
    """Lines of the function that computes the answer, as a learner would write them."""
    source = inspect.getsource(asked.right)
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    has_docstring = ast.get_docstring(function) is not None
    lines = source.splitlines()[function.body[1 if has_docstring else 0].lineno - 1 :]
    named = f"answer_{asked.id.rpartition('.')[2]} = "  # as in the exercise's cell
    return inspect.cleandoc("\n" + "\n".join(lines)).replace("return ", named)


def quiz(lesson: str, answers: str = "", *, lang: str | None = None) -> Outcome:
    """Ask the quiz of a lesson; with `answers`, one letter a question as "bca", mark it.

    Parameters
    ----------
    lesson : str
        Its id, as "f2".
    answers : str
        One letter for each question; blanks and commas don't count.
    lang : {"en", "ja"}, optional
        By default the learner's.

    Returns
    -------
    Outcome
        The questions; or for each question whether it is right, and why.

    Raises
    ------
    ParameterError
        Unknown lesson, or not as many letters as there are questions.

    Examples
    --------
    >>> quiz("f2").status
    'not_attempted'
    """
    asked, lang = find_lesson(lesson), spoken(lang)
    sheets = [_choices(f"{lesson}.{place}", each) for place, each in enumerate(asked.quiz)]
    letters = "".join(filter(str.isalnum, _folded("".join(answers or ""))))
    if not letters:
        told = [
            "\n".join([f"{place}. {each['ask'][lang]}", *_lettered(sheet, lang)])
            for place, (each, sheet) in enumerate(zip(asked.quiz, sheets, strict=True), 1)
        ]
        return Outcome("not_attempted", "\n\n".join(told))
    if len(letters) != len(sheets):
        raise ParameterError("learn.letters", count=len(sheets), found=len(letters))
    hits = [letter == _letter(sheet) for letter, sheet in zip(letters, sheets, strict=True)]
    told = [
        f"{place}. {text('learn.right' if hit else 'learn.not_yet', lang, why=each['why'][lang])}"
        for place, (hit, each) in enumerate(zip(hits, asked.quiz, strict=True), 1)
    ]
    status: Status = "right" if all(hits) else "not_yet"
    keep(f"{lesson}.quiz", status)
    return Outcome(status, "\n".join(told))


def _choices(question: str, asked: Mapping[str, Any]) -> list[tuple[bool, Words]]:
    """Choices of a question in an order of its own that stays the same, each with whether it is right."""
    sheet = [(True, asked["right"]), *((False, each) for each in asked["wrong"])]
    random.Random(question).shuffle(sheet)
    return sheet


def _lettered(sheet: list[tuple[bool, Words]], lang: str) -> list[str]:
    return [f"   {letter}) {words[lang]}" for letter, (_, words) in zip("abcdef", sheet, strict=False)]


def _letter(sheet: list[tuple[bool, Words]]) -> str:
    return next(letter for letter, (is_right, _) in zip("abcdef", sheet, strict=False) if is_right)
