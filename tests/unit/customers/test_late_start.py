"""Data that begin in the middle of customers' lives are told from a company that begins with them."""

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.customers.late_start import settled_shares, short_of_history

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
