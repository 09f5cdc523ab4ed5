"""Answers on deciles: who carries the sales, and whether they still do a year later."""

import pandas as pd

import cxlib as cx

LINE = ["order_id", "line"]


def _customers(shop):
    return cx.summarise_customers(shop["orders"], as_of=shop.as_of)


def right_1(shop):
    customers = cx.summarise_customers(shop["orders"], as_of=shop.as_of)
    return cx.decile_table(customers).set_index("decile")["amount_share"][1]


def wrong_1_two_deciles(shop):
    return cx.decile_table(_customers(shop))["amount_share"].head(2).sum()


def wrong_1_orders(shop):
    orders = cx.decile_table(_customers(shop))["orders"]
    return orders[0] / orders.sum()


def wrong_1_guests(shop):
    return cx.decile_table(_customers(shop))["amount"][0] / shop["orders"]["amount"].sum()


def right_2(shop):
    customers = cx.summarise_customers(shop["orders"], as_of=shop.as_of)
    money = customers["monetary_total"].clip(lower=0).sort_values(ascending=False)
    return int((money.cumsum() < money.sum() / 2).sum()) + 1


def wrong_2_smallest_first(shop):
    money = _customers(shop)["monetary_total"].clip(lower=0).sort_values()
    return int((money.cumsum() < money.sum() / 2).sum()) + 1


def wrong_2_half_of_them(shop):
    return len(_customers(shop)) // 2


def _next_year(shop):
    customers = cx.deciles(cx.summarise_customers(shop["orders"], as_of="2025-09-30"))
    return cx.next_period(customers, shop["orders"], start="2025-09-30", days=365)


def right_3(shop):
    customers = cx.deciles(cx.summarise_customers(shop["orders"], as_of="2025-09-30"))
    later = cx.next_period(customers, shop["orders"], start="2025-09-30", days=365)
    money = later.groupby("decile")["next_amount"].sum()
    return money[1] / money.sum()


def wrong_3_same_year(shop):
    money = _next_year(shop).groupby("decile")["monetary_total"].sum()
    return money[1] / money.sum()


def wrong_3_new_deciles(shop):
    money = cx.deciles(_next_year(shop)[["next_amount"]], value_col="next_amount")
    return money.loc[money["decile"] == 1, "next_amount"].sum() / money["next_amount"].sum()


def wrong_3_newcomers(shop):
    orders = shop["orders"].dropna(subset="customer_id")
    all_of_them = orders.loc[orders["ordered_at"].dt.date > pd.Timestamp("2025-09-30").date(), "amount"].sum()
    return _next_year(shop).query("decile == 1")["next_amount"].sum() / all_of_them


def right_4(shop):
    orders = shop["orders"]
    again = orders.duplicated(["order_id", "line"])
    return orders.loc[again, "amount"].sum()


def wrong_4_both(shop):
    orders = shop["orders"]
    return orders.loc[orders.duplicated(LINE, keep=False), "amount"].sum()


def wrong_4_orders_of_several_lines(shop):
    orders = shop["orders"]
    return orders.loc[orders.duplicated("order_id"), "amount"].sum()


def wrong_4_lines(shop):
    return int(shop["orders"].duplicated(LINE).sum())
