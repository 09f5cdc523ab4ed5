"""A run notebook as one self-contained HTML page: no script, no request, readable on a phone and in print."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from html import escape, unescape
from pathlib import Path
from typing import Any, NamedTuple

from cxlib.language import format_date, has_text, text
from cxlib.report.badges import SHAPES
from cxlib.report.markup import badge_html
from cxlib.runner.inert import POLICY, clean_html, clean_text, output_html, visible, with_code_words
from cxlib.runner.parameters import Parameter, Plain
from cxlib.runner.sections import Arranged, Block, arrange, with_folds
from cxlib.runner.terms import Entry, with_terms
from cxlib.runner.words import say

_REPEATED = re.compile(r'<p class="cx-(?:title|sample)">.*?</p>', re.DOTALL)
_COVERAGE = re.compile(r'<div class="cx-table-box\b.*?</table>.*?</div>', re.DOTALL)


class Page(NamedTuple):
    """What the template lays out; every text in it is escaped."""

    lang: str
    title: str
    footer: str
    scope: str
    stamp: str
    is_sample: bool
    header: str
    arranged: Arranged
    coverage: str
    remarks: list[str]
    notices: list[tuple[str, str]]
    code: list[str]
    parameters: list[tuple[str, str, str]]
    purpose: str
    legend: str
    terms: list[Entry]


def render(
    notebook: Any,
    *,
    report: str,
    lang: str,
    results: Mapping[str, Any],
    parameters: Iterable[tuple[Parameter, Plain]],
    stamp: str,
    form: str = "report",
    with_code: bool = False,
    is_shared: bool = False,
) -> str:
    """Return the page of one report.

    Parameters
    ----------
    notebook
        The notebook after its run.
    report
        Name of the report.
    lang
        Language of the page.
    results
        What `collect` gathered from the notebook.
    parameters
        Declarations with the values of this run.
    stamp
        The run's name and what it took; all that differs between the pages of two equal runs, in one place.
    form
        `report` hides code; lesson and full show it in place.
    with_code
        Add the code as an appendix.
    is_shared
        Whether the page may leave the company, which its footer says.
    """
    settings = list(parameters)
    header = results["header"]
    arranged = arrange(_blocks(notebook, shows_code=form != "report"), is_report=form == "report")
    linked, terms = with_terms(arranged, lang)
    title = arranged.title or escape(str(header.get("title") or report))
    masthead = _header(notebook)
    page = Page(
        lang=lang,
        title=title,
        footer=_css_string(unescape(title)),
        scope="" if "asked" in header else _scope(settings, lang),
        stamp=escape(stamp),
        is_sample=bool(header.get("is_sample")),
        header=_COVERAGE.sub("", masthead),
        arranged=with_folds(linked, lang),
        coverage="".join(_COVERAGE.findall(masthead)),
        remarks=_remarks(results, arranged.told),
        notices=_notices(notebook, results, arranged.told, lang),
        code=[_code(cell.source) for cell in notebook.cells if cell.cell_type == "code"] if with_code else [],
        parameters=[
            (p.name, clean_text(_value(value, lang)), clean_text(p.meaning.get(lang, "")))
            for p, value in settings
        ],
        purpose=say("for_sharing" if is_shared else "for_inside", lang),
        legend=" · ".join(f"{shape} {text(f'tone.{tone}', lang)}" for tone, shape in SHAPES.items() if shape),
        terms=terms,
    )
    html, _ = _exporter().from_notebook_node(notebook, resources={"page": page, "lang": lang})
    return html


def _scope(settings: Iterable[tuple[Parameter, Plain]], lang: str) -> str:
    """Say which customers, days and groups this run was restricted to, by what differs from the defaults.

    For notebooks whose header does not (that of `Report` does), so that none can forget it; empty when it
    shows everything.
    """
    chosen = {
        p.name: str(value)
        for p, value in settings
        if value is not None and value != p.default and value != []
    }
    parts = []
    if "segment" in chosen:
        parts.append(say("scope_customers", lang, value=chosen["segment"]))
    if "by" in chosen:
        parts.append(say("scope_by", lang, value=_word(chosen["by"], lang)))
    days = {
        p.name: format_date(chosen[p.name], lang)
        for p, _ in settings
        if p.kind == "date" and p.name in chosen
    }
    start, end = days.get("period_start"), days.get("period_end")
    if start or end:
        kind = "period" if start and end else "from" if start else "to"
        parts.append(say(f"scope_{kind}", lang, start=start, end=end))
    if "as_of" in days:
        parts.append(say("scope_as_of", lang, value=days["as_of"]))
    return clean_text(say("scope_join", lang).join(parts))


def _word(name: str, lang: str) -> str:
    """Name of a column in the report's language, where the catalogue has one."""
    return text(f"column.{name}", lang) if has_text(f"column.{name}") else name


@cache
def _template_folder() -> Path:
    return Path(__file__).parent / "template"


def _exporter() -> Any:
    from nbconvert.exporters import HTMLExporter, TemplateExporter
    from traitlets.config import Config

    class HandbookExporter(HTMLExporter):
        """nbconvert's exporter with our template; a class because the template path is a class setting."""

        def _init_resources(self, resources: dict[str, Any]) -> dict[str, Any]:
            return resources  # the default reads style sheets and script addresses we must not have

        def from_notebook_node(self, nb: Any, resources: Any = None, **options: Any) -> Any:
            # the default parses the finished page once more, to add descriptions that ours has already
            return TemplateExporter.from_notebook_node(self, nb, resources, **options)

    exporter = HandbookExporter(
        config=Config(),
        template_name="template",
        extra_template_basedirs=[str(_template_folder().parent)],
        enabled=True,
        preprocessors=[],
        default_preprocessors=[],
    )
    exporter.environment.globals.update(say=say, policy=POLICY, badge=badge_html)
    return exporter


def _blocks(notebook: Any, *, shows_code: bool) -> Iterable[Block]:
    """Blocks in the notebook's order; the header is shown at the top of the page instead."""
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "markdown":
            kinds = ["prose", *(tag for tag in tags if tag in ("teach", "exercise", "solution"))]
            yield Block(" ".join(kinds), _prose(cell))
        elif cell.cell_type == "code":
            if shows_code and cell.source.strip():
                yield Block("code", _code(cell.source))
            for output in cell.outputs:
                if _kind(output) != "header" and (html := output_html(output)):
                    yield Block("output", html, output.get("metadata", {}).get("cx", {}))


def _prose(cell: Any) -> str:
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    return clean_html(MarkdownWithMath(renderer=renderer).render(cell.source))


def _code(source: str) -> str:
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    return visible(highlight(source, PythonLexer(), HtmlFormatter(cssclass="source")))


def _kind(output: Mapping[str, Any]) -> str:
    return output.get("metadata", {}).get("cx", {}).get("kind", "")


def _header(notebook: Any) -> str:
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if _kind(output) == "header":
                return _REPEATED.sub("", output_html(output))
    return ""


def _remarks(results: Mapping[str, Any], told: set[str]) -> list[str]:
    """Sentences of the runner itself, which no cell shows; they stand under the title."""
    return [
        clean_text(str(notice.get("text", "")))
        for key, notice in results["notices"].items()
        if key.startswith("runner.") and notice.get("text") not in told
    ]


def _notices(notebook: Any, results: Mapping[str, Any], told: set[str], lang: str) -> list[tuple[str, str]]:
    """Pairs `level, sentence` for the *Data quality* box, the gravest first: what stands nowhere else."""
    order = ["not_enough_data", "warning", "info"]
    found = [
        (str(notice.get("level")), with_code_words(clean_text(str(notice.get("text", "")))))
        for key, notice in results["notices"].items()
        if not notice.get("only_here") and notice.get("text") not in told and not key.startswith("runner.")
    ]
    warned = sum(
        output.output_type == "stream" and output.name == "stderr"
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )
    if warned:
        found.append(("info", say("warnings_printed", lang, n=warned)))
    known = [(level if level in order else "info", sentence) for level, sentence in dict.fromkeys(found)]
    return sorted(known, key=lambda pair: order.index(pair[0]))


def _css_string(words: str) -> str:
    """Words as they can stand between quotes in a style sheet: anything but letters and digits escaped."""
    return "".join(mark if mark.isalnum() else f"\\{ord(mark):x} " for mark in words)


def _value(value: Plain, lang: str) -> str:
    if value is None:
        return say("value_none", lang)
    return ", ".join(value) if isinstance(value, list) else str(value)
