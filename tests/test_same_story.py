"""The reports of a run tell one story: no sentence is contradicted by its numbers or by another report."""

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
spec = importlib.util.spec_from_file_location("same_story", ROOT / "tests" / "same_story.py")
same_story = importlib.util.module_from_spec(spec)
spec.loader.exec_module(same_story)

FINE = {
    "text": "Sales have risen by 5.0% (interval 2.0% to 8.0%).",
    "verdict": "risen",
    "values": {"estimate": 0.05, "conf_low": 0.02, "conf_high": 0.08, "n": 40},
    "units": {"estimate": "pp", "conf_low": "pp", "conf_high": "pp", "n": "count"},
}
TABLE = {"columns": [], "rows": [{"estimate": 0.5, "conf_low": 0.4, "conf_high": 0.6, "n": 20}]}


def run_of(finding=None, table=None, customers=100, **other):
    header = {"tables": [{"table": "orders", "customers": customers, "rows": 9, "first": None, "last": None}]}
    one = {"header": header | {"currency": "JPY"}, "findings": {"a.key": FINE | (finding or {})}}
    return {"one": one | {"tables": {"t": TABLE | (table or {})}}} | other


def test_what_is_in_order_is_no_contradiction():
    assert same_story.contradictions(run_of(), "en") == []


@pytest.mark.parametrize(
    ("finding", "table", "said"),
    [
        ({"values": FINE["values"] | {"estimate": 0.09}}, None, "does not lie between"),
        ({"values": FINE["values"] | {"conf_low": 0.05, "conf_high": 0.05}}, None, "from 0.05 to 0.05"),
        ({"values": FINE["values"] | {"conf_low": -0.02}}, None, "no interval lies on that side"),
        ({"values": FINE["values"] | {"conf_low": 0.0002}}, None, "no interval lies on that side"),
        ({"values": FINE["values"] | {"conf_high": 1.4}}, None, "two shares"),
        ({"verdict": "fallen"}, None, "no interval lies on that side"),
        ({"verdict": "no_difference_shown"}, None, "every interval excludes"),
        ({"verdict": "no_difference_shown"}, None, "the sentence claims"),
        ({"text": "Risen by 5.0% (– to –)."}, None, "a hole"),
        ({"text": "Risen, beside a result of –."}, None, "a hole"),
        ({"text": "上昇（今回の結果は–）。"}, None, "a hole"),
        ({"text": "Risen by nan."}, None, "a hole"),
        ({"text": "Risen by None."}, None, "a hole"),
        ({"units": FINE["units"] | {"conf_low": "share"}}, None, "conf_low: in share, and estimate in pp"),
        ({"values": FINE["values"] | {"n": 101}}, None, "more than the report has customers"),
        ({"units": {"n": "count"}}, None, "estimate: 0.05 without a unit"),
        ({"texts": {"en": "Above stand 最優良顧客.", "ja": ""}}, None, "in the English sentence"),
        (
            {"texts": {"en": "Left out: 9.", "ja": "除外：9 orders refunded in full。"}},
            None,
            "'orders refunded in full'",
        ),
        ({"texts": {"en": "tickets have risen.", "ja": ""}}, None, "begins with a small letter"),
        ({"texts": {"en": "By gender.", "ja": "性別別の割合です。"}}, None, "'別別' in the Japanese"),
        (
            {"texts": {"en": "Loyal.", "ja": "高いのはNeed attention、優良顧客です。"}},
            None,
            "in the Japanese sentence",
        ),
        ({"units": FINE["units"] | {"lowest": "score", "highest": "count"}}, None, "lowest and highest: in"),
        ({"texts": {"en": "", "ja": "顧客13件の商談15件です。"}}, None, "'顧客13件' in the Japanese"),
        ({"texts": {"en": "At a confidence level of 80.0% it errs.", "ja": ""}}, None, "a needless decimal"),
        ({"texts": {"en": "", "ja": "（有意水準5.0%）"}}, None, "a needless decimal"),
        (
            {
                "verdict": "no_difference_shown",
                "values": FINE["values"] | {"conf_low": -1, "conf_high": 1},
            },
            None,
            "whatever a difference can be",
        ),
        ({"values": FINE["values"] | {"more": 61}}, None, "asks for 61 more answers of 100 customers"),
        ({"values": FINE["values"] | {"n_listed": 9, "per_group": 5}}, None, "asks for two groups of 5"),
        (
            {"values": FINE["values"] | {"claim": "score_ranks", "simple_auc_share": 0.4}},
            None,
            "the bar is right in 0.4 of cases only",
        ),
        (None, {"units": {"estimate": "number"}}, "estimate: 0.5 without a unit"),
        (None, {"units": {"estimate": {"share": "share"}}}, "estimate: 0.5 without a unit"),
        (None, {"rows": [{"estimate": 0.5, "conf_low": 0.6, "conf_high": 0.7}]}, "outside its interval"),
        (None, {"rows": [{"estimate": 0.5, "conf_low": 0.5, "conf_high": 0.5}]}, "width zero"),
    ],
)
def test_a_contradiction_is_found(finding, table, said):
    found = same_story.contradictions(run_of(finding, table), "en")
    assert any(said in fault for fault in found), found


def test_a_denial_that_begins_its_sentence_is_one():
    denied = {"verdict": "no_difference_shown", "values": FINE["values"] | {"conf_low": -0.02}}
    text = "Neither a score nor the source is shown to tell it."
    assert same_story.contradictions(run_of(denied | {"text": text}), "en") == []


def test_an_association_at_its_least_is_none_shown():
    low = {"values": FINE["values"] | {"conf_low": 0.0}, "verdict": "no_difference_shown"}
    told = low | {"units": FINE["units"] | dict.fromkeys(("estimate", "conf_low", "conf_high"), "ratio")}
    assert same_story.contradictions(run_of(told | {"text": "It is not shown."}), "en") == []


def told_of(key, claim, **values):
    return {key: {"text": "", "verdict": None, "values": {"claim": claim} | values}}


@pytest.mark.parametrize(
    ("claim", "faults"), [("only", 1), ("none", 1), ("only_carried", 0), ("none_carried", 0), ("leads", 0)]
)
def test_the_only_topic_that_lowers_is_the_only_one(claim, faults):
    found = told_of("voice.impact[topic=delivery]", "nps_lowers", topic="delivery")
    results = {"header": {}, "tables": {}, "findings": found | told_of("voice.first", claim, topic="price")}
    assert len(list(same_story.first_faults(results))) == faults


@pytest.mark.parametrize(("claim", "faults"), [("among", 1), ("among_judged", 0), ("first_judged", 0)])
def test_the_channel_with_the_largest_ratio_is_the_largest(claim, faults):
    found = told_of("customer_value.best", claim, first="store", estimate=4.0)
    rows = [{"acquisition_channel": "line", "ltv_to_cac": 9.0}, {"acquisition_channel": "all channels"}]
    results = {"header": {}, "tables": {"costs": {"rows": rows}}, "findings": found}
    assert len(list(same_story.first_faults(results))) == faults


@pytest.mark.parametrize(
    ("row", "faults"),
    [
        ({"verdict": "too_early", "next_step": "run_again", "months_observed": 4}, 1),
        ({"verdict": "too_early", "next_step": "wait", "months_observed": 4}, 0),
        ({"verdict": "not_shown", "next_step": "run_again", "months_observed": 0}, 1),
    ],
)
def test_nobody_waits_in_vain_and_no_warning_stands_alone(row, faults):
    warned = {"impact.register_cautions": {"texts": {"en": "Warnings apply to A."}}}
    results = {"tables": {"verdicts": {"rows": [row | {"initiative": "A"}]}}, "notices": warned}
    assert len(list(same_story.waiting_faults(results))) == faults


@pytest.mark.parametrize(("caption", "faults"), [("80 % intervals", 1), ("80.0% of quarters", 1), ("80%", 0)])
def test_a_caption_writes_a_level_as_sentences_do(caption, faults):
    assert len(list(same_story.caption_faults({"figures": {"a": {"caption": caption}}}))) == faults


def test_what_the_choice_of_period_or_groups_makes_is_said():
    header = {"header": {"period_start": "2026-04-01"}, "tables": {}}
    told = told_of("differences", "both", measure="per_100_orders", by="segment")
    found = {"findings": told | told_of("journey.f2_level", "since")}
    said = {"notices": {"journey.f2_of_period": {}, "support.segment_circular": {}}}
    assert len(list(same_story.choice_faults(header | found))) == 2
    assert list(same_story.choice_faults(header | found | said)) == []


@pytest.mark.parametrize(("notice", "finding"), same_story.NOTHING.items())
def test_a_notice_of_nothing_beside_its_finding_is_found(notice, finding):
    run = run_of()
    run["one"] |= {"notices": {notice: {}}}
    assert same_story.contradictions(run, "en") == []
    run["one"]["findings"][finding] = FINE
    assert any("there is none" in fault for fault in same_story.contradictions(run, "en"))


def test_more_customers_than_the_period_has_are_found_unless_it_is_said():
    run = run_of()
    run["one"]["header"] |= {"period_start": "2026-04-01", "tables": [{"table": "orders", "customers": 30}]}
    assert any("in the period" in fault for fault in same_story.contradictions(run, "en"))
    run["one"]["notices"] = {"value.own_windows": {}}
    assert not any("in the period" in fault for fault in same_story.contradictions(run, "en"))


def test_segments_are_the_same_in_every_report():
    parts = [{"segment": "Loyal", "estimate": share, "customer_share": 0.1} for share in (0.4, 0.2)]
    run = {
        name: {"header": {}, "findings": {}, "tables": {"segments": {"rows": [part]}}}
        for name, part in zip(("segmentation", "scorecard"), parts, strict=True)
    }
    found = same_story.contradictions(run, "en")
    assert found == ["estimate of Loyal: said differently: {'segmentation': 0.4, 'scorecard': 0.2}"]


def test_a_figure_of_the_scorecard_is_that_of_its_chapter():
    card = {"tables": {"all_kpis": {"rows": [{"metric": "win_rate", "estimate": 0.5}]}}}
    run = {"scorecard": {"header": {}, "findings": {}} | card}
    assert same_story.contradictions(run, "en") == []
    for won, faults in ((0.5, 0), (0.6, 1)):
        told = FINE | {
            "text": "Won: half.",
            "verdict": None,
            "values": {"estimate": won},
            "units": {"estimate": "share"},
        }
        sales = {"header": {}, "tables": {}, "findings": {"sales.win_rate": told}}
        assert len(same_story.contradictions(run | {"sales": sales}, "en")) == faults


@pytest.mark.parametrize(("told", "faults"), [(5.0, 0), (3.0, 1)])
def test_what_is_told_as_the_largest_is_the_largest(told, faults):
    values = {"estimate": told, "claim": "gain_season"}
    growth = {"rows": [{"segment": "Loyal", "estimate": 3.0}, {"segment": "New", "estimate": 5.0}]}
    found = {"segmentation.growth[kind=gain]": FINE | {"text": "Most.", "verdict": None, "values": values}}
    run = {"segmentation": {"header": {}, "tables": {"growth": growth}, "findings": found}}
    assert len(same_story.contradictions(run, "en")) == faults


def test_no_deal_lacks_what_nothing_tells_of():
    told = FINE | {
        "text": "Work first on “no next step”.",
        "verdict": None,
        "values": {"list": "no_next_step"},
    }
    run = {"sales": {"header": {}, "tables": {}, "findings": {"sales.list_first": told}}}
    assert same_story.contradictions(run, "en") == []
    run["data_inventory"] = {
        "header": {},
        "tables": {},
        "findings": {},
        "notices": {"inventory.none_steps": {}},
    }
    assert any("nothing tells of next steps" in fault for fault in same_story.contradictions(run, "en"))


def test_two_reports_of_one_run_that_count_differently_are_found():
    found = same_story.contradictions(run_of(two=run_of(customers=90)["one"]), "en")
    assert found == ["customers of orders: said differently: {'one': 100, 'two': 90}"]


def stored_run():
    """Read the run on the sample that is stored with the chapters."""
    from cxlib.runner.collect import collect

    chapters = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    return {path.stem[3:]: collect(json.loads(path.read_text(encoding="utf-8"))) for path in chapters}


def test_the_stored_reports_tell_the_same_story():
    assert same_story.contradictions(stored_run(), "en") == []


def test_the_sample_lacks_nothing():
    """Else the first command of the README ends as one that failed."""
    from cxlib.runner.collect import is_not_enough

    assert [name for name, results in stored_run().items() if is_not_enough(results)] == []


@pytest.mark.long  # one set of parameters is held to it quickly, by the runs of test_handbook.py
@pytest.mark.parametrize("number", [1, 2])
def test_other_parameters_tell_the_same_story(tmp_path, number):
    lang = ("en", "ja")[number % 2]
    run = same_story.make_run(same_story.SETS[number], lang, tmp_path)
    assert same_story.contradictions(run, lang) == []


@pytest.mark.long
@pytest.mark.parametrize("number", range(8))
def test_eight_sets_of_parameters_tell_the_same_story(tmp_path, number):
    lang = ("ja", "en")[number % 2]
    run = same_story.make_run(same_story.SETS[number], lang, tmp_path)
    assert same_story.contradictions(run, lang) == []
