"""Which segmentation should we use? Schemes judged on the same next period, and moves between two dates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError, check_columns
from cxlib.customers.best_measure import rank_by_estimate
from cxlib.data.convert import among
from cxlib.stats.arrays import Array
from cxlib.stats.bootstrap import DRAWN_AT_ONCE, bootstrap_counts
from cxlib.stats.intervals import Interval, share_interval

FOLDS, SMOOTHING = 10, 5.0
DRAWS, RESAMPLES, SEED = 10_000, 200, 20_260_101
FEWEST_PAIR = 10


def compare_schemes(
    customers: pd.DataFrame,
    *,
    schemes: Sequence[str],
    top: float = 0.2,
    earlier: pd.DataFrame | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Judge schemes by how much of the next period their groups foretell, on customers they have not seen.

    Parameters
    ----------
    customers : pandas.DataFrame
        As `next_period` gives them, with a group column per scheme; a missing group is a group of its own.
    schemes : sequence of str
        Group columns, made from orders before the next period only.
    top : float
        Share of customers one would choose, between 0 and 1, for `captured`.
    earlier : pandas.DataFrame, optional
        The same customers' groups as they stood some days before, by `customer_id` and scheme, for
        `stability`; a scheme without a column there has none.
    conf_level : float

    Returns
    -------
    pandas.DataFrame
        `scheme, groups` (number)`, metric, estimate, std_error, conf_low, conf_high, n, behind,
        behind_conf_low, behind_conf_high`: how far the scheme is behind the best one on that measure, on the
        same customers (0, without limits, for the best). Measures: repeat_explained (share of the deviance of
        ordering again), amount_explained (of the money, by Poisson deviance), captured (share of next sales
        held by the `top` customers the scheme would choose) and lift (that share over `top`: 1 is chance),
        stability (adjusted Rand index of the groups now and `earlier`: 1 the same, 0 by chance). Best first
        within each measure; empty below 50 customers or without any order in the next period.

    Raises
    ------
    ParameterError
        If a column is missing or `top` is not between 0 and 1.

    Notes
    -----
    Ten folds by customer: group means of nine, drawn to the overall mean by five customers' weight, foretell
    the tenth, so that many groups are no advantage in themselves and a scheme can fall below 0. Errors by
    linearisation of ratios of sums with the predictions taken as given; differences use the same customers
    (paired).

    References
    ----------
    Hastie, Tibshirani & Friedman (2009) The Elements of Statistical Learning, ch. 7.

    Examples
    --------
    >>> half = [0] * 50 + [1] * 50
    >>> base = pd.DataFrame({"customer_id": range(100), "good": half, "bad": [0, 1] * 50})
    >>> base = base.assign(next_orders=half, next_amount=half)
    >>> compare_schemes(base, schemes=["bad", "good"]).groupby("metric")["scheme"].first().unique().tolist()
    ['good']
    """
    check_columns(
        customers,
        customer_id_col="customer_id",
        next_orders_col="next_orders",
        next_amount_col="next_amount",
        **{f"schemes[{i}]": column for i, column in enumerate(schemes)},
    )
    if not 0 < top < 1:
        raise ParameterError("segmentation.top", found=top)
    data = customers.sort_values("customer_id", kind="stable", ignore_index=True)
    again: Array = (data["next_orders"] > 0).to_numpy().astype(np.float64)
    money = data["next_amount"].clip(lower=0).to_numpy(dtype=float)
    parts = []
    if len(data) >= 50 and 0 < again.mean() < 1 and money.sum() > 0:
        codes = {scheme: pd.factorize(data[scheme], use_na_sentinel=False)[0] for scheme in schemes}
        captured = {scheme: _captured(money, code, top) for scheme, code in codes.items()}
        measures = {
            "repeat_explained": {s: _explained(again, code, _bernoulli) for s, code in codes.items()},
            "amount_explained": {s: _explained(money, code, _poisson) for s, code in codes.items()},
            "captured": captured,
            "lift": {s: (share / top, influence / top) for s, (share, influence) in captured.items()},
            "stability": {} if earlier is None else _stability(data, codes, earlier),
        }
        parts = [rank_by_estimate(metric, found, conf_level) for metric, found in measures.items() if found]
    columns = [
        "scheme",
        "groups",
        "metric",
        *Interval._fields,
        "n",
        "behind",
        "behind_conf_low",
        "behind_conf_high",
    ]
    if not parts:
        return pd.DataFrame(columns=columns)
    groups = {scheme: len(np.unique(code)) for scheme, code in codes.items()}
    table = pd.concat(parts, ignore_index=True)
    return table.assign(groups=table["scheme"].map(groups), n=len(data))[columns]


def migration(
    before: pd.DataFrame,
    after: pd.DataFrame,
    *,
    by: str = "decile",
    order: Sequence[object] | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Count moves between groups of two dates, beside what chance alone would do to unchanged customers.

    Parameters
    ----------
    before, after : pandas.DataFrame
        `customer_id` and the group; from histories of equal length that do not overlap, of customers to whom
        every group was open on both dates: `like_periods(…, settled=True)`. Who came in between can only move
        one way, and would be called news whatever happened.
    by : str
        Group column; customers without a group on either date are left out.
    order : sequence, optional
        Order of the groups, such as best first; sorted by name otherwise. Groups nobody is in are left out.
    conf_level : float

    Returns
    -------
    pandas.DataFrame
        `before, after, metric` (transition)`, estimate` (share of the group before, 0–1)`, std_error,
        conf_low, conf_high, n` (customers)`, of` (group before)`, expected_n` (regression to the mean
        alone)`, residual` (standardised)`, p_value` (of the whole table, Bowker's test of symmetry).

    Raises
    ------
    ParameterError
        If a column is missing.

    Notes
    -----
    When nobody changes and only chance differs between two like periods, moves from i to j are as frequent as
    moves from j to i: top groups fall and bottom groups rise, symmetrically. So (nᵢⱼ + nⱼᵢ)/2 is what
    regression to the mean alone would do, and only the asymmetry is news. Given nᵢⱼ + nⱼᵢ, nᵢⱼ is
    then binomial with ½: where such a pair holds fewer than ten, the p-value is that of 9,999 draws, else of
    χ².

    References
    ----------
    Bowker (1948) Journal of the American Statistical Association 43, 572–574; Barnett et al. (2005)
    International Journal of Epidemiology 34, 215–220.

    Examples
    --------
    >>> one = pd.DataFrame({"customer_id": list("abcd"), "decile": [1, 1, 2, 2]})
    >>> two = pd.DataFrame({"customer_id": list("abcd"), "decile": [1, 2, 1, 2]})
    >>> migration(one, two)["residual"].tolist()
    [0.0, 0.0, 0.0, 0.0]
    """
    for argument, frame in (("before", before), ("after", after)):
        check_columns(frame, **{f"{argument}.customer_id_col": "customer_id", f"{argument}.by": by})
    both = (
        before[["customer_id", by]]
        .merge(after[["customer_id", by]], on="customer_id", suffixes=("_b", "_a"))
        .dropna()
    )
    held = {*both[f"{by}_b"], *both[f"{by}_a"]}
    first = [name for name in order or () if name in held]
    names = first + sorted(held - set(first))
    place = {name: index for index, name in enumerate(names)}
    counts = np.zeros((len(names), len(names)))
    np.add.at(counts, (both[f"{by}_b"].map(place).to_numpy(int), both[f"{by}_a"].map(place).to_numpy(int)), 1)
    expected = (counts + counts.T) / 2
    pairs = counts + counts.T
    with np.errstate(invalid="ignore", divide="ignore"):
        residual = np.where(pairs > 0, (counts - counts.T) / np.sqrt(pairs), 0.0)
    of = np.repeat(counts.sum(axis=1), len(names))
    interval = share_interval(counts.ravel(), of, conf_level=conf_level)
    return pd.DataFrame(
        {
            "before": np.repeat(np.array(names, dtype=object), len(names)),
            "after": np.tile(np.array(names, dtype=object), len(names)),
            "metric": "transition",
            **interval._asdict(),
            "n": counts.ravel().astype("int64"),
            "of": of.astype("int64"),
            "expected_n": expected.ravel(),
            "residual": residual.ravel(),
            "p_value": _bowker(counts),
        }
    ).infer_objects()


def _bowker(counts: Array) -> float:
    from scipy.stats import chi2

    upper = np.triu_indices(len(counts), 1)
    pairs = (counts + counts.T)[upper]
    used = pairs > 0
    if not used.any():
        return np.nan
    pairs, there = pairs[used], counts[upper][used]
    statistic = float(((2 * there - pairs) ** 2 / pairs).sum())
    if pairs.min() >= FEWEST_PAIR:
        return float(chi2.sf(statistic, len(pairs)))
    drawn = np.random.default_rng(SEED).binomial(pairs.astype("int64"), 0.5, (DRAWS - 1, len(pairs)))
    again = ((2 * drawn - pairs) ** 2 / pairs).sum(axis=1)
    return float((1 + (again >= statistic - 1e-9).sum()) / DRAWS)


def _foretold(outcome: Array, code: Any) -> tuple[Array, Array]:
    """Out-of-fold group means and overall means; folds by place, so that every part of the ids is in each."""
    fold = np.arange(len(outcome)) % FOLDS
    predicted, overall = np.empty(len(outcome)), np.empty(len(outcome))
    for k in range(FOLDS):
        seen = fold != k
        mean = outcome[seen].mean()
        total = np.bincount(code[seen], outcome[seen], code.max() + 1)
        n = np.bincount(code[seen], minlength=code.max() + 1)
        predicted[~seen] = ((total + SMOOTHING * mean) / (n + SMOOTHING))[code[~seen]]
        overall[~seen] = mean
    return predicted, overall


def _bernoulli(outcome: Array, mean: Array) -> Array:
    return -2 * np.where(outcome > 0, np.log(mean), np.log1p(-mean))


def _poisson(outcome: Array, mean: Array) -> Array:
    safe = np.where(outcome > 0, outcome, 1.0)
    return 2 * (np.where(outcome > 0, outcome * np.log(safe / mean), 0.0) - (outcome - mean))


def _explained(outcome: Array, code: Any, deviance: Any) -> tuple[float, Array]:
    """Share of the deviance explained out of fold, and each customer's influence on it."""
    predicted, overall = _foretold(outcome, code)
    left, all_of_it = deviance(outcome, predicted), deviance(outcome, overall)
    ratio = left.sum() / all_of_it.sum()
    return 1 - ratio, -(left - ratio * all_of_it) / all_of_it.sum()


def _captured(money: Array, code: Any, top: float) -> tuple[float, Array]:
    """Share of the money held by those foretold to bring most; equals share the last places."""
    predicted, _ = _foretold(money, code)
    chosen = np.zeros(len(money))
    for fold in range(FOLDS):
        own = np.arange(len(money)) % FOLDS == fold
        _, place, count = np.unique(-predicted[own], return_inverse=True, return_counts=True)
        room = np.clip(top * own.sum() - (count.cumsum() - count), 0, count) / count
        chosen[own] = room[place]
    share = (chosen * money).sum() / money.sum()
    return share, (chosen * money - share * money) / money.sum()


def _stability(
    data: pd.DataFrame, codes: dict[str, Any], earlier: pd.DataFrame
) -> dict[str, tuple[float, Array]]:
    """Agreement of each scheme's groups with those of before, and its spread over bootstrap resamples."""
    check_columns(earlier, **{"earlier.customer_id_col": "customer_id"})
    held = earlier.drop_duplicates("customer_id").set_index("customer_id")
    known = among(data["customer_id"], held.index.to_series()).to_numpy()
    found: dict[str, tuple[float, Array]] = {}
    if known.sum() < 2:
        return found
    then = {
        scheme: pd.factorize(data.loc[known, "customer_id"].map(held[scheme]), use_na_sentinel=False)[0]
        for scheme in codes
        if scheme in held.columns
    }
    agree = {scheme: list(adjusted_rand(codes[scheme][known], code)) for scheme, code in then.items()}
    n = int(known.sum())
    for weights in bootstrap_counts(n, n_boot=RESAMPLES, seed=SEED, block=max(DRAWN_AT_ONCE // n, 1)):
        for scheme, code in then.items():
            agree[scheme].extend(adjusted_rand(codes[scheme][known], code, weights))
    for scheme, (whole, *again) in agree.items():
        apart = np.nan_to_num(np.array(again) - np.mean(again))
        found[scheme] = (float(whole), apart / np.sqrt(RESAMPLES - 1))
    return found


def adjusted_rand(one: Any, other: Any, weights: Array | None = None) -> Array:
    """Compute the adjusted Rand index of two groupings (codes from 0), for each row of customers' `weights`.

    Examples
    --------
    >>> adjusted_rand(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0])).tolist()
    [1.0]
    """
    weights = np.ones((1, len(one))) if weights is None else weights
    width = int(np.max(other)) + 1
    size = (int(np.max(one)) + 1) * width
    cell, result = one * width + other, np.empty(len(weights))
    for row, weight in enumerate(weights):
        cells = np.bincount(cell, weight, size).reshape(-1, width)
        pairs, rows, columns, all_pairs = (
            float((n * (n - 1)).sum()) / 2
            for n in (cells, cells.sum(axis=1), cells.sum(axis=0), cells.sum(keepdims=True))
        )
        expected, most = rows * columns / max(all_pairs, 1), (rows + columns) / 2
        result[row] = (pairs - expected) / (most - expected) if most != expected else 1.0
    return result
