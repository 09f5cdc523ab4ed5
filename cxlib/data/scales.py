"""The middle of a declared scale, below which a score is negative."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

#: Where a frame of a data set keeps the scales of its columns: `frame.attrs[SCALES]["valence"]`.
SCALES = "scales"


def with_scales(frame: pd.DataFrame, scales: Mapping[str, tuple[float, float]]) -> pd.DataFrame:
    """Write the declared scale of each score into the frame, so that functions find the middle by themselves.

    Examples
    --------
    >>> with_scales(pd.DataFrame({"valence": [1, 5]}), {"valence": (1, 5)}).attrs
    {'scales': {'valence': (1, 5)}}
    """
    frame.attrs[SCALES] = {name: scale for name, scale in scales.items() if name in frame.columns}
    return frame


def neutral_score(data: pd.DataFrame, score_col: str, neutral: float | None = None) -> float:
    """Score that is neither good nor bad; below it an answer is negative.

    Parameters
    ----------
    data
        Rows with the score; those of `cx.open_data` carry the scale that dataset.yml declares.
    score_col
        The score.
    neutral
        The middle, if known otherwise.

    Returns
    -------
    float
        `neutral`, or the middle of the declared scale ((lowest + highest) / 2: 3 of 1–5, 5.5 of 1–10, which
        nobody can choose), or 0 where none is declared.

    Examples
    --------
    >>> rows = with_scales(pd.DataFrame({"valence": [1, 5]}), {"valence": (1, 5)})
    >>> neutral_score(rows, "valence"), neutral_score(pd.DataFrame({"valence": [1]}), "valence")
    (3.0, 0.0)
    """
    declared: Mapping[str, Any] = data.attrs.get(SCALES, {})
    if neutral is not None or score_col not in declared:
        return float(neutral or 0.0)
    low, high = declared[score_col]
    return (float(low) + float(high)) / 2
