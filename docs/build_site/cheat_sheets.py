"""One A4 page a wing: the names that matter most, what goes in, what comes out, all from the docstrings."""

import ast
import html
import inspect
import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path

from build_site.names import Name, public_names, wings
from build_site.places import DOCS, chapters
from build_site.reference import about

#: Names on a page; more would not fit.
MOST = 34
#: Modules and names that judge or word what others computed; a first look needs them least.
_LATER = re.compile(r"claims|known_parts|data_notes|shown|by_group|kpi|_parts\b|(?:_told|_words|_notes)$")
#: Arguments nearly every function has.
_USUAL = {"ax", "conf_level", "draws", "lang", "labels", "min_cell", "n_boot", "palette", "seed", "timezone"}
TOP = """\
# Cheat sheets

One page of A4 for each wing, to print: the names a first month needs, what goes in, what comes out (→).
Nearly every function takes `conf_level=0.95` besides, and `…_col` arguments where your columns have
other names. *estimate … n* is `estimate, std_error, conf_low, conf_high, n`.
"""
LEGEND = "*name*(what has to be given, options=as they are) what it does → what the result holds."
_SHOWN = 5
#: A use in a snippet counts as many in chapters: readers meet it first.
_A_SNIPPET = 1000
#: What nearly every result holds, told in three words.
_INTERVAL = ("estimate", "conf_low", "conf_high", "std_error", "n")


def pages() -> Iterator[tuple[str, str]]:
    """Give each page's name and text."""
    rows = "\n".join(f"- [{wing}]({wing}.md): {about(wing)}" for wing in wings())
    tree = "\n".join(wings())
    yield "cheat/index.md", f"{TOP}\n{rows}\n\n```{{toctree}}\n:hidden:\n\n{tree}\n```\n"
    for wing in wings():
        yield f"cheat/{wing}.md", _page(wing)


@cache
def uses() -> Counter[str]:
    """Count how often snippets, which weigh more, and chapters use each name."""
    sources = [path.read_text(encoding="utf-8") for path in sorted((DOCS / "snippets").glob("*/*.py"))]
    told = Counter({name: _A_SNIPPET * n for name, n in Counter(_names(sources)).items()})
    for path in chapters():
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        told.update(_names("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"))
    return told


def _names(sources: Iterator[str] | list[str]) -> Iterator[str]:
    for source in sources:
        yield from (node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute))


def chosen(wing: str) -> list[Name]:
    """Names for the page, most used first where there are too many, in the order of their modules."""
    offered = [
        name
        for name in public_names(wing)
        if inspect.isroutine(name.thing()) or inspect.isclass(name.thing())
    ]
    ranked = sorted(offered, key=_rank)
    kept = set(ranked[:MOST])
    return [name for name in offered if name in kept]


def _rank(name: Name) -> tuple[bool, bool, bool, int]:
    """Rank what snippets use first, then what gives estimates or draws, and what only words them last."""
    is_seen = uses()[name.name] >= _A_SNIPPET
    is_result = "estimate" in outcome(name) or outcome(name) in ("Axes", "Figure", "float")
    return not is_seen, bool(_LATER.search(f"{name.module} {name.name}")), not is_result, -uses()[name.name]


def _page(wing: str) -> str:
    names = chosen(wing)
    n_all = len(list(public_names(wing)))
    blocks = []
    for module, held in groupby(names, key=lambda name: name.module):
        heading = html.escape(module.replace("/", " · ").replace("_", " "))
        entries = "".join(_entry(name) for name in held)
        blocks.append(f"<section><h3>{heading}</h3>{entries}</section>")
    more = f"{len(names)} of {n_all} names; all of them: reference/{wing}."
    return (
        f"# {wing}\n\n{about(wing)} {LEGEND}\n\n"
        f'```{{raw}} html\n<div class="sheet">{"".join(blocks)}</div>'
        f'\n<p class="sheet-foot">CX Handbook · {more}</p>\n```\n'
    )


def _entry(name: Name) -> str:
    target = f"../{name.page}.html#{name.path}"
    out = outcome(name)
    return (
        f'<p><a href="{target}"><b>{name.short}</b></a>({html.escape(_given(name))})<br>'
        + _marked(name.told())
        + (f" <i>→ {html.escape(out)}</i>" if out else "")
        + "</p>"
    )


def _given(name: Name) -> str:
    """Write what has to be given, and the first options that are this function's own."""
    try:
        parameters = list(inspect.signature(name.thing()).parameters.values())
    except ValueError:
        return "…"
    needed = [one.name for one in parameters if one.default is one.empty and one.kind is not one.VAR_KEYWORD]
    own = [
        f"{one.name}={_plain(one.default)}"
        for one in parameters
        if one.default is not one.empty and one.name not in _USUAL and not one.name.endswith("_col")
    ]
    left = max(_SHOWN - len(needed), 0)
    return ", ".join([*needed, *own[:left], *["…"] * (len(own) > left)])


def _plain(value: object) -> str:
    text = "…" if callable(value) or "object at" in repr(value) or "<factory>" in repr(value) else repr(value)
    return text if len(text) <= 16 else "…"


def outcome(name: Name) -> str:
    """Columns a result holds as the docstring lists them, or its kind.

    Examples
    --------
    >>> outcome(Name("voice", "scores", "nps")).split(",")[0]
    'metric'
    """
    returns = re.search(r"^Returns\n-+\n(.+?)(?=\n\n[A-Z][a-z]+\n-+\n|\Z)", name.doc(), re.M | re.S)
    if not returns:
        return ""
    kind, _, text = returns[1].partition("\n")
    columns = [part.strip() for code in re.findall(r"`+([^`]+)`+", text) for part in code.split(",")]
    given = set(inspect.signature(name.thing()).parameters)
    columns = [
        part for part in columns if re.fullmatch(r"[a-z][a-z_]+|n", part) and part not in given - {"metric"}
    ]
    if set(_INTERVAL) <= set(columns):
        columns = [
            "estimate … n" if part == "estimate" else part for part in columns if part not in _INTERVAL[1:]
        ]
    return (
        ", ".join(dict.fromkeys(columns[:6])) + (", …" if len(columns) > 6 else "")
        if columns
        else kind.strip()
    )


def _marked(told: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(told, quote=False))


def sheet(wing: str) -> Path:
    """Where the built page of a wing is, below the site."""
    return Path("cheat") / f"{wing}.html"
