"""Subscriptions of consumers: who leaves early differs from who stays, and by acquisition channel."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import betaln

from cxlib.samples.columns import Calendar, ids, pick, words
from cxlib.samples.people import CONSUMER, People
from cxlib.samples.settings import ACQUISITION_CHANNELS, Truth

SUBSCRIBER_SHARE = 0.25  # of consumers who buy
WAIT_DAYS = 60  # mean from the first purchase to the subscription
PLANS = {"basic": (0.7, 980), "plus": (0.3, 1980)}  # share of subscribers, yen a month
LAST_DAY_OF_MONTH = 28  # nobody subscribes later in a month, so that each month has the day of renewal
HORIZON_MONTHS = 12


def contracts_table(
    rng: np.random.Generator, people: People, calendar: Calendar, truth: Truth
) -> pd.DataFrame:
    """Return the contract's contracts; each runs whole months, to the day of the month on which it began."""
    buyers = np.flatnonzero(people.buys & (people.kind == CONSUMER))
    who = buyers[rng.random(len(buyers)) < SUBSCRIBER_SHARE]
    start = people.first_day[who] + np.floor(rng.exponential(WAIT_DAYS, len(who))).astype(int)
    shape = np.array([truth.contract_churn[name] for name in ACQUISITION_CHANNELS])[people.acquisition[who]]
    months = rng.geometric(rng.beta(*shape.T).clip(min=1e-6))
    plan = pick(rng, [share for share, _ in PLANS.values()], len(who))
    began = calendar.first_day + start.astype("m8[D]")
    month = began.astype("M8[M]")
    day = np.minimum((began - month).astype(int), LAST_DAY_OF_MONTH - 1).astype("m8[D]")
    start = (month + day - calendar.first_day).astype(int)
    end = (month + months.clip(max=1_200) + day - calendar.first_day).astype(int)
    keep = (start >= people.first_day[who]) & (start < calendar.n_days)
    order = np.flatnonzero(keep)[np.argsort(start[keep], kind="stable")]
    who, start, end, plan = who[order], start[order], end[order], plan[order]
    return pd.DataFrame(
        {
            "customer_id": ids("C", who + 1),
            "plan": words(PLANS, plan),
            "started_on": calendar.dates(start),
            "ended_on": calendar.dates(end, missing=end >= calendar.n_days),
            "monthly_amount": np.array([amount for _, amount in PLANS.values()], dtype=float)[plan],
        }
    )


def survival(alpha: float, beta: float, periods: np.ndarray) -> np.ndarray:
    """Share of contracts that outlive so many renewals: B(alpha, beta + t) / B(alpha, beta)."""
    return np.exp(betaln(alpha, beta + periods) - betaln(alpha, beta))


def contract_truth(truth: Truth) -> dict[str, object]:
    """Say what is true of contracts by acquisition channel: their churn, and what they bring in a year."""
    amount = sum(share * price for share, price in PLANS.values())
    by_channel = {}
    for channel in ACQUISITION_CHANNELS:
        alpha, beta = truth.contract_churn[channel]
        kept = survival(alpha, beta, np.arange(HORIZON_MONTHS + 1))
        by_channel[channel] = {
            "alpha": alpha,
            "beta": beta,
            "retention": {str(month): float(kept[month]) for month in (1, 6, 12)},
            "amount_in_12_months": float(amount * kept[:HORIZON_MONTHS].sum()),
        }
    return {"monthly_amount": amount, "by_acquisition_channel": by_channel}
