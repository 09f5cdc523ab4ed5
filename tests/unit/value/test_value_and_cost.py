"""Lifetime value, retention, lapse and acquisition cost: by hand, planted, and where they refuse."""

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import InputError, ParameterError
from cxlib.language import catalogue
from cxlib.value.acquisition_cost import cac, cac_by_cohort
from cxlib.value.claims import best_channel, cost_moved
from cxlib.value.cohort_triangle import kept_by_period, retention_table
from cxlib.value.days_of_purchase import line_values, purchase_days, purchase_histories
from cxlib.value.inactivity import inactivity_threshold, lapse_times
from cxlib.value.lifetime_value import ltv

AS_OF = "2026-12-31"


def orders(n=600, seed=1, months=24, **columns):
    """Buyers who come back at a pace of their own until they are gone; 100 a purchase on average."""
    rng = np.random.default_rng(seed)
    rows = []
    for who in range(n):
        day, pace, drop = rng.integers(0, months * 30), rng.gamma(3.0, 1 / 250), rng.beta(0.8, 2.4)
        level = 900 / rng.gamma(10, 1)
        while day < months * 30:
            rows.append((f"c{who:04d}", day, level * rng.gamma(6, 1 / 6)))
            if rng.random() < drop:
                break
            day += 1 + int(rng.exponential(1 / max(pace, 1e-4)))
    frame = pd.DataFrame(rows, columns=["customer_id", "day", "amount"])
    start = pd.Timestamp(AS_OF) - pd.Timedelta(days=months * 30 - 1)
    frame["ordered_at"] = start + pd.to_timedelta(frame["day"], unit="D")
    frame["order_id"] = [str(number) for number in range(len(frame))]
    return frame.drop(columns="day").assign(margin=frame["amount"] / 2, **columns)


LINES = orders(seed=2)


# days of purchase


def test_refunds_are_taken_off_where_they_belong():
    lines = pd.DataFrame(
        {
            "customer_id": ["a"] * 5,
            "order_id": ["1", "2", "2", "3", "4"],
            "ordered_at": pd.to_datetime(
                ["2026-01-01", "2026-02-01", "2026-03-05", "2026-04-01", "2026-05-01"]
            ),
            "amount": [10.0, 20.0, -5.0, -2.0, 8.0],
        }
    )
    days = purchase_days(lines, as_of=AS_OF)
    assert days["value"].to_list() == [10, 13, 8]  # the refund without an order lies on the day before it
    assert days["n_orders"].to_list() == [1, 1, 1]
    assert purchase_histories(days, as_of=AS_OF)["mean_value"].item() == 10.5
    early = purchase_days(lines, as_of="2026-02-28")
    assert early["value"].to_list() == [10, 20]


def test_margins_that_are_missing_ask_for_a_rate():
    lines = LINES.assign(margin=LINES["margin"].where(LINES.index % 2 == 0))
    with pytest.raises(InputError, match="`margin` is missing in"):
        ltv(lines, as_of=AS_OF)
    values, assumed = line_values(lines, contribution_margin_rate=0.5)
    assert values == pytest.approx(LINES["margin"].to_numpy())
    assert 0.4 < assumed < 0.6
    with pytest.raises(ParameterError, match="between 0 and 1"):
        line_values(lines, contribution_margin_rate=1.5)


# retention


def test_a_triangle_by_hand_marks_what_is_not_over():
    lines = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "b", "b", "c"],
            "order_id": list("123456"),
            "amount": [10.0, 5.0, 5.0, 10.0, 5.0, 7.0],
            "ordered_at": pd.to_datetime(
                ["2026-01-05", "2026-02-01", "2026-02-20", "2026-01-31", "2026-03-01", "2026-02-10"]
            ),
        }
    )
    table = retention_table(lines, as_of="2026-03-15")
    kept = table[table["metric"] == "customers_kept"].assign(month=table["cohort"].dt.month)
    kept = kept.set_index(["month", "period"])["estimate"]
    assert kept.to_dict() == {(1, 0): 1.0, (1, 1): 0.5, (1, 2): 0.5, (2, 0): 1.0, (2, 1): 0.0}
    money = table[table["metric"] == "amount_kept"]["estimate"].to_list()
    assert money == [1.0, 0.5, 0.25, 1.0, 0.0]
    assert table.loc[~table["is_mature"], "conf_low"].isna().all()
    assert table.loc[~table["is_mature"], "note"].unique().tolist() == ["immature"]
    assert kept_by_period(table)["n"].to_list() == [3, 2]
    with pytest.raises(ParameterError, match="month, quarter, year"):
        retention_table(lines, as_of="2026-03-15", cohort="week")


def test_a_full_last_month_is_mature():
    table = retention_table(LINES, as_of=AS_OF)
    assert table["is_mature"].all()
    assert len(retention_table(LINES, as_of=AS_OF, cohort="year")) == 9


def test_a_silence_by_its_quantile():
    on = pd.date_range("2025-01-01", periods=70, freq="10D")
    days = pd.DataFrame({"customer_id": "a", "day": on, "first_day": on[0], "value": 1.0})
    rows = inactivity_threshold(days, as_of=AS_OF)
    assert rows["threshold_days"].unique().tolist() == [10]
    assert set(rows.loc[rows["metric"] == "lapsed_share", "estimate"]) == {1.0}
    assert rows["quantile"].drop_duplicates().to_list() == [0.9, 0.8, 0.95]
    few = inactivity_threshold(days.head(20), as_of=AS_OF)
    assert set(few["note"]) == {"too_few_gaps"}
    with pytest.raises(ParameterError, match="between 0 and 1"):
        inactivity_threshold(days, as_of=AS_OF, quantile=1.0)


def test_a_lapse_is_dated_by_the_last_purchase_or_by_the_silence():
    days = purchase_days(LINES, as_of=AS_OF)
    told = lapse_times(days, as_of=AS_OF, threshold_days=120, dated="told")
    assert (told.loc[told["is_lapsed"], "duration_days"] >= 120).all()
    assert told["duration_days"].max() <= 730
    assert not (told["is_back"] & ~told["is_lapsed"]).any()
    last = lapse_times(days, as_of=AS_OF, threshold_days=120)
    assert (told["duration_days"] - last["duration_days"]).between(0, 120).all()
    assert ((told["duration_days"] - last["duration_days"])[told["is_lapsed"]] == 120).all()
    with pytest.raises(ParameterError, match="last_purchase, told"):
        lapse_times(days, as_of=AS_OF, threshold_days=120, dated="never")
    with pytest.raises(ParameterError, match="1 or more"):
        lapse_times(days, as_of=AS_OF, threshold_days=0)


# lifetime value


def test_two_ways_agree_on_customers_of_the_model():
    rows = ltv(orders(2_000, seed=3), as_of=AS_OF, outcome="amount").set_index("method")
    assert set(rows["note"]) <= {"", "one_rate"}
    mature, model = rows.loc["mature"], rows.loc["model"]
    assert abs(mature["estimate"] - model["estimate"]) < 3 * np.hypot(mature["std_error"], model["std_error"])


def test_money_is_discounted_once():
    lines = pd.DataFrame(
        {"customer_id": [f"c{i}" for i in range(60)] * 2, "amount": [100.0 + i % 7 for i in range(120)]}
    )
    lines["order_id"] = [str(i) for i in range(120)]
    first = pd.Timestamp("2025-01-01")
    lines["ordered_at"] = [first] * 60 + [first + pd.Timedelta(days=300)] * 60
    found = [
        ltv(lines, as_of=AS_OF, outcome="amount", discount_rate_annual=rate)["estimate"].iloc[0]
        for rate in (0.0, 0.1)
    ]
    half = lines["amount"].head(60).mean(), lines["amount"].tail(60).mean()
    assert found[0] == pytest.approx(sum(half))
    assert found[1] == pytest.approx(half[0] + half[1] / 1.1 ** (300 / 365.25))


def test_young_customers_do_not_pull_the_value_down():
    old = orders(400, seed=5)
    first = old.groupby("customer_id")["ordered_at"].min()
    young = first[first > pd.Timestamp("2026-06-30")].index
    assert len(young) > 50
    naive = old.groupby("customer_id")["amount"].sum().mean()
    rows = ltv(old, as_of=AS_OF, outcome="amount", horizon_months=18, discount_rate_annual=0.0)
    assert rows["estimate"].iloc[0] > naive
    short = ltv(old, as_of=AS_OF, outcome="amount", horizon_months=36)
    assert short["note"].iloc[0] == "too_young"
    assert np.isnan(short["estimate"].iloc[0])


def test_contracts_bring_what_outlives_their_renewals():
    held = pd.DataFrame(
        {"started_on": pd.Timestamp("2026-01-01"), "monthly_amount": 1000.0, "ended_on": pd.NaT},
        index=range(200),
    )
    held.loc[:59, "ended_on"] = pd.Timestamp("2026-02-01")
    held.loc[60:89, "ended_on"] = pd.Timestamp("2026-03-01")
    how = {"as_of": AS_OF, "contracts": held, "horizon_months": 2, "discount_rate_annual": 0.0}
    row = ltv(LINES, outcome="amount", **how).iloc[2]
    assert row["method"] == "sbg"
    assert row["conf_low"] < 1000 * (1 + 0.7) < row["conf_high"]
    assert ltv(LINES, contribution_margin_rate=0.5, **how).iloc[2]["estimate"] == pytest.approx(
        row["estimate"] / 2
    )
    assert ltv(LINES, **how).iloc[2]["note"] == "no_margin_rate"


def test_who_never_came_back_have_no_model_and_one_large_customer_no_limits():
    once = LINES.drop_duplicates("customer_id")
    assert ltv(once, as_of=AS_OF)["note"].to_list()[1] == "too_few_repeat"
    huge = LINES.assign(margin=LINES["margin"].where(LINES["customer_id"] != "c0000", 1e7))
    rows = ltv(huge, as_of=AS_OF)
    assert rows.loc[0, "note"] == "few_carry"
    assert np.isnan(rows.loc[0, "conf_low"])


def test_losses_are_told_as_losses():
    rows = ltv(LINES.assign(margin=-LINES["margin"]), as_of=AS_OF)
    assert rows.loc[0, "estimate"] < 0
    assert rows.loc[1, "note"] == "value_not_positive"


def test_all_customers_new_today():
    lines = LINES.drop_duplicates("customer_id").assign(ordered_at=pd.Timestamp(AS_OF))
    rows = ltv(lines, as_of=AS_OF)
    assert rows["note"].to_list() == ["too_young", "too_few_repeat"]
    assert len(retention_table(lines, as_of=AS_OF)) == 3


@pytest.mark.parametrize(
    ("how", "told"), [({"horizon_months": 0}, "1 or more"), ({"discount_rate_annual": -0.1}, "at least 0")]
)
def test_terms_that_can_not_be_are_refused(how, told):
    with pytest.raises(ParameterError, match=told):
        ltv(LINES, as_of=AS_OF, **how)


# acquisition cost


def _new(days):
    first = days.groupby("customer_id", as_index=False)["first_day"].first()
    return first.assign(acquisition_channel=np.where(first.index % 2 == 0, "ad", "organic"))


DAYS = purchase_days(LINES, as_of=AS_OF, outcome="margin")
NEW = _new(DAYS)
MONTHS = pd.date_range("2025-01-01", periods=24, freq="MS")


def _spend(amount=1_000.0, channel="ad", months=MONTHS, **more):
    return pd.DataFrame({"month": months, "acquisition_channel": channel, "amount": amount, **more})


def test_cost_is_a_ratio_of_sums():
    spend = _spend(np.where(np.arange(24) % 2 == 0, 500.0, 1_500.0))
    rows = cac(spend, NEW, as_of=AS_OF, days=DAYS, n_boot=200).set_index(["acquisition_channel", "metric"])
    ad = NEW[(NEW["acquisition_channel"] == "ad") & (NEW["first_day"] >= MONTHS[0])]
    assert rows.loc[("ad", "cac"), "estimate"] == pytest.approx(24_000 / len(ad))
    low, high = rows.loc[("ad", "ltv_to_cac"), ["conf_low", "conf_high"]]
    assert low < rows.loc[("ad", "ltv"), "estimate"] / rows.loc[("ad", "cac"), "estimate"] < high
    assert rows.loc[("organic", "ltv_to_cac"), "note"] == "no_spend"
    assert np.isnan(rows.loc[("organic", "ltv_to_cac"), "estimate"])


def test_lines_of_cost_add_up_and_unpaid_channels_stay_out_of_paid():
    spend = pd.concat([_spend(cost_line="media"), _spend(500.0, cost_line="people"), _spend(90.0, "organic")])
    rows = cac(spend, NEW, as_of=AS_OF, days=DAYS, unpaid=["organic"], n_boot=100)
    rows = rows.set_index(["acquisition_channel", "metric"])
    assert rows.loc[("ad", "cac"), "spend_amount"] == 36_000
    assert rows.loc[("paid channels", "cac"), "spend_amount"] == 36_000
    assert rows.loc[("all channels", "cac"), "spend_amount"] == 36_000 + 24 * 90
    assert rows.loc[("organic", "ltv_to_cac"), "note"] == "no_spend"


def test_spend_meets_the_customers_of_later_months():
    spend = _spend(0.0).assign(amount=np.arange(24) == 3)
    spend["amount"] = spend["amount"] * 100.0
    one = pd.DataFrame(
        {"customer_id": ["x"], "acquisition_channel": ["ad"], "first_day": [pd.Timestamp("2025-06-10")]}
    )
    assert cac(spend, one, as_of=AS_OF, spend_lag_months=2)["n"].iloc[0] == 1
    assert cac(spend, one, as_of=AS_OF, spend_lag_months=2)["months"].iloc[0] == 22
    with pytest.raises(ParameterError, match="spend_lag_months"):
        cac(spend, one, as_of=AS_OF, spend_lag_months=-1)


@pytest.mark.parametrize(
    ("spend", "new", "note"),
    [
        (_spend(), NEW[NEW["acquisition_channel"] != "ad"], "no_customers"),
        (_spend(0.0), NEW, "no_spend"),
        (_spend(months=MONTHS[:3], amount=100.0), NEW, "few_months"),
    ],
)
def test_what_has_no_cost_says_why(spend, new, note):
    row = cac(spend, new, as_of=AS_OF).iloc[0]
    assert row["note"] == note
    assert np.isnan(row["conf_low"])


def test_what_is_not_paid_back_within_the_horizon_has_no_month():
    rows = cac(_spend(1e6), NEW, as_of=AS_OF, days=DAYS, n_boot=100).set_index(
        ["acquisition_channel", "metric"]
    )
    row = rows.loc[("ad", "payback_months")]
    assert row["note"] == "not_paid_back"
    assert np.isnan(row["estimate"])


def test_an_unfinished_month_takes_no_part():
    found = cac(_spend(), NEW, as_of="2026-12-15")
    assert found["months"].iloc[0] == 23


def test_purchase_days_are_the_same_however_orders_and_customers_are_mixed():
    """By hand: a refund of its own falls on the purchase before; a number of two customers is two orders."""
    lines = pd.DataFrame(
        [
            ("b", "1", "2026-01-01", 5.0),
            ("a", "1", "2026-01-03", 7.0),  # another customer's order of the same number
            ("b", "1", "2026-01-04", 2.0),  # the rest of the first order
            ("b", None, "2026-01-04", 1.0),  # an order without a number
            ("b", "9", "2026-01-06", -3.0),  # a refund on its own
            ("c", "8", "2026-01-06", -3.0),  # of somebody who never bought
            (None, "7", "2026-01-06", 4.0),
        ],
        columns=["customer_id", "order_id", "ordered_at", "amount"],
    )
    lines["ordered_at"] = pd.to_datetime(lines["ordered_at"])
    days = purchase_days(lines, as_of="2026-01-31", outcome="amount")
    told = days.assign(day=days["day"].dt.day, first=days["first_day"].dt.day)
    assert told[["customer_id", "day", "first", "n_orders", "value"]].to_numpy().tolist() == [
        ["a", 3, 3, 1, 7.0],
        ["b", 1, 1, 1, 7.0],
        ["b", 4, 1, 1, -2.0],
    ]
    again = purchase_days(lines.sample(frac=1, random_state=2), as_of="2026-01-31", outcome="amount")
    pd.testing.assert_frame_equal(again, days)


def test_cost_by_cohort_adds_up_to_the_whole_and_leaves_out_what_is_not_over():
    month = pd.date_range("2025-01-01", periods=16, freq="MS")
    spend = pd.DataFrame({"month": month, "acquisition_channel": "ad", "amount": np.arange(16) * 10.0 + 50})
    day = pd.date_range("2025-01-02", periods=480, freq="D")
    new = pd.DataFrame({"customer_id": range(480), "acquisition_channel": "ad", "first_day": day})
    rows = cac_by_cohort(spend, new, as_of="2026-04-15")
    assert rows["cohort"].dt.month.tolist() == [1, 4, 7, 10, 1]  # the quarter that has begun is left out
    assert rows["spend_amount"].sum() == spend["amount"].head(15).sum()
    assert rows["estimate"].tolist() == (rows["spend_amount"] / rows["n"]).tolist()
    assert ((rows["conf_low"] < rows["estimate"]) & (rows["estimate"] < rows["conf_high"])).all()
    assert cost_moved(rows)["verdict"] == "worse"
    assert cost_moved(rows.head(1)) == {}
    level = rows.assign(estimate=10.0, spend_amount=rows["n"] * 10.0)
    assert cost_moved(level)["verdict"] == "no_difference_shown"
    assert cac_by_cohort(spend.head(2), new, as_of="2026-04-15").empty  # no quarter with all its months
    lagged = cac_by_cohort(spend, new, as_of="2026-04-15", spend_lag_months=3)
    assert (
        lagged["spend_amount"].iloc[0] == spend["amount"].head(3).sum()
        and lagged["cohort"].iloc[0].month == 4
    )


@pytest.mark.long
def test_limits_of_a_cohorts_cost_hold_the_truth_as_often_as_promised():
    rng, held = np.random.default_rng(4), 0
    month = pd.date_range("2026-01-01", periods=3, freq="MS")
    spend = pd.DataFrame({"month": month, "acquisition_channel": "ad", "amount": 1000.0})
    for _ in range(300):
        n = rng.poisson(60)
        day = pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 90, n), unit="D")
        new = pd.DataFrame({"customer_id": range(n), "acquisition_channel": "ad", "first_day": day})
        row = cac_by_cohort(spend, new, as_of="2026-03-31", n_boot=100).iloc[0]
        held += row["conf_low"] <= 50 <= row["conf_high"]
    assert 0.92 * 300 <= held <= 0.99 * 300


@pytest.mark.parametrize(("low", "claim"), [(12.0, "first"), (None, "first_judged")])
def test_a_channel_without_an_interval_may_be_the_best(low, claim):
    rows = pd.DataFrame(
        {"acquisition_channel": ["ad", "tv", "line"], "metric": "ltv_to_cac", "estimate": [3.0, 9.0, 13.0],
         "conf_low": [2.0, 8.0, low], "conf_high": [4.0, 10.0, low and 14.0], "n": 50, "note": ""}
    )  # fmt: skip
    [told] = best_channel(rows)
    assert (told["claim"], told["first"]) == (claim, "line" if low else "tv")
    assert f"customer_value.best.{claim}" in catalogue()
