"""Two runs side by side: what moved beyond noise, what can't be compared, and why they differ at all."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cxlib.checks import CxError
from cxlib.runner.causes import Cause, causes, check_comparable, reasons
from cxlib.runner.figures import Figure, run_figures
from cxlib.runner.run_files import SCORECARD, Run
from cxlib.runner.watch import file_entry

#: Keys of the key figures of the scorecard; one made for some customers bears another name.
_ROWS = "/kpis[metric="
KPI = f"{SCORECARD}{_ROWS}"
#: Numbers are the same within this part of their size.
SAME = 1e-9


class Row(NamedTuple):
    """One figure in two runs; a class because every part of the page reads it by name.

    `old`, `new` and `difference` are as stored; `change` with its limits is what the data at hand give by
    today's rules for both days, `restated` the old figure by these. `reasons` say why the stored ones can't
    be compared.
    """

    key: str
    unit: str
    old: float | None
    new: float | None
    difference: float | None
    reasons: tuple[Cause, ...] = ()
    change: float | None = None
    conf_low: float | None = None
    conf_high: float | None = None
    n: float | None = None
    moved: str | None = None
    restated: float | None = None
    anchor: str = ""


class Comparison(NamedTuple):
    """All that a page on two runs says; a class because JSON and page are made of the same."""

    old: Run
    new: Run
    causes: list[Cause]
    not_comparable: list[Row]
    tested: list[Row]
    stored: list[Row]
    only_old: list[str]
    only_new: list[str]
    untested: Cause | None


def compare(old: Run, new: Run, *, notebook: Path | None = None, data: Path | None = None) -> Comparison:
    """Compare two runs of one company.

    Parameters
    ----------
    old, new
        The runs; the one with the earlier day counts as the old one.
    notebook
        The scorecard's chapter, by which key figures are computed again; none compares what is stored only.
    data
        Data of the new run, where its manifest does not lead there.

    Returns
    -------
    Comparison
        `tested` are key figures whose difference the data at hand carry; `stored` all others, without a
        verdict; `untested` says why no difference could be tested.

    Raises
    ------
    InputError
        The runs are of two companies, of two currencies, or have no report in common.
    """
    check_comparable(old, new)
    if _day(old) > _day(new):
        old, new = new, old
    changes, untested = _changes(old, new, notebook, data)
    before, now = ({one.key: one for one in run_figures(run)} for run in (old, new))
    rows = [_row(old, new, before[key], one, changes.get(key)) for key, one in now.items() if key in before]
    comparable = [row for row in rows if not row.reasons]
    return Comparison(
        old,
        new,
        causes(old, new),
        [row for row in rows if row.reasons],
        [row for row in comparable if row.change is not None],
        [row for row in comparable if row.change is None],
        [key for key in before if key not in now],
        [key for key in now if key not in before],
        untested,
    )


def comparison_json(found: Comparison) -> dict[str, Any]:
    """Return a comparison for programs; `docs/after_a_run.md` says what its names mean."""
    rows = ("not_comparable", "tested", "stored")
    runs = {
        name: {"run": run.name, "as_of": run.header.get("as_of"), "commit": run.manifest.get("commit")}
        for name, run in (("old", found.old), ("new", found.new))
    }
    return {
        "format": 1,
        "data_set": found.new.header.get("data_set"),
        "currency": found.new.header.get("currency"),
        **runs,
        "causes": [_cause(one) for one in found.causes],
        "untested": None if found.untested is None else _cause(found.untested),
        **{name: [_json(row) for row in getattr(found, name)] for name in rows},
        "only_old": found.only_old,
        "only_new": found.only_new,
    }


def _cause(cause: Cause) -> dict[str, str]:
    return {"cause": cause[0], **cause[1]}


def _json(row: Row) -> dict[str, Any]:
    return row._asdict() | {"reasons": [_cause(one) for one in row.reasons]}


def _day(run: Run) -> tuple[str, str]:
    return str(run.header.get("as_of")), run.name


def kpi_of(run: Run, key: str) -> str | None:
    """Code of the key figure that a key is about, itself or one of its numbers; None for other figures."""
    item, _, rest = key.partition("/")
    is_kpi = run.report_of(item) == SCORECARD and f"/{rest}".startswith(_ROWS)
    return rest.removeprefix(_ROWS[1:]).partition("]")[0] if is_kpi else None


def _row(old: Run, new: Run, before: Figure, now: Figure, change: Mapping[str, Any] | None) -> Row:
    why = reasons(old, new, now.report, kpi_of(new, now.key))
    if before.unit != now.unit:
        why = [*why, ("definition", {})]
    both = None not in (before.estimate, now.estimate) and not why
    difference = now.estimate - before.estimate if both else None  # type: ignore[operator]
    row = Row(now.key, now.unit, before.estimate, now.estimate, difference, tuple(why), anchor=now.anchor)
    if change is None:
        return row
    restated = change["before"]
    is_same = before.estimate is not None and math.isclose(
        restated, before.estimate, rel_tol=SAME, abs_tol=SAME
    )
    limits = {name: change[f"change_{name}"] for name in ("conf_low", "conf_high")}
    tested = {"change": change["change"], "n": change["n_both"], "moved": change["moved"], **limits}
    return row._replace(restated=None if is_same else restated, **tested)


def _changes(
    old: Run, new: Run, notebook: Path | None, data: Path | None
) -> tuple[dict[str, dict[str, Any]], Cause | None]:
    """Change of each key figure of each scorecard from the data at hand, by key; or why there is none."""
    place = data or new.data
    items = [item for item in new.results if item in old.results and new.report_of(item) == SCORECARD]
    if not items or notebook is None:
        return {}, ("no_scorecard", {})
    if place is None or not place.exists():
        return {}, ("no_data", {"run": new.name})
    if files := _other_files(new, place):
        return {}, ("data_moved_on", {"run": new.name, "files": ", ".join(files)})
    known: dict[str, dict[str, Any]] = {}
    try:
        for item in items:
            known |= _changes_of(item, old, new, notebook, place, n_items=len(items))
    except CxError as error:
        return {}, ("not_computed", {"reason": str(error)})
    return known, None if known else ("too_few", {})


def _changes_of(
    item: str, old: Run, new: Run, notebook: Path, place: Path, *, n_items: int
) -> dict[str, dict[str, Any]]:
    """Change of each key figure of one scorecard; the limits of all scorecards hold together (Bonferroni)."""
    from cxlib.runner.analysis.key_figures import key_changes

    latest = {**new.parameters(item), "data": str(place.resolve())}
    latest["as_of"] = latest.get("as_of") or new.results[item]["header"].get("as_of")
    latest["conf_level"] = 1 - (1 - float(latest.get("conf_level") or 0.95)) / n_items
    then, before = old.parameters(item), old.results[item]["header"].get("as_of")
    earlier = latest | {"as_of": before, "period_end": then.get("period_end")}
    rows: list[Any] = key_changes(notebook, latest, earlier).to_dict("records")
    known = [row for row in rows if not math.isnan(row["change_conf_low"])]
    return {f"{item}{_ROWS}{row['metric']}]": row for row in known}


def _other_files(run: Run, place: Path) -> list[str]:
    """Files of the run's data that are not there as it read them."""
    listed: Iterable[Any] = (entry for entries in run.manifest.get("data", {}).values() for entry in entries)
    folder = place if place.is_dir() else place.parent
    other = []
    for entry in listed:
        path = next(
            (one for one in (folder / entry["file"], folder / "rules" / entry["file"]) if one.is_file()), None
        )
        if path is None or file_entry(path)["sha256"] != entry["sha256"]:
            other.append(str(entry["file"])[:60])
    return other
