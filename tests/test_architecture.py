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

#: Wings of the package, lowest first; those of one line never import each other, and arrows go down only.
LAYERS = (
    ("language",),
    ("checks",),
    ("data", "report"),
    ("stats",),
    (
        "customers",
        "journey",
        "voice",
        "initiatives",
        "inventory",
        "scorecard",
        "samples",
        "value",
        "support",
        "sales",
    ),
    ("learn",),
    ("runner",),
)
LAYER_OF = {wing: level for level, wings in enumerate(LAYERS) for wing in wings}
#: Files and folders at the top of the package that are no wings.
BESIDES = {"text", "py.typed"}
BELOW_ANALYSIS = {"language", "checks", "data", "report"}
FACES = {wing for wing in LAYER_OF if (PACKAGE / wing / "__init__.pyi").exists()}
#: Modules of this package that one module may import; more, and it has two subjects.
MOST_IMPORTS = 16
MOST_LINES = 400
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


@functools.cache
def _sources():
    return [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]


def _wing(module):
    return module.split(".")[0]


def _module(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@functools.cache
def _tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def _known():
    return {_module(source) for source in _sources()}


@functools.cache
def _imports(path):
    """Modules of cxlib that a file imports, wherever in the file, as names below `cxlib`."""
    known = _known()
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


def _below(beginning):
    return [path for path in _sources() if _module(path).startswith(beginning)]


def _attributes(path):
    return {node.attr for node in ast.walk(_tree(path)) if isinstance(node, ast.Attribute)}


def test_the_top_of_the_package_is_read_at_a_glance():
    entries = {path.stem for path in PACKAGE.iterdir() if path.name not in BESIDES and path.stem[:2] != "__"}
    assert entries == set(LAYER_OF)
    assert len(entries | BESIDES - {"py.typed"}) <= 18


def test_arrows_go_down_only():
    for module, imported in ((_module(path), name) for path in _sources() for name in _imports(path)):
        assert imported, f"{module} imports cxlib itself, which hides the arrow"
        assert imported not in FACES, f"{module} imports the face of {imported}, which hides the arrow"
        wing, other = _wing(module), _wing(imported)
        assert other == wing or LAYER_OF[other] < LAYER_OF[wing], f"{module} imports {imported}"


def test_computation_and_display_never_import_each_other():
    for path in _sources():
        wing, others = _wing(_module(path)), {_wing(name) for name in _imports(path)}
        if wing == "report":
            assert others <= {"report", "language", "checks"}, _module(path)
        elif wing != "runner":  # the page is the runner's
            assert "report" not in others, _module(path)


def test_charts_of_one_subject_do_not_lean_on_those_of_another():
    for path in _below("report.plots."):
        charts = {name for name in _imports(path) if name.startswith("report.plots.")}
        assert charts <= {"report.plots.guard", "report.plots.theme"}, _module(path)


def test_the_runner_knows_the_analysis_by_one_port():
    for path in _below("runner."):
        wings = {_wing(name) for name in _imports(path)}
        assert path.parent.name == "analysis" or wings <= {*BELOW_ANALYSIS, "samples", "runner"}, _module(
            path
        )


def test_no_module_needs_itself():
    """A cycle has no bottom to read from; within a wing too."""
    arrows = {_module(path): _imports(path) - {_module(path)} for path in _sources()}
    settled = set()
    while ready := {name for name, needs in arrows.items() if name not in settled and needs <= settled}:
        settled |= ready
    assert sorted(set(arrows) - settled) == []


def test_no_module_leans_on_too_many():
    assert [_module(path) for path in _sources() if len(_imports(path)) > MOST_IMPORTS] == []


def test_modules_stay_short():
    lines = {_module(path): len(path.read_text(encoding="utf-8").splitlines()) for path in _sources()}
    assert {module: count for module, count in lines.items() if count > MOST_LINES} == {}


def test_no_hidden_inputs():
    for path in set(_sources()) - set(_below("runner")):
        assert not _attributes(path) & HIDDEN_INPUTS, _module(path)
        assert "np.random.seed" not in path.read_text(encoding="utf-8"), _module(path)


def test_charts_neither_show_nor_save_nor_style():
    for path in set(_below("report.plots.")) - {PACKAGE / "report" / "plots" / "theme.py"}:
        assert not _attributes(path) & {"show", "savefig", "rcParams", "set_theme"}, _module(path)


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


def test_every_public_name_exists_and_is_explained():
    found = {name: getattr(cxlib, name) for name in {*dir(cxlib)} - FACES}
    assert [name for name, one in found.items() if callable(one) and not (one.__doc__ or "").strip()] == []


@pytest.mark.parametrize("wing", sorted(FACES))
def test_a_public_name_is_reached_by_its_wing_too(wing):
    flat = {name for name, home in _stub(PACKAGE).items() if home.split(".")[0] == wing}
    of_wing = _stub(PACKAGE / wing)
    assert {name: f"{wing}.{home}" for name, home in of_wing.items() if name in flat} == {
        name: home for name, home in _stub(PACKAGE).items() if name in flat
    }
    assert flat <= set(of_wing) == set(dir(getattr(cxlib, wing)))
    for name in of_wing:
        assert getattr(getattr(cxlib, wing), name) is not None


def _stub(folder):
    """Public name → module that holds it, as the face of a package says in its stub."""
    lines = ast.parse((folder / "__init__.pyi").read_text(encoding="utf-8")).body
    held = [node for node in lines if isinstance(node, ast.ImportFrom) and node.module]
    return {alias.name: node.module for node in held for alias in node.names}


@pytest.mark.parametrize("face", ["", *sorted(FACES)])
def test_no_public_name_is_hidden_by_a_module(face):
    """Importing `cxlib.x` sets the attribute `x`, whatever the package exports under that name."""
    beside = {path.stem for path in (PACKAGE / face).iterdir() if path.is_dir() or path.suffix == ".py"}
    hidden = beside & set(_stub(PACKAGE / face)) - {"text"}
    assert sorted(hidden) == [], "name the module unlike the function it holds"
    assert not (PACKAGE / "text" / "__init__.py").exists()


def test_nothing_private_is_offered():
    assert [name for name in dir(cxlib) if name.startswith("_")] == []


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = cxlib.no_such_name
