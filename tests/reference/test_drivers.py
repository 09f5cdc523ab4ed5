"""Importance against relaimpo (LMG, weighted LMG, first, betas), relativeImp, rwa, and published means."""

import numpy as np
import pandas as pd
import pytest

from cxlib.stats.proportional_odds.model import ordinal_drivers
from cxlib.voice.drivers.importance import driver_importance
from cxlib.voice.drivers.performance import importance_performance

pytestmark = pytest.mark.reference

SWISS = ["Agriculture", "Examination", "Education", "Catholic", "Infant.Mortality"]
CARS = ["cyl", "disp", "hp", "gear"]


@pytest.fixture
def swiss(reference_dir):
    return pd.read_csv(reference_dir("swiss") / "swiss.csv")


@pytest.fixture
def cars(reference_dir):
    return pd.read_csv(reference_dir("swiss") / "mtcars.csv")


def parts(data, outcome, drivers, column="r_squared_part", **options):
    result = driver_importance(data, outcome_col=outcome, driver_cols=drivers, **options).set_index("driver")
    return result.loc[drivers, column].tolist()


# R 4.4, relaimpo 2.2-7: calc.relimp(Fertility ~ ., data = swiss, type = c("lmg", "first")); relativeImp 0.0.2
@pytest.mark.parametrize(
    ("method", "column", "expected"),
    [
        (
            "shapley",
            "r_squared_part",
            [0.0570912207681, 0.1711730289002, 0.2601346786244, 0.1055701503735, 0.1127659229265],
        ),
        (
            "shapley",
            "importance",
            [0.0807816517357, 0.242202563216, 0.3680795178364, 0.1493772773891, 0.1595589898228],
        ),
        (
            "correlation",
            "r_squared_part",
            [0.124664909906, 0.417164470501, 0.440615646724, 0.215003501619, 0.173518927325],
        ),
        (
            "std_beta",
            "coefficient",
            [-0.3129212825, -0.164778222539, -0.670400780106, 0.347600028144, 0.251135976299],
        ),
        (
            "relative_weights",
            "r_squared_part",
            [0.048416895812, 0.154708249806, 0.271964104646, 0.114680029948, 0.116965721381],
        ),
    ],
)
def test_swiss(swiss, method, column, expected):
    assert parts(swiss, "Fertility", SWISS, column, method=method) == pytest.approx(expected, abs=1e-9)


def test_swiss_r_squared(swiss):
    assert parts(swiss, "Fertility", SWISS, "r_squared") == pytest.approx([0.706735001593] * 5, abs=1e-9)


# the same with weights = 1 + (row mod 3), rows from 1
def test_swiss_weighted(swiss):
    weighted = swiss.assign(w=1 + np.arange(1, len(swiss) + 1) % 3)
    expected = [0.0518208063017, 0.1549452302086, 0.2559770835712, 0.1019573530969, 0.1296324182449]
    assert parts(weighted, "Fertility", SWISS, weight_col="w") == pytest.approx(expected, abs=1e-9)
    assert sum(expected) == pytest.approx(0.694332891423, abs=1e-9)


# relaimpo and domir: mpg ~ am + vs + cyl; mpg ~ cyl + disp + hp + gear; martinctc/rwa README
def test_mtcars_methods_disagree(cars):
    expected = [0.1774892, 0.2027032, 0.3817849]
    assert parts(cars, "mpg", ["am", "vs", "cyl"]) == pytest.approx(expected, abs=1e-6)
    lmg, johnson = (parts(cars, "mpg", CARS, method=method) for method in ("shapley", "relative_weights"))
    assert lmg == pytest.approx(
        [0.2470520332352, 0.2434995947956, 0.2109128995443, 0.0777251114079], abs=1e-9
    )
    assert johnson == pytest.approx([0.2284797, 0.2221469, 0.2321744, 0.0963886], abs=1e-6)
    assert np.argmax(johnson) == CARS.index("hp") and np.argsort(lmg)[::-1][2] == CARS.index("hp")


def test_nps_package(reference_dir):
    drivers = [
        *("Product.Tastiness", "Salesman.Smileyness"),
        *("Salesman.Chirpiness", "Salesman.Bubbliness"),
    ]
    data = pd.read_csv(reference_dir("nps_pkg") / "testdata.csv")
    assert parts(data, "REC", drivers) == pytest.approx([0.231695, 0.1902316, 0.0973838, 0.0958934], abs=1e-6)
    assert parts(data, "REC", drivers, "r_squared")[0] == pytest.approx(0.6152038, abs=1e-6)


def test_amusement_park(reference_dir):
    drivers = ["rides", "games", "wait", "clean"]
    data = pd.read_csv(reference_dir("amusement") / "chapter7_data.csv")
    expected = [0.1535752, 0.0864762, 0.1695242, 0.1854996]
    assert parts(data, "overall", drivers) == pytest.approx(expected, abs=1e-6)
    place = importance_performance(
        data, outcome_col="overall", driver_cols=drivers, scale=(0, 100), n_boot=50
    ).set_index("driver")
    means = [80.178, 73.958, 73.32, 85.246]
    assert place.loc[drivers, "performance"].tolist() == pytest.approx(means, abs=1e-6)
    shares = [value / sum(expected) for value in expected]
    assert place.loc[drivers, "importance"].tolist() == pytest.approx(shares, abs=1e-6)
    assert (place["sign"] == 1).all() and not place["runs_against"].any()


# MASS::polr(Sat ~ Infl + Type + Cont, weights = Freq, data = housing), Venables & Ripley sec. 7.3
def test_housing_satisfaction(reference_dir):
    housing = pd.read_csv(reference_dir("housing_sat") / "housing.csv")
    dummies = {
        **{f"Infl{level}": housing["Infl"] == level for level in ("Medium", "High")},
        **{f"Type{level}": housing["Type"] == level for level in ("Apartment", "Atrium", "Terrace")},
        "ContHigh": housing["Cont"] == "High",
    }
    data = pd.DataFrame(dummies).astype(int)
    data["Sat"] = housing["Sat"].map({"Low": 0, "Medium": 1, "High": 2})
    data["Freq"] = housing["Freq"]
    result = ordinal_drivers(data, outcome_col="Sat", driver_cols=list(dummies), cuts=None, weight_col="Freq")
    expected = [0.5663937, 1.2888191, -0.5723501, -0.3661866, -1.0910149, 0.3602841]
    assert result["estimate"][:6].tolist() == pytest.approx(expected, abs=2e-4)
    assert result["estimate"][6:8].tolist() == pytest.approx([-0.4961353, 0.6907083], abs=1e-3)
    assert -2 * result["log_likelihood"][0] == pytest.approx(3479.149, abs=1e-3)


def test_nps_package_ordered(reference_dir):
    data = pd.read_csv(reference_dir("nps_pkg") / "testdata.csv")
    result = ordinal_drivers(data, outcome_col="REC", driver_cols=list(data.columns[1:5]))
    assert result["estimate"][:4].tolist() == pytest.approx([0.752, 0.8301, 0.0164, 0.0199], abs=1e-3)
    assert result["log_likelihood"][0] == pytest.approx(-696.7605, abs=1e-3)
