"""From voice to action: which topics somebody took on, what is done, whether fewer speak of it since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from cxlib.checks import check_columns
from cxlib.data.days import local_days, to_date
from cxlib.data.rules.decisions import Decision
from cxlib.stats.intervals import share_interval
from cxlib.voice.topics.shares import topic_changes

#: A decision on a topic has this word before the topic's id, as in the table `decide`: `voice delivery`.
ACT = "voice"
_CHANGE = ["estimate", "conf_low", "conf_high", "n", "customers", "share", "share_elsewhere", "verdict"]
_COLUMNS = ["topic", "who", "progress", "done_on", "metric", *_CHANGE]


def topic_ledger(
    decisions: Sequence[Decision],
    comments: pd.DataFrame,
    codings: pd.DataFrame,
    *,
    as_of: object,
    window_days: int = 180,
    time_col: str = "answered_at",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """List what was decided on each topic, and measure again how often it comes up where it is done.

    Parameters
    ----------
    decisions : sequence of Decision
        From `read_decisions`; those on a topic have the id `voice <topic>`.
    comments, codings : DataFrame
        Answers with a comment, and their topics.
    as_of : date, str or Timestamp
        Last day of the comments.
    window_days : int
        Days before the act, and at most after it, that are compared.
    time_col : str
    conf_level : float

    Returns
    -------
    DataFrame
        A row per decision on a topic: `topic, who, progress` ("open", "done", "dropped"), `done_on, metric`
        ("topic_change"), `estimate` (share of comments on the topic since, minus that before), `conf_low,
        conf_high, n, customers, share` (since), `share_elsewhere` (before), `verdict` ("less_often",
        "more_often", "no_difference_shown", "too_early": nothing said since, "undecided": not done).

    Notes
    -----
    Before and after, without anybody to compare with: what else changed then is in it. Each row by itself,
    for each is a question somebody asked.

    Examples
    --------
    >>> day = pd.to_datetime(["2026-01-05", "2026-03-05"])
    >>> said = pd.DataFrame({"response_id": ["a", "b"], "customer_id": ["1", "2"], "answered_at": day})
    >>> on = pd.DataFrame({"response_id": ["a"], "topic": ["price"]})
    >>> done = Decision(id="voice price", who="Yuki", state="done", done_on="2026-02-01")
    >>> topic_ledger([done], said, on, as_of="2026-06-30")[["topic", "estimate"]].to_numpy().tolist()
    [['price', -1.0]]
    """
    check_columns(comments, time_col=time_col)
    day, end, rows = local_days(comments[time_col], time_col), pd.Timestamp(to_date(as_of)), []
    for one in decisions:
        act, _, topic = one.id.partition(" ")
        if act != ACT or not topic:
            continue
        row: dict[str, Any] = {
            "topic": topic,
            "who": one.who,
            "progress": one.state,
            "metric": "topic_change",
        }
        row |= {"done_on": pd.Timestamp(one.done_on) if one.done_on else pd.NaT, "verdict": "undecided"}
        if one.state == "done" and one.done_on is not None:
            done, reach = pd.Timestamp(one.done_on), pd.Timedelta(days=window_days)
            before = comments[(day < done) & (day >= done - reach)]
            after = comments[(day > done) & (day <= min(end, done + reach))]
            found = topic_changes(before, after, codings, topics=[topic], conf_level=conf_level)
            row |= {name: found[name].iloc[0] for name in _CHANGE}
            if row["verdict"] == "not_enough_data":
                row["verdict"] = "too_early"
        rows.append(row)
    return pd.DataFrame(rows, columns=_COLUMNS)


def closed_share(ledger: pd.DataFrame, *, conf_level: float = 0.95) -> dict[str, Any]:
    """Share of the decisions on topics that are done, dropped ones aside: a row for `Report.say`.

    Examples
    --------
    >>> told = closed_share(pd.DataFrame({"progress": ["done", "open", "dropped"], "verdict": "undecided"}))
    >>> told["estimate"], told["closed"], told["taken"]
    (0.5, 1, 2)
    """
    taken = ledger[ledger["progress"] != "dropped"]
    closed = int((taken["progress"] == "done").sum())
    if not len(taken):
        return {"note": "none_taken"}
    interval = share_interval(closed, len(taken), conf_level=conf_level)
    fewer = int((ledger["verdict"] == "less_often").sum())
    return {
        "metric": "closed",
        "estimate": float(interval.estimate),
        "closed": closed,
        "taken": len(taken),
        "fewer": fewer,
    }
