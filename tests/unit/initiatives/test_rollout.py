"""Whole regions, shops or owners treated: errors count groups, and with too few of them nothing is judged."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import cxlib as cx
from cxlib.initiatives.study.rollout import rollout_groups, with_rollout
from cxlib.stats.few_clusters import cluster_contrasts

START = pd.Timestamp("2025-01-01")


def people(region, treated, **more):
    """Members and customers: one row each, with the attribute `region`."""
    ids = [f"c{i:04d}" for i in range(len(region))]
    arm = np.where(treated, "treatment", "control")
    start = np.where(treated, 0.0, np.nan)
    members = pd.DataFrame({"customer_id": ids, "arm": arm, "start_month": start})
    return members, pd.DataFrame({"customer_id": ids, "region": region, **more})


def whole(regions=10, treated=5, size=60):
    code = np.repeat(np.arange(regions), size)
    return np.array([f"R{c}" for c in code]), code < treated


def study(seed, *, regions=10, treated=5, size=60, shock=0.25, effect=0.0, months=12):
    """Members and a panel: order counts with regional AR(1) shocks (rho 0.7) on the log rate."""
    rng = np.random.default_rng(seed)
    region, arm = whole(regions, treated, size)
    code = np.repeat(rng.permutation(regions), size)
    shocks = rng.normal(size=(regions, 2 * months)) * shock
    for month in range(1, 2 * months):
        shocks[:, month] = 0.7 * shocks[:, month - 1] + np.sqrt(1 - 0.49) * shocks[:, month]
    month = np.arange(-months, months)
    rate = rng.gamma(2.0, 0.5, (len(arm), 1)) * np.exp(shocks[code])
    rate *= np.where(arm[:, None] & (month >= 0), 1 + effect, 1.0)
    members, customers = people(region, arm)
    members = with_rollout(members, customers)
    panel = members.loc[np.repeat(np.arange(len(arm)), len(month))].reset_index(drop=True)
    return members, panel.assign(month=np.tile(month, len(arm)), margin=rng.poisson(rate).ravel() * 900.0)


def answer(panel, assignment, months=12):
    ladder = cx.evidence_ladder(panel, assignment=assignment, horizon_months=[months])
    return cx.answer_rung(ladder, horizon_months=months)


# -- which attribute decided ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["region", "store", "owner", "acquisition_channel", "own column"])
def test_the_attribute_that_decided_is_found_whatever_its_name(name):
    members, customers = people(*whole())
    rng = np.random.default_rng(0)
    other = customers.assign(gender=rng.choice(["f", "m"], 600), born=rng.integers(1950, 2000, 600))
    found = with_rollout(members, other.rename(columns={"region": name}))
    assert set(found["rollout_by"]) == {name}
    assert rollout_groups(found)[1:] == (5, 5, False)


def test_an_attribute_that_both_arms_share_decides_nothing():
    rng = np.random.default_rng(1)
    members, customers = people(rng.choice(list("abcdefghij"), 600), rng.random(600) < 0.5)
    customers = customers.assign(card=np.arange(600), pair=np.arange(600) // 2, empty=None, same="x")
    customers.loc[5:, "few"] = "y"
    assert "rollout_group" not in with_rollout(members, customers)
    assert rollout_groups(members) is None


def test_households_drawn_together_are_found_and_are_many():
    rng = np.random.default_rng(2)
    household = np.arange(600) // 2
    members, customers = people(household, (rng.random(300) < 0.5)[household])
    groups = rollout_groups(with_rollout(members, customers))
    assert groups.n_treatment + groups.n_control == 300
    assert not groups.is_few


@pytest.mark.parametrize("missing", [0.1, 0.5])
def test_customers_without_a_value_stand_alone(missing):
    region, treated = whole(4, 2, 150)
    gone = np.random.default_rng(3).random(600) < missing
    members, customers = people(np.where(gone, None, region.astype(object)), treated)
    found = with_rollout(members, customers)
    assert found["rollout_group"].nunique() == 4 + gone.sum()
    assert rollout_groups(found).is_few


def test_shops_known_of_the_treated_alone_decide_too():
    _, treated = whole()
    shop = np.where(treated, [f"s{i % 3}" for i in range(600)], None)
    groups = rollout_groups(with_rollout(*people(shop, treated)))
    assert (groups.n_treatment, groups.n_control, groups.is_few) == (3, 300, True)


def test_one_value_of_fifty_that_holds_both_arms_does_not_hide_the_rest():
    region, treated = whole(50, 25, 12)
    treated[:6] = False
    groups = rollout_groups(with_rollout(*people(region, treated)))
    assert groups.n_treatment + groups.n_control == 50
    assert not groups.is_few


def test_of_shops_and_their_regions_the_regions_count():
    region, treated = whole(8, 4, 75)
    members, customers = people(region, treated)
    customers.insert(1, "shop", [f"{r}-{i % 5}" for i, r in enumerate(region)])
    assert set(with_rollout(members, customers)["rollout_by"]) == {"region"}


def test_waves_by_region_are_found_where_everybody_is_treated():
    region, _ = whole(6, 6, 50)
    members, customers = people(region, np.ones(300, dtype=bool))
    members["start_month"] = np.repeat([0.0, 2, 4], 100)
    assert set(with_rollout(members, customers)["rollout_by"]) == {"region"}


def test_four_groups_of_which_one_is_nearly_all_are_few():
    size = np.array([191, 3, 3, 3, 50, 50, 50, 50])
    region = np.repeat(np.arange(8), size)
    assert rollout_groups(with_rollout(*people(region, region < 4))).is_few


@pytest.mark.parametrize(("treated", "few"), [(3, True), (4, False), (7, True)])
def test_fewer_than_four_groups_in_an_arm_are_few(treated, few):
    groups = rollout_groups(with_rollout(*people(*whole(10, treated))))
    assert (groups.n_treatment, groups.n_control, groups.is_few) == (treated, 10 - treated, few)


# -- errors --------------------------------------------------------------------------------------------


def test_every_rung_counts_regions():
    """Regions of equal size: the errors of two means of region means, and of one."""
    members, panel = study(1)
    region = members.set_index("customer_id")["rollout_group"]
    each = panel.assign(after=panel["month"] >= 0, region=panel["customer_id"].map(region))
    means = each.groupby(["region", "after"])["margin"].mean().to_numpy().reshape(10, 2)
    change = means[:, 1] - means[:, 0]
    side = np.unique(np.column_stack([region, members["arm"] == "treatment"]), axis=0)[:, 1] == 1
    error = np.sqrt(change[side].var(ddof=1) / 5 + change[~side].var(ddof=1) / 5)
    row = answer(panel, "targeted")
    assert row["std_error"] == pytest.approx(error, rel=1e-9)
    assert row["conf_high"] - row["estimate"] == pytest.approx(stats.t.ppf(0.975, 8) * error, rel=1e-9)
    assert (row["clusters_treatment"], row["clusters_control"]) == (5, 5)
    columns = {"outcome_col": "margin", "unit_col": "customer_id", "time_col": "month"}
    window = panel.assign(post=panel["month"] >= 0, treated=panel["arm"] == "treatment")
    direct = cx.did(window, **columns, treated_col="treated", post_col="post")
    assert direct["std_error"].item() == pytest.approx(error, rel=1e-9)
    waves = cx.att_gt(panel, **columns, start_col="start_month", base="mean").aggregate("dynamic")
    assert waves["std_error"].iloc[0] == pytest.approx(error, rel=1e-9)
    naive = cx.before_after(panel, months_before=12).set_index("metric").loc["before_after", "std_error"]
    assert naive == pytest.approx(np.sqrt(change[side].var(ddof=1) / 5), rel=1e-9)


@pytest.mark.parametrize("assignment", ["randomised", "targeted"])
def test_the_months_carry_the_error_of_the_rung_that_answers(assignment):
    _, panel = study(2)
    effects, covariance = cx.monthly_effects(panel, assignment=assignment, horizon_months=12)
    row = answer(panel, assignment)
    assert effects["estimate"].mean() == pytest.approx(row["estimate"], rel=1e-9)
    assert np.sqrt(covariance.mean()) == pytest.approx(row["std_error"], rel=1e-9)
    assert effects["df"].max() == pytest.approx(8, abs=0.1)


def test_clustered_effects_by_wave_are_cr2_where_regions_differ_in_size():
    rng = np.random.default_rng(5)
    region = np.repeat(np.arange(9), [5, 30, 8, 14, 20, 3, 40, 9, 11])
    value = rng.normal(size=len(region)) + rng.normal(size=9)[region]
    frame = pd.DataFrame({"u": np.repeat(np.arange(len(region)), 2), "t": np.tile([0, 1], len(region))})
    frame["y"] = np.column_stack([np.zeros(len(region)), value]).ravel()
    frame["g"] = np.repeat(np.where(region < 4, 1.0, np.nan), 2)
    frame = frame.assign(region=np.repeat(region, 2), treated=frame["g"].notna(), post=frame["t"] == 1)
    names = {"outcome_col": "y", "unit_col": "u", "time_col": "t", "cluster_col": "region"}
    waves = cx.att_gt(frame, **names, start_col="g").estimates
    two = cx.did(frame, **names, treated_col="treated", post_col="post")
    assert waves["std_error"].item() == pytest.approx(two["std_error"].item(), rel=1e-9)


def test_contrasts_of_a_regression_are_cr2_by_matrices():
    rng = np.random.default_rng(0)
    cluster = rng.integers(0, 9, 60)
    arm, x = (cluster < 4).astype(float), rng.normal(size=60)
    design = np.column_stack([np.ones(60), arm, x, x * arm])
    outcomes = rng.normal(size=(60, 3)) + rng.normal(size=(9, 1))[cluster]
    second = np.array([0, 1.0, 0, 0])
    bread = np.linalg.inv(design.T @ design)
    hat = design @ bread @ design.T
    scores, columns = [], []
    for one in np.unique(cluster):
        rows = cluster == one
        values, vectors = np.linalg.eigh(np.eye(rows.sum()) - hat[np.ix_(rows, rows)])
        pull = (vectors / np.sqrt(values)) @ vectors.T @ design[rows] @ bread @ second
        scores.append(pull @ (outcomes - hat @ outcomes)[rows])
        columns.append((np.eye(60) - hat)[:, rows] @ pull)
    products = np.array(columns) @ np.array(columns).T
    estimate, covariance, df = cluster_contrasts(design, outcomes, cluster, second)
    assert estimate == pytest.approx((bread @ design.T @ outcomes)[1], rel=1e-9)
    assert covariance == pytest.approx(np.array(scores).T @ np.array(scores), rel=1e-9)
    assert df == pytest.approx(np.trace(products) ** 2 / (products**2).sum(), rel=1e-9)
    lone = cluster_contrasts(
        design[:, :2] * [1, 0] + np.outer(cluster == 0, [0, 1]), outcomes, cluster, second[:2]
    )
    assert np.isnan(lone[1]).all()


def test_shares_of_whole_regions_have_the_width_of_their_regions():
    """Of ten regions all customers of some buy again, none of others: as wide as ten customers."""
    region, treated = whole()
    members, customers = people(region, treated)
    members = with_rollout(members.assign(exposed=False), customers)
    again = pd.Series(region).isin(["R0", "R1", "R5"]).to_numpy()
    first = pd.DataFrame({"customer_id": members["customer_id"], "ordered_at": START - pd.Timedelta(days=40)})
    orders = pd.concat([first, first[again].assign(ordered_at=START + pd.Timedelta(days=5))])
    orders = orders.assign(amount=1.0, order_id=range(len(orders)))
    dates = {"started_on": START, "as_of": "2026-01-31", "horizon_months": [12]}
    plain = cx.f2_effect(orders, members.drop(columns=["rollout_group", "rollout_by"]), **dates)
    found = cx.f2_effect(orders, members, **dates)
    assert found["estimate"].tolist() == pytest.approx(plain["estimate"].tolist())
    assert found["n"].tolist() == plain["n"].tolist() == [300, 300, 600]
    assert found["n_effective"].tolist() == pytest.approx([4, 4, 8])  # p(1−p)·(5 − 1)/(p(1−p))
    assert found["df"].tolist() == pytest.approx([8.0] * 3)
    wide, narrow = (frame["conf_high"] - frame["conf_low"] for frame in (found, plain))
    assert (wide > 3 * narrow).all()
    ratio = [cx.share_ratio(frame).iloc[0] for frame in (found, plain)]
    assert ratio[0]["estimate"] == pytest.approx(ratio[1]["estimate"])
    assert ratio[0]["conf_low"] < ratio[1]["conf_low"]
    everyone = cx.f2_effect(orders.assign(customer_id="nobody"), members, **dates)
    assert everyone["estimate"].isna().all()


def test_quiet_customers_and_scores_are_counted_by_region():
    members, panel = study(3)
    panel = panel.assign(orders=panel["margin"] / 900 * (panel["month"] % 4 == 0))
    lost = cx.churn_effect(panel, horizon_months=[12])
    assert (lost["n_effective"] <= lost["n"]).all()
    assert lost["df"].to_numpy() == pytest.approx(8, abs=0.1)
    rng = np.random.default_rng(4)
    shock = rng.normal(size=(10, 2)) * 3
    asked = pd.DataFrame(
        {
            "customer_id": np.repeat(members["customer_id"].to_numpy(), 2),
            "answered_at": np.tile([START - pd.Timedelta(days=9), START + pd.Timedelta(days=9)], 600),
            "nps_score": shock[members["rollout_group"]].ravel() + rng.normal(size=1200),
        }
    )
    told = cx.score_effect(asked, members, started_on=START).iloc[0]
    plain = members.drop(columns=["rollout_group", "rollout_by"])
    assert told["df"] == pytest.approx(8)
    assert told["std_error"] > 3 * cx.score_effect(asked, plain, started_on=START)["std_error"].item()


def test_groups_with_few_regions_have_an_effect_and_no_interval():
    members, panel = study(6)
    customers = members[["customer_id"]].assign(half=np.where(members["rollout_group"] % 2, "odd", "even"))
    split = cx.effect_by_group(panel, customers, by="half", assignment="targeted")
    assert split["estimate"].notna().all()
    assert split[["std_error", "conf_low", "conf_high"]].isna().all(axis=None)


# -- verdicts ------------------------------------------------------------------------------------------


def company(seed, *, regions=10, treated=5, assignment="randomised", effect=0.0, shock=0.25):
    """Tables of 600 customers, two years of orders, regions assigned whole."""
    rng = np.random.default_rng(seed)
    region, rank = rng.integers(0, regions, 600), rng.permutation(regions)
    arm = (rank if assignment == "randomised" else np.arange(regions))[region] < treated
    shocks = rng.normal(size=(regions, 24)) * shock
    for month in range(1, 24):
        shocks[:, month] = 0.7 * shocks[:, month - 1] + np.sqrt(1 - 0.49) * shocks[:, month]
    rate = rng.gamma(2.0, 0.5, (600, 1)) * np.exp(shocks[region])
    rate *= np.where(arm[:, None] & (np.arange(24) >= 12), 1 + effect, 1.0)
    who, month = np.nonzero(counts := rng.poisson(rate))
    who, month = (np.repeat(part, counts[who, month]) for part in (who, month))
    begins = pd.DatetimeIndex([pd.Timestamp("2024-01-01") + pd.DateOffset(months=m) for m in range(24)])
    at = begins[month] + pd.to_timedelta(rng.integers(0, 28, len(month)), unit="D")
    ids = np.array([f"c{i:03d}" for i in range(600)])
    orders = pd.DataFrame({"customer_id": ids[who], "ordered_at": at, "amount": rng.gamma(4, 750, len(who))})
    orders = orders.assign(order_id=[str(i) for i in range(len(orders))])
    orders.loc[0, "ordered_at"] = begins[0]
    customers = pd.DataFrame(
        {"customer_id": ids, "first_seen_on": pd.Timestamp("2023-06-01"), "region": region}
    )
    enrolled = np.where(arm, np.datetime64("2025-01-01"), np.datetime64("NaT"))
    enrolments = pd.DataFrame({"initiative_id": "I", "customer_id": ids, "enrolled_on": enrolled})
    enrolments["arm"] = np.where(arm, "treatment", "control")
    row = {"initiative_id": "I", "name": "x", "started_on": START, "one_time_cost": 1e4, "monthly_cost": 1e3}
    return orders, customers, enrolments, pd.DataFrame([row | {"assignment": assignment}])


def judged(seed, **design):
    orders, customers, enrolments, register = company(seed, **design)
    return cx.evaluate_initiative(
        cx.choose_initiative(register, "I"), orders=orders, customers=customers, selected=customers,
        enrolments=enrolments, as_of="2025-12-31",
    )  # fmt: skip


def test_three_regions_of_ten_lead_to_no_verdict_and_no_return():
    found = judged(0, treated=3, assignment="targeted", effect=1.0)
    assert found.decision[["verdict", "reason"]].iloc[0].tolist() == ["not_shown", "few_groups"]
    assert found.money is None
    note = next(note for note in found.notes if note["key"] == "impact.note_rollout_few")
    assert (note["attribute"], note["treatment"], note["control"]) == ("region", 3, 7)


def test_a_large_effect_in_five_regions_of_ten_is_shown():
    for assignment in ("randomised", "targeted"):
        found = judged(1, assignment=assignment, effect=1.0)
        assert found.decision["verdict"].item() == "effective"
        assert "impact.note_rollout" in [note["key"] for note in found.notes]
        assert found.state == "ready"


@pytest.mark.slow
@pytest.mark.parametrize("assignment", ["randomised", "targeted"])
def test_regions_without_effect_are_hardly_ever_called_effective_or_harmful(assignment):
    """Plain errors miss zero in more than one study in six."""
    clustered = plain = 0
    for seed in range(30):
        _, panel = study(seed, months=6)
        row = answer(panel, assignment, 6)
        clustered += not row["conf_low"] <= 0 <= row["conf_high"]
        row = answer(panel.drop(columns=["rollout_group", "rollout_by"]), assignment, 6)
        plain += not row["conf_low"] <= 0 <= row["conf_high"]
    assert clustered <= 3
    assert plain > 5


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("assignment", ["randomised", "targeted"])
@pytest.mark.parametrize(("regions", "treated"), [(10, 5), (47, 15)])
def test_companies_without_effect_are_judged_wrongly_in_at_most_eight_of_a_hundred(
    assignment, regions, treated
):
    design = {"assignment": assignment, "regions": regions, "treated": treated}
    wrong = [
        judged(seed, **design).decision["verdict"].item() in ("effective", "harmful") for seed in range(300)
    ]
    assert np.mean(wrong) <= 0.08


@pytest.mark.parametrize("words", [(True, False), ("yes", "no"), (1, 0), (1.0, np.nan)])
def test_a_flag_that_picked_the_customers_is_no_place_whose_shocks_they_share(words):
    arm = np.repeat(["treatment", "control"], 60)
    members = pd.DataFrame({"customer_id": np.arange(120).astype(str), "arm": arm, "start_month": 3.0})
    customers = members[["customer_id"]].assign(may_mail=[words[0]] * 60 + [words[1]] * 60)
    assert rollout_groups(with_rollout(members, customers)) is None
    shops = customers.assign(may_mail=np.where(arm == "treatment", "north", "south"))
    assert rollout_groups(with_rollout(members, shops)).is_few


def regional(seed, regions=24, each=25):
    """Two months, nothing done: half the regions treated, each with a shock of its own in the second."""
    rng = np.random.default_rng(seed)
    region = np.repeat(np.arange(regions), each)
    habit = rng.normal(size=len(region))
    first, second = (habit + rng.normal(size=len(region)) for _ in range(2))
    second += rng.normal(0, 0.7, regions)[region]
    treated = np.where(region % 2, 0.0, np.nan)
    months = {"customer_id": np.repeat(np.arange(len(region)), 2), "start_month": np.repeat(treated, 2)}
    months |= {"month": np.tile([-1, 0], len(region)), "margin": np.column_stack([first, second]).ravel()}
    return pd.DataFrame(months).assign(rollout_group=np.repeat(region, 2), rollout_by="region")


def test_the_parts_of_a_change_are_as_uncertain_as_the_regions_that_share_it():
    hits = {"clustered": 0, "alone": 0}
    for seed in range(60):
        panel = regional(seed)
        alone = panel.drop(columns=["rollout_group", "rollout_by"])
        for name, frame in (("clustered", panel), ("alone", alone)):
            parts = cx.regression_part(frame, horizon_months=1).set_index("metric")
            hits[name] += parts.loc["rest", "conf_low"] < 0 < parts.loc["rest", "conf_high"]
            assert parts["n"].to_list() == [300, 300, 300, 600]
    assert hits["clustered"] >= 53 and hits["alone"] <= 45  # 95 % of 60 are 57


def test_groups_of_one_customer_each_are_no_groups():
    panel = regional(1, regions=60, each=1)
    without = panel.drop(columns=["rollout_group", "rollout_by"])
    found = [cx.regression_part(frame, horizon_months=1) for frame in (panel, without)]
    pd.testing.assert_frame_equal(*found)


def test_other_members_get_the_groups_of_the_same_attribute():
    customers = pd.DataFrame({"customer_id": list("abcd"), "region": ["n", "s", None, "n"]})
    members = customers[["customer_id"]].iloc[::-1]
    found = cx.same_rollout(members, customers, pd.DataFrame({"rollout_by": ["region"]}))
    groups = found.set_index("customer_id")["rollout_group"]
    assert groups["a"] == groups["d"] and groups.nunique() == 3
    assert cx.same_rollout(members, customers, pd.DataFrame({"x": [1]})) is members
