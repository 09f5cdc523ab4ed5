"""What each metric is measured in and which way is good; column names say the rest (`_share`, `_days`, …).

One table for every report: a metric's unit decides how its estimate and limits are written, at which
precision a verdict reads them, and its direction whether more of it is good.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Metric(NamedTuple):
    """Unit of a metric, and its good direction; a class because a verdict's colour needs both."""

    unit: str
    good: int = 0  # 1: more is better, -1: less is better, 0: neither


#: Unit (`language.UNITS`) and good direction by metric; a metric that is not here is a plain number.
METRICS: Mapping[str, Metric] = {
    "amount": Metric("currency", 1),
    "amount_gap": Metric("currency"),
    "amount_others": Metric("currency"),
    "amount_referred": Metric("currency"),
    "ces": Metric("score"),
    "ces_change": Metric("score"),
    "checklist": Metric("share"),
    "compliance": Metric("share", 1),
    "csat": Metric("share", 1),
    "csat_change": Metric("pp", 1),
    "customer_share": Metric("share"),
    "difference": Metric("pp"),
    "f2": Metric("share", 1),
    "gini": Metric("ratio"),
    "lapse": Metric("share", -1),
    "mean_change": Metric("score"),
    "middle_gap": Metric("currency"),
    "middle_others": Metric("currency"),
    "middle_referred": Metric("currency"),
    "mix": Metric("points"),
    "moved_share": Metric("share"),
    "naive_difference": Metric("pp"),
    "nps": Metric("points", 1),
    "nps_bounds": Metric("points"),
    "nps_change": Metric("points", 1),
    "nps_heard": Metric("points", 1),
    "purchases": Metric("count", 1),
    "rate": Metric("points", 1),
    "referral": Metric("share", 1),
    "referred_share": Metric("share"),
    "repeat_ratio": Metric("ratio", 1),
    "repeat": Metric("share", 1),
    "spend": Metric("currency", 1),
    "total": Metric("points", 1),
    "win_rate": Metric("share", 1),
    "won": Metric("share", 1),
}


def of_estimate(metric: object) -> str:
    """Return the unit of a metric's estimate and limits.

    Examples
    --------
    >>> of_estimate("nps"), of_estimate("no_such_metric")
    ('points', 'number')
    """
    return METRICS[str(metric)].unit if str(metric) in METRICS else "number"
