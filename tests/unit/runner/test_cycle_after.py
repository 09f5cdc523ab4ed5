"""After a cycle's run: history, alerts and their exit code, comparison, runs for sharing."""

import json
import sys

import pytest

from cxlib.checks import InputError
from cxlib.runner import batch, history_commands
from cxlib.runner.cycle import _to_compare
from cxlib.runner.history import FILE, read_history

from .test_cycle import Team, team  # noqa: F401

STORED = "20260930-010203"


@pytest.fixture
def monthly(team, stored_run, monkeypatch):  # noqa: F811
    """A team whose scorecard comes out as the stored one, without a kernel."""
    found = json.loads((stored_run(STORED) / "results.json").read_text())["scorecard"]
    team.found = found

    def made(plans, settings, draft, *_):
        for one in plans:
            one.results = found if one.report == "scorecard" else {**found, "tables": {}}
            one.pages = {lang: one.file(lang, ".html") for lang in one.languages}
            draft.write({page: b"<html>" for page in one.pages.values()})

    monkeypatch.setattr(batch, "_run_all", made)
    chapter = team.chapters / "01_tiny.ipynb"
    chapter.rename(team.chapters / "06_scorecard.ipynb")
    team.asked = {"reports": ["scorecard"], "languages": ["en"], "history": True, "alerts": "all"}
    return team


def test_history_grows_alerts_have_their_code_and_are_told_once(monthly):
    told = monthly.place / "told"
    code = (
        "import os; open('told', 'a').write(' '.join([*map(os.getenv, ('CX_EXIT_CODE', 'CX_ALERTS')), '']))"
    )
    monthly.write(**monthly.asked, deliver=[sys.executable, "-c", code])
    assert monthly.cycle() == 8, monthly.said
    (run,) = monthly.runs
    table = monthly.out / "alerts" / f"{run.name}.csv"
    assert "beyond the alarm" in monthly.said and table.is_file()
    assert told.read_text().split() == ["8", str(table)], "the delivery knows"
    assert len(read_history(monthly.out)) == len(monthly.found["tables"]["kpis"]["rows"])
    assert (monthly.out / "history.html").is_file() and (monthly.out / "history_ja.html").is_file()
    assert monthly.cycle() == 0 and "Nothing changed" in monthly.said, "told once"
    assert len(told.read_text().split()) == 2


def test_a_failed_alert_or_history_does_not_fail_the_cycle_and_is_tried_again(monthly):
    monthly.write(**monthly.asked)
    monthly.out.mkdir()
    (monthly.out / FILE).write_bytes(b"x")
    assert monthly.cycle() == 0
    assert "history was not added to" in monthly.said and "nobody looked for alerts" in monthly.said
    assert len(monthly.runs) == 1 and (monthly.out / FILE).read_bytes() == b"x"
    (monthly.out / FILE).unlink()
    assert monthly.cycle() == 8 and len(monthly.runs) == 1, "made good by the next call"
    assert read_history(monthly.out)


@pytest.mark.parametrize("error", [InputError("runner.no_data", found="x"), KeyError("kpis"), ValueError()])
def test_whatever_breaks_the_alerts_the_run_stands(monthly, error, monkeypatch):
    def broken(*_, **__):
        raise error

    monkeypatch.setattr(history_commands, "tell_alerts", broken)
    monthly.write(**monthly.asked)
    assert monthly.cycle() == 0 and "nobody looked for alerts" in monthly.said
    assert "Traceback" not in monthly.said and read_history(monthly.out)


def test_a_failure_comes_before_alerts(monthly, monkeypatch):
    made = batch._run_all

    def one_fails(plans, *others):
        made([one for one in plans if one.report == "scorecard"], *others)
        for one in plans:
            if one.report != "scorecard":
                one.error = InputError("runner.no_data", found="x")

    monkeypatch.setattr(batch, "_run_all", one_fails)
    monthly.write(**{**monthly.asked, "reports": ["scorecard", "work"]})
    assert monthly.cycle() == 3 and "beyond the alarm" in monthly.said


def test_nothing_worth_telling_is_code_0(monthly):
    for one in monthly.found["tables"]["kpis"]["rows"]:
        if one["metric"] in ("valley_depth", "follow_up_share"):
            one |= {"estimate": None, "conf_low": None, "conf_high": None}
    monthly.write(**monthly.asked)
    assert monthly.cycle() == 0 and "Nothing worth telling" in monthly.said


def test_new_alerts_alone_are_told_where_the_file_says_so(monthly):
    monthly.write(**{**monthly.asked, "alerts": "new"})
    assert monthly.cycle() == 8
    held = read_history(monthly.out)
    for one in held:
        one["as_of"] = "2026-08-31"
    (monthly.out / FILE).unlink()
    history_commands.remember(monthly.out, held, None, first="en", lang="en")
    monthly.fill(until="2026-10-06")
    assert monthly.cycle() == 0 and "Nothing worth telling" not in monthly.said, "as it was a month before"
    assert "Nothing new worth telling. As before: 2 of" in monthly.said


def test_a_comparison_is_with_another_day_not_with_what_the_same_day_left_unfinished(tmp_path):
    runs = [
        (tmp_path / name, {"cycle": {"as_of": day}})
        for name, day in (("c", "2026-09-30"), ("b", "2026-08-31"))
    ]
    assert _to_compare(runs, "2026-09-30") == "b" and _to_compare(runs[:1], "2026-09-30") == "c"
    assert _to_compare([], "2026-09-30") is None


def test_a_cycle_for_sharing_keeps_no_exact_figure_and_knows_that_nothing_changed(team):  # noqa: F811
    team.write(shared=True, reports=["tiny"])
    assert team.cycle() == 0, team.said
    (run,) = team.runs
    record = team.record()
    assert record["is_shared"] is True and record["data"] == {} and "signature" not in record["cycle"]
    assert "left_out" not in record["cycle"]
    assert sorted(path.name for path in run.rglob("*") if path.is_file()) == [
        "run.json",
        "tiny.html",
        "tiny_ja.html",
    ]
    assert team.cycle() == 0 and "Nothing changed" in team.said and len(team.runs) == 1
    team.fill(until="2026-10-06")
    assert team.cycle() == 0 and len(team.runs) == 2, "other data"
    hidden = team.out / f".{run.name}.signature"
    assert hidden.stat().st_mode & 0o077 == 0
    hidden.unlink()
    assert team.cycle() == 0 and "Nothing changed" in team.said
