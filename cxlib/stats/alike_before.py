"""Groups of customers alike in what was known before: numbers to adjust for, centred and on one scale."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.data.orders_around import BEFORE
from cxlib.stats.arrays import Array
from cxlib.stats.least_squares import least_squares


def known_before(held: pd.DataFrame) -> Array:
    """Return what is adjusted for, a column each, centred, over its standard deviation; constants drop out.

    Parameters
    ----------
    held : DataFrame
        With the columns of `orders_around`; the logarithm of orders before, and whether there were none, are
        added.

    Examples
    --------
    >>> held = pd.DataFrame({"orders_before": [0, 2], "amount_before": 5.0, "recency": 1.0, "tenure": 0.0})
    >>> known_before(held).tolist()
    [[-1.0, -1.0, 1.0], [1.0, 1.0, -1.0]]
    """
    columns = held[list(BEFORE[:2])].assign(
        log_orders=np.log1p(held["orders_before"]),
        recency=held["recency"],
        tenure=held["tenure"],
        was_silent=(held["orders_before"] == 0).astype(float),
    )
    numbers = columns.to_numpy(dtype=float)
    if len(numbers) == 0:
        return np.empty((0, 0))
    spread = numbers.std(axis=0)
    moving = spread > 1e-12
    return np.asarray((numbers[:, moving] - numbers[:, moving].mean(axis=0)) / spread[moving])


def adjusted_slopes(design: Array, outcome: Array) -> tuple[Array, Array]:
    """Least squares and what each row adds to the error of each slope, robust to unequal spread (HC1).

    Examples
    --------
    >>> design = np.column_stack([np.ones(4), [0.0, 0, 1, 1]])
    >>> slopes, influence = adjusted_slopes(design, np.array([1.0, 3, 5, 9]))
    >>> slopes.round(9).tolist(), influence.shape
    ([2.0, 5.0], (4, 2))
    """
    fit = least_squares(design, outcome)
    return fit.coefficients, fit.errors("HC1")[:, None] * fit.pull
