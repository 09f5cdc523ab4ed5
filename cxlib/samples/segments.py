"""What is true of the customers' segments: states, who orders again, and what is preferred.

States and repeat rates have no closed form, for they follow from second purchases, paces, people who stop and
initiatives together. They come from one large company of the same kind with a seed of its own, so that they
do not move with the company's seed. Preferences are exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any

import numpy as np

from cxlib.samples import initiatives as _initiatives
from cxlib.samples import people as _people
from cxlib.samples import purchases as _purchases
from cxlib.samples.columns import Calendar
from cxlib.samples.settings import ACQUISITION_CHANNELS, Truth

SIZE, SEED = 300_000, 20_261_002
NEXT_DAYS, YEAR_DAYS = 90, 365
#: Truths on which the simulation depends: those by name, and single ones.
_BY_NAME = ("f2_by_day", "valley_share", "channel_drop_odds")
_EFFECTS = ("valley_f2_factor", "i1_orders_per_month", "i2_orders_growth", "i1_store_factor", "dropout")
ORDERS = {"1": (1, 1), "2": (2, 2), "3-4": (3, 4), "5+": (5, 10_000)}
#: As the shipped rules have them: fewest and most orders, days since the last; the first that holds wins.
STATES = {
    "interested": (0, 0, np.inf),
    "not_yet_convinced": (1, 2, 60),
    "wondering": (1, 2, 364),
    "convinced": (3, np.inf, 364),
    "lapsed": (0, np.inf, np.inf),
}
STAGES = {
    "lead": (0, 0, np.inf),
    "customer": (1, 1, 364),
    "repeater": (2, np.inf, 364),
    "lapsed": (0, np.inf, np.inf),
}


def segment_truth(calendar: Calendar, truth: Truth) -> dict[str, Any]:
    """Shares of states and stages on the last day, repeat rates of its last 90 days, and preferences."""
    held = _simulated_segments(
        calendar.months,
        *(tuple(sorted(getattr(truth, name).items())) for name in _BY_NAME),
        tuple(getattr(truth, name) for name in _EFFECTS),
    )
    return deepcopy({**held, **_preferences()})


@cache
def _simulated_segments(
    months: int,
    f2_by_day: tuple[tuple[int, float], ...],
    valley_share: tuple[tuple[str, float], ...],
    channel_drop_odds: tuple[tuple[str, float], ...],
    effects: tuple[Any, ...],
) -> dict[str, dict[str, float]]:
    by_name = dict(zip(_BY_NAME, map(dict, (f2_by_day, valley_share, channel_drop_odds)), strict=True))
    planted: Mapping[str, Any] = {**by_name, **dict(zip(_EFFECTS, effects, strict=True))}
    truth = Truth(**planted)
    rng, calendar = np.random.default_rng(SEED), Calendar(months)
    people = _people.make_people(rng, SIZE, calendar, truth)
    base = _purchases.base_purchases(rng, people, calendar, truth)
    studies = (
        _initiatives.randomised_study(rng, people, calendar),
        _initiatives.staggered_study(base, people, calendar),
    )
    orders = _purchases.combine([base, *_initiatives.extra_orders(rng, studies, people, calendar, truth)])
    last = calendar.n_days - 1
    number, days_since = _orders_until(orders, last)
    before, _ = _orders_until(orders, last - NEXT_DAYS)
    again = number > before
    types = {"consumer": people.kind == _people.CONSUMER, "business": people.kind == _people.BUSINESS}
    valley = {"inside": people.in_valley, "outside": ~people.in_valley}
    counts = {name: (before >= low) & (before <= high) for name, (low, high) in ORDERS.items()}
    rates = {"customer_type": types, "orders_so_far": counts, "valley": valley}
    return {
        "attitude_state_share": _first_match(number, days_since, STATES),
        "lifecycle_share": _first_match(number, days_since, STAGES),
        "orders_in_first_year": _orders_in_first_year(base, people, calendar),
        **{
            f"repeat_rate_by_{kind}": {
                name: float(again[chosen & (before > 0)].mean()) for name, chosen in groups.items()
            }
            for kind, groups in rates.items()
        },
    }


def _orders_in_first_year(
    base: _purchases.Purchases, people: _people.People, calendar: Calendar
) -> dict[str, float]:
    """Mean orders without initiatives within 365 days of the first, by acquisition channel."""
    early = people.buys & (people.first_day < calendar.n_days - YEAR_DAYS)
    inside = base.day - people.first_day[base.customer] <= YEAR_DAYS
    number = np.bincount(base.customer[inside], minlength=SIZE)
    return {
        name: float(number[early & (people.acquisition == code)].mean())
        for code, name in enumerate(ACQUISITION_CHANNELS)
    }


def _orders_until(orders: _purchases.Purchases, day: int) -> tuple[np.ndarray, np.ndarray]:
    """Orders of each customer up to a day, and days since the last (infinite without one)."""
    inside = orders.day <= day
    number = np.bincount(orders.customer[inside], minlength=SIZE)
    latest = np.full(SIZE, -np.inf)
    np.maximum.at(latest, orders.customer[inside], orders.day[inside])
    return number, day - latest


def _first_match(
    number: np.ndarray, days_since: np.ndarray, rules: Mapping[str, tuple[float, float, float]]
) -> dict[str, float]:
    holds = [(number >= low) & (number <= high) & (days_since <= days) for low, high, days in rules.values()]
    first = np.argmax(holds, axis=0)
    return dict(zip(rules, (np.bincount(first, minlength=len(rules)) / len(first)).tolist(), strict=True))


@cache
def _preferences() -> dict[str, Any]:
    """Return shares of sales, and the chance that two lines agree, by customer type; without refill packs.

    Half of a customer's lines are a favourite, drawn as often as it is popular, the others follow popularity.
    Price does not depend on who buys, so shares of sales are those of popularity times price. Two lines agree
    when both are the favourite (one in four), or else by chance.
    """
    products, pro = _purchases.PRODUCTS, np.arange(len(_purchases.PRODUCTS)) >= _purchases.PRO
    share: dict[str, Any] = {}
    agreement: dict[str, Any] = {}
    for kind, belongs in (("consumer", ~pro), ("business", pro)):
        own = products[belongs].assign(sales=products["price"] * products["popularity"])
        share[kind], agreement[kind] = {}, {}
        for name, unknown in (("product", 0.0), *_purchases.UNKNOWN_SHARES.items()):
            sums = own.groupby(name, sort=False)[["sales", "popularity"]].sum()
            mix = sums / sums.sum()
            by_chance = float((mix["popularity"] ** 2).sum())
            agreement[kind][name] = unknown**2 + (1 - unknown) ** 2 * (0.25 + 0.75 * by_chance)
            if name != "product":
                held = mix.loc[mix["sales"] > 0, "sales"] * (1 - unknown)
                share[kind][name] = {**{str(key): float(held[key]) for key in held.index}, "unknown": unknown}
    return {"amount_share_by_customer_type": share, "agreement_by_customer_type": agreement}
