"""What the journey chapter claims of second purchases, visits and deals: both signs, undecided, too few."""

import numpy as np
import pandas as pd
import pytest

from cxlib.journey.checklist import QUESTIONS, measured_questions, question_words
from cxlib.journey.second_purchase.claims import f2_level, value_of_f2
from cxlib.journey.visit_claims import (
    exit_alone,
    exit_table,
    exits_before,
    funnel_ties,
    path_notes,
    visit_funnel,
    visits_on_path,
    worst_exit,
)
from cxlib.sales.quote_claims import enough_quotes, follow_up_gap, quotes_by_delay, won_share


def f2(naive, *, note=""):
    row = {"metric": "f2", "days": 180, "estimate": 0.4, "conf_low": 0.3, "conf_high": 0.5, "n": 200}
    return pd.DataFrame([row | {"naive": naive, "older_share": 0.1, "note": note}])


def test_f2_says_what_the_naive_ratio_would():
    low, same = (f2_level(f2(naive), days=180, n_first=200).iloc[0] for naive in (0.3, 0.3997))
    assert (low["claim"], low["naive_gap"]) == ("naive_low", pytest.approx(-0.1))
    assert same["claim"] == "naive_same"  # a gap that reads 0.0


def test_f2_of_data_that_begin_mid_life_allows_for_old_customers():
    plain = pd.DataFrame({"days": [180], "estimate": [0.6]})
    asked = {"days": 180, "n_first": 200, "begins": "burn_in", "plain": plain}
    settled = f2_level(f2(0.3, note="burn_in"), **asked).iloc[0]
    assert settled[["claim", "older_share", "plain"]].tolist() == ["settled", 0.1, 0.6]
    assert f2_level(f2(0.3), **asked)["claim"].item() == "since"
    assert f2_level(f2(0.3).head(0), **asked)["note"].item() == "journey.unsettled"


def test_f2_not_known_or_of_too_few_says_so():
    assert f2_level(f2(0.3), days=90, n_first=200)["note"].item() == "unknown"
    assert f2_level(f2(0.3), days=180, n_first=9).empty


def value(error, *, n=90):
    rows = {"metric": ["share_of_value", "variance_explained"], "estimate": [0.6, 0.1], "std_error": error}
    return pd.DataFrame(rows | {"conf_low": 0.5, "conf_high": 0.7, "n": n})


def test_the_value_of_f2_is_told_with_limits_or_as_carried_by_a_few():
    assert value_of_f2(value(0.05))[["claim", "explained_share"]].iloc[0].tolist() == ["shown", 0.1]
    assert value_of_f2(value(np.nan))["claim"].item() == "few_carry"
    assert value_of_f2(value(0.05, n=9)).empty


def followed(low, high, *, naive=-0.1, n=90):
    rows = {"metric": ["compliance", "difference", "naive_difference"], "n": n}
    rows |= {"estimate": [0.5, (low + high) / 2, naive], "conf_low": [0.4, low, -0.2]}
    return pd.DataFrame(rows | {"conf_high": [0.6, high, 0.0]})


@pytest.mark.parametrize(
    ("ends", "naive", "claim", "verdict"),
    [
        ((0.1, 0.3), -0.1, "naive_low", "differ"),
        ((-0.3, -0.1), -0.3, "naive_low", "differ"),
        ((-0.3, -0.1), -0.1, "plain", "differ"),
        ((-0.1, 0.3), -0.1, "naive_low_undecided", "no_difference_shown"),
        ((-0.1, 0.1), 0.0004, "plain_undecided", "no_difference_shown"),
    ],
)
def test_following_up_is_claimed_on_the_side_of_its_limits(ends, naive, claim, verdict):
    told = follow_up_gap(followed(*ends, naive=naive), within_days=7).iloc[0]
    assert told[["claim", "verdict", "compliance_share"]].tolist() == [claim, verdict, 0.5]


def test_too_few_quotes_say_nothing():
    assert len(enough_quotes(followed(0.1, 0.3), customers=30)) == 3
    assert enough_quotes(followed(0.1, 0.3, n=9), customers=30).empty
    nothing = enough_quotes(followed(0.1, 0.3), customers=9)
    assert nothing.empty and follow_up_gap(nothing, within_days=7).empty


def test_where_groups_are_too_small_the_share_followed_up_is_told_alone():
    kept = enough_quotes(followed(np.nan, np.nan), customers=30)
    told = follow_up_gap(kept, within_days=7).iloc[0]
    assert told[["metric", "claim", "estimate", "n"]].tolist() == ["compliance", "alone", 0.5, 90]


def test_quotes_that_wait_are_counted_by_delay():
    late = pd.DataFrame({"overdue_days": [7, 8, 400], "customer_id": ["a", "b", "b"]})
    late = late.assign(deal_id=[1, 2, 3], amount=10.0)
    assert quotes_by_delay(late, min_cell=2)["overdue"].tolist() == ["1–7", "8–30", "366–"]
    assert quotes_by_delay(late, min_cell=3).empty


def test_how_deals_ended_needs_customers():
    rates = pd.DataFrame({"metric": ["won", "lost", "open"], "estimate": [0.5, 0.3, 0.2], "n": 60})
    rates = rates.assign(conf_low=0.1, conf_high=0.6, customers=40, mature_days=90.0)
    assert won_share(rates)[["estimate", "lost_share", "open_share"]].iloc[0].tolist() == [0.5, 0.3, 0.2]
    assert won_share(rates.assign(customers=9)).empty


def views(n=12):
    who = [f"c{i}" for i in range(n) for _ in range(3)]
    rows = pd.DataFrame({"customer_id": who, "session_id": who, "page": ["home", "cart", "done"] * n})
    return rows.assign(occurred_at=pd.date_range("2026-01-01", periods=3 * n, freq="min", tz="UTC"))


def test_a_path_is_followed_where_its_pages_are_seen_once_each():
    assert len(visits_on_path(views(), ["home", "done"])) == 36
    assert path_notes(views(), ["home", "done"]).empty
    cases = {"repeated_steps": (views(), ["home", "home"]), "few_on_path": (views(9), ["home", "done"])}
    cases |= {"no_pages": (views().assign(page=None), ["home", "done"])}
    cases |= {"unseen_pages": (views(), ["home", "xyz"])}
    for note, case in cases.items():
        assert path_notes(*case)["note"].tolist() == [f"journey.{note}"]
        assert visits_on_path(*case).empty == (note != "unseen_pages")
    steps = visit_funnel(views(), ["home", "cart"], unit_col="session_id", conf_level=0.95)
    assert steps["n"].tolist() == [12, 12] and funnel_ties(steps).empty
    tied = funnel_ties(steps.assign(n_low=[12, 6]))
    assert tied[["tied_share", "least_share", "reached_share"]].iloc[0].tolist() == [0.5, 0.5, 1.0]


def exits(*, base=0.1, is_excessive=True):
    row = {"metric": "exit", "page": "cart", "estimate": 0.4, "conf_low": 0.3, "conf_high": 0.5, "n": 50}
    row |= {"base": base, "difference": 0.3, "difference_conf_low": 0.2, "difference_conf_high": 0.4}
    return pd.DataFrame([row | {"is_excessive": is_excessive}])


def test_the_worst_exit_is_shown_none_or_beyond_comparison():
    worst = worst_exit(exits(), goal="done").iloc[0]
    assert worst[["claim", "verdict", "estimate", "exit_rate"]].tolist() == ["worst", "differ", 0.3, 0.4]
    none = worst_exit(exits(is_excessive=False), goal="done").iloc[0]
    assert none[["claim", "verdict"]].tolist() == ["none", "no_difference_shown"]
    assert worst_exit(exits(base=np.nan), goal="done")["note"].item() == "journey.exits_alone"
    assert worst_exit(exits().head(0), goal="done").empty


def test_a_page_alone_is_told_where_it_loses_more_than_visits_do():
    of = {"goal": "done", "visit_col": "session_id"}
    assert exit_alone(exits(base=np.nan), views(), **of)["all_rate"].item() == 0
    assert exit_alone(exits(), views(), **of).empty
    no_goal = views().query("page != 'done'")
    assert exit_alone(exits(base=np.nan), no_goal, **of).empty  # all visits are lost: 40 % is not more


def test_exits_ask_for_a_goal_that_is_reached():
    assert exits_before(views(), goal="xyz", conf_level=0.95).empty
    assert set(exits_before(views(), goal="done", conf_level=0.95)["page"]) == {"home", "cart"}
    assert exits_before(views(9), goal="done", conf_level=0.95).empty
    shown = exit_table(exits(base=np.nan))
    assert shown["is_excessive"].isna().item() and shown["base_gap"].item() == 0.3


def test_questions_have_words_and_their_last_row():
    assert set(question_words()) == set(QUESTIONS)
    rows = pd.DataFrame({"n": [1, 2]})
    measured = measured_questions(not_marked_down=rows, leads_to_conviction=rows.head(0))
    assert list(measured) == ["not_marked_down"] and measured["not_marked_down"]["n"] == 2
