"""How fast deals go from stage to stage, to winning and to losing, by their age: rates with their doubt."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from cxlib.stats.arrays import Array

#: Stays a stage's own rates have to outweigh before they are told from those of all ages, or of all stages.
PRIOR_EXITS = 2.0
#: Deals' ages are cut where these shares of all that ended had ended.
CUTS = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Rates:
    """Exits seen and days watched by stage, way out and age; a class because forecasts draw from all of it.

    Attributes
    ----------
    stages
        Stages of open deals; the ways out are these, then "won" and "lost".
    cuts
        Ages in days that part the bands.
    shape, scale
        Gamma distribution of each rate per day, by band, stage and way out: `shape / scale` is its mean.
    starts
        Share of deals that begin at each stage.
    """

    stages: tuple[str, ...]
    cuts: Array
    shape: Array
    scale: Array
    starts: Array

    def day_matrices(self, rng: np.random.Generator | None = None, draws: int = 1) -> Array:
        """Chances of a day by draw, band, from and to (stages, won, lost); means without a generator."""
        m = len(self.stages)
        shape = np.broadcast_to(self.shape, (draws, *self.shape.shape))
        rates = shape / self.scale if rng is None else rng.gamma(shape) / self.scale
        moves = np.zeros((draws, len(self.cuts) + 1, m + 2, m + 2))
        moves[:, :, :m, :] = rates
        moves[:, :, range(m), range(m)] = 0
        moves[:, :, range(m), range(m)] = -moves[:, :, :m].sum(axis=3)
        return _exponential(moves)


def transition_rates(stays: pd.DataFrame, *, stages: tuple[str, ...]) -> Rates:
    """Count exits and days of deals' stays, by stage, way out and age of the deal.

    Parameters
    ----------
    stays
        As `stage_visits` gives them.
    stages
        Stages in order, at least one.

    Returns
    -------
    Rates
        A stage's rates at one age are drawn to its rates at all ages, and these to those of all stages, by as
        much as two exits weigh: a stage that nobody was seen to leave wins and loses as the others do.

    Examples
    --------
    >>> stays = pd.DataFrame({"stage": ["talk"] * 4, "entered": 0, "left": [10, 10, 20, 40],
    ...     "next": ["won", "won", "lost", None], "visit": 1})
    >>> rates = transition_rates(stays, stages=("talk",))
    >>> bool(rates.shape.sum() > 3), rates.day_matrices().shape
    (True, (1, 3, 3, 3))
    """
    m = len(stages)
    code = pd.Index(stages).get_indexer(pd.Index(stays["stage"]))
    out = pd.Index([*stages, "won", "lost"]).get_indexer(pd.Index(stays["next"].astype(object)))
    begin = stays["entered"].to_numpy(float)
    end = np.maximum(
        stays["left"].to_numpy(float), begin + 0.5
    )  # who leaves on the day was there for half of it
    over = stays["next"].isin(["won", "lost"]).to_numpy()
    ages = end[over] if over.any() else end
    cuts = np.unique(np.quantile(ages, CUTS)) if len(ages) else np.array([30.0])
    edges = np.concatenate([[0.0], cuts, [np.inf]])
    watched = np.zeros((len(cuts) + 1, m))
    events = np.zeros((len(cuts) + 1, m, m + 2))
    for band, (low, high) in enumerate(pairwise(edges)):
        spent = np.clip(np.minimum(end, high) - np.maximum(begin, low), 0, None)
        watched[band] = np.bincount(code, spent, m)
        there = (out >= 0) & (end > low) & (end <= high)
        np.add.at(events[band], (code[there], out[there]), 1)
    days, seen = watched.sum(axis=0), events.sum(axis=0)
    ends = np.zeros(m + 2)
    ends[m:] = seen[:, m:].sum(axis=0) / max(days.sum(), 1.0)
    of_stage = _drawn(seen, days[:, None], np.broadcast_to(ends, seen.shape))
    shape, scale = _gamma(events, watched[:, :, None], np.broadcast_to(of_stage, events.shape))
    first = np.bincount(code[stays["visit"].to_numpy() == 1], minlength=m).astype(float)
    starts = first / first.sum() if first.sum() else np.eye(m)[0]
    return Rates(stages, cuts, shape, scale, starts)


def _exponential(moves: Array, halvings: int = 8) -> Array:
    """Exponential of many small matrices at once: a short series of a small part of a day, squared."""
    part = moves / 2**halvings
    chances = np.eye(moves.shape[-1]) + part + part @ part / 2 + part @ part @ part / 6
    for _ in range(halvings):
        chances = chances @ chances
    return chances


def _gamma(events: Array, days: Array, prior: Array) -> tuple[Array, Array]:
    """Shape and scale of rates drawn to prior rates, which weigh as much as `PRIOR_EXITS` exits."""
    total = prior.sum(axis=-1, keepdims=True)
    weight = PRIOR_EXITS / np.where(total > 0, total, 1.0)
    return events + prior * weight + 1e-12, days + weight


def _drawn(events: Array, days: Array, prior: Array) -> Array:
    shape, scale = _gamma(events, days, prior)
    rates: Array = shape / scale
    return rates
