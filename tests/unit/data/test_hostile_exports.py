"""Exports that come out plausible and wrong unless somebody looks: read right, stopped, or said."""

import datetime as dt
import io

import openpyxl
import pandas as pd
import pytest

from cxlib.checks import TableError
from cxlib.data.tables.data_set import open_data
from cxlib.data.tables.plausible import totals_on_lines

COLUMNS = {"order_id": {"from": "o"}, "line": {"row_within": ["o"]}, "customer_id": {"from": "c"}}
COLUMNS |= {"ordered_at": {"from": "d"}, "amount": {"from": "a"}}
HEAD = "o,c,d,a"


def part(file="o.csv", columns=None, **verbs):
    return {"file": file, "columns": COLUMNS | (columns or {}), **verbs}


def csv(*rows, head=HEAD):
    return {"o.csv": "\n".join([head, *rows]) + "\n"}


def told(bring):
    return {notice.key: notice for notice in bring.summary.attrs["notices"]}


def workbook(fill):
    book = openpyxl.Workbook()
    fill(book.active)
    held = io.BytesIO()
    book.save(held)
    return {"o.xlsx": held.getvalue()}


def times(bring, form, *cells):
    rows = [f"{at},x,{cell},5" for at, cell in enumerate(cells)]
    return bring(csv(*rows), orders=part(columns={"ordered_at": {"from": "d", "format": form}})).table(
        "orders"
    )


@pytest.mark.parametrize(
    ("form", "cell", "expected"),
    [
        ("%Y/%m/%d %H:%M", "2026/08/09(日) 15:04", "2026-08-09T15:04:00+09:00"),
        ("%Y/%m/%d %H:%M", "2026/08/09（日曜） 15:04", "2026-08-09T15:04:00+09:00"),
        ("era", "令和8年8月9日(日) 9時", "2026-08-09T09:00:00+09:00"),
        ("%Y-%m-%d %H:%M:%S UTC", "2026-08-09 15:04:05 UTC", "2026-08-10T00:04:05+09:00"),
        ("%Y-%m-%d %H:%M:%S %Z", "2026-08-09 15:04:05 JST", "2026-08-09T15:04:05+09:00"),
        ("%Y-%m-%d %H:%M:%S %Z", "2026-08-09 15:04:05 GMT", "2026-08-10T00:04:05+09:00"),
        ("%Y-%m-%dT%H:%M:%SZ", "2026-08-09T15:04:05Z", "2026-08-10T00:04:05+09:00"),
    ],
)
def test_days_of_the_week_say_nothing_and_zones_do(bring, form, cell, expected):
    assert times(bring, form, cell)["ordered_at"].item().isoformat() == expected


def test_a_zone_that_nobody_knows_stops(bring):
    with pytest.raises(TableError, match="row 2"):
        times(bring, "%Y-%m-%d %H:%M:%S %Z", "2026-08-09 15:04:05 JST", "2026-08-09 15:04:05 PST")


def test_days_that_two_formats_read_otherwise_are_named(bring):
    forms = ["%d/%m/%Y", "%m/%d/%Y"]
    found = times(bring, forms, "13/08/2026", "08/09/2026", "08/14/2026", "09/09/2026")
    assert found["ordered_at"].dt.strftime("%m%d").tolist() == ["0813", "0908", "0814", "0909"]
    notice = told(bring)["exports.two_readings"]
    assert (notice.count, notice.rows) == (1, (2,))
    times(bring, ["%Y/%m/%d %H:%M", "%Y/%m/%d"], "2026/08/09", "2026/08/09 10:00")
    assert "exports.two_readings" not in told(bring)


@pytest.mark.parametrize(
    ("number", "cell", "amount"),
    [
        ({"symbols": ["万円"]}, "12万円", 120_000),
        ({"symbols": ["円", "万", "千"], "thousands": ","}, "3千万円", 30_000_000),
        ({"symbols": ["%"]}, "35％", 0.35),
        ({"times": 1000}, "12.5", 12_500),
        ({"times": 1000, "thousands": ","}, '"1,200"', 1_200_000),
        ({"thousands": ",", "negative": "trailing"}, '"1,234-"', -1234),
        ({"thousands": ",", "negative": ["triangle", "parentheses"]}, '"▲１，２３４"', -1234),
        ({"decimal": ",", "thousands": "."}, '"1.234,50"', 1234.5),
    ],
)
def test_units_and_signs_of_numbers_count(bring, number, cell, amount):
    columns = {"amount": {"from": "a", "number": number}}
    orders = bring(csv(f"1,x,2026-08-09,{cell}"), orders=part(columns=columns)).table("orders")
    assert orders["amount"].item() == pytest.approx(amount, abs=1e-9)


@pytest.mark.parametrize("cell", ["12-", "5%", "3万", '"12,50"', "-12-"])
def test_what_no_declared_style_has_stops(bring, cell):
    with pytest.raises(TableError, match="hold text"):
        bring(csv(f"1,x,2026-08-09,{cell}"), orders=part(columns={"amount": {"from": "a", "number": {}}}))


@pytest.mark.parametrize("name", ["金額（千円）", "売上(百万円)", "Amount (thousands)", "amount_kJPY"])
def test_a_unit_in_the_name_of_an_amount_is_named(bring, name):
    files, amount = csv("1,x,2026-08-09,12", head=f"o,c,d,{name}"), {"from": name}
    bring(files, orders=part(columns={"amount": amount}))
    assert told(bring)["exports.unit_in_name"].column == "amount"
    bring(files, orders=part(columns={"amount": amount | {"number": {"times": 1000}}}))
    assert "exports.unit_in_name" not in told(bring)


@pytest.mark.parametrize(
    ("signs", "amounts", "rows"),
    [
        (["¥", "$"], ["¥1200", "$12", "¥900"], "row 2"),
        (["USD"], ["12 USD", "12 USD"], "2 of 2 rows"),
        (["円", "€"], ["1200円", "€12"], "row 2"),
        (["￥", "円"], ["￥1200", "900円", "80"], None),
    ],
)
def test_an_amount_in_another_currency_stops(bring, signs, amounts, rows):
    files = csv(*(f"{at},x,2026-08-09,{amount}" for at, amount in enumerate(amounts)))
    mapped = part(columns={"amount": {"from": "a", "number": {"symbols": signs}}})
    if rows is None:
        assert bring(files, orders=mapped).table("orders")["amount"].tolist() == [1200, 900, 80]
        return
    with pytest.raises(TableError, match="another currency") as stopped:
        bring(files, orders=mapped)
    assert rows in str(stopped.value)


def test_a_lookup_meets_whatever_spaces_there_are_and_names_what_finds_nothing(bring):
    files = csv("1,x,2026-08-09,5, A-1", "2,x,2026-08-09,5,a-1", "3,x,2026-08-09,5,", head=f"{HEAD},sku")
    files["p.csv"] = "SKU,cat\nA-1 ,tea\n"
    lookup = [{"file": "p.csv", "on": "sku", "key": "SKU", "columns": ["cat"]}]
    shop = bring(files, orders=part(columns={"category": {"from": "cat"}}, lookup=lookup))
    assert shop.table("orders")["category"].fillna("").tolist() == ["tea", "", ""]
    notice = told(bring)["exports.lookup_missed"]
    assert (notice.count, notice.rows) == (1, (2,)) and "p.csv" in notice.text()


def test_merged_ids_of_which_none_occurs_are_named(bring):
    columns = {"customer_id": {"from": "c", "follow": {"file": "m.csv", "from": "old", "to": "new"}}}
    rows = csv("1,0012,2026-08-09,5", "2,0034,2026-08-10,5")
    bring(rows | {"m.csv": "old,new\n12,99\n"}, orders=part(columns=columns))
    assert "m.csv" in told(bring)["exports.follow_in_vain"].text("ja")
    shop = bring(rows | {"m.csv": "old,new\n0012,0034\n"}, orders=part(columns=columns))
    assert set(shop.table("orders")["customer_id"]) == {"0034"}
    assert "exports.follow_in_vain" not in told(bring)


def test_the_total_of_an_order_on_each_of_its_lines_is_named(bring):
    rows = [f"{at // 3},x{at % 7},2026-09-{at // 3 % 28 + 1:02},{100 * (at // 3 + 1)}" for at in range(90)]
    shop = bring(csv(*rows), orders=part())
    assert told(bring)["tables.total_on_lines"].count == 90
    assert "tables.total_on_lines" in {notice.key for notice in shop.load("orders")}
    once = bring(csv(*rows), orders=part(grain={"by": ["o"], "same": ["a"]})).table("orders")
    assert once["amount"].sum() == shop.table("orders")["amount"].sum() / 3


@pytest.mark.parametrize("amounts", [[500.0] * 40, [100.0, 200.0] * 20, [100.0, 100.0, 300.0, 400.0] * 10])
def test_lines_that_really_cost_the_same_are_left_alone(amounts):
    lines = pd.DataFrame({"order_id": [at // 2 for at in range(40)], "amount": amounts})
    assert not totals_on_lines(lines).any()


def test_rows_after_empty_ones_keep_their_number(bring):
    rows = csv(",,,", "1,x,2026-08-09,5", " , ,,", "2,x,2026-08-10,?", ",,,")
    with pytest.raises(TableError, match="first at row 4"):
        bring(rows, orders=part())
    shop = bring(csv("1,x,2026-08-09,5", ",,,", ",,,"), orders=part())
    assert shop.table("orders")["order_id"].tolist() == ["1"]


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "\ufeffSEP=;"])
def test_a_first_line_that_names_the_delimiter_is_followed(bring, first):
    files = {"o.csv": f"{first}\r\no;c;d;a\r\n1;x;2026-08-09;12,5\r\n"}
    columns = {"amount": {"from": "a", "number": {"decimal": ","}}}
    assert bring(files, orders=part(columns=columns)).table("orders")["amount"].item() == 12.5


def test_signs_without_width_are_no_part_of_a_name(bring):
    shop = bring({"o.csv": "o\u200b,\u2060c,d\u200d ,a\n1,x,2026-08-09,5\n"}, orders=part())
    assert shop.table("orders")["amount"].item() == 5


@pytest.mark.parametrize(
    ("rows", "likely"), [(["1,髙橋①,2026-08-09,5"], "cp932"), (["1,été,2026-08-09,5"] * 3, "cp1252")]
)
def test_the_encoding_that_is_declared_is_not_the_likely_one(bring, rows, likely):
    with pytest.raises(TableError, match=f"Write `encoding: {likely}`"):
        bring({"o.csv": "\n".join([HEAD, *rows]).encode(likely)}, orders=part())


def test_cells_merged_over_rows_are_named_unless_they_are_filled_down(bring):
    def fill(sheet):
        sheet.append(["注文一覧"])
        sheet.merge_cells("A1:D1")
        sheet.append(["o", "c", "d", "a"])
        sheet.append(["1", "x", pd.Timestamp("2026-08-09 15:04").to_pydatetime(), 500])
        sheet.append(["1", None, pd.Timestamp("2026-08-09 15:04").to_pydatetime(), 300])
        sheet.append(["2", "y", pd.Timestamp("2026-08-10").to_pydatetime(), 300])
        sheet.merge_cells("B3:B4")

    shop = bring(workbook(fill), orders=part("o.xlsx", skip=1))
    assert shop.table("orders")["customer_id"].isna().sum() == 1
    notice = told(bring)["exports.merged_cells"]
    assert notice.column == "c" and "below the first one: 1." in notice.text("en")
    filled = bring(workbook(fill), orders=part("o.xlsx", skip=1, fill_down={"columns": ["c"]}))
    assert filled.table("orders")["customer_id"].tolist() == ["x", "x", "y"]
    assert "exports.merged_cells" not in told(bring)


def test_a_formula_that_nobody_worked_out_is_an_error_of_the_sheet(bring):
    def fill(sheet):
        sheet.append(["o", "c", "d", "a", "m"])
        sheet.append(["1", "x", "2026-08-09", 5, "=D2*0.3"])
        sheet.append(["2", "x", "2026-08-10", 5, None])

    shop = bring(workbook(fill), orders=part("o.xlsx", {"margin": {"from": "m"}}))
    assert shop.table("orders")["margin"].isna().all()
    assert told(bring)["tables.sheet_error"].count == 1


def test_a_workbook_of_numbers_that_only_look_like_codes(bring):
    def fill(sheet):
        sheet.append(["o", "c", "d", "a"])
        sheet.append([7, 1234567890123456, dt.date(2026, 8, 9), 0.1 + 0.2])
        sheet["A2"].number_format, sheet["C2"].number_format = "000000", 'yyyy"年"m"月"d"日"'

    orders = bring(workbook(fill), orders=part("o.xlsx")).table("orders")
    assert orders.loc[0, ["order_id", "customer_id", "amount"]].tolist() == [
        "000007",
        "1234567890123456",
        0.3,
    ]
    assert open_data(bring.source.parent / "shop").table("orders")["ordered_at"].dt.day.item() == 9


def test_midnight_among_other_times_of_a_workbook_is_written_like_them(bring):
    def fill(sheet):
        sheet.append(["o", "c", "at", "on", "a"])
        for order, hour in (("1", 0), ("2", 9)):
            sheet.append(
                [
                    order,
                    "a",
                    pd.Timestamp(2026, 9, 1, hour).to_pydatetime(),
                    pd.Timestamp(2026, 9, 1).to_pydatetime(),
                    5,
                ]
            )

    columns = {"ordered_at": {"from": "at", "format": "%Y-%m-%d %H:%M:%S"}}
    shop = bring(workbook(fill), orders=part("o.xlsx", columns, extra={"on": {"from": "on"}}))
    assert shop.table("orders")["ordered_at"].dt.hour.to_list() == [0, 9]
    assert set(shop.table("orders")["on"]) == {"2026-09-01"}


@pytest.mark.parametrize(
    ("encoding", "content", "key"),
    [
        ("utf-16", b"o,c,d,a\n1,x,2026-08-09,5\n", "exports.encoding"),
        ("utf-32", b"o,c,d,a\n1,x,2026-08-09,5\n", "exports.encoding"),
        ("utf-16", "o,c,d,a\n1,x,2026-08-09,5\n".encode("utf-16") + b"x", "tables.unreadable"),
        ("utf-8", b"PK\x05\x06" + bytes(18), "exports.many_in_zip"),
    ],
)
def test_files_that_are_not_what_the_mapping_says_stop_in_a_sentence(bring, encoding, content, key):
    with pytest.raises(TableError) as stopped:
        bring({"o.csv": content}, orders=part(encoding=encoding))
    assert [problem.key for problem in stopped.value.problems] == [key]
