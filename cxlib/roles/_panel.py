"""Customers on given days: their state, the move by the next day, and the contacts before it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError, check_columns
from cxlib.engine import to_date

#: The handbook's attitude states from worst to best.
STATE_ORDER = ("lapsed", "interested", "wondering", "not_yet_convinced", "convinced")
#: Fewer customers than this on a side give no estimate.
MIN_TOUCHED = 5


def state_panel(
    events: pd.DataFrame,
    states: pd.DataFrame,
    state_order: Sequence[str],
    window_days: int,
    *,
    with_next: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per customer and day with state and move by the next day; and its contacts per touchpoint."""
    for frame, names in (
        (events, ("customer_id", "touchpoint", "occurred_at")),
        (states, ("as_of", "state")),
    ):
        check_columns(frame, **{name: name for name in names})
    rank = pd.Index(state_order).get_indexer(pd.Index(states["state"]))
    if (rank < 0).any():
        strange = str(states["state"][rank < 0].iloc[0])
        known = ", ".join(state_order)
        raise ParameterError("journey.unknown_state", argument="state_order", value=strange, known=known)
    rows = states.assign(rank=rank).sort_values(["customer_id", "as_of"], kind="stable", ignore_index=True)
    rows["who"] = pd.factorize(rows["customer_id"])[0]
    days = np.sort(rows["as_of"].unique())
    following = dict(pairwise(days))
    same = rows["who"].eq(rows["who"].shift(-1)) & rows["as_of"].map(following).eq(rows["as_of"].shift(-1))
    top = rows["rank"] == len(state_order) - 1
    rows["up"] = (rows["rank"].shift(-1) > rows["rank"]) | (top & (rows["rank"].shift(-1) == rows["rank"]))
    rows["until"] = rows["as_of"].map(following).astype(rows["as_of"].dtype) if following else rows["as_of"]
    rows = rows[same].reset_index(drop=True) if with_next else rows
    return rows, _contacts(events, rows, days, window_days)


def _contacts(events: pd.DataFrame, rows: pd.DataFrame, days: np.ndarray, window_days: int) -> pd.DataFrame:
    """Count contacts in the window up to each row's day, one column per touchpoint."""
    known = events[["customer_id", "touchpoint", "occurred_at"]].dropna()
    when = local_day(known["occurred_at"])
    touchpoint, names = pd.factorize(known["touchpoint"], sort=True)
    held = rows[["customer_id"]].drop_duplicates().assign(row_who=rows["who"].drop_duplicates())
    who = known["customer_id"].map(held.set_index("customer_id")["row_who"]).to_numpy(dtype=float)
    counts = np.zeros((len(rows), len(names)), dtype=np.int32)
    place = {day: number for number, day in enumerate(days)}
    row_of = np.full((int(rows["who"].max()) + 1 if len(rows) else 0, len(days)), -1)
    row_of[rows["who"], rows["as_of"].map(place)] = np.arange(len(rows))
    for number, day in enumerate(days.astype("datetime64[D]")):
        inside = (when <= day) & (when > day - window_days) & np.isfinite(who)
        row = row_of[who[inside].astype(int), number]
        np.add.at(counts, (row[row >= 0], touchpoint[inside][row >= 0]), 1)
    return pd.DataFrame(counts, columns=list(names))


def local_day(times: pd.Series) -> np.ndarray:
    """Local calendar day of timestamps, naive or aware."""
    naive = times.dt.tz_localize(None) if isinstance(times.dtype, pd.DatetimeTZDtype) else times
    return naive.to_numpy().astype("datetime64[D]")


def state_days(
    last_day: Any, *, since: Any = None, every_days: int = 30, most: int = 13
) -> list[pd.Timestamp]:
    """Days on which to tell states: every so many days back from `last_day`, ascending.

    Parameters
    ----------
    last_day
        The latest day.
    since
        First contact known; a day counts only if all contacts of the `every_days` before it are known.
        None keeps every day.
    every_days, most
        Distance of the days, and how many at most.

    Examples
    --------
    >>> [str(day.date()) for day in state_days("2026-03-31", since="2026-01-15")]
    ['2026-03-01', '2026-03-31']
    """
    last = pd.Timestamp(to_date(last_day))
    days = [last - pd.Timedelta(days=every_days * step) for step in range(most)]
    if since is not None and not pd.isna(since):
        first = pd.Timestamp(since).tz_localize(None).normalize() + pd.Timedelta(days=every_days - 1)
        days = [day for day in days if day >= first]
    return days[::-1]
