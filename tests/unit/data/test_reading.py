"""Ids, names, times and files that would give a silent wrong number, or tell about a person, are caught."""

import datetime as dt
import gzip
import os
import random
import warnings

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cxlib.checks import CxError, InputError, NotEnoughData, TableError
from cxlib.data.convert import convert
from cxlib.data.findings import Findings
from cxlib.data.tables.coverage import check_folder
from cxlib.data.tables.data_set import open_data

SETTINGS = "{name: Shop, currency: JPY, timezone: Asia/Tokyo, extracted_at: 2026-10-01T00:00:00}"
ORDERS = "order_id,line,customer_id,ordered_at,amount\n"


@pytest.fixture
def folder(tmp_path):
    """`folder(orders="…")`: a data set of CSV texts."""

    def write(**tables):
        (tmp_path / "dataset.yml").write_text(SETTINGS)
        for name, text in tables.items():
            (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
        return tmp_path

    return write


def id_findings(*ids):
    """What is found in a column of ids: keys with rows, and the ids as read."""
    findings = Findings("f", len(ids))
    values = pa.chunked_array([pa.array(list(ids), pa.string())])
    read = convert(values, "id", column="customer_id", zone="Asia/Tokyo", findings=findings)
    return {(p.key.removeprefix("tables."), p.level, p.rows) for p in findings.problems}, read.to_list()


@pytest.mark.parametrize(
    "cell",
    [
        "1.23457E+12",
        "1.2e12",
        "1E+5",
        "9.9E+0012",
        "1,23457E+12",
        "１.２Ｅ＋１２",
        " 1.5E+10 ",
        "4.0128e+10",
        "1.2E-5",
    ],
)
def test_ids_in_powers_of_ten_stop_with_their_row(cell):
    assert id_findings("A1", cell)[0] == {("id_scientific", "error", (2,))}


@pytest.mark.parametrize("cell", ["1001.5", "0.1", "12.25", "1001.50", "２．５"])
def test_ids_with_decimals_stop_as_decimal_numbers_do(cell):
    assert id_findings("A1", "A2", cell)[0] == {("id_fraction", "error", (3,))}


def test_ids_that_end_in_a_zero_decimal_are_whole_numbers():
    found, ids = id_findings("1001.0", "1002.00", "1003", "A.0", "0012.0")
    assert ids == ["1001", "1002", "1003", "A.0", "0012"]
    assert ("id_decimals", "notice", (1, 2, 5)) in found


@pytest.mark.parametrize(
    "cell",
    [
        *(
            "2-Mar",
            "02-Mar-26",
            "Mar-02",
            "2-mrz",
            "1-Jan",
            "3月2日",
            "2026年3月2日",
            "10月",
            "2026/3/2",
            "3/2",
        ),
        *("2026-03-02", "2026-03-02 00:00:00", "03/02/2026", "2.3.2026", "12:30", "2-août"),
        *("Mar 2, 2026", "令和8年3月2日", "平成元年4月1日"),
    ],
)
def test_ids_that_a_spreadsheet_made_dates_are_noticed(cell):
    assert id_findings("A1", cell)[0] == {("id_date", "notice", (2,))}


@pytest.mark.parametrize(
    "cell",
    [
        *("A-1", "2-3", "aug-1", "sep-130", "MAY-1", "1e5", "7E10", "#1001", "C_007", "12-345-678", "a.b"),
        *("00123", "v1.2.3", "003xx000004TmiQAAS", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "Ａ−１", "顧客1"),
    ],
)
def test_ids_of_usual_systems_say_nothing(cell):
    assert id_findings(cell) == (set(), [cell])


@pytest.mark.parametrize(
    ("cell", "others", "key"),
    [
        *(
            (cell, ["998", "999"], "id_as_number")
            for cell in ("1,001", "１，００１", "1'001", "1.001,00", "12,5")
        ),
        *((cell, ["998", "999"], "id_power") for cell in ("1E5", "12e3", "1E05")),
        *((cell, ["A1", "B2"], "id_several") for cell in ("A1;A2", "A1、A2", "A1, A2", "A1 / B3", "[A1|A9]")),
        ("998,999", ["998", "999"], "id_several"),  # two that stand alone elsewhere, not a number
    ],
)
def test_ids_written_as_numbers_and_several_in_one_cell_are_noticed(cell, others, key):
    found, ids = id_findings(*others, cell)
    assert found == {(key, "notice", (3,))}
    assert ids[2] == cell


@pytest.mark.parametrize(
    "cells", [["1E5", "1A3", "100"], ["A/1", "A/2", "B"], ["A100", "A101", "A100/1"], ["shop/1,2", "shop/1"]]
)
def test_codes_with_such_signs_say_nothing(cells):
    assert id_findings(*cells) == (set(), cells)


@pytest.mark.parametrize("cell", ["#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "######"])
def test_errors_of_a_spreadsheet_are_no_id(cell):
    found, ids = id_findings("A1", cell)
    assert found == {("sheet_error", "notice", (2,))}
    assert pd.isna(ids[1])


@pytest.mark.parametrize("cell", ["NULL", "NA", "none", "undefined", "guest", "-", "非会員"])
def test_words_for_nobody_stay_and_are_noticed(cell):
    assert id_findings("A1", cell) == ({("id_nobody", "notice", (2,))}, ["A1", cell])


@pytest.mark.parametrize(
    "cell", ["taro@example.jp", "Taro <taro@b.jp>", "TARO@EXAMPLE.JP", "taro＠example．jp"]
)
def test_mail_addresses_are_no_ids(cell):
    assert ("id_personal", "error", (2,)) in id_findings("A1", cell, *["A2"] * 20)[0]
    assert id_findings(*["09012345678"] * 5)[0] == {("id_personal", "error", ())}
    assert id_findings(*["０９０－１２３４－５６７８"] * 5)[0] == {("id_personal", "error", ())}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("C001", "c001"),
        ("C001", "Ｃ００１"),
        ("c001", "ｃ００１"),
        ("abc", "a\u200bbc"),
        ("ｱ1", "ア1"),
        ("A１", "a1"),
    ],
)
def test_the_same_id_in_two_spellings_is_noticed(first, second):
    assert id_findings("x", first, second)[0] == {("id_spelling", "notice", (2, 3))}
    assert id_findings("x", first, first)[0] == set()


def test_blanks_around_ids_are_no_part_of_them():
    assert id_findings("A1", " A1", "A1 ", "A1\u3000", "\ufeffA1")[1] == ["A1"] * 5


def test_ids_out_of_their_guard():
    found, ids = id_findings('="0000123"', "0000124", '="5"')
    assert ids == ["0000123", "0000124", "5"]
    assert ("guarded", "notice", (1, 3)) in found


def test_ids_that_lost_their_zeros_in_part_are_noticed():
    assert id_findings("0000123", "0001234", "567", "1234567")[0] == {("id_zeros", "notice", (3,))}
    assert id_findings("007", "0012", "5")[0] == set(), "no common width"
    assert id_findings("0123", "4567")[0] == set()


def test_ids_with_a_line_break_stop():
    assert ("id_lines", "error", (1,)) in id_findings("A1\nA2")[0]


def test_other_spellings_than_in_customers_stop(folder):
    customers = "customer_id,first_seen_on,customer_type\nC001,2026-01-01,consumer\n"
    at = folder(customers=customers, orders=ORDERS + "1,1,c001,2026-09-01,5\n")
    assert [problem.key for problem in open_data(at).load("orders")] == ["tables.id_spelled_otherwise"]


def test_mails_as_ids_are_refused_by_the_check_too(folder):
    problems, _ = check_folder(folder(orders=ORDERS + "1,1,taro@canary.example,2026-09-01,5\n"))
    assert (problems[0].key, problems[0].level) == ("tables.id_personal", "error")
    assert problems[0].column == "customer_id"
    assert "canary" not in "".join(p.text() for p in problems)


CANARIES = ("canary", "090-1111", "Kanarienvogel", "カナリア", "1987")
HEADERLESS = {
    "customers": "taro@canary.example,1987-01-01,consumer,Yamada Kanarienvogel,090-1111-2222\n" * 2,
    "orders": "カナリア太郎,1,C7,2026-09-01,5\nカナリア二郎,1,C8,2026-09-02,6\n",
    "events": "Kanarienvogel,Yamada,shop\nカナリア,x,y\n",
    "responses": "r1,カナリア,2026-09-01,relationship,9\n",
}
WITH_NAMES = {
    "mail": 'order_id,line,customer_id,ordered_at,amount,"taro@canary.example"\n1,1,a,2026-09-01,5,x\n',
    "phone": "order_id,line,customer_id,ordered_at,amount,090-1111-2222\n1,1,a,2026-09-01,5,x\n",
    "person": "order_id,line,customer_id,ordered_at,Yamada Kanarienvogel\n1,1,a,2026-09-01,a@b.jp\n",
    "required": "order_id,line,customer_id,カナリア,amount\n1,1,a,2026-09-01,5\n",
    "cells": ORDERS + "カナリア,カナリア,taro@canary.example,1987年,Kanarienvogel\n",
    "category": ORDERS[:-1] + ",currency\n1,1,a,2026-09-01,5,Kanarienvogel\n",
    "scores": "response_id,answered_at,survey,nps_score\n1,2026-09-01,カナリア,19870101\n",
}


@pytest.mark.parametrize("table", HEADERLESS)
def test_a_file_without_names_is_not_repeated(folder, table):
    at = folder(**{table: HEADERLESS[table]})
    problems, _ = check_folder(at)
    assert [problem.key for problem in problems] in (["tables.data_for_names"], ["tables.other_names"])
    assert problems[0].level == "error"
    for call in (open_data(at).table, open_data(at).lazy):
        with pytest.raises(TableError) as stopped:
            call(table)
        told = "".join([*(p.text(lang) for p in problems for lang in ("en", "ja")), str(stopped.value)])
        assert not [canary for canary in CANARIES if canary in told]


@pytest.mark.parametrize("case", WITH_NAMES)
def test_no_finding_repeats_a_name_or_a_value_of_the_file(folder, case):
    table = "responses" if case == "scores" else "orders"
    problems, _ = check_folder(folder(**{table: WITH_NAMES[case]}))
    told = "".join(problem.text(lang) + repr(problem) for problem in problems for lang in ("en", "ja"))
    assert problems
    assert not [canary for canary in CANARIES if canary in told]


def test_files_called_after_people_are_counted_not_named(folder):
    at = folder(orders=ORDERS)
    for name in ("Kanarienvogel.csv", "canary.parquet", "notes.txt", ".hidden"):
        (at / name).write_text("x")
    told = [problem for problem in open_data(at).problems if problem.key != "tables.no_rows"]
    assert [problem.key for problem in told] == ["tables.unknown_tables"]
    assert "2 files here" in told[0].text() and "anar" not in told[0].text()


@pytest.mark.parametrize(
    "name",
    [
        "Orders.CSV",
        "orders.xlsx",
        "orders.txt",
        "ORDERS.parquet",
        "orders.csv.zip",
        "order.tsv",
        "orders.json",
    ],
)
def test_files_that_look_like_a_table_and_are_not_read_get_a_line(folder, name):
    (folder() / name).write_text("x")
    (problem,) = open_data(folder()).problems
    assert (problem.level, problem.file) == ("notice", name)
    assert "orders" in problem.text() and "orders" in problem.text("ja")


def test_folders_links_and_devices_are_no_tables(folder, tmp_path):
    at = folder(tickets="ticket_id,opened_at\n1,2026-09-01\n")
    outside = tmp_path.parent / f"{tmp_path.name}-outside.csv"
    outside.write_text(ORDERS + "1,1,a,2026-09-01,5\n")
    (at / "orders.csv").mkdir()
    (at / "events.csv").symlink_to(at / "nowhere.csv")
    (at / "deals.csv").symlink_to(outside)
    (at / "spend.csv").symlink_to(at / "tickets.csv")
    os.mkfifo(at / "customers.csv")
    data_set = open_data(at)
    keys = {name: [problem.key for problem in data_set.load(name)] for name in data_set.tables}
    assert keys["orders"] == keys["events"] == keys["customers"] == ["tables.not_a_file"]
    assert keys["deals"] == ["tables.outside"]
    assert keys["tickets"] == []
    assert keys["spend"] == ["tables.other_names"], "a link inside the folder is followed"


@pytest.mark.parametrize(
    ("select", "is_fine"),
    [
        ("SELECT * FROM base", True),
        ("WITH some AS (SELECT * FROM base) SELECT * FROM some WHERE amount > 0", True),
        ("SELECT * FROM base UNION ALL SELECT * FROM base WHERE FALSE", True),
        ("SELECT * FROM inner_view", True),
        ("SELECT column0 AS order_id FROM read_csv('/etc/passwd', header = FALSE, sep = ':')", False),
        ("SELECT * FROM '/etc/passwd.csv'", False),
        ("SELECT content AS order_id FROM read_text('/etc/hostname')", False),
        ("SELECT * FROM read_csv('https://example.invalid/x.csv')", False),
        ("SELECT file AS order_id FROM glob('/etc/*')", False),
        ("SELECT range AS order_id FROM range(1000000000000)", False),
        ("SELECT (SELECT content FROM read_text('/etc/hostname')) AS order_id FROM base", False),
        ("SELECT * FROM elsewhere.base", False),
        ("SELECT name AS order_id FROM duckdb_settings()", False),
        ("SELECT * FROM duckdb_secrets()", False),
    ],
)
def test_a_database_gives_its_own_tables_only(tmp_path, select, is_fine):
    file = tmp_path / "shop.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "CREATE TABLE base AS SELECT '1' AS order_id, 1 AS line, 'a' AS customer_id,"
            " TIMESTAMP '2026-09-01' AS ordered_at, 5.0 AS amount"
        )
        connection.execute("CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.base AS SELECT * FROM base")
        connection.execute("CREATE VIEW inner_view AS SELECT * FROM base")
        try:
            connection.execute(f"CREATE VIEW orders AS {select}")
        except duckdb.Error:
            pytest.skip("this view cannot even be made here")
    (tmp_path / "dataset.yml").write_text(SETTINGS)
    if is_fine:
        assert open_data(file).table("orders")["amount"].to_list()[:1] == [5]
        assert open_data(file).lazy("orders").collect().to_native().num_rows >= 1
        return
    for call in (open_data(file).table, open_data(file).lazy):
        with pytest.raises(TableError) as stopped:
            call("orders")
        assert [p.key for p in stopped.value.problems] == ["tables.view_outside"]


def test_variables_of_the_program_are_no_tables_of_a_database(tmp_path):
    file = tmp_path / "shop.duckdb"
    base = pd.DataFrame({"order_id": ["secret"]})
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "CREATE TABLE base AS SELECT * FROM base; CREATE VIEW orders AS SELECT * FROM base"
        )
        connection.execute(
            "ALTER VIEW orders RENAME TO old; DROP VIEW old; CREATE VIEW orders AS SELECT * FROM base"
        )
        connection.execute("DROP TABLE base")
    (tmp_path / "dataset.yml").write_text(SETTINGS)
    assert len(base) == 1
    with pytest.raises(TableError):
        open_data(file).table("orders")


def test_tables_of_another_schema_get_a_line(tmp_path):
    file = tmp_path / "shop.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE SCHEMA sales; CREATE TABLE sales.orders AS SELECT 1 AS order_id")
    (tmp_path / "dataset.yml").write_text(SETTINGS)
    data_set = open_data(file)
    assert [problem.key for problem in data_set.problems] == ["tables.other_schema"]
    with pytest.raises(NotEnoughData):
        data_set.table("orders")


@pytest.mark.parametrize(
    ("values", "key"),
    [
        (pa.array([-62_200_000_000], pa.timestamp("s")), "tables.not_a_time"),
        (pa.array([-70_000_000_000_000], pa.timestamp("ms", "UTC")), "tables.not_a_time"),
        (pa.array([10**15], pa.timestamp("s")), "tables.not_a_time"),
        (pa.array([-900_000], pa.date32()), "tables.not_a_time"),
        (pa.array([dt.date(1, 1, 1)]), "tables.missing_value"),
        (pa.array(["0001-01-01"]), "tables.missing_value"),
        (pa.array(["1066-10-14"]), "tables.not_a_time"),
        (pa.array([dt.date(1970, 1, 1)]), "tables.default_date"),
        (pa.array(["1899-12-30"]), "tables.default_date"),
        (pa.array(["1900-01-01"]), "tables.default_date"),
    ],
)
def test_times_of_no_year_we_count_are_named(tmp_path, values, key):
    columns = {"order_id": ["1"], "line": [1], "customer_id": ["a"], "ordered_at": values, "amount": [1.0]}
    pq.write_table(pa.table(columns), tmp_path / "orders.parquet")
    (tmp_path / "dataset.yml").write_text(SETTINGS)
    assert key in [problem.key for problem in open_data(tmp_path).load("orders")]


def test_the_day_a_database_gives_for_the_extraction_is_whole(tmp_path):
    file = tmp_path / "shop.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "CREATE TABLE dataset AS SELECT 'Shop' AS name, 'JPY' AS currency, 'Asia/Tokyo' AS timezone,"
            " DATE '2026-09-30' AS extracted_at; CREATE TABLE customers AS SELECT 1 AS customer_id"
        )
    assert str(open_data(file).as_of) == "2026-09-30"


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        ("NA,１２,007 ", (None, 12, "007")),
        ("NULL,5,0012", (None, 5, "0012")),
        ("nan,5, x", (None, 5, "x")),
        (",１２．５,1001.0", (None, 12.5, "1001")),
        ('"=""3""",5,"=""07"""', (3, 5, "07")),
    ],
)
def test_lazy_and_checked_tables_agree_on_texts(folder, cells, read):
    margin, amount, customer = cells.split(",")
    text = ORDERS[:-1] + f",margin\n1,1,{customer},2026-09-01,{amount},{margin}\n"
    data_set = open_data(folder(orders=text))
    row = data_set.table("orders").loc[0, ["margin", "amount", "customer_id"]]
    assert tuple(None if pd.isna(cell) else cell for cell in row) == read
    lazy = data_set.lazy("orders").collect().to_native().to_pylist()[0]
    assert (lazy["margin"], lazy["amount"], lazy["customer_id"]) == read


@pytest.mark.parametrize("text", ["x", "1,000", "1_000", "①", "0x10"])
def test_lazy_tables_stop_where_checked_ones_do(tmp_path, text):
    columns = {
        "order_id": ["1"],
        "line": [1],
        "customer_id": ["a"],
        "ordered_at": ["2026-09-01"],
        "amount": [text],
    }
    pq.write_table(pa.table(columns), tmp_path / "orders.parquet")
    (tmp_path / "dataset.yml").write_text(SETTINGS)
    for call in (open_data(tmp_path).table, open_data(tmp_path).lazy):
        with pytest.raises(TableError, match="Must hold numbers") as stopped:
            call("orders")
        assert [p.key for p in stopped.value.problems] == ["tables.not_a_number"]


def test_records_that_end_long_before_the_extraction_are_noticed(folder):
    days = pd.date_range("2026-01-01", "2026-05-31", freq="3D")
    rows = "".join(f"{n},1,a,{day.date()},5\n" for n, day in enumerate(days))
    (problem,) = open_data(folder(orders=ORDERS + rows)).load("orders")
    assert problem.key == "tables.stale"
    assert f"last {(dt.date(2026, 10, 1) - days[-1].date()).days - 1} days" in problem.text()
    waves = "".join(f"{n},1,a,2025-{1 + n % 12:02}-01,5\n" for n in range(24))
    assert open_data(folder(orders=ORDERS + waves + "99,1,a,2026-09-20,5\n")).load("orders") == []


def _mutated(content, rng, times):
    content = bytearray(content)
    signs = [
        b'"',
        b",",
        b"\n",
        b"\r",
        b"\0",
        b"\xff",
        b"=",
        b"inf",
        b"9" * 30,
        b"[",
        b"{",
        b": ",
        b"!!float ",
        b"&a *a",
    ]
    for _ in range(times):
        at = rng.randrange(len(content) + 1)
        kind = rng.randrange(4)
        if kind == 0 and at < len(content):
            content[at] = rng.randrange(256)
        elif kind == 1:
            content[at:at] = rng.choice(signs)
        elif kind == 2:
            del content[at : at + rng.randrange(1, 20)]
        elif rng.random() < 0.3:
            del content[max(1, at) :]
    return bytes(content)


@pytest.mark.parametrize(
    "kind", ["orders.csv", "orders.csv.gz", "orders.parquet", "dataset.yml", "shop.duckdb"]
)
def test_damage_of_any_kind_ends_in_a_sentence(folder, tmp_path, kind):
    """Bytes changed, cut, put in and left out: either it reads, or one of our own errors says why not."""
    text = ORDERS + "".join(f'{n},1,00{n},2026-09-0{n}T10:00:00+09:00,"{n}"\n' for n in range(1, 9))
    at = folder(orders=text)
    frame = open_data(at).table("orders")
    if kind != "orders.csv" and kind != "dataset.yml":
        (at / "orders.csv").unlink()
    if kind == "shop.duckdb":
        with duckdb.connect(str(at / kind)) as connection:
            connection.execute("CREATE TABLE orders AS SELECT * FROM frame")
    elif kind == "orders.parquet":
        frame.to_parquet(at / kind)
    elif kind == "orders.csv.gz":
        (at / kind).write_bytes(gzip.compress(text.encode()))
    whole = (at / kind).read_bytes()
    rng = random.Random(kind)
    for _ in range(12 if kind == "shop.duckdb" else 40):
        (at / kind).write_bytes(_mutated(whole, rng, rng.choice([1, 2, 8])))
        try:
            problems = check_folder(at / kind if kind.endswith("duckdb") else at)[0]
        except InputError as error:
            problems = [error]
        assert all(isinstance(problem, InputError) or problem.text("ja") for problem in problems)


def test_no_warning_and_no_foreign_error_reach_the_reader(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for at in (
            "2026-09-01T10+09",
            "2026-09-01T10:00 +0900",
            "2026-W31-1",
            "9999-12-31",
            "1e400",
            "24:00",
        ):
            try:
                open_data(folder(orders=ORDERS + f"1,1,a,{at},5\n1,2,a,2026-09-01,5\n")).table("orders")
            except CxError as error:
                assert error.exit_code in (3, 4)


def test_rare_kanji_within_a_long_japanese_text_are_no_sign_of_another_encoding():
    from cxlib.data.delimited import mixed_encodings as _mixed

    rare = "".join(sorted(_mixed._kanji())[: _mixed.MANY])
    assert _mixed._is_misread(rare) and not _mixed._is_misread(rare + "この店のお茶はとてもおいしい" * 3)
