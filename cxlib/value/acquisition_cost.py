"""What a new customer costs, what one brings for it, and when it is paid back, by channel."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.stats import chi2

from cxlib.checks import ParameterError, check_columns, fail_option
from cxlib.data.days import to_date
from cxlib.stats.arrays import Array
from cxlib.stats.bootstrap import bootstrap_interval
from cxlib.stats.intervals import Interval
from cxlib.value.value_so_far import TOO_YOUNG, check_terms, no_spread, value_by_month

COLUMNS = ["acquisition_channel", "metric", *Interval._fields, "n", "spend_amount", "months", "note"]
#: Rows of all channels together, and of those that are paid for.
BLENDED, PAID = "all channels", "paid channels"
#: Why there is no figure.
NO_SPEND, NO_CUSTOMERS, NOT_PAID_BACK, FEW_MONTHS = "no_spend", "no_customers", "not_paid_back", "few_months"
#: Fewest months of spend for limits.
LEAST_MONTHS = 6
METRICS = ("cac", "ltv", "ltv_to_cac", "payback_months")


def cac(
    spend: pd.DataFrame,
    customers: pd.DataFrame,
    *,
    as_of: dt.date | str,
    days: pd.DataFrame | None = None,
    spend_lag_months: int = 0,
    unpaid: Sequence[str] = (),
    horizon_months: int = 12,
    observed_from: dt.date | str | None = None,
    **settings: Any,
) -> pd.DataFrame:
    """Cost of a new customer by acquisition channel, in currency; with purchases also LTV / CAC and payback.

    Parameters
    ----------
    spend
        Acquisition money: `month` (any day of it)`, acquisition_channel, amount`; several cost lines (media,
        people, agency) add up.
    customers
        One row per new customer: `customer_id, acquisition_channel, first_day` (day of the first purchase).
        Those without a channel count for all channels together.
    as_of
        Last day known: a month that is not over by then takes no part.
    days
        Result of `purchase_days`: what these customers brought. None: cost only.
    spend_lag_months
        Months from spending to the first purchase: spend of a month is set against the customers of the month
        so much later, ≥ 0.
    unpaid
        Channels whose spend does not buy customers (organic): no ratio, and no part in "paid channels".
    horizon_months
        Months of value that are set against the cost.
    observed_from
        First day whose new customers are known, as in `purchase_days`: spend that is set against the
        customers of a month that begins before it takes no part. None: all months are known.
    **settings
        `discount_rate_annual` (0.05), `conf_level` (0.95), `n_boot` (1000), `seed` (1).

    Returns
    -------
    DataFrame
        Per channel, then "paid channels" and "all channels", rows `acquisition_channel, metric` ("cac"; with
        `days` also "ltv" (value within the horizon), "ltv_to_cac", "payback_months")`, estimate, std_error,
        conf_low, conf_high, n` (new customers of the months compared)`, spend_amount, months, note`:
        "no_spend" (no ratio), "no_customers", "few_months" (fewer than 6: no limits), "few_carry",
        "all_alike" (all brought the same), "too_young",
        "not_paid_back" (within the horizon, or not for sure: no upper limit).

    Raises
    ------
    ParameterError
        Unknown column, a lag below 0, a horizon below 1.

    Notes
    -----
    Ratio of sums: spend of all months ÷ their new customers; the mean of monthly ratios gives months with few
    customers the same weight, and is far too high. Limits: bootstrap over months of spend, and over customers
    for what they bring. Which channel brought a customer is the table's word (often the last click): what
    would have come anyway is in it, and only an experiment can tell.

    References
    ----------
    Gupta & Zeithaml (2006) Marketing Science 25, 718–739; Farris et al. (2010) Marketing Metrics, ch. 5.

    Examples
    --------
    >>> spend = pd.DataFrame({"month": pd.to_datetime(["2026-01-01", "2026-02-01"]), "amount": [100.0, 300.0],
    ...     "acquisition_channel": "ad"})
    >>> new = pd.DataFrame({"customer_id": list("abcd"), "acquisition_channel": "ad",
    ...     "first_day": pd.to_datetime(["2026-01-03", "2026-02-03", "2026-02-09", "2026-02-11"])})
    >>> cac(spend, new, as_of="2026-02-28")[["acquisition_channel", "estimate", "n"]].values.tolist()[0]
    ['ad', 100.0, 4]
    """
    check_columns(spend, month="month", acquisition_channel="acquisition_channel", amount="amount")
    names = {name: name for name in ("customer_id", "acquisition_channel", "first_day")}
    check_columns(customers, **names)
    if not spend_lag_months >= 0:
        raise ParameterError("customer_value.spend_lag", value=repr(spend_lag_months))
    given = {"discount_rate_annual": 0.05, "conf_level": 0.95, "n_boot": 1000, "seed": 1} | settings
    check_terms(horizon_months, given["discount_rate_annual"])
    cost, new, months = _by_month(
        spend, customers, to_date(as_of), lag=spend_lag_months, since=_first_month(observed_from)
    )
    channels = sorted({*cost.index, *customers["acquisition_channel"].dropna().unique()})
    paid = [name for name in channels if name not in unpaid and name in cost.index]
    groups = {name: [name] for name in channels} | {PAID: paid, BLENDED: [*channels, _UNKNOWN]}
    rows: list[dict[str, Any]] = []
    for name, parts in groups.items():
        money = cost.reindex(parts).sum().to_numpy(float)
        count = new.reindex(parts).sum().to_numpy(float)
        base = {"acquisition_channel": name, "n": int(count.sum()), "spend_amount": money.sum()}
        base["months"] = len(months)
        key = customers["acquisition_channel"].fillna(_UNKNOWN)
        ids = customers.loc[key.isin(parts), "customer_id"]
        own = None if days is None else days[days["customer_id"].isin(ids)]
        found = _Channel(money, count, own, as_of, horizon_months, given).rows(is_paid=name not in unpaid)
        rows += [base | row for row in found]
    return pd.DataFrame(rows, columns=COLUMNS)


def cac_by_cohort(
    spend: pd.DataFrame,
    customers: pd.DataFrame,
    *,
    as_of: dt.date | str,
    cohort: Literal["quarter", "month", "year"] = "quarter",
    unpaid: Sequence[str] = (),
    **asked: Any,
) -> pd.DataFrame:
    """Cost of a new customer of the paid channels by cohort of first purchase, and what they bring for it.

    Parameters
    ----------
    spend, customers, as_of, unpaid
        As in `cac`.
    cohort
        Length of a cohort, in calendar time; spend belongs to the cohort it is set against.
    **asked
        `days`, `spend_lag_months`, `horizon_months`, `observed_from` and settings as in `cac`.

    Returns
    -------
    DataFrame
        Rows as `cac`, with `cohort` (first day) for the channel: only of cohorts all of whose months are over
        and have spend recorded, from `observed_from` on. The value of a cohort that is younger than the
        horizon is "too_young".

    Notes
    -----
    A cohort of a quarter has three months of spend, too few for a bootstrap over months: limits of its cost
    come from the customers alone (their number as Poisson), so that they say how sure the cost of this
    cohort is, not how the next one will be.

    Examples
    --------
    >>> spend = pd.DataFrame({"month": pd.date_range("2026-01-01", periods=6, freq="MS"), "amount": 100.0,
    ...     "acquisition_channel": "ad"})
    >>> day = pd.to_datetime(["2026-01-03"] * 3 + ["2026-05-03"] * 2)
    >>> new = pd.DataFrame({"customer_id": list("abcde"), "acquisition_channel": "ad", "first_day": day})
    >>> cac_by_cohort(spend, new, as_of="2026-06-30")["estimate"].tolist()
    [100.0, 150.0]
    """
    months = {"month": 1, "quarter": 3, "year": 12}
    if cohort not in months:
        fail_option("cohort", cohort, months)
    paid = spend[~spend["acquisition_channel"].isin(list(unpaid))]
    own = customers[customers["acquisition_channel"].isin(paid["acquisition_channel"].unique())]
    size, lag = months[cohort], int(asked.get("spend_lag_months", 0))
    of_spend = (_months(paid["month"]) + lag) // size
    of_customer = _months(own["first_day"]) // size
    over = (np.datetime64(to_date(as_of)) + np.timedelta64(1, "D")).astype("datetime64[M]").astype(int)
    parts = []
    since = _first_month(asked.get("observed_from"))
    for number in np.unique(of_spend[((of_spend + 1) * size <= over) & (of_spend * size >= since)]):
        if len(np.unique(_months(paid.loc[of_spend == number, "month"]))) < size:
            continue
        rows = cac(paid[of_spend == number], own[of_customer == number], as_of=as_of, **asked)
        rows = rows[rows["acquisition_channel"] == PAID].drop(columns="acquisition_channel")
        first = np.datetime64(int(number) * size, "M").astype("datetime64[s]")
        parts.append(_count_limits(rows, asked).assign(cohort=first))
    names = ["cohort", *COLUMNS[1:]]
    return pd.concat(parts, ignore_index=True)[names] if parts else pd.DataFrame(columns=names)


def _count_limits(rows: pd.DataFrame, asked: dict[str, Any]) -> pd.DataFrame:
    """Limits of the cost from the number of new customers, a Poisson count, where months are too few."""
    tail = (1 - float(asked.get("conf_level", 0.95))) / 2
    n, money = rows["n"].to_numpy(float), rows["spend_amount"].to_numpy(float)
    is_cost = ((rows["metric"] == "cac") & (rows["note"] == FEW_MONTHS)).to_numpy()
    with np.errstate(divide="ignore"):
        low, high = money / (chi2.ppf(1 - tail, 2 * n + 2) / 2), money / (chi2.ppf(tail, 2 * n) / 2)
        limits = {"conf_low": low, "conf_high": high, "std_error": money / n**1.5}
    held = rows.assign(**{name: rows[name].where(~is_cost, values) for name, values in limits.items()})
    return held.assign(note=rows["note"].where(~is_cost, ""))


def _first_month(observed_from: dt.date | str | None) -> int:
    """Count the months up to the first whole one from a day on."""
    if observed_from is None:
        return np.iinfo(np.int64).min
    before = np.datetime64(to_date(observed_from, argument="observed_from")) - np.timedelta64(1, "D")
    return int(before.astype("datetime64[M]").astype(int)) + 1


def _months(days: pd.Series) -> Any:
    return pd.to_datetime(days).to_numpy().astype("datetime64[M]").astype(int)


_UNKNOWN = "cx no channel"


class _Channel:
    """Money, new customers and purchases of one channel; a class, for all its metrics share the draws."""

    def __init__(
        self,
        money: Array,
        count: Array,
        days: pd.DataFrame | None,
        as_of: dt.date | str,
        horizon_months: int,
        given: dict[str, Any],
    ) -> None:
        self.money, self.count, self.given, self.horizon = money, count, given, horizon_months
        rng = np.random.default_rng(given["seed"])
        size, n_boot = len(money), int(given["n_boot"])
        drawn = rng.multinomial(size, np.full(size, 1 / size), n_boot) if size else np.zeros((n_boot, 0))
        with np.errstate(invalid="ignore", divide="ignore"):
            self.costs = (drawn @ money) / (drawn @ count)
        self.costs[~np.isfinite(self.costs)] = np.nan
        self.curve: Array | None = None
        if days is not None:
            rate = given["discount_rate_annual"]
            terms = {"horizon_months": horizon_months, "discount_rate_annual": rate}
            self.curve, parts, n = value_by_month(days, as_of=as_of, **terms)
            self.no_spread = no_spread(parts.sum(axis=1) ** 2)
            moves = np.zeros((n_boot, horizon_months))
            for row in moves if n else ():
                times = np.bincount(rng.integers(0, n, n), minlength=n)
                row[:] = times @ parts
            self.curves = np.cumsum(self.curve + moves, axis=1)

    def rows(self, *, is_paid: bool) -> list[dict[str, Any]]:
        """Rows of all metrics."""
        new, money = self.count.sum(), self.money.sum()
        note = NO_SPEND if not money > 0 else NO_CUSTOMERS if not new > 0 else ""
        cost = money / new if not note else np.nan
        few = FEW_MONTHS if (self.money > 0).sum() < LEAST_MONTHS else ""
        found = [self._row("cac", cost, self.costs, note or few)]
        if self.curve is None:
            return found
        value = float(self.curve.sum())
        of_value = TOO_YOUNG if not np.isfinite(value) else self.no_spread
        found.append(self._row("ltv", value, self.curves[:, -1], of_value))
        if note or not is_paid:
            return found + [self._row(name, np.nan, self.costs, note or NO_SPEND) for name in METRICS[2:]]
        ratios = self.curves[:, -1] / self.costs
        found.append(self._row("ltv_to_cac", value / cost, ratios, of_value or few))
        reached = _months_until(np.cumsum(self.curve)[None, :], np.array([cost]))[0]
        back = _months_until(self.curves, self.costs)
        row = self._row(
            "payback_months", reached, np.where(np.isfinite(back), back, self.horizon + 1), of_value or few
        )
        if not np.isfinite(reached) and not of_value:
            row = self._row("payback_months", np.nan, self.costs, NOT_PAID_BACK)
        elif row["conf_high"] > self.horizon:
            row |= {"conf_high": np.nan, "note": NOT_PAID_BACK}
        return [*found, row]

    def _row(self, metric: str, estimate: float, draws: Array, note: str) -> dict[str, Any]:
        ends: list[float] = [np.nan] * 3
        if not note and np.isfinite(estimate):
            ends = [float(one) for one in bootstrap_interval(draws, conf_level=self.given["conf_level"])]
        estimate = np.nan if note == TOO_YOUNG else estimate
        return {
            "metric": metric,
            "estimate": estimate,
            **dict(zip(Interval._fields[1:], ends, strict=True)),
            "note": note,
        }


def _months_until(curves: Array, costs: Array) -> Array:
    """Months until the value reaches the cost, evenly within a month; missing where it does not."""
    above = curves >= costs[:, None]
    at, rows = above.argmax(axis=1), np.arange(len(curves))
    before = np.where(at > 0, curves[rows, at - 1], 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        part = (costs - before) / (curves[rows, at] - before)
    return np.where(above.any(axis=1), at + part, np.nan)


def _by_month(
    spend: pd.DataFrame, customers: pd.DataFrame, as_of: dt.date, *, lag: int, since: int
) -> tuple[pd.DataFrame, pd.DataFrame, Array]:
    """Spend and the customers it is set against, channels by month; only months of which both are known."""
    month = pd.to_datetime(spend["month"]).to_numpy().astype("datetime64[M]").astype(int)
    first = customers["first_day"].to_numpy().astype("datetime64[M]").astype(int)
    following = np.datetime64(as_of) + np.timedelta64(1, "D")
    over = int(following.astype("datetime64[M]").astype(int))  # months before this one are over
    known = np.unique(month[(month + lag < over) & (month + lag >= since)])
    cost = spend.assign(at=month).pivot_table(
        index="acquisition_channel", columns="at", values="amount", aggfunc="sum", observed=True
    )
    key = (
        customers["acquisition_channel"]
        .astype(object)
        .where(customers["acquisition_channel"].notna(), _UNKNOWN)
    )
    new = pd.crosstab(key, pd.Series(first - lag, index=customers.index))
    return cost.reindex(columns=known).fillna(0.0), new.reindex(columns=known).fillna(0), known
