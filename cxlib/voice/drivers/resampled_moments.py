"""Weighted moments of drivers and outcome: what every correlation, and every resample of one, is made of."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxlib.stats.arrays import Array
from cxlib.stats.bootstrap import resampled_sums
from cxlib.stats.r_squared import nearest_correlation

#: Sums of the last resamples, by the content they were drawn from; at most so many bytes of them.
_DRAWN: OrderedDict[bytes, Array] = OrderedDict()
KEPT_BYTES = 2**25


class ResampledMoments:
    """Weighted sums from which every resample's correlation matrix follows; a class to hold them once.

    Complete data need first and second moments; with missing items each pair has sums over its own answers.
    """

    def __init__(self, values: Array, weight: Array) -> None:
        known = np.asfortranarray(np.isfinite(values))
        self.known, self.weight = known, weight
        self.size = values.shape[1]
        self.rows, self.columns = np.triu_indices(self.size)
        x = np.where(known, values, 0.0)
        self.centre = x.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        self.x = np.asfortranarray(np.where(known, x - self.centre, 0.0))
        self.complete = bool(known.all())
        products = [self._product(each) for each in self._wanted()]
        distinct = dict.fromkeys(products)
        self.distinct = list(distinct)
        place = {product: at for at, product in enumerate(distinct)}
        self.places = np.array([place[product] for product in products], dtype=np.int64)

    def _wanted(self) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
        """Give, sum by sum, the columns whose values and the columns whose presence are multiplied."""
        pairs = list(zip(self.rows.tolist(), self.columns.tolist(), strict=True))
        if self.complete:
            yield (), ()
            yield from (((i,), ()) for i in range(self.size))
        else:
            yield from (((), pair) for pair in pairs)
            for power in (1, 2):
                yield from (((i,) * power, (j,)) for i, j in pairs)
                yield from (((j,) * power, (i,)) for i, j in pairs)
        yield from (((i, j), ()) for i, j in pairs)

    def _product(self, wanted: tuple[tuple[int, ...], tuple[int, ...]]) -> tuple[tuple[int, ...], ...]:
        """Leave out presence that says nothing: of a complete column, or of one whose values are there."""
        of_values, present = wanted
        gappy = {j for j in present if j not in of_values and not self.known[:, j].all()}
        return of_values, tuple(sorted(gappy))

    def terms(self) -> Iterator[Array]:
        """Give what is added up over the answers, one column after the other: all at once are large."""
        for of_values, present in self.distinct:
            term = self.weight
            for i in of_values:
                term = term * self.x[:, i]
            for j in present:
                term = term * self.known[:, j]
            yield term

    def all_answers(self) -> Array:
        """Give the sums over all answers, each counted once."""
        return np.array([[term.sum() for term in self.terms()]])[:, self.places]

    def resampled(self, *, n_boot: int, seed: int, clusters: NDArray[np.int64] | None) -> Array:
        """Give the sums over each resample, a row each.

        Results about the same answers rest on one set of draws, made once: importance, its groups and the
        places on a map are asked for one after the other.
        """
        if n_boot == 0:
            return np.empty((0, len(self.places)))
        held: list[NDArray[Any]] = [
            self.x.T,
            self.known.T,
            self.weight,
            *([] if clusters is None else [clusters]),
        ]
        digest = hashlib.blake2b(repr((self.x.shape, n_boot, seed)).encode())
        for each in held:
            digest.update(each.tobytes())
        key = digest.digest()
        if key not in _DRAWN:
            drawn = resampled_sums(
                self.terms(), n_boot=n_boot, seed=seed, clusters=clusters, places=self.places
            )
            _DRAWN[key] = np.vstack(list(drawn))
            _DRAWN[key].flags.writeable = False
            while len(_DRAWN) > 1 and sum(each.nbytes for each in _DRAWN.values()) > KEPT_BYTES:
                _DRAWN.popitem(last=False)
        return _DRAWN[key]

    def spreads(self, sums: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Return weight, sum and sum of squares (about the centre) of each column over its own answers."""
        own = self.rows == self.columns
        n, one, _, square, _, _ = self._by_pair(sums)
        return np.broadcast_to(n, one.shape)[:, own], one[:, own], square[:, own]

    def means(self, sums: Array) -> Array:
        """Return the mean of each column over its own answers; NaN for a column nobody answered."""
        n, one, _ = self.spreads(sums)
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.centre + one / n

    def correlations(self, sums: Array) -> Array:
        """Correlation matrix of each resample; 0 where a pair shares no answers or an item is constant."""
        i, j = self.rows, self.columns
        n, one, two, square_one, square_two, product = self._by_pair(sums)
        with np.errstate(invalid="ignore", divide="ignore"):
            variances = (square_one / n - (one / n) ** 2), (square_two / n - (two / n) ** 2)
            covariance = product / n - one / n * (two / n)
            spread = np.sqrt(np.maximum(variances[0], 0) * np.maximum(variances[1], 0))
            pairs = np.where(
                spread > 1e-12 * np.maximum(square_one, square_two) / n, covariance / spread, 0.0
            )
        matrices = np.zeros((len(sums), self.size, self.size))
        matrices[:, i, j] = matrices[:, j, i] = np.clip(np.nan_to_num(pairs), -1, 1)
        matrices[:, range(self.size), range(self.size)] = 1.0
        return matrices if self.complete else nearest_correlation(matrices)

    def _by_pair(self, sums: NDArray[Any]) -> list[NDArray[Any]]:
        """Return weight, sums, sums of squares of both columns, and sum of products, for each pair."""
        if not self.complete:
            return np.split(sums, 6, axis=1)
        i, j = self.rows, self.columns
        n, first, product = sums[:, :1], sums[:, 1 : self.size + 1], sums[:, self.size + 1 :]
        square = product[:, i == j]
        return [n, first[:, i], first[:, j], square[:, i], square[:, j], product]
