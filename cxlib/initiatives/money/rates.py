"""Present value and internal rate of return, as spreadsheets have them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

import numpy as np
from scipy import optimize

from cxlib.checks import ParameterError, fail_option
from cxlib.stats.arrays import Array

_GROWTH = np.linspace(np.log(1e-4), np.log(1e7), 1500)  # log of 1 + rate, where rates are looked for


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
    return float((_known(flows) / (1 + rate) ** periods).sum())


def irr(flows: Sequence[float]) -> float:
    """Rate per period at which equally spaced flows are worth zero.

    NaN where there is none (the flows never change sign), and where there are several: flows that change sign
    more than once can be worth zero at two rates, and neither is *the* return (Norstrom 1972): use `npv`.

    Raises
    ------
    ParameterError
        A flow is missing or not finite.

    Examples
    --------
    >>> round(irr([-70000, 12000, 15000, 18000, 21000, 26000]), 4)
    0.0866
    >>> irr([-100, 230, -132])  # worth zero at 10 % and at 20 %
    nan
    """
    return _root(_known(flows), np.arange(len(flows), dtype=float))


def xirr(flows: Sequence[float], dates: Sequence[date]) -> float:
    """Effective annual rate at which dated flows are worth zero (365-day year, as spreadsheets have it).

    NaN where there is none or several, as in `irr`.

    Raises
    ------
    ParameterError
        A flow is missing or not finite, or there are not as many dates as flows.

    Examples
    --------
    >>> round(xirr([-100.0, 110.0], [date(2025, 1, 1), date(2026, 1, 1)]), 6)
    0.1
    """
    return _root(_known(flows), _years(flows, dates))


def xnpv(rate: float, flows: Sequence[float], dates: Sequence[date]) -> float:
    """Present value of dated flows at an effective annual rate (365-day year).

    Examples
    --------
    >>> round(xnpv(0.1, [-100.0, 121.0], [date(2025, 1, 1), date(2026, 1, 1)]), 6)
    10.0
    """
    check_rate(rate)
    return float((_known(flows) / (1 + rate) ** _years(flows, dates)).sum())


def _known(flows: Sequence[float]) -> Array:
    values = np.asarray(flows, float)
    if (lost := int((~np.isfinite(values)).sum())) or values.ndim != 1:
        raise ParameterError("roi.flows", found=f"{lost:,}", count=f"{values.size:,}")
    return values


def _years(flows: Sequence[float], dates: Sequence[date]) -> Array:
    if len(flows) != len(dates):
        raise ParameterError("roi.dates", flows=f"{len(flows):,}", dates=f"{len(dates):,}")
    return np.array([(day - dates[0]).days / 365 for day in dates])


def _root(flows: Array, years: Array) -> float:
    """Rate of the only root; NaN without one or with several."""
    if not ((flows > 0).any() and (flows < 0).any()):
        return float("nan")
    span = float(years.max())

    def worth(growth: float) -> float:
        """Present value, taken at the end where money shrinks, so that no power overflows."""
        exponent = -growth * years if growth >= 0 else growth * (span - years)
        return float((flows * np.exp(exponent)).sum())

    signs = np.sign([worth(growth) for growth in _GROWTH])
    real = np.flatnonzero(signs)
    turns = np.flatnonzero(signs[real][:-1] != signs[real][1:])
    if len(turns) != 1:
        return float("nan")
    low, high = _GROWTH[real[turns[0]]], _GROWTH[real[turns[0] + 1]]
    return float(np.expm1(optimize.brentq(worth, low, high, xtol=1e-15)))


def check_rate(rate: float) -> None:
    """Raise for a discount rate that no money can have."""
    if not (np.isfinite(rate) and rate > -1):
        raise ParameterError("roi.rate", found=f"{rate:g}")
