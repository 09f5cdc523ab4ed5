"""Several ways out that shut each other off: won or lost, bought again or opted out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError, check_columns, check_group_names
from cxlib.stats.intervals import Interval, critical_value
from cxlib.stats.stack_groups import stacked
from cxlib.stats.survival.people_at_risk import PeopleAtRisk, at_risk_at, names_of, people_of

_COLUMNS = ["cause", "time", *Interval._fields, "n_at_risk", "n_events", "n"]
_COLUMNS += ["n_not_reached"]


def cumulative_incidence(
    data: pd.DataFrame,
    *,
    duration_col: str,
    cause_col: str,
    entry_col: str | None = None,
    by: str | list[str] | None = None,
    times: Sequence[float] | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Aalen–Johansen probability (0–1) of having left by each cause by each time.

    Parameters
    ----------
    data
        One row per person or deal. Rows with a missing duration are left out.
    duration_col
        Time from start to exit or to the end of observation, ≥ 0, any unit.
    cause_col
        How it ended; missing where observation ended first.
    entry_col
        Time at which a person came under observation (delayed entry).
    by
        Column, or list of columns, to compute the curves per group.
    times
        Report at these times instead of at every time seen; after a group's last observation NaN, unless
        everybody has left.
    conf_level
        Confidence level of the pointwise interval (log-log).

    Returns
    -------
    DataFrame
        Group columns, `cause, time, estimate, std_error, conf_low, conf_high, n_at_risk` (just before
        `time`), `n_events` (of the cause, up to `time`), `n`, `n_not_reached` (without an exit before `time`
        and not observed up to it; see `enough_at_risk`). At any time the estimates of all causes and the
        Kaplan–Meier probability of no exit sum to 1.

    Raises
    ------
    ParameterError, InputError
        As in `survival_curve`.

    Notes
    -----
    F_k(t) = Σ S(t−) d_k / n. Counting the other exits as censored (1 − Kaplan–Meier) answers what would
    happen if nobody could leave otherwise, and is too high. Delta-method variance (Marubini & Valsecchi 1995;
    the variance of R's `cuminc`, up to its small-sample terms).

    References
    ----------
    Aalen & Johansen (1978) Scand. J. Statistics 5; Putter, Fiocco & Geskus (2007) Statistics in Medicine 26.

    Examples
    --------
    >>> deals = pd.DataFrame({"days": [1, 2, 3, 4], "exit": ["won", "lost", "won", None]})
    >>> ends = cumulative_incidence(deals, duration_col="days", cause_col="exit", times=[3])
    >>> ends[["cause", "estimate"]].to_numpy().tolist()
    [['lost', 0.25], ['won', 0.5]]
    """
    check_columns(data, duration_col=duration_col, cause_col=cause_col)
    check_group_names(by, _COLUMNS)
    cause, causes = pd.factorize(data[cause_col], sort=True)
    coded = data.assign(**{_MARK: cause >= 0, _CODE: cause})
    if times is not None and min(times, default=0) < 0:
        raise ParameterError("journey.negative_times", argument="times", value=f"{min(times):g}")
    parts = []
    for keys, people in people_of(coded, duration_col, _MARK, entry_col, by, keep=_CODE):
        for code, name in enumerate(causes):
            parts.append({**keys, "cause": name, **_incidence(people, code, times, conf_level)})
    return stacked(parts, [*names_of(by), *_COLUMNS])


_MARK, _CODE = "cx has left", "cx cause code"


def _incidence(
    people: PeopleAtRisk, code: int, times: Sequence[float] | None, conf_level: float
) -> dict[str, np.ndarray]:
    """Incidence of one cause at every time with an exit, or read off at `times`."""
    assert people.kept is not None
    grid = np.unique(people.duration[people.event]).astype(float)
    y = at_risk_at(people, grid).astype(float)
    d = _count(people.duration[people.event], grid)
    own = _count(people.duration[people.kept == code], grid)
    with np.errstate(divide="ignore", invalid="ignore"):
        before = np.append(1.0, np.cumprod(1 - d / y))[:-1]
        weight = np.where(y > d, d / (y * (y - d)), 0.0)
    reached = np.cumsum(before * own / y)
    step = before * own / y**2
    spread = (
        reached**2 * np.cumsum(weight)
        - 2 * reached * np.cumsum(weight * reached)
        + np.cumsum(weight * reached**2)
        + np.cumsum(before**2 * own * (y - own) / y**3)
        - 2 * (reached * np.cumsum(step) - np.cumsum(step * reached))
    )
    wanted = grid if times is None else np.sort(np.asarray(times, dtype=float))
    place = np.searchsorted(grid, wanted, side="right")
    estimate = np.minimum(np.append(0.0, reached), 1.0)[place]
    error = np.sqrt(np.maximum(np.append(0.0, spread)[place], 0))
    last = people.duration.max(initial=0)
    unseen = (wanted > last) & (np.append(1.0, before * (1 - d / y))[place] > 0)
    n_at_risk = at_risk_at(people, wanted)
    n_left = np.append(0, np.cumsum(d))[place]
    low, high = _bounds(estimate, error, n_at_risk, n_left, conf_level)
    known = (np.where(unseen, np.nan, values) for values in (estimate, error, low, high))
    so_far = np.append(0, np.cumsum(own))[place].astype(int)
    n = np.full(wanted.size, people.duration.size)
    gone = np.append(0, np.cumsum(d))[np.searchsorted(grid, wanted, side="left")].astype(int)
    counts = (n_at_risk, so_far, n, n - n_at_risk - gone)
    return dict(zip(_COLUMNS[1:], (wanted, *known, *counts), strict=True))


def _bounds(
    estimate: np.ndarray, error: np.ndarray, at_risk: np.ndarray, left: np.ndarray, conf_level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Log-log interval; where nobody has left by the way, or everybody of those who left, the exact bound."""
    with np.errstate(all="ignore"):
        log = np.log(estimate)
        width = np.exp(critical_value(conf_level) * error / np.abs(estimate * log))
        low, high = np.exp(log * width), np.exp(log / width)
    none, everybody = estimate <= 0, estimate >= 1 - 1e-12
    still, gone = (((1 - conf_level) / 2) ** (1 / np.maximum(n, 1)) for n in (at_risk, left))
    low, high = np.where(none, 0.0, low), np.where(none, 1 - still, high)
    return np.where(everybody, gone, low), np.where(everybody, 1.0, high)


def _count(times: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """How many of `times` lie at each point of the grid."""
    return np.diff(np.searchsorted(np.sort(times), np.append(grid, np.inf)))
