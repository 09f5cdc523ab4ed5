"""Rows of two tables side by side by an id: a missing one belongs to nobody, and text is no number."""

from __future__ import annotations

import pandas as pd
from pandas.api.types import is_numeric_dtype

from cxlib.checks import ParameterError


def joined(left: pd.DataFrame, right: pd.DataFrame, *, on: str = "customer_id") -> pd.DataFrame:
    """Pair the rows of two tables that hold the same id (inner join); rows without an id have no pair.

    Raises
    ------
    ParameterError
        Where one table holds numbers and the other text: no id of one could be found in the other.

    Examples
    --------
    >>> orders = pd.DataFrame({"customer_id": ["a", None], "amount": [5.0, 7.0]})
    >>> joined(orders, pd.DataFrame({"customer_id": ["a", None], "day": [1, 2]}))["amount"].tolist()
    [5.0]
    """
    sides = [side[side[on].notna()] for side in (left, right)]
    if sides[0][on].dtype != sides[1][on].dtype:
        if len({is_numeric_dtype(side[on].infer_objects()) for side in sides if len(side)}) > 1:
            raise ParameterError("tables.ids_unlike", column=on)
        sides = [side.assign(**{on: side[on].astype(object)}) for side in sides]
    return sides[0].merge(sides[1], on=on)
