"""Results of many groups put into one frame at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd


def stacked(parts: Iterable[dict[str, Any]], columns: Sequence[str] = ()) -> pd.DataFrame:
    """Make one frame of the columns of each group: a frame per group takes longer than its numbers.

    Parameters
    ----------
    parts : iterable of dict
        The same columns each: arrays and lists hold the rows of the group, any other value all of them.
    columns : sequence of str
        What the columns are where there are no groups.

    Returns
    -------
    pandas.DataFrame
        Rows in the order given.

    Examples
    --------
    >>> stacked([{"g": "a", "x": np.array([1, 2])}, {"g": "b", "x": np.array([3])}]).values.tolist()
    [['a', 1], ['a', 2], ['b', 3]]
    """
    pieces: dict[str, list[Any]] = {}
    for part in parts:
        rows = next(len(values) for values in part.values() if isinstance(values, (np.ndarray, list)))
        for name, values in part.items():
            whole = isinstance(values, (np.ndarray, list))
            pieces.setdefault(name, []).append(values if whole else [values] * rows)
    if not pieces:
        return pd.DataFrame(columns=list(columns), dtype=float)
    return pd.DataFrame({name: _joined(held) for name, held in pieces.items()})


def _joined(pieces: list[Any]) -> Any:
    arrays = all(isinstance(piece, np.ndarray) for piece in pieces)
    return np.concatenate(pieces) if arrays else list(chain.from_iterable(pieces))
