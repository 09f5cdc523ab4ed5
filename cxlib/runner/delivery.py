"""Hand a published run to the company's own command, which mails or posts it; nothing here does."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from cxlib.runner.cycle_file import Cycle
from cxlib.runner.errors import OutputError
from cxlib.runner.publish import locked, replace
from cxlib.runner.words import say

DELIVERED = "delivery.json"
_SECONDS_TO_DELIVER = 600


def is_delivered(folder: Path) -> bool:
    """Whether a run has been delivered."""
    return (folder / DELIVERED).is_file()


def deliver(
    cycle: Cycle, folder: Path, base: Path, lang: str, *, code: int, alerts: Path | None = None
) -> None:
    """Run the company's own command for a published run.

    The command runs in the folder of the cycle's file, without a shell, and finds in its environment
    `CX_RUN` (the run's folder), `CX_INDEX`, `CX_SUMMARY` (the one page; empty without a scorecard),
    `CX_ALERTS` (the table of alerts; empty where there are none), `CX_CYCLE` and `CX_EXIT_CODE`, which is
    `code`.

    Raises
    ------
    OutputError
        It could not be run, took too long or ended with another code than 0.
    """
    page = folder / "summary.html"
    told = {
        "CX_RUN": str(folder.resolve()),
        "CX_INDEX": str((folder.parent / "index.html").resolve()),
        "CX_SUMMARY": str(page.resolve()) if page.is_file() else "",
        "CX_ALERTS": "" if alerts is None else str(alerts.resolve()),
        "CX_CYCLE": cycle.name,
        "CX_EXIT_CODE": str(code),
    }
    done: int | str
    try:
        done = subprocess.run(
            cycle.deliver, cwd=base, env={**os.environ, **told}, timeout=_SECONDS_TO_DELIVER, check=False
        ).returncode
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        done = type(error).__name__
    if done != 0:
        raise OutputError(
            "runner.deliver_failed", command=cycle.deliver[0][:80], code=done, folder=folder.name
        )
    with locked(folder.parent):
        replace(folder / DELIVERED, b'{"delivered": true}\n')
    print(say("cycle_delivered", lang, command=cycle.deliver[0][:80]))  # noqa: T201
