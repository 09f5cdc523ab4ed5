"""Find the handbook's chapters and prepare one for a run: drop the cells of other forms.

Standard library only, so that listing them is quick.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cxlib.checks import ParameterError, nearest

FORMS = ("report", "lesson", "full")
_DROPPED = {"report": {"teach", "exercise", "solution"}, "lesson": {"solution"}, "full": set()}
_HEADING = re.compile(r"^(#{1,3}) +(.+?)\s*$", re.MULTILINE)


def find_notebooks(folder: Path) -> dict[str, Path]:
    """Report name → file, in chapter order; the name is the file's without its number.

    Examples
    --------
    >>> list(find_notebooks(Path("no-such-folder")))
    []
    """
    files = sorted(path for path in folder.glob("*.ipynb") if path.is_file())
    return {re.sub(r"^\d+_", "", path.stem): path for path in files}


def read_notebook(path: Path) -> dict[str, Any]:
    """Load a chapter's JSON."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        assert isinstance(notebook["cells"], list)
    except (ValueError, KeyError, TypeError, AssertionError):
        raise ParameterError("runner.bad_notebook", file=path.name) from None
    return notebook


def choose(notebooks: Mapping[str, Path], names: list[str]) -> dict[str, Path]:
    """Return the reports asked for (all when none is named), each once, in chapter order."""
    if not notebooks:
        raise ParameterError("runner.no_notebooks")
    for name in names:
        if name not in notebooks:
            raise ParameterError(
                "runner.unknown_report", name=repr(name)[:60], nearest=nearest(name, notebooks) or "–"
            )
    return {name: path for name, path in notebooks.items() if not names or name in names}


def title(notebook: Mapping[str, Any], lang: str) -> str:
    """First heading of the chapter in `lang`."""
    for cell in notebook["cells"]:
        is_chosen = cell["cell_type"] == "markdown" and f"lang-{lang}" in _tags(cell)
        if is_chosen and (match := _HEADING.search("".join(cell["source"]))):
            return match[2]
    return ""


def heading_before(notebook: Mapping[str, Any], index: int) -> str:
    """Nearest heading above a cell, to say where something happened."""
    for cell in reversed(notebook["cells"][: index + 1]):
        headings = _HEADING.findall("".join(cell["source"])) if cell["cell_type"] == "markdown" else []
        if headings:
            return headings[-1][1]
    return ""


def prepare(notebook: Mapping[str, Any], *, form: str, lang: str) -> dict[str, Any]:
    """Return the notebook to run: the form's cells, without stored outputs.

    Markdown of the other language is dropped except in the full form. The kernel's name is not taken over:
    the running environment's kernel is used whatever the file says.
    """
    cells = []
    for cell in notebook["cells"]:
        tags = _tags(cell)
        if tags & _DROPPED[form]:
            continue
        if form != "full" and {"lang-en", "lang-ja"} & tags and f"lang-{lang}" not in tags:
            continue
        cell = {**cell, "source": "".join(cell["source"]), "metadata": {"tags": sorted(tags)}}
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
        cells.append(cell)
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def sections(source: str) -> list[str]:
    r"""Split prose before each heading; one in a block of code is none.

    Examples
    --------
    >>> sections("## A\n\ntext\n\n### B")
    ['## A\n\ntext', '### B']
    """
    parts: list[list[str]] = [[]]
    is_code = False
    for line in source.splitlines():
        is_code ^= line.lstrip().startswith("```")
        if not is_code and re.match("#{1,6} ", line) and any(parts[-1]):
            parts.append([])
        parts[-1].append(line)
    return ["\n".join(part).strip("\n") for part in parts]


def _tags(cell: Mapping[str, Any]) -> set[str]:
    return set(cell.get("metadata", {}).get("tags", []))
