"""Answers on the clock of the second purchase."""

import cxlib as cx

CLOCK = {"duration_col": "duration_days", "event_col": "is_repeat"}


def right_1(shop):
    first = cx.repeat_times(shop["orders"], as_of=shop.as_of)
    curve = cx.survival_curve(first, duration_col="duration_days", event_col="is_repeat", times=[90])
    return 1 - curve["estimate"].item()


def wrong_1_naive(shop):
    first = cx.repeat_times(shop["orders"], as_of=shop.as_of)
    return (first["is_repeat"] & first["duration_days"].le(90)).mean()


def wrong_1_survivors(shop):
    return 1 - right_1(shop)


def wrong_1_ever(shop):
    return cx.repeat_times(shop["orders"], as_of=shop.as_of)["is_repeat"].mean()


def right_2(shop):
    first = cx.repeat_times(shop["orders"], as_of=shop.as_of)
    clock = {"duration_col": "duration_days", "event_col": "is_repeat"}
    curve = cx.survival_curve(first, **clock, times=range(1, 366))
    return int(curve.loc[curve["estimate"] <= 0.75, "time"].min())


def wrong_2_only_repeaters(shop):
    first = cx.repeat_times(shop["orders"], as_of=shop.as_of)
    return int(first.loc[first["is_repeat"], "duration_days"].quantile(0.25))


def wrong_2_all_of_them(shop):
    first = cx.repeat_times(shop["orders"], as_of=shop.as_of)
    days = first.loc[first["is_repeat"], "duration_days"].sort_values(ignore_index=True)
    return int(days[len(first) // 4])


def _by_channel(shop):
    orders = shop["orders"].sort_values("ordered_at")
    channel = orders.drop_duplicates("customer_id")[["customer_id", "channel"]]
    return cx.repeat_times(orders, as_of=shop.as_of).merge(channel, on="customer_id")


def _f2(shop):
    curve = cx.survival_curve(_by_channel(shop), **CLOCK, times=[180], by="channel")
    return 1 - curve.set_index("channel")["estimate"]


def right_3(shop):
    orders = shop["orders"].sort_values("ordered_at")
    channel = orders.drop_duplicates("customer_id")[["customer_id", "channel"]]
    first = cx.repeat_times(orders, as_of=shop.as_of).merge(channel, on="customer_id")
    clock = {"duration_col": "duration_days", "event_col": "is_repeat"}
    f2 = 1 - cx.survival_curve(first, **clock, times=[180], by="channel").set_index("channel")["estimate"]
    return f2["store"] - f2["ec"]


def wrong_3_online_less_store(shop):
    return -right_3(shop)


def wrong_3_naive(shop):
    first = _by_channel(shop)
    in_time = first["is_repeat"] & first["duration_days"].le(180)
    naive = in_time.groupby(first["channel"]).mean()
    return naive["store"] - naive["ec"]


def wrong_3_ratio(shop):
    f2 = _f2(shop)
    return f2["store"] / f2["ec"]
