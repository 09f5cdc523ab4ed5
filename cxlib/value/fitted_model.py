"""The purchase model that a value rests on: BG/NBD, or one chance of leaving where no more is shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.stats.arrays import Array
from cxlib.value.expected_orders import expectation
from cxlib.value.fitted_parameters import BOUNDARY, FAR, LEAST_REPEATERS, ONE_RATE, TOO_FEW, Fit
from cxlib.value.leave_after_order import (
    checked_histories,
    differ_in_leaving,
    fit_bg_nbd,
    fit_one_rate,
)


@dataclass(frozen=True)
class PurchaseModel:
    """A fitted model, what `note` says of it, and its customers; a class because value needs all of it.

    Attributes
    ----------
    fit
        Parameters and their covariance on the log scale.
    note
        "" (customers differ in leaving), "one_rate" (not shown to), "boundary" or "too_few_repeat".
    n
        Customers.
    """

    fit: Fit | None
    note: str
    n: int

    def expected(self, held: Array, ahead: Array, logs: Array | None = None) -> Array:
        """Orders of distinct histories by each time ahead, a column each; at other log values if asked."""
        assert self.fit is not None
        values = self.fit.estimate if logs is None else np.exp(logs)
        if len(values) == 3:
            return _one_rate(held, values, ahead)
        rows = pd.DataFrame({"parameter": self.fit.names, "estimate": values})
        return expectation(held, rows, ahead)[0]

    def covariance(self) -> Array:
        """Covariance on the log scale; a parameter that ran away is taken as known."""
        assert self.fit is not None
        far = (self.fit.estimate > FAR) | (self.fit.estimate < 1 / FAR)
        found = np.nan_to_num(self.fit.covariance)
        found[far, :] = found[:, far] = 0.0
        return found


def purchase_model(histories: pd.DataFrame) -> PurchaseModel:
    """Fit what the histories allow: BG/NBD where customers are shown to differ in leaving, else one chance.

    Examples
    --------
    >>> from cxlib.value.planted_histories import draw_histories
    >>> pace = np.random.default_rng(1).gamma(0.8, 1 / 6, 800)
    >>> purchase_model(draw_histories(pace, 0.2, age=52, seed=1)).note
    'one_rate'
    """
    held, times, _ = checked_histories(histories)
    if times[held[:, 0] > 0].sum() < LEAST_REPEATERS:
        return PurchaseModel(None, TOO_FEW, len(histories))
    fit = fit_bg_nbd(held, times)
    if not fit.is_at_boundary and differ_in_leaving(fit, held, times):
        return PurchaseModel(fit, "", len(histories))
    note = BOUNDARY if fit.is_at_boundary else ONE_RATE
    return PurchaseModel(fit_one_rate(held, times), note, len(histories))


def slope_of(function: object, at: Array, *, step: float = 1e-4) -> Array:
    """Differences of a function of log parameters, a row per parameter."""
    assert callable(function)
    moves = np.eye(len(at)) * step
    return np.array([(function(at + move) - function(at - move)) / (2 * step) for move in moves])


def _one_rate(held: Array, parameters: Array, ahead: Array) -> Array:
    """Orders where everybody's chance to be gone after an order is odds / (1 + odds)."""
    r, alpha, odds = parameters
    x, t_x, age = held.T
    chance = max(odds / (1 + odds), 1e-12)
    power = r + x
    gone = np.where(x > 0, odds * ((alpha + age) / (alpha + t_x)) ** power, 0.0)
    still = -np.expm1(-power[:, None] * np.log1p(chance * ahead[None, :] / (alpha + age)[:, None])) / chance
    return still / (1 + gone)[:, None]
