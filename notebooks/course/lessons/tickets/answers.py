"""Answers on tickets: by how many orders to divide, and what is too young to tell."""

import numpy as np
import pandas as pd

from cxlib import support


def _rates(shop):
    tickets = support.read_tickets(shop["tickets"], as_of=shop.as_of)
    return support.reasons(tickets, shop["orders"], as_of=shop.as_of, days=180).set_index("reason")


def right_1(shop):
    tickets = support.read_tickets(shop["tickets"], as_of=shop.as_of)
    rates = support.reasons(tickets, shop["orders"], as_of=shop.as_of, days=180).set_index("reason")
    return rates["estimate"]["delivery"]


def wrong_1_count(shop):
    return _rates(shop)["n_tickets"]["delivery"]


def wrong_1_of_tickets(shop):
    return _rates(shop)["share"]["delivery"]


def wrong_1_all_orders(shop):
    return 100 * _rates(shop)["n_tickets"]["delivery"] / shop["orders"]["order_id"].nunique()


def right_2(shop):
    tickets = support.read_tickets(shop["tickets"], as_of=shop.as_of)
    rates = support.reasons(tickets, shop["orders"], as_of=shop.as_of, days=180).set_index("reason")
    return rates["change"]["every_reason"]


def wrong_2_counts(shop):
    tickets = support.read_tickets(shop["tickets"], as_of=shop.as_of)
    return (
        tickets["seen_days"].le(180).sum() - tickets["seen_days"].between(180, 360, inclusive="right").sum()
    )


def wrong_2_times(shop):
    every = _rates(shop).loc["every_reason"]
    return every["estimate"] / every["before"]


def _young(shop):
    rng = np.random.default_rng(shop.seed)
    age = rng.uniform(0, 14, 3000)
    back = np.where(rng.random(3000) < 0.3, rng.uniform(1, 6, 3000), np.inf)
    seen = pd.DataFrame({"seen_days": age, "next_days": np.where(back <= age, back, np.inf)})
    seen = seen.assign(customer_id=range(3000), is_follow_up=False)
    return seen.assign(is_resolved=True, reopened_count=0.0)


def right_3(shop):
    rng = np.random.default_rng(shop.seed)
    age = rng.uniform(0, 14, 3000)
    back = np.where(rng.random(3000) < 0.3, rng.uniform(1, 6, 3000), np.inf)
    seen = pd.DataFrame({"seen_days": age, "next_days": np.where(back <= age, back, np.inf)})
    return seen.loc[seen["seen_days"] >= 7, "next_days"].le(7).mean()


def wrong_3_all_of_them(shop):
    return _young(shop)["next_days"].le(7).mean()


def wrong_3_settled(shop):
    return 1 - right_3(shop)


def wrong_3_only_young(shop):
    seen = _young(shop)
    return seen.loc[seen["seen_days"] < 7, "next_days"].le(7).mean()


def right_4(shop):
    tickets = support.read_tickets(shop["tickets"], as_of=shop.as_of)
    return support.settled_at_once(tickets).set_index("metric")["estimate"]["settled"]


def wrong_4_closed(shop):
    return shop["tickets"]["resolved_at"].notna().mean()


def wrong_4_not_reopened(shop):
    tickets = support.read_tickets(shop["tickets"], as_of=shop.as_of)
    return 1 - support.settled_at_once(tickets).set_index("metric")["estimate"]["reopened"]


def wrong_4_of_tickets(shop):
    tickets = support.read_tickets(shop["tickets"], as_of=shop.as_of)
    return (tickets["next_days"].gt(7) & tickets["reopened_count"].eq(0)).mean()
