"""`reports/index.html`: all runs and their reports, newest first."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from typing import Any

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
    parts = [
        f'<!DOCTYPE html>\n<html lang="{lang}"><head><meta charset="utf-8">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        "img-src data:; form-action 'none'; base-uri 'none'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light">',
        f"<title>{say('index_title', lang)}</title><style>{_CSS.read_text(encoding='utf-8')}</style></head>",
        f"<body><main><h1>{say('index_title', lang)}</h1>",
    ]
    parts += [_run_html(run, lang) for run in runs] or [f"<p>{say('index_empty', lang)}</p>"]
    parts.append("</main></body></html>\n")
    return "\n".join(parts)


def _run_html(run: dict[str, Any], lang: str) -> str:
    name = escape(str(run["run"]), quote=True)
    data = escape(
        ", ".join(dict.fromkeys(str(report.get("data_set") or "–") for report in run["reports"].values()))
    )
    items = []
    for report, entry in run["reports"].items():
        safe = escape(str(report), quote=True)
        title = escape(str(entry.get("title") or report))
        note = say("status_not_enough_data", lang) if entry.get("status") == "not_enough_data" else ""
        badge = f' <strong class="cx-badge">{note}</strong>' if note else ""
        items.append(
            f'<li><a href="{name}/{safe}.html" lang="{escape(str(run.get("lang")))}">{title}</a>{badge}</li>'
        )
    return (
        f'<section><h2>{escape(str(run.get("started_at")))}</h2><p class="cx-note">{data}</p><ul>{"".join(items)}</ul>'
        f'<p class="cx-note"><a href="{name}/results.json">results.json</a> · <a href="{name}/run.json">run.json</a></p></section>'
    )
