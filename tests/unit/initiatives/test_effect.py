"""Panel, comparisons, staggered effects, ladder: hand calculations, planted truths, bad input."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cxlib as cx
from cxlib.checks import InputError, ParameterError
from cxlib.initiatives.study.panel import month_index

DID = {"outcome_col": "y", "unit_col": "unit", "time_col": "t", "treated_col": "treated", "post_col": "post"}


def make_panel(n=400, months=(-12, 12), effect=0.0, share=0.5, seed=1, waves=None, noise=1.0):
    """Customer × month panel with a level per customer, a season, and `effect` in each treated month."""
    rng = np.random.default_rng(seed)
    month = np.arange(*months)
    treated = rng.random(n) < share
    start = np.where(treated, 0.0, np.nan)
    if waves is not None:
        start = np.where(treated, rng.choice(waves, n), np.nan).astype(float)
    since = month[None, :] - start[:, None]
    level = rng.gamma(2, 1, n)[:, None] + np.sin(month / 2)[None, :]
    values = level + noise * rng.normal(size=(n, len(month)))
    values = values + np.where(since >= 0, effect(since) if callable(effect) else effect, 0.0)
    return pd.DataFrame(
        {
            "customer_id": np.repeat([f"c{i:05}" for i in range(n)], len(month)),
            "arm": np.repeat(np.where(treated, "treatment", "control"), len(month)),
            "start_month": np.repeat(start, len(month)),
            "month": np.tile(month, n),
            "margin": values.ravel(),
        }
    )


def two_by_two(n1=40, n0=60, effect=2.0, seed=3):
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(n1 + n0), 2)
    post = np.tile([0, 1], n1 + n0)
    treated = (unit < n1).astype(int)
    y = rng.normal(size=len(unit)) + 3 * treated + post + effect * treated * post
    return pd.DataFrame({"unit": unit, "t": post, "post": post, "treated": treated, "y": y})


# -- panel ---------------------------------------------------------------------------


def order(customer, day, amount=100.0, margin=None, order_id=None):
    return {
        "order_id": order_id or f"{customer}-{day}",
        "customer_id": customer,
        "ordered_at": pd.Timestamp(day),
        "amount": amount,
        "margin": margin,
    }


def members(**arms):
    return pd.DataFrame(
        {
            "customer_id": list(arms),
            "arm": list(arms.values()),
            "start_month": [0.0 if arm == "treatment" else np.nan for arm in arms.values()],
            "exposed": False,
        }
    )


def test_panel_counts_months_from_the_start_date_and_fills_zeros():
    orders = pd.DataFrame(
        [
            order("a", "2025-01-15", 10),
            order("a", "2025-03-14", 20),
            order("a", "2025-03-15", 40, margin=30.0),
            order("b", "2025-04-14", 80),
        ]
    )
    panel = cx.study_panel(
        orders,
        members(a="treatment", b="control"),
        started_on="2025-03-15",
        as_of="2025-04-14",
        contribution_margin_rate=0.5,
    )
    wide = panel.pivot_table(index="customer_id", columns="month", values="margin")
    assert wide.columns.tolist() == [-2, -1, 0]
    assert wide.loc["a"].tolist() == [5.0, 10.0, 30.0]
    assert wide.loc["b"].tolist() == [0.0, 0.0, 40.0]


def test_panel_counts_days_in_the_time_zone_of_the_data():
    utc = pd.to_datetime(["2025-01-31T14:00Z", "2025-01-31T15:00Z", "2025-02-28T14:59Z"])
    orders = pd.DataFrame([order("a", "2025-01-01", i) for i in (1.0, 2.0, 4.0)]).assign(
        order_id=["1", "2", "3"]
    )
    for zone, expected in (("Asia/Tokyo", 6.0), ("UTC", 4.0)):
        local = orders.assign(ordered_at=utc.tz_convert(zone))
        first = pd.DataFrame([order("a", "2024-12-31", 0.0)])
        first["ordered_at"] = pd.to_datetime(first["ordered_at"]).dt.tz_localize(zone)
        panel = cx.study_panel(
            pd.concat([first, local], ignore_index=True),
            members(a="treatment"),
            started_on="2025-02-01",
            as_of="2025-02-28",
        )
        assert panel.loc[panel["month"] == 0, "amount"].item() == expected, zone


def test_panel_of_a_start_on_the_31st_has_no_gap():
    days = pd.date_range("2025-01-31", "2025-05-30")
    orders = pd.DataFrame([order("a", str(day.date()), 1.0) for day in days])
    panel = cx.study_panel(orders, members(a="treatment"), started_on="2025-01-31", as_of="2025-05-30")
    assert panel["month"].tolist() == [0, 1, 2, 3]
    assert panel["amount"].tolist() == [28.0, 31.0, 30.0, 31.0]


def test_panel_takes_refunds_guests_and_lines_of_one_order():
    orders = pd.DataFrame(
        [
            order("a", "2025-01-01", 50, order_id="x"),
            order("a", "2025-01-01", 30, order_id="x"),
            order("a", "2025-01-05", -30, order_id="y"),
            order(None, "2025-01-06", 999),
            order("a", "2025-01-07", np.nan),
            order("stranger", "2025-01-07", 5),
        ]
    )
    panel = cx.study_panel(orders, members(a="treatment"), started_on="2025-01-01", as_of="2025-01-31")
    two = [[50.0, 2.0]]  # a missing amount adds no money, its order is a purchase all the same
    assert panel[["amount", "orders"]].to_numpy().tolist() == two


@pytest.mark.parametrize(
    ("start", "day", "whole"),
    [("2025-01-01", "2025-04-01", 3), ("2025-01-01", "2025-03-31", 2), ("2025-01-31", "2025-02-28", 1)],
)
def test_only_whole_months_count(start, day, whole):
    assert month_index(pd.Series(pd.to_datetime([day])), pd.Timestamp(start)).tolist() == [whole]


def test_panel_is_empty_where_the_data_do_not_reach_back_to_the_start():
    orders = pd.DataFrame([order("a", "2025-05-02")])
    panel = cx.study_panel(orders, members(a="treatment"), started_on="2025-01-01", as_of="2025-12-31")
    assert panel.empty
    assert cx.observed_months(panel) == 0


# -- members ---------------------------------------------------------------------------


PEOPLE = pd.DataFrame(
    {"customer_id": list("abcd"), "first_seen_on": pd.to_datetime(["2024-01-01"] * 3 + ["2026-01-01"])}
)


def enrol(rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "enrolled_on", "arm"]).assign(initiative_id="I1")
    return frame.assign(enrolled_on=pd.to_datetime(frame["enrolled_on"]))


def study(rows, assignment="randomised"):
    return cx.study_members(
        None if rows is None else enrol(rows),
        PEOPLE,
        initiative="I1",
        started_on="2025-01-01",
        assignment=assignment,
    )


def test_arms_stay_as_assigned_and_an_exposed_control_is_noticed():
    found = study(
        [("a", "2025-01-01", "treatment"), ("b", "2025-02-01", "control"), ("c", None, "treatment")]
    )
    assert found["arm"].tolist() == ["treatment", "control", "treatment"]
    assert found["exposed"].tolist() == [False, True, False]
    assert found["start_month"].fillna(-1).tolist() == [0.0, -1.0, 0.0]


def test_a_missing_arm_follows_from_the_enrolment_date():
    assert study([("a", "2025-01-01", None), ("b", None, None)])["arm"].tolist() == ["treatment", "control"]


def test_waves_start_when_the_customer_was_enrolled():
    found = study(
        [("a", "2025-01-01", "treatment"), ("b", "2025-03-10", "treatment"), ("c", None, "control")],
        "staggered",
    )
    assert found["start_month"].fillna(-1).tolist() == [0.0, 2.0, -1.0]


@pytest.mark.parametrize("rows", [None, []])
def test_without_enrolments_everybody_seen_before_counts_as_treated(rows):
    found = study(rows)
    assert found["customer_id"].tolist() == ["a", "b", "c"]
    assert set(found["arm"]) == {"treatment"}


def test_a_customer_in_both_arms_is_refused_without_naming_anybody():
    with pytest.raises(InputError) as caught:
        study([("a", "2025-01-01", "treatment"), ("a", None, "control")])
    assert caught.value.key == "impact.enrolled_twice"
    assert "1 customer stands" in str(caught.value)


def test_drop_small_arms_leaves_nobody_without_treated_customers():
    few = members(a="treatment", b="control", c="control")
    assert cx.drop_small_arms(few, min_cell=2).empty
    assert cx.drop_small_arms(few, min_cell=1)["customer_id"].tolist() == ["a", "b", "c"]


INITIATIVES = pd.DataFrame(
    {
        "initiative_id": ["I1", "I2"],
        "name": ["A", "B"],
        "started_on": pd.to_datetime(["2025-01-01", "2025-02-01"]),
        "one_time_cost": [100.0, np.nan],
        "monthly_cost": [10.0, 5.0],
        "assignment": ["randomised", "everyone"],
    }
)


def test_choose_initiative_lists_those_that_exist():
    with pytest.raises(ParameterError, match=r"'I9'.*I1, I2"):
        cx.choose_initiative(INITIATIVES, "I9")
    assert cx.choose_initiative(INITIATIVES, "I1")["day_before"] == "2024-12-31"
    assert np.isnan(cx.choose_initiative(INITIATIVES, "I2")["one_time_cost"])


def test_a_register_of_hundreds_is_not_listed_whole_only_the_nearest_ids():
    many = pd.concat([INITIATIVES.head(1).assign(initiative_id=f"mail-{i:03}") for i in range(400)])
    with pytest.raises(ParameterError) as refused:
        cx.choose_initiative(many, "mial-217")
    assert "mail-217" in str(refused.value) and str(refused.value).count("mail-") == 3
    assert "…" in str(refused.value)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"one_time_cost": -1.0}, "impact.negative_cost"),
        ({"monthly_cost": -1.0}, "impact.negative_cost"),
        ({"started_on": pd.NaT}, "impact.incomplete_initiative"),
        ({"assignment": "by feel"}, "impact.incomplete_initiative"),
    ],
)
def test_choose_initiative_refuses_impossible_rows(change, key):
    with pytest.raises(InputError) as caught:
        cx.choose_initiative(INITIATIVES.assign(**change), "I1")
    assert caught.value.key == key


# -- comparisons ---------------------------------------------------------------------------


def test_before_after_uses_each_units_own_start():
    panel = pd.DataFrame(
        {
            "customer_id": list("aaaabbbbc"),
            "month": [-2, -1, 0, 1, -2, -1, 0, 1, 0],
            "start_month": [0.0] * 4 + [1.0] * 4 + [np.nan],
            "margin": [1.0, 1, 5, 5, 0, 2, 4, 9, 99],
        }
    )
    found = cx.before_after(panel, horizon_months=1, months_before=1).set_index("metric")["estimate"]
    assert found["before"] == (1 + 4) / 2
    assert found["after"] == (5 + 9) / 2
    assert found["before_after"] == (4 + 5) / 2


def test_same_months_last_year_takes_out_the_season():
    month = np.arange(-12, 6)
    season = np.where(month % 12 < 6, 10.0, 0.0)
    panel = pd.DataFrame({"customer_id": "a", "month": month, "start_month": 0.0, "margin": season})
    both = pd.concat([panel, panel.assign(customer_id="b")])
    found = cx.before_after(both, horizon_months=6).set_index("metric")["estimate"]
    assert found["before_after"] == 10.0
    assert found["same_months_last_year"] == 0.0


def test_did_of_two_by_two_is_the_regression_coefficient():
    import statsmodels.api as sm

    panel = two_by_two()
    found = cx.did(panel, **DID).iloc[0]
    change = panel[panel["post"] == 1]["y"].to_numpy() - panel[panel["post"] == 0]["y"].to_numpy()
    arm = panel[panel["post"] == 0]["treated"].to_numpy()
    fit = sm.OLS(change, sm.add_constant(arm)).fit(cov_type="HC2")
    assert found["estimate"] == pytest.approx(fit.params[1], abs=1e-12)
    assert found["std_error"] == pytest.approx(fit.bse[1], rel=1e-9)
    means = found[["treatment_after", "treatment_before", "control_after", "control_before"]]
    assert found["estimate"] == pytest.approx(means.iloc[0] - means.iloc[1] - means.iloc[2] + means.iloc[3])


def test_did_sign_and_missing_values():
    panel = two_by_two(effect=5.0)
    panel.loc[0, "y"] = np.nan
    found = cx.did(panel, **DID).iloc[0]
    assert found["conf_low"] > 0
    assert found["n_treatment"] == 39
    turned = cx.did(panel.assign(treated=1 - panel["treated"]), **DID).iloc[0]
    assert turned["estimate"] == pytest.approx(-found["estimate"])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_did_ignores_row_order_extra_columns_and_levels_of_units(seed):
    panel = two_by_two(seed=seed)
    kept = panel.copy()
    other = panel.assign(y=panel["y"] + 7 * panel["unit"], extra="x").sample(frac=1, random_state=seed)
    one, two = cx.did(panel, **DID), cx.did(other, **DID)
    assert one["estimate"].item() == pytest.approx(two["estimate"].item(), abs=1e-6)
    assert one["std_error"].item() == pytest.approx(two["std_error"].item(), abs=1e-6)
    pd.testing.assert_frame_equal(panel, kept)


def test_did_clusters_units_that_share_shocks():
    rng = np.random.default_rng(5)
    panel = two_by_two(n1=300, n0=300, effect=0.0)
    panel["shop"] = panel["unit"] % 30 + 30 * panel["treated"]
    shock = rng.normal(size=60)
    panel["y"] += shock[panel["shop"]] * panel["post"]
    plain, clustered = cx.did(panel, **DID), cx.did(panel, **DID, cluster_col="shop")
    assert clustered["std_error"].item() > 1.7 * plain["std_error"].item()
    assert clustered["df"].item() == pytest.approx(58)
    one_each = cx.did(panel.assign(shop=panel["treated"]), **DID, cluster_col="shop")
    assert np.isnan(one_each["std_error"].item())


def test_did_with_one_treated_unit_gives_no_interval():
    found = cx.did(two_by_two(n1=1), **DID).iloc[0]
    assert np.isfinite(found["estimate"])
    assert np.isnan(found["conf_low"])


def test_did_refuses_an_empty_cell_and_an_unknown_column():
    panel = two_by_two()
    with pytest.raises(ParameterError, match="four groups"):
        cx.did(panel[panel["treated"] == 1], **DID)
    with pytest.raises(ParameterError, match=r"post_col='posst'.*post"):
        cx.did(panel, **{**DID, "post_col": "posst"})


def test_adjusted_difference_equals_lins_regression():
    import statsmodels.api as sm

    rng = np.random.default_rng(2)
    x, arm = rng.normal(size=200), rng.random(200) < 0.4
    y = 1 + 2 * x + arm * (0.5 + x) + rng.normal(size=200)
    data = pd.DataFrame({"y": y, "x": x, "treated": arm})
    found = cx.adjusted_difference(data, outcome_col="y", treated_col="treated", covariates=["x"]).iloc[0]
    centred = x - x.mean()
    design = np.column_stack([np.ones(200), arm, centred, centred * arm])
    fit = sm.OLS(y, design).fit(cov_type="HC2", use_t=True)
    assert found["estimate"] == pytest.approx(fit.params[1], abs=1e-10)
    assert found["std_error"] == pytest.approx(fit.bse[1], rel=1e-9)
    assert found["p_value"] == pytest.approx(fit.pvalues[1], rel=1e-6)


# -- staggered ---------------------------------------------------------------------------


def att(panel, **options):
    names = {
        "outcome_col": "margin",
        "unit_col": "customer_id",
        "time_col": "month",
        "start_col": "start_month",
    }
    return cx.att_gt(panel, **names, **options)


def test_att_recovers_a_growing_effect_that_two_way_fixed_effects_miss():
    panel = make_panel(n=3000, months=(0, 12), effect=lambda e: 0.5 * (e + 1), waves=[2, 5, 8], noise=0.3)
    result = att(panel, base="mean")
    since = panel["month"] - panel["start_month"]
    truth = (0.5 * (since[since >= 0] + 1)).mean()
    found = result.aggregate("simple").iloc[0]
    assert found["conf_low"] < truth < found["conf_high"]
    dynamic = result.aggregate("dynamic").set_index("event_time")["estimate"]
    assert dynamic.loc[3.0] == pytest.approx(2.0, abs=0.15)
    treated = (since >= 0).astype(float)
    resid = panel.assign(d=treated)
    for column in ("d", "margin"):
        resid[column] -= resid.groupby("customer_id")[column].transform("mean")
        resid[column] -= resid.groupby("month")[column].transform("mean")
    twfe = (resid["d"] * resid["margin"]).sum() / (resid["d"] ** 2).sum()
    assert twfe < 0.85 * truth


def test_two_arms_give_the_same_by_att_and_by_did():
    panel = make_panel(n=200, effect=1.0)
    window = panel.assign(treated=panel["start_month"].notna(), post=panel["month"] >= 0)
    by_did = cx.did(
        window,
        outcome_col="margin",
        unit_col="customer_id",
        time_col="month",
        treated_col="treated",
        post_col="post",
    ).iloc[0]
    by_att = att(panel, base="mean").aggregate("dynamic").iloc[0]
    assert by_att["estimate"] == pytest.approx(by_did["estimate"], abs=1e-10)
    assert by_att["std_error"] == pytest.approx(by_did["std_error"], rel=0.02)


def test_horizon_uses_only_waves_observed_that_long():
    panel = make_panel(n=900, months=(-6, 8), waves=[0, 4], effect=1.0)
    result = att(panel, base="mean")
    rows = result.aggregate("dynamic", horizon_months=6)
    first = (panel.drop_duplicates("customer_id")["start_month"] == 0).sum()
    assert rows.loc[0, "n"] == first
    assert rows["event_time"].max() == 5
    assert np.isnan(result.aggregate("dynamic", horizon_months=12).loc[0, "estimate"])


def test_not_yet_treated_serve_as_controls_only_until_they_start():
    panel = make_panel(n=600, months=(0, 8), share=1.0, waves=[3, 6], effect=1.0)
    with pytest.raises(ParameterError, match="not_yet"):
        att(panel)
    cells = att(panel, control="not_yet").estimates
    assert cells.loc[cells["start"] == 3, "time"].max() == 5
    assert 6 not in cells.loc[cells["event_time"] >= 0, "start"].tolist()


def test_money_and_effect_of_waves_count_the_same_months():
    panel = make_panel(n=800, months=(-6, 6), waves=[0, 2], effect=1.0)
    effects, covariance = cx.monthly_effects(panel, assignment="staggered", horizon_months=4)
    ladder = cx.evidence_ladder(panel, assignment="staggered", horizon_months=[4])
    assert effects["estimate"].mean() == pytest.approx(ladder.query("is_answer")["estimate"].item())
    assert len(set(effects["n_treated"])) == 1
    assert np.allclose(np.sqrt(np.diag(covariance)), effects["std_error"])
    first, second = panel.drop_duplicates("customer_id")["start_month"].value_counts().sort_index()
    share = second / (first + second)
    assert effects["cost_months"].tolist() == pytest.approx([1 + share] * 2 + [1.0] * 2)


def test_simultaneous_band_is_wider_and_pretrend_has_its_size():
    panel = make_panel(n=300, effect=0.0)
    result = att(panel)
    band = result.aggregate("dynamic", band="simultaneous")
    assert (band["critical_value"].iloc[1:] > 2.5).all()
    assert band["critical_value"].iloc[0] == pytest.approx(1.96, abs=0.001)
    test = result.pretrend().iloc[0]
    assert test["df"] == 11
    assert 0.001 < test["p_value"] <= 1


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"control": "nobody"}, "checks.unknown_option"),
        ({"base": "best"}, "checks.unknown_option"),
        ({"covariates": ["age"]}, "checks.no_such_column"),
        ({"covariates": ["margins"]}, "checks.missing_column"),  # a name close by is offered
    ],
)
def test_att_lists_its_options(options, key):
    with pytest.raises(ParameterError) as caught:
        att(make_panel(n=20), **options)
    assert caught.value.key == key


def test_att_refuses_repeated_periods_and_panels_without_treated():
    panel = make_panel(n=20)
    with pytest.raises(ParameterError, match="two rows"):
        att(pd.concat([panel, panel.head(1)]))
    with pytest.raises(ParameterError, match="no start"):
        att(panel.assign(start_month=np.nan))
    with pytest.raises(ParameterError, match="kind"):
        att(panel).aggregate("weekly")


def test_units_without_every_period_are_left_out():
    panel = make_panel(n=50)
    short = panel.drop(index=0)
    assert att(short).sizes.sum() == att(panel).sizes.sum() - 1


# -- ladder ---------------------------------------------------------------------------


def test_the_rung_that_answers_follows_the_assignment():
    panel = make_panel(n=300)
    answers = {
        kind: cx.evidence_ladder(panel, assignment=kind).query("is_answer")["rung"].unique().tolist()
        for kind in ("randomised", "staggered", "targeted", "everyone")
    }
    assert answers == {
        "randomised": ["randomised"],
        "staggered": ["staggered_did"],
        "targeted": ["did"],
        "everyone": [],
    }


def test_a_horizon_not_reached_is_answered_for_the_months_there_are():
    panel = make_panel(n=200, months=(-12, 7))
    ladder = cx.evidence_ladder(panel, assignment="targeted", horizon_months=[6, 12, 24])
    assert ladder.groupby("horizon_months")["months_observed"].first().to_dict() == {6: 6, 12: 7}
    assert cx.answer_rung(ladder, horizon_months=12)["months_observed"] == 7
    assert cx.answer_rung(ladder, horizon_months=6)["months_observed"] == 6


def test_without_controls_there_is_only_before_after():
    ladder = cx.evidence_ladder(make_panel(share=1.0), assignment="randomised")
    assert set(ladder["rung"]) == {"before_after", "same_months_last_year", "interrupted_series"}
    assert not ladder["is_answer"].any()
    assert cx.answer_rung(ladder, horizon_months=12)["rung"] == "before_after"


def test_money_and_verdict_rest_on_the_same_rung():
    for assignment in ("randomised", "targeted"):
        panel = make_panel(n=300, effect=0.7)
        ladder = cx.evidence_ladder(panel, assignment=assignment, horizon_months=[12])
        effects, covariance = cx.monthly_effects(panel, assignment=assignment, horizon_months=12)
        answer = cx.answer_rung(ladder, horizon_months=12)
        assert effects["estimate"].mean() == pytest.approx(answer["estimate"], abs=1e-9)
        error = np.sqrt(covariance.sum()) / 12
        assert error == pytest.approx(answer["std_error"], rel=0.03)


@pytest.mark.parametrize("assignment", ["randomised", "staggered", "targeted", "everyone"])
def test_an_empty_panel_goes_all_the_way_down(assignment):
    panel = make_panel(n=20).iloc[:0]
    ladder = cx.evidence_ladder(panel, assignment=assignment)
    assert ladder.empty
    assert cx.answer_rung(ladder, horizon_months=12)["months_observed"] == 0
    assert cx.monthly_effects(panel, assignment=assignment, horizon_months=12)[0].empty
    assert cx.monthly_gap(panel).empty
    assert cx.arm_months(panel).empty
    assert cx.parallel_trends(panel)["df"].item() == 0


def test_targeting_low_spenders_is_praised_by_before_after_only():
    rng = np.random.default_rng(11)
    n, months = 6000, np.arange(-6, 12)
    habit = rng.gamma(1.5, 2, n)[:, None]
    spend = rng.poisson(habit, size=(n, len(months))).astype(float)
    low = spend[:, :6].sum(axis=1)
    picked = np.flatnonzero(low <= np.quantile(low, 0.2))
    treated = rng.random(len(picked)) < 0.6
    panel = pd.DataFrame(
        {
            "customer_id": np.repeat(picked, len(months)),
            "arm": np.repeat(np.where(treated, "treatment", "control"), len(months)),
            "start_month": np.repeat(np.where(treated, 0.0, np.nan), len(months)),
            "month": np.tile(months, len(picked)),
            "margin": spend[picked].ravel(),
        }
    )
    ladder = cx.evidence_ladder(panel, assignment="targeted", horizon_months=[12]).set_index("rung")
    assert ladder.loc["before_after", "conf_low"] > 0
    assert ladder.loc["did", "conf_low"] < 0 < ladder.loc["did", "conf_high"]


def test_f2_compares_customers_with_one_purchase_day_before():
    days = {
        "a": ["2025-01-01", "2025-02-10"],
        "b": ["2025-01-01"],
        "c": ["2025-01-01", "2025-01-05", "2025-02-20"],
    }
    rows = [order(who, day) for who, dates in days.items() for day in dates]
    rows += [
        order("d", "2025-01-03", order_id="d1"),
        order("d", "2025-01-03", order_id="d2"),
        order("e", "2025-01-09"),
    ]
    group = members(a="treatment", b="control", c="treatment", d="treatment", e="control")
    found = cx.f2_effect(
        pd.DataFrame(rows), group, started_on="2025-02-01", as_of="2025-03-31", horizon_months=[2, 3]
    )
    done = found[found["horizon_months"] == 2].set_index("arm")
    assert done.loc["treatment", ["estimate", "n"]].tolist() == [0.5, 2]
    assert done.loc["control", ["estimate", "n"]].tolist() == [0.0, 2]
    assert done.loc["difference", "estimate"] == 0.5
    assert found.loc[found["horizon_months"] == 3, "estimate"].isna().all()


def test_groups_get_their_own_effect_or_none():
    panel = make_panel(n=400, effect=1.0)
    ids = panel["customer_id"].unique()
    people = pd.DataFrame({"customer_id": ids, "region": ["x", "y"] * 200})
    people.loc[5, "region"] = None
    split = cx.effect_by_group(panel, people, by="region", assignment="targeted")
    assert split["region"].tolist() == ["x", "y", "not_recorded"]
    assert (split["conf_low"].iloc[:2] > 0).all()
    assert np.isnan(split["estimate"].iloc[2])
    assert split["n"].tolist() == split[["n_treatment", "n_control"]].min(axis=1).tolist()
    people["region"] = people["region"].where(people.index >= 360, "small")
    people.loc[:12, "region"] = "tiny"
    every = cx.effect_by_group(panel, people, by="region", assignment="targeted").set_index("region")
    shown = cx.effect_by_group(panel, people, by="region", assignment="targeted", min_cell=10)
    shown = shown.set_index("region")
    few = every["n"] < 10
    assert few.any() and every.loc[few, "estimate"].notna().all() and shown.loc[few, "estimate"].isna().all()
    pd.testing.assert_frame_equal(shown[~few], every[~few])
    pd.testing.assert_frame_equal(shown[["n", "n_control"]], every[["n", "n_control"]])


def notes(panel, group, **options):
    found = cx.study_notes(panel, group, **{"assignment": "randomised", **options})
    return {note["key"].removeprefix("impact.note_"): note["level"] for note in found}


def test_notes_name_what_weakens_a_study():
    panel = make_panel(n=100)
    group = panel.drop_duplicates("customer_id").assign(exposed=False)
    assert notes(panel, group) == {}
    assert notes(panel, group, assignment="everyone") == {"everyone": "warning"}
    assert notes(panel, group, assignment="targeted") == {"targeted": "warning"}
    assert notes(panel, group.assign(exposed=group["arm"] == "control")) == {"exposed": "warning"}
    assert notes(panel[panel["month"] >= 0], group) == {"no_months_before": "warning"}
    cut = notes(panel[panel["month"] >= 0], group, period_start="2025-10-01")
    assert cut == {"no_months_in_period": "warning"}
    assert notes(panel.assign(margin=1.0), group) == {"constant": "not_enough_data"}
    treated = panel[panel["arm"] == "treatment"]
    assert notes(treated, group[group["arm"] == "treatment"]) == {"no_control": "warning"}
    empty = panel.iloc[:0]
    assert notes(empty, group) == {"not_started": "not_enough_data"}
    late = {"first_day": "2025-06-01", "started_on": "2025-01-01"}
    assert notes(empty, group, **late) == {"starts_before_data": "not_enough_data"}
    period = late | {"period_start": "2025-06-01"}
    assert notes(empty, group, **period) == {"starts_before_period": "not_enough_data"}
    wider = late | {"period_start": "2024-06-01"}  # the data begin later than the period
    assert notes(empty, group, **wider) == {"starts_before_data": "not_enough_data"}
    assert notes(empty, group.iloc[:0]) == {"no_members": "not_enough_data"}
    assert "small_arm" in notes(panel, group, min_cell=90)


def test_a_placebo_start_finds_a_drift_and_nothing_else():
    quiet = cx.placebo_effect(make_panel(n=400, effect=5.0, seed=4)).iloc[0]
    assert quiet["conf_low"] < 0 < quiet["conf_high"]
    assert quiet["months"] == 6
    panel = make_panel(n=400, effect=0.0)
    drift = panel.assign(margin=panel["margin"] + 0.2 * panel["month"] * (panel["arm"] == "treatment"))
    assert cx.placebo_effect(drift)["estimate"].item() == pytest.approx(1.2, abs=0.3)
    assert cx.placebo_effect(drift)["conf_low"].item() > 0
    assert cx.placebo_effect(panel[panel["month"] >= -1]).empty
    assert cx.placebo_effect(panel[panel["arm"] == "treatment"]).empty
    ended = panel[panel["month"] < 0]
    assert cx.placebo_effect(ended.assign(month=ended["month"] - 20)).empty


# -- planning ---------------------------------------------------------------------------


def test_regression_to_the_mean_matches_its_simulation():
    rng = np.random.default_rng(7)
    habit, one, two = rng.normal(size=(3, 400_000)) * np.sqrt(0.5)
    first, second = habit + one, habit + two
    low = first < np.quantile(first, 0.1)
    expected = cx.regression_to_mean(correlation=0.5)["estimate"].item()
    assert expected == pytest.approx(0.8775, abs=5e-5)
    assert (second - first)[low].mean() == pytest.approx(expected, abs=0.01)
    high = cx.regression_to_mean(correlation=0.5, tail="high", std_dev=100)["estimate"].item()
    assert high == pytest.approx(-100 * expected)


def test_detectable_effect_has_the_power_it_promises():
    plan = cx.detectable_effect(n_customers=400, std_dev_monthly=2.0, correlation=0.3, horizon_months=[6])
    effect = plan["estimate"].item()
    rng = np.random.default_rng(3)
    seen = 0
    for _ in range(400):
        level = rng.normal(size=(400, 1)) * 2 * np.sqrt(0.3)
        values = (level + rng.normal(size=(400, 6)) * 2 * np.sqrt(0.7)).mean(axis=1)
        data = pd.DataFrame({"y": values, "treated": np.arange(400) < 200})
        data["y"] += effect * data["treated"]
        seen += cx.adjusted_difference(data, outcome_col="y", treated_col="treated")["conf_low"].item() > 0
    assert 0.73 < seen / 400 < 0.87
    longer = cx.detectable_effect(n_customers=400, std_dev_monthly=2.0, correlation=0.3)
    assert longer["estimate"].is_monotonic_decreasing


@pytest.mark.parametrize(
    "wrong",
    [
        {"holdout_share": 0.0},
        {"power": 1.0},
        {"correlation": 1.2},
        {"n_customers": 2},
        {"horizon_months": [0]},
    ],
)
def test_detectable_effect_refuses_impossible_plans(wrong):
    with pytest.raises(ParameterError):
        cx.detectable_effect(**{"n_customers": 100, "std_dev_monthly": 1.0, **wrong})
    with pytest.raises(ParameterError, match="tail"):
        cx.regression_to_mean(correlation=0.5, tail="left")


def test_monthly_effects_leave_out_customers_without_any_outcome():
    panel = make_panel(n=60, months=(-4, 4), effect=0.5, seed=1)
    out = panel["customer_id"] == panel["customer_id"].iloc[0]
    terms = {"assignment": "randomised", "horizon_months": 4}
    silent, covariance = cx.monthly_effects(panel.assign(margin=panel["margin"].mask(out)), **terms)
    absent, expected = cx.monthly_effects(panel[~out], **terms)
    pd.testing.assert_frame_equal(silent, absent)
    np.testing.assert_allclose(covariance, expected)


# -- truths ---------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rounds", "band"), [(150, (0.9, 0.99)), pytest.param(1000, (0.93, 0.97), marks=pytest.mark.long)]
)
def test_intervals_cover_and_tests_have_their_size(rounds, band):
    covered = {"randomised": 0, "did": 0, "staggered": 0}
    for seed in range(rounds):
        panel = make_panel(n=120, months=(-4, 4), effect=0.5, seed=seed)
        rungs = cx.evidence_ladder(panel, assignment="randomised", horizon_months=[4]).set_index("rung")
        for rung in ("randomised", "did"):
            covered[rung] += rungs.loc[rung, "conf_low"] < 0.5 < rungs.loc[rung, "conf_high"]
        waves = make_panel(n=160, months=(-4, 5), effect=0.5, seed=seed, waves=[0, 1])
        row = cx.evidence_ladder(waves, assignment="staggered", horizon_months=[4]).query("is_answer").iloc[0]
        covered["staggered"] += row["conf_low"] < 0.5 < row["conf_high"]
    for rung, hits in covered.items():
        assert band[0] <= hits / rounds <= band[1], rung
