"""Answers on the map of the journey."""

import pandas as pd

import cxlib as cx

BACK = ["decide", "repeat"]


def right_1(shop):
    contacts = shop["events"]
    reached = contacts.loc[contacts["touchpoint"].eq("line_message"), "customer_id"].nunique()
    return reached / contacts["customer_id"].nunique()


def wrong_1_contacts(shop):
    return shop["events"]["touchpoint"].eq("line_message").mean()


def wrong_1_of_the_stage(shop):
    contacts = shop["events"].query("stage == 'decide'")
    reached = contacts.loc[contacts["touchpoint"].eq("line_message"), "customer_id"].nunique()
    return reached / contacts["customer_id"].nunique()


def right_2(shop):
    reached = shop["events"].groupby("touchpoint")["customer_id"].nunique()
    return set(reached.nlargest(3).index)


def wrong_2_most_contacts(shop):
    return set(shop["events"]["touchpoint"].value_counts().nlargest(3).index)


def right_3(shop):
    pace = cx.stage_times(shop["events"], stage_order=["decide", "repeat"], as_of=shop.as_of)
    return pace["quartile_low"].item()


def _only_arrived(shop):
    first = shop["events"].pivot_table("occurred_at", "customer_id", "stage", aggfunc="min")
    days = (first["repeat"].dt.normalize() - first["decide"].dt.normalize()).dt.days
    return days[days >= 0]


def wrong_3_only_arrived(shop):
    return float(_only_arrived(shop).quantile(0.25))


def wrong_3_median_of_arrived(shop):
    return float(_only_arrived(shop).median())


def right_4(shop):
    orders, views = shop["orders"], shop["events"].query("page == 'done'")
    at_night = orders["ordered_at"].dt.hour.lt(6).groupby(orders["channel"]).mean()
    first = orders[orders["channel"].eq(at_night.idxmax())].groupby("customer_id")["ordered_at"].min()
    late = views.groupby("customer_id")["occurred_at"].min() - first
    return [at_night.idxmax(), round(late.median() / pd.Timedelta(hours=1))]


def wrong_4_other_way(shop):
    channel, hours = right_4(shop)
    return [channel, 24 - hours]


def wrong_4_other_channel(shop):
    return ["store", right_4(shop)[1]]
