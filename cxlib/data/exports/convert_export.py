"""Turn exports of shop, survey and CRM systems into tables of the contract, by a mapping of closed verbs."""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from cxlib.checks import InputError, ParameterError, Problem, TableError, output_error
from cxlib.data.contract import TABLES, Column
from cxlib.data.exports.mapping import Mapping, TableMapping, read_mapping
from cxlib.data.exports.source_files import in_mapping, require, shape
from cxlib.data.exports.verbs import Context, column
from cxlib.data.findings import Findings
from cxlib.data.personal_columns import holds_contacts, is_personal
from cxlib.data.rules.rule_files import Settings
from cxlib.data.tables.coverage import check_folder
from cxlib.data.text_type import TEXT

__all__ = ["import_export", "read_mapping"]

KEY_VARIABLE = "CX_PSEUDONYM_KEY"
SHORTEST_KEY = 16
SUMMARY = "import.json"
FINGERPRINT = b"which key made these pseudonyms"


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
        Folder to write: Parquet tables, `dataset.yml` and `import.json` (rows in and out, notices, and a
        fingerprint of the key). A folder that an earlier import wrote with the same key is replaced; any
        other that holds something is left alone.
    key_file : str or Path, optional
        File with the key for `pseudonymise`; by default the environment variable `CX_PSEUDONYM_KEY`. The
        key is written nowhere.

    Returns
    -------
    DataFrame
        One row per table and file: `table, file, rows_read, rows_without_match` (of lookups),
        `rows_left_out_by_where, rows_left_out_by_grain, rows_written, amount_total` (missing without amount).
        `attrs["notices"]` holds what was noticed, as list of `Problem`.

    Raises
    ------
    InputError
        For a mapping that does not fit, a file or column that is missing, values that do not fit, and a
        result that does not keep the contract: then nothing is written.
    ParameterError
        When the target holds something else, or the key is missing or another than before.
    OutputError
        When the target cannot be written.

    Notes
    -----
    Every verb works row by row; the only step that joins files asserts a unique key, so rows never multiply
    and totals stay what they were.
    """
    plan = read_mapping(Path(mapping))
    folder, goal = Path(source), Path(target)
    if not os.path.isdir(folder):
        raise InputError("exports.no_folder", folder=folder.name[:80])
    former = _earlier(goal)
    key = _key(plan, key_file)
    fingerprint = hmac.new(key, FINGERPRINT, hashlib.sha256).hexdigest()[:16] if key else ""
    if fingerprint and former.get("key", fingerprint) != fingerprint:
        raise ParameterError("exports.other_key", folder=goal.name)
    problems: list[Problem] = []
    tables: dict[str, pd.DataFrame] = {}
    summary: list[dict[str, Any]] = []
    for table, parts in plan.tables.items():
        made = [_make(table, part, folder, plan.data_set, key, problems, summary) for part in parts]
        tables[table] = pd.concat([part.frame for part in made], ignore_index=True)
        _notice_copies(table, made)
    errors = [in_mapping(problem) for problem in problems if problem.level == "error"]
    if errors:
        raise TableError(errors)
    record = {"tables": summary, **({"key": fingerprint} if fingerprint else {})}
    notices = _write(goal, tables, plan.data_set, record, problems)
    told = pd.DataFrame(summary)
    told.attrs["notices"] = notices
    return told


def _earlier(goal: Path) -> dict[str, Any]:
    """Record of the import that wrote the target; nothing where there is no target yet.

    Raises
    ------
    ParameterError
        When the target holds something that no import wrote.
    """
    try:
        there = goal.exists() and (not goal.is_dir() or any(goal.iterdir()))
        if not there:
            return {}
        found = json.loads((goal / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, OSError) and not isinstance(error, FileNotFoundError | NotADirectoryError):
            raise output_error(error, goal) from error
        raise ParameterError("exports.target_taken", folder=goal.name) from error
    return found if isinstance(found, dict) else {}


def _key(plan: Mapping, key_file: str | Path | None) -> bytes:
    parts = [part for parts in plan.tables.values() for part in parts]
    verbs = [verb for part in parts for verb in (*part.columns.values(), *part.extra.values())]
    if not any(verb.pseudonymise for verb in verbs):
        return b""
    text = os.environ.get(KEY_VARIABLE, "")
    if key_file:
        try:
            text = Path(key_file).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise ParameterError("exports.no_key", variable=KEY_VARIABLE, length=SHORTEST_KEY) from error
    if len(text.strip()) < SHORTEST_KEY:
        raise ParameterError("exports.no_key", variable=KEY_VARIABLE, length=SHORTEST_KEY)
    return text.strip().encode("utf-8", "surrogateescape")


@dataclass(frozen=True)
class _Part:
    """One table's rows from one file; a class because copies are looked for over all files of a table.

    `generated` names the columns that stand in no file.
    """

    frame: pd.DataFrame
    findings: Findings
    generated: set[str]


def _make(
    table: str,
    part: TableMapping,
    folder: Path,
    settings: Settings,
    key: bytes,
    problems: list[Problem],
    summary: list[dict[str, Any]],
) -> _Part:
    """Make one table from one file, noting problems and counts."""
    rows = shape(folder, part)
    problems += rows.notices
    findings = Findings(part.file, rows.counts["rows_read"], problems, np.asarray(rows.frame.index))
    context = Context(settings.timezone, key, findings)
    spec = TABLES[table]
    made: dict[str, pd.Series] = {}
    verbs = {**part.columns, **part.extra}
    require(rows.frame, [name for verb in verbs.values() for name in verb.needs], part.file)
    for name, verb in verbs.items():
        rule = spec.column(name)
        made[name] = column(rows.frame, verb, rule.kind if rule else verb.kind, name, context)
        _check_column(made[name], rule, name, findings)
    frame = pd.DataFrame(made, index=rows.frame.index)
    total = math.fsum(frame["amount"].dropna()) if "amount" in frame else None
    counts = {"table": table, "file": part.file, **rows.counts, "rows_written": len(frame)}
    summary.append({**counts, "amount_total": total})
    generated = {
        name for name, verb in verbs.items() if verb.row_within is not None or verb.const is not None
    }
    return _Part(frame, findings, generated)


def _check_column(values: pd.Series, rule: Column | None, name: str, findings: Findings) -> None:
    """Note what the contract refuses while the rows of the file are still known."""
    told = {problem.column for problem in findings.problems if problem.level == "error"}
    text = pa.chunked_array([pa.array(values, pa.string())]) if values.dtype == TEXT else None
    if text is not None and name not in told and (holds_contacts(text) if rule else is_personal(text, name)):
        findings.add("exports.personal", "error", name)
    if values.dtype == "float64":
        findings.add("tables.infinite", "error", name, np.isinf(values))
    if rule is not None and rule.required and name not in told:
        findings.add("tables.missing_value", "error", name, values.isna())


def _notice_copies(table: str, parts: list[_Part]) -> None:
    """Notice rows that only a generated id or number tells apart from another, such as a file read twice."""
    if not any(set(TABLES[table].key) & part.generated for part in parts):
        return
    generated = set().union(*(part.generated for part in parts))
    read = [name for name in parts[0].frame if name not in generated]
    if not read or not all(set(read) <= set(part.frame) for part in parts):
        return
    copies = pd.concat([part.frame[read] for part in parts], ignore_index=True).duplicated().to_numpy()
    start = 0
    for part in parts:
        part.findings.add("exports.copies", "notice", "", copies[start : start + len(part.frame)])
        start += len(part.frame)


def _write(
    goal: Path,
    tables: dict[str, pd.DataFrame],
    settings: Settings,
    record: dict[str, Any],
    problems: list[Problem],
) -> list[Problem]:
    """Write the data set beside its place, check it there, and move it once it keeps the contract.

    Returns every notice: those of the check, and those of the import that the written tables do not show.
    """
    try:
        goal.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{goal.name[:100]}-", dir=goal.parent))
    except (OSError, ValueError) as error:
        raise output_error(error, goal) from error
    try:
        for table, frame in tables.items():
            pq.write_table(_arrow(frame, table), partial / f"{table}.parquet")
        content = settings.model_dump(mode="json") | {"extracted_at": settings.extracted.isoformat()}
        (partial / "dataset.yml").write_text(
            yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8"
        )
        found, _ = check_folder(partial)
        errors = [problem for problem in found if problem.level == "error"]
        if errors:
            raise TableError([replace(problem, file=_sources(problem, record)) for problem in errors])
        told = {(problem.key, problem.column) for problem in found}
        own = [problem for problem in problems if (problem.key, problem.column) not in told]
        record["notices"] = [asdict(problem) for problem in own]
        (partial / SUMMARY).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        partial.chmod(0o755)
        _move(partial, goal)
        return [*own, *found]
    except OSError as error:
        raise output_error(error, goal) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _sources(problem: Problem, record: dict[str, Any]) -> str:
    """Files that a table came from: the table itself was not written."""
    table = problem.file.removesuffix(".parquet")
    return " + ".join(row["file"] for row in record["tables"] if row["table"] == table) or problem.file


def _move(partial: Path, goal: Path) -> None:
    if goal.exists():
        former = partial.with_name(partial.name + "-former")
        goal.rename(former)
        partial.rename(goal)
        shutil.rmtree(former)
    else:
        partial.rename(goal)


def _arrow(frame: pd.DataFrame, table: str) -> pa.Table:
    made = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
    for position, name in enumerate(made.column_names):
        rule = TABLES[table].column(name)
        if rule is not None and rule.kind in ("date", "month"):
            made = made.set_column(position, name, made[name].cast(pa.date32()))
        elif rule is not None and rule.kind == "whole":
            made = made.set_column(position, name, made[name].cast(pa.int64()))
    return made
