"""Build the course's notebooks in `en/` and `ja/` from `course.yml` and `lessons/`.

    python tests/build_course.py [lesson …]

A lesson is run, so that it can be read where files are looked at; exercises are not, they are the learner's.
A lesson whose code is as it was keeps its outputs.
"""

import sys
from pathlib import Path

import jupytext
import nbformat
import yaml
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from cxlib.language import LANGUAGES
from cxlib.learn.course_files import COURSE, Lesson, course

KERNEL = {"name": "python3", "language": "python", "display_name": "Python 3"}
#: What stands around every lesson, by language.
FRAME = yaml.safe_load((COURSE / "frame.yml").read_text(encoding="utf-8"))
#: In a lesson's code, what stands for the language of the notebook.
SPOKEN = 'lang="en"'


def name(lesson: Lesson) -> str:
    """File name of a lesson, without its ending."""
    return f"{lesson.number:02d}_{lesson.id}"


def _linked(lessons: list[Lesson], lang: str, *, without: str) -> str:
    links = [f"[{each.title[lang]}]({name(each)}.ipynb)" for each in lessons]
    return ", ".join(links) or FRAME[without][lang]


def _head(lesson: Lesson, lang: str) -> str:
    before = _linked([course()[need] for need in lesson.needs], lang, without="nothing_before")
    about = FRAME["about"][lang].format(minutes=lesson.minutes, before=before)
    return f"# {lesson.number}. {lesson.title[lang]}\n\n**{lesson.idea[lang]}**\n\n{about}"


def _foot(lesson: Lesson, lang: str) -> str:
    following = [each for each in course().values() if each.number == lesson.number + 1]
    links = {
        "exercises": f"[{FRAME['exercises'][lang]}]({name(lesson)}_exercises.ipynb)",
        "chapter": f"[{lesson.chapter}](../../{lesson.chapter}.ipynb)",
        "next": _linked(following, lang, without="nothing_next"),
    }
    return FRAME["foot"][lang].format(**links)


def _notebook(cells: list, lang: str) -> nbformat.NotebookNode:
    for place, cell in enumerate(cells):
        cell["id"], cell["metadata"] = f"cell-{place:02d}", {}
    return new_notebook(cells=cells, metadata={"kernelspec": KERNEL, "language_info": {"name": "python"}})


def lesson_notebook(lesson: Lesson, lang: str) -> nbformat.NotebookNode:
    """Notebook of a lesson in one language, not run."""
    source = (COURSE / "lessons" / lesson.id / "lesson.md").read_text(encoding="utf-8")
    cells = [new_markdown_cell(_head(lesson, lang))]
    for cell in jupytext.reads(source, fmt="md:myst").cells:
        if cell.cell_type == "code":
            cells.append(new_code_cell(cell.source.replace(SPOKEN, f'lang="{lang}"')))
        elif f"lang-{lang}" in cell.metadata["tags"]:
            cells.append(new_markdown_cell(cell.source))
    return _notebook([*cells, new_markdown_cell(_foot(lesson, lang))], lang)


def exercise_notebook(lesson: Lesson, lang: str) -> nbformat.NotebookNode:
    """Notebook of a lesson's exercises in one language: questions, and a cell for each answer."""
    title = f"# {lesson.number}. {FRAME['exercises_of'][lang].format(title=lesson.title[lang])}"
    start = f'import cxlib as cx\n\nshop = cx.learn.start(seed=7, lang="{lang}", folder=".")'
    cells = [
        new_markdown_cell(
            f"{title}\n\n{FRAME['exercise_head'][lang].format(lesson=f'{name(lesson)}.ipynb')}"
        ),
        new_code_cell(start),
    ]
    # once a company was broken, an exercise done again has to say that it is about the sound one
    has_fault = any(each.fault for each in lesson.exercises.values())
    sound = "cx.learn.company(seed=shop.seed)"
    for place, asked in enumerate(lesson.exercises.values(), 1):
        taken = f'cx.learn.broken_company("{asked.fault}", seed=shop.seed)' if asked.fault else sound
        company = f"shop = {taken}\n" if has_fault else ""
        cells += [
            new_markdown_cell(f"## {asked.id}\n\n{asked.ask[lang].strip()}"),
            new_code_cell(f"{company}{asked.start}answer_{place} = ...\n".lstrip().rstrip()),
            new_code_cell(f'cx.learn.check("{asked.id}", answer_{place})'),
        ]
    cells += [
        new_markdown_cell(FRAME["quiz_head"][lang].format(lesson=lesson.id, letters="a" * len(lesson.quiz))),
        new_code_cell(f'cx.learn.quiz("{lesson.id}")'),
        new_markdown_cell(FRAME["progress_head"][lang]),
        new_code_cell("cx.learn.progress()"),
    ]
    return _notebook(cells, lang)


def _with_stored_outputs(path: Path, notebook: nbformat.NotebookNode) -> bool:
    """Take over what the same code printed when it was last run; False where there is other code."""
    stored = nbformat.read(path, as_version=4).cells if path.is_file() else []
    ran, now = ([cell for cell in cells if cell.cell_type == "code"] for cells in (stored, notebook.cells))
    if [cell.source for cell in ran] != [cell.source for cell in now]:
        return False
    for cell, before in zip(now, ran, strict=True):
        cell.outputs, cell.execution_count = before.outputs, before.execution_count
    return True


def build(names: list[str]) -> None:
    """Write the notebooks of these lessons, or of all."""
    for lesson in course().values():
        for lang in LANGUAGES if not names or lesson.id in names else ():
            folder = COURSE / lang
            folder.mkdir(exist_ok=True)
            nbformat.write(exercise_notebook(lesson, lang), folder / f"{name(lesson)}_exercises.ipynb")
            notebook, path = lesson_notebook(lesson, lang), folder / f"{name(lesson)}.ipynb"
            if names or not _with_stored_outputs(path, notebook):  # asked for by name: run in any case
                NotebookClient(notebook, timeout=120, record_timing=False).execute()
                notebook.metadata["language_info"] = {"name": "python"}  # not the version of this machine's
            nbformat.write(notebook, path)


def readme() -> str:
    """Page that lists the lessons in both languages; chapters link to its anchors."""
    lines = [FRAME["page"]["en"], FRAME["page"]["ja"], "| | Lesson | レッスン | |", "|---|---|---|---|"]
    for lesson in course().values():
        links = [
            f"[{lesson.title[lang]}]({lang}/{name(lesson)}.ipynb) "
            f"([{FRAME['exercises'][lang]}]({lang}/{name(lesson)}_exercises.ipynb))<br>{lesson.idea[lang]}"
            for lang in LANGUAGES
        ]
        chapter = f"[{lesson.chapter}](../{lesson.chapter}.ipynb)"
        lines.append(f'| <a id="{lesson.id}"></a>{lesson.number} | {links[0]} | {links[1]} | {chapter} |')
    return "\n".join([*lines[:2], "", *lines[2:], ""])


def clear() -> None:
    """Take away the notebooks of lessons that are gone; one with another number moves there."""
    held = {lesson.id: name(lesson) for lesson in course().values()}
    for path in COURSE.glob("??/*.ipynb"):
        lesson = path.stem.removesuffix("_exercises").partition("_")[2]
        if lesson in held:
            path.rename(path.with_name(path.name.replace(f"{path.stem[:2]}_{lesson}", held[lesson])))
        else:
            path.unlink()


if __name__ == "__main__":
    clear()
    build(sys.argv[1:])
    (COURSE / "README.md").write_text(readme(), encoding="utf-8")
