"""Speed of the runner beside papermill and nbconvert as commands, as ratios within one run."""

import json
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.benchmark

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"
BIN = Path(sys.executable).parent
CHAPTERS = sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))[:4]


def seconds(*command, cwd=ROOT):
    started = time.perf_counter()
    subprocess.run(list(map(str, command)), cwd=cwd, check=True, capture_output=True)
    return time.perf_counter() - started


@pytest.fixture
def tell(capsys):
    """Print a measurement although pytest captures."""

    def say(line):
        with capsys.disabled():
            sys.stdout.write(f"\n{line}\n")

    return say


def best(times, *command):
    """Least processor seconds of a single-threaded command: a busy machine does not change them much."""
    found = []
    for _ in range(times):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds(*command)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(found)


def test_show_is_at_least_20_times_as_fast_as_papermill(tell):
    seconds(BIN / "cx", "show", "segmentation")  # both have read their files once
    ours = best(5, BIN / "cx", "show", "segmentation")
    theirs = best(2, BIN / "papermill", "--help-notebook", CHAPTERS[0])
    tell(f"cx show {ours:.3f} s, papermill --help-notebook {theirs:.2f} s: {theirs / ours:.0f} times")
    assert theirs / ours >= 20


def test_help_takes_well_under_half_a_second(tell):
    ours = best(5, BIN / "cx", "--help")
    tell(f"cx --help {ours:.3f} s")
    assert ours < 0.5


def test_four_reports_are_at_least_3_times_as_fast_as_papermill_and_nbconvert(tmp_path, tell):
    # the same work on both sides: the cells of the report form, in the same place beside the data
    from cxlib.runner.notebooks import find_notebooks, prepare, read_notebook

    place = tmp_path / "notebooks"
    place.mkdir()
    shutil.copytree(ROOT / "data", tmp_path / "data")
    for path in CHAPTERS:
        notebook = prepare(read_notebook(path), form="report", lang="en")
        (place / path.name).write_text(json.dumps(notebook), encoding="utf-8")
    seconds(BIN / "cx", "run", "--notebooks", place, "--out", tmp_path / "first")
    ours = min(
        seconds(BIN / "cx", "run", "--notebooks", place, "--out", tmp_path / "out", "--jobs", "2")
        for _ in range(2)
    )
    theirs = 0.0
    for path in find_notebooks(place).values():
        done = tmp_path / path.name
        theirs += seconds(BIN / "papermill", path, done, "--cwd", place)
        theirs += seconds(BIN / "jupyter", "nbconvert", "--to", "html", "--no-input", done)
    times = f"{theirs / ours:.1f} times"
    tell(f"{len(CHAPTERS)} reports: cx {ours:.1f} s, one after the other {theirs:.1f} s: {times}")
    assert theirs / ours >= 3
