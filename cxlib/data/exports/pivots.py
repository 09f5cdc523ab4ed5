"""Long answers turned into one row for each questionnaire; what is lost on the way is said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from cxlib.checks import InputError
from cxlib.checks.near_names import near_names
from cxlib.data.exports.row_models import Pivot
from cxlib.data.exports.sheets import require
from cxlib.data.findings import Findings
from cxlib.data.ids import folded
from cxlib.data.text_type import TEXT


def pivoted(
    frame: pd.DataFrame, rule: Pivot, names: Sequence[str], wanted: Sequence[str], findings: Findings
) -> pd.DataFrame:
    """One row for each `by`, where its first stood; other columns stay, and have to agree within it.

    Parameters
    ----------
    frame, rule, names
        The long rows, how they are pivoted, and the columns of their files.
    wanted
        What the mapping reads: questions among them are looked for.
    findings
        What is noticed is added: answers without a question, to one that is spelled otherwise or called like
        a column, and rows that nothing tells apart.

    Raises
    ------
    InputError
        When a column is missing, a question has two answers, or a column differs within a key.
    """
    file = findings.file
    require(list(frame.columns), [*rule.by, rule.name, rule.value], names, file)
    asked, answer = frame[rule.name].str.strip(), frame[rule.value]
    others: list[Any] = [name for name in frame if name not in (rule.name, rule.value)]
    _notice_lost(asked, answer.str.strip() != "", rule, wanted, others, findings)
    _notice_joined(frame, rule, findings)
    keys = frame.groupby(rule.by, sort=False).ngroup()
    cells = pd.DataFrame({"row": keys, "name": asked, "value": answer}).drop_duplicates()
    several = cells.duplicated(["row", "name"], keep=False)
    cells = cells[~several | (cells["value"].str.strip() != "")]  # an empty one beside an answer is none
    twice = int(cells.duplicated(["row", "name"]).sum())
    if twice:
        by = " + ".join(rule.by)
        raise InputError("exports.two_values", file=file, column=rule.value, by=by, count=f"{twice:,}")
    wide = cells.set_index(["row", "name"])["value"].unstack(fill_value="").astype(TEXT)  # noqa: PD010 -- refuses what stands twice
    wide = wide.reindex(range(keys.max() + 1 if len(keys) else 0), fill_value="")
    first = frame[~keys.duplicated()]
    for name in others:
        check_same(frame, rule.by, name, file)
    return pd.concat(
        [first[others], wide.set_axis(first.index).drop(columns=others, errors="ignore")], axis=1
    )


def require_questions(
    there: Sequence[str], wanted: Sequence[str], rule: Pivot, asked: Sequence[str], file: str
) -> None:
    """Raise for what is neither a column nor a question of the long rows.

    Raises
    ------
    InputError
        Names the first, with the questions called nearly so.
    """
    for name in wanted:
        if name not in there:
            near = near_names(name, [question for question in asked if question])
            raise InputError("exports.no_question", file=file, column=rule.name, question=name, nearest=near)


def check_same(frame: pd.DataFrame, by: list[Any], column: Any, file: str) -> None:
    """Raise where a column differs within a key: keeping one row would lose the rest."""
    if column in by:
        return
    differ = int(frame[[*by, column]].drop_duplicates().duplicated(by).sum())
    if differ:
        told = " + ".join(by)
        raise InputError("exports.not_same", file=file, column=column, by=told, count=f"{differ:,}")


def _notice_lost(
    asked: pd.Series,
    is_answered: pd.Series,
    rule: Pivot,
    wanted: Sequence[str],
    others: Sequence[str],
    findings: Findings,
) -> None:
    """Notice answers that no column can take."""
    findings.add("exports.answer_to_nothing", "notice", rule.name, (asked == "") & is_answered)
    findings.add("exports.question_as_column", "notice", rule.name, asked.isin(list(others)) & is_answered)
    known = [name for name in wanted if name in set(asked)]
    spelled = dict(zip(asked.unique(), _folded(list(asked.unique())), strict=True))
    alike = dict(zip(_folded(known), known, strict=True))
    otherwise = [name for name, word in spelled.items() if name not in wanted and word in alike]
    if otherwise:
        values = {"question": alike[spelled[otherwise[0]]]}
        findings.add("exports.question_otherwise", "notice", rule.name, asked.isin(otherwise), **values)


def _folded(names: Sequence[Any]) -> list[str]:
    return folded(pa.array([str(name) for name in names], pa.string())).to_pylist()


def _notice_joined(frame: pd.DataFrame, rule: Pivot, findings: Findings) -> None:
    """Notice rows whose key is empty in part, and by the rest of it may be several people's."""
    is_empty = frame[rule.by].apply(lambda cells: cells.str.strip()) == ""
    if not is_empty.to_numpy().any():
        return
    whole = frame.loc[~is_empty.any(axis=1), rule.by].drop_duplicates()
    doubtful = np.zeros(len(frame), dtype=bool)
    for pattern, rows in is_empty[is_empty.any(axis=1)].groupby(rule.by, sort=False):
        gone = dict(zip(rule.by, pattern if isinstance(pattern, tuple) else (pattern,), strict=True))
        left = [name for name in rule.by if not gone[name]]
        if not left or len(whole[left].drop_duplicates()) < len(whole):
            doubtful[frame.index.get_indexer(rows.index)] = True
    findings.add("exports.joined_unknown", "notice", " + ".join(rule.by), doubtful)
