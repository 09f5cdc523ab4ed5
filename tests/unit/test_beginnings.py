"""Data that begin in the middle of customers' lives are told from a company that begins with them."""

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.beginnings import early_buyers, settled_shares, short_of_history

AS_OF = "2026-12-31"


def shop(seed, *, years, regulars=0.3, extracted_days=365, a_day=3):
    """Customers arrive evenly for `years`; `regulars` order every 45 days on average, the others once."""
    rng = np.random.default_rng(seed)
    days = int(years * 365)
    first = np.repeat(np.arange(days), a_day)
    rows = []
    for who, day in enumerate(first):
        rows.append((who, day))
        if rng.random() < regulars:
            after = day + np.cumsum(rng.exponential(45, 80))
            rows += [(who, when) for when in after[after < days]]
    orders = pd.DataFrame(rows, columns=["customer_id", "day"])
    orders["ordered_at"] = pd.Timestamp(AS_OF) - pd.to_timedelta(days - 1 - orders["day"].astype(int), "D")
    orders = orders[orders["day"] >= days - extracted_days]
    return orders.assign(customer_id=orders["customer_id"].astype(str), amount=10.0)


@pytest.mark.parametrize(("years", "expected"), [(3, True), (1, False)])
def test_a_year_cut_from_an_older_shop_is_told_from_the_first_year_of_a_new_one(years, expected):
    found = [
        early_buyers(cx.repeat_times(shop(seed, years=years), as_of=AS_OF), as_of=AS_OF) for seed in range(3)
    ]
    assert [one["is_mid_life"] for one in found] == [expected] * 3
    assert all(str(one["from_on"]) == "2026-04-02" for one in found)
    if expected:  # the start of the cut is full of regulars; three in ten of those who begin are
        assert all(one["early"] > one["late"] + 0.1 for one in found)


def test_a_crowd_at_the_opening_is_no_sign_of_older_customers():
    days = pd.date_range(end=AS_OF, periods=365)
    first = days.repeat(2).append(days[:60].repeat(8))
    times = pd.DataFrame({"from_on": first, "duration_days": 40, "is_repeat": np.arange(len(first)) % 4 == 0})
    found = early_buyers(times, as_of=AS_OF)
    assert found["ratio"] > 3
    assert not found["is_mid_life"]


def test_data_too_short_or_too_few_say_nothing():
    times = pd.DataFrame(
        {"from_on": pd.date_range("2026-12-01", periods=31), "duration_days": 1, "is_repeat": True}
    )
    assert early_buyers(times, as_of=AS_OF) == {}
    assert early_buyers(times.head(0), as_of=AS_OF) == {}


def test_states_with_a_burn_in_show_whom_the_start_makes_look_regular():
    orders = shop(1, years=3)
    orders = orders.assign(order_id=np.arange(len(orders)).astype(str))
    first = cx.summarise_customers(orders, as_of=AS_OF).set_index("customer_id")["first_order_on"]
    people = pd.DataFrame({"customer_id": first.index, "first_seen_on": first.to_numpy()})
    states = cx.attitude_states(people, orders, as_of=AS_OF)
    table = settled_shares(states, first, from_on="2026-04-02").set_index("state")
    late = first[first >= "2026-04-02"].index
    own = states[states["customer_id"].isin(late)]["state"].value_counts(normalize=True)
    assert table["settled"].to_dict() == pytest.approx(own.reindex(table.index, fill_value=0).to_dict())
    assert table.loc["convinced", "is_apart"]
    assert table.loc["convinced", "settled"] < table.loc["convinced", "estimate"]


def test_a_state_of_a_year_without_orders_is_not_read_off_a_year_of_data():
    limits = cx.stay_limits(cx.load_rules("states"))
    assert limits.set_index("state").loc["lapsed", "since_days"] == 365
    assert short_of_history(limits, history_days=400)["state"].tolist() == ["lapsed"]
    assert short_of_history(limits, history_days=730).empty
