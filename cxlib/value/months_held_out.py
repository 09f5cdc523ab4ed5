"""What each way of telling value would have said some months ago, beside what came: the test of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError
from cxlib.data.days import to_date
from cxlib.stats.arrays import Array
from cxlib.stats.intervals import Interval, critical_value
from cxlib.stats.joint_bands import draws_root
from cxlib.value.contract_months import contract_survivors, contract_tenure
from cxlib.value.days_of_purchase import DAYS_PER_MONTH, purchase_histories
from cxlib.value.leave_after_order import HISTORY
from cxlib.value.renewals_survived import fitted_survivors
from cxlib.value.residual_value import Models, residual_values, value_models
from cxlib.value.value_so_far import ALL_ALIKE, value_by_month

COLUMNS = ["method", "metric", *Interval._fields, "realised", "error_share", "n", "verdict", "note"]
N_DRAWS = 400


def hold_out(
    days: pd.DataFrame,
    *,
    as_of: dt.date | str,
    months: int = 6,
    contracts: pd.DataFrame | None = None,
    conf_level: float = 0.95,
    seed: int = 1,
) -> pd.DataFrame:
    """Foretell the last months from what was known before them, each way, and compare with what came.

    Parameters
    ----------
    days
        Result of `purchase_days`: of the customers known at the cut, what they brought since is foretold.
    as_of
        Last day known; the cut lies `months` before it.
    months
        Months foretold (365.25 / 12 days each), 1 or more.
    contracts
        As for `ltv`: of those running at the cut, the renewals paid since. None: no row "sbg".
    conf_level, seed
        Level of the prediction intervals, and of the draws behind them.

    Returns
    -------
    DataFrame
        `method` ("mature", "model", "sbg"; "naive": as much as in as many months before)`, metric`
        ("value_next", or "renewals_next")`, estimate, std_error, conf_low, conf_high, realised, error_share`
        (of the realised)`, n` (customers or contracts)`, verdict` ("pass": what came lies in the interval,
        "fail")`, note` (why there is none).

    Raises
    ------
    ParameterError
        `months` below 1.

    Notes
    -----
    "model": orders and what they bring are drawn from the fitted models, parameters included: min(Poisson,
    geometric) orders of those drawn to be there. "mature": the mean of each month of age with its error; the
    spread is that of customers in as many months before. An interval is for what happens, not for what is
    expected.

    References
    ----------
    Wübben & von Wangenheim (2008) J. of Marketing 72, 82–93 (the naive rule is hard to beat).

    Examples
    --------
    >>> days = pd.DataFrame({"customer_id": ["a"], "day": pd.to_datetime(["2025-01-01"]),
    ...     "first_day": pd.to_datetime(["2025-01-01"]), "value": [1.0]})
    >>> hold_out(days, as_of="2026-06-30")[["method", "note"]].values.tolist()
    [['mature', 'too_young'], ['model', 'too_few_repeat'], ['naive', '']]
    """
    if not months >= 1:
        raise ParameterError("customer_value.months", value=repr(months))
    end = pd.Timestamp(to_date(as_of))
    length = pd.Timedelta(days=round(months * DAYS_PER_MONTH))
    cut = end - length
    known = days[days["first_day"] <= cut]
    came = float(known.loc[known["day"] > cut, "value"].sum())
    recent = known[known["day"] <= cut]
    before = recent[recent["day"] > cut - length]
    n = int(known["customer_id"].nunique())
    base = {"metric": "value_next", "realised": came, "n": n}
    rows: list[dict[str, Any]] = [
        base | {"method": "mature"} | _by_age(recent, before, cut, months, conf_level)
    ]
    histories = purchase_histories(recent, as_of=cut.date(), unit_days=DAYS_PER_MONTH)
    models = value_models(histories, conf_level=conf_level)
    if models.spend is None:
        rows.append(base | {"method": "model", "note": models.note})
    else:
        mean = float(residual_values(histories, models, factors=np.ones(months)).sum())
        draws = drawn_totals(histories, models, months=months, seed=seed)
        rows.append(base | {"method": "model"} | _around(mean, draws, conf_level))
    rows.append(base | {"method": "naive", "estimate": float(before["value"].sum())})
    if contracts is not None and len(contracts):
        rows.append({"metric": "renewals_next"} | _contracts(contracts, cut, end, conf_level, seed))
    found = pd.DataFrame(rows, columns=COLUMNS)
    found["note"] = [note if isinstance(note, str) else "" for note in found["note"]]
    size = found["realised"].abs()
    found["error_share"] = (found["estimate"] - found["realised"]) / size.where(size > 0)
    inside = found["realised"].between(found["conf_low"], found["conf_high"])
    verdict = inside.map({True: "pass", False: "fail"})
    return found.assign(verdict=verdict.where(found["conf_low"].notna(), None))


def drawn_totals(histories: pd.DataFrame, models: Models, *, months: float, seed: int) -> Array:
    """Draw what all histories together bring in the months to come, parameters drawn too."""
    assert models.spend is not None
    assert models.purchases.fit is not None
    rng = np.random.default_rng(seed)
    held = histories[list(HISTORY)].to_numpy(float)
    x, z = held[:, 0], histories["mean_value"].to_numpy(float, na_value=np.nan)
    z = np.where((x > 0) & (z > 0), z, 0.0)
    known = np.where(z > 0, x, 0.0)
    roots = [draws_root(models.purchases.covariance()), draws_root(np.nan_to_num(models.spend.covariance))]
    totals = np.empty(N_DRAWS)
    for place in range(N_DRAWS):
        own, spend = (
            np.exp(np.log(fit.estimate) + root @ rng.standard_normal(len(root)))
            for fit, root in zip((models.purchases.fit, models.spend), roots, strict=True)
        )
        orders = _drawn_orders(rng, held, own, months)
        p, q, v = spend
        some = orders > 0
        scale = rng.gamma(p * known[some] + q, 1 / (v + known[some] * z[some]))
        totals[place] = (rng.gamma(p * orders[some]) / scale).sum()
    return totals


def _drawn_orders(rng: np.random.Generator, held: Array, parameters: Array, months: float) -> Array:
    """Orders of each history in the time to come: as many as the pace gives, until one is the last."""
    x, t_x, age = held.T
    r, alpha = parameters[:2]
    power = r + x
    ratio = ((alpha + age) / (alpha + t_x)) ** power
    if len(parameters) == 3:
        drop = np.full(len(x), parameters[2] / (1 + parameters[2]))
        gone = np.where(x > 0, parameters[2] * ratio, 0.0)
    else:
        a, b = parameters[2:]
        drop = rng.beta(a, b + x).clip(1e-12, 1)
        gone = np.where(x > 0, a / np.maximum(b + x - 1, 1e-12) * ratio, 0.0)
    there = rng.random(len(x)) < 1 / (1 + gone)
    paced = rng.poisson(rng.gamma(power) / (alpha + age) * months)
    return np.asarray(np.where(there, np.minimum(paced, rng.geometric(drop.clip(1e-9, 1))), 0), float)


def _by_age(
    recent: pd.DataFrame, before: pd.DataFrame, cut: pd.Timestamp, months: int, conf_level: float
) -> dict[str, Any]:
    """Foretell each customer by the mean of the months of age to come, the older by the last known."""
    age = (cut - recent.groupby("customer_id")["first_day"].first()).dt.days.to_numpy() / DAYS_PER_MONTH
    reach = int(age.max(initial=0)) + months
    curve, parts, _ = value_by_month(
        recent, as_of=cut.date(), horizon_months=max(reach, 1), discount_rate_annual=0.0
    )
    known = np.flatnonzero(np.isfinite(curve))
    if len(known) < 2 or len(age) < 2:
        return {"note": "too_young"}
    at = np.arange(len(curve))
    upper, lower = np.minimum(age[:, None] + months, at + 1), np.maximum(age[:, None], at)
    weight = np.maximum(upper - lower, 0).sum(axis=0)  # customers' months of each age to come
    late, beyond = known[1:][-3:], np.setdiff1d(at, known)
    weight[late] += weight[beyond].sum() / len(late)
    weight[beyond] = 0.0
    of_curve = float(((parts[:, known] @ weight[known]) ** 2).sum())
    spent = before.groupby("customer_id")["value"].sum()
    each = spent.reindex(recent["customer_id"].unique(), fill_value=0.0)
    error = float(np.sqrt(of_curve + len(each) * each.var(ddof=1)))
    total = float(curve[known] @ weight[known])
    if not error > 0:
        return {"estimate": total, "note": ALL_ALIKE}
    half = critical_value(conf_level) * error
    return {"estimate": total, "std_error": error, "conf_low": total - half, "conf_high": total + half}


def _around(mean: float, draws: Array, conf_level: float) -> dict[str, Any]:
    """Give the expected total with the limits of the draws."""
    low, high = np.quantile(draws, [(1 - conf_level) / 2, (1 + conf_level) / 2])
    return {
        "estimate": mean,
        "std_error": float(draws.std()),
        "conf_low": float(low),
        "conf_high": float(high),
    }


def _contracts(
    contracts: pd.DataFrame, cut: pd.Timestamp, end: pd.Timestamp, conf_level: float, seed: int
) -> dict[str, Any]:
    """Renewals of the contracts that ran at the cut: foretold by sBG, and paid."""
    then = contract_tenure(contracts, as_of=cut.date())
    running = then[~then["is_ended"]]
    row: dict[str, Any] = {"method": "sbg", "n": len(running), "realised": np.nan}
    fit, note, _ = fitted_survivors(contract_survivors(contracts, as_of=cut.date()))
    if fit is None or running.empty:
        return row | {"note": note or "too_few_repeat"}
    reached = running["duration_months"].to_numpy(int)
    now = contract_tenure(contracts.loc[running.index], as_of=end.date())
    paid = now["duration_months"].to_numpy(int) - now["is_ended"].to_numpy(int) - reached
    endless = contracts.loc[running.index].assign(ended_on=pd.Series(pd.NaT, index=running.index))
    ever = contract_tenure(endless, as_of=end.date())
    due = ever["duration_months"].to_numpy(int) - reached
    rng = np.random.default_rng(seed)
    alpha, beta = fit.estimate
    root = draws_root(np.nan_to_num(fit.covariance))
    draws = np.empty(N_DRAWS)
    for place in range(N_DRAWS):
        a, b = np.exp(np.log([alpha, beta]) + root @ rng.standard_normal(2))
        chance = rng.beta(a, b + reached).clip(1e-9, 1)
        draws[place] = np.minimum(rng.geometric(chance) - 1, due).sum()
    steps = np.arange(1, int(due.max(initial=0)) + 1)
    come = reached[:, None] + steps - 1
    stay = np.cumprod((beta + come) / (alpha + beta + come), axis=1)
    mean = float((stay * (steps <= due[:, None])).sum())
    return row | {"realised": float(np.maximum(paid, 0).sum())} | _around(mean, draws, conf_level)
