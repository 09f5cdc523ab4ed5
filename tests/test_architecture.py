"""The arrows between modules go down only; reading the source shows it, nothing is imported for it."""

import ast
import functools
import json
import subprocess
import sys
from pathlib import Path

import pytest

import cxlib

PACKAGE = Path(cxlib.__file__).parent

#: Layer of each module, one a line; a new module needs a place here. A package is one unit.
LAYER_OF = {
    "language": 0,
    "markup": 0,
    "places": 0,
    "text_type": 0,
    "near": 0,
    "checks": 1,
    "columns": 3,
    "closed": 2,
    "clusters": 4,
    "conditions": 3,
    "deals": 3,
    "contract": 2,
    "days": 2,
    "each_day": 2,
    "purchases": 2,
    "engine": 3,
    "runs": 1,
    "scales": 1,
    "lending": 1,
    "totals": 1,
    "plain_yaml": 1,
    "numerals": 1,
    "personal": 1,
    "delimited": 2,
    "findings": 2,
    "header": 2,
    "ids": 2,
    "few_clusters": 2,
    "flags": 2,
    "hidden": 2,
    "intervals": 2,
    "money": 3,
    "resampling": 2,
    "stacking": 2,
    "verdicts": 2,
    "answers": 3,
    "number_columns": 2,
    "targets": 4,
    "differences": 3,
    "foremost": 3,
    "importance": 3,
    "inequality": 3,
    "clustered": 3,
    "nps_limits": 3,
    "ranking": 3,
    "rules": 3,
    "scale_ends": 2,
    "separation": 3,
    "survival": 3,
    "asymmetry": 4,
    "beginnings": 4,
    "told": 4,
    "change": 4,
    "contacts": 4,
    "disclosure": 4,
    "coarse": 5,
    "sharing": 6,
    "possible": 6,
    "drivers": 4,
    "exports": 5,
    "quotes": 4,
    "recovery": 4,
    "referrals": 4,
    "steps": 4,
    "groups": 4,
    "growth": 4,
    "holdout": 4,
    "impact": 4,
    "journey": 4,
    "layout": 4,
    "linkage": 4,
    "nonresponse": 4,
    "ordinal": 4,
    "pace": 5,
    "plots.guard": 4,
    "plots.theme": 4,
    "playbook": 4,
    "pressure": 4,
    "preferences": 4,
    "profiles": 4,
    "repeat": 4,
    "roi": 4,
    "roles": 4,
    "samples": 4,
    "scores": 4,
    "schemes": 4,
    "segments": 4,
    "selection": 4,
    "standing": 5,
    "states": 4,
    "surface": 4,
    "successors": 4,
    "tables": 4,
    "touchpoints": 4,
    "winning": 4,
    "worklists": 5,
    "display": 5,
    "evaluation": 5,
    "checklist": 6,
    "claims": 6,
    "register": 6,
    "groupings": 5,
    "plots.<chapter>": 5,
    "runner": 7,
}
#: What people see; it and the computations meet only in a notebook.
PRESENTATION = {
    "coarse",
    "sharing",
    "markup",
    "layout",
    "disclosure",
    "display",
    "plots.guard",
    "plots.theme",
    "plots.<chapter>",
}
HEAVY = ("pandas", "numpy", "scipy", "statsmodels", "matplotlib", "seaborn", "duckdb", "pyarrow", "narwhals")
HEAVY += ("papermill", "nbconvert", "pydantic", "babel", "rich", "yaml", "IPython")
#: Hidden inputs: the clock, the working directory, the machine's locale, a global seed, the network.
HIDDEN_INPUTS = {
    "now",
    "utcnow",
    "today",
    "cwd",
    "getcwd",
    "getlocale",
    "setlocale",
    "getdefaultlocale",
    "urlopen",
}


def _sources():
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]


def _unit(module):
    """`journey._moments` belongs to `journey`; charts of a chapter may use the theme, not one another."""
    parts = module.split(".")
    if parts[0] == "plots":
        return f"plots.{parts[1]}" if parts[1] in ("guard", "theme") else "plots.<chapter>"
    return parts[0]


def _module(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@functools.cache
def _tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def _imports(path):
    """Modules of cxlib that a file imports, wherever in the file, as names below `cxlib`."""
    known = {_module(source) for source in _sources()}
    found = set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] == "cxlib"}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{_module(path)}: imports are absolute"
            if (node.module or "").split(".")[0] == "cxlib":
                deeper = {f"{node.module}.{alias.name}" for alias in node.names}
                modules = {name for name in deeper if name.removeprefix("cxlib.") in known}
                found |= modules | ({node.module} if len(modules) < len(deeper) else set())
    return {name.removeprefix("cxlib").lstrip(".") for name in found}


MODULES = [pytest.param(path, id=_module(path)) for path in _sources() if _module(path) != "plots"]


@pytest.mark.parametrize("path", MODULES)
def test_every_module_has_a_layer_and_imports_only_below(path):
    unit = _unit(_module(path))
    assert unit in LAYER_OF, f"give `{unit}` a layer in this test"
    for imported in _imports(path):
        assert imported, f"{unit} imports cxlib itself, which hides the arrow"
        other = _unit(imported)
        if other != unit or unit == "plots.<chapter>":
            assert LAYER_OF[other] < LAYER_OF[unit], f"{unit} imports {other}"


@pytest.mark.parametrize("path", MODULES)
def test_computation_and_display_never_import_each_other(path):
    unit = _unit(_module(path))
    others = {_unit(name) for name in _imports(path)} - {unit}
    if unit in PRESENTATION:
        assert others <= PRESENTATION | {"language", "checks"}
    else:
        allowed = {"markup"} if unit == "runner" else set()  # the page is the runner's
        assert not others & PRESENTATION - allowed


@pytest.mark.parametrize("path", [p for p in MODULES if p.id.startswith("runner")])
def test_the_runner_knows_no_analysis(path):
    allowed = {"language", "checks", "markup", "places", "plain_yaml", "runner"}
    if path.name == "worklists.py":
        allowed |= {"tables", "worklists"}  # the one declared port to the analysis
    if path.name == "cli.py":
        allowed |= {"samples", "tables", "exports", "contract", "possible", "rules"}
    assert {_unit(name) for name in _imports(path)} <= allowed


@pytest.mark.parametrize("path", MODULES)
def test_modules_stay_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", [p for p in MODULES if not p.id.startswith("runner")])
def test_no_hidden_inputs(path):
    names = {node.attr for node in ast.walk(_tree(path)) if isinstance(node, ast.Attribute)}
    assert not names & HIDDEN_INPUTS
    assert "np.random.seed" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", [p for p in MODULES if p.id.startswith("plots.") and p.id != "plots.theme"])
def test_charts_neither_show_nor_save_nor_style(path):
    names = {node.attr for node in ast.walk(_tree(path)) if isinstance(node, ast.Attribute)}
    assert not names & {"show", "savefig", "rcParams", "set_theme"}


def _loaded_after(code):
    ask = (
        f"{code}\nimport json, sys\nprint(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    )
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_importing_the_package_loads_nothing_heavy():
    assert not _loaded_after("import cxlib as cx; dir(cx)") & set(HEAVY)


def test_asking_for_help_loads_no_analysis():
    code = "import contextlib, io, sys\nsys.argv = ['cx', '--help']\nfrom cxlib.runner import cli\n"
    code += "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit): cli.main()"
    assert not _loaded_after(code) & (set(HEAVY) - {"yaml", "rich"})


@pytest.mark.parametrize("name", sorted(cxlib._EXPORTS))
def test_every_public_name_exists_and_is_explained(name):
    found = getattr(cxlib, name)
    if callable(found):
        assert (found.__doc__ or "").strip()


def test_no_public_name_is_hidden_by_a_module():
    """Importing `cxlib.x` sets the attribute `x`, whatever the package exports under that name."""
    modules = {_module(path).split(".")[0] for path in _sources()}
    assert sorted(modules & set(cxlib._EXPORTS)) == [], "name the module unlike the function it holds"
    assert not (PACKAGE / "text" / "__init__.py").exists()


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = cxlib.no_such_name
