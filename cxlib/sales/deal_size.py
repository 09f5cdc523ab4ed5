"""How large won deals are: mean, median and middle mean, and why their mean changed: rate and mix."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlib.data.days import to_date
from cxlib.data.deals import deal_spells
from cxlib.sales.quarter_forecast import amounts_of
from cxlib.stats.arrays import Array
from cxlib.stats.bootstrap import bootstrap_counts, bootstrap_interval, resampled_sums
from cxlib.stats.intervals import Interval, clustered_mean_interval
from cxlib.stats.money_means import TRIM, tails_hold

#: Fewest accounts behind an interval of a size.
FEWEST = 20


def won_amounts(
    deals: pd.DataFrame, *, as_of: dt.date | str, start: dt.date | str | None = None
) -> pd.DataFrame:
    """Deals won by a day, and from a day on, whose amount is known: `amount`, and their other columns.

    Examples
    --------
    >>> deals = pd.DataFrame({"created_on": pd.to_datetime(["2026-01-01"]), "is_won": [True], "amount": [5.0],
    ...     "closed_on": pd.to_datetime(["2026-01-21"])})
    >>> len(won_amounts(deals, as_of="2026-01-31")), len(won_amounts(deals, as_of="2026-01-20"))
    (1, 0)
    """
    spells = deal_spells(deals, as_of=as_of)
    won = spells[spells["outcome"] == "won"]
    if start is not None:
        won = won[won["ended_on"] >= pd.Timestamp(to_date(start))]
    amounts = amounts_of(won)
    return won.assign(amount=amounts)[np.isfinite(amounts)]


def deal_sizes(
    deals: pd.DataFrame,
    *,
    as_of: dt.date | str,
    start: dt.date | str | None = None,
    n_boot: int = 500,
    seed: int = 1,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Average amount of a won deal: mean, median, and mean of the middle half, in currency.

    Parameters
    ----------
    deals, as_of, start
        As in `won_amounts`, with `customer_id`.
    n_boot, seed
        Resamples of accounts behind the intervals of median and middle mean.
    conf_level
        Level of the intervals.

    Returns
    -------
    DataFrame
        `metric` ("mean_deal", "median_deal", "middle_deal"), `estimate, std_error, conf_low, conf_high, n`
        (won deals with an amount), `customers`. The mean has no interval where a few accounts carry it
        (`tails_hold`), and nothing has one below 20 accounts.

    Examples
    --------
    >>> deals = pd.DataFrame({"customer_id": list("abc"), "created_on": pd.Timestamp("2026-01-01"),
    ...     "closed_on": pd.Timestamp("2026-01-21"), "is_won": True, "amount": [10.0, 20.0, 90.0]})
    >>> deal_sizes(deals, as_of="2026-01-31")[["metric", "estimate"]].to_numpy().tolist()
    [['mean_deal', 40.0], ['median_deal', 20.0], ['middle_deal', 30.0]]
    """
    won = won_amounts(deals, as_of=as_of, start=start)
    x, accounts = won["amount"].to_numpy(float), won["customer_id"].to_numpy(object)
    n_accounts = int(won["customer_id"].nunique())
    rows = []
    if len(x):
        mean = clustered_mean_interval(x, accounts, conf_level=conf_level)
        code = pd.factorize(accounts)[0]
        if n_accounts < FEWEST or not tails_hold(np.bincount(code[code >= 0], (x - x.mean())[code >= 0])):
            mean = Interval(mean.estimate, np.nan, np.nan, np.nan)
        order = np.argsort(x, kind="stable")
        x, accounts = x[order], accounts[order]
        middle = _middles(x, np.ones((1, len(x))))[0]
        spread = [np.full(3, np.nan)] * 2
        if n_accounts >= FEWEST:
            counts = np.vstack(list(bootstrap_counts(len(x), n_boot=n_boot, seed=seed, clusters=accounts)))
            ends = bootstrap_interval(_middles(x, counts), conf_level=conf_level)
            spread = [np.array([end[at] for end in ends]) for at in (0, 1)]
        rows = [
            ("mean_deal", *mean),
            ("median_deal", middle[0], *spread[0]),
            ("middle_deal", middle[1], *spread[1]),
        ]
    frame = pd.DataFrame(rows, columns=["metric", *Interval._fields])
    return frame.assign(n=len(won), customers=n_accounts)


def size_change(
    deals: pd.DataFrame,
    *,
    as_of: dt.date | str,
    days: int,
    by: str,
    n_boot: int = 500,
    seed: int = 1,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Split the change of the mean won deal between two periods: larger deals (rate), other ones (mix).

    Parameters
    ----------
    deals, as_of
        As in `deal_sizes`.
    days
        Length of the period that ends on `as_of`, and of the one before it.
    by
        Column of `deals`; deals without a value form a group of their own.
    n_boot, seed, conf_level
        Resamples of accounts behind the intervals.

    Returns
    -------
    DataFrame
        Rows `metric` "size_rate", "size_mix" and "size_change" (their sum): `estimate, std_error, conf_low,
        conf_high` in currency, `n` (won deals of both periods), `customers`. No rows where a period has fewer
        than 20 won deals.

    References
    ----------
    Kitagawa (1955) JASA 50.

    Examples
    --------
    >>> deals = pd.DataFrame({"customer_id": ["a"], "created_on": pd.Timestamp("2026-01-01"), "owner": "x",
    ...     "closed_on": pd.Timestamp("2026-01-21"), "is_won": True, "amount": 10.0})
    >>> size_change(deals, as_of="2026-01-31", days=90, by="owner").empty
    True
    """
    columns = ["metric", *Interval._fields, "n", "customers"]
    last = to_date(as_of)
    won = won_amounts(deals, as_of=last, start=last - dt.timedelta(days=2 * days - 1))
    after = (won["ended_on"] > pd.Timestamp(last - dt.timedelta(days=days))).to_numpy()
    if min(after.sum(), (~after).sum()) < FEWEST:
        return pd.DataFrame(columns=columns)
    group = won.groupby(by, dropna=False, observed=True).ngroup().to_numpy()
    n_groups = int(group.max()) + 1
    x = won["amount"].to_numpy(float)
    held = [(group == g) & (after == side) for side in (False, True) for g in range(n_groups)]
    sums = [each.astype(float) for each in held] + [each * x for each in held]
    shape = (-1, 2, 2, n_groups)
    seen = _parts(np.array([column.sum() for column in sums]).reshape(shape))[0]
    asked: dict[str, Any] = {"n_boot": n_boot, "seed": seed, "clusters": won["customer_id"].to_numpy(object)}
    drawn = np.vstack([_parts(block.reshape(shape)) for block in resampled_sums(sums, **asked)])
    error, low, high = bootstrap_interval(drawn, conf_level=conf_level)
    names = ["size_rate", "size_mix", "size_change"]
    limits = {"estimate": seen, "std_error": error, "conf_low": low, "conf_high": high}
    counts = {"n": len(won), "customers": won["customer_id"].nunique()}
    return pd.DataFrame({"metric": names, **limits, **counts})[columns]


def _parts(sums: Array) -> Array:
    """Rate, mix and their sum by draw, from numbers and amounts by period and group."""
    count, amount = sums[:, 0], sums[:, 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = amount / count
        mean = np.where(np.isnan(mean), mean[:, ::-1], mean)  # a group of one period only moves the mix
        share = count / count.sum(axis=2, keepdims=True)
        rate = np.nansum(share.mean(axis=1) * (mean[:, 1] - mean[:, 0]), axis=1)
        mix = np.nansum((share[:, 1] - share[:, 0]) * mean.mean(axis=1), axis=1)
    return np.stack([rate, mix, rate + mix], axis=1)


def _middles(x: Array, counts: Array) -> Array:
    """Median and mean of the middle half by resample; `x` in order, `counts` how often each is drawn."""
    upto = np.cumsum(counts, axis=1)
    total = upto[:, -1:]
    inside = np.clip(np.minimum(upto, (1 - TRIM) * total) - np.maximum(upto - counts, TRIM * total), 0, None)
    middle = (inside @ x) / inside.sum(axis=1)
    low = x[np.argmax(upto >= total / 2, axis=1)]
    high = x[np.argmax(upto > total / 2, axis=1)]
    return np.stack([(low + high) / 2, middle], axis=1)


def size_changes(deals: pd.DataFrame, *, attributes: Sequence[str], **asked: Any) -> pd.DataFrame:
    """Give `size_change` by the first of several attributes, `asked` as there; no rows without any.

    Examples
    --------
    >>> size_changes(pd.DataFrame(), attributes=[]).empty
    True
    """
    if not attributes:
        return pd.DataFrame(columns=["metric", *Interval._fields, "n", "customers"])
    return size_change(deals, by=attributes[0], **asked)
