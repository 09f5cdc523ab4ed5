"""Write what an import made: beside its place first, checked there, and moved once it keeps the contract."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from cxlib.checks import ParameterError, Problem, TableError, output_error
from cxlib.data.contract import TABLES
from cxlib.data.rules.settings import Settings
from cxlib.data.tables.data_set import open_data
from cxlib.data.tables.reconcile import order_sums

SUMMARY = "import.json"


def earlier_import(goal: Path) -> dict[str, Any]:
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


def write_data_set(
    goal: Path,
    tables: dict[str, pd.DataFrame],
    settings: Settings,
    record: dict[str, Any],
    problems: list[Problem],
) -> list[Problem]:
    """Write the data set beside its place, check it there, and move it once it keeps the contract.

    Returns every notice: those of the check, and those of the import that the written tables do not show.
    What the orders add up to is put into the record (`sums`).
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
        data_set = open_data(partial)
        found = [problem for name in data_set.tables for problem in data_set.load(name)]
        errors = [problem for problem in found if problem.level == "error"]
        if errors:
            raise TableError([replace(problem, file=_sources(problem, record)) for problem in errors])
        told = {(problem.key, problem.column) for problem in found}
        once = [problem for at, problem in enumerate(problems) if problem not in problems[:at]]
        own = [problem for problem in once if (problem.key, problem.column) not in told]
        if data_set.has("orders"):
            record["sums"] = order_sums(data_set.table("orders"))
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
