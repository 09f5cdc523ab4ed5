"""An evaluation shows its end in one table, not the frames it went through."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

import cxlib as cx
from cxlib.initiatives import claims, register
from cxlib.initiatives import evaluate as evaluation
from cxlib.language import catalogue


@pytest.fixture(scope="module")
def evaluated():
    """`evaluated(enrolments)`: a six-month verdict on the first initiative."""
    tables = cx.make_company(n_customers=1000, seed=2)
    chosen = cx.choose_initiative(tables["initiatives"], "I1")
    people = {name: tables["customers"] for name in ("customers", "selected")}

    def evaluate(enrolments, as_of="2026-08-31", **changed):
        terms, own = cx.Terms(horizon_months=6), pd.Series(chosen.to_dict() | changed)
        return cx.evaluate_initiative(
            own, orders=tables["orders"], enrolments=enrolments, as_of=as_of, terms=terms, **people
        )

    return evaluate, tables["enrolments"]


def test_the_summary_holds_effect_verdict_and_worth(evaluated):
    evaluate, enrolments = evaluated
    found = evaluate(enrolments)
    effect, *worth = found.summary.to_dict("records")
    decision = found.decision.iloc[0]
    assert (effect["verdict"], effect["reason"]) == (decision["verdict"], decision["reason"])
    assert [effect[name] for name in ("estimate", "conf_low", "conf_high", "n")] == [
        *decision[["estimate", "conf_low", "conf_high"]],
        found.answer["n"],
    ]
    money = found.money.set_index("metric")["estimate"]
    assert {row["metric"]: row["estimate"] for row in worth} == pytest.approx(money.to_dict(), nan_ok=True)
    assert {row["verdict"] for row in worth} == {""} and pd.isna(worth[0]["n"])


@pytest.mark.parametrize(("as_of", "reason"), [("2025-09-30", "not_begun"), ("2025-10-01", "no_data")])
def test_what_is_yet_to_begin_is_told_from_what_began_a_day_ago(evaluated, as_of, reason):
    evaluate, enrolments = evaluated
    decision = evaluate(enrolments, as_of).decision
    assert decision[["verdict", "reason"]].to_numpy().tolist() == [["too_early", reason]]
    assert register.STEPS[reason] == "wait"
    wanted = {f"impact.verdict.{reason}", f"impact.next.{reason}", f"value.reason.{reason}"}
    assert wanted <= catalogue().keys()


def test_it_is_shown_as_its_summary(evaluated):
    evaluate, enrolments = evaluated
    found = evaluate(enrolments)
    assert len(repr(found).splitlines()) == 1 + len(found.summary) < 15
    shown = f"{found.money.set_index('metric').loc['net', 'estimate']:,.6g}"
    assert shown in repr(found) and f"<td>{shown}</td>" in found._repr_html_()
    assert "–" in repr(found) and "NaN" not in repr(found) + found._repr_html_()


def test_nobody_to_compare_with_is_one_row(evaluated):
    evaluate, enrolments = evaluated
    found = evaluate(enrolments[enrolments["arm"] == "treatment"])
    assert found.money is None and len(found.summary) == 1
    assert found.summary["reason"].item() == found.decision["reason"].item() != ""
    assert found.summary["estimate"].item() == found.decision["estimate"].item()
    assert found.summary["reason"].item() in repr(found)


def evaluation_words(note):
    """The caution as the register tells it."""
    return register._sentence(note, "ja")


@pytest.mark.parametrize(
    ("placebo", "pretrend", "key"),
    [(0.01, 0.02, "drift"), (0.01, np.nan, "drift_placebo"), (np.nan, 0.02, "drift_pretrend")],
)
def test_a_test_that_could_not_be_made_leaves_no_hole_in_the_caution(placebo, pretrend, key):
    drift = pd.DataFrame(
        {"metric": ["placebo", "pretrend"], "p_value": [placebo, pretrend], "is_alarm": True}
    )
    asked = {"drift": drift, "older": drift.assign(is_alarm=False)}
    [note] = evaluation._own_notes(pd.DataFrame(), cx.Terms(), 1.0, 0, **asked)
    assert note["key"] == f"impact.note_{key}"
    assert all(f"{{{name}}}" in catalogue()[note["key"]]["en"] for name in set(note) - {"key", "level"})
    assert "–" not in evaluation_words(note)


@pytest.mark.parametrize(
    ("notes", "reason", "told"),
    [
        ({"everyone"}, "no_data", ("not_shown", "no_control")),
        ({"small_arm", "not_started"}, "no_data", ("not_shown", "small_arm")),
        ({"no_members"}, "no_data", ("not_shown", "no_members")),
        ({"no_months_before"}, "no_control", ("not_shown", "no_before")),
        ({"found"}, "no_control", ("not_shown", "found")),
        ({"none_left", "not_yet"}, "months", ("not_shown", "none_left")),
        ({"not_yet"}, "months", ("too_early", "months")),
        ({"not_started"}, "no_data", ("too_early", "no_data")),
        ({"to_come", "everyone"}, "no_data", ("too_early", "not_begun")),
    ],
)
def test_it_is_too_early_only_where_to_wait_helps(notes, reason, told):
    verdict = "not_shown" if reason == "no_control" else "too_early"
    decision = pd.DataFrame([{"verdict": verdict, "reason": reason}])
    [row] = evaluation._why_alone(decision, notes).to_numpy().tolist()
    assert tuple(row) == told
    assert (register.STEPS[row[1]] == "wait") == (row[0] == "too_early")
    assert {f"impact.verdict.{row[1]}", f"impact.next.{row[1]}"} <= catalogue().keys()


def test_after_the_last_wave_nobody_waits_for_a_verdict(evaluated):
    """Half of all customers join at the start and half three months later: three months can be compared."""
    evaluate, enrolments = evaluated
    joined = enrolments[enrolments["initiative_id"] == "I1"].assign(arm="treatment").reset_index(drop=True)
    days = [dt.date(2025, 10, 1), dt.date(2026, 1, 1)]
    waves = joined.assign(enrolled_on=[days[i % 2] for i in joined.index])
    found = evaluate(waves, assignment="staggered")
    assert found.observed == 3
    assert found.decision[["verdict", "reason"]].to_numpy().tolist() == [["not_shown", "none_left"]]
    assert claims.money_told(found)["claim"] == "none_left"
    early = evaluate(waves, "2025-12-31", assignment="staggered")
    assert early.decision["verdict"].item() == "too_early"
    wanted = {"impact.verdict.none_left", "impact.next.none_left", "impact.money.none_left"}
    assert wanted <= catalogue().keys()
