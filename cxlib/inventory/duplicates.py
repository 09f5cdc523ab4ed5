"""Customers who are in the table more than once: who they are by the keys, and how many the keys miss."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cxlib.checks import check_columns
from cxlib.stats.intervals import share_interval

#: How the columns begin that are alike for one person: a keyed hash of a mail address or telephone number.
KEY = "match_key"
#: More customers than this with one key share it (a shop's own address, a family's telephone).
MOST_IDS = 3
#: Further ids that two keys both must show before they tell of those that neither does (Seber's rule).
LEAST_BOTH = 7
#: Years between two years of birth from which on they are a parent's and a child's; fewer may be a slip.
GENERATION_YEARS = 15


def key_columns(customers: pd.DataFrame) -> list[str]:
    """Name the columns that hold keys of persons.

    Examples
    --------
    >>> key_columns(pd.DataFrame({"match_key_mail": ["x"], "match_key": [None], "region": ["y"]}))
    ['match_key_mail']
    """
    return [str(name) for name in customers if str(name).startswith(KEY) and customers[name].notna().any()]


def same_person(customers: pd.DataFrame) -> pd.DataFrame:
    """Find customers who are one person by any key.

    Parameters
    ----------
    customers
        One row per customer: `customer_id`, columns `match_key…`, and as far as known `birth_year` and
        `gender`: of another gender, or a generation apart, two are two.

    Returns
    -------
    DataFrame
        A row per further id of somebody: `customer_id`, `first_id` (the person's first row), and per key
        column whether it alone shows it.

    Notes
    -----
    Two rows belong together when they share a key that at most three customers have; so does whoever is
    linked to them (connected components). A key of more is nobody's own.

    Examples
    --------
    >>> people = pd.DataFrame({"customer_id": list("abc"), "match_key": ["x", None, "x"]})
    >>> same_person(people).to_numpy().tolist()
    [['c', 'a', True]]
    """
    check_columns(customers, customer_id_col="customer_id")
    keys, at = key_columns(customers), np.arange(len(customers))
    links = [_links(customers, name) for name in keys]
    pairs = np.concatenate([np.empty((0, 2), dtype=np.int64), *links])
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(at), len(at)))
    person = connected_components(graph, directed=False)[1]
    first = pd.Series(at).groupby(person).transform("min").to_numpy()
    further = np.flatnonzero(first != at)
    ids = customers["customer_id"].to_numpy()
    found = {"customer_id": ids[further], "first_id": ids[first[further]]}
    shown = {name: np.isin(further, pairs_of[:, 1]) for name, pairs_of in zip(keys, links, strict=True)}
    return pd.DataFrame(found | shown)


def _links(customers: pd.DataFrame, key: str) -> np.ndarray:
    """Pair row numbers, a person's first and a later one, that share a key and contradict in nothing."""
    held = customers.reset_index(drop=True).assign(at=np.arange(len(customers)))
    held = held[held[key].notna()]
    held = held[held.groupby(key)[key].transform("size").between(2, MOST_IDS)]
    first = held.groupby(key)["at"].transform("first")
    own = held.loc[first].set_axis(held.index)
    differs = pd.Series(data=False, index=held.index)
    if "birth_year" in held:
        apart = (held["birth_year"].astype("float64") - own["birth_year"].astype("float64")).abs()
        differs |= apart >= GENERATION_YEARS  # an unknown year contradicts nothing
    if "gender" in held:
        differs |= held["gender"].notna() & own["gender"].notna() & (held["gender"] != own["gender"])
    is_pair = (first != held["at"]) & ~differs
    return np.column_stack([first[is_pair], held.loc[is_pair, "at"]]).astype(np.int64)


def split_identities(
    customers: pd.DataFrame, *, by: str | None = None, conf_level: float = 0.95
) -> pd.DataFrame:
    """Estimate the share (0–1) of customer ids that are a further id of somebody who is there already.

    Parameters
    ----------
    customers
        As `same_person`.
    by
        Column of `customers`; each group's ids are judged apart, wherever the person's first one is.
    conf_level
        Level of the interval.

    Returns
    -------
    DataFrame
        Group column, `metric` ("split"), `estimate, std_error, conf_low, conf_high, n` (ids), `n_found` (by
        the keys), `found_share`, `claim` ("estimated", or "at_least"). No rows without a key column.

    Notes
    -----
    The keys miss who gave none, or another one. Where at least seven further ids are shown by both the first
    key and any other, they tell how many both miss, as two catches of fish do (Chapman's estimate,
    N = (a + 1)(b + 1) / (m + 1) − 1, of a found by the first, b by any other, m by both); this takes the keys
    for independent, and errs low where the same people withhold both. One key finds a pair only if both rows
    hold it: found ÷ filled². Else nothing tells, and what the keys show is the least there are. The interval
    adds the spread of that estimate to that of a share of so many ids (Wilson's, on the effective number).

    References
    ----------
    Chapman (1951) Univ. California Publ. Statist. 1; Seber (1970) Biometrika 57.

    Examples
    --------
    >>> people = pd.DataFrame({"customer_id": list("abcd"), "match_key": ["x", "y", "x", "z"]})
    >>> split_identities(people)[["estimate", "n", "n_found", "claim"]].to_numpy().tolist()
    [[0.25, 4, 1, 'estimated']]
    """
    keys = key_columns(customers)
    columns = [*([by] if by else []), "metric", "estimate", "std_error", "conf_low", "conf_high", "n"]
    columns += ["n_found", "found_share", "claim"]
    if not keys:
        return pd.DataFrame(columns=columns)
    check_columns(customers, by=by)
    found = same_person(customers).set_index("customer_id")
    parts = [(None, customers)] if by is None else list(customers.groupby(by, observed=True, dropna=False))
    rows = []
    for group, part in parts:
        own = found.loc[found.index.isin(part["customer_id"]), keys]
        filled = float(part[keys[0]].notna().mean())
        number, spread, claim = _all_there_are(own.to_numpy(dtype=bool), filled)
        n = len(part)
        share = min(number / n, 1.0)
        error = np.sqrt(share * (1 - share) / n + spread / n**2)
        effective = share * (1 - share) / error**2 if error > 0 else n
        limits = share_interval(share * effective, effective, conf_level=conf_level)
        row = ["split", share, error, limits.conf_low, limits.conf_high, n, len(own), len(own) / n, claim]
        rows.append([*([group] if by else []), *row])
    return pd.DataFrame(rows, columns=columns)


def _all_there_are(caught: np.ndarray, filled: float) -> tuple[float, float, str]:
    """Estimate the number of further ids, its variance, and whether those that no key shows are in it."""
    total = len(caught)
    if caught.shape[1] == 1:
        chance = filled**2
        number = total / chance if chance else 0.0
        return number, number * (1 - chance) / chance if chance else 0.0, "estimated"
    one, other = caught[:, 0], caught[:, 1:].any(axis=1)
    a, b, m = float(one.sum()), float(other.sum()), float((one & other).sum())
    if m < LEAST_BOTH:
        return total, 0.0, "at_least"
    number = max((a + 1) * (b + 1) / (m + 1) - 1, total)
    return number, (a + 1) * (b + 1) * (a - m) * (b - m) / ((m + 1) ** 2 * (m + 2)), "estimated"
