"""What present customers will still bring within a horizon: their equity, by group, and how it changed."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from cxlib.checks import check_columns, check_group_names
from cxlib.data.days import to_date
from cxlib.stats.arrays import Array
from cxlib.stats.intervals import Interval, critical_value
from cxlib.value.days_of_purchase import DAYS_PER_MONTH, purchase_histories
from cxlib.value.fitted_model import PurchaseModel, purchase_model, slope_of
from cxlib.value.fitted_parameters import BOUNDARY, TOO_FEW, Fit
from cxlib.value.leave_after_order import HISTORY
from cxlib.value.spend_per_order import CORRELATED, NO_MEAN, fitted_spend
from cxlib.value.value_so_far import check_terms, month_factors

COLUMNS = ["metric", *Interval._fields, "n", "mean_residual", "largest_share", "note"]
PARTS = ("acquired", "kept", "lost", "total")


class Models(NamedTuple):
    """Purchases and what they bring, or why there is none; a tuple because a value needs both."""

    purchases: PurchaseModel
    spend: Fit | None
    note: str


def value_models(histories: pd.DataFrame, *, conf_level: float = 0.95) -> Models:
    """Fit both models to histories in months; a note where one of them can't be told."""
    model = purchase_model(histories)
    spend, note, _ = fitted_spend(histories, conf_level=conf_level)
    if model.fit is None:
        return Models(model, None, TOO_FEW)
    refused = spend is None or note in (NO_MEAN, CORRELATED, BOUNDARY)
    return Models(model, None if refused else spend, note if refused else "")


def residual_values(
    histories: pd.DataFrame, models: Models, *, factors: Array, logs: Array | None = None, first: int = 0
) -> Array:
    """Expect the discounted value of each history over the months that `factors` discount."""
    assert models.spend is not None
    held = histories[list(HISTORY)].to_numpy(float)
    size = 0 if models.purchases.fit is None else len(models.purchases.fit.estimate)
    own, other = (None, models.spend.estimate) if logs is None else (logs[:size], np.exp(logs[size:]))
    ahead = np.arange(first, first + len(factors) + 1.0)
    orders = np.diff(models.purchases.expected(held, ahead, own), axis=1) @ factors
    return orders * order_values(histories, other)


def order_values(histories: pd.DataFrame, parameters: Array) -> Array:
    """Mean value of a further order of each history, drawn towards the mean of all."""
    p, q, v = parameters
    x, z = histories["x"].to_numpy(float), histories["mean_value"].to_numpy(float, na_value=np.nan)
    x = np.where((x > 0) & (z > 0), x, 0.0)
    return np.asarray(p * (v + x * np.where(x > 0, z, 0.0)) / (p * x + q - 1))


def customer_equity(
    days: pd.DataFrame,
    groups: pd.DataFrame,
    *,
    as_of: dt.date | str,
    by: str = "segment",
    horizon_months: int = 12,
    discount_rate_annual: float = 0.05,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Sum of what present customers are expected to bring within a horizon, in currency, by group.

    Parameters
    ----------
    days
        Result of `purchase_days`.
    groups
        `customer_id` and the column `by`; customers without a group count in the total only.
    as_of
        Day from which on the value counts.
    by
        Column of the groups.
    horizon_months, discount_rate_annual, conf_level
        As in `ltv`.

    Returns
    -------
    DataFrame
        A row per group and one of all customers (group missing): `by, metric` ("equity")`, estimate,
        std_error, conf_low, conf_high, n` (customers)`, mean_residual` (per customer)`, largest_share` (of
        the one customer who is to bring most)`, note` (why there is none).

    Raises
    ------
    ParameterError
        Unknown column; a horizon below 1 month; a negative rate.

    Notes
    -----
    Σ expected orders of each month × value of an order, both drawn towards the others by the model,
    discounted from `as_of` on. Limits are those of the parameters: what these customers are expected to
    bring, not what they will happen to.

    References
    ----------
    Gupta, Lehmann & Stuart (2004) JMR 41; Fader, Hardie & Lee (2005) JMR 42.

    Examples
    --------
    >>> days = pd.DataFrame({"customer_id": ["a"], "day": pd.to_datetime(["2026-01-01"]),
    ...     "first_day": pd.to_datetime(["2026-01-01"]), "value": [1.0]})
    >>> groups = pd.DataFrame({"customer_id": ["a"], "segment": ["New"]})
    >>> customer_equity(days, groups, as_of="2026-06-30")["note"].unique().tolist()
    ['too_few_repeat']
    """
    check_terms(horizon_months, discount_rate_annual)
    check_columns(groups, customer_id="customer_id", by=by)
    check_group_names(by, COLUMNS)
    histories = purchase_histories(days, as_of=as_of, unit_days=DAYS_PER_MONTH)
    models = value_models(histories, conf_level=conf_level)
    group = histories["customer_id"].map(groups.set_index("customer_id")[by])
    code, names = pd.factorize(group, sort=True)
    size = np.bincount(code[code >= 0], minlength=len(names))
    rows = pd.DataFrame({by: [*names, None], "metric": "equity", "n": [*size, len(histories)]})
    if models.spend is None:
        nothing = dict.fromkeys([*Interval._fields, "mean_residual", "largest_share"], np.nan)
        return rows.assign(**nothing, note=models.note)[[by, *COLUMNS]]
    factors = month_factors(horizon_months, discount_rate_annual)

    def sums(logs: Array | None) -> Array:
        each = residual_values(histories, models, factors=factors, logs=logs)
        return np.append(np.bincount(code[code >= 0], each[code >= 0], len(names)), each.sum())

    found, each = sums(None), residual_values(histories, models, factors=factors)
    most = np.append(pd.Series(each).groupby(code).max().reindex(range(len(names))), each.max(initial=0.0))
    error = np.sqrt(_variance(sums, models))
    half = critical_value(conf_level) * error
    ends = {"std_error": error, "conf_low": found - half, "conf_high": found + half}
    rows = rows.assign(estimate=found, **ends, mean_residual=found / rows["n"])
    rows = rows.assign(largest_share=most / np.where(found > 0, found, np.nan), note=models.purchases.note)
    return rows.sort_values("estimate", ascending=False, ignore_index=True)[[by, *COLUMNS]]


def _variance(function: Any, models: Models) -> Array:
    """Variance of sums from that of all parameters (delta method; the two models are independent)."""
    assert models.spend is not None
    assert models.purchases.fit is not None
    at = np.log(np.concatenate([models.purchases.fit.estimate, models.spend.estimate]))
    slopes = slope_of(function, at)
    size = len(models.purchases.fit.estimate)
    whole = np.zeros((len(at), len(at)))
    whole[:size, :size] = models.purchases.covariance()
    whole[size:, size:] = np.nan_to_num(models.spend.covariance)
    return np.asarray(np.einsum("ik,ij,jk->k", slopes, whole, slopes))


def equity_change(
    days: pd.DataFrame,
    *,
    as_of: dt.date | str,
    earlier: dt.date | str,
    horizon_months: int = 12,
    discount_rate_annual: float = 0.05,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Change of customer equity between two days, split into customers acquired, kept and lost.

    Parameters
    ----------
    days
        Result of `purchase_days`.
    as_of, earlier
        The two days.
    horizon_months, discount_rate_annual, conf_level
        As in `ltv`.

    Returns
    -------
    DataFrame
        `part` ("acquired": first purchase since; "kept": bought before and since; "lost": not since;
        "total")`, metric` ("equity_change")`, estimate, std_error, conf_low, conf_high, n, before, after,
        note`.

    Raises
    ------
    ParameterError
        As `customer_equity`.

    Notes
    -----
    Both days by the parameters of the later one, so that only customers change and not the model. A customer
    who has not bought since loses equity, for the longer the silence the less is expected; some will return.
    Limits are those of customers drawn at random.

    Examples
    --------
    >>> days = pd.DataFrame({"customer_id": ["a"], "day": pd.to_datetime(["2026-01-01"]),
    ...     "first_day": pd.to_datetime(["2026-01-01"]), "value": [1.0]})
    >>> equity_change(days, as_of="2026-06-30", earlier="2026-03-31")["part"].to_list()
    ['acquired', 'kept', 'lost', 'total']
    """
    check_terms(horizon_months, discount_rate_annual)
    now = purchase_histories(days, as_of=as_of, unit_days=DAYS_PER_MONTH)
    then = purchase_histories(days, as_of=earlier, unit_days=DAYS_PER_MONTH)
    models = value_models(now, conf_level=conf_level)
    factors = month_factors(horizon_months, discount_rate_annual)
    rows = []
    if models.spend is not None:
        after = residual_values(now, models, factors=factors)
        held = pd.Series(residual_values(then, models, factors=factors), then["customer_id"])
        before = now["customer_id"].map(held).fillna(0.0).to_numpy(float)
        cut = pd.Timestamp(to_date(earlier, argument="earlier"))
        recent = days.loc[days["day"] > cut, "customer_id"].unique()
        is_new, is_back = (now["first_day"] > cut).to_numpy(), now["customer_id"].isin(recent).to_numpy()
        of_part = {"acquired": is_new, "kept": ~is_new & is_back, "lost": ~is_new & ~is_back}
        of_part["total"] = np.ones(len(now), dtype=bool)
        n = len(now)
        for part, own in of_part.items():
            change = np.where(own, after - before, 0.0)
            error = float(np.sqrt(n * change.var(ddof=1))) if n > 1 else np.nan
            half = critical_value(conf_level) * error
            total = float(change.sum())
            ends = {"std_error": error, "conf_low": total - half, "conf_high": total + half}
            sums = {"before": before[own].sum(), "after": after[own].sum()}
            rows.append({"part": part, "estimate": total, **ends, "n": int(own.sum()), **sums, "note": ""})
    else:
        nothing = dict.fromkeys([*Interval._fields, "before", "after"], np.nan)
        rows = [{"part": part, **nothing, "n": len(now), "note": models.note} for part in PARTS]
    columns = ["part", "metric", *Interval._fields, "n", "before", "after", "note"]
    return pd.DataFrame(rows).assign(metric="equity_change")[columns]
