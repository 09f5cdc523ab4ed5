"""Four initiatives with known effects: randomised, in waves, aimed at low spenders, for everybody."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.data.text_type import TEXT
from cxlib.samples.columns import Calendar, ids, words
from cxlib.samples.people import CONSUMER, STORE, People
from cxlib.samples.purchases import Purchases
from cxlib.samples.settings import REFILL_MARGIN, Truth

FOLLOW_UP = 12  # months of follow-up that every study group has
GROWTH_MONTHS = 12
LOW_SPENDERS = 0.4  # share of buyers whom I3 is about
WAVES = {"Kanto": 0, "Kansai": 2, "Chubu": 4}  # region: months after I2's start; other regions never
REGION_CODES = {"Kanto": 1, "Chubu": 2, "Kansai": 3}
NAMES = (
    "First-use coaching (LINE)",
    "Regional loyalty club",
    "Win-back mail to low spenders",
    "Lighter packaging",
)
TOUCHPOINTS = ("line_message", "loyalty_club", "mail_magazine", "parcel_insert")
TARGET_STATES = ("not_yet_convinced", "convinced", "wondering", None)
ASSIGNMENTS = ("randomised", "staggered", "targeted", "everyone")
PROMISED = (400.0, 300.0, 200.0, np.nan)  # yen of margin per customer and month
ONE_TIME_COST = (400, 6000, 900, 400)  # yen per treated customer
MONTHLY_COST = (50, 120, 90, 20)


@dataclass(frozen=True)
class Study:
    """One initiative's study group; `start_day` is -1 for controls."""

    customer: np.ndarray
    treated: np.ndarray
    start_day: np.ndarray


def starts(calendar: Calendar) -> tuple[int, int, int, int]:
    """Month in which each initiative starts."""
    last = calendar.months - FOLLOW_UP
    return last, last - max(WAVES.values()), last, last + 2


def randomised_study(rng: np.random.Generator, people: People, calendar: Calendar) -> Study:
    """I1: a coin flip among consumers who had bought before the start."""
    start = calendar.month_starts[starts(calendar)[0]]
    customer = np.flatnonzero((people.kind == CONSUMER) & people.buys & (people.first_day < start))
    treated = rng.random(len(customer)) < 0.5
    return Study(customer, treated, np.where(treated, start, -1))


def staggered_study(base: Purchases, people: People, calendar: Calendar) -> Study:
    """I2: consumers with at least two orders before the roll-out, region by region."""
    first = starts(calendar)[1]
    before = base.day < calendar.month_starts[first]
    n_orders = np.bincount(base.customer[before], minlength=len(people))
    customer = np.flatnonzero((people.kind == CONSUMER) & (n_orders >= 2))
    wave = np.full(6, -1)
    for region, code in REGION_CODES.items():
        wave[code] = first + WAVES[region]
    month = wave[people.region[customer]]
    return Study(customer, month >= 0, np.where(month >= 0, calendar.month_starts[month], -1))


def targeted_study(amount_by_month: np.ndarray, people: People, calendar: Calendar) -> Study:
    """I3: buyers of the six months before who spent least; those without mail permission are the control."""
    start = starts(calendar)[2]
    spent = amount_by_month[:, start - 6 : start].sum(axis=1)
    known = (people.kind == CONSUMER) & (spent > 0)
    limit = np.quantile(spent[known], LOW_SPENDERS) if known.any() else 0.0
    customer = np.flatnonzero(known & (spent <= limit))
    treated = people.permission[customer]
    return Study(customer, treated, np.where(treated, calendar.month_starts[start], -1))


def everyone_study(people: People, calendar: Calendar) -> Study:
    """I4: everybody who had bought before the start; there is no control."""
    start = calendar.month_starts[starts(calendar)[3]]
    customer = np.flatnonzero(people.buys & (people.first_day < start))
    return Study(customer, np.ones(len(customer), bool), np.full(len(customer), start))


def extra_orders(
    rng: np.random.Generator,
    studies: tuple[Study, Study],
    people: People,
    calendar: Calendar,
    truth: Truth,
) -> list[Purchases]:
    """Orders that exist only because of I1 and I2: a Poisson number per treated customer and month."""
    growth = truth.i2_orders_growth * np.minimum(np.arange(calendar.months) + 1, GROWTH_MONTHS)
    rates = (np.full(FOLLOW_UP, truth.i1_orders_per_month), growth)
    treated = [study.customer[study.treated] for study in studies]
    factors = (np.array(truth.i1_factors)[in_store(people, treated[0])], np.ones(len(treated[1])))
    return [
        _poisson_orders(rng, study, rate, factor, calendar, number)
        for number, (study, rate, factor) in enumerate(zip(studies, rates, factors, strict=True), start=1)
    ]


def in_store(people: People, customer: np.ndarray) -> np.ndarray:
    """1 where a customer's first order was in a store, else 0: the place in `Truth.i1_factors`."""
    return (people.first_channel[customer] == STORE).astype(int)


def _poisson_orders(
    rng: np.random.Generator,
    study: Study,
    rate: np.ndarray,
    factor: np.ndarray,
    calendar: Calendar,
    initiative: int,
) -> Purchases:
    customers, days = [], []
    start = study.start_day[study.treated]
    for month in range(calendar.months):
        event_month = month - calendar.month_of(start)
        active = (event_month >= 0) & (event_month < len(rate))
        expected = np.where(active, factor * rate[event_month.clip(0, len(rate) - 1)], 0.0)
        who = np.repeat(study.customer[study.treated], rng.poisson(expected))
        customers.append(who)
        days.append(rng.integers(calendar.month_starts[month], calendar.month_starts[month + 1], len(who)))
    customer, day = np.concatenate(customers), np.concatenate(days)
    return Purchases(customer, day, np.full(len(day), 2), np.full(len(day), initiative))


def initiatives_table(studies: tuple[Study, ...], calendar: Calendar) -> pd.DataFrame:
    """Return the contract's initiatives; costs grow with the number of treated customers."""
    treated = np.array([study.treated.sum() for study in studies])
    return pd.DataFrame(
        {
            "initiative_id": [f"I{number}" for number in range(1, 5)],
            "name": list(NAMES),
            "started_on": calendar.dates(calendar.month_starts[np.array(starts(calendar))]),
            "touchpoint": list(TOUCHPOINTS),
            "target_state": list(TARGET_STATES),
            "one_time_cost": np.round(treated * np.array(ONE_TIME_COST), -3).astype(float),
            "monthly_cost": np.round(treated * np.array(MONTHLY_COST), -2).astype(float),
            "promised_effect": list(PROMISED),
            "assignment": list(ASSIGNMENTS),
        }
    ).astype(dict.fromkeys(("initiative_id", "name", "touchpoint", "target_state", "assignment"), TEXT))


def enrolments_table(studies: tuple[Study, ...], calendar: Calendar) -> pd.DataFrame:
    """Return the contract's enrolments; the enrolment date is missing for controls."""
    number = np.repeat(np.arange(4), [len(study.customer) for study in studies])
    start = np.concatenate([study.start_day for study in studies])
    treated = np.concatenate([study.treated for study in studies])
    return pd.DataFrame(
        {
            "initiative_id": words([f"I{number}" for number in range(1, 5)], number),
            "customer_id": ids("C", np.concatenate([study.customer for study in studies]) + 1),
            "enrolled_on": calendar.dates(start.clip(0), missing=start < 0),
            "arm": words(("control", "treatment"), treated.astype(int)),
        }
    )


def initiative_truth(
    studies: tuple[Study, ...], people: People, amount_by_month: np.ndarray, calendar: Calendar, truth: Truth
) -> dict[str, dict[str, object]]:
    """Build the `initiatives` part of the truth."""
    growth = truth.i2_orders_growth * REFILL_MARGIN
    effects: list[dict[str, float | None]] = [
        dict.fromkeys(("6", "12"), truth.i1_orders_per_month * REFILL_MARGIN),
        {"6": growth * 3.5, "12": growth * 6.5},
        dict.fromkeys(("6", "12"), 0.0),
        {str(h): _gain(amount_by_month, studies[3], calendar, truth, h) for h in (6, 12)},
    ]
    none = {"6": 0.0, "12": 0.0}
    f2 = [{str(months): _f2_effect(studies[0], people, calendar, truth, months) for months in (6, 12)}]
    f2 += [none, none, none]
    result: dict[str, dict[str, object]] = {}
    for i, month in enumerate(starts(calendar)):
        result[f"I{i + 1}"] = {
            "name": NAMES[i],
            "assignment": ASSIGNMENTS[i],
            "started_on": str(calendar.first_day + calendar.month_starts[month]),
            "effect_monthly_margin": effects[i],
            "effect_f2": f2[i],
            "n_treatment": int(studies[i].treated.sum()),
            "n_control": int((~studies[i].treated).sum()),
        }
    result["I1"]["effect_monthly_margin_by_first_channel"] = {
        name: truth.i1_orders_per_month * factor * REFILL_MARGIN
        for name, factor in zip(("ec", "store"), truth.i1_factors, strict=True)
    }
    result["I2"]["effect_by_event_month"] = [
        growth * min(e + 1, GROWTH_MONTHS) for e in range(FOLLOW_UP + max(WAVES.values()))
    ]
    return result


def _gain(
    amount_by_month: np.ndarray, study: Study, calendar: Calendar, truth: Truth, horizon: int
) -> float | None:
    """Realised mean gain of monthly margin per enrolled customer; missing when the data end before."""
    start = starts(calendar)[3]
    if start + horizon > calendar.months:
        return None
    gained = amount_by_month[study.customer, start : start + horizon].sum(axis=1).mean()
    return float(truth.i4_margin_gain * gained / horizon)


def base_f2(days: np.ndarray, truth: Truth) -> np.ndarray:
    """F2 without initiatives at any number of days."""
    knots = sorted(truth.f2_by_day)
    return np.interp(days, [0, *knots], [0, *(truth.f2_by_day[knot] for knot in knots)])


def expected_extra(first: np.ndarray, day: np.ndarray, calendar: Calendar, truth: Truth) -> np.ndarray:
    """Return how many I1 orders a treated customer is expected to place from `first` until before `day`."""
    month = np.arange(calendar.months)
    start = starts(calendar)[0]
    rate = truth.i1_orders_per_month * ((month >= start) & (month < start + FOLLOW_UP))
    cumulative = np.concatenate([[0.0], np.cumsum(rate)])
    return np.interp(day, calendar.month_starts, cumulative) - np.interp(
        first, calendar.month_starts, cumulative
    )


def _f2_effect(study: Study, people: People, calendar: Calendar, truth: Truth, months: int) -> float:
    """Return the difference in F2 within `months` of I1's start, among customers with one order by then."""
    first = starts(calendar)[0]
    start, end = calendar.month_starts[[first, first + months]]
    age = start - people.first_day[study.customer]
    waiting = 1 - base_f2(age - 1, truth)
    still = 1 - base_f2(age - 1 + end - start, truth)
    rate = truth.i1_orders_per_month * np.array(truth.i1_factors)[in_store(people, study.customer)]
    return float((still * (1 - np.exp(-rate * months))).sum() / waiting.sum())
