"""Shares of many groups, small ones drawn to the mean: a group of six is not the best for being small."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cxlib.stats.intervals import check_counts

#: Weight of the mean, in observations, where groups do not differ by more than chance.
ALL_ALIKE = 1e6


def shrunken_shares(successes: ArrayLike, n: ArrayLike) -> pd.DataFrame:
    """Draw the shares of groups (0–1) to their mean, the more the smaller the group.

    Parameters
    ----------
    successes, n : array-like
        Counts by group; effective numbers are allowed.

    Returns
    -------
    DataFrame
        By group `estimate` (as observed), `drawn` (to the mean) and `own_weight` (0–1, of its own
        observations; 0 where the groups do not differ by more than chance).

    Notes
    -----
    Beta-binomial empirical Bayes: prior mean is the share over all, its weight M in observations follows from
    the spread of the groups beyond chance, (x + M·mean) / (n + M).

    References
    ----------
    Kleinman (1973) JASA 68, 46–54; Morris (1983) JASA 78, 47–55.

    Examples
    --------
    >>> shrunken_shares([50, 20, 3], [100, 100, 4]).round(2).to_numpy().tolist()
    [[0.5, 0.49, 0.96], [0.2, 0.21, 0.96], [0.75, 0.55, 0.49]]
    """
    total = check_counts("n", n)
    x = check_counts("successes", successes, not_above=("n", total))
    with np.errstate(invalid="ignore", divide="ignore"):
        share, mean = x / total, x.sum() / total.sum()
        known = total > 0
        spread = (total * (share - mean) ** 2)[known].sum() - (known.sum() - 1) * mean * (1 - mean)
        room = total.sum() - (total**2).sum() / total.sum()
        between = max(spread / room, 0.0) if room > 0 else 0.0
        prior = min(max(mean * (1 - mean) / between - 1, 0.0), ALL_ALIKE) if between > 0 else ALL_ALIKE
    weight = total / (total + prior)
    drawn = np.where(known, weight * np.nan_to_num(share) + (1 - weight) * mean, np.nan)
    return pd.DataFrame(
        {"estimate": share, "drawn": drawn, "own_weight": np.where(weight < 1e-2, 0.0, weight)}
    )
