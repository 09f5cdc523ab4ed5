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
from cxlib.report.units import of_estimate
from cxlib.report.values import Value, Word

#: What any frame of results may carry beside its numbers; no reader of a table needs these.
UNSHOWN = ("metric", "note", "claim")
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
        if (words := self._known.get(column, {}).get(code)) is not None:
            return Word(code, words)
        if isinstance(code, str) and " + " in code:
            parts = [self.of(column, part) for part in code.split(" + ")]
            joint = {lang: " + ".join(_in_language(part, lang) for part in parts) for lang in LANGUAGES}
            return Word(code, joint)
        name = str(code).lower().replace("-", "_").replace(" ", "_")
        if column in ("metric", "metrics") or column.endswith("_metric"):
            keys = [f"column.{name}"]
        elif column == "verdict":
            keys = [f"verdict.{name}"]
        else:
            keys = [f"value.{column}.{name}", f"value.{name}"]
        found = next((key for key in keys if has_text(key)), None)
        return code if found is None else Word(code, {lang: text(found, lang) for lang in LANGUAGES})


def rows_of(result: Any) -> list[dict[str, Any]]:
    """Rows of a frame or list, or the one row that a series or mapping is."""
    if isinstance(result, pd.DataFrame):
        result = result.to_dict("records")
    rows = result if isinstance(result, list) else [result]
    return [{str(name): held for name, held in row.items()} for row in rows]


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
    return {name: unit for name, unit in by_column.items() if isinstance(unit, str)}


def table_parts(
    frame: pd.DataFrame, words: Words, lang: str
) -> tuple[pd.DataFrame, dict[str, Any], dict[str, Any]]:
    """Columns a reader needs, units by metric, and words by column for a result frame."""
    metrics = frame["metric"].unique().tolist() if "metric" in frame else []
    dropped = [name for name in UNSHOWN if name in frame and not (name == "metric" and len(metrics) > 1)]
    shown = frame.drop(columns=dropped)
    units: dict[str, Any] = {"estimate": {str(name): of_estimate(name) for name in metrics}}
    if len(metrics) == 1:
        units = {"estimate": of_estimate(metrics[0])}
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


def _in_language(code: Any, lang: str) -> str:
    return code.in_language(lang) if isinstance(code, Word) else str(code)


def _is_rows(held: Any) -> bool:
    return isinstance(held, list) and bool(held) and isinstance(held[0], Mapping)


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
    _formatted: Callable[..., dict[str, str]]

    def say(self, key: str, result: Any, *, subject: str | None = None, **extra: object) -> None:
        """Say each row of a result in the words of its claim and verdict, or why it can not be told.

        Parameters
        ----------
        key
            Sentence of the catalogue, or the beginning of `key.<claim>` and `key.<verdict>`.
        result
            A frame, a list of rows, or one row as a series or mapping; its columns fill the placeholders, in
            the units of `report.units`. A row with a `note` (an entry, or the end of `key.<note>`) is a
            notice, at its `level` and `only_here` if it has them. A column of rows (a list of mappings) is
            said as a list, each in the words of `key.<column>`.
        subject
            Column that tells the rows apart; the record is then `key[column=value]`.
        **extra
            Placeholders that are no column of the result.
        """
        for row in rows_of(result):
            row |= extra
            row |= {
                name: self._phrases(f"{key}.{name}", held) for name, held in row.items() if _is_rows(held)
            }
            if not is_missing(note := row.get("note")) and note:
                own = f"{key}.{note}"
                entry = own if has_text(own) else str(note)
                needed, units = placeholders(entry), row_units(row)
                said = {name: self.words.of(name, held) for name, held in row.items() if name in needed}
                said = {
                    name: Value(held, units[name]) if units.get(name, "text") != "text" else held
                    for name, held in said.items()
                }
                shown = {
                    "level": row.get("level") or "not_enough_data",
                    "only_here": bool(row.get("only_here")),
                }
                self.notice(entry, **shown, **said)
                continue
            entry, numbers, units = told(key, row, self.words)
            named = key if subject is None else f"{key}[{subject}={row[subject]}]"
            verdict = None if is_missing(row.get("verdict")) else str(row["verdict"])
            self.finding(named, verdict=verdict, wording=entry, units=units, **numbers)

    def _phrases(self, key: str, rows: Sequence[Mapping[str, Any]]) -> list[Word]:
        """Say each row in the words of `key`, in every language, for the list that a sentence holds."""
        found = []
        for row in rows:
            units = row_units(row)
            said = self._as_told({name: self.words.of(name, held) for name, held in row.items()}, units)
            words = {lang: text(key, lang, **self._formatted(said, units, lang)) for lang in LANGUAGES}
            codes = [str(held) for held in row.values() if isinstance(held, str)]
            found.append(Word(": ".join(codes), words))
        return found

    def _as_told(self, values: dict[str, Any], units: Mapping[str, str]) -> dict[str, Any]:
        """Return the numbers of a phrase as they may be told: here as they are."""
        return values

    def show(
        self, key: str, result: pd.DataFrame, *, columns: Sequence[str] | None = None, **options: Any
    ) -> None:
        """Show a result frame as a table, in the units and words of its metrics; nothing for no rows.

        `options` are `n_col` and `people` as in `table`.
        """
        frame, units, labels = table_parts(result, self.words, self.lang)
        kept = [*columns, *(name for name in [FLAG] if name in frame)] if columns else list(frame.columns)
        if len(frame):
            metrics = result["metric"].unique() if "metric" in result and "metric" not in frame else [None]
            self.table(key, frame[kept], units=units, labels=labels, metric=metrics[0], **options)

    def draw(self, key: str, plot: Callable[..., Any], result: pd.DataFrame, **options: Any) -> None:
        """Draw a result with `plot` and name its source; nothing where every row is too small to show.

        `options` are the chart's own, `tables`, `n`, `counted` and `as_picture` as in `figure`, and what the
        caption names.
        """
        shown = result[~result[FLAG]] if FLAG in result else result
        if shown.empty:
            return
        about = {name: options.pop(name) for name in SOURCE if name in options}
        about.setdefault("tables", self.tables_read)
        named = {name: options.pop(name) for name in placeholders(f"figure.{key}") if name in options}
        about |= {name: self.words.of(name, held) for name, held in named.items()}
        offered = plot_options(plot, shown, words=self.words, lang=self.lang, currency=self.data_set.currency)
        self.figure(key, plot(result, **(offered | options)), **about)

    def name_words(self, **items: Mapping[Any, Mapping[str, str]] | Iterable[Any]) -> None:
        """Tell the words for codes of result columns, as `Words.add` takes them: `stage=rules.stages`."""
        for column, of_column in items.items():
            self.words.add(column, of_column)
