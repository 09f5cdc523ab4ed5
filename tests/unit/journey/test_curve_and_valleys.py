import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import InputError, ParameterError
from cxlib.data.scope import chosen_rows
from cxlib.journey.curve import emotion_curve, stage_steps, unknown_stages
from cxlib.journey.funnels_and_exits import exit_rates, funnel
from cxlib.journey.second_purchase.after_stage import f2_after_stage
from cxlib.journey.second_purchase.days_between import first_purchases_doubtful, repeat_times
from cxlib.journey.second_purchase.f2_curve import purchase_ladder, repeat_curve
from cxlib.journey.touchpoints import expectation_gap, touchpoint_scores
from cxlib.journey.valleys import curve_features, find_valleys, name_valley
from cxlib.sales.quotes import follow_up, overdue_quotes
from cxlib.stats.intervals import clustered_mean_interval

STAGES = list("abcdefgh")
VALLEY = (0.2, 0.4, 0.9, 0.7, 0.6, -0.4, 0.6, 1.0)


def journeys(seed=0, n=400, means=VALLEY, seen=0.5, leave=0.0):
    """Answers of customers with a level of their own; with `leave`, the unhappy drop out along the way."""
    rng = np.random.default_rng(seed)
    level = rng.normal(0, 0.7, n)
    score = level[:, None] + np.array(means) + rng.normal(0, 0.8, (n, 8))
    stays = rng.random((n, 8)) < 1 - leave / (1 + np.exp(3 * level[:, None]))
    present = np.cumprod(stays, axis=1).astype(bool) & (rng.random((n, 8)) < seen)
    customer, stage = np.nonzero(present)
    names = np.array(STAGES)[stage]
    return pd.DataFrame(
        {"customer_id": customer.astype(str), "stage": names, "valence": score[customer, stage]}
    )


def orders_of(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])
    return frame.assign(ordered_at=pd.to_datetime(frame["ordered_at"], format="ISO8601"))


# The emotion curve


def test_pooled_curve_equals_the_clustered_mean_of_each_stage():
    events = journeys()
    events = pd.concat([events, events.sample(200, random_state=1)])  # several answers per customer and stage
    row = emotion_curve(events, stage_order=STAGES).query("metric == 'pooled' and stage == 'c'").iloc[0]
    here = events[events["stage"] == "c"]
    expected = clustered_mean_interval(here["valence"].to_numpy(), here["customer_id"].to_numpy())
    assert row["estimate"] == pytest.approx(expected.estimate)
    assert row["std_error"] == pytest.approx(np.ravel(expected.std_error)[0], rel=0.01)


def test_paired_curve_equals_a_regression_on_customer_and_stage():
    events = journeys(2, n=60)
    dummies = pd.get_dummies(events[["customer_id", "stage"]], dtype=float)
    fit = np.linalg.lstsq(dummies.to_numpy(), events["valence"].to_numpy(), rcond=None)[0]
    stage = fit[-8:]
    paired = emotion_curve(events, stage_order=STAGES).query("metric == 'paired'")["estimate"].to_numpy()
    assert paired - paired.mean() == pytest.approx(stage - stage.mean(), abs=1e-8)
    counts = events["stage"].value_counts()[STAGES].to_numpy()
    assert (paired * counts).sum() / counts.sum() == pytest.approx(events["valence"].mean())


def test_paired_curve_undoes_who_stays():
    curve = emotion_curve(journeys(3, n=6000, means=[0.0] * 8, leave=0.5), stage_order=STAGES)
    last = curve[curve["stage"] == "h"].set_index("metric")
    first = curve[curve["stage"] == "a"].set_index("metric")
    assert last.loc["pooled", "estimate"] - first.loc["pooled", "estimate"] > 0.3
    assert abs(last.loc["paired", "estimate"] - first.loc["paired", "estimate"]) < 0.12


def test_counts_of_a_stage():
    events = pd.DataFrame(
        {"customer_id": ["x", "x", "y", None], "stage": "a", "valence": [-1.0, 1.0, np.nan, 2.0]}
    )
    row = emotion_curve(events, stage_order=["a", "b"]).iloc[0]
    assert (row["n"], row["n_answers"], row["coverage"]) == (2, 3, 0.75)  # a guest is a customer of its own
    assert (row["share_negative"], row["largest_share"]) == pytest.approx((1 / 3, 2 / 3))


def test_band_contains_the_interval_and_equals_it_when_pointwise():
    wide = emotion_curve(journeys(), stage_order=STAGES)
    assert (wide["band_conf_low"] < wide["conf_low"]).all()
    assert (wide["band_conf_high"] > wide["conf_high"]).all()
    point = emotion_curve(journeys(), stage_order=STAGES, band="pointwise")
    assert point["band_conf_low"].equals(point["conf_low"])


def test_groups_are_the_curves_of_their_rows_and_order_does_not_matter():
    events = journeys(4)
    events["channel"] = np.where(events["customer_id"].astype(int) % 2, "shop", "store")
    both = emotion_curve(events.sample(frac=1, random_state=0), stage_order=STAGES, by="channel")
    alone = emotion_curve(events[events["channel"] == "store"], stage_order=STAGES)
    group = both[both["channel"] == "store"].drop(columns="channel").reset_index(drop=True)
    pd.testing.assert_frame_equal(group, alone)


def test_renamed_columns_and_unchanged_input():
    events = journeys(5, n=80)
    renamed = events.rename(columns={"valence": "価格(円)", "stage": "class", "customer_id": "id"})
    before = renamed.copy()
    columns = {"score_col": "価格(円)", "stage_col": "class", "customer_id_col": "id"}
    for function in (emotion_curve, stage_steps, find_valleys, curve_features):
        theirs = function(events, stage_order=STAGES)
        pd.testing.assert_frame_equal(function(renamed, stage_order=STAGES, **columns), theirs)
    pd.testing.assert_frame_equal(renamed, before)


def test_unknown_stages_are_left_out_and_empty_ones_keep_their_row():
    events = pd.concat(
        [journeys(6), pd.DataFrame({"customer_id": ["1"], "stage": ["zzz"], "valence": [-2.0]})]
    )
    curve = emotion_curve(events, stage_order=[*STAGES, "later"])
    assert curve["stage"].to_list() == [*STAGES, "later"] * 2
    assert curve.loc[curve["stage"] == "later", "estimate"].isna().all()


def test_empty_one_customer_and_infinite_scores_give_unknown():
    empty = journeys(0, n=5).iloc[:0]
    assert emotion_curve(empty, stage_order=STAGES)["estimate"].isna().all()
    assert not find_valleys(empty, stage_order=STAGES)["is_valley"].any()
    one = emotion_curve(
        pd.DataFrame({"customer_id": "x", "stage": ["a", "b"], "valence": [1.0, np.inf]}),
        stage_order=["a", "b"],
    )
    assert one["conf_low"].isna().all()
    assert one["n_answers"].to_list() == [1, 0, 1, 0]


def test_one_busy_customer_is_one_customer():
    bot = pd.DataFrame({"customer_id": "bot", "stage": "f", "valence": [-2.0] * 10_000})
    curve = emotion_curve(pd.concat([journeys(7), bot]), stage_order=STAGES).query("metric == 'pooled'")
    row = curve[curve["stage"] == "f"].iloc[0]
    assert row["largest_share"] > 0.97
    assert row["conf_low"] < -0.4 < row["conf_high"]  # wide enough to say nothing


def test_arguments_are_checked():
    events = journeys(0, n=20)
    with pytest.raises(ParameterError, match="simultaneous, pointwise"):
        emotion_curve(events, stage_order=STAGES, band="wide")
    with pytest.raises(ParameterError, match="pooled, paired"):
        find_valleys(events, stage_order=STAGES, curve="mean")
    with pytest.raises(ParameterError, match="Did you mean: valence"):
        emotion_curve(events, stage_order=STAGES, score_col="valance")
    with pytest.raises(ParameterError, match="at least two different stages"):
        emotion_curve(events, stage_order=["a", "a"])
    with pytest.raises(ParameterError, match="no stage of `stage_order`"):
        emotion_curve(events, stage_order=["x", "y"])


# Steps, valleys, features


def test_step_has_the_sign_of_later_minus_earlier():
    events = pd.DataFrame(
        {"customer_id": list("xxyyzz"), "stage": ["a", "b"] * 3, "valence": [1, 0, 2, 0, 1, 1]}
    )
    step = stage_steps(events, stage_order=["a", "b"]).iloc[0]
    assert (step["estimate"], step["n"]) == (pytest.approx(-1), 3)
    assert step["std_error"] == pytest.approx(np.std([-1, -2, 0], ddof=1) / np.sqrt(3), rel=1e-9)


@pytest.mark.parametrize("curve", ["pooled", "paired"])
def test_the_planted_valley_is_found_with_its_depth(curve):
    valleys = find_valleys(journeys(8, n=1500), stage_order=STAGES, curve=curve)
    assert valleys.loc[valleys["is_valley"], "stage"].to_list() == ["f"]
    row = valleys[valleys["stage"] == "f"].iloc[0]
    assert row["conf_low"] < 1.0 < row["conf_high"]
    assert 0.3 < row["share_of_customers"] < 0.8


def test_a_valley_may_be_two_stages_wide():
    valleys = find_valleys(journeys(9, n=1500, means=(1, 1, 1, -0.5, -0.5, 1, 1, 1)), stage_order=STAGES)
    named = valleys[valleys["is_valley"]]
    assert set(named["stage"]) <= {"d", "e"}
    assert len(named) == 1
    assert named["depth"].item() == pytest.approx(1.5, abs=0.25)


def test_a_falling_curve_has_no_valley():
    events = journeys(10, n=1500, means=np.linspace(1, -1, 8))
    assert not find_valleys(events, stage_order=STAGES)["is_valley"].any()


def test_name_valley_says_how_far_to_trust():
    found = [
        find_valleys(journeys(8, n=800), stage_order=STAGES, curve=curve) for curve in ("pooled", "paired")
    ]
    assert name_valley(*found)[["stage", "verdict"]].to_numpy().tolist() == [["f", "valley"]]
    doubt = found[1].assign(is_valley=False)
    assert name_valley(found[0], doubt)["verdict"].item() == "unconfirmed"
    assert name_valley(doubt, doubt)["verdict"].item() == "no_valley"
    empty = find_valleys(journeys(0, n=5).iloc[:0], stage_order=STAGES)
    assert name_valley(empty, empty)["verdict"].item() == "not_enough_data"


def test_features_of_a_known_curve():
    flat = np.repeat(np.array([[0.0, 1.0, 2.0]]), 6, axis=0)
    events = pd.DataFrame(flat, columns=list("abc")).rename_axis("customer_id").reset_index()
    events = events.melt("customer_id", var_name="stage", value_name="valence")
    features = curve_features(events, stage_order=list("abc")).set_index("metric")
    expected = {"peak": 2, "trough": 0, "end": 2, "slope": 1, "area": 2, "peak_end": 2}
    assert features["estimate"].to_dict() == pytest.approx(expected)
    assert features.loc[["peak", "trough", "end"], "stage"].to_list() == ["c", "a", "c"]


@pytest.mark.slow
@pytest.mark.parametrize("curve", ["pooled", "paired"])
@pytest.mark.parametrize(("n", "means"), [(150, (0.4,) * 8), (30, (0.4,) * 8), (150, (0.6, -0.2))])
def test_a_flat_or_falling_curve_names_a_valley_in_at_most_5_percent(curve, n, means):
    means = means if len(means) == 8 else np.linspace(*means, 8)
    events = pd.concat(journeys(seed, n=n, means=means).assign(seed=seed) for seed in range(200))
    valleys = find_valleys(events, stage_order=STAGES, by="seed", curve=curve)
    alarms = valleys.groupby("seed")["is_valley"].any()
    assert len(alarms) == 200
    assert alarms.mean() <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "rounds", "off"),
    [(30, 300, 0.035), *(pytest.param(n, 1000, 0.02, marks=pytest.mark.long) for n in (30, 200))],
)
def test_coverage_of_the_simultaneous_band(n, rounds, off):
    events = pd.concat(journeys(seed, n=n).assign(seed=seed) for seed in range(rounds))
    curves = emotion_curve(events, stage_order=STAGES, by="seed")
    for name, curve in curves.groupby("metric"):
        low, high = (curve[end].to_numpy().reshape(rounds, 8) for end in ("band_conf_low", "band_conf_high"))
        inside = ((low <= VALLEY) & (high >= np.array(VALLEY))).all(axis=1)
        assert abs(inside.mean() - 0.95) <= off, name


def test_unknown_stages_are_counted():
    events = pd.concat([journeys(1, n=30), pd.DataFrame({"stage": ["zzz", "yyy", None], "valence": 1.0})])
    row = unknown_stages(events, stage_order=STAGES).iloc[0]
    assert (row["n"], row["n_unknown_stage"], row["n_missing_stage"]) == (len(events), 2, 1)
    assert row["estimate"] == pytest.approx(3 / len(events))
    assert np.isnan(unknown_stages(events.iloc[:0], stage_order=STAGES)["estimate"].item())


def test_a_valley_counts_who_answered_there():
    events = pd.DataFrame({"customer_id": list("abcabcd"), "stage": list("xxxyyyy"), "valence": 1.0})
    row = find_valleys(events, stage_order=["x", "y", "z"]).iloc[0]
    assert (row["stage"], row["n"], row["n_around"]) == ("y", 4, 0)
    assert np.isnan(row["share_of_customers"])


def test_text_scores_and_groups_called_like_a_result_are_refused():
    events = journeys(0, n=20)
    with pytest.raises(ParameterError, match="valence"):
        emotion_curve(events.assign(valence="good"), stage_order=STAGES)
    for function in (emotion_curve, stage_steps, find_valleys, curve_features):
        with pytest.raises(ParameterError, match="by='metric'"):
            function(events.assign(metric="m"), stage_order=STAGES, by="metric")
    with pytest.raises(ParameterError, match="expectation"):
        expectation_gap(contacts().assign(expectation="high"))
    with pytest.raises(ParameterError, match="by='n'"):
        expectation_gap(contacts().assign(n=1), by="n")


# The second purchase


def test_one_day_is_one_purchase_and_refunds_are_none():
    orders = orders_of(
        ("a", "2026-01-01 09:00", 10),
        ("a", "2026-01-01 21:00", 10),
        ("b", "2026-01-01", 10),
        ("b", "2026-01-05", -10),
        ("c", "2026-01-01", 0),
        ("c", "2026-01-09", 10),
        (None, "2026-01-01", 10),
    )
    times = repeat_times(orders, as_of="2026-01-31").set_index("customer_id")
    assert times["is_repeat"].to_dict() == {"a": False, "b": False, "c": False}  # free is none
    assert times["duration_days"].to_dict() == {"a": 30, "b": 30, "c": 22}


@pytest.mark.parametrize("unit", ["s", "us", "ns"])
def test_days_are_local_days_whatever_the_unit(unit):
    orders = orders_of(("a", "2026-03-31T14:59:00Z", 1), ("a", "2026-03-31T15:01:00Z", 1))
    local = orders.assign(ordered_at=orders["ordered_at"].dt.tz_convert("Asia/Tokyo").dt.as_unit(unit))
    assert repeat_times(local, as_of=dt.date(2026, 4, 30))["duration_days"].item() == 1
    utc = repeat_times(orders, as_of="2026-04-30")
    assert not utc["is_repeat"].item()


def test_orders_after_as_of_are_unknown_and_as_of_day_counts():
    orders = orders_of(("a", "2026-01-01", 1), ("a", "2026-01-31 23:59", 1), ("b", "2026-02-01", 1))
    assert repeat_times(orders, as_of="2026-01-31")["is_repeat"].to_list() == [True]
    assert repeat_times(orders, as_of="2026-01-30")["is_repeat"].to_list() == [False]


def test_customers_who_bought_before_observation_are_left_out():
    orders = orders_of(("a", "2025-12-31", 1), ("a", "2026-01-10", 1), ("b", "2026-01-01", 1))
    times = repeat_times(orders, as_of="2026-01-31", observed_from="2026-01-01")
    assert times["customer_id"].to_list() == ["b"]


def test_by_is_the_value_of_the_first_line():
    orders = orders_of(("a", "2026-01-05", 1), ("a", "2026-01-01", 1)).assign(channel=["store", "ec"])
    assert repeat_times(orders, as_of="2026-01-31", by="channel")["channel"].item() == "ec"


def test_ladder_starts_a_new_clock_at_each_purchase():
    orders = orders_of(
        ("a", "2026-01-01", 1), ("a", "2026-01-11", 1), ("a", "2026-01-16", 1), ("b", "2026-01-01", 1)
    )
    ladder = purchase_ladder(orders, as_of="2026-03-31", steps=3, within_days=30)
    assert ladder["n"].to_list() == [2, 1, 1]
    assert ladder["estimate"].to_list() == [0.5, 1.0, 0.0]


def shop(seed, power, n=4000):
    """Orders of one year; the wait to the second purchase is exponential, mean 300 days."""
    rng = np.random.default_rng(seed)
    first = np.floor(365 * rng.random(n) ** (1 / power))
    wait = np.ceil(rng.exponential(300, n))
    day = np.concatenate([first, (first + wait)])
    frame = pd.DataFrame({"customer_id": np.tile(np.arange(n), 2), "day": day}).query("day < 365")
    return frame.assign(ordered_at=pd.Timestamp("2025-01-01") + pd.to_timedelta(frame["day"], unit="D"))


@pytest.mark.parametrize(("power", "error"), [(0.4, 0.03), (1.0, 0.08), (3.0, 0.18)])
def test_naive_ratio_moves_with_acquisition_and_kaplan_meier_does_not(power, error):
    truth = 1 - np.exp(-180 / 300)
    for seed in range(4):
        orders = shop(seed, power, n=200_000)
        f2 = repeat_curve(orders, as_of="2025-12-31", horizons_days=[180]).iloc[0]
        assert f2["estimate"] == pytest.approx(truth, abs=0.01)
        assert f2["mature"] == pytest.approx(truth, abs=0.02)
        assert truth - f2["naive"] > error


@pytest.mark.slow
def test_truth_lies_in_the_interval_of_f2():
    truth, draws = 1 - np.exp(-180 / 300), [(seed, power) for seed in range(120) for power in (0.4, 1.0, 3.0)]
    shops = [shop(*draw, n=500).assign(draw=number) for number, draw in enumerate(draws)]
    orders = pd.concat(shops).assign(customer_id=lambda rows: rows["customer_id"] + 500 * rows["draw"])
    f2 = repeat_curve(orders, as_of="2025-12-31", horizons_days=[180], by="draw")
    assert len(f2) == 360
    assert 0.925 <= ((f2["conf_low"] <= truth) & (truth <= f2["conf_high"])).mean() <= 0.97


def test_ladder_without_a_repeat_is_as_unsure_as_the_curve():
    orders = orders_of(*((f"c{number}", "2024-01-01", 1) for number in range(12)))
    rung = purchase_ladder(orders, as_of="2025-06-30", steps=1).iloc[0]
    curve = repeat_curve(orders, as_of="2025-06-30", horizons_days=[365]).iloc[0]
    ends = ["estimate", "conf_low", "conf_high"]
    assert rung[ends].to_list() == curve[ends].to_list()
    assert rung["conf_high"] == pytest.approx(1 - 0.025 ** (1 / 12))
    with pytest.raises(ParameterError, match="within_days"):
        purchase_ladder(orders, as_of="2025-06-30", within_days=0)


def test_customers_left_out_are_counted_per_group():
    orders = orders_of(
        ("a", "2025-12-31", 1), ("a", "2026-01-10", 1), ("b", "2026-01-01", 1), ("c", "2026-01-02", 1)
    )
    both = repeat_curve(orders, as_of="2026-02-28", horizons_days=[30], observed_from="2026-01-01")
    assert both[["n", "n_left_out"]].to_numpy().tolist() == [[2, 1]]
    split = repeat_curve(
        orders.assign(arm=["x", "x", "x", "y"]), as_of="2026-02-28", horizons_days=[30], by="arm",
        observed_from="2026-01-01",
    )  # fmt: skip
    assert split[["n", "n_left_out"]].to_numpy().tolist() == [[1, 1], [1, 0]]
    assert repeat_curve(orders, as_of="2026-02-28")["n_left_out"].to_list() == [0] * 5


def test_text_amounts_and_reserved_groups_of_orders():
    orders = orders_of(("a", "2026-01-01", 1), ("a", "2026-01-09", 1)).assign(days="d")
    with pytest.raises(ParameterError, match="amount"):
        repeat_curve(orders.assign(amount=["1", "x"]), as_of="2026-03-01")
    with pytest.raises(ParameterError, match="by='days'"):
        repeat_curve(orders, as_of="2026-03-01", by="days")
    with pytest.raises(ParameterError, match="by='is_repeat'"):
        repeat_times(orders.assign(is_repeat=1), as_of="2026-03-01", by="is_repeat")


def test_first_purchases_of_customers_known_before_the_data_begin_are_doubtful():
    days = pd.date_range("2026-01-01", periods=200)
    times = pd.DataFrame({"customer_id": [str(i) for i in range(200)], "from_on": days})
    times = times.assign(duration_days=30, is_repeat=False)
    people = times[["customer_id"]].assign(first_seen_on=days)
    assert not first_purchases_doubtful(times, customers=people)
    older = people.assign(
        first_seen_on=people["first_seen_on"].mask(people.index < 20, pd.Timestamp("2025-06-01"))
    )
    assert first_purchases_doubtful(times, customers=older)
    assert not first_purchases_doubtful(times.iloc[:0], customers=older)


def test_after_stage_leaves_out_earlier_customers_and_knows_empty_arms():
    names = [f"c{number}" for number in range(24)]
    orders = orders_of(*((name, "2026-01-01", 1) for name in names), ("c0", "2025-01-01", 1))
    again = orders_of(*((name, "2026-01-20", 1) for name in names[12:]))
    events = pd.DataFrame({"customer_id": names, "stage": "f", "valence": [-1] * 12 + [1] * 12})
    events["occurred_at"] = pd.Timestamp("2026-01-05")
    window = {"stage": "f", "as_of": "2026-06-01", "horizon_days": 30, "observed_from": "2025-06-01"}
    after = f2_after_stage(events, pd.concat([orders, again]), **window).set_index("metric")
    assert after.loc["f2", "n"].to_list() == [11, 12]
    gap = after.loc["difference"]
    assert gap["estimate"] == -1
    assert -1 == gap["conf_low"] < gap["conf_high"] < -0.5
    assert np.isnan(gap["std_error"])
    assert after.loc["purchases", "conf_high"] == pytest.approx(11 * gap["conf_high"])


def test_repeat_curve_by_group_and_renamed():
    orders = shop(2, 1.0, n=300).assign(channel=lambda rows: np.where(rows["customer_id"] % 2, "ec", "store"))
    both = repeat_curve(orders, as_of="2025-12-31", by="channel")
    assert both["channel"].to_list() == ["ec"] * 5 + ["store"] * 5
    assert both.groupby("channel")["n"].first().sum() == 300
    renamed = orders.rename(columns={"customer_id": "class", "ordered_at": "価格(円)"})
    again = repeat_curve(
        renamed, as_of="2025-12-31", by="channel", customer_id_col="class", time_col="価格(円)"
    )
    pd.testing.assert_frame_equal(both, again)


def test_horizon_nobody_reached_is_unknown():
    f2 = repeat_curve(orders_of(("a", "2026-01-01", 1)), as_of="2026-01-31", horizons_days=[20, 60])
    assert f2["estimate"].isna().to_list() == [False, True]
    assert f2["mature"].isna().to_list() == [False, True]


def test_wrong_arguments_for_repeat_curve():
    orders = orders_of(("a", "2026-01-01", 1))
    with pytest.raises(ParameterError, match="each 1 or more"):
        repeat_curve(orders, as_of="2026-01-31", horizons_days=[0])
    with pytest.raises(ParameterError, match="as_of"):
        repeat_curve(orders, as_of="2026-02-30")
    with pytest.raises(InputError, match="must hold timestamps"):
        repeat_curve(orders.assign(ordered_at="2026-01-01"), as_of="2026-01-31")


def test_first_purchases_are_doubtful_where_early_ones_come_again_more_often_and_a_launch_is_not():
    days = pd.Series(pd.date_range("2026-01-01", periods=200))
    times = pd.DataFrame({"from_on": days, "duration_days": 20})
    assert not first_purchases_doubtful(times.assign(is_repeat=days.index % 3 == 0))
    assert first_purchases_doubtful(times.assign(is_repeat=days < "2026-03-01"))
    assert not first_purchases_doubtful(times.assign(is_repeat=days > "2026-03-01"))
    launch = pd.concat([times, *[times.head(20)] * 15], ignore_index=True)
    assert not first_purchases_doubtful(launch.assign(is_repeat=launch.index % 3 == 0))


def test_after_stage_counts_only_who_had_not_come_back_yet():
    orders = orders_of(
        ("a", "2026-01-01", 1), ("a", "2026-01-03", 1), ("b", "2026-01-01", 1), ("c", "2026-01-01", 1),
        ("c", "2026-01-20", 1), ("d", "2026-02-01", 1),
    )  # fmt: skip
    events = pd.DataFrame({"customer_id": list("abcd"), "stage": "f", "valence": [-1, -1, 1, -1]})
    events["occurred_at"] = pd.Timestamp("2026-01-05")
    after = f2_after_stage(events, orders, stage="f", as_of="2026-03-31", horizon_days=30)
    assert after.loc[after["metric"] == "f2", "n"].to_list() == [1, 1]  # a is back already, d not a buyer yet
    assert after["estimate"].to_list() == [0, 1, -1, -1]


def test_rows_of_chosen_customers_take_their_group_along():
    class Shop:
        def has(self, table):
            return table == "orders"

        def table(self, name, start=None, end=None):
            return orders_of(("a", "2026-01-01", 1), ("b", "2026-01-01", 1)).assign(region="line")

    chosen = pd.DataFrame({"customer_id": ["a"], "region": ["north"]})
    rows = chosen_rows(Shop(), "orders", chosen, by="region")
    assert rows[["customer_id", "region"]].to_numpy().tolist() == [["a", "north"]]
    assert chosen_rows(Shop(), "events", chosen, by="region")["valence"].dtype == float


# Funnel and exits


def views(*rows):
    frame = pd.DataFrame(rows, columns=["session_id", "page"])
    return frame.assign(occurred_at=pd.Timestamp("2026-01-01") + pd.to_timedelta(range(len(frame)), unit="h"))


def test_strict_funnel_needs_the_order_and_any_does_not():
    events = views(("a", "x"), ("a", "y"), ("b", "y"), ("b", "x"), ("c", "x"), ("d", "y"))
    columns = {"unit_col": "session_id", "step_col": "page"}
    strict = funnel(events, steps=["x", "y"], **columns)
    loose = funnel(events, steps=["x", "y"], order="any", **columns)
    assert (strict["n"].to_list(), loose["n"].to_list()) == ([3, 1], [3, 3])
    assert strict["share_of_first"].to_list() == pytest.approx([1, 1 / 3])
    assert loose["share_of_previous"].iloc[1] == pytest.approx(2 / 3)  # of those with x, who has y as well


def test_funnel_window_starts_at_the_first_step():
    events = views(("a", "x"), ("b", "x"), ("a", "y"), ("b", "z"), ("b", "y"))
    columns = {"unit_col": "session_id", "step_col": "page"}
    assert funnel(events, steps=["x", "y"], within_days=2 / 24, **columns)["n"].to_list() == [2, 1]


def test_funnel_by_group_ignores_row_order_and_other_steps():
    events = views(("a", "x"), ("a", "q"), ("a", "y"), ("b", "x")).assign(channel=["m", "n", "m", "n"])
    columns = {"unit_col": "session_id", "step_col": "page", "by": "channel"}
    split = funnel(events.sample(frac=1, random_state=3), steps=["x", "y"], **columns)
    assert split[["channel", "n"]].to_numpy().tolist() == [["m", 1], ["m", 1], ["n", 1], ["n", 0]]


def test_funnel_arguments():
    with pytest.raises(ParameterError, match="strict, any"):
        funnel(views(("a", "x")), steps=["x", "y"], order="loose", step_col="page", unit_col="session_id")
    with pytest.raises(ParameterError, match="at least two steps"):
        funnel(views(("a", "x")), steps=["x"], step_col="page", unit_col="session_id")


def test_funnel_of_nothing_counts_nothing():
    empty = funnel(views(("a", "x")).iloc[:0], steps=["x", "y"], step_col="page", unit_col="session_id")
    assert empty["n"].to_list() == [0, 0]
    assert empty["share_of_first"].isna().all()


def browsing(seed, n=3000, trap=0.0):
    """Sessions that wander over pages; the page `trap` ends a session with extra probability `trap`."""
    rng = np.random.default_rng(seed)
    rows = []
    for session in range(n):
        for _ in range(20):
            page = rng.choice(["a", "b", "c", "trap"])
            rows.append((session, page))
            if rng.random() < 0.2 + trap * (page == "trap"):
                break
    return views(*rows)


def test_only_the_page_that_drives_people_away_is_flagged():
    rates = exit_rates(browsing(1, n=1500, trap=0.2))
    assert rates.loc[rates["is_excessive"], "page"].to_list() == ["trap"]
    assert rates.iloc[0]["difference_conf_low"] < 0.2 < rates.iloc[0]["difference_conf_high"]


def test_long_sessions_do_not_make_a_page_look_harmful_for_the_goal():
    rng = np.random.default_rng(2)
    rows = []
    for session in range(1500):
        for _ in range(30):
            page = rng.choice(["a", "b", "c", "goal"], p=[0.3, 0.3, 0.3, 0.1])
            rows.append((session, page))
            if page == "goal" or rng.random() < 0.1:
                break
    rates = exit_rates(views(*rows), goal="goal")
    assert set(rates["page"]) == {"a", "b", "c"}
    assert not rates["is_excessive"].any()
    assert rates["difference"].abs().max() < 0.05


def test_sessions_are_made_from_gaps_and_end_pages_left_out():
    frame = pd.DataFrame({"customer_id": "x", "page": ["a", "b", "a", "done"]})
    frame["occurred_at"] = pd.to_datetime(
        ["2026-01-01 09:00", "2026-01-01 09:10", "2026-01-01 12:00", "2026-01-01 12:05"]
    )
    rates = exit_rates(frame, session_col=None, end_pages=["done"]).set_index("page")
    assert rates["n_exits"].to_dict() == {"a": 0, "b": 1}
    with pytest.raises(ParameterError, match="goal"):
        exit_rates(frame, session_col=None, goal="pay")


# Touchpoints and follow-up


def contacts(seed=0, n=4000):
    rng = np.random.default_rng(seed)
    point = rng.choice(["ad", "delivery"], n)
    gap = rng.choice([-1, 0, 1], n)
    return pd.DataFrame({"customer_id": rng.integers(0, n // 2, n).astype(str), "touchpoint": point}).assign(
        expectation=3.0,
        experience=3.0 + gap,
        valence=rng.normal(0, 0.5, n) - 1.0 * (gap < 0) * (point == "delivery"),
    )


def test_expectation_gap_shares_and_mean():
    gaps = expectation_gap(contacts())
    assert gaps["touchpoint"].to_list() == ["ad"] * 3 + ["delivery"] * 3
    shares = gaps[gaps["metric"] == "share_below"]
    assert ((shares["conf_low"] < 1 / 3) & (shares["conf_high"] > 1 / 3)).all()
    assert expectation_gap(contacts().iloc[:0]).empty


def test_renamed_columns_of_touchpoints():
    renamed = contacts().rename(columns={"touchpoint": "t", "expectation": "class", "experience": "価格(円)"})
    columns = {"expectation_col": "class", "experience_col": "価格(円)"}
    same = touchpoint_scores(contacts()).rename(columns={"touchpoint": "t"})
    pd.testing.assert_frame_equal(touchpoint_scores(renamed, touchpoint_col="t", **columns), same)


def test_the_touchpoint_that_costs_most_comes_first():
    penalties = pd.DataFrame(
        {"driver": ["ad", "delivery"], "penalty": [0.0, -1.0], "penalty_std_error": [0.05, 0.05]}
    )
    scores = touchpoint_scores(contacts(), penalties=penalties)
    assert scores["touchpoint"].to_list() == ["delivery", "ad"]
    worst = scores.iloc[0]
    assert worst["estimate"] == pytest.approx(worst["reach"] * worst["share_below"])
    assert worst["conf_low"] > 0 > scores.iloc[1]["conf_low"]


def quotes(seed, n=3000):
    """Deals where following up changes nothing; quick ones close before anybody can follow up."""
    rng = np.random.default_rng(seed)
    quoted = pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 200, n), unit="D")
    close = np.ceil(rng.exponential(15, n))
    follow = np.ceil(rng.exponential(10, n))
    won = rng.random(n) < np.where(close < 8, 0.8, 0.4)
    return pd.DataFrame({"quoted_on": quoted, "is_won": won}).assign(
        closed_on=quoted + pd.to_timedelta(close, unit="D"),
        followed_up_on=(quoted + pd.to_timedelta(follow, unit="D")).where(follow < close),
    )


def test_landmark_undoes_the_naive_harm_of_following_up():
    result = follow_up(quotes(1), as_of="2026-12-31").set_index("metric")
    assert result.loc["naive_difference", "conf_high"] < -0.1
    assert result.loc["difference", "conf_low"] < 0 < result.loc["difference", "conf_high"]


def test_follow_up_is_only_due_when_its_window_has_passed():
    deals = pd.DataFrame({"quoted_on": pd.to_datetime(["2026-01-01", "2026-01-28"]), "is_won": None})
    deals = deals.assign(followed_up_on=pd.to_datetime(["2026-01-05", None]), closed_on=pd.NaT)
    row = follow_up(deals, as_of="2026-01-31").iloc[0]
    assert (row["estimate"], row["n"]) == (1.0, 1)
    assert overdue_quotes(deals, as_of="2026-02-28")["overdue_days"].to_list() == [24]


def test_what_is_recorded_after_as_of_is_unknown():
    deals = quotes(2, n=400)
    early = follow_up(deals, as_of="2025-04-01")
    hidden = deals.assign(
        **{name: deals[name].where(deals[name] <= "2025-04-01") for name in ("closed_on", "followed_up_on")}
    )
    hidden["is_won"] = hidden["is_won"].where(hidden["closed_on"].notna(), None)
    pd.testing.assert_frame_equal(early, follow_up(hidden, as_of="2025-04-01"))


def test_arms_with_all_or_none_won_differ_with_a_width():
    deals = pd.DataFrame({"quoted_on": pd.Timestamp("2026-01-01"), "is_won": [True] * 12 + [False] * 12})
    deals["followed_up_on"] = pd.to_datetime(["2026-01-03"] * 12 + [None] * 12)
    deals["closed_on"] = pd.Timestamp("2026-01-20")
    result = follow_up(deals, as_of="2026-12-31").set_index("metric")
    for metric in ("difference", "naive_difference"):
        row = result.loc[metric]
        assert row["estimate"] == 1
        assert 0.4 < row["conf_low"] < row["conf_high"] == 1


def test_a_contact_before_the_quote_is_no_follow_up():
    deals = pd.DataFrame(
        {"quoted_on": pd.to_datetime(["2026-01-10"] * 2), "is_won": None, "closed_on": pd.NaT}
    )
    deals["followed_up_on"] = pd.to_datetime(["2026-01-01", "2026-01-12"])
    assert follow_up(deals, as_of="2026-06-01")["estimate"].iloc[0] == 0.5
    assert overdue_quotes(deals, as_of="2026-06-01")["overdue_days"].to_list() == [135]
    with pytest.raises(ParameterError, match="closed_on"):
        overdue_quotes(deals.drop(columns="closed_on"), as_of="2026-06-01")


def test_equal_answers_at_a_stage_are_no_interval_without_width():
    rows = [(c, "buy", c % 3) for c in range(30)] + [(c, "repeat", 0) for c in range(3)]
    events = pd.DataFrame(rows, columns=["customer_id", "stage", "valence"])
    stages = ["buy", "repeat"]
    for found in (
        curve_features(events, stage_order=stages).query("metric == 'end'"),
        emotion_curve(events, stage_order=stages).query("stage == 'repeat' and metric == 'pooled'"),
    ):
        assert found["estimate"].tolist() == [0]
        assert found.filter(regex="std_error|conf_").isna().all(axis=None)
