"""The effects of a staggered roll-out, ATT(g, t), read off the means of each group and period."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.checks import ParameterError
from cxlib.stats.arrays import Array
from cxlib.stats.least_squares import least_squares

Whole = npt.NDArray[np.intp]


def wide(
    panel: pd.DataFrame, names: list[str], unit_col: str, time_col: str, start_col: str
) -> tuple[Array, Array, list[Array]]:
    """Periods, start of each unit, and one units × periods array per name; complete units only.

    Units are in the order of their ids, so that the order of rows changes nothing, not even by rounding.
    """
    unit, _ = pd.factorize(panel[unit_col], sort=True)
    place, times = pd.factorize(panel[time_col], sort=True)
    shape = (int(unit.max(initial=-1)) + 1, len(times))
    if shape[0] and np.bincount(unit * shape[1] + place, minlength=1).max() > 1:
        raise ParameterError("impact.repeated_period", argument=time_col)
    blocks = []
    for name in names:
        block = np.full(shape, np.nan)
        block[unit, place] = panel[name].to_numpy(float, na_value=np.nan)
        blocks.append(block)
    start = _one_start(panel[start_col].to_numpy(float, na_value=np.nan), unit, shape[0], start_col)
    whole = np.isfinite(blocks[0]).all(axis=1) if shape[0] else np.zeros(0, dtype=bool)
    _check_never(start[whole], times, start_col)
    return np.asarray(times, dtype=float), start[whole], [block[whole] for block in blocks]


def _one_start(given: Array, unit: Whole, units: int, start_col: str) -> Array:
    """Start of each unit, infinite for never; refuse one that differs between a unit's own periods."""
    given = np.where(np.isnan(given), np.inf, given)
    start = np.full(units, np.inf)
    start[unit] = given
    differing = len(np.unique(unit[given != start[unit]]))
    if differing:
        raise ParameterError("impact.start_differs", argument=start_col, count=f"{differing:,}")
    return start


#: Numbers that other programs write for "never treated"; R's `did` has 0.
_NEVER = (0, -1, -9, -99, -999)


def _check_never(start: Array, times: pd.Index, start_col: str) -> None:
    """Refuse a number for "never treated": here it would mean treated from the outset."""
    if not len(times) or not np.isfinite(start).all():
        return
    for value in _NEVER:
        count = int((start == value).sum())
        if count and value < float(times[0]):
            raise ParameterError("impact.never_is_zero", argument=start_col, count=f"{count:,}", value=value)


class GroupTimeCells(NamedTuple):
    """K effects, each by its group, period, period compared with and first group of its controls.

    `starts` are those of the G groups. A class because the parts are meaningless apart.
    """

    starts: Array
    group: Whole
    place: Whole
    previous: Whole
    before: Whole
    controls: Whole

    def members(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Which groups (rows) are the treated and which the controls of each effect (columns)."""
        index = np.arange(len(self.starts))[:, None]
        own = index == self.group
        return own, (index >= self.controls) & ~own


def plan_cells(times: Array, starts: Array, *, control: str, base: str) -> GroupTimeCells:
    """List the effects that have controls: by group, then period."""
    first, rows = 1 if base == "previous" else 0, []
    for group in np.flatnonzero(np.isfinite(starts)):
        before = int(np.searchsorted(times, starts[group])) - 1
        for place in range(first, len(times)):
            previous = before if place > before or base == "mean" else place - 1
            clean = times[max(place, previous)] if control == "not_yet" else starts[np.isfinite(starts)].max()
            others = int(np.searchsorted(starts, clean, side="right"))
            if len(starts) - others - (group >= others) > 0:
                rows.append((group, place, previous, before, others))
    return GroupTimeCells(starts, *np.array(rows, dtype=np.intp).reshape(-1, 5).T)


class Contrasts(NamedTuple):
    """Effects as weighted means of groups and periods.

    A unit's influence on effect k is `weight[group, k]` · (its outcomes, less its group's means, times
    `change[:, k]`, + `gap[group, k]`). A class because estimate and influence come from the same weights.
    """

    estimate: Array  # K
    change: Array  # T × K: the period less what it is compared with
    weight: Array  # G × K: 1/n for the treated, −1/n for controls
    gap: Array  # G × K: a control group's mean change less that of all controls


def plain_contrasts(cells: GroupTimeCells, means: Array, sizes: Whole, *, base: str) -> Contrasts:
    """Treated minus control change without covariates, from the means of each group and period (G × T)."""
    count, width = len(cells.group), means.shape[1]
    periods, each = np.arange(width)[:, None], np.arange(count)
    if base == "mean":
        change = (periods <= cells.before) / -(cells.before + 1.0)
    else:
        change = -(periods == cells.previous).astype(float)
    change[cells.place, each] += 1.0
    own, rest = cells.members()
    moved = means @ change
    n_own, n_rest = own.T @ sizes, rest.T @ sizes
    compared = (rest * sizes[:, None] * moved).sum(axis=0) / n_rest
    gap = np.where(rest, moved - compared, 0.0)
    return Contrasts(moved[cells.group, each] - compared, change, own / n_own - rest / n_rest, gap)


def adjusted_contrasts_by_cell(
    cells: GroupTimeCells, blocks: list[Array], begins: Whole, sizes: Whole, *, base: str
) -> tuple[Array, Array]:
    """Effects with the controls' change predicted from covariates, and every unit's influence on them."""
    outcome = blocks[0]
    estimate = np.zeros(len(cells.group))
    influence: Array = np.zeros((len(outcome), len(cells.group)), order="F")
    unit_group = np.repeat(np.arange(len(sizes)), sizes)
    rows = zip(cells.group, cells.place, cells.previous, cells.before, cells.controls, strict=True)
    for k, (group, place, previous, before, others) in enumerate(rows):
        own = np.arange(begins[group], begins[group] + sizes[group])
        rest = np.flatnonzero((unit_group >= others) & (unit_group != group))
        reference = outcome[:, : before + 1].mean(axis=1) if base == "mean" else outcome[:, previous]
        change = outcome[:, place] - reference
        known = [block[:, previous] for block in blocks[1:]]
        estimate[k], influence[own, k], influence[rest, k] = _regressed(
            change[own], change[rest], [x[own] for x in known], [x[rest] for x in known]
        )
    return estimate, influence


def _regressed(
    treated: Array, compared: Array, known_treated: Sequence[Array], known_compared: Sequence[Array]
) -> tuple[float, Array, Array]:
    """Treated minus predicted control change, and the influences of both (Sant'Anna & Zhao 2020) over n."""
    n1, n0 = len(treated), len(compared)
    wanted = np.column_stack([np.ones(n1), *known_treated])
    inner = np.column_stack([np.ones(n0), *known_compared])
    fit = least_squares(inner, compared)
    gap = treated - wanted @ fit.coefficients
    estimate = float(gap.mean())
    return estimate, (gap - estimate) / n1, -(fit.pull @ wanted.mean(axis=0)) * fit.residual
