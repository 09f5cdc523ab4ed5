"""Waves in order of time, beside the limits within which an unchanged NPS wanders by chance."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.answers import effective_n, read_answers
from cxlib.change._contrast import score_values
from cxlib.checks import check_columns
from cxlib.intervals import nps_interval


def wave_chart(
    data: pd.DataFrame,
    *,
    wave_col: str = "wave",
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
        Wave, in sorting order of time.
    score_col : str
    cluster_col : str, optional
        Customer, when one may answer several times in a wave.
    conf_level : float

    Returns
    -------
    DataFrame
        ``wave``, ``metric`` ("nps"), ``estimate, std_error, conf_low, conf_high`` (points), ``n``, ``centre``
        (NPS of all waves together), ``limit_low, limit_high`` (centre ± 3 standard errors of that wave's n,
        cut at ±100), ``is_signal`` (nullable; outside the limits). Signals need at least four waves.

    Raises
    ------
    ParameterError
        For a missing column or a bad score.

    References
    ----------
    Montgomery, Introduction to Statistical Quality Control, ch. 7.

    Examples
    --------
    >>> answers = pd.DataFrame({"wave": ["1", "2"] * 20, "nps_score": [10, 6] * 20})
    >>> wave_chart(answers)[["estimate", "centre"]].to_numpy().tolist()
    [[100.0, 0.0], [-100.0, 0.0]]
    """
    check_columns(data, wave_col=wave_col)
    known = data[data[wave_col].notna()]
    answers = read_answers(known, score_col, (0, 10), by=wave_col, cluster_col=cluster_col)
    points = score_values(answers, "nps", (0, 10))
    shares = np.nan_to_num([answers.mean(points == value) for value in (100, 0, -100)])
    n_effective, n_limits = effective_n(answers, points, conf_level=conf_level)
    interval = nps_interval(*(shares * n_limits), conf_level=conf_level)
    centre = points.mean() if len(points) else np.nan
    with np.errstate(divide="ignore"):
        reach = 3 * np.sqrt(points.var() / n_effective) if len(points) else np.full(len(n_limits), np.nan)
    frame = pd.DataFrame({"wave": answers.keys[wave_col], "metric": "nps", **interval._asdict()})
    frame["n"], frame["centre"] = answers.n.astype(int), centre
    if cluster_col is not None:
        frame["customers"] = answers.n_clusters.astype(int)
    frame["limit_low"], frame["limit_high"] = (
        np.maximum(centre - reach, -100),
        np.minimum(centre + reach, 100),
    )
    outside = (frame["estimate"] < frame["limit_low"]) | (frame["estimate"] > frame["limit_high"])
    return frame.assign(is_signal=(outside & (len(frame) >= 4)).astype("boolean"))


def last_waves(data: pd.DataFrame, *, wave_col: str = "wave") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the answers of the last wave but one, and of the last; empty frames where there are fewer.

    Examples
    --------
    >>> before, after = last_waves(pd.DataFrame({"wave": ["2026Q1", "2026Q2", "2025Q4"]}))
    >>> before["wave"].tolist(), after["wave"].tolist()
    (['2026Q1'], ['2026Q2'])
    """
    check_columns(data, wave_col=wave_col)
    waves = [None, None, *sorted(data[wave_col].dropna().unique())][-2:]
    before, after = (data[data[wave_col] == wave] if wave is not None else data.head(0) for wave in waves)
    return before, after
