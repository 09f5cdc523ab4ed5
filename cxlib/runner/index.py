"""`reports/index.html`: all runs and their reports, newest first."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

from cxlib.runner.inert import POLICY
from cxlib.runner.words import say

_CSS = Path(__file__).parent.joinpath("template", "page.css")


def read_runs(out: Path) -> list[dict[str, Any]]:
    """Manifests of all published runs, newest first; folders without a readable one are passed over."""
    runs = []
    for manifest in sorted(out.glob("*/run.json"), reverse=True):
        try:
            run = json.loads(manifest.read_text(encoding="utf-8"))
            if run["run"] == manifest.parent.name and isinstance(run["reports"], dict):
                runs.append(run)
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return sorted(runs, key=lambda run: str(run.get("started_at")), reverse=True)


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
    name, day = (escape(str(run[key]), quote=True) for key in ("run", "started_at"))
    reports = run["reports"].items()
    data = escape(", ".join(dict.fromkeys(str(entry.get("data_set") or "–") for _, entry in reports)))
    items = "\n".join(_report_html(name, report, entry, run, lang) for report, entry in reports)
    files = " · ".join(f'<a href="{name}/{file}">{file}</a>' for file in ("results.json", "run.json"))
    return (
        f'<section>\n<h2>{day}</h2>\n<p class="cx-note">{data} · {name}</p>\n<ul>\n{items}\n</ul>\n'
        f'<p class="cx-note">{files}</p>\n</section>'
    )


def _report_html(name: str, report: str, entry: dict[str, Any], run: dict[str, Any], lang: str) -> str:
    file, title = escape(str(report), quote=True), escape(str(entry.get("title") or report))
    badge = ""
    if entry.get("status") == "not_enough_data":
        badge = f' <strong class="cx-badge">{say("status_not_enough_data", lang)}</strong>'
    report_lang = escape(str(run.get("lang") or lang), quote=True)
    return f'<li><a href="{name}/{file}.html" lang="{report_lang}">{title}</a>{badge}</li>'
