"""Present value and internal rate of return, as spreadsheets have them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import optimize

from cxlib.checks import ParameterError, fail_option

Array = npt.NDArray[np.float64]


def npv(rate: float, flows: Sequence[float], *, first: Literal["now", "end"] = "now") -> float:
    """Present value of equally spaced cash flows, in their currency.

    Parameters
    ----------
    rate : float
        Discount rate per period, above −1.
    flows : sequence of float
        One flow per period.
    first : str
        "now": the first flow is not discounted. "end": it falls at the end of the first period, as the
        spreadsheet function NPV has it.

    Examples
    --------
    >>> round(npv(0.10, [-10000, 3000, 4200, 6800], first="end"), 2)
    1188.44
    """
    check_rate(rate)
    if first not in ("now", "end"):
        fail_option("first", first, ("now", "end"))
    periods = np.arange(len(flows)) + (first == "end")
    return float((np.asarray(flows, float) / (1 + rate) ** periods).sum())


def irr(flows: Sequence[float]) -> float:
    """Rate per period at which equally spaced flows are worth zero; NaN unless they change sign once or more.

    Examples
    --------
    >>> round(irr([-70000, 12000, 15000, 18000, 21000, 26000]), 4)
    0.0866
    """
    return _root(np.asarray(flows, float), np.arange(len(flows), dtype=float))


def xirr(flows: Sequence[float], dates: Sequence[date]) -> float:
    """Effective annual rate at which dated flows are worth zero (365-day year, as spreadsheets have it).

    Examples
    --------
    >>> round(xirr([-100.0, 110.0], [date(2025, 1, 1), date(2026, 1, 1)]), 6)
    0.1
    """
    years = np.array([(day - dates[0]).days / 365 for day in dates])
    return _root(np.asarray(flows, float), years)


def xnpv(rate: float, flows: Sequence[float], dates: Sequence[date]) -> float:
    """Present value of dated flows at an effective annual rate (365-day year).

    Examples
    --------
    >>> round(xnpv(0.1, [-100.0, 121.0], [date(2025, 1, 1), date(2026, 1, 1)]), 6)
    10.0
    """
    check_rate(rate)
    years = np.array([(day - dates[0]).days / 365 for day in dates])
    return float((np.asarray(flows, float) / (1 + rate) ** years).sum())


def _root(flows: Array, years: Array) -> float:
    if not ((flows > 0).any() and (flows < 0).any()):
        return float("nan")
    grid = np.concatenate([np.linspace(-0.99, 1, 200), np.geomspace(1.01, 1000, 200)])
    worth = np.array([(flows / (1 + rate) ** years).sum() for rate in grid])
    turns = np.flatnonzero(np.sign(worth[:-1]) != np.sign(worth[1:]))
    if not len(turns):
        return float("nan")
    nearest_zero = turns[np.abs(grid[turns]).argmin()]
    return float(
        optimize.brentq(
            lambda rate: (flows / (1 + rate) ** years).sum(), grid[nearest_zero], grid[nearest_zero + 1]
        )
    )


def check_rate(rate: float) -> None:
    """Raise for a discount rate that no money can have."""
    if not (np.isfinite(rate) and rate > -1):
        raise ParameterError("roi.rate", found=f"{rate:g}")
