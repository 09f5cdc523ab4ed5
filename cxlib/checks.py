"""Errors a user can meet, and the wording of every one of them.

The wording lives in `cxlib/text/*.yml`, so that each message exists in both languages. A message names the
argument or file and column, what was expected, what was found, how often and where, and what to do. Values
that could identify a customer never appear in it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import NoReturn

from cxlib.language import text


class CxError(ValueError):
    """A user's mistake or a limit of the data; carries its catalogue key so that it can be said again.

    A class because callers need to tell the kinds apart, and the runner to re-word them in another language.
    """

    exit_code = 5

    def __init__(self, key: str, lang: str = "en", **values: object) -> None:
        self.key, self.values = key, values
        super().__init__(text(key, lang, **values))

    def in_language(self, lang: str) -> str:
        """Return the same message in another language."""
        return text(self.key, lang, **self.values)


class ParameterError(CxError):
    """An argument or a report parameter is wrong (exit code 2)."""

    exit_code = 2


class InputError(CxError):
    """A table or file does not hold what the contract asks for (exit code 3)."""

    exit_code = 3


def nearest(name: str, options: Iterable[object]) -> str:
    """Text naming the options closest to `name`, or all of them when none is close."""
    known = [str(option) for option in options]
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    return ", ".join(close or sorted(known)[:20])


def check_columns(data: object, /, **columns: str | None) -> None:
    """Raise unless each named column argument is in the frame; `check_columns(data, score_col="nps_score")`.

    Raises
    ------
    ParameterError
        Names the argument, the missing column and the nearest existing ones.
    """
    existing = list(data.columns)  # type: ignore[attr-defined]
    for argument, column in columns.items():
        if column is not None and column not in existing:
            raise ParameterError(
                "checks.missing_column", argument=argument, column=column, nearest=nearest(column, existing)
            )


def fail_option(argument: str, value: object, options: Iterable[object]) -> NoReturn:
    """Raise for a value that is not among the allowed ones, listing all of them."""
    raise ParameterError(
        "checks.unknown_option", argument=argument, value=repr(value), options=", ".join(map(str, options))
    )
