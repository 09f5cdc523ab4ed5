"""Shares of two arms and their difference, with intervals that know of whole regions, shops or owners."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from cxlib.initiatives.study.rollout import GROUP
from cxlib.stats.arrays import Array
from cxlib.stats.few_clusters import cluster_contrasts
from cxlib.stats.intervals import share_difference_interval, share_interval
from cxlib.stats.two_arms import ARMS


def arm_shares(
    people: pd.DataFrame,
    hit: npt.NDArray[np.bool_],
    is_over: npt.NDArray[np.bool_],
    *,
    name: str,
    horizon: int,
    conf_level: float,
) -> list[dict[str, Any]]:
    """Rows of one horizon: the share hit in each arm, and their difference.

    Parameters
    ----------
    people : DataFrame
        One row per customer: `arm`, `rollout_group` where an attribute decided.
    hit, is_over : array
        Whether it happened to each, and whether the horizon is over.
    name, horizon : str, int
        `metric` and `horizon_months` of the rows.
    conf_level : float
        Level of the intervals.

    Notes
    -----
    With groups an arm counts as n / d customers, d being the variance of its share by group (CR2) over that
    of as many independent customers, at least 1; where the share is the same in all groups, every group
    counts as one customer. Limits are those of Wilson and Newcombe at the level at which the normal quantile
    is Student's t for the degrees of freedom of the difference.
    """
    sides = {arm: (people["arm"] == arm).to_numpy() for arm in ARMS}
    sizes = {arm: int(side.sum()) for arm, side in sides.items()}
    counts = {
        arm: (float((hit & side & is_over).sum()), float((side & is_over).sum()))
        for arm, side in sides.items()
    }
    extra: dict[str, dict[str, float]] = {arm: {} for arm in (*ARMS, "difference")}
    level = conf_level
    if GROUP in people and min(sizes.values()) and is_over.all():
        group = people[GROUP].to_numpy()
        fewer = {arm: _effective(hit[side].astype(float), group[side]) for arm, side in sides.items()}
        df = _freedom(sides["treatment"], group)
        counts = {arm: (hits / n * fewer[arm], fewer[arm]) for arm, (hits, n) in counts.items()}
        extra = {arm: {"n_effective": fewer[arm], "df": df} for arm in ARMS}
        extra["difference"] = {"n_effective": sum(fewer.values()), "df": df}
        level = student_level(conf_level, df)
    found = {arm: share_interval(*pair, conf_level=level) for arm, pair in counts.items()}
    found["difference"] = share_difference_interval(
        *counts["treatment"], *counts["control"], conf_level=level
    )
    sizes["difference"] = sum(sizes.values())
    return [
        {"horizon_months": horizon, "arm": arm, "metric": name, **interval._asdict(), "n": sizes[arm],
         **extra[arm]}
        for arm, interval in found.items()
    ]  # fmt: skip


def student_level(conf_level: float, df: float) -> float:
    """Level at which the normal quantile is as far out as Student's t at `conf_level`."""
    wide = float(stats.t.ppf((1 + conf_level) / 2, df)) if df >= 1 else np.inf
    return float(min(2 * stats.norm.cdf(wide) - 1, 1 - 1e-12))


def _effective(hit: Array, group: npt.NDArray[Any]) -> float:
    """Count the independent customers whose share would vary as much as this one of whole groups."""
    n, groups = len(hit), len(np.unique(group))
    share = float(hit.mean())
    _, covariance, _ = cluster_contrasts(np.ones((n, 1)), hit[:, None], group, np.ones(1))
    variance = float(covariance[0, 0])
    if not variance > 0:
        return float(groups)
    return cast("float", min(max(share * (1 - share) / variance, 1.0), float(n)))


def _freedom(treated: npt.NDArray[np.bool_], group: npt.NDArray[Any]) -> float:
    """Degrees of freedom of a difference of two means by group (Satterthwaite)."""
    design = np.column_stack([np.ones(len(treated)), treated]).astype(float)
    return cluster_contrasts(design, np.zeros((len(treated), 1)), group, np.array([0.0, 1.0]))[2]
