"""F2 at horizons, and the ladder from each purchase to the next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError, check_group_names
from cxlib.data.days import to_date
from cxlib.data.purchases import NO_AMOUNTS
from cxlib.journey.second_purchase.days_between import purchase_spells
from cxlib.stats.intervals import Interval
from cxlib.stats.survival.kaplan_meier import survival_curve
from cxlib.stats.survival.known_days import enough_at_risk

HORIZONS_DAYS = (30, 60, 90, 180, 365)
_COLUMNS = ["metric", "days", *Interval._fields, "n_at_risk", "n_events", "n"]
_COLUMNS += ["n_not_reached", "naive", "mature", "n_mature", "n_left_out", "n_ambiguous", "note"]


def repeat_curve(
    orders: pd.DataFrame,
    *,
    as_of: dt.date | str,
    horizons_days: Sequence[int] = HORIZONS_DAYS,
    by: str | list[str] | None = None,
    observed_from: dt.date | str | None = None,
    customer_id_col: str = "customer_id",
    time_col: str = "ordered_at",
    amount_col: str = "amount",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """F2: probability (0–1) of a second purchase within so many days of the first, by Kaplan–Meier.

    Parameters
    ----------
    orders, as_of, by, observed_from, customer_id_col, time_col, amount_col
        As in `repeat_times`.
    horizons_days
        Days after the first purchase at which the curve is read, ascending, each ≥ 1.
    conf_level
        Confidence level of the pointwise interval (log-log).

    Returns
    -------
    DataFrame
        Group columns, `metric` ("f2"), `days, estimate, std_error, conf_low, conf_high, n_at_risk` (customers
        seen for that long without a second purchase before), `n_events` (second purchases by that day), `n`
        (first buyers), `n_not_reached` (neither seen for that long nor with a second purchase), `naive`
        (second purchases by that day ÷ all first buyers, whether or not seen for that long), `mature` (the
        same among the `n_mature` first buyers seen for the full horizon), `n_left_out` (customers who bought
        before `observed_from`), `n_ambiguous` (whose first purchase day holds other values of `by` as well;
        `repeat_times` says which counts), `note` ("refunds_unknown" without amounts, else ""). A horizon at
        which too few are at risk is NaN, as `enough_at_risk` has it.

    Raises
    ------
    ParameterError, InputError
        As in `repeat_times`; also a horizon below 1.

    Notes
    -----
    F2(t) = 1 − S(t). Assumes that customers acquired lately behave like those acquired earlier; look at
    cohorts through `by` before trusting it. `naive` is too low, the more so the faster the base grows;
    `mature` is right but ignores recent customers.

    References
    ----------
    Kaplan & Meier (1958) JASA 53.

    Examples
    --------
    >>> orders = pd.DataFrame({"customer_id": ["a", "a", "b"], "ordered_at": pd.to_datetime(
    ...     ["2026-01-01", "2026-01-11", "2026-01-25"])})
    >>> f2 = repeat_curve(orders, as_of="2026-02-24", horizons_days=[30])
    >>> f2[["estimate", "naive", "mature"]].to_numpy().tolist()
    [[0.5, 0.5, 0.5]]
    """
    check_group_names(by, _COLUMNS)
    if min(horizons_days, default=0) < 1:
        raise ParameterError("journey.horizons", argument="horizons_days", value=repr(list(horizons_days)))
    everybody = purchase_spells(
        orders,
        as_of=as_of,
        by=by,
        observed_from=observed_from,
        customer_id_col=customer_id_col,
        time_col=time_col,
        amount_col=amount_col,
        keep_earlier=True,
    )
    times = everybody[~everybody["is_earlier"]]
    names = [] if by is None else [by] if isinstance(by, str) else list(by)
    days = sorted(horizons_days)
    curve = survival_curve(
        times, duration_col="duration_days", event_col="is_repeat", by=by, times=days, conf_level=conf_level
    )
    curve = enough_at_risk(curve).rename(columns={"time": "days"})
    curve["estimate"], curve["conf_low"], curve["conf_high"] = (
        1 - curve["estimate"],
        1 - curve["conf_high"],
        1 - curve["conf_low"],
    )
    curve = curve.assign(metric="f2", days=curve["days"].astype(int))
    curve["n_events"] = curve["n_events"].groupby(np.arange(len(curve)) // len(days)).cumsum()
    curve["naive"] = curve["n_events"] / curve["n"].where(curve["n"] > 0)
    groups = (
        [times] if by is None else [rows for _, rows in times.groupby(names, dropna=False, observed=True)]
    )
    ratios = [_mature(rows, days, np.datetime64(to_date(as_of), "D")) for rows in groups]
    mature = pd.concat(ratios, ignore_index=True) if ratios else pd.DataFrame(columns=["mature", "n_mature"])
    result = pd.concat([curve, mature], axis=1)
    result = _with_count(result, everybody[everybody["is_earlier"]], names, "n_left_out")
    unclear = times[times["is_ambiguous"]] if names else times.iloc[:0]
    result = _with_count(result, unclear, names, "n_ambiguous")
    return result.assign(note="" if amount_col in orders.columns else NO_AMOUNTS)[[*names, *_COLUMNS]]


def purchase_ladder(
    orders: pd.DataFrame,
    *,
    as_of: dt.date | str,
    steps: int = 4,
    within_days: int = 365,
    observed_from: dt.date | str | None = None,
    customer_id_col: str = "customer_id",
    time_col: str = "ordered_at",
    amount_col: str = "amount",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """F1→F2→F3…: probability (0–1) of the next purchase within `within_days` of each one.

    Parameters
    ----------
    orders, as_of, observed_from, customer_id_col, time_col, amount_col, conf_level
        As in `repeat_curve`.
    steps
        How many steps of the ladder, ≥ 1.
    within_days
        Days from one purchase in which the next one counts.

    Returns
    -------
    DataFrame
        `purchase` (1 = first), `metric` ("next_purchase"), `estimate, std_error, conf_low, conf_high, n`
        (customers who reached it), `n_events, n_at_risk, n_not_reached` (at `within_days`), `median_days`
        (day by which half have bought again, or NaN), `note`. Estimates are NaN as in `repeat_curve`.

    Raises
    ------
    ParameterError, InputError
        As in `repeat_times`.

    Examples
    --------
    >>> orders = pd.DataFrame({"customer_id": ["a", "a", "b"], "ordered_at": pd.to_datetime(
    ...     ["2026-01-01", "2026-01-11", "2026-01-05"])})
    >>> purchase_ladder(orders, as_of="2026-01-31", steps=1, within_days=20)["estimate"].to_list()
    [0.5]
    """
    if within_days < 1:
        raise ParameterError("journey.horizons", argument="within_days", value=repr(within_days))
    spell: dict[str, Any] = {
        "duration_col": "duration_days",
        "event_col": "is_repeat",
        "conf_level": conf_level,
    }
    rows = []
    for purchase in range(1, steps + 1):
        times = purchase_spells(
            orders,
            as_of=as_of,
            observed_from=observed_from,
            purchase=purchase,
            customer_id_col=customer_id_col,
            time_col=time_col,
            amount_col=amount_col,
        )
        curve = enough_at_risk(survival_curve(times, **spell))
        point = enough_at_risk(survival_curve(times, times=[within_days], **spell)).iloc[0]
        rows.append(
            {
                "purchase": purchase,
                "metric": "next_purchase",
                "estimate": 1 - point["estimate"],
                "std_error": point["std_error"],
                "conf_low": 1 - point["conf_high"],
                "conf_high": 1 - point["conf_low"],
                "n": len(times),
                "n_events": int(point["n_events"]),
                "n_at_risk": int(point["n_at_risk"]),
                "n_not_reached": int(point["n_not_reached"]),
                "median_days": curve.loc[curve["estimate"] <= 0.5, "time"].min(),
            }
        )
    return pd.DataFrame(rows).assign(note="" if amount_col in orders.columns else NO_AMOUNTS)


def _with_count(result: pd.DataFrame, some: pd.DataFrame, names: list[str], column: str) -> pd.DataFrame:
    """Beside each group, how many of some customers are in it."""
    if not names:
        return result.assign(**{column: len(some)})
    counts = some.groupby(names, dropna=False, observed=True).size().rename(column).reset_index()
    joined = result.merge(counts, on=names, how="left") if len(counts) else result.assign(**{column: 0})
    return joined.assign(**{column: joined[column].fillna(0).astype(int)})


def _mature(times: pd.DataFrame, days: Sequence[int], last: np.datetime64) -> pd.DataFrame:
    """Share with a second purchase by each day among those first seen at least that many days ago."""
    seen = (last - times["from_on"].to_numpy().astype("datetime64[D]")).astype(np.int64)
    wait = np.where(times["is_repeat"], times["duration_days"], np.inf)
    n = np.array([(seen >= day).sum() for day in days])
    hit = np.array([((seen >= day) & (wait <= day)).sum() for day in days])
    return pd.DataFrame({"mature": hit / np.where(n > 0, n, np.nan), "n_mature": n})
