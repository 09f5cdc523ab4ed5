"""Whether each number of a text is one of a run's: for letters, slides and answers of an assistant."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cxlib.checks import ParameterError
from cxlib.runner.figures import Figure, run_figures
from cxlib.runner.run_files import Run
from cxlib.runner.text_numbers import Day, Number, read_numbers
from cxlib.runner.words import say

_LARGEST = 1_000_000
_FRACTIONS = ("share", "set_share", "probability", "pp")
#: Units of a run that a unit written in a text may mean; no unit written may mean any that is no fraction.
MEANT = {
    "percent": ("share", "set_share", "probability"),
    "points": ("pp", "points", "score"),
    "money": ("currency",),
    "days": ("days", "number"),
    "months": ("months", "number"),
    "count": ("count", "number"),
    "times": ("ratio", "number"),
    "no_share": (),
}
#: A share is meant as a fraction with two decimals at least: 0.35, not 0.
TWO_PLACES = 0.01
#: How much "about" may round away of a number, at the most.
ABOUT = 0.05


class Known(NamedTuple):
    """A number of the run, as shown (percent for a share); a class because unit and key go with it."""

    value: float
    unit: str
    key: str


class Unfounded(NamedTuple):
    """A number of a text that the run does not have; a class because line and nearest figure go with it."""

    line: int
    written: str
    nearest: str


def check_text(text: str, run: Run, *, lang: str = "en") -> tuple[int, list[Unfounded]]:
    """Hold each number and day of a text against those of a run.

    Parameters
    ----------
    text
        Plain text or Markdown, in English or Japanese.
    run
        The run it is about.
    lang
        Language in which the nearest figure is written.

    Returns
    -------
    tuple of (int, list of Unfounded)
        How many numbers and days were looked at, and those that are none of the run's, in order.

    Notes
    -----
    A number is founded where it is a figure of the run at the rounding it is written with and in its unit;
    also one of its limits or counts, a parameter, or a number that the run's own sentences and names state.
    Without a sign its size counts. "About" lets zeros at the end of a whole number be rounding, up to 5 % of
    it. A day is founded where it is one of the run's; a month or a year where the run's dates reach into it.
    Which figure the text means is not known: a number of something else of the run passes.
    """
    numbers, days = read_numbers(text)
    known, dates = known_numbers(run)
    percent = {one.line for one in numbers if one.kind == "percent"}
    found = []
    for number in numbers:
        near = _fitting(number, known, is_percent=number.line in percent)
        if not any(_is(number, one) for one in near):
            found.append(Unfounded(number.line, number.written, _nearest(number, near, run, lang)))
    for day in days:
        if not _is_known_day(day, dates):
            found.append(Unfounded(day.line, day.written, _nearest_day(day, dates)))
    return len(numbers) + len(days), sorted(found, key=lambda one: one.line)


def read_text(file: Path) -> str:
    """Text of a file to be checked.

    Raises
    ------
    ParameterError
        There is no such file, it is no UTF-8 text, or it is longer than a megabyte.
    """
    try:
        if file.stat().st_size > _LARGEST:
            raise ValueError
        return file.read_text(encoding="utf-8-sig")
    except (OSError, ValueError):
        raise ParameterError("runner.no_text", file=file.name[:80]) from None


def known_numbers(run: Run) -> tuple[list[Known], list[dt.date]]:
    """All numbers and days that a text about the run may state."""
    known = [one for figure in run_figures(run) for one in _of_figure(figure)]
    for report, held in run.results.items():
        header = held["header"]
        values = {**run.parameters(report), "conf_level": header.get("conf_level")}
        known += [one for name, value in values.items() for one in _of_parameter(f"{report}: {name}", value)]
        for table in header.get("tables") or []:
            for name in ("rows", "customers"):
                known += _known(table.get(name), "count", f"{report}: {table.get('table')} {name}")
    words = [(report, said) for report, held in run.results.items() for said in _sentences(held)]
    dates = {day for held in (run.results, run.manifest["reports"]) for day in _dates(held)}
    for report, said in words:
        numbers, days = read_numbers(said)
        known += [Known(_signed(one), one.kind, f"{report}: {said[:60]}") for one in numbers]
        dates |= {made for day in days if (made := _date(day)) is not None}
    return known, sorted(dates)


def _of_figure(figure: Figure) -> Iterator[Known]:
    for name, value in (("", figure.estimate), (" ↓", figure.conf_low), (" ↑", figure.conf_high)):
        yield from _known(value, figure.unit, f"{figure.key}{name}")
    yield from _known(figure.n, "count", f"{figure.key} n")


def _of_parameter(name: str, value: object) -> Iterator[Known]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield from _known(value, "number", name)
        if 0 < value < 1:
            yield from _known(value, "share", name)


def _known(value: object, unit: str, key: str) -> Iterator[Known]:
    if isinstance(value, int | float) and math.isfinite(value):
        yield Known(float(value) * (100 if unit in _FRACTIONS else 1), unit, key)
        if unit in _FRACTIONS:
            yield Known(float(value), "fraction", key)


def _signed(one: Number) -> float:
    return -one.value if one.sign == "-" else one.value


def _sentences(held: Mapping[str, Any]) -> Iterator[str]:
    """Everything a report says in words: sentences, notices, captions, titles, names of codes."""
    for shelf in ("findings", "notices", "figures"):
        for record in held.get(shelf, {}).values():
            yield from (record[name] for name in ("text", "caption") if isinstance(record.get(name), str))
            yield from record.get("texts", {}).values()
    yield str(held["header"].get("title", ""))
    for asked in (held["header"].get("asked_texts") or {}).values():
        yield from asked
    for table in held["tables"].values():
        for of_code in table.get("words", {}).values():
            yield from (word for words in of_code.values() for word in words.values())


def _fitting(number: Number, known: Iterable[Known], *, is_percent: bool) -> list[Known]:
    """Those the number may mean: by its unit, or where it has none by what the line is about."""
    if number.kind:
        units: tuple[str, ...] = (*MEANT[number.kind], number.kind)
        return [one for one in known if one.unit in units]
    other: tuple[str, ...] = () if is_percent else (*_FRACTIONS, "percent")
    other += () if number.step <= TWO_PLACES else ("fraction",)
    return [one for one in known if one.unit not in other]


def _is(number: Number, known: Known) -> bool:
    """Whether the two agree at the rounding written."""
    step = number.step
    if number.is_about and step == number.factor:
        size = number.value / step
        zeros = len(f"{size:.0f}") - len(f"{size:.0f}".rstrip("0"))
        step = max(step, min(step * 10**zeros, 2 * ABOUT * number.value))
    value = known.value if number.sign else abs(known.value)
    return abs(_signed(number) - value) <= step / 2 + 1e-9 * max(abs(value), 1.0)


def _nearest(number: Number, near: list[Known], run: Run, lang: str) -> str:
    if not near:
        return say("no_nearest", lang)
    value = _signed(number)
    best = min(near, key=lambda one: abs((one.value if number.sign else abs(one.value)) - value))
    factor = 100 if best.unit in _FRACTIONS else 1
    unit = "currency" if best.unit == "money" else "number" if best.unit in ("", *MEANT) else best.unit
    shown = Figure("", "", best.value / factor, None, None, None, unit, None, "")
    return f"{shown.shown(lang, run.header.get('currency'))} ({best.key})"


def _dates(value: object) -> Iterator[dt.date]:
    """Every day that stands as `YYYY-MM-DD` anywhere in a record."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _dates(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _dates(inner)
    elif isinstance(value, str) and len(value) == 10:
        try:
            yield dt.date.fromisoformat(value)
        except ValueError:
            return


def _date(day: Day) -> dt.date | None:
    try:
        return dt.date(*(part for part in day[2:] if part is not None)) if None not in day[2:] else None
    except ValueError:
        return None


def _is_known_day(day: Day, dates: list[dt.date]) -> bool:
    if not dates:
        return False
    if day.day is not None:
        either = re.match(r"\d{1,2}[/.]", day.written)  # 9/10/2026: the day or the month may stand first
        orders = {(day.month, day.day), (day.day, day.month)} if either else {(day.month, day.day)}
        return any((one.month, one.day) in orders and day.year in (None, one.year) for one in dates)
    months = {(at // 12, at % 12 + 1) for at in range(_month(dates[0]), _month(dates[-1]) + 1)}
    return any(day.year in (None, year) and day.month in (None, month) for year, month in months)


def _month(day: dt.date) -> int:
    return day.year * 12 + day.month - 1


def _nearest_day(day: Day, dates: list[dt.date]) -> str:
    if not dates:
        return "–"
    year = day.year or dates[-1].year
    stated = _month(dt.date(year, min(day.month or 6, 12) or 1, 1)) * 31 + (day.day or 15)
    return min(dates, key=lambda one: abs(_month(one) * 31 + one.day - stated)).isoformat()
