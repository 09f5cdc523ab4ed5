"""Who the customers are: consumers, salons and leads, when they came and what drives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.samples.columns import Calendar, ids, pick, words
from cxlib.samples.settings import (
    ACQUISITION_CHANNELS,
    COST_LINES,
    INDUSTRIES,
    INDUSTRY_SHARES,
    REGION_SHARES,
    REGIONS,
    STORE_SHARE,
    Truth,
)

CONSUMER, BUSINESS = 0, 1
EC, STORE, SALES = 0, 1, 2
SEASON = (0.9, 0.85, 1.1, 1.05, 0.95, 0.9, 1.0, 0.85, 0.95, 1.0, 1.15, 1.35)  # January to December
BUYING_SALONS = 0.08  # of all customers
CHANNEL_START = (0.24, 0.24, 0.10, 0.22, 0.10, 0.10)  # acquisition mix in the first and the last month
CHANNEL_END = (0.17, 0.18, 0.33, 0.12, 0.11, 0.09)
VALLEY_MOOD = 0.5  # how much lower the lasting satisfaction of customers in the valley is


@dataclass(frozen=True)
class People:
    """Arrays with one value per customer; kept together because every table draws on them."""

    kind: np.ndarray
    buys: np.ndarray
    seen_day: np.ndarray
    first_day: np.ndarray
    first_channel: np.ndarray
    acquisition: np.ndarray
    region: np.ndarray
    in_valley: np.ndarray
    mood: np.ndarray
    permission: np.ndarray
    spend_level: np.ndarray

    def __len__(self) -> int:
        return len(self.kind)


def make_people(rng: np.random.Generator, n: int, calendar: Calendar, truth: Truth) -> People:
    """Draw customers in the order in which they were first seen."""
    first_day = np.sort(_first_days(rng, n, calendar))
    group = pick(rng, (0.88, BUYING_SALONS, 0.025, 0.015), n)  # consumer, salon, consumer lead, salon lead
    kind = np.where(group % 2 == 1, BUSINESS, CONSUMER)
    store = rng.random(n) < STORE_SHARE
    first_channel = np.where(kind == BUSINESS, SALES, np.where(store, STORE, EC))
    shares = np.array([truth.valley_share["ec"], truth.valley_share["store"], truth.share_in_valley])
    in_valley = rng.random(n) < shares[first_channel]
    mood = rng.normal(size=n) - VALLEY_MOOD * (in_valley - truth.share_in_valley)
    lag = (rng.exponential(np.where(kind == BUSINESS, 45, 6))).astype(int)
    progress = first_day / calendar.n_days
    channel_limits = np.cumsum(
        np.outer(1 - progress, CHANNEL_START) + np.outer(progress, CHANNEL_END), axis=1
    )
    acquisition = (rng.random(n)[:, None] > channel_limits).sum(axis=1).clip(max=5)
    return People(
        kind=kind,
        buys=group < 2,
        seen_day=np.maximum(first_day - lag, 0),
        first_day=first_day,
        first_channel=first_channel,
        acquisition=acquisition,
        region=pick(rng, REGION_SHARES, n),
        in_valley=in_valley,
        mood=mood,
        permission=rng.random(n) < 0.62,
        spend_level=np.exp(rng.normal(0, 0.6, n)),
    )


def _first_days(rng: np.random.Generator, n: int, calendar: Calendar) -> np.ndarray:
    """Growing acquisition with a launch campaign, a season, and busier weekends."""
    days = np.arange(calendar.n_days)
    month = calendar.month_of(days)
    dates = calendar.first_day + days.astype("m8[D]")
    season = np.array(SEASON)[dates.astype("M8[M]").astype(int) % 12]
    weekend = np.where((dates.astype(int) + 3) % 7 >= 5, 1.2, 1.0)
    launch = np.where(month < 3, 2.2, 1.0)
    return pick(rng, (1 + 0.03 * month) * season * weekend * launch, n)


def customers_table(rng: np.random.Generator, people: People, calendar: Calendar) -> pd.DataFrame:
    """Return the contract's customers, with mail permission and language as further attributes."""
    n = len(people)
    consumer = people.kind == CONSUMER
    gender = np.where(consumer & (rng.random(n) > 0.07), pick(rng, (0.82, 0.15, 0.03), n), -1)
    birth_year = np.round(1984 + 12 * rng.normal(size=n)).clip(1940, 2007)
    birth_year[~consumer | (rng.random(n) < 0.12)] = np.nan
    industry = np.where(consumer, -1, pick(rng, INDUSTRY_SHARES, n))
    size = np.where(consumer | (rng.random(n) < 0.05), -1, pick(rng, (0.55, 0.3, 0.15), n))
    missing = rng.random(n)
    return pd.DataFrame(
        {
            "customer_id": ids("C", np.arange(1, n + 1)),
            "first_seen_on": calendar.dates(people.seen_day),
            "customer_type": words(("consumer", "business"), people.kind),
            "acquisition_channel": words(
                ACQUISITION_CHANNELS, np.where(missing < 0.03, -1, people.acquisition)
            ),
            "region": words(REGIONS, people.region),
            "gender": words(("female", "male", "other"), gender),
            "birth_year": pd.array(birth_year, dtype="Int64"),
            "industry": words(INDUSTRIES, industry),
            "company_size": words(("1-4", "5-19", "20+"), size),
            "mail_permission": people.permission,
            "language": words(("ja", "en"), (np.arange(n) * 7 % 10 == 0).astype(int)),
        }
    )


def spend_table(rng: np.random.Generator, people: People, calendar: Calendar, truth: Truth) -> pd.DataFrame:
    """Acquisition spend by month, channel and cost line, about a month ahead of the customers it brings.

    Media are paid for customers; people and agencies cost a share of what media do.
    """
    month, channel = np.divmod(np.arange(calendar.months * 6), 6)
    came = np.zeros((calendar.months, 6))
    np.add.at(came, (calendar.month_of(people.first_day), people.acquisition), 1)
    ahead = 0.6 * came + 0.4 * np.vstack([came[1:], came[-1:]])
    noise = np.exp(rng.normal(0, 0.12, ahead.shape))
    media = np.round(ahead * _by_channel(truth.media_cost) * noise, -3)
    rates = np.column_stack([np.ones(6), _by_channel(truth.people_cost), _by_channel(truth.agency_cost)])
    row, line = np.nonzero(rates[channel] > 0)
    return pd.DataFrame(
        {
            "month": calendar.dates(calendar.month_starts[month][row]),
            "acquisition_channel": words(ACQUISITION_CHANNELS, channel[row]),
            "cost_line": words(COST_LINES, line),
            "amount": np.round(media.ravel()[row] * rates[channel[row], line], -2),
        }
    )


def _by_channel(values: Mapping[str, float]) -> np.ndarray:
    """Values in the order of the channels."""
    return np.array([values[name] for name in ACQUISITION_CHANNELS], dtype=float)


def acquisition_truth(truth: Truth) -> dict[str, object]:
    """Say what a new customer costs by channel: media alone, and fully loaded."""
    media = _by_channel(truth.media_cost)
    full = media * (1 + _by_channel(truth.people_cost) + _by_channel(truth.agency_cost))
    costs = {"media": media, "full": full}
    return {
        name: dict(zip(ACQUISITION_CHANNELS, values.tolist(), strict=True)) for name, values in costs.items()
    }
