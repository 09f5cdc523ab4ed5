"""What follows a stage of the journey, in second purchases."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd

from cxlib.checks import NotEnoughData, check_columns
from cxlib.checks.occurring import check_occurs
from cxlib.data.days import local_days, to_date
from cxlib.data.purchases import NO_AMOUNTS, purchase_lines
from cxlib.data.scales import neutral_score
from cxlib.journey.second_purchase.days_between import repeat_times
from cxlib.stats.differences import interval_difference
from cxlib.stats.intervals import Interval
from cxlib.stats.survival.hazard_ratios import cox_hazard_ratios
from cxlib.stats.survival.kaplan_meier import survival_curve
from cxlib.stats.survival.known_days import enough_at_risk


def f2_after_stage(
    events: pd.DataFrame,
    orders: pd.DataFrame,
    *,
    stage: str,
    as_of: dt.date | str,
    horizon_days: int = 180,
    observed_from: dt.date | str | None = None,
    score_col: str = "valence",
    customer_id_col: str = "customer_id",
    amount_col: str = "amount",
    neutral: float | None = None,
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """F2 (probability 0–1) from a stage on, of customers who felt negative there against the others.

    Parameters
    ----------
    events
        Contacts with `stage`, `occurred_at` and a score; rows without a score or customer are left out.
    orders
        Order lines, as in `repeat_times`.
    stage
        The stage, for example the valley.
    as_of
        Last day of observation, inclusive.
    horizon_days
        Days after the answer within which a second purchase counts.
    observed_from
        As in `repeat_times`: customers who bought before it are left out.
    score_col, customer_id_col, amount_col
        Columns.
    neutral
        Score below which an answer is negative; by default the middle of the declared scale, else 0.
    conf_level
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        `metric, group, estimate, std_error, conf_low, conf_high, n`: "f2" for the groups "negative" and
        "other", their "difference" (negative − other), and "purchases", the difference times the customers
        who felt negative: second purchases fewer (below 0) than if they had behaved like the others.
        `note` as in `repeat_curve`.

    Raises
    ------
    ParameterError
        Unknown column, or a misspelt stage: it never occurs, and another one is called nearly so.

    Notes
    -----
    The clock starts at each customer's first answer at the stage after the first purchase (of several on
    that day, the lowest score), and only those
    without a second purchase by that day count (a landmark per customer), because whoever has bought again
    already cannot be lost any more. The groups are not randomised: the difference may be due to what made
    them feel so, and is no effect of the feeling alone.

    References
    ----------
    van Houwelingen (2007) Scandinavian Journal of Statistics 34.

    Examples
    --------
    >>> orders = pd.DataFrame({"customer_id": list("abcda"), "ordered_at": pd.to_datetime(
    ...     ["2026-01-01"] * 4 + ["2026-01-21"])})
    >>> events = pd.DataFrame({"customer_id": list("abcd"), "stage": "decide", "valence": [1, 1, -1, -2],
    ...     "occurred_at": pd.Timestamp("2026-01-05")})
    >>> after = f2_after_stage(events, orders, stage="decide", as_of="2026-03-01", horizon_days=30)
    >>> after["estimate"].to_list()
    [0.0, 0.5, -0.5, -1.0]
    """
    given: dict[str, Any] = {"score_col": score_col, "customer_id_col": customer_id_col}
    given |= {"amount_col": amount_col, "observed_from": observed_from, "neutral": neutral}
    waiting = _waiting(events, orders, stage=stage, as_of=as_of, **given)
    rows = []
    for group, members in (
        ("negative", waiting[waiting["negative"]]),
        ("other", waiting[~waiting["negative"]]),
    ):
        curves = survival_curve(
            members,
            duration_col="duration_days",
            event_col="is_repeat",
            times=[horizon_days],
            conf_level=conf_level,
        )
        curve = enough_at_risk(curves).iloc[0]
        estimate, low, high = 1 - curve[["estimate", "conf_high", "conf_low"]].to_numpy(dtype=float)
        rows.append(["f2", group, estimate, float(curve["std_error"]), low, high, len(members)])
    gap = interval_difference(*(Interval(*row[2:6]) for row in rows))
    lost = rows[0][6]
    rows.append(["difference", "negative", *gap, lost + rows[1][6]])
    rows.append(["purchases", "negative", *(lost * part for part in gap), lost])
    columns = ["metric", "group", *Interval._fields, "n"]
    return pd.DataFrame(rows, columns=columns).assign(note="" if amount_col in orders.columns else NO_AMOUNTS)


def f2_pace_after_stage(
    events: pd.DataFrame,
    orders: pd.DataFrame,
    *,
    stage: str,
    as_of: dt.date | str,
    customer_id_col: str = "customer_id",
    amount_col: str = "amount",
    conf_level: float = 0.95,
    **asked: Any,
) -> pd.DataFrame:
    """Pace of the second purchase of who felt negative at a stage, as a ratio to the others', all else alike.

    Parameters
    ----------
    events, orders, stage, as_of, customer_id_col, amount_col
        As in `f2_after_stage`.
    conf_level
        Confidence level of the limits.
    **asked
        `observed_from, score_col, neutral` as in `f2_after_stage`.

    Returns
    -------
    DataFrame
        Rows of `cox_hazard_ratios` by `feature`: "is_negative", "days_before_log2" (days from the first
        purchase to the answer) and "first_amount_log2" (what was bought on the first day, where amounts are
        known), the last two as far as they vary, in doublings. No rows with fewer than 10 second purchases
        per feature, or where all felt alike.

    Raises
    ------
    ParameterError
        Unknown column.

    Notes
    -----
    The clock and the customers are those of `f2_after_stage`. The ratio is taken to be the same on all days;
    what else made the one group feel so is not in it.

    References
    ----------
    Cox (1972) JRSS-B 34; van Houwelingen (2007) Scandinavian Journal of Statistics 34.

    Examples
    --------
    >>> events = pd.DataFrame({"customer_id": ["a"], "stage": "use", "valence": 1.0,
    ...     "occurred_at": pd.to_datetime(["2026-01-05"])})
    >>> orders = pd.DataFrame({"customer_id": ["a"], "ordered_at": pd.to_datetime(["2026-01-01"])})
    >>> f2_pace_after_stage(events, orders, stage="use", as_of="2026-03-01").empty
    True
    """
    given: dict[str, Any] = {"score_col": "valence", "observed_from": None, "neutral": None} | asked
    given |= {"customer_id_col": customer_id_col, "amount_col": amount_col}
    people = _waiting(events, orders, stage=stage, as_of=as_of, **given)
    people = people[people["duration_days"] > 0].reset_index(drop=True)
    features = {"is_negative": people["negative"].astype(float)}
    since = (people["day"] - people["from_on"]).dt.days
    features["days_before_log2"] = since.astype(float).add(1).map(np.log2)
    if amount_col in orders:
        sold = orders[purchase_lines(orders, customer_id_col=customer_id_col, amount_col=amount_col)]
        day = local_days(sold["ordered_at"], "ordered_at").rename("from_on")
        spent = sold.groupby([customer_id_col, day])[amount_col].sum().rename("spent").reset_index()
        first = people[[customer_id_col, "from_on"]].merge(spent, on=[customer_id_col, "from_on"], how="left")
        features["first_amount_log2"] = first["spent"].add(1).map(np.log2)
    moving = [name for name, held in features.items() if held.min() < held.max()]
    clock: dict[str, Any] = {"duration_col": "duration_days", "event_col": "is_repeat"}
    if "is_negative" in moving:
        with suppress(NotEnoughData):
            rows = people.assign(**features)
            return cox_hazard_ratios(rows, **clock, feature_cols=moving, conf_level=conf_level)
    return pd.DataFrame(columns=["feature", "metric", "estimate", "conf_low", "conf_high", "n"])


def _waiting(
    events: pd.DataFrame,
    orders: pd.DataFrame,
    *,
    stage: str,
    as_of: dt.date | str,
    observed_from: dt.date | str | None,
    score_col: str,
    customer_id_col: str,
    amount_col: str,
    neutral: float | None,
) -> pd.DataFrame:
    """Take customers without a second purchase by their first answer at a stage, with the time to it."""
    check_columns(events, score_col=score_col, customer_id_col=customer_id_col)
    check_columns(events, **{"stage": "stage", "occurred_at": "occurred_at"})
    check_occurs(events, stage, argument="stage", column="stage", slips_only=True)
    answers = events.loc[(events["stage"] == stage) & events[score_col].notna(), [customer_id_col, score_col]]
    answers["day"] = local_days(events.loc[answers.index, "occurred_at"], "occurred_at")
    times = repeat_times(
        orders,
        as_of=as_of,
        observed_from=observed_from,
        customer_id_col=customer_id_col,
        amount_col=amount_col,
    )
    people = answers.merge(times, on=customer_id_col)
    end = people["from_on"] + pd.to_timedelta(people["duration_days"], unit="D")
    after_first = (people["day"] >= people["from_on"]) & (people["day"] <= pd.Timestamp(to_date(as_of)))
    negative = people[score_col] < neutral_score(events, score_col, neutral)
    people = people.assign(duration_days=(end - people["day"]).dt.days, negative=negative)
    first = (
        people[after_first].sort_values(["day", score_col], kind="stable").drop_duplicates(customer_id_col)
    )
    return first[(first["duration_days"] > 0) | ~first["is_repeat"]]
