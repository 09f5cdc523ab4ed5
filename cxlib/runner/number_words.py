"""Numbers that a text states in words, in digits: a third, twenty percent, 三分の一, 四割, 令和8年."""

from __future__ import annotations

import re
from functools import partial

ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety"
_VALUES = {word: at for at, word in enumerate(f"{ONES} sixteen seventeen eighteen nineteen".split())}
_TENS = {word: 10 * at for at, word in enumerate(TENS.split()) if at > 1}
_PARTS = {"third": 3, "quarter": 4, "fifth": 5, "tenth": 10}
_WORD = (
    rf"(?:(?:{'|'.join(_TENS)})(?:[ -](?:{'|'.join(_VALUES)}))?|{'|'.join(sorted(_VALUES, key=len)[::-1])})"
)
_TIME = r"days?|months?"
_COUNTED = rf"{_TIME}|percent(?:age points?)?|points?|pp|times|customers?|people|orders?|answers?|deals?"
_COUNTED += r"|quotes?|contacts?|responses?|rows?|thousand|million|billion|yen|dollars?|euros?"
_A_TIME = r"(?! of (?:the )?(?:year|month|quarter|fiscal|\d{4}))"
_FIGURES = {figure: at for at, figure in enumerate("〇一二三四五六七八九")}
_STEPS = {"十": 10, "百": 100, "千": 1000}
_KANJI = f"[{''.join([*_FIGURES, *_STEPS])}]+"
_JA_UNIT = r"(?=[倍割円万億人名件社通回]|%|パーセント|ポイント|[かヶヵカケ]月|日間)"
#: Japanese eras and the year before their first.
_ERAS = {"令和": 2018, "平成": 1988}
_SHARE, _WHOLE, _YEAR = "share", "whole", "year"
_RULES = [
    (rf"(?P<era>令和|平成)\s?(?P<year>元|\d{{1,2}}|{_KANJI})\s?(?=年)", _YEAR),
    (rf"(?P<of>\d+|{_KANJI})分の(?P<part>\d+|{_KANJI})", _SHARE),
    (
        rf"半分|半数|(?<![\w-])half(?= of\b| the (?:customers|orders|answers|deals|sales|money)\b){_A_TIME}",
        _SHARE,
    ),
    (rf"\b(?P<part>a|{_WORD})[ -](?P<of>{'|'.join(_PARTS)})s?(?= of\b| the\b){_A_TIME}", _SHARE),
    (
        rf"\b(?P<part>{_WORD}|\d+) (?:in|out of)(?: every)? (?P<of>{_WORD}|\d{{1,2}})\b"
        rf"(?! ?%|[.,/]?\d| (?:{_TIME}|weeks?|years?|hours?|percent|thousand|million|billion)\b)",
        _SHARE,
    ),
    (rf"\b(?P<whole>{_WORD})(?=[ -](?:{_COUNTED})\b)", _WHOLE),
    (r"\btwice (?=as\b)", "twice"),
    (rf"(?<![〇一二三四五六七八九十百千万億第数何\d])(?P<whole>{_KANJI}){_JA_UNIT}", _WHOLE),
    (r"(?P<whole>[一二][〇九][〇一二三四五六七八九]{2})(?=年)", _WHOLE),
    (r"(?<=\d割)(?P<whole>[一二三四五六七八九])(?=分)", _WHOLE),
]
_PATTERNS = [(re.compile(pattern, re.IGNORECASE), kind) for pattern, kind in _RULES]


def in_digits(line: str) -> tuple[str, dict[str, str]]:
    """Write the numbers of a line in digits, and tell the words behind each.

    Shares in words are about so much: "a third" is about 33%.

    Examples
    --------
    >>> in_digits("A third of them, 四割が二倍")
    ('about 33% of them, 4割が2倍', {'33%': 'A third', '4': '四', '2': '二'})
    """
    words: dict[str, str] = {}
    for pattern, kind in _PATTERNS:
        line = pattern.sub(partial(_in_digits, kind=kind, words=words), line)
    return line, words


def _in_digits(found: re.Match[str], kind: str, words: dict[str, str]) -> str:
    held = found.groupdict()
    if kind == _YEAR:
        return str(_ERAS[held["era"]] + (1 if held["year"] == "元" else _value(held["year"])))
    if kind == _SHARE:
        part, of = (_value(held["part"]), _value(held["of"])) if "of" in held else (1, 2)
        made = f"{100 * part / of:.0f}%" if 0 < part < of else found[0]
    else:
        made = "2x " if kind == "twice" else str(_value(held["whole"]))
    if made in ("0", "1") and found.string[found.end() :][:1] not in ("割", "分"):
        return found[0]  # "one customer", 一人あたり and もう一回 tell no figure
    words[made.strip()] = found[0].strip()
    is_about = kind == _SHARE and not found.string[: found.start()].rstrip().endswith("about")
    return f"about {made}" if is_about else made


def _value(word: str) -> int:
    """Read a whole number in digits, English words or kanji."""
    word = word.lower()
    if word.isascii():
        known = {"a": 1} | _VALUES | _TENS | _PARTS
        return int(word) if word.isdigit() else sum(known[part] for part in re.split("[ -]", word))
    total, own = 0, 0
    for figure in word:
        if figure in _STEPS:
            total, own = total + (own or 1) * _STEPS[figure], 0
        else:
            own = 10 * own + int(_FIGURES.get(figure, figure))
    return total + own
