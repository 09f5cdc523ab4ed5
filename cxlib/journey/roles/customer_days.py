"""Customers on given days: their state, the move by the next day, and the contacts before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError, check_columns, check_times
from cxlib.data.days import local_days, to_date

#: The handbook's attitude states from worst to best.
STATE_ORDER = ("lapsed", "interested", "wondering", "not_yet_convinced", "convinced")
#: Fewer customers than this on a side give no estimate.
MIN_TOUCHED = 5
#: Touched customers with that many times more contacts elsewhere are another kind of customer.
MOST_EXPOSURE = 1.5
#: What is known of a customer's next order, where `states` has it: lower ends of the classes.
HISTORY: Mapping[str, tuple[int, ...]] = {
    "known_days": (8, 15, 22, 31, 61, 121, 366),
    "frequency": (2, 3, 6),
    "recency_days": (8, 15, 22, 31, 46, 61, 91, 181, 365),
    "tenure_days": (31, 61, 121, 366),
}


def state_panel(
    events: pd.DataFrame,
    states: pd.DataFrame,
    state_order: Sequence[str],
    within_days: int,
    *,
    with_next: bool = True,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per customer and day with state and move by the next day; and its contacts per touchpoint."""
    for frame, names in (
        (events, ("customer_id", "touchpoint", "occurred_at")),
        (states, ("as_of", "state")),
    ):
        check_columns(frame, **{name: name for name in names})
    check_times(events, "occurred_at")
    check_times(states, "as_of")
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
    rows["stay"] = _days_seen_in_state(rows, days)
    rows["until"] = rows["as_of"].map(following).astype(rows["as_of"].dtype) if following else rows["as_of"]
    rows = rows[same].reset_index(drop=True) if with_next else rows
    return rows, _contacts(events, rows, days, within_days)


def history_strata(panel: pd.DataFrame) -> np.ndarray:
    """Code of customers alike: same state, type, and classes of `HISTORY`, or of days seen in the state.

    Whoever bought lately is contacted lately and moves by the calendar; without this, a delivery looks as if
    it kept customers from moving up.
    """
    code = panel["rank"].to_numpy(dtype=np.int64)
    if "customer_type" in panel:
        code = code * 16 + pd.factorize(panel["customer_type"])[0] + 1
    if "first_seen_on" in panel:
        panel = panel.assign(known_days=(panel["as_of"] - panel["first_seen_on"]).dt.days)
    known = [name for name in HISTORY if name in panel]
    for name in known:
        values = panel[name].to_numpy(dtype=float)
        place = np.searchsorted(HISTORY[name], values, side="right")
        code = code * 16 + np.where(np.isnan(values), 15, place)
    has_history = np.isfinite(panel[known].to_numpy(dtype=float)).all(axis=1) if known else False
    return code * 8 + np.where(has_history, 0, panel["stay"].to_numpy())


def exposure_ratio(others: np.ndarray, touched: np.ndarray, stratum: np.ndarray | None = None) -> float:
    """Contacts elsewhere of the touched ÷ of the others in the same strata; 1 where nobody has any."""
    if stratum is None:
        one, base = others[touched].mean(), others[~touched].mean()
    else:
        means = pd.Series(others[~touched]).groupby(stratum[~touched]).mean()
        expected = means.reindex(stratum[touched]).to_numpy()
        known = np.isfinite(expected)
        one, base = others[touched][known].mean(), expected[known].mean()
    if base > 0:
        return float(one / base)
    return np.inf if one > 0 else 1.0


def difference_within(
    outcome: np.ndarray, touched: np.ndarray, stratum: np.ndarray, who: np.ndarray
) -> tuple[float, float]:
    """Difference touched − not within strata by least squares, and its error clustered by customer.

    Residuals are scaled by their leverage (HC2): strata are many and small, and their means fit the noise.
    The error is never below that without a difference: a few touched of whom nobody moved show no spread.
    Where all, or nobody, moved it is that of shares.
    """
    frame = pd.DataFrame({"y": outcome.astype(float), "x": touched.astype(float)})
    held = frame.groupby(stratum)
    y, x = (frame - held.transform("mean")).to_numpy().T
    squares = (x**2).sum()
    if not squares > 1e-9:
        return np.nan, np.nan
    estimate = (x * y).sum() / squares
    leverage = 1 / held["x"].transform("size").to_numpy() + x**2 / squares
    residual = np.where(x == 0, 0, y - estimate * x) / np.sqrt(np.maximum(1 - leverage, 1e-9))
    summed = np.bincount(np.unique(who, return_inverse=True)[1], x * residual) / squares
    clustered = np.sqrt((summed**2).sum() * summed.size / max(summed.size - 1, 1))
    parts = pd.DataFrame({"x": x**2, "y": y**2}).groupby(stratum).agg(["sum", "size"])
    spread: pd.Series = parts["y", "sum"] / np.maximum(parts["y", "size"] - 1, 1)
    same = np.sqrt((spread * parts["x", "sum"]).sum()) / squares
    mixed = held["x"].transform("nunique").to_numpy() > 1
    nobody_differs = 0.0 if same > 0 else error_of_shares(outcome[mixed], touched[mixed])
    return estimate, float(max(clustered, same, nobody_differs))


def error_of_shares(up: np.ndarray, touched: np.ndarray) -> float:
    """Error of a difference of shares after Agresti and Caffo, which is not 0 where all or nobody moved."""
    n = np.array([touched.sum(), (~touched).sum()], dtype=float)
    share = (np.array([up[touched].sum(), up[~touched].sum()]) + 1) / (n + 2)
    return float(np.sqrt((share * (1 - share) / (n + 2)).sum()))


def _days_seen_in_state(rows: pd.DataFrame, days: np.ndarray) -> np.ndarray:
    """Days in a row the customer has been seen in the state (1, 2, 3 or more); 4: since the first day."""
    new = rows["who"].ne(rows["who"].shift()) | rows["rank"].ne(rows["rank"].shift())
    spell = new.cumsum()
    from_start = rows["as_of"].groupby(spell).transform("min") == days.min() if len(days) else new
    return np.where(from_start, 4, rows.groupby(spell).cumcount().to_numpy().clip(max=2) + 1)


def _contacts(events: pd.DataFrame, rows: pd.DataFrame, days: np.ndarray, within_days: int) -> pd.DataFrame:
    """Count contacts in the window up to each row's day, one column per touchpoint."""
    known = events[["customer_id", "touchpoint", "occurred_at"]].dropna()
    when = local_days(known["occurred_at"], "occurred_at").to_numpy().astype("datetime64[D]")
    touchpoint, names = pd.factorize(known["touchpoint"], sort=True)
    held = rows[["customer_id"]].drop_duplicates().assign(row_who=rows["who"].drop_duplicates())
    who = known["customer_id"].map(held.set_index("customer_id")["row_who"]).to_numpy(dtype=float)
    counts = np.zeros((len(rows), len(names)), dtype=np.int32)
    place = {day: number for number, day in enumerate(days)}
    row_of = np.full((int(rows["who"].max()) + 1 if len(rows) else 0, len(days)), -1)
    row_of[rows["who"], rows["as_of"].map(place)] = np.arange(len(rows))
    for number, day in enumerate(days.astype("datetime64[D]")):
        inside = (when <= day) & (when > day - within_days) & np.isfinite(who)
        row = row_of[who[inside].astype(int), number]
        np.add.at(counts, (row[row >= 0], touchpoint[inside][row >= 0]), 1)
    return pd.DataFrame(counts, columns=list(names))


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
        first = pd.Timestamp(to_date(since)) + pd.Timedelta(days=every_days - 1)
        days = [day for day in days if day >= first]
    return days[::-1]
