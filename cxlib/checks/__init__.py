"""Errors a user can meet, and the wording of every one of them.

The wording lives in `cxlib/text/*.yml`, so that each message exists in both languages. A message names the
argument or file and column, what was expected, what was found, how often and where, and what to do. Values
that could identify a customer never appear in it.
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from pathlib import Path
from typing import Any, Literal, NoReturn

from cxlib.checks.near_names import longer_names, near_names
from cxlib.language import text

#: Fewest customers any `min_cell` may ask for.
LEAST_CELL = 5


class CxError(ValueError):
    """A user's mistake or a limit of the data; carries its catalogue key so that it can be said again.

    A class because callers need to tell the kinds apart, and the runner to re-word them in another language.
    """

    exit_code = 5

    def __init__(self, key: str, lang: str = "en", **values: object) -> None:
        self.key, self.values = key, values
        super().__init__(self.in_language(lang))

    def in_language(self, lang: str) -> str:
        """Return the same message in another language, values that have a `text(lang)` included."""
        return text(self.key, lang, **{name: _worded(value, lang) for name, value in self.values.items()})


class ParameterError(CxError):
    """An argument or a report parameter is wrong (exit code 2)."""

    exit_code = 2


class InputError(CxError):
    """A table or file does not hold what the contract asks for (exit code 3)."""

    exit_code = 3


class NotEnoughData(InputError):
    """What a report needs is not there (exit code 4).

    A class because the runner ends the report at this place, says why on its page, and goes on with the rest.
    """

    exit_code = 4


class OutputError(CxError):
    """A folder or file cannot be written (exit code 6)."""

    exit_code = 6


def output_error(error: OSError | ValueError, place: Path) -> OutputError:
    """Return the plain-word form of a failed write; a ValueError is a name that no file can have."""
    kinds = {
        errno.ENOSPC: "disk_full",
        errno.EDQUOT: "disk_full",
        errno.EROFS: "not_writable",
        errno.EACCES: "not_writable",
        errno.EPERM: "not_writable",
        errno.ENOTDIR: "not_a_folder",
        errno.EEXIST: "not_a_folder",
        errno.ENAMETOOLONG: "name_too_long",
    }
    number = error.errno or 0 if isinstance(error, OSError) else 0
    reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    name = (place.name or str(place)).replace("\0", "?")[:80]
    return OutputError(f"runner.{kinds.get(number, 'cannot_write')}", place=name, reason=reason)


@dataclass(frozen=True)
class Problem:
    """One finding about a table: where, what was expected, what was found, how often, and what to do.

    A class because a finding is worded later, in the reader's language, and because several of them are
    reported together. An `error` stops the run; a `notice` is dealt with as its text says and shown in the
    report.

    Attributes
    ----------
    key : str
        Entry of the catalogue; its template names the expectation, the finding and the remedy.
    level : {"error", "notice"}
    file, column : str
        Where; the column is empty when the finding concerns the whole table.
    count, total : int
        Rows concerned, and rows looked at.
    rows : tuple of int
        First rows concerned; the first row of data is row 1.
    values : mapping
        What else the template names; never an id, a name or free text of a customer.
    """

    key: str
    level: Literal["error", "notice"]
    file: str
    column: str = ""
    count: int = 0
    total: int = 0
    rows: tuple[int, ...] = ()
    values: Mapping[str, object] = field(default_factory=dict, hash=False)

    def text(self, lang: str = "en") -> str:
        """Return the finding as sentences in one language."""
        where = text(
            "checks.column" if self.column else "checks.table", lang, file=self.file, column=self.column
        )
        values = {name: _worded(value, lang) for name, value in self.values.items()}
        return text(
            "checks.finding", lang, where=where, what=text(self.key, lang, place=self._place(lang), **values)
        )

    def _place(self, lang: str) -> str:
        place = text("checks.rows", lang, count=f"{self.count:,}", total=f"{self.total:,}")
        if not self.rows:
            return place
        return place + text("checks.first_rows", lang, rows=", ".join(f"{row:,}" for row in self.rows))


class TableError(InputError):
    """One or more tables do not hold what the contract asks for; `problems` has every finding.

    A class because `cx check` prints all findings one by one, while a report stops with one message.
    """

    def __init__(self, problems: Sequence[Problem], lang: str = "en") -> None:
        self.problems = tuple(problems)
        super().__init__("checks.problems", lang, problems=_Joined(self.problems))


class _Joined:
    """Several findings, one per line, worded when the language is known."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = problems

    def text(self, lang: str) -> str:
        return "\n".join(problem.text(lang) for problem in self.problems)


def _worded(value: object, lang: str) -> object:
    return value.text(lang) if hasattr(value, "text") else value


def nearest(name: str, options: Iterable[object]) -> str:
    """Text naming the options closest to `name`, or all of them when none is close; never for names in data.

    `cxlib.checks.near_names` is for those: a frame of somebody else's may have customers for columns.
    """
    known = [str(option) for option in options]
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    return ", ".join(close or sorted(known)[:20])


def check_frame(data: object, *, argument: str = "data") -> None:
    """Raise unless `data` is a pandas DataFrame; say what to do with one column, or with another table.

    Raises
    ------
    ParameterError
        Names the argument, what was found, and how to make a table of it.
    """
    kinds = {f"{kind.__module__.split('.')[0]}.{kind.__name__}" for kind in type(data).__mro__}
    if "pandas.DataFrame" in kinds:
        return
    if "pandas.Series" in kinds:
        raise ParameterError("checks.series", argument=argument)
    key = "checks.other_frame" if hasattr(data, "to_pandas") else "checks.no_frame"
    found = f"{type(data).__module__.split('.')[0]}.{type(data).__name__}"
    raise ParameterError(key, argument=argument, found=found)


def check_columns(data: object, /, **columns: str | None) -> None:
    """Raise unless each named column argument is in the frame; `check_columns(data, score_col="nps_score")`.

    Raises
    ------
    ParameterError
        Names the argument, the missing column and existing ones with nearly that name.
    """
    existing = list(data.columns)  # type: ignore[attr-defined]
    index = list(getattr(getattr(data, "index", None), "names", None) or ())
    for argument, column in columns.items():
        if column is not None and column not in existing:
            if column in index or not existing:
                key = "checks.in_index" if column in index else "checks.no_columns"
                raise ParameterError(key, argument=argument, column=column)
            names = [str(name) for name in existing]
            near = near_names(str(column), names)
            near = longer_names(str(column), names) if near == "–" else near
            key = "checks.no_such_column" if near == "–" else "checks.missing_column"
            raise ParameterError(key, argument=argument, column=column, nearest=near, count=len(existing))
        if column is not None and existing.count(column) > 1:
            raise ParameterError("checks.column_twice", argument=argument, column=column)


def check_times(data: Any, time_col: str) -> None:
    """Raise unless a column holds timestamps, with or without timezone, or nothing at all.

    Raises
    ------
    InputError
        Names the column and its type.
    """
    if data[time_col].dtype.kind != "M" and data[time_col].notna().any():
        raise InputError("journey.not_timestamps", column=time_col, dtype=str(data[time_col].dtype))


def check_group_names(by: str | Sequence[str] | None, result_columns: Iterable[str]) -> None:
    """Raise where a group column is called like a column of the result, which would overwrite it.

    Raises
    ------
    ParameterError
        Names the column and asks to rename it.
    """
    for name in [] if by is None else [by] if isinstance(by, str) else by:
        if name in set(result_columns):
            raise ParameterError("checks.group_name", column=name)


def fail_option(argument: str, value: object, options: Iterable[object]) -> NoReturn:
    """Raise for a value that is not among the allowed ones, listing all of them."""
    raise ParameterError(
        "checks.unknown_option", argument=argument, value=repr(value), options=", ".join(map(str, options))
    )


def check_min_cell(min_cell: object) -> int:
    """Return the smallest number of customers a shown row may stand for, or raise for one that hides nobody.

    Raises
    ------
    ParameterError
        If it is no whole number from 5.
    """
    if not isinstance(min_cell, Integral) or isinstance(min_cell, bool) or min_cell < LEAST_CELL:
        raise ParameterError("checks.min_cell", found=repr(min_cell)[:40], least=LEAST_CELL)
    return int(min_cell)
