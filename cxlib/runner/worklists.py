"""`cx worklist`: write a list with ids for people allowed to see it, never into a folder of reports."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cxlib.language import has_text, text
from cxlib.runner.errors import OutputError
from cxlib.runner.private_file import write_private
from cxlib.runner.words import say


def add_worklist(command: Callable[[str, Any], argparse.ArgumentParser], reports: Path, lang: str) -> None:
    """Register the command; `reports` is the handbook's own folder of reports."""
    added = command("worklist", lambda options, spoken: _worklist(options, spoken, reports))
    added.add_argument("name", metavar="NAME", help=say("help_worklist_name", lang))
    added.add_argument("--data", type=Path, required=True, metavar="DIR", help=say("help_data", lang))
    added.add_argument("--out", type=Path, required=True, metavar="FILE", help=say("help_worklist_out", lang))
    added.add_argument("--as-of", metavar="DATE", help=say("help_worklist_as_of", lang))
    added.add_argument("--force", action="store_true", help=say("help_worklist_force", lang))


def _worklist(options: argparse.Namespace, lang: str, reports: Path) -> int:
    from cxlib.data.tables.data_set import open_data
    from cxlib.runner.analysis.worklists import worklist
    from cxlib.runner.collect import to_csv

    check_target(options.out, reports, force=options.force)
    rows = worklist(open_data(options.data, options.as_of), options.name)
    record = {"columns": list(rows.columns), "rows": [_plain(row, lang) for row in rows.to_dict("records")]}
    write_private(options.out, to_csv(record), force=options.force)
    print(say("worklist_written", lang, rows=f"{len(rows):,}", file=options.out))  # noqa: T201
    return 0


def check_target(out: Path, reports: Path, *, force: bool) -> None:
    """Raise where a list of persons must not go: into a folder of reports, or over a file, unasked.

    Raises
    ------
    OutputError
        Says which of the two.
    """
    place = Path(os.path.abspath(out)).parent.resolve()
    for folder in (place, *place.parents):
        if folder == reports.resolve() or (folder / "run.json").exists() or any(folder.glob("*/run.json")):
            raise OutputError("runner.worklist_in_reports", file=out.name[:80])
    if os.path.lexists(out) and (not force or out.is_dir()):
        raise OutputError("runner.file_exists", file=out.name[:80])


def _plain(row: dict[Any, Any], lang: str) -> dict[str, object]:
    """Cells as they are written: days without a time, missing as nothing, reasons in words."""
    import pandas as pd

    cells: dict[str, object] = {}
    for name, value in row.items():
        if pd.isna(value):
            cells[str(name)] = None
        elif isinstance(value, pd.Timestamp):
            cells[str(name)] = str(value.date()) if value == value.normalize() else value.isoformat()
        elif str(name).startswith("reason_") and has_text(f"column.{value}"):
            cells[str(name)] = text(f"column.{value}", lang)
        else:
            cells[str(name)] = value
    return cells
