"""The journey by groups of customers: no rows where the report is not broken down, or nobody answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cxlib.journey.claims import lowest_stage
from cxlib.journey.curve import emotion_curve
from cxlib.journey.second_purchase.f2_curve import repeat_curve
from cxlib.journey.valleys import find_valleys, name_valley
from cxlib.stats.survival.kaplan_meier import rmst

Names = Mapping[Any, str]


def curve_by_group(staged: pd.DataFrame, *, by: str | None, names: Names, **asked: Any) -> pd.DataFrame:
    """Give each group's `emotion_curve` (`asked` as there), groups called by `names`."""
    if by is None or staged.empty:
        return pd.DataFrame(columns=["metric", "stage", "n"])
    return emotion_curve(staged, by=by, **asked).replace({by: names})


def compared_stage(valley_at: str | None, curve: pd.DataFrame, *, min_cell: int = 10) -> str | None:
    """Stage at which groups are compared: the valley, or the lowest point; None where nobody answered.

    Examples
    --------
    >>> curve = pd.DataFrame({"metric": "pooled", "stage": ["a", "b"], "estimate": [1.0, 0.2], "n": 30})
    >>> compared_stage("a", curve), compared_stage(None, curve), compared_stage(None, curve.head(0))
    ('a', 'b', None)
    """
    if valley_at is not None:
        return valley_at
    return lowest_stage(curve, min_cell=min_cell) if (curve["n"] >= min_cell).any() else None


def valleys_by_group(
    staged: pd.DataFrame, *, by: str | None, names: Names, min_cell: int = 10, **asked: Any
) -> pd.DataFrame:
    """Name each group's valley (`name_valley`); not the stage where too few of the group answered."""
    if by is None or staged.empty:
        return pd.DataFrame(columns=["metric", "stage", "n"])
    each = [find_valleys(staged, by=by, curve=curve, **asked) for curve in ("pooled", "paired")]
    named = name_valley(*each).drop(columns=["share_of_customers", "n_around"]).replace({by: names})
    return named.assign(stage=named["stage"].where(named["n"] >= min_cell))


def f2_by_group(orders: pd.DataFrame, *, by: str | None, names: Names, **asked: Any) -> pd.DataFrame:
    """Give each group's `repeat_curve` (`asked` as there), groups called by `names`."""
    if by is None or orders.empty:
        return pd.DataFrame(columns=["days", "estimate", "n_at_risk", "n_not_reached", "n"])
    return repeat_curve(orders, by=by, **asked).replace({by: names})


def wait_by_group(times: pd.DataFrame, *, by: str | None, names: Names, **asked: Any) -> pd.DataFrame:
    """Mean time to the second purchase within a horizon, by group (`rmst` of `repeat_times`)."""
    if by is None or times.empty:
        return pd.DataFrame(columns=["metric", "reference", "n"])
    gaps = rmst(times, duration_col="duration_days", event_col="is_repeat", by=by, **asked)
    return gaps.drop(columns="p_value").replace({by: names, "reference": names})
