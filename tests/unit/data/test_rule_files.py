"""Rule files are read safely, held to their models, and refused with the nearest key."""

import re
from pathlib import Path

import pytest
import yaml

from cxlib.checks import InputError, ParameterError
from cxlib.data.contract import TABLES
from cxlib.data.exports.mapping import Mapping
from cxlib.data.rules.rule_files import RULES, load_rules
from cxlib.data.rules.settings import Settings
from cxlib.data.rules.strict_models import Closed, to_model
from cxlib.runner.cycle_file import Cycle

STAGES = ["discover", "consider", "buy", "wait", "first_use", "decide", "repeat", "recommend"]
DATA = Path(__file__).parents[3] / "data"


@pytest.mark.parametrize("name", RULES)
def test_the_handbooks_rules_are_whole_and_in_both_languages(name):
    rules = load_rules(name)
    text = (DATA / "rules" / f"{name}.yml").read_text(encoding="utf-8")
    assert type(rules) is RULES[name]
    assert len(re.findall(r"\ben:", text)) == len(re.findall(r"\bja:", text)) > 0


def test_the_journey_has_its_stages_in_order_and_a_role_for_each_touchpoint():
    journey = load_rules("journey")
    assert [stage.id for stage in journey.stages] == STAGES
    by_stage = {stage: [t.id for t in journey.touchpoints if t.stage == stage] for stage in STAGES}
    assert all(by_stage.values())
    assert {"mail_magazine", "line_message", "support_chat"} <= set(by_stage["decide"])
    roles = {touchpoint.id: touchpoint.role.en for touchpoint in journey.touchpoints}
    assert "conviction" in roles["mail_magazine"]
    assert "warmth" in roles["line_message"]
    assert "first use" in roles["parcel_insert"]


def test_claims_and_who_gets_in_touch_stand_in_the_journey():
    points = {point.id: point for point in load_rules("journey").touchpoints}
    assert points["mail_magazine"].claim == "conviction"
    assert points["line_message"].claim == "warmth"
    assert points["parcel_insert"].claim == "first_use"
    own = {"checkout", "store_checkout", "web_product", "store_visit", "web_mypage"}
    assert {points[name].initiated_by for name in own} == {"customer"}
    assert points["follow_up_call"].initiated_by == "brand"


def test_a_claim_that_is_neither_known_nor_a_stage_is_refused(tmp_path):
    own = tmp_path / "journey.yml"
    text = (DATA / "rules" / "journey.yml").read_text(encoding="utf-8")
    own.write_text(text.replace("claim: warmth", "claim: warmht"), encoding="utf-8")
    with pytest.raises(InputError, match=r"line_message claims neither.*warmth"):
        load_rules("journey", own)
    own.write_text(text.replace("    initiated_by: brand\n", "", 1), encoding="utf-8")
    with pytest.raises(InputError, match="initiated_by"):
        load_rules("journey", own)


def test_states_are_those_of_the_contract_and_the_last_takes_everyone_else():
    assert [state.id for state in load_rules("states").states] == [
        "interested",
        "not_yet_convinced",
        "wondering",
        "convinced",
        "lapsed",
    ]
    lifecycle = load_rules("lifecycle").states
    assert [state.id for state in lifecycle] == [
        "new_lead",
        "in_negotiation",
        "customer",
        "repeater",
        "lapsed",
    ]
    assert not lifecycle[-1].when


def test_rfm_segments_cover_every_score():
    """Each of the 125 score triples falls into a named segment, so "Others" stays for new score ranges."""
    segments = load_rules("rfm_segments").segments

    def fits(segment, score):
        spans = (segment.r, segment.f, segment.m)
        return all(low <= value <= high for value, (low, high) in zip(score, spans, strict=True))

    def named(*score):
        return next((segment.name for segment in segments if fits(segment, score)), None)

    scores = [(r, f, m) for r in range(1, 6) for f in range(1, 6) for m in range(1, 6)]
    assert all(named(*score) for score in scores)
    assert {named(*score) for score in scores} == {segment.name for segment in segments}
    assert named(5, 5, 5) == "Champions"
    assert named(1, 1, 1) == "Hibernating"


def test_rules_of_an_organisation_replace_the_handbooks(tmp_path):
    own = tmp_path / "targets.yml"
    own.write_text(
        "targets: [{metric: nps, unit: points, better: higher, target: 50, alarm: 30, "
        "label: {en: NPS, ja: NPS}}]"
    )
    assert load_rules("targets", own).targets[0].target == 50


def test_an_unknown_kind_lists_those_that_exist():
    with pytest.raises(ParameterError, match="journey, states, lifecycle"):
        load_rules("journeys")


STAGE = "{id: a, label: {en: A, ja: A}}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stages: []\ntouchpoint: []", "`touchpoint` is not a known key. Did you mean: touchpoints"),
        ("stages: []\ntouchpoints: []", "`stages`: must have at least 2 entries"),
        (f"stages: [{STAGE}, {STAGE}]\ntouchpoints: []", "stages named twice: a"),
        ("stages: [{id: a, label: {en: A}}, {id: b}]\ntouchpoints: []", r"`stages.0.label.ja` is required"),
        (
            "stages: [{id: a, lable: 1}]\ntouchpoints: []",
            r"`stages.0.lable` is not a known key. Did you mean: label",
        ),
        ("just text", "must be entries of the form"),
        ("stages: [", "line 1"),
        ("stages: []\nstages: []", "line 2"),
        ("? [a]\n: b", "not readable as YAML"),
        ("stages: !!python/object/apply:os.system [ls]", "not readable as YAML"),
        ("stages: !!set {a, b}\ntouchpoints: []", "`stages.0`: must be entries of the form"),
    ],
)
def test_a_journey_that_does_not_fit_is_refused(tmp_path, text, words):
    own = tmp_path / "journey.yml"
    own.write_text(text)
    with pytest.raises(InputError, match=words) as stopped:
        load_rules("journey", own)
    assert "journey.yml" in stopped.value.in_language("ja")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("states", "states: [{id: a, label: {en: A, ja: A}, when: [{measure: frequency}]}]", "at_least"),
        (
            "states",
            "states: [{id: a, label: {en: A, ja: A}, when: [{measure: x, at_most: 1}]}]",
            "everyone else",
        ),
        ("states", "states: [{id: a, label: {en: A, ja: A}, when: [{measure: x, at_most: .nan}]}]", "finite"),
        (
            "rfm_segments",
            "others: {en: O, ja: O}\nsegments: [{name: a, label: {en: A, ja: A}, r: [5, 4]}]",
            "lower end",
        ),
        ("targets", "targets: [{metric: nps, better: more}]", "'higher' or 'lower'"),
    ],
)
def test_rules_without_sense_are_refused(tmp_path, name, text, words):
    own = tmp_path / f"{name}.yml"
    own.write_text(text)
    with pytest.raises(InputError, match=words):
        load_rules(name, own)


def test_a_missing_or_foreign_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.yml is not there"):
        load_rules("journey", tmp_path / "none.yml")
    (tmp_path / "cp932.yml").write_bytes("段階".encode("cp932"))
    with pytest.raises(InputError, match=r"cp932\.yml is not UTF-8"):
        load_rules("journey", tmp_path / "cp932.yml")


def test_yes_no_and_days_stay_text(tmp_path):
    """Unquoted, YAML 1.1 would turn them into booleans and dates."""
    own = tmp_path / "states.yml"
    own.write_text(
        "states: [{id: no, label: {en: on, ja: off}, when: [{measure: x, is_in: [yes, 2026-01-01]}]},"
        " {id: rest, label: {en: R, ja: R}}]"
    )
    state = load_rules("states", own).states[0]
    assert (state.id, state.label.en, state.when[0].is_in) == ("no", "on", ["yes", "2026-01-01"])


def test_the_contract_in_words_names_every_table_and_column():
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    for table, spec in TABLES.items():
        row = next(line for line in readme.splitlines() if line.startswith(f"| `{table}` |"))
        for column in [*spec.columns, *spec.key]:
            assert f"`{column}`" in row, (table, column)


def test_the_sample_speaks_the_rules_language():
    settings = yaml.safe_load((DATA / "sample" / "dataset.yml").read_text(encoding="utf-8"))
    assert settings["is_sample"] is True


def test_true_and_false_alone_are_true_or_false_and_neither_is_a_number():
    def below(model):
        return [model, *(one for sub in model.__subclasses__() for one in below(sub))]

    asked = {
        (model, field.alias or name)
        for model in below(Closed)
        for name, field in model.model_fields.items()
        if "bool" in str(field.annotation) and "str" not in str(field.annotation)
    }
    assert {Mapping, Cycle} <= set(below(Closed))
    assert {name for _, name in asked} >= {"is_sample", "optional", "empty", "is_missing", "history"}
    for model, name in asked:
        for found in ("yes", "on", "1", 1, 0, 1.0):
            with pytest.raises(InputError, match=f"`{name}`: must be true or false"):
                to_model(model, {name: found}, file="x.yml")
    told = {"name": "x", "currency": "JPY", "timezone": "Asia/Tokyo", "extracted_at": "2026-10-01"}
    assert [
        to_model(Settings, told | {"is_sample": found}, file="dataset.yml").is_sample
        for found in ("True", "false", True)
    ] == [True, False, True]
    for name, found in {"fiscal_year_start": True, "csat_scale": [True, "5"], "ces_scale": 5}.items():
        with pytest.raises(InputError, match=f"`{name}`: must be a"):
            to_model(Settings, told | {name: found}, file="dataset.yml")
