"""`cx run --retry`: what failed or never ran in an earlier run, run again; what came out is taken over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cxlib.checks import InputError, ParameterError, nearest
from cxlib.runner.earlier_items import DONE, Run
from cxlib.runner.index import load
from cxlib.runner.item_key import files_digest
from cxlib.runner.parameters import check_value
from cxlib.runner.plan import Plan, RunSettings, plan

NEWEST = "newest"


class Retry:
    """An earlier run to be completed; a class because its plans and its items are asked for at two times.

    Parameters
    ----------
    settings
        As of this command; reports, language and form are those of the earlier run unless they are given.
    name
        The earlier run, or `NEWEST`.

    Raises
    ------
    ParameterError
        No such run; one that can't be completed; parameters given besides.
    """

    def __init__(self, settings: RunSettings, name: str) -> None:
        if settings.parameters or settings.parameters_file is not None:
            raise ParameterError("runner.retry_parameters")
        self.folder, self.run = _find(settings.out, name)
        if self.run.get("is_shared") is True:
            raise ParameterError("runner.retry_shared", run=self.folder.name)
        if "cycle" in self.run:
            raise ParameterError("runner.retry_cycle", run=self.folder.name)
        held = [name for name, entry in self.run["reports"].items() if isinstance(entry, dict)]
        lang, form = self.run.get("lang"), self.run.get("form")
        reports = settings.reports or tuple(held)
        self.settings = replace(settings, reports=reports, lang=settings.lang or lang, form=str(form))

    @property
    def is_complete(self) -> bool:
        """Whether everything in it came out."""
        return all(entry.get("status") in DONE for entry in self.run["reports"].values())

    def plans(self) -> list[Plan]:
        """Items with the values they had; only where the data lie is told anew."""
        found = plan(self.settings)
        for one in found:
            given = self.run["reports"].get(one.report, {}).get("parameters") or {}
            for parameter in one.declared:
                if parameter.name in given and parameter.name not in ("data", "lang"):
                    one.values[parameter.name] = check_value(parameter, given[parameter.name])
        return found

    def earlier(self, runs: list[Run], files: Mapping[str, Any]) -> list[Run]:
        """Return the run, if it was made from the same data and rules.

        Raises
        ------
        InputError
            They are others: one run never holds figures of two states of the data.
        """
        before = {"data": self.run.get("data") or {}, "rules": self.run.get("rules") or []}
        if files_digest(before) != files_digest(files):
            raise InputError("runner.retry_other_data", run=self.folder.name)
        return [(self.folder, self.run)]


def _find(out: Path, name: str) -> Run:
    """Folder and manifest of a run, published or kept as failed; the newest that no cycle made."""
    manifests = [*out.glob("*/run.json"), *out.glob("failed/*/run.json")]
    runs = {path.parent: run for path in manifests if (run := load(path)) is not None and _is_run(run)}
    by_name = sorted(runs, key=lambda folder: (folder.name, folder.parent == out))
    own = [
        folder
        for folder in by_name
        if (folder.name == name or (name == NEWEST and "cycle" not in runs[folder]))
    ]
    if not own:
        names = [folder.name for folder in by_name]
        near = nearest(name, names) or ", ".join(names[-3:]) or "–"
        raise ParameterError("runner.no_such_run", found=repr(name)[:60], nearest=near)
    return own[-1], runs[own[-1]]


def _is_run(run: Mapping[str, Any]) -> bool:
    reports = run.get("reports")
    return (
        isinstance(reports, dict) and bool(reports) and all(isinstance(one, dict) for one in reports.values())
    )
