"""How each method was proven, from `docs/proofs.yml`; the numbers stand in the tests and are shown there."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import yaml

from build_site.links import anchor
from build_site.names import Name, public_names, wings
from build_site.places import DOCS, ROOT

TOP = """\
# How each method was proven

Every number of the handbook has a witness. **Published** means that the function gives the figures of a
paper, a textbook, a hand calculation, R or statsmodels on the same data. **Simulated** means that a
truth was planted, often many times over, and that it was found: the intervals held it about as often as
they say. **Limit** is what the method can't do. Each line unfolds to the test itself, where the
expected numbers and their sources stand; `make test` and `make test-long` run them.
"""
KINDS = {"published": "Published", "simulated": "Simulated"}


class Proof(NamedTuple):
    """A test by its file below `tests/` and its name."""

    file: str
    name: str

    @property
    def sentence(self) -> str:
        """Its name, read aloud."""
        return self.name.removeprefix("test_").replace("_", " ")


def methods() -> list[dict[str, Any]]:
    """Entries of the file: `method, names, published, simulated, limit`."""
    return list(yaml.safe_load((DOCS / "proofs.yml").read_text(encoding="utf-8")))


def proofs(method: dict[str, Any], kind: str) -> list[Proof]:
    """Give the tests of one kind that a method names."""
    return [Proof(*told.split("::")) for told in method.get(kind, [])]


@cache
def _tests(file: str) -> dict[str, str]:
    text = (ROOT / "tests" / file).read_text(encoding="utf-8")
    lines, found = text.splitlines(), {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(mark.lineno for mark in node.decorator_list)])
            found[node.name] = "\n".join(lines[first - 1 : node.end_lineno])
    return found


def source(proof: Proof) -> str:
    """Lines of the test; a name that is none is a KeyError."""
    return _tests(proof.file)[proof.name]


def witness(file: str) -> str:
    """First line of what a file of tests says it is."""
    text = (ROOT / "tests" / file).read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(text)) or "").split("\n")[0]


def named() -> dict[str, Name]:
    """Public names by themselves: a function that moves to another wing stays proven."""
    return {name.name: name for wing in wings() for name in public_names(wing)}


def page() -> str:
    """Write the page."""
    return "\n".join([TOP, *_table(), "", *(line for method in methods() for line in _method(method))])


def _table() -> Iterator[str]:
    yield "| method | published | simulated | limit |"
    yield "|---|---|---|---|"
    for method in methods():
        counts = [str(len(proofs(method, kind)) or "–") for kind in KINDS]
        heading = method["method"]
        yield f"| [{heading}](#{anchor(heading)}) | {' | '.join(counts)} | {method['limit']} |"


def _method(method: dict[str, Any]) -> Iterator[str]:
    held = named()
    yield f"## {method['method']}\n"
    yield ", ".join(f"{{py:obj}}`{held[name].short} <{held[name].path}>`" for name in method["names"]) + "\n"
    for kind, word in KINDS.items():
        for proof in proofs(method, kind):
            yield f'<details class="proof"><summary><b>{word}:</b> {proof.sentence}</summary>\n'
            yield f"{witness(proof.file)} `tests/{proof.file}`\n"
            yield f"```python\n{re.sub('```', '', source(proof))}\n```\n"
            yield "</details>\n"
    yield f"**Limit.** {method['limit']}\n"
