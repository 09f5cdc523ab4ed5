"""The evidence ladder of one initiative: every rung its data allow, and the one that answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxlib.checks import fail_option
from cxlib.impact._compare import adjusted_contrasts, adjusted_difference, before_after, did, mean_row
from cxlib.impact._panel import ASSIGNMENTS, Array
from cxlib.impact._sensitivity import relative_magnitudes
from cxlib.impact._series import interrupted_series
from cxlib.impact._staggered import AttResult, att_gt

BEST = {"randomised": "randomised", "staggered": "staggered_did", "targeted": "did"}
RUNGS = (
    "before_after", "same_months_last_year", "interrupted_series", "did_found", "did", "staggered_did",
    "randomised",
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
        did, staggered_did, randomised`): `horizon_months, rung, metric` (the outcome), `estimate, std_error,
        conf_low, conf_high, n, n_treatment, n_control, months_observed, is_answer`. Empty when no month was
        observed.

    Notes
    -----
    For a staggered roll-out a horizon counts from each customer's own start and uses the waves observed that
    long; `months_observed` is what at least half of the treated have been observed. `interrupted_series`
    follows the treated who were customers before the panel begins, as a jump off their own trend (with a
    change of slope from 24 months before on); it and `did_found` (controls looked for among customers of no
    initiative) are shown, and never answer.

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
    seen: set[int] = set()
    parts = []
    for horizon in sorted(horizon_months):
        months = min(horizon, observed)
        if months < 1 or months in seen:
            continue
        seen.add(months)
        rungs = _rungs(panel, assignment, outcome_col, months, conf_level)
        parts.append(rungs.assign(horizon_months=horizon, months_observed=months))
    columns = [
        "horizon_months", "rung", "metric", "estimate", "std_error", "conf_low", "conf_high", "n",
        "n_treatment", "n_control", "months_observed", "is_answer",
    ]  # fmt: skip
    if not parts:
        return pd.DataFrame(columns=columns)
    ladder = pd.concat(parts, ignore_index=True)
    return ladder[columns]


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
    starts = panel.drop_duplicates("customer_id")["start_month"].dropna()
    if starts.empty:
        return 0
    last = int(panel["month"].max()) + 1
    never = panel["start_month"].isna().any() or (starts >= last).any()
    if not never and len(starts.unique()) > 1:
        last = int(starts.max())
    return max(0, int(last - np.quantile(starts, 0.5, method="inverted_cdf")))


def has_comparison(panel: pd.DataFrame) -> bool:
    """Whether the panel holds customers that were never treated, or treated later than others."""
    starts = panel.drop_duplicates("customer_id")["start_month"]
    return bool(starts.isna().any() and starts.notna().any()) or len(starts.dropna().unique()) > 1


def monthly_gap(
    panel: pd.DataFrame,
    *,
    outcome_col: str = "margin",
    horizon_months: int = 12,
    conf_level: float = 0.95,
    seed: int = 7,
) -> pd.DataFrame:
    """Treatment minus control in each month around the start, with a band that holds for all months at once.

    Parameters
    ----------
    panel, outcome_col, conf_level
        As in `evidence_ladder`.
    horizon_months : int
        Last month shown is `horizon_months` − 1 after the start.
    seed : int
        Of the draws behind the band.

    Returns
    -------
    DataFrame
        `event_time` (months since the customer's start), `metric, estimate, std_error, conf_low, conf_high,
        n` (treated customers). Compared with the mean of the months before the start, so that the gaps before
        it lie around zero by construction: look at their shape. Empty without a comparison group.
    """
    result = _effects(panel, outcome_col, conf_level)
    if result is None:
        return pd.DataFrame(
            columns=["event_time", "metric", "estimate", "std_error", "conf_low", "conf_high", "n"]
        )
    rows = result.aggregate("dynamic", band="simultaneous", seed=seed).iloc[1:]
    shown = rows[rows["event_time"].between(-12, horizon_months - 1)].assign(metric=outcome_col)
    return shown.astype({"event_time": int})[
        ["event_time", "metric", "estimate", "std_error", "conf_low", "conf_high", "n"]
    ].reset_index(drop=True)


def parallel_trends(panel: pd.DataFrame, *, outcome_col: str = "margin") -> pd.DataFrame:
    """Test that treatment and control moved alike before the start: `statistic, df, p_value` (one row)."""
    result = _effects(panel, outcome_col, 0.95)
    if result is None:
        return pd.DataFrame([{"metric": "pretrend", "statistic": np.nan, "df": 0, "p_value": np.nan}])
    return result.pretrend()


def drift_bounds(
    panel: pd.DataFrame, *, outcome_col: str = "margin", horizon_months: int = 12, conf_level: float = 0.95
) -> pd.DataFrame:
    """Bound the effect if the groups drift apart (`relative_magnitudes`); empty without controls."""
    result = _effects(panel, outcome_col, conf_level)
    if result is None or horizon_months < 1:
        return pd.DataFrame()
    return relative_magnitudes(result, horizon_months=horizon_months, conf_level=conf_level)


def monthly_effects(
    panel: pd.DataFrame, *, assignment: str, horizon_months: int, outcome_col: str = "margin"
) -> tuple[pd.DataFrame, Array]:
    """Effect in each month since the customer's own start, and their covariance: the input of a cash flow.

    Returns
    -------
    DataFrame, array
        `month` (0 = first month with the initiative), `estimate` (per treated customer and month),
        `std_error`, `n_treated` (customers counted), `cost_months` (months of running cost that fall on it);
        and the covariance of the estimates. The rung is the one that answers in `evidence_ladder`, and the
        mean over the months equals its estimate. Empty without a comparison group: a change is not an effect.

    Notes
    -----
    For waves both money and effect count each customer's own months, of the waves observed that long. A month
    of the programme costs its fee once, shared equally among the customers treated in it; `cost_months` adds
    up these shares, so it is above 1 where the first months of several waves lie in different months.
    """
    nothing = pd.DataFrame(columns=["month", "estimate", "std_error", "n_treated", "cost_months"])
    if assignment == "everyone" or not has_comparison(panel) or horizon_months < 1:
        return nothing, np.empty((0, 0))
    if assignment == "randomised":
        frame, covariance = _randomised_months(panel, horizon_months, outcome_col)
        return frame.assign(cost_months=1.0), covariance
    result = _effects(panel, outcome_col, 0.95)
    if result is None or ("found" in panel and panel["found"].any()):
        return nothing, np.empty((0, 0))
    frame, covariance = result.event_study(horizon_months)
    frame = frame.rename(columns={"event_time": "month"}).astype({"month": int})
    return frame.assign(
        cost_months=_cost_months(result, frame["month"].to_numpy(), horizon_months)
    ), covariance


def _cost_months(result: AttResult, months: Array, horizon: int) -> Array:
    sizes = dict(zip(result.starts, result.sizes, strict=True))
    treated = result.estimates.loc[result.estimates["event_time"] >= 0]
    last = treated.groupby("start")["event_time"].max()
    counted = last.index[last >= horizon - 1]
    return np.array(
        [
            sum(sizes[own] / sum(n for start, n in sizes.items() if start <= own + month) for own in counted)
            for month in months
        ]
    )


def _randomised_months(panel: pd.DataFrame, horizon: int, outcome_col: str) -> tuple[pd.DataFrame, Array]:
    wide = panel.pivot_table(index=["customer_id", "arm"], columns="month", values=outcome_col)
    months, values = wide.columns.to_numpy(int), wide.to_numpy(float)
    arm = (wide.index.get_level_values("arm") == "treatment").astype(float)
    inside, before = (months >= 0) & (months < horizon), values[:, months < 0]
    known = before.mean(axis=1, keepdims=True) if before.size else np.empty((len(arm), 0))
    estimates, covariance, _ = adjusted_contrasts(values[:, inside], arm, known)
    frame = pd.DataFrame(
        {"month": months[inside], "estimate": estimates, "std_error": np.sqrt(np.diag(covariance)),
         "n_treated": int(arm.sum())}
    )  # fmt: skip
    return frame, covariance


def arm_months(panel: pd.DataFrame, *, outcome_col: str = "margin", conf_level: float = 0.95) -> pd.DataFrame:
    """Mean outcome per customer of each arm and month since the start of the initiative, with interval.

    Returns
    -------
    DataFrame
        `arm, month, metric, estimate, std_error, conf_low, conf_high, n`.
    """
    rows = [
        {"arm": arm, "month": month, "metric": outcome_col, **mean_row(part.to_numpy(float), conf_level)}
        for (arm, month), part in panel.groupby(["arm", "month"], sort=True)[outcome_col]
    ]
    columns = ["arm", "month", "metric", "estimate", "std_error", "conf_low", "conf_high", "n"]
    return pd.DataFrame(rows, columns=columns).sort_values(
        ["arm", "month"], ascending=[False, True], ignore_index=True
    )


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
        numbers = dict.fromkeys(["estimate", "std_error", "conf_low", "conf_high"], np.nan)
        counts = dict.fromkeys(["n", "n_treatment", "n_control", "months_observed"], 0)
        return pd.Series({"rung": "none", **numbers, **counts, "is_answer": False}, dtype=object)
    rows = rows[rows["months_observed"] == rows["months_observed"].max()]
    best = rows[rows["is_answer"].astype(bool)]
    return (best if len(best) else rows[rows["rung"] == "before_after"]).iloc[0]


def _rungs(
    panel: pd.DataFrame, assignment: str, outcome_col: str, months: int, conf_level: float
) -> pd.DataFrame:
    naive = before_after(panel, outcome_col=outcome_col, horizon_months=months, conf_level=conf_level)
    naive = naive[naive["metric"].isin(RUNGS[:2]) & naive["estimate"].notna()].rename(
        columns={"metric": "rung"}
    )
    parts = [naive.assign(n_treatment=naive["n"], n_control=0)]
    if assignment != "staggered":
        parts.append(_series_rung(panel, outcome_col, months, conf_level))
    if assignment != "everyone" and has_comparison(panel):
        if assignment == "staggered":
            parts.append(_staggered_rung(panel, outcome_col, months, conf_level))
        else:
            parts += _two_arms(panel, outcome_col, months, conf_level, randomised=assignment == "randomised")
    ladder = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    return ladder.assign(metric=outcome_col, is_answer=ladder["rung"] == BEST.get(assignment))


def _two_arms(
    panel: pd.DataFrame, outcome_col: str, months: int, conf_level: float, *, randomised: bool
) -> list[pd.DataFrame]:
    window = panel[panel["month"] < months].assign(
        _treated=panel["start_month"].notna(), _post=panel["month"] >= 0
    )
    parts = []
    if (window["month"] < 0).any():
        rung = did(
            window, outcome_col=outcome_col, unit_col="customer_id", time_col="month", treated_col="_treated",
            post_col="_post", conf_level=conf_level,
        )  # fmt: skip
        found = "found" in window and bool(window["found"].any())
        parts.append(rung.rename(columns={"metric": "rung"}).assign(rung="did_found" if found else "did"))
    if randomised:
        means = window.pivot_table(index=["customer_id", "_treated"], columns="_post", values=outcome_col)
        names = {False: "before", True: "after"}
        means = means.rename(columns=names).reset_index()
        rung = adjusted_difference(
            means, outcome_col="after", treated_col="_treated", conf_level=conf_level,
            covariates=["before"] if "before" in means else [],
        )  # fmt: skip
        parts.append(rung.rename(columns={"metric": "rung"}))
    return parts


def treated_series(panel: pd.DataFrame, *, outcome_col: str = "margin") -> pd.DataFrame:
    """Mean outcome per month of the treated who were customers all along: `month, metric, estimate, n`.

    Customers won during the panel are left out (`first_month`, where the panel has it): with them the series
    would climb because there are more of them, not because they buy more.
    """
    rows = panel["start_month"].notna()
    if "first_month" in panel and len(panel):
        rows &= panel["first_month"] < panel["month"].min()
    months = panel[rows].groupby("month", as_index=False)[outcome_col].agg(estimate="mean", n="size")
    return months.assign(metric=outcome_col)[["month", "metric", "estimate", "n"]]


def _series_rung(panel: pd.DataFrame, outcome_col: str, months: int, conf_level: float) -> pd.DataFrame:
    series = treated_series(panel[panel["month"] < months], outcome_col=outcome_col)
    if len(series) == 0:
        return pd.DataFrame()
    long = bool((series["month"] < 0).sum() >= 24)  # with fewer, a slope of its own is guesswork
    fit = interrupted_series(
        series, outcome_col="estimate", time_col="month", slope=long, conf_level=conf_level
    )
    row = fit[(fit["metric"] == "effect") & fit["estimate"].notna()]
    customers = int(series["n"].max())
    return row.assign(rung="interrupted_series", n=customers, n_treatment=customers, n_control=0)


def _staggered_rung(panel: pd.DataFrame, outcome_col: str, months: int, conf_level: float) -> pd.DataFrame:
    result = _effects(panel, outcome_col, conf_level)
    if result is None:
        return pd.DataFrame()
    row = result.aggregate("dynamic", horizon_months=months).iloc[[0]].assign(rung="staggered_did")
    n_control = int(result.estimates["n_control"].max())
    row = row[row["estimate"].notna()]
    return row.assign(n_treatment=row["n"], n_control=n_control, n=row["n"] + n_control)


def _effects(panel: pd.DataFrame, outcome_col: str, conf_level: float) -> AttResult | None:
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
