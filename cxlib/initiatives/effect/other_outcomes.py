"""Effects on what is not money per month: second purchase, loss of customers, scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxlib.checks import check_columns
from cxlib.data.convert import among
from cxlib.data.days import local_days
from cxlib.data.purchases import purchase_lines
from cxlib.initiatives.doubt.sensitivity import e_value, risk_ratio
from cxlib.initiatives.effect.shares_of_arms import arm_shares, student_level
from cxlib.initiatives.effect.two_periods import did
from cxlib.initiatives.study.rollout import COLUMNS
from cxlib.stats.intervals import Interval
from cxlib.stats.two_arms import check_arms


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
        conf_low, conf_high, n`. Where an attribute decided who was treated (`rollout_group` of the members),
        intervals are those of `n_effective` customers who stand for themselves, and `df` degrees of freedom.

    Notes
    -----
    Assumes that the two arms would have come back equally often; there is no before to subtract, because
    nobody at risk had a second purchase before. So it is an effect for randomised groups, a comparison
    otherwise.
    """
    check_arms(members)
    orders = orders.reset_index(drop=True)
    start, last = pd.Timestamp(started_on), pd.Timestamp(as_of)  # type: ignore[arg-type]
    bought = orders[["customer_id"]].assign(day=local_days(orders["ordered_at"], "ordered_at"))
    is_early = (bought["day"] < start).to_numpy()
    sold = purchase_lines(orders, known=(bought["day"] <= last).to_numpy())
    sold = np.where(is_early, purchase_lines(orders, known=is_early), sold)  # as it stood at the start
    bought = bought[sold & among(bought["customer_id"], members["customer_id"]).to_numpy()].drop_duplicates()
    before = bought.loc[bought["day"] < start, "customer_id"].value_counts()
    once = before.index[before == 1].to_series()
    risk = members[among(members["customer_id"], once)].reset_index(drop=True)
    following = bought[bought["day"] >= start].groupby("customer_id")["day"].min()
    again = pd.Series(following.reindex(risk["customer_id"]).to_numpy("datetime64[us]"))
    rows = []
    for horizon in sorted(horizon_months):
        end = start + pd.DateOffset(months=horizon)
        is_over = end <= last + pd.Timedelta(days=1)
        rows += arm_shares(
            risk, (again < end).to_numpy(), np.full(len(risk), is_over), name="f2", horizon=horizon,
            conf_level=conf_level,
        )  # fmt: skip
    return pd.DataFrame(rows)


def share_ratio(shares: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Ratio of the arms' shares at the longest horizon known, with Katz's interval and its E-value.

    Parameters
    ----------
    shares : DataFrame
        Result of `f2_effect` or `churn_effect`.
    conf_level : float
        Level of the interval.

    Returns
    -------
    DataFrame
        One row: `horizon_months, metric` (risk_ratio), `estimate, conf_low, conf_high, n, e_value, limit`;
        empty where a share is missing or zero.
    """
    known = shares[shares["estimate"].notna() & shares["arm"].isin(["treatment", "control"])]
    pairs = known.pivot_table(index="horizon_months", columns="arm", values=["estimate", "n"]).dropna()
    columns = ["horizon_months", "metric", "estimate", "conf_low", "conf_high", "n", "e_value", "limit"]
    if pairs.shape[1] < 4 or pairs.empty or not (pairs["estimate"].iloc[-1] > 0).all():
        return pd.DataFrame(columns=columns)
    last = pairs.iloc[-1]
    sizes = (int(last["n", "treatment"]), int(last["n", "control"]))
    hits = tuple(
        round(last["estimate", arm] * n) for arm, n in zip(("treatment", "control"), sizes, strict=True)
    )
    row = risk_ratio((hits[0], hits[1]), sizes, conf_level=conf_level)
    if "n_effective" in shares:
        row = _fewer(row, known[known["horizon_months"] == pairs.index[-1]].set_index("arm"), conf_level)
    hidden = e_value(row["estimate"].item(), row["conf_low"].item(), row["conf_high"].item())
    return row.assign(horizon_months=pairs.index[-1], e_value=hidden["estimate"], limit=hidden["limit"])[
        columns
    ]


def _fewer(row: pd.DataFrame, arms: pd.DataFrame, conf_level: float) -> pd.DataFrame:
    """Give the ratio the interval of fewer customers, as many as stand for themselves."""
    size, level = arms["n_effective"], student_level(conf_level, float(arms["df"].min()))
    share = arms["estimate"].astype(float)
    part = risk_ratio(
        (share["treatment"] * size["treatment"], share["control"] * size["control"]),
        (size["treatment"], size["control"]), conf_level=level,
    )  # fmt: skip
    return row.assign(conf_low=part["conf_low"], conf_high=part["conf_high"])


def churn_effect(
    panel: pd.DataFrame,
    *,
    horizon_months: Sequence[int] = (6, 12),
    quiet_months: int = 6,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Effect on losing customers: share who ordered nothing in the last months of each horizon.

    Parameters
    ----------
    panel : DataFrame
        Result of `study_panel`. Customers count who ordered at least once in the months before the start.
    horizon_months : sequence of int
        Months since the customer's own start (for controls: the start of the initiative). A horizon the data
        have not reached, or shorter than `quiet_months`, gives missing estimates.
    quiet_months : int
        Months without an order after which a customer counts as lost.
    conf_level : float
        Level of the intervals.

    Returns
    -------
    DataFrame
        As `f2_effect`, with `metric` churn.

    Notes
    -----
    A customer who has no contract never says goodbye: "lost" means quiet for `quiet_months`, and some come
    back. An effect for randomised groups, a comparison otherwise.
    """
    check_columns(panel, month="month", orders="orders", start_month="start_month")
    check_arms(panel)
    own = panel.assign(since=panel["month"] - panel["start_month"].fillna(0.0), hit=panel["orders"] > 0)
    buyers = own.loc[(own["since"] < 0) & own["hit"], "customer_id"].unique()
    own = own[among(own["customer_id"], pd.Series(buyers))]
    kept = ["customer_id", "arm", *(name for name in COLUMNS if name in own)]
    last = own.groupby(kept, sort=True)["since"].max().reset_index()
    rows = []
    for horizon in sorted(horizon_months):
        seen = last[(last["since"] >= horizon - 1) & (horizon >= quiet_months)]
        window = own[own["since"].between(horizon - quiet_months, horizon - 1)]
        awake = window.loc[window["hit"], "customer_id"].unique()
        quiet = ~seen["customer_id"].isin(awake).to_numpy()
        rows += arm_shares(
            seen, quiet, np.ones(len(seen), dtype=bool), name="churn", horizon=horizon, conf_level=conf_level
        )
    return pd.DataFrame(rows)


def score_effect(
    responses: pd.DataFrame,
    members: pd.DataFrame,
    *,
    started_on: object,
    horizon_months: int = 12,
    score_col: str = "nps_score",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Effect on a survey score: change of the treated minus change of the controls, among those who answered.

    Parameters
    ----------
    responses : DataFrame
        Contract table: `customer_id, answered_at` and `score_col`; answers without either are left out.
    members : DataFrame
        Result of `study_members`.
    started_on : date
        Start of the initiative; answers from twelve months before it to `horizon_months` after it count.
    horizon_months, score_col, conf_level
        Months after the start; the score; level of the interval.

    Returns
    -------
    DataFrame
        The row of `did` (clustered where the members have `rollout_group`), with `metric` score and `n` the
        customers who answered both before and after; empty where an arm has none.

    Notes
    -----
    Those who answer twice are not all customers. Where the initiative changes who answers, the comparison is
    biased, drawn by lot or not.
    """
    check_columns(responses, customer_id="customer_id", answered_at="answered_at", score_col=score_col)
    check_arms(members)
    responses = responses.reset_index(drop=True)
    start = pd.Timestamp(started_on)  # type: ignore[arg-type]
    day = local_days(responses["answered_at"], "answered_at")
    inside = day.between(start - pd.DateOffset(months=12), start + pd.DateOffset(months=horizon_months))
    rows = responses[inside & responses[score_col].notna()].assign(post=(day >= start)[inside])
    kept = ["customer_id", "arm", *(name for name in COLUMNS if name in members)]
    rows = rows.drop(columns=kept[1:], errors="ignore").merge(members[kept], on="customer_id")
    rows["treated"] = rows["arm"] == "treatment"
    both = rows.groupby("customer_id")["post"].transform("nunique") == 2
    rows = rows[both]
    if rows["treated"].nunique() < 2:
        return pd.DataFrame(columns=["metric", *Interval._fields, "n"])
    fit = did(
        rows, outcome_col=score_col, unit_col="customer_id", time_col="answered_at", treated_col="treated",
        post_col="post", conf_level=conf_level,
    )  # fmt: skip
    return fit.assign(metric="score")
