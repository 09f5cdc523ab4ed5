"""Competing exits, what F2 decides, lapsing, the surface of gaps, pace, consistency, pressure, checklist."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import CumIncidenceRight

from cxlib.checks import InputError, ParameterError
from cxlib.data.rules.rule_files import load_rules
from cxlib.journey.checklist import hesitation_answered, purchase_checklist
from cxlib.journey.contact_consistency import consistency
from cxlib.journey.expectation import gap_surface
from cxlib.journey.second_purchase.first_year_value import value_by_f2
from cxlib.journey.second_purchase.lapse import lapse_after_stage
from cxlib.journey.time_in_stage import stage_times
from cxlib.sales.ageing import stage_ageing
from cxlib.stats.survival.competing_exits import cumulative_incidence
from cxlib.stats.survival.kaplan_meier import survival_curve


def exits(seed=0, n=300):
    rng = np.random.default_rng(seed)
    cause = pd.Series(rng.integers(0, 3, n)).map({1: "lost", 2: "won"})
    return pd.DataFrame(
        {"days": rng.integers(1, 40, n), "cause": cause, "code": cause.map({"lost": 1, "won": 2})}
    )


def test_competing_exits_equal_statsmodels():
    people = exits()
    ours = cumulative_incidence(people, duration_col="days", cause_col="cause")
    theirs = CumIncidenceRight(people["days"], people["code"].fillna(0).astype(int))
    for number, cause in enumerate(["lost", "won"]):
        rows = ours[ours["cause"] == cause]
        np.testing.assert_allclose(rows["estimate"], theirs.cinc[number][np.isin(theirs.times, rows["time"])])
        np.testing.assert_allclose(
            rows["std_error"], theirs.cinc_se[number][np.isin(theirs.times, rows["time"])]
        )


def test_exits_and_kaplan_meier_sum_to_one():
    people = exits().assign(gone=lambda rows: rows["cause"].notna())
    ends = cumulative_incidence(people, duration_col="days", cause_col="cause", times=[10, 30])
    still = survival_curve(people, duration_col="days", event_col="gone", times=[10, 30])["estimate"]
    np.testing.assert_allclose(ends.groupby("time")["estimate"].sum(), 1 - still)
    assert (ends["conf_low"] <= ends["estimate"]).all() and (ends["estimate"] <= ends["conf_high"]).all()


def test_exits_by_group_of_nobody_and_beyond_observation():
    people = exits().assign(arm=["a", "b"] * 150)
    both = cumulative_incidence(people, duration_col="days", cause_col="cause", by="arm", times=[20])
    alone = cumulative_incidence(
        people[people["arm"] == "b"], duration_col="days", cause_col="cause", times=[20]
    )
    assert both.loc[both["arm"] == "b", "estimate"].to_list() == alone["estimate"].to_list()
    assert (
        cumulative_incidence(people, duration_col="days", cause_col="cause", times=[99])["estimate"]
        .isna()
        .all()
    )
    assert cumulative_incidence(people.iloc[:0], duration_col="days", cause_col="cause").empty
    with pytest.raises(ParameterError, match="-1"):
        cumulative_incidence(people, duration_col="days", cause_col="cause", times=[-1])


@pytest.mark.slow
def test_coverage_of_the_incidence():
    rng = np.random.default_rng(1)
    drawn = [
        (rng.exponential(40, 200), rng.exponential(60, 200), rng.uniform(10, 120, 200)) for _ in range(2000)
    ]
    won, lost, seen = np.array(drawn).swapaxes(0, 1).reshape(3, -1)
    cause = np.where(np.minimum(won, lost) > seen, None, np.where(won < lost, "won", "lost"))
    people = pd.DataFrame({"days": np.minimum.reduce([won, lost, seen]), "cause": cause})
    people["draw"] = np.repeat(range(2000), 200)
    found = cumulative_incidence(people, duration_col="days", cause_col="cause", times=[30], by="draw")
    truth = 60 / 100 * (1 - np.exp(-30 * (1 / 40 + 1 / 60)))
    ways = found[found["cause"] == "won"]
    holds = (ways["conf_low"] <= truth) & (truth <= ways["conf_high"])
    assert len(holds) == 2000
    assert 0.93 <= holds.mean() <= 0.97


def lines(*rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "amount"])
    return frame.assign(ordered_at=pd.to_datetime(frame["ordered_at"]))


def test_value_after_the_window_or_of_recent_customers_does_not_count():
    orders = lines(
        ("a", "2026-01-01", 10.0), ("a", "2026-02-01", 30.0), ("a", "2026-06-01", 99.0),
        ("b", "2026-01-01", 20.0), ("c", "2026-05-30", 7.0), ("b", "2026-01-10", -5.0),
    )  # fmt: skip
    value = value_by_f2(orders, as_of="2026-06-30", within_days=90).set_index("metric")
    assert value["estimate"][["value_with_f2", "value_without_f2"]].to_list() == [40.0, 15.0]
    assert value.loc["share_of_value", "estimate"] == pytest.approx((30 - 5) / 55)
    assert (value["n"][["value_difference", "share_of_value"]] == 2).all()


def test_variance_explained_is_the_squared_correlation():
    rng = np.random.default_rng(0)
    first = [(f"c{i}", "2026-01-01", float(rng.gamma(2, 10))) for i in range(300)]
    orders = lines(*first, *((f"c{i}", "2026-01-20", float(rng.gamma(2, 10))) for i in range(120)))
    value = value_by_f2(orders, as_of="2026-06-30", within_days=60).set_index("metric")
    total = orders.groupby("customer_id")["amount"].sum()
    again = orders["customer_id"].value_counts().reindex(total.index) > 1
    row = value.loc["variance_explained"]
    assert row["estimate"] == pytest.approx(np.corrcoef(total, again)[0, 1] ** 2)
    assert row["conf_low"] < row["estimate"] < row["conf_high"]
    assert value_by_f2(orders, as_of="2026-01-05", within_days=60)["estimate"].isna().all()


def test_lapse_starts_at_the_answer_and_a_purchase_postpones_it():
    orders = lines(
        ("a", "2026-01-01", 1.0), ("b", "2026-01-01", 1.0), ("b", "2026-02-01", 1.0), ("c", "2025-01-01", 1.0)
    )
    answers = pd.DataFrame({"customer_id": list("abc"), "stage": "decide", "valence": [-1, 1, -1]})
    answers["occurred_at"] = pd.Timestamp("2026-01-11", tz="Asia/Tokyo")
    window = {"stage": "decide", "lapse_days": 50}
    lapses = lapse_after_stage(answers, orders, as_of="2026-03-31", **window).set_index("group")
    assert lapses["n_events"].to_list()[:2] == [1, 1]
    assert lapses["n"].to_list()[:2] == [1, 1]
    months = lapses["customer_months"].to_list()[:2]
    assert months == pytest.approx([40 * 12 / 365.25, 71 * 12 / 365.25])
    again = pd.concat([orders, lines(("a", "2025-06-01", 1.0))])
    known = lapse_after_stage(answers, again, as_of="2026-03-31", observed_from="2026-01-01", **window)
    assert known["n"].to_list()[:2] == [0, 1]  # a had bought before anybody looked
    early = lapse_after_stage(answers, orders, as_of="2026-02-15", **window)
    assert early["n_events"].to_list()[:2] == [0, 0]
    assert np.isnan(early["estimate"].iloc[2])
    assert lapse_after_stage(answers.iloc[:0], orders, as_of="2026-02-15", **window)["n"].to_list() == [
        0,
        0,
        0,
    ]


def rated(seed=0, n=2000, slope=0.1, level=0.0):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(1, 6, n), rng.integers(1, 6, n)
    bought = rng.random(n) < np.clip(0.5 + slope * (y - x) / 2 + level * (x + y - 6), 0, 1)
    names = np.arange(n).astype(str)
    events = pd.DataFrame({"customer_id": names, "expectation": x, "experience": y})
    events["occurred_at"] = pd.Timestamp("2026-01-05", tz="Asia/Tokyo")
    orders = pd.DataFrame(
        {"customer_id": names[bought], "ordered_at": pd.Timestamp("2026-02-01", tz="Asia/Tokyo")}
    )
    return events, orders


def test_a_bare_difference_is_accepted_when_it_is_the_truth_and_refused_when_not():
    p = [
        gap_surface(*rated(seed), as_of="2026-06-30").set_index("term").loc["difference", "p_value"]
        for seed in range(40)
    ]
    assert np.mean(np.array(p) < 0.05) <= 0.15
    surface = gap_surface(*rated(level=0.05), as_of="2026-06-30").set_index("term")
    assert surface.loc["difference", "p_value"] < 0.01
    assert surface.loc["gap_slope", "conf_low"] < 0.05 < surface.loc["gap_slope", "conf_high"]


def test_a_surface_leaves_out_who_had_bought_before_all_orders_were_known():
    events, orders = rated(n=600)
    old = orders.iloc[:100].assign(ordered_at=pd.Timestamp("2025-12-01", tz="Asia/Tokyo"))
    whole = gap_surface(events, pd.concat([old, orders]), as_of="2026-06-30")
    known = gap_surface(events, pd.concat([old, orders]), as_of="2026-06-30", observed_from="2026-01-01")
    assert whole["n_customers"].iloc[0] == 600 and known["n_customers"].iloc[0] == 500
    others = events[~events["customer_id"].isin(old["customer_id"])]
    pd.testing.assert_frame_equal(known, gap_surface(others, orders, as_of="2026-06-30"))
    with pytest.raises(ParameterError, match="observed_from"):
        gap_surface(events, orders, as_of="2026-06-30", observed_from="soon")


def strangers(seed, customers, contacts):
    """Contacts whose ratings say nothing about who buys again; customers differ in that."""
    rng = np.random.default_rng(seed)
    names = np.repeat(np.arange(customers), contacts).astype(str)
    events = pd.DataFrame({"customer_id": names, "occurred_at": pd.Timestamp("2026-01-05")})
    events["expectation"], events["experience"] = rng.integers(1, 6, (2, names.size))
    buyers = np.arange(customers)[rng.random(customers) < 0.4].astype(str)
    return events, pd.DataFrame({"customer_id": buyers, "ordered_at": pd.Timestamp("2026-02-01")})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("customers", "contacts", "rounds"),
    [
        (20, 2, 80),
        pytest.param(20, 2, 200, marks=pytest.mark.long),
        pytest.param(25, 4, 200, marks=pytest.mark.long),
        pytest.param(60, 2, 200, marks=pytest.mark.long),
        pytest.param(300, 1, 200, marks=pytest.mark.long),
    ],
)
def test_the_test_of_the_difference_keeps_its_size_with_few_customers(customers, contacts, rounds):
    rejected, covered = [], []
    for seed in range(rounds):
        surface = gap_surface(*strangers(seed, customers, contacts), as_of="2026-08-01").set_index("term")
        rejected.append(surface.loc["difference", "p_value"] < 0.05)
        slope = surface.loc["gap_slope"]
        covered.append(slope["conf_low"] <= 0 <= slope["conf_high"])
    assert 0.005 <= np.mean(rejected) <= 0.08
    assert np.mean(covered) >= 0.925


def test_one_busy_customer_counts_once():
    events, orders = rated(1, n=300, slope=0.1)
    alone = gap_surface(events, orders, as_of="2026-06-30").set_index("term")
    bot = pd.DataFrame({"customer_id": "0", "expectation": 1, "experience": [5] * 5000})
    bot["occurred_at"] = pd.Timestamp("2026-01-05", tz="Asia/Tokyo")
    both = gap_surface(pd.concat([events, bot]), orders[orders["customer_id"] != "0"], as_of="2026-06-30")
    both = both.set_index("term")
    assert both.loc["gap_slope", "largest_share"] > 0.9
    assert both.loc["gap_slope", "n_customers"] == 300
    assert abs(both.loc["gap_slope", "estimate"] - alone.loc["gap_slope", "estimate"]) < 0.02


def test_few_customers_or_none_are_not_judged():
    events, orders = strangers(0, 19, 5)
    assert gap_surface(events, orders, as_of="2026-08-01")["p_value"].isna().all()
    for nothing in (events.iloc[:0], pd.DataFrame(columns=events.columns)):
        empty = gap_surface(nothing, orders.iloc[:0], as_of="2026-08-01").set_index("term")
        assert (empty["n"] == 0).all()
        assert np.isnan(empty.loc["difference", "p_value"])
    nobody = gap_surface(*rated(n=100)[:1], orders.iloc[:0], as_of="2026-06-30").set_index("term")
    assert nobody.loc["gap_slope", "estimate"] == 0
    with pytest.raises(ParameterError, match="expectation"):
        gap_surface(events.assign(expectation="high"), orders, as_of="2026-08-01")
    with pytest.raises(InputError, match="occurred_at"):
        gap_surface(events.assign(occurred_at="noon"), orders, as_of="2026-08-01")


def test_contacts_not_yet_observed_long_enough_are_left_out():
    events, orders = rated(n=50)
    assert gap_surface(events, orders, as_of="2026-02-10")["n"].iloc[-1] == 0
    assert gap_surface(events.iloc[:5], orders, as_of="2026-06-30")["estimate"].isna().all()


def test_waiting_customers_count_for_the_days_seen():
    """Twelve go on after ten days, 28 are still waiting, eight came too late to be followed for ten days."""
    who = [*range(48), *range(12)]
    events = pd.DataFrame({"customer_id": who, "stage": ["buy"] * 48 + ["use"] * 12})
    days = ["2026-01-01"] * 40 + ["2026-04-10"] * 8 + ["2026-01-11"] * 12
    events["occurred_at"] = pd.to_datetime(days)
    times = stage_times(events, stage_order=["buy", "use", "tell"], as_of="2026-04-15")
    assert times["n"].to_list() == [48, 12]
    assert times.loc[0, "reached"] == pytest.approx(12 / 40)
    assert np.isnan(times.loc[0, "estimate"])
    assert stage_times(events.iloc[:0], stage_order=["buy", "use"], as_of="2026-03-31")["n"].to_list() == [0]


def test_old_open_deals_are_stalled():
    created = pd.Timestamp("2026-01-01")
    closed = [*(created + pd.to_timedelta(range(1, 19), unit="D")), None, None]
    deals = pd.DataFrame(
        {"stage": ["won"] * 18 + ["quoted"] * 2, "created_on": created, "closed_on": pd.to_datetime(closed)}
    )
    ageing = stage_ageing(deals, as_of="2026-03-31")
    assert ageing[["n", "estimate", "usual_days"]].to_numpy().tolist() == [[2, 1.0, 18.0]]
    assert stage_ageing(deals.iloc[:18], as_of="2026-03-31").empty
    earlier = stage_ageing(deals, as_of="2026-01-10").set_index("stage")["n"]
    assert earlier.to_dict() == {"unknown_stage": 9, "quoted": 2}


def test_spread_leaves_out_what_all_customers_share():
    rng = np.random.default_rng(0)
    events = pd.DataFrame({"customer_id": np.repeat(np.arange(500), 2), "touchpoint": ["web", "shop"] * 500})
    events["valence"] = np.where(events["touchpoint"] == "web", 1.0, -1.0)
    assert consistency(events)["estimate"].to_list() == [0.0, 0.0]
    events["valence"] += rng.normal(0, 0.5, 1000)
    row = consistency(events).iloc[0]
    assert row["conf_low"] < 0.5 < row["conf_high"]
    split = consistency(events.assign(arm=np.repeat(["a", "b"], 500)), by="arm")
    assert split["n"].to_list() == [250] * 4
    assert consistency(events.iloc[:0])["n"].to_list() == [0, 0]


def _row(low, high, n=100):
    return {"estimate": (low + high) / 2, "conf_low": low, "conf_high": high, "n": n}


def test_checklist_passes_and_fails_only_with_the_whole_interval():
    measured = {
        "not_marked_down": _row(0.26, 0.4),
        "hesitation_answered": _row(0.4, 0.6),
        "leads_to_conviction": _row(0.35, 0.5),
    }
    assert purchase_checklist(measured)["verdict"].to_list() == ["fail", "unknown", "pass"]
    ends = purchase_checklist({"leads_to_conviction": _row(0.2, 0.35), "not_marked_down": _row(0.1, 0.25)})
    assert ends["verdict"].to_list() == ["pass", "unknown", "unknown"]  # at most 25 %, at least 35 %
    assert purchase_checklist({"not_marked_down": _row(0, 0.1, n=9)})["verdict"].to_list() == ["unknown"] * 3
    with pytest.raises(ParameterError, match="hope"):
        purchase_checklist({"hope": _row(0, 1)})


def test_limits_of_the_checklist_are_the_companys_targets(tmp_path):
    shipped = {target.metric: target.target for target in load_rules("targets").targets}
    limits = purchase_checklist({}).set_index("question")["limit_share"]
    assert limits["leads_to_conviction"] == shipped["f2_180"]
    own = tmp_path / "targets.yml"
    own.write_text(
        "targets: [{metric: f2_180, unit: share, better: higher, target: 0.6, alarm: 0.3, "
        "label: {en: F2, ja: F2}}]"
    )
    row = {"leads_to_conviction": _row(0.4, 0.5), "not_marked_down": _row(0, 0.01)}
    checked = purchase_checklist(row, targets=load_rules("targets", own)).set_index("question")
    assert checked.loc["leads_to_conviction", ["limit_share", "verdict"]].to_list() == [0.6, "fail"]
    assert checked.loc["not_marked_down", "verdict"] == "unknown"


def _hesitation(valence, days=("2026-01-20", "2026-03-20", "2026-01-20")):
    events = pd.DataFrame({"customer_id": list("abcabc"), "stage": ["decide"] * 3 + ["repeat"] * 3})
    events["valence"] = [-1, -1, -1, *valence]
    events["occurred_at"] = pd.to_datetime(["2026-01-10"] * 3 + list(days))
    return hesitation_answered(events, stage="decide").set_index("metric")


def test_an_answer_to_hesitation_must_come_after_it_and_in_time():
    found = _hesitation([1, 1, -1])
    assert found["estimate"].to_list() == [2 / 3, 2 / 3, 1 / 2, 1 / 3]
    assert found["n"].to_list() == [3, 3, 2, 3]


def test_a_contact_nobody_rated_leaves_open_whether_it_answered():
    known, open_ = _hesitation([1, 1, -1]), _hesitation([1, 1, None])
    assert open_["estimate"].drop("answered").to_list() == [2 / 3, 1 / 3, 1.0]
    assert np.isnan(open_.loc["answered", "estimate"])
    assert open_.loc["answered", "conf_low"] == known.loc["answered", "conf_low"]
    assert open_.loc["answered", "conf_high"] > known.loc["answered", "conf_high"]


def test_where_hardly_anybody_was_asked_the_checklist_does_not_fail():
    n = 400
    events = pd.DataFrame({"customer_id": [*range(n)] * 2, "stage": ["decide"] * n + ["repeat"] * n})
    events["valence"] = [-1.0] * n + [1.0] * 30 + [np.nan] * (n - 30)
    events["occurred_at"] = pd.to_datetime(["2026-01-10"] * n + ["2026-01-20"] * (n - 1) + ["2026-03-01"])
    answered = hesitation_answered(events, stage="decide").set_index("metric").loc["answered"]
    checked = purchase_checklist({"hesitation_answered": answered}).set_index("question")
    assert checked.loc["hesitation_answered", "verdict"] == "unknown"
    gone = hesitation_answered(
        events[events["valence"].notna() | (events.index == 2 * n - 1)], stage="decide"
    )
    checked = purchase_checklist({"hesitation_answered": gone.set_index("metric").loc["answered"]})
    assert checked.set_index("question").loc["hesitation_answered", "verdict"] == "fail"


def test_hesitation_of_nobody_and_scores_as_text():
    events = pd.DataFrame({"customer_id": ["a"], "stage": ["decide"], "valence": ["bad"]})
    events["occurred_at"] = pd.Timestamp("2026-01-10")
    assert hesitation_answered(events.assign(valence=-1.0).iloc[:0], stage="decide")["n"].to_list() == [0] * 4
    with pytest.raises(ParameterError, match="valence"):
        hesitation_answered(events, stage="decide")


def test_exits_of_every_cause_leave_the_risk_set():
    people = pd.DataFrame({"days": [5, 5, 8, 12, 20], "cause": ["won", "lost", None, "won", None]})
    ends = cumulative_incidence(people, duration_col="days", cause_col="cause", times=[10, 20])
    assert ends["n_at_risk"].to_list() == [2, 1, 2, 1]
    assert ends["n_not_reached"].to_list() == [1, 1, 1, 1]  # the open one of eight days
