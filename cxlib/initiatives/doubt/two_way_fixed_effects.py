"""Two-way fixed effects taken apart: shown only to say why they are not used."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError, check_columns
from cxlib.stats.arrays import Array
from cxlib.stats.event_study.group_time_cells import Whole, wide


def twoway_weights(
    panel: pd.DataFrame, *, outcome_col: str, unit_col: str, time_col: str, start_col: str
) -> pd.DataFrame:
    """Take the two-way fixed effects estimate apart into the 2×2 comparisons it is a weighted mean of.

    Parameters
    ----------
    panel : DataFrame
        One row per unit and period; units without an outcome in every period are left out.
    outcome_col, unit_col, time_col, start_col : str
        Outcome; unit; numeric period; the unit's first treated period (missing: never).

    Returns
    -------
    DataFrame
        One row per comparison: `comparison` (`treated_untreated`, `earlier_later`: earlier against later
        treated, `later_earlier`: later treated against units *already* treated), `start, control_start`
        (missing: never), `metric` (twoway), `estimate, weight, n` (units). Weights add up to 1, and the
        weighted estimates to the coefficient of a regression with unit and period effects.

    Raises
    ------
    ParameterError
        A column is missing, or nobody changes from untreated to treated.

    Notes
    -----
    `later_earlier` is why these regressions are not used here: units already treated serve as controls, and
    an effect that grows over time is subtracted from the later ones' effect. Units treated from the first
    period on count as such controls (`control_start` is their start).

    References
    ----------
    Goodman-Bacon (2021), Journal of Econometrics 225(2). Checked against R's `bacondecomp`.

    Examples
    --------
    >>> panel = pd.DataFrame({"u": list("aaabbb"), "t": [0, 1, 2] * 2, "y": [0.0, 1, 2, 0, 0, 1],
    ...                       "g": [1.0] * 3 + [2.0] * 3})
    >>> twoway_weights(panel, outcome_col="y", unit_col="u", time_col="t",
    ...                start_col="g")[["comparison", "estimate", "weight"]].to_numpy().tolist()
    [['earlier_later', 1.0, 0.5], ['later_earlier', 0.0, 0.5]]
    """
    check_columns(panel, outcome_col=outcome_col, unit_col=unit_col, time_col=time_col, start_col=start_col)
    times, start, blocks = wide(panel, [outcome_col], unit_col, time_col, start_col)
    outcome = blocks[0]
    start = np.where(start > times[-1], np.inf, np.maximum(start, times[0])) if len(times) else start
    groups, place, sizes = np.unique(start, return_inverse=True, return_counts=True)
    means = np.array([outcome[place == group].mean(axis=0) for group in range(len(groups))])
    rows = []
    for own, other in permutations(range(len(groups)), 2):
        if groups[own] <= times[0] or groups[own] == np.inf:
            continue
        rows.append(_pair(groups[[own, other]], times, sizes[[own, other]], means[[own, other]]))
    if not rows:
        raise ParameterError("impact.no_treated", argument=start_col)
    frame = pd.DataFrame(rows)
    frame["weight"] /= frame["weight"].sum()
    frame["control_start"] = frame["control_start"].replace(np.inf, np.nan)
    order = ["comparison", "start", "control_start"]
    columns = [*order, "metric", "estimate", "weight", "n"]
    frame["place"] = frame["comparison"].map(_ORDER)
    return frame.sort_values(["place", "start", "control_start"], ignore_index=True)[columns]


_ORDER = {"treated_untreated": 0, "earlier_later": 1, "later_earlier": 2}


def _pair(starts: Array, times: Array, sizes: Whole, means: Array) -> dict[str, object]:
    """One comparison, from start, number and mean outcome by period of its two groups."""
    own, other = starts
    later = other < own
    window = times >= other if later else times < other
    post = window & (times >= own)
    pre = window & (times < own)
    change = means[:, post].mean(axis=1) - means[:, pre].mean(axis=1)
    n_own, n_other, periods = int(sizes[0]), int(sizes[1]), len(times)
    share = n_own / (n_own + n_other)
    inside = window.sum() / periods
    treated = post.sum() / window.sum()
    weight = ((n_own + n_other) * inside) ** 2 * share * (1 - share) * treated * (1 - treated)
    kind = "later_earlier" if later else "treated_untreated" if other == np.inf else "earlier_later"
    return {
        "comparison": kind, "start": own, "control_start": other, "metric": "twoway",
        "estimate": float(change[0] - change[1]), "weight": float(weight), "n": n_own + n_other,
    }  # fmt: skip
