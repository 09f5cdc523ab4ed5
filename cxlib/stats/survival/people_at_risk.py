"""People under observation as arrays, checked, and their counts per duration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from cxlib.checks import InputError, check_columns


class Tally(NamedTuple):
    """Counts per distinct duration; everything below is computed from these four arrays."""

    times: np.ndarray
    at_risk: np.ndarray
    events: np.ndarray
    n: int


class PeopleAtRisk(NamedTuple):
    """How long each was observed, whether that ended in the event, when it began, and which rows stayed."""

    duration: np.ndarray
    event: np.ndarray
    entry: np.ndarray | None
    kept: np.ndarray | None = None


def people_of(
    data: pd.DataFrame,
    duration_col: str,
    event_col: str,
    entry_col: str | None,
    by: str | list[str] | None,
    *,
    keep: str | None = None,
) -> Iterator[tuple[dict[str, Any], PeopleAtRisk]]:
    """Arrays of each group, checked; one group without keys when `by` is None."""
    check_columns(data, duration_col=duration_col, event_col=event_col, entry_col=entry_col)
    for name in names_of(by):
        check_columns(data, by=name)
    used = [column for column in (duration_col, event_col, entry_col) if column is not None]
    if any(data[column].hasnans for column in used if data[column].dtype not in ("int64", "bool")):
        data = data.dropna(subset=used)
    if by is None:
        yield {}, _arrays(data, duration_col, event_col, entry_col, keep)
        return
    for key, rows in data.groupby(names_of(by), sort=True, dropna=False, observed=True):
        people = _arrays(rows, duration_col, event_col, entry_col, keep)
        yield dict(zip(names_of(by), key, strict=True)), people


def _arrays(
    data: pd.DataFrame, duration_col: str, event_col: str, entry_col: str | None, keep: str | None
) -> PeopleAtRisk:
    duration = _numbers(data, duration_col)
    if duration.size and duration.min() < 0:
        count = int((duration < 0).sum())
        raise InputError("journey.negative_duration", column=duration_col, count=count, rows=len(data))
    marks = _numbers(data, event_col)
    event = marks if marks.dtype == bool else marks == 1
    if marks.dtype != bool and (bad := ~event & (marks != 0)).any():
        raise InputError("journey.event_not_binary", column=event_col, count=int(bad.sum()), rows=len(data))
    entry = None if entry_col is None else _numbers(data, entry_col)
    if entry is not None and (bad := entry >= duration).any():
        raise InputError("journey.entry_after_end", column=entry_col, count=int(bad.sum()), rows=len(data))
    return PeopleAtRisk(duration, event, entry, None if keep is None else data[keep].to_numpy())


def _numbers(data: pd.DataFrame, column: str) -> np.ndarray:
    """Finite numbers of a column without missing values; whole numbers and true/false keep their type."""
    held = data[column]
    if held.dtype.kind in "biu" and isinstance(held.dtype, np.dtype):
        return held.to_numpy()
    if held.dtype.kind in "mM":
        numbers = np.full(len(held), np.nan)
    else:
        numbers = pd.to_numeric(held, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    if bad := int((~np.isfinite(numbers)).sum()):
        raise InputError("journey.not_numbers", column=column, count=bad, rows=len(data))
    return numbers


def tally_of(people: PeopleAtRisk) -> Tally:
    """Count at risk and events at each distinct duration; whole days are counted without sorting."""
    duration, event, entry, _ = people
    whole = duration.dtype.kind in "iu" or not np.mod(duration, 1).any()
    if duration.size and duration.max() < 1e6 and whole:
        days = duration.astype(np.intp, copy=False)
        leaving = np.bincount(days)
        times = np.flatnonzero(leaving)
        leaving, events = leaving[times], np.bincount(days[event], minlength=leaving.size)[times]
    else:
        times, place = np.unique(duration, return_inverse=True)
        leaving = np.bincount(place, minlength=times.size)
        events = np.bincount(place[event], minlength=times.size)
    entered = duration.size if entry is None else np.searchsorted(np.sort(entry), times, side="left")
    return Tally(times.astype(float), entered - np.cumsum(leaving) + leaving, events, duration.size)


def at_risk_at(people: PeopleAtRisk, grid: np.ndarray) -> np.ndarray:
    """Count who is under observation just before each time: entered strictly before it, not yet left."""
    left = np.searchsorted(np.sort(people.duration), grid, side="left")
    if people.entry is None:
        return people.duration.size - left
    return np.searchsorted(np.sort(people.entry), grid, side="left") - left


def watched_at(people: PeopleAtRisk, tally: Tally, grid: np.ndarray) -> np.ndarray:
    """`at_risk_at`, read off the counts where nobody came under observation late (sorting is slow)."""
    if people.entry is not None:
        return at_risk_at(people, grid)
    return np.append(tally.at_risk, 0)[np.searchsorted(tally.times, grid, side="left")]


def names_of(by: str | list[str] | None) -> list[str]:
    """Return group columns as a list."""
    return [] if by is None else [by] if isinstance(by, str) else list(by)
