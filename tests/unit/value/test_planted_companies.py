"""Simulated companies with planted truth: what the intervals cover, and where nothing may be said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.samples.settings import ACQUISITION_CHANNELS, Truth
from cxlib.samples.simulate import make_company
from cxlib.value.acquisition_cost import cac
from cxlib.value.contract_months import contract_survivors
from cxlib.value.days_of_purchase import purchase_days, purchase_histories
from cxlib.value.leave_after_order import bg_nbd
from cxlib.value.lifetime_value import ltv, mature_value, model_value
from cxlib.value.months_held_out import hold_out
from cxlib.value.planted_histories import draw_histories
from cxlib.value.renewals_survived import contract_survival, fitted_survivors
from cxlib.value.residual_value import customer_equity, equity_change

ALONE = {"i1_orders_per_month": 0.0, "i2_orders_growth": 0.0}
UNLIKE = Truth(dropout=(0.6, 3.4), channel_drop_odds={"line": 4.0, "search_ad": 0.3}, **ALONE)
ALIKE = Truth(**ALONE)
AS_OF = pd.Timestamp("2026-09-30")
#: Of so many companies at least this many intervals hold the truth; wide for few, 90.5 % for two hundred.
FEW, MANY = 8, 200


def _company(seed, truth, n=1_500, months=24):
    tables = make_company(n_customers=n, seed=seed, months=months, truth=truth)
    people = tables["customers"].set_index("customer_id")["acquisition_channel"]
    return {
        name: rows.assign(acquisition_channel=rows["customer_id"].map(people))
        for name, rows in tables.items()
        if name in ("orders", "contracts")
    } | {"spend": tables["spend"], "customers": tables["customers"]}


def _contract_value(channel, months=12):
    alpha, beta = Truth().contract_churn[channel]
    return 1280.0 * contract_survival(alpha, beta, np.arange(float(months))).sum()


def _covered(seeds):
    """Whether the planted value of contracts, and their retention after 6 renewals, lie in their limits."""
    held = []
    for seed in seeds:
        contracts = _company(seed, UNLIKE, n=6_000)["contracts"]
        for channel in ("organic", "search_ad", "line"):
            own = contracts[contracts["acquisition_channel"] == channel]
            lines = pd.DataFrame({"customer_id": [], "ordered_at": pd.to_datetime([]), "amount": []})
            how = {"as_of": AS_OF, "contracts": own, "outcome": "amount", "discount_rate_annual": 0.0}
            row = ltv(lines, **how).iloc[2]
            held.append(row["conf_low"] < _contract_value(channel) < row["conf_high"])
    return np.mean(held)


def test_planted_value_of_contracts_lies_in_its_limits_in_a_few_companies():
    assert _covered(range(FEW // 2)) >= 0.7


@pytest.mark.long
def test_planted_value_of_contracts_lies_in_its_limits_as_often_as_promised():
    assert 0.905 <= _covered(range(MANY)) <= 0.985


def _told_apart(seeds, truth):
    told = []
    for seed in seeds:
        days = purchase_days(_company(seed, truth)["orders"], as_of=AS_OF)
        told.append(bg_nbd(purchase_histories(days, as_of=AS_OF))["note"].iloc[0] == "")
    return np.mean(told)


@pytest.mark.slow
def test_where_all_leave_alike_nobody_is_told_to_have_left():
    assert _told_apart(range(FEW), ALIKE) <= 0.25


@pytest.mark.long
def test_where_all_leave_alike_nobody_is_told_to_have_left_in_93_of_100_companies():
    assert _told_apart(range(MANY), ALIKE) <= 0.07


def _drawn(seed, n=800, months=30):
    """Purchase days of a company that is as the models say: paces, leaving and spending all known."""
    rng = np.random.default_rng(seed)
    pace, drop = rng.gamma(1.0, 1 / 3.0, n), rng.beta(0.8, 2.4, n)
    level = 6 * rng.gamma(6.0, 1 / 5.0, n)
    start = rng.integers(0, months - 12, n) * 30
    rows = []
    for who in range(n):
        day = 0.0
        while start[who] + day < months * 30.4375:
            rows.append((who, start[who] + int(day), level[who] * rng.gamma(4.0, 0.25)))
            if day > 0 and rng.random() < drop[who]:
                break
            day += rng.exponential(30.4375 / pace[who])
    frame = pd.DataFrame(rows, columns=["customer_id", "at", "value"])
    frame = frame.groupby(["customer_id", "at"], as_index=False)["value"].sum()
    zero = pd.Timestamp("2024-01-01")
    frame["day"] = (zero + pd.to_timedelta(frame["at"], unit="D")).astype("datetime64[s]")
    frame["first_day"] = frame.groupby("customer_id")["day"].transform("min")
    return frame.assign(n_orders=1), zero + pd.Timedelta(days=round(months * 30.4375) - 1)


def _true_value(horizon=12):
    """Expected 12-month value of a customer of `_drawn`, from a hundred thousand of them."""
    rng = np.random.default_rng(0)
    n = 100_000
    held = draw_histories(rng.gamma(1.0, 1 / 3.0, n), rng.beta(0.8, 2.4, n), age=horizon, seed=99)
    return float((1 + held["x"].mean()) * 6 * 6 / 5)


def _value_covered(seeds):
    truth, held = _true_value(), {"mature": [], "model": []}
    for seed in seeds:
        days, as_of = _drawn(seed)
        for name, value in (("mature", mature_value), ("model", model_value)):
            row = value(days, as_of=as_of.date(), discount_rate_annual=0.0)
            if row["note"] != "few_carry":  # no limits are given then
                held[name].append(row["conf_low"] < truth < row["conf_high"])
    return {name: np.mean(each) for name, each in held.items()}


def test_the_planted_lifetime_value_lies_in_its_limits():
    covered = _value_covered(range(6))
    assert min(covered.values()) >= 0.66, covered


@pytest.mark.long
def test_the_planted_lifetime_value_lies_in_its_limits_as_often_as_promised():
    covered = _value_covered(range(1_000, 1_300))
    assert all(0.905 <= share <= 0.985 for share in covered.values()), covered


def _foretold(seeds):
    passed = []
    for seed in seeds:
        days, as_of = _drawn(seed)
        rows = hold_out(days, as_of=as_of.date(), seed=seed).set_index("method")
        passed.append(rows.loc[["mature", "model"], "verdict"].eq("pass"))
    return pd.concat(passed, axis=1).mean(axis=1)


def test_months_not_seen_are_foretold_within_their_limits():
    assert (_foretold(range(20, 24)) >= 0.5).all()


@pytest.mark.long
def test_months_not_seen_are_foretold_as_often_as_promised():
    share = _foretold(range(2_000, 2_200))
    assert 0.905 <= share["model"] <= 0.99
    assert share["mature"] >= 0.9


@pytest.mark.slow
def test_a_cheap_bad_channel_is_told_from_a_dear_good_one():
    """Orders of a year by channel differ as planted, and the cheap channel costs less."""
    tables = _company(3, UNLIKE, n=12_000, months=30)
    days = purchase_days(tables["orders"], as_of=AS_OF, outcome="margin")
    first = days.groupby("customer_id", as_index=False)["first_day"].first()
    new = first.merge(tables["customers"])
    rows = cac(tables["spend"], new, as_of=AS_OF, days=days, unpaid=["organic"], n_boot=200)
    rows = rows.set_index(["metric", "acquisition_channel"])["estimate"]
    assert rows["ltv"]["line"] == rows["ltv"][list(ACQUISITION_CHANNELS)].min()
    assert rows["ltv"]["search_ad"] == rows["ltv"][list(ACQUISITION_CHANNELS)].max()
    assert rows["cac"]["line"] < rows["cac"]["search_ad"]


def test_equity_adds_up_and_its_change_too():
    days, as_of = _drawn(5)
    groups = pd.DataFrame({"customer_id": days["customer_id"].unique()})
    groups["segment"] = np.where(groups["customer_id"] % 2 == 0, "a", "b")
    rows = customer_equity(days, groups, as_of=as_of.date())
    whole = rows["segment"].isna()
    assert rows.loc[~whole, "estimate"].sum() == pytest.approx(rows.loc[whole, "estimate"].item())
    assert (rows["conf_low"] < rows["estimate"]).all()
    change = equity_change(days, as_of=as_of.date(), earlier=(as_of - pd.Timedelta(days=500)).date())
    parts = change.set_index("part")["estimate"]
    assert parts[["acquired", "kept", "lost"]].sum() == pytest.approx(parts["total"])
    assert parts["lost"] < 0 < parts["acquired"]
    assert change.set_index("part").loc["total", "after"] == pytest.approx(
        rows.loc[whole, "estimate"].item(), rel=0.02
    )


def test_retention_of_contracts_by_channel_is_as_planted():
    contracts = _company(1, UNLIKE, n=12_000)["contracts"]
    for channel in ("organic", "line", "search_ad"):
        own = contracts[contracts["acquisition_channel"] == channel]
        fit, _, _ = fitted_survivors(contract_survivors(own, as_of=AS_OF.date()))
        planted = contract_survival(*Truth().contract_churn[channel], np.array([1.0, 6.0, 12.0]))
        assert contract_survival(*fit.estimate, np.array([1.0, 6.0, 12.0])) == pytest.approx(
            planted, abs=0.07
        )
