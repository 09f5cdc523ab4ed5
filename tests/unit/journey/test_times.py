"""The same days whatever the machine's zone: clock changes, month boundaries, leap days."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import InputError
from cxlib.journey.expectation import gap_surface
from cxlib.journey.funnels_and_exits import funnel
from cxlib.journey.roles.state_moves import state_changes
from cxlib.journey.second_purchase.days_between import repeat_times
from cxlib.journey.second_purchase.f2_curve import repeat_curve
from cxlib.journey.time_in_stage import stage_times


def orders(*times, zone="Asia/Tokyo"):
    stamps = pd.to_datetime(list(times)).tz_localize(zone)
    return pd.DataFrame({"customer_id": "a", "ordered_at": stamps, "amount": 1.0})


def test_the_day_the_clock_changes_is_one_day():
    lines = orders("2026-03-07 23:30", "2026-03-08 03:30", zone="America/New_York")
    times = repeat_times(lines, as_of="2026-03-31")
    assert times[["duration_days", "is_repeat"]].to_numpy().tolist() == [[1, True]]
    autumn = orders("2026-10-31 12:00", "2026-11-01 23:30", zone="America/New_York")
    assert repeat_times(autumn, as_of="2026-11-30")["duration_days"].to_list() == [1]


def test_both_hours_of_the_repeated_hour_are_the_same_day():
    twice = pd.to_datetime(["2026-11-01 05:30", "2026-11-01 06:30"], utc=True).tz_convert("America/New_York")
    lines = pd.DataFrame({"customer_id": "a", "ordered_at": twice, "amount": 1.0})
    assert repeat_times(lines, as_of="2026-11-30")["is_repeat"].to_list() == [False]


def test_utc_read_as_local_time_moves_a_purchase_over_the_month_boundary():
    utc = pd.to_datetime(["2026-01-31 20:00", "2026-02-01 10:00"], utc=True)
    lines = pd.DataFrame({"customer_id": "a", "ordered_at": utc, "amount": 1.0})
    local = lines.assign(ordered_at=lines["ordered_at"].dt.tz_convert("Asia/Tokyo"))
    assert repeat_times(lines, as_of="2026-02-28")["is_repeat"].to_list() == [True]
    assert repeat_times(local, as_of="2026-02-28")["is_repeat"].to_list() == [False]
    assert str(repeat_times(local, as_of="2026-02-28")["from_on"].iloc[0].date()) == "2026-02-01"
    assert repeat_times(local, as_of="2026-01-31").empty


@pytest.mark.parametrize(
    ("first", "second", "days"),
    [
        ("2024-02-28", "2024-03-01", 2),
        ("2023-02-28", "2023-03-01", 1),
        ("2024-02-29", "2025-02-28", 365),
        ("2024-02-29", "2025-03-01", 366),
        ("2026-01-31", "2026-02-28", 28),
    ],
)
def test_windows_over_leap_days_and_month_ends_count_days(first, second, days):
    lines = orders(f"{first} 23:59", f"{second} 00:01")
    assert repeat_times(lines, as_of=second)["duration_days"].to_list() == [days]
    curve = repeat_curve(lines, as_of=second, horizons_days=[days] if days == 1 else [days - 1, days])
    assert curve["estimate"].to_list()[-1] == 1
    assert (curve["estimate"][:-1] == 0).all()


def test_text_instead_of_times_is_named():
    lines = pd.DataFrame({"customer_id": ["a"], "ordered_at": ["2026-01-01"], "amount": [1.0]})
    with pytest.raises(InputError, match="ordered_at"):
        repeat_times(lines, as_of="2026-01-31")


def test_stage_days_states_and_gaps_use_local_days():
    late = pd.Timestamp("2026-01-31 23:30", tz="Asia/Tokyo")
    names = [str(number) for number in range(40)]
    events = pd.DataFrame({"customer_id": names, "touchpoint": "mail", "stage": "buy", "occurred_at": late})
    later = events.assign(stage="use", occurred_at=pd.Timestamp("2026-02-01 00:30", tz="Asia/Tokyo"))
    both = pd.concat([events, later], ignore_index=True)
    assert stage_times(both, stage_order=["buy", "use"], as_of="2026-02-28")["estimate"].to_list() == [1.0]
    days = pd.to_datetime(["2026-01-31", "2026-03-02"])
    everybody = names + [f"x{name}" for name in names]
    states = pd.DataFrame({"as_of": np.repeat(days, 80), "customer_id": everybody * 2, "state": "low"})
    touched = state_changes(events, states, state_order=["low", "high"])
    assert touched["n_touched"].to_list()[0] == 40
    assert state_changes(later, states, state_order=["low", "high"])["n_touched"].to_list()[0] == 0
    rated = events.assign(expectation=np.tile([1, 3, 5, 2], 10), experience=np.repeat([1, 2, 4, 5], 10))
    bought = pd.DataFrame(
        {"customer_id": names, "ordered_at": pd.Timestamp("2026-02-01 00:10", tz="Asia/Tokyo")}
    )
    surface = gap_surface(rated, bought, as_of="2026-02-28", horizon_days=1)
    assert surface.loc[surface["metric"] == "surface", "estimate"].min() > 0.99


def test_a_funnel_window_counts_elapsed_time_over_the_clock_change():
    stamps = pd.to_datetime(["2026-03-07 12:00", "2026-03-08 12:30"]).tz_localize("America/New_York")
    views = pd.DataFrame({"customer_id": "a", "touchpoint": ["cart", "pay"], "occurred_at": stamps})
    assert funnel(views, steps=["cart", "pay"], within_days=1)["n"].to_list() == [1, 1]


EVERYTHING = """
import hashlib, sys
import pandas as pd
import cxlib as cx
company = cx.make_company(n_customers=400, seed=3)
orders, events = company["orders"], company["events"]
as_of = sys.argv[1]
frames = [
    cx.repeat_curve(orders, as_of=as_of),
    cx.f2_after_stage(events, orders, stage="decide", as_of=as_of),
    cx.lapse_after_stage(events, orders, stage="decide", as_of=as_of),
    cx.stage_times(events, stage_order=["buy", "wait", "first_use"], as_of=as_of),
    cx.gap_surface(events, orders, as_of=as_of),
    cx.value_by_f2(orders, as_of=as_of),
    cx.follow_up(company["deals"], as_of=as_of),
]
print(hashlib.sha256("".join(frame.to_csv() for frame in frames).encode()).hexdigest())
"""


def test_same_numbers_on_machines_in_either_half_of_the_world():
    found = set()
    for zone in ("Asia/Tokyo", "America/New_York"):
        run = [sys.executable, "-c", EVERYTHING, "2026-08-31"]
        done = subprocess.run(run, capture_output=True, text=True, check=True, env={**os.environ, "TZ": zone})
        found.add(done.stdout.strip())
    assert len(found) == 1
    assert len(found.pop()) == 64
