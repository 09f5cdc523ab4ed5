"""Exports on which imports once went wrong come out right; the right values were computed by hand.

The inputs lie beside the checkout in `shared/cases`; each kind has a second, small input in the other tests.
"""

from pathlib import Path

import pandas as pd
import pytest

import cxlib as cx
from cxlib.checks import InputError, TableError
from cxlib.data.exports.convert_export import import_export
from cxlib.data.tables.coverage import check_folder
from cxlib.data.tables.data_set import open_data

CASES = Path(__file__).parents[4] / "shared" / "cases"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the inputs are not beside this checkout")
HEAD = "data_set: {name: Shop, currency: JPY, timezone: Asia/Tokyo, extracted_at: 2026-10-01}\ntables:\n"


@pytest.fixture
def case(tmp_path, monkeypatch):
    """`case(name, tables)` imports a case's export by the YAML of its tables, and opens the result."""
    monkeypatch.setenv("CX_PSEUDONYM_KEY", "a key long enough to be one")

    def run(name, tables):
        (tmp_path / "m.yml").write_text(HEAD + tables, encoding="utf-8")
        run.summary = import_export(tmp_path / "m.yml", CASES / name / "export", tmp_path / "shop")
        return open_data(tmp_path / "shop")

    return run


ECCUBE = """
  orders:
    file: order_20261001.csv
    encoding: cp932
    where: [{column: 対応状況(名称), not_in: [注文取消し, 返品]}%s]
    %s
    columns:
      order_id: {from: 注文ID, prefix: "EC-"}
      line: {row_within: [注文ID]}
      customer_id: {first_non_empty: [会員ID, メールアドレス], pseudonymise: ignore_case}
      ordered_at: {from: 受注日, format: "%%Y/%%m/%%d %%H:%%M:%%S"}
      amount: %s
"""


def test_eccube_order_totals_stand_on_every_item_row(case):
    frame = case(
        "eccube-orders-cp932", ECCUBE % ("", "grain: {by: [注文ID], same: [支払合計]}", "{from: 支払合計}")
    )
    orders = frame.table("orders")
    assert (len(orders), orders["amount"].sum()) == (362, 2_467_450)


def test_eccube_price_times_quantity_of_the_goods(case):
    goods = ", {column: 明細区分(名称), is_in: [商品]}"
    orders = case("eccube-orders-cp932", ECCUBE % (goods, "", "{product: [価格, 個数]}")).table("orders")
    assert orders["amount"].sum() == 2_151_500


def test_a_header_that_stands_twice_is_named_by_its_place(case):
    grain = "grain: {by: [注文ID]}"
    with pytest.raises(InputError, match="`送料#2`"):
        case("eccube-orders-cp932", ECCUBE % ("", grain, "{minus: [支払合計, 送料]}"))
    first = case("eccube-orders-cp932", ECCUBE % ("", grain, "{from: 送料#1}")).table("orders")["amount"]
    place = case("eccube-orders-cp932", ECCUBE % ("", grain, '{from: "#9"}')).table("orders")["amount"]
    text = (CASES / "eccube-orders-cp932/export/order_20261001.csv").read_bytes().decode("cp932")
    at = text.splitlines()[0].split(",").index("送料") + 1
    by_place = '{from: "#' + str(at) + '"}'
    named = case("eccube-orders-cp932", ECCUBE % ("", grain, by_place)).table("orders")["amount"]
    assert named.equals(first)
    assert not place.equals(first) or at == 9


def test_ids_that_a_spreadsheet_protects_meet(case):
    frame = case(
        "excel-protected-ids",
        """
  orders:
    file: juchu.csv
    columns:
      order_id: {from: 受注番号}
      line: {const: 1}
      customer_id: {from: 会員番号}
      ordered_at: {from: 受注日, format: "%Y/%m/%d"}
      amount:
        from: 請求金額
        number: {thousands: ",", symbols: ["¥", 円], negative: [triangle, parentheses]}
  customers:
    file: kaiin.csv
    columns: {customer_id: {from: 会員番号}, first_seen_on: {from: 登録日, format: "%Y/%m/%d"},
               customer_type: {const: consumer}}
""",
    )
    orders = frame.table("orders")
    assert orders["customer_id"][0] == "0000123"
    assert orders["customer_id"].isin(frame.table("customers")["customer_id"]).all()
    assert orders["amount"].to_list() == [12_800, 3_200, -1_280, 4_500, -500]


def test_daily_files_of_events_in_microseconds(case):
    frame = case(
        "ga4-events",
        """
  events:
    files: "events_*.csv"
    columns:
      event_id: {row_within: [], prefix: ga-}
      customer_id: {from: user_id}
      occurred_at: {from: event_timestamp, format: epoch_us}
      touchpoint: {from: event_name}
      page: {from: page_location}
""",
    ).table("events")
    assert (len(frame), frame["event_id"].nunique()) == (180, 180)
    assert frame["occurred_at"][0].isoformat() == "2026-09-01T05:34:32+09:00"
    days = frame["occurred_at"].dt.strftime("%Y%m%d")
    assert days.value_counts().to_dict() == {"20260901": 60, "20260902": 60, "20260903": 60}


FORM = r"""
  responses:
    file: 回答.csv
    %s
    columns:
      response_id: {row_within: []}
      customer_id: {from: メールアドレス, pseudonymise: ignore_case}
      answered_at: {from: タイムスタンプ, format: %s}
      survey: {const: relationship}
      nps_score: {from: "当店を友人や同僚に\n薦める可能性はどのくらいですか？（0〜10）", part: leading_number}
      driver_quality:
        from: "次の項目の満足度 [商品の品質]"
        map: {とても不満: 1, 不満: 2, 普通: 3, 満足: 4, とても満足: 5}
  customers: {derive: responses}
"""


def test_stamps_of_japanese_google_forms(case):
    data_set = case("google-forms-ja", FORM % ("", "google_forms_ja"))
    frame = data_set.table("responses")
    assert case.summary["rows_written"].to_list()[0] == 131
    assert len(frame) == 130, "the form that was sent twice counts once"
    assert frame["answered_at"][0].isoformat() == "2026-08-22T15:50:00+09:00"
    answers = pd.read_csv(CASES / "google-forms-ja/export/回答.csv", dtype=str).drop_duplicates()
    source = answers["タイムスタンプ"]
    noon = source.str.contains(" 12:").to_numpy()
    early = (noon & source.str.contains("午前").to_numpy()) | (~noon & source.str.contains("午後").to_numpy())
    hours = source.str.extract(r" (\d+):")[0].astype(int).to_numpy()
    assert ((frame["answered_at"].dt.hour.to_numpy() - hours) % 24 == 12 * early).all()
    customers = data_set.table("customers")
    assert set(customers["customer_id"]) == set(frame["customer_id"].dropna())
    assert "exports.copies" in {notice.key for notice in case.summary.attrs["notices"]}


def test_an_answer_that_was_sent_twice_is_one(case):
    once = "grain: {by: [タイムスタンプ, メールアドレス]}"
    scores = case("google-forms-sheet", FORM % (once, '"%Y/%m/%d %H:%M:%S"')).table("responses")["nps_score"]
    scores = scores.dropna()
    promoters, detractors = (scores >= 9).sum(), (scores <= 6).sum()
    assert (len(scores), promoters, detractors) == (120, 29, 43)
    assert (promoters - detractors) / len(scores) * 100 == pytest.approx(-11.67, abs=0.005)


def test_the_first_of_several_companies(case):
    frame = case(
        "hubspot-deals",
        """
  deals:
    file: hubspot-crm-exports-all-deals-2026-10-01.csv
    columns:
      deal_id: {from: Record ID}
      customer_id: {from: Associated Company IDs, part: {before: ";"}}
      created_on: {from: Create Date, format: "%Y-%m-%d %H:%M"}
      expected_close_on: {from: Close Date, format: "%Y-%m-%d %H:%M"}
      stage: {from: Deal Stage}
      is_won: {from: Deal Stage, map: {Closed Won: "true", Closed Lost: "false"}, otherwise: empty}
      amount: {from: Amount, number: {thousands: ","}}
""",
    ).table("deals")
    source = pd.read_csv(
        CASES / "hubspot-deals/export/hubspot-crm-exports-all-deals-2026-10-01.csv", dtype=str
    )["Associated Company IDs"]
    assert (len(frame), source.str.contains(";").sum()) == (120, 10)
    assert frame["customer_id"].str.fullmatch(r"\d{3}").all()
    assert frame["customer_id"][0] == "517"
    open_deals = frame[frame["is_won"].isna()].groupby("stage")["amount"].agg(["size", "sum"])
    assert open_deals.to_numpy().tolist() == [[18, 3_980_000], [27, 6_150_000]]


SHOPIFY = """
  orders:
    file: orders_export.csv
    fill_down: {columns: [Financial Status, Tags], within: [Name]}
    where: [{column: Financial Status, not_in: [voided, pending]}, {column: Tags, not_in: [test]}]
    columns:
      order_id: {from: Name}
      line: {row_within: [Name]}
      customer_id: {from: Email, pseudonymise: ignore_case}
      ordered_at: {from: Created at, format: "%Y-%m-%d %H:%M:%S %z"}
      amount: {product: [Lineitem price, Lineitem quantity]}
      quantity: {from: Lineitem quantity}
  customers:
    file: orders_export.csv
    where: [{column: Email, empty: false}]
    grain: {by: [Email], order: Created at}
    columns:
      customer_id: {from: Email, pseudonymise: ignore_case}
      first_seen_on: {from: Created at, format: "%Y-%m-%d %H:%M:%S %z"}
      customer_type: {const: consumer}
"""


def test_shopify_lines_and_customers_in_two_spellings(case):
    data_set = case("shopify-orders", SHOPIFY)
    assert data_set.table("orders")["amount"].sum() == 653_200
    customers = data_set.table("customers")
    assert (len(customers), customers["customer_id"].nunique()) == (26, 26)
    assert data_set.table("orders")["customer_id"].dropna().isin(customers["customer_id"]).all()


LATEST = """
  orders:%s
      latest: [Order]
      columns: &columns {order_id: {from: Order}, line: {const: 1}, customer_id: {from: Customer},
                 ordered_at: {from: Date}, amount: {from: Total}}
"""


@pytest.mark.parametrize(
    "tables",
    [
        LATEST % '\n      files: "*.csv"',
        LATEST % "\n    - file: aug.csv" + "    - {file: sep.csv, latest: [Order], columns: *columns}\n",
    ],
)
def test_the_later_of_two_overlapping_exports_wins(case, tables):
    frame = case("overlapping-exports", tables).table("orders")
    assert (len(frame), frame["amount"].sum()) == (70, 71_351)
    assert case.summary["rows_left_out_by_latest"].sum() == 10
    assert case.summary["rows_read"].sum() == 80


def test_two_header_rows_name_every_item_of_a_matrix(case):
    words = "{Very dissatisfied: 1, Dissatisfied: 2, Neutral: 3, Satisfied: 4, Very satisfied: 5}"
    items = "\n".join(
        f'      driver_{item.lower()}: {{from: "How satisfied are you with … / {item}", map: {words}}}'
        for item in ("Delivery", "Price", "Support")
    )
    frame = case(
        "surveymonkey",
        """
  responses:
    file: Customer survey.csv
    header_rows: 2
    header: joined
    columns:
      response_id: {from: Respondent ID}
      answered_at: {from: End Date, format: "%m/%d/%Y %I:%M:%S %p"}
      survey: {const: relationship}
      nps_score: {from: "How likely is it that you would recommend us? / Response"}
"""
        + items,
    ).table("responses")
    scores = frame["nps_score"].dropna()
    assert len(frame) == 140
    assert ((scores >= 9).sum() - (scores <= 6).sum()) / len(scores) * 100 == pytest.approx(-40.71, abs=0.005)
    assert frame[["driver_delivery", "driver_price", "driver_support"]].notna().all().all()


CUT = """
  orders:
    file: %s
    columns: {order_id: {from: order_id}, line: {const: 1}, customer_id: {from: customer_id},
               ordered_at: {from: ordered_at}, amount: {from: amount}}
"""


@pytest.mark.parametrize(
    ("name", "file", "row", "cells", "columns"),
    [
        ("truncated-download", "orders.csv", 40, 4, 6),
        ("unquoted-comma", "orders.csv", 5, 6, 5),
        ("unquoted-comma", "orders2.csv", 1, 5, 4),
    ],
)
def test_a_row_that_was_cut_stops_with_its_number_and_cells(case, name, file, row, cells, columns):
    with pytest.raises(TableError) as stopped:
        case(name, CUT % file)
    (problem,) = stopped.value.problems
    assert problem.rows[0] == row
    assert dict(problem.values) == {"columns": columns, "found": cells}


@pytest.mark.parametrize("file", ["orders.xlsx", "orders.zip"])
def test_workbooks_and_zips_are_read(case, file):
    frame = case(
        "xlsx-zip-utf16",
        f"""
  orders:
    file: {file}
    columns: {{order_id: {{from: Order}}, line: {{const: 1}}, customer_id: {{from: Customer}},
               ordered_at: {{from: Date}}, amount: {{from: Total}}}}
""",
    ).table("orders")
    assert frame[["order_id", "customer_id", "amount"]].to_numpy().tolist() == [["A1", "c1", 100]]
    assert frame["ordered_at"][0].isoformat() == "2026-09-01T00:00:00+09:00"


def test_what_is_no_table_is_named_and_nothing_of_it_shown(case):
    with pytest.raises(TableError, match="is JSON") as stopped:
        case("xlsx-zip-utf16", CUT % "orders.json")
    for lang in ("en", "ja"):
        assert "A1" not in stopped.value.in_language(lang)
    found, _ = check_folder(CASES / "xlsx-zip-utf16" / "direct")
    assert [problem.file for problem in found] == ["orders.xlsx"]
    assert "a workbook" in found[0].text("en")


@pytest.mark.parametrize(
    ("file", "encoding", "delimiter"), [("orders_u16.csv", "utf-16", r"\t"), ("orders_bom.csv", "utf-8", ",")]
)
def test_encodings_with_a_byte_order_mark(case, file, encoding, delimiter):
    frame = case(
        "xlsx-zip-utf16",
        f"""
  orders:
    file: {file}
    encoding: {encoding}
    delimiter: "{delimiter}"
    columns: {{order_id: {{from: 注文番号}}, line: {{const: 1}}, customer_id: {{from: 会員}},
               ordered_at: {{from: 日付}}, amount: {{from: 金額}}}}
""",
    ).table("orders")
    assert frame[["order_id", "amount"]].to_numpy().tolist() == [["A1", 100]]


SPELLINGS = [
    ("令和8年8月9日", "era", "2026-08-09T00:00:00"),
    ("R8.08.09", "era", "2026-08-09T00:00:00"),
    ("46243", "excel_serial", "2026-08-09T00:00:00"),
    ("2026年8月9日 午後3時5分", "%Y年%m月%d日 %p%I時%M分", "2026-08-09T15:05:00"),
    ("２０２６/０８/０９", "%Y/%m/%d", "2026-08-09T00:00:00"),
    ("1786260000", "epoch_s", "2026-08-09T16:20:00"),
    ("2026/08/09 15:04", "%Y/%m/%d %H:%M", "2026-08-09T15:04:00"),
    ("2026/08/10", "%Y/%m/%d", "2026-08-10T00:00:00"),
]


def test_every_spelling_of_a_date_alone_and_all_in_one_column(bring):
    columns = {
        "order_id": {"from": "o"},
        "line": {"const": 1},
        "customer_id": {"from": "c"},
        "amount": {"from": "a"},
    }
    formats = list(dict.fromkeys(form for _, form, _ in SPELLINGS))
    text = "o,c,d,a\n" + "".join(f"A{at},c1,{cell},100\n" for at, (cell, *_) in enumerate(SPELLINGS))
    part = {"file": "o.csv", "columns": columns | {"ordered_at": {"from": "d", "format": formats}}}
    frame = bring({"o.csv": text}, orders=part).table("orders")
    right = [moment + "+09:00" for *_, moment in SPELLINGS]
    assert [moment.isoformat() for moment in frame["ordered_at"]] == right


def test_days_first_or_months_first_is_never_guessed(case):
    columns = (
        "order_id: {from: o}, line: {const: 1}, customer_id: {from: c}, ordered_at: %s, amount: {from: a}"
    )
    tables = "  orders: {file: o.csv, columns: {" + columns + "}}\n"
    with pytest.raises(InputError, match=r"A format|format") as stopped:
        case("date-spellings", tables % "{from: d}")
    assert "08-09-2026" not in str(stopped.value) and "2 of 2" in str(stopped.value)
    orders = case("date-spellings", tables % '{from: d, format: "%d-%m-%Y"}').table("orders")
    assert orders["ordered_at"].dt.strftime("%Y-%m-%d").tolist() == ["2026-09-08", "2026-09-13"]
    with pytest.raises(InputError, match="1 of 2"):
        case("date-spellings", tables % '{from: d, format: "%m-%d-%Y"}')


def test_a_fixed_offset_cuts_days_as_its_zone_does(tmp_path, capsys):
    told = {}
    exec((CASES / "fixed-offset-dataframe" / "try.py").read_text(encoding="utf-8"), told)
    said = capsys.readouterr().out
    assert "ZoneInfoNotFoundError" not in said
    for name in ("fixed", "tokyo", "naive"):
        row = cx.summarise_customers(told[{"fixed": "orders"}.get(name, name)], as_of="2026-09-30").iloc[0]
        days = [str(row[day].date()) for day in ("first_order_on", "last_order_on")]
        assert days == ["2026-08-31", "2026-09-01"]
        assert (row["frequency"], row["monetary_total"], row["recency_days"]) == (2, 150, 29)
    found = cx.summarise_customers(told["utc"], as_of="2026-09-30", timezone="Asia/Tokyo")
    assert found["recency_days"].iloc[0] == 29
    assert cx.repeat_curve(told["orders"], as_of="2026-09-30")["n_events"].iloc[0] == 1
    assert "timezone" in cx.repeat_times.__doc__, "whose zone cuts the days is said"
