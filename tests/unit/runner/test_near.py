"""A new run says so where its difference to an earlier one is a few customers' purchases."""

import json

import pandas as pd
import pytest

from cxlib.report.layout import coverage_and_close
from cxlib.runner.near import earlier_runs, near_runs


class Shop:
    """A data set of one table; a class because a report asks for `tables` and `table`."""

    tables = ("orders",)

    def __init__(self, days, ids, timezone=None):
        times = pd.to_datetime(pd.Series(days)).dt.tz_localize(timezone)
        self.frame = pd.DataFrame({"customer_id": ids, "ordered_at": times})

    def table(self, name, start=None, end=None):
        return self.frame


def close(days, ids, min_cell, timezone=None):
    return coverage_and_close(Shop(days, ids, timezone), tables=None, min_cell=min_cell)[1]["orders"]


@pytest.mark.parametrize("timezone", [None, "Asia/Tokyo"])
def test_the_days_that_few_customers_lie_behind_are_told(timezone):
    days = [f"2026-09-{day:02d} 23:30" for day in range(1, 11)]  # one customer each
    found = close(days, list("abcdefghij"), 3, timezone)
    assert found == {"end": ["2026-09-08", "2026-09-09"], "start": ["2026-09-02", "2026-09-03"]}


def test_a_customer_counts_once_however_often_there_are_rows():
    days = ["2026-09-01"] * 5 + ["2026-09-05", "2026-09-07", "2026-09-08", "2026-09-09"]
    assert close(days, list("abcdezzzz"), 2)["end"] == ["2026-09-01", "2026-09-08"]


def test_no_day_is_close_where_the_last_day_alone_has_enough_customers():
    assert "end" not in close(["2026-09-01"] + ["2026-09-09"] * 4, list("abcde"), 3)


def test_many_rows_of_few_customers_are_looked_through_to_the_end():
    days = ["2026-01-05"] * 3 + ["2026-09-09"] * 2_000
    assert close(days, ["a", "b", "c"] + ["z"] * 2_000, 3)["end"] == ["2026-01-05", "2026-09-08"]


def report(as_of="2026-09-30", close=None, rows=(), **parameters):
    close = close or {"orders": {"end": ["2026-09-25", "2026-09-29"], "start": ["2024-10-02", "2024-10-06"]}}
    header = {"data_set": "Shop", "as_of": as_of, "close": close}
    return {"header": header, "tables": {"t": {"rows": list(rows)}}}, {"min_cell": 10, **parameters}


def publish(out, name, found, **more):
    results, parameters = found
    entry = {**results["header"], "parameters": parameters}
    (out / name).mkdir()
    (out / name / "run.json").write_text(json.dumps({"run": name, "reports": {"r": entry}, **more}))
    (out / name / "results.json").write_text(json.dumps({"r": results}))


def found_near(out, found):
    return near_runs(earlier_runs(out), report="r", results=found[0], parameters=found[1])


@pytest.mark.parametrize(
    ("earlier", "is_near"),
    [
        (report(as_of="2026-09-29"), True),
        (report(as_of="2026-09-25"), True),
        (report(as_of="2026-09-24"), False),
        (report(period_end="2026-09-28"), True),
        (report(period_end="2026-06-30"), False),
        (report(period_start="2024-10-03"), True),
        (report(period_start="2025-01-01"), False),
        (report(), False),
        (report(as_of="2026-10-02", close={"orders": {"end": ["2026-09-29", "2026-10-01"]}}), True),
        (report(as_of="2026-10-02", close={"orders": {"end": ["2026-10-01", "2026-10-01"]}}), False),
        (report(as_of="2026-10-02", close={"a": 5, "b": {"end": [1, 2]}}), False),
    ],
)
def test_a_bound_moved_past_few_customers_is_near(earlier, is_near, tmp_path):
    publish(tmp_path, "1", earlier)
    assert found_near(tmp_path, report()) == ["1"] * is_near


ROWS = [{"region": "Kanto", "n": 100, "amount": 5.0}, {"region": "Kansai", "n": 60, "amount": 5.0}]


@pytest.mark.parametrize(("n", "is_near"), [(100, False), (99, True), (91, True), (90, False), (40, False)])
def test_another_segment_with_nearly_the_same_customers_is_near(n, is_near, tmp_path):
    publish(tmp_path, "1", report(rows=ROWS))
    assert found_near(tmp_path, report(rows=[{**ROWS[0], "n": n}], segment="Loyal")) == ["1"] * is_near


def test_the_same_run_again_other_data_and_runs_for_sharing_are_not_near(tmp_path):
    publish(tmp_path, "1", report(rows=ROWS))
    publish(tmp_path, "2", report(as_of="2026-09-29"), is_shared=True)
    assert found_near(tmp_path, report(rows=ROWS)) == []
    other = report(as_of="2026-09-29")
    other[0]["header"]["data_set"] = "Another shop"
    assert found_near(tmp_path, other) == []


@pytest.mark.parametrize(
    "damage", ["{", "[" * 100_000, '{"r": 5}', '{"r": {"tables": {"t": {"rows": [5]}}}}', "[]"]
)
def test_damaged_results_of_an_earlier_run_are_passed_over(damage, tmp_path):
    publish(tmp_path, "1", report(rows=ROWS))
    (tmp_path / "1" / "results.json").write_text(damage)
    assert found_near(tmp_path, report(rows=ROWS, segment="Loyal")) == []


def test_the_same_data_in_another_language_is_not_near_itself(tmp_path):
    """Rows that only numbers tell apart, such as deciles, are held against their own."""
    deciles = [{"decile": 1, "n": 386}, {"decile": 2, "n": 385}]
    publish(tmp_path, "1", report(rows=deciles, lang="en"))
    assert found_near(tmp_path, report(rows=deciles, lang="ja")) == []
    fewer = [{"decile": 1, "n": 386}, {"decile": 2, "n": 382}]
    assert found_near(tmp_path, report(rows=fewer, lang="ja")) == ["1"]
