"""Deals: when one is open, how it ended, and shares that add up."""

import numpy as np
import pandas as pd
import pytest

from cxlib import open_data
from cxlib.checks import InputError, ParameterError, TableError
from cxlib.data.deals import deal_facts, deal_spells
from cxlib.sales.ageing import stage_ageing
from cxlib.sales.quotes import follow_up, overdue_quotes
from cxlib.sales.won_and_lost import deal_outcomes as outcomes_by_day
from cxlib.sales.won_and_lost import usual_age, win_rates

AS_OF = "2026-09-30"


def decided(n_won=23, n_lost=18):
    """41 deals, all over by day 20, created in one month: won 56.1 %."""
    days = np.arange(n_won + n_lost) % 20 + 1
    created = pd.Timestamp("2026-08-01") + pd.to_timedelta(np.arange(n_won + n_lost) % 30, unit="D")
    deals = pd.DataFrame({"deal_id": [f"D{i}" for i in range(n_won + n_lost)], "created_on": created})
    deals["customer_id"] = [f"c{i % 15}" for i in range(len(deals))]
    deals["closed_on"] = created + pd.to_timedelta(days, unit="D")
    return deals.assign(is_won=[True] * n_won + [False] * n_lost, stage="over", amount=10.0)


def test_a_deal_without_a_result_is_open_whatever_its_dates():
    deals = pd.DataFrame({"closed_on": pd.to_datetime(["2025-01-01", "2027-01-01", None, "2026-01-01"])})
    facts = deal_facts(deals.assign(is_won=[None, None, None, False]), as_of=AS_OF)
    assert facts["is_open"].to_list() == [True, True, True, False]
    assert facts["ended_on"].isna().to_list() == [True, True, True, False]


def test_a_deal_that_ends_after_the_last_day_is_open_on_it():
    facts = deal_facts(decided(), as_of="2026-08-05")
    assert facts["is_open"].sum() == (decided()["closed_on"] > "2026-08-05").sum()
    assert facts.loc[facts["is_open"], "outcome"].isna().all()


def test_a_result_without_a_day_is_over_but_in_no_clock():
    deals = decided().assign(closed_on=lambda rows: rows["closed_on"].where(rows.index > 0))
    facts = deal_facts(deals, as_of=AS_OF)
    assert facts["is_undated"].to_list() == [True] + [False] * 40
    assert len(deal_spells(deals, as_of=AS_OF)) == 40
    assert stage_ageing(deals, as_of=AS_OF).empty
    shares = win_rates(deals, as_of=AS_OF, mature_days=0).set_index("metric")
    assert shares.loc["won", "estimate"] == pytest.approx(23 / 41)  # the result itself is known


def test_final_shares_are_shown_when_everybody_has_been_decided():
    ends = outcomes_by_day(decided(), as_of=AS_OF).set_index(["metric", "days"])
    assert ends.loc[("won", 60), "estimate"] == pytest.approx(23 / 41)
    assert ends.loc[("lost", 90), "estimate"] == pytest.approx(18 / 41)
    assert (ends.loc[("won", 60), ["n_at_risk", "n_not_reached"]] == 0).all()


def test_where_too_few_deals_are_followed_the_last_day_with_enough_is_shown():
    young = pd.DataFrame({"customer_id": [f"c{i}" for i in range(40)], "is_won": [True] * 10 + [None] * 30})
    young["created_on"] = pd.Timestamp("2026-09-30") - pd.to_timedelta(np.arange(40), unit="D")
    young["closed_on"] = (young["created_on"] + pd.Timedelta(days=2)).where(young["is_won"].notna())
    young.loc[:1, ["is_won", "closed_on"]] = [None, pd.NaT]  # not over yet on the last day
    ends = outcomes_by_day(young, as_of=AS_OF)
    won = ends[ends["metric"] == "won"]
    assert won["days"].to_list() == [30]  # ten are 30 days old or older, at 60 and 90 nobody is
    assert won["n_at_risk"].to_list() == [10]
    assert won["n_not_reached"].item() == 40 - 10 - 8
    assert ends["estimate"].sum() == pytest.approx(1)


def test_shares_of_old_enough_deals_add_up_and_have_wilson_limits_by_account():
    alone = decided().assign(customer_id=[f"c{at}" for at in range(41)])
    shares = win_rates(alone, as_of=AS_OF).set_index("metric")
    assert shares["estimate"].sum() == pytest.approx(1)
    assert shares["mature_days"].unique().tolist() == [usual_age(decided(), as_of=AS_OF)]
    low, high = shares.loc[
        "won", ["conf_low", "conf_high"]
    ]  # Wilson, 23 of 41, by hand: 40 degrees of freedom
    z, t, p = 1.959964, 2.021075, 23 / 41
    n = 40 * (z / t) ** 2
    middle, half = p + z * z / (2 * n), z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    expected = ((middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n))
    assert (low, high) == pytest.approx(expected, abs=1e-6)


def test_deals_of_one_account_are_no_independent_ones():
    apart = decided().assign(customer_id=[f"c{at}" for at in range(41)])
    alike = decided().assign(customer_id=[f"c{at // 5}" for at in range(41)])  # won and lost by account
    for share in (
        lambda rows: win_rates(rows, as_of=AS_OF),
        lambda rows: outcomes_by_day(rows, as_of=AS_OF, horizons_days=[60]),
    ):
        one, other = (share(rows).set_index("metric").loc["won"] for rows in (apart, alike))
        assert one["estimate"] == pytest.approx(other["estimate"])
        assert other["std_error"] > 1.5 * one["std_error"]


def test_young_deals_are_no_mature_cohort():
    shares = win_rates(decided(), as_of="2026-08-20", mature_days=10)
    old = decided()["created_on"] <= "2026-08-10"
    assert shares["n"].unique().tolist() == [old.sum()]


def test_deals_are_split_by_any_column():
    deals = pd.concat([decided().assign(owner="a"), decided(10, 31).assign(owner="b")])
    ends = outcomes_by_day(deals, as_of=AS_OF, by="owner", horizons_days=[60]).set_index(["owner", "metric"])[
        "estimate"
    ]
    assert ends[("a", "won")] == pytest.approx(23 / 41) and ends[("b", "won")] == pytest.approx(10 / 41)
    won = win_rates(deals, as_of=AS_OF, by="owner").query("metric == 'won'").set_index("owner")["estimate"]
    assert won.to_dict() == pytest.approx({"a": 23 / 41, "b": 10 / 41})


def test_open_deals_with_expected_dates_stay_in_their_stage_and_wait_for_their_follow_up():
    deals = decided().assign(quoted_on=lambda rows: rows["created_on"], followed_up_on=pd.NaT)
    open_ones = pd.DataFrame({"deal_id": ["X1", "X2"], "customer_id": ["c0", "c1"], "amount": [5.0, 7.0]})
    open_ones = open_ones.assign(
        stage="quoted", created_on=pd.Timestamp("2026-07-01"), is_won=None, followed_up_on=pd.NaT
    )
    open_ones["quoted_on"] = pd.Timestamp("2026-07-05")
    open_ones["closed_on"] = pd.to_datetime(["2026-08-01", "2026-12-24"])  # expected, one of them overdue
    both = pd.concat([deals, open_ones], ignore_index=True)
    ageing = stage_ageing(both, as_of=AS_OF)
    assert ageing[["stage", "n", "amount"]].to_numpy().tolist() == [["quoted", 2, 12.0]]
    assert set(overdue_quotes(both, as_of=AS_OF)["deal_id"]) == {"X1", "X2"}
    empty = both.assign(closed_on=both["closed_on"].where(both["is_won"].notna()))
    pd.testing.assert_frame_equal(follow_up(both, as_of=AS_OF), follow_up(empty, as_of=AS_OF))


def test_results_that_are_no_yes_or_no_and_text_dates_are_refused():
    with pytest.raises(InputError, match="is_won"):
        deal_facts(decided().assign(is_won=2), as_of=AS_OF)
    with pytest.raises(InputError, match="closed_on"):
        deal_facts(decided().assign(closed_on="2026-08-03"), as_of=AS_OF)
    with pytest.raises(ParameterError, match="mature_days"):
        win_rates(decided(), as_of=AS_OF, mature_days=-1)


@pytest.mark.parametrize("planned", ["2026-08-15", "2026-12-24"])
def test_a_planned_day_is_kept_apart_and_noticed_with_its_count(tmp_path, planned):
    (tmp_path / "dataset.yml").write_text(
        "{name: x, currency: JPY, timezone: Asia/Tokyo, extracted_at: 2026-10-01}"
    )
    (tmp_path / "customers.csv").write_text(
        "customer_id,first_seen_on,customer_type\n007,2026-01-01,business\n"
    )
    (tmp_path / "deals.csv").write_text(
        "deal_id,customer_id,created_on,closed_on,stage,is_won\n"
        f"1,007,2026-08-01,{planned},quoted,\n2,007,2026-08-01,2026-09-02,done,true\n"
    )
    data_set = open_data(tmp_path)
    deals = data_set.table("deals").set_index("deal_id")
    assert str(deals.loc["1", "expected_close_on"])[:10] == planned
    assert deals["closed_on"].isna().to_list() == [True, False]
    assert [(found.key, found.count) for found in data_set.notices] == [("tables.planned_close", 1)]
    assert deal_facts(deals, as_of=data_set.as_of)["is_open"].to_list() == [True, False]
    before = open_data(tmp_path, as_of="2026-08-31").table("deals").set_index("deal_id")
    assert before["stage"].isna().to_list() == [False, True]  # "done" was not known by then
    assert stage_ageing(before, as_of="2026-08-31")["stage"].to_list() == ["quoted", "unknown_stage"]


def test_order_of_the_rows_does_not_matter():
    deals = pd.concat([decided().assign(owner="a"), decided(10, 31).assign(owner="b")], ignore_index=True)
    deals["deal_id"] = [f"D{i}" for i in range(len(deals))]
    deals = deals.assign(quoted_on=deals["created_on"], followed_up_on=pd.NaT)
    mixed = deals.sample(frac=1, random_state=1)
    early = {"as_of": "2026-08-15"}
    for function in (stage_ageing, win_rates, outcomes_by_day, follow_up, overdue_quotes):
        for other in (mixed, mixed.reset_index(drop=True)):
            pd.testing.assert_frame_equal(function(deals, **early), function(other, **early))


def of_a_shop(**tables):
    people = pd.DataFrame({"customer_id": ["7"], "first_seen_on": "2026-01-01", "customer_type": "business"})
    told = {"name": "x", "currency": "JPY", "timezone": "Asia/Tokyo", "extracted_at": "2026-10-01"}
    return open_data({"customers": people, **tables}, **told)


def test_a_result_without_its_day_is_noticed_with_its_count():
    deals = pd.DataFrame({"deal_id": list("abc"), "customer_id": "7", "created_on": "2026-08-01"})
    deals = deals.assign(stage="done", is_won=["true", "false", None], closed_on=["2026-09-02", None, None])
    leads = deals[["customer_id", "created_on"]].assign(lead_id=list("xyz"), status="new")
    leads = leads.assign(deal_id=["a", "b", None], converted_on=["2026-08-01", None, None])
    shop = of_a_shop(deals=deals, leads=leads)
    assert len(shop.table("deals")) == len(shop.table("leads")) == 3
    assert [(found.key, found.rows) for found in shop.notices] == [
        ("tables.undated_end", (2,)),
        ("tables.undated_lead", (2,)),
    ]


def test_a_value_that_cannot_be_read_is_not_said_to_be_missing_besides():
    deals = pd.DataFrame({"deal_id": list("ab"), "customer_id": "7", "created_on": "2026-08-01"})
    shop = of_a_shop(deals=deals.assign(stage="done", is_won=["true", "ja"], closed_on="2026-09-02"))
    with pytest.raises(TableError, match="true or false"):
        shop.table("deals")
    assert [found.key for found in shop.problems] == ["tables.not_a_flag"]
