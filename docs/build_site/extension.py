"""What the site adds to Sphinx: the way to the other language, and docstrings as they are written here."""

import os
import re
from typing import Any

from sphinx.application import Sphinx

#: Marks of reStructuredText that our docstrings mean as they stand, outside code.
_MARK = re.compile(r"(?<![`\w])([*|])(?=\w)|(?<=\w)(_)(?=\W|$)")


def setup(app: Sphinx) -> dict[str, Any]:
    """Join in."""
    app.connect("html-page-context", _other_language)
    app.connect("autodoc-process-docstring", _escape, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _other_language(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    """Tell the template where the same page stands in the other language, or else its first page."""
    held = set(os.environ.get("CX_SITE_OTHER", "").split())
    up = "../" * page.count("/")
    is_ja = app.config.language == "ja"
    context["other_language"] = ("English", "en") if is_ja else ("日本語", "ja")
    context["other_url"] = f"{up}{'../' if is_ja else 'ja/'}{page if page in held else 'index'}.html"


def _escape(app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Escape marks outside code and examples, so that `a*b` and `n_` are read as they are."""
    in_example = False
    for place, line in enumerate(lines):
        in_example = bool(line.strip()) and (in_example or line.lstrip().startswith(">>>"))
        if in_example or line.startswith("*"):
            continue
        parts = re.split(r"(``[^`]*``|`[^`]*`)", line)
        parts[::2] = [_MARK.sub(lambda found: f"\\{found.group()}", part) for part in parts[::2]]
        lines[place] = "".join(parts)
