"""What differs between two runs besides their figures, and whether a figure still means the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cxlib.checks import InputError
from cxlib.runner.run_files import SCORECARD, Run

#: Parameters that move or show a figure and leave its meaning alone.
NEUTRAL = {
    "as_of",
    "period_end",
    "compared_with",
    "lang",
    "data",
    "purpose",
    "conf_level",
    "min_cell",
    "seed",
}
NEUTRAL |= {"n_boot", "by"}
#: Parameters that say about whom, and from when on, a key figure is.
SCOPE = ("segment", "where", "period_start")
#: Rules that judge figures or act on them, and define none.
JUDGING = {"targets.yml", "actions.yml", "decisions.yml", "kpis.yml"}
#: Rules behind a key figure besides its own definition; other key figures rest on none.
RULES_OF_KPI = {name: {"journey.yml"} for name in ("valley_depth", "hesitation_answered_30")}
#: Rules behind the reports; a report that is not here may rest on any.
RULES_OF = {
    "segmentation": {"rfm_segments.yml", "lifecycle.yml", "states.yml"},
    "journey": {"journey.yml", "states.yml", "rfm_segments.yml"},
    "nps_drivers": {"drivers.yml", "journey.yml", "rfm_segments.yml"},
    "initiative_roi": {"rfm_segments.yml"},
    "initiative_register": {"rfm_segments.yml"},
    SCORECARD: {"journey.yml", "drivers.yml", "rfm_segments.yml"},
}

Cause = tuple[str, dict[str, str]]


def check_comparable(old: Run, new: Run) -> None:
    """Raise where two runs can't be about the same thing at all.

    Raises
    ------
    InputError
        Another data set, another currency, or no report in common.
    """
    for name in ("data_set", "currency"):
        one, other = (str(run.header.get(name)) for run in (old, new))
        if one != other:
            raise InputError(
                f"compare.other_{name}", old=old.name, found=one[:60], new=new.name, other=other[:60]
            )
    if not set(old.results) & set(new.results):
        raise InputError("compare.no_report", old=old.name, new=new.name)


def causes(old: Run, new: Run) -> list[Cause]:
    """Name what differs: days, data, parameters, rules, code; keys of the catalogue with their values."""
    days = tuple(str(run.header.get("as_of")) for run in (old, new))
    found: list[Cause] = [] if days[0] == days[1] else [("as_of", {"old": days[0], "new": days[1]})]
    if files := changed_data(old, new):
        found.append(("data", {"files": ", ".join(files)}))
    for report in sorted(set(old.results) & set(new.results)):
        for name, (one, other) in changed_parameters(old, new, report).items():
            found.append(("parameter", {"report": report, "name": name, "old": one, "new": other}))
    if files := sorted(changed_rules(old, new)):
        found.append(("rules", {"files": ", ".join(files)}))
    return [*found, *_code(old, new)]


def _code(old: Run, new: Run) -> list[Cause]:
    found: list[Cause] = []
    versions = (old.manifest.get("versions") or {}, new.manifest.get("versions") or {})
    changed = {
        name: tuple(str(held.get(name, "–")) for held in versions)
        for name in dict.fromkeys([*versions[0], *versions[1]])
    }
    changed = {name: both for name, both in changed.items() if both[0] != both[1]}
    if told := ", ".join(f"{name} {one} → {other}" for name, (one, other) in changed.items()):
        found.append(("versions", {"versions": told}))
    commits = [str(run.manifest.get("commit") or "–")[:12] for run in (old, new)]
    if old.manifest.get("commit") != new.manifest.get("commit"):
        found.append(("commit", {"old": commits[0], "new": commits[1]}))
    return found


def changed_data(old: Run, new: Run) -> list[str]:
    """Names of the data files whose content differs, or that only one of the runs had."""
    return sorted(_differing(*(_files(run.manifest.get("data", {}).values()) for run in (old, new))))


def changed_rules(old: Run, new: Run) -> set[str]:
    """Names of the rule files that differ: the handbook's, and the company's own beside its data."""
    return _differing(*(_files([run.manifest.get("rules", [])]) for run in (old, new))) | {
        name for name in changed_data(old, new) if name.endswith(".yml") and name != "dataset.yml"
    }


def changed_parameters(old: Run, new: Run, report: str) -> dict[str, tuple[str, str]]:
    """Parameters of a report that differ, days and folders of data left out, as `name -> then, now`."""
    both = [run.parameters(report) for run in (old, new)]
    names = [name for name in dict.fromkeys([*both[0], *both[1]]) if name not in ("as_of", "data", "lang")]
    pairs = {name: tuple(_plain(held.get(name)) for held in both) for name in names}
    return {name: (one, other) for name, (one, other) in pairs.items() if one != other}


def reasons(old: Run, new: Run, report: str, kpi: str | None = None) -> list[Cause]:
    """Why a figure of one run does not mean what it means in the other; none where it does.

    Parameters
    ----------
    old, new
        The runs.
    report
        Report of the figure, by the name of its item.
    kpi
        Its code, for a key figure of the scorecard: only what defines that figure counts.
    """
    parameters = changed_parameters(old, new, report)
    rules = changed_rules(old, new)
    if kpi is None:
        moved = [name for name in parameters if name not in NEUTRAL]
        chapter = new.report_of(report)
        concerned = rules & RULES_OF[chapter] if chapter in RULES_OF else rules - JUDGING
    else:
        moved = [name for name in SCOPE if name in parameters]
        in_segment = {"rfm_segments.yml"} if new.parameters(report).get("segment") else set()
        concerned = rules & (RULES_OF_KPI.get(kpi, set()) | in_segment)
    found: list[Cause] = [
        (
            "parameter",
            {"report": report, "name": name, "old": parameters[name][0], "new": parameters[name][1]},
        )
        for name in moved
    ]
    if concerned:
        found.append(("rules", {"files": ", ".join(sorted(concerned))}))
    if kpi is not None and "kpis.yml" in rules:
        found.append(("definition", {}))
    versions = [str((run.manifest.get("versions") or {}).get("cx-handbook", "–")) for run in (old, new)]
    if versions[0] != versions[1]:
        found.append(("version", {"old": versions[0], "new": versions[1]}))
    return found


def _files(listings: Iterable[Any]) -> dict[str, set[str]]:
    """Hashes by name of file; one name may stand for several files."""
    found: dict[str, set[str]] = {}
    for listing in listings:
        for entry in listing if isinstance(listing, list) else ():
            if isinstance(entry, Mapping):
                found.setdefault(str(entry.get("file")), set()).add(str(entry.get("sha256")))
    return found


def _differing(old: Mapping[str, set[str]], new: Mapping[str, set[str]]) -> set[str]:
    return {name for name in {*old, *new} if old.get(name) != new.get(name)}


def _plain(value: object) -> str:
    return "–" if value is None else str(value)[:60]
