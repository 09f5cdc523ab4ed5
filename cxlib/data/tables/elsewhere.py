"""Tables that lie in an engine and outgrow a machine: what is asked of them without fetching their rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import narwhals as nw
import pandas as pd

from cxlib.checks import Problem
from cxlib.checks.own_frames import engine_of
from cxlib.data.contract import TABLES
from cxlib.data.engine.lazy_lines import collect
from cxlib.data.engine.merged_lines import merged_lines
from cxlib.data.tables.read_tables import Source

#: Tables of which an engine may hold more rows than fit into memory; the others are lists, or answers.
LARGE = ("orders", "events")


def lies_elsewhere(source: Source) -> bool:
    """Whether the rows of a table stay where they are until somebody asks for them."""
    return source.kind == "engine" and source.table in LARGE


def holds(rows: nw.LazyFrame[Any], column: str) -> bool:
    """Whether any row has a value in a column, which need not be there."""
    kind = rows.collect_schema().get(column)
    if kind is None:
        return False
    value = nw.col(column)
    known = nw.when(~(value.is_nan() if kind.is_float() else value.is_null())).then(1)
    return int(collect(rows.select(n=known.sum())).fillna(0)["n"].iloc[0]) > 0


def by_day(rows: nw.LazyFrame[Any], table: str, zone: str) -> pd.DataFrame:
    """Reduce a table to one row per day on which something was recorded, with the latest moment of each time.

    The day is the engine's own, which may begin at another hour; moments are given in the zone.
    """
    spec, schema = TABLES[table], rows.collect_schema()
    time = str(spec.time)
    times = [name for name, rule in spec.columns.items() if rule.kind in ("timestamp", "date")]
    held = [name for name in times if name in schema]
    days = rows.filter(~nw.col(time).is_null()).with_columns(own_day=nw.col(time).cast(nw.Date))
    found = collect(days.group_by("own_day").agg(nw.col(name).max() for name in held))
    found = found.sort_values("own_day", ignore_index=True).drop(columns="own_day")
    return _in_zone(found, zone).reindex(columns=times)


def _in_zone(frame: pd.DataFrame, zone: str) -> pd.DataFrame:
    """Give moments in a zone: an engine hands them over in its own, where another day may be written."""
    aware = frame.select_dtypes("datetimetz")
    return frame.assign(**{str(name): aware[name].dt.tz_convert(zone) for name in aware})


def first_and_last(rows: nw.LazyFrame[Any], table: str, zone: str) -> pd.DataFrame:
    """Reduce a table to the first and the last moment of each customer and of all guests, two rows each.

    `attrs["rows"]` says how many rows there are.
    """
    time = str(TABLES[table].time)
    ends = {"first": nw.col(time).min(), "last": nw.col(time).max()}
    marked = rows.select(nw.col("customer_id").fill_null("").alias("customer_id"), time, one=nw.lit(1))
    found = collect(marked.group_by("customer_id").agg(**ends, rows=nw.col("one").sum()))
    found = _in_zone(found.sort_values("customer_id", ignore_index=True), zone)
    ids = found["customer_id"].where(found["customer_id"] != "")
    parts = [pd.DataFrame({"customer_id": ids, time: found[end]}) for end in ends]
    both = pd.concat(parts, ignore_index=True)
    both.attrs["rows"] = int(found["rows"].sum())
    return both


def part(
    source: Source, rows: nw.LazyFrame[Any], only: Mapping[str, str] | None
) -> tuple[Source, list[Problem]]:
    """Narrow a table down to the rows with some values, or merge its lines, where it lies."""
    if only is not None:
        for column, value in only.items():
            rows = rows.filter(nw.col(column) == value)
        return replace(source, frame=rows.to_native()), []
    frame = merged_lines(rows)
    told = {"rows": f"{len(frame):,}", "engine": engine_of(source.frame)}
    return replace(source, kind="frame", frame=frame), [
        Problem("tables.fetched_merged", "notice", source.file, values=told)
    ]
