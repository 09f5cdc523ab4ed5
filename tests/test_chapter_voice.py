"""Chapter 9 on comments and codings as they come: hostile texts, one reader, nobody known, nothing said."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from cxlib.checks import NotEnoughData
from cxlib.samples.simulate import write_sample

ROOT = Path(__file__).parents[1]
CHAPTER = ROOT / "notebooks" / "09_voice.ipynb"
spec = importlib.util.spec_from_file_location("same_story", ROOT / "tests" / "same_story.py")
same_story = importlib.util.module_from_spec(spec)
spec.loader.exec_module(same_story)
HOSTILE = [
    "😀🚚" * 40,
    "<script>alert(1)</script> late",
    "配送 delivery 遅い late",
    " \t ",
    "=1+1",
    "x" * 100_000,
]


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    return write_sample(tmp_path_factory.mktemp("company"), n_customers=900, seed=6)


@pytest.fixture
def run(company, run_chapter, copy_of):
    def _run(tables=None, **parameters):
        folder = copy_of(company, **tables) if tables else str(company)
        return run_chapter(CHAPTER, data=folder, **({"n_boot": 100} | parameters))

    return _run


def faults(pieces, lang="en"):
    (header,) = pieces["header"].values()
    results = {"header": header, "findings": pieces["finding"], "tables": pieces["table"]}
    return list(same_story.report_faults(results, lang))


def hostile(rows):
    at = np.flatnonzero(rows["comment"].notna())[:60]
    column = rows.columns.get_loc("comment")
    for place, row in enumerate(at):
        rows.iloc[row, column] = HOSTILE[place % len(HOSTILE)]
    return rows


def one_reader(rows):
    return rows[rows["coder"] == rows["coder"].iloc[0]]


def stranger(ids):
    """Every second id becomes one of nobody."""
    return ids.astype(str).where(np.arange(len(ids)) % 2 == 0, "Z" + ids.astype(str))


CASES = {
    "hostile": ({"responses": hostile}, set()),
    "one_reader": ({"codings": one_reader}, set()),
    "strangers": (
        {"codings": lambda rows: rows.assign(response_id=stranger(rows["response_id"]))},
        {"voice.notes.unknown_codings"},
    ),
    "all_alike": ({"responses": lambda rows: rows.assign(comment="delivery was late")}, set()),
    "no_codings": ({"codings": None}, {"voice.no_codings"}),
}


@pytest.mark.parametrize("lang", ["en", pytest.param("ja", marks=pytest.mark.long)])
@pytest.mark.parametrize(
    "name", [name if name == "hostile" else pytest.param(name, marks=pytest.mark.long) for name in CASES]
)
def test_comments_and_codings_as_they_come_end_in_a_report(run, name, lang):
    tables, must = CASES[name]
    pieces = run(tables, lang=lang, quotes=True)
    assert must <= set(pieces["notice"]), sorted(pieces["notice"])
    assert faults(pieces, lang) == []
    said = [one["text"] for kind in ("finding", "notice") for one in pieces[kind].values()]
    assert not any("<script>" in text or "x" * 500 in text for text in said)


@pytest.mark.long
def test_where_nobody_wrote_a_comment_the_report_says_that_it_can_not_be_made(run):
    with pytest.raises(NotEnoughData, match="no comments"):
        run({"responses": lambda rows: rows.assign(comment=None)})


@pytest.mark.long
def test_readings_that_are_there_are_not_said_to_be_missing(run):
    pieces = run(segment="Champions", min_cell=5, survey="transaction")
    assert "voice.no_codings" not in pieces["notice"] or "voice.checked" not in pieces["finding"]
    assert faults(pieces) == []
