"""A row of a result becomes a sentence, a table or a chart: words, units, variants, notes, both languages."""

import types

import pandas as pd
import pytest

import cxlib as cx
from cxlib import language
from cxlib.report import report as display
from cxlib.report.header import segment_words
from cxlib.report.rows import Words, placeholders, row_units, rows_of, wording

TEXTS = {
    "test.gap": {
        "en": "{stage}: {estimate} ({conf_low} to {conf_high}) of {n}",
        "ja": "{stage}：{estimate}（{conf_low}～{conf_high}、{n} 人）",
    },
    "test.gap.no_difference_shown": {"en": "{stage}: not shown", "ja": "{stage}：差は確認できません"},
    "test.gap.too_few": {"en": "Too few at {stage}", "ja": "{stage} は少なすぎます"},
    "test.gap.too_few_anywhere": {"en": "Too few", "ja": "少なすぎます"},
    "test.steps": {"en": "from {from_stage}", "ja": "{from_stage} から"},
    "test.tied": {"en": "{tied} lead", "ja": "{tied} が上位"},
    "test.left_out": {"en": "Left out: {kinds}", "ja": "除外：{kinds}"},
    "test.left_out.kinds.free": {"en": "{n} for nothing", "ja": "無料{n}件"},
    "test.left_out.kinds.free_few": {"en": "fewer than {n} for nothing", "ja": "無料{n}件未満"},
    "figure.test_chart": {"en": "Caption", "ja": "図"},
    "figure.test_chart.alt": {"en": "A line", "ja": "線"},
}
BUY = {"buy": {"en": "Purchase", "ja": "購入"}}
ROW = {"metric": "difference", "stage": "buy", "estimate": -0.1, "conf_low": -0.2, "conf_high": -0.05}
ROW |= {"n": 400, "verdict": "fewer", "note": "", "std_error": 0.03}


@pytest.fixture(name="sent")
def _sent(monkeypatch):
    pieces = []
    monkeypatch.setattr(display, "_send", lambda bundle, raw, metadata: pieces.append(metadata["cx"]))
    entries = {**language.catalogue(), **TEXTS}
    monkeypatch.setattr(language, "catalogue", lambda: entries)
    monkeypatch.setattr("cxlib.report.rows.catalogue", lambda: entries)
    return pieces


@pytest.fixture(name="report")
def _report(sent):
    data_set = types.SimpleNamespace(
        name="Test", currency="JPY", timezone="UTC", as_of="2026-10-01", is_sample=False, tables=()
    )
    report = cx.Report("journey", data_set)
    report.name_words(stage=BUY)
    sent.clear()
    return report


def test_a_row_is_said_in_its_units_and_words_in_both_languages(report, sent):
    report.say("test.gap", ROW)
    [piece] = sent
    assert piece["text"] == "Purchase: -10.0 pp (-20.0 pp to -5.0 pp) of 400"
    assert piece["texts"]["ja"].startswith("購入：−10.0ポイント")
    assert piece["values"] == {
        "stage": "buy",
        "estimate": -0.1,
        "conf_low": -0.2,
        "conf_high": -0.05,
        "n": 400,
    }
    assert piece["units"]["estimate"] == "pp" and piece["verdict"] == "fewer" and piece["key"] == "test.gap"


def test_the_verdict_chooses_the_words_and_the_key_stays(report, sent):
    report.say("test.gap", ROW | {"verdict": "no_difference_shown"})
    assert sent[0]["text"] == "Purchase: not shown" and sent[0]["key"] == "test.gap"


def test_a_note_is_said_instead(report, sent):
    report.say("test.gap", ROW | {"note": "too_few"})
    [piece] = sent
    assert (piece["kind"], piece["level"], piece["text"]) == (
        "notice",
        "not_enough_data",
        "Too few at Purchase",
    )


def test_each_row_of_a_list_is_said_by_its_claim_in_both_languages(report, sent):
    kinds = [{"claim": "free", "n": 1_200}, {"claim": "free_few", "n": 10}]
    report.say("test.left_out", {"kinds": kinds, "note": "test.left_out"})
    assert sent[0]["texts"] == {
        "en": "Left out: 1,200 for nothing and fewer than 10 for nothing",
        "ja": "除外：無料1,200件、無料10件未満",
    }


def test_segments_are_named_where_a_report_is_broken_down_by_them():
    """A chapter that forgot to name them showed the English names in Japanese."""
    names = {"en": {"New": "New"}, "ja": {"New": "新規顧客"}}
    known = types.SimpleNamespace(names=names.__getitem__)
    by_segment, by_plan = (types.SimpleNamespace(by=by, segments=known) for by in ("segment", "plan"))
    said = Words(segment_words(by_segment))
    assert [word.in_language("ja") for word in said.of("higher", ["New"])] == ["新規顧客"]
    other = Words(segment_words(by_plan))
    assert other.of("segment", "New").in_language("ja") == "新規顧客"
    assert other.of("lower", ["New"]) == ["New"] and not hasattr(other.of("lower", "New"), "in_language")
    assert segment_words(None) == {}


def test_few_customers_are_not_told(report, sent):
    report.say("test.gap", ROW | {"n": 9})
    assert [piece["kind"] for piece in sent] == ["notice"] and "Purchase" not in sent[0]["text"]


def test_a_row_whose_numbers_are_hidden_is_not_said(report, sent):
    rows = pd.DataFrame([ROW, ROW | {"stage": "use"}]).assign(is_suppressed=[False, True])
    report.say("test.gap", rows, subject="stage")
    assert [piece["key"] for piece in sent] == ["test.gap[stage=buy]"]


def test_each_row_of_a_frame_is_said_under_its_subject(report, sent):
    report.say("test.gap", pd.DataFrame([ROW, ROW | {"stage": "use"}]), subject="stage")
    assert [piece["key"] for piece in sent] == ["test.gap[stage=buy]", "test.gap[stage=use]"]


def test_a_key_holds_nothing_hidden_and_nobody_s_address(report, sent):
    report.say("test.gap", [ROW | {"stage": "a\u202eb ask yuki@example.com"}], subject="stage")
    assert [piece["key"] for piece in sent] == ["test.gap[stage=a�b ask [hidden]]"]


def test_a_list_of_codes_is_joined_in_each_language(report, sent):
    report.name_words(tied={"a": {"en": "A", "ja": "あ"}, "b": {"en": "B", "ja": "い"}})
    report.say("test.tied", {"tied": ["a", "b"]})
    assert sent[0]["texts"] == {"en": "A and B lead", "ja": "あ、い が上位"}
    assert sent[0]["values"] == {"tied": ["a", "b"]}


def test_a_sentence_that_lacks_its_number_is_an_error(report):
    with pytest.raises(KeyError, match="conf_low"):
        report.say("test.gap", {name: held for name, held in ROW.items() if name != "conf_low"})


def test_a_frame_is_shown_in_the_units_of_its_metrics_without_plumbing(report, sent):
    report.show("gaps", pd.DataFrame([ROW | {"metric": "nps"}, ROW | {"metric": "f2"}]))
    [piece] = sent
    assert piece["units"]["estimate"] == {"nps": "points", "f2": "share"}
    assert not {"note", "claim"} & set(piece["columns"])
    assert piece["rows"][0]["std_error"] == 0.03  # kept in the record; the page shows the limits


def test_no_rows_or_too_few_customers_say_why(report, sent):
    frame = pd.DataFrame([ROW])
    report.show("gaps", report.enough(frame, 9), otherwise="journey.empty_answers")
    report.draw("test_chart", None, frame.head(0), otherwise="test.gap.too_few_anywhere")
    assert [piece["key"] for piece in sent] == ["journey.empty_answers", "test.gap.too_few_anywhere"]
    assert "10" in sent[0]["text"] and {piece["level"] for piece in sent} == {"info"}
    sent.clear()
    report.show("gaps", report.enough(frame, 10), otherwise="journey.empty_answers")
    assert [piece["kind"] for piece in sent] == ["table"]


def test_a_note_brings_its_level_and_a_column_the_words_of_its_kin(report, sent):
    report.say("test.gap", ROW | {"note": "too_few", "level": "warning"})
    report.say("test.steps", {"from_stage": "buy"})
    assert (sent[0]["kind"], sent[0]["level"]) == ("notice", "warning")
    assert sent[1]["text"] == "from Purchase"


def test_a_scale_decides_the_unit_where_the_metric_can_not(report, sent):
    curve = pd.DataFrame([ROW | {"metric": "pooled", "band_conf_low": 3.0, "band_conf_high": 4.0}])
    report.show("curve", curve, unit="score")
    report.show("curve", curve)
    units = [(piece["units"]["estimate"], piece["units"]["band_conf_low"]) for piece in sent]
    assert units == [("score", "score"), ("valence", "valence")]


def test_no_rows_show_nothing(report, sent):
    report.show("gaps", pd.DataFrame([ROW]).head(0))
    report.say("test.gap", pd.DataFrame([ROW]).head(0))
    assert sent == []


def test_a_chart_gets_language_and_words_and_names_its_tables(report, sent):
    asked = {}

    def plot(result, *, lang="en", labels=None):
        asked.update(lang=lang, labels=labels)
        axes = cx.new_axes()
        axes.plot(range(len(result)))
        return axes

    report.draw("test_chart", plot, pd.DataFrame([ROW]))
    words = {"buy": "Purchase", "fewer": "Fewer second purchases", "difference": "Difference"}
    assert asked == {"lang": "en", "labels": words}
    assert "events" in sent[0]["source"]


def test_words_come_from_rules_then_from_the_catalogue():
    words = Words()
    words.add("stage", cx.load_rules("journey").stages)
    assert words.of("stage", "decide").in_language("ja") != "decide"
    assert words.of("customer_type", "business").in_language("ja") == "法人"
    assert words.of("metric", "nps").in_language("en") == "NPS"
    assert words.of("stage", 3) == 3 and words.of("stage", None) is None


def test_a_claim_goes_before_the_verdict():
    rows = rows_of(pd.DataFrame([{"claim": "f2", "verdict": "x"}]))
    assert wording("column", rows[0]) == "column.f2"
    assert placeholders("language.list_join") == {"first", "last"}


def test_limits_of_a_second_estimate_are_measured_as_it_is():
    """`naive` is the name of a share elsewhere; the limits of a `naive_estimate` of money are money."""
    row = ROW | {
        "metric": "amount",
        "naive_estimate": 29.0,
        "naive_conf_low": -51.8,
        "naive_conf_high": 110.0,
    }
    assert (
        row_units(row, Words())["naive_conf_low"] == row_units(row, Words())["naive_conf_high"] == "currency"
    )
    assert row_units(row | {"naive": 0.3}, Words())["naive"] == "share"
