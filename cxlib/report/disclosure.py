"""Keep small groups out of what is shown: no cell of fewer than `min_cell` customers, nor one derivable."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from cxlib.checks import check_columns

#: Column added to a frame that went through `suppress_small`; True where a row was blanked.
FLAG = "is_suppressed"
#: Numeric or date columns that say which row it is rather than what was found.
KEY_COLUMNS = frozenset(
    {
        "cohort",
        "contacts_from",
        "contacts_to",
        "day",
        "days",
        "decile",
        "event_month",
        "f_score",
        "horizon_months",
        "late_from",
        "m_score",
        "month",
    }
    | {"waited_hours", "within_hours"}
    | {"period", "r_score", "stage_number", "time_days", "wave"}
)

#: Columns in which the handbook's own rules name a row; any other text may be an attribute of customers.
OWN_NAMES = frozenset(
    {"action", "after", "arm", "assignment", "assumes", "attitude", "attribute", "band", "before", "cause"}
    | {"channel", "choice", "claim", "cluster", "cohort", "condition", "department", "dimension", "dominant"}
    | {"driver", "entry", "first_channel", "from_stage", "initiative", "input", "kind", "level", "lifecycle"}
    | {"method", "metric", "next_segment", "next_stage", "next_state", "next_step", "next_value", "note"}
    | {"outcome", "page", "question", "reason", "rule", "rung", "scenario", "scheme", "segment", "side"}
    | {"spend_level", "stage", "state", "status", "step", "table", "touchpoint", "value", "verdict", "wave"}
    | {"clock", "handled_by", "parcel", "aspect", "window"}
)

#: Shares that count the customers of a row; those of one set add up to all of them, a lone one to its rest.
PARTS = (
    ("promoter_share", "passive_share", "detractor_share"),
    ("share_negative",),
    ("share_below",),
    ("share_of_customers",),
)

#: What a sentence calls the number of people behind it.
PEOPLE = ("n", "customers", "n_customers", "n_treatment", "n_control")


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
        Column or columns naming groups of rows that add up to a total which is shown or known. Without it,
        the whole frame is one such group and, in a table of groups by months or the like, so is each group
        and each month. Rows of different `metric` never add up.
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
    blanked until at least two are and together they hold `min_cell` customers, along every dimension of the
    table, until nothing changes. Running totals (columns
    `cumulative…`) would give a blanked row away by subtraction; they are blanked in the whole group. Shares
    that count a row's own customers (`PARTS`) are blanked where one of them stands for fewer than `min_cell`;
    the estimate of the row, made from all its customers, stays.

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
    kept = _kept_columns(data, (*groups, *keep))
    metric = ["metric"] if "metric" in data.columns else []
    dimensions: list[list[Hashable]] = [[name] for name in _crossing(data, kept, metric)]
    margins = [row_labels(data, [*metric, *names]) for names in ([groups] if groups else [[], *dimensions])]
    counts = pd.to_numeric(data[n_col]).to_numpy(dtype="float64", na_value=np.nan)
    hidden = cover(~(counts >= min_cell), counts, margins, min_cell=min_cell)
    return _without_small_parts(_blank(data, hidden, margins[0], kept=kept), counts, min_cell)


def _without_small_parts(shown: pd.DataFrame, counts: np.ndarray, min_cell: int) -> pd.DataFrame:
    """Blank shares of a row that stand for a few customers only: 4 % of 25 is one person."""
    for names in PARTS:
        if not set(names) <= set(shown.columns):
            continue
        shares = shown[list(names)].to_numpy(dtype="float64", na_value=np.nan)
        shares = np.column_stack([shares, 1 - shares.sum(axis=1)])
        people = np.round(shares * counts[:, None])
        small = ((people > 0) & (people < min_cell)).any(axis=1)
        shown = shown.assign(**{name: shown[name].mask(small) for name in names})
    return shown


def cover(
    hidden: np.ndarray, counts: np.ndarray, margins: Sequence[np.ndarray], *, min_cell: int
) -> np.ndarray:
    """Hide as many more rows as it takes that no total less the rows shown gives a hidden one.

    Parameters
    ----------
    hidden : array of bool
        Rows not shown; not changed.
    counts : array of float
        Customers of each row; the smallest are hidden first.
    margins
        For each dimension of the table a number by row: rows of one number add up to a total.
    min_cell
        Smallest number of customers that hidden rows of one total hold together.

    Examples
    --------
    >>> of_one_total = np.array([0, 0, 0])
    >>> cover(np.array([True, False, False]), np.array([40, 30, 90]), [of_one_total], min_cell=10).tolist()
    [True, True, False]
    """
    found = hidden.copy()
    is_stable = False
    while not is_stable:
        before = found.sum()
        for labels in margins:
            for label in np.unique(labels[found]):
                rows = np.flatnonzero(labels == label)
                found[rows] = _covered(counts[rows], found[rows], min_cell)
        is_stable = found.sum() == before
    return found


def row_labels(data: pd.DataFrame, names: list[Hashable]) -> np.ndarray:
    """Give rows that agree in the named columns the same number."""
    if not names or data.empty:
        return np.zeros(len(data), dtype=int)
    return data.groupby(names, dropna=False, sort=False, observed=True).ngroup().to_numpy()


def _crossing(data: pd.DataFrame, kept: set[Hashable], metric: list[str]) -> list[Hashable]:
    """Key columns whose values repeat, as in a table of groups by months: each has a total of its own."""
    names = [name for name in data.columns if name in kept and name not in metric]
    return [name for name in names if len(data[name].unique()) > 1 and data.duplicated([*metric, name]).any()]


def _covered(counts: np.ndarray, hidden: np.ndarray, min_cell: int) -> np.ndarray:
    """Rows of one group to blank so that the total minus the rest reveals no small one."""
    hidden = hidden.copy()
    protected = hidden & (counts != 0)
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
    if isinstance(column.dtype, pd.BooleanDtype):
        return column.mask(rows)
    is_plain_number = pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_integer_dtype(column.dtype)
    return (column.astype("float64") if is_plain_number else column).mask(rows)


def hide_names(shown: pd.DataFrame, attributes: Iterable[Hashable], *, word: str) -> pd.DataFrame:
    """Put `word` in place of what names blanked rows by an attribute of customers; numbers become missing.

    Parameters
    ----------
    shown
        A frame from `suppress_small`; not changed.
    attributes
        Columns that hold attributes of customers, by the contract and the data set, whatever else a column of
        that name means in the handbook. Hidden as well: `group` (whatever a report is split by), the values
        of a named `attribute`, and text in columns that neither these nor `OWN_NAMES` know.
    word
        What stands there instead.

    Notes
    -----
    A group of one may be called by a name, so only names that the handbook's own rules give stay.

    Examples
    --------
    >>> frame = suppress_small(pd.DataFrame({"stage": ["Oz", "Ur", "Ys"], "n": [1, 50, 60]}), min_cell=10)
    >>> hide_names(frame, ["stage"], word="(small group)")["stage"].tolist()
    ['(small group)', '(small group)', 'Ys']
    """
    known = {*attributes, "group"} | ({"value"} if "attribute" in shown.columns else set())
    changed: dict[str, pd.Series] = {}
    for name in shown.columns:
        values = shown[name].astype("object")
        if pd.api.types.infer_dtype(values, skipna=True) != "string":
            if name in known:
                changed[str(name)] = values.mask(shown[FLAG])
        elif name in known or name not in OWN_NAMES:
            changed[str(name)] = values.mask(shown[FLAG], word)
    return shown.assign(**changed)


def is_small(counts: Mapping[str, object], *, min_cell: int) -> bool:
    """Whether any of the `PEOPLE` that a sentence counts are fewer than `min_cell`.

    A comparison group of nobody is no person's data; `n=0` still says too much to be a result.

    Examples
    --------
    >>> is_small({"n": 40, "n_control": 3}, min_cell=10), is_small({"n": 40, "months": 3}, min_cell=10)
    (True, False)
    """
    known = {name: float(counts[name]) for name in PEOPLE if counts.get(name) is not None}  # type: ignore[arg-type]
    return any(count < min_cell and (name == "n" or count > 0) for name, count in known.items())
