"""Channels of support side by side: matters settled and satisfaction, held together on the same reasons."""

from __future__ import annotations

import pandas as pd

from cxlib.stats.intervals import Interval
from cxlib.support.settled import first_contacts, gaps_alike, satisfaction, settled_at_once

#: What makes a case when channels are compared.
ALIKE = ("reason",)
_GAPS = ["channel", "metric", *Interval._fields, "n", "naive_estimate", "compared_share", "claim", "verdict"]


def channel_shares(
    tickets: pd.DataFrame, *, scale: tuple[float, float] = (1, 5), conf_level: float = 0.95
) -> pd.DataFrame:
    """Share of matters settled at once (0–1) and mean satisfaction, channel by channel.

    Parameters
    ----------
    tickets : DataFrame
        From `read_tickets`; a missing channel is a group.
    scale : two numbers
        Lowest and highest score of satisfaction.
    conf_level : float

    Returns
    -------
    DataFrame
        `channel, metric` ("settled", "ticket_csat"), `estimate, std_error, conf_low, conf_high`, `n`
        (customers), `n_tickets`; as in `settled_at_once` and `satisfaction`.

    Examples
    --------
    >>> rows = pd.DataFrame({"customer_id": ["a", "b"], "channel": "mail", "csat_score": [4.0, 5.0]})
    >>> rows = rows.assign(is_follow_up=False, is_resolved=True, next_days=float("inf"), seen_days=40.0)
    >>> channel_shares(rows.assign(reopened_count=0.0))[["metric", "estimate"]].to_numpy().tolist()
    [['settled', 1.0], ['ticket_csat', 4.5]]
    """
    settled = settled_at_once(tickets, by="channel", days=[], conf_level=conf_level)
    parts = [settled[settled["metric"] == "settled"].drop(columns="n_immature")]
    parts.append(satisfaction(tickets, by="channel", scale=scale, conf_level=conf_level))
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def channel_gaps(tickets: pd.DataFrame, *, min_cell: int = 10, conf_level: float = 0.95) -> pd.DataFrame:
    """Each channel against all others on the same reasons: matters settled at once, and satisfaction.

    Parameters
    ----------
    tickets : DataFrame
        From `read_tickets`.
    min_cell : int
        Least customers of a channel, and of the others, that are compared.
    conf_level : float
        For all channels and both outcomes together (Bonferroni).

    Returns
    -------
    DataFrame
        `channel` and the columns of `bot_and_person`, with `metric` "settled_apart" and "csat_apart":
        `estimate` is the channel less the others, weighted by the tickets of reasons that both had. No rows
        with fewer than two channels.

    Notes
    -----
    A channel that gets the hard reasons settles fewer without being worse; within a reason its cases may
    still be harder, so that a difference is no effect of the channel.

    Examples
    --------
    >>> rows = pd.DataFrame({"customer_id": range(80), "channel": ["chat", "mail"] * 40, "reason": "usage"})
    >>> rows = rows.assign(is_resolved=True, is_follow_up=False, seen_days=40.0, csat_score=None,
    ...     next_days=[3.0, float("inf")] * 20 + [float("inf")] * 40, reopened_count=0.0)
    >>> channel_gaps(rows)[["channel", "estimate", "claim"]].to_numpy().tolist()
    [['chat', -0.5, 'lower'], ['mail', 0.5, 'higher']]
    """
    contacts = first_contacts(tickets)
    sizes = contacts.groupby("channel", observed=True)["customer_id"].nunique()
    names = sizes.index[sizes >= min_cell].tolist()
    level = 1 - (1 - conf_level) / max(2 * len(names), 1)
    parts = []
    for name in names:
        is_one = contacts["channel"] == name
        if contacts.loc[~is_one, "customer_id"].nunique() >= min_cell:
            parts.append(gaps_alike(contacts, is_one, alike=ALIKE, conf_level=level).assign(channel=name))
    if not parts:
        return pd.DataFrame(columns=_GAPS)
    gaps = pd.concat(parts, ignore_index=True)[_GAPS]
    gaps = gaps[gaps["claim"] != "few"].reset_index(drop=True)
    return gaps.assign(metric=gaps["metric"].str.replace("_gap", "_apart"))


def channels_told(gaps: pd.DataFrame) -> pd.DataFrame:
    """Rows of `channel_gaps` that are shown to differ, or one that says that none is; none without channels.

    `looked_at` names channel and metric together, `measure` the metric in words.

    Examples
    --------
    >>> gaps = pd.DataFrame({"channel": ["chat", "mail"], "metric": "settled_apart", "claim": "none"})
    >>> channels_told(gaps.assign(verdict="no_difference_shown"))[["channel", "claim"]].to_numpy().tolist()
    [['every_channel', 'none']]
    """
    apart = gaps[gaps["verdict"] == "differ"]
    told = apart if len(apart) else gaps.head(1).assign(channel="every_channel")
    looked_at = told["channel"].astype(str) + "." + told["metric"]
    return told.assign(measure=told["metric"], looked_at=looked_at).reset_index(drop=True)
