"""Forecasts of a series from itself: the same month a year ago, and exponential smoothing."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from cxlib.stats.arrays import Array
from cxlib.stats.intervals import Interval, critical_value

#: Whole years a season is learnt from at the least; with two, one year's chance is the season.
LEAST_SEASONS = 3
#: Decimals of the mean month that a search settles alike on every machine; its slopes are differences.
_DIGITS = 5


def seasonal_naive(values: Array, horizon: int, *, season: int = 12, level: float = 0.8) -> Interval:
    """Forecast each month by the same month of the last year; by the last month where there is no year.

    Parameters
    ----------
    values : array
        The series, oldest first.
    horizon : int
        Months ahead, from 1.
    season : int
        Months in a year.
    level : float
        Level of the interval.

    Returns
    -------
    Interval
        Arrays of `horizon` forecasts; errors and limits NaN with fewer than three differences.

    Notes
    -----
    Error √(mean squared difference to a year ago · years ahead), by Student's t with as many degrees of
    freedom as differences; so a steady rise, which this forecast misses, widens it.

    References
    ----------
    Hyndman & Athanasopoulos (2021) Forecasting: Principles and Practice, 5.2 and 5.5.

    Examples
    --------
    >>> seasonal_naive(np.array([1.0, 2, 3, 1, 2, 4, 2, 2, 3]), 2, season=3).estimate.tolist()
    [2.0, 2.0]
    """
    lag = season if len(values) > season else 1
    ahead = np.arange(horizon)
    estimate = values[len(values) - lag + ahead % lag]
    off = values[lag:] - values[:-lag]
    if len(off) < 3:
        return Interval(estimate, *np.full((3, horizon), np.nan))
    error = np.sqrt((off**2).mean() * (ahead // lag + 1))
    half = critical_value(level, df=len(off)) * error
    return Interval(estimate, error, estimate - half, estimate + half)


def exponential_smoothing(values: Array, horizon: int, *, season: int = 12, level: float = 0.8) -> Interval:
    """Forecast by exponential smoothing: a level, with a damped trend or a season where they pay (AICc).

    Parameters
    ----------
    values, horizon, season, level
        As `seasonal_naive`. A season is tried from three whole years on only.

    Returns
    -------
    Interval
        Arrays of `horizon` forecasts; all NaN with fewer than eight months.

    Notes
    -----
    Additive state space models (statsmodels), the one of smallest AICc. Their variance is that of maximum
    likelihood; times (n + k) / (n − k) for n months and k parameters it is the error of a forecast (Akaike).
    Limits are Student's.

    References
    ----------
    Hyndman, Koehler, Ord & Snyder (2008) Forecasting with Exponential Smoothing; Akaike (1969) Annals of the
    Institute of Statistical Mathematics 21, 243–247.

    Examples
    --------
    >>> flat = np.random.default_rng(1).normal(100, 2, 24)
    >>> exponential_smoothing(flat, 1).estimate.round(-1).tolist()
    [100.0]
    """
    nothing = Interval(*np.full((4, horizon), np.nan))
    scale = float(np.abs(values).mean())
    if len(values) < 8 or scale == 0:
        return nothing
    kinds: list[dict[str, object]] = [{}, {"trend": "add", "damped_trend": True}]
    if len(values) >= LEAST_SEASONS * season:
        kinds += [one | {"seasonal": "add", "seasonal_periods": season} for one in kinds[:2]]
    fits = [fit for kind in kinds if (fit := _smoothed(values / scale, kind, horizon)) is not None]
    if not fits:
        return nothing
    _, mean, error, df = min(fits, key=lambda fit: fit[0])
    half = critical_value(level, df=df) * error
    return Interval(*(part * scale for part in (mean, error, mean - half, mean + half)))


def _smoothed(values: Array, kind: dict[str, object], horizon: int) -> tuple[float, Array, Array, int] | None:
    """AICc, forecasts, their errors and degrees of freedom of one model; None where months are too few."""
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a search that ends at a bound is judged by its AICc
        fit = ETSModel(pd.Series(values), **kind).fit(disp=0, maxiter=200, factr=10, pgtol=1e-9)
        n, k = len(values), len(fit.params)
        if n - k < 4 or not np.isfinite(fit.llf):
            return None
        ahead = fit.get_prediction(start=n, end=n + horizon - 1)
        variance = np.asarray(ahead.forecast_variance, dtype=float) * (n + k) / (n - k)
    aicc = -2 * fit.llf + 2 * (k + 1) * n / (n - k - 2)
    mean = np.asarray(ahead.predicted_mean, dtype=float)
    return float(aicc), mean.round(_DIGITS), np.sqrt(variance).round(_DIGITS), n - k
