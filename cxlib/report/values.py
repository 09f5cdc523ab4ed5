"""What stands in the placeholders of a sentence: numbers with their unit, and codes with their words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Any


@dataclass(frozen=True)
class Value:
    """A number together with its unit, for one placeholder of a sentence; made by `in_unit`."""

    value: Any
    unit: str


def in_unit(number: Any, unit: str) -> Value:
    """Join `number` with the unit it is shown in (`share`, `pp`, `currency`, …), for `Report.finding`.

    Examples
    --------
    >>> in_unit(0.25, "share")
    Value(value=0.25, unit='share')
    """
    return Value(number, unit)


class Word(str):
    """A code of the data or the rules, said in each language; a class because records keep the code itself.

    Examples
    --------
    >>> word = Word("ec", {"en": "online shop", "ja": "オンラインショップ"})
    >>> word, word.in_language("en"), Word("tea").in_language("ja")
    ('ec', 'online shop', 'tea')
    """

    words: Mapping[str, str]

    def __new__(cls, code: object, words: Mapping[str, str] | None = None) -> Word:
        """Keep the words beside the code."""
        word = super().__new__(cls, code)
        word.words = words or {}
        return word

    def in_language(self, lang: str) -> str:
        """Say the code in `lang`: its word, or itself where it has none."""
        return self.words.get(lang, str(self))


def unit_of(item: object, unit: str | None) -> str:
    """Return the unit of a placeholder: its own, the caller's, or that of its type."""
    if isinstance(item, Value):
        return item.unit
    if isinstance(item, list | tuple | str | bool):
        return unit or "text"
    if hasattr(item, "isoformat"):
        return unit or "date"
    return unit or ("count" if isinstance(item, Integral) else "number")
