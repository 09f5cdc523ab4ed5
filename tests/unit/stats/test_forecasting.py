"""Forecasts of months: what they know, how often their intervals hold, and which may be called ahead."""

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import NotEnoughData, ParameterError
from cxlib.stats.forecasting.methods import exponential_smoothing, seasonal_naive
from cxlib.stats.forecasting.rolling import (
    forecast_quality,
    forecast_told,
    next_months,
    roll_forecasts,
)
from cxlib.stats.intervals import Interval


def as_sales(values):
    months = pd.date_range("2020-01-01", periods=len(values), freq="MS")
    return pd.DataFrame({"month": months, "amount": np.asarray(values, dtype=float)})


def rising_level(rng, n):
    """A level that wanders, seen with noise: what exponential smoothing without a trend is made for."""
    return 100 + np.cumsum(rng.normal(0, 2, n)) + rng.normal(0, 5, n)


def season_that_wanders(rng, n):
    """Each month is that of a year ago and a step: what the seasonal naive forecast is made for."""
    values = 100 + 10 * rng.normal(size=n)
    for month in range(12, n):
        values[month] = values[month - 12] + rng.normal(0, 4)
    return values


def covered(method, draw, *, origins, known, seed):
    rng, inside = np.random.default_rng(seed), []
    for _ in range(origins):
        values = draw(rng, known + 3)
        found = method(values[:known], 3)
        inside.append((found.conf_low <= values[known:]) & (values[known:] <= found.conf_high))
    return np.mean(inside)


@pytest.mark.parametrize("known", [24, 48])
def test_the_naive_interval_covers_a_season_that_wanders(known):
    assert 0.75 <= covered(seasonal_naive, season_that_wanders, origins=600, known=known, seed=1) <= 0.85


@pytest.mark.long
def test_the_smoothing_interval_covers_a_level_that_wanders():
    assert 0.75 <= covered(exponential_smoothing, rising_level, origins=500, known=40, seed=2) <= 0.85


def test_the_same_month_a_year_ago_by_hand():
    values = np.array([10.0, 20, 30, 12, 22, 32, 13, 23, 33])
    found = seasonal_naive(values, 4, season=3, level=0.8)
    assert found.estimate.tolist() == [13, 23, 33, 13]
    size = np.sqrt(np.mean([4, 4, 4, 1, 1, 1]))
    np.testing.assert_allclose(found.std_error, [size, size, size, size * np.sqrt(2)])


def test_without_a_year_the_last_month_goes_on():
    found = seasonal_naive(np.array([1.0, 2, 4, 3]), 2)
    assert found.estimate.tolist() == [3, 3] and np.isfinite(found.conf_low).all()


def test_two_seasons_are_too_few_for_a_season_and_four_are_not():
    wave = 100 + 30 * np.sin(np.arange(48) * np.pi / 6) + np.random.default_rng(3).normal(0, 1, 48)
    short, long = (exponential_smoothing(wave[:n], 6) for n in (24, 48))
    assert np.ptp(long.estimate) > 25 > np.ptp(short.estimate)


def test_a_forecast_knows_nothing_of_the_months_after_it():
    values = rising_level(np.random.default_rng(4), 22)
    later = values.copy()
    later[18:] += 1_000
    one, two = (roll_forecasts(as_sales(each)) for each in (values, later))
    early = one["origin"] <= pd.Timestamp("2021-07-01")
    assert early.any()
    columns = ["method", "origin", "step", "estimate", "conf_low", "conf_high", "scale"]
    pd.testing.assert_frame_equal(one.loc[early, columns], two.loc[early, columns])


def fixed(estimate):
    return lambda start, horizon, level: Interval(*[np.full(horizon, float(estimate))] * 4)


def test_errors_by_hand():
    sales = as_sales([100.0] * 15 + [110.0] * 6)
    judged = forecast_quality(roll_forecasts(sales, more={"right": fixed(110)}))
    table = judged.set_index(["method", "metric"])["estimate"]
    assert table["seasonal_naive", "wape"] == pytest.approx(1 / 11)
    assert table["seasonal_naive", "bias"] == pytest.approx(-1 / 11)
    assert table["right", "wape"] == 0 and table["right", "wape_gain"] == 1
    assert table["right", "coverage"] == 1
    scaled = forecast_quality(roll_forecasts(as_sales(np.arange(24.0) ** 2)))
    mase = scaled.set_index(["method", "metric"])["estimate"]["seasonal_naive", "mase"]
    rolled = roll_forecasts(as_sales(np.arange(24.0) ** 2))
    own = rolled[rolled["method"] == "seasonal_naive"]
    assert mase == pytest.approx((abs(own["estimate"] - own["actual"]) / own["scale"]).mean())


def test_only_what_beats_the_year_before_is_called_ahead():
    rng = np.random.default_rng(5)
    sales = as_sales(np.full(30, 100.0) + np.repeat([0, 40], 15) + rng.normal(0, 2, 30))
    good = forecast_quality(roll_forecasts(sales, more={"good": fixed(140), "bad": fixed(300)}))
    told = forecast_told(good, months=30)
    assert (told["claim"], told["verdict"]) == ("ahead", "ahead") and told["method"] != "bad"
    gains = good[good["metric"] == "wape_gain"].set_index("method")["verdict"]
    assert gains["good"] == "ahead" and gains["bad"] == "behind"
    assert not told["is_season_known"]


def test_few_months_allow_no_winner():
    sales = as_sales([100.0, 90.0] * 7 + [140.0] * 5)
    told = forecast_told(forecast_quality(roll_forecasts(sales, more={"good": fixed(140)})), months=19)
    claimed = (told["claim"], told["method"], told["verdict"])
    assert claimed == ("untested", "seasonal_naive", "not_enough_data")


def test_the_nearest_rival_is_one_that_could_be_judged():
    gains = {"estimate": [0.8, 0.1], "conf_low": [np.nan, -0.2], "conf_high": [np.nan, 0.4]}
    rows = pd.DataFrame({"method": ["new", "smoothing"], "metric": "wape_gain", **gains, "n": 5})
    rows["verdict"] = ["not_enough_data", "no_difference_shown"]
    wape = rows.assign(metric="wape", estimate=0.1, verdict=None)
    table = pd.concat([rows, wape, wape.head(1).assign(method="seasonal_naive")])
    told = forecast_told(table, months=40)
    assert (told["claim"], told["rival"], told["conf_low"]) == ("naive", "smoothing", -0.2)


@pytest.mark.long
def test_of_forecasts_no_better_than_the_year_before_few_are_called_ahead():
    rng, claims = np.random.default_rng(6), 0
    for _ in range(60):
        judged = forecast_quality(roll_forecasts(as_sales(season_that_wanders(rng, 30))))
        claims += forecast_told(judged, months=30)["claim"] == "ahead"
    assert claims <= 5


def test_months_ahead_follow_the_last_one():
    ahead = next_months(as_sales(np.arange(20.0) + 50), horizon_months=2)
    assert ahead["month"].dt.strftime("%Y-%m").tolist() == ["2021-09", "2021-10"] * 2
    assert (ahead["conf_low"] <= ahead["estimate"]).all()


def test_renamed_columns():
    sales = as_sales(np.arange(20.0) + 50).rename(columns={"month": "m", "amount": "yen"})
    assert len(next_months(sales, horizon_months=1, amount_col="yen", month_col="m")) == 2


@pytest.mark.parametrize(
    ("sales", "options", "error", "words"),
    [
        (as_sales(range(9)), {}, NotEnoughData, "needs 18 whole months; the data hold 9"),
        (as_sales(range(17)), {}, NotEnoughData, "needs 18 whole months; the data hold 17"),
        (as_sales([1.0, np.nan] * 10), {}, ParameterError, "amount of 10 months"),
        (as_sales(range(20)), {"horizon_months": 0}, ParameterError, "at least 1"),
        (as_sales(range(20)), {"amount_col": "yen"}, ParameterError, "yen"),
    ],
)
def test_bad_series_are_refused(sales, options, error, words):
    with pytest.raises(error, match=words):
        roll_forecasts(sales, **options)


def test_an_unknown_baseline_is_refused():
    with pytest.raises(ParameterError, match="seasonal_naive"):
        forecast_quality(roll_forecasts(as_sales(range(20))), baseline="oracle")


@pytest.mark.parametrize("seed", [0, 1, 4])
def test_a_search_ends_alike_where_a_machine_rounds_otherwise(seed):
    values = 7e6 * (1 + 0.01 * np.arange(24) + np.random.default_rng(seed).normal(0, 0.08, 24))
    found, other = (exponential_smoothing(values * (1 + by), 3) for by in (0.0, 1e-12))
    assert np.array(other) == pytest.approx(np.array(found), rel=1e-9)


def test_months_without_sales_have_no_relative_error():
    rolled = roll_forecasts(as_sales(np.random.default_rng(1).normal(100, 5, 30)))
    found = forecast_quality(rolled.assign(actual=0.0))
    assert found.loc[found["metric"].isin(["wape", "bias"]), "estimate"].isna().all()
