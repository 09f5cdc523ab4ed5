"""Published studies: mpdta (R's did), billboard, banks, organ donations, Proposition 99, seat belts."""

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.initiatives.doubt.bounds import breakdown, interval
from cxlib.initiatives.doubt.sensitivity import e_value

pytestmark = pytest.mark.reference

SCENARIOS = {
    "mpdta_nev_dr": {},
    "mpdta_nyt_dr": {"control": "not_yet"},
    "mpdta_nev_reg_cov": {"covariates": ["lpop"]},
}


@pytest.fixture(scope="module")
def county(reference_dir):
    folder = reference_dir("mpdta")
    panel = pd.read_csv(folder / "mpdta.csv")
    panel["start"] = panel["first.treat"].where(panel["first.treat"] > 0)
    return panel, {
        name: pd.read_csv(folder / "r_ref" / f"ref_{name}.csv") for name in ("attgt", "aggte", "pretest")
    }


def fit(panel, scenario="mpdta_nev_dr"):
    names = {"outcome_col": "lemp", "unit_col": "countyreal", "time_col": "year", "start_col": "start"}
    return cx.att_gt(panel, **names, **SCENARIOS[scenario])


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_group_time_effects_and_errors(county, scenario):
    """R: att_gt(yname="lemp", gname="first.treat", idname="countyreal", tname="year", bstrap=FALSE)."""
    panel, expected = county
    known = expected["attgt"].query("scenario == @scenario")
    found = fit(panel, scenario).estimates.merge(known, left_on=["start", "time"], right_on=["group", "t"])
    assert len(found) == len(known) == 12
    assert (found["estimate"] - found["att"]).abs().max() < 1e-9
    assert (found["std_error"] - found["se"]).abs().max() < 1e-9


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("kind", ["simple", "group", "dynamic", "calendar"])
def test_aggregates_and_errors(county, scenario, kind):
    """R: aggte(…, type = kind)."""
    panel, expected = county
    known = expected["aggte"].query("scenario == @scenario and type == @kind")
    found = fit(panel, scenario).aggregate(kind)
    assert found.loc[0, "estimate"] == pytest.approx(known["overall_att"].iloc[0], abs=1e-9)
    assert found.loc[0, "std_error"] == pytest.approx(known["overall_se"].iloc[0], abs=1e-9)
    if kind != "simple":
        assert found["estimate"].iloc[1:].to_numpy() == pytest.approx(known["att_egt"].to_numpy(), abs=1e-9)
        assert found["std_error"].iloc[1:].to_numpy() == pytest.approx(known["se_egt"].to_numpy(), abs=1e-9)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_pretrend(county, scenario):
    panel, expected = county
    known = expected["pretest"].set_index("scenario").loc[scenario]
    found = fit(panel, scenario).pretrend().iloc[0]
    assert found["statistic"] == pytest.approx(known["W"], abs=1e-9)
    assert found["p_value"] == pytest.approx(known["Wpval"], abs=1e-5)
    assert found["df"] == 5
    corrected = fit(panel, scenario).pretrend(small_sample=True).iloc[0]
    assert (
        found["p_value"] < corrected["p_value"] < found["p_value"] + 0.05
    )  # 500 counties: little to correct


def test_simultaneous_band_does_not_star_the_pre_period(county):
    band = fit(county[0]).aggregate("dynamic", band="simultaneous").set_index("event_time")
    assert (band["critical_value"].iloc[1:] > 1.96).all()
    assert band.loc[-3.0, "conf_low"] < 0 < band.loc[-3.0, "conf_high"]
    pointwise = fit(county[0]).aggregate("dynamic").set_index("event_time")
    assert pointwise.loc[-3.0, "conf_low"] > 0


def test_balanced_horizon(county):
    """R: aggte(…, type = "dynamic", balance_e = 1): -0.0288."""
    found = fit(county[0]).aggregate("dynamic", horizon_months=2)
    assert found["estimate"].round(4).tolist() == [-0.0288, 0.0065, -0.0028, -0.0066, -0.0510]


def test_billboard_is_not_shown(reference_dir):
    """Facure, ch. 13: +41 before/after, +6.52 by difference-in-differences."""
    data = pd.read_csv(reference_dir("causal_handbook") / "billboard_impact.csv")
    found = cx.did(
        data, outcome_col="deposits", unit_col=None, time_col="jul", treated_col="poa", post_col="jul"
    ).iloc[0]
    assert found["estimate"] == pytest.approx(6.524557692307688, abs=1e-9)
    assert found["std_error"] == pytest.approx(5.7285, abs=1e-3)
    assert found["p_value"] == pytest.approx(0.2548, abs=1e-3)
    assert found["treatment_after"] - found["treatment_before"] == pytest.approx(41.04775, abs=1e-5)
    decided = cx.verdict(
        **found[["estimate", "conf_low", "conf_high"]], months_observed=1, horizon_months=1, has_control=True
    )
    assert decided["verdict"].item() == "not_shown"


def test_banks(reference_dir):
    """Angrist & Pischke, Mastering 'Metrics, ch. 5: 135, 121, 165, 132 banks, +19."""
    banks = pd.read_csv(reference_dir("banks") / "banks.csv")
    first_of_july = banks[(banks["day"] == 1) & (banks["month"] == 7) & banks["year"].isin([1930, 1931])]
    long = first_of_july.melt(
        id_vars="year", value_vars=["bib6", "bib8"], var_name="district", value_name="n"
    )
    long["treated"], long["post"] = long["district"] == "bib6", long["year"] == 1931
    found = cx.did(
        long, outcome_col="n", unit_col="district", time_col="year", treated_col="treated", post_col="post"
    ).iloc[0]
    means = ["treatment_before", "treatment_after", "control_before", "control_after"]
    assert found[means].tolist() == [135, 121, 165, 132]
    assert found["estimate"] == 19
    assert np.isnan(found["std_error"])


def test_organ_donations(reference_dir):
    """Huntington-Klein, The Effect, ch. 18: -0.022; one treated state, so no interval is claimed."""
    data = pd.read_csv(reference_dir("organ_donations") / "organ_donations.csv")
    data["treated"], data["post"] = data["State"] == "California", data["Quarter_Num"] >= 4
    data["start"] = np.where(data["treated"], 4.0, np.nan)
    names = {"outcome_col": "Rate", "unit_col": "State", "time_col": "Quarter_Num"}
    found = cx.did(data, **names, treated_col="treated", post_col="post").iloc[0]
    assert found["estimate"] == pytest.approx(-0.022459, abs=1e-5)
    assert np.isnan(found["conf_low"])
    coefficient, error = twoway_regression(
        data, "Rate", "State", "Quarter_Num", data["treated"] & data["post"]
    )
    assert found["estimate"] == pytest.approx(coefficient, abs=1e-12)
    assert error == pytest.approx(
        0.0061312, abs=1e-7
    )  # published, and why it is not shown: one cluster treated
    clustered = cx.did(data, **names, treated_col="treated", post_col="post", cluster_col="State").iloc[0]
    assert np.isnan(clustered["std_error"])
    study = cx.att_gt(data, **names, start_col="start").estimates.set_index("time")["estimate"]
    assert study.loc[[4.0, 5.0, 6.0]].round(4).tolist() == [-0.0216, -0.0203, -0.0222]
    before = [
        -study.loc[2.0] - study.loc[3.0],
        -study.loc[3.0],
    ]  # steps before, turned into gaps to quarter 3
    assert before == pytest.approx([-0.0029, 0.0063], abs=1e-4)


def twoway_regression(data, outcome, unit, time, treated):
    """Coefficient and error clustered by unit of a regression with unit and period effects (R: fixest)."""
    flat = pd.DataFrame({"y": data[outcome], "d": treated.astype(float)})
    for key in (unit, time):
        flat = flat - flat.groupby(data[key].to_numpy()).transform("mean")
    square = (flat["d"] ** 2).sum()
    coefficient = (flat["d"] * flat["y"]).sum() / square
    scores = (flat["d"] * (flat["y"] - coefficient * flat["d"])).groupby(data[unit].to_numpy()).sum()
    clusters, n = len(scores), len(data)
    factor = clusters / (clusters - 1) * (n - 1) / (n - 1 - data[time].nunique())
    return coefficient, np.sqrt((scores**2).sum() * factor) / square


def test_twoway_regression_of_county_employment(county):
    """R: feols(lemp ~ treated | countyreal + year, cluster = ~countyreal): -0.0365489 (0.01327)."""
    panel = county[0]
    names = {"outcome_col": "lemp", "unit_col": "countyreal", "time_col": "year"}
    pairs = cx.twoway_weights(panel, **names, start_col="start")
    total = (pairs["estimate"] * pairs["weight"]).sum()
    assert total == pytest.approx(-0.0365489, abs=5e-8)
    treated = panel["year"] >= panel["start"]
    coefficient, error = twoway_regression(panel, "lemp", "countyreal", "year", treated)
    assert total == pytest.approx(coefficient, abs=1e-12)
    assert error == pytest.approx(0.01327, abs=5e-6)


def test_proposition_99(reference_dir):
    """Arkhangelsky et al. (2021), table 1: difference-in-differences -27.3."""
    data = pd.read_csv(reference_dir("prop99") / "california_prop99.csv", sep=";")
    data["is_california"], data["post"] = data["State"] == "California", data["Year"] >= 1989
    found = cx.did(
        data, outcome_col="PacksPerCapita", unit_col="State", time_col="Year", treated_col="is_california",
        post_col="post",
    )  # fmt: skip
    assert found["estimate"].item() == pytest.approx(-27.349, abs=1e-3)


def test_seat_belts_before_after(reference_dir):
    belts = pd.read_csv(reference_dir("seatbelts") / "Seatbelts.csv")
    law = int(belts["law"].to_numpy().argmax())
    panel = belts.assign(unit="UK", month=np.arange(len(belts)) - law, start=0.0)
    found = cx.before_after(
        panel, outcome_col="drivers", unit_col="unit", time_col="month", start_col="start",
        horizon_months=23, months_before=law,
    ).set_index("metric")["estimate"]  # fmt: skip
    assert found["before"] == pytest.approx(1717.7515, abs=1e-3)
    assert found["after"] == pytest.approx(1321.6957, abs=1e-3)


@pytest.fixture(scope="module")
def belts(reference_dir):
    data = pd.read_csv(reference_dir("seatbelts") / "Seatbelts.csv")
    return data.assign(t=np.arange(1, len(data) + 1), y=np.log(data["drivers"]))


SERIES = {"outcome_col": "y", "time_col": "t", "start": 170, "season": "months"}


def test_seat_belts_level_with_robust_errors(belts):
    """log(drivers) ~ t + month + law; statsmodels OLS: HAC, maxlags=12."""
    found = cx.interrupted_series(belts, **SERIES, slope=False, lags=12, small_sample=False)
    law = found.set_index("metric").loc["level"]
    assert law["estimate"] == pytest.approx(-0.1640336, abs=1e-7)
    assert law["std_error"] == pytest.approx(0.0311784, abs=1e-7)


def test_seat_belts_level_and_slope(belts):
    """The published level counts the slope from 1 in the first month of the law."""
    found = cx.interrupted_series(belts, **SERIES).set_index("metric")["estimate"]
    assert found["trend"] == pytest.approx(-0.0010206, abs=1e-7)
    assert found["slope"] == pytest.approx(0.0066522, abs=1e-7)
    assert found["level"] - found["slope"] == pytest.approx(-0.2426006, abs=1e-7)


def test_series_errors_are_those_of_statsmodels(belts):
    import statsmodels.api as sm

    after = (belts["t"] >= 170).to_numpy(float)
    months = np.column_stack([(belts["t"] % 12 == m).to_numpy(float) for m in range(1, 12)])
    design = np.column_stack([np.ones(len(belts)), belts["t"] - 170, after, months])
    fit = sm.OLS(belts["y"].to_numpy(), design).fit(cov_type="HAC", cov_kwds={"maxlags": 7})
    found = cx.interrupted_series(belts, **SERIES, slope=False, lags=7, small_sample=False)
    assert found["std_error"].iloc[:2].to_numpy() == pytest.approx(fit.bse[1:3], rel=1e-9)


def test_bacon_weights(reference_dir):
    """R: bacondecomp::bacon(incearn_ln ~ reform_math, data = math_reform, id = "state", time = "class")."""
    data = pd.read_csv(reference_dir("bacon_math") / "math_reform.csv")
    names = {"outcome_col": "incearn_ln", "unit_col": "state", "time_col": "class"}
    found = cx.twoway_weights(data, **names, start_col="reformyr_math")
    kinds = ["earlier_later", "later_earlier", "treated_untreated"]
    weight = found.groupby("comparison")["weight"].sum().loc[kinds]
    assert weight.to_numpy() == pytest.approx([0.06353, 0.05265, 0.88382], abs=1e-5)
    mean = (found["estimate"] * found["weight"]).groupby(found["comparison"]).sum().loc[kinds] / weight
    assert mean.to_numpy() == pytest.approx([0.02868, 0.03375, -0.00129], abs=1e-5)
    assert (found["estimate"] * found["weight"]).sum() == pytest.approx(0.00246, abs=1e-5)
    cells = found.set_index(["start", "control_start"])[["estimate", "weight"]]
    for pair, expected in {
        (1985, 1987): (0.01021379, 0.039569136),
        (1984, 1987): (0.09784857, 0.013354583),
        (1987, 1985): (0.04575585, 0.031655309),
    }.items():
        assert cells.loc[pair].tolist() == pytest.approx(expected, abs=1e-7)


def test_e_value():
    """VanderWeele & Ding (2017): 7.26 for a ratio of 3.9, 3.0 for its limit of 1.8."""
    found = e_value(3.9, 1.8, 8.7).iloc[0]
    assert found["estimate"] == pytest.approx(7.26, abs=5e-3)
    assert found["limit"] == pytest.approx(3.0, abs=1e-9)
    assert e_value(0.5, 0.2, 1.4)["limit"].item() == 1.0
    assert e_value(0.5)["estimate"].item() == pytest.approx(e_value(2.0)["estimate"].item())


def test_risk_ratios_of_the_articles():
    """10 % to 20 % of 200 customers each, and 2 to 4 buyers of 20: Katz's interval."""
    for hits, size, expected in (((40, 20), 200, [2.0, 1.21, 3.30]), ((4, 2), 20, [2.0, 0.41, 9.71])):
        found = cx.risk_ratio(hits, (size, size))[["estimate", "conf_low", "conf_high"]]
        assert found.to_numpy()[0] == pytest.approx(expected, abs=5e-3)


#: Share of adults insured, 22 states that expanded Medicaid in 2014 minus 21 that did not by 2015; 2008–2012,
#: 2014 and 2015 against 2013, and their covariance clustered by state (× 1e6). Computed from the data of the
#: HonestDiD README (github.com/Mixtape-Sessions/Advanced-DID, ehec_data.csv):
#: feols(dins ~ i(year, D, ref = 2013) | stfips + year, cluster = "stfips", year < 2016, yexp2 != 2015).
MEDICAID = np.array([-0.005285, -0.011297, -0.002676, -0.001447, 0.00034, 0.046447, 0.069206])
MEDICAID_COVARIANCE = 1e-6 * np.array(
    [
        [74.88, 60.4, 44.45, 33.87, 43.28, 47.66, 24.25],
        [60.4, 72.66, 37.89, 28.66, 45.43, 44.29, 28.25],
        [44.45, 37.89, 50.52, 26.74, 27.78, 30.61, 9.64],
        [33.87, 28.66, 26.74, 39.99, 24.14, 23.87, 2.97],
        [43.28, 45.43, 27.78, 24.14, 54.63, 36.83, 9.72],
        [47.66, 44.29, 30.61, 23.87, 36.83, 83.76, 63.21],
        [24.25, 28.25, 9.64, 2.97, 9.72, 63.21, 107.12],
    ]
)


@pytest.mark.parametrize(
    ("m_bar", "low", "high"),
    [(0.5, 0.0241, 0.0673), (1.0, 0.0171, 0.0720), (1.5, 0.00859, 0.0796), (2.0, -0.00107, 0.0883)],
)
def test_relative_magnitudes_of_the_medicaid_expansion(m_bar, low, high):
    """R: createSensitivityResults_relativeMagnitudes, first effect; its grid has steps of 0.0004."""
    found = interval(MEDICAID, MEDICAID_COVARIANCE, 5, np.array([1.0, 0.0]), m_bar)
    assert found == pytest.approx((low, high), abs=6e-4)


def test_breakdown_of_the_medicaid_expansion():
    """The effect of 2014 stands up to about twice the largest violation before, as the README says."""
    study = (MEDICAID, MEDICAID_COVARIANCE, 5, np.array([1.0, 0.0]))
    at = breakdown(*study)
    assert 1.85 < at < 2.0
    assert interval(*study, at)[0] == pytest.approx(0, abs=1e-4)
