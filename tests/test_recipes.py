"""Recipes of `docs/recipes.md`: every command parses, every file is one, every exit code is ours."""

import ast
import contextlib
import re
import shlex
from pathlib import Path

import nbformat
import pytest
import yaml
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from cxlib.runner import errors
from cxlib.runner.cli import _parser

DOCS = Path(__file__).parents[1] / "docs"
TEXT = (DOCS / "recipes.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = sorted(
    {found.strip(' ",') for _, block in BLOCKS for found in re.findall(r"\bcx [a-z][^\n\"]*", block)}
    | set(re.findall(r"`cx (?:run|export)[^`]*`", TEXT))
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_one_of_this_version(command):
    words = shlex.split(command.strip("`"))[1:]
    assert _parser("en").parse_args(words).command


def test_each_scheduler_has_a_recipe_with_the_same_command():
    run = "cx run --data /srv/cx/data --out /srv/cx/reports --accept-gaps"
    of = {kind: block for kind, block in BLOCKS if run in block}
    assert set(of) == {"cron", "yaml", "python", "sh"}
    assert all(re.match(r"(?:\S+ ){5}cx ", line) for line in of["cron"].splitlines() if "cx " in line)


def test_the_workflow_is_yaml_with_steps_that_run():
    (workflow,) = [yaml.safe_load(block) for kind, block in BLOCKS if kind == "yaml"]
    steps = workflow["jobs"]["reports"]["steps"]
    assert [step["run"].split()[:2] for step in steps] == [["cx", "run"]] * 2
    assert re.fullmatch(r"\S+ \S+ \S+ \S+ \S+", workflow[True]["schedule"][0]["cron"])


def test_the_dag_is_python_with_one_command():
    dag = ast.parse(next(block for kind, block in BLOCKS if "DAG" in block))
    given = [
        node.value.value
        for node in ast.walk(dag)
        if isinstance(node, ast.keyword) and node.arg == "bash_command"
    ]
    assert len(given) == 1 and given[0].startswith("cx run ")


def test_the_exit_codes_are_those_of_the_runner():
    listed = {int(code) for code in re.findall(r"^\| (\d) \|", TEXT, re.MULTILINE)}
    known = {int(code) for code in re.findall(r"\b(\d) [a-z]", errors.__doc__)}
    assert listed == known
    assert {
        errors.EXIT_NOT_ENOUGH_DATA,
        errors.ExecutionError.exit_code,
        errors.LockedError.exit_code,
    } <= listed


def test_a_scheduled_notebook_fails_where_the_command_does():
    assert "!cx" not in TEXT.replace("`!cx", "")
    (cell,) = [block for kind, block in BLOCKS if block.startswith("%%sh")]
    # in a process of its own: a shell of this one would be found by `get_ipython` in every later test
    for code in (0, 5):
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell.replace("cx run", f"exit {code} #"))]
        )
        stopped = pytest.raises(CellExecutionError) if code else contextlib.nullcontext()
        with stopped:
            NotebookClient(notebook).execute()


def test_the_notebook_with_the_form_is_small_and_imports_what_is_there():
    notebook = nbformat.read(DOCS / "run_a_report.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) == 1 and "from cxlib.runner.form import form" in code[0]
    ast.parse(code[0])
