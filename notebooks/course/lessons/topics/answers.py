"""Answers on the topics of comments."""

import cxlib as cx


def _coded(shop):
    answers = cx.survey_answers(shop["responses"], shop["customers"], survey="relationship")
    comments = cx.voice.commented(answers)
    return answers, comments, cx.voice.code_comments(comments)


def right_1(shop):
    answers = cx.survey_answers(shop["responses"], shop["customers"], survey="relationship")
    comments = cx.voice.commented(answers)
    found = cx.voice.code_comments(comments)
    return cx.voice.topic_shares(comments, found).set_index("topic")["estimate"]["delivery"]


def wrong_1_of_mentions(shop):
    return _coded(shop)[2]["topic"].eq("delivery").mean()


def wrong_1_of_answers(shop):
    answers, _, found = _coded(shop)
    return found["topic"].eq("delivery").sum() / len(answers)


def right_2(shop):
    answers = cx.survey_answers(shop["responses"], shop["customers"], survey="relationship")
    comments = cx.voice.commented(answers)
    found = cx.voice.code_comments(comments)
    return cx.voice.coded_share(comments, found)["estimate"].item()


def wrong_2_coded(shop):
    return 1 - right_2(shop)


def wrong_2_of_answers(shop):
    answers, _, found = _coded(shop)
    return 1 - found["response_id"].nunique() / len(answers)


def right_3(shop):
    answers = cx.survey_answers(shop["responses"], shop["customers"], survey="relationship")
    comments = cx.voice.commented(answers)
    found = cx.voice.code_comments(comments)
    impact = cx.voice.topic_impact(comments, found).query("metric == 'impact'")
    return impact.set_index("topic")["estimate"]["delivery"]


def _on_delivery(shop):
    _, comments, found = _coded(shop)
    is_on = comments["response_id"].isin(found.loc[found["topic"] == "delivery", "response_id"])
    kept = (comments[is_on], comments[~is_on], comments)
    return [cx.nps(rows)["estimate"].item() for rows in kept]


def wrong_3_nps_on_topic(shop):
    return _on_delivery(shop)[0]


def wrong_3_with_less_without(shop):
    on, off, _ = _on_delivery(shop)
    return on - off


def wrong_3_with_less_all(shop):
    on, _, everyone = _on_delivery(shop)
    return on - everyone


def right_4(shop):
    answers = cx.survey_answers(shop["responses"], shop["customers"], survey="relationship")
    comments = cx.voice.commented(answers)
    found = cx.voice.code_comments(comments)
    shares = {}
    for group, low, high in [("detractor", 0, 6), ("promoter", 9, 10)]:
        chosen = comments[comments["nps_score"].between(low, high)]
        shares[group] = cx.voice.topic_shares(chosen, found).set_index("topic")["estimate"]["quality"]
    return shares["promoter"] - shares["detractor"]


def _on_quality(shop):
    _, comments, found = _coded(shop)
    is_on = comments["response_id"].isin(found.loc[found["topic"] == "quality", "response_id"])
    score = comments["nps_score"]
    return is_on, score.ge(9), score.le(6)


def wrong_4_who_speaks(shop):
    is_on, is_promoter, is_detractor = _on_quality(shop)
    return is_promoter[is_on].mean() - is_detractor[is_on].mean()


def wrong_4_ratio(shop):
    is_on, is_promoter, is_detractor = _on_quality(shop)
    return is_on[is_promoter].mean() / is_on[is_detractor].mean()
