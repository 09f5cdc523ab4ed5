"""Every chapter of a run is about the same customers: their set-up cells run on ten sets of parameters."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

import cxlib as cx
from cxlib.report import report as display
from cxlib.report.header import ASKED
from cxlib.runner.cli import main
from cxlib.runner.parameters import read_parameters

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
FILES = {path.stem.partition("_")[2]: path for path in sorted(NOTEBOOKS.glob("*.ipynb"))}
pytestmark = pytest.mark.skipif(not FILES, reason="no chapters here")

#: Cells of a chapter up to the customers it uses, and the names they have there.
CELLS = {
    "data_inventory": (("opened",), ()),
    "segmentation": (("opened", "customers"), ("customers",)),
    "journey": (("opened", "data"), ("orders", "events")),
    "nps_drivers": (("opened", "answers"), ("answers",)),
    "initiative_roi": (("opened", "choose"), ("customers",)),
    "initiative_register": (("opened",), ()),
    "customer_value": (("opened", "data"), ("customers",)),
    "voice": (("opened", "setup", "answers"), ("answers",)),
}
HALF = {"period_start": "2026-04-01", "period_end": "2026-09-30"}
SETS = [
    {},
    {"segment": "Champions", "where": "region=Kanto", **HALF},
    {"segment": "Loyal", "where": "region=Kanto", "as_of": "2026-06-30", "period_start": "2026-02-01"},
]
FURTHER = [  # each a part of one above
    {"segment": "Champions"},
    {"segment": "Champions", **HALF},
    {"segment": "Loyal", "period_start": "2026-01-01"},
    {"segment": "Hibernating", "period_end": "2026-06-30"},
    {"where": "region=Kanto"},
    {"where": "region=Kanto, customer_type=consumer", **HALF},
    {"segment": "Loyal", "as_of": "2026-06-30"},
]
SETS += [pytest.param(asked, marks=pytest.mark.long) for asked in FURTHER]


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """A small simulated company."""
    folder = tmp_path_factory.mktemp("company") / "all"
    assert main(["sample", "--customers", "900", "--seed", "5", "--out", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def tables(company):
    """The company's tables, for the test's own reading of who is chosen."""
    data_set = cx.open_data(company)
    return {name: data_set.table(name) for name in ("customers", "orders", "initiatives")}


def ids(frame):
    return set(frame["customer_id"].dropna())


def chosen_by_hand(tables, day, segment=None, where=None, **_):
    """Who fits, told without the scope: attributes as they stand, the segment from all orders up to a day."""
    people = tables["customers"]
    for part in (where or "").split(", ") if where else ():
        name, value = part.split("=")
        people = people[people[name] == value]
    if segment is None:
        return ids(people)
    known = tables["orders"][tables["orders"]["ordered_at"].dt.date <= day.date()]
    held = cx.assign_segments(
        cx.rfm(cx.summarise_customers(known, as_of=day)), rules=cx.load_rules("rfm_segments")
    )
    return ids(people) & ids(held[held["segment"] == segment])


def run_cells(chapter, company, monkeypatch, parameters):
    """Names that a chapter has after its set-up cells."""
    monkeypatch.setattr(display, "_send", lambda data, raw, metadata: None)
    cells = json.loads(FILES[chapter].read_text(encoding="utf-8"))["cells"]
    sources = {cell["id"]: "".join(cell["source"]) for cell in cells}
    names = {}
    exec(sources["parameters"], names)
    assert set(parameters) <= set(names)
    names |= {**parameters, "data": str(company)}
    for cell in CELLS[chapter][0]:
        exec(sources[cell], names)
    return names


@pytest.mark.parametrize("asked", SETS, ids=lambda asked: "+".join(asked) or "none")
def test_all_chapters_of_a_run_choose_the_same_customers(asked, company, tables, monkeypatch):
    last = min(asked.get("as_of", "2026-09-30"), asked.get("period_end", "2026-09-30"))
    start = asked.get("period_start")
    day = pd.Timestamp(last) if start is None else pd.Timestamp(start) - pd.Timedelta(days=1)
    wanted = chosen_by_hand(tables, day, **asked)
    assert len(wanted) >= 10
    for chapter, (_, frames) in CELLS.items():
        names = run_cells(chapter, company, monkeypatch, asked)
        scope = names["scope"]
        assert ids(scope.customers) == wanted, chapter
        if chapter.startswith("initiative"):
            for first in tables["initiatives"]["started_on"]:
                then = min(first - pd.Timedelta(days=1), day)
                assert ids(scope.customers_on(then)) == chosen_by_hand(tables, then, **asked), chapter
            continue
        for frame in frames:
            used = ids(names[frame])
            assert used <= wanted, (chapter, frame)
            assert used or frame == "events", (chapter, frame)  # long-standing customers have few contacts


def test_a_study_chooses_by_what_was_known_before_it_began(company, tables, monkeypatch):
    names = run_cells("initiative_roi", company, monkeypatch, {"segment": "Loyal"})
    before = pd.Timestamp(names["day_before"])
    assert ids(names["customers"]) == chosen_by_hand(tables, before, segment="Loyal")
    names = run_cells(
        "initiative_roi", company, monkeypatch, {"segment": "Loyal", "period_start": "2025-06-01"}
    )
    early = min(before, pd.Timestamp("2025-05-31"))
    assert ids(names["customers"]) == chosen_by_hand(tables, early, segment="Loyal")


#: What the header says otherwise: the scope's lines, the title, and a line on what value is measured on.
SAID_OTHERWISE = {"data", "lang", "as_of", "period_start", "period_end", "by", "segment", "where"}
SAID_OF_STUDIES = {"initiative", "outcome", "horizon_months"}
SAY_HORIZON = ("initiative", "customer_value")


@pytest.mark.parametrize("chapter", FILES)
def test_the_header_knows_every_parameter_and_its_default(chapter, company, monkeypatch):
    declared = read_parameters(json.loads(FILES[chapter].read_text(encoding="utf-8")), chapter)
    otherwise = SAID_OTHERWISE | (SAID_OF_STUDIES if chapter.startswith(SAY_HORIZON) else set())
    told = {p.name: p for p in declared if p.name not in otherwise}
    assert {name: ASKED[name][0] for name in told} == {name: p.default for name, p in told.items()}
    changed = {
        "bool": lambda p: not p.default,
        "int": lambda p: p.default + 7,
        "float": lambda p: (p.default or 0) + 0.01,
    }
    changed |= {"option": lambda p: p.options[1], "str": lambda p: "owner", "date": lambda p: "2025-01-31"}
    asked = {name: changed[p.kind](p) for name, p in told.items()}
    for lang in ("en", "ja"):
        monkeypatch.setitem(CELLS, chapter, (("opened", "setup"), ()))
        lines = run_cells(chapter, company, monkeypatch, {**asked, "lang": lang})["report"].asked
        assert len(lines) == len(told)
        assert len(set(lines)) == len(lines) and not any("{" in line for line in lines)


@pytest.mark.parametrize(
    ("chapter", "table", "cells", "frame"),
    [
        ("sales", "deals", ("opened", "setup", "deals", "notes"), "deals"),
        ("nps_drivers", "responses", ("opened", "setup", "answers", "asked"), "answers"),
    ],
)
def test_rows_of_nobody_known_are_named_where_they_count(
    chapter, table, cells, frame, company, tmp_path, monkeypatch
):
    """Totals may hold rows that are nobody's; a report on some customers never does."""
    folder = tmp_path / "lacking"
    shutil.copytree(company, folder)
    people = pd.read_parquet(folder / "customers.parquet")
    gone = set(pd.read_parquet(folder / f"{table}.parquet")["customer_id"].dropna().unique()[::4])
    people[~people["customer_id"].isin(gone)].to_parquet(folder / "customers.parquet")
    monkeypatch.setitem(CELLS, chapter, (cells, ()))
    for data, asked, is_told in (
        (company, {}, chapter == "nps_drivers"),  # where some answers name no customer
        (folder, {}, True),
        (folder, {"segment": "New"}, False),
    ):
        said = []
        monkeypatch.setattr(display.Report, "notice", lambda self, key, **values: said.append(key))  # noqa: B023
        found = run_cells(chapter, data, monkeypatch, asked)
        assert any(key.endswith(("_of_others", ".anonymous_answers")) for key in said) == is_told
        assert bool(ids(found[frame]) & gone) == (is_told or data == company)
