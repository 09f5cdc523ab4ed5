"""Run several reports side by side and publish them together."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cxlib.checks import CxError, InputError
from cxlib.data.places import HANDBOOK
from cxlib.runner import index, manifest, near, publish
from cxlib.runner.collect import RESULTS_FORMAT, collect, file_names, to_csv, to_parquet
from cxlib.runner.errors import (
    EXIT_NOT_ENOUGH_DATA,
    ExecutionError,
    OutputError,
    PublishedError,
    ReportFailed,
)
from cxlib.runner.notebooks import heading_before, prepare
from cxlib.runner.plan import Plan, RunSettings, plan
from cxlib.runner.progress import QuietProgress, choose_progress, clock
from cxlib.runner.watch import Watch
from cxlib.runner.words import say


@dataclass(frozen=True)
class Outcome:
    """What a run came to: its exit code, where it stands, and what failed."""

    exit_code: int
    folder: Path | None
    index: Path | None
    errors: list[CxError]
    not_enough: list[str]


def run(settings: RunSettings, *, message_lang: str = "en") -> Outcome:
    """Run reports and publish them whole, or keep what failed apart.

    Parameters
    ----------
    settings
        What to run and how.
    message_lang
        Language of the progress lines and of the index page.

    Raises
    ------
    ParameterError, InputError
        Refused before a kernel started.
    LockedError, OutputError
        The reports folder is taken or cannot be written.
    PublishedError
        The run is published, but the index could not be written; says where the run is.
    """
    plans = plan(settings)
    out = publish.check_out(settings.out)
    started = datetime.now(UTC)
    with publish.locked(out):
        name = publish.free_name(out, publish.stamp(started))
        try:
            return _build(plans, settings, publish.Draft(out, name), started, message_lang)
        except BaseException as error:
            if (out / name).is_dir():  # the run stands; what failed is what comes after it
                raise PublishedError(out / name, error) from error
            raise


def _build(
    plans: list[Plan], settings: RunSettings, draft: publish.Draft, started: datetime, message_lang: str
) -> Outcome:
    """Run, publish what came out and rewrite the index."""
    scrubber = manifest.Scrubber(_outside(plans))
    if not settings.is_shared:
        earlier = near.earlier_runs(draft.out)
        for one in plans:
            one.earlier = earlier
    with draft, _watched(plans, settings, scrubber) as watch:
        _run_all(plans, settings, draft, message_lang, scrubber)
        changed = watch.changed()
        record = _record(plans, settings, draft.run, started) | watch.record()
        if changed or any(p.error for p in plans):
            return _keep_failed(plans, draft, record, changed)
        if settings.is_shared:  # a hash of exact data would confirm a guess at them
            record |= {"data": {}, "is_shared": True}
        else:
            draft.write({"results.json": _json({p.report: p.results for p in plans})})
        draft.write({"run.json": _json(record)})
        folder = draft.publish()
    page = draft.out / "index.html"
    publish.replace(
        page, index.index_html(index.read_runs(draft.out), message_lang).encode("utf-8", "replace")
    )
    not_enough = [p.report for p in plans if p.status == "not_enough_data"]
    return Outcome(EXIT_NOT_ENOUGH_DATA if not_enough else 0, folder, page, [], not_enough)


def _run_all(
    plans: list[Plan],
    settings: RunSettings,
    draft: publish.Draft,
    message_lang: str,
    scrubber: manifest.Scrubber,
) -> None:
    from cxlib.runner.kernels import Kernels

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    jobs = min(len(plans), settings.jobs or cores)
    with (
        Kernels(is_warm=settings.is_warm) as kernels,
        _engine_imported(),
        choose_progress(message_lang) as progress,
        ThreadPoolExecutor(jobs) as pool,
    ):
        futures = [pool.submit(_run_one, p, settings, draft, kernels, progress, scrubber) for p in plans]
        try:
            for future in futures:
                future.result()
        except BaseException:
            kernels.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextlib.contextmanager
def _engine_imported() -> Iterator[None]:
    """Import papermill and nbclient, while the fork server imports the analysis libraries.

    jsonschema, which they need, would spend 1.1 s on a grammar of web addresses for a check that
    notebooks do not use; they do without when the grammar is not there.
    """
    grammar = "rfc3987_syntax"
    is_absent = sys.modules.setdefault(grammar, None) is None  # type: ignore[arg-type]
    try:
        import papermill.parameterize  # noqa: F401
    finally:
        if is_absent:
            del sys.modules[grammar]
    yield


def _run_one(
    one: Plan,
    settings: RunSettings,
    draft: publish.Draft,
    kernels: Any,
    progress: QuietProgress,
    scrubber: manifest.Scrubber,
) -> None:
    """Run, render and write one report; a failure is kept in the plan, so that the others go on."""
    import nbformat

    from cxlib.runner.execute import execute, inject, share, without_exact
    from cxlib.runner.render import render

    changed = {p.name: one.values[p.name] for p in one.declared if one.values[p.name] != p.default}
    notebook = inject(nbformat.from_dict(prepare(one.notebook, form=settings.form, lang=one.lang)), changed)
    if settings.is_shared:
        share(notebook)
    started = clock()
    progress.start(one.report, len(notebook.cells))
    try:
        execute(
            notebook,
            report=one.report,
            folder=settings.notebooks,
            kernels=kernels,
            timeout=settings.timeout,
            lang=one.lang,
            on_cell=lambda i: progress.cell(one.report, i, heading_before(notebook, i)),
        )
        if settings.is_shared:
            without_exact(notebook)
        one.results = json.loads(scrubber.text(json.dumps(collect(notebook), ensure_ascii=False)))
        scrubber.notebook(notebook)
        one.values = {k: scrubber.text(v) if isinstance(v, str) else v for k, v in one.values.items()}
        _notice_near_runs(one)
        html = render(
            notebook,
            report=one.report,
            lang=one.lang,
            results=one.results,
            parameters=[(p, one.values[p.name]) for p in one.declared],
            stamp=draft.run,
            form=settings.form,
            with_code=settings.with_code,
            is_shared=settings.is_shared,
        )
        draft.write({f"{one.report}.html": html.encode()})
        if not settings.is_shared:
            manifest.point_at_data(notebook, one.data, draft.target)
            draft.write({f"{one.report}.ipynb": _notebook_bytes(notebook), **_tables(one)})
    except ReportFailed as error:
        scrubber.notebook(error.notebook)
        one.error = error
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, CxError):
            raise
        one.error = ExecutionError("runner.bad_record", report=one.report, ename=type(error).__name__)
    one.seconds = round(clock() - started, 2)
    progress.end(one.report, one.seconds, is_ok=one.error is None)


def _notice_near_runs(one: Plan) -> None:
    """Say it where the difference to an earlier run is a few customers' purchases."""
    found = near.near_runs(one.earlier, report=one.report, results=one.results, parameters=one.values)
    if found:
        sentence = say("near_run", one.lang, runs=", ".join(found[:5]))
        one.results["notices"]["runner.near_run"] = {"level": "warning", "text": sentence}


def _outside(plans: Iterable[Plan]) -> dict[str, str]:
    """Name data folders outside the handbook, whose path would tell about the machine, by their last part."""
    places = {str(p.values["data"]): p.data.resolve() for p in plans if p.data is not None}
    return {path: place.name for path, place in places.items() if HANDBOOK not in place.parents}


def _tables(one: Plan) -> dict[str, bytes]:
    files = {}
    names = file_names(one.results["tables"])
    for key, table in one.results["tables"].items():
        stem = f"tables/{one.report}/{names[key]}"
        files[f"{stem}.csv"], files[f"{stem}.parquet"] = to_csv(table), to_parquet(table)
    return files


def _watched(plans: list[Plan], settings: RunSettings, scrubber: manifest.Scrubber) -> Watch:
    """Watch all that the run reads: data, rules and the parameters file."""
    data = {p.data: scrubber.text(str(p.values["data"])) for p in plans if p.data is not None}
    others = {"rules": sorted((HANDBOOK / "data" / "rules").glob("*.yml"))}
    if settings.parameters_file is not None:
        others["parameters_file"] = [settings.parameters_file]
    return Watch(data, others)


def _record(plans: list[Plan], settings: RunSettings, name: str, started: datetime) -> dict[str, Any]:
    """Build the run's manifest, all but the files it read."""
    return {
        "run": name,
        "status": "failed" if any(p.error for p in plans) else "ok",
        "started_at": started.strftime("%Y-%m-%d %H:%M UTC"),
        "lang": plans[0].lang,
        "form": settings.form,
        "kernels": "warm" if settings.is_warm and sys.platform == "linux" else "plain",
        "results_format": RESULTS_FORMAT,
        "reports": {one.report: _report_record(one) for one in plans},
        "versions": manifest.versions(),
        "commit": manifest.commit(),
    }


def _report_record(one: Plan) -> dict[str, Any]:
    header = one.results.get("header", {})
    record = {
        "status": one.status,
        "title": header.get("title") or one.report,
        "data_set": header.get("data_set"),
        "as_of": header.get("as_of"),
        "timezone": header.get("timezone"),
        "tables": header.get("tables"),
        "close": header.get("close"),
        "parameters": one.values,
        "seconds": one.seconds,
    }
    if one.error is not None:
        record |= {"exit_code": one.error.exit_code, "error": str(one.error)}
    return record


def _keep_failed(
    plans: list[Plan], draft: publish.Draft, record: dict[str, Any], changed: list[str]
) -> Outcome:
    """Nothing is published; the half-run notebooks go where failures are kept."""
    errors = [one.error for one in plans if one.error is not None]
    if changed:
        errors.insert(0, InputError("runner.data_changed", files=", ".join(changed)[:400]))
        record |= {"status": "failed", "changed": changed}
    files = {"run.json": _json(record)}
    for one in plans:
        if isinstance(one.error, ReportFailed):
            manifest.point_at_data(one.error.notebook, one.data, draft.failed)
            files[f"{one.report}.ipynb"] = _notebook_bytes(one.error.notebook)
    try:
        folder = draft.keep_failed(files)
    except OutputError as error:  # what went wrong first is said first
        return Outcome(errors[0].exit_code, None, None, [*errors, error], [])
    return Outcome(errors[0].exit_code, folder, None, errors, [])


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def _notebook_bytes(notebook: Any) -> bytes:
    import nbformat

    return (nbformat.writes(notebook) + "\n").encode("utf-8", "replace")
