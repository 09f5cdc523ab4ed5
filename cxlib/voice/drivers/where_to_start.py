"""Which driver the next improvement starts with: one rule for the finding, the badge and the decision."""

from __future__ import annotations

from typing import Any

import pandas as pd

PER_DRIVER = 10


def first_step(
    importance: pd.DataFrame, places: pd.DataFrame, *, needed: float = 0.975, n_drivers: int
) -> dict[str, Any]:
    """Say which driver to start with: important, not yet good, and first among those that are.

    Parameters
    ----------
    importance : DataFrame
        From `driver_importance`, with resamples.
    places : DataFrame
        From `importance_performance`, of the same answers.
    needed : float
        Share of resamples (0–1) that makes sure.
    n_drivers : int
        Drivers asked; ten answers each are needed.

    Returns
    -------
    dict
        ``verdict``: "start_here" (one driver), "several" (which of them comes first is not decided), "none"
        (no driver is surely important and not yet good) or "not_enough_data"; ``drivers`` to start with and
        ``then`` those that follow, most important first; ``top`` the most important driver of all, with
        ``top_first``, the share of resamples in which it came first, and ``is_top_good``: it needs no repair.

    Examples
    --------
    >>> importance = pd.DataFrame({"driver": ["a", "b"], "importance": [0.6, 0.4], "n": 90,
    ...                            "probability_first": [0.99, 0.01]})
    >>> places = pd.DataFrame({"driver": ["a", "b"], "probability_fix_first": [1.0, 0.99],
    ...                        "performance": 50.0, "performance_line": 75.0})
    >>> found = first_step(importance, places, n_drivers=2)
    >>> found["verdict"], found["drivers"], found["then"]
    ('start_here', ['a'], ['b'])
    """
    known = importance[importance["importance"].notna()]
    if known.empty:
        return {"verdict": "not_enough_data", "drivers": [], "then": [], "top": None}
    top = known.iloc[0]
    place = places.set_index("driver")
    sure = place.index[place["probability_fix_first"] >= needed]
    poor = [name for name in known["driver"] if name in sure]
    is_good = bool(place.loc[top["driver"], "performance"] >= place.loc[top["driver"], "performance_line"])
    found = {"top": top["driver"], "top_first": float(top["probability_first"]), "is_top_good": is_good}
    if int(importance["n"].min()) < PER_DRIVER * n_drivers:
        return {"verdict": "not_enough_data", "drivers": [], "then": [], **found}
    is_first = poor[:1] == [top["driver"]] and top["probability_first"] >= needed
    if len(poor) == 1 or (poor and is_first):
        return {"verdict": "start_here", "drivers": poor[:1], "then": poor[1:], **found}
    return {"verdict": "several" if poor else "none", "drivers": poor, "then": [], **found}
