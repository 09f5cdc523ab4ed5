"""The runner with real kernels on small chapters."""

import json
import re
import sys
from multiprocessing import forkserver
from pathlib import Path

import nbformat
import pyarrow.parquet as pq
import pytest

from cxlib.runner.batch import run
from cxlib.runner.cli import main
from cxlib.runner.plan import RunSettings

PLAIN = Path(__file__).parents[2] / "notebooks" / "plain"
STAMP = re.compile(rb'<span class="stamp">.*?</span>')


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory):
    """The same run twice, into a folder that did not exist."""
    out = tmp_path_factory.mktemp("two") / "new" / "reports"
    return [run(RunSettings(notebooks=PLAIN, out=out)) for _ in range(2)]


def files(folder):
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_run_holds_page_notebook_results_tables_and_manifest(two_runs):
    assert list(files(two_runs[0].folder)) == [
        "plain.html",
        "plain.ipynb",
        "results.json",
        "run.json",
        "small.html",
        "small.ipynb",
        "tables/plain/shares.csv",
        "tables/plain/shares.parquet",
        "tables/small/groups.csv",
        "tables/small/groups.parquet",
    ]
    assert [outcome.exit_code for outcome in two_runs] == [0, 0]


def test_the_same_run_twice_gives_the_same_results_and_pages_but_for_the_stamp(two_runs):
    first, second = (outcome.folder for outcome in two_runs)
    assert first.name != second.name
    for name in files(first):
        one, other = (first / name).read_bytes(), (second / name).read_bytes()
        if name.endswith(".html"):
            assert one.count(first.name.encode()) == 1
            one, other = (STAMP.sub(b"", page) for page in (one, other))
        if name != "run.json":
            assert one == other, name


def test_the_footer_says_what_the_report_took(two_runs):
    record = json.loads((two_runs[0].folder / "run.json").read_text())["reports"]["plain"]
    said = re.search(STAMP.pattern.decode(), (two_runs[0].folder / "plain.html").read_text())[0]
    assert re.search(r": (?:[\d,]+ rows read in )?\d+\.\d s</span>", said)
    rows = sum(table["rows"] or 0 for table in record["tables"] or [])
    assert (f"{rows:,} rows read" in said) == bool(rows)


def test_results_hold_what_the_page_shows_at_full_precision(two_runs):
    results = json.loads((two_runs[0].folder / "results.json").read_text())
    table = results["plain"]["tables"]["shares"]
    assert table["rows"][1] == {"segment": "S1", "estimate": 1 / 3, "n": 11}
    assert table["units"]["estimate"] == "share"
    assert results["plain"]["findings"]["plain.leads"]["values"] == {"share": 1.0}
    assert results["plain"]["header"]["as_of"] == "2026-10-01"
    rows = pq.read_table(two_runs[0].folder / "tables/plain/shares.parquet").to_pylist()
    assert rows == table["rows"]
    csv = (two_runs[0].folder / "tables/plain/shares.csv").read_text(encoding="utf-8-sig")
    assert "'=1+1" in csv and rows[-1]["segment"] == "=1+1"


def test_the_format_of_results_is_numbered_and_described(two_runs):
    page = (Path(__file__).parents[3] / "docs" / "results.md").read_text(encoding="utf-8")
    (told,) = re.findall(r"\*\*format (\d+)\*\*", page)
    assert json.loads((two_runs[0].folder / "run.json").read_text())["results_format"] == int(told)
    results = json.loads((two_runs[0].folder / "results.json").read_text())
    for shelf in ("header", "tables", "findings", "figures", "notices"):
        part = page.split(f"\n## {shelf}\n")[1].split("\n## ")[0]
        listed = {name for line in part.splitlines() for name in re.findall("`(\\w+)`", line.split(" | ")[0])}
        held = [report[shelf] for report in results.values() if report[shelf]]
        held = held if shelf == "header" else [record for records in held for record in records.values()]
        assert held and {name for record in held for name in record} <= listed, shelf


def test_the_manifest_says_what_the_run_was_made_from(two_runs):
    record = json.loads((two_runs[0].folder / "run.json").read_text())
    assert record["status"] == "ok" and record["run"] == two_runs[0].folder.name
    assert record["reports"]["plain"]["parameters"]["n_rows"] == 4
    assert record["reports"]["plain"]["as_of"] == "2026-10-01"
    assert record["reports"]["plain"]["timezone"] == "Asia/Tokyo"
    assert record["reports"]["plain"]["seconds"] > 0
    assert record["reports"]["plain"]["tables"][0]["rows"] == 120
    assert re.fullmatch("[0-9a-f]{64}", record["data"]["data"][0]["sha256"])
    assert {"python", "pandas", "nbclient"} <= set(record["versions"])


def test_the_notebook_is_complete_and_clean(two_runs):
    notebook = nbformat.read(two_runs[0].folder / "plain.ipynb", as_version=4)
    nbformat.validate(notebook)
    codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in codes] == list(range(1, len(codes) + 1))
    assert "papermill" not in notebook.metadata and all("execution" not in cell.metadata for cell in codes)
    assert codes[-1].outputs[0].text == "a # b ['x'] 0.95 None\n"


def test_the_index_lists_both_runs(two_runs):
    html = two_runs[1].index.read_text()
    assert all(f'href="{outcome.folder.name}/plain.html"' in html for outcome in two_runs)
    earlier, later = (html.index(f'href="{outcome.folder.name}/plain.html"') for outcome in two_runs)
    assert later < earlier  # whole names: of two runs in one second one name begins with the other


def test_no_path_of_the_machine_is_in_any_artefact(tmp_path, capsys):
    data = tmp_path / "secret-place" / "shop"
    data.mkdir(parents=True)
    (data / "orders.csv").write_text("order_id\n1\n2\n")
    arguments = ["--notebooks", str(PLAIN), "--data", str(data), "--out", str(tmp_path / "out")]
    assert main(["run", "plain", *arguments]) == 0
    assert str(tmp_path / "out" / "index.html") in capsys.readouterr().out
    published = b"".join(path.read_bytes() for path in files(tmp_path / "out").values())
    for place in (
        b"secret-place",
        str(tmp_path).encode(),
        str(PLAIN).encode(),
        str(Path.home()).encode() + b"/",
    ):
        assert place not in published
    record = json.loads(next((tmp_path / "out").glob("*/run.json")).read_text())
    assert record["data"]["shop"][0] | {"sha256": ""} == {
        "file": "orders.csv",
        "sha256": "",
        "bytes": 13,
        "rows": 2,
    }


def test_parameters_reach_the_chapter_and_plain_kernels_give_the_same(tmp_path, two_runs):
    (tmp_path / "p.yml").write_text('plain:\n  n_rows: 2\n  label: "it\'s"\n')
    for extra in ([], ["--no-warm"]):
        arguments = ["--notebooks", str(PLAIN), "--out", str(tmp_path / "out"), "-f", str(tmp_path / "p.yml")]
        assert main(["run", "plain", *arguments, "--jobs", "1", *extra]) == 0
    warm, plain = sorted((tmp_path / "out").glob("2*"))
    for name in ("results.json", "plain.ipynb", "tables/plain/shares.parquet"):
        assert (warm / name).read_bytes() == (plain / name).read_bytes()
    results = json.loads((plain / "results.json").read_text())
    assert [row["segment"] for row in results["plain"]["tables"]["shares"]["rows"]] == ["S0", "S1", "=1+1"]
    assert "it&#x27;s" in (plain / "plain.html").read_text()
    kinds = [json.loads((folder / "run.json").read_text())["kernels"] for folder in (warm, plain)]
    assert kinds[1] == "plain"


def ran_outputs(place, source, *options):
    """Outputs of one cell, run by the runner."""
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": source, "outputs": []}
    cell["execution_count"] = None
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    place.mkdir(exist_ok=True)
    (place / "odd.ipynb").write_text(json.dumps(notebook))
    assert main(["run", "--notebooks", str(place), "--out", str(place.parent / "out"), *options]) == 0
    index = (place.parent / "out" / "index.html").read_text()
    newest = re.search(r'href="([^"]*)/odd.html"', index)[1]
    return nbformat.read(place.parent / "out" / newest / "odd.ipynb", as_version=4).cells[0].outputs


def test_a_forked_kernel_draws_as_a_plain_one_and_has_its_own_random_state(tmp_path):
    source = """import numpy as np
from matplotlib import pyplot

print(np.random.default_rng(1).random(), np.random.get_state()[1][:4].tolist())
pyplot.plot([1, 2, 4]);"""
    kinds = ("--jobs=1", "--jobs=1", "--no-warm")
    runs = [ran_outputs(tmp_path / "place", source, kind) for kind in kinds]
    pictures = [
        [o.data["image/png"] for o in outputs if "image/png" in o.get("data", {})] for outputs in runs
    ]
    assert [len(found) for found in pictures] == [1, 1, 1]
    assert pictures[0] == pictures[1] == pictures[2]
    printed = [outputs[0].text.split(" ", 1) for outputs in runs]
    assert printed[0][0] == printed[1][0] == printed[2][0]
    assert printed[0][1] != printed[1][1], "the fork's state is not the server's"


@pytest.mark.parametrize(("jobs", "code"), [("2", 0), ("1", 5)])
def test_two_reports_run_at_the_same_time(jobs, code, tmp_path, capsys):
    place, source = (
        tmp_path / "place",
        """import time
from pathlib import Path

Path({own!r}).touch()
until = time.monotonic() + {patience}
while not Path({other!r}).exists():
    assert time.monotonic() < until, "the other one never began"
    time.sleep(0.05)""",
    )
    place.mkdir()
    for own, other in (("a", "b"), ("b", "a")):
        names = {"own": str(tmp_path / own), "other": str(tmp_path / other)}
        text = source.format(**names, patience=60 if jobs == "2" else 1)
        cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": text, "outputs": []}
        notebook = {"cells": [cell | {"execution_count": None}], "metadata": {}, "nbformat": 4}
        (place / f"{own}.ipynb").write_text(json.dumps(notebook | {"nbformat_minor": 5}))
    words = ["run", "--notebooks", str(place), "--out", str(tmp_path / "out"), "--jobs", jobs]
    assert main(words) == code  # one after the other, the first waits in vain


@pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")
def test_after_a_warm_kernel_was_killed_the_fork_server_serves_the_next_report(tmp_path, capsys):
    kill = "import os, signal\n\nos.kill(os.getpid(), signal.SIGKILL)"
    place = tmp_path / "place"
    ran_outputs(place, "1", "--jobs=1")  # the server runs
    pid = forkserver._forkserver._forkserver_pid
    odd = json.loads((place / "odd.ipynb").read_text())
    odd["cells"][0]["source"] = kill
    (place / "odd.ipynb").write_text(json.dumps(odd))
    assert main(["run", "--notebooks", str(place), "--out", str(tmp_path / "out"), "--jobs=1"]) == 5
    assert "kernel" in capsys.readouterr().err
    (printed,) = ran_outputs(place, "import os\n\nprint(os.getppid())", "--jobs=1")
    assert printed.text.split() == [str(pid)]
    newest = max((tmp_path / "out").glob("2*"))
    assert json.loads((newest / "run.json").read_text())["kernels"] != "plain"


@pytest.mark.parametrize("kind", ["--no-warm", "--jobs=1"])
def test_numbers_do_not_hang_on_threads_hash_seeds_clock_zones_or_the_callers_style(
    kind, tmp_path, monkeypatch
):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setenv("MPLBACKEND", "agg")
    source = """import os
import time

print(os.environ["OMP_NUM_THREADS"], time.tzname[0], hash("a") == hash("a"), list({"b", "a", "c", "d"}))
print(os.environ["MPLBACKEND"], __name__, os.path.basename(os.getcwd()))"""
    first, second = ran_outputs(tmp_path / "place", source, kind)[0].text.splitlines()
    assert first.startswith("1 UTC True ['")
    assert second == "module://matplotlib_inline.backend_inline __main__ place"


def test_lesson_and_full_form_and_japanese(tmp_path):
    arguments = ["--notebooks", str(PLAIN), "--out", str(tmp_path / "out"), "--lang", "ja"]
    assert main(["run", *arguments, "--form", "lesson"]) == 0
    html = next((tmp_path / "out").glob("*/plain.html")).read_text()
    assert "この章で学ぶこと" in html and "練習" in html and "answer = 42" not in html
    assert '<html lang="ja">' in html and "What you will learn" not in html
    assert main(["run", "plain", *arguments, "--form", "full"]) == 0
    html = max((tmp_path / "out").glob("*/plain.html")).read_text()
    assert "What you will learn" in html and "answer" in html
