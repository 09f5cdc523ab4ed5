"""`cx decide`, `cx followup` and `cx export`: what a team does with a run."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from cxlib.runner.words import say

NEWEST = "newest"
KINDS = ("pdf", "xlsx", "slides")


def add_team_commands(
    command: Callable[[str, Any], argparse.ArgumentParser], reports: Path, lang: str
) -> None:
    """Register the commands; `reports` is where runs are looked for by name."""

    def of_run(name: str, function: Any) -> argparse.ArgumentParser:
        added = command(name, function)
        added.add_argument("run", type=Path, metavar="RUN", help=say("help_newest", lang))
        added.add_argument(
            "--out", type=Path, metavar="DIR", default=reports, help=say("help_runs_out", lang)
        )
        return added

    def with_data(added: argparse.ArgumentParser) -> None:
        added.add_argument("--data", type=Path, required=True, metavar="DIR", help=say("help_data", lang))

    decide = of_run("decide", _decide)
    with_data(decide)
    decide.add_argument("--done", action="append", default=[], metavar="ID", help=say("help_done", lang))
    decide.add_argument("--on", metavar="DATE", help=say("help_done_on", lang))
    followup = command("followup", _followup)
    with_data(followup)
    followup.add_argument("--as-of", metavar="DATE", help=say("help_worklist_as_of", lang))
    followup.add_argument("--days", type=int, default=31, metavar="N", help=say("help_near_days", lang))
    followup.add_argument("--json", action="store_true", help=say("help_json", lang))
    export = of_run("export", _export)
    for kind in KINDS:
        export.add_argument(f"--{kind}", action="store_true", help=say(f"help_{kind}", lang))
    export.add_argument("--to", type=Path, metavar="DIR", help=say("help_export_to", lang))
    export.add_argument("--browser", type=Path, metavar="FILE", help=say("help_browser", lang))


def _decide(options: argparse.Namespace, lang: str) -> int:
    from cxlib.data.days import to_date
    from cxlib.data.rules.decisions import read_decisions
    from cxlib.runner.decide import add_proposals, mark_done, proposals, states
    from cxlib.runner.run_files import read_run

    run = read_run(_named(options), options.out)
    proposed = proposals(run, options.lang or str(run.manifest["lang"]))
    before = read_decisions(options.data)
    day = (
        date.fromisoformat(run.header["as_of"]) if options.on is None else to_date(options.on, argument="on")
    )
    added = add_proposals(options.data, proposed)
    mark_done(options.data, options.done, day)
    held = [one for one in read_decisions(options.data) if one.id in {earlier.id for earlier in before}]
    for what, state in states(held, run.results, lang):
        print(f"  {what} — {state}")  # noqa: T201
    for one in added:
        print(f"+ {one.what} ({one.who}, {one.by})")  # noqa: T201
    print(say("decisions_written", lang, count=f"{len(added):,}", file=options.data))  # noqa: T201
    return 0


def _named(options: argparse.Namespace) -> Path:
    """Return the run asked for: a folder or name, or the newest in the folder of reports."""
    from cxlib.runner.index import read_runs

    place: Path = options.run
    if str(place) != NEWEST or place.is_dir():
        return place
    return next((Path(run["run"]) for run in read_runs(options.out)), place)


def _followup(options: argparse.Namespace, lang: str) -> int:
    import json

    from cxlib.runner.analysis.followup import followup
    from cxlib.runner.followup import followup_lines
    from cxlib.runner.tell import print_table

    rows = followup(options.data, as_of=options.as_of, near_days=options.days)
    if options.json:
        print(json.dumps(rows, ensure_ascii=False, indent=1, allow_nan=False))  # noqa: T201
    elif rows:
        print_table(followup_lines(rows, lang))
    else:
        print(say("followup_nothing", lang, days=options.days))  # noqa: T201
    return 0


def _export(options: argparse.Namespace, lang: str) -> int:
    from cxlib.runner.exports.export_run import export_run

    wanted = [kind for kind in KINDS if getattr(options, kind)] or ["xlsx"]
    files = export_run(
        _named(options), options.out, kinds=wanted, to=options.to, browser=options.browser, lang=options.lang
    )
    for file in files:
        print(say("file_written", lang, file=file))  # noqa: T201
    return 0
