import json
from pathlib import Path

import pytest

from cxlib.checks import InputError, ParameterError
from cxlib.runner.cli import main
from cxlib.runner.figures import run_figures
from cxlib.runner.run_files import read_run

ROOT = Path(__file__).parent


@pytest.fixture
def figures(stored_run):
    folder = stored_run()
    return {one.key: one for one in run_figures(read_run(folder, folder.parent))}


def test_a_row_is_one_figure_with_its_interval_unit_verdict_and_place(figures, stored_run):
    found = figures["scorecard/kpis[metric=nps]"]
    rows = read_run(stored_run("20260930-010204"), ROOT).results["scorecard"]["tables"]["kpis"]["rows"]
    row = next(row for row in rows if row["metric"] == "nps")
    assert (found.estimate, found.conf_low, found.conf_high) == tuple(
        row[name] for name in ("estimate", "conf_low", "conf_high")
    )
    assert (found.n, found.unit, found.verdict) == (row["n"], "points", row["verdict"])
    assert found.anchor == "scorecard.html#kpis"
    change = figures["scorecard/kpis[metric=csat]#change"]
    assert (change.unit, change.verdict) == ("pp", "no_difference_shown")
    assert change.conf_low < change.estimate < change.conf_high


def test_what_is_known_between_bounds_only_and_what_is_a_count_are_figures_too(figures):
    care = figures["scorecard/scorecard.care"]
    assert care.estimate is None and 0 < care.conf_low < care.conf_high < 1
    assert care.shown("en").endswith("%") and " to " in care.shown("en")
    assert not [key for key in figures if key.endswith(("conf_low", "std_error"))]


def test_rows_hidden_for_being_few_are_left_out(stored_run):
    def hide(results):
        results["scorecard"]["tables"]["kpis"]["suppressed"] = [1]

    folder = stored_run(change=hide)
    assert "scorecard/kpis[metric=nps]" not in [one.key for one in run_figures(read_run(folder, folder))]


def test_keys_are_unique_even_where_rows_have_like_names(stored_run):
    def twice(results):
        held = results["scorecard"]["tables"]["curve"]
        held["rows"].append(held["rows"][0])

    folder = stored_run(change=twice)
    keys = [one.key for one in run_figures(read_run(folder, folder))]
    assert len(keys) == len(set(keys)) and any(key.endswith("~2") for key in keys)


def test_the_command_prints_json_or_lines(stored_run, capsys):
    folder = stored_run()
    assert main(["figures", folder.name, "--out", str(folder.parent), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["run"] == folder.name and told["currency"] == "JPY"
    assert {"key", "estimate", "conf_low", "conf_high", "n", "unit", "verdict", "anchor"} <= set(
        told["figures"][0]
    )
    assert main(["figures", str(folder), "--lang", "ja"]) == 0
    assert "21,416,423円" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ({"results_format": None}, "format 0.1"),
        ({"is_shared": True}, "sharing"),
        ({"reports": []}, "run.json"),
    ],
)
def test_a_run_that_tells_no_exact_figures_is_refused(stored_run, manifest, words):
    with pytest.raises(InputError, match=words):
        read_run(stored_run(**manifest), ROOT)


def test_a_run_that_is_not_there_or_damaged_is_refused(stored_run):
    folder = stored_run()
    with pytest.raises(ParameterError, match=folder.name):
        read_run(folder.with_name("nope"), folder.parent)
    for content in ("{", "[]", '{"scorecard": {"header": 3}}', "{}"):
        folder.joinpath("results.json").write_text(content, encoding="utf-8")
        with pytest.raises(InputError, match=r"results\.json"):
            read_run(folder, folder.parent)
