"""What the segmentation chapter says of its data, and of whom it shows what: both signs of each rule."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cxlib.customers import data_notes, known_parts
from cxlib.customers.claims import group_names
from cxlib.customers.lifecycle_states import state_transitions
from cxlib.customers.state_claims import lasting_states, late_by_scheme, middle_of_lives
from cxlib.data.rules.rule_files import load_rules
from cxlib.report.rows import placeholders

RULES = load_rules("rfm_segments")


def people(n=3, **columns):
    rows = {"customer_id": [f"c{i}" for i in range(n)], "first_order_on": pd.Timestamp("2025-01-01")}
    return pd.DataFrame(rows | columns)


@pytest.mark.parametrize(
    ("start", "last", "expected"),
    [
        (None, "2026-06-30", []),
        (None, "2025-12-31", ["segmentation.short_reach"]),
        ("2026-01-01", "2026-06-30", ["segmentation.own_windows"]),
        ("2025-02-01", "2025-12-31", ["segmentation.own_windows", "segmentation.short_reach"]),
    ],
)
def test_windows_are_told_of_where_they_bound_something(start, last, expected):
    start = start and dt.date.fromisoformat(start)
    last = dt.date.fromisoformat(last)
    rows = data_notes.window_notes(people(), RULES, period_start=start, last_day=last)
    assert [row["note"] for row in rows] == expected
    assert all(placeholders(row["note"]) <= row.keys() for row in rows)


@pytest.mark.parametrize(
    ("guests", "apart", "expected"),
    [
        (9, 0, []),
        (10, 0, ["segmentation.guests"]),
        (0, 2, ["segmentation.few_apart"]),
        (0, 10, ["segmentation.apart"]),
    ],
)
def test_who_is_in_no_segment_is_counted_out_where_enough(guests, apart, expected):
    money = np.r_[np.ones(20), np.zeros(apart)]
    customers = people(len(money), monetary_total=money)
    lines = {"guest_lines": guests, "guest_amount": 5.0, "amount": 20.0}
    rows = data_notes.coverage_notes(lines, customers)
    assert [row["note"] for row in rows] == expected
    assert all(placeholders(row["note"]) <= row.keys() for row in rows)
    kept = data_notes.without_few_apart(customers)
    assert len(kept) == (20 if apart == 2 else 20 + apart)


class Shop:
    """Has some tables and columns."""

    def __init__(self, *names):
        self.names = names

    def has(self, table, column=None):
        return (table if column is None else column) in self.names

    def table(self, name):
        return name


def test_schemes_are_made_of_what_the_data_hold():
    few = known_parts.scheme_sources(Shop(), people(), rules=RULES)
    assert (few["people"], few["deals"], few["dimensions"]) == (None, None, ())
    seen = people(first_seen_on=pd.Timestamp("2025-01-01"))
    all_of = known_parts.scheme_sources(Shop("deals", "brand", "taste"), seen, rules=RULES)
    assert all_of["people"] is seen and all_of["deals"] == "deals"
    assert all_of["dimensions"] == ("taste", "brand")


def test_states_need_the_day_somebody_was_first_seen():
    asked = {"as_of": "2026-01-31", "deals": None, "rules": {"lifecycle": load_rules("lifecycle")}}
    orders = pd.DataFrame({"customer_id": ["c0"], "order_id": ["1"], "amount": [9.0]})
    orders = orders.assign(ordered_at=pd.Timestamp("2026-01-05"))
    none = known_parts.known_states(known_parts.with_first_day(people()), orders, **asked)
    assert none == {} and data_notes.no_states(none)
    seen = known_parts.with_first_day(people(first_seen_on=pd.Timestamp("2025-01-01")))
    told = known_parts.known_states(seen, orders, **asked)
    assert len(told["lifecycle"]) == 3 and not data_notes.no_states(told)


def test_states_over_days_are_the_moves_and_stays_of_all_rules_at_once():
    rng = np.random.default_rng(1)
    seen = pd.DataFrame({"customer_id": [f"c{who}" for who in range(60)]})
    seen = seen.assign(first_seen_on=pd.Timestamp("2025-01-01"))
    orders = pd.DataFrame({"customer_id": rng.choice(seen["customer_id"], 400), "amount": 9.0})
    orders["order_id"] = orders.index.astype(str)
    orders["ordered_at"] = pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 400, 400), "D")
    rules = {"lifecycle": load_rules("lifecycle"), "state": load_rules("states")}
    asked = {"as_of": [f"2025-{month:02}-01" for month in range(3, 12)], "deals": None, "rules": rules}
    held = known_parts.known_states(seen, orders, **asked)
    told = known_parts.states_over_days(seen, orders, **asked)
    assert list(told) == list(held) == ["lifecycle", "state"]
    for name, (moves, stays) in told.items():
        pd.testing.assert_frame_equal(moves, state_transitions(held[name]))
        pd.testing.assert_frame_equal(stays, lasting_states(held[name], rules[name]))
        assert moves["n"].sum() == 60 * 8
    assert known_parts.states_over_days(None, orders, **asked) == {}


def test_states_are_traced_from_the_first_order_on():
    days = known_parts.traced_days(dt.date(2026, 12, 31), since=pd.Timestamp("2000-01-01"))
    assert len(days) == 13 and days[-1] == dt.date(2026, 12, 31)
    late = known_parts.traced_days(dt.date(2026, 12, 31), since=pd.Timestamp("2027-01-01"))
    assert late == [dt.date(2026, 12, 31)]


def test_moves_count_from_the_day_a_segment_was_made():
    start = dt.date(2026, 1, 1)
    assert known_parts.moves_since(start, "New") == start
    assert known_parts.moves_since(start, None) is None


def test_late_states_are_told_by_scheme_and_nothing_of_none():
    rules = {"lifecycle": load_rules("lifecycle"), "state": load_rules("states")}
    assert late_by_scheme(rules, history_days=3_000) == []
    assert "lifecycle" in [row["scheme"] for row in late_by_scheme(rules, history_days=330)]
    assert middle_of_lives({"begins": "unsettled", "observed_from": None}, is_told=False) == {}


def test_groups_are_called_by_segments_or_by_words_of_the_data():
    customers = people(is_member=True, segment="Loyal")
    assert group_names(customers, by="segment", lang="en")["Champions"] == "Champions"
    assert "Loyal" not in group_names(customers, by="is_member", lang="ja")
