"""sBG: contracts that may end at each renewal, with a chance that differs from customer to customer."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import betaln

from cxlib.checks import InputError
from cxlib.stats.arrays import Array
from cxlib.value.fitted_parameters import BOUNDARY, TOO_FEW, Fit, fit_positive, parameter_rows, unknown_rows

NAMES = ("alpha", "beta")
#: Fewest contracts that ended for parameters to be fitted.
LEAST_ENDED = 10


def sbg(survivors: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Fit the shifted-beta-geometric model of renewals: how customers differ in their chance to leave.

    Parameters
    ----------
    survivors
        One row per renewal: `period` (0, 1, 2, … renewals) and `n` contracts still running after it. With
        contracts of different age a further column `n_at_risk` says how many came up for each renewal;
        without it these are the `n` of the period before. Rows may stand in any order.
    conf_level
        Confidence level of the limits.

    Returns
    -------
    DataFrame
        Rows `alpha, beta` (a Beta distribution of the chance to leave at a renewal) and `loglik`: `parameter,
        estimate, std_error, conf_low, conf_high, n` (contracts at the start)`, note`. `note` is "boundary"
        (customers do not differ: one rate for all), "too_few_repeat" (fewer than 10 ended, or one renewal
        only: no estimates) or "".

    Raises
    ------
    ParameterError
        Unknown column.
    InputError
        Missing, negative or doubled periods, or more contracts after a renewal than before it.

    Notes
    -----
    Chance to leave at renewal t, given that it was reached: α / (α + β + t − 1). It falls with t although no
    customer's own chance does: those likely to leave are gone first. 1 / churn forgets that, and tells too
    short a lifetime.

    References
    ----------
    Fader & Hardie (2007) How to project customer retention, J. Interactive Marketing 21, 76–90.

    Examples
    --------
    >>> rows = sbg(pd.DataFrame({"period": range(5), "n": [1000, 869, 743, 653, 593]}))
    >>> rows["estimate"].round(2).to_list()
    [1.28, 7.79, -1225.13]
    """
    fit, note, n = fitted_survivors(survivors)
    if fit is None:
        return unknown_rows(NAMES, n=n, note=note)
    return parameter_rows(fit, n=n, conf_level=conf_level, note=note)


def fitted_survivors(survivors: pd.DataFrame) -> tuple[Fit | None, str, int]:
    """Fit, what is to be said of it, and the contracts it rests on."""
    period, before, after = renewals(survivors)
    ended = before - after
    n = int(before.max(initial=0))
    if ended.sum() < LEAST_ENDED or len(period) < 2:
        return None, TOO_FEW, n

    def loglik(parameters: Array) -> float:
        alpha, beta = parameters
        whole = alpha + beta + period - 1
        return float(ended @ (np.log(alpha) - np.log(whole)) + after @ np.log((beta + period - 1) / whole))

    share = float(ended.sum() / before.sum())
    fit = fit_positive(loglik, NAMES, np.array([2 * share, 2 * (1 - share)]))
    return fit, BOUNDARY if fit.is_at_boundary else "", n


def renewals(survivors: pd.DataFrame) -> tuple[Array, Array, Array]:
    """Renewal, contracts that came up for it, and contracts that went on; refuse impossible counts."""
    rows = survivors.sort_values("period", kind="stable") if "period" in survivors else survivors
    wanted = ["period", "n", *(["n_at_risk"] if "n_at_risk" in rows else [])]
    if missing := [name for name in wanted if name not in rows]:
        raise InputError("customer_value.no_survivors", column=missing[0])
    held = {name: pd.to_numeric(rows[name]).to_numpy(float, na_value=np.nan) for name in wanted}
    period, n = held["period"], held["n"]
    before = held.get("n_at_risk", np.concatenate([[np.nan], n[:-1]]))
    start = 0 if "n_at_risk" in held and period.min(initial=1) >= 1 else 1
    wrong = int((~np.isfinite(n) | (n < 0) | (np.diff(period, prepend=np.nan) <= 0)).sum())
    wrong += int((n[start:] > before[start:]).sum())
    if wrong:
        raise InputError("customer_value.survivors_rise", count=wrong, rows=f"{len(rows):,}")
    return period[start:], before[start:], n[start:]


def contract_survival(alpha: float, beta: float, periods: Array) -> Array:
    """Share of contracts that outlive so many renewals, in the sBG model.

    Examples
    --------
    >>> contract_survival(0.668, 3.806, np.array([0, 1, 12])).round(3).tolist()
    [1.0, 0.851, 0.378]
    """
    return np.exp(betaln(alpha, beta + periods) - betaln(alpha, beta))
