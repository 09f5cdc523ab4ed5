"""The order of rows decides nothing in the segmentation chapter, whatever ties the data hold."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

import cxlib as cx

AS_OF = "2026-06-30"


def order_lines(seed=5, customers=160):
    """Lines with ties everywhere: few amounts, equal times, several lines an order, refunds, gaps."""
    rng = np.random.default_rng(seed)
    n = customers * 5
    orders = pd.DataFrame(
        {
            "customer_id": rng.integers(0, customers, n).astype(str),
            "ordered_at": pd.Timestamp("2025-03-01") + pd.to_timedelta(rng.integers(0, 240, n) * 2, "D"),
            "order_id": np.arange(n).astype(str),
        }
    )
    orders["customer_id"] = orders["customer_id"].where(rng.random(n) > 0.03)
    lines = orders.loc[orders.index.repeat(rng.integers(1, 4, n))].reset_index(drop=True)
    lines["line"] = lines.groupby("order_id").cumcount()
    n = len(lines)
    return lines.assign(
        amount=rng.choice([10.0, 10.0, 20.0, 40.0, 0.0, -10.0], n),
        category=rng.choice(["tea", "cup", "soap", None], n),
        taste=rng.choice(["mild", "citrus"], n),
        channel=rng.choice(["ec", "store"], n),
    )


def people(lines):
    ids = sorted(lines["customer_id"].dropna().unique())
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"customer_id": ids, "region": rng.choice(["north", "south", None], len(ids))})
    return frame.assign(first_seen_on=pd.Timestamp("2025-02-01"), plan=rng.choice(["a", "b", "c"], len(ids)))


def deals(frame):
    some = frame.sort_values("customer_id", ignore_index=True).iloc[:40]
    return pd.DataFrame(
        {
            "customer_id": some["customer_id"],
            "created_on": pd.Timestamp("2026-01-01"),
            "closed_on": pd.Series([pd.NaT, pd.Timestamp("2026-02-01")] * 20),
        }
    )


def scored(lines, **more):
    return cx.assign_segments(
        cx.rfm(cx.summarise_customers(lines, as_of=AS_OF, **more)), rules=cx.load_rules("rfm_segments")
    )


@cache
def customers_after_the_test_day():
    return after_the_test_day(order_lines(customers=300))


def after_the_test_day(lines):
    groups = cx.scheme_groups(lines, as_of="2026-03-31", dimensions=("category", "taste"))
    return cx.next_period(groups, lines, start="2026-03-31", days=60)


def periods(lines, **more):
    held = cx.like_periods(lines, as_of=AS_OF, days=60, **more)
    return held[held["period"] == 1], held[held["period"] == 2]


def states(lines, frame):
    return cx.attitude_states(frame, lines, as_of=["2026-03-31", "2026-05-31", AS_OF], deals=deals(frame))


#: From order lines and customers to a result, the way a report gets there.
FROM_LINES = {
    "summarise": lambda lines, _: cx.summarise_customers(lines, as_of=AS_OF),
    "count_lines": lambda lines, _: pd.DataFrame([cx.count_lines(lines)]),
    "scored": lambda lines, _: scored(lines),
    "wallets": lambda lines, _: cx.wallets(lines, as_of=AS_OF, dimensions=["category", "taste"]),
    "purchase_pairs": lambda lines, _: cx.purchase_pairs(lines, dimension="category"),
    "scheme_groups": lambda lines, frame: cx.scheme_groups(
        lines, as_of=AS_OF, people=frame, deals=deals(frame), dimensions=("category", "taste")
    ),
    "next_period": lambda lines, _: after_the_test_day(lines),
    "like_periods": lambda lines, _: pd.concat(periods(lines)),
    "settled": lambda lines, _: pd.concat(periods(lines, settled=True)),
    "lifecycle": lambda lines, frame: cx.lifecycle_stages(frame, lines, as_of=[AS_OF], deals=deals(frame)),
    "attitude": lambda lines, frame: states(lines, frame),
    "chosen": lambda lines, frame: cx.choose_customers(frame, lines, as_of=AS_OF, by="region"),
    "first_purchase_groups": lambda lines, frame: cx.first_purchase_groups(frame, lines),
    "repeat_times": lambda lines, _: cx.repeat_times(lines, as_of=AS_OF),
}


def rows_as_set(frame):
    """Rows in an order of their own, so that only what they say is compared."""
    frame = frame.reset_index(drop=True)
    key = [
        name
        for name in ("customer_id", "period", "as_of", "dimension", "value", "ordered_at")
        if name in frame
    ]
    return frame.sort_values(key, ignore_index=True) if key else frame


def shuffled(frame, *, keep_index, seed=3):
    mixed = frame.sample(frac=1, random_state=seed)
    return mixed if keep_index else mixed.reset_index(drop=True)


@pytest.mark.parametrize("keep_index", [True, False])
@pytest.mark.parametrize("name", FROM_LINES)
def test_what_is_told_of_each_customer_does_not_depend_on_the_order_of_lines(name, keep_index):
    lines = order_lines()
    frame = people(lines)
    mixed = shuffled(lines, keep_index=keep_index), shuffled(frame, keep_index=keep_index, seed=8)
    told, again = FROM_LINES[name](lines, frame), FROM_LINES[name](*mixed)
    pd.testing.assert_frame_equal(rows_as_set(told), rows_as_set(again))


def with_states(held):
    return held.assign(state=held["segment"], as_of=pd.Timestamp(AS_OF), claims=1)


def two_kinds(held):
    """Customers in two clear groups, so that there are clusters to find."""
    big = held["customer_id"].astype(int) % 2
    return held.assign(
        monetary_total=held["monetary_total"] + big * 9_000, frequency=held["frequency"] + big * 90
    )


FROM_CUSTOMERS = {
    "deciles": lambda t: cx.decile_table(t),
    "by_amount": lambda t: cx.decile_table(t, scheme="amount"),
    "segment_table": lambda t: cx.segment_table(t),
    "cells": lambda t: cx.segment_table(t, by=["r_score", "f_score"]),
    "concentration": lambda t: cx.concentration(t, by="segment"),
    "lorenz": lambda t: cx.lorenz(t),
    "cuts": lambda t: cx.rfm_cuts(t),
    "backtest": lambda t: cx.backtest(t),
    "backtest_gap": lambda t: cx.backtest_gap(t),
    "outcomes": lambda t: cx.outcome_table(t, by=["r_score", "f_score"]),
    "schemes": lambda t: cx.compare_schemes(
        t, schemes=["decile", "segment", "category", "f_score"], earlier=t
    ),
    "profile": lambda t: cx.segment_profile(t, attributes=["category", "taste", "r_score"]),
    "clusters": lambda t: cx.cluster_evidence(t),
    "cluster_of_each": lambda t: cx.cluster_customers(t)[["customer_id", "cluster"]].sort_values(
        "customer_id"
    ),
    "actions": lambda t: cx.actions(t, tested=t),
    "state_table": lambda t: cx.state_table(with_states(t)),
    "lead": lambda t: pd.DataFrame([cx.group_lead(t)]),
    "middle": lambda t: cx.middle_by_group(t, by="segment"),
    "scores": lambda t: pd.DataFrame(cx.empty_scores(t)),
}


@pytest.mark.parametrize("name", FROM_CUSTOMERS)
def test_tables_do_not_depend_on_the_order_of_customers(name):
    customers = customers_after_the_test_day()
    told, again = (FROM_CUSTOMERS[name](t) for t in (customers, shuffled(customers, keep_index=False)))
    pd.testing.assert_frame_equal(told.reset_index(drop=True), again.reset_index(drop=True), rtol=1e-9)


MORE = {
    "ctb": lambda t: cx.dominant_table(cx.ctb(t)),
    "ctb_table": lambda t: cx.ctb_table(t),
}


@pytest.mark.parametrize("name", MORE)
def test_preferences_do_not_depend_on_the_order_of_wallets(name):
    held = cx.wallets(order_lines(), as_of=AS_OF, dimensions=["category", "taste"])
    pd.testing.assert_frame_equal(MORE[name](held), MORE[name](shuffled(held, keep_index=False)), rtol=1e-9)


def test_what_follows_what_does_not_depend_on_the_order_of_moves():
    pairs = cx.purchase_pairs(order_lines(), dimension="category")
    mixed = shuffled(pairs, keep_index=False)
    pd.testing.assert_frame_equal(cx.next_purchases(pairs), cx.next_purchases(mixed), rtol=1e-9)
    hits = (cx.next_purchase_hits(part, start="2026-01-31") for part in (pairs, mixed))
    pd.testing.assert_frame_equal(*hits, rtol=1e-9)


def test_growth_and_moves_do_not_depend_on_the_order_of_customers():
    one, two = periods(order_lines())
    mixed = [shuffled(part, keep_index=False) for part in (one, two)]
    pd.testing.assert_frame_equal(cx.segment_growth(one, two), cx.segment_growth(*mixed), rtol=1e-9)
    pd.testing.assert_frame_equal(
        cx.migration(one, two, by="segment"), cx.migration(*mixed, by="segment"), rtol=1e-9
    )


def test_states_over_time_do_not_depend_on_the_order_of_days():
    lines = order_lines()
    held = states(lines, people(lines))
    mixed = shuffled(held, keep_index=False)
    for table in (cx.state_table, cx.state_transitions, cx.state_spells):
        pd.testing.assert_frame_equal(table(held), table(mixed))
    first = cx.summarise_customers(lines, as_of=AS_OF).set_index("customer_id")["first_order_on"]
    now = held[held["as_of"] == AS_OF]
    settled = (cx.settled_shares(part, first, from_on="2025-06-01") for part in (now, now.iloc[::-1]))
    pd.testing.assert_frame_equal(*settled)
    told = [cx.settled_from(rows, as_of=AS_OF) for rows in (lines, lines.iloc[::-1])]
    pd.testing.assert_series_equal(*map(pd.Series, told))
