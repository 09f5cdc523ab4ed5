"""The simulated company: the contract holds, seeds decide everything, planted numbers are consistent."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import ParameterError
from cxlib.data.contract import TABLES
from cxlib.data.tables.data_set import open_data
from cxlib.language import LANGUAGES
from cxlib.samples.columns import Calendar, ids, pick, words
from cxlib.samples.contacts import gap_shares, mean_levels
from cxlib.samples.initiatives import base_f2
from cxlib.samples.purchases import second_purchase_gap
from cxlib.samples.settings import (
    ACQUISITION_CHANNELS,
    INDUSTRIES,
    REFILL_MARGIN,
    SOURCES_OF_LEADS,
    TOUCHPOINTS,
    Truth,
)
from cxlib.samples.simulate import make_company, make_company_with_truth, write_sample
from cxlib.samples.surveys import _shares_from_moments

SAMPLE = Path(__file__).parents[3] / "data" / "sample"
END = pd.Timestamp("2026-10-01", tz="Asia/Tokyo")
EXTRAS = {
    "customers": {"mail_permission", "language", "match_key_mail", "match_key_phone"},
    "orders": {"refunded_on"},
    "events": {"session_id"},
    "responses": {"invited_at"},
}


def _rounded(text):
    return json.loads(text, parse_float=lambda number: round(float(number), 6))


@pytest.fixture(scope="module")
def company():
    return make_company_with_truth(n_customers=3000, seed=11)


@pytest.fixture(scope="module")
def tables(company):
    return company[0]


def test_every_table_has_the_columns_of_the_contract_and_no_others(tables):
    assert list(tables) == list(TABLES)
    for name, frame in tables.items():
        extra = EXTRAS.get(name, set())
        drivers = {column for column in frame if column.startswith("driver_")}
        assert set(frame) == set(TABLES[name].columns) | extra | drivers


def test_keys_are_unique_and_customers_known(tables):
    known = set(tables["customers"]["customer_id"])
    for name, frame in tables.items():
        assert not frame.duplicated(list(TABLES[name].key)).any()
        if "customer_id" in frame:
            assert set(frame["customer_id"].dropna()) <= known


def test_required_columns_are_complete_and_times_lie_before_the_extraction(tables):
    for name, frame in tables.items():
        for column, spec in TABLES[name].columns.items():
            assert not (spec.required and frame[column].isna().any()), (name, column)
            if spec.kind == "timestamp":
                assert str(frame[column].dt.tz) == "Asia/Tokyo"
                assert (frame[column].dropna() < END).all()
            if spec.kind == "date" and not spec.planned:
                assert (frame[column].dropna() < END.tz_localize(None)).all()
            if spec.after:
                pair = frame[[spec.after, column]].dropna()
                if spec.kind == "date":
                    pair = pair.apply(lambda times: times.dt.tz_localize(None).dt.normalize())
                assert (pair[column] >= pair[spec.after]).all()


def test_the_same_seed_gives_the_same_tables_whatever_happens_to_the_global_one():
    np.random.seed(0)  # noqa: NPY002  (the point of the test)
    first = make_company(n_customers=400, seed=5)
    np.random.seed(99)  # noqa: NPY002
    again, other = make_company(n_customers=400, seed=5), make_company(n_customers=400, seed=6)
    for name, frame in first.items():
        pd.testing.assert_frame_equal(frame, again[name])
    assert not first["orders"]["amount"].equals(other["orders"]["amount"])


def test_the_shipped_sample_is_what_the_command_writes():
    tables, truth = make_company_with_truth()
    shipped = open_data(SAMPLE)
    assert shipped.is_sample
    for name, frame in tables.items():
        pd.testing.assert_frame_equal(shipped.table(name), frame, check_dtype=False, check_like=True)
    written = (SAMPLE / "truth.json").read_text(encoding="utf-8")
    assert _rounded(written) == _rounded(json.dumps(truth))
    assert sum(path.stat().st_size for path in SAMPLE.iterdir()) < 3e6


def test_it_looks_like_data_people_know(tables):
    orders, customers, answers = tables["orders"], tables["customers"], tables["responses"]
    spent = orders.groupby("customer_id")["amount"].sum().sort_values(ascending=False)
    came = customers.groupby(customers["first_seen_on"].dt.strftime("%Y-%m")).size()
    frequency = orders.dropna(subset=["customer_id"]).groupby("customer_id")["order_id"].nunique()
    assert spent.head(len(spent) // 10).sum() / spent.sum() > 0.35
    assert came["2026-03":"2026-08"].sum() > 1.1 * came["2025-03":"2025-08"].sum()
    assert came["2024-10"] > 1.5 * came["2025-02"]  # launch
    assert 0.35 < (frequency == 1).mean() < 0.75
    assert 0.02 < orders["customer_id"].isna().mean() < 0.05
    assert 0.01 < (orders["amount"] < 0).mean() < 0.04
    assert 0.05 < customers["gender"].isna().mean() < 0.3
    assert answers["customer_id"].duplicated().mean() > 0.3
    assert answers.filter(like="driver_").corr().to_numpy().min() > 0.1
    japanese = answers["comment"].dropna().str.contains("[ぁ-んァ-ン一-龥]")
    assert 0.7 < japanese.mean() < 0.97
    assert set(tables["deals"]["stage"]) >= {"quoted", "decision", "won", "lost"}


def test_refunds_stay_within_their_sale_and_never_undo_a_first_or_second_purchase(tables):
    orders = tables["orders"]
    net = orders.groupby("order_id")["amount"].sum()
    assert (net >= 0).all()
    undone = set(net.index[net == 0])
    assert undone  # there are some
    rank = orders.drop_duplicates("order_id").assign(
        number=lambda rows: rows.groupby("customer_id")["ordered_at"].rank(method="min")
    )
    assert rank.loc[rank["order_id"].isin(undone), "number"].min() >= 2.5


def test_complaints_come_with_low_scores(tables):
    answers = tables["responses"].dropna(subset=["comment", "nps_score"])
    praise = answers["comment"].str.contains(
        "予定より一日早く届いて助かりました。|べたつかず、朝までしっとりします。"
    )
    blame = answers["comment"].str.contains("届くまで一週間以上かかり、不安になりました。")
    assert answers.loc[praise, "nps_score"].mean() > 7.9 > answers.loc[blame, "nps_score"].mean()


def test_the_satisfied_answer_more_often(company):
    nps = company[1]["nps"]
    assert nps["respondents"] > nps["all_invited"] + 10
    assert nps["by_wave"]["2024Q4"] > nps["by_wave"]["2026Q3"] + 1  # through the mix of channels


def test_f2_of_valley_and_rest_mix_to_the_stated_one():
    truth = Truth()
    rng = np.random.default_rng(3)
    in_valley = rng.random(400_000) < truth.share_in_valley
    gap = second_purchase_gap(rng, np.where(in_valley, truth.valley_f2_factor, truth.outside_factor), truth)
    for day, share in truth.f2_by_day.items():
        assert (gap <= day).mean() == pytest.approx(share, abs=0.004)
        assert (gap[in_valley] <= day).mean() == pytest.approx(0.5 * share, abs=0.005)
    assert gap.min() == 1
    assert base_f2(np.array([0, 15, 60, 900]), truth) == pytest.approx([0, 0.07, 0.24, 0.50])


def test_penalties_and_rewards_average_to_the_stage_mean():
    levels = mean_levels(Truth())
    for (name, (stage, _)), level in zip(TOUCHPOINTS.items(), levels, strict=True):
        below, above = gap_shares(name)
        assert level @ [below, 1 - below - above, above] == pytest.approx(Truth().stage_valence[stage])


def test_without_initiatives_f2_of_all_is_the_stated_one():
    planted = Truth(i1_orders_per_month=0.0, i2_orders_growth=0.0, f2_by_day={100: 0.2, 200: 0.4})
    _, truth = make_company_with_truth(n_customers=400, seed=1, truth=planted)
    assert truth["f2"]["by_day"] == pytest.approx({"100": 0.2, "200": 0.4})
    assert truth["initiatives"]["I1"]["effect_monthly_margin"] == {"6": 0.0, "12": 0.0}
    assert truth["initiatives"]["I1"]["effect_f2"] == pytest.approx({"6": 0.0, "12": 0.0})


def test_extra_orders_go_to_treated_customers_after_their_start_only():
    tables = make_company(
        n_customers=2000, seed=2, truth=Truth(i1_orders_per_month=2.0, i2_orders_growth=0.0)
    )
    orders = tables["orders"].query("product == 'Refill lotion pack'")
    study = tables["enrolments"].query("initiative_id == 'I1' and arm == 'treatment'")
    assert set(orders["customer_id"]) <= set(study["customer_id"])
    assert orders["ordered_at"].min() >= pd.Timestamp("2025-10-01", tz="Asia/Tokyo")
    assert len(orders) / len(study) == pytest.approx(24, rel=0.02)
    assert orders["margin"].mean() == pytest.approx(REFILL_MARGIN, rel=0.02)


def test_study_groups_are_what_they_claim_to_be(tables):
    customers = tables["customers"].set_index("customer_id")
    study = tables["enrolments"].join(customers, on="customer_id")
    coin, waves, aimed, everyone = (study[study["initiative_id"] == f"I{i}"] for i in range(1, 5))
    assert 0.45 < (coin["arm"] == "treatment").mean() < 0.55
    assert set(waves["enrolled_on"].dropna().dt.strftime("%Y-%m")) == {"2025-06", "2025-08", "2025-10"}
    assert (waves["enrolled_on"].notna() == waves["region"].isin(["Kanto", "Chubu", "Kansai"])).all()
    assert (aimed["mail_permission"] == (aimed["arm"] == "treatment")).all()
    assert (everyone["arm"] == "treatment").all()
    assert study["enrolled_on"].notna().eq(study["arm"] == "treatment").all()


def test_lighter_packaging_raises_the_margin_rate_of_everything_but_refill_packs(tables):
    lines = tables["orders"].query("amount > 0 and product == 'Lotion 200'")
    full_price = lines[lines["amount"] % 3200 == 0]
    late = full_price["ordered_at"] >= pd.Timestamp("2025-12-01", tz="Asia/Tokyo")
    rate = full_price["margin"] / full_price["amount"]
    assert rate[~late].max() == pytest.approx(0.58)
    assert rate[late].max() == pytest.approx(0.63)


def test_horizons_that_the_data_do_not_reach_are_missing(company):
    effect = company[1]["initiatives"]["I4"]["effect_monthly_margin"]
    assert effect["6"] > 0
    assert effect["12"] is None


def test_shapley_shares_of_two_drivers_by_hand():
    # correlations: x1 x2 .5, x1 y .6, x2 y .4; R² = .28 / .75; x1's part is (R² + .36 - .16) / 2
    corr = np.array([[1, 0.5, 0.6], [0.5, 1, 0.4], [0.6, 0.4, 1]])
    moments = np.block([[np.ones((1, 1)), np.zeros((1, 3))], [np.zeros((3, 1)), corr]])
    r_squared = 0.28 / 0.75
    assert _shares_from_moments(moments)[0] == pytest.approx((r_squared + 0.20) / 2 / r_squared)


@pytest.mark.parametrize("format", ["parquet", "csv"])
def test_written_tables_come_back_as_they_were(tmp_path, format):
    target = write_sample(tmp_path / "サンプル data", n_customers=300, seed=4, format=format)
    tables, opened = make_company(n_customers=300, seed=4), open_data(target)
    assert opened.tables == list(tables)
    for name, frame in tables.items():
        known = [column for column in frame if TABLES[name].column(column)]  # CSV knows no types for others
        found = opened.table(name)
        assert set(found) == set(frame)
        pd.testing.assert_frame_equal(found[known], frame[known], check_dtype=False)
    assert not any(problem.level == "error" for problem in opened.notices)
    assert [path.name for path in tmp_path.iterdir()] == ["サンプル data"]


def test_an_earlier_sample_is_replaced_and_anything_else_is_left_alone(tmp_path):
    target = write_sample(tmp_path / "sample", n_customers=200, seed=1, format="csv")
    write_sample(target, n_customers=200, seed=2)
    assert not list(target.glob("*.csv"))
    (target / "notes.txt").write_text("mine")
    with pytest.raises(ParameterError, match="earlier samples"):
        write_sample(target, n_customers=200)
    assert (target / "notes.txt").read_text() == "mine"
    with pytest.raises(ParameterError, match="earlier samples"):
        write_sample(target / "notes.txt")
    write_sample(tmp_path / "new" / "deeper", n_customers=200)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"n_customers": 10}, "n_customers"),
        ({"months": 12}, "months"),
        ({"seed": -1}, "seed"),
    ],
)
def test_arguments_out_of_range_are_named_in_both_languages(arguments, named):
    with pytest.raises(ParameterError) as caught:
        make_company(**arguments)
    assert all(named in caught.value.in_language(lang) for lang in LANGUAGES)


def test_an_unknown_format_is_refused_before_anything_is_simulated(tmp_path):
    with pytest.raises(ParameterError, match="parquet"):
        write_sample(tmp_path / "x", n_customers=5_000_000, format="excel")
    assert not list(tmp_path.iterdir())


def test_what_customers_do_with_messages_changes_nothing_else():
    plain, _ = make_company_with_truth(n_customers=400, seed=5)
    other, truth = make_company_with_truth(
        n_customers=400, seed=5, truth=Truth(opt_out_by_messages={1: 0.3}, response_by_messages={1: 0.6})
    )
    assert truth["messages"]["opt_out"] == {"1": 0.3}
    for name, frame in plain.items():
        drop = ["responded", "opted_out"] if name == "events" else []
        pd.testing.assert_frame_equal(frame.drop(columns=drop), other[name].drop(columns=drop))
    assert other["events"]["opted_out"].sum() > 5 * plain["events"]["opted_out"].sum()
    messages = plain["events"]["channel"].isin(["mail", "line"])
    assert plain["events"].loc[~messages, ["responded", "opted_out"]].isna().all(axis=None)


def test_who_opted_out_is_asked_no_more(tables):
    events = tables["events"][tables["events"]["channel"].isin(["mail", "line"])]
    left = events["opted_out"].fillna(value=False).astype(bool)
    later = left.groupby(events["customer_id"]).cumsum() - left > 0
    assert left.groupby(events["customer_id"]).sum().max() == 1
    assert events.loc[later, ["responded", "opted_out"]].isna().all(axis=None)
    assert events.loc[~later, "responded"].notna().all()


@pytest.mark.parametrize(
    "impossible",
    [
        {"f2_by_day": {30: 0.5, 60: 0.4}},
        {"f2_by_day": {30: 0.9}},
        {"f2_by_day": {}},
        {"valley_share": {"ec": 1.2, "store": 0.1}},
        {"stage_valence": {"buy": 1.0}},
        {"opt_out_by_messages": {2: 0.1}},
        {"response_by_messages": {1: 0.9}},
        {"contract_churn": {"organic": (1.0, 2.0)}},
        {"media_cost": dict.fromkeys(ACQUISITION_CHANNELS, -1)},
        {"owner_win_odds": {"S01": 1.0}},
        {"industry_win_odds": dict.fromkeys(INDUSTRIES, 0.0)},
        {"lead_share": dict.fromkeys(SOURCES_OF_LEADS, 1.0)},
        {"bot_failure": 1.2},
        {"late_repeat_odds": 0.0},
        {"win_share": 0.0},
        {"topic_weights": {"promoter": (1.0,) * 8}},
        {"dropout": (0.0, 1.0)},
        {"channel_drop_odds": {"tv": 2.0}},
        {"i1_store_factor": 4.0},
    ],
)
def test_a_truth_that_cannot_be_is_refused(impossible):
    with pytest.raises(ParameterError, match=next(iter(impossible))):
        Truth(**impossible)


def test_valences_that_would_leave_the_scale_are_refused():
    with pytest.raises(ParameterError, match="penalty_reward"):
        make_company(n_customers=200, truth=Truth(penalty_reward={"delivery": (-3.0, 0.5)}))


@pytest.mark.parametrize("months", [18, 36])
def test_the_initiatives_keep_their_distance_from_the_extraction(months):
    tables = make_company(n_customers=400, months=months)
    assert tables["initiatives"]["started_on"].dt.strftime("%Y-%m").tolist() == [
        "2025-10", "2025-06", "2025-10", "2025-12",
    ]  # fmt: skip
    assert len(tables["spend"].query("cost_line == 'media'")) == months * 6


def test_calendar_months_and_moments():
    calendar = Calendar(24)
    assert calendar.n_days == 730
    assert calendar.month_of(np.array([0, 30, 31, 729])).tolist() == [0, 0, 1, 23]
    moment = calendar.moments(np.array([86_400 + 3_600]))[0]
    assert moment.isoformat() == "2024-10-02T01:00:00+09:00"


def test_words_ids_and_picks():
    assert words(("a", "b"), np.array([1, 0])).tolist() == ["b", "a"]
    assert words(("a", "b"), np.array([-1])).isna().all()
    found = ids("C", np.array([12, -1]))
    assert found[0] == "C0000012"
    assert pd.isna(found[1])
    drawn = pick(np.random.default_rng(0), (1, 0, 3), 20_000)
    assert np.bincount(drawn, minlength=3) / 20_000 == pytest.approx([0.25, 0, 0.75], abs=0.02)
