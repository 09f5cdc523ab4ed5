"""The three descriptions of the environment agree, and everything in it may be used freely."""

import ast
import functools
import importlib.metadata
import json
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cxlib.runner import kernels

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RUNTIME = {canonicalize_name(r.name): r for r in map(Requirement, PROJECT["dependencies"])}
EXTRA = {
    canonicalize_name(r.name): r
    for extra in ("test", "docs")
    for r in map(Requirement, PROJECT["optional-dependencies"][extra])
}
#: What only one command needs, which says how to get it.
OPTIONAL = {
    canonicalize_name(Requirement(line).name)
    for extra in ("slides", "form")
    for line in PROJECT["optional-dependencies"][extra]
}
#: conda-forge calls these by another name.
CONDA_NAMES = {
    "jupyter_server": "jupyter-server",
    "matplotlib-base": "matplotlib",
    "nbconvert-core": "nbconvert",
    "python-duckdb": "duckdb",
    "python-tzdata": "tzdata",
    "seaborn-base": "seaborn",
}
#: Modules whose name is not the distribution's.
MODULE_NAMES = {"yaml": "pyyaml", "IPython": "ipython", "matplotlib_fontja": "matplotlib-fontja"}
MODULE_NAMES |= {"pptx": "python-pptx"}
ALLOWED = re.compile(
    r"MIT|BSD|Apache|ISC|Python Software Foundation|PSF|MPL|Mozilla Public|Zlib|CC0|IPA|HPND|Unlicense", re.I
)
FORBIDDEN = re.compile(
    r"GPL|GNU |SSPL|BUSL|Business Source|Commons Clause|Elastic License|PolyForm|NonCommercial|Proprietary",
    re.I,
)


def _pins(lock):
    """Yield `(requirement, has hashes)` of each entry of the lock."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    for entry in re.split(r"\n(?=\S)", text.replace("\\\n", " ")):
        line = entry.split("--hash", 1)
        if line[0].strip() and not entry.startswith("#"):
            yield Requirement(line[0].split("#")[0].strip()), len(line) == 2


LOCKS = {lock: list(_pins(lock)) for lock in ("requirements.lock", "requirements-test.lock")}


def _conda():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    plain = [entry for entry in listed if isinstance(entry, str)]
    by_pip = next(entry["pip"] for entry in listed if isinstance(entry, dict))
    return plain, by_pip


def test_conda_environment_has_the_same_ranges_as_pyproject():
    plain, by_pip = _conda()
    assert "python " + PROJECT["requires-python"] in plain
    found = {}
    for entry in plain:
        name, _, version = entry.partition(" ")
        found[canonicalize_name(CONDA_NAMES.get(name, name))] = version
    found |= {canonicalize_name(r.name): str(r.specifier) for r in map(Requirement, by_pip[:-1])}
    del found["python"], found["pip"]
    assert by_pip[-1] == "--editable ."
    assert found == {name: str(requirement.specifier) for name, requirement in RUNTIME.items()}
    assert plain == [*plain[:2], *sorted(plain[2:])]


@pytest.mark.parametrize(
    ("lock", "needed"), [("requirements.lock", RUNTIME), ("requirements-test.lock", {**RUNTIME, **EXTRA})]
)
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_lock_has_one_pin_in_range_for_every_requirement(lock, needed, python, platform):
    system = {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}[platform]
    environment = {
        **default_environment(),
        "python_version": python,
        "python_full_version": f"{python}.7",
        "sys_platform": platform,
        "platform_system": system,
        "os_name": "nt" if platform == "win32" else "posix",
        "extra": "",
    }
    for name, wanted in needed.items():
        if wanted.marker is not None and not wanted.marker.evaluate(environment):
            continue
        pins = [
            pin
            for pin, _ in LOCKS[lock]
            if canonicalize_name(pin.name) == name
            and (pin.marker is None or pin.marker.evaluate(environment))
        ]
        assert len(pins) == 1, f"{name}: {pins}"
        (version,) = [specifier.version for specifier in pins[0].specifier]
        assert wanted.specifier.contains(version), f"{name} {version} is outside {wanted.specifier}"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_is_exact_and_hashed(lock):
    assert len(LOCKS[lock]) > 100
    for pin, is_hashed in LOCKS[lock]:
        assert [specifier.operator for specifier in pin.specifier] == ["=="], pin
        assert is_hashed, pin
        assert pin.url is None


def test_reports_get_the_pins_of_the_tests_and_nothing_that_only_tests_need():
    reports, tests = (
        {(canonicalize_name(pin.name), str(pin.specifier)) for pin, _ in pins} for pins in LOCKS.values()
    )
    assert reports < tests
    assert not {name for name, _ in reports} & (set(EXTRA) - set(_runtime_closure()))


def test_locks_name_no_address():
    assert not [lock for lock in LOCKS if "://" in (ROOT / lock).read_text(encoding="utf-8")]


def _runtime_closure():
    """Distributions that running the handbook needs in this environment."""
    seen, waiting = set(), list(RUNTIME)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in seen:
            continue
        seen.add(name)
        for line in importlib.metadata.requires(name) or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return sorted(seen)


def _licence(name):
    about = importlib.metadata.metadata(name)
    classified = [
        line.split("::")[-1] for line in about.get_all("Classifier") or [] if line.startswith("License")
    ]
    return about.get("License-Expression") or "; ".join(classified) or (about.get("License") or "")[:60]


@pytest.mark.parametrize("name", _runtime_closure())
def test_licences_are_permissive(name):
    licence = _licence(name)
    assert ALLOWED.search(licence), licence
    assert not FORBIDDEN.search(licence), licence


def test_own_licence_is_permissive_and_shipped():
    assert PROJECT["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")


def _sources_of(place):
    """Python source of every module below `place`, and of the code cells of its notebooks."""
    for path in sorted((ROOT / place).rglob("*.py")):
        yield path.read_text(encoding="utf-8")
    for path in sorted((ROOT / place).glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        yield from ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


@functools.cache
def _third_party_imports(*places):
    found = set()
    for source in (source for place in places for source in _sources_of(place)):
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                found.add((node.module or "").split(".")[0])
    return sorted(found - set(sys.stdlib_module_names) - {"cxlib", "build_site"})


def _distribution(module):
    return canonicalize_name(MODULE_NAMES.get(module, module))


def test_what_is_imported_is_declared():
    """By name: what comes along with another library today may stay away tomorrow."""
    imported = {_distribution(module) for module in _third_party_imports("cxlib", "notebooks")}
    assert sorted(imported - {*RUNTIME, *OPTIONAL}) == []


@pytest.mark.parametrize("name", sorted(OPTIONAL))
def test_licences_of_what_is_optional_are_permissive(name):
    try:
        licence = _licence(name)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("not installed here")
    assert ALLOWED.search(licence) and not FORBIDDEN.search(licence), licence


@pytest.mark.parametrize("line", PROJECT["optional-dependencies"]["docs"])
def test_licences_of_what_a_built_site_holds_are_permissive(line):
    """Scripts and styles come from these; what else Sphinx needs stays where the site is built."""
    licence = _licence(Requirement(line).name)
    assert ALLOWED.search(licence) and not FORBIDDEN.search(licence), licence


def test_what_tests_and_site_import_is_declared():
    imported = {_distribution(module) for module in _third_party_imports("docs", "tests")}
    assert sorted(imported - {*RUNTIME, *EXTRA}) == []


@pytest.mark.parametrize("module", kernels._LIBRARIES)
def test_what_kernels_load_ahead_is_declared(module):
    assert _distribution(module.split(".")[0]) in RUNTIME


def test_bleach_which_is_no_longer_maintained_is_imported_nowhere():
    assert "bleach" not in {
        *_third_party_imports("cxlib", "notebooks"),
        *_third_party_imports("docs", "tests"),
    }


@pytest.mark.parametrize("package", ["nbconvert", "jupyter-server", "pandas"])
def test_floors_that_matter(package):
    floors = {"nbconvert": "7.17.1", "jupyter-server": "2.18", "pandas": "2.3"}
    assert str(RUNTIME[package].specifier) == f">={floors[package]}"
    assert PROJECT["requires-python"] == ">=3.11,<3.14"
