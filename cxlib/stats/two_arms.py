"""Columns that tell two things apart (treated or not, after or before, an arm by its name); pairs of counts.

One check for every function that takes such a column, because any other number would count as "true" and give
a wrong result without a word.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from cxlib.checks import ParameterError, check_columns

Mask = npt.NDArray[np.bool_]
ARMS = ("treatment", "control")


def flags(data: pd.DataFrame, argument: str, column: str) -> tuple[Mask, Mask]:
    """Read a column of true/false or 0/1.

    Parameters
    ----------
    data : DataFrame
    argument, column : str
        The argument that named the column, for the message; the column.

    Returns
    -------
    array, array
        Whether each row is true (false where missing); whether it is known.

    Raises
    ------
    ParameterError
        Another number or a text; the message counts the rows and never repeats a text.

    Examples
    --------
    >>> flags(pd.DataFrame({"treated": [1.0, 0.0, None]}), "treated_col", "treated")
    (array([ True, False, False]), array([ True,  True, False]))
    """
    check_columns(data, **{argument: column})
    held = data[column]
    if held.dtype == bool:
        return held.to_numpy(), np.ones(len(held), dtype=bool)
    known = held.notna().to_numpy()
    is_plain = pd.api.types.is_numeric_dtype(held)
    number = (
        held.to_numpy(dtype=float, na_value=np.nan)
        if is_plain
        else pd.to_numeric(held.astype(object), errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    )
    is_text = np.array([isinstance(value, str) for value in held] if not is_plain else False)
    wrong = known & (~np.isin(number, (0.0, 1.0)) | is_text)
    if wrong.any():
        raise ParameterError(
            "checks.not_flags" if not (wrong & is_text).any() else "checks.flags_are_text", argument=argument,
            column=column, count=f"{int(wrong.sum()):,}", rows=f"{len(data):,}",
            first=f"{int(np.flatnonzero(wrong)[0]) + 1:,}",
        )  # fmt: skip
    return number == 1, known


def check_arms(data: pd.DataFrame, *, arm_col: str = "arm") -> None:
    """Raise unless a column holds only `treatment` and `control`, in every row.

    Raises
    ------
    ParameterError
        Counts the rows that hold something else, or nothing.
    """
    check_columns(data, arm_col=arm_col)
    wrong = ~data[arm_col].isin(ARMS).to_numpy()
    if wrong.any():
        raise ParameterError(
            "checks.not_arms", column=arm_col, count=f"{int(wrong.sum()):,}", rows=f"{len(data):,}",
            first=f"{int(np.flatnonzero(wrong)[0]) + 1:,}",
        )  # fmt: skip


def check_counts(hits: Sequence[float], sizes: Sequence[float]) -> None:
    """Raise unless each of `hits` is a count of 0 or more, and none above the group it was counted in.

    Raises
    ------
    ParameterError
        Tells which of the groups is wrong, and how.
    """
    for place, (found, size) in enumerate(zip(hits, sizes, strict=True), start=1):
        if not 0 <= found <= size < np.inf:
            raise ParameterError("checks.not_counts", place=place, hits=f"{found:g}", size=f"{size:g}")
