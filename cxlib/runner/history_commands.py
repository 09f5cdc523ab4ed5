"""`cx history` and `cx alerts`: what runs have found over time, and what of the newest is worth telling."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from cxlib.checks import CxError, InputError, ParameterError
from cxlib.data.places import HANDBOOK
from cxlib.language import LANGUAGES, text
from cxlib.runner.errors import EXIT_ALERTS
from cxlib.runner.words import say

#: Months computed at a time, at the most.
MOST_MONTHS = 60
_MONTHS = re.compile(r"(\d{4})-(0[1-9]|1[0-2])(?:\.\.(\d{4})-(0[1-9]|1[0-2]))?")
Command = Callable[[str, Any], argparse.ArgumentParser]


def add_history_commands(command: Command, reports: Path, lang: str) -> None:
    """Register both commands; `reports` is where the runs and their history are."""

    def folder(added: argparse.ArgumentParser, name: str, key: str, **options: Any) -> None:
        added.add_argument(f"--{name}", type=Path, metavar="DIR", help=say(key, lang), **options)

    history = command("history", _history)
    history.add_argument("runs", nargs="*", type=Path, metavar="RUN", help=say("help_history_runs", lang))
    history.add_argument("--as-of", metavar="MONTHS", help=say("help_history_as_of", lang))
    told = say("help_p", lang)
    history.add_argument(
        "-p", dest="parameters", action="append", default=[], metavar="name=value", help=told
    )
    alerts = command("alerts", _alerts)
    alerts.add_argument("run", type=Path, metavar="RUN", help=say("help_of_run", lang))
    alerts.add_argument("--new", action="store_true", help=say("help_alerts_new", lang))
    for added in (history, alerts):
        folder(added, "data", "help_history_data")
        folder(added, "out", "help_runs_out", default=reports)
    folder(history, "notebooks", "help_notebooks", default=HANDBOOK / "notebooks")


def _history(options: argparse.Namespace, lang: str) -> int:
    from cxlib.runner.history import read_history, run_rows
    from cxlib.runner.publish import check_out, locked

    out = check_out(options.out)
    with locked(out):
        read_history(out)  # a damaged one stops everything
        runs = _runs(options.runs, out, is_asked=bool(options.runs))
        rows = [row for run in runs for row in run_rows(run, options.data)]
        if options.as_of is not None:
            rows += _months(options, lang)
        remember(out, rows, _data(options, out), first=options.lang or "en", lang=lang)
    return 0


def remember(out: Path, rows: list[dict[str, Any]], data: Path | None, *, first: str, lang: str) -> None:
    """Add rows to the history in a folder that is locked, write its pages, and say so.

    Parameters
    ----------
    out
        Folder of reports.
    rows
        Key figures of runs or days.
    data
        Where targets, names and starts of initiatives are read; None where it is not known.
    first
        Language of `history.html`; the other is written beside it.
    lang
        Language of the message.

    Raises
    ------
    InputError
        The history is damaged, or there is nothing to remember.
    OutputError
        It cannot be written.
    """
    from cxlib.runner.history import FILE, add_rows, read_history

    count = add_rows(out, rows)
    held = read_history(out)
    if not held:
        raise InputError("history.no_rows", place=out.name[:80])
    _write_pages(out, held, data, first)
    print(text("history.added", lang, count=f"{count:,}", file=out / FILE))  # noqa: T201


def _runs(asked: list[Path], out: Path, *, is_asked: bool) -> Iterator[Any]:
    """Read the runs named, or all that can be read, the oldest first."""
    from cxlib.runner.run_files import read_run

    places = asked if is_asked else [path.parent for path in sorted(out.glob("*/run.json"))]
    for place in places:
        try:
            yield read_run(place, out)
        except CxError:
            if is_asked:
                raise


def _months(options: argparse.Namespace, lang: str) -> Iterator[dict[str, Any]]:
    """Key figures of each month's last day, from the data; months that the data do not hold are said."""
    from cxlib.runner.history import day_rows
    from cxlib.runner.notebooks import choose, find_notebooks, read_notebook
    from cxlib.runner.parameters import check_name, check_value, read_parameters
    from cxlib.runner.run_files import SCORECARD

    if options.data is None:
        raise ParameterError("history.no_data")
    if not options.data.exists():
        raise InputError("runner.no_data", found=repr(options.data.name)[:60])
    notebook = choose(find_notebooks(options.notebooks), [SCORECARD])[SCORECARD]
    declared = {one.name: one for one in read_parameters(read_notebook(notebook), SCORECARD)}
    values = {name: one.default for name, one in declared.items()}
    for pair in options.parameters:
        name, sign, value = pair.partition("=")
        if not sign:
            raise ParameterError("runner.not_a_pair", found=repr(pair)[:60])
        check_name(name, declared)
        values[name] = check_value(declared[name], value, is_typed=False)
    values["data"] = str(options.data.resolve())
    for day in month_ends(options.as_of):
        try:
            yield from day_rows(notebook, values | {"as_of": day.isoformat()}, of=f"--as-of {day:%Y-%m}")
        except CxError as error:
            month = f"{day:%Y-%m}"
            print(text("history.month_left_out", lang, month=month, reason=error.in_language(lang)))  # noqa: T201


def month_ends(asked: str) -> list[date]:
    """Last days of the months asked for, `2026-01..2026-09` or one of them.

    Raises
    ------
    ParameterError
        Not written so, the first after the last, or more than five years.

    Examples
    --------
    >>> [day.isoformat() for day in month_ends("2025-12..2026-02")]
    ['2025-12-31', '2026-01-31', '2026-02-28']
    """
    match = _MONTHS.fullmatch(asked)
    if match is not None:
        year, month, last_year, last_month = (None if part is None else int(part) for part in match.groups())
        first = int(year or 1) * 12 + int(month or 1) - 1
        last = first if last_year is None else last_year * 12 + int(last_month or 1) - 1
        if 0 <= last - first < MOST_MONTHS and first >= 12:
            after = [date((at + 1) // 12, (at + 1) % 12 + 1, 1) for at in range(first, last + 1)]
            return [day - timedelta(days=1) for day in after]
    raise ParameterError("history.not_months", found=asked[:40], limit=MOST_MONTHS)


def _write_pages(out: Path, rows: list[Any], data: Path | None, first: str) -> None:
    """Write `history.html` in the language asked for and, beside it, in the others."""
    from cxlib.runner.analysis.alarms import goals
    from cxlib.runner.analysis.key_figures import is_sample, names, starts
    from cxlib.runner.history_page import history_html
    from cxlib.runner.publish import replace

    began = [] if data is None else starts(data)
    simulated = data is not None and is_sample(data)
    words, of_target = names(data), goals(data)
    for lang in LANGUAGES:
        page = history_html(rows, lang, names=words, goals=of_target, starts=began, is_sample=simulated)
        stem = "history" if lang == first else f"history_{lang}"
        replace(out / f"{stem}.html", page.encode())


def _data(options: argparse.Namespace, out: Path) -> Path | None:
    """Folder of the data: as told, or where the newest run's manifest leads."""
    if options.data is not None:
        return Path(options.data)
    runs = list(_runs([], out, is_asked=False))
    return next((run.data for run in reversed(runs) if run.data is not None), None)


def _alerts(options: argparse.Namespace, lang: str) -> int:
    from cxlib.runner.publish import check_out
    from cxlib.runner.run_files import read_run

    out = check_out(options.out)
    run = read_run(options.run, out)
    return EXIT_ALERTS if tell_alerts(run, out, options.data or run.data, lang, is_new=options.new) else 0


def tell_alerts(run: Any, out: Path, data: Path | None, lang: str, *, is_new: bool) -> Path | None:
    """Write and say what of a run's key figures is worth telling; return the table, None where nothing is.

    Parameters
    ----------
    run
        As `read_run` gives it.
    out, data, lang
        As `remember` takes them.
    is_new
        Whether what was so on the day before is left out.

    Raises
    ------
    InputError
        The history is damaged.
    OutputError
        The table cannot be written.
    """
    from cxlib.runner.alerts import COLUMNS, find_alerts
    from cxlib.runner.analysis.alarms import goals
    from cxlib.runner.analysis.key_figures import names
    from cxlib.runner.collect import to_csv
    from cxlib.runner.history import read_history, run_rows
    from cxlib.runner.history_page import NEEDED
    from cxlib.runner.publish import write_folder

    own = run_rows(run, data)
    last = max((row["as_of"] for row in own), default="")
    earlier = [row for row in read_history(out) if row["as_of"] < last]
    found = find_alerts([*earlier, *own], goals=goals(data), names=names(data), lang=lang)
    rows = [row for row in found.rows if row["is_new"] or not is_new]
    file = out / "alerts" / f"{run.name}.csv"
    write_folder(file.parent, {file.name: to_csv({"columns": COLUMNS, "rows": rows})})
    for row in rows:
        print(f"{row['words']} · {text('history.new' if row['is_new'] else 'history.standing', lang)}")  # noqa: T201
    if found.without_limits:
        told = {"count": f"{found.without_limits:,}", "needed": NEEDED}
        print(text("history.without_limits", lang, **told))  # noqa: T201
    if not rows:
        said = {"count": f"{found.n_series:,}", "standing": f"{len(found.rows):,}"}
        print(text("history.nothing_new" if found.rows else "history.nothing", lang, **said))  # noqa: T201
        return None
    counts = {"count": f"{len(rows):,}", "series": f"{found.n_series:,}"}
    print(text("history.alerts", lang, file=file, **counts))  # noqa: T201
    return file
