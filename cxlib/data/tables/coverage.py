"""What the tables of a data set suffice for, chapter by chapter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pandas as pd

from cxlib.checks import Problem
from cxlib.data.contract import TABLES
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
        Need("customers", "customers", is_content=False),
        Need("emotion", "events", ("stage", "valence")),
        Need("f2", "orders"),
        Need("expectation", "events", ("expectation", "experience")),
    ),
    "nps_drivers": (
        Need("customers", "customers", is_content=False),
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
        Need("customers", "customers", is_content=False),
        Need("enrolments", "enrolments"),
        Need("costs", "initiatives", ("one_time_cost", "monthly_cost")),
        Need("margin", "orders", ("margin",)),
        Need("answers", "responses", ("nps_score",), is_content=False),
    ),
    "initiative_register": (
        Need("orders", "orders", vital=True),
        Need("initiatives", "initiatives", vital=True),
        Need("customers", "customers", is_content=False),
        Need("enrolments", "enrolments"),
        Need("costs", "initiatives", ("one_time_cost", "monthly_cost")),
        Need("margin", "orders", ("margin",)),
    ),
    "support": (
        Need("tickets", "tickets", vital=True),
        Need("customers", "customers", is_content=False),
        Need("reasons", "tickets", ("reason",)),
        Need("rates", "orders"),
        Need("satisfaction", "responses", ("touchpoint",)),
        Need("feeling", "events", ("valence",)),
        Need("initiatives", "initiatives"),
        Need("enrolments", "enrolments"),
    ),
    "customer_value": (
        Need("orders", "orders", vital=True),
        Need("customers", "customers", is_content=False),
        Need("margin", "orders", ("margin",)),
        Need("contracts", "contracts"),
        Need("spend", "spend"),
        Need("tickets", "tickets", is_content=False),
    ),
    "sales": (
        Need("deals", "deals", vital=True),
        Need("customers", "customers", is_content=False),
        Need("history", "deal_stages"),
        Need("orders", "orders", is_content=False),
        Need("leads", "leads", is_content=False),
        Need("activities", "activities"),
        Need("tickets", "tickets", is_content=False),
    ),
    "voice": (
        Need("comments", "responses", ("comment",), vital=True),
        Need("customers", "customers", is_content=False),
        Need("nps", "responses", ("nps_score",), is_content=False),
        Need("csat", "responses", ("csat_score",), is_content=False),
        Need("sources", "responses", ("source",), is_content=False),
        Need("codings", "codings"),
    ),
}

#: Tables that the inventory alone reads.
INVENTORIED = ("users",)
#: Columns of the contract that no chapter looks at, in tables that some chapter reads.
UNREAD: dict[str, tuple[str, ...]] = {
    "orders": ("product", "quantity"),
    "events": ("campaign",),
    "initiatives": ("target_state",),
}
#: Columns beyond the contract that a chapter looks at.
READ_BESIDES = {"orders": ("refunded_on", "exchanged_on"), "events": ("session_id",)}


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


def sections(data_set: DataSet) -> pd.DataFrame:
    """Tell of each section of each chapter whether the tables carry it, and what it lacks.

    Parameters
    ----------
    data_set : DataSet
        Whatever is there; tables with errors are broken.

    Returns
    -------
    DataFrame
        One row per section (`Need`): `chapter, section, status` ("ready", "lacking", "broken": a table that
        the chapter reads has errors), `lacks` (`orders`, `orders.margin`; empty where nothing),
        `is_broken, is_vital, is_content`.
    """
    usable = {name for name in data_set.tables if not _errors(data_set.load(name))}
    rows = [
        {
            "chapter": chapter,
            "section": need.key,
            "lacks": _lacks(need, data_set, usable),
            "is_broken": data_set.has(need.table) and need.table not in usable,
            "is_vital": need.vital,
            "is_content": need.is_content,
        }
        for chapter, needs in CHAPTERS.items()
        for need in needs
    ]
    found = pd.DataFrame(rows)
    broken = found["is_broken"].groupby(found["chapter"]).transform("any")
    found.insert(2, "status", carried(found).map({True: "ready", False: "lacking"}).mask(broken, "broken"))
    return found


def carried(found: pd.DataFrame) -> pd.Series:
    """Tell which rows of `sections` come out: nothing lacks, and the chapter shows anything at all.

    Examples
    --------
    >>> rows = pd.DataFrame({"chapter": "a", "lacks": ["", "orders"], "is_broken": False,
    ...                      "is_vital": [False, True], "is_content": True})
    >>> carried(rows).tolist(), carried(rows.assign(lacks="")).tolist()
    ([False, False], [True, True])
    """
    is_met, chapter = found["lacks"] == "", found["chapter"]
    stops = (found["is_broken"] | (found["is_vital"] & ~is_met)).groupby(chapter).transform("any")
    shows = (found["is_content"] & is_met).groupby(chapter).transform("any")
    return is_met & ~stops & shows


def _lacks(need: Need, data_set: DataSet, usable: set[str]) -> str:
    if _met(need, data_set, usable):
        return ""
    each = [column for column in need.columns if not _met(replace(need, columns=(column,)), data_set, usable)]
    return " + ".join(f"{need.table}.{column}" for column in each) or need.table


def is_read(table: str, column: str) -> bool:
    """Whether any chapter looks at a column; whatever a customer has can split a report.

    Examples
    --------
    >>> is_read("orders", "margin"), is_read("orders", "quantity"), is_read("customers", "shoe_size")
    (True, False, True)
    """
    tables = {need.table for needs in CHAPTERS.values() for need in needs}
    if table not in tables.union(INVENTORIED) or table == "customers":
        return table == "customers"
    if TABLES[table].column(column) is None:
        return column in READ_BESIDES.get(table, ())
    return column not in UNREAD.get(table, ())


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
