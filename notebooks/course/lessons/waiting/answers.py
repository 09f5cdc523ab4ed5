"""Answers on waiting: open tickets in the clock, cases alike, and links that are no costs."""

import numpy as np

from cxlib import support


def _tickets(shop):
    return support.read_tickets(shop["tickets"], as_of=shop.as_of)


def right_1(shop):
    tickets = support.read_tickets(shop["tickets"], as_of=shop.as_of)
    times = support.reply_times(tickets, clocks=["resolution"])
    return times.set_index("metric")["estimate"]["median_hours"]


def wrong_1_closed_only(shop):
    tickets = _tickets(shop)
    return tickets.loc[tickets["is_resolved"], "resolve_hours"].median()


def wrong_1_mean(shop):
    return _tickets(shop)["resolve_hours"].mean()


def wrong_1_first_reply(shop):
    times = support.reply_times(_tickets(shop), clocks=["first_reply"])
    return times.set_index("metric")["estimate"]["median_hours"]


def right_2(shop):
    tickets = support.read_tickets(shop["tickets"], as_of=shop.as_of)
    return support.bot_and_person(tickets).set_index("metric")["estimate"]["csat_gap"]


def wrong_2_bare(shop):
    return support.bot_and_person(_tickets(shop)).set_index("metric")["naive_estimate"]["csat_gap"]


def wrong_2_settled(shop):
    return support.bot_and_person(_tickets(shop)).set_index("metric")["estimate"]["settled_gap"]


def right_3(shop):
    contacts = support.first_contacts(support.read_tickets(shop["tickets"], as_of=shop.as_of))
    return support.score_by_wait(contacts, scale=(1, 5)).set_index("aspect")["estimate"]["day_waited"]


def wrong_3_hour(shop):
    return right_3(shop) / 24


def wrong_3_line(shop):
    known = _tickets(shop).dropna(subset=["csat_score", "reply_hours"])
    return np.polyfit(known["reply_hours"] / 24, known["csat_score"], 1)[0]


def right_4(shop):
    contacts = support.first_contacts(support.read_tickets(shop["tickets"], as_of=shop.as_of))
    after = support.after_contacts(contacts, shop["orders"], as_of=shop.as_of, within_days=90)
    return support.bought_after(after, flag_col="is_unsettled")["estimate"].item()


def _after(shop):
    contacts = support.first_contacts(_tickets(shop))
    after = support.after_contacts(contacts, shop["orders"], as_of=shop.as_of, within_days=90)
    return support.bought_after(after, flag_col="is_unsettled").iloc[0]


def wrong_4_bare(shop):
    return _after(shop)["naive_estimate"]


def wrong_4_share(shop):
    return _after(shop)["with_mean"]


def wrong_4_relative(shop):
    return _after(shop)["estimate"] / _after(shop)["without_mean"]


def right_5(shop):
    numbers = shop["tickets"]["ticket_id"].str.removeprefix("T").astype(int)
    return 1 - len(numbers) / numbers.max()


def wrong_5_nothing(shop):
    return shop["tickets"]["resolved_at"].isna().mean()


def wrong_5_of_those_there(shop):
    numbers = shop["tickets"]["ticket_id"].str.removeprefix("T").astype(int)
    return (numbers.max() - len(numbers)) / len(numbers)


def wrong_5_count(shop):
    numbers = shop["tickets"]["ticket_id"].str.removeprefix("T").astype(int)
    return numbers.max() - len(numbers)
