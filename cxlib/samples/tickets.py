"""Support tickets: what they are about, who answers, what is not solved at once, and what comes of that."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.samples.columns import Calendar, daytime, ids, pick, words
from cxlib.samples.people import People
from cxlib.samples.purchases import Purchases, orders_within
from cxlib.samples.settings import Truth

REASONS = ("delivery", "usage", "product", "return", "payment")
REASON_SHARES = (0.34, 0.26, 0.18, 0.13, 0.09)
CHANNELS, CHANNEL_SHARES = ("chat", "phone", "mail", "line"), (0.35, 0.25, 0.25, 0.15)
WAIT_SECONDS = (600, 900, 28_000, 7_000)  # mean until a person's first reply, by channel
BOT_SHARES = (0.6, 0.0, 0.0, 0.6)
CHANCE, IN_VALLEY, FIRST_ORDER = 0.08, 1.8, 1.5  # of a ticket after an order, and how many times as likely
COMES_BACK = 0.6  # of those not helped at once; the others have the ticket reopened
REPEAT_DAYS = 90
LEVEL, MOOD, NOISE = 3.9, 0.5, 0.8


def tickets_table(
    rng: np.random.Generator,
    base: Purchases,
    orders: Purchases,
    people: People,
    calendar: Calendar,
    truth: Truth,
) -> pd.DataFrame:
    """Return the contract's tickets: about one for ten orders, more from customers in the valley.

    Who was not helped at once is likelier not to order again within 90 days: by Bayes' rule that is the same
    table as failed help that drives customers away, with the same odds ratio, and the orders stay.
    """
    chance = CHANCE * np.where(people.in_valley[base.customer], IN_VALLEY, 1.0)
    asks = np.flatnonzero(rng.random(len(base.day)) < chance * np.where(base.number == 1, FIRST_ORDER, 1.0))
    day = base.day[asks] + rng.integers(0, 25, len(asks))
    asks, day = asks[day < calendar.n_days], day[day < calendar.n_days]
    customer, n = base.customer[asks], len(asks)
    channel, reason = pick(rng, CHANNEL_SHARES, n), pick(rng, REASON_SHARES, n)
    is_bot = rng.random(n) < np.array(BOT_SHARES)[channel]
    again = orders_within(orders, customer, day, days=REPEAT_DAYS)
    failed = rng.random(n) < failure_chance(is_bot, again, truth)
    comes_back = failed & (rng.random(n) < COMES_BACK)
    second = day * 86_400 + daytime(rng, n)
    later = second[comes_back] + (rng.uniform(0.5, 6, comes_back.sum()) * 86_400).astype(int)
    reopened = np.where(failed & ~comes_back, 1 + rng.poisson(0.3, n), 0)
    more = np.zeros(len(later), int)
    return _ticket_columns(
        rng,
        customer=np.append(customer, customer[comes_back]),
        opened=np.append(second, later),
        channel=np.append(channel, channel[comes_back]),
        reason=np.append(reason, reason[comes_back]),
        is_bot=np.append(is_bot, more > 0),
        is_failed=np.append(failed, more > 0),
        reopened=np.append(reopened, more),
        people=people,
        calendar=calendar,
        truth=truth,
    )


def failure_chance(is_bot: np.ndarray, orders_again: np.ndarray, truth: Truth) -> np.ndarray:
    """Chance that a ticket is not solved at once, given who answers and whether the customer orders again."""
    share = np.where(is_bot, truth.bot_failure, truth.person_failure)
    odds = share / (1 - share) * np.where(orders_again, truth.failure_repeat_odds, 1.0)
    return odds / (1 + odds)


def _ticket_columns(
    rng: np.random.Generator,
    *,
    customer: np.ndarray,
    opened: np.ndarray,
    channel: np.ndarray,
    reason: np.ndarray,
    is_bot: np.ndarray,
    is_failed: np.ndarray,
    reopened: np.ndarray,
    people: People,
    calendar: Calendar,
    truth: Truth,
) -> pd.DataFrame:
    end = calendar.n_days * 86_400
    order = np.flatnonzero(opened < end)
    order = order[np.argsort(opened[order], kind="stable")]
    customer, opened, channel, reason, is_bot, is_failed, reopened = (
        values[order] for values in (customer, opened, channel, reason, is_bot, is_failed, reopened)
    )
    n = len(order)
    wait = np.where(is_bot, 5, 20 + rng.exponential(np.array(WAIT_SECONDS)[channel], n)).astype(int)
    replied = opened + wait
    resolved = replied + 60 + rng.exponential(np.where(is_bot & ~is_failed, 600, 60_000), n).astype(int)
    unresolved = (resolved >= end) | (rng.random(n) < 0.03)
    satisfied = LEVEL + MOOD * people.mood[customer] + truth.csat_per_day_waited * wait / 86_400
    satisfied += truth.csat_of_failure * is_failed + truth.csat_of_bot * is_bot + rng.normal(0, NOISE, n)
    rated = ~unresolved & (rng.random(n) < 0.4)
    return pd.DataFrame(
        {
            "ticket_id": ids("T", np.arange(1, n + 1)),
            "customer_id": ids("C", np.where(rng.random(n) < 0.02, -1, customer + 1)),
            "opened_at": calendar.moments(opened),
            "first_replied_at": calendar.moments(replied, missing=replied >= end),
            "resolved_at": calendar.moments(resolved, missing=unresolved),
            "channel": words(CHANNELS, channel),
            "reason": words(REASONS, np.where(rng.random(n) < 0.04, -1, reason)),
            "handled_by": words(("person", "bot"), is_bot.astype(int)),
            "reopened_count": pd.array(reopened, dtype="Int64"),
            "csat_score": np.where(rated, np.rint(satisfied).clip(1, 5), np.nan),
        }
    )


def ticket_truth(truth: Truth) -> dict[str, object]:
    """Say what is true of tickets; effects on satisfaction are in points before rounding."""
    return {
        "reason_share": dict(zip(REASONS, REASON_SHARES, strict=True)),
        "not_solved_at_once": {"bot": truth.bot_failure, "person": truth.person_failure},
        "repeat_odds_when_not_solved": truth.failure_repeat_odds,
        "repeat_days": REPEAT_DAYS,
        "csat": {
            "per_day_waited": truth.csat_per_day_waited,
            "not_solved_at_once": truth.csat_of_failure,
            "bot": truth.csat_of_bot,
        },
    }
