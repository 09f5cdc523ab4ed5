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
from cxlib.language.code_words import code_key
from cxlib.report.column_units import COLUMN_UNITS
from cxlib.report.company import Company
from cxlib.report.disclosure import FLAG
from cxlib.report.layout import Style, column_units, format_level, safe_text
from cxlib.report.units import METRICS, of_difference, of_estimate
from cxlib.report.values import Value, Word

#: What any frame of results may carry beside its numbers; no reader of a table needs these.
UNSHOWN = ("metric", "note", "claim", "best_boxes")
#: What is recorded of a row whether its sentence names it or not.
KEPT = ("claim", "estimate", "conf_low", "conf_high", "n", "customers")
#: Columns that hold a difference of two estimates of the row's metric.
DIFFERENCES = ("behind", "change")
#: Ends of names that are measured as the row's metric is: `naive_estimate`, and its limits.
AS_METRIC = "_estimate"
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

    def __init__(self, known: dict[str, dict[Any, Mapping[str, str]]] | None = None) -> None:
        self._known = known or {}
        self._units: dict[str, str] = {}

    def add(self, column: str, items: Mapping[Any, Mapping[str, str]] | Iterable[Any]) -> None:
        """Add words by code, or items of a rule file that have `id` and `label`, and maybe `unit`."""
        if not isinstance(items, Mapping):
            items = list(items)
            self._units |= {one.id: one.unit for one in items if column == "metric" and hasattr(one, "unit")}
            items = {one.id: {lang: getattr(one.label, lang) for lang in LANGUAGES} for one in items}
        self._known.setdefault(column, {}).update(items)

    def unit(self, metric: object) -> str:
        """Return the unit of a metric: that of the one table, else what a rule file says of it."""
        return of_estimate(metric) if str(metric) in METRICS else self._units.get(str(metric), "number")

    def of(self, column: str, code: Any) -> Any:
        """Return a code with its words: added ones, or those of `value.<column>.<code>` or `value.<code>`.

        A column named like another one, as `next_segment`, takes the words of `segment`; of codes joined by
        " + " each is said.
        """
        if isinstance(code, list | tuple):
            return [self.of(column, one) for one in code]
        if is_missing(code) or not (isinstance(code, str | bool) or type(code).__name__ == "bool_"):
            return code
        kin = column.rpartition("_")[2]
        for of_column in (column, kin):
            if (words := self._known.get(of_column, {}).get(code)) is not None:
                return Word(code, words)
        if isinstance(code, str) and " + " in code:
            parts = [Word(part, getattr(self.of(column, part), "words", None)) for part in code.split(" + ")]
            return Word(
                code, {lang: " + ".join(part.in_language(lang) for part in parts) for lang in LANGUAGES}
            )
        found = code_key(column, code)
        return code if found is None else Word(code, {lang: text(found, lang) for lang in LANGUAGES})


def rows_of(result: Any) -> list[dict[str, Any]]:
    """Rows of a frame or a list, or the one row that a series or mapping is; an empty one is none."""
    if isinstance(result, pd.DataFrame):
        result = result.to_dict("records")
    rows = result if isinstance(result, list) else [result]
    return [{str(name): held for name, held in row.items()} for row in rows if len(row)]


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


def metric_units(columns: Iterable[str], unit: Any) -> dict[str, Any]:
    """Give `unit` to the estimate, and to every other number that is measured as it is.

    Examples
    --------
    >>> metric_units(["naive_estimate", "n"], "pp")
    {'estimate': 'pp', 'naive_estimate': 'pp'}
    """
    return {"estimate": unit} | {name: unit for name in columns if name.endswith(AS_METRIC)}


def row_units(row: Mapping[str, Any], words: Words) -> dict[str, str]:
    """Return the unit of each number: by the metric for estimate and limits, by its name otherwise.

    Examples
    --------
    >>> row_units({"metric": "per_100_orders", "change_conf_low": -5.6}, Words())["change_conf_low"]
    'score'
    """
    by_column = column_units(pd.DataFrame([row]), metric_units(row, words.unit(row.get("metric"))))
    dates = {name: "date" for name, held in row.items() if hasattr(held, "isoformat")}
    metric = str(row.get("metric"))
    units = {
        name: unit if isinstance(unit, str) else unit.get(metric, "number")
        for name, unit in by_column.items()
    }
    gap = of_difference(words.unit(row.get("metric")))
    ends = [f"{name}{end}" for name in DIFFERENCES for end in ("", "_conf_low", "_conf_high")]
    units |= {name: gap for name in ends if units.get(name) == "number"}
    return units | dates


def table_parts(
    frame: pd.DataFrame, words: Words, lang: str
) -> tuple[pd.DataFrame, dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Columns a reader needs, units by metric, words by column, and the same words in every language."""
    metrics = [str(name) for name in frame["metric"].unique()] if "metric" in frame else []
    dropped = [name for name in UNSHOWN if name in frame and not (name == "metric" and len(metrics) > 1)]
    shown = frame.drop(columns=dropped)
    of_all = {name: words.unit(name) for name in metrics}
    units = metric_units(shown.columns, of_all) | {"upper": of_all, "band": of_all}
    units |= {column: {name: of_difference(unit) for name, unit in of_all.items()} for column in DIFFERENCES}
    labels: dict[str, Any] = {}
    in_all: dict[str, Any] = {}
    if len(metrics) == 1:
        only = metrics[0]
        of_columns = [(name, unit) for name, unit in COLUMN_UNITS.items() if not isinstance(unit, str)]
        units = {name: unit[only] for name, unit in units.items()}
        units |= {name: unit.get(only, "number") for name, unit in of_columns}
        if isinstance(said := words.of("metric", metrics[0]), Word):
            labels["estimate"] = said.in_language(lang)
    for name in shown.columns:
        if not pd.api.types.is_numeric_dtype(shown[name]) or pd.api.types.is_bool_dtype(shown[name]):
            of_codes = {code: words.of(name, code) for code in shown[name].dropna().unique()}
            said = {code: one for code, one in of_codes.items() if isinstance(one, Word)}
            if said:
                labels[name] = {code: one.in_language(lang) for code, one in said.items()}
                in_all[name] = {str(code): dict(one.words) for code, one in said.items() if one.words}
    return shown, units if metrics else {}, labels, in_all


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
    units = {name: unit for name, unit in row_units(row, words).items() if name in kept}
    return entry, {name: words.of(name, held) for name, held in kept.items()}, units


def in_units(row: Mapping[str, Any], needed: set[str], words: Words) -> dict[str, Any]:
    """Return what a notice needs of a row: numbers with their units, codes with their words."""
    units = row_units(row, words)
    said = {name: words.of(name, held) for name, held in row.items() if name in needed}
    counted = {name for name, unit in units.items() if unit != "text"}
    return {
        name: held if name not in counted or isinstance(held, list) else Value(held, units[name])
        for name, held in said.items()
    }


def _is_rows(held: Any) -> bool:
    return isinstance(held, list) and bool(held) and isinstance(held[0], Mapping)


class FromRows:
    """What a notebook asks of a report; a class because `Report` and its kin share these verbs."""

    name: str
    lang: str
    data_set: Company
    words: Words
    tables_read: Sequence[str]
    style: Style
    min_cell: int
    table: Callable[..., None]
    figure: Callable[..., None]
    finding: Callable[..., None]
    notice: Callable[..., None]
    _formatted: Callable[..., dict[str, str]]
    said: set[str]

    def is_new(self, key: str) -> bool:
        """Whether a remark is due for the first time in this report: of small groups it is said once."""
        is_said = key in self.said
        self.said.add(key)
        return not is_said

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
            the units of `report.units`. A column of rows (a list of mappings) is said as a list, each in the
            words of `key.<column>`.
        subject
            Column that tells the rows apart; the record is then `key[column=value]`.
        level, only_here
            Of the notice that a row becomes by a `note` (an entry, or the end of `key.<note>`), as in
            `Report.notice`; its own `note_level` (or `level`) and `only_here` go first.
        **extra
            Placeholders that are no column of the result.
        """
        for row in rows_of(result):
            if not is_missing(row.get(FLAG)) and row[FLAG]:  # its numbers are hidden
                continue
            row |= extra
            row |= {
                name: self._phrases(f"{key}.{name}", held) for name, held in row.items() if _is_rows(held)
            }
            tail = ""
            if subject is not None and subject in row:
                tail = f"[{subject}={safe_text(row[subject], self.lang)}]"
            if not is_missing(note := row.get("note")) and note:
                own = f"{key}.{note}"
                entry = own if has_text(own) else str(note)
                of_row = row.get("note_level") or row.get("level") or level
                here = bool(row.get("only_here", only_here))
                said = in_units(row, placeholders(entry), self.words)
                self.notice(entry + tail, wording=entry, level=of_row, only_here=here, **said)
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
        unit: str | None = None,
        otherwise: str | None = None,
        lacking: str | None = None,
        **options: Any,
    ) -> None:
        """Show a result frame as a table, in the units and words of its metrics.

        Parameters
        ----------
        key, result
            Name of the table in the run's results, and its rows.
        columns
            Only these, in this order.
        unit
            Unit of the estimates, where the data set's scale decides it and not the metric.
        otherwise, lacking
            Entry that says why there is nothing to show: a remark, or that data are lacking for it.
        **options
            `n_col` and `people` as in `table`; placeholders of `otherwise` and `lacking`.
        """
        if self._is_nothing(result, otherwise, lacking, options):
            return
        frame, units, labels, words = table_parts(result, self.words, self.lang)
        units |= {} if unit is None else {"estimate": unit, "band": unit}
        asked = [name for name in columns or frame.columns if name in frame or name not in UNSHOWN]
        # the errors of limits shown are recorded, not shown
        errors = [str(name) for name in frame if str(name).endswith("std_error")]
        errors = [name for name in errors if name.removesuffix("std_error") + "conf_low" in asked]
        kept = list(dict.fromkeys([*asked, *errors, *(name for name in [FLAG] if name in frame)]))
        about = {name: options[name] for name in ("n_col", "people") if name in options}
        of_all = {} if "metric" in kept or "metric" not in result else dict.fromkeys(result["metric"])
        metric = next(iter(of_all)) if len(of_all) == 1 else None
        words = {name: said for name, said in words.items() if name in kept}
        self.table(key, frame[kept], units=units, labels=labels, metric=metric, words=words, **about)

    def draw(
        self,
        key: str,
        plot: Callable[..., Any],
        result: pd.DataFrame,
        *,
        otherwise: str | None = None,
        lacking: str | None = None,
        **options: Any,
    ) -> None:
        """Draw a result with `plot` and name its source; `otherwise` and `lacking` as in `show`.

        `options` are the chart's own, those that caption or description name (the level of the intervals is
        known), and `tables`, `n`, `counted` and `as_picture` as in `figure`.
        """
        if self._is_nothing(result, otherwise, lacking, options):
            return
        shown = result[~result[FLAG]] if FLAG in result else result
        named = placeholders(f"figure.{key}") | placeholders(f"figure.{key}.alt")
        known = {"level": format_level(self.style.conf_level, self.lang)} | options
        about = {name: self.words.of(name, known[name]) for name in named if name in known}
        about |= {name: options[name] for name in SOURCE if name in options}
        about.setdefault("tables", self.tables_read)
        offered = plot_options(plot, shown, words=self.words, lang=self.lang, currency=self.data_set.currency)
        own = {name: held for name, held in options.items() if name not in about}
        self.figure(key, plot(result, **(offered | own)), **about)

    def enough(self, result: pd.DataFrame, n: float) -> pd.DataFrame:
        """Return the result where `n`, the customers it rests on, are enough to show it, else no rows."""
        return result if n >= self.min_cell else result.iloc[:0]

    def phrase(self, key: str, **values: object) -> Word:
        """Say `key` in every language, for a placeholder of another sentence."""
        return Word(key, self._phrases(key, [values])[0].words)

    def notices(self, notes: Iterable[Mapping[str, Any]]) -> None:
        """Show notices: the arguments of `notice` for each."""
        for note in notes:
            self.notice(**note)

    def name_words(self, **items: Mapping[Any, Mapping[str, str]] | Iterable[Any]) -> None:
        """Tell the words for codes of result columns, as `Words.add` takes them: `stage=rules.stages`."""
        for column, of_column in items.items():
            self.words.add(column, of_column)

    def _is_nothing(
        self,
        result: pd.DataFrame,
        otherwise: str | None,
        lacking: str | None,
        about: Mapping[str, object],
    ) -> bool:
        """Whether no row may be shown; then says why, where the notebook told how."""
        nothing = bool(result[FLAG].all()) if FLAG in result else result.empty
        if nothing and (entry := lacking or otherwise) is not None:
            said = in_units({"min_cell": self.min_cell, **about}, placeholders(entry), self.words)
            self.notice(entry, level="not_enough_data" if lacking else "info", only_here=not lacking, **said)
        return nothing

    def _phrases(self, key: str, rows: Sequence[Mapping[str, Any]]) -> list[Word]:
        """Say each row in the words of its claim, in every language, for the list that a sentence holds."""
        found: list[Word] = []
        for row in rows:
            units, entry = row_units(row, self.words), wording(key, row)
            said = self._as_told({name: self.words.of(name, held) for name, held in row.items()}, units)
            words = {lang: text(entry, lang, **self._formatted(said, units, lang)) for lang in LANGUAGES}
            found.append(Word(": ".join(held for held in row.values() if isinstance(held, str)), words))
        return found

    def _as_told(self, values: dict[str, Any], units: Mapping[str, str]) -> dict[str, Any]:
        """Return the numbers of a phrase as they may be told: here as they are."""
        return values
