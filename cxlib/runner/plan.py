"""Decide what a run will do, and refuse it before anything starts: chapters, parameters, data folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cxlib.checks import CxError, InputError, ParameterError
from cxlib.data.places import HANDBOOK, REPORTS
from cxlib.runner.collect import is_not_enough
from cxlib.runner.notebooks import choose, find_notebooks, read_notebook
from cxlib.runner.parameters import Parameter, Plain, read_file, read_parameters, settle

DATABASES = (".duckdb", ".db", ".ddb")
#: Parameters whose values live in the data.
_OF_DATA = ("as_of", "period_start", "period_end", "by", "segment", "where", "initiative")


@dataclass(frozen=True)
class RunSettings:
    """How to run; a class because ten choices travel together from the command line to each report."""

    reports: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    parameters_file: Path | None = None
    data: Path | None = None
    lang: str | None = None
    out: Path = REPORTS
    notebooks: Path = HANDBOOK / "notebooks"
    jobs: int = 0
    timeout: float = 1800
    form: str = "report"
    with_code: bool = False
    is_warm: bool = True
    is_shared: bool = False


@dataclass
class Plan:
    """One item of a run, checked and ready: a report with its parameters, in one language or more.

    A class because it is filled in as the run goes on.
    """

    report: str
    source: Path
    notebook: dict[str, Any]
    declared: list[Parameter]
    values: dict[str, Plain]
    lang: str
    data: Path | None = None
    item: str = ""
    title: str = ""
    languages: tuple[str, ...] = ()
    key: str | None = None
    results: dict[str, Any] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    error: CxError | None = None
    earlier: list[Any] = field(default_factory=list)
    made_in: str | None = None

    def __post_init__(self) -> None:
        self.item, self.languages = self.item or self.report, self.languages or (self.lang,)

    @property
    def is_done(self) -> bool:
        """Whether it came out."""
        return self.error is None and bool(self.results)

    @property
    def status(self) -> str:
        """`ok`, `not_enough_data`, `failed`, or `missing` where it never ran."""
        if not self.is_done:
            return "missing" if self.error is None else "failed"
        return "not_enough_data" if is_not_enough(self.results) else "ok"

    def file(self, lang: str, suffix: str) -> str:
        """Name of one of its files; those of the first language bear the item's name alone."""
        return f"{self.item}{'' if lang == self.languages[0] else f'_{lang}'}{suffix}"


def plan(settings: RunSettings) -> list[Plan]:
    """Read the chapters asked for and settle their parameters; nothing is started.

    Raises
    ------
    ParameterError
        Anything wrong with a name, a value or the parameters file.
    InputError
        The data folder does not exist.
    """
    notebooks = find_notebooks(settings.notebooks)
    chosen = choose(notebooks, list(settings.reports))
    contents = {name: read_notebook(path) for name, path in chosen.items()}
    declared = {name: read_parameters(content, name) for name, content in contents.items()}
    from_file, from_command = _given(settings, declared)
    settled = settle(declared, from_file=from_file, from_command=from_command, every_report=notebooks)
    plans = []
    for name, values in settled.items():
        path = values.get("data")
        data = data_of(path, settings.notebooks) if isinstance(path, str) else None
        lang = str(values.get("lang") or settings.lang or "en")
        plans.append(Plan(name, chosen[name], contents[name], declared[name], values, lang, data))
    return plans


def data_of(way: str, notebooks: Path) -> Path:
    """Return the data that a chapter's `data` leads to.

    Raises
    ------
    InputError
        There is nothing, or no data.
    """
    data = notebooks / way
    if not _exists(data):
        raise InputError("runner.no_data", found=repr(data.name)[:60])
    if not (data.is_dir() or (data.is_file() and data.suffix in DATABASES)):
        raise InputError("runner.not_data", found=repr(data.name)[:60])
    return data


def check_in_data(chosen: Iterable[tuple[Mapping[str, Plain], Path | None]]) -> None:
    """Hold what was chosen against the data; the libraries for it are loaded only where something was.

    Parameters
    ----------
    chosen
        Values and data of each report.

    Raises
    ------
    ParameterError
        No such day, group, segment or initiative in them; says which there are.
    """
    asked = [
        (values, data) for values, data in chosen if any(values.get(name) is not None for name in _OF_DATA)
    ]
    if asked:
        from cxlib.runner.analysis.possible_values import Opened, check_possible

        opened = Opened()
        for values, data in asked:
            if data is not None:
                check_possible(values, data, opened)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # longer than the system takes, or a NUL
        return False


def _given(
    settings: RunSettings, declared: Mapping[str, list[Parameter]]
) -> tuple[dict[Any, Any], list[tuple[str, str]]]:
    """Values from file and command line; data folders become relative to the notebooks' folder."""
    from_file: dict[Any, Any] = {}
    if settings.parameters_file is not None:
        try:
            from_file = read_file(settings.parameters_file.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError) as error:
            if isinstance(error, CxError):
                raise
            raise ParameterError(
                "runner.unreadable_file", file=repr(settings.parameters_file.name)[:60]
            ) from None
        base = settings.parameters_file.resolve().parent
        for section in (from_file, *(inner for inner in from_file.values() if isinstance(inner, dict))):
            if isinstance(section.get("data"), str):
                section["data"] = relative(base / section["data"], settings.notebooks)
    from_command = []
    if settings.lang is not None and any(p.name == "lang" for ps in declared.values() for p in ps):
        from_command.append(("lang", settings.lang))
    if settings.data is not None:
        from_command.append(("data", relative(settings.data, settings.notebooks)))
    for name, value in settings.parameters:
        is_path = name == "data" and "\0" not in value and len(value) < 4096
        from_command.append((name, relative(Path(value), settings.notebooks) if is_path else value))
    return from_file, from_command


def relative(path: Path, folder: Path) -> str:
    """Way from the notebooks to a place, as a chapter's `data` has it."""
    try:
        return Path(os.path.relpath(os.path.abspath(path), os.path.abspath(folder))).as_posix()
    except ValueError:  # another drive, or a NUL: left to the checks that follow
        return str(path)
