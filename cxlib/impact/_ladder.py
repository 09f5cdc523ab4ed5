"""The evidence ladder of one initiative: every rung its data allow, and the one that answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxlib.checks import fail_option
from cxlib.impact._compare import adjusted_contrasts, adjusted_difference, before_after, did, mean_row
from cxlib.impact._panel import ASSIGNMENTS, Array, dates
from cxlib.impact._staggered import AttResult, att_gt
from cxlib.intervals import share_difference_interval, share_interval

BEST = {"randomised": "randomised", "staggered": "staggered_did", "targeted": "did"}
RUNGS = ("before_after", "same_months_last_year", "did", "staggered_did", "randomised")


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
        months before) · `targeted` difference-in-differences · `everyone` none: before/after is all there is.
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
        One row per horizon and `rung` (`before_after, same_months_last_year, did, staggered_did,
        randomised`): `horizon_months, rung, metric` (the outcome), `estimate, std_error, conf_low,
        conf_high, n, n_treatment, n_control, months_observed, is_answer`. Empty when no month was observed.

    Notes
    -----
    For a staggered roll-out a horizon counts from each customer's own start and uses the waves observed that
    long; `months_observed` is what at least half of the treated have been observed.

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


def monthly_effects(
    panel: pd.DataFrame, *, assignment: str, horizon_months: int, outcome_col: str = "margin"
) -> tuple[pd.DataFrame, Array]:
    """Effect in each month since the initiative's start, and their covariance: the input of a cash flow.

    Returns
    -------
    DataFrame, array
        `month` (0 = first month of the initiative), `estimate` (per treated customer and month), `std_error`,
        `n_treated` (customers treated by then); covariance of the estimates. The rung is the one that answers
        in `evidence_ladder`: for two arms the mean over the months equals its estimate; for waves each month
        averages the waves treated by then. Empty without a comparison group: a change is not an effect.
    """
    nothing = pd.DataFrame(columns=["month", "estimate", "std_error", "n_treated"]), np.empty((0, 0))
    if assignment == "everyone" or not has_comparison(panel):
        return nothing
    if assignment == "randomised":
        return _randomised_months(panel, horizon_months, outcome_col)
    result = _effects(panel, outcome_col, 0.95)
    if result is None:
        return nothing
    frame, covariance = result.totals(horizon_months - 1)
    return frame.rename(columns={"time": "month"}).astype({"month": int}), covariance


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


def f2_effect(
    orders: pd.DataFrame,
    members: pd.DataFrame,
    *,
    started_on: object,
    as_of: object,
    horizon_months: Sequence[int] = (6, 12),
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Effect on the second purchase: share of one-time buyers who bought again after the start.

    Parameters
    ----------
    orders : DataFrame
        Contract table: `customer_id, ordered_at, amount`. Purchases are counted by day (F2).
    members : DataFrame
        Result of `study_members`. Only customers with exactly one purchase day before the start are at risk.
    started_on, as_of : date
        Start of the initiative; last day of the data.
    horizon_months : sequence of int
        Months since the start. A horizon the data have not reached gives missing estimates.
    conf_level : float
        Level of the intervals.

    Returns
    -------
    DataFrame
        Per horizon one row per `arm` (`treatment`, `control`: share, Wilson interval) and one `difference`
        (treatment − control, Newcombe's interval): `horizon_months, arm, metric` (f2), `estimate, std_error,
        conf_low, conf_high, n`.

    Notes
    -----
    Assumes that the two arms would have come back equally often; there is no before to subtract, because
    nobody at risk had a second purchase before. So it is an effect for randomised groups, a comparison
    otherwise.
    """
    start, last = pd.Timestamp(started_on), pd.Timestamp(as_of)  # type: ignore[arg-type]
    bought = orders.loc[orders["amount"] > 0, ["customer_id"]].assign(day=dates(orders["ordered_at"]))
    bought = bought[bought["customer_id"].isin(members["customer_id"])].drop_duplicates()
    before = bought[bought["day"] < start].groupby("customer_id").size()
    risk = members[members["customer_id"].isin(before.index[before == 1])].reset_index(drop=True)
    following = bought[bought["day"] >= start].groupby("customer_id")["day"].min()
    again = pd.Series(following.reindex(risk["customer_id"]).to_numpy("datetime64[us]"))
    rows = []
    for horizon in sorted(horizon_months):
        end = start + pd.DateOffset(months=horizon)
        complete = end <= last + pd.Timedelta(days=1)
        counts = {
            arm: (int((again[inside] < end).sum()), int(inside.sum()) if complete else 0)
            for arm in ("treatment", "control")
            for inside in [risk["arm"] == arm]
        }
        counts = {arm: (hits if size else 0, size) for arm, (hits, size) in counts.items()}
        found = {arm: share_interval(*pair, conf_level=conf_level) for arm, pair in counts.items()}
        found["difference"] = share_difference_interval(
            *counts["treatment"], *counts["control"], conf_level=conf_level
        )
        sizes = {arm: int((risk["arm"] == arm).sum()) for arm in counts}
        sizes["difference"] = sum(sizes.values())
        rows += [
            {"horizon_months": horizon, "arm": arm, "metric": "f2", **interval._asdict(), "n": sizes[arm]}
            for arm, interval in found.items()
        ]
    return pd.DataFrame(rows)


def _rungs(
    panel: pd.DataFrame, assignment: str, outcome_col: str, months: int, conf_level: float
) -> pd.DataFrame:
    naive = before_after(panel, outcome_col=outcome_col, horizon_months=months, conf_level=conf_level)
    naive = naive[naive["metric"].isin(RUNGS[:2]) & naive["estimate"].notna()].rename(
        columns={"metric": "rung"}
    )
    parts = [naive.assign(n_treatment=naive["n"], n_control=0)]
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
        parts.append(rung.rename(columns={"metric": "rung"}))
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
