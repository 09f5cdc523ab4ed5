"""Pareto/NBD: buyers at a pace of their own who may be gone on any day, not only after an order."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import gammaln

from cxlib.stats.arrays import Array
from cxlib.value.fitted_parameters import (
    BOUNDARY,
    LEAST_REPEATERS,
    TOO_FEW,
    fit_positive,
    orders_per_time,
    parameter_rows,
    unknown_rows,
)
from cxlib.value.leave_after_order import checked_histories

NAMES = ("r", "alpha", "s", "beta")
_NODES, _WEIGHTS = (np.asarray(part, dtype=float) for part in np.polynomial.legendre.leggauss(32))


def pareto_nbd(histories: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Fit Pareto/NBD: how often customers buy, and how long they stay.

    Parameters
    ----------
    histories, conf_level
        As in `bg_nbd`.

    Returns
    -------
    DataFrame
        As `bg_nbd`: rows `r, alpha` (pace), `s, beta` (risk to be gone, a Gamma distribution with shape s and
        rate beta, in the unit of time) and `loglik`; `note` is "boundary", "too_few_repeat" or "".

    Raises
    ------
    ParameterError, InputError
        As `bg_nbd`.

    Notes
    -----
    L = Γ(r+x) αʳ βˢ / Γ(r) · [(α+T)^−(r+x) (β+T)^−s + s ∫ (α+τ)^−(r+x) (β+τ)^−(s+1) dτ, τ from t_x to T]. The
    integral is done by Gauss–Legendre quadrature of ((α+τ)/(β+τ))^(s+1), which is bounded, in place of the
    published hypergeometric function with its two cases.

    References
    ----------
    Schmittlein, Morrison & Colombo (1987) Management Science 33, 1–24; Fader & Hardie (2005) A note on
    deriving the Pareto/NBD model.

    Examples
    --------
    >>> from cxlib.value.planted_histories import draw_histories
    >>> pace = np.random.default_rng(1).gamma(0.8, 1 / 6, 800)
    >>> pareto_nbd(draw_histories(pace, 0.2, age=52, seed=2))["parameter"].to_list()
    ['r', 'alpha', 's', 'beta', 'loglik']
    """
    held, times, _ = checked_histories(histories)
    n = len(histories)
    if times[held[:, 0] > 0].sum() < LEAST_REPEATERS:
        return unknown_rows(NAMES, n=n, note=TOO_FEW)
    x, t_x, age = held.T

    def loglik(parameters: Array) -> float:
        r, alpha, s, beta = parameters
        stay, gone = log_parts(parameters, x, t_x, age)
        base = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
        return float(times @ (base + np.logaddexp(stay, gone)))

    start = np.array([0.5, 0.5 / orders_per_time(held, times), 0.5, float(age.max()) / 4])
    fit = fit_positive(loglik, NAMES, start)
    return parameter_rows(fit, n=n, conf_level=conf_level, note=BOUNDARY if fit.is_at_boundary else "")


def log_parts(parameters: Array, x: Array, t_x: Array, age: Array) -> tuple[Array, Array]:
    """Log of the part of those still there, and of those gone since their last purchase.

    Examples
    --------
    >>> one = np.ones(1)
    >>> stay, gone = log_parts(np.array([1.0, 1.0, 1.0, 1.0]), 0 * one, 0 * one, one)
    >>> round(float(np.exp(stay[0])), 3), round(float(np.exp(gone[0])), 3)
    (0.25, 0.375)
    """
    r, alpha, s, beta = parameters
    stay = -(r + x) * np.log(alpha + age) - s * np.log(beta + age)
    power = r + s + x
    early, late = alpha + t_x, alpha + age
    bend = np.minimum(power, 4)  # u = y^bend is smooth down to 0, and not too steep near 1
    lowest = (early / late) ** (power / bend)
    mean = np.zeros(len(x))
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        y = lowest + (1 - lowest) * (node + 1) / 2
        pace = early * y ** (-bend / power)
        mean += weight / 2 * bend * y ** (bend - 1) * (pace / (pace + beta - alpha)) ** (s + 1)
    with np.errstate(divide="ignore"):
        gone = np.log(s / power) - power * np.log(early) + np.log1p(-lowest) + np.log(mean)
    return stay, gone
