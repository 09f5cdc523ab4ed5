"""`cx compare`, `cx figures` and `cx check-text`: what can be asked of finished runs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cxlib.data.places import HANDBOOK
from cxlib.language import text
from cxlib.runner.course_copy import add_course
from cxlib.runner.cycle_command import add_cycle
from cxlib.runner.errors import EXIT_UNFOUNDED
from cxlib.runner.history_commands import add_history_commands
from cxlib.runner.team_commands import add_team_commands
from cxlib.runner.words import say


def add_run_commands(
    command: Callable[[str, Any], argparse.ArgumentParser], reports: Path, lang: str
) -> None:
    """Register the commands; `reports` is where runs are looked for by name."""

    def added(name: str, function: Any, *files: str) -> argparse.ArgumentParser:
        parser = command(name, function)
        for file in files:
            parser.add_argument(file, type=Path, metavar=file.upper(), help=say(f"help_of_{file}", lang))
        parser.add_argument(
            "--out", type=Path, metavar="DIR", default=reports, help=say("help_runs_out", lang)
        )
        return parser

    compare = added("compare", _compare)
    for name in ("old", "new"):
        compare.add_argument(name, type=Path, metavar=name.upper(), help=say("help_of_run", lang))
    compare.add_argument("--data", type=Path, metavar="DIR", help=say("help_compare_data", lang))
    compare.add_argument("--notebooks", type=Path, metavar="DIR", default=HANDBOOK / "notebooks")
    add_cycle(command, lang)
    added("figures", _figures, "run").add_argument("--json", action="store_true", help=say("help_json", lang))
    added("check-text", _check_text, "file", "run")
    add_team_commands(command, reports, lang)
    add_history_commands(command, reports, lang)
    add_course(command, lang)


def _compare(options: argparse.Namespace, lang: str) -> int:
    from cxlib.runner.comparison import write_comparison

    places = {"out": options.out, "notebooks": options.notebooks, "data": options.data}
    page = write_comparison(options.old, options.new, **places, lang=options.lang, spoken=lang)
    print(text("compare.written", lang, file=page))  # noqa: T201
    return 0


def _figures(options: argparse.Namespace, lang: str) -> int:
    from cxlib.runner.figures import figure_lines, figures_json
    from cxlib.runner.run_files import read_run

    run = read_run(options.run, options.out)
    if options.json:
        print(json.dumps(figures_json(run), ensure_ascii=False, indent=1, allow_nan=False))  # noqa: T201
    else:
        for line in figure_lines(run, lang):
            print("\t".join(line).rstrip())  # noqa: T201
    return 0


def _check_text(options: argparse.Namespace, lang: str) -> int:
    from cxlib.runner.check_text import check_text, read_text
    from cxlib.runner.run_files import read_run

    looked_at, unfounded = check_text(read_text(options.file), read_run(options.run, options.out), lang=lang)
    for one in unfounded:
        print(say("unfounded", lang, line=one.line, number=one.written, nearest=one.nearest))  # noqa: T201
    said = {"count": f"{looked_at:,}", "run": options.run.name}
    if unfounded:
        print(say("text_refused", lang, bad=f"{len(unfounded):,}", **said))  # noqa: T201
        return EXIT_UNFOUNDED
    print(say("text_founded", lang, **said))  # noqa: T201
    return 0
