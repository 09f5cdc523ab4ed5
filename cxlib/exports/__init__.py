"""Turn exports of shop, survey and CRM systems into tables of the contract, by a mapping of closed verbs."""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from cxlib.checks import InputError, ParameterError, Problem, TableError
from cxlib.contract import TABLES
from cxlib.exports._mapping import Mapping, TableMapping, read_mapping
from cxlib.exports._source import require, shape
from cxlib.exports._verbs import Context, column
from cxlib.findings import Findings
from cxlib.personal import holds_contacts, is_personal
from cxlib.rules import Settings

__all__ = ["import_export", "read_mapping"]

KEY_VARIABLE = "CX_PSEUDONYM_KEY"
SHORTEST_KEY = 16
SUMMARY = "import.json"
_REWORDED = {"tables.not_a_number": "exports.not_a_number", "tables.not_a_time": "exports.not_a_time"}


def import_export(
    mapping: str | Path, source: str | Path, target: str | Path, *, key_file: str | Path | None = None
) -> pd.DataFrame:
    """Turn an export into a data set of the contract, whole or not at all.

    Parameters
    ----------
    mapping : str or Path
        YAML file of closed verbs, see `data/mappings/README.md`.
    source : str or Path
        Folder of the export's files, read as text in their declared encoding.
    target : str or Path
        Folder to write: Parquet tables, `dataset.yml` and `import.json` (rows in and out, nothing else). A
        folder that an earlier import wrote is replaced; any other that holds something is left alone.
    key_file : str or Path, optional
        File with the key for `pseudonymise`; by default the environment variable `CX_PSEUDONYM_KEY`. The
        key is written nowhere.

    Returns
    -------
    DataFrame
        One row per table and file: `table, file, rows_read, rows_without_match` (of lookups),
        `rows_left_out_by_where, rows_left_out_by_grain, rows_written, amount_total` (missing without amount).

    Raises
    ------
    InputError
        For a mapping that does not fit, a file or column that is missing, and values that do not fit.
    ParameterError
        When the target holds something else, or the key is missing.

    Notes
    -----
    Every verb works row by row; the only step that joins files asserts a unique key, so rows never multiply
    and totals stay what they were.
    """
    plan = read_mapping(Path(mapping))
    folder, goal = Path(source), Path(target)
    if not os.path.isdir(folder):
        raise InputError("exports.no_folder", folder=folder.name[:80])
    earlier = (goal / SUMMARY).is_file()
    if goal.exists() and not earlier and (not goal.is_dir() or any(goal.iterdir())):
        raise ParameterError("exports.target_taken", folder=goal.name)
    key = _key(plan, key_file)
    problems: list[Problem] = []
    tables: dict[str, pd.DataFrame] = {}
    summary: list[dict[str, Any]] = []
    for table, parts in plan.tables.items():
        made = [_make(table, part, folder, plan.data_set, key, problems, summary) for part in parts]
        tables[table] = pd.concat(made, ignore_index=True)
    errors = [_in_mapping(problem) for problem in problems if problem.level == "error"]
    if errors:
        raise TableError(errors)
    _write(goal, tables, plan.data_set, summary)
    return pd.DataFrame(summary)


def _in_mapping(problem: Problem) -> Problem:
    """Give the remedy that lies in the mapping: who reads this runs `cx import` already."""
    return replace(problem, key=_REWORDED.get(problem.key, problem.key))


def _key(plan: Mapping, key_file: str | Path | None) -> bytes:
    parts = [part for parts in plan.tables.values() for part in parts]
    verbs = [verb for part in parts for verb in (*part.columns.values(), *part.extra.values())]
    if not any(verb.pseudonymise for verb in verbs):
        return b""
    text = os.environ.get(KEY_VARIABLE, "")
    if key_file:
        text = Path(key_file).read_text(encoding="utf-8") if os.path.isfile(key_file) else ""
    if len(text.strip()) < SHORTEST_KEY:
        raise ParameterError("exports.no_key", variable=KEY_VARIABLE, length=SHORTEST_KEY)
    return text.strip().encode()


def _make(
    table: str,
    part: TableMapping,
    folder: Path,
    settings: Settings,
    key: bytes,
    problems: list[Problem],
    summary: list[dict[str, Any]],
) -> pd.DataFrame:
    """Make one table from one file, noting problems and counts."""
    rows = shape(folder, part)
    findings = Findings(part.file, rows.counts["rows_read"], problems, np.asarray(rows.frame.index))
    context = Context(settings.timezone, key, findings)
    spec = TABLES[table]
    made: dict[str, pd.Series] = {}
    for name, verb in {**part.columns, **part.extra}.items():
        require(rows.frame, verb.needs, part.file)
        rule = spec.column(name)
        made[name] = column(rows.frame, verb, rule.kind if rule else verb.kind, name, context)
        text = pa.chunked_array([pa.array(made[name], pa.string())]) if made[name].dtype == "str" else None
        if text is not None and (holds_contacts(text) if rule else is_personal(text, name)):
            findings.add("exports.personal", "error", name)
    frame = pd.DataFrame(made, index=rows.frame.index)
    total = math.fsum(frame["amount"].dropna()) if "amount" in frame else None
    counts = {"table": table, "file": part.file, **rows.counts, "rows_written": len(frame)}
    summary.append({**counts, "amount_total": total})
    return frame


def _write(
    goal: Path, tables: dict[str, pd.DataFrame], settings: Settings, summary: list[dict[str, Any]]
) -> None:
    """Write the data set beside its place and move it there when it is complete."""
    goal.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{goal.name}-", dir=goal.parent))
    try:
        for table, frame in tables.items():
            pq.write_table(_arrow(frame, table), partial / f"{table}.parquet")
        content = settings.model_dump(mode="json") | {"extracted_at": settings.extracted.isoformat()}
        (partial / "dataset.yml").write_text(
            yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8"
        )
        (partial / SUMMARY).write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
        partial.chmod(0o755)
        if goal.exists():
            former = partial.with_name(partial.name + "-former")
            goal.rename(former)
            partial.rename(goal)
            shutil.rmtree(former)
        else:
            partial.rename(goal)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _arrow(frame: pd.DataFrame, table: str) -> pa.Table:
    made = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
    for position, name in enumerate(made.column_names):
        rule = TABLES[table].column(name)
        if rule is not None and rule.kind in ("date", "month"):
            made = made.set_column(position, name, made[name].cast(pa.date32()))
        elif rule is not None and rule.kind == "whole":
            made = made.set_column(position, name, made[name].cast(pa.int64()))
    return made
