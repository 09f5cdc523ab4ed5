"""Exports of a run: numbers as they are recorded, text that is never a formula, pages that print."""

import io
import re
import shutil

import openpyxl
import pytest

from cxlib.checks import OutputError
from cxlib.runner.cli import main
from cxlib.runner.exports.pdf import find_browser, print_pdf
from cxlib.runner.exports.workbook import workbook
from cxlib.runner.run_files import read_run


@pytest.fixture
def run(stored_run):
    folder = stored_run()
    return read_run(folder, folder.parent)


def sheets(run, lang="en"):
    return openpyxl.load_workbook(io.BytesIO(workbook(run, lang)))


def test_every_table_has_a_sheet_and_every_number_is_the_recorded_one(run):
    book = sheets(run)
    tables = run.results["scorecard"]["tables"]
    assert len(book.sheetnames) == 1 + len(tables)
    for key, table in tables.items():
        sheet = book[f"scorecard.{key}"[:31]]
        for place, row in enumerate(table["rows"], start=2):
            for number, column in enumerate(table["columns"], start=1):
                if isinstance(row[column], int | float) and not isinstance(row[column], bool):
                    assert sheet.cell(place, number).value == pytest.approx(
                        row[column], rel=1e-12, abs=1e-300
                    )


@pytest.mark.parametrize(
    ("lang", "head", "verdict"), [("en", "Measure", "Target missed"), ("ja", "指標", "目標未達")]
)
def test_labels_and_codes_are_in_the_language(run, lang, head, verdict):
    sheet = sheets(run, lang)["scorecard.kpis"]
    assert sheet.cell(1, 1).value == head
    assert verdict in {cell.value for row in sheet.iter_rows() for cell in row}
    heads = [cell.value for cell in sheet[1]]
    assert not [one for one in heads if re.fullmatch(r"[a-z]+_[a-z_]+", str(one))]
    assert len(set(heads)) == len(heads)


@pytest.mark.parametrize(("lang", "title"), [("en", "Scorecard"), ("ja", "スコアカード")])
def test_titles_are_in_the_language_whatever_the_run_was_made_in(run, lang, title):
    (shown,) = {row[1].value for row in sheets(run, lang).worksheets[0].iter_rows(min_row=6) if row[1].value}
    assert shown == title
    run.manifest["reports"]["scorecard"]["title"] += " – Kanto"
    (shown,) = {row[1].value for row in sheets(run, lang).worksheets[0].iter_rows(min_row=6) if row[1].value}
    assert shown == f"{title} – Kanto"


def test_shares_are_percent_and_days_are_days(run):
    book = sheets(run)
    kpis = run.results["scorecard"]["tables"]["kpis"]
    place = 2 + [row["metric"] for row in kpis["rows"]].index("csat")
    assert book["scorecard.kpis"].cell(place, 1 + kpis["columns"].index("estimate")).number_format == "0.0%"
    decide = run.results["scorecard"]["tables"]["decide"]
    due = book["scorecard.decide"].cell(2, 1 + decide["columns"].index("due_on"))
    assert due.is_date


@pytest.mark.parametrize("hostile", ["=1+1", "+cmd", "-2+3", "@x", "\t=1", "＝1", '=HYPERLINK("http://x")'])
def test_text_is_never_a_formula(run, hostile):
    run.results["scorecard"]["tables"]["initiatives"]["rows"][0]["initiative"] = hostile
    run.results["scorecard"]["header"]["data_set"] = hostile
    for sheet in sheets(run).worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f"
                assert (
                    not str(cell.value or "").startswith(("=", "+", "@", "＝", "\t")) or cell.data_type == "n"
                )


def test_hidden_rows_are_said_to_be_hidden_and_strange_keys_make_sheets(run):
    tables = run.results["scorecard"]["tables"]
    tables["kpis"]["suppressed"] = [1]
    tables["kpis"]["rows"][1] |= {"estimate": None, "conf_low": None}
    tables["a/b:c*?[]" + "x" * 60] = tables["kpis"]
    tables["A_b_c____" + "x" * 60] = tables["kpis"]
    tables["bad\x00\x1b"] = tables["kpis"] | {"rows": [{"metric": "x\x07\ud800y"}]}
    book = sheets(run)
    assert len(book.sheetnames) == 1 + len(tables)
    assert "hidden: too few customers" in {cell.value for cell in book["scorecard.kpis"][3]}


def test_slides_are_one_and_four_with_native_tables_and_charts(run):
    pptx = pytest.importorskip("pptx")
    from cxlib.runner.board import Board
    from cxlib.runner.exports.slides import slides

    for lang in ("en", "ja"):
        deck = pptx.Presentation(io.BytesIO(slides(run, lang)))
        assert len(deck.slides) == 5
        shapes = [shape for slide in deck.slides for shape in slide.shapes]
        assert sum(shape.has_table for shape in shapes) == 2
        charts = [shape.chart for shape in shapes if shape.has_chart]
        low = pptx.enum.chart.XL_TICK_LABEL_POSITION.LOW
        assert [chart.category_axis.tick_label_position for chart in charts] == [low] * 4, "not upon a bar"
        board = Board(run.results, lang)
        table = next(shape.table for shape in shapes if shape.has_table)
        shown = [[cell.text for cell in row.cells] for row in table.rows][1:]
        columns = ("name", "estimate", "interval", "target", "before", "verdict", "moved")
        assert shown == [[row[name] for name in columns] for row in board.kpis]
        words = " ".join(shape.text_frame.text for shape in shapes if shape.has_text_frame)
        assert board.sentence(board.finding("headline")) in words
        assert all(said in words for said, _ in board.sentences)
        assert not [shape for shape in shapes if shape.has_text_frame and not shape.text_frame.text]
        acts = [
            [cell.text for cell in row.cells]
            for shape in shapes
            if shape.has_table
            for row in shape.table.rows
        ]
        why = "（" if lang == "ja" else " ("
        assert all(
            row[0] == f"{act['what']}{why}{act['why']}{'）' if lang == 'ja' else ')'}"
            for row, act in zip(acts[-len(board.acts) :], board.acts, strict=True)
        )


def test_without_the_extra_it_says_how_to_get_it(stored_run, monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "pptx", None)
    assert main(["export", str(stored_run()), "--slides", "--to", str(tmp_path / "x")]) == 6
    assert "cx-handbook[slides]" in capsys.readouterr().err


def test_without_a_browser_nothing_is_written_and_it_is_said(stored_run, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    target = tmp_path / "x"
    assert main(["export", str(stored_run()), "--pdf", "--xlsx", "--to", str(target)]) == 6
    assert "--browser" in capsys.readouterr().err
    assert not target.exists()


def test_a_browser_that_prints_nothing_is_named(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<p>x</p>", encoding="utf-8")
    with pytest.raises(OutputError, match="true"):
        print_pdf(page, tmp_path / "page.pdf", browser=find_browser("true"))
    assert not (tmp_path / "page.pdf").exists()


def test_the_command_writes_a_workbook_when_nothing_is_asked_for(stored_run, tmp_path, capsys):
    target = tmp_path / "out"
    assert main(["export", str(stored_run()), "--to", str(target), "--lang", "ja"]) == 0
    assert [file.name for file in target.iterdir()] == ["workbook.xlsx"]
    assert "書き出しました" in capsys.readouterr().out


@pytest.mark.browser
def test_pages_print_each_to_a_file(stored_run, tmp_path):
    if shutil.which("chromium") is None:
        pytest.skip("no chromium here")
    folder = stored_run()
    (folder / "summary.html").write_text("<!DOCTYPE html><p>One page</p>", encoding="utf-8")
    assert main(["export", str(folder), "--pdf", "--to", str(tmp_path / "x")]) == 0
    sheet = (tmp_path / "x" / "summary.pdf").read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b", sheet)) == 1
