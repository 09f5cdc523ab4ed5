"""The whole company in one pass: people, purchases, studies, contacts, answers, and what is true of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cxlib.samples import comments as _comments
from cxlib.samples import contacts as _contacts
from cxlib.samples import contracts as _contracts
from cxlib.samples import crm as _crm
from cxlib.samples import identities as _identities
from cxlib.samples import initiatives as _initiatives
from cxlib.samples import messages as _messages
from cxlib.samples import people as _people
from cxlib.samples import pipeline as _pipeline
from cxlib.samples import purchases as _purchases
from cxlib.samples import segments as _segments
from cxlib.samples import supply as _supply
from cxlib.samples import surveys as _surveys
from cxlib.samples import tickets as _tickets
from cxlib.samples.columns import Calendar, codes
from cxlib.samples.settings import DRIVERS, INDUSTRIES, STAGES, TOUCHPOINTS, VALLEY_STAGE, Truth

THEMES = 18
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
    extra = _initiatives.extra_orders(rngs[3], (randomised, staggered), people, calendar, truth)
    all_orders = _purchases.combine([base, *extra, _purchases.guest_purchases(rngs[4], base)])
    gain_month = _initiatives.starts(calendar)[3]
    orders = _purchases.order_lines(
        rngs[5], all_orders, people, calendar, gain=truth.i4_margin_gain, gain_month=gain_month
    )
    amounts, base_amounts = _amount_by_month(orders, all_orders, len(people), calendar)
    targeted = _initiatives.targeted_study(amounts, people, calendar)
    studies = (randomised, staggered, targeted, _initiatives.everyone_study(people, calendar))
    responses, invited, said = _surveys.responses_table(rngs[7], rngs[13], people, calendar, truth)
    customers = _people.customers_table(rngs[6], people, calendar)
    keys, first_record = _identities.identities(rngs[14], people, customers, truth)
    product = codes(orders["product"], _purchases.PRODUCTS["product"])
    sold_on = all_orders.day[_purchases.order_of(orders)]
    levels = _supply.stock_levels(rngs[12], orders, product, sold_on, calendar)
    parcels = _supply.delivery_days(rngs[12], orders, all_orders, product, levels, calendar, truth)
    industry = customers["industry"].map({name: code for code, name in enumerate(INDUSTRIES)}).fillna(-1)
    deals = _pipeline.make_pipeline(rngs[15], people, industry.to_numpy(dtype=int), calendar, truth)
    tables = {
        "customers": customers.join(keys),
        "orders": orders.assign(promised_on=parcels[0], delivered_on=parcels[1]),
        "events": _contacts.events_table(rngs[8], rngs[10], people, base, studies, calendar, truth),
        "responses": responses,
        "deals": _pipeline.deals_table(rngs[15], deals, calendar),
        "tickets": _tickets.tickets_table(rngs[16], base, all_orders, people, calendar, truth),
        "initiatives": _initiatives.initiatives_table(studies, calendar),
        "enrolments": _initiatives.enrolments_table(studies, calendar),
        "spend": _people.spend_table(rngs[9], people, calendar, truth),
        "contracts": _contracts.contracts_table(rngs[11], people, calendar, truth),
        "leads": _crm.leads_table(rngs[17], deals, calendar, truth),
        "deal_stages": _pipeline.deal_stages_table(deals, calendar),
        "activities": _crm.activities_table(rngs[17], deals, calendar, truth),
        "codings": _comments.codings_table(rngs[13], said, truth),
        "products": _supply.products_table(),
        "stock": _supply.stock_table(levels, calendar),
        "users": _crm.users_table(rngs[17], calendar),
    }
    known = {
        "people": people,
        "calendar": calendar,
        "studies": studies,
        "invited": invited,
        "amounts": base_amounts,
        "said": said,
        "levels": levels,
        "first_record": first_record,
        "n_test_accounts": int(keys["is_test"].sum()),
    }
    return tables, known


def _amount_by_month(
    orders: pd.DataFrame, placed: _purchases.Purchases, n: int, calendar: Calendar
) -> tuple[np.ndarray, np.ndarray]:
    """Net amount by customer and month: of everything, and of everything but refill packs."""
    of = _purchases.order_of(orders)
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
            "exit_rate_by_page": _contacts.exit_truth(),
        },
        "penalty_reward": {
            name: _penalty_reward(*truth.penalty_reward.get(name, (0.0, 0.0))) for name in TOUCHPOINTS
        },
        "drivers": survey["drivers"] | {"weights": {name: truth.driver_weights[name] for name in DRIVERS}},
        "nps": survey["nps"],
        "initiatives": _initiatives.initiative_truth(studies, people, known["amounts"], calendar, truth),
        "deals": _pipeline.pipeline_truth(truth),
        "crm": _crm.crm_truth(truth),
        "tickets": _tickets.ticket_truth(truth),
        "messages": _messages.message_truth(truth),
        "segments": _segments.segment_truth(calendar, truth),
        "contracts": _contracts.contract_truth(truth),
        "acquisition_cost": _people.acquisition_truth(truth),
        "deliveries": _supply.supply_truth(known["levels"], truth),
        "comments": _comments.comment_truth(known["said"], truth),
        "identities": _identities.identity_truth(known["first_record"], known["n_test_accounts"], truth),
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
    counted by day of first purchase, and in the treated arm of I1 by how strong it is for them.
    """
    buyers = people.buys
    treated, who = np.zeros(len(people), int), study.customer[study.treated]
    treated[who] = 1 + _initiatives.in_store(people, who)
    count = np.zeros((1 + len(truth.i1_factors), calendar.n_days))
    np.add.at(count, (treated[buyers], people.first_day[buyers]), 1)
    first, last = np.arange(calendar.n_days), max(truth.f2_by_day)
    each = np.arange(calendar.n_days + last + 1)
    unreached = np.exp(-_initiatives.expected_extra(each, each + 1, calendar, truth))
    alone = 1 - _initiatives.base_f2(np.arange(last + 1), truth)
    waiting, kept, result = count.copy(), 1.0, {}
    for day in range(1, last + 1):
        observed = waiting * (first + day < calendar.n_days)
        still = observed * (alone[day] / alone[day - 1])
        still[1:] *= unreached[first + day] ** np.array(truth.i1_factors)[:, None]
        if not observed.any():
            break
        kept *= still.sum() / observed.sum()
        waiting = still
        if day in truth.f2_by_day:
            result[str(day)] = float(1 - kept)
    return result
