"""`reports/index.html`: all runs, newest first, with a row for every report of each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cxlib.language import LANGUAGES, clean_text, format_date, has_text, text, verdict_word
from cxlib.report.markup import badge_html
from cxlib.runner.inert import POLICY
from cxlib.runner.words import say

_LARGEST = 10_000_000  # bytes; a manifest has some thousands
_LONGEST = 300  # characters of a text taken from a manifest
#: The page for who decides, of runs with a scorecard.
PAGE = "summary.html"
_OF_REPORT = ("title", "data_set", "status", "as_of", "made_in", "error")
#: Parameters that move from month to month; a report with others like that of an earlier run is the same one.
_MOVING = ("as_of", "data", "lang")
_HEADS = ("report", "scope", "as_of", "verdict", "status", "changed")
_DONE = ("ok", "not_enough_data")
_LANGUAGE = {"en": "English", "ja": "日本語"}
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
    cycle = run.get("cycle")
    named = {"cycle": cycle.get("name") if isinstance(cycle, dict) else ""}
    own = _texts({**run, **named}, ("run", "started_at", "lang", "cycle"))
    own["lang"] = own["lang"] if own["lang"] in LANGUAGES else ""
    entries = {name: _entry(name, entry, own["lang"]) for name, entry in reports.items() if _is_entry(entry)}
    own |= {"is_shared": run.get("is_shared") is True, "has_page": (manifest.parent / PAGE).is_file()}
    return {**own, "reports": entries} if entries else None


def _is_entry(entry: object) -> bool:
    return isinstance(entry, dict)


def _entry(name: str, entry: dict[str, Any], lang: str) -> dict[str, Any]:
    """Return what a row of the index says of one report, every piece of its own kind."""
    found = _texts(entry, _OF_REPORT)
    pages = entry.get("pages")
    pages = pages if isinstance(pages, dict) else {lang or "en": f"{name}.html"}
    kept = {one: file for one, file in pages.items() if one in LANGUAGES and _is_page(file)}
    scope, verdict = entry.get("scope"), entry.get("verdict")
    parameters, titles = entry.get("parameters"), entry.get("titles")
    same = parameters if isinstance(parameters, dict) else {}
    return {
        **found,
        "titles": _texts(titles if isinstance(titles, dict) else {}, LANGUAGES),
        "pages": kept if found["status"] not in ("failed", "missing") else {},
        "scope": {one: _lines(scope.get(one)) for one in LANGUAGES} if isinstance(scope, dict) else {},
        "verdict": _verdict(verdict) if isinstance(verdict, dict) else {},
        "asked": {key: value for key, value in same.items() if key not in _MOVING},
    }


def _is_page(file: object) -> bool:
    is_text = isinstance(file, str) and 0 < len(file) <= 255
    return (
        is_text
        and str(file).endswith(".html")
        and not {"/", "\\", "\0"} & set(str(file))
        and str(file)[0] != "."
    )


def _lines(found: object) -> str:
    return (
        " · ".join(one for one in found if isinstance(one, str))[:_LONGEST] if isinstance(found, list) else ""
    )


def _verdict(found: dict[str, Any]) -> dict[str, str]:
    texts = found.get("texts")
    said = _texts(texts if isinstance(texts, dict) else {}, LANGUAGES)
    return {**said, **_texts(found, ("finding", "verdict"))}


def _texts(entry: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the named entries that are texts, cut to a line; others are empty."""
    found = {name: entry.get(name) for name in names}
    return {name: text[:_LONGEST] if isinstance(text, str) else "" for name, text in found.items()}


def index_html(runs: list[dict[str, Any]], lang: str) -> str:
    """Return the index page."""
    title, css = say("index_title", lang), _CSS.read_text(encoding="utf-8")
    parts = [_run_html(run, runs[place + 1 :], lang) for place, run in enumerate(runs)]
    body = "\n".join(parts) or f"<p>{say('index_empty', lang)}</p>"
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


def _run_html(run: dict[str, Any], older: list[dict[str, Any]], lang: str) -> str:
    name, day = (escape(str(run.get(key) or "–"), quote=True) for key in ("run", "started_at"))
    reports = run["reports"].items()
    data = escape(", ".join(dict.fromkeys(str(entry.get("data_set") or "–") for _, entry in reports)))
    link = f'<p><a href="{name}/{PAGE}"><strong>{say("one_page", lang)}</strong></a></p>\n'
    page = link if run.get("has_page") else ""
    heads = "".join(f'<th scope="col">{escape(say(f"index_{head}", lang))}</th>' for head in _HEADS)
    rows = "\n".join(_row_html(run, item, entry, _last(item, entry, older), lang) for item, entry in reports)
    held = ("run.json",) if run.get("is_shared") else ("results.json", "run.json")
    files = " · ".join(f'<a href="{name}/{file}">{file}</a>' for file in held)
    mark = f" {badge_html(say('badge_shared', lang))}" if run.get("is_shared") else ""
    cycle = f"{escape(clean_text(run['cycle']))} · " if run.get("cycle") else ""
    return (
        f'<section>\n<h2>{day}{mark}</h2>\n<p class="cx-note">{cycle}{data} · {name}</p>\n'
        f'{page}<table class="items"><thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>\n'
        f'<p class="cx-note">{files}</p>\n</section>'
    )


def _last(item: str, entry: dict[str, Any], older: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the same report of the same data set in the newest older run in which it came out."""
    for run in older:
        found = run["reports"].get(item)
        if found and found.get("data_set") == entry.get("data_set") and found.get("status") in _DONE:
            return dict(found)
    return None


def _row_html(
    run: dict[str, Any], item: str, entry: dict[str, Any], last: dict[str, Any] | None, lang: str
) -> str:
    cells = {
        "report": _links_html(run, item, entry, lang),
        "scope": escape(clean_text(entry.get("scope", {}).get(lang) or text("board.everybody", lang))),
        "as_of": escape(_day(entry.get("as_of"), lang)),
        "verdict": _verdict_html(entry.get("verdict", {}), lang),
        "status": _status_html(entry, lang),
        "changed": _changed(entry, last, lang),
    }
    return "<tr>" + "".join(f'<td class="{name}">{cell}</td>' for name, cell in cells.items()) + "</tr>"


def _links_html(run: dict[str, Any], item: str, entry: dict[str, Any], lang: str) -> str:
    name, known = escape(str(run["run"]), quote=True), run.get("lang") or lang
    pages = entry.get("pages", {known: f"{item}.html"})
    own = (entry.get("titles") or {}).get(lang if lang in pages else known)
    title = escape(clean_text(own or entry.get("title") or item))
    links = [(name, each, quote(file), _LANGUAGE[each]) for each, file in pages.items()]
    links.sort(key=lambda link: link[1] != lang)  # the page's own language first, then as they were made
    if not links:
        return title
    first, *others = links
    words = [f'<a href="{first[0]}/{first[2]}" lang="{first[1]}">{title}</a>']
    words += [f'<a href="{folder}/{file}" lang="{each}">{word}</a>' for folder, each, file, word in others]
    return " · ".join(words)


def _day(found: object, lang: str) -> str:
    try:
        return format_date(str(found), lang) if found else ""
    except ValueError:
        return ""


def _verdict_html(verdict: Mapping[str, str], lang: str) -> str:
    code = verdict.get("verdict", "")
    if not code or not has_text(f"verdict.{code}"):
        return ""
    sentence = escape(clean_text(verdict.get(lang) or verdict.get("en") or ""))
    return f"{badge_html(verdict_word(code, lang), verdict=code)} {sentence}"


def _status_html(entry: dict[str, Any], lang: str) -> str:
    status = entry.get("status")
    if status in ("not_enough_data", "failed", "missing"):
        tone = "fail" if status == "failed" else "not_enough_data"
        why = f" {escape(clean_text(entry.get('error') or ''))}" if status == "failed" else ""
        return badge_html(say(f"status_{status}", lang), verdict=tone) + why
    return escape(say("status_ok", lang))


def _changed(entry: dict[str, Any], last: dict[str, Any] | None, lang: str) -> str:
    """Say whether a report's key finding is another than the last time."""
    if entry.get("status") not in _DONE:
        return ""
    if entry.get("made_in"):
        return escape(say("index_same", lang, run=entry["made_in"]))
    if last is None:
        return escape(say("index_new", lang))
    if entry.get("asked") != last.get("asked"):
        return escape(say("index_other_parameters", lang))
    before, now = (one.get("verdict", {}) for one in (last, entry))
    if not before.get("verdict") and not now.get("verdict"):
        return ""
    if before.get("finding") == now.get("finding") and before.get("verdict") == now.get("verdict"):
        return escape(say("index_as_before", lang))
    code = before.get("verdict", "")
    word = verdict_word(code, lang) if code and has_text(f"verdict.{code}") else "–"
    return escape(say("index_was", lang, verdict=word))
