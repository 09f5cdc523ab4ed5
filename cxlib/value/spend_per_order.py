"""Gamma–Gamma: what an order of a customer brings, drawn towards the others' the fewer orders there are."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import digamma, gammaln

from cxlib.checks import InputError, check_columns
from cxlib.stats.arrays import Array
from cxlib.stats.intervals import critical_value
from cxlib.value.fitted_parameters import (
    BOUNDARY,
    LEAST_REPEATERS,
    TOO_FEW,
    Fit,
    counted_once,
    fit_positive,
    parameter_rows,
    parameters_of,
    unknown_rows,
)

NAMES = ("p", "q", "v")
#: What `note` says: the mean does not exist (q ≤ 1); how often and how much are too closely linked.
NO_MEAN, CORRELATED = "no_mean", "correlated"
#: A correlation of frequency and value whose whole interval lies beyond this is too close for the model.
MOST_CORRELATION = 0.2


def gamma_gamma(spend: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Fit Gamma–Gamma: how much an order brings, and how customers differ in it.

    Parameters
    ----------
    spend
        One row per customer: `x` repeat purchases, `mean_value` what a repeat purchase brought on average, in
        currency. The first purchase takes no part. Rows with `x` 0, or a mean that is missing or not above 0,
        are left out: `n` says how many stayed.
    conf_level
        Confidence level of the limits.

    Returns
    -------
    DataFrame
        Rows `p, q, v` (v in currency) and `loglik`: `parameter, estimate, std_error, conf_low, conf_high, n,
        note`. `note` is "no_mean" (q is not shown to be above 1: no mean value can be told), "correlated"
        (who buys often spends otherwise: correlation beyond ±0.2 with its whole interval), "boundary",
        "too_few_repeat" or "".

    Raises
    ------
    ParameterError
        Unknown column.
    InputError
        An infinite value, or a negative or missing count.

    Notes
    -----
    f = 1 / (z B(px, q)) · (v/(v+xz))^q · (xz/(v+xz))^(px). Mean of all: pv/(q−1); of a customer:
    p (v + xz) / (px + q − 1). How often and how much must not depend on each other.

    References
    ----------
    Fader & Hardie (2013) The Gamma-Gamma model of monetary value, note 025.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> mean = rng.gamma(6, 1 / rng.gamma(4, 1 / 15, 500))
    >>> rows = gamma_gamma(pd.DataFrame({"x": 1, "mean_value": mean}))
    >>> rows["parameter"].to_list()
    ['p', 'q', 'v', 'loglik']
    """
    fit, note, n = fitted_spend(spend, conf_level=conf_level)
    if fit is None:
        return unknown_rows(NAMES, n=n, note=note)
    return parameter_rows(fit, n=n, conf_level=conf_level, note=note)


def fitted_spend(spend: pd.DataFrame, *, conf_level: float) -> tuple[Fit | None, str, int]:
    """Fit, what is to be said of it, and the customers it rests on."""
    check_columns(spend, x="x", mean_value="mean_value")
    value = pd.to_numeric(spend["mean_value"]).to_numpy(float, na_value=np.nan)
    if bad := int(np.isinf(value).sum()):
        raise InputError("customer_value.not_counted", column="mean_value", count=bad, rows=f"{len(spend):,}")
    kept = spend[(spend["x"] > 0) & (value > 0)]
    if len(kept) < LEAST_REPEATERS:
        return None, TOO_FEW, len(kept)
    held, times, _ = counted_once(kept, ("x", "mean_value"))
    fit = fit_gamma_gamma(held, times)
    q, error = fit.estimate[1], fit.covariance[1, 1] ** 0.5
    note = BOUNDARY if fit.is_at_boundary else ""
    if not q * np.exp(-critical_value(conf_level) * np.nan_to_num(error)) > 1:
        note = NO_MEAN
    elif not note and is_correlated(kept, conf_level=conf_level):
        note = CORRELATED
    return fit, note, len(kept)


def fit_gamma_gamma(held: Array, times: Array) -> Fit:
    """Fit to distinct pairs of count and mean value, and how often each occurs."""
    x, z = held.T
    scale = float(times @ z / times.sum())
    total = x * z / scale
    constant = float(times @ np.log(z))

    def loglik(parameters: Array) -> float:
        p, q, v = parameters
        each = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
        each += p * x * np.log(total) - (p * x + q) * np.log(v + total)
        return float(times @ each) - constant

    def slope(parameters: Array) -> Array:
        p, q, v = parameters
        whole, late = digamma(p * x + q), np.log(v + total)
        by_p = x * (whole - digamma(p * x) + np.log(total) - late)
        by_q = whole - digamma(q) + np.log(v) - late
        by_v = q / v - (p * x + q) / (v + total)
        return np.array([times @ by_p, times @ by_q, times @ by_v])

    fit = fit_positive(loglik, NAMES, np.array([4.0, 4.0, 1.0]), gradient=slope)
    return Fit(NAMES, fit.estimate * np.array([1.0, 1.0, scale]), fit.covariance, fit.loglik)


def is_correlated(kept: pd.DataFrame, *, conf_level: float) -> bool:
    """Whether frequency and value are linked beyond `MOST_CORRELATION`, with the whole interval.

    Fisher's z of the rank correlation, which no single customer carries.
    """
    if kept["x"].nunique() < 2 or len(kept) < 10:
        return False
    rank = float(stats.spearmanr(kept["x"], kept["mean_value"]).statistic)
    half = critical_value(conf_level) * np.sqrt((1 + rank**2 / 2) / (len(kept) - 3))
    return bool(np.tanh(abs(np.arctanh(np.clip(rank, -0.999, 0.999))) - half) > MOST_CORRELATION)


def mean_values(spend: pd.DataFrame, parameters: pd.DataFrame) -> pd.Series:
    """Tell what a future order of each customer will bring on average, in the currency of `mean_value`.

    Parameters
    ----------
    spend
        As for `gamma_gamma`; a customer without repeat purchase gets the mean of all.
    parameters
        Rows of `gamma_gamma`.

    Returns
    -------
    Series
        Same index; missing where the rows carry the note "no_mean" or no estimates.

    Examples
    --------
    >>> rows = pd.DataFrame({"parameter": ["p", "q", "v"], "estimate": [6.25, 3.74, 15.44]})
    >>> mean_values(pd.DataFrame({"x": [2, 0], "mean_value": [22.35, None]}), rows).round(2).to_list()
    [24.66, 35.22]
    """
    check_columns(spend, x="x", mean_value="mean_value")
    known = parameters_of(parameters, NAMES)
    if known is None or (parameters.get("note", pd.Series(dtype=str)) == NO_MEAN).any():
        return pd.Series(np.nan, index=spend.index, name="value_per_order")
    p, q, v = known
    x, z = spend["x"].to_numpy(float), spend["mean_value"].to_numpy(float, na_value=np.nan)
    x = np.where((x > 0) & (z > 0), x, 0.0)
    worth = p * (v + x * np.where(x > 0, z, 0.0)) / (p * x + q - 1)
    return pd.Series(worth, index=spend.index, name="value_per_order")
