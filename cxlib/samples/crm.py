"""What a CRM logs around deals: leads before them, visits and calls during them, and who uses it at all."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cxlib.samples.columns import Calendar, ids, pick, words
from cxlib.samples.pipeline import CLOSES, OPENS, WON, Pipeline
from cxlib.samples.settings import OWNERS, SOURCES_OF_LEADS, Truth

LEAD_DAYS = 20  # mean from a lead to its deal
LEAD_STATES = ("converted", "open", "disqualified")
GIVEN_UP_AFTER = 120  # days after which a lead that did not become a deal is called off
KINDS, KIND_SHARES = ("visit", "call", "mail", "meeting"), (0.20, 0.35, 0.35, 0.10)
DAYS_PER_ACTIVITY = 12
SILENT_OWNER, SILENT_DAYS = len(OWNERS) - 1, 100  # who still has deals, and has not been in the CRM since
TEAMS = ("sales", "support", "planning")
OTHERS = {"M01": "sales", "M02": "sales", "C01": "support", "C02": "support", "C03": "support"}
NEVER_THERE = {"C04": "support", "C05": "support", "P01": "planning", "P02": "planning"}
LICENSED_DAYS = 700
ACTIVE_DAYS = 30


def leads_table(
    rng: np.random.Generator, pipeline: Pipeline, calendar: Calendar, truth: Truth
) -> pd.DataFrame:
    """Return the contract's leads: those behind first deals, and a Poisson number of others by source.

    The others came when those that became deals came, at the rate that makes the shares the stated ones; for
    the last days some are added that will become deals after the extraction.
    """
    deal = np.flatnonzero(pipeline.is_new)
    came = pipeline.created[deal] - np.floor(rng.exponential(LEAD_DAYS, len(deal))).astype(int)
    deal, came = deal[came >= 0], came[came >= 0]
    share = np.array([truth.lead_share[name] for name in SOURCES_OF_LEADS])
    lost = rng.poisson(len(deal) / len(share) * (1 - share) / share)
    coming = rng.poisson(len(deal) / calendar.n_days * LEAD_DAYS)
    sources = [pipeline.source[deal], np.repeat(np.arange(len(share)), lost)]
    sources.append(pick(rng, (1,) * len(share), coming))
    days = [came, rng.choice(came, lost.sum()) if len(came) else np.zeros(lost.sum(), int)]
    days.append(calendar.n_days - 1 - np.floor(rng.exponential(LEAD_DAYS, coming)).astype(int))
    source, created = np.concatenate(sources), np.concatenate(days)
    deal = np.append(deal, np.full(len(source) - len(deal), -1))
    state = np.where(deal >= 0, 0, np.where(created < calendar.n_days - GIVEN_UP_AFTER, 2, 1))
    order = np.argsort(created, kind="stable")
    deal, created, source, state = deal[order], created[order], source[order], state[order]
    is_deal = deal >= 0
    converted = np.where(is_deal, pipeline.created[deal], 0) if len(pipeline.created) else np.zeros(0, int)
    customer = np.where(is_deal, pipeline.customer[deal] + 1, -1) if len(pipeline.created) else deal
    return pd.DataFrame(
        {
            "lead_id": ids("L", np.arange(1, len(deal) + 1)),
            "customer_id": ids("C", customer),
            "created_on": calendar.dates(created),
            "source": words(SOURCES_OF_LEADS, source),
            "status": words(LEAD_STATES, state),
            "converted_on": calendar.dates(converted, missing=~is_deal),
            "deal_id": ids("D", np.where(is_deal, deal + 1, -1)),
        }
    )


def activities_table(
    rng: np.random.Generator, pipeline: Pipeline, calendar: Calendar, truth: Truth
) -> pd.DataFrame:
    """Return the contract's activities: at a steady pace while a deal is open, entered late by some owners.

    What was not yet entered at the extraction is not there, nor anything of the owner who fell silent.
    """
    end = np.minimum(pipeline.stage_days[:, WON:].min(axis=1, initial=np.inf), calendar.n_days)
    begin = pipeline.created + OPENS / 86_400
    deal = np.repeat(np.arange(len(begin)), rng.poisson((end - begin).clip(min=0) / DAYS_PER_ACTIVITY))
    day = np.floor(begin[deal] + rng.random(len(deal)) * (end - begin)[deal])
    at = day + (OPENS + rng.random(len(deal)) * CLOSES) / 86_400
    owner = pipeline.owner[deal]
    recorded = at + rng.exponential(np.array([truth.entry_lag_days[name] for name in OWNERS])[owner])
    silent = (owner == SILENT_OWNER) & (recorded >= calendar.n_days - SILENT_DAYS)
    keep = np.flatnonzero((recorded < calendar.n_days) & (at >= begin[deal]) & ~silent)
    keep = keep[np.argsort(at[keep], kind="stable")]
    deal, owner, kind = deal[keep], owner[keep], pick(rng, KIND_SHARES, len(keep))
    return pd.DataFrame(
        {
            "activity_id": ids("A", np.arange(1, len(keep) + 1)),
            "customer_id": ids("C", pipeline.customer[deal] + 1),
            "deal_id": ids("D", deal + 1),
            "occurred_at": calendar.moments((at[keep] * 86_400).astype(int)),
            "kind": words(KINDS, kind),
            "owner": words(OWNERS, owner),
            "recorded_at": calendar.moments((recorded[keep] * 86_400).astype(int)),
        }
    )


def users_table(rng: np.random.Generator, calendar: Calendar) -> pd.DataFrame:
    """Return the contract's users: owners of deals, others who look things up, and some never seen."""
    teams = dict.fromkeys(OWNERS, "sales") | OTHERS | NEVER_THERE
    n, end = len(teams), calendar.n_days - 1
    licensed = end - LICENSED_DAYS + rng.integers(0, LICENSED_DAYS - ACTIVE_DAYS, n)
    licensed[: len(OWNERS)] = end - LICENSED_DAYS
    active = end - rng.integers(0, ACTIVE_DAYS, n)
    active[SILENT_OWNER] = end - SILENT_DAYS
    codes = np.arange(n)
    return pd.DataFrame(
        {
            "owner": words(teams, codes),
            "team": words(TEAMS, np.array([TEAMS.index(team) for team in teams.values()])),
            "licensed_on": calendar.dates(licensed),
            "last_active_on": calendar.dates(active, missing=codes >= n - len(NEVER_THERE)),
        }
    )


def crm_truth(truth: Truth) -> dict[str, object]:
    """Say what is true of leads and of who uses the CRM."""
    return {
        "lead_share_by_source": dict(truth.lead_share),
        "silent_owner": OWNERS[SILENT_OWNER],
        "silent_days": SILENT_DAYS,
        "users": len(OWNERS) + len(OTHERS) + len(NEVER_THERE),
        "users_active": len(OWNERS) - 1 + len(OTHERS),
    }
