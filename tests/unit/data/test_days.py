"""Instants become days in one way, whatever the column is made of."""

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import cxlib as cx
from cxlib.checks import InputError, ParameterError
from cxlib.data.days import instants, local_days, to_date, zone_named

NAIVE = pd.Series(pd.to_datetime(["2026-08-31 23:30", "2026-09-01 08:20", None]))
TOKYO = NAIVE.dt.tz_localize("Asia/Tokyo")
NINE = dt.timezone(dt.timedelta(hours=9))
COLUMNS = {
    "naive": NAIVE,
    "seconds": NAIVE.astype("datetime64[s]"),
    "zone": TOKYO,
    "offset": NAIVE.dt.tz_localize(NINE),
    "Arrow": NAIVE.astype(pd.ArrowDtype(pa.timestamp("ns"))),
    "Arrow zone": TOKYO.astype(pd.ArrowDtype(pa.timestamp("us", "Asia/Tokyo"))),
    "Arrow offset": TOKYO.astype(pd.ArrowDtype(pa.timestamp("us", "+09:00"))),
    "Arrow days": NAIVE.astype(pd.ArrowDtype(pa.timestamp("us"))).astype(pd.ArrowDtype(pa.date32())),
    "category": TOKYO.astype("category"),
    "objects": pd.Series([*TOKYO.iloc[:2].astype(object), None], dtype=object),
    "dates": pd.Series([dt.date(2026, 8, 31), dt.date(2026, 9, 1), None], dtype=object),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_the_day_is_that_of_the_clock_where_the_column_is(name):
    days = local_days(COLUMNS[name], "at")
    assert days.dtype == "datetime64[s]" and days.isna().tolist() == [False, False, True]
    assert days.iloc[:2].dt.strftime("%m-%d").tolist() == ["08-31", "09-01"]


def test_another_zone_is_asked_for_by_name_or_offset():
    utc = TOKYO.dt.tz_convert("UTC")
    assert local_days(utc, "at").dt.day.tolist()[:2] == [31, 31]
    for zone in ("Asia/Tokyo", "UTC+09:00", "+0900"):
        assert local_days(utc, "at", timezone=zone).dt.day.tolist()[:2] == [31, 1]
    with pytest.raises(ParameterError, match="time zone"):
        zone_named("Mars/Olympus")


@pytest.mark.parametrize(
    "values",
    [
        ["2026-08-31", "2026-09-01T00:00+09:00"],
        [20260831, 20260901],
        [pd.Timestamp("2026-08-31T10:00+09:00"), pd.Timestamp("2026-09-01T10:00+01:00")],
        [pd.Timestamp("2026-08-31T10:00+09:00"), pd.Timestamp("2026-09-01T10:00")],
    ],
)
def test_text_numbers_and_mixed_offsets_are_refused(values):
    with pytest.raises(InputError, match="`at` must hold timestamps"):
        instants(pd.Series(values, dtype=object), "at")


def test_nothing_but_missing_values_may_be_of_any_type_and_days_before_1970_round_down():
    assert local_days(pd.Series([None, None], dtype=object), "at").isna().all()
    assert local_days(pd.Series(pd.to_datetime(["1969-12-31 23:00"])), "at").dt.day.tolist() == [31]


@pytest.mark.parametrize("never", [dt.date(9999, 12, 31), dt.datetime(9999, 12, 31, 5)])  # noqa: DTZ001
def test_days_beyond_the_range_of_nanoseconds_are_days(never):
    days = local_days(pd.Series([never, None], dtype=object), "at")
    assert days.dt.year.tolist()[0] == 9999 and days.isna().tolist() == [False, True]


@pytest.mark.parametrize("value", [pd.NaT, None, "2026-02-30"])
def test_no_day_of_the_calendar_is_refused(value):
    with pytest.raises(ParameterError, match="calendar"):
        to_date(value)
    assert to_date(np.datetime64("2026-02-28T10:00")) == dt.date(2026, 2, 28)


@pytest.mark.parametrize("name", [name for name in COLUMNS if "dates" not in name and "days" not in name])
def test_every_clock_reads_the_same_days_as_the_summary(name):
    """The order of 23:30 and that of 8:20 the next morning are one night apart, in every kind of column."""
    orders = pd.DataFrame({"customer_id": "a", "order_id": ["1", "2"], "amount": 5.0})
    orders["ordered_at"] = COLUMNS[name].iloc[:2]
    times = cx.repeat_times(orders, as_of="2026-09-30")
    assert times["duration_days"].tolist() == [1] and times["from_on"].dt.day.tolist() == [31]
    summary = cx.summarise_customers(orders, as_of="2026-09-30")
    assert summary["first_order_on"].dt.day.tolist() == [31] and summary["recency_days"].tolist() == [29]


@pytest.mark.parametrize("name", ["objects", "Python's"])
def test_customers_are_summarised_by_the_day_on_the_clock_of_python_objects_too(name):
    times = {"objects": TOKYO.iloc[:2].astype(object)}
    times["Python's"] = pd.Series([at.to_pydatetime() for at in times["objects"]], dtype=object)
    orders = pd.DataFrame(
        {"customer_id": "a", "order_id": ["1", "2"], "amount": 5.0, "ordered_at": times[name]}
    )
    found = cx.summarise_customers(orders, as_of="2026-09-30").iloc[0]
    assert [found[day].strftime("%m-%d") for day in ("first_order_on", "last_order_on")] == ["08-31", "09-01"]
    assert cx.count_orders(orders, as_of="2026-08-31")["orders"] == 1
    with pytest.raises(ParameterError, match=r"`customer_id_col='customer_id'` is the index"):
        cx.summarise_customers(orders.set_index("customer_id"), as_of="2026-09-30")
    mixed = orders.assign(ordered_at=[orders["ordered_at"][0], orders["ordered_at"][1].replace(tzinfo=None)])
    with pytest.raises(InputError, match="ordered_at"):
        cx.summarise_customers(mixed, as_of="2026-09-30")
