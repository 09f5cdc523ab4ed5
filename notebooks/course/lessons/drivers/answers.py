"""Answers on the drivers of the NPS."""

import cxlib as cx

ITEMS = ["driver_quality", "driver_ease", "driver_delivery", "driver_support", "driver_price"]


def _answers(shop):
    return cx.survey_answers(shop["responses"], shop["customers"], survey="relationship")


def _importance(shop, method="shapley"):
    asked = {"outcome_col": "nps_score", "driver_cols": ITEMS, "n_boot": 0}
    return cx.driver_importance(_answers(shop), method=method, **asked).set_index("driver")


def right_1(shop):
    answers = cx.survey_answers(shop["responses"], shop["customers"], survey="relationship")
    items = ["driver_quality", "driver_ease", "driver_delivery", "driver_support", "driver_price"]
    shares = cx.driver_importance(answers, outcome_col="nps_score", driver_cols=items, n_boot=0)
    return shares.set_index("driver")["importance"]["driver_quality"]


def wrong_1_correlation(shop):
    return _importance(shop, "correlation")["coefficient"]["driver_quality"]


def wrong_1_squares(shop):
    return _importance(shop, "correlation")["importance"]["driver_quality"]


def wrong_1_std_beta(shop):
    return _importance(shop, "std_beta")["importance"]["driver_quality"]


def right_2(shop):
    answers = cx.survey_answers(shop["responses"], shop["customers"], survey="relationship")
    items = ["driver_quality", "driver_ease", "driver_delivery", "driver_support", "driver_price"]
    shares = cx.driver_importance(answers, outcome_col="nps_score", driver_cols=items, n_boot=0)
    return shares["driver"].iloc[0]


def wrong_2_lowest_rated(shop):
    return _answers(shop)[ITEMS].mean().idxmin()


def right_3(shop):
    answers = cx.survey_answers(shop["responses"], shop["customers"], survey="relationship")
    return 100 * (answers["driver_delivery"].mean() - 1) / (5 - 1)


def wrong_3_of_five(shop):
    return 100 * _answers(shop)["driver_delivery"].mean() / 5


def wrong_3_top_boxes(shop):
    return 100 * _answers(shop)["driver_delivery"].dropna().ge(4).mean()


def right_4(shop):
    answers = cx.survey_answers(shop["responses"], shop["customers"], survey="relationship")
    items = ["driver_quality", "driver_ease", "driver_delivery", "driver_support", "driver_price"]
    shares = cx.driver_importance(answers, outcome_col="nps_score", driver_cols=items, n_boot=0)
    return shares["r_squared"].iloc[0]


def wrong_4_sum_of_squares(shop):
    return (_importance(shop, "correlation")["coefficient"] ** 2).sum()


def wrong_4_best_alone(shop):
    return (_importance(shop, "correlation")["coefficient"] ** 2).max()
