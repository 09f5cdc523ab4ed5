"""Do the estimators find what is planted? Fifteen simulated companies, every truth against its interval.

A 95 % interval holds its truth in 11 or more of 15 companies with a probability of 99.9 %, in 26 or more of
the 30 of the long suite with 98 %. The seeds are fixed, so the outcome does not change from run to run.
"""

import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pandas as pd
import pytest

import cxlib as cx

pytestmark = pytest.mark.slow

AS_OF = "2026-10-01"
STAGES = ["discover", "consider", "buy", "wait", "first_use", "decide", "repeat", "recommend"]
DRIVERS = ["driver_quality", "driver_ease", "driver_delivery", "driver_support", "driver_price"]
TOUCHPOINTS = ["web_product", "store_visit", "checkout", "delivery", "parcel_insert", "mail_magazine"]
TOUCHPOINTS += ["first_use_mail", "support_chat", "line_message", "loyalty_club"]
SAMPLE = Path(__file__).parents[1] / "data" / "sample"


def held(rows, truth, *, key, value="estimate"):
    """`name, low, estimate, high, truth` per row of a result; the truth is looked up by the row's key."""
    prefix = f"{value}_" if value in ("penalty", "reward") else ""
    return [
        (name, *(float(row[c]) for c in (f"{prefix}conf_low", value, f"{prefix}conf_high")), truth[str(name)])
        for name, row in zip(rows[key], rows.to_dict("records"), strict=True)
    ]


def second_purchases(tables, truth):
    orders, arms = (
        tables["orders"],
        tables["enrolments"].query("initiative_id == 'I1' and arm == 'treatment'"),
    )
    untouched = orders[~orders["customer_id"].isin(arms["customer_id"])]
    first = untouched[untouched["amount"] > 0].sort_values("ordered_at").drop_duplicates("customer_id")
    store = untouched[untouched["customer_id"].isin(first.loc[first["channel"] == "store", "customer_id"])]
    f2 = truth["f2"]
    return {
        "f2": held(cx.repeat_curve(orders, as_of=AS_OF), f2["by_day"], key="days"),
        "f2_untouched": held(
            cx.repeat_curve(untouched, as_of=AS_OF), f2["by_day_without_initiatives"], key="days"
        ),
        "f2_store": held(
            cx.repeat_curve(store, as_of=AS_OF), f2["by_day_by_first_channel"]["store"], key="days"
        ),
    }


def feelings(tables, truth):
    events, journey = tables["events"], truth["journey"]
    curve = cx.emotion_curve(events, stage_order=STAGES).query("metric == 'pooled'")
    valleys = cx.find_valleys(events, stage_order=STAGES)
    depth = held(
        valleys.query("stage == 'decide'").rename(columns={"depth": "estimate"}),
        {"decide": journey["valley_depth"]},
        key="stage",
    )
    results = {"valence": held(curve, journey["stage_mean_valence"], key="stage"), "depth": depth}
    exits = cx.exit_rates(events.dropna(subset=["page"]), end_pages=["done"])
    results["exits"] = held(exits, journey["exit_rate_by_page"], key="page")
    gaps = events.assign(gap=events["experience"] - events["expectation"]).dropna(subset=["gap"])
    for side in ("penalty", "reward"):
        results[side] = []
    for touchpoint in TOUCHPOINTS:
        here = gaps[gaps["touchpoint"] == touchpoint]
        found = cx.penalty_reward(
            here, outcome_col="valence", driver_cols=["gap"], low=-1, high=1, cluster_col="customer_id"
        ).assign(touchpoint=touchpoint)
        for side in ("penalty", "reward"):
            results[side] += held(
                found, {touchpoint: truth["penalty_reward"][touchpoint][side]}, key="touchpoint", value=side
            )
    return results, valleys.loc[valleys["is_valley"], "stage"].tolist()


def surveys(tables, truth):
    answers = tables["responses"].query("survey == 'relationship'")
    importance = cx.driver_importance(
        answers, outcome_col="nps_score", driver_cols=DRIVERS, cluster_col="customer_id", n_boot=300
    )
    overall = cx.nps(answers, cluster_col="customer_id").assign(group="respondents")
    return {
        "importance": held(importance, truth["drivers"]["importance"], key="driver", value="importance"),
        "nps": held(overall, truth["nps"], key="group"),
        "nps_wave": held(cx.nps(answers, by="wave"), truth["nps"]["by_wave"], key="wave"),
    }


def ladder_of(tables, initiative, as_of=AS_OF):
    row = cx.choose_initiative(tables["initiatives"], initiative)
    study = {"started_on": row["started_on"], "assignment": row["assignment"]}
    people = tables["customers"].drop(columns="region")  # where no region has shocks of its own
    members = cx.study_members(tables["enrolments"], people, initiative=initiative, **study)
    panel = cx.study_panel(tables["orders"], members, started_on=row["started_on"], as_of=as_of)
    return cx.evidence_ladder(panel, assignment=row["assignment"]), members, row


def verdict_of(ladder, horizon):
    answer = ladder[ladder["is_answer"] & (ladder["horizon_months"] == horizon)].iloc[0]
    names = ("estimate", "conf_low", "conf_high", "months_observed", "horizon_months")
    return cx.verdict(**{name: answer[name] for name in names}, has_control=True)["verdict"].item()


def initiatives(tables, truth):
    results, verdicts, praised = {}, {}, []
    for name in ("I1", "I2", "I3"):
        ladder, members, row = ladder_of(tables, name)
        planted = truth["initiatives"][name]
        answer = ladder[ladder["is_answer"]]
        results[name] = held(answer, planted["effect_monthly_margin"], key="horizon_months")
        verdicts[name] = [verdict_of(ladder, horizon) for horizon in (6, 12)]
        naive = ladder[ladder["rung"] == "before_after"]
        praised = (naive["conf_low"] > 0).tolist() if name == "I3" else praised
        if name == "I1":
            f2 = cx.f2_effect(tables["orders"], members, started_on=row["started_on"], as_of=AS_OF)
            results["I1_f2"] = held(f2[f2["arm"] == "difference"], planted["effect_f2"], key="horizon_months")
    return results, verdicts, praised


def study_company(seed):
    """Everything one simulated company has to say; runs in a process of its own."""
    tables, truth = cx.make_company_with_truth(n_customers=4000, seed=seed)
    felt, valleys = feelings(tables, truth)
    measured, verdicts, praised = initiatives(tables, truth)
    results = {**second_purchases(tables, truth), **felt, **surveys(tables, truth), **measured}
    rows = [(part, *row) for part, found in results.items() for row in found]
    return pd.DataFrame(rows, columns=["part", "name", "low", "estimate", "high", "truth"]).assign(
        seed=seed
    ), {"seed": seed, "valleys": valleys, "verdicts": verdicts, "praised": praised}


@pytest.fixture(scope="module", params=[(15, 11), pytest.param((30, 26), marks=pytest.mark.long)])
def companies(request):
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(study_company, range(1, 1 + request.param[0])))
    told = [said for _, said in found]
    return pd.concat([rows for rows, _ in found], ignore_index=True), told, request.param[1]


PARTS = ["f2", "f2_untouched", "f2_store", "valence", "depth", "penalty", "reward", "importance", "nps"]
PARTS += ["exits", "nps_wave", "I1", "I2", "I3", "I1_f2"]


@pytest.mark.parametrize("part", PARTS)
def test_each_planted_truth_lies_in_its_interval(companies, part):
    rows = companies[0].query("part == @part")
    holds = (rows["low"] <= rows["truth"]) & (rows["truth"] <= rows["high"])
    count = holds.groupby(rows["name"].astype(str)).sum()
    assert rows.groupby("name").size().eq(len(companies[1])).all()
    assert count.min() >= companies[2], count.to_dict()


# the depth of a valley takes the lower of two neighbours, so it comes out a little too small by design
@pytest.mark.parametrize("part", [part for part in PARTS if part != "depth"])
def test_estimates_scatter_around_the_truth(companies, part):
    rows = companies[0].query("part == @part")
    off = (rows["estimate"] - rows["truth"]).groupby(rows["name"].astype(str)).agg(["mean", "sem"])
    assert (off["mean"].abs() < 4 * off["sem"]).all(), off


def test_the_planted_valley_is_the_only_one_found(companies):
    named = [said["valleys"] for said in companies[1]]
    assert sum(stages == ["decide"] for stages in named) >= companies[2]
    assert all("decide" in stages for stages in named)


def test_before_after_praises_the_initiative_without_effect_and_the_comparison_does_not(companies):
    for at, _ in enumerate((6, 12)):
        assert sum(said["praised"][at] for said in companies[1]) >= companies[2]
        named = sum(said["verdicts"]["I3"][at] == "effective" for said in companies[1])
        assert named <= len(companies[1]) // 10


def test_the_real_effects_are_called_effective_after_twelve_months(companies):
    for initiative in ("I1", "I2"):
        assert sum(said["verdicts"][initiative][1] == "effective" for said in companies[1]) >= 0.8 * len(
            companies[1]
        )
    assert not any("harmful" in said["verdicts"]["I1"] for said in companies[1])


def test_four_months_after_the_start_it_is_too_early():
    tables = cx.make_company(n_customers=1000)
    ladder, _, _ = ladder_of(tables, "I1", as_of="2026-01-31")
    assert verdict_of(ladder, 6) == "too_early"


@pytest.fixture(scope="module")
def sample():
    data_set = cx.open_data(SAMPLE)
    truth = json.loads((SAMPLE / "truth.json").read_text(encoding="utf-8"))
    return {name: data_set.table(name) for name in data_set.tables}, truth


def test_the_shipped_sample_tells_the_story_of_its_initiatives(sample):
    results, verdicts, praised = initiatives(*sample)
    assert verdicts["I1"] == verdicts["I2"] == ["effective", "effective"]
    assert verdicts["I3"] == ["not_shown", "not_shown"]
    assert praised == [True, True]
    assert all(low <= truth <= high for rows in results.values() for _, low, _, high, truth in rows)


def test_the_shipped_sample_lies_close_to_its_other_truths(sample):
    felt, valleys = feelings(*sample)
    results = {**felt, **second_purchases(*sample), **surveys(*sample)}
    missed = [
        (part, name)
        for part, rows in results.items()
        for name, low, _, high, truth in rows
        if not low <= truth <= high
    ]
    assert valleys == ["decide"]
    assert len(missed) <= 2, missed  # of about 60
