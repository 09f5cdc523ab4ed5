"""Answers on retention."""

import cxlib as cx


def right_1(shop):
    renewals = cx.value.contract_survivors(shop["contracts"], as_of=shop.as_of)
    first = renewals.query("period == 1")
    return 1 - (first["n"] / first["n_at_risk"]).item()


def wrong_1_ever_ended(shop):
    return shop["contracts"]["ended_on"].notna().mean()


def wrong_1_kept(shop):
    return 1 - right_1(shop)


def right_2(shop):
    renewals = cx.value.contract_survivors(shop["contracts"], as_of=shop.as_of)
    year = renewals[renewals["period"] <= 12]
    return (year["n"] / year["n_at_risk"]).prod()


def wrong_2_first_rate_for_ever(shop):
    return (1 - right_1(shop)) ** 12


def wrong_2_running_today(shop):
    return shop["contracts"]["ended_on"].isna().mean()


def wrong_2_last_renewal(shop):
    renewals = cx.value.contract_survivors(shop["contracts"], as_of=shop.as_of).query("period == 12")
    return (renewals["n"] / renewals["n_at_risk"]).item()


def right_3(shop):
    triangle = cx.value.retention_table(shop["orders"], as_of=shop.as_of)
    sixth = triangle.query("metric == 'customers_kept' and period == 6 and is_mature")
    return sixth["total"].sum() / sixth["n"].sum()


def wrong_3_everybody(shop):
    triangle = cx.value.retention_table(shop["orders"], as_of=shop.as_of)
    triangle = triangle.query("metric == 'customers_kept'")
    return triangle.query("period == 6")["total"].sum() / triangle.query("period == 0")["n"].sum()


def wrong_3_ever_since(shop):
    triangle = cx.value.retention_table(shop["orders"], as_of=shop.as_of)
    kept = cx.value.kept_by_period(triangle).set_index("period")["estimate"]
    return kept.loc[1:6].sum()


def right_4(shop):
    days = cx.value.purchase_days(shop["orders"], as_of=shop.as_of)
    told = cx.value.inactivity_threshold(days, as_of=shop.as_of, quantile=0.9)
    return told.query("metric == 'reactivated_share' and quantile == 0.9")["estimate"].item()


def _threshold(shop, quantile):
    days = cx.value.purchase_days(shop["orders"], as_of=shop.as_of)
    told = cx.value.inactivity_threshold(days, as_of=shop.as_of, quantile=quantile)
    return told.groupby("metric", sort=False).head(1).set_index("metric")["estimate"]


def wrong_4_nobody_returns(shop):
    return 0.0


def wrong_4_lapsed(shop):
    return _threshold(shop, 0.9)["lapsed_share"]


def wrong_4_shorter_silence(shop):
    return _threshold(shop, 0.8)["reactivated_share"]
