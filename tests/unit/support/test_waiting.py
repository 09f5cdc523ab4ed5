"""Waiting and feeling, parcels, what tickets go with, low scores, and who asks next."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import ParameterError
from cxlib.support.after_tickets import after_contacts, after_orders, bought_after, year_after
from cxlib.support.claims import late_asked_more, start_with
from cxlib.support.held_out import asked_by_arm
from cxlib.support.next_to_ask import asking_rows, days_to_score, forecast_asking
from cxlib.support.parcels_sent import feeling_by_lateness, late_parcels, parcels, sent_back
from cxlib.support.settled import bot_and_person
from cxlib.support.touchpoint_satisfaction import (
    by_touchpoint,
    low_scores,
    recovery,
    scores_given,
    worst_touchpoint,
)
from cxlib.support.waiting import csat_by_wait, score_by_wait

AS_OF = "2026-03-31"
SCALE = (1, 5)


def rated(n=900, seed=2):
    """Answers rounded from a feeling that falls two points a day, with open ends of the scale."""
    rng = np.random.default_rng(seed)
    wait, settled = rng.exponential(9, n), (rng.random(n) < 0.7).astype(float)
    felt = 3.9 - 2 * wait / 24 - 0.6 * (1 - settled) + rng.normal(0, 1, n)
    rows = pd.DataFrame({"customer_id": np.arange(n), "reply_hours": wait, "settled": settled})
    return rows.assign(handled_by="person", csat_score=np.rint(felt).clip(1, 5))


def test_a_day_waited_costs_what_was_planted_although_the_scale_ends():
    found = score_by_wait(rated(), scale=SCALE).set_index("aspect")
    assert found.index.tolist() == ["day_waited", "not_settled"]  # nobody but persons answered
    for aspect, planted in (("day_waited", -2.0), ("not_settled", -0.6)):
        assert found.loc[aspect, "conf_low"] < planted < found.loc[aspect, "conf_high"]
    rows = rated()
    design = np.column_stack([np.ones(len(rows)), rows["reply_hours"] / 24, 1 - rows["settled"]])
    plain = np.linalg.lstsq(design, rows["csat_score"], rcond=None)[0][1]
    assert plain > found.loc["day_waited", "conf_high"]  # taken as numbers, the wait looks cheaper


def test_scores_off_the_scale_are_refused_and_few_say_nothing():
    with pytest.raises(ParameterError, match="1 to 4"):
        score_by_wait(rated(), scale=(1, 4))
    assert score_by_wait(rated(50), scale=SCALE).empty
    assert csat_by_wait(rated(), scale=SCALE)["n"].sum() == 900


def order_lines(n=200):
    day = pd.Timestamp("2026-01-05") + pd.to_timedelta(np.arange(n) % 20, unit="D")
    rows = pd.DataFrame({"customer_id": [f"C{k}" for k in range(n)], "order_id": [f"O{k}" for k in range(n)]})
    rows = rows.assign(
        ordered_at=day + pd.Timedelta(hours=9), amount=50.0, promised_on=day + pd.Timedelta(days=3)
    )
    late = pd.to_timedelta(np.where(np.arange(n) % 4 == 0, 5, 0), unit="D")
    return rows.assign(delivered_on=rows["promised_on"] + late)


def test_late_parcels_and_who_asks_where_they_are():
    lines = order_lines()
    sent = parcels(lines, as_of=AS_OF)
    asked = lines.iloc[::4][["customer_id"]].assign(opened_at=lines["ordered_at"] + pd.Timedelta(days=4))
    found = late_parcels(sent, asked.assign(reason="delivery"))
    assert found["estimate"].tolist() == [0.25, 0.25, 0.0, 1.0]
    assert late_asked_more(found)["claim"].tolist() == ["higher"]
    assert parcels(lines.drop(columns="promised_on"), as_of=AS_OF).empty
    under_way = lines.assign(delivered_on=pd.NaT)
    assert (parcels(under_way, as_of=AS_OF)["late_days"] > 0).all()


def test_refunds_of_the_last_thirty_days_are_not_waited_for():
    lines = order_lines(40).assign(refunded_on=pd.NaT)
    back = lines.head(4).assign(
        amount=-50.0, refunded_on=lines["delivered_on"].head(4) + pd.Timedelta(days=9)
    )
    found = sent_back(pd.concat([lines, back]), as_of=AS_OF).set_index("metric")
    assert found.loc["refunded", "estimate"] == 0.1
    assert found.loc["refund_days", "estimate"] == 9
    back = back.assign(refunded_on=back["refunded_on"].dt.tz_localize("Asia/Tokyo"))
    assert sent_back(back.assign(amount=-1.0), as_of=AS_OF).loc[1, "estimate"] == 9  # days with a zone too
    assert len(sent_back(back.assign(refunded_on="some day"), as_of=AS_OF)) == 1


def test_without_orders_nothing_is_said_to_follow():
    contacts = rated(60).assign(opened_at=pd.Timestamp("2025-06-01"), csat_score=np.nan)
    none = order_lines(0)
    assert (
        bought_after(after_contacts(contacts, none, as_of=AS_OF), flag_col="is_unsettled")["claim"][0]
        == "unknown"
    )
    asked = pd.DataFrame({"customer_id": ["x"], "opened_at": [pd.Timestamp("2026-01-02")]})
    assert bought_after(after_orders(asked, none, as_of=AS_OF), flag_col="has_asked")["n"][0] == 0
    assert len(year_after(contacts, none, as_of=AS_OF)) == 2


def test_cases_only_one_of_them_answers_are_not_compared():
    rows = pd.DataFrame(
        {"customer_id": range(200), "channel": ["chat"] * 100 + ["phone"] * 100, "reason": "a"}
    )
    rows["handled_by"] = np.where((rows["channel"] == "chat") & (rows.index % 2 == 0), "bot", "person")
    rows = rows.assign(seen_days=40.0, is_follow_up=False, is_resolved=True, next_days=np.inf, csat_score=3.0)
    rows["reopened_count"] = np.where(rows["channel"] == "chat", rows.index % 4 < 2, 0).astype(float)
    gap = bot_and_person(rows).set_index("metric").loc["settled_gap"]
    assert gap["estimate"] == pytest.approx(0.0) and gap["compared_share"] == 0.5
    assert gap["naive_estimate"] == pytest.approx(-1 / 3)


def test_low_scores_come_by_what_is_at_stake_and_a_later_good_one_takes_a_customer_off():
    day = pd.Timestamp("2026-02-01")
    answers = pd.DataFrame(
        {"customer_id": list("abbc"), "csat_score": [1, 2, 5, 2], "touchpoint": "checkout"}
    )
    answers["answered_at"] = day + pd.to_timedelta([0, 0, 9, 0], unit="D")
    tickets = pd.DataFrame({"customer_id": ["d"], "opened_at": [day], "csat_score": [2.0]})
    given = scores_given(answers, tickets, as_of=AS_OF, scale=SCALE)
    orders = pd.DataFrame({"customer_id": ["c", "d"], "ordered_at": day, "amount": [10.0, 90.0]})
    listed = low_scores(given, orders, as_of=AS_OF)
    assert listed["customer_id"].tolist() == ["d", "c", "a"]
    row = recovery(given).iloc[0]
    assert (row["estimate"], row["low_customers"], row["heard_share"]) == (1.0, 4, 0.25)


def test_touchpoints_stand_with_the_least_satisfied_first():
    csat = pd.DataFrame(
        {"touchpoint": ["a", "b", None], "metric": "csat", "estimate": [0.8, 0.4, 0.1], "n": 9}
    )
    csat = csat.assign(conf_low=0.1, conf_high=0.9, customers=8, best_boxes=1)
    ces = pd.DataFrame({"touchpoint": ["a", "b"], "high_effort": 0.2})
    ces = ces.assign(high_effort_conf_low=0.1, high_effort_conf_high=0.3)
    losses = pd.DataFrame({"touchpoint": ["b"], "estimate": [0.05]})
    table = by_touchpoint(csat, ces, losses)
    assert table["touchpoint"].tolist() == ["b", "a"] and table["loss"].tolist()[0] == 0.05
    assert worst_touchpoint(table)["best"].tolist() == ["one_box"]


def test_who_asks_is_told_on_days_that_were_over_only():
    rng = np.random.default_rng(4)
    n = 3000
    day = pd.Timestamp("2025-06-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D")
    orders = pd.DataFrame({"customer_id": rng.integers(0, 1200, n).astype(str), "order_id": range(n)})
    orders = orders.assign(ordered_at=day, amount=10.0, category="x")
    asks = orders[rng.random(n) < 0.3]
    tickets = asks[["customer_id"]].assign(opened_at=asks["ordered_at"] + pd.Timedelta(days=5, hours=8))
    days = days_to_score(AS_OF, first_day="2025-06-01")
    rows = asking_rows(tickets, orders, days=days, as_of=AS_OF)
    assert rows.loc[rows["cut_on"] == pd.Timestamp(AS_OF), "outcome"].isna().all()
    found = forecast_asking(rows)
    assert found.told[0]["claim"] in ("score", "simple")
    assert found.latest["probability"].is_monotonic_decreasing
    assert found.latest["bought_7"].head(20).mean() > rows["bought_7"].mean()
    assert forecast_asking(rows.head(0)).told == [{"note": "untested"}]
    assert days_to_score(AS_OF, first_day=pd.NaT) == []


def test_a_held_out_group_says_whether_fewer_asked():
    study = pd.DataFrame({"initiative_id": ["I"], "name": ["FAQ"], "assignment": "randomised"})
    study["started_on"] = pd.Timestamp("2026-01-01")
    arms = pd.DataFrame({"initiative_id": "I", "customer_id": [f"C{k}" for k in range(400)]})
    arms["arm"] = np.where(arms.index < 200, "treatment", "control")
    asked = pd.DataFrame({"customer_id": [f"C{k}" for k in range(180, 300)]})
    asked["opened_at"] = pd.Timestamp("2026-02-01")
    row = asked_by_arm(asked, study, arms, as_of=AS_OF).iloc[0]
    assert (row["claim"], row["with_mean"], row["without_mean"]) == ("lower", 0.1, 0.5)
    assert row["since"] == dt.date(2026, 1, 1)
    later = asked_by_arm(asked, study, arms, as_of=AS_OF, period_start=dt.date(2026, 2, 2)).iloc[0]
    assert (later["since"], later["with_mean"]) == (dt.date(2026, 2, 2), 0.0)
    assert asked_by_arm(asked, study.assign(assignment="targeted"), arms, as_of=AS_OF).empty


def test_the_rule_is_evaluated_in_its_order():
    nothing = pd.DataFrame({"metric": [], "claim": [], "aspect": [], "reason": []})
    unknown = pd.DataFrame({"claim": ["unknown"]})
    given = {"unsettled": unknown, "bots": nothing, "waits": nothing, "top": nothing}
    assert start_with(**given)["claim"] == "unknown"
    top = pd.DataFrame({"claim": ["first"], "reason": ["late"]})
    assert start_with(**given | {"top": top})["reason"] == "late"
    waits = pd.DataFrame({"aspect": ["day_waited"], "claim": ["lower"]})
    assert start_with(**given | {"top": top, "waits": waits})["claim"] == "wait"
    assert start_with(**given | {"unsettled": pd.DataFrame({"claim": ["lower"]})})["claim"] == "settle"
    assert start_with(**given | {"unsettled": pd.DataFrame({"claim": ["none"]})})["claim"] == "none"


def test_contacts_and_scores_that_share_an_index_label_count_as_they_are():
    sent = parcels(order_lines(), as_of="2026-06-30")
    felt = pd.DataFrame({"customer_id": sent["customer_id"], "occurred_at": sent["ordered_on"]})
    felt = felt.assign(touchpoint="delivery", valence=1.0)
    given = pd.DataFrame({"customer_id": ["a", "a", "b"], "is_low": [True, False, True]})
    for compute, frame in ((lambda rows: feeling_by_lateness(sent, rows), felt), (recovery, given)):
        same = frame.set_axis(np.zeros(len(frame), dtype=int))
        pd.testing.assert_frame_equal(compute(same), compute(frame.reset_index(drop=True)))


def test_days_may_be_pythons_own_and_orders_may_hold_none():
    lines = order_lines().assign(refunded_on=pd.Timestamp("2026-05-01"), amount=-1.0)
    own = lines.assign(**{c: lines[c].dt.date for c in ("promised_on", "delivered_on", "refunded_on")})
    asked = {"as_of": "2026-06-30"}
    pd.testing.assert_frame_equal(sent_back(own, **asked), sent_back(lines, **asked))
    own, lines = own.assign(amount=1.0), lines.assign(amount=1.0)
    pd.testing.assert_frame_equal(parcels(own, **asked), parcels(lines, **asked), check_dtype=False)
    assert parcels(lines.assign(promised_on=np.nan), **asked).empty
    assert parcels(lines.head(0).astype(object), **asked).empty


def test_missing_ids_meet_nobody_and_numbers_are_no_text():
    sent = parcels(order_lines(), as_of="2026-06-30")
    asked = pd.DataFrame({"customer_id": [7], "opened_at": sent["ordered_on"].iloc[:1], "reason": "delivery"})
    with pytest.raises(ParameterError, match="customer_id"):
        late_parcels(sent, asked)
    nameless = sent.assign(customer_id=None)
    felt = pd.DataFrame({"customer_id": [None], "occurred_at": sent["ordered_on"].iloc[:1]})
    assert feeling_by_lateness(nameless, felt.assign(touchpoint="delivery", valence=1.0)).empty
