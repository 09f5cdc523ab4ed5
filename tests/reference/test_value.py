"""Purchase models, contracts and churn on published data: CDNOW, Fader & Hardie's subscribers, Telco."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from cxlib.stats.survival.hazard_ratios import cox_hazard_ratios
from cxlib.stats.survival.kaplan_meier import logrank, survival_curve
from cxlib.value.days_of_purchase import purchase_days, purchase_histories
from cxlib.value.expected_orders import expected_purchases
from cxlib.value.leave_after_order import bg_nbd
from cxlib.value.leave_any_day import pareto_nbd
from cxlib.value.renewals_survived import contract_survival, sbg
from cxlib.value.spend_per_order import gamma_gamma, mean_values

pytestmark = pytest.mark.reference


@pytest.fixture(scope="module")
def numbers(reference_dir):
    rows = json.loads((reference_dir("cdnow").parent / "reference.json").read_text(encoding="utf-8"))
    return {(row["dataset"], row["analysis"], row["quantity"]): row for row in rows}


@pytest.fixture(scope="module")
def summary(reference_dir):
    rows = pd.read_csv(reference_dir("cdnow") / "cdnow_customers_summary_with_transactions.csv")
    return rows.rename(columns={"T": "age", "zbar": "mean_value"})


@pytest.fixture(scope="module")
def bg(summary):
    return bg_nbd(summary)


def _agree(found, row):
    wanted, tolerance = np.atleast_1d(row["value"]).astype(float), row["tolerance"]
    assert (np.abs(np.asarray(found, dtype=float) - wanted) <= np.asarray(tolerance) + 1e-9).all(), found


def test_bg_nbd_as_published(bg, numbers):
    _agree(bg["estimate"][:4], numbers["cdnow", "bgnbd", "r, alpha, a, b"])
    _agree(bg["estimate"], numbers["cdnow", "bgnbd", "high-precision r, alpha, a, b; logLik"])
    assert set(bg["note"]) == {""}


def test_bg_nbd_expects_as_published(bg, numbers):
    one = pd.DataFrame({"x": [2], "t_x": [30.43], "age": [38.86]})
    found = expected_purchases(one, bg, periods=39)
    _agree(found["estimate"], numbers["cdnow", "bgnbd", "E[Y(39)|x=2,t_x=30.43,T=38.86]"])
    _agree(found["p_alive"], numbers["cdnow", "bgnbd", "P(alive|2,30.43,38.86)"])
    new = pd.DataFrame({"x": [0], "t_x": [0.0], "age": [0.0]})
    times = (0.1429, 1, 3, 31.8571, 32, 78)
    found = [expected_purchases(new, bg, periods=time)["estimate"].item() for time in times]
    _agree(found, numbers["cdnow", "bgnbd", "E[X(t)] at t=0.1429,1,3,31.8571,32,78"])


def test_pareto_nbd_as_published(summary, numbers):
    rows = pareto_nbd(summary)
    _agree(rows["estimate"], numbers["cdnow", "pareto_nbd", "r, alpha, s, beta; logLik (optional)"])
    one = pd.DataFrame({"x": [2], "t_x": [30.43], "age": [38.86]})
    assert expected_purchases(one, rows, periods=39)["estimate"].item() == pytest.approx(1.455, abs=0.001)


def test_gamma_gamma_as_published(summary, numbers):
    rows = gamma_gamma(summary)
    _agree(rows["estimate"][:3], numbers["cdnow", "gamma_gamma", "p, q, v (946 repeat customers)"])
    assert rows["estimate"].iloc[3] == pytest.approx(-4055.9177, abs=0.01)
    assert set(rows["n"]) == {946}
    at = pd.DataFrame({"parameter": ["p", "q", "v"], "estimate": [6.25, 3.74, 15.44]})
    published = numbers["cdnow", "gamma_gamma", "E[M] customers 1..10 at p=6.25,q=3.74,v=15.44"]
    _agree(mean_values(summary.head(10), at), published)


def test_value_of_a_customer_is_in_the_right_unit_of_time(summary, bg, numbers):
    """12 months of 4.345 weeks, 1 % a month: 36.28; months read as 30 weeks would give 140.10."""
    six = summary.head(6)
    worth = mean_values(six, gamma_gamma(summary)).to_numpy()
    ends = [expected_purchases(six, bg, periods=4.345 * month)["estimate"].to_numpy() for month in range(13)]
    found = sum((ends[m] - ends[m - 1]) * worth / 1.01**m for m in range(1, 13))
    right = numbers[
        "cdnow", "ltv", 'CLV customers 1..6, 12 months, 1%/month, freq="W" (right unit: T is in weeks)'
    ]
    assert found == pytest.approx(np.array(right["value"]), rel=2e-3)
    assert found[0] == pytest.approx(36.28, abs=0.05)


def test_histories_of_the_tenth_of_cdnow_are_the_published_ones(reference_dir, summary):
    """One purchase per day until week 39: counts, last day and time observed of every customer."""
    names = ["master", "customer_id", "day", "cds", "amount"]
    path = reference_dir("cdnow") / "CDNOW_sample.txt"
    rows = pd.read_csv(path, sep=r"\s+", names=names, dtype={"customer_id": str, "day": str})
    rows = rows.assign(ordered_at=pd.to_datetime(rows["day"], format="%Y%m%d"))
    days = purchase_days(rows.assign(amount=1.0), as_of="1997-09-30")  # some CDs cost nothing
    found = purchase_histories(days, as_of="1997-09-30")
    assert found["x"].to_list() == summary["x"].to_list()
    assert np.abs(found["age"].to_numpy() - summary["age"].to_numpy()).max() < 0.006
    assert np.abs(found["t_x"].to_numpy() - summary["t_x"].to_numpy()).max() < 0.006


def test_sbg_as_published(reference_dir, numbers):
    table = pd.read_csv(reference_dir("sbg") / "fader_hardie_2007_survivors.csv")
    fits = {}
    for name, quantity in {
        "highend": "High End alpha, beta, LL (years 1-7)",
        "regular": "Regular alpha, beta",
    }.items():
        rows = table.rename(columns={"year": "period", name: "n"}).head(8)
        fits[name] = sbg(rows)["estimate"].to_numpy()
        row = numbers["sbg", "retention", quantity]
        _agree(fits[name][: len(row["value"])], row)
    found = [contract_survival(*fits[name][:2], np.array([12.0]))[0] for name in ("highend", "regular")]
    _agree(found, numbers["sbg", "retention", "fitted S(12): High End, Regular; observed .394,.173"])
    years = np.arange(500.0)
    lifetime = (contract_survival(*fits["highend"][:2], years) / 1.1**years).sum()
    assert lifetime == pytest.approx(5.92, abs=0.01)
    by_first_churn = 1 / (1 - 0.869 / 1.1)
    assert by_first_churn == pytest.approx(4.76, abs=0.01)


@pytest.fixture(scope="module")
def telco(reference_dir):
    rows = pd.read_csv(reference_dir("telco") / "Telco-Customer-Churn.csv")
    return rows.assign(left=(rows["Churn"] == "Yes").astype(int))


def test_telco_churn_and_survival_as_computed_elsewhere(telco, numbers):
    by_contract = telco.groupby("Contract")["left"].mean()
    wanted = numbers["telco", "churn", "churn rate by Contract M2M/1y/2y"]
    _agree(by_contract[["Month-to-month", "One year", "Two year"]], wanted)
    at = {"duration_col": "tenure", "event_col": "left"}
    curve = survival_curve(telco, times=[12, 24, 36, 48, 60, 72], **at)
    _agree(curve["estimate"], numbers["telco", "km", "S(12,24,36,48,60,72)"])
    monthly = survival_curve(telco[telco["Contract"] == "Month-to-month"], times=[12, 24, 48, 72], **at)
    row = numbers["telco", "km", "M2M: S(12),S(24),S(48),S(72), median months; log-rank by Contract"]
    assert monthly["estimate"].to_numpy() == pytest.approx(np.array(row["value"][:4]), abs=1e-4)
    assert logrank(telco, by="Contract", **at)["statistic"].item() == pytest.approx(row["value"][5], abs=0.01)


def test_cox_on_telco_churn_as_computed_elsewhere(telco, numbers):
    rows = telco[telco["tenure"] > 0].assign(
        one_year=lambda held: (held["Contract"] == "One year").astype(float),
        two_years=lambda held: (held["Contract"] == "Two year").astype(float),
    )
    asked = {"duration_col": "tenure", "event_col": "left"}
    found = cox_hazard_ratios(rows, feature_cols=["one_year", "two_years", "MonthlyCharges"], **asked)
    row = numbers["telco", "cox", "Contract one year, two year (ref M2M), MonthlyCharges; tenure>0 (7,032)"]
    _agree(found["coefficient"], row)
    assert found["n"].iloc[0] == 7032


def test_cox_on_the_leukaemia_trial():
    """Freireich et al. (1963), 6-MP against placebo; Efron: log-ratio 1.572, error .412, ratio 4.817."""
    treated, open_ = [6, 6, 6, 7, 10, 13, 16, 22, 23], [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    placebo = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
    weeks = [float(week) for week in (*treated, *open_, *placebo)]
    back = [True] * len(treated) + [False] * len(open_) + [True] * len(placebo)
    group = [0.0] * 21 + [1.0] * 21
    rows = pd.DataFrame({"weeks": weeks, "back": back, "placebo": group})
    found = cox_hazard_ratios(rows, duration_col="weeks", event_col="back", feature_cols=["placebo"]).iloc[0]
    assert found["coefficient"] == pytest.approx(1.572, abs=5e-4)
    assert found["std_error"] == pytest.approx(0.412, abs=5e-4)
    assert found["estimate"] == pytest.approx(4.817, abs=5e-4)
