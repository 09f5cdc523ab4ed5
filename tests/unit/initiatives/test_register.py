"""What is done with each initiative, and when one of them comes first."""

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.initiatives.register import STEPS, first_place, nearest, next_steps, split_words
from cxlib.language import catalogue


def studies(**columns):
    """Two initiatives of equal size and cost, known well: 100 and 40 a customer and month."""
    table = pd.DataFrame({"initiative": ["A", "B"], "estimate": [100.0, 40.0], "std_error": 5.0})
    table = table.assign(customer_months=1000.0, cost=20_000.0, verdict="effective", roi=[4.0, 1.0])
    return table.assign(roi_low=0.5, roi_high=5.0, **columns)


def place(table):
    return first_place(cx.rank_by_net(table), lang="en")


def test_first_place_needs_a_lead_beyond_doubt():
    best = place(studies())
    assert (best["key"], best["name"], best["second"]) == ("impact.register_best", "A", "B")
    assert best["lead_low"] > 0
    close = place(studies(std_error=40.0, estimate=[100.0, 90.0]).assign(cost=1.0))
    assert close["key"] in ("impact.register_leads", "impact.register_none")
    near = place(studies(std_error=20.0, estimate=[100.0, 95.0]))
    assert near["key"] == "impact.register_leads"
    assert near["lead_low"] <= 0 <= near["lead_high"]


def test_first_place_needs_money_left_over_with_its_whole_interval():
    table = studies(estimate=[24.0, 2.0])  # 24,000 against a cost of 20,000, error 5,000
    found = place(table)
    assert found["key"] == "impact.register_none"
    assert nearest(cx.rank_by_net(table), lang="en")[0]["net_shrunk_low"] < 0
    assert place(studies(verdict="pay_open"))["key"] == "impact.register_none"


def test_one_study_is_no_ranking():
    alone = studies().head(1)
    assert place(alone)["key"] == "impact.register_single"
    assert cx.rank_by_net(alone)[["net_shrunk", "net_shrunk_low", "rank"]].isna().all(axis=None)
    assert nearest(cx.rank_by_net(alone), lang="en") == []
    unpriced = studies().assign(cost=[20_000.0, np.nan], roi=[4.0, np.nan])
    assert (place(unpriced)["key"], place(unpriced)["name"]) == ("impact.register_single", "A")
    assert place(studies().assign(cost=np.nan))["key"] == "impact.register_no_costs"
    assert place(studies().head(0))["key"] == "impact.register_none"


def test_effects_within_their_noise_are_no_loss_of_the_whole_cost():
    table = studies(estimate=[3.0, -2.0])
    assert place(table)["key"] == "impact.register_noise"
    ranked = cx.rank_by_net(table)
    assert ranked["factor"].eq(0).all()
    assert ranked[["net_shrunk", "net_shrunk_low", "roi_shrunk"]].isna().all(axis=None)


def test_every_initiative_gets_one_step_by_name():
    reasons = list(STEPS)
    rows = pd.DataFrame({"initiative": [f"N{place}" for place in range(len(reasons))], "reason": reasons})
    said = next_steps(pd.concat([rows, rows.assign(initiative="twin")]), horizon_months=12, min_cell=10)
    assert sorted(name for words in said for name in words["names"] if name != "twin") == sorted(
        rows["initiative"]
    )
    for words in said:
        assert words["key"] in catalogue()
        assert f"verdict.{words['verdict']}" in catalogue()
        assert len(words["names"]) == 2
    assert STEPS["below_needed"] == STEPS["below_zero"] == "stop"
    assert STEPS["at_loss"] != "fund" != STEPS["pay_open"]
    assert all(f"impact.why_{reason}" in catalogue() for reason in reasons)


@pytest.mark.parametrize(("gap", "verdict"), [(1.0, "no_difference_shown"), (9.0, "differ")])
def test_groups_within_initiatives_are_told_apart_by_one_test_each(gap, verdict):
    part = pd.DataFrame({"region": list("abc"), "estimate": [10.0, 10.0, 10.0 + gap], "n": 200})
    part = part.assign(std_error=1.0)
    same = part.assign(estimate=10.0)
    (words,) = split_words({"first": same, "second": part}, by="region", conf_level=0.95)
    assert words["verdict"] == verdict
    assert words.get("names", ["second"]) == ["second"]
    assert words["count"] == 2
    assert split_words({"first": part.head(1)}, by="region", conf_level=0.95) == []


def test_first_place_counts_limits_as_they_are_shown():
    ranked = cx.rank_by_net(studies())
    ends = {"net_shrunk": 9.0, "net_shrunk_low": 0.4, "net_shrunk_high": 20.0}
    assert first_place(ranked.assign(**ends), lang="en", currency="JPY")["key"] == "impact.register_none"
    assert first_place(ranked.assign(**ends), lang="en", currency="USD")["key"] == "impact.register_leads"
