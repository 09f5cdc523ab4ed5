"""Buyers whose pace and chance to leave are known, to try the purchase models on."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cxlib.checks import ParameterError


def draw_histories(pace: ArrayLike, drop: ArrayLike, *, age: ArrayLike, seed: int) -> pd.DataFrame:
    """Draw the histories of buyers who order at a pace of their own until, after an order, they are gone.

    Parameters
    ----------
    pace
        Orders per unit of time of each buyer while there, > 0.
    drop
        Chance of each to be gone after a repeat purchase, 0–1.
    age
        Time observed since the first purchase, one for all or one each, > 0.
    seed
        Start of the random numbers; not that of a generator that paces and chances were drawn with, whose
        numbers would come again.

    Returns
    -------
    DataFrame
        One row per buyer: `x` repeat purchases, `t_x` time of the last (0 without one), `age`, `is_alive`.

    Raises
    ------
    ParameterError
        If paces or ages are not above 0, or chances outside 0–1.

    References
    ----------
    Fader, Hardie & Lee (2005) Marketing Science 24, 275–284.

    Examples
    --------
    >>> draw_histories([0.5, 0.5], [0.0, 1.0], age=1_000, seed=1)["x"].to_list()
    [474, 1]
    """
    rate, chance = np.broadcast_arrays(np.asarray(pace, dtype=float), np.asarray(drop, dtype=float))
    end = np.broadcast_to(np.asarray(age, dtype=float), rate.shape)
    if not ((rate > 0).all() and (end > 0).all() and ((chance >= 0) & (chance <= 1)).all()):
        raise ParameterError("customer_value.impossible_buyers")
    rng = np.random.default_rng(seed)
    x, t_x, alive = np.zeros(len(rate), int), np.zeros(len(rate)), np.ones(len(rate), bool)
    active = np.arange(len(rate))
    while active.size:
        following = t_x[active] + rng.exponential(1 / rate[active])
        seen = following <= end[active]
        active, following = active[seen], following[seen]
        x[active] += 1
        t_x[active] = following
        gone = rng.random(active.size) < chance[active]
        alive[active[gone]] = False
        active = active[~gone]
    return pd.DataFrame({"x": x, "t_x": t_x, "age": end, "is_alive": alive})
