"""What can go wrong outside the analysis, with the exit code a script sees.

0 ok · 2 usage or parameters · 3 input · 4 not enough data · 5 execution failed · 6 output or disk ·
7 locked · 8 alerts (`cx alerts`) · 9 a text states numbers that are not the run's (`cx check-text`).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from cxlib.checks import CxError
from cxlib.checks import OutputError as OutputError
from cxlib.checks import output_error as output_error

EXIT_NOT_ENOUGH_DATA = 4
EXIT_ALERTS = 8
EXIT_UNFOUNDED = 9


class ExecutionError(CxError):
    """A report stopped, timed out, lost its kernel or left a cell unrun (exit code 5)."""

    exit_code = 5


class LockedError(CxError):
    """Another run holds the target (exit code 7)."""

    exit_code = 7


class ReportFailed(CxError):
    """One report failed: chapter, cell and cause, and the exit code the cause deserves.

    A class because it carries the half-run notebook to the folder of failed runs.
    """

    def __init__(self, cause: CxError, *, report: str, cell: int, cells: int, heading: str) -> None:
        self.cause, self.report = cause, report
        self.notebook: Any = None
        self.exit_code = cause.exit_code
        super().__init__(
            "runner.report_failed", report=report, cell=cell, cells=cells, heading=heading, cause=cause
        )

    def in_language(self, lang: str) -> str:
        """Return the message, cause included, in another language."""
        self.values["cause"] = self.cause.in_language(lang)
        return super().in_language(lang)


class KernelMessage(CxError):
    """A message the chapter's own code raised, already worded in both languages in the kernel.

    A class because the kernel is another process: the key's values stay there, the sentences come here.
    """

    def __init__(self, sentences: dict[str, str], exit_code: int) -> None:
        self.sentences, self.exit_code = sentences, exit_code
        super().__init__("runner.kernel_message", message=sentences["en"])

    def in_language(self, lang: str) -> str:
        """Return the kernel's sentence in `lang`."""
        return self.sentences[lang]


class PublishedError(OutputError):
    """The run is published, but what follows failed: the index does not list it yet (exit code 6).

    A class because the cause is said again in each language.
    """

    def __init__(self, folder: Path, cause: BaseException) -> None:
        reason = cause if isinstance(cause, CxError) else type(cause).__name__
        self.cause = cause
        if isinstance(cause, KeyboardInterrupt):
            self.exit_code = 130
        super().__init__("runner.published_without_index", folder=folder, reason=reason)

    def in_language(self, lang: str) -> str:
        """Return the message, cause included, in another language."""
        if isinstance(self.cause, CxError):
            self.values["reason"] = self.cause.in_language(lang)
        return super().in_language(lang)


_CAUSES = {
    "SystemExit": "cause_exit",
    "KeyboardInterrupt": "cause_interrupt",
    "MemoryError": "cause_memory",
    "ModuleNotFoundError": "cause_module",
}


def cell_error(ename: str, module: str = "") -> ExecutionError:
    """Plain words for an exception in a cell; its own text stays out, it may hold customer values."""
    return ExecutionError(f"runner.{_CAUSES.get(ename, 'cause_other')}", ename=ename[:80], module=module)


_LAST_LINE = re.compile(r"^((?:\w+\.)*\w*(?:Error|Exception|Exit|Interrupt|Warning)): .*$", re.MULTILINE)
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def without_values(output: dict[str, Any]) -> None:
    """Take the texts of errors out of a kept notebook's error output: they may hold customer values."""
    lines = [_ANSI.sub("", line).replace(output["evalue"] or "\0", "…") for line in output["traceback"]]
    output["traceback"] = [_LAST_LINE.sub(r"\1: …", line) for line in lines]
    output["evalue"] = "…"
