"""Figures against their targets, and whether they moved though the same customers stand behind both days."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.checks import ParameterError
from cxlib.language import catalogue
from cxlib.scorecard import (
    Measure,
    changes_alone,
    for_purpose,
    judge_kpis,
    measure_kpis,
    report_period,
    verdict_tally,
)

DAYS = {"last_day": dt.date(2026, 9, 30), "earlier": dt.date(2026, 6, 30)}
KPIS, TARGETS = cx.load_rules("kpis").kpis, cx.load_rules("targets").targets


def mean(rows, day):
    return pd.DataFrame(
        {"estimate": [rows["value"].mean()], "conf_low": -1.0, "conf_high": 1.0, "n": len(rows)}
    )


def answers(rng, n=600, *, moved=0.0, share=0.5):
    """Two days of answers of which a share is the same, two answers a customer; the later moved."""
    level = rng.normal(0, 1, n)
    rows = pd.DataFrame({"customer_id": np.repeat([f"c{i}" for i in range(n)], 2)})
    rows["value"] = np.repeat(level, 2) + rng.normal(0, 1, 2 * n)
    before = rows[rng.random(len(rows)) < 0.6]
    fresh = rows.assign(value=np.repeat(level, 2) + rng.normal(0, 1, 2 * n))
    now = pd.concat([before[rng.random(len(before)) < share], fresh[rng.random(len(rows)) < 0.4]])
    return now.assign(value=now["value"] + moved), before


def change_of(now, before, **options):
    return measure_kpis({"nps": Measure(mean, now, before)}, **DAYS, **options).iloc[0]


def test_the_change_is_that_of_the_two_figures_and_lies_in_its_limits():
    now, before = answers(np.random.default_rng(1), moved=0.4)
    row = change_of(now, before)
    assert row["change"] == pytest.approx(now["value"].mean() - before["value"].mean())
    assert row["change_conf_low"] < 0.4 < row["change_conf_high"]
    assert row["n_both"] == len(set(now["customer_id"]) | set(before["customer_id"]))


def test_a_total_tells_its_earlier_value_unjudged_and_does_not_widen_the_limits_of_others():
    now, before = answers(np.random.default_rng(1), moved=0.4)
    both = {"nps": Measure(mean, now, before), "sales_90": Measure(mean, now, before, is_total=True)}
    nps, sales = measure_kpis(both, **DAYS).to_dict("records")
    assert sales["before"] == pytest.approx(before["value"].mean())
    assert sales["change"] == sales["estimate"] - sales["before"]
    assert np.isnan([sales["change_conf_low"], sales["change_std_error"], sales["n_both"]]).all()
    assert nps["change_conf_low"] == change_of(now, before)["change_conf_low"]


def test_the_order_of_rows_and_the_names_of_columns_do_not_matter():
    now, before = answers(np.random.default_rng(2))
    plain = change_of(now, before)
    shuffled = change_of(now.sample(frac=1, random_state=1), before.sample(frac=1, random_state=2))
    named = [frame.rename(columns={"customer_id": "who"}) for frame in (now, before)]
    pd.testing.assert_series_equal(plain, shuffled, rtol=1e-12)
    pd.testing.assert_series_equal(plain, change_of(*named, customer_id_col="who"))


def test_rows_without_a_customer_are_each_one_of_their_own():
    now, before = answers(np.random.default_rng(3))
    nobody = change_of(now.assign(customer_id=None), before.assign(customer_id=None))
    known = change_of(now, before)
    assert nobody["change"] == known["change"]
    assert nobody["change_conf_high"] != known["change_conf_high"]


def test_many_changes_are_judged_together():
    now, before = answers(np.random.default_rng(4))
    one = change_of(now, before)
    many = measure_kpis({f"k{i}": Measure(mean, now, before) for i in range(8)}, **DAYS).iloc[0]
    assert many["change_conf_high"] - many["change"] > one["change_conf_high"] - one["change"]


@pytest.mark.slow
@pytest.mark.parametrize("worlds", [25, pytest.param(400, marks=pytest.mark.long)])
def test_nothing_changed_is_told_as_a_change_in_at_most_one_of_twenty(worlds):
    """120 customers, half of the answers on both days, four figures a world: any false move counts."""
    rng, wrong, covered = np.random.default_rng(11), 0, 0
    for _ in range(worlds):
        pairs = [answers(rng, 120) for _ in range(4)]
        rows = measure_kpis({str(i): Measure(mean, *pair) for i, pair in enumerate(pairs)}, **DAYS)
        moved = (rows["change_conf_low"] > 0) | (rows["change_conf_high"] < 0)
        wrong += moved.any()
        alone = change_of(*pairs[0])
        covered += alone["change_conf_low"] <= 0 <= alone["change_conf_high"]
    error = 3 * np.sqrt(0.05 * 0.95 / worlds)  # of the simulation
    assert wrong / worlds <= 0.05 + error
    assert abs(covered / worlds - 0.95) <= error + 0.01


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.20, 0.28, "target_met"),
        (0.28, 0.32, "undecided"),
        (0.50, 0.60, "target_missed"),
        (0.70, 0.90, "target_missed"),  # the alarm of 0.8 lies inside
        (0.90, 1.10, "alarm"),
    ],
)
def test_a_figure_is_in_alarm_where_its_whole_interval_lies_beyond(low, high, verdict):
    row = {
        "metric": "valley_depth",
        "estimate": (low + high) / 2,
        "conf_low": low,
        "conf_high": high,
        "n": 500,
    }
    rows = pd.DataFrame(
        [row | dict.fromkeys(["before", "change", "change_conf_low", "change_conf_high"], np.nan)]
    )
    judged = judge_kpis(rows.assign(n_both=np.nan), kpis=KPIS, targets=TARGETS)
    assert judged["verdict"].tolist() == [verdict]
    assert judged["moved"].tolist() == [None]


def test_a_higher_figure_is_better_where_the_target_says_so_and_a_limit_that_rounds_to_it_is_no_claim():
    low = {"metric": "nps", "estimate": -30.0, "conf_low": -40.0, "conf_high": -20.0, "n": 300}
    moves = {
        "before": -5.0,
        "change": -25.0,
        "change_conf_low": -35.0,
        "change_conf_high": -0.01,
        "n_both": 500,
    }
    judged = judge_kpis(pd.DataFrame([low | moves]), kpis=KPIS, targets=TARGETS)
    assert judged[["verdict", "moved"]].to_numpy().tolist() == [["alarm", "no_difference_shown"]]
    fallen = judge_kpis(pd.DataFrame([low | moves | {"change_conf_high": -9.0}]), kpis=KPIS, targets=TARGETS)
    assert fallen["moved"].tolist() == ["fallen"]


def test_a_figure_without_rows_has_no_number_and_no_verdict_of_its_own():
    nobody = pd.DataFrame({"customer_id": pd.Series(dtype=str), "value": pd.Series(dtype=float)})
    rows = measure_kpis({"nps": Measure(mean, nobody, nobody)}, **DAYS)
    assert rows[["estimate", "change", "n"]].isna().to_numpy().tolist() == [[True, True, False]]
    judged = judge_kpis(rows, kpis=KPIS, targets=TARGETS)
    assert judged["verdict"].tolist() == ["not_enough_data"]
    assert verdict_tally(judged) == dict.fromkeys(["met", "undecided", "missed", "alarm"], "0")


def test_figures_are_chosen_by_the_aim():
    judged = pd.DataFrame({"metric": [kpi.id for kpi in KPIS]})
    grow, keep = (set(for_purpose(judged, kpis=KPIS, purpose=aim)["metric"]) for aim in ("grow", "keep"))
    assert {"win_rate"} <= grow - keep
    assert {"ces"} <= keep - grow
    assert all(8 <= len(chosen) <= 10 for chosen in (grow, keep))


@pytest.mark.parametrize(
    ("day", "start", "claim", "year", "quarter"),
    [
        ("2026-09-30", 1, "quarter", "2026", "3"),
        ("2026-03-31", 4, "fiscal_quarter", "2025", "4"),
        ("2026-09-30", 2, "fiscal_month", "2026", "3"),
        ("2026-10-15", 1, "month", "2026", "4"),
        ("2028-02-29", 12, "fiscal_quarter", "2027", "1"),
    ],
)
def test_the_period_is_named_by_the_company_year(day, start, claim, year, quarter):
    found = report_period(dt.date.fromisoformat(day), fiscal_year_start=start)
    assert (found["claim"], found["year"], found["quarter"]) == (claim, year, quarter)


@pytest.mark.parametrize(
    ("day", "since", "claim"),
    [
        ("2026-09-30", "2026-07-01", "fiscal_quarter"),
        ("2026-09-30", "2026-01-01", "days"),
        ("2026-10-15", "2026-10-01", "fiscal_month"),
        ("2026-10-15", "2026-09-01", "days"),
    ],
)
def test_a_period_that_begins_elsewhere_is_called_by_its_days(day, since, claim):
    last = dt.date.fromisoformat(day)
    found = report_period(last, period_start=since, fiscal_year_start=4)
    assert found["claim"] == claim and f"scorecard.period.{claim}" in catalogue()
    if claim == "days":
        assert (found["first_day"], found["last_day"]) == (dt.date.fromisoformat(since), last)


def test_many_deals_of_few_customers_are_a_small_group():
    deals = pd.DataFrame({"customer_id": ["a", "b"] * 20, "value": 1.0})
    rows = measure_kpis({"mean": Measure(mean, deals, deals)}, **DAYS)
    assert rows[["n", "customers"]].to_numpy().tolist() == [[40, 2]]


def test_the_first_day_of_data_without_days_is_their_last():
    users = {"users": pd.DataFrame({"owner": ["u"]})}
    data_set = cx.open_data(users, currency="JPY", timezone="Asia/Tokyo", extracted_at="2026-10-01")
    assert cx.scorecard.first_day(data_set) == data_set.as_of


def test_bad_input_is_named():
    with pytest.raises(ParameterError, match="n_groups=2"):
        measure_kpis({}, n_groups=2, **DAYS)
    with pytest.raises(ParameterError, match="compared_with"):
        cx.scorecard.earlier_day("2026-09-30", first_day=dt.date(2025, 1, 1), last_day=dt.date(2026, 9, 30))


def test_a_change_by_itself_counts_sooner_than_among_many():
    now, before = answers(np.random.default_rng(4), moved=0.12)
    rows = measure_kpis({kpi.id: Measure(mean, now, before) for kpi in KPIS}, **DAYS)
    judged = judge_kpis(rows, kpis=KPIS, targets=TARGETS)
    alone = changes_alone(judged)
    assert alone["change"].equals(judged["change"])
    assert (alone["change_conf_low"] > judged["change_conf_low"]).all()
    assert alone["n"].equals(judged["n_both"])


def test_a_column_nobody_reads_leaves_customers_in_their_groups():
    """Only the one row of nobody known, told by its content, may change its group."""
    now, before = (rows.reset_index(drop=True) for rows in answers(np.random.default_rng(3)))
    for rows in (now, before):
        rows.loc[0, "customer_id"] = None
    one = change_of(now, before)
    other = change_of(now.assign(empty=np.nan), before.assign(empty=np.nan))
    assert other["change_std_error"] == pytest.approx(one["change_std_error"], rel=0.02)
