"""Value where the data begin mid-life, where spend is older than they are, and where nothing was brought."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cxlib.value.acquisition_cost import PAID, cac, cac_by_cohort
from cxlib.value.chapter_ahead import sales_outlook
from cxlib.value.claims import cost_moved, held_out_told, keep_or_win, ltv_told, paid_together
from cxlib.value.cohort_triangle import kept_by_period, retention_table
from cxlib.value.days_of_purchase import purchase_days
from cxlib.value.known_parts import begin_notes, first_seen, if_first_known, spend_known_from
from cxlib.value.lifetime_value import ltv
from cxlib.value.months_held_out import hold_out
from cxlib.value.stay_claims import kept_told
from cxlib.value.whose_contracts_end import contract_ends

AS_OF = "2026-06-30"
UNSETTLED = {"begins": "unsettled", "observed_from": None, "begins_on": dt.date(2025, 1, 1)}


def shop(n=300, people=80, **columns):
    """Orders of a year and a half, of customers who come now and then."""
    rng = np.random.default_rng(0)
    day = pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 500, n), unit="D")
    lines = {"customer_id": [f"c{i % people:03d}" for i in range(n)], "order_id": np.arange(n).astype(str)}
    amount = rng.integers(10, 100, n).astype(float)
    return pd.DataFrame({**lines, "ordered_at": day, "amount": amount, "margin": amount / 2} | columns)


def spend(start="2025-01-01"):
    month = pd.date_range(start, "2026-06-01", freq="MS")
    return pd.DataFrame({"month": month, "acquisition_channel": "ad", "amount": 100.0})


def new(days):
    first = days.groupby("customer_id", as_index=False)["first_day"].first()
    return first.assign(acquisition_channel="ad")


def test_spend_of_months_whose_new_customers_are_not_known_costs_nobody():
    days = purchase_days(shop(), as_of=AS_OF)
    late = first_seen(days, {"observed_from": dt.date(2025, 3, 1)})
    known = cac(spend("2025-03-01"), new(late), as_of=AS_OF).set_index("acquisition_channel")
    told = cac(spend("2024-01-01"), new(late), as_of=AS_OF, observed_from="2025-03-01")
    assert told.set_index("acquisition_channel").equals(known)
    within = cac(spend(), new(late), as_of=AS_OF, observed_from="2025-02-02")  # February is known in part
    assert within.set_index("acquisition_channel").equals(known)
    lagged = cac(spend(), new(late), as_of=AS_OF, observed_from="2025-03-01", spend_lag_months=1)
    assert lagged["months"].iloc[0] == 16  # from February 2025, set against March, on
    cohorts = cac_by_cohort(spend(), new(late), as_of=AS_OF, observed_from="2025-03-01")
    assert cohorts["cohort"].min() == pd.Timestamp("2025-04-01")


def test_nothing_is_told_of_new_customers_where_first_purchases_are_not_known():
    lines = shop()
    days = purchase_days(lines, as_of=AS_OF)
    contracts = pd.DataFrame({"started_on": pd.Timestamp("2025-01-01"), "ended_on": pd.NaT}, index=range(40))
    contracts.loc[::2, "ended_on"] = pd.to_datetime(["2025-03-05", "2025-06-05"] * 10)
    asked = {"as_of": AS_OF, "horizon_months": 6, "outcome": "amount"}
    values = ltv(lines, contracts=contracts.assign(monthly_amount=9.0), **asked)
    assert if_first_known(values, {"begins": "", "observed_from": None}) is values
    assert if_first_known(values, UNSETTLED | {"observed_from": dt.date(2025, 1, 1)}) is values
    told = ltv_told(if_first_known(values, UNSETTLED), horizon_months=6)
    assert [row["note"] for row in (told[0], told[2])] == ["unsettled", ""]
    costs = if_first_known(cac(spend(), new(days), days=days, as_of=AS_OF, horizon_months=6), UNSETTLED)
    assert costs["estimate"].isna().all()
    assert paid_together(costs, horizon_months=6) == [{"note": "unsettled"}]
    equity = pd.DataFrame({"segment": [None], "mean_residual": [9.0], "n": [50], "largest_share": [0.1]})
    assert keep_or_win(equity, costs) == []
    assert cost_moved(if_first_known(cac_by_cohort(spend(), new(days), as_of=AS_OF), UNSETTLED)) == {}
    kept = if_first_known(kept_by_period(retention_table(lines, as_of=AS_OF)), UNSETTLED)
    assert [row["note"] for row in kept_told(kept)] == ["unsettled"]


@pytest.mark.parametrize(
    ("begins", "is_given", "note"),
    [
        ("burn_in", False, "burn_in"),
        ("burn_in", True, "burn_in_given"),
        ("unsettled", False, "unsettled"),
        ("unsettled", True, "unsettled_given"),
    ],
)
def test_data_that_begin_mid_life_are_told(begins, is_given, note):
    told = begin_notes({"begins": begins, "observed_from": None, "older_share": 0.1}, is_given=is_given)
    assert [(row["note"], row["level"]) for row in told] == [(f"customer_value.{note}", "warning")]


def test_spend_is_known_from_the_month_in_which_the_data_begin():
    assert spend_known_from({"observed_from": None, "begins_on": dt.date(2025, 1, 9)}) == dt.date(2025, 1, 1)
    assert spend_known_from({"observed_from": dt.date(2025, 2, 9)}) == dt.date(2025, 2, 9)
    assert spend_known_from({"observed_from": None}) is None


def test_no_interval_of_no_width():
    cells = retention_table(shop(), as_of=AS_OF)
    empty = cells[(cells["total"] == 0) & (cells["metric"] != "customers_kept")]
    assert len(empty) and empty[["conf_low", "conf_high"]].isna().all(axis=None)


def test_margins_of_0_are_no_customer_who_carries_all():
    lines = shop(margin=0.0)
    mature = ltv(lines, as_of=AS_OF).iloc[0]
    assert (mature["estimate"], mature["note"]) == (0.0, "all_alike")
    assert ltv_told(pd.DataFrame([mature]), horizon_months=12)[0]["note"] == "all_alike"
    days = purchase_days(lines, as_of=AS_OF, outcome="margin")
    costs = cac(spend(), new(days), days=days, as_of=AS_OF, n_boot=100)
    assert costs.loc[costs["acquisition_channel"] == PAID, "note"].to_list()[1:3] == ["all_alike"] * 2


def test_what_brought_nothing_is_not_off_by_a_share():
    once = shop().sort_values("ordered_at").drop_duplicates("customer_id")
    early = once[once["ordered_at"] < "2025-12-01"]
    rows = hold_out(purchase_days(early, as_of=AS_OF), as_of=AS_OF)
    assert rows["realised"].iloc[0] == 0 and rows["error_share"].isna().all()
    assert held_out_told(rows) == [{"note": "customer_value.nothing_came"}]


def test_a_loss_foretold_too_small_is_off_upwards():
    lines = shop(n=900).assign(margin=lambda rows: -rows["margin"])
    rows = hold_out(purchase_days(lines, as_of=AS_OF, outcome="margin"), as_of=AS_OF)
    known = rows.dropna(subset=["estimate", "error_share"])
    assert (np.sign(known["error_share"]) == np.sign(known["estimate"] - known["realised"])).all()


def test_months_without_any_sales_have_no_forecast():
    assert sales_outlook(shop(amount=0.0), as_of=AS_OF).told == {"note": "no_sales", "months": 18}


def test_contracts_without_amounts_have_no_value_and_those_parted_for_sure_no_ratio():
    held = pd.DataFrame({"customer_id": range(80), "started_on": pd.Timestamp("2025-01-01")})
    held = held.assign(ended_on=pd.NaT, monthly_amount=10.0, acquisition_channel=["ad", "shop"] * 40)
    held.loc[::2, "ended_on"] = pd.to_datetime(["2025-03-05", "2025-06-05"] * 20)
    asked = {"as_of": AS_OF, "contribution_margin_rate": 0.3}
    whole = ltv(shop(), contracts=held, **asked).iloc[2]
    some = held["monthly_amount"].where(held.index % 3 > 0)
    assert ltv(shop(), contracts=held.assign(monthly_amount=some), **asked).iloc[2]["estimate"] == (
        pytest.approx(whole["estimate"])
    )
    for amount in (0.0, np.nan):
        row = ltv(shop(), contracts=held.assign(monthly_amount=amount), **asked).iloc[2]
        assert np.isnan(row["estimate"]) and row["note"] == "no_amount"
    assert contract_ends(held, as_of=AS_OF).empty
