"""What a report shows and records: tables, figures, findings, notices, header; hostile and personal text."""

import base64
import datetime as dt
import importlib.util
import json
import re
import types

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot

import cxlib as cx
from cxlib import language
from cxlib.checks import ParameterError
from cxlib.report import layout
from cxlib.report import report as display
from cxlib.report.plots import theme

CANARIES = (
    "Canary Kanarienvogel",
    "canary.bird@example.com",
    "090-1234-5678",
    "+81 3-1234-5678",
    "CX-CANARY-7",
)
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</td></table><script>",
    "[a](javascript:alert(1))",
    r"$\href{javascript:alert(1)}{x}$",
    "\u202egnp.exe",
    "a\u200bb",
    "x" * 100_000,
    "=HYPERLINK(0)",
)
TEXTS = {
    "test.finding": {
        "en": "{share} of {amount} since {day}: {names}",
        "ja": "{day}以降{amount}の{share}：{names}",
    },
    "test.note": {"en": "{count} rows in {where}", "ja": "{where}に{count}行"},
    "figure.test": {"en": "Caption of {what}", "ja": "{what}の図"},
    "figure.test.alt": {"en": "A line", "ja": "線"},
}


@pytest.fixture(name="sent")
def _sent(monkeypatch):
    """Pieces as `(bundle, metadata)`, in order; texts of the tests stand in the catalogue."""
    pieces = []
    monkeypatch.setattr(
        display, "_send", lambda bundle, raw, metadata: pieces.append((bundle, metadata["cx"]))
    )
    entries = {**language.catalogue(), **TEXTS}
    monkeypatch.setattr(language, "catalogue", lambda: entries)
    yield pieces
    pyplot.close("all")


def _data_set(**changes):
    orders = pd.DataFrame(
        {
            "order_id": [f"o{i}" for i in range(40)],
            "customer_id": ["CX-CANARY-7", *(f"c{i}" for i in range(39))],
            "ordered_at": pd.date_range("2026-01-01", periods=40, tz="Asia/Tokyo"),
            "name": CANARIES[0],
            "email": CANARIES[1],
            "comment": "call me: 090-1234-5678",
        }
    )
    answers = pd.DataFrame({"customer_id": ["CX-CANARY-7"], "answered_at": pd.to_datetime(["2026-02-03"])})
    tables = {"orders": orders, "responses": answers}
    known = {
        "name": "Hadaiku",
        "currency": "JPY",
        "timezone": "Asia/Tokyo",
        "as_of": dt.date(2026, 10, 1),
        "is_sample": True,
        "tables": list(tables),
        "table": lambda name, start=None, end=None: tables[name],
        "notices": [],
        "attributes": frozenset({"region", "birth_year", "level", "state"}),
    }
    return types.SimpleNamespace(**{**known, **changes})


def _report(lang="en", **settings):
    return cx.Report("any", _data_set(), lang=lang, **settings)


def _frame(**columns):
    base = {"region": ["a", "b", "c"], "estimate": [0.1, np.nan, 0.3], "std_error": 0.01}
    return pd.DataFrame(
        {**base, "conf_low": [0.05, np.nan, 0.2], "conf_high": [0.2, np.nan, 0.4], "n": 40, **columns}
    )


def test_header_says_which_data_and_how_much(sent):
    cx.Report("segmentation", _data_set(), lang="ja", period_start=dt.date(2026, 1, 1))
    bundle, record = sent[0]
    assert record["kind"] == "header"
    assert record["is_sample"]
    assert (record["as_of"], record["period_start"], record["period_end"]) == (
        "2026-10-01",
        "2026-01-01",
        None,
    )
    assert record["tables"][0] == {
        "table": "orders",
        "rows": 40,
        "customers": 40,
        "first": "2026-01-01",
        "last": "2026-02-09",
    }
    assert "サンプルデータ" in bundle["text/html"]
    assert "2026年1月1日～2026年10月1日" in bundle["text/plain"]


def test_a_table_of_few_customers_is_not_counted_in_the_header(sent):
    _report()
    assert sent[0][1]["tables"][1] == {
        "table": "responses",
        "rows": None,
        "customers": None,
        "first": None,
        "last": None,
    }


def test_header_counts_only_the_tables_of_the_report(sent):
    cx.Report("segmentation", _data_set())
    cx.Report("segmentation", _data_set(), tables=["responses"])
    assert [[entry["table"] for entry in record["tables"]] for _, record in sent] == [
        ["orders"],
        ["responses"],
    ]


def test_the_header_counts_what_lies_within_the_period(sent):
    asked = []
    tables = _data_set()

    def table(name, start=None, end=None):
        asked.append(name)
        frame = tables.table(name)
        if start is None or "ordered_at" not in frame:
            return frame
        return frame[frame["ordered_at"].dt.strftime("%Y-%m-%d").between(start, end)]

    cx.Report("any", _data_set(table=table))
    everything = {entry["table"]: entry["rows"] for entry in sent[-1][1]["tables"]}
    first = tables.table("orders")["ordered_at"].min().strftime("%Y-%m-%d")
    asked.clear()
    last = sorted(tables.table("orders")["ordered_at"])[4].strftime("%Y-%m-%d")
    cx.Report("any", _data_set(table=table), period_start=first, period_end=last, min_cell=5)
    entry = sent[-1][1]["tables"][0]
    assert entry["table"] == "orders" and (entry["first"], entry["last"]) == (first, last)
    assert 0 < entry["rows"] < everything["orders"]
    assert sorted(asked) == ["orders", "responses"]


def test_no_banner_on_real_data(sent):
    cx.Report("unknown_report", _data_set(is_sample=False))
    assert "SAMPLE" not in sent[0][0]["text/html"]
    assert sent[0][1]["title"] == "unknown_report"


def test_table_shows_formats_and_records_numbers(sent):
    report = _report()
    report.table("shares", _frame(), units={"estimate": "share"}, labels={"region": "Where"})
    bundle, record = sent[-1]
    assert bundle["text/plain"].splitlines() == [
        "Where | Estimate | 95% interval | n",
        "a | 10.0% | 5.0% to 20.0% | 40",
        "b | – | – | 40",
        "c | 30.0% | 20.0% to 40.0% | 40",
    ]
    assert record["rows"][0]["conf_low"] == 0.05
    assert record["rows"][1]["estimate"] is None
    assert record["units"]["std_error"] == "share"
    assert record["suppressed"] == []
    json.dumps(record, allow_nan=False)


def test_units_can_follow_the_metric_and_labels_the_value(sent):
    frame = pd.DataFrame({"group": ["x", "x"], "metric": ["nps", "csat"], "estimate": [31.2, 0.5], "n": 50})
    _report("ja").table(
        "scores",
        frame,
        units={"estimate": {"nps": "points", "csat": "share"}},
        labels={"group": {"x": "全体"}},
    )
    assert sent[-1][0]["text/plain"].splitlines()[1:] == [
        "全体 | NPS | 31.2 | 50",
        "全体 | CSAT | 50.0% | 50",
    ]


@pytest.mark.parametrize(
    ("column", "groups", "hidden"),
    [
        ("region", ["Yuki", "north", "south"], "(small group)"),
        ("birth_year", [1931, 1980, 1990], None),
        ("segment", ["Loyal", "New", "Lost"], "Loyal"),
        ("stage", ["decide", "use", "stay"], "decide"),
        ("level", ["Yuki", "north", "south"], "(small group)"),
        ("state", ["Yuki", "north", "south"], "(small group)"),
        ("tier", ["Yuki", "north", "south"], "(small group)"),
        ("dtype", pd.Categorical(["Yuki", "north", "south"]), "(small group)"),
    ],
)
def test_a_blanked_group_of_customers_keeps_no_name(sent, column, groups, hidden):
    _report().table("groups", pd.DataFrame({column: groups, "estimate": 0.5, "n": [3, 40, 50]}))
    shown = [row[column] for row in sent[-1][1]["rows"]]
    assert (shown[0], shown[2]) == (hidden, groups[2])


def test_what_names_of_small_groups_are_hidden_does_not_hang_on_the_catalogue(sent, monkeypatch):
    """Headings may come and go; the contract and the data set say what is an attribute of customers."""
    frame = pd.DataFrame({"attribute": "region", "value": ["Yuki", "b", "c"], "tier": "x", "n": [3, 40, 50]})
    shown = _report().suppress(frame)
    assert shown["value"].tolist() == ["(small group)", "(small group)", "c"]
    assert shown["attribute"].tolist() == ["region"] * 3
    monkeypatch.setattr("cxlib.language.has_text", lambda key: True)
    pd.testing.assert_frame_equal(_report().suppress(frame), shown)
    own = pd.DataFrame({"state": ["Yuki", "b", "c"], "n": [3, 40, 50]})
    assert cx.Report("any", _data_set(attributes=())).suppress(own)["state"].tolist() == ["Yuki", "b", "c"]


def test_the_header_says_in_words_what_was_asked_for(sent):
    scope = types.SimpleNamespace(
        segment="Champions", segments=cx.SegmentsByDay(None), where={"region": "Kanto"}, by="segment",
        segment_day=dt.date(2026, 3, 31), conf_level=0.9, min_cell=20, period_start=dt.date(2026, 4, 1),
        period_end=None,
    )  # fmt: skip
    asked = {"scope": scope, "f2_days": 90, "observed_from": None, "survey": "transaction"}
    cx.Report("journey", _data_set(), lang="ja", **asked)
    assert sent[0][1]["asked"][:3] == [
        "2026年3月31日時点でセグメント「最優良顧客」に属する顧客のみ",
        "地域が「関東」の顧客のみ",
        "データの内容を示す表は全顧客の数です。それ以降は、断りのない限り、選んだ顧客だけを集計しています。",
    ]
    cx.Report("journey", _data_set(), **asked)
    assert sent[-1][1]["asked"][3:] == [
        "Broken down by: Segment, as of Mar 31, 2026",
        "Second purchase within 90 days",
        "Survey after single contacts (transaction)",
        "Confidence level: 90%",
        "Smallest number of customers shown: 20",
    ]
    assert all(line in sent[-1][0]["text/html"] for line in sent[-1][1]["asked"])
    cx.Report("initiative_roi", _data_set(), scope=scope)
    assert "before an initiative's start, at the latest Mar 31, 2026" in sent[-1][1]["asked"][0]
    with pytest.raises(ParameterError, match="f2_days"):
        cx.Report("journey", _data_set(), f2_dayz=3)


def test_small_rows_are_blanked_even_where_the_author_forgot(sent):
    _report().table("shares", _frame(n=[4, 40, 60]), units={"estimate": "share"})
    bundle, record = sent[-1]
    assert record["suppressed"] == [0, 1]
    assert record["rows"][0] == dict.fromkeys(("estimate", "std_error", "conf_low", "conf_high", "n")) | {
        "region": "(small group)"
    }
    assert bundle["text/plain"].splitlines()[1] == "(small group) | <10 | <10 | <10"
    assert "&lt;10: not shown" in bundle["text/html"]


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_table_of_small_rows_says_so_once(sent, lang):
    frame = pd.DataFrame({"decile": range(1, 7), "customers": [3, 3, 3, 3, 3, 40], "amount": 100.0})
    _report(lang).table("deciles", frame)
    bundle, record = sent[-1]
    assert record["suppressed"] == [0, 1, 2, 3, 4] and len(record["rows"]) == 6, "the record is whole"
    lines = bundle["text/plain"].splitlines()
    assert len(lines) == 3 and lines[1].startswith({"en": "5 rows of fewer", "ja": "ほか5行"}[lang])
    assert "40" in lines[2] and bundle["text/html"].count("<tr>") == 3
    few = pd.DataFrame({"decile": range(8), "customers": [3, 3, 3, 40, 50, 60, 70, 80], "amount": 100.0})
    _report(lang).table("few", few)
    assert len(sent[-1][0]["text/plain"].splitlines()) == 9, "only where most rows are hidden"
    owned = frame.assign(owner="Sales")
    _report(lang).table("owned", owned)
    assert len(sent[-1][0]["text/plain"].splitlines()) == 7, "what stands beside the names is no count"


def test_customers_go_before_answers(sent):
    frame = pd.DataFrame({"region": ["a", "b", "c"], "customers": [4, 40, 60]})
    _report().table("groups", frame)
    assert sent[-1][1]["suppressed"] == [0, 1]
    _report().table("answers", frame.assign(n=[20, 50, 60]))
    assert sent[-1][1]["suppressed"] == [0, 1]


def test_frames_without_customers_can_say_so(sent):
    _report().table("steps", pd.DataFrame({"stage": ["a"], "n": [3]}), n_col=None)
    assert sent[-1][1]["suppressed"] == []


@pytest.mark.parametrize("column", sorted(display.RESTRICTED))
@pytest.mark.usefixtures("sent")
def test_columns_that_point_at_one_customer_are_refused(column):
    with pytest.raises(ParameterError, match=column):
        _report().table("rows", pd.DataFrame({column: ["CX-CANARY-7"]}))


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_hostile_text_stays_text_everywhere(sent, lang):
    report = _report(lang)
    frame = pd.DataFrame({"region": HOSTILE, "estimate": 0.5, "n": 50}).rename(
        columns={"estimate": HOSTILE[0]}
    )
    report.table("hostile", frame)
    report.notice("test.note", where=HOSTILE[1], count=3)
    report.finding("test.finding", share=0.5, amount=HOSTILE[4], day=HOSTILE[2], names=list(HOSTILE))
    for bundle, _ in sent:
        html = bundle["text/html"]
        tags = set(re.findall(r"<(\w+)", html))
        assert tags <= {"div", "table", "thead", "tbody", "tr", "th", "td", "p", "strong", "code"}
        assert "onerror" not in "".join(re.findall(r"<[^>]*>", html))
        assert "mathjax_ignore" in html
        assert len(html) < 20_000
        assert not set(html) & set("\u202e\u200b")


def test_figure_carries_description_caption_and_source(sent):
    axes = cx.new_axes()
    axes.plot([0, 1], [1, 2])
    _report().figure("test", axes, tables=["orders"], n=1234, what="sales")
    bundle, record = sent[-1]
    assert record["alt"] == "A line"
    assert record["caption"] == "Caption of sales"
    assert record["source"] == "Source: Hadaiku, orders, as of Oct 1, 2026, n = 1,234"
    assert 'alt="A line"' in bundle["text/html"]
    assert not pyplot.get_fignums()


@pytest.mark.parametrize(
    ("lang", "counted", "words"),
    [
        ("en", "customers", ", 1,234 customers"),
        ("en", "answers", ", 1,234 answers"),
        ("ja", "customers", "、顧客1,234人"),
        ("ja", "answers", "、回答1,234件"),
    ],
)
def test_source_says_what_was_counted(sent, lang, counted, words):
    _report(lang=lang).figure("test", cx.new_axes(), what="sales", n=1234, counted=counted)
    assert sent[-1][1]["source"].endswith(words)


def _picture(sent):
    return base64.b64decode(re.search(r"base64,([^\"]+)", sent[-1][0]["text/html"]).group(1))


@pytest.mark.parametrize("as_picture", [False, True])
def test_the_same_figure_gives_the_same_bytes(sent, as_picture):
    def draw():
        axes = cx.new_axes()
        axes.plot([0, 1], [1, 2], label="顧客")
        axes.fill_between([0, 1], [1, 2], [2, 3])
        axes.legend()
        report.figure("test", axes, what="x", as_picture=as_picture)
        return _picture(sent)

    report = _report("ja")
    first = draw()
    assert draw() == first
    assert first.startswith(b"\x89PNG" if as_picture else b"<svg")
    if not as_picture:
        assert b"<text" not in first
        assert b"dc:date" not in first


def test_many_dots_become_a_picture(sent):
    axes = cx.new_axes()
    axes.plot(np.arange(20_000), np.random.default_rng(7).normal(size=20_000), "o")
    _report().figure("test", axes, what="x")
    assert _picture(sent).startswith(b"\x89PNG")


def test_source_does_not_name_a_small_number(sent):
    _report().figure("test", cx.new_axes(), what="x", n=3)
    assert "n =" not in sent[-1][1]["source"]


def test_finding_words_and_numbers(sent):
    _report().finding(
        "test.finding",
        verdict="too_early",
        units={"share": "share"},
        share=np.float64(1 / 3),
        amount=cx.in_unit(1e6, "currency"),
        day=dt.date(2026, 1, 2),
        names=["a", "b"],
    )
    bundle, record = sent[-1]
    assert bundle["text/plain"] == "Too early: 33.3% of ¥1,000,000 since Jan 2, 2026: a and b"
    assert record["values"] == {"share": 1 / 3, "amount": 1e6, "day": "2026-01-02", "names": ["a", "b"]}
    assert record["units"] == {"share": "share", "amount": "currency", "day": "date", "names": "text"}
    assert record["verdict"] == "too_early"
    assert "Too early</strong>" in bundle["text/html"]


@pytest.mark.parametrize(
    ("people", "kind"),
    [
        ({"n": 3}, "notice"),
        ({"n": 0}, "notice"),
        ({"n": 10}, "finding"),
        ({"n": float("nan")}, "finding"),
        ({"n": 90, "n_control": 3}, "notice"),
        ({"n": 90, "n_control": 0}, "finding"),
    ],
)
def test_finding_on_few_customers_is_withheld(sent, people, kind):
    _report().finding("test.finding", share=1.0, amount=1, day="x", names="y", **people)
    assert sent[-1][1]["kind"] == kind
    assert sent[-1][1].get("level") == ("not_enough_data" if kind == "notice" else None)


def test_what_small_numbers_hide_is_said_once(sent):
    report = _report()
    before = len(sent)
    for key in ("one", "two"):
        report.table(key, _frame(n=[3, 40, 60]))
        report.finding("test.finding", share=1.0, amount=1, day="x", names="y", n=3)
    later = sent[before:]
    assert ["&lt;10: not shown" in bundle["text/html"] for bundle, _ in later] == [True, False, False]
    assert [record["key"] for _, record in later] == ["one", "display.finding_hidden", "two"]


def test_notice_levels(sent):
    report = _report("ja")
    report.notice("test.note", level="warning", where="orders", count=cx.in_unit(3, "count"))
    assert sent[-1][1] == {
        "kind": "notice",
        "key": "test.note",
        "level": "warning",
        "text": "ordersに3行",
        "texts": {"en": "3 rows in orders", "ja": "ordersに3行"},
    }
    assert sent[-1][0]["text/plain"] == "注意: ordersに3行"
    report.notice("test.note", where="`<b>`", count=3)
    assert "<code>&lt;b&gt;</code>に3行" in sent[-1][0]["text/html"]
    with pytest.raises(ParameterError, match="not_enough_data"):
        report.notice("test.note", level="error", where="x", count=1)


def test_data_set_notices_are_shown(sent):
    problem = ParameterError("checks.unknown_option", argument="a", value="b", options="c")
    cx.Report("segmentation", _data_set(notices=[problem]), lang="ja")
    assert sent[1][1]["kind"] == "notice"
    assert "選べる値" in sent[1][1]["text"]
    finding = types.SimpleNamespace(key="checks.finding", text=lambda lang: f"found in {lang}\u200b")
    cx.Report("segmentation", _data_set(notices=[finding]), lang="ja")
    assert sent[-1][1]["text"] == "found in ja�"


def test_a_missing_font_is_said_and_the_report_is_made(sent, monkeypatch):
    for cached in (theme.register_fonts, theme._glyphs):
        cached.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(importlib.util, "find_spec", lambda name: None)
        patch.setattr(theme.font_manager, "get_font_names", lambda: ["DejaVu Sans"])
        report = _report("ja")
        axes = cx.new_axes()
        axes.set_title("顧客", loc="left")
        report.figure("test", axes, what="x")
    assert [record["key"] for _, record in sent if record["kind"] == "notice"] == ["display.no_font"]
    assert axes.get_title(loc="left") == "□□"
    for cached in (theme.register_fonts, theme._glyphs):
        cached.cache_clear()


def test_no_personal_data_in_any_piece(sent):
    """Names, mails, phones and ids planted in extra columns, group names and comments leave no trace."""
    report = _report()
    groups = pd.DataFrame(
        {"nickname": [*CANARIES, "north", "south"], "estimate": 0.5, "n": [*([1] * 5), 400, 500]}
    )
    shown = report.suppress(groups)
    report.table("by_nickname", shown)
    axes = cx.new_axes()
    axes.barh(shown["nickname"], shown["estimate"])
    report.figure("test", axes, what=f"mail {CANARIES[1]}", n=900)
    report.finding("test.finding", share=1, amount=CANARIES[1], day=CANARIES[2], names=[CANARIES[3]])
    report.notice("test.note", where=CANARIES[1], count=CANARIES[2])
    everything = json.dumps(sent, ensure_ascii=False, default=str)
    assert [canary for canary in CANARIES if canary in everything] == []
    assert "1234" not in re.sub(r"base64,[^\"\\]+", "", everything)


def test_records_hold_what_json_can():
    assert layout.to_record(np.int64(3)) == 3
    assert layout.to_record(float("inf")) is None
    assert layout.to_record(pd.NaT) is None
    assert layout.to_record(pd.Timestamp("2026-01-02")) == "2026-01-02"
    assert layout.to_record(np.bool_(True)) is True
    assert layout.to_record((1, None)) == [1, None]


def test_a_period_with_one_end_says_where_the_other_lies(sent):
    cx.Report("any", _data_set(), period_start="2026-07-01")
    assert f"Jul 1, 2026 to {language.format_date(_data_set().as_of)}" in sent[-1][0]["text/plain"]
    cx.Report("any", _data_set(), period_end="2026-07-01")
    assert "the first day of the data to Jul 1, 2026" in sent[-1][0]["text/plain"]


def test_p_values_in_tables_are_never_zero(sent):
    cx.Report("any", _data_set()).table("t", pd.DataFrame({"a": ["x"], "p_adjusted": [0.0], "n": [50]}))
    assert "<0.001" in sent[-1][0]["text/plain"]


def test_a_sentence_of_the_handbook_is_not_cut_as_a_text_of_the_data_is(sent):
    _report().table(
        "cautions", pd.DataFrame({"caution": ["x" * 300], "from_the_data": ["y" * 300]}), n_col=None
    )
    rows = sent[-1][1]["rows"]
    assert rows[0]["caution"] == "x" * 300 and rows[0]["from_the_data"].endswith("…")
    assert "x" * 300 in sent[-1][0]["text/html"]
