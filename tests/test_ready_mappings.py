"""Every ready mapping reads its fixture with no hand edit: rows, customers and money come out right."""

import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

import cxlib as cx
from cxlib.data.exports.recognise import READY, recognise
from cxlib.data.tables.coverage import CHAPTERS, coverage
from cxlib.data.tables.data_set import open_data
from cxlib.runner.cli import main

FIXTURES = Path(__file__).parent / "fixtures" / "exports"
NAMES = sorted(path.parent.name for path in FIXTURES.glob("*/expected.yml"))
EXPECTED = {name: yaml.safe_load((FIXTURES / name / "expected.yml").read_text("utf-8")) for name in NAMES}


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """Fixtures as data sets, each imported once by the command a user gives."""
    made = {}

    def bring(name, capsys):
        if name not in made:
            target = tmp_path_factory.mktemp("imported") / "shop"
            words = ["import", "--from", str(FIXTURES / name / "export"), "--to", str(target)]
            code = main([*words, *EXPECTED[name]["options"]])
            captured = capsys.readouterr()
            assert code == 0, captured.err
            made[name] = target, captured.out
        return made[name]

    return bring


def _facts(data_set, how):
    def value(place):
        table, column = place.split(".")
        return getattr(data_set.table(table)[column], how)()

    return value


def _number(value):
    return round(float(value), 6)


HOW = {
    "distinct": ("nunique", _number),
    "sums": ("sum", _number),
    "filled": ("count", _number),
    "first": ("min", lambda value: value.isoformat()),
    "last": ("max", lambda value: value.isoformat()),
}


def test_what_was_left_out_is_one_line_a_file_and_holds_what_happened(imported, capsys):
    _, said = imported("rakuten", capsys)
    lines = [line for line in said.splitlines() if "left out" in line]
    assert lines == [
        "  rows left out: ステータス = 900 (2)",
        "  rows left out: ステータス = 900 (2); 店舗発行クーポン利用額 = 0 (63)",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_fixture_arrives_as_it_was_worked_out(name, imported, capsys, monkeypatch):
    monkeypatch.delenv("CX_PSEUDONYM_KEY", raising=False)
    target, said = imported(name, capsys)
    expected, data_set = EXPECTED[name], open_data(target)
    assert {table: len(data_set.table(table)) for table in expected["rows"]} == expected["rows"]
    for what, (how, shown) in HOW.items():
        found = _facts(data_set, how)
        wanted = expected.get(what, {})
        assert {place: shown(found(place)) for place in wanted} == wanted, what
    for mapping in expected["mappings"]:
        assert re.search(rf"Recognised by {mapping}: ", said)
    for file in expected.get("not_understood", []):
        assert file in said.split("Not understood")[1].splitlines()[0]


@pytest.mark.parametrize("name", NAMES)
def test_the_data_set_keeps_the_contract_and_no_person_is_in_it(name, imported, capsys, monkeypatch):
    monkeypatch.delenv("CX_PSEUDONYM_KEY", raising=False)
    target, _ = imported(name, capsys)
    assert main(["check", str(target)]) == 0
    stored = b"".join(path.read_bytes() for path in target.iterdir())
    for canary in ("@example.invalid", "架空 花子", "カクウ", "Hanako"):
        assert canary.encode() not in stored


def _promises():
    """Reports that the table in the README promises for each mapping."""
    lines = (READY / "README.md").read_text("utf-8").splitlines()
    rows = [re.fullmatch(r"\| \[`([\w-]+)\.yml`\].*\|([^|]*)\|", line) for line in lines]
    return {row[1]: set(re.findall(r"`(\w+)`", row[2])) for row in rows if row}


def test_every_mapping_is_in_the_table():
    assert set(_promises()) == {path.stem for path in READY.glob("*.yml")}
    assert {name for expected in EXPECTED.values() for name in expected["mappings"]} == {
        path.stem for path in READY.glob("*.yml") if path.stem != "completejourney"
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_reports_promised_are_those_the_check_finds(name, imported, capsys, monkeypatch):
    monkeypatch.delenv("CX_PSEUDONYM_KEY", raising=False)
    target, _ = imported(name, capsys)
    found = {line.chapter for line in coverage(open_data(target)) if line.state != "missing"}
    (mapping,) = EXPECTED[name]["mappings"]
    assert _promises()[mapping] & set(CHAPTERS) == found


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_the_reports_are_made_in_both_languages(name, imported, capsys, monkeypatch, tmp_path):
    monkeypatch.delenv("CX_PSEUDONYM_KEY", raising=False)
    target, _ = imported(name, capsys)
    ready = [line.chapter for line in coverage(open_data(target)) if line.state != "missing"]
    for lang in ("en", "ja") if ready else ():
        assert (
            main(
                [
                    "run",
                    *ready,
                    "--data",
                    str(target),
                    "--lang",
                    lang,
                    "--out",
                    str(tmp_path),
                    "--accept-gaps",
                ]
            )
            == 0
        )
    made = [path.stem for path in tmp_path.rglob("*.html") if path.stem != "index"]
    assert len(made) == 2 * len(ready)


def test_every_mapping_says_in_both_languages_what_it_takes():
    for path in READY.glob("*.yml"):
        head = "".join(
            line for line in path.read_text("utf-8").splitlines(keepends=True) if line.startswith("#")
        )
        assert re.search(r"[぀-ヿ]", head), path.name
        if path.stem != "completejourney":
            assert re.search(r"[Aa]mount", head), path.name
            assert "金額" in head, path.name


@pytest.mark.parametrize("name", NAMES)
def test_one_mapping_alone_fits_each_file(name):
    found = recognise(FIXTURES / name / "export")
    assert list(found.taken) == EXPECTED[name]["mappings"]
    assert list(found.unknown) == EXPECTED[name].get("not_understood", [])


CASES = Path(__file__).parents[2] / "shared" / "cases"


@pytest.mark.skipif(not CASES.is_dir(), reason="the inputs are not beside this checkout")
@pytest.mark.parametrize(
    ("case", "facts"),
    [
        ("shopify-orders", {"orders.amount": ("sum", 697_300), "customers.customer_id": ("nunique", 26)}),
        # 2,151,500 of goods before 12,600 of discounts, each a row of its own
        (
            "eccube-orders-cp932",
            {"orders.amount": ("sum", 2_151_500 - 12_600), "orders.order_id": ("nunique", 362)},
        ),
        ("hubspot-deals", {"deals.closed_on": ("count", 75), "deals.is_won": ("sum", 39)}),
        ("google-forms-ja", {"responses.nps_score": ("count", 120)}),
        ("google-forms-sheet", {"responses.nps_score": ("count", 120)}),
        ("surveymonkey", {"responses.nps_score": ("count", 140), "responses.driver_support": ("count", 140)}),
        ("qualtrics-anonymous", {"responses.nps_score": ("count", 135)}),
        ("ga4-events", {"events.event_id": ("nunique", 180)}),
    ],
)
def test_exports_on_which_imports_once_went_wrong_need_no_mapping_of_their_own(
    case, facts, tmp_path, monkeypatch
):
    monkeypatch.delenv("CX_PSEUDONYM_KEY", raising=False)
    words = ["import", "--from", str(CASES / case / "export"), "--to", str(tmp_path / "shop")]
    settings = "--currency JPY --timezone Asia/Tokyo --extracted-at 2026-10-01"
    assert main([*words, *settings.split()]) == 0
    data_set = open_data(tmp_path / "shop")
    assert {place: _facts(data_set, how)(place) for place, (how, _) in facts.items()} == {
        place: value for place, (_, value) in facts.items()
    }
    expected_nps = {"google": -11.67, "surveymonkey": -40.71, "qualtrics": -8.15}
    for name, nps in expected_nps.items():
        if case.startswith(name):
            (row,) = cx.nps(data_set.table("responses")).to_dict("records")
            assert round(row["estimate"], 2) == nps


def test_the_sheet_of_a_form_as_a_workbook_gives_the_same_answers(tmp_path, monkeypatch):
    monkeypatch.setenv("CX_PSEUDONYM_KEY", "a key long enough to be one")
    source = FIXTURES / "google-forms-sheet" / "export"
    frame = pd.read_csv(next(source.iterdir()), parse_dates=["タイムスタンプ"])
    (tmp_path / "export").mkdir()
    frame.to_excel(tmp_path / "export" / "回答.xlsx", index=False, sheet_name="フォームの回答 1")
    made = []
    for name, folder in (("csv", source), ("xlsx", tmp_path / "export")):
        assert main(["import", "--from", str(folder), "--to", str(tmp_path / name)]) == 0
        made.append(open_data(tmp_path / name).table("responses").sort_index(axis=1))
    pd.testing.assert_frame_equal(*made)


def test_a_form_that_collects_no_address_is_an_anonymous_survey(tmp_path, monkeypatch):
    monkeypatch.delenv("CX_PSEUDONYM_KEY", raising=False)
    source = next((FIXTURES / "google-forms" / "export").iterdir())
    (tmp_path / "export").mkdir()
    pd.read_csv(source, dtype=str).drop(columns="メールアドレス").to_csv(
        tmp_path / "export" / "a.csv", index=False
    )
    assert main(["import", "--from", str(tmp_path / "export"), "--to", str(tmp_path / "shop")]) == 0
    data_set = open_data(tmp_path / "shop")
    assert list(data_set.tables) == ["responses"]
    assert len(data_set.table("responses")) == EXPECTED["google-forms"]["rows"]["responses"]
