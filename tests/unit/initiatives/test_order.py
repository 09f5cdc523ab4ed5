"""No result on initiatives depends on the order of rows, nor on their labels."""

import numpy as np
import pandas as pd
import pytest

import cxlib as cx

START, LAST = pd.Timestamp("2025-01-01"), pd.Timestamp("2025-12-31")
COLUMNS = {"outcome_col": "margin", "unit_col": "customer_id", "time_col": "month"}
TWO = {**COLUMNS, "treated_col": "treated", "post_col": "post"}


def tables(seed=0, *, whole=False):
    """Orders of several lines on several days, some shared by customers; customers, enrolments, answers."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"c{i:03d}" for i in range(120)])
    region = rng.integers(0, 10, 120)
    treated = (region < 5) if whole else rng.random(120) < 0.5
    lines = pd.DataFrame({"customer_id": rng.choice(ids, 3000), "amount": rng.gamma(2, 50, 3000)})
    days = pd.to_timedelta(rng.integers(0, 730, 3000), unit="D")
    lines["ordered_at"] = pd.Timestamp("2024-01-01") + days
    lines["order_id"] = rng.integers(0, 2000, 3000).astype(str)
    lines["margin"] = np.where(rng.random(3000) < 0.5, np.nan, 0.4 * lines["amount"])
    lines.loc[::17, "amount"] *= -1
    customers = pd.DataFrame(
        {"customer_id": ids, "first_seen_on": pd.Timestamp("2023-01-01"), "region": region}
    )
    enrolments = pd.DataFrame({"initiative_id": "I", "customer_id": ids})
    enrolments["enrolled_on"] = np.where(treated, np.datetime64("2025-01-01"), np.datetime64("NaT"))
    enrolments["arm"] = np.where(treated, "treatment", "control")
    answers = pd.DataFrame({"customer_id": rng.choice(ids, 900), "nps_score": rng.integers(0, 11, 900)})
    answers["answered_at"] = pd.Timestamp("2024-06-01") + pd.to_timedelta(rng.integers(0, 500, 900), unit="D")
    return {"orders": lines, "customers": customers, "enrolments": enrolments, "answers": answers}


def mixed(frame, seed, labels):
    """Return the frame with its rows in another order: labels kept, made anew, or all the same."""
    frame = frame.sample(frac=1, random_state=seed)
    return {"kept": frame, "new": frame.reset_index(drop=True), "same": frame.set_axis([0] * len(frame))}[
        labels
    ]


def panel_of(data, assignment="targeted"):
    members = cx.study_members(
        data["enrolments"], data["customers"], initiative="I", started_on=START, assignment=assignment
    )
    return members, cx.study_panel(data["orders"], members, started_on=START, as_of=LAST)


def waves(panel):
    """The same panel with two waves and a few never treated."""
    code = panel["customer_id"].str[1:].astype(int)
    return panel.assign(start_month=np.select([code % 3 == 0, code % 3 == 1], [0.0, 3.0], np.nan))


def everything(data, assignment="targeted", mix=lambda frame: frame):
    """Whatever the functions on initiatives say about these tables; `mix` is applied to what they pass on."""
    members, panel = panel_of(data, assignment)
    yield "members", members
    yield "panel", panel
    members, panel = mix(members), mix(panel)
    for how in ("randomised", "targeted", "everyone"):
        yield f"ladder {how}", cx.evidence_ladder(panel, assignment=how)
        yield f"months {how}", cx.monthly_effects(panel, assignment=how, horizon_months=12)[0]
        yield f"drift {how}", cx.drift_check(panel, assignment=how)
        yield f"power {how}", cx.power_of_study(panel, assignment=how)
    stepped = mix(waves(panel))
    yield "ladder waves", cx.evidence_ladder(stepped, assignment="staggered")
    yield "joint", pd.DataFrame(cx.monthly_effects(stepped, assignment="staggered", horizon_months=6)[1])
    two = panel.assign(treated=panel["arm"] == "treatment", post=panel["month"] >= 0)
    yield "did", cx.did(two, **TWO)
    yield "did by cluster", cx.did(two.assign(shop=two["customer_id"].str[2]), **TWO, cluster_col="shop")
    yield "did of sections", cx.did(two, **{**TWO, "unit_col": None})
    yield "before_after", cx.before_after(panel)
    flat = two[two["month"] == 3].assign(known=lambda f: f["amount"] + f["orders"])
    names = {"outcome_col": "margin", "treated_col": "treated", "covariates": ["known"]}
    yield "adjusted", cx.adjusted_difference(flat, **names)
    for control in ("never", "not_yet"):
        fit = cx.att_gt(stepped, **COLUMNS, start_col="start_month", control=control, covariates=["amount"])
        yield f"effects {control}", fit.estimates
    fit = cx.att_gt(stepped, **COLUMNS, start_col="start_month")
    for kind in ("simple", "dynamic", "group", "calendar"):
        yield kind, fit.aggregate(kind, band=None if kind == "simple" else "simultaneous")
    yield "magnitudes", cx.relative_magnitudes(fit, horizon_months=6)
    yield "pretrend", fit.pretrend(small_sample=True)
    yield "twoway", cx.twoway_weights(stepped, **COLUMNS, start_col="start_month")
    yield "gap", cx.monthly_gap(panel)
    yield "bounds", cx.drift_bounds(panel)
    yield "trends", cx.parallel_trends(panel)
    yield "placebo", cx.placebo_effect(panel)
    yield "arms", cx.arm_months(panel)
    yield "parts", cx.regression_part(panel)
    series = mix(cx.treated_series(panel))
    yield "series", cx.interrupted_series(series, outcome_col="estimate", time_col="month", slope=False)
    yield "jumps", cx.placebo_starts(series, outcome_col="estimate", time_col="month")
    dates = {"started_on": START, "as_of": LAST, "horizon_months": [6, 12]}
    shares = cx.f2_effect(data["orders"], members, **dates)
    yield "f2", shares
    yield "ratio", cx.share_ratio(mix(shares))
    yield "churn", cx.churn_effect(panel)
    yield "score", cx.score_effect(data["answers"], members, started_on=START)
    yield "groups", cx.effect_by_group(panel, data["customers"], by="region", assignment="targeted")
    notes = cx.study_notes(panel, members, assignment=assignment)
    notes += cx.enrolment_notes(
        data["enrolments"], members, data["customers"], initiative="I", assignment=assignment
    )
    yield "notes", pd.DataFrame(notes)
    row = {"initiative_id": "I", "name": "x", "started_on": START, "assignment": assignment}
    chosen = cx.choose_initiative(pd.DataFrame([row | {"one_time_cost": 1e3, "monthly_cost": 10.0}]), "I")
    found = cx.evaluate_initiative(
        chosen, orders=data["orders"], customers=data["customers"], selected=data["customers"],
        enrolments=data["enrolments"], as_of=LAST,
    )  # fmt: skip
    yield "decision", found.decision
    yield "money", pd.DataFrame() if found.money is None else found.money
    yield "evaluated", found.effects


@pytest.mark.parametrize(
    ("whole", "labels"),
    [
        pytest.param(True, "kept", marks=pytest.mark.long),
        (False, "same"),
        pytest.param(False, "new", marks=pytest.mark.long),
        pytest.param(True, "same", marks=pytest.mark.long),
    ],
)
def test_shuffled_rows_give_the_same_results(whole, labels):
    data = tables(whole=whole)
    other = {name: mixed(frame, 5, labels) for name, frame in data.items()}
    was = dict(everything(data))
    now = dict(everything(other, mix=lambda frame: mixed(frame, 7, labels)))
    assert was.keys() == now.keys()
    for name, frame in was.items():
        near = {"rtol": 1e-6 if name == "money" else 1e-9, "atol": 1e-9, "obj": name}  # money: draws
        pd.testing.assert_frame_equal(now[name].reset_index(drop=True), frame.reset_index(drop=True), **near)


def test_an_order_of_several_days_counts_in_the_month_of_its_first_line():
    lines = pd.DataFrame({"order_id": ["1", "1", "2"], "customer_id": "a", "amount": [5.0, 5.0, -1.0]})
    lines["ordered_at"] = pd.to_datetime(["2025-01-31", "2024-12-30", "2024-11-20"])
    people = pd.DataFrame({"customer_id": ["a"], "arm": "treatment", "start_month": 0.0})
    for rows in (lines, lines[::-1]):
        panel = cx.study_panel(rows, people, started_on="2025-01-01", as_of="2025-01-31")
        assert dict(zip(panel["month"], panel["orders"], strict=True)) == {-1: 1.0, 0: 0.0}
