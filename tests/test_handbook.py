"""Every chapter keeps the form of the handbook, in both languages, and its stored outputs still come out."""

import ast
import json
import re
import shutil
import statistics
import subprocess
import sys
from html import escape
from pathlib import Path

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


@each_chapter
def test_nbval_stored_outputs_still_come_out(path):
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--nbval",
        "--nbval-current-env",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    command += ["-o", "addopts=", "-o", "filterwarnings=default", "--nbval-cell-timeout", "300"]
    command += ["--nbval-sanitize-with", str(ROOT / "tests" / "nbval_sanitise.cfg"), str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout[-5000:]
    assert re.search(r"\d+ passed", done.stdout)


def test_chapters_are_numbered_without_gaps():
    assert [int(path.stem[:2]) for path in CHAPTERS] == list(range(len(CHAPTERS)))


#: Two files of parameters: another language, level, day and breakdown each.
PARAMETER_FILES = (
    "lang: en\nas_of: 2026-03-31\nconf_level: 0.9\nby: customer_type\n",
    "lang: ja\nperiod_start: 2025-04-01\nmin_cell: 30\nby: region\n",
)


@pytest.fixture(scope="module", name="runs")
def _runs(tmp_path_factory):
    """Results and notebooks of all reports, run in the report form with each of the parameter files."""
    runs = []
    for number, lines in enumerate(PARAMETER_FILES):
        folder = tmp_path_factory.mktemp(f"run{number}")
        (folder / "parameters.yml").write_text(lines, encoding="utf-8")
        command = [sys.executable, "-m", "cxlib.runner.cli", "run", "--data", str(ROOT / "data" / "sample")]
        command += ["-f", str(folder / "parameters.yml"), "--out", str(folder / "out")]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
        assert done.returncode in (0, 4), done.stdout + done.stderr
        (results,) = (folder / "out").rglob("results.json")
        runs.append(results)
    return runs


@each_chapter
def test_a_report_run_with_other_parameters_does_not_lie(path, runs):
    """What was found moves with the parameters, what explains it does not and states no result."""
    name = path.stem[3:]
    findings = []
    for results in runs:
        found = json.loads(results.read_text(encoding="utf-8"))[name]
        findings.append({key: record["values"] for key, record in found["findings"].items()})
        for cell in _cells(results.with_name(f"{name}.ipynb"), "markdown"):
            assert _is_report(cell)
            assert not RESULT_LIKE.search(LINK.sub("]", CODE.sub("", _source(cell)))), cell["id"]
    assert all(findings)
    assert findings[0] != findings[1]
    stored = [
        record for cell in _cells(path, "code") for record in _records(cell) if record["kind"] == "finding"
    ]
    assert findings[0] != {record["key"]: record["values"] for record in stored}


@each_chapter
def test_a_table_says_in_words_what_its_columns_and_measures_are(path, runs):
    """The second run is Japanese: a name of the code in a heading or a cell is one nobody translated."""
    name = path.stem[3:]
    tables = json.loads(runs[1].read_text(encoding="utf-8"))[name]["tables"].values()
    names = {column for table in tables for column in table["columns"]}
    names |= {row["metric"] for table in tables for row in table["rows"] if row.get("metric")}
    page = runs[1].with_name(f"{name}.html").read_text(encoding="utf-8")
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
def test_no_page_scrolls_sideways_on_a_phone(runs, tmp_path):
    pages = {
        f"{number} {page.stem}": page.read_text(encoding="utf-8")
        for number, results in enumerate(runs)
        for page in results.parent.glob("*.html")
    }
    pages["too wide"] = '<!doctype html><p style="width: 600px">wide</p>'
    widths = _widths(pages, tmp_path)
    assert widths.keys() == pages.keys() and len(pages) > len(CHAPTERS)
    assert widths.pop("too wide") > PHONE
    assert {name: wide for name, wide in widths.items() if wide > PHONE} == {}
