"""Whether the quotes of a delimited text close where they should, and which rows would be swallowed if not.

Spreadsheets write a cell with commas, quotes or line breaks in quotes and double the quotes inside. A quote
that never closes makes one cell out of many rows, and nothing else looks wrong.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from cxlib.data.delimited.byte_stream import LONGEST_LINE, Unfit

QUOTE, LF, CR = 34, 10, 13
LOOKED_AT = 500
MOST_KEPT = 5_000
MOST_BREAKS = 20_000
ENOUGH_FIGURES = 2
_DIGITS = re.compile(rb"\d+")
_FIGURE = re.compile(rb'^[\s"]*[-+]?\d[\d.,:/TZ +\-]*[\s"]*$')


class QuoteWatch:
    """Sees pieces of a text pass and says whether its quotes need a closer look.

    A class because quotes open in one piece and close in another. The usual text, each quote beside a
    delimiter, a line end or another quote and no line break inside quotes, costs a few operations on arrays.
    """

    def __init__(self, delimiter: str) -> None:
        self._sides = np.zeros(256, dtype=bool)
        self._sides[[ord(delimiter), LF, CR, QUOTE]] = True
        self._is_open = False
        self._before = LF
        self._after_closing = False
        self._line = 0
        self.needs_look = False

    def feed(self, text: bytes) -> None:
        """Look at the next piece."""
        if not text or self.needs_look:
            return
        self._check_line(text)
        if not self._is_open and not self._after_closing and QUOTE not in text:
            self._before = text[-1]
            return
        signs = np.frombuffer(text, dtype=np.uint8)
        if self._after_closing and not self._sides[signs[0]]:
            self.needs_look = True
        at = np.flatnonzero(signs == QUOTE)
        opening = at[(np.arange(len(at)) + self._is_open) % 2 == 0]
        closing = at[(np.arange(len(at)) + self._is_open) % 2 == 1]
        before = np.where(opening > 0, signs[opening - 1], self._before)
        inner = closing[closing < len(signs) - 1]
        if not (self._sides[before].all() and self._sides[signs[inner + 1]].all()):
            self.needs_look = True
        ends = np.flatnonzero((signs == LF) | (signs == CR))
        if ((np.searchsorted(at, ends) + self._is_open) % 2 == 1).any():
            self.needs_look = True
        self._is_open = bool((len(at) + self._is_open) % 2)
        self._after_closing = bool(len(closing)) and closing[-1] == len(signs) - 1
        self._before = text[-1]

    def _check_line(self, text: bytes) -> None:
        first, last = text.find(b"\n"), text.rfind(b"\n")
        if first < 0:
            first, last = text.find(b"\r"), text.rfind(b"\r")
        longest = self._line + (len(text) if first < 0 else first)
        self._line = longest if first < 0 else len(text) - last
        if longest > LONGEST_LINE:
            raise Unfit("long_line", limit=f"{LONGEST_LINE >> 20} MB")

    @property
    def in_doubt(self) -> bool:
        """Whether the text ends inside quotes, or anything else was seen that needs a closer look."""
        return self.needs_look or self._is_open


@dataclass
class Structure:
    """What a closer look finds, by row of the file from 1, its header the first.

    A class because several kinds of faults are counted in one reading. `unclosed`, `after_quote` and
    `swallowed` are faults; `several_lines` are rows that rightly hold line breaks in a cell, `lines_inside`
    how many breaks those are.
    """

    unclosed: list[int] = field(default_factory=list)
    after_quote: list[int] = field(default_factory=list)
    swallowed: list[int] = field(default_factory=list)
    several_lines: list[int] = field(default_factory=list)
    lines_inside: int = 0
    rows: int = 0


def look_closer(texts: Iterable[bytes], delimiter: str) -> Structure:
    """Follow every quoted cell of a text and judge those that are not as a spreadsheet writes them."""
    cells = _Cells(delimiter.encode())
    found, lines = Structure(), _lines(texts)
    models: list[list[bytes]] = []
    suspects: list[tuple[int, list[bytes]]] = []
    columns = 0
    for line in lines:
        if not line:
            continue
        found.rows += 1
        columns = columns or len(cells.split(line))
        if len(models) < LOOKED_AT and found.rows > 1 and len(parts := cells.split(line)) == columns:
            models.append(parts)
        if b'"' not in line:
            continue
        is_open, is_bad = cells.follow(line, is_open=False)
        size, breaks = len(line), 0
        while is_open and max(size / LONGEST_LINE, breaks / MOST_BREAKS) <= 1:
            inner = next(lines, None)
            if inner is None:
                break
            breaks, size = breaks + 1, size + len(inner)
            if len(suspects) < MOST_KEPT and len(parts := cells.split(inner)) == columns:
                suspects.append((found.rows, parts))
            is_open, was_bad = cells.follow(inner, is_open=True)
            is_bad = is_bad or was_bad
        found.lines_inside += breaks
        _note(found, is_open=is_open, is_bad=is_bad, breaks=breaks)
        if is_open:
            break
    swallowed = [row for row, parts in suspects if _is_row(parts, models)]
    found.swallowed = sorted(set(swallowed))
    for rows in (found.swallowed, found.unclosed, found.after_quote, found.several_lines):
        rows[:] = [row + bisect_left(swallowed, row) for row in rows]  # a row taken into a cell is one too
    return found


def _note(found: Structure, *, is_open: bool, is_bad: bool, breaks: int) -> None:
    for holds, rows in (
        (is_open, found.unclosed),
        (is_bad, found.after_quote),
        (breaks > 0, found.several_lines),
    ):
        if holds:
            rows.append(found.rows)


class _Cells:
    """How one delimiter cuts a line; a class because four patterns share it."""

    def __init__(self, delimiter: bytes) -> None:
        sign = re.escape(delimiter)
        self._delimiter = delimiter
        self._opening = re.compile(rb'(?:(?<=%s)|^)"' % sign)
        self._inside = re.compile(rb'(?:[^"]++|"")*+')
        self._after = re.compile(rb" *(?:%s|$)" % sign)

    def split(self, line: bytes) -> list[bytes]:
        """Cut at every delimiter, as if no quote meant anything."""
        return line.split(self._delimiter)

    def follow(self, line: bytes, *, is_open: bool) -> tuple[bool, bool]:
        """Whether a line ends inside quotes, and whether any quote closes before further text."""
        at, is_bad = 0, False
        while True:
            if not is_open:
                opening = self._opening.search(line, at)
                if opening is None:
                    return False, is_bad
                at = opening.end()
            at = self._inside.match(line, at).end()  # type: ignore[union-attr]
            if at == len(line):
                return True, is_bad
            at, is_open = at + 1, False
            is_bad = is_bad or self._after.match(line, at) is None


def _lines(texts: Iterable[bytes]) -> Iterator[bytes]:
    """Lines without their ends, LF, CR LF or CR."""
    rest = b""
    for text in texts:
        joined = rest + text
        lines = joined.splitlines(keepends=True)
        last = lines.pop() if lines else b""
        if last.endswith(b"\n"):
            lines.append(last)
            last = b""
        rest = last
        yield from (line.rstrip(b"\r\n") for line in lines)
    yield from rest.splitlines()


def _is_row(parts: list[bytes], models: list[list[bytes]]) -> bool:
    """Whether a line inside a cell looks like a row: figures of the same shape in the same columns."""
    shapes = {
        at: shape
        for at in range(len(parts))
        if (shape := _figures([model[at] for model in models if len(model) == len(parts)]))
    }
    if len(shapes) < ENOUGH_FIGURES and not (shapes and len(parts) > 3):
        return False
    filled = [at for at in shapes if parts[at].strip(b' "')]
    return bool(filled) and all(_shape(parts[at]) in shapes[at] for at in filled)


def _figures(cells: list[bytes]) -> set[bytes]:
    """Shapes of a column that holds figures, times or the like in nine of ten cells; none for another."""
    filled = [cell for cell in cells if cell.strip(b' "')]
    figures = [cell for cell in filled if _FIGURE.match(cell)]
    if not filled or len(figures) < 0.9 * len(filled):
        return set()
    return {_shape(cell) for cell in figures}


def _shape(cell: bytes) -> bytes:
    return _DIGITS.sub(b"9", cell.strip(b' "'))
