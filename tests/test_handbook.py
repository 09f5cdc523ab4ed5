"""Every chapter keeps the form of the handbook, in both languages, and its stored outputs still come out."""

import ast
import functools
import importlib.util
import json
import re
import shutil
import statistics
import subprocess
import sys
from html import escape
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
TAGS = {"parameters", "setup", "teach", "exercise", "solution", "lang-en", "lang-ja", "raises-exception"}
LESSON_TAGS = {"teach", "exercise", "solution"}
#: The parameters every chapter begins with, word for word; a line longer than 110 would be folded by ruff.
COMMON = """\
data: str = "../data/sample"  # folder of customer tables | 顧客テーブルのフォルダ
as_of: date | None = None  # analysis date; none = date of extraction | 分析日（なければ抽出日）
period_start: date | None = None  # first day of the period | 期間の初日
period_end: date | None = None  # last day of the period | 期間の最終日
by: str | None = None  # customer attribute or "segment" to split by | 内訳に使う顧客属性または "segment"
segment: str | None = None  # only customers of this RFM segment | この RFM セグメントの顧客だけ
where: str | None = None  # only customers with, as "region=Kanto" | 顧客属性で絞る（"region=Kanto" など）
lang: Literal["en", "ja"] = "en"  # language of the report | レポートの言語
conf_level: float = 0.95  # [0.5, 0.999] confidence level of every interval | 区間の信頼水準
min_cell: int = 10  # [5, 1000] smallest number of customers a shown cell may hold | 表示するセルの最小顧客数
"""
FORBIDDEN = {
    "installs": r"pip install|conda install",
    "hides warnings": r"filterwarnings\(\s*['\"]ignore|simplefilter\(\s*['\"]ignore",
    "ends the process": r"sys\.exit|os\._exit|\bexit\(|\bquit\(",
    "absolute path": r"['\"](/(home|root|work|tmp|Users|mnt)/|[A-Za-z]:\\\\)",
    "network": r"https?://|urllib|requests\.",
    "shell or magic": r"^\s*[!%]",
    "hides its value": r";\s*\Z",  # nbval runs cells in a way that shows it all the same
}
#: Numbers that only a result can have: decimals, thousands, percent, money, test results.
RESULT_LIKE = re.compile(
    r"\d\.\d|\d,\d{3}|\d\s*[%％]|[¥￥$€]\s*\d|\d\s*(円|万|pp\b|ポイント|points?\b|yen\b)|\b[np]\s*[=<＝]\s*\d"
)
LINK = re.compile(r"\]\(([^)]+)\)")
CODE = re.compile(r"`([^`]+)`")
NAME = re.compile(r"[!-~]+")  # what both languages write alike: names, code and addresses, without blanks
PLACE = re.compile(r"/(?:home|root|work|tmp|Users|mnt)/\S+|[A-Z]:\\\\\S+")

spec = importlib.util.spec_from_file_location("same_story", ROOT / "tests" / "same_story.py")
same_story = importlib.util.module_from_spec(spec)
spec.loader.exec_module(same_story)

pytestmark = pytest.mark.skipif(not CHAPTERS, reason="no chapters yet")
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def _read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def _source(cell):
    return "".join(cell["source"])


def _tags(cell):
    return cell["metadata"].get("tags", [])


def _cells(path, kind=None):
    return [cell for cell in _read(path)["cells"] if kind in (None, cell["cell_type"])]


def _is_report(cell):
    return not LESSON_TAGS & set(_tags(cell))


def _headings(cell):
    text = re.sub(r"```.*?```", "", _source(cell), flags=re.DOTALL)
    return [len(marks) for marks in re.findall(r"^(#+) ", text, re.MULTILINE)]


def _index(path, tag, kind=None):
    return [
        i for i, cell in enumerate(_cells(path)) if tag in _tags(cell) and kind in (None, cell["cell_type"])
    ]


@each_chapter
def test_is_a_valid_notebook_with_stable_ids(path):
    notebook = _read(path)
    nbformat.validate(notebook)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(ids) == len(set(ids))


@each_chapter
def test_only_known_tags(path):
    for cell in _cells(path):
        assert set(_tags(cell)) <= TAGS, cell["id"]
        assert len(LESSON_TAGS & set(_tags(cell))) <= 1, cell["id"]


@each_chapter
def test_prose_stands_in_pairs_of_languages(path):
    cells = _cells(path)
    languages = [next((tag[-2:] for tag in _tags(cell) if tag.startswith("lang-")), None) for cell in cells]
    place = 0
    while place < len(cells):
        if cells[place]["cell_type"] != "markdown":
            assert languages[place] is None, f"{cells[place]['id']}: code belongs to both languages"
            place += 1
            continue
        assert languages[place : place + 2] == ["en", "ja"], f"{cells[place]['id']} has no partner"
        _compare(cells[place], cells[place + 1])
        place += 2


def _compare(english, japanese):
    where = english["id"]
    same = [set(_tags(cell)) - {"lang-en", "lang-ja"} for cell in (english, japanese)]
    assert same[0] == same[1], where
    assert _headings(english) == _headings(japanese), where
    for pattern in (LINK, CODE):
        found = [
            sorted(filter(NAME.fullmatch, pattern.findall(_source(cell)))) for cell in (english, japanese)
        ]
        assert found[0] == found[1], where
    assert not re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", CODE.sub("", _source(english))), where
    assert re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", _source(japanese)), where


def _lines(cell):
    return len([line for line in _source(cell).splitlines() if line.strip()])


def _report_code(path):
    """Cells of the report that compute, show or say, as `(cell, tree)`."""
    cells = [cell for cell in _cells(path, "code") if _is_report(cell) and "parameters" not in _tags(cell)]
    return [(cell, ast.parse(_source(cell))) for cell in cells]


@each_chapter
def test_code_cells_are_sentences(path):
    for cell in _cells(path, "code"):
        if "parameters" not in _tags(cell):
            assert _lines(cell) <= (6 if "setup" in _tags(cell) else 12), cell["id"]
        if "raises-exception" not in _tags(cell):
            ast.parse(_source(cell))


@each_chapter
def test_cells_of_the_report_are_short(path):
    sizes = [_lines(cell) for cell, _ in _report_code(path)]
    assert statistics.median(sizes) <= 4
    assert sum(size <= 8 for size in sizes) >= 0.9 * len(sizes)


@each_chapter
def test_cells_of_the_report_hold_no_rules(path):
    """At most two branches or loops to a hundred lines; what a row may claim is a function with tests."""
    kinds = (ast.If, ast.IfExp, ast.For, ast.While, ast.Try, ast.Match)
    branches = [
        cell["id"]
        for cell, tree in _report_code(path)
        for node in ast.walk(tree)
        if isinstance(node, kinds) or (isinstance(node, ast.comprehension) and node.ifs)
    ]
    assert len(branches) <= 0.02 * sum(_lines(cell) for cell, _ in _report_code(path)), branches


@each_chapter
def test_units_labels_and_keys_are_found_by_the_report(path):
    """No dict of units or labels in a notebook, and no key made of parts."""
    for cell, tree in _report_code(path):
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if not isinstance(call.func, ast.Attribute) or getattr(call.func.value, "id", "") != "report":
                continue
            assert not {"units", "labels"} & {keyword.arg for keyword in call.keywords}, cell["id"]
            if call.func.attr in ("say", "show", "draw", "table", "figure", "finding", "notice", "phrase"):
                assert isinstance(call.args[0], ast.Constant), cell["id"]


@each_chapter
def test_prose_stands_before_code(path):
    """Table, figure, finding and notice may follow each other; five code cells read like a script."""
    kinds = "".join("c" if cell["cell_type"] == "code" else "m" for cell in _cells(path))
    assert kinds.startswith("m")
    assert "ccccc" not in kinds


@each_chapter
@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_code_does_what_it_must_not(path, what):
    for cell in _cells(path, "code"):
        assert not re.search(FORBIDDEN[what], _source(cell), re.MULTILINE), f"{cell['id']}: {what}"


def _parameters(path):
    (cell,) = [cell for cell in _cells(path, "code") if "parameters" in _tags(cell)]
    lines = _source(cell).splitlines()
    return {line.split(":")[0]: line for line in lines if re.match(r"[a-z_]+ *:", line)}


@each_chapter
def test_common_parameters_are_the_same_everywhere(path):
    common = COMMON.splitlines()
    assert list(_parameters(path).values())[: len(common)] == common


@each_chapter
def test_every_parameter_is_typed_and_explained_in_both_languages(path):
    for name, line in _parameters(path).items():
        assert re.fullmatch(r"[a-z_]+: .+ = .+  # (\[[^\]]+\] )?[^|]*[a-z][^|]* \| .+", line), name


@each_chapter
def test_order_of_the_chapter(path):
    """Question, parameters, set-up, answer; then explanations; take-away and the lessons last."""
    cells = _cells(path)
    (parameters,), (setup,) = _index(path, "parameters"), _index(path, "setup")
    first = cells[0]
    assert _headings(first)[:1] == [1]
    assert _is_report(first)
    assert parameters < setup
    assert "cx.Report(" in _source(cells[setup])
    said = re.compile(r"report\.(finding\(|say\((?!.*_notes\())")  # a sentence on a result, not a notice
    answer = min(i for i, cell in enumerate(cells) if said.search(_source(cell)))
    lesson = [i for i in _index(path, "teach") if i > setup]
    assert setup < answer < min(lesson), "answer first, explain after"
    assert "teach" in _tags(cells[-1]), "a chapter ends with what to take away"


@each_chapter
def test_report_prose_does_not_state_results(path):
    for cell in _cells(path, "markdown"):
        if _is_report(cell):
            prose = LINK.sub("]", CODE.sub("", _source(cell)))
            found = RESULT_LIKE.search(prose)
            assert not found, f"{cell['id']}: {prose[max(0, found.start() - 30) : found.end() + 10]!r}"


@each_chapter
def test_keys_of_pieces_are_used_once(path):
    code = "\n".join(_source(cell) for cell in _cells(path, "code") if _is_report(cell))
    for verb in ("(?:table|show)", "(?:figure|draw)"):
        keys = re.findall(rf"report\.{verb}\(\s*\"([\w.]+)\"", code)
        assert keys, f"no {verb} in the report"
        assert len(keys) == len(set(keys))


@each_chapter
def test_stored_outputs_are_complete_and_clean(path):
    notebook = _read(path)
    assert set(notebook["metadata"]) <= {"kernelspec", "language_info"}
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert [cell["execution_count"] for cell in _cells(path, "code")] == list(
        range(1, 1 + len(_cells(path, "code")))
    )
    for cell in notebook["cells"]:
        assert set(cell["metadata"]) <= {"tags"}, cell["id"]
    for cell in _cells(path, "code"):
        for output in cell["outputs"]:
            assert output.get("name") != "stderr", cell["id"]
            assert output["output_type"] != "error" or "raises-exception" in _tags(cell), cell["id"]
    shown = json.dumps([cell.get("outputs", []) for cell in notebook["cells"]])
    assert not PLACE.search(re.sub(r"base64,[A-Za-z0-9+/=]+", "", shown))


@each_chapter
def test_stored_pieces_hold_no_small_group(path):
    """No row of a report's table stands for fewer customers than `min_cell`, in the record either."""
    least = int(re.search(r"= (\d+)", _parameters(path)["min_cell"]).group(1))
    for cell in _cells(path, "code"):
        for output in cell["outputs"]:
            record = output.get("metadata", {}).get("cx", {})
            if record.get("kind") == "table" and _is_report(cell):
                counts = [row.get("n", row.get("customers")) for row in record["rows"]]
                assert all(count is None or count >= least for count in counts), record["key"]


@pytest.fixture(scope="module", name="compared")
def _compared(request, tmp_path_factory):
    """What nbval found of the chapters asked for, by chapter: one process, a kernel for each."""
    asked = [one.callspec.params["path"] for one in request.session.items if "compared" in one.fixturenames]
    found = tmp_path_factory.mktemp("nbval") / "found.xml"
    options = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout", "300", "-p", "no:cacheprovider"]
    options += ["--nbval-sanitize-with", str(ROOT / "tests" / "nbval_sanitise.cfg"), "--junitxml", str(found)]
    command = [sys.executable, "-m", "pytest", "-q", "-o", "addopts=", "-o", "filterwarnings=default"]
    command += [*options, *map(str, dict.fromkeys(asked))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=3000, check=False)
    assert found.exists(), done.stdout[-5000:] + done.stderr[-2000:]
    cells = {}
    for cell in ElementTree.parse(found).iter("testcase"):
        cells.setdefault(cell.get("classname").removesuffix(".ipynb").rpartition(".")[2], []).append(cell)
    return cells


@each_chapter
def test_nbval_stored_outputs_still_come_out(path, compared):
    wrong = "\n".join(said.text for cell in compared[path.stem] for said in cell)
    assert not wrong, wrong[-5000:]
    assert len(compared[path.stem]) == len(_cells(path, "code"))


def test_chapters_are_numbered_without_gaps():
    assert [int(path.stem[:2]) for path in CHAPTERS] == list(range(len(CHAPTERS)))


#: Two files of parameters: another language, level, day and breakdown each.
PARAMETER_FILES = {
    "en": "lang: en\nas_of: 2026-03-31\nconf_level: 0.9\nby: customer_type\n",
    "ja": "lang: ja\nperiod_start: 2025-04-01\nmin_cell: 30\nby: region\n",
}
each_run = pytest.mark.parametrize("lang", [pytest.param("en", marks=pytest.mark.long), "ja"])


@pytest.fixture(scope="module", name="run_in")
def _run_in(tmp_path_factory):
    """`run_in("ja")`: results and notebooks of all reports, run in the report form with its parameters."""

    @functools.cache
    def run_in(lang):
        folder = tmp_path_factory.mktemp(f"run_{lang}")
        (folder / "parameters.yml").write_text(PARAMETER_FILES[lang], encoding="utf-8")
        command = [sys.executable, "-m", "cxlib.runner.cli", "run", "--data", str(ROOT / "data" / "sample")]
        command += ["-f", str(folder / "parameters.yml"), "--out", str(folder / "out")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
        assert done.returncode in (0, 4), done.stdout + done.stderr
        (results,) = (folder / "out").rglob("results.json")
        return results

    return run_in


def _findings(results, path):
    found = json.loads(results.read_text(encoding="utf-8"))[path.stem[3:]]
    return {key: record["values"] for key, record in found["findings"].items()}


@each_run
@each_chapter
def test_a_report_run_with_other_parameters_does_not_lie(path, run_in, lang):
    """What was found moves with the parameters, what explains it does not and states no result."""
    results = run_in(lang)
    for cell in _cells(results.with_name(f"{path.stem[3:]}.ipynb"), "markdown"):
        assert _is_report(cell)
        assert not RESULT_LIKE.search(LINK.sub("]", CODE.sub("", _source(cell)))), cell["id"]
    stored = [
        record for cell in _cells(path, "code") for record in _records(cell) if record["kind"] == "finding"
    ]
    assert {} != _findings(results, path) != {record["key"]: record["values"] for record in stored}


@pytest.mark.long
@each_chapter
def test_two_runs_with_other_parameters_find_different_things(path, run_in):
    assert _findings(run_in("en"), path) != _findings(run_in("ja"), path)


@each_run
def test_a_run_with_other_parameters_tells_one_story(run_in, lang):
    run = json.loads(run_in(lang).read_text(encoding="utf-8"))
    assert same_story.contradictions(run, lang) == []


@each_chapter
def test_a_table_says_in_words_what_its_columns_and_measures_are(path, run_in):
    """The run is Japanese: a name of the code in a heading or a cell is one nobody translated."""
    name, results = path.stem[3:], run_in("ja")
    tables = json.loads(results.read_text(encoding="utf-8"))[name]["tables"].values()
    names = {column for table in tables for column in table["columns"]}
    names |= {row["metric"] for table in tables for row in table["rows"] if row.get("metric")}
    page = results.with_name(f"{name}.html").read_text(encoding="utf-8")
    found, data = (
        re.findall('<table class="cx-table">.*?</table>', part, re.DOTALL)
        for part in page.split('<h2 id="data">')
    )
    html = "".join([*found, *data[1:]])  # the first one about the data names its files
    assert html
    assert [each for each in sorted(names - {"n"}) if re.search(rf"<t[dh][^>]*>{each}</t[dh]>", html)] == []


def _records(cell):
    return [output["metadata"]["cx"] for output in cell["outputs"] if "cx" in output.get("metadata", {})]


#: Tells how wide each framed page is laid out; a page wider than its frame scrolls sideways.
MEASURE = """addEventListener("load", () => document.querySelectorAll("iframe").forEach((frame) => {
  frame.dataset.wide = frame.contentDocument.documentElement.scrollWidth;
  frame.removeAttribute("srcdoc"); }))"""
PHONE = 390


def _widths(pages, folder):
    """Pixels each page needs in a frame as wide as a phone, by its name."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no Chromium here: apt-get install chromium, then this test lays the pages out in it")
    policy = re.compile(r"<meta http-equiv=.Content-Security-Policy.[^>]*>")  # of the pages: no script at all
    frames = [
        f'<iframe title="{name}" width="{PHONE}" srcdoc="{escape(policy.sub("", page))}"></iframe>'
        for name, page in pages.items()
    ]
    sheet = folder / "phone.html"
    sheet.write_text(f'<meta charset="utf-8">{"".join(frames)}<script>{MEASURE}</script>', encoding="utf-8")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000"]
    done = subprocess.run(
        [*command, "--dump-dom", sheet.as_uri()], capture_output=True, text=True, check=True
    )
    found = re.findall(r'<iframe title="([^"]+)"[^>]* data-wide="(\d+)"', done.stdout)
    return {name: int(wide) for name, wide in found}


@pytest.mark.browser
@each_run
def test_no_page_scrolls_sideways_on_a_phone(run_in, lang, tmp_path):
    pages = {page.stem: page.read_text(encoding="utf-8") for page in run_in(lang).parent.glob("*.html")}
    pages["too wide"] = '<!doctype html><p style="width: 600px">wide</p>'
    widths = _widths(pages, tmp_path)
    assert widths.keys() == pages.keys() and len(pages) > len(CHAPTERS)
    assert widths.pop("too wide") > PHONE
    assert {name: wide for name, wide in widths.items() if wide > PHONE} == {}
