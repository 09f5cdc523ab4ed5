"""What a score may know: nothing dated after the cut day, however well it would foretell."""

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.checks import NotEnoughData, ParameterError
from cxlib.stats.scoring.quality import auc_interval
from cxlib.value.known_at_cut import contracts_at_cuts, cut_days, known_at_cuts, score_features
from cxlib.value.likely_to_leave import at_risk

FIRST, LAST = pd.Timestamp("2024-01-01"), pd.Timestamp("2026-06-30")


def lines_of(seed, *, n=600, alike=False, drop=0.08, days=(LAST - FIRST).days):
    """Order lines of buyers with paces of their own who leave for good after an order, or of `alike` ones."""
    rng = np.random.default_rng(seed)
    pace = np.full(n, 1 / 90) if alike else rng.gamma(1.2, 1 / 90, n) + 1e-4
    rows = []
    for buyer in range(n):
        day = 0.0 if alike else rng.uniform(0, days * 0.8)
        while day < days:
            rows.append((f"C{buyer:05}", day))
            if rng.random() < (0 if alike else drop):
                break
            day += rng.exponential(1 / pace[buyer])
    lines = pd.DataFrame(rows, columns=["customer_id", "day"])
    lines["ordered_at"] = FIRST + pd.to_timedelta(lines.pop("day").astype(int), "D")
    lines["amount"] = rng.lognormal(8, 0.5, len(lines)).round()
    return lines.assign(order_id=[f"O{k:07}" for k in range(len(lines))])


def rows_of(lines, **more):
    return known_at_cuts(lines, cuts=cut_days(FIRST, LAST), as_of=LAST, **more)


def quality_of(rows, outcome="left"):
    scored = cx.score_out_of_time(
        rows,
        feature_cols=score_features(rows),
        outcome_col=outcome,
        baseline_col="recency_log2",
        cluster_col="customer_id",
    )
    return cx.score_quality(scored, outcome_col=outcome, cluster_col="customer_id")


def test_features_by_hand():
    lines = pd.DataFrame(
        {
            "customer_id": ["a", "a", "a", "b", "a", None],
            "order_id": ["1", "2", "2", "3", "4", "5"],
            "ordered_at": pd.to_datetime(
                ["2025-01-01", "2025-03-02", "2025-03-10", "2025-03-31", "2025-04-20", "2025-01-01"]
            ),
            "amount": [100.0, 60.0, -10.0, 7.0, 5.0, 9.0],
            "margin": [50.0, 30.0, -5.0, np.nan, 1.0, 2.0],
        }
    )
    tickets = pd.DataFrame(
        {"customer_id": ["a", "a"], "opened_at": pd.to_datetime(["2025-03-31", "2025-04-01"])}
    )
    held = pd.DataFrame(
        {
            "customer_id": ["a", "b", "b"],
            "started_on": pd.to_datetime(["2025-01-01", "2025-04-01", "2025-03-09"]),
            "ended_on": pd.to_datetime(["2025-03-31", None, "2025-03-01"]),
        }
    )
    more = {"as_of": "2025-12-31", "tickets": tickets, "contracts": held, "next_days": 30}
    a, b = known_at_cuts(lines, cuts=["2025-03-31"], **more).to_dict("records")
    assert a["recency_log2"] == pytest.approx(np.log2(1 + 29))
    assert a["gap_log2"] == pytest.approx(np.log2(30 / 61)) and np.isnan(b["gap_log2"])
    assert (a["frequency_log2"], b["frequency_log2"], a["recent_log2"]) == (1.0, 0.0, np.log2(3))
    assert a["amount_log2"] == pytest.approx(np.log2(1 + 75)) and a["refunds_log2"] == 1
    assert (a["tickets_log2"], a["has_contract"], b["has_contract"]) == (1.0, 0.0, 0.0)
    assert (a["amount_365"], a["margin_365"]) == (150.0, 75.0) and np.isnan(b["margin_365"])
    assert (a["again"], b["again"], a["left"], b["left"]) == (1.0, 0.0, 0.0, 1.0)


def test_nothing_after_the_cut_changes_what_is_known():
    lines, cut = lines_of(1, n=200), pd.Timestamp("2025-06-30")
    held = pd.DataFrame({"customer_id": lines["customer_id"].unique(), "started_on": FIRST, "ended_on": LAST})
    tickets = lines[["customer_id", "ordered_at"]].rename(columns={"ordered_at": "opened_at"})
    whole = known_at_cuts(lines, cuts=[cut], as_of=LAST, tickets=tickets, contracts=held)
    seen = lines["ordered_at"] <= cut
    before = known_at_cuts(
        lines[seen],
        cuts=[cut],
        as_of=cut,
        tickets=tickets[seen],
        contracts=held.assign(ended_on=held["ended_on"].where(held["ended_on"] <= cut)),
    )
    known = [name for name in whole if name not in ("again", "left")]
    pd.testing.assert_frame_equal(whole[known], before[known])
    assert before[["again", "left"]].isna().all(axis=None) and whole["left"].notna().any()


def test_a_planted_leak_is_kept_out_by_the_cut_day():
    """Whoever is about to leave writes to support the day after the cut: known then, it would tell all."""
    lines, cut = lines_of(2, alike=True), pd.Timestamp("2025-06-30")
    rows = known_at_cuts(lines, cuts=[cut], as_of=LAST)
    leavers = rows.loc[rows["left"] == 1, "customer_id"]
    tickets = pd.DataFrame({"customer_id": leavers, "opened_at": cut + pd.Timedelta(days=1)})
    leaking = known_at_cuts(lines, cuts=[cut + pd.Timedelta(days=1)], as_of=LAST, tickets=tickets)
    told = leaking.set_index("customer_id")["tickets_log2"].reindex(rows["customer_id"]).to_numpy()
    known = rows["left"].notna().to_numpy()
    assert auc_interval(told[known], rows["left"].to_numpy()[known]).estimate == 1
    kept = known_at_cuts(lines, cuts=[cut], as_of=LAST, tickets=tickets)
    assert (kept["tickets_log2"] == 0).all()


def test_a_refund_is_known_from_its_own_day_on():
    lines = pd.DataFrame({"customer_id": "a", "order_id": "1", "amount": [100.0, -100.0]})
    lines["ordered_at"] = pd.Timestamp("2025-01-01 22:00", tz="Asia/Tokyo")
    lines["refunded_on"] = pd.to_datetime([None, "2025-02-10"])
    rows = known_at_cuts(lines, cuts=["2025-01-31", "2025-02-28"], as_of=LAST)
    assert rows["cut_on"].dt.month.tolist() == [1] and rows["amount_365"].tolist() == [100.0]


def test_who_was_gone_before_the_cut_cannot_leave_after_it():
    lines = lines_of(3, n=100)
    rows = rows_of(lines, active_days=100)
    gone = (rows["cut_on"] - rows["last_order_on"]).dt.days > 100
    assert rows.loc[gone, "left"].isna().all() and (rows["is_active"] == ~gone).all()
    assert rows.loc[gone & (rows["cut_on"] < "2026-01-01"), "again"].notna().all()


def test_a_score_of_leaving_is_calibrated_and_beats_recency_out_of_time():
    told = cx.score_told(quality_of(rows_of(lines_of(4, n=2_500))))
    assert told["claim"] == "score" and 0.9 <= told["slope"] <= 1.1


@pytest.mark.long
def test_a_score_of_leaving_is_calibrated_in_one_market_after_the_other():
    told = [cx.score_told(quality_of(rows_of(lines_of(seed, n=2_500)))) for seed in range(20, 40)]
    slopes, low, high = (
        np.array([one[name] for one in told]) for name in ("slope", "slope_low", "slope_high")
    )
    assert 0.9 <= slopes.mean() <= 1.1  # one market's slope has an error of about .07
    assert ((low <= 1.1) & (high >= 0.9)).mean() >= 0.95
    assert {one["claim"] for one in told} == {"score"}


def claims_of_noise(seeds, **more):
    """Buyers who are all alike and never leave: what they did says nothing of what they will do."""
    told = [cx.score_told(quality_of(rows_of(lines_of(seed, alike=True, **more)), "again")) for seed in seeds]
    return np.mean([one["claim"] != "base" for one in told])


def test_of_buyers_all_alike_nothing_is_foretold():
    assert claims_of_noise(range(3), n=150) == 0


@pytest.mark.long
def test_of_buyers_all_alike_something_is_foretold_in_at_most_nine_of_a_hundred_markets():
    assert claims_of_noise(range(200), n=300) <= 0.09


def test_contracts_that_ended_before_they_began_still_run_or_stand_twice():
    days = pd.to_datetime
    held = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c", "c", "d"],
            "plan": ["x", "x", "x", "y", "x"],
            "started_on": days(["2025-05-01", "2025-01-01", "2025-01-01", "2025-02-01", "2025-07-01"]),
            "ended_on": days(["2025-04-01", None, "2025-07-10", "2026-03-01", None]),
            "monthly_amount": 980.0,
        }
    )
    rows = contracts_at_cuts(held, cuts=["2025-06-30", "2026-06-30"], as_of=LAST)
    early = rows[rows["cut_on"] == "2025-06-30"].set_index(["customer_id", "plan"])["ended"]
    assert early.to_dict() == {("b", "x"): 0.0, ("c", "x"): 1.0, ("c", "y"): 0.0}
    assert rows.loc[rows["cut_on"] == LAST, "ended"].isna().all()


def test_the_list_has_the_value_first_and_says_what_it_rests_on():
    listed = at_risk(rows_of(lines_of(5)))
    assert listed["value_at_risk"].is_monotonic_decreasing and set(listed["forecast"]) <= {"score", "simple"}
    assert listed["probability"].between(0, 1).all() and listed["customer_id"].is_unique
    assert set(listed["value_is"]) == {"amount"}
    assert set(listed["reason_1"]) - {None} <= {*score_features(rows_of(lines_of(5, n=50)))}


def test_a_list_where_nothing_foretells_gives_everybody_one_probability():
    listed = at_risk(rows_of(lines_of(6, alike=True)))
    assert set(listed["forecast"]) == {"base"} and len(set(listed["probability"])) == 1
    assert listed["reason_1"].isna().all()


@pytest.mark.parametrize("days", [10, 200])
def test_too_short_a_history_is_said(days):
    with pytest.raises(NotEnoughData, match="180 days of history"):
        cut_days(LAST - pd.Timedelta(days=days), LAST)
    with pytest.raises(NotEnoughData, match="hold 0 days"):
        cut_days(pd.NaT, LAST)


def test_all_customers_new_and_nobody_buys_again():
    once = lines_of(7, n=300).groupby("customer_id", as_index=False).first()
    with pytest.raises(NotEnoughData, match="No list can be made"):
        at_risk(rows_of(once))


def test_bad_arguments_are_refused():
    lines = lines_of(8, n=20)
    with pytest.raises(ParameterError, match="at least 1"):
        rows_of(lines, next_days=0)
    with pytest.raises(ParameterError, match="at least 1"):
        cut_days(FIRST, LAST, next_days=0)
    with pytest.raises(ParameterError, match="ordered_at"):
        rows_of(lines.drop(columns="ordered_at"))
    with pytest.raises(ParameterError, match="opened_at"):
        rows_of(lines, tickets=pd.DataFrame({"customer_id": ["a"]}))
    with pytest.raises(ParameterError, match="started_on"):
        rows_of(lines, contracts=pd.DataFrame({"customer_id": ["a"]}))
