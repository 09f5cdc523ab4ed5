"""A chart given the wrong table says so in a sentence, instead of by the column it happens to miss first."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import pandas as pd

from cxlib.checks import ParameterError
from cxlib.checks.near_names import near_names

P = ParamSpec("P")
R = TypeVar("R")


def takes_results(source: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Wrap a chart of the result of `source`: its tables must be frames, and hold the columns it draws.

    Raises
    ------
    ParameterError
        Names the chart, its argument, what was given or which column is missing, and `source`.
    """

    def wrap(draw: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(draw)
        parts = signature.parameters.items()
        tables = [name for name, part in parts if part.kind is part.POSITIONAL_OR_KEYWORD]

        @functools.wraps(draw)
        def drawn(*args: P.args, **kwargs: P.kwargs) -> R:
            given = signature.bind(*args, **kwargs).arguments
            said: dict[str, Any] = {"chart": draw.__name__, "source": source}
            for name in tables:
                if not isinstance(given[name], pd.DataFrame):
                    kind = type(given[name]).__name__
                    raise ParameterError("plots.not_a_frame", argument=name, found=kind, **said)
            columns = {str(column) for name in tables for column in given[name].columns}
            try:
                return draw(*args, **kwargs)
            except (KeyError, AttributeError) as error:
                lacked = _column(error)
                if lacked is None or lacked in columns:
                    raise
                said |= {"argument": tables[0], "column": lacked}
                near = near_names(lacked, columns)
                raise ParameterError("plots.wrong_result", nearest=near, **said) from error

        return drawn

    return wrap


def _column(error: KeyError | AttributeError) -> str | None:
    """Tell which column the error is about; None where it is about something else."""
    words = str(error.args[0]) if error.args else ""
    if isinstance(error, AttributeError):
        found = re.search(r"'(?:Pandas|DataFrame|Series)' object has no attribute '(\w+)'", words)
    else:
        found = re.fullmatch(r"(\w+)", words) or re.search(r"'(\w+)'", words)
    return found.group(1) if found else None
