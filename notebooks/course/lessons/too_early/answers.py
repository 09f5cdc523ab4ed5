"""Answers on when it is too early to judge."""

import cxlib as cx


def _decision(shop, as_of, horizon_months=12):
    about = cx.choose_initiative(shop["initiatives"], "I1")
    tables = {name: shop[name] for name in ("orders", "customers", "enrolments")}
    terms = cx.Terms(horizon_months=horizon_months, currency="JPY")
    who = {"selected": shop["customers"], "as_of": as_of}
    return cx.evaluate_initiative(about, **tables, **who, terms=terms).decision


def right_1(shop):
    about = cx.choose_initiative(shop["initiatives"], "I1")
    tables = {name: shop[name] for name in ("orders", "customers", "enrolments")}
    terms = cx.Terms(horizon_months=12, currency="JPY")
    who = {"selected": shop["customers"], "as_of": "2025-12-31"}
    found = cx.evaluate_initiative(about, **tables, **who, terms=terms)
    return found.decision["verdict"].item()


def wrong_1_no_effect(shop):
    return "no_effect"


def wrong_1_year_later(shop):
    return _decision(shop, shop.as_of)["verdict"].item()


def right_2(shop):
    plan = cx.share_plan(control_share=0.10, treatment_share=0.15, power=0.8)
    return plan["n_treatment"].item()


def wrong_2_both_arms(shop):
    return cx.share_plan(control_share=0.10, treatment_share=0.15)["n"].item()


def wrong_2_doubled(shop):
    return cx.share_plan(control_share=0.10, treatment_share=0.20)["n_treatment"].item()


def wrong_2_sure(shop):
    return cx.share_plan(control_share=0.10, treatment_share=0.15, power=0.95)["n_treatment"].item()


def right_3(shop):
    study = {"initiative": "I1", "assignment": "randomised", "started_on": "2025-10-01"}
    who = cx.study_members(shop["enrolments"], shop["customers"], **study)
    panel = cx.study_panel(shop["orders"], who, started_on="2025-10-01", as_of=shop.as_of)
    plan = cx.power_of_study(panel, assignment="randomised", horizon_months=[3, 12])
    visible = plan.set_index("horizon_months")["estimate"]
    return visible[3] / visible[12]


def _visible(shop, months):
    study = {"initiative": "I1", "assignment": "randomised", "started_on": "2025-10-01"}
    who = cx.study_members(shop["enrolments"], shop["customers"], **study)
    panel = cx.study_panel(shop["orders"], who, started_on="2025-10-01", as_of=shop.as_of)
    return cx.power_of_study(panel, assignment="randomised", horizon_months=[months])["estimate"].item()


def wrong_3_proportional(shop):
    return 4


def wrong_3_turned(shop):
    return _visible(shop, 12) / _visible(shop, 3)


def wrong_3_difference(shop):
    return _visible(shop, 3) - _visible(shop, 12)
