"""What a command that runs reports says on the terminal, and with which exit code it ends."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cxlib.checks import CxError, InputError
from cxlib.runner.errors import EXIT_NOT_ENOUGH_DATA
from cxlib.runner.parameters import Plain
from cxlib.runner.plan import Plan
from cxlib.runner.words import say


@dataclass(frozen=True)
class Outcome:
    """What a run came to: its exit code, where it stands, and what failed, was taken over or never ran."""

    exit_code: int
    folder: Path | None
    index: Path | None
    errors: list[CxError]
    not_enough: list[str]
    items: int = 0
    published: int = 0
    kept: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    failed_folder: Path | None = None


def tell(outcome: Outcome, lang: str, *, accepts_gaps: bool, again: str = "cx run --retry") -> int:
    """Say what a run came to; return the exit code, 0 for a lack of data that is accepted.

    `again` is the command that makes what did not come out.
    """
    for error in outcome.errors:
        print(f"cx: {error.in_language(lang)}", file=sys.stderr)  # noqa: T201
    for item in outcome.not_enough:
        print(say("not_enough_data", lang, report=item))  # noqa: T201
    if outcome.folder is None:
        print(say("kept_nowhere", lang), file=sys.stderr)  # noqa: T201
    elif outcome.index is None:
        print(say("kept_failed", lang, folder=outcome.folder), file=sys.stderr)  # noqa: T201
    else:
        _tell_published(outcome, lang, again)
    accepted = accepts_gaps and outcome.exit_code == EXIT_NOT_ENOUGH_DATA
    return 0 if accepted else outcome.exit_code


def _tell_published(outcome: Outcome, lang: str, again: str) -> None:
    lost = len([error for error in outcome.errors if hasattr(error, "report")])
    without = outcome.items - outcome.published
    if outcome.kept:
        print(say("items_kept", lang, kept=len(outcome.kept), items=outcome.items))  # noqa: T201
    if without:
        counts: dict[str, object] = {
            "published": outcome.published,
            "items": outcome.items,
            "missing": len(outcome.missing),
        }
        counts |= {"again": again}
        print(say("items_published", lang, failed=without - len(outcome.missing), **counts), file=sys.stderr)  # noqa: T201
    if lost and outcome.failed_folder is not None:
        print(say("failed_is_at", lang, folder=outcome.failed_folder), file=sys.stderr)  # noqa: T201
    print(say("reports_are_at", lang, index=outcome.index))  # noqa: T201


def tell_dry(plans: Sequence[Plan], lang: str, *, accepts_gaps: bool, with_values: bool = True) -> int:
    """Say of each item with which values it would run, and where the data are too few; start nothing.

    Returns the exit code the run would have, as far as it can be told beforehand: 0, 3 where the data cannot
    be used, or 4 where they carry nothing of a report.
    """
    from cxlib.runner.analysis.possible_values import Opened, lacking

    opened, found = Opened(), set()
    for one in plans:
        state, reasons = "ready", ""
        if one.data is not None:
            state, reasons = lacking(one.report, opened, one.data, one.values.get("as_of"), lang)
        found.add(state)
        what = say(f"dry_{state}", lang, reasons=reasons)
        print(f"{one.item}: {what}")  # noqa: T201
        if with_values:
            print_table([["", name, shown_value(value, lang)] for name, value in one.values.items()])
    if "broken" in found:
        return InputError.exit_code
    return EXIT_NOT_ENOUGH_DATA if "missing" in found and not accepts_gaps else 0


def shown_value(value: Plain, lang: str) -> str:
    """Say the value of a parameter."""
    if value is None:
        return say("value_none", lang)
    return ", ".join(value) if isinstance(value, list) else str(value)


def print_table(rows: list[list[str]]) -> None:
    """Columns side by side; East Asian letters take two places."""
    from unicodedata import east_asian_width

    def width(text: str) -> int:
        return sum(2 if east_asian_width(letter) in "FW" else 1 for letter in text)

    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell + " " * (places - width(cell)) for cell, places in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())  # noqa: T201


@contextlib.contextmanager
def termination_like_interruption() -> Iterator[None]:
    """End on SIGTERM as on Ctrl-C: kernels stopped, nothing half-built left behind."""
    import signal

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
