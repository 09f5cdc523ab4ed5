"""What a purchase model expects of each customer: orders to come, and whether there is a customer still."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import roots_jacobi

from cxlib.checks import ParameterError
from cxlib.stats.arrays import Array
from cxlib.value import leave_after_order, leave_any_day
from cxlib.value.fitted_parameters import BOUNDARY, ONE_RATE, TOO_FEW, parameters_of
from cxlib.value.leave_after_order import checked_histories

NODES = 32


def expected_purchases(histories: pd.DataFrame, parameters: pd.DataFrame, *, periods: float) -> pd.DataFrame:
    """Orders that each customer is expected to place within the next `periods`, and the chance to be there.

    Parameters
    ----------
    histories
        As for `bg_nbd`; further columns are kept.
    parameters
        Rows of `bg_nbd` or of `pareto_nbd`.
    periods
        How far ahead, in the unit of time of the histories, ≥ 0.

    Returns
    -------
    DataFrame
        One row per history, in their order, with `estimate` (expected orders) and `p_alive` (0–1). `p_alive`
        is missing where the parameters' `note` says that it can't be told ("boundary", "one_rate"), both are
        where there are no parameters. An expectation of one customer has no interval: what that customer does
        is a draw of its own.

    Raises
    ------
    ParameterError
        Unknown column, rows that are of neither model, or `periods` below 0.
    InputError
        As `bg_nbd`.

    Notes
    -----
    BG/NBD: P(alive) times the mean of (1 − (1 + p t/(α+T))^−(r+x)) / p over p from Beta(a, b+x), by
    Gauss–Jacobi quadrature; the published hypergeometric function has a pole at a = 1. Pareto/NBD: closed
    form.

    References
    ----------
    Fader, Hardie & Lee (2005) Marketing Science 24, eq. 10; Schmittlein et al. (1987).

    Examples
    --------
    >>> rows = pd.DataFrame({"parameter": ["r", "alpha", "a", "b"], "estimate": [0.243, 4.414, 0.793, 2.426]})
    >>> one = pd.DataFrame({"x": [2], "t_x": [30.43], "age": [38.86]})
    >>> expected_purchases(one, rows, periods=39)[["estimate", "p_alive"]].round(3).values.tolist()
    [[1.226, 0.727]]
    """
    if not periods >= 0:
        raise ParameterError("customer_value.periods", value=repr(periods))
    held, _, place = checked_histories(histories)
    expect, alive = expectation(held, parameters, np.array([float(periods)]))
    notes = set(parameters["note"]) if "note" in parameters else set()
    if notes & {BOUNDARY, ONE_RATE, TOO_FEW}:
        alive = np.full_like(alive, np.nan)
    return histories.assign(estimate=expect[place, 0], p_alive=alive[place]).reset_index(drop=True)


def expectation(held: Array, parameters: pd.DataFrame, ahead: Array) -> tuple[Array, Array]:
    """Compute expected orders by each time ahead (a column each), and the chance to be there."""
    after_order = parameters_of(parameters, leave_after_order.NAMES)
    any_day = parameters_of(parameters, leave_any_day.NAMES)
    if after_order is not None:
        return _bg_nbd(held, after_order, ahead)
    if any_day is None:
        raise ParameterError(
            "customer_value.no_model", found=", ".join(map(str, parameters["parameter"].head(6)))
        )
    return _pareto_nbd(held, any_day, ahead)


def _bg_nbd(held: Array, parameters: Array, ahead: Array) -> tuple[Array, Array]:
    r, alpha, a, b = parameters
    x, t_x, age = held.T
    if not np.isfinite(parameters).all():
        return np.full((len(x), len(ahead)), np.nan), np.full(len(x), np.nan)
    counts, of = np.unique(x, return_inverse=True)
    power = r + x
    gone = np.where(x > 0, a / np.where(x > 0, b + x - 1, 1) * ((alpha + age) / (alpha + t_x)) ** power, 0)
    alive = 1 / (1 + gone)
    chances, weights = _chances(a, b, counts)
    expect = np.zeros((len(x), len(ahead)))
    for node in range(chances.shape[1]):
        p, w = chances[of, node], weights[of, node]
        for column, t in enumerate(ahead):
            expect[:, column] += w * -np.expm1(-power * np.log1p(p * t / (alpha + age))) / p
    return expect * alive[:, None], alive


def _chances(a: float, b: float, counts: Array) -> tuple[Array, Array]:
    """Chances to be gone and their weights: Beta(a, b + x) for each count, or one point where it is one."""
    if a + b > 2_000:
        return (a / (a + b + counts))[:, None], np.ones((len(counts), 1))
    pairs = [roots_jacobi(NODES, b + count - 1, a - 1) for count in counts]
    nodes = np.array([(node + 1) / 2 for node, _ in pairs])
    weights: Array = np.array([weight / weight.sum() for _, weight in pairs])
    return np.maximum(nodes, 1e-12), weights


def _pareto_nbd(held: Array, parameters: Array, ahead: Array) -> tuple[Array, NDArray[np.float64]]:
    r, alpha, s, beta = parameters
    x, t_x, age = held.T
    stay, gone = leave_any_day.log_parts(parameters, x, t_x, age)
    alive = 1 / (1 + np.exp(np.minimum(gone - stay, 700)))
    shape = s - 1 if abs(s - 1) > 1e-6 else 1e-6
    left = -np.expm1(-shape * np.log1p(ahead[None, :] / (beta + age[:, None]))) / shape
    pace = (r + x) / (alpha + age) * (beta + age)
    return pace[:, None] * left * alive[:, None], alive
