"""Results of many groups put into one frame at once."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd


def stacked(parts: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Make one frame of the columns of each group: a frame per group takes longer than its numbers.

    Parameters
    ----------
    parts : iterable of dict
        The same columns each: arrays and lists hold the rows of the group, any other value all of them.

    Returns
    -------
    pandas.DataFrame
        Rows in the order given; without columns where there are no groups.

    Examples
    --------
    >>> stacked([{"g": "a", "x": np.array([1, 2])}, {"g": "b", "x": np.array([3])}]).values.tolist()
    [['a', 1], ['a', 2], ['b', 3]]
    """
    columns: dict[str, list[Any]] = {}
    for part in parts:
        rows = next(len(values) for values in part.values() if isinstance(values, (np.ndarray, list)))
        for name, values in part.items():
            whole = isinstance(values, (np.ndarray, list))
            columns.setdefault(name, []).append(values if whole else [values] * rows)
    return pd.DataFrame({name: _joined(pieces) for name, pieces in columns.items()})


def _joined(pieces: list[Any]) -> Any:
    arrays = all(isinstance(piece, np.ndarray) for piece in pieces)
    return np.concatenate(pieces) if arrays else list(chain.from_iterable(pieces))
