"""How often each topic comes up: by group, against the rest, and from one wave to the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from cxlib.checks import check_columns, check_frame, check_group_names
from cxlib.stats.arrays import Array
from cxlib.stats.clustered_share import clustered_share_interval
from cxlib.stats.differences import interval_difference
from cxlib.stats.intervals import Interval, critical_value, false_discovery
from cxlib.stats.number_columns import cluster_codes
from cxlib.stats.verdicts import limits_verdict
from cxlib.voice.topics.coding import mark_topics

_ENDS = ["estimate", "std_error", "conf_low", "conf_high", "n", "mentions", "customers"]


def topic_shares(
    comments: pd.DataFrame,
    codings: pd.DataFrame,
    *,
    by: str | None = None,
    topics: Sequence[str] | None = None,
    cluster_col: str = "customer_id",
    response_id_col: str = "response_id",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share of comments about each topic, with its interval by customer; shares add up to more than 1.

    Parameters
    ----------
    comments : DataFrame
        Answers with a comment (`commented`).
    codings : DataFrame
        From `code_comments`.
    by : str, optional
        Column of `comments` to split by; comments without a value are left out.
    topics : sequence of str, optional
        Topics to list, also such as never come up; by default those found, the most frequent first.
    cluster_col, response_id_col : str
    conf_level : float

    Returns
    -------
    DataFrame
        `by`, `topic`, `metric` ("topic_share"), `estimate` (0–1), `std_error, conf_low, conf_high`, `n`
        (comments of the group), `mentions` (of these on the topic), `customers` (who wrote them).

    Examples
    --------
    >>> heard = pd.DataFrame({"response_id": ["a", "b"], "customer_id": ["1", "2"]})
    >>> on = pd.DataFrame({"response_id": ["a", "a"], "topic": ["price", "store"]})
    >>> topic_shares(heard, on)[["topic", "estimate", "mentions"]].to_numpy().tolist()
    [['price', 0.5, 1], ['store', 0.5, 1]]
    """
    check_frame(comments, argument="comments")
    check_columns(comments, by=by, cluster_col=cluster_col, response_id_col=response_id_col)
    check_group_names(by, ["topic", "metric", *_ENDS])
    held, marks = _marked(comments, codings, topics, by, response_id_col)
    cluster = cluster_codes(held[cluster_col])
    groups: list[tuple[dict[str, Any], NDArray[Any]]] = [({}, np.ones(len(held), dtype=bool))]
    if by is not None:
        groups = [({by: name}, (held[by] == name).to_numpy()) for name in _names(held[by])]
    rows = []
    for named, own in groups:
        for topic in marks.columns:
            hit = marks[topic].to_numpy() > 0
            interval = clustered_share_interval(hit[own], cluster[own], conf_level=conf_level)
            people = len(np.unique(cluster[own & hit]))
            counts = {"n": int(own.sum()), "mentions": int((own & hit).sum()), "customers": people}
            rows.append({**named, "topic": topic, "metric": "topic_share", **interval._asdict(), **counts})
    return pd.DataFrame(rows, columns=[*([by] if by else []), "topic", "metric", *_ENDS])


def topic_gaps(
    comments: pd.DataFrame,
    codings: pd.DataFrame,
    *,
    by: str,
    topics: Sequence[str] | None = None,
    cluster_col: str = "customer_id",
    response_id_col: str = "response_id",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share of each topic in a group minus its share in all other groups, with every look paid for.

    Parameters
    ----------
    comments, codings, by, topics, cluster_col, response_id_col, conf_level
        As `topic_shares`.

    Returns
    -------
    DataFrame
        `by, topic, metric` ("topic_gap"), `estimate` (difference of shares), `std_error, conf_low,
        conf_high, n, mentions, customers` (of the group), `share, share_elsewhere, p_value, p_adjusted`
        (Benjamini–Hochberg over all rows), `verdict` ("more", "fewer", "no_difference_shown",
        "not_enough_data").

    Notes
    -----
    Limits of the two clustered shares joined (MOVER), as if of different customers; where the same customers
    are in both, it is the careful side. The p-value is read from the limit that faces zero.

    Examples
    --------
    >>> heard = pd.DataFrame({"response_id": list("abcd"), "customer_id": list("wxyz")})
    >>> heard["region"] = list("eeww")
    >>> on = pd.DataFrame({"response_id": ["a", "b"], "topic": "price"})
    >>> topic_gaps(heard, on, by="region")["estimate"].tolist()
    [1.0, -1.0]
    """
    check_frame(comments, argument="comments")
    check_columns(comments, by=by, cluster_col=cluster_col, response_id_col=response_id_col)
    check_group_names(by, ["topic", "metric", "verdict", *_ENDS])
    held, marks = _marked(comments, codings, topics, by, response_id_col)
    cluster = cluster_codes(held[cluster_col])
    rows = []
    for name in _names(held[by]):
        own = (held[by] == name).to_numpy()
        for topic in marks.columns:
            hit = marks[topic].to_numpy() > 0
            rows.append({by: name, "topic": topic} | _difference(hit, own, ~own, cluster, conf_level))
    table = pd.DataFrame(rows, columns=[by, "topic", *_GAP])
    return _judged(table, above="more_often", below="less_often", conf_level=conf_level)


_GAP = ["metric", *_ENDS, "share", "share_elsewhere", "p_value"]


def topic_changes(
    before: pd.DataFrame,
    after: pd.DataFrame,
    codings: pd.DataFrame,
    *,
    topics: Sequence[str] | None = None,
    cluster_col: str = "customer_id",
    response_id_col: str = "response_id",
    conf_level: float = 0.95,
) -> pd.DataFrame:
    """Share of each topic in the later comments minus its share in the earlier ones.

    Parameters
    ----------
    before, after : DataFrame
        Comments of two waves, such as `last_waves` gives.
    codings, topics, cluster_col, response_id_col, conf_level
        As `topic_shares`.

    Returns
    -------
    DataFrame
        A row per topic: `topic` and the columns of `topic_gaps`, with `metric` "topic_change"; `share` is
        the later, `share_elsewhere` the earlier one; `verdict` "risen", "fallen", "no_difference_shown",
        "not_enough_data".

    Examples
    --------
    >>> one = pd.DataFrame({"response_id": ["a", "b"], "customer_id": ["1", "2"]})
    >>> two = one.assign(response_id=["c", "d"])
    >>> topic_changes(one, two, pd.DataFrame({"response_id": ["c"], "topic": ["price"]}))["estimate"].tolist()
    [0.5]
    """
    check_frame(before, argument="before")
    check_frame(after, argument="after")
    both = pd.concat([before, after], ignore_index=True)
    check_columns(both, cluster_col=cluster_col, response_id_col=response_id_col)
    held, marks = _marked(both, codings, topics, None, response_id_col)
    later = np.arange(len(held)) >= len(before)
    cluster = cluster_codes(held[cluster_col])
    rows = []
    for topic in marks.columns:
        row = _difference(marks[topic].to_numpy() > 0, later, ~later, cluster, conf_level)
        rows.append({"topic": topic} | row | {"metric": "topic_change"})
    return _judged(
        pd.DataFrame(rows, columns=["topic", *_GAP]),
        above="more_often",
        below="less_often",
        conf_level=conf_level,
    )


def _marked(
    comments: pd.DataFrame, codings: pd.DataFrame, topics: Sequence[str] | None, by: str | None, id_col: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    held = comments if by is None else comments[comments[by].notna()]
    held = held.reset_index(drop=True)
    marks = mark_topics(held, codings, response_id_col=id_col)
    if topics is None:
        topics = marks.sum().sort_values(ascending=False, kind="stable").index.tolist()
    return held, marks.reindex(columns=list(topics), fill_value=0)


def _names(values: pd.Series) -> list[Any]:
    return sorted(values.unique().tolist(), key=str)


def _difference(hit: Any, own: Any, others: Any, cluster: Any, conf_level: float) -> dict[str, Any]:
    """Share of hits in one group minus that in the other, with a p-value from the limit that faces zero."""
    sides = [
        clustered_share_interval(hit[side], cluster[side], conf_level=conf_level) for side in (own, others)
    ]
    gap = interval_difference(*sides) if own.any() and others.any() else Interval(*[np.nan] * 4)
    near = gap.estimate - gap.conf_low if gap.estimate > 0 else gap.conf_high - gap.estimate
    z = abs(gap.estimate) / near * critical_value(conf_level) if near > 0 else np.nan
    counts = {"n": int(own.sum()), "mentions": int((own & hit).sum())}
    counts["customers"] = len(np.unique(cluster[own & hit]))
    shares = {"share": sides[0].estimate, "share_elsewhere": sides[1].estimate}
    p_value = float(2 * ndtr(-z)) if np.isfinite(z) else np.nan
    return {"metric": "topic_gap", **gap._asdict(), **counts, **shares, "p_value": p_value}


def _judged(table: pd.DataFrame, *, above: str, below: str, conf_level: float) -> pd.DataFrame:
    adjusted: Array = false_discovery(table["p_value"].to_numpy(float))
    verdict = limits_verdict(table["conf_low"], table["conf_high"], unit="pp", above=above, below=below)
    verdict = np.where(adjusted <= 1 - conf_level + 1e-12, verdict, "no_difference_shown")
    verdict = np.where(np.isnan(adjusted), "not_enough_data", verdict)
    return table.assign(p_adjusted=adjusted, verdict=verdict)
