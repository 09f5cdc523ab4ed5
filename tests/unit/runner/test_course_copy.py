"""`cx course`: what a learner gets, what leads where, and that no answer of hers is written over."""

import json
import re
import shlex

import nbformat
import pytest

from cxlib.learn.course_files import course
from cxlib.runner.cli import _parser, main
from cxlib.runner.course_copy import COURSE

LINK = re.compile(r"\]\(([^)\s]+)\)")


def prose(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_every_lesson_and_its_exercises_come_along_and_lead_nowhere_else(lang, tmp_path, capsys):
    assert main(["course", "--lang", lang, "--out", str(tmp_path / "mine")]) == 0
    copied = sorted((tmp_path / "mine").iterdir())
    assert [path.name for path in copied] == sorted(path.name for path in (COURSE / lang).glob("*.ipynb"))
    assert len(copied) == 2 * len(course())
    assert str(copied[0]) in capsys.readouterr().out
    commands = set()
    for path in copied:
        nbformat.validate(nbformat.read(path, as_version=4))
        for target in LINK.findall(prose(path)):
            assert (path.parent / target).exists(), (path.name, target)
        commands |= set(re.findall(r"`cx (open \w+)`", prose(path)))
    chapters = {chapter.stem.partition("_")[2] for chapter in COURSE.parent.glob("[0-9]*.ipynb")}
    assert commands and {words.split()[1] for words in commands} <= chapters
    assert all(_parser("en").parse_args(shlex.split(words)).command for words in commands)


def test_what_a_learner_wrote_stays(tmp_path, capsys):
    folder = ["--out", str(tmp_path)]
    assert main(["course", *folder]) == 0
    answered, missing = sorted(tmp_path.glob("*_exercises.ipynb"))[:2]
    answered.write_text("mine", encoding="utf-8")
    missing.unlink()
    capsys.readouterr()
    assert main(["course", *folder]) == 0
    assert answered.read_text(encoding="utf-8") == "mine" and missing.exists()
    assert f"1 written to {tmp_path}, {2 * len(course()) - 1} already there" in capsys.readouterr().out


def test_a_folder_that_can_not_be_is_refused(tmp_path, capsys):
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert main(["course", "--out", str(tmp_path / "file")]) == 6
    assert "file" in capsys.readouterr().err
