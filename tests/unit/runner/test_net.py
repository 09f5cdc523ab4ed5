"""Whatever fails, the command ends in a sentence and an exit code; details go to a file, without values."""

import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from cxlib.runner import cli, imports, net
from cxlib.runner.cli import main

PLAIN = str(Path(__file__).parents[2] / "notebooks" / "plain")
CX = [sys.executable, "-m", "cxlib.runner.cli"]
VALUE = "yuki@example.com"
COMMANDS = {
    "list": ["list"],
    "show": ["show", "plain"],
    "run": ["run", "plain"],
    "sample": ["sample", "--out", "x"],
    "check": ["check", "x"],
    "import": ["import", "x.yml", "--from", "x", "--to", "y"],
}


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "kept"))
    (tmp_path / "kept").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def failing(monkeypatch, error):
    def fail(*_):
        customer = VALUE  # a local value that must stay here
        raise error from KeyError(customer)

    for name in ("_list", "_show", "_run", "_sample", "_check"):
        monkeypatch.setattr(cli, name, fail)
    monkeypatch.setattr(imports, "_import", fail)


UNEXPECTED = [
    RuntimeError(VALUE),
    KeyError(VALUE),
    MemoryError(VALUE),
    RecursionError(VALUE),
    UnicodeDecodeError("utf-8", VALUE.encode(), 0, 1, VALUE),
    ModuleNotFoundError(VALUE, name="pandas"),
    ExceptionGroup(VALUE, [ValueError(VALUE)]),
]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("error", UNEXPECTED, ids=lambda error: type(error).__name__)
def test_an_unexpected_error_ends_in_a_sentence_and_a_file_without_values(
    error, command, place, monkeypatch, capsys
):
    failing(monkeypatch, error)
    assert main(COMMANDS[command]) == net.EXIT_UNEXPECTED
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1 and told.startswith("cx: ")
    (kept,) = (place / "kept").iterdir()
    assert str(kept) in told and (kept.stat().st_mode & 0o077) == 0
    details = kept.read_text()
    assert type(error).__name__ in details and "KeyError" in details and " in fail" in details
    assert VALUE not in details + told and str(Path(__file__).parents[3]) not in details


@pytest.mark.parametrize(
    ("error", "command", "code"),
    [
        (PermissionError(errno.EACCES, "no"), "sample", 6),
        (PermissionError(errno.EACCES, "no"), "import", 6),
        (PermissionError(errno.EACCES, "no"), "check", 3),
        (OSError(errno.ENOSPC, "full"), "run", 6),
        (OSError(errno.EMFILE, "too many"), "list", 3),
        (KeyboardInterrupt(), "check", 130),
        (BrokenPipeError(), "list", 0),
    ],
)
def test_what_the_system_refuses_has_the_code_of_its_side(error, command, code, monkeypatch, capsys):
    failing(monkeypatch, error)
    assert main([*COMMANDS[command], "--lang", "ja"]) == code
    told = capsys.readouterr().err
    assert "Traceback" not in told and len(told.splitlines()) == (code != 0)


def test_a_deep_recursion_is_kept_short(place, monkeypatch):
    def deeper(*_):
        return deeper()

    monkeypatch.setattr(cli, "_list", deeper)
    assert main(["list"]) == net.EXIT_UNEXPECTED
    (kept,) = (place / "kept").iterdir()
    assert len(kept.read_text().splitlines()) < 200


def test_details_that_cannot_be_kept_are_said_so(place, monkeypatch, capsys):
    failing(monkeypatch, RuntimeError())
    (place / "kept").rmdir()
    assert main(["list"]) == net.EXIT_UNEXPECTED
    assert "could not be kept" in capsys.readouterr().err


def shell(command, folder, **variables):
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[3]),
        "CX": " ".join(CX),
        **variables,
    }
    return subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, cwd=folder, env=environment, check=False
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
@pytest.mark.parametrize("words", ["list", "--help", f"show plain --notebooks {PLAIN}"])
def test_output_to_a_full_disk_ends_in_a_sentence(words, place):
    done = shell(f"$CX {words} >/dev/full", place)
    assert done.returncode == 6 and "output could not be written" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["$CX list >&-", "$CX list >&- 2>&- <&-", "$CX list | head -0"])
def test_closed_streams_are_no_error(command, place):
    done = shell(command, place)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("words", ["check shop", "sample --out shop", "import m.yml --from a --to b", "run"])
def test_a_working_directory_that_is_gone_is_said(words, place):
    (place / "gone").mkdir()
    done = shell(f"rmdir ../gone && $CX {words} --lang ja", place / "gone")
    assert done.returncode in (2, 3) and len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.parametrize(
    "variables",
    [
        {"LC_ALL": "xx_YY.none", "LANGUAGE": "zz"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
        {"COLUMNS": "0"},
        {"COLUMNS": "-7"},
        {"COLUMNS": "wide"},
    ],
)
def test_help_comes_under_any_locale_and_width(variables, place):
    for words in ("--help", "run --lang ja --help"):
        done = shell(f"$CX {words}", place, **variables)
        assert done.returncode == 0 and "Traceback" not in done.stderr


@pytest.mark.parametrize("out", ["file", "file/inner", "a\0b", "n" * 300])
@pytest.mark.parametrize("command", ["sample", "import", "run"])
def test_a_target_nothing_can_be_written_to_is_refused_before_anything_starts(command, out, place, capsys):
    (place / "file").write_text("kept")
    words = {
        "sample": ["sample", "--out"],
        "import": ["import", "m.yml", "--from", ".", "--to"],
        "run": ["run", "plain", "--notebooks", PLAIN, "--dry-run", "--out"],
    }[command]
    assert main([*words, out]) in (2, 6)
    captured = capsys.readouterr()
    assert len(captured.err.splitlines()) == 1 and captured.out == ""
    assert (place / "file").read_text() == "kept"
