"""BG/NBD: buyers at a pace of their own who, after any order, may be gone for good."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import digamma, gammaln
from scipy.stats import chi2

from cxlib.checks import InputError
from cxlib.stats.arrays import Array
from cxlib.value.fitted_parameters import (
    BOUNDARY,
    LEAST_REPEATERS,
    ONE_RATE,
    TEST_LEVEL,
    TOO_FEW,
    Fit,
    counted_once,
    fit_positive,
    orders_per_time,
    parameter_rows,
    unknown_rows,
)

NAMES = ("r", "alpha", "a", "b")
ONE_RATE_NAMES = ("r", "alpha", "p")
HISTORY = ("x", "t_x", "age")


def bg_nbd(histories: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Fit BG/NBD: how often customers buy, and how readily they are gone after an order.

    Parameters
    ----------
    histories
        One row per customer: `x` repeat purchases (0, 1, …), `t_x` time of the last one since the first
        purchase (0 without a repeat), `age` time observed since the first purchase; one unit for both.
        Missing values are refused. Equal histories are counted once.
    conf_level
        Confidence level of the limits.

    Returns
    -------
    DataFrame
        Rows `r, alpha` (pace: a Gamma distribution with shape r and rate alpha, in the unit of time), `a, b`
        (chance to be gone after an order: a Beta distribution) and `loglik`: `parameter, estimate, std_error,
        conf_low, conf_high, n` (customers)`, note`. `note` is "boundary" (a parameter ran away, no errors),
        "one_rate" (a likelihood-ratio test does not show that customers differ in their chance to be gone:
        who has left can't be told), "too_few_repeat" (fewer than 50 repeat, no estimates) or "".

    Raises
    ------
    ParameterError
        Unknown column.
    InputError
        A missing, negative or infinite value, a last purchase later than `age`, or `t_x` without a repeat.

    Notes
    -----
    L = Γ(r+x) αʳ / Γ(r) · B(a, b+x) / B(a, b) · [(α+T)^−(r+x) + a/(b+x−1) (α+t_x)^−(r+x) if x > 0]. Limits
    are those of the logarithms. The test compares with one chance p for everybody; that lies at the boundary,
    so half of a chi-square with one degree of freedom (Self & Liang 1987), at the 5 % level.

    References
    ----------
    Fader, Hardie & Lee (2005) Marketing Science 24, 275–284.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> pace, drop = rng.gamma(0.8, 1 / 6, 2000), rng.beta(0.8, 2.4, 2000)
    >>> from cxlib.value.planted_histories import draw_histories
    >>> rows = bg_nbd(draw_histories(pace, drop, age=52, seed=2))
    >>> rows["parameter"].to_list(), rows["note"].unique().tolist()
    (['r', 'alpha', 'a', 'b', 'loglik'], [''])
    """
    held, times, _ = checked_histories(histories)
    n, repeaters = len(histories), times[held[:, 0] > 0].sum()
    if repeaters < LEAST_REPEATERS:
        return unknown_rows(NAMES, n=n, note=TOO_FEW)
    fit = fit_bg_nbd(held, times)
    note = BOUNDARY if fit.is_at_boundary else "" if differ_in_leaving(fit, held, times) else ONE_RATE
    return parameter_rows(fit, n=n, conf_level=conf_level, note=note)


def checked_histories(histories: pd.DataFrame) -> tuple[Array, Array, NDArray[np.intp]]:
    """Distinct histories, how often each occurs, and which of them each row is; refuse impossible ones."""
    held, times, place = counted_once(histories, HISTORY)
    x, t_x, age = held.T
    late, idle = t_x > age, (x == 0) != (t_x == 0)
    for bad, why in ((late, "late"), (idle, "idle")):
        if bad.any():
            count = f"{int(times[bad].sum()):,}"
            raise InputError(f"customer_value.history_{why}", count=count, rows=f"{len(histories):,}")
    return held, times, place


def fit_bg_nbd(held: Array, times: Array) -> Fit:
    """Fit BG/NBD to distinct histories and how often each occurs."""
    start = np.array([0.5, 0.5 / orders_per_time(held, times), 0.8, 2.5])
    model = _Likelihood(held, times)
    return fit_positive(model.value, NAMES, start, gradient=model.slope)


def fit_one_rate(held: Array, times: Array) -> Fit:
    """Fit the same with one chance p / (1 + p) of being gone for everybody, given as odds p."""
    x, t_x, age = held.T

    def loglik(parameters: Array) -> float:
        r, alpha, odds = parameters
        base = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - x * np.log1p(odds)
        stay = -(r + x) * np.log(alpha + age)
        gone = np.where(x > 0, np.log(odds) - (r + x) * np.log(alpha + t_x), -np.inf)
        return float(times @ (base + np.logaddexp(stay, gone)))

    return fit_positive(loglik, ONE_RATE_NAMES, np.array([0.5, 0.5 / orders_per_time(held, times), 0.2]))


def differ_in_leaving(fit: Fit, held: Array, times: Array) -> bool:
    """Whether customers are shown to differ in their chance to be gone (likelihood-ratio test)."""
    ratio = 2 * (fit.loglik - fit_one_rate(held, times).loglik)
    return bool(chi2.sf(max(ratio, 0.0), 1) / 2 < TEST_LEVEL)


class _Likelihood:
    """Log-likelihood and its slope; a class because the terms that depend on counts alone are kept."""

    def __init__(self, held: Array, times: Array) -> None:
        self.x, self.t_x, self.age = held.T
        self.times = times
        self.counts, self.of = np.unique(self.x, return_inverse=True)
        self.weight = np.bincount(self.of, times)

    def value(self, parameters: Array) -> float:
        """Sum over all histories."""
        r, alpha, a, b = parameters
        c = self.counts
        by_count = gammaln(r + c) - gammaln(r) + r * np.log(alpha)
        by_count += gammaln(a + b) - gammaln(b) + gammaln(b + c) - gammaln(a + b + c)
        stay, odds = self._parts(parameters)
        return float(self.weight @ by_count + self.times @ (stay + np.log1p(odds)))

    def slope(self, parameters: Array) -> Array:
        """Differentiate by r, alpha, a, b."""
        r, alpha, a, b = parameters
        c = self.counts
        _, odds = self._parts(parameters)
        share = self.times * odds / (1 + odds)
        late, early = alpha + self.age, alpha + self.t_x
        total, rest = self.times.sum(), self.times - share
        by_r = self.weight @ (digamma(r + c) - digamma(r)) + total * np.log(alpha)
        by_r -= rest @ np.log(late) + share @ np.log(early)
        power = r + self.x
        by_alpha = total * r / alpha - (rest * power) @ (1 / late) - (share * power) @ (1 / early)
        after = digamma(a + b) - digamma(a + b + c)
        by_a = self.weight @ after + share.sum() / a
        gone = np.bincount(self.of, share)
        with np.errstate(divide="ignore", invalid="ignore"):
            by_b = (
                self.weight @ (after - digamma(b) + digamma(b + c))
                - np.where(c > 0, gone / (b + c - 1), 0.0).sum()
            )
        return np.array([by_r, by_alpha, by_a, by_b])

    def _parts(self, parameters: Array) -> tuple[Array, Array]:
        """Log of the part of those who stay, and the odds of being gone beside it."""
        r, alpha, a, b = parameters
        power = r + self.x
        late = np.log(alpha + self.age)
        lead = np.where(self.counts > 0, np.log(a) - np.log(np.maximum(b + self.counts - 1, 1e-300)), -np.inf)
        odds = np.exp(np.minimum(lead[self.of] + power * (late - np.log(alpha + self.t_x)), 700))
        return -power * late, odds
