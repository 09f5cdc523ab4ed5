"""Deals with salons, and support tickets."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.samples.columns import Calendar, daytime, ids, pick, words
from cxlib.samples.people import BUSINESS, People
from cxlib.samples.purchases import Purchases

DEAL_STAGES = ("contacted", "proposed", "quoted", "decision", "won", "lost")
CONTACTED, PROPOSED, QUOTED, DECISION, WON, LOST = range(6)


def deals_table(rng: np.random.Generator, people: People, calendar: Calendar) -> pd.DataFrame:
    """Return the contract's deals; whether a quote is followed up does not change who wins.

    Every salon that buys has won the deal that ends at its first order; some have later deals too, and salons
    that never bought have lost or open ones. Deals that close fast are rarely followed up, so that a naive
    comparison makes follow-up look harmful.
    """
    salons = np.flatnonzero(people.kind == BUSINESS)
    buyers = salons[people.buys[salons]]
    opening = rng.integers(12, 75, len(buyers))
    later = rng.choice(buyers, int(len(buyers) * 0.9)) if len(buyers) else buyers
    leads = np.concatenate([salons[~people.buys[salons]], rng.choice(salons, len(salons) // 3)])
    customer = np.concatenate([buyers, later, leads])
    created = np.concatenate(
        [
            people.first_day[buyers] - opening,
            calendar.n_days
            - (rng.random(len(later)) * (calendar.n_days - people.first_day[later])).astype(int),
            people.seen_day[leads] + rng.integers(0, 200, len(leads)),
        ]
    )
    created = np.maximum(created, people.seen_day[customer])
    keep = created < calendar.n_days - 1
    first = (np.arange(len(customer)) < len(buyers))[keep]
    customer, created = customer[keep], created[keep]
    order = np.argsort(created, kind="stable")
    return _deal_columns(rng, customer[order], created[order], first[order], people, calendar)


def _deal_columns(
    rng: np.random.Generator,
    customer: np.ndarray,
    created: np.ndarray,
    first: np.ndarray,
    people: People,
    calendar: Calendar,
) -> pd.DataFrame:
    n = len(customer)
    end = calendar.n_days - 1
    quoted = created + rng.integers(2, 15, n)
    is_won = rng.random(n) < np.where(people.buys[customer], 0.55, 0.0)
    closed = quoted + np.ceil(rng.exponential(40, n)).astype(int)
    is_won, closed = is_won | first, np.where(first, people.first_day[customer], closed)
    quoted = np.where(first, np.minimum(quoted, closed), quoted)
    followed = quoted + 1 + np.floor(rng.exponential(9, n)).astype(int)
    has_quote = (quoted <= end) & (first | (rng.random(n) < 0.8))
    is_closed = (closed <= end) & (has_quote | ~is_won)
    has_follow_up = has_quote & (followed <= np.where(is_closed, closed, end)) & (rng.random(n) < 0.85)
    open_stage = np.where(has_follow_up, DECISION, np.where(has_quote, QUOTED, pick(rng, (1, 1), n)))
    stage = np.where(is_closed, np.where(is_won, WON, LOST), open_stage)
    amount = np.round(np.exp(rng.normal(11.6, 0.7, n)), -3)
    return pd.DataFrame(
        {
            "deal_id": ids("D", np.arange(1, n + 1)),
            "customer_id": ids("C", customer + 1),
            "created_on": calendar.dates(created),
            "quoted_on": calendar.dates(quoted, missing=~has_quote),
            "followed_up_on": calendar.dates(followed, missing=~has_follow_up),
            "closed_on": calendar.dates(closed, missing=~is_closed),
            "stage": words(DEAL_STAGES, stage),
            "is_won": pd.Series(is_won).astype("boolean").mask(~is_closed),
            "amount": np.where(has_quote, amount, np.nan),
            "owner": words(("S01", "S02", "S03", "S04"), pick(rng, (4, 3, 2, 1), n)),
        }
    )


def tickets_table(
    rng: np.random.Generator, base: Purchases, people: People, calendar: Calendar
) -> pd.DataFrame:
    """Return the contract's tickets: about one for ten orders, more from customers in the valley."""
    chance = 0.08 * np.where(people.in_valley[base.customer], 1.8, 1.0) * np.where(base.number == 1, 1.5, 1.0)
    asks = np.flatnonzero(rng.random(len(base.day)) < chance)
    opened = (base.day[asks] + rng.integers(0, 25, len(asks))) * 86_400 + daytime(rng, len(asks))
    inside = opened < calendar.n_days * 86_400
    asks, opened = asks[inside], opened[inside]
    order = np.argsort(opened, kind="stable")
    customer, opened = base.customer[asks][order], opened[order]
    n = len(customer)
    end = calendar.n_days * 86_400
    channel = pick(rng, (0.35, 0.25, 0.25, 0.15), n)
    wait = rng.exponential(np.array([600, 900, 28_000, 7_000])[channel], n)
    replied = opened + 20 + wait.astype(int)
    resolved = replied + 60 + rng.exponential(60_000, n).astype(int)
    unresolved = (resolved >= end) | (rng.random(n) < 0.03)
    satisfied = 3.7 + 0.5 * people.mood[customer] - wait / 40_000 + rng.normal(0, 0.8, n)
    rated = ~unresolved & (rng.random(n) < 0.4)
    known = np.where(rng.random(n) < 0.02, -1, customer + 1)
    return pd.DataFrame(
        {
            "ticket_id": ids("T", np.arange(1, n + 1)),
            "customer_id": ids("C", known),
            "opened_at": calendar.moments(opened),
            "first_replied_at": calendar.moments(replied, missing=replied >= end),
            "resolved_at": calendar.moments(resolved, missing=unresolved),
            "channel": words(("chat", "phone", "mail", "line"), channel),
            "reason": words(
                ("delivery", "usage", "product", "return", "payment"),
                np.where(rng.random(n) < 0.04, -1, pick(rng, (0.34, 0.26, 0.18, 0.13, 0.09), n)),
            ),
            "csat_score": np.where(rated, np.rint(satisfied).clip(1, 5), np.nan),
        }
    )
