"""Answers on those who did not answer."""

import cxlib as cx


def _answers(shop):
    return cx.survey_answers(shop["responses"], shop["customers"], survey="relationship")


def _buyers(shop):
    return cx.summarise_customers(shop["orders"], as_of=shop.as_of)


def _bounds(shop):
    return cx.response_bounds(_answers(shop), _buyers(shop)).set_index("metric")


def right_1(shop):
    answers = cx.survey_answers(shop["responses"], shop["customers"], survey="relationship")
    buyers = cx.summarise_customers(shop["orders"], as_of=shop.as_of)
    return cx.response_bounds(answers, buyers)["estimate"].iloc[0]


def wrong_1_answers(shop):
    return len(_answers(shop)) / len(_buyers(shop))


def wrong_1_everybody(shop):
    return _answers(shop).dropna(subset="nps_score")["customer_id"].nunique() / len(shop["customers"])


def right_2(shop):
    answers = cx.survey_answers(shop["responses"], shop["customers"], survey="relationship")
    buyers = cx.summarise_customers(shop["orders"], as_of=shop.as_of)
    return cx.response_bounds(answers, buyers)["conf_low"].iloc[2]


def wrong_2_missing_as_passive(shop):
    bounds = _bounds(shop)["estimate"]
    return bounds["response_rate"] * bounds["nps_heard"]


def wrong_2_interval(shop):
    return _bounds(shop)["conf_low"]["nps_heard"]


def wrong_2_best(shop):
    return _bounds(shop)["conf_high"]["nps_bounds"]


def right_3(shop):
    answers = cx.survey_answers(shop["responses"], shop["customers"], survey="transaction")
    at_delivery = answers[answers["touchpoint"] == "delivery"]
    return cx.nps(at_delivery)["estimate"].item()


def _at_delivery(shop):
    answers = shop["responses"].query("survey == 'transaction' and touchpoint == 'delivery'")
    return answers["nps_score"]


def wrong_3_missing_as_passive(shop):
    score = _at_delivery(shop).fillna(7)
    return 100 * (score.ge(9).mean() - score.le(6).mean())


def wrong_3_missing_as_zero(shop):
    score = _at_delivery(shop).fillna(0)
    return 100 * (score.ge(9).mean() - score.le(6).mean())


def right_4(shop):
    answers = cx.survey_answers(shop["responses"], shop["customers"], survey="relationship")
    buyers = cx.summarise_customers(shop["orders"], as_of=shop.as_of)
    heard = cx.response_bounds(answers, buyers)["estimate"].iloc[1]
    return heard - shop.truth["nps"]["all_invited"]


def wrong_4_respondents(shop):
    return _bounds(shop)["estimate"]["nps_heard"] - shop.truth["nps"]["respondents"]


def wrong_4_times(shop):
    return _bounds(shop)["estimate"]["nps_heard"] / shop.truth["nps"]["all_invited"]
