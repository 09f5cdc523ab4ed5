"""Owners and industries of simulated companies: planted differences covered, none named where none is."""

import numpy as np
import pytest

from cxlib.sales.groups import who_wins_more, win_rates_by
from cxlib.samples.pipeline import pipeline_truth
from cxlib.samples.settings import Truth
from cxlib.samples.simulate import make_company

AS_OF = "2026-09-30"
ATTRIBUTES = ("owner", "industry")
#: Deals so old are over, but for one in a thousand.
OVER_DAYS = 400
ALIKE = Truth(
    owner_win_odds=dict.fromkeys(Truth().owner_win_odds, 1.0),
    industry_win_odds=dict.fromkeys(Truth().industry_win_odds, 1.0),
)


def deals_of(seed, truth=None, n=3_000):
    tables = make_company(n_customers=n, seed=seed, **({} if truth is None else {"truth": truth}))
    return tables["deals"].merge(tables["customers"][["customer_id", "industry"]], on="customer_id")


def covered(seeds):
    """How often 95 % intervals of the share won hold the planted one, by attribute, over all its groups."""
    planted = pipeline_truth(Truth())
    held = {name: [] for name in ATTRIBUTES}
    for seed in seeds:
        rates = win_rates_by(deals_of(seed), as_of=AS_OF, attributes=ATTRIBUTES, mature_days=OVER_DAYS)
        for row in rates.itertuples():
            truth = planted[f"win_share_by_{row.attribute}"][row.group]
            held[row.attribute].append(row.conf_low < truth < row.conf_high)
    return {name: float(np.mean(inside)) for name, inside in held.items()}


def named(seeds, truth):
    """Share of companies in which any owner or industry is named."""
    told = [who_wins_more(deals_of(seed, truth), as_of=AS_OF, attributes=ATTRIBUTES) for seed in seeds]
    return np.mean([any(row["claim"] in ("higher", "lower", "both") for row in rows) for rows in told])


def test_planted_differences_are_covered_and_named_in_a_few_companies():
    assert min(covered(range(3)).values()) >= 0.6
    assert named(range(3), Truth()) > 0
    assert named(range(3), ALIKE) <= 0.34


@pytest.mark.long
def test_planted_differences_are_covered_in_200_companies():
    """Covered: owners 96.3 %, industries 98.3 %."""
    shares = covered(range(100, 300))
    assert all(0.905 <= share <= 0.985 for share in shares.values()), shares


@pytest.mark.long
def test_without_differences_an_owner_or_industry_is_named_in_at_most_9_of_100_companies():
    """Named in 6 % of 200 companies."""
    assert named(range(100, 300), ALIKE) <= 0.09
