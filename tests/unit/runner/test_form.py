"""The form in JupyterLab: a fitting field per parameter, checked as before a run, run as by the command."""

import sys
from datetime import date

import pytest

from cxlib.checks import OutputError, ParameterError
from cxlib.runner.cli import _parser
from cxlib.runner.form import Form, form


@pytest.fixture
def shown(tmp_path):
    pytest.importorskip("ipywidgets")
    return form("scorecard", out=tmp_path)


def fields(shown):
    return {name: widget for name, (_, widget) in shown.fields.items()}


def test_every_parameter_has_a_field_with_its_type_range_and_meaning(shown):
    kinds = {name: type(widget).__name__ for name, widget in fields(shown).items()}
    assert kinds["conf_level"] == "BoundedFloatText"
    assert kinds["min_cell"] == "BoundedIntText"
    assert kinds["purpose"] == "Dropdown"
    assert kinds["as_of"] == "DatePicker"
    assert kinds["segment"] == "Text"
    assert (fields(shown)["min_cell"].min, fields(shown)["min_cell"].max) == (5, 1000)
    line = next(row for row in shown.box.children if "min_cell" in row.children[0].value)
    assert "5 … 1,000" in line.children[2].value and "smallest number" in line.children[2].value


def test_only_what_was_changed_is_given_and_the_command_line_takes_it(shown):
    assert shown.parameters() == []
    held = fields(shown)
    held["min_cell"].value, held["as_of"].value, held["purpose"].value = 20, date(2026, 6, 30), "keep"
    assert shown.parameters() == [("as_of", "2026-06-30"), ("min_cell", "20"), ("purpose", "keep")]
    options = _parser("en").parse_args(shown.command())
    assert options.parameters == ["as_of=2026-06-30", "min_cell=20", "purpose=keep"]
    held["as_of"].value = None
    assert "as_of" not in dict(shown.parameters())


def test_check_says_what_a_run_would_say_and_starts_nothing(shown, tmp_path):
    assert "can run" in shown.check()
    fields(shown)["by"].value = "regoin"
    assert "region" in shown.check()
    assert not any(tmp_path.iterdir())
    shown.buttons["check"].click()


def test_run_gives_the_command_and_finds_its_page(shown, tmp_path, monkeypatch):
    given = []

    def instead(command, **_):
        given.append(command)
        (tmp_path / "20260930-010203").mkdir()
        manifest = '{"run": "20260930-010203", "reports": {"scorecard": {}}}'
        (tmp_path / "20260930-010203" / "run.json").write_text(manifest)
        return type("Done", (), {"stdout": "Reports: here\n", "stderr": ""})

    monkeypatch.setattr("cxlib.runner.form.subprocess.run", instead)
    said, page = shown.run()
    assert said == "Reports: here"
    assert page == tmp_path / "20260930-010203" / "scorecard.html"
    assert given[0][:4] == [sys.executable, "-m", "cxlib.runner.cli", "run"]


def test_an_unknown_report_and_a_missing_extra_are_said(monkeypatch):
    pytest.importorskip("ipywidgets")
    with pytest.raises(ParameterError):
        Form("scorecrad")
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(OutputError, match=r"cx-handbook\[form\]"):
        Form("scorecard")


def test_meanings_are_in_the_language(tmp_path):
    pytest.importorskip("ipywidgets")
    shown = form("scorecard", lang="ja", out=tmp_path)
    assert any("信頼水準" in row.children[2].value for row in shown.box.children[:-2])
    assert "実行できます" in shown.check()
