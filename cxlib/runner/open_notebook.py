"""`cx open`: a working notebook in one language, to change and run in JupyterLab; and what it does there."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Iterable, Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any

from cxlib.checks import CxError, ParameterError
from cxlib.data.places import HANDBOOK, WORK
from cxlib.runner.fill_in import fill_in, in_language, set_names
from cxlib.runner.notebooks import choose, find_notebooks, prepare, read_notebook, sections
from cxlib.runner.parameters import Parameter, Plain, check_name, check_together, check_value, read_parameters
from cxlib.runner.plan import Plan, RunSettings, check_in_data, plan
from cxlib.runner.private_file import write_private
from cxlib.runner.publish import check_out

CHAPTERS = HANDBOOK / "notebooks"


def open_notebook(settings: RunSettings, *, out: Path | None = None, force: bool = False) -> Path:
    """Write a chapter as a working notebook and return where it is.

    Parameters
    ----------
    settings
        One report, its parameters, data, language and form; checked as before a run.
    out
        File to write; by the report's name and language among the working notebooks otherwise.
    force
        Replace the file if it is there.

    Raises
    ------
    ParameterError, InputError
        As a run would refuse the parameters or the data.
    OutputError
        The file is there already, or cannot be written.
    """
    [one] = plan(settings)
    check_in_data([(one.values, one.data)])
    file = out or WORK / f"{one.report}-{one.lang}.ipynb"
    if file.suffix != ".ipynb":
        raise ParameterError("runner.not_a_notebook_name", found=repr(file.name)[:60])
    check_out(file.parent).mkdir(parents=True, exist_ok=True)
    notebook = working_copy(one, form=settings.form, notebooks=settings.notebooks)
    write_private(file, json.dumps(notebook, ensure_ascii=False, indent=1).encode() + b"\n", force=force)
    return file


def working_copy(one: Plan, *, form: str, notebooks: Path = CHAPTERS) -> dict[str, Any]:
    """Return a chapter in one language, parameters filled in, to be checked whenever its set-up cell runs.

    Each heading begins a cell of its own, so that folding it hides its sections.
    """
    notebook = prepare(one.notebook, form=form, lang=one.lang)
    other = {"lang-en", "lang-ja"} - {f"lang-{one.lang}"}
    cells = [cell for cell in notebook["cells"] if not other & set(cell["metadata"]["tags"])]
    values = dict(one.values)
    if one.data is not None:
        values["data"] = Path(os.path.abspath(one.data)).as_posix()
    is_next = not one.declared
    for cell in cells:
        if "parameters" in cell["metadata"]["tags"]:
            filled = fill_in(cell["source"], values, one.declared)
            cell["source"], is_next = in_language(filled, one.declared, one.lang), True
        elif is_next and cell["cell_type"] == "code":
            cell["source"], is_next = _with_check(cell["source"], _call(one, notebooks)), False
    return {**notebook, "cells": [part for cell in cells for part in _folding(cell)]}


def _call(one: Plan, notebooks: Path) -> str:
    elsewhere = "" if notebooks == CHAPTERS else f', notebooks="{notebooks.as_posix()}"'
    return f'cx.working_notebook("{one.report}", lang="{one.lang}"{elsewhere})'


def _with_check(source: str, call: str) -> str:
    """Put the check into the set-up cell, behind its imports and before anything uses a parameter."""
    imports = takewhile(lambda node: isinstance(node, ast.Import | ast.ImportFrom), ast.parse(source).body)
    lines = source.splitlines()
    end = max((node.end_lineno or 0 for node in imports), default=0)
    head, rest = lines[:end], "\n".join(lines[end:]).strip("\n")
    if "import cxlib as cx" not in head:
        head.append("import cxlib as cx")
    return "\n".join([*head, "", call, rest]).rstrip()


def _folding(cell: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """Give each heading of a prose cell a cell of its own."""
    if cell["cell_type"] != "markdown":
        return [cell]
    parts = enumerate(sections(cell["source"]), start=1)
    return [
        cell | {"source": part} | ({"id": f"{cell['id']}-{number}"} if number > 1 else {})
        for number, part in parts
    ]


def working_notebook(report: str, *, lang: str = "en", notebooks: str | Path = CHAPTERS) -> None:
    """Check a notebook's parameters by the rules of a run, and say the handbook's errors in one sentence.

    `cx open` puts the call into the notebook it writes. Other errors keep their traceback.

    Parameters
    ----------
    report
        The chapter whose parameters these are.
    lang
        Language of the sentences.
    notebooks
        Folder of the chapter.

    Raises
    ------
    ParameterError
        Not called in a notebook; a parameter is missing, unknown, of another type, out of range or not in
        the data.

    Examples
    --------
    >>> working_notebook("segmentation")
    Traceback (most recent call last):
    cxlib.checks.ParameterError: `working_notebook` checks the parameters of a notebook; call it in one.
    """
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None:
        raise ParameterError("runner.no_notebook")
    _say_errors_in_one_sentence(shell, lang)
    chapter = choose(find_notebooks(Path(notebooks)), [report])[report]
    declared = read_parameters(read_notebook(chapter), report)
    known = {parameter.name: parameter for parameter in declared}
    names = _last_set(shell.user_ns.get("In", []), set(known))
    for name in names:
        check_name(name, known)
    values = {p.name: _checked(p, shell.user_ns, names) for p in declared}
    check_together(values)
    check_in_data([(values, Path(str(values["data"])) if "data" in values else None)])
    shell.user_ns.update(values)


def _checked(parameter: Parameter, names: Mapping[str, Any], last_set: set[str]) -> Plain:
    """Return a parameter's value; one whose line has gone is no choice any more."""
    if parameter.name not in names or (last_set and parameter.name not in last_set):
        raise ParameterError("runner.parameter_missing", name=parameter.name)
    return check_value(parameter, names[parameter.name])


def _last_set(sources: Iterable[str], known: set[str]) -> set[str]:
    """Names that the parameters cell set when it last ran: the last cell that annotates a parameter."""
    for source in reversed(list(sources)):
        try:
            body = ast.parse(source).body
        except (SyntaxError, ValueError):
            continue
        if any(isinstance(node, ast.AnnAssign) and set_names(node) & known for node in body):
            return {name for node in body for name in set_names(node)}
    return set()


def _say_errors_in_one_sentence(shell: Any, lang: str) -> None:
    def tell(shell: Any, kind: type, error: CxError, place: Any, tb_offset: int | None = None) -> list[str]:
        sentence = error.in_language(lang)
        shell._showtraceback(kind, sentence, [sentence])
        return [sentence]

    shell.set_custom_exc((CxError,), tell)
