"""Importance within each group of customers: whether the same driver comes first everywhere."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cxlib.checks import check_columns
from cxlib.drivers._importance import driver_importance


def importance_by_group(
    data: pd.DataFrame, *, by: str, min_answers: int = 50, **options: Any
) -> pd.DataFrame:
    """Divide R² among the drivers (shares, 0–1) in every group with enough answers.

    Parameters
    ----------
    data : DataFrame
        One row per answer; answers without a group are left out.
    by : str
        Group column.
    min_answers : int
        Answers with an outcome that a group needs (customers, where `options` name a ``cluster_col``); ten or
        fifteen per driver are the least. Smaller groups are left out.
    **options
        As `driver_importance`.

    Returns
    -------
    DataFrame
        The group column, then the columns of `driver_importance`, in the order of the groups' names.

    Raises
    ------
    ParameterError
        As `driver_importance`.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> answers = pd.DataFrame(rng.normal(size=(200, 2)), columns=["quality", "price"])
    >>> answers = answers.assign(kind=["a", "b"] * 100, score=answers["quality"])
    >>> answers.loc[answers["kind"] == "b", "score"] = answers["price"]
    >>> each = importance_by_group(answers, by="kind", outcome_col="score", driver_cols=["quality", "price"])
    >>> each.loc[each["rank"] == 1, ["kind", "driver"]].to_numpy().tolist()
    [['a', 'quality'], ['b', 'price']]
    """
    check_columns(data, by=by, outcome_col=options["outcome_col"])
    counted = options.get("cluster_col")
    parts = []
    for name, part in data.groupby(by, observed=True):
        held = part[part[options["outcome_col"]].notna()]
        if (held[counted].nunique() if counted else len(held)) >= min_answers:
            found = driver_importance(part, **options)
            found.insert(0, by, name)
            parts.append(found)
    if not parts:
        return driver_importance(data.head(0), **options).assign(**{by: None}).head(0)
    return pd.concat(parts, ignore_index=True)
