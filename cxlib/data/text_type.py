"""The type of text columns, by itself: `"str"` in pandas 2 means objects, and makes a missing text a word."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
import pyarrow as pa

#: What pandas 3 calls `str`: text held by Arrow, missing as NaN.
TEXT = pd.StringDtype("pyarrow", na_value=np.nan)

#: For `to_pandas(types_mapper=…)`: text comes from Arrow as text in either version of pandas.
FROM_ARROW = {pa.string(): TEXT, pa.large_string(): TEXT}.get


def text_column(cells: Iterable[str | None]) -> pa.ChunkedArray:
    """Texts as Arrow holds them; without rows, too, where pandas hands over no chunk that tells its type."""
    return pa.chunked_array([pa.array(cells, pa.string())], pa.string())


def each(cells: pd.Series, change: Callable[[str], str]) -> pd.Series:
    """Change every different text once, and put the result wherever it stands."""
    codes, different = pd.factorize(cells)
    changed = pd.Series([change(cell) for cell in different.to_numpy(dtype=object)], dtype=TEXT)
    return changed.take(codes).set_axis(cells.index)
