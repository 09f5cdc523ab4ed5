"""Closing the loop: low scores by what is at stake, what became of earlier ones, attitude against spend."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from cxlib.checks import check_columns, check_frame
from cxlib.data.days import instants, local_times, to_date
from cxlib.stats.intervals import share_interval
from cxlib.voice.answers import by_time, check_scores
from cxlib.voice.attitudes import ATTITUDES, attitude

BANDS = ("top_fifth", "other_buyers", "no_purchase")


def latest_attitudes(
    answers: pd.DataFrame, orders: pd.DataFrame, *, as_of: date | str | pd.Timestamp, within_days: int = 365
) -> pd.DataFrame:
    """Each customer's latest attitude beside the net amount of the last `within_days`: what is at stake.

    Parameters
    ----------
    answers : DataFrame
        ``customer_id, answered_at, nps_score``; answers without one of them are left out.
    orders : DataFrame
        Order lines: ``customer_id, ordered_at, amount``.
    as_of : date
        End of the window of `within_days`.
    within_days : int

    Returns
    -------
    DataFrame
        One row per customer, most at stake first: ``customer_id, nps_score, attitude, answered_at, amount``,
        ``band`` (top_fifth of those who bought, other_buyers, no_purchase) and ``spend_level`` (high: at or
        above the median of those who bought and answered; low). For lists inside the firm, not for a report.

    Raises
    ------
    ParameterError
        For a missing column.

    Examples
    --------
    >>> answers = pd.DataFrame({"customer_id": ["a", "b"], "answered_at": pd.Timestamp("2025-06-01")})
    >>> orders = pd.DataFrame({"customer_id": ["a"], "ordered_at": pd.Timestamp("2025-05-01"), "amount": 8.0})
    >>> latest = latest_attitudes(answers.assign(nps_score=[3, 9]), orders, as_of="2025-12-31")
    >>> latest[["attitude", "amount"]].to_numpy().tolist()
    [['detractor', 8.0], ['promoter', 0.0]]
    """
    check_frame(answers, argument="answers")
    check_columns(answers, customer_id="customer_id", answered_at="answered_at", nps_score="nps_score")
    check_scores(answers, "nps_score", (0, 10))
    check_columns(orders, **{name: name for name in ("customer_id", "ordered_at", "amount")})
    latest = _in_order(answers).drop_duplicates("customer_id", keep="last")
    when = local_times(orders["ordered_at"], "ordered_at")
    end = pd.Timestamp(to_date(as_of)) + pd.Timedelta(days=1)
    recent = orders[(when < end) & (when >= end - pd.Timedelta(days=within_days))]
    amount = recent.groupby("customer_id")["amount"].sum()
    held = latest.assign(amount=latest["customer_id"].map(amount).astype(float).fillna(0.0))
    bought = amount[amount > 0]
    top = bought.quantile(0.8) if len(bought) else np.inf
    own = held.loc[held["amount"] > 0, "amount"]
    none, much = held["amount"] <= 0, held["amount"] >= top
    band = np.select([none, much], ["no_purchase", "top_fifth"], "other_buyers")
    spend = np.where((held["amount"] > 0) & (held["amount"] >= own.median()), "high", "low")
    held = held.assign(band=band, spend_level=spend)
    columns = ["customer_id", "nps_score", "attitude", "answered_at", "amount", "band", "spend_level"]
    ordered = held.sort_values(["amount", "customer_id"], ascending=[False, True], ignore_index=True)
    return ordered[columns]


def value_at_risk(latest: pd.DataFrame) -> pd.DataFrame:
    """How many customers last gave a low score (0–6), and the amount at stake, by how much they bought.

    Parameters
    ----------
    latest : DataFrame
        From `latest_attitudes`.

    Returns
    -------
    DataFrame
        ``band`` (top_fifth, other_buyers, no_purchase), ``metric`` ("amount"), ``estimate`` (net amount of
        the window), ``amount_share`` of the amount of all who answered (0–1), ``n`` customers.

    Examples
    --------
    >>> latest = pd.DataFrame({"attitude": ["detractor", "promoter"], "amount": [30.0, 90.0]})
    >>> value_at_risk(latest.assign(band="top_fifth"))[["estimate", "amount_share"]].iloc[0].tolist()
    [30.0, 0.25]
    """
    low = latest[latest["attitude"] == "detractor"].groupby("band")["amount"]
    amount, n = (each.reindex(list(BANDS), fill_value=0) for each in (low.sum(), low.size()))
    total = latest["amount"].sum()
    share = amount / total if total > 0 else amount * np.nan
    values = {"estimate": amount.to_numpy(dtype=float), "amount_share": share.to_numpy(dtype=float)}
    return pd.DataFrame({"band": list(BANDS), "metric": "amount", **values, "n": n.to_numpy(dtype=int)})


def attitude_spend(latest: pd.DataFrame) -> pd.DataFrame:
    """Quadrants of attitude and behaviour: customers and their net amount.

    Parameters
    ----------
    latest : DataFrame
        From `latest_attitudes`.

    Returns
    -------
    DataFrame
        Per ``attitude`` and ``spend_level`` (high, low): ``metric`` ("customer_share"), ``estimate``
        (0–1), ``amount`` (net amount of the window), ``amount_share``, ``n`` customers.

    Examples
    --------
    >>> latest = pd.DataFrame({"attitude": ["promoter"], "spend_level": ["high"], "amount": [9.0]})
    >>> attitude_spend(latest)[["estimate", "amount_share", "n"]].iloc[0].tolist()
    [1.0, 1.0, 1.0]
    """
    index = pd.MultiIndex.from_product([ATTITUDES, ("high", "low")], names=["attitude", "spend_level"])
    groups = latest.groupby(["attitude", "spend_level"])["amount"]
    n, amount = (each.reindex(index, fill_value=0) for each in (groups.size(), groups.sum()))
    frame = index.to_frame(index=False).assign(metric="customer_share")
    frame["estimate"] = n.to_numpy(dtype=float) / max(len(latest), 1)
    frame["amount"] = amount.to_numpy(dtype=float)
    total = frame["amount"].sum()
    frame["amount_share"] = frame["amount"] / total if total > 0 else np.nan
    return frame.assign(n=n.to_numpy(dtype=int))


def attitude_moves(answers: pd.DataFrame, *, conf_level: float = 0.95) -> pd.DataFrame:
    """Tell what became of earlier answers: from the last but one attitude of a customer to the last.

    Parameters
    ----------
    answers : DataFrame
        ``customer_id, answered_at, nps_score``; customers with one answer have no move.
    conf_level : float

    Returns
    -------
    DataFrame
        Per ``before`` and ``after``: ``metric`` ("moved_share"), ``estimate, std_error, conf_low, conf_high``
        (share of those with that attitude before, Wilson), ``n`` customers with that move, ``n_before``.

    Notes
    -----
    Extreme answers move to the middle by themselves (regression to the mean): a recovered detractor is no
    proof that somebody did something about it.

    Examples
    --------
    >>> answers = pd.DataFrame({"customer_id": ["a", "a"], "nps_score": [2, 9]})
    >>> answers["answered_at"] = pd.to_datetime(["2025-01-01", "2025-02-01"])
    >>> moves = attitude_moves(answers)
    >>> moves.loc[moves["n"] > 0, ["before", "after", "estimate"]].to_numpy().tolist()
    [['detractor', 'promoter', 1.0]]
    """
    check_frame(answers, argument="answers")
    check_columns(answers, customer_id="customer_id", answered_at="answered_at", nps_score="nps_score")
    check_scores(answers, "nps_score", (0, 10))
    ordered = _in_order(answers)
    ordered = ordered.assign(before=ordered.groupby("customer_id")["attitude"].shift())
    moved = ordered.drop_duplicates("customer_id", keep="last").dropna(subset=["before"])
    names = ["before", "after"]
    index = pd.MultiIndex.from_product([ATTITUDES[::-1], ATTITUDES[::-1]], names=names)
    n = moved.groupby(["before", "attitude"]).size().rename_axis(names).reindex(index, fill_value=0)
    held = n.groupby("before").transform("sum")
    interval = share_interval(n.to_numpy(), held.to_numpy(), conf_level=conf_level)
    frame = index.to_frame(index=False).assign(metric="moved_share", **interval._asdict())
    return frame.assign(n=n.to_numpy(dtype=int), n_before=held.to_numpy(dtype=int))


def _in_order(answers: pd.DataFrame) -> pd.DataFrame:
    """Answers with customer, time and score, earliest first, with their attitude."""
    needed = ["customer_id", "answered_at", "nps_score"]
    held = by_time(answers[answers[needed].notna().all(axis=1)], columns=needed)
    held = held.assign(answered_at=instants(held["answered_at"], "answered_at"))
    return held.assign(attitude=attitude(held["nps_score"]).astype(object))
