"""The side on which a difference lies, in the words that sentences and badges of this wing are chosen by."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from cxlib.stats.verdicts import limits_verdict


def side_told(conf_low: ArrayLike, conf_high: ArrayLike, *, unit: str, null: float = 0.0) -> dict[str, Any]:
    """Give `claim` ("higher", "lower", "none") and `verdict` ("differ", "no_difference_shown") of limits.

    Examples
    --------
    >>> side_told(-0.2, -0.1, unit="pp")
    {'claim': 'lower', 'verdict': 'differ'}
    """
    asked: dict[str, Any] = {"unit": unit, "null": null}
    sides = limits_verdict(conf_low, conf_high, above="higher", below="lower", neither="none", **asked)
    return {"claim": sides, "verdict": limits_verdict(conf_low, conf_high, **asked)}
