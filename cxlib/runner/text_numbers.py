"""Numbers and days that a text in English or Japanese states, with unit and rounding as written."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from typing import NamedTuple

from cxlib.runner.number_words import in_digits


class Number(NamedTuple):
    """A number as a text states it; a class because value, rounding and unit are compared together.

    `step` is the last place written, in the unit of `value`; `sign` is "+" or "-" where one is written;
    `kind` is "percent", "points", "money", "times", "days", "months", "count", "no_share" for a percentage of
    what is none (an NPS), or "" where no unit is written;
    `is_about` where the text says so ("about", 約); `factor` is what its unit multiplies (10,000 for 万);
    `place` is where it stands in its line.
    """

    line: int
    written: str
    value: float
    step: float
    sign: str
    kind: str
    is_about: bool
    factor: float
    place: int


class Day(NamedTuple):
    """A day as a text states it, with what it leaves out as None."""

    line: int
    written: str
    year: int | None
    month: int | None
    day: int | None


MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october"]
MONTHS += ["november", "december"]
_MONTH = "(?P<{0}>" + "|".join(f"{name[:3]}(?:{name[3:]})?" for name in MONTHS) + r"|sept)\.?"
_DAYS = [
    r"(?P<y>(?:19|20)\d\d)[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?!\d)",
    r"(?<![\d.,/])(?P<m>\d{1,2})[/.](?P<d>\d{1,2})[/.](?P<y>(?:19|20)\d\d)(?!\d)",
    r"(?P<y>(?:19|20)\d\d)年度?\s?(?:(?P<m>\d{1,2})月(?:\s?(?P<d>\d{1,2})日)?)?",
    r"(?P<m>\d{1,2})月(?P<d>\d{1,2})日",
    r"(?P<m>\d{1,2})月(?![間額次])",
    rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?{_MONTH.format('w')}(?:,? (?P<y>(?:19|20)\d\d))?\b",
    rf"\b{_MONTH.format('w')} (?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:,? (?P<y>(?:19|20)\d\d))?\b"
    r"(?![.,]?\d| ?%| percent)",
    rf"\b{_MONTH.format('w')},? (?P<y>(?:19|20)\d\d)\b",
    r"\b(?P<y>(?:19|20)\d\d)-(?P<m>0[1-9]|1[0-2])\b(?!-)",
    r"\b(?:in|of|since|from|until|during|fiscal|FY|year) ?(?P<y>(?:19|20)\d\d)\b(?![.,]?\d)",
]
#: ASCII, so that a word ends where Japanese begins: "F2は41%", "5ppの改善".
_FLAGS = re.IGNORECASE | re.ASCII
#: What holds digits and states no figure: addresses, names of files and runs, codes, ordinals, numbering.
_NO_FIGURE = re.compile(
    r"""https?://\S+ | `[^`]*` | \b\d{8}-\d{6}(?:-\d+)?\b
    | \b[\w./-]+\.(?:html|json|csv|parquet|yml|md|ipynb|txt)\b
    | ^\s*(?:\d+[.)]|\(\d+\))(?=\s) | ^\s*\#+\s*\d+(?:\.\d+)*\.?(?=\s) | \b\d{1,2}:\d\d(?::\d\d)?\b
    | \b(?!(?:nps|csat|ces|ltv|cac|roi|jpy|usd|eur)[-_]?\d)[A-Za-z_]+[-_]?\d+\w*\b | \b\d+(?:st|nd|rd|th)\b
    | 第\s?\d+ | \d+(?:番目|番|位|章|節|四半期|回目|つ目) | [図表]\s?\d+
    | \b(?:chapter|section|figure|fig\.?|table|page|step|no\.|item|point)\s\d+(?:\.\d+)* | [①-⑳]""",
    _FLAGS | re.VERBOSE,
)
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d{1,3}(?:[ '’]\d{3})+(?!\d)|\d+)(?:\.\d+)?"
_SCALES = {"兆": 1e12, "億": 1e8, "百万": 1e6, "万": 1e4, "千": 1e3}
_SCALES |= {"thousand": 1e3, "million": 1e6, "billion": 1e9, "bn": 1e9, "k": 1e3, "m": 1e6}
_KINDS = {
    "percent": r"%|percent\b|パーセント(?!ポイント)|割",
    "points": r"pp\b|pts?\b|%?ポイント|パーセントポイント|percentage\spoints?\b|points?\b|点",
    "money": r"円|yen\b|jpy\b|usd\b|eur\b|dollars?\b|euros?\b",
    "times": r"倍|x\b",
    "days": r"日間?|days?\b",
    "months": r"[かヶヵカケ]月間?|months?\b",
    "count": r"人|名|件|社|通|回|個|customers?\b|orders?\b|answers?\b|people\b|deals?\b|quotes?\b|contacts?\b"
    r"|responses?\b|rows?\b|行",
}
_UNIT = "|".join(f"(?P<{kind}>{words})" for kind, words in _KINDS.items())
_NUMBER = re.compile(
    rf"""(?P<sign>(?:(?<![\w.,%)）年月日人名件社通回個円点割兆億万千])[-+−▲△](?=[\d¥$€£])|(?:\bminus|マイナス)\s?)?)
    (?P<cur>(?:[¥$€£]|\b(?:jpy|usd|eur)\s?)?)(?P<inner>(?:(?<=[¥$€£])[-−])?)
    (?P<num>{_DIGITS})
    (?P<rest>(?:\s?(?:兆|億|万)\s?(?:{_DIGITS})?(?=[兆億万千円]|\s?\D|$))*)
    \s?(?P<scale>千|百万|(?:thousand|million|billion|bn|k|m)\b)?
    (?:\s?-?(?:{_UNIT}))?""",
    _FLAGS | re.VERBOSE,
)
_PART = re.compile(rf"({_DIGITS})\s?(兆|億|万)?")
_BETWEEN = re.compile(r"\s*(?:-|–|—|~|〜|to|and|から|と)\s*", re.IGNORECASE)
_WITHIN = re.compile(r"\s*(?:-|–|—|~|〜|to|,|、|から)\s*", re.IGNORECASE)
#: What stands between the name of a score that is told in points only and its number.
_SCORE = re.compile(
    r"\bNPS®?(?:\s?\([^()]*\))?\s*(?:is|was|of|at|:|=|は|が)?\s*(?:now|about|around|約)?\s*$", _FLAGS
)
_ABOUT = re.compile(
    r"(?:about|around|roughly|approximately|approx\.|nearly|almost|(?:^|(?<=[\s(]))~|≈|約|およそ|ほぼ)\s*[¥$€£]?$",
    re.IGNORECASE,
)


def read_numbers(text: str) -> tuple[list[Number], list[Day]]:
    """Every number and every day of a text, line by line.

    Parameters
    ----------
    text
        Plain text or Markdown. Ordinals, numbered items, codes such as F2, times of day, addresses and names
        of files state no figure. Numbers in words are read as `number_words` writes them.

    Examples
    --------
    >>> numbers, days = read_numbers("Sales: about 2,142万円 (+5.1 pp) by Oct 15, 2026, F2 28.0–42.4%")
    >>> [(one.value, one.step, one.kind) for one in numbers]
    [(21420000.0, 10000.0, 'money'), (5.1, 0.1, 'points'), (28.0, 0.1, 'percent'), (42.4, 0.1, 'percent')]
    >>> [one[2:] for one in days]
    [(2026, 10, 15)]
    """
    numbers: list[Number] = []
    days: list[Day] = []
    for at, raw in enumerate(text.splitlines(), start=1):
        line, words = in_digits(unicodedata.normalize("NFKC", raw))
        line = re.sub(r"(\d)割\s?(\d)分", r"\1.\2割", line)
        for pattern in _DAYS:
            for match in re.finditer(pattern, line, _FLAGS):
                days.append(_day(at, match))
                line = _blank(line, match)
        for match in _NO_FIGURE.finditer(line):
            line = _blank(line, match)
        found = _of_range(line, [_number(at, line, match) for match in _NUMBER.finditer(line)])
        numbers += [one._replace(written=words.get(one.written, one.written)) for one in found]
    return numbers, days


def _blank(line: str, match: re.Match[str]) -> str:
    return line[: match.start()] + "\0" * len(match[0]) + line[match.end() :]


def _day(line: int, match: re.Match[str]) -> Day:
    held = match.groupdict()
    month = int(held["m"]) if held.get("m") else None
    if held.get("w"):
        month = next(at for at, name in enumerate(MONTHS, 1) if name.startswith(held["w"].lower()[:3]))
    year, day = (int(held[name]) if held.get(name) else None for name in ("y", "d"))
    return Day(line, match[0].strip(), year, month, day)


def _number(line: int, words: str, match: re.Match[str]) -> Number:
    parts = list(_PART.findall(match["num"] + match["rest"]))
    value, step, place = 0.0, 1.0, 1.0
    for digits, scale in parts:
        place = _SCALES.get(scale, 1.0)
        decimals = len(digits.partition(".")[2])
        value, step = value + float(re.sub(r"[, '’]", "", digits)) * place, place / 10**decimals
    factor = _SCALES.get((match["scale"] or "").lower(), 1.0)
    kind = next((name for name in _KINDS if match[name]), "money" if match["cur"] else "")
    if match["percent"] == "割":
        factor *= 10
    if _SCORE.search(words[: match.start()]):
        kind = {"": "points", "percent": "no_share"}.get(kind, kind)
    about = bool(_ABOUT.search(words[: match.start()])) or words[match.end() :].lstrip().startswith(
        ("程度", "前後")
    )
    sign = (match["sign"] or match["inner"]).strip()
    sign = sign if sign in ("", "+") else "-"
    start = match.start() + len(match[0]) - len(match[0].lstrip())
    written = match[0].strip()
    return Number(line, written, value * factor, step * factor, sign, kind, about, factor * place, start)


def _of_range(line: str, found: list[Number]) -> list[Number]:
    """Give numbers of a range the unit and size written once: 28.0–42.4%, 2 to 3 million, 5 pp (3 to 7)."""
    whole = list(found)
    for at in range(len(whole) - 2, -1, -1):
        one, following = whole[at], whole[at + 1]
        end = one.place + len(one.written)
        if one.kind or not following.kind or not _BETWEEN.fullmatch(line[end : following.place]):
            continue
        size = following.factor if one.factor == 1 else 1.0
        whole[at] = one._replace(kind=following.kind, value=one.value * size, step=one.step * size)
    for at in range(len(whole) - 2):
        of, *limits = whole[at : at + 3]
        between = [line[one.place + len(one.written) : after.place] for one, after in pairwise([of, *limits])]
        if (
            of.kind
            and not any(one.kind for one in limits)
            and re.fullmatch(r"\s*[(\[（［]\s*", between[0])
            and _WITHIN.fullmatch(between[1])
        ):
            for place, one in enumerate(limits, start=at + 1):
                size = of.factor if one.factor == 1 else 1.0
                whole[place] = one._replace(kind=of.kind, value=one.value * size, step=one.step * size)
    return whole
