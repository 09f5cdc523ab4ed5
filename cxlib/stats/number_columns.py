"""Columns of a caller's frame as numbers: measures, weights, and a number for each customer or account."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.checks import ParameterError
from cxlib.stats.arrays import Array


def cluster_codes(column: pd.Series) -> NDArray[np.int64]:
    """Return a number per customer or account, in the order of their names; a missing one stands for itself.

    Examples
    --------
    >>> cluster_codes(pd.Series(["b", None, "a", "b"])).tolist()
    [1, 2, 0, 1]
    """
    try:
        code = pd.factorize(column, sort=True)[0].astype(np.int64)
    except TypeError:  # names of several types have no order
        code = pd.factorize(column)[0].astype(np.int64)
    alone = code < 0
    code[alone] = code.max(initial=-1) + 1 + np.arange(alone.sum())
    return code


def check_weights(data: pd.DataFrame, weight_col: str) -> Array:
    """Return weights as floats, missing as NaN.

    Raises
    ------
    ParameterError
        If a weight is 0 or less, infinite, or text.
    """
    weight = pd.to_numeric(data[weight_col], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    bad = (weight <= 0) | np.isinf(weight) | (np.isnan(weight) & data[weight_col].notna().to_numpy())
    if bad.any():
        raise ParameterError(
            "nps.bad_weight",
            column=weight_col,
            found=", ".join(
                f"{value:g}" if value == value else "text" for value in np.unique(weight[bad])[:3]
            ),
            n=f"{bad.sum():,}",
            total=f"{len(data):,}",
            first=f"{np.flatnonzero(bad)[0] + 1:,}",
        )
    return weight


def check_numbers(data: pd.DataFrame, column: str) -> Array:
    """Return a column as floats, missing as NaN.

    Raises
    ------
    ParameterError
        If it holds text or infinite numbers; says how often and where first.
    """
    held = data[column]
    if held.dtype == np.float64:
        numbers = held.to_numpy()
        bad = np.isinf(numbers)
    else:
        numbers = pd.to_numeric(held, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        bad = (np.isnan(numbers) & held.notna().to_numpy()) | np.isinf(numbers)
    if bad.any():
        counts = {"n": f"{bad.sum():,}", "total": f"{len(data):,}", "first": f"{bad.argmax() + 1:,}"}
        raise ParameterError("nps.text_driver", column=column, **counts)
    return numbers
