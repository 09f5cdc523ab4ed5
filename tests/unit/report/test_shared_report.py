"""What `cx run --shared` publishes: the page alone, every number coarse, nothing the report did not make."""

import dataclasses
import json
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot

import cxlib as cx
from cxlib import language
from cxlib.report import report as display
from cxlib.report.shared_report import SharedReport
from cxlib.runner.cli import main

EXACT = ("6,752,901", "6752901", "1,234", "0.377", "37.7", "43,219", "4,321")
TEXTS = {
    "test.finding": {"en": "{share} of {n}, {amount}", "ja": "{n}人の{share}、{amount}"},
    "test.note": {"en": "{count} rows", "ja": "{count}行"},
    "test.note.count": {"en": "{estimate} of {n}", "ja": "{n}人の{estimate}"},
}
CELLS = [
    {"cell_type": "markdown", "metadata": {"tags": ["lang-en"]}, "source": "# Title"},
    {
        "cell_type": "code",
        "metadata": {},
        "source": "import pandas as pd\nimport cxlib as cx\n"
        "data_set = cx.open_data('../shop')\n"
        "report = cx.Report('segmentation', data_set)\n"
        "print('6,752,901')\n"
        "frame = pd.DataFrame({'region': ['a', 'b'], 'amount': [6752901.0, 43219.0], 'n': [1234, 400]})\n"
        "report.table('t', frame, units={'amount': 'currency'})\n"
        "from matplotlib import pyplot\n"
        "_, axes = pyplot.subplots()\n"
        "axes.plot([1, 6752901])\n"
        "report.figure('deciles', axes, n=60)\n"
        "frame",
    },
]


@pytest.fixture
def shop(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    about = "{name: Shop, currency: JPY, timezone: Asia/Tokyo, extracted_at: 2026-10-01}"
    (folder / "dataset.yml").write_text(about)
    lines = [f"O{i},1,C{i % 60},2026-0{1 + i % 9}-05T09:00:00+09:00,{500 + i}" for i in range(300)]
    (folder / "orders.csv").write_text(
        "\n".join(["order_id,line,customer_id,ordered_at,amount", *lines]) + "\n"
    )
    return folder


@pytest.fixture
def sent(monkeypatch):
    pieces = []
    monkeypatch.setattr(
        display, "_send", lambda bundle, raw, metadata: pieces.append((bundle, metadata["cx"]))
    )
    entries = {**language.catalogue(), **TEXTS}
    monkeypatch.setattr(language, "catalogue", lambda: entries)
    monkeypatch.setattr("cxlib.report.rows.catalogue", lambda: entries)
    yield pieces
    pyplot.close("all")


def shared(shop, sent, **options):
    report = SharedReport("segmentation", cx.open_data(shop), **options)
    first = len(sent)
    return report, lambda: sent[first:]


def test_counts_money_and_shares_of_a_table_are_coarse_and_records_too(shop, sent):
    report, pieces = shared(shop, sent)
    assert report.coarse.sum_step == 5_000  # 1.25 times five orders of up to 799 yen
    frame = pd.DataFrame({"region": ["a", "b"], "amount": [6_752_901.0, 4_321.0], "share": [0.377, 0.623]})
    frame["n"], frame["std_error"] = [1_234, 55], [1.5, 2.5]
    report.table("t", frame, units={"amount": "currency"})
    ((bundle, record),) = pieces()
    assert "¥6,750,000" in bundle["text/plain"] and "1,235" in bundle["text/plain"]
    assert "under ¥10,000" in bundle["text/plain"]
    assert not [number for number in EXACT if number in bundle["text/html"] + json.dumps(record)]
    assert record["rows"][0]["amount"] == 6_750_000 and "std_error" not in record["columns"]


def test_rows_of_few_customers_are_blanked_before_anything_is_rounded(shop, sent):
    report, pieces = shared(shop, sent)
    frame = pd.DataFrame({"region": ["a", "b", "c"], "amount": [6_752_901.0, 990_000.0, 880_000.0]})
    report.table("t", frame.assign(n=[4, 900, 60]), units={"amount": "currency"})
    ((bundle, record),) = pieces()
    assert record["suppressed"] == [0, 2] and "¥990,000" in bundle["text/plain"]
    assert not re.search("6,75|880,000", bundle["text/plain"] + json.dumps(record))


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_table_whose_customers_are_known_is_less_coarse_and_its_means_follow(shop, sent, lang):
    report, pieces = shared(shop, sent, lang=lang)
    report.coarse = dataclasses.replace(report.coarse, sum_step=1_000.0)
    frame = pd.DataFrame({"region": ["a", "b"], "amount": [30_400.0, 4_400.0], "n": [76, 11]})
    people = pd.DataFrame({"amount": 400.0}, index=pd.Index(["a"] * 76 + ["b"] * 11, name="region"))
    report.table("t", frame, units={"amount": "currency"}, people=people)
    ((_, record),) = pieces()
    assert [row["amount"] for row in record["rows"]] == [30_000.0, 4_000.0]


def test_a_shown_result_is_rounded_by_its_metric_though_the_column_is_not_shown(shop, sent):
    report, pieces = shared(shop, sent)
    rows = pd.DataFrame({"region": ["a", "b"], "estimate": [0.377, 0.623], "n": [1_234, 2_040]})
    for metric in ("customer_share", "win_rate"):
        report.show("t", rows.assign(metric=metric))
    (_, of_customers), (_, other) = pieces()
    assert "metric" not in of_customers["columns"]
    assert [record["rows"][0]["estimate"] for record in (of_customers, other)] == [0.38, 0.4]


def test_a_phrase_within_a_sentence_is_rounded_too(shop, sent):
    report, pieces = shared(shop, sent)
    report.say("test.note", {"count": [{"metric": "win_rate", "estimate": 0.37741, "n": 1_234}]})
    ((bundle, record),) = pieces()
    assert "1,235" in bundle["text/plain"] and not re.search(
        "37.7|1,234|0.377", str(bundle) + json.dumps(record)
    )


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_sentence_is_made_from_rounded_numbers_or_left_out(shop, sent, lang):
    report, pieces = shared(shop, sent, lang=lang)
    unit = {"share": "share", "n": "count", "amount": "currency"}
    report.finding("test.finding", units=unit, share=0.377, n=1_234, amount=cx.in_unit(6_752_901, "currency"))
    report.finding("test.finding", units=unit, share=0.377, n=1_234, amount=4_321.0)
    report.finding("test.finding", units=unit, share=0.377, n=4, amount=6_752_901.0)
    report.notice("test.note", count=1_234)
    (_, said), (_, small), (_, few), (_, note) = pieces()
    assert said["kind"] == "finding" and small["kind"] == few["kind"] == note["kind"] == "notice"
    assert said["values"] == {"share": 0.4, "n": 1_235, "amount": 6_750_000}
    assert "1,235" in note["text"] and note["is_shared"]
    assert not [number for number in EXACT if number in json.dumps([said, small, few, note])]


def test_the_header_says_the_rule_and_counts_coarsely(shop, sent):
    shared(shop, sent)
    (header, record), (_, rule) = sent[:2]
    assert "close" not in record and "tables" not in record
    assert "60" in header["text/plain"] and "multiples of 5" in rule["text"] and "¥5,000" in rule["text"]


def test_a_chart_is_closed_and_not_shown(shop, sent):
    report, pieces = shared(shop, sent)
    _, axes = pyplot.subplots()
    report.figure("top_share", axes, share=np.float64(0.377))
    assert pieces() == [] and pyplot.get_fignums() == []


def test_a_shared_run_is_the_page_only_and_an_exact_one_says_it_is_internal(shop, tmp_path, capsys):
    chapters = tmp_path / "chapters"
    chapters.mkdir()
    cells = [{**cell, "id": f"c{i}"} for i, cell in enumerate(CELLS)]
    cells = [
        {**cell, "outputs": [], "execution_count": None} if cell["cell_type"] == "code" else cell
        for cell in cells
    ]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (chapters / "01_one.ipynb").write_text(json.dumps(notebook))
    arguments = ["run", "--notebooks", str(chapters), "--out", str(tmp_path / "out")]
    assert main([*arguments, "--shared"]) == 0, capsys.readouterr().err
    (run,) = (tmp_path / "out").glob("2*")
    assert sorted(path.name for path in run.iterdir()) == ["one.html", "run.json"]
    page = (run / "one.html").read_text()
    assert "¥6,750,000" in page and "<img" not in page and "For sharing" in page
    visible = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    assert not [number for number in EXACT if number in visible + (run / "run.json").read_text()]
    assert json.loads((run / "run.json").read_text())["data"] == {}
    index = (tmp_path / "out" / "index.html").read_text()
    assert "for sharing" in index and "results.json" not in index
    assert main([*arguments, "--lang", "ja"]) == 0
    inside = max((tmp_path / "out").glob("2*"))
    page = (inside / "one.html").read_text()
    assert "社内用" in page and "6,752,901" in page and (inside / "results.json").exists()


@pytest.mark.long
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_every_chapter_of_ours_can_be_shared(lang, tmp_path):
    made = ["sample", "--customers", "900", "--seed", "4", "--out", str(tmp_path / "made")]
    assert main(made) == 0
    arguments = ["--data", str(tmp_path / "made"), "--out", str(tmp_path / "out"), "--lang", lang, "--shared"]
    assert main(["run", *arguments]) in (0, 4)
    (run,) = (tmp_path / "out").glob("2*")
    assert {path.suffix for path in run.iterdir()} == {".html", ".json", ".txt"}
    for page in run.glob("*.html"):
        assert "<img" not in page.read_text()
