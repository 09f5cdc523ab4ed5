"""What several test modules share."""

import copy
import importlib.util
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]


def pytest_configure(config):
    """Count each part's processor time against its budget, docstrings too, which no other conftest sees."""
    spec = importlib.util.spec_from_file_location("time_budgets", CHECKOUT / "tests" / "time_budgets.py")
    budgets = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(budgets)
    config.pluginmanager.register(budgets, "time_budgets")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """In CI (`CX_NO_SKIPS`) a browser or Spark check that could not run is a failure, not a skip."""
    report = yield
    needs = [name for name in ("browser", "spark") if item.get_closest_marker(name)]
    if report.skipped and needs and os.environ.get("CX_NO_SKIPS"):
        report.outcome, report.longrepr = "failed", f"a {needs[0]} check was skipped: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def reference_dir() -> Callable[[str], Path]:
    """`reference_dir(name)`: folder of a published data set; skips a test, saying so, where it is absent."""
    root = Path(os.environ.get("CX_REFERENCE", CHECKOUT.parent / "shared" / "reference"))

    def folder(name: str) -> Path:
        path = root / name
        if not path.is_dir():
            pytest.skip(
                f"the published data set {name!r} is not there; point CX_REFERENCE at the folder holding it"
            )
        return path

    return folder


@pytest.fixture(scope="module")
def chapters_run():
    """Pieces of the chapters run so far, by parameters and data: several tests read the same report."""
    return {}


@pytest.fixture
def run_chapter(monkeypatch, chapters_run):
    """`run_chapter(path, initiative="I2", …)`: a report's pieces, as `kind -> key -> record`, no kernel.

    The report form: what a lesson adds is left out, and charts are drawn but not written.
    """
    from matplotlib.figure import Figure

    from cxlib.report import report as display

    def _run(path, **parameters):
        files = [file for file in Path(parameters.get("data", "")).rglob("*") if file.is_file()]
        state = sorted((str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files)
        asked = repr((path, sorted(parameters.items()), state))
        if asked not in chapters_run:
            chapters_run[asked] = _new(path, **parameters)
        return copy.deepcopy(chapters_run[asked])

    def _new(path, **parameters):
        pieces = {"finding": {}, "notice": {}, "table": {}, "figure": {}, "header": {}}

        def keep(data, raw, metadata):
            record = metadata["cx"]
            pieces[record["kind"]][record["key"]] = record

        monkeypatch.setattr(display, "_send", keep)
        monkeypatch.setattr(Figure, "savefig", lambda self, buffer, **how: buffer.write(b"<svg/>"))
        names = {}
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            tags = set(cell["metadata"].get("tags", []))
            if cell["cell_type"] == "code" and not tags & {"teach", "exercise", "solution"}:
                exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
            if "parameters" in tags:
                assert set(parameters) <= set(names)
                names.update(parameters)
        return pieces

    return _run


@pytest.fixture
def copy_of(tmp_path):
    """`copy_of(folder, table=function)`: a new copy of the folder, tables changed, or left out by None."""

    def _copy(folder, **tables):
        import pandas as pd

        target = Path(tempfile.mkdtemp(dir=tmp_path))
        for source in folder.iterdir():
            name = source.stem
            if name in tables and tables[name] is None:
                continue
            if name in tables:
                tables[name](pd.read_parquet(source)).to_parquet(target / source.name)
            else:
                (target / source.name).write_bytes(source.read_bytes())
        return str(target)

    return _copy
