"""`cx course`: the lessons and exercises of the course in a folder of the learner's own."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cxlib.data.places import HANDBOOK, WORK
from cxlib.runner.private_file import write_private
from cxlib.runner.publish import check_out
from cxlib.runner.words import say

COURSE = HANDBOOK / "notebooks" / "course"
#: A link from a lesson to a chapter, which stays where the handbook is.
CHAPTER = re.compile(r"\[([^\]]+)\]\((?:\.\./)+\d\d_(\w+)\.ipynb\)")


def add_course(command: Callable[[str, Any], argparse.ArgumentParser], lang: str) -> None:
    """Register the command."""
    added = command("course", _course)
    added.add_argument("--out", type=Path, metavar="DIR", help=say("help_course_out", lang))
    added.set_defaults(place="out")


def _course(options: argparse.Namespace, lang: str) -> int:
    folder = options.out or WORK / "course" / lang
    written, kept = copy_course(folder, lang=lang)
    first = folder / min(path.name for path in (COURSE / lang).glob("*.ipynb"))
    print(say("course_written", lang, written=written, kept=kept, folder=folder, file=first))  # noqa: T201
    return 0


def copy_course(folder: Path, *, lang: str) -> tuple[int, int]:
    """Copy lessons and exercises, and leave what is there as it is: a learner's answers may stand in it.

    Parameters
    ----------
    folder
        Made if it is not there.
    lang
        Language of the notebooks.

    Returns
    -------
    tuple
        How many notebooks were written, and how many were there already.

    Raises
    ------
    ParameterError, OutputError
        The folder cannot be written to.
    """
    check_out(folder).mkdir(parents=True, exist_ok=True)
    found = sorted((COURSE / lang).glob("*.ipynb"))
    missing = [path for path in found if not (folder / path.name).exists()]
    for path in missing:
        write_private(folder / path.name, _without_chapters(path), force=False)
    return len(missing), len(found) - len(missing)


def _without_chapters(path: Path) -> bytes:
    """Read a notebook; where it leads to a chapter, it names the command that opens it."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            text = CHAPTER.sub(r"\1 (`cx open \2`)", "".join(cell["source"]))
            cell["source"] = text.splitlines(keepends=True)
    return json.dumps(notebook, ensure_ascii=False, indent=1).encode() + b"\n"
