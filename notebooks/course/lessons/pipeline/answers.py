"""Answers on deals and how they end."""

from cxlib import sales

STAGES = ["contacted", "proposed", "quoted", "decision"]


def right_1(shop):
    fates = sales.deal_outcomes(shop["deals"], as_of=shop.as_of, horizons_days=[60])
    return fates.set_index("metric")["estimate"]["won"]


def wrong_1_of_closed(shop):
    return shop["deals"]["is_won"].dropna().astype(bool).mean()


def wrong_1_won_in_time(shop):
    deals = shop["deals"]
    days = (deals["closed_on"] - deals["created_on"]).dt.days
    in_time = deals[days <= 60]
    return in_time["is_won"].astype(bool).mean()


def wrong_1_lost(shop):
    fates = sales.deal_outcomes(shop["deals"], as_of=shop.as_of, horizons_days=[60])
    return fates.set_index("metric")["estimate"]["lost"]


def right_2(shop):
    stages = ["contacted", "proposed", "quoted", "decision"]
    steps = sales.stage_conversion(shop["deals"], shop["deal_stages"], as_of=shop.as_of, stages=stages)
    return steps.set_index("stage")["estimate"]["quoted"]


def wrong_2_of_all(shop):
    reached = shop["deal_stages"].query("stage == 'decision'")["deal_id"].nunique()
    return reached / len(shop["deals"])


def wrong_2_lost(shop):
    asked = {"as_of": shop.as_of, "stages": STAGES}
    steps = sales.stage_conversion(shop["deals"], shop["deal_stages"], **asked)
    return steps.set_index("stage")["lost_share"]["quoted"]


def wrong_2_won(shop):
    asked = {"as_of": shop.as_of, "stages": STAGES}
    steps = sales.stage_chances(shop["deals"], shop["deal_stages"], **asked)
    return steps.set_index("stage")["estimate"]["quoted"]


def right_3(shop):
    deals = shop["deals"]
    return (deals["closed_on"].notna() & deals["is_won"].isna()).sum()


def wrong_3_only_later(shop):
    return shop["deals"]["closed_on"].gt(str(shop.as_of)).sum()


def wrong_3_all_closed(shop):
    return shop["deals"]["closed_on"].notna().sum()


def right_4(shop):
    deals = shop["deals"]
    over = deals[deals["is_won"].notna()]
    return over["is_won"].mean()


def wrong_4_planned_as_over(shop):
    deals = shop["deals"]
    return deals["is_won"].fillna(value=False).astype(bool).sum() / deals["closed_on"].notna().sum()
