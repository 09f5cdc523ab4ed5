"""Where a curve is an estimate at all: enough people still watched, or nobody lost from sight before."""

from __future__ import annotations

import pandas as pd

from cxlib.checks import ParameterError, check_columns
from cxlib.stats.intervals import Interval

#: Least people at risk at a day for which a clock is read; as many as a shown cell holds by default.
MIN_AT_RISK = 10


def enough_at_risk(curve: pd.DataFrame, *, min_at_risk: int = MIN_AT_RISK) -> pd.DataFrame:
    """Curve without the estimates that rest on too few people still under observation.

    Parameters
    ----------
    curve
        A frame of `survival_curve` or `cumulative_incidence`, whole or read at some times: `time, estimate,
        std_error, conf_low, conf_high, n_at_risk, n_not_reached`.
    min_at_risk
        Least number of people observed up to a time and without an event before it, ≥ 1.

    Returns
    -------
    DataFrame
        The same rows. Estimate, error and limits are NaN where fewer than `min_at_risk` are at risk, unless
        `n_not_reached` is 0: then everybody was followed to that time or had the event, and the estimate is
        a plain share.

    Raises
    ------
    ParameterError
        Unknown column or `min_at_risk` below 1.

    Notes
    -----
    One event among the last few at risk moves the curve by 1 ÷ those few, to 0 where the last of all has it,
    however many were lost from sight before; Greenwood's error does not know that. A time read as a quantile
    (the median wait) is known where the curve crosses it among the rows that keep their estimate.

    References
    ----------
    Pocock, Clayton & Altman (2002) Lancet 359 (curves are to end where few are left at risk).

    Examples
    --------
    >>> from cxlib.stats.survival.kaplan_meier import survival_curve
    >>> people = pd.DataFrame({"days": [30] * 99 + [334], "bought": [False] * 99 + [True]})
    >>> curve = survival_curve(people, duration_col="days", event_col="bought", times=[30, 365])
    >>> curve["estimate"].to_list(), enough_at_risk(curve)["estimate"].to_list()
    ([1.0, 0.0], [1.0, nan])
    """
    if not min_at_risk >= 1:
        raise ParameterError("journey.min_at_risk", argument="min_at_risk", value=repr(min_at_risk))
    check_columns(curve, **{name: name for name in (*Interval._fields, "n_at_risk", "n_not_reached")})
    known = (curve["n_at_risk"] >= min_at_risk) | (curve["n_not_reached"] == 0)
    return curve.assign(**{name: curve[name].where(known) for name in Interval._fields})
