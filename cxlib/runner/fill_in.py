"""Write values into a parameters cell, so that the cell a reader sees is the one that counts."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from datetime import date

from cxlib.runner.parameters import Parameter, Plain


def fill_in(source: str, values: Mapping[str, Plain], declared: Iterable[Parameter] = ()) -> str:
    r"""Return the source of a cell with other values where it sets these names; all else stays as it is.

    Parameters
    ----------
    source
        A parameters cell, or one that papermill put behind it.
    values
        Name → value; names that the cell does not set are left out.
    declared
        The parameters, by which days are written as `date(…)`, not as text.

    Examples
    --------
    >>> fill_in("n: int = 5  # how many\nname = 'a'", {"n": 7, "name": "顧客", "other": 1})
    'n: int = 7  # how many\nname = "顧客"'
    """
    days = {parameter.name for parameter in declared if parameter.kind == "date"}
    lines = source.encode().split(b"\n")  # places in the tree count bytes
    for node in reversed(ast.parse(source).body):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or (value := node.value) is None:
            continue
        for name in set_names(node) & set(values):
            first, last = value.lineno - 1, (value.end_lineno or value.lineno) - 1
            written = _literal(values[name], is_day=name in days).encode()
            lines[first : last + 1] = [
                lines[first][: value.col_offset] + written + lines[last][value.end_col_offset :]
            ]
    return b"\n".join(lines).decode()


def set_names(node: ast.stmt) -> set[str]:
    """Names that a statement sets, `x = 1` or `x: int = 1`."""
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def in_language(source: str, declared: Iterable[Parameter], lang: str) -> str:
    """Return the source of a parameters cell with its comments in one language."""
    for parameter in declared:
        both = " | ".join((parameter.meaning["en"], parameter.meaning["ja"]))
        source = source.replace(both, parameter.meaning[lang])
    return source


def _literal(value: Plain, *, is_day: bool = False) -> str:
    if is_day and isinstance(value, str):
        day = date.fromisoformat(value)
        return f"date({day.year}, {day.month}, {day.day})"
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, str) and value.isprintable():
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return repr(value)
