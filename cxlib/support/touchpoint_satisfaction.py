"""Satisfaction and effort where they were asked for, and customers whose last score was low."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd

from cxlib.checks import check_columns
from cxlib.data.days import local_times, to_date
from cxlib.data.scales import BOXES
from cxlib.stats.first_place import leading
from cxlib.stats.intervals import Interval, share_interval

#: Part of the scale, from its lowest end, that counts as a low score: 1 and 2 of 1 to 5.
LOW_PART = 0.25
#: Where a ticket's own score was given.
TICKET = "support_ticket"
_TABLE = ["touchpoint", "metric", "estimate", "conf_low", "conf_high", "n", "best_boxes"]
_TABLE += ["high_effort", "high_effort_conf_low", "high_effort_conf_high", "loss"]


def by_touchpoint(csat: pd.DataFrame, ces: pd.DataFrame, losses: pd.DataFrame | None = None) -> pd.DataFrame:
    """Set satisfaction, high effort and the loss by unmet expectation of each touchpoint side by side.

    Parameters
    ----------
    csat, ces : DataFrame
        Results of `csat` and `ces` with `by="touchpoint"` and customers as clusters.
    losses : DataFrame, optional
        Result of `touchpoint_scores`, with `estimate` as the mean valence lost.

    Returns
    -------
    DataFrame
        The least satisfied first: `touchpoint, metric` ("csat"), `estimate, conf_low, conf_high` (share of
        the best boxes), `n` (customers), `best_boxes` (how many), `high_effort` with its limits (share),
        `loss` (missing where not rated).
    """
    known = csat[csat["touchpoint"].notna() & (csat["n"] > 0)]
    effort = ces[["touchpoint", *(name for name in _TABLE if name.startswith("high_effort"))]]
    found = known.assign(n=known["customers"] if "customers" in known else known["n"])
    found = found.merge(effort, on="touchpoint", how="left")
    lost = pd.Series(dtype=float) if losses is None else losses.set_index("touchpoint")["estimate"]
    found = found.assign(loss=found["touchpoint"].map(lost).astype(float))
    return found.sort_values(["estimate", "touchpoint"], ignore_index=True)[_TABLE]


def worst_touchpoint(table: pd.DataFrame) -> pd.DataFrame:
    """Tell at which touchpoint satisfaction is lowest, and whether it is shown to be.

    Parameters
    ----------
    table
        Result of `by_touchpoint`, small rows blanked.

    Returns
    -------
    DataFrame
        One row, none without an estimate: its row, `second_touchpoint`, `best` (code of the best boxes),
        `claim` ("first", "among", "only").

    Examples
    --------
    >>> table = pd.DataFrame({"touchpoint": ["chat", "shop"], "estimate": [0.4, 0.8]})
    >>> table = table.assign(conf_low=[0.3, 0.7], conf_high=[0.5, 0.9], best_boxes=2)
    >>> worst_touchpoint(table)[["touchpoint", "claim"]].to_numpy().tolist()
    [['chat', 'first']]
    """
    leads = leading(table, name_col="touchpoint", lowest=True, unit="share")
    worst = table[(table["touchpoint"] == leads["first"]) & table["estimate"].notna()].head(1)
    best = worst["best_boxes"].map(BOXES)
    worst = worst.assign(best=best, second_touchpoint=leads["second"], claim=leads["rank"])
    return worst.reset_index(drop=True)


def scores_given(
    answers: pd.DataFrame, tickets: pd.DataFrame, *, as_of: dt.date | str, scale: tuple[float, float]
) -> pd.DataFrame:
    """Put satisfaction of answers and of tickets one below the other, with whether it was low.

    Parameters
    ----------
    answers : DataFrame
        The contract's responses: `customer_id, answered_at, csat_score`, and `touchpoint` if known.
    tickets : DataFrame
        From `read_tickets`.
    as_of : date
    scale : two numbers
        Lowest and highest score; the lowest quarter of the scale is low.

    Returns
    -------
    DataFrame
        `customer_id, scored_at, touchpoint, csat_score, is_low`, the earliest first; without rows that lack
        customer, time or score.
    """
    check_columns(answers, customer_id="customer_id", answered_at="answered_at", csat_score="csat_score")
    point = answers.get("touchpoint")
    of_answers = answers[["customer_id", "csat_score"]].assign(
        scored_at=local_times(answers["answered_at"], "answered_at"), touchpoint=point
    )
    of_tickets = tickets[["customer_id", "csat_score"]].assign(
        scored_at=tickets["opened_at"], touchpoint=TICKET
    )
    parts = [part for part in (of_answers, of_tickets) if len(part)]
    both = pd.concat(parts or [of_answers], ignore_index=True)
    both = both.dropna(subset=["customer_id", "csat_score", "scored_at"])
    both = both[both["scored_at"] < pd.Timestamp(to_date(as_of)) + pd.Timedelta(days=1)]
    limit = scale[0] + LOW_PART * (scale[1] - scale[0])
    both = both.assign(is_low=both["csat_score"] <= limit)
    order = ["scored_at", "customer_id", "csat_score"]
    both = both.sort_values(order, kind="stable", ignore_index=True)
    return both[["customer_id", "scored_at", "touchpoint", "csat_score", "is_low"]]


def low_scores(
    given: pd.DataFrame, orders: pd.DataFrame, *, as_of: dt.date | str, within_days: int = 365
) -> pd.DataFrame:
    """List customers whose last score was low, the most at stake first; a list with ids, not for a report.

    Parameters
    ----------
    given : DataFrame
        From `scores_given`.
    orders : DataFrame
        Order lines: `customer_id, ordered_at, amount`.
    as_of : date
    within_days : int
        Days of both the score and the amount at stake.

    Returns
    -------
    DataFrame
        `customer_id, scored_at` (a day), `touchpoint, csat_score, amount_past_year` (net, of the last
        `within_days`).
    """
    last = given.drop_duplicates("customer_id", keep="last")
    since = pd.Timestamp(to_date(as_of)) + pd.Timedelta(days=1 - within_days)
    low = last[last["is_low"] & (last["scored_at"] >= since)]
    when = local_times(orders["ordered_at"], "ordered_at")
    recent = orders[(when >= since) & (when < since + pd.Timedelta(days=within_days))]
    amount = recent.groupby("customer_id")["amount"].sum()
    at_stake = low["customer_id"].map(amount).astype(float).fillna(0.0)
    low = low.assign(amount_past_year=at_stake, scored_at=low["scored_at"].dt.normalize())
    order = ["amount_past_year", "customer_id"]
    return low.drop(columns="is_low").sort_values(order, ascending=[False, True], ignore_index=True)


def recovery(given: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Share of customers with a low score whose next score, if they gave one, was no longer low (0–1).

    Parameters
    ----------
    given : DataFrame
        From `scores_given`.
    conf_level : float

    Returns
    -------
    DataFrame
        One row: `metric` ("recovered"), `estimate, std_error, conf_low, conf_high` (Wilson), `n` (customers
        with a later score), `low_customers` (all with a low score), `heard_share` (of them with a later one).

    Notes
    -----
    Of each customer the first low score. A low score is followed by a higher one by itself (regression to the
    mean), so a recovered customer is no proof that somebody did something about it.

    Examples
    --------
    >>> given = pd.DataFrame({"customer_id": ["a", "a", "b"], "is_low": [True, False, True]})
    >>> recovery(given)[["estimate", "heard_share"]].to_numpy().tolist()
    [[1.0, 0.5]]
    """
    given = given.reset_index(drop=True)
    following = given["is_low"].astype(object).groupby(given["customer_id"]).shift(-1)
    first = given[given["is_low"]].drop_duplicates("customer_id")
    heard = following.loc[first.index].dropna().astype(bool)
    interval: Any = share_interval(int((~heard).sum()), len(heard), conf_level=conf_level)
    counts = {"low_customers": len(first), "heard_share": len(heard) / max(len(first), 1)}
    row = {"metric": "recovered", **interval._asdict(), "n": len(heard), **counts}
    return pd.DataFrame([row])[["metric", *Interval._fields, "n", *counts]]
