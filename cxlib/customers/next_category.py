"""What customers buy next: moves between categories (tastes, brands) and whether they foretell anything.

The test is the hit rate on later purchases beside two baselines that need no model: the most popular value,
and the same value again.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import check_columns
from cxlib.data.days import local_days, to_date
from cxlib.data.purchases import purchase_lines
from cxlib.data.text_type import TEXT
from cxlib.stats.arrays import Array
from cxlib.stats.clustered_share import clustered_share_interval
from cxlib.stats.intervals import Interval, clustered_mean_interval, critical_value, share_interval

RULES = ("next_value", "popular", "same_again")


def purchase_pairs(orders: pd.DataFrame, *, dimension: str = "category") -> pd.DataFrame:
    """Pair each order of a customer with the next one: the value that held most of the money in either.

    Parameters
    ----------
    orders : pandas.DataFrame
        The contract's order lines; guests, lines of zero or less and lines without the value are left out.
    dimension : str
        Column of the order lines.

    Returns
    -------
    pandas.DataFrame
        `customer_id, ordered_at` (of the next order)`, value, next_value`, by customer and time.

    Raises
    ------
    ParameterError
        If a column is missing.

    Examples
    --------
    >>> lines = pd.DataFrame({"customer_id": ["a", "a"], "order_id": ["1", "2"], "amount": [10.0, 30.0],
    ...     "category": ["tea", "cup"], "ordered_at": pd.to_datetime(["2026-01-01", "2026-01-11"])})
    >>> purchase_pairs(lines)[["value", "next_value"]].values.tolist()
    [['tea', 'cup']]
    """
    columns = ("customer_id", "order_id", "ordered_at", "amount")
    check_columns(orders, dimension=dimension, **{f"{name}_col": name for name in columns})
    is_known = orders[["customer_id", "order_id", "ordered_at", dimension]].notna().all(axis=1).to_numpy()
    rows = np.flatnonzero(purchase_lines(orders, known=is_known) & is_known)
    who, ids = pd.factorize(orders["customer_id"].iloc[rows], sort=True)
    what, values = pd.factorize(orders[dimension].iloc[rows].astype(TEXT), sort=True)
    held = pd.DataFrame({"who": who.astype(np.int32), "what": what.astype(np.int32)})
    held["order"] = pd.factorize(orders["order_id"].iloc[rows], sort=True)[0].astype(np.int32)
    held["amount"], held["at"] = (orders[name].iloc[rows].array for name in ("amount", "ordered_at"))
    of_order = held.groupby(["who", "order", "what"])
    main = of_order.agg(amount=("amount", "sum"), at=("at", "min")).reset_index()
    del held, of_order
    main = main.sort_values(
        ["who", "order", "amount", "what"], ascending=[True, True, False, True], kind="stable"
    )
    main = main.drop_duplicates(["who", "order"])
    main = main.sort_values(["who", "at", "order"], kind="stable")
    own, bought = main["who"].to_numpy(), main["what"].to_numpy()
    here = np.flatnonzero(own[1:] == own[:-1])
    return pd.DataFrame(
        {
            "customer_id": ids.take(own[here]),
            "ordered_at": main["at"].iloc[here + 1].array,
            "value": values.take(bought[here]),
            "next_value": values.take(bought[here + 1]),
        }
    )


def next_purchases(pairs: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Tabulate what follows what: probability (0–1) of each next value, given the present one.

    Parameters
    ----------
    pairs : pandas.DataFrame
        As `purchase_pairs`.
    conf_level : float

    Returns
    -------
    pandas.DataFrame
        `value, next_value, metric` (transition)`, estimate, std_error, conf_low, conf_high, n` (moves)`, of,
        customers` (who made the move)`, lift` (against how often the next value follows anything)`,
        lift_conf_low, lift_conf_high`. Rows of a value sum to 1, most frequent first.

    Raises
    ------
    ParameterError
        If a column is missing.

    Notes
    -----
    Wilson's interval treats moves as independent; with many moves per customer it is somewhat too narrow.

    Examples
    --------
    >>> pairs = pd.DataFrame({"customer_id": list("aab"), "value": list("xxx"), "next_value": list("xxy")})
    >>> next_purchases(pairs)[["next_value", "n"]].values.tolist()
    [['x', 2], ['y', 1]]
    """
    check_columns(pairs, **{f"{name}_col": name for name in ("customer_id", "value", "next_value")})
    held = pairs.groupby(["value", "next_value"], observed=True)
    rows = held.agg(n=("customer_id", "size"), customers=("customer_id", "nunique")).reset_index()
    rows["of"] = rows.groupby("value")["n"].transform("sum")
    popular = rows.groupby("next_value")["n"].transform("sum") / max(rows["n"].sum(), 1)
    interval = share_interval(rows["n"].to_numpy(dtype=float), rows["of"].to_numpy(), conf_level=conf_level)
    rows = rows.assign(metric="transition", **interval._asdict(), lift=interval.estimate / popular)
    half = np.exp(critical_value(conf_level) * _log_lift_error(pairs, rows))
    rows = rows.assign(lift_conf_low=rows["lift"] / half, lift_conf_high=rows["lift"] * half)
    rows = rows.sort_values(["of", "value", "n", "next_value"], ascending=[False, True, False, True])
    columns = ["value", "next_value", "metric", *Interval._fields, "n", "of", "customers"]
    columns += ["lift", "lift_conf_low", "lift_conf_high"]
    return rows[columns].reset_index(drop=True)


def next_purchase_hits(
    pairs: pd.DataFrame, *, start: date | str | pd.Timestamp, conf_level: float = 0.95
) -> pd.DataFrame:
    """Test what-follows-what on orders after `start`: hit rate (0–1) beside popularity and the same again.

    Parameters
    ----------
    pairs : pandas.DataFrame
        As `purchase_pairs`. Moves whose next order is up to `start` teach, later ones test.
    start : date, str or Timestamp
        Last day of learning.
    conf_level : float

    Returns
    -------
    pandas.DataFrame
        `method` (next_value: what followed most often; popular: what was bought most often; same_again)`,
        metric` (hit_rate)`, estimate, std_error, conf_low, conf_high, n` (customers)`, moves, ahead,
        ahead_conf_low, ahead_conf_high` (hit rate minus that of popularity, same moves)`, baseline` (of
        popularity and the same again, the one that hits more often)`, beyond, beyond_conf_low,
        beyond_conf_high` (hit rate minus that of the baseline). Empty without moves on both sides of `start`.

    Raises
    ------
    ParameterError
        If a column is missing.

    Notes
    -----
    Customers are the clusters: the limits of a hit rate are those of `clustered_share_interval`. A present
    value never seen in learning is given the most popular one. The baseline is picked on the
    purchases that test, in its favour: a rule said to be beyond it is beyond both.

    Examples
    --------
    >>> pairs = pd.DataFrame({"customer_id": list("abcd"), "value": list("xyxy"), "next_value": list("yyyy")})
    >>> pairs["ordered_at"] = pd.to_datetime(["2026-01-01", "2026-01-02", "2026-02-01", "2026-02-02"])
    >>> next_purchase_hits(pairs, start="2026-01-31")["estimate"].tolist()
    [1.0, 1.0, 0.5]
    """
    needed = ("customer_id", "ordered_at", "value", "next_value")
    check_columns(pairs, **{f"{name}_col": name for name in needed})
    day = local_days(pairs["ordered_at"], "ordered_at")
    is_seen = day <= pd.Timestamp(to_date(start, argument="start"))
    seen, later = pairs[is_seen], pairs[~is_seen & day.notna()]
    columns = ["method", "metric", *Interval._fields, "n", "moves"]
    columns += ["ahead", "ahead_conf_low", "ahead_conf_high"]
    columns += ["baseline", "beyond", "beyond_conf_low", "beyond_conf_high"]
    if seen.empty or later.empty:
        return pd.DataFrame(columns=columns)
    popular = _most_frequent(seen["next_value"])
    after = seen.groupby("value", observed=True)["next_value"].agg(_most_frequent)
    guesses: dict[str, Any] = {
        "next_value": later["value"].map(after).fillna(popular),
        "popular": popular,
        "same_again": later["value"],
    }
    hits = {name: (later["next_value"] == guesses[name]).to_numpy(dtype=float) for name in RULES}
    baseline = max(RULES[1:], key=lambda name: hits[name].mean())
    rows = []
    for name in RULES:
        own = clustered_share_interval(hits[name], later["customer_id"], conf_level=conf_level)
        row = {"method": name, "metric": "hit_rate", **own._asdict(), "baseline": baseline}
        for column, other in (("ahead", "popular"), ("beyond", baseline)):
            is_same = bool(np.all(guesses[name] == guesses[other]))
            gap = _lead(hits[name] - hits[other], later["customer_id"], conf_level, is_same=is_same)
            limits = [np.nan, np.nan] if name == other else [gap.conf_low, gap.conf_high]
            ends = [column, f"{column}_conf_low", f"{column}_conf_high"]
            row |= dict(zip(ends, [gap.estimate, *limits], strict=True))
        rows.append(row)
    return pd.DataFrame(rows).assign(n=later["customer_id"].nunique(), moves=len(later))[columns]


def _lead(gaps: Array, customers: pd.Series, conf_level: float, *, is_same: bool) -> Interval:
    """Mean lead over another rule; one that never guesses otherwise has none, for sure."""
    room = None if is_same else (-1.0, 1.0)
    return clustered_mean_interval(gaps, customers, conf_level=conf_level, bounds=room)


def _log_lift_error(pairs: pd.DataFrame, rows: pd.DataFrame) -> Any:
    """Give the standard error of the logarithm of each move's lift, with customers as the unit.

    The log lift is log n(a, b) - log n(a) - log n(b) + log n. A customer's influence on it is the same sum of
    the customer's own counts, each over the count of all; the squares of it are added up term by term.
    """
    from scipy.sparse import coo_array

    who, customers = pd.factorize(pairs["customer_id"])
    n_people, total = len(customers), len(pairs)
    if n_people < 2:
        return np.full(len(rows), np.nan)
    keys = (["value"], ["next_value"], ["value", "next_value"])
    own = [pairs.groupby(["customer_id", *key], observed=True)["value"].transform("size") for key in keys]
    size = [pairs.groupby(key, observed=True)["value"].transform("size").to_numpy(float) for key in keys]
    a, b, ab = (count.to_numpy(float) / everybody for count, everybody in zip(own, size, strict=True))
    u = np.bincount(who) / total
    first, one = pd.factorize(pairs["value"])
    second, two = pd.factorize(pairs["next_value"])
    # each sum over customers of a product with one of the counts is a sum over the moves it counts
    parts = {
        "value": _per_key(pairs, ["value"], (a - 2 * u[who]) / size[0]),
        "next_value": _per_key(pairs, ["next_value"], (b - 2 * u[who]) / size[1]),
        "both": _per_key(pairs, ["value", "next_value"], (ab + 2 * (u[who] - a - b)) / size[2]),
    }
    squares = (u**2).sum() + rows["value"].map(parts["value"]) + rows["next_value"].map(parts["next_value"])
    moves = pd.MultiIndex.from_frame(rows[["value", "next_value"]])
    shares = [
        coo_array((1 / size[k], (who, place)), shape=(n_people, len(names))).tocsr()
        for k, place, names in ((0, first, one), (1, second, two))
    ]
    crossed = (shares[0].T @ shares[1]).tocoo()
    crossed = pd.Series(crossed.data, index=crossed.row.astype("int64") * len(two) + crossed.col)
    wanted = pd.Index(one).get_indexer(rows["value"]) * len(two) + pd.Index(two).get_indexer(
        rows["next_value"]
    )
    squares = squares.to_numpy() + parts["both"].reindex(moves).to_numpy() + 2 * crossed[wanted].to_numpy()
    return np.sqrt(np.maximum(squares, 0) * n_people / (n_people - 1))


def _per_key(pairs: pd.DataFrame, key: list[str], terms: Any) -> pd.Series:
    """Sum terms of the moves by value, next value, or both."""
    return pairs.assign(term=terms).groupby(key, observed=True)["term"].sum()


def _most_frequent(values: pd.Series) -> Any:
    """Return the most frequent value, the first by name among equals."""
    counts = values.value_counts()
    return counts[counts == counts.max()].index.min()
