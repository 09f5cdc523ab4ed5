"""Say what runs: a live line per report on a terminal (chapter, cell, elapsed), plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any

from cxlib.runner.words import say


class QuietProgress:
    """One line when a report is done; for logs and CI.

    A class because both kinds of progress answer to the same four calls.
    """

    def __init__(self, lang: str) -> None:
        self.lang = lang

    def __enter__(self) -> QuietProgress:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def start(self, report: str, cells: int) -> None:
        """Nothing to say yet."""

    def cell(self, report: str, done: int, heading: str) -> None:
        """Nothing to say yet."""

    def end(self, report: str, seconds: float, *, is_ok: bool) -> None:
        """Say that a report is done."""
        key = "report_done" if is_ok else "report_stopped"
        print(say(key, self.lang, report=report, seconds=f"{seconds:.1f}"), flush=True)  # noqa: T201


class LiveProgress(QuietProgress):
    """A live line per report."""

    def __init__(self, lang: str) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        super().__init__(lang)
        self._tasks: dict[str, Any] = {}
        self._progress = Progress(
            TextColumn("{task.fields[mark]} {task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.completed}/{task.total}"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[heading]}", style="dim"),
        )

    def __enter__(self) -> LiveProgress:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def start(self, report: str, cells: int) -> None:
        """Add a report's line."""
        self._tasks[report] = self._progress.add_task(report, total=cells, heading="", mark="·")

    def cell(self, report: str, done: int, heading: str) -> None:
        """Move a report's line."""
        self._progress.update(self._tasks[report], completed=done, heading=_plain(heading))

    def end(self, report: str, seconds: float, *, is_ok: bool) -> None:
        """Close a report's line."""
        task = self._tasks[report]
        self._progress.update(task, heading="", mark="✓" if is_ok else "✗")
        if is_ok:
            self._progress.update(task, completed=self._progress.tasks[task].total)
        self._progress.stop_task(task)


def _plain(heading: str) -> str:
    return heading.replace("[", "(").replace("]", ")")[:50]


def choose_progress(lang: str) -> QuietProgress:
    """Live on a terminal, quiet elsewhere."""
    return LiveProgress(lang) if sys.stdout.isatty() else QuietProgress(lang)


def clock() -> float:
    """Seconds of a steady clock, for durations only."""
    return time.monotonic()
