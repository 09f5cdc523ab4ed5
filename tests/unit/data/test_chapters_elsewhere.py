"""Chapters run from tables that lie in an engine give the figures of pandas, and fetch no order line."""

import json
from pathlib import Path

import duckdb
import matplotlib.pyplot as plt
import narwhals as nw
import pandas as pd
import pytest

import cxlib as cx
from cxlib.checks import own_frames
from cxlib.data.tables import read_tables
from cxlib.report import report as reports

NOTEBOOKS = Path(__file__).parents[3] / "notebooks"
CHAPTERS = ["01_segmentation", "02_journey", "03_nps_drivers", "04_initiative_roi", "05_initiative_register"]
ABOUT = {"name": "Shop", "currency": "JPY", "timezone": "Asia/Tokyo", "extracted_at": "2026-10-01"}
DROPPED = {"teach", "exercise", "solution"}


@pytest.fixture(scope="module", params=["small", pytest.param("sample", marks=pytest.mark.long)])
def company(request):
    if request.param == "small":
        return cx.make_company(n_customers=500, seed=7)
    return {file.stem: pd.read_parquet(file) for file in (NOTEBOOKS.parent / "data/sample").glob("*.parquet")}


@pytest.fixture(scope="module")
def of_pandas(company):
    """What a chapter shows of frames in memory, made once."""
    held = {}

    def shown(chapter):
        if chapter not in held:
            held[chapter] = run(chapter, dict(company))
        return held[chapter]

    return shown


def run(chapter, tables):
    """Records of all that a chapter's report shows of these tables."""
    cells = json.loads((NOTEBOOKS / f"{chapter}.ipynb").read_text(encoding="utf-8"))["cells"]
    shown, names = [], {"__name__": "chapter"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cx, "open_data", lambda path, as_of=None: OPEN(tables, as_of, **ABOUT))
        patch.setattr(reports, "_send", lambda data, *, raw, metadata: shown.append(metadata.get("cx")))
        for cell in cells:
            if cell["cell_type"] == "code" and not DROPPED & set(cell["metadata"].get("tags", [])):
                exec("".join(cell["source"]), names)
    plt.close("all")
    return [record for record in shown if record is not None]


OPEN = cx.open_data


def without_source(records):
    """Leave out what says where the rows came from."""
    return [one for one in records if not str(one["key"]).startswith("tables.fetched")]


def assert_alike(found, expected, place=""):
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), place
        for name, value in expected.items():
            assert_alike(found[name], value, f"{place}.{name}")
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected), place
        for at, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert_alike(one, other, f"{place}[{at}]")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True), place
    else:
        assert found == expected, place


def in_duckdb(tables):
    connection = duckdb.connect()
    return {name: connection.from_df(frame) for name, frame in tables.items()}


def lines_stay(monkeypatch):
    """Let nobody fetch order lines as they are."""
    fetch = own_frames.arrow_rows

    def guarded(frame, *, argument):
        columns = nw.from_native(frame).collect_schema().names()
        assert not {"order_id", "quantity"} <= set(columns), "order lines were fetched"
        return fetch(frame, argument=argument)

    monkeypatch.setattr(own_frames, "arrow_rows", guarded)
    monkeypatch.setattr(read_tables, "arrow_rows", guarded)


def in_spark(tables, spark, folder):
    """Put the tables where Spark reads them, their instants without the zone that it would not take."""
    read = {}
    for name, frame in tables.items():
        aware = frame.select_dtypes("datetimetz").columns
        times = dict.fromkeys(aware, "datetime64[us, UTC]")
        times |= dict.fromkeys(frame.select_dtypes("datetime").columns, "datetime64[us]")
        frame.astype(times).to_parquet(folder / f"{name}.parquet")
        read[name] = spark.read.parquet(str(folder / f"{name}.parquet"))
    return read


@pytest.mark.long
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_of_duckdb_gives_the_figures_of_pandas(chapter, company, of_pandas, monkeypatch):
    lines_stay(monkeypatch)
    found = without_source(run(chapter, in_duckdb(company)))
    assert_alike(found, of_pandas(chapter))
    assert len(found) > 15


@pytest.mark.long
@pytest.mark.spark
@pytest.mark.filterwarnings("ignore::FutureWarning:pyspark", "ignore::DeprecationWarning:pyspark")
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_of_spark_gives_the_figures_of_pandas(
    chapter, company, of_pandas, monkeypatch, tmp_path, spark_in
):
    tables = in_spark(company, spark_in("Asia/Tokyo"), tmp_path)
    lines_stay(monkeypatch)
    found = without_source(run(chapter, tables))
    assert_alike(found, of_pandas(chapter))
    assert len(found) > 15
