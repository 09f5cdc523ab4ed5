"""From two limits to a verdict: the one place that says on which side of a value an interval lies.

What a verdict claims, a reader checks against the limits printed beside it. So limits count as they are
shown: one that rounds to the value itself does not lie beyond it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxlib.language import shown_number
from cxlib.stats.arrays import Array

#: The verdict where limits hold the value, or where there are none.
UNDECIDED = "no_difference_shown"


def limits_side(
    conf_low: ArrayLike,
    conf_high: ArrayLike,
    *,
    null: ArrayLike = 0.0,
    unit: str = "number",
    currency: str | None = None,
) -> NDArray[np.int8]:
    """Side of `null` on which the whole interval lies, as it is shown: 1 above, -1 below, 0 neither.

    Parameters
    ----------
    conf_low, conf_high : array-like
        Limits as stored (shares and differences of shares as fractions); a missing one decides nothing,
        the other still may.
    null : array-like
        Value of no difference, or the value a rule asks for.
    unit : str
        Unit in which the limits are shown, one of `language.UNITS`; it sets the precision.
    currency : str, optional
        ISO code, for `unit="currency"`.

    Returns
    -------
    array of int8

    Examples
    --------
    >>> limits_side([0.0004, 0.0006], [0.04, 0.04], unit="pp").tolist()
    [0, 1]
    """
    low, high, zero = (_as_shown(value, unit, currency) for value in (conf_low, conf_high, null))
    return (low > zero).astype("int8") - (high < zero)


def limits_verdict(
    conf_low: ArrayLike,
    conf_high: ArrayLike,
    *,
    null: ArrayLike = 0.0,
    unit: str = "number",
    currency: str | None = None,
    above: str = "differ",
    below: str = "differ",
    neither: str = UNDECIDED,
) -> Any:
    """Verdict that the limits carry at the precision they are shown in.

    Parameters
    ----------
    conf_low, conf_high, null, unit, currency
        As `limits_side`.
    above, below, neither : str
        Words of `verdict.…` for an interval wholly above `null`, wholly below it, and any other.

    Returns
    -------
    str, or array of str
        One per pair of limits.

    Examples
    --------
    >>> limits_verdict(0.0003, 0.043, unit="pp"), limits_verdict(0.002, 0.043, unit="pp", above="risen")
    ('no_difference_shown', 'risen')
    """
    side = limits_side(conf_low, conf_high, null=null, unit=unit, currency=currency)
    found = np.array([neither, above, below], dtype=object)[side]
    return found if np.ndim(found) else str(found)


def _as_shown(values: ArrayLike, unit: str, currency: str | None) -> Array:
    numbers = np.asarray(values, dtype=float)
    shown = [shown_number(one, unit, currency=currency) for one in numbers.ravel().tolist()]
    return np.array(shown, dtype=float).reshape(numbers.shape)
