"""What a new customer brings within a horizon, three ways: by mature customers, by a model, by contracts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import check_columns, check_group_names
from cxlib.stats.arrays import Array
from cxlib.stats.intervals import Interval, critical_value
from cxlib.value.contract_months import contract_survivors
from cxlib.value.days_of_purchase import DAYS_PER_MONTH, Outcome, purchase_days, purchase_histories
from cxlib.value.fitted_model import purchase_model, slope_of
from cxlib.value.fitted_parameters import BOUNDARY, LEAST_REPEATERS, TOO_FEW
from cxlib.value.renewals_survived import contract_survival, fitted_survivors
from cxlib.value.spend_per_order import CORRELATED, NO_MEAN, fitted_spend
from cxlib.value.value_so_far import LEAST_MATURE, check_terms, mature_value, month_factors, nothing

COLUMNS = ["method", "metric", *Interval._fields, "n", "note"]
#: Why there is no model: repeat purchases of some customers brought nothing; contracts without a margin rate,
#: or without amounts (those that lack one take part in the renewals only).
NOT_POSITIVE, NO_RATE, NO_AMOUNT = "value_not_positive", "no_margin_rate", "no_amount"


def ltv(
    orders: pd.DataFrame,
    *,
    as_of: dt.date | str,
    contracts: pd.DataFrame | None = None,
    horizon_months: int = 12,
    discount_rate_annual: float = 0.05,
    outcome: Outcome = "margin",
    contribution_margin_rate: float | None = None,
    by: str | None = None,
    **settings: Any,
) -> pd.DataFrame:
    """Lifetime value of a new customer within a horizon, in currency per customer, three ways side by side.

    Parameters
    ----------
    orders
        Order lines, as `purchase_days` takes them. Refunds are taken off; the first order is part of it.
    as_of
        Last day observed.
    contracts
        Contracts: `started_on, ended_on` (missing: running)`, monthly_amount`. None: no row "sbg".
    horizon_months
        Months from the first purchase (365.25 / 12 days each), 1 or more.
    discount_rate_annual
        Yearly rate at which later money counts less, ≥ 0; discounted once, from the first purchase on.
    outcome, contribution_margin_rate
        As in `line_values`; of contracts, which have no margin of their own, the rate is that of the amount.
    by
        Column of `orders` and `contracts`: one answer per group; one value per customer.
    **settings
        `conf_level` (0.95), `timezone` and `observed_from` as in `purchase_days`.

    Returns
    -------
    DataFrame
        Group column, `method` ("mature": what customers brought so far, month by month of those observed;
        "model": BG/NBD and Gamma–Gamma; "sbg": contracts)`, metric` ("ltv")`, estimate, std_error, conf_low,
        conf_high, n` (customers or contracts)`, note`: why there is no estimate or no limits, or what to
        know: "too_young", "few_carry", "too_few_repeat", "no_mean", "correlated", "value_not_positive",
        "one_rate", "boundary".

    Raises
    ------
    ParameterError, InputError
        Unknown columns; a horizon below 1 month or a negative rate; as `purchase_days`.

    Notes
    -----
    "mature": Σ over months of the mean of all who were observed for the whole month, so that nobody's unseen
    months count as nothing; its error is that of each customer's part in it. It takes young customers to be
    like older ones. "model": first order + Σ discounted expected repeat orders × pv / (q − 1); errors of the
    parameters by the delta method. Where customers are not shown to differ in leaving, everybody has one
    chance. "sbg": monthly amount × Σ S(t) discounted.

    References
    ----------
    Fader, Hardie & Lee (2005) JMR 42, 415–430; Gupta, Lehmann & Stuart (2004) JMR 41, 7–18.

    Examples
    --------
    >>> days = pd.date_range("2025-01-01", periods=40, freq="7D")
    >>> lines = pd.DataFrame({"customer_id": [f"c{i % 20}" for i in range(40)], "ordered_at": days,
    ...     "order_id": [str(i) for i in range(40)], "amount": [10.0 + i for i in range(40)]})
    >>> rows = ltv(lines, as_of="2026-12-31", outcome="amount", discount_rate_annual=0.0)
    >>> rows[["method", "estimate", "note"]].values.tolist()
    [['mature', 59.0, ''], ['model', nan, 'too_few_repeat']]
    """
    check_terms(horizon_months, discount_rate_annual)
    check_group_names(by, COLUMNS)
    level = settings.pop("conf_level", 0.95)
    terms: dict[str, Any] = {"horizon_months": horizon_months, "discount_rate_annual": discount_rate_annual}
    worth = {"outcome": outcome, "contribution_margin_rate": contribution_margin_rate, **settings}
    rows = []
    for key, lines, running in _groups(orders, contracts, by):
        days = purchase_days(lines, as_of=as_of, **worth)
        rows.append(key | mature_value(days, as_of=as_of, conf_level=level, **terms))
        rows.append(key | model_value(days, as_of=as_of, conf_level=level, **terms))
        if running is not None:
            rate = 1.0 if outcome == "amount" else contribution_margin_rate
            rows.append(key | contract_value(running, as_of=as_of, conf_level=level, rate=rate, **terms))
    return pd.DataFrame(rows, columns=[*([] if by is None else [by]), *COLUMNS])


def model_value(
    days: pd.DataFrame,
    *,
    as_of: dt.date | str,
    horizon_months: int = 12,
    discount_rate_annual: float = 0.05,
    conf_level: float = 0.95,
) -> dict[str, Any]:
    """Row "model" of `ltv`: BG/NBD and Gamma–Gamma, from purchase days."""
    histories = purchase_histories(days, as_of=as_of, unit_days=DAYS_PER_MONTH)
    row = {"method": "model", "metric": "ltv", "n": len(histories)}
    model = purchase_model(histories)
    if model.fit is None:
        return row | nothing(TOO_FEW)
    spend, note, n_spend = fitted_spend(histories, conf_level=conf_level)
    repeaters = int((histories["x"] > 0).sum())
    if repeaters >= LEAST_REPEATERS and n_spend < 0.95 * repeaters:
        return row | nothing(NOT_POSITIVE)
    if spend is None or note in (NO_MEAN, BOUNDARY, CORRELATED):
        return row | nothing(note)
    factors = month_factors(horizon_months, discount_rate_annual)
    ends = np.arange(horizon_months + 1.0)

    def orders_of(logs: Array) -> Array:
        expect = model.expected(np.zeros((1, 3)), ends, logs)[0]
        return np.array([np.diff(expect) @ factors])

    at = np.log(model.fit.estimate)
    count = float(orders_of(at)[0])
    count_slope = slope_of(orders_of, at)[:, 0]
    p, q, v = spend.estimate
    worth = p * v / (q - 1)
    worth_slope = worth * np.array([1.0, -q / (q - 1), 1.0])
    first = histories["first_value"].to_numpy(float)
    variance = first.var(ddof=1) / len(first) if len(first) > 1 else 0.0
    variance += worth**2 * count_slope @ model.covariance() @ count_slope
    variance += count**2 * worth_slope @ spend.covariance @ worth_slope
    estimate, error = float(first.mean() + count * worth), float(np.sqrt(variance))
    return row | _with_limits(estimate, error, conf_level, model.note)


def contract_value(
    contracts: pd.DataFrame,
    *,
    as_of: dt.date | str,
    rate: float | None,
    horizon_months: int = 12,
    discount_rate_annual: float = 0.05,
    conf_level: float = 0.95,
) -> dict[str, Any]:
    """Row "sbg" of `ltv`: what a new contract brings, by how many outlive each renewal."""
    amount = contracts["monthly_amount"].to_numpy(float, na_value=np.nan)
    amount = amount[np.isfinite(amount)]
    row = {"method": "sbg", "metric": "ltv", "n": len(contracts)}
    fit, note, _ = fitted_survivors(contract_survivors(contracts, as_of=as_of))
    if rate is None or fit is None or len(contracts) < LEAST_MATURE:
        return row | nothing(NO_RATE if rate is None else TOO_FEW)
    if not amount.any():
        return row | nothing(NO_AMOUNT)
    discount = (1 + discount_rate_annual) ** (-np.arange(horizon_months) / 12)
    months = np.arange(float(horizon_months))

    def paid_months(logs: Array) -> Array:
        alpha, beta = np.exp(logs)
        return np.array([contract_survival(alpha, beta, months) @ discount])

    at = np.log(fit.estimate)
    count, slope = float(paid_months(at)[0]), slope_of(paid_months, at)[:, 0]
    mean, spread = float(amount.mean()), float(amount.var(ddof=1) / len(amount))
    of_months = float(slope @ np.nan_to_num(fit.covariance) @ slope)
    error = rate * float(np.sqrt(count**2 * spread + mean**2 * of_months))
    return row | _with_limits(rate * mean * count, error, conf_level, note)


def _with_limits(estimate: float, error: float, conf_level: float, note: str) -> dict[str, Any]:
    half = critical_value(conf_level) * error
    ends = {"conf_low": estimate - half, "conf_high": estimate + half}
    return {"estimate": estimate, "std_error": error, **ends, "note": note}


def _groups(
    orders: pd.DataFrame, contracts: pd.DataFrame | None, by: str | None
) -> Iterator[tuple[dict[str, Any], pd.DataFrame, pd.DataFrame | None]]:
    """Key, order lines and contracts of each group; those without a group take no part."""
    if by is None:
        yield {}, orders, contracts
        return
    check_columns(orders, by=by)
    for key, lines in orders.groupby(by, observed=True, sort=True):
        yield {by: key}, lines, None if contracts is None else contracts[contracts[by] == key]
