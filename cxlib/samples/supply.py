"""Products, their stock, and when parcels were promised and came: late by the carrier or out of stock."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.samples.columns import Calendar, codes, words
from cxlib.samples.people import STORE
from cxlib.samples.purchases import PRODUCTS, Purchases, order_of, orders_within
from cxlib.samples.settings import ORDER_CHANNELS, Truth

PROMISED_DAYS = (3, 0, 5)  # online, in a store (taken home, nothing is promised), through sales
EARLY_SHARE = 0.25
MEAN_DAYS_LATE = 2.5
REPEAT_DAYS = 90
ORDER_EVERY_DAYS, COVER_DAYS = 28, 33  # stock is filled up so often, for so many days of usual sales
FAILED_DELIVERIES = 0.06  # share of fillings that do not come
SENT_AFTER_DAYS = 2  # from the filling of an empty shelf to the customer


def products_table() -> pd.DataFrame:
    """Return the contract's products; costs are what the margin rate leaves of the price."""
    cost = (PRODUCTS["price"] * (1 - PRODUCTS["margin_rate"])).round()
    every = np.arange(len(PRODUCTS))
    return pd.DataFrame(
        {
            "product": words(PRODUCTS["product"], every),
            "category": words(PRODUCTS["category"], every),
            "unit_cost": cost.astype(float),
            "price": PRODUCTS["price"].astype(float),
        }
    )


def stock_levels(
    rng: np.random.Generator, orders: pd.DataFrame, product: np.ndarray, day: np.ndarray, calendar: Calendar
) -> np.ndarray:
    """Stock by product and day's end; below 0 is what was sold without being there.

    Every four weeks the shelf is filled up to what is usually sold in a little more time; some fillings fail.
    """
    sold = np.zeros((len(PRODUCTS), calendar.n_days))
    bought = (orders["amount"] > 0).to_numpy()
    np.add.at(sold, (product[bought], day[bought]), orders["quantity"].to_numpy()[bought])
    usual = sold.mean(axis=1)
    filled_to = np.ceil(usual * COVER_DAYS + 3 * np.sqrt(usual * COVER_DAYS))
    offset = rng.integers(0, ORDER_EVERY_DAYS, len(PRODUCTS))
    fails = rng.random(sold.shape) < FAILED_DELIVERIES
    level, levels = filled_to.copy(), np.empty_like(sold)
    for today in range(calendar.n_days):
        fills = ((today + offset) % ORDER_EVERY_DAYS == 0) & ~fails[:, today]
        level = np.where(fills, filled_to, level) - sold[:, today]
        levels[:, today] = level
    return levels


def stock_table(levels: np.ndarray, calendar: Calendar) -> pd.DataFrame:
    """Return the contract's stock, from the first day to the last."""
    day, product = np.divmod(np.arange(levels.size), len(levels))
    return pd.DataFrame(
        {
            "day": calendar.dates(day),
            "product": words(PRODUCTS["product"], product),
            "on_hand": levels[product, day].clip(min=0),
        }
    )


def delivery_days(
    rng: np.random.Generator,
    orders: pd.DataFrame,
    placed: Purchases,
    product: np.ndarray,
    levels: np.ndarray,
    calendar: Calendar,
    truth: Truth,
) -> tuple[pd.Series, pd.Series]:
    """Day promised and day delivered of each line; missing for what was taken home, and for refunds.

    Carriers are late more often where the customer did not order again: by Bayes' rule that is the same table
    as parcels that drive customers away, with the same odds ratio, and leaves the orders as they are.
    """
    of, day = order_of(orders), placed.day[order_of(orders)]
    channel = codes(orders["channel"], ORDER_CHANNELS)
    promised = day + np.array(PROMISED_DAYS)[channel]
    again = orders_within(placed, placed.customer, placed.day, days=REPEAT_DAYS)
    late = rng.random(len(placed.day)) < late_chance(again, truth)
    days_late = 1 + np.floor(rng.exponential(MEAN_DAYS_LATE, len(late))).astype(int)
    early = rng.random(len(late)) < EARLY_SHARE
    came = np.maximum(promised + np.where(late, days_late, -1 * early)[of], day + 1)
    filled = _filled_again(levels)[product, day]
    came = np.where(filled > day, np.maximum(came, filled + SENT_AFTER_DAYS), came)
    nothing = (channel == STORE) | (orders["amount"] < 0).to_numpy()
    return (
        calendar.dates(promised, missing=nothing),
        calendar.dates(came, missing=nothing | (came >= calendar.n_days)),
    )


def late_chance(orders_again: np.ndarray, truth: Truth) -> np.ndarray:
    """Chance of a late parcel, given whether the customer orders again within 90 days."""
    odds = truth.late_share / (1 - truth.late_share) * np.where(orders_again, truth.late_repeat_odds, 1.0)
    return odds / (1 + odds)


def _filled_again(levels: np.ndarray) -> np.ndarray:
    """First day from each day on at whose end the product is in stock; far ahead where there is none."""
    days = np.where(levels >= 0, np.arange(levels.shape[1]), 10**6)
    return np.minimum.accumulate(days[:, ::-1], axis=1)[:, ::-1]


def supply_truth(levels: np.ndarray, truth: Truth) -> dict[str, object]:
    """Say what is true of deliveries, and on which share of days each product was out of stock."""
    out = (levels <= 0).mean(axis=1)
    return {
        "late_share": truth.late_share,
        "late_repeat_odds": truth.late_repeat_odds,
        "repeat_days": REPEAT_DAYS,
        "days_out_of_stock": dict(zip(PRODUCTS["product"], out.tolist(), strict=True)),
    }
