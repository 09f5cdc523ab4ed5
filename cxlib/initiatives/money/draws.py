"""Monthly benefit and cost of an initiative, with joint draws of the benefit: behind every figure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.checks import ParameterError, check_columns
from cxlib.stats.arrays import Array
from cxlib.stats.joint_bands import draws_root

DRAWS = 10_000


@dataclass(frozen=True)
class Flows:
    """Money per month (0 = the start), draws × months of benefit; a class to name the kinds of cost."""

    benefit: Array
    once: Array
    running: Array
    people: Array
    drawn: Array

    @property
    def cost(self) -> Array:
        """All costs together."""
        return self.once + self.running + self.people


def joint_flows(
    effects: pd.DataFrame,
    costs: dict[str, float],
    cannibalised_share: float,
    covariance: Array | None,
    draws: int,
    seed: int,
) -> Flows:
    """Compute money per month from effects per customer; `costs` holds the three kinds by name.

    The draws are Student's t with the `df` of the effects (normal without the column), as the intervals of
    the effects themselves are: one χ² for all months of a draw. The cannibalised share is taken off a gain
    (`keep_gain`), draw by draw and by the total of its months.
    """
    check_effects(effects)
    check_costs(costs)
    check_share("cannibalised_share", cannibalised_share)
    if draws < 1:
        raise ParameterError("roi.draws", found=f"{draws}")
    size = effects["n_treated"].to_numpy(float)
    mean = effects["estimate"].to_numpy(float)
    matrix = np.nan_to_num(covariance_of(effects, covariance))
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((draws, len(mean))) @ draws_root(matrix)
    df = degrees_of_freedom(effects)
    if np.isfinite(df):
        noise *= np.sqrt(df / rng.chisquare(df, draws))[:, None]
    months = running_months(effects)
    nothing = np.zeros(1 + len(mean))
    once, running, people = nothing.copy(), nothing.copy(), nothing.copy()
    once[0], running[1:] = costs["one_time_cost"], costs["monthly_cost"] * months
    people[1:] = costs["people_cost_monthly"] * months
    drawn = np.hstack([np.zeros((draws, 1)), (mean + noise) * size])
    benefit = np.concatenate([[0.0], mean * size])
    kept = keep_gain(drawn.sum(axis=1), cannibalised_share)[:, None]
    return Flows(benefit * keep_gain(benefit.sum(), cannibalised_share), once, running, people, drawn * kept)


def keep_gain(total: npt.ArrayLike, cannibalised_share: float) -> Array:
    """Part of a total that counts: of a gain what is not taken from other sales, of a loss all of it.

    A loss of the treated says nothing about sales elsewhere, and a share given back would make a harmful
    initiative look better. The total that counts grows with the total, so quantiles keep their order.

    Examples
    --------
    >>> keep_gain([10.0, -10.0], 0.25).tolist()
    [0.75, 1.0]
    """
    return np.where(np.asarray(total, float) > 0, 1 - cannibalised_share, 1.0)


def degrees_of_freedom(effects: pd.DataFrame) -> float:
    """Fewest degrees of freedom of the effects (`df`); infinite (normal) where the column is missing."""
    if "df" not in effects or not effects["df"].notna().any():
        return float("inf")
    return max(float(effects["df"].min()), 1.0)


def running_months(effects: pd.DataFrame) -> Array:
    """Months of running cost that fall on each month of the effect: `cost_months`, or 1."""
    if "cost_months" not in effects:
        return np.ones(len(effects))
    return effects["cost_months"].to_numpy(float)


def covariance_of(effects: pd.DataFrame, covariance: Array | None) -> Array:
    """Joint covariance of the monthly effects: the one given, or independent months."""
    if covariance is None:
        return np.diag(effects["std_error"].to_numpy(float) ** 2)
    matrix = np.asarray(covariance, float)
    if matrix.shape != (len(effects), len(effects)):
        shape = " × ".join(str(side) for side in matrix.shape)
        raise ParameterError("roi.covariance", found=shape, wanted=f"{len(effects)} × {len(effects)}")
    return matrix


def check_effects(effects: pd.DataFrame) -> None:
    """Raise for effects that are not numbers, and for errors and customer counts below zero."""
    check_columns(effects, estimate="estimate", std_error="std_error", n_treated="n_treated")
    values = {name: effects[name].to_numpy(float) for name in ("estimate", "std_error", "n_treated")}
    wrong = {
        "estimate": ~np.isfinite(values["estimate"]),
        "std_error": (values["std_error"] < 0) | np.isinf(values["std_error"]),
        "n_treated": ~(np.isfinite(values["n_treated"]) & (values["n_treated"] >= 0)),
    }
    for column, rows in wrong.items():
        if rows.any():
            first = int(np.flatnonzero(rows)[0]) + 1
            raise ParameterError("roi.effects", column=column, found=f"{rows.sum():,}", first=f"{first:,}")


def check_costs(costs: dict[str, float]) -> None:
    """Raise for a cost that is negative or not a number."""
    for argument, value in costs.items():
        if not np.isfinite(value) or value < 0:
            raise ParameterError("roi.negative", argument=argument, found=f"{value:g}")


def check_share(argument: str, value: float) -> None:
    """Raise for a share outside 0 to 1."""
    if not 0 <= value <= 1:
        raise ParameterError("roi.share", argument=argument, found=f"{value:g}")


def check_level(conf_level: float) -> None:
    """Raise for a level that is not between 0 and 1."""
    if not 0 < conf_level < 1:
        raise ParameterError("roi.level", argument="conf_level", found=f"{conf_level:g}")
