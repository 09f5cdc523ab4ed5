"""Small pictures of figures over time: line, intervals, limits of chance, target, changes and starts."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cxlib.runner.board_pictures import BAD, INK, MARK, PALE, Picture, line_mark, mark, svg_picture

WIDTH, HEIGHT = 300, 132
RIGHT, TOP, BOTTOM = 10, 10, 26
LETTER = 6.2  # width of a letter of the labels
GREEN, BAND = "#1b6e3c", "#e8eef4"


def series_picture(
    rows: Sequence[Mapping[str, Any]],
    *,
    limits: Mapping[str, float],
    since: str,
    goal: Mapping[str, Any],
    starts: Sequence[dt.date],
    number: Callable[[float], str],
    day: Callable[[str], str],
) -> Picture:
    """Draw one figure over time.

    Parameters
    ----------
    rows
        Remembered rows of one figure, in order of time.
    limits
        `limit_low, limit_high` of the newest value; not numbers where there are none.
    since
        Day of the first value they rest on.
    goal
        `target` and `alarm`, where it has them.
    starts
        First days of initiatives, numbered from 1 in this order.
    number, day
        How a value and a day are written.
    """
    days = [dt.date.fromisoformat(row["as_of"]) for row in rows]
    first, last = min(days), max(days)
    ends = [
        float(value)
        for row in rows
        for value in (row["estimate"], row["conf_low"], row["conf_high"])
        if value is not None
    ]
    known = [value for value in (limits["limit_low"], limits["limit_high"]) if not math.isnan(value)]
    lines = [float(goal[name]) for name in ("target", "alarm") if goal.get(name) is not None]
    low, high = min([*ends, *known, *lines]), max([*ends, *known, *lines])
    span, reach = max((last - first).days, 1), (high - low) or 1.0
    left = 10 + LETTER * max(len(number(end)) for end in (low, high))

    def x(at: dt.date) -> float:
        return left + (WIDTH - left - RIGHT) * (at - first).days / span

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / reach

    parts = []
    if known:
        top, bottom = y(limits["limit_high"]), y(limits["limit_low"])
        start = x(dt.date.fromisoformat(since)) if since else left
        parts.append(
            mark("rect", x=start, y=top, width=WIDTH - RIGHT - start, height=bottom - top, fill=BAND)
        )
    for name, colour in (("target", GREEN), ("alarm", BAD)):
        if goal.get(name) is not None:
            at = y(float(goal[name]))
            parts.append(line_mark(left, WIDTH - RIGHT, at, at, colour, 1.2, dashes="5 3"))
    for place, began in enumerate(starts, start=1):
        if first <= began <= last:
            parts.append(mark("text", f"▲{place}", x=x(began), y=HEIGHT - BOTTOM + 10, text_anchor="middle"))
    parts += _points(rows, days, x, y)
    for value, anchor in ((high, TOP + 4), (low, HEIGHT - BOTTOM)):
        parts.append(mark("text", number(value), x=left - 4, y=float(anchor), text_anchor="end"))
    for written, side in ((day(first.isoformat()), "start"), (day(last.isoformat()), "end")):
        edge = left if side == "start" else WIDTH - RIGHT
        parts.append(mark("text", written, x=edge, y=HEIGHT - 3, text_anchor=side))
    return svg_picture(parts, HEIGHT, width=WIDTH)


def _points(
    rows: Sequence[Mapping[str, Any]],
    days: Sequence[dt.date],
    x: Callable[[dt.date], float],
    y: Callable[[float], float],
) -> list[str]:
    """Points with their intervals, joined as long as the definition stays; a line stands where it changed."""
    parts, before = [], None
    for row, at in zip(rows, days, strict=True):
        if row["conf_low"] is not None and row["conf_high"] is not None:
            parts.append(line_mark(x(at), x(at), y(row["conf_low"]), y(row["conf_high"]), PALE, 3))
        if before is not None and before[0]["definition"] != row["definition"]:
            middle = (x(before[1]) + x(at)) / 2
            parts.append(line_mark(middle, middle, TOP, HEIGHT - BOTTOM, INK, 1, dashes="2 2"))
        elif before is not None and None not in (row["estimate"], before[0]["estimate"]):
            parts.append(
                line_mark(x(before[1]), x(at), y(before[0]["estimate"]), y(row["estimate"]), MARK, 1.6)
            )
        if row["estimate"] is not None:
            parts.append(mark("circle", cx=x(at), cy=y(row["estimate"]), r=2.6, fill=MARK))
        before = (row, at)
    return parts
