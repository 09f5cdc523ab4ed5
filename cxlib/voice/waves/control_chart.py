"""Waves in order of time, beside the limits within which an unchanged NPS wanders by chance."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from cxlib.checks import check_columns, check_frame
from cxlib.data.days import instants
from cxlib.voice.answers import effective_n, read_answers
from cxlib.voice.nps_limits import nps_interval
from cxlib.voice.waves.two_waves import score_values

FEWEST = 4  # waves below which limits of chance say nothing
RUN, TREND = 8, 6


def wave_chart(
    data: pd.DataFrame,
    *,
    wave_col: str = "wave",
    time_col: str = "answered_at",
    score_col: str = "nps_score",
    cluster_col: str | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """NPS of every wave with its interval, beside the limits within which it wanders by chance alone.

    Parameters
    ----------
    data : DataFrame
        Answers; those without wave or score are left out.
    wave_col : str
    time_col : str
        When it was answered: waves come in the order of their middle answer, which one answer with a wrong
        date does not move. Without that column they come in the order of the numbers in their names, so that
        wave 10 follows wave 9.
    score_col : str
    cluster_col : str, optional
        Customer, when one may answer several times in a wave.
    conf_level : float

    Returns
    -------
    DataFrame
        ``wave``, ``metric`` ("nps"), ``estimate, std_error, conf_low, conf_high`` (points), ``n``, ``centre``
        (NPS of all waves together), ``limit_low, limit_high`` (centre ± 3 standard errors of that wave's n,
        cut at ±100), ``is_signal`` (nullable; missing below four waves, where nothing can be said) and
        ``rule`` by which it signals: "limits" (outside), "run" (eighth or later in a row on one side of the
        centre), "trend" (sixth or later in a row that only rises, or only falls).

    Raises
    ------
    ParameterError
        For a missing column or a bad score.

    Notes
    -----
    When nothing changes, a chart of 8 waves shows a signal in about 2 % of the cases, one of 12 in about 4 %.

    References
    ----------
    Nelson (1984) Journal of Quality Technology 16, 237–239 (run rules; a run of 8 as in Western Electric);
    Montgomery, Introduction to Statistical Quality Control, ch. 7.

    Examples
    --------
    >>> answers = pd.DataFrame({"wave": ["1", "2"] * 20, "nps_score": [10, 6] * 20})
    >>> wave_chart(answers)[["estimate", "centre"]].to_numpy().tolist()
    [[100.0, 0.0], [-100.0, 0.0]]
    """
    check_frame(data)
    check_columns(data, wave_col=wave_col)
    waves = wave_order(data, wave_col=wave_col, time_col=time_col)
    known = data[data[wave_col].notna()]
    known = known.assign(**{wave_col: pd.Categorical(known[wave_col], categories=waves, ordered=True)})
    answers = read_answers(known, score_col, (0, 10), by=wave_col, cluster_col=cluster_col)
    points = score_values(answers, "nps", (0, 10))
    shares = np.nan_to_num([answers.mean(points == value) for value in (100, 0, -100)])
    n_effective, n_limits = effective_n(answers, points, conf_level=conf_level)
    interval = nps_interval(*(shares * n_limits), conf_level=conf_level)
    centre = points.mean() if len(points) else np.nan
    with np.errstate(divide="ignore"):
        reach = 3 * np.sqrt(points.var() / n_effective) if len(points) else np.full(len(n_limits), np.nan)
    names = answers.keys[wave_col].astype(data[wave_col].dtype).to_numpy()
    frame = pd.DataFrame({"wave": names, "metric": "nps", **interval._asdict()})
    frame["n"], frame["centre"] = answers.n.astype(int), centre
    if cluster_col is not None:
        frame["customers"] = answers.n_clusters.astype(int)
    low, high = centre - reach, centre + reach
    frame["limit_low"], frame["limit_high"] = np.maximum(low, -100), np.minimum(high, 100)
    frame["rule"] = pd.Series(_rules(frame), dtype="object")
    is_signal = frame["rule"].notna().astype("boolean")
    return frame.assign(is_signal=is_signal if len(frame) >= FEWEST else is_signal.where(frame["n"] < 0))


def wave_order(data: pd.DataFrame, *, wave_col: str = "wave", time_col: str = "answered_at") -> list[object]:
    """Name the waves in order of time: by their middle answer, or by the numbers in their names.

    Examples
    --------
    >>> wave_order(pd.DataFrame({"wave": ["Wave 10", "Wave 9", None]}))
    ['Wave 9', 'Wave 10']
    >>> days = pd.to_datetime(["2026-02-01", "2026-05-01"])
    >>> wave_order(pd.DataFrame({"wave": ["spring", "autumn"], "answered_at": days}))
    ['spring', 'autumn']
    """
    check_frame(data)
    check_columns(data, wave_col=wave_col)
    named = data[data[wave_col].notna()]
    waves = sorted(named[wave_col].unique(), key=_by_number)
    if time_col not in data:
        return waves
    middle = (
        instants(named[time_col], time_col).groupby(named[wave_col], observed=True).median().reindex(waves)
    )
    return middle.sort_values(kind="stable", na_position="last").index.tolist()


def _by_number(name: object) -> list[tuple[bool, float, str]]:
    """Sort key in which the numbers inside a name count as numbers."""
    parts = re.split(r"(\d+)", str(name))
    return [(part.isdecimal(), float(part) if part.isdecimal() else 0.0, part) for part in parts if part]


def _rules(frame: pd.DataFrame) -> list[str | None]:
    """Return the first rule by which each wave signals."""
    found: list[str | None] = []
    run = trend = 0
    before = None
    for row in frame[["estimate", "centre", "limit_low", "limit_high"]].to_dict("records"):
        value = row["estimate"]
        if value != value:
            found.append(None)
            continue
        side = np.sign(value - row["centre"])
        run = int(side) if side * run <= 0 else run + int(side)
        step = 0 if before is None else np.sign(value - before)
        trend = int(step) if step * trend <= 0 else trend + int(step)
        before = value
        outside = not row["limit_low"] <= value <= row["limit_high"]
        rules = {"limits": outside, "run": abs(run) >= RUN, "trend": abs(trend) >= TREND - 1}
        found.append(next((name for name, holds in rules.items() if holds and value == value), None))
    return found


def last_waves(
    data: pd.DataFrame, *, wave_col: str = "wave", time_col: str = "answered_at"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the answers of the last wave but one, and of the last; empty frames where there are fewer.

    Waves are in the order of `wave_order`.

    Examples
    --------
    >>> before, after = last_waves(pd.DataFrame({"wave": ["2026Q1", "2026Q2", "2025Q4"]}))
    >>> before["wave"].tolist(), after["wave"].tolist()
    (['2026Q1'], ['2026Q2'])
    """
    waves = [None, None, *wave_order(data, wave_col=wave_col, time_col=time_col)][-2:]
    before, after = (data[data[wave_col] == wave] if wave is not None else data.head(0) for wave in waves)
    return before, after
