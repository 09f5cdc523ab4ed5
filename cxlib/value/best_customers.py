"""Best customers by several definitions: how far they are the same people, and how they began."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from cxlib.checks import ParameterError, check_columns
from cxlib.data.days import to_date
from cxlib.stats.intervals import Interval, share_interval
from cxlib.value.residual_value import residual_values, value_models
from cxlib.value.value_so_far import month_factors


def best_overlap(best: Mapping[str, pd.Series], *, conf_level: float = 0.95) -> pd.DataFrame:
    """Tell how far definitions of best customers name the same people: Jaccard index (0–1) of each pair.

    Parameters
    ----------
    best
        Ids of the best customers by the name of the definition.
    conf_level
        Confidence level of the limits (Wilson, of customers whom either of the two names).

    Returns
    -------
    DataFrame
        `best_by, and_by, metric` ("jaccard")`, estimate, std_error, conf_low, conf_high, n` (customers whom
        either names)`, n_both`.

    Raises
    ------
    ParameterError
        Fewer than two definitions.

    References
    ----------
    Jaccard (1901) Bulletin de la Société vaudoise des sciences naturelles 37.

    Examples
    --------
    >>> rows = best_overlap({"decile": pd.Series(["a", "b"]), "rfm": pd.Series(["b", "c"])})
    >>> rows["estimate"].round(2).item()
    0.33
    """
    if len(best) < 2:
        raise ParameterError("customer_value.definitions", count=len(best))
    sets = {name: set(ids) for name, ids in best.items()}
    pairs = list(combinations(sets, 2))
    both = np.array([len(sets[one] & sets[other]) for one, other in pairs])
    either = np.array([len(sets[one] | sets[other]) for one, other in pairs])
    limits = share_interval(both, either, conf_level=conf_level)
    names = {"best_by": [one for one, _ in pairs], "and_by": [other for _, other in pairs]}
    rows = pd.DataFrame(names | {"metric": "jaccard", **limits._asdict(), "n": either, "n_both": both})
    return rows[["best_by", "and_by", "metric", *Interval._fields, "n", "n_both"]]


def best_by_value(histories: pd.DataFrame, *, top_share: float = 0.1, horizon_months: int = 12) -> pd.Series:
    """Ids of the customers expected to bring most within a horizon; none where no value can be told.

    Parameters
    ----------
    histories
        Result of `purchase_histories` in months (`unit_days` 365.25 / 12).
    top_share
        Share of customers called best, 0–1; ties are broken by the id.
    horizon_months
        Months ahead.

    Examples
    --------
    >>> few = pd.DataFrame({"customer_id": ["a"], "x": [0], "t_x": [0.0], "age": [3.0], "mean_value": [None]})
    >>> len(best_by_value(few))
    0
    """
    models = value_models(histories)
    if models.spend is None:
        return histories["customer_id"].head(0)
    worth = residual_values(histories, models, factors=month_factors(horizon_months, 0.0))
    ranked = histories.assign(worth=worth).sort_values(["worth", "customer_id"], ascending=[False, True])
    return ranked["customer_id"].head(round(top_share * len(ranked)))


def path_to_best(
    days: pd.DataFrame,
    best: pd.Series,
    *,
    as_of: dt.date | str,
    within_days: int = 90,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Tell how the best customers began, beside the others: who bought again soon after the first purchase.

    Parameters
    ----------
    days
        Result of `purchase_days`; customers not yet observed for `within_days` take no part.
    best
        Ids of the best customers.
    as_of
        Last day known.
    within_days
        Days after the first purchase in which orders count.
    conf_level
        Confidence level of the limits.

    Returns
    -------
    DataFrame
        For "best" and "others": `group, metric` ("second_soon": share who bought again; "third_soon": twice
        more)`, estimate, std_error, conf_low, conf_high, n`. Who is best is told by all purchases, these
        included: the difference says how they began, not what makes one best.

    Examples
    --------
    >>> days = pd.DataFrame({"customer_id": ["a", "a", "b"], "first_day": pd.Timestamp("2026-01-01"),
    ...     "day": pd.to_datetime(["2026-01-01", "2026-01-21", "2026-01-01"])})
    >>> path_to_best(days, pd.Series(["a"]), as_of="2026-12-31")["estimate"].to_list()
    [1.0, 0.0, 0.0, 0.0]
    """
    check_columns(days, customer_id="customer_id", day="day", first_day="first_day")
    since = (days["day"] - days["first_day"]).dt.days
    old = (pd.Timestamp(to_date(as_of)) - days["first_day"]).dt.days >= within_days
    soon = days[old & (since <= within_days)].groupby("customer_id").size() - 1
    is_best = soon.index.isin(best)
    rows = []
    for group, own in {"best": soon[is_best], "others": soon[~is_best]}.items():
        for metric, least in {"second_soon": 1, "third_soon": 2}.items():
            limits = share_interval((own >= least).sum(), len(own), conf_level=conf_level)
            rows.append({"group": group, "metric": metric, **limits._asdict(), "n": len(own)})
    return pd.DataFrame(rows, columns=["group", "metric", *Interval._fields, "n"])
