"""Column names of a file as messages may show them: never a value that stands where a name should."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence

from cxlib.personal import MAIL, has_personal_name

CLOSE = 0.7
MOST = 60
_VALUE = re.compile(
    rf"{MAIL}|^[\s¥￥$€(]*[-+]?\d[\d.,:/\- T+Z)]*$|\d{{4}}年|\d{{1,2}}月\d{{1,2}}日"
    r"|^\(?0\d[\d\-() ]{7,}$|\d{5,}"
)
_PLAIN = re.compile(r"[a-z]+(?:_[a-z]+)*")


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


def shown_names(names: Sequence[str], known: Iterable[str]) -> dict[str, str]:
    """How each column beyond the known ones is called in messages: by its name, or by its place `#7`.

    A name is shown when it is a plain word in small letters or a word for personal data, which no value is.
    """
    own = set(known)
    return {
        name: f"#{at}"
        for at, name in enumerate(names, 1)
        if name not in own
        and not _PLAIN.fullmatch(name[: MOST + 1])
        and (looks_like_data([name]) or len(name) > MOST or not has_personal_name(name))
    }


def _folded(name: str) -> str:
    return re.sub(r"[^\w]+|_+", "_", unicodedata.normalize("NFKC", name).strip().lower())
