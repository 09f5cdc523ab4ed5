"""Two runs are the same when every figure is; what differs, is missing or new is listed by its place."""

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
spec = importlib.util.spec_from_file_location("compare_results", ROOT / "tests" / "compare_results.py")
compare_results = importlib.util.module_from_spec(spec)
spec.loader.exec_module(compare_results)

REPORT = {"tables": {"t": {"rows": [{"estimate": 0.5, "amount": 3e8, "n": 20, "known": True}]}}, "lang": "en"}


def changed(**values):
    return {"tables": {"t": {"rows": [REPORT["tables"]["t"]["rows"][0] | values]}}, "lang": "en"}


@pytest.fixture
def runs(tmp_path):
    def write(name, results):
        folder = tmp_path / name / "20261001-080000"
        folder.mkdir(parents=True)
        (folder / "results.json").write_text(json.dumps({"one": results}))
        return str(folder)

    return write


@pytest.mark.parametrize(
    "same", [{"estimate": 0.5 + 5e-13}, {"estimate": 0.5 - 5e-13}, {"amount": 3e8 + 1e-4}, {"n": 20.0}]
)
def test_figures_within_the_tolerance_of_their_size_are_the_same(same):
    assert list(compare_results.differences(REPORT, changed(**same))) == []


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (changed(estimate=0.5 + 2e-12), "tables/t/rows/0/estimate differs: 0.5, now 0.500000000002"),
        (changed(amount=3e8 + 1e-3), "tables/t/rows/0/amount differs: 300000000.0, now 300000000.001"),
        (changed(estimate=None), "tables/t/rows/0/estimate differs: 0.5, now None"),
        (changed(known=1), "tables/t/rows/0/known differs: True, now 1"),
        (changed(extra=[1, 2]), "tables/t/rows/0/extra is new: list of 2"),
        (REPORT | {"lang": "ja"}, "lang differs: 'en', now 'ja'"),
        (REPORT | {"tables": {"t": {"rows": []}}}, "tables/t/rows/0 is missing; it was dict of 4"),
        ({"tables": REPORT["tables"]}, "lang is missing; it was 'en'"),
    ],
)
def test_what_is_not_the_same_is_listed_by_its_place(other, said):
    assert list(compare_results.differences(REPORT, other)) == [said]


def test_the_command_reads_files_and_folders_and_fails_where_anything_differs(runs, capsys):
    old, new = runs("old", REPORT), runs("new", changed(estimate=0.5 + 1e-10))
    assert compare_results.main([old, f"{old}/results.json"]) == 0
    assert capsys.readouterr().out == "3 numbers; 0 differences\n"
    assert compare_results.main([str(Path(old).parent), new]) == 1
    assert capsys.readouterr().out.startswith("one/tables/t/rows/0/estimate differs")
    assert compare_results.main([old, new, "--tolerance", "1e-9"]) == 0


def test_a_folder_without_one_run_is_no_run(runs, tmp_path, capsys):
    runs("old", REPORT), runs("new", REPORT)
    with pytest.raises(SystemExit) as raised:
        compare_results.main([str(tmp_path), str(tmp_path)])
    assert raised.value.code == 2
    assert "holds 2 files results.json" in capsys.readouterr().err
