"""Answers on changes between waves."""

import cxlib as cx


def _waves(shop):
    answers = cx.survey_answers(shop["responses"], shop["customers"], survey="relationship")
    return cx.last_waves(answers)


def right_1(shop):
    answers = cx.survey_answers(shop["responses"], shop["customers"], survey="relationship")
    return cx.score_change(*cx.last_waves(answers))["estimate"].item()


def wrong_1_before_less_after(shop):
    return -right_1(shop)


def wrong_1_in_percent(shop):
    change = cx.score_change(*_waves(shop))
    return (100 * change["estimate"] / change["before"]).item()


def wrong_1_mean(shop):
    before, after = _waves(shop)
    return after["nps_score"].mean() - before["nps_score"].mean()


def right_2(shop):
    answers = cx.survey_answers(shop["responses"], shop["customers"], survey="relationship")
    return cx.score_change(*cx.last_waves(answers))["std_error"].item()


def _errors(shop):
    return [cx.nps(wave)["std_error"].item() for wave in _waves(shop)]


def wrong_2_added(shop):
    return sum(_errors(shop))


def wrong_2_one_wave(shop):
    return _errors(shop)[1]


def wrong_2_independent(shop):
    return cx.score_change(*_waves(shop), customer_id_col=None)["std_error"].item()


def right_3(shop):
    answers = cx.survey_answers(shop["responses"], shop["customers"], survey="relationship")
    score = answers.loc[answers["wave"] == answers["wave"].max(), "nps_score"].dropna()
    p, d = score.ge(9).mean(), score.le(6).mean()
    return cx.sample_size(change=5, variance=p + d - (p - d) ** 2)


def _variance(shop):
    score = _waves(shop)[1]["nps_score"].dropna()
    p, d = score.ge(9).mean(), score.le(6).mean()
    return p + d - (p - d) ** 2


def wrong_3_one_wave(shop):
    return cx.sample_size(margin=5, variance=_variance(shop))


def wrong_3_half_each(shop):
    return right_3(shop) / 2


def right_4(shop):
    answers = cx.survey_answers(
        shop["responses"], shop["customers"], survey="relationship", by="acquisition_channel"
    )
    first, latest = (answers[answers["wave"] == wave] for wave in ("2025Q1", "2026Q3"))
    return cx.mix_rate(first, latest, by="acquisition_channel").set_index("metric")["estimate"]["mix"]


def _parts(shop):
    people = {"survey": "relationship", "by": "acquisition_channel"}
    answers = cx.survey_answers(shop["responses"], shop["customers"], **people)
    first, latest = (answers[answers["wave"] == wave] for wave in ("2025Q1", "2026Q3"))
    return cx.mix_rate(first, latest, by="acquisition_channel").set_index("metric")["estimate"]


def wrong_4_rate(shop):
    return _parts(shop)["rate"]


def wrong_4_total(shop):
    return _parts(shop)["total"]
