"""Turn exports of shop, survey and CRM systems into tables of the contract, by a mapping of closed verbs."""

from __future__ import annotations

import hashlib
import hmac
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import InputError, ParameterError, Problem, TableError
from cxlib.data.contract import TABLES, Column
from cxlib.data.exports.column_verbs import Context, column
from cxlib.data.exports.data_set_settings import describe, settle
from cxlib.data.exports.derive_customers import with_derived
from cxlib.data.exports.doubts import notice_kept_returns, notice_sums, notice_unread_files
from cxlib.data.exports.mapping import Derived, Mapping, TableMapping, read_mapping
from cxlib.data.exports.merges import former_ids, merged_ids
from cxlib.data.exports.pseudonym_key import read_key
from cxlib.data.exports.row_verbs import keep_latest, keep_one, keep_where, read_rows
from cxlib.data.exports.rows import Rows, findings_of
from cxlib.data.exports.source_files import in_mapping
from cxlib.data.exports.write_data_set import earlier_import, write_data_set
from cxlib.data.findings import Findings
from cxlib.data.personal_columns import holds_contacts, is_personal
from cxlib.data.text_type import TEXT, text_column

__all__ = ["import_export", "read_mapping"]

FINGERPRINT = b"which key made these pseudonyms"


def import_export(
    mapping: str | Path | Mapping,
    source: str | Path,
    target: str | Path,
    *,
    key_file: str | Path | None = None,
    name: str | None = None,
    currency: str | None = None,
    timezone: str | None = None,
    extracted_at: str | None = None,
) -> pd.DataFrame:
    """Turn an export into a data set of the contract, whole or not at all.

    Parameters
    ----------
    mapping : str, Path or Mapping
        YAML file of closed verbs, see `data/mappings/README.md`, or what was read or recognised already.
    source : str or Path
        Folder of the export's files, read as text in their declared encoding.
    target : str or Path
        Folder to write: Parquet tables, `dataset.yml` and `import.json` (rows in and out, notices, and
        fingerprints of the mapping and the key). A folder that an earlier import wrote with the same key is
        replaced; any other that holds something is left alone.
    key_file : str or Path, optional
        File with the key for `pseudonymise`; by default the environment variable `CX_PSEUDONYM_KEY`. The
        key is written nowhere.
    name, currency, timezone, extracted_at : str, optional
        What the mapping leaves out of its `data_set`, or says otherwise. Left out everywhere, the name is the
        target's, and the day of extraction the last one in the files, which is noticed.

    Returns
    -------
    DataFrame
        One row per table and block: `table, file, rows_read, rows_without_match` (of lookups),
        `rows_joined_by_pivot, rows_left_out_by_latest, rows_left_out_by_where, rows_left_out_by_grain,
        rows_written, amount_total` (missing without amount), `left_out` (rows by condition of `where`).
        `attrs["notices"]` holds what was noticed, as list of `Problem`, `attrs["sums"]` what the orders add
        up to once they are read (`order_sums`).

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
    and totals stay what they were: `rows_read` is the sum of what is written, joined and left out.
    """
    plan = mapping if isinstance(mapping, Mapping) else read_mapping(Path(mapping))
    folder, goal = Path(source), Path(target)
    if not os.path.isdir(folder):
        raise InputError("exports.no_folder", folder=folder.name[:80])
    given = {"name": name, "currency": currency, "timezone": timezone, "extracted_at": extracted_at}
    described = describe(plan.data_set, given, target=goal.name)
    former = earlier_import(goal)
    key = read_key(plan, key_file)
    fingerprint = hmac.new(key, FINGERPRINT, hashlib.sha256).hexdigest()[:16] if key else ""
    if fingerprint and former.get("key", fingerprint) != fingerprint:
        raise ParameterError("exports.other_key", folder=goal.name)
    problems: list[Problem] = []
    summary: list[dict[str, Any]] = []
    context = Context(str(described.timezone), key, currency=str(described.currency))
    tables = _tables(plan, folder, context, problems, summary)
    errors = [in_mapping(problem) for problem in problems if problem.level == "error"]
    if errors:
        raise TableError(errors)
    notice_unread_files(folder, (block for blocks in plan.blocks().values() for block in blocks), problems)
    settings = settle(described, tables, problems)
    rules = hashlib.sha256(plan.model_dump_json().encode()).hexdigest()[:16]
    record: dict[str, Any] = {"tables": summary, "mapping": rules}
    record |= {"key": fingerprint} if fingerprint else {}
    notices = write_data_set(goal, tables, settings, record, problems)
    told = pd.DataFrame(summary)
    told.attrs |= {"notices": notices, "sums": record.get("sums", {})}
    return told


def _tables(
    plan: Mapping, folder: Path, context: Context, problems: list[Problem], summary: list[dict[str, Any]]
) -> dict[str, pd.DataFrame]:
    """Tables that are read from files, then customers that are derived from them."""
    tables: dict[str, pd.DataFrame] = {}
    parts = [block for blocks in plan.blocks().values() for block in blocks]
    merged = [_merged(folder, block, problems) for block in parts]
    context = replace(context, former=former_ids(parts, merged))
    ends = iter(merged)
    for table, blocks in plan.blocks().items():
        contexts = [replace(context, merged=next(ends)) for _ in blocks]
        if blocks:
            tables[table] = _table(table, blocks, folder, contexts, problems, summary)
    for rule in (block for block in plan.tables.get("customers", []) if isinstance(block, Derived)):
        named = [table for table in rule.derive if "customer_id" in tables[table]]
        if named:  # an optional id may be in none of the files, as in an anonymous survey
            tables["customers"], count = with_derived(tables, rule.model_copy(update={"derive": named}))
            file = " + ".join(named)
            summary.append({"table": "customers", "file": file, "left_out": {}, **count})
    return {table: tables[table] for table in plan.tables if table in tables}


def _table(
    table: str,
    blocks: Sequence[TableMapping],
    folder: Path,
    contexts: Sequence[Context],
    problems: list[Problem],
    summary: list[dict[str, Any]],
) -> pd.DataFrame:
    """One table of the blocks end to end, noting problems and counts."""
    currency = contexts[0].currency
    found, blocks = zip(*(read_rows(folder, each, currency=currency) for each in blocks), strict=True)
    read = keep_latest(table, found, blocks, contexts)
    parts: list[_Part] = []
    for block, rows, own in zip(blocks, read, contexts, strict=True):
        kept = keep_one(keep_where(rows, block), table, block, own)
        parts.append(_make(table, block, kept, own, problems))
        amounts = parts[-1].frame.get("amount")
        if amounts is not None and table == "orders":
            notice_kept_returns(kept, amounts, block, blocks, parts[-1].findings)
            notice_sums(kept, amounts, block, parts[-1].findings)
        total = None if amounts is None else math.fsum(amounts.dropna())
        counts: dict[str, Any] = {**kept.counts, "rows_written": len(kept.frame), "amount_total": total}
        counts["left_out"] = kept.left_out
        summary.append({"table": table, "file": block.name, **counts})
    _notice_copies(table, parts)
    frame = pd.concat([part.frame for part in parts], ignore_index=True)
    if any(
        block.verbs["customer_id"].pseudonymise == "phone" for block in blocks if "customer_id" in block.verbs
    ):
        told = Findings(blocks[0].name, len(frame))
        told.add("exports.known_by_phone", "notice", "customer_id", frame["customer_id"].notna())
        problems += told.problems
    return frame


def _merged(folder: Path, block: TableMapping, problems: list[Problem]) -> dict[str, dict[str, str]]:
    """Where merged ids end, for each column that follows them."""
    following = {name: verb.follow for name, verb in block.verbs.items() if verb.follow}
    return {name: merged_ids(folder, rule, problems) for name, rule in following.items()}


@dataclass(frozen=True)
class _Part:
    """One table's rows of one block; a class because copies are looked for over all blocks of a table.

    `generated` names the columns that stand in no file.
    """

    frame: pd.DataFrame
    findings: Findings
    generated: set[str]


def _make(table: str, block: TableMapping, rows: Rows, context: Context, problems: list[Problem]) -> _Part:
    """Make the columns of one block, noting problems."""
    problems += rows.notices
    own = replace(context, findings=findings_of(rows, problems))
    made: dict[str, pd.Series] = {}
    for name, verb in block.verbs.items():
        rule = TABLES[table].column(name)
        made[name] = column(rows.frame, verb, rule.kind if rule else verb.kind, name, own)
        _check_column(made[name], rule, name, own.findings)
    generated = {
        name for name, verb in block.verbs.items() if verb.row_within is not None or verb.const is not None
    }
    return _Part(pd.DataFrame(made, index=rows.frame.index), own.findings, generated)


def _check_column(values: pd.Series, rule: Column | None, name: str, findings: Findings) -> None:
    """Note what the contract refuses while the rows of the file are still known."""
    told = {problem.column for problem in findings.problems if problem.level == "error"}
    text = text_column(values) if values.dtype == TEXT else None
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
    copies = _repeated(pd.concat([part.frame[read] for part in parts], ignore_index=True))
    start = 0
    for part in parts:
        part.findings.add("exports.copies", "notice", "", copies[start : start + len(part.frame)])
        start += len(part.frame)


def _repeated(frame: pd.DataFrame) -> np.ndarray:
    """Mask of the rows that equal an earlier one; columns are looked at as long as any rows are alike so far.

    Numbers first: they tell most rows apart, and are compared faster than text.
    """
    names = sorted(frame.columns, key=lambda name: frame[name].dtype == TEXT)
    alike = np.arange(len(frame))
    for at in range(1, len(names) + 1):
        alike = alike[frame[names[:at]].take(alike).duplicated(keep=False).to_numpy()]
    copies = np.zeros(len(frame), dtype=bool)
    copies[alike[frame.take(alike).duplicated().to_numpy()]] = True
    return copies
