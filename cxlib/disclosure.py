"""Keep small groups out of what is shown: no cell of fewer than `min_cell` customers, nor one derivable."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import numpy as np
import pandas as pd

from cxlib.checks import check_columns

#: Column added to a frame that went through `suppress_small`; True where a row was blanked.
FLAG = "is_suppressed"
#: Numeric or date columns that say which row it is rather than what was found.
KEY_COLUMNS = frozenset(
    {"cohort", "day", "decile", "event_month", "f_score", "horizon_months", "m_score", "month"}
    | {"period", "r_score", "time_days", "wave"}
)


def suppress_small(
    data: pd.DataFrame,
    *,
    min_cell: int,
    n_col: str = "n",
    within: str | Sequence[str] | None = None,
    keep: Sequence[str] = (),
) -> pd.DataFrame:
    """Blank the numbers of every row with fewer than `min_cell` customers, and of as many more as hide it.

    Parameters
    ----------
    data
        A result frame, one row per cell; not changed.
    min_cell
        Smallest number of customers a shown row may stand for. A row whose number is missing is blanked too.
    n_col
        Column with the number of customers of the row.
    within
        Column or columns naming groups of rows that add up to a total which is shown or known; without it the
        whole frame is one such group (per `metric`, where the frame has that column).
    keep
        Further numeric or date columns that name the row and stay. Kept anyway: text, the first column, the
        columns before `metric`, `within`, and names such as `decile`, `wave`, `month` (`KEY_COLUMNS`).

    Returns
    -------
    DataFrame
        The rows and columns of `data` with blanked numbers missing, and a column `is_suppressed`.

    Notes
    -----
    A total minus the rows shown gives the sum of the rows blanked. So the next smallest rows of a group are
    blanked until at least two are and together they hold `min_cell` customers. Running totals (columns
    `cumulative…`) would give a blanked row away by subtraction; they are blanked in the whole group.

    References
    ----------
    Hundepool et al. (2012), Statistical Disclosure Control, ch. 4 (primary and secondary suppression).

    Examples
    --------
    >>> frame = pd.DataFrame({"region": ["a", "b", "c"], "estimate": [0.1, 0.2, 0.3], "n": [4, 30, 20]})
    >>> suppress_small(frame, min_cell=10)["n"].tolist()
    [nan, 30.0, nan]
    """
    groups = [within] if isinstance(within, str) else list(within or [])
    check_columns(data, n_col=n_col, **{f"within[{i}]": name for i, name in enumerate(groups)})
    if not groups and "metric" in data.columns and data.columns[0] != "metric":
        groups = ["metric"]
    counts = pd.to_numeric(data[n_col]).astype("float64").reset_index(drop=True)
    labels = _group_labels(data, groups)
    blanked = np.zeros(len(data), dtype=bool)
    for label in sorted(set(labels.tolist())):
        rows = np.flatnonzero(labels == label)
        blanked[rows] = _hidden(counts.to_numpy()[rows], min_cell)
    return _blank(data, blanked, labels, kept=_kept_columns(data, (*groups, *keep)))


def _group_labels(data: pd.DataFrame, groups: list[str]) -> np.ndarray:
    if not groups:
        return np.zeros(len(data), dtype=int)
    return data.groupby(groups, dropna=False, sort=False, observed=True).ngroup().to_numpy()


def _hidden(counts: np.ndarray, min_cell: int) -> np.ndarray:
    """Rows of one group to blank: the small ones, then the next smallest until their sum hides each."""
    hidden = ~(counts >= min_cell)
    protected = hidden & ~(counts == 0)
    if not protected.any():
        return hidden
    for row in np.argsort(counts, kind="stable"):
        if protected.sum() >= 2 and np.nansum(counts[protected]) >= min_cell:
            break
        if not hidden[row]:
            hidden[row] = protected[row] = True
    return hidden


def _kept_columns(data: pd.DataFrame, named: Iterable[Hashable]) -> set[Hashable]:
    columns = list(data.columns)
    before_metric = columns[: columns.index("metric")] if "metric" in columns else columns[:1]
    texts = [
        name
        for name in columns
        if not pd.api.types.is_numeric_dtype(data[name])
        and not pd.api.types.is_datetime64_any_dtype(data[name])
    ]
    return {*before_metric, *texts, *named, *KEY_COLUMNS}


def _blank(data: pd.DataFrame, rows: np.ndarray, labels: np.ndarray, *, kept: set[Hashable]) -> pd.DataFrame:
    touched = np.isin(labels, labels[rows])
    columns: dict[Hashable, object] = {}
    for name in data.columns:
        mask = touched if str(name).startswith("cumulative") else rows
        columns[name] = data[name] if name in kept or not mask.any() else _without(data[name], mask)
    columns[FLAG] = pd.Series(rows, index=data.index)
    return pd.DataFrame(columns, index=data.index)


def _without(column: pd.Series, rows: np.ndarray) -> pd.Series:
    is_plain_number = pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_integer_dtype(column.dtype)
    return (column.astype("float64") if is_plain_number else column).mask(rows)
