"""Answers on what a change after a start tells."""

import cxlib as cx


def _panel(shop, initiative="I3", assignment="targeted"):
    study = {"initiative": initiative, "assignment": assignment, "started_on": "2025-10-01"}
    who = cx.study_members(shop["enrolments"], shop["customers"], **study)
    return cx.study_panel(shop["orders"], who, started_on="2025-10-01", as_of=shop.as_of)


def _change(panel, **asked):
    return cx.before_after(panel, **asked).set_index("metric")["estimate"]["before_after"]


def right_1(shop):
    study = {"initiative": "I3", "assignment": "targeted", "started_on": "2025-10-01"}
    who = cx.study_members(shop["enrolments"], shop["customers"], **study)
    panel = cx.study_panel(shop["orders"], who, started_on="2025-10-01", as_of=shop.as_of)
    return cx.before_after(panel).set_index("metric")["estimate"]["before_after"]


def wrong_1_sales(shop):
    return _change(_panel(shop), outcome_col="amount")


def wrong_1_after_only(shop):
    return cx.before_after(_panel(shop)).set_index("metric")["estimate"]["after"]


def wrong_1_total(shop):
    return 12 * right_1(shop)


def right_2(shop):
    study = {"initiative": "I3", "assignment": "targeted", "started_on": "2025-10-01"}
    who = cx.study_members(shop["enrolments"], shop["customers"], **study)
    panel = cx.study_panel(shop["orders"], who, started_on="2025-10-01", as_of=shop.as_of)
    not_reached = panel[panel["arm"] == "control"]
    before = not_reached.loc[not_reached["month"].between(-6, -1), "margin"].mean()
    after = not_reached.loc[not_reached["month"].between(0, 11), "margin"].mean()
    return after - before


def wrong_2_reached(shop):
    return right_1(shop)


def wrong_2_total(shop):
    return 12 * right_2(shop)


def right_3(shop):
    study = {"initiative": "I1", "assignment": "randomised", "started_on": "2025-10-01"}
    who = cx.study_members(shop["enrolments"], shop["customers"], **study)
    panel = cx.study_panel(shop["orders"], who, started_on="2025-10-01", as_of=shop.as_of)
    change = cx.before_after(panel).set_index("metric")["estimate"]["before_after"]
    return shop.truth["initiatives"]["I1"]["effect_monthly_margin"]["12"] - change


def wrong_3_change(shop):
    return _change(_panel(shop, "I1", "randomised"))


def wrong_3_truth(shop):
    return shop.truth["initiatives"]["I1"]["effect_monthly_margin"]["12"]


def wrong_3_last_year(shop):
    told = cx.before_after(_panel(shop, "I1", "randomised")).set_index("metric")["estimate"]
    return wrong_3_truth(shop) - told["same_months_last_year"]
