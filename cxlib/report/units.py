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
    "amount_change": Metric("currency", 1),
    "amount_effect": Metric("currency", 1),
    "amount_explained": Metric("share", 1),
    "amount_gap": Metric("currency"),
    "amount_others": Metric("currency"),
    "amount_referred": Metric("currency"),
    "amount_share": Metric("share"),
    "answered": Metric("share", 1),
    "area": Metric("score", 1),
    "benefit": Metric("currency", 1),
    "better": Metric("share", 1),
    "break_even_effect": Metric("currency"),
    "captured": Metric("share", 1),
    "ces": Metric("score"),
    "ces_change": Metric("score"),
    "checklist": Metric("share"),
    "churn": Metric("share", -1),
    "compliance": Metric("share", 1),
    "contacted": Metric("share", 1),
    "cost": Metric("currency", -1),
    "cramers_v": Metric("ratio"),
    "csat": Metric("share", 1),
    "csat_change": Metric("pp", 1),
    "customer_share": Metric("share"),
    "depth": Metric("score", -1),
    "difference": Metric("pp"),
    "dominant_share": Metric("share"),
    "end": Metric("score", 1),
    "exit": Metric("share", -1),
    "f2": Metric("share", 1),
    "frequency": Metric("count", 1),
    "gap": Metric("ratio"),
    "gap_slope": Metric("pp", 1),
    "gini": Metric("ratio"),
    "hit_rate": Metric("share", 1),
    "in_touch": Metric("share", 1),
    "irr_annual": Metric("share", 1),
    "known_share": Metric("share", 1),
    "lapse": Metric("share", -1),
    "lift": Metric("ratio", 1),
    "loss": Metric("score", -1),
    "lost": Metric("share", -1),
    "margin_effect": Metric("currency", 1),
    "mean_change": Metric("score"),
    "median_days": Metric("days"),
    "middle_gap": Metric("currency"),
    "middle_mean": Metric("currency", 1),
    "middle_others": Metric("currency"),
    "middle_referred": Metric("currency"),
    "mix": Metric("points"),
    "monetary_total": Metric("currency", 1),
    "moved_share": Metric("share"),
    "naive_difference": Metric("pp"),
    "net": Metric("currency", 1),
    "net_shrunk": Metric("currency", 1),
    "next_amount": Metric("currency", 1),
    "next_purchase": Metric("share", 1),
    "nps": Metric("points", 1),
    "nps_bounds": Metric("points"),
    "nps_change": Metric("points", 1),
    "nps_heard": Metric("points", 1),
    "npv": Metric("currency", 1),
    "open": Metric("share"),
    "opt_out": Metric("share", -1),
    "orders_effect": Metric("number", 1),
    "paired": Metric("valence", 1),
    "payback_months": Metric("months", -1),
    "peak": Metric("score", 1),
    "peak_end": Metric("score", 1),
    "pooled": Metric("valence", 1),
    "prevalence": Metric("share"),
    "prob_roi_positive": Metric("probability", 1),
    "purchases": Metric("count", 1),
    "rate": Metric("points", 1),
    "rate_ratio": Metric("ratio"),
    "rated": Metric("share", 1),
    "recency_days": Metric("days", -1),
    "referral": Metric("share", 1),
    "referred_share": Metric("share"),
    "repeat": Metric("share", 1),
    "repeat_effect": Metric("pp", 1),
    "repeat_explained": Metric("share", 1),
    "repeat_gap": Metric("pp", 1),
    "repeat_rate": Metric("share", 1),
    "repeat_ratio": Metric("ratio", 1),
    "response": Metric("share", 1),
    "rmst": Metric("days", -1),
    "rmst_difference": Metric("days", -1),
    "roi": Metric("share", 1),
    "score_difference": Metric("score"),
    "share": Metric("share"),
    "share_of_value": Metric("share"),
    "share_uneven": Metric("share", -1),
    "slope": Metric("score", 1),
    "spend": Metric("currency", 1),
    "spread": Metric("score", -1),
    "stability": Metric("ratio", 1),
    "stalled": Metric("share", -1),
    "stay": Metric("share"),
    "top_share": Metric("share"),
    "total": Metric("points", 1),
    "transition": Metric("share"),
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


def of_difference(metric: object) -> str:
    """Return the unit of a difference of two estimates of a metric: points of percent for shares.

    Examples
    --------
    >>> of_difference("repeat_rate"), of_difference("lift")
    ('pp', 'ratio')
    """
    unit = of_estimate(metric)
    return "pp" if unit == "share" else unit
