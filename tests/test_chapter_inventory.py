"""Chapter 0 on whole, poor and broken data: it is always made, and promises only what a run keeps."""

import json
from pathlib import Path

import pandas as pd
import pytest

import cxlib as cx
from cxlib.checks import NotEnoughData
from cxlib.data.tables.coverage import CHAPTERS, UNREAD, sections
from cxlib.runner.cli import main

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
CHAPTER = NOTEBOOKS / "00_data_inventory.ipynb"
SAMPLE = Path(__file__).parents[1] / "data" / "sample"
pytestmark = pytest.mark.skipif(not CHAPTER.exists(), reason="the chapter is not there")


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """A small simulated company."""
    folder = tmp_path_factory.mktemp("company") / "all"
    assert main(["sample", "--customers", "900", "--seed", "5", "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def run(run_chapter):
    return lambda folder, **parameters: run_chapter(CHAPTER, data=str(folder), **parameters)


def said(pieces):
    return " ".join(record["text"] for kind in ("finding", "notice") for record in pieces[kind].values())


def test_the_chapter_is_short_and_holds_no_rule():
    cells = json.loads(CHAPTER.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    own = ["".join(cell["source"]) for cell in code if "parameters" not in cell["metadata"].get("tags", [])]
    sizes = sorted(len(source.splitlines()) for source in own)
    assert sizes[len(sizes) // 2] <= 4 and sizes[-1] <= 12
    assert len(code) <= 30
    assert not [source for source in own if "if " in source]


@pytest.mark.parametrize("lang", ["en", pytest.param("ja", marks=pytest.mark.long)])
def test_a_whole_company_gets_every_section(run, lang):
    pieces = run(SAMPLE, lang=lang)
    assert {"columns", "joined", "sections", "words", "choices", "measures"} <= set(pieces["table"])
    assert pieces["figure"].keys() == {"choices"}
    assert pieces["finding"]["inventory.ready"]["values"]["n_ready"] == sum(map(len, CHAPTERS.values()))
    assert not any(word in said(pieces) for word in ("nan", "None", "{", "}"))
    assert {record["verdict"] for key, record in pieces["finding"].items() if "condition" in key} <= {
        "pass",
        "fail",
        "undecided",
        "unknown",
    }


def test_broken_tables_are_rows_of_the_report(run, company, tmp_path):
    folder = tmp_path / "broken"
    folder.mkdir()
    for path in company.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    orders = pd.read_parquet(folder / "orders.parquet")
    orders.assign(amount="much").to_parquet(folder / "orders.parquet")
    (folder / "responses.parquet").write_bytes(b"PAR1")
    pieces = run(folder)
    assert {row["table"] for row in pieces["table"]["broken"]["rows"]} == {"orders", "responses"}
    assert pieces["finding"]["inventory.decision"]["verdict"] == "repair"
    assert "orders" in pieces["finding"]["inventory.condition[condition=data]"]["text"]
    filled = {row["column"]: row["fill_share"] for row in pieces["table"]["columns"]["rows"]}
    assert filled["orders.order_id"] == 1.0  # read as far as it goes
    rows = pieces["table"]["sections"]["rows"]
    assert {row["status"] for row in rows} == {"broken"}  # every chapter reads one of the two
    assert main(["run", "data_inventory", "--data", str(folder), "--out", str(tmp_path / "out")]) == 0
    (page,) = (tmp_path / "out").glob("2*/data_inventory.html")
    assert " rows read in " in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "tables", [("responses",), ("orders",), ("deals",), ("customers",), ()], ids="+".join
)
def test_it_is_made_of_whatever_is_there(run, company, copy_of, tables):
    gone = {path.stem: None for path in company.glob("*.parquet") if path.stem not in tables}
    pieces = run(copy_of(company, **gone))
    assert pieces["finding"]["inventory.decision"]["text"]
    assert not any(word in said(pieces) for word in ("nan", "None", "{", "}"))


@pytest.mark.parametrize(
    "by",
    [
        "segment",
        pytest.param("region", marks=pytest.mark.long),
        pytest.param("first_channel", marks=pytest.mark.long),
    ],
)
def test_by_splits_who_is_there_twice(run, company, copy_of, by):
    def keyed(people):
        return people.assign(match_key_mail=[f"m{at % 850}" for at in range(len(people))], birth_year=None)

    pieces = run(copy_of(company, customers=keyed), by=by, min_cell=5)
    assert pieces["finding"]["inventory.split"]["values"]["n"] == 900
    rows = pieces["table"]["split"]["rows"]
    assert len(rows) > 1 and by in rows[0]
    shown = [row["n"] for row in rows if row["n"] is not None]
    assert all(n >= 5 for n in shown) and sum(shown) <= 900


def test_a_narrower_scope_says_what_it_narrows(run, company):
    pieces = run(company, where="region=Kanto", period_start=pd.Timestamp("2026-01-01").date())
    assert "inventory.narrowed" in pieces["notice"]
    whole = run(company)
    assert "inventory.narrowed" not in whole["notice"]
    rows = {row["metric"]: row["n"] for row in pieces["table"]["choices"]["rows"] if row.get("n")}
    assert pieces["table"]["columns"]["rows"] == whole["table"]["columns"]["rows"]
    assert all(n < 900 for n in rows.values())


def test_names_that_somebody_wrote_are_not_repeated(run, company, copy_of):
    def hostile(people):
        return people.assign(**{"<img src=x onerror=alert(1)>": "x"}, owner_mail="taro@example.com")

    def deals(rows):
        return rows.assign(owner="佐藤 太郎", recorded_at=pd.Timestamp("2026-09-01", tz="Asia/Tokyo"))

    folder = copy_of(company, customers=hostile, deals=deals, activities=None)
    pieces = run(folder, lang="ja", min_cell=5)
    shown = json.dumps(pieces, ensure_ascii=False, default=str)
    assert not any(word in shown for word in ("onerror", "taro@", "佐藤"))
    assert {row["owner_number"] for row in pieces["table"]["late_by_owner"]["rows"]} == {"1"}


@pytest.mark.long
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_what_no_chapter_reads_changes_no_chapter(chapter, company, copy_of, run_chapter):
    """Without the columns that nobody is said to read, every report comes out the same."""

    def without(table):
        return lambda rows: rows.drop(columns=[name for name in UNREAD[table] if name in rows])

    path = next(NOTEBOOKS.glob(f"*_{chapter}.ipynb"))
    unread = {table: without(table) for table in UNREAD}
    whole, less = run_chapter(path, data=str(company)), run_chapter(path, data=copy_of(company, **unread))
    for kind in ("finding", "table", "figure", "notice"):
        assert whole[kind].keys() == less[kind].keys()
        assert json.dumps(whole[kind], default=str) == json.dumps(less[kind], default=str)


def lacking(need):
    """Changes of the tables that take away what a section needs."""
    if not need.columns:
        return {need.table: None}

    def without(rows):
        begins = tuple(one for one in need.columns if one.endswith("_"))
        return rows.drop(columns=[name for name in rows if name in need.columns or name.startswith(begins)])

    return {need.table: without}


def handed_over(deals):
    """Every other deal got a new owner after three weeks: else too few accounts change theirs."""
    weeks = [3 * (at % 2) for at in range(len(deals))]
    return deals.assign(owner_since=pd.to_datetime(deals["created_on"]) + pd.to_timedelta(weeks, unit="W"))


@pytest.mark.long
@pytest.mark.parametrize(
    ("chapter", "need"),
    [(chapter, need) for chapter, needs in CHAPTERS.items() for need in needs],
    ids=lambda part: getattr(part, "key", part),
)
def test_a_section_promised_is_lost_with_its_column_and_comes_with_it(
    chapter, need, company, copy_of, run_chapter
):
    """The run with the column shows more, or other, than the run without; without, the inventory lacks it."""
    path = next(NOTEBOOKS.glob(f"*_{chapter}.ipynb"))
    is_owners = (chapter, need.key) == ("sales", "orders")
    shown_by, how = ({"deals": handed_over}, {"min_cell": 5}) if is_owners else ({}, {})
    folder = copy_of(company, **shown_by, **lacking(need))
    stands = sections(cx.open_data(folder)).set_index(["chapter", "section"])
    assert stands.loc[(chapter, need.key), "status"] == "lacking"
    assert stands.loc[(chapter, need.key), "lacks"].startswith(need.table)
    split = {"by": "region"} if need.key == "customers" else {}  # what attributes of customers are for
    whole = run_chapter(path, data=copy_of(company, **shown_by), **split, **how)
    try:
        less = run_chapter(path, data=folder, **how)
    except NotEnoughData:
        assert (stands.loc[chapter, "status"] == "lacking").all()  # a chapter that ends was promised to
        return
    assert (stands.loc[chapter, "status"] == "ready").any()
    kinds = ("finding", "table", "figure", "notice")  # "no group stands out" is told only of groups compared
    gained = [key for kind in kinds for key in whole[kind] if key not in less[kind]]
    told = ("finding", "table")
    other = [key for kind in told for key in less[kind] if whole[kind].get(key) != less[kind][key]]
    assert gained or other, "with the column the report shows no more than without it"
