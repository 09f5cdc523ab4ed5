"""Control charts of a whole report: limits by hand, few false signals, and changes that are found."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import ParameterError
from cxlib.scorecard import Measure, chart_family, chart_rows, control_limits, monthly_figures
from cxlib.scorecard.control import time_column

MONTHS = pd.date_range("2024-10-01", periods=24, freq="MS")
DAYS = {"first_day": dt.date(2026, 1, 1), "last_day": dt.date(2026, 3, 31)}


def points(values, metric="nps", std_error=np.nan, n=100):
    rows = {"metric": metric, "month": MONTHS[: len(values)], "estimate": np.asarray(values, dtype=float)}
    return pd.DataFrame(rows | {"std_error": std_error, "n": n, "customers": n})


def mean(rows, day):
    return pd.DataFrame({"estimate": [rows["value"].mean()], "std_error": 0.1, "n": len(rows)})


def visits(days, people=None):
    times = pd.to_datetime(days)
    names = [f"c{i}" for i in range(len(times))] if people is None else people
    return pd.DataFrame({"customer_id": names, "occurred_at": times, "value": np.arange(len(times)) * 1.0})


def test_an_xmr_chart_by_hand():
    """Moving ranges 2, 2, 2, 2, 2 of 10, 12, 10, 12, 10, 12: deviation 2/1.128."""
    limited = control_limits(points([10, 12, 10, 12, 10, 12]))
    reach = (limited["limit_high"] - limited["usual"]).iloc[0] / (2 / 1.128)
    assert limited["usual"].iloc[0] == pytest.approx(11)
    assert 2 < reach < 4
    assert set(limited["chart"]) == {"xmr"}


def test_a_p_chart_by_hand():
    """Neighbours .4 and .6 of 100 each lie four errors of .05 apart: Laney's factor is 4/1.128."""
    limited = control_limits(points([0.4, 0.6] * 4), shares=["nps"])
    own = 0.05 * 4 / 1.128
    reach = (control_limits(points([4.0, 6.0] * 4))["limit_high"].iloc[0] - 5) / (2 / 1.128)
    width = (limited["limit_high"] - limited["usual"]).iloc[0]
    assert width == pytest.approx(min(0.5, reach * own))
    assert set(limited["chart"]) == {"p"}
    assert limited["limit_low"].ge(0).all() and limited["limit_high"].le(1).all()


def test_months_with_more_answers_have_narrower_limits():
    values = np.random.default_rng(1).normal(5, 0.1, 12)
    limited = control_limits(points(values, std_error=np.repeat([0.1, 0.2], 6)))
    width = limited["limit_high"] - limited["limit_low"]
    assert width.iloc[-1] == pytest.approx(2 * width.iloc[0])
    assert set(limited["chart"]) == {"mean"}


@pytest.mark.parametrize(
    ("change", "rule"), [(np.where(np.arange(24) == 20, 9, 0), "limits"), (np.arange(24) > 9, "run")]
)
def test_one_strange_month_and_a_lasting_shift_are_found(change, rule):
    values = np.random.default_rng(3).normal(0, 1, 24) + 3 * change
    limited = control_limits(points(values))
    found = limited[limited["is_signal"]]
    assert rule in set(found["rule"])
    assert chart_rows(limited)["verdict"].tolist() == ["differ"]
    assert chart_rows(limited)["last_signal_on"].tolist() == [found["month"].max()]


@pytest.mark.slow
@pytest.mark.parametrize("worlds", [20, pytest.param(1000, marks=pytest.mark.long)])
@pytest.mark.parametrize("kind", ["total", "share"])
def test_nothing_changed_gives_a_signal_in_at_most_one_report_of_twenty(worlds, kind):
    """Twelve charts of 6 to 24 months a report, answers of customers who come back (shares) or sales."""
    rng, wrong, alone = np.random.default_rng(5), 0, 0
    for _ in range(worlds):
        parts = []
        for chart, length in enumerate((24, 24, 24, 24, 24, 18, 18, 12, 12, 8, 8, 6)):
            hits = rng.binomial(60, rng.beta(12, 28, length)) / 60  # wander more than separate answers
            drawn = rng.normal(100, 15, length) if kind == "total" else hits
            parts.append(points(drawn, metric=f"m{chart}", n=60))
        limited = control_limits(pd.concat(parts), shares=[f"m{i}" for i in range(12)] * (kind == "share"))
        wrong += limited["is_signal"].any()
        alone += limited["is_alone"].any()
    assert wrong / worlds <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / worlds)
    assert alone / worlds > 0.15  # what the usual limits would have told


def test_the_share_by_chance_is_that_of_the_simulated_charts():
    rng = np.random.default_rng(8)
    worlds = [control_limits(points(rng.normal(0, 1, 24))) for _ in range(60)]
    seen = np.mean([one["is_alone"].any() for one in worlds])
    assert chart_family(worlds[0])["chance_share"] == pytest.approx(seen, abs=0.13)


def test_only_whole_months_count_and_those_with_enough_customers():
    rows = visits(["2025-12-31", "2026-01-01", "2026-01-31", "2026-02-01", "2026-03-31", "2026-03-01"])
    found = monthly_figures({"m": Measure(mean, rows)}, min_customers=2, **DAYS)
    assert found["month"].dt.month.tolist() == [1, 3]
    early = monthly_figures(
        {"m": Measure(mean, rows)}, min_customers=1, **DAYS | {"last_day": dt.date(2026, 3, 30)}
    )
    assert early["month"].dt.month.tolist() == [1, 2]


def test_a_cohort_keeps_what_its_customers_did_later():
    rows = visits(["2026-01-05", "2026-03-05", "2026-02-01"], people=["a", "a", "b"])
    found = monthly_figures({"m": Measure(mean, rows, is_cohort=True)}, min_customers=1, **DAYS)
    assert found[["estimate", "n"]].to_numpy().tolist() == [[0.5, 2.0], [2.0, 1.0]]


def test_each_stage_is_a_figure_of_its_own():
    def by_stage(rows, day):
        return rows.groupby("stage", as_index=False).agg(estimate=("value", "mean"), n=("value", "size"))

    rows = visits(["2026-01-05", "2026-01-06", "2026-02-01"]).assign(stage=["x", "y", "x"])
    found = monthly_figures({"m": Measure(by_stage, rows)}, by="stage", min_customers=1, **DAYS)
    assert found[["stage", "estimate"]].to_numpy().tolist() == [["x", 0.0], ["y", 1.0], ["x", 2.0]]


def test_the_order_of_rows_does_not_matter_and_input_stays():
    rows = visits(pd.date_range("2026-01-01", periods=80, freq="D"))
    before = rows.copy()
    one, other = (
        monthly_figures({"m": Measure(mean, held)}, min_customers=5, **DAYS)
        for held in (rows, rows.sample(frac=1, random_state=1))
    )
    pd.testing.assert_frame_equal(one, other)
    pd.testing.assert_frame_equal(rows, before)


def test_too_few_months_have_no_chart():
    limited = control_limits(points([1, 2, 3, 4, 5]))
    assert limited.empty
    assert chart_rows(limited).empty
    assert chart_family(limited)["charts"] == "0"
    assert monthly_figures({"m": Measure(mean, visits([]))}, **DAYS).empty


def test_a_missing_column_is_named():
    with pytest.raises(ParameterError, match="estimate"):
        control_limits(pd.DataFrame({"metric": ["m"], "std_error": [1.0], "n": [1]}))
    with pytest.raises(ParameterError, match="customer_id"):
        monthly_figures({"m": Measure(mean, pd.DataFrame({"value": [1.0]}))}, **DAYS)
    assert time_column(pd.DataFrame({"value": [1]})) is None
