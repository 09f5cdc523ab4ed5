"""What the README promises a newcomer exists and is accepted, in both languages."""

import re
import shlex
from pathlib import Path

import pytest

from cxlib.data.exports.column_models import Verb
from cxlib.data.exports.mapping import TableMapping
from cxlib.runner.cli import main

ROOT = Path(__file__).parents[1]
PAGES = ["README.md", "README.ja.md"]


LINKED = [
    *PAGES,
    "CONTRIBUTING.md",
    "data/README.md",
    "data/mappings/README.md",
    "data/mappings/README.ja.md",
]


@pytest.mark.parametrize("page", LINKED)
def test_every_link_and_picture_is_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    missing = [link for link in links if not (ROOT / page).parent.joinpath(link).exists()]
    assert not missing


VERBS = ("cx run", "cx show", "cx open")


def commands(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith(VERBS)]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_accepted_as_it_stands(page, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    found = [words for words in commands(page) if "my_data" not in words]
    assert len(found) >= 5
    for words in found:
        dry = ["--dry-run", "--out", str(tmp_path)] if words[0] == "run" else []
        assert main([*words, *dry]) == 0, words


def test_both_pages_show_the_same_commands():
    english, japanese = (commands(page) for page in PAGES)
    plain = [[word for word in words if word not in ("--lang", "ja")] for words in japanese]
    assert plain == [[word for word in words if word not in ("--lang", "ja")] for words in english]


def test_both_pages_on_mappings_have_the_same_systems_reports_and_verbs():
    english, japanese = (
        (ROOT / "data" / "mappings" / name).read_text(encoding="utf-8")
        for name in ("README.md", "README.ja.md")
    )
    rows = [
        re.findall(r"^\| \[`([\w-]+)\.yml`\].*\| ([^|]*) \|$", page, re.MULTILINE)
        for page in (english, japanese)
    ]
    reports = [{name: re.findall(r"`\w+`", cell) for name, cell in held} for held in rows]
    assert reports[0] == reports[1] and list(reports[0]) == list(reports[1])
    verbs = {name for model in (Verb, TableMapping) for name in model.model_fields} - {"from_", "kind"}
    known = {name for name in verbs if f"`{name}" in english}
    assert len(known) > 20 and not {name for name in known if f"`{name}" not in japanese}
