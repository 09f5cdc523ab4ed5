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
from cxlib.checks import InputError, ParameterError, own_frames
from cxlib.data.engine.merged_lines import merged_lines
from cxlib.data.tables.reconcile import order_sums

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
@pytest.mark.parametrize(
    "engine", [pytest.param(one, marks=pytest.mark.long) if one == "ibis" else one for one in ENGINES]
)
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


ABOUT = {"name": "Shop", "currency": "JPY", "timezone": "Asia/Tokyo", "extracted_at": "2026-10-01"}


def elsewhere(company, engine, **settings):
    return cx.open_data(ENGINES[engine](company), **ABOUT | settings)


@pytest.fixture
def nothing_fetched(monkeypatch):
    monkeypatch.setattr(own_frames, "MOST_ROWS", 0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:ibis", "ignore::FutureWarning:ibis")
@pytest.mark.parametrize("engine", ["duckdb", pytest.param("ibis", marks=pytest.mark.long), "polars"])
def test_what_is_asked_of_order_lines_in_an_engine_needs_none_of_them(company, engine, nothing_fetched):
    plain = cx.open_data(company, **ABOUT)
    # lists of customers are short, and fetched; order lines and events are not
    large = {name: ENGINES[engine](company)[name] for name in ("orders",)}
    own = cx.open_data({**company, **large}, **ABOUT)
    for column in ("margin", "category", "promised_on"):
        assert own.has("orders", column) == plain.has("orders", column)
    assert not own.has("orders", "nothing")
    pd.testing.assert_frame_equal(own.table("customers"), plain.table("customers"))
    assert own.as_of == plain.as_of
    found, expected = (
        own.ends("orders", "2025-03-01", "2025-12-31"),
        plain.table("orders", "2025-03-01", "2025-12-31"),
    )
    assert found.attrs["rows"] == len(expected)
    for end in ("min", "max"):
        first = expected.groupby("customer_id")["ordered_at"].agg(end)
        mine = found.groupby("customer_id")["ordered_at"].agg(end)
        assert (mine.dt.tz_convert("UTC") == first.dt.tz_convert("UTC")).all() and len(mine) == len(first)
    sums, whole = order_sums(own.order_lines()), order_sums(plain.order_lines())
    for name, value in whole.items():
        assert sums[name] == (value if isinstance(value, str) else pytest.approx(value, rel=1e-12)), name


def test_merged_lines_tell_the_same_of_purchases(company):
    lines = cx.open_data(company, **ABOUT).table("orders")
    session = duckdb.connect()
    session.execute("SET TimeZone = 'America/New_York'")  # days are the data set's all the same
    merged = cx.open_data({"orders": session.from_df(lines)}, **ABOUT).order_lines().merged()
    assert len(merged) < 0.8 * len(lines)
    day = {"as_of": "2026-09-30"}
    for told in (cx.repeat_curve, cx.purchase_ladder, cx.value_by_f2, cx.summarise_customers):
        pd.testing.assert_frame_equal(told(merged, **day), told(lines, **day), check_dtype=False, rtol=1e-9)
    known = lines[lines["customer_id"].notna()]
    assert merged["margin"].sum() == pytest.approx(known["margin"].sum(), rel=1e-12)
    by_kind = merged_lines(lines, by=["category"]).groupby("category")["amount"].sum()
    pd.testing.assert_series_equal(by_kind, known.groupby("category")["amount"].sum(), rtol=1e-12)


def test_merged_lines_keep_what_is_unknown_apart():
    held = {"order_id": ["1"] * 4, "customer_id": "a", "ordered_at": pd.Timestamp("2026-01-01")}
    held |= {"amount": [5.0, None, -2.0, 3.0], "margin": [2.0, None, None, None]}
    merged = merged_lines(pl.from_pandas(pd.DataFrame(held)).lazy())
    assert sorted(zip(merged["amount"].fillna(-9), merged["margin"].fillna(-9), strict=True)) == [
        (-9.0, -9.0),
        (-2.0, -9.0),
        (3.0, -9.0),
        (5.0, 2.0),
    ]
    none = merged_lines(pl.from_pandas(pd.DataFrame(held).iloc[:0]).lazy())
    assert none.empty and list(none) == list(merged)
    with pytest.raises(InputError, match="beyond"):
        merged_lines(pl.from_pandas(pd.DataFrame(held | {"amount": 1e13})).lazy())


def test_orders_of_an_engine_that_fell_silent_end_the_reports(company, nothing_fetched):
    late = {"orders": in_duckdb(company)["orders"]}
    silent = cx.open_data(late, **ABOUT | {"extracted_at": "2027-03-01"})
    plain = cx.open_data({"orders": company["orders"]}, **ABOUT | {"extracted_at": "2027-03-01"})
    assert (silent.as_of, silent.silent_days) == (plain.as_of, plain.silent_days)
    assert silent.silent_days > 100
    with pytest.raises(ParameterError, match="2020-01-01"):
        cx.open_data(late, "2020-01-01", **ABOUT).table("orders", merged=True)


def test_only_the_rows_asked_for_are_fetched(company, monkeypatch):
    plain = cx.open_data(company, **ABOUT).table("events", only={"stage": "recommend"})
    monkeypatch.setattr(own_frames, "MOST_ROWS", len(company["customers"]))
    own = elsewhere(company, "duckdb")
    pd.testing.assert_frame_equal(own.table("events", only={"stage": "recommend"}), plain)
    assert set(plain["stage"]) == {"recommend"} and len(plain) < len(company["customers"])
    said = {problem.key: problem.text("en") for problem in own.problems}
    assert f"{len(plain):,} rows were fetched" in said["tables.fetched"]
