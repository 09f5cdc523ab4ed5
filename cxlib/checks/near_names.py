"""Names near to a known one, as messages may show them: never a value that stands where a name should."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence

CLOSE = 0.7
MOST = 60
_MAIL = r"[^@＠\s,;<>]+[@＠][^@＠\s,;<>]+[.．][^@＠\s,;<>]+"
MAIL = rf"^\s*(?:.*<)?(?:mailto:)?{_MAIL}>?\s*$"
_VALUE = re.compile(
    rf"{MAIL}|^[\s¥￥$€(]*[-+]?\d[\d.,:/\- T+Z)]*$|\d{{4}}年|\d{{1,2}}月\d{{1,2}}日"
    r"|^\(?0\d[\d\-() ]{7,}$|\d{5,}"
)
#: A name in small letters, which no value is.
_PLAIN = re.compile(r"[a-z]{1,20}(?:_[a-z]{1,20}){0,5}")


def looks_like_data(names: Sequence[str]) -> bool:
    """Whether the cells of a first line hold a value, such as a number, a day or a mail address.

    Examples
    --------
    >>> looks_like_data(["taro@example.jp", "2026-01-01"]), looks_like_data(["order_id", "税率10%"])
    (True, False)
    """
    return any(_VALUE.search(unicodedata.normalize("NFKC", name).strip()) for name in names)


def near_names(name: str, names: Iterable[str]) -> str:
    """Names in a file that differ little from a name that is known, so that they cannot be a value; or –."""
    close = {other: difflib.SequenceMatcher(None, _folded(name), _folded(other)).ratio() for other in names}
    found = [
        other
        for other, ratio in sorted(close.items(), key=lambda pair: -pair[1])
        if ratio >= CLOSE and len(other) <= MOST and not looks_like_data([other])
    ]
    return ", ".join(found[:3]) or "–"


def longer_names(name: str, names: Iterable[str]) -> str:
    """Plain names, in small letters, of which a name is a whole word, such as `nps_score` for `nps`; or –."""
    words = [other for other in names if _PLAIN.fullmatch(other) and name in other.split("_")]
    return ", ".join(words[:3]) or "–"


def _folded(name: str) -> str:
    return re.sub(r"[^\w]+|_+", "_", unicodedata.normalize("NFKC", name).strip().lower())
