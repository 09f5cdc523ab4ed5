"""What goes wrong around a report: kernel, disk, locale, other runs. Nothing half-done is ever published."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from cxlib.runner import kernels, publish
from cxlib.runner.cli import main

NOTEBOOKS = Path(__file__).parent / "notebooks"
PLAIN, FAULTS = NOTEBOOKS / "plain", NOTEBOOKS / "faults"
CX = [sys.executable, "-m", "cxlib.runner.cli"]
linux = pytest.mark.skipif(sys.platform != "linux", reason="forked kernels are for Linux")
#: Plain kernels, and forked ones, which a run uses where it can.
KINDS = pytest.mark.parametrize(
    "kind", [pytest.param("--no-warm", marks=pytest.mark.long), pytest.param("--jobs=1", marks=linux)]
)


@pytest.fixture
def out(tmp_path):
    """A reports folder with one good earlier report."""
    earlier = tmp_path / "out" / "20260101-000000"
    earlier.mkdir(parents=True)
    (earlier / "plain.html").write_text("good")
    return tmp_path / "out"


def cx(out, *arguments, notebooks=FAULTS):
    return main(["run", *map(str, arguments), "--notebooks", str(notebooks), "--out", str(out)])


def assert_only_the_earlier_report(out):
    published = {path.name for path in out.iterdir()} - {".lock", "failed"}
    assert published == {"20260101-000000"}
    assert (out / "20260101-000000" / "plain.html").read_text() == "good"


@KINDS
@pytest.mark.parametrize(
    ("report", "code", "words"),
    [
        ("exits", 5, "sys.exit"),
        ("quits", 5, "not run to its end"),
        ("dies", 5, "lack of memory"),
        ("leaves", 5, "lack of memory"),
        ("raises", 5, "KeyError"),
        ("needs_module", 5, "no_such_library_at_all"),
        ("fills_memory", 5, "Out of memory"),
        ("wrong_parameter", 2, "no such day"),
        ("wrong_input", 3, "no data folder"),
    ],
)
def test_a_report_that_stops_names_chapter_cell_and_cause_and_publishes_nothing(
    report, code, words, kind, out, capsys
):
    assert cx(out, report, kind) == code
    message = capsys.readouterr().err
    assert report in message and "“Where it stops”, code cell 2 of 3" in message and words in message
    assert "Traceback" not in message and "CANARY" not in message
    assert_only_the_earlier_report(out)
    (kept,) = (out / "failed").iterdir()
    record = json.loads((kept / "run.json").read_text())
    assert record["status"] == "failed" and record["reports"][report]["exit_code"] == code
    notebook = (kept / f"{report}.ipynb").read_text()
    assert "last = 2" in notebook and "CANARY-customer" not in notebook


def test_a_segment_or_attribute_that_does_not_exist_is_answered_with_those_that_do(out, capsys):
    chapters = Path(__file__).parents[1] / "notebooks"
    if not (chapters / "01_segmentation.ipynb").exists():
        pytest.skip("no chapters here")
    assert cx(out, "segmentation", "-p", "segment=Nobody", notebooks=chapters) == 2
    assert "Champions" in capsys.readouterr().err
    assert cx(out, "segmentation", "-p", "by=regoin", notebooks=chapters) == 2
    assert "region" in capsys.readouterr().err
    assert_only_the_earlier_report(out)


def test_the_cause_is_said_in_japanese_too(out, capsys):
    assert cx(out, "wrong_parameter", "--lang", "ja") == 2
    message = capsys.readouterr().err
    assert "停止する場所" in message and "存在しません" in message


def test_one_failing_report_keeps_no_other_back(out, tmp_path, capsys):
    both = tmp_path / "both"
    both.mkdir()
    shutil.copy(FAULTS / "raises.ipynb", both / "01_raises.ipynb")
    shutil.copy(PLAIN / "02_small.ipynb", both)
    assert cx(out, notebooks=both) == 5
    assert "small: done" in capsys.readouterr().out
    assert (out / "20260101-000000" / "plain.html").read_text() == "good"
    (page,) = out.glob("2*/small.html")
    assert [path.name for path in (out / "failed" / page.parent.name).iterdir()] == ["raises.ipynb"]


def test_not_enough_data_is_a_report_that_says_so(out, capsys):
    assert cx(out, "not_enough") == 4
    assert "not enough data" in capsys.readouterr().out
    html = next(path for path in out.glob("*/not_enough.html")).read_text()
    assert "Only 3 customers bought twice." in html
    assert "not enough data in part" in (out / "index.html").read_text()


@KINDS
def test_a_report_ends_where_a_table_is_missing_and_the_others_go_on(kind, out, tmp_path, capsys):
    both = tmp_path / "both"
    both.mkdir()
    shutil.copy(FAULTS / "no_table.ipynb", both / "01_no_table.ipynb")
    shutil.copy(PLAIN / "02_small.ipynb", both)
    (both / "data").mkdir()
    assert cx(out, kind, "--lang", "ja", notebooks=both) == 4
    assert capsys.readouterr().err == ""
    (page,) = out.glob("*/no_table.html")
    folder, html = page.parent, page.read_text()
    assert (folder / "small.html").exists()
    top = html.split('<nav class="contents"')[0]
    assert "レポートはここで終わります" in top and "win rate" in top and "<code>deals</code>" in top
    assert html.count("レポートはここで終わります") == 1, "a notice stands once"
    assert (
        "cx-notice cx-tone-undecided" in top
        and "<pre>before" in html
        and "cx-error" not in html.split("</style>")[1]
    )
    (notice,) = json.loads((folder / "results.json").read_text())["no_table"]["notices"].values()
    assert notice["level"] == "not_enough_data" and "deal_id" in notice["text"]
    record = json.loads((folder / "run.json").read_text())
    assert record["status"] == "ok" and record["reports"]["no_table"]["status"] == "not_enough_data"
    notebook = (folder / "no_table.ipynb").read_text()
    assert "last = 2" not in notebook and "NotEnoughData(" in notebook and '"error"' not in notebook
    assert not (out / "failed").exists()


@KINDS
def test_a_report_that_takes_too_long_is_stopped(kind, out, capsys):
    started = time.monotonic()
    assert cx(out, "sleeps", "--timeout", "8", kind) == 5
    assert time.monotonic() - started < 60
    assert "8 seconds" in capsys.readouterr().err
    assert_only_the_earlier_report(out)


def test_no_kernel_is_said_in_plain_words(out, capsys, monkeypatch):
    spec = kernels.KernelSpec(argv=[sys.executable, "-c", "raise SystemExit(1)"], language="python")
    monkeypatch.setattr(kernels.HandbookKernelManager, "kernel_spec", spec)
    assert cx(out, "warns", "--no-warm") == 5
    assert "kernel did not start" in capsys.readouterr().err
    assert_only_the_earlier_report(out)


@linux
def test_a_fork_server_that_is_gone_is_replaced_by_plain_kernels(out, monkeypatch):
    def refuse(self):
        raise EOFError

    monkeypatch.setattr("multiprocessing.context.ForkServerProcess.start", refuse)
    assert cx(out, "warns") == 0


def test_a_record_that_cannot_be_published_fails_the_report(out, tmp_path, capsys):
    source = """from IPython.display import display

display({"text/plain": "x"}, raw=True, metadata={"cx": {"kind": "table", "key": "t", "rows": 3}})"""
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": source, "outputs": []}
    notebook = {
        "cells": [cell | {"execution_count": None}],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (tmp_path / "odd.ipynb").write_text(json.dumps(notebook))
    assert cx(out, "odd", notebooks=tmp_path) == 5
    assert "cannot be published" in capsys.readouterr().err
    assert_only_the_earlier_report(out)


def test_a_notebook_that_names_a_kernel_of_another_machine_runs_all_the_same(out):
    notebook = json.loads((PLAIN / "02_small.ipynb").read_text())
    assert notebook["metadata"]["kernelspec"]["name"] == "no-such-kernel"
    assert cx(out, "small", notebooks=PLAIN) == 0


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_full_or_read_only_disk_publishes_nothing(number, out, capsys, monkeypatch):
    whole = publish.write_synced

    def refuse(path, content):
        if path.suffix == ".ipynb":
            whole(path, content[:10])
            raise OSError(number, os.strerror(number))
        whole(path, content)

    monkeypatch.setattr(publish, "write_synced", refuse)
    assert cx(out, "small", notebooks=PLAIN) == 6
    assert "Traceback" not in capsys.readouterr().err
    assert_only_the_earlier_report(out)


@linux
def test_a_disk_that_is_really_full(tmp_path, capsys):
    place = tmp_path / "small-disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", place], capture_output=True)
    if mounted.returncode:
        pytest.skip("this system does not let us mount a small disk")
    try:
        assert cx(place / "out", "plain", notebooks=PLAIN) == 6
        assert "is full" in capsys.readouterr().err
        assert {path.name for path in (place / "out").iterdir()} <= {".lock"}
    finally:
        subprocess.run(["umount", place], check=True)


def test_a_file_where_the_folder_should_be(tmp_path, capsys):
    (tmp_path / "out").write_text("")
    assert cx(tmp_path / "out", "small", notebooks=PLAIN) == 6
    assert cx(tmp_path / "out" / "inner", "small", notebooks=PLAIN) == 6
    told = capsys.readouterr().err.splitlines()
    assert ["is not a folder one can write to" in line for line in told] == [True, True], told
    assert told[0].startswith("cx: out") and told[1].startswith("cx: inner")


def start_slow_run(out, *options):
    """A run in the middle of its slow cell, and its process."""
    run = subprocess.Popen(
        [*CX, "run", "sleeps", "--notebooks", FAULTS, "--out", out, *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    marker = out / "started"
    deadline = time.monotonic() + 60
    while not marker.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert marker.exists(), "the slow cell did not start"
    marker.unlink()
    return run


@pytest.fixture
def slow_environment(out, monkeypatch):
    monkeypatch.setenv("CX_TEST_STARTED", str(out / "started"))


@pytest.mark.usefixtures("slow_environment")
@KINDS
def test_a_second_run_waits_outside_and_a_killed_run_leaves_nothing_running_or_published(kind, out, capsys):
    run = start_slow_run(out, kind)
    try:
        assert cx(out, "small", notebooks=PLAIN) == 7
        assert str(run.pid) in capsys.readouterr().err
        family = psutil.Process(run.pid).children(recursive=True)
        assert family, "kernel and servers"
        assert list(out.glob(".building-*"))
    finally:
        run.send_signal(signal.SIGKILL)
        run.wait()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive, "kernels end with the runner"
    assert not list(out.glob("2*/sleeps.html"))
    assert cx(out, "small", notebooks=PLAIN) == 0
    assert not list(out.glob(".building-*")), "the next run cleans up"


@pytest.mark.usefixtures("slow_environment")
@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
def test_an_interrupted_run_ends_at_once_and_publishes_nothing(number, out):
    run = start_slow_run(out)
    family = psutil.Process(run.pid).children(recursive=True)
    run.send_signal(number)
    assert run.wait(timeout=30) == 130
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive
    assert_only_the_earlier_report(out)


@pytest.mark.long
def test_a_locale_without_letters_changes_nothing(tmp_path):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHONUTF8"))}
    environment |= {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "TZ": "America/New_York"}
    out = tmp_path / "out"
    command = [*CX, "run", "plain", "--lang", "ja", "--notebooks", PLAIN, "--out", out]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "素朴なレポート" in next(out.glob("*/plain.html")).read_text(encoding="utf-8")


def test_paths_with_spaces_and_japanese_and_a_long_folder_for_temporary_files(tmp_path, monkeypatch):
    place = tmp_path / "顧客 体験"
    shutil.copytree(PLAIN, place / "ノート ブック")
    temporary = tmp_path / ("一時 " * 20)
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    arguments = ["--data", place / "ノート ブック" / "data"]
    assert cx(place / "レポート 一覧", "plain", *arguments, notebooks=place / "ノート ブック") == 0
    assert list((place / "レポート 一覧").glob("*/plain.html"))
    assert not list(temporary.iterdir())


@linux
def test_a_machine_without_network_runs_all_the_same(tmp_path):
    alone = ["unshare", "--net"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], capture_output=True).returncode:
        pytest.skip("this system does not let us take the network away")
    command = [*alone, *CX, "run", "plain", "--notebooks", PLAIN, "--out", tmp_path / "out"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
