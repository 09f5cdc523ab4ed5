"""Figures month by month within the limits of chance, which hold for all charts of a report together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import check_columns
from cxlib.data.contract import TABLES
from cxlib.data.days import local_days
from cxlib.scorecard.kpi_rows import Measure
from cxlib.stats.arrays import Array

FEWEST = 6  # months below which limits of chance say nothing
PER_SIGMA = 1.128  # mean distance of two neighbours, in standard deviations of normal values
USUAL = 3.0  # standard errors of limits that look at one point only
DRAWS = 20_000
POINT = ["month", "estimate", "std_error", "n", "customers"]


def time_column(rows: pd.DataFrame) -> str | None:
    """Column that says when a row of any table came into being; a customer's first day only for want of it.

    Examples
    --------
    >>> time_column(pd.DataFrame(columns=["first_seen_on", "answered_at"]))
    'answered_at'
    """
    known = sorted(
        {one.time for one in TABLES.values() if one.time}, key=lambda name: name == "first_seen_on"
    )
    return next((name for name in known if name in rows), None)


def monthly_figures(
    measures: Mapping[str, Measure],
    *,
    first_day: dt.date,
    last_day: dt.date,
    by: str | None = None,
    min_customers: int = 10,
    customer_id_col: str = "customer_id",
) -> pd.DataFrame:
    """Compute each figure from the rows of every whole month, as it is computed from all of them.

    Parameters
    ----------
    measures : mapping of metric to Measure
        Rows are those of `latest`, by the time of their table; with `is_cohort`, by the customer's first.
    first_day, last_day : date
        Only months wholly between them: a month that has just begun is no lower than others, it is shorter.
    by : str, optional
        Column of what `of` returns, such as "stage": each of its values is a figure of its own.
    min_customers : int
        Months with fewer customers, or a smaller n, are left out.
    customer_id_col : str

    Returns
    -------
    DataFrame
        `metric`, `by`, `month` (its first day), `estimate, std_error, n, customers` (in the month), in order
        of time; months without an estimate are left out.

    Examples
    --------
    >>> def mean(rows, day):
    ...     return pd.DataFrame({"estimate": [rows["hit"].mean()], "n": len(rows)})
    >>> rows = pd.DataFrame({"customer_id": list("abc"), "hit": [1, 0, 1],
    ...     "occurred_at": pd.to_datetime(["2026-01-05", "2026-01-09", "2026-02-03"])})
    >>> days = {"first_day": dt.date(2026, 1, 1), "last_day": dt.date(2026, 2, 28)}
    >>> monthly_figures({"hits": Measure(mean, rows)}, min_customers=1, **days)["estimate"].tolist()
    [0.5, 1.0]
    """
    keys = ["metric", *([] if by is None else [by])]
    found: list[dict[str, Any]] = []
    for metric, one in measures.items():
        check_columns(one.latest, customer_id_col=customer_id_col)
        for month, rows in _months(one, first_day, last_day, customer_id_col):
            held = one.figure(rows, last_day)
            for row in (held.head(1) if by is None else held).to_dict("records"):
                people = (
                    rows[customer_id_col] if by is None else rows.loc[rows[by] == row[by], customer_id_col]
                )
                own = {str(name): row.get(name, np.nan) for name in ("estimate", "std_error", "n", *keys[1:])}
                found.append({"metric": metric, "month": month, "customers": people.nunique()} | own)
    points = pd.DataFrame(found, columns=[*keys, *POINT])
    points = points.astype({"estimate": float, "std_error": float, "n": float})
    fewest = points[["n", "customers"]].min(axis=1)
    return points[points["estimate"].notna() & (fewest >= min_customers)].reset_index(drop=True)


def control_limits(
    points: pd.DataFrame,
    *,
    shares: Collection[str] = (),
    by: Sequence[str] = (),
    conf_level: float = 0.95,
    seed: int = 1,
) -> pd.DataFrame:
    """Set the limits within which figures that do not change wander by chance, in all charts together.

    Parameters
    ----------
    points : DataFrame
        Result of `monthly_figures`.
    shares : collection of str
        Metrics that are shares (0–1): a p-chart. Others have a mean chart where every month has a standard
        error, and an XmR chart where not, as totals.
    by : sequence of str
        Columns beside `metric` that tell charts apart.
    conf_level : float
        Probability that no point of any chart lies outside when nothing changes.
    seed : int
        Of the simulated series from which the width of the limits follows.

    Returns
    -------
    DataFrame
        `points` of charts with at least six months, and `chart` ("p", "mean" or "xmr"), `usual` (the centre),
        `limit_low, limit_high`, `rule` by which it signals ("limits": outside; "run": so many months on one
        side), `is_signal`, `is_alone` (outside three standard errors, the usual limits for one point).

    Notes
    -----
    XmR: centre x̄, standard deviation mean(|xᵢ − xᵢ₋₁|)/1.128. p: centre Σnp/Σn, standard error √(p(1−p)/n)
    times Laney's factor, the same deviation of the standardised shares, at least 1: customers who come twice
    make shares wander more than separate answers would. Mean: likewise with each month's own standard error.
    The width in standard errors is the quantile of the largest distance in simulated normal series of the
    chart's length, treated alike; a run counts from the length that the longest run in such series hardly
    ever has. Either has the chance (1 − conf_level) / (2·charts), so that of any false signal in the report
    is at most 1 − conf_level. Season and trend are changes too.

    References
    ----------
    Wheeler (2000) Understanding Variation; Laney (2002) Quality Engineering 14(4), 531–537.

    Examples
    --------
    >>> calm = pd.DataFrame({"metric": "sales", "month": pd.date_range("2026-01-01", periods=8, freq="MS"),
    ...     "estimate": [10.0, 12, 11, 10, 12, 11, 10, 60], "std_error": np.nan, "n": 50, "customers": 50})
    >>> control_limits(calm)[["usual", "is_signal"]].tail(1).to_numpy().tolist()
    [[17.0, True]]
    """
    keys = ["metric", *by]
    check_columns(points, **{f"points.{name}": name for name in [*keys, "estimate", "std_error", "n"]})
    parts: list[Any] = [
        part for _, part in points.groupby(keys, sort=False, dropna=False) if len(part) >= FEWEST
    ]
    added = ["chart", "usual", "limit_low", "limit_high", "rule", "is_signal", "is_alone"]
    if not parts:
        return points.head(0).reindex(columns=[*points.columns, *added])
    level = 1 - (1 - conf_level) / (2 * len(parts))
    return pd.concat([_limited(part, shares, level, seed) for part in parts], ignore_index=True)


def chart_rows(limited: pd.DataFrame, *, by: Sequence[str] = ()) -> pd.DataFrame:
    """One row per control chart: the latest month, its limits, and how many months lay outside.

    Parameters
    ----------
    limited : DataFrame
        Result of `control_limits`.
    by : sequence of str
        As there.

    Returns
    -------
    DataFrame
        `metric`, `by`, `chart`, `months_observed`, `estimate` (latest month), `n, customers` (in it), `usual,
        limit_low, limit_high`, `signals, alone` (months outside these limits, and outside three standard
        errors), `last_signal_on` (latest such month) and `verdict`: "differ" where any month lies outside,
        else "no_difference_shown".

    Examples
    --------
    >>> steady = pd.DataFrame({"metric": "nps", "month": pd.date_range("2026-01-01", periods=6, freq="MS"),
    ...     "estimate": [10.0, 12, 11, 10, 12, 11], "std_error": np.nan, "n": 50, "customers": 50})
    >>> chart_rows(control_limits(steady))[["months_observed", "signals", "verdict"]].to_numpy().tolist()
    [[6, 0, 'no_difference_shown']]
    """
    keys = ["metric", *by]
    grouped = limited.groupby(keys, sort=False, dropna=False)
    rows = (
        grouped.tail(1)
        .drop(columns=["is_signal", "is_alone", "rule", "month", "std_error"])
        .reset_index(drop=True)
    )
    counts = grouped.agg(
        months_observed=("month", "size"), signals=("is_signal", "sum"), alone=("is_alone", "sum")
    )
    rows[["months_observed", "signals", "alone"]] = counts.astype("int64").to_numpy()
    months = limited["month"].where(limited["is_signal"].astype(bool))
    rows["last_signal_on"] = (
        months.groupby([limited[key] for key in keys], sort=False, dropna=False).max().array
    )
    rows["verdict"] = np.where(rows["signals"] > 0, "differ", "no_difference_shown")
    return rows


def chart_family(
    limited: pd.DataFrame, *, by: Sequence[str] = (), conf_level: float = 0.95, seed: int = 1
) -> dict[str, Any]:
    """Say how many points were looked at, and how often chance alone shows a signal among them.

    Parameters
    ----------
    limited : DataFrame
        Result of `control_limits`.
    by, conf_level, seed
        As there.

    Returns
    -------
    dict
        `charts, points, signals, alone` as text (they count months, not customers), `miss_share`
        (0–1, at most so often these limits show any when nothing changes), and `chance_share`: how
        often (0–1) at least one of so many points then leaves limits of three standard errors.

    Examples
    --------
    >>> steady = pd.DataFrame({"metric": "nps", "month": pd.date_range("2026-01-01", periods=24, freq="MS"),
    ...     "estimate": [10.0, 12, 11] * 8, "std_error": np.nan, "n": 50, "customers": 50})
    >>> round(chart_family(control_limits(steady))["chance_share"], 1)
    0.1
    """
    lengths = limited.groupby(["metric", *by], sort=False, dropna=False).size().tolist()
    calm = np.prod([np.searchsorted(_by_chance(length, seed)[0], USUAL) / DRAWS for length in lengths])
    counts = {"charts": len(lengths), "points": len(limited)}
    shares = {"miss_share": 1 - conf_level, "chance_share": float(1 - calm)}
    counts |= {"signals": int(limited["is_signal"].sum()), "alone": int(limited["is_alone"].sum())}
    return {name: f"{count:,}" for name, count in counts.items()} | shares


def _months(
    one: Measure, first_day: dt.date, last_day: dt.date, customer_id_col: str
) -> list[tuple[pd.Timestamp, pd.DataFrame]]:
    column = time_column(one.latest)
    if column is None or one.latest.empty or not one.is_monthly:
        return []
    days: Any = local_days(one.latest[column], column)
    if one.is_cohort:
        days = days.groupby(one.latest[customer_id_col]).transform("min")
    month = days.dt.to_period("M").dt.to_timestamp()
    ends = month + pd.offsets.MonthEnd(1)
    whole = (month >= pd.Timestamp(first_day)) & (ends <= pd.Timestamp(last_day))
    return [(start, one.latest.loc[rows.index]) for start, rows in month[whole].groupby(month[whole])]


def _limited(part: pd.DataFrame, shares: Collection[str], level: float, seed: int) -> pd.DataFrame:
    values, n = part["estimate"].to_numpy(float), part["n"].to_numpy(float)
    errors = part["std_error"].to_numpy(float)
    chart = "p" if part["metric"].iloc[0] in shares else "mean" if (errors > 0).all() else "xmr"
    if chart == "xmr":
        centre, own = float(values.mean()), np.full(len(values), _deviation(values))
    else:
        centre = float(np.average(values, weights=n))
        own = np.sqrt(centre * (1 - centre) / n) if chart == "p" else errors
        with np.errstate(invalid="ignore", divide="ignore"):
            own = own * max(1.0, np.nan_to_num(_deviation((values - centre) / own)))
    distances, runs = _by_chance(len(values), seed)
    rank = min(int(np.ceil(level * DRAWS)), DRAWS) - 1
    reach, most = float(distances[rank]), int(runs[rank])
    low, high = centre - reach * own, centre + reach * own
    away = np.abs(values - centre)
    rule = np.full(len(values), None, dtype=object)
    rule[_runs(values - centre) > most] = "run"
    rule[away > reach * own] = "limits"
    return part.assign(
        chart=chart,
        usual=centre,
        limit_low=np.maximum(low, 0.0) if chart == "p" else low,
        limit_high=np.minimum(high, 1.0) if chart == "p" else high,
        rule=rule,
        is_signal=pd.notna(rule),
        is_alone=away > USUAL * own,
    )


def _deviation(values: Array) -> float:
    return float(np.abs(np.diff(values)).mean() / PER_SIGMA)


def _runs(away: Array) -> Array:
    """For each value, how many in a row up to it lie on the same side; along the last axis."""
    side = np.sign(away)
    counts = np.ones_like(side)
    for place in range(1, side.shape[-1]):
        goes_on = (side[..., place] == side[..., place - 1]) & (side[..., place] != 0)
        counts[..., place] += counts[..., place - 1] * goes_on
    return counts


@lru_cache(maxsize=64)
def _by_chance(length: int, seed: int) -> tuple[Array, Array]:
    """Largest distance from the mean, in XmR deviations, and longest run of calm series; each sorted."""
    rng = np.random.default_rng([seed, length])
    values = rng.standard_normal((DRAWS, length))
    deviation = np.abs(np.diff(values, axis=1)).mean(axis=1) / PER_SIGMA
    away = values - values.mean(axis=1, keepdims=True)
    return np.sort(np.abs(away).max(axis=1) / deviation), np.sort(_runs(away).max(axis=1))
