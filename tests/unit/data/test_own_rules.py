"""A company's own rules come before a shipped set, and that before the handbook's."""

import ast
import json
from pathlib import Path

import pandas as pd
import pytest

from cxlib.checks import InputError
from cxlib.customers.segments_by_day import SegmentsByDay
from cxlib.data.rules.rule_files import load_rules
from cxlib.data.rules.settings import RULES_FOLDER, rule_sets
from cxlib.data.tables.data_set import open_data
from cxlib.journey.own_stages import journey_rules, stages_note
from cxlib.runner.analysis.worklists import worklist_names
from cxlib.runner.watch import files_read

CHAPTERS = Path(__file__).parents[3] / "notebooks"
SETTINGS = "{name: S, currency: JPY, timezone: Asia/Tokyo, extracted_at: 2026-10-01%s}"
ORDERS = "order_id,line,customer_id,ordered_at,amount\n1,1,a,2026-09-01,5\n"
SEGMENTS = "segments:\n  - {name: All, label: {en: Everybody, ja: 全員}}\nothers: {en: x, ja: x}\n"
ACTIONS = """actions:
  - {id: thank, label: {en: T, ja: T}, action: {en: T, ja: T}, when: [{measure: frequency, at_least: 1}]}
"""


@pytest.fixture
def shop(tmp_path):
    """`shop(more)` opens a data set whose dataset.yml says more, with rules of its own beside it."""

    def run(more="", **rules):
        (tmp_path / "dataset.yml").write_text(SETTINGS % more)
        (tmp_path / "orders.csv").write_text(ORDERS)
        (tmp_path / "rules").mkdir(exist_ok=True)
        for name, content in rules.items():
            (tmp_path / "rules" / f"{name}.yml").write_text(content, encoding="utf-8")
        return open_data(tmp_path)

    return run


def test_rules_beside_the_data_are_used_for_segments_lists_and_the_record(shop, tmp_path):
    own = shop(rfm_segments=SEGMENTS, actions=ACTIONS)
    assert SegmentsByDay(own).names("en")["All"] == "Everybody"
    assert SegmentsByDay(own)(own.as_of)["segment"].to_list() == ["All"]
    assert worklist_names(own)[-1] == "thank"
    assert load_rules("targets", own) == load_rules("targets")
    assert {file.name for file in files_read(tmp_path)} >= {"rfm_segments.yml", "actions.yml"}


def test_a_shipped_set_is_taken_by_its_name_after_the_own_rules(shop):
    own = shop(", rules: b2b")
    assert load_rules("journey", own) == load_rules("journey", RULES_FOLDER / "b2b" / "journey.yml")
    assert load_rules("rfm_segments", own) == load_rules("rfm_segments")
    assert "All" in SegmentsByDay(shop(", rules: b2b", rfm_segments=SEGMENTS)).names()
    with pytest.raises(InputError, match="b2b"):
        shop(", rules: b2c")
    with pytest.raises(InputError, match="shipped set"):
        shop(", rules: ..")


@pytest.mark.parametrize("chapter", sorted(CHAPTERS.glob("[0-9]*.ipynb")), ids=lambda path: path.stem)
def test_every_chapter_asks_for_the_companys_rules(chapter):
    cells = [
        cell
        for cell in json.loads(chapter.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code"
        and not {"teach", "exercise", "solution"} & set(cell["metadata"].get("tags", []))
    ]
    calls = [
        call
        for cell in cells
        for call in ast.walk(ast.parse("".join(cell["source"])))
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("load_rules")
    ]
    assert all(len(call.args) == 2 for call in calls), [
        ast.unparse(call) for call in calls if len(call.args) < 2
    ]


@pytest.mark.parametrize("file", sorted(RULES_FOLDER.glob("*/*.yml")), ids=str)
def test_every_shipped_set_holds_rules(file):
    assert file.parent.name in rule_sets()
    assert load_rules(file.stem, file) != load_rules(file.stem)


def test_stages_that_no_rules_name_are_those_of_the_contacts():
    at = pd.date_range("2026-09-01", periods=6, freq="D")
    stage = ["Zeta", "Alpha", "Mid", "Zeta", "Mid", "Alpha"]
    events = {"event_id": list("123456"), "customer_id": list("aaabbb"), "occurred_at": at, "stage": stage}
    held = pd.DataFrame(events | {"touchpoint": "x"})
    settings = {"name": "S", "currency": "JPY", "timezone": "Asia/Tokyo", "extracted_at": "2026-10-01"}
    shop = open_data({"events": held}, **settings)
    rules = journey_rules(shop)
    assert [stage.id for stage in rules.stages] == ["Zeta", "Alpha", "Mid"]
    assert stages_note(rules, shop)[0]["count"] == 3
    known = open_data({"events": held.assign(stage="buy")}, **settings)
    assert journey_rules(known) == load_rules("journey")
    assert stages_note(journey_rules(known), known) == []
