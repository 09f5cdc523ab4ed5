"""What lies at a path inside the JSON of a cell, and where the path leads to nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from cxlib.checks.near_names import near_names
from cxlib.data.exports.records import as_cell
from cxlib.data.findings import Findings
from cxlib.data.text_type import each

_ABSENT = object()


def at_path(cells: pd.Series, path: list[str], name: str, findings: Findings) -> pd.Series:
    """Take what lies at a path inside JSON; a cell that is no JSON is an error.

    Noticed is a path that leads to nothing in any cell, to a list or object with more inside, and a key
    that some cells write with other capitals.
    """
    broken: set[str] = set()
    whole: set[str] = set()
    lost: dict[str, tuple[str, list[str]]] = {}

    def find(cell: str) -> str:
        if not cell:
            return ""
        try:
            found = json.loads(cell, parse_int=str, parse_float=str, parse_constant=str)
        except (ValueError, RecursionError):
            broken.add(cell)
            return ""
        for step in path:
            keys = [str(key) for key in found] if isinstance(found, dict) else []
            found = _step(found, step)
            if found is _ABSENT:
                lost[cell] = step, keys
                return ""
        if isinstance(found, dict | list):
            whole.add(cell)
        return as_cell(found)

    result = each(cells, find)
    findings.add("exports.not_json", "error", name, cells.isin(list(broken)))
    if lost and not broken:
        _notice_lost(cells, lost, name, findings)
    findings.add("exports.path_to_more", "notice", name, cells.isin(list(whole)))
    return result


def _notice_lost(
    cells: pd.Series, lost: Mapping[str, tuple[str, list[str]]], name: str, findings: Findings
) -> None:
    """Notice a path that leads to nothing anywhere, or only where a key has other capitals."""
    if len(lost) == cells[cells != ""].nunique():
        step = next(iter(lost.values()))[0]
        keys = sorted({key for missed, held in lost.values() if missed == step for key in held})
        findings.add("exports.path_in_vain", "notice", name, step=step, nearest=near_names(step, keys))
        return
    otherwise = [
        cell for cell, (step, keys) in lost.items() if step.casefold() in {key.casefold() for key in keys}
    ]
    findings.add("exports.path_otherwise", "notice", name, cells.isin(otherwise))


def _step(value: Any, step: str) -> Any:
    """One step into JSON: the value of a key, a place of a list, or `key=name` in a list of such pairs."""
    if isinstance(value, dict):
        return value.get(step, _ABSENT)
    if not isinstance(value, list):
        return _ABSENT
    key, is_pick, wanted = step.partition("=")
    if is_pick:
        held = (item for item in value if isinstance(item, dict) and item.get(key) == wanted)
        return next(held, _ABSENT)
    return value[int(step)] if step.isdecimal() and int(step) < len(value) else _ABSENT
