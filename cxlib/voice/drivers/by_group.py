"""The same question within each group of customers that is large enough to be asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from cxlib.checks import check_columns, check_frame


def each_large_group(
    compute: Callable[..., pd.DataFrame],
    data: pd.DataFrame,
    *,
    by: str,
    min_answers: int = 50,
    **options: Any,
) -> pd.DataFrame:
    """Compute a result about drivers in every group with enough answers, one below the other.

    Parameters
    ----------
    compute : callable
        `driver_importance`, `importance_performance`, `penalty_reward` or another function from answers to a
        frame that takes ``outcome_col``.
    data : DataFrame
        One row per answer; answers without a group are left out.
    by : str
        Group column.
    min_answers : int
        Answers with an outcome that a group needs (customers, where `options` name a ``cluster_col``); ten or
        fifteen per driver are the least. Smaller groups are left out.
    **options
        Passed to `compute`.

    Returns
    -------
    DataFrame
        The group column, then the columns of `compute`, in the order of the groups' names. Without a group
        that is large enough, no rows, and only the group column and ``driver``.

    Raises
    ------
    ParameterError
        For a missing column, and as `compute`.

    Examples
    --------
    >>> import numpy as np
    >>> from cxlib.voice.drivers.importance import driver_importance
    >>> rng = np.random.default_rng(0)
    >>> answers = pd.DataFrame(rng.normal(size=(200, 2)), columns=["quality", "price"])
    >>> answers = answers.assign(kind=["a", "b"] * 100, score=answers["quality"])
    >>> answers.loc[answers["kind"] == "b", "score"] = answers["price"]
    >>> asked = {"outcome_col": "score", "driver_cols": ["quality", "price"]}
    >>> each = each_large_group(driver_importance, answers, by="kind", **asked)
    >>> each.loc[each["rank"] == 1, ["kind", "driver"]].to_numpy().tolist()
    [['a', 'quality'], ['b', 'price']]
    """
    check_frame(data)
    check_columns(data, by=by, outcome_col=options["outcome_col"], cluster_col=options.get("cluster_col"))
    counted = options.get("cluster_col")
    parts = []
    for name, part in data.groupby(by, observed=True):
        held = part[part[options["outcome_col"]].notna()]
        if (held[counted].nunique() if counted else len(held)) >= min_answers:
            found = compute(part, **options)
            found.insert(0, by, name)
            parts.append(found)
    if not parts:
        return pd.DataFrame({by: pd.Series(dtype=object), "driver": pd.Series(dtype=object)})
    return pd.concat(parts, ignore_index=True)
