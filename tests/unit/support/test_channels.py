"""Channels side by side, the first use and what follows it, exchanges, and times told in their own size."""

import numpy as np
import pandas as pd
import pytest

from cxlib.journey.second_purchase.after_stage import f2_after_stage, f2_pace_after_stage
from cxlib.language import format_interval, format_value, shown_number
from cxlib.support.channels import channel_gaps, channel_shares, channels_told
from cxlib.support.claims import first_use, realised_pace, realised_told
from cxlib.support.parcels_sent import sent_back
from cxlib.support.settled import bot_and_person, first_contacts

DAY = pd.Timestamp("2026-01-05")


def tickets(n=1200, seed=3, chat=0.0):
    """Chat gets the hard reason three times in four, the telephone once; `chat` is what it adds itself."""
    rng = np.random.default_rng(seed)
    channel = np.where(np.arange(n) % 2 == 0, "chat", "phone")
    is_hard = rng.random(n) < np.where(channel == "chat", 0.75, 0.25)
    chance = np.where(is_hard, 0.4, 0.9) + chat * (channel == "chat")
    back = np.where(rng.random(n) < chance, np.inf, 3.0)
    rows = pd.DataFrame({"customer_id": np.arange(n), "channel": channel, "next_days": back})
    rows = rows.assign(reason=np.where(is_hard, "repair", "usage"), is_resolved=True, is_follow_up=False)
    return rows.assign(
        seen_days=40.0, reopened_count=0.0, csat_score=np.where(is_hard, 2.0, 4.0) + rng.integers(0, 2, n)
    )


def test_a_channel_with_the_hard_reasons_is_not_worse_for_it():
    gaps = channel_gaps(tickets())
    assert gaps["naive_estimate"].abs().min() > 0.15  # what the bare shares say
    assert set(gaps["verdict"]) <= {"no_difference_shown"}
    assert channels_told(gaps)["looked_at"].tolist() == ["every_channel.settled_apart"]


def test_a_channel_that_settles_fewer_on_the_same_reasons_is_named_for_both_sides():
    gaps = channel_gaps(tickets(chat=-0.2))
    settled = gaps[gaps["metric"] == "settled_apart"].set_index("channel")
    assert settled["claim"].to_dict() == {"chat": "lower", "phone": "higher"}
    assert settled.loc["chat", "conf_low"] < -0.2 < settled.loc["chat", "conf_high"]
    told = channels_told(gaps)
    assert told["looked_at"].is_unique and set(told["measure"]) == {"settled_apart"}


def test_channels_that_do_not_differ_are_named_seldom():
    named = sum((channel_gaps(tickets(300, seed=seed))["verdict"] == "differ").any() for seed in range(60))
    assert named <= 8  # 5 % of 60 is 3; more than 8 has a chance of .005


def test_a_channel_of_few_and_one_alone_are_not_compared():
    rows = tickets(40)
    rows.loc[rows.index[:36], "channel"] = "mail"
    assert channel_gaps(rows).empty and channels_told(channel_gaps(rows)).empty
    assert channel_gaps(rows.assign(channel=None)).empty
    shares = channel_shares(rows)
    assert shares.groupby("metric")["n_tickets"].sum().to_dict() == {"settled": 40, "ticket_csat": 40}
    assert channel_gaps(first_contacts(rows).head(0)).empty


def users(n, share_again, realised):
    ids = [f"{realised}{k}" for k in range(n)]
    first = pd.DataFrame({"customer_id": ids, "ordered_at": DAY, "amount": 9.0})
    again = first.head(int(n * share_again)).assign(ordered_at=DAY + pd.Timedelta(days=40))
    used = pd.DataFrame({"customer_id": ids, "stage": "first_use", "occurred_at": DAY + pd.Timedelta(days=4)})
    return pd.concat([first, again]), used.assign(valence=1.0 if realised else 0.0)


def test_who_did_not_feel_it_work_comes_back_less_and_says_so_with_both_shares():
    (lines, used), (others, unused) = users(300, 0.5, True), users(300, 0.3, False)
    events = first_use(pd.concat([used, unused]), scale=(-2, 2))
    assert events["realised"].sum() == 300
    asked = {"stage": "first_use", "score_col": "realised", "neutral": 1, "as_of": "2026-06-30"}
    orders = pd.concat([lines, others], ignore_index=True)
    after = f2_after_stage(events, orders.assign(order_id=np.arange(len(orders))), horizon_days=90, **asked)
    told = realised_told(after, days=90)
    assert told["claim"] == "lower" and told["conf_low"] < -0.2 < told["conf_high"]
    assert (told["missed_share"], told["realised_share"]) == pytest.approx((0.3, 0.5))
    assert realised_told(after, days=90, min_cell=301) == {
        "metric": "difference",
        "days": 90,
        "claim": "unknown",
        "verdict": "not_enough_data",
    }


def paced(seed, ratio, n=1200):
    """Buyers whose second order comes at a pace that a larger first order doubles, and not feeling it too."""
    rng = np.random.default_rng(seed)
    large, missed = rng.random(n) < 0.5, rng.random(n)
    missed = missed < np.where(large, 0.7, 0.3)  # who begins large is more often disappointed
    wait = rng.exponential(60 / (2.0**large * ratio**missed))
    ids = [f"c{k}" for k in range(n)]
    use = DAY + pd.to_timedelta(rng.integers(1, 9, n), unit="D")
    first = pd.DataFrame({"customer_id": ids, "ordered_at": DAY, "amount": np.where(large, 15.0, 7.0)})
    again = first.assign(ordered_at=use + pd.to_timedelta(np.ceil(wait), unit="D"))
    orders = pd.concat([first, again], ignore_index=True).assign(order_id=range(2 * n))
    used = pd.DataFrame({"customer_id": ids, "stage": "first_use", "occurred_at": use})
    return first_use(used.assign(valence=np.where(missed, 0.0, 1.0)), scale=(-2, 2)), orders


def test_the_pace_of_who_did_not_feel_it_is_told_with_the_first_order_alike():
    events, orders = paced(1, 0.6)
    asked = {"stage": "first_use", "score_col": "realised", "neutral": 1, "as_of": "2026-06-30"}
    paces = f2_pace_after_stage(events, orders, **asked)
    own = paces.set_index("feature")
    assert own.loc["is_negative", "conf_low"] < 0.6 < own.loc["is_negative", "conf_high"]
    assert own.loc["first_amount_log2", "conf_low"] < 2 < own.loc["first_amount_log2", "conf_high"]
    assert realised_pace(paces)[0]["claim"] == "lower"
    naive = f2_pace_after_stage(events, orders.drop(columns="amount"), **asked).set_index("feature")
    assert naive.loc["is_negative", "estimate"] > 0.7  # a larger first order hides it
    alike = [realised_pace(f2_pace_after_stage(*paced(seed, 1.0, n=400), **asked)) for seed in range(20)]
    assert sum(told[0]["claim"] != "none" for told in alike) <= 4
    assert realised_pace(paces, min_cell=2_000) == []
    few = events.head(30)
    assert f2_pace_after_stage(few, orders, **asked).empty
    assert f2_pace_after_stage(events[events["realised"] == 1], orders, **asked).empty


def test_exchanges_are_told_where_they_are_recorded_and_only_there():
    lines = pd.DataFrame({"customer_id": [f"c{k}" for k in range(40)], "ordered_at": DAY, "amount": 9.0})
    lines = lines.assign(order_id=lines["customer_id"], delivered_on=DAY + pd.Timedelta(days=3))
    assert sent_back(lines, as_of="2026-06-30")["metric"].tolist() == ["refunded"]
    on = pd.Series(pd.NaT, index=lines.index, dtype="datetime64[us]")
    on.iloc[:10] = DAY + pd.Timedelta(days=13)
    rows = sent_back(lines.assign(exchanged_on=on), as_of="2026-06-30").set_index("metric")["estimate"]
    assert rows.to_dict() == {"refunded": 0.0, "exchanged": 0.25, "exchange_days": 10.0}


def test_times_are_told_in_minutes_hours_or_days_by_their_size():
    shown = [
        format_value(hours, "hours") for hours in (0.005, 1 / 60, 0.17, 0.999, 0.9999, 1, 30.26, 96, 120)
    ]
    assert shown[:5] == ["0.3 minutes", "1 minute", "10 minutes", "1 hour", "1 hour"]
    assert shown[5:] == ["1 hour", "30.3 hours", "4 days", "5 days"]
    assert format_value(0.5, "hours", "ja") == "30分"
    assert format_interval(2, 120, "hours") == "2 hours to 5 days"
    assert shown_number(0.17, "hours") == pytest.approx(10 / 60)
    assert shown_number(0.99, "hours") < shown_number(1.04, "hours") < shown_number(97, "hours")


@pytest.mark.parametrize("n_bot", [9, 12])
def test_a_side_of_too_few_customers_is_not_compared_and_no_difference_passes_100_percent(n_bot):
    people = 40
    rows = pd.DataFrame(
        {"customer_id": range(people), "channel": "chat", "reason": "usage", "seen_days": 40.0}
    )
    rows["handled_by"] = ["bot"] * n_bot + ["person"] * (people - n_bot)
    came_back = [True] * (n_bot - 1) + [False] * (people - n_bot + 1)
    rows = rows.assign(
        is_resolved=True, is_follow_up=False, csat_score=None, seen_days=40.0, reopened_count=0.0
    )
    rows["next_days"] = [3.0 if back else float("inf") for back in came_back]
    (row,) = bot_and_person(rows).to_dict("records")
    assert row["claim"] == ("few" if n_bot < 10 else "lower")
    assert np.isnan(row["conf_low"]) if n_bot < 10 else row["conf_low"] >= -1
