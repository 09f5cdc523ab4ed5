"""What a cycle reads from its data beforehand: its last day, and all values of a parameter or attribute."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from cxlib.checks import NotEnoughData, ParameterError, nearest
from cxlib.customers.rfm_segments import segment_names
from cxlib.data.attributes import parse_where
from cxlib.data.rules.rule_files import load_rules
from cxlib.data.tables.data_set import DataSet
from cxlib.data.text_type import TEXT

#: Parameters whose values all stand in the data or the rules.
KNOWN = ("initiative", "segment")


class Values(NamedTuple):
    """Values to make one report each of, and how many were left out as too few customers have them."""

    values: list[str]
    left_out: int = 0


def last_day(data_set: DataSet, named: str) -> date | None:
    """Last day of a cycle: the end of the last whole month or quarter (of the fiscal year) in the data.

    Parameters
    ----------
    data_set
        The data as they were taken out.
    named
        "month_end", "quarter_end", "extraction" (None: the data's own last day), or a day as ISO text.
    """
    if named == "extraction":
        return None
    if named not in ("month_end", "quarter_end"):
        return date.fromisoformat(named)
    months = 1 if named == "month_end" else 3
    return end_before(data_set.as_of, months=months, year_start=data_set.settings.fiscal_year_start)


def end_before(day: date, *, months: int, year_start: int = 1) -> date:
    """Last day of the last whole month (`months=1`) or quarter (3) that has ended by a day.

    Parameters
    ----------
    day
        Last day there is.
    months
        Length of the span.
    year_start
        First month of the fiscal year, from which quarters are counted.

    Examples
    --------
    >>> str(end_before(date(2026, 9, 30), months=1)), str(end_before(date(2026, 9, 29), months=3))
    ('2026-09-30', '2026-06-30')
    >>> str(end_before(date(2026, 1, 15), months=3, year_start=3))
    '2025-11-30'
    """
    following = day + timedelta(days=1)
    begun = (following.month - year_start) % months  # months of the span that lie before this one
    year, month = divmod(following.year * 12 + following.month - 1 - begun, 12)
    return date(year, month + 1, 1) - timedelta(days=1)


def all_values(data_set: DataSet, name: str, *, min_cell: int) -> Values:
    """All values of a parameter or of an attribute of the customers.

    Parameters
    ----------
    data_set
        The data, up to the day of the reports.
    name
        "initiative", "segment", or a column of the customers.
    min_cell
        Fewest customers of an attribute's value; values of fewer are counted, never named.

    Raises
    ------
    ParameterError
        No such attribute; names the nearest.
    NotEnoughData
        The table is not there.
    """
    if name == "initiative":
        ids = data_set.table("initiatives")["initiative_id"].dropna().astype(str)
        return Values(list(dict.fromkeys(ids)))
    if name == "segment":
        return Values(list(segment_names(load_rules("rfm_segments", data_set))))
    people = data_set.table("customers")
    options = [str(column) for column in people.columns if column != "customer_id"]
    if name not in options:
        near = nearest(name, [*KNOWN, *options]) or ", ".join(options[:12]) or "–"
        raise ParameterError("runner.each_unknown", name=repr(name)[:60], nearest=near)
    words = people[name].dropna().astype(TEXT).str.replace(r"\.0$", "", regex=True)
    alike = words.groupby(words.str.casefold())
    found = [(str(held.mode().iloc[0]), len(held)) for _, held in alike]
    kept = sorted(value for value, n in found if n >= min_cell)
    if not kept:
        raise NotEnoughData("runner.each_nobody", name=name, min_cell=min_cell)
    return Values(kept, len(found) - len(kept))


def narrowed(where: str | None, pairs: Iterable[tuple[str, str]]) -> str | None:
    """Text of a filter with further attributes.

    Raises
    ------
    ParameterError
        A value that such a text can't hold, or an attribute that is filtered already.
    """
    asked = dict(pairs)
    known = parse_where(where)
    parts = [f"{name}={value}" for name, value in {**known, **asked}.items()]
    text = ", ".join(parts) or None
    if known.keys() & asked or parse_where(text) != {**known, **asked}:
        raise ParameterError("runner.each_twice", names=", ".join(asked))
    return text
