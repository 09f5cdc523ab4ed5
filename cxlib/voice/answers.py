"""Answers to one survey question, checked: scores with group, weight and cluster, and their effective n."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxlib.checks import ParameterError, check_columns, check_frame
from cxlib.data.days import instants, local_days
from cxlib.data.text_type import TEXT
from cxlib.stats.arrays import Array
from cxlib.stats.intervals import Interval, clustered_mean_interval, critical_value
from cxlib.stats.number_columns import check_weights, cluster_codes
from cxlib.stats.sums_by_cluster import cluster_totals

#: A whole number, and after a separator, a space or at once in another script its label without digits.
LABELLED = r"^\s*([+-]?\d+)(?:\s*[-–—:=.)(|]|\s|[^\d\x00-\x7F])\D*$"
Scale = tuple[float, float]
SCORES = ("nps_score", "csat_score", "ces_score")
#: Columns of results, which a group column must not overwrite.
RESERVED = {"metric", *Interval._fields, "n", "n_missing", "n_effective"}
RESERVED |= {"customers", "mean", "high_effort", "direction", "method", "note", "before", "after", "verdict"}
RESERVED |= {"statistic", "p_value", "p_adjusted", "n_before", "n_after", "n_paired"}


class Answers(NamedTuple):
    """Valid answers with their group codes; a class because these columns always travel together."""

    keys: pd.DataFrame
    group: NDArray[np.int64]
    score: Array
    weight: Array | None
    cluster: NDArray[np.int64] | None
    n_missing: NDArray[np.int64]

    @property
    def n(self) -> Array:
        """Answers per group."""
        return np.bincount(self.group, minlength=len(self.keys)).astype(float)

    @property
    def n_clusters(self) -> Array:
        """Clusters per group; an answer without a cluster is one of its own."""
        assert self.cluster is not None
        owner = cluster_totals(np.zeros(len(self.group)), self.group, self.cluster, len(self.keys))[0]
        return np.bincount(owner, minlength=len(self.keys)).astype(np.float64)

    def mean(self, values: NDArray[np.generic]) -> Array:
        """Weighted mean of `values` per group; NaN for a group without answers."""
        weight = np.ones(len(self.group)) if self.weight is None else self.weight
        total = np.bincount(self.group, weight, len(self.keys))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.bincount(self.group, weight * values.astype(float), len(self.keys)) / total


def read_answers(
    data: pd.DataFrame,
    score_col: str,
    scale: Scale,
    *,
    by: str | list[str] | None = None,
    weight_col: str | None = None,
    cluster_col: str | None = None,
) -> Answers:
    """Check one score column and return its answers; missing scores and missing weights are only counted.

    Parameters
    ----------
    data : DataFrame
        One row per answer.
    score_col : str
        Whole numbers on `scale`; answers exported with their label ("10 - Extremely likely") are read as the
        number before it.
    scale : tuple of two numbers
        Lowest and highest score allowed.
    by, weight_col, cluster_col : str, optional
        Group column(s), weights above 0, customers or accounts.

    Returns
    -------
    Answers

    Raises
    ------
    ParameterError
        For a missing column, a score off the scale, text, or a weight of 0 or less.

    Examples
    --------
    >>> read_answers(pd.DataFrame({"nps_score": [10, None, 3]}), "nps_score", (0, 10)).n.tolist()
    [2.0]
    """
    check_frame(data)
    group_cols = [by] if isinstance(by, str) else list(by or [])
    check_columns(data, score_col=score_col, weight_col=weight_col, cluster_col=cluster_col)
    for column in group_cols:
        check_columns(data, by=column)
        if column in RESERVED:
            raise ParameterError("nps.reserved_group", column=column)
    check_scale(scale)
    score = check_scores(data, score_col, scale)
    weight = None if weight_col is None else check_weights(data, weight_col)
    valid = np.isfinite(score) if weight is None else np.isfinite(score) & np.isfinite(weight)
    if group_cols:
        groups = data.groupby(group_cols, dropna=False, observed=True, sort=True)
        group = groups.ngroup().to_numpy().astype(np.int64)
        keys = groups.size().index.to_frame(index=False)
    else:
        group, keys = np.zeros(len(data), dtype=np.int64), pd.DataFrame(index=range(1))
    return Answers(
        keys=keys,
        group=group[valid],
        score=score[valid],
        weight=None if weight is None else weight[valid],
        cluster=None if cluster_col is None else cluster_codes(data[cluster_col])[valid],
        n_missing=np.bincount(group[~valid], minlength=len(keys)).astype(np.int64),
    )


def check_scale(scale: Scale) -> None:
    """Raise unless the scale is two whole numbers, the lowest first, with at least two boxes."""
    ends = list(scale) if isinstance(scale, Sequence | np.ndarray) and not isinstance(scale, str) else []
    is_pair = len(ends) == 2 and all(isinstance(end, int | float | np.number) for end in ends)
    if not is_pair or not 1 <= ends[1] - ends[0] < np.inf or any(end != round(end) for end in ends):
        raise ParameterError("nps.bad_scale", found=repr(scale))


def scale_notes(answers: Answers, scale: Scale, *, least: int = 30) -> NDArray[np.object_]:
    """Say for each group whether an end of the scale was never used, though answers are many.

    Returns
    -------
    array of str or None
        "lowest_unused", "highest_unused" or "both_ends_unused" where at least `least` answers leave an end
        empty: answers on a shorter or shifted scale look like that (1–10 taken for 0–10, 1–5 for 1–10), and
        so may answers that agree. None where both ends occur or answers are few. A reversed scale cannot be
        seen here: `driver_importance` gives the sign of each driver, `importance_performance` says which run
        against the outcome.
    """
    used = []
    for end in scale:
        hit = np.bincount(answers.group, answers.score == end, len(answers.keys))
        used.append((hit > 0) | (answers.n < least))
    words = {(True, True): None, (False, True): "lowest_unused", (True, False): "highest_unused"}
    pairs = zip(*used, strict=True)
    found = [words.get((bool(low), bool(high)), "both_ends_unused") for low, high in pairs]
    return np.array(found, dtype=object)


def check_scores(data: pd.DataFrame, score_col: str, scale: Scale) -> Array:
    """Return a score column as floats, missing as NaN, without labels ("10 - Extremely likely" is 10).

    Raises
    ------
    ParameterError
        If a score is text, not whole, or outside `scale`; says which, how often and where first.
    """
    column = data[score_col]
    score = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    text_rows = np.isnan(score) & column.notna().to_numpy()
    if text_rows.any():
        leading = column[text_rows].astype(TEXT).str.extract(LABELLED, expand=False)
        score = score.copy()
        score[text_rows] = [float(number) if isinstance(number, str) else np.nan for number in leading]
        text_rows &= np.isnan(score)
    off = np.isfinite(score) & ((score < scale[0]) | (score > scale[1]) | (score != np.round(score)))
    is_flag = pd.api.types.is_bool_dtype(column)  # yes and no would count as the scores 1 and 0
    bad = column.notna().to_numpy() if is_flag else text_rows | off | np.isinf(score)
    if bad.any():
        found = (
            ["true/false"] if is_flag else [f"{value:g}" for value in np.unique(score[bad & ~text_rows])[:5]]
        )
        raise ParameterError(
            "nps.bad_score",
            argument="score_col",
            column=score_col,
            low=f"{scale[0]:g}",
            high=f"{scale[1]:g}",
            found=", ".join(found + ["text"] * bool(text_rows.any())),
            n=f"{bad.sum():,}",
            total=f"{len(data):,}",
            first=f"{np.flatnonzero(bad)[0] + 1:,}",
        )
    return score


def effective_n(answers: Answers, values: Array, *, conf_level: float) -> tuple[Array, Array]:
    """Effective answers per group: for the standard error, and for limits (fewer when clusters are few).

    Kish's (Σw)²/Σw² for weights; with clusters the answers over the design effect of `values`, and for limits
    times (z/t)² with one degree of freedom less than clusters (Korn & Graubard). Never above the answers:
    that answers of one customer differ more than those of two is taken for chance, and buys no precision.
    """
    n = answers.n
    if answers.cluster is None:
        if answers.weight is None:
            return n, n
        total, squares = (np.bincount(answers.group, answers.weight**k, len(n)) for k in (1, 2))
        kish = np.divide(total**2, squares, out=np.zeros(len(n)), where=squares > 0)
        return kish, kish
    clustered = clustered_mean_interval(
        values, answers.cluster, weights=answers.weight, groups=answers.group, n_groups=len(n)
    )
    n_clusters = answers.n_clusters
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = answers.mean(values**2) - answers.mean(values) ** 2
        known = (variance > 0) & (clustered.std_error > 0)
        independent = variance / clustered.std_error**2
        if not known.all():
            independent = np.where(known, independent, _kish_of_clusters(answers))
        shrink = (critical_value(conf_level) / critical_value(conf_level, df=n_clusters - 1)) ** 2
    limits = np.where(n_clusters > 1, independent * np.nan_to_num(shrink, nan=1.0), independent)
    return np.minimum(independent, n), np.minimum(limits, n)


def _kish_of_clusters(answers: Answers) -> Array:
    """Kish's effective number of clusters per group, each with the sum of its weights."""
    weight = np.ones(len(answers.group)) if answers.weight is None else answers.weight
    sums = pd.Series(weight).groupby([answers.group, answers.cluster]).sum()
    owner, n = sums.index.get_level_values(0).to_numpy(dtype=int), len(answers.keys)
    total, squares = (np.bincount(owner, sums.to_numpy() ** k, n) for k in (1, 2))
    return np.divide(total**2, squares, out=np.zeros(n), where=squares > 0)


def survey_answers(
    responses: pd.DataFrame | None,
    customers: pd.DataFrame,
    *,
    survey: str = "relationship",
    by: str | None = None,
    only_these: bool = False,
) -> pd.DataFrame:
    """Answers of one survey with the customers' attribute beside them; none when there is no table.

    Parameters
    ----------
    responses : DataFrame or None
        The contract's responses table, or None when the data set has none.
    customers : DataFrame
        Customers, one row per ``customer_id``.
    survey : str
        "relationship" or "transaction".
    by : str, optional
        Column of `customers` to bring along, as text; missing for an answer without a known customer.
    only_these : bool
        Leave out answers of anybody who is not in `customers`.

    Returns
    -------
    DataFrame
        The responses of the survey, `by`, and ``wave`` filled with the calendar quarter ("2026Q3") where the
        survey names none; ``is_named_wave`` says which it names. Scores the table lacks are missing.

    Raises
    ------
    ParameterError
        If `by` is no column of `customers`.

    Examples
    --------
    >>> people = pd.DataFrame({"customer_id": ["a"], "region": ["x"]})
    >>> survey_answers(None, people, by="region").empty
    True
    """
    check_columns(customers, by=by)
    if responses is None:
        columns = ("customer_id", "wave", "touchpoint", *SCORES, *([by] if by else []))
        empty = pd.DataFrame({column: pd.Series(dtype=float) for column in columns})
        return empty.assign(
            answered_at=pd.Series(dtype="datetime64[us]"), is_named_wave=pd.Series(dtype=bool)
        )
    answers = responses[responses["survey"] == survey]
    if only_these:
        answers = answers[answers["customer_id"].isin(customers["customer_id"])]
    quarter = local_days(answers["answered_at"], "answered_at").dt.to_period("Q").astype(TEXT)
    named = answers["wave"] if "wave" in answers else pd.Series(None, index=answers.index, dtype="string")
    answers = answers.assign(wave=named.astype(TEXT).fillna(quarter), is_named_wave=named.notna())
    answers = answers.assign(**{name: np.nan for name in ("touchpoint", *SCORES) if name not in answers})
    if by is not None:
        known = customers.drop_duplicates("customer_id").set_index("customer_id")[by]
        answers = answers.assign(**{by: answers["customer_id"].map(_as_text(known))})
    return answers.reset_index(drop=True)


def by_time(
    answers: pd.DataFrame, *, time_col: str = "answered_at", columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Sort answers by time, whatever order the rows come in; the last row of a customer is the last answer.

    Answers of one instant stand in the order of ``response_id``, where there is one, then from the best to
    the worst score: of two that cannot be told apart in time the worse one is taken as the last. `columns`
    limits what is given, all by default.

    Examples
    --------
    >>> days = pd.to_datetime(["2026-01-02"] * 2)
    >>> by_time(pd.DataFrame({"answered_at": days, "nps_score": [3, 9]}))["nps_score"].tolist()
    [9, 3]
    """
    ties = [name for name in ("response_id", *SCORES) if name in answers]
    found = instants(answers[time_col], time_col)
    times = (found if found.dt.tz is None else found.dt.tz_convert(None)).to_numpy()
    order = np.argsort(times, kind="stable")
    same = np.r_[False, times[order].view("int64")[1:] == times[order].view("int64")[:-1], False]
    tied = same[:-1] | same[1:]
    if ties and tied.any():
        some = answers[ties].iloc[order[tied]].assign(__at__=times[order[tied]])
        some.index = pd.Index(order[tied])
        rises = [True, *(name not in SCORES for name in ties)]
        order[tied] = some.sort_values(["__at__", *ties], ascending=rises, kind="stable").index
    return (answers if columns is None else answers[list(columns)]).iloc[order]


def survey_weight(answers: pd.DataFrame, *, weight_col: str = "weight") -> str | None:
    """Name the column to weight answers by, or None where the survey has no weights or all are alike.

    Examples
    --------
    >>> survey_weight(pd.DataFrame({"weight": [1.0, 2.5]}))
    'weight'
    """
    known = answers[weight_col].dropna() if weight_col in answers else pd.Series(dtype=float)
    return weight_col if len(known) and known.min() < known.max() else None


def _as_text(column: pd.Series) -> pd.Series:
    """Return group labels as text, whole numbers without decimals, missing ones missing."""
    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return column.astype("string")
    return column.astype("Float64").map(lambda value: f"{value:g}", na_action="ignore").astype("string")
