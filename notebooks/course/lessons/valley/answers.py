"""Answers on the valley."""

import cxlib as cx


def right_1(shop):
    order = list(shop.truth["journey"]["stage_mean_valence"])
    valleys = cx.find_valleys(shop["events"], stage_order=order)
    return valleys.set_index("stage")["depth"]["decide"]


def wrong_1_larger_side(shop):
    mean = shop["events"].groupby("stage")["valence"].mean()
    return max(mean["first_use"], mean["repeat"]) - mean["decide"]


def wrong_1_level(shop):
    return -shop["events"].groupby("stage")["valence"].mean()["decide"]


def wrong_1_from_the_peak(shop):
    mean = shop["events"].groupby("stage")["valence"].mean()
    return mean.max() - mean["decide"]


def _answers(shop):
    orders = shop["orders"].sort_values("ordered_at").drop_duplicates("customer_id")
    first = orders[["customer_id", "channel"]].rename(columns={"channel": "door"})
    return shop["events"].query("stage == 'decide'").merge(first, on="customer_id")


def right_2(shop):
    orders = shop["orders"].sort_values("ordered_at").drop_duplicates("customer_id")
    first = orders[["customer_id", "channel"]].rename(columns={"channel": "door"})
    contacts = shop["events"].query("stage == 'decide'").merge(first, on="customer_id")
    answers = contacts.dropna(subset="valence")
    negative = (answers["valence"] < 0).groupby(answers["door"]).mean()
    return negative["ec"] - negative["store"]


def wrong_2_of_contacts(shop):
    contacts = _answers(shop)
    negative = (contacts["valence"] < 0).groupby(contacts["door"]).mean()
    return negative["ec"] - negative["store"]


def wrong_2_ratio(shop):
    answers = _answers(shop).dropna(subset="valence")
    negative = (answers["valence"] < 0).groupby(answers["door"]).mean()
    return negative["ec"] / negative["store"]


def _after(shop):
    after = cx.f2_after_stage(shop["events"], shop["orders"], stage="decide", as_of=shop.as_of)
    return after.set_index(["metric", "group"])


def right_3(shop):
    after = cx.f2_after_stage(shop["events"], shop["orders"], stage="decide", as_of=shop.as_of)
    return after.set_index("metric")["estimate"]["purchases"]


def wrong_3_share(shop):
    return _after(shop)["estimate"]["difference", "negative"]


def wrong_3_times_everybody(shop):
    difference = _after(shop).loc[("difference", "negative")]
    return difference["estimate"] * difference["n"]
