import json
import re
from pathlib import Path

import pytest

from cxlib.checks import InputError, ParameterError
from cxlib.runner.cli import main
from cxlib.runner.history import (
    FILE,
    add_rows,
    definition_hash,
    latest_rows,
    read_history,
    run_rows,
    scope_of,
)
from cxlib.runner.history_commands import month_ends
from cxlib.runner.history_page import history_html
from cxlib.runner.run_files import read_run
from cxlib.runner.watch import file_entry

ROOT = Path(__file__).parents[3]
SAMPLE = ROOT / "data" / "sample"


def row(day="2026-09-30", value=20.0, metric="nps", **others):
    told = {
        "data_set": "Shop",
        "currency": "JPY",
        "scope": "",
        "metric": metric,
        "as_of": day,
        "unit": "points",
    }
    told |= {"key": f"scorecard/kpis[metric={metric}]", "definition": "a", "run": "r1", "estimate": value}
    limits = {
        "conf_low": None if value is None else value - 4,
        "conf_high": None if value is None else value + 4,
    }
    return {**told, **limits, "n": 700.0, "conf_level": 0.95, **others}


def months(values, **others):
    return [row(f"2026-{at:02d}-28", value, **others) for at, value in enumerate(values, start=1)]


def test_rows_are_added_and_never_changed(tmp_path):
    assert add_rows(tmp_path, months([20.0, 21.0])) == 2
    first = read_history(tmp_path)
    assert add_rows(tmp_path, [row("2026-01-28", 20.0, run="r2"), row("2026-03-28", 22.0)]) == 1
    assert read_history(tmp_path)[:2] == first
    assert add_rows(tmp_path, [row("2026-01-28", 19.5, run="r3")]) == 1  # the data say something else now
    held = read_history(tmp_path)
    assert held[0]["estimate"] == 20.0 and held[-1]["estimate"] == 19.5
    assert [one["estimate"] for one in latest_rows(held)] == [19.5, 21.0, 22.0]


@pytest.mark.parametrize("damage", ["cut", "changed", "other", "text", "infinite", "no_day"])
def test_a_damaged_history_is_told_and_left_as_it_is(tmp_path, damage):
    import pandas as pd

    add_rows(tmp_path, months([20.0 + at for at in range(9)]))
    path = tmp_path / FILE
    content = bytearray(path.read_bytes())
    if damage == "cut":
        content = content[:-200]
    elif damage == "changed":
        content[60:70] = b"\x00" * 10
    elif damage == "text":
        content = bytearray(b"hello")
    path.write_bytes(content)
    if damage == "other":
        pd.DataFrame({"a": [1]}).to_parquet(path)
    elif damage in ("infinite", "no_day"):
        name, value = ("estimate", float("inf")) if damage == "infinite" else ("as_of", "2026-02-30")
        pd.read_parquet(path).assign(**{name: value}).to_parquet(path)
    before = path.read_bytes()
    with pytest.raises(InputError, match="Nothing was added"):
        add_rows(tmp_path, [row("2026-10-28")])
    assert path.read_bytes() == before
    assert main(["history", "--out", str(tmp_path)]) == 3


def test_a_run_gives_a_row_per_key_figure(stored_run):
    folder = stored_run()
    run = read_run(folder, folder)
    rows = run_rows(run)
    shown = run.results["scorecard"]["tables"]["kpis"]["rows"]
    assert [one["metric"] for one in rows] == [one["metric"] for one in shown]
    nps = next(one for one in rows if one["metric"] == "nps")
    assert nps["run"] == folder.name and nps["as_of"] == "2026-09-30" and nps["conf_level"] == 0.95
    assert nps["estimate"] == next(one["estimate"] for one in shown if one["metric"] == "nps")


def test_figures_hidden_for_being_few_are_not_remembered(stored_run):
    def hide(results):
        results["scorecard"]["tables"]["kpis"]["suppressed"] = [1]

    folder = stored_run(change=hide)
    assert "nps" not in [one["metric"] for one in run_rows(read_run(folder, folder))]


def test_what_defines_a_figure_is_in_its_hash_and_nothing_else():
    hashes = {"journey.yml": {"1"}, "targets.yml": {"1"}}
    valley = definition_hash("valley_depth", {"unit": "valence"}, hashes)
    assert definition_hash("valley_depth", {"unit": "valence"}, hashes | {"targets.yml": {"2"}}) == valley
    assert definition_hash("valley_depth", {"unit": "valence"}, hashes | {"journey.yml": {"2"}}) != valley
    assert definition_hash("valley_depth", {"unit": "score"}, hashes) != valley
    nps = definition_hash("nps", {}, hashes)
    assert definition_hash("nps", {}, hashes | {"journey.yml": {"2"}}) == nps


def test_other_customers_are_another_series():
    assert scope_of({"segment": None, "where": "region=Kanto", "lang": "ja"}) == "where=region=Kanto"


@pytest.mark.parametrize(
    "asked", ["2026", "2026-13", "2026-03..2026-01", "2026-01 2026-02", "1990-01..2026-01"]
)
def test_months_are_asked_for_in_one_form(asked):
    with pytest.raises(ParameterError, match=r"2026-01\.\.2026-09"):
        month_ends(asked)
    assert [day.isoformat() for day in month_ends("2024-02")] == ["2024-02-29"]


def page(rows, lang="en", **goals):
    return history_html(rows, lang, names={"nps": {"en": "NPS", "ja": "NPS（推奨度）"}}, goals=goals)


def test_the_page_tells_limits_targets_and_changed_definitions():
    rows = months([20.0, 21, 20, 22, 21, 20, 21])
    goal = {"target": 30.0, "alarm": 0.0, "better": "higher"}
    shown = page(rows, nps=goal)
    assert (
        "Target 30.0, alarm 0.0." in shown
        and "Limits" in shown
        and "definition changed" not in shown.split("</h2>")[1]
    )
    for one in rows[:3]:
        one["definition"] = "b"
    shown = page(rows)
    assert "Its definition changed." in shown and "so far: 4" in shown


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_page_is_inert_and_in_one_language(lang):
    rows = months([20.0] * 3, data_set="<script>x</script>", scope="where=<b>")
    shown = page([*rows, row(value=None)], lang)
    assert not re.search(r"<script|<b>|https?://|url\(", shown)
    text = re.sub(r"<style.*?</style>|<[^>]+>", " ", shown, flags=re.DOTALL)
    assert bool(re.search(r"[\u3040-\u30ff]", text)) == (lang == "ja")


def test_the_command_remembers_all_runs_once_and_writes_both_pages(stored_run, capsys):
    out = stored_run().parent
    assert main(["history", "--out", str(out), "--data", str(SAMPLE)]) == 0
    count = len(read_history(out))
    assert main(["history", "--out", str(out), "--data", str(SAMPLE), "--lang", "ja"]) == 0
    assert len(read_history(out)) == count == 8 and "追加した行：0" in capsys.readouterr().out
    assert "指標の推移" in (out / "history.html").read_text(encoding="utf-8")
    assert "Key figures" in (out / "history_en.html").read_text(encoding="utf-8")


def test_nothing_to_remember_is_said(tmp_path, capsys):
    assert main(["history", "--out", str(tmp_path)]) == 3
    assert "no run with a scorecard" in capsys.readouterr().err
    assert main(["history", "--out", str(tmp_path), "--as-of", "2026-01"]) == 2
    assert (
        main(["history", "--out", str(tmp_path), "--as-of", "2026-01", "--data", str(tmp_path / "no")]) == 3
    )
    assert main(["history", "nope", "--out", str(tmp_path)]) == 2


@pytest.mark.slow
def test_months_computed_afterwards_are_what_a_run_of_the_day_found(stored_run, capsys):
    rules = [file_entry(path) for path in (ROOT / "data" / "rules").rglob("*.yml")]
    out = stored_run(rules=rules).parent
    words = ["history", "--out", str(out), "--data", str(SAMPLE), "--as-of", "2026-09..2026-10"]
    assert main(words) == 0
    assert "2026-10 is left out" in capsys.readouterr().out
    held = read_history(out)
    of_run = {one["metric"]: one for one in held if one["run"] == "20260930-010203"}
    computed = {one["metric"]: one for one in held if one["run"].startswith("--as-of")}
    assert "ces" in computed and "ces" not in of_run  # it is not on the page of this aim
    again = set(computed) & set(of_run)
    for metric in again:  # to the last digits but one: stored numbers went through a file of text
        assert computed[metric]["definition"] == of_run[metric]["definition"]
        for name in ("estimate", "conf_low", "conf_high", "n"):
            assert computed[metric][name] == pytest.approx(of_run[metric][name], rel=1e-12)


def alerts_of(out, run, *words, capsys):
    capsys.readouterr()
    code = main(["alerts", run.name, "--out", str(out), "--data", str(SAMPLE), *words])
    return code, capsys.readouterr().out


def test_alerts_have_an_exit_code_and_a_table(stored_run, capsys):
    folder = stored_run()
    code, said = alerts_of(folder.parent, folder, capsys=capsys)
    assert code == 8 and "beyond the alarm" in said and "new" in said
    table = (folder.parent / "alerts" / f"{folder.name}.csv").read_text(encoding="utf-8-sig")
    assert table.startswith("series,metric,scope") and "valley_depth" in table


def test_nothing_worth_telling_is_a_result(stored_run, capsys):
    def calm(results):
        for one in results["scorecard"]["tables"]["kpis"]["rows"]:
            if one["metric"] in ("valley_depth", "follow_up_share"):
                one |= {"estimate": None, "conf_low": None, "conf_high": None}

    folder = stored_run(change=calm)
    code, said = alerts_of(folder.parent, folder, "--lang", "ja", capsys=capsys)
    assert code == 0 and "知らせることはありません" in said


def test_what_was_so_before_is_not_new_and_a_leap_is(stored_run, capsys):
    def leap(results):
        for one in results["scorecard"]["tables"]["kpis"]["rows"]:
            if one["metric"] == "nps":
                one |= {"estimate": 70.0, "conf_low": 65.0, "conf_high": 75.0}

    folder = stored_run(change=leap)
    out = folder.parent
    now = run_rows(read_run(folder, out))
    for month in range(2, 9):
        old = [one | {"as_of": f"2026-{month:02d}-28", "run": "earlier"} for one in now]
        for one in old:
            if one["metric"] == "nps":
                one |= {"estimate": 20.0 + month % 2, "conf_low": 15.0, "conf_high": 26.0}
        add_rows(out, old)
    code, said = alerts_of(out, folder, "--new", capsys=capsys)
    assert code == 8 and "above the limit" in said and "alarm" not in said.lower().replace("alerts", "")
    code, said = alerts_of(out, folder, capsys=capsys)
    assert "as before" in said


def test_another_definition_is_no_alarm(stored_run, capsys):
    folder = stored_run()
    out = folder.parent
    for one in (now := run_rows(read_run(folder, out))):
        one["definition"] = "of before"
    for month in range(2, 9):
        add_rows(out, [one | {"as_of": f"2026-{month:02d}-28", "estimate": 0.01} for one in now])
    _, said = alerts_of(out, folder, capsys=capsys)
    assert "limit" not in said.replace("limits", "")


def test_a_damaged_history_stops_the_alerts_too(stored_run, capsys):
    folder = stored_run()
    (folder.parent / FILE).write_bytes(b"x")
    assert alerts_of(folder.parent, folder, capsys=capsys)[0] == 3
    assert json.loads((folder / "run.json").read_text(encoding="utf-8"))["run"] == folder.name
