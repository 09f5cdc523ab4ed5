"""Pages of the reference: one for each module, every public name with its docstring, and what it draws."""

import ast
import doctest
import importlib
import inspect
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from build_site.names import Name, public_names, wings
from build_site.places import ROOT

INDEX = """\
# Reference

Every public name of `cxlib`, by wing. After `import cxlib as cx` most are reached as `cx.name`, all as
`cx.wing.name`. Functions take the data first and everything else by keyword; a result is a flat table
(`metric, estimate, std_error, conf_low, conf_high, n`).

| wing | what it is about | names |
|---|---|---|
"""


def pages() -> Iterator[tuple[str, str]]:
    """Give each page's name and text, `rst` for modules and `md` for lists."""
    rows = [
        f"| [`{wing}`]({wing}/index.md) | {about(wing)} | {len(list(public_names(wing)))} |"
        for wing in wings()
    ]
    tree = "\n".join(f"{wing}/index" for wing in wings())
    yield "reference/index.md", f"{INDEX}{chr(10).join(rows)}\n\n```{{toctree}}\n:hidden:\n\n{tree}\n```\n"
    for wing in wings():
        yield f"reference/{wing}/index.md", _wing_page(wing)
        for _, names in groupby(public_names(wing), key=lambda name: name.module):
            held = list(names)
            yield f"{held[0].page}.rst", _module_page(held)


def about(wing: str) -> str:
    """First line of what a wing says of itself."""
    module = importlib.import_module(f"cxlib.{wing}")
    return (inspect.getdoc(module) or "").split("\n")[0]


def _first(path: Path) -> str:
    return _doc(path).split("\n")[0]


def _doc(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def _file(name: Name) -> Path:
    return ROOT / "cxlib" / name.wing / f"{name.module}.py"


def _wing_page(wing: str) -> str:
    lines, modules = [f"# {wing}", "", about(wing), ""], []
    for module, names in groupby(public_names(wing), key=lambda name: name.module):
        held = list(names)
        modules.append(module.replace("/", "."))
        lines += [f"## [{module.replace('/', ' · ')}]({modules[-1]}.rst)", "", _first(_file(held[0])), ""]
        lines += ["| name | what it does |", "|---|---|"]
        for name in held:
            told = name.told().replace("|", r"\|")
            lines.append(f"| {{py:obj}}`{name.name} <{name.path}>` | {told} |")
        lines.append("")
    return "\n".join([*lines, "```{toctree}", ":hidden:", "", *modules, "```", ""])


def _module_page(names: list[Name]) -> str:
    title = names[0].module.replace("/", " · ")
    lines = [f"{title}", "=" * (len(title) + 2), "", *_doc(_file(names[0])).splitlines(), ""]
    lines += [f".. py:currentmodule:: cxlib.{names[0].wing}", ""]
    for name in names:
        thing = name.thing()
        kind = "class" if inspect.isclass(thing) else "function" if callable(thing) else "data"
        head = f"``{name.name}``"
        lines += [head, "-" * len(head), "", f"Written ``{name.short}`` after ``import cxlib as cx``.", ""]
        if kind == "data":
            lines += [f".. py:data:: {name.name}", "", f"   {name.told()}", "", f"   ``{_short(thing)}``", ""]
        else:
            lines += [f".. auto{kind}:: {name.name}", *(["   :members:"] if kind == "class" else []), ""]
        if picture := picture_of(name):
            lines += [f".. image:: /{picture}", f"   :alt: What the example of {name.name} draws", ""]
    return "\n".join(lines)


def _short(thing: object) -> str:
    text = repr(thing).replace("`", "'").replace("\n", " ")
    return text if len(text) <= 200 else f"{text[:200]} …"


def picture_of(name: Name) -> str | None:
    """Path of the picture that a docstring's example draws, below the source; None where it draws none."""
    return (
        f"reference/pictures/{name.wing}.{name.name}.svg"
        if ">>>" in name.doc() and "plot_" in _example(name)
        else None
    )


def _example(name: Name) -> str:
    return "".join(example.source for example in doctest.DocTestParser().get_examples(name.doc()))


def draw(name: Name, path: Path) -> None:
    """Run the example and write what it drew last."""
    import matplotlib.pyplot as plt

    thing = inspect.unwrap(name.thing())
    held = dict(vars(inspect.getmodule(thing)))
    plt.close("all")
    exec(compile(_example(name), name.path, "exec"), held)
    path.parent.mkdir(parents=True, exist_ok=True)
    plt.gcf().savefig(path, bbox_inches="tight")
    plt.close("all")
