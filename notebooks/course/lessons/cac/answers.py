"""Answers on the acquisition cost."""

import cxlib as cx


def _new(shop):
    days = cx.value.purchase_days(shop["orders"], as_of=shop.as_of, outcome="margin")
    return cx.value.new_customers(days, shop["customers"], shop["orders"])


def right_1(shop):
    days = cx.value.purchase_days(shop["orders"], as_of=shop.as_of)
    new = cx.value.new_customers(days, shop["customers"], shop["orders"])
    spent = shop["spend"].query("acquisition_channel == 'search_ad'")["amount"].sum()
    return spent / new["acquisition_channel"].eq("search_ad").sum()


def wrong_1_media_only(shop):
    media = shop["spend"].query("acquisition_channel == 'search_ad' and cost_line == 'media'")
    return media["amount"].sum() / _new(shop)["acquisition_channel"].eq("search_ad").sum()


def wrong_1_all_listed(shop):
    spent = shop["spend"].query("acquisition_channel == 'search_ad'")["amount"].sum()
    return spent / shop["customers"]["acquisition_channel"].eq("search_ad").sum()


def right_2(shop):
    days = cx.value.purchase_days(shop["orders"], as_of=shop.as_of)
    new = cx.value.new_customers(days, shop["customers"], shop["orders"])
    costs = cx.value.cac(shop["spend"], new, as_of=shop.as_of, unpaid=["organic"])
    return costs.set_index("acquisition_channel")["estimate"]["paid channels"]


def _costs(shop):
    costs = cx.value.cac(shop["spend"], _new(shop), as_of=shop.as_of, unpaid=["organic"], n_boot=100)
    return costs.set_index("acquisition_channel")["estimate"]


def wrong_2_mean_of_channels(shop):
    return _costs(shop)[["line", "referral", "search_ad", "sns", "store"]].mean()


def wrong_2_organic_too(shop):
    return _costs(shop)["all channels"]


def right_3(shop):
    days = cx.value.purchase_days(shop["orders"], as_of=shop.as_of, outcome="margin")
    new = cx.value.new_customers(days, shop["customers"], shop["orders"])
    told = cx.value.cac(shop["spend"], new, as_of=shop.as_of, days=days, unpaid=["organic"])
    ratio = told.query("metric == 'ltv_to_cac'").set_index("acquisition_channel")
    return ratio["estimate"]["paid channels"]


def _ratio(shop, outcome, horizon_months=12):
    days = cx.value.purchase_days(shop["orders"], as_of=shop.as_of, outcome=outcome)
    told = cx.value.cac(
        shop["spend"],
        _new(shop),
        as_of=shop.as_of,
        days=days,
        unpaid=["organic"],
        horizon_months=horizon_months,
        n_boot=100,
    )
    return told.query("metric == 'ltv_to_cac'").set_index("acquisition_channel")["estimate"]


def wrong_3_sales(shop):
    return _ratio(shop, "amount")["paid channels"]


def wrong_3_mean_of_ratios(shop):
    return _ratio(shop, "margin")[["line", "referral", "search_ad", "sns", "store"]].mean()


def wrong_3_other_way(shop):
    return 1 / right_3(shop)
