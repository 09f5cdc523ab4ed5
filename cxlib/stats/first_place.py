"""Which row comes first, and whether it is shown to: a rank of estimates alone is none."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cxlib.checks import check_columns
from cxlib.language import shown_number


def leading(
    frame: pd.DataFrame,
    *,
    name_col: str,
    lowest: bool = False,
    unit: str = "number",
    may_lead: Any = None,
) -> dict[str, Any]:
    """Name the row with the largest (or smallest) estimate, and say whether its interval clears the next one.

    Parameters
    ----------
    frame
        A result frame: `name_col, estimate, conf_low, conf_high`. Rows without an estimate do not take part.
    name_col
        Column with the names.
    lowest
        The smallest estimate comes first.
    unit
        Unit in which the limits are shown: two that read alike are not apart.
    may_lead
        True for each row that may come first; the others are still compared with. All may by default.

    Returns
    -------
    dict
        `first` and `second` (names, None where there is no such row) and `rank`: "first" (its whole interval
        lies beyond that of the second), "among" (it does not), "only" (there is no second), "none". Intervals
        that overlap a little can still differ: this says less than a test would, never more.

    Raises
    ------
    ParameterError
        Unknown column.

    Examples
    --------
    >>> rows = pd.DataFrame({"page": ["a", "b"], "estimate": [0.2, 0.5], "conf_low": [0.1, 0.4],
    ...     "conf_high": [0.3, 0.6]})
    >>> leading(rows, name_col="page")
    {'first': 'b', 'second': 'a', 'rank': 'first'}
    """
    ends = ("estimate", "conf_low", "conf_high")
    check_columns(frame, name_col=name_col, **{end: end for end in ends})
    known = frame[frame["estimate"].notna()].sort_values(
        ["estimate", name_col], ascending=[lowest, True], kind="stable"
    )
    if may_lead is not None:
        may = pd.Series(may_lead, index=frame.index).reindex(known.index).astype(bool)
        first = known[may].head(1)
        known = pd.concat([first, known.drop(index=first.index)]) if len(first) else known.head(0)
    names = [*known[name_col].head(2), None, None]
    rank = "only" if len(known) == 1 else "none"
    if len(known) > 1:
        near, far = ("conf_high", "conf_low") if lowest else ("conf_low", "conf_high")
        own, next_ = (
            shown_number(float(known[end].iloc[place]), unit) for place, end in ((0, near), (1, far))
        )
        rank = "first" if (own < next_ if lowest else own > next_) else "among"
    return {"first": names[0], "second": names[1], "rank": rank}
