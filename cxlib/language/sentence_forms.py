"""How a sentence of the catalogue changes with what it tells: one of a thing, nothing near to a name."""

from __future__ import annotations

import re
from collections.abc import Mapping

#: What English sentences count; after a 1 they say "1 group is" for "{count} groups are".
_COUNTED = (
    "answers|attributes|buyers|bytes|cells|characters|clusters|columns|comments|customers|dates|days|"
    "deals|decisions|detractors|drivers|entries|files|flows|groups|hours|initiatives|items|leads|lines|messages|"
    "minutes|months|moves|orders|pairs|passives|places|promoters|purchases|quarters|readings|refunds|rows|scores|"
    "seconds|segments|sessions|signs|tickets|topics|touchpoints|units|values|waves"
)
_AFTER_ONE = {
    "are": "is",
    "were": "was",
    "have": "has",
    "hold": "holds",
    "repeat": "repeats",
    "stand": "stands",
    "start": "starts",
}
_PLURAL = re.compile(rf"(?<!\}} of )\{{(\w+)\}}((?: [a-z]+)?) ({_COUNTED})\b(?: ({'|'.join(_AFTER_ONE)})\b)?")

#: A guess at what was meant: the sentence, or the part of one, that is left out where nothing comes near.
_GUESS = re.compile(
    r"(?:[;；] ?|（|(?<=[.?。])\s?)[^.;?。；（]*\{(?:nearest|options)\}[^.;?。；）]*(?:[）?。]|\.(?= |$)|$)"
)


def fitted(template: str, lang: str, values: Mapping[str, object]) -> str:
    """Give a template the singular where it counts one, without a guess where nothing comes near.

    Examples
    --------
    >>> fitted("{count} rows are empty", "en", {"count": 1}), fitted("Gone.", "en", {})
    ('{count} row is empty', 'Gone.')
    >>> fitted("No such key. Did you mean: {nearest}?", "en", {"nearest": "–"})
    'No such key.'
    >>> fitted("No such key. Nearest: {options}", "en", {"options": "–"})
    'No such key.'
    """
    if any(values.get(name, "?") in ("", "–") for name in ("nearest", "options")):
        template = _GUESS.sub(_end, template)
    if lang == "en" and any(str(value) == "1" for value in values.values()):
        template = _PLURAL.sub(lambda found: _singular(found, values), template)
    return template


def _end(found: re.Match[str]) -> str:
    """Keep the full stop of a sentence of which only the last part goes."""
    return "." if found[0].startswith(";") and found[0].endswith(".") else ""


def _singular(found: re.Match[str], values: Mapping[str, object]) -> str:
    name, between, noun, verb = found.groups()
    if str(values.get(name)) != "1":
        return found[0]
    one = f"{noun[:-3]}y" if noun.endswith("ies") else noun[:-1]
    return f"{{{name}}}{between} {one}" + (f" {_AFTER_ONE[verb]}" if verb else "")
