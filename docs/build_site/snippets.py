"""Short answers to questions: each a file in `docs/snippets/<wing>/`, run on the sample company.

A file is its question (first line of its docstring), how to read the answer (the rest), and code that runs
as it stands. The page shows the code after the lines that all files begin with, and the value of every
expression in it.
"""

import ast
import html
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from build_site.links import anchor
from build_site.places import DOCS, ROOT

FOLDER = DOCS / "snippets"
OPENING = 'import cxlib as cx\n\ndata_set = cx.open_data("data/sample")\n'
MOST_ROWS = 8


@dataclass(frozen=True)
class Snippet:
    """A question and its code; a class because page and test read the same file."""

    path: Path

    @cached_property
    def source(self) -> str:
        """The file."""
        return self.path.read_text(encoding="utf-8")

    @property
    def wing(self) -> str:
        """Folder it lies in."""
        return self.path.parent.name

    @property
    def key(self) -> str:
        """Name for links and pictures."""
        return self.path.stem.split("_", 1)[1]

    @property
    def question(self) -> str:
        """First line of the docstring."""
        return (ast.get_docstring(ast.parse(self.source)) or "").split("\n")[0]

    @property
    def reading(self) -> str:
        """How to read the answer."""
        return (ast.get_docstring(ast.parse(self.source)) or "").partition("\n\n")[2].replace("\n", " ")

    @property
    def code(self) -> str:
        """The lines that matter."""
        return self.source.split(OPENING, 1)[1].strip()

    def run(self, data_set: Any) -> list[Any]:
        """Run it on a data set and give the value of each expression."""
        import cxlib as cx

        held: dict[str, Any] = {"cx": cx, "data_set": data_set}
        values = []
        for node in ast.parse(self.code).body:
            if isinstance(node, ast.Expr):
                values.append(eval(compile(ast.Expression(node.value), self.path.name, "eval"), held))
            else:
                exec(compile(ast.Module([node], []), self.path.name, "exec"), held)
        return values


def snippets() -> list[Snippet]:
    """All of them, by wing and number."""
    return [Snippet(path) for path in sorted(FOLDER.glob("*/*.py"))]


def sample() -> Any:
    """Open the sample company, wherever the working directory is."""
    import cxlib as cx

    return cx.open_data(ROOT / "data" / "sample")


def pages(folder: Path) -> Iterator[tuple[str, str]]:
    """Give each page's name and text, and write its pictures below `folder`."""
    data_set = sample()
    listed = {wing: [one for one in snippets() if one.wing == wing] for wing in ORDER}
    assert sum(map(len, listed.values())) == len(snippets()), "a folder of docs/snippets is not in ORDER"
    lines, tree = [INDEX], []
    for wing, ones in listed.items():
        lines += [
            f"## {ORDER[wing]}",
            *(f"- [{one.question}]({wing}.md#{anchor(one.question)})" for one in ones),
            "",
        ]
        tree.append(f"{ORDER[wing]} <{wing}>")
        answers = [_answer(one, data_set, folder) for one in ones]
        yield f"want/{wing}.md", "\n".join([f"# {ORDER[wing]}", "", OPENED, *answers])
    yield "want/index.md", "\n".join([*lines, "```{toctree}", ":hidden:", "", *tree, "```", ""])


#: Groups of questions in the order of a first reading.
ORDER = {
    "data": "Look at my data",
    "customers": "Know my customers",
    "journey": "See where the journey sags",
    "voice": "Listen to what customers say",
    "initiatives": "Learn whether it paid",
    "value": "Put a value on customers",
    "sales": "Follow deals",
    "support": "Answer customers",
    "scorecard": "Watch the figures",
}
OPENED = f"""\
Every piece of code below begins with

```python
{OPENING.strip()}
```

and runs as it stands in the handbook's folder. Put your own folder in place of `data/sample`. What you
see beside it is what it returned on the simulated sample company when this page was built.
"""
INDEX = """\
# I want to …

Questions people bring, and the few lines that answer each. Pick a question; the page shows code, table
and picture together, as they come out on the sample company.
"""


def _answer(one: Snippet, data_set: Any, folder: Path) -> str:
    shown = [
        _shown(value, f"{one.wing}-{one.key}-{place}", one.question, folder)
        for place, value in enumerate(one.run(data_set))
    ]
    return "\n".join(
        [f"## {one.question}", "", one.reading, "", "```python", one.code, "```", "", *shown, ""]
    )


def _shown(value: Any, name: str, question: str, folder: Path) -> str:
    if isinstance(value, pd.DataFrame | pd.Series):
        return f"```{{raw}} html\n{table(value)}\n```\n"
    if figure := getattr(value, "figure", value if hasattr(value, "savefig") else None):
        path = folder / "want" / "pictures" / f"{name}.svg"
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
        _close(figure)
        return f"![{question}](pictures/{path.name})\n"
    return f"```text\n{value}\n```\n"


def _close(figure: Any) -> None:
    import matplotlib.pyplot as plt

    plt.close(figure)


def table(frame: pd.DataFrame | pd.Series) -> str:
    """Write the first rows as a table that scrolls sideways where it is wide.

    Examples
    --------
    >>> "1,234" in table(pd.DataFrame({"a": [1234.0], "b": ["<x>"]}))
    True
    """
    whole = frame.to_frame() if isinstance(frame, pd.Series) else frame
    shown = whole.head(MOST_ROWS).reset_index(drop=isinstance(whole.index, pd.RangeIndex))
    head = "".join(f"<th>{html.escape(str(name))}</th>" for name in shown.columns)
    rows = ("".join(_cell(value) for value in row) for row in shown.itertuples(index=False, name=None))
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    more = (
        f'<p class="more">The first {MOST_ROWS} of {len(whole):,} rows.</p>' if len(whole) > MOST_ROWS else ""
    )
    return (
        f'<div class="answer"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{more}'
    )


def _cell(value: Any) -> str:
    if isinstance(value, float) and pd.notna(value):
        text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
        return f'<td class="n">{text}</td>'
    if isinstance(value, int) and not isinstance(value, bool):
        return f'<td class="n">{value:,}</td>'
    missing = not isinstance(value, list | tuple | dict) and pd.isna(value)
    text = "–" if missing else str(value).removesuffix(" 00:00:00")
    return f"<td>{html.escape(text)}</td>"
