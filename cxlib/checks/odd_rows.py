"""What stands out in frames that a function could not work with, in one sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cxlib.checks import CxError, InputError
from cxlib.language import text

if TYPE_CHECKING:
    import pandas as pd

#: Things told at most.
SHOWN = 6
#: What is said where a text is no number; the text is looked for, and not repeated.
_NO_NUMBER = re.compile(
    r"(?s)could not convert string to float: '(.*)'|invalid literal for int\(\) with base 10: '(.*)'"
    r"|Unable to parse string \"(.*)\" at position"
)
#: A name in small letters, which no value is.
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class _Odd:
    """What stands out, worded when the language is known."""

    found: list[tuple[str, dict[str, str]]]

    def text(self, lang: str) -> str:
        told = [text(f"checks.odd_{what}", lang, **values) for what, values in self.found[:SHOWN]]
        return text("language.list_separator", lang).join(told)


def name_odd_rows(error: Exception, frames: Mapping[str, pd.DataFrame]) -> None:
    """Raise `InputError` from the error where a frame holds what may have caused it; else return.

    Looked for: no rows at all, labels of rows that repeat, missing values, infinite numbers, text among other
    values, and text that was no number, as the error says. A missing argument, or one of another name, is not
    the rows' fault.

    Parameters
    ----------
    error
        What a function raised.
    frames
        Its frames, by the name of the argument.

    Examples
    --------
    >>> import pandas as pd
    >>> try:
    ...     name_odd_rows(IndexError("out of range"), {"orders": pd.DataFrame({"amount": []})})
    ... except InputError as told:
    ...     print(str(told)[:74])
    `orders` could not be worked with (IndexError). What stands out: it has no
    """
    at = error.__traceback__
    if isinstance(error, CxError) or (isinstance(error, TypeError) and at and not at.tb_next):
        return
    for argument, frame in frames.items():
        if not hasattr(frame, "columns") or not hasattr(frame, "index"):
            continue
        if odd := [*_texts(frame, error), *_oddities(frame)]:
            kind = type(error).__name__
            raise InputError("checks.odd_rows", argument=argument, kind=kind, odd=_Odd(odd)) from error


def _texts(frame: pd.DataFrame, error: Exception) -> Iterator[tuple[str, dict[str, str]]]:
    """Find the columns that hold the text which the error could not make a number of."""
    if not (told := _NO_NUMBER.search(str(error))):
        return
    text = next(each for each in told.groups() if each is not None)
    for name, values in frame.items():
        if values.dtype.kind in "OU" and _NAME.fullmatch(str(name)) and (values == text).any():
            yield "text", {"column": str(name)}


def _oddities(frame: pd.DataFrame) -> Iterator[tuple[str, dict[str, str]]]:
    import numpy as np
    import pandas as pd

    if not len(frame):
        yield "none", {}
        return
    if not frame.index.is_unique:
        yield "labels", {}
    for name, values in frame.items():
        if not _NAME.fullmatch(str(name)):
            continue
        told = {"column": str(name), "rows": f"{len(frame):,}"}
        is_mixed = values.dtype == object and pd.api.types.infer_dtype(values, skipna=True).startswith(
            "mixed"
        )
        counts = {
            "missing": int(values.isna().sum()),
            "infinite": int(np.isinf(values).sum()) if values.dtype.kind == "f" else 0,
            "mixed": len(frame) if is_mixed else 0,
        }
        yield from ((what, told | {"count": f"{count:,}"}) for what, count in counts.items() if count)
