"""Chapter 4 on data that go wrong: each case ends in a report that says so, or in a message."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.checks import CxError, InputError, ParameterError
from cxlib.samples.simulate import write_sample

CHAPTER = Path(__file__).parents[1] / "notebooks" / "04_initiative_roi.ipynb"
SAMPLE = CHAPTER.parents[1] / "data" / "sample"


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    return write_sample(tmp_path_factory.mktemp("company"), n_customers=1200, seed=5)


@pytest.fixture
def run(company, run_chapter):
    """`run(initiative="I2", …)`: the report's pieces, as `kind -> key -> record`."""
    return lambda **parameters: run_chapter(CHAPTER, **{"data": str(company), **parameters})


@pytest.fixture
def changed(company, copy_of):
    """`changed(table=function)`: a copy of the company with tables changed, or left out by None."""
    return lambda **tables: copy_of(company, **tables)


def verdict(pieces):
    return pieces["finding"]["impact.verdict"]["verdict"], claim(pieces, "verdict")


def claim(pieces, what):
    """Which sentence of several was said; None where none was."""
    return pieces["finding"].get(f"impact.{what}", {"values": {"claim": None}})["values"]["claim"]


def money(pieces):
    return claim(pieces, "money")


def levels(pieces):
    return {key.removeprefix("impact.note_"): note["level"] for key, note in pieces["notice"].items()}


def text_of(pieces):
    return " ".join(record["text"] for kind in ("finding", "notice") for record in pieces[kind].values())


@pytest.mark.parametrize(
    ("initiative", "lang"),
    [("I1", "en"), ("I2", "ja"), ("I3", "en"), ("I4", "ja")]
    + [
        pytest.param(*one, marks=pytest.mark.long)
        for one in [("I1", "ja"), ("I2", "en"), ("I3", "ja"), ("I4", "en")]
    ],
)
def test_every_initiative_in_both_languages(run, initiative, lang):
    pieces = run(initiative=initiative, lang=lang, horizon_months=6)
    assert {"ladder", "decision"} <= set(pieces["table"])
    assert {"evidence_ladder", "arm_months"} <= set(pieces["figure"])
    assert not any(word in text_of(pieces) for word in ("nan", "None", "{", "}"))
    assert verdict(pieces)[0] in ("effective", "not_shown", "harmful", "too_early")
    if initiative == "I4":
        assert verdict(pieces) == ("not_shown", "no_control")
        assert money(pieces) == "no_effect"


def test_without_comparison_even_a_leap_is_not_called_effective(run, changed):
    def leap(orders):
        late = orders["ordered_at"] >= pd.Timestamp("2025-12-01", tz="Asia/Tokyo")
        return orders.assign(margin=orders["margin"] + 90_000.0 * late)

    pieces = run(initiative="I4", horizon_months=6, data=changed(orders=leap))
    assert claim(pieces, "naive") == "alone"
    assert pieces["finding"]["impact.naive"]["values"]["naive_estimate"] > 1000
    assert verdict(pieces) == ("not_shown", "no_control")


@pytest.mark.parametrize(
    ("as_of", "months", "reason"),
    [
        ("2026-01-31", 4, "months"),
        ("2025-10-20", 0, "no_data"),
        pytest.param("2025-08-31", 0, "not_begun", marks=pytest.mark.long),
        pytest.param("2025-01-15", 0, "not_begun", marks=pytest.mark.long),
    ],
)
def test_too_early_without_extrapolation(run, as_of, months, reason):
    pieces = run(as_of=as_of)
    assert verdict(pieces) == ("too_early", reason)
    found = pieces["finding"]["impact.verdict"]
    if reason == "not_begun":  # no months to tell of
        assert "months_observed" not in found["values"]
    else:
        assert (found["values"]["months_observed"], found["values"]["horizon_months"]) == (months, 12)
    assert "money" not in pieces["table"]
    assert money(pieces) == ("too_early" if months else "no_data")
    if months:
        assert f"{months} of 12 months" in found["text"]
        flows = pieces["table"]["cash_flows"]["rows"]
        assert [row["month"] for row in flows] == list(range(months + 1))
    else:
        assert levels(pieces)["not_started"] == "not_enough_data"
        empty = {"ladder", "money", "tornado", "scenarios", "gap", "drift", "sensitivity"}
        assert {f"impact.none_{section}" for section in empty} <= set(pieces["notice"])


def test_a_period_from_the_start_on_is_named(run):
    """The data hold months before the start; the period chosen leaves them out."""
    pieces = run(period_start="2025-10-01")
    assert levels(pieces)["no_months_in_period"] == "warning"
    assert "2025-10-01" in pieces["notice"]["impact.note_no_months_in_period"]["text"]
    assert "no_months_before" not in levels(pieces)


def test_break_even_is_not_claimed_where_the_total_falls_back(run):
    for segment in ("Champions", "Hibernating"):
        pieces = run(segment=segment)
        if money(pieces) == "ready":
            flows = [row["cumulative"] for row in pieces["table"]["cash_flows"]["rows"]]
            stays = flows[-1] >= 0
            assert (claim(pieces, "payback") in ("reached", "reached_open")) == stays


def test_horizon_longer_than_the_data(run):
    assert verdict(run(horizon_months=24)) == ("too_early", "months")


def test_no_enrolments_table(run, changed):
    pieces = run(data=changed(enrolments=None))
    assert verdict(pieces) == ("not_shown", "no_control")
    assert levels(pieces)["no_control"] == "warning"
    assert {row["rung"] for row in pieces["table"]["ladder"]["rows"]} == {
        "before_after",
        "same_months_last_year",
        "interrupted_series",
    }


def test_missing_tables_are_named(run, changed):
    with pytest.raises(InputError, match="initiatives"):
        run(data=changed(initiatives=None))


def costs(one_time, monthly):
    return lambda table: table.assign(one_time_cost=one_time, monthly_cost=monthly)


@pytest.mark.parametrize(
    ("paid", "state"),
    [
        ((0.0, 0.0), "zero_cost"),
        ((np.nan, 5.0), "no_cost"),
        pytest.param((9.0, np.nan), "no_cost", marks=pytest.mark.long),
    ],
)
def test_cost_zero_or_missing(run, changed, paid, state):
    pieces = run(data=changed(initiatives=costs(*paid)))
    assert money(pieces) == state
    assert "money" not in pieces["table"]


def test_negative_cost_stops(run, changed):
    with pytest.raises(InputError):
        run(data=changed(initiatives=costs(-1.0, 5.0)))


def test_a_customer_in_both_arms_stops_without_naming_anybody(run, changed):
    def twice(table):
        again = table[table["initiative_id"] == "I1"].head(20)
        return pd.concat([table, again.assign(arm="control", enrolled_on=None)], ignore_index=True)

    with pytest.raises(CxError) as caught:
        run(data=changed(enrolments=twice))
    assert "C0" not in str(caught.value)


def test_an_exposed_control_is_noticed(run, changed):
    def exposed(table):
        arm = np.where((table.index % 9 == 0) & (table["initiative_id"] == "I1"), "control", table["arm"])
        return table.assign(arm=arm)

    assert levels(run(data=changed(enrolments=exposed)))["exposed"] == "warning"


def test_one_treated_customer_is_not_shown(run, changed):
    def one(table):
        treated = table[(table["initiative_id"] == "I1") & (table["arm"] == "treatment")]
        return table.drop(index=treated.index[1:])

    pieces = run(data=changed(enrolments=one))
    assert verdict(pieces) == ("not_shown", "small_arm")
    assert levels(pieces)["small_arm"] == "not_enough_data"
    assert set(pieces["table"]) == {"decision"}
    assert not pieces["figure"]


def test_nobody_left_untreated_ends_the_comparison(run, changed):
    pieces = run(initiative="I2", data=changed(enrolments=lambda table: table[table["enrolled_on"].notna()]))
    assert levels(pieces)["not_yet"] == "warning"
    assert verdict(pieces) == ("not_shown", "few_groups")


def move(day):
    def starts(table):
        return table.assign(started_on=pd.Timestamp(day).date())

    def enrolled(table):
        return table.assign(
            enrolled_on=[None if pd.isna(on) else pd.Timestamp(day).date() for on in table["enrolled_on"]]
        )

    return {"initiatives": starts, "enrolments": enrolled}


def test_start_before_the_data(run, changed):
    pieces = run(data=changed(**move("2024-02-01")))
    assert verdict(pieces) == ("not_shown", "before_data")
    assert money(pieces) == "before_data"
    assert "observed yet" not in text_of(pieces)
    assert levels(pieces)["starts_before_data"] == "not_enough_data"


def test_period_that_begins_after_the_start(run):
    """The data reach back before the start; it is the chosen period that leaves its first months out."""
    pieces = run(period_start="2025-12-01")
    assert levels(pieces)["starts_before_period"] == "not_enough_data"
    assert "2025-12-01" in pieces["notice"]["impact.note_starts_before_period"]["text"]
    assert "starts_before_data" not in levels(pieces)
    assert verdict(pieces) == ("not_shown", "before_data")
    assert not pieces["figure"]


def test_period_that_ends_early(run):
    assert verdict(run(period_end="2026-04-30")) == ("too_early", "months")


def test_constant_outcome(run, changed):
    pieces = run(data=changed(orders=lambda table: table.assign(amount=0.0, margin=0.0)))
    assert verdict(pieces) == ("not_shown", "no_interval")
    assert levels(pieces)["constant"] == "not_enough_data"
    assert money(pieces) == "no_effect"


def test_constant_outcome_in_waves_has_no_certainty_either(run, changed):
    """Every error is zero: an interval from 0 to 0 would say that nothing can pay."""
    data = changed(orders=lambda table: table.assign(amount=0.0, margin=0.0))
    pieces = run(initiative="I2", data=data)
    assert verdict(pieces) == ("not_shown", "no_interval")
    assert money(pieces) == "no_effect"
    assert "never varies" in text_of(pieces)


def lifted(orders, customers, slope):
    """Margins that climb by `slope` a month for some customers, from a year before the starts on."""
    day = orders["ordered_at"].dt.tz_localize(None)
    month = (day.dt.year - 2024) * 12 + day.dt.month - 10
    return orders.assign(margin=orders["margin"] + slope * month * orders["customer_id"].isin(customers))


def treated_in(company, initiative):
    table = pd.read_parquet(company / "enrolments.parquet")
    return table.loc[(table["initiative_id"] == initiative) & (table["arm"] == "treatment"), "customer_id"]


@pytest.mark.parametrize(
    ("initiative", "slope"),
    [("I1", 800.0), ("I3", -800.0)]
    + [pytest.param(*one, marks=pytest.mark.long) for one in [("I1", -800.0), ("I3", 800.0)]],
)
def test_a_drift_from_before_the_start_is_no_effect(run, changed, company, initiative, slope):
    who = treated_in(company, initiative)
    pieces = run(initiative=initiative, data=changed(orders=lambda table: lifted(table, who, slope)))
    found = pieces["table"]["decision"]["rows"][0]
    assert found["conf_low"] > 0 or found["conf_high"] < 0  # it looks like an effect
    assert verdict(pieces) == ("not_shown", "drift")
    assert money(pieces) == "drift"
    assert levels(pieces)["drift"] == "warning"
    assert claim(pieces, "placebo") == "alarm"
    assert "prob_roi_positive" not in {row["metric"] for row in pieces["table"]["money"]["rows"]}
    assert not {"tornado", "scenarios", "cash_flows"} & set(pieces["table"])
    assert "probability" not in text_of(pieces)


def test_the_rule_on_drift_stands_in_the_report_in_both_languages():
    cells = {cell["id"]: "".join(cell["source"]) for cell in json.loads(CHAPTER.read_text("utf-8"))["cells"]}
    order = [line.split("|")[2] for line in cells["rule-en"].splitlines() if line.startswith("| ")][1:]
    places = [
        [word in line for line in order].index(True) for word in ("too few", "moved apart", "below zero")
    ]
    assert places == [2, 3, 4]  # as in `verdict`: groups that are too few come before a drift
    assert [("離れていく" in line) for line in cells["rule-ja"].splitlines() if line.startswith("| ")].count(
        True
    ) == 1


def test_what_other_sales_lose_is_no_benefit(run):
    whole, part = run(), run(cannibalised_share=0.9)
    before, after = (flat(pieces) for pieces in (whole, part))
    for name in ("benefit", "benefit_low", "benefit_high"):
        gain_or_loss = before[name] / 10 if before[name] > 0 else before[name]  # a loss stays whole
        assert after[name] == pytest.approx(gain_or_loss)
    assert after["break_even_effect"] == pytest.approx(before["break_even_effect"] * 10)
    assert after["roi"] == pytest.approx(after["benefit"] / after["cost"] - 1)
    base = {row["scenario"]: row["roi"] for row in part["table"]["scenarios"]["rows"]}["base"]
    assert base == pytest.approx(after["roi"])
    last = part["table"]["cash_flows"]["rows"][-1]
    assert last["cumulative"] == pytest.approx(after["net"])
    assert after["prob_roi_positive"] < before["prob_roi_positive"]
    inputs = {row["input"] for row in part["table"]["tornado"]["rows"]}
    assert inputs - {row["input"] for row in whole["table"]["tornado"]["rows"]} == {"cannibalised_share"}


def test_time_of_people_is_a_cost_everywhere(run):
    whole, part = run(), run(people_cost_monthly=10_000.0)
    before, after = (flat(pieces) for pieces in (whole, part))
    assert after["cost"] == pytest.approx(before["cost"] + 120_000)
    assert after["break_even_effect"] > before["break_even_effect"]
    assert part["table"]["cash_flows"]["rows"][1]["cost"] == pytest.approx(
        whole["table"]["cash_flows"]["rows"][1]["cost"] + 10_000
    )
    assert "people_cost_monthly" in {row["input"] for row in part["table"]["tornado"]["rows"]}
    base = {row["scenario"]: row["cost"] for row in part["table"]["scenarios"]["rows"]}
    assert base["base"] == pytest.approx(after["cost"])
    assert base["low"] == pytest.approx(1.2 * after["cost"])


def flat(pieces):
    """Figures of the return by metric, with the ends of their intervals."""
    rows = pieces["table"]["money"]["rows"]
    ends = {"": "estimate", "_low": "conf_low", "_high": "conf_high"}
    return {f"{row['metric']}{tail}": row[end] for row in rows for tail, end in ends.items()}


def test_a_cost_of_zero_needs_no_effect(run, changed):
    for initiative in ("I1", "I3"):
        pieces = run(initiative=initiative, data=changed(initiatives=costs(0.0, 0.0)))
        assert verdict(pieces)[1] not in ("low_power", "below_needed")
        assert claim(pieces, "plan") == "no_cost"
        assert "impact.break_even" not in pieces["finding"]


def test_what_is_missing_in_a_section_stays_out_of_the_box_on_data_quality(run):
    notices = run(as_of="2025-10-20")["notice"]
    boxed = [key for key, notice in notices.items() if not notice.get("only_here")]
    assert len([key for key in notices if ".none_" in key]) >= 9
    assert not any(".none_" in key for key in boxed)
    assert "impact.note_not_started" in boxed


def test_no_certainty_and_no_direction_where_there_is_none(run):
    """On the sample: P(paid) rounds to one, the difference of the scores holds zero, I3 does not pay."""
    pieces = run(data=str(SAMPLE))
    assert ">99.9%" in pieces["finding"]["impact.money"]["text"]
    assert "100.0%" not in pieces["finding"]["impact.money"]["text"]
    assert pieces["finding"]["impact.score"]["verdict"] == "no_difference_shown"
    score = pieces["finding"]["impact.score"]["values"]
    assert score["conf_low"] < 0 < score["conf_high"]
    quiet = pieces["finding"]["impact.placebo"]
    assert quiet["values"]["claim"] == "quiet"
    assert quiet["values"]["widest_estimate"] == pytest.approx(
        max(-quiet["values"]["conf_low"], quiet["values"]["conf_high"])
    )
    low = run(data=str(SAMPLE), initiative="I3")["finding"]
    assert (
        low["impact.break_even"]["values"]["estimate"]
        < low["impact.break_even"]["values"]["break_even_effect"]
    )
    assert low["impact.payback"]["values"]["claim"] == "never"


def test_no_margin_recorded(run, changed):
    data = changed(orders=lambda table: table.drop(columns="margin"))
    pieces, half = run(data=data), run(data=data, contribution_margin_rate=0.15)
    assert levels(pieces)["margin_rate"] == "info"
    benefits = [p["finding"]["impact.money"]["values"]["benefit"] for p in (pieces, half)]
    assert benefits[1] == pytest.approx(benefits[0] / 2)


def test_hardly_any_orders(run, changed):
    pieces = run(data=changed(orders=lambda table: table.head(20)))
    assert verdict(pieces)[0] in ("too_early", "not_shown")


def test_unknown_names_list_what_exists(run):
    with pytest.raises(ParameterError, match="I1, I2, I3, I4"):
        run(initiative="I7")
    with pytest.raises(ParameterError, match="Champions"):
        run(segment="Champion")
    with pytest.raises(ParameterError, match="region"):
        run(by="regoin")


def test_a_segment_bears_its_share_of_the_cost(run):
    whole, part = run(), run(segment="Hibernating", by="region")
    shares = part["notice"]["impact.note_cost_share"]
    assert shares["level"] == "info"
    needed = [p["table"]["decision"]["rows"][0]["break_even_effect"] for p in (whole, part)]
    assert needed[1] == pytest.approx(needed[0])
    assert "groups" in part["table"]
    assert levels(part)["segment"] == "info"


def test_segment_without_anybody_in_the_study(run):
    pieces = run(segment="No orders")
    assert levels(pieces)["no_members"] == "not_enough_data"
    assert verdict(pieces) == ("not_shown", "no_members")


@pytest.mark.parametrize("outcome", ["amount", pytest.param("orders", marks=pytest.mark.long)])
def test_other_outcomes_leave_the_money_alone(run, outcome):
    pieces = run(outcome=outcome)
    unit = {"amount": "currency", "orders": "number"}[outcome]
    assert pieces["table"]["monthly_gap"]["units"]["estimate"] == unit
    assert pieces["table"]["money"] == run()["table"]["money"]


def test_levels_and_small_cells(run):
    narrow, wide = run(conf_level=0.8), run(conf_level=0.99)
    widths = [
        row["conf_high"] - row["conf_low"]
        for p in (narrow, wide)
        for row in [p["table"]["decision"]["rows"][0]]
    ]
    assert widths[0] < widths[1]
    assert not run(min_cell=1000)["figure"]


def test_the_verdict_follows_the_smallest_effect_worth_having(run):
    assert verdict(run(min_effect=100_000.0))[0] != "effective"


def test_cells_shown_hold_enough_customers(run):
    pieces = run(by="region", min_cell=60, initiative="I1")
    for row in pieces["table"]["groups"]["rows"]:
        assert row["estimate"] is None or row["n"] >= 60


def test_the_shipped_sample_tells_its_story(run):
    sample = str(SAMPLE)
    truth = json.loads((SAMPLE / "truth.json").read_text(encoding="utf-8"))["initiatives"]
    for name in ("I1", "I2"):
        pieces = run(data=sample, initiative=name)
        found = pieces["table"]["decision"]["rows"][0]
        # I2 works, but each of its waves is a single region, whose shocks nobody can tell from the effect
        assert verdict(pieces) == {"I1": ("effective", "above_min"), "I2": ("not_shown", "few_groups")}[name]
        if name == "I1":
            assert found["conf_low"] < truth[name]["effect_monthly_margin"]["12"] < found["conf_high"]
    low = run(data=sample, initiative="I3")
    assert verdict(low)[0] == "not_shown"
    assert claim(low, "naive") == "targeted"
    assert low["finding"]["impact.naive"]["values"]["naive_conf_low"] > 0
    assert verdict(run(data=sample, initiative="I4")) == ("not_shown", "no_control")
    assert verdict(run(data=sample, as_of="2026-01-31"))[0] == "too_early"
    assert cx.open_data(sample).is_sample


def test_a_period_from_the_start_on_is_planned_by_the_rung_that_answers(run):
    pieces = run(initiative="I1", period_start="2025-10-01", horizon_months=6)
    assert pieces["table"]["plan"]["rows"]
    assert "impact.none_plan" not in pieces["notice"]
    assert "impact.none_churn_before" in pieces["notice"]


def test_a_drift_of_margin_is_named_beside_another_outcome(run, changed, company):
    who = treated_in(company, "I3")
    data = changed(orders=lambda table: lifted(table, who, 800.0))
    pieces = run(initiative="I3", outcome="orders", data=data)
    assert money(pieces) == "drift"
    assert levels(pieces)["drift_money"] == "warning"
    text = pieces["finding"]["impact.money"]["text"]
    assert "in margin" in text


def test_groups_without_an_arm_are_no_evidence_of_stability(run):
    """Whole regions were treated, too few of them for an answer: so there is none within them either."""
    pieces = run(initiative="I2", by="region", horizon_months=6)
    assert not [key for key in pieces["finding"] if key.startswith("differences")]
    assert "impact.none_groups" in pieces["notice"]
    assert "groups" not in pieces["table"]


def test_a_group_without_an_arm_is_left_out_and_said(run, changed, company):
    """One region of a lot draw loses its controls: the others are told, and it is not."""
    people = pd.read_parquet(company / "customers.parquet")
    emptied = people["region"].value_counts().index[0]
    there = people.loc[people["region"] == emptied, "customer_id"]

    def treated_only(table):
        return table[(table["arm"] == "treatment") | ~table["customer_id"].isin(there)]

    pieces = run(by="region", horizon_months=6, min_cell=5, data=changed(enrolments=treated_only))
    assert "impact.groups_one_arm" in pieces["notice"]
    told = {value for row in pieces["table"]["groups"]["rows"] for value in row.values()}
    assert set(people["region"].dropna()) - told == {emptied}


def test_no_alarm_is_contradicted_by_a_quiet_made_up_start(tmp_path, run):
    write_sample(tmp_path, n_customers=2000, seed=222)
    people = pd.read_parquet(tmp_path / "customers.parquet")
    people.drop(columns="region").to_parquet(
        tmp_path / "customers.parquet"
    )  # else its waves are judged first
    pieces = run(initiative="I2", data=str(tmp_path))
    assert verdict(pieces) == ("not_shown", "drift")
    assert claim(pieces, "placebo") == "silent"
    found = pieces["finding"]["impact.pretrend_alarm"]["values"]
    assert found["p_value"] < found["limit"] == 0.05


def test_nothing_is_compared_where_nothing_is_computed(run):
    pieces = run(data=str(SAMPLE), initiative="I1", period_start="2025-12-01", by="region")
    assert set(pieces["table"]) == {"decision"}
    assert {key.split(".")[1].split("_")[0] for key in pieces["finding"]} == {"verdict", "money"}
    assert "impact.none_beside" in pieces["notice"]


@pytest.mark.parametrize("horizon", [12, *(pytest.param(each, marks=pytest.mark.long) for each in (6, 24))])
def test_a_drift_stays_in_every_sentence_at_every_horizon(tmp_path, run, horizon):
    shutil.copytree(SAMPLE, tmp_path / "copy")
    people = tmp_path / "copy" / "customers.parquet"
    pd.read_parquet(people).drop(columns="region").to_parquet(people)  # else its waves are judged first
    finding = run(data=str(tmp_path / "copy"), initiative="I2", horizon_months=horizon)["finding"]
    told = [
        key for key in finding if key.split(".")[1].split("_")[0] in ("verdict", "money", "churn", "naive")
    ]
    assert len(told) == 4
    for key in told:
        assert "already moved apart" in finding[key]["text"]
    assert not {"impact.dip", "impact.break_even"} & set(finding)


def test_the_header_says_which_initiative_outcome_horizon_and_level(run):
    (head,) = run(data=str(SAMPLE), initiative="I3", outcome="orders", horizon_months=6, conf_level=0.5)[
        "header"
    ].values()
    assert head["title"] == "Did the initiative pay? – Win-back mail to low spenders"
    for words in ("Win-back mail", "orders", "6 months", "50%"):
        assert words in head["about"][0]


def test_groups_are_told_apart_by_a_test_and_not_by_their_intervals(run):
    pieces = run(data=str(SAMPLE), by="region")
    found = pieces["finding"]["differences[of=effect]"]
    assert found["verdict"] == "no_difference_shown"
    assert found["values"]["p_value"] > 0.05
    assert found["values"]["groups"] == len(pieces["table"]["groups"]["rows"])
