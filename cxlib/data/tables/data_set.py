"""A data set: checked frames on request, and the same tables lazily for the engines."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cxlib.checks import ParameterError, Problem, TableError, check_min_cell, fail_option
from cxlib.data.attributes import parse_where
from cxlib.data.contract import TABLES
from cxlib.data.days import to_date
from cxlib.data.engine.lazy_lines import between_days
from cxlib.data.engine.order_lines import OrderLines
from cxlib.data.rules.settings import RULES_FOLDER
from cxlib.data.scope import Scope, Segments, check_period, check_segments
from cxlib.data.tables import elsewhere
from cxlib.data.tables.check_table import rows_where
from cxlib.data.tables.checked_tables import CheckedTables
from cxlib.data.tables.known_rows import within
from cxlib.data.tables.lazy_tables import scan
from cxlib.data.tables.read_tables import find_tables
from cxlib.data.tables.unlisted_customers import unlisted_customers

if TYPE_CHECKING:
    import narwhals as nw

#: Whether a change to a frame leaves the one it shares its data with alone: pandas 2 copies beforehand only.
COPIES_ON_WRITE = int(pd.__version__.partition(".")[0]) >= 3


#: Name of a data set of frames that were given none.
FRAMES_NAME = "Data"


def open_data(
    path: str | Path | Mapping[str, Any], as_of: date | str | None = None, **settings: Any
) -> DataSet:
    r"""Open a folder of CSV or Parquet files, a DuckDB file or frames, as a data set of the contract.

    Nothing but `dataset.yml` is read yet: each table is read and checked when it is first asked for.

    Parameters
    ----------
    path : str, Path or mapping
        Folder with `dataset.yml` and one file per table (`orders.parquet`, `orders.csv` or `orders.csv.gz`),
        or a DuckDB file with `dataset.yml` beside it or a table `dataset` of one row in it; or frames by
        the contract's names of tables, `{"orders": orders}`: pandas, Polars, Arrow, or tables that lie in
        DuckDB, Spark or a database (Ibis), whose rows are fetched when asked for, up to 5 million.
    as_of : date or str, optional
        Last day that is known (both included); later rows are left out, later dates in other columns are
        missing. By default the day of the extraction in the data set's timezone; the day before it when the
        data were taken out at midnight, since they hold nothing of the day that was beginning. Where every
        table of what happened ends long before (`silent_days`), the day of the last record instead.
    **settings
        With frames, what `dataset.yml` would say: `currency`, `timezone`, `extracted_at`, `name` ("Data"
        where it is not given), …

    Returns
    -------
    DataSet

    Raises
    ------
    InputError
        When there is no such folder, no dataset.yml, or it does not fit.
    ParameterError
        When `as_of` is no day or lies after the extraction, and for something that is no data.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "dataset.yml").write_text(
    ...     "{name: Shop, currency: JPY, timezone: Asia/Tokyo, extracted_at: 2026-10-01}")
    >>> _ = (folder / "orders.csv").write_text(
    ...     "order_id,line,customer_id,ordered_at,amount\n0001,1,007,2026-09-30T23:30:00Z,1200\n")
    >>> orders = open_data(folder).table("orders")
    >>> orders.loc[0, ["order_id", "customer_id"]].to_list(), str(orders.loc[0, "ordered_at"])
    (['0001', '007'], '2026-10-01 08:30:00+09:00')
    >>> shop = {"currency": "JPY", "timezone": "Asia/Tokyo", "extracted_at": "2026-10-01"}
    >>> open_data({"orders": orders}, **shop).tables
    ['orders']
    """
    named = {"name": FRAMES_NAME} | settings if isinstance(path, Mapping) else settings
    own, sources, notices = find_tables(path, named)
    extracted = own.extracted.date()
    complete = (own.extracted - timedelta(microseconds=1)).date()
    last = None if as_of is None else to_date(as_of, argument="as_of")
    if last is not None and last > extracted:
        raise ParameterError("tables.as_of_later", as_of=last, extracted=extracted)
    return DataSet(own, sources, notices, last, complete)


class DataSet(CheckedTables):
    """Tables of one company up to a day: what chapters ask of them.

    A class because the tables share settings, a last day and each other's ids, are read only when asked for,
    and are checked once however often they are asked for.
    """

    _lines: OrderLines | None = None

    @property
    def name(self) -> str:
        """Name of the company or data set."""
        return self.settings.name

    @property
    def currency(self) -> str:
        """Currency of every amount, as ISO 4217 code."""
        return self.settings.currency

    @property
    def timezone(self) -> str:
        """IANA timezone in which days begin."""
        return self.settings.timezone

    @property
    def is_sample(self) -> bool:
        """Whether the data are simulated."""
        return self.settings.is_sample

    @property
    def tables(self) -> list[str]:
        """Names of the tables that are there, in the contract's order."""
        return list(self._sources)

    @property
    def rule_folders(self) -> list[Path]:
        """Folders whose rules come before the handbook's: `rules/` beside the tables, then the set named."""
        beside = {source.path.parent / "rules" for source in self._sources.values() if source.kind != "frame"}
        return [*beside, *([RULES_FOLDER / self.settings.rules] if self.settings.rules else [])]

    @property
    def problems(self) -> list[Problem]:
        """What was found in the tables read so far, errors included."""
        return [problem for problems in self._problems.values() for problem in problems]

    @property
    def notices(self) -> list[Problem]:
        """What was noticed in the tables read so far."""
        return [problem for problem in self.problems if problem.level == "notice"]

    @property
    def attributes(self) -> frozenset[str]:
        """Columns that say something of a customer: those of the customers table, extra ones elsewhere."""
        self._usable("customers")
        own = set(TABLES["customers"].columns)
        for key, frame in self._frames.items():
            table = key.partition("+")[0]
            spec = TABLES[table]
            own |= {name for name in map(str, frame) if table == "customers" or spec.column(name) is None}
        return frozenset(name for name in own if not TABLES["customers"].is_id(name))

    def has(self, table: str, column: str | None = None) -> bool:
        """Whether a table is there and, with a column, whether that column holds any value."""
        if table not in TABLES:
            fail_option("table", table, TABLES)
        if table not in self._sources or column is None:
            return table in self._sources
        if self._stays(table):
            return elsewhere.holds(self.lazy(table), column)
        frame = self.table(table)
        return column in frame and bool(frame[column].notna().any())

    def table(
        self,
        name: str,
        start: date | str | None = None,
        end: date | str | None = None,
        *,
        merged: bool = False,
        only: Mapping[str, str] | None = None,
    ) -> pd.DataFrame:
        """Return a table's checked rows up to `as_of`: the contract's columns, then the file's extra ones.

        Parameters
        ----------
        name : str
            Table of the contract.
        start, end : date or str, optional
            First and last day (both included) by the table's own time; tables without events in time
            (customers, initiatives, enrolments, spend) are given whole.
        merged : bool
            Order lines are wanted for purchases, days, amounts and margins alone: from an engine they come
            merged by order and moment (`merged_lines`), without guests and further columns.
        only : mapping, optional
            Only rows with these values of columns; an engine leaves the others where they are.

        Returns
        -------
        DataFrame
            Ids and text as str, timestamps in the data set's timezone, days as dates at midnight without
            timezone, numbers as float64, yes/no as boolean. Columns that the file lacks are all missing.
            Customers without a table are those whom other tables name.

        Raises
        ------
        NotEnoughData
            When the table is not there.
        InputError
            When the table does not hold what the contract asks for.
        ParameterError
            For an unknown table, when `end` is before `start`, or when all data are later than `as_of`.
        """
        if name == "customers" and name not in self._sources:
            return unlisted_customers(self)
        is_part = self._stays(name) and (merged or only)
        problems, frame = self._part(name, only) if is_part else (self.load(name), None)
        if any(problem.level == "error" for problem in problems):
            raise TableError([problem for problem in problems if problem.level == "error"])
        spec, frame = TABLES[name], (self._rows(name) if frame is None else frame).copy(deep=False)
        for column, value in (only or {}).items():
            frame = rows_where(frame, (frame[column] == value).fillna(value=False))
        if frame.empty and (is_part or name in self.first_days):
            self._check_begun()
        if (start is None and end is None) or spec.time is None or not spec.in_period:
            return frame.copy(deep=not COPIES_ON_WRITE)
        return within(frame, spec.time, start, end)

    def ends(self, name: str, start: date | str | None = None, end: date | str | None = None) -> pd.DataFrame:
        """Return the rows of `table`; from an engine only each customer's first and last moment.

        `attrs["rows"]` then says how many rows there are.
        """
        if not self._stays(name):
            return self.table(name, start, end)
        first, last = (None if day is None else to_date(day) for day in (start, end))
        rows = between_days(self.lazy(name), TABLES[name].time or "", first, last, self.timezone)
        return elsewhere.first_and_last(rows, name, self.timezone)

    def order_lines(self, start: date | str | None = None, end: date | str | None = None) -> OrderLines:
        """Return the order lines, to be summed up once, where they lie, for whoever asks for sums of them."""
        if self._lines is None:
            away = self.has("orders") and self._sources["orders"].kind == "engine"
            rows = self.lazy("orders") if away else self.table("orders")
            held = rows if away else lambda: self._rows("orders")
            self._lines = OrderLines(held, timezone=self.timezone)
        return self._lines.between(start, end)

    def release(self, name: str) -> None:
        """Let go of a table's rows, to save memory; asked for again, they are read again."""
        self._frames.pop(name, None)
        if name == "orders" and self._lines is not None:
            self._lines.forget()

    def scope(
        self,
        *,
        as_of: date | str | None = None,
        period_start: date | str | None = None,
        period_end: date | str | None = None,
        by: str | None = None,
        segment: str | None = None,
        where: str | Mapping[str, str] | None = None,
        segments: Segments | None = None,
        min_cell: int = 10,
        conf_level: float = 0.95,
    ) -> Scope:
        """Say once which days and customers a report is about, for every chapter of a run alike.

        Parameters
        ----------
        as_of : date or str, optional
            Last day that is known; by default the data set's own, which is the latest possible.
        period_start, period_end : date or str, optional
            First and last day of the period.
        by : str, optional
            Column results are broken down by: an attribute of the customers, "segment", "cohort" or
            "first_channel".
        segment : str, optional
            Only customers of this segment as of the last day before the period, or as of the last day where
            the period has no first one.
        where : str or mapping, optional
            Only customers with these attributes: "region=Kanto, gender=female".
        segments : callable or DataFrame, optional
            Gives `customer_id` and `segment` as of a day (`SegmentsByDay`), or is that table.
        min_cell, conf_level
            Smallest number of customers a shown row may stand for; level of every interval.

        Returns
        -------
        Scope

        Raises
        ------
        ParameterError
            For a `segment` that does not exist, an attribute that fewer than `min_cell` customers have, a
            period that ends before it starts, or a `min_cell` below 5.
        """
        known = self
        if as_of is not None and to_date(as_of) != self.as_of:
            if to_date(as_of) > self.as_of:
                raise ParameterError("tables.as_of_later", as_of=to_date(as_of), extracted=self.as_of)
            known = DataSet(self.settings, self._sources, self._own, to_date(as_of), self._complete)
        days, least = check_period(period_start, period_end), check_min_cell(min_cell)
        check_segments(segments if self.has("orders") else None, by=by, segment=segment)
        made = Scope(known, *days, by, segment, parse_where(where), least, conf_level, segments)
        if by is not None or where:
            _ = made.people  # refuses what no customer has
        return made

    def lazy(self, name: str) -> nw.LazyFrame[Any]:
        """Return the rows of a table up to `as_of` as narwhals LazyFrame over DuckDB.

        Columns have the contract's types. Parquet and DuckDB columns of those types are read as the
        reduction needs them, unchecked: run `cx check` on the folder first. A CSV file, and text that has to
        be turned into numbers, times or ids, is read and checked like any other table.

        Raises
        ------
        NotEnoughData
            When the table is not there.
        InputError
            When it cannot be read, or its text does not hold what the contract asks for.
        """
        self._require(name)
        return scan(self._sources[name], self.settings, self._last_moment(), lambda: self.table(name))
