"""`cx cycle`: what a team makes every month, in one command that goes on where it stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cxlib.checks import InputError, ParameterError
from cxlib.data.rules.decisions import FILE as DECISIONS
from cxlib.runner.batch import run_plans
from cxlib.runner.cycle_after import AfterRun, runs_of
from cxlib.runner.cycle_file import Cycle, read_cycle
from cxlib.runner.earlier_items import DONE, Run
from cxlib.runner.item_key import digest, files_digest, made_by
from cxlib.runner.plan import RunSettings, check_in_data, data_of, relative
from cxlib.runner.private_file import write_private
from cxlib.runner.tell import tell, tell_dry, termination_like_interruption
from cxlib.runner.watch import Watch, rule_files
from cxlib.runner.words import say


def run_cycle(file: Path, settings: RunSettings, lang: str, *, is_dry: bool, is_sure: bool) -> int:
    """Make what a cycle's file asks for, and return the exit code.

    Parameters
    ----------
    file
        The cycle's file.
    settings
        Where to publish, jobs, time-out and kernels.
    lang
        Language of the messages.
    is_dry
        Check and tell only.
    is_sure
        Whether more items than the file's limit are meant.

    Raises
    ------
    InputError, ParameterError
        The file, the data or a value does not fit; nothing was started.
    """
    cycle = read_cycle(file)
    settings = replace(settings, lang=cycle.languages[0], is_shared=cycle.shared)
    base = file.resolve().parent
    signature = _signature(file, cycle, settings, base)
    runs = list(runs_of(settings.out, cycle.name))
    before = runs[0] if runs else None
    if not is_dry and before is not None and _is_whole(before, signature):
        print(say("cycle_unchanged", lang, run=before[0].name, items=len(before[1]["reports"])))  # noqa: T201
        return AfterRun(cycle, before[0], settings, base, lang).finish(before[1]["cycle"].get("before"), 0)
    from cxlib.runner.cycle_items import Items

    items = Items(cycle, settings, base)
    if len(items.plans) > cycle.limit and not is_sure:
        raise ParameterError("runner.cycle_many", items=len(items.plans), limit=cycle.limit)
    check_in_data(items.pairs())
    for name, number in items.left_out.items():
        print(say("cycle_left_out", lang, name=name, number=number))  # noqa: T201
    if is_dry:
        accepts = "not_enough_data" in cycle.accept
        return tell_dry(items.plans, lang, accepts_gaps=accepts, with_values=False)
    as_of = str(items.last_day)
    if before is not None and as_of < str(before[1]["cycle"].get("as_of") or ""):
        earlier = {"before": before[1]["cycle"]["as_of"], "run": before[0].name}
        print(say("cycle_taken_back", lang, day=as_of, **earlier))  # noqa: T201
    about: dict[str, Any] = {"name": cycle.name, "as_of": as_of, "before": _to_compare(runs, as_of)}
    about |= {} if cycle.shared else {"signature": signature, "left_out": items.left_out}
    with termination_like_interruption():
        outcome = run_plans(
            items.plans, settings, message_lang=lang, about={"cycle": about}, earlier=_every_run
        )
    code = tell(outcome, lang, accepts_gaps="not_enough_data" in cycle.accept, again="cx cycle")
    if outcome.index is None or outcome.folder is None:
        return code
    if cycle.shared:
        write_private(_of_shared(settings.out, outcome.folder.name), signature.encode(), force=True)
    return AfterRun(cycle, outcome.folder, settings, base, lang).finish(about["before"], code)


def _every_run(runs: list[Run], files: Mapping[str, Any]) -> list[Run]:
    """Take unchanged items from any run: equal keys are equal reports."""
    return runs


def _signature(file: Path, cycle: Cycle, settings: RunSettings, base: Path) -> str:
    """Digest of all that decides what a cycle makes; read without any library of the analysis."""
    data = data_of(relative(base / cycle.data, settings.notebooks), settings.notebooks)
    files = Watch({data: "data"}, {"rules": rule_files()}).record()
    decisions = [entry["sha256"] for entry in files["data"]["data"] if entry["file"] == DECISIONS]
    chapters = [(path.name, _sha256(path)) for path in sorted(settings.notebooks.glob("*.ipynb"))]
    how = [settings.form, settings.with_code]
    return digest([_sha256(file), files_digest(files), decisions, chapters, made_by(), how])


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError("runner.unreadable_data", file=path.name[:80], reason=error.strerror) from None


def _to_compare(runs: list[Run], as_of: str) -> str | None:
    """Name the run to compare with: the newest of another day, not what the same day left unfinished."""
    others = [folder for folder, run in runs if run["cycle"].get("as_of") != as_of]
    return next((folder.name for folder in [*others, *(folder for folder, _ in runs)]), None)


def _of_shared(out: Path, run: str) -> Path:
    """Where the signature of a run for sharing is kept: in it, it would confirm a guess at the data."""
    return out / f".{run}.signature"


def _signature_of(before: Run) -> object:
    folder, run = before
    if run.get("is_shared") is not True:
        return run["cycle"].get("signature")
    try:
        return _of_shared(folder.parent, folder.name).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None


def _is_whole(before: Run, signature: str) -> bool:
    """Whether a run made all of this, and all of it is still there."""
    folder, run = before
    entries = [entry for entry in run["reports"].values() if isinstance(entry, dict)]
    if _signature_of(before) != signature or any(entry.get("status") not in DONE for entry in entries):
        return False
    pages = [page for entry in entries for page in (entry.get("pages") or {}).values()]
    exact = [] if run.get("is_shared") is True else ["results.json"]
    return all((folder / str(page)).is_file() for page in [*pages, *exact])
