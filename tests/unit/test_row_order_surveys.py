"""The order of the rows changes nothing: every public function on surveys, with its rows shuffled."""

import functools

import numpy as np
import pandas as pd
import pytest

import cxlib as cx

DRIVERS = ["driver_quality", "driver_price", "driver_support"]


@functools.cache
def company():
    """Customers with orders and answers, ties of time and missing items included."""
    rng = np.random.default_rng(7)
    n, people = 900, 260
    who = [f"c{number:03}" for number in rng.integers(0, people, n)]
    day = pd.Timestamp("2025-01-10", tz="Asia/Tokyo") + pd.to_timedelta(rng.integers(0, 600, n), unit="D")
    answers = pd.DataFrame({"customer_id": who, "answered_at": day, "survey": "relationship"})
    answers["wave"] = day.tz_localize(None).to_period("Q").astype(str)
    mood = rng.normal(size=n)
    for name in DRIVERS:
        rating = np.clip(np.round(3 + mood + rng.normal(size=n)), 1, 5)
        answers[name] = np.where(rng.random(n) < 0.1, np.nan, rating)
    answers["nps_score"] = np.clip(np.round(7 + 1.5 * mood + rng.normal(size=n)), 0, 10)
    answers["csat_score"] = np.clip(np.round(3.5 + 0.6 * mood + 0.5 * rng.normal(size=n)), 1, 5)
    answers["ces_score"] = np.clip(np.round(4.5 + mood + rng.normal(size=n)), 1, 7)
    answers["weight"] = rng.uniform(0.5, 2, n)
    answers["region"] = [f"r{int(name[1:]) % 4}" for name in who]
    buyers = rng.integers(0, people, 1_500)
    orders = pd.DataFrame({"customer_id": [f"c{number:03}" for number in buyers]})
    orders["order_id"] = [f"o{number:05}" for number in range(len(orders))]
    at = pd.to_timedelta(rng.integers(0, 900, len(orders)), unit="D")
    orders["ordered_at"] = pd.Timestamp("2024-01-10", tz="Asia/Tokyo") + at
    orders["amount"] = rng.integers(5, 90, len(orders)) * 100.0
    customers = pd.DataFrame({"customer_id": [f"c{number:03}" for number in range(people)]})
    customers["region"] = [f"r{number % 4}" for number in range(people)]
    customers["acquisition_channel"] = np.where(np.arange(people) % 5 == 0, "referral", "ec")
    return {"answers": answers, "orders": orders, "customers": customers}


CLUSTERED = {"cluster_col": "customer_id"}
ABOUT = {"outcome_col": "nps_score", "driver_cols": DRIVERS, "weight_col": "weight", **CLUSTERED}


def waves(t):
    return cx.last_waves(t["answers"])


def summary(t):
    return cx.summarise_customers(t["orders"], as_of="2026-08-31")


def followed(t):
    return cx.follow_answers(t["answers"], t["orders"], as_of="2026-08-31")


def latest(t):
    return cx.latest_attitudes(t["answers"], t["orders"], as_of="2026-08-31")


CALLS = {
    "nps": lambda t: cx.nps(t["answers"], by="region", weight_col="weight", **CLUSTERED),
    "nps_bootstrap": lambda t: cx.nps(t["answers"], method="bootstrap", **CLUSTERED),
    "nps_bootstrap_rows": lambda t: cx.nps(t["answers"], method="bootstrap"),
    "csat": lambda t: cx.csat(t["answers"], scale=(1, 5), by="region", **CLUSTERED),
    "ces": lambda t: cx.ces(t["answers"], scale=(1, 7), direction="ease", **CLUSTERED),
    "score_distribution": lambda t: cx.score_distribution(t["answers"], min_cell=10, **CLUSTERED),
    "wave_chart": lambda t: cx.wave_chart(t["answers"], **CLUSTERED),
    "score_change": lambda t: cx.score_change(*waves(t), by="region"),
    "paired_change": lambda t: cx.paired_change(*waves(t)),
    "group_gaps": lambda t: cx.group_gaps(t["answers"], by="region"),
    "mix_rate": lambda t: cx.mix_rate(*waves(t), by="region", customer_id_col="customer_id"),
    "driver_importance": lambda t: cx.driver_importance(t["answers"], n_boot=60, **ABOUT),
    "driver_importance_rows": lambda t: cx.driver_importance(
        t["answers"], outcome_col="nps_score", driver_cols=DRIVERS, n_boot=60
    ),
    "importance_performance": lambda t: cx.importance_performance(t["answers"], n_boot=60, **ABOUT),
    "group_importance": lambda t: cx.group_importance(
        t["answers"],
        outcome_col="nps_score",
        groups={DRIVERS[0]: "a", DRIVERS[1]: "a", DRIVERS[2]: "b"},
        n_boot=60,
        **CLUSTERED,
    ),
    "scale_reliability": lambda t: cx.scale_reliability(
        t["answers"], item_cols=DRIVERS, n_boot=60, **CLUSTERED
    ),
    "stated_derived": lambda t: cx.stated_derived(
        t["answers"],
        outcome_col="nps_score",
        stated={DRIVERS[0]: "ces_score", DRIVERS[1]: "csat_score"},
        n_boot=60,
        **CLUSTERED,
    ),
    "each_large_group": lambda t: cx.each_large_group(
        cx.driver_importance, t["answers"], by="region", n_boot=60, **ABOUT
    ),
    "ordinal_drivers": lambda t: cx.ordinal_drivers(t["answers"], **ABOUT),
    "penalty_reward": lambda t: cx.penalty_reward(
        t["answers"], outcome_col="nps_score", driver_cols=DRIVERS, low=2, high=4, **CLUSTERED
    ),
    "response_bounds": lambda t: cx.response_bounds(t["answers"], t["customers"]),
    "customer_weights": lambda t: cx.customer_weights(t["answers"], summary(t)).sort_values("customer_id")[
        ["customer_id", "nps_score", "weight"]
    ],
    "compare_respondents": lambda t: cx.compare_respondents(
        summary(t).assign(
            answered=lambda frame: frame["customer_id"].isin(t["answers"]["customer_id"].unique())
        )
    ),
    "follow_answers": followed,
    "behaviour_by_attitude": lambda t: cx.behaviour_by_attitude(followed(t)),
    "point_value": lambda t: cx.point_value(followed(t)),
    "latest_attitudes": latest,
    "attitude_spend": lambda t: cx.attitude_spend(latest(t)),
    "value_at_risk": lambda t: cx.value_at_risk(latest(t)),
    "attitude_moves": lambda t: cx.attitude_moves(t["answers"]),
    "referred_customers": lambda t: cx.referred_customers(t["customers"], t["orders"], as_of="2026-08-31"),
}


@pytest.mark.parametrize("name", CALLS)
def test_shuffled_rows_give_the_same_result(name):
    tables = company()
    shuffled = {key: table.sample(frac=1, random_state=3) for key, table in tables.items()}
    one, two = (CALLS[name](each).reset_index(drop=True) for each in (tables, shuffled))
    pd.testing.assert_frame_equal(one, two, rtol=1e-9, atol=1e-9)


def test_of_two_answers_at_one_instant_the_worse_is_the_last_unless_ids_tell():
    days = pd.to_datetime(["2026-01-02"] * 2)
    both = pd.DataFrame({"customer_id": "a", "answered_at": days, "nps_score": [10, 2]})
    people = pd.DataFrame({"customer_id": ["a"]})
    for answers in (both, both[::-1]):
        heard = cx.response_bounds(answers, people).set_index("metric")["estimate"]
        assert heard["nps_heard"] == -100
    numbered = both.assign(response_id=["2", "1"])
    for answers in (numbered, numbered[::-1]):
        assert cx.response_bounds(answers, people).set_index("metric").loc["nps_heard", "estimate"] == 100


@pytest.mark.parametrize("wrong", ["series", "path"])
@pytest.mark.parametrize(
    "call",
    [
        lambda data: cx.nps(data),
        lambda data: cx.csat(data, scale=(1, 5)),
        lambda data: cx.score_change(data, data),
        lambda data: cx.wave_chart(data),
        lambda data: cx.driver_importance(data, outcome_col="a", driver_cols=["b"]),
        lambda data: cx.scale_reliability(data, item_cols=["a", "b"]),
        lambda data: cx.ordinal_drivers(data, outcome_col="a", driver_cols=["b"]),
        lambda data: cx.penalty_reward(data, outcome_col="a", driver_cols=["b"], low=1, high=2),
        lambda data: cx.response_bounds(data, data),
        lambda data: cx.follow_answers(data, data, as_of="2026-01-01"),
        lambda data: cx.latest_attitudes(data, data, as_of="2026-01-01"),
        lambda data: cx.referred_customers(data, data, as_of="2026-01-01"),
        lambda data: cx.rake(data, margins={"a": {1: 1.0}}),
    ],
)
def test_what_is_no_table_ends_in_a_sentence(call, wrong):
    data = pd.Series([1.0, 2.0], name="nps_score") if wrong == "series" else "answers.csv"
    with pytest.raises(cx.checks.ParameterError, match="DataFrame"):
        call(data)


@pytest.mark.parametrize("scale", [5, "15", None, (1,), (1, 5, 7), ("a", "b"), {1, 5}])
def test_a_scale_that_is_no_pair_ends_in_a_sentence(scale):
    data = pd.DataFrame({"csat_score": [1, 2, 5]})
    with pytest.raises(cx.checks.ParameterError, match="lowest, highest"):
        cx.csat(data, scale=scale)


def test_a_driver_without_a_number_says_why():
    rng = np.random.default_rng(1)
    data = pd.DataFrame(rng.integers(1, 6, (40, 3)), columns=list("abc")).astype(float)
    asked = {"driver_cols": list("abc"), "outcome_col": "score"}
    flat = cx.driver_importance(data.assign(score=7.0), **asked)
    few = cx.driver_importance(data.assign(score=data["a"]).head(4), **asked)
    fine = cx.driver_importance(data.assign(score=data["a"]), **asked)
    statuses = [set(frame["status"]) for frame in (flat, few, fine)]
    assert statuses == [{"constant_outcome"}, {"few_answers"}, {"ok"}]
    fits = {"one_group": data.assign(score=9.0), "separated": data.assign(score=data["a"] * 2)}
    for status, frame in fits.items():
        found = cx.ordinal_drivers(frame, outcome_col="score", driver_cols=["a"])
        assert found.loc[0, "status"] == status


def test_several_answers_of_a_customer_buy_no_precision():
    """Answers that differ within a customer more than between them: no better than independent ones."""
    data = pd.DataFrame(
        {"customer_id": np.repeat(np.arange(50), 2), "nps_score": [10, 0] * 48 + [10, 10, 0, 0]}
    )
    alone, together = cx.nps(data).iloc[0], cx.nps(data, **CLUSTERED).iloc[0]
    assert together["n_effective"] == alone["n"] and together["std_error"] >= alone["std_error"]


def test_shares_do_not_depend_on_how_many_answers_lie_in_one_row_of_sums():
    """Sums by customer, drawn with customers, are what drawing their answers gives."""
    from cxlib.stats.bootstrap import bootstrap_counts, resampled_sums

    values, who = np.arange(12.0), np.repeat([0, 1, 2, 3], 3)
    order = np.argsort(np.bincount(who, values) * (0.5 + np.sqrt(2) % 1), kind="stable")
    ranked = np.argsort(order)[who]
    by_rows = np.vstack([each @ values for each in bootstrap_counts(12, n_boot=40, seed=5, clusters=ranked)])
    by_sums = np.vstack(list(resampled_sums([values], n_boot=40, seed=5, clusters=who)))
    assert sorted(by_rows.ravel()) == pytest.approx(sorted(by_sums.ravel()))


@pytest.mark.parametrize("has_ids", [True, False])
def test_answers_of_one_instant_are_sorted_as_all_answers_would_be(has_ids):
    from cxlib.voice.answers import by_time

    rng = np.random.default_rng(2)
    days = pd.Series(pd.to_datetime("2026-01-01") + pd.to_timedelta(rng.integers(0, 40, 200), unit="D"))
    data = pd.DataFrame(
        {"answered_at": days.mask(rng.random(200) < 0.05), "nps_score": rng.integers(0, 11, 200)}
    )
    keys = {"answered_at": True, "response_id": True, "nps_score": False}
    if has_ids:
        data["response_id"] = rng.permutation(200)
    else:
        del keys["response_id"]
    whole = data.sort_values(list(keys), ascending=list(keys.values()), kind="stable")
    pd.testing.assert_frame_equal(by_time(data), whole)
    assert list(by_time(data, columns=["nps_score"])) == ["nps_score"]
