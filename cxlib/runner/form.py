"""A report's parameters as a form in JupyterLab: type, range and help beside each, check, run, a link."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from html import escape
from pathlib import Path
from typing import Any

from cxlib.checks import CxError, OutputError
from cxlib.data.places import HANDBOOK, REPORTS
from cxlib.runner.index import read_runs
from cxlib.runner.parameters import Parameter
from cxlib.runner.plan import RunSettings, check_in_data, plan
from cxlib.runner.words import say


class Form:
    """One report's form; a class because its widgets are read again at every click.

    Parameters
    ----------
    report : str
        Name of a report (`cx list`).
    data : Path, optional
        Folder of customer tables; the report's own default when left out.
    lang : str
        Language of form and report.
    out, notebooks : Path
        Folders of reports and of chapters.

    Raises
    ------
    OutputError
        ipywidgets is not installed; says how to get it.
    ParameterError
        There is no such report.
    """

    def __init__(
        self,
        report: str,
        *,
        data: Path | str | None = None,
        lang: str = "en",
        out: Path = REPORTS,
        notebooks: Path = HANDBOOK / "notebooks",
    ) -> None:
        try:
            import ipywidgets as widgets
        except ModuleNotFoundError as error:
            raise OutputError("runs.no_widgets") from error
        self.report, self.lang, self.out = report, lang, Path(out)
        self.data, self.notebooks = (
            None if data is None else Path(data).absolute(),
            Path(notebooks).absolute(),
        )
        [self.plan] = plan(
            RunSettings(reports=(report,), data=self.data, lang=lang, notebooks=self.notebooks)
        )
        asked = [one for one in self.plan.declared if one.name not in ("data", "lang")]
        self.fields = {one.name: (one, _widget(one, widgets)) for one in asked}
        self.said = widgets.Output()
        self.buttons = {
            name: widgets.Button(description=say(f"form_{name}", lang), button_style=style)
            for name, style in (("check", ""), ("run", "primary"))
        }
        self.buttons["check"].on_click(lambda _: self._tell(self.check()))
        self.buttons["run"].on_click(lambda _: self._tell(*self.run()))
        lines = [_line(one, widget, lang, widgets) for one, widget in self.fields.values()]
        self.box = widgets.VBox([*lines, widgets.HBox(list(self.buttons.values())), self.said])

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.box)

    def parameters(self) -> list[tuple[str, str]]:
        """Return what differs from the defaults, as on the command line."""
        found = []
        for name, (one, widget) in self.fields.items():
            text = _text(widget.value)
            if text != _text(one.default):
                found.append((name, text))
        return found

    def check(self) -> str:
        """Return what is wrong with the values, or that they can run; nothing is started."""
        settings = RunSettings(
            reports=(self.report,),
            parameters=tuple(self.parameters()),
            data=self.data,
            lang=self.lang,
            notebooks=self.notebooks,
        )
        try:
            plans = plan(settings)
            check_in_data((one.values, one.data) for one in plans)
        except CxError as error:
            return error.in_language(self.lang)
        return say("form_ready", self.lang)

    def command(self) -> list[str]:
        """Return the command that *run* gives; it can be scheduled as it stands."""
        words = ["run", self.report, "--lang", self.lang, "--out", str(self.out)]
        words += ["--notebooks", str(self.notebooks)]
        words += [] if self.data is None else ["--data", str(self.data)]
        return words + [part for name, text in self.parameters() for part in ("-p", f"{name}={text}")]

    def run(self) -> tuple[str, Path | None]:
        """Run the report as `cx run` does, in a process of its own; return what it said, and its page."""
        before = {run["run"] for run in read_runs(self.out)}
        done = subprocess.run(
            [sys.executable, "-m", "cxlib.runner.cli", *self.command()],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        new = [run["run"] for run in read_runs(self.out) if run["run"] not in before]
        page = self.out / new[0] / f"{self.report}.html" if new else None
        return (done.stdout + done.stderr).strip(), page

    def _tell(self, words: str, page: Path | None = None) -> None:
        from IPython.display import FileLink, display

        self.said.clear_output()
        with self.said:
            print(words)  # noqa: T201
            if page is not None:
                display(FileLink(_near(page)))


def form(report: str, **options: Any) -> Form:
    """Return the form of a report, to be shown as a cell's last line; `options` as in `Form`."""
    return Form(report, **options)


def _widget(one: Parameter, widgets: Any) -> Any:
    """Field that fits a parameter's type, range and default."""
    style = {"tooltip": one.range_text, "layout": {"width": "16em"}}
    if one.kind == "option":
        return widgets.Dropdown(
            options=[*([None] if one.is_optional else []), *one.options], value=one.default
        )
    if one.kind == "bool" and not one.is_optional:
        return widgets.Checkbox(value=one.default, indent=False)
    if one.kind == "date":
        day = None if one.default is None else date.fromisoformat(str(one.default))
        return widgets.DatePicker(value=day, **style)
    if one.kind in ("int", "float") and not one.is_optional:
        name = {"int": "IntText", "float": "FloatText"}[one.kind]
        if one.low is None:
            return getattr(widgets, name)(value=one.default, **style)
        kind = {"int": int, "float": float}[one.kind]
        ends = {"min": kind(one.low), "max": kind(one.high or 0)}
        return getattr(widgets, f"Bounded{name}")(value=one.default, **ends, **style)
    return widgets.Text(value="" if one.default is None else _text(one.default), **style)


def _line(one: Parameter, widget: Any, lang: str, widgets: Any) -> Any:
    """Name, field, type and range, and what it means."""
    told = " · ".join(filter(None, [one.type_text, one.range_text, one.meaning.get(lang, "")]))
    name = widgets.HTML(f"<code>{escape(one.name)}</code>", layout={"width": "15em"})
    return widgets.HBox([name, widget, widgets.HTML(escape(told))])


def _text(value: object) -> str:
    """Write a value as the command line takes it; nothing chosen is `none`."""
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, list) else str(value)


def _near(page: Path) -> Path:
    """Write the way to a page from the working folder, which the link needs, where there is one."""
    try:
        return page.absolute().relative_to(Path.cwd())
    except ValueError:
        return page
