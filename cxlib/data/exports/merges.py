"""Ids that were merged (名寄せ), each followed to the end of its chain."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from cxlib.checks import InputError, Problem, TableError
from cxlib.data.exports.column_models import Follow
from cxlib.data.exports.mapping import TableMapping
from cxlib.data.exports.rows import findings_of, load
from cxlib.data.findings import Findings
from cxlib.data.ids import plain_id


def merged_ids(folder: Path, rule: Follow, problems: list[Problem]) -> dict[str, str]:
    """Where each merged id ends; ids that were not merged are not in it.

    Rows that lack one of the two ids are noticed in `problems`.

    Raises
    ------
    InputError
        When one id was merged into two that do not end in one.
    TableError
        When ids lead in a circle; names the rows.
    """
    rows = load(folder, rule, [rule.old, rule.new])
    both = rows.frame.apply(lambda column: column.str.strip())
    pairs = both.rename(columns={rule.old: "old", rule.new: "new"})
    is_half = (pairs["old"] == "") != (pairs["new"] == "")
    findings_of(rows, problems).add("exports.merged_half", "notice", f"{rule.old} + {rule.new}", is_half)
    pairs = pairs[(pairs["old"] != "") & (pairs["new"] != "") & (pairs["old"] != pairs["new"])]
    pairs = pairs.drop_duplicates()
    ends = chain_ends(dict(zip(pairs["old"], pairs["new"], strict=True)))
    circling = pairs.index[~pairs["old"].isin(ends)]
    if len(circling):
        told = tuple(int(row) + 1 for row in circling[:3])
        raise TableError(
            [Problem("exports.cycle", "error", rule.name, rule.old, len(circling), len(both), told)]
        )
    is_other = pairs["new"].map(lambda new: ends.get(new, new)) != pairs["old"].map(ends)
    if twice := pairs.loc[is_other, "old"].nunique():
        raise InputError("exports.merged_twice", file=rule.name, column=rule.old, count=f"{twice:,}")
    return ends


def notice_unmerged(
    cells: pd.Series, ends: Mapping[str, str], column: str, other: str, findings: Findings
) -> None:
    """Notice ids that a list of merged ones does not reach: all of them, or those it writes otherwise."""
    if not ends or not (cells != "").any():
        return
    if not cells.isin(list(ends)).any():
        findings.add("exports.follow_in_vain", "notice", column, other=other)
        return
    known = {_alike(former) for former in ends}
    otherwise = [cell for cell in cells.unique() if cell not in ends and _alike(cell) in known]
    findings.add("exports.follow_otherwise", "notice", column, cells.isin(otherwise), other=other)


def _alike(cell: str) -> str:
    """Id without case, width, leading zeros and the decimals of a whole number."""
    word = plain_id(unicodedata.normalize("NFKC", cell)).casefold()
    return word.lstrip("0") if word.isdecimal() else word


def former_ids(
    blocks: Iterable[TableMapping], merged: Iterable[Mapping[str, Mapping[str, str]]]
) -> dict[tuple[str, str, str | None], dict[str, str]]:
    """Ids that any block follows, with the file that says so, by column, prefix and form of pseudonym."""
    found: dict[tuple[str, str, str | None], dict[str, str]] = {}
    for block, ends in zip(blocks, merged, strict=True):
        for name, former in ends.items():
            verb = block.verbs[name]
            held = found.setdefault((name, verb.prefix, verb.pseudonymise), {})
            held |= dict.fromkeys(former, verb.follow.name if verb.follow else "")
    return found


def chain_ends(steps: Mapping[str, str]) -> dict[str, str]:
    """End of each chain of steps; what leads in a circle has none.

    Examples
    --------
    >>> chain_ends({"a": "b", "b": "c", "x": "y", "y": "x"})
    {'a': 'c', 'b': 'c'}
    """
    ends: dict[str, str] = {}
    for start in steps:
        way, at = [start], steps[start]
        seen = {start}
        while at in steps and at not in ends and at not in seen:
            way.append(at)
            seen.add(at)
            at = steps[at]
        if at not in seen and (at in ends or at not in steps):
            ends |= dict.fromkeys(way, ends.get(at, at))
    return ends
