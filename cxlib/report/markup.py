"""HTML and plain text of what a report shows: everything escaped, one look in JupyterLab and in the report.

A piece is an `(html, plain)` pair. Classes begin with `cx-`; the few inline styles only make a notebook
readable where the report's own style sheet is missing.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from cxlib.report.badges import tone_of, with_shape

_SHORT = 14  # characters that stay on one line
_SAFE = "mathjax_ignore tex2jax_ignore"  # JupyterLab would otherwise read $…$ as mathematics


@dataclass(frozen=True)
class Cell:
    """Text of one table cell and whether it is a number; a class because alignment travels with the text."""

    text: str
    is_number: bool = False


def table_html(
    heads: Sequence[str], rows: Sequence[Sequence[Cell]], *, key: str, notes: Sequence[str] = ()
) -> str:
    """Write a table with escaped cells, numbers to the right, and notes beneath."""
    numeric = [any(row[i].is_number for row in rows) for i in range(len(heads))]
    head = "".join(_cell("th", name, is_right=right) for name, right in zip(heads, numeric, strict=True))
    body = "".join(
        "<tr>"
        + "".join(_cell("td", c.text, is_right=right) for c, right in zip(row, numeric, strict=True))
        + "</tr>"
        for row in rows
    )
    foot = "".join(f'<p class="cx-note">{escape(note)}</p>' for note in notes)
    return (
        f'<div class="cx-table-box {_SAFE}" data-cx-key="{escape(key)}"><table class="cx-table">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{foot}</div>"
    )


def _cell(tag: str, words: str, *, is_right: bool) -> str:
    scope = ' scope="col"' if tag == "th" else ""
    if is_right:
        style = ' class="cx-number" style="text-align:right"'
    else:  # Japanese may break anywhere, so that a narrow column would stand its words on end
        is_short = len(words) <= _SHORT
        style = f' class="{"cx-short" if is_short else "cx-text"}" style="text-align:left"'
    return f"<{tag}{scope}{style}>{escape(words)}</{tag}>"


def table_plain(heads: Sequence[str], rows: Sequence[Sequence[Cell]], *, limit: int = 30) -> str:
    """Write a table as lines of text, at most `limit` rows; short and the same on every machine."""
    lines = [" | ".join(heads), *(" | ".join(cell.text for cell in row) for row in rows[:limit])]
    return "\n".join(lines if len(rows) <= limit else [*lines, "…"])


def sentence_html(sentence: str, *, kind: str, badge: str | None = None, verdict: str | None = None) -> str:
    """Write a finding or a notice in the tone of its verdict or level, its badge before it."""
    mark = f"{badge_html(badge, verdict=verdict)} " if badge else ""
    style = "border-left:4px solid #0072B2;padding:.4em .8em;margin:.6em 0"
    classes = f"cx-{kind} cx-tone-{tone_of(verdict)} {_SAFE}"
    return f'<div class="{classes}" style="{style}"><p>{mark}{_with_code(sentence)}</p></div>'


def badge_html(word: str, *, verdict: str | None = None) -> str:
    """Write a badge: shape and word, which say what its colour says."""
    shown = escape(with_shape(verdict, word))
    return f'<strong class="cx-badge cx-tone-{tone_of(verdict)}">{shown}</strong>'


def _with_code(sentence: str) -> str:
    """Escape a sentence and set what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(sentence))


def header_html(title: str, lines: Sequence[str], *, banner: str | None, coverage: str) -> str:
    """Write the block that says which data, which period, and how much there is."""
    top = f'<p class="cx-sample"><strong>{escape(banner)}</strong></p>' if banner else ""
    body = "".join(f"<p>{escape(line)}</p>" for line in lines)
    name = f'<p class="cx-title"><strong>{escape(title)}</strong></p>'
    return f'<div class="cx-header {_SAFE}">{name}{top}{body}{coverage}</div>'


def figure_html(picture: bytes, mime: str, *, key: str, alt: str, caption: str, source: str) -> str:
    """Write a picture with description, caption and source; an image can neither run nor load a thing."""
    data = base64.b64encode(picture).decode("ascii")
    return (
        f'<figure class="cx-figure {_SAFE}" data-cx-key="{escape(key)}">'
        f'<img alt="{escape(alt)}" src="data:{mime};base64,{data}" style="max-width:100%;height:auto">'
        f'<figcaption>{escape(caption)} <span class="cx-source">{escape(source)}</span></figcaption></figure>'
    )
