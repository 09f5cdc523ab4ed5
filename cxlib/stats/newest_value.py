"""Whether the newest value of a series lies beyond chance: against those before it, and against an alarm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import check_columns, check_frame
from cxlib.stats.arrays import Array
from cxlib.stats.intervals import critical_value

#: Earlier values below which their spread says nothing.
FEWEST = 5
LIMITS = ["centre", "limit_low", "limit_high"]


def newest_limits(series: pd.DataFrame, *, level: float) -> dict[str, float]:
    """Limits within which the newest value of a series wanders by chance when nothing changes.

    Parameters
    ----------
    series : DataFrame
        `estimate, conf_low, conf_high, conf_level, n` in order of time, any unit; the last row is the newest.
    level : float
        Probability that the newest value lies within, two-sided.

    Returns
    -------
    dict
        `centre` (mean of the values before), `limit_low, limit_high`; NaN with fewer than five values before,
        or where one has no interval.

    Notes
    -----
    Half the width is the larger of two: t·s·√(1 + 1/k), the prediction interval from the spread s of the k
    values before, and z·√(e² + ē²) from the standard errors of the newest and of the values before. The first
    holds where months wander by themselves. The second holds where values overlap and so lie too close
    together for their spread to be believed: their mean errs no more than one of them, and a positive
    correlation with the newest only makes the difference smaller.

    References
    ----------
    Hahn & Meeker (1991) Statistical Intervals, ch. 4.

    Examples
    --------
    >>> calm = pd.DataFrame({"estimate": [10.0, 12, 11, 10, 12, 11], "n": 90, "conf_level": 0.95})
    >>> calm = calm.assign(conf_low=calm["estimate"] - 2, conf_high=calm["estimate"] + 2)
    >>> {name: round(value, 1) for name, value in newest_limits(calm, level=0.95).items()}
    {'centre': 11.0, 'limit_low': 8.0, 'limit_high': 14.0}
    """
    check_columns(series, **{f"series.{name}": name for name in ("estimate", "conf_low", "conf_high")})
    values, errors = series["estimate"].to_numpy(float), _errors(series)
    before = values[:-1]
    if len(before) < FEWEST or not (np.isfinite(values).all() and (errors > 0).all()):
        return dict.fromkeys(LIMITS, np.nan)
    spread = critical_value(level, df=len(before) - 1) * before.std(ddof=1) * np.sqrt(1 + 1 / len(before))
    noise = critical_value(level) * np.hypot(errors[-1], errors[:-1].mean())
    reach, centre = max(float(spread), float(noise)), float(before.mean())
    return dict(zip(LIMITS, (centre, centre - reach, centre + reach), strict=True))


def newest_alarms(points: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Series whose newest value is alarming or out of its limits beyond noise, all looked at together.

    Parameters
    ----------
    points : DataFrame
        `series` (its name), `as_of`, `estimate, conf_low, conf_high, conf_level, n`, any unit, and where the
        series has them `alarm` (value from which on it is alarming) and `better` ("higher" or "lower").
    conf_level : float
        Probability of no alarm at all when nothing has changed and no true value lies beyond its alarm.

    Returns
    -------
    DataFrame
        One row per alarm of the newest day: `series, as_of, kind` ("alarm", "above", "below"), `estimate`,
        `n`, `conf_low, conf_high` (at the level of the family), `limit` (that was crossed), `level`.

    Notes
    -----
    Every series is looked at twice; each look has (1 − `conf_level`) / (2 · series), so that the chance of
    any false alarm is at most 1 − `conf_level`, however the series hang together (Bonferroni). A stored
    interval is widened by the ratio of the critical values, Student's with n − 1 degrees of freedom.

    Examples
    --------
    >>> days = pd.date_range("2026-01-31", periods=7, freq="ME")
    >>> nps = pd.DataFrame({"series": "nps", "as_of": days, "estimate": [20.0, 21, 20, 19, 20, 21, 60]})
    >>> nps = nps.assign(conf_low=nps["estimate"] - 5, conf_high=nps["estimate"] + 5, n=700, conf_level=0.95)
    >>> newest_alarms(nps)[["kind", "estimate"]].to_numpy().tolist()
    [['above', 60.0]]
    """
    check_frame(points)
    check_columns(points, **{f"points.{name}": name for name in ("series", "as_of", "estimate", "n")})
    columns = ["series", "as_of", "kind", "estimate", "conf_low", "conf_high", "n", "limit", "level"]
    newest = points["as_of"].max()
    held = [rows.sort_values("as_of") for _, rows in points.groupby("series", sort=False)]
    held = [rows for rows in held if rows["as_of"].iloc[-1] == newest]
    level = 1 - (1 - conf_level) / (2 * max(len(held), 1))
    found = [alarm for rows in held for alarm in _alarms(rows, level)]
    return pd.DataFrame(found, columns=columns)


def _alarms(rows: pd.DataFrame, level: float) -> list[dict[str, Any]]:
    last: Any = rows.iloc[-1]
    one_sided = 2 * level - 1  # a target's alarm lies on one side
    low, high = _widened(last, one_sided)
    told = {name: last[name] for name in ("series", "as_of", "estimate", "n")} | {"level": level}
    found = []
    alarm, better = last.get("alarm", np.nan), last.get("better")
    if (better == "higher" and high < alarm) or (better == "lower" and low > alarm):
        found.append(told | {"kind": "alarm", "limit": alarm, "conf_low": low, "conf_high": high})
    limits = newest_limits(rows, level=level)
    for kind, side in (("above", limits["limit_high"]), ("below", limits["limit_low"])):
        if last["estimate"] > side if kind == "above" else last["estimate"] < side:
            found.append(told | {"kind": kind, "limit": side, "conf_low": low, "conf_high": high})
    return found


def _widened(row: Any, level: float) -> tuple[float, float]:
    """Interval of one row at another level; of one known between bounds only, the bounds further apart."""
    low, high, n = (float(row[name]) for name in ("conf_low", "conf_high", "n"))
    middle = float(row["estimate"]) if np.isfinite(row["estimate"]) else (low + high) / 2
    df = max(n - 1, 1)
    ratio = critical_value(level, df=df) / critical_value(float(row["conf_level"]), df=df)
    return middle - ratio * (middle - low), middle + ratio * (high - middle)


def _errors(series: pd.DataFrame) -> Array:
    """Return the standard errors that the stored limits imply."""
    levels = series["conf_level"].to_numpy(float)
    reach = np.array([critical_value(level) if 0 < level < 1 else np.nan for level in levels])
    half: Array = (series["conf_high"] - series["conf_low"]).to_numpy(float) / 2
    return half / reach
