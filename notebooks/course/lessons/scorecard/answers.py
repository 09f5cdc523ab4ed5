"""Answers on a page of figures."""

import cxlib as cx


def _csat(shop, **asked):
    answers = shop["responses"].query("survey == 'relationship' and csat_score.notna()")
    return cx.csat(answers, scale=(1, 5), **asked)


def right_1(shop):
    answers = shop["responses"].query("survey == 'relationship' and csat_score.notna()")
    latest = answers[answers["wave"] == answers["wave"].max()]
    return cx.csat(latest, scale=(1, 5))["conf_low"].item()


def wrong_1_estimate(shop):
    return _csat(shop, by="wave")["estimate"].iloc[-1]


def wrong_1_upper(shop):
    return _csat(shop, by="wave")["conf_high"].iloc[-1]


def wrong_1_all_waves(shop):
    return _csat(shop)["conf_low"].item()


def right_2(shop):
    one_stays_quiet = 0.95
    return 1 - one_stays_quiet**12


def wrong_2_one(shop):
    return 0.05


def wrong_2_added(shop):
    return 12 * 0.05


def wrong_2_all(shop):
    return 0.05**12


def right_3(shop):
    rules = cx.load_rules("rfm_segments", shop.data_set)
    periods = cx.like_periods(shop["orders"], as_of=shop.as_of, days=180, rules=rules)
    tree = cx.scorecard.growth_tree(periods).set_index("metric")
    return tree["sales_effect"]["buyers"]


def _tree(shop):
    rules = cx.load_rules("rfm_segments", shop.data_set)
    periods = cx.like_periods(shop["orders"], as_of=shop.as_of, days=180, rules=rules)
    return cx.scorecard.growth_tree(periods, n_boot=20).set_index("metric")


def wrong_3_all_of_it(shop):
    return _tree(shop)["sales_effect"]["sales_of_period"]


def wrong_3_growth(shop):
    return _tree(shop)["growth"]["buyers"]


def wrong_3_todays_worth(shop):
    tree = _tree(shop)
    gained = tree["estimate"]["buyers"] - tree["before"]["buyers"]
    return gained * tree["estimate"]["sales_of_period"] / tree["estimate"]["buyers"]
