"""Least squares whose errors stay right where the spread is unequal; for few clusters, see `few_clusters`."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from cxlib.stats.arrays import Array

Kind = Literal["HC0", "HC1", "HC2", "HC3"]


class Fit(NamedTuple):
    """Coefficients and what their errors need: a class because errors of several kinds are read off one fit.

    `pull` says what a unit of each row's outcome adds to each coefficient.
    """

    design: Array
    bread: Array
    pull: Array
    coefficients: Array
    residual: Array

    def errors(self, kind: Kind = "HC0") -> Array:
        """Residuals, scaled so that their squares are about right for the spread (MacKinnon & White 1985).

        HC0 leaves them; HC1 makes up for the number of coefficients, HC2 and HC3 for each row's leverage.
        """
        n, k = self.design.shape
        if kind == "HC0":
            return self.residual
        if kind == "HC1":
            return (n / max(n - k, 1)) ** 0.5 * self.residual
        free = np.clip(1 - (self.pull * self.design).sum(axis=1), 1e-9, None)
        return (self.residual.T / (free if kind == "HC3" else np.sqrt(free))).T


def least_squares(design: Array, outcome: Array, *, rcond: float = 1e-15) -> Fit:
    """Fit `design` (row × coefficient) to an outcome, or to each column of several.

    Parameters
    ----------
    design, outcome
        Numbers without gaps, a row per observation.
    rcond
        Share of the largest eigenvalue below which directions of the design count as dependent; of these the
        shortest coefficients are given.

    References
    ----------
    MacKinnon & White (1985) Journal of Econometrics 29, 305–325.

    Examples
    --------
    >>> design = np.column_stack([np.ones(4), [0.0, 0, 1, 1]])
    >>> fit = least_squares(design, np.array([1.0, 3, 5, 9]))
    >>> fit.coefficients.round(9).tolist()
    [2.0, 5.0]
    >>> influence = fit.pull * fit.errors("HC2")[:, None]
    >>> float((influence[:, 1] ** 2).sum().round(9))  # 1² / 2 + 2² / 2: the variance of two means of two
    5.0
    """
    bread = np.asarray(np.linalg.pinv(design.T @ design, rcond=rcond, hermitian=True), dtype=float)
    coefficients = bread @ (design.T @ outcome)
    return Fit(design, bread, design @ bread, coefficients, outcome - design @ coefficients)
