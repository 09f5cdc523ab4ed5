"""Answers on differences of differences."""

import cxlib as cx


def _panel(shop, initiative="I3", assignment="targeted"):
    study = {"initiative": initiative, "assignment": assignment, "started_on": "2025-10-01"}
    who = cx.study_members(shop["enrolments"], shop["customers"], **study)
    return cx.study_panel(shop["orders"], who, started_on="2025-10-01", as_of=shop.as_of)


def _means(panel, before, after):
    """Mean margin of each arm in two spells of months."""
    spells = {"before": panel["month"].between(*before), "after": panel["month"].between(*after)}
    return {name: panel[rows].groupby("arm")["margin"].mean() for name, rows in spells.items()}


def right_1(shop):
    study = {"initiative": "I3", "assignment": "targeted", "started_on": "2025-10-01"}
    who = cx.study_members(shop["enrolments"], shop["customers"], **study)
    panel = cx.study_panel(shop["orders"], who, started_on="2025-10-01", as_of=shop.as_of)
    year = panel[panel["month"] <= 11]
    year = year.assign(with_mail=year["arm"] == "treatment", is_after=year["month"] >= 0)
    names = {"outcome_col": "margin", "unit_col": "customer_id", "time_col": "month"}
    told = cx.did(year, **names, treated_col="with_mail", post_col="is_after")
    return told["estimate"].item()


def wrong_1_before_after(shop):
    held = _means(_panel(shop), (-12, -1), (0, 11))
    return held["after"]["treatment"] - held["before"]["treatment"]


def wrong_1_after_only(shop):
    after = _means(_panel(shop), (-12, -1), (0, 11))["after"]
    return after["treatment"] - after["control"]


def wrong_1_turned(shop):
    return -right_1(shop)


def right_2(shop):
    study = {"initiative": "I3", "assignment": "targeted", "started_on": "2025-10-01"}
    who = cx.study_members(shop["enrolments"], shop["customers"], **study)
    panel = cx.study_panel(shop["orders"], who, started_on="2025-10-01", as_of=shop.as_of)
    calm = panel[panel["month"] < 0]
    calm = calm.assign(with_mail=calm["arm"] == "treatment", is_after=calm["month"] >= -6)
    names = {"outcome_col": "margin", "unit_col": "customer_id", "time_col": "month"}
    return cx.did(calm, **names, treated_col="with_mail", post_col="is_after")["estimate"].item()


def wrong_2_real_start(shop):
    return right_1(shop)


def wrong_2_treated_only(shop):
    held = _means(_panel(shop), (-12, -7), (-6, -1))
    return held["after"]["treatment"] - held["before"]["treatment"]


def right_3(shop):
    study = {"initiative": "I1", "assignment": "randomised", "started_on": "2025-10-01"}
    who = cx.study_members(shop["enrolments"], shop["customers"], **study)
    panel = cx.study_panel(shop["orders"], who, started_on="2025-10-01", as_of=shop.as_of)
    rungs = cx.evidence_ladder(panel, assignment="randomised", horizon_months=[12])
    answer = rungs[rungs["is_answer"]]
    return [answer["conf_low"].item(), answer["conf_high"].item()]


def _rung(shop, name):
    rungs = cx.evidence_ladder(_panel(shop, "I1", "randomised"), assignment="randomised", horizon_months=[12])
    return rungs[rungs["rung"] == name][["conf_low", "conf_high"]].to_numpy()[0].tolist()


def wrong_3_did(shop):
    return _rung(shop, "did")


def wrong_3_before_after(shop):
    return _rung(shop, "before_after")
