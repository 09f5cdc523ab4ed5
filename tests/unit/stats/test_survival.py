import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from cxlib.checks import InputError, ParameterError
from cxlib.stats.survival.kaplan_meier import logrank, rmst, survival_curve
from cxlib.stats.survival.known_days import enough_at_risk

SPELL = {"duration_col": "days", "event_col": "bought"}
# Freireich et al. (1963), remission of leukaemia in weeks; METHODS d.4.
DRUG = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
DRUG_EVENT = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def leukaemia():
    arms = ["drug"] * 21 + ["placebo"] * 21
    return pd.DataFrame({"days": DRUG + PLACEBO, "bought": DRUG_EVENT + [1] * 21, "arm": arms})


def random_people(seed=0, n=300, *, whole=True):
    rng = np.random.default_rng(seed)
    days = rng.exponential(50, n)
    return pd.DataFrame(
        {
            "days": np.ceil(days) if whole else days,
            "bought": rng.random(n) < 0.6,
            "entry": rng.random(n) * days * 0.5,
            "arm": rng.choice(["a", "b", "c"], n),
        }
    )


def test_leukaemia_table_of_the_textbook():
    drug = survival_curve(leukaemia().query("arm == 'drug'"), times=[6, 7, 10, 13, 16, 22, 23], **SPELL)
    expected = [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482]
    assert drug["estimate"].to_list() == pytest.approx(expected, abs=5e-5)
    assert drug["n_at_risk"].to_list() == [21, 17, 15, 12, 11, 7, 6]


@pytest.mark.parametrize(("conf_type", "bounds"), [("log-log", (0.503, 0.889)), ("log", (0.586, 0.967))])
def test_interval_types_are_those_of_lifelines_and_of_r(conf_type, bounds):
    row = survival_curve(leukaemia().query("arm == 'drug'"), times=[10], conf_type=conf_type, **SPELL).iloc[0]
    assert (row["conf_low"], row["conf_high"]) == pytest.approx(bounds, abs=6e-4)


def test_plain_interval_is_symmetric_around_the_estimate():
    row = survival_curve(leukaemia(), times=[10], conf_type="plain", **SPELL).iloc[0]
    assert row["conf_high"] - row["estimate"] == pytest.approx(row["estimate"] - row["conf_low"])


def test_leukaemia_logrank():
    test = logrank(leukaemia(), by="arm", **SPELL).iloc[0]
    assert (test["statistic"], test["df"], test["n"]) == (pytest.approx(16.793, abs=5e-4), 1, 42)
    assert test["p_value"] == pytest.approx(4.17e-5, rel=2e-3)


@pytest.mark.parametrize("whole", [True, False])
def test_curve_equals_statsmodels(whole):
    people = random_people(whole=whole)
    ours = survival_curve(people, **SPELL).query("n_events > 0")
    theirs = SurvfuncRight(people["days"], people["bought"].astype(int))
    assert ours["time"].to_numpy() == pytest.approx(theirs.surv_times)
    assert ours["estimate"].to_numpy() == pytest.approx(theirs.surv_prob, abs=1e-12)
    assert ours["std_error"].to_numpy()[:-1] == pytest.approx(theirs.surv_prob_se[:-1], abs=1e-12)


def test_delayed_entry_equals_statsmodels():
    people = random_people(3)
    ours = survival_curve(people, entry_col="entry", **SPELL).query("n_events > 0")
    theirs = SurvfuncRight(people["days"], people["bought"].astype(int), entry=people["entry"])
    assert ours["estimate"].to_numpy() == pytest.approx(theirs.surv_prob, abs=1e-12)
    assert ours["n_at_risk"].to_numpy() == pytest.approx(theirs.n_risk)


@pytest.mark.parametrize("entry", [None, "entry"])
def test_logrank_equals_statsmodels(entry):
    people = random_people(5)
    ours = logrank(people, by="arm", entry_col=entry, **SPELL).iloc[0]
    delayed = {} if entry is None else {"entry": people["entry"]}
    statistic, p_value = survdiff(people["days"], people["bought"].astype(int), people["arm"], **delayed)
    assert ours["statistic"] == pytest.approx(statistic, rel=1e-9)
    assert ours["p_value"] == pytest.approx(p_value, rel=1e-9)


def test_rmst_is_the_area_under_the_curve():
    people = random_people(7)
    curve = survival_curve(people, **SPELL).query("time < 40")
    area = (curve["estimate"] * np.diff(np.append(curve["time"], 40))).sum()
    assert rmst(people, horizon=40, **SPELL)["estimate"].item() == pytest.approx(area, abs=1e-12)


def test_rmst_error_is_the_sampling_error():
    draws = [rmst(random_people(seed), horizon=40, **SPELL).iloc[0] for seed in range(200)]
    spread = np.std([row["estimate"] for row in draws])
    assert np.mean([row["std_error"] for row in draws]) == pytest.approx(spread, rel=0.12)


def test_rmst_difference_has_the_sign_of_second_minus_first():
    people = pd.DataFrame({"days": [1, 1, 1, 9, 9, 9], "bought": 1, "arm": list("aaabbb")})
    result = rmst(people, horizon=9, by="arm", **SPELL)
    assert result.query("metric == 'rmst_difference'")["estimate"].item() == pytest.approx(8)
    assert result.query("metric == 'rmst_difference'")["n"].item() == 3
    assert result["reference"].fillna("").to_list() == ["", "", "a"]


def test_rmst_beyond_observation_is_unknown():
    people = pd.DataFrame({"days": [3, 5], "bought": [True, False]})
    assert np.isnan(rmst(people, horizon=6, **SPELL)["estimate"].item())


def test_time_after_the_last_observation_is_unknown_unless_nobody_is_left():
    open_end = pd.DataFrame({"days": [3, 5], "bought": [True, False]})
    done = open_end.assign(bought=True)
    assert np.isnan(survival_curve(open_end, times=[6], **SPELL)["estimate"].item())
    assert survival_curve(done, times=[6], **SPELL)["estimate"].item() == 0


def test_no_event_yet_is_not_certainty():
    people = pd.DataFrame({"days": [10] * 20, "bought": False})
    row = survival_curve(people, times=[5], **SPELL).iloc[0]
    assert (row["estimate"], row["conf_high"]) == (1, 1)
    assert row["conf_low"] == pytest.approx(0.025 ** (1 / 20))


def test_everybody_gone_is_not_certainty():
    row = survival_curve(pd.DataFrame({"days": [4] * 20, "bought": True}), times=[4], **SPELL).iloc[0]
    assert (row["estimate"], row["conf_low"]) == (0, 0)
    assert row["conf_high"] == pytest.approx(1 - 0.025 ** (1 / 20))


def test_groups_are_the_curves_of_their_rows():
    people = random_people(9)
    whole = survival_curve(people, by="arm", times=[10, 50], **SPELL)
    alone = survival_curve(people[people["arm"] == "b"], times=[10, 50], **SPELL)
    pd.testing.assert_frame_equal(
        whole[whole["arm"] == "b"].drop(columns="arm").reset_index(drop=True), alone, check_dtype=False
    )


def test_renamed_columns_and_unchanged_input():
    people = random_people(1)
    renamed = people.rename(columns={"days": "価格(円)", "bought": "class", "entry": "e", "arm": "g"})
    before = renamed.copy()
    ours = survival_curve(renamed, duration_col="価格(円)", event_col="class", entry_col="e", by="g")
    theirs = survival_curve(people, entry_col="entry", by="arm", **SPELL).rename(columns={"arm": "g"})
    pd.testing.assert_frame_equal(ours, theirs)
    pd.testing.assert_frame_equal(renamed, before)


def test_missing_durations_are_left_out():
    people = pd.DataFrame({"days": [2, np.nan, 4], "bought": [1, 1, 0]})
    assert survival_curve(people, times=[3], **SPELL)["n"].item() == 2


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=60),
    st.randoms(use_true_random=False),
)
def test_curve_falls_stays_in_its_interval_and_ignores_row_order(people, shuffler):
    frame = pd.DataFrame(people, columns=["days", "bought"])
    curve = survival_curve(frame, **SPELL)
    assert curve["estimate"].is_monotonic_decreasing
    assert (curve["conf_low"] <= curve["estimate"] + 1e-12).all()
    assert (curve["conf_high"] >= curve["estimate"] - 1e-12).all()
    assert curve["n_events"].sum() == frame["bought"].sum()
    shuffler.shuffle(people)
    pd.testing.assert_frame_equal(
        curve, survival_curve(pd.DataFrame(people, columns=["days", "bought"]), **SPELL)
    )


def test_empty_frame_gives_unknown():
    empty = pd.DataFrame({"days": [], "bought": []})
    assert survival_curve(empty, times=[5], **SPELL)["estimate"].isna().all()
    assert survival_curve(empty.assign(arm="x"), by="arm", **SPELL).empty
    assert np.isnan(logrank(empty.assign(arm="x"), by="arm", **SPELL)["statistic"].item())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"days": [-1, 2]}, "`days` must be 0 or more; 1 of 2 rows are negative"),
        ({"bought": [2, 0]}, "`bought` must be true/false or 1/0; 1 of 2 rows"),
        ({"entry": [5, 0]}, "`entry` must lie before the end of observation; it does not in 1 of 2 rows"),
    ],
)
def test_impossible_values_are_named_with_their_count(change, message):
    people = pd.DataFrame({"days": [1, 2], "bought": [1, 0], "entry": [0, 0]}).assign(**change)
    with pytest.raises(InputError, match=message):
        survival_curve(people, entry_col="entry", **SPELL)


@pytest.mark.parametrize(
    "change",
    [
        {"days": [1.0, np.inf]},
        {"days": ["one", "two"]},
        {"days": pd.to_timedelta([1, 2], unit="D")},
        {"bought": ["yes", "no"]},
    ],
)
def test_what_is_no_finite_number_is_refused(change):
    people = pd.DataFrame({"days": [1, 2], "bought": [1, 0]}).assign(**change)
    with pytest.raises(InputError, match=r"must hold finite numbers; \d of 2 rows"):
        survival_curve(people, **SPELL)


def test_groups_called_like_a_result_column_are_refused():
    people = pd.DataFrame({"days": [1, 2], "bought": [1, 0]})
    for name in ("n", "time"):
        with pytest.raises(ParameterError, match=f"by='{name}'"):
            survival_curve(people.assign(**{name: "g"}), by=name, **SPELL)
    with pytest.raises(ParameterError, match="by='metric'"):
        rmst(people.assign(metric="g"), by="metric", horizon=1, **SPELL)


def test_a_curve_that_falls_to_zero_before_others_enter_is_unknown():
    people = pd.DataFrame({"days": [5, 10, 12], "bought": [1, 1, 0], "entry": [0, 6, 6]})
    curve = survival_curve(people, entry_col="entry", **SPELL)
    assert curve["estimate"].isna().to_list() == [False, True, True, True]
    assert survival_curve(people, entry_col="entry", times=[3], **SPELL)["estimate"].item() == 1
    assert np.isnan(rmst(people, entry_col="entry", horizon=11, **SPELL)["estimate"].item())
    assert rmst(people, entry_col="entry", horizon=4, **SPELL)["estimate"].item() == 4


def test_arguments_are_checked():
    people = random_people()
    with pytest.raises(ParameterError, match="log-log, log, plain"):
        survival_curve(people, conf_type="greenwood", **SPELL)
    with pytest.raises(ParameterError, match="Did you mean: days"):
        survival_curve(people, duration_col="day", event_col="bought")
    with pytest.raises(ParameterError, match="greater than 0"):
        rmst(people, horizon=0, **SPELL)
    with pytest.raises(ParameterError, match="0 or more"):
        survival_curve(people, times=[-1], **SPELL)
    with pytest.raises(ParameterError, match="conf_level"):
        survival_curve(people, conf_level=1, **SPELL)


@pytest.mark.slow
def test_coverage_of_the_95_percent_interval():
    truth, draws = np.exp(-30 / 60), 800
    rng = np.random.default_rng(11)
    wait, seen = np.array(
        [(rng.exponential(60, 80), rng.uniform(0, 100, 80)) for _ in range(draws)]
    ).swapaxes(0, 1)
    people = pd.DataFrame({"days": np.minimum(wait, seen).ravel(), "bought": (wait <= seen).ravel()})
    curve = survival_curve(people.assign(draw=np.repeat(range(draws), 80)), by="draw", times=[30], **SPELL)
    inside = (curve["conf_low"] <= truth) & (truth <= curve["conf_high"])
    assert len(inside) == draws
    assert 0.93 <= inside.mean() <= 0.97


def test_not_reached_are_those_lost_from_sight_before_an_event():
    row = survival_curve(leukaemia().query("arm == 'drug'"), times=[10], **SPELL).iloc[0]
    assert (row["n_at_risk"], row["n_not_reached"]) == (15, 2)  # the two censored at weeks 6 and 9
    curve = survival_curve(leukaemia().query("arm == 'drug'"), **SPELL)
    before = curve["n_events"].cumsum() - curve["n_events"]
    assert (curve["n_at_risk"] + curve["n_not_reached"] + before == 21).all()


def test_one_customer_of_a_hundred_at_risk_is_no_estimate():
    people = pd.DataFrame({"days": [30] * 99 + [334], "bought": [False] * 99 + [True]})
    curve = survival_curve(people, times=[30, 334, 365], **SPELL)
    assert enough_at_risk(curve)["estimate"].isna().to_list() == [False, True, True]
    assert enough_at_risk(curve)[["std_error", "conf_low", "conf_high"]].iloc[1:].isna().all(axis=None)
    assert enough_at_risk(curve)["n_at_risk"].to_list() == [100, 1, 0]


def test_everybody_followed_to_the_end_is_a_plain_share():
    people = pd.DataFrame({"days": [5] * 18 + [20] * 22 + [90], "bought": [True] * 40 + [False]})
    curve = enough_at_risk(survival_curve(people, times=[60, 90], **SPELL))
    assert curve["estimate"].to_list() == pytest.approx([1 / 41] * 2)


def test_who_came_under_observation_too_late_did_not_reach_a_day():
    people = pd.DataFrame({"days": [30, 400, 400], "bought": [True, False, False], "entry": [0, 0, 200]})
    row = survival_curve(people, entry_col="entry", times=[100], **SPELL).iloc[0]
    assert (row["n_at_risk"], row["n_not_reached"]) == (1, 1)


def test_mean_wait_needs_enough_people_at_the_horizon():
    few = pd.DataFrame({"days": [30] * 99 + [334], "bought": [False] * 99 + [True]})
    assert np.isnan(rmst(few, horizon=365, **SPELL)["estimate"].item())  # the last one went: not all others
    assert np.isnan(rmst(few, horizon=300, min_at_risk=10, **SPELL)["estimate"].item())
    assert rmst(few, horizon=300, **SPELL)["estimate"].item() == 300
    all_seen = pd.DataFrame({"days": [10] * 20, "bought": True})
    assert rmst(all_seen, horizon=30, min_at_risk=10, **SPELL)["estimate"].item() == 10


def test_least_number_at_risk_is_at_least_one():
    curve = survival_curve(leukaemia(), times=[10], **SPELL)
    with pytest.raises(ParameterError, match="min_at_risk"):
        enough_at_risk(curve, min_at_risk=0)
