"""What the tables of a data set suffice for, chapter by chapter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cxlib.checks import Problem
from cxlib.data.tables.data_set import DataSet, open_data
from cxlib.language import text


@dataclass(frozen=True)
class Need:
    """One thing a chapter can show, the table it needs, and the columns that must hold values.

    A chapter ends where a vital table is missing. Those without content only split what others give.
    """

    key: str
    table: str
    columns: tuple[str, ...] = ()
    vital: bool = False
    is_content: bool = True


#: What each chapter reads; a test holds this list to the notebooks.
CHAPTERS: dict[str, tuple[Need, ...]] = {
    "segmentation": (
        Need("orders", "orders", vital=True),
        Need("customers", "customers", is_content=False),
        Need("category", "orders", ("category",)),
        Need("taste", "orders", ("taste",)),
        Need("brand", "orders", ("brand",)),
        Need("answers", "responses", ("nps_score",), is_content=False),
        Need("deals", "deals", is_content=False),
    ),
    "journey": (
        Need("customers", "customers", vital=True, is_content=False),
        Need("emotion", "events", ("stage", "valence")),
        Need("f2", "orders"),
        Need("expectation", "events", ("expectation", "experience")),
        Need("deals", "deals"),
    ),
    "nps_drivers": (
        Need("customers", "customers", vital=True, is_content=False),
        Need("nps", "responses", ("nps_score",)),
        Need("drivers", "responses", ("driver_",), is_content=False),
        Need("csat", "responses", ("csat_score",)),
        Need("ces", "responses", ("ces_score",)),
        Need("waves", "responses", ("wave",), is_content=False),
        Need("segments", "orders", is_content=False),
        Need("referrals", "events", ("stage",), is_content=False),
    ),
    "initiative_roi": (
        Need("orders", "orders", vital=True),
        Need("initiatives", "initiatives", vital=True),
        Need("customers", "customers", vital=True, is_content=False),
        Need("enrolments", "enrolments"),
        Need("costs", "initiatives", ("one_time_cost", "monthly_cost")),
        Need("margin", "orders", ("margin",)),
        Need("answers", "responses", ("nps_score",), is_content=False),
    ),
    "initiative_register": (
        Need("orders", "orders", vital=True),
        Need("initiatives", "initiatives", vital=True),
        Need("customers", "customers", vital=True, is_content=False),
        Need("enrolments", "enrolments"),
        Need("costs", "initiatives", ("one_time_cost", "monthly_cost")),
        Need("margin", "orders", ("margin",)),
    ),
}


@dataclass(frozen=True)
class Coverage:
    """How far a data set carries one chapter; a class because it is worded in the reader's language later."""

    chapter: str
    state: Literal["ready", "partial", "missing"]
    lacking: tuple[str, ...]
    broken: tuple[str, ...] = ()

    def text(self, lang: str = "en") -> str:
        """Return the line `cx check` prints."""
        chapter = text(f"tables.chapter.{self.chapter}", lang)
        if self.state == "ready":
            what = text("tables.coverage.ready", lang)
        else:
            reasons = [text("tables.coverage.broken", lang, table=table) for table in self.broken]
            reasons += [text(f"tables.lack.{self.chapter}.{key}", lang) for key in self.lacking]
            joined = text("tables.coverage.join", lang).join(reasons)
            what = text(f"tables.coverage.{self.state}", lang, reasons=joined)
        return text("tables.coverage.line", lang, chapter=chapter, what=what)


def coverage(data_set: DataSet) -> list[Coverage]:
    """Say how far the tables carry each chapter, in the order of the chapters.

    Parameters
    ----------
    data_set : DataSet
        Tables with errors count as missing.

    Returns
    -------
    list of Coverage
        `ready`, `partial` (and what is lacking), or `missing` when the chapter shows nothing or would stop.
    """
    usable = {name for name in data_set.tables if not _errors(data_set.load(name))}
    return [_chapter(chapter, needs, data_set, usable) for chapter, needs in CHAPTERS.items()]


def _errors(problems: Sequence[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.level == "error"]


def _chapter(chapter: str, needs: tuple[Need, ...], data_set: DataSet, usable: set[str]) -> Coverage:
    lacking = [need for need in needs if not _met(need, data_set, usable)]
    broken = {need.table for need in needs if data_set.has(need.table) and need.table not in usable}
    vital = [need for need in lacking if need.vital]
    state: Literal["ready", "partial", "missing"] = "partial" if lacking else "ready"
    if broken:  # a report that reads a table with errors stops
        state, lacking = "missing", vital
    elif vital or not any(need.is_content and need not in lacking for need in needs):
        state, lacking = "missing", vital or [need for need in lacking if need.is_content]
    keys = tuple(need.key for need in lacking if need.table not in broken)
    return Coverage(chapter, state, keys, tuple(sorted(broken)))


def _met(need: Need, data_set: DataSet, usable: set[str]) -> bool:
    if need.table not in usable:
        return False
    frame = data_set.table(need.table)
    for column in need.columns:
        matching = [
            name
            for name in map(str, frame)
            if name == column or (column.endswith("_") and name.startswith(column))
        ]
        if not frame[matching].notna().any(axis=None):
            return False
    return len(frame) > 0


def check_folder(path: str | Path) -> tuple[list[Problem], list[Coverage]]:
    """Check every table of a data set and say what the set suffices for.

    Parameters
    ----------
    path : str or Path
        Folder or DuckDB file, as for `open_data`.

    Returns
    -------
    problems : list of Problem
        Every error and notice, in the order of the tables; print each by `problem.text(lang)`.
    coverage : list of Coverage
        One line per chapter; print each by `line.text(lang)`.

    Raises
    ------
    InputError
        When the folder or its dataset.yml cannot be used at all.
    """
    data_set = open_data(path)
    for name in data_set.tables:
        data_set.load(name)
    return data_set.problems, coverage(data_set)
