"""Tables and columns as they are, broken ones too: how full, how new, and who looks at them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pandas as pd

from cxlib.data.contract import TABLES
from cxlib.data.days import local_days
from cxlib.data.header_names import shown_names
from cxlib.data.tables.as_they_are import rows_as_read, usable_tables
from cxlib.data.tables.coverage import carried, is_read
from cxlib.data.tables.data_set import DataSet
from cxlib.language import text
from cxlib.stats.intervals import share_interval

_PROFILE = ["table", "column", "status", "fill_share", "distinct", "newest_on", "is_read"]
_JOINS = [
    "table",
    "column",
    "n_rows",
    "named_share",
    "customers",
    "metric",
    "estimate",
    "conf_low",
    "conf_high",
    "reach_share",
]


def broken_tables(data_set: DataSet, *, lang: str) -> pd.DataFrame:
    """List the errors of the tables, each as the sentence `cx check` says: `table, caution`.

    Parameters
    ----------
    data_set
        The opened data set; every table is read.
    lang
        Language of the sentences.
    """
    found = [
        {"table": name, "caution": problem.text(lang)}
        for name in data_set.tables
        for problem in data_set.load(name)
        if problem.level == "error"
    ]
    return pd.DataFrame(found, columns=["table", "caution"])


def broken_told(broken: pd.DataFrame) -> dict[str, Any]:
    """Name the broken tables in one row, or say by `note` that there are none.

    Examples
    --------
    >>> broken_told(pd.DataFrame({"table": ["orders", "orders"]}))
    {'names': ['orders'], 'errors': 2, 'verdict': 'repair', 'note': ''}
    """
    names = broken["table"].unique().tolist()
    note = "" if names else "none"
    return {"names": names, "errors": len(broken), "verdict": "repair", "note": note}


def column_profile(data_set: DataSet, *, min_cell: int = 10) -> pd.DataFrame:
    """Describe every column that holds a value: how full, how many values, how new, whether anybody reads it.

    Parameters
    ----------
    data_set
        The opened data set; tables with errors are described as far as they could be read.
    min_cell
        A column in which fewer customers have a value is named without figures.

    Returns
    -------
    DataFrame
        `table, column` (`orders.amount`; one beyond the contract, whose name may hold a value, by its
        place among these), `status` ("required", "known", "extra": beyond the contract), `fill_share` (of
        the rows), `distinct` (values), `newest_on` (last day in it), `is_read` (by any chapter).

    Examples
    --------
    >>> from cxlib.data.tables.data_set import open_data
    >>> spend = {"month": ["2026-01", "2026-02"], "acquisition_channel": ["ad", "ad"], "amount": [1.0, 2.0]}
    >>> about = {"name": "Shop", "currency": "JPY", "timezone": "Asia/Tokyo", "extracted_at": "2026-10-01"}
    >>> shop = open_data({"spend": pd.DataFrame({**spend, "agency": [None, "x"]})}, **about)
    >>> column_profile(shop)[["column", "status", "fill_share", "is_read"]].to_numpy().tolist()[2:]
    [['spend.amount', 'required', 1.0, True], ['spend.agency', 'extra', 0.5, False]]
    """
    tables = {name: rows_as_read(data_set, name) for name in data_set.tables}
    rows = [
        row for name, held in tables.items() if held is not None for row in _columns(name, held, min_cell)
    ]
    return pd.DataFrame(rows, columns=_PROFILE).astype({"is_read": bool})


def _columns(table: str, held: pd.DataFrame, min_cell: int) -> Iterator[dict[str, Any]]:
    """Describe the columns of one table that hold a value or have to."""
    spec = TABLES[table]
    names = [str(name) for name in held]
    shown = shown_names([name for name in names if spec.column(name) is None], ())
    for name in names:
        rule, values = spec.column(name), held[name].dropna()
        status = "extra" if rule is None else "required" if rule.required else "known"
        if values.empty and status != "required":
            continue
        named = {"table": table, "column": f"{table}.{shown.get(name, name)}"}
        row = {**named, "status": status, "is_read": is_read(table, name)}
        who = held["customer_id"].loc[values.index].nunique() if "customer_id" in held else min_cell
        if 0 < who < min_cell:
            yield row
            continue
        is_time = values.dtype.kind == "M" and len(values)
        newest = {"newest_on": local_days(values, name).max()} if is_time else {}
        fill = len(values) / len(held) if len(held) else 0.0
        yield {**row, "fill_share": fill, "distinct": values.nunique(), **newest}


def unread_columns(profile: pd.DataFrame) -> pd.DataFrame:
    """Name in one row what is filled and no chapter looks at, whole tables by their own name; none, no row.

    Examples
    --------
    >>> profile = pd.DataFrame({"table": ["a", "a", "b"], "column": ["a.x", "a.y", "b.z"]})
    >>> unread_columns(profile.assign(is_read=[True, False, False]))["names"].item()
    ['a.y', 'b']
    """
    is_whole = ~profile["is_read"].groupby(profile["table"]).transform("any")
    names = profile["table"].where(is_whole, profile["column"])[~profile["is_read"]]
    return pd.DataFrame([{"names": names.unique().tolist()}] if len(names) else [])


def joined_customers(data_set: DataSet, *, min_cell: int = 10, conf_level: float = 0.95) -> pd.DataFrame:
    """Follow the customers from table to table: how many rows name and find one, and how many are left.

    Parameters
    ----------
    data_set
        The opened data set; tables with errors and tables without `customer_id` are passed over.
    min_cell, conf_level
        Smallest number of customers that is told, or by which two told numbers differ; level of the interval.

    Returns
    -------
    DataFrame
        A row per table: `table, column, n_rows, named_share` (of the rows, those that name a
        customer, not guests'), `customers` (who are in it and in the customers table), `metric` ("joined"),
        `estimate, conf_low, conf_high` (share of the rows with a name that find it in the customers table),
        `reach_share` (of all customers), `kept` (customers who are in this table and all before it).
        No rows without a customers table.
    """
    usable = usable_tables(data_set)
    frames = {name: usable.table(name) for name in usable.tables}
    if "enrolments" in frames and "initiatives" in frames:
        frames["enrolments"] = _of_begun(frames["enrolments"], frames["initiatives"], data_set.as_of)
    frames = {name: held for name, held in frames.items() if "customer_id" in held and len(held)}
    if "customers" not in frames:
        return pd.DataFrame(columns=[*_JOINS, "kept"])
    everybody = frames["customers"]["customer_id"]
    rows, kept = [], pd.Index(everybody)
    for name, held in frames.items():
        is_known = held["customer_id"].isin(everybody)
        there = pd.Index(held.loc[is_known, "customer_id"].unique())
        kept = kept.intersection(there)
        named = int(held["customer_id"].notna().sum())
        part = share_interval(int(is_known.sum()), named, conf_level=conf_level)
        row = [name, f"{name}.customer_id", len(held), named / len(held), len(there), "joined"]
        row += [part.estimate, part.conf_low, part.conf_high]
        rows.append([*row, len(there) / len(everybody), len(kept)])
    found = pd.DataFrame(rows, columns=[*_JOINS, "kept"])
    is_close = (-found["kept"].diff()).between(1, min_cell - 1) | (found["kept"] < min_cell)
    return found.assign(kept=found["kept"].astype("float64").mask(is_close))


def _of_begun(enrolments: pd.DataFrame, initiatives: pd.DataFrame, day: dt.date) -> pd.DataFrame:
    """Enrolments in initiatives begun by a day: those of later ones may name customers yet to come."""
    begun = initiatives.loc[initiatives["started_on"] <= pd.Timestamp(day), "initiative_id"]
    return enrolments[enrolments["initiative_id"].isin(begun)]


def lowest_join(joined: pd.DataFrame) -> pd.DataFrame:
    """Return the table fewest of whose rows find, or name, their customer; no row without tables to join.

    Examples
    --------
    >>> joined = pd.DataFrame({"table": ["customers", "orders"], "estimate": 1.0, "named_share": [1.0, 0.9]})
    >>> lowest_join(joined)["table"].tolist(), len(lowest_join(joined.head(1)))
    (['orders'], 0)
    """
    others = joined[joined["table"] != "customers"]
    return others.sort_values(["estimate", "named_share"], kind="stable").head(1)


def one_more(sections: pd.DataFrame, *, lang: str) -> pd.DataFrame:
    """Tell for each table or column that is lacking what it alone would add (`sections` of the coverage).

    Returns
    -------
    DataFrame
        `adds` (such as `orders.margin`), `n_sections` it would bring, and `brought`, which they are in words;
        those that bring most first.

    Examples
    --------
    >>> rows = pd.DataFrame({"chapter": "journey", "section": ["f2", "deals"], "lacks": ["", "deals"],
    ...                      "is_broken": False, "is_vital": False, "is_content": True})
    >>> one_more(rows, lang="en").to_numpy().tolist()
    [['deals', 1, 'Journey: deals']]
    """
    before, found = carried(sections), []
    for adds in sections.loc[~sections["is_broken"], "lacks"].unique():
        since = carried(sections.assign(lacks=sections["lacks"].replace(adds, ""))) & ~before
        if adds and since.any():
            brought = sections[since].groupby("chapter", sort=False)["section"].agg(list)
            said = [_in_words(chapter, names, lang) for chapter, names in brought.items()]
            words = text("inventory.brought_join", lang).join(said)
            found.append({"adds": adds, "n_sections": int(since.sum()), "brought": words})
    told = pd.DataFrame(found, columns=["adds", "n_sections", "brought"])
    return told.sort_values("n_sections", ascending=False, kind="stable", ignore_index=True)


def _in_words(chapter: object, names: list[str], lang: str) -> str:
    """Say which sections of a chapter are meant."""
    listed = text("inventory.join", lang).join(text(f"value.section.{name}", lang) for name in names)
    return text("inventory.brought", lang, chapter=text(f"tables.chapter.{chapter}", lang), section=listed)


def chapters_ready(sections: pd.DataFrame) -> pd.DataFrame:
    """Count the sections that come out of all there are, and name the chapters of which nothing does.

    Examples
    --------
    >>> rows = pd.DataFrame({"chapter": ["a", "a", "b"], "status": ["ready", "lacking", "lacking"]})
    >>> chapters_ready(rows).to_dict("list")
    {'n_sections': [3], 'n_ready': [1], 'chapter': [['b']], 'claim': ['none_of']}
    """
    is_ready = sections["status"] == "ready"
    comes_out = is_ready.groupby(sections["chapter"], sort=False).any()
    none = comes_out.index[~comes_out].tolist()
    row = {"n_sections": len(sections), "n_ready": int(is_ready.sum()), "chapter": none}
    return pd.DataFrame([{**row, "claim": "none_of" if none else ""}])
