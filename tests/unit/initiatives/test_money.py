"""Cash flows, ROI and verdict: a worked example by hand, joint draws, every branch of the rule."""

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.checks import ParameterError
from cxlib.language import catalogue
from cxlib.report.units import METRICS


def effects(estimate=(3.0, 4.0, 5.0), std_error=1.0, n_treated=100):
    return pd.DataFrame({"estimate": list(estimate), "std_error": std_error, "n_treated": n_treated})


def figures(frame=None, **terms):
    settings = {"one_time_cost": 500.0, "monthly_cost": 100.0, **terms}
    return cx.roi_summary(effects() if frame is None else frame, **settings).set_index("metric")


def test_worked_example_by_hand():
    """100 customers; effects 3, 4, 5 a month; 500 at the start, 100 a month; 21 % a year."""
    flows = cx.cash_flows(effects(), one_time_cost=500, monthly_cost=100, discount_rate_annual=0.21)
    assert flows["benefit"].tolist() == [0, 300, 400, 500]
    assert flows["cost"].tolist() == [500, 100, 100, 100]
    assert flows["net"].tolist() == [-500, 200, 300, 400]
    assert flows["cumulative"].tolist() == [-500, -300, 0, 400]
    found = figures(discount_rate_annual=0.21)["estimate"]
    assert found["benefit"] == 1200
    assert found["cost"] == 800
    assert found["net"] == 400
    assert found["roi"] == (1200 - 800) / 800 == 0.5
    assert found["payback_months"] == 2
    monthly = 1.21 ** (1 / 12)
    by_hand = -500 + 200 / monthly + 300 / monthly**2 + 400 / monthly**3
    assert found["npv"] == pytest.approx(by_hand, abs=1e-9)
    assert flows["discounted"].sum() == pytest.approx(by_hand, abs=1e-9)
    assert found["break_even_effect"] == pytest.approx(800 / 300)
    assert np.isnan(found["irr_annual"])  # 27 % a month would be 1,600 % a year


def test_irr_by_hand_and_left_out_when_absurd():
    """1,000 at the start, 100 a month comes back over three months: benefit 1,200."""
    dear = figures(effects(std_error=0.01), one_time_cost=1000.0, monthly_cost=0.0).loc["irr_annual"]
    rate = cx.irr([-1000, 300, 400, 500])
    assert dear["estimate"] == pytest.approx((1 + rate) ** 12 - 1, rel=1e-6)
    assert dear["conf_low"] < dear["estimate"] < dear["conf_high"]
    wide = figures(effects(std_error=1.0), one_time_cost=1000.0, monthly_cost=0.0).loc["irr_annual"]
    assert wide["estimate"] == pytest.approx(dear["estimate"])
    assert np.isnan(wide["conf_high"])
    cheap = figures(one_time_cost=10.0, monthly_cost=0.0).loc["irr_annual"]
    assert cheap[["estimate", "conf_low", "conf_high"]].isna().all()


def test_payback_counts_only_where_the_total_stays_above_zero():
    """10 customers; 60 at the start; +70, -50, -20, +80: totals -60, 10, -40, -60, 20."""
    waves = effects([7.0, -5.0, -2.0, 8.0], std_error=0.0).assign(n_treated=10)
    flows = cx.cash_flows(waves, one_time_cost=60, monthly_cost=0)
    assert flows["cumulative"].tolist() == [-60, 10, -40, -60, 20]
    found = figures(waves, one_time_cost=60.0, monthly_cost=0.0)
    assert found.loc["payback_months", ["estimate", "conf_low", "conf_high"]].tolist() == [4, 4, 4]
    fallen = figures(waves.iloc[:3], one_time_cost=60.0, monthly_cost=0.0)
    assert np.isnan(fallen.loc["payback_months", "estimate"])


def test_break_even_effect_gives_a_return_of_zero():
    needed = figures()["estimate"]["break_even_effect"]
    assert figures(effects([needed] * 3))["estimate"]["roi"] == pytest.approx(0)


def test_intervals_come_from_joint_draws():
    same = np.ones((3, 3))
    together = figures(covariance=same).loc["benefit"]
    apart = figures().loc["benefit"]
    assert together["conf_high"] - together["conf_low"] == pytest.approx(2 * 1.96 * 300, rel=0.03)
    assert apart["conf_high"] - apart["conf_low"] == pytest.approx(2 * 1.96 * 100 * np.sqrt(3), rel=0.03)
    table = figures(covariance=same)
    assert table.loc["roi", "conf_low"] == pytest.approx(table.loc["net", "conf_low"] / 800)
    assert 0 < table.loc["prob_roi_positive", "estimate"] < 1
    assert np.isnan(table.loc["cost", "conf_low"])


def test_the_seed_decides_and_nothing_else():
    assert figures(seed=1).equals(figures(seed=1))
    assert not figures(seed=1).equals(figures(seed=2))


def test_level_of_the_interval():
    wide, narrow = figures(conf_level=0.99).loc["npv"], figures(conf_level=0.8).loc["npv"]
    assert wide["conf_low"] < narrow["conf_low"] < narrow["conf_high"] < wide["conf_high"]


def test_unknown_error_gives_no_interval():
    table = figures(effects(std_error=np.nan))
    assert table["conf_low"].isna().all()
    assert np.isnan(table.loc["prob_roi_positive", "estimate"])
    flows = cx.cash_flows(effects(std_error=np.nan), one_time_cost=1, monthly_cost=0)
    assert flows["conf_low"].notna().tolist() == [True, False, False, False]


def test_never_paid_back_is_missing_and_loses_everything():
    table = figures(effects([-1.0, -1.0, -1.0]))
    assert np.isnan(table.loc["payback_months", "estimate"])
    assert table.loc["irr_annual", "estimate"] == -1
    assert table.loc["roi", "estimate"] < -1
    assert table.loc["prob_roi_positive", "estimate"] == 0


def test_zero_cost_has_no_return_but_a_benefit():
    table = figures(one_time_cost=0.0, monthly_cost=0.0)["estimate"]
    assert np.isnan(table["roi"])
    assert np.isnan(table["irr_annual"])
    assert table["benefit"] == 1200
    assert table["payback_months"] == 0


@pytest.mark.parametrize(
    "wrong", [{"one_time_cost": -1.0}, {"monthly_cost": np.nan}, {"discount_rate_annual": -1.0}]
)
def test_impossible_money_is_refused(wrong):
    with pytest.raises(ParameterError):
        figures(**wrong)


def made_panel(n, seed, assignment):
    """Spend of `n` customers over a year before and a year after; the truth is 100 a month."""
    rng, months = np.random.default_rng(seed), np.arange(-12, 12)
    treated = np.arange(n) < n // 2
    start = np.where(treated, 2.0 * (np.arange(n) % 2) * (assignment == "staggered"), np.nan)
    spend = 300 * rng.normal(size=(n, 1)) + 1000 * rng.normal(size=(n, len(months)))
    spend += 100.0 * (months[None, :] >= np.nan_to_num(start, nan=np.inf)[:, None])
    return pd.DataFrame(
        {
            "customer_id": np.repeat(np.arange(n), len(months)),
            "arm": np.repeat(np.where(treated, "treatment", "control"), len(months)),
            "start_month": np.repeat(start, len(months)),
            "month": np.tile(months, n),
            "margin": spend.ravel(),
        }
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("assignment", "n", "draws"),
    [
        ("targeted", 24, 150),
        *(
            pytest.param(assignment, n, 600, marks=pytest.mark.long)
            for assignment in ("targeted", "staggered", "randomised")
            for n in (24, 120)
        ),
    ],
)
def test_roi_interval_covers_through_the_whole_path(assignment, n, draws):
    """From customers' months to the ROI, the covariance estimated: the truth inside in 93 to 97 of 100."""
    hits, horizon = 0, 10
    for seed in range(draws):
        panel = made_panel(n, seed, assignment)
        gained, joint = cx.monthly_effects(panel, assignment=assignment, horizon_months=horizon)
        terms = {"one_time_cost": 9000.0, "monthly_cost": 100.0, "covariance": joint}
        table = cx.roi_summary(gained, **terms, draws=2000, seed=seed).set_index("metric")
        cost = table.loc["cost", "estimate"]
        truth = 100.0 * gained["n_treated"].sum() / cost - 1
        hits += table.loc["roi", "conf_low"] < truth < table.loc["roi", "conf_high"]
    assert abs(hits / draws - 0.95) <= 0.02 + 0.25 / np.sqrt(draws)  # 93 to 97, and the luck of the draws


def test_few_customers_make_the_interval_wider():
    narrow, wide = figures(), figures(effects().assign(df=4.0))
    spread = [table.loc["roi", "conf_high"] - table.loc["roi", "conf_low"] for table in (narrow, wide)]
    assert spread[1] / spread[0] == pytest.approx(2.776 / 1.96, rel=0.08)
    assert wide.loc["roi", "estimate"] == narrow.loc["roi", "estimate"]


def test_more_than_one_rate_is_none():
    assert np.isnan(cx.irr([-100, 230, -132]))
    two = figures(effects([2.3, -1.32], std_error=0.0), one_time_cost=100.0, monthly_cost=0.0)
    assert np.isnan(two.loc["irr_annual", "estimate"])
    assert cx.irr([-1, 2000]) == pytest.approx(1999)
    assert cx.irr([-100, 40, 40, 40, 5, 1]) == pytest.approx(cx.irr([100, -40, -40, -40, -5, -1]))
    rate = cx.irr([-100.0, *[1.0] * 360])
    assert (1 - (1 + rate) ** -360) / rate == pytest.approx(100)  # an annuity of 1 a month


@pytest.mark.parametrize("share", [0.0, 0.25, 0.9])
def test_a_cannibalised_share_is_no_benefit(share):
    plain, terms = figures(), {"one_time_cost": 500, "monthly_cost": 100}
    found = figures(cannibalised_share=share)
    ends = ["estimate", "conf_low", "conf_high"]
    assert found.loc["benefit", ends].tolist() == pytest.approx(
        (plain.loc["benefit", ends] * (1 - share)).tolist()
    )
    needed = plain.loc["break_even_effect", "estimate"] / (1 - share)
    assert found.loc["break_even_effect", "estimate"] == pytest.approx(needed)
    flows = cx.cash_flows(effects(), cannibalised_share=share, **terms)
    assert flows["net"].sum() == pytest.approx(found.loc["net", "estimate"])
    base = cx.roi_scenarios(effects(), cannibalised_share=share, **terms).set_index("scenario").loc["base"]
    assert base["roi"] == pytest.approx(found.loc["roi", "estimate"])
    bars = cx.roi_tornado(effects(), cannibalised_share=share, **terms).set_index("input")
    assert bars.loc["effect", "conf_low"] == pytest.approx(found.loc["roi", "conf_low"])
    assert ("cannibalised_share" in bars.index) == (share > 0)


def test_a_cannibalised_share_never_softens_a_loss():
    terms = {"one_time_cost": 20, "monthly_cost": 0}
    losing = pd.DataFrame({"estimate": [-5.0, -5.0], "std_error": 4.0, "n_treated": 10})
    plain, dear = (
        cx.roi_summary(losing, cannibalised_share=s, **terms).set_index("metric").loc["roi"] for s in (0, 0.5)
    )
    assert dear["estimate"] == plain["estimate"]
    assert dear["conf_low"] == plain["conf_low"]
    assert plain["conf_high"] > -1 > plain["estimate"]
    assert dear["conf_high"] + 1 == pytest.approx((plain["conf_high"] + 1) / 2)
    assert "cannibalised_share" not in set(cx.roi_tornado(losing, cannibalised_share=0.5, **terms)["input"])
    row = pd.DataFrame({"estimate": [-5.0], "std_error": 0.0, "customer_months": 20, "cost": 20.0})
    assert cx.rank_by_net(row, cannibalised_share=0.5)["net_shrunk"].item() == pytest.approx(-120)


def test_scenarios_stay_in_order_where_the_effect_is_a_loss():
    losing = pd.DataFrame({"estimate": [-5.0, -5.0], "std_error": 0.1, "n_treated": 10})
    table = cx.roi_scenarios(losing, one_time_cost=20, monthly_cost=0, cannibalised_share=0.4)
    assert table["benefit"].is_monotonic_increasing
    low = table.iloc[0]
    assert low["benefit"] == pytest.approx(low["effect"] * 20)  # a loss stays whole
    unknown = cx.roi_scenarios(losing.assign(std_error=np.nan), one_time_cost=20, monthly_cost=0)
    assert unknown["roi"].notna().tolist() == [False, True, False]


def test_time_of_people_counts_like_any_running_cost():
    found = figures(people_cost_monthly=50.0)["estimate"]
    assert found["cost"] == 500 + 3 * 150
    assert found["break_even_effect"] == pytest.approx(950 / 300)
    bars = cx.roi_tornado(effects(), one_time_cost=500, monthly_cost=100, people_cost_monthly=50)
    row = bars.set_index("input").loc["people_cost_monthly"]
    assert [row["conf_low"], row["conf_high"]] == pytest.approx([1200 / 980 - 1, 1200 / 920 - 1])


def test_an_end_of_the_break_even_month_that_is_not_reached_is_infinite():
    found = figures(effects([2.4, 2.4, 2.4], std_error=1.0)).loc["payback_months"]
    assert np.isnan(found["estimate"])
    assert found["conf_low"] == 2
    assert found["conf_high"] == np.inf


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: cx.irr([-100, np.nan, 200]), "flows"),
        (
            lambda: cx.xirr([-100.0, 110.0, 5.0], [pd.Timestamp("2025-01-01"), pd.Timestamp("2026-01-01")]),
            "dates",
        ),
        (lambda: figures(draws=0), "draws"),
        (lambda: figures(conf_level=95), "conf_level"),
        (lambda: figures(covariance=np.eye(4)), "covariance"),
        (lambda: figures(effects([np.nan, 1.0])), "estimate"),
        (lambda: figures(effects(std_error=-1.0)), "std_error"),
        (lambda: figures(cannibalised_share=1.2), "cannibalised_share"),
        (lambda: figures(people_cost_monthly=-3.0), "people_cost_monthly"),
        (lambda: cx.roi_tornado(effects(), one_time_cost=1, monthly_cost=0, spread=1), "spread"),
        (lambda: cx.roi_tornado(effects(), one_time_cost=1, monthly_cost=0, spread=2), "spread"),
        (lambda: judge(conf_low=3.0, conf_high=-3.0), "conf_low"),
        (lambda: judge(min_effect=np.nan), "min_effect"),
    ],
)
def test_impossible_input_is_named(call, named):
    with pytest.raises(ParameterError, match=named):
        call()


def test_ranking_by_what_is_left_over():
    table = pd.DataFrame({"estimate": [500.0, 100.0, 90.0], "std_error": 5.0})
    table = table.assign(customer_months=[100, 1000, 1000], cost=[90_000.0, 20_000.0, np.nan])
    found = cx.rank_by_net(table)
    assert found["estimate"].tolist() == [100.0, 500.0, 90.0]
    assert found["rank"].tolist()[:2] == [1.0, 2.0]
    assert np.isnan(found["rank"].iloc[2])
    first = found.iloc[0]
    assert first["net_shrunk"] == pytest.approx(first["shrunk"] * 1000 - 20_000)
    assert first["roi_shrunk"] == pytest.approx(first["net_shrunk"] / 20_000)


def judge(**changes):
    known = {"estimate": 1.0, "conf_low": 0.5, "conf_high": 1.5, "months_observed": 12, "horizon_months": 12}
    row = cx.verdict(**{**known, "has_control": True, **changes}).iloc[0]
    return row["verdict"], row["reason"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("effective", "above_min")),
        ({"min_effect": 0.6}, ("not_shown", "inconclusive")),
        ({"months_observed": 11}, ("too_early", "months")),
        ({"months_observed": 11, "has_control": False}, ("not_shown", "no_control")),
        ({"months_observed": 11, "has_few_groups": True}, ("not_shown", "few_groups")),
        ({"months_observed": 0}, ("too_early", "no_data")),
        ({"months_observed": 0, "starts_before_data": True}, ("not_shown", "before_data")),
        ({"has_control": False}, ("not_shown", "no_control")),
        ({"has_control": False, "conf_low": 5.0, "conf_high": 9.0}, ("not_shown", "no_control")),
        ({"conf_low": np.nan, "conf_high": np.nan}, ("not_shown", "no_interval")),
        ({"conf_low": -2.0, "conf_high": -0.1}, ("harmful", "below_zero")),
        ({"conf_low": -0.5}, ("not_shown", "inconclusive")),
        ({"conf_low": -0.5, "break_even_effect": 1.0}, ("too_early", "low_power")),
        ({"conf_low": -0.5, "break_even_effect": 2.0}, ("not_shown", "below_needed")),
        ({"conf_low": -0.5, "break_even_effect": 0.0}, ("not_shown", "inconclusive")),
        ({"conf_low": -2.0, "conf_high": 0.0, "break_even_effect": 0.0}, ("not_shown", "inconclusive")),
        ({"conf_low": 0.0, "conf_high": 0.0}, ("not_shown", "no_interval")),
        ({"has_drift": True}, ("not_shown", "drift")),
        ({"has_drift": True, "conf_low": -2.0, "conf_high": -0.1}, ("not_shown", "drift")),
        ({"has_drift": True, "months_observed": 4}, ("too_early", "months")),
        ({"break_even_effect": 2.0}, ("effective", "above_min")),
        ({"conf_low": 0.0}, ("not_shown", "inconclusive")),
    ],
)
def test_every_line_of_the_rule(changes, expected):
    assert judge(**changes) == expected
    assert f"impact.verdict.{expected[1]}" in catalogue()


def test_a_negative_smallest_effect_is_refused():
    with pytest.raises(ParameterError, match="min_effect"):
        judge(min_effect=-1.0)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "ready"),
        ({"months_observed": 7}, "too_early"),
        ({"months_observed": 0}, "no_data"),
        ({"one_time_cost": np.nan}, "no_cost"),
        ({"monthly_cost": np.nan, "months_observed": 3}, "no_cost"),
        ({"has_effect": False}, "no_effect"),
        ({"has_effect": False, "one_time_cost": np.nan}, "nothing"),
        ({"one_time_cost": 0.0, "monthly_cost": 0.0}, "zero_cost"),
        ({"one_time_cost": 0.0}, "ready"),
        ({"has_drift": True}, "drift"),
        ({"one_time_cost": 0.0, "monthly_cost": 0.0, "people_cost_monthly": 5.0}, "ready"),
    ],
)
def test_what_can_be_said_about_money(changes, state):
    known = {"one_time_cost": 10.0, "monthly_cost": 1.0, "has_effect": True, "months_observed": 12}
    assert cx.money_state(**{**known, "horizon_months": 12, **changes}) == state
    assert f"impact.money.{state}" in catalogue()


def test_every_figure_has_a_unit():
    assert set(figures().index) <= set(METRICS)
    assert METRICS["roi"].unit == "share"


def test_renamed_columns_are_missed_by_name():
    with pytest.raises(ParameterError, match="n_treated"):
        figures(effects().rename(columns={"n_treated": "customers"}))


def test_tornado_by_hand():
    table = cx.roi_tornado(effects(), one_time_cost=500, monthly_cost=100).set_index("input")
    assert table.index.tolist() == ["effect", "n_treated", "one_time_cost", "monthly_cost"]
    assert (table["estimate"] == 0.5).all()
    assert table.loc["n_treated", ["conf_low", "conf_high"]].tolist() == pytest.approx([0.2, 0.8])
    assert table.loc["one_time_cost", ["conf_low", "conf_high"]].tolist() == pytest.approx(
        [1200 / 900 - 1, 1200 / 700 - 1]
    )
    reach = 1.959964 * 100 * np.sqrt(3)
    assert table.loc["effect", "conf_high"] == pytest.approx((1200 + reach) / 800 - 1, abs=0.02)
    ends = ["conf_low", "conf_high"]
    assert table.loc["effect", ends].tolist() == pytest.approx(figures().loc["roi", ends].tolist())
    free = cx.roi_tornado(effects(), one_time_cost=0, monthly_cost=0)
    assert free.empty


def test_a_month_of_the_effect_bears_its_part_of_the_running_cost():
    waves = pd.DataFrame({"estimate": 2.0, "std_error": 0.0, "n_treated": 10, "cost_months": [1.5, 1.0]})
    found = cx.roi_summary(waves, one_time_cost=5, monthly_cost=10).set_index("metric")["estimate"]
    assert found["cost"] == 30.0
    assert found["roi"] == pytest.approx(40 / 30 - 1)
    assert found["break_even_effect"] == pytest.approx(1.5)
    flows = cx.cash_flows(waves, one_time_cost=5, monthly_cost=10)
    assert flows["cost"].tolist() == [5.0, 15.0, 10.0]


def test_scenarios_by_hand():
    known = pd.DataFrame({"estimate": [3.0, 3.0], "std_error": 1.0, "n_treated": 10})
    found = cx.roi_scenarios(
        known, one_time_cost=20, monthly_cost=5, cannibalised_share=0.1, covariance=np.ones((2, 2))
    ).set_index("scenario")
    z = 1.959963985
    assert found["effect"].tolist() == pytest.approx([3 - z, 3, 3 + z])
    assert found["benefit"].tolist() == pytest.approx([(3 - z) * 20 * 0.8, 54.0, (3 + z) * 20 * 0.95])
    assert found["cost"].tolist() == pytest.approx([36.0, 30.0, 24.0])
    assert found["roi"].is_monotonic_increasing
    with pytest.raises(ParameterError, match="cannibalised_share"):
        cx.roi_scenarios(known, one_time_cost=1, monthly_cost=0, cannibalised_share=1.5)


def test_a_dip_after_the_peak_is_in_the_money():
    campaign = pd.DataFrame({"estimate": [6.0, -2.0, -2.0], "std_error": 0.3, "n_treated": 10})
    parts = cx.pulled_forward(campaign, first_months=1).set_index("part")
    assert parts.loc["first", "conf_low"] > 0 > parts.loc["later", "conf_high"]
    assert parts["estimate"].tolist() == [6.0, -4.0]
    assert cx.roi_summary(campaign, one_time_cost=1, monthly_cost=0)["estimate"].iloc[0] == pytest.approx(20)
    assert cx.pulled_forward(campaign, first_months=3).empty


def test_shrinkage_takes_back_the_luck_of_the_best():
    rng = np.random.default_rng(3)
    over, left = [], []
    for _ in range(400):
        truth = rng.normal(0, 50, 8)
        error = rng.choice([20.0, 100.0], 8)
        table = cx.shrink_effects(pd.DataFrame({"estimate": rng.normal(truth, error), "std_error": error}))
        best = int(table["estimate"].to_numpy().argmax())
        over.append(table.loc[best, "estimate"] - truth[best])
        left.append(table.loc[best, "shrunk"] - truth[best])
    assert np.mean(over) > 40
    assert abs(np.mean(left)) < 12


def test_shrinkage_ranks_and_keeps_what_is_unknown():
    table = pd.DataFrame({"estimate": [300.0, 150.0, np.nan], "std_error": [200.0, 30.0, 5.0]})
    found = cx.shrink_effects(table)
    assert found["rank"].tolist()[:2] == [2.0, 1.0]
    assert found.loc[2, ["shrunk", "factor", "rank"]].isna().all()
    assert cx.shrink_effects(table.assign(estimate=0.1))["shrunk"].tolist()[:2] == [0.0, 0.0]
    assert cx.shrink_effects(table.iloc[:0]).empty


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ((0.1, 0.9), ("effective", "above_min")),
        ((-0.6, 0.2), ("pay_open", "pay_open")),
        ((-0.6, -0.2), ("at_loss", "at_loss")),
        ((np.nan, np.nan), ("effective", "above_min")),
    ],
)
def test_effective_is_not_the_word_where_money_is_lost(ends, expected):
    known = {"estimate": 1.0, "conf_low": 0.5, "conf_high": 1.5, "months_observed": 12, "horizon_months": 12}
    decision = cx.verdict(**known, has_control=True)
    found = cx.judge_return(decision, roi_low=ends[0], roi_high=ends[1])
    assert (found["verdict"].item(), found["reason"].item()) == expected
    assert f"impact.verdict.{expected[1]}" in catalogue()
    other = cx.verdict(**{**known, "conf_low": -0.5}, has_control=True)
    assert cx.judge_return(other, roi_low=-0.6, roi_high=-0.2)["verdict"].item() == "not_shown"


@pytest.mark.parametrize("name", ["one_time_cost", "monthly_cost", "people_cost_monthly"])
def test_a_negative_cost_has_no_break_even(name):
    costs = {"one_time_cost": 1.0, "monthly_cost": 1.0, "people_cost_monthly": 0.0, name: -30.0}
    with pytest.raises(ParameterError, match=name):
        cx.break_even_effect(**costs, n_treated=[10])
    assert np.isnan(cx.break_even_effect(one_time_cost=np.nan, monthly_cost=1.0, n_treated=[10]))


@pytest.mark.parametrize(("share", "low"), [(0.1, 0.8), (0.5, 0.25), (0.9, 0.05)])
def test_no_scenario_takes_the_whole_gain_elsewhere(share, low):
    """Twice the share, but at most half of what it leaves: 0.2, 0.75 and 0.95 are taken."""
    sure = pd.DataFrame({"estimate": [3.0, 3.0], "std_error": 0.0, "n_treated": 10})
    terms = {"one_time_cost": 20, "monthly_cost": 0, "cannibalised_share": share}
    found = cx.roi_scenarios(sure, **terms).set_index("scenario")
    assert found.loc["low", "benefit"] == pytest.approx(60 * low)
    bars = cx.roi_tornado(sure, **terms).set_index("input")
    assert bars.loc["cannibalised_share", "conf_low"] > -1


@pytest.mark.parametrize(
    ("estimate", "error", "note"),
    [
        ([9.0] * 12, 0.01, "too_soon"),
        ([1.6] * 12, 0.4, "too_soon_high"),
        ([1.0] * 12, 0.05, ""),
        ([30.0] + [-2.6] * 11, 0.0, "several"),
        ([-1.0] * 12, 0.05, "all_lost"),
    ],
)
def test_a_missing_yearly_return_tells_the_reason_that_holds(estimate, error, note):
    effects = pd.DataFrame({"estimate": estimate, "std_error": error, "n_treated": 10})
    together = np.full((12, 12), error**2)  # the months err together
    table = cx.roi_summary(effects, one_time_cost=80, monthly_cost=0, covariance=together)
    row = table.set_index("metric").loc["irr_annual"]
    assert row["note"] == note
    assert np.isnan(row["estimate"]) == (note in ("too_soon", "several"))
    assert np.isnan(row["conf_high"]) == (note != "")
    assert f"impact.irr.{note}" in catalogue() or not note


@pytest.mark.parametrize("error", [0.0, 0.05])
def test_a_share_whose_draws_all_agree_has_no_interval(error):
    table = figures(effects([-1.0] * 3, std_error=error))
    assert table.loc["irr_annual", "estimate"] == -1
    assert table.loc["irr_annual", ["conf_low", "conf_high"]].isna().all()
    assert table.loc["roi", ["conf_low", "conf_high"]].isna().all() == (error == 0)


def test_a_verdict_counts_limits_as_they_are_shown():
    known = {"estimate": 5.0, "months_observed": 12, "horizon_months": 12, "has_control": True}
    yen = {"unit": "currency", "currency": "JPY"}
    assert cx.verdict(conf_low=0.4, conf_high=9.0, **known, **yen)["reason"].item() == "inconclusive"
    assert cx.verdict(conf_low=0.6, conf_high=9.0, **known, **yen)["reason"].item() == "above_min"
    assert cx.verdict(conf_low=-9.0, conf_high=-0.4, **known, **yen)["reason"].item() == "inconclusive"
    pp = {"conf_low": 0.0004, "conf_high": 0.09, "unit": "pp"}
    assert cx.verdict(**known, **pp)["reason"].item() == "inconclusive"


def test_a_return_whose_limit_is_shown_as_zero_is_open():
    known = {"estimate": 5.0, "months_observed": 12, "horizon_months": 12, "has_control": True}
    works = cx.verdict(conf_low=3.0, conf_high=9.0, **known)
    assert cx.judge_return(works, roi_low=0.0004, roi_high=2.0)["verdict"].item() == "pay_open"
    assert cx.judge_return(works, roi_low=-0.9, roi_high=-0.0004)["verdict"].item() == "pay_open"


def test_too_few_whole_groups_are_told_before_the_horizon_is_over():
    known = {"estimate": 5.0, "conf_low": np.nan, "conf_high": np.nan, "horizon_months": 12}
    early = cx.verdict(months_observed=6, has_control=True, has_few_groups=True, **known)
    assert early[["verdict", "reason"]].iloc[0].tolist() == ["not_shown", "few_groups"]
    alone = cx.verdict(months_observed=6, has_control=False, has_few_groups=True, **known)
    assert alone["reason"].item() == "no_control"
