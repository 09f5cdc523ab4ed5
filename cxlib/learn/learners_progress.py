"""Who is learning: language, company and folder, and what was tried there, kept in one local file."""

from __future__ import annotations

import json
import os
import warnings
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxlib.language import text
from cxlib.learn.course_files import check_language, course
from cxlib.learn.simulated_company import SAMPLE_SEED, Company, company

if TYPE_CHECKING:
    import pandas as pd

#: Kept in the learner's folder; no answer stands in it, only what was tried and whether it was right.
FILE, PAGE = "course_progress.json", "course_progress.html"
_MARKS = {"right": "✓", "not_yet": "…", "not_attempted": ""}


@dataclass(frozen=True)
class Learner:
    """Language, company and folder of who is learning in this process.

    A class because an exercise's `check` takes only the answer: the rest was said once, by `start`.
    """

    lang: str = "en"
    seed: int = SAMPLE_SEED
    folder: Path | None = None


_NOW: list[Learner] = [Learner()]


def learner() -> Learner:
    """Tell who is learning in this process."""
    return _NOW[-1]


def spoken(lang: str | None) -> str:
    """Give the language asked for; without one, the learner's."""
    check_language(lang or learner().lang)
    return lang or learner().lang


def start(*, seed: int = SAMPLE_SEED, lang: str = "en", folder: str | Path | None = None) -> Company:
    """Begin or go on: choose language and company once, keep progress in a folder, and get the company.

    Parameters
    ----------
    seed : int
        Number of the company: with another one, figures and answers are others. By default the sample.
    lang : {"en", "ja"}
        Language of the examiner.
    folder : str or Path, optional
        Where `course_progress.json` is kept; by default nothing is kept after the session.

    Returns
    -------
    Company

    Raises
    ------
    ParameterError
        `lang` or `seed` is none.

    Examples
    --------
    >>> start(lang="en")["orders"].columns[0]
    'order_id'
    """
    check_language(lang)
    shop = company(seed)
    _NOW[:] = [Learner(lang, seed, Path(folder) if folder is not None else None)]
    _TRIED.clear()
    _TRIED.update(_stored(learner().folder))
    return shop


_TRIED: dict[str, str] = {}


def _stored(folder: Path | None) -> dict[str, str]:
    """Read what was kept; a file that is damaged, out of reach or of something else counts as none."""
    if folder is None:
        return {}
    try:
        held: Any = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    known = held.items() if isinstance(held, dict) else []
    return {name: mark for name, mark in known if isinstance(mark, str) and mark in _MARKS}


def _with_what_others_kept() -> dict[str, str]:
    """Take over what notebooks open beside this one kept; what is right in one of them is right."""
    for what, mark in _stored(learner().folder).items():
        if _TRIED.get(what) != "right":
            _TRIED[what] = mark
    return _TRIED


def _write(file: str, content: str) -> None:
    """Write a file of the learner's folder, whole or not at all; where that fails, marking still goes on."""
    if (folder := learner().folder) is None:
        return
    draft = folder / f".{file}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft.write_text(content, encoding="utf-8")
        draft.replace(folder / file)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        warnings.warn(text("learn.not_kept", learner().lang, file=file, reason=reason), stacklevel=4)


def keep(what: str, status: str) -> None:
    """Keep how an attempt went; what was right once stays right."""
    tried = _with_what_others_kept()
    if tried.get(what) != "right":
        tried[what] = status
    _write(FILE, json.dumps(tried, indent=1, sort_keys=True))


def has_tried(exercise: str) -> bool:
    """Whether an answer to the exercise was marked."""
    return exercise in _with_what_others_kept()


def progress(*, lang: str | None = None) -> pd.DataFrame:
    """Tell how far a learner is, lesson by lesson; with a folder, write it as a page there too.

    Parameters
    ----------
    lang : {"en", "ja"}, optional
        By default the learner's.

    Returns
    -------
    DataFrame
        `lesson, title, tried, right, exercises` (counts), `quiz` ("right", "not_yet", "not_attempted").

    Examples
    --------
    >>> progress().query("lesson == 'f2'")["exercises"].item() >= 1
    True
    """
    import pandas as pd

    lang = spoken(lang)
    tried, rows = _with_what_others_kept(), []
    for lesson in course().values():
        marks = [tried.get(name, "not_attempted") for name in lesson.exercises]
        rows.append(
            {
                "lesson": lesson.id,
                "title": lesson.title[lang],
                "tried": sum(mark != "not_attempted" for mark in marks),
                "right": marks.count("right"),
                "exercises": len(marks),
                "quiz": tried.get(f"{lesson.id}.quiz", "not_attempted"),
            }
        )
    told = pd.DataFrame(rows)
    _write(PAGE, _page(told, lang))
    return told


def _page(told: pd.DataFrame, lang: str) -> str:
    """Draw the page of progress: one bar a lesson, readable on a phone, without script."""
    done, all_of = int(told["right"].sum()), int(told["exercises"].sum())
    title = text("learn.progress_title", lang)
    bars = "".join(
        f"<tr><td>{escape(row['title'])}</td><td><progress max='{row['exercises']}' value='{row['right']}'>"
        f"</progress> {row['right']}/{row['exercises']}</td><td>{_MARKS[row['quiz']]}</td></tr>"
        for row in told.to_dict("records")
    )
    head = "".join(f"<th>{escape(text(f'learn.progress_{name}', lang))}</th>" for name in _COLUMNS)
    style = "body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:2em auto;padding:0 1em}"
    style += "table{border-collapse:collapse;width:100%}"
    style += "td,th{text-align:left;padding:.3em;border-bottom:1px solid #ccc}"
    style += "progress{width:5em}th,td+td{white-space:nowrap}"
    said = escape(text("learn.progress_done", lang, done=done, all=all_of))
    return (
        f"<!doctype html><html lang='{lang}'><meta charset='utf-8'><meta name='viewport' "
        f"content='width=device-width'><title>{escape(title)}</title><style>{style}</style>"
        f"<h1>{escape(title)}</h1><p>{said}</p><table><tr>{head}</tr>{bars}</table></html>"
    )


_COLUMNS = ("lesson", "exercises", "quiz")
