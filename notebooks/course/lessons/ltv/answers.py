"""Answers on lifetime value."""

import cxlib as cx


def right_1(shop):
    values = cx.value.ltv(shop["orders"], as_of=shop.as_of, horizon_months=12)
    return values.set_index("method")["estimate"]["mature"]


def wrong_1_so_far(shop):
    orders = shop["orders"]
    return orders["margin"].sum() / orders["customer_id"].nunique()


def wrong_1_sales(shop):
    values = cx.value.ltv(shop["orders"], as_of=shop.as_of, outcome="amount")
    return values.set_index("method")["estimate"]["mature"]


def wrong_1_first_order(shop):
    days = cx.value.purchase_days(shop["orders"], as_of=shop.as_of, outcome="margin")
    return days.loc[days["day"].eq(days["first_day"]), "value"].mean()


def right_2(shop):
    worth = {}
    for months in (6, 18):
        values = cx.value.ltv(shop["orders"], as_of=shop.as_of, horizon_months=months)
        worth[months] = values.set_index("method")["estimate"]["mature"]
    return worth[18] / worth[6]


def wrong_2_in_proportion(shop):
    return 3.0


def wrong_2_difference(shop):
    half = cx.value.ltv(shop["orders"], as_of=shop.as_of, horizon_months=6)
    return half.set_index("method")["estimate"]["mature"] * (right_2(shop) - 1)


def right_3(shop):
    contracts = shop["contracts"]
    renewals = cx.value.contract_survivors(contracts, as_of=shop.as_of).query("period <= 11")
    running = (renewals["n"] / renewals["n_at_risk"]).cumprod()
    return contracts["monthly_amount"].mean() * (1 + running.sum())


def wrong_3_nobody_leaves(shop):
    return shop["contracts"]["monthly_amount"].mean() * 12


def wrong_3_first_rate_for_ever(shop):
    first = cx.value.contract_survivors(shop["contracts"], as_of=shop.as_of).iloc[0]
    kept = first["n"] / first["n_at_risk"]
    return shop["contracts"]["monthly_amount"].mean() * sum(kept**month for month in range(12))
