"""Whether parameters fit the data they are for, before a report starts: days, whom, groups, initiative."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from cxlib.checks import CxError, InputError, ParameterError, fail_option
from cxlib.customers.rfm_segments import segment_names
from cxlib.data.attributes import MADE, having, parse_where
from cxlib.data.contract import TABLES
from cxlib.data.days import to_date
from cxlib.data.rules.rule_files import load_rules
from cxlib.data.scope import fail_by
from cxlib.data.tables.coverage import CHAPTERS, Coverage, coverage
from cxlib.data.tables.data_set import DataSet, open_data
from cxlib.initiatives.study.panel import choose_initiative


class Opened:
    """Data sets opened once for many reports, by folder and last day; a class because it remembers them."""

    def __init__(self) -> None:
        self._held: dict[tuple[Path, str], DataSet] = {}
        self._carried: dict[tuple[Path, str], list[Coverage]] = {}

    def at(self, data: Path, as_of: Any = None) -> DataSet:
        """Give the data set up to a day."""
        key = (data, str(as_of))
        if key not in self._held:
            self._held[key] = open_data(data, as_of=as_of)
        return self._held[key]

    def coverage(self, data: Path, as_of: Any = None) -> list[Coverage]:
        """Say how far the data set carries each chapter."""
        key = (data, str(as_of))
        if key not in self._carried:
            self._carried[key] = coverage(self.at(data, as_of))
        return self._carried[key]


def check_possible(parameters: Mapping[str, Any], data: Path, opened: Opened | None = None) -> None:
    """Refuse values that no customer of the data has, in the words a report would use minutes later.

    Parameters
    ----------
    parameters
        Values of one report: `as_of`, `period_start`, `period_end`, `by`, `segment`, `where`, `min_cell`,
        `initiative`; others are not looked at.
    data
        Folder or DuckDB file. Where it or a table cannot be read, nothing is said: the report says it better.
    opened
        Data sets that other reports of the run have asked for.

    Raises
    ------
    ParameterError
        Names the parameter, what was given and what there is.
    """
    segment = parameters.get("segment")
    where = parse_where(parameters.get("where"))
    try:
        data_set = (opened or Opened()).at(data, parameters.get("as_of"))
        if segment is not None:
            _check_segment(segment, data_set)
        by, initiative = parameters.get("by"), parameters.get("initiative")
        if by is not None and by not in MADE and data_set.has("customers"):
            _check_by(by, data_set)
        if where and data_set.has("customers"):
            having(data_set.table("customers"), where, min_cell=parameters.get("min_cell") or 10)
        if initiative is not None and data_set.has("initiatives"):
            choose_initiative(data_set.table("initiatives"), initiative)
        _check_days(parameters, data_set)
    except InputError:
        if segment is not None:
            _check_segment(segment, None)


def _check_segment(segment: str, data_set: Any) -> None:
    if segment not in (names := segment_names(load_rules("rfm_segments", data_set))):
        fail_option("segment", segment, names)


def _check_by(by: str, data_set: DataSet) -> None:
    options = [name for name in data_set.table("customers").columns if name != "customer_id"]
    if by not in options:
        fail_by(by, options)


def _check_days(parameters: Mapping[str, Any], data_set: DataSet) -> None:
    """Refuse days on which the data hold nothing: before their first record, or after their last day."""
    start, end = parameters.get("period_start"), parameters.get("period_end")
    if start is not None and to_date(start) > data_set.as_of:
        raise ParameterError("runner.day_after_data", name="period_start", day=start, last=data_set.as_of)
    lasts = {"as_of": parameters.get("as_of"), "period_end": end}
    chosen = {name: to_date(day) for name, day in lasts.items() if day is not None}
    first = first_day(data_set) if chosen else None
    for name, day in chosen.items():
        if first is not None and day < first:
            raise ParameterError("runner.day_before_data", name=name, day=day, first=first)


def first_day(data_set: DataSet) -> date | None:
    """First day on which anything is recorded, whatever the data set's last day; None without any record."""
    days = [_first_of(data_set, name) for name in data_set.tables if TABLES[name].in_period]
    return min((day for day in days if day is not None), default=None)


def _first_of(data_set: DataSet, name: str) -> date | None:
    time = TABLES[name].time
    if time is None or any(problem.level == "error" for problem in data_set.load(name)):
        return None
    return data_set.first_days.get(name)


def lacking(report: str, opened: Opened, data: Path, as_of: Any, lang: str) -> tuple[str, str]:
    """Say beforehand how far the data carry a report.

    Parameters
    ----------
    report
        Its name; of a chapter whose needs are not listed nothing is known, and it counts as carried.
    opened, data, as_of
        The data, up to the last day of the report.
    lang
        Language of the reasons.

    Returns
    -------
    state, reasons
        `ready`, `partial`, `missing` (the report would end at its beginning) or `broken` (it would stop, as
        the data or a table cannot be used), and what is lacking.
    """
    if report not in CHAPTERS:
        return "ready", ""
    try:
        found = next(one for one in opened.coverage(data, as_of) if one.chapter == report)
    except CxError as error:
        return "broken", error.in_language(lang)
    if found.broken:
        return "broken", found.text(lang)
    return found.state, "" if found.state == "ready" else found.text(lang)
