"""What the chapters on initiatives read, and what they say of their scope."""

from datetime import date
from types import SimpleNamespace

import pytest

from cxlib.initiatives import known_parts
from cxlib.report.rows import placeholders

SEGMENT, PERIOD = "impact.note_segment", "impact.period_history"


@pytest.mark.parametrize(
    ("scope", "is_studied", "expected"),
    [
        ({}, None, []),
        ({"segment": "New"}, None, [SEGMENT]),
        ({"by": "segment"}, 0, [SEGMENT]),
        ({"period_start": date(2026, 1, 1)}, None, []),
        ({"period_start": date(2026, 1, 1)}, 3, [PERIOD]),
        ({"period_start": date(2026, 1, 1), "by": "segment"}, 0, [SEGMENT]),
        ({"period_start": date(2026, 1, 1), "by": "segment"}, None, [SEGMENT, PERIOD]),
    ],
)
def test_the_scope_is_told_of_where_it_shapes_the_study(scope, is_studied, expected):
    whole = {"segment": None, "by": None, "period_start": None, "segment_day": date(2026, 3, 31)}
    rows = known_parts.scope_notes(SimpleNamespace(**whole | scope), is_studied=is_studied)
    assert [row["note"] for row in rows] == expected
    assert all(placeholders(row["note"]) <= row.keys() for row in rows)


def test_tables_that_are_not_there_are_none():
    class Shop(SimpleNamespace):
        def has(self, table):
            return table in self.names

        def table(self, name, **days):
            return name, days

    scope = SimpleNamespace(period={"start": None, "end": None})
    few, many = Shop(names=()), Shop(names=("enrolments", "responses"))
    assert known_parts.study_tables(few, scope)["enrolments"] is None
    assert known_parts.study_tables(many, scope)["enrolments"] == ("enrolments", {})
    day = date(2026, 1, 1)
    assert known_parts.study_answers(few, start=None, end=day) is None
    assert known_parts.study_answers(many, start=None, end=day)[1] == {"start": None, "end": day}
