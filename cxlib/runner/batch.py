"""Run several reports side by side and publish each that came out, whatever becomes of the others."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cxlib.checks import CxError, InputError
from cxlib.runner import index, manifest, near, publish
from cxlib.runner.board import board_files
from cxlib.runner.collect import RESULTS_FORMAT
from cxlib.runner.earlier_items import EarlierItems, Run
from cxlib.runner.errors import (
    EXIT_NOT_ENOUGH_DATA,
    OutputError,
    PublishedError,
    ReportFailed,
)
from cxlib.runner.item_key import item_key
from cxlib.runner.one_item import Maker, notebook_bytes, report_record
from cxlib.runner.plan import Plan, RunSettings, check_in_data, plan
from cxlib.runner.progress import choose_progress
from cxlib.runner.tell import Outcome
from cxlib.runner.watch import Watch, watch_run

EXIT_INTERRUPTED = 130


def run(settings: RunSettings, *, message_lang: str = "en") -> Outcome:
    """Run reports and publish each that came out; what failed is kept apart and voids no other.

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
    check_in_data((one.values, one.data) for one in plans)
    return run_plans(plans, settings, message_lang=message_lang)


def run_plans(
    plans: list[Plan],
    settings: RunSettings,
    *,
    message_lang: str = "en",
    about: Mapping[str, Any] | None = None,
    earlier: Callable[[list[Run], Mapping[str, Any]], list[Run]] = lambda runs, files: [],
) -> Outcome:
    """Run items that are planned and checked; as `run`.

    Parameters
    ----------
    plans
        The items.
    settings, message_lang
        As `run` takes them.
    about
        What else the manifest says, such as the cycle a run belongs to.
    earlier
        Chooses, of the folder's exact runs and by what this one reads, those whose unchanged items are taken
        over.
    """
    out = publish.check_out(settings.out)
    started = datetime.now(UTC)
    with publish.locked(out):
        name = publish.free_name(out, publish.stamp(started))
        work = _Run(plans, settings, publish.Draft(out, name), started, message_lang, dict(about or {}))
        try:
            return work.build(earlier)
        except BaseException as error:
            if (out / name).is_dir():  # the run stands; what failed is what comes after it
                raise PublishedError(out / name, error) from error
            raise


class _Run:
    """One run being built; a class because its steps share plans, draft and manifest."""

    def __init__(
        self,
        plans: list[Plan],
        settings: RunSettings,
        draft: publish.Draft,
        started: datetime,
        lang: str,
        about: dict[str, Any],
    ) -> None:
        self.plans, self.settings, self.draft = plans, settings, draft
        self.started, self.lang, self.about = started, lang, about
        self.scrubber = manifest.Scrubber(manifest.outside(plans))

    def build(self, earlier: Callable[[list[Run], Mapping[str, Any]], list[Run]]) -> Outcome:
        """Take over what is there, run the rest, publish what came out and rewrite the index."""
        exact = [] if self.settings.is_shared else near.earlier_runs(self.draft.out)
        with self.draft, watch_run(self.plans, self.settings, self.scrubber) as watch:
            rest, kept = self._ahead(exact, earlier, watch)
            ended: BaseException | None = None
            self.draft.write({"run.json": _json(self._record(watch))})  # what is left of a killed run says so
            try:
                if rest:
                    _run_all(rest, self.settings, self.draft, self.lang, self.scrubber)
                done = {p.item: p.results for p in self.plans if p.is_done}
                self.draft.write(board_files(done, self.plans[0], is_shared=self.settings.is_shared))
            except (KeyboardInterrupt, OutputError) as error:
                if not any(p.is_done for p in rest):
                    raise
                ended = error
            changed = watch.changed()
            is_news = any(p.is_done for p in rest) or (not rest and not changed)
            if changed or not is_news:
                return self._keep_failed(watch, changed)
            folder = self._publish(watch)
        return self._outcome(folder, kept, ended)

    def _ahead(
        self, exact: list[Run], earlier: Callable[[list[Run], Mapping[str, Any]], list[Run]], watch: Watch
    ) -> tuple[list[Plan], list[str]]:
        """Give items their keys; return those to run, and the names of those taken over."""
        if self.settings.is_shared:
            return self.plans, []
        files = watch.record()
        held = EarlierItems(earlier(exact, files))
        for one in self.plans:
            one.earlier, one.key = exact, item_key(one, self.settings, files)
        kept = [one.item for one in self.plans if held.take(one, self.draft)]
        return [one for one in self.plans if not one.is_done], kept

    def _publish(self, watch: Watch) -> Path:
        if not self.settings.is_shared:
            self.draft.write({"results.json": _json({p.item: p.results for p in self.plans if p.is_done})})
        self.draft.write({"run.json": _json(self._record(watch))})
        return self.draft.publish()

    def _outcome(self, folder: Path, kept: list[str], ended: BaseException | None) -> Outcome:
        errors: list[CxError] = [p.error for p in self.plans if p.error is not None]
        failed = None
        if files := self._failed_files():
            try:
                failed = self.draft.keep_failed(files)
            except OutputError as error:
                errors.append(error)
        if isinstance(ended, OutputError):
            errors.insert(0, ended)
        page = write_index(self.draft.out, self.lang)
        not_enough = [p.item for p in self.plans if p.status == "not_enough_data"]
        missing = [p.item for p in self.plans if p.status == "missing"]
        code = errors[0].exit_code if errors else EXIT_NOT_ENOUGH_DATA if not_enough else 0
        code = EXIT_INTERRUPTED if isinstance(ended, KeyboardInterrupt) else code
        published = sum(p.is_done for p in self.plans)
        counts = (len(self.plans), published, kept, missing, failed)
        return Outcome(code, folder, page, errors, not_enough, *counts)

    def _record(self, watch: Watch) -> dict[str, Any]:
        """Build the run's manifest."""
        states = {p.status for p in self.plans}
        status = "interrupted" if "missing" in states else "failed" if "failed" in states else "ok"
        record = {
            "run": self.draft.run,
            "status": "partial" if status == "failed" and any(p.is_done for p in self.plans) else status,
            "started_at": self.started.strftime("%Y-%m-%d %H:%M UTC"),
            "lang": self.plans[0].lang,
            "form": self.settings.form,
            "kernels": "warm" if self.settings.is_warm and sys.platform == "linux" else "plain",
            "results_format": RESULTS_FORMAT,
            **self.about,
            "reports": {one.item: report_record(one) for one in self.plans},
            "versions": manifest.versions(),
            "commit": manifest.commit(),
            **watch.record(),
        }
        if self.settings.is_shared:  # a hash of exact data would confirm a guess at them
            record |= {"data": {}, "is_shared": True}
        return record

    def _failed_files(self) -> dict[str, bytes]:
        files = {}
        for one in self.plans:
            if isinstance(one.error, ReportFailed):
                manifest.point_at_data(one.error.notebook, one.data, self.draft.failed)
                files[f"{one.item}.ipynb"] = notebook_bytes(one.error.notebook)
        return files

    def _keep_failed(self, watch: Watch, changed: list[str]) -> Outcome:
        """Nothing is published; the half-run notebooks go where failures are kept."""
        record = self._record(watch)
        errors = [one.error for one in self.plans if one.error is not None]
        if changed:
            errors.insert(0, InputError("runner.data_changed", files=", ".join(changed)[:400]))
            record |= {"status": "failed", "changed": changed}
        code = errors[0].exit_code
        try:
            folder = self.draft.keep_failed({"run.json": _json(record), **self._failed_files()})
        except OutputError as error:  # what went wrong first is said first
            return Outcome(code, None, None, [*errors, error], [], len(self.plans))
        return Outcome(code, folder, None, errors, [], len(self.plans))


def write_index(out: Path, lang: str) -> Path:
    """Rewrite the page that lists all runs."""
    page = out / "index.html"
    publish.replace(page, index.index_html(index.read_runs(out), lang).encode("utf-8", "replace"))
    return page


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
    running: list[Plan] = []
    try:
        with (
            Kernels(is_warm=settings.is_warm) as kernels,
            _engine_imported(),
            choose_progress(message_lang) as progress,
            ThreadPoolExecutor(jobs) as pool,
        ):
            maker = Maker(settings, draft, kernels, progress, scrubber)
            futures = [pool.submit(maker.make, one) for one in plans]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                running = [one for one in plans if one.error is None]
                kernels.stop()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    finally:
        for one in running:  # that its kernel was stopped is no failure of a report
            one.error = None


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


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()
