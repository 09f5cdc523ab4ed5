"""What will be won by the end of a quarter: open deals by stage and age, and deals that are yet to come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import chi2

from cxlib.checks import NotEnoughData, ParameterError
from cxlib.data.days import local_days, to_date
from cxlib.data.deals import deal_day, deal_spells
from cxlib.sales.chances import known_stays, win_chances, won_of_new
from cxlib.sales.transition_rates import transition_rates
from cxlib.stats.arrays import Array

#: Days before a forecast from which it is learned how many deals come, and how large won ones are.
LEARNED_DAYS = 365
#: Fewest deals that had ended, and of them won, before a forecast is made.
FEWEST_ENDED, FEWEST_WON = 20, 5
_COLUMNS = [
    "won_from",
    "metric",
    "estimate",
    "conf_low",
    "conf_high",
    "n",
    "customers",
    "first_day",
    "last_day",
]


class Quarter(NamedTuple):
    """First and last day of a quarter; a class to name the two."""

    first_day: dt.date
    last_day: dt.date


def quarter_of(day: dt.date | str, *, fiscal_year_start: int = 1) -> Quarter:
    """Quarter that holds a day, of a fiscal year that begins with a month.

    Examples
    --------
    >>> [str(end) for end in quarter_of("2026-10-01", fiscal_year_start=4)]
    ['2026-10-01', '2026-12-31']
    """
    month = pd.Timestamp(to_date(day)).to_period("M")
    first = month - (month.month - fiscal_year_start) % 3
    return Quarter(first.start_time.date(), (first + 2).end_time.date())


def known_deals(deals: pd.DataFrame, *, as_of: dt.date | str) -> pd.DataFrame:
    """Deals that had been created, and entered, by a day; a deal's amount is the one it has today.

    Examples
    --------
    >>> deals = pd.DataFrame({"created_on": pd.to_datetime(["2026-01-01", "2026-02-01"])})
    >>> len(known_deals(deals, as_of="2026-01-31"))
    1
    """
    day = pd.Timestamp(to_date(as_of))
    known = deal_day(deals, "created_on") <= day
    if "recorded_at" in deals:
        entered = local_days(deals["recorded_at"], "recorded_at")
        known &= entered.isna() | (entered <= day)
    return deals[known]


def forecast(
    deals: pd.DataFrame,
    *,
    as_of: dt.date | str,
    until: dt.date | str | None = None,
    deal_stages: pd.DataFrame | None = None,
    stages: Sequence[str] = (),
    fiscal_year_start: int = 1,
    draws: int = 400,
    seed: int = 1,
    conf_level: float = 0.8,
) -> pd.DataFrame:
    """Forecast what is won by the end of a quarter, in currency and deals, with a prediction interval.

    Parameters
    ----------
    deals
        As in `deal_spells`, with `deal_id, customer_id` and `amount`. What was entered later than `as_of` is
        not known (`recorded_at`, where there is one), nor how a deal ended since.
    as_of
        Last day known, inclusive.
    until
        Last day of the forecast; the end of the quarter that holds the day after `as_of` by default.
    deal_stages, stages
        History and order of the stages (`open_stages`); without them chances follow from age alone.
    fiscal_year_start
        Month in which the fiscal year begins.
    draws, seed
        Draws behind the interval, and their seed.
    conf_level
        Share of quarters whose result the interval is to hold.

    Returns
    -------
    DataFrame
        Rows by `won_from` ("won_so_far" in the quarter, "open_deals", "to_come": created and won until its
        end, "total") and `metric` ("won_amount" in currency, "won_deals"): `estimate, conf_low, conf_high, n`
        (deals behind it), `customers, first_day, last_day` of the quarter.

    Raises
    ------
    NotEnoughData
        Fewer than 20 deals had ended, or fewer than 5 of them were won.
    ParameterError, InputError
        As in `deal_spells`; `until` is not after `as_of`.

    Notes
    -----
    Each draw takes rates from their distributions (`transition_rates`), lets each open deal be won or not,
    and lets deals come as in the last year (Poisson, or as much more unevenly as its months were).
    The amount of an open deal is its own, or, where it has none yet, one drawn from the deals won in the last
    year. Deals end independently of each other given the rates, and come as they did: a shrinking market, a
    campaign or a season is not in it.

    Examples
    --------
    >>> days = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(60), unit="D")
    >>> deals = pd.DataFrame({"deal_id": np.arange(60).astype(str), "customer_id": "k", "amount": 100.0,
    ...     "created_on": days, "closed_on": days + pd.Timedelta(days=9), "is_won": [True, False] * 30})
    >>> parts = forecast(deals, as_of="2026-02-28")
    >>> parts.loc[parts["metric"] == "won_deals", "won_from"].tolist()
    ['won_so_far', 'open_deals', 'to_come', 'total']
    """
    day = to_date(as_of)
    quarter = quarter_of(day + dt.timedelta(days=1), fiscal_year_start=fiscal_year_start)
    last = quarter.last_day if until is None else to_date(until)
    if last <= day:
        raise ParameterError("sales.until", found=last, as_of=day)
    known = known_deals(deals, as_of=day)
    spells = deal_spells(known, as_of=day)
    ended = spells[~spells["is_open"]]
    won = ended[ended["outcome"] == "won"]
    if len(ended) < FEWEST_ENDED or len(won) < FEWEST_WON:
        raise NotEnoughData("sales.too_few_ended", ended=len(ended), won=len(won), least=FEWEST_ENDED)
    stays, names = known_stays(known, deal_stages, as_of=day, stages=stages)
    rates, rng = transition_rates(stays, stages=names), np.random.default_rng(seed)
    horizon = (last - day).days
    chances, drawn = win_chances(stays, rates, within_days=horizon, draws=draws, seed=seed)
    sizes = won_sizes(won, as_of=day)
    still = spells.set_index("deal_id").loc[chances["deal_id"]]
    hits = rng.random(drawn.shape) < drawn
    amounts = rng.choice(sizes, drawn.shape) if len(sizes) else np.full(drawn.shape, np.nan)
    own = amounts_of(still)
    amounts = np.where(np.isnan(own), amounts, own)
    matrices = rates.day_matrices(np.random.default_rng(seed), draws)
    since = max(day - dt.timedelta(days=LEARNED_DAYS), min(spells["created_on"]).date())
    recent = spells.loc[spells["created_on"] > pd.Timestamp(since), "created_on"]
    came, uneven = len(recent), unevenness((recent - pd.Timestamp(since)).dt.days, (day - since).days)
    pace = uneven * rng.gamma((came + 0.5) / uneven, size=draws) / max((day - since).days, 1)
    expected = pace * horizon * won_of_new(rates, matrices, horizon)
    if uneven > 1:
        expected = (uneven - 1) * rng.gamma(expected / (uneven - 1))
    n_new = rng.poisson(expected)
    new = np.array([rng.choice(sizes, n).sum() if len(sizes) else np.nan for n in n_new])
    in_quarter = won[won["ended_on"] >= pd.Timestamp(quarter.first_day)]
    so_far = {"won_deals": float(len(in_quarter)), "won_amount": float(np.nansum(amounts_of(in_quarter)))}
    parts: dict[str, dict[str, Array]] = {
        "won_so_far": {name: np.full(draws, value) for name, value in so_far.items()},
        "open_deals": {"won_deals": hits.sum(axis=1), "won_amount": (hits * amounts).sum(axis=1)},
        "to_come": {"won_deals": n_new, "won_amount": new},
    }
    parts["total"] = {name: sum(part[name] for part in parts.values()) for name in so_far}  # type: ignore[misc]
    counts: dict[str, tuple[int, int]] = {
        "won_so_far": _counted(in_quarter),
        "open_deals": _counted(still),
        "to_come": (came, int(spells["customer_id"].nunique())),
    }
    counts["total"] = (len(spells), int(spells["customer_id"].nunique()))
    about = {"first_day": quarter.first_day, "last_day": last}
    rows = [
        {"won_from": part, "metric": metric, **_limits(values[metric], conf_level), **about}
        | dict(zip(("n", "customers"), counts[part], strict=True))
        for metric in ("won_amount", "won_deals")
        for part, values in parts.items()
    ]
    return pd.DataFrame(rows)[_COLUMNS]


def weighted_pipeline(
    deals: pd.DataFrame,
    *,
    as_of: dt.date | str,
    deal_stages: pd.DataFrame | None,
    stages: Sequence[str],
    typed: Mapping[str, float] | None = None,
) -> float:
    """Sum of open deals, each times the chance its stage is given: no ages, no end of a quarter, no interval.

    Parameters
    ----------
    deals, as_of, deal_stages, stages
        As in `forecast`.
    typed
        Chances (0–1) by stage as somebody stated them; without them, and for stages they do not name, the
        share of deals that were ever at the stage, are over and were won.

    Returns
    -------
    float
        In currency; NaN without stages.

    Examples
    --------
    >>> weighted_pipeline(pd.DataFrame(), as_of="2026-01-31", deal_stages=None, stages=[])
    nan
    """
    if deal_stages is None or not len(stages):
        return float("nan")
    known = known_deals(deals, as_of=as_of)
    spells = deal_spells(known, as_of=as_of).set_index("deal_id")
    stays, _ = known_stays(known, deal_stages, as_of=as_of, stages=stages)
    ends = stays["deal_id"].map(spells["outcome"])
    held = stays.assign(won=ends == "won")[ends.notna()].drop_duplicates(["deal_id", "stage"])
    share = held.groupby("stage")["won"].mean().to_dict() | dict(typed or {})
    last = stays.groupby("deal_id").tail(1)
    still = last[last["next"].isna()]
    sizes = won_sizes(spells[spells["outcome"] == "won"], as_of=as_of)
    own = amounts_of(spells.loc[still["deal_id"]])
    own = np.where(np.isnan(own), sizes.mean() if len(sizes) else np.nan, own)
    return float(np.nansum(own * still["stage"].map(share).fillna(0.0).to_numpy(float)))


def won_sizes(won: pd.DataFrame, *, as_of: dt.date | str) -> Array:
    """Amounts of deals won in the last year, or of all won where those are few."""
    recent = won["ended_on"] > pd.Timestamp(to_date(as_of)) - pd.Timedelta(days=LEARNED_DAYS)
    sizes = amounts_of(won[recent]) if recent.sum() >= FEWEST_ENDED else amounts_of(won)
    return sizes[np.isfinite(sizes)]


def unevenness(days: pd.Series, length: int, *, month: int = 30) -> float:
    """How many times as much months differ in numbers as by chance alone; 1 where that is not shown.

    Parameters
    ----------
    days
        On which day of the time looked at each came.
    length
        Days looked at.
    month
        Days that are counted together.

    Examples
    --------
    >>> unevenness(pd.Series([1] * 90 + [40] * 10 + [70] * 50), 90)
    32.0
    """
    counts = np.bincount((days.to_numpy(int) - 1) // month, minlength=length // month)[: length // month]
    if len(counts) < 3 or counts.sum() == 0:
        return 1.0
    square = float(((counts - counts.mean()) ** 2 / counts.mean()).sum())
    return square / (len(counts) - 1) if chi2.sf(square, len(counts) - 1) < 0.05 else 1.0


def amounts_of(deals: pd.DataFrame) -> Array:
    """Amounts as floats; missing where there is no such column."""
    if "amount" not in deals:
        return np.full(len(deals), np.nan)
    return deals["amount"].to_numpy(float, na_value=np.nan)


def _counted(rows: pd.DataFrame) -> tuple[int, int]:
    return len(rows), int(rows["customer_id"].nunique())


def _limits(values: Array, conf_level: float) -> dict[str, Any]:
    """Mean of the draws, and the interval that holds so many of them."""
    low, high = np.quantile(values.astype(float), [(1 - conf_level) / 2, (1 + conf_level) / 2])
    return {"estimate": float(values.mean()), "conf_low": float(low), "conf_high": float(high)}
