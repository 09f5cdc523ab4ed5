"""The effect month by month: gaps to look at, drift before the start, and what a cash flow is built from."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.initiatives.doubt.sensitivity import relative_magnitudes
from cxlib.initiatives.effect.ladder import has_comparison, wave_effects
from cxlib.initiatives.effect.randomised import adjusted_contrasts
from cxlib.initiatives.effect.two_periods import mean_row
from cxlib.initiatives.study.rollout import GROUP, cluster_of
from cxlib.stats.arrays import Array
from cxlib.stats.event_study.aggregates import AttResult
from cxlib.stats.intervals import Interval
from cxlib.stats.welch import welch_df


def monthly_gap(
    panel: pd.DataFrame,
    *,
    outcome_col: str = "margin",
    horizon_months: int = 12,
    conf_level: float = 0.95,
    seed: int = 7,
) -> pd.DataFrame:
    """Treatment minus control in each month around the start, with a band that holds for all months at once.

    Parameters
    ----------
    panel, outcome_col, conf_level
        As in `evidence_ladder`.
    horizon_months : int
        Last month shown is `horizon_months` − 1 after the start.
    seed : int
        Of the draws behind the band.

    Returns
    -------
    DataFrame
        `event_time` (months since the customer's start), `metric, estimate, std_error, conf_low, conf_high,
        n` (treated customers). Compared with the mean of the months before the start, so that the gaps before
        it lie around zero by construction: look at their shape. Empty without a comparison group.
    """
    result = wave_effects(panel, outcome_col, conf_level)
    if result is None:
        return pd.DataFrame(columns=["event_time", "metric", *Interval._fields, "n"])
    rows = result.aggregate("dynamic", band="simultaneous", seed=seed).iloc[1:]
    shown = rows[rows["event_time"].between(-12, horizon_months - 1)].assign(metric=outcome_col)
    return shown.astype({"event_time": int})[["event_time", "metric", *Interval._fields, "n"]].reset_index(
        drop=True
    )


def parallel_trends(panel: pd.DataFrame, *, outcome_col: str = "margin") -> pd.DataFrame:
    """Test that treatment and control moved alike before the start (`AttResult.pretrend`, small samples)."""
    result = wave_effects(panel, outcome_col, 0.95)
    if result is None:
        empty = {"metric": "pretrend", "statistic": np.nan, "df": 0, "df_residual": np.nan, "p_value": np.nan}
        return pd.DataFrame([empty])
    return result.pretrend(small_sample=True)


def drift_bounds(
    panel: pd.DataFrame, *, outcome_col: str = "margin", horizon_months: int = 12, conf_level: float = 0.95
) -> pd.DataFrame:
    """Bound the effect if the groups drift apart (`relative_magnitudes`); empty without controls."""
    result = wave_effects(panel, outcome_col, conf_level)
    if result is None or horizon_months < 1:
        return pd.DataFrame()
    return relative_magnitudes(result, horizon_months=horizon_months, conf_level=conf_level)


def monthly_effects(
    panel: pd.DataFrame, *, assignment: str, horizon_months: int, outcome_col: str = "margin"
) -> tuple[pd.DataFrame, Array]:
    """Effect in each month since the customer's own start, and their covariance: the input of a cash flow.

    Returns
    -------
    DataFrame, array
        `month` (0 = first month with the initiative), `estimate` (per treated customer and month),
        `std_error`, `n_treated` (customers counted), `df` (degrees of freedom of the error, for Student's t),
        `cost_months` (months of running cost that fall on it); and the covariance of the estimates. The rung
        is the one that answers in `evidence_ladder`, clustered where that is, and the mean over the months
        equals its estimate; no error or covariance where that rung has none. Empty without a comparison
        group: a change is not an effect.

    Notes
    -----
    For waves both money and effect count each customer's own months, of the waves observed that long. A month
    of the programme costs its fee once, shared equally among the customers treated in it; `cost_months` adds
    up these shares, so it is above 1 where the first months of several waves lie in different months.
    """
    nothing = pd.DataFrame(columns=["month", "estimate", "std_error", "n_treated", "df", "cost_months"])
    if assignment == "everyone" or not has_comparison(panel) or horizon_months < 1:
        return nothing, np.empty((0, 0))
    if assignment == "randomised":
        frame, covariance = _randomised_months(panel, horizon_months, outcome_col)
        return frame.assign(cost_months=1.0), covariance
    result = wave_effects(panel, outcome_col, 0.95)
    if result is None or ("found" in panel and panel["found"].any()):
        return nothing, np.empty((0, 0))
    effects, covariance = result.event_study(horizon_months)
    factor: float
    df: float | pd.Series
    factor, df = _small_sample(effects["n_treated"].max(), result.estimates["n_control"].min())
    overall = result.aggregate("dynamic", horizon_months=horizon_months)
    if result.spread.is_clustered:
        factor, df = 1.0, effects["df"]
    if np.isnan(overall["std_error"].iloc[0]):
        factor = np.nan
    months = effects["event_time"].to_numpy(int)
    frame = pd.DataFrame(
        {
            "month": months, "estimate": effects["estimate"], "std_error": effects["std_error"] * factor**0.5,
            "n_treated": effects["n_treated"], "df": df,
            "cost_months": _cost_months(result, months, horizon_months),
        }
    )  # fmt: skip
    return frame, covariance * factor


def _small_sample(n_treated: float, n_control: float) -> tuple[float, float]:
    """Variance of two means with n − 1 over that with n, and Welch's degrees of freedom, at equal spread."""
    sizes = np.array([n_treated, n_control], dtype=float)
    if not (sizes >= 2).all():
        return 1.0, np.nan
    parts = 1 / (sizes - 1)
    return float(parts.sum() / (1 / sizes).sum()), float(welch_df(parts, sizes - 1))


def _cost_months(result: AttResult, months: Array, horizon: int) -> Array:
    sizes = dict(zip(result.starts, result.sizes, strict=True))
    start, event = (result.estimates[name].to_numpy(float) for name in ("start", "event_time"))
    counted = np.unique(start[event >= horizon - 1])
    return np.array(
        [
            sum(sizes[own] / sum(n for start, n in sizes.items() if start <= own + month) for own in counted)
            for month in months
        ]
    )


def _randomised_months(panel: pd.DataFrame, horizon: int, outcome_col: str) -> tuple[pd.DataFrame, Array]:
    groups = [] if cluster_of(panel) is None else [GROUP]
    wide = panel.pivot_table(index=["customer_id", "arm", *groups], columns="month", values=outcome_col)
    months, values = wide.columns.to_numpy(int), wide.to_numpy(float)
    arm = (wide.index.get_level_values("arm") == "treatment").astype(float)
    inside, before = (months >= 0) & (months < horizon), values[:, months < 0]
    known = before.mean(axis=1, keepdims=True) if before.size else np.empty((len(arm), 0))
    cluster = wide.index.get_level_values(GROUP).to_numpy() if groups else None
    estimates, covariance, df = adjusted_contrasts(values[:, inside], arm, known, cluster)
    frame = pd.DataFrame(
        {"month": months[inside], "estimate": estimates, "std_error": np.sqrt(np.diag(covariance)),
         "n_treated": int(arm.sum()), "df": df}
    )  # fmt: skip
    return frame, covariance


def arm_months(panel: pd.DataFrame, *, outcome_col: str = "margin", conf_level: float = 0.95) -> pd.DataFrame:
    """Mean outcome per customer of each arm and month since the start of the initiative, with interval.

    Returns
    -------
    DataFrame
        `arm, month, metric, estimate, std_error, conf_low, conf_high, n`.
    """
    rows = [
        {"arm": arm, "month": month, "metric": outcome_col, **mean_row(part.to_numpy(float), conf_level)}
        for (arm, month), part in panel.groupby(["arm", "month"], sort=True)[outcome_col]
    ]
    columns = ["arm", "month", "metric", *Interval._fields, "n"]
    return pd.DataFrame(rows, columns=columns).sort_values(
        ["arm", "month"], ascending=[False, True], ignore_index=True
    )
