"""The evidence ladder of one initiative: every rung its data allow, and the one that answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import fail_option
from cxlib.initiatives.effect.one_group_series import interrupted_series
from cxlib.initiatives.effect.randomised import adjusted_difference
from cxlib.initiatives.effect.two_periods import before_after, change_contrast, period_means
from cxlib.initiatives.study.panel import ASSIGNMENTS
from cxlib.initiatives.study.rollout import GROUP, cluster_of, rollout_groups
from cxlib.stats.event_study.aggregates import AttResult
from cxlib.stats.event_study.staggered import att_gt
from cxlib.stats.intervals import Interval

SERIES_BEFORE = 6  # months before the start from which customers are followed where the data begin late
SERIES_CUSTOMERS = 30  # customers below which a series is the story of single ones
BEST = {"randomised": "randomised", "staggered": "staggered_did", "targeted": "did"}
Row = dict[Any, Any]
RUNGS = (
    "before_after", "same_months_last_year", "interrupted_series", "did_found", "did_pooled", "did",
    "staggered_did", "randomised",
)  # fmt: skip


def evidence_ladder(
    panel: pd.DataFrame,
    *,
    assignment: str,
    outcome_col: str = "margin",
    horizon_months: Sequence[int] = (6, 12),
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Effect per treated customer and month on every rung the data allow, from the weakest to the strongest.

    Parameters
    ----------
    panel : DataFrame
        Result of `study_panel`.
    assignment : str
        How customers came into the initiative; it decides which rung answers: `randomised` the comparison of
        the two arms adjusted for spending before · `staggered` effects by wave (`att_gt`, base: mean of the
        months before) · `targeted` difference-in-differences with controls enrolled as such ·
        `everyone` none: before/after and the interrupted series are all there is.
    outcome_col : str
        `margin`, `amount` or `orders`, per customer and month.
    horizon_months : sequence of int
        Months since the customer's start. A horizon the data have not reached is answered for the months
        there are (`months_observed` < `horizon_months`), never extrapolated.
    conf_level : float
        Level of the intervals.

    Returns
    -------
    DataFrame
        One row per horizon and `rung` (`before_after, same_months_last_year, interrupted_series, did_found,
        did_pooled, did, staggered_did, randomised`): `horizon_months, rung, metric` (the outcome), `estimate,
        std_error, conf_low, conf_high, n, n_treatment, n_control, months_observed, is_answer`. Where an
        attribute decided (`rollout_group` of the panel), also `clusters_treatment, clusters_control`, and all
        errors but that of the series are clustered on it. Empty when no month was observed.

    Notes
    -----
    For a staggered roll-out a horizon counts from each customer's own start and uses the waves observed that
    long; `months_observed` is what at least half of the treated have been observed. `interrupted_series`
    follows the treated who were customers before the panel begins, as a jump off their own trend (with a
    change of slope from 24 months before on); waves are laid over each other by their own starts, over the
    months that all of them have. `did_pooled` takes the waves as if they were one: each customer's change at
    the own start, minus the change of the never treated at the start of the initiative, so that the season
    stays in it. These and `did_found` (controls looked for among customers of no initiative) are shown, and
    never answer.

    Examples
    --------
    >>> panel = pd.DataFrame({"customer_id": list("aabbccdd"), "month": [-1, 0] * 4, "start_month": [0.0] * 4
    ...     + [None] * 4, "arm": ["treatment"] * 4 + ["control"] * 4, "margin": [1, 5, 2, 4, 1, 2, 3, 4.0]})
    >>> ladder = evidence_ladder(panel, assignment="targeted", horizon_months=[1])
    >>> ladder[["rung", "estimate", "is_answer"]].to_numpy().tolist()
    [['before_after', 3.0, False], ['did', 2.0, True]]
    """
    if assignment not in ASSIGNMENTS:
        fail_option("assignment", assignment, ASSIGNMENTS)
    observed = observed_months(panel)
    horizons: dict[int, int] = {}  # by months observed: the shortest horizon they answer
    for horizon in sorted(horizon_months):
        if min(horizon, observed) >= 1:
            horizons.setdefault(min(horizon, observed), horizon)
    columns = [
        "horizon_months", "rung", "metric", *Interval._fields, "n",
        "n_treatment", "n_control", "months_observed", "is_answer",
    ]  # fmt: skip
    if not horizons:
        return pd.DataFrame(columns=columns)
    compared = assignment != "everyone" and has_comparison(panel)
    series = treated_series(panel, outcome_col=outcome_col)
    waves = wave_effects(panel, outcome_col, conf_level) if compared and assignment == "staggered" else None
    groups = rollout_groups(panel)
    counted: Row = {}
    if groups is not None:
        counted = {"clusters_treatment": groups.n_treatment, "clusters_control": groups.n_control}
    rows: list[Row] = []
    for months, horizon in horizons.items():
        rungs = _naive_rungs(panel, outcome_col, months, conf_level)
        rungs += _series_rung(series, months, conf_level)
        rungs += _arm_rungs(panel, assignment, outcome_col, months, conf_level) if compared else []
        rungs += _staggered_rung(waves, months) if waves else []
        shared = {"metric": outcome_col, "horizon_months": horizon, "months_observed": months, **counted}
        rows += [{**rung, **shared, "is_answer": rung["rung"] == BEST.get(assignment)} for rung in rungs]
    return pd.DataFrame(rows, columns=[*columns, *counted])


def observed_months(panel: pd.DataFrame) -> int:
    """Whole months that at least half of the treated were observed since their own start.

    Where everybody is treated sooner or later, months after the last wave's start do not count: nobody is
    left to compare with.

    Examples
    --------
    >>> observed_months(pd.DataFrame({"customer_id": ["a"] * 3, "month": [-1, 0, 1], "start_month": 0.0}))
    2
    """
    if panel.empty:
        return 0
    each = panel["start_month"].to_numpy(float, na_value=np.nan)[~panel["customer_id"].duplicated()]
    starts = each[~np.isnan(each)]
    if not len(starts):
        return 0
    last = int(panel["month"].max()) + 1
    never = len(starts) < len(each) or (starts >= last).any()
    if not never and starts.min() < starts.max():
        last = int(starts.max())
    return max(0, int(last - np.quantile(starts, 0.5, method="inverted_cdf")))


def nobody_left(panel: pd.DataFrame) -> bool:
    """Whether customers joined in waves and the last has begun: no later month will be compared.

    Examples
    --------
    >>> waves = pd.DataFrame({"month": [0, 1] * 2, "start_month": [0.0, 0, 1, 1]})
    >>> nobody_left(waves), nobody_left(waves.assign(start_month=[0.0, 0, 2, 2]))
    (True, False)
    """
    starts = panel["start_month"].drop_duplicates()
    return len(starts) > 1 and bool(starts.notna().all() and starts.max() <= panel["month"].max())


def has_comparison(panel: pd.DataFrame) -> bool:
    """Whether the panel holds customers that were never treated, or treated later than others."""
    return len(panel["start_month"].unique()) > 1


def answer_rung(ladder: pd.DataFrame, *, horizon_months: int) -> pd.Series:
    """Pick the row that answers at a horizon: the best rung there is, on the longest stretch up to it.

    Returns
    -------
    Series
        A row of `evidence_ladder`. Without a comparison group it is the before/after row, with `is_answer`
        False; without any month observed all numbers are missing.

    Examples
    --------
    >>> ladder = pd.DataFrame({"horizon_months": [6, 6], "rung": ["before_after", "did"],
    ...                        "months_observed": 6, "is_answer": [False, True], "estimate": [9.0, 1.0]})
    >>> answer_rung(ladder, horizon_months=12)["rung"]
    'did'
    """
    rows = ladder[ladder["horizon_months"] <= horizon_months]
    rows = ladder if rows.empty else rows
    if rows.empty:
        numbers = dict.fromkeys(Interval._fields, np.nan)
        counts = dict.fromkeys(["n", "n_treatment", "n_control", "months_observed"], 0)
        return pd.Series({"rung": "none", **numbers, **counts, "is_answer": False}, dtype=object)
    rows = rows[rows["months_observed"] == rows["months_observed"].max()]
    best = rows[rows["is_answer"].astype(bool)]
    return (best if len(best) else rows[rows["rung"] == "before_after"]).iloc[0]


def _naive_rungs(panel: pd.DataFrame, outcome_col: str, months: int, conf_level: float) -> list[Row]:
    changes = before_after(panel, outcome_col=outcome_col, horizon_months=months, conf_level=conf_level)
    return [
        {**row, "rung": row["metric"], "n_treatment": row["n"], "n_control": 0}
        for row in changes.to_dict("records")
        if row["metric"] in RUNGS[:2] and not np.isnan(row["estimate"])
    ]


def _arm_rungs(
    panel: pd.DataFrame, assignment: str, outcome_col: str, months: int, conf_level: float
) -> list[Row]:
    """Rungs that compare two arms, in months from each customer's own start (controls: the initiative's)."""
    start = panel["start_month"].to_numpy(float, na_value=np.nan)
    since = panel["month"].to_numpy(float) - np.nan_to_num(start)
    unit, ids = pd.factorize(panel["customer_id"])
    value = panel[outcome_col].to_numpy(float, na_value=np.nan)
    before = period_means(unit, value, len(ids), since < 0)
    after = period_means(unit, value, len(ids), (since >= 0) & (since < months))
    treated = np.zeros(len(ids), dtype=bool)
    treated[unit] = ~np.isnan(start)
    cluster = None
    if (groups := cluster_of(panel)) is not None:
        cluster = np.zeros(len(ids), dtype=np.intp)
        cluster[unit] = pd.factorize(groups)[0]
    rows: list[Row] = []
    if (since < 0).any() and 0 < treated.sum() < len(ids):
        found = "found" in panel and bool(panel["found"].any())
        name = "did_pooled" if assignment == "staggered" else "did_found" if found else "did"
        rows.append({**change_contrast(before, after, treated, cluster, conf_level=conf_level), "rung": name})
    if assignment == "randomised":
        data = pd.DataFrame({"before": before, "after": after, "treated": treated, GROUP: cluster})
        known = ["before"] if np.isfinite(before).any() else []
        fit = adjusted_difference(
            data, outcome_col="after", treated_col="treated", covariates=known, conf_level=conf_level,
            cluster_col=None if cluster is None else GROUP,
        )  # fmt: skip
        rows += [{**row, "rung": "randomised"} for row in fit.to_dict("records")]
    return rows


def treated_series(panel: pd.DataFrame, *, outcome_col: str = "margin") -> pd.DataFrame:
    """Mean outcome per month of the treated who were customers all along: `month, metric, estimate, n`.

    Customers won during the panel are left out (`first_month`, where the panel has it): with them the series
    would climb because there are more of them, not because they buy more. Where nobody was a customer before
    the data begin, the series begins half a year before the start. Waves count months from their own start,
    over the months that all of them have.
    """
    treated = panel["start_month"].notna().to_numpy()
    start = panel["start_month"].to_numpy(float, na_value=np.nan)[treated]
    month = (panel["month"].to_numpy(float)[treated] - start).astype(np.int64)
    kept = np.ones(len(month), dtype=bool)
    for wave in np.unique(start):
        kept &= np.isin(month, month[start == wave])
    if "first_month" in panel and kept.any():
        known, first = panel["first_month"].to_numpy(float)[treated] - start, month[kept].min()
        first = first if (known[kept] < first).any() else max(first, -SERIES_BEFORE)
        kept &= (known < first) & (month >= first)
    months, place = np.unique(month[kept], return_inverse=True)
    value = panel[outcome_col].to_numpy(float, na_value=np.nan)[treated][kept]
    means = period_means(place, value, len(months), np.ones(len(value), dtype=bool))
    sizes = np.bincount(place, minlength=len(months))
    return pd.DataFrame({"month": months, "metric": outcome_col, "estimate": means, "n": sizes})


def _series_rung(series: pd.DataFrame, months: int, conf_level: float) -> list[Row]:
    series = series[series["month"] < months]
    if len(series) == 0 or series["n"].max() < SERIES_CUSTOMERS:
        return []
    long = bool((series["month"] < 0).sum() >= 24)  # with fewer, a slope of its own is guesswork
    fit = interrupted_series(
        series, outcome_col="estimate", time_col="month", slope=long, conf_level=conf_level
    )
    customers = int(series["n"].max())
    sizes = {"n": customers, "n_treatment": customers, "n_control": 0}
    return [
        {**row, **sizes, "rung": "interrupted_series"}
        for row in fit.to_dict("records")
        if row["metric"] == "effect" and not np.isnan(row["estimate"])
    ]


def _staggered_rung(result: AttResult, months: int) -> list[Row]:
    row = result.aggregate("dynamic", horizon_months=months).iloc[0].to_dict()
    n_control = int(result.estimates["n_control"].max())
    sizes = {"n": row["n"] + n_control, "n_treatment": row["n"], "n_control": n_control}
    return [] if np.isnan(row["estimate"]) else [{**row, **sizes, "rung": "staggered_did"}]


def wave_effects(panel: pd.DataFrame, outcome_col: str, conf_level: float) -> AttResult | None:
    """Group-time effects against the never treated (else the not yet treated); None without either."""
    months, starts = panel["month"], panel["start_month"]
    if (
        panel.empty
        or not has_comparison(panel)
        or not (months < 0).any()
        or not (starts <= months.max()).any()
    ):
        return None
    never = starts.isna() | (starts > months.max())
    return att_gt(
        panel, outcome_col=outcome_col, unit_col="customer_id", time_col="month", start_col="start_month",
        control="never" if never.any() else "not_yet", base="mean", conf_level=conf_level,
    )  # fmt: skip
