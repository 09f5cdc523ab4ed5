"""The verbs of mappings, each on a small export of its own; the expected values were written down by hand."""

import gzip
import io
import itertools
import json
import zipfile
from decimal import Decimal

import openpyxl
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cxlib.checks import InputError, TableError
from cxlib.data.exports.column_models import Number, Verb
from cxlib.data.exports.column_verbs import Context, column
from cxlib.data.exports.convert_export import import_export
from cxlib.data.exports.merges import chain_ends
from cxlib.data.tables.data_set import open_data
from cxlib.data.text_type import TEXT

COLUMNS = {
    "order_id": {"from": "order"},
    "line": {"row_within": ["order"]},
    "customer_id": {"from": "customer"},
    "ordered_at": {"from": "at"},
    "amount": {"from": "amount"},
}
PLAIN = "order,customer,at,amount\n001,07,2026-09-01,10\n001,07,2026-09-01,5\n002,08,2026-09-02,7\n"


def orders(file="orders.csv", columns=None, **verbs):
    return {"file": file, "columns": COLUMNS | (columns or {}), **verbs}


def made(verb, kind="text", **cells):
    """One column of a frame of text by one verb, and the keys of what was found."""
    frame = pd.DataFrame(cells, dtype=TEXT)
    context = Context("Asia/Tokyo", b"a key long enough to be one")
    found = column(frame, Verb.model_validate(verb), kind, "made", context)
    return found, [problem.key for problem in context.findings.problems if problem.level == "error"]


def texts(verb, cells):
    found, problems = made({"from": "a"} | verb, a=cells)
    assert not problems
    return found.fillna("").to_list()


# --- one column ---------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(*[st.decimals(-99_999, 99_999, places=4)] * 2), min_size=1, max_size=20))
def test_a_product_is_that_of_the_decimals(pairs):
    """Two factors below zero are one return, as price and pieces of a credit note: its money stays below."""
    left, right = zip(*pairs, strict=True)
    found, problems = made(
        {"product": ["a", "b"]}, "number", a=[f"{x:f}" for x in left], b=[f"{x:f}" for x in right]
    )
    assert not problems
    assert found.to_list() == [float(-a * b if a < 0 and b < 0 else a * b) for a, b in pairs]


def test_a_product_is_empty_where_a_factor_is_and_reads_written_numbers():
    verb = {"product": ["a", "b"], "number": {"thousands": ",", "symbols": ["¥"], "negative": ["triangle"]}}
    found, problems = made(verb, "number", a=["¥1,280", "", "▲3", "x"], b=["2", "3", "0.1", "1"])
    assert found.fillna(-1).to_list() == [2_560, -1, -0.3, -1]
    assert problems == ["exports.not_a_number"]
    many = made({"product": ["a", "b"]}, "number", a=["0.123456789012"], b=["2"])[0]
    assert many.to_list() == pytest.approx([0.246913578024], abs=1e-15)


@pytest.mark.parametrize(
    ("verb", "cells", "expected"),
    [
        ({"part": {"before": ";"}}, ["501;551", "501", ""], ["501", "501", ""]),
        ({"part": {"after": "zcrm_"}}, ["zcrm_12", "12", "x zcrm_1"], ["12", "12", "x zcrm_1"]),
        (
            {"part": "leading_number"},
            ["10 - 非常に薦めたい", "０：まったく", "7", "-2.5 cold", "n/a"],
            ["10", "０", "7", "-2.5", "n/a"],
        ),
        ({"part": {"item": 2, "of": ";"}}, ["a; b ;c", "a", ""], ["b", "", ""]),
        ({"part": {"item": 1, "of": " > "}}, ["Food > Tea"], ["Food"]),
        ({"zero_pad": 6}, ["93309", "103309", "x1", ""], ["093309", "103309", "x1", ""]),
        (
            {"path": ["view", "uri"]},
            ['{"view": {"uri": "/a"}}', '{"view": {}}', "", "{}"],
            ["/a", "", "", ""],
        ),
        (
            {"path": ["items", "1", "id"]},
            ['{"items": [{"id": 1}, {"id": 1788208472000000}]}'],
            ["1788208472000000"],
        ),
        (
            {"path": ["key=page", "value", "text"]},
            ['[{"key": "id", "value": {"text": "x"}}, {"key": "page", "value": {"text": "/p"}}]', "[]"],
            ["/p", ""],
        ),
        ({"path": "flag"}, ['{"flag": true, "more": [1.50]}'], ["true"]),
        ({"path": "more"}, ['{"flag": true, "more": [1.50]}'], ['["1.50"]']),
        ({"part": {"before": ";"}, "map": {"a": "b"}, "prefix": "X-"}, ["a;c", ";a"], ["X-b", ""]),
    ],
)
def test_a_text_becomes_another(verb, cells, expected):
    assert texts(verb, cells) == expected


def test_cells_that_are_no_json_are_counted_and_not_shown():
    _, problems = made({"from": "a", "path": "b"}, a=['{"b": 1}', "カナリア", '{"b": '])
    assert problems == ["exports.not_json"]


@pytest.mark.parametrize(
    ("verb", "parts", "expected"),
    [
        (
            {},
            (["2022/8/10", "", "2022/8/11"], ["10:30", "9:00", ""]),
            ["2022/8/10 10:30", "9:00", "2022/8/11"],
        ),
        ({"between": "-"}, (["a", "b"], ["1", ""]), ["a-1", "b"]),
        ({"between": "", "zero_pad": 3}, (["12", "7"], ["1", "x"]), ["12001", "7x"]),
    ],
)
def test_columns_are_put_together(verb, parts, expected):
    found, _ = made({"join": ["a", "b"]} | verb, a=parts[0], b=parts[1])
    assert found.to_list() == expected


TIMES = [
    ("epoch_s", "1788208472", "2026-09-01T05:34:32"),
    ("epoch_s", "1788208472.5", "2026-09-01T05:34:32.500000"),
    ("epoch_ms", "1788208472123", "2026-09-01T05:34:32.123000"),
    ("epoch_us", "1788208472000001", "2026-09-01T05:34:32.000001"),
    ("excel_serial", "46266.25", "2026-09-01T06:00:00"),
    ("excel_serial", "46266.9999999", "2026-09-02T00:00:00"),
    ("era", "平成31年4月30日", "2019-04-30T00:00:00"),
    ("era", "令和元年5月1日", "2019-05-01T00:00:00"),
    ("era", "S63.12.31 23:59", "1988-12-31T23:59:00"),
    ("era", "㋿8年8月9日 午後0時05分", "2026-08-09T12:05:00"),
    ("google_forms_ja", "2026/08/22 12:05:00 午前 GMT+9", "2026-08-22T00:05:00"),
    ("google_forms_ja", "2026/08/22 12:05:00 午後 GMT+9", "2026-08-22T12:05:00"),
    ("google_forms_ja", "2026/08/22 3:50:00 午後 GMT-5:30", "2026-08-23T06:20:00"),
    ("%Y/%m/%d %p %I:%M", "2026/09/01 午前 12:30", "2026-09-01T00:30:00"),
    ("%Y/%m/%d %I:%M %p", "2026/09/01 午後0:30", "2026-09-01T12:30:00"),
    ("%m/%d/%Y %I:%M %p", "9/1/2026 1:05 pm", "2026-09-01T13:05:00"),
    ("%Y/%m/%d", "２０２６／９／１", "2026-09-01T00:00:00"),
    ("%Y/%m/%d %H:%M", "2026/9/1 9:05", "2026-09-01T09:05:00"),
    ("%Y/%m/%d %H:%M", "2026/09/01 09:05", "2026-09-01T09:05:00"),
    ("%Y-%m-%d %H:%M:%S %z", "2026-09-01 00:00:00 +0000", "2026-09-01T09:00:00"),
    ("%Y.%m.%d", "2026.09.01", "2026-09-01T00:00:00"),
    ("%Y/%m/%d %H%M%S", "2022/8/10 093309", "2022-08-10T09:33:09"),
]


@pytest.mark.parametrize(("form", "cell", "expected"), TIMES)
def test_times_as_systems_write_them(form, cell, expected):
    found, problems = made({"from": "a", "format": form}, "timestamp", a=[cell, ""])
    assert not problems
    assert found[0].isoformat() == expected + "+09:00"
    assert pd.isna(found[1])


@pytest.mark.parametrize(
    ("form", "cell"),
    [
        ("epoch_s", "1788208472000"),
        ("epoch_ms", "1788208472"),
        ("epoch_us", "1.78821E+15"),
        ("epoch_s", "9999999999"),
        ("excel_serial", "20260901"),
        ("excel_serial", "0.5"),
        ("era", "令和8年2月30日"),
        ("era", "令和元年4月30日"),
        ("era", "2026年8月9日"),
        ("era", "令和8年8月9日 25時"),
        ("google_forms_ja", "2026/08/22 15:50:00"),
        ("google_forms_ja", "2026/08/22 13:50:00 午後 GMT+9"),
        ("%Y/%m/%d %I:%M %p", "2026/09/01 0:30"),
        ("%Y/%m/%d", "2026/13/01"),
        ("%Y/%m/%d", "2026/09/31"),
        ("%Y/%m/%d", "01/09/2026"),
        ("%Y-%m-%d", "2026/09/01"),
    ],
)
def test_what_is_no_such_time_stops(form, cell):
    found, problems = made({"from": "a", "format": form}, "timestamp", a=[cell])
    assert problems == ["exports.not_in_format"]
    assert found.isna().all()


def test_each_cell_takes_the_first_format_that_fits():
    verb = {"from": "a", "format": ["%d/%m/%Y", "%m/%d/%Y", "excel_serial"]}
    found, problems = made(verb, "date", a=["01/09/2026", "09/13/2026", "46266", "13/13/2026"])
    assert found.dt.strftime("%m-%d").to_list()[:3] == ["09-01", "09-13", "09-01"]
    assert problems == ["exports.not_in_format"]


@pytest.mark.parametrize(
    ("unit", "cells", "expected"),
    [
        ("minutes", ["90", "", "1,440"], ["2026-09-01 10:30", None, "2026-09-02 09:00"]),
        ("hours", ["1.5"], ["2026-09-01 10:30"]),
        ("seconds", ["-60"], ["2026-09-01 08:59"]),
        ("days", ["1"], ["2026-09-02 09:00"]),
        ("clock", ["1:30", "26:00:30"], ["2026-09-01 10:30", "2026-09-02 11:00"]),
    ],
)
def test_a_duration_is_added_to_a_time(unit, cells, expected):
    verb = {"from": "a", "add": {"column": "b", "unit": unit}}
    found, problems = made(verb, "timestamp", a=["2026-09-01 09:00"] * len(cells), b=cells)
    assert not problems
    told = [None if pd.isna(moment) else moment.strftime("%Y-%m-%d %H:%M") for moment in found]
    assert told == expected


def test_what_is_no_duration_stops():
    verb = {"from": "a", "add": {"column": "b", "unit": "clock"}}
    assert made(verb, "timestamp", a=["2026-09-01"], b=["90"])[1] == ["exports.not_a_duration"]


@pytest.mark.parametrize(
    ("cell", "number"), [("(1,200)", -1_200), ("▲300", -300), ("-5", -5), ("7", 7), ("12,50", None)]
)
def test_several_marks_of_a_negative_number_in_one_column(cell, number):
    style = {"thousands": ",", "negative": ["parentheses", "triangle"]}
    found, problems = made({"from": "a", "number": style}, "number", a=[cell])
    assert (found.to_list(), problems) == (
        ([number], [])
        if number is not None
        else (pytest.approx([float("nan")], nan_ok=True), ["tables.not_a_number"])
    )
    assert Number(negative="triangle").negative == ["triangle"]


@given(st.dictionaries(st.integers(0, 12), st.integers(0, 12), max_size=12))
def test_chains_end_where_walking_them_ends(steps):
    ends = chain_ends(steps)
    for start in steps:
        at = start
        for _ in range(len(steps) + 1):
            at = steps.get(at, at)
        assert ends.get(start) == (None if at in steps else at)


# --- rows ---------------------------------------------------------------------------------------------------


def test_merged_ids_are_followed_to_the_end_of_their_chain(bring):
    merges = "old_id,new_id\n07,09\n09,11\n12,12\n"
    rule = {"file": "merges.csv", "from": "old_id", "to": "new_id"}
    part = orders(columns={"customer_id": {"from": "customer", "follow": rule, "prefix": "C"}})
    frame = bring({"orders.csv": PLAIN, "merges.csv": merges}, orders=part).table("orders")
    assert frame["customer_id"].to_list() == ["C11", "C11", "C08"]
    with pytest.raises(TableError, match=r"2 of 4 rows \(first at row 3, 4\)"):
        bring({"merges.csv": "old_id,new_id\n07,09\n09,11\n1,2\n2,1\n"}, orders=part)
    with pytest.raises(InputError, match="merged into two that do not end in one"):
        bring({"merges.csv": "old_id,new_id\n07,09\n07,11\n"}, orders=part)
    with pytest.raises(InputError, match="no column `old_id`"):
        bring({"merges.csv": "old,new_id\n07,09\n"}, orders=part)


def test_files_of_a_pattern_are_read_end_to_end_and_rows_told_with_their_file(bring):
    head, *rows = PLAIN.splitlines(keepends=True)
    files = {"day_2.csv": head + "".join(rows[1:]), "day_1.csv": head + rows[0], "other.csv": "x\n1\n"}
    part = {"files": "day_*.csv", "columns": COLUMNS}
    frame = bring(files, orders=part).table("orders")
    assert frame["line"].to_list() == [1, 2, 1]
    assert bring.summary[["file", "rows_read"]].to_numpy().tolist() == [["day_*.csv", 3]]
    with pytest.raises(TableError) as stopped:
        where = [{"column": "order", "not_in": ["001"]}]
        bring({"day_2.csv": files["day_2.csv"].replace(",7\n", ",seven\n")}, orders=part | {"where": where})
    (problem,) = stopped.value.problems
    assert (problem.file, problem.rows, problem.total) == ("day_2.csv", (2,), 2)
    with pytest.raises(InputError, match="no column `amount`"):
        bring({"day_3.csv": "order,customer,at\n1,a,2026-09-01\n"}, orders=part)
    with pytest.raises(InputError, match="no file `week_"):
        bring({}, orders={"files": "week_*.csv", "columns": COLUMNS})


FIRST = (
    "order,customer,at,amount,state\n1,a,2026-09-01,10,paid\n1,a,2026-09-01,5,paid\n2,b,2026-09-02,7,paid\n"
)
SECOND = "order,customer,at,amount,state\n2,b,2026-09-02,0,cancelled\n3,c,2026-09-03,9,paid\n"


def test_the_latest_file_wins_before_rows_are_chosen(bring):
    """An order that was cancelled since is gone, not the one it was before."""
    part = {"latest": ["order"], "where": [{"column": "state", "not_in": ["cancelled"]}], "columns": COLUMNS}
    for tables in (
        {"files": "*.csv", **part},
        [{"file": "a.csv", **part}, {"file": "b.csv", **part}],
    ):
        frame = bring({"a.csv": FIRST, "b.csv": SECOND}, orders=tables).table("orders")
        assert frame[["order_id", "amount"]].to_numpy().tolist() == [["1", 10], ["1", 5], ["3", 9]]
        steps = ["rows_read", "rows_left_out_by_latest", "rows_left_out_by_where", "rows_written"]
        assert bring.summary[steps].sum().to_list() == [5, 1, 1, 3]


def test_keys_are_compared_as_they_become(bring, monkeypatch):
    monkeypatch.setenv("CX_PSEUDONYM_KEY", "a key long enough to be one")
    text = "mail,at\nA@x.jp,2026-09-02\na@X.jp,2026-09-01\nＡ@x.jp,2026-09-03\nb@x.jp,2026-09-04\n"
    columns = {
        "customer_id": {"from": "mail", "pseudonymise": "ignore_case"},
        "first_seen_on": {"from": "at"},
        "customer_type": {"const": "consumer"},
    }
    part = {"file": "c.csv", "grain": {"by": "mail", "order": "at"}, "columns": columns}
    frame = bring({"c.csv": text}, customers=part).table("customers")
    assert frame["first_seen_on"].dt.day.to_list() == [1, 4]
    exact = columns | {"customer_id": {"from": "mail", "pseudonymise": "exact"}}
    assert len(bring({"c.csv": text}, customers=part | {"columns": exact}).table("customers")) == 3


LONG = (
    "Id,Date,Question,Answer,Agent\n"
    "r1,2026-09-01,nps,9,x\nr1,2026-09-01,why,fast,x\nr2,2026-09-02,nps,3,y\nr3,2026-09-03,why,,y\n"
)


def test_long_answers_become_one_row_each(bring):
    columns = {
        "response_id": {"from": "Id"},
        "answered_at": {"from": "Date"},
        "survey": {"const": "relationship"},
        "nps_score": {"from": "nps"},
        "comment": {"from": "why"},
    }
    pivot = {"by": ["Id"], "name": "Question", "value": "Answer"}
    part = {"file": "long.csv", "pivot": pivot, "columns": columns}
    frame = bring({"long.csv": LONG}, responses=part).table("responses")
    assert frame["response_id"].to_list() == ["r1", "r2", "r3"]
    assert frame["nps_score"].fillna(-1).to_list() == [9, 3, -1]
    assert frame["comment"].fillna("").to_list() == ["fast", "", ""]
    assert bring.summary[["rows_read", "rows_joined_by_pivot", "rows_written"]].to_numpy().tolist() == [
        [4, 1, 3]
    ]
    for text, words in (
        (LONG + "r2,2026-09-02,nps,4,y\n", "two values"),
        (LONG + "r2,2026-09-09,why,late,y\n", "`Date` must be the same"),
        (LONG.replace("why", "reason"), "no row of `Question` holds the question `why`"),
        (LONG.replace("Answer", "Text"), "no column `Answer`"),
    ):
        with pytest.raises(InputError, match=words):
            bring({"long.csv": text}, responses=part)


def test_columns_by_place_and_the_second_of_a_name(bring):
    text = "order,customer,fee,at,fee,a#2\n1,a,10,2026-09-01,20,30\n"
    for name, amount in (("#3", 10), ("fee#1", 10), ("fee#2", 20), ("a#2", 30), ("#6", 30)):
        part = orders(columns={"amount": {"from": name}})
        assert bring({"orders.csv": text}, orders=part).table("orders")["amount"].to_list() == [amount]
    for name, words in (("fee", "`fee#2`"), ("fee#3", "there are 2 of them"), ("#7", "there are 6 of them")):
        with pytest.raises(InputError, match=words):
            bring({"orders.csv": text}, orders=orders(columns={"amount": {"from": name}}))


def test_a_file_without_names_is_read_by_place(bring):
    part = {
        "file": "orders.csv",
        "header_rows": 0,
        "columns": {
            name: verb | {"from": f"#{at}"}
            for at, (name, verb) in enumerate(
                {name: {} for name in ("order_id", "customer_id", "ordered_at", "amount")}.items(), 1
            )
        }
        | {"line": {"row_within": ["#1"]}},
    }
    frame = bring({"orders.csv": PLAIN.split("\n", 1)[1]}, orders=part).table("orders")
    assert frame["amount"].to_list() == [10, 5, 7]


def test_names_of_two_header_rows(bring):
    text = "order,Who,,Sum\n,customer,at,\n1,a,2026-09-01,5\n"
    columns = {
        "customer_id": {"from": "Who / customer"},
        "ordered_at": {"from": "Who / at"},
        "amount": {"from": "Sum"},
    }
    part = orders(columns=columns, header_rows=2, header="joined")
    assert bring({"orders.csv": text}, orders=part).table("orders")["amount"].to_list() == [5]


FOOTERS = {
    "shorter": ("fewer_cells", '\n"Confidential Information - Do Not Distribute"\n"Copyright, 2026"\n'),
    "total": ({"starts_with": ["Grand Totals", "合計"]}, "Grand Totals (3 records),,,22\n"),
    "both": ({"fewer_cells": True, "starts_with": "合計"}, "合計,,,22\nConfidential\n1,2,3,4\n"),
}


@pytest.mark.parametrize("kind", FOOTERS)
def test_rows_end_before_the_footer(bring, kind):
    footer, lines = FOOTERS[kind]
    part = orders(footer=footer)
    frame = bring({"orders.csv": PLAIN + lines}, orders=part).table("orders")
    assert frame["amount"].to_list() == [10, 5, 7]
    assert bring({"orders.csv": PLAIN}, orders=part).table("orders")["amount"].sum() == 22


@pytest.mark.parametrize(
    ("text", "row"),
    [
        (PLAIN + "003,09,2026-09", 4),
        (PLAIN + "003,09,2026-09-03,1,2\nConfidential\n", 4),
        (PLAIN.replace("001,07,2026-09-01,5", "001,07,2026-09-01") + "Confidential\n", 2),
    ],
)
def test_a_cut_row_is_no_footer(bring, text, row):
    with pytest.raises(TableError) as stopped:
        bring({"orders.csv": text}, orders=orders(footer="fewer_cells"))
    assert [(problem.key, problem.rows[0]) for problem in stopped.value.problems] == [("exports.ragged", row)]


# --- customers of other tables ------------------------------------------------------------------------------


def test_customers_are_made_from_the_ids_of_other_tables(bring):
    answers = "id,who,at,nps\nr1,08,2026-08-15 23:30,9\nr2,10,2026-09-09 10:00,2\nr3,,2026-09-09 10:00,2\n"
    responses = {
        "file": "r.csv",
        "columns": {
            "response_id": {"from": "id"},
            "customer_id": {"from": "who"},
            "answered_at": {"from": "at"},
            "survey": {"const": "relationship"},
            "nps_score": {"from": "nps"},
        },
    }
    known = {
        "file": "c.csv",
        "columns": {
            "customer_id": {"from": "id"},
            "first_seen_on": {"const": "2020-01-01"},
            "customer_type": {"const": "business"},
        },
    }
    files = {"orders.csv": PLAIN, "r.csv": answers, "c.csv": "id\n07\n99\n"}
    rule = {"derive": ["orders", "responses"]}
    frame = bring(files, orders=orders(), responses=responses, customers=rule).table("customers")
    told = frame.assign(first_seen_on=frame["first_seen_on"].dt.strftime("%m-%d")).to_numpy().tolist()
    assert [row[:3] for row in told] == [
        ["07", "09-01", "consumer"],
        ["08", "08-15", "consumer"],
        ["10", "09-09", "consumer"],
    ]
    more = bring(files, orders=orders(), responses=responses, customers=[known, rule | {"type": "business"}])
    assert more.table("customers")["customer_id"].to_list() == ["07", "99", "08", "10"]
    assert bring.summary.groupby("table")["rows_written"].sum()["customers"] == 4
    for table, source in (("customers", "ordres"), ("customers", "customers"), ("tickets", "orders")):
        with pytest.raises(InputError, match="cannot be derived"):
            bring(files, orders=orders(), **{table: {"derive": source}})
    with pytest.raises(InputError, match="Did you mean: type"):
        bring(files, orders=orders(), customers={"derive": "orders", "tipe": "business"})


# --- kinds of files -----------------------------------------------------------------------------------------


def workbook(sheets, formats=None):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
        for place, form in (formats or {}).items():
            sheet[place].number_format = form
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


ROWS = [
    ["order", "customer", "at", "amount"],
    [1001.0, 7, pd.Timestamp("2026-09-01 10:30").to_pydatetime(), 19.99],
    [1002, "0008", pd.Timestamp("2026-09-02").to_pydatetime(), 0.1 + 0.2],
]


def test_a_workbook_is_read_as_its_sheet_shows_it(bring):
    content = workbook({"注文": ROWS}, {"B2": "0000"})
    frame = bring({"orders.xlsx": content}, orders=orders("orders.xlsx")).table("orders")
    assert frame["order_id"].to_list() == ["1001", "1002"]
    assert frame["customer_id"].to_list() == ["0007", "0008"]
    assert [moment.isoformat() for moment in frame["ordered_at"]] == [
        "2026-09-01T10:30:00+09:00",
        "2026-09-02T00:00:00+09:00",
    ]
    assert frame["amount"].to_list() == [19.99, 0.3]


def test_sheets_of_a_workbook_are_named_and_joined(bring):
    rows = [["1", "a", "2026-09-01", 5], ["合計", None, None, None]]
    content = workbook(
        {"8月": [["List"], [], ROWS[0], *rows], "9月": [["List"], [], ROWS[0], *rows], "x": []}
    )
    one = orders("orders.xlsx", sheet="8月", skip=1, footer="fewer_cells")
    assert len(bring({"orders.xlsx": content}, orders=one).table("orders")) == 1
    both = bring({"orders.xlsx": content}, orders=one | {"sheet": ["8月", "9月"]}).table("orders")
    assert both["line"].to_list() == [1, 2]
    for sheet, words in ((None, "several sheets"), ("7月", "no sheet")):
        with pytest.raises(InputError, match=words):
            bring({"orders.xlsx": content}, orders=one | {"sheet": sheet})


def zipped(**files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, inner in files.items():
            archive.writestr(name.replace("__", "."), inner)
    return content.getvalue()


def parquet():
    frame = pd.DataFrame(
        {
            "order": ["001", "001", "002"],
            "customer": [7.0, 7.0, None],
            "at": pd.to_datetime(
                ["2026-09-01T01:30Z", "2026-09-01", "2026-09-02"], utc=True, format="ISO8601"
            ),
            "amount": [10.0, 5.5, 7.0],
        }
    )
    content = io.BytesIO()
    frame.to_parquet(content)
    return content.getvalue()


def json_lines():
    rows = [
        {"order": "001", "customer": "07", "at": "2026-09-01", "amount": 10},
        {"order": "001", "at": "2026-09-01", "amount": 5.5, "customer": None},
        {"amount": "7", "order": "002", "at": "2026-09-02", "more": {"a": [1]}},
    ]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


CSV = PLAIN.replace(",5\n", ",5.5\n").encode()
KINDS = {
    "orders.csv": CSV,
    "orders.tsv": CSV.replace(b",", b"\t"),
    "orders.csv.gz": gzip.compress(CSV, mtime=0),
    "orders.zip": zipped(orders__csv=CSV, **{"__MACOSX/._orders__csv": b"x"}),
    "orders.tsv.zip": zipped(orders__tsv=CSV.replace(b",", b"\t")),
    "orders.parquet": parquet(),
    "orders.jsonl": json_lines(),
    "orders.jsonl.gz": gzip.compress(json_lines(), mtime=0),
    "orders_in.zip": zipped(orders__parquet=parquet()),
    "sheet.zip": zipped(a__xlsx=workbook({"a": [line.split(",") for line in CSV.decode().splitlines()]})),
    "misnamed.csv": parquet(),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_file_gives_the_same_rows(bring, name):
    frame = bring({name: KINDS[name]}, orders=orders(name)).table("orders")
    assert frame["order_id"].to_list() == ["001", "001", "002"]
    assert frame["amount"].to_list() == [10, 5.5, 7]
    assert frame["customer_id"][0] in ("7", "07")


WRONG = {
    "PDF": b"%PDF-1.7 canary",
    "web page": b"<html><body>canary",
    "JSON": b'[{"canary": 1}]',
    "XML": b"<?xml version='1.0'?><Workbook><Table>canary",
    "picture": b"\x89PNG canary",
    "old, binary": b"\xd0\xcf\x11\xe0 canary",
    "database": b"SQLite format 3\0 canary",
    "archive": b"7z\xbc\xaf\x27\x1c canary",
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_file_of_another_kind_is_named_as_what_it_is(bring, kind):
    for name, content in {"canary.csv": WRONG[kind], "canary.zip": zipped(canary__csv=WRONG[kind])}.items():
        with pytest.raises(TableError, match=kind) as stopped:
            bring({name: content}, orders=orders(name))
        for lang in ("en", "ja"):
            assert "canary" not in stopped.value.in_language(lang).replace(name, "")


@pytest.mark.parametrize(
    ("name", "content", "key"),
    [
        ("o.zip", zipped(a__csv=b"x", b__csv=b"x"), "exports.many_in_zip"),
        ("o.zip", b"PK\x03\x04 broken", "tables.unreadable"),
        ("o.zip", zipped(a__csv=b"0" * 2_000_000), "tables.unfolds"),
        ("o.xlsx", zipped(**{"xl/workbook__xml": b"<broken"}), "tables.unreadable"),
        ("o.xlsx", workbook({"a": []}), "tables.empty"),
        ("o.parquet", b"PAR1 broken", "tables.unreadable"),
        ("o.jsonl", b'{"a": 1}\n{"a": \n', "exports.no_object"),
        ("o.jsonl", b'{"a": 1}\n[1]\n', "exports.no_object"),
        ("o.jsonl", b'{"a": "\xff"}\n', "tables.unreadable"),
    ],
)
def test_damaged_files_stop_in_words(bring, monkeypatch, name, content, key):
    monkeypatch.setattr("cxlib.data.exports.source_files.SURELY_FINE", 1 << 20)
    with pytest.raises(TableError) as stopped:
        bring({name: content}, orders=orders(name))
    assert [problem.key for problem in stopped.value.problems] == [key]
    assert all(problem.text(lang) for problem in stopped.value.problems for lang in ("en", "ja"))


def test_the_first_encoding_that_fits_the_whole_file(bring):
    text = PLAIN.replace("07", "石鹸")
    for encoding in ("utf-8", "cp932"):
        part = orders(encoding=["utf-8", "cp932"])
        frame = bring({"orders.csv": text}, encoding, orders=part).table("orders")
        assert frame["customer_id"][0] == "石鹸"
    with pytest.raises(TableError, match="looks like"):
        bring({"orders.csv": text}, "euc_jp", orders=orders(encoding=["utf-8", "ascii"]))


# --- the data set -------------------------------------------------------------------------------------------


def test_what_a_mapping_leaves_out_is_said_or_found(bring):
    options = {"currency": "JPY", "timezone": "Asia/Tokyo"}
    data_set = bring({"orders.csv": PLAIN}, data_set={}, options=options, orders=orders())
    assert (data_set.settings.name, data_set.settings.extracted.date().isoformat()) == ("shop", "2026-09-02")
    (notice,) = [found for found in bring.summary.attrs["notices"] if found.key == "exports.last_day"]
    assert "2026-09-02" in notice.text("ja")
    said = options | {"name": "My shop", "extracted_at": "2026-10-01"}
    data_set = bring({"orders.csv": PLAIN}, data_set={"name": "x"}, options=said, orders=orders())
    assert (data_set.settings.name, data_set.settings.extracted.day) == ("My shop", 1)
    assert not [found for found in bring.summary.attrs["notices"] if found.key == "exports.last_day"]
    for given_, words in (({}, "--currency, --timezone"), (options | {"currency": "YEN"}, "ISO 4217")):
        with pytest.raises(InputError, match=words):
            bring({"orders.csv": PLAIN}, data_set={}, options=given_, orders=orders())


VERBS = {
    "from": "customer",
    "part": {"before": "-"},
    "map": {"07": "7"},
    "otherwise": "keep",
    "prefix": "C",
}
BLOCK = orders(
    fill_down={"columns": ["customer"]},
    latest=["order"],
    where=[{"column": "amount", "not_in": ["5"]}],
    grain={"by": ["order"]},
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(list(VERBS)), st.permutations(list(BLOCK)))
def test_the_order_of_verbs_in_the_file_does_not_matter(tmp_path, verbs, keys):
    block = {key: BLOCK[key] for key in keys}
    block["columns"] = BLOCK["columns"] | {"customer_id": {key: VERBS[key] for key in verbs}}
    content = {"data_set": {"currency": "JPY", "timezone": "UTC"}, "tables": {"orders": block}}
    (tmp_path / "m.yml").write_text(yaml.safe_dump(content, sort_keys=False))
    (tmp_path / "orders.csv").write_text(PLAIN.replace("07", "07-x"))
    import_export(tmp_path / "m.yml", tmp_path, tmp_path / "shop")
    frame = open_data(tmp_path / "shop").table("orders")
    assert frame[["customer_id", "amount"]].to_numpy().tolist() == [["C7", 10], ["C08", 7]]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 2), st.integers(-500, 500)), min_size=1, max_size=30
    ),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
@example(rows=[(3, 0, 0)], latest=False, where=True, grain=False)
def test_every_row_is_written_or_left_out_by_one_step(tmp_path, rows, latest, where, grain):
    for file in range(3):
        lines = [f"{order},c{order},2026-09-01,{amount / 100}\n" for order, at, amount in rows if at == file]
        (tmp_path / f"{file}.csv").write_text("order,customer,at,amount\n" + "".join(lines))
    block = {"files": "?.csv", "columns": COLUMNS}
    block |= {"latest": ["order"]} if latest else {}
    block |= {"where": [{"column": "order", "not_in": ["3"]}]} if where else {}
    block |= {"grain": {"by": ["order"]}} if grain else {}
    content = {"data_set": {"currency": "JPY", "timezone": "UTC"}, "tables": {"orders": block}}
    (tmp_path / "m.yml").write_text(yaml.safe_dump(content))
    summary = import_export(tmp_path / "m.yml", tmp_path, tmp_path / "shop", extracted_at="2026-10-01")
    counts = summary.iloc[0]
    left = [counts[name] for name in counts.index if name.startswith(("rows_left", "rows_joined"))]
    assert counts["rows_read"] == len(rows) == counts["rows_written"] + sum(left)
    kept = [row for row in rows if not (where and row[0] == 3)]
    if latest:
        last = {order: max(at for one, at, _ in rows if one == order) for order, *_ in rows}
        kept = [row for row in kept if row[1] == last[row[0]]]
    kept = sorted(kept, key=lambda row: row[1])
    if grain:
        kept = [
            next(group)
            for _, group in itertools.groupby(sorted(kept, key=lambda row: row[0]), lambda row: row[0])
        ]
    total = sum(Decimal(amount) for *_, amount in kept) / 100
    assert counts["amount_total"] == pytest.approx(float(total), abs=1e-9)


def test_a_telephone_is_one_customer_however_it_is_written_and_that_is_said(bring):
    cells = ["090-1234-5678", "9012345678", "+81 90-1234-5678", "０９０１２３４５６７８", "03-1234-5678"]
    cells += ["000-0000-0000", "", "99999999999", "090-0000-0000", "内線 12"]
    text = "o,p,d,a\n" + "".join(f"A{at},{cell},2026-09-0{at % 9 + 1},100\n" for at, cell in enumerate(cells))
    columns = {"order_id": {"from": "o"}, "line": {"const": 1}, "amount": {"from": "a"}}
    columns |= {"ordered_at": {"from": "d"}, "customer_id": {"from": "p", "pseudonymise": "phone"}}
    told = bring.source.parent / "key"
    told.write_text("a key long enough to be one")
    shop = bring({"o.csv": text}, orders={"file": "o.csv", "columns": columns}, options={"key_file": told})
    ids = shop.table("orders").set_index("order_id")["customer_id"]
    assert len(set(ids[["A0", "A1", "A2", "A3"]])) == 1 and ids["A4"] != ids["A0"]
    assert ids[[f"A{at}" for at in range(5, 10)]].isna().all(), "nobody's numbers"
    notices = {one.key: one for one in bring.summary.attrs["notices"]}
    assert notices["exports.known_by_phone"].count == 5
    held = (bring.source.parent / "shop" / "import.json").read_text()
    assert "known_by_phone" in held and "1234" not in held
