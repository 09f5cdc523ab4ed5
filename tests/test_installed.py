"""The wheel alone is the whole handbook: reports, rules and sample work far from any checkout."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cxlib.runner import manifest

ROOT = Path(__file__).parents[1]
pytest.importorskip("hatchling", reason="hatchling, which builds the wheel, is not installed")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The `cx` of a bare environment that finds the libraries of this one, and a folder far from it."""
    place = tmp_path_factory.mktemp("installed")
    environment = place / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    python = next(
        path
        for path in (environment / "bin" / "python", environment / "Scripts" / "python.exe")
        if path.exists()
    )
    install = ["install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), *install], check=True)
    ask = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    own = Path(subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip())
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    (own / "libraries.pth").write_text("\n".join(libraries) + "\n")
    (place / "elsewhere").mkdir()
    return python.with_name("cx"), own, place / "elsewhere"


def cx(installed, *words):
    command, _, folder = installed
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(command), *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
    return done


def names(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_wheel_holds_chapters_rules_mappings_and_sample(wheel):
    inside = {name.removeprefix("cxlib/handbook/") for name in zipfile.ZipFile(wheel).namelist()}
    wanted = [ROOT / "data" / "README.md", ROOT / "docs" / "glossary.yml"]
    wanted += (ROOT / "notebooks").glob("*.ipynb")
    wanted += [path for path in (ROOT / "data").glob("*/**/*") if path.is_file()]
    wanted += (ROOT / "reports" / "params").glob("*.yml")
    assert {path.relative_to(ROOT).as_posix() for path in wanted} <= inside
    assert "LICENSE" in {name.rsplit("/", 1)[-1] for name in inside}


def test_an_installed_package_lists_checks_and_runs_what_a_checkout_does(installed):
    _, own, folder = installed
    before = names(own / "cxlib" / "handbook")
    assert cx(installed, "list").stdout.split()[0] == "data_inventory"
    assert "segment" in cx(installed, "show", "segmentation").stdout
    made = cx(installed, "sample", "--customers", "300", "--seed", "3", "--out", "shop")
    assert made.returncode == 0, made.stderr
    assert cx(installed, "check", "shop").returncode == 0
    done = cx(installed, "run", "segmentation", "--data", "shop")
    assert done.returncode in (0, 4), done.stderr
    (run,) = (folder / "reports").glob("2*")
    assert (folder / "reports" / "index.html").exists() and (
        run / "segmentation.html"
    ).stat().st_size > 50_000
    record = json.loads((run / "run.json").read_text())
    assert record["commit"] is None and record["versions"]["cx-handbook"]
    assert "journey.yml" in [entry["file"] for entry in record["rules"]]
    published = b"".join(path.read_bytes() for path in run.rglob("*") if path.is_file())
    assert str(own).encode() not in published and str(folder).encode() not in published
    assert names(own / "cxlib" / "handbook") == before, "nothing is written beside the package"


def test_an_installed_package_brings_the_course_and_its_examiner(installed):
    command, own, folder = installed
    before = names(own / "cxlib" / "handbook")
    done = cx(installed, "course", "--lang", "ja", "--out", "mine")
    assert done.returncode == 0, done.stderr
    assert names(folder / "mine") == {
        path.name for path in (ROOT / "notebooks" / "course" / "ja").glob("*.ipynb")
    }
    ask = "import cxlib as cx; cx.learn.start(lang='ja', folder='mine')"
    ask += "; print(cx.learn.check('cx_and_crm.1', 2))"
    marked = subprocess.run(
        [str(command.with_name("python")), "-c", ask], cwd=folder, capture_output=True, text=True, check=True
    )
    assert "正解ではありません" in marked.stdout
    assert (folder / "mine" / "course_progress.json").exists()
    assert names(own / "cxlib" / "handbook") == before, "nothing is written beside the package"


@pytest.mark.long
def test_the_packaged_sample_is_what_a_run_without_data_reads(installed):
    done = cx(installed, "run", "--dry-run")
    assert done.returncode == 0 and "../data/sample" in done.stdout
    assert (
        cx(installed, "check", str(installed[1] / "cxlib" / "handbook" / "data" / "sample")).returncode == 0
    )


def test_a_repository_an_installed_package_lies_in_is_not_its_own(monkeypatch):
    monkeypatch.setattr(manifest, "IS_CHECKOUT", False)
    assert manifest.commit() is None
