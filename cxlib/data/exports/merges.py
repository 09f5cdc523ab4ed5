"""Ids that were merged (名寄せ), each followed to the end of its chain."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cxlib.checks import InputError, Problem, TableError
from cxlib.data.exports.column_models import Follow
from cxlib.data.exports.rows import load


def merged_ids(folder: Path, rule: Follow) -> dict[str, str]:
    """Where each merged id ends; ids that were not merged are not in it.

    Raises
    ------
    InputError
        When one id was merged into two.
    TableError
        When ids lead in a circle; names the rows.
    """
    frame = load(folder, rule, [rule.old, rule.new]).frame
    pairs = frame.apply(lambda column: column.str.strip()).rename(columns={rule.old: "old", rule.new: "new"})
    pairs = pairs[(pairs["old"] != "") & (pairs["new"] != "") & (pairs["old"] != pairs["new"])]
    pairs = pairs.drop_duplicates()
    twice = int(pairs["old"].duplicated().sum())
    if twice:
        raise InputError("exports.key_not_unique", file=rule.name, column=rule.old, count=f"{twice:,}")
    steps = dict(zip(pairs["old"], pairs["new"], strict=True))
    ends = chain_ends(steps)
    circling = pairs.index[~pairs["old"].isin(ends)]
    if len(circling):
        rows = tuple(int(row) + 1 for row in circling[:3])
        raise TableError(
            [Problem("exports.cycle", "error", rule.name, rule.old, len(circling), len(frame), rows)]
        )
    return ends


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
