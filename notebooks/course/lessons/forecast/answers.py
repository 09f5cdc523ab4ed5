"""Answers on forecasts of what will be won."""

from cxlib import sales

TYPED = {"contacted": 0.1, "proposed": 0.3, "quoted": 0.5, "decision": 0.8}


def _known(shop):
    return {"as_of": shop.as_of, "deal_stages": shop["deal_stages"], "stages": list(TYPED)}


def _past(shop):
    return sales.past_forecasts(shop["deals"], typed=TYPED, fiscal_year_start=4, **_known(shop))


def right_1(shop):
    stages = ["contacted", "proposed", "quoted", "decision"]
    known = {"as_of": shop.as_of, "deal_stages": shop["deal_stages"], "stages": stages}
    open_now = sales.open_deals(shop["deals"], within_days=30, **known)
    return (open_now["amount"] * open_now["chance"]).sum()


def wrong_1_everything(shop):
    return sales.open_deals(shop["deals"], **_known(shop))["amount"].sum()


def wrong_1_typed(shop):
    open_now = sales.open_deals(shop["deals"], **_known(shop))
    return (open_now["amount"] * open_now["stage"].map(TYPED)).sum()


def right_2(shop):
    typed = {"contacted": 0.1, "proposed": 0.3, "quoted": 0.5, "decision": 0.8}
    known = {"as_of": shop.as_of, "deal_stages": shop["deal_stages"], "stages": list(typed)}
    past = sales.past_forecasts(shop["deals"], typed=typed, fiscal_year_start=4, **known)
    ours = past[past["method"] == "stage_and_age"]
    return ours["error"].abs().sum() / ours["actual"].sum()


def wrong_2_bias(shop):
    past = _past(shop)
    ours = past[past["method"] == "stage_and_age"]
    return ours["error"].sum() / ours["actual"].sum()


def wrong_2_typed(shop):
    past = _past(shop)
    ours = past[past["method"] == "stage_weighted"]
    return ours["error"].abs().sum() / ours["actual"].sum()


def right_3(shop):
    typed = {"contacted": 0.1, "proposed": 0.3, "quoted": 0.5, "decision": 0.8}
    known = {"as_of": shop.as_of, "deal_stages": shop["deal_stages"], "stages": list(typed)}
    past = sales.past_forecasts(shop["deals"], typed=typed, fiscal_year_start=4, **known)
    return sales.forecast_accuracy(past).set_index("method")["bias_share"]["stage_weighted"]


def wrong_3_without_sign(shop):
    return sales.forecast_accuracy(_past(shop)).set_index("method")["estimate"]["stage_weighted"]


def wrong_3_ours(shop):
    return sales.forecast_accuracy(_past(shop)).set_index("method")["bias_share"]["stage_and_age"]


def right_4(shop):
    stages = ["contacted", "proposed", "quoted", "decision"]
    known = {"as_of": shop.as_of, "deal_stages": shop["deal_stages"], "stages": stages}
    parts = sales.forecast(shop["deals"], **known, fiscal_year_start=4).query("metric == 'won_amount'")
    return parts.set_index("won_from")["estimate"]["total"]


def wrong_4_open_only(shop):
    parts = sales.forecast(shop["deals"], **_known(shop), fiscal_year_start=4)
    return parts.query("metric == 'won_amount'").set_index("won_from")["estimate"]["open_deals"]


def wrong_4_typed(shop):
    return sales.weighted_pipeline(shop["deals"], typed=TYPED, **_known(shop))
