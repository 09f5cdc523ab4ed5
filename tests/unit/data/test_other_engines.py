"""Tables that lie in an engine: summed up there, fetched up to a stated size, the figures of the files."""

import re
import tempfile
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import cxlib as cx
from cxlib.checks import ParameterError, own_frames

ROOT = Path(__file__).parents[3]
RECIPE = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "engines.md").read_text(encoding="utf-8"), re.S)[
    1
]
RESULTS = ("table", "segments", "wallets", "tested")


@pytest.fixture(scope="module")
def company():
    return cx.make_company(n_customers=400, seed=5)


@pytest.fixture(scope="module")
def expected(company):
    return recipe(company)


def recipe(tables):
    """Run the page's recipe; what it leaves by name."""
    names = {"orders": tables["orders"], "customers": tables["customers"]}
    exec(RECIPE, names)
    return names


def in_duckdb(tables):
    connection = duckdb.connect()
    return {name: connection.from_df(frame) for name, frame in tables.items()}


def in_ibis(tables):
    connection, folder = pytest.importorskip("ibis").duckdb.connect(), Path(tempfile.mkdtemp())
    for name in ("orders", "customers"):
        tables[name].to_parquet(folder / f"{name}.parquet")
    return {name: connection.read_parquet(folder / f"{name}.parquet") for name in ("orders", "customers")}


def in_arrow(tables):
    return {name: pa.Table.from_pandas(frame, preserve_index=False) for name, frame in tables.items()}


def in_polars(tables):
    return {name: pl.from_pandas(frame).lazy() for name, frame in tables.items()}


ENGINES = {"duckdb": in_duckdb, "ibis": in_ibis, "arrow": in_arrow, "polars": in_polars}


def assert_same(found, expected):
    for name in RESULTS:
        pd.testing.assert_frame_equal(found[name], expected[name], check_dtype=False, rtol=1e-9, atol=1e-9)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:ibis", "ignore::FutureWarning:ibis")
@pytest.mark.parametrize("engine", ENGINES)
def test_the_recipe_gives_the_figures_of_pandas(company, expected, engine, monkeypatch):
    if engine != "arrow":  # in memory already
        monkeypatch.setattr(own_frames, "MOST_ROWS", 0)  # and not one line is fetched
    found = recipe(ENGINES[engine](company))
    assert_same(found, expected)
    assert len(found["tested"]) > 100 and found["tested"]["next_amount"].sum() > 0


@pytest.mark.spark
@pytest.mark.filterwarnings("ignore::FutureWarning:pyspark", "ignore::DeprecationWarning:pyspark")
@pytest.mark.parametrize("zone", ["Asia/Tokyo", pytest.param("UTC", marks=pytest.mark.long)])
def test_the_recipe_runs_on_spark(company, expected, tmp_path, spark_in, monkeypatch, zone):
    spark = spark_in(zone)
    tables = {}
    for name in ("orders", "customers"):
        frame = company[name]
        aware = frame.select_dtypes("datetimetz").columns
        frame.astype(dict.fromkeys(aware, "datetime64[us, UTC]")).to_parquet(tmp_path / f"{name}.parquet")
        tables[name] = spark.read.parquet(str(tmp_path / f"{name}.parquet"))
    monkeypatch.setattr(own_frames, "MOST_ROWS", 0)
    assert_same(recipe(tables), expected)


def test_rows_are_fetched_up_to_a_stated_number_and_said(company, monkeypatch):
    settings = {"name": "Shop", "currency": "JPY", "timezone": "Asia/Tokyo", "extracted_at": "2026-10-01"}
    own = cx.open_data(in_duckdb(company), **settings)
    plain = cx.open_data(company, **settings)
    pd.testing.assert_frame_equal(own.table("orders"), plain.table("orders"))
    said = [problem.text() for problem in own.problems if problem.key == "tables.fetched"]
    assert any(f"{len(company['orders']):,} rows were fetched from duckdb" in line for line in said)
    monkeypatch.setattr(own_frames, "MOST_ROWS", 10)
    with pytest.raises(ParameterError, match="at most 10 are fetched"):
        cx.open_data(in_duckdb(company), **settings).table("orders")
