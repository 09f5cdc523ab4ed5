"""Deals with salons: who wins them depends on owner and industry, and each goes through the stages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxlib.samples.columns import Calendar, ids, pick, words
from cxlib.samples.people import BUSINESS, BUYING_SALONS, People
from cxlib.samples.settings import INDUSTRIES, INDUSTRY_SHARES, OWNERS, SOURCES_OF_LEADS, Truth

DEAL_STAGES = ("contacted", "proposed", "quoted", "decision", "won", "lost")
CONTACTED, PROPOSED, QUOTED, DECISION, WON, LOST = range(6)
OWNER_SHARES = (0.4, 0.3, 0.2, 0.1)
LOST_AT = (0.15, 0.20, 0.45, 0.20)  # shares of lost deals by the last stage they reached
DAYS_TO_WIN, DAYS_TO_LOSE = 45, 60  # means; the first is also how long before its first order a salon is seen
MORE_DEALS = 0.6  # further deals for each salon that buys
LOST_REASONS = ("price", "timing", "competitor", "no_answer")
LOST_REASON_SHARES = (0.35, 0.25, 0.20, 0.20)
HANDED_OVER_AFTER, NO_PLAN = 500, 0.10  # mean days until a deal would be handed over, if open so long; share
NEXT_STEP_SHARES = (0.8, 0.6, 0.4, 0.1)  # of open deals, by owner
OPENS, CLOSES = 9 * 3600, 8 * 3600  # second of the day at which a deal begins, and how much later it may end


@dataclass(frozen=True)
class Pipeline:
    """One value per deal, in order of creation, also of what lies beyond the extraction.

    `stage_days` says when each stage was entered, in days since the first with their part of the day;
    infinite for stages that a deal never reaches.
    """

    customer: np.ndarray
    created: np.ndarray
    owner: np.ndarray
    source: np.ndarray
    is_won: np.ndarray
    is_new: np.ndarray
    stage_days: np.ndarray
    recorded: np.ndarray


def win_chances(truth: Truth) -> np.ndarray:
    """Probability that a deal is won in the end, by owner and industry."""
    by_owner = np.array([truth.owner_win_odds[name] for name in OWNERS])
    by_industry = np.array([truth.industry_win_odds[name] for name in INDUSTRIES])
    odds: np.ndarray = truth.win_share / (1 - truth.win_share) * np.outer(by_owner, by_industry)
    return odds / (1 + odds)


def make_pipeline(
    rng: np.random.Generator, people: People, industry: np.ndarray, calendar: Calendar, truth: Truth
) -> Pipeline:
    """Draw all deals; `industry` is a code by customer.

    The first order of a salon is the deal that it won, so these deals are there before the draw. Lost ones
    are added as a Poisson number by owner and industry, created when won ones were: won and lost together are
    then what deals of the stated chances would be. Deals to be won after the extraction are added to leads.
    """
    parts = [_first_deals(rng, people, calendar), _coming_deals(rng, people, calendar)]
    share = sum(len(part[0]) for part in parts) / max((people.buys & (people.kind == BUSINESS)).sum(), 1)
    created = np.concatenate([part[1] for part in parts])
    expected = BUYING_SALONS * len(people) * share
    parts.append(_lost_deals(rng, people, industry, created, expected, truth))
    n_new = sum(len(part[0]) for part in parts)
    parts.append(_more_deals(rng, people, industry, calendar, truth))
    customer, created, owner, is_won, days = (np.concatenate(each) for each in zip(*parts, strict=True))
    is_new = np.arange(len(customer)) < n_new
    order = np.flatnonzero(created < calendar.n_days)
    order = order[np.argsort(created[order], kind="stable")]
    customer, created, owner, is_won, days, is_new = (
        values[order] for values in (customer, created, owner, is_won, days, is_new)
    )
    lag = rng.exponential(np.array([truth.entry_lag_days[name] for name in OWNERS])[owner])
    return Pipeline(
        customer=customer,
        created=created,
        owner=owner,
        source=pick(rng, (1,) * len(SOURCES_OF_LEADS), len(customer)),
        is_won=is_won,
        is_new=is_new,
        stage_days=_stage_days(rng, created, days, is_won),
        recorded=created + OPENS / 86_400 + lag,
    )


Deals = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _first_deals(rng: np.random.Generator, people: People, calendar: Calendar) -> Deals:
    """Deals won with the first order; those that began before the data did are not in them."""
    salons = np.flatnonzero((people.kind == BUSINESS) & people.buys & (people.seen_day > 0))
    seen = people.seen_day[salons]
    return salons, seen, _owners(rng, salons), np.ones(len(salons), bool), people.first_day[salons] - seen


def _coming_deals(rng: np.random.Generator, people: People, calendar: Calendar) -> Deals:
    """Deals that are open now and will be won: with leads, as many as are won in the time it takes."""
    leads = np.flatnonzero((people.kind == BUSINESS) & ~people.buys)
    recent = (people.kind == BUSINESS) & people.buys & (people.first_day >= calendar.n_days - 180)
    number = rng.poisson(recent.sum() / 180 * DAYS_TO_WIN)
    created = calendar.n_days - 1 - np.floor(rng.exponential(DAYS_TO_WIN, number)).astype(int)
    customer, known = _seen_by(rng, leads, created, people)
    left = calendar.n_days - created[known]
    days = left + np.floor(rng.exponential(DAYS_TO_WIN, len(left))).astype(int)
    return customer, created[known], _owners(rng, customer), np.ones(len(customer), bool), days


def _lost_deals(
    rng: np.random.Generator,
    people: People,
    industry: np.ndarray,
    won_on: np.ndarray,
    expected: float,
    truth: Truth,
) -> Deals:
    """Deals with whoever was known by then, at the rate that makes the chances of winning those stated.

    `expected` is how many won deals were to be expected; how many came out would make the two hang together.
    """
    chances = win_chances(truth)
    number = rng.poisson(expected * np.outer(OWNER_SHARES, INDUSTRY_SHARES) * (1 - chances) / chances)
    owner, kind = (np.repeat(codes.ravel(), number.ravel()) for codes in np.indices(number.shape))
    created = rng.choice(won_on, len(owner)) if len(won_on) else np.zeros(len(owner), int)
    parts = []
    for code in range(len(INDUSTRIES)):
        rows = np.flatnonzero(kind == code)
        of_industry = np.flatnonzero((people.kind == BUSINESS) & (industry == code))
        customer, known = _seen_by(rng, of_industry, created[rows], people)
        parts.append((customer, rows[known]))
    customer, rows = (np.concatenate(each) for each in zip(*parts, strict=True))
    days = np.floor(rng.exponential(DAYS_TO_LOSE, len(rows))).astype(int)
    return customer, created[rows], owner[rows], np.zeros(len(rows), bool), days


def _more_deals(
    rng: np.random.Generator, people: People, industry: np.ndarray, calendar: Calendar, truth: Truth
) -> Deals:
    """Further deals of salons that buy, at any time after their first order."""
    salons = np.flatnonzero((people.kind == BUSINESS) & people.buys)
    customer = np.sort(rng.choice(salons, rng.poisson(MORE_DEALS * len(salons)))) if len(salons) else salons
    first = people.first_day[customer]
    created = first + (rng.random(len(customer)) * (calendar.n_days - first)).astype(int)
    owner = _owners(rng, customer)
    is_won = rng.random(len(customer)) < win_chances(truth)[owner, industry[customer]]
    days = np.floor(rng.exponential(np.where(is_won, DAYS_TO_WIN, DAYS_TO_LOSE))).astype(int)
    return customer, created, owner, is_won, days


def _owners(rng: np.random.Generator, customer: np.ndarray) -> np.ndarray:
    return pick(rng, OWNER_SHARES, len(customer))


def _seen_by(
    rng: np.random.Generator, among: np.ndarray, day: np.ndarray, people: People
) -> tuple[np.ndarray, np.ndarray]:
    """One of the customers who had been seen by each day, and for which days there was any."""
    order = among[np.argsort(people.seen_day[among], kind="stable")]
    there = np.searchsorted(people.seen_day[order], day, side="right")
    known = np.flatnonzero(there > 0)
    return order[(rng.random(len(known)) * there[known]).astype(int)], known


def _stage_days(
    rng: np.random.Generator, created: np.ndarray, days: np.ndarray, is_won: np.ndarray
) -> np.ndarray:
    """When each stage was entered: in order, at random moments between creation and end."""
    begin, whole = created + OPENS / 86_400, days + CLOSES / 86_400
    last = np.where(is_won, DECISION, pick(rng, LOST_AT, len(created)))
    part = np.sort(rng.random((len(created), DECISION)), axis=1)
    entered = np.column_stack([begin, begin[:, None] + part * whole[:, None]])
    entered[np.arange(DECISION + 1) > last[:, None]] = np.inf
    end = (begin + whole)[:, None]
    won = is_won[:, None]
    return np.hstack([entered, np.where(won, end, np.inf), np.where(won, np.inf, end)])


def deals_table(rng: np.random.Generator, pipeline: Pipeline, calendar: Calendar) -> pd.DataFrame:
    """Return the contract's deals as they stood at the extraction; following up does not change who wins.

    Deals that end fast are rarely followed up before, so that a naive comparison misleads.
    """
    n, end = len(pipeline.customer), calendar.n_days
    is_reached = pipeline.stage_days < end
    ended = pipeline.stage_days[:, WON:].min(axis=1)
    is_closed = ended < end
    stage = np.where(is_reached, pipeline.stage_days, -np.inf).argmax(axis=1) if n else np.zeros(0, int)
    has_quote = is_reached[:, QUOTED]
    quoted = np.where(has_quote, pipeline.stage_days[:, QUOTED], 0).astype(int)
    closed = np.where(is_closed, ended, end - 1).astype(int)
    followed = quoted + 1 + np.floor(rng.exponential(9, n)).astype(int)
    has_follow_up = has_quote & (followed <= closed) & (rng.random(n) < 0.85)
    planned = pipeline.created + 20 + np.floor(rng.exponential(40, n)).astype(int)
    waits = (
        -np.log1p(-rng.random((2, n))[0]) * HANDED_OVER_AFTER
    )  # drawn in twos: what follows stays as it was
    handed = pipeline.created + 1 + np.floor(waits).astype(int)
    since = np.where(handed < closed, handed, pipeline.created)  # whatever becomes of the deal afterwards
    reason = np.where(
        is_closed & ~pipeline.is_won & (rng.random(n) > 0.1), pick(rng, LOST_REASON_SHARES, n), -1
    )
    has_step = ~is_closed & (rng.random(n) < np.array(NEXT_STEP_SHARES)[pipeline.owner])
    amount = np.round(np.exp(rng.normal(11.6, 0.7, n)), -3)
    recorded = np.minimum(pipeline.recorded * 86_400, end * 86_400 - 1)
    return pd.DataFrame(
        {
            "deal_id": ids("D", np.arange(1, n + 1)),
            "customer_id": ids("C", pipeline.customer + 1),
            "created_on": calendar.dates(pipeline.created),
            "quoted_on": calendar.dates(quoted, missing=~has_quote),
            "followed_up_on": calendar.dates(followed, missing=~has_follow_up),
            "closed_on": calendar.dates(closed, missing=~is_closed),
            "expected_close_on": calendar.dates(planned, missing=rng.random(n) < NO_PLAN),
            "stage": words(DEAL_STAGES, stage),
            "is_won": pd.Series(pipeline.is_won).astype("boolean").mask(~is_closed),
            "amount": np.where(has_quote, amount, np.nan),
            "source": words(SOURCES_OF_LEADS, pipeline.source),
            "lost_reason": words(LOST_REASONS, reason),
            "owner": words(OWNERS, pipeline.owner),
            "owner_since": calendar.dates(since),
            "next_step_on": calendar.dates(end - 7 + rng.integers(0, 30, n), missing=~has_step),
            "recorded_at": calendar.moments(recorded),
        }
    )


def deal_stages_table(pipeline: Pipeline, calendar: Calendar) -> pd.DataFrame:
    """Return the contract's stage history, up to the extraction."""
    deal, stage = np.nonzero(pipeline.stage_days < calendar.n_days)
    second = (pipeline.stage_days[deal, stage] * 86_400).astype(int)
    order = np.argsort(second, kind="stable")
    return pd.DataFrame(
        {
            "deal_id": ids("D", deal[order] + 1),
            "stage": words(DEAL_STAGES, stage[order]),
            "entered_at": calendar.moments(second[order]),
        }
    )


def pipeline_truth(truth: Truth) -> dict[str, object]:
    """Say what is true of deals: who wins how often, and which stage loses how many."""
    chances = win_chances(truth)
    deals = np.outer(OWNER_SHARES, INDUSTRY_SHARES) * (1 / chances + MORE_DEALS)  # first won ones are one
    by_owner = (deals * chances).sum(axis=1) / deals.sum(axis=1)
    by_industry = (deals * chances).sum(axis=0) / deals.sum(axis=0)
    overall = float((deals * chances).sum() / deals.sum())
    left = 1 - (1 - overall) * np.concatenate([[0.0], np.cumsum(LOST_AT)])
    return {
        "follow_up_effect_on_win": 0.0,
        "win_share": overall,
        "win_share_by_owner": dict(zip(OWNERS, by_owner.tolist(), strict=True)),
        "win_share_by_industry": dict(zip(INDUSTRIES, by_industry.tolist(), strict=True)),
        "stage_conversion": dict(zip(DEAL_STAGES[:WON], (left[1:] / left[:-1]).tolist(), strict=True)),
        "entry_lag_days": dict(truth.entry_lag_days),
    }
