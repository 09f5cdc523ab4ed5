"""Growth by segment: adds up, planted growth is found, no growth is not, and periods are made alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import ParameterError
from cxlib.customers.groups_on_a_day import like_periods, scheme_groups
from cxlib.customers.sales_growth import segment_growth


def periods(seed=1, n=500, gain=1.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Customers keep their segment; those of A spend `gain` times as much in the later period."""
    rng = np.random.default_rng(seed)
    segment = np.array(["A", "B", "C"])[rng.integers(0, 3, n)]
    base = pd.DataFrame({"customer_id": range(n), "segment": segment})
    spend = rng.gamma(2, 50, (2, n))
    return base.assign(next_amount=spend[0]), base.assign(
        next_amount=spend[1] * np.where(segment == "A", gain, 1)
    )


def test_parts_add_up():
    before, after = periods()
    after = pd.concat(
        [after.iloc[50:], pd.DataFrame({"customer_id": [999], "segment": [None], "next_amount": [70.0]})]
    )
    table = segment_growth(before, after, order=["C", "A"])
    assert table["segment"].tolist()[:3] == ["C", "A", "B"]
    total = after["next_amount"].sum() - before["next_amount"].sum()
    assert table["estimate"].sum() == pytest.approx(total)
    np.testing.assert_allclose(table["number_effect"] + table["spend_effect"], table["estimate"])
    np.testing.assert_allclose(table["amount_after"] - table["amount_before"], table["estimate"])


def test_planted_growth_is_found_where_it_is():
    table = segment_growth(*periods(gain=1.6, n=1500)).set_index("segment")
    assert table.loc["A", "conf_low"] > 0
    assert table.loc["A", "spend_effect"] == pytest.approx(table.loc["A", "estimate"])


@pytest.mark.slow
@pytest.mark.parametrize("rounds", [80, pytest.param(200, marks=pytest.mark.long)])
def test_interval_covers_no_change(rounds):
    inside = 0
    for seed in range(rounds):
        row = segment_growth(*periods(seed, 300)).iloc[0]
        inside += row["conf_low"] <= 0 <= row["conf_high"]
    assert inside >= 0.91 * rounds


def test_missing_columns_are_named():
    before, after = periods(n=5)
    with pytest.raises(ParameterError, match="next_amount"):
        segment_growth(before, after.drop(columns="next_amount"))


def order_lines(days: int, customers: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n = customers * 12
    return pd.DataFrame(
        {
            "customer_id": [f"{value:03d}" for value in rng.integers(0, customers, n)],
            "order_id": [str(value) for value in range(n)],
            "ordered_at": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, days, n), "D"),
            "amount": rng.integers(1, 100, n).astype(float),
            "category": rng.choice(["x", "y"], n),
        }
    )


def test_like_periods_lie_a_year_apart_where_the_data_reach_and_are_alike():
    table = like_periods(order_lines(700), as_of="2025-11-30", days=60)
    starts = pd.to_datetime(table.groupby("period")["start"].first())
    assert (starts[2] - starts[1]).days == 365
    assert np.ptp(table["history_days"].to_numpy(dtype=int)) == 0
    short = like_periods(order_lines(200), as_of="2024-07-18", days=60)
    starts = pd.to_datetime(short.groupby("period")["start"].first())
    assert (starts[2] - starts[1]).days == 60
    assert like_periods(order_lines(100), as_of="2024-04-09", days=60).empty
    assert like_periods(order_lines(100).head(0), as_of="2024-04-09", days=60).empty
    with pytest.raises(ParameterError, match="days"):
        like_periods(order_lines(100), as_of="2024-04-09", days=0)


def test_totals_need_no_history_and_so_reach_a_year_back_sooner():
    lines = order_lines(450)
    as_of = str((lines["ordered_at"].max()).date())
    with_segments, totals = (
        like_periods(lines, as_of=as_of, days=60, **more) for more in ({}, {"history_days": 0})
    )
    apart = [
        np.ptp(pd.to_datetime(one["start"])) // np.timedelta64(1, "D") for one in (with_segments, totals)
    ]
    assert apart == [60, 365] and set(totals["segment"]) == {"No orders"}
    day = lines["ordered_at"].dt.normalize()
    for start, part in totals.groupby("start"):
        own = (day > pd.Timestamp(start)) & (day <= pd.Timestamp(start) + pd.Timedelta(days=60))
        assert part["next_amount"].sum() == pytest.approx(lines.loc[own, "amount"].sum())
    assert like_periods(order_lines(100), as_of="2024-04-09", days=60, history_days=0).empty


def test_money_of_both_periods_is_the_money_of_the_orders():
    lines = order_lines(700)
    table = like_periods(lines, as_of="2025-11-30", days=60)
    day = lines["ordered_at"].dt.normalize()
    for _, part in table.groupby("period"):
        start = pd.Timestamp(part["start"].iloc[0])
        own = lines[(day > start) & (day <= start + pd.Timedelta(days=60))]
        assert part["next_amount"].sum() == pytest.approx(own["amount"].sum())


def test_nobody_counts_before_they_came():
    lines = order_lines(700)
    late = lines[lines["customer_id"] == "000"].assign(customer_id="late")
    late["ordered_at"] = pd.Timestamp("2025-11-01")
    table = like_periods(pd.concat([lines, late]), as_of="2025-11-30", days=60)
    first = pd.concat([lines, late]).groupby("customer_id")["ordered_at"].min()
    begun = table["customer_id"].map(first) <= pd.to_datetime(table["start"])
    assert (begun | (table["next_amount"] != 0)).all()
    assert table.loc[table["customer_id"] == "late", "period"].tolist() == [2]


def test_new_and_returning_customers_are_counted_when_they_come():
    """By hand: four buyers at 10 become six at 8; a thousand who never came are no fewer customers."""
    idle = {"segment": "No orders", "next_amount": 0.0}
    pool = pd.DataFrame({"customer_id": range(2000), **idle})
    before, after = pool.head(1800), pool.head(900).copy()
    before = before.assign(next_amount=np.where(before["customer_id"] < 4, 10.0, 0.0))
    after["next_amount"] = np.where(after["customer_id"] < 6, 8.0, 0.0)
    row = segment_growth(before, after).iloc[0]
    assert row[["n_before", "n", "estimate"]].tolist() == [4, 6, 8]
    assert row[["number_effect", "spend_effect"]].tolist() == [18, -10]
    everybody = segment_growth(before, after, buyers_only=()).iloc[0]
    assert everybody[["n_before", "n"]].tolist() == [1800, 900]


def test_settled_customers_had_begun_before_either_history_and_histories_do_not_overlap():
    lines = order_lines(700)
    table = like_periods(lines, as_of="2025-11-30", days=60, settled=True)
    earliest = pd.Timestamp(table["start"].min()) - pd.Timedelta(days=int(table["history_days"].iloc[0]))
    first = lines.groupby("customer_id")["ordered_at"].min()
    assert (table["customer_id"].map(first) <= earliest).all()
    one, two = (set(part["customer_id"]) for _, part in table.groupby("period"))
    assert one == two and one
    starts = pd.to_datetime(table.groupby("period")["start"].first())
    assert table["history_days"].iloc[0] <= (starts[2] - starts[1]).days
    assert like_periods(order_lines(150), as_of="2024-05-29", days=60, settled=True).empty
    refunds = order_lines(700).assign(amount=lambda t: -t["amount"])
    assert like_periods(refunds, as_of="2025-11-30", days=60).empty


def test_no_scheme_looks_beyond_its_day():
    lines = order_lines(700)
    people = pd.DataFrame(
        {"customer_id": lines["customer_id"].unique(), "first_seen_on": pd.Timestamp("2024-01-01")}
    )
    settings = {"as_of": "2025-06-30", "people": people, "dimensions": ("category",)}
    whole = scheme_groups(lines, **settings)
    cut = scheme_groups(lines[lines["ordered_at"] <= "2025-06-30"], **settings)
    pd.testing.assert_frame_equal(whole, cut)
    assert {"segment", "decile", "category", "lifecycle", "state", "cluster"} <= set(whole)
