"""What chapter 1 claims of growth, later orders, preferences and moves: both signs, undecided, too few."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cxlib.customers import foretelling_claims, growth_claims, preference_claims, sales_claims, state_claims
from cxlib.customers.sales_concentration import concentration
from cxlib.data.rules.rule_files import load_rules

START = dt.date(2026, 6, 30)


def periods(change, *, apart=365, n=60, noise=1.0):
    """Two like periods of two segments: what a customer of the first brings changes by `change`."""
    rng = np.random.default_rng(1)
    parts = []
    for period, gained in ((1, 0.0), (2, change)):
        spent = 100 + gained * np.repeat([1.0, 0.0], n) + noise * rng.normal(size=2 * n)
        part = pd.DataFrame({"customer_id": range(2 * n), "segment": np.repeat(["Loyal", "New"], n)})
        start = START - dt.timedelta(days=apart * (2 - period))
        parts.append(part.assign(period=period, start=start, history_days=365, next_amount=spent))
    return pd.concat(parts, ignore_index=True)


def extremes(held, **options):
    shown = growth_claims.growth_by_segment(held, order=["Loyal", "New"])
    return {row["kind"]: row for row in growth_claims.growth_extremes(held, shown=shown, **options)}


@pytest.mark.parametrize(("change", "kind", "verdict"), [(50.0, "gain", "risen"), (-50.0, "loss", "fallen")])
def test_the_segment_that_moved_most_is_told_on_its_side(change, kind, verdict):
    told = extremes(periods(change), currency="JPY")[kind]
    assert (told["claim"], told["verdict"], told["segment"]) == (kind, verdict, "Loyal")
    assert told["groups"] == 2 and np.sign(told["estimate"]) == np.sign(change)
    [whole] = growth_claims.growth_total(periods(change), days=90, currency="JPY")
    assert (whole["claim"], whole["verdict"], whole["start"]) == ("clear", verdict, START)


def test_a_change_within_its_limits_or_with_the_season_inside_has_no_verdict_of_its_own():
    noisy = extremes(periods(1.0, noise=80.0), currency="JPY")
    assert {row["claim"] for row in noisy.values() if not row.get("note")} <= {"gain_unclear", "loss_unclear"}
    season = extremes(periods(50.0, apart=90), currency="JPY")["gain"]
    assert (season["claim"], season["verdict"]) == ("gain_season", None)


@pytest.mark.parametrize(("apart", "first"), [(365, "Loyal"), (90, "New")])
def test_the_largest_change_is_the_largest_where_none_is_beyond_chance(apart, first):
    held = periods(5.0, apart=apart)
    one_of_new = held.index[(held["period"] == 2) & (held["segment"] == "New")][0]
    held.loc[one_of_new, "next_amount"] += 5_000  # more than all of Loyal, and nothing beyond chance
    assert extremes(held, currency="JPY")["gain"]["segment"] == first


def test_a_side_without_any_segment_is_said_and_small_ones_are_not_told():
    grown = periods(50.0, noise=0.0)
    assert extremes(grown)["loss"] == {"kind": "loss", "note": "segmentation.no_loss"}
    shown = growth_claims.growth_by_segment(grown)
    hidden = shown.assign(estimate=shown["estimate"].mask(shown["segment"] == "Loyal"))
    told = growth_claims.growth_extremes(grown, shown=hidden)
    assert "Loyal" not in {row.get("segment") for row in told}


def test_one_segment_is_told_alone_and_without_correction():
    held = periods(-50.0)
    shown = growth_claims.growth_by_segment(held, segment="Loyal")
    [own] = growth_claims.growth_extremes(held, shown=shown, segment="Loyal", currency="JPY")
    assert (own["claim"], own["verdict"], own["groups"]) == ("own", "fallen", 1)
    assert growth_claims.growth_total(held, days=90, segment="Loyal") == []


def hits(low, high, *, baseline="popular"):
    rows = pd.DataFrame({"method": ["next_value", "popular", "same_again"], "estimate": [0.5, 0.4, 0.3]})
    rows = rows.assign(n=90, dimension="brand", baseline=baseline, beyond=(low or 0) + 0.1)
    return rows.assign(beyond_conf_low=low, beyond_conf_high=high)


@pytest.mark.parametrize(
    ("low", "high", "claim", "verdict"),
    [
        (0.02, 0.2, "ahead", "ahead"),
        (-0.2, -0.02, "behind", "behind"),
        (-0.02, 0.2, "unclear", "no_difference_shown"),
        (0.0004, 0.2, "unclear", "no_difference_shown"),  # shown as 0.0
        (None, None, "same_popular", None),
    ],
)
def test_a_rule_foretells_only_what_its_difference_to_the_baseline_shows(low, high, claim, verdict):
    [told] = foretelling_claims.next_hits_told(hits(low, high), start=START)
    assert (told["claim"], told["verdict"], told["baseline_share"]) == (claim, verdict, 0.4)


def test_the_rule_that_always_says_the_same_again_is_told_as_that():
    [told] = foretelling_claims.next_hits_told(hits(None, None, baseline="same_again"), start=START)
    assert (told["claim"], told["baseline_share"]) == ("same_same_again", 0.3)


def acted(low, high, *, n=40, gap=(1.0, 9.0)):
    lists = pd.DataFrame({"action": ["a", "b"], "n": [n, 30], "amount_past_year": [9.0, 5.0], "amount": 10.0})
    rows = pd.DataFrame({"action": ["a", "b"], "n_tested": 50, "estimate": [(low + high) / 2, 0.0]})
    rows = rows.assign(conf_low=low, conf_high=high, spend_gap=5.0, is_suppressed=False)
    return lists, rows.assign(spend_gap_conf_low=gap[0], spend_gap_conf_high=gap[1])


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.1, 0.3, "differ"), (-0.3, -0.1, "differ"), (-0.1, 0.2, "no_difference_shown")],
)
def test_the_list_with_most_at_stake_is_told_with_what_customers_like_these_did(low, high, verdict):
    lists, evidence = acted(low, high)
    told = foretelling_claims.first_action(lists, evidence, start=START, days=90)
    assert (told["action"], told["claim"], told["verdict"]) == ("a", "year", verdict)
    so_far = lists.drop(columns="amount_past_year")
    claims = [
        foretelling_claims.first_action(so_far, evidence, start=START, days=90, is_whole=whole)["claim"]
        for whole in (True, False)
    ]
    assert claims == ["so_far", "period"]


def test_a_list_of_too_few_is_not_told_and_money_a_few_carry_has_no_limits():
    lists, evidence = acted(0.1, 0.3, n=np.nan)
    assert foretelling_claims.first_action(lists, evidence, start=START, days=90)["action"] == "b"
    lists, evidence = acted(0.1, 0.3, gap=(np.nan, np.nan))
    told = foretelling_claims.first_action(lists, evidence, start=START, days=90)
    money = foretelling_claims.first_action_money(told)
    assert money["claim"] == "few_carry" and "estimate" not in money and "verdict" not in money


@pytest.mark.parametrize(("low", "found"), [(1.2, 1), (1.004, 0), (0.5, 0)])
def test_a_preference_is_told_only_where_its_limit_as_shown_lies_above_everybody(low, found):
    cells = pd.DataFrame({"dimension": "brand", "group": ["Loyal", None], "value": "A", "estimate": 0.4})
    cells = cells.assign(n=90, lift=2.0, lift_conf_low=low, lift_conf_high=3.0)
    everybody = pd.DataFrame({"dimension": ["brand"], "value": ["A"], "estimate": [0.2]})
    told = preference_claims.most_preferred(cells, everybody, cells=1)
    assert [(row["segment"], row["verdict"]) for row in told] == [("Loyal", "differ")] * found


def purchases(n_changes):
    """Pairs in which "x" is followed by "y" `n_changes` times more often than anything else is."""
    own = (
        [("x", "y")] * n_changes
        + [("x", "x")] * 20
        + [("y", "x")] * 20
        + [("z", "z")] * 60
        + [("z", "y")] * 20
    )
    value, following = zip(*own, strict=True)
    return {"brand": pd.DataFrame({"customer_id": range(len(own)), "value": value, "next_value": following})}


@pytest.mark.parametrize(("n_changes", "note"), [(80, ""), (1, "segmentation.no_next_move")])
def test_a_change_beyond_popularity_is_told_and_none_is_said(n_changes, note):
    pairs = purchases(n_changes)
    moves = preference_claims.moves_by_dimension(pairs)
    moves = moves[(moves["value"] == "x")]
    [told] = preference_claims.likeliest_changes(moves, pairs)
    assert told["note"] == note and told["groups"] == len(moves)
    if not note:
        assert (told["value"], told["next_value"], told["n"]) == ("x", "y", 80)
        assert 1 < told["least_lift"] < told["lift_conf_low"] < told["lift"]


@pytest.mark.parametrize(("needed", "verdict"), [(0.05, "met"), (0.15, "not_met"), (0.9, "not_met")])
def test_a_service_is_earned_where_the_lower_limit_exceeds_the_need(needed, verdict):
    shares = concentration(pd.DataFrame({"monetary_total": np.arange(1.0, 101)}), top=[0.1])
    assert shares["conf_low"].iloc[1] < 0.19
    needed = shares["conf_low"].iloc[1] - 0.01 if verdict == "met" else needed + 0.05
    assert sales_claims.service_rule(shares, needed_share=needed)["verdict"] == verdict
    alike = concentration(pd.DataFrame({"monetary_total": np.ones(100)}), top=[0.1])
    assert sales_claims.concentration_told(alike)["note"] == "segmentation.all_equal"
    assert sales_claims.service_rule(alike, needed_share=needed) == {}


def test_who_carries_most_is_not_said_of_blanked_groups():
    base = pd.DataFrame({"segment": ["A", "B"] * 50, "monetary_total": [9.0, 1, 8, 2] * 25})
    table = pd.DataFrame({"segment": ["A", "B"], "metric": "amount_share", "estimate": [0.85, 0.15], "n": 50})
    table = table.assign(conf_low=[0.8, 0.1], conf_high=[0.9, 0.2], customer_share=0.5)
    told = sales_claims.group_lead(base, table)
    assert (told["estimate"], told["next_share"], told["note"]) == (0.85, 0.15, "")
    few = pd.DataFrame({"segment": list("ABCABC"), "monetary_total": [900.0, 5, 4, 3, 600, 2]})
    lead = sales_claims.group_lead(few)
    assert (lead["ahead_conf_low"], lead["ahead_conf_high"]) == (-1.0, 1.0)
    blanked = table.assign(conf_low=[0.8, None])
    assert sales_claims.group_lead(base, blanked)["note"] == "segmentation.no_carrier"
    assert sales_claims.group_lead(base.query("segment == 'A'"), table) == {}


@pytest.mark.parametrize(
    ("apart", "p_value", "claim"), [(365, 0.001, "beyond"), (365, 0.4, "chance"), (120, 0.001, "season")]
)
def test_moves_are_news_only_beyond_chance_and_beside_the_same_season(apart, p_value, claim):
    moves = pd.DataFrame({"before": ["a", "a"], "after": ["a", "b"], "n": [60, 40], "p_value": p_value})
    told = state_claims.moved_told(moves, periods(0.0, apart=apart))
    assert (told["claim"], told["n"], told["start"]) == (claim, 100, START)
    assert told["conf_low"] < 0.4 < told["conf_high"] and told["estimate"] == pytest.approx(0.4)
    assert state_claims.moved_told(moves, periods(0.0), segment="a") == {}
    assert state_claims.moved_told(moves.assign(n=0), periods(0.0)) == {}


def test_clusters_traced_customers_and_states_since_say_what_they_may():
    tried = pd.DataFrame({"clusters": [1, 3], "is_chosen": [False, True], "n": 90, "metric": "gap"})
    assert state_claims.clusters_told(tried)["claim"] == "found"
    few = pd.DataFrame(index=range(3))
    assert state_claims.traced_told(few, segment="Loyal", start=START) == {}
    assert state_claims.traced_told(few, segment="Loyal", start=START, few="a.few")["note"] == "a.few"
    assert state_claims.traced_told(few, segment=None, start=START, few="a.few") == {}
    assert state_claims.states_since(pd.DataFrame(), pd.Series(dtype="float64"), from_on=None) == []


def test_of_nobody_there_are_no_stays():
    nobody = pd.DataFrame({"as_of": pd.to_datetime([]), "customer_id": [], "state": []})
    rows = state_claims.lasting_states(nobody.astype({"state": "str"}), load_rules("states"))
    assert rows.empty and state_claims.fixed_stays(rows) == []
