"""Series, bounds and other evidence beside the answering rung; money of waves; what enrolments give away."""

import narwhals as nw
import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.checks import ParameterError


def months(values, first=-12):
    return pd.DataFrame({"m": range(first, first + len(values)), "y": np.asarray(values, float)})


SERIES = {"outcome_col": "y", "time_col": "m"}


def test_series_recovers_a_step_on_trend_and_season():
    rng = np.random.default_rng(2)
    time = np.arange(-60, 24)
    noise = np.convolve(rng.normal(size=90), [1, 0.5], "valid")[: len(time)] * 2
    y = 100 + 0.5 * time + 8 * np.sin(2 * np.pi * time / 12) + noise + 10 * (time >= 0)
    found = cx.interrupted_series(months(y, -60), **SERIES, slope=False).set_index("metric").loc["level"]
    assert found["conf_low"] < 10 < found["conf_high"]
    assert found["conf_low"] > 5
    jumps = cx.placebo_starts(months(y, -60), **SERIES, margin_months=12)
    assert jumps["start"].max() < 0
    assert ((jumps["conf_low"] > 0) | (jumps["conf_high"] < 0)).mean() < 0.3


@pytest.mark.parametrize("values", [np.arange(4.0), np.ones(12), np.r_[np.ones(12), np.nan * np.ones(9)]])
def test_series_too_short_gives_no_number(values):
    assert cx.interrupted_series(months(values), **SERIES)["estimate"].isna().all()
    assert cx.placebo_starts(months(values), **SERIES).empty or len(values) > 4


def test_series_lists_its_seasons():
    with pytest.raises(ParameterError, match="wave"):
        cx.interrupted_series(months(np.arange(24.0)), **SERIES, season="quarters")


def study(n=300, before=12, after=6, drift=0.0, effect=0.0, noise=1.0, seed=0):
    rng = np.random.default_rng(seed)
    time = np.arange(-before, after)
    treated = np.arange(n) < n // 2
    level = rng.normal(size=(n, 1)) + rng.normal(size=(n, len(time))) * noise
    level += treated[:, None] * (drift * time + effect * (time >= 0))
    return pd.DataFrame(
        {
            "customer_id": np.repeat(np.arange(n), len(time)),
            "arm": np.repeat(np.where(treated, "treatment", "control"), len(time)),
            "start_month": np.repeat(np.where(treated, 0.0, np.nan), len(time)),
            "month": np.tile(time, n),
            "margin": level.ravel(),
            "orders": (level > 0).astype(float).ravel(),
        }
    )


def test_bounds_without_noise_are_the_identified_set():
    found = cx.drift_bounds(study(noise=1e-9, drift=0.1, effect=2.0), horizon_months=6).set_index("m_bar")
    step = 0.6  # from half-year to half-year
    assert found.loc[0.0, "estimate"] == pytest.approx(2.0 + step, abs=1e-6)
    assert found.loc[1.0, "bound_low"] == pytest.approx(2.0, abs=1e-6)
    assert found["breakdown"].iloc[0] == pytest.approx((2.0 + step) / step, rel=1e-3)


def test_breakdown_is_where_the_interval_meets_zero():
    panel = study(effect=1.5)
    names = {"outcome_col": "margin", "unit_col": "customer_id", "time_col": "month"}
    result = cx.att_gt(panel, **names, start_col="start_month", base="mean")
    at = cx.relative_magnitudes(result, horizon_months=6)["breakdown"].iloc[0]
    assert at > 0
    there = cx.relative_magnitudes(result, horizon_months=6, m_bars=[at]).iloc[0]
    assert there["conf_low"] == pytest.approx(0, abs=1e-9)
    assert cx.relative_magnitudes(result, block_months=12).empty
    assert cx.drift_bounds(study(effect=0.0, seed=3))["breakdown"].iloc[0] == 0


@pytest.mark.slow
def test_bounds_hold_when_the_drift_goes_on():
    hits = 0
    for seed in range(200):
        row = cx.drift_bounds(study(n=120, drift=0.05, effect=0.5, seed=seed), horizon_months=6)
        row = row.set_index("m_bar").loc[1.0]
        hits += row["conf_low"] < 0.5 < row["conf_high"]
    assert hits >= 190


def test_twoway_weights_add_up_to_the_regression():
    rng = np.random.default_rng(5)
    start = np.repeat(rng.choice([2.0, 4.0, np.nan], 60), 6)
    panel = pd.DataFrame({"u": np.repeat(np.arange(60), 6), "t": np.tile(np.arange(6), 60), "g": start})
    panel["y"] = rng.normal(size=len(panel)) + np.maximum(panel["t"] - panel["g"] + 1, 0).fillna(0)
    found = cx.twoway_weights(panel, outcome_col="y", unit_col="u", time_col="t", start_col="g")
    flat = panel.assign(d=(panel["t"] >= panel["g"]).astype(float))
    for column in ("d", "y"):
        for key in ("u", "t"):
            flat[column] -= flat.groupby(key)[column].transform("mean")
    twfe = (flat["d"] * flat["y"]).sum() / (flat["d"] ** 2).sum()
    assert found["weight"].sum() == pytest.approx(1)
    assert (found["estimate"] * found["weight"]).sum() == pytest.approx(twfe)


def growing(seed, *, never):
    """1,000 units, 10 periods, waves at 3 and 6 (and never): the effect grows by 1 a period."""
    rng = np.random.default_rng(seed)
    starts = [3.0, 6.0, np.nan] if never else [3.0, 6.0]
    start = np.repeat(rng.choice(starts, 1000), 10)
    panel = pd.DataFrame({"u": np.repeat(np.arange(1000), 10), "t": np.tile(np.arange(10), 1000), "g": start})
    panel["effect"] = np.maximum(panel["t"] - panel["g"] + 1, 0).fillna(0)
    panel["y"] = panel["effect"] + np.repeat(rng.normal(size=1000), 10) + rng.normal(size=10_000)
    return panel


@pytest.mark.parametrize("never", [True, False])
def test_growing_effects_are_recovered_where_two_way_fixed_effects_miss(never):
    panel = growing(1, never=never)
    names = {"outcome_col": "y", "unit_col": "u", "time_col": "t", "start_col": "g"}
    shown = panel if never else panel[panel["t"] < 6]
    result = cx.att_gt(shown, **names, control="never" if never else "not_yet").aggregate("simple").iloc[0]
    truth = shown.loc[shown["effect"] > 0, "effect"].mean()
    assert result["conf_low"] < truth < result["conf_high"]
    pairs = cx.twoway_weights(panel, **names)
    twoway = (pairs["estimate"] * pairs["weight"]).sum()
    whole = panel.loc[panel["effect"] > 0, "effect"].mean()
    assert twoway < (0.8 if never else 0.45) * whole


@pytest.mark.slow
def test_size_of_the_tests_with_and_without_clusters():
    """No effect, 100 shops of 10 customers, intraclass correlation ½, shops assigned."""
    rejected = {"clustered": 0, "ignored": 0}
    rounds = 1000
    for seed in range(rounds):
        rng = np.random.default_rng(seed)
        shop = np.repeat(np.arange(100), 10)
        change = rng.normal(size=100)[shop] + rng.normal(size=1000)
        values = np.column_stack([np.zeros(1000), change]).ravel()
        panel = pd.DataFrame({"u": np.repeat(np.arange(1000), 2), "t": np.tile([0, 1], 1000), "y": values})
        panel = panel.assign(
            shop=np.repeat(shop, 2), treated=np.repeat(shop % 2 == 0, 2), post=panel["t"] == 1
        )
        names = {
            "outcome_col": "y",
            "unit_col": "u",
            "time_col": "t",
            "treated_col": "treated",
            "post_col": "post",
        }
        rejected["ignored"] += cx.did(panel, **names)["p_value"].item() < 0.05
        rejected["clustered"] += cx.did(panel, **names, cluster_col="shop")["p_value"].item() < 0.05
    assert 0.035 <= rejected["clustered"] / rounds <= 0.065
    assert 0.33 <= rejected["ignored"] / rounds <= 0.47


def test_every_engine_gives_the_same_panel():
    duckdb, polars = pytest.importorskip("duckdb"), pytest.importorskip("polars")
    tables = cx.make_company(n_customers=300)
    orders = tables["orders"].assign(ordered_at=tables["orders"]["ordered_at"].dt.tz_convert("Asia/Tokyo"))
    row = cx.choose_initiative(tables["initiatives"], "I1")
    how = {"started_on": row["started_on"], "assignment": row["assignment"]}
    members = cx.study_members(tables["enrolments"], tables["customers"], initiative="I1", **how)
    span = {"started_on": row["started_on"], "as_of": "2026-09-30", "timezone": "Asia/Tokyo"}
    expected = cx.study_panel(orders, members, **span)
    orders = orders.assign(ordered_at=orders["ordered_at"].dt.tz_convert("UTC"))
    for other in (polars.from_pandas(orders), duckdb.connect().from_df(orders)):
        found = cx.study_panel(nw.from_native(other).lazy(), members, **span)
        pd.testing.assert_frame_equal(found, expected, check_exact=False, rtol=1e-9)


def people(n=60):
    return pd.DataFrame(
        {
            "customer_id": [f"{i:03}" for i in range(n)],
            "first_seen_on": pd.Timestamp("2024-01-01"),
            "region": "north",
        }
    )


def joined(initiative, ids, day="2025-01-01"):
    return pd.DataFrame({"initiative_id": initiative, "customer_id": ids, "enrolled_on": pd.Timestamp(day)})


def test_controls_looked_for_are_marked_and_never_answer():
    customers = people()
    enrolments = pd.concat(
        [joined("A", customers["customer_id"][:20]), joined("B", customers["customer_id"][20:30])]
    )
    how = {"initiative": "A", "started_on": "2025-01-01", "assignment": "targeted"}
    members = cx.study_members(enrolments, customers, **how)
    assert members["found"].sum() == 30
    assert not members["customer_id"].isin(customers["customer_id"][20:30]).any()
    rng = np.random.default_rng(0)
    orders = pd.DataFrame(
        {
            "order_id": np.arange(3000).astype(str),
            "customer_id": rng.choice(customers["customer_id"], 3000),
            "amount": 10.0,
            "ordered_at": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 700, 3000), unit="D"),
        }
    )
    panel = cx.study_panel(orders, members, started_on="2025-01-01", as_of="2025-11-30")
    ladder = cx.evidence_ladder(panel, assignment="targeted", horizon_months=[6])
    assert "did_found" in set(ladder["rung"])
    assert not ladder["is_answer"].any()
    assert cx.monthly_effects(panel, assignment="targeted", horizon_months=6)[0].empty
    keys = {note["key"] for note in cx.study_notes(panel, members, assignment="targeted")}
    assert "impact.note_found" in keys
    assert "impact.note_targeted" not in keys


def test_enrolments_give_contamination_opt_in_and_spill_over_away():
    customers = people()
    ids = customers["customer_id"]
    days = pd.Timestamp("2025-01-01") + pd.to_timedelta(np.arange(30), unit="D")
    own = joined("A", ids[:30]).assign(enrolled_on=days)
    rest = joined("A", ids[30:]).assign(enrolled_on=pd.NaT)
    table = pd.concat([own, rest, joined("B", ids[:25])], ignore_index=True)
    members = pd.DataFrame({"customer_id": ids, "arm": ["treatment"] * 30 + ["control"] * 30})
    notes = cx.enrolment_notes(table, members, customers, initiative="A", assignment="staggered")
    keys = [note["key"].removeprefix("impact.note_") for note in notes]
    assert keys == ["contaminated", "opt_in", "spill"]
    assert notes[0]["treatment"] == 83
    absent = table.assign(enrolled_on=table["enrolled_on"].where(table.index > 5))
    notes = cx.enrolment_notes(absent, members, customers, initiative="A", assignment="randomised")
    assert "impact.note_not_taken" in [note["key"] for note in notes]
    assert cx.enrolment_notes(None, members, customers, initiative="A", assignment="randomised") == []


def test_churn_counts_buyers_gone_quiet():
    panel = study(n=4, before=2, after=6).assign(orders=0.0)
    panel.loc[panel["month"] == -1, "orders"] = 1.0
    panel.loc[(panel["customer_id"] == 0) & (panel["month"] == 5), "orders"] = 1.0
    found = cx.churn_effect(panel, horizon_months=[6, 12]).set_index(["horizon_months", "arm"])["estimate"]
    assert found.loc[6].to_dict() == {"treatment": 0.5, "control": 1.0, "difference": -0.5}
    assert found.loc[12].isna().all()


def test_score_compares_those_who_answered_before_and_after():
    ids = list("abcdef")
    members = pd.DataFrame({"customer_id": ids, "arm": ["treatment"] * 3 + ["control"] * 3})
    before = pd.DataFrame({"customer_id": ids, "answered_at": pd.Timestamp("2024-12-01"), "nps_score": 5.0})
    after = before.assign(answered_at=pd.Timestamp("2025-03-01"), nps_score=[8.0, 9, 7, 5, 6, np.nan])
    answers = pd.concat([before, after], ignore_index=True)
    found = cx.score_effect(answers, members, started_on="2025-01-01").iloc[0]
    assert found["estimate"] == pytest.approx(3.0 - 0.5)
    assert found["n"] == 5
    assert cx.score_effect(before, members, started_on="2025-01-01").empty


def test_ratio_of_shares_is_that_of_the_last_horizon():
    rows = [(h, arm, s, 100) for h, s in ((6, 0.1), (12, 0.2)) for arm in ("treatment", "control")]
    shares = pd.DataFrame(rows, columns=["horizon_months", "arm", "estimate", "n"])
    shares.loc[shares["arm"] == "treatment", "estimate"] *= 2
    found = cx.share_ratio(shares).iloc[0]
    assert found[["horizon_months", "estimate"]].tolist() == [12, 2.0]
    assert found["limit"] > 1
    assert cx.share_ratio(shares.assign(estimate=0.0)).empty


def test_power_of_a_study_follows_its_own_noise():
    found = cx.power_of_study(study(n=400, noise=2.0), horizon_months=[6, 12]).set_index("horizon_months")
    expected = cx.detectable_effect(n_customers=400, std_dev_monthly=5**0.5, correlation=0.2)
    assert found["estimate"].to_numpy() == pytest.approx(expected["estimate"].to_numpy(), rel=0.1)
    assert cx.power_of_study(study(before=1)).empty
