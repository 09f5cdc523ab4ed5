"""What a run was made from: data files, versions, commit. No path of the machine, no customer value."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from cxlib.data.places import HANDBOOK, IS_CHECKOUT
from cxlib.runner.fill_in import fill_in
from cxlib.runner.plan import Plan

_PACKAGES = """cx-handbook pandas numpy scipy statsmodels pyarrow duckdb narwhals matplotlib seaborn papermill
nbclient nbconvert ipykernel"""


def versions() -> dict[str, str]:
    """Version of Python and of each library a number may depend on."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES.split():
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def commit(folder: Path = HANDBOOK) -> str | None:
    """Commit of the handbook, with `+changes` when files differ from it; none outside git.

    An installed package has none: a repository it lies in is somebody else's.
    """
    if not IS_CHECKOUT:
        return None
    try:
        found = _git(folder, "rev-parse", "HEAD")
        if not re.fullmatch(r"[0-9a-f]{40,64}", found):
            return None
        return found + ("+changes" if _git(folder, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True, env=environment)
    return done.stdout.strip()


class Scrubber:
    """Takes the machine's own paths out of everything a run writes.

    A class because the replacements are worked out once and used on every artefact.
    """

    def __init__(self, data: dict[str, str]) -> None:
        """Prepare for a run; `data` maps data paths as the kernel got them to what artefacts may say."""
        places = [
            (str(HANDBOOK), "."),
            (sys.prefix, "<python>"),
            (sys.base_prefix, "<python>"),
            (str(Path.home()), "~"),
        ]
        self._pairs = [(path, name) for path, name in places if len(path) > 4]
        self._pairs = [*data.items(), *self._pairs]
        self._cell = re.compile(r"(?:/[\w.-]+)*/ipykernel_\d+/\d+\.py")

    def text(self, text: str) -> str:
        """Return the text without paths."""
        for path, name in self._pairs:
            if path in text:
                text = text.replace(path, name)
        return self._cell.sub("<cell>", text) if "ipykernel_" in text else text

    def notebook(self, notebook: Any) -> None:
        """Clean sources of injected cells and all text outputs, in place."""
        for cell in notebook.cells:
            if cell.cell_type != "code":
                continue
            if "injected-parameters" in cell.metadata.get("tags", []):
                cell.source = self.text(cell.source)
            for output in cell.outputs:
                if "text" in output:
                    output.text = self.text(output.text)
                if "traceback" in output:
                    output.traceback = [self.text(line) for line in output.traceback]
                for mime, content in output.get("data", {}).items():
                    if isinstance(content, str) and not mime.startswith("image/"):
                        output.data[mime] = self.text(content)


def point_at_data(notebook: Any, data: Path | None, folder: Path) -> None:
    """Let a kept notebook name its data as they are reached from its own folder, so that it runs again there.

    Where the way there would tell about the machine, leading out of the handbook through folders other than
    the data's own, it names the data by their last part.
    """
    if data is None:
        return
    data, start = Path(os.path.abspath(data)), folder.resolve()
    is_inside = HANDBOOK in data.parents and HANDBOOK in start.parents
    way = os.path.relpath(data, start) if is_inside or data.parent in start.parents else data.name
    for cell in notebook.cells:
        if {"parameters", "injected-parameters"} & set(cell.metadata.get("tags", [])):
            cell.source = fill_in(cell.source, {"data": Path(way).as_posix()})


def outside(plans: Iterable[Plan]) -> dict[str, str]:
    """Name data folders outside the handbook, whose path would tell about the machine, by their last part."""
    places = {str(p.values["data"]): p.data.resolve() for p in plans if p.data is not None}
    return {path: place.name for path, place in places.items() if HANDBOOK not in place.parents}
