"""How a result frame is laid out for people: headings, units, intervals, marks for what is not shown."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cxlib.language import TEXT_LIMIT, clean_text, format_interval, format_value, has_text, is_missing, text
from cxlib.report.badges import with_shape
from cxlib.report.column_units import COLUMN_UNITS, Units
from cxlib.report.company import Company, Day
from cxlib.report.markup import Cell

#: A heading by column, or words by column and value.
Labels = Mapping[str, str | Mapping[Any, str]]

#: Columns in the unit of the estimate beside them; where that is a difference of shares, shares.
LIKE_ESTIMATE: tuple[str, ...] = ("adjusted", "after", "before", "limit_high", "limit_low", "target")
LIKE_ESTIMATE += ("alarm", "unweighted", "usual", "with_mean", "without_mean")
#: Columns of sentences the handbook writes itself, which are longer than texts of the data may be.
SENTENCES = ("caution",)
#: Fewest hidden rows that are said in one line, where they are most of a table.
POOLED = 4
_CONTACT = re.compile(
    r"[^\s@<>]+@[^\s@<>]+\.[^\s@<>]+|(?<![\w.])\+?\(?\d{2,5}\)?[-\s]\d{1,4}[-\s]\d{3,4}(?![\w.])"
)
_LOW, _HIGH = "conf_low", "conf_high"


@dataclass(frozen=True)
class Style:
    """Language, currency, interval level and smallest cell; a class so that they travel together."""

    lang: str
    currency: str | None
    conf_level: float
    min_cell: int


@dataclass(frozen=True)
class Layout:
    """A frame with what is needed to write it; a class so that every cell gets the same settings."""

    frame: pd.DataFrame
    units: Units
    labels: Labels
    hidden: Sequence[bool]
    style: Style


def safe_text(value: object, lang: str, *, limit: int = TEXT_LIMIT) -> str:
    """Text from data, cleaned and cut, with mail addresses and telephone numbers replaced by a word.

    Examples
    --------
    >>> safe_text("ask yuki@example.com or 03-1234-5678 in 2026-10", "en")
    'ask [hidden] or [hidden] in 2026-10'
    """
    return _CONTACT.sub(text("display.contact_hidden", lang), clean_text(value, limit=limit))


def text_limit(column: str) -> int:
    """Return how long a text of a column may be, in characters."""
    return 1_000 if column in SENTENCES else TEXT_LIMIT


def column_units(frame: pd.DataFrame, units: Units) -> dict[str, str | Mapping[str, str]]:
    """Find each column's unit: the caller's, its own, the estimate's for an interval, or by dtype."""
    known: dict[str, str | Mapping[str, str]] = {**COLUMN_UNITS, **units}
    names = [str(name) for name in frame.columns if name != "std_error"]
    if _LOW in names[1:] and "estimate" not in names:  # the interval of the column before it
        known["estimate"] = known.get(names[names.index(_LOW) - 1]) or "number"
    return {
        str(name): known.get(str(name)) or _unit_by_kin(str(name), frame[name], known)
        for name in frame.columns
    }


def _unit_by_name(name: str) -> str | None:
    """Return the unit that a column's name ends in, as in `tie_share`, `recency_days`."""
    endings = {
        "_amount": "currency",
        "_share": "share",
        "_rate": "share",
        "_days": "days",
        "_hours": "hours",
        "_months": "months",
        "_points": "points",
    }
    found = [unit for ending, unit in endings.items() if name.endswith(ending)]
    return "count" if name.startswith("n_") else found[0] if found else None


def _unit_by_kin(name: str, column: pd.Series, known: Units) -> str | Mapping[str, str]:
    for ending in (_LOW, _HIGH, "std_error"):
        if name.endswith(ending):
            prefix = name.removesuffix(ending)
            own = prefix.rstrip("_")
            return known.get(f"{prefix}estimate") or known.get(own) or _unit_by_name(own) or "number"
    if (by_name := _unit_by_name(name)) and pd.api.types.is_numeric_dtype(column):
        return by_name
    if name in LIKE_ESTIMATE and "estimate" in known and pd.api.types.is_numeric_dtype(column):
        unit = known["estimate"]
        return "share" if unit == "pp" else unit
    if pd.api.types.is_datetime64_any_dtype(column):
        return "date"
    return "number" if pd.api.types.is_numeric_dtype(column) else "text"


def lay_out(layout: Layout) -> tuple[list[str], list[list[Cell]]]:
    """Headings and cells; both ends of an interval share a cell, standard errors stay in the record only.

    Rows of which nothing but the name may be shown are said in one line where they are most of a table.
    """
    shown = [str(name) for name in layout.frame.columns if not _is_merged(str(name), layout.frame)]
    heads = [_heading(name, layout) for name in shown]
    records: list[dict[str, Any]] = layout.frame.rename(columns=str).to_dict("records")  # type: ignore[assignment]
    rows = [
        [_cell(name, record, layout, is_hidden=bool(flag)) for name in shown]
        for record, flag in zip(records, layout.hidden, strict=True)
    ]
    small = [
        at for at in np.flatnonzero(layout.hidden) if all(map(is_missing, list(records[at].values())[1:]))
    ]
    if len(small) >= POOLED and 2 * len(small) > len(rows):
        pooled = text("display.pooled", layout.style.lang, rows=len(small), min_cell=layout.style.min_cell)
        rows[small[0]] = [Cell(pooled), *(Cell("") for _ in shown[1:])]
        rows = [row for at, row in enumerate(rows) if at not in small[1:]]
    return heads, rows


def _is_merged(name: str, frame: pd.DataFrame) -> bool:
    has_pair = name.endswith(_HIGH) and name.removesuffix(_HIGH) + _LOW in frame.columns
    return has_pair or name.endswith("std_error")


def _is_interval(name: str, frame: pd.DataFrame) -> bool:
    return name.endswith(_LOW) and name.removesuffix(_LOW) + _HIGH in frame.columns


def _heading(name: str, layout: Layout) -> str:
    style = layout.style
    label = layout.labels.get(name)
    if isinstance(label, str):
        return clean_text(label)
    if _is_interval(name, layout.frame) and not has_text(f"column.{name}"):
        return text("display.interval", style.lang, level=format_level(style.conf_level, style.lang))
    return text(f"column.{name}", style.lang) if has_text(f"column.{name}") else safe_text(name, style.lang)


def format_level(conf_level: float, lang: str) -> str:
    """Write a confidence level without needless decimals.

    Examples
    --------
    >>> format_level(0.95, "en"), format_level(0.995, "en")
    ('95%', '99.5%')
    """
    return format_value(conf_level, "set_share", lang)


def _cell(name: str, record: Mapping[str, Any], layout: Layout, *, is_hidden: bool) -> Cell:
    style, raw = layout.style, record[name]
    unit = layout.units[name]
    if not isinstance(unit, str):
        unit = unit.get(str(record.get("metric")), "number")
    if is_hidden and is_missing(raw) and unit != "text":
        return Cell(text("display.suppressed", style.lang, min_cell=style.min_cell), is_number=True)
    if is_missing(raw) and unit == "text" and name == str(layout.frame.columns[0]):  # the rows' name
        return Cell(text("display.not_recorded", style.lang))
    if _is_interval(name, layout.frame):
        high = record[name.removesuffix(_LOW) + _HIGH]
        return Cell(format_interval(raw, high, unit, style.lang, currency=style.currency), is_number=True)
    label = layout.labels.get(name)
    if isinstance(label, Mapping) and raw in label:
        word = clean_text(label[raw])
        return Cell(with_shape(raw, word) if name in ("verdict", "next_step") else word)
    return _value_cell(name, raw, unit, style)


def _value_cell(name: str, raw: Any, unit: str, style: Style) -> Cell:
    if name == "metric" and has_text(f"column.{raw}"):
        return Cell(text(f"column.{raw}", style.lang))
    if isinstance(raw, bool):
        return Cell(text("display.yes" if raw else "display.no", style.lang))
    if unit == "text" and not is_missing(raw):
        return Cell(safe_text(raw, style.lang, limit=text_limit(name)))
    words = format_value(raw, unit, style.lang, currency=style.currency)
    return Cell(words, is_number=unit not in ("text", "date"))


def to_record(value: Any) -> Any:
    """One value as JSON can hold it at full precision: missing and infinite as null, dates as ISO text."""
    if isinstance(value, list | tuple):
        return [to_record(item) for item in value]
    if is_missing(value):
        return None
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time(0) else value.isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, bool | int | float) else str(value)


def coverage(
    data_set: Company, *, tables: Sequence[str] | None, min_cell: int, period: tuple[Day, Day] = (None, None)
) -> list[dict[str, Any]]:
    """Rows, customers, first and last day of the tables that are there, within the period up to `as_of`.

    A table with fewer than `min_cell` customers shows neither rows nor customers nor days.
    """
    return coverage_and_close(data_set, tables=tables, min_cell=min_cell, period=period)[0]


def coverage_and_close(
    data_set: Company, *, tables: Sequence[str] | None, min_cell: int, period: tuple[Day, Day] = (None, None)
) -> tuple[list[dict[str, Any]], dict[str, dict[str, list[str]]]]:
    """Return the coverage, and by table the days that lie close to the first and the last one.

    A report that counted up to a day of `end`, or from a day of `start` on, would lose the rows of at least
    one customer and of fewer than `min_cell`; both ends of a span included. Nothing for tables without
    customers or times.
    """
    names = [name for name in data_set.tables if tables is None or name in tables]
    held = {name: (getattr(data_set, "ends", None) or data_set.table)(name, *period) for name in names}
    spans = {name: _close_spans(table, min_cell) for name, table in held.items()}
    covered = [{"table": name, **_table_coverage(table, min_cell)} for name, table in held.items()]
    return covered, {name: of_table for name, of_table in spans.items() if of_table}


def _table_coverage(table: pd.DataFrame, min_cell: int) -> dict[str, Any]:
    nothing = {"rows": None, "customers": None, "first": None, "last": None}
    customers = int(table["customer_id"].nunique()) if "customer_id" in table.columns else None
    if customers is not None and 0 < customers < min_cell:
        return nothing
    times = [name for name in table.columns if pd.api.types.is_datetime64_any_dtype(table[name])]
    ends = table[times[0]].dropna().agg(["min", "max"]) if times else pd.Series([None, None])
    first, last = (None if is_missing(end) else str(end)[:10] for end in ends)
    rows = table.attrs.get("rows", len(table))  # of a table in an engine only the ends are here
    return {"rows": rows, "customers": customers, "first": first, "last": last}


def _close_spans(table: pd.DataFrame, min_cell: int) -> dict[str, list[str]]:
    columns = [name for name in table.columns if pd.api.types.is_datetime64_any_dtype(table[name])]
    if not columns or "customer_id" not in table.columns:
        return {}
    time_col = columns[0]
    known = table[["customer_id", time_col]].dropna()
    times = known[time_col].dt.tz_localize(None) if known[time_col].dt.tz is not None else known[time_col]
    days = times.to_numpy("datetime64[s]").astype("datetime64[D]")
    found = {}
    for side, order in (("end", -1), ("start", 1)):
        nearest = _days_of_customers(days.astype("int64") * order, known["customer_id"], min_cell)
        if len(nearest) and nearest[0] != nearest[-1]:
            bounds = sorted([nearest[0] * order + order, nearest[-1] * order])
            found[side] = [str(np.datetime64(int(day), "D")) for day in bounds]
    return found


def _days_of_customers(days: np.ndarray, ids: pd.Series, n: int) -> np.ndarray:
    """Earliest day of each of the `n` customers who come first, ascending, without sorting all rows."""
    size = 50 * n
    while True:
        first = np.argpartition(days, size)[:size] if size < len(days) else np.arange(len(days))
        of = pd.Series(days[first]).groupby(ids.iloc[first].to_numpy(), observed=True).min()
        if len(of) >= n or size >= len(days):
            return np.sort(of.to_numpy())[:n]
        size *= 4
