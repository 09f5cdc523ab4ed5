"""Items that earlier runs have made already: found by their key, and taken over into a new run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cxlib.runner.plan import Plan
from cxlib.runner.publish import Draft

Run = tuple[Path, dict[str, Any]]
DONE = ("ok", "not_enough_data")


class EarlierItems:
    """Finished items of earlier runs by name and key; a class because results are read once per run."""

    def __init__(self, runs: Iterable[Run]) -> None:
        """Take runs as `near.earlier_runs` gives them, the newest first."""
        self._held: dict[tuple[str, str], Run] = {}
        self._results: dict[Path, dict[str, Any]] = {}
        for folder, run in runs:
            for item, entry in run["reports"].items():
                if (
                    isinstance(entry, dict)
                    and entry.get("status") in DONE
                    and isinstance(entry.get("key"), str)
                ):
                    self._held.setdefault((item, entry["key"]), (folder, entry))

    def take(self, one: Plan, draft: Draft) -> bool:
        """Take an item over with all its files; False where it, or one of them, is not there."""
        held = self._held.get((one.item, one.key or ""))
        if held is None:
            return False
        folder, entry = held
        results = self._of(folder).get(one.item)
        pages = entry.get("pages")
        if not isinstance(results, dict) or not isinstance(pages, dict) or set(pages) != set(one.languages):
            return False
        files = {name: folder / name for lang in pages for name in _named(one, lang)}
        of_tables = sorted((folder / "tables" / one.item).glob("*"))
        files |= {path.relative_to(folder).as_posix(): path for path in of_tables}
        if len(of_tables) != 2 * len(results["tables"]) or not all(path.is_file() for path in files.values()):
            return False
        draft.take(files)
        one.results, one.pages = results, {lang: one.file(lang, ".html") for lang in one.languages}
        one.titles = entry["titles"] if isinstance(entry.get("titles"), dict) else {}
        one.seconds, one.made_in = float(entry.get("seconds") or 0), str(entry.get("made_in") or folder.name)
        one.values = entry["parameters"] if isinstance(entry.get("parameters"), dict) else one.values
        return True

    def _of(self, folder: Path) -> dict[str, Any]:
        if folder not in self._results:
            try:
                found = json.loads((folder / "results.json").read_text(encoding="utf-8"))
            except (OSError, ValueError, RecursionError):
                found = {}
            self._results[folder] = found if isinstance(found, dict) else {}
        return self._results[folder]


def _named(one: Plan, lang: str) -> tuple[str, str]:
    return one.file(lang, ".html"), one.file(lang, ".ipynb")
