"""`history.parquet`: key figures of every run, a row each, only ever added to.

A file that cannot be read whole stops whatever wanted to add to it: nothing replaces what it may still hold.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from cxlib.checks import InputError
from cxlib.data.places import HANDBOOK
from cxlib.runner.causes import RULES_OF_KPI, SCOPE
from cxlib.runner.publish import replace
from cxlib.runner.run_files import SCORECARD, Run
from cxlib.runner.watch import file_entry, files_read

FILE = "history.parquet"
#: Columns and what they hold; texts are never missing, numbers may be.
TEXTS = ("data_set", "currency", "scope", "key", "metric", "as_of", "unit", "definition", "run")
NUMBERS = ("estimate", "conf_low", "conf_high", "n", "conf_level")

Row = dict[str, Any]


def read_history(out: Path) -> list[Row]:
    """Rows of the history beside the runs, in the order they were added; none where there is no file.

    Raises
    ------
    InputError
        The file is damaged, or is none of ours; says what to do.
    """
    path = out / FILE
    if not path.exists():
        return []
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, page_checksum_verification=True)
        if table.column_names != [*TEXTS, *NUMBERS] or any(table[name].null_count for name in TEXTS):
            raise ValueError
        rows: list[Row] = table.cast(_schema()).to_pylist()
        for row in rows:
            date.fromisoformat(row["as_of"])
            if not all(math.isfinite(row[name] or 0) for name in NUMBERS):
                raise ValueError
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError("history.damaged", file=FILE, place=out.name[:80]) from error
    return rows


def add_rows(out: Path, rows: Iterable[Row]) -> int:
    """Add rows that are not in the history yet; return how many.

    A row is there already where the latest one of its figure and day has the same definition and numbers.

    Raises
    ------
    InputError
        The history there is damaged; it is left as it is.
    OutputError
        It cannot be written.
    """
    held = read_history(out)
    latest = {_place(row): row for row in held}
    new = []
    for row in rows:
        before = latest.get(_place(row))
        if before is None or not _is_same(before, row):
            new.append(row)
            latest[_place(row)] = row
    if new:
        import pyarrow as pa
        import pyarrow.parquet as pq

        target = io.BytesIO()
        whole = pa.Table.from_pylist([*held, *new], schema=_schema())
        pq.write_table(whole, target, write_page_checksum=True)
        replace(out / FILE, target.getvalue())
    return len(new)


def _is_same(one: Row, other: Row) -> bool:
    numbers = [
        tuple(math.nan if row[name] is None else row[name] for name in NUMBERS) for row in (one, other)
    ]
    close = (math.isclose(a, b, rel_tol=1e-9) or (a != a and b != b) for a, b in zip(*numbers, strict=True))
    return one["definition"] == other["definition"] and all(close)


def latest_rows(rows: Iterable[Row]) -> list[Row]:
    """Rows in order of figure and day, of each the one added last."""
    latest = {_place(row): row for row in rows}
    return sorted(latest.values(), key=_place)


def run_rows(run: Run, data: Path | None = None) -> list[Row]:
    """Key figures of a run, a row each, of all its scorecards; those hidden for being few are left out.

    Where the run's manifest does not lead to its data, `data` says where they lie: rules beside them count.
    """
    place = run.data or data
    known, hashes = _definitions(place), _hashes(_entries(run))
    current = _hashes(_own_rules(place))
    rows = []
    for item, held in run.results.items():
        if run.report_of(item) != SCORECARD:
            continue
        header, table = held["header"], held["tables"].get("kpis")
        for number, row in enumerate(table["rows"] if table else ()):
            if number in table["suppressed"]:
                continue
            metric = str(row["metric"])
            is_current = hashes.get("kpis.yml") == current.get("kpis.yml")
            meant = known.get(metric) if is_current else sorted(hashes.get("kpis.yml", ()))
            units = table["units"]["estimate"]
            unit = units.get(metric, "number") if isinstance(units, Mapping) else units
            told = {"data_set": header["data_set"], "currency": header["currency"], "as_of": header["as_of"]}
            told |= {"scope": scope_of(run.parameters(item)), "unit": unit, "run": run.name}
            numbers = {name: row.get(name) for name in NUMBERS} | {"conf_level": header["conf_level"]}
            rows.append(_row(metric, definition_hash(metric, meant, hashes), told | numbers))
    return rows


def day_rows(notebook: Path, values: Mapping[str, Any], *, of: str) -> list[Row]:
    """Key figures of one day, computed from the data as the scorecard does.

    Parameters
    ----------
    notebook
        The scorecard's chapter.
    values
        Its parameters; `data` an absolute path, `as_of` the day.
    of
        What stands in place of the run.
    """
    from cxlib.data.tables.data_set import open_data
    from cxlib.runner.analysis.key_figures import key_figures

    data = Path(str(values["data"]))
    known, hashes, data_set = _definitions(data), _hashes(_own_rules(data)), open_data(data)
    told = {"data_set": data_set.settings.name, "currency": data_set.currency, "as_of": str(values["as_of"])}
    told |= {"scope": scope_of(values), "run": of, "conf_level": values["conf_level"]}
    rows = []
    for row in key_figures(notebook, values).to_dict("records"):
        metric = str(row["metric"])
        numbers = {name: row[name] for name in ("estimate", "conf_low", "conf_high", "n")} | {
            "unit": row["unit"]
        }
        rows.append(_row(metric, definition_hash(metric, known.get(metric), hashes), told | numbers))
    return rows


def scope_of(parameters: Mapping[str, Any]) -> str:
    """Whom and from when on figures are about, as text; empty for everybody.

    Examples
    --------
    >>> scope_of({"segment": "Champions", "where": None, "by": "region"})
    'segment=Champions'
    """
    return "; ".join(f"{name}={parameters[name]}" for name in SCOPE if parameters.get(name) is not None)


def definition_hash(metric: str, meant: object, hashes: Mapping[str, set[str]]) -> str:
    """Short hash of all that defines a figure: its entry in `kpis.yml` and the rules it rests on."""
    rules = {name: sorted(hashes.get(name, ())) for name in sorted(RULES_OF_KPI.get(metric, ()))}
    told = json.dumps([meant, rules], sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def _row(metric: str, definition: str, values: Mapping[str, Any]) -> Row:
    row: Row = {"key": f"{SCORECARD}/kpis[metric={metric}]", "metric": metric, "definition": definition}
    row |= {name: str(values[name]) for name in TEXTS if name not in row}
    return row | {name: _number(values[name]) for name in NUMBERS}


def _number(value: Any) -> float | None:
    return None if value is None or value != value else float(value)


def _place(row: Row) -> tuple[str, ...]:
    return (row["data_set"], row["scope"], row["key"], row["as_of"])


def _schema() -> Any:
    import pyarrow as pa

    fields = [pa.field(name, pa.string(), nullable=False) for name in TEXTS]
    return pa.schema([*fields, *(pa.field(name, pa.float64()) for name in NUMBERS)])


def _definitions(data: Path | None) -> dict[str, Any]:
    from cxlib.runner.analysis.key_figures import definitions

    return definitions(data)


def _entries(run: Run) -> list[Mapping[str, Any]]:
    data = [entry for entries in run.manifest.get("data", {}).values() for entry in entries]
    return [*run.manifest.get("rules", []), *data]


def _own_rules(data: Path | None) -> list[Mapping[str, Any]]:
    """Entries of the rule files there are now: the handbook's, and those beside the data."""
    beside = [] if data is None else [path for path in files_read(data) if path.suffix == ".yml"]
    return [file_entry(path) for path in [*sorted((HANDBOOK / "data" / "rules").rglob("*.yml")), *beside]]


def _hashes(entries: Iterable[Mapping[str, Any]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for entry in entries:
        found.setdefault(str(entry.get("file")), set()).add(str(entry.get("sha256")))
    return found
