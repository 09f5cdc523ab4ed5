"""Rows that an engine reads only when it computes: what it says of a damaged file, in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from cxlib.checks import InputError


@contextmanager
def in_words() -> Iterator[None]:
    """Turn DuckDB's error on pages it cannot read into a sentence; a lack of memory stays one.

    Raises
    ------
    InputError
        The rows cannot be read.

    Examples
    --------
    >>> try:
    ...     with in_words():
    ...         duckdb.sql("SELECT CAST('tea' AS INTEGER)").fetchall()
    ... except InputError as error:
    ...     print(error.key)
    tables.unreadable_rows
    """
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise InputError("tables.unreadable_rows") from error
