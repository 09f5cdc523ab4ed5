"""Published studies: mpdta (R's did), billboard, banks, organ donations, Proposition 99, seat belts."""

import numpy as np
import pandas as pd
import pytest

import cxlib as cx

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
    study = cx.att_gt(data, **names, start_col="start").estimates.set_index("time")["estimate"]
    assert study.loc[[4.0, 5.0, 6.0]].round(4).tolist() == [-0.0216, -0.0203, -0.0222]


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
