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
    "amount_effect": Metric("currency", 1),
    "benefit": Metric("currency", 1),
    "break_even_effect": Metric("currency"),
    "checklist": Metric("share"),
    "churn": Metric("share", -1),
    "compliance": Metric("share", 1),
    "cost": Metric("currency", -1),
    "csat": Metric("share", 1),
    "difference": Metric("pp"),
    "f2": Metric("share", 1),
    "gini": Metric("ratio"),
    "irr_annual": Metric("share", 1),
    "lapse": Metric("share", -1),
    "margin_effect": Metric("currency", 1),
    "naive_difference": Metric("pp"),
    "net": Metric("currency", 1),
    "net_shrunk": Metric("currency", 1),
    "nps": Metric("points", 1),
    "npv": Metric("currency", 1),
    "orders_effect": Metric("number", 1),
    "payback_months": Metric("months", -1),
    "prob_roi_positive": Metric("probability", 1),
    "purchases": Metric("count", 1),
    "referral": Metric("share", 1),
    "repeat": Metric("share", 1),
    "repeat_effect": Metric("pp", 1),
    "roi": Metric("share", 1),
    "score_difference": Metric("score", 1),
    "spend": Metric("currency", 1),
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
