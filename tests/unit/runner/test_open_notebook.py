"""`cx open`: a working notebook in one language, parameters checked where it runs; and a run's own."""

import ast
import json
import re
import stat
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from cxlib.runner import manifest
from cxlib.runner.cli import main
from cxlib.runner.open_notebook import working_copy
from cxlib.runner.parameters import read_parameters
from cxlib.runner.plan import RunSettings, plan
from cxlib.runner.words import entries

ROOT = Path(__file__).parents[3]
PLAIN = Path(__file__).parents[2] / "notebooks" / "plain"
CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
#: Headings of folds, which many sections have.
FOLDED = set(entries()["runner.heading_analysts"].values())
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


def executed(path):
    """The notebook after a run in its own folder, by the kernel it names; errors stay in it."""
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(path.parent)}}
    return NotebookClient(notebook, resources=resources, allow_errors=True, timeout=300).execute()


def errors(notebook):
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output for output in outputs if output.output_type == "error"]


def tagged(notebook, tag):
    return next(cell for cell in notebook["cells"] if tag in cell["metadata"]["tags"])


@pytest.mark.parametrize("form", ["report", "lesson", "full"])
@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_opens_in_one_language_with_an_outline_that_folds(chapter, lang, form):
    [one] = plan(RunSettings(reports=(chapter.stem[3:],), lang=lang, parameters=(("as_of", "2026-03-31"),)))
    notebook = working_copy(one, form=form)
    nbformat.validate(notebook)
    prose = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    assert all(bool(JAPANESE.search(source)) == (lang == "ja") for source in prose)
    outside_code = [re.sub(r"```.*?```", "", source, flags=re.DOTALL) for source in prose]
    headings = [re.findall("^(#+) +(.+)", source, re.MULTILINE) for source in outside_code]
    assert all(
        len(found) <= 1 and (not found or source[0] == "#")
        for found, source in zip(headings, prose, strict=True)
    )
    levels, names = zip(*[heading for found in headings for heading in found], strict=True)
    depths = [len(level) for level in levels]
    assert depths[0] == 1 and depths.count(1) == 1 and len(names) > 5
    of_chapter = [name for name in names if name not in FOLDED]
    assert len(set(of_chapter)) == len(of_chapter)
    assert all(below - above <= 1 for above, below in pairwise(depths))
    codes = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert f'\n\ncx.working_notebook("{one.report}", lang="{lang}")\n' in codes[1] and ast.parse(codes[1])
    parameters = tagged(notebook, "parameters")["source"]
    assert "date(2026, 3, 31)" in parameters and " | 顧客" not in parameters
    again = {p.name: p for p in read_parameters(notebook, one.report)}
    assert {name: p.default for name, p in again.items()} == one.values | {
        "data": (ROOT / "data" / "sample").as_posix()
    }
    assert [(p.low, p.high) for p in again.values()] == [(p.low, p.high) for p in one.declared]
    assert all(bool(JAPANESE.search(p.meaning["en"])) == (lang == "ja") for p in again.values())


def test_dropped_cells_follow_the_form():
    [one] = plan(RunSettings(reports=("plain",), notebooks=PLAIN))
    tags = {
        form: {tag for cell in working_copy(one, form=form)["cells"] for tag in cell["metadata"]["tags"]}
        for form in ("report", "lesson", "full")
    }
    assert not {"teach", "solution"} & tags["report"]
    assert "teach" in tags["lesson"] and "solution" not in tags["lesson"]
    assert {"teach", "solution", "lang-en"} <= tags["full"] and "lang-ja" not in tags["full"]


@pytest.mark.parametrize("lang", ["en", pytest.param("ja", marks=pytest.mark.long)])
def test_a_working_notebook_runs_in_its_folder(lang, tmp_path, capsys):
    file = tmp_path / "deep" / "mine.ipynb"
    arguments = ["--lang", lang, "--out", str(file), "-p", "min_effect=100", "-p", "as_of=2026-06-30"]
    assert main(["open", "initiative_register", *arguments]) == 0
    assert f'jupyter lab "{file}"' in capsys.readouterr().out
    done = executed(file)
    assert errors(done) == []
    shown = [
        o.metadata.cx for cell in done.cells for o in cell.get("outputs", []) if "cx" in o.get("metadata", {})
    ]
    header = next(record for record in shown if record.kind == "header")
    assert header.as_of == "2026-06-30"
    findings = [record.text for record in shown if record.kind == "finding"]
    assert findings and all(bool(JAPANESE.search(text)) == (lang == "ja") for text in findings)


@pytest.mark.long
def test_values_of_every_kind_reach_the_kernel_as_they_were_given(tmp_path):
    given = {
        "label": 'a "b" \\n # c',
        "n_rows": "7",
        "names": "x y,顧客",
        "is_short": "yes",
        "conf_level": "0.9",
        "period_end": "2026-02-28",
    }
    words = [word for name, value in given.items() for word in ("-p", f"{name}={value}")]
    file = tmp_path / "mine.ipynb"
    assert main(["open", "plain", "--notebooks", str(PLAIN), "--out", str(file), *words]) == 0
    notebook = nbformat.read(file, as_version=4)
    tagged(notebook, "setup").source += "\nprint([label, n_rows, names, is_short, conf_level, period_end])"
    nbformat.write(notebook, file)
    done = executed(file)
    told = tagged(done, "setup").outputs[0].text
    assert ast.literal_eval(told) == ['a "b" \\n # c', 7, ["x y", "顧客"], True, 0.9, "2026-02-28"]


WRONG = {
    "min_cell: int = 10": ("min_cell: int = 1", "`min_cell` must lie within 5 … 1,000; found 1."),
    "conf_level: float = 0.95": ('conf_level: float = "high"', "`conf_level` must be a number"),
    'by: str | None = "region"': ('by: str | None = "regoin"', "Did you mean: region"),
    "segment: str | None = None": ('segment: str | None = "Champs"', "Champions"),
    "period_end: date | None = None": ('period_end: date | None = "2026-02-30"', "no such day"),
    "service_above: float = 0.3": (
        'period_start = date(2026, 2, 1)\nperiod_end = "2026-01-01"\nservice_above: float = 0.3',
        "Swap them",
    ),
    'lang: Literal["en", "ja"] = "en"': ('lang: Literal["en", "ja"] = "fr"', "en, ja"),
    "top_share: float = 0.1": ("top_shares: float = 0.1", "top_share"),
    "next_days: int = 90": ("", "`next_days` is not set."),
    "data: str = ": ('data: str = "no_such_folder"  # ', "no_such_folder"),
}


@pytest.fixture(scope="module")
def edited(tmp_path_factory):
    """Parameters cell and set-up cell run again and again in one kernel, each time with one wrong line."""
    file = tmp_path_factory.mktemp("edited") / "mine.ipynb"
    assert main(["open", "segmentation", "--out", str(file), "-p", "by=region"]) == 0
    opened = nbformat.read(file, as_version=4)
    right = tagged(opened, "parameters").source
    code = [cell.source for cell in opened.cells if cell.cell_type == "code"]
    setup = code[code.index(right) + 1]  # the first cell that computes, where the check stands
    sources = [right, setup]
    for line, (wrong, _) in WRONG.items():
        assert right.count(line) == 1, line
        sources += [right.replace(line, wrong) if wrong else re.sub(f"{line}.*", "", right), setup]
    sources += [right, setup.replace('lang="en"', 'lang="ja"')]
    sources += ["cx.nps(orders := data_set.table('orders'), score_col='scored')", "1 / 0"]
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), file)
    return executed(file).cells


@pytest.mark.parametrize(("number", "line"), list(enumerate(WRONG, start=1)))
def test_a_wrong_parameter_is_one_sentence_in_the_notebook(edited, number, line):
    [error] = errors(nbformat.from_dict({"cells": [edited[2 * number], edited[2 * number + 1]]}))
    [sentence] = error.traceback
    assert WRONG[line][1] in sentence and "\n" not in sentence and "\x1b" not in sentence
    assert error.evalue == sentence


def test_right_parameters_pass_and_only_the_handbooks_own_errors_are_sentences(edited):
    assert errors(nbformat.from_dict({"cells": edited[:2]})) == []
    *own, misnamed, fault = edited[-4:]
    assert errors(nbformat.from_dict({"cells": own})) == []
    [sentence] = errors(nbformat.from_dict({"cells": [misnamed]}))[0].traceback
    assert "score_col" in sentence and JAPANESE.search(sentence)
    [error] = errors(nbformat.from_dict({"cells": [fault]}))
    assert error.ename == "ZeroDivisionError" and len(error.traceback) > 2


def test_a_file_is_replaced_only_when_asked(tmp_path, capsys):
    file = tmp_path / "mine.ipynb"
    file.write_text("my work")
    words = ["open", "plain", "--notebooks", str(PLAIN), "--out", str(file)]
    assert main(words) == 6
    assert "--force" in capsys.readouterr().err and file.read_text() == "my work"
    assert main([*words, "--lang", "ja"]) == 6
    assert "--force" in capsys.readouterr().err and file.read_text() == "my work"
    assert main([*words, "--force"]) == 0
    assert json.loads(file.read_text())["nbformat"] == 4
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_without_a_name_it_goes_among_the_working_notebooks(tmp_path, monkeypatch):
    monkeypatch.setattr("cxlib.runner.open_notebook.WORK", tmp_path / "work")
    for words in (["--lang", "ja"], [], ["-p", "lang=en"]):
        code = main(["open", "plain", "--notebooks", str(PLAIN), *words])
        assert code == (6 if "lang=en" in words else 0)
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == ["plain-en.ipynb", "plain-ja.ipynb"]
    assert "\nwork/\n" in (ROOT / ".gitignore").read_text()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["plain", "-p", "n_rows=0"], 2, "1 … 50"),
        (["plain", "-p", "n_row=3"], 2, "n_rows"),
        (["plan"], 2, "plain"),
        (["plain", "--data", "nowhere"], 3, "nowhere"),
        (["plain", "--form", "short"], 2, "--form"),
        (["plain", "small"], 2, "small"),
    ],
)
def test_what_a_run_would_refuse_is_not_written(words, code, said, tmp_path, capsys):
    place = ["--notebooks", str(PLAIN), "--out", str(tmp_path / "new" / "mine.ipynb")]
    assert main(["open", *words, *place]) == code
    assert said in capsys.readouterr().err and not (tmp_path / "new").exists()


def test_a_name_that_no_jupyter_opens_is_refused(tmp_path, capsys):
    assert main(["open", "plain", "--notebooks", str(PLAIN), "--out", str(tmp_path / "mine")]) == 2
    assert ".ipynb" in capsys.readouterr().err and list(tmp_path.iterdir()) == []


def test_a_value_the_data_lack_is_refused_as_before_a_run(tmp_path, capsys):
    words = ["open", "segmentation", "-p", "by=regoin", "--out", str(tmp_path / "mine.ipynb")]
    assert main(words) == 2
    assert "region" in capsys.readouterr().err and list(tmp_path.iterdir()) == []


READS = """from pathlib import Path

print(len((Path(data) / "orders.csv").read_text()), label)
assert label != "stop"
"""


@pytest.fixture
def shop(tmp_path):
    """A folder with a chapter that reads data, and the data: beside it and two folders away from it."""
    parameters = 'data: str = "../my_data"  # where | 場所\nlabel: str = "a"  # text | 文字'
    cells = [
        new_code_cell(parameters, id="p", metadata={"tags": ["parameters"]}),
        new_code_cell(READS, id="r"),
    ]
    for folder in ("chapters", "my_data", "secret-place/shop"):
        (tmp_path / folder).mkdir(parents=True)
    nbformat.write(new_notebook(cells=cells), tmp_path / "chapters" / "01_reads.ipynb")
    for folder in ("my_data", "secret-place/shop"):
        (tmp_path / folder / "orders.csv").write_text("order_id\n1\n")
    return tmp_path


def kept(shop, *words, folder="2*"):
    """The notebook of one run."""
    before = set(shop.glob(f"reports/{folder}/reads.ipynb"))
    main(["run", "--notebooks", str(shop / "chapters"), "--out", str(shop / "reports"), *words])
    [path] = set(shop.glob(f"reports/{folder}/reads.ipynb")) - before
    return path


@pytest.mark.parametrize("words", [[], ["--data", "my_data"], ["-p", "label=b", "--data", "my_data"]])
def test_a_runs_own_notebook_runs_again_from_its_folder(shop, words, monkeypatch):
    monkeypatch.chdir(shop)
    path = kept(shop, *words)
    stored = nbformat.read(path, as_version=4)
    assert stored.metadata.kernelspec.name == "python3" and stored.cells[-1].outputs[0].text.startswith("11 ")
    again = executed(path)
    assert [cell.outputs for cell in again.cells] == [cell.outputs for cell in stored.cells]


def test_a_failed_runs_notebook_finds_its_data_too(shop):
    path = kept(shop, "-p", "label=stop", folder="failed/2*")
    outputs = executed(path).cells[-1].outputs
    assert [output.get("text", output.get("ename")) for output in outputs] == ["11 stop\n", "AssertionError"]


def test_the_way_to_the_data_is_kept_only_inside_the_handbook(shop, monkeypatch):
    data = str(shop / "secret-place" / "shop")
    assert "secret-place" not in kept(shop, "--data", data).read_text()
    monkeypatch.setattr(manifest, "HANDBOOK", shop)
    path = kept(shop, "--data", data)
    assert '\\"../../secret-place/shop\\"' in path.read_text() and errors(executed(path)) == []
