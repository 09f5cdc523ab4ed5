"""A published run, read back: its manifest and its results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cxlib.checks import InputError, ParameterError
from cxlib.data.places import HANDBOOK
from cxlib.runner.collect import RESULTS_FORMAT
from cxlib.runner.index import load

_LARGEST = 200_000_000
#: The chapter whose table `kpis` holds the key figures.
SCORECARD = "scorecard"


class Run(NamedTuple):
    """Manifest and results (`run.json`, `results.json`) of a run; a class because each needs the other."""

    folder: Path
    manifest: Mapping[str, Any]
    results: Mapping[str, Mapping[str, Any]]

    @property
    def name(self) -> str:
        """Name of the run, the second it started."""
        return str(self.manifest["run"])

    @property
    def header(self) -> Mapping[str, Any]:
        """Header of the scorecard, or of the first report where it was not run."""
        report = self.results.get(SCORECARD) or next(iter(self.results.values()))
        held: Mapping[str, Any] = report["header"]
        return held

    def parameters(self, report: str) -> Mapping[str, Any]:
        """Parameters of one report."""
        held = self.manifest["reports"].get(report, {}).get("parameters")
        return held if isinstance(held, dict) else {}

    def report_of(self, item: str) -> str:
        """Chapter that an item of the run is made of."""
        entry = self.manifest["reports"].get(item)
        return str(entry.get("report", item)) if isinstance(entry, dict) else item

    @property
    def data(self) -> Path | None:
        """Folder of its data, where the manifest's way leads to one: only for data inside the handbook."""
        said = next((one.get("data") for one in map(self.parameters, self.results) if one.get("data")), None)
        place = (HANDBOOK / "notebooks" / str(said)).resolve()
        return place if said is not None and place.exists() else None


def read_run(place: Path, out: Path) -> Run:
    """Read a run by its folder, or by its name in the folder of reports.

    Parameters
    ----------
    place
        The run's folder, or its name.
    out
        Folder of reports.

    Raises
    ------
    ParameterError
        There is no such run; names those there are.
    InputError
        The run is one for sharing, is damaged, or its results have another format.
    """
    folder = next((one for one in (place, out / place) if (one / "run.json").is_file()), None)
    if folder is None:
        known = sorted((one.parent.name for one in out.glob("*/run.json")), reverse=True)
        raise ParameterError("runs.none", run=place.name[:80], known=", ".join(known[:5]) or "–")
    folder = folder.resolve()
    manifest = load(folder / "run.json")
    if manifest is None or not isinstance(manifest.get("reports"), dict):
        raise InputError("runs.damaged", run=folder.name, file="run.json")
    if manifest.get("is_shared") is True:
        raise InputError("runs.shared", run=folder.name)
    if manifest.get("results_format") != RESULTS_FORMAT:
        found = manifest.get("results_format") or "0.1"
        raise InputError("runs.format", run=folder.name, found=str(found)[:20], needed=RESULTS_FORMAT)
    return Run(folder, manifest, _results(folder))


def _results(folder: Path) -> dict[str, dict[str, Any]]:
    path = folder / "results.json"
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError
        found = json.loads(path.read_text(encoding="utf-8"))
        is_whole = all(
            isinstance(held["header"], dict) and isinstance(held[shelf], dict)
            for held in found.values()
            for shelf in ("tables", "findings", "notices")
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        is_whole = False
    if not is_whole or not found:
        raise InputError("runs.damaged", run=folder.name, file="results.json")
    results: dict[str, dict[str, Any]] = found
    return results
