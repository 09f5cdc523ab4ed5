"""How long customers take from stage to stage."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from cxlib.checks import check_columns
from cxlib.data.days import local_days, to_date
from cxlib.stats.survival.kaplan_meier import survival_curve
from cxlib.stats.survival.known_days import enough_at_risk


def stage_times(
    events: pd.DataFrame,
    *,
    stage_order: Sequence[str],
    as_of: dt.date | str,
    within_days: int = 90,
    stage_col: str = "stage",
    customer_id_col: str = "customer_id",
    time_col: str = "occurred_at",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Median days from the first contact at a stage to the first at the next, by Kaplan–Meier.

    Parameters
    ----------
    events
        Contacts; rows without customer, stage or time, or after `as_of`, are left out.
    stage_order
        The stages in order.
    as_of
        Last day of observation, inclusive.
    within_days
        Days for the share that has gone on.
    stage_col, customer_id_col, time_col
        Columns of `events`.
    conf_level
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        One row per pair of neighbouring stages: `from_stage, stage, metric` ("median_days"), `estimate,
        conf_low, conf_high, quartile_low, quartile_high` (days by which a quarter and three quarters have
        gone on), `n` (customers at the first stage), `n_events` (of them seen at the next), `reached` (share
        gone on within `within_days`, 0–1), `n_at_risk` (followed for `within_days` and not gone on before),
        `n_not_reached` (not gone on, and followed for less). NaN where so many never have, or fewer than 10
        were still followed at that day (`enough_at_risk`).

    Raises
    ------
    ParameterError
        Unknown column.

    Notes
    -----
    Customers not seen at the next stage count for as long as they were observed; leaving them out would keep
    only the quick ones. Customers seen at the next stage first, or never at the first, are not in the row.
    The interval of the median is where the log-log band of the curve crosses one half.

    References
    ----------
    Brookmeyer & Crowley (1982) Biometrics 38.

    Examples
    --------
    >>> events = pd.DataFrame({"customer_id": list("aabbc"), "stage": ["buy", "use"] * 2 + ["buy"],
    ...     "occurred_at": pd.to_datetime(["2026-01-01", "2026-01-04"] * 2 + ["2026-01-01"])})
    >>> times = stage_times(events, stage_order=["buy", "use"], as_of="2026-01-31")
    >>> times[["estimate", "n_events"]].to_numpy().tolist()
    [[3.0, 2.0]]
    """
    check_columns(events, stage_col=stage_col, customer_id_col=customer_id_col, time_col=time_col)
    last = pd.Timestamp(to_date(as_of))
    rows = events[[customer_id_col, stage_col]].assign(day=local_days(events[time_col], time_col)).dropna()
    rows = rows[rows["day"] <= last]
    first = {stage: part.groupby(customer_id_col)["day"].min() for stage, part in rows.groupby(stage_col)}
    nobody = rows.iloc[:0].set_index(customer_id_col)["day"]
    found = []
    for before, after in pairwise(stage_order):
        start, end = first.get(before, nobody), first.get(after, nobody)
        both = pd.DataFrame({"start": start}).join(end.rename("end"))
        both = both[~(both["end"] < both["start"])]
        wait = (both["end"].fillna(last) - both["start"]).dt.days
        spells = pd.DataFrame({"days": wait.astype(int), "gone": both["end"].notna()})
        found.append({"from_stage": before, "stage": after, **_median(spells, within_days, conf_level)})
    columns = ["from_stage", "stage", "metric", "estimate", "conf_low", "conf_high"]
    columns += ["quartile_low", "quartile_high", "n", "n_events", "reached", "n_at_risk", "n_not_reached"]
    return pd.DataFrame(found, columns=columns)


def _median(spells: pd.DataFrame, within_days: int, conf_level: float) -> dict[str, object]:
    curve, by_then = _gone(spells, conf_level), _gone(spells, conf_level, times=[within_days]).iloc[0]
    return {
        "metric": "median_days",
        "estimate": _quantile(curve, "estimate", 0.5),
        "conf_low": _quantile(curve, "conf_high", 0.5),
        "conf_high": _quantile(curve, "conf_low", 0.5),
        "quartile_low": _quantile(curve, "estimate", 0.25),
        "quartile_high": _quantile(curve, "estimate", 0.75),
        "n": len(spells),
        "n_events": int(spells["gone"].sum()),
        "reached": float(by_then["estimate"]),
        "n_at_risk": int(by_then["n_at_risk"]),
        "n_not_reached": int(by_then["n_not_reached"]),
    }


def _gone(spells: pd.DataFrame, conf_level: float, times: Sequence[int] | None = None) -> pd.DataFrame:
    """Share gone on by each time seen or asked for, where enough are followed, with its interval."""
    curve = survival_curve(spells, duration_col="days", event_col="gone", times=times, conf_level=conf_level)
    curve = enough_at_risk(curve)
    low, high = 1 - curve["conf_high"], 1 - curve["conf_low"]
    return curve.assign(estimate=1 - curve["estimate"], conf_low=low, conf_high=high)


def _quantile(curve: pd.DataFrame, column: str, share: float) -> float:
    """First time by which `share` is reached; events only, since bounds also move where nothing happens."""
    happened = curve[(curve["n_events"] > 0) & (curve[column] >= share - 1e-12)]
    return float(happened["time"].iloc[0]) if len(happened) else np.nan
