"""Whether what is asked for by name, such as a step or a stage, occurs in the data at all."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Any

import pandas as pd

from cxlib.checks import ParameterError
from cxlib.checks.near_names import near_names

#: Likeness from which on a name is taken for a slip of the pen.
SLIP = 0.85


def check_occurs(
    data: pd.DataFrame,
    names: str | Iterable[Any] | None,
    *,
    argument: str,
    column: str,
    slips_only: bool = False,
) -> None:
    """Raise when a name is a value of no row; where there are no values, nothing can be told.

    Parameters
    ----------
    data
        Rows in which the names should occur; the categories of a categorical column count as occurring.
    names
        One, or several; None asks for nothing.
    argument, column
        The argument that held them, and the column of `data` to look in.
    slips_only
        Pass over a name that simply does not occur, as in a small part of the data, and raise only where
        another name of the data is this one but for a letter too many, too few or in another place.

    Raises
    ------
    ParameterError
        Names the values that never occur and those that are called nearly so.

    Examples
    --------
    >>> rows = pd.DataFrame({"page": ["home", "cart"]})
    >>> check_occurs(rows, ["home", "pay"], argument="steps", column="page", slips_only=True)
    """
    held = data[column]
    known = held.cat.categories if isinstance(held.dtype, pd.CategoricalDtype) else held.dropna().unique()
    asked = list(dict.fromkeys([names] if isinstance(names, str) else names or ()))
    others = [str(value) for value in set(known) - set(asked)]
    missing = [str(name) for name in asked if len(known) and name not in set(known)]
    if slips_only:
        missing = [name for name in missing if any(_is_slip(name, other) for other in others)]
    if not missing:
        return
    near = ", ".join(dict.fromkeys(near for name in missing if (near := near_names(name, others)) != "–"))
    raise ParameterError(
        "checks.never_occurs",
        argument=argument,
        found=", ".join(map(repr, missing[:5])),
        column=column,
        nearest=near or "–",
    )


def _is_slip(name: str, other: str) -> bool:
    """Whether two names differ by a letter more or less or by their order, not by another one: a and b do."""
    is_other = len(name) == len(other) and sorted(name) != sorted(other)
    return not is_other and SequenceMatcher(None, name.lower(), other.lower()).ratio() >= SLIP
