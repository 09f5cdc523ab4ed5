"""A draft of a mapping is made of names only, refuses data for names, and runs once it is finished."""

import re

import pytest
import yaml

from cxlib.checks import InputError
from cxlib.data.exports.convert_export import import_export
from cxlib.data.exports.draft import draft_mapping
from cxlib.data.tables.data_set import open_data
from cxlib.runner.cli import main

EXPORT = "受注番号,受注日,会員メール,お名前,合計金額,商品名,店舗\n" + "".join(
    f'A{i:03},2026年9月{i}日,canary{i}@example.invalid,架空 花子,"￥1,{i:03}",煎茶{i},本店\n'
    for i in range(1, 29)
)


@pytest.fixture
def export(tmp_path):
    file = tmp_path / "export" / "売上.csv"
    file.parent.mkdir()
    file.write_text(EXPORT, encoding="cp932")
    return file


def test_columns_are_proposed_persons_marked_and_no_value_is_written(export):
    draft = draft_mapping(export)
    plan = yaml.safe_load(draft)["tables"]["orders"]
    assert plan["encoding"] == "cp932"
    columns = plan["columns"]
    assert columns["order_id"] == {"from": "受注番号"}
    assert columns["ordered_at"] == {"from": "受注日"}
    assert columns["line"] == {"row_within": ["受注番号"]}
    assert re.search(r'# format: "%Y年%m月%d日"', draft)
    assert re.search(r'# number: \{"thousands": ",", "symbols": \["¥", "円"\]\}', draft)
    assert "お名前" in draft.split("about persons")[1].splitlines()[0]
    for value in ("canary", "架空", "煎茶", "本店", "A001", "1,001"):
        assert value not in draft


def test_a_draft_runs_once_it_is_finished(export, tmp_path, monkeypatch):
    monkeypatch.setenv("CX_PSEUDONYM_KEY", "a key long enough to be one")
    draft = draft_mapping(export, lang="ja")
    assert "下書き" in draft
    draft = draft.replace('# format: "%Y年', 'format: "%Y年').replace("# number:", "number:")
    draft = draft.replace("{name: My shop}", "{name: My shop, currency: JPY, timezone: Asia/Tokyo}")
    (tmp_path / "map.yml").write_text(draft, encoding="utf-8")
    import_export(tmp_path / "map.yml", export.parent, tmp_path / "shop")
    orders = open_data(tmp_path / "shop").table("orders")
    assert orders["amount"].sum() == sum(1000 + i for i in range(1, 29))
    assert str(orders["ordered_at"].max().date()) == "2026-09-28"


def test_a_first_line_of_data_is_refused_without_repeating_it(tmp_path):
    for line in (
        "1001,canary@example.invalid,2026-09-01\n",
        "佐藤 花子,鈴木 太郎,高橋 次郎,田中 三郎,伊藤 四郎\n",
    ):
        (tmp_path / "a.csv").write_text(line + line, encoding="utf-8")
        with pytest.raises(InputError) as told:
            draft_mapping(tmp_path / "a.csv")
        assert "canary" not in str(told.value)
        assert "花子" not in str(told.value)
    (tmp_path / "a.csv").write_bytes(b"%PDF-1.7\n")
    with pytest.raises(InputError):
        draft_mapping(tmp_path / "a.csv")
    with pytest.raises(InputError):
        draft_mapping(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("header", "table"),
    [
        ("Deal ID,Deal stage,Create date,Amount", "deals"),
        ("回答ID,回答日時,あなたが友人に薦める可能性は？", "responses"),
        ("Ticket ID,Created at,Closed at,Via", "tickets"),
        ("event_name,timestamp,user_id,page_location", "events"),
        ("会員番号,登録日,都道府県,性別", "customers"),
    ],
)
def test_the_table_is_the_one_whose_columns_are_near(tmp_path, header, table):
    (tmp_path / "a.csv").write_text(header + "\n", encoding="utf-8")
    assert list(yaml.safe_load(draft_mapping(tmp_path / "a.csv"))["tables"]) == [table]


def test_the_command_writes_a_file_or_the_screen_but_never_over_a_file(export, tmp_path, capsys):
    out = tmp_path / "map.yml"
    assert main(["mapping", "new", str(export)]) == 0
    shown = capsys.readouterr().out
    assert main(["mapping", "new", str(export), "--out", str(out)]) == 0
    assert out.read_text(encoding="utf-8") == shown
    assert main(["mapping", "new", str(export), "--out", str(out)]) == 6
    assert main(["mapping", "new", str(export), "--out", str(tmp_path / "no" / "map.yml")]) == 6
    assert main(["mapping", "old", str(export)]) == 2


def drafted(tmp_path, name, content):
    """What the draft of a file says of its columns, its comments taken at their word."""
    (tmp_path / name).write_bytes(content)
    draft = re.sub(r"# (?=(format|number): )", "", draft_mapping(tmp_path / name))
    (table,) = yaml.safe_load(draft)["tables"].values()
    return table


def test_a_price_and_pieces_become_their_product_and_an_order_its_lines(tmp_path):
    rows = "".join(
        f'{9000 + at // 2},2026/08/{at + 1:02} 9:05,{at % 7:05},"￥1,{at:03}",2\n' for at in range(20)
    )
    text = f"売上ID,受注日,会員番号,単価,数量\n{rows}"
    table = drafted(tmp_path, "a.csv", text.encode("cp932"))
    columns = table["columns"]
    assert (columns["order_id"], columns["line"]) == ({"from": "売上ID"}, {"row_within": ["売上ID"]})
    assert columns["amount"]["product"] == ["単価", "数量"]
    assert columns["amount"]["number"]["symbols"] == ["¥", "円"]


def test_a_day_and_its_time_are_joined_in_an_encoding_that_fits(tmp_path):
    rows = "".join(f"{at};{at % 28 + 1:02}.08.2026;9:{at:02};K1;{at},50;Süd\n" for at in range(20))
    table = drafted(
        tmp_path, "b.csv", f"Bon-Nr;Datum;Uhrzeit;Kundennummer;Umsatz;Filiale\n{rows}".encode("cp1252")
    )
    assert (table["encoding"], table["delimiter"]) == ("cp1252", ";")
    assert table["columns"]["ordered_at"] == {"join": ["Datum", "Uhrzeit"], "format": "%d.%m.%Y %H:%M"}
    assert table["columns"]["amount"]["number"]["decimal"] == ","


def test_a_plan_is_no_end_and_thousands_are_no_yen(tmp_path):
    rows = "".join(f"D{at},A1,受注,{at + 10},2026-01-0{at % 9 + 1},2026-10-01,受注\n" for at in range(20))
    text = f"商談ID,取引先ID,フェーズ,金額（千円）,作成日,完了予定日,結果\n{rows}"
    columns = drafted(tmp_path, "c.csv", text.encode())["columns"]
    assert columns["expected_close_on"] == {"from": "完了予定日"} and "closed_on" not in columns
    assert columns["amount"] == {"from": "金額（千円）", "number": {"times": 1000}}
    assert columns["is_won"] == {"from": "結果"}


def test_an_address_tells_who_answered_where_no_id_does(tmp_path):
    rows = "".join(f"{at},p{at}@example.invalid,9,2026-08-01 10:{at:02}:00 UTC\n" for at in range(20))
    text = f"Survey Response ID,Person Email,Score,Responded At\n{rows}"
    columns = drafted(tmp_path, "d.csv", text.encode())["columns"]
    assert columns["customer_id"] == {"from": "Person Email", "pseudonymise": "ignore_case"}
    assert columns["answered_at"]["format"] == "%Y-%m-%d %H:%M:%S %Z"
    assert columns["response_id"] == {"from": "Survey Response ID"}


def test_a_count_of_milliseconds_is_a_time(tmp_path):
    rows = "".join(
        f'{{"eventId":"e{at}","userId":"u","eventName":"open","ts":{1788208472000 + at}}}\n'
        for at in range(9)
    )
    columns = drafted(tmp_path, "e.jsonl", rows.encode())["columns"]
    assert columns["occurred_at"] == {"from": "ts", "format": "epoch_ms"}
