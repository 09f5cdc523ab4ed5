"""`open_data` with frames in hand instead of a folder: the same tables, checked the same way."""

from decimal import Decimal

import duckdb
import pandas as pd
import polars as pl
import pytest
from pandas.testing import assert_frame_equal

import cxlib as cx
from cxlib.checks import InputError, ParameterError, TableError
from cxlib.data.tables.data_set import open_data
from cxlib.samples.simulate import write_sample

SHOP = {"name": "Shop", "currency": "JPY", "timezone": "Asia/Tokyo", "extracted_at": "2026-10-01"}


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """A data set in a folder and its files as frames."""
    folder = write_sample(tmp_path_factory.mktemp("company"), n_customers=300, seed=5)
    return open_data(folder), {path.stem: pd.read_parquet(path) for path in folder.glob("*.parquet")}


def settings(data_set):
    kept = data_set.settings
    return {name: getattr(kept, name) for name in type(kept).model_fields}


@pytest.mark.parametrize(
    "turn",
    [
        pytest.param(lambda frame: frame, id="pandas"),
        pytest.param(pl.from_pandas, id="polars"),
        pytest.param(lambda frame: frame.convert_dtypes(), id="nullable"),
        pytest.param(lambda frame: frame.convert_dtypes(dtype_backend="pyarrow"), id="pyarrow"),
        pytest.param(lambda frame: frame.iloc[::-1].set_axis(range(7, 7 + len(frame)))[::-1], id="odd index"),
    ],
)
def test_frames_give_the_tables_of_the_folder(company, turn):
    folder, frames = company
    own = open_data({name: turn(frame) for name, frame in frames.items()}, **settings(folder))
    assert own.tables == folder.tables and len(own.tables) >= 6
    assert (own.as_of, own.currency, own.is_sample) == (folder.as_of, folder.currency, True)
    for name in folder.tables:
        assert_frame_equal(own.table(name), folder.table(name))
    lazy = own.lazy("orders").collect().to_native().num_rows
    assert lazy == len(folder.table("orders")) == folder.lazy("orders").collect().to_native().num_rows


def test_a_last_day_counts_and_the_given_frame_stays_as_it_was(company):
    folder, frames = company
    given = frames["orders"].copy()
    own = open_data({"orders": given}, "2026-01-31", **settings(folder))
    assert own.as_of.isoformat() == "2026-01-31" and len(own.table("orders")) < len(given)
    rows = own.table("orders")
    rows["amount"] = 0.0
    assert_frame_equal(given, frames["orders"])


def test_a_report_takes_them(company, monkeypatch):
    monkeypatch.setattr("cxlib.report.report._send", lambda *_, **__: None)
    folder, frames = company
    own = open_data({"orders": frames["orders"]}, **settings(folder))
    assert cx.Report("segmentation", own).data_set is own and not own.has("customers")


@pytest.mark.parametrize("lang", ["en", "ja"])
@pytest.mark.parametrize(
    ("given", "options", "kind", "said"),
    [
        (lambda frames: frames["orders"], {}, ParameterError, "pandas"),
        (lambda frames: 3, {}, ParameterError, "builtins.int"),
        (lambda frames: {"order": frames["orders"]}, SHOP, ParameterError, "orders"),
        (lambda frames: {"orders": [1]}, SHOP, ParameterError, "builtins.list"),
        (lambda frames: {"orders": frames["orders"]["amount"]}, SHOP, ParameterError, "DataFrame"),
        (lambda frames: {"orders": frames["orders"]}, SHOP | {"currency": "YEN"}, InputError, "currency"),
        (lambda frames: {"orders": frames["orders"]}, SHOP | {"curency": "JPY"}, InputError, "currency"),
        (lambda frames: {"orders": frames["orders"]}, {}, InputError, "timezone"),
        (lambda frames: "data/sample", SHOP, ParameterError, "dataset.yml"),
    ],
)
def test_what_is_no_data_is_refused_in_a_sentence(company, lang, given, options, kind, said):
    with pytest.raises(kind) as caught:
        open_data(given(company[1]), **options)
    assert said in caught.value.in_language(lang)


def test_cells_that_do_not_go_together_are_said_when_the_table_is_asked_for():
    mixed = pd.DataFrame({"order_id": ["a", 1], "amount": [1, 2]})
    data_set = open_data({"orders": mixed}, **SHOP)
    with pytest.raises(TableError, match="one type"):
        data_set.table("orders")
    missing = open_data({"orders": pd.DataFrame({"order_id": ["a"]})}, **SHOP)
    with pytest.raises(TableError, match="ordered_at"):
        missing.table("orders")
    twice = pd.DataFrame([["a", "b"]], columns=["order_id", "order_id"])
    with pytest.raises(TableError, match="position 1"):
        open_data({"orders": twice}, **SHOP).table("orders")


@pytest.mark.parametrize("zone", ["UTC+09:00", "+09:00"])
def test_a_fixed_offset_is_a_zone(zone):
    late, early = "2026-08-31 23:30:00 +0900", "2026-09-01 00:30:00 +0900"
    lines = pd.DataFrame(
        {"order_id": ["1", "2", "3"], "customer_id": ["a", "a", "b"], "amount": [100, 50, 200]}
    )
    lines["ordered_at"] = pd.to_datetime([late, early, "2026-09-10 10:00:00 +0900"])
    lines["line"] = 1
    for given in (lines, lines.assign(ordered_at=lines["ordered_at"].dt.tz_convert("UTC"))):
        own = open_data({"orders": given}, **SHOP | {"timezone": zone})
        for orders in (own.table("orders"), own.lazy("orders"), lines):
            first = cx.summarise_customers(orders, as_of="2026-09-30", timezone=zone).iloc[0]
            assert (first["recency_days"], first["frequency"], first["tenure_days"]) == (29, 2, 30)
        assert cx.repeat_times(own.table("orders"), as_of="2026-09-30")["is_repeat"].tolist() == [True, False]
        assert own.timezone == "UTC+09:00"


def _own_orders(n=60):
    at = pd.date_range("2026-01-01T15:30:00", periods=n, freq="D", tz="UTC")
    amounts = [round(50 + 0.37 * at, 2) for at in range(n)]
    ids = {
        "order_id": [f"o{at}" for at in range(n)],
        "line": 1,
        "customer_id": [f"c{at % 9}" for at in range(n)],
    }
    return pd.DataFrame({**ids, "ordered_at": at, "amount": amounts})


def test_decimals_are_the_numbers_they_are_written_as():
    rows = _own_orders()
    exact = rows.assign(amount=[Decimal(str(amount)) for amount in rows["amount"]])
    assert (
        open_data({"orders": exact}, **SHOP).table("orders")["amount"].to_list() == rows["amount"].to_list()
    )


def test_times_with_a_zone_and_without_in_one_column_are_refused():
    rows = _own_orders()
    mixed = [
        at.to_pydatetime() if place % 2 else at.tz_localize(None).to_pydatetime()
        for place, at in enumerate(rows["ordered_at"])
    ]
    with pytest.raises(TableError, match="times with a zone and times without"):
        open_data({"orders": rows.assign(ordered_at=pd.Series(mixed, dtype=object))}, **SHOP).table("orders")


@pytest.mark.parametrize(
    "turn", [lambda rows: pl.from_pandas(rows).lazy(), lambda rows: duckdb.from_df(rows)]
)
def test_tables_that_stay_where_they_lie_end_on_the_day_of_the_data_set_not_of_utc(turn):
    rows = _own_orders()
    here, there = open_data({"orders": rows}, **SHOP), open_data({"orders": turn(rows)}, **SHOP)
    assert there.as_of == here.as_of and here.as_of.isoformat() == "2026-03-02"
    assert len(there.table("orders")) == len(here.table("orders")) == len(rows)


def test_a_table_that_is_nothing_is_named_and_no_other_is_blamed():
    deals = pd.DataFrame({"deal_id": ["a"], "created_on": [pd.Timestamp("2026-01-05")], "is_won": [None]})
    with pytest.raises(ParameterError, match="`activities` must be a pandas DataFrame"):
        cx.sales.deal_activity(deals, None, as_of="2026-09-30")
