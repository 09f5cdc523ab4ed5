"""Answers on turning an effect into money."""

import cxlib as cx


def _found(shop, **terms):
    about = cx.choose_initiative(shop["initiatives"], "I1")
    tables = {name: shop[name] for name in ("orders", "customers", "enrolments")}
    terms = cx.Terms(horizon_months=12, currency="JPY", **terms)
    return cx.evaluate_initiative(about, **tables, selected=shop["customers"], as_of=shop.as_of, terms=terms)


def _figures(shop, **terms):
    return _found(shop, **terms).money.set_index("metric")["estimate"]


def right_1(shop):
    about = cx.choose_initiative(shop["initiatives"], "I1")
    tables = {name: shop[name] for name in ("orders", "customers", "enrolments")}
    terms = cx.Terms(horizon_months=12, currency="JPY")
    who = {"selected": shop["customers"], "as_of": shop.as_of}
    found = cx.evaluate_initiative(about, **tables, **who, terms=terms)
    return found.money.set_index("metric")["estimate"]["roi"]


def wrong_1_cost_kept(shop):
    return right_1(shop) + 1


def wrong_1_one_time_cost(shop):
    about = shop["initiatives"].set_index("initiative_id").loc["I1"]
    return _figures(shop)["benefit"] / about["one_time_cost"] - 1


def wrong_1_net(shop):
    return _figures(shop)["net"]


def right_2(shop):
    about = shop["initiatives"].set_index("initiative_id").loc["I1"]
    cost = about["one_time_cost"] + 12 * about["monthly_cost"]
    enrolled = shop["enrolments"].query("initiative_id == 'I1' and arm == 'treatment'")
    return cost / (len(enrolled) * 12)


def wrong_2_year(shop):
    return 12 * right_2(shop)


def wrong_2_both_arms(shop):
    about = shop["initiatives"].set_index("initiative_id").loc["I1"]
    cost = about["one_time_cost"] + 12 * about["monthly_cost"]
    return cost / (len(shop["enrolments"].query("initiative_id == 'I1'")) * 12)


def wrong_2_one_time_cost(shop):
    about = shop["initiatives"].set_index("initiative_id").loc["I1"]
    enrolled = shop["enrolments"].query("initiative_id == 'I1' and arm == 'treatment'")
    return about["one_time_cost"] / (len(enrolled) * 12)


def right_3(shop):
    about = cx.choose_initiative(shop["initiatives"], "I1")
    tables = {name: shop[name] for name in ("orders", "customers", "enrolments")}
    terms = cx.Terms(horizon_months=12, currency="JPY", cannibalised_share=0.3)
    who = {"selected": shop["customers"], "as_of": shop.as_of}
    found = cx.evaluate_initiative(about, **tables, **who, terms=terms)
    return found.money.set_index("metric")["estimate"]["roi"]


def wrong_3_roi_times(shop):
    return 0.7 * right_1(shop)


def wrong_3_nothing(shop):
    return right_1(shop)


def wrong_3_only_cannibalised(shop):
    return _figures(shop, cannibalised_share=0.7)["roi"]
