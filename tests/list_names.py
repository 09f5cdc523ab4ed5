"""Every public name of cxlib by wing, with the first line of its docstring: writes `docs/names.md`.

    python tests/list_names.py

Read from the stubs and the sources, nothing is imported.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "cxlib"
PAGE = ROOT / "docs" / "names.md"
TOP = """\
# Public names by wing

Made by `python tests/list_names.py` from the wings' `__init__.pyi`; a test says when it is out of date. After
`import cxlib as cx` each is reached as `cx.name` and as `cx.wing.name`; `help(cx.rfm)` shows the rest.
"""


def public_names(wing: Path) -> Iterator[tuple[str, str]]:
    """Module (below the wing) and name of whatever a wing's stub offers, in order."""
    tree = ast.parse((wing / "__init__.pyi").read_text(encoding="utf-8"))
    named = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module]
    yield from sorted(
        (str(node.module).replace(".", "/"), item.name) for node in named for item in node.names
    )


def first_line(source: Path, name: str) -> str:
    """First line of a definition's docstring; of a constant, the comment before it."""
    lines = source.read_text(encoding="utf-8").splitlines()
    for node in ast.parse("\n".join(lines)).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return (ast.get_docstring(node) or "").split("\n")[0]
        if isinstance(node, ast.Assign | ast.AnnAssign) and ast.unparse(node).startswith(
            (f"{name} =", f"{name}:")
        ):
            return lines[node.lineno - 2].removeprefix("#: ")
    raise LookupError(f"{source} does not define {name}")


def page() -> str:
    """Return the page as it has to stand in `docs/names.md`."""
    lines = [TOP]
    for wing in sorted(stub.parent for stub in PACKAGE.glob("*/__init__.pyi")):
        lines += [f"## {wing.name}", "", "| name | module | what it does |", "|---|---|---|"]
        for module, name in public_names(wing):
            told = first_line(wing / f"{module}.py", name).replace("|", r"\|")
            lines.append(f"| `{name}` | `{wing.name}/{module}` | {told} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
