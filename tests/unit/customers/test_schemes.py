"""Schemes on the same next period: planted winners, no reward for many groups, moves beside chance alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cxlib.checks import ParameterError
from cxlib.customers.groups_on_a_day import like_periods as settled_periods
from cxlib.customers.schemes import compare_schemes, migration
from cxlib.data.rules.rule_files import load_rules
from cxlib.data.text_type import TEXT
from cxlib.stats.bootstrap import bootstrap_counts


def customers(seed=1, n=3000) -> pd.DataFrame:
    """Money and orders follow `true`; `noisy` is a blurred copy, `random` has 300 meaningless groups."""
    rng = np.random.default_rng(seed)
    true = rng.integers(1, 6, n)
    again = rng.random(n) < 0.1 * true
    return pd.DataFrame(
        {
            "customer_id": [f"{value:05d}" for value in range(n)],
            "true": true,
            "noisy": np.clip(true + rng.integers(-2, 3, n), 1, 5),
            "random": rng.integers(0, 300, n),
            "next_orders": again.astype(int),
            "next_amount": again * rng.gamma(2, 50, n),
        }
    )


RULES = load_rules("rfm_segments")
SCHEMES = ["random", "noisy", "true"]


def test_the_planted_scheme_wins_and_many_groups_are_no_advantage():
    table = compare_schemes(customers(), schemes=SCHEMES)
    for metric, rows in table.groupby("metric"):
        assert rows["scheme"].tolist() == ["true", "noisy", "random"]
        assert rows["behind"].tolist() == sorted(rows["behind"])
        assert rows["behind_conf_low"].iloc[-1] > 0, metric
    lift, captured = (table[table["metric"] == name]["estimate"].to_numpy() for name in ("lift", "captured"))
    np.testing.assert_allclose(lift, captured / 0.2)
    random = table[(table["scheme"] == "random") & table["metric"].str.endswith("explained")]
    assert (random["estimate"] < 0.01).all()


def test_what_explains_nothing_captures_its_share_only():
    table = compare_schemes(customers().assign(nothing=1), schemes=["nothing"], top=0.2).set_index("metric")
    assert table.loc["repeat_explained", "estimate"] == pytest.approx(0, abs=1e-9)
    assert table.loc["captured", "estimate"] == pytest.approx(0.2, abs=0.01)


def test_explained_deviance_covers_its_long_run_value():
    """Truth: deviance explained by the true rates in a very large sample."""
    rates = 0.1 * np.arange(1, 6)
    entropy = -(rates * np.log(rates) + (1 - rates) * np.log(1 - rates)).mean()
    null = -(0.3 * np.log(0.3) + 0.7 * np.log(0.7))
    truth = 1 - entropy / null
    inside = 0
    for seed in range(40):
        row = compare_schemes(customers(seed, 1500), schemes=["true"]).iloc[0]
        inside += row["conf_low"] <= truth <= row["conf_high"]
    assert inside >= 34


@pytest.mark.slow
@pytest.mark.parametrize(("rounds", "most"), [(20, 3), pytest.param(60, 7, marks=pytest.mark.long)])
def test_a_lead_picked_on_the_same_customers_is_not_called_real(rounds, most):
    """Twelve schemes of equal worth: the best of them leads, and at most one time in twenty significantly."""
    called = 0
    for seed in range(rounds):
        data = customers(seed, 800)
        rng = np.random.default_rng(10_000 + seed)
        blurred = {f"s{i}": np.clip(data["true"] + rng.integers(-2, 3, 800), 1, 5) for i in range(12)}
        table = compare_schemes(data.assign(**blurred), schemes=list(blurred))
        called += (table.loc[table["metric"] == "repeat_explained", "behind_conf_low"] > 0).any()
    assert called <= most


def test_stability_is_one_for_the_same_groups_and_nought_for_chance():
    data = customers(n=1500)
    earlier = data[["customer_id", "true"]].assign(random=np.random.default_rng(3).integers(0, 300, 1500))
    earlier["noisy"] = data["noisy"].where(np.arange(1500) % 5 > 0, 1)
    table = compare_schemes(data, schemes=SCHEMES, earlier=earlier).query("metric == 'stability'")
    assert table["scheme"].tolist() == ["true", "noisy", "random"]
    assert table["estimate"].iloc[0] == 1
    assert table["estimate"].iloc[2] == pytest.approx(0, abs=0.01)
    assert 0.5 < table["estimate"].iloc[1] < 0.95
    only = compare_schemes(data, schemes=SCHEMES, earlier=earlier[["customer_id", "true"]])
    assert only.loc[only["metric"] == "stability", "scheme"].tolist() == ["true"]


def test_stability_does_not_depend_on_how_many_resamples_are_held_at_once(monkeypatch):
    data, held = customers(n=300), []
    earlier = data[["customer_id", "noisy"]].assign(noisy=data["noisy"].where(np.arange(300) % 3 > 0, 1))

    def counted(n_rows, **settings):
        for block in bootstrap_counts(n_rows, **settings):
            held.append(len(block))
            yield block

    monkeypatch.setattr("cxlib.customers.schemes.bootstrap_counts", counted)
    whole = compare_schemes(data, schemes=["noisy"], earlier=earlier)
    monkeypatch.setattr("cxlib.customers.schemes.DRAWN_AT_ONCE", 900)
    parted = compare_schemes(data, schemes=["noisy"], earlier=earlier)
    assert held[0] == 200 and set(held[1:-1]) == {3}
    pd.testing.assert_frame_equal(parted, whole)
    assert whole.loc[whole["metric"] == "stability", "std_error"].item() > 0


def test_row_order_and_names_of_groups_do_not_matter():
    base = customers(n=400)
    renamed = base.assign(true=base["true"].astype(TEXT) + "x").sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(
        compare_schemes(base, schemes=["true", "noisy"]), compare_schemes(renamed, schemes=["true", "noisy"])
    )


def test_too_little_to_judge_gives_an_empty_frame():
    assert compare_schemes(customers(n=30), schemes=SCHEMES).empty
    assert compare_schemes(customers().assign(next_orders=0), schemes=SCHEMES).empty
    with pytest.raises(ParameterError, match="schemes"):
        compare_schemes(customers(), schemes=["ture"])
    with pytest.raises(ParameterError, match="top"):
        compare_schemes(customers(), schemes=["true"], top=20)


def like_periods(seed, drift=0.0):
    """Two like periods of customers with a fixed mean each: only chance moves them (unless they drift)."""
    rng = np.random.default_rng(seed)
    mean = rng.normal(0, 1, 2000)
    spend = [mean + rng.normal(0, 1, 2000), mean + drift * (mean > 1) + rng.normal(0, 1, 2000)]
    return [
        pd.DataFrame({"customer_id": range(2000), "decile": 5 - np.searchsorted([-2, -1, 0, 1], values)})
        for values in spend
    ]


def test_regression_to_the_mean_alone_is_not_called_a_move():
    p_values = [migration(*like_periods(seed))["p_value"].iloc[0] for seed in range(60)]
    assert sum(p < 0.05 for p in p_values) <= 8
    assert migration(*like_periods(1, drift=-3.0))["p_value"].iloc[0] < 1e-6


def ordered(seed, customers=250, days=1100, stop=0.0) -> pd.DataFrame:
    """Customers who buy at a rate of their own from the first day on; a share `stop` ends after day 600."""
    rng = np.random.default_rng(seed)
    number = rng.poisson(rng.gamma(1.5, 1 / 90, customers) * days)
    owner, day = np.repeat(np.arange(customers), number), rng.integers(0, days, number.sum())
    lines = pd.DataFrame({"customer_id": owner, "ordered_at": day, "amount": rng.lognormal(8, 0.5, len(day))})
    lines = lines[(lines["customer_id"] >= stop * customers) | (lines["ordered_at"] < 600)]
    return lines.assign(
        customer_id=lines["customer_id"].astype(TEXT),
        order_id=[str(row) for row in range(len(lines))],
        ordered_at=pd.Timestamp("2023-09-28") + pd.to_timedelta(lines["ordered_at"], "D"),
    )


def moved(lines) -> pd.DataFrame:
    followed = settled_periods(lines, as_of="2026-09-30", days=90, settled=True, rules=RULES)
    before, after = (followed[followed["period"] == number] for number in (1, 2))
    return migration(before, after, by="segment")


@pytest.mark.slow
@pytest.mark.parametrize(("rounds", "most"), [(8, 2), pytest.param(20, 3, marks=pytest.mark.long)])
def test_moves_of_a_company_where_nothing_changes_are_news_one_time_in_twenty(rounds, most):
    """Whoever stopped ordering has a counterpart who began again: at 5 %, 4 of 20 is once in a hundred."""
    p_values = [moved(ordered(seed, 200))["p_value"].iloc[0] for seed in range(rounds)]
    assert sum(p < 0.05 for p in p_values) <= most
    assert np.mean(p_values) > 0.3
    assert moved(ordered(1, stop=0.4))["p_value"].iloc[0] < 0.001


@pytest.mark.long
def test_size_of_the_symmetry_test_with_few_moves():
    p_values = np.array([moved(ordered(seed, 120))["p_value"].iloc[0] for seed in range(200)])
    assert 0.01 <= (p_values < 0.05).mean() <= 0.09


def test_moves_add_up():
    table = migration(*like_periods(3))
    assert table["n"].sum() == 2000
    np.testing.assert_allclose(table.groupby("before")["estimate"].sum(), 1)
    np.testing.assert_allclose(table["expected_n"].sum(), 2000)
    top = table[(table["before"] == 1) & (table["after"] != 1)]
    assert top["n"].sum() > 0, "top customers fall although nobody changed"


def test_nobody_in_both_periods():
    one = pd.DataFrame({"customer_id": ["a"], "decile": [1]})
    assert migration(one, one.assign(customer_id="b")).empty
    with pytest.raises(ParameterError, match="decile"):
        migration(one, one.drop(columns="decile"))
