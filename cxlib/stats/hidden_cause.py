"""How strong a hidden cause would have to be to explain a ratio away."""

from __future__ import annotations

import math


def e_value(ratio: float) -> float:
    """Smallest risk ratio a hidden cause needs with both cause and outcome to explain `ratio` away.

    Parameters
    ----------
    ratio : float
        Risk ratio above 0; below 1 its reciprocal counts.

    Returns
    -------
    float
        At least 1; NaN for a missing ratio, or one of 0 or below.

    Notes
    -----
    RR + √(RR·(RR − 1)).

    References
    ----------
    VanderWeele & Ding (2017) Annals of Internal Medicine 167(4).

    Examples
    --------
    >>> round(e_value(3.9), 2), e_value(1.0)
    (7.26, 1.0)
    """
    if not ratio > 0:
        return math.nan
    away = max(ratio, 1 / ratio)
    return float(away + math.sqrt(away * (away - 1)))
