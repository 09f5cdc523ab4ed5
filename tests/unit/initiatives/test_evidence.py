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
    assert found.loc[1.0, "lowest_estimate"] == pytest.approx(2.0, abs=1e-6)
    assert found["breakdown"].iloc[0] == pytest.approx((2.0 + step) / step, rel=1e-3)


def test_breakdown_is_where_the_interval_meets_zero():
    panel = study(effect=1.5)
    names = {"outcome_col": "margin", "unit_col": "customer_id", "time_col": "month"}
    result = cx.att_gt(panel, **names, start_col="start_month", base="mean")
    at = cx.relative_magnitudes(result, horizon_months=6)["breakdown"].iloc[0]
    assert at > 0
    there = cx.relative_magnitudes(result, horizon_months=6, m_bars=[at]).iloc[0]
    assert there["conf_low"] == pytest.approx(0, abs=1e-3)
    assert cx.relative_magnitudes(result, horizon_months=6, m_bars=[1.05 * at])["conf_low"].item() < 0
    assert cx.relative_magnitudes(result, block_months=12).empty
    assert cx.drift_bounds(study(effect=0.0, seed=3))["breakdown"].iloc[0] == 0


@pytest.mark.slow
@pytest.mark.parametrize(("rounds", "enough"), [(25, 23), pytest.param(200, 190, marks=pytest.mark.long)])
def test_bounds_hold_when_the_drift_goes_on(rounds, enough):
    hits = 0
    for seed in range(rounds):
        row = cx.drift_bounds(study(n=120, drift=0.05, effect=0.5, seed=seed), horizon_months=6)
        row = row.set_index("m_bar").loc[1.0]
        hits += row["conf_low"] < 0.5 < row["conf_high"]
    assert hits >= enough


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


def growing(*, never, noise=0.0, each=40, seed=1):
    """12 periods, waves at 4 and 8 (and as many never): the effect is 1, 2, 3, … a period."""
    rng = np.random.default_rng(seed)
    starts = [4.0, 8.0, np.nan] if never else [4.0, 8.0]
    start = np.repeat(np.repeat(starts, each), 12)
    panel = pd.DataFrame({"t": np.tile(np.arange(12), len(start) // 12), "g": start})
    panel["u"] = np.arange(len(panel)) // 12
    panel["effect"] = np.maximum(panel["t"] - panel["g"] + 1, 0).fillna(0)
    panel["y"] = panel["effect"] + rng.normal(size=len(panel) // 12)[panel["u"]] + 0.3 * panel["t"]
    panel["y"] += noise * rng.normal(size=len(panel))
    return panel


GROWING = {"outcome_col": "y", "unit_col": "u", "time_col": "t", "start_col": "g"}


@pytest.mark.parametrize(("never", "twoway"), [(True, 2.51), (False, 0.50)])
def test_growing_effects_are_recovered_where_two_way_fixed_effects_miss(never, twoway):
    """Published for this design: truth 3.83, two-way fixed effects 2.51 with never treated, 0.50 without."""
    panel = growing(never=never)
    assert panel.loc[panel["effect"] > 0, "effect"].mean() == pytest.approx(3.83, abs=0.005)
    pairs = cx.twoway_weights(panel, **GROWING)
    assert (pairs["estimate"] * pairs["weight"]).sum() == pytest.approx(twoway, abs=0.015)
    shown = panel if never else panel[panel["t"] < 8]  # nobody to compare with once all are treated
    result = cx.att_gt(shown, **GROWING, control="never" if never else "not_yet")
    truth = 3.83 if never else 2.5
    assert result.aggregate("simple")["estimate"].iloc[0] == pytest.approx(truth, abs=0.005)
    cells = result.estimates.query("event_time >= 0")
    assert cells["estimate"].to_numpy() == pytest.approx(cells["event_time"].to_numpy() + 1, abs=1e-9)


def test_growing_effects_are_recovered_through_noise():
    panel = growing(never=True, noise=1.0)
    found = cx.att_gt(panel, **GROWING).aggregate("simple").iloc[0]
    assert found["conf_low"] < 3.8333 < found["conf_high"]
    assert found["conf_low"] > 2.51


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


# -- regression to the mean ------------------------------------------------------------------


def bottom_decile(*, controls, seed=0, n=20_000):
    """Two months with correlation ½, nothing done; the bottom decile of the first is called treated."""
    rng = np.random.default_rng(seed)
    habit, *luck = rng.normal(size=(3, n)) * np.sqrt(0.5)
    first, second = habit + luck[0], habit + luck[1]
    low = first < np.quantile(first, 0.1)
    treated = low & (rng.random(n) < 0.5) if controls else low
    everybody = pd.DataFrame(
        {
            "customer_id": np.repeat(np.arange(n), 2),
            "arm": np.repeat(np.where(treated, "treatment", "control"), 2),
            "start_month": np.repeat(np.where(treated, 0.0, np.nan), 2),
            "month": np.tile([-1, 0], n),
            "margin": np.column_stack([first, second]).ravel(),
        }
    )
    study = everybody[np.repeat(low, 2)].reset_index(drop=True)
    return everybody, study


@pytest.mark.parametrize("controls", [True, False])
def test_the_bottom_decile_comes_back_by_itself_and_nothing_is_shown(controls):
    everybody, chosen = bottom_decile(controls=controls)
    parts = cx.regression_part(chosen, everybody, horizon_months=1).set_index("metric")
    expected = cx.regression_to_mean(correlation=0.5)["estimate"].item()
    assert parts.loc["before_after", "estimate"] == pytest.approx(expected, abs=0.05)
    assert parts.loc["regression_to_mean", "estimate"] == pytest.approx(expected, abs=0.03)
    assert parts.loc["trend", "estimate"] == pytest.approx(0, abs=0.03)
    assert parts.loc["rest", "conf_low"] < 0 < parts.loc["rest", "conf_high"]
    assert parts["estimate"].iloc[1:].sum() == pytest.approx(parts["estimate"].iloc[0], abs=1e-12)
    ladder = cx.evidence_ladder(chosen, assignment="targeted", horizon_months=[1])
    naive = ladder.set_index("rung").loc["before_after"]
    assert naive["estimate"] == pytest.approx(0.88, abs=0.05)
    assert naive["conf_low"] > 0
    answer = cx.answer_rung(ladder, horizon_months=1)
    decided = cx.verdict(
        **answer[["estimate", "conf_low", "conf_high"]], months_observed=1, horizon_months=1,
        has_control=answer["is_answer"],
    )  # fmt: skip
    assert decided["verdict"].item() == "not_shown"


def test_regression_part_tells_trend_from_regression_and_both_from_an_effect():
    everybody, chosen = bottom_decile(controls=True, seed=3)
    for frame in (everybody, chosen):
        frame["margin"] += 0.3 * frame["month"] + 0.5 * (frame["month"] >= 0) * frame["start_month"].notna()
    parts = cx.regression_part(chosen, everybody, horizon_months=1).set_index("metric")
    for name, truth in (("trend", 0.3), ("regression_to_mean", 0.8775), ("rest", 0.5)):
        assert parts.loc[name, "conf_low"] < truth < parts.loc[name, "conf_high"], name
    untreated = chosen.assign(start_month=np.nan)
    assert cx.regression_part(untreated, everybody).empty
    assert cx.regression_part(chosen.assign(margin=1.0)).empty
    waves = chosen.assign(start_month=chosen["start_month"] + chosen["customer_id"] % 2)
    assert cx.regression_part(waves, everybody).empty


@pytest.mark.slow
@pytest.mark.parametrize("rounds", [100, pytest.param(400, marks=pytest.mark.long)])
def test_regression_part_covers_its_truths(rounds):
    hits = dict.fromkeys(("trend", "regression_to_mean", "rest"), 0)
    for seed in range(rounds):
        everybody, chosen = bottom_decile(controls=True, seed=seed, n=2000)
        parts = cx.regression_part(chosen, everybody, horizon_months=1).set_index("metric")
        for name, truth in (("trend", 0.0), ("regression_to_mean", 0.8775), ("rest", 0.0)):
            hits[name] += parts.loc[name, "conf_low"] < truth < parts.loc[name, "conf_high"]
    assert min(hits.values()) >= 0.93 * rounds, hits


# -- rungs of waves ------------------------------------------------------------------


def waves_panel(seed=2, n=900, *, season=0.0):
    rng = np.random.default_rng(seed)
    time = np.arange(-12, 12)
    start = rng.choice([0.0, 2.0, np.nan], n)
    values = rng.normal(size=(n, 1)) + rng.normal(size=(n, 24)) + season * np.sin(np.pi * time / 6)
    values += 0.5 * (time[None, :] >= start[:, None])
    return pd.DataFrame(
        {
            "customer_id": np.repeat(np.arange(n), 24),
            "arm": np.repeat(np.where(np.isnan(start), "control", "treatment"), 24),
            "start_month": np.repeat(start, 24),
            "month": np.tile(time, n),
            "margin": values.ravel(),
        }
    )


def test_waves_show_every_rung_below_the_one_that_answers():
    ladder = cx.evidence_ladder(waves_panel(), assignment="staggered", horizon_months=[10])
    assert ladder["rung"].tolist() == [
        "before_after", "same_months_last_year", "interrupted_series", "did_pooled", "staggered_did",
    ]  # fmt: skip
    assert ladder.loc[ladder["is_answer"], "rung"].tolist() == ["staggered_did"]
    rungs = ladder.set_index("rung")
    assert rungs.loc["did_pooled", "conf_low"] < 0.5 < rungs.loc["did_pooled", "conf_high"]
    together = waves_panel().assign(month=lambda frame: frame["month"] - frame["start_month"].fillna(0))
    series = cx.treated_series(waves_panel())
    wanted = together.query("start_month >= 0 and -12 <= month <= 9").groupby("month")["margin"].mean()
    assert series["estimate"].to_numpy() == pytest.approx(wanted.to_numpy())
    assert series["month"].tolist() == list(range(-12, 10))
    everyone = waves_panel().dropna(subset="start_month")
    assert "did_pooled" not in set(cx.evidence_ladder(everyone, assignment="staggered")["rung"])


def test_series_begins_half_a_year_before_where_nobody_was_there_earlier():
    panel = waves_panel().assign(first_month=-10.0)
    panel.loc[panel["customer_id"] % 3 == 0, "first_month"] = -3.0
    series = cx.treated_series(panel)
    assert series["month"].min() == -6
    kept = panel[(panel["customer_id"] % 3 > 0) & panel["start_month"].notna()]
    assert series["n"].unique().tolist() == [kept["customer_id"].nunique()]
    assert cx.treated_series(panel.assign(first_month=-20.0))["month"].min() == -12


def test_waves_that_are_single_regions_are_noted():
    members = pd.DataFrame(
        {"customer_id": list("abcdef"), "arm": ["treatment"] * 4 + ["control"] * 2,
         "start_month": [0.0, 0, 2, 2, np.nan, np.nan]}
    )  # fmt: skip
    people = pd.DataFrame({"customer_id": list("abcdef"), "region": ["n", "n", "s", "s", "e", "w"]})
    table = pd.DataFrame({"initiative_id": "I", "customer_id": list("abcdef")})
    table["enrolled_on"] = pd.to_datetime(["2025-01-01"] * 2 + ["2025-03-01"] * 2 + [None] * 2)
    how = {"initiative": "I", "assignment": "staggered"}
    keys = [note["key"] for note in cx.enrolment_notes(table, members, people, **how)]
    assert keys == ["impact.note_one_place"]
    mixed = people.assign(region=["n", "s", "s", "n", "e", "w"])
    assert cx.enrolment_notes(table, members, mixed, **how) == []
    near = people.assign(region=["n", "n", "s", "s", "e", "s"])
    keys = [note["key"] for note in cx.enrolment_notes(table, members, near, **how)]
    assert keys == ["impact.note_spill"]


@pytest.mark.parametrize(("assignment", "limit"), [("targeted", 0.05), ("randomised", 0.005)])
def test_the_limit_of_drift_is_fixed(assignment, limit):
    for seed in range(4):
        found = cx.drift_check(study(drift=0.02, seed=seed), assignment=assignment)
        assert (found["limit"] == limit).all()
        assert (found["is_alarm"] == (found["p_value"] < limit)).all()
        made_up = found.set_index("metric").loc["placebo"]
        assert made_up["conf_level"] == 0.95
        leaves_out_zero = made_up["conf_low"] > 0 or made_up["conf_high"] < 0
        assert leaves_out_zero == (made_up["p_value"] < 0.05)
