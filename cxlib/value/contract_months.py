"""How long contracts have run, in whole renewals, and how many outlived each of them."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from cxlib.checks import InputError, check_columns
from cxlib.data.days import local_days, to_date


def contract_tenure(contracts: pd.DataFrame, *, as_of: dt.date | str) -> pd.DataFrame:
    """Tell of each contract how many monthly renewals it reached, and whether it ended at the last of them.

    Parameters
    ----------
    contracts
        One row per contract: `started_on`, and `ended_on` (first day without it; missing: running). Those
        that began after `as_of` are left out; two of one customer at once count as two.
    as_of
        Last day of observation; what ended later is running.

    Returns
    -------
    DataFrame
        The contracts with `duration_months` (whole renewals reached; of an ended one the renewal at which it
        ended, a begun month counts) and `is_ended`.

    Raises
    ------
    ParameterError
        Unknown column.
    InputError
        A contract without a start, or one that ended before it began.

    Examples
    --------
    >>> held = pd.DataFrame({"started_on": pd.to_datetime(["2026-01-31", "2026-02-10"]),
    ...     "ended_on": pd.to_datetime(["2026-02-28", None])})
    >>> contract_tenure(held, as_of="2026-05-09")[["duration_months", "is_ended"]].values.tolist()
    [[1, True], [2, False]]
    """
    check_columns(contracts, started_on="started_on", ended_on="ended_on")
    start = local_days(contracts["started_on"], "started_on")
    end = local_days(contracts["ended_on"], "ended_on")
    last = pd.Timestamp(to_date(as_of))
    for bad, key in (
        (start.isna(), "customer_value.contract_without_start"),
        (end < start, "customer_value.contract_reversed"),
    ):
        if bad.any():
            rows = ", ".join(f"{place + 1:,}" for place in np.flatnonzero(bad)[:3])
            raise InputError(key, count=f"{int(bad.sum()):,}", rows=f"{len(contracts):,}", first=rows)
    kept = start <= last
    is_ended = (end <= last)[kept]
    until = end.where(end <= last, last)[kept]
    begun = start[kept]
    months = (until.dt.year - begun.dt.year) * 12 + until.dt.month - begun.dt.month
    month_end = (until + pd.Timedelta(days=1)).dt.day == 1
    over = until.dt.day - begun.dt.day
    whole = months - ((over < 0) & ~month_end)
    begun_month = (over != 0) & ~((over < 0) & month_end)
    reached = np.where(is_ended, whole + begun_month, whole).astype(int)
    return contracts[kept].assign(duration_months=np.maximum(reached, is_ended), is_ended=is_ended)


def contract_survivors(contracts: pd.DataFrame, *, as_of: dt.date | str) -> pd.DataFrame:
    """Count for each renewal how many contracts came up for it, and how many went on, as `sbg` takes them.

    Parameters
    ----------
    contracts, as_of
        As in `contract_tenure`. A contract counts at each renewal that it is known to have reached.

    Returns
    -------
    DataFrame
        `period` (1, 2, …)`, n_at_risk, n`.

    Examples
    --------
    >>> held = pd.DataFrame({"started_on": pd.to_datetime(["2026-01-10"] * 3),
    ...     "ended_on": pd.to_datetime(["2026-02-10", None, None])})
    >>> contract_survivors(held, as_of="2026-03-20").values.tolist()
    [[1, 3, 2], [2, 2, 2]]
    """
    tenure = contract_tenure(contracts, as_of=as_of)
    reached, ended = tenure["duration_months"].to_numpy(int), tenure["is_ended"].to_numpy(bool)
    size = int(reached.max(initial=0)) + 1
    at_risk = np.cumsum(np.bincount(reached, minlength=size)[::-1])[::-1]
    gone = np.bincount(reached[ended], minlength=size)
    period = np.arange(1, size)
    return pd.DataFrame({"period": period, "n_at_risk": at_risk[1:], "n": (at_risk - gone)[1:]})
