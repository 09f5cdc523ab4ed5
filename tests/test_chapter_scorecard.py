"""The scorecard on any tables there are, and the one page laid out from its record."""

import datetime as dt
import functools
import importlib.util
import json
import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import yaml

import cxlib as cx
from cxlib.data.rules.decisions import Decision
from cxlib.report.prose import told_value
from cxlib.runner.board import Board, board_html, board_text
from cxlib.runner.check_text import check_text
from cxlib.runner.run_files import Run
from cxlib.samples.simulate import write_sample

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
SCORECARD, REGISTER = NOTEBOOKS / "06_scorecard.ipynb", NOTEBOOKS / "05_initiative_register.ipynb"
JOURNEY, BURN_IN = (
    NOTEBOOKS / "02_journey.ipynb",
    Path(__file__).parent / "unit" / "journey" / "test_burn_in.py",
)
SAMPLE = NOTEBOOKS.parent / "data" / "sample"
JAPANESE_MAY_HOLD = {"ROI", "NPS", "CSAT", "CRM", "CX", "MA", "F2", "CES", "Hadaiku"}


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    return write_sample(tmp_path_factory.mktemp("company"), n_customers=900, seed=5)


@pytest.fixture
def run(company, run_chapter, monkeypatch):
    """Results of the scorecard as `results.json` holds them; errors by as few groups as there may be."""
    few = functools.partial(cx.scorecard.measure_kpis, n_groups=5)
    monkeypatch.setattr(cx.scorecard, "measure_kpis", few)

    def _run(**parameters):
        pieces = run_chapter(SCORECARD, **{"data": str(company), "n_boot": 100, **parameters})
        own = {f"{kind}s": held for kind, held in pieces.items() if kind != "header"}
        return json.loads(json.dumps({"scorecard": own | {"header": pieces["header"]["scorecard"]}}))

    return _run


def words(html):
    text = re.sub(r"<style.*?</style>|<svg.*?</svg>|<[^>]+>", " ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", text)


def latin_words(page, results):
    """Latin words of a page that are no name of the company's own: of its data set, initiatives, values."""
    own = results["scorecard"]
    rows = [
        row for table in ("initiatives", "actions") for row in own["tables"].get(table, {}).get("rows", [])
    ]
    names = {str(value) for row in rows for name, value in row.items() if name in ("initiative", "name")}
    asked = re.findall(r"「(.*?)」", " ".join(own["header"]["asked_texts"]["ja"]))
    for name in sorted({*names, *asked, own["header"]["data_set"]}, key=len, reverse=True):
        page = page.replace(name, "")
    return set(re.findall(r"[A-Za-z][A-Za-z0-9]+", page))


def holds_only_what_is_recorded(results):
    """Every number and day of page and text is one of the record's, in either language; the page is short."""
    run = Run(Path("run"), {"run": "run", "reports": {}}, results)
    for lang in ("en", "ja"):
        page, board = words(board_html(results, lang)), Board(results, lang)
        period = board.sentence(board.finding("period"))  # a fiscal month bears the year it began in
        for text in (page, board_text(results, lang)):
            looked_at, unfounded = check_text(text.replace(period, ""), run, lang=lang)
            assert looked_at > 5
            assert unfounded == []
        assert (len(page.split()) <= 600) if lang == "en" else (len(page.replace(" ", "")) <= 1600)
        assert lang == "en" or latin_words(page, results) <= JAPANESE_MAY_HOLD
        table = results["scorecard"]["tables"]["kpis"]
        recorded = [row for place, row in enumerate(table["rows"]) if place not in table["suppressed"]]
        for shown, row, kpi in zip(board.rows("kpis"), recorded, board.kpis, strict=True):
            for name in ("estimate", "conf_low", "conf_high", "target", "before"):
                assert shown[name] == row[name]
            unit = results["scorecard"]["tables"]["kpis"]["units"]["estimate"][row["metric"]]
            if row["estimate"] is not None:
                currency = results["scorecard"]["header"]["currency"]
                said = told_value(row["estimate"], unit, lang, currency=currency, worded=False)
                assert kpi["estimate"] == said
                assert said in page


def stored():
    """Results of the stored notebook."""
    found = {"findings": {}, "notices": {}, "tables": {}, "figures": {}}
    for cell in json.loads(SCORECARD.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", []):
            record = output.get("metadata", {}).get("cx", {})
            if record.get("kind") == "header":
                found["header"] = record
            elif record:
                found[f"{record['kind']}s"][record["key"]] = record
    return {"scorecard": found}


def test_the_planted_chain_is_found():
    """The valley is planted at "decide", and the initiative that works at a touchpoint of that stage."""
    results = stored()["scorecard"]
    assert results["findings"]["scorecard.valley"]["values"]["stage"] == "decide"
    assert results["findings"]["scorecard.headline"]["values"]["claim"] == "aimed"
    assert all(row["is_joined"] for row in results["tables"]["joins"]["rows"])


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_page_is_short_and_in_one_language(lang):
    page = words(board_html(stored(), lang))
    if lang == "en":
        assert len(page.split()) <= 600
        assert not re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", page)
    else:
        assert len(page.replace(" ", "")) <= 1600
        assert latin_words(page, stored()) <= JAPANESE_MAY_HOLD


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_sentence_of_the_page_has_at_most_25_words(lang):
    findings = stored()["scorecard"]["findings"]
    for link in ("money", "valley", "cost", "care", "driver", "initiative"):
        said = findings[f"scorecard.{link}"]["texts"][lang]
        assert said in board_text(stored(), lang)
        assert lang == "ja" or len(said.split()) <= 25, said


def test_every_number_of_the_page_is_one_of_the_records():
    holds_only_what_is_recorded(stored())
    results = stored()
    own = results["scorecard"]["tables"]["kpis"]
    row = next(row for row in own["rows"] if row["metric"] == "nps")
    page = words(board_html(results, "en"))
    assert f"{row['estimate']:.1f}" in page
    assert f"{row['conf_low']:.1f}–{row['conf_high']:.1f}" in page
    row["estimate"] = 77.7
    assert "77.7" in words(board_html(results, "en"))


def test_the_page_needs_no_script_and_nothing_from_elsewhere():
    html = board_html(stored(), "en")
    assert not re.search(r"<script|https?://|@import|url\(", html)
    assert all("://" not in address for address in re.findall(r'href="([^"]*)"', html))


def test_hostile_names_are_inert():
    results = stored()
    hostile = "<script>alert(1)</script>"
    for row in results["scorecard"]["tables"]["initiatives"]["rows"]:
        row["initiative"] = hostile
    results["scorecard"]["header"]["data_set"] = hostile
    assert "<script" not in board_html(results, "en")


def test_decisions_of_the_team_come_back():
    results = stored()
    first, second = (row["id"] for row in results["scorecard"]["tables"]["decide"]["rows"][:2])
    held = [
        Decision(id=first, who="Yuki", state="open"),
        Decision(id=second, state="done", done_on="2026-08-20", what="Mail stopped"),
        Decision(id="fund Old plan", state="dropped"),
    ]
    page = words(board_html(results, "en", decisions=held))
    assert "Yuki" in page
    assert "Mail stopped — done, effect can be judged from Feb 20, 2027 (6–12 months)" in page
    assert "fund Old plan — dropped" in page


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        pytest.param(
            ("initiatives", "enrolments"),
            "No initiative is shown both to work and to leave money over.",
            marks=pytest.mark.long,
        ),
        pytest.param(("responses",), "What goes with recommending is not told", marks=pytest.mark.long),
        pytest.param(("events",), "Too few customers said how they felt", marks=pytest.mark.long),
        (("orders",), "Too few first purchases"),
        (("events", "responses", "deals", "initiatives", "enrolments"), "decide nothing new"),
    ],
)
def test_what_is_lacking_is_said(run, copy_of, company, missing, said):
    results = run(data=copy_of(company, **dict.fromkeys(missing)))
    assert said in board_text(results, "en")
    assert "nan" not in words(board_html(results, "en"))
    holds_only_what_is_recorded(results)


@pytest.mark.parametrize(
    "parameters",
    [
        {"as_of": "2025-01-31", "by": "region"},
        pytest.param({"segment": "Champions", "purpose": "keep"}, marks=pytest.mark.long),
        pytest.param({"where": "region=Kanto"}, marks=pytest.mark.long),
    ],
    ids=str,
)
def test_the_page_is_made_for_any_parameters_in_both_languages(run, parameters):
    results = run(**parameters)
    for lang in ("en", "ja"):
        page = words(board_html(results, lang))
        assert not re.search(r"\bnan\b|None|\{\w+\}", page)
    holds_only_what_is_recorded(results)


def test_targets_that_lead_nowhere_are_told_and_nothing_is_judged_by_them(run, copy_of, company):
    """One target of an unknown figure, one of nobody's; the others are missing."""
    folder = Path(copy_of(company, initiatives=None, enrolments=None, responses=None))
    rules = folder / "rules"
    rules.mkdir()
    own = (NOTEBOOKS.parent / "data" / "rules" / "kpis.yml").read_text(encoding="utf-8")
    orphaned = re.sub(r"(- id: f2_180\n(?:    .*\n)*?)    owner: .*\n", r"\1", own)
    assert orphaned != own
    (rules / "kpis.yml").write_text(orphaned, encoding="utf-8")
    label = "unit: share, better: higher, target: 0.9, alarm: 0.2, label: {en: X, ja: X}"
    targets = "".join(f"  - {{metric: {name}, {label}}}\n" for name in ("f2_18", "f2_180"))
    (rules / "targets.yml").write_text(f"targets:\n{targets}", encoding="utf-8")
    own = run(data=str(folder))["scorecard"]
    notices = {key: held["text"] for key, held in own["notices"].items()}
    assert "f2_180" in notices["scorecard.unknown_target.f2_18"]
    assert "nobody answers for it" in notices["scorecard.no_owner.f2_180"]
    judged = {row["metric"]: row["verdict"] for row in own["tables"]["all_kpis"]["rows"]}
    assert {name for name, verdict in judged.items() if verdict} == {"f2_180"}


@pytest.mark.long
def test_without_targets_figures_are_shown_and_none_is_judged(run, copy_of, company):
    folder = Path(copy_of(company, initiatives=None, enrolments=None))
    (folder / "rules").mkdir()
    (folder / "rules" / "targets.yml").write_text("targets: []\n", encoding="utf-8")
    results = run(data=str(folder))
    assert "no targets" in results["scorecard"]["notices"]["scorecard.no_targets"]["text"]
    assert not any(row["verdict"] for row in results["scorecard"]["tables"]["kpis"]["rows"])
    holds_only_what_is_recorded(results)


@pytest.fixture(scope="module")
def mid_life(tmp_path_factory):
    """A year of a shop of eight: many of those who seem new in it are old customers."""
    spec = importlib.util.spec_from_file_location("burn_in", BURN_IN)
    shops = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(shops)
    orders = shops.shop(8_001)
    moment = orders["ordered_at"].dt.tz_localize("Asia/Tokyo") + pd.Timedelta(hours=10)
    orders = orders.assign(customer_id="c" + orders["customer_id"].astype(str), ordered_at=moment)
    folder = tmp_path_factory.mktemp("mid_life")
    orders.assign(order_id=orders.index.astype(str), line=1).to_parquet(folder / "orders.parquet")
    settings = {"name": "Shop", "currency": "JPY", "timezone": "Asia/Tokyo", "extracted_at": "2026-01-01"}
    (folder / "dataset.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return str(folder)


@pytest.mark.parametrize("given", [None, dt.date(2025, 5, 1)])
def test_second_purchases_of_data_that_begin_mid_life_are_those_of_the_journey(
    run, run_chapter, mid_life, given
):
    own = run(data=mid_life, observed_from=given)["scorecard"]
    journey = run_chapter(JOURNEY, data=mid_life, observed_from=given)
    theirs = next(row for row in journey["table"]["f2"]["rows"] if row["days"] == 180)
    figures = {row["metric"]: row for row in own["tables"]["all_kpis"]["rows"]}
    ends = ["estimate", "conf_low", "conf_high"]
    assert [figures["f2_180"][end] for end in ends] == pytest.approx([theirs[end] for end in ends])
    assert given or theirs["plain"] > theirs["estimate"] + 0.1
    said = {name.split(".")[1] for name in own["notices"]} & {"burn_in", "burn_in_given", "unsettled_given"}
    assert said == {name.split(".")[1] for name in journey["notice"]} & (said or {"burn_in"})
    assert figures["value_12"]["estimate"] is None, "nobody who is new is known for a year"


def test_the_inventory_compares_no_second_purchases_of_data_that_begin_mid_life(run_chapter, mid_life):
    pieces = run_chapter(NOTEBOOKS / "00_data_inventory.ipynb", data=mid_life)
    assert "inventory.no_f2" in pieces["notice"]
    assert "f2" not in {row["metric"] for row in pieces["table"].get("choices", {"rows": []})["rows"]}


def test_the_register_says_the_same(run, run_chapter, company):
    """One initiative first, or none, in both reports; and each step of the register as an act."""
    results = run()["scorecard"]
    register = run_chapter(REGISTER, data=str(company))
    own = {key.split(".", 1)[1] for key in (*results["findings"], *results["notices"]) if "initiative" in key}
    theirs = {
        key.split(".", 1)[1] for key in (*register["finding"], *register["notice"]) if "first_place" in key
    }
    assert {name.removeprefix("initiative") for name in own} == {
        name.removeprefix("first_place") for name in theirs
    }


@pytest.mark.browser
@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_page_is_one_sheet_of_paper(lang, tmp_path):
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium here")
    page, sheet = tmp_path / "summary.html", tmp_path / "summary.pdf"
    page.write_text(board_html(stored(), lang), encoding="utf-8")
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
    subprocess.run(
        [*command, f"--print-to-pdf={sheet}", str(page)], check=True, capture_output=True, timeout=120
    )
    assert len(re.findall(rb"/Type\s*/Page\b", sheet.read_bytes())) == 1


def test_a_page_for_sharing_has_no_pictures_and_says_what_is_left_out():
    results = stored()
    del results["scorecard"]["findings"]["scorecard.money"]
    for row in results["scorecard"]["tables"]["initiatives"]["rows"]:
        row["roi_conf_low"] = "under 10%"
    assert board_html(stored(), "en").count('<img src="data:image/svg+xml;base64,') == 4
    page = board_html(results, "en", is_shared=True)
    assert "<img" not in page
    assert "Left out in a page for sharing" in page
    assert "under 10%" in page
