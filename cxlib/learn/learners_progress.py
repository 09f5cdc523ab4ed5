"""Who is learning: language, company and folder, and what was tried there, kept in one local file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxlib.checks import fail_option
from cxlib.language import LANGUAGES, text
from cxlib.learn.course_files import course
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
    if lang not in LANGUAGES:
        fail_option("lang", lang, LANGUAGES)
    shop = company(seed)
    _NOW[:] = [Learner(lang, seed, Path(folder) if folder is not None else None)]
    _TRIED.clear()
    _TRIED.update(_stored(learner().folder))
    return shop


_TRIED: dict[str, str] = {}


def _stored(folder: Path | None) -> dict[str, str]:
    """Read what was kept; a file that is damaged or of something else counts as none."""
    if folder is None or not (folder / FILE).is_file():
        return {}
    try:
        held: Any = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except ValueError:
        return {}
    known = held.items() if isinstance(held, dict) else []
    return {str(name): mark for name, mark in known if mark in _MARKS}


def keep(what: str, status: str) -> None:
    """Keep how an attempt went; what was right once stays right."""
    if _TRIED.get(what) != "right":
        _TRIED[what] = status
    folder = learner().folder
    if folder is not None:
        (folder / FILE).write_text(json.dumps(_TRIED, indent=1, sort_keys=True), encoding="utf-8")


def has_tried(exercise: str) -> bool:
    """Whether an answer to the exercise was marked."""
    return exercise in _TRIED


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

    lang = lang or learner().lang
    rows = []
    for lesson in course().values():
        marks = [_TRIED.get(name, "not_attempted") for name in lesson.exercises]
        rows.append(
            {
                "lesson": lesson.id,
                "title": lesson.title[lang],
                "tried": sum(mark != "not_attempted" for mark in marks),
                "right": marks.count("right"),
                "exercises": len(marks),
                "quiz": _TRIED.get(f"{lesson.id}.quiz", "not_attempted"),
            }
        )
    told = pd.DataFrame(rows)
    if (folder := learner().folder) is not None:
        (folder / PAGE).write_text(_page(told, lang), encoding="utf-8")
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
    said = escape(text("learn.progress_done", lang, done=done, all=all_of))
    return (
        f"<!doctype html><html lang='{lang}'><meta charset='utf-8'><meta name='viewport' "
        f"content='width=device-width'><title>{escape(title)}</title><style>{style}</style>"
        f"<h1>{escape(title)}</h1><p>{said}</p><table><tr>{head}</tr>{bars}</table></html>"
    )


_COLUMNS = ("lesson", "exercises", "quiz")
