"""What a cycle does once its reports are out: compare, remember, look for alerts, deliver.

The reports stand whatever becomes of it: what can't be done is said, and tried again by the next call, but
changes neither the run nor, except for the delivery, its exit code.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cxlib.checks import CxError
from cxlib.language import text
from cxlib.runner.cycle_file import Cycle
from cxlib.runner.delivery import deliver, is_delivered
from cxlib.runner.earlier_items import Run
from cxlib.runner.errors import EXIT_ALERTS, EXIT_NOT_ENOUGH_DATA
from cxlib.runner.index import load
from cxlib.runner.plan import RunSettings
from cxlib.runner.publish import locked, replace
from cxlib.runner.words import say

#: Beside the pages: which steps are done, and what for the alerts came of them.
DONE_AFTER = "after.json"
Step = Callable[[], Any]


class AfterRun:
    """Steps after a cycle's run; a class because each needs the cycle, the run, its places and language.

    Attributes
    ----------
    alerts
        Table of the alerts that were found; None where there are none, or none were looked for.
    """

    def __init__(self, cycle: Cycle, folder: Path, settings: RunSettings, base: Path, lang: str) -> None:
        """Take a published run; `base` is the folder that the cycle's file lies in."""
        self.cycle, self.folder, self.settings, self.base = cycle, folder, settings, base
        self.data, self.lang = base / cycle.data, lang
        self.alerts: Path | None = None

    def finish(self, before: str | None, code: int) -> int:
        """Do all the cycle asks for that is not done yet; return the exit code.

        Parameters
        ----------
        before
            Name of the run that the comparison is with; None where there is none.
        code
            Exit code of the reports; alerts make 8 of 0 and of 4 (not enough data).

        Raises
        ------
        OutputError
            The delivery failed.
        """
        done = self._done()
        asked: dict[str, tuple[bool, Step]] = {
            "compare": (
                self.cycle.compare == "last_run" and before is not None,
                lambda: self._compare(before),
            ),
            "history": (self.cycle.history, self._remember),
            "alerts": (self.cycle.alerts != "off", self._look_for_alerts),
        }
        for name, (is_asked, step) in asked.items():
            if is_asked and name not in done and self._is_made(name, step):
                done.append(name)
        if self.alerts is not None and code in (0, EXIT_NOT_ENOUGH_DATA):
            code = EXIT_ALERTS
        if self.cycle.deliver and not is_delivered(self.folder):
            deliver(self.cycle, self.folder, self.base, self.lang, code=code, alerts=self.alerts)
        return code

    def _is_made(self, name: str, step: Step) -> bool:
        """Do a step and note it; False, and why, where it could not be done."""
        try:
            step()
            with locked(self.settings.out):
                replace(self.folder / DONE_AFTER, json.dumps([*self._done(), name]).encode())
        except (CxError, ArithmeticError, KeyError, TypeError, ValueError) as error:
            reason = error.in_language(self.lang) if isinstance(error, CxError) else type(error).__name__
            print(say(f"cycle_no_{name}", self.lang, reason=reason), file=sys.stderr)  # noqa: T201
            return False
        return True

    def _done(self) -> list[str]:
        try:
            found = json.loads((self.folder / DONE_AFTER).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []

    def _compare(self, before: str | None) -> None:
        from cxlib.runner.comparison import write_comparison

        places = {"out": self.settings.out, "notebooks": self.settings.notebooks, "data": self.data}
        page = write_comparison(Path(str(before)), self.folder, **places, lang=None, spoken=self.lang)
        print(text("compare.written", self.lang, file=page))  # noqa: T201

    def _remember(self) -> None:
        from cxlib.runner.history import run_rows
        from cxlib.runner.history_commands import remember

        rows = run_rows(self._run(), self.data)
        with locked(self.settings.out):
            remember(self.settings.out, rows, self.data, first=self.cycle.languages[0], lang=self.lang)

    def _look_for_alerts(self) -> None:
        from cxlib.runner.history_commands import tell_alerts

        is_new = self.cycle.alerts == "new"
        self.alerts = tell_alerts(self._run(), self.settings.out, self.data, self.lang, is_new=is_new)

    def _run(self) -> Any:
        from cxlib.runner.run_files import read_run

        return read_run(self.folder, self.settings.out)


def runs_of(out: Path, name: str) -> Iterator[Run]:
    """Find the runs of a cycle, exact or for sharing, the newest first."""
    for manifest in sorted(out.glob("*/run.json"), reverse=True):
        run = load(manifest) or {}
        cycle, reports = run.get("cycle"), run.get("reports")
        if isinstance(cycle, dict) and cycle.get("name") == name and isinstance(reports, dict):
            yield manifest.parent, run
