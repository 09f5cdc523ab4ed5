"""Which statements speak, and have to run again for another language."""

import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from cxlib.runner import one_item
from cxlib.runner.cli import main
from cxlib.runner.renderings import is_again, split, with_second

ROOT = Path(__file__).parents[3]
STAMP = re.compile(rb'<span class="stamp">.*?</span>')


def again(*cells):
    """Sources that run again in Japanese."""
    doubled = with_second(new_notebook(cells=[new_code_cell(source) for source in cells]), "ja")
    return None if doubled is None else [cell.source for cell in doubled.cells[len(cells) + 1 :]]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["lang = 'en'", "n = 1", "say(n)"], []),
        (
            ["lang = 'en'", "n = 1\nreport = Report(lang)", "report.show(n)"],
            ["report = Report(lang)", "report.show(n)"],
        ),
        (["word = text(lang)\nn = slow()", "say(n, word)"], ["word = text(lang)", "say(n, word)"]),
        (["x = f()", "x = g(x, lang)", "say(x)"], ["x = f()", "x = g(x, lang)", "say(x)"]),
        (["how = 1", "say(lang, how)", "how = 2", "n = f(how)"], ["how = 1", "say(lang, how)", "how = 2"]),
        (["d = {}\nd |= {'a': 1}\nn = 2", "say(d, lang)"], ["d = {}\nd |= {'a': 1}", "say(d, lang)"]),
        (["d = {}", "d['a'] = 1", "say(d, lang)"], ["d = {}", "d['a'] = 1", "say(d, lang)"]),
        (["d = []", "d.append(1)", "say(d, lang)"], ["d = []", "d.append(1)", "say(d, lang)"]),
        (["def f():\n    return lang", "n = f()"], ["def f():\n    return lang", "n = f()"]),
        (["import m", "m.f(lang)", "n = m.g()"], ["m.f(lang)"]),
        (["a = 1\nprint(a)\nb = (lang,\n     a)"], ["print(a)\nb = (lang,\n     a)"]),
        (["for i in range(2):\n    say(i, lang)"], ["for i in range(2):\n    say(i, lang)"]),
    ],
)
def test_what_speaks_runs_again_and_what_computes_does_not(cells, expected):
    assert again(*cells) == expected


@pytest.mark.parametrize("source", ["a = 1; b = lang", "%matplotlib inline", "from m import *", "def ("])
def test_where_it_cannot_be_told_nothing_is_split(source):
    assert again(source) is None


def run_notebook(cells):
    return new_notebook(
        cells=[new_code_cell(source, execution_count=1, outputs=out, id="c") for source, out in cells]
    )


def test_a_cell_that_printed_and_runs_again_in_part_is_run_by_itself():
    printed = [new_output("stream", name="stdout", text="x")]
    for source, out, is_told in (
        ("n = f()\nw = lang", printed, False),
        ("w = lang", printed, True),
        ("n = 1", printed, True),
    ):
        doubled = with_second(run_notebook([(source, out)]), "ja")
        for cell in doubled.cells[1:]:
            cell.execution_count = 2
        found = split(doubled, run_notebook([(source, [])]))
        assert (found is not None) == is_told and not any(map(is_again, doubled.cells))
    nbformat.validate(doubled)


def test_a_second_part_that_did_not_run_to_its_end_is_none():
    doubled = with_second(run_notebook([("w = lang", [])]), "ja")
    assert split(doubled, run_notebook([("w = lang", [])])) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "report", ["initiative_roi", pytest.param("initiative_register", marks=pytest.mark.long)]
)
def test_a_chapter_is_computed_once_and_its_second_page_is_that_of_a_run_in_it(report, tmp_path, monkeypatch):
    found = []
    monkeypatch.setattr(one_item, "split", lambda *both: found.append(split(*both)) or found[-1])
    (tmp_path / "c.yml").write_text(
        f"{{data: {ROOT / 'data' / 'sample'}, as_of: extraction, languages: [en, ja], reports: [{report}]}}"
    )
    assert main(["cycle", str(tmp_path / "c.yml"), "--out", str(tmp_path / "both")]) == 0
    assert main(["run", report, "--lang", "ja", "--out", str(tmp_path / "alone")]) == 0
    assert found and found[0] is not None
    (ours,), (theirs,) = tmp_path.glob(f"both/2*/{report}_ja.html"), tmp_path.glob(f"alone/2*/{report}.html")
    assert STAMP.sub(b"", ours.read_bytes()) == STAMP.sub(b"", theirs.read_bytes())
