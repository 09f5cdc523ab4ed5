"""Every case of bad data works, is noticed, or stops with a message that says what to do."""

import datetime as dt
import os
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cxlib.checks import InputError, NotEnoughData, ParameterError, TableError
from cxlib.customers.rfm_segments import summarise_customers
from cxlib.data.contract import TABLES
from cxlib.data.tables.coverage import check_folder
from cxlib.data.tables.data_set import open_data
from cxlib.data.text_type import TEXT

SETTINGS = "{name: Shop, currency: JPY, timezone: %s, extracted_at: 2026-10-01T00:00:00}"
CUSTOMERS = "customer_id,first_seen_on,customer_type\n007,2026-01-01,consumer\n008,2026-02-28,business\n"
ORDERS = "order_id,line,customer_id,ordered_at,amount\n"
RESPONSES = "response_id,customer_id,answered_at,survey,nps_score\n"


@pytest.fixture
def shop(tmp_path):
    """Write a data set of CSV texts, `shop(orders="…")`; the table's columns may be left out of the text."""

    def write(zone="Asia/Tokyo", encoding="utf-8", **tables):
        (tmp_path / "dataset.yml").write_text(SETTINGS % zone)
        for name, text in tables.items():
            (tmp_path / f"{name}.csv").write_text(text, encoding=encoding)
        return tmp_path

    return write


def found(folder, table="orders"):
    """Keys of what is found in one table, by level."""
    data_set = open_data(folder)
    problems = data_set.load(table)
    return {problem.key: problem for problem in problems}


def only(folder, key, level, table="orders"):
    """The one finding of that key; errors must also stop the table."""
    problem = found(folder, table)[key]
    assert problem.level == level
    if level == "error":
        with pytest.raises(TableError) as stopped:
            open_data(folder).table(table)
        assert problem in stopped.value.problems
    else:
        assert open_data(folder).table(table) is not None
    for lang in ("en", "ja"):
        assert problem.file in problem.text(lang)
        assert "{" not in problem.text(lang)
    return problem


def order(**changes):
    """One order line as CSV, after the header."""
    cells = {"order_id": "1", "line": "1", "customer_id": "007", "ordered_at": "2026-09-01", "amount": "100"}
    return ORDERS + ",".join((cells | changes).values()) + "\n"


def answers(scores):
    """One response per score."""
    rows = [f"{i},007,2026-09-01,relationship,{score}" for i, score in enumerate(scores)]
    return RESPONSES + "\n".join(rows) + "\n"


def test_a_folder_opens_as_typed_tables(shop):
    data_set = open_data(shop(customers=CUSTOMERS, orders=order(ordered_at="2026-09-29T15:30:00Z")))
    assert (data_set.name, data_set.currency, data_set.timezone) == ("Shop", "JPY", "Asia/Tokyo")
    assert data_set.tables == ["customers", "orders"]
    assert data_set.as_of == date(2026, 9, 30)
    assert not data_set.is_sample
    orders = data_set.table("orders")
    assert list(orders) == list(TABLES["orders"].columns)
    assert orders.dtypes.astype(str).to_dict() == {
        "order_id": TEXT,
        "line": "int64",
        "customer_id": TEXT,
        "ordered_at": "datetime64[us, Asia/Tokyo]",
        **dict.fromkeys(["amount", "margin", "quantity"], "float64"),
        **dict.fromkeys(["product", "category", "taste", "brand", "channel"], TEXT),
        **dict.fromkeys(["promised_on", "delivered_on"], "datetime64[us]"),
    }
    assert data_set.table("customers")["first_seen_on"].dtype == "datetime64[us]"
    assert data_set.notices == []


def test_parquet_csv_and_duckdb_give_the_same_frames(shop, tmp_path):
    folder = shop(customers=CUSTOMERS, orders=order(amount="12.5") + order(line="2").removeprefix(ORDERS))
    from_csv = open_data(folder)
    parquet = tmp_path / "parquet"
    parquet.mkdir()
    database = tmp_path / "shop.duckdb"
    with duckdb.connect(str(database)) as connection:
        for name in from_csv.tables:
            frame = from_csv.table(name)
            frame.to_parquet(parquet / f"{name}.parquet", index=False)
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM frame")
    (parquet / "dataset.yml").write_text(SETTINGS % "Asia/Tokyo")
    for other in (open_data(parquet), open_data(database)):
        for name in from_csv.tables:
            pd.testing.assert_frame_equal(other.table(name), from_csv.table(name))


def test_a_database_may_bring_its_own_settings(tmp_path):
    database = tmp_path / "shop.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            "CREATE TABLE dataset AS SELECT 'Shop' AS name, 'JPY' AS currency, 'Asia/Tokyo' AS timezone,"
            " '2026-10-01' AS extracted_at, '1, 10' AS csat_scale"
        )
        connection.execute(
            "CREATE TABLE customers AS SELECT '007' AS customer_id, DATE '2026-01-01' AS first_seen_on,"
            " 'consumer' AS customer_type"
        )
    data_set = open_data(database)
    assert data_set.settings.csat_scale == (1, 10)
    assert data_set.table("customers")["customer_id"].to_list() == ["007"]


def test_lazy_tables_are_typed_like_the_checked_ones(shop):
    rows = (
        order(ordered_at="2026-08-31T15:00:00Z")
        + order(line="2", ordered_at="2026-09-02T08:00")[len(ORDERS) :]
    )
    data_set = open_data(
        shop(customers=CUSTOMERS, orders=rows, spend="month,acquisition_channel,amount\n2026-09,ad,5\n")
    )
    for name in data_set.tables:
        lazy = data_set.lazy(name)
        assert isinstance(lazy, nw.LazyFrame)
        eager = lazy.collect().to_pandas()
        checked = data_set.table(name)
        assert list(eager) == list(checked)
        for column, rule in TABLES[name].columns.items():
            if rule.kind in ("id", "timestamp", "date", "month"):
                assert pd.Series(eager[column]).astype(checked[column].dtype).equals(checked[column]), column
    assert data_set.lazy("orders").select(nw.col("amount").sum()).collect().item() == 200


def test_as_of_hides_what_was_not_known_yet(shop):
    folder = shop(
        orders=order() + order(line="2", ordered_at="2026-09-02")[len(ORDERS) :],
        deals="deal_id,customer_id,created_on,closed_on,stage,is_won\n1,007,2026-08-01,2026-09-02,done,true\n",
        enrolments="initiative_id,customer_id,enrolled_on\nI1,007,2026-09-02\n",
    )
    before, now = open_data(folder, as_of="2026-09-01"), open_data(folder)
    assert len(before.table("orders")) == 1
    assert len(now.table("orders")) == 2
    assert before.lazy("orders").collect().to_native().num_rows == 1
    assert before.table("deals")[["closed_on", "is_won"]].isna().all(axis=None)
    assert now.table("deals")["is_won"].to_list() == [True]
    assert before.table("enrolments")["enrolled_on"].isna().all()
    with pytest.raises(ParameterError, match="2026-10-02"):
        open_data(folder, as_of=date(2026, 10, 2))
    with pytest.raises(ParameterError, match="as_of"):
        open_data(folder, as_of="2026-02-30")


def test_a_period_includes_both_ends_in_local_days(shop):
    times = ["2026-08-31T14:59:59Z", "2026-08-31T15:00:00Z", "2026-09-30T14:59:59Z", "2026-09-30T15:00:00Z"]
    rows = "".join(order(line=str(i), ordered_at=at)[len(ORDERS) :] for i, at in enumerate(times))
    data_set = open_data(shop(orders=ORDERS + rows))
    assert data_set.table("orders", start="2026-09-01", end="2026-09-30")["line"].to_list() == [1, 2]
    with pytest.raises(ParameterError, match="start=2026-09-02"):
        data_set.table("orders", start="2026-09-02", end="2026-09-01")


def test_leap_days_and_month_ends_are_days_like_others(shop):
    days = ["2024-02-28", "2024-02-29", "2024-03-01", "2024-03-31"]
    rows = "".join(order(line=str(i), ordered_at=at)[len(ORDERS) :] for i, at in enumerate(days))
    data_set = open_data(shop(orders=ORDERS + rows))
    assert data_set.table("orders", start="2024-02-29", end="2024-02-29")["line"].to_list() == [1]
    assert "tables.not_a_time" in found(shop(orders=order(ordered_at="2023-02-29")))


def test_the_machines_timezone_changes_nothing(shop):
    rows = (
        order(ordered_at="2026-08-31 23:30")
        + order(line="2", ordered_at="2026-08-31T15:00:00Z")[len(ORDERS) :]
    )
    folder = shop(orders=rows)
    code = (
        "import sys; from cxlib import open_data; d = open_data(sys.argv[1]);"
        "lazy = d.lazy('orders').collect().to_pandas()['ordered_at'].to_list();"
        "print(d.table('orders').to_csv(), d.as_of, lazy)"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code, str(folder)],
            env={**os.environ, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for zone in ("UTC", "Asia/Tokyo", "America/New_York")
    }
    assert len(told) == 1
    assert "2026-09-01 00:00:00+09:00" in told.pop()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "tables.empty"),
        ("order_id,line,line\n", "tables.bad_header"),
        (order().replace(",", ";"), "tables.delimiter"),
        ("order_id,,line\n", "tables.bad_header"),
        (ORDERS + "1,1,007,2026-09-01\n", "tables.ragged"),
        ("order,line,customer_id,ordered_at,amount\n", "tables.missing_column"),
        (order(amount="12,5").replace("12,5", '"12,5"'), "tables.not_a_number"),
        (order(amount="¥100"), "tables.not_a_number"),
        (order(amount=""), "tables.missing_value"),
        (order(amount="inf"), "tables.infinite"),
        (order(line="1.5"), "tables.not_whole"),
        (order(ordered_at="yesterday"), "tables.not_a_time"),
        (order(ordered_at="2026-13-01"), "tables.not_a_time"),
        (order(ordered_at="45292"), "tables.not_a_time"),
        (order(order_id="1.23457E+11"), "tables.id_scientific"),
        (order() + order(amount="5")[len(ORDERS) :], "tables.key_conflict"),
        (
            ORDERS[:-1] + ",currency\n1,1,007,2026-09-01,5,JPY\n1,2,007,2026-09-01,5,USD\n",
            "tables.other_currency",
        ),
    ],
)
def test_unusable_orders_stop(shop, text, key):
    only(shop(orders=text), key, "error")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (ORDERS, "tables.no_rows"),
        (order() + order()[len(ORDERS) :], "tables.repeated_rows"),
        (order(amount="１００"), "tables.full_width"),
        (order(ordered_at="2026-10-02"), "tables.future_row"),
        (order(ordered_at="2062-09-01"), "tables.future_row"),
        (order() + order(line="2", amount="-101")[len(ORDERS) :], "tables.refund_above_sale"),
        (order(ordered_at="2026-09-01T00:00Z") + order(line="2")[len(ORDERS) :], "tables.offset_missing"),
        (
            order(order_id="2", amount="1000001") + order()[len(ORDERS) :] + order(line="2")[len(ORDERS) :],
            "tables.outlier",
        ),
        (ORDERS[:-1] + ",email\n1,1,007,2026-09-01,5,a@b.jp\n", "tables.personal"),
        (ORDERS[:-1] + ",contact\n1,1,007,2026-09-01,5,090-1234-5678\n", "tables.personal"),
        (ORDERS[:-1] + ",margin\n1,1,007,2026-09-01,5,NULL\n", "tables.marker"),
    ],
)
def test_odd_orders_are_noticed(shop, text, key):
    only(shop(orders=text), key, "notice")


@pytest.mark.parametrize(
    ("amount", "noticed"),
    [
        ("0", {"tables.zero_amount"}),
        ("-100", {"tables.no_refund_sale"}),
        ("1e3", set()),
        (" 12 ", set()),
        ("+5", set()),
        ("-0.5", {"tables.no_refund_sale"}),
    ],
)
def test_these_amounts_work(shop, amount, noticed):
    folder = shop(orders=order(amount=amount))
    assert set(found(folder)) == noticed
    assert open_data(folder).table("orders")["amount"].to_list() == [float(amount)]


def test_what_is_dropped_and_what_stays(shop):
    repeated = open_data(shop(orders=order() + order()[len(ORDERS) :]))
    assert len(repeated.table("orders")) == 1
    late = open_data(shop(orders=order() + order(line="2", ordered_at="2026-10-02")[len(ORDERS) :]))
    assert late.table("orders")["line"].to_list() == [1]
    private = open_data(shop(orders=ORDERS[:-1] + ",mail\n1,1,,2026-09-01,5,a@b.jp\n"))
    assert "mail" not in private.table("orders")
    assert private.table("orders")["customer_id"].isna().all()


def test_a_byte_order_mark_is_no_part_of_the_first_name(shop):
    folder = shop(orders=order(), encoding="utf-8-sig")
    assert open_data(folder).table("orders")["order_id"].to_list() == ["1"]
    assert open_data(folder).lazy("orders").collect().to_native()["order_id"].to_pylist() == ["1"]


def test_cp932_is_read_when_declared_and_named_when_not(shop):
    text = ORDERS[:-1] + ",店舗\n1,1,007,2026-09-01,5,渋谷\n"
    folder = shop(orders=text, encoding="cp932")
    told = only(folder, "tables.encoding", "error").text()
    assert "not utf-8" in told
    assert "encoding: cp932" in told
    (folder / "dataset.yml").write_text((SETTINGS % "Asia/Tokyo")[:-1] + ", encoding: cp932}")
    assert open_data(folder).table("orders")["店舗"].to_list() == ["渋谷"]
    assert open_data(folder).lazy("orders").collect().to_native()["店舗"].to_pylist() == ["渋谷"]


def test_hostile_column_names_are_only_names(shop):
    names = ["価格(円)", "class", "__import__('os')", '"quoted"', "a;DROP TABLE orders"]
    header = ",".join('"' + name.replace('"', '""') + '"' for name in names)
    folder = shop(orders=ORDERS[:-1] + f",{header}\n1,1,007,2026-09-01,5,1,2,3,4,5\n")
    assert list(open_data(folder).table("orders"))[-5:] == names
    assert list(open_data(folder).lazy("orders").collect().to_native().column_names)[-5:] == names


def test_times_around_the_change_of_clocks(shop):
    zone = "America/New_York"
    skipped = only(shop(zone, orders=order(ordered_at="2026-03-08 02:30")), "tables.clock_skips", "notice")
    assert skipped.rows == (1,)
    assert str(open_data(shop()).table("orders")["ordered_at"][0]).startswith("2026-03-08")
    folder = shop(zone, orders=order(ordered_at="2025-11-02 01:30"))
    only(folder, "tables.clock_repeats", "notice")
    assert str(open_data(folder).table("orders")["ordered_at"][0]) == "2025-11-02 01:30:00-04:00"
    assert found(shop(zone, orders=order(ordered_at="2026-03-08T06:30:00Z"))) == {}


def test_a_zero_date_is_missing_where_a_date_may_be_missing(shop):
    header = "ticket_id,customer_id,opened_at,resolved_at\n"
    folder = shop(tickets=header + "1,007,2026-09-01,0000-00-00 00:00:00\n")
    only(folder, "tables.zero_date", "notice", "tickets")
    assert open_data(folder).table("tickets")["resolved_at"].isna().all()
    only(shop(tickets=header + "1,007,0000-00-00,\n"), "tables.missing_value", "error", "tickets")


def test_times_out_of_order_count_as_missing(shop):
    folder = shop(tickets="ticket_id,opened_at,first_replied_at\n1,2026-09-02,2026-09-01\n")
    only(folder, "tables.too_early", "notice", "tickets")
    assert open_data(folder).table("tickets")["first_replied_at"].isna().all()
    header = RESPONSES[:-1] + ",invited_at\n"
    only(
        shop(responses=header + "1,007,2026-09-01,relationship,9,2026-09-02\n"),
        "tables.too_early",
        "notice",
        "responses",
    )


def test_unknown_customers_are_counted_and_lost_zeros_stop(shop):
    rows = order() + order(order_id="2", customer_id="009")[len(ORDERS) :]
    problem = only(shop(customers=CUSTOMERS, orders=rows), "tables.unknown_customer", "notice")
    assert (problem.count, problem.rows) == (1, (2,))
    assert "50.00%" in problem.text()
    only(shop(customers=CUSTOMERS, orders=order(customer_id="7")), "tables.zeros_lost", "error")
    only(shop(customers=CUSTOMERS, orders=order(customer_id="x")), "tables.unknown_customer", "error")


def test_ids_stored_as_numbers(tmp_path):
    (tmp_path / "dataset.yml").write_text(SETTINGS % "Asia/Tokyo")
    at = pd.Timestamp("2026-09-01", tz="Asia/Tokyo")
    frame = pd.DataFrame(
        {"order_id": [1, 2], "line": 1, "customer_id": [7.0, None], "ordered_at": at, "amount": 1}
    )
    frame.to_parquet(tmp_path / "orders.parquet")
    only(tmp_path, "tables.id_number", "notice")
    orders = open_data(tmp_path).table("orders")
    assert orders["customer_id"].to_list()[:1] == ["7"]
    assert orders["order_id"].to_list() == ["1", "2"]
    assert open_data(tmp_path).lazy("orders").collect().to_native()["customer_id"].to_pylist() == ["7", None]
    frame.assign(customer_id=[7.5, 1]).to_parquet(tmp_path / "orders.parquet")
    only(tmp_path, "tables.id_fraction", "error")
    frame.assign(amount=at).to_parquet(tmp_path / "orders.parquet")
    only(tmp_path, "tables.wrong_type", "error")
    (tmp_path / "orders.parquet").write_bytes(b"PAR1 but no more")
    only(tmp_path, "tables.unreadable", "error")


def test_a_lazy_table_with_a_damaged_page_ends_in_a_sentence(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"order_id": rng.permutation(20_000).astype(str), "line": 1})
    frame["customer_id"], frame["amount"] = (frame.index % 900).astype(str), rng.random(20_000)
    frame["ordered_at"] = pd.Timestamp("2026-05-05", tz="UTC") + pd.to_timedelta(frame.index, unit="s")
    (tmp_path / "dataset.yml").write_text(SETTINGS % "UTC")
    frame.to_parquet(tmp_path / "orders.parquet")
    whole = (tmp_path / "orders.parquet").read_bytes()
    said = set()
    for _ in range(20):
        damaged, at = bytearray(whole), int(rng.integers(500, len(whole) - 5_000))
        damaged[at : at + 600] = rng.bytes(600)
        (tmp_path / "orders.parquet").write_bytes(damaged)
        try:
            summarise_customers(open_data(tmp_path).lazy("orders"), as_of="2026-06-30")
        except InputError as error:
            said.add(error.key)
    assert "tables.unreadable_rows" in said <= {"tables.unreadable_rows", "segmentation.impossible_amount"}


AT = dt.datetime.fromisoformat("2026-09-01")
FLOATS, TIMES = pa.array([12.0]), pa.array([AT])
ORDER_COLUMNS = {
    "order_id": pa.array(["12"]),
    "line": pa.array([1]),
    "customer_id": pa.array(["C"]),
    "ordered_at": TIMES,
    "amount": FLOATS,
}


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("order_id", pa.array(["12"]).dictionary_encode()),
        ("order_id", pa.array(["12"], pa.large_string())),
        ("order_id", pa.array([12], pa.int32())),
        ("order_id", pa.array([Decimal(12)])),
        ("line", pa.array([1], pa.uint8())),
        ("amount", pa.array([Decimal("12.00")])),
        ("amount", pa.array([12], pa.int8())),
        ("amount", pa.array(["12"])),
        ("margin", pa.array([float("nan")])),
        ("margin", pa.nulls(1)),
        ("ordered_at", TIMES.cast(pa.timestamp("s"))),
        ("ordered_at", TIMES.cast(pa.timestamp("ns"))),
        ("ordered_at", pa.array([AT - dt.timedelta(hours=9)], pa.timestamp("ns", "UTC"))),
        ("ordered_at", pa.array([AT.date()])),
        ("ordered_at", pa.array(["2026-08-31T15:00:00Z"])),
    ],
)
def test_every_way_a_parquet_file_may_hold_a_value_gives_the_same_row(tmp_path, column, values):
    (tmp_path / "dataset.yml").write_text(SETTINGS % "Asia/Tokyo")
    pq.write_table(pa.table({**ORDER_COLUMNS, column: values}), tmp_path / "orders.parquet")
    data_set = open_data(tmp_path)
    row = data_set.table("orders").loc[0].dropna().to_dict()
    at = pd.Timestamp("2026-09-01", tz="Asia/Tokyo")
    assert row == {"order_id": "12", "line": 1, "customer_id": "C", "ordered_at": at, "amount": 12}
    assert data_set.notices == []
    lazy = data_set.lazy("orders").collect().to_native().to_pylist()[0]
    assert {name: value for name, value in lazy.items() if value is not None} == row


def test_columns_of_types_nobody_can_count(tmp_path):
    (tmp_path / "dataset.yml").write_text(SETTINGS % "Asia/Tokyo")
    pq.write_table(pa.table({**ORDER_COLUMNS, "tags": pa.array([["a"]])}), tmp_path / "orders.parquet")
    only(tmp_path, "tables.extra_type", "notice")
    assert "tags" not in open_data(tmp_path).table("orders")
    pq.write_table(pa.table({**ORDER_COLUMNS, "brand": pa.array([["a"]])}), tmp_path / "orders.parquet")
    only(tmp_path, "tables.wrong_type", "error")


def test_hostile_and_endless_texts_stay_texts(shop):
    texts = ["<script>alert(1)</script>", "=HYPERLINK(1)", "\u202egnp", "あ" * 200_000, "[a](javascript:1)"]
    rows = "".join(f"{i},1,007,2026-09-01,5,{text}\n" for i, text in enumerate(texts))
    data_set = open_data(shop(orders=ORDERS[:-1] + ",note\n" + rows))
    assert data_set.table("orders")["note"].to_list() == texts
    assert data_set.lazy("orders").collect().to_native()["note"].to_pylist() == texts


def test_a_folder_may_have_any_name(tmp_path, shop):
    folder = tmp_path / "顧客 [1] *"
    folder.mkdir()
    for file in shop(orders=order()).glob("*.*"):
        file.rename(folder / file.name)
    assert len(open_data(folder).table("orders")) == 1
    assert open_data(folder).lazy("orders").collect().to_native().num_rows == 1


@pytest.mark.parametrize(
    ("scores", "key"),
    [([11, 5], "tables.off_scale"), ([-1], "tables.off_scale"), ([8.5], "tables.not_whole")],
)
def test_scores_off_the_scale_stop(shop, scores, key):
    only(shop(responses=answers(scores)), key, "error", "responses")


def test_the_message_for_scores_names_them_but_never_a_text(shop):
    text = only(shop(responses=answers([11, -1, 3])), "tables.off_scale", "error", "responses").text()
    assert text == (
        "responses.csv, column `nps_score`: Must lie on the scale 0–10; found -1, 11 in 2 of 3 rows "
        "(first at row 1, 2). Set them to missing or map the scale."
    )
    secret = shop(orders=order(amount="Taro Yamada", customer_id="taro@example.jp", ordered_at="Hanako"))
    told = "".join(problem.text(lang) for problem in found(secret).values() for lang in ("en", "ja"))
    assert not any(word in told for word in ("Taro", "taro", "Hanako"))


def test_a_shifted_scale_is_noticed(shop):
    rng = np.random.default_rng(1)
    only(shop(responses=answers(rng.integers(1, 11, 400))), "tables.scale_end", "notice", "responses")
    assert found(shop(responses=answers(rng.integers(0, 11, 400))), "responses") == {}
    assert found(shop(responses=answers([9, 10] * 20)), "responses") == {}


def test_a_reversed_scale_is_noticed(shop):
    scores = np.random.default_rng(1).integers(0, 11, 400)
    header = RESPONSES[:-1] + ",driver_ease\n"
    rows = "".join(f"{i},007,2026-09-01,relationship,{s},{5 - s // 2.5:g}\n" for i, s in enumerate(scores))
    only(shop(responses=header + rows), "tables.reversed", "notice", "responses")


def test_a_reversed_recommendation_score_is_named_instead_of_all_others(shop):
    """Four items agree with each other and run against the score: one notice, on the score."""
    scores = np.random.default_rng(1).integers(0, 11, 400)
    items = ["driver_ease", "driver_price", "driver_quality"]
    header = RESPONSES[:-1] + "".join(f",{name}" for name in items) + "\n"

    def lines(*signs):
        good = [[5 - s // 2.5 if sign > 0 else 1 + s // 2.5 for s in scores] for sign in signs]
        cells = zip(scores, *good, strict=True)
        return "".join(
            f"{i},007,2026-09-01,relationship,{s},{','.join(f'{g:g}' for g in rest)}\n"
            for i, (s, *rest) in enumerate(cells)
        )

    only(shop(responses=header + lines(1, 1, 1)), "tables.reversed_nps", "notice", "responses")
    both = found(shop(responses=header + lines(1, 1, -1)), "responses")
    assert set(both) == {"tables.reversed_nps", "tables.reversed"}
    only(shop(responses=header + lines(1, -1, -1)), "tables.reversed", "notice", "responses")


@pytest.mark.parametrize("scores", [["", ""], ["9"], ["10"] * 5, ["3"] * 5])
def test_few_blank_or_equal_answers_work(shop, scores):
    assert found(shop(responses=answers(scores)), "responses") == {}


@pytest.mark.parametrize("weight", ["0", "-1"])
def test_weights_are_above_zero(shop, weight):
    header = RESPONSES[:-1] + ",weight\n"
    only(
        shop(responses=header + f"1,007,2026-09-01,relationship,9,{weight}\n"),
        "tables.not_above",
        "error",
        "responses",
    )


def test_values_outside_their_list_stop(shop):
    text = answers([9]).replace("relationship", "phone")
    assert (
        "relationship, transaction"
        in only(shop(responses=text), "tables.unknown_option", "error", "responses").text()
    )
    deals = "deal_id,customer_id,created_on,stage,is_won\n1,007,2026-09-01,open,perhaps\n"
    only(shop(deals=deals), "tables.not_a_flag", "error", "deals")


def test_a_bot_is_noticed(shop):
    header = "event_id,customer_id,occurred_at,touchpoint\n"
    rows = "".join(f"b{i},bot,2026-09-01,ad\n" for i in range(1200))
    rows += "".join(f"e{i},c{i},2026-09-01,ad\n" for i in range(2000))
    told = only(shop(events=header + rows), "tables.busy", "notice", "events").text()
    assert "1 customer has" in told
    assert "1,200 of 3,200 rows" in told


INITIATIVES = "initiative_id,name,started_on,one_time_cost,monthly_cost,assignment\n"
ENROLMENTS = "initiative_id,customer_id,enrolled_on,arm\n"


@pytest.mark.parametrize(
    ("rows", "key", "level"),
    [
        ("I1,007,2026-01-31,treatment\n", "tables.before_start", "error"),
        ("I2,007,2026-02-01,treatment\n", "tables.unknown_initiative", "error"),
        ("I1,007,,control\nI1,007,2026-03-01,treatment\n", "tables.both_arms", "error"),
        ("I1,007,2026-03-01,control\n", "tables.control_exposed", "notice"),
    ],
)
def test_enrolments_fit_their_initiative(shop, rows, key, level):
    initiatives = INITIATIVES + "I1,Club,2026-02-01,0,10,randomised\n"
    only(shop(initiatives=initiatives, enrolments=ENROLMENTS + rows), key, level, "enrolments")


def test_costs_may_be_zero_or_missing_but_not_negative(shop):
    row = "I1,Club,2026-02-01,{},10,randomised\n"
    assert found(shop(initiatives=INITIATIVES + row.format(0)), "initiatives") == {}
    only(shop(initiatives=INITIATIVES + row.format("")), "tables.cost_missing", "notice", "initiatives")
    only(shop(initiatives=INITIATIVES + row.format(-5)), "tables.too_low", "error", "initiatives")


def test_all_problems_are_told_at_once_in_both_languages(shop):
    folder = shop(orders=order(amount="x", ordered_at="y", line="z"))
    with pytest.raises(TableError) as stopped:
        open_data(folder).table("orders")
    assert {problem.column for problem in stopped.value.problems} == {"amount", "ordered_at", "line"}
    assert str(stopped.value).count("\n") == 3
    assert "数値が必要です" in stopped.value.in_language("ja")
    assert stopped.value.exit_code == 3


def test_a_missing_column_names_the_nearest(shop):
    text = "order_id,line,customer_id,orderd_at,amount\n1,1,007,2026-09-01,5\n"
    assert "orderd_at" in only(shop(orders=text), "tables.missing_column", "error").text()


def test_a_missing_table_says_what_it_would_give(shop):
    data_set = open_data(shop(orders=order()))
    assert not data_set.has("deals")
    with pytest.raises(NotEnoughData, match="win rate") as stopped:
        data_set.table("deals")
    assert stopped.value.exit_code == 4
    with pytest.raises(ParameterError, match="orders"):
        data_set.table("ordres")
    with pytest.raises(ParameterError, match="orders"):
        data_set.has("ordres")


def test_has_asks_for_values_too(shop):
    data_set = open_data(shop(orders=order()))
    assert data_set.has("orders", "amount")
    assert not data_set.has("orders", "margin")
    assert not data_set.has("orders", "nothing")


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "", "顧客"])
def test_paths_that_cannot_be_are_named(tmp_path, name):
    with pytest.raises(InputError):
        open_data(tmp_path / name)


def test_folders_that_are_none(tmp_path, shop):
    with pytest.raises(InputError, match="no data folder"):
        open_data(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"dataset\.yml"):
        open_data(tmp_path)
    folder = shop(orders=order())
    pd.DataFrame({"order_id": ["1"]}).to_parquet(folder / "orders.parquet")
    with pytest.raises(InputError, match="twice"):
        open_data(folder)
    (folder / "no.duckdb").write_text("not a database")
    with pytest.raises(InputError, match=r"no\.duckdb: .*damaged"):
        open_data(folder / "no.duckdb")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("{name: x}", "currency"),
        ("{name: x, currency: yen, timezone: Asia/Tokyo, extracted_at: 2026-10-01}", "currency"),
        ("{name: x, currency: JPY, timezone: Asia/Tokio, extracted_at: 2026-10-01}", "Asia/Tokyo"),
        ("{name: x, currency: JPY, timezone: Asia/Tokyo, extracted_at: 2026-02-30}", "day of the calendar"),
        (
            "{name: x, currency: JPY, timezone: Asia/Tokyo, extracted_at: 20261001}",
            "`extracted_at`: must be a day",
        ),
        ("{name: x, currency: JPY, time_zone: UTC, extracted_at: 2026-10-01}", "timezone"),
        (
            "{name: x, currency: JPY, timezone: UTC, extracted_at: 2026-10-01, csat_scale: [5, 1]}",
            "lower end",
        ),
        ("{name: x, name: y}", "repeated key"),
        ("- a list", "key: value"),
    ],
)
def test_settings_that_do_not_fit_are_named(tmp_path, settings, words):
    (tmp_path / "dataset.yml").write_text(settings)
    with pytest.raises(InputError, match=words) as stopped:
        open_data(tmp_path)
    assert stopped.value.in_language("ja") != str(stopped.value)


def test_coverage_says_what_each_chapter_can_show(shop):
    folder = shop(
        customers=CUSTOMERS, orders=order(), initiatives=INITIATIVES + "I1,Club,2026-02-01,0,10,targeted\n"
    )
    (folder / "order.csv").write_text("x\n")
    problems, coverage = check_folder(folder)
    assert [problem.key for problem in problems] == ["tables.unknown_table"]
    lines = [line.text() for line in coverage]
    assert lines[0] == (
        "Segmentation: no category, so no CTB by category; no taste, so no CTB by taste; "
        "no brand, so no CTB by brand; no nps_score in a responses table, so no action for detractors; "
        "no deals table, so no customers in negotiation"
    )
    assert lines[2] == (
        "NPS drivers: not possible (no nps_score in a responses table, so no NPS; no csat_score, so no CSAT; "
        "no ces_score, so no CES)"
    )
    assert "no enrolments table, so before/after only" in lines[3]
    assert all(line.text("ja") for line in coverage)


def test_a_table_with_errors_counts_as_missing(shop):
    problems, coverage = check_folder(shop(orders=order(amount="x")))
    assert [problem.level for problem in problems] == ["error"]
    assert coverage[0].text() == "Segmentation: not possible (table orders has errors)"


def test_a_broken_table_stops_every_chapter_that_reads_it(shop):
    folder = shop(orders=order())
    (folder / "customers.csv").write_text(CUSTOMERS.replace("consumer", "消費者"), encoding="cp932")
    problems, coverage = check_folder(folder)
    assert [problem.key for problem in problems] == ["tables.encoding"]
    assert all("not possible (table customers has errors" in line.text() for line in coverage)


def test_with_orders_alone_only_what_orders_give_is_possible(shop):
    for more in ({}, {"customers": CUSTOMERS}):
        _, coverage = check_folder(shop(orders=order(), **more))
        possible = {line.chapter: line.state for line in coverage if line.state != "missing"}
        assert possible == dict.fromkeys(["segmentation", "journey", "customer_value"], "partial")
    (shop() / "orders.csv").unlink()
    assert {line.state for line in check_folder(shop(customers=CUSTOMERS))[1]} == {"missing"}


def test_an_as_of_before_all_data_names_their_first_day(shop):
    folder = shop(orders=order(), customers=CUSTOMERS)
    with pytest.raises(ParameterError, match=r"as_of=1999-01-01.*2026-01-01"):
        open_data(folder, as_of="1999-01-01").table("orders")
    assert open_data(folder, as_of="2026-01-01").table("orders").empty, "customers are known by then"
    with pytest.raises(ParameterError, match="2025-12-31"):
        open_data(folder, as_of="2025-12-31").table("customers")


def test_frames_are_the_callers_own(shop):
    data_set = open_data(shop(orders=order()))
    mine = data_set.table("orders")
    mine.loc[0, "amount"] = -1
    assert data_set.table("orders")["amount"].to_list() == [100]


def test_data_taken_out_at_midnight_know_the_day_before_last(tmp_path):
    for stamp, day in (
        ("2026-10-01T00:00:00+09:00", "2026-09-30"),
        ("2026-10-01T08:00:00+09:00", "2026-10-01"),
    ):
        (tmp_path / "dataset.yml").write_text(
            f"{{name: Shop, currency: JPY, timezone: Asia/Tokyo, extracted_at: '{stamp}'}}"
        )
        assert str(open_data(tmp_path).as_of) == day


def test_an_earlier_as_of_does_not_make_later_customers_unknown():
    data_set = open_data(Path(__file__).parents[3] / "data" / "sample", as_of="2025-06-30")
    data_set.table("orders")
    assert "tables.unknown_customer" not in {problem.key for problem in data_set.notices}


def test_a_released_table_is_read_again_and_what_was_found_stays(shop):
    data_set = open_data(shop(orders="order_id,line,customer_id,ordered_at,amount\n1,1,a,2026-01-05,0\n"))
    orders, found = data_set.table("orders"), [problem.key for problem in data_set.problems]
    assert "tables.zero_amount" in found
    data_set.release("orders")
    data_set.release("tickets")
    assert "orders" not in data_set._frames
    assert [problem.key for problem in data_set.problems] == found
    pd.testing.assert_frame_equal(data_set.table("orders"), orders)
    assert [problem.key for problem in data_set.problems] == found


def test_sums_of_released_orders_are_still_told(shop):
    data_set = open_data(shop(orders="order_id,line,customer_id,ordered_at,amount\n1,1,a,2026-01-05,7\n"))
    lines = data_set.order_lines()
    assert lines.until("2026-01-31")["amount"].tolist() == [7.0]
    data_set.release("orders")
    assert lines.until("2026-01-31")["amount"].tolist() == [7.0] and "orders" not in data_set._frames
    assert len(lines.fetch_rows()) == 1


def test_a_frame_that_is_changed_leaves_the_table_alone(shop):
    data_set = open_data(shop(orders="order_id,line,customer_id,ordered_at,amount\n1,1,a,2026-01-05,7\n"))
    for period in ({}, {"start": "2026-01-01"}):
        orders = data_set.table("orders", **period)
        orders.loc[0, "amount"] = 1.0
        orders["new"] = 1
        assert data_set.table("orders", **period)["amount"].tolist() == [7.0]
        assert "new" not in data_set.table("orders", **period)


def test_a_parquet_file_with_a_name_twice_is_told_so(tmp_path):
    (tmp_path / "dataset.yml").write_text(SETTINGS % "Asia/Tokyo")
    names = ["order_id", "line", "ordered_at", "amount", "amount"]
    pq.write_table(pa.table([pa.array(["1"])] * 5, names=names), tmp_path / "orders.parquet")
    assert [problem.key for problem in open_data(tmp_path).load("orders")] == ["tables.bad_header"]
