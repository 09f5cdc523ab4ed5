"""A second language from one computation: which statements of a chapter have to run again, and no others.

The kernel runs the chapter once. Then `lang` is set anew and only those statements run again that speak: that
use `lang`, the report, or anything made from them. What they read is as it was, since nothing that was
computed without `lang` depends on it; a name made more than once is made again for whoever reads it.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

MARK = "again-"
#: Cell that fills in what differs from the defaults; where only the language does, one of the two has none.
INJECTED = "injected-parameters"


class Statement(NamedTuple):
    """One statement of a cell: where it stands, what it reads, and what it makes or may change."""

    cell: int
    source: str
    reads: frozenset[str]
    makes: frozenset[str]
    is_bare: bool
    is_import: bool


def with_second(notebook: Any, lang: str) -> Any | None:
    """Return the notebook followed by what has to run again in another language.

    Parameters
    ----------
    notebook
        A chapter ready to run, parameters filled in.
    lang
        The other language.

    Returns
    -------
    notebook or None
        None where it can't be told which statements those are; then the chapter runs once more as a whole.
    """
    from nbformat.v4 import new_code_cell

    try:
        statements = [one for place, cell in _codes(notebook) for one in _statements(place, cell["source"])]
        statements = _without_modules(statements)
    except (SyntaxError, ValueError):
        return None
    doubled = deepcopy(notebook)
    doubled.cells.append(new_code_cell(f'lang = "{lang}"', id=f"{MARK}lang"))
    sources: dict[int, list[str]] = {}
    for place in sorted(_again(statements)):
        sources.setdefault(statements[place].cell, []).append(statements[place].source)
    for place, lines in sources.items():
        cell = new_code_cell("\n".join(lines), id=f"{MARK}{place}")
        cell.metadata = deepcopy(notebook.cells[place].metadata)
        whole = len(lines) == sum(one.cell == place for one in statements)
        cell.metadata["is_whole"] = whole
        doubled.cells.append(cell)
    return doubled


def split(doubled: Any, other: Any) -> Any | None:
    """Take the second part off a notebook that has run, in place, and lay it into the other language's.

    Parameters
    ----------
    doubled
        From `with_second`, after its run; left as if the chapter had run alone.
    other
        The chapter prepared for the other language.

    Returns
    -------
    notebook or None
        `other` with its outputs; None where the second part did not run to its end, or where a cell that runs
        again in part printed something that can't be told apart.
    """
    again = {cell["id"]: cell for cell in doubled.cells if is_again(cell)}
    doubled.cells = [cell for cell in doubled.cells if not is_again(cell)]
    if f"{MARK}lang" not in again or any(cell.execution_count is None for cell in again.values()):
        return None
    first = {cell["id"]: (place, cell) for place, cell in _codes(doubled)}
    other.metadata, count = deepcopy(doubled.metadata), 0
    for _, cell in _codes(other):
        place, ran = first.get(cell["id"], (-1, None))
        run = again.get(f"{MARK}{place}")
        if ran is None and cell["id"] != INJECTED:  # a chapter whose languages differ in more than words
            return None
        if ran is not None and run is not None and not run.metadata["is_whole"] and _prints(ran):
            return None
        cell.outputs = deepcopy((run or ran or {"outputs": []})["outputs"])
        count += bool(cell.source.strip())
        cell.execution_count = count if cell.source.strip() else None
        for output in cell.outputs:
            if "execution_count" in output:
                output["execution_count"] = count
    return other


def is_again(cell: Mapping[str, Any]) -> bool:
    """Whether a cell is one of those that run again."""
    return str(cell.get("id", "")).startswith(MARK)


def _prints(cell: Any) -> bool:
    return any(output.output_type == "stream" for output in cell.outputs)


def _codes(notebook: Any) -> Iterator[tuple[int, Any]]:
    return ((place, cell) for place, cell in enumerate(notebook.cells) if cell["cell_type"] == "code")


def _statements(cell: int, source: str) -> Iterator[Statement]:
    """Statements of a cell with their own lines; two on one line can't be told apart."""
    nodes, lines = ast.parse(source).body, source.splitlines()
    starts = [
        min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))]) for node in nodes
    ]
    if len(set(starts)) < len(starts) or any(
        node.end_lineno is not None and node.end_lineno >= start
        for node, start in zip(nodes, starts[1:], strict=False)
    ):
        raise ValueError("two statements on one line")
    for node, start, end in zip(nodes, starts, [*starts[1:], len(lines) + 1], strict=False):
        makes = _made(node)
        if "*" in makes:
            raise ValueError("names unknown")
        text = "\n".join(lines[start - 1 : end - 1])
        yield Statement(
            cell,
            text,
            _read(node),
            makes,
            isinstance(node, ast.Expr),
            isinstance(node, ast.Import | ast.ImportFrom),
        )


def _read(node: ast.stmt) -> frozenset[str]:
    """Names a statement looks up; one that is added to is looked up as well."""
    added = [inner.target for inner in ast.walk(node) if isinstance(inner, ast.AugAssign)]
    loaded = [
        inner for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load)
    ]
    return frozenset(name.id for name in [*loaded, *added] if isinstance(name, ast.Name))


def _made(node: ast.stmt) -> frozenset[str]:
    """Names a statement binds or may change: targets, imports, definitions, and whose method is called."""
    found: set[str] = set()
    for inner in ast.walk(node):
        match inner:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                found.add(name)
            case ast.Attribute(ctx=ast.Store()) | ast.Subscript(ctx=ast.Store()):
                found.add(_base(inner))
            case ast.Import() | ast.ImportFrom():
                found |= {(alias.asname or alias.name).partition(".")[0] for alias in inner.names}
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.Expr(value=ast.Call(func=ast.Attribute() as called)):
                found.add(_base(called))
    return frozenset(found - {""})


def _base(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _without_modules(statements: list[Statement]) -> list[Statement]:
    """Statements without what a bare call of a module's function would seem to change."""
    modules = {name for one in statements if one.is_import for name in one.makes}
    return [one._replace(makes=one.makes - modules) if one.is_bare else one for one in statements]


def _again(statements: list[Statement]) -> set[int]:
    """Places of the statements that have to run again."""
    made = Counter(name for one in statements for name in one.makes)
    several = {name for name, times in made.items() if times > 1}
    speaks, again = {"lang"}, set[int]()
    while True:
        needed = {name for place in again for name in statements[place].reads} & several
        cells = {statements[place].cell for place in again}
        more = set()
        for place, one in enumerate(statements):
            if place in again or one.makes == {"lang"}:
                continue
            if one.reads & speaks:
                speaks |= one.makes
                more.add(place)
            elif one.makes & needed or (one.is_bare and one.cell in cells):
                more.add(place)
        if not more:
            return again
        again |= more
