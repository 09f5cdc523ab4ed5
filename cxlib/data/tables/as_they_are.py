"""Tables whatever their checks found, for an inventory that no error may end."""

from __future__ import annotations

from copy import copy

import pandas as pd

from cxlib.data.tables.data_set import DataSet


def usable_tables(data_set: DataSet) -> DataSet:
    """Return the same data set without the tables that hold errors.

    Examples
    --------
    >>> from cxlib.data.tables.data_set import open_data
    >>> lines = pd.DataFrame({"order_id": ["1"], "line": ["first"]})
    >>> about = {"name": "Shop", "currency": "JPY", "timezone": "Asia/Tokyo", "extracted_at": "2026-10-01"}
    >>> usable_tables(open_data({"orders": lines}, **about)).tables
    []
    """
    broken = {
        name for name in data_set.tables if any(problem.level == "error" for problem in data_set.load(name))
    }
    made = copy(data_set)
    made._sources = {name: source for name, source in data_set._sources.items() if name not in broken}
    made._problems = {name: held for name, held in data_set._problems.items() if name not in broken}
    return made


def rows_as_read(data_set: DataSet, name: str) -> pd.DataFrame | None:
    """Give a table's rows with the errors in them, for looking at; None where it can't be read at all."""
    data_set.load(name)
    if name not in data_set._frames:  # let go of, or never read
        data_set._problems[name] = data_set._read(name)
    return data_set._frames.get(name)
