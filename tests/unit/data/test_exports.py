"""Exports as real systems write them become tables of the contract, by closed verbs only."""

import errno
import json

import pandas as pd
import pytest

from cxlib.checks import InputError, OutputError, ParameterError, TableError
from cxlib.data.exports.convert_export import import_export
from cxlib.data.tables.data_set import open_data
from cxlib.samples.simulate import write_sample

KEY = "a key long enough to be one"


def orders(**changes):
    """Mapping of a plain order export, with changes; `columns` and the rest are merged."""
    columns = {
        "order_id": {"from": "order"},
        "line": {"row_within": ["order"]},
        "customer_id": {"from": "customer"},
        "ordered_at": {"from": "at"},
        "amount": {"from": "amount"},
    }
    columns |= changes.pop("columns", {})
    return {"file": "orders.csv", "columns": columns, **changes}


PLAIN = "order,customer,at,amount\n001,07,2026-09-01,10\n001,07,2026-09-01,5\n002,08,2026-09-02,7\n"


def test_a_plain_export_arrives_with_its_zeros_lines_and_totals(bring):
    data_set = bring({"orders.csv": PLAIN}, orders=orders())
    frame = data_set.table("orders")
    assert frame["order_id"].to_list() == ["001", "001", "002"]
    assert frame["line"].to_list() == [1, 2, 1]
    assert str(frame["ordered_at"][0]) == "2026-09-01 00:00:00+09:00"
    assert bring.summary.to_dict("records") == [
        {
            "table": "orders",
            "file": "orders.csv",
            "rows_read": 3,
            "rows_without_match": 0,
            "rows_joined_by_pivot": 0,
            "rows_left_out_by_latest": 0,
            "rows_left_out_by_where": 0,
            "rows_left_out_by_grain": 0,
            "rows_written": 3,
            "amount_total": 22,
            "left_out": {},
        }
    ]


def test_hubspot_writes_satisfaction_as_0_1_2(bring):
    text = "Response ID,Email,Date,CSAT\n1,Taro@Example.jp,1788220800000,2\n2,taro@example.jp,,0\n3,,,\n"
    text = text.replace("1788220800000", "09/01/2026 9:30 AM").replace(",,0", ",09/02/2026 1:05 PM,0")
    text = text.replace("3,,,", "3,,09/03/2026 1:05 PM,")
    columns = {
        "response_id": {"from": "Response ID", "prefix": "HS-"},
        "customer_id": {"from": "Email", "pseudonymise": "ignore_case"},
        "answered_at": {"from": "Date", "format": "%m/%d/%Y %I:%M %p", "timezone": "America/New_York"},
        "survey": {"const": "transaction"},
        "csat_score": {"from": "CSAT", "map": {0: 1, 1: 3, 2: 5}},
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CX_PSEUDONYM_KEY", KEY)
        with pytest.raises(ParameterError, match="CX_PSEUDONYM_KEY"):
            patch.setenv("CX_PSEUDONYM_KEY", "short")
            bring({"csat.csv": text}, responses={"file": "csat.csv", "columns": columns})
        patch.setenv("CX_PSEUDONYM_KEY", KEY)
        frame = bring({"csat.csv": text}, responses={"file": "csat.csv", "columns": columns}).table(
            "responses"
        )
    assert frame["response_id"].to_list() == ["HS-1", "HS-2", "HS-3"]
    assert frame["csat_score"].fillna(0).to_list() == [5, 1, 0]
    assert str(frame["answered_at"][0]) == "2026-09-01 22:30:00+09:00"
    first, second, third = frame["customer_id"]
    assert first == second
    assert len(first) == 32
    assert pd.isna(third)


def test_pseudonyms_need_the_key_and_the_key_is_not_stored(bring, tmp_path, monkeypatch):
    verb = {"columns": {"customer_id": {"from": "customer", "pseudonymise": "exact"}}}
    with pytest.raises(ParameterError, match="16 characters"):
        bring({"orders.csv": PLAIN}, orders=orders(**verb))
    ids = []
    for key in (KEY, KEY, "another key long enough"):
        monkeypatch.setenv("CX_PSEUDONYM_KEY", key)
        if key != KEY:
            (tmp_path / "shop").rename(tmp_path / "former")
        ids.append(
            bring({"orders.csv": PLAIN}, orders=orders(**verb)).table("orders")["customer_id"].to_list()
        )
        stored = b"".join(path.read_bytes() for path in (tmp_path / "shop").iterdir())
        assert key.encode() not in stored
    assert ids[0] == ids[1] != ids[2]
    assert ids[0][0] == ids[0][1] != ids[0][2]


def test_folders_and_files_that_are_not_there(bring, tmp_path):
    bring({"orders.csv": PLAIN}, orders=orders())
    mapping = tmp_path / "mapping.yml"
    for folder in ("nowhere", "x" * 300):
        with pytest.raises(InputError, match="--from"):
            import_export(mapping, tmp_path / folder, tmp_path / "shop")
    with pytest.raises(InputError, match="is not there"):
        import_export(tmp_path / "none.yml", tmp_path / "export", tmp_path / "shop")


def test_the_key_may_come_from_a_file(bring, tmp_path):
    columns = {"customer_id": {"from": "customer", "pseudonymise": "exact"}}
    with pytest.raises(ParameterError):
        bring({"orders.csv": PLAIN}, orders=orders(columns=columns))
    with pytest.raises(ParameterError, match="16 characters"):
        import_export(tmp_path / "mapping.yml", tmp_path / "export", tmp_path / "shop", key_file="/no/key")
    key_file = tmp_path / "key"
    key_file.write_text(KEY + "\n")
    import_export(tmp_path / "mapping.yml", tmp_path / "export", tmp_path / "shop", key_file=key_file)
    assert open_data(tmp_path / "shop").table("orders")["customer_id"].str.len().eq(32).all()


SHOPIFY = (
    "Name,Email,Created at,Total,Lineitem name,Lineitem price\n"
    "#1001,a@b.jp,2026-09-01 10:00:00 +0900,30.50,Soap,10.50\n"
    "#1001,,,,Cream,20.00\n"
    "#1002,c@d.jp,2026-09-02 10:00:00 +0900,5.00,Soap,5.00\n"
)


def test_shopify_leaves_order_fields_blank_after_the_first_line(bring, monkeypatch):
    monkeypatch.setenv("CX_PSEUDONYM_KEY", KEY)
    part = orders(
        fill_down={"columns": ["Email", "Created at"], "within": ["Name"]},
        columns={
            "order_id": {"from": "Name"},
            "line": {"row_within": ["Name"]},
            "customer_id": {"from": "Email", "pseudonymise": "ignore_case"},
            "ordered_at": {"from": "Created at", "format": "%Y-%m-%d %H:%M:%S %z"},
            "amount": {"from": "Lineitem price"},
            "product": {"from": "Lineitem name"},
        },
    )
    frame = bring({"orders.csv": SHOPIFY}, orders=part).table("orders")
    assert frame["amount"].sum() == 35.5
    assert frame["customer_id"].nunique() == 2
    assert frame["customer_id"][0] == frame["customer_id"][1]
    assert frame["line"].to_list() == [1, 2, 1]
    assert str(frame["ordered_at"][1]) == "2026-09-01 10:00:00+09:00"


REPEATED = "order,customer,at,amount,item\n1,a,2026-09-01,30,x\n1,a,2026-09-01,30,y\n2,b,2026-09-02,5,x\n"


def test_an_order_total_on_every_line_is_counted_once(bring):
    part = orders(grain={"by": ["order"], "same": ["amount"]})
    frame = bring({"orders.csv": REPEATED}, orders=part).table("orders")
    assert frame["amount"].to_list() == [30, 5]
    assert bring.summary["rows_left_out_by_grain"].to_list() == [1]


def test_totals_that_differ_within_an_order_stop(bring):
    part = orders(grain={"by": ["order"], "same": ["amount"]})
    with pytest.raises(InputError, match="it differs in 1 row"):
        bring({"orders.csv": REPEATED.replace("30,y", "31,y")}, orders=part)


def test_grain_keeps_the_first_by_order(bring):
    text = "customer,at\nb,2026-09-03\na,2026-09-02\nb,2026-09-01\n"
    columns = {
        "customer_id": {"from": "customer"},
        "first_seen_on": {"from": "at"},
        "customer_type": {"const": "consumer"},
    }
    part = {"file": "log.csv", "grain": {"by": ["customer"], "order": "at"}, "columns": columns}
    frame = bring({"log.csv": text}, customers=part).table("customers")
    assert frame["customer_id"].to_list() == ["a", "b"]
    assert frame["first_seen_on"].dt.day.to_list() == [2, 1]


def test_qualtrics_writes_three_header_rows(bring):
    text = (
        "ResponseId,RecordedDate,Q1,Status\n"
        'Response ID,"Recorded\nDate","How likely, 0 to 10?",Response Type\n'
        '"{""ImportId"":""_recordId""}","{""ImportId"":""recordedDate""}","{""ImportId"":""QID1""}",x\n'
        "R_1,2026-09-01 00:30:00,9,IP Address\n"
        "R_2,2026-09-01 00:31:00,,Survey Preview\n"
    )
    columns = {
        "response_id": {"from": "ResponseId"},
        "answered_at": {"from": "RecordedDate", "timezone": "America/Denver"},
        "survey": {"const": "relationship"},
        "nps_score": {"from": "Q1"},
    }
    where = [{"column": "Status", "not_in": ["Survey Preview"]}]
    part = {"file": "q.csv", "header_rows": 3, "where": where, "columns": columns}
    frame = bring({"q.csv": text}, responses=part).table("responses")
    assert frame["response_id"].to_list() == ["R_1"]
    assert str(frame["answered_at"][0]) == "2026-09-01 15:30:00+09:00"
    assert bring.summary["rows_left_out_by_where"].to_list() == [1]


JAPANESE = (
    "出力日,2026/10/01\n"
    "受注番号,会員番号,受注日時,小計,値引,商品\n"
    'Ａ−１,0007,2026年9月1日 10時05分,"￥１，２００",△200,石けん\n'
    'A-2,0008,2026年9月2日 09時00分,"3,000円",,クリーム\n'
)


def test_a_japanese_shop_writes_cp932_full_width_digits_and_triangles(bring):
    style = {"thousands": ",", "symbols": ["¥", "円"], "negative": "triangle"}
    part = orders(
        encoding="cp932",
        skip=1,
        columns={
            "order_id": {"from": "受注番号"},
            "line": {"row_within": []},
            "customer_id": {"from": "会員番号"},
            "ordered_at": {"from": "受注日時", "format": "%Y年%m月%d日 %H時%M分"},
            "amount": {"minus": ["小計", "値引"], "number": style},
            "product": {"from": "商品"},
        },
    )
    frame = bring({"orders.csv": JAPANESE}, encoding="cp932", orders=part).table("orders")
    assert frame["amount"].to_list() == [1400, 3000]
    assert frame["customer_id"].to_list() == ["0007", "0008"]
    assert frame["product"].to_list() == ["石けん", "クリーム"]
    assert str(frame["ordered_at"][0]) == "2026-09-01 10:05:00+09:00"
    with pytest.raises(InputError, match="encoding: cp932"):
        bring({"orders.csv": JAPANESE}, encoding="cp932", orders=part | {"encoding": "utf-8"})


@pytest.mark.parametrize(
    ("cell", "style", "number"),
    [
        ("1.234,50", {"thousands": ".", "decimal": ","}, 1234.5),
        ("(12)", {"negative": "parentheses"}, -12),
        ("▲3", {"negative": "triangle"}, -3),
        ("−4", {}, -4),
        ("１，２３４", {"thousands": "，"}, 1234),
        ("1,234", {"thousands": "，"}, 1234),
        ("１．２３４，５", {"thousands": "．", "decimal": "，"}, 1234.5),
        (" 1 234 ", {}, 1234),
        ("¥5", {"symbols": ["¥"]}, 5),
        ("", {}, None),
    ],
)
def test_numbers_as_systems_write_them(bring, cell, style, number):
    text = f'order,customer,at,amount,margin\n1,a,2026-09-01,1,"{cell}"\n'
    part = orders(columns={"margin": {"from": "margin", "number": style}})
    found = bring({"orders.csv": text}, orders=part).table("orders")["margin"]
    assert found.isna().all() if number is None else found.to_list() == [number]


@pytest.mark.parametrize(("cell", "style"), [("1,234", {}), ("¥5", {}), ("1.5", {"decimal": ","})])
def test_numbers_that_could_mean_two_things_stop(bring, cell, style):
    part = orders(columns={"amount": {"from": "amount", "number": style}})
    with pytest.raises(TableError, match="Must hold numbers; 1 of 1 rows"):
        bring({"orders.csv": f'order,customer,at,amount\n1,a,2026-09-01,"{cell}"\n'}, orders=part)


def test_the_remedy_for_a_value_lies_in_the_mapping(bring):
    for at, amount, words in (("2026-09-01", "5 yen", "`number`"), ("1 Sept", "5", "`format`")):
        with pytest.raises(TableError) as stopped:
            bring({"orders.csv": f"order,customer,at,amount\n1,a,{at},{amount}\n"}, orders=orders())
        for lang in ("en", "ja"):
            message = stopped.value.in_language(lang)
            assert words in message and "cx import" not in message


def test_two_sources_of_an_id_and_two_files_of_a_table(bring):
    other = "order,member,guest,at,amount\n9,,g1,2026-09-03,1\n"
    second = orders(
        file="store.csv", columns={"customer_id": {"first_non_empty": ["member", "guest"], "prefix": "S-"}}
    )
    frame = bring({"orders.csv": PLAIN, "store.csv": other}, orders=[orders(), second]).table("orders")
    assert frame["customer_id"].to_list() == ["07", "07", "08", "S-g1"]
    assert bring.summary["rows_written"].to_list() == [3, 1]


def test_a_lookup_never_multiplies_rows(bring):
    products = "sku,brand\n10,A\n5,B\n"
    lookup = [{"file": "p.csv", "on": "amount", "key": "sku", "columns": ["brand"]}]
    part = orders(lookup=lookup, columns={"brand": {"from": "brand"}})
    frame = bring({"orders.csv": PLAIN, "p.csv": products}, orders=part).table("orders")
    assert frame["brand"].fillna("-").to_list() == ["A", "B", "-"]
    assert bring.summary["rows_without_match"].to_list() == [1]
    with pytest.raises(InputError, match="1 row repeats a key"):
        bring({"orders.csv": PLAIN, "p.csv": products + "5,C\n"}, orders=part)


def test_values_that_the_mapping_does_not_know(bring):
    verb = {"from": "customer", "map": {"07": "7"}}
    with pytest.raises(TableError, match=r"1 of 3 rows \(first at row 3\)") as stopped:
        bring({"orders.csv": PLAIN}, orders=orders(columns={"customer_id": verb}))
    assert "08" not in str(stopped.value)
    for otherwise, expected in (("keep", "08"), ("empty", "-")):
        part = orders(columns={"customer_id": verb | {"otherwise": otherwise}})
        frame = bring({"orders.csv": PLAIN}, orders=part).table("orders")
        assert frame["customer_id"].fillna("-").to_list() == ["7", "7", expected]


def test_columns_of_your_own_take_their_type_from_their_verbs(bring):
    text = 'order,customer,at,amount,points,since\n1,a,2026-09-01,1,"1,000",2026-01-05\n'
    extra = {
        "points": {"from": "points", "number": {"thousands": ","}},
        "member_since": {"from": "since", "format": "%Y-%m-%d"},
        "shop": {"const": "Ginza"},
    }
    frame = bring({"orders.csv": text}, orders=orders(extra=extra)).table("orders")
    assert frame["points"].to_list() == [1000]
    assert str(frame["member_since"][0]) == "2026-01-05 00:00:00+09:00"
    assert frame["shop"].to_list() == ["Ginza"]


@pytest.mark.parametrize("name", ["customer", "mail"])
def test_contact_data_do_not_pass(bring, name):
    text = "order,customer,at,amount\n1,a@b.jp,2026-09-01,1\n"
    part = (
        orders()
        if name == "customer"
        else orders(columns={"customer_id": {"const": "x"}}, extra={"mail": {"const": "y"}})
    )
    with pytest.raises(TableError, match="pseudonymise"):
        bring({"orders.csv": text}, orders=part)


def test_times_that_do_not_fit_their_format_stop(bring):
    part = orders(columns={"ordered_at": {"from": "at", "format": "%d.%m.%Y"}})
    with pytest.raises(TableError, match=r"format %d\.%m\.%Y; 3 of 3 rows"):
        bring({"orders.csv": PLAIN}, orders=part)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fil": "x"}, "Did you mean: file"),
        ({"columns": {"amount": {"form": "amount"}}}, "Did you mean: format, from"),
        ({"columns": {"amount": {"from": "a", "const": 1}}}, "exactly one of from"),
        ({"columns": {"amount": {"from": "amount", "number": {"thousand": ","}}}}, "Did you mean: thousands"),
        ({"columns": {"amuont": {"from": "amount"}}}, "Did you mean: amount"),
        ({"columns": {"amount": {"from": "amuont"}}}, "Did you mean: amount"),
        ({"columns": {"ordered_at": {"from": "at", "timezone": "Tokyo"}}}, "Asia/Tokyo"),
        ({"extra": {"amount": {"from": "amount"}}}, "from `extra` to `columns`"),
        ({"file": "order.csv"}, "Did you mean: orders.csv"),
        ({"file": "../orders.csv"}, "inside the folder"),
        ({"file": "/etc/passwd"}, "inside the folder"),
        ({"file": "C:o.csv"}, "inside the folder"),
        ({"file": "C:/o.csv"}, "inside the folder"),
        ({"where": [{"column": "at", "is_in": ["a"], "empty": True}]}, "exactly one of is_in"),
        ({"where": [{"column": "on", "empty": False}]}, "no column `on`"),
        ({"header_rows": -1}, "at least 0"),
        ({"columns": {"ordered_at": {"from": "at", "format": "%Q"}}}, "time format such as"),
        ({"encoding": "klingon"}, "no known encoding"),
        ({"delimiter": ";"}, "no column `amount`"),
        ({"files": "*.csv"}, "exactly one of file, files"),
        ({"footer": {}}, "at least one of fewer_cells, starts_with"),
        ({"footer": "fewer"}, "must be entries"),
        (
            {"columns": {"order_id": {"from": "order", "part": {"before": ";", "item": 1}}}},
            "exactly one of before",
        ),
        ({"columns": {"amount": {"product": ["amount"]}}}, "at least 2"),
        ({"columns": {"ordered_at": {"from": "at", "format": ["%Y", "epoch"]}}}, "time format such as"),
        (
            {"columns": {"ordered_at": {"from": "at", "add": {"column": "at", "unit": "weeks"}}}},
            "must be 'seconds'",
        ),
        ({"pivot": {"by": "order", "names": "at", "value": "at"}}, "Did you mean: name"),
        (
            {
                "columns": {
                    "order_id": {"from": "order", "follow": {"file": "../m.csv", "from": "a", "to": "b"}}
                }
            },
            "inside",
        ),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(bring, change, words):
    with pytest.raises(InputError, match=words) as stopped:
        bring({"orders.csv": PLAIN}, orders=orders(**change))
    assert stopped.value.in_language("ja") != str(stopped.value)


def test_tables_and_required_columns_are_those_of_the_contract(bring):
    with pytest.raises(InputError, match="Did you mean: orders"):
        bring({"orders.csv": PLAIN}, ordres=orders())
    part = orders()
    del part["columns"]["amount"]
    with pytest.raises(InputError, match="needs the column `amount`"):
        bring({"orders.csv": PLAIN}, orders=part)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("order,customer,at,amount\n1,2,3,4,5\n", "same number of columns"),
        ("order,order,customer,at,amount\n1,1,a,2026-09-01,4\n", "twice"),
    ],
)
def test_files_that_cannot_be_read_are_named(bring, text, words):
    with pytest.raises(InputError, match=words):
        bring({"orders.csv": text}, orders=orders())


def test_the_target_is_written_whole_or_not_at_all(bring, tmp_path):
    bring({"orders.csv": PLAIN}, orders=orders())
    before = {path.name: path.read_bytes() for path in (tmp_path / "shop").iterdir()}
    with pytest.raises(TableError):
        bring({"orders.csv": PLAIN.replace(",10", ",ten")}, orders=orders())
    assert {path.name: path.read_bytes() for path in (tmp_path / "shop").iterdir()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["export", "mapping.yml", "shop"]
    bring({"orders.csv": PLAIN}, orders=orders())
    assert {path.name: path.read_bytes() for path in (tmp_path / "shop").iterdir()} == before


def test_a_folder_with_something_else_in_it_is_left_alone(bring, tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "mine.txt").write_text("precious")
    with pytest.raises(ParameterError, match="empty or new"):
        bring({"orders.csv": PLAIN}, orders=orders())
    assert (tmp_path / "shop" / "mine.txt").read_text() == "precious"


def test_the_summary_counts_and_holds_no_customer(bring, tmp_path):
    bring({"orders.csv": PLAIN.replace("07", "canary")}, orders=orders())
    text = (tmp_path / "shop" / "import.json").read_text()
    assert "canary" not in text
    assert json.loads(text)["tables"][0]["amount_total"] == 22


def test_the_summary_tells_one_mapping_from_another(bring, tmp_path):
    told = []
    for note in ("note", "note", "remark"):
        bring({"orders.csv": PLAIN}, orders=orders(extra={note: {"from": "customer"}}))
        told.append(json.loads((tmp_path / "shop" / "import.json").read_text())["mapping"])
    assert told[0] == told[1] != told[2]


def test_another_key_over_the_same_target_stops(bring, tmp_path, monkeypatch):
    part = orders(columns={"customer_id": {"from": "customer", "pseudonymise": "exact"}})
    monkeypatch.setenv("CX_PSEUDONYM_KEY", KEY)
    bring({"orders.csv": PLAIN}, orders=part)
    before = {path.name: path.read_bytes() for path in (tmp_path / "shop").iterdir()}
    monkeypatch.setenv("CX_PSEUDONYM_KEY", KEY + " but another")
    with pytest.raises(ParameterError, match="another pseudonym key"):
        bring({"orders.csv": PLAIN}, orders=part)
    assert {path.name: path.read_bytes() for path in (tmp_path / "shop").iterdir()} == before
    monkeypatch.setenv("CX_PSEUDONYM_KEY", KEY)
    bring({"orders.csv": PLAIN}, orders=part)
    assert KEY.encode() not in before["import.json"]


@pytest.mark.parametrize("content", [b"\xff\xfe key that is no UTF-8", b"short", b""])
def test_a_key_file_that_holds_no_key_is_a_sentence(bring, tmp_path, content):
    part = orders(columns={"customer_id": {"from": "customer", "pseudonymise": "exact"}})
    with pytest.raises(ParameterError):
        bring({"orders.csv": PLAIN}, orders=part)
    (tmp_path / "key").write_bytes(content)
    for key_file in (tmp_path / "key", tmp_path, "a\0b", "/no/such/key"):
        with pytest.raises(ParameterError, match="16 characters"):
            import_export(tmp_path / "mapping.yml", tmp_path / "export", tmp_path / "shop", key_file=key_file)


@pytest.mark.parametrize("record", ["", "not json", "[" * 100_000])
def test_a_damaged_record_of_an_import_is_no_ground_to_write_over(bring, tmp_path, record):
    bring({"orders.csv": PLAIN}, orders=orders())
    (tmp_path / "shop" / "import.json").write_text(record)
    with pytest.raises(ParameterError, match="empty or new"):
        bring({"orders.csv": PLAIN}, orders=orders())
    assert open_data(tmp_path / "shop").problems == []


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("order,customer,at,amount\n1,a,2026-09-01,inf\n", "exports.not_a_number"),
        ("order,customer,at,amount\n1,a,2026-09-01,\n", "exports.not_a_number tables.missing_value"),
        ("order,customer,at,amount\n,a,2026-09-01,5\n", "tables.missing_value"),
        ("order,customer,at,amount\n1,a,,5\n", "tables.missing_value"),
        ("order,customer,at,amount\n1,a,2026-09-01,5\n2,a,2026-03-02\n", "exports.ragged"),
        ("order,customer,at,amount\n1,a,2026-09-01,5\nConfidential Information\n", "exports.ragged"),
        ("order,customer,at,amount\n1.5,a,2026-09-01,5\n", "tables.id_fraction"),
        ("order,customer,at,amount\n1,1.2E+12,2026-09-01,5\n", "tables.id_scientific"),
        ('order,customer,at,amount\n1,a,2026-09-01,"5,5"\n', "exports.not_a_number"),
    ],
)
def test_an_import_that_breaks_the_contract_says_so_and_writes_nothing(bring, tmp_path, text, key):
    with pytest.raises(TableError) as stopped:
        bring({"orders.csv": text}, orders=orders())
    assert {problem.key for problem in stopped.value.problems} <= set(key.split())
    assert stopped.value.problems[0].file == "orders.csv"
    assert not (tmp_path / "shop").exists()


def test_what_only_the_whole_table_shows_stops_an_import_too(bring, tmp_path):
    """Scores off their scale and ids that stand twice are found by the check of what was written."""
    text = "id,at,nps\nr1,2026-09-01,11\nr1,2026-09-02,5\n"
    columns = {
        "response_id": {"from": "id"},
        "answered_at": {"from": "at"},
        "survey": {"const": "relationship"},
        "nps_score": {"from": "nps"},
    }
    with pytest.raises(TableError) as stopped:
        bring({"r.csv": text}, responses={"file": "r.csv", "columns": columns})
    assert {problem.key for problem in stopped.value.problems} == {"tables.off_scale", "tables.key_conflict"}
    assert {problem.file for problem in stopped.value.problems} == {"r.csv"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["export", "mapping.yml"]


def test_a_file_without_rows_is_imported_and_noticed(bring):
    data_set = bring({"orders.csv": "order,customer,at,amount\n"}, orders=orders())
    assert len(data_set.table("orders")) == 0
    assert [notice.key for notice in bring.summary.attrs["notices"]] == ["tables.no_rows"]


def test_rows_that_only_a_generated_id_tells_apart_are_noticed(bring):
    """Two exports that overlap: the same three answers stand in both, under other numbers."""
    first = "at,mail,nps\n2026-08-01 10:00,c1,9\n2026-08-01 10:01,c2,8\n2026-08-02 10:00,c1,9\n"
    second = first + "2026-09-01 10:00,c3,3\n"

    def part(file):
        return {
            "file": file,
            "columns": {
                "response_id": {"row_within": [], "prefix": file},
                "customer_id": {"from": "mail"},
                "answered_at": {"from": "at", "format": "%Y-%m-%d %H:%M"},
                "survey": {"const": "relationship"},
                "wave": {"const": file},
                "nps_score": {"from": "nps"},
            },
        }

    data_set = bring({"aug.csv": first, "sep.csv": second}, responses=[part("aug.csv"), part("sep.csv")])
    (notice,) = [problem for problem in data_set.problems if problem.key == "exports.copies"]
    assert (notice.file, notice.count, notice.total, notice.rows) == ("sep.csv", 3, 4, (1, 2, 3))
    assert notice in bring.summary.attrs["notices"]
    bring({"aug.csv": first}, responses=part("aug.csv"))
    assert bring.summary.attrs["notices"] == []


def test_notices_of_an_import_stay_with_its_data(bring):
    text = 'order,customer,at,amount\n="001",a,2026-09-01,１２\n'
    data_set = bring({"orders.csv": text}, orders=orders())
    assert data_set.table("orders")[["order_id", "amount"]].to_numpy().tolist() == [["001", 12]]
    assert [problem.key for problem in data_set.notices] == ["tables.guarded"]
    assert all(problem.text(lang) for problem in data_set.notices for lang in ("en", "ja"))


@pytest.mark.parametrize(
    ("cells", "verb", "first"),
    [
        (["2026/10/1", "2026/9/30"], {"format": "%Y/%m/%d"}, 1),
        (["2026/08/01 16:13", "2026/08/01 7:37"], {"format": "%Y/%m/%d %H:%M"}, 1),
        (["10.09.2026", "02.10.2026"], {"format": "%d.%m.%Y"}, 0),
        (["1.000,5", "999"], {"number": {"thousands": ".", "decimal": ","}}, 1),
        (["10", "9"], None, 1),
        (["-1", "-2"], None, 1),
        (["2026/10/1", "2026/9/30"], None, 1),
        (["2026-09-02", "2026-09-01T23:00"], None, 1),
        (["A0010", "A0009"], None, 1),
        (["", "2026-09-01"], None, 1),
    ],
)
def test_the_first_row_is_the_first_in_the_declared_type(bring, cells, verb, first):
    text = "customer,when,place\n" + "".join(f"a,{cell},{n}\n" for n, cell in enumerate(cells))
    text = text.replace("1.000,5", '"1.000,5"')
    columns = {
        "customer_id": {"from": "customer"},
        "first_seen_on": {"const": "2026-01-01"},
        "customer_type": {"const": "consumer"},
    }
    extra = {"place": {"from": "place"}} | ({"sorted_by": {"from": "when", **verb}} if verb else {})
    grain = {"by": ["customer"], "order": "when"}
    part = {"file": "c.csv", "grain": grain, "columns": columns, "extra": extra}
    assert bring({"c.csv": text}, customers=part).table("customers")["place"].to_list() == [str(first)]


@pytest.mark.parametrize("cells", [["01/09/2026", "02/08/2026"], ["b", "a"]])
def test_text_without_a_type_has_no_order(bring, cells):
    text = "customer,when\n" + "".join(f"a,{cell}\n" for cell in cells)
    columns = {
        "customer_id": {"from": "customer"},
        "first_seen_on": {"const": "2026-01-01"},
        "customer_type": {"const": "consumer"},
    }
    part = {"file": "c.csv", "grain": {"by": ["customer"], "order": "when"}, "columns": columns}
    with pytest.raises(InputError, match="2 cells are neither numbers nor ISO times"):
        bring({"c.csv": text}, customers=part)


@pytest.mark.parametrize(
    "code", ["0010", "10:30", "0100", "1_000", "0x10", "1e3", "yes", "1.50", "2026-09-01", "0b1"]
)
def test_codes_in_a_mapping_match_as_they_are_written(tmp_path, code):
    (tmp_path / "o.csv").write_text(f"order,code,at\n1,{code},2026-09-01\n2,other,2026-09-01\n")
    mapping = """
data_set: {name: Shop, currency: JPY, timezone: Asia/Tokyo, extracted_at: 2026-10-01}
tables:
  orders:
    file: o.csv
    where: [{column: code, is_in: [CODE]}]
    columns: {order_id: {from: order}, line: {const: 1}, product: {from: code, map: {CODE: CODE}},
              customer_id: {const: a}, ordered_at: {from: at}, amount: {const: 5}}
    extra: {fixed: {const: CODE}}
"""
    (tmp_path / "m.yml").write_text(mapping.replace("CODE", code))
    import_export(tmp_path / "m.yml", tmp_path, tmp_path / "shop")
    frame = open_data(tmp_path / "shop").table("orders")
    assert frame[["product", "fixed"]].to_numpy().tolist() == [[code, code]]


CANARIES = ("canary", "Kanarienvogel", "カナリア", "090-1111")


@pytest.mark.parametrize(
    "text",
    [
        "taro@canary.example,Kanarienvogel,2026-09-01,090-1111-2222\n" * 2,
        "Kanarienvogel,カナリア,x,y\n" * 2,
        "order,customer,at,Kanarienvogel\n1,カナリア,2026-09-01,canary\n",
        "order,customer,at,amount\nカナリア,taro@canary.example,canary,Kanarienvogel\n",
    ],
)
def test_no_message_of_an_import_repeats_a_value(bring, tmp_path, text):
    (tmp_path / "export" / "Kanarienvogel.csv").write_text("x")
    for part in (orders(), orders(file="order.csv"), orders(where=[{"column": "state", "is_in": ["a"]}])):
        with pytest.raises(InputError) as stopped:
            bring({"orders.csv": text}, orders=part)
        told = str(stopped.value) + stopped.value.in_language("ja")
        assert not [canary for canary in CANARIES if canary in told]


@pytest.mark.parametrize("target", ["x" * 300, "a\0b", "file/below", "full"])
def test_targets_that_cannot_be_written_are_a_sentence_of_the_disk(bring, tmp_path, monkeypatch, target):
    bring({"orders.csv": PLAIN}, orders=orders())
    (tmp_path / "file").write_text("x")
    if target == "full":

        def full(*args, **kwargs):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("cxlib.data.exports.write_data_set.pq.write_table", full)
    with pytest.raises(OutputError) as stopped:
        import_export(tmp_path / "mapping.yml", tmp_path / "export", tmp_path / target)
    assert stopped.value.exit_code == 6
    assert stopped.value.in_language("ja") != str(stopped.value)
    if target != "full":
        with pytest.raises(OutputError):
            write_sample(tmp_path / target, n_customers=300, months=18)


def test_a_link_out_of_the_export_is_not_followed(bring, tmp_path):
    (tmp_path / "secret.csv").write_text(PLAIN)
    (tmp_path / "export" / "orders.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(InputError, match="outside the folder"):
        bring({}, orders=orders())


def test_a_column_may_be_called_in_several_ways_or_be_left_out(bring):
    columns = {
        "order_id": {"from": "注文番号", "also_called": ["order", "Order"]},
        "quantity": {"from": "pieces", "optional": True},
        "product": {"from": "品名", "also_called": ["item"], "optional": True},
    }
    data_set = bring({"orders.csv": PLAIN}, orders=orders(columns=columns))
    assert data_set.table("orders")["order_id"].to_list() == ["001", "001", "002"]
    assert data_set.table("orders")[["quantity", "product"]].isna().all(axis=None)
    with_item = PLAIN.replace("amount\n", "amount,item\n").replace("5\n", "5,tea\n").replace("0\n", "0,tea\n")
    frame = bring({"orders.csv": with_item.replace("7\n", "7,tea\n")}, orders=orders(columns=columns))
    assert frame.table("orders")["product"].to_list() == ["tea"] * 3
    twice = PLAIN.replace("order,", "order,Order,").replace("001,", "001,1,").replace("002,", "002,2,")
    with pytest.raises(InputError, match="two names of one column"):
        bring({"orders.csv": twice}, orders=orders(columns=columns))
