"""Maximum likelihood of a few positive parameters: the search, errors, and rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize

from cxlib.checks import InputError, check_columns
from cxlib.stats.arrays import Array
from cxlib.stats.intervals import critical_value

COLUMNS = ["parameter", "estimate", "std_error", "conf_low", "conf_high", "n", "note"]
#: A parameter beyond this, or below its inverse, lies at the boundary: the likelihood keeps rising.
FAR = 1e4
#: A variance of a logarithm beyond this says as little: limits from a twentieth to twenty times the estimate.
FLAT = 2.4
#: Steps on the log scale that finish a search; where the likelihood is so flat that they are longer, none.
NEAR = 1e-3
#: What `note` says: a parameter ran away; the people do not differ in their chance to leave; too few repeat.
BOUNDARY, ONE_RATE, TOO_FEW = "boundary", "one_rate", "too_few_repeat"
#: Fewest people with a repeat purchase that parameters are fitted to.
LEAST_REPEATERS = 50
#: Error of the first kind of the test whether people differ in their chance to leave.
TEST_LEVEL = 0.05


@dataclass(frozen=True)
class Fit:
    """Parameters, their covariance on the log scale, log-likelihood; a class, for they go together."""

    names: tuple[str, ...]
    estimate: Array
    covariance: Array
    loglik: float

    @property
    def is_at_boundary(self) -> bool:
        """Whether a parameter ran away, or the likelihood is flat in some direction."""
        far = (self.estimate > FAR).any() or (self.estimate < 1 / FAR).any()
        is_steep = np.isfinite(self.covariance).all() and self.covariance.diagonal().max() < FLAT
        return bool(far or not is_steep)


def fit_positive(
    loglik: Callable[[Array], float],
    names: tuple[str, ...],
    start: Array,
    *,
    gradient: Callable[[Array], Array] | None = None,
) -> Fit:
    """Find the positive parameters of the greatest log-likelihood, searched on the log scale.

    Parameters
    ----------
    loglik : callable
        Log-likelihood of the parameters.
    names : tuple of str
    start : array
        Where to begin; 1 for each will do.
    gradient : callable, optional
        Derivatives by the parameters themselves.

    Examples
    --------
    >>> found = fit_positive(lambda p: 3 * np.log(p[0]) - 2 * p[0], ("rate",), np.ones(1))
    >>> found.estimate.round(3).tolist(), round(float(found.covariance[0, 0]), 2)
    ([1.5], 0.33)
    """
    edge = np.log(FAR * 10)

    def loss(logs: Array) -> float:
        return -loglik(np.exp(logs))

    def slope(logs: Array) -> Array:
        if gradient is not None:
            return -gradient(np.exp(logs)) * np.exp(logs)
        moves = 1e-4 * np.eye(len(logs))
        return np.array([(loss(logs + move) - loss(logs - move)) / 2e-4 for move in moves])

    with np.errstate(all="ignore"):
        found = optimize.minimize(
            loss,
            np.log(start),
            jac=slope if gradient is not None else None,
            method="L-BFGS-B",
            bounds=[(-edge, edge)] * len(start),
            options={"maxiter": 1_000, "maxfun": 20_000, "ftol": 1e-13, "gtol": 1e-7},
        )
        curvature = _curvature(loss, found.x, slope if gradient is not None else None)
        is_top = np.isfinite(curvature).all() and (np.linalg.eigvalsh(curvature) > 0).all()
        covariance: Array = np.full_like(curvature, np.nan)
        if is_top:
            covariance = np.linalg.inv(curvature).astype(np.float64)
        best = found.x
        for _ in range(2):  # where the search ends differs between machines; Newton's steps lead to the top
            move = covariance @ slope(best)
            best = best - move if np.abs(move).max() < NEAR else best
    return Fit(names, np.exp(best), covariance, -loss(best))


def parameter_rows(fit: Fit, *, n: int, conf_level: float, note: str = "") -> pd.DataFrame:
    """Give a fit as rows of parameters and the log-likelihood; at the boundary without errors.

    Limits are those of the logarithm, so that they are positive too.
    """
    known = note not in (BOUNDARY, TOO_FEW)
    error = np.sqrt(fit.covariance.diagonal()) if known else np.full(len(fit.names), np.nan)
    width = np.exp(critical_value(conf_level) * error)
    rows = pd.DataFrame(
        {
            "parameter": [*fit.names, "loglik"],
            "estimate": [*fit.estimate, fit.loglik],
            "std_error": [*(fit.estimate * error), np.nan],
            "conf_low": [*(fit.estimate / width), np.nan],
            "conf_high": [*(fit.estimate * width), np.nan],
        }
    )
    return rows.assign(n=n, note=note)[COLUMNS]


def unknown_rows(names: tuple[str, ...], *, n: int, note: str) -> pd.DataFrame:
    """Give rows without estimates, saying why."""
    return parameter_rows(
        Fit(names, np.full(len(names), np.nan), np.full((len(names),) * 2, np.nan), np.nan),
        n=n,
        conf_level=0.95,
        note=note or TOO_FEW,
    ).assign(note=note)


def orders_per_time(held: Array, times: Array) -> float:
    """Repeat purchases per unit of time: where the search for parameters begins."""
    return float(times @ held[:, 0]) / max(float(times @ held[:, 2]), 1e-9)


def parameters_of(rows: pd.DataFrame, names: tuple[str, ...]) -> Array | None:
    """Read parameters off rows; None where these are not the rows of that model."""
    check_columns(rows, parameter="parameter", estimate="estimate")
    held: Mapping[Any, Any] = dict(zip(rows["parameter"], rows["estimate"], strict=True))
    return np.array([held[name] for name in names], float) if set(names) <= set(held) else None


def counted_once(data: pd.DataFrame, columns: tuple[str, ...]) -> tuple[Array, Array, NDArray[np.intp]]:
    """Distinct rows of some columns of numbers, how often each occurs, and which of them each row is.

    Examples
    --------
    >>> rows = pd.DataFrame({"x": [1, 1, 0], "age": [5.0, 5.0, 2.0]})
    >>> [part.tolist() for part in counted_once(rows, ("x", "age"))]
    [[[0.0, 2.0], [1.0, 5.0]], [1.0, 2.0], [1, 1, 0]]
    """
    check_columns(data, **{name: name for name in columns})
    code = np.zeros(len(data), dtype=np.int64)
    held = [pd.to_numeric(data[name]).to_numpy(float, na_value=np.nan) for name in columns]
    for values, name in zip(held, columns, strict=True):
        if bad := int((~(np.isfinite(values) & (values >= 0))).sum()):
            raise InputError(
                "customer_value.not_counted", column=name, count=f"{bad:,}", rows=f"{len(data):,}"
            )
        level, place = np.unique(values, return_inverse=True)
        if len(level) * (code.max(initial=0) + 1.0) > 2**62:
            code = np.unique(code, return_inverse=True)[1]
        code = code * len(level) + place
    _, first, place, times = np.unique(code, return_index=True, return_inverse=True, return_counts=True)
    return np.column_stack([values[first] for values in held]), times.astype(float), place


def _curvature(loss: Callable[[Array], float], at: Array, slope: Callable[[Array], Array] | None) -> Array:
    """Second derivatives at a point, from differences of the slope where it is known."""
    size = len(at)
    if slope is not None:
        step = 1e-5
        rows = [(slope(at + step * e) - slope(at - step * e)) / (2 * step) for e in np.eye(size)]
        found = np.array(rows)
        return (found + found.T) / 2
    step = 1e-3
    moves = np.eye(size) * step

    def twice(one: Array, other: Array) -> float:
        same, across = loss(at + one + other) + loss(at - one - other), loss(at + one - other)
        return (same - across - loss(at - one + other)) / (4 * step * step)

    return np.array([[twice(one, other) for other in moves] for one in moves])
