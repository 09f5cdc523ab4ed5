"""`reports/index.html`: all runs and their reports, newest first."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

from cxlib.report.markup import badge_html
from cxlib.runner.inert import POLICY
from cxlib.runner.words import say

_LARGEST = 10_000_000  # bytes; a manifest has some thousands
_OF_REPORT = ("title", "data_set", "status", "as_of")
_CSS = Path(__file__).parent.joinpath("template", "page.css")


def read_runs(out: Path) -> list[dict[str, Any]]:
    """Manifests of all published runs, newest first; folders without a readable one are passed over.

    Whatever a manifest holds that its own writer would not have written is left out, so that one damaged or
    strange file never keeps the others from being listed.
    """
    runs = [run for manifest in out.glob("*/run.json") if (run := _read_run(manifest)) is not None]
    return sorted(runs, key=lambda run: (run["started_at"], run["run"]), reverse=True)


def load(manifest: Path) -> dict[str, Any] | None:
    """Return a manifest as it stands; None where it cannot be read or is not that of its folder."""
    try:
        if not manifest.is_file() or manifest.stat().st_size > _LARGEST:
            return None
        run = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, MemoryError):
        return None
    return run if isinstance(run, dict) and run.get("run") == manifest.parent.name else None


def _read_run(manifest: Path) -> dict[str, Any] | None:
    """Return what the index needs of one manifest, every piece of its own kind; None where it is none."""
    run = load(manifest)
    reports = run.get("reports") if run is not None else None
    if run is None or not isinstance(reports, dict) or not reports:
        return None
    entries = {name: _texts(entry, _OF_REPORT) for name, entry in reports.items() if isinstance(entry, dict)}
    own = _texts(run, ("run", "started_at", "lang"))
    own["lang"] = own["lang"] if own["lang"] in ("en", "ja") else ""
    return {**own, "is_shared": run.get("is_shared") is True, "reports": entries} if entries else None


def _texts(entry: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the named entries that are texts, cut to a line; others are empty."""
    found = {name: entry.get(name) for name in names}
    return {name: text[:300] if isinstance(text, str) else "" for name, text in found.items()}


def index_html(runs: list[dict[str, Any]], lang: str) -> str:
    """Return the index page."""
    title, css = say("index_title", lang), _CSS.read_text(encoding="utf-8")
    body = "\n".join(_run_html(run, lang) for run in runs) or f"<p>{say('index_empty', lang)}</p>"
    return f"""<!DOCTYPE html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{css}
</style>
</head>
<body>
<main class="index">
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""


def _run_html(run: dict[str, Any], lang: str) -> str:
    name, day = (escape(str(run.get(key) or "–"), quote=True) for key in ("run", "started_at"))
    reports = run["reports"].items()
    data = escape(", ".join(dict.fromkeys(str(entry.get("data_set") or "–") for _, entry in reports)))
    items = "\n".join(_report_html(name, report, entry, run, lang) for report, entry in reports)
    held = ("run.json",) if run.get("is_shared") else ("results.json", "run.json")
    files = " · ".join(f'<a href="{name}/{file}">{file}</a>' for file in held)
    mark = f" {badge_html(say('badge_shared', lang))}" if run.get("is_shared") else ""
    return (
        f'<section>\n<h2>{day}{mark}</h2>\n<p class="cx-note">{data} · {name}</p>\n<ul>\n{items}\n</ul>\n'
        f'<p class="cx-note">{files}</p>\n</section>'
    )


def _report_html(name: str, report: str, entry: dict[str, Any], run: dict[str, Any], lang: str) -> str:
    file, title = escape(str(report), quote=True), escape(str(entry.get("title") or report))
    badge = ""
    if entry.get("status") == "not_enough_data":
        badge = f" {badge_html(say('status_not_enough_data', lang), verdict='not_enough_data')}"
    report_lang = escape(str(run.get("lang") or lang), quote=True)
    return f'<li><a href="{name}/{file}.html" lang="{report_lang}">{title}</a>{badge}</li>'
