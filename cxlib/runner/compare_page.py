"""The page on two runs, in one language; every number on it stands in the comparison."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from cxlib.language import (
    LANGUAGES,
    clean_text,
    column_word,
    format_date,
    format_interval,
    format_value,
    text,
    verdict_word,
)
from cxlib.report.badges import SHAPES, tone_of
from cxlib.report.units import METRICS, Metric
from cxlib.runner.causes import Cause
from cxlib.runner.compare import Comparison, Row, kpi_of
from cxlib.runner.inert import POLICY
from cxlib.runner.run_files import Run
from cxlib.runner.words import say

#: Rows shown of figures that can't be compared, and of those that can't be tested; all are in the JSON.
MOST = 12
_ROW = re.compile(r"(?P<table>[^\[]+)\[(?P<names>.*)\](?:~\d+)?")


class Page(NamedTuple):
    """All the page shows, as words; a class because the template reads it by name."""

    title: str
    about: str
    sample: str
    headline: str
    then: str
    now: str
    interval: str
    not_comparable: list[dict[str, str]]
    more_not_comparable: str
    causes: list[str]
    tested: list[dict[str, str]]
    tested_note: str
    untested: str
    stored: list[dict[str, str]]
    rest: str
    alone: list[str]


def compare_html(found: Comparison, lang: str) -> str:
    """Return the page of a comparison; any language, whatever the runs' was."""
    said = _Words(found, lang)
    return str(_template().render(page=said.page(), word=said.word, lang=lang, policy=POLICY))


def compare_pages(found: Comparison, lang: str) -> dict[str, bytes]:
    """Files of the page in the language of the new run and, beside it, in the others."""
    return {
        f"compare{'' if one == lang else f'_{one}'}.html": compare_html(found, one).encode()
        for one in LANGUAGES
    }


class _Words:
    """A comparison in one language; a class because every piece needs both."""

    def __init__(self, found: Comparison, lang: str) -> None:
        self.found, self.lang = found, lang
        self.currency = found.new.header.get("currency")

    def word(self, key: str, **values: object) -> str:
        """Say one of the page's own words."""
        return text(f"compare.{key}", self.lang, **values)

    def page(self) -> Page:
        """Put everything in words."""
        found, header = self.found, self.found.new.header
        days = [format_date(run.header["as_of"], self.lang) for run in (found.old, found.new)]
        runs = {"old_run": found.old.name, "new_run": found.new.name}
        sample = f"{say('sample_banner', self.lang)} {say('sample_explained', self.lang)}"
        then, now = days if days[0] != days[1] else (found.old.name, found.new.name)
        why_not, more = self._chosen(found.not_comparable)
        moved = [row for row in found.stored if "#" not in row.key and row.old != row.new]
        shown, _ = self._chosen(moved)
        level = format_value(header.get("conf_level"), "set_share", self.lang)
        return Page(
            title=self.word("title", data_set=clean_text(header["data_set"]), old=then, new=now),
            about=self.word("about", **runs),
            sample=sample if header.get("is_sample") else "",
            headline=self._headline(),
            then=then,
            now=now,
            interval=text("board.interval", self.lang, level=level),
            not_comparable=[self._not_comparable(row) for row in why_not],
            more_not_comparable=self.word("more", count=f"{more:,}") if more else "",
            causes=[self.cause(one) for one in found.causes] or [self.word("no_cause")],
            tested=[self._tested(row) for row in found.tested],
            tested_note=self.word("tested_note", level=level),
            untested="" if found.untested is None else self.cause(found.untested),
            stored=[self._stored(row) for row in shown],
            rest=self._rest(len(found.stored) - len(shown)),
            alone=[*self._alone(found.new, found.only_new), *self._alone(found.old, found.only_old)],
        )

    def _headline(self) -> str:
        found = self.found
        if not found.tested:
            return self.word("headline_untested")
        moved = [row for row in found.tested if row.moved in ("risen", "fallen")]
        if not moved:
            return self.word("headline_quiet")
        said = [f"{self.name(row.key)} {self.word(str(row.moved))}" for row in moved]
        return self.word("headline", moved=self.word("separator").join(said))

    def _rest(self, others: int) -> str:
        gone, come = (f"{len(keys):,}" for keys in (self.found.only_old, self.found.only_new))
        return self.word("rest", others=f"{others:,}", gone=gone, come=come)

    def _alone(self, run: Run, keys: Sequence[str]) -> list[str]:
        """Name what one run alone tells: key figures and sentences first, details in the JSON only."""
        key = "only_new" if run is self.found.new else "only_old"
        told = sorted(
            (one for one in keys if "#" not in one), key=lambda one: (kpi_of(run, one) is None, "[" in one)
        )
        names = dict.fromkeys(self.name(one, run) for one in told)
        return [self.word(key, name=name) for name in list(names)[:MOST]]

    def _chosen(self, rows: Sequence[Row]) -> tuple[list[Row], int]:
        """Key figures first, then other estimates, then their details; and how many are left out."""
        first = sorted(rows, key=lambda row: ("#" in row.key, kpi_of(self.found.new, row.key) is None))[:MOST]
        return first, len(rows) - len(first)

    def _not_comparable(self, row: Row) -> dict[str, str]:
        alike = "–"
        if row.change is not None:
            limits = self._limits(row)
            alike = f"{self._change(row.change, row.unit)} ({limits})"
        why = self.word("separator").join(self.cause(one) for one in row.reasons)
        return self._ends(row) | {"why": why, "alike": alike}

    def _tested(self, row: Row) -> dict[str, str]:
        moved = str(row.moved)
        restated = (
            "" if row.restated is None else self.word("restated", then=self._number(row.restated, row.unit))
        )
        shown = {
            "change": self._change(row.change, row.unit),
            "limits": self._limits(row),
            "restated": restated,
        }
        tone = _tone(row, kpi_of(self.found.new, row.key))
        return (
            self._ends(row)
            | shown
            | {"tone": tone, "moved": f"{SHAPES[tone]} {verdict_word(moved, self.lang)}".strip()}
        )

    def _stored(self, row: Row) -> dict[str, str]:
        return self._ends(row) | {"difference": self._change(row.difference, row.unit)}

    def _ends(self, row: Row) -> dict[str, str]:
        old, new = (self._number(value, row.unit) for value in (row.old, row.new))
        return {"name": self.name(row.key), "old": old, "new": new}

    def _number(self, value: float | None, unit: str) -> str:
        return format_value(value, unit, self.lang, currency=self.currency, worded=unit == "pp")

    def _change(self, value: float | None, unit: str) -> str:
        """Write a difference with its sign; of shares in percentage points."""
        if unit == "share":
            return format_value(value, "pp", self.lang)
        shown = self._number(value, unit)
        if not re.search("[1-9]", shown):  # nothing but zeros: a sign would say something false
            return shown.lstrip("+-")
        return f"+{shown}" if value is not None and value > 0 and shown[:1] != "+" else shown

    def _limits(self, row: Row) -> str:
        unit = "pp" if row.unit == "share" else row.unit
        return format_interval(row.conf_low, row.conf_high, unit, self.lang, currency=self.currency)

    def cause(self, cause: Cause) -> str:
        """Say what differs, or why something can't be told."""
        key, values = cause
        if key == "as_of":
            values = {name: format_date(day, self.lang) for name, day in values.items()}
        return self.word(f"cause.{key}", **values)

    def name(self, key: str, run: Run | None = None) -> str:
        """Name a figure in words: the sentence of a finding, or what the row of a table is about."""
        report, _, rest = key.partition("/")
        rest, _, number = rest.partition("#")
        held: Mapping[str, Any] = (run or self.found.new).results[report]
        ending = f" · {column_word(number, self.lang)}" if number else ""
        ending += self._whom(report, run or self.found.new)
        finding = held["findings"].get(rest)
        if finding is not None:
            return clean_text(finding.get("texts", {}).get(self.lang, rest), limit=120) + ending
        match = _ROW.fullmatch(rest)
        table = held["tables"].get(match["table"] if match else rest, {})
        names = match["names"].split(", ") if match else [rest]
        words = [self._name_of(one, table.get("words", {})) for one in names]
        return clean_text(" · ".join(words), limit=120) + ending

    def _whom(self, item: str, run: Run) -> str:
        """Say which of several reports of a chapter a figure is from."""
        if run.report_of(item) == item:
            return ""
        entry = run.manifest["reports"][item]
        titles = entry.get("titles")
        own = titles.get(self.lang) if isinstance(titles, dict) else None
        return f" · {clean_text(own or entry.get('title') or item, limit=80)}"

    def _name_of(self, name: str, words: Mapping[str, Any]) -> str:
        column, _, code = name.partition("=")
        said = words.get(column, {}).get(code, {}).get(self.lang)
        heading = "" if column == "metric" else self.word("named", column=column_word(column, self.lang))
        return f"{heading}{said or code}" if code else column


def _tone(row: Row, kpi: str | None) -> str:
    """Tone of a change: good or bad where more of the figure is either."""
    good = METRICS.get(str(kpi), Metric("number")).good
    sides = {"risen": good, "fallen": -good}
    return (
        {1: "good", -1: "bad", 0: "info"}[sides[str(row.moved)]] if row.moved in sides else tone_of(row.moved)
    )


@cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader

    folder = Path(__file__).parent / "template"
    return Environment(loader=FileSystemLoader(folder), autoescape=True, trim_blocks=True).get_template(
        "compare.html.j2"
    )
