"""A failed item voids no other, a killed run keeps what was whole, and `--retry` makes the rest alone."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cxlib.runner import publish
from cxlib.runner.cli import main

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
PLAIN, FAULTS = NOTEBOOKS / "plain", NOTEBOOKS / "faults"


@pytest.fixture
def place(tmp_path):
    """Two chapters, the first of which fails."""
    folder = tmp_path / "chapters"
    folder.mkdir()
    shutil.copy(FAULTS / "raises.ipynb", folder / "01_raises.ipynb")
    shutil.copy(PLAIN / "02_small.ipynb", folder)
    return folder


@pytest.fixture
def cx(place, tmp_path):
    """`cx("--retry")`: run the two chapters; exit code."""
    return lambda *words: main(["run", "--notebooks", str(place), "--out", str(tmp_path / "out"), *words])


def runs(tmp_path):
    return sorted((tmp_path / "out").glob("2*"))


def record(folder):
    return json.loads((folder / "run.json").read_text())


def mend(place):
    """Let the failing chapter be one that runs."""
    shutil.copy(PLAIN / "02_small.ipynb", place / "01_raises.ipynb")


def test_a_failed_item_voids_no_other_and_retry_runs_it_alone(cx, place, tmp_path, capsys):
    assert cx("-p", "n_groups=3") == 5
    told = capsys.readouterr()
    assert "raises stopped" in told.err and "Published: 1 of 2 reports; failed 1, not run 0" in told.err
    (first,) = runs(tmp_path)
    states = {name: entry["status"] for name, entry in record(first)["reports"].items()}
    assert states == {"raises": "failed", "small": "ok"} and record(first)["status"] == "partial"
    assert (first / "small.html").is_file() and not (first / "raises.html").exists()
    assert not list(first.glob(".*")) and list(json.loads((first / "results.json").read_text())) == ["small"]
    kept = tmp_path / "out" / "failed" / first.name
    assert [path.name for path in kept.iterdir()] == ["raises.ipynb"] and str(kept) in told.err
    html = (tmp_path / "out" / "index.html").read_text()
    assert "failed" in html and f"{first.name}/small.html" in html and "raises.html" not in html

    mend(place)
    assert cx("--retry") == 0
    told = capsys.readouterr()
    assert "taken over: 1 of 2" in told.out and "small: done" not in told.out and "raises: done" in told.out
    second = runs(tmp_path)[1]
    assert {entry["status"] for entry in record(second)["reports"].values()} == {"ok"}
    assert record(second)["reports"]["small"]["made_in"] == first.name
    assert record(second)["reports"]["small"]["parameters"]["n_groups"] == 3, "as in the run it completes"
    assert (second / "small.html").read_bytes() == (first / "small.html").read_bytes()
    assert set(json.loads((second / "results.json").read_text())) == {"raises", "small"}
    assert (second / "tables" / "small" / "groups.csv").is_file()
    assert cx("--retry") == 0
    assert "Nothing to run again" in capsys.readouterr().out and len(runs(tmp_path)) == 2


def test_a_run_of_which_nothing_came_out_is_retried_from_the_failures(cx, place, tmp_path):
    assert cx("raises") == 5
    assert not runs(tmp_path) and not (tmp_path / "out" / "index.html").exists()
    mend(place)
    assert cx("--retry") == 0
    assert [entry for entry in record(runs(tmp_path)[0])["reports"]] == ["raises"]


def test_a_page_that_is_gone_is_made_again(cx, tmp_path, capsys):
    cx()
    (runs(tmp_path)[0] / "small.html").unlink()
    capsys.readouterr()
    assert cx("--retry") == 5
    assert "small: done" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--retry", "20990101-000000"], 2, "no run '20990101-000000'"),
        (["--retry", "-p", "n_groups=2"], 2, "leave out -p"),
    ],
)
def test_a_retry_that_cannot_be_is_refused_before_anything_runs(words, code, said, cx, tmp_path, capsys):
    cx()
    assert cx(*words) == code
    assert said in capsys.readouterr().err and len(runs(tmp_path)) == 1


def test_a_run_never_holds_figures_of_two_states_of_the_data(tmp_path, capsys):
    shop, chapters = tmp_path / "shop", tmp_path / "chapters"
    shop.mkdir()
    (shop / "orders.csv").write_text("order_id\n1\n")
    (shop / "decisions.yml").write_text("decisions: []\n")
    shutil.copytree(PLAIN, chapters)
    shutil.copy(FAULTS / "raises.ipynb", chapters)
    words = ["run", "--notebooks", str(chapters), "--out", str(tmp_path / "out"), "--data", str(shop)]
    assert main([*words, "plain", "raises"]) == 5
    shutil.copy(PLAIN / "02_small.ipynb", chapters / "raises.ipynb")
    (shop / "orders.csv").write_text("order_id\n1\n2\n")
    assert main([*words, "--retry"]) == 3
    assert "never holds figures of two" in capsys.readouterr().err
    (shop / "orders.csv").write_text("order_id\n1\n")
    (shop / "decisions.yml").write_text("decisions: []  # looked at\n")
    assert main([*words, "--retry"]) == 0
    told = capsys.readouterr().out
    assert "taken over: 1 of 2" in told, "the team's decisions change no report"


def test_a_run_for_sharing_cannot_be_completed(cx, capsys):
    assert cx("--shared") == 5
    assert cx("--retry") == 2
    assert "for sharing" in capsys.readouterr().err


def test_a_disk_that_fills_up_keeps_what_was_written_whole(cx, place, tmp_path, monkeypatch, capsys):
    mend(place)
    write = publish.write_synced

    def refuse(path, content):
        if path.name == "small.ipynb":
            write(path, content[:9])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, content)

    monkeypatch.setattr(publish, "write_synced", refuse)
    assert cx("--jobs", "1") == 6
    told = capsys.readouterr().err
    assert "is full" in told and "Published: 1 of 2 reports; failed 0, not run 1" in told
    (folder,) = runs(tmp_path)
    assert record(folder)["status"] == "interrupted"
    assert record(folder)["reports"]["small"]["status"] == "missing"
    html = (tmp_path / "out" / "index.html").read_text()
    assert "not run" in html and "small.html" not in html
    monkeypatch.undo()
    assert cx("--retry") == 0
    assert record(runs(tmp_path)[1])["reports"]["raises"]["made_in"] == folder.name


@pytest.mark.parametrize("number", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.long)])
def test_a_run_that_is_killed_or_stopped_keeps_what_was_whole(number, tmp_path, monkeypatch, capsys):
    chapters, out = tmp_path / "chapters", tmp_path / "out"
    chapters.mkdir()
    out.mkdir()
    shutil.copy(PLAIN / "02_small.ipynb", chapters / "01_small.ipynb")
    shutil.copy(FAULTS / "sleeps.ipynb", chapters / "02_sleeps.ipynb")
    monkeypatch.setenv("CX_TEST_STARTED", str(out / "started"))
    command = [sys.executable, "-m", "cxlib.runner.cli", "run", "--jobs", "1", "--out", out]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    run = subprocess.Popen([*command, "--notebooks", chapters], **quiet, start_new_session=True)
    deadline = time.monotonic() + 60
    while not (out / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    run.send_signal(number)
    assert run.wait(30) == (130 if number == signal.SIGTERM else -9)
    if number == signal.SIGKILL:
        assert not runs(tmp_path), "what is half is seen by nobody"
    shutil.copy(PLAIN / "02_small.ipynb", chapters / "02_sleeps.ipynb")
    words = ["run", "--notebooks", str(chapters), "--out", str(out)]
    if number == signal.SIGKILL:  # any run after it publishes the whole items
        assert main([*words, "small"]) == 0
    first = runs(tmp_path)[0]
    states = {name: entry["status"] for name, entry in record(first)["reports"].items()}
    assert states == {"small": "ok", "sleeps": "missing"} and record(first)["status"] == "interrupted"
    assert not list(first.glob(".*")) and list(json.loads((first / "results.json").read_text())) == ["small"]
    capsys.readouterr()
    assert main([*words, "--retry", first.name]) == 0
    assert "taken over: 1 of 2" in capsys.readouterr().out
    assert not list(out.glob(".building*"))


def test_half_of_an_item_is_never_published(tmp_path):
    left = tmp_path / ".building-20260101-000000"
    (left / ".items").mkdir(parents=True)
    (left / "run.json").write_text('{"run": "20260101-000000", "reports": {"a": {}}}')
    (left / "a.html").write_text("half")
    with publish.locked(tmp_path):
        assert not left.exists() and not (tmp_path / "20260101-000000").exists()
    (left / ".items").mkdir(parents=True)
    (left / "run.json").write_text('{"run": "20260101-000000"')
    (left / ".items" / "a.json").write_text('{"record": {}, "results": {}}')
    with publish.locked(tmp_path):
        assert not left.exists() and not (tmp_path / "20260101-000000").exists()


def test_a_dry_run_says_what_would_run_and_where_the_data_are_too_few(tmp_path, capsys):
    sample = Path(__file__).parents[3] / "data" / "sample"
    for name in ("dataset.yml", "customers.parquet", "orders.parquet"):
        shutil.copy(sample / name, tmp_path)
    words = ["run", "segmentation", "nps_drivers", "--dry-run", "--data", str(tmp_path)]
    assert main(words) == 4
    told = capsys.readouterr().out
    assert "segmentation: would run, in part." in told and "no nps_score" in told
    assert "nps_drivers: too little data." in told
    assert main([*words, "--accept-gaps", "--lang", "ja"]) == 0
    assert "データが足りません" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("settings", "orders", "said"),
    [
        (None, "", "has no dataset.yml"),
        ("name: [x", "", "not readable as YAML"),
        ("name: Shop\ncurrency: ZZZ\n", "", "currency"),
        (
            "{name: S, currency: JPY, timezone: UTC, extracted_at: 2026-10-01}",
            "a,b\n1,2\n",
            "orders has errors",
        ),
    ],
)
def test_a_dry_run_on_data_that_cannot_be_used_ends_as_the_run_would(
    tmp_path, capsys, settings, orders, said
):
    (tmp_path / "orders.csv").write_text(orders)
    if settings:
        (tmp_path / "dataset.yml").write_text(settings)
    assert main(["run", "segmentation", "--dry-run", "--accept-gaps", "--data", str(tmp_path)]) == 3
    told = capsys.readouterr().out
    assert "segmentation: would stop." in told and said in told
