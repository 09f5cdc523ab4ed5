"""Answers on the NPS and its interval."""

import cxlib as cx


def _latest(shop):
    answers = cx.survey_answers(shop["responses"], shop["customers"], survey="relationship")
    return answers[answers["wave"] == answers["wave"].max()]


def right_1(shop):
    answers = cx.survey_answers(shop["responses"], shop["customers"], survey="transaction")
    return cx.nps(answers)["estimate"].item()


def _shares(shop):
    answers = cx.survey_answers(shop["responses"], shop["customers"], survey="transaction")
    return answers["nps_score"]


def wrong_1_missing_as_passive(shop):
    score = _shares(shop)
    return 100 * (score.ge(9).mean() - score.le(6).mean())


def wrong_1_mean(shop):
    return _shares(shop).mean()


def wrong_1_promoters(shop):
    return 100 * _shares(shop).dropna().ge(9).mean()


def right_2(shop):
    answers = cx.survey_answers(shop["responses"], shop["customers"], survey="relationship")
    latest = answers[answers["wave"] == answers["wave"].max()]
    return cx.nps(latest)["std_error"].item()


def _parts(shop):
    score = _latest(shop)["nps_score"].dropna()
    return score.ge(9).mean(), score.le(6).mean(), len(score)


def wrong_2_added(shop):
    p, d, n = _parts(shop)
    return 100 * ((p * (1 - p) + d * (1 - d)) / n) ** 0.5


def wrong_2_spread(shop):
    p, d, _ = _parts(shop)
    return 100 * (p + d - (p - d) ** 2) ** 0.5


def wrong_2_margin(shop):
    return 1.96 * right_2(shop)


def right_3(shop):
    answers = cx.survey_answers(shop["responses"], shop["customers"], survey="relationship")
    score = answers.loc[answers["wave"] == answers["wave"].max(), "nps_score"].dropna()
    p, d = score.ge(9).mean(), score.le(6).mean()
    return cx.sample_size(margin=3, variance=p + d - (p - d) ** 2)


def wrong_3_in_proportion(shop):
    latest = cx.nps(_latest(shop)).iloc[0]
    return latest["n"] * 1.96 * latest["std_error"] / 3


def wrong_3_added(shop):
    p, d, _ = _parts(shop)
    return cx.sample_size(margin=3, variance=p * (1 - p) + d * (1 - d))


def wrong_3_whole_width(shop):
    return right_3(shop) * 4
