"""A notebook as a page in one language: prose open, code folded, solutions shut until they are asked for."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cxlib.language import LANGUAGES, text

#: Findings at the top of a chapter, at most.
MOST_FINDINGS = 6
#: What holds no more than the run's own settings.
_DROPPED = {"injected-parameters", "parameters"}
#: Code that is not folded together with what stands beside it.
_APART = {"exercise", "remove-input", "solution", "teach"}

Cell = dict[str, Any]


def title_of(path: Path, lang: str) -> str:
    """First heading of a notebook in a language.

    Examples
    --------
    >>> from build_site.places import chapters
    >>> title_of(chapters()[2], "ja").split("：")[0]
    'カスタマージャーニー'
    """
    cells = in_language(json.loads(path.read_text(encoding="utf-8"))["cells"], lang)
    lines = (line for cell in cells if cell["cell_type"] == "markdown" for line in _source(cell).splitlines())
    return next((line.removeprefix("# ") for line in lines if line.startswith("# ")), path.stem)


def in_language(cells: list[Cell], lang: str) -> list[Cell]:
    """Cells without those of another language."""
    return [cell for cell in cells if not any(tag in _others(lang) for tag in _tags(cell))]


def to_page(source: Path, lang: str, *, is_folded: bool = True) -> dict[str, Any]:
    """Read a notebook that has run and lay it out as a page; nothing is executed.

    Parameters
    ----------
    source
        The notebook.
    lang
        Cells of the other language are left out.
    is_folded
        Code behind a word to click on, as in a chapter; a lesson shows its own.
    """
    notebook = json.loads(source.read_text(encoding="utf-8"))
    cells = [cell for cell in in_language(notebook["cells"], lang) if not _DROPPED & set(_tags(cell))]
    cells = _reading_order(cells, lang)
    joined = list(_joined(cells)) if is_folded else cells
    notebook["cells"] = list(_solutions(joined, text("runner.heading_solution", lang)))
    notebook["metadata"] = {
        "kernelspec": notebook["metadata"].get("kernelspec", {}),
        "language_info": {"name": "python"},
    }
    return notebook


def _others(lang: str) -> set[str]:
    return {f"lang-{other}" for other in LANGUAGES if other != lang}


def _tags(cell: Cell) -> list[str]:
    return cell["metadata"].get("tags", [])


def _source(cell: Cell) -> str:
    return "".join(cell["source"])


def _reading_order(cells: list[Cell], lang: str) -> list[Cell]:
    """Put findings first; parameters and data, which the notebook needs first, last, as in the report."""
    sections: dict[str, list[Cell]] = {"": []}
    name = ""
    for cell in cells:
        heading = re.match(r"## (.*)", _source(cell)) if cell["cell_type"] == "markdown" else None
        name = heading[1].strip() if heading else name
        sections.setdefault(name, []).append(cell)
    word = {part: text(f"runner.heading_{part}", lang) for part in ("in_short", "parameters", "data")}
    if word["in_short"] not in sections:
        sections[word["in_short"]] = _in_short(sections, lang)
    first, last = ["", word["in_short"]], [word["parameters"], word["data"]]
    between = [name for name in sections if name not in first + last]
    return [cell for name in [*first, *between, *last] for cell in sections.get(name, [])]


def _in_short(sections: dict[str, list[Cell]], lang: str) -> list[Cell]:
    """Give the findings of the decision and, from the answer, those with a verdict, as the report does."""
    found = []
    for part in ("decision", "answer"):
        cells = sections.get(text(f"runner.heading_{part}", lang), [])
        told = [
            one for cell in cells for one in cell.get("outputs", []) if _record(one).get("kind") == "finding"
        ]
        found += [one for one in told if part == "decision" or _record(one).get("verdict")]
    if not found:
        return []
    shown = {"cell_type": "code", "id": "in-short", "execution_count": None, "source": "report"}
    shown |= {"metadata": {"tags": ["remove-input"]}, "outputs": found[:MOST_FINDINGS]}
    return [_markdown(f"## {text('runner.heading_in_short', lang)}\n"), shown]


def _record(output: Cell) -> dict[str, Any]:
    return output.get("metadata", {}).get("cx", {})


def _joined(cells: list[Cell]) -> Iterator[Cell]:
    """Code between two texts as one cell, so that there is one fold; what teaches stays open and apart."""
    held: Cell | None = None
    for cell in cells:
        is_plain = cell["cell_type"] == "code" and not _APART & set(_tags(cell))
        if held is not None and is_plain:
            held["source"] = f"{_source(held)}\n\n{_source(cell)}"
            held["outputs"] = held["outputs"] + cell["outputs"]
            continue
        if held is not None:
            yield held
        held = {**cell, "metadata": {"tags": ["hide-input"]}} if is_plain else None
        if held is None:
            yield cell
    if held is not None:
        yield held


def _solutions(cells: list[Cell], word: str) -> Iterator[Cell]:
    """Shut each run of solution cells behind a word to click on."""
    is_open = False
    for cell in cells:
        is_solution = "solution" in _tags(cell)
        if is_solution and not is_open:
            yield _markdown(f'<details class="solution"><summary>{word}</summary>\n')
        if is_open and not is_solution:
            yield _markdown("</details>\n")
        is_open = is_solution
        yield _without_headings(cell) if is_solution and cell["cell_type"] == "markdown" else cell
    if is_open:
        yield _markdown("</details>\n")


def _without_headings(cell: Cell) -> Cell:
    return {**cell, "source": re.sub(r"^#+ (.*)$", r"**\1**", _source(cell), flags=re.MULTILINE)}


def _markdown(text: str) -> Cell:
    return {"cell_type": "markdown", "id": f"fold-{abs(hash(text)) % 10**6}", "metadata": {}, "source": text}
