"""Contacts at the touchpoints of the journey, with feelings, expectations and experiences; web sessions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError
from cxlib.samples.columns import Calendar, daytime, ids, pick, words
from cxlib.samples.initiatives import TOUCHPOINTS as INITIATIVE_TOUCHPOINTS
from cxlib.samples.initiatives import Study
from cxlib.samples.messages import MESSAGE_CHANNELS, answers_to_messages
from cxlib.samples.people import BUSINESS, EC, STORE, People
from cxlib.samples.purchases import Purchases
from cxlib.samples.settings import STAGES, TOUCHPOINTS, VALLEY_STAGE, Truth

PAGES = ("home", "list", "product", "cart", "payment", "done")
EXIT_AFTER = (0.25, 0.25, 0.20, 0.08, 0.22)  # where sessions without a purchase end: payment loses too many
BROWSED, UNKNOWN_EVERY = 0.5, 3  # sessions without one for each with: of customers who only look, of others
CHANNELS = ("ad", "sns", "ec", "external", "store", "parcel", "mail", "line", "support", "sales")
MOOD_WIDTH = 0.3  # customers' own level of valence lies evenly within plus/minus this
ANSWER_SHARE = 0.55  # of contacts where the customer tells how it felt
EXPECTATION = (0.05, 0.15, 0.40, 0.30, 0.10)  # shares of 1 to 5
SHIFT = {"delivery": (0.10, 0.20, 0.45, 0.20, 0.05), "support_chat": (0.12, 0.25, 0.38, 0.20, 0.05)}
USUAL_SHIFT = (0.06, 0.17, 0.45, 0.24, 0.08)  # shares of experience minus expectation, -2 to 2
CONTACT_TYPES = {
    "customer": "i4",
    "second": "i4",
    "touchpoint": "i1",
    "felt": "?",
    "page": "i1",
    "campaign": "i1",
    "session": "i4",
}
_NAMES = tuple(TOUCHPOINTS)
_DECIDES = np.array([stage == VALLEY_STAGE for stage, _ in TOUCHPOINTS.values()])


@dataclass(frozen=True)
class Contacts:
    """One value per contact; touchpoint, page and campaign as codes, -1 for none."""

    customer: np.ndarray
    second: np.ndarray
    touchpoint: np.ndarray
    felt: np.ndarray
    page: np.ndarray
    campaign: np.ndarray
    session: np.ndarray


def events_table(
    rng: np.random.Generator,
    message_rng: np.random.Generator,
    people: People,
    base: Purchases,
    studies: tuple[Study, ...],
    calendar: Calendar,
    truth: Truth,
) -> pd.DataFrame:
    """Return the contract's events."""
    parts = [*_journey(rng, people, base, calendar), *_campaigns(rng, studies, calendar)]
    parts.append(_sessions(rng, people, calendar))
    second = np.concatenate([part.second for part in parts])
    keep = np.flatnonzero((second >= 0) & (second < calendar.n_days * 86_400))
    keep = keep[np.argsort(second[keep], kind="stable")]
    contacts = Contacts(
        *(np.concatenate([getattr(part, name) for part in parts])[keep] for name in CONTACT_TYPES)
    )
    del parts, second, keep
    events = _event_columns(rng, contacts, people, calendar, truth)
    is_message = events["channel"].isin(MESSAGE_CHANNELS).to_numpy()
    answers = answers_to_messages(message_rng, contacts.customer, contacts.second, is_message, truth)
    for name, column in zip(("responded", "opted_out"), answers, strict=True):
        events.insert(list(events.columns).index("session_id"), name, column)
    return events


def _compact(*columns: np.ndarray) -> Contacts:
    """Contacts in the smallest types that hold them: a large company has tens of millions."""
    types = CONTACT_TYPES.values()
    return Contacts(*(values.astype(kind) for values, kind in zip(columns, types, strict=True)))


def _contact(
    rng: np.random.Generator, customer: np.ndarray, day: np.ndarray, names: tuple[str, ...], share: float
) -> Contacts:
    """One contact for a share of the customers at one of the named touchpoints."""
    keep = rng.random(len(customer)) < share
    customer, day = customer[keep], day[keep]
    n = len(customer)
    codes = np.array([_NAMES.index(name) for name in names])
    none = np.full(n, -1)
    second = day * 86_400 + daytime(rng, n)
    touchpoint = codes[rng.integers(0, len(codes), n)]
    return _compact(customer, second, touchpoint, rng.random(n) < ANSWER_SHARE, none, none, none)


def _journey(rng: np.random.Generator, people: People, base: Purchases, calendar: Calendar) -> list[Contacts]:
    """Return every stage's contacts; nobody's chance to be asked depends on the valley."""
    everyone = np.arange(len(people))
    salon = people.kind == BUSINESS
    consumers, salons = everyone[~salon], everyone[salon]
    buyers, salon_buyers = consumers[people.buys[~salon]], salons[people.buys[salon]]
    online = buyers[people.first_channel[buyers] == EC]
    in_store = buyers[people.first_channel[buyers] == STORE]
    first, seen = people.first_day, people.seen_day

    def later(customers: np.ndarray, low: int, high: int) -> np.ndarray:
        return first[customers] + rng.integers(low, high, len(customers))

    def between(customers: np.ndarray) -> np.ndarray:
        return seen[customers] + (rng.random(len(customers)) * (first - seen)[customers]).astype(int)

    second, third = (
        (base.customer[base.number == number], base.day[base.number == number]) for number in (2, 3)
    )
    second_consumer = people.kind[second[0]] != BUSINESS
    return [
        _contact(rng, consumers, seen[consumers], ("ad", "sns"), 0.8),
        _contact(rng, online, between(online), ("web_product", "review_site"), 0.9),
        _contact(rng, in_store, between(in_store), ("store_visit",), 0.8),
        _contact(rng, online, first[online], ("checkout",), 1.0),
        _contact(rng, in_store, first[in_store], ("store_checkout",), 1.0),
        _contact(rng, online, later(online, 1, 5), ("delivery",), 1.0),
        _contact(rng, buyers, later(buyers, 5, 12), ("parcel_insert", "first_use_mail"), 0.9),
        _contact(rng, buyers, later(buyers, 14, 30), ("mail_magazine", "line_message"), 0.9),
        _contact(rng, buyers, later(buyers, 20, 60), ("support_chat",), 0.35),
        _contact(
            rng, second[0][second_consumer], second[1][second_consumer], ("web_mypage", "loyalty_club"), 0.9
        ),
        _contact(rng, *third, ("referral_card",), 0.7),
        _contact(rng, salons, between(salons), ("sales_visit", "proposal"), 0.9),
        _contact(rng, salon_buyers, first[salon_buyers], ("quote",), 0.9),
        _contact(rng, salon_buyers, later(salon_buyers, 14, 60), ("follow_up_call",), 0.8),
    ]


def _campaigns(rng: np.random.Generator, studies: tuple[Study, ...], calendar: Calendar) -> list[Contacts]:
    """Return three messages to each treated customer of I1 to I3; nobody is asked how they felt."""
    parts = []
    for number, study in enumerate(studies[:3]):
        who, start = study.customer[study.treated], study.start_day[study.treated]
        for wait in (0, 30, 60):
            day = start + wait + rng.integers(0, 7, len(who))
            sent = _contact(rng, who, day, (INITIATIVE_TOUCHPOINTS[number],), 1.0)
            quiet, campaign = np.zeros(len(who)), np.full(len(who), number)
            parts.append(_compact(who, sent.second, sent.touchpoint, quiet, sent.page, campaign, sent.page))
    return parts


def _sessions(rng: np.random.Generator, people: People, calendar: Calendar) -> Contacts:
    """Web sessions: those behind first online orders, those that ended early, and visitors unknown to us."""
    online = np.flatnonzero(people.buys & (people.first_channel == EC))
    browsed = online[rng.random(len(online)) < BROWSED]
    unknown = len(online) // UNKNOWN_EVERY
    who = np.concatenate([online, browsed, np.full(unknown, -1)])
    day = np.concatenate(
        [
            people.first_day[online],
            people.seen_day[browsed],
            rng.choice(people.first_day, unknown),
        ]
    )
    n = len(who)
    depth = np.where(np.arange(n) < len(online), len(PAGES), 1 + pick(rng, EXIT_AFTER, n))
    start = day * 86_400 + daytime(rng, n) - 1200
    of = np.repeat(np.arange(n), depth)
    page = np.arange(len(of)) - np.repeat(np.cumsum(depth) - depth, depth)
    checkout, product = _NAMES.index("checkout"), _NAMES.index("web_product")
    second = start[of] + page * 90 + rng.integers(0, 80, len(of))
    none = np.full(len(of), -1)
    return _compact(
        who[of], second, np.where(page >= 3, checkout, product), np.zeros(len(of)), page, none, of
    )


def exit_truth() -> dict[str, float]:
    """Share of the sessions at a page that end there; those with a purchase never do."""
    without = BROWSED + 1 / UNKNOWN_EVERY
    ended = without / (1 + without) * np.array(EXIT_AFTER)
    there = 1 - np.append(0, ended.cumsum()[:-1])
    return dict(zip(PAGES[:-1], (ended / there).tolist(), strict=True))


def gap_shares(touchpoint: str) -> tuple[float, float]:
    """Probability that the experience falls below, and rises above, expectation."""
    shift = np.array(SHIFT.get(touchpoint, USUAL_SHIFT))
    return float(shift[:2].sum() * (1 - EXPECTATION[0])), float(shift[3:].sum() * (1 - EXPECTATION[4]))


def mean_levels(truth: Truth) -> np.ndarray:
    """Mean valence by touchpoint where the experience is below, at and above expectation.

    The three average to the stage's mean, whatever the touchpoint.

    Raises
    ------
    ParameterError
        When a customer's mean would leave the scale: then the stated truths could not all hold.
    """
    levels = np.empty((len(_NAMES), 3))
    for code, (name, (stage, _)) in enumerate(TOUCHPOINTS.items()):
        penalty, reward = truth.penalty_reward.get(name, (0.0, 0.0))
        below, above = gap_shares(name)
        base = truth.stage_valence[stage] - below * penalty - above * reward
        levels[code] = base + np.array([penalty, 0.0, reward])
    own = truth.valley_gap * _DECIDES
    room = MOOD_WIDTH + np.outer(own, [truth.share_in_valley, 1 - truth.share_in_valley])
    if (levels + room[:, :1]).max() > 2 or (levels - room[:, 1:]).min() < -2:
        raise ParameterError("samples.impossible_truth", argument="stage_valence, penalty_reward, valley_gap")
    return levels


def _feelings(
    rng: np.random.Generator, touchpoint: np.ndarray, customer: np.ndarray, people: People, truth: Truth
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return expectation, experience and valence of contacts; the stages' mean valence comes out exactly.

    Valence is -2 plus a binomial count out of 4 with the mean of touchpoint and gap, plus or minus the
    valley's part, plus the customer's own level.
    """
    expectation = 1 + pick(rng, EXPECTATION, len(touchpoint))
    shift = np.empty(len(touchpoint), int)
    for code, name in enumerate(_NAMES):
        here = touchpoint == code
        shift[here] = pick(rng, SHIFT.get(name, USUAL_SHIFT), int(here.sum())) - 2
    experience = (expectation + shift).clip(1, 5)
    level = mean_levels(truth)[touchpoint, np.sign(experience - expectation) + 1]
    level -= _DECIDES[touchpoint] * truth.valley_gap * (people.in_valley[customer] - truth.share_in_valley)
    own = rng.uniform(-MOOD_WIDTH, MOOD_WIDTH, len(people))
    valence = rng.binomial(4, (level + own[customer] + 2) / 4) - 2
    return expectation, experience, valence


def _event_columns(
    rng: np.random.Generator, contacts: Contacts, people: People, calendar: Calendar, truth: Truth
) -> pd.DataFrame:
    n = len(contacts.customer)
    stage_code = np.array([STAGES.index(stage) for stage, _ in TOUCHPOINTS.values()])
    channel_code = np.array([CHANNELS.index(channel) for _, channel in TOUCHPOINTS.values()])
    felt = np.flatnonzero(contacts.felt)
    feelings = _feelings(rng, contacts.touchpoint[felt], contacts.customer[felt], people, truth)
    columns = {}
    for name, values, missing_share in zip(
        ("expectation", "experience", "valence"), feelings, (0.08, 0.08, 0.02), strict=True
    ):
        column = np.full(n, np.nan)
        column[felt] = np.where(rng.random(len(felt)) < missing_share, np.nan, values)
        columns[name] = column
    no_stage = rng.random(n) < 0.005
    return pd.DataFrame(
        {
            "event_id": ids("E", np.arange(1, n + 1), width=8),
            "customer_id": ids("C", np.where(contacts.customer < 0, -1, contacts.customer + 1)),
            "occurred_at": calendar.moments(contacts.second),
            "stage": words(STAGES, np.where(no_stage, -1, stage_code[contacts.touchpoint])),
            "touchpoint": words(_NAMES, contacts.touchpoint),
            "channel": words(CHANNELS, channel_code[contacts.touchpoint]),
            "valence": columns["valence"],
            "expectation": columns["expectation"],
            "experience": columns["experience"],
            "page": words(PAGES, contacts.page),
            "campaign": words(("I1", "I2", "I3"), contacts.campaign),
            "session_id": ids("S", np.where(contacts.session < 0, -1, contacts.session + 1), width=8),
        }
    )
