"""Where the promoters begin and the detractors end: the cut of the scores from 0 to 10."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cxlib.stats.arrays import Array

ATTITUDES = ("promoter", "passive", "detractor")
#: Lowest score of a promoter, highest of a detractor.
PROMOTER, DETRACTOR = 9, 6


def attitude(score: pd.Series) -> pd.Series:
    """Call a score of 0–10 promoter, passive or detractor; a missing score has no attitude.

    Examples
    --------
    >>> attitude(pd.Series([10, 7, 0])).tolist()
    ['promoter', 'passive', 'detractor']
    """
    words = pd.cut(
        score.astype(float), [-0.5, DETRACTOR + 0.5, PROMOTER - 0.5, 10.5], labels=list(ATTITUDES[::-1])
    )
    return words.astype("string")


def nps_points(score: ArrayLike) -> Array:
    """Points whose mean is the NPS: 100 for a promoter, 0 for a passive, -100 for a detractor.

    Examples
    --------
    >>> nps_points([10, 7, 0]).tolist()
    [100.0, 0.0, -100.0]
    """
    held = np.asarray(score)
    return 100.0 * ((held >= PROMOTER).astype(float) - (held <= DETRACTOR))
