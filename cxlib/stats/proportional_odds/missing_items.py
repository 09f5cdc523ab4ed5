"""Missing driver items: several plausible completions, and estimates that carry the doubt between them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
COMPLETIONS, CYCLES = 10, 5
MANY = 20_000  # answers from which half the completions do: the doubt is small


def completions(x: Array, group: NDArray[np.int64], *, seed: int) -> Iterator[Array]:
    """Give `x` itself when nothing is missing, else completions drawn item by item.

    Each gap is drawn from the regression of its item on the other items and the outcome's groups, the
    regression itself drawn from its posterior (chained equations, van Buuren 2007). Assumes that items are
    missing at random given what was answered. Without the outcome in it, slopes would come out too flat.
    """
    known = np.isfinite(x)
    if known.all():
        yield x
        return
    rng = np.random.default_rng(seed)
    groups = np.eye(int(group.max()) + 1)[group]
    gaps = np.flatnonzero(~known.all(axis=0))
    for _ in range(COMPLETIONS if len(x) < MANY else COMPLETIONS // 2):
        filled = x.copy()
        for j in gaps:
            filled[~known[:, j], j] = rng.choice(x[known[:, j], j], int((~known[:, j]).sum()))
        for _ in range(CYCLES if len(gaps) > 1 else 1):
            for j in gaps:
                others = np.hstack([groups, np.delete(filled, j, axis=1)])
                filled[~known[:, j], j] = _draw(rng, others, x[:, j], known[:, j])
        yield filled


def _draw(rng: np.random.Generator, others: Array, item: Array, known: NDArray[np.bool_]) -> Array:
    """Draw a regression of the item from its posterior, then the gaps from it."""
    seen, values = others[known], item[known]
    bread = np.linalg.pinv(seen.T @ seen, hermitian=True)
    slopes = bread @ (seen.T @ values)
    df = max(len(values) - seen.shape[1], 1)
    spread = np.sqrt(((values - seen @ slopes) ** 2).sum() / rng.chisquare(df))
    roots, vectors = np.linalg.eigh(bread)
    drawn = slopes + spread * vectors @ (np.sqrt(np.maximum(roots, 0)) * rng.normal(size=len(roots)))
    gaps = others[~known]
    return gaps @ drawn + spread * rng.normal(size=len(gaps))


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
