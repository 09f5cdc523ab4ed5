"""Make one item of a run: its pages in every language asked for, notebooks, tables and record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cxlib.checks import CxError
from cxlib.language import text
from cxlib.runner import manifest, near, publish
from cxlib.runner.collect import collect, file_names, to_csv, to_parquet
from cxlib.runner.errors import ExecutionError, ReportFailed
from cxlib.runner.notebooks import heading_before, prepare
from cxlib.runner.plan import Plan, RunSettings
from cxlib.runner.progress import QuietProgress, clock
from cxlib.runner.renderings import is_again, split, with_second
from cxlib.runner.words import say


class Maker:
    """Makes the items of one run; a class because they share settings, kernels, progress and draft."""

    def __init__(
        self,
        settings: RunSettings,
        draft: publish.Draft,
        kernels: Any,
        progress: QuietProgress,
        scrubber: manifest.Scrubber,
    ) -> None:
        self.settings, self.draft, self.kernels = settings, draft, kernels
        self.progress, self.scrubber = progress, scrubber

    def make(self, one: Plan) -> None:
        """Run, render and write an item; a failure is kept in the plan, so that the others go on.

        What belongs to the item is written first, its record last: whoever finds the record finds the whole.
        """
        started = clock()
        self.progress.start(one.item, len(one.notebook["cells"]))
        try:
            notebooks = self._run(one)
            results = {lang: self._results(found) for lang, found in notebooks.items()}
            own = results[one.languages[0]]
            for held in notebooks.values():
                self.scrubber.notebook(held)
            clean = self.scrubber.text
            one.values = {k: clean(v) if isinstance(v, str) else v for k, v in one.values.items()}
            near_to = near.near_runs(one.earlier, report=one.item, results=own, parameters=one.values)
            one.seconds = round(clock() - started, 2)
            for lang, notebook in notebooks.items():
                self._write(one, lang, notebook, results[lang], near_to)
            one.results = own
            one.titles = {lang: titled(one, found) for lang, found in results.items()}
            if not self.settings.is_shared:
                self.draft.write(tables(one))
            record = {"record": report_record(one), "results": {} if self.settings.is_shared else own}
            self.draft.write({publish.item_file(one.item): _json(record)})
        except ReportFailed as error:
            self.scrubber.notebook(error.notebook)
            one.error = error
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, CxError):
                raise
            one.error = ExecutionError("runner.bad_record", report=one.item, ename=type(error).__name__)
        one.seconds = round(clock() - started, 2)
        self.progress.end(one.item, one.seconds, is_ok=one.error is None)

    def _run(self, one: Plan) -> dict[str, Any]:
        """Notebook by language, from one computation where the chapter lets its words be told apart."""
        first, *others = one.languages
        notebook = self._ready(one, first)
        doubled = (
            with_second(notebook, others[0]) if len(others) == 1 and not self.settings.is_shared else None
        )
        found = {}
        if doubled is not None:
            second = self._execute_both(one, doubled)
            found = {first: doubled} | ({others[0]: second} if second is not None else {})
        for lang in one.languages:
            if lang not in found:
                found[lang] = self._ready(one, lang)
                self._execute(one, found[lang], lang)
        return {lang: found[lang] for lang in one.languages}

    def _execute_both(self, one: Plan, doubled: Any) -> Any | None:
        """Run a doubled notebook; None where the second language has to be run by itself."""
        from cxlib.runner.execute import tidy

        first, second = one.languages
        try:
            self._execute(one, doubled, first)
        except ReportFailed as error:
            own = [cell for cell in doubled.cells if cell.cell_type == "code" and not is_again(cell)]
            if any(cell.execution_count is None for cell in own if cell.source.strip()) or _has_error(own):
                error.notebook.cells = [cell for cell in error.notebook.cells if not is_again(cell)]
                raise
        found = split(doubled, self._ready(one, second))
        if found is not None:
            tidy(found)
        return found

    def _ready(self, one: Plan, lang: str) -> Any:
        """Prepare the notebook: cells of the form in one language, parameters filled in."""
        import nbformat

        from cxlib.runner.execute import inject, share

        values = one.values | ({"lang": lang} if "lang" in one.values else {})
        changed = {p.name: values[p.name] for p in one.declared if values[p.name] != p.default}
        cells = prepare(one.notebook, form=self.settings.form, lang=lang)
        notebook = inject(nbformat.from_dict(cells), changed)
        if self.settings.is_shared:
            share(notebook)
        return notebook

    def _execute(self, one: Plan, notebook: Any, lang: str) -> None:
        from cxlib.runner.execute import execute, without_exact

        execute(
            notebook,
            report=one.item,
            folder=self.settings.notebooks,
            kernels=self.kernels,
            timeout=self.settings.timeout,
            lang=lang,
            on_cell=lambda i: self.progress.cell(one.item, i, heading_before(notebook, i)),
        )
        if self.settings.is_shared:
            without_exact(notebook)

    def _results(self, notebook: Any) -> dict[str, Any]:
        found = json.loads(self.scrubber.text(json.dumps(collect(notebook), ensure_ascii=False)))
        assert isinstance(found, dict)
        return found

    def _write(
        self, one: Plan, lang: str, notebook: Any, results: dict[str, Any], near_to: list[str]
    ) -> None:
        from cxlib.runner.render import render

        if near_to:  # where the difference to an earlier run is a few customers' purchases
            sentence = say("near_run", lang, runs=", ".join(near_to[:5]))
            results["notices"]["runner.near_run"] = {"level": "warning", "text": sentence}
        values = one.values | ({"lang": lang} if "lang" in one.values else {})
        html = render(
            notebook,
            report=one.report,
            lang=lang,
            results=results,
            parameters=[(p, values[p.name]) for p in one.declared],
            stamp=say("stamp", lang, run=self.draft.run, spent=_spent(one, results, lang)),
            form=self.settings.form,
            with_code=self.settings.with_code,
            is_shared=self.settings.is_shared,
        )
        page = one.file(lang, ".html")
        self.draft.write({page: html.encode()})
        one.pages[lang] = page
        if not self.settings.is_shared:
            manifest.point_at_data(notebook, one.data, self.draft.target)
            self.draft.write({one.file(lang, ".ipynb"): notebook_bytes(notebook)})


def _has_error(cells: list[Any]) -> bool:
    expected = [cell for cell in cells if "raises-exception" not in cell.metadata.get("tags", [])]
    return any(output.output_type == "error" for cell in expected for output in cell.outputs)


def _spent(one: Plan, results: Mapping[str, Any], lang: str) -> str:
    """Say how many rows a report read, as far as its header says so, and the seconds it took to run."""
    rows = sum(table["rows"] or 0 for table in results["header"].get("tables") or [])
    key = "spent" if rows else "spent_seconds"
    return say(key, lang, rows=f"{rows:,}", seconds=f"{one.seconds:,.1f}")


def tables(one: Plan) -> dict[str, bytes]:
    """Every table of an item as CSV and Parquet."""
    files = {}
    names = file_names(one.results["tables"])
    for key, table in one.results["tables"].items():
        stem = f"tables/{one.item}/{names[key]}"
        files[f"{stem}.csv"], files[f"{stem}.parquet"] = to_csv(table), to_parquet(table)
    return files


def report_record(one: Plan) -> dict[str, Any]:
    """Entry of an item in the run's manifest."""
    header = one.results.get("header", {})
    record = {
        "report": one.report,
        "status": one.status,
        "title": titled(one, one.results),
        "titles": one.titles,
        "data_set": header.get("data_set"),
        "as_of": header.get("as_of"),
        "timezone": header.get("timezone"),
        "tables": header.get("tables"),
        "close": header.get("close"),
        "scope": _scope(header.get("asked_texts")),
        "verdict": _verdict(one.results),
        "parameters": one.values,
        "languages": list(one.pages),
        "pages": one.pages,
        "key": one.key,
        "seconds": one.seconds,
    }
    if one.made_in is not None:
        record["made_in"] = one.made_in
    if one.error is not None:
        record |= {"exit_code": one.error.exit_code, "error": str(one.error)}
    return record


def titled(one: Plan, results: Mapping[str, Any]) -> str:
    """Title of an item: its report's, and the values it is made for."""
    return " · ".join(filter(None, (results.get("header", {}).get("title") or one.report, one.title)))


def _scope(asked: Any) -> dict[str, list[str]] | None:
    """Lines on whom a report is about, by language, without how the page itself is to be read."""
    if not isinstance(asked, dict):
        return None
    return {
        lang: [line for line in held if line != text("asked.narrowed", lang)] for lang, held in asked.items()
    }


def _verdict(results: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the first finding that carries a verdict: code and sentence by language."""
    for key, finding in results.get("findings", {}).items():
        if finding.get("verdict"):
            texts = finding.get("texts") or {"en": finding.get("text", "")}
            return {"finding": key, "verdict": finding["verdict"], "texts": texts}
    return None


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8", "replace")


def notebook_bytes(notebook: Any) -> bytes:
    """Return a notebook as a file has it."""
    import nbformat

    return (nbformat.writes(notebook) + "\n").encode("utf-8", "replace")
