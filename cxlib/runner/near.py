"""Notice when a new run lies so close to an earlier one that their difference is a few customers' purchases.

Each report is safe alone, pairs are not: exact totals of two days give away who bought in between. What a
report's header records of its tables says how far a bound may move before `min_cell` customers differ.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cxlib.runner.index import load

_LATEST = 50  # earlier runs looked at, newest first
_PEOPLE = ("n", "customers", "n_customers", "n_treatment", "n_control")
_LARGEST = 50_000_000


def earlier_runs(out: Path) -> list[tuple[Path, dict[str, Any]]]:
    """Folders and manifests of the exact runs in a reports folder, the newest first."""
    found = []
    for manifest in sorted(out.glob("*/run.json"), reverse=True)[:_LATEST]:
        run = load(manifest)
        if run is not None and isinstance(run.get("reports"), dict) and run.get("is_shared") is not True:
            found.append((manifest.parent, run))
    return found


def near_runs(
    runs: list[tuple[Path, dict[str, Any]]],
    *,
    report: str,
    results: Mapping[str, Any],
    parameters: Mapping[str, Any],
) -> list[str]:
    """Names of the earlier runs whose report differs from this one by fewer than `min_cell` customers.

    Parameters
    ----------
    runs
        From `earlier_runs`.
    report
        Name of the report.
    results
        What it recorded in this run.
    parameters
        Its parameters in this run.

    Notes
    -----
    Where days or the period differ, the customers with rows between the two bounds count; where they agree
    and something else differs, such as `segment` or `by`, the customers of like rows of like tables do.
    """
    header, found = results.get("header", {}), []
    own = _view(header, parameters)
    min_cell = parameters.get("min_cell", 10)
    for folder, run in runs:
        entry = run["reports"].get(report)
        if not isinstance(entry, dict) or entry.get("data_set") != header.get("data_set"):
            continue
        given = entry.get("parameters")
        other = _view(entry, given if isinstance(given, dict) else {})
        if own["bounds"] != other["bounds"]:
            is_near = _is_near_in_time(own, other)
        else:
            is_near = given != dict(parameters) and _has_near_rows(
                results, _results(folder, report), min_cell
            )
        if is_near:
            found.append(folder.name)
    return found


def _view(entry: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """First and last day a report counted, and the days close to them; an open start is before every day."""
    last = [day for day in (entry.get("as_of"), parameters.get("period_end")) if isinstance(day, str)]
    start = parameters.get("period_start")
    close = entry.get("close")
    return {
        "bounds": (start if isinstance(start, str) else "", min(last, default="")),
        "close": list(close.values()) if isinstance(close, dict) else [],
    }


def _is_near_in_time(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether one bound differs, and lies where few customers have rows between."""
    (start, end), (other_start, other_end) = one["bounds"], other["bounds"]
    if start == other_start:
        wider, bound, side = (one, other_end, "end") if end > other_end else (other, end, "end")
    elif end == other_end:
        wider, bound, side = (one, other_start, "start") if start < other_start else (other, start, "start")
    else:
        return False
    return any(low <= bound <= high for low, high in _close(wider["close"], side))


def _close(spans: list[Any], side: str) -> Iterator[tuple[str, str]]:
    for of_table in spans:
        span = of_table.get(side) if isinstance(of_table, dict) else None
        if isinstance(span, list) and len(span) == 2 and all(isinstance(day, str) for day in span):
            yield span[0], span[1]


def _results(folder: Path, report: str) -> dict[str, Any]:
    path = folder / "results.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.stat().st_size < _LARGEST else {}
        return found[report] if isinstance(found[report], dict) else {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def _has_near_rows(one: Mapping[str, Any], other: Mapping[str, Any], min_cell: Any) -> bool:
    """Whether a row that both tell differs by at least one customer and by fewer than `min_cell`."""
    counts = dict(_rows(one))
    return any(0 < abs(count - counts[key]) < min_cell for key, count in _rows(other) if key in counts)


def _rows(results: Mapping[str, Any]) -> Iterator[tuple[Any, float]]:
    """Pairs `(table, names of the row, its place among rows of these, column), customers` of every shown row.

    Rows that only numbers tell apart, such as deciles, are alike in name: each is held against its own.
    """
    tables = results.get("tables")
    for key, table in tables.items() if isinstance(tables, dict) else ():
        rows = table.get("rows") if isinstance(table, dict) else None
        seen: Counter[Any] = Counter()
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict):
                names = tuple(sorted((k, v) for k, v in row.items() if isinstance(v, str)))
                seen[names] += 1
                for column in _PEOPLE:
                    if isinstance(row.get(column), int | float):
                        yield (key, names, seen[names], column), row[column]
