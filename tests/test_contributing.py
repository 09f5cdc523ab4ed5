"""CONTRIBUTING and the pages beside it name what is there, and the list of public names is current."""

import ast
import importlib.util
import json
import re
from pathlib import Path

import pytest
import yaml

import cxlib as cx
from cxlib.language import catalogue

ROOT = Path(__file__).parents[1]
spec = importlib.util.spec_from_file_location("list_names", ROOT / "tests" / "list_names.py")
list_names = importlib.util.module_from_spec(spec)
spec.loader.exec_module(list_names)

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PATH = re.compile(r"`([\w.-]+(?:/[\w.-]+)+/?)`")


def _section(title):
    return re.split(r"^#{2,3} ", TEXT.split(f" {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def _rows(title):
    lines = [line for line in _section(title).splitlines() if line.startswith("| ")][1:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


QUESTIONS = _rows("Twelve questions")


def _defined(path):
    """Names that a file defines: functions, classes, constants, keys, ids and names of entries."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        named = {getattr(node, "name", "") for node in ast.walk(ast.parse(source))}
        return named | {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)}
    held = json.loads(source) if path.suffix == ".json" else yaml.safe_load(source)
    entries = [entry for part in held.values() if isinstance(part, list) for entry in part]
    return set(held) | {entry.get(name) for entry in entries for name in ("id", "name", "metric")}


def test_the_list_of_public_names_is_current():
    assert list_names.PAGE.read_text(encoding="utf-8") == list_names.page(), "run python tests/list_names.py"


def test_every_name_listed_is_reached_both_ways():
    listed = re.findall(r"^\| `(\w+)` \| `(\w+)/", list_names.page(), re.MULTILINE)
    assert len(listed) > 200
    for name, wing in listed:
        held = getattr(importlib.import_module(f"cxlib.{wing}"), name)
        assert name not in dir(cx) or getattr(cx, name) is held  # some are on the face of their wing alone


@pytest.mark.parametrize("path", sorted(set(PATH.findall(TEXT.split("## Old and new names")[0]))))
def test_paths_named_exist(path):
    assert any((folder / path).exists() for folder in (ROOT, ROOT / "cxlib")), path


def test_a_newcomer_has_twelve_answers():
    assert len(QUESTIONS) == 12 == len({question for question, _, _ in QUESTIONS})


@pytest.mark.parametrize(("question", "path", "name"), QUESTIONS)
def test_the_file_named_answers_the_question(question, path, name):
    assert question.endswith("?")
    assert name in _defined(ROOT / path)


def test_the_six_steps_use_what_is_there():
    steps = _section("Add a metric in six steps")
    assert re.findall(r"^(\d)\. \*\*", steps, re.MULTILINE) == list("123456")
    called = re.findall(r"cx\.(\w+)\(", steps)
    assert called and all(hasattr(cx, name) for name in called)
    keys = re.findall(r"`(journey\.\w+\.\w+)`", steps)
    assert keys and set(keys) <= set(catalogue())
