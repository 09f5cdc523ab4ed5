"""The register on data that go wrong, and beside chapter 4: one function, so one answer."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from cxlib.checks import CxError, InputError
from cxlib.samples.simulate import write_sample

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
REGISTER, CHAPTER = NOTEBOOKS / "05_initiative_register.ipynb", NOTEBOOKS / "04_initiative_roi.ipynb"
SAMPLE = NOTEBOOKS.parent / "data" / "sample"
IDS = ("I1", "I2", "I3", "I4")


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    return write_sample(tmp_path_factory.mktemp("company"), n_customers=1200, seed=5)


@pytest.fixture
def run(company, run_chapter):
    return lambda **parameters: run_chapter(REGISTER, **{"data": str(company), **parameters})


@pytest.fixture
def changed(company, copy_of):
    return lambda **tables: copy_of(company, **tables)


def lines(pieces, table):
    """Rows of a table in the order of the register; those it does not have are missing."""
    if table not in pieces["table"]:
        return {}
    names = [row["initiative"] for row in pieces["table"]["verdicts"]["rows"]]
    ids = dict(zip(names, IDS, strict=True))
    return {ids[row["initiative"]]: row for row in pieces["table"][table]["rows"]}


def cautions(pieces):
    rows = pieces["table"]["cautions"]["rows"] if "cautions" in pieces["table"] else []
    return [(row["initiative"], row["caution"]) for row in rows]


def verdicts(pieces):
    return {name: row["verdict"] for name, row in lines(pieces, "verdicts").items()}


def words(pieces):
    return " ".join(record["text"] for kind in ("finding", "notice") for record in pieces[kind].values())


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        pytest.param({"segment": "Hibernating", "by": "region"}, marks=pytest.mark.long),
        pytest.param({"as_of": "2026-07-31"}, marks=pytest.mark.long),
        pytest.param(
            {"cannibalised_share": 0.4, "people_cost_monthly": 5_000.0, "conf_level": 0.9},
            marks=pytest.mark.long,
        ),
        pytest.param(
            {"horizon_months": 6, "period_end": "2026-04-30", "min_effect": 20.0}, marks=pytest.mark.long
        ),
        pytest.param({"horizon_months": 24, "contribution_margin_rate": 0.1}, marks=pytest.mark.long),
    ],
    ids=["plain", "segment", "some_waves", "terms", "period", "too_long"],
)
def test_both_reports_agree_on_every_initiative(run, run_chapter, parameters):
    pieces = run(data=str(SAMPLE), **parameters)
    judged, earned = lines(pieces, "verdicts"), lines(pieces, "returns")
    for name in IDS:
        alone = run_chapter(CHAPTER, data=str(SAMPLE), initiative=name, **parameters)
        decision = alone["table"]["decision"]["rows"][0]
        assert judged[name]["verdict"] == decision["verdict"]
        assert judged[name]["break_even_effect"] == pytest.approx(decision["break_even_effect"], nan_ok=True)
        months = lines(pieces, "studies")[name]["months_observed"]
        assert months == decision["months_observed"]
        for column in ("estimate", "conf_low", "conf_high"):
            if judged[name][column] is not None:
                assert judged[name][column] == pytest.approx(decision[column])
        figures = {row["metric"]: row for row in alone["table"].get("money", {"rows": []})["rows"]}
        assert (name in earned) == bool(figures)
        for metric in ("roi", "npv", "cost", "prob_roi_positive"):
            if metric in figures:
                assert earned[name][metric] == pytest.approx(figures[metric]["estimate"])
        if figures:
            assert earned[name]["roi_conf_low"] == pytest.approx(figures["roi"]["conf_low"])
        warned = [
            r["text"] for key, r in alone["notice"].items() if ".note_" in key and "note_segment" not in key
        ]
        own = [note for initiative, note in cautions(pieces) if initiative == judged[name]["initiative"]]
        assert [note[:150] for note in own] == [note[:150] for note in warned]


def test_first_place_takes_an_effect_that_leaves_money_over(run):
    pieces = run(data=str(SAMPLE))
    best = pieces["finding"]["impact.first_place"]
    assert best["values"]["estimate"] > 0
    assert best["values"]["roi"] > 0
    assert best["verdict"] == "effective" and "comes first" in best["text"]
    order = pieces["table"]["ranking"]["rows"]
    assert [row["net_shrunk"] for row in order] == sorted((row["net_shrunk"] for row in order), reverse=True)
    raw = {row["initiative"]: row["estimate"] for row in pieces["table"]["verdicts"]["rows"]}
    assert all(abs(row["shrunk"]) <= abs(raw[row["initiative"]]) for row in order)


def test_a_loser_is_not_crowned(run, changed):
    def dear(table):
        return table.assign(one_time_cost=table["one_time_cost"] + 1e8)

    pieces = run(data=changed(initiatives=dear))
    assert "impact.first_place" not in pieces["finding"]
    assert "impact.first_place.none" in pieces["notice"]
    closest = pieces["finding"]["impact.register_closest"]["values"]
    assert closest["estimate"] < 0


def test_a_drift_from_before_the_start_is_neither_effective_nor_ranked(run, changed, company):
    table = pd.read_parquet(company / "enrolments.parquet")
    who = table.loc[(table["initiative_id"] == "I3") & (table["arm"] == "treatment"), "customer_id"]

    def drift(orders):
        day = orders["ordered_at"].dt.tz_localize(None)
        month = (day.dt.year - 2024) * 12 + day.dt.month - 10
        return orders.assign(margin=orders["margin"] + 400.0 * month * orders["customer_id"].isin(who))

    pieces = run(data=changed(orders=drift))
    assert verdicts(pieces)["I3"] == "not_shown"
    assert "I3" not in lines(pieces, "ranking")
    assert lines(pieces, "returns")["I3"]["prob_roi_positive"] is None
    name = lines(pieces, "verdicts")["I3"]["initiative"]
    assert name in pieces["finding"]["impact.next[reason=drift]"]["values"]["names"]
    assert pieces["finding"]["impact.next[reason=drift]"]["verdict"] == "run_again"
    assert any(who == name and "moved apart before the start" in note for who, note in cautions(pieces))
    assert name in pieces["notice"]["impact.register_cautions"]["text"]


def test_no_control_anywhere(run, changed):
    pieces = run(data=changed(enrolments=None))
    assert set(verdicts(pieces).values()) <= {"not_shown", "too_early"}
    assert {"ranking", "returns"}.isdisjoint(pieces["table"])
    assert "impact.none_ranking" in pieces["notice"]
    assert len(pieces["finding"]["impact.next[reason=no_control]"]["values"]["names"]) == 4


def test_an_exposed_control_is_noticed_in_its_row(run, changed):
    def exposed(table):
        arm = np.where((table.index % 9 == 0) & (table["initiative_id"] == "I1"), "control", table["arm"])
        return table.assign(arm=arm)

    pieces = run(data=changed(enrolments=exposed))
    name = lines(pieces, "verdicts")["I1"]["initiative"]
    assert any(who == name and "enrolled all the same" in note for who, note in cautions(pieces))


def test_a_customer_in_both_arms_stops_without_naming_anybody(run, changed):
    def twice(table):
        again = table[table["initiative_id"] == "I1"].head(20)
        return pd.concat([table, again.assign(arm="control", enrolled_on=None)], ignore_index=True)

    with pytest.raises(CxError) as caught:
        run(data=changed(enrolments=twice))
    assert "C0" not in str(caught.value)


def costs(one_time, monthly):
    return lambda table: table.assign(
        one_time_cost=table["one_time_cost"].where(table["initiative_id"] != "I1", one_time),
        monthly_cost=table["monthly_cost"].where(table["initiative_id"] != "I1", monthly),
    )


def test_a_missing_cost_stands_last_and_has_no_return(run, changed):
    pieces = run(data=changed(initiatives=costs(np.nan, 5.0)))
    assert "I1" not in lines(pieces, "returns")
    order = pieces["table"]["ranking"]["rows"]
    assert order[-1]["initiative"] == lines(pieces, "verdicts")["I1"]["initiative"]
    assert order[-1]["net_shrunk"] is None
    name = lines(pieces, "verdicts")["I1"]["initiative"]
    reason = lines(pieces, "verdicts")["I1"]["reason"]
    assert name in pieces["finding"][f"impact.next[reason={reason}]"]["values"]["names"]
    assert reason in ("no_cost", "inconclusive")
    alone = pieces["finding"]["impact.first_place"]  # one priced study alone is no ranking
    assert alone["text"].startswith("Only") and "next_initiative" not in alone["values"]


def test_a_cost_of_zero_has_no_return_and_no_break_even(run, changed):
    pieces = run(data=changed(initiatives=costs(0.0, 0.0)))
    assert "I1" not in lines(pieces, "returns")
    assert verdicts(pieces)["I1"] in ("effective", "not_shown")
    assert lines(pieces, "verdicts")["I1"]["break_even_effect"] == 0


def test_a_negative_cost_stops(run, changed):
    with pytest.raises(InputError):
        run(data=changed(initiatives=costs(-1.0, 5.0)))


def test_a_horizon_longer_than_the_data_is_too_early(run):
    pieces = run(horizon_months=24)
    assert verdicts(pieces) == dict.fromkeys(("I1", "I3"), "too_early") | dict.fromkeys(
        ("I2", "I4"), "not_shown"
    )
    reasons = {name: row["reason"] for name, row in lines(pieces, "verdicts").items()}
    assert (reasons["I2"], reasons["I4"]) == ("few_groups", "no_control")
    assert {"ranking", "returns"}.isdisjoint(pieces["table"])
    assert "impact.first_place.none" in pieces["notice"]


def test_constant_outcome_shows_nothing(run, changed):
    pieces = run(data=changed(orders=lambda table: table.assign(amount=0.0, margin=0.0)))
    assert verdicts(pieces) == dict.fromkeys(("I1", "I2", "I3", "I4"), "not_shown")
    assert {"ranking", "returns"}.isdisjoint(pieces["table"])
    assert any("same value for every customer" in note for _, note in cautions(pieces))


def test_one_treated_customer_is_not_shown(run, changed):
    def one(table):
        treated = table[(table["initiative_id"] == "I1") & (table["arm"] == "treatment")]
        return table.drop(index=treated.index[1:])

    pieces = run(data=changed(enrolments=one))
    row = lines(pieces, "verdicts")["I1"]
    assert (row["verdict"], row["reason"], row["estimate"]) == ("not_shown", "small_arm", None)
    assert "I1" not in lines(pieces, "ranking")


@pytest.mark.parametrize("day", ["2024-02-01", pytest.param("2030-01-01", marks=pytest.mark.long)])
def test_start_outside_the_data(run, changed, day):
    def starts(table):
        return table.assign(started_on=pd.Timestamp(day).date())

    def enrolled(table):
        on = [None if pd.isna(was) else pd.Timestamp(day).date() for was in table["enrolled_on"]]
        return table.assign(enrolled_on=on)

    pieces = run(data=changed(initiatives=starts, enrolments=enrolled))
    if day > "2026":  # nothing has begun by the day of analysis
        said = pieces["table"].get("verdicts", {"rows": []})["rows"]
        assert not {"effective", "harmful"} & {row.get("verdict") for row in said}
        return
    assert set(verdicts(pieces).values()) == {"not_shown"}
    assert sum("began before the first order in the data" in note for _, note in cautions(pieces)) == 3
    assert (
        len({who for who, _ in cautions(pieces)}) == 4
    )  # of I4 nobody was a customer yet, which is said, too


@pytest.mark.parametrize("lang", [pytest.param("en", marks=pytest.mark.long), "ja"])
def test_by_splits_every_initiative_that_has_an_answer(run, lang):
    pieces = run(by="region", min_cell=5, lang=lang)
    split = pd.DataFrame(pieces["table"]["groups"]["rows"])
    names = {lines(pieces, "verdicts")[name]["initiative"] for name in ("I1", "I3")}
    assert set(split["initiative"]) == names  # no region of I2 holds both arms
    assert len(set(split["region"])) > 1
    assert "groups" not in run(lang=lang)["table"]
    assert not any(word in words(pieces) for word in ("nan", "None", "{", "}"))


def test_only_what_concerns_the_data_stands_in_the_box(run):
    notices = run(as_of="2025-10-20")["notice"]
    boxed = {key for key, notice in notices.items() if not notice.get("only_here")}
    assert boxed <= {"impact.first_place.none", "impact.register_cautions", "tables.test_accounts"}
    assert json.dumps(sorted(notices)).count(".none_") >= 2


@pytest.mark.parametrize("path", sorted((SAMPLE.parents[1] / "reports" / "params").glob("*.yml")))
def test_a_shipped_parameter_file_gives_both_reports_the_same_days(path):
    given = yaml.safe_load(path.read_text(encoding="utf-8"))
    both = [given | (given.get(name) or {}) for name in ("initiative_roi", "initiative_register")]
    if "initiative_register" in given or "period_start" in given:
        for name in ("as_of", "period_start", "period_end", "segment", "by"):
            assert both[0].get(name) == both[1].get(name)


def test_one_study_is_not_ranked_and_no_interval_is_empty(run):
    """Among champions only one initiative is compared in full: its own result stands."""
    pieces = run(data=str(SAMPLE), segment="Champions")
    single = pieces["finding"]["impact.first_place"]["values"]
    (row,) = [row for row in pieces["table"]["returns"]["rows"] if row["initiative"] == single["initiative"]]
    assert single["estimate"] == pytest.approx(row["roi"])
    assert "ranking" not in pieces["table"]
    assert "Only" in pieces["finding"]["impact.first_place"]["text"]
    assert "impact.register_closest" not in pieces["finding"]
    assert "(– " not in words(pieces)


def test_the_period_in_the_header_is_the_period_of_the_figures(run):
    header = run(data=str(SAMPLE), period_start="2026-04-01", period_end="2026-09-30")["header"]
    (head,) = header.values()
    assert (head["period_start"], head["period_end"]) == ("2026-04-01", "2026-09-30")
    (orders,) = [table for table in head["tables"] if table["table"] == "orders"]
    assert str(orders["first"])[:10] >= "2026-04-01"
    assert "12 months" in head["about"][0]
    assert "95%" in head["about"][0]


def test_the_rule_is_applied_to_every_initiative_by_name(run):
    pieces = run(data=str(SAMPLE))
    steps = {key: record for key, record in pieces["finding"].items() if ".next[" in key}
    named = sorted(name for record in steps.values() for name in record["values"]["names"])
    assert named == sorted(row["initiative"] for row in pieces["table"]["verdicts"]["rows"])
    by_step = {record["verdict"]: record["values"]["names"] for record in steps.values()}
    assert by_step["stop"] == ["Win-back mail to low spenders"]
    assert by_step["fund"] == ["First-use coaching (LINE)"]


def test_what_loses_money_is_neither_first_nor_effective(run):
    pieces = run(data=str(SAMPLE), horizon_months=6, people_cost_monthly=100_000.0)
    row = lines(pieces, "verdicts")["I1"]
    earned = lines(pieces, "returns")["I1"]
    assert earned["roi_conf_low"] < 0 < earned["roi_conf_high"]
    assert row["verdict"] == "pay_open"
    assert "impact.first_place" not in pieces["finding"]
