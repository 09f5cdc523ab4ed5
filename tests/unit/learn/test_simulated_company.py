"""A learner's company is the sample with seed 7, another one with another seed, and broken as asked."""

from pathlib import Path

import pandas as pd

import cxlib as cx

SAMPLE = Path(__file__).parents[3] / "data" / "sample"


def test_seed_seven_is_the_sample():
    shop, sample = cx.learn.company(), cx.open_data(SAMPLE)
    columns = ["order_id", "line", "customer_id", "ordered_at", "amount", "margin", "channel"]
    pd.testing.assert_frame_equal(shop["orders"][columns], sample.table("orders")[columns])
    assert shop.as_of == sample.as_of


def test_another_seed_is_another_company_with_the_same_truths():
    shop, other = cx.learn.company(), cx.learn.company(seed=1)
    assert shop["orders"]["amount"].sum() != other["orders"]["amount"].sum()
    assert shop.truth["f2"]["by_day_without_initiatives"] == other.truth["f2"]["by_day_without_initiatives"]


def test_duplicates_are_whole_lines_of_the_last_week():
    shop, broken = cx.learn.company(), cx.learn.broken_company("duplicates")
    twice = broken["orders"].duplicated(["order_id", "line"])
    assert 0 < twice.sum() == len(broken["orders"]) - len(shop.exported["orders"])
    days = broken["orders"].loc[twice, "ordered_at"]
    assert broken["orders"]["ordered_at"].max() - days.min() < pd.Timedelta(days=8)


def test_planned_dates_are_those_of_open_deals_only():
    shop, broken = cx.learn.company(), cx.learn.broken_company("planned_dates")
    before, after = shop.exported["deals"]["closed_on"], broken["deals"]["closed_on"]
    is_open = broken["deals"]["is_won"].isna()
    assert after[~is_open].equals(before[~is_open])
    assert (before.isna() & after.notna())[is_open].any()


def test_the_time_zone_moves_online_orders_to_other_hours():
    shop, broken = cx.learn.company(), cx.learn.broken_company("time_zone")
    moved = shop.exported["orders"]["ordered_at"] - broken["orders"]["ordered_at"]
    assert set(moved.dt.total_seconds() / 3600) == {0.0, 9.0}
    assert broken["orders"].loc[moved > pd.Timedelta(0), "channel"].unique().tolist() == ["ec"]
