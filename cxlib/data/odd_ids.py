"""Judge the ids of a column: which are damaged, doubtful, several in one cell, or of no use as ids."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cxlib.data.findings import Findings
from cxlib.data.ids import (
    NOBODY,
    WHOLE,
    cleaned,
    powers_of_ten,
    several_in_one,
    shaped,
    spelled_otherwise,
    zeros_in_part,
)
from cxlib.data.personal_columns import holds_contacts

ORDINARY = r"[^A-Za-z0-9_#-]|^[0-9]{1,4}-|^[A-Za-z]{3,9}-[0-9]{1,4}$|^[0-9]+[eE][0-9]+$"
MANY_IDS = 1_000_000
#: What a prefix hides of an id, and what a pseudonym hides besides.
BY_PREFIX, BY_PSEUDONYM = (
    tuple(f"tables.id_{kind}" for kind in kinds.split())
    for kinds in ("scientific fraction date power as_number zeros decimals", "several lines spelling")
)


def judged(values: pa.ChunkedArray, column: str, findings: Findings) -> pa.ChunkedArray:
    """Ids as they are kept, with what is noticed of them.

    Parameters
    ----------
    values
        Text; missing ones stay missing.
    column
        Its name, for what is told.
    findings
        What is noticed is added, an error where digits are gone or the ids are somebody's address.
    """
    odd = np.flatnonzero(pc.fill_null(pc.match_substring_regex(values, ORDINARY), fill_value=False))
    ids = _odd(cleaned(values), odd, column, findings) if len(odd) else values
    if holds_contacts(ids):
        findings.add("tables.id_personal", "error", column)
    findings.add("tables.id_nobody", "notice", column, pc.is_in(ids, value_set=pa.array(NOBODY)))
    for key, mask in (
        ("tables.id_zeros", zeros_in_part(ids)),
        ("tables.id_spelling", spelled_otherwise(ids) if _is_compared(ids, column) else None),
    ):
        if mask is not None:
            findings.add(key, "notice", column, mask)
    return ids


def judge_before_hiding(
    cells: pd.Series, column: str, findings: Findings, *, is_pseudonym: bool = True
) -> None:
    """Note of ids, an empty one "", what can't be seen any more once they are pseudonyms or have a prefix."""
    told = Findings(findings.file, findings.total, numbers=findings.numbers)
    judged(pa.chunked_array([pa.array(cells.mask(cells == ""), pa.string())]), column, told)
    hidden = BY_PREFIX + BY_PSEUDONYM if is_pseudonym else BY_PREFIX
    findings.problems += [problem for problem in told.problems if problem.key in hidden]


def _is_compared(ids: pa.ChunkedArray, column: str) -> bool:
    """Whether the spellings of ids are compared: those of customers always, of lines of long tables not."""
    return column in ("customer_id", "initiative_id") or len(ids) <= MANY_IDS


def _odd(ids: pa.ChunkedArray, odd: np.ndarray, column: str, findings: Findings) -> pa.ChunkedArray:
    """Judge ids that are more than letters, digits and hyphens; whole numbers lose their `.0`."""
    some = ids.take(pa.array(odd))

    def rows(mask: Any) -> np.ndarray:
        marked = np.zeros(len(ids), dtype=bool)
        marked[odd[np.asarray(pc.fill_null(mask, fill_value=False), dtype=bool)]] = True
        return marked

    keys = {
        "scientific": "tables.id_scientific",
        "fraction": "tables.id_fraction",
        "mail": "tables.id_personal",
        "several_lines": "tables.id_lines",
    }
    for shape, key in keys.items():
        findings.add(key, "error", column, rows(shaped(some, shape)))
    findings.add("tables.id_date", "notice", column, rows(shaped(some, "date")))
    findings.add("tables.id_power", "notice", column, rows(powers_of_ten(some, ids)))
    several, sign = several_in_one(some, ids)
    findings.add("tables.id_several", "notice", column, rows(several), sign=sign)
    written = pc.and_not(shaped(some, "written_number"), pc.or_(shaped(some, "fraction"), several))
    findings.add("tables.id_as_number", "notice", column, rows(written))
    decimal = rows(pc.match_substring_regex(some, WHOLE))
    findings.add("tables.id_decimals", "notice", column, decimal)
    return pc.replace_substring_regex(ids, WHOLE, r"\1") if decimal.any() else ids
