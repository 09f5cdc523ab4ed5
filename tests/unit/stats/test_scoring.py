"""Scores: fitted on earlier days, judged on later ones, against chance, one feature and the base rate."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import cxlib as cx
from cxlib.checks import NotEnoughData, ParameterError
from cxlib.language import catalogue
from cxlib.stats.scoring.logistic import fit_logistic
from cxlib.stats.scoring.quality import auc_difference, auc_interval

CUTS = pd.date_range("2025-01-31", periods=6, freq="90D")
FEATURES = ["recency_days", "frequency", "noise"]


def planted(seed, *, n=1_500, weights=(-0.02, 0.3, 0.0), drift=0.0):
    """Rows of `n` customers on six days whose log-odds are linear in the features; `drift` per day."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame({"customer_id": np.tile(np.arange(n), 6), "cut_on": np.repeat(CUTS, n)})
    rows["recency_days"] = rng.integers(1, 300, len(rows)).astype(float)
    rows["frequency"] = rng.poisson(2, len(rows)).astype(float)
    rows["noise"] = rng.normal(size=len(rows))
    log_odds = rows[FEATURES].to_numpy() @ np.array(weights) + 1 + drift * np.repeat(np.arange(6), n)
    rows["outcome"] = (rng.random(len(rows)) < 1 / (1 + np.exp(-log_odds))).astype(float)
    return rows


def scored(rows, **options):
    return cx.score_out_of_time(rows, feature_cols=FEATURES, next_days=90, **options)


def one(quality, forecast, metric, other=None):
    rows = quality[(quality["forecast"] == forecast) & (quality["metric"] == metric)]
    return rows[rows["other_forecast"].isna() if other is None else rows["other_forecast"] == other].iloc[0]


def test_coefficients_and_errors_are_those_of_a_binomial_model():
    rows = planted(1, n=300)
    table = cx.odds_ratios(rows, feature_cols=FEATURES, conf_level=0.85)
    fit = sm.GLM(rows["outcome"], sm.add_constant(rows[FEATURES]), family=sm.families.Binomial()).fit()
    np.testing.assert_allclose(np.log(table["estimate"]) / table["one_step"], fit.params.iloc[1:], rtol=1e-6)
    np.testing.assert_allclose(table["std_error"] / table["one_step"], fit.bse.iloc[1:], rtol=1e-6)
    limits = np.exp(
        fit.conf_int(0.05).iloc[1:, 0] * table["one_step"].to_numpy()
    )  # 0.05: Bonferroni of three
    np.testing.assert_allclose(table["conf_low"], limits, rtol=1e-6)


def test_errors_know_of_several_rows_of_one_customer():
    rows = planted(1, n=300)
    twice = pd.concat([rows, rows])
    own = cx.odds_ratios(rows, feature_cols=FEATURES, cluster_col=None)
    double = cx.odds_ratios(
        twice.assign(row=np.tile(np.arange(len(rows)), 2)), feature_cols=FEATURES, cluster_col="row"
    )
    np.testing.assert_allclose(double["std_error"], own["std_error"], rtol=0.1)


def test_the_reasons_point_the_right_way():
    table = cx.odds_ratios(planted(2), feature_cols=FEATURES)
    assert table["verdict"].tolist() == ["less_likely", "more_likely", "no_difference_shown"]


def test_what_does_not_vary_or_is_said_already_takes_no_part():
    rows = planted(3, n=300).assign(flat=1.0, twice=lambda d: 2 * d["recency_days"] + 5)
    table = cx.odds_ratios(rows, feature_cols=[*FEATURES, "flat", "twice"])
    assert table["note"].fillna("").tolist() == ["", "", "", "constant", "collinear"]
    pd.testing.assert_series_equal(
        table["estimate"].head(3), cx.odds_ratios(rows, feature_cols=FEATURES)["estimate"]
    )


def test_a_missing_feature_counts_as_average_and_as_a_mark_of_its_own():
    rows = planted(4)
    gone = rows["customer_id"] % 3 == 0
    holed = rows.assign(recency_days=rows["recency_days"].mask(gone))
    table = cx.odds_ratios(holed, feature_cols=["recency_days"])
    assert table["feature"].tolist() == ["recency_days", "recency_days_unknown"]
    assert table["verdict"].iloc[0] == "less_likely"
    fit = fit_logistic(holed, feature_cols=["recency_days"])
    seen = fit.probability(holed)
    assert seen[gone].mean() == pytest.approx(rows["outcome"][gone].mean(), abs=1e-6)
    assert len(set(seen[gone])) == 1


def delong(p, y):
    """AUC and variance by every pair, as DeLong et al. write it."""
    up, down = p[y == 1][:, None], p[y == 0][None, :]
    wins = (up > down) + 0.5 * (up == down)
    variance = wins.mean(axis=1).var(ddof=1) / wins.shape[0] + wins.mean(axis=0).var(ddof=1) / wins.shape[1]
    return wins.mean(), np.sqrt(variance)


@pytest.mark.parametrize("decimals", [1, 9])
def test_the_area_and_its_error_are_delongs(decimals):
    rng = np.random.default_rng(5)
    p = rng.random(90).round(decimals)
    y = (rng.random(90) < p).astype(float)
    found = auc_interval(p, y)
    np.testing.assert_allclose([found.estimate, found.std_error], delong(p, y), rtol=1e-12)
    assert found.conf_low < found.estimate < found.conf_high < 1


@pytest.mark.parametrize("decimals", [1, 9])
def test_the_difference_of_two_areas_and_its_error_are_delongs(decimals):
    rng = np.random.default_rng(25)
    one = rng.random(90).round(decimals)
    two = (one + rng.normal(0, 0.4, 90)).round(decimals)
    y = (rng.random(90) < one).astype(float)
    placed = []
    for p in (one, two):
        up, down = p[y == 1][:, None], p[y == 0][None, :]
        placed.append((up > down) + 0.5 * (up == down))
    gap = placed[0] - placed[1]
    error = np.sqrt(gap.mean(axis=1).var(ddof=1) / gap.shape[0] + gap.mean(axis=0).var(ddof=1) / gap.shape[1])
    found = auc_difference(one, two, y)
    np.testing.assert_allclose([found.estimate, found.std_error], [gap.mean(), error], rtol=1e-12)
    same = auc_difference(one, 2 * one, y)
    assert same.estimate == 0 and np.isnan(same.conf_low)


def rare(seed, n=4_000):
    """Rows of an event of one in two hundred whose order the score knows, and the simple score in part."""
    rng = np.random.default_rng(seed)
    known, rest = 0.8 * rng.normal(size=(2, n))
    p = {"p_score": 1 / (1 + np.exp(6.0 - known - rest)), "p_simple": 1 / (1 + np.exp(5.7 - known))}
    event = (rng.random(n) < p["p_score"]).astype(float)
    return pd.DataFrame({"outcome": event, "p_base": event.mean(), **p})


def test_of_a_rare_event_a_better_order_is_told_as_an_order():
    told = cx.score_told(cx.score_quality(rare(2)))
    assert (told["claim"], told["used"], told["metric"]) == ("score_ranks", "score", "auc_gain")
    assert told["auc_share"] - told["simple_auc_share"] == pytest.approx(told["estimate"])
    assert 0 < told["conf_low"] < told["estimate"] < told["conf_high"]


def test_an_order_that_one_feature_gives_as_well_is_that_features():
    rows = rare(2).assign(p_score=lambda rows: rows["p_simple"])
    told = cx.score_told(cx.score_quality(rows))
    assert (told["claim"], told["used"], told["metric"]) == ("simple_ranks", "simple", "ranked_right")
    assert 0.5 < told["conf_low"] < told["estimate"] == told["auc"]


def test_a_better_order_of_probabilities_shown_to_be_worse_is_not_taken():
    rows = rare(2).assign(p_score=lambda rows: rows["p_score"] ** 0.05)
    assert cx.score_told(cx.score_quality(rows))["used"] != "score"


def test_the_area_of_customers_seen_twice_is_no_surer():
    rng = np.random.default_rng(6)
    p, y = rng.random(200), (rng.random(200) < 0.4).astype(float)
    once, twice = (
        auc_interval(p, y),
        auc_interval(np.tile(p, 2), np.tile(y, 2), np.tile(np.arange(200), 2)),
    )
    assert twice.std_error == pytest.approx(once.std_error, rel=0.02)


@pytest.mark.long
def test_the_intervals_of_area_gain_and_slope_cover_what_holds_over_all():
    rng = np.random.default_rng(7)
    p = 1 / (1 + np.exp(-rng.normal(-1, 1, 400_000)))
    y = (rng.random(len(p)) < p).astype(float)
    everyone = pd.DataFrame({"p_score": p, "p_simple": 0.5, "p_base": y.mean(), "outcome": y})
    wanted = cx.score_quality(everyone)
    asked = (("score", "auc"), ("score", "brier_gain", "base"))
    truth = np.array([one(wanted, *which)["estimate"] for which in asked])
    inside = []
    for start in range(0, 400_000, 400):
        found = cx.score_quality(everyone.iloc[start : start + 400])
        low, high = ([one(found, *which)[end] for which in asked] for end in ("conf_low", "conf_high"))
        inside.append((low <= truth) & (truth <= high))
    assert ((np.mean(inside, axis=0) >= 0.93) & (np.mean(inside, axis=0) <= 0.97)).all()


def test_a_planted_score_is_calibrated_out_of_time_and_beats_both_others():
    quality = cx.score_quality(scored(planted(8)), cluster_col="customer_id")
    slope = one(quality, "score", "calibration_slope")
    assert 0.9 <= slope["estimate"] <= 1.1 and slope["verdict"] == "no_difference_shown"
    told = cx.score_told(quality)
    assert told["claim"] == "score" and told["verdict"] == "ahead" and told["conf_low"] > 0


def test_a_score_of_recency_alone_gives_way_to_recency():
    quality = cx.score_quality(scored(planted(9, weights=(-0.02, 0, 0))))
    assert cx.score_told(quality)["claim"] == "simple"


def judged(**verdicts):
    """A quality table in which the gains have these verdicts, written `score_base=` and so on."""
    pairs = [("score", "base"), ("score", "simple"), ("simple", "base")]
    rows = [{"forecast": f, "other_forecast": o, "metric": "brier_gain"} for f, o in pairs]
    limits = {"ahead": (0.1, 0.3), "behind": (-0.3, -0.1), "no_difference_shown": (-0.1, 0.3)}
    for row in rows:
        row["verdict"] = verdicts[f"{row['forecast']}_{row['other_forecast']}"]
        row["conf_low"], row["conf_high"] = limits[row["verdict"]]
    more = [{"forecast": f, "metric": m} for f in ("score", "simple") for m in ("auc", "calibration_slope")]
    more.append({"forecast": "score", "metric": "auc_gain", "other_forecast": "simple"})
    columns = ["other_forecast", "conf_low", "conf_high", "verdict", "note"]
    table = pd.DataFrame(rows + more).reindex(columns=["forecast", "metric", *columns])
    return table.assign(estimate=table[["conf_low", "conf_high"]].mean(axis=1), n=90, events=30)


@pytest.mark.parametrize(
    ("verdicts", "claim", "verdict", "used"),
    [
        (("ahead", "ahead", "ahead"), "score", "ahead", "score"),
        (("ahead", "no_difference_shown", "ahead"), "simple", "ahead", "simple"),
        (("ahead", "no_difference_shown", "no_difference_shown"), "unclear", "no_difference_shown", "base"),
        (("no_difference_shown",) * 3, "base", "no_difference_shown", "base"),
        (("behind", "behind", "no_difference_shown"), "base", "behind", "base"),
    ],
)
def test_the_verdict_is_that_of_the_comparison_whose_limits_are_told(verdicts, claim, verdict, used):
    pairs = ("score_base", "score_simple", "simple_base")
    told = cx.score_told(judged(**dict(zip(pairs, verdicts, strict=True))))
    assert (told["claim"], told["verdict"], told["used"]) == (claim, verdict, used)
    side = {"ahead": told["conf_low"] > 0, "behind": told["conf_high"] < 0}
    assert side.get(verdict, told["conf_low"] < 0 < told["conf_high"])


def claims_of_noise(seeds, n):
    told = [cx.score_told(cx.score_quality(scored(planted(s, n=n, weights=(0, 0, 0))))) for s in seeds]
    return np.mean([one["claim"] != "base" for one in told])


def test_noise_is_told_from_the_base_rate_in_hardly_any_sample():
    assert claims_of_noise(range(30), 200) <= 0.09


@pytest.mark.long
@pytest.mark.parametrize("n", [60, 300])
def test_noise_is_told_from_the_base_rate_in_at_most_nine_of_a_hundred(n):
    assert claims_of_noise(range(200), n) <= 0.09


def test_a_score_that_is_too_sure_is_called_off():
    rows = scored(planted(10))
    sure = rows.assign(p_score=lambda d: d["p_score"] ** 2 / (d["p_score"] ** 2 + (1 - d["p_score"]) ** 2))
    slope = one(cx.score_quality(sure), "score", "calibration_slope")
    assert slope["verdict"] == "off" and slope["conf_high"] < 1


def test_drift_is_seen_where_it_was_planted_and_not_elsewhere():
    early = {"test_from": "2025-07-31"}
    still, moved = (cx.score_drift(scored(planted(11, drift=d), **early)) for d in (0.0, 0.4))
    assert still["verdict"].iloc[-1] == "no_difference_shown"
    assert moved["verdict"].iloc[-1] == "differ" and moved["month"].nunique() == 3
    gaps = moved[(moved["metric"] == "calibration_gap") & moved["month"].notna()]
    assert gaps["estimate"].is_monotonic_decreasing and gaps["verdict"].iloc[-1] == "off"


def test_fifths_add_up():
    lift = cx.score_lift(scored(planted(12)))
    own = lift[lift["forecast"] == "score"]
    assert own["event_share"].sum() == pytest.approx(1)
    assert np.average(own["estimate"], weights=own["n"]) == pytest.approx(1)
    assert own["verdict"].iloc[0] == "ahead" and own["verdict"].iloc[-1] == "behind"


def test_a_fifth_in_which_all_have_it_or_none_has_no_interval_without_width():
    rows = pd.DataFrame({"p_score": np.repeat([0.9, 0.1], 100), "p_simple": 0.5, "p_base": 0.5})
    lift = cx.score_lift(rows.assign(outcome=np.repeat([1.0, 0.0], 100)))
    assert (lift["conf_low"].isna() | (lift["conf_low"] < lift["conf_high"])).all()
    same = cx.score_lift(rows.assign(outcome=1.0))
    assert same["conf_low"].isna().all()


def test_the_curve_holds_every_row_once_and_ties_together():
    rows = scored(planted(13))
    assert cx.calibration_curve(rows)["n"].sum() == len(rows)
    assert len(cx.calibration_curve(rows, forecast="base")) == 1


def test_rows_whose_outcome_the_first_test_day_does_not_know_stay_out_of_the_fit():
    rows = planted(14, n=100)
    monthly = rows.assign(cut_on=np.repeat(pd.date_range("2025-01-31", periods=6, freq="30D"), 100))
    found = scored(monthly, test_from="2025-06-30")
    assert found["cut_on"].min() >= pd.Timestamp("2025-06-30") and found["n_train"].iloc[0] == 300


def test_nothing_after_the_cut_is_needed_for_today():
    rows = planted(15)
    today = rows[rows["cut_on"] == CUTS[-1]].drop(columns="outcome")
    listed = cx.score_now(rows[rows["cut_on"] < CUTS[-1]], today, forecast="score", feature_cols=FEATURES)
    assert listed["probability"].between(0, 1).all()
    top = listed.nlargest(20, "probability")
    assert set(top["reason_1"]) <= {"recency_days", "frequency"}
    flat = cx.score_now(rows, today, forecast="base", feature_cols=FEATURES)
    assert set(flat["probability"]) == {flat["probability"].iloc[0]} and flat["reason_1"].isna().all()


def test_names_of_columns_are_arguments():
    rows = planted(16, n=300)
    names = {"outcome": "left", "cut_on": "day", "recency_days": "days", "customer_id": "who"}
    renamed = {"outcome_col": "left", "period_col": "day", "baseline_col": "days", "cluster_col": "who"}
    other = cx.score_out_of_time(
        rows.rename(columns=names), feature_cols=["days", *FEATURES[1:]], next_days=90, **renamed
    )
    assert other["p_score"].tolist() == pytest.approx(scored(rows)["p_score"].tolist())
    of_both = [
        cx.score_quality(other, outcome_col="left", cluster_col="who"),
        cx.score_quality(scored(rows), cluster_col="customer_id"),
    ]
    pd.testing.assert_frame_equal(*of_both)


def test_perfectly_told_apart_is_no_score():
    rows = planted(17, n=200).assign(noise=lambda d: d["outcome"] * 2 - 1)
    found = scored(rows)
    assert found["note"].unique().tolist() == ["separated"] and found["p_score"].isna().all()
    quality = cx.score_quality(found)
    assert one(quality, "score", "auc")["verdict"] == "not_enough_data"
    assert cx.score_told(quality)["claim"] == "simple"
    with pytest.raises(NotEnoughData, match="cannot be fitted"):
        cx.score_now(rows, rows, forecast="score", feature_cols=FEATURES)


def test_too_few_events_leave_the_base_rate():
    rows = planted(18, n=200)
    rows.loc[rows.index[20:], "outcome"] = 0.0
    found = scored(rows)
    assert found["note"].unique().tolist() == ["few_events"]
    assert found["p_score"].tolist() == pytest.approx(found["p_base"].tolist())
    assert cx.score_told(cx.score_quality(found))["claim"] == "too_few"


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"outcome": 2.0}, ParameterError, "'outcome' must hold 1"),
        ({"noise": "much"}, ParameterError, "'noise' must hold finite numbers"),
        ({"noise": np.inf}, ParameterError, "'noise' must hold finite numbers"),
        ({"outcome": np.nan}, NotEnoughData, "of 0 rows on 0 days"),
        ({"cut_on": CUTS[0]}, NotEnoughData, "rows on 1 day"),
    ],
)
def test_bad_rows_are_refused_with_what_to_do(change, error, words):
    with pytest.raises(error, match=words):
        scored(planted(19, n=50).assign(**change))


def test_bad_arguments_are_refused():
    rows = planted(20, n=50)
    with pytest.raises(ParameterError, match="no_such"):
        cx.score_out_of_time(rows, feature_cols=["no_such"])
    with pytest.raises(ParameterError, match="at least 1"):
        cx.score_out_of_time(rows, feature_cols=FEATURES, next_days=0)
    with pytest.raises(ParameterError, match="probabilities between 0 and 1"):
        cx.score_quality(scored(rows).assign(p_score=50.0))
    with pytest.raises(ParameterError, match="score"):
        cx.calibration_curve(scored(rows), forecast="best")
    with pytest.raises(ParameterError, match="simple"):
        cx.score_now(rows, rows, forecast="best", feature_cols=FEATURES)


def hollow(p_simple, seed=3, n=4_000):
    """A score that knows the outcome, beside a simple one that is worse than the base rate."""
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(1.0 - 1.2 * rng.normal(size=n)))
    outcome = (rng.random(n) < p).astype(float)
    return pd.DataFrame({"p_score": p, "p_simple": p_simple(p), "p_base": outcome.mean(), "outcome": outcome})


def test_the_bar_is_the_base_rate_where_the_simple_score_is_worse_than_it():
    rows = hollow(lambda p: 1 - p)
    told = cx.score_told(cx.score_quality(rows))
    assert (told["claim"], told["used"], told["metric"]) == ("score_chance", "score", "brier_gain")
    base = ((rows["p_base"] - rows["outcome"]) ** 2).mean()
    saved = 1 - ((rows["p_score"] - rows["outcome"]) ** 2).mean() / base
    assert told["estimate"] == pytest.approx(saved) and told["simple_auc_share"] < 0.5


def test_the_bar_is_a_coin_where_the_simple_score_ranks_worse_than_one():
    rows = hollow(lambda p: 0.01 * (1 - p)).assign(p_score=lambda rows: rows["p_score"].rank(pct=True) * 0.4)
    table = cx.score_quality(rows)
    is_error = (table["metric"] == "brier_gain") & (table["forecast"] == "score")
    table.loc[is_error, "verdict"] = "no_difference_shown"  # as where an event is rare
    told = cx.score_told(table)
    assert (told["claim"], told["used"], told["metric"]) == ("score_ranks_chance", "score", "ranked_right")
    assert told["estimate"] == told["auc"] and told["conf_low"] > 0.5 > told["simple_auc_share"]


@pytest.mark.parametrize("chapter", ["sales.lead_score", "value_score.leaving", "support.forecast"])
@pytest.mark.parametrize("claim", ["score_chance", "score_ranks_chance"])
def test_every_chapter_has_words_for_a_bar_of_chance(chapter, claim):
    assert f"{chapter}.{claim}" in catalogue()
