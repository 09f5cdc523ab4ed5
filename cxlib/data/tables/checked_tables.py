"""Tables of a data set, read and checked once each, up to a day: what the data set's face rests on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa

from cxlib.checks import ParameterError, Problem, TableError, fail_option
from cxlib.data.contract import LISTS, TABLES
from cxlib.data.days import zone_named
from cxlib.data.findings import Findings
from cxlib.data.rules.settings import Settings
from cxlib.data.tables import elsewhere
from cxlib.data.tables.across_tables import check_across
from cxlib.data.tables.check_table import build, check_names, check_rows
from cxlib.data.tables.end_of_data import end_of_data
from cxlib.data.tables.known_rows import known_by
from cxlib.data.tables.lazy_tables import scan
from cxlib.data.tables.missing_table import no_table
from cxlib.data.tables.plausible import seen_from_first_order
from cxlib.data.tables.read_tables import Source, read


class CheckedTables:
    """Tables of one company up to a day, each read and checked when it is first asked for.

    A class because the tables share settings, a last day and each other's ids.

    Attributes
    ----------
    settings : Settings
        Content of dataset.yml.
    silent_days, first_days : int, dict
        Days before the extraction that `as_of` leaves out by itself, as nothing was recorded; first day by
        table read so far.
    """

    def __init__(
        self,
        settings: Settings,
        sources: dict[str, Source],
        notices: list[Problem],
        as_of: date | None,
        complete: date,
    ) -> None:
        self.settings = settings
        self._sources, self._as_of, self._complete, self.silent_days = sources, as_of, complete, 0
        self._own, self._problems = notices, {"": notices}
        self._frames: dict[str, pd.DataFrame] = {}
        self.first_days: dict[str, date] = {}
        self._listed: dict[str, pd.Series] = {}

    @property
    def as_of(self) -> date:
        """Last day that is known."""
        if self._as_of is None:
            self._as_of = self._complete  # while the tables are looked at
            self._as_of = end_of_data(self._sources, self._sound_rows, self.settings, self._complete)
            self.silent_days = (self._complete - self._as_of).days
            if self.silent_days:
                self._frames.clear()
        return self._as_of

    def load(self, name: str) -> list[Problem]:
        """Read and check a table once; return what was found, errors included."""
        self._require(name)
        _ = self.as_of
        if name not in self._problems:
            self._problems[name] = []
            self._problems[name] = self._read(name)
        return self._problems[name]

    def _require(self, name: str) -> None:
        if name not in TABLES:
            fail_option("name", name, TABLES)
        if name not in self._sources:
            raise no_table(name)

    def _part(self, name: str, only: Mapping[str, str] | None) -> tuple[list[Problem], pd.DataFrame | None]:
        """Problems and rows of a table that stays in its engine, merged or narrowed down there, once."""
        key = "+".join((name, *(f"{column}={value}" for column, value in (only or {}).items())))
        if key not in self._problems:
            part, notices = elsewhere.part(self._sources[name], self._lying(name), only)
            self._problems[key] = [*notices, *self._read(name, part, key)]
        return self._problems[key], self._frames.get(key)

    def _read(self, name: str, source: Source | None = None, key: str = "") -> list[Problem]:
        """Read a table, or a part of it that is kept by its own key; return what was found."""
        source = source or self._sources[name]
        try:
            raw, notices = read(source, encoding=self.settings.encoding)
        except TableError as error:
            return list(error.problems)
        findings = Findings(source.file, raw.num_rows, notices)
        if not check_names(raw.column_names, name, findings):
            return findings.problems
        if raw.num_rows == 0:
            findings.add("tables.no_rows", "notice")
        frame = build(raw, name, self.settings, findings)
        del raw
        if name in LISTS and not findings.failed:
            self._listed[name] = frame[TABLES[name].key[0]]
        if not findings.failed:
            frame = self._across(name, frame, findings)
        frame = check_rows(frame, name, self.settings, findings)
        if (time_column := TABLES[name].time) and frame[time_column].notna().any():
            self.first_days[name] = frame[time_column].min().date()
        self._frames[key or name] = known_by(frame, TABLES[name], self._last_moment(), self.settings)
        pa.default_memory_pool().release_unused()
        return findings.problems

    def _check_begun(self) -> None:
        """Raise when `as_of` lies before all data; one table may well begin later than the others."""
        for name in self._sources:
            if not self._stays(name):
                self.load(name)
            else:
                every = scan(self._sources[name], self.settings, self.settings.extracted, pd.DataFrame)
                times = elsewhere.by_day(every, name, self.settings.timezone)[
                    TABLES[name].time or ""
                ].dropna()
                self.first_days |= {name: times.min().date()} if len(times) else {}
        if (first := min(self.first_days.values(), default=self.as_of)) > self.as_of:
            raise ParameterError("tables.as_of_earlier", as_of=self.as_of, first=first)

    def _across(self, name: str, frame: pd.DataFrame, findings: Findings) -> pd.DataFrame:
        """Check a table against others; customers are seen from their first order on."""
        check_across(name, frame, findings, listed=self._ids, rows=self._sound_rows)
        if name != "customers" or "orders" not in self._sources:
            return frame
        if self._stays("orders"):
            orders: pd.DataFrame | None = elsewhere.first_and_last(
                self._lying("orders"), "orders", self.settings.timezone
            )
        else:
            orders = self._sound_rows("orders")
        return frame if orders is None else seen_from_first_order(frame, orders, findings)

    def _ids(self, name: str) -> pd.Series | None:
        return self._listed.get(name) if self._usable(name) else None

    def _rows(self, name: str) -> pd.DataFrame:
        if name not in self._frames:
            self._problems[name] = self._read(name)
        return self._frames[name]

    def _sound_rows(self, name: str) -> pd.DataFrame | None:
        if self._stays(name):
            return elsewhere.by_day(self._lying(name), name, self.settings.timezone)
        return self._rows(name) if self._usable(name) else None

    def _usable(self, name: str) -> bool:
        """Whether a table is there without errors; one that stays where it lies is not fetched to know."""
        if name not in self._sources:
            return False
        found = self._problems.get(name, []) if self._stays(name) else self.load(name)
        return not any(problem.level == "error" for problem in found)

    def _stays(self, name: str) -> bool:
        return name in self._sources and elsewhere.lies_elsewhere(self._sources[name])

    def _lying(self, name: str) -> nw.LazyFrame[Any]:
        """Rows of a table that stays where it lies."""
        return scan(self._sources[name], self.settings, self._last_moment(), pd.DataFrame)

    def _last_moment(self) -> datetime:
        end = datetime.combine(self.as_of, time.max, tzinfo=zone_named(self.settings.timezone))
        return min(end, self.settings.extracted)
