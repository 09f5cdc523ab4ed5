"""`cx cycle FILE`: register the command; what it runs is imported when it runs."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cxlib.checks import ParameterError
from cxlib.data.places import HANDBOOK, REPORTS
from cxlib.runner.words import say


def add_cycle(command: Callable[[str, Any], argparse.ArgumentParser], lang: str) -> None:
    """Register the command."""
    added = command("cycle", _cycle)
    added.add_argument("file", type=Path, metavar="FILE", help=say("help_cycle_file", lang))
    for name, default in (("out", REPORTS), ("notebooks", HANDBOOK / "notebooks")):
        told = say(f"help_{name}", lang)
        added.add_argument(f"--{name}", type=Path, metavar="DIR", default=default, help=told)
    added.add_argument("--jobs", type=int, default=0, metavar="N", help=say("help_jobs", lang))
    added.add_argument("--timeout", type=float, default=1800, metavar="S", help=say("help_timeout", lang))
    added.add_argument("--no-warm", action="store_true", help=say("help_no_warm", lang))
    added.add_argument("--yes", action="store_true", help=say("help_yes", lang))
    added.add_argument("--dry-run", action="store_true", help=say("help_dry_run", lang))


def _cycle(options: argparse.Namespace, lang: str) -> int:
    from cxlib.runner.cycle import run_cycle
    from cxlib.runner.plan import RunSettings
    from cxlib.runner.publish import check_out

    if options.jobs < 0 or not 0 < options.timeout < 1e6:
        raise ParameterError("runner.usage", message="--jobs ≥ 0, 0 < --timeout < 1000000")
    settings = RunSettings(
        out=check_out(options.out),
        notebooks=options.notebooks.absolute(),
        jobs=options.jobs,
        timeout=options.timeout,
        is_warm=not options.no_warm,
    )
    return run_cycle(options.file, settings, lang, is_dry=options.dry_run, is_sure=options.yes)
