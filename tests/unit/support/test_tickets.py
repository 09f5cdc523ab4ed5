"""Tickets: reasons in one spelling, clocks, the same matter again, and what cannot be told."""

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import ParameterError
from cxlib.data.tables.data_set import open_data
from cxlib.report.badges import tone_of
from cxlib.support.contact_rates import changed_reasons, rates_by_group, reasons, top_reason
from cxlib.support.reply_clocks import reply_times
from cxlib.support.settled import bot_and_person, bot_shares, first_contacts, satisfaction, settled_at_once
from cxlib.support.tickets import common_words, one_spelling, read_tickets, ticket_notes

AS_OF = "2026-03-31"
START = pd.Timestamp("2026-03-01 09:00")


def tickets(n=40, **columns):
    opened = START + pd.to_timedelta(np.arange(n) // 2, unit="D")
    rows = pd.DataFrame({"customer_id": [f"C{k}" for k in range(n)], "opened_at": opened})
    rows = rows.assign(reason="delivery", resolved_at=opened + pd.Timedelta(hours=5))
    return rows.assign(first_replied_at=opened + pd.Timedelta(hours=1), **columns)


def notes(rows):
    return [row["note"] for row in ticket_notes(rows, read_tickets(rows, as_of=AS_OF))]


def test_reasons_in_two_spellings_are_one_and_said_to_be():
    rows = tickets(reason=["late parcel", "Ｌａｔｅ－Ｐａｒｃｅｌ ", "late_parcel", "late parcel"] * 10)
    assert read_tickets(rows, as_of=AS_OF)["reason"].unique().tolist() == ["late parcel"]
    assert notes(rows) == ["spellings"]
    assert one_spelling(pd.Series([None, None], dtype=object)).isna().all()


def test_never_closed_counts_for_as_long_as_it_was_open_and_closed_before_opened_is_left_out():
    rows = tickets(resolved_at=pd.NaT)
    read = read_tickets(rows, as_of=AS_OF)
    assert not read["is_resolved"].any()
    assert read["resolve_hours"].iloc[0] == pytest.approx(30 * 24 + 15)
    median = reply_times(read, clocks=["resolution"]).iloc[0]
    assert np.isnan(median["estimate"]) and median["n_open"] == 40
    backwards = tickets()
    backwards.loc[:3, "resolved_at"] = START - pd.Timedelta(days=2)
    read = read_tickets(backwards, as_of=AS_OF)
    assert read["resolve_hours"].isna().sum() == 4
    assert "backwards" in notes(backwards)
    assert reply_times(read, clocks=["resolution"]).iloc[0][["estimate", "n_tickets"]].tolist() == [5.0, 36]


def test_tickets_without_a_customer_count_in_clocks_and_not_in_what_came_back():
    rows = tickets()
    rows.loc[:9, "customer_id"] = None
    read = read_tickets(rows, as_of=AS_OF)
    assert len(first_contacts(read)) == 30
    assert reply_times(read).iloc[0]["n_tickets"] == 40
    assert "no_customer" in notes(rows)


def test_all_tickets_of_one_customer_are_said_to_be_and_have_no_interval():
    rows = tickets(customer_id="C1")
    assert notes(rows) == ["few_tickets"]
    row = settled_at_once(read_tickets(rows, as_of=AS_OF)).iloc[-1]
    assert row["n"] == 1
    others = pd.concat([rows, tickets(12)])
    assert "busy_customer" in notes(others)


def test_the_same_matter_is_not_a_new_one_and_another_matter_is():
    at = [START, START + pd.Timedelta(days=2), START + pd.Timedelta(days=3)]
    rows = pd.DataFrame({"customer_id": "a", "opened_at": at, "reason": ["use", "pay", None]})
    read = read_tickets(rows, as_of=AS_OF)
    assert read["next_days"].tolist() == [3.0, 1.0, np.inf]
    assert read["is_follow_up"].tolist() == [False, False, True]


def test_columns_that_are_not_there_are_unknown_and_not_wrong():
    rows = tickets()[["customer_id", "opened_at"]]
    read = read_tickets(rows, as_of=AS_OF)
    assert notes(rows) == ["no_reasons"]
    assert not read["is_replied"].any() and bot_shares(read).empty and bot_and_person(read).empty
    with pytest.raises(ParameterError, match="opened_at"):
        read_tickets(rows[["customer_id"]], as_of=AS_OF)


def test_closed_before_opened_in_a_data_set_is_a_notice(tmp_path):
    rows = tickets(4).assign(ticket_id=list("1234"))
    rows.loc[0, "resolved_at"] = START - pd.Timedelta(days=1)
    about = {"name": "Shop", "currency": "JPY", "timezone": "Asia/Tokyo", "extracted_at": "2026-04-01"}
    shop = open_data({"tickets": rows}, **about)
    shop.table("tickets")
    assert [problem.key for problem in shop.load("tickets")] == ["tables.too_early"]


def orders(n, start="2026-03-01"):
    day = pd.Timestamp(start)
    return pd.DataFrame({"customer_id": [f"C{k % 300}" for k in range(n)], "order_id": range(n),
                         "ordered_at": day, "amount": 100.0})  # fmt: skip


def test_twice_the_orders_and_twice_the_tickets_are_the_same_rate():
    both = pd.concat([orders(600), orders(300, "2025-12-15").assign(order_id=range(900, 1200))])
    asked = pd.concat([tickets(30), tickets(15, opened_at=pd.Timestamp("2025-12-15 09:00"))])
    rates = reasons(read_tickets(asked, as_of=AS_OF), both, as_of=AS_OF, days=60)
    assert rates["estimate"].tolist() == [5.0, 5.0] and rates["before"].tolist() == [5.0, 5.0]
    assert rates["verdict"].unique().tolist() == ["no_difference_shown"]
    assert changed_reasons(rates)["verdict"].tolist() == ["no_difference_shown"]
    assert top_reason(rates)[["claim", "days"]].to_numpy().tolist() == [["only", 60]]
    short = reasons(read_tickets(tickets(30), as_of=AS_OF), orders(600), as_of=AS_OF, days=600)
    assert top_reason(short)["days"].item() == 1 + (pd.Timestamp(AS_OF) - pd.Timestamp("2026-03-01")).days
    assert reasons(read_tickets(asked, as_of=AS_OF), both.head(0), as_of=AS_OF).empty


def test_a_reason_that_became_frequent_is_shown_to_have_risen():
    both = pd.concat([orders(600), orders(600, "2025-12-15").assign(order_id=range(900, 1500))])
    other = tickets(1, opened_at=pd.Timestamp("2025-12-10 09:00")).assign(reason="product")
    asked = read_tickets(pd.concat([tickets(60), other]), as_of=AS_OF)
    rates = reasons(asked, both, as_of=AS_OF, days=60)
    assert rates["verdict"].tolist() == ["worse", "worse"]
    assert rates["change"].tolist() == pytest.approx([10 - 1 / 6, 10.0])
    assert tone_of("worse") == "bad" and tone_of("better") == "good"


def test_what_the_window_before_hardly_holds_is_no_change():
    """Neither a period that begins with the window, nor tickets kept only of late, make reasons more."""
    both = pd.concat([orders(600), orders(30, "2026-01-30").assign(order_id=range(900, 930))])
    rates = reasons(read_tickets(tickets(60), as_of=AS_OF), both, as_of=AS_OF, days=60)
    assert rates["verdict"].isna().all() and rates["change"].isna().all()
    assert changed_reasons(rates)["note"].tolist() == ["not_told"]
    whole = pd.concat([orders(600), orders(600, "2025-12-03").assign(order_id=range(900, 1500))])
    rates = reasons(read_tickets(tickets(60), as_of=AS_OF), whole, as_of=AS_OF, days=60)
    assert rates["change"].isna().all()


def test_nobody_among_few_orders_is_no_rate_of_zero():
    """The exact limit of none of 40 orders, at the level of two changes, holds a rate of 5 per 100."""
    few = pd.concat([orders(600), orders(40, "2025-12-03").assign(order_id=range(900, 940))])
    other = tickets(1, opened_at=pd.Timestamp("2025-12-05 09:00")).assign(reason="product")
    asked = read_tickets(pd.concat([tickets(30), other]), as_of=AS_OF)
    row = reasons(asked, few, as_of=AS_OF, days=60).set_index("reason").loc["delivery"]
    assert row["change"] == 5.0 and row["verdict"] == "no_difference_shown"
    assert row["change"] - row["change_conf_low"] > -100 * np.log(0.0125) / 40


def test_young_tickets_are_left_out_and_counted():
    age = pd.to_timedelta(np.arange(40) % 10, unit="D")
    rows = tickets(opened_at=pd.Timestamp("2026-03-31 09:00") - age, resolved_at=pd.NaT)
    row = settled_at_once(read_tickets(rows, as_of=AS_OF), days=[7]).iloc[0]
    assert (row["n_tickets"], row["n_immature"]) == (12, 28)


def test_the_row_order_of_tickets_does_not_matter():
    rows = tickets(reason=["a", "b", None, "a"] * 10, customer_id=[f"C{k % 9}" for k in range(40)])
    rows = rows.assign(ticket_id=[f"T{k:02d}" for k in range(40)])
    read, shuffled = (read_tickets(one, as_of=AS_OF) for one in (rows, rows.sample(frac=1, random_state=1)))
    pd.testing.assert_frame_equal(read, shuffled)


def test_a_word_that_few_customers_have_is_not_repeated():
    rows = tickets(reason=["late"] * 36 + ["Ms. Tanaka called"] * 4)
    held = common_words(read_tickets(rows, as_of=AS_OF), min_cell=10)
    assert held["reason"].unique().tolist() == ["late", "other"]
    assert rates_by_group(held, orders(10), as_of=AS_OF, by=None).empty


def test_each_group_has_its_own_orders():
    bought = orders(600).assign(region=np.where(np.arange(600) % 300 < 100, "a", "b"))
    rows = tickets(60).assign(region="a", opened_at=START)
    found = rates_by_group(read_tickets(rows, as_of=AS_OF, by="region"), bought, as_of=AS_OF, by="region")
    assert found[["region", "estimate", "n_orders"]].to_numpy().tolist() == [
        ["a", 30.0, 200],
        ["b", 0.0, 400],
    ]
    assert 0 < found["conf_high"][1] < 1.5  # nobody asked: the exact limit of a count of 0


def test_rows_that_share_an_index_label_count_as_they_are():
    read = read_tickets(tickets(60, csat_score=4.0), as_of="2026-06-30")
    same = read.set_axis(np.zeros(len(read), dtype=int))
    for shares in (settled_at_once, bot_shares):
        pd.testing.assert_frame_equal(shares(same), shares(read))


@pytest.mark.parametrize("column", ["csat_score", "reopened_count"])
def test_words_for_a_score_or_a_count_are_refused(column):
    with pytest.raises(ParameterError, match=f"{column}.*40 of 40"):
        read_tickets(tickets(40, **{column: "good"}), as_of="2026-06-30")


def test_satisfaction_off_its_scale_is_refused():
    read = read_tickets(tickets(40, csat_score=9.0), as_of="2026-06-30")
    with pytest.raises(ParameterError, match="from 1 to 5"):
        satisfaction(read)
