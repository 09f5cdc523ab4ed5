"""One effect of a staggered roll-out, ATT(g, t), and how much each unit pulls on it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.checks import ParameterError

Array = npt.NDArray[np.float64]
Rows = slice | npt.NDArray[np.intp]


def wide(
    panel: pd.DataFrame, names: list[str], unit_col: str, time_col: str, start_col: str
) -> tuple[Array, Array, list[Array]]:
    """Periods, start of each unit, and one units × periods array per name; complete units only."""
    unit, _ = pd.factorize(panel[unit_col])
    place, times = pd.factorize(panel[time_col], sort=True)
    shape = (int(unit.max(initial=-1)) + 1, len(times))
    if shape[0] and np.bincount(unit * shape[1] + place, minlength=1).max() > 1:
        raise ParameterError("impact.repeated_period", argument=time_col)
    blocks = []
    for name in names:
        block = np.full(shape, np.nan)
        block[unit, place] = panel[name].to_numpy(float, na_value=np.nan)
        blocks.append(block)
    start = np.full(shape[0], np.nan)
    start[unit] = panel[start_col].to_numpy(float, na_value=np.nan)
    whole = np.isfinite(blocks[0]).all(axis=1) if shape[0] else np.zeros(0, dtype=bool)
    start = np.where(np.isnan(start), np.inf, start)
    return np.asarray(times, dtype=float), start[whole], [block[whole] for block in blocks]


def cell(
    group: float,
    place: int,
    times: Array,
    start: Array,
    blocks: list[Array],
    control: str,
    base: str,
    out: Array,
) -> dict[str, float] | None:
    """ATT(g, t), each unit's influence on it written to `out`; None where there is nobody to compare with.

    Units are sorted by start, so that groups and controls are slices.
    """
    before = int(np.searchsorted(times, group)) - 1
    previous = before if place > before or base == "mean" else place - 1
    begin, end = np.searchsorted(start, [group, group + 1e-9])
    clean = times[max(place, previous)] if control == "not_yet" else start[start < np.inf].max()
    others = int(np.searchsorted(start, clean, side="right"))
    own = slice(begin, end)
    rest: Rows = slice(others, None) if others >= end else np.r_[others:begin, end : len(start)]
    outcome = blocks[0]
    changes: list[Array] = []
    for rows in (own, rest):
        reference = outcome[rows, : before + 1].mean(axis=1) if base == "mean" else outcome[rows, previous]
        changes.append(outcome[rows, place] - reference)
    if not len(changes[1]):
        return None
    known = [[block[rows, previous] for block in blocks[1:]] for rows in (own, rest)]
    estimate, out[own], out[rest] = _contrast(changes[0], changes[1], known[0], known[1])
    return {
        "start": float(group),
        "time": float(times[place]),
        "estimate": estimate,
        "n_treatment": len(changes[0]),
        "n_control": len(changes[1]),
    }


def _contrast(
    treated: Array, compared: Array, known_treated: Sequence[Array], known_compared: Sequence[Array]
) -> tuple[float, Array, Array]:
    """Treated minus (predicted) control change, and the influences of both (Sant'Anna & Zhao 2020) over n."""
    n1, n0 = len(treated), len(compared)
    if not known_treated:
        means = float(treated.mean()), float(compared.mean())
        return means[0] - means[1], (treated - means[0]) / n1, (means[1] - compared) / n0
    wanted = np.column_stack([np.ones(n1), *known_treated])
    inner = np.column_stack([np.ones(n0), *known_compared])
    bread = np.linalg.pinv(inner.T @ inner)
    beta = bread @ (inner.T @ compared)
    gap = treated - wanted @ beta
    estimate = float(gap.mean())
    pull = inner @ (bread @ wanted.mean(axis=0))
    return estimate, (gap - estimate) / n1, -pull * (compared - inner @ beta)
