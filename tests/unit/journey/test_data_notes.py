"""What the journey chapter says of its data, and what it leaves out for them: both signs of each rule."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from cxlib.data.engine.order_lines import OrderLines
from cxlib.data.rules.rule_files import load_rules
from cxlib.journey import by_group, data_notes, known_parts
from cxlib.journey.touchpoint_claims import before_states, brand_care
from cxlib.language import LANGUAGES, catalogue
from cxlib.report.rows import placeholders

RULES = load_rules("journey")
STAGE, POINT = RULES.stages[0].id, RULES.touchpoints[0].id
SCALE = known_parts.feeling_scale((-2, 2))


def contacts(n=60, **columns):
    people = [f"c{i}" for i in range(n)]
    valence = np.resize([1.0, -1.0], n)
    rows = {"customer_id": people, "stage": STAGE, "touchpoint": POINT, "valence": valence}
    return pd.DataFrame(rows | columns)


def said(rows):
    return [(row["note"], row["level"]) for row in rows]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (contacts(), []),
        (contacts(9), [("journey.no_answers", "not_enough_data")]),
        (contacts(0), [("journey.no_answers", "not_enough_data")]),
        (contacts(stage="xyz"), [("journey.no_known_stage_here", "not_enough_data")]),
        (contacts(valence=1.0), [("journey.one_sided_scale", "warning")]),
        (contacts(49, valence=1.0), []),
        (contacts(stage=[None, None] + [STAGE] * 58), [("journey.unknown_stages", "info")]),
        (contacts(stage=["xyz"] * 9 + [STAGE] * 51), [("journey.unknown_stages", "warning")]),
        (contacts(touchpoint=[POINT] * 59 + ["xyz"]), [("journey.unknown_touchpoints", "warning")]),
    ],
)
def test_contacts_are_told_of_where_something_is_amiss(events, expected):
    assert said(data_notes.contact_notes(events, RULES, scale=SCALE)) == expected


def buyers(begins="", **asked):
    start_of = {
        "begins": begins,
        "observed_from": dt.date(2026, 1, 1),
        "older_share": 0.1,
        "guest_share": 0.0,
    }
    days = pd.Series(pd.date_range("2026-01-01", periods=360))
    times = pd.DataFrame({"from_on": days, "duration_days": 40, "is_repeat": days < "2026-04-01"})
    times = times.assign(is_repeat=asked.pop("is_repeat", times["is_repeat"]))
    known = {"n_first": 90, "has_answers": True} | asked
    guests = known.pop("guest_share", 0.0)
    return data_notes.buyer_notes(start_of | {"guest_share": guests}, times, None, **known)


def test_first_purchases_are_told_of_where_they_may_not_be_the_first():
    assert said(buyers()) == [("journey.first_purchase_doubt", "warning")]
    assert buyers(is_given=True) == [] == buyers(is_repeat=False)
    assert said(buyers("burn_in")) == [("journey.burn_in", "warning")]
    assert said(buyers("unsettled", is_given=True)) == [("journey.unsettled_given", "warning")]
    assert said(buyers("burn_in", guest_share=0.2))[1] == ("journey.guests", "info")
    assert said(buyers(n_first=9, guest_share=0.2)) == [("journey.no_buyers", "warning")]
    assert said(buyers(n_first=9, has_answers=False)) == [("journey.no_buyers", "not_enough_data")]


def test_each_notice_brings_what_its_words_name():
    rows = data_notes.contact_notes(contacts(stage=["xyz"] * 9 + [STAGE] * 51), RULES, scale=SCALE)
    rows += data_notes.contact_notes(contacts(touchpoint="xyz", valence=1.0), RULES, scale=SCALE)
    rows += data_notes.contact_notes(contacts(9), RULES, scale=SCALE)
    rows += [row for begins in ("burn_in", "unsettled") for row in buyers(begins, guest_share=0.2)]
    rows += [row for begins in ("burn_in", "unsettled") for row in buyers(begins, is_given=True)]
    assert len({row["note"] for row in rows}) == 9
    assert all(placeholders(row["note"]) <= row.keys() for row in rows)
    assert LANGUAGES == ("en", "ja")


@pytest.mark.parametrize(
    ("begins", "n_first", "is_given", "n", "lacking"),
    [
        ("", 90, False, 90, None),
        ("", 9, False, 9, "journey.empty_buyers"),
        ("burn_in", 90, False, 90, None),
        ("unsettled", 90, False, 0, "journey.empty_unsettled"),
        ("unsettled", 90, True, 90, None),
        ("unsettled", 9, False, 9, "journey.empty_buyers"),
    ],
)
def test_f2_is_known_of_enough_first_buyers(begins, n_first, is_given, n, lacking):
    known = known_parts.f2_known({"begins": begins}, n_first=n_first, is_given=is_given)
    assert (known.n, known.lacking) == (n, lacking)
    assert known.is_old == (begins == "burn_in")
    assert known.no_year == (lacking or "journey.empty_year")


class Shop:
    """Orders of two guests and two customers, or none at all."""

    def __init__(self, ids):
        self.ids = ids

    def has(self, table):
        return self.ids is not None

    def table(self, name, *, merged=False):
        lines = {"customer_id": self.ids, "amount": 5.0, "order_id": [str(i) for i in range(len(self.ids))]}
        return pd.DataFrame(lines).assign(ordered_at=pd.Timestamp("2026-01-05"))

    def order_lines(self):
        return OrderLines(self.table("orders"))


def test_orders_begin_with_the_later_of_two_days_and_know_their_guests():
    asked = {"as_of": dt.date(2026, 3, 31), "period_start": dt.date(2026, 2, 1)}
    begun = known_parts.orders_begin(Shop(["a", None, "b", None]), **asked, observed_from="2026-01-15")
    assert begun["guest_share"] == 0.5 and begun["first_day"] == dt.date(2026, 2, 1)
    none = known_parts.orders_begin(Shop(None), as_of=dt.date(2026, 3, 31))
    assert (none["guest_share"], none["first_day"], none["begins"]) == (0, None, "")


def test_f2_with_old_customers_allowed_for_is_the_table_of_the_burn_in():
    orders = Shop(["a", "b"]).table("orders")
    asked = {"as_of": "2026-03-31", "horizons_days": [30]}
    for begins in ("", "burn_in"):
        known = known_parts.F2Known(begins, 90, None, "")
        found = known_parts.f2_table(orders, known, **asked)
        assert set(known_parts.f2_columns(known)) <= set(found.columns)


@pytest.mark.parametrize(
    ("by", "segment", "start", "n"),
    [
        ("segment", None, None, 1),
        (None, "New", None, 1),
        (None, "New", "2026-01-01", 0),
        (None, None, None, 0),
    ],
)
def test_segments_from_the_same_purchases_are_circular(by, segment, start, n):
    assert len(data_notes.circular_segments(by=by, segment=segment, period_start=start)) == n


def test_no_group_has_a_row_without_a_breakdown():
    asked = {"stage_order": [STAGE], "conf_level": 0.95}
    orders = Shop(["a", "b"]).table("orders")
    one = {"by": None, "names": {}}
    assert by_group.curve_by_group(contacts(), **one, **asked).empty
    assert by_group.valleys_by_group(contacts(), **one, **asked).empty
    assert by_group.f2_by_group(orders, **one, as_of="2026-03-31", horizons_days=[30]).empty
    assert by_group.wait_by_group(orders, **one, horizon=30).empty


def test_groups_are_called_by_their_names():
    events = contacts(region=np.resize(["n", "s"], 60))
    asked = {"by": "region", "names": {"n": "North"}, "stage_order": [stage.id for stage in RULES.stages]}
    assert set(by_group.curve_by_group(events, **asked)["region"]) == {"North", "s"}
    valleys = by_group.valleys_by_group(events, min_cell=10, **asked)
    assert valleys["region"].tolist() == ["North", "s"] and valleys["stage"].isna().all()
    orders = pd.concat([Shop(["a", "b"]).table("orders").assign(region=["n", "s"])] * 2)
    orders["ordered_at"] += pd.to_timedelta([0, 1, 9, 8], unit="D")
    f2 = by_group.f2_by_group(
        orders, by="region", names={"n": "North"}, as_of="2026-03-31", horizons_days=[30]
    )
    assert set(f2["region"]) == {"North", "s"}


def test_care_counts_contacts_that_the_brand_begins():
    states = pd.DataFrame({"as_of": pd.Timestamp("2026-01-31"), "customer_id": ["c0"], "state": "lapsed"})
    events = contacts(2, occurred_at=pd.Timestamp("2026-01-15"))
    own = [type("Point", (), {"id": POINT, "initiated_by": "customer"})]
    theirs = [type("Point", (), {"id": POINT, "initiated_by": "brand"})]
    assert brand_care(events, states, own).empty
    cared = brand_care(events, states, theirs).set_index("state")
    assert cared.loc["lapsed", "estimate"] == 1
    assert before_states(events, []).empty


def test_second_purchases_of_a_period_say_whose_they_are():
    words = catalogue()["journey.f2_of_period"]
    day = dt.date(2026, 4, 1)
    [note] = data_notes.f2_of_period(day, period_start=day)
    assert note["note"] == "journey.f2_of_period" and all("{from_on}" in words[lang] for lang in words)
    assert data_notes.f2_of_period(None, period_start=None) == []
