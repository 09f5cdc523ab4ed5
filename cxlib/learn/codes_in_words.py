"""Codes in results of a lesson, in the words that reports use for them."""

from __future__ import annotations

import functools
from typing import Any

import pandas as pd

from cxlib.customers.rfm_segments import segment_words
from cxlib.data.rules.rule_files import load_rules
from cxlib.language import LANGUAGES, text
from cxlib.language.code_words import code_key
from cxlib.learn.course_files import check_language
from cxlib.voice.drivers.importance import driver_words

#: Columns whose codes are asked for in exercises.
ASKED = ("stage", "touchpoint", "driver", "page", "verdict", "channel")


@functools.cache
def _of_rules(lang: str) -> dict[str, dict[str, str]]:
    """Words of the handbook's rules, by column and code."""
    check_language(lang)
    journey, segments = load_rules("journey"), load_rules("rfm_segments")
    drivers = [driver for group in load_rules("drivers").groups for driver in group.drivers]
    items = {
        "stage": [*journey.stages, *load_rules("sales").stages],
        "touchpoint": journey.touchpoints,
        "driver": journey.touchpoints,
        "topic": load_rules("topics").topics,
        "state": load_rules("states").states,
    }
    said = {column: {item.id: getattr(item.label, lang) for item in held} for column, held in items.items()}
    said["driver"] |= {code: words[lang] for code, words in driver_words(drivers).items()}
    said["segment"] = {code: words[lang] for code, words in segment_words(segments).items()}
    return said


def words(result: pd.DataFrame, *, lang: str = "en") -> dict[str, str]:
    """Give the words for the codes in a result, as charts take them: `labels=`.

    Parameters
    ----------
    result : DataFrame
        Any result; a code's column says what it is a code of ("delivery" of `topic`, of `touchpoint`).
    lang : {"en", "ja"}

    Returns
    -------
    dict
        Code → words in `lang`; codes without words are left out.

    Examples
    --------
    >>> words(pd.DataFrame({"stage": ["buy", "decide"], "n": [2, 3]}), lang="ja")
    {'buy': '買う', 'decide': '続けるか迷う'}
    """
    return {code: said for name in result for code, said in _of_column(name, result[name], lang).items()}


def in_words(result: Any, *, lang: str = "en") -> Any:
    """Show a result with its codes in words, also where rows or columns are named by them.

    Parameters
    ----------
    result : DataFrame or Series
        Not changed. An index counts by its name, columns by theirs.
    lang : {"en", "ja"}

    Returns
    -------
    DataFrame or Series
        The same rows; numbers, and codes that have no words, stay.

    Examples
    --------
    >>> in_words(pd.DataFrame({"topic": ["price"], "verdict": ["lowers"]}), lang="ja").iloc[0].tolist()
    ['価格', '低い点数と結びつく']
    """
    shown = result.copy()
    for axis in ("index", "columns") if isinstance(result, pd.DataFrame) else ("index",):
        setattr(shown, axis, _renamed(getattr(result, axis), lang))
    if isinstance(result, pd.Series):
        return _replaced(result.name, shown, lang)
    for place, name in enumerate(result.columns):
        shown.isetitem(place, _replaced(name, shown.iloc[:, place], lang))
    return shown


@functools.cache
def names_of(code: str) -> frozenset[str]:
    """Give what a code may be called in an answer: itself, and its words in either language.

    Examples
    --------
    >>> sorted(names_of("buy"))
    ['Buying', 'buy', '買う']
    """
    asked = pd.DataFrame({column: [code] for column in ASKED})
    said = (_of_column(column, asked[column], lang) for column in ASKED for lang in LANGUAGES)
    return frozenset({code}.union(*(each.values() for each in said)))


def _of_column(name: Any, values: pd.Series | pd.Index, lang: str) -> dict[str, str]:
    rules = _of_rules(lang)
    known = rules.get(str(name).rpartition("_")[2], {}) | rules.get(str(name), {})
    codes = [code for code in values.dropna().unique() if isinstance(code, str)]
    keys = {code: code_key(str(name), code) for code in codes if code not in known}
    of_catalogue = {code: text(key, lang) for code, key in keys.items() if key}
    return {code: known[code] for code in codes if code in known} | of_catalogue


def _replaced(name: Any, values: pd.Series, lang: str) -> pd.Series:
    said = _of_column(name, values, lang)
    return values.map(lambda held: said.get(held, held)) if said else values


def _renamed(index: pd.Index, lang: str) -> pd.Index:
    """Rename the levels that have a name; one without could be anything."""
    if isinstance(index, pd.MultiIndex):
        levels: Any = [_renamed(level, lang) for level in index.levels]
        return index.set_levels(levels, verify_integrity=False)
    said = {} if index.name is None else _of_column(index.name, index, lang)
    return index.map(lambda held: said.get(held, held)) if said else index
