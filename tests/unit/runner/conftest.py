"""Runs to read back, made of what the stored scorecard recorded; no kernel."""

import json
from pathlib import Path

import pytest

from cxlib.runner.collect import RESULTS_FORMAT, collect
from cxlib.runner.notebooks import read_notebook
from cxlib.runner.parameters import read_parameters

SCORECARD = Path(__file__).parents[3] / "notebooks" / "06_scorecard.ipynb"


@pytest.fixture
def stored_run(tmp_path):
    """`stored_run("20260930-010203", change=function, **manifest)`: a run; `change(results)` alters it."""

    def _stored(name="20260930-010203", change=None, parameters=None, **manifest):
        notebook = read_notebook(SCORECARD)
        results = json.loads(json.dumps({"scorecard": collect(notebook)}))
        if change is not None:
            change(results)
        values = {one.name: one.default for one in read_parameters(notebook, "scorecard")}
        header = next(iter(results.values()))["header"]
        entry = {"status": "ok", "parameters": {**values, **(parameters or {})}}
        entry |= {key: header[key] for key in ("title", "data_set", "as_of", "timezone")}
        record = {
            "run": name,
            "started_at": "2026-09-30 01:02 UTC",
            "lang": "en",
            "versions": {"cx-handbook": "1"},
        }
        record |= {"results_format": RESULTS_FORMAT, "reports": {"scorecard": entry}}
        record |= {"data": {}, "rules": []} | manifest
        folder = tmp_path / "reports" / name
        folder.mkdir(parents=True)
        folder.joinpath("run.json").write_text(json.dumps(record, default=str), encoding="utf-8")
        folder.joinpath("results.json").write_text(json.dumps(results), encoding="utf-8")
        return folder

    return _stored
