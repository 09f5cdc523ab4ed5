"""The middle of a declared scale, below which a score is negative, and its best boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cxlib.checks import ParameterError

#: Where a frame of a data set keeps the scales of its columns: `frame.attrs[SCALES]["valence"]`.
SCALES = "scales"
#: Scale of feelings where none is declared, as the contract has it.
CONVENTION = (-2, 2)
#: Codes of how many boxes count as satisfied, for sentences.
BOXES = {1: "one_box", 2: "two_boxes", 3: "three_boxes"}


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

    Raises
    ------
    ParameterError
        If no scale is declared and the scores run from 0 or above to more than 2: no scale around 0 does.

    Examples
    --------
    >>> rows = with_scales(pd.DataFrame({"valence": [1, 5]}), {"valence": (1, 5)})
    >>> neutral_score(rows, "valence"), neutral_score(pd.DataFrame({"valence": [1]}), "valence")
    (3.0, 0.0)
    """
    declared: Mapping[str, Any] = data.attrs.get(SCALES, {})
    if neutral is not None:
        return float(neutral)
    if score_col not in declared:
        _check_around_zero(data, score_col)
        return 0.0
    low, high = declared[score_col]
    return (float(low) + float(high)) / 2


def _check_around_zero(data: pd.DataFrame, score_col: str) -> None:
    """Refuse scores such as 1 to 5, of which none would be negative whatever people felt."""
    if score_col not in data:
        return
    scores = pd.to_numeric(data[score_col], errors="coerce")
    scores = scores[scores.abs() < float("inf")]
    if len(scores) and scores.min() >= 0 and scores.max() > CONVENTION[1]:
        seen = {"low": f"{scores.min():g}", "high": f"{scores.max():g}"}
        raise ParameterError("journey.no_middle", argument="neutral", column=score_col, **seen)


def best_boxes(scale: Sequence[float]) -> int:
    """Count the boxes at the best end of a scale that mean satisfied, by its number of points.

    Parameters
    ----------
    scale
        Lowest and highest box, whole numbers.

    Returns
    -------
    int
        1 of two or three points, 2 of four to seven, 3 of eight or more, so that about a third counts: two of
        five is the convention, and two of three would hold the neutral box.

    Examples
    --------
    >>> [best_boxes(scale) for scale in ((0, 2), (1, 5), (1, 7), (1, 10), (0, 10))]
    [1, 2, 2, 3, 3]
    """
    points = round(scale[1] - scale[0]) + 1
    return 1 if points <= 3 else 2 if points <= 7 else 3


def satisfied_from(scale: Sequence[float]) -> float:
    """Lowest score that counts as satisfied, the first of the `best_boxes`.

    Examples
    --------
    >>> satisfied_from((1, 5)), satisfied_from((0, 2)), satisfied_from((1, 10))
    (4, 2, 8)
    """
    return scale[1] - best_boxes(scale) + 1
