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
    "answered": Metric("share", 1),
    "area": Metric("score", 1),
    "better": Metric("share", 1),
    "checklist": Metric("share"),
    "compliance": Metric("share", 1),
    "contacted": Metric("share", 1),
    "csat": Metric("share", 1),
    "depth": Metric("score", -1),
    "difference": Metric("pp"),
    "end": Metric("score", 1),
    "exit": Metric("share", -1),
    "f2": Metric("share", 1),
    "gap_slope": Metric("pp", 1),
    "gini": Metric("ratio"),
    "in_touch": Metric("share", 1),
    "lapse": Metric("share", -1),
    "loss": Metric("score", -1),
    "lost": Metric("share", -1),
    "median_days": Metric("days"),
    "naive_difference": Metric("pp"),
    "next_purchase": Metric("share", 1),
    "nps": Metric("points", 1),
    "open": Metric("share"),
    "opt_out": Metric("share", -1),
    "paired": Metric("valence", 1),
    "peak": Metric("score", 1),
    "peak_end": Metric("score", 1),
    "pooled": Metric("valence", 1),
    "purchases": Metric("count", 1),
    "rate_ratio": Metric("ratio"),
    "rated": Metric("share", 1),
    "referral": Metric("share", 1),
    "repeat": Metric("share", 1),
    "response": Metric("share", 1),
    "rmst": Metric("days", -1),
    "rmst_difference": Metric("days", -1),
    "score_difference": Metric("score"),
    "share_of_value": Metric("share"),
    "share_uneven": Metric("share", -1),
    "slope": Metric("score", 1),
    "spend": Metric("currency", 1),
    "spread": Metric("score", -1),
    "stalled": Metric("share", -1),
    "trough": Metric("score", 1),
    "value_difference": Metric("currency"),
    "value_with_f2": Metric("currency", 1),
    "value_without_f2": Metric("currency", 1),
    "variance_explained": Metric("share"),
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
