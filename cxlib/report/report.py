"""From result frames to what people read; each piece also carries its full-precision record as metadata.

A piece is one IPython output. Its metadata `cx` holds what was shown as data, so that the run's
machine-readable results and the page people read cannot differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pandas as pd
from IPython.display import display as _send
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cxlib import language
from cxlib.checks import ParameterError, check_min_cell, fail_option
from cxlib.language import LANGUAGES, clean_text, format_date, format_value, has_text, join_list, text
from cxlib.report import header, markup
from cxlib.report.company import Chosen, Company, Day
from cxlib.report.disclosure import FLAG, hide_names, is_small, suppress_small
from cxlib.report.header import STUDIES, TABLES_OF, asked_texts, period_line, problem_text, segment_words
from cxlib.report.layout import (
    Labels,
    Layout,
    Style,
    Units,
    column_units,
    coverage_and_close,
    lay_out,
    safe_text,
    text_limit,
    to_record,
)
from cxlib.report.plots.theme import FONTS, register_fonts, set_theme, to_picture
from cxlib.report.prose import told_value
from cxlib.report.rows import FromRows, Words
from cxlib.report.values import Value, Word, unit_of

Level = Literal["info", "warning", "not_enough_data"]
LEVELS = ("info", "warning", "not_enough_data")

#: Columns that point at one customer; a report shows groups only.
RESTRICTED = {"customer_id", "order_id", "response_id", "event_id", "ticket_id", "deal_id", "comment"}


class Report(FromRows):
    """What one notebook shows: header, notices, tables, figures and findings, in one language.

    A class because language, currency, interval level and the smallest cell belong to every piece; it keeps
    no results. A notebook says `show`, `say` and `draw` (`rows.FromRows`); they end in the pieces below.

    Parameters
    ----------
    name
        The report's name, such as `segmentation`; its title is the text `report.<name>`.
    data_set
        The opened data set: `name`, `currency`, `timezone`, `as_of`, `is_sample`, `tables`, `table()`,
        `notices`.
    lang
        Language of everything shown.
    conf_level
        Level named over interval columns.
    min_cell
        Smallest number of customers a shown row may stand for.
    period_start, period_end
        Bounds of the period as the reader chose them; missing means all the data hold.
    tables
        Tables the report reads; by its name (`TABLES_OF`), or all that are there.
    subject, about
        What this run is about, for the title; further lines of the header: what is measured, at which level.
    scope
        A `Scope` (`data_set.scope`), instead of level, smallest cell and period.
    **asked
        The chapter's own parameters; the header says those that differ from their defaults, as the scope's.

    Notes
    -----
    Sets fonts and style of the charts (see `plots.theme.set_theme`), shows the header, then a notice for each
    of the data set's own.
    """

    def __init__(
        self,
        name: str,
        data_set: Company,
        *,
        lang: str = "en",
        conf_level: float = 0.95,
        min_cell: int = 10,
        period_start: Day = None,
        period_end: Day = None,
        tables: Sequence[str] | None = None,
        subject: str | None = None,
        about: Sequence[str] = (),
        scope: Chosen | None = None,
        **asked: object,
    ) -> None:
        if scope is not None:
            conf_level, min_cell = scope.conf_level, scope.min_cell
            period_start, period_end = scope.period_start, scope.period_end
        self.name, self.data_set, self.lang = name, data_set, lang
        self.min_cell, self.words, self.said = check_min_cell(min_cell), Words(segment_words(scope)), set()
        self.tables_read = tuple(tables or TABLES_OF.get(name, ()))
        self.style = Style(lang, data_set.currency, conf_level, min_cell)
        set_theme(lang)
        asked |= {"conf_level": conf_level, "min_cell": min_cell}
        self.subject, self.about = subject, [safe_text(line, lang) for line in about]
        self.asked_texts = asked_texts(scope, asked, is_study=name in STUDIES, currency=data_set.currency)
        self.asked = self.asked_texts[lang]
        self._show_header(period_start, period_end, tables or TABLES_OF.get(name))
        if len(register_fonts()) < len(FONTS):
            self.notice("display.no_font", level="warning")
        self._tell_noticed()

    def notice(
        self,
        key: str,
        *,
        level: Level = "info",
        only_here: bool = False,
        subject: str = "",
        wording: str | None = None,
        **values: object,
    ) -> None:
        """Show a sentence on data or method; those before the answer go to the *Data quality* box.

        `values` are plain or `in_unit(…)` numbers and texts for the sentence's placeholders. `only_here`
        keeps out of the box what matters in its own section only, such as why a chart is missing. `subject`
        and `wording` as in `finding`.
        """
        if level not in LEVELS:
            fail_option("level", level, LEVELS)
        texts = {lang: text(wording or key, lang, **self._formatted(values, {}, lang)) for lang in LANGUAGES}
        self._show_notice(".".join(filter(None, (key, subject))), level, texts, only_here=only_here)

    def suppress(
        self,
        frame: pd.DataFrame,
        n_col: str = "n",
        within: str | Sequence[str] | None = None,
        keep: Sequence[str] = (),
        apart: str | None = None,
    ) -> pd.DataFrame:
        """Blank rows that stand for too few customers (`suppress_small`), for tables and charts alike.

        The names of blanked groups are hidden too where they are attributes of customers (`hide_names`).
        `apart` names a column whose values are tables of their own, one below the other.
        """
        if apart is not None and len(frame):
            parts = [self.suppress(part, n_col, within, keep) for _, part in frame.groupby(apart, sort=False)]
            return pd.concat(parts)
        n_col = _count_column(frame, n_col)
        shown = suppress_small(frame, min_cell=self.min_cell, n_col=n_col, within=within, keep=keep)
        attributes = getattr(self.data_set, "attributes", ())
        return hide_names(shown, attributes, word=text("display.small_group", self.lang))

    def table(
        self,
        key: str,
        frame: pd.DataFrame,
        *,
        units: Units | None = None,
        labels: Labels | None = None,
        n_col: str | None = "n",
        people: pd.DataFrame | None = None,
        metric: str | None = None,
        words: Mapping[str, Any] | None = None,
    ) -> None:
        """Show a result frame as a table and record it.

        Parameters
        ----------
        key
            Name of the table in the run's results.
        frame
            A result frame; small rows are blanked here if `suppress` has not done it.
        units
            Unit by column, or by column and `metric` of the row: `{"estimate": {"nps": "points"}}`.
            Interval and standard error take the unit of the estimate.
        labels
            Heading by column, or words by column and value. Headings come from `column.<name>` otherwise.
        n_col
            Column with customers; `customers` goes before `n` where a frame has both. None for a frame whose
            rows do not stand for customers.
        people, metric
            Who carries the money and what every row measures, as `coarse_numbers.coarse_frame`; only reports
            for sharing use them.
        words
            Words of codes in every language, by column and code, recorded for pages in another one.

        Raises
        ------
        ParameterError
            The frame has a column that points at single customers.
        """
        for column in frame.columns:
            if column in RESTRICTED:
                raise ParameterError("display.restricted_column", table=key, column=column)
        if n_col is not None and FLAG not in frame.columns and _count_column(frame, n_col) in frame.columns:
            frame = self.suppress(frame, n_col=n_col)
        hidden = frame[FLAG].tolist() if FLAG in frame.columns else [False] * len(frame)
        frame = frame.drop(columns=FLAG, errors="ignore").reset_index(drop=True)
        all_units = column_units(frame, units or {})
        heads, rows = lay_out(Layout(frame, all_units, labels or {}, hidden, self.style))
        is_new = any(hidden) and self.is_new("display.suppressed_note")
        notes = [text("display.suppressed_note", self.lang, min_cell=self.min_cell)] if is_new else []
        records = frame.to_dict("records")
        record = {
            "columns": [str(name) for name in frame.columns],
            "units": all_units,
            "rows": [
                {str(name): self._recorded(raw, text_limit(str(name))) for name, raw in row.items()}
                for row in records
            ],
            "suppressed": [index for index, flag in enumerate(hidden) if flag],
        } | ({"words": dict(words)} if words else {})
        html = markup.table_html(heads, rows, key=key, notes=notes)
        self._show("table", key, html, markup.table_plain(heads, rows), record)

    def figure(
        self,
        key: str,
        drawn: Axes | Figure,
        *,
        tables: Sequence[str] = (),
        n: int | None = None,
        counted: str | None = None,
        as_picture: bool = False,
        **values: object,
    ) -> None:
        """Show a chart with the description, caption and source a reader needs, and close it.

        The texts are `figure.<key>` (caption) and `figure.<key>.alt` (what it shows, for who cannot see it).

        Parameters
        ----------
        key
            Name of the figure in the run's results.
        drawn
            The axes or the figure.
        tables
            Tables the numbers come from, for the source line.
        n, counted
            How many are behind the chart, for the source line, and of what: "customers" or "answers".
        as_picture
            Use PNG rather than SVG: for many thousand dots, or labels that customers wrote.
        **values
            Placeholders of caption and description.
        """
        figure = drawn if isinstance(drawn, Figure) else drawn.get_figure(root=True)
        assert isinstance(figure, Figure)
        words = self._formatted(values, {})
        caption, alt = (text(f"figure.{key}{tail}", self.lang, **words) for tail in ("", ".alt"))
        source = self._source(tables, n, counted)
        picture, mime = to_picture(figure, as_png=as_picture)
        pyplot.close(figure)
        record = {"alt": alt, "caption": caption, "source": source}
        html = markup.figure_html(picture, mime, key=key, **record)
        self._show("figure", key, html, f"[{alt}] {caption} {source}", record)

    def finding(
        self,
        key: str,
        *,
        verdict: str | None = None,
        subject: str | None = None,
        wording: str | None = None,
        units: Mapping[str, str] | None = None,
        **numbers: object,
    ) -> None:
        """Show one sentence built from results, with a verdict if there is one, and record its numbers.

        Parameters
        ----------
        key, subject
            Catalogue key of the sentence; its record is `key.subject` where several rows are told alike.
        verdict
            One of `verdict.…`, shown as a word before the sentence.
        wording
            Entry that words the sentence, where it is not `key`, or `key` in the words of its verdict.
        units
            Unit by placeholder, where the number does not bring its own by `in_unit`.
        **numbers
            Numbers, dates, texts or lists for the placeholders. An `n` (or another number of people) below
            `min_cell` hides the finding.
        """
        raw = {name: item.value if isinstance(item, Value) else item for name, item in numbers.items()}
        if is_small(raw, min_cell=self.min_cell):
            if self.is_new("display.finding_hidden"):
                self.notice("display.finding_hidden", level="not_enough_data", min_cell=self.min_cell)
            return
        all_units = {name: unit_of(item, (units or {}).get(name)) for name, item in numbers.items()}
        entry = wording or language.key_for(key, verdict)
        texts = {lang: text(entry, lang, **self._formatted(numbers, units or {}, lang)) for lang in LANGUAGES}
        sentence = texts[self.lang]
        badge = None if verdict is None else language.verdict_word(verdict, self.lang)
        record = {
            "text": sentence,
            "texts": texts,
            "values": {name: self._recorded(item) for name, item in raw.items()},
            "units": all_units,
            "verdict": verdict,
        }
        html = markup.sentence_html(sentence, kind="finding", badge=badge, verdict=verdict)
        plain = sentence if badge is None else f"{badge}: {sentence}"
        self._show("finding", ".".join([key, *([subject] if subject else [])]), html, plain, record)

    def _show(self, kind: str, key: str, html: str, plain: str, record: Mapping[str, object]) -> None:
        metadata = {"cx": {"kind": kind, "key": key, **record}}
        _send({"text/html": html, "text/plain": plain}, raw=True, metadata=metadata)

        if kind not in ("header", "notice"):
            self._tell_noticed("tables.fetched")  # from an engine, since the header

    def _tell_noticed(self, beginning: str = "") -> None:
        for problem in getattr(self.data_set, "notices", ()):
            key, words = str(getattr(problem, "key", "data_set")), problem_text(problem, "en")
            if key.startswith(beginning) and words not in self.said:
                self.said.add(words)
                self._show_notice(key, "warning", {each: problem_text(problem, each) for each in LANGUAGES})

    def _show_notice(
        self, key: str, level: str, texts: Mapping[str, str], *, only_here: bool = False
    ) -> None:
        word, sentence = text(f"level.{level}", self.lang), texts[self.lang]
        html = markup.sentence_html(sentence, kind="notice", badge=word, verdict=level)
        record: dict[str, Any] = {"level": level, "text": sentence, "texts": dict(texts)}
        record |= {"only_here": True} if only_here else {}
        self._show("notice", key, html, f"{word}: {sentence}", record)

    def _show_header(self, period_start: Day, period_end: Day, tables: Sequence[str] | None) -> None:
        data_set, lang = self.data_set, self.lang
        title_key = f"report.{self.name}"
        title = text(title_key, lang) if has_text(title_key) else clean_text(self.name)
        if self.subject is not None:
            title = text("display.title_of", lang, title=title, subject=safe_text(self.subject, lang))
        period = (period_start, period_end)
        held, close = coverage_and_close(data_set, tables=tables, min_cell=self.min_cell, period=period)
        named = {"data_set": clean_text(data_set.name), "as_of": format_date(data_set.as_of, lang)}
        named |= {"currency": data_set.currency, "timezone": data_set.timezone}
        banner = text("display.header_sample", lang) if data_set.is_sample else None
        when = period_line(*period, as_of=data_set.as_of, lang=lang)
        lines = [text("display.header_subject", lang, **named), when, *self.asked, *self.about]
        names = ("table", "rows", "customers", "first", "last")
        heads = [text(f"display.coverage_{name}", lang) for name in names]
        rows = [[self._coverage_cell(name, entry[name]) for name in names] for entry in held]
        record = header.data_record(data_set, *period) | {
            "title": title,
            "about": self.about,
            "asked": self.asked,
            "asked_texts": self.asked_texts,
            "conf_level": self.style.conf_level,
            "tables": held,
            "close": close,
        }
        table = markup.table_html(heads, rows, key="coverage")
        html = markup.header_html(title, lines, banner=banner, coverage=table)
        plain = "\n".join([title, *([banner] if banner else []), *lines, markup.table_plain(heads, rows)])
        self._show("header", self.name, html, plain, record)

    def _coverage_cell(self, name: str, item: Any) -> markup.Cell:
        if name == "table":
            return markup.Cell(header.table_word(item, self.lang, with_code=True))
        unit = "date" if name in ("first", "last") else "count"
        return markup.Cell(format_value(item, unit, self.lang), is_number=unit == "count")

    def _source(self, tables: Sequence[str], n: int | None, counted: str | None) -> str:
        said = header.source_words(self.data_set, tables, self.lang)
        if n is None or n < self.min_cell:
            return text("display.source", self.lang, **said)
        shown = format_value(n, "count", self.lang)
        return text(f"display.source_{counted or 'n'}", self.lang, n=shown, **said)

    def _formatted(
        self, values: Mapping[str, object], units: Mapping[str, str], lang: str | None = None
    ) -> dict[str, str]:
        spoken = lang or self.lang
        return {name: self._formatted_one(item, units.get(name), spoken) for name, item in values.items()}

    def _formatted_one(self, item: object, unit: str | None, lang: str) -> str:
        if isinstance(item, list | tuple):
            return join_list([self._formatted_one(part, unit, lang) for part in item], lang)
        raw = item.value if isinstance(item, Value) else item
        if isinstance(raw, str):
            return safe_text(raw.in_language(lang) if isinstance(raw, Word) else raw, lang)
        return told_value(raw, unit_of(item, unit), lang, currency=self.data_set.currency)

    def _recorded(self, item: object, limit: int = language.TEXT_LIMIT) -> object:
        raw = item.value if isinstance(item, Value) else item
        if isinstance(raw, list | tuple):
            return [self._recorded(part) for part in raw]
        return safe_text(raw, self.lang, limit=limit) if isinstance(raw, str) else to_record(raw)


def _count_column(frame: pd.DataFrame, n_col: str) -> str:
    """Return the column that counts people: answers, which `n` may count, can be many from few customers."""
    return "customers" if n_col == "n" and "customers" in frame.columns else n_col
