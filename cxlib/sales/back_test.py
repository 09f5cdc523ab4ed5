"""How well forecasts would have done: each past quarter foretold with what was known the day before it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import NotEnoughData
from cxlib.data.days import to_date
from cxlib.data.deals import deal_spells
from cxlib.sales.chances import known_stays, win_chances
from cxlib.sales.quarter_forecast import (
    FEWEST_ENDED,
    amounts_of,
    forecast,
    known_deals,
    quarter_of,
    weighted_pipeline,
)
from cxlib.sales.transition_rates import transition_rates
from cxlib.stats.clustered_share import clustered_share_interval
from cxlib.stats.intervals import Interval, share_interval

#: Days of deals that have to be known before a quarter is foretold: of old ones nothing is known sooner.
LEAST_DAYS = 180
METHODS = ("stage_and_age", "stage_weighted", "last_quarter")
_QUARTERS = ["first_day", "last_day", "method", "metric", "estimate", "conf_low", "conf_high", "actual"]
_QUARTERS += ["error", "is_held", "n", "customers"]


def past_forecasts(
    deals: pd.DataFrame,
    *,
    as_of: dt.date | str,
    deal_stages: pd.DataFrame | None = None,
    stages: Sequence[str] = (),
    typed: Mapping[str, float] | None = None,
    fiscal_year_start: int = 1,
    draws: int = 200,
    seed: int = 1,
    conf_level: float = 0.8,
) -> pd.DataFrame:
    """Forecast every past quarter from the day before it, by three methods, and compare what was won.

    Parameters
    ----------
    deals, as_of, deal_stages, stages, fiscal_year_start, draws, seed, conf_level
        As in `forecast`; only quarters over by `as_of` are foretold.
    typed
        As in `weighted_pipeline`.

    Returns
    -------
    DataFrame
        `first_day, last_day, method` ("stage_and_age", "stage_weighted", "last_quarter": what was won in the
        quarter before), `metric` ("won_amount"), `estimate, conf_low, conf_high` (of the first method only),
        `actual` (amount won in the quarter), `error` (estimate − actual), `is_held` (inside the interval),
        `n` (deals created by then), `customers`. Quarters before which too few deals had ended, or less than
        180 days of deals were known, are left out.

    Notes
    -----
    Stage, result and existence of each deal are those of the day before the quarter. Amounts are not kept by
    day: they are today's, which flatters every method alike.

    Examples
    --------
    >>> days = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(180), unit="D")
    >>> deals = pd.DataFrame({"deal_id": np.arange(180).astype(str), "customer_id": "k", "amount": 100.0,
    ...     "created_on": days, "closed_on": days + pd.Timedelta(days=9), "is_won": [True, False] * 90})
    >>> older = deals.assign(created_on=days - pd.Timedelta(days=170))
    >>> past_forecasts(older, as_of="2026-06-30")["method"].tolist()
    ['stage_and_age', 'stage_weighted', 'last_quarter']
    """
    last = to_date(as_of)
    spells = deal_spells(deals, as_of=last)
    won = spells[spells["outcome"] == "won"].assign(size=lambda rows: amounts_of(rows))
    rows: list[dict[str, Any]] = []
    begins = to_date(spells["created_on"].min()) if len(spells) else last
    quarter = quarter_of(begins, fiscal_year_start=fiscal_year_start)
    previous = np.nan
    while quarter.last_day <= last:
        of_quarter = won["ended_on"].between(pd.Timestamp(quarter.first_day), pd.Timestamp(quarter.last_day))
        actual = float(won.loc[of_quarter, "size"].sum())
        asked: dict[str, Any] = {
            "as_of": quarter.first_day - dt.timedelta(days=1),
            "deal_stages": deal_stages,
        }
        asked |= {"stages": stages}
        made: dict[str, Any] = {"until": quarter.last_day, "draws": draws, "seed": seed}
        found = None
        if (asked["as_of"] - begins).days >= LEAST_DAYS:
            with suppress(NotEnoughData):
                found = forecast(deals, **asked, **made, conf_level=conf_level)
        if found is not None:
            total = found[(found["won_from"] == "total") & (found["metric"] == "won_amount")].iloc[0]
            told = {name: total[name] for name in ("estimate", "conf_low", "conf_high")}
            others = {
                "stage_weighted": weighted_pipeline(deals, **asked, typed=typed),
                "last_quarter": previous,
            }
            about = {**quarter._asdict(), "metric": "won_amount", "actual": actual}
            about |= {"n": int(total["n"]), "customers": int(total["customers"])}
            held = bool(told["conf_low"] <= actual <= told["conf_high"])
            rows.append({"method": METHODS[0], **told, **about, "is_held": held})
            rows += [{"method": name, "estimate": value, **about} for name, value in others.items()]
        previous = actual
        quarter = quarter_of(quarter.last_day + dt.timedelta(days=1), fiscal_year_start=fiscal_year_start)
    frame = pd.DataFrame(rows).reindex(columns=_QUARTERS)
    return frame.assign(error=frame["estimate"].astype(float) - frame["actual"].astype(float))


def with_coming(past: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """Put the coming quarter's forecast below the past ones, whose `actual` is known.

    Examples
    --------
    >>> with_coming(pd.DataFrame(columns=["method"]), pd.DataFrame()).empty
    True
    """
    names = ["first_day", "estimate", "conf_low", "conf_high", "actual", "n", "customers"]
    told = past[past["method"] == METHODS[0]] if len(past) else past
    coming = (
        parts[(parts["won_from"] == "total") & (parts["metric"] == "won_amount")] if len(parts) else parts
    )
    rows = [frame.reindex(columns=names) for frame in (told, coming) if len(frame)]
    known = [one.astype({"actual": float}).dropna(subset="estimate") for one in rows]
    return pd.concat(known, ignore_index=True) if rows else pd.DataFrame()


def shown_forecasts(told: pd.DataFrame) -> pd.DataFrame:
    """Forecasts as a table shows them: the ends of their interval are of another level than others.

    Examples
    --------
    >>> shown_forecasts(pd.DataFrame({"conf_low": [1.0], "conf_high": [2.0]})).columns.tolist()
    ['low_estimate', 'high_estimate']
    """
    ends = {"conf_low": "low_estimate", "conf_high": "high_estimate"}
    unshown = ["last_day", "error"] if "method" in told else ["first_day", "last_day"]
    kept = told[told["n"] > 0] if "n" in told else told  # nothing won so far is no row
    return kept.rename(columns=ends).drop(columns=unshown, errors="ignore")


def forecast_accuracy(past: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Sum up past forecasts by method: how far off, to which side, and how often inside the interval.

    Parameters
    ----------
    past
        As `past_forecasts` gives it.
    conf_level
        Level of the interval of the share held (Wilson).

    Returns
    -------
    DataFrame
        `method, metric` ("wape"), `estimate` (Σ|error| / Σ actual, 0 is best), `bias_share` (Σ error / Σ
        actual), `held_share, held_share_conf_low, held_share_conf_high` (of the quarters; the first method only),
        `quarters`. Quarters that not every method foretells are left out, so that all face the same ones.

    References
    ----------
    Hyndman & Koehler (2006) Int. J. Forecasting 22.

    Examples
    --------
    >>> past = pd.DataFrame({"first_day": ["q"], "method": ["last_quarter"], "estimate": [90.0], "actual": [100.0],
    ...     "error": [-10.0], "is_held": [None]})
    >>> forecast_accuracy(past)[["estimate", "bias_share"]].to_numpy().tolist()
    [[0.1, -0.1]]
    """  # noqa: E501
    tried = past[past["estimate"].notna()]
    common = tried.groupby("first_day")["method"].transform("nunique") == tried["method"].nunique()
    rows = []
    for method, own in tried[common].groupby("method", sort=False):
        actual = own["actual"].sum()
        if not actual > 0:
            continue
        row = {"method": method, "metric": "wape", "estimate": own["error"].abs().sum() / actual}
        row |= {"bias_share": own["error"].sum() / actual, "quarters": len(own)}
        every = past[(past["method"] == method) & past["is_held"].notna()]
        if len(every):
            held = share_interval(int(every["is_held"].astype(bool).sum()), len(every), conf_level=conf_level)
            row |= {
                "held_share": held.estimate,
                "held_share_conf_low": held.conf_low,
                "held_share_conf_high": held.conf_high,
            }
        rows.append(row)
    held_share = ["held_share", "held_share_conf_low", "held_share_conf_high"]
    columns = ["method", "metric", "estimate", "bias_share", *held_share, "quarters"]
    return pd.DataFrame(rows).reindex(columns=columns)


def chance_calibration(
    deals: pd.DataFrame,
    *,
    as_of: dt.date | str,
    deal_stages: pd.DataFrame | None = None,
    stages: Sequence[str] = (),
    fiscal_year_start: int = 1,
    bands: int = 4,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Chances told before past quarters against the share (0–1) of those deals won in them.

    Parameters
    ----------
    deals, as_of, deal_stages, stages, fiscal_year_start
        As in `past_forecasts`.
    bands
        Groups of open deals by chance, of about equal size.
    conf_level
        Level of the intervals (by account).

    Returns
    -------
    DataFrame
        From the lowest chance up: `chance_band` (1, 2, …), `metric` ("won"), `chance` (mean of those told),
        `estimate, std_error, conf_low, conf_high` (share won), `n` (deals by quarter), `customers`. No rows
        with fewer than 20 deals a band.

    Examples
    --------
    >>> days = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(180), unit="D")
    >>> deals = pd.DataFrame({"deal_id": np.arange(180).astype(str), "customer_id": "k",
    ...     "created_on": days, "closed_on": days + pd.Timedelta(days=9), "is_won": [True, False] * 90})
    >>> chance_calibration(deals, as_of="2026-06-30").empty
    True
    """
    last, parts = to_date(as_of), []
    spells = deal_spells(deals, as_of=last).set_index("deal_id")
    begins = to_date(spells["created_on"].min()) if len(spells) else last
    quarter = quarter_of(begins, fiscal_year_start=fiscal_year_start)
    while quarter.last_day <= last:
        day = quarter.first_day - dt.timedelta(days=1)
        known = known_deals(deals, as_of=day)
        stays, names = known_stays(known, deal_stages, as_of=day, stages=stages)
        is_seen = stays["next"].isin(["won", "lost"]).sum() >= FEWEST_ENDED
        if is_seen and (day - begins).days >= LEAST_DAYS:
            horizon = (quarter.last_day - day).days
            told, _ = win_chances(stays, transition_rates(stays, stages=names), within_days=horizon)
            after = spells.loc[told["deal_id"]]
            won = (after["outcome"] == "won") & (after["ended_on"] <= pd.Timestamp(quarter.last_day))
            parts.append(told.assign(won=won.to_numpy(), customer_id=after["customer_id"].to_numpy()))
        quarter = quarter_of(quarter.last_day + dt.timedelta(days=1), fiscal_year_start=fiscal_year_start)
    columns = ["chance_band", "metric", "chance", *Interval._fields, "n", "customers"]
    every = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["chance"])
    if len(every) < bands * FEWEST_ENDED:
        return pd.DataFrame(columns=columns)
    every["chance_band"] = pd.qcut(every["chance"].rank(method="first"), bands, labels=False) + 1
    held = every.groupby("chance_band").agg(
        chance=("chance", "mean"), n=("won", "size"), customers=("customer_id", "nunique")
    )
    groups = every["chance_band"].to_numpy(int) - 1
    shares = clustered_share_interval(
        every["won"], every["customer_id"], groups=groups, conf_level=conf_level
    )
    return held.assign(**shares._asdict(), metric="won").reset_index()[columns]
