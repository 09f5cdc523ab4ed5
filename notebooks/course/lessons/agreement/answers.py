"""Answers on the agreement of coders."""

import cxlib as cx


def _agreed(shop):
    codings = shop["codings"]
    read = shop["responses"].query("response_id in @codings['response_id']")
    topics = list(shop.truth["comments"]["coder_agreement"])
    return cx.voice.topic_agreement(codings, cx.voice.code_comments(read), topics=topics)


def _metrics(shop):
    return _agreed(shop).pivot(index="topic", columns="metric", values="estimate")


def _marks(shop, topic):
    codings = shop["codings"]
    is_on = codings["topic"].eq(topic).groupby([codings["response_id"], codings["coder"]]).any()
    return is_on.unstack().dropna().astype(bool)


def right_1(shop):
    codings = shop["codings"]
    read = shop["responses"].query("response_id in @codings['response_id']")
    agreed = cx.voice.topic_agreement(codings, cx.voice.code_comments(read), topics=["price"])
    return agreed.set_index("metric")["estimate"]["alpha_people"]


def wrong_1_share_that_agrees(shop):
    marks = _marks(shop, "price")
    return (marks["A"] == marks["B"]).mean()


def wrong_1_where_marked(shop):
    marks = _marks(shop, "price")
    return (marks["A"] & marks["B"]).sum() / (marks["A"] | marks["B"]).sum()


def wrong_1_rule(shop):
    return _metrics(shop)["alpha_rule"]["price"]


def right_2(shop):
    codings = shop["codings"]
    read = shop["responses"].query("response_id in @codings['response_id']")
    agreed = cx.voice.topic_agreement(codings, cx.voice.code_comments(read), topics=["assortment"])
    return agreed.set_index("metric")["estimate"]["recall"]


def wrong_2_precision(shop):
    return _metrics(shop)["precision"]["assortment"]


def right_3(shop):
    codings = shop["codings"]
    is_on = codings["topic"].eq("delivery").groupby([codings["response_id"], codings["coder"]]).any()
    share = is_on.mean()
    return 1 - 2 * share * (1 - share)


def wrong_3_seen(shop):
    marks = _marks(shop, "delivery")
    return (marks["A"] == marks["B"]).mean()


def wrong_3_differ(shop):
    return 1 - right_3(shop)


def wrong_3_half(shop):
    return 0.5


def right_4(shop):
    codings = shop["codings"]
    read = shop["responses"].query("response_id in @codings['response_id']")
    topics = list(shop.truth["comments"]["coder_agreement"])
    agreed = cx.voice.topic_agreement(codings, cx.voice.code_comments(read), topics=topics)
    return cx.voice.trusted_topics(agreed)["alpha"].min()


def wrong_4_rule_only(shop):
    return _metrics(shop)["alpha_rule"].min()
