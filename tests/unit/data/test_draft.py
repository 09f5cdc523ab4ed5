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
