"""Column names of a file as messages may show them: never a value that stands where a name should."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from cxlib.checks.near_names import MOST, looks_like_data
from cxlib.data.personal_columns import has_personal_name

_PLAIN = re.compile(r"[a-z]+(?:_[a-z]+)*")


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
