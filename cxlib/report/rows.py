"""From a row of a result to its sentence, table or chart: words, units and variant are found here, once.

A metric's row carries `estimate, conf_low, conf_high, n`, and where it is judged `verdict`, `claim` (which
sentence of several) and `note` (why there is none). A notebook only says which result and which sentence.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from string import Formatter
from typing import Any

import pandas as pd

from cxlib.language import LANGUAGES, catalogue, has_text, is_missing, key_for, text
from cxlib.report.disclosure import FLAG
from cxlib.report.layout import column_units
from cxlib.report.units import of_difference, of_estimate
from cxlib.report.values import Value, Word

#: Columns whose codes name a column or a measure: their words are those of its heading.
NAMING = ("attribute", "baseline", "by", "dimension", "method", "metric", "scheme")

#: What any frame of results may carry beside its numbers; no reader of a table needs them.
UNSHOWN = ("metric", "note", "claim", "std_error")
#: What is recorded of a row whether its sentence names it or not.
KEPT = ("estimate", "conf_low", "conf_high", "n", "customers")
#: What a figure is told about its source.
SOURCE = ("tables", "n", "counted", "as_picture")


class Words:
    """Words for the codes of result columns, in every language; a class because each rule file adds some.

    Examples
    --------
    >>> words = Words()
    >>> words.add("stage", {"buy": {"en": "Purchase", "ja": "購入"}})
    >>> words.of("stage", "buy").in_language("ja"), words.of("stage", "no_such")
    ('購入', 'no_such')
    """

    def __init__(self) -> None:
        self._known: dict[str, dict[Any, Mapping[str, str]]] = {}

    def add(self, column: str, items: Mapping[Any, Mapping[str, str]] | Iterable[Any]) -> None:
        """Add words by code, or items of a rule file that have an `id` and a `label` in both languages."""
        if not isinstance(items, Mapping):
            items = {one.id: {lang: getattr(one.label, lang) for lang in LANGUAGES} for one in items}
        self._known.setdefault(column, {}).update(items)

    def of(self, column: str, code: Any) -> Any:
        """Return a code with its words: added ones, or those of `value.<column>.<code>` or `value.<code>`."""
        if isinstance(code, list | tuple):
            return [self.of(column, one) for one in code]
        if is_missing(code) or not (isinstance(code, str | bool) or type(code).__name__ == "bool_"):
            return code
        kin = column.rpartition("_")[2]  # `next_segment` and `tied_segment` are said as `segment` is
        if (words := (self._known.get(column) or self._known.get(kin) or {}).get(code)) is not None:
            return Word(code, words)
        name = str(code).lower().replace("-", "_").replace(" ", "_")
        if kin in NAMING:
            keys = [f"column.{name}"]
        elif column == "verdict":
            keys = [f"verdict.{name}"]
        else:
            keys = [f"value.{column}.{name}", f"value.{kin}.{name}", f"value.{name}"]
        found = next((key for key in keys if has_text(key)), None)
        return code if found is None else Word(code, {lang: text(found, lang) for lang in LANGUAGES})


def rows_of(result: Any) -> list[dict[str, Any]]:
    """Rows of a frame or a list, or the one row that a series or mapping is; an empty one is none."""
    if isinstance(result, pd.DataFrame):
        return [{str(name): held for name, held in row.items()} for row in result.to_dict("records")]
    return [dict(row) for row in (result if isinstance(result, list) else [result]) if len(row)]


def wording(key: str, row: Mapping[str, Any]) -> str:
    """Entry that words a row: by its claim, then by its verdict, where the catalogue has one.

    Examples
    --------
    >>> wording("nps.moved", {"verdict": "no_difference_shown"})
    'nps.moved.no_difference_shown'
    """
    claimed = key_for(key, row.get("claim") or None)
    return key_for(claimed, row.get("verdict") or None)


def placeholders(key: str) -> set[str]:
    """Names that a sentence needs, in whichever language.

    Examples
    --------
    >>> sorted(placeholders("language.list_join"))
    ['first', 'last']
    """
    return {name for one in catalogue()[key].values() for _, name, _, _ in Formatter().parse(one) if name}


def row_units(row: Mapping[str, Any]) -> dict[str, str]:
    """Return the unit of each number: by the metric for estimate and limits, by its name otherwise."""
    by_column = column_units(pd.DataFrame([row]), {"estimate": of_estimate(row.get("metric"))})
    dates = {name: "date" for name, held in row.items() if hasattr(held, "isoformat")}
    return {name: unit for name, unit in by_column.items() if isinstance(unit, str)} | dates


def table_parts(
    frame: pd.DataFrame, words: Words, lang: str
) -> tuple[pd.DataFrame, dict[str, Any], dict[str, Any]]:
    """Columns a reader needs, units by metric, and words by column for a result frame."""
    metrics = frame["metric"].unique().tolist() if "metric" in frame else []
    dropped = [name for name in UNSHOWN if name in frame and not (name == "metric" and len(metrics) > 1)]
    shown = frame.drop(columns=dropped)
    units: dict[str, Any] = {
        column: {str(name): unit_of(name) for name in metrics}
        for column, unit_of in (("estimate", of_estimate), ("upper", of_estimate), ("behind", of_difference))
    }
    if len(metrics) == 1:
        units = {column: next(iter(unit.values())) for column, unit in units.items()}
    labels: dict[str, Any] = {}
    if len(metrics) == 1 and has_text(f"column.{metrics[0]}"):
        labels["estimate"] = text(f"column.{metrics[0]}", lang)
    for name in shown.columns:
        if not pd.api.types.is_numeric_dtype(shown[name]) or pd.api.types.is_bool_dtype(shown[name]):
            said = {code: words.of(name, code) for code in shown[name].dropna().unique()}
            known = {code: one.in_language(lang) for code, one in said.items() if isinstance(one, Word)}
            if known:
                labels[name] = known
    return shown, units, labels


def plot_options(
    plot: Callable[..., Any], result: pd.DataFrame, *, words: Words, lang: str, currency: str | None
) -> dict[str, Any]:
    """Language, words and currency for a chart, as far as it asks for them."""
    asked = inspect.signature(plot).parameters
    texts = [name for name in result.columns if not pd.api.types.is_numeric_dtype(result[name])]
    said = {code: words.of(name, code) for name in texts for code in result[name].dropna().unique()}
    labels = {code: one.in_language(lang) for code, one in said.items() if isinstance(one, Word)}
    offered = {"lang": lang, "labels": labels, "currency": currency}
    return {name: held for name, held in offered.items() if name in asked}


def told(key: str, row: Mapping[str, Any], words: Words) -> tuple[str, dict[str, Any], dict[str, str]]:
    """Entry, placeholders and units of the sentence on one row."""
    entry = wording(key, row)
    needed = placeholders(entry)
    kept = {name: held for name, held in row.items() if name in needed or name in KEPT}
    units = {name: unit for name, unit in row_units(row).items() if name in kept}
    return entry, {name: words.of(name, held) for name, held in kept.items()}, units


class FromRows:
    """What a notebook asks of a report; a class because `Report` and its kin share these three verbs."""

    name: str
    lang: str
    data_set: Any
    words: Words
    tables_read: Sequence[str]
    table: Callable[..., None]
    figure: Callable[..., None]
    finding: Callable[..., None]
    notice: Callable[..., None]

    def say(
        self,
        key: str,
        result: Any,
        *,
        subject: str | None = None,
        level: str = "not_enough_data",
        only_here: bool = False,
        **extra: object,
    ) -> None:
        """Say each row of a result in the words of its claim and verdict, or why it can not be told.

        Parameters
        ----------
        key
            Sentence of the catalogue, or the beginning of `key.<claim>` and `key.<verdict>`.
        result
            A frame, a list of rows, or one row as a series or mapping; its columns fill the placeholders, in
            the units of `report.units`. With a `note` (an entry, or the end of `key.<note>`) it is a notice.
        subject
            Column that tells the rows apart; the record is then `key[column=value]`.
        level, only_here
            Of the notice that a row with a `note` becomes, as in `Report.notice`; its own `level` goes first.
        **extra
            Placeholders that are no column of the result.
        """
        for row in rows_of(result):
            row |= extra
            tail = f"[{subject}={row[subject]}]" if subject is not None and subject in row else ""
            if not is_missing(note := row.get("note")) and note:
                own = f"{key}.{note}"
                entry = own if has_text(own) else str(note)
                needed, units = placeholders(entry), row_units(row)
                said = {name: self.words.of(name, held) for name, held in row.items() if name in needed}
                said = {
                    name: Value(held, units[name]) if units.get(name, "text") != "text" else held
                    for name, held in said.items()
                }
                own_level = row.get("level", level)
                self.notice(entry + tail, wording=entry, level=own_level, only_here=only_here, **said)
                continue
            entry, numbers, units = told(key, row, self.words)
            verdict = None if is_missing(row.get("verdict")) else str(row["verdict"])
            self.finding(key + tail, verdict=verdict, wording=entry, units=units, **numbers)

    def show(
        self,
        key: str,
        result: pd.DataFrame,
        *,
        columns: Sequence[str] | None = None,
        otherwise: str | None = None,
        **options: Any,
    ) -> None:
        """Show a result frame as a table, in the units and words of its metrics.

        Without rows, or where every row is too small to show, say `otherwise` instead, or nothing. `options`
        are `n_col` and `people`, as in `table`.
        """
        if self._is_nothing(result, otherwise):
            return
        frame, units, labels = table_parts(result, self.words, self.lang)
        kept = [*columns, *(name for name in [FLAG] if name in frame)] if columns else list(frame.columns)
        self.table(key, frame[kept], units=units, labels=labels, **options)

    def draw(
        self,
        key: str,
        plot: Callable[..., Any],
        result: pd.DataFrame,
        *,
        otherwise: str | None = None,
        **options: Any,
    ) -> None:
        """Draw a result with `plot` and name its source; `otherwise` as in `show`.

        `options` are the chart's own, `tables`, `n`, `counted` and `as_picture` as in `figure`.
        """
        if self._is_nothing(result, otherwise):
            return
        shown = result[~result[FLAG]] if FLAG in result else result
        about = {name: options.pop(name) for name in SOURCE if name in options}
        about.setdefault("tables", self.tables_read)
        offered = plot_options(plot, shown, words=self.words, lang=self.lang, currency=self.data_set.currency)
        self.figure(key, plot(result, **(offered | options)), **about)

    def _is_nothing(self, result: pd.DataFrame, otherwise: str | None) -> bool:
        """Whether no row may be shown; then `otherwise` is said, if given."""
        nothing = bool(result[FLAG].all()) if FLAG in result else result.empty
        if nothing and otherwise is not None:
            self.notice(otherwise, level="not_enough_data")
        return nothing

    def name_words(self, **items: Mapping[Any, Mapping[str, str]] | Iterable[Any]) -> None:
        """Tell the words for codes of result columns, as `Words.add` takes them: `stage=rules.stages`."""
        for column, of_column in items.items():
            self.words.add(column, of_column)
