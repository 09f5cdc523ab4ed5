"""Conditions of rule files, read against measures of customers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from cxlib.checks import check_columns
from cxlib.data.text_type import TEXT


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
    >>> from cxlib.data.rules.rule_files import load_rules
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
            result &= values.astype(TEXT).isin(condition.is_in)
    return result


def implies(rule: Sequence[Any], other: Sequence[Any]) -> bool:
    """Tell whether whoever meets all conditions of one rule meets those of the other as well.

    Parameters
    ----------
    rule, other : sequence of Condition

    Returns
    -------
    bool
        True only where the bounds prove it, measure by measure.

    Examples
    --------
    >>> from cxlib.data.rules.rule_files import load_rules
    >>> convinced_not_yet, wondering = (state.when for state in load_rules("states").states[1:3])
    >>> implies(convinced_not_yet, wondering), implies(wondering, convinced_not_yet)
    (True, False)
    """
    return all(any(_within(one, wanted) for one in rule) for wanted in other)


def _within(one: Any, wanted: Any) -> bool:
    """Tell whether the wanted condition allows whatever the other one leaves."""
    if one.measure != wanted.measure:
        return False
    if wanted.is_missing:
        return bool(one.is_missing)
    (low, high), (lowest, highest) = bounds(one), bounds(wanted)
    is_listed = not wanted.is_in or (bool(one.is_in) and set(one.is_in) <= set(wanted.is_in))
    return not one.is_missing and low >= lowest and high <= highest and is_listed


def bounds(condition: Any) -> tuple[float, float]:
    """Lowest and highest value a condition allows, infinite where it has no limit."""
    low, high = condition.at_least, condition.at_most
    return -math.inf if low is None else low, math.inf if high is None else high
