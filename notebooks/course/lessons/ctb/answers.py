"""Answers on category, taste and brand: what a customer prefers, and from how many orders one may say so."""

import cxlib as cx


def _category(shop):
    return cx.wallets(shop["orders"], as_of=shop.as_of, dimensions=["category"])


def right_1(shop):
    wallet = cx.wallets(shop["orders"], as_of=shop.as_of, dimensions=["category"])
    own = cx.ctb(wallet, min_purchases=3)
    return own["is_enough"].mean()


def wrong_1_everybody(shop):
    return cx.ctb(_category(shop))["dominant"].notna().mean()


def wrong_1_lines(shop):
    lines = shop["orders"].dropna(subset="customer_id")["customer_id"].value_counts()
    return lines.ge(3).mean()


def _by_type(shop):
    kinds = shop["customers"].set_index("customer_id")["customer_type"]
    return cx.ctb_table(_category(shop), groups=kinds).query("group == 'business' and value == 'mask'")


def right_2(shop):
    kinds = shop["customers"].set_index("customer_id")["customer_type"]
    wallet = cx.wallets(shop["orders"], as_of=shop.as_of, dimensions=["category"])
    table = cx.ctb_table(wallet, groups=kinds)
    return table.query("group == 'business' and value == 'mask'")["lift"].item()


def wrong_2_share(shop):
    return _by_type(shop)["estimate"].item()


def wrong_2_against_consumers(shop):
    kinds = shop["customers"].set_index("customer_id")["customer_type"]
    table = cx.ctb_table(_category(shop), groups=kinds).query("value == 'mask'").set_index("group")
    return table["estimate"]["business"] / table["estimate"]["consumer"]


def wrong_2_customers(shop):
    wallet = _category(shop).merge(shop["customers"][["customer_id", "customer_type"]])
    own = (
        wallet.assign(mask=wallet["value"].eq("mask")).groupby(["customer_id", "customer_type"])["mask"].any()
    )
    return own.xs("business", level=1).mean() / own.mean()


def right_3(shop):
    wallet = cx.wallets(shop["orders"], as_of=shop.as_of, dimensions=["category"])
    return cx.ctb(wallet)["concentration"].mean()


def _squares(shop, least):
    wallet = _category(shop).query("orders >= @least and amount > 0")
    share = wallet["amount"] / wallet.groupby("customer_id")["amount"].transform("sum")
    return (share**2).groupby(wallet["customer_id"]).sum().mean()


def wrong_3_squares(shop):
    return _squares(shop, 2)


def wrong_3_one_order(shop):
    return _squares(shop, 1)


def wrong_3_main_share(shop):
    return cx.ctb(_category(shop))["share"].mean()
