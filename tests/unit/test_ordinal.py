"""Proportional odds: recovered truth, Brant's test, changes of shares, separation, missing items."""

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import ParameterError
from cxlib.ordinal import ordinal_drivers


def make_answers(n=4000, seed=0, slopes=(1.0, 0.5), noise=True):
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(rng.integers(1, 6, (n, 2)), columns=["quality", "price"]).astype(float)
    latent = data.to_numpy() @ np.array(slopes) + (rng.logistic(size=n) if noise else 0)
    return data.assign(group=np.digitize(latent, [3.5, 5.5]))


def fit(data, **options):
    return ordinal_drivers(
        data, **{"outcome_col": "group", "driver_cols": ["quality", "price"], "cuts": None, **options}
    )


def test_slopes_and_thresholds_are_recovered():
    result = fit(make_answers()).set_index("driver")
    truth = {"quality": 1.0, "price": 0.5, "0|1": 3.5, "1|2": 5.5}
    for name, value in truth.items():
        assert result.loc[name, "conf_low"] < value < result.loc[name, "conf_high"], name
    assert result.loc["all", "p_parallel"] > 0.01


def test_matches_statsmodels():
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    data = make_answers(800)
    model = OrderedModel(data["group"], data[["quality", "price"]], distr="logit")
    other = model.fit(method="bfgs", disp=False, gtol=1e-8)
    result = fit(data)
    assert result["estimate"][:2].tolist() == pytest.approx(other.params[:2].tolist(), abs=1e-4)
    assert result["std_error"][:2].tolist() == pytest.approx(other.bse[:2].tolist(), abs=1e-3)
    assert result["estimate"][2:4].tolist() == pytest.approx(
        model.transform_threshold_params(other.params)[1:-1].tolist(), abs=1e-4
    )


def test_changes_are_those_of_the_model():
    data = make_answers()
    result = fit(data).set_index("driver")
    theta, beta = (
        result["estimate"][["0|1", "1|2"]].to_numpy(),
        result["estimate"][["quality", "price"]].to_numpy(),
    )
    room = data[data["quality"] <= 4]
    predictor = room[["quality", "price"]].to_numpy() @ beta

    def share(shift):
        return 1 / (1 + np.exp(predictor + shift - theta[:, None]))

    change = share(beta[0]).mean(axis=1) - share(0).mean(axis=1)
    assert result.loc["quality", "detractor_change"] == pytest.approx(change[0], abs=1e-9)
    assert result.loc["quality", "promoter_change"] == pytest.approx(-change[1], abs=1e-9)
    assert result.loc["quality", "promoter_change_conf_low"] > 0 > result.loc["quality", "detractor_change"]


def test_brants_test_sees_a_driver_that_works_at_one_border_only():
    rng = np.random.default_rng(3)
    data = make_answers(6000)
    high = rng.random(6000) < 1 / (1 + np.exp(-(data["price"] - 3) * 1.5))
    uneven = data.assign(
        group=np.where(data["quality"] + rng.logistic(size=6000) < 2, 0, np.where(high, 2, 1))
    )
    result = fit(uneven).set_index("driver")
    assert result.loc["price", "p_parallel"] < 1e-6 and result.loc["all", "p_parallel"] < 1e-6
    level = [fit(make_answers(600, seed))["p_parallel"].iloc[-1] for seed in range(60)]
    assert np.mean(np.array(level) < 0.05) < 0.15


def test_weights_are_frequencies_and_clusters_widen():
    data = make_answers(300)
    times = np.arange(300) % 3 + 1
    weighted, repeated = fit(data.assign(w=times), weight_col="w"), fit(data.loc[data.index.repeat(times)])
    assert weighted["std_error"].tolist() == pytest.approx(repeated["std_error"].tolist(), nan_ok=True)
    many = pd.concat([data] * 4).assign(who=lambda frame: frame.index)
    naive, robust = fit(many), fit(many, cluster_col="who")
    assert robust["std_error"][0] == pytest.approx(2 * naive["std_error"][0], rel=0.15)


def test_missing_items_keep_their_rows():
    data = make_answers(6000)
    data.loc[np.random.default_rng(1).random(6000) < 0.4, "price"] = np.nan
    result = fit(data)
    assert result["n"][0] == 6000
    assert result["estimate"][1] == pytest.approx(0.5, abs=0.12)


@pytest.mark.parametrize(
    "data",
    [
        make_answers(0),
        make_answers(4),
        make_answers().assign(group=1),
        pd.DataFrame({"quality": [1.0] * 50 + [5.0] * 50, "price": 1.0, "group": [0] * 50 + [2] * 50}),
    ],
)
def test_no_evidence_no_number(data):
    result = fit(data)
    assert result["estimate"].isna().all()
    assert result["driver"].tolist()[:2] == ["quality", "price"]


def test_constant_driver_and_none():
    result = fit(make_answers().assign(price=3))
    assert np.isnan(result["estimate"][1]) and result["estimate"][0] > 0.5
    assert fit(make_answers(), driver_cols=[])["metric"].tolist() == ["threshold", "threshold", "parallel"]


def test_errors():
    with pytest.raises(ParameterError, match=r"price.*text"):
        fit(make_answers(20).assign(price="x"))
    with pytest.raises(ParameterError, match="quality"):
        fit(make_answers(20), driver_cols=["qualty"])
