"""Customers of a data set that has no table of them: whoever the other tables name."""

from __future__ import annotations

import pandas as pd

from cxlib.data.contract import TABLES
from cxlib.data.convert import missing_column
from cxlib.data.days import local_days
from cxlib.data.scope import Tables
from cxlib.data.tables.missing_table import no_table

#: Tables that name customers, each row with the time at which the customer was there.
NAMING = ("orders", "events", "responses", "deals", "tickets")


def unlisted_customers(data_set: Tables) -> pd.DataFrame:
    """Give the customers that tables name, first seen on the day of their first row; nothing else is known.

    Parameters
    ----------
    data_set
        Any of its tables may name customers (`NAMING`); rows without one are anonymous and name nobody.

    Returns
    -------
    DataFrame
        The contract's columns, in the order of the ids.

    Raises
    ------
    NotEnoughData
        None of these tables is there.
    """
    seen = [
        local_days(frame[TABLES[name].time], TABLES[name].time or "").groupby(frame["customer_id"]).min()
        for name, frame in ((name, data_set.ends(name)) for name in NAMING if data_set.has(name))
    ]
    if not seen:
        raise no_table("customers")
    first = pd.concat(seen).groupby(level=0).min()
    known = {"customer_id": first.index.to_series(index=range(len(first))), "first_seen_on": first.array}
    return pd.DataFrame(
        {
            column: known[column] if column in known else missing_column(rule.kind, len(first), "UTC")
            for column, rule in TABLES["customers"].columns.items()
        }
    )
