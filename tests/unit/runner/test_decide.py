"""`cx decide`: proposals come below what the team wrote, and nothing of theirs changes."""

from datetime import date

import pytest

from cxlib.data.rules.decisions import Decision, read_decisions
from cxlib.runner.cli import main
from cxlib.runner.decide import proposals
from cxlib.runner.run_files import read_run


@pytest.fixture
def decide(stored_run, tmp_path):
    """Run the command on data of its own; return exit code and the file's text."""
    data = tmp_path / "company"
    data.mkdir()
    folder = stored_run()

    def _decide(text=None, *options):
        file = data / "decisions.yml"
        if text is not None:
            file.write_text(text, encoding="utf-8")
        code = main(["decide", str(folder), "--data", str(data), *options])
        return code, file.read_text(encoding="utf-8") if file.is_file() else ""

    _decide.data, _decide.folder = data, folder
    return _decide


def test_the_first_time_all_proposals_are_written_in_words(decide, capsys):
    code, _ = decide()
    assert code == 0
    held = read_decisions(decide.data)
    rows = read_run(decide.folder, decide.folder).results["scorecard"]["tables"]["decide"]["rows"]
    assert [one.id for one in held] == [row["id"] for row in rows]
    assert [one.by for one in held] == [date.fromisoformat(row["due_on"]) for row in rows]
    assert held[0].what.startswith("Fund: ") and held[0].who == "CRM lead" and held[0].state == "open"
    assert capsys.readouterr().out.count("\n+ ") == len(rows) - 1


def test_the_newest_run_is_found_by_that_word(decide):
    out = decide.folder.parent
    assert main(["decide", "newest", "--out", str(out), "--data", str(decide.data)]) == 0
    assert main(["decide", "newest", "--out", str(decide.data), "--data", str(decide.data)]) == 2


def test_a_second_time_nothing_is_added_and_the_file_is_the_same_to_the_byte(decide, capsys):
    _, first = decide()
    capsys.readouterr()
    code, second = decide()
    assert (code, second) == (0, first)
    assert "— open" in capsys.readouterr().out


TEAM = """# ours, do not touch
decisions:
    - id: "call"
      what: Ring them up   # our words
      who: Yuki
      state: done
      done_on: 2026-02-28

    - id: something of our own
      by: 2026-08-31
"""


def test_what_the_team_wrote_stays_and_comes_back_with_its_state(decide, capsys):
    code, after = decide(TEAM)
    assert code == 0
    assert after.startswith(TEAM.rstrip("\n"))
    assert [one.id for one in read_decisions(decide.data)].count("call") == 1
    said = capsys.readouterr().out
    assert "Ring them up — done, effect can be judged since Aug 28, 2026" in said
    assert "something of our own — open, overdue" in said


def test_a_decision_is_marked_as_done_and_no_other_line_moves(decide):
    _, before = decide(TEAM)
    code, after = decide(None, "--done", "answer", "--on", "2026-09-15")
    assert code == 0
    marked = next(one for one in read_decisions(decide.data) if one.id == "answer")
    assert (marked.state, marked.done_on) == ("done", date(2026, 9, 15))
    lost = set(before.splitlines()) - set(after.splitlines())
    assert lost <= {"      state: open"}
    assert after.count("# our words") == 1


def test_the_day_of_the_run_is_the_day_it_was_done_unless_said(decide):
    decide()
    decide(None, "--done", "call")
    assert next(one for one in read_decisions(decide.data) if one.id == "call").done_on == date(2026, 9, 30)


def test_the_words_are_in_the_language_asked_for(decide):
    decide(None, "--lang", "ja")
    assert read_decisions(decide.data)[0].what.startswith("予算をつける")


@pytest.mark.parametrize("text", ["decisions: []\n", "decisions:\n", "", "# nothing yet\n"])
def test_an_empty_file_is_extended(decide, text):
    code, after = decide(text)
    assert code == 0
    assert len(read_decisions(decide.data)) == 5
    assert after.startswith(text.splitlines()[0]) if text.startswith("#") else True


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("decisions: [{id: mine}]\n", "can't be extended"),
        ("decisions:\n  - {id: mine\n", "decisions.yml"),
        ("decisions:\n  - id: mine\n    whoo: me\n", "who"),
        ("decisions:\n  - id: mine\n  - id: mine\n", "mine"),
        ("decisions:\n  - id: mine\n    state: perhaps\n", "state"),
    ],
)
def test_a_file_that_does_not_fit_is_left_as_it_is(decide, capsys, text, said):
    code, after = decide(text)
    assert (code, after) == (3, text)
    assert said in capsys.readouterr().err


def test_an_unknown_decision_is_named_with_the_nearest(decide, capsys):
    code, _ = decide(None, "--done", "anser")
    assert code == 2
    assert "answer" in capsys.readouterr().err


def test_names_from_the_data_are_text_in_the_file(stored_run, decide):
    hostile = 'stop "x: [y]\n- id: z\\'
    run = read_run(decide.folder, decide.folder)
    run.results["scorecard"]["tables"]["decide"]["rows"][0]["id"] = hostile
    assert proposals(run, "en")[0].id == hostile
    from cxlib.runner.decide import add_proposals

    add_proposals(decide.data, proposals(run, "en"))
    assert read_decisions(decide.data)[0].id == hostile


def test_a_run_without_a_scorecard_says_so(stored_run, decide, capsys):
    def without(results):
        del results["scorecard"]["findings"]["scorecard.headline"]

    folder = stored_run("20260930-040404", change=without)
    assert main(["decide", str(folder), "--data", str(decide.data)]) == 3
    assert "no scorecard" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("done", "judged"),
    [("2026-08-31", "2027-02-28"), ("2026-02-28", "2026-08-28"), ("2025-12-01", "2026-06-01")],
)
def test_six_months_later_is_the_same_day_or_the_month_s_last(done, judged):
    one = Decision(id="x", state="done", done_on=done)
    assert one.judged_from == date.fromisoformat(judged)
