"""Who buys when, and what: second purchases on the planted clock, later ones at a pace of one's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.samples.columns import Calendar, daytime, ids, pick, words
from cxlib.samples.people import BUSINESS, SALES, STORE, People
from cxlib.samples.settings import (
    ACQUISITION_CHANNELS,
    ORDER_CHANNELS,
    REFILL_MARGIN_RATE,
    REFILL_PAIR_SHARE,
    REFILL_PRICE,
    Truth,
)

DAYS_PER_MONTH = 365 / 12
PRODUCTS = pd.DataFrame(
    [
        ("Cleansing oil 150", "cleanser", "citrus", "Hadaiku", 2400, 0.55, 14),
        ("Face wash 120", "cleanser", "unscented", "Hadaiku", 1800, 0.52, 16),
        ("Lotion 200", "lotion", "unscented", "Hadaiku", 3200, 0.58, 18),
        ("Lotion rich 200", "lotion", "floral", "Hadaiku", 3600, 0.57, 11),
        ("Serum C 30", "serum", "citrus", "Yuzumori", 6800, 0.64, 8),
        ("Serum night 30", "serum", "floral", "Yuzumori", 7800, 0.66, 6),
        ("Cream 50", "cream", "unscented", "Hadaiku", 4800, 0.60, 9),
        ("Sun milk 60", "sun_care", "citrus", "Hadaiku", 2800, 0.54, 8),
        ("Mask 7 sheets", "mask", "woody", "Yuzumori", 1500, 0.48, 10),
        ("Refill lotion pack", "lotion", "unscented", "Hadaiku", REFILL_PRICE, REFILL_MARGIN_RATE, 0),
        ("Pro lotion 1000", "lotion", "unscented", "Hadaiku Pro", 9800, 0.45, 5),
        ("Pro massage cream 500", "cream", "woody", "Hadaiku Pro", 7600, 0.43, 4),
        ("Pro mask 100 sheets", "mask", "floral", "Hadaiku Pro", 12800, 0.42, 3),
    ],
    columns=["product", "category", "taste", "brand", "price", "margin_rate", "popularity"],
)
REFILL, PRO = 9, 10  # position of the refill pack, and of the first product for salons
UNKNOWN_SHARES = {"category": 0.02, "taste": 0.05, "brand": 0.01}  # of lines, whatever was bought
LONGEST = 10_000  # days, more than any data set has
DISCOUNTS = (0.0, 0.05, 0.10, 0.20)


@dataclass(frozen=True)
class Purchases:
    """One value per order: whose (-1: a guest's), when, the customer's how manieth, from which initiative."""

    customer: np.ndarray
    day: np.ndarray
    number: np.ndarray
    initiative: np.ndarray


def second_purchase_gap(rng: np.random.Generator, factor: np.ndarray, truth: Truth) -> np.ndarray:
    """Days (whole, at least 1) from first to second purchase; infinite where there is none."""
    days = np.array([0, *sorted(truth.f2_by_day)], dtype=float)
    shares = np.array([0, *(truth.f2_by_day[int(day)] for day in days[1:])], dtype=float)
    keep = np.append(True, np.diff(shares) > 0)
    drawn = rng.random(len(factor)) / factor
    gap = np.ceil(np.interp(drawn, shares[keep], days[keep]))
    return np.where(drawn < shares[-1], np.maximum(gap, 1), np.inf)


def base_purchases(rng: np.random.Generator, people: People, calendar: Calendar, truth: Truth) -> Purchases:
    """Orders that customers place without any initiative."""
    customer = np.flatnonzero(people.buys)
    day = people.first_day[customer]
    steps = [(customer, day, np.ones(len(customer), int))]
    factor = np.where(people.in_valley, truth.valley_f2_factor, truth.outside_factor)
    pace = rng.gamma(1.6, 0.30, len(people)) * np.exp(0.15 * people.mood) + 0.03  # orders per month
    drop = _drop_chances(rng, people, truth)
    gap = second_purchase_gap(rng, factor[customer], truth)
    for number in range(2, 400):
        inside = day + gap < calendar.n_days
        customer, day = customer[inside], (day[inside] + gap[inside]).astype(int)
        if not len(customer):
            break
        steps.append((customer, day, np.full(len(customer), number)))
        stays = rng.random(len(customer)) >= drop[customer]
        customer, day = customer[stays], day[stays]
        gap = 5 + np.floor(rng.exponential(DAYS_PER_MONTH / pace[customer]))
    customer, day, number_all = (np.concatenate(part) for part in zip(*steps, strict=True))
    return Purchases(customer, day, number_all, np.zeros(len(day), int))


def _drop_chances(rng: np.random.Generator, people: People, truth: Truth) -> np.ndarray:
    """Chance of each customer to be gone after an order, from the second on."""
    drop = np.where(people.kind == BUSINESS, 0.06, 0.15)
    if truth.dropout is not None:
        drop = rng.beta(*truth.dropout, len(people))
    if truth.channel_drop_odds:
        by_channel = np.array([truth.channel_drop_odds.get(name, 1.0) for name in ACQUISITION_CHANNELS])
        odds = by_channel[people.acquisition]
        drop = odds * drop / (1 - drop + odds * drop)
    return drop


def order_of(lines: pd.DataFrame) -> np.ndarray:
    """Place of each line's order among all orders; every order begins with line 1."""
    return np.cumsum(lines["line"].to_numpy() == 1) - 1


def orders_within(orders: Purchases, customer: np.ndarray, day: np.ndarray, *, days: int) -> np.ndarray:
    """Whether each customer places an order after a day, and at most so many days later."""
    known = orders.customer >= 0
    key = np.sort(orders.customer[known] * LONGEST + orders.day[known])
    following = np.searchsorted(key, customer * LONGEST + day, side="right")
    key = np.append(key, -1)[following]
    return (key >= 0) & (key // LONGEST == customer) & (key % LONGEST - day <= days)


def guest_purchases(rng: np.random.Generator, base: Purchases) -> Purchases:
    """Orders without a customer, one for every thirty others, on the days of others."""
    day = rng.choice(base.day, len(base.day) // 30)
    return Purchases(np.full(len(day), -1), day, np.ones(len(day), int), np.zeros(len(day), int))


def combine(parts: list[Purchases]) -> Purchases:
    """All orders by day; orders of one day keep the order of the parts."""
    joined = [np.concatenate([getattr(part, name) for part in parts]) for name in Purchases.__annotations__]
    by_day = np.argsort(joined[1], kind="stable")
    return Purchases(*(values[by_day] for values in joined))


def order_lines(
    rng: np.random.Generator,
    orders: Purchases,
    people: People,
    calendar: Calendar,
    *,
    gain: float,
    gain_month: int,
) -> pd.DataFrame:
    """Return the contract's orders: lines with products, prices, margins, discounts and refunds."""
    extra = orders.initiative > 0
    n_lines = np.where(extra, 1, 1 + (rng.random(len(extra)) < 0.4) + (rng.random(len(extra)) < 0.15))
    of = np.repeat(np.arange(len(extra)), n_lines)
    extra, owner = extra[of], orders.customer[of]
    known = owner >= 0
    business = known & (people.kind[owner] == BUSINESS)
    product = _products(rng, owner, business, len(people))
    product[extra] = REFILL
    level = np.where(known, people.spend_level[owner], 1.0) * np.where(business, 4.0, 1.0)
    quantity = np.where(
        extra,
        1 + (rng.random(len(of)) < REFILL_PAIR_SHARE),
        1 + rng.poisson(0.25 * level * level.clip(max=2)),
    )
    discount = np.array(DISCOUNTS)[pick(rng, (0.62, 0.12, 0.18, 0.08), len(of))]
    amount = np.round(PRODUCTS["price"].to_numpy()[product] * quantity * (1 - np.where(extra, 0, discount)))
    rate = PRODUCTS["margin_rate"].to_numpy()[product] - np.where(extra, 0, discount * 0.5)
    rate = rate + gain * ((product != REFILL) & (calendar.month_of(orders.day[of]) >= gain_month))
    lines = pd.DataFrame(
        {
            "order": of,
            "line": np.arange(len(of)) - np.repeat(np.cumsum(n_lines) - n_lines, n_lines) + 1,
            "amount": amount,
            "margin": np.round(amount * rate, 2),
            "quantity": quantity,
            "product": product,
            "refunded_after": -1,
        }
    )
    refunds = _refunds(rng, lines[~extra & known], orders.number)
    lines = pd.concat([lines, refunds]).sort_values(["order", "line"], ignore_index=True)
    return _order_columns(rng, lines, orders, people, calendar)


def _products(
    rng: np.random.Generator, owner: np.ndarray, business: np.ndarray, n_customers: int
) -> np.ndarray:
    """Half of all lines are the customer's favourite, the rest follows popularity."""
    popularity = PRODUCTS["popularity"].to_numpy()
    consumer_share, salon_share = popularity.copy(), popularity.copy()
    consumer_share[PRO:], salon_share[:PRO] = 0, 0
    favourites = [pick(rng, share, n_customers + 1) for share in (consumer_share, salon_share)]
    others = [pick(rng, share, len(owner)) for share in (consumer_share, salon_share)]
    favourite = np.where(business, favourites[1][owner], favourites[0][owner])
    other = np.where(business, others[1], others[0])
    return np.where((rng.random(len(owner)) < 0.5) & (owner >= 0), favourite, other)


def _refunds(rng: np.random.Generator, lines: pd.DataFrame, number: np.ndarray) -> pd.DataFrame:
    """Give back part of some lines, and all of some from the third order on (a purchase stays a purchase)."""
    back = lines[rng.random(len(lines)) < 0.025]
    full = (rng.random(len(back)) < 0.4) & (number[back["order"]] >= 3)
    share = np.where(full, 1.0, pick(rng, (1, 1, 1), len(back)) * 0.15 + 0.2)
    return back.assign(
        line=back["line"] + 10,
        amount=-np.round(back["amount"] * share),
        margin=-np.round(back["margin"] * share, 2),
        quantity=np.where(full, -back["quantity"], 0),
        refunded_after=rng.integers(3, 30, len(back)),
    )


def _order_columns(
    rng: np.random.Generator, lines: pd.DataFrame, orders: Purchases, people: People, calendar: Calendar
) -> pd.DataFrame:
    customer, day, product = orders.customer, orders.day, lines["product"].to_numpy()
    same = rng.random(len(day)) < 0.85
    usual = np.where(customer < 0, STORE, people.first_channel[customer])
    channel = np.where(same | (orders.number == 1) | (usual == SALES), usual, 1 - usual.clip(max=1))
    channel = np.where(orders.initiative > 0, 0, channel)
    of = lines["order"].to_numpy()
    refunded = lines["refunded_after"].to_numpy()
    refunded_day = day[of] + refunded
    missing = rng.random(len(of))

    def property_of_product(name: str) -> pd.Series:
        codes, vocabulary = pd.factorize(PRODUCTS[name])
        return words(vocabulary, np.where(missing < UNKNOWN_SHARES.get(name, 0), -1, codes[product]))

    return pd.DataFrame(
        {
            "order_id": ids("O", of + 1, width=8),
            "line": lines["line"].to_numpy(),
            "customer_id": ids("C", np.where(customer < 0, -1, customer + 1)[of]),
            "ordered_at": calendar.moments((day * 86_400 + daytime(rng, len(day)))[of]),
            "amount": lines["amount"].to_numpy(),
            "margin": lines["margin"].to_numpy(),
            "quantity": lines["quantity"].to_numpy(),
            "product": property_of_product("product"),
            "category": property_of_product("category"),
            "taste": property_of_product("taste"),
            "brand": property_of_product("brand"),
            "channel": words(ORDER_CHANNELS, channel[of]),
            "refunded_on": calendar.dates(
                np.minimum(refunded_day, calendar.n_days - 1), missing=refunded < 0
            ),
        }
    )
