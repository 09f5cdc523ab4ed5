"""Proportional odds: recovered truth, Brant's test, changes of shares, separation, missing items."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from cxlib.checks import ParameterError
from cxlib.stats.proportional_odds.model import ordinal_drivers


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


def test_a_weighted_answer_is_one_answer_and_clusters_widen():
    """Estimates are those of repeated rows; errors those of repeated rows known to be one answer each."""
    data = make_answers(300)
    times = np.arange(300) % 3 + 1
    weighted = fit(data.assign(w=times), weight_col="w")
    repeated = data.loc[data.index.repeat(times)].assign(who=lambda frame: frame.index)
    repeated = fit(repeated, cluster_col="who")
    for column in ("estimate", "std_error", "p_parallel"):
        assert weighted[column].tolist() == pytest.approx(repeated[column].tolist(), nan_ok=True)
    many = pd.concat([data] * 4).assign(who=lambda frame: frame.index)
    naive, robust = fit(many), fit(many, cluster_col="who")
    assert robust["std_error"][0] == pytest.approx(2 * naive["std_error"][0], rel=0.15)


@pytest.mark.parametrize("gaps", [0.0, 0.3])
def test_identical_drivers_are_one_row_with_the_effect_of_both(gaps):
    data = make_answers(900)
    data.loc[np.random.default_rng(2).random(900) < gaps, "quality"] = np.nan
    alone = fit(data).set_index("driver")
    twins = fit(data.assign(twin=data["quality"]), driver_cols=["quality", "price", "twin"])
    assert twins["driver"].tolist()[:2] == ["quality + twin", "price"]
    assert twins["status"].tolist()[:2] == ["collinear", "ok"]
    for column in ("estimate", "std_error", "promoter_change", "detractor_change", "p_parallel"):
        expected = alone.loc[["quality", "price"], column].tolist()
        assert twins[column].tolist()[:2] == pytest.approx(expected), column


def test_dependent_drivers_are_named_together_and_the_others_keep_their_number():
    data = make_answers(900).assign(other=np.random.default_rng(1).integers(1, 6, 900).astype(float))
    both = ["quality", "price", "other"]
    alone = fit(data, driver_cols=both).set_index("driver")
    for extra in (6 - data["quality"], data["quality"] + data["price"]):
        result = fit(data.assign(extra=extra), driver_cols=[*both, "extra"]).set_index("driver")
        joint = result[result["status"] == "collinear"]
        assert len(joint) == 1 and "extra" in joint.index[0] and joint["estimate"].isna().all()
        assert result.loc["other", "estimate"] == pytest.approx(alone.loc["other", "estimate"])


def test_unanswered_and_constant_drivers_are_told_apart():
    data = make_answers(300).assign(asked=np.nan, flat=3.0)
    result = fit(data, driver_cols=["quality", "price", "asked", "flat"]).set_index("driver")
    assert result.loc[["asked", "flat"], "status"].tolist() == ["unanswered", "constant"]
    assert result.loc[["asked", "flat"], "estimate"].isna().all()
    assert result.loc["quality", "estimate"] == pytest.approx(fit(data)["estimate"][0])


@pytest.mark.slow
@pytest.mark.parametrize(("rounds", "enough"), [(12, 10), pytest.param(30, 26, marks=pytest.mark.long)])
def test_half_missing_beside_a_correlated_driver_is_not_pushed_onto_it(rounds, enough):
    """Both slopes are 1; a mean with an indicator gives 1.46 for the complete one."""
    found = []
    for seed in range(rounds):
        rng = np.random.default_rng(seed)
        shared = rng.normal(size=600)
        data = pd.DataFrame({name: shared + 0.5 * rng.normal(size=600) for name in ("quality", "price")})
        latent = data.sum(axis=1) + rng.logistic(size=600)
        data = data.assign(group=np.digitize(latent, [-1, 1]))
        data.loc[rng.random(600) < 0.5, "price"] = np.nan
        rows = fit(data).head(2)
        inside = (rows["conf_low"] <= 1) & (rows["conf_high"] >= 1)
        found.append([*rows["estimate"], *inside])
    assert np.mean(found, axis=0)[:2] == pytest.approx([1, 1], abs=0.1)
    assert (np.sum(found, axis=0)[2:] >= enough).all()
    pd.testing.assert_frame_equal(fit(data), fit(data))


@pytest.mark.slow
@pytest.mark.parametrize(("rounds", "off"), [(100, 0.05), pytest.param(250, 0.025, marks=pytest.mark.long)])
def test_intervals_cover_under_survey_weights(rounds, off):
    """Lognormal weights with a design effect of 2.7: taken for frequencies they cover 77 %."""
    held = 0
    for seed in range(rounds):
        rng = np.random.default_rng(seed)
        x = rng.integers(1, 6, 500).astype(float)
        group = np.digitize(0.8 * x + rng.logistic(size=500), [1.8, 3.2])
        data = pd.DataFrame({"x": x, "group": group, "w": rng.lognormal(0, 1, 500)})
        row = fit(data, driver_cols=["x"], weight_col="w").iloc[0]
        held += row["conf_low"] <= 0.8 <= row["conf_high"]
    assert abs(held / rounds - 0.945) <= off, held


@pytest.mark.slow
@pytest.mark.long
def test_size_of_brants_test_with_clusters():
    """Same driver for a customer's 8 answers; the customer's level is uniform, so that odds stay parallel."""
    false = 0
    for seed in range(250):
        rng = np.random.default_rng(seed)
        x = np.repeat(rng.integers(1, 6, 100), 8).astype(float)
        chance = ndtr(0.9 * np.repeat(rng.normal(size=100), 8) + np.sqrt(0.19) * rng.normal(size=800))
        group = np.digitize(0.8 * x + np.log(chance / (1 - chance)), [1.8, 3.2])
        data = pd.DataFrame({"x": x, "group": group, "who": np.repeat(np.arange(100), 8)})
        false += fit(data, driver_cols=["x"], cluster_col="who")["p_parallel"].iloc[-1] < 0.05
    assert 0.02 <= false / 250 <= 0.085, false


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


def test_cells_hold_each_answer_once_and_leave_gaps_by_themselves():
    from cxlib.stats.proportional_odds.missing_items import to_cells

    x = np.array([[1, 2], [1, 2], [np.nan, 2], [1, 2], [np.nan, 2], [3, 2]], dtype=float)
    group = np.array([0, 0, 1, 1, 1, 1])
    cells = to_cells(x, group)
    assert np.array_equal(cells.x[cells.of], x, equal_nan=True)
    assert cells.group[cells.of].tolist() == group.tolist()
    assert cells.of.tolist() == [0, 0, 3, 1, 4, 2] and cells.n_complete == 3
    assert cells.sums(np.arange(6.0)).tolist() == [1, 3, 5, 2, 4]


def test_answers_listed_twice_weigh_as_much_as_answers_of_weight_two():
    """Cells carry the weights of their answers; only the errors tell the two apart."""
    rng = np.random.default_rng(5)
    data = pd.DataFrame(rng.integers(1, 6, (300, 2)), columns=["a", "b"]).astype(float)
    data["y"] = (data["a"] + rng.logistic(size=300) * 2).round().clip(0, 10)
    data["w"] = 1.0 + np.arange(300) % 2
    asked = {"outcome_col": "y", "driver_cols": ["a", "b"], "cuts": (3, 5)}
    weighted = ordinal_drivers(data, weight_col="w", **asked)
    repeated = ordinal_drivers(pd.concat([data, data[data["w"] == 2]], ignore_index=True), **asked)
    assert weighted["estimate"].to_numpy() == pytest.approx(repeated["estimate"].to_numpy(), nan_ok=True)
