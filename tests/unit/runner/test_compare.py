import json
import re
from html import unescape
from pathlib import Path

import pandas as pd
import pytest

from cxlib.checks import InputError
from cxlib.data.tables.data_set import open_data
from cxlib.runner import compare as module
from cxlib.runner import history
from cxlib.runner.analysis import key_figures
from cxlib.runner.cli import main
from cxlib.runner.compare import KPI, compare, comparison_json
from cxlib.runner.compare_page import compare_html
from cxlib.runner.notebooks import read_notebook
from cxlib.runner.parameters import read_parameters
from cxlib.runner.run_files import read_run

ROOT = Path(__file__).parents[3]
SCORECARD, SAMPLE = ROOT / "notebooks" / "06_scorecard.ipynb", ROOT / "data" / "sample"
RULES = [{"file": name, "sha256": "1"} for name in ("journey.yml", "kpis.yml", "targets.yml", "states.yml")]


def header(results):
    return results["scorecard"]["header"]


def of_day(day, nps=None, **others):
    def change(results):
        header(results).update({"as_of": day, **others})
        for row in results["scorecard"]["tables"]["kpis"]["rows"]:
            if row["metric"] == "nps" and nps is not None:
                row["estimate"] = nps

    return change


@pytest.fixture
def pair(stored_run):
    """`pair(old={…}, new={…})`: two runs a month apart, as `stored_run` takes them."""

    def _pair(old=None, new=None):
        old = {"change": of_day("2026-08-31", 18.0), "rules": RULES} | (old or {})
        new = {"rules": RULES} | (new or {})
        folders = [stored_run("20260901-000000", **old), stored_run("20261001-000000", **new)]
        return [read_run(folder, folder.parent) for folder in folders]

    return _pair


@pytest.fixture
def changes(monkeypatch):
    """What the data at hand say, without computing it."""
    held = {"nps": {"before": 18.0, "change": 4.1, "change_conf_low": 1.0, "change_conf_high": 7.2}}
    held["nps"] |= {"n_both": 900, "moved": "risen"}
    monkeypatch.setattr(module, "_changes", lambda *asked: ({f"{KPI}nps]": held["nps"]}, None))
    return held["nps"]


def row_of(rows, name="nps"):
    return next(row for row in rows if row.key == f"{KPI}{name}]")


def test_a_difference_the_data_carry_has_limits_and_a_verdict(pair, changes):
    found = compare(*pair())
    row = row_of(found.tested)
    assert (row.old, row.change, row.conf_low, row.conf_high, row.moved) == (18.0, 4.1, 1.0, 7.2, "risen")
    assert row.restated is None and found.not_comparable == []
    assert [cause[0] for cause in found.causes] == ["as_of"]


def test_what_is_only_stored_has_a_difference_and_no_verdict(pair):
    found = compare(*pair())
    row = row_of(found.stored)
    assert row.difference == pytest.approx(row.new - 18.0) and row.moved is None and row.conf_low is None
    assert found.tested == [] and found.untested[0] == "no_scorecard"
    assert "can&#39;t tell whether" in compare_html(found, "en")


def test_the_earlier_day_is_the_old_one_however_they_are_given(pair):
    old, new = pair()
    assert compare(new, old).old.name == compare(old, new).old.name == old.name


@pytest.mark.parametrize(
    ("new", "kpi", "why"),
    [
        ({"parameters": {"segment": "Champions"}}, "nps", "parameter"),
        ({"parameters": {"where": "region=Kanto"}}, "nps", "parameter"),
        ({"rules": [{"file": "journey.yml", "sha256": "2"}, *RULES[1:]]}, "valley_depth", "rules"),
        ({"rules": [RULES[0], {"file": "kpis.yml", "sha256": "2"}, *RULES[2:]]}, "nps", "definition"),
        ({"versions": {"cx-handbook": "9"}}, "nps", "version"),
    ],
)
def test_a_figure_whose_meaning_changed_is_not_compared(pair, new, kpi, why):
    found = compare(*pair(new=new))
    row = row_of(found.not_comparable, kpi)
    assert [reason[0] for reason in row.reasons] == [why] and row.difference is None
    assert why.rstrip("s") in " ".join(cause[0] for cause in found.causes) or why == "definition"
    page = compare_html(found, "en")
    assert page.index("Not comparable") < page.index("What differs") < page.index("Other figures")


@pytest.mark.parametrize(
    "new",
    [
        {
            "parameters": {
                "horizon_months": 6,
                "purpose": "keep",
                "min_cell": 20,
                "compared_with": "2026-01-01",
            }
        },
        {"rules": [*RULES[:2], {"file": "targets.yml", "sha256": "2"}, RULES[3]]},
        {"commit": "abc"},
    ],
)
def test_what_leaves_a_key_figures_meaning_alone_is_a_cause_and_no_obstacle(pair, new):
    found = compare(*pair(new=new))
    assert row_of(found.stored) and f"{KPI}nps]" not in [row.key for row in found.not_comparable]
    assert {"parameter", "rules", "commit"} & {cause[0] for cause in found.causes}


def test_another_unit_is_another_definition(pair):
    def in_points(results):
        results["scorecard"]["tables"]["kpis"]["units"]["estimate"]["csat"] = "points"

    assert row_of(compare(*pair(new={"change": in_points})).not_comparable, "csat").reasons == (
        ("definition", {}),
    )


def test_a_changed_meaning_may_still_have_a_change_by_todays_rules(pair, changes):
    found = compare(*pair(new={"versions": {"cx-handbook": "9"}}))
    row = row_of(found.not_comparable)
    assert row.difference is None and row.change == 4.1
    assert "+4.1" in compare_html(found, "en") and found.tested == []


def test_data_taken_back_are_told_as_an_old_figure_restated(pair, changes):
    changes["before"] = 17.5
    found = compare(*pair())
    assert row_of(found.tested).restated == 17.5
    assert "data now give 17.5" in compare_html(found, "en")


def test_never_a_table_of_flipped_badges(pair):
    def flipped(results):
        header(results)["as_of"] = "2026-08-31"
        for row in results["scorecard"]["tables"]["kpis"]["rows"]:
            row["verdict"] = "target_missed"

    found = compare(*pair(old={"change": flipped}))
    assert "target_missed" not in json.dumps(comparison_json(found))
    assert all(row.difference == 0 for row in found.stored if row.difference is not None)


@pytest.mark.parametrize(
    ("old", "words"),
    [
        ({"change": of_day("2026-08-31", data_set="Other Ltd")}, "one company"),
        ({"change": of_day("2026-08-31", currency="USD")}, "USD"),
    ],
)
def test_runs_of_another_company_or_currency_are_refused(pair, old, words):
    with pytest.raises(InputError, match=words):
        compare(*pair(old=old))


def test_runs_without_a_report_in_common_are_refused(stored_run):
    def renamed(results):
        results["journey"] = results.pop("scorecard")

    one, other = stored_run("1"), stored_run("2", change=None)
    path = other / "results.json"
    results = json.loads(path.read_text(encoding="utf-8"))
    renamed(results)
    path.write_text(json.dumps(results), encoding="utf-8")
    with pytest.raises(InputError, match="in common"):
        compare(read_run(one, one), read_run(other, other))


def test_data_that_are_not_the_runs_carry_no_test(pair, tmp_path):
    data = {"data": [{"file": "orders.parquet", "sha256": "of another day"}]}
    old, new = pair(new={"data": data})
    found = compare(old, new, notebook=SCORECARD, data=SAMPLE)
    assert found.untested[0] == "data_moved_on" and "orders.parquet" in found.untested[1]["files"]
    assert compare(old, new, notebook=SCORECARD, data=tmp_path / "gone").untested[0] == "no_data"


@pytest.mark.long
@pytest.mark.slow
def test_the_difference_is_the_scorecards_own(stored_run):
    """The stored scorecard compares Sep 30 with Jun 30: its change, error and verdict come out again."""

    def then(results):
        header(results)["as_of"] = "2026-06-30"
        for row in results["scorecard"]["tables"]["kpis"]["rows"]:
            row["estimate"] = row["before"]

    old, new = (read_run(one, one) for one in (stored_run("1", change=then), stored_run("2")))
    found = compare(old, new, notebook=SCORECARD, data=SAMPLE)
    rows = {f"{KPI}{row['metric']}]": row for row in new.results["scorecard"]["tables"]["kpis"]["rows"]}
    assert {row.key for row in found.tested} == {
        k for k, row in rows.items() if row["change_conf_low"] is not None
    }
    for row in found.tested:
        names = ("change", "change_conf_low", "change_conf_high", "moved")
        stored = [rows[row.key][name] for name in names]
        assert [row.change, row.conf_low, row.conf_high] == pytest.approx(stored[:3], rel=1e-9, abs=1e-12)
        assert row.moved == stored[3] and row.restated is None


@pytest.mark.parametrize(("lang", "said"), [("en", "Only in the later run: "), ("ja", "新しい実行だけ：")])
def test_what_only_one_run_tells_is_named(pair, changes, lang, said):
    def without(results):
        of_day("2026-08-31", 18.0)(results)
        del results["scorecard"]["findings"]["scorecard.initiative"]

    old, new = pair(old={"change": without})
    told = new.results["scorecard"]["findings"]["scorecard.initiative"]["texts"][lang]
    (shown,) = re.findall(f"<li>{said}(.*)</li>", compare_html(compare(old, new), lang))
    assert unescape(shown)[:60] == told[:60]


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_page_is_in_one_language_inert_and_holds_hostile_names_as_text(pair, changes, lang):
    def hostile(results):
        results["scorecard"]["header"]["data_set"] = "<script>alert(1)</script>"

    old = {"change": lambda results: (of_day("2026-08-31", 18.0)(results), hostile(results))}
    found = compare(*pair(old=old, new={"change": hostile}))
    page = compare_html(found, lang)
    assert not re.search(r"<script|https?://|@import|url\(", page)
    text = re.sub(r"<style.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    assert bool(re.search(r"[\u3040-\u30ff]", text)) == (lang == "ja")
    assert "+4.1" in page and "18.0" in page


def test_the_command_writes_page_and_json_beside_the_runs(pair, capsys, changes):
    old, new = pair()
    out = new.folder.parent
    assert main(["compare", old.name, new.name, "--out", str(out)]) == 0
    folder = out / "compare" / f"{old.name}-to-{new.name}"
    assert sorted(path.name for path in folder.iterdir()) == [
        "compare.html",
        "compare.json",
        "compare_ja.html",
    ]
    told = json.loads((folder / "compare.json").read_text(encoding="utf-8"))
    row = next(row for row in told["tested"] if row["key"] == f"{KPI}nps]")
    assert row["change"] == 4.1 and told["causes"][0]["cause"] == "as_of"
    assert "compare.html" in capsys.readouterr().out
    assert main(["compare", old.name, "nope", "--out", str(out)]) == 2


@pytest.fixture
def regional(stored_run):
    """`regional(day, nps)`: a run with a scorecard for each of two regions and none of all."""

    def _run(name, day, nps):
        def change(results):
            of_day(day, nps)(results)
            whole = results.pop("scorecard")
            results |= {f"scorecard-{region}": whole for region in ("Kanto", "Kansai")}

        values = {one.name: one.default for one in read_parameters(read_notebook(SCORECARD), "scorecard")}
        entries = {
            f"scorecard-{region}": {
                "report": "scorecard",
                "status": "ok",
                "title": f"Scorecard · {region}",
                "titles": {"ja": f"スコアカード · {region}"},
                "parameters": {**values, "where": f"region={region}"},
            }
            for region in ("Kanto", "Kansai")
        }
        folder = stored_run(name, change=change, rules=RULES, reports=entries)
        return read_run(folder, folder.parent)

    return _run


def test_scorecards_of_regions_are_tested_too_and_all_their_limits_hold_together(regional, monkeypatch):
    asked = []

    def key_changes(notebook, latest, earlier):
        asked.append((latest["where"], latest["conf_level"], latest["as_of"], earlier["as_of"]))
        row = {"metric": "nps", "before": 18.0, "change": 4.1, "n_both": 300, "moved": "risen"}
        return pd.DataFrame([row | {"change_conf_low": 1.0, "change_conf_high": 7.2}])

    monkeypatch.setattr(key_figures, "key_changes", key_changes)
    old, new = regional("1", "2026-08-31", 18.0), regional("2", "2026-09-30", 22.1)
    found = compare(old, new, notebook=SCORECARD, data=SAMPLE)
    assert [one[0] for one in asked] == ["region=Kanto", "region=Kansai"]
    assert [one[1:] for one in asked] == [(pytest.approx(0.975), "2026-09-30", "2026-08-31")] * 2
    keys = [f"scorecard-{region}/kpis[metric=nps]" for region in ("Kanto", "Kansai")]
    assert [row.key for row in found.tested] == keys and found.untested is None
    assert not found.not_comparable
    page = compare_html(found, "ja")
    assert "スコアカード · Kanto" in page and "スコアカード · Kansai" in page, "whose figure it is is said"
    rows = history.run_rows(new)
    assert {row["scope"] for row in rows} == {"where=region=Kanto", "where=region=Kansai"}


def test_rules_that_no_figure_of_a_regions_report_rests_on_are_no_obstacle(stored_run):
    def of_region(results):
        results["nps_drivers-Kanto"] = results.pop("scorecard")

    reports = {"nps_drivers-Kanto": {"report": "nps_drivers", "parameters": {"where": "region=Kanto"}}}
    both = [
        stored_run(name, change=of_region, reports=reports, rules=[{"file": "states.yml", "sha256": name}])
        for name in ("1", "2")
    ]
    found = compare(*(read_run(folder, folder.parent) for folder in both))
    assert found.stored and not found.not_comparable


@pytest.mark.long
def test_a_regions_change_is_that_of_its_customers(regional):
    old, new = regional("1", "2026-06-30", 18.0), regional("2", "2026-09-30", 22.1)
    for run in (old, new):
        run.results.pop("scorecard-Kansai")
    found = compare(old, new, notebook=SCORECARD, data=SAMPLE)
    row = next(row for row in found.tested if row.key == "scorecard-Kanto/kpis[metric=nps]")
    answers = open_data(SAMPLE, "2026-09-30").scope(where="region=Kanto").customers
    assert 0 < row.n <= len(answers) and row.conf_low < row.change < row.conf_high
