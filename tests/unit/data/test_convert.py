"""Times become the same instants whatever pandas counts them in and whatever the clock does that night."""

import datetime as dt

import pandas as pd
import pyarrow as pa
import pytest

from cxlib.data.convert import convert, localise, month_starts, read_times
from cxlib.data.findings import Findings
from cxlib.data.text_type import TEXT


def read(*texts, form="ISO8601", utc=False):
    return read_times(pd.Series(texts, dtype=TEXT), form, utc=utc)


@pytest.mark.parametrize("beside", ["2026-01-05", "2026-01-05T10:00:00.123456789"])
def test_years_beyond_the_range_of_nanoseconds_are_read_beside_any_other_time(beside):
    found = read("9999-12-31", beside, "2400-02-29T05:06", "2262-04-12", None)
    assert found.dtype == "datetime64[us]"
    assert found.dt.year.tolist()[:4] == [9999, 2026, 2400, 2262] and found.isna().tolist()[4]
    assert (found[0].month, found[0].day, found[2].day, found[2].minute) == (12, 31, 29, 6)


@pytest.mark.parametrize("text", ["2300-02-29", "2026-13-01T00:00:00.3456", "31.12.9999", ""])
def test_what_is_no_time_stays_missing(text):
    assert read(text).isna().all()


@pytest.mark.parametrize(
    ("form", "text", "expected"),
    [
        ("%d.%m.%Y", "31.12.9999", dt.datetime(9999, 12, 31)),  # noqa: DTZ001
        ("%Y年%m月%d日 %H時%M分", "2999年1月5日 5時06分", dt.datetime(2999, 1, 5, 5, 6)),  # noqa: DTZ001
        ("%d.%m.%Y", "99.12.3026", None),
        ("%d%m%Y", "99123026", None),
    ],
)
def test_far_years_are_read_in_a_declared_form(form, text, expected):
    found = read(text, form=form)
    assert found.isna().all() if expected is None else found[0] == expected


def test_an_offset_counts_at_the_end_of_a_far_year():
    found = read("2999-12-31T20:00-08:00", "2026-01-05T10:00Z", utc=True)
    assert found.astype(str).tolist() == ["3000-01-01 04:00:00+00:00", "2026-01-05 10:00:00+00:00"]


def test_hours_the_clock_skips_or_repeats_are_settled_row_by_row():
    local = ["2026-03-08 01:30", "2026-03-08 02:30", None, "2026-11-01 01:30", "2026-11-01 02:00"]
    findings = Findings("orders.csv", len(local))
    settled = localise(read(*local), "ordered_at", "America/New_York", findings)
    assert settled.dropna().dt.strftime("%d %H:%M %z").tolist() == [
        "08 01:30 -0500",
        "08 03:00 -0400",
        "01 01:30 -0400",
        "01 02:00 -0500",
    ]
    rows = {problem.key: problem.rows for problem in findings.problems}
    assert rows == {"tables.clock_skips": (2,), "tables.clock_repeats": (4,)}
    calm = Findings("orders.csv", len(local))
    localise(read(*local), "ordered_at", "Asia/Tokyo", calm)
    assert calm.problems == []


@pytest.mark.parametrize("zone", ["America/New_York", "UTC", "Asia/Tokyo", "Pacific/Kiritimati"])
@pytest.mark.parametrize("typed", [False, True])
def test_never_keeps_its_day_in_every_zone(zone, typed):
    never = dt.datetime(9999, 12, 31, 23, 59, 59)  # noqa: DTZ001
    values = pa.chunked_array([pa.array([never] if typed else [str(never)])])
    findings = Findings("tickets.csv", 1)
    found = convert(values, "timestamp", column="resolved_at", zone=zone, findings=findings)
    assert found.dt.strftime("%Y-%m-%d").tolist() == ["9999-12-31"] and findings.problems == []


def test_a_month_begins_on_its_first_day_in_any_year():
    days = pd.Series(read("9999-12-31", "2026-02-28", "1850-03-01", None).to_numpy(), index=[4, 5, 6, 7])
    months = month_starts(days)
    assert months.dtype == "datetime64[us]" and months.index.tolist() == [4, 5, 6, 7]
    assert months.dropna().dt.strftime("%Y-%m-%d").tolist() == ["9999-12-01", "2026-02-01", "1850-03-01"]
    values = pa.chunked_array([pa.array([dt.date(9999, 12, 31)])])
    found = convert(values, "month", column="month", zone="Asia/Tokyo", findings=Findings("spend.csv", 1))
    assert found.dt.strftime("%Y-%m-%d").tolist() == ["9999-12-01"]
