"""Missing driver items: several plausible completions, and estimates that carry the doubt between them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.stats.arrays import Array

COMPLETIONS, CYCLES = 10, 5
MANY = 20_000  # answers from which half the completions do: the doubt is small


class AnswerCells(NamedTuple):
    """Answers added up where drivers and outcome are the same; a class because the columns go together.

    Cells of complete answers stand first, then each answer with a gap by itself, in order of the answers.
    """

    x: Array
    group: NDArray[np.int64]
    of: NDArray[np.int64]
    n_complete: int

    def sums(self, values: Array) -> Array:
        """Add up a value of each answer by cell."""
        return np.bincount(self.of, values, len(self.x)).astype(np.float64)


def to_cells(x: Array, group: NDArray[np.int64]) -> AnswerCells:
    """Find the answers that are alike: whatever is a sum over answers costs as much as there are cells."""
    whole = np.isfinite(x).all(axis=1)
    code = group[whole]
    for column in x[whole].T:
        level = pd.factorize(column)[0]
        code = pd.factorize(code * (level.max(initial=0) + 1) + level)[0].astype(np.int64)
    code = pd.factorize(code)[0].astype(np.int64)
    n = int(code.max(initial=-1)) + 1
    of = np.empty(len(x), dtype=np.int64)
    of[whole], of[~whole] = code, n + np.arange(len(x) - len(code))
    answer = np.empty(len(x) - len(code) + n, dtype=np.int64)
    answer[of[::-1]] = np.arange(len(x))[::-1]
    return AnswerCells(x[answer], group[answer], of, n)


def completions(x: Array, cells: AnswerCells, *, seed: int) -> Iterator[Array]:
    """Give the drivers of each cell as they are when nothing is missing, else completions drawn item by item.

    Each gap is drawn from the regression of its item on the other items and the outcome's groups, the
    regression itself drawn from its posterior (chained equations, van Buuren 2007). Assumes that items are
    missing at random given what was answered. Without the outcome in it, slopes would come out too flat.
    """
    known, count = np.isfinite(cells.x), cells.sums(np.ones(len(x)))
    if known.all():
        yield cells.x
        return
    rng = np.random.default_rng(seed)
    groups = np.eye(int(cells.group.max()) + 1)[cells.group]
    gaps = np.flatnonzero(~known.all(axis=0))
    pools = {j: x[np.isfinite(x[:, j]), j] for j in gaps}
    filled = np.hstack([groups, cells.x])
    first = groups.shape[1]
    whole = filled[: cells.n_complete]
    base = whole.T @ (count[: cells.n_complete, None] * whole)
    for _ in range(COMPLETIONS if len(x) < MANY else COMPLETIONS // 2):
        for j in gaps:
            filled[~known[:, j], first + j] = rng.choice(pools[j], int((~known[:, j]).sum()))
        for _ in range(CYCLES if len(gaps) > 1 else 1):
            for j in gaps:
                drawn = _draw(rng, filled, first + j, known[:, j], (count, base, cells.n_complete))
                filled[~known[:, j], first + j] = drawn
        yield filled[:, first:].copy()


def _draw(
    rng: np.random.Generator,
    filled: Array,
    item: int,
    known: NDArray[np.bool_],
    counted: tuple[Array, Array, int],
) -> Array:
    """Draw a regression of the item from its posterior, then the gaps from it.

    `counted`: how many answers each cell holds, and the products of the complete cells, so many, added up.
    """
    count, base, n_complete = counted
    some, seen = filled[n_complete:], known[n_complete:]
    product = base + some.T @ (seen[:, None] * some)
    others = np.delete(np.arange(filled.shape[1]), item)
    bread = np.linalg.pinv(product[np.ix_(others, others)], hermitian=True)
    slopes = np.zeros(filled.shape[1])
    slopes[others] = bread @ product[others, item]
    df = max(int(count @ known) - len(others), 1)
    off = filled[:, item] - filled @ slopes
    spread = np.sqrt((count * known) @ off**2 / rng.chisquare(df))
    roots, vectors = np.linalg.eigh(bread)
    drawn = slopes.copy()
    drawn[others] += spread * vectors @ (np.sqrt(np.maximum(roots, 0)) * rng.normal(size=len(roots)))
    return filled[~known] @ drawn + spread * rng.normal(size=int((~known).sum()))


def pool(estimates: Array, variances: Array) -> tuple[Array, Array, Array]:
    """Rubin's rules: mean, standard error and degrees of freedom over completions (first axis).

    References
    ----------
    Rubin (1987) Multiple Imputation for Nonresponse in Surveys.
    """
    m = len(estimates)
    within = variances.mean(axis=0)
    if m == 1:
        return estimates[0], np.sqrt(within), np.full(within.shape, np.inf)
    between = (1 + 1 / m) * estimates.var(axis=0, ddof=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        df = (m - 1) * (1 + within / between) ** 2
    return estimates.mean(axis=0), np.sqrt(within + between), df
