"""Small pictures of the one page: SVG images drawn from the rows of a table, with words beside the marks."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from html import escape, unescape
from typing import Any, NamedTuple

WIDTH, ROW, LEFT, RIGHT = 240, 19, 92, 86
INNER = WIDTH - LEFT - RIGHT
MOST = 5
INK, MARK, PALE, GOOD, BAD = "#1c2430", "#0b5c8f", "#b3c3d3", "#1b6e3c", "#a01c1c"
FONTS = "system-ui, 'Noto Sans CJK JP', IPAexGothic, sans-serif"
RETURN = ("roi_conf_low", "roi", "roi_conf_high")

Rows = Sequence[Mapping[str, Any]]
Number = Callable[[object, str], str]

_WORDS = re.compile("<text[^>]*>([^<]*)</text>")


class Picture(NamedTuple):
    """Address of a drawing, as data, and the words in it for who can't see it."""

    src: str
    alt: str


def bars(rows: Rows, name: str, values: Sequence[str], number: Number) -> Picture | None:
    """Bars of shares, a dark one and, with two values, a pale one below; numbers at their ends."""
    shown = [row for row in rows if row[values[0]] is not None][:MOST]
    longest = max((float(row[value] or 0) for row in shown for value in values), default=0)
    if not longest:
        return None
    thick = 12 / len(values)
    parts = []
    for top, row in zip(range(0, ROW * len(shown), ROW), shown, strict=True):
        parts.append(_label(row["words"][name], top))
        for of, value in enumerate(values):
            long, y = INNER * float(row[value] or 0) / longest, top + 2 + of * thick
            colour = PALE if of else MARK
            parts.append(mark("rect", x=LEFT, y=y, width=long, height=thick, fill=colour))
        said = " / ".join(number(row[value], "share") for value in values)
        parts.append(mark("text", said, x=WIDTH - RIGHT + 3, y=top + 12))
    return svg_picture(parts, len(shown) * ROW)


def curve(rows: Rows, number: Number) -> Picture | None:
    """Line through the stages; the lowest is marked, its name and value written."""
    shown = [row for row in rows if row["estimate"] is not None]
    if len(shown) < 2:
        return None
    values = [float(row["estimate"]) for row in shown]
    step, reach, height = (WIDTH - 24) / (len(shown) - 1), (max(values) - min(values)) or 1.0, 78
    places = [(12 + at * step, 14 + 44 * (max(values) - value) / reach) for at, value in enumerate(values)]
    lowest = values.index(min(values))
    x, y = places[lowest]
    said = f"{shown[lowest]['words']['stage']} {number(values[lowest], 'score')}"
    side, at = ("middle", WIDTH / 2) if len(said) > 24 else ("start", 4) if x < 80 else ("end", WIDTH - 4)
    line = " ".join(f"{px:.1f},{py:.1f}" for px, py in places)
    parts = [
        f'<polyline points="{line}" fill="none" stroke="{MARK}" stroke-width="2"/>',
        *(mark("circle", cx=px, cy=py, r=2.4, fill=MARK) for px, py in places),
        mark("circle", cx=x, cy=y, r=4, fill=BAD),
        mark("text", said, x=at, y=y + 17, text_anchor=side),
    ]
    return svg_picture(parts, height)


def intervals(rows: Rows, number: Number, *, without: str) -> Picture | None:
    """Point and interval of each return around zero; a word where there is none."""
    shown = rows[:MOST]
    if not shown:
        return None
    known = [row for row in shown if all(row[end] is not None for end in RETURN)]
    ends = [0.0, *(float(row[end]) for row in known for end in RETURN)]

    def place(value: float) -> float:
        return LEFT + INNER * (value - min(ends)) / ((max(ends) - min(ends)) or 1.0)

    parts = []
    beside = (
        place(0) + 4 if known and place(0) < LEFT + INNER / 2 else float(LEFT)
    )  # not across the zero line
    for top, row in zip(range(0, ROW * len(shown), ROW), shown, strict=True):
        parts.append(_label(row["initiative"], top))
        if row not in known:
            parts.append(mark("text", without, x=beside, y=top + 12))
            continue
        low, at, high = (float(row[end]) for end in RETURN)
        colour, y = GOOD if low > 0 else BAD if high < 0 else INK, top + 8
        parts.append(line_mark(place(low), place(high), y, y, colour, 2))
        parts.append(mark("circle", cx=place(at), cy=y, r=3.5, fill=colour))
        parts.append(mark("text", number(at, "share"), x=WIDTH - RIGHT + 3, y=top + 12))
    if known:
        parts.append(line_mark(place(0), place(0), 0, len(shown) * ROW, INK, 0.6))
    return svg_picture(parts, len(shown) * ROW)


def _label(words: object, top: float) -> str:
    return mark("text", _short(str(words)), x=LEFT - 5, y=top + 12, text_anchor="end")


def line_mark(
    x1: float, x2: float, y1: float, y2: float, colour: str, width: float, *, dashes: str = "none"
) -> str:
    """Write one line."""
    ends: dict[str, Any] = {"x1": x1, "x2": x2, "y1": y1, "y2": y2}
    return mark("line", **ends, stroke=colour, stroke_width=width, stroke_dasharray=dashes)


def mark(tag: str, words: str = "", **attributes: object) -> str:
    """Write one element; numbers with one decimal."""
    written = {
        name.replace("_", "-"): f"{held:.1f}" if isinstance(held, float) else str(held)
        for name, held in attributes.items()
    }
    inside = " ".join(f'{name}="{escape(held)}"' for name, held in written.items())
    return f"<{tag} {inside}>{escape(words)}</{tag}>"


def _short(words: str) -> str:
    """Cut a name to what fits beside a bar; East Asian letters take two places."""
    limit = 8 if any(ord(letter) > 0x2E7F for letter in words) else 16
    return words if len(words) <= limit else words[: limit - 1] + "…"


def svg_picture(parts: Sequence[str], height: float, *, width: int = WIDTH) -> Picture:
    """Draw as an image: what a page only shows can neither run nor load anything."""
    space = f'xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height:.0f}"'
    frame = f'viewBox="0 0 {width} {height:.0f}" font-family="{FONTS}" font-size="10" fill="{INK}"'
    drawn = f"<svg {space} {frame}>{''.join(parts)}</svg>"
    words = unescape(" · ".join(_WORDS.findall(drawn)))
    return Picture("data:image/svg+xml;base64," + b64encode(drawn.encode()).decode(), words)
