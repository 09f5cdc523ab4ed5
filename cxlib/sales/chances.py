"""The chance of each open deal to be won within some days, given its stage and its age."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlib.data.days import to_date
from cxlib.data.deals import deal_spells
from cxlib.sales.stays_at_stages import stage_visits
from cxlib.sales.transition_rates import Rates, transition_rates
from cxlib.stats.arrays import Array

#: The one stage of deals whose way is not known.
ANY_STAGE = "any_stage"


def known_stays(
    deals: pd.DataFrame,
    deal_stages: pd.DataFrame | None,
    *,
    as_of: dt.date | str,
    stages: Sequence[str] = (),
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Stays of all deals as known on a day, and the stages; one stage for all where no way is known.

    Deals that are in no history stand at `ANY_STAGE` from their creation on, as all do without one.

    Examples
    --------
    >>> deals = pd.DataFrame({"deal_id": ["a"], "customer_id": ["k"], "is_won": [None],
    ...     "created_on": pd.to_datetime(["2026-01-01"]), "closed_on": pd.to_datetime([None])})
    >>> stays, names = known_stays(deals, None, as_of="2026-01-31")
    >>> names, stays["left"].tolist()
    (('any_stage',), [30])
    """
    parts, names = [], tuple(stages)
    if deal_stages is not None and len(names):
        parts.append(stage_visits(deals, deal_stages, as_of=as_of, stages=names))
    spells = deal_spells(deals, as_of=as_of)
    rest = spells if not parts else spells[~spells["deal_id"].isin(parts[0]["deal_id"])]
    if len(rest) or not names:
        alone = rest[["deal_id", "customer_id"]].assign(
            stage=ANY_STAGE, entered=0, left=rest["days"], visit=1
        )
        parts.append(alone.assign(next=rest["outcome"]))
        names = (*names, ANY_STAGE)
    return pd.concat(parts, ignore_index=True), names


def win_chances(
    stays: pd.DataFrame, rates: Rates, *, within_days: int, draws: int = 0, seed: int = 1
) -> tuple[pd.DataFrame, Array]:
    """Chance (0–1) of each open deal to be won within so many days, and draws of it that carry its doubt.

    Parameters
    ----------
    stays
        As `known_stays`; deals whose last stay has no end are open.
    rates
        As `transition_rates` gives them.
    within_days
        Days from the day up to which the stays are known.
    draws, seed
        Draws of the rates from their distributions, and their seed; none by default.

    Returns
    -------
    tuple of (DataFrame, array)
        One row per open deal: `deal_id, stage, age_days, stage_days, chance`; and an array of draws by deal.

    Notes
    -----
    Deals move by day as a Markov chain whose chances depend on stage and age (piecewise constant rates):
    P(won by age a + h | stage s at age a), the Aalen–Johansen product with rates smoothed within four ages.

    References
    ----------
    Aalen, Borgan & Gjessing (2008) Survival and Event History Analysis, ch. 3 and 5.

    Examples
    --------
    >>> stays = pd.DataFrame({"deal_id": list("abcde"), "stage": "talk", "entered": 0, "visit": 1,
    ...     "left": [10, 10, 20, 40, 5], "next": ["won", "won", "lost", "lost", None]})
    >>> rates = transition_rates(stays, stages=("talk",))
    >>> win_chances(stays, rates, within_days=30)[0][["deal_id", "age_days"]].to_numpy().tolist()
    [['e', 5]]
    """
    last = stays.groupby("deal_id", sort=False).tail(1)
    still = last[last["next"].isna()].reset_index(drop=True)
    age, code = still["left"].to_numpy(int), pd.Index(rates.stages).get_indexer(pd.Index(still["stage"]))
    ages, place = np.unique(age, return_inverse=True)
    mean = _won_within(rates, rates.day_matrices(), ages, within_days)[0][place, code]
    drawn = np.empty((0, len(still)))
    if draws:
        matrices = rates.day_matrices(np.random.default_rng(seed), draws)
        drawn = _won_within(rates, matrices, ages, within_days)[:, place, code]
    frame = still[["deal_id", "stage"]].assign(age_days=age, stage_days=age - still["entered"], chance=mean)
    return frame, drawn


def won_of_new(rates: Rates, matrices: Array, days: int) -> Array:
    """Chance that a deal created on a day of a period is won before it ends, on average over its days.

    Parameters
    ----------
    rates, matrices
        As `transition_rates` and `Rates.day_matrices` give them.
    days
        Days of the period.

    Returns
    -------
    array
        One chance per draw.
    """
    m = len(rates.stages)
    state = np.zeros((len(matrices), m + 2))
    state[:, :m] = rates.starts
    won = np.zeros((days, len(matrices)))
    for day in range(1, days):
        band = np.searchsorted(rates.cuts, day - 0.5)
        state = np.einsum("ds,dsj->dj", state, matrices[:, band])
        won[day] = state[:, m]
    chance: Array = won.mean(axis=0)
    return chance


def _won_within(rates: Rates, matrices: Array, ages: Array, days: int) -> Array:
    """Chance by draw, age and stage, backwards day by day: what is won today, or stays open and is later."""
    m = len(rates.stages)
    later = np.zeros((len(matrices), len(ages), m))
    for day in range(days - 1, -1, -1):
        band = np.searchsorted(rates.cuts, ages + day + 0.5)
        step = np.empty_like(later)
        for each in np.unique(band):
            there = band == each
            of_band = matrices[:, each]
            step[:, there] = of_band[:, None, :m, m] + later[:, there] @ of_band[:, :m, :m].transpose(0, 2, 1)
        later = step
    return later


def open_deals(
    deals: pd.DataFrame,
    *,
    as_of: dt.date | str,
    deal_stages: pd.DataFrame | None = None,
    stages: Sequence[str] = (),
    within_days: int = 90,
) -> pd.DataFrame:
    """List open deals, each with its age and its chance of being won within so many days.

    Parameters
    ----------
    deals
        As in `deal_spells`, with `deal_id` and `customer_id`; every open deal is kept, whoever the customer.
    as_of
        Last day known, inclusive.
    deal_stages, stages
        History and order of the stages (`open_stages`); without them chances follow from age alone.
    within_days
        Days after `as_of`.

    Returns
    -------
    DataFrame
        One row per open deal, the oldest first: `deal_id, customer_id`, the deal's own columns, `age_days`,
        `stage_days` (at its stage; missing without history), `chance` (0–1; missing where no deal was won to
        learn from) and, where there is an `expected_close_on`, `is_late` (the planned day is past).

    Examples
    --------
    >>> deals = pd.DataFrame({"deal_id": ["a", "b"], "customer_id": ["k", "l"], "is_won": [None, True],
    ...     "created_on": pd.Timestamp("2026-01-01"), "closed_on": pd.to_datetime([None, "2026-01-21"])})
    >>> open_deals(deals, as_of="2026-01-31")[["deal_id", "age_days"]].to_numpy().tolist()
    [['a', 30]]
    """
    stays, names = known_stays(deals, deal_stages, as_of=as_of, stages=stages)
    spells = deal_spells(deals, as_of=as_of)
    still = spells[spells["is_open"]].rename(columns={"days": "age_days"})
    chances, _ = win_chances(stays, transition_rates(stays, stages=names), within_days=within_days)
    known: dict[Any, Any] = chances.set_index("deal_id")[["stage", "stage_days", "chance"]].to_dict()
    is_learned = bool((spells["outcome"] == "won").any())
    still["chance"] = still["deal_id"].map(known["chance"]) if is_learned else np.nan
    seen = still["deal_id"].map(known["stage"])
    still["stage_days"] = still["deal_id"].map(known["stage_days"]).where(seen != ANY_STAGE)
    if "expected_close_on" in still:
        planned = pd.to_datetime(still["expected_close_on"])
        still["is_late"] = planned < pd.Timestamp(to_date(as_of))
    still = still.drop(columns=["is_open", "ended_on", "outcome", "is_undated"])
    return still.sort_values(["age_days", "deal_id"], ascending=[False, True], ignore_index=True)
