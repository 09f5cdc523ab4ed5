"""Answers on RFM: cut points, and scores judged by what customers did afterwards."""

import pandas as pd

import cxlib as cx

DAY = "2026-07-02"
OTHER = {
    "recency_days": [30, 90, 180, 365],
    "frequency": [1, 3, 6, 11],
    "monetary_total": [5_000, 15_000, 40_000, 100_000],
}


def _scored(shop):
    return cx.rfm(cx.summarise_customers(shop["orders"], as_of=shop.as_of))


def right_1(shop):
    scored = cx.rfm(cx.summarise_customers(shop["orders"], as_of=shop.as_of))
    scored = scored.dropna(subset="f_score")
    return scored["f_score"].eq(1).mean()


def wrong_1_a_fifth(shop):
    return 0.2


def wrong_1_orders(shop):
    orders = shop["orders"].dropna(subset="customer_id")
    per_customer = orders.groupby("customer_id")["order_id"].size()
    return per_customer.eq(1).mean()


def _since(shop):
    scored = cx.rfm(cx.summarise_customers(shop["orders"], as_of=DAY))
    return cx.next_period(scored, shop["orders"], start=DAY, days=90)


def right_2(shop):
    scored = cx.rfm(cx.summarise_customers(shop["orders"], as_of="2026-07-02"))
    later = cx.next_period(scored, shop["orders"], start="2026-07-02", days=90)
    rate = later["next_orders"].gt(0).groupby(later["r_score"]).mean()
    return rate[5] - rate[1]


def wrong_2_same_days(shop):
    scored = cx.next_period(_scored(shop), shop["orders"], start=DAY, days=90)
    rate = scored["next_orders"].gt(0).groupby(scored["r_score"]).mean()
    return rate[5] - rate[1]


def wrong_2_ratio(shop):
    later = _since(shop)
    rate = later["next_orders"].gt(0).groupby(later["r_score"]).mean()
    return rate[5] / rate[1]


def wrong_2_orders_each(shop):
    later = _since(shop)
    each = later["next_orders"].groupby(later["r_score"]).mean()
    return each[5] - each[1]


def right_3(shop):
    scored = cx.rfm(cx.summarise_customers(shop["orders"], as_of="2026-07-02"))
    later = cx.next_period(scored, shop["orders"], start="2026-07-02", days=90)
    return cx.backtest_gap(later)["scheme"].iloc[0]


def wrong_3_money(shop):
    return "m_score"


def right_4(shop):
    customers = cx.summarise_customers(shop["orders"], as_of=shop.as_of)
    rules = cx.load_rules("rfm_segments")
    own = cx.assign_segments(cx.rfm(customers), rules=rules)
    other_cuts = {"recency_days": [30, 90, 180, 365], "frequency": [1, 3, 6, 11]}
    other_cuts["monetary_total"] = [5_000, 15_000, 40_000, 100_000]
    other = cx.assign_segments(cx.rfm(customers, cuts=other_cuts), rules=rules)
    return int((own["segment"] != other["segment"]).sum())


def wrong_4_scores(shop):
    own, scores = _scored(shop), ["r_score", "f_score", "m_score"]
    other = cx.rfm(own.drop(columns=scores), cuts=OTHER)
    return int((own[scores].fillna(0) != other[scores].fillna(0)).any(axis=1).sum())


def wrong_4_sizes(shop):
    rules, own = cx.load_rules("rfm_segments"), _scored(shop)
    other = cx.rfm(own.drop(columns=["r_score", "f_score", "m_score"]), cuts=OTHER)
    sizes = [cx.assign_segments(each, rules=rules)["segment"].value_counts() for each in (own, other)]
    return int(pd.concat(sizes, axis=1).fillna(0).diff(axis=1).iloc[:, 1].abs().sum() // 2)
