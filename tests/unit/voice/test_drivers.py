"""Driver importance and penalty–reward: known structure, missing items, bad drivers, coverage."""

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import ParameterError
from cxlib.stats.bootstrap import resampled_sums
from cxlib.stats.r_squared import owen_parts, sampled_parts, shapley_parts
from cxlib.voice.drivers.asymmetric import penalty_reward
from cxlib.voice.drivers.by_group import each_large_group
from cxlib.voice.drivers.driver_groups import group_importance
from cxlib.voice.drivers.importance import METHODS, driver_importance
from cxlib.voice.drivers.performance import importance_performance
from cxlib.voice.drivers.reliability import scale_reliability
from cxlib.voice.drivers.stated_importance import stated_derived

DRIVERS = ["quality", "ease", "price"]


def make_answers(n=400, seed=0, noise=1.0):
    rng = np.random.default_rng(seed)
    common = rng.normal(size=n)
    data = pd.DataFrame({name: common + rng.normal(size=n) for name in DRIVERS})
    data["score"] = 2 * data["quality"] + data["ease"] - 0.5 * data["price"] + noise * rng.normal(size=n)
    return data


def importance(data, **options):
    return driver_importance(data, **{"outcome_col": "score", "driver_cols": DRIVERS, **options})


@pytest.mark.parametrize("method", METHODS)
def test_shares_sum_to_one_and_come_most_important_first(method):
    result = importance(make_answers(), method=method, n_boot=50)
    assert result["importance"].sum() == pytest.approx(1)
    assert result["importance"].is_monotonic_decreasing
    assert result["rank"].tolist() == [1, 2, 3]
    assert (result["conf_low"] <= result["importance"]).all() and (
        result["importance"] <= result["conf_high"]
    ).all()
    assert result["probability_first"].sum() == pytest.approx(1)
    assert (result["rank_low"] <= result["rank"]).all() and (result["rank"] <= result["rank_high"]).all()


def test_shapley_is_the_average_over_all_orderings():
    from itertools import permutations

    data = make_answers()
    centred = data - data.mean()

    def r_squared(columns):
        if not columns:
            return 0.0
        fit = np.linalg.lstsq(centred[list(columns)].to_numpy(), centred["score"].to_numpy())[0]
        return (
            1 - ((centred["score"] - centred[list(columns)] @ fit) ** 2).sum() / (centred["score"] ** 2).sum()
        )

    gains = {name: [] for name in DRIVERS}
    for order in permutations(DRIVERS):
        for position, name in enumerate(order):
            gains[name].append(r_squared(order[: position + 1]) - r_squared(order[:position]))
    result = importance(data).set_index("driver")
    for name in DRIVERS:
        assert result.loc[name, "r_squared_part"] == pytest.approx(np.mean(gains[name]), abs=1e-12)
    assert result["r_squared_part"].sum() == pytest.approx(result["r_squared"].iloc[0])


def test_sign_and_coefficient():
    result = importance(make_answers(5000), method="std_beta").set_index("driver")
    assert result.loc["price", "sign"] == -1 and result.loc["quality", "sign"] == 1


def test_weights_equal_repetition():
    data = make_answers(60)
    times = np.arange(60) % 3 + 1
    weighted = importance(data.assign(w=times), weight_col="w")
    repeated = importance(data.loc[data.index.repeat(times)])
    assert weighted["importance"].to_numpy() == pytest.approx(repeated["importance"].to_numpy())


def test_missing_items_keep_their_row():
    data = make_answers(4000)
    complete = importance(data).set_index("driver")
    holes = data.copy()
    rng = np.random.default_rng(1)
    for name in DRIVERS:
        holes.loc[rng.random(4000) < 0.6, name] = np.nan
    assert holes.dropna().shape[0] < 400
    result = importance(holes, n_boot=50).set_index("driver")
    assert result["n"].between(1400, 1800).all()
    for name in DRIVERS:
        assert result.loc[name, "importance"] == pytest.approx(complete.loc[name, "importance"], abs=0.06)


def test_pairwise_moments_equal_complete_ones_when_complete():
    data = make_answers()
    nearly = pd.concat([data, pd.DataFrame({"score": [np.nan], "quality": [1.0]})])
    assert importance(nearly)["importance"].tolist() == pytest.approx(importance(data)["importance"].tolist())


def test_identical_drivers_are_named_together():
    data = make_answers().assign(twin=lambda frame: 3 * frame["quality"] + 1)
    result = importance(data, driver_cols=[*DRIVERS, "twin"])
    assert result["driver"].tolist()[0] == "quality + twin"
    assert result["status"].tolist().count("collinear") == 1
    alone = importance(data).set_index("driver")["importance"]
    assert result["importance"].tolist() == pytest.approx(alone.tolist())


def test_exact_dependence_is_named_together():
    data = make_answers().assign(total=lambda frame: frame["quality"] + frame["ease"])
    result = importance(data, driver_cols=[*DRIVERS, "total"])
    assert "quality + ease + total" in result["driver"].tolist()
    assert result["importance"].sum() == pytest.approx(1)


def test_constant_driver_has_no_importance():
    result = importance(make_answers().assign(flat=3), driver_cols=[*DRIVERS, "flat"], n_boot=30).set_index(
        "driver"
    )
    assert result.loc["flat", "importance"] == 0 and result.loc["flat", "status"] == "constant"


@pytest.mark.parametrize(
    "data",
    [make_answers().assign(score=7), make_answers(4), make_answers(0), make_answers().assign(score=np.nan)],
)
def test_without_evidence_there_is_no_number(data):
    result = importance(data, n_boot=10)
    assert result["importance"].isna().all() and result["conf_low"].isna().all()
    assert set(result["driver"]) == set(DRIVERS)


def test_groups_share_by_owen():
    groups = {"quality": "emotional", "ease": "rational", "price": "rational"}
    result = importance(make_answers(), groups=groups)
    assert result["importance"].sum() == pytest.approx(1)
    matrix = make_answers().corr().to_numpy()[None]
    union = shapley_parts(matrix, [[0], [1, 2]])[0]
    assert owen_parts(matrix, [[0], [1], [2]], [0, 1, 1])[0][1:].sum() == pytest.approx(union[1])
    total = result.groupby("group")["r_squared_part"].sum()
    assert total["rational"] == pytest.approx(union[1])


def test_sampled_values_agree_with_exact_ones_within_their_error():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(300, 9)) + rng.normal(size=(300, 1))
    matrix = np.corrcoef(x.T)[None]
    units = [[i] for i in range(8)]
    sampled, error = sampled_parts(matrix, units, n_orderings=2000, seed=0)
    assert (np.abs(sampled - shapley_parts(matrix, units)) < 4.5 * error + 1e-12).all()


def test_beyond_twenty_drivers_the_error_is_stated():
    rng = np.random.default_rng(2)
    data = pd.DataFrame(rng.normal(size=(100, 23)), columns=[f"d{i}" for i in range(22)] + ["score"])
    result = driver_importance(data, outcome_col="score", driver_cols=[f"d{i}" for i in range(22)])
    assert (result["mc_error"] > 0).all() and result["importance"].sum() == pytest.approx(1)


def test_bootstrap_by_customer_is_wider_when_answers_repeat():
    data = pd.concat([make_answers(80)] * 5).assign(customer_id=lambda frame: frame.index)
    rows, customers = importance(data, n_boot=300), importance(data, n_boot=300, cluster_col="customer_id")
    assert (customers["std_error"] > 1.7 * rows["std_error"]).all()


def test_errors_name_the_column():
    data = make_answers().assign(comment="text")
    with pytest.raises(ParameterError, match=r"comment.*text.*400 of 400.*row 1"):
        importance(data, driver_cols=[*DRIVERS, "comment"])
    with pytest.raises(ParameterError, match="quality"):
        importance(data, driver_cols=["qualty"])
    with pytest.raises(ParameterError, match="score"):
        importance(data, driver_cols=["quality", "score"])
    with pytest.raises(ParameterError, match=", ".join(METHODS)):
        importance(data, method="lmg")
    with pytest.raises(ParameterError, match="price"):
        importance(data, groups={"quality": "a", "ease": "b"})


@pytest.mark.parametrize("column", ["価格(円)", "class", "__import__('os')"])
def test_names_that_are_no_identifiers(column):
    data = make_answers().rename(columns={"price": column})
    result = importance(data, driver_cols=["quality", "ease", column])
    assert column in result["driver"].tolist()


def make_contacts(n=8000, seed=0):
    rng = np.random.default_rng(seed)
    gaps = pd.DataFrame(rng.integers(-1, 2, (n, 3)), columns=DRIVERS).astype(float)
    penalty, reward = np.array([-2.0, -1.0, -0.2]), np.array([0.1, 1.0, 1.5])
    effect = np.where(gaps < 0, penalty, np.where(gaps > 0, reward, 0)).sum(axis=1)
    return gaps.assign(valence=effect + rng.normal(size=n))


def test_penalties_and_rewards_are_recovered_where_a_line_calls_them_equal():
    data = make_contacts()
    result = penalty_reward(data, outcome_col="valence", driver_cols=DRIVERS, low=-1, high=1)
    assert result["penalty"].tolist() == pytest.approx([-2, -1, -0.2], abs=0.12)
    assert result["reward"].tolist() == pytest.approx([0.1, 1, 1.5], abs=0.12)
    assert result["label"].tolist() == ["basic", "performance", "excitement"]
    line = np.linalg.lstsq(data[DRIVERS].to_numpy(), data["valence"].to_numpy())[0]
    assert np.ptp(line) < 0.3


@pytest.mark.parametrize(("n", "side", "noise"), [(400, 0.5, 2.0), (400, 0.7, 2.0), (2000, 0.3, 2.0)])
def test_a_symmetric_driver_is_rarely_called_basic_or_excitement(n, side, noise):
    """One side beyond noise and the other not made a label in up to 63 % of the surveys."""
    wrong = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        gap = rng.choice([-1.0, 0, 1], n, p=[0.25, 0.4, 0.35])
        data = pd.DataFrame({"gap": gap, "y": side * gap + rng.normal(0, noise, n)})
        found = penalty_reward(data, outcome_col="y", driver_cols=["gap"], low=-1, high=1)
        wrong += found["label"][0] in ("basic", "excitement")
    assert wrong <= 17, wrong


def test_penalty_reward_one_touchpoint_per_contact():
    rng = np.random.default_rng(4)
    at = rng.integers(0, 3, 9000)
    gap = rng.integers(-1, 2, 9000)
    penalty, reward, base = np.array([-2.0, -1.0, -0.2]), np.array([0.1, 1.0, 1.5]), np.array([0.5, 0, -0.5])
    valence = (
        base[at] + np.where(gap < 0, penalty[at], np.where(gap > 0, reward[at], 0)) + rng.normal(size=9000)
    )
    wide = pd.DataFrame({name: np.where(at == i, gap, np.nan) for i, name in enumerate(DRIVERS)}).assign(
        valence=valence
    )
    result = penalty_reward(wide, outcome_col="valence", driver_cols=DRIVERS, low=-1, high=1)
    assert result["penalty"].tolist() == pytest.approx(list(penalty), abs=0.2)
    assert result["reward"].tolist() == pytest.approx(list(reward), abs=0.2)
    alone = penalty_reward(wide[at == 0], outcome_col="valence", driver_cols=["quality"], low=-1, high=1)
    assert result["penalty"][0] == pytest.approx(alone["penalty"][0])


def test_penalty_reward_error_matches_statsmodels():
    import statsmodels.api as sm

    data = make_contacts(500)
    clusters = np.arange(500) // 4
    columns = [side for name in DRIVERS for side in (data[name] < 0, data[name] > 0)]
    fit = sm.OLS(data["valence"].to_numpy(), sm.add_constant(np.column_stack(columns).astype(float)))
    result = penalty_reward(data, outcome_col="valence", driver_cols=DRIVERS, low=-1, high=1)
    assert result["penalty_std_error"].tolist() == pytest.approx(fit.fit(cov_type="HC1").bse[1::2].tolist())
    result = penalty_reward(
        data.assign(who=clusters),
        outcome_col="valence",
        driver_cols=DRIVERS,
        low=-1,
        high=1,
        cluster_col="who",
    )
    expected = fit.fit(cov_type="cluster", cov_kwds={"groups": clusters}).bse[2::2]
    assert result["reward_std_error"].tolist() == pytest.approx(expected.tolist())


def test_penalty_reward_without_answers_on_one_side():
    data = make_contacts(300).assign(quality=lambda frame: frame["quality"].clip(lower=0))
    result = penalty_reward(data, outcome_col="valence", driver_cols=DRIVERS, low=-1, high=1)
    assert np.isnan(result["penalty"][0]) and result["label"].isna()[0] and result["n_low"][0] == 0
    assert result["label"][1] == "performance"
    empty = penalty_reward(data.head(0), outcome_col="valence", driver_cols=DRIVERS, low=-1, high=1)
    assert empty["penalty"].isna().all()
    with pytest.raises(ParameterError, match=r"low.*below.*high"):
        penalty_reward(data, outcome_col="valence", driver_cols=DRIVERS, low=1, high=1)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "noise"), [pytest.param(150, 3.0, marks=pytest.mark.long), (600, 2.0)])
def test_importance_intervals_cover(n, noise):
    weights, common = np.array([0.8, 0.5, 0.3, 0.0]), 0.4
    matrix = np.eye(5)
    matrix[:4, :4] = np.full((4, 4), common) + np.eye(4) * (1 - common)
    matrix[:4, 4] = matrix[4, :4] = matrix[:4, :4] @ weights
    total = weights @ matrix[:4, :4] @ weights + noise**2
    matrix[:4, 4] = matrix[4, :4] = matrix[:4, 4] / np.sqrt(total)
    truth = shapley_parts(matrix[None], [[0], [1], [2], [3]])[0]
    names = [f"d{i}" for i in range(4)]
    covered = np.zeros(4)
    for seed in range(300):
        rng = np.random.default_rng(seed)
        x = rng.multivariate_normal(np.zeros(4), matrix[:4, :4], n)
        data = pd.DataFrame(x, columns=names).assign(score=x @ weights + noise * rng.normal(size=n))
        result = driver_importance(data, outcome_col="score", driver_cols=names, n_boot=200, seed=seed)
        result = result.set_index("driver").loc[names]
        covered += (result["conf_low"] <= truth / truth.sum()) & (truth / truth.sum() <= result["conf_high"])
    assert (covered >= 0.91 * 300).all(), covered
    assert 0.93 <= covered[:3].mean() / 300 <= 0.985, covered


def test_importance_performance_places_and_their_certainty():
    rng = np.random.default_rng(1)
    data = pd.DataFrame(
        {
            "weak": rng.integers(1, 4, 600),
            "strong": rng.integers(3, 6, 600),
            "idle": rng.integers(1, 4, 600),
            "plenty": rng.integers(3, 6, 600),
        }
    ).astype(float)
    data["score"] = 2 * data["weak"] + 2 * data["strong"] + rng.normal(size=600)
    names = ["weak", "strong", "idle", "plenty"]
    result = importance_performance(data, outcome_col="score", driver_cols=names, n_boot=200, goal=60)
    result = result.set_index("driver")
    assert result["quadrant"].to_dict() == {
        "weak": "fix_first",
        "strong": "keep_up",
        "idle": "low_priority",
        "plenty": "possible_overkill",
    }
    assert (result["quadrant_probability"] > 0.95).all()
    assert result.loc["weak", "performance"] == pytest.approx(100 * (data["weak"].mean() - 1) / 4)
    assert result.loc["weak", "probability_fix_first"] > 0.95 > result.loc["idle", "probability_fix_first"]
    close = importance_performance(
        data, outcome_col="score", driver_cols=names, n_boot=200, goal=result.loc["weak", "performance"]
    ).set_index("driver")
    assert 0.2 < close.loc["weak", "quadrant_probability"] < 0.8


def test_a_driver_that_runs_against_the_outcome_is_not_to_be_fixed_first():
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"good": rng.integers(1, 6, 800), "reversed": rng.integers(1, 5, 800)})
    data["score"] = 0.6 * data["good"] - 1.5 * data["reversed"] + rng.normal(size=800)
    asked = {"outcome_col": "score", "n_boot": 100, "goal": 75}
    found = importance_performance(data, driver_cols=["good", "reversed"], **asked).set_index("driver")
    assert found.loc["reversed", "probability_fix_first"] == 0 and found.loc["reversed", "sign"] == -1
    assert found["runs_against"].to_dict() == {"good": False, "reversed": True}
    assert found.loc["reversed", "quadrant"] is None


def test_a_driver_nobody_answered_is_not_weighed():
    data = make_answers().assign(asked=np.nan)
    result = importance(data, driver_cols=[*DRIVERS, "asked"], n_boot=30).set_index("driver")
    assert result.loc["asked", "status"] == "unanswered" and result.loc["asked", "n"] == 0
    assert result.loc["asked", ["importance", "conf_low", "rank", "probability_first"]].isna().all()
    alone = importance(data, n_boot=30).set_index("driver")
    assert result.loc[DRIVERS, "importance"].tolist() == pytest.approx(
        alone.loc[DRIVERS, "importance"].tolist()
    )
    data["quality"] = data["quality"].rank(pct=True).mul(4).add(1)
    asked = {"outcome_col": "score", "driver_cols": ["quality", "asked"], "n_boot": 30}
    place = importance_performance(data, **asked).set_index("driver")
    assert place.loc["asked", "quadrant"] is None and place.loc["quality", "performance"] > 0
    assert place["performance_line"].notna().all() and place["importance_line"].eq(1).all()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"n_boot": -5}, "n_boot"),
        ({"n_boot": 10.5}, "n_boot"),
        ({"conf_level": 2}, "conf_level"),
        ({"cluster_col": "nope"}, "cluster_col"),
    ],
)
def test_bad_options_are_named(wrong, said):
    for function in (importance, importance_performance):
        with pytest.raises(ParameterError, match=said):
            function(make_answers(), **{"outcome_col": "score", "driver_cols": DRIVERS, **wrong})


def test_importance_performance_without_evidence_and_off_scale():
    names = ["quality", "price"]
    data = pd.DataFrame({"quality": [3.0, 4.0], "price": [2.0, 2.0], "score": [5, 5]})
    result = importance_performance(data, outcome_col="score", driver_cols=names, n_boot=30)
    assert result["quadrant"].isna().all() and result["importance"].isna().all()
    with pytest.raises(ParameterError, match=r"scale.*1 and 5"):
        importance_performance(data.assign(price=9), outcome_col="score", driver_cols=names, n_boot=30)


def test_penalty_reward_says_nothing_about_a_constant_outcome_or_twins():
    data = make_contacts(600)
    options = {"outcome_col": "valence", "low": -1, "high": 1}
    flat = penalty_reward(data.assign(valence=1.0), driver_cols=DRIVERS, **options)
    assert flat["penalty"].isna().all() and flat["label"].isna().all()
    twins = penalty_reward(data.assign(twin=data["price"]), driver_cols=[*DRIVERS, "twin"], **options)
    twins = twins.set_index("driver")
    assert twins.loc[["price", "twin"], "penalty"].isna().all()
    assert twins.loc["quality", "label"] == "basic"


def parallel_items(n=20_000, *, loading=0.8, k=4, seed=0):
    rng = np.random.default_rng(seed)
    common, own = rng.normal(size=(n, 1)), rng.normal(size=(n, k))
    items = loading * common + np.sqrt(1 - loading**2) * own
    return pd.DataFrame(items, columns=[f"item{i}" for i in range(k)])


def test_reliability_of_parallel_items():
    """Correlation .64 each: alpha = omega = 4·.64/(1+3·.64), first eigenvalue 1+3·.64."""
    data = parallel_items()
    found = scale_reliability(data, item_cols=list(data), n_boot=100).set_index("metric")["estimate"]
    expected = {"alpha": 2.56 / 2.92, "omega": 2.56 / 2.92, "first_factor": 2.92 / 4}
    assert found.to_dict() == pytest.approx(expected, abs=0.01)


def test_alpha_is_cronbachs_on_raw_scores():
    data = pd.DataFrame({"a": [1, 2, 3, 4, 5.0], "b": [2, 2, 4, 4, 6.0], "c": [1, 3, 2, 5, 4.0]})
    k, total = 3, data.sum(axis=1)
    by_hand = k / (k - 1) * (1 - data.var().sum() / total.var())
    assert scale_reliability(data, item_cols=list("abc"), n_boot=0)["estimate"][0] == pytest.approx(by_hand)


def test_omega_exceeds_alpha_where_loadings_differ():
    rng = np.random.default_rng(3)
    common = rng.normal(size=(20_000, 1))
    loadings = np.array([0.9, 0.9, 0.3, 0.3])
    data = pd.DataFrame(common * loadings + rng.normal(size=(20_000, 4)) * np.sqrt(1 - loadings**2))
    data.columns = list("abcd")
    found = scale_reliability(data, item_cols=list("abcd"), n_boot=0).set_index("metric")["estimate"]
    omega = loadings.sum() ** 2 / (loadings.sum() ** 2 + (1 - loadings**2).sum())
    assert found["omega"] == pytest.approx(omega, abs=0.02)
    assert found["alpha"] < found["omega"] - 0.02


def test_reliability_intervals_hold_the_truth():
    held = 0
    for seed in range(60):
        data = parallel_items(200, loading=0.6, seed=seed)
        row = scale_reliability(data, item_cols=list(data), n_boot=200, seed=seed).iloc[0]
        held += row["conf_low"] <= 4 * 0.36 / (1 + 3 * 0.36) <= row["conf_high"]
    assert held >= 52


@pytest.mark.parametrize("columns", [[], ["a"], ["a", "b"]])
def test_reliability_of_hardly_any_items(columns):
    data = pd.DataFrame({"a": [1.0, 2, 3], "b": [2.0, 2, 2]})
    assert scale_reliability(data, item_cols=columns)["estimate"].isna().all()


def test_missing_items_do_not_throw_answers_away():
    data = parallel_items(5000)
    holes = data.mask(np.random.default_rng(1).random(data.shape) < 0.4)
    full, some = (
        scale_reliability(each, item_cols=list(data), n_boot=0)["estimate"] for each in (data, holes)
    )
    assert some.to_numpy() == pytest.approx(full.to_numpy(), abs=0.03)


def test_groups_with_their_own_first_driver():
    rng = np.random.default_rng(0)
    data = pd.DataFrame(rng.normal(size=(600, 2)), columns=["価格(円)", "class"])
    data["g"] = ["x", "y", "small"] * 190 + ["x"] * 30
    data.loc[data["g"] == "small", "g"] = ["small"] * 20 + [None] * 170
    data["score"] = np.where(data["g"] == "x", data["価格(円)"], data["class"]) + rng.normal(size=600)
    asked = {"outcome_col": "score", "driver_cols": ["価格(円)", "class"], "n_boot": 50}
    top = each_large_group(driver_importance, data, by="g", min_answers=50, **asked).query("rank == 1")
    assert top[["g", "driver"]].to_numpy().tolist() == [["x", "価格(円)"], ["y", "class"]]
    assert each_large_group(driver_importance, data, by="g", min_answers=10_000, **asked).empty


def test_stated_beside_derived():
    rng = np.random.default_rng(0)
    data = pd.DataFrame(rng.normal(size=(500, 3)), columns=["a", "b", "c"])
    data["score"] = 3 * data["a"] + data["b"] + rng.normal(size=500)
    data = data.assign(says_a=2.0, says_b=4.0, says_c=rng.choice([4.0, 5.0, np.nan], 500))
    stated = {name: f"says_{name}" for name in "abc"}
    found = stated_derived(data, outcome_col="score", stated=stated, n_boot=100).set_index("driver")
    assert found["is_hidden"].to_dict() == {"a": True, "b": False, "c": False}
    assert found["stated_rank"].to_dict() == {"a": 3, "b": 2, "c": 1}
    assert found.loc["c", "stated_conf_low"] < found.loc["c", "stated"] < found.loc["c", "stated_conf_high"]


def test_group_shares_are_the_sums_of_owen_values():
    data = make_answers(500)
    groups = {"quality": "rational", "ease": "emotional", "price": "rational"}
    asked = {"outcome_col": "score", "groups": groups}
    whole = group_importance(data, n_boot=100, seed=3, **asked).set_index("group")
    owen = importance(data, groups=groups)
    sums = owen.groupby("group")["importance"].sum()
    assert whole["importance"].to_dict() == pytest.approx(sums.to_dict())
    assert whole["importance"].sum() == pytest.approx(1)
    assert whole["r_squared"].iloc[0] == pytest.approx(owen["r_squared"].iloc[0])
    assert (whole["conf_low"] < whole["importance"]).all() and (
        whole["importance"] < whole["conf_high"]
    ).all()
    assert whole["n_drivers"].to_dict() == {"rational": 2, "emotional": 1}
    assert whole["probability_first"].sum() == pytest.approx(1)
    constant = group_importance(data.assign(score=1.0), n_boot=10, **asked)
    assert constant["importance"].isna().all()


def test_weights_enter_importance_and_performance_alike():
    """Weighting an answer by two is having it twice."""
    data = make_answers(200)
    data[DRIVERS] = data[DRIVERS].round().clip(-2, 2)
    data["weight"] = np.where(data["quality"] > 0, 2.0, 1.0)
    twice = pd.concat([data, data[data["weight"] == 2]])
    asked = {"outcome_col": "score", "driver_cols": DRIVERS, "scale": (-2, 2), "goal": 50.0, "n_boot": 20}
    columns = ["driver", "importance", "performance"]
    weighted = importance_performance(data, weight_col="weight", **asked)[columns]
    pd.testing.assert_frame_equal(weighted, importance_performance(twice, **asked)[columns])
    plain = importance_performance(data, **asked)[columns]
    assert not np.allclose(plain["performance"], weighted["performance"])


def test_every_large_group_is_asked_the_same_question():
    data = make_answers(300).clip(-9, 9).assign(region=["a"] * 200 + ["b"] * 90 + ["c"] * 10, who=range(300))
    data["who"] = data["who"] // 2
    asked = {"by": "region", "outcome_col": "score", "driver_cols": DRIVERS}
    each = each_large_group(importance_performance, data, min_answers=50, n_boot=20, scale=(-9, 9), **asked)
    assert each["region"].tolist() == ["a"] * 3 + ["b"] * 3
    alone = importance_performance(
        data[data["region"] == "b"], n_boot=20, scale=(-9, 9), outcome_col="score", driver_cols=DRIVERS
    )
    pd.testing.assert_frame_equal(each[3:].drop(columns="region").reset_index(drop=True), alone)
    few = each_large_group(driver_importance, data, min_answers=50, cluster_col="who", n_boot=5, **asked)
    assert set(few["region"]) == {"a"}, "customers count, not answers"


def test_penalty_reward_says_why_there_is_none():
    """On a scale of 1 to 4 nothing lies between 2 and 3; between 1 and 4 there is a middle."""
    rng = np.random.default_rng(0)
    data = pd.DataFrame({name: rng.integers(1, 5, 400) for name in ("four", "twin", "rare")})
    data["half"], data["twin"], data["blank"] = data["four"] / 2, data["four"], np.nan
    data["rare"] = np.where(np.arange(400) < 3, 4, rng.integers(1, 4, 400))
    data["y"], data["flat"] = rng.normal(size=400) + data["four"], 1.0

    def status(*drivers, low=2, high=3, outcome="y", rows=400):
        asked = {"driver_cols": list(drivers), "low": low, "high": high}
        found = penalty_reward(data.head(rows), outcome_col=outcome, **asked)
        assert found["penalty"].notna().tolist() == (found["status"] == "ok").tolist()
        return found["status"].tolist()

    assert status("four", "blank") == ["no_middle", "unanswered"]
    assert status("four", low=1, high=4) == ["ok"] == status("half", low=0.5, high=2)
    assert status("rare", low=1, high=4) == ["few_high"]
    assert status("four", "twin", low=1, high=4) == ["collinear"] * 2
    assert status("four", low=1, high=4, outcome="flat") == ["constant"]
    assert status("half", low=1, high=1.2) == ["few_between"]


def test_results_about_the_same_answers_rest_on_one_set_of_draws(monkeypatch):
    from cxlib.voice.drivers import resampled_moments as _moments

    data = make_answers(n=200).assign(who=np.arange(200) // 2)
    data.loc[::7, "ease"] = np.nan
    asked = {"outcome_col": "score", "cluster_col": "who", "seed": 3, "n_boot": 40}
    drawn = []
    monkeypatch.setattr(
        _moments, "resampled_sums", lambda *a, **k: drawn.append(k["seed"]) or resampled_sums(*a, **k)
    )
    _moments._DRAWN.clear()
    first = driver_importance(data, driver_cols=DRIVERS, **asked)
    importance_performance(data, driver_cols=DRIVERS, scale=(-10, 10), **asked)
    group_importance(data, groups={"quality": "a", "ease": "a", "price": "b"}, **asked)
    assert len(drawn) == 1
    again = driver_importance(data, driver_cols=DRIVERS, **asked | {"seed": 4})
    assert len(drawn) == 2 and not again["std_error"].equals(first["std_error"])
    driver_importance(data.assign(score=data["score"] + data["price"]), driver_cols=DRIVERS, **asked)
    assert len(drawn) == 3


@pytest.mark.parametrize("is_complete", [True, False])
def test_moments_are_those_of_the_answers_each_pair_shares(is_complete):
    from cxlib.voice.drivers.resampled_moments import ResampledMoments

    values = make_answers(n=60)[[*DRIVERS, "score"]].to_numpy()
    if not is_complete:
        values[::4, 0] = values[1::5, 2] = np.nan
    moments, table = ResampledMoments(values, np.ones(60)), pd.DataFrame(values)
    sums = moments.all_answers()
    assert moments.means(sums)[0] == pytest.approx(table.mean().to_numpy())
    assert moments.correlations(sums)[0] == pytest.approx(table.corr().to_numpy())
    assert len(moments.distinct) < len(moments.places) or is_complete
    (drawn,) = resampled_sums(moments.terms(), n_boot=3, seed=1, places=moments.places)
    each = list(moments.terms())
    (plain,) = resampled_sums([each[place] for place in moments.places], n_boot=3, seed=1)
    assert drawn == pytest.approx(plain)
