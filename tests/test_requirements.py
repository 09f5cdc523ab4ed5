"""What `cx check` promises of a data set is what `cx run` does with it."""

import ast
import inspect
import json
import re
import shutil
from pathlib import Path

import pytest

import cxlib as cx
from cxlib.checks import NotEnoughData
from cxlib.data.tables.coverage import CHAPTERS, check_folder
from cxlib.language import has_text
from cxlib.runner.cli import main

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
FILES = {path.stem.partition("_")[2]: path for path in sorted(NOTEBOOKS.glob("*.ipynb"))}
DROPPED = {"teach", "exercise", "solution"}
pytestmark = pytest.mark.skipif(not FILES, reason="no chapters here")


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """A small simulated company as CSV."""
    folder = tmp_path_factory.mktemp("company") / "all"
    arguments = ["--customers", "600", "--seed", "5", "--format", "csv", "--out", str(folder)]
    assert main(["sample", *arguments]) == 0
    return folder


def some_tables(company, target, *names):
    target.mkdir()
    for name in ("dataset.yml", *(f"{name}.csv" for name in names)):
        shutil.copy(company / name, target)
    return target


def _called(name, homes):
    """Function behind a dotted name of a notebook, or None."""
    home, *parts = name.split(".")
    held = homes.get(home)
    for part in parts:
        held = getattr(held, part, None)
    return held if inspect.isfunction(held) else None


def tables_read(path):
    """Tables a chapter's report asks for by name, itself or through a function it hands the data set."""
    found, homes = set(), {"cx": cx}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code" or DROPPED & set(cell["metadata"].get("tags", [])):
            continue
        for node in ast.walk(ast.parse("".join(cell["source"]))):
            if isinstance(node, ast.ImportFrom) and node.module == "cxlib":
                homes |= {one.asname or one.name: getattr(cx, one.name) for one in node.names}
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            asked = ast.unparse(node.func)
            if asked in ("data_set.table", "data_set.has", "scope.rows"):
                found |= {ast.literal_eval(name) for name in node.args[:1]}
            if asked == "data_set.scope":
                found.add("customers")
            if asked in ("data_set.order_lines", "scope.order_lines"):
                found.add("orders")
            function = _called(asked, homes)
            if function is not None and "data_set" in [ast.unparse(one) for one in node.args]:
                found |= set(re.findall(r'data_set\.table\("(\w+)"', inspect.getsource(function)))
    return found


@pytest.mark.parametrize("chapter", FILES)
def test_the_list_of_needs_names_every_table_a_chapter_reads(chapter):
    """The inventory and the scorecard have no needs: they take whatever is there."""
    if chapter == "scorecard":
        assert chapter not in CHAPTERS
        return
    assert tables_read(FILES[chapter]) == {need.table for need in CHAPTERS.get(chapter, ())}


@pytest.mark.parametrize(
    "tables",
    [("customers", "responses")]
    + [pytest.param(one, marks=pytest.mark.long) for one in (("orders",), ("orders", "customers"))],
    ids="+".join,
)
def test_a_chapter_that_check_calls_impossible_ends_and_the_others_go_through(tables, company, tmp_path):
    folder = some_tables(company, tmp_path / "some", *tables)
    problems, coverage = check_folder(folder)
    assert not [problem for problem in problems if problem.level == "error"]
    assert main(["run", "--data", str(folder), "--out", str(tmp_path / "out")]) == 4
    (run,) = (tmp_path / "out").glob("2*")
    results = json.loads((run / "results.json").read_text())
    for chapter in FILES.keys() - CHAPTERS.keys():  # they are made of whatever is there
        assert "runner.ends_here" not in results[chapter]["notices"], chapter
    for line in coverage:
        levels = {notice["level"] for notice in results[line.chapter]["notices"].values()}
        is_cut = "runner.ends_here" in results[line.chapter]["notices"]
        assert ("not_enough_data" in levels) if line.state == "missing" else not is_cut, line.text()
        assert (run / f"{line.chapter}.html").stat().st_size > 5_000


#: In which rows that are none once ended in a fault.
ENDED = ("initiative_roi", "sales", "scorecard")


@pytest.mark.parametrize(
    "chapter", [name if name in ENDED else pytest.param(name, marks=pytest.mark.long) for name in FILES]
)
def test_tables_with_a_header_only_are_not_enough_and_no_fault(chapter, company, run_chapter, tmp_path):
    folder = some_tables(company, tmp_path / "some", "customers")
    for path in company.glob("*.csv"):
        if path.stem != "customers":
            (folder / path.name).write_text(path.read_text(encoding="utf-8").split("\n")[0] + "\n")
    try:
        pieces = run_chapter(FILES[chapter], data=str(folder))
    except NotEnoughData:
        assert chapter in CHAPTERS
    else:
        assert pieces["notice"], "nothing is said of what is lacking"


def test_a_table_that_cannot_be_read_makes_no_chapter_ready(company, tmp_path, capsys):
    folder = some_tables(company, tmp_path / "some", "orders")
    text = (company / "customers.csv").read_text(encoding="utf-8").replace("consumer", "消費者")
    (folder / "customers.csv").write_text(text, encoding="cp932")
    assert main(["check", str(folder)]) == 3
    told = capsys.readouterr().out
    assert "ready" not in told and told.count("table customers has errors") == len(CHAPTERS)
    assert main(["run", "segmentation", "--data", str(folder), "--out", str(tmp_path / "out")]) == 3
    assert "cp932" in capsys.readouterr().err


def test_every_need_that_is_lacking_has_its_words():
    keys = [f"tables.lack.{chapter}.{need.key}" for chapter, needs in CHAPTERS.items() for need in needs]
    assert [key for key in keys if not has_text(key)] == []
