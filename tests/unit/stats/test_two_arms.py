"""Columns that tell two things apart hold true/false or 0/1, and nothing else is taken for "true"."""

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.checks import InputError, ParameterError
from cxlib.stats.two_arms import check_arms, flags

NAMES = {"outcome_col": "y", "unit_col": "unit", "time_col": "month", "treated_col": "treated"}


def panel(n=300, effect=15.0):
    """Months −6 to 5, units' changes apart by `effect` after month 0."""
    rng = np.random.default_rng(0)
    month = np.arange(-6, 6)
    treated = np.arange(n) % 2
    y = rng.normal(size=(n, 12)) * 6 + effect * treated[:, None] * (month >= 0)
    frame = pd.DataFrame({"unit": np.repeat(np.arange(n), 12), "month": np.tile(month, n), "y": y.ravel()})
    return frame.assign(treated=np.repeat(treated, 12), post=frame["month"] >= 0)


@pytest.mark.parametrize(
    "values",
    [[True, False, None], [1, 0, None], [1.0, 0.0, np.nan], pd.array([True, False, None], dtype="boolean"),
     pd.array([1, 0, None], dtype="Int64"), pd.Categorical([1, 0, None])],
)  # fmt: skip
def test_true_false_and_one_zero_are_read_whatever_their_type(values):
    found, known = flags(pd.DataFrame({"a": values}), "a_col", "a")
    assert found.tolist() == [True, False, False]
    assert known.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("values", "says"),
    [([2, 0, 1], "another value"), ([-1.0, 0.0, 1.0], "another value"), ([0.5, 0, 1], "another value"),
     (["1", "0", "1"], "text"), (["treatment", "control", None], "text"),
     (pd.to_datetime(["2025-01-01"] * 3), "another value"), (["secret-name", 0, 1], "text")],
)  # fmt: skip
def test_anything_else_is_refused_and_no_text_repeated(values, says):
    with pytest.raises(
        ParameterError, match=rf"`a_col='a'` must hold true/false or 0/1.*{says}.*row 1"
    ) as error:
        flags(pd.DataFrame({"a": values}), "a_col", "a")
    assert "secret" not in str(error.value)


def test_did_refuses_months_for_after_and_names_the_remedy():
    with pytest.raises(
        ParameterError, match=r"`post_col='month'`.*3,000 of 3,600 rows.*`data\['month'\] >= start`"
    ):
        cx.did(panel(), **NAMES, post_col="month")
    with pytest.raises(ParameterError, match=r"`treated_col='arm'`.*text"):
        cx.did(panel().assign(arm="treatment"), **NAMES | {"treated_col": "arm"}, post_col="post")
    found = cx.did(panel(), **NAMES, post_col="post").iloc[0]
    assert found["conf_low"] < 15 < found["conf_high"]


def test_did_leaves_out_and_counts_units_without_a_group():
    data = panel()
    gone = data["unit"] % 7 == 3
    data["treated"] = data["treated"].astype(float).mask(gone)
    found = cx.did(data, **NAMES, post_col="post").iloc[0]
    count = data.loc[gone, "unit"].nunique()
    assert (found["n"], found["n_left_out"]) == (300 - count, count)
    kept = cx.did(data[~gone], **NAMES, post_col="post").iloc[0]
    assert found["estimate"] == kept["estimate"]
    assert kept["n_left_out"] == 0
    sections = cx.did(data, **NAMES | {"unit_col": None}, post_col="post").iloc[0]
    assert sections["n_left_out"] == gone.sum()


def test_adjusted_difference_refuses_arms_of_one_and_two_and_never_counts_below_zero():
    data = pd.DataFrame({"y": np.arange(200.0), "arm": np.repeat([1, 2], 100)})
    with pytest.raises(ParameterError, match=r"`treated_col='arm'`.*100 of 200 rows"):
        cx.adjusted_difference(data, outcome_col="y", treated_col="arm")
    data = data.assign(treated=(data["arm"] == 2).astype(float).mask(data.index < 10))
    found = cx.adjusted_difference(data, outcome_col="y", treated_col="treated").iloc[0]
    assert found[["n_treatment", "n_control", "n_left_out"]].tolist() == [100, 90, 10]


def test_groups_that_leave_nothing_to_compare_are_refused_by_what_is_wrong_with_them():
    data = panel().assign(treated=lambda rows: rows["treated"] * rows["post"])
    with pytest.raises(ParameterError, match=r"it changes within \d+ units"):
        cx.did(data, **NAMES, post_col="post")
    people = pd.DataFrame({"y": np.arange(20.0), "arm": [0, 1] * 10, "age": range(20), "word": ["Taro"] * 20})
    people["too"] = 3 * people["arm"] - people["age"]
    names = {"outcome_col": "y", "treated_col": "arm"}
    with pytest.raises(ParameterError, match=r"`covariates` tell the group"):
        cx.adjusted_difference(people, covariates=["age", "too"], **names)
    with pytest.raises(ParameterError, match="one of the two groups"):
        cx.adjusted_difference(people[people["arm"] == 1], **names)
    with pytest.raises(InputError, match="`word` holds text") as stopped:
        cx.adjusted_difference(people, covariates=["word"], **names)
    assert "Taro" not in str(stopped.value)


def test_arms_are_treatment_or_control_by_name():
    check_arms(pd.DataFrame({"arm": ["treatment", "control"]}))
    with pytest.raises(ParameterError, match=r"Column `arm`.*2 of 3 rows.*row 2"):
        check_arms(pd.DataFrame({"arm": ["treatment", "A", None]}))
    members = pd.DataFrame({"customer_id": ["a"], "arm": [1]})
    orders = pd.DataFrame({"customer_id": ["a"], "amount": 1.0, "order_id": "1"})
    orders["ordered_at"] = pd.Timestamp("2025-01-01")
    with pytest.raises(ParameterError, match="Column `arm`"):
        cx.f2_effect(orders, members, started_on="2025-01-01", as_of="2025-12-31")


@pytest.mark.parametrize(("hits", "sizes"), [((-1, 2), (5, 5)), ((6, 2), (5, 5)), ((1, np.nan), (5, 5))])
def test_counts_of_a_ratio_lie_within_their_group(hits, sizes):
    with pytest.raises(ParameterError, match=r"group \d has"):
        cx.risk_ratio(hits, sizes)


def test_never_treated_as_zero_is_told_apart():
    years = pd.DataFrame(
        {"unit": np.repeat([1, 2, 3], 3), "year": [2003, 2004, 2005] * 3, "y": np.arange(9.0)}
    )
    years["start"] = np.repeat([2004.0, 0.0, 0.0], 3)
    names = {"outcome_col": "y", "unit_col": "unit", "time_col": "year", "start_col": "start"}
    for function in (cx.att_gt, cx.twoway_weights):
        with pytest.raises(ParameterError, match=r"`start`: 2 units start at 0.*set it to missing"):
            function(years, **names)
        with pytest.raises(ParameterError, match=r"2 units start at -1.*set it to missing"):
            function(years.assign(start=years["start"].replace(0, -1)), **names)
        with pytest.raises(ParameterError, match=r"differs within 1 unit\."):
            function(years.assign(start=years["start"].where(years.index != 1)), **names)
    with pytest.raises(ParameterError, match="2 units start in the first period or before it"):
        cx.att_gt(years.assign(year=years["year"] - 2003, start=np.repeat([1.0, 0, 0], 3)), **names)
    known = years.assign(start=years["start"].replace(0, np.nan))
    assert cx.att_gt(known, **names).estimates["n_control"].tolist() == [2, 2]


def test_an_id_in_the_index_is_said_to_be_there():
    with pytest.raises(ParameterError, match=r"`unit_col='unit'` is the index of the table.*reset_index"):
        cx.did(panel().set_index("unit"), **NAMES, post_col="post")
    with pytest.raises(ParameterError, match="the table has none"):
        flags(pd.DataFrame(index=[1]), "a_col", "a")


# -- no interval without an error ----------------------------------------------------------------------


def test_an_arm_that_never_varies_has_no_interval_on_any_rung():
    """Nobody in the control group bought: the error of the difference is not that of the treated alone."""
    data = panel(60).rename(columns={"unit": "customer_id", "y": "margin"})
    data["margin"] = data["margin"].where(data["treated"] == 1, 0.0)
    data = data.assign(
        start_month=np.where(data["treated"] == 1, 0.0, np.nan),
        arm=np.where(data["treated"] == 1, "treatment", "control"),
    )
    for assignment, rung in (
        ("targeted", "did"),
        ("randomised", "randomised"),
        ("staggered", "staggered_did"),
    ):
        ladder = cx.evidence_ladder(data, assignment=assignment, horizon_months=[6])
        row = ladder.set_index("rung").loc[rung]
        assert np.isfinite(row["estimate"])
        assert np.isnan(row["conf_low"])
        assert np.isnan(row["std_error"])
        effects, covariance = cx.monthly_effects(data, assignment=assignment, horizon_months=6)
        assert effects["std_error"].isna().all()
        assert not (covariance > 0).any()


def test_values_all_alike_have_no_interval_of_width_zero():
    data = pd.DataFrame({"customer_id": list("ab"), "arm": "control", "month": 0, "margin": 0.1})
    assert cx.arm_months(data)[["std_error", "conf_low", "conf_high"]].isna().all(axis=None)
    everybody = cx.risk_ratio((10, 20), (10, 20)).iloc[0]
    assert everybody["estimate"] == 1
    assert np.isnan(everybody["conf_low"])


# -- two shares ----------------------------------------------------------------------------------------


def test_plans_of_two_shares_are_those_of_r():
    """R, power.prop.test: p1=.5, p2=.75, power=.9: 76.7; n=50, p1=.5, p2=.75: .740; n=50, power=.9: .8026."""
    needed = cx.share_plan(control_share=0.5, treatment_share=0.75, power=0.9).iloc[0]
    assert needed[["n_treatment", "n_control"]].tolist() == [77, 77]
    known = cx.share_plan(control_share=0.5, treatment_share=0.75, n_customers=100)["power"].item()
    assert known == pytest.approx(0.7401659, abs=1e-6)
    rise, fall = cx.share_plan(control_share=0.5, n_customers=100, power=0.9)["treatment_share"]
    assert (rise, fall) == pytest.approx((0.8026, 0.1974), abs=1e-4)


def test_plans_of_unequal_groups_agree_with_statsmodels_and_with_themselves():
    from statsmodels.stats.proportion import power_proportions_2indep

    plan = cx.share_plan(control_share=0.1, treatment_share=0.13, holdout_share=0.2).iloc[0]
    ratio = plan["n_control"] / plan["n_treatment"]
    power = power_proportions_2indep(0.03, 0.1, plan["n_treatment"], ratio=ratio, return_results=False)
    assert power == pytest.approx(0.8, abs=1e-3)
    back = cx.share_plan(control_share=0.1, n_customers=int(plan["n"]), holdout_share=0.2)
    assert back["treatment_share"].iloc[0] == pytest.approx(0.13, abs=1e-4)
    assert np.isnan(cx.share_plan(control_share=0.97, n_customers=40)["estimate"].iloc[0])


@pytest.mark.parametrize(
    "wrong",
    [{"control_share": 0.0}, {"treatment_share": 1.0}, {"treatment_share": 0.2}, {"n_customers": 3},
     {"holdout_share": 1.0, "n_customers": 99}, {"power": 0.4, "n_customers": 99}, {}],
)  # fmt: skip
def test_impossible_plans_of_two_shares_are_refused(wrong):
    with pytest.raises(ParameterError):
        cx.share_plan(**({"control_share": 0.2} | wrong))


def test_treated_who_all_changed_alike_have_no_interval_of_their_change():
    months = pd.DataFrame({"month": [-1, 0] * 5, "customer_id": list("aabbccddee")})
    months["start_month"] = [0.0] * 4 + [None] * 6
    months["margin"] = [1.0, 3, 2, 4, 8, 8, 6, 7, 5, 1]
    found = cx.regression_part(months, horizon_months=1).set_index("metric").loc["before_after"]
    assert found["estimate"] == 2
    assert np.isnan(found["conf_low"])
