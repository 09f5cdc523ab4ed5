"""Conditions of rule files, read against measures of customers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from cxlib.checks import check_columns


def holds(customers: pd.DataFrame, conditions: Sequence[Any]) -> pd.Series:
    """Tell for which customers all conditions of a rule hold; a missing value holds none but `is_missing`.

    Parameters
    ----------
    customers : pandas.DataFrame
        With the measures the conditions name.
    conditions : sequence of Condition
        As in the rule files; none: holds for everybody.

    Returns
    -------
    pandas.Series of bool

    Raises
    ------
    ParameterError
        If a measure is no column (nearest names).

    Examples
    --------
    >>> from cxlib.rules import load_rules
    >>> rule = load_rules("states").states[0]
    >>> holds(pd.DataFrame({"frequency": [0, 1]}), rule.when).tolist()
    [True, False]
    """
    result = pd.Series(data=True, index=customers.index)
    for condition in conditions:
        check_columns(customers, measure=condition.measure)
        values = customers[condition.measure]
        if condition.is_missing is not None:
            result &= values.isna() == condition.is_missing
        if condition.at_least is not None:
            result &= (values >= condition.at_least).fillna(value=False).astype(bool)
        if condition.at_most is not None:
            result &= (values <= condition.at_most).fillna(value=False).astype(bool)
        if condition.is_in:
            result &= values.astype("str").isin(condition.is_in)
    return result
